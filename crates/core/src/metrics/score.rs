//! How well responses are predicted: one score a target, over samples that no fit has seen.
//!
//! `y` and `ŷ` are samples x targets. For each target
//! - correlation: `r = Σ(y − ȳ)(ŷ − ŷ̄) / √(Σ(y − ȳ)² Σ(ŷ − ŷ̄)²)`,
//! - determination: `R² = 1 − Σ(y − ŷ)² / Σ(y − ȳ)²` with the mean `ȳ` of the samples that are scored
//!   (not of those that were fitted), so that it may fall below 0,
//! - error: `−Σ(y − ŷ)² / n`.
//!
//! A target that does not vary has neither a correlation nor an R². Packages disagree about what to
//! say of it: himalaya gives 0, others NaN. Here the caller chooses ([`ConstantRule`]), and the targets
//! concerned are listed, so that no mean swallows them in silence.
//!
//! Sums run over samples in order, in `f64` also where the numbers are `f32`.

use ndarray::{ArrayView1, ArrayView2, Axis};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};

/// What a target scores whose values or predictions do not vary.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ConstantRule {
    /// 0, which counts in means (himalaya's convention).
    Zero,
    /// NaN, which does not.
    #[default]
    Exclude,
}

impl ConstantRule {
    fn value(self) -> f64 {
        match self {
            ConstantRule::Zero => 0.0,
            ConstantRule::Exclude => f64::NAN,
        }
    }
}

/// One score a target.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TargetScores {
    /// The scores; NaN for targets that are excluded.
    pub values: Vec<f64>,
    /// Targets whose values or predictions do not vary, ascending.
    pub constant: Vec<usize>,
}

impl TargetScores {
    /// The scores that count.
    pub fn counted(&self) -> Vec<f64> {
        counted(&self.values)
    }

    /// The mean of the scores that count; NaN where none does.
    pub fn mean(&self) -> f64 {
        super::interval::mean(&self.counted())
    }

    /// The median of the scores that count; NaN where none does.
    pub fn median(&self) -> f64 {
        median(&self.values)
    }
}

/// Those of `values` that are numbers.
pub fn counted(values: &[f64]) -> Vec<f64> {
    values.iter().copied().filter(|v| v.is_finite()).collect()
}

/// The median of those of `values` that are numbers, the mean of the middle two where they are even in
/// number; NaN of none.
pub fn median(values: &[f64]) -> f64 {
    let mut sorted = counted(values);
    sorted.sort_unstable_by(f64::total_cmp);
    match sorted.len() {
        0 => f64::NAN,
        odd if odd % 2 == 1 => sorted[odd / 2],
        even => (sorted[even / 2 - 1] + sorted[even / 2]) / 2.0,
    }
}

/// Pearson's correlation of values and predictions, per target.
///
/// # Errors
/// [`Error::Shape`] where the two disagree, [`Error::TooFew`] with fewer than two samples,
/// [`Error::NotFinite`] for NaN and infinities in either.
pub fn correlation_score<T: Into<f64> + Copy + Sync>(
    truth: ArrayView2<'_, T>,
    prediction: ArrayView2<'_, T>,
    rule: ConstantRule,
) -> Result<TargetScores> {
    per_target("correlation score", truth, prediction, rule, |y, p| {
        if is_constant(y) || is_constant(p) {
            return None;
        }
        Some(centred_correlation(y, p))
    })
}

/// The share of each target's variance that predictions account for, `R²`; negative where they are
/// worse than the mean of the samples.
///
/// # Errors
/// As [`correlation_score`].
pub fn determination_score<T: Into<f64> + Copy + Sync>(
    truth: ArrayView2<'_, T>,
    prediction: ArrayView2<'_, T>,
    rule: ConstantRule,
) -> Result<TargetScores> {
    per_target("R² score", truth, prediction, rule, |y, p| {
        if is_constant(y) {
            return None;
        }
        let centre = super::interval::mean(y);
        let total: f64 = y.iter().map(|y| (y - centre).powi(2)).sum();
        Some(1.0 - squared_error(y, p) / total)
    })
}

/// Minus the mean squared error of each target. A constant target has one too.
///
/// # Errors
/// As [`correlation_score`].
pub fn negative_squared_error<T: Into<f64> + Copy + Sync>(
    truth: ArrayView2<'_, T>,
    prediction: ArrayView2<'_, T>,
) -> Result<TargetScores> {
    let rule = ConstantRule::Exclude;
    per_target("squared error", truth, prediction, rule, |y, p| {
        Some(-squared_error(y, p) / y.len() as f64)
    })
}

/// `sign(R²) √|R²|`, which some fMRI code reports as if it were a correlation.
pub fn signed_root(determination: f64) -> f64 {
    determination.signum() * determination.abs().sqrt()
}

