//! The training loop.

mod checkpoint;
mod classification;

use std::path::Path;
use std::time::{Duration, Instant};

use burn::module::Module;
use burn::tensor::Tensor;
use chiasm_core::{Error as CoreError, Progress, Seed};
use rand::seq::SliceRandom;
use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::optimizer::{Adam, AdamSettings};
use crate::schedule::Schedule;
use crate::weights::{Weights, weights, with_weights};

use checkpoint::{Checkpoint, Place};
pub use classification::{Classification, Classifier, Examples};

/// How a network is trained.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TrainingSettings {
    /// Passes over the training examples.
    pub epochs: usize,
    /// Examples a step.
    pub batch_size: usize,
    /// The base step size.
    pub learning_rate: f64,
    /// How the step size moves.
    pub schedule: Schedule,
    /// The optimiser's numbers.
    pub optimizer: AdamSettings,
    /// Stop after this many epochs in which the validation measure did not improve, and return the
    /// weights of the best epoch.
    pub patience: Option<usize>,
}

impl Default for TrainingSettings {
    fn default() -> Self {
        TrainingSettings {
            epochs: 10,
            batch_size: 128,
            learning_rate: 1e-3,
            schedule: Schedule::Constant,
            optimizer: AdamSettings::default(),
            patience: None,
        }
    }
}

impl TrainingSettings {
    /// Whether every number is in its range.
    pub fn check(&self) -> chiasm_core::Result<()> {
        if self.batch_size == 0 {
            return Err(CoreError::setting("batch_size", 0, "1 or more"));
        }
        if !(self.learning_rate > 0.0 && self.learning_rate.is_finite()) {
            return Err(CoreError::setting(
                "learning_rate",
                self.learning_rate,
                "above 0",
            ));
        }
        if self.patience == Some(0) {
            return Err(CoreError::setting("patience", 0, "1 or more"));
        }
        self.schedule.check()?;
        self.optimizer.check()
    }
}

/// What a network of type `M` is trained for.
pub trait Objective<M> {
    /// Number of training examples.
    fn examples(&self) -> usize;

    /// The mean loss over the training examples with these indices. `noise` is this step's own
    /// seed, for whatever is random in it.
    fn loss(&self, model: &M, batch: &[usize], noise: Seed) -> Result<Tensor<1>>;

    /// A measure on data kept out of training, lower is better; none by default. `model` records
    /// no gradients.
    fn validate(&self, model: &M) -> Result<Option<f64>> {
        let _ = model;
        Ok(None)
    }
}

/// What one epoch gave.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Epoch {
    /// Mean training loss over the epoch's batches, measured as they were trained on.
    pub training_loss: f64,
    /// The validation measure after it, where the objective has one.
    pub validation: Option<f64>,
}

/// A trained network.
#[derive(Clone, Debug)]
pub struct Trained<M> {
    /// The network: of the best epoch under early stopping, of the last one otherwise.
    pub model: M,
    /// Every epoch that ran.
    pub history: Vec<Epoch>,
    /// The epoch the network is from, counted from 0.
    pub epoch: usize,
}

/// Trains `model` by Adam.
///
/// Batches are drawn by `seed`. With `checkpoint` the state is left in that file (safetensors)
/// every now and then, when `progress` asks to stop (the error is then
/// [`chiasm_core::Error::Interrupted`]) and at the end; where the file is there already, training
/// goes on from it and ends in the same weights and history, byte for byte, as if it had never
/// stopped.
pub fn train<M: Module>(
    model: M,
    objective: &impl Objective<M>,
    settings: &TrainingSettings,
    seed: Seed,
    checkpoint: Option<&Path>,
    progress: &Progress,
) -> Result<Trained<M>> {
    settings.check()?;
    let examples = objective.examples();
    if examples == 0 {
        let (operation, what) = ("training", "examples");
        return Err(CoreError::TooFew {
            operation,
            what,
            found: 0,
            needed: 1,
        }
        .into());
    }
    let start = Place::start(settings, examples, seed);
    let run = Run {
        objective,
        settings,
        seed,
        checkpoint,
        progress,
        examples,
    };
    let state = match checkpoint.filter(|path| path.exists()) {
        Some(path) => run.resume(model, path, &start)?,
        None => State {
            model,
            optimizer: Adam::new(settings.optimizer),
            best: None,
            place: start,
        },
    };
    run.go(state)
}

struct Run<'a, O> {
    objective: &'a O,
    settings: &'a TrainingSettings,
    seed: Seed,
    checkpoint: Option<&'a Path>,
    progress: &'a Progress,
    examples: usize,
}

struct State<M> {
    model: M,
    optimizer: Adam,
    best: Option<Weights>,
    place: Place,
}

