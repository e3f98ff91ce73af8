//! Leaky integrate-and-fire neurons, with the choices that differ between libraries spelled out.

use burn::tensor::Tensor;
use chiasm_core::{Error, Result};
pub use chiasm_kernels::spiking_scan::{LeakyIntegrator, LifScan, Reset, Surrogate, ThresholdTie};
use chiasm_nn::operation::{Array, Operation, apply, on_kernels};

/// A leaky integrate-and-fire neuron: an optional exponential synapse, then a membrane that fires.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Neuron {
    /// Filters the input into a synaptic current.
    pub synapse: Option<LeakyIntegrator>,
    /// The membrane.
    pub membrane: LifScan,
}

impl Neuron {
    /// SpikingJelly's `LIFNode`: fires at or above the threshold; `reset_to` is the membrane after a
    /// spike and at rest, or none for subtraction of the threshold (with rest at 0). `time_constant`
    /// in steps, above 1 or equal; with `decay_input` the input is divided by it.
    pub fn spiking_jelly(
        time_constant: f32,
        decay_input: bool,
        threshold: f32,
        reset_to: Option<f32>,
        surrogate: Surrogate,
        detach_reset: bool,
    ) -> Result<Self> {
        if !(time_constant.is_finite() && time_constant >= 1.0) {
            let allowed = "1 step or more";
            return Err(Error::setting("time_constant", time_constant, allowed));
        }
        let rest = reset_to.unwrap_or(0.0);
        Ok(Neuron {
            synapse: None,
            membrane: LifScan {
                decay: 1.0 - 1.0 / time_constant,
                gain: if decay_input {
                    1.0 / time_constant
                } else {
                    1.0
                },
                drive: rest / time_constant,
                initial_membrane: rest,
                threshold,
                tie: ThresholdTie::Fires,
                reset: reset_to.map_or(Reset::Subtract, Reset::To),
                detach_reset,
                surrogate,
            },
        })
    }

    /// snnTorch's `Leaky`: fires above the threshold. `reset` is [`Reset::SubtractUndecayed`] for its
    /// `subtract`, [`Reset::To`] zero for its `zero`, [`Reset::None`] for its `none`; its resets carry no
    /// gradient.
    pub fn snntorch(beta: f32, threshold: f32, reset: Reset, surrogate: Surrogate) -> Result<Self> {
        check_share("beta", beta)?;
        Ok(Neuron {
            synapse: None,
            membrane: LifScan {
                decay: beta,
                gain: 1.0,
                drive: 0.0,
                initial_membrane: 0.0,
                threshold,
                tie: ThresholdTie::Silent,
                reset,
                detach_reset: true,
                surrogate,
            },
        })
    }

    /// Norse's `LIF`: an exponential synapse, forward Euler with steps of `step` seconds, rates in
    /// hertz, fires above the threshold, hard reset without gradient.
    pub fn norse(
        step: f32,
        synapse_rate: f32,
        membrane_rate: f32,
        leak: f32,
        threshold: f32,
        reset_to: f32,
        surrogate: Surrogate,
    ) -> Result<Self> {
        check_share("step * synapse_rate", step * synapse_rate)?;
        check_share("step * membrane_rate", step * membrane_rate)?;
        Ok(Neuron {
            synapse: Some(LeakyIntegrator {
                decay: 1.0 - step * synapse_rate,
                gain: 1.0,
            }),
            membrane: LifScan {
                decay: 1.0 - step * membrane_rate,
                gain: step * membrane_rate,
                drive: step * membrane_rate * leak,
                initial_membrane: leak,
                threshold,
                tie: ThresholdTie::Silent,
                reset: Reset::To(reset_to),
                detach_reset: true,
                surrogate,
            },
        })
    }

    /// The `LIF` of the neuromorphic intermediate representation, `τ v' = (leak - v) + R I`, stepped
    /// exactly for an input that is constant over a step; with `synapse_time_constant` the `CubaLIF`,
    /// whose input enters a synaptic current scaled by `synapse_weight`. Times in one unit.
    pub fn nir(
        step: f32,
        time_constant: f32,
        resistance: f32,
        leak: f32,
        threshold: f32,
        reset_to: f32,
        synapse: Option<(f32, f32)>,
        surrogate: Surrogate,
    ) -> Result<Self> {
        let decay = |name: &str, time_constant: f32| {
            let decay = (-step / time_constant).exp();
            if decay > 0.0 && decay < 1.0 {
                Ok(decay)
            } else {
                Err(Error::setting(name, time_constant, "above 0"))
            }
        };
        let membrane = decay("time_constant", time_constant)?;
        let synapse = synapse
            .map(|(time_constant, weight)| {
                let decay = decay("synapse time constant", time_constant)?;
                Ok::<_, Error>(LeakyIntegrator {
                    decay,
                    gain: weight * (1.0 - decay),
                })
            })
            .transpose()?;
        Ok(Neuron {
            synapse,
            membrane: LifScan {
                decay: membrane,
                gain: resistance * (1.0 - membrane),
                drive: leak * (1.0 - membrane),
                initial_membrane: leak,
                threshold,
                tie: ThresholdTie::Silent,
                reset: Reset::To(reset_to),
                detach_reset: true,
                surrogate,
            },
        })
    }

    /// Spikes (0 or 1) of (steps, batch, neurons) inputs.
    pub fn forward(&self, input: Tensor<3>) -> Tensor<3> {
        let current = match self.synapse {
            Some(synapse) => integrate(input, synapse),
            None => input,
        };
        fire(current, self.membrane)
    }
}

fn check_share(name: &str, value: f32) -> Result<()> {
    if (0.0..=1.0).contains(&value) {
        Ok(())
    } else {
        Err(Error::setting(name, value, "0 to 1"))
    }
}

