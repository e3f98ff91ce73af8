//! Training of networks with delays: two step sizes, a spread that shrinks, delays rounded for every
//! evaluation.

use std::path::Path;

use burn::module::Module;
use burn::tensor::{Device, Tensor};
use chiasm_core::{Error, Progress, Seed};
use chiasm_nn::loss::cross_entropy;
use chiasm_nn::operation::floats;
use chiasm_nn::training::{Objective, Trained, TrainingSettings, WeightGroup, train};
use chiasm_nn::{AdamSettings, Result, Schedule};
use serde::{Deserialize, Serialize};

use crate::delay_network::{DelayNetwork, Mode};
use crate::spike_data::SpikeData;

/// Samples that are evaluated together.
const EVALUATION_BATCH: usize = 256;

/// How the parameter `s` of the spread around delays moves over training.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "kind")]
pub enum SpreadSchedule {
    /// Shrinks by a constant factor an epoch, from one value to another.
    Shrinking {
        /// At the first epoch; the paper takes half the taps.
        from: f32,
        /// At the end of the share and after it; the paper takes 0.23 (a standard deviation of 0.5).
        to: f32,
        /// The share of training that this takes; the paper takes a quarter.
        share: f64,
    },
    /// Stays.
    Constant {
        /// The value.
        value: f32,
    },
}

impl SpreadSchedule {
    /// The parameter in an epoch, counted from 0.
    pub fn at(&self, epoch: usize, epochs: usize) -> f32 {
        match *self {
            SpreadSchedule::Constant { value } => value,
            SpreadSchedule::Shrinking { from, to, share } => {
                let place = epoch as f64 / (share * epochs as f64).max(f64::MIN_POSITIVE);
                let factor = f64::from(to / from).powf(place.min(1.0));
                (f64::from(from) * factor) as f32
            }
        }
    }

    fn check(&self) -> chiasm_core::Result<()> {
        let positive = |name: &str, value: f32| {
            if value.is_finite() && value > 0.0 {
                Ok(())
            } else {
                Err(Error::setting(name, value, "above 0"))
            }
        };
        match *self {
            SpreadSchedule::Constant { value } => positive("spread.value", value),
            SpreadSchedule::Shrinking { from, to, share } => {
                positive("spread.from", from)?;
                positive("spread.to", to)?;
                if (0.0..=1.0).contains(&share) {
                    Ok(())
                } else {
                    Err(Error::setting("spread.share", share, "0 to 1"))
                }
            }
        }
    }
}

/// How a network with delays is trained.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DelayTrainingSettings {
    /// Passes over the training data.
    pub epochs: usize,
    /// Samples a step.
    pub batch_size: usize,
    /// Highest step size of the weights, which rises and falls once an epoch (one cycle).
    pub weight_rate: f64,
    /// First step size of the positions, which falls along a cosine.
    pub position_rate: f64,
    /// Weight decay (through the gradient) of everything but the positions.
    pub weight_decay: f32,
    /// How the spread around delays moves.
    pub spread: SpreadSchedule,
    /// The last share of epochs, in which delays are rounded already and only weights learn on. The paper
    /// takes none: its recordings forgive half a step, where fine timing decides it is needed.
    pub rounded_share: f64,
    /// Epochs without a better validation loss after which training stops; 0 for never.
    pub patience: usize,
}

impl Default for DelayTrainingSettings {
    /// As published for the Spiking Heidelberg Digits.
    fn default() -> Self {
        DelayTrainingSettings {
            epochs: 150,
            batch_size: 256,
            weight_rate: 5e-3,
            position_rate: 0.1,
            weight_decay: 1e-5,
            spread: SpreadSchedule::Shrinking {
                from: 12.0,
                to: 0.23,
                share: 0.25,
            },
            rounded_share: 0.0,
            patience: 0,
        }
    }
}

impl DelayTrainingSettings {
    /// Refuses settings without meaning.
    pub fn check(&self) -> chiasm_core::Result<()> {
        self.spread.check()?;
        if !(0.0..=1.0).contains(&self.rounded_share) {
            return Err(Error::setting(
                "rounded_share",
                self.rounded_share,
                "0 to 1",
            ));
        }
        self.training().check()
    }

    /// The spread in an epoch, counted from 0; none where delays are rounded.
    fn spread_at(&self, epoch: usize, epochs: usize) -> Option<f32> {
        let rounded_from = epochs as f64 * (1.0 - self.rounded_share);
        ((epoch as f64) < rounded_from).then(|| self.spread.at(epoch, epochs))
    }

    fn training(&self) -> TrainingSettings {
        TrainingSettings {
            epochs: self.epochs,
            batch_size: self.batch_size,
            learning_rate: self.weight_rate,
            schedule: Schedule::OneCycle {
                rise: 0.3,
                start: 0.04,
                end: 4e-6,
            },
            schedule_by_epoch: true,
            groups: vec![WeightGroup {
                name: "positions".into(),
                learning_rate: self.position_rate,
                schedule: Schedule::Cosine {
                    warmup: 0.0,
                    floor: 0.0,
                },
                weight_decay: 0.0,
            }],
            optimizer: AdamSettings {
                weight_decay: self.weight_decay,
                decoupled: false,
                ..AdamSettings::default()
            },
            patience: (self.patience > 0).then_some(self.patience),
        }
    }
}