impl<O> Run<'_, O> {
    fn batches(&self) -> usize {
        self.examples.div_ceil(self.settings.batch_size)
    }

    fn resume<M: Module>(&self, model: M, path: &Path, start: &Place) -> Result<State<M>> {
        let checkpoint = Checkpoint::read(path)?;
        checkpoint.place.must_continue(start, path)?;
        Ok(State {
            model: with_weights(model, checkpoint.model, path)?,
            optimizer: Adam::restore(
                self.settings.optimizer,
                checkpoint.place.steps,
                checkpoint.optimizer,
            ),
            best: checkpoint.best,
            place: checkpoint.place,
        })
    }

    fn leave<M: Module>(&self, state: &State<M>) -> Result<()> {
        let Some(path) = self.checkpoint else {
            return Ok(());
        };
        Checkpoint {
            model: weights(&state.model),
            optimizer: state.optimizer.state(),
            best: state.best.clone(),
            place: state.place.clone(),
        }
        .write(path)
    }

    fn go<M: Module>(&self, mut state: State<M>) -> Result<Trained<M>>
    where
        O: Objective<M>,
    {
        const BETWEEN_CHECKPOINTS: Duration = Duration::from_secs(20);
        let batches = self.batches();
        let total = (self.settings.epochs * batches) as u64;
        self.progress.begin("training", total);
        // Interrupted or not, a resumed run shows what is already behind it.
        let mut stop = self.progress.advance(state.place.steps);
        let mut left = Instant::now();
        while !self.finished(&state.place) {
            let order = self.order(state.place.history.len());
            while state.place.batch < batches {
                if stop.is_err() || left.elapsed() > BETWEEN_CHECKPOINTS {
                    self.leave(&state)?;
                    left = Instant::now();
                }
                stop?;
                let first = state.place.batch * self.settings.batch_size;
                let batch = &order[first..(first + self.settings.batch_size).min(self.examples)];
                state = self.step(state, batch, total)?;
                stop = self.progress.advance(1);
            }
            self.close_epoch(&mut state)?;
        }
        self.leave(&state)?;
        stop?;
        self.progress.end();
        let State {
            model, best, place, ..
        } = state;
        let epoch = place
            .best_epoch
            .unwrap_or(place.history.len().saturating_sub(1));
        let model = match best {
            Some(best) => with_weights(model, best, Path::new("the best epoch"))?,
            None => model,
        };
        Ok(Trained {
            model,
            history: place.history,
            epoch,
        })
    }

    /// The examples of an epoch in the order they are visited.
    fn order(&self, epoch: usize) -> Vec<usize> {
        let mut order: Vec<usize> = (0..self.examples).collect();
        order.shuffle(&mut self.seed.named("order").indexed(epoch as u64).rng());
        order
    }

    fn step<M: Module>(&self, state: State<M>, batch: &[usize], total: u64) -> Result<State<M>>
    where
        O: Objective<M>,
    {
        let State {
            model,
            mut optimizer,
            best,
            mut place,
        } = state;
        let noise = self.seed.named("noise").indexed(place.steps);
        let loss = self.objective.loss(&model, batch, noise)?;
        let value = crate::operation::floats(loss.clone().inner());
        let value = f64::from(value.first().copied().unwrap_or(f32::NAN));
        if !value.is_finite() {
            let (epoch, batch) = (place.history.len(), place.batch);
            return Err(Error::Diverged {
                loss: value,
                epoch,
                batch,
            });
        }
        let gradients = loss.backward();
        let rate = self.settings.learning_rate * self.settings.schedule.factor(place.steps, total);
        let model = optimizer.step(model, gradients, rate);
        place.loss_sum += value * batch.len() as f64;
        place.steps += 1;
        place.batch += 1;
        Ok(State {
            model,
            optimizer,
            best,
            place,
        })
    }

    fn close_epoch<M: Module>(&self, state: &mut State<M>) -> Result<()>
    where
        O: Objective<M>,
    {
        let validation = self.objective.validate(&state.model.valid())?;
        let place = &mut state.place;
        if self.settings.patience.is_some() {
            let Some(value) = validation else {
                let allowed = "none for an objective without a validation measure";
                return Err(CoreError::setting("patience", "set", allowed).into());
            };
            let best = place
                .best_epoch
                .and_then(|epoch| place.history[epoch].validation);
            if best.is_none_or(|best| value < best) {
                place.best_epoch = Some(place.history.len());
                state.best = Some(weights(&state.model));
            }
        }
        let training_loss = place.loss_sum / self.examples as f64;
        place.history.push(Epoch {
            training_loss,
            validation,
        });
        place.batch = 0;
        place.loss_sum = 0.0;
        Ok(())
    }

    fn finished(&self, place: &Place) -> bool {
        let patience = self.settings.patience.zip(place.best_epoch);
        place.history.len() >= self.settings.epochs
            || patience.is_some_and(|(patience, best)| place.history.len() > best + patience)
    }
}
