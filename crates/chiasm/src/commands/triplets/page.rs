//! The report of `chiasm triplets`.

use chiasm_core::evidence::{Axis, Figure, Plot, Points, ResultTable};
use chiasm_numerics::similarity::triplets::{ToleranceUnit, Triplet, difference_correlation};
use chiasm_report::{Page, Section, format_number};

use super::output::{Found, summary, weights};

pub(super) fn page(found: &Found, warnings: &[String]) -> String {
    let [high, low] = &found.levels;
    let selection = &found.selection;
    let number = |value: Option<f64>| value.map_or_else(|| "unknown".to_string(), format_number);
    let mut page = Page::new(format!("Triplets that decouple {high} and {low}"))
        .kicker("Chiasm triplets")
        .intro(format!(
            "{} triplets, {:.0}% of those wanted. Their differences of similarity correlate by {}; those of \
             {} random triplets by {}.",
            selection.triplets.len(),
            100.0 * selection.yield_share(),
            number(difference_correlation(&selection.triplets)),
            found.random.len(),
            number(difference_correlation(&found.random)),
        ));
    page = page.section(
        Section::new("Differences of similarity")
            .figure(&differences(found))
            .figure(&coverage(found)),
    );
    if !warnings.is_empty() {
        let notes = Section::new("What to know");
        page = page.section(warnings.iter().fold(notes, |notes, text| notes.note(text)));
    }
    if let Some(judged) = &found.model {
        let rows = weights(found, judged).into_iter().map(|(name, estimate)| {
            let error = estimate
                .standard_error
                .map_or_else(String::new, format_number);
            vec![name, format_number(estimate.value), error]
        });
        let table = ResultTable {
            title: "What drives the choices".to_string(),
            caption: "Log odds of choosing b per unit of difference in similarity, all subjects together. \
                      Standard errors take choices as independent."
                .to_string(),
            columns: ["Predictor", "Weight", "Standard error"].map(String::from).to_vec(),
            rows: rows.collect(),
        };
        let mut section = Section::new("Choices")
            .text(format!("{}.", summary(judged)))
            .table(&table);
        if !judged.subjects.is_empty() {
            section = section.table(&subjects(judged));
        }
        page = page.section(section);
    }
    let settings = &found.settings;
    page.section(Section::new("Settings").facts([
        ("bins of each level", settings.bins.to_string()),
        ("step (standard deviations)", settings.step.to_string()),
        (
            "tolerance",
            match settings.tolerance_unit {
                ToleranceUnit::Similarity => settings.tolerance.to_string(),
                ToleranceUnit::StandardDeviation => format!("{} sd", settings.tolerance),
            },
        ),
        ("triplets wanted of each bin", settings.tables.to_string()),
        (
            "standard deviation, high",
            format_number(selection.high_deviation),
        ),
        (
            "standard deviation, low",
            format_number(selection.low_deviation),
        ),
        ("seed", found.seed.to_string()),
    ]))
    .section(Section::new("Data").data(&found.used))
    .footer(format!("Made by Chiasm {}.", env!("CARGO_PKG_VERSION")))
    .render()
}

fn differences(found: &Found) -> Figure {
    let cloud = |name: &str, triplets: &[Triplet]| Points {
        name: name.to_string(),
        x: triplets.iter().map(|one| one.high_difference).collect(),
        y: triplets.iter().map(|one| one.low_difference).collect(),
        labels: Vec::new(),
    };
    Figure::new(
        "differences",
        "Differences of similarity in random and in selected triplets",
        "One point a triplet: similarity of root and b minus that of root and a.",
        Axis::linear(format!("high difference ({})", found.levels[0])),
        Axis::linear(format!("low difference ({})", found.levels[1])),
        Plot::Scatter(vec![
            cloud("random", &found.random),
            cloud("selected", &found.selection.triplets),
        ]),
    )
}

fn coverage(found: &Found) -> Figure {
    let bins = found.settings.bins;
    let label = |bin: usize| {
        format!(
            "{} sd",
            format_number((bin + 1) as f64 * found.settings.step)
        )
    };
    let at = |low: usize, high: usize| {
        let bin = found.selection.coverage.get(high * bins + low);
        bin.map_or(0.0, |bin| bin.found as f64)
    };
    Figure::new(
        "coverage",
        "Triplets found in every bin",
        format!(
            "Rows: size of the low difference; columns: of the high one. {} were wanted of each bin.",
            found.settings.tables
        ),
        Axis::linear("high difference"),
        Axis::linear("low difference"),
        Plot::Heatmap {
            rows: (0..bins).map(label).collect(),
            columns: (0..bins).map(label).collect(),
            values: (0..bins)
                .map(|low| (0..bins).map(|high| at(low, high)).collect())
                .collect(),
            colour: "triplets".to_string(),
        },
    )
}

fn subjects(judged: &super::choices::Judged) -> ResultTable {
    let rows = judged.subjects.iter().map(|own| {
        let mut row = vec![own.subject.clone(), own.trials.to_string()];
        match &own.model {
            Some(model) => row.extend(model.weights.iter().map(|weight| {
                let error = weight
                    .standard_error
                    .map_or_else(String::new, format_number);
                format!("{} ± {error}", format_number(weight.value))
            })),
            None => row.extend(["not determined".to_string(), "not determined".to_string()]),
        }
        row
    });
    ResultTable {
        title: "Subjects".to_string(),
        caption: "Weights from each subject's own choices, with standard errors.".to_string(),
        columns: ["Subject", "Choices", "High", "Low"]
            .map(String::from)
            .to_vec(),
        rows: rows.collect(),
    }
}
