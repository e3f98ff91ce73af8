//! Which response belongs to which row of features, and what is held out.

use std::collections::{BTreeSet, HashMap};

use chiasm_core::{Error, Result, Seed};
use chiasm_numerics::splits::{Split, holdout_by_group, k_fold_by_group, time_blocks};
use serde::{Deserialize, Serialize};

use super::settings::EncodingSettings;

/// How trials, samples (rows of features), stimuli and runs belong together.
#[derive(Clone, Debug, PartialEq)]
pub struct TrialDesign {
    /// The row of features of each row of responses.
    sample_of_trial: Vec<usize>,
    /// The stimulus of each sample, numbered by first appearance.
    stimulus: Vec<usize>,
    labels: Vec<String>,
    /// The run of each sample, numbered by first appearance.
    runs: Option<Vec<usize>>,
    /// Whether responses came as a stack of repeats, to be fitted as means.
    stacked: bool,
}

/// What is held out for the scores.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Holdout {
    /// About this share of stimuli (with delays: of runs, or of time), drawn by the seed.
    Share(f64),
    /// These samples.
    Samples(Vec<usize>),
    /// All samples of these stimuli.
    Stimuli(Vec<String>),
}

/// What never straddles a split.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Unit {
    Stimulus,
    Run,
    Time,
}

impl TrialDesign {
    /// One trial a sample. Trials with the same label are repeats of a stimulus; without labels every trial is a
    /// stimulus of its own.
    ///
    /// # Errors
    /// [`Error::Shape`] where there are not as many labels or runs as trials.
    pub fn trials(
        trials: usize,
        stimuli: Option<&[String]>,
        runs: Option<&[String]>,
    ) -> Result<Self> {
        Self::new((0..trials).collect(), trials, stimuli, runs, false)
    }

    /// `repeats` responses to each of `samples` samples, in the rows of a stack (repeats x samples) x targets.
    ///
    /// # Errors
    /// [`Error::Shape`] where there are not as many labels or runs as samples.
    pub fn stack(
        repeats: usize,
        samples: usize,
        stimuli: Option<&[String]>,
        runs: Option<&[String]>,
    ) -> Result<Self> {
        let sample_of_trial = (0..repeats).flat_map(|_| 0..samples).collect();
        Self::new(sample_of_trial, samples, stimuli, runs, true)
    }

    fn new(
        sample_of_trial: Vec<usize>,
        samples: usize,
        stimuli: Option<&[String]>,
        runs: Option<&[String]>,
        stacked: bool,
    ) -> Result<Self> {
        for (axis, labels) in [("stimulus labels", stimuli), ("run labels", runs)] {
            if let Some(labels) = labels
                && labels.len() != samples
            {
                return Err(Error::Shape {
                    operation: "encoding",
                    what: "the design".to_string(),
                    axis,
                    found: labels.len(),
                    expected: format!("{samples} (one a row of features)"),
                });
            }
        }
        let (stimulus, labels) = match stimuli {
            Some(labels) => numbered(labels),
            None => ((0..samples).collect(), Vec::new()),
        };
        Ok(TrialDesign {
            sample_of_trial,
            stimulus,
            labels,
            runs: runs.map(|runs| numbered(runs).0),
            stacked,
        })
    }

    /// Rows of features.
    pub fn samples(&self) -> usize {
        self.stimulus.len()
    }

    /// Rows of responses.
    pub fn trials_count(&self) -> usize {
        self.sample_of_trial.len()
    }

    pub(super) fn is_stacked(&self) -> bool {
        self.stacked
    }

    pub(super) fn sample_of_trial(&self) -> &[usize] {
        &self.sample_of_trial
    }

    pub(super) fn stimulus_of(&self, sample: usize) -> usize {
        self.stimulus[sample]
    }

    pub(super) fn run_of(&self, sample: usize) -> usize {
        self.runs.as_ref().map_or(0, |runs| runs[sample])
    }

    fn label(&self, stimulus: usize) -> String {
        match self.labels.get(stimulus) {
            Some(label) => format!("stimulus {label:?}"),
            None => format!("row {stimulus}"),
        }
    }

    /// Delayed features reach from row to row: stretches of time are held out then, not stimuli.
    fn unit(&self, settings: &EncodingSettings) -> Unit {
        let timed = !settings.delays.is_empty();
        match (&self.runs, timed, self.labels.is_empty()) {
            (Some(_), true, _) | (Some(_), false, true) => Unit::Run,
            (None, true, _) => Unit::Time,
            (_, false, _) => Unit::Stimulus,
        }
    }

