//! Models against data: which input is which, what is tested, and what is said of it.

use chiasm_core::{Progress, Seed};
use chiasm_numerics::similarity::compare::{Comparison, Input, Source};
use chiasm_numerics::similarity::inference::{
    Correction, CrossValidation, Flexibility, Inference, InferenceSettings, Model, Resampling,
    infer,
};
use chiasm_report::{
    ModelPair, ModelPerformance, ModelPerformances, format_interval, format_number,
};
use clap::{Args, ValueEnum};
use serde::Serialize;

use super::arguments::OverArgument;
use super::files::Files;
use crate::failure::{Failure, Outcome};
use crate::terminal::TextTable;

/// What is tested, beside what `compare` always does.
#[derive(Args)]
pub(super) struct ModelArguments {
    /// FILEs are models: test how well each predicts this, subjects x conditions x channels (or RDMs of subjects)
    #[arg(long, value_name = "FILE")]
    pub(super) data: Option<std::path::PathBuf>,
    /// This model selects one of the RDMs along its first axis (a name as in the results; repeatable)
    #[arg(long, value_name = "NAME", requires = "data")]
    select: Vec<String>,
    /// This model is a sum of the RDMs along its first axis, weights not below zero
    #[arg(long, value_name = "NAME", requires = "data")]
    weight: Vec<String>,
    /// This model lies between two neighbouring RDMs along its first axis
    #[arg(long, value_name = "NAME", requires = "data")]
    interpolate: Vec<String>,
    /// Folds of subjects in which flexible models are tested [default: 2 to 5 by their number]
    #[arg(long, value_name = "K", requires = "data")]
    subject_folds: Option<usize>,
    /// Folds of conditions in which flexible models are tested [default: 2 to 5 by their number]
    #[arg(long, value_name = "K", requires = "data")]
    condition_folds: Option<usize>,
    /// How p-values are adjusted for the number of tests
    #[arg(long, value_enum, default_value = "fdr", requires = "data")]
    correction: CorrectionArgument,
}

#[derive(Clone, Copy, ValueEnum)]
enum CorrectionArgument {
    /// False discovery rate, Benjamini and Hochberg
    Fdr,
    /// Times the number of tests
    Bonferroni,
}

/// Where a model's RDMs stand among the inputs of the comparison.
pub(super) struct Layout {
    name: String,
    flexibility: Flexibility,
    inputs: std::ops::Range<usize>,
}

impl ModelArguments {
    /// Takes the models' inputs apart into single RDMs, behind the data. `files` holds the data first.
    pub(super) fn lay_out(&self, files: &mut Files) -> Outcome<Vec<Layout>> {
        let names: Vec<String> = files
            .inputs
            .iter()
            .skip(1)
            .map(|input| input.name.clone())
            .collect();
        for name in self
            .select
            .iter()
            .chain(&self.weight)
            .chain(&self.interpolate)
        {
            if !names.contains(name) {
                return Err(Failure::Usage(format!(
                    "no model is called {name:?}; there are {}",
                    names.join(", ")
                )));
            }
        }
        let mut inputs = std::mem::take(&mut files.inputs).into_iter();
        let mut flat: Vec<Input> = inputs.next().into_iter().collect();
        let mut layout = Vec::new();
        for input in inputs {
            let flexibility = self.flexibility(&input.name)?;
            let name = input.name.clone();
            let start = flat.len();
            let parts = apart(input);
            let several = parts.len() > 1;
            if several && flexibility == Flexibility::Fixed {
                return Err(Failure::Usage(format!(
                    "{name} holds {} RDMs: say --select {name}, --weight {name} or --interpolate {name}",
                    parts.len()
                )));
            }
            for (index, mut part) in parts.into_iter().enumerate() {
                part.name = if several {
                    format!("{name} [{index}]")
                } else {
                    name.clone()
                };
                flat.push(part);
            }
            layout.push(Layout {
                name,
                flexibility,
                inputs: start..flat.len(),
            });
        }
        files.inputs = flat;
        Ok(layout)
    }

