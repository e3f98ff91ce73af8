//! Adam over the weights of a network.

use std::collections::BTreeMap;

use burn::module::{Module, ModuleMapper, ModuleVisitor, Param};
use burn::tensor::{Gradients, Tensor};
use chiasm_core::Error as CoreError;
use chiasm_kernels::adam::{self, AdamStep};
use serde::{Deserialize, Serialize};

use crate::operation::{Array, on_kernels};
use crate::weights::{Weight, Weights};

/// Settings of [`Adam`].
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AdamSettings {
    /// Decay of the running mean of gradients, in [0, 1).
    pub beta1: f32,
    /// Decay of the running mean of squared gradients, in [0, 1).
    pub beta2: f32,
    /// Added to the root of the running mean of squares.
    pub epsilon: f32,
    /// Weight decay.
    pub weight_decay: f32,
    /// Whether weight decay acts on the weights directly (AdamW, Loshchilov & Hutter 2019) rather
    /// than through the gradient.
    pub decoupled: bool,
    /// Gradients are scaled down to at most this Euclidean norm over all weights.
    pub clip_norm: Option<f32>,
}

impl Default for AdamSettings {
    fn default() -> Self {
        AdamSettings {
            beta1: 0.9,
            beta2: 0.999,
            epsilon: 1e-8,
            weight_decay: 0.0,
            decoupled: true,
            clip_norm: None,
        }
    }
}

impl AdamSettings {
    /// Whether every number is in its range.
    pub fn check(&self) -> chiasm_core::Result<()> {
        let refuse = |name: &str, value: f32, allowed: &str| {
            Err(CoreError::setting(
                format!("optimizer.{name}"),
                value,
                allowed,
            ))
        };
        match *self {
            AdamSettings { beta1, .. } if !(0.0..1.0).contains(&beta1) => {
                refuse("beta1", beta1, "[0, 1)")
            }
            AdamSettings { beta2, .. } if !(0.0..1.0).contains(&beta2) => {
                refuse("beta2", beta2, "[0, 1)")
            }
            AdamSettings { epsilon, .. } if !(epsilon > 0.0 && epsilon.is_finite()) => {
                refuse("epsilon", epsilon, "above 0")
            }
            AdamSettings { weight_decay, .. }
                if !(weight_decay >= 0.0 && weight_decay.is_finite()) =>
            {
                refuse("weight_decay", weight_decay, "0 or above")
            }
            AdamSettings {
                clip_norm: Some(norm),
                ..
            } if norm.is_nan() || norm <= 0.0 => refuse("clip_norm", norm, "above 0"),
            _ => Ok(()),
        }
    }
}

/// What differs between groups of weights.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rates {
    /// The step size.
    pub learning_rate: f64,
    /// Weight decay, of the kind the settings choose.
    pub weight_decay: f32,
}

/// Adam (Kingma & Ba 2015) with its running means, by the dotted name of each weight.
#[derive(Debug)]
pub struct Adam {
    settings: AdamSettings,
    steps: u64,
    moments: BTreeMap<String, Moments>,
}

#[derive(Debug)]
struct Moments {
    first: Tensor<1>,
    second: Tensor<1>,
}

impl Adam {
    /// No step taken yet.
    pub fn new(settings: AdamSettings) -> Self {
        Adam {
            settings,
            steps: 0,
            moments: BTreeMap::new(),
        }
    }

    /// Steps taken.
    pub fn steps(&self) -> u64 {
        self.steps
    }

    /// `model` after one step against `gradients`, what `loss.backward()` gave. Weights that
    /// nothing else holds are changed in place.
    pub fn step<M: Module>(&mut self, model: M, gradients: Gradients, learning_rate: f64) -> M {
        let weight_decay = self.settings.weight_decay;
        self.step_by(model, gradients, |_| Rates {
            learning_rate,
            weight_decay,
        })
    }

