//! What `chiasm encode` leaves and prints.

use std::collections::BTreeMap;

use chiasm_brain::encoding::{EncodingScores, EncodingSettings, FittedEncoding};
use chiasm_core::evidence::DataUsed;
use chiasm_core::metrics::interval::mean;
use chiasm_core::metrics::score::{counted, median};
use chiasm_io::array::Array;
use chiasm_io::numpy::write_npy;
use chiasm_report::{CeilingScores, Contribution, Encoding, encoding_report, format_number};
use ndarray::{Array1, Array2};
use serde::Serialize;

use super::files::Files;
use super::responses::Number;
use crate::failure::{Failure, Outcome};
use crate::output_folder::{OutputFolder, setting_name};
use crate::terminal::TextTable;

/// Every file but the summary. Those of an earlier run that this one does not write are taken away.
const FILES: [&str; 13] = [
    "scores.npy",
    "r2.npy",
    "ceiling.npy",
    "scores-normalised.npy",
    "r2-normalised.npy",
    "alphas.npy",
    "p.npy",
    "q.npy",
    "product-measure.npy",
    "unique-r2.npy",
    "voxels.npy",
    "weights.safetensors",
    "report.html",
];

/// `summary.json`.
#[derive(Serialize)]
pub(super) struct Summary<'a> {
    responses: String,
    feature_spaces: Vec<String>,
    method: String,
    targets: usize,
    scored: usize,
    dropped: DroppedCounts,
    training_samples: usize,
    test_samples: usize,
    test_units: usize,
    test_repeats: [usize; 2],
    missing_trials: usize,
    correlation: Spread,
    r2: Spread,
    baseline_r2: Spread,
    ceiling: Option<CeilingSummary>,
    significance: Option<Significance>,
    contributions: Vec<SpaceSummary>,
    shared_r2: Option<f64>,
    settings: &'a EncodingSettings,
    seed: u64,
    precision: &'static str,
    files: &'a [DataUsed],
    warnings: &'a [String],
    version: &'static str,
}

#[derive(Serialize)]
struct DroppedCounts {
    not_finite: usize,
    constant_in_training: usize,
    constant_in_test: usize,
}

/// Over the targets that have a score; null where none has.
#[derive(Serialize)]
struct Spread {
    mean: Option<f64>,
    median: Option<f64>,
    targets: usize,
}

#[derive(Serialize)]
struct CeilingSummary {
    kind: &'static str,
    /// A share of variance; its root is the best reachable correlation.
    ceiling: Spread,
    normalised_correlation: Spread,
    normalised_r2: Spread,
    /// Targets whose ceiling is too low for a normalised score.
    dropped: usize,
    least_ceiling: f64,
}

#[derive(Serialize)]
struct Significance {
    permutations: usize,
    targets: usize,
    p_below_05: usize,
    q_below_05: usize,
}

#[derive(Serialize)]
struct SpaceSummary {
    name: String,
    product_measure: Option<f64>,
    unique_r2: Option<f64>,
}

impl Spread {
    fn of(values: &[f64]) -> Self {
        let values = counted(values);
        let number = |value: f64| value.is_finite().then_some(value);
        Spread {
            mean: number(mean(&values)),
            median: number(median(&values)),
            targets: values.len(),
        }
    }
}

fn mean_of(values: &[f64]) -> Option<f64> {
    Spread::of(values).mean
}

/// A finished run.
pub(super) struct Finished<'a, T> {
    pub(super) responses: String,
    pub(super) files: &'a Files,
    pub(super) settings: &'a EncodingSettings,
    pub(super) fitted: &'a FittedEncoding<T>,
    pub(super) scores: &'a EncodingScores,
    pub(super) seed: u64,
    pub(super) with_weights: bool,
}

