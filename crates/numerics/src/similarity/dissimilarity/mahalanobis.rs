//! Squared Mahalanobis distance under the covariance of the noise.

use chiasm_core::Result;
use chiasm_core::data::Responses;
use ndarray::Array2;

use super::noise_covariance::{NoiseModel, NoiseWhitening};
use super::{Grouped, euclidean};

/// Squared Euclidean distances of noise-whitened patterns.
pub(super) fn condensed(
    responses: &Responses,
    grouped: &Grouped<'_>,
    patterns: Array2<f64>,
    noise: NoiseModel,
) -> Result<Vec<f64>> {
    let whitening = noise_of_repeats(responses, grouped, &patterns, noise)?;
    euclidean::squared_condensed(whitening.apply(patterns)?)
}

/// The noise whitening estimated from what is left of each trial once its condition's mean is removed.
pub(super) fn noise_of_repeats(
    responses: &Responses,
    grouped: &Grouped<'_>,
    means: &Array2<f64>,
    noise: NoiseModel,
) -> Result<NoiseWhitening> {
    let mut residuals = responses.values.clone();
    for (mut trial, &condition) in residuals
        .rows_mut()
        .into_iter()
        .zip(&grouped.condition_of_trial)
    {
        trial -= &means.row(condition);
    }
    let degrees_of_freedom = residuals.nrows() - means.nrows();
    NoiseWhitening::fit(&responses.name, residuals, degrees_of_freedom, noise)
}