    /// [`Adam::step`] with rates by the dotted name of each weight.
    pub fn step_by<M: Module>(
        &mut self,
        model: M,
        mut gradients: Gradients,
        rates: impl Fn(&str) -> Rates,
    ) -> M {
        self.steps += 1;
        let scale = self.settings.clip_norm.map(|limit| {
            let mut norm = Norm {
                gradients: &gradients,
                squares: 0.0,
            };
            model.visit(&mut norm);
            (f64::from(limit) / norm.squares.sqrt().max(f64::MIN_POSITIVE)).min(1.0) as f32
        });
        let mut update = Update {
            settings: self.settings,
            steps: self.steps,
            rates: &rates,
            scale: scale.unwrap_or(1.0),
            path: Vec::new(),
            gradients: &mut gradients,
            moments: &mut self.moments,
        };
        model.map(&mut update)
    }

    /// The running means as weights, `first.<name>` and `second.<name>`.
    pub(crate) fn state(&self) -> Weights {
        let mut state = Weights::new();
        for (name, moments) in &self.moments {
            for (which, tensor) in [("first", &moments.first), ("second", &moments.second)] {
                let values = crate::operation::floats(tensor.clone());
                let weight = Weight {
                    shape: vec![values.len()],
                    values,
                };
                state.insert(format!("{which}.{name}"), weight);
            }
        }
        state
    }

    /// Takes up where [`Adam::state`] left off; the weights' device is found at the next step.
    pub(crate) fn restore(settings: AdamSettings, steps: u64, state: Weights) -> Self {
        let mut moments = BTreeMap::new();
        for (name, first) in &state {
            let Some(name) = name.strip_prefix("first.") else {
                continue;
            };
            if let Some(second) = state.get(&format!("second.{name}")) {
                let tensor = |weight: &Weight| {
                    Array::new(weight.values.clone(), [weight.values.len()]).into_tensor()
                };
                let both = Moments {
                    first: tensor(first),
                    second: tensor(second),
                };
                moments.insert(name.to_string(), both);
            }
        }
        Adam {
            settings,
            steps,
            moments,
        }
    }
}

struct Norm<'a> {
    gradients: &'a Gradients,
    squares: f64,
}

impl ModuleVisitor for Norm<'_> {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        if let Some(gradient) = param.val().grad(self.gradients) {
            let sum = crate::operation::floats(gradient.square().sum());
            self.squares += f64::from(sum.first().copied().unwrap_or(0.0));
        }
    }
}

struct Update<'a, R> {
    settings: AdamSettings,
    steps: u64,
    rates: &'a R,
    scale: f32,
    path: Vec<String>,
    gradients: &'a mut Gradients,
    moments: &'a mut BTreeMap<String, Moments>,
}

impl<R: Fn(&str) -> Rates> Update<'_, R> {
    fn step_of(&self, name: &str) -> AdamStep {
        let Rates {
            learning_rate,
            weight_decay,
        } = (self.rates)(name);
        let AdamSettings {
            beta1,
            beta2,
            epsilon,
            decoupled,
            ..
        } = self.settings;
        AdamStep {
            learning_rate: learning_rate as f32,
            beta1,
            beta2,
            epsilon,
            l2: if decoupled { 0.0 } else { weight_decay },
            decoupled_decay: if decoupled { weight_decay } else { 0.0 },
            step: self.steps,
        }
    }
}

