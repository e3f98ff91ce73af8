//! What `chiasm triplets` leaves and prints.

use std::path::{Path, PathBuf};

use chiasm_core::Error;
use chiasm_core::evidence::DataUsed;
use chiasm_core::run::write_atomically;
use chiasm_numerics::similarity::triplets::{
    ToleranceUnit, Triplet, TripletSelection, TripletSettings, difference_correlation,
};
use chiasm_report::format_number;
use serde::Serialize;

use super::choices::Judged;
use super::page::page;
use crate::failure::{Failure, Outcome};
use crate::terminal::TextTable;

/// Everything that was found.
pub(super) struct Found {
    pub(super) names: Option<Vec<String>>,
    pub(super) settings: TripletSettings,
    pub(super) seed: u64,
    pub(super) selection: TripletSelection,
    pub(super) random: Vec<Triplet>,
    pub(super) model: Option<Judged>,
    pub(super) used: Vec<DataUsed>,
    /// Names of the high and of the low similarity.
    pub(super) levels: [String; 2],
}

/// `triplets.json`.
#[derive(Serialize)]
pub(super) struct Output<'a> {
    triplets: usize,
    wanted: usize,
    yield_share: f64,
    covered_share: f64,
    correlation_selected: Option<f64>,
    correlation_random: Option<f64>,
    random_triplets: usize,
    high_deviation: f64,
    low_deviation: f64,
    settings: &'a TripletSettings,
    seed: u64,
    coverage: &'a [chiasm_numerics::similarity::triplets::BinCoverage],
    choices: Option<&'a Judged>,
    files: &'a [DataUsed],
    warnings: Vec<String>,
    version: &'static str,
}

impl<'a> Output<'a> {
    pub(super) fn new(found: &'a Found) -> Self {
        let selection = &found.selection;
        Output {
            triplets: selection.triplets.len(),
            wanted: selection.coverage.iter().map(|bin| bin.wanted).sum(),
            yield_share: selection.yield_share(),
            covered_share: selection.covered_share(),
            correlation_selected: difference_correlation(&selection.triplets),
            correlation_random: difference_correlation(&found.random),
            random_triplets: found.random.len(),
            high_deviation: selection.high_deviation,
            low_deviation: selection.low_deviation,
            settings: &found.settings,
            seed: found.seed,
            coverage: &selection.coverage,
            choices: found.model.as_ref(),
            files: &found.used,
            warnings: warnings(found),
            version: env!("CARGO_PKG_VERSION"),
        }
    }

    pub(super) fn warnings(&self) -> &[String] {
        &self.warnings
    }
}

fn warnings(found: &Found) -> Vec<String> {
    let (settings, selection) = (&found.settings, &found.selection);
    let mut warnings = Vec::new();
    for (level, deviation) in found
        .levels
        .iter()
        .zip([selection.high_deviation, selection.low_deviation])
    {
        let (tolerance, step) = match settings.tolerance_unit {
            ToleranceUnit::Similarity => (settings.tolerance, settings.step * deviation),
            ToleranceUnit::StandardDeviation => (settings.tolerance, settings.step),
        };
        if tolerance >= step / 2.0 {
            warnings.push(format!(
                "in {level} a step between bins is {}, so that a tolerance of {tolerance} mixes \
                 neighbouring bins; give a smaller --tolerance, or one --tolerance-in sd",
                format_number(step)
            ));
        }
    }
    let empty = selection
        .coverage
        .iter()
        .filter(|bin| bin.found == 0)
        .count();
    if empty > 0 {
        warnings.push(format!(
            "{empty} of {} bins have no triplet (coverage.csv); fewer --bins, a smaller --step, a larger \
             --tolerance or more images help",
            selection.coverage.len()
        ));
    }
    if let Some(judged) = &found.model {
        if judged.held_out.is_none() {
            warnings.push("there are too few choices to predict held-out triplets".to_string());
        }
        let failed = judged
            .subjects
            .iter()
            .filter(|own| own.model.is_none())
            .count();
        if failed > 0 {
            warnings.push(format!(
                "the choices of {failed} of {} subjects alone do not determine the weights",
                judged.subjects.len()
            ));
        }
    }
    warnings
}

/// The output folder, made and found writable before anything is computed.
pub(super) struct Folder {
    path: PathBuf,
}

impl Folder {
    pub(super) fn prepare(path: &Path) -> Outcome<Self> {
        std::fs::create_dir_all(path).map_err(|source| Error::file(path, source))?;
        let probe = path.join(".chiasm-writable");
        std::fs::write(&probe, b"").map_err(|source| Error::file(path, source))?;
        std::fs::remove_file(&probe).map_err(|source| Error::file(&probe, source))?;
        Ok(Folder {
            path: path.to_path_buf(),
        })
    }