    fn flexibility(&self, name: &str) -> Outcome<Flexibility> {
        let kinds = [
            (&self.select, Flexibility::Select),
            (&self.weight, Flexibility::Weight),
            (&self.interpolate, Flexibility::Interpolate),
        ];
        let chosen: Vec<Flexibility> = kinds
            .into_iter()
            .filter(|(names, _)| names.iter().any(|chosen| chosen == name))
            .map(|(_, flexibility)| flexibility)
            .collect();
        match chosen[..] {
            [] => Ok(Flexibility::Fixed),
            [only] => Ok(only),
            _ => Err(Failure::Usage(format!(
                "{name} can be one of --select, --weight and --interpolate"
            ))),
        }
    }

    /// The settings of the tests. `over` is what the person named.
    pub(super) fn settings(
        &self,
        compare: &chiasm_numerics::similarity::compare::CompareSettings,
        draws: Option<usize>,
        over: Option<OverArgument>,
        subjects: usize,
    ) -> InferenceSettings {
        let resampling = match (draws, over) {
            (None, _) => Resampling::None,
            (_, Some(OverArgument::Subjects)) => Resampling::Subjects,
            (_, Some(OverArgument::Conditions)) => Resampling::Conditions,
            (_, Some(OverArgument::Both)) => Resampling::Dual,
            (_, None) if subjects > 1 => Resampling::Dual,
            (_, None) => Resampling::Conditions,
        };
        InferenceSettings {
            transform: compare.transform,
            comparator: compare.comparator,
            resampling,
            draws: draws.unwrap_or(0),
            cross_validation: CrossValidation {
                subject_folds: self.subject_folds,
                condition_folds: self.condition_folds,
                ..CrossValidation::default()
            },
            correction: match self.correction {
                CorrectionArgument::Fdr => Correction::FalseDiscoveryRate,
                CorrectionArgument::Bonferroni => Correction::Bonferroni,
            },
        }
    }
}

/// One input a subject or RDM.
fn apart(input: Input) -> Vec<Input> {
    let name = input.name;
    match input.source {
        Source::Rdms(rdms) => rdms
            .into_iter()
            .map(|rdm| Input::rdms(name.clone(), vec![rdm]))
            .collect(),
        Source::Responses(all) => all
            .into_iter()
            .map(|responses| Input {
                name: name.clone(),
                source: Source::Responses(vec![responses]),
            })
            .collect(),
    }
}

/// What was tested and found.
pub(super) struct Tested {
    pub(super) data: String,
    pub(super) settings: InferenceSettings,
    pub(super) inference: Inference,
}

/// Tests models on the RDMs of a comparison, data first.
pub(super) fn test(
    comparison: &Comparison,
    layout: &[Layout],
    settings: InferenceSettings,
    seed: &Seed,
    progress: &Progress,
) -> Outcome<Tested> {
    let models: Vec<Model> = layout
        .iter()
        .map(|place| Model {
            name: place.name.clone(),
            flexibility: place.flexibility,
            rdms: comparison.rdms[place.inputs.clone()]
                .iter()
                .flatten()
                .cloned()
                .collect(),
        })
        .collect();
    let inference = infer(&models, &comparison.rdms[0], &settings, seed, progress)?;
    Ok(Tested {
        data: comparison.names[0].clone(),
        settings,
        inference,
    })
}

/// How the tests were made, for `compare.json`.
#[derive(Serialize)]
pub(super) struct Method<'a> {
    data: &'a str,
    resampling: Resampling,
    draws: usize,
    usable_draws: usize,
    degrees_of_freedom: usize,
    correction: Correction,
    subject_folds: Option<usize>,
    condition_folds: Option<usize>,
}

