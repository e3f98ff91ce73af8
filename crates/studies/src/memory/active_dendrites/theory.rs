//! Arithmetic: reference values and the optimal threshold.

use chiasm_core::Seed;
use chiasm_memory::binomial::Binomial;
use chiasm_memory::hypergeometric::Hypergeometric;
use chiasm_memory::recognition::{Recognition, ThresholdGrid};
use rand::RngExt;
use serde::{Deserialize, Serialize};

use crate::Result;

/// A probability of the paper's figures: two sets of cells overlap in at least `overlap`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Reference {
    pub(super) what: &'static str,
    /// Cells, cells in the one set, cells in the other.
    pub(super) sizes: [u64; 3],
    pub(super) overlap: u64,
    /// From exact integers (crates/memory/tests/fixtures/make_recognition_errors.py).
    pub(super) exact: f64,
}

const fn reference(what: &'static str, sizes: [u64; 3], overlap: u64, exact: f64) -> Reference {
    Reference {
        what,
        sizes,
        overlap,
        exact,
    }
}

/// False positives are (cells, synapses, active cells), false negatives (active cells, synapses,
/// moved cells); unions have their expected size, rounded.
pub(super) const REFERENCES: [Reference; 23] = [
    reference(
        "64 of 300 cells active",
        [300, 24, 64],
        12,
        0.0010946166233369047,
    ),
    reference(
        "64 of 500 cells active",
        [500, 24, 64],
        12,
        5.695711087695333e-06,
    ),
    reference(
        "64 of 4100 cells active",
        [4100, 24, 64],
        12,
        1.662586382173908e-16,
    ),
    reference(
        "128 of 300 cells active",
        [300, 24, 128],
        12,
        0.2920782137377636,
    ),
    reference(
        "128 of 500 cells active",
        [500, 24, 128],
        12,
        0.0073678830335828895,
    ),
    reference(
        "256 of 300 cells active",
        [300, 24, 256],
        12,
        0.9999979734431071,
    ),
    reference(
        "half of 1100 cells active",
        [1100, 24, 550],
        12,
        0.5814835338779035,
    ),
    reference(
        "20 synapses, 32 of 2000 active",
        [2000, 20, 32],
        10,
        3.904341269214764e-14,
    ),
    reference(
        "20 synapses, 128 of 4000 active",
        [4000, 20, 128],
        10,
        1.116927075338251e-10,
    ),
    reference(
        "20 synapses, 4000 of 16000 active",
        [16_000, 20, 4000],
        10,
        0.01381173057715072,
    ),
    reference(
        "4 synapses, 2% of 400 active",
        [400, 4, 8],
        2,
        0.0020631461696657754,
    ),
    reference(
        "missed at 40% noise, threshold 8",
        [128, 30, 51],
        23,
        3.455762655611185e-06,
    ),
    reference(
        "missed at 40% noise, threshold 12",
        [128, 30, 51],
        19,
        0.0027955986608488794,
    ),
    reference(
        "missed at 40% noise, threshold 16",
        [128, 30, 51],
        15,
        0.13906725438679293,
    ),
    reference(
        "missed at 50% noise, threshold 8",
        [128, 30, 64],
        23,
        0.0007354294568751208,
    ),
    reference(
        "missed at 50% noise, threshold 12",
        [128, 30, 64],
        19,
        0.07169851604035636,
    ),
    reference(
        "missed at 50% noise, threshold 16",
        [128, 30, 64],
        15,
        0.5825017730303266,
    ),
    reference(
        "union of 10 patterns, 4000 cells",
        [4000, 20, 290],
        10,
        3.318250296354807e-07,
    ),
    reference(
        "union of 20 patterns, 4000 cells",
        [4000, 20, 559],
        10,
        0.00012953546040367397,
    ),
    reference(
        "union of 10 patterns, 1000 cells",
        [1000, 20, 263],
        10,
        0.018788513261895668,
    ),
    reference(
        "synapses of 1 pattern",
        [10_000, 25, 200],
        15,
        5.3035241902519344e-20,
    ),
    reference(
        "synapses of 5 patterns",
        [10_000, 124, 200],
        15,
        2.2792191554063575e-08,
    ),
    reference(
        "synapses of 10 patterns",
        [10_000, 247, 200],
        15,
        0.0001270804413838546,
    ),
];

impl Reference {
    pub(super) fn distribution(&self) -> Result<Hypergeometric> {
        let [cells, one, other] = self.sizes;
        Ok(Hypergeometric::new(cells, one, other)?)
    }

    /// The probability if the second set were drawn with replacement.
    pub(super) fn binomial(&self) -> Result<Binomial> {
        let [cells, one, other] = self.sizes;
        Ok(Binomial::new(one, other as f64 / cells as f64)?)
    }
}

/// Largest relative errors, as decimal logarithms.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct References {
    ours: f64,
    binomial: f64,
    shuffled: f64,
}

impl References {
    pub(super) fn log_errors(&self) -> [f64; 3] {
        [self.ours, self.binomial, self.shuffled]
    }
}

