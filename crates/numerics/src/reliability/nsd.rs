//! The noise ceiling of the Natural Scenes Dataset.

use chiasm_core::Result;
use chiasm_core::metrics::interval::mean;
use serde::{Deserialize, Serialize};

use super::{Repeats, per_target, variance};

/// The variance of single trials, of which what is not noise is signal.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TotalVariance {
    /// One: responses were z-scored within session (as in the data set).
    Unit,
    /// As measured over all trials.
    #[default]
    Measured,
}

/// Variances and their ratio, per target.
#[derive(Clone, Debug, PartialEq)]
pub struct NsdCeiling {
    /// Mean over stimuli of the variance across repeats (divisor n − 1).
    pub noise_variance: Vec<f64>,
    /// What is left of the total, not below 0.
    pub signal_variance: Vec<f64>,
    /// Noise ceiling signal-to-noise ratio, `σ_signal / σ_noise`; infinite without noise.
    pub ncsnr: Vec<f64>,
}

impl NsdCeiling {
    /// The share of signal in responses averaged over `counts` repeats a stimulus:
    /// `ncsnr² / (ncsnr² + mean(1/k))`. Times 100 it is the "NC" of the data set's papers; with 3, 2 and 1
    /// repeats of A, B and C stimuli the mean is theirs, `(A/3 + B/2 + C)/(A + B + C)`.
    pub fn share(&self, counts: &[usize]) -> Vec<f64> {
        let shares: Vec<f64> = counts.iter().map(|count| 1.0 / *count as f64).collect();
        let noise_left = mean(&shares);
        self.signal_variance
            .iter()
            .zip(&self.noise_variance)
            .map(|(signal, noise)| signal / (signal + noise * noise_left))
            .collect()
    }
}

/// Noise as the variance within stimuli, signal as what is left of the total.
///
/// # Errors
/// [`chiasm_core::Error::TooFew`] unless two stimuli have two repeats.
pub fn nsd_noise_ceiling(repeats: &Repeats<'_>, total: TotalVariance) -> Result<NsdCeiling> {
    repeats.require_two("NSD noise ceiling")?;
    let trials = |stimulus: usize, target: usize| -> Vec<f64> {
        repeats.present()[stimulus]
            .iter()
            .map(|&repeat| repeats.value(repeat, stimulus, target))
            .collect()
    };
    let noise_variance = per_target(repeats.targets(), |target| {
        let within: Vec<f64> = (0..repeats.stimuli())
            .filter(|&stimulus| repeats.present()[stimulus].len() >= 2)
            .map(|stimulus| variance(&trials(stimulus, target)))
            .collect();
        mean(&within)
    });
    let signal_variance = per_target(repeats.targets(), |target| {
        let whole = match total {
            TotalVariance::Unit => 1.0,
            TotalVariance::Measured => {
                let all: Vec<f64> = (0..repeats.stimuli())
                    .flat_map(|stimulus| trials(stimulus, target))
                    .collect();
                variance(&all)
            }
        };
        (whole - noise_variance[target]).max(0.0)
    });
    let ncsnr = signal_variance
        .iter()
        .zip(&noise_variance)
        .map(|(signal, noise)| (signal / noise).sqrt())
        .collect();
    Ok(NsdCeiling {
        noise_variance,
        signal_variance,
        ncsnr,
    })
}