impl Tested {
    pub(super) fn method(&self) -> Method<'_> {
        Method {
            data: &self.data,
            resampling: self.settings.resampling,
            draws: self.settings.draws,
            usable_draws: self.inference.usable_draws,
            degrees_of_freedom: self.inference.degrees_of_freedom,
            correction: self.settings.correction,
            subject_folds: self.inference.folds.map(|folds| folds.0),
            condition_folds: self.inference.folds.map(|folds| folds.1),
        }
    }

    fn how(&self) -> String {
        let over = match self.settings.resampling {
            Resampling::None => return "scatter between subjects".to_string(),
            Resampling::Subjects => "subjects",
            Resampling::Conditions => "conditions",
            Resampling::Both | Resampling::Dual => "subjects and conditions",
        };
        let folds = match self.inference.folds {
            Some((subjects, conditions)) => format!(
                ", cross-validated in {subjects} folds of subjects by {conditions} of conditions"
            ),
            None => String::new(),
        };
        format!("{} draws over {over}{folds}", self.settings.draws)
    }

    /// What a reader should know before believing the numbers.
    pub(super) fn warnings(&self) -> Vec<String> {
        let lost = self
            .settings
            .draws
            .saturating_sub(self.inference.usable_draws);
        let mut warnings = Vec::new();
        if self.settings.resampling == Resampling::None {
            warnings.push(
                "tests over subjects alone say nothing of other conditions: add --bootstrap 1000 for both"
                    .to_string(),
            );
        } else if lost > 0 {
            warnings.push(format!(
                "{lost} of {} bootstrap samples left too few distinct subjects or conditions and were not used",
                self.settings.draws
            ));
        }
        warnings
    }

    /// For the report.
    pub(super) fn page(&self) -> ModelPerformances {
        ModelPerformances {
            data: self.data.clone(),
            method: self.how(),
            models: self
                .inference
                .models
                .iter()
                .map(|model| ModelPerformance {
                    name: model.name.clone(),
                    mean: model.mean,
                    ci95: model.ci95,
                    zero: [model.p_zero, model.q_zero],
                    ceiling: model.p_ceiling.zip(model.q_ceiling).map(|(p, q)| [p, q]),
                })
                .collect(),
            pairs: self
                .inference
                .pairwise
                .iter()
                .map(|pair| ModelPair {
                    first: pair.first.clone(),
                    second: pair.second.clone(),
                    difference: pair.difference,
                    ci95: pair.ci95,
                    tests: [pair.p, pair.q],
                })
                .collect(),
            noise_ceiling: self
                .inference
                .noise_ceiling
                .map(|found| [found.lower, found.upper]),
        }
    }

    /// For the terminal.
    pub(super) fn table(&self, comparator: &str) -> String {
        let shown = |value: Option<f64>| match value {
            Some(value) if !value.is_nan() => format_number(value),
            _ => "-".to_string(),
        };
        let within = |value: f64, bounds: [f64; 2]| {
            let known = bounds.iter().all(|bound| bound.is_finite());
            format_interval(value, known.then_some(bounds))
        };
        let mut table = TextTable::new(&[
            "model",
            comparator,
            "p above 0",
            "q",
            "p at ceiling",
            "q at ceiling",
        ]);
        for model in &self.inference.models {
            table.row([
                model.name.clone(),
                within(model.mean, model.ci95),
                shown(Some(model.p_zero)),
                shown(Some(model.q_zero)),
                shown(model.p_ceiling),
                shown(model.q_ceiling),
            ]);
        }
        let mut text = table.render(120);
        if !self.inference.pairwise.is_empty() {
            let mut pairs = TextTable::new(&["first", "second", "difference", "p", "q"]);
            for pair in &self.inference.pairwise {
                pairs.row([
                    pair.first.clone(),
                    pair.second.clone(),
                    within(pair.difference, pair.ci95),
                    shown(Some(pair.p)),
                    shown(Some(pair.q)),
                ]);
            }
            text.push_str("\n\n");
            text.push_str(&pairs.render(120));
        }
        if let Some(ceiling) = self.inference.noise_ceiling {
            text.push_str(&format!(
                "\nnoise ceiling of {}: {} to {}",
                self.data,
                format_number(ceiling.lower),
                format_number(ceiling.upper)
            ));
        }
        text.push_str(&format!("\nby {}", self.how()));
        text
    }
}