impl<T: Number> Finished<'_, T> {
    pub(super) fn summary(&self) -> Summary<'_> {
        let (fitted, scores) = (self.fitted, self.scores);
        let repeats = fitted.test_repeats();
        let ceiling = self.settings.ceiling.and_then(|kind| {
            Some(CeilingSummary {
                kind: kind.name(),
                ceiling: Spread::of(scores.ceiling.as_ref()?),
                normalised_correlation: Spread::of(scores.normalised_correlation.as_ref()?),
                normalised_r2: Spread::of(scores.normalised_determination.as_ref()?),
                dropped: scores.unreliable.len(),
                least_ceiling: self.settings.least_ceiling,
            })
        });
        let below = |values: &[f64]| values.iter().filter(|value| **value < 0.05).count();
        let significance = scores.p_values.as_ref().zip(scores.q_values.as_ref());
        Summary {
            responses: self.responses.clone(),
            feature_spaces: self.files.names(),
            method: setting_name(&self.settings.method),
            targets: fitted.targets,
            scored: fitted.kept.len(),
            dropped: DroppedCounts {
                not_finite: fitted.dropped.not_finite.len(),
                constant_in_training: fitted.dropped.constant_in_training.len(),
                constant_in_test: fitted.dropped.constant_in_test.len(),
            },
            training_samples: fitted.training_samples.len(),
            test_samples: fitted.test_samples.len(),
            test_units: fitted.test_units(),
            test_repeats: [
                repeats.iter().copied().min().unwrap_or(0),
                repeats.iter().copied().max().unwrap_or(0),
            ],
            missing_trials: fitted.missing_trials,
            correlation: Spread::of(&scores.correlation),
            r2: Spread::of(&scores.determination),
            baseline_r2: Spread::of(&scores.baseline_determination),
            ceiling,
            significance: significance.map(|(p_values, q_values)| Significance {
                permutations: self.settings.permutations,
                targets: counted(p_values).len(),
                p_below_05: below(p_values),
                q_below_05: below(q_values),
            }),
            contributions: scores
                .spaces
                .iter()
                .map(|space| SpaceSummary {
                    name: space.name.clone(),
                    product_measure: mean_of(&space.product_measure),
                    unique_r2: space.unique.as_deref().and_then(mean_of),
                })
                .collect(),
            shared_r2: scores.shared().as_deref().and_then(mean_of),
            settings: self.settings,
            seed: self.seed,
            precision: if self.files.responses.is_single() {
                "single"
            } else {
                "double"
            },
            files: &self.files.used,
            warnings: &fitted.warnings,
            version: env!("CARGO_PKG_VERSION"),
        }
    }

    /// Writes everything; the summary comes last and says that all is there.
    pub(super) fn leave(&self, folder: &OutputFolder, summary: &Summary<'_>) -> Outcome {
        folder.clear("summary.json")?;
        for name in FILES {
            folder.clear(name)?;
        }
        let scores = self.scores;
        let vector = |name: &str, values: Option<&Vec<f64>>| -> Outcome {
            match values {
                Some(values) => {
                    let values = Array1::from(values.clone());
                    Ok(write_npy(&folder.file(name), &values)?)
                }
                None => Ok(()),
            }
        };
        vector("scores.npy", Some(&scores.correlation))?;
        vector("r2.npy", Some(&scores.determination))?;
        vector("ceiling.npy", scores.ceiling.as_ref())?;
        vector(
            "scores-normalised.npy",
            scores.normalised_correlation.as_ref(),
        )?;
        vector(
            "r2-normalised.npy",
            scores.normalised_determination.as_ref(),
        )?;
        vector("p.npy", scores.p_values.as_ref())?;
        vector("q.npy", scores.q_values.as_ref())?;
        match scores.alphas.as_slice() {
            [] => {}
            [only] => vector("alphas.npy", Some(only))?,
            bands => write_npy(&folder.file("alphas.npy"), &stacked(bands)?)?,
        }
        if !scores.spaces.is_empty() {
            let products: Vec<Vec<f64>> = scores
                .spaces
                .iter()
                .map(|space| space.product_measure.clone())
                .collect();
            write_npy(&folder.file("product-measure.npy"), &stacked(&products)?)?;
            let unique: Option<Vec<Vec<f64>>> = scores
                .spaces
                .iter()
                .map(|space| space.unique.clone())
                .collect();
            if let Some(unique) = unique {
                write_npy(&folder.file("unique-r2.npy"), &stacked(&unique)?)?;
            }
        }
        if let Some(voxels) = &self.files.voxels {
            write_npy(&folder.file("voxels.npy"), voxels)?;
        }
        if self.with_weights {
            self.leave_weights(folder)?;
        }
        folder.write("report.html", &encoding_report(&self.page()))?;
        folder.write_json("summary.json", summary)
    }

    /// Weights of the targets that were fitted, one tensor (features x targets) a space, for features as
    /// they come (delayed copies one after the other).
    fn leave_weights(&self, folder: &OutputFolder) -> Outcome {
        let fitted = self.fitted;
        let Some((weights, intercepts)) = fitted.weights(0..fitted.kept.len())? else {
            return Err(Failure::Usage(
                "--weights: this method has no weights".to_string(),
            ));
        };
        let mut tensors = BTreeMap::new();
        for (name, range) in fitted.spaces() {
            let own = weights.slice(ndarray::s![range.start..range.end, ..]);
            let own = own.mapv(|weight| weight.to_double() as f32).into_dyn();
            tensors.insert(format!("weights.{name}"), Array::F32(own));
        }
        tensors.insert(
            "intercepts".to_string(),
            Array::F64(Array1::from(intercepts).into_dyn()),
        );
        let targets: Vec<i64> = fitted.kept.iter().map(|&target| target as i64).collect();
        tensors.insert(
            "targets".to_string(),
            Array::I64(Array1::from(targets).into_dyn()),
        );
        let facts = BTreeMap::from([("delays".to_string(), format!("{:?}", self.settings.delays))]);
        chiasm_io::safetensors::write(&folder.file("weights.safetensors"), &tensors, &facts)?;
        Ok(())
    }

    fn page(&self) -> Encoding {
        let (fitted, scores) = (self.fitted, self.scores);
        let dropped = &fitted.dropped;
        let contributions = scores.spaces.iter().map(|space| Contribution {
            name: space.name.clone(),
            product_measure: mean_of(&space.product_measure).unwrap_or(f64::NAN),
            unique: space.unique.as_deref().and_then(mean_of),
        });
        let ceiling = self.settings.ceiling.and_then(|kind| {
            Some(CeilingScores {
                kind: kind.name().to_string(),
                ceiling: scores.ceiling.clone()?,
                correlation: scores.normalised_correlation.clone()?,
                determination: scores.normalised_determination.clone()?,
                unreliable: scores.unreliable.len(),
            })
        });
        let p_values = scores.p_values.clone().zip(scores.q_values.clone());
        Encoding {
            spaces: self.files.names(),
            responses: self.responses.clone(),
            method: setting_name(&self.settings.method),
            targets: fitted.targets,
            dropped: [
                ("NaN or infinite", dropped.not_finite.len()),
                ("constant in training", dropped.constant_in_training.len()),
                ("constant in test", dropped.constant_in_test.len()),
            ]
            .map(|(why, count)| (why.to_string(), count))
            .to_vec(),
            correlation: scores.correlation.clone(),
            determination: scores.determination.clone(),
            baseline_determination: scores.baseline_determination.clone(),
            ceiling,
            penalties: self.penalties(),
            contributions: contributions.collect(),
            shared: scores.shared().as_deref().and_then(mean_of),
            significance: p_values.map(|(p, q)| (self.settings.permutations, p, q)),
            settings: self.listed(),
            data: self.files.used.clone(),
            notes: fitted.warnings.clone(),
        }
    }

    /// How many targets chose each penalty of the grid; none for banded ridge, whose penalties are
    /// off the grid.
    fn penalties(&self) -> Vec<(f64, usize)> {
        let [alphas] = self.scores.alphas.as_slice() else {
            return Vec::new();
        };
        let mut grid = self.settings.alphas.clone();
        grid.sort_unstable_by(f64::total_cmp);
        grid.dedup();
        grid.into_iter()
            .map(|alpha| (alpha, alphas.iter().filter(|own| **own == alpha).count()))
            .collect()
    }

    fn listed(&self) -> Vec<(String, String)> {
        let settings = self.settings;
        let repeats = self.fitted.test_repeats();
        let (least, most) = (
            repeats.iter().copied().min().unwrap_or(0),
            repeats.iter().copied().max().unwrap_or(0),
        );
        let mut listed = vec![
            ("method".to_string(), setting_name(&settings.method)),
            (
                "training samples".to_string(),
                self.fitted.training_samples.len().to_string(),
            ),
            (
                "test stimuli".to_string(),
                self.fitted.test_units().to_string(),
            ),
            ("repeats of a test stimulus".to_string(), {
                if least == most {
                    most.to_string()
                } else {
                    format!("{least} to {most}")
                }
            }),
            (
                "features standardised".to_string(),
                settings.standardise.to_string(),
            ),
            (
                "penalties chosen by".to_string(),
                setting_name(&settings.metric),
            ),
        ];
        if !settings.delays.is_empty() {
            listed.push(("delays".to_string(), format!("{:?}", settings.delays)));
        }
        if settings.permutations > 0 {
            listed.push((
                "permutations".to_string(),
                settings.permutations.to_string(),
            ));
        }
        listed.push(("seed".to_string(), self.seed.to_string()));
        listed
    }
}

