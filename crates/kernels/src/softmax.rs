//! Cross-entropy over softmax.

use rayon::prelude::*;

use crate::simd::{exp, max, sum, vectorised_fn};

/// The mean over rows of −log softmax(logits) at the target, and in `probabilities` (rows x classes)
/// the softmax, from which [`cross_entropy_backward`] makes the gradient.
///
/// `logits` (rows x classes); `targets` (rows), each below `classes`.
pub fn cross_entropy(
    logits: &[f32],
    classes: usize,
    targets: &[usize],
    probabilities: &mut [f32],
) -> f32 {
    assert_eq!(logits.len(), targets.len() * classes);
    assert_eq!(logits.len(), probabilities.len());
    if targets.is_empty() {
        return 0.0;
    }
    let losses: Vec<f32> = logits
        .par_chunks(classes)
        .zip(probabilities.par_chunks_mut(classes))
        .zip(targets)
        .with_min_len((crate::simd::CHUNK / classes).max(1))
        .map(|((logits, probabilities), &target)| one_row(logits, target, probabilities))
        .collect();
    let total: f64 = losses.iter().map(|&loss| f64::from(loss)).sum();
    (total / targets.len() as f64) as f32
}

/// Turns the softmax into the gradient at the logits, in place: `scale (p − onehot) / rows`,
/// where `scale` is the gradient at the loss.
pub fn cross_entropy_backward(
    probabilities: &mut [f32],
    classes: usize,
    targets: &[usize],
    scale: f32,
) {
    assert_eq!(probabilities.len(), targets.len() * classes);
    let scale = scale / targets.len().max(1) as f32;
    probabilities
        .par_chunks_mut(classes.max(1))
        .zip(targets)
        .with_min_len((crate::simd::CHUNK / classes.max(1)).max(1))
        .for_each(|(row, &target)| {
            row[target] -= 1.0;
            row.iter_mut().for_each(|value| *value *= scale);
        });
}

vectorised_fn! {
    /// The loss of one example and its softmax.
    fn one_row(logits: &[f32], target: usize, probabilities: &mut [f32]) -> f32 {
        let largest = max(logits);
        for (probability, logit) in probabilities.iter_mut().zip(logits) {
            *probability = exp(logit - largest);
        }
        let total = sum(probabilities);
        let scale = 1.0 / total;
        probabilities.iter_mut().for_each(|probability| *probability *= scale);
        largest + total.ln() - logits[target]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_logits_cost_log_classes() {
        let logits = vec![3.0; 8 * 5];
        let mut probabilities = vec![0.0; 40];
        let targets = [0, 1, 2, 3, 4, 0, 1, 2];
        let loss = cross_entropy(&logits, 5, &targets, &mut probabilities);
        assert!((loss - 5f32.ln()).abs() < 1e-6);
        assert!(probabilities.iter().all(|p| (p - 0.2).abs() < 1e-7));
        cross_entropy_backward(&mut probabilities, 5, &targets, 1.0);
        assert!((probabilities[0] - (0.2 - 1.0) / 8.0).abs() < 1e-7);
        assert!((probabilities[1] - 0.2 / 8.0).abs() < 1e-7);
    }

    #[test]
    fn huge_logits_stay_finite() {
        let mut probabilities = vec![0.0; 3];
        let loss = cross_entropy(&[1e30, -1e30, 0.0], 3, &[0], &mut probabilities);
        assert_eq!(loss, 0.0);
        assert_eq!(probabilities, [1.0, 0.0, 0.0]);
    }
}
