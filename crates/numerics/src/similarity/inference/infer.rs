//! Inference on models of representational geometry: how well each predicts the RDMs of subjects, how sure
//! that is, and which models differ.
//!
//! A model's performance is the mean over subjects of its similarity to the subject's RDM, on all data; of
//! flexible models (and of every model compared with one) it is the mean over random divisions into folds of
//! what models fitted to one side predict of the other. Its variance comes from [`Resampling`] (see
//! [`super::significance`]), its tests from Student's t with one degree of freedom less than the smaller number
//! of levels drawn: against zero one-sided, against the lower noise ceiling and against each other two-sided.
//!
//! Source: Schütt, Kipnis, Diedrichsen and Kriegeskorte (2023), eLife 12:e82566.

use chiasm_core::data::Rdm;
use chiasm_core::{Error, Progress, Result, Seed};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::evaluation::{EvaluationRow, Problem};
use super::folds::CrossValidation;
use super::model::{Flexibility, Model};
use super::noise_ceiling::NoiseCeiling;
use super::resample::{Resample, counted, on_all_data, resampled, usable_sample};
use super::significance::{Evaluations, Resampling, StudentT};
use crate::resampling::adjusted_p_values;
use crate::similarity::comparator::Comparator;
use crate::similarity::transform::Transform;

/// How p-values are adjusted for the number of tests of one kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Correction {
    /// Benjamini and Hochberg's false discovery rate.
    #[default]
    FalseDiscoveryRate,
    /// Times the number of tests.
    Bonferroni,
}

/// How models are evaluated.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct InferenceSettings {
    /// What is done to each RDM in every sample.
    pub transform: Transform,
    /// How RDMs are compared: a similarity.
    pub comparator: Comparator,
    /// What is drawn anew.
    pub resampling: Resampling,
    /// How many bootstrap samples, where anything is drawn.
    pub draws: usize,
    /// Folds, where a model is flexible.
    pub cross_validation: CrossValidation,
    /// How p-values are adjusted.
    pub correction: Correction,
}

impl Default for InferenceSettings {
    fn default() -> Self {
        InferenceSettings {
            transform: Transform::None,
            comparator: Comparator::default(),
            resampling: Resampling::None,
            draws: 1000,
            cross_validation: CrossValidation::default(),
            correction: Correction::default(),
        }
    }
}

/// What is known of one model.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ModelInference {
    /// Its name.
    pub name: String,
    /// What in it was fitted.
    pub flexibility: Flexibility,
    /// Its performance on all data, cross-validated where any model is flexible.
    pub mean: f64,
    /// Its mean over bootstrap samples.
    pub mean_of_draws: Option<f64>,
    /// The variance of `mean`.
    pub variance: f64,
    /// `mean` plus and minus the t quantile times the standard error.
    pub ci95: [f64; 2],
    /// One-sided p-value of performance above zero.
    pub p_zero: f64,
    /// The same, adjusted for the number of models.
    pub q_zero: f64,
    /// Two-sided p-value of a difference from the lower noise ceiling, where there is one.
    pub p_ceiling: Option<f64>,
    /// The same, adjusted.
    pub q_ceiling: Option<f64>,
    /// Weights of a flexible model's RDMs when fitted to all data, for description only.
    pub weights: Vec<f64>,
}

/// What is known of two models' difference.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PairInference {
    /// The first model.
    pub first: String,
    /// The second.
    pub second: String,
    /// First minus second.
    pub difference: f64,
    /// The variance of the difference.
    pub variance: f64,
    /// Its 95% interval.
    pub ci95: [f64; 2],
    /// Two-sided p-value.
    pub p: f64,
    /// The same, adjusted for the number of pairs.
    pub q: f64,
}

/// The result of [`infer`].
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Inference {
    /// In the order given.
    pub models: Vec<ModelInference>,
    /// All pairs, in the order of the models.
    pub pairwise: Vec<PairInference>,
    /// The noise ceiling on all data; cross-validated where models are. `None` with one subject.
    pub noise_ceiling: Option<NoiseCeiling>,
    /// Of all tests.
    pub degrees_of_freedom: usize,
    /// Folds of (subjects, conditions), where a model is flexible.
    pub folds: Option<(usize, usize)>,
    /// Bootstrap samples in which every model's evaluation is defined.
    pub usable_draws: usize,
}

