//! Folds of subjects and conditions for cross-validation, also inside a bootstrap sample.

use chiasm_core::{Error, Result, Seed};
use serde::{Deserialize, Serialize};

use crate::resampling::permutation;

/// How flexible models are cross-validated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CrossValidation {
    /// Folds of subjects; 1 tests on the subjects of the fit. By default 2 to 5, by the number of subjects.
    pub subject_folds: Option<usize>,
    /// Folds of conditions; 1 tests on the conditions of the fit. By default 2 to 5, by their number.
    pub condition_folds: Option<usize>,
    /// Random divisions into folds in every bootstrap sample, at least 2: from their scatter the variance
    /// that a division adds is taken off again.
    pub repeats: usize,
}

impl Default for CrossValidation {
    fn default() -> Self {
        CrossValidation {
            subject_folds: None,
            condition_folds: None,
            repeats: 2,
        }
    }
}

impl CrossValidation {
    /// Folds of (subjects, conditions).
    ///
    /// The defaults are rsatoolbox's: few enough that a bootstrap sample, which holds 1 - 1/e of all
    /// levels, leaves three distinct conditions and one distinct subject to each fold.
    pub(super) fn folds(&self, subjects: usize, conditions: usize) -> Result<(usize, usize)> {
        let kept = |count: usize| (1.0 - (-1.0_f64).exp()) * count as f64;
        let by_size =
            |size: f64, steps: [f64; 3]| 2 + steps.into_iter().filter(|step| size >= *step).count();
        let of_subjects = self.subject_folds.unwrap_or(match subjects {
            0 | 1 => 1,
            _ => by_size(kept(subjects), [6.0, 12.0, 20.0]),
        });
        let of_conditions = self
            .condition_folds
            .unwrap_or_else(|| by_size(kept(conditions), [12.0, 24.0, 40.0]));
        for (name, folds, most) in [
            ("subject_folds", of_subjects, subjects),
            ("condition_folds", of_conditions, conditions / 3),
        ] {
            if folds == 0 || folds > most {
                return Err(Error::setting(
                    name,
                    folds,
                    format!("1 to {most} (three conditions, or one subject, to a fold)"),
                ));
            }
        }
        if of_subjects == 1 && of_conditions == 1 {
            return Err(Error::setting(
                "condition_folds",
                1,
                "at least 2 where subject_folds is 1: a flexible model must not be tested on its own data",
            ));
        }
        if self.repeats < 2 {
            return Err(Error::setting(
                "repeats",
                self.repeats,
                "at least 2 divisions into folds",
            ));
        }
        Ok((of_subjects, of_conditions))
    }
}

/// One fold, by the places of distinct subjects and conditions among all; a bootstrap sample keeps all
/// copies of a level on one side.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fold {
    /// Subjects a model is fitted to.
    pub train_subjects: Vec<usize>,
    /// Subjects it is tested on.
    pub test_subjects: Vec<usize>,
    /// Conditions a model is fitted on.
    pub train_conditions: Vec<usize>,
    /// Conditions it is tested on.
    pub test_conditions: Vec<usize>,
}

/// All folds of one division: every fold of subjects with every fold of conditions, which are drawn anew
/// for each fold of subjects.
pub(super) fn divide(
    seed: &Seed,
    subjects: &[usize],
    conditions: &[usize],
    (subject_folds, condition_folds): (usize, usize),
) -> Vec<Fold> {
    let mut folds = Vec::with_capacity(subject_folds * condition_folds);
    let of_subjects = split(&seed.named("subjects"), subjects, subject_folds);
    for (index, (train_subjects, test_subjects)) in of_subjects.into_iter().enumerate() {
        let seed = seed.named("conditions").indexed(index as u64);
        for (train_conditions, test_conditions) in split(&seed, conditions, condition_folds) {
            folds.push(Fold {
                train_subjects: train_subjects.clone(),
                test_subjects: test_subjects.clone(),
                train_conditions,
                test_conditions,
            });
        }
    }
    folds
}

/// (train, test) for each of `count` folds whose sizes differ by at most one; with one fold both are all.
fn split(seed: &Seed, levels: &[usize], count: usize) -> Vec<(Vec<usize>, Vec<usize>)> {
    if count <= 1 {
        return vec![(levels.to_vec(), levels.to_vec())];
    }
    let order = permutation(seed, levels.len());
    (0..count)
        .map(|fold| {
            let side = |test: bool| {
                order
                    .iter()
                    .enumerate()
                    .filter(|(place, _)| (place % count == fold) == test)
                    .map(|(_, &level)| levels[level])
                    .collect()
            };
            (side(false), side(true))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_level_is_tested_once_and_never_beside_itself() {
        let conditions = [0, 2, 3, 5, 8, 9, 11];
        let folds = divide(&Seed::new(1), &[1, 4, 6], &conditions, (3, 2));
        assert_eq!(folds.len(), 6);
        for fold in &folds {
            assert!(
                fold.train_subjects
                    .iter()
                    .all(|s| !fold.test_subjects.contains(s))
            );
            assert!(
                fold.train_conditions
                    .iter()
                    .all(|c| !fold.test_conditions.contains(c))
            );
            assert_eq!(fold.train_conditions.len() + fold.test_conditions.len(), 7);
        }
        for pair in folds.chunks(2) {
            let mut tested: Vec<usize> = pair
                .iter()
                .flat_map(|fold| fold.test_conditions.clone())
                .collect();
            tested.sort_unstable();
            assert_eq!(tested, conditions);
        }
        let one = divide(&Seed::new(1), &[0, 1], &conditions, (1, 2));
        assert_eq!(one[0].train_subjects, one[0].test_subjects);
    }

    #[test]
    fn default_numbers_of_folds_are_rsatoolboxs() {
        let folds = |subjects, conditions| {
            CrossValidation::default()
                .folds(subjects, conditions)
                .unwrap()
        };
        // default_k_rdm and default_k_pattern of (1 - 1/e) n.
        assert_eq!(folds(1, 18), (1, 2));
        assert_eq!(folds(8, 19), (2, 3));
        assert_eq!(folds(12, 62), (3, 4));
        assert_eq!(folds(40, 92), (5, 5));
        let none = CrossValidation {
            subject_folds: Some(1),
            condition_folds: Some(1),
            repeats: 2,
        };
        assert!(none.folds(8, 20).is_err());
        assert!(CrossValidation::default().folds(8, 5).is_err());
    }
}