impl<R: Fn(&str) -> Rates> ModuleMapper for Update<'_, R> {
    fn enter_module(&mut self, name: &str, _: &str) {
        self.path.push(name.into());
    }

    fn exit_module(&mut self, _: &str, _: &str) {
        self.path.pop();
    }

    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let Some(mut gradient) = param.val().grad_remove(self.gradients) else {
            return param;
        };
        if self.scale != 1.0 {
            gradient = gradient * self.scale;
        }
        let device = gradient.device();
        let name = self.path.join(".");
        let step = self.step_of(&name);
        let moments = self.moments.remove(&name);
        let Moments { first, second } = moments.unwrap_or_else(|| {
            let zeros = Tensor::zeros([gradient.shape().num_elements()], &device);
            Moments {
                first: zeros.clone(),
                second: zeros,
            }
        });
        let (first, second) = (first.to_device(&device), second.to_device(&device));
        let mut after = None;
        let param = param.map(|weight| {
            let (weight, moments) = update(step, weight.inner(), gradient, first, second);
            after = Some(moments);
            Tensor::from_inner(weight).require_grad()
        });
        if let Some(moments) = after {
            self.moments.insert(name, moments);
        }
        param
    }
}

fn update<const D: usize>(
    step: AdamStep,
    weight: Tensor<D>,
    gradient: Tensor<D>,
    first: Tensor<1>,
    second: Tensor<1>,
) -> (Tensor<D>, Moments) {
    if !on_kernels(&weight) {
        return update_ordinary(step, weight, gradient, first, second);
    }
    let mut weight = Array::from_tensor(weight);
    let (mut first, mut second) = (Array::from_tensor(first), Array::from_tensor(second));
    let gradient = Array::from_tensor(gradient);
    adam::step(
        step,
        weight.values_mut(),
        gradient.values(),
        first.values_mut(),
        second.values_mut(),
    );
    (
        weight.into_tensor(),
        Moments {
            first: first.into_tensor(),
            second: second.into_tensor(),
        },
    )
}

/// The same update by ordinary tensor operations: what runs away from the CPU.
fn update_ordinary<const D: usize>(
    step: AdamStep,
    weight: Tensor<D>,
    gradient: Tensor<D>,
    first: Tensor<1>,
    second: Tensor<1>,
) -> (Tensor<D>, Moments) {
    let shape = weight.dims();
    let gradient = gradient + weight.clone() * step.l2;
    let flat = gradient.reshape([first.dims()[0]]);
    let first = first * step.beta1 + flat.clone() * (1.0 - step.beta1);
    let second = second * step.beta2 + flat.square() * (1.0 - step.beta2);
    let exponent = step.step as f64;
    let correction1 = 1.0 - f64::from(step.beta1).powf(exponent);
    let correction2 = 1.0 - f64::from(step.beta2).powf(exponent);
    let root = (second.clone() / correction2).sqrt() + step.epsilon;
    let change = first.clone() / root * (f64::from(step.learning_rate) / correction1);
    let keep = 1.0 - step.learning_rate * step.decoupled_decay;
    (
        weight * keep - change.reshape(shape),
        Moments { first, second },
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::tensor::{Device, Distribution};

    #[test]
    fn the_fused_update_matches_the_ordinary_one() {
        let random = || Tensor::random([9, 5], Distribution::Normal(0.0, 1.0), &Device::flex());
        let settings = AdamStep {
            learning_rate: 0.01,
            beta1: 0.9,
            beta2: 0.99,
            epsilon: 1e-8,
            l2: 0.1,
            decoupled_decay: 0.05,
            step: 3,
        };
        let (weight, gradient): (Tensor<2>, Tensor<2>) = (random(), random());
        let first = random().reshape([45]);
        let second = random().square().reshape([45]);
        let (a, m) = update(
            settings,
            weight.clone(),
            gradient.clone(),
            first.clone(),
            second.clone(),
        );
        let (b, n) = update_ordinary(settings, weight, gradient, first, second);
        let far = |a: Tensor<1>, b: Tensor<1>| {
            (a - b)
                .abs()
                .max()
                .into_data()
                .iter::<f32>()
                .next()
                .unwrap()
        };
        assert!(far(a.reshape([45]), b.reshape([45])) < 1e-6);
        assert!(far(m.first, n.first) < 1e-6 && far(m.second, n.second) < 1e-6);
    }
}
