//! How well a choice model predicts choices it was not fitted to.

use std::collections::HashMap;

use chiasm_core::metrics::interval::{mean, standard_deviation};
use chiasm_core::{Error, Result, Seed};
use ndarray::{ArrayView2, Axis};
use rand::seq::SliceRandom;
use serde::{Deserialize, Serialize};

use super::{ChoiceModelSettings, OPERATION, fit_choice_model};

/// Predictions of choices by models fitted to other stimuli.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct HeldOut {
    /// Mean log-likelihood of a choice (nats); a coin has -0.693.
    pub log_likelihood: f64,
    /// Area under the receiver operating characteristic; a coin has one half.
    pub area_under_curve: f64,
    /// Mean log-likelihood of the choices on each stimulus, in order of first appearance.
    pub by_stimulus: Vec<f64>,
}

/// Predicts every choice by a model fitted without the fold of its stimulus. All choices on one stimulus
/// (by `stimuli`, e.g. the triplet's number) are in one fold.
pub fn held_out(
    predictors: ArrayView2<'_, f64>,
    names: &[&str],
    chose_b: &[bool],
    stimuli: &[usize],
    folds: usize,
    settings: &ChoiceModelSettings,
    seed: Seed,
) -> Result<HeldOut> {
    if stimuli.len() != predictors.nrows() || chose_b.len() != predictors.nrows() {
        return Err(Error::Shape {
            operation: OPERATION,
            what: "stimuli and choices".to_string(),
            axis: "trials",
            found: stimuli.len().min(chose_b.len()),
            expected: predictors.nrows().to_string(),
        });
    }
    let mut places: HashMap<usize, usize> = HashMap::new();
    let place: Vec<usize> = stimuli
        .iter()
        .map(|stimulus| {
            let next = places.len();
            *places.entry(*stimulus).or_insert(next)
        })
        .collect();
    let count = places.len();
    if folds < 2 {
        return Err(Error::setting("folds", folds, "at least 2"));
    }
    if count < folds {
        return Err(Error::TooFew {
            operation: OPERATION,
            what: "stimuli (one a fold)",
            found: count,
            needed: folds,
        });
    }
    let mut order: Vec<usize> = (0..count).collect();
    order.shuffle(&mut seed.rng());
    let mut fold_of = vec![0; count];
    for (turn, stimulus) in order.into_iter().enumerate() {
        fold_of[stimulus] = turn % folds;
    }
    let mut predicted = vec![0.5; chose_b.len()];
    for fold in 0..folds {
        let (test, train): (Vec<usize>, Vec<usize>) =
            (0..chose_b.len()).partition(|&trial| fold_of[place[trial]] == fold);
        let choices: Vec<bool> = train.iter().map(|&trial| chose_b[trial]).collect();
        let of_train = predictors.select(Axis(0), &train);
        let model = fit_choice_model(of_train.view(), names, &choices, settings)?;
        let of_test = predictors.select(Axis(0), &test);
        for (trial, probability) in test.iter().zip(model.probabilities(of_test.view())?) {
            predicted[*trial] = probability;
        }
    }
    let (mut sums, mut counts) = (vec![0.0; count], vec![0_u32; count]);
    let mut total = 0.0;
    for (trial, &probability) in predicted.iter().enumerate() {
        let of_choice = if chose_b[trial] {
            probability
        } else {
            1.0 - probability
        };
        // A certain model that is wrong once must stay finite.
        let value = of_choice.max(1e-12).ln();
        sums[place[trial]] += value;
        counts[place[trial]] += 1;
        total += value;
    }
    Ok(HeldOut {
        log_likelihood: total / chose_b.len() as f64,
        area_under_curve: area_under_curve(&predicted, chose_b)?,
        by_stimulus: sums
            .iter()
            .zip(&counts)
            .map(|(sum, &count)| sum / f64::from(count))
            .collect(),
    })
}

/// By how many standard errors `first` predicts choices better than `second`, paired over stimuli: the
/// same choices must underlie both. 0 where they never differ.
pub fn paired_z(first: &HeldOut, second: &HeldOut) -> Result<f64> {
    if first.by_stimulus.len() != second.by_stimulus.len() {
        return Err(Error::Shape {
            operation: OPERATION,
            what: "the second prediction".to_string(),
            axis: "stimuli",
            found: second.by_stimulus.len(),
            expected: first.by_stimulus.len().to_string(),
        });
    }
    let gains: Vec<f64> = first
        .by_stimulus
        .iter()
        .zip(&second.by_stimulus)
        .map(|(a, b)| a - b)
        .collect();
    let deviation = standard_deviation(&gains).unwrap_or(0.0);
    Ok(if deviation > 0.0 {
        mean(&gains) * (gains.len() as f64).sqrt() / deviation
    } else {
        0.0
    })
}

/// The probability that a random true case has a larger score than a random false one, ties counting
/// half; one half where there are no cases of one kind.
pub fn area_under_curve(scores: &[f64], truth: &[bool]) -> Result<f64> {
    if scores.len() != truth.len() {
        return Err(Error::Shape {
            operation: "area under the curve",
            what: "scores".to_string(),
            axis: "cases",
            found: scores.len(),
            expected: truth.len().to_string(),
        });
    }
    chiasm_core::data::require_finite("scores", scores, |index| format!("case {index}"))?;
    let mut order: Vec<usize> = (0..scores.len()).collect();
    order.sort_by(|&a, &b| scores[a].total_cmp(&scores[b]));
    let (mut below, mut wins) = (0.0, 0.0);
    for tied in order.chunk_by(|&a, &b| scores[a] == scores[b]) {
        let positive = tied.iter().filter(|&&case| truth[case]).count() as f64;
        let negative = tied.len() as f64 - positive;
        wins += positive * (below + negative / 2.0);
        below += negative;
    }
    let positive = truth.iter().filter(|&&case| case).count() as f64;
    Ok(if positive > 0.0 && below > 0.0 {
        wins / (positive * below)
    } else {
        0.5
    })
}
