//! All-convolutional networks trained on digits, and what their layers say to digits they never saw.

use burn::module::Module;
use burn::tensor::{Device, Tensor};
use chiasm_core::{Error, Progress, Seed};
use chiasm_io::catalogue::load::Digits;
use chiasm_nn::training::{Classification, Classifier, Examples, TrainingSettings, train};
use chiasm_nn::{Activation, Conv2d, Conv2dConfig, Linear, LinearConfig};
use ndarray::{Array2, Array4, s};
use rand::seq::SliceRandom;
use rand_distr::{Distribution, StandardNormal};

use super::TrsaSettings;
use crate::Result;

/// The last digits of every class are never trained on.
pub(super) const HELD_OUT_PER_DIGIT: usize = 50;
/// What is left of 500 a class.
pub(super) const MOST_TRAINING_DIGITS: usize = 4500;
/// Mean training loss (nats) of the last epoch; guessing is at 2.3.
const LEARNED_BELOW: f64 = 2.0;
const ATTEMPTS: u64 = 10;
const CLASSES: usize = 10;
const SIDE: usize = 28;

/// Six convolutions of 3 x 3, 28 to 14 to 7 pixels wide, and a linear readout.
#[derive(Module, Debug)]
struct DigitNetwork {
    convolutions: Vec<Conv2d>,
    readout: Linear,
}

impl DigitNetwork {
    fn new(seed: &Seed, device: &Device) -> Self {
        let channels = [1, 8, 16, 16, 24, 24, 24];
        let convolutions = channels
            .windows(2)
            .enumerate()
            .map(|(layer, pair)| {
                let pool = if layer == 0 || layer == 2 { 2 } else { 1 };
                Conv2dConfig::new(pair[0], pair[1], 3)
                    .with_padding(1)
                    .with_activation(Activation::Relu)
                    .with_max_pool(pool)
                    .init(seed.named("convolution").indexed(layer as u64), device)
            })
            .collect();
        let readout = LinearConfig::new(7 * 7 * 24, CLASSES).init(seed.named("readout"), device);
        DigitNetwork {
            convolutions,
            readout,
        }
    }
}

impl Classifier<4> for DigitNetwork {
    fn logits(&self, input: Tensor<4>) -> Tensor<2> {
        let hidden = self
            .convolutions
            .iter()
            .fold(input, |hidden, layer| layer.forward(hidden));
        self.readout.forward(hidden.flatten(1, 3))
    }
}

/// Layers' answers to the stimuli, and how good the networks are.
pub(super) struct Measured {
    /// Per set of stimuli, network and layer: stimuli x units.
    pub(super) activations: Vec<Vec<Vec<Array2<f64>>>>,
    /// Mean accuracy on the stimuli.
    pub(super) accuracy: f64,
    /// How often a network had to begin again from other weights because it did not learn.
    pub(super) restarts: u64,
}

/// Trains the networks, each from its own weights and order of digits, and measures their layers.
pub(super) fn measure_networks(
    settings: &TrsaSettings,
    digits: &Digits,
    device: &Device,
    seed: &Seed,
    progress: &Progress,
) -> Result<Measured> {
    let (training, stimuli) = split(settings, digits, seed);
    let examples = |indices: &[usize]| {
        let images = images(digits, indices).into_dyn();
        let labels = indices
            .iter()
            .map(|&index| usize::from(digits.labels[index]))
            .collect();
        Examples::<4>::new(&images, labels, CLASSES, device)
    };
    let objective = Classification {
        training: examples(&training)?,
        validation: None,
    };
    let stimuli = examples(&stimuli)?;
    let every: Vec<usize> = (0..stimuli.len()).collect();
    let training = TrainingSettings {
        epochs: settings.epochs,
        batch_size: 32,
        learning_rate: 2e-3,
        ..Default::default()
    };
    progress.begin("training on digits", settings.digit_networks as u64);
    let mut activations = vec![Vec::with_capacity(settings.digit_networks); settings.stimulus_sets];
    let (mut accuracy, mut restarts) = (0.0, 0);
    for network in 0..settings.digit_networks {
        let seed = seed.named("network").indexed(network as u64);
        let (model, attempts) = learned(&objective, &training, &seed, device, progress)?;
        restarts += attempts - 1;
        accuracy += stimuli.evaluate(&model).1 / settings.digit_networks as f64;
        let (mut hidden, _) = stimuli.batch(&every);
        let mut noise = seed.named("noise").rng();
        let mut layers = Vec::with_capacity(model.convolutions.len());
        for layer in &model.convolutions {
            hidden = layer.forward(hidden);
            let values = chiasm_nn::operation::floats(hidden.clone().inner());
            let units = values.len() / every.len().max(1);
            let mut answers = Array2::from_shape_fn((every.len(), units), |(stimulus, unit)| {
                f64::from(values[stimulus * units + unit])
            });
            let deviation = answers.std(0.0);
            answers.mapv_inplace(|value| {
                let noise: f64 = StandardNormal.sample(&mut noise);
                value + settings.digit_noise * deviation * noise
            });
            layers.push(answers);
        }
        // Stimuli stand set by set.
        let size = every.len() / settings.stimulus_sets;
        for (set, of_set) in activations.iter_mut().enumerate() {
            let range = set * size..(set + 1) * size;
            of_set.push(
                layers
                    .iter()
                    .map(|layer| layer.slice(s![range.clone(), ..]).to_owned())
                    .collect(),
            );
        }
        progress.advance(1)?;
    }
    progress.end();
    Ok(Measured {
        activations,
        accuracy,
        restarts,
    })
}