fn stacked(rows: &[Vec<f64>]) -> Outcome<Array2<f64>> {
    let width = rows.first().map_or(0, Vec::len);
    Array2::from_shape_vec((rows.len(), width), rows.concat())
        .map_err(|error| Failure::System(format!("scores of feature spaces: {error}")))
}

/// The scores for the terminal.
pub(super) fn table(summary: &Summary<'_>) -> String {
    let mut table = TextTable::new(&["score", "mean", "median", "targets"]);
    let mut row = |name: &str, spread: &Spread| {
        let said = |value: Option<f64>| value.map_or_else(|| "none".to_string(), format_number);
        table.row([
            name.to_string(),
            said(spread.mean),
            said(spread.median),
            spread.targets.to_string(),
        ]);
    };
    row("Pearson's r", &summary.correlation);
    row("R²", &summary.r2);
    row("R² of the training mean", &summary.baseline_r2);
    if let Some(ceiling) = &summary.ceiling {
        row(&format!("ceiling ({})", ceiling.kind), &ceiling.ceiling);
        row("r/√ceiling", &ceiling.normalised_correlation);
        row("R²/ceiling", &ceiling.normalised_r2);
    }
    let mut text = table.render(100);
    let dropped = &summary.dropped;
    text.push_str(&format!(
        "\n{} of {} targets scored on {} stimuli; dropped: {} NaN, {} constant in training, {} constant in test\n",
        summary.scored,
        summary.targets,
        summary.test_units,
        dropped.not_finite,
        dropped.constant_in_training,
        dropped.constant_in_test,
    ));
    if let Some(ceiling) = &summary.ceiling {
        text.push_str(&format!(
            "{} targets have a ceiling too low for a normalised score\n",
            ceiling.dropped
        ));
    }
    for space in &summary.contributions {
        let said = |value: Option<f64>| value.map_or_else(|| "none".to_string(), format_number);
        text.push_str(&format!(
            "{}: product measure {}, unique R² {}\n",
            space.name,
            said(space.product_measure),
            said(space.unique_r2)
        ));
    }
    if let Some(significance) = &summary.significance {
        text.push_str(&format!(
            "{} of {} targets with p < 0.05, {} with q < 0.05 ({} permutations)\n",
            significance.p_below_05,
            significance.targets,
            significance.q_below_05,
            significance.permutations
        ));
    }
    text
}
