//! From patterns of activity to a representational dissimilarity matrix.
//!
//! Conventions are those of rsatoolbox, so that numbers can be compared: squared distances are divided by
//! the number of channels, and `mahalanobis` and `crossnobis` are squared distances.

mod correlation;
mod crossnobis;
mod euclidean;
mod mahalanobis;
mod noise_covariance;
mod poisson;
mod ties;

use chiasm_core::data::{Rdm, Responses, condensed_len, require_finite};
use chiasm_core::{Error, Result};
use ndarray::{Array2, ArrayView2};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

pub use noise_covariance::{NoiseModel, NoiseWhitening};

/// How dissimilar two patterns over P channels are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Dissimilarity {
    /// 1 - Pearson's r across channels.
    #[default]
    Correlation,
    /// The root of the squared Euclidean distance below.
    Euclidean,
    /// Sum of squared differences, divided by P.
    SquaredEuclidean,
    /// `(a - b)' S (a - b) / P` with the precision S of the noise, estimated from repeats.
    Mahalanobis,
    /// The same with one difference from the training folds and one from the held-out fold, averaged
    /// over folds: 0 on average where two conditions do not differ, so single entries may be negative.
    Crossnobis,
    /// Symmetrised Kullback-Leibler divergence of Poisson rates, divided by P.
    Poisson,
}

/// What a dissimilarity needs besides the patterns.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DissimilaritySettings {
    /// The measure.
    pub measure: Dissimilarity,
    /// The noise model of `mahalanobis` and `crossnobis`.
    pub noise: NoiseModel,
    /// The prior rate of `poisson`, in the unit of the responses.
    pub poisson_prior_rate: f64,
    /// How many observations the prior of `poisson` weighs.
    pub poisson_prior_weight: f64,
}

impl Default for DissimilaritySettings {
    fn default() -> Self {
        DissimilaritySettings {
            measure: Dissimilarity::default(),
            noise: NoiseModel::default(),
            poisson_prior_rate: 1.0,
            poisson_prior_weight: 0.1,
        }
    }
}

impl From<Dissimilarity> for DissimilaritySettings {
    fn from(measure: Dissimilarity) -> Self {
        DissimilaritySettings {
            measure,
            ..Self::default()
        }
    }
}

impl DissimilaritySettings {
    /// Fails where a prior is not a positive number.
    pub fn check(&self) -> Result<()> {
        for (name, value) in [
            ("poisson_prior_rate", self.poisson_prior_rate),
            ("poisson_prior_weight", self.poisson_prior_weight),
        ] {
            if !(value > 0.0 && value.is_finite()) {
                return Err(Error::setting(name, value, "a positive number"));
            }
        }
        Ok(())
    }
}

/// The dissimilarities of the conditions of `responses`, in order of first appearance. Repeats of a
/// condition are averaged first (within folds for crossnobis).
///
/// Fails with fewer than two conditions, on patterns a measure is not defined for (constant ones for
/// correlation, negative ones for Poisson) and where repeats or folds are missing that the measure needs.
pub fn rdm(responses: &Responses, settings: &DissimilaritySettings) -> Result<Rdm> {
    settings.check()?;
    let name = &responses.name;
    let grouped = Grouped::new(responses)?;
    let patterns = grouped.means(responses.values.view(), |_| true);
    let label = |condition: usize| grouped.labels[condition].to_string();
    let values = match settings.measure {
        Dissimilarity::Correlation => correlation::condensed(name, patterns, label)?,
        Dissimilarity::SquaredEuclidean => euclidean::squared_condensed(patterns)?,
        Dissimilarity::Euclidean => euclidean::condensed(patterns)?,
        Dissimilarity::Mahalanobis => {
            mahalanobis::condensed(responses, &grouped, patterns, settings.noise)?
        }
        Dissimilarity::Crossnobis => crossnobis::condensed(responses, &grouped, settings.noise)?,
        Dissimilarity::Poisson => poisson::condensed(name, patterns, label, settings)?,
    };
    Rdm::from_condensed(name.clone(), values)
}

/// The dissimilarities of patterns (conditions x channels), one row a condition. See [`rdm`].
pub fn rdm_of_patterns(
    name: &str,
    patterns: ArrayView2<'_, f64>,
    settings: &DissimilaritySettings,
) -> Result<Rdm> {
    settings.check()?;
    let (conditions, channels) = patterns.dim();
    enough(conditions, channels)?;
    require_finite(name, patterns.iter(), |index| {
        format!(
            "condition {}, channel {}",
            index / channels,
            index % channels
        )
    })?;
    let label = |condition: usize| condition.to_string();
    let values = match settings.measure {
        Dissimilarity::Correlation => correlation::condensed(name, patterns.to_owned(), label)?,
        Dissimilarity::SquaredEuclidean => euclidean::squared_condensed(patterns.to_owned())?,
        Dissimilarity::Euclidean => euclidean::condensed(patterns.to_owned())?,
        Dissimilarity::Poisson => poisson::condensed(name, patterns.to_owned(), label, settings)?,
        // These need repeats, and say so.
        Dissimilarity::Mahalanobis | Dissimilarity::Crossnobis => {
            return rdm(
                &Responses::one_trial_each(name, patterns.to_owned())?,
                settings,
            );
        }
    };
    Rdm::from_condensed(name, values)
}

