//! Fits of flexible models to the RDMs of subjects.
//!
//! The best prediction p under a comparator that is a cosine maximises the mean over subjects s of
//! `p'v_s / (|p| |v_s|)`, so only `u = mean_s v_s / |v_s|` matters, and the largest cosine between u and a sum
//! `sum_k w_k d_k`, `w >= 0`, is reached by non-negative least squares of u on the d_k: one exact solution, no
//! search. Ranks have no such form: weights of rank comparators are those of least squares between centred
//! RDMs and the subjects' mean ranks, and places between two RDMs are searched on a grid.

use chiasm_core::Result;
use ndarray::Array2;

use super::model::Flexibility;
use super::noise_ceiling::{SubjectRdms, mean_of_drawn};
use super::non_negative_least_squares::non_negative_least_squares;
use crate::similarity::comparator::{Comparator, ReadyVector, dot, ready};
use crate::similarity::ranks::sorted_order;
use crate::similarity::sample::{ConditionSample, SampledRdm};

/// Steps of the grid between two RDMs under rank comparators.
const GRID: usize = 20;

/// The subjects a model is fitted to.
pub(super) struct Training<'a> {
    pub(super) subjects: &'a SubjectRdms<'a>,
    pub(super) seen: &'a [SampledRdm<'a>],
    pub(super) times: &'a [usize],
    pub(super) comparator: Comparator,
    pub(super) sample: &'a ConditionSample,
}