/// Classification of spike recordings; validation is by rounded delays.
#[derive(Debug)]
struct DelayObjective<'a> {
    training: &'a SpikeData,
    validation: Option<&'a SpikeData>,
    settings: &'a DelayTrainingSettings,
    device: &'a Device,
}

impl Objective<DelayNetwork> for DelayObjective<'_> {
    fn examples(&self) -> usize {
        self.training.len()
    }

    fn loss(&self, model: &DelayNetwork, batch: &[usize], noise: Seed) -> Result<Tensor<1>> {
        let (counts, labels) = self.training.batch(batch, self.device);
        let scores = model.forward(counts, Mode::Training(noise));
        Ok(cross_entropy(scores, labels))
    }

    fn validate(&self, model: &DelayNetwork) -> Result<Option<f64>> {
        Ok(self.validation.map(|data| {
            // `model` is a copy with statistics of its own.
            calibrate(model, self.training, self.device);
            evaluate(model, data, self.device).0
        }))
    }

    fn at_epoch(&self, mut model: DelayNetwork, epoch: usize, epochs: usize) -> DelayNetwork {
        model.set_spread(self.settings.spread_at(epoch, epochs));
        model
    }

    fn after_step(&self, model: DelayNetwork) -> DelayNetwork {
        model.clamped()
    }
}

/// Estimates the running statistics of a network's normalisations anew, with rounded delays.
///
/// Rounding puts on one tap what training spread over several, which changes the variance that neurons
/// see; with the statistics of training they would fire at other rates than they learned to.
pub fn calibrate(network: &DelayNetwork, data: &SpikeData, device: &Device) {
    // Copies share their running statistics.
    let network = network.clone().no_grad();
    let device = device.clone().without_autodiff();
    let indices: Vec<usize> = (0..data.len()).collect();
    for (index, batch) in indices.chunks(EVALUATION_BATCH).enumerate() {
        let (counts, _) = data.batch(batch, &device);
        network.forward(counts, Mode::Calibration(1.0 / (index + 1) as f32));
    }
}

/// What a network with delays is trained on, and where.
#[derive(Clone, Copy, Debug)]
pub struct DelayTask<'a> {
    /// The recordings it learns.
    pub training: &'a SpikeData,
    /// The recordings that early stopping looks at.
    pub validation: Option<&'a SpikeData>,
    /// Where batches are put.
    pub device: &'a Device,
}

/// Trains `network`, then calibrates it for rounded delays; see [`chiasm_nn::training::train`] for
/// checkpoints and stops.
pub fn train_delays(
    network: DelayNetwork,
    task: DelayTask<'_>,
    settings: &DelayTrainingSettings,
    seed: Seed,
    checkpoint: Option<&Path>,
    progress: &Progress,
) -> Result<Trained<DelayNetwork>> {
    settings.check()?;
    let objective = DelayObjective {
        training: task.training,
        validation: task.validation,
        settings,
        device: task.device,
    };
    let training = settings.training();
    let trained = train(network, &objective, &training, seed, checkpoint, progress)?;
    calibrate(&trained.model, task.training, task.device);
    Ok(trained)
}

/// The share of recordings whose class scores highest, with rounded delays.
pub fn accuracy(network: &DelayNetwork, data: &SpikeData, device: &Device) -> f64 {
    evaluate(&network.valid(), data, device).1
}

/// Mean loss and accuracy.
fn evaluate(network: &DelayNetwork, data: &SpikeData, device: &Device) -> (f64, f64) {
    let device = device.clone().without_autodiff();
    let indices: Vec<usize> = (0..data.len()).collect();
    let (mut loss, mut right) = (0.0, 0.0);
    for batch in indices.chunks(EVALUATION_BATCH) {
        let (counts, labels) = data.batch(batch, &device);
        let scores = network.forward(counts, Mode::Evaluation).inner();
        let value = floats(cross_entropy(scores.clone(), labels.clone()));
        loss += f64::from(value[0]) * batch.len() as f64;
        right += chiasm_nn::loss::accuracy(scores, labels) * batch.len() as f64;
    }
    let count = data.len().max(1) as f64;
    (loss / count, right / count)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_spread_shrinks_as_published() {
        let spread = DelayTrainingSettings::default().spread;
        // (0.23 / 12)^(1 / (E / 4)) an epoch until a quarter of training.
        let factor = (0.23f64 / 12.0).powf(1.0 / (150.0 / 4.0));
        for epoch in [0, 1, 10, 37] {
            let expected = 12.0 * factor.powi(epoch);
            assert!((f64::from(spread.at(epoch as usize, 150)) / expected - 1.0).abs() < 1e-5);
        }
        for epoch in [38, 100, 149] {
            assert!((spread.at(epoch, 150) - 0.23).abs() < 1e-6);
        }
        let settings = DelayTrainingSettings {
            rounded_share: 0.2,
            ..Default::default()
        };
        assert!(settings.spread_at(119, 150).is_some());
        assert_eq!(settings.spread_at(120, 150), None);
    }

    #[test]
    fn settings_without_meaning_are_refused() {
        let refused = [
            DelayTrainingSettings {
                batch_size: 0,
                ..Default::default()
            },
            DelayTrainingSettings {
                position_rate: -1.0,
                ..Default::default()
            },
            DelayTrainingSettings {
                spread: SpreadSchedule::Constant { value: f32::NAN },
                ..Default::default()
            },
        ];
        for settings in refused {
            assert!(settings.check().is_err());
        }
        assert!(DelayTrainingSettings::default().check().is_ok());
    }
}
