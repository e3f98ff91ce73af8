//! How well models predict data: bars with intervals under the noise ceiling, and tests.

use chiasm_core::evidence::{Axis, BarSeries, Figure, Plot, Reference, ResultTable};

use crate::number::{format_interval, format_number};

/// Models evaluated against the representations of subjects.
#[derive(Clone, Debug, Default)]
pub struct ModelPerformances {
    /// What the models are to predict.
    pub data: String,
    /// How variances were found, e.g. `1000 draws over subjects and conditions`.
    pub method: String,
    /// In the order given.
    pub models: Vec<ModelPerformance>,
    /// All pairs of models.
    pub pairs: Vec<ModelPair>,
    /// Lower and upper bound of what any model could reach.
    pub noise_ceiling: Option<[f64; 2]>,
}

/// One model.
#[derive(Clone, Debug, Default)]
pub struct ModelPerformance {
    /// Its name.
    pub name: String,
    /// Its similarity to the data.
    pub mean: f64,
    /// The 95% interval of `mean`.
    pub ci95: [f64; 2],
    /// Above zero: p, then adjusted for the number of models.
    pub zero: [f64; 2],
    /// Different from the lower noise ceiling: p, then adjusted.
    pub ceiling: Option<[f64; 2]>,
}

/// Two models.
#[derive(Clone, Debug, Default)]
pub struct ModelPair {
    /// The first model.
    pub first: String,
    /// The second.
    pub second: String,
    /// First minus second.
    pub difference: f64,
    /// Its 95% interval.
    pub ci95: [f64; 2],
    /// Different from zero: p, then adjusted for the number of pairs.
    pub tests: [f64; 2],
}

impl ModelPerformances {
    /// Bars with intervals, and the bounds of the noise ceiling as lines.
    pub fn figure(&self, comparator: &str) -> Figure {
        let intervals: Vec<[f64; 2]> = self.models.iter().map(|model| model.ci95).collect();
        let known = intervals.iter().flatten().all(|bound| bound.is_finite());
        let mut figure = Figure::new(
            "models",
            format!("How well models predict {}", self.data),
            format!("Bars with 95% intervals ({}).", self.method),
            Axis::default(),
            Axis {
                label: comparator.to_string(),
                logarithmic: false,
            },
            Plot::Bars {
                groups: self.models.iter().map(|model| model.name.clone()).collect(),
                series: vec![BarSeries {
                    name: "similarity".to_string(),
                    values: self.models.iter().map(|model| model.mean).collect(),
                    intervals: known.then_some(intervals),
                }],
            },
        );
        if let Some([low, high]) = self.noise_ceiling {
            let named = |name: &str, value| Reference {
                name: name.to_string(),
                value,
            };
            figure.references = vec![
                named("noise ceiling, lower bound", low),
                named("noise ceiling, upper bound", high),
            ];
        }
        figure
    }

    /// One row a model.
    pub(super) fn table(&self) -> ResultTable {
        ResultTable {
            title: "Models".to_string(),
            caption: "Against zero one-sided, against the lower bound of the noise ceiling two-sided; q is p \
                      adjusted for the number of models."
                .to_string(),
            columns: [
                "Model",
                "Similarity",
                "p above zero",
                "q",
                "p against the ceiling",
                "q against the ceiling",
            ]
            .map(String::from)
            .to_vec(),
            rows: self
                .models
                .iter()
                .map(|model| {
                    let mut row = vec![
                        model.name.clone(),
                        format_interval(model.mean, finite(model.ci95)),
                    ];
                    row.extend(model.zero.map(number));
                    row.extend(model.ceiling.map_or_else(
                        || [String::new(), String::new()],
                        |tests| tests.map(number),
                    ));
                    row
                })
                .collect(),
        }
    }

    /// One row a pair.
    pub(super) fn pair_table(&self) -> ResultTable {
        ResultTable {
            title: "Differences between models".to_string(),
            caption: "Two-sided; q is p adjusted for the number of pairs.".to_string(),
            columns: ["First", "Second", "First minus second", "p", "q"]
                .map(String::from)
                .to_vec(),
            rows: self
                .pairs
                .iter()
                .map(|pair| {
                    let mut row = vec![
                        pair.first.clone(),
                        pair.second.clone(),
                        format_interval(pair.difference, finite(pair.ci95)),
                    ];
                    row.extend(pair.tests.map(number));
                    row
                })
                .collect(),
        }
    }
}

fn finite(bounds: [f64; 2]) -> Option<[f64; 2]> {
    bounds
        .iter()
        .all(|bound| bound.is_finite())
        .then_some(bounds)
}

fn number(value: f64) -> String {
    if value.is_nan() {
        "unknown".to_string()
    } else {
        format_number(value)
    }
}
