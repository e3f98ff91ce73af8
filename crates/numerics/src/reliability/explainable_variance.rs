//! Explainable variance, as the voxelwise modelling of time series has it.

use chiasm_core::Result;
use chiasm_core::metrics::interval::mean;
use chiasm_core::metrics::score::is_constant;
use serde::{Deserialize, Serialize};

use super::{Repeats, per_target, variance};

/// Whether the noise left in the mean of few repeats is taken off.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum BiasCorrection {
    /// `EV − (1 − EV)/(R − 1)` for `R` repeats: the share of signal in a *single* trial. 0 without signal.
    #[default]
    Corrected,
    /// `EV` itself, about `1/R` without any signal.
    None,
}

/// Explainable variance per target: each repeat is z-scored over stimuli (or time), then
/// `EV = Var(mean over repeats) / mean over repeats(Var)`, both with divisor n − 1.
///
/// The corrected value is that of a single trial; [`super::spearman_brown`] with factor `k` makes it that
/// of a mean of `k`. NaN where a repeat does not vary.
///
/// # Errors
/// [`chiasm_core::Error::TooFew`] with fewer than two repeats, [`chiasm_core::Error::Unusable`] where some are missing.
pub fn explainable_variance(repeats: &Repeats<'_>, bias: BiasCorrection) -> Result<Vec<f64>> {
    let (count, stimuli) = repeats.require_complete("explainable variance")?;
    Ok(per_target(repeats.targets(), |target| {
        let mut total = vec![0.0; stimuli];
        for repeat in 0..count {
            let series: Vec<f64> = (0..stimuli)
                .map(|stimulus| repeats.value(repeat, stimulus, target))
                .collect();
            if is_constant(&series) {
                return f64::NAN;
            }
            let (centre, scale) = (mean(&series), variance(&series).sqrt());
            for (total, value) in total.iter_mut().zip(series) {
                *total += (value - centre) / scale / count as f64;
            }
        }
        // Each z-scored repeat has variance 1, so that the mean of the variances is 1 too.
        let explainable = variance(&total);
        match bias {
            BiasCorrection::None => explainable,
            BiasCorrection::Corrected => explainable - (1.0 - explainable) / (count as f64 - 1.0),
        }
    }))
}
