//! Feed-forward spiking networks with delays (Hammouamri, Khalfaoui-Hassani and Masquelier 2024): layers of
//! delayed synapses, normalisation over time and batch, leaky integrate-and-fire neurons and dropout, read
//! out by leaky integrators.

use burn::module::{Module, Param};
use burn::tensor::{Device, Tensor, TensorData};
use chiasm_core::{Error, Result, Seed};
use chiasm_kernels::delay_kernel::Bump;
use rand::seq::SliceRandom;
use serde::{Deserialize, Serialize};

use crate::batch_norm::{BatchNorm, MOMENTUM};
use crate::delay_layer::{DelayLayer, DelayLayerConfig, Spread};
use crate::dropout::drop_over_time;
use crate::neuron::{LeakyIntegrator, Neuron, Surrogate, fire, integrate};
use crate::readout::Readout;
use crate::spike_linear::SpikeLinear;

/// What a network does with delays.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Delays {
    /// Learned with the weights.
    Learned,
    /// Drawn once and left alone.
    Fixed,
    /// None: a weight alone for each synapse.
    None,
}

/// The shape in which weights spread around their delays in training.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SpreadShape {
    /// A Gaussian of standard deviation `|s| + 0.27`.
    Gaussian,
    /// A triangle of half width `|s| + 1`.
    Triangle,
    /// Linear interpolation between two taps, whatever `s` is.
    Linear,
}

/// Sizes and choices of a [`DelayNetwork`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DelayNetworkConfig {
    /// Input channels.
    pub inputs: usize,
    /// Neurons of each hidden layer.
    pub hidden: Vec<usize>,
    /// Classes.
    pub classes: usize,
    /// What is done with delays.
    pub delays: Delays,
    /// Whether the synapses of the readout have delays too.
    pub readout_delays: bool,
    /// Taps of each kernel, odd: delays run from 0 to `taps - 1` steps.
    pub taps: usize,
    /// How weights spread around their delays in training.
    pub spread: SpreadShape,
    /// Membrane time constant in steps, 1 or more.
    pub membrane_time_constant: f32,
    /// Threshold.
    pub threshold: f32,
    /// Sharpness of the arctangent surrogate.
    pub surrogate_alpha: f32,
    /// Whether gradients ignore the reset.
    pub detach_reset: bool,
    /// Whether inputs of neurons are normalised over time and batch.
    pub batch_norm: bool,
    /// Share of neurons that are silenced in training, each for a whole sample.
    pub dropout: f64,
    /// Synapses each hidden neuron keeps, drawn once; 0 for all.
    pub synapses_per_neuron: usize,
    /// How the readout's membranes become scores.
    pub readout: Readout,
}

impl Default for DelayNetworkConfig {
    /// The published network for the Spiking Heidelberg Digits.
    fn default() -> Self {
        DelayNetworkConfig {
            inputs: 140,
            hidden: vec![256, 256],
            classes: 20,
            delays: Delays::Learned,
            readout_delays: true,
            taps: 25,
            spread: SpreadShape::Gaussian,
            membrane_time_constant: 1.005,
            threshold: 1.0,
            surrogate_alpha: 5.0,
            detach_reset: true,
            batch_norm: true,
            dropout: 0.4,
            synapses_per_neuron: 0,
            readout: Readout::SumOfSoftmax,
        }
    }
}

impl DelayNetworkConfig {
    /// Refuses settings without meaning.
    pub fn check(&self) -> Result<()> {
        if self.inputs == 0 || self.classes < 2 || self.hidden.contains(&0) {
            let value = format!("{}, {:?}, {}", self.inputs, self.hidden, self.classes);
            let allowed = "no layer empty, at least 2 classes";
            return Err(Error::setting("inputs, hidden, classes", value, allowed));
        }
        if self.taps.is_multiple_of(2) || self.taps > 4095 {
            return Err(Error::setting(
                "taps",
                self.taps,
                "an odd number up to 4095",
            ));
        }
        if !(0.0..1.0).contains(&self.dropout) {
            return Err(Error::setting("dropout", self.dropout, "0 up to below 1"));
        }
        for (name, value) in [
            ("threshold", self.threshold),
            ("surrogate_alpha", self.surrogate_alpha),
        ] {
            if !(value.is_finite() && value > 0.0) {
                return Err(Error::setting(name, value, "above 0"));
            }
        }
        self.neuron().map(|_| ())
    }

