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
use crate::optimizer::{Adam, AdamSettings, Rates};
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
    /// Whether step sizes move once an epoch rather than at every step.
    pub schedule_by_epoch: bool,
    /// Weights with a step size of their own.
    pub groups: Vec<WeightGroup>,
    /// The optimiser's numbers.
    pub optimizer: AdamSettings,
    /// Stop after this many epochs in which the validation measure did not improve, and return the
    /// weights of the best epoch.
    pub patience: Option<usize>,
}

/// Weights whose step size and decay differ from the others'.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WeightGroup {
    /// The last part of their dotted names, e.g. `positions`.
    pub name: String,
    /// Their base step size.
    pub learning_rate: f64,
    /// How it moves.
    pub schedule: Schedule,
    /// Their weight decay.
    pub weight_decay: f32,
}

impl Default for TrainingSettings {
    fn default() -> Self {
        TrainingSettings {
            epochs: 10,
            batch_size: 128,
            learning_rate: 1e-3,
            schedule: Schedule::Constant,
            schedule_by_epoch: false,
            groups: Vec::new(),
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
        for group in &self.groups {
            if !(group.learning_rate > 0.0 && group.learning_rate.is_finite()) {
                let name = format!("groups.{}.learning_rate", group.name);
                return Err(CoreError::setting(name, group.learning_rate, "above 0"));
            }
            if !(group.weight_decay >= 0.0 && group.weight_decay.is_finite()) {
                let name = format!("groups.{}.weight_decay", group.name);
                return Err(CoreError::setting(name, group.weight_decay, "0 or above"));
            }
            group.schedule.check()?;
        }
        self.schedule.check()?;
        self.optimizer.check()
    }

    /// The rates of the weight called `name` at a step out of `total`.
    fn rates(&self, name: &str, step: u64, total: u64) -> Rates {
        let last = name.rsplit('.').next().unwrap_or(name);
        match self.groups.iter().find(|group| group.name == last) {
            Some(group) => Rates {
                learning_rate: group.learning_rate * group.schedule.factor(step, total),
                weight_decay: group.weight_decay,
            },
            None => Rates {
                learning_rate: self.learning_rate * self.schedule.factor(step, total),
                weight_decay: self.optimizer.weight_decay,
            },
        }
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

    /// The network as it enters an epoch (counted from 0, of `epochs`), e.g. with a width that
    /// shrinks over training. Must depend on nothing but its arguments, so that resumed runs agree.
    fn at_epoch(&self, model: M, epoch: usize, epochs: usize) -> M {
        let _ = (epoch, epochs);
        model
    }

    /// The network after a step, e.g. with weights brought back into their range.
    fn after_step(&self, model: M) -> M {
        model
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
            let epoch = state.place.history.len();
            let order = self.order(epoch);
            state.model = self
                .objective
                .at_epoch(state.model, epoch, self.settings.epochs);
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
        let (at, of) = if self.settings.schedule_by_epoch {
            (place.history.len() as u64, self.settings.epochs as u64)
        } else {
            (place.steps, total)
        };
        let rates = |name: &str| self.settings.rates(name, at, of);
        let model = optimizer.step_by(model, gradients, rates);
        let model = self.objective.after_step(model);
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
