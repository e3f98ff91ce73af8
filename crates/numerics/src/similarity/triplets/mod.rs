//! Image triplets that take two kinds of similarity apart.
//!
//! A triplet is a root and two alternatives; an observer says which alternative, `a` or `b`, is more
//! like the root. With similarities `S(i, j)` of a high and of a low level, its differences are
//!
//! ```text
//! ΔS = S(root, b) - S(root, a),    once for each level.
//! ```
//!
//! Images of one category also look alike, so that in random triplets the two differences go together
//! and no choice tells which of them an observer used. [`select_triplets`] fills a grid of bins instead:
//! in bin (i, j) the size of the high difference is `i` steps and that of the low one `j` steps (a step
//! is a share of the standard deviation of all similarities of its level), each within a tolerance,
//! with either sign. No image is used twice over all tables, and what could not be found is counted.
//! [`random_triplets`] is the plain alternative of the same size.
//!
//! Source: Piriyajitakonkij, Itthipuripat, Ballard and Pappas, "What Makes a Face Look like a Hat",
//! arXiv 2409.02241 (2024). Other than there: roots are drawn until one has a solution, the last image
//! may be a root too, signs are balanced unless a coin is asked for, and left and right are dealt at
//! random, since a high difference that is always positive makes the decorrelation trivial.
//!
//! Shapes: both similarities images x images; differences in their units.

mod differences;
mod random;
mod scan;
mod select;
mod similarity;

use chiasm_core::{Error, Result};
use serde::{Deserialize, Serialize};

pub use differences::feature_differences;
pub use random::random_triplets;
pub use select::select_triplets;
pub use similarity::{Similarity, check_pair};

/// How triplets are selected.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TripletSettings {
    /// Bins of each level: sizes of differences run from one step to this many.
    pub bins: usize,
    /// A step, in standard deviations of the similarities of a level.
    pub step: f64,
    /// How far a difference may lie from its target.
    pub tolerance: f64,
    /// What `tolerance` is measured in.
    pub tolerance_unit: ToleranceUnit,
    /// Triplets wanted of each bin.
    pub tables: usize,
    /// Whether the ones on the diagonal count for the standard deviation, as in the authors' program.
    pub diagonal_counts: bool,
    /// Which sign the low difference has where the high one is positive.
    pub signs: LowSigns,
    /// Roots tried for each wanted triplet at most; 0 tries every unused image.
    pub most_roots: usize,
}

/// What a tolerance is measured in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ToleranceUnit {
    /// The units of the similarities; means nothing where they lie close together.
    Similarity,
    /// Standard deviations of the similarities of a level.
    StandardDeviation,
}

/// How the sign of the low difference is chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LowSigns {
    /// The sign that brings the running sum of products of both targets towards 0.
    Balanced,
    /// A coin: n triplets keep a correlation of about 1 / sqrt(n) by chance.
    Coin,
}

impl Default for TripletSettings {
    fn default() -> Self {
        TripletSettings {
            bins: 10,
            step: 0.5,
            tolerance: 0.01,
            tolerance_unit: ToleranceUnit::Similarity,
            tables: 3,
            diagonal_counts: false,
            signs: LowSigns::Balanced,
            most_roots: 0,
        }
    }
}

impl TripletSettings {
    /// Fails where a setting is out of range, naming it.
    pub fn check(&self) -> Result<()> {
        const MOST: usize = 1000;
        for (name, value) in [("bins", self.bins), ("tables", self.tables)] {
            if !(1..=MOST).contains(&value) {
                return Err(Error::setting(name, value, format!("1 to {MOST}")));
            }
        }
        for (name, value) in [("step", self.step), ("tolerance", self.tolerance)] {
            if !(value > 0.0 && value.is_finite()) {
                return Err(Error::setting(name, value, "a number above 0"));
            }
        }
        Ok(())
    }
}

