//! What every regression asks of its input, and how targets pass in batches.

use std::ops::Range;

use chiasm_core::{Error, Progress, Result};
use ndarray::ArrayView2;

use super::columns::Columns;
use super::real::Real;
use super::source::ResponseSource;

/// Fails for a penalty that is negative or not a number.
pub(super) fn check_alpha(alpha: f64) -> Result<()> {
    if !(alpha >= 0.0 && alpha.is_finite()) {
        return Err(Error::setting(
            "alpha",
            alpha,
            "a finite number, at least 0",
        ));
    }
    Ok(())
}

/// Ranges of targets of which one batch stays within the memory.
pub(super) fn batches<T>(
    targets: usize,
    per_target: usize,
    mebibytes: usize,
) -> impl Iterator<Item = Range<usize>> {
    let bytes = per_target.max(1) * size_of::<T>();
    let most = ((mebibytes << 20) / bytes).max(16);
    // Equal batches rather than a small last one.
    let count = targets.div_ceil(most).max(1);
    (0..count).map(move |batch| batch * targets / count..(batch + 1) * targets / count)
}

pub(super) fn is_constant<T: Real>(column: &[T]) -> bool {
    column.iter().all(|value| *value == column[0])
}

/// Which targets are the same number in all rows.
pub(super) fn constant_targets<T: Real, S: ResponseSource<T>>(
    y: &S,
    mebibytes: usize,
    progress: &Progress,
) -> Result<Vec<bool>> {
    let rows: Vec<usize> = (0..y.row_count()).collect();
    let mut constant = Vec::with_capacity(y.target_count());
    let mut responses = Columns::default();
    for batch in batches::<T>(y.target_count(), rows.len(), mebibytes) {
        responses.read(y, &rows, batch)?;
        constant.extend((0..responses.columns()).map(|j| is_constant(responses.column(j))));
        progress.check()?;
    }
    Ok(constant)
}

/// Fails where rows do not agree, something is empty or a feature is not a number.
pub(super) fn check_data<T: Real, S: ResponseSource<T>>(x: ArrayView2<'_, T>, y: &S) -> Result<()> {
    for (what, found, needed) in [
        ("rows", x.nrows(), 2),
        ("features", x.ncols(), 1),
        ("targets", y.target_count(), 1),
    ] {
        if found < needed {
            return Err(Error::TooFew {
                operation: "regression",
                what,
                found,
                needed,
            });
        }
    }
    if y.row_count() != x.nrows() {
        return Err(Error::Shape {
            operation: "regression",
            what: "the responses".to_string(),
            axis: "rows",
            found: y.row_count(),
            expected: format!("{} (one a row of features)", x.nrows()),
        });
    }
    check_features(x, x.ncols())
}

/// Fails where features are not as many as `expected` or not numbers.
pub(super) fn check_features<T: Real>(x: ArrayView2<'_, T>, expected: usize) -> Result<()> {
    if x.ncols() != expected {
        return Err(Error::Shape {
            operation: "regression",
            what: "the features".to_string(),
            axis: "features",
            found: x.ncols(),
            expected: expected.to_string(),
        });
    }
    let mut count = 0;
    let mut first = None;
    for ((row, feature), value) in x.indexed_iter() {
        if !value.is_finite() {
            count += 1;
            first.get_or_insert((row, feature));
        }
    }
    match first {
        None => Ok(()),
        Some((row, feature)) => Err(Error::NotFinite {
            what: "the features".to_string(),
            count,
            first: format!("row {row}, feature {feature}"),
        }),
    }
}
