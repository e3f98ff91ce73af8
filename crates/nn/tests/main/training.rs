//! The training loop: it learns what is there, not what is not, and goes on where it stopped.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use burn::module::Module;
use burn::tensor::{Device, Tensor};
use chiasm_core::{Error as CoreError, Progress, ProgressSink, Seed};
use chiasm_nn::training::{Classification, Classifier, Examples, Trained, TrainingSettings, train};
use chiasm_nn::weights::weights;
use chiasm_nn::{Activation, Error, Linear, LinearConfig, Schedule};
use ndarray::Array2;
use rand::seq::SliceRandom;
use rand_distr::{Distribution, StandardNormal};

#[derive(Module, Debug)]
pub(crate) struct Mlp {
    pub(crate) layers: Vec<Linear>,
}

impl Mlp {
    pub(crate) fn new(seed: Seed) -> Self {
        let device = Device::flex().autodiff();
        let hidden = LinearConfig::new(12, 32).with_activation(Activation::Relu);
        let readout = LinearConfig::new(32, 4);
        Mlp {
            layers: vec![
                hidden.init(seed.named("hidden"), &device),
                readout.init(seed.named("readout"), &device),
            ],
        }
    }
}

impl Classifier<2> for Mlp {
    fn logits(&self, input: Tensor<2>) -> Tensor<2> {
        self.layers
            .iter()
            .fold(input, |input, layer| layer.forward(input))
    }
}

/// Twelve normal numbers an example; the class is where a hidden linear map is largest.
fn examples(count: usize, shuffled: bool, part: &str) -> Examples<2> {
    let mut rng = Seed::new(3).named("map").rng();
    let map: Vec<f32> = StandardNormal.sample_iter(&mut rng).take(12 * 4).collect();
    let mut rng = Seed::new(3).named(part).rng();
    let values: Vec<f32> = StandardNormal
        .sample_iter(&mut rng)
        .take(count * 12)
        .collect();
    let mut labels: Vec<usize> = values
        .chunks(12)
        .map(|row| {
            let score = |class: usize| -> f32 {
                row.iter()
                    .enumerate()
                    .map(|(i, x)| x * map[i * 4 + class])
                    .sum()
            };
            (0..4)
                .max_by(|&a, &b| score(a).total_cmp(&score(b)))
                .unwrap()
        })
        .collect();
    if shuffled {
        labels.shuffle(&mut rng);
    }
    let inputs = Array2::from_shape_vec((count, 12), values)
        .unwrap()
        .into_dyn();
    Examples::new(&inputs, labels, 4, &Device::flex()).unwrap()
}

fn settings() -> TrainingSettings {
    TrainingSettings {
        epochs: 12,
        batch_size: 50,
        learning_rate: 1e-2,
        schedule: Schedule::Cosine {
            warmup: 0.1,
            floor: 0.01,
        },
        ..TrainingSettings::default()
    }
}

fn task(shuffled: bool) -> Classification<2> {
    Classification {
        training: examples(1020, shuffled, "training"),
        validation: Some(examples(300, shuffled, "validation")),
    }
}

fn run(task: &Classification<2>, settings: &TrainingSettings) -> Trained<Mlp> {
    let seed = Seed::new(1);
    train(
        Mlp::new(seed),
        task,
        settings,
        seed,
        None,
        &Progress::silent(),
    )
    .unwrap()
}

#[test]
fn a_planted_task_is_learned() {
    let trained = run(&task(false), &settings());
    let (_, accuracy) = examples(1000, false, "test").evaluate(&trained.model.valid());
    assert!(accuracy > 0.9, "{accuracy}");
    assert!(trained.history[11].training_loss < 0.5 * trained.history[0].training_loss);
}

#[test]
fn shuffled_labels_teach_nothing() {
    let trained = run(&task(true), &settings());
    let (_, accuracy) = examples(1000, true, "test").evaluate(&trained.model.valid());
    // Chance is 1/4; four standard errors of 1 000 examples.
    assert!(
        (accuracy - 0.25).abs() < 4.0 * (0.25f64 * 0.75 / 1000.0).sqrt(),
        "{accuracy}"
    );
}

