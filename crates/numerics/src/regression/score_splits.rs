//! How the score of a joint prediction divides over the feature spaces that made it.

use chiasm_core::{Error, Result};
use ndarray::{Array2, ArrayView1, ArrayView2};

use super::real::Real;
use super::scores::check_same;

/// The product measure: each part's share of the joint R² (parts x targets).
///
/// With y the responses and p_i the parts' predictions, each about its own mean over the tested rows, and p = Σ_i p_i,
/// R²_i = Σ (2 y p_i - p_i p) / Σ y². Shares sum to the R² of p; one may be negative. A shift of the mean from
/// training to test counts for nothing. Constant responses score 0.
///
/// # Errors
/// [`Error::TooFew`] without parts or rows; [`Error::Shape`] where a part differs from the responses.
pub fn product_measure<T: Real>(
    observed: ArrayView2<'_, T>,
    parts: &[ArrayView2<'_, T>],
) -> Result<Array2<f64>> {
    split(observed, parts, |sums, share, joint| {
        share_of(2.0 * share.with_y - share.with_joint, sums.max(0.0), joint)
    })
}

/// Each part's share of the joint correlation (parts x targets): r_i = cov(y, p_i) / (sd(y) sd(p)), which sums to the
/// Pearson correlation of y with p = Σ_i p_i. 0 where responses or joint predictions are constant.
///
/// # Errors
/// As [`product_measure`].
pub fn correlation_split<T: Real>(
    observed: ArrayView2<'_, T>,
    parts: &[ArrayView2<'_, T>],
) -> Result<Array2<f64>> {
    split(observed, parts, |total, share, joint| {
        let scale = (total * joint).sqrt();
        share_of(share.with_y, scale, joint)
    })
}

fn share_of(part: f64, whole: f64, joint: f64) -> f64 {
    if whole > 0.0 && joint > 0.0 {
        part / whole
    } else {
        0.0
    }
}

/// Inner products of one part.
struct Share {
    with_y: f64,
    with_joint: f64,
}

fn split<T: Real>(
    observed: ArrayView2<'_, T>,
    parts: &[ArrayView2<'_, T>],
    share: impl Fn(f64, &Share, f64) -> f64,
) -> Result<Array2<f64>> {
    if parts.is_empty() {
        return Err(Error::TooFew {
            operation: "score split",
            what: "parts",
            found: 0,
            needed: 1,
        });
    }
    for part in parts {
        check_same(observed.dim(), part.dim())?;
    }
    let mut shares = Array2::zeros((parts.len(), observed.ncols()));
    for target in 0..observed.ncols() {
        let (y, constant) = centred(observed.column(target));
        let columns: Vec<Vec<f64>> = (parts.iter())
            .map(|part| centred(part.column(target)).0)
            .collect();
        let joint: Vec<f64> = (0..y.len())
            .map(|row| columns.iter().map(|column| column[row]).sum())
            .collect();
        let product = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
        let total = if constant { 0.0 } else { product(&y, &y) };
        let spread = product(&joint, &joint);
        for (slot, column) in shares.column_mut(target).iter_mut().zip(&columns) {
            let inner = Share {
                with_y: product(&y, column),
                with_joint: product(column, &joint),
            };
            *slot = share(total, &inner, spread);
        }
    }
    Ok(shares)
}

/// A column about its mean, and whether all its entries are the same.
fn centred<T: Real>(column: ArrayView1<'_, T>) -> (Vec<f64>, bool) {
    let mean = column.iter().map(|value| value.to_double()).sum::<f64>() / column.len() as f64;
    (
        column
            .iter()
            .map(|value| value.to_double() - mean)
            .collect(),
        column.iter().all(|value| *value == column[0]),
    )
}

/// What two feature spaces explain alone and together, a number a target.
#[derive(Clone, Debug, PartialEq)]
pub struct VariancePartition {
    /// R²(A, B) - R²(B).
    pub unique_first: Vec<f64>,
    /// R²(A, B) - R²(A).
    pub unique_second: Vec<f64>,
    /// R²(A) + R²(B) - R²(A, B). Negative where the two together do better than the sum of each alone.
    pub shared: Vec<f64>,
}

/// Divides the R² of a joint model by the R² of models of each feature space alone, all on the same tested
/// rows.
///
/// # Errors
/// [`Error::Shape`] where the numbers of targets differ.
pub fn variance_partition(
    joint: &[f64],
    first: &[f64],
    second: &[f64],
) -> Result<VariancePartition> {
    for (what, scores) in [("the first space", first), ("the second space", second)] {
        if scores.len() != joint.len() {
            return Err(Error::Shape {
                operation: "variance partition",
                what: format!("the scores of {what}"),
                axis: "targets",
                found: scores.len(),
                expected: joint.len().to_string(),
            });
        }
    }
    let each = |part: fn(f64, f64, f64) -> f64| {
        let scores = joint.iter().zip(first).zip(second);
        scores
            .map(|((&joint, &first), &second)| part(joint, first, second))
            .collect()
    };
    Ok(VariancePartition {
        unique_first: each(|joint, _, second| joint - second),
        unique_second: each(|joint, first, _| joint - first),
        shared: each(|joint, first, second| first + second - joint),
    })
}