/// Evaluates models against the RDMs of subjects, one a subject.
pub fn infer(
    models: &[Model],
    data: &[Rdm],
    settings: &InferenceSettings,
    seed: &Seed,
    progress: &Progress,
) -> Result<Inference> {
    let problem = checked(models, data, settings)?;
    let (subjects, conditions) = (problem.subjects(), problem.conditions());
    let flexible = models
        .iter()
        .any(|model| model.flexibility != Flexibility::Fixed);
    let folds = flexible
        .then(|| settings.cross_validation.folds(subjects, conditions))
        .transpose()?;
    let observed = on_all_data(&problem, folds, seed)?;
    let (observed_models, ceiling) = observed.split_at(models.len());
    if let Some(model) = observed_models.iter().position(|value| value.is_nan()) {
        return Err(Error::Unusable {
            operation: "inference on models",
            reason: format!(
                "{}: its similarity to the data is undefined (dissimilarities that do not vary, in it or in \
                 a subject)",
                models[model].name
            ),
        });
    }
    let evaluations = match settings.resampling {
        Resampling::None => None,
        _ => Some(resampled(&problem, settings, folds, seed, progress)?),
    };
    let fixed = match &evaluations {
        None => problem.per_subject()?,
        Some(_) => Vec::new(),
    };
    // Without resampling the mean of n subjects has the variance s²/n.
    let variance_of = |read: &dyn Fn(&[f64]) -> f64| match &evaluations {
        Some(evaluations) => evaluations.variance_of(read),
        None => {
            let values: Vec<f64> = (0..subjects)
                .map(|subject| {
                    let mut row: Vec<f64> =
                        fixed.iter().map(|of_model| of_model[subject]).collect();
                    // The ceiling stands still: it is no subject's own.
                    row.extend([0.0, 0.0]);
                    read(&row)
                })
                .collect();
            super::significance::variance(&values) / subjects as f64
        }
    };
    let usable_draws = evaluations.as_ref().map_or(0, |evaluations| {
        usable(&evaluations.bootstraps, models.len())
    });
    if evaluations.is_some() && usable_draws < 2 {
        return Err(Error::Unusable {
            operation: "bootstrap",
            reason: format!(
                "{usable_draws} of {} samples leave enough distinct subjects and conditions; use fewer folds, \
                 more conditions or another factor",
                settings.draws
            ),
        });
    }
    let mut inference = conclude(
        models,
        observed_models,
        ceiling[0],
        &variance_of,
        settings.resampling.degrees_of_freedom(subjects, conditions),
        settings.correction,
    );
    for (index, model) in inference.models.iter_mut().enumerate() {
        model.mean_of_draws = evaluations
            .as_ref()
            .map(|evaluations| evaluations.mean_of(|row| row[index]));
    }
    for (model, weights) in inference.models.iter_mut().zip(problem.weights()?) {
        model.weights = weights;
    }
    inference.noise_ceiling = ceiling[0].is_finite().then_some(NoiseCeiling {
        lower: ceiling[0],
        upper: ceiling[1],
    });
    inference.folds = folds;
    inference.usable_draws = usable_draws;
    Ok(inference)
}

/// Evaluates models on samples drawn elsewhere: per sample and division, models then ceilings.
pub fn evaluate_resamples(
    models: &[Model],
    data: &[Rdm],
    settings: &InferenceSettings,
    resamples: &[Resample],
) -> Result<Vec<Vec<EvaluationRow>>> {
    let problem = checked(models, data, settings)?;
    resamples
        .par_iter()
        .map(|resample| {
            let times = counted(&resample.subjects, problem.subjects())?;
            counted(&resample.conditions, problem.conditions())?;
            if resample.divisions.is_empty() {
                return match usable_sample(&problem, &resample.conditions, settings.comparator) {
                    Some(sample) => problem.through(&sample, &[&times]),
                    None => Ok(vec![vec![f64::NAN; models.len() + 2]]),
                };
            }
            resample
                .divisions
                .iter()
                .map(|folds| problem.cross_validated(&resample.conditions, &times, folds))
                .collect()
        })
        .collect()
}

/// Tests and intervals of evaluations made by [`evaluate_resamples`], about the mean over draws.
pub fn conclude_from_draws(
    models: &[Model],
    evaluations: &Evaluations,
    correction: Correction,
) -> Inference {
    let means: Vec<f64> = (0..models.len() + 2)
        .map(|index| evaluations.mean_of(|row| row[index]))
        .collect();
    let (of_models, ceiling) = means.split_at(models.len());
    let mut inference = conclude(
        models,
        of_models,
        ceiling[0],
        &|read| evaluations.variance_of(read),
        evaluations
            .resampling
            .degrees_of_freedom(evaluations.subjects, evaluations.conditions),
        correction,
    );
    for (model, mean) in inference.models.iter_mut().zip(of_models) {
        model.mean_of_draws = Some(*mean);
    }
    inference.noise_ceiling = ceiling[0].is_finite().then_some(NoiseCeiling {
        lower: ceiling[0],
        upper: ceiling[1],
    });
    inference.usable_draws = usable(&evaluations.bootstraps, models.len());
    inference
}

fn usable(bootstraps: &[Vec<Vec<EvaluationRow>>], models: usize) -> usize {
    bootstraps.first().map_or(0, |draws| {
        let defined = |draw: &&Vec<EvaluationRow>| {
            draw.iter()
                .all(|row| row[..models].iter().all(|value| value.is_finite()))
        };
        draws.iter().filter(defined).count()
    })
}