/// A root and two alternatives, in the order in which they are shown: `a` left, `b` right.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Triplet {
    /// The image both alternatives are compared with.
    pub root: usize,
    /// The left alternative.
    pub a: usize,
    /// The right alternative.
    pub b: usize,
    /// High similarity of root and `b` minus that of root and `a`.
    pub high_difference: f64,
    /// The same of low similarity.
    pub low_difference: f64,
    /// The bin it was selected for: steps of the high and of the low difference, from 1; `None` for
    /// random triplets.
    pub bin: Option<[usize; 2]>,
}

impl Triplet {
    /// The triplet of these images with the differences of two similarities.
    pub fn of(high: &Similarity, low: &Similarity, [root, a, b]: [usize; 3]) -> Self {
        let difference = |of: &Similarity| of.values()[[root, b]] - of.values()[[root, a]];
        Triplet {
            root,
            a,
            b,
            high_difference: difference(high),
            low_difference: difference(low),
            bin: None,
        }
    }

    /// Root, left and right.
    pub fn images(&self) -> [usize; 3] {
        [self.root, self.a, self.b]
    }

    /// The same with left and right exchanged.
    #[must_use]
    pub fn mirrored(self) -> Self {
        Triplet {
            a: self.b,
            b: self.a,
            high_difference: -self.high_difference,
            low_difference: -self.low_difference,
            ..self
        }
    }
}

/// How a bin came off.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BinCoverage {
    /// Steps of the high difference, from 1.
    pub high: usize,
    /// Steps of the low difference, from 1.
    pub low: usize,
    /// Triplets wanted.
    pub wanted: usize,
    /// Triplets found.
    pub found: usize,
    /// Roots that were tried for them.
    pub roots_tried: usize,
}

/// Selected triplets and what became of each bin.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TripletSelection {
    /// The triplets, table by table.
    pub triplets: Vec<Triplet>,
    /// Every bin, by high steps, then low steps.
    pub coverage: Vec<BinCoverage>,
    /// The standard deviation of the high similarities, by which steps were measured.
    pub high_deviation: f64,
    /// The standard deviation of the low similarities.
    pub low_deviation: f64,
}

impl TripletSelection {
    /// Triplets found, as a share of those wanted.
    pub fn yield_share(&self) -> f64 {
        let wanted: usize = self.coverage.iter().map(|bin| bin.wanted).sum();
        self.triplets.len() as f64 / wanted.max(1) as f64
    }

    /// Bins in which at least one triplet was found, as a share of all bins.
    pub fn covered_share(&self) -> f64 {
        let covered = self.coverage.iter().filter(|bin| bin.found > 0).count();
        covered as f64 / self.coverage.len().max(1) as f64
    }
}

/// Pearson's correlation of the high and the low differences; `None` with fewer than three triplets
/// or where one of the differences is always the same.
pub fn difference_correlation(triplets: &[Triplet]) -> Option<f64> {
    if triplets.len() < 3 {
        return None;
    }
    let count = triplets.len() as f64;
    let mean = |of: fn(&Triplet) -> f64| -> f64 { triplets.iter().map(of).sum::<f64>() / count };
    let (high, low) = (
        mean(|one| one.high_difference),
        mean(|one| one.low_difference),
    );
    let (mut both, mut highs, mut lows) = (0.0, 0.0, 0.0);
    for one in triplets {
        let (x, y) = (one.high_difference - high, one.low_difference - low);
        both += x * y;
        highs += x * x;
        lows += y * y;
    }
    let scale = (highs * lows).sqrt();
    (scale > 0.0).then(|| both / scale)
}

/// Images that stand in more than one place.
pub fn reused_images(triplets: &[Triplet]) -> usize {
    let mut images: Vec<usize> = triplets.iter().flat_map(Triplet::images).collect();
    images.sort_unstable();
    images
        .chunk_by(|a, b| a == b)
        .filter(|same| same.len() > 1)
        .count()
}
