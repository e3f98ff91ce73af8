//! The task whose lags are planted: networks with and without delays, and what the delays became.

use burn::tensor::Device;
use chiasm_core::{Progress, Seed};
use chiasm_nn::operation::floats;
use chiasm_sim::coincidence::{Coincidence, CoincidenceSettings};
use chiasm_spiking::{
    DelayNetwork, DelayNetworkConfig, DelayTask, Delays, Sample, SpikeData, SpreadSchedule,
    Synapses, accuracy, train_delays,
};
use ndarray::Array2;
use serde::{Deserialize, Serialize};

use super::LearnedDelaysSettings;
use crate::{Result, SeedRun};

/// Test accuracies in percent.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(super) struct Accuracies {
    pub(super) learned: f64,
    pub(super) fixed: f64,
    pub(super) none: f64,
    /// Learned with a spread that stays narrow.
    pub(super) narrow: f64,
    /// No delays, as many parameters as with learned ones.
    pub(super) wide: f64,
    pub(super) sparse_learned: f64,
    pub(super) sparse_fixed: f64,
    pub(super) sparse_none: f64,
}

/// One seed's measurements.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct CoincidenceSeed {
    pub(super) planted: Accuracies,
    /// The same on lags that are alike in all classes.
    pub(super) null: Accuracies,
    /// Median distance of learned from planted lags, in steps.
    pub(super) lag_error: f64,
    /// The same for random delays that were not trained.
    pub(super) fixed_lag_error: f64,
    /// The same where lags say nothing about the class.
    pub(super) null_lag_error: f64,
    /// (planted, learned), one a class and pair.
    pub(super) lags: Vec<(f64, f64)>,
    /// Trained parameters with learned delays, and without delays at equal parameters.
    pub(super) parameters: [usize; 2],
}

/// Trains every network on the planted task and on the null.
pub(super) fn measure(
    settings: &LearnedDelaysSettings,
    run: &SeedRun<'_>,
) -> Result<CoincidenceSeed> {
    let planted = Trials::draw(settings, &settings.coincidence, run.seed.named("planted"))?;
    let null = CoincidenceSettings {
        same_lags: true,
        ..settings.coincidence.clone()
    };
    let null = Trials::draw(settings, &null, run.seed.named("null"))?;
    // Networks this small leave cores idle: both tasks at a time.
    let (planted, null) = rayon::join(
        || Bench::new(settings, run, planted, "planted").compare(),
        || Bench::new(settings, run, null, "null").compare(),
    );
    let (planted, null) = (planted?, null?);
    Ok(CoincidenceSeed {
        planted: planted.accuracies,
        null: null.accuracies,
        lag_error: planted.lag_error,
        fixed_lag_error: planted.fixed_lag_error,
        null_lag_error: null.lag_error,
        lags: planted.lags,
        parameters: planted.parameters,
    })
}

/// A task with its trials.
struct Trials {
    task: Coincidence,
    training: SpikeData,
    test: SpikeData,
}

impl Trials {
    fn draw(
        settings: &LearnedDelaysSettings,
        task: &CoincidenceSettings,
        seed: Seed,
    ) -> chiasm_core::Result<Self> {
        let task = Coincidence::new(task.clone(), seed)?;
        let draw = |count: usize, part: &str| {
            let steps = task.settings().steps;
            let samples = task
                .trials(count, seed.named(part))?
                .into_iter()
                .map(|trial| Sample {
                    steps,
                    spikes: trial.spikes,
                    label: trial.label,
                    group: 0,
                })
                .collect();
            SpikeData::new(samples, task.settings().channels, task.settings().classes)
        };
        Ok(Trials {
            training: draw(settings.training_trials, "training")?,
            test: draw(settings.test_trials, "test")?,
            task,
        })
    }
}

struct Compared {
    accuracies: Accuracies,
    lag_error: f64,
    fixed_lag_error: f64,
    lags: Vec<(f64, f64)>,
    parameters: [usize; 2],
}

/// What all networks on one task share.
struct Bench<'a> {
    settings: &'a LearnedDelaysSettings,
    run: &'a SeedRun<'a>,
    trials: Trials,
    task_name: &'a str,
    device: Device,
}

impl<'a> Bench<'a> {
    fn new(
        settings: &'a LearnedDelaysSettings,
        run: &'a SeedRun<'a>,
        trials: Trials,
        task_name: &'a str,
    ) -> Self {
        // Delay kernels run on the processor; the networks are too small for anything else.
        let device = Device::flex().autodiff();
        Bench {
            settings,
            run,
            trials,
            task_name,
            device,
        }
    }

    fn config(&self, delays: Delays, synapses_per_neuron: usize) -> DelayNetworkConfig {
        let task = self.trials.task.settings();
        DelayNetworkConfig {
            inputs: task.channels,
            classes: task.classes,
            delays,
            synapses_per_neuron,
            ..self.settings.coincidence_network.clone()
        }
    }