/// The weights of a model's RDMs, of length 1 (of sum 1 between two RDMs); `None` where no RDM's similarity to the data is defined.
pub(super) fn fit(
    flexibility: Flexibility,
    rdms: &[SampledRdm<'_>],
    training: &Training<'_>,
) -> Result<Option<Vec<f64>>> {
    match flexibility {
        Flexibility::Fixed => Ok(Some(vec![1.0; rdms.len()])),
        Flexibility::Select => select(rdms, training),
        Flexibility::Weight => weight(rdms, training),
        Flexibility::Interpolate => interpolate(rdms, training),
    }
}

/// `sum_k w_k d_k`, sorted where the comparator asks for ranks.
pub(super) fn predict(
    weights: &[f64],
    rdms: &[SampledRdm<'_>],
    comparator: Comparator,
) -> Result<SampledRdm<'static>> {
    let mut values = vec![0.0; rdms.first().map_or(0, |rdm| rdm.values().len())];
    for (weight, rdm) in weights.iter().zip(rdms) {
        if *weight != 0.0 {
            for (value, own) in values.iter_mut().zip(rdm.values()) {
                *value += weight * own;
            }
        }
    }
    let order = if comparator.uses_ranks() {
        sorted_order(&values)?
    } else {
        Vec::new()
    };
    Ok(SampledRdm {
        values: values.into(),
        order: order.into(),
    })
}

fn score(weights: &[f64], rdms: &[SampledRdm<'_>], training: &Training<'_>) -> Result<f64> {
    let prediction = predict(weights, rdms, training.comparator)?;
    let prediction = ready(&prediction, training.comparator, training.sample)?;
    let similarities = training.subjects.similarities(&prediction)?;
    Ok(mean_of_drawn(&similarities, training.times))
}

/// The candidate with the highest score, the first of equals.
fn best(
    candidates: impl IntoIterator<Item = Vec<f64>>,
    rdms: &[SampledRdm<'_>],
    training: &Training<'_>,
) -> Result<Option<Vec<f64>>> {
    let mut best: Option<(f64, Vec<f64>)> = None;
    for weights in candidates {
        let score = score(&weights, rdms, training)?;
        if score.is_finite() && best.as_ref().is_none_or(|(highest, _)| score > *highest) {
            best = Some((score, weights));
        }
    }
    Ok(best.map(|(_, weights)| weights))
}

fn only(at: usize, count: usize) -> Vec<f64> {
    let mut weights = vec![0.0; count];
    weights[at] = 1.0;
    weights
}

fn select(rdms: &[SampledRdm<'_>], training: &Training<'_>) -> Result<Option<Vec<f64>>> {
    best(
        (0..rdms.len()).map(|at| only(at, rdms.len())),
        rdms,
        training,
    )
}

/// The comparators under which data and models become vectors for least squares.
fn least_squares_form(comparator: Comparator) -> (Comparator, Comparator) {
    match comparator {
        Comparator::Cosine
        | Comparator::Pearson
        | Comparator::WhitenedCosine
        | Comparator::WhitenedPearson
        | Comparator::Cka
        | Comparator::DebiasedCka => (comparator, comparator),
        Comparator::Spearman
        | Comparator::RhoA
        | Comparator::KendallTauA
        | Comparator::KendallTauB => (Comparator::Spearman, Comparator::Pearson),
        Comparator::Procrustes | Comparator::Bures => {
            (Comparator::WhitenedCosine, Comparator::WhitenedCosine)
        }
    }
}

/// `A'A` and `A'u` of the models' vectors A and the mean u of the subjects' unit vectors.
fn normal_equations(
    rdms: &[SampledRdm<'_>],
    training: &Training<'_>,
) -> Result<(Array2<f64>, Vec<f64>)> {
    let (of_data, of_models) = least_squares_form(training.comparator);
    let columns = rdms
        .iter()
        .map(|rdm| ReadyVector::new(rdm, of_models, training.sample))
        .collect::<Result<Vec<_>>>()?;
    let mut target: Vec<f64> = Vec::new();
    for (rdm, &times) in training.seen.iter().zip(training.times) {
        if times == 0 {
            continue;
        }
        let own = ReadyVector::new(rdm, of_data, training.sample)?;
        target.resize(own.entries.len(), 0.0);
        if own.length > 0.0 {
            let share = times as f64 / own.length;
            for (target, value) in target.iter_mut().zip(&own.entries) {
                *target += share * value;
            }
        }
    }
    let usable = |column: &ReadyVector| column.length > 0.0;
    let gram = Array2::from_shape_fn((columns.len(), columns.len()), |(i, j)| {
        if usable(&columns[i]) && usable(&columns[j]) {
            dot(&columns[i].entries, &columns[j].entries)
        } else {
            0.0
        }
    });
    let products = columns
        .iter()
        .map(|column| {
            if usable(column) {
                dot(&column.entries, &target)
            } else {
                0.0
            }
        })
        .collect();
    Ok((gram, products))
}

/// Weights in the cone of all RDMs. Where every RDM points away from the data, the cosine is largest on an
/// edge of the cone: one RDM alone.
fn weight(rdms: &[SampledRdm<'_>], training: &Training<'_>) -> Result<Option<Vec<f64>>> {
    let (gram, products) = normal_equations(rdms, training)?;
    let weights = non_negative_least_squares(gram.view(), &products)?;
    let length = dot(&weights, &weights).sqrt();
    if length > 0.0 {
        Ok(Some(
            weights.into_iter().map(|weight| weight / length).collect(),
        ))
    } else {
        select(rdms, training)
    }
}

fn interpolate(rdms: &[SampledRdm<'_>], training: &Training<'_>) -> Result<Option<Vec<f64>>> {
    let count = rdms.len();
    let between = |pair: usize, share: f64| {
        let mut weights = vec![0.0; count];
        weights[pair] = share;
        weights[pair + 1] = 1.0 - share;
        weights
    };
    let mut candidates: Vec<Vec<f64>> = Vec::new();
    if training.comparator.uses_ranks() {
        for pair in 0..count - 1 {
            candidates.extend((0..=GRID).map(|at| between(pair, at as f64 / GRID as f64)));
        }
    } else {
        let (gram, products) = normal_equations(rdms, training)?;
        for pair in 0..count - 1 {
            let within = gram.slice(ndarray::s![pair..pair + 2, pair..pair + 2]);
            let weights = non_negative_least_squares(within, &products[pair..pair + 2])?;
            let sum = weights[0] + weights[1];
            candidates.push(between(pair, 0.0));
            candidates.push(between(pair, 1.0));
            if sum > 0.0 {
                candidates.push(between(pair, weights[0] / sum));
            }
        }
    }
    best(candidates, rdms, training)
}