fn enough(conditions: usize, channels: usize) -> Result<()> {
    for (what, found, needed) in [("conditions", conditions, 2), ("channels", channels, 1)] {
        if found < needed {
            return Err(Error::TooFew {
                operation: "dissimilarity matrix",
                what,
                found,
                needed,
            });
        }
    }
    Ok(())
}

/// Which condition each trial belongs to.
struct Grouped<'a> {
    labels: Vec<&'a str>,
    condition_of_trial: Vec<usize>,
}

impl<'a> Grouped<'a> {
    fn new(responses: &'a Responses) -> Result<Self> {
        let labels = responses.conditions();
        enough(labels.len(), responses.values.ncols())?;
        let index_of: std::collections::HashMap<&str, usize> = labels
            .iter()
            .enumerate()
            .map(|(index, label)| (*label, index))
            .collect();
        let condition_of_trial = responses
            .stimuli
            .iter()
            .map(|label| index_of[label.as_str()])
            .collect();
        Ok(Grouped {
            labels,
            condition_of_trial,
        })
    }

    /// The number of trials that `keep` keeps, per condition.
    fn counts(&self, keep: impl Fn(usize) -> bool) -> Vec<usize> {
        let mut counts = vec![0; self.labels.len()];
        for (trial, &condition) in self.condition_of_trial.iter().enumerate() {
            counts[condition] += usize::from(keep(trial));
        }
        counts
    }

    /// The mean pattern per condition (conditions x channels) over the trials that `keep` keeps.
    fn means(&self, values: ArrayView2<'_, f64>, keep: impl Fn(usize) -> bool) -> Array2<f64> {
        let counts = self.counts(&keep);
        let mut means = Array2::zeros((self.labels.len(), values.ncols()));
        for (trial, &condition) in self.condition_of_trial.iter().enumerate() {
            if keep(trial) {
                let mut mean = means.row_mut(condition);
                mean += &values.row(trial);
            }
        }
        for (mut mean, count) in means.rows_mut().into_iter().zip(counts) {
            if count > 1 {
                mean /= count as f64;
            }
        }
        means
    }
}

/// Fills a condensed vector row by row in parallel: `entry(i, j)` for `i < j`.
fn fill_condensed(conditions: usize, entry: impl Fn(usize, usize) -> f64 + Sync) -> Vec<f64> {
    let mut values = vec![0.0; condensed_len(conditions)];
    let mut rows = Vec::with_capacity(conditions);
    let mut rest = values.as_mut_slice();
    for i in 0..conditions {
        let (row, after) = rest.split_at_mut(conditions - 1 - i);
        rows.push((i, row));
        rest = after;
    }
    rows.into_par_iter().for_each(|(i, row)| {
        for (value, j) in row.iter_mut().zip(i + 1..) {
            *value = entry(i, j);
        }
    });
    values
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::array;

    #[test]
    fn repeats_are_averaged_before_the_distance() {
        let values = array![[0.0, 2.0], [5.0, 5.0], [2.0, 4.0]];
        let labels = ["a", "b", "a"].map(str::to_string).to_vec();
        let responses = Responses::new("r", values, labels, None).unwrap();
        let found = rdm(&responses, &Dissimilarity::SquaredEuclidean.into()).unwrap();
        // a averages to (1, 3): ((5-1)² + (5-3)²) / 2.
        assert_eq!(found.values(), [10.0]);
    }

    #[test]
    fn unusable_input_is_named() {
        let error = |values: Array2<f64>, measure: Dissimilarity| {
            rdm_of_patterns("x.npy", values.view(), &measure.into())
                .unwrap_err()
                .to_string()
        };
        let flat = array![[1.0, 2.0, 3.0], [0.1, 0.1, 0.1]];
        let message = error(flat.clone(), Dissimilarity::Correlation);
        assert!(
            message.contains("x.npy") && message.contains("condition 1"),
            "{message}"
        );
        assert!(message.contains("constant"), "{message}");
        let message = error(-flat.clone(), Dissimilarity::Poisson);
        assert!(message.contains("negative"), "{message}");
        let message = error(flat.clone(), Dissimilarity::Mahalanobis);
        assert!(message.contains("repeat"), "{message}");
        let message = error(flat.clone(), Dissimilarity::Crossnobis);
        assert!(message.contains("fold"), "{message}");
        let message = error(array![[1.0, 2.0]], Dissimilarity::Correlation);
        assert!(message.contains("at least 2 conditions"), "{message}");
    }
}