/// A network that learned: its last training loss lies below [`LEARNED_BELOW`]. A narrow network may die,
/// all units of a layer at 0; it then begins again from other weights. The stimuli have no say in this.
fn learned(
    objective: &Classification<4>,
    training: &TrainingSettings,
    seed: &Seed,
    device: &Device,
    progress: &Progress,
) -> Result<(DigitNetwork, u64)> {
    for attempt in 0..ATTEMPTS {
        let seed = seed.named("attempt").indexed(attempt);
        let model = DigitNetwork::new(&seed.named("weights"), device);
        let trained = train(
            model,
            objective,
            training,
            seed.named("training"),
            None,
            &progress.quiet(),
        )?;
        let loss = trained
            .history
            .last()
            .map_or(f64::INFINITY, |epoch| epoch.training_loss);
        if loss < LEARNED_BELOW {
            return Ok((trained.model.valid(), attempt + 1));
        }
    }
    Err(Error::NoConvergence {
        operation: "training on digits",
        reason: format!(
            "{ATTEMPTS} networks in a row stayed near guessing; raise epochs or training_digits"
        ),
    }
    .into())
}

/// Digits to train on, evenly drawn from all classes, and sets of stimuli from those held out, set by set
/// and sorted by class within a set.
fn split(settings: &TrsaSettings, digits: &Digits, seed: &Seed) -> (Vec<usize>, Vec<usize>) {
    let mut training = Vec::new();
    let mut sets = vec![Vec::new(); settings.stimulus_sets];
    for class in 0..CLASSES {
        let own: Vec<usize> = (0..digits.labels.len())
            .filter(|&index| usize::from(digits.labels[index]) == class)
            .collect();
        let (seen, held_out) = own.split_at(own.len().saturating_sub(HELD_OUT_PER_DIGIT));
        let drawn = |from: &[usize], name: &str, count: usize| {
            let mut from = from.to_vec();
            from.shuffle(&mut seed.named(name).indexed(class as u64).rng());
            from.truncate(count);
            from
        };
        training.extend(drawn(
            seen,
            "training digits",
            settings.training_digits.div_ceil(CLASSES),
        ));
        let stimuli = drawn(
            held_out,
            "stimuli",
            settings.stimulus_sets * settings.stimuli_per_digit,
        );
        for (set, stimuli) in sets
            .iter_mut()
            .zip(stimuli.chunks(settings.stimuli_per_digit))
        {
            set.extend_from_slice(stimuli);
        }
    }
    training.truncate(settings.training_digits);
    (training, sets.concat())
}

/// (digits, 1, 28, 28), ink from 0 to 1.
fn images(digits: &Digits, indices: &[usize]) -> Array4<f32> {
    let mut images = Array4::zeros((indices.len(), 1, SIDE, SIDE));
    for (place, &index) in indices.iter().enumerate() {
        let ink = digits
            .images
            .slice(s![index, .., ..])
            .mapv(|value| f32::from(value) / 255.0);
        images.slice_mut(s![place, 0, .., ..]).assign(&ink);
    }
    images
}
