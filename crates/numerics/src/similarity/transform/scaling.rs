//! Ranks, min-max and z-score.

use crate::similarity::ranks::average_ranks;
use crate::similarity::sample::{ConditionSample, SampledRdm};

/// Average ranks from 1.
pub(super) fn ranks(rdm: &SampledRdm<'_>, sample: &ConditionSample) -> Vec<f64> {
    average_ranks(&rdm.values, &rdm.order, sample.weights())
}

/// Linearly to 0..1; `None` where all entries are equal.
pub(super) fn min_max(mut values: Vec<f64>) -> Option<Vec<f64>> {
    let low = values.iter().copied().fold(f64::INFINITY, f64::min);
    let high = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let range = high - low;
    if !(range > 0.0) {
        return None;
    }
    for value in &mut values {
        *value = (*value - low) / range;
    }
    Some(values)
}

/// Ranks scaled to 0..1.
pub(super) fn scaled_ranks(rdm: &SampledRdm<'_>, sample: &ConditionSample) -> Option<Vec<f64>> {
    min_max(ranks(rdm, sample))
}

/// Mean 0 and population standard deviation 1; `None` where all entries are equal up to rounding.
pub(super) fn z_score(rdm: &SampledRdm<'_>, sample: &ConditionSample) -> Option<Vec<f64>> {
    let total = sample.total_weight();
    let weighted = |entry: &dyn Fn(f64) -> f64| -> f64 {
        let sum: f64 = (rdm.values.iter().enumerate())
            .map(|(pair, &value)| sample.weight(pair) * entry(value))
            .sum();
        sum / total
    };
    let mean = weighted(&|value| value);
    let variance = weighted(&|value| (value - mean).powi(2));
    if !(variance > 1e-26 * weighted(&|value| value * value)) {
        return None;
    }
    let deviation = variance.sqrt();
    Some(
        rdm.values
            .iter()
            .map(|value| (value - mean) / deviation)
            .collect(),
    )
}
