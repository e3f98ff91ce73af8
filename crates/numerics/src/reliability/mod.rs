//! Reliability of repeated responses, and the ceilings it sets on what any model can reach.
//!
//! A response is signal plus noise that repeats do not share. With single-trial variances `S` (signal)
//! and `N` (noise), the mean of `k` repeats has the share `ρ = S / (S + N/k)` of signal. That share is
//! what every ceiling here returns: a quantity of the kind of a variance or an R². The best
//! *correlation* a noise-free model can reach with that mean is `√ρ`.
//!
//! | function | estimate | needs |
//! | --- | --- | --- |
//! | [`split_half`] | correlation of two random halves, stepped up by Spearman and Brown | 2 repeats |
//! | [`nsd_noise_ceiling`] | variance within stimuli as noise (Allen et al. 2022, Natural Scenes Dataset) | 2 repeats of some |
//! | [`explainable_variance`] | variance of the mean over mean variance (voxelwise modelling) | all repeats |
//! | [`signal_power`] | variance of the sum less the sum of variances (Schoppe et al. 2016) | all repeats |
//!
//! Values above 1 and below 0 are estimates too and are left as they are; NaN marks a target for which
//! there is none, because it does not vary. [`two_sided_noise_correction`] also corrects for the noise in
//! the model's own weights; [`brain_score`] aggregates as the benchmark of that name does.

mod brain_score;
mod explainable_variance;
mod nsd;
mod repeats;
mod signal_power;
mod split_half;
mod two_sided;

pub use brain_score::{BrainScore, CeilingNormalisation, brain_score, normalised_by_ceiling};
pub use explainable_variance::{BiasCorrection, explainable_variance};
pub use nsd::{NsdCeiling, TotalVariance, nsd_noise_ceiling};
pub use repeats::Repeats;
pub use signal_power::{SignalPower, normalised_correlation, signal_power};
pub use split_half::{SpearmanBrown, SplitHalfSettings, split_half};
pub use two_sided::{HalvesPredicted, mean_over_splits, two_sided_noise_correction};

/// The reliability of `factor` times as much data as gave `reliability`: `n r / (1 + (n − 1) r)`
/// (Spearman 1910, Brown 1910). Halves become the whole with 2; a single trial becomes a mean of `k`
/// with `k`, and back with `1/k`.
pub fn spearman_brown(reliability: f64, factor: f64) -> f64 {
    factor * reliability / (1.0 + (factor - 1.0) * reliability)
}

/// The unbiased variance (divisor n − 1) of a series of at least two.
fn variance(values: &[f64]) -> f64 {
    let centre = chiasm_core::metrics::interval::mean(values);
    let squares: f64 = values.iter().map(|value| (value - centre).powi(2)).sum();
    squares / (values.len() as f64 - 1.0)
}

/// One number a target, targets over the cores, each target's own sums in order.
fn per_target(targets: usize, of: impl Fn(usize) -> f64 + Sync + Send) -> Vec<f64> {
    use rayon::prelude::*;
    (0..targets)
        .into_par_iter()
        .with_min_len(16)
        .map(of)
        .collect()
}
