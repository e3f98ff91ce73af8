//! Symmetrised Kullback-Leibler divergence of Poisson rates.

use chiasm_core::{Error, Result};
use ndarray::Array2;

use super::{DissimilaritySettings, fill_condensed, ties};
use crate::similarity::dense::{Cores, cross_gram};

/// `sum (a - b)(ln a - ln b) / P` of rates shrunk towards the prior, `(x + rate * weight) / (1 + weight)`.
pub(super) fn condensed(
    name: &str,
    patterns: Array2<f64>,
    label: impl Fn(usize) -> String,
    settings: &DissimilaritySettings,
) -> Result<Vec<f64>> {
    if let Some(((condition, channel), value)) =
        patterns.indexed_iter().find(|(_, value)| **value < 0.0)
    {
        return Err(Error::Unusable {
            operation: "poisson divergence",
            reason: format!(
                "{name}: condition {}, channel {channel} is {value}; rates and counts cannot be negative",
                label(condition)
            ),
        });
    }
    let (rate, weight) = (settings.poisson_prior_rate, settings.poisson_prior_weight);
    let rates = patterns.mapv(|value| (value + rate * weight) / (1.0 + weight));
    let logs = rates.mapv(f64::ln);
    let kernel = cross_gram(rates.view(), logs.view(), Cores::All);
    let channels = rates.ncols() as f64;
    let mut values = fill_condensed(rates.nrows(), |i, j| {
        (kernel[[i, i]] + kernel[[j, j]] - kernel[[i, j]] - kernel[[j, i]]) / channels
    });
    let largest = kernel.iter().map(|value| value.abs()).fold(0.0, f64::max);
    ties::settle(&mut values, largest / channels)?;
    Ok(values)
}
