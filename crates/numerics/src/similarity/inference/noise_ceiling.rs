//! The best any model can do, given how much subjects differ.

use std::borrow::Cow;

use chiasm_core::data::Rdm;
use chiasm_core::{Error, Result};
use serde::{Deserialize, Serialize};

use crate::similarity::comparator::{Comparator, compare_all};
use crate::similarity::dense::Cores;
use crate::similarity::ranks::{average_ranks, sorted_order};
use crate::similarity::sample::{ConditionSample, PreparedRdm, SampledRdm};

/// Bounds on the mean similarity of the true model to the subjects' RDMs.
///
/// Where the comparator is a distance, `lower` is still the bound from the left-out subjects.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct NoiseCeiling {
    /// Each subject against the pooled RDM of the others.
    pub lower: f64,
    /// Each subject against the pooled RDM of all, itself included.
    pub upper: f64,
}

/// The noise ceiling of one RDM per subject (at least two).
pub fn noise_ceiling(subjects: &[Rdm], comparator: Comparator) -> Result<NoiseCeiling> {
    let (Some(first), true) = (subjects.first(), subjects.len() >= 2) else {
        return Err(Error::TooFew {
            operation: "noise ceiling",
            what: "subjects",
            found: subjects.len(),
            needed: 2,
        });
    };
    for rdm in subjects {
        if rdm.conditions() != first.conditions() {
            return Err(Error::Shape {
                operation: "noise ceiling",
                what: rdm.name.clone(),
                axis: "conditions",
                found: rdm.conditions(),
                expected: first.conditions().to_string(),
            });
        }
    }
    let sample = ConditionSample::all(first.conditions());
    let prepared = subjects
        .iter()
        .map(|rdm| PreparedRdm::new(rdm, comparator.uses_ranks()))
        .collect::<Result<Vec<_>>>()?;
    let seen: Vec<_> = prepared
        .iter()
        .map(|rdm| rdm.seen_through(&sample))
        .collect();
    let times = vec![1; subjects.len()];
    noise_ceiling_of_sample(&seen, &times, comparator, &sample)?.ok_or_else(|| Error::Unusable {
        operation: "noise ceiling",
        reason: format!(
            "{} is undefined for one of the subjects' RDMs",
            comparator.name()
        ),
    })
}

/// The noise ceiling of a bootstrap sample in which subject s was drawn `times[s]` times; `None` where it
/// is undefined, e.g. with one distinct subject.
///
/// Leaving one *copy* of a subject out would leave its twins in the pool and inflate the lower bound, so
/// all copies of a subject are left out together.
pub fn noise_ceiling_of_sample(
    subjects: &[SampledRdm<'_>],
    times: &[usize],
    comparator: Comparator,
    sample: &ConditionSample,
) -> Result<Option<NoiseCeiling>> {
    let drawn: Vec<(&SampledRdm<'_>, f64)> = subjects
        .iter()
        .zip(times)
        .filter(|(_, times)| **times > 0)
        .map(|(rdm, times)| (rdm, *times as f64))
        .collect();
    if drawn.len() < 2 {
        return Ok(None);
    }
    let copies: f64 = drawn.iter().map(|(_, times)| times).sum();
    let mut shares = Vec::with_capacity(drawn.len());
    for (rdm, _) in &drawn {
        let Some(share) = poolable(rdm, comparator, sample) else {
            return Ok(None);
        };
        shares.push(share);
    }
    let mut total = vec![0.0; sample.pairs()];
    for (share, (_, times)) in shares.iter().zip(&drawn) {
        for (total, value) in total.iter_mut().zip(share) {
            *total += times * value;
        }
    }
    let all = pooled(
        total.iter().map(|value| value / copies).collect(),
        comparator,
    )?;
    let (mut lower, mut upper) = (0.0, 0.0);
    for (share, (rdm, times)) in shares.iter().zip(&drawn) {
        let left = copies - times;
        let others = pooled(
            total
                .iter()
                .zip(share)
                .map(|(total, own)| (total - times * own) / left)
                .collect(),
            comparator,
        )?;
        let compared = compare_all(&[rdm, &all, &others], comparator, sample, Cores::One)?;
        lower += times * compared.matrix[[0, 2]];
        upper += times * compared.matrix[[0, 1]];
    }
    let ceiling = NoiseCeiling {
        lower: lower / copies,
        upper: upper / copies,
    };
    Ok((ceiling.lower.is_finite() && ceiling.upper.is_finite()).then_some(ceiling))
}

fn pooled(values: Vec<f64>, comparator: Comparator) -> Result<SampledRdm<'static>> {
    let order = if comparator.uses_ranks() {
        sorted_order(&values)?
    } else {
        Vec::new()
    };
    Ok(SampledRdm {
        values: Cow::Owned(values),
        order: Cow::Owned(order),
    })
}

/// What one subject contributes to the mean RDM, so that subjects weigh equally under the comparator:
/// ranks, z-scores where a shift does not matter, else entries in units of their root mean square.
fn poolable(
    rdm: &SampledRdm<'_>,
    comparator: Comparator,
    sample: &ConditionSample,
) -> Option<Vec<f64>> {
    if comparator.uses_ranks() {
        return Some(average_ranks(&rdm.values, &rdm.order, sample.weights()));
    }
    let total = sample.total_weight();
    let mean_of = |entry: &dyn Fn(f64) -> f64| -> f64 {
        let weighted = |(pair, value): (usize, &f64)| sample.weight(pair) * entry(*value);
        rdm.values.iter().enumerate().map(weighted).sum::<f64>() / total
    };
    let shift = match comparator {
        Comparator::Pearson | Comparator::WhitenedPearson | Comparator::DebiasedCka => {
            mean_of(&|value| value)
        }
        _ => 0.0,
    };
    let spread = mean_of(&|value| (value - shift).powi(2)).sqrt();
    (spread > 0.0).then(|| {
        rdm.values
            .iter()
            .map(|value| (value - shift) / spread)
            .collect()
    })
}
