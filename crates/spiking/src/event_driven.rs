//! A trained network as it would be deployed: whole-step delays in ring buffers, synapses that cost
//! nothing while their neuron is silent, normalisation folded into the weights.

use burn::module::Module;
use chiasm_core::{Error, Result};
use chiasm_nn::operation::floats;

use crate::delay_network::{DelayNetwork, Synapses};
use crate::neuron::{LeakyIntegrator, LifScan};
use crate::readout::Readout;
use crate::spike_data::Sample;

/// A network with delays, run spike by spike.
#[derive(Clone, Debug)]
pub struct EventDriven {
    layers: Vec<Layer>,
    membrane: LifScan,
    integrator: LeakyIntegrator,
    readout: Readout,
}

/// Synapses of one layer, by presynaptic channel.
#[derive(Clone, Debug)]
struct Layer {
    inputs: usize,
    outputs: usize,
    /// Slots of the ring buffer: the longest delay and one.
    slots: usize,
    /// Steps the layer's signal outlasts its input's.
    tail: usize,
    /// For each input, its synapses as (place in the ring buffer from the present slot, weight).
    synapses: Vec<(usize, f32)>,
    /// What every neuron receives at every step.
    bias: Vec<f32>,
}

/// What running a sample gave.
#[derive(Clone, Debug, PartialEq)]
pub struct Outcome {
    /// One score a class.
    pub scores: Vec<f32>,
    /// Spikes of each hidden layer.
    pub spikes: Vec<usize>,
    /// Times a synapse was used.
    pub synaptic_events: usize,
}

impl EventDriven {
    /// The deployed form of a network.
    pub fn new(network: &DelayNetwork) -> Result<Self> {
        let network = network.valid();
        let mut layers = Vec::with_capacity(network.layers.len() + 1);
        for layer in &network.layers {
            let mask = layer.mask.as_ref().map(|mask| floats(mask.val()));
            let norm = layer.norm.as_ref().map(|norm| norm.folded());
            layers.push(Layer::new(&layer.synapses, mask, norm));
        }
        layers.push(Layer::new(&network.readout, None, None));
        Ok(EventDriven {
            layers,
            membrane: network.neuron().membrane,
            integrator: network.integrator(),
            readout: network.config().readout,
        })
    }

    /// Runs one recording.
    pub fn run(&self, sample: &Sample) -> Result<Outcome> {
        let channels = self.layers[0].inputs;
        if let Some((_, channel)) = sample.spikes.iter().find(|s| s.1 as usize >= channels) {
            let allowed = format!("below {channels}");
            return Err(Error::setting("channel of a spike", channel, allowed));
        }
        let mut input = sample.spikes.clone();
        input.sort_unstable();
        let mut arriving = input.iter().peekable();
        let mut states: Vec<State> = self.layers.iter().map(|layer| self.state(layer)).collect();
        if let Some(readout) = states.last_mut() {
            readout.carry.fill(0.0);
        }
        let tails: usize = self.layers.iter().map(|layer| layer.tail).sum();
        let mut outcome = Outcome {
            scores: Vec::new(),
            spikes: vec![0; self.layers.len() - 1],
            synaptic_events: 0,
        };
        let mut readings: Vec<Vec<f32>> = Vec::with_capacity(sample.steps + tails);
        let mut fired: Vec<(usize, f32)> = Vec::new();
        for step in 0..sample.steps + tails {
            fired.clear();
            while let Some((_, channel)) = arriving.next_if(|spike| spike.0 as usize == step) {
                fired.push((*channel as usize, 1.0));
            }
            let mut last_step = sample.steps;
            for (index, (layer, state)) in self.layers.iter().zip(&mut states).enumerate() {
                last_step += layer.tail;
                outcome.synaptic_events += layer.receive(step, &fired, &mut state.buffer);
                if step >= last_step {
                    // As in training, a layer's signal ends here.
                    fired.clear();
                    continue;
                }
                let slot = step % layer.slots * layer.outputs;
                let due = &mut state.buffer[slot..slot + layer.outputs];
                for ((current, due), bias) in state.current.iter_mut().zip(due).zip(&layer.bias) {
                    *current = std::mem::take(due) + bias;
                }
                if index + 1 < self.layers.len() {
                    self.membrane
                        .step(&mut state.carry, &mut state.current, &mut state.spikes);
                    fired.clear();
                    let spikes = state.spikes.iter().enumerate();
                    fired.extend(
                        spikes
                            .filter(|(_, spike)| **spike > 0.0)
                            .map(|(n, s)| (n, *s)),
                    );
                    outcome.spikes[index] += fired.len();
                } else {
                    let LeakyIntegrator { decay, gain } = self.integrator;
                    for (membrane, current) in state.carry.iter_mut().zip(&state.current) {
                        *membrane = decay * *membrane + gain * current;
                    }
                    readings.push(state.carry.clone());
                }
            }
        }
        outcome.scores = read(self.readout, &readings);
        Ok(outcome)
    }

