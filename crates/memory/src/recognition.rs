//! How reliably a dendritic segment recognises a pattern: exact error probabilities.
//!
//! A population of `n` cells has `a` active at a time. A segment has `s` synapses onto cells of one
//! stored pattern and fires when at least `theta` of them are active (Ahmad & Hawkins 2016,
//! arXiv:1601.00720).
//!
//! - False positive (equation 4): another random pattern overlaps the segment in `theta` or more
//!   cells, a hypergeometric upper tail.
//! - False negative: `v` of the `a` active cells have moved elsewhere; the segment fails where
//!   more than `s - theta` of its synapses are among them. `n` does not enter.
//! - Union of patterns, two forms: the cells of `M` patterns active at once, `n (1 - (1 - a/n)^M)`
//!   expected in place of `a`; or the synapses of `M` patterns on one segment, `n (1 - (1 - s/n)^M)`
//!   expected in place of `s`, with the threshold unchanged. Both expectations are rounded to
//!   the nearest whole number ([`ExpectedUnion`] keeps the unrounded one too).
//! - `M` stored patterns: at most `M P` (union bound, loose near one), and for independent
//!   segments exactly `1 - (1 - P)^M`.

use chiasm_core::{Error, Result};
use serde::{Deserialize, Serialize};

use crate::hypergeometric::Hypergeometric;

/// A dendritic segment in its population.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recognition {
    /// Cells in the population (n).
    pub cells: u64,
    /// Cells active at a time (a).
    pub active: u64,
    /// Synapses of the segment (s).
    pub synapses: u64,
    /// Active synapses needed to fire (theta).
    pub threshold: u64,
}

impl Recognition {
    /// A segment in its population, unchecked.
    pub fn new(cells: u64, active: u64, synapses: u64, threshold: u64) -> Self {
        Recognition {
            cells,
            active,
            synapses,
            threshold,
        }
    }

    /// Fails where more cells are active, or synapses placed, than there are cells.
    pub fn check(&self) -> Result<()> {
        self.overlaps().map(|_| ())
    }

    /// The distribution of a random pattern's overlap with the segment.
    pub fn overlaps(&self) -> Result<Hypergeometric> {
        Hypergeometric::new(self.cells, self.synapses, self.active)
    }

    /// The logarithm of the false-positive probability, for probabilities too small for a double.
    pub fn ln_false_positive(&self) -> Result<f64> {
        Ok(self.overlaps()?.ln_at_least(self.threshold))
    }

    /// The probability that a random pattern makes the segment fire.
    pub fn false_positive(&self) -> Result<f64> {
        Ok(self.ln_false_positive()?.exp())
    }

    /// The probability that the stored pattern fails to make the segment fire once `moved` of its
    /// active cells have moved.
    ///
    /// Fails where the segment has more synapses than the pattern has active cells: then it
    /// cannot have been sampled from it.
    pub fn false_negative(&self, moved: u64) -> Result<f64> {
        if self.synapses > self.active {
            return Err(Error::setting(
                "synapses",
                self.synapses,
                format!(
                    "at most the active cells of the stored pattern, {}",
                    self.active
                ),
            ));
        }
        if self.threshold > self.synapses {
            return Ok(1.0);
        }
        let lost = Hypergeometric::new(self.active, self.synapses, moved)?;
        Ok(lost.at_least(self.synapses - self.threshold + 1))
    }

    /// The same segment, with the expected union of `patterns` active patterns in place of one.
    pub fn with_active_union(&self, patterns: u64) -> Result<Self> {
        let union = ExpectedUnion::new(self.cells, self.active, patterns)?;
        Ok(Recognition {
            active: union.rounded,
            ..*self
        })
    }

    /// The same segment, with the expected union of the synapses of `patterns` stored patterns.
    pub fn with_synapse_union(&self, patterns: u64) -> Result<Self> {
        let union = ExpectedUnion::new(self.cells, self.synapses, patterns)?;
        Ok(Recognition {
            synapses: union.rounded,
            ..*self
        })
    }
}

/// How many cells the union of several random sets of cells is expected to hold.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ExpectedUnion {
    /// The expectation.
    pub expected: f64,
    /// The expectation rounded to the nearest whole number, as the tails need it.
    pub rounded: u64,
}

