//! Correction for noise on both sides: in the responses, and in the weights that were fitted to them.

use chiasm_core::Result;
use chiasm_core::metrics::score::{ConstantRule, correlation_score};
use ndarray::ArrayView2;

use super::spearman_brown;

/// Held-out responses and their predictions (stimuli x targets): over all trials, and over two halves
/// of the trials, each predicted by a map that was fitted to its own half of the training trials.
#[derive(Clone, Copy, Debug)]
pub struct HalvesPredicted<'a> {
    /// Means over all trials.
    pub responses: ArrayView2<'a, f64>,
    /// Predictions of the map fitted to all training trials.
    pub predictions: ArrayView2<'a, f64>,
    /// Means over each half of the trials.
    pub half_responses: [ArrayView2<'a, f64>; 2],
    /// Predictions of the maps fitted to each half.
    pub half_predictions: [ArrayView2<'a, f64>; 2],
}

/// The correlation of responses and predictions, corrected for noise in both:
/// `r(ŷ, y) / √(SB(r(ŷ₁, ŷ₂)) SB(r(y₁, y₂)))`, SB the Spearman-Brown step to the whole.
///
/// Even a model without noise of its own has `ŷ₁ ≠ ŷ₂`, since the responses it was fitted to differ. With
/// another animal's responses as the features, the same number is the consistency between animals. NaN where
/// either reliability is not above 0. (Nayebi et al. 2023.)
///
/// # Errors
/// [`chiasm_core::Error::Shape`] where sizes disagree, [`chiasm_core::Error::TooFew`] with fewer than two stimuli,
/// [`chiasm_core::Error::NotFinite`] for NaN and infinities.
pub fn two_sided_noise_correction(halves: &HalvesPredicted<'_>) -> Result<Vec<f64>> {
    let correlation = |first, second| -> Result<Vec<f64>> {
        Ok(correlation_score::<f64>(first, second, ConstantRule::Exclude)?.values)
    };
    let raw = correlation(halves.responses, halves.predictions)?;
    let [first, second] = halves.half_responses;
    let responses = correlation(first, second)?;
    let [first, second] = halves.half_predictions;
    let predictions = correlation(first, second)?;
    // The halves must be of the same stimuli and targets as the whole.
    correlation(halves.responses, first)?;
    correlation(halves.responses, halves.half_responses[0])?;
    Ok(raw
        .iter()
        .zip(responses.iter().zip(&predictions))
        .map(|(raw, (responses, predictions))| {
            let (y, p) = (
                spearman_brown(*responses, 2.0),
                spearman_brown(*predictions, 2.0),
            );
            if y > 0.0 && p > 0.0 {
                raw / (y * p).sqrt()
            } else {
                f64::NAN
            }
        })
        .collect())
}

/// Means over splits and halvings, per target, of the values that are numbers; NaN where none is.
pub fn mean_over_splits(splits: &[Vec<f64>]) -> Vec<f64> {
    let targets = splits.first().map_or(0, Vec::len);
    (0..targets)
        .map(|target| {
            let values: Vec<f64> = splits
                .iter()
                .filter_map(|split| split.get(target).copied())
                .filter(|value| value.is_finite())
                .collect();
            chiasm_core::metrics::interval::mean(&values)
        })
        .collect()
}