    fn state(&self, layer: &Layer) -> State {
        State {
            buffer: vec![0.0; layer.slots * layer.outputs],
            current: vec![0.0; layer.outputs],
            carry: vec![self.membrane.first_carry(); layer.outputs],
            spikes: vec![0.0; layer.outputs],
        }
    }
}

struct State {
    buffer: Vec<f32>,
    current: Vec<f32>,
    carry: Vec<f32>,
    spikes: Vec<f32>,
}

impl Layer {
    fn new(
        synapses: &Synapses,
        mask: Option<Vec<f32>>,
        norm: Option<(Vec<f32>, Vec<f32>)>,
    ) -> Self {
        let (weight, taps, delays) = match synapses {
            Synapses::Delayed(layer) => (
                layer.weight.val(),
                layer.taps(),
                Some(layer.rounded_delays()),
            ),
            Synapses::Direct(layer) => (layer.weight.val(), 1, None),
        };
        let [inputs, outputs] = weight.dims();
        let (scale, bias) = norm.unwrap_or_else(|| (vec![1.0; outputs], vec![0.0; outputs]));
        let synapses = floats(weight)
            .into_iter()
            .enumerate()
            .map(|(synapse, weight)| {
                let delay = delays.as_ref().map_or(0, |delays| delays[synapse]);
                let kept = mask.as_ref().map_or(1.0, |mask| mask[synapse]);
                let output = synapse % outputs;
                (delay * outputs + output, weight * kept * scale[output])
            })
            .collect();
        Layer {
            inputs,
            outputs,
            slots: taps,
            tail: (taps - 1) / 2,
            synapses,
            bias,
        }
    }

    /// Sends spikes along their synapses; returns how many synapses that were.
    fn receive(&self, step: usize, fired: &[(usize, f32)], buffer: &mut [f32]) -> usize {
        let present = step % self.slots * self.outputs;
        for &(channel, size) in fired {
            let synapses = &self.synapses[channel * self.outputs..(channel + 1) * self.outputs];
            for &(place, weight) in synapses {
                let place = present + place;
                let wrapped = if place >= buffer.len() {
                    place - buffer.len()
                } else {
                    place
                };
                buffer[wrapped] += weight * size;
            }
        }
        fired.len() * self.outputs
    }
}

/// [`Readout::read`] of one sample.
fn read(readout: Readout, readings: &[Vec<f32>]) -> Vec<f32> {
    let classes = readings.first().map_or(0, Vec::len);
    let steps = readings.len().max(1) as f32;
    (0..classes)
        .map(|class| {
            let own = readings.iter().map(|reading| reading[class]);
            match readout {
                Readout::Mean => own.sum::<f32>() / steps,
                Readout::Maximum => own.fold(f32::NEG_INFINITY, f32::max),
                Readout::Last => readings.last().map_or(0.0, |last| last[class]),
                Readout::SumOfSoftmax => readings
                    .iter()
                    .map(|reading| {
                        let largest = reading.iter().copied().fold(f32::NEG_INFINITY, f32::max);
                        let total: f32 = reading.iter().map(|value| (value - largest).exp()).sum();
                        (reading[class] - largest).exp() / total
                    })
                    .sum(),
            }
        })
        .collect()
}
