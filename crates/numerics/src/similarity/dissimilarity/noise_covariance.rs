//! The covariance of the noise across channels, shrunk to its diagonal, and patterns whitened by it.

use chiasm_core::{Error, Result};
use ndarray::{Array1, Array2, Axis};
use serde::{Deserialize, Serialize};

use crate::similarity::dense::{Cores, cholesky_whiten, cross_gram, lower_gram, symmetric_eigen};

/// What is assumed about the noise across channels.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum NoiseModel {
    /// Equal and independent: the distances become Euclidean.
    Identity,
    /// Independent, each channel with its own variance.
    Diagonal,
    /// Correlated: the sample covariance with its off-diagonal entries shrunk towards 0 by the share of
    /// Schäfer and Strimmer (2005).
    #[default]
    ShrinkageDiagonal,
}

/// A linear map after which the noise is white, fitted by [`NoiseWhitening::fit`].
#[derive(Clone, Debug)]
pub struct NoiseWhitening {
    /// The share by which off-diagonal covariances were shrunk; 1 for the diagonal and identity models.
    pub shrinkage: f64,
    form: Form,
}

#[derive(Clone, Debug)]
enum Form {
    Identity,
    Diagonal {
        standard_deviations: Array1<f64>,
    },
    /// More residuals than channels: the correlation matrix itself (channels x channels).
    Full {
        standard_deviations: Array1<f64>,
        correlation: Array2<f64>,
    },
    /// Fewer residuals than channels: `shrinkage * I` plus a matrix of low rank, by its eigenvectors
    /// (rank x channels) and the stretch of each. No channels x channels matrix is ever built.
    LowRank {
        standard_deviations: Array1<f64>,
        directions: Array2<f64>,
        stretch: Array1<f64>,
    },
}

impl NoiseWhitening {
    /// Estimates the noise from `residuals` (trials x channels, condition means removed), with
    /// `degrees_of_freedom` trials left after that removal.
    ///
    /// With residuals in units of their standard deviation, the shrinkage is
    /// `sum var(r_ij) / sum r_ij²` over off-diagonal pairs, clipped to 0..1. Both sums follow from the
    /// trials x trials Gram matrix, so memory grows with channels times trials, not channels squared.
    pub fn fit(
        name: &str,
        mut residuals: Array2<f64>,
        degrees_of_freedom: usize,
        model: NoiseModel,
    ) -> Result<Self> {
        if model == NoiseModel::Identity {
            return Ok(NoiseWhitening {
                shrinkage: 1.0,
                form: Form::Identity,
            });
        }
        let (trials, channels) = residuals.dim();
        if degrees_of_freedom == 0 {
            return Err(Error::Unusable {
                operation: "noise covariance",
                reason: format!(
                    "{name}: no condition is repeated, so the noise cannot be estimated; \
                     give repeats (runs) or use the identity noise model"
                ),
            });
        }
        let freedom = degrees_of_freedom as f64;
        // Exactly 0 up to rounding already where residuals are about condition means.
        if let Some(mean) = residuals.mean_axis(Axis(0)) {
            residuals -= &mean;
        }
        let standard_deviations = residuals.map_axis(Axis(0), |channel| {
            (channel.iter().map(|value| value * value).sum::<f64>() / freedom).sqrt()
        });
        if let Some(channel) = standard_deviations
            .iter()
            .position(|deviation| *deviation == 0.0)
        {
            return Err(Error::Unusable {
                operation: "noise covariance",
                reason: format!("{name}: channel {channel} has no noise at all; drop it"),
            });
        }
        if model == NoiseModel::Diagonal {
            return Ok(NoiseWhitening {
                shrinkage: 1.0,
                form: Form::Diagonal {
                    standard_deviations,
                },
            });
        }
        residuals /= &standard_deviations;
        let wide = trials <= channels;
        let gram = if wide {
            lower_gram(residuals.view(), Cores::All)
        } else {
            lower_gram(residuals.t(), Cores::All)
        };
        let shrinkage = shrinkage(&residuals, &gram, freedom);
        let scale = (1.0 - shrinkage) / freedom;
        let form = if wide {
            low_rank(
                name,
                standard_deviations,
                &residuals,
                &gram,
                shrinkage,
                scale,
            )?
        } else {
            let mut correlation = gram * scale;
            correlation.diag_mut().fill(1.0);
            Form::Full {
                standard_deviations,
                correlation,
            }
        };
        Ok(NoiseWhitening { shrinkage, form })
    }

    /// Patterns (rows x channels) whose inner products are `a' S b` with the noise precision S.
    pub fn apply(&self, mut patterns: Array2<f64>) -> Result<Array2<f64>> {
        match &self.form {
            Form::Identity => Ok(patterns),
            Form::Diagonal {
                standard_deviations,
            } => {
                patterns /= standard_deviations;
                Ok(patterns)
            }
            Form::Full {
                standard_deviations,
                correlation,
            } => {
                patterns /= standard_deviations;
                cholesky_whiten(correlation.view(), patterns.view())
            }
            Form::LowRank {
                standard_deviations,
                directions,
                stretch,
            } => {
                patterns /= standard_deviations;
                let along = cross_gram(patterns.view(), directions.view(), Cores::All);
                let change = cross_gram((along * stretch).view(), directions.t(), Cores::All);
                patterns += &change;
                patterns /= self.shrinkage.sqrt();
                Ok(patterns)
            }
        }
    }
}