    pub(crate) fn neuron(&self) -> Result<Neuron> {
        let surrogate = Surrogate::Atan {
            alpha: self.surrogate_alpha,
        };
        Neuron::spiking_jelly(
            self.membrane_time_constant,
            false,
            self.threshold,
            Some(0.0),
            surrogate,
            self.detach_reset,
        )
    }

    /// A network with weights, delays and missing synapses drawn from `seed`.
    pub fn init(&self, seed: Seed, device: &Device) -> Result<DelayNetwork> {
        self.check()?;
        let neuron = self.neuron()?;
        let mut inputs = self.inputs;
        let mut layers = Vec::with_capacity(self.hidden.len());
        for (index, &neurons) in self.hidden.iter().enumerate() {
            let seed = seed.named("hidden").indexed(index as u64);
            layers.push(HiddenLayer {
                synapses: self.synapses(inputs, neurons, true, seed, device),
                mask: self.mask(inputs, neurons, seed.named("mask"), device),
                norm: self.batch_norm.then(|| BatchNorm::new(neurons, device)),
            });
            inputs = neurons;
        }
        let readout = seed.named("readout");
        Ok(DelayNetwork {
            layers,
            readout: self.synapses(inputs, self.classes, self.readout_delays, readout, device),
            neuron,
            integrator: LeakyIntegrator {
                decay: neuron.membrane.decay,
                gain: 1.0,
            },
            config: self.clone(),
            spread_parameter: Some((self.taps / 2) as f32),
        })
    }

    fn synapses(
        &self,
        inputs: usize,
        outputs: usize,
        delayed: bool,
        seed: Seed,
        device: &Device,
    ) -> Synapses {
        if self.delays == Delays::None || !delayed {
            let bound = (6.0 / inputs as f64).sqrt();
            let seed = seed.named("weight");
            return Synapses::Direct(SpikeLinear::new(inputs, outputs, bound, seed, device));
        }
        let config = DelayLayerConfig {
            inputs,
            outputs,
            taps: self.taps,
            learned: self.delays == Delays::Learned,
        };
        Synapses::Delayed(config.init(seed, device))
    }

    /// Ones at the synapses each neuron keeps, scaled so that its inputs keep their variance.
    fn mask(
        &self,
        inputs: usize,
        outputs: usize,
        seed: Seed,
        device: &Device,
    ) -> Option<Param<Tensor<2>>> {
        let kept = self.synapses_per_neuron;
        if kept == 0 || kept >= inputs {
            return None;
        }
        let scale = (inputs as f32 / kept as f32).sqrt();
        let mut rng = seed.rng();
        let mut mask = vec![0.0; inputs * outputs];
        let mut order: Vec<usize> = (0..inputs).collect();
        for output in 0..outputs {
            order.shuffle(&mut rng);
            for &input in &order[..kept] {
                mask[input * outputs + output] = scale;
            }
        }
        let mask = Tensor::from_data(TensorData::new(mask, [inputs, outputs]), device);
        Some(Param::from_tensor(mask).no_grad())
    }
}

/// Synapses with or without delays.
#[derive(Module, Debug)]
pub enum Synapses {
    /// A weight and a delay each.
    Delayed(DelayLayer),
    /// A weight each.
    Direct(SpikeLinear),
}

impl Synapses {
    fn forward(&self, spikes: Tensor<3>, spread: Spread, mask: Option<Tensor<2>>) -> Tensor<3> {
        match (self, mask) {
            (Synapses::Delayed(layer), mask) => layer.forward(spikes, spread, mask),
            (Synapses::Direct(layer), None) => layer.forward(spikes),
            (Synapses::Direct(layer), Some(mask)) => {
                crate::spike_linear::spike_linear(spikes, layer.weight.val() * mask)
            }
        }
    }

    fn clamped(self) -> Self {
        match self {
            Synapses::Delayed(layer) => Synapses::Delayed(layer.clamped()),
            direct => direct,
        }
    }
}

/// One hidden layer.
#[derive(Module, Debug)]
pub struct HiddenLayer {
    /// From the layer below.
    pub synapses: Synapses,
    /// What multiplies the weights where only some synapses exist, (inputs x outputs).
    pub mask: Option<Param<Tensor<2>>>,
    /// Normalisation of the neurons' inputs.
    pub norm: Option<BatchNorm>,
}

