//! What drives choices between two alternatives: logistic regression with lapses.
//!
//! From predictors x of each trial (e.g. by how much alternative `b` is more similar to a root than `a`,
//! at several levels), the probability that `b` is chosen is
//!
//! ```text
//! p = λ/2 + (1 - λ) σ(s + w·x),    σ(η) = 1 / (1 + exp(-η))
//! ```
//!
//! with weights w (log odds per unit of x), a bias s towards the second alternative, and a lapse rate λ
//! in which a coin decides. The likelihood is maximised by Fisher scoring with step halving,
//!
//! ```text
//! score g = Σ (y - p) / (p (1 - p)) ∂p/∂θ,    information J = Σ 1 / (p (1 - p)) ∂p/∂θ ∂p/∂θ'
//! ```
//!
//! for a given λ; a fitted λ maximises the profile of that likelihood. Standard errors are roots of the
//! diagonal of J⁻¹, λ among the parameters where it was fitted and is not 0 (at 0, the border of its
//! range, it has none). Lapses are those of psychophysics (Wichmann and Hill 2001, Perception &
//! Psychophysics 63:1293), for two alternatives.
//!
//! Shapes: predictors trials x predictors, choices one a trial. Log-likelihoods in nats.

mod held_out;
mod likelihood;

use chiasm_core::data::require_finite;
use chiasm_core::{Error, Result};
use ndarray::{Array2, ArrayView2};
use serde::{Deserialize, Serialize};

pub use held_out::{HeldOut, area_under_curve, held_out, paired_z};
use likelihood::Likelihood;

const OPERATION: &str = "choice model";
/// A person who lapses in more than half of all trials does another task.
const MOST_LAPSE: f64 = 0.5;

/// What is fitted beside the weights.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ChoiceModelSettings {
    /// Whether there is a bias towards one side.
    pub side_bias: bool,
    /// The lapse rate.
    pub lapse: Lapse,
}

/// The lapse rate of a model.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Lapse {
    /// Known, 0 to 0.5.
    Fixed(f64),
    /// The most likely of 0 to 0.5.
    Fitted,
}

impl Default for ChoiceModelSettings {
    fn default() -> Self {
        ChoiceModelSettings {
            side_bias: true,
            lapse: Lapse::Fixed(0.0),
        }
    }
}

/// A fitted number.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Estimate {
    /// The most likely value.
    pub value: f64,
    /// Its standard error; `None` where it was given or lies on the border of its range.
    pub standard_error: Option<f64>,
}

impl Estimate {
    /// The value over its standard error; 0 where it has none.
    pub fn z(&self) -> f64 {
        self.standard_error.map_or(0.0, |error| self.value / error)
    }
}

/// A fitted choice model.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ChoiceModel {
    /// One weight a predictor, log odds per unit.
    pub weights: Vec<Estimate>,
    /// Bias towards the second alternative, log odds; `None` without one.
    pub side_bias: Option<Estimate>,
    /// Lapse rate.
    pub lapse: Estimate,
    /// Log-likelihood of all choices (nats).
    pub log_likelihood: f64,
    /// Choices it was fitted to.
    pub trials: usize,
}

impl ChoiceModel {
    /// The probability of each choice being the second alternative.
    pub fn probabilities(&self, predictors: ArrayView2<'_, f64>) -> Result<Vec<f64>> {
        if predictors.ncols() != self.weights.len() {
            return Err(Error::Shape {
                operation: OPERATION,
                what: "predictors".to_string(),
                axis: "predictors",
                found: predictors.ncols(),
                expected: self.weights.len().to_string(),
            });
        }
        let bias = self.side_bias.map_or(0.0, |bias| bias.value);
        let lapse = self.lapse.value;
        Ok(predictors
            .rows()
            .into_iter()
            .map(|row| {
                let odds: f64 = row
                    .iter()
                    .zip(&self.weights)
                    .map(|(x, weight)| x * weight.value)
                    .sum();
                lapse / 2.0 + (1.0 - lapse) / (1.0 + (-(bias + odds)).exp())
            })
            .collect())
    }
}

/// Fits the model to `chose_b`, one choice a row of `predictors`; `names` stand for the predictors in
/// errors.
pub fn fit_choice_model(
    predictors: ArrayView2<'_, f64>,
    names: &[&str],
    chose_b: &[bool],
    settings: &ChoiceModelSettings,
) -> Result<ChoiceModel> {
    check(predictors, names, chose_b, settings)?;
    let width = predictors.ncols();
    // In units of their size, so that all parameters are of one order.
    let trials = predictors.nrows() as f64;
    let sizes: Vec<f64> = predictors
        .columns()
        .into_iter()
        .map(|column| (column.dot(&column) / trials).sqrt())
        .collect();
    if let Some(flat) = sizes.iter().position(|size| *size <= f64::MIN_POSITIVE) {
        let reason = format!(
            "{} is 0 in every trial, so that nothing can depend on it",
            names[flat]
        );
        return Err(Error::Unusable {
            operation: OPERATION,
            reason,
        });
    }
    let bias = usize::from(settings.side_bias);
    let design = Array2::from_shape_fn((predictors.nrows(), width + bias), |(trial, column)| {
        if column < width {
            predictors[[trial, column]] / sizes[column]
        } else {
            1.0
        }
    });
    let likelihood = Likelihood::new(design.view(), chose_b);
    let (lapse, fitted) = match settings.lapse {
        Lapse::Fixed(lapse) => (lapse, false),
        Lapse::Fitted => {
            let lapse = likelihood.most_likely_lapse(MOST_LAPSE)?;
            (lapse, lapse > 0.0)
        }
    };
    let (parameters, log_likelihood) = likelihood.maximum(lapse, None)?;
    let errors = likelihood.standard_errors(&parameters, lapse, fitted)?;
    let estimate = |column: usize, size: f64| Estimate {
        value: parameters[column] / size,
        standard_error: Some(errors[column] / size),
    };
    Ok(ChoiceModel {
        weights: (0..width)
            .map(|column| estimate(column, sizes[column]))
            .collect(),
        side_bias: settings.side_bias.then(|| estimate(width, 1.0)),
        lapse: Estimate {
            value: lapse,
            standard_error: fitted.then(|| errors[width + bias]),
        },
        log_likelihood,
        trials: chose_b.len(),
    })
}

fn check(
    predictors: ArrayView2<'_, f64>,
    names: &[&str],
    chose_b: &[bool],
    settings: &ChoiceModelSettings,
) -> Result<()> {
    let (trials, width) = predictors.dim();
    let shape = |what: &str, axis, found, expected: usize| {
        Err(Error::Shape {
            operation: OPERATION,
            what: what.to_string(),
            axis,
            found,
            expected: expected.to_string(),
        })
    };
    if names.len() != width {
        return shape("names", "predictors", names.len(), width);
    }
    if chose_b.len() != trials {
        return shape("choices", "trials", chose_b.len(), trials);
    }
    if width == 0 {
        return shape("predictors", "predictors", 0, 1);
    }
    let needed = width + usize::from(settings.side_bias) + 1;
    if trials < needed {
        return Err(Error::TooFew {
            operation: OPERATION,
            what: "choices",
            found: trials,
            needed,
        });
    }
    if let Lapse::Fixed(lapse) = settings.lapse
        && !(0.0..=MOST_LAPSE).contains(&lapse)
    {
        return Err(Error::setting("lapse", lapse, format!("0 to {MOST_LAPSE}")));
    }
    require_finite("predictors", predictors.iter(), |index| {
        format!("trial {}, {}", index / width, names[index % width])
    })
}
