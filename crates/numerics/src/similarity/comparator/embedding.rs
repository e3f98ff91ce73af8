//! The vector whose inner products are a comparator's values.

use std::borrow::Cow;

use chiasm_core::Result;

use super::Comparator;
use crate::similarity::dense::ShiftedRow;
use crate::similarity::ranks::{average_ranks, average_ranks_unsorted, sorted_order};
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

/// One RDM's vector.
pub(super) struct Embedded<'a> {
    entries: Cow<'a, [f64]>,
    shift: f64,
    /// The squared length of what was taken off: beside it, what is left may be mere rounding.
    removed: f64,
}

impl Embedded<'_> {
    /// The vector for products.
    pub(super) fn row(&self) -> ShiftedRow<'_> {
        ShiftedRow {
            entries: &self.entries,
            shift: self.shift,
        }
    }

    /// Whether a vector of this squared norm is nothing but rounding.
    pub(super) fn is_nothing(&self, squared_norm: f64) -> bool {
        !(squared_norm > NOTHING_BELOW * (squared_norm + self.removed))
    }
}

/// The factor that turns an inner product into rho-a; other comparators divide by the norms instead.
/// rho-a is not normalised by the ranks' own spread: ties make it smaller than Spearman's.
pub(super) fn rho_a_scale(sample: &ConditionSample) -> f64 {
    let entries = sample.total_weight();
    12.0 / (entries * (entries * entries - 1.0))
}

/// The vector of one RDM.
pub(super) fn embed<'a>(
    comparator: Comparator,
    rdm: &'a SampledRdm<'_>,
    sample: &ConditionSample,
) -> Result<Embedded<'a>> {
    let entries: Cow<'a, [f64]> = match comparator {
        Comparator::Spearman | Comparator::RhoA => {
            Cow::Owned(match (rdm.order.is_empty(), sample.weights()) {
                (true, None) => average_ranks_unsorted(&rdm.values)?,
                (true, weights) => average_ranks(&rdm.values, &sorted_order(&rdm.values)?, weights),
                (false, weights) => average_ranks(&rdm.values, &rdm.order, weights),
            })
        }
        _ => Cow::Borrowed(&rdm.values),
    };
    let mean = match comparator {
        Comparator::Pearson
        | Comparator::Spearman
        | Comparator::RhoA
        | Comparator::WhitenedPearson => mean(&entries, sample),
        _ => 0.0,
    };
    let penalty = match comparator {
        Comparator::WhitenedCosine | Comparator::WhitenedPearson | Comparator::Cka => Some(2.0),
        Comparator::DebiasedCka => Some(0.0),
        _ => None,
    };
    let mut removed = sample.total_weight() * mean * mean;
    let (mut entries, shift) = match penalty {
        None => (entries, mean),
        Some(penalty) => {
            let mut whitened = Vec::with_capacity(entries.len() + sample.distinct());
            whitened.extend(entries.iter().map(|value| value - mean));
            removed += squared_size(&whitened, sample);
            whiten(&mut whitened, sample, penalty);
            (Cow::Owned(whitened), 0.0)
        }
    };
    let mut shift = shift;
    if let Some(weights) = sample.weights() {
        for (value, weight) in entries.to_mut().iter_mut().zip(weights) {
            *value = (*value - shift) * weight.sqrt();
        }
        shift = 0.0;
    }
    Ok(Embedded {
        entries,
        shift,
        removed,
    })
}

fn squared_size(values: &[f64], sample: &ConditionSample) -> f64 {
    let square = |(pair, value): (usize, &f64)| sample.weight(pair) * value * value;
    values.iter().enumerate().map(square).sum()
}

fn mean(values: &[f64], sample: &ConditionSample) -> f64 {
    let sum: f64 = match sample.weights() {
        None => values.iter().sum(),
        Some(weights) => values
            .iter()
            .zip(weights)
            .map(|(value, weight)| weight * value)
            .sum(),
    };
    sum / sample.total_weight()
}

/// Removes from the entry of each pair (a, b) what a and b add to all their pairs, `z_a + z_b`.
///
/// With S the pairs x conditions incidence matrix, V of independent patterns is `2I + SS'`, and
/// `2 x'V⁻¹y = x'y - x'S (2I + S'S)⁻¹ S'y`, a ridge regression on S with penalty 2: its fit z gives the
/// vector `[x - Sz, √2 z]` whose inner products these are (double centring, with the diagonal appended).
/// Penalty 0 is least squares, whose residuals are the U-centred matrix of unbiased HSIC. With counts c_a
/// and N conditions drawn, each z_a is that of all copies of a, and the normal equations
/// `(penalty + N - 2 c_a) z_a + sum_b c_b z_b = sum_{b != a} c_b x_ab` are a diagonal plus rank one: O(m).
fn whiten(out: &mut Vec<f64>, sample: &ConditionSample, penalty: f64) {
    let counts = sample.counts();
    let conditions = counts.len();
    let drawn: f64 = counts.iter().sum();
    let mut totals = vec![0.0; conditions];
    let mut pair = 0;
    for a in 0..conditions {
        let row = &out[pair..pair + conditions - 1 - a];
        let mut total = 0.0;
        for ((value, count), to) in row.iter().zip(&counts[a + 1..]).zip(&mut totals[a + 1..]) {
            total += count * value;
            *to += counts[a] * value;
        }
        totals[a] += total;
        pair += row.len();
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
    let mut rest = out.as_mut_slice();
    for a in 0..conditions {
        let (row, after) = rest.split_at_mut(conditions - 1 - a);
        for (value, effect) in row.iter_mut().zip(&effects[a + 1..]) {
            *value -= effects[a] + effect;
        }
        rest = after;
    }
    if penalty > 0.0 {
        let own = effects
            .iter()
            .zip(counts)
            .map(|(effect, count)| (penalty * count).sqrt() * effect);
        out.extend(own);
    }
}
