//! Networks with and without delays on spoken digits.

use burn::tensor::Device;
use chiasm_nn::open_device;
use chiasm_spiking::{
    DelayNetwork, DelayNetworkConfig, DelayTask, Delays, Sample, SpikeData, accuracy, train_delays,
};
use rand::seq::SliceRandom;
use serde::{Deserialize, Serialize};

use super::LearnedDelaysSettings;
use super::speech::{OwnFiles, Split, recordings};
use crate::{Context, Result, SeedRun};

/// Accuracies in percent.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(super) struct Comparison {
    pub(super) learned: f64,
    pub(super) fixed: f64,
    pub(super) none: f64,
}

impl Comparison {
    /// The smaller of the two steps from none to fixed to learned.
    pub(super) fn smaller_step(&self) -> f64 {
        (self.learned - self.fixed).min(self.fixed - self.none)
    }
}

/// One seed's measurements.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct DigitsSeed {
    /// On speakers that were in no way part of training.
    pub(super) test: Comparison,
    /// On the speakers that early stopping looked at.
    pub(super) validation: Comparison,
    /// On the test speakers after training with shuffled labels.
    pub(super) shuffled: Comparison,
    /// Recordings in training, validation and test.
    pub(super) recordings: [usize; 3],
    /// Mean steps and spikes of a recording.
    pub(super) steps: f64,
    pub(super) spikes: f64,
}

pub(super) fn measure(
    context: &Context,
    settings: &LearnedDelaysSettings,
    own: Option<&OwnFiles>,
    run: &SeedRun<'_>,
) -> Result<DigitsSeed> {
    let split = recordings(own, settings, run)?;
    let device = open_device(context.device())?;
    let shuffled = shuffled(&split, run)?;
    let all = [Delays::Learned, Delays::Fixed, Delays::None];
    let (mut test, mut validation, mut null) = ([0.0; 3], [0.0; 3], [0.0; 3]);
    for (index, delays) in all.into_iter().enumerate() {
        let network = train(
            settings,
            run,
            &split,
            &split.training,
            delays,
            "digits",
            &device,
        )?;
        test[index] = 100.0 * accuracy(&network, &split.test, &device);
        validation[index] = 100.0 * accuracy(&network, &split.validation, &device);
        if index == 0 && context.seeds().first() == Some(&run.number) {
            let path = context.folder().join("spoken-digits-network.safetensors");
            chiasm_nn::weights::save(&network, &path)?;
        }
        let network = train(
            settings, run, &split, &shuffled, delays, "shuffled", &device,
        )?;
        null[index] = 100.0 * accuracy(&network, &split.test, &device);
    }
    let comparison = |[learned, fixed, none]: [f64; 3]| Comparison {
        learned,
        fixed,
        none,
    };
    let samples = split.training.samples();
    let mean = |value: fn(&Sample) -> usize| {
        samples.iter().map(value).sum::<usize>() as f64 / samples.len().max(1) as f64
    };
    Ok(DigitsSeed {
        test: comparison(test),
        validation: comparison(validation),
        shuffled: comparison(null),
        recordings: [&split.training, &split.validation, &split.test].map(SpikeData::len),
        steps: mean(|sample| sample.steps),
        spikes: mean(|sample| sample.spikes.len()),
    })
}

/// The training recordings with labels dealt out anew.
fn shuffled(split: &Split, run: &SeedRun<'_>) -> chiasm_core::Result<SpikeData> {
    let mut samples = split.training.samples().to_vec();
    let mut labels: Vec<usize> = samples.iter().map(|sample| sample.label).collect();
    labels.shuffle(&mut run.seed.named("shuffled").rng());
    for (sample, label) in samples.iter_mut().zip(labels) {
        sample.label = label;
    }
    SpikeData::new(samples, split.training.channels(), split.training.classes())
}

fn train(
    settings: &LearnedDelaysSettings,
    run: &SeedRun<'_>,
    split: &Split,
    training: &SpikeData,
    delays: Delays,
    name: &str,
    device: &Device,
) -> Result<DelayNetwork> {
    let config = DelayNetworkConfig {
        inputs: training.channels(),
        classes: training.classes(),
        delays,
        ..settings.digits_network.clone()
    };
    let schedule = &settings.digits_training;
    let seed = run.seed.named("digits");
    let network = config.init(seed.named("network"), device)?;
    let task = DelayTask {
        training,
        validation: (schedule.patience > 0).then_some(&split.validation),
        device,
    };
    let checkpoint = run.scratch.join(format!("{name}-{delays:?}.safetensors"));
    let quiet = run.progress.quiet();
    let seed = seed.named("training");
    Ok(train_delays(network, task, schedule, seed, Some(&checkpoint), &quiet)?.model)
}