    /// Training and test samples.
    pub(super) fn outer(
        &self,
        holdout: &Holdout,
        settings: &EncodingSettings,
        seed: &Seed,
    ) -> Result<Split> {
        let chosen: BTreeSet<usize> = match holdout {
            Holdout::Share(share) => {
                let groups = match self.unit(settings) {
                    Unit::Stimulus => &self.stimulus,
                    Unit::Run => self.runs.as_ref().unwrap_or(&self.stimulus),
                    Unit::Time => return self.last_stretch(*share, settings),
                };
                let split = holdout_by_group(groups, *share, seed.named("test"))?;
                split.test.into_iter().collect()
            }
            Holdout::Samples(samples) => {
                if let Some(&sample) = samples.iter().find(|&&sample| sample >= self.samples()) {
                    return Err(Error::Shape {
                        operation: "test set",
                        what: "a test row".to_string(),
                        axis: "rows",
                        found: sample,
                        expected: format!("below {} (rows count from 0)", self.samples()),
                    });
                }
                samples.iter().copied().collect()
            }
            Holdout::Stimuli(names) => {
                let known: HashMap<&str, usize> = (0..self.labels.len())
                    .map(|number| (self.labels[number].as_str(), number))
                    .collect();
                let mut wanted = BTreeSet::new();
                for name in names {
                    let Some(number) = known.get(name.as_str()) else {
                        return Err(Error::Unusable {
                            operation: "test set",
                            reason: format!("stimulus {name:?} is none of the stimuli"),
                        });
                    };
                    wanted.insert(*number);
                }
                (0..self.samples())
                    .filter(|&sample| wanted.contains(&self.stimulus[sample]))
                    .collect()
            }
        };
        let (test, train): (Vec<usize>, Vec<usize>) =
            (0..self.samples()).partition(|sample| chosen.contains(sample));
        Ok(Split { train, test })
    }

    /// The last share of time, after a gap as long as the longest delay.
    fn last_stretch(&self, share: f64, settings: &EncodingSettings) -> Result<Split> {
        if !(share > 0.0 && share < 1.0) {
            return Err(Error::setting("test share", share, "above 0 and below 1"));
        }
        let rows = self.samples();
        let count = ((share * rows as f64).round() as usize).clamp(1, rows.max(2) - 1);
        let start = rows - count.min(rows);
        let gap = settings.delays.iter().copied().max().unwrap_or(0);
        Ok(Split {
            train: (0..start.saturating_sub(gap)).collect(),
            test: (start..rows).collect(),
        })
    }

    /// Stimuli on both sides of a split; the first is named.
    pub(super) fn leaking(&self, split: &Split) -> (usize, String) {
        let train: BTreeSet<usize> = split.train.iter().map(|&s| self.stimulus[s]).collect();
        let test: BTreeSet<usize> = split.test.iter().map(|&s| self.stimulus[s]).collect();
        let both: Vec<usize> = train.intersection(&test).copied().collect();
        let first = both
            .first()
            .map_or_else(String::new, |&first| self.label(first));
        (both.len(), first)
    }

    /// Inner folds over training samples, in positions within `train`.
    pub(super) fn inner(
        &self,
        train: &[usize],
        settings: &EncodingSettings,
        seed: &Seed,
    ) -> Result<Vec<Split>> {
        let groups: Vec<usize> = match self.unit(settings) {
            Unit::Time => {
                let gap = settings.delays.iter().copied().max().unwrap_or(0);
                return time_blocks(train.len(), settings.folds.unwrap_or(5), gap);
            }
            Unit::Run => train.iter().map(|&sample| self.run_of(sample)).collect(),
            Unit::Stimulus => train.iter().map(|&sample| self.stimulus[sample]).collect(),
        };
        let distinct = groups.iter().collect::<BTreeSet<_>>().len();
        let by_run = self.unit(settings) == Unit::Run;
        let folds = match settings.folds {
            Some(folds) => folds,
            None if by_run => distinct.min(5),
            None => 5,
        };
        if distinct < folds {
            let what = if by_run { "runs" } else { "stimuli" };
            return Err(Error::Unusable {
                operation: "cross-validation",
                reason: format!(
                    "the training part has {distinct} {what}, fewer than the {folds} folds: use \
                     fewer folds or more {what}"
                ),
            });
        }
        k_fold_by_group(&groups, folds, Some(seed.named("inner")))
    }
}

/// Labels numbered by first appearance, and the distinct ones.
fn numbered(labels: &[String]) -> (Vec<usize>, Vec<String>) {
    let mut numbers: HashMap<&str, usize> = HashMap::new();
    let mut distinct = Vec::new();
    let of_row = labels
        .iter()
        .map(|label| {
            *numbers.entry(label).or_insert_with(|| {
                distinct.push(label.clone());
                distinct.len() - 1
            })
        })
        .collect();
    (of_row, distinct)
}
