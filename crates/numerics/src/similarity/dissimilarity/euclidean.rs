//! Squared and plain Euclidean distance, divided by the number of channels before any root.

use chiasm_core::Result;
use ndarray::{Array2, Axis};

use super::{fill_condensed, ties};
use crate::similarity::dense::{Cores, lower_gram};

/// `|a - b|² / P` for all pairs of rows, condensed.
pub(super) fn squared_condensed(mut patterns: Array2<f64>) -> Result<Vec<f64>> {
    // Distances do not move with the mean pattern; without it, the subtraction below loses fewer digits.
    if let Some(mean) = patterns.mean_axis(Axis(0)) {
        patterns -= &mean;
    }
    let channels = patterns.ncols() as f64;
    let gram = lower_gram(patterns.view(), Cores::All);
    let mut values = fill_condensed(patterns.nrows(), |i, j| {
        (gram[[i, i]] + gram[[j, j]] - 2.0 * gram[[j, i]]).max(0.0) / channels
    });
    let largest = gram.diag().iter().copied().fold(0.0, f64::max);
    ties::settle(&mut values, largest / channels)?;
    Ok(values)
}

/// The root of [`squared_condensed`].
pub(super) fn condensed(patterns: Array2<f64>) -> Result<Vec<f64>> {
    let mut values = squared_condensed(patterns)?;
    for value in &mut values {
        *value = value.sqrt();
    }
    Ok(values)
}
