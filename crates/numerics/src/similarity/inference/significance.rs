//! Variances of evaluations from their resamples, and the t-tests that rest on them.
//!
//! With V_rp, V_r and V_p the variances over draws of both factors, of subjects alone and of conditions alone
//! (n_r subjects, n_p conditions):
//!
//! - one factor of n levels: `n/(n-1) V`; both factors in one bootstrap: the same with the smaller n;
//! - dual bootstrap: [`dual_bootstrap_variance`];
//! - cross-validation with c divisions into folds in every draw adds scatter of its own: the variance of the
//!   mean over divisions, V_c, and that of single ones, V_1, are carried on to infinitely many divisions by
//!   `(c V_c - V_1)/(c - 1)`.
//!
//! Variances of differences are taken from the differences draw by draw, which share subjects and conditions.
//! Source: Schütt, Kipnis, Diedrichsen and Kriegeskorte (2023), eLife 12:e82566.

use statrs::distribution::{ContinuousCDF, StudentsT};

use super::evaluation::EvaluationRow;
use crate::resampling::{BootstrapVariances, dual_bootstrap_variance};

/// What is drawn anew, and so what conclusions reach beyond.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Resampling {
    /// Nothing: the scatter between subjects alone, for new subjects and the same conditions.
    #[default]
    None,
    /// New subjects, the same conditions.
    Subjects,
    /// New conditions, the same subjects.
    Conditions,
    /// New subjects and new conditions, drawn together. Its variance is too large.
    Both,
    /// New subjects and new conditions by the corrected dual bootstrap.
    Dual,
}

impl Resampling {
    pub(super) fn draws_subjects(self) -> bool {
        !matches!(self, Resampling::Conditions | Resampling::None)
    }

    pub(super) fn draws_conditions(self) -> bool {
        !matches!(self, Resampling::Subjects | Resampling::None)
    }

    /// The degrees of freedom of its t-tests: one less than the (smaller) number of levels drawn.
    pub fn degrees_of_freedom(self, subjects: usize, conditions: usize) -> usize {
        let levels = match self {
            Resampling::None | Resampling::Subjects => subjects,
            Resampling::Conditions => conditions,
            Resampling::Both | Resampling::Dual => subjects.min(conditions),
        };
        levels.saturating_sub(1)
    }
}

/// The evaluations of all draws.
#[derive(Clone, Debug)]
pub struct Evaluations {
    /// What was drawn.
    pub resampling: Resampling,
    /// How many subjects there are.
    pub subjects: usize,
    /// How many conditions there are.
    pub conditions: usize,
    /// Per draw and division into folds (one without cross-validation), models then ceilings; three such
    /// lists for the dual bootstrap: both drawn, subjects alone, conditions alone.
    pub bootstraps: Vec<Vec<Vec<EvaluationRow>>>,
}

impl Evaluations {
    /// The variance of what `read` takes from the rows; NaN with fewer than two usable draws.
    pub fn variance_of(&self, read: impl Fn(&[f64]) -> f64) -> f64 {
        let found: Vec<f64> = self
            .bootstraps
            .iter()
            .map(|draws| over_draws(draws, &read))
            .collect();
        let correction = |levels: usize| levels as f64 / (levels as f64 - 1.0);
        match (self.resampling, found.as_slice()) {
            (Resampling::Dual, &[both, first, second]) => {
                if both.is_nan() || first.is_nan() || second.is_nan() {
                    return f64::NAN;
                }
                let variances = BootstrapVariances {
                    both,
                    first,
                    second,
                };
                dual_bootstrap_variance(variances, self.subjects, self.conditions)
            }
            (resampling, &[only]) => {
                let levels = resampling.degrees_of_freedom(self.subjects, self.conditions) + 1;
                only * correction(levels)
            }
            _ => f64::NAN,
        }
    }

    /// The mean over draws of what `read` takes from the rows, over those that are usable.
    pub fn mean_of(&self, read: impl Fn(&[f64]) -> f64) -> f64 {
        let draws = self.bootstraps.iter().flatten();
        let (mut sum, mut count) = (0.0, 0.0);
        for draw in draws {
            let value = draw.iter().map(|row| read(row)).sum::<f64>() / draw.len() as f64;
            if value.is_finite() {
                sum += value;
                count += 1.0;
            }
        }
        sum / count
    }
}

fn over_draws(draws: &[Vec<EvaluationRow>], read: &impl Fn(&[f64]) -> f64) -> f64 {
    let values: Vec<Vec<f64>> = draws
        .iter()
        .map(|draw| draw.iter().map(|row| read(row)).collect::<Vec<f64>>())
        .filter(|repeats| repeats.iter().all(|value| value.is_finite()))
        .collect();
    let repeats = values.first().map_or(0, Vec::len);
    let means: Vec<f64> = values
        .iter()
        .map(|draw| draw.iter().sum::<f64>() / repeats as f64)
        .collect();
    let of_means = variance(&means);
    if repeats < 2 {
        return of_means;
    }
    let single = (0..repeats)
        .map(|repeat| {
            let of_repeat: Vec<f64> = values.iter().map(|draw| draw[repeat]).collect();
            variance(&of_repeat)
        })
        .sum::<f64>()
        / repeats as f64;
    let count = repeats as f64;
    (count * of_means - single) / (count - 1.0)
}

/// The unbiased variance; NaN of fewer than two numbers.
pub(super) fn variance(values: &[f64]) -> f64 {
    chiasm_core::metrics::interval::standard_deviation(values)
        .map_or(f64::NAN, |deviation| deviation * deviation)
}

/// Student's t distribution as tests and intervals use it.
pub(super) struct StudentT {
    distribution: Option<StudentsT>,
}

impl StudentT {
    pub(super) fn new(degrees_of_freedom: usize) -> Self {
        StudentT {
            distribution: StudentsT::new(0.0, 1.0, degrees_of_freedom as f64).ok(),
        }
    }

    /// The p-value of `difference` against 0 in the direction of larger values.
    pub(super) fn one_sided(&self, difference: f64, variance: f64) -> f64 {
        self.upper_tail(difference / spread(variance))
    }

    /// The p-value of `difference` against 0 in either direction.
    pub(super) fn two_sided(&self, difference: f64, variance: f64) -> f64 {
        2.0 * self.upper_tail((difference / spread(variance)).abs())
    }

    fn upper_tail(&self, t: f64) -> f64 {
        match &self.distribution {
            Some(distribution) if !t.is_nan() => distribution.sf(t),
            _ => f64::NAN,
        }
    }

    /// The central 95% interval.
    pub(super) fn interval(&self, value: f64, variance: f64) -> [f64; 2] {
        let half = match &self.distribution {
            Some(distribution) if !variance.is_nan() => {
                distribution.inverse_cdf(0.975) * variance.max(0.0).sqrt()
            }
            _ => f64::NAN,
        };
        [value - half, value + half]
    }
}

/// The standard error, kept from zero: differences that never vary are not infinitely sure.
fn spread(variance: f64) -> f64 {
    if variance.is_nan() {
        f64::NAN
    } else {
        variance.max(f64::EPSILON).sqrt()
    }
}
