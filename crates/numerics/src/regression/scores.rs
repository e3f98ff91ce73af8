//! How well predictions fit, a number a target.
//!
//! - R² = 1 - SSE / SST with SST about the mean of the tested responses; it may be negative.
//! - Pearson's r over tested rows.
//!
//! Where the responses are constant (and, for r, where the predictions are) both are 0, never NaN.

use chiasm_core::{Error, Result};
use ndarray::{ArrayView1, ArrayView2};
use serde::{Deserialize, Serialize};

use super::penalty_path::{dot, sum};
use super::real::Real;

/// By which score penalties are chosen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SelectionMetric {
    /// 1 - SSE / SST about the mean of the tested responses.
    #[default]
    R2,
    /// Pearson's r.
    Correlation,
    /// -SSE / rows.
    NegativeMeanSquaredError,
}

/// Sums over tested rows from which every score follows.
#[derive(Clone, Copy, Debug)]
pub(super) struct Moments {
    pub(super) rows: f64,
    pub(super) observed: f64,
    pub(super) observed_square: f64,
    pub(super) predicted: f64,
    pub(super) predicted_square: f64,
    pub(super) cross: f64,
}

impl Moments {
    pub(super) fn of<T: Real>(observed: &[T], predicted: &[T]) -> Self {
        Moments {
            rows: observed.len() as f64,
            observed: sum(observed),
            observed_square: dot(observed, observed),
            predicted: sum(predicted),
            predicted_square: dot(predicted, predicted),
            cross: dot(observed, predicted),
        }
    }

    fn total(&self) -> f64 {
        let total = self.observed_square - self.observed * self.observed / self.rows;
        above_rounding(total, self.observed_square)
    }

    fn errors(&self) -> f64 {
        self.observed_square - 2.0 * self.cross + self.predicted_square
    }

    pub(super) fn score(&self, metric: SelectionMetric) -> f64 {
        match metric {
            SelectionMetric::NegativeMeanSquaredError => -self.errors() / self.rows,
            SelectionMetric::R2 => {
                let total = self.total();
                if total > 0.0 {
                    1.0 - self.errors() / total
                } else {
                    0.0
                }
            }
            SelectionMetric::Correlation => {
                let spread = self.predicted_square - self.predicted * self.predicted / self.rows;
                let spread = above_rounding(spread, self.predicted_square);
                let scale = (self.total() * spread).sqrt();
                if scale > 0.0 {
                    (self.cross - self.observed * self.predicted / self.rows) / scale
                } else {
                    0.0
                }
            }
        }
    }
}

/// 0 where a difference of sums is no more than what rounding leaves of `whole`.
fn above_rounding(difference: f64, whole: f64) -> f64 {
    if difference > 64.0 * f64::EPSILON * whole {
        difference
    } else {
        0.0
    }
}

/// R² of every target; responses and predictions are rows x targets.
///
/// # Errors
/// [`Error::Shape`] where the two differ; [`Error::TooFew`] without rows.
pub fn r2_scores<T: Real>(
    observed: ArrayView2<'_, T>,
    predicted: ArrayView2<'_, T>,
) -> Result<Vec<f64>> {
    each_target(observed, predicted, |moments| {
        moments.score(SelectionMetric::R2)
    })
}

/// Pearson's r of every target; responses and predictions are rows x targets.
///
/// # Errors
/// As [`r2_scores`].
pub fn correlation_scores<T: Real>(
    observed: ArrayView2<'_, T>,
    predicted: ArrayView2<'_, T>,
) -> Result<Vec<f64>> {
    each_target(observed, predicted, |moments| {
        moments.score(SelectionMetric::Correlation)
    })
}

fn each_target<T: Real>(
    observed: ArrayView2<'_, T>,
    predicted: ArrayView2<'_, T>,
    score: impl Fn(&Moments) -> f64,
) -> Result<Vec<f64>> {
    check_same(observed.dim(), predicted.dim())?;
    let pairs = observed.columns().into_iter().zip(predicted.columns());
    Ok(pairs
        .map(|(observed, predicted)| score(&centred_moments(observed, predicted)))
        .collect())
}

/// Moments about the mean response, where little cancels.
fn centred_moments<T: Real>(observed: ArrayView1<'_, T>, predicted: ArrayView1<'_, T>) -> Moments {
    let rows = observed.len() as f64;
    let mean = observed.iter().map(|y| y.to_double()).sum::<f64>() / rows;
    let shifted = |values: ArrayView1<'_, T>| -> Vec<f64> {
        values
            .iter()
            .map(|value| value.to_double() - mean)
            .collect()
    };
    Moments::of(&shifted(observed), &shifted(predicted))
}

pub(super) fn check_same(observed: (usize, usize), predicted: (usize, usize)) -> Result<()> {
    for (axis, found, expected) in [
        ("rows", predicted.0, observed.0),
        ("targets", predicted.1, observed.1),
    ] {
        if found != expected {
            return Err(Error::Shape {
                operation: "scores",
                what: "the predictions".to_string(),
                axis,
                found,
                expected: expected.to_string(),
            });
        }
    }
    if observed.0 == 0 {
        return Err(Error::TooFew {
            operation: "scores",
            what: "rows",
            found: 0,
            needed: 1,
        });
    }
    Ok(())
}
