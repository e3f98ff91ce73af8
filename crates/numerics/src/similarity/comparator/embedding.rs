//! The vector whose inner products are a comparator's values.

use super::Comparator;
use crate::similarity::ranks::average_ranks;
use crate::similarity::sample::{ConditionSample, SampledRdm};

/// Spread below this share of the size is rounding.
const NOTHING_BELOW: f64 = 1e-26;

/// Whether the comparator is an inner product of [`embed`] vectors.
pub(super) fn is_inner_product(comparator: Comparator) -> bool {
    !matches!(
        comparator,
        Comparator::KendallTauA
            | Comparator::KendallTauB
            | Comparator::Procrustes
            | Comparator::Bures
    )
}

/// The length of the vectors [`embed`] writes.
pub(super) fn dimensions(comparator: Comparator, sample: &ConditionSample) -> usize {
    match comparator {
        Comparator::WhitenedCosine | Comparator::WhitenedPearson | Comparator::Cka => {
            sample.pairs() + sample.distinct()
        }
        _ => sample.pairs(),
    }
}

/// Writes the vector of one RDM to `out`; `false` where the comparator is undefined for it.
pub(super) fn embed(
    comparator: Comparator,
    rdm: &SampledRdm<'_>,
    sample: &ConditionSample,
    out: &mut [f64],
) -> bool {
    let pairs = sample.pairs();
    let size = match comparator {
        Comparator::Spearman | Comparator::RhoA => {
            out.copy_from_slice(&average_ranks(&rdm.values, &rdm.order, sample.weights()));
            squared_size(out, sample)
        }
        _ => {
            out[..pairs].copy_from_slice(&rdm.values);
            squared_size(&out[..pairs], sample)
        }
    };
    match comparator {
        Comparator::Pearson
        | Comparator::Spearman
        | Comparator::RhoA
        | Comparator::WhitenedPearson => centre(&mut out[..pairs], sample),
        _ => {}
    }
    match comparator {
        Comparator::WhitenedCosine | Comparator::WhitenedPearson | Comparator::Cka => {
            whiten(out, sample, 2.0);
        }
        Comparator::DebiasedCka => whiten(out, sample, 0.0),
        _ => {}
    }
    if let Some(weights) = sample.weights() {
        for (value, weight) in out.iter_mut().zip(weights) {
            *value *= weight.sqrt();
        }
    }
    let squared_norm: f64 = sum_of_squares(out);
    if !(squared_norm > NOTHING_BELOW * size) {
        return false;
    }
    // rho-a is not normalised by the ranks' own spread: ties make it smaller than Spearman's.
    let scale = if comparator == Comparator::RhoA {
        let entries = sample.total_weight();
        (12.0 / (entries * (entries * entries - 1.0))).sqrt()
    } else {
        1.0 / squared_norm.sqrt()
    };
    for value in out.iter_mut() {
        *value *= scale;
    }
    true
}

fn squared_size(values: &[f64], sample: &ConditionSample) -> f64 {
    match sample.weights() {
        None => sum_of_squares(values),
        Some(weights) => values
            .iter()
            .zip(weights)
            .map(|(value, weight)| weight * value * value)
            .sum(),
    }
}

/// Eight running sums, so that the additions need not wait for each other.
fn sum_of_squares(values: &[f64]) -> f64 {
    let mut sums = [0.0; 8];
    let chunks = values.chunks_exact(8);
    let rest: f64 = chunks.remainder().iter().map(|value| value * value).sum();
    for chunk in chunks {
        for (sum, value) in sums.iter_mut().zip(chunk) {
            *sum += value * value;
        }
    }
    sums.iter().sum::<f64>() + rest
}

fn centre(values: &mut [f64], sample: &ConditionSample) {
    let sum: f64 = match sample.weights() {
        None => values.iter().sum(),
        Some(weights) => values
            .iter()
            .zip(weights)
            .map(|(value, weight)| weight * value)
            .sum(),
    };
    let mean = sum / sample.total_weight();
    for value in values {
        *value -= mean;
    }
}

/// Removes from the entry of each pair (a, b) what a and b add to all their pairs, `z_a + z_b`.
///
/// With S the pairs x conditions incidence matrix, V of independent patterns is `2I + SS'`, and
/// `2 x'V⁻¹y = x'y - x'S (2I + S'S)⁻¹ S'y`, a ridge regression on S with penalty 2: its fit z gives the
/// vector `[x - Sz, √2 z]` whose inner products these are (double centring, with the diagonal appended).
/// Penalty 0 is least squares, whose residuals are the U-centred matrix of unbiased HSIC. With counts c_a
/// and N conditions drawn, each z_a is that of all copies of a, and the normal equations
/// `(penalty + N - 2 c_a) z_a + sum_b c_b z_b = sum_{b != a} c_b x_ab` are a diagonal plus rank one: O(m).
fn whiten(out: &mut [f64], sample: &ConditionSample, penalty: f64) {
    let counts = sample.counts();
    let conditions = counts.len();
    let pairs = sample.pairs();
    let drawn: f64 = counts.iter().sum();
    let mut totals = vec![0.0; conditions];
    let mut pair = 0;
    for a in 0..conditions {
        let mut total = 0.0;
        for (b, value) in (a + 1..conditions).zip(&out[pair..]) {
            total += counts[b] * value;
            totals[b] += counts[a] * value;
        }
        totals[a] += total;
        pair += conditions - 1 - a;
    }
    let diagonal: Vec<f64> = counts
        .iter()
        .map(|count| penalty + drawn - 2.0 * count)
        .collect();
    let effects = match diagonal.iter().position(|entry| *entry == 0.0) {
        None => {
            let (mut above, mut below) = (0.0, 1.0);
            for ((count, total), entry) in counts.iter().zip(&totals).zip(&diagonal) {
                above += count * total / entry;
                below += count / entry;
            }
            let shared = above / below;
            totals
                .iter()
                .zip(&diagonal)
                .map(|(total, entry)| (total - shared) / entry)
                .collect()
        }
        // A condition drawn for half of the sample: its own equation gives the shared sum.
        Some(half) => {
            let shared = totals[half];
            let mut effects: Vec<f64> = totals
                .iter()
                .zip(&diagonal)
                .map(|(total, entry)| {
                    if *entry == 0.0 {
                        0.0
                    } else {
                        (total - shared) / entry
                    }
                })
                .collect();
            let others: f64 = counts
                .iter()
                .zip(&effects)
                .map(|(count, effect)| count * effect)
                .sum();
            effects[half] = (shared - others) / counts[half];
            effects
        }
    };
    let mut pair = 0;
    for a in 0..conditions {
        for b in a + 1..conditions {
            out[pair] -= effects[a] + effects[b];
            pair += 1;
        }
    }
    for ((value, effect), count) in out[pairs..].iter_mut().zip(&effects).zip(counts) {
        *value = (penalty * count).sqrt() * effect;
    }
}