/// `sum var(r_ij) / sum r_ij²` over i != j, clipped to 0..1, from standardised residuals and the lower
/// triangle of their Gram matrix on either side (both have the same sum of squares).
fn shrinkage(standardised: &Array2<f64>, gram: &Array2<f64>, freedom: f64) -> f64 {
    let trials = standardised.nrows() as f64;
    let channels = standardised.ncols() as f64;
    let mut sum_of_squares = 0.0;
    for (i, row) in gram.rows().into_iter().enumerate() {
        sum_of_squares += row
            .iter()
            .take(i)
            .map(|value| 2.0 * value * value)
            .sum::<f64>();
        sum_of_squares += row[i] * row[i];
    }
    // Each channel's own product is `freedom` by construction.
    let products = (sum_of_squares - channels * freedom * freedom) / (trials - 1.0).powi(2);
    let mut squares = 0.0;
    for trial in standardised.rows() {
        let square: f64 = trial.iter().map(|value| value * value).sum();
        let fourth: f64 = trial.iter().map(|value| value.powi(4)).sum();
        squares += square * square - fourth;
    }
    let squares = squares / (trials - 1.0);
    let variance = trials / (freedom * freedom) * (squares - products);
    if products > 0.0 {
        (variance / products).clamp(0.0, 1.0)
    } else {
        1.0
    }
}

/// The inverse root of `shrinkage * I + scale * R'R` for standardised residuals R with Gram matrix RR'.
fn low_rank(
    name: &str,
    standard_deviations: Array1<f64>,
    standardised: &Array2<f64>,
    gram: &Array2<f64>,
    shrinkage: f64,
    scale: f64,
) -> Result<Form> {
    if shrinkage <= 0.0 {
        return Err(Error::Unusable {
            operation: "noise covariance",
            reason: format!(
                "{name}: {} residuals over {} channels leave a singular covariance; give more repeats \
                 or use the diagonal noise model",
                standardised.nrows(),
                standardised.ncols()
            ),
        });
    }
    let (values, vectors) = symmetric_eigen(gram.view())?;
    let largest = values.first().copied().unwrap_or(0.0);
    let rank = values
        .iter()
        .take_while(|value| **value > 1e-12 * largest)
        .count();
    let values = values.slice_move(ndarray::s![..rank]);
    let mut directions = cross_gram(
        vectors.slice(ndarray::s![.., ..rank]).t(),
        standardised.t(),
        Cores::All,
    );
    for (mut direction, value) in directions.rows_mut().into_iter().zip(&values) {
        direction /= value.sqrt();
    }
    let stretch = values.mapv(|value| (shrinkage / (shrinkage + scale * value)).sqrt() - 1.0);
    Ok(Form::LowRank {
        standard_deviations,
        directions,
        stretch,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use chiasm_core::Seed;
    use rand_distr::{Distribution, StandardNormal};

    fn normal(seed: u64, rows: usize, columns: usize) -> Array2<f64> {
        let mut rng = Seed::new(seed).rng();
        Array2::from_shape_simple_fn((rows, columns), || StandardNormal.sample(&mut rng))
    }

    /// The shrunk covariance directly from the definition, entry by entry.
    fn direct(residuals: &Array2<f64>, freedom: f64, shrinkage: f64) -> Array2<f64> {
        let mut covariance = residuals.t().dot(residuals) / freedom;
        for ((i, j), value) in covariance.indexed_iter_mut() {
            if i != j {
                *value *= 1.0 - shrinkage;
            }
        }
        covariance
    }

    #[test]
    fn wide_and_tall_residuals_whiten_as_the_direct_inverse_does() {
        for (trials, channels) in [(12, 30), (60, 9)] {
            let mixing = normal(1, channels, channels);
            let mut residuals = normal(2, trials, channels).dot(&mixing);
            residuals -= &residuals.mean_axis(Axis(0)).unwrap();
            let freedom = trials - 1;
            let whitening = NoiseWhitening::fit(
                "r",
                residuals.clone(),
                freedom,
                NoiseModel::ShrinkageDiagonal,
            )
            .unwrap();
            assert!(whitening.shrinkage > 0.0 && whitening.shrinkage < 1.0);
            let covariance = direct(&residuals, freedom as f64, whitening.shrinkage);
            // Whitening patterns C x must give inner products x' C x.
            let x = normal(3, 4, channels);
            let expected = x.dot(&covariance).dot(&x.t());
            let whitened = whitening.apply(x.dot(&covariance)).unwrap();
            let found = whitened.dot(&whitened.t());
            let error = (&found - &expected).mapv(f64::abs);
            let scale = expected.diag().iter().fold(0.0_f64, |a, b| a.max(*b));
            assert!(
                error.iter().all(|error| *error < 1e-9 * scale),
                "{trials}x{channels}"
            );
        }
    }

    #[test]
    fn independent_noise_is_shrunk_and_shared_noise_is_kept() {
        let independent = normal(4, 200, 20);
        let fit = |residuals: Array2<f64>| {
            NoiseWhitening::fit("r", residuals, 199, NoiseModel::ShrinkageDiagonal)
                .unwrap()
                .shrinkage
        };
        assert!(fit(independent.clone()) > 0.7);
        let shared = normal(5, 200, 1);
        assert!(fit(independent + 2.0 * &shared) < 0.05);
    }
}
