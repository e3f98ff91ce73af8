//! The geo-topological transform and its smooth relative.

use super::scaling::scaled_ranks;
use crate::similarity::sample::{ConditionSample, SampledRdm};

/// Scaled ranks cut at their `lower`- and `upper`-quantile (Lin and Kriegeskorte 2024, equation 1).
pub(super) fn cut(
    rdm: &SampledRdm<'_>,
    sample: &ConditionSample,
    lower: f64,
    upper: f64,
) -> Option<Vec<f64>> {
    let mut values = scaled_ranks(rdm, sample)?;
    let low = weighted_quantile(&values, &rdm.order, sample, lower);
    let high = weighted_quantile(&values, &rdm.order, sample, upper);
    for value in &mut values {
        *value = if *value <= low {
            0.0
        } else if *value >= high {
            1.0
        } else {
            (*value - low) / (high - low)
        };
    }
    Some(values)
}

/// The logistic function of scaled ranks.
pub(super) fn sigmoid(
    rdm: &SampledRdm<'_>,
    sample: &ConditionSample,
    slope: f64,
    centre: f64,
) -> Option<Vec<f64>> {
    let mut values = scaled_ranks(rdm, sample)?;
    for value in &mut values {
        *value = 1.0 / (1.0 + (-slope * (*value - centre)).exp());
    }
    Some(values)
}

/// The linearly interpolated quantile of entries that stand as often as they weigh.
pub(super) fn weighted_quantile(
    values: &[f64],
    order: &[u32],
    sample: &ConditionSample,
    share: f64,
) -> f64 {
    let place = share * (sample.total_weight() - 1.0);
    let below = place.floor();
    let (mut at_below, mut covered) = (f64::NAN, 0.0);
    for &index in order {
        covered += sample.weight(index as usize);
        // Entry number `below`, from 0, lies within the weight covered so far.
        if at_below.is_nan() && covered > below {
            at_below = values[index as usize];
        }
        if covered > below + 1.0 {
            return at_below + (place - below) * (values[index as usize] - at_below);
        }
    }
    at_below
}