/// The spikes of membranes driven by `current`, (steps, batch, neurons).
pub fn fire(current: Tensor<3>, membrane: LifScan) -> Tensor<3> {
    if !on_kernels(&current) {
        return fire_ordinary(current, membrane);
    }
    apply(Fire(membrane), [current.into_dispatch()])
}

/// [`fire`] by ordinary tensor operations, one step after the other: what runs away from the CPU.
pub fn fire_ordinary(current: Tensor<3>, membrane: LifScan) -> Tensor<3> {
    let [steps, batch, neurons] = current.dims();
    let device = current.device();
    let constant = |value: f32| Tensor::<3>::full([1, batch, neurons], value, &device);
    let mut carry = constant(membrane.decay * membrane.initial_membrane);
    let mut all = Vec::with_capacity(steps);
    for step in 0..steps {
        let input = current.clone().slice([step..step + 1]);
        let h = carry + input * membrane.gain + membrane.drive;
        let x = h.clone() - membrane.threshold;
        let fired = match membrane.tie {
            ThresholdTie::Fires => x.clone().greater_equal_elem(0.0),
            ThresholdTie::Silent => x.clone().greater_elem(0.0),
        }
        .float();
        // A straight line through the spike whose slope is the surrogate's: right value, right gradient.
        let line = surrogate_slope(membrane.surrogate, x.clone().detach()) * x;
        let spike = (fired - line.clone()).detach() + line;
        all.push(spike.clone());
        let reset = if membrane.detach_reset {
            spike.detach()
        } else {
            spike
        };
        carry = match membrane.reset {
            Reset::None => h * membrane.decay,
            Reset::Subtract => (h - reset * membrane.threshold) * membrane.decay,
            Reset::SubtractUndecayed => h * membrane.decay - reset * membrane.threshold,
            Reset::To(value) => (h * (-reset.clone() + 1.0) + reset * value) * membrane.decay,
        };
    }
    Tensor::cat(all, 0)
}

fn surrogate_slope(surrogate: Surrogate, x: Tensor<3>) -> Tensor<3> {
    let square = |width: Tensor<3>| width.clone() * width;
    match surrogate {
        Surrogate::Atan { alpha } => {
            let scaled = x * (std::f32::consts::FRAC_PI_2 * alpha);
            (square(scaled) + 1.0).recip() * (0.5 * alpha)
        }
        Surrogate::FastSigmoid { slope: alpha } | Surrogate::SuperSpike { alpha } => {
            square(x.abs() * alpha + 1.0).recip()
        }
        Surrogate::Sigmoid { alpha } => {
            let sigmoid = burn::tensor::activation::sigmoid(x * alpha);
            sigmoid.clone() * (-sigmoid + 1.0) * alpha
        }
        Surrogate::PiecewiseQuadratic { alpha } => {
            (x.abs() * (-alpha * alpha) + alpha).clamp_min(0.0)
        }
        Surrogate::Triangle { alpha } => (-x.abs() + 1.0).clamp_min(0.0) * alpha,
        Surrogate::SoftSign { alpha } => square(x.abs() + 1.0 / alpha).recip() * (0.5 / alpha),
        Surrogate::Boxcar { half_width } => {
            x.abs().lower_elem(half_width).float() * (0.5 / half_width)
        }
    }
}

#[derive(Debug)]
struct Fire(LifScan);

impl Operation<1> for Fire {
    /// The membranes before their resets.
    type Saved = Array;

    fn forward(&self, [mut current]: [Array; 1]) -> (Array, Array) {
        let (steps, lanes) = lanes(&current);
        let mut spikes = Array::zeros(current.shape());
        self.0
            .forward(steps, lanes, current.values_mut(), spikes.values_mut());
        (spikes, current)
    }

    fn backward(&self, membrane: Array, mut gradient: Array, _: [bool; 1]) -> [Option<Array>; 1] {
        let (steps, lanes) = lanes(&membrane);
        self.0
            .backward(steps, lanes, membrane.values(), gradient.values_mut());
        [Some(gradient)]
    }
}

/// An exponential filter over time of (steps, batch, channels), from 0.
pub fn integrate(input: Tensor<3>, filter: LeakyIntegrator) -> Tensor<3> {
    if !on_kernels(&input) {
        return integrate_ordinary(input, filter);
    }
    apply(Integrate(filter), [input.into_dispatch()])
}

/// [`integrate`] by ordinary tensor operations.
pub fn integrate_ordinary(input: Tensor<3>, filter: LeakyIntegrator) -> Tensor<3> {
    let [steps, batch, channels] = input.dims();
    let mut value = Tensor::<3>::zeros([1, batch, channels], &input.device());
    let mut all = Vec::with_capacity(steps);
    for step in 0..steps {
        let here = input.clone().slice([step..step + 1]);
        value = value * filter.decay + here * filter.gain;
        all.push(value.clone());
    }
    Tensor::cat(all, 0)
}

#[derive(Debug)]
struct Integrate(LeakyIntegrator);

impl Operation<1> for Integrate {
    type Saved = ();

    fn forward(&self, [mut values]: [Array; 1]) -> (Array, ()) {
        let (steps, lanes) = lanes(&values);
        self.0.forward(steps, lanes, values.values_mut());
        (values, ())
    }

    fn backward(&self, (): (), mut gradient: Array, _: [bool; 1]) -> [Option<Array>; 1] {
        let (steps, lanes) = lanes(&gradient);
        self.0.backward(steps, lanes, gradient.values_mut());
        [Some(gradient)]
    }
}

/// Steps, and everything else.
fn lanes(signal: &Array) -> (usize, usize) {
    let steps = signal.shape()[0];
    (steps, signal.values().len() / steps.max(1))
}
