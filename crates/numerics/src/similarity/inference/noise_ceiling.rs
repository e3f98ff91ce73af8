//! The best any model can do, given how much subjects differ.

use std::borrow::Cow;
use std::sync::OnceLock;

use chiasm_core::data::Rdm;
use chiasm_core::{Error, Result};
use serde::{Deserialize, Serialize};

use crate::similarity::comparator::{Comparator, Ready, compare_ready, ready};
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
    SubjectRdms::new(subjects, comparator, sample)?.ceiling(times)
}

/// Subjects' RDMs seen through one sample of conditions, made ready once for every draw of subjects.
pub(crate) struct SubjectRdms<'a> {
    seen: &'a [SampledRdm<'a>],
    ready: Vec<Ready<'a>>,
    /// What each subject adds to a pooled RDM, found when first asked for.
    shares: OnceLock<Vec<Option<Vec<f64>>>>,
    comparator: Comparator,
    sample: &'a ConditionSample,
}

impl<'a> SubjectRdms<'a> {
    pub(crate) fn new(
        seen: &'a [SampledRdm<'a>],
        comparator: Comparator,
        sample: &'a ConditionSample,
    ) -> Result<Self> {
        let ready = seen
            .iter()
            .map(|rdm| ready(rdm, comparator, sample))
            .collect::<Result<_>>()?;
        Ok(SubjectRdms {
            seen,
            ready,
            shares: OnceLock::new(),
            comparator,
            sample,
        })
    }

    /// The similarity of a predicted RDM to each subject's; NaN where undefined.
    pub(crate) fn similarities(&self, prediction: &Ready<'_>) -> Result<Vec<f64>> {
        self.ready
            .iter()
            .map(|own| compare_ready(prediction, own, self.comparator, self.sample))
            .collect()
    }

    /// What each drawn subject adds to a pooled RDM, with how often it was drawn; `None` where one adds
    /// nothing defined.
    pub(crate) fn shares(&self, times: &[usize]) -> Option<Vec<Share<'_>>> {
        let all = self.shares.get_or_init(|| {
            self.seen
                .iter()
                .map(|rdm| poolable(rdm, self.comparator, self.sample))
                .collect()
        });
        let drawn = times.iter().enumerate().filter(|(_, times)| **times > 0);
        drawn
            .map(|(subject, &times)| {
                Some(Share {
                    subject,
                    times: times as f64,
                    entries: all[subject].as_deref()?,
                })
            })
            .collect()
    }

    /// The noise ceiling where subject s was drawn `times[s]` times.
    pub(crate) fn ceiling(&self, times: &[usize]) -> Result<Option<NoiseCeiling>> {
        let Some(shares) = self.shares(times) else {
            return Ok(None);
        };
        if shares.len() < 2 {
            return Ok(None);
        }
        let (total, copies) = summed(&shares, self.sample);
        let mean = total.iter().map(|value| value / copies).collect();
        let all = pooled(mean, self.comparator)?;
        let all = ready(&all, self.comparator, self.sample)?;
        let (mut lower, mut upper) = (0.0, 0.0);
        for Share {
            subject,
            times,
            entries,
        } in &shares
        {
            let left = copies - times;
            let others = total
                .iter()
                .zip(*entries)
                .map(|(total, own)| (total - times * own) / left)
                .collect();
            let others = pooled(others, self.comparator)?;
            let others = ready(&others, self.comparator, self.sample)?;
            let own = &self.ready[*subject];
            lower += times * compare_ready(&others, own, self.comparator, self.sample)?;
            upper += times * compare_ready(&all, own, self.comparator, self.sample)?;
        }
        let ceiling = NoiseCeiling {
            lower: lower / copies,
            upper: upper / copies,
        };
        Ok((ceiling.lower.is_finite() && ceiling.upper.is_finite()).then_some(ceiling))
    }
}

/// The mean over subjects, each as often as it was drawn.
pub(crate) fn mean_of_drawn(values: &[f64], times: &[usize]) -> f64 {
    let (mut sum, mut copies) = (0.0, 0.0);
    for (value, &times) in values.iter().zip(times) {
        if times > 0 {
            sum += times as f64 * value;
            copies += times as f64;
        }
    }
    sum / copies
}

/// One subject's part in a pooled RDM.
pub(crate) struct Share<'a> {
    subject: usize,
    times: f64,
    entries: &'a [f64],
}

/// The sum of shares, each as often as it was drawn, and how many there are.
pub(crate) fn summed(shares: &[Share<'_>], sample: &ConditionSample) -> (Vec<f64>, f64) {
    let mut total = vec![0.0; sample.pairs()];
    let mut copies = 0.0;
    for share in shares {
        for (total, value) in total.iter_mut().zip(share.entries) {
            *total += share.times * value;
        }
        copies += share.times;
    }
    (total, copies)
}

/// An RDM of new values, sorted where the comparator asks for ranks.
pub(crate) fn pooled(values: Vec<f64>, comparator: Comparator) -> Result<SampledRdm<'static>> {
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