/// Compares with the reference values and with `count` random settings, whose exact probabilities
/// come from drawing one synapse after the other.
pub(super) fn references(count: usize, seed: &Seed) -> Result<References> {
    let mut rng = seed.rng();
    let mut cases: Vec<Reference> = REFERENCES.to_vec();
    while cases.len() < REFERENCES.len() + count {
        let cells = 10f64.powf(rng.random_range(1.0..5.0)) as u64;
        let one = rng.random_range(1..=cells.min(60));
        let other = rng.random_range(1..=cells / 2);
        let overlap = rng.random_range(1..=one.min(other));
        let exact = by_drawing_synapses(cells, one, other, overlap);
        if exact > 1e-290 {
            cases.push(reference(
                "random setting",
                [cells, one, other],
                overlap,
                exact,
            ));
        }
    }
    let mut found = Vec::with_capacity(cases.len());
    let mut worst = [f64::NEG_INFINITY; 2];
    for case in &cases {
        let ours = case.distribution()?.ln_at_least(case.overlap);
        let binomial = case.binomial()?.ln_at_least(case.overlap);
        found.push(ours);
        for (worst, ln) in worst.iter_mut().zip([ours, binomial]) {
            *worst = worst.max(log_relative_error(ln, case.exact.ln()));
        }
    }
    found.rotate_left(1);
    let errors = found
        .iter()
        .zip(&cases)
        .map(|(ln, case)| log_relative_error(*ln, case.exact.ln()));
    let shuffled = errors.fold(f64::NEG_INFINITY, f64::max);
    Ok(References {
        ours: worst[0],
        binomial: worst[1],
        shuffled,
    })
}

/// The probability of an overlap of at least `overlap`, synapse by synapse: only products and sums
/// of positive numbers, so that nothing cancels. Takes `synapses x overlap` steps.
fn by_drawing_synapses(cells: u64, synapses: u64, active: u64, overlap: u64) -> f64 {
    let most = overlap as usize;
    // `reached[b]`: b of the synapses so far are onto active cells; the last entry is absorbing.
    let mut reached = vec![0.0; most + 1];
    reached[0] = 1.0;
    for drawn in 0..synapses {
        let left = (cells - drawn) as f64;
        for b in (0..most).rev() {
            let hit = active.saturating_sub(b as u64) as f64 / left;
            let silent = (cells - active).saturating_sub(drawn.saturating_sub(b as u64));
            reached[b + 1] += reached[b] * hit;
            reached[b] *= silent as f64 / left;
        }
    }
    reached[most]
}

/// The decimal logarithm of a relative error, from natural logarithms of the two numbers; -17, the
/// last bit of a double, where they are equal.
pub(super) fn log_relative_error(found: f64, exact: f64) -> f64 {
    let difference = found - exact;
    let log = if difference > 30.0 {
        difference / std::f64::consts::LN_10
    } else {
        difference.exp_m1().abs().log10()
    };
    log.max(-17.0)
}

/// The smallest threshold with a median false-positive probability below 1e-7.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Thresholds {
    smallest: u64,
    binomial: u64,
    dense: u64,
    /// Median false-positive probabilities of thresholds 1, 2, …
    pub(super) medians: Vec<f64>,
}

impl Thresholds {
    pub(super) fn beyond_eight(&self) -> [f64; 3] {
        [self.smallest, self.binomial, self.dense].map(|threshold| threshold as f64 - 8.0)
    }
}

/// The limit below which errors are rare enough.
pub(super) const LIMIT: f64 = 1e-7;

pub(super) fn thresholds() -> Result<Thresholds> {
    let grid = ThresholdGrid::default();
    // No segment fires above its number of synapses: one more stands for "none".
    let none = grid.synapses.iter().copied().max().unwrap_or(0) + 1;
    let dense = ThresholdGrid {
        sparsity: vec![0.5],
        ..grid.clone()
    };
    let independent = |threshold| -> Result<f64> {
        let probabilities = grid
            .points(threshold)
            .map(|point| independent_synapses(&point));
        let mut probabilities = probabilities.collect::<Result<Vec<_>>>()?;
        probabilities.sort_unstable_by(f64::total_cmp);
        let half = probabilities.len() / 2;
        Ok((probabilities[half - 1] + probabilities[half]) / 2.0)
    };
    let mut binomial = 1;
    while binomial < none && independent(binomial)? >= LIMIT {
        binomial += 1;
    }
    let medians = (1..=20)
        .map(|threshold| grid.median_false_positive(threshold))
        .collect::<Result<_, _>>()?;
    Ok(Thresholds {
        smallest: grid.smallest_threshold(LIMIT)?.unwrap_or(none),
        binomial,
        dense: dense.smallest_threshold(LIMIT)?.unwrap_or(none),
        medians,
    })
}

fn independent_synapses(point: &Recognition) -> Result<f64> {
    let share = point.active as f64 / point.cells as f64;
    Ok(Binomial::new(point.synapses, share)?.at_least(point.threshold))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn drawing_synapses_gives_the_reference_values() {
        for case in REFERENCES {
            let [cells, one, other] = case.sizes;
            let found = by_drawing_synapses(cells, one, other, case.overlap);
            assert!(
                (found / case.exact - 1.0).abs() < 1e-12,
                "{}: {found:e}",
                case.what
            );
        }
    }

    #[test]
    fn errors_are_told_apart_from_agreement() {
        assert_eq!(log_relative_error(-3.0, -3.0), -17.0);
        assert!((log_relative_error(0.0, -1e-6) + 6.0).abs() < 1e-5);
        assert!((log_relative_error(0.0, -230.258_509_299) - 100.0).abs() < 1e-6);
        assert!(log_relative_error(-200.0, 0.0).abs() < 1e-9);
        let found = references(50, &Seed::new(0)).unwrap();
        let [ours, binomial, shuffled] = found.log_errors();
        assert!(
            ours < -11.0 && binomial > 0.0 && shuffled > 0.0,
            "{found:?}"
        );
    }
}
