//! Correlation distance.

use chiasm_core::{Error, Result};
use ndarray::{Array2, Axis};
use rayon::prelude::*;

use super::{fill_condensed, ties};
use crate::similarity::dense::{Cores, lower_gram};

/// A pattern whose spread is below this share of its size is constant up to rounding.
const CONSTANT_BELOW: f64 = 1e-26;

/// `1 - r` for all pairs of rows of `patterns` (conditions x channels), condensed: rows are centred and
/// scaled to unit length, then one Gram product gives every r.
pub(super) fn condensed(
    name: &str,
    mut patterns: Array2<f64>,
    label: impl Fn(usize) -> String,
) -> Result<Vec<f64>> {
    let constant = patterns
        .axis_iter_mut(Axis(0))
        .into_par_iter()
        .map(|mut pattern| {
            // Squares of very large or small numbers leave the range of a double.
            let largest = pattern
                .iter()
                .fold(0.0_f64, |most, value| most.max(value.abs()));
            if largest > 0.0 {
                pattern /= largest;
            }
            let size: f64 = pattern.iter().map(|value| value * value).sum();
            let mean = pattern.sum() / pattern.len() as f64;
            pattern -= mean;
            let spread: f64 = pattern.iter().map(|value| value * value).sum();
            pattern /= spread.sqrt();
            spread <= CONSTANT_BELOW * size
        })
        .collect::<Vec<bool>>();
    if let Some(index) = constant.iter().position(|constant| *constant) {
        return Err(Error::Unusable {
            operation: "correlation distance",
            reason: format!(
                "{name}: condition {} is constant across channels, so its correlation is undefined; \
                 drop it or use euclidean",
                label(index)
            ),
        });
    }
    let gram = lower_gram(patterns.view(), Cores::All);
    let mut values = fill_condensed(patterns.nrows(), |i, j| 1.0 - gram[[j, i]]);
    ties::settle(&mut values, 1.0)?;
    Ok(values)
}