    /// A trained network and its test accuracy in percent.
    fn train(
        &self,
        name: &str,
        config: &DelayNetworkConfig,
        spread: SpreadSchedule,
    ) -> Result<(DelayNetwork, f64)> {
        let training = chiasm_spiking::DelayTrainingSettings {
            spread,
            ..self.settings.coincidence_training.clone()
        };
        // Networks to be compared start from the same weights and delays and see the same batches.
        let seed = self.run.seed.named("coincidences");
        let network = config.init(seed.named("network"), &self.device)?;
        let task = DelayTask {
            training: &self.trials.training,
            validation: None,
            device: &self.device,
        };
        let checkpoint = self
            .run
            .scratch
            .join(format!("{}-{name}.safetensors", self.task_name));
        let quiet: Progress = self.run.progress.quiet();
        let seed = seed.named("training");
        let trained = train_delays(network, task, &training, seed, Some(&checkpoint), &quiet)?;
        let accuracy = 100.0 * accuracy(&trained.model, &self.trials.test, &self.device);
        Ok((trained.model, accuracy))
    }

    fn compare(&self) -> Result<Compared> {
        let shrinking = self.settings.coincidence_training.spread;
        let (model, learned) =
            self.train("learned", &self.config(Delays::Learned, 0), shrinking)?;
        let (fixed_model, fixed) =
            self.train("fixed", &self.config(Delays::Fixed, 0), shrinking)?;
        let none = self.config(Delays::None, 0);
        let wide = self.widened(&none, model.trained_parameters());
        let (wide_model, wide) = self.train("wide", &wide, shrinking)?;
        let narrow = SpreadSchedule::Constant {
            value: self.settings.narrow_spread,
        };
        let sparse = self.settings.sparse_synapses;
        let accuracy = |name: &str, delays, synapses, spread| {
            Ok::<_, crate::Error>(self.train(name, &self.config(delays, synapses), spread)?.1)
        };
        let accuracies = Accuracies {
            learned,
            fixed,
            none: accuracy("none", Delays::None, 0, shrinking)?,
            narrow: accuracy("narrow", Delays::Learned, 0, narrow)?,
            wide,
            sparse_learned: accuracy("sparse-learned", Delays::Learned, sparse, shrinking)?,
            sparse_fixed: accuracy("sparse-fixed", Delays::Fixed, sparse, shrinking)?,
            sparse_none: accuracy("sparse-none", Delays::None, sparse, shrinking)?,
        };
        let task = &self.trials.task;
        let lags = learned_lags(task, &model)?;
        let fixed_lags = learned_lags(task, &fixed_model)?;
        Ok(Compared {
            accuracies,
            lag_error: task.median_lag_error(&lags),
            fixed_lag_error: task.median_lag_error(&fixed_lags),
            lags: lags
                .iter()
                .map(|(&(class, pair), &learned)| (task.lags()[[class, pair]] as f64, learned))
                .collect(),
            parameters: [model.trained_parameters(), wide_model.trained_parameters()],
        })
    }

    /// Without delays, but wide enough for at least `parameters`.
    fn widened(&self, config: &DelayNetworkConfig, parameters: usize) -> DelayNetworkConfig {
        // Weights in and out, and two numbers of the normalisation, for each neuron.
        let norm = if config.batch_norm { 2 } else { 0 };
        let per_neuron = config.inputs + config.classes + norm;
        DelayNetworkConfig {
            hidden: vec![parameters.div_ceil(per_neuron)],
            ..config.clone()
        }
    }
}

/// The lags in the first layer of a network whose readout has no delays.
fn learned_lags(
    task: &Coincidence,
    network: &DelayNetwork,
) -> chiasm_core::Result<std::collections::BTreeMap<(usize, usize), f64>> {
    let (Some(Synapses::Delayed(layer)), Synapses::Direct(readout)) = (
        network.layers.first().map(|layer| &layer.synapses),
        &network.readout,
    ) else {
        return Err(chiasm_core::Error::setting(
            "coincidence_network",
            "delays in the readout",
            "one hidden layer and readout_delays = false, or learned lags cannot be read off",
        ));
    };
    let wide = |values: Vec<f32>| values.into_iter().map(f64::from).collect::<Vec<f64>>();
    let [channels, units] = layer.weight.val().dims();
    let classes = task.settings().classes;
    let matrix = |rows: usize, columns: usize, values: Vec<f32>| {
        Array2::from_shape_vec((rows, columns), wide(values)).map_err(|error| {
            chiasm_core::Error::Unusable {
                operation: "learned lags",
                reason: error.to_string(),
            }
        })
    };
    let delays = matrix(channels, units, layer.delays())?;
    let weights = matrix(channels, units, floats(layer.weight.val().inner()))?;
    let readout = matrix(units, classes, floats(readout.weight.val().inner()))?;
    task.learned_lags(delays.view(), weights.view(), readout.view())
}