fn checked(models: &[Model], data: &[Rdm], settings: &InferenceSettings) -> Result<Problem> {
    const OPERATION: &str = "inference on models";
    settings.transform.check()?;
    if settings.comparator.is_distance() {
        return Err(Error::setting(
            "comparator",
            settings.comparator.name(),
            "a similarity for inference on models, e.g. bures",
        ));
    }
    let few = |what, found, needed| {
        Err(Error::TooFew {
            operation: OPERATION,
            what,
            found,
            needed,
        })
    };
    if models.is_empty() {
        return few("models", 0, 1);
    }
    let needed = match settings.resampling {
        Resampling::Conditions => 1,
        _ => 2,
    };
    let (Some(first), true) = (data.first(), data.len() >= needed) else {
        return few("subjects in the data", data.len(), needed);
    };
    let conditions = first.conditions();
    if conditions < 4 {
        return few("conditions", conditions, 4);
    }
    if let Some(rdm) = data.iter().find(|rdm| rdm.conditions() != conditions) {
        return Err(Error::Shape {
            operation: OPERATION,
            what: rdm.name.clone(),
            axis: "conditions",
            found: rdm.conditions(),
            expected: format!("{conditions} (as in {})", first.name),
        });
    }
    for model in models {
        model.check(conditions, &first.name)?;
    }
    let flexible = models
        .iter()
        .find(|model| model.flexibility != Flexibility::Fixed);
    match (settings.resampling, flexible) {
        (Resampling::None, Some(model)) => {
            return Err(Error::Unusable {
                operation: OPERATION,
                reason: format!(
                    "{} is flexible, and cross-validation alone gives no variance: bootstrap it",
                    model.name
                ),
            });
        }
        (Resampling::None, None) => {}
        _ if settings.draws < 2 => {
            return Err(Error::setting("draws", settings.draws, "at least 2 draws"));
        }
        _ => {}
    }
    Problem::new(models, data, settings.transform, settings.comparator)
}

fn conclude(
    models: &[Model],
    means: &[f64],
    lower_ceiling: f64,
    variance_of: &dyn Fn(&dyn Fn(&[f64]) -> f64) -> f64,
    degrees_of_freedom: usize,
    correction: Correction,
) -> Inference {
    let student = StudentT::new(degrees_of_freedom);
    let count = models.len();
    let mut of_models: Vec<ModelInference> = models
        .iter()
        .zip(means)
        .enumerate()
        .map(|(index, (model, &mean))| {
            let variance = variance_of(&|row| row[index]);
            let p_ceiling = lower_ceiling.is_finite().then(|| {
                let variance = variance_of(&|row| row[index] - row[count]);
                student.two_sided(mean - lower_ceiling, variance)
            });
            ModelInference {
                name: model.name.clone(),
                flexibility: model.flexibility,
                mean,
                mean_of_draws: None,
                variance,
                ci95: student.interval(mean, variance),
                p_zero: student.one_sided(mean, variance),
                q_zero: f64::NAN,
                p_ceiling,
                q_ceiling: None,
                weights: Vec::new(),
            }
        })
        .collect();
    let q_zero = adjusted(
        &of_models
            .iter()
            .map(|model| model.p_zero)
            .collect::<Vec<_>>(),
        correction,
    );
    let p_ceiling: Vec<f64> = of_models
        .iter()
        .filter_map(|model| model.p_ceiling)
        .collect();
    let q_ceiling = adjusted(&p_ceiling, correction);
    for (index, model) in of_models.iter_mut().enumerate() {
        model.q_zero = q_zero[index];
        model.q_ceiling = q_ceiling.get(index).copied();
    }
    let mut pairwise = Vec::with_capacity(count * count.saturating_sub(1) / 2);
    for i in 0..count {
        for j in i + 1..count {
            let difference = means[i] - means[j];
            let variance = variance_of(&|row| row[i] - row[j]);
            pairwise.push(PairInference {
                first: models[i].name.clone(),
                second: models[j].name.clone(),
                difference,
                variance,
                ci95: student.interval(difference, variance),
                p: student.two_sided(difference, variance),
                q: f64::NAN,
            });
        }
    }
    let p: Vec<f64> = pairwise.iter().map(|pair| pair.p).collect();
    for (pair, q) in pairwise.iter_mut().zip(adjusted(&p, correction)) {
        pair.q = q;
    }
    Inference {
        models: of_models,
        pairwise,
        noise_ceiling: None,
        degrees_of_freedom,
        folds: None,
        usable_draws: 0,
    }
}

fn adjusted(p_values: &[f64], correction: Correction) -> Vec<f64> {
    match correction {
        Correction::FalseDiscoveryRate => adjusted_p_values(p_values),
        Correction::Bonferroni => p_values
            .iter()
            .map(|p| (p * p_values.len() as f64).min(1.0))
            .collect(),
    }
}