/// Whether a network is being trained.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Mode {
    /// Spread delays, statistics of the batch, dropout from this seed.
    Training(Seed),
    /// Rounded delays, statistics of the batch, which enter the running ones with this weight; no
    /// dropout.
    Calibration(f32),
    /// Rounded delays, running statistics, no dropout.
    Evaluation,
}

/// A spiking network with delays.
#[derive(Module, Debug)]
pub struct DelayNetwork {
    /// The hidden layers.
    pub layers: Vec<HiddenLayer>,
    /// The synapses of the readout.
    pub readout: Synapses,
    #[module(skip)]
    neuron: Neuron,
    #[module(skip)]
    integrator: LeakyIntegrator,
    #[module(skip)]
    config: DelayNetworkConfig,
    #[module(skip)]
    spread_parameter: Option<f32>,
}

impl DelayNetwork {
    /// The sizes and choices it was made from.
    pub fn config(&self) -> &DelayNetworkConfig {
        &self.config
    }

    /// The neurons of the hidden layers.
    pub fn neuron(&self) -> Neuron {
        self.neuron
    }

    /// The membranes of the readout.
    pub fn integrator(&self) -> LeakyIntegrator {
        self.integrator
    }

    /// Sets the parameter `s` of the spread around delays in training; none to train with rounded delays.
    pub fn set_spread(&mut self, parameter: Option<f32>) {
        self.spread_parameter = parameter;
    }

    /// Brings every position back into its kernel.
    pub fn clamped(mut self) -> Self {
        for layer in &mut self.layers {
            layer.synapses = layer.synapses.clone().clamped();
        }
        self.readout = self.readout.clamped();
        self
    }

    /// Numbers that training changes.
    pub fn trained_parameters(&self) -> usize {
        let synapses = |synapses: &Synapses| match synapses {
            Synapses::Direct(layer) => layer.weight.val().shape().num_elements(),
            Synapses::Delayed(layer) => {
                let weights = layer.weight.val().shape().num_elements();
                if self.config.delays == Delays::Learned {
                    2 * weights
                } else {
                    weights
                }
            }
        };
        let hidden = |layer: &HiddenLayer| {
            let all = synapses(&layer.synapses);
            let shape = match &layer.synapses {
                Synapses::Direct(direct) => direct.weight.val().dims(),
                Synapses::Delayed(delayed) => delayed.weight.val().dims(),
            };
            let kept = match layer.mask {
                Some(_) => all / shape[0] * self.config.synapses_per_neuron,
                None => all,
            };
            kept + layer.norm.as_ref().map_or(0, |_| 2 * shape[1])
        };
        self.layers.iter().map(hidden).sum::<usize>() + synapses(&self.readout)
    }

    /// (steps, batch, inputs) counts to (batch, classes) scores.
    pub fn forward(&self, input: Tensor<3>, mode: Mode) -> Tensor<2> {
        let spread = match (mode, self.spread_parameter) {
            (Mode::Training(_), Some(parameter)) => Spread::Bump(match self.config.spread {
                SpreadShape::Gaussian => Bump::Gaussian {
                    sigma: parameter.abs() + 0.27,
                },
                SpreadShape::Triangle => Bump::Triangle {
                    width: parameter.abs() + 1.0,
                },
                SpreadShape::Linear => Bump::Triangle { width: 1.0 },
            }),
            _ => Spread::Rounded,
        };
        let mut signal = input;
        for (index, layer) in self.layers.iter().enumerate() {
            let mask = layer.mask.as_ref().map(|mask| mask.val());
            signal = layer.synapses.forward(signal, spread, mask);
            signal = match (&layer.norm, mode) {
                (Some(norm), Mode::Training(_)) => norm.train_on(signal, MOMENTUM),
                (Some(norm), Mode::Calibration(weight)) => norm.train_on(signal, weight),
                (Some(norm), Mode::Evaluation) => norm.evaluate(signal),
                (None, _) => signal,
            };
            signal = fire(signal, self.neuron.membrane);
            if let Mode::Training(seed) = mode {
                let seed = seed.named("dropout").indexed(index as u64);
                signal = drop_over_time(signal, self.config.dropout, seed);
            }
        }
        let current = self.readout.forward(signal, spread, None);
        self.config
            .readout
            .read(integrate(current, self.integrator))
    }
}