    /// Writes the tables, the report and, last, `triplets.json`.
    pub(super) fn leave(&self, found: &Found, output: &Output<'_>) -> Outcome {
        let names = found.names.as_deref();
        let tables = [
            ("triplets.csv", triplets(&found.selection.triplets, names)),
            ("random.csv", triplets(&found.random, names)),
            ("coverage.csv", coverage(found)),
        ];
        for (name, text) in tables {
            write_atomically(&self.path.join(name), text.as_bytes())?;
        }
        write_atomically(
            &self.path.join("report.html"),
            page(found, output.warnings()).as_bytes(),
        )?;
        let json = serde_json::to_string_pretty(output)
            .map_err(|error| Failure::System(format!("triplets.json: {error}")))?;
        write_atomically(&self.path.join("triplets.json"), json.as_bytes())?;
        Ok(())
    }
}

/// One row a triplet, in the order they are shown in; bins are empty for random ones.
fn triplets(triplets: &[Triplet], names: Option<&[String]>) -> String {
    let image = |image: usize| match names {
        Some(names) => quoted(&names[image]),
        None => image.to_string(),
    };
    let mut text = String::from("root,a,b,dS_high,dS_low,bin_high,bin_low\n");
    for own in triplets {
        let bin = own
            .bin
            .map_or_else(|| ",".to_string(), |[high, low]| format!("{high},{low}"));
        text.push_str(&format!(
            "{},{},{},{},{},{bin}\n",
            image(own.root),
            image(own.a),
            image(own.b),
            own.high_difference,
            own.low_difference
        ));
    }
    text
}

/// A cell that may hold commas, quotes or line breaks.
fn quoted(text: &str) -> String {
    if text.contains([',', '"', '\n', '\r', ';', '\t']) {
        format!("\"{}\"", text.replace('"', "\"\""))
    } else {
        text.to_string()
    }
}

fn coverage(found: &Found) -> String {
    let selection = &found.selection;
    let mut text =
        String::from("bin_high,bin_low,size_dS_high,size_dS_low,wanted,found,roots_tried\n");
    for bin in &selection.coverage {
        text.push_str(&format!(
            "{},{},{},{},{},{},{}\n",
            bin.high,
            bin.low,
            bin.high as f64 * found.settings.step * selection.high_deviation,
            bin.low as f64 * found.settings.step * selection.low_deviation,
            bin.wanted,
            bin.found,
            bin.roots_tried
        ));
    }
    text
}

/// What the terminal shows.
pub(super) fn table(found: &Found) -> String {
    let selection = &found.selection;
    let number = |value: Option<f64>| value.map_or_else(|| "-".to_string(), format_number);
    let mut table = TextTable::new(&["triplets", "number", "correlation of differences"]);
    for (name, triplets) in [("selected", &selection.triplets), ("random", &found.random)] {
        table.row([
            name.to_string(),
            triplets.len().to_string(),
            number(difference_correlation(triplets)),
        ]);
    }
    let mut text = table.render(120);
    text.push_str(&format!(
        "\n{:.0}% of the triplets wanted, {:.0}% of the bins covered",
        100.0 * selection.yield_share(),
        100.0 * selection.covered_share()
    ));
    let Some(judged) = &found.model else {
        return text;
    };
    let mut table = TextTable::new(&["choices by", "weight", "standard error", "z"]);
    for (name, estimate) in weights(found, judged) {
        table.row([
            name,
            format_number(estimate.value),
            number(estimate.standard_error),
            estimate
                .standard_error
                .map_or_else(|| "-".to_string(), |_| format!("{:.2}", estimate.z())),
        ]);
    }
    text.push_str("\n\n");
    text.push_str(&table.render(120));
    text.push('\n');
    text.push_str(&summary(judged));
    text
}

/// The estimates of the model with their names.
pub(super) fn weights(
    found: &Found,
    judged: &Judged,
) -> Vec<(String, chiasm_brain::choice_model::Estimate)> {
    let names = found.levels.iter().zip(["high", "low"]);
    let mut rows: Vec<_> = names
        .zip(&judged.model.weights)
        .map(|((name, level), weight)| (format!("{level} ({name})"), *weight))
        .collect();
    if let Some(bias) = judged.model.side_bias {
        rows.push(("bias towards b".to_string(), bias));
    }
    rows.push(("lapse rate".to_string(), judged.model.lapse));
    rows
}

/// How much there was and how well it is predicted.
pub(super) fn summary(judged: &Judged) -> String {
    let mut text = format!(
        "{} choices on {} triplets, log-likelihood {}",
        judged.trials,
        judged.triplets,
        format_number(judged.model.log_likelihood)
    );
    if let Some(own) = &judged.held_out {
        text.push_str(&format!(
            "; held-out triplets: {} nats a choice (a coin: -0.693), area under the curve {:.3}",
            format_number(own.log_likelihood),
            own.area_under_curve
        ));
    }
    if let Some(correlation) = judged.response_time_correlation {
        text.push_str(&format!(
            "; response times go with how clear the choice is by a rank correlation of {correlation:.2}"
        ));
    }
    text
}