#[test]
fn the_same_seed_gives_the_same_bytes() {
    let (a, b) = (
        run(&task(false), &settings()),
        run(&task(false), &settings()),
    );
    assert_eq!(a.history, b.history);
    assert_eq!(weights(&a.model), weights(&b.model));
}

#[test]
fn early_stopping_returns_the_best_epoch() {
    let settings = TrainingSettings {
        epochs: 400,
        patience: Some(3),
        learning_rate: 0.03,
        ..settings()
    };
    let task = task(true);
    let trained = run(&task, &settings);
    let measures: Vec<f64> = trained
        .history
        .iter()
        .map(|e| e.validation.unwrap())
        .collect();
    assert_eq!(
        measures.len(),
        trained.epoch + 4,
        "stopped three epochs after the best"
    );
    assert!(
        measures
            .iter()
            .all(|&measure| measure >= measures[trained.epoch])
    );
    let (loss, _) = task.validation.unwrap().evaluate(&trained.model.valid());
    assert_eq!(loss, measures[trained.epoch]);
}

/// Asks to stop after a number of steps.
struct StopAfter {
    left: AtomicU64,
    stop: Arc<AtomicBool>,
}

impl ProgressSink for StopAfter {
    fn begin(&self, _: &str, _: u64) {}
    fn advance(&self, amount: u64) {
        if amount == 1 && self.left.fetch_sub(1, Ordering::Relaxed) == 1 {
            self.stop.store(true, Ordering::Relaxed);
        }
    }
    fn note(&self, _: &str) {}
    fn end(&self) {}
}

fn stop_after(steps: u64) -> Progress {
    let stop = Arc::new(AtomicBool::new(false));
    Progress::new(
        Arc::new(StopAfter {
            left: AtomicU64::new(steps),
            stop: stop.clone(),
        }),
        stop,
    )
}

#[test]
fn a_resumed_run_ends_like_an_unbroken_one() {
    let (task, seed) = (task(false), Seed::new(1));
    let settings = TrainingSettings {
        patience: Some(50),
        ..settings()
    };
    let unbroken = run(&task, &settings);
    // 21 batches an epoch: in the middle of one, at the end of one, after the last step of all.
    for steps in [1, 30, 42, 12 * 21] {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("checkpoint.safetensors");
        let halted = train(
            Mlp::new(seed),
            &task,
            &settings,
            seed,
            Some(&file),
            &stop_after(steps),
        );
        assert!(matches!(halted, Err(Error::Core(CoreError::Interrupted))));
        // Another initial network: everything must come from the file.
        let model = Mlp::new(Seed::new(99));
        let resumed = train(
            model,
            &task,
            &settings,
            seed,
            Some(&file),
            &Progress::silent(),
        )
        .unwrap();
        assert_eq!(resumed.history, unbroken.history);
        assert_eq!(resumed.epoch, unbroken.epoch);
        assert_eq!(weights(&resumed.model), weights(&unbroken.model));
        let again = train(
            Mlp::new(seed),
            &task,
            &settings,
            seed,
            Some(&file),
            &Progress::silent(),
        );
        assert_eq!(weights(&again.unwrap().model), weights(&unbroken.model));
    }
}

#[test]
fn a_checkpoint_of_another_run_is_refused() {
    let (task, seed) = (task(false), Seed::new(1));
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("checkpoint.safetensors");
    let settings = TrainingSettings {
        epochs: 1,
        ..settings()
    };
    train(
        Mlp::new(seed),
        &task,
        &settings,
        seed,
        Some(&file),
        &Progress::silent(),
    )
    .unwrap();
    for (settings, seed, word) in [
        (
            TrainingSettings {
                epochs: 2,
                ..settings.clone()
            },
            seed,
            "settings",
        ),
        (settings, Seed::new(2), "seed"),
    ] {
        let refused = train(
            Mlp::new(seed),
            &task,
            &settings,
            seed,
            Some(&file),
            &Progress::silent(),
        );
        let message = refused.unwrap_err().to_string();
        assert!(
            message.contains(word) && message.contains("checkpoint.safetensors"),
            "{message}"
        );
    }
}

