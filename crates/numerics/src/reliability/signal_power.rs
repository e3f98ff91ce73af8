//! Signal power and the correlation it normalises.

use chiasm_core::metrics::interval::mean;
use chiasm_core::metrics::score::is_constant;
use chiasm_core::{Error, Result};
use ndarray::ArrayView2;

use super::{Repeats, per_target, variance};

/// Powers (variances over stimuli) per target.
#[derive(Clone, Debug, PartialEq)]
pub struct SignalPower {
    /// `SP = (Var(Σ_r y_r) − Σ_r Var(y_r)) / (R (R − 1))`; below 0 where repeats disagree.
    pub signal: Vec<f64>,
    /// The variance of the mean over repeats, signal and the noise left in it.
    pub of_the_mean: Vec<f64>,
}

impl SignalPower {
    /// `SP / Var(mean)`: the share of signal in the mean over repeats. NaN where that does not vary.
    pub fn share(&self) -> Vec<f64> {
        self.signal
            .iter()
            .zip(&self.of_the_mean)
            .map(|(signal, whole)| {
                if *whole > 0.0 {
                    signal / whole
                } else {
                    f64::NAN
                }
            })
            .collect()
    }
}

/// Signal power per target (Sahani and Linden 2003; Schoppe et al. 2016), variances with divisor n − 1.
///
/// # Errors
/// [`Error::TooFew`] with fewer than two repeats, [`Error::Unusable`] where some are missing.
pub fn signal_power(repeats: &Repeats<'_>) -> Result<SignalPower> {
    let (count, stimuli) = repeats.require_complete("signal power")?;
    let series = |repeat: usize, target: usize| -> Vec<f64> {
        (0..stimuli)
            .map(|stimulus| repeats.value(repeat, stimulus, target))
            .collect()
    };
    let sum = |target: usize| -> Vec<f64> {
        let mut sum = vec![0.0; stimuli];
        for repeat in 0..count {
            for (sum, value) in sum.iter_mut().zip(series(repeat, target)) {
                *sum += value;
            }
        }
        sum
    };
    let repeats_count = count as f64;
    let signal = per_target(repeats.targets(), |target| {
        let apart: f64 = (0..count)
            .map(|repeat| variance(&series(repeat, target)))
            .sum();
        (variance(&sum(target)) - apart) / (repeats_count * (repeats_count - 1.0))
    });
    let of_the_mean = per_target(repeats.targets(), |target| {
        let sum = sum(target);
        if is_constant(&sum) {
            return 0.0;
        }
        variance(&sum) / (repeats_count * repeats_count)
    });
    Ok(SignalPower {
        signal,
        of_the_mean,
    })
}

/// The correlation normalised by signal power, per target:
/// `CCnorm = Cov(ȳ, ŷ) / √(Var(ŷ) SP)` (Schoppe et al. 2016).
///
/// `mean_response` and `prediction` are stimuli x targets. Targets whose share of signal
/// ([`SignalPower::share`]) is not above `least_share` are NaN, since the quotient explodes there; so are those
/// whose prediction is constant.
///
/// # Errors
/// [`Error::Shape`] where sizes disagree, [`Error::Setting`] for a `least_share` outside 0..1.
pub fn normalised_correlation(
    mean_response: ArrayView2<'_, f64>,
    prediction: ArrayView2<'_, f64>,
    power: &SignalPower,
    least_share: f64,
) -> Result<Vec<f64>> {
    let operation = "normalised correlation";
    for (axis, found, expected) in [
        ("stimuli", prediction.nrows(), mean_response.nrows()),
        ("targets", prediction.ncols(), mean_response.ncols()),
        (
            "targets with signal power",
            power.signal.len(),
            mean_response.ncols(),
        ),
    ] {
        if found != expected {
            return Err(Error::Shape {
                operation,
                what: "the predictions".to_string(),
                axis,
                found,
                expected: expected.to_string(),
            });
        }
    }
    if mean_response.nrows() < 2 {
        return Err(Error::TooFew {
            operation,
            what: "stimuli",
            found: mean_response.nrows(),
            needed: 2,
        });
    }
    if !(0.0..1.0).contains(&least_share) {
        return Err(Error::setting(
            "least_share",
            least_share,
            "0 up to, but not, 1",
        ));
    }
    let shares = power.share();
    Ok(per_target(shares.len(), |target| {
        let y = mean_response.column(target).to_vec();
        let p = prediction.column(target).to_vec();
        if !(shares[target] > least_share) || is_constant(&p) {
            return f64::NAN;
        }
        let (y_mean, p_mean) = (mean(&y), mean(&p));
        let covariance: f64 = y
            .iter()
            .zip(&p)
            .map(|(y, p)| (y - y_mean) * (p - p_mean))
            .sum();
        let covariance = covariance / (y.len() as f64 - 1.0);
        covariance / (variance(&p) * power.signal[target]).sqrt()
    }))
}