/// Correlation across targets, one score a sample (the "pattern correlation" of some fMRI papers).
///
/// The mean pattern over samples dominates it: without `centre` even the training mean alone scores
/// high. Give that mean as `centre`, and it is subtracted from both sides.
///
/// # Errors
/// As [`correlation_score`]; the axes are those of `truth`.
pub fn pattern_correlation<T: Into<f64> + Copy + Sync>(
    truth: ArrayView2<'_, T>,
    prediction: ArrayView2<'_, T>,
    centre: Option<ArrayView1<'_, f64>>,
    rule: ConstantRule,
) -> Result<TargetScores> {
    if let Some(centre) = centre
        && centre.len() != truth.ncols()
    {
        return Err(Error::Shape {
            operation: "pattern correlation",
            what: "the centre".to_string(),
            axis: "targets",
            found: centre.len(),
            expected: truth.ncols().to_string(),
        });
    }
    let moved = |values: &[f64]| -> Vec<f64> {
        match centre {
            Some(centre) => values.iter().zip(centre).map(|(v, c)| v - c).collect(),
            None => values.to_vec(),
        }
    };
    // Samples take the place of targets.
    let operation = "pattern correlation";
    per_target(operation, truth.t(), prediction.t(), rule, |y, p| {
        let (y, p) = (moved(y), moved(p));
        if is_constant(&y) || is_constant(&p) {
            return None;
        }
        Some(centred_correlation(&y, &p))
    })
}

fn per_target<T: Into<f64> + Copy + Sync>(
    operation: &'static str,
    truth: ArrayView2<'_, T>,
    prediction: ArrayView2<'_, T>,
    rule: ConstantRule,
    score: impl Fn(&[f64], &[f64]) -> Option<f64> + Sync,
) -> Result<TargetScores> {
    for (axis, found, expected) in [
        ("samples", prediction.nrows(), truth.nrows()),
        ("targets", prediction.ncols(), truth.ncols()),
    ] {
        if found != expected {
            return Err(Error::Shape {
                operation,
                what: "the predictions".to_string(),
                axis,
                found,
                expected: expected.to_string(),
            });
        }
    }
    if truth.nrows() < 2 {
        return Err(Error::TooFew {
            operation,
            what: "samples",
            found: truth.nrows(),
            needed: 2,
        });
    }
    let column = |matrix: ArrayView2<'_, T>, target: usize| -> Vec<f64> {
        matrix
            .index_axis(Axis(1), target)
            .iter()
            .map(|&value| value.into())
            .collect()
    };
    let scored: Vec<Result<Option<f64>>> = (0..truth.ncols())
        .into_par_iter()
        .with_min_len(16)
        .map(|target| {
            let (y, p) = (column(truth, target), column(prediction, target));
            for (what, values) in [("the values", &y), ("the predictions", &p)] {
                crate::data::require_finite(what, values, |sample| {
                    format!("sample {sample}, target {target}")
                })?;
            }
            Ok(score(&y, &p))
        })
        .collect();
    let mut scores = TargetScores::default();
    for (target, score) in scored.into_iter().enumerate() {
        let score = score?;
        if score.is_none() {
            scores.constant.push(target);
        }
        scores.values.push(score.unwrap_or_else(|| rule.value()));
    }
    Ok(scores)
}

/// Whether nothing but rounding sets the values apart.
pub fn is_constant(values: &[f64]) -> bool {
    let (mut low, mut high) = (f64::INFINITY, f64::NEG_INFINITY);
    for &value in values {
        low = low.min(value);
        high = high.max(value);
    }
    !(high - low > 8.0 * f64::EPSILON * low.abs().max(high.abs()))
}

/// Pearson's correlation of two series that vary, within -1..=1.
pub fn centred_correlation(x: &[f64], y: &[f64]) -> f64 {
    let (x_mean, y_mean) = (super::interval::mean(x), super::interval::mean(y));
    let (mut xx, mut yy, mut xy) = (0.0, 0.0, 0.0);
    for (x, y) in x.iter().zip(y) {
        let (x, y) = (x - x_mean, y - y_mean);
        xx += x * x;
        yy += y * y;
        xy += x * y;
    }
    (xy / (xx.sqrt() * yy.sqrt())).clamp(-1.0, 1.0)
}