impl ExpectedUnion {
    /// The union of `sets` sets of `size` of `cells` cells each.
    pub fn new(cells: u64, size: u64, sets: u64) -> Result<Self> {
        // The same ranges as for an overlap of two such sets.
        Hypergeometric::new(cells, size, size)?;
        let (n, share) = (cells as f64, size as f64 / cells as f64);
        let expected = -n * (sets as f64 * (-share).ln_1p()).exp_m1();
        // Without any set the logarithm of a full one would give 0 times infinity.
        let expected = if sets == 0 { 0.0 } else { expected };
        Ok(ExpectedUnion {
            expected,
            rounded: expected.round() as u64,
        })
    }
}

/// The union bound on the probability that any of `count` events of probability `each` happens.
///
/// Never less than the truth, and far above it as it nears one; see [`any_of`].
pub fn union_bound(each: f64, count: u64) -> f64 {
    (each * count as f64).min(1.0)
}

/// The probability that any of `count` independent events of probability `each` happens: a neuron's
/// false positives given one segment's.
pub fn any_of(each: f64, count: u64) -> f64 {
    if count == 0 {
        0.0
    } else {
        -(count as f64 * (-each).ln_1p()).exp_m1()
    }
}

/// The grid of plausible neurons over which the optimal NMDA threshold is predicted.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ThresholdGrid {
    /// Population sizes (n).
    pub cells: Vec<u64>,
    /// Shares of active cells (a / n).
    pub sparsity: Vec<f64>,
    /// Synapses a segment (s).
    pub synapses: Vec<u64>,
}

impl Default for ThresholdGrid {
    fn default() -> Self {
        ThresholdGrid {
            cells: vec![1000, 5000, 9000, 13000, 17000],
            sparsity: vec![0.005, 0.010, 0.015, 0.020, 0.025, 0.030],
            synapses: (20..=50).step_by(5).collect(),
        }
    }
}

impl ThresholdGrid {
    /// Fails where an axis is empty or a value out of range.
    pub fn check(&self) -> Result<()> {
        for (what, length) in [
            ("population sizes", self.cells.len()),
            ("sparsities", self.sparsity.len()),
            ("numbers of synapses", self.synapses.len()),
        ] {
            if length == 0 {
                return Err(Error::TooFew {
                    operation: "threshold grid",
                    what,
                    found: 0,
                    needed: 1,
                });
            }
        }
        for &share in &self.sparsity {
            if !(0.0..=1.0).contains(&share) {
                return Err(Error::setting("sparsity", share, "0 to 1"));
            }
        }
        self.points(0).try_for_each(|point| point.check())
    }

    /// Every neuron of the grid at threshold `threshold`; the number of active cells is rounded.
    pub fn points(&self, threshold: u64) -> impl Iterator<Item = Recognition> + '_ {
        self.cells.iter().flat_map(move |&cells| {
            self.sparsity.iter().flat_map(move |&share| {
                let active = (cells as f64 * share).round() as u64;
                self.synapses
                    .iter()
                    .map(move |&synapses| Recognition::new(cells, active, synapses, threshold))
            })
        })
    }

    /// The median false-positive probability over the grid (of an even number: the mean of the
    /// middle two).
    pub fn median_false_positive(&self, threshold: u64) -> Result<f64> {
        self.check()?;
        let mut errors = Vec::new();
        for point in self.points(threshold) {
            errors.push(point.false_positive()?);
        }
        errors.sort_unstable_by(f64::total_cmp);
        let half = errors.len() / 2;
        Ok(if errors.len() % 2 == 1 {
            errors[half]
        } else {
            (errors[half - 1] + errors[half]) / 2.0
        })
    }

    /// The smallest threshold whose median false-positive probability is below `limit`; `None`
    /// where no segment of the grid has enough synapses for any.
    pub fn smallest_threshold(&self, limit: f64) -> Result<Option<u64>> {
        let most = self.synapses.iter().copied().max().unwrap_or(0);
        for threshold in 1..=most {
            if self.median_false_positive(threshold)? < limit {
                return Ok(Some(threshold));
            }
        }
        Ok(None)
    }
}
