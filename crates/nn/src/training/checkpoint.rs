//! The state of a training run as a file.

use std::path::Path;

use chiasm_core::Seed;
use serde::{Deserialize, Serialize};

use super::{Epoch, TrainingSettings};
use crate::error::{Error, Result};
use crate::weights::{Weights, read_with_note, write};

/// Where a run stands.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Place {
    settings: TrainingSettings,
    examples: usize,
    seed: u64,
    /// Steps taken in all.
    pub(super) steps: u64,
    /// Batches done in the epoch that runs.
    pub(super) batch: usize,
    /// Loss over them, weighted by their sizes.
    pub(super) loss_sum: f64,
    /// Epochs that are over.
    pub(super) history: Vec<Epoch>,
    /// The epoch with the best validation measure, under early stopping.
    pub(super) best_epoch: Option<usize>,
}

impl Place {
    pub(super) fn start(settings: &TrainingSettings, examples: usize, seed: Seed) -> Self {
        Place {
            settings: settings.clone(),
            examples,
            seed: seed.to_u64(),
            steps: 0,
            batch: 0,
            loss_sum: 0.0,
            history: Vec::new(),
            best_epoch: None,
        }
    }

    /// Refuses a checkpoint of another run.
    pub(super) fn must_continue(&self, start: &Place, path: &Path) -> Result<()> {
        let differs = if self.settings != start.settings {
            "other settings"
        } else if self.examples != start.examples {
            "another number of training examples"
        } else if self.seed != start.seed {
            "another seed"
        } else {
            return Ok(());
        };
        Err(Error::WeightFile {
            path: path.into(),
            reason: format!("the checkpoint is of a run with {differs}; remove it to start afresh"),
        })
    }
}

pub(super) struct Checkpoint {
    pub(super) model: Weights,
    pub(super) optimizer: Weights,
    pub(super) best: Option<Weights>,
    pub(super) place: Place,
}

impl Checkpoint {
    pub(super) fn write(&self, path: &Path) -> Result<()> {
        let refuse = |error: serde_json::Error| Error::WeightFile {
            path: path.into(),
            reason: error.to_string(),
        };
        let mut all = Weights::new();
        let parts = [
            ("model", Some(&self.model)),
            ("optimizer", Some(&self.optimizer)),
            ("best", self.best.as_ref()),
        ];
        for (part, weights) in parts {
            for (name, weight) in weights.into_iter().flatten() {
                all.insert(format!("{part}.{name}"), weight.clone());
            }
        }
        write(
            &all,
            Some(serde_json::to_string(&self.place).map_err(refuse)?),
            path,
        )
    }

    pub(super) fn read(path: &Path) -> Result<Self> {
        let refuse = |reason: String| Error::WeightFile {
            path: path.into(),
            reason,
        };
        let (all, note) = read_with_note(path)?;
        let note = note.ok_or_else(|| refuse("weights, but not a checkpoint".into()))?;
        let place: Place = serde_json::from_str(&note)
            .map_err(|error| refuse(format!("not a checkpoint of this version: {error}")))?;
        let mut parts = [Weights::new(), Weights::new(), Weights::new()];
        for (name, weight) in all {
            let part = ["model.", "optimizer.", "best."]
                .iter()
                .position(|part| name.starts_with(part))
                .ok_or_else(|| refuse(format!("unexpected entry {name}")))?;
            let name = name
                .split_once('.')
                .map_or(String::new(), |(_, rest)| rest.into());
            parts[part].insert(name, weight);
        }
        let [model, optimizer, best] = parts;
        let best = place.best_epoch.map(|_| best);
        Ok(Checkpoint {
            model,
            optimizer,
            best,
            place,
        })
    }
}