fn squared_error(y: &[f64], p: &[f64]) -> f64 {
    y.iter().zip(p).map(|(y, p)| (y - p).powi(2)).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::{Array2, array};

    #[test]
    fn scores_by_hand() {
        let truth = array![[1.0, 0.0], [2.0, 0.0], [3.0, 3.0]];
        let prediction = array![[1.0, 2.0], [2.0, 0.0], [2.0, 1.0]];
        let r = correlation_score(truth.view(), prediction.view(), ConstantRule::Exclude).unwrap();
        // Σxy = 1, Σxx = 2, Σyy = 2/3.
        assert!((r.values[0] - 1.0 / (2.0f64 * 2.0 / 3.0).sqrt()).abs() < 1e-15);
        assert!(r.values[1].abs() < 1e-15);
        let r2 =
            determination_score(truth.view(), prediction.view(), ConstantRule::Exclude).unwrap();
        assert!((r2.values[0] - 0.5).abs() < 1e-15);
        assert!((r2.values[1] - (1.0 - 8.0 / 6.0)).abs() < 1e-15);
        let error = negative_squared_error(truth.view(), prediction.view()).unwrap();
        assert_eq!(error.values, [-1.0 / 3.0, -8.0 / 3.0]);
        assert_eq!(signed_root(-0.25), -0.5);
    }

    #[test]
    fn constants_are_listed_and_scored_by_the_rule() {
        let truth = array![[1.0, 5.0, 0.1], [2.0, 5.0, 0.2], [4.0, 5.0, 0.4]];
        let mut prediction = truth.clone();
        prediction.column_mut(2).fill(0.1 + 0.2);
        let excluded =
            correlation_score(truth.view(), prediction.view(), ConstantRule::Exclude).unwrap();
        assert_eq!(excluded.constant, [1, 2]);
        assert!(excluded.values[1].is_nan() && excluded.values[2].is_nan());
        assert!((excluded.mean() - 1.0).abs() < 1e-15);
        let zero = correlation_score(truth.view(), prediction.view(), ConstantRule::Zero).unwrap();
        assert!((zero.mean() - 1.0 / 3.0).abs() < 1e-15);
        assert_eq!(zero.median(), 0.0);
        // A constant prediction has an R², a constant target has none.
        let r2 = determination_score(truth.view(), prediction.view(), ConstantRule::Zero).unwrap();
        assert_eq!((r2.constant.as_slice(), r2.values[1]), (&[1][..], 0.0));
        assert!(r2.values[2] < 0.0);
    }

    #[test]
    fn scores_agree_with_himalaya_and_scikit_learn() {
        let fixture: serde_json::Value =
            serde_json::from_str(include_str!("../../tests/fixtures/target_scores.json")).unwrap();
        let numbers =
            |name: &str| -> Vec<f64> { serde_json::from_value(fixture[name].clone()).unwrap() };
        let matrix = |name: &str| -> Array2<f64> {
            let rows: Vec<Vec<f64>> = serde_json::from_value(fixture[name].clone()).unwrap();
            Array2::from_shape_vec((rows.len(), rows[0].len()), rows.concat()).unwrap()
        };
        let (truth, prediction) = (matrix("truth"), matrix("prediction"));
        let close = |found: &[f64], expected: &[f64]| {
            assert_eq!(found.len(), expected.len());
            for (found, expected) in found.iter().zip(expected) {
                assert!((found - expected).abs() < 1e-12, "{found} {expected}");
            }
        };
        let rule = ConstantRule::Zero;
        let r = correlation_score(truth.view(), prediction.view(), rule).unwrap();
        close(&r.values, &numbers("himalaya_correlation"));
        assert_eq!(r.constant, [3, 4]);
        let mut r2 = determination_score(truth.view(), prediction.view(), rule).unwrap();
        close(&r2.values, &numbers("himalaya_r2"));
        r2.values.remove(3);
        close(&r2.values, &numbers("sklearn_r2_of_varying_targets"));
    }

    #[test]
    fn a_mean_pattern_scores_high_until_it_is_taken_away() {
        // Targets with offsets of standard deviation 2 and no signal at all.
        let number = |index: usize| -> f64 {
            let raw = crate::Seed::new(3).indexed(index as u64).to_u64();
            (raw >> 11) as f64 / (1_u64 << 53) as f64 - 0.5
        };
        let offsets = Array2::from_shape_fn((1, 200), |(_, target)| 7.0 * number(target));
        let noise = Array2::from_shape_fn((30, 200), |(i, j)| number(1000 + i * 200 + j));
        let truth = &noise + &offsets;
        let prediction = Array2::from_shape_fn((30, 200), |(i, j)| {
            offsets[[0, j]] + 0.1 * number(9000 + i * 200 + j)
        });
        let rule = ConstantRule::Exclude;
        let raw = pattern_correlation(truth.view(), prediction.view(), None, rule).unwrap();
        assert!(raw.mean() > 0.95, "{}", raw.mean());
        let centre = Some(offsets.row(0));
        let centred = pattern_correlation(truth.view(), prediction.view(), centre, rule).unwrap();
        assert!(centred.mean().abs() < 0.05, "{}", centred.mean());
    }

    #[test]
    fn what_cannot_be_scored_is_refused() {
        let rule = ConstantRule::Exclude;
        let two: Array2<f64> = array![[1.0, 2.0], [3.0, 4.0]];
        let other: Array2<f64> = array![[1.0], [3.0]];
        assert!(correlation_score(two.view(), other.view(), rule).is_err());
        let one: Array2<f64> = array![[1.0]];
        assert!(correlation_score(one.view(), one.view(), rule).is_err());
        let hole: Array2<f64> = array![[1.0, 2.0], [f64::NAN, 4.0]];
        let error = determination_score(two.view(), hole.view(), rule).unwrap_err();
        assert!(error.to_string().contains("sample 1, target 0"), "{error}");
        let single: Array2<f32> = array![[1.0, 2.0], [3.0, 4.5]];
        assert!(correlation_score(single.view(), single.view(), rule).is_ok());
    }
}
