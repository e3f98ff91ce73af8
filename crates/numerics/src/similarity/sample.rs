//! Resampled conditions, and RDMs seen through them.

use std::borrow::Cow;

use chiasm_core::Result;
use chiasm_core::data::{Rdm, condensed_index, condensed_len};

use super::ranks::sorted_order;

const ABSENT: u32 = u32::MAX;

/// Conditions drawn with replacement.
///
/// A condition drawn twice has no dissimilarity to itself: pairs of identical conditions are dropped, or
/// they would stand as zeros that every model predicts. What is left is kept as the RDM of the *distinct*
/// conditions in which the pair (a, b) weighs as often as it was drawn, `count(a) * count(b)`. Results are
/// those of the expanded RDM, at a fraction of its size, and entries stay sorted from draw to draw.
#[derive(Clone, Debug)]
pub struct ConditionSample {
    conditions: usize,
    /// How often each kept condition was drawn; all 1 without resampling.
    counts: Vec<f64>,
    resampled: Option<Resampled>,
}

#[derive(Clone, Debug)]
struct Resampled {
    kept: Vec<usize>,
    /// Of the condensed vector over the kept conditions.
    weights: Vec<f64>,
    /// From the condensed vector over all conditions to that over the kept ones.
    position: Vec<u32>,
}

impl ConditionSample {
    /// Every condition once.
    pub fn all(conditions: usize) -> Self {
        ConditionSample {
            conditions,
            counts: vec![1.0; conditions],
            resampled: None,
        }
    }

    /// The conditions at `indices` (each below `conditions`, repeats allowed); `None` with fewer than
    /// three distinct ones, which leave no RDM to compare.
    pub fn drawn(indices: &[usize], conditions: usize) -> Option<Self> {
        let mut times = vec![0_u32; conditions];
        for &index in indices {
            times[index] += 1;
        }
        let kept: Vec<usize> = (0..conditions).filter(|&index| times[index] > 0).collect();
        if kept.len() < 3 {
            return None;
        }
        let counts: Vec<f64> = kept.iter().map(|&index| f64::from(times[index])).collect();
        let mut weights = Vec::with_capacity(condensed_len(kept.len()));
        let mut position = vec![ABSENT; condensed_len(conditions)];
        let mut next = 0;
        for (a, &i) in kept.iter().enumerate() {
            for (b, &j) in kept.iter().enumerate().skip(a + 1) {
                weights.push(counts[a] * counts[b]);
                position[condensed_index(i, j, conditions)] = next;
                next += 1;
            }
        }
        Some(ConditionSample {
            conditions,
            counts,
            resampled: Some(Resampled {
                kept,
                weights,
                position,
            }),
        })
    }

    /// The number of distinct conditions.
    pub fn distinct(&self) -> usize {
        self.counts.len()
    }

    /// The number of entries of an RDM over the distinct conditions.
    pub fn pairs(&self) -> usize {
        condensed_len(self.distinct())
    }

    /// How often each distinct condition was drawn.
    pub fn counts(&self) -> &[f64] {
        &self.counts
    }

    /// The weight of each pair of distinct conditions; `None` where all weigh 1.
    pub fn weights(&self) -> Option<&[f64]> {
        self.resampled
            .as_ref()
            .map(|resampled| resampled.weights.as_slice())
    }

    /// The sum of the pair weights: the entries the expanded RDM would have.
    pub fn total_weight(&self) -> f64 {
        match self.weights() {
            None => self.pairs() as f64,
            Some(weights) => weights.iter().sum(),
        }
    }

    /// The distinct conditions, by their place among all.
    pub(crate) fn kept(&self) -> Vec<usize> {
        match &self.resampled {
            None => (0..self.conditions).collect(),
            Some(resampled) => resampled.kept.clone(),
        }
    }

    /// The weight of pair `pair`.
    pub(crate) fn weight(&self, pair: usize) -> f64 {
        self.weights().map_or(1.0, |weights| weights[pair])
    }
}

/// An RDM sorted once, to be seen through many samples.
#[derive(Clone, Debug)]
pub struct PreparedRdm {
    values: Vec<f64>,
    order: Vec<u32>,
}

impl PreparedRdm {
    /// Keeps the entries and, where ranks will be asked for, their order.
    pub fn new(rdm: &Rdm, with_order: bool) -> Result<Self> {
        let values = rdm.values().to_vec();
        let order = if with_order {
            sorted_order(&values)?
        } else {
            Vec::new()
        };
        Ok(PreparedRdm { values, order })
    }

    /// The RDM over the distinct conditions of `sample`.
    pub fn seen_through(&self, sample: &ConditionSample) -> SampledRdm<'_> {
        debug_assert_eq!(self.values.len(), condensed_len(sample.conditions));
        match &sample.resampled {
            None => SampledRdm {
                values: Cow::Borrowed(&self.values),
                order: Cow::Borrowed(&self.order),
            },
            Some(Resampled { kept, position, .. }) => {
                let mut values = Vec::with_capacity(sample.pairs());
                for (a, &i) in kept.iter().enumerate() {
                    values.extend(
                        kept[a + 1..]
                            .iter()
                            .map(|&j| self.values[condensed_index(i, j, sample.conditions)]),
                    );
                }
                let order = self
                    .order
                    .iter()
                    .map(|&index| position[index as usize])
                    .filter(|&index| index != ABSENT)
                    .collect();
                SampledRdm {
                    values: Cow::Owned(values),
                    order: Cow::Owned(order),
                }
            }
        }
    }
}

/// The condensed entries of an RDM over the distinct conditions of a sample.
#[derive(Clone, Debug)]
pub struct SampledRdm<'a> {
    pub(crate) values: Cow<'a, [f64]>,
    /// The entries in ascending order; empty where they were not sorted.
    pub(crate) order: Cow<'a, [u32]>,
}

impl<'a> SampledRdm<'a> {
    /// All conditions once; sorted later, where needed.
    pub(crate) fn unsorted(rdm: &'a Rdm) -> Self {
        SampledRdm {
            values: Cow::Borrowed(rdm.values()),
            order: Cow::Borrowed(&[]),
        }
    }

    /// The condensed entries.
    pub fn values(&self) -> &[f64] {
        &self.values
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distinct_pairs_carry_how_often_they_were_drawn() {
        let rdm = Rdm::from_condensed("r", vec![0.1, 0.2, 0.3, 0.4, 0.5, 0.05]).unwrap();
        let sample = ConditionSample::drawn(&[3, 0, 3, 2], 4).unwrap();
        assert_eq!(sample.counts(), [1.0, 1.0, 2.0]);
        // Pairs (0,2), (0,3), (2,3).
        assert_eq!(sample.weights().unwrap(), [1.0, 2.0, 2.0]);
        assert_eq!(sample.total_weight(), 5.0);
        let prepared = PreparedRdm::new(&rdm, true).unwrap();
        let seen = prepared.seen_through(&sample);
        assert_eq!(seen.values(), [0.2, 0.3, 0.05]);
        assert_eq!(seen.order.as_ref(), [2, 0, 1]);
        assert!(ConditionSample::drawn(&[1, 2, 1, 2], 4).is_none());
    }
}
