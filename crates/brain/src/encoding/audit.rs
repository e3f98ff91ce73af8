//! What is wrong with targets and trials, found before anything is fitted.

use std::ops::Range;

use chiasm_core::{Error, Progress, Result};
use chiasm_numerics::regression::{Real, ResponseSource};
use ndarray::{Array2, ShapeBuilder};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::design::TrialDesign;
use super::units::{UnitSource, Units};

/// Targets that are left out, by their place in the responses, ascending.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Dropped {
    /// NaN or infinite in some trial.
    pub not_finite: Vec<usize>,
    /// Constant over what is fitted.
    pub constant_in_training: Vec<usize>,
    /// Constant over what is scored (and not over what is fitted).
    pub constant_in_test: Vec<usize>,
}

impl Dropped {
    /// How many targets are left out.
    pub fn count(&self) -> usize {
        self.not_finite.len() + self.constant_in_training.len() + self.constant_in_test.len()
    }
}

/// Ranges of targets of which `rows` rows stay within the memory.
pub(super) fn batches<T>(targets: usize, rows: usize, mebibytes: usize) -> Vec<Range<usize>> {
    let bytes = rows.max(1) * size_of::<T>();
    let most = ((mebibytes << 20) / bytes).max(16);
    let count = targets.div_ceil(most).max(1);
    (0..count)
        .map(|batch| batch * targets / count..(batch + 1) * targets / count)
        .collect()
}

/// Holes in the responses.
pub(super) struct Holes {
    /// Trials that are there; one that is NaN in all targets is missing.
    pub(super) present: Vec<bool>,
    /// Targets with holes in trials that are there.
    pub(super) not_finite: Vec<usize>,
}

/// Finds missing trials and targets with NaN.
pub(super) fn find_holes<T: Real, S: ResponseSource<T>>(
    source: &S,
    design: &TrialDesign,
    mebibytes: usize,
    progress: &Progress,
) -> Result<Holes> {
    let trials = design.trials_count();
    if source.row_count() != trials {
        return Err(Error::Shape {
            operation: "encoding",
            what: "the responses".to_string(),
            axis: "trials",
            found: source.row_count(),
            expected: trials.to_string(),
        });
    }
    let rows: Vec<usize> = (0..trials).collect();
    let mut by_trial = vec![0_usize; trials];
    let mut by_target = vec![0_usize; source.target_count()];
    progress.begin("responses: looking for holes", source.target_count() as u64);
    for batch in batches::<T>(source.target_count(), trials, mebibytes) {
        let mut block = Array2::<T>::zeros((trials, batch.len()).f());
        source.read(&rows, batch.clone(), block.view_mut())?;
        for (target, column) in batch.clone().zip(block.columns()) {
            for (trial, value) in column.iter().enumerate() {
                if !value.is_finite() {
                    by_trial[trial] += 1;
                    by_target[target] += 1;
                }
            }
        }
        progress.advance(batch.len() as u64)?;
    }
    progress.end();
    let present: Vec<bool> = by_trial
        .iter()
        .map(|&holes| holes < source.target_count())
        .collect();
    let missing = present.iter().filter(|there| !**there).count();
    if missing == trials {
        return Err(Error::Unusable {
            operation: "encoding",
            reason: "the responses hold nothing but NaN".to_string(),
        });
    }
    let mut shown = vec![false; design.samples()];
    for (trial, &there) in present.iter().enumerate() {
        shown[design.sample_of_trial()[trial]] |= there;
    }
    if let Some(sample) = shown.iter().position(|shown| !shown) {
        let reason = if design.is_stacked() {
            format!(
                "stimulus {sample} has no repeat that is not NaN; leave it out of responses and features"
            )
        } else {
            format!("trial {sample} is NaN in every target; leave it out of responses and features")
        };
        return Err(Error::Unusable {
            operation: "encoding",
            reason,
        });
    }
    let not_finite = (0..source.target_count())
        .filter(|&target| by_target[target] > missing)
        .collect();
    Ok(Holes {
        present,
        not_finite,
    })
}

/// Splits targets without holes into those that vary on both sides and those that do not.
pub(super) fn find_constants<T: Real, S: ResponseSource<T>>(
    source: &S,
    not_finite: Vec<usize>,
    train: &Units,
    test: &Units,
    mebibytes: usize,
    progress: &Progress,
) -> Result<(Vec<usize>, Dropped)> {
    let mut whole = vec![true; source.target_count()];
    not_finite.iter().for_each(|&target| whole[target] = false);
    let sound: Vec<usize> = (0..source.target_count())
        .filter(|&target| whole[target])
        .collect();
    let constant = |units: &Units| -> Result<Vec<bool>> {
        let rows: Vec<usize> = (0..units.len()).collect();
        let view = UnitSource {
            source,
            units,
            kept: &sound,
        };
        let trials = units.counts().iter().sum();
        let mut found = Vec::with_capacity(sound.len());
        for batch in batches::<T>(sound.len(), trials, mebibytes) {
            let mut block = Array2::<T>::zeros((rows.len(), batch.len()).f());
            view.read(&rows, batch.clone(), block.view_mut())?;
            let columns: Vec<_> = block.columns().into_iter().collect();
            found.extend(
                columns
                    .into_par_iter()
                    .map(|column| column.iter().all(|value| *value == column[0]))
                    .collect::<Vec<bool>>(),
            );
            progress.check()?;
        }
        Ok(found)
    };
    let (in_train, in_test) = (constant(train)?, constant(test)?);
    let mut dropped = Dropped {
        not_finite,
        ..Dropped::default()
    };
    let mut kept = Vec::new();
    for (place, &target) in sound.iter().enumerate() {
        if in_train[place] {
            dropped.constant_in_training.push(target);
        } else if in_test[place] {
            dropped.constant_in_test.push(target);
        } else {
            kept.push(target);
        }
    }
    if kept.is_empty() {
        return Err(Error::Unusable {
            operation: "encoding",
            reason: format!(
                "no target is left: {} hold NaN, {} do not vary in training, {} not in test",
                dropped.not_finite.len(),
                dropped.constant_in_training.len(),
                dropped.constant_in_test.len()
            ),
        });
    }
    Ok((kept, dropped))
}