#[test]
fn divergence_is_an_error() {
    let settings = TrainingSettings {
        learning_rate: 1e30,
        ..settings()
    };
    let seed = Seed::new(1);
    let result = train(
        Mlp::new(seed),
        &task(false),
        &settings,
        seed,
        None,
        &Progress::silent(),
    );
    assert!(matches!(result, Err(Error::Diverged { .. })));
}

#[test]
fn settings_out_of_range_are_named() {
    let bad = TrainingSettings {
        batch_size: 0,
        ..settings()
    };
    assert_eq!(
        bad.check().unwrap_err().to_string(),
        "batch_size = 0: expected 1 or more"
    );
    let bad = TrainingSettings {
        learning_rate: f64::NAN,
        ..settings()
    };
    assert_eq!(
        bad.check().unwrap_err().to_string(),
        "learning_rate = NaN: expected above 0"
    );
}

#[test]
fn bad_examples_are_refused() {
    let inputs = Array2::zeros((3, 2)).into_dyn();
    let device = Device::flex();
    assert!(Examples::<2>::new(&inputs, vec![0, 1], 2, &device).is_err());
    assert!(Examples::<3>::new(&inputs, vec![0, 1, 1], 2, &device).is_err());
    assert!(Examples::<2>::new(&inputs, vec![0, 1, 2], 2, &device).is_err());
    let mut inputs = inputs;
    inputs[[1, 1]] = f32::NAN;
    let message = Examples::<2>::new(&inputs, vec![0, 1, 1], 2, &device)
        .unwrap_err()
        .to_string();
    assert!(message.contains("element 3"), "{message}");
}

/// Records which epochs it was told of and keeps one bias fixed.
struct Hooked {
    task: Classification<2>,
    epochs: std::sync::Mutex<Vec<usize>>,
}

impl chiasm_nn::training::Objective<Mlp> for Hooked {
    fn examples(&self) -> usize {
        self.task.training.len()
    }

    fn loss(&self, model: &Mlp, batch: &[usize], noise: Seed) -> chiasm_nn::Result<Tensor<1>> {
        self.task.loss(model, batch, noise)
    }

    fn at_epoch(&self, model: Mlp, epoch: usize, epochs: usize) -> Mlp {
        assert_eq!(epochs, 3);
        self.epochs.lock().unwrap().push(epoch);
        model
    }

    fn after_step(&self, mut model: Mlp) -> Mlp {
        let bias = model.layers[1].bias.take();
        model.layers[1].bias = bias.map(|bias| bias.map(|bias| (bias * 0.0 + 0.25).detach()));
        model
    }
}

#[test]
fn groups_have_their_own_rates_and_objectives_are_told_of_epochs_and_steps() {
    use chiasm_nn::training::WeightGroup;
    let hooked = Hooked {
        task: task(false),
        epochs: std::sync::Mutex::default(),
    };
    let group = WeightGroup {
        name: "bias".into(),
        learning_rate: 1e-30,
        schedule: Schedule::Constant,
        weight_decay: 0.0,
    };
    let settings = TrainingSettings {
        epochs: 3,
        schedule_by_epoch: true,
        groups: vec![group],
        ..settings()
    };
    let before = weights(&Mlp::new(Seed::new(1)));
    let trained = train(
        Mlp::new(Seed::new(1)),
        &hooked,
        &settings,
        Seed::new(2),
        None,
        &Progress::silent(),
    )
    .unwrap();
    let after = weights(&trained.model);
    assert_eq!(before["layers.0.bias"], after["layers.0.bias"]);
    assert_ne!(before["layers.0.weight"], after["layers.0.weight"]);
    assert!(after["layers.1.bias"].values.iter().all(|&b| b == 0.25));
    assert_eq!(*hooked.epochs.lock().unwrap(), [0, 1, 2]);
}
