//! Delays are learned where there are lags to find, and only there.

use burn::module::Module;
use burn::tensor::Device;
use chiasm_core::{Progress, Seed};
use chiasm_nn::weights::{load, save, weights};
use chiasm_sim::coincidence::{Coincidence, CoincidenceSettings};
use chiasm_spiking::{
    DelayNetwork, DelayNetworkConfig, DelayTask, DelayTrainingSettings, Delays, Readout, Sample,
    SpikeData, SpreadSchedule, accuracy, train_delays,
};

fn data(task: &Coincidence, count: usize, part: &str) -> SpikeData {
    let settings = task.settings();
    let samples = task
        .trials(count, Seed::new(4).named(part))
        .unwrap()
        .into_iter()
        .map(|trial| Sample {
            steps: settings.steps,
            spikes: trial.spikes,
            label: trial.label,
            group: 0,
        })
        .collect();
    SpikeData::new(samples, settings.channels, settings.classes).unwrap()
}

fn trained(task: &Coincidence, delays: Delays, epochs: usize) -> (DelayNetwork, f64) {
    let device = Device::flex().autodiff();
    let settings = task.settings();
    let config = DelayNetworkConfig {
        inputs: settings.channels,
        hidden: vec![24],
        classes: settings.classes,
        delays,
        readout_delays: false,
        taps: 21,
        dropout: 0.0,
        readout: Readout::Mean,
        ..DelayNetworkConfig::default()
    };
    let training = data(task, 320, "training");
    let schedule = DelayTrainingSettings {
        epochs,
        batch_size: 32,
        weight_rate: 1e-2,
        spread: SpreadSchedule::Shrinking {
            from: 10.0,
            to: 0.23,
            share: 0.5,
        },
        rounded_share: 0.3,
        ..DelayTrainingSettings::default()
    };
    let network = config.init(Seed::new(1), &device).unwrap();
    let task_of = DelayTask {
        training: &training,
        validation: None,
        device: &device,
    };
    let seed = Seed::new(2);
    let trained =
        train_delays(network, task_of, &schedule, seed, None, &Progress::silent()).unwrap();
    let accuracy = accuracy(&trained.model, &data(task, 200, "test"), &device);
    (trained.model, accuracy)
}

fn task(same_lags: bool) -> Coincidence {
    let settings = CoincidenceSettings {
        channels: 8,
        classes: 2,
        steps: 50,
        longest_lag: 10,
        background_hertz: 2.0,
        same_lags,
        ..CoincidenceSettings::default()
    };
    Coincidence::new(settings, Seed::new(1)).unwrap()
}

#[test]
fn learned_delays_solve_what_rates_cannot_and_null_lags_stay_at_chance() {
    let (network, learned) = trained(&task(false), Delays::Learned, 30);
    assert!(learned > 0.85, "learned delays reach {learned}");
    let (_, none) = trained(&task(false), Delays::None, 10);
    assert!(none < learned - 0.15, "without delays {none}");
    let (_, null) = trained(&task(true), Delays::Learned, 10);
    assert!(
        (0.35..0.65).contains(&null),
        "lags alike in all classes give {null}"
    );

    // And what was learned survives a file.
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("delays.safetensors");
    save(&network, &path).unwrap();
    let device = Device::flex().autodiff();
    let blank = network.config().init(Seed::new(77), &device).unwrap();
    assert_ne!(weights(&blank), weights(&network));
    let loaded = load(blank, &path).unwrap();
    assert_eq!(weights(&loaded), weights(&network));
    let test = data(&task(false), 200, "test");
    assert_eq!(accuracy(&loaded, &test, &device), learned);
    assert_eq!(weights(&network.valid()), weights(&network));
}

#[test]
fn fixed_delays_stay_and_learned_ones_keep_to_their_kernel() {
    let positions = |network: &DelayNetwork| {
        weights(network)
            .into_iter()
            .find(|(name, _)| name.ends_with("positions"))
            .unwrap()
            .1
            .values
    };
    let device = Device::flex().autodiff();
    let (fixed, _) = trained(&task(false), Delays::Fixed, 2);
    let start = fixed.config().init(Seed::new(1), &device).unwrap();
    assert_eq!(positions(&fixed), positions(&start));
    let (learned, _) = trained(&task(false), Delays::Learned, 2);
    assert_ne!(positions(&learned), positions(&start));
    assert!(
        positions(&learned)
            .iter()
            .all(|position| position.abs() <= 10.0)
    );
}
