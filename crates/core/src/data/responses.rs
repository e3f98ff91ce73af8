//! Responses keyed by stimulus.

use ndarray::Array2;

use crate::error::{Error, Result};

/// Trials x channels, each trial labelled with the stimulus that evoked it.
///
/// Repeats of a stimulus are trials with the same label, so a splitter can always keep them together.
/// `folds`, where given, numbers the run or session each trial belongs to.
#[derive(Clone, Debug, PartialEq)]
pub struct Responses {
    /// What was recorded.
    pub name: String,
    /// Trials x channels.
    pub values: Array2<f64>,
    /// The stimulus of each trial.
    pub stimuli: Vec<String>,
    /// The run or session of each trial, where known.
    pub folds: Option<Vec<usize>>,
}

impl Responses {
    /// Checks that every trial has its label and fold, and that no value is NaN or infinite.
    pub fn new(
        name: impl Into<String>,
        values: Array2<f64>,
        stimuli: Vec<String>,
        folds: Option<Vec<usize>>,
    ) -> Result<Self> {
        let name = name.into();
        for (axis, found) in [
            ("stimulus labels", stimuli.len()),
            (
                "fold labels",
                folds.as_ref().map_or(values.nrows(), Vec::len),
            ),
        ] {
            if found != values.nrows() {
                return Err(Error::Shape {
                    operation: "responses",
                    what: name,
                    axis,
                    found,
                    expected: format!("{} (one a trial)", values.nrows()),
                });
            }
        }
        let channels = values.ncols().max(1);
        super::require_finite(&name, values.iter(), |index| {
            format!("trial {}, channel {}", index / channels, index % channels)
        })?;
        Ok(Responses {
            name,
            values,
            stimuli,
            folds,
        })
    }

    /// Responses with one trial a condition, labelled by position.
    pub fn one_trial_each(name: impl Into<String>, values: Array2<f64>) -> Result<Self> {
        let stimuli = (0..values.nrows()).map(|index| index.to_string()).collect();
        Self::new(name, values, stimuli, None)
    }

    /// The distinct stimuli in order of first appearance.
    pub fn conditions(&self) -> Vec<&str> {
        let mut seen = std::collections::HashSet::new();
        self.stimuli
            .iter()
            .map(String::as_str)
            .filter(|label| seen.insert(*label))
            .collect()
    }
}
