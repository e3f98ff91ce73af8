//! The page of one run of one study.

use chiasm_core::evidence::{Figure, ResultTable, RunResults};

use super::duration;
use crate::html::{Page, Section, Tally};

/// `report.html` of a run: claims first, then what to know, figures, tables, scope and settings,
/// data, the run. `config_toml` is the text of the resolved configuration.
pub fn study_report(
    results: &RunResults,
    figures: &[Figure],
    tables: &[ResultTable],
    config_toml: &str,
) -> String {
    let tally = Tally::of(&results.claims, &results.not_tested);
    let mut page = Page::new(&results.title)
        .kicker(format!("Chiasm study {}: {}", results.paper, results.study))
        .intro(&results.citation)
        .intro(format!(
            "Run at {} scale with {}.",
            results.scale,
            seeds_phrase(&results.seeds)
        ))
        .tally(tally)
        .section(Section::new("Claims").claims(
            &results.claims,
            &results.not_tested,
            &results.seeds,
        ));
    if !results.notes.is_empty() {
        let notes = Section::new("What to know");
        page = page.section(
            results
                .notes
                .iter()
                .fold(notes, |notes, note| notes.note(note)),
        );
    }
    if !figures.is_empty() {
        let section = Section::new("Figures");
        page = page.section(
            figures
                .iter()
                .fold(section, |section, figure| section.figure(figure)),
        );
    }
    if !tables.is_empty() {
        let section = Section::new("Tables");
        page = page.section(
            tables
                .iter()
                .fold(section, |section, table| section.table(table)),
        );
    }
    page = page.section(Section::new("What was scaled down").text(
        if results.scaled_down.is_empty() {
            "Nothing: this is the paper's own size."
        } else {
            &results.scaled_down
        },
    ));
    page = page.section(settings(results, config_toml));
    let data = Section::new("Data");
    page = page.section(if results.data.is_empty() {
        data.text("This run used no data.")
    } else {
        data.data(&results.data)
    });
    page.section(run(results))
        .footer(format!("Made by Chiasm {}.", results.version))
        .render()
}

fn seeds_phrase(seeds: &[u64]) -> String {
    match seeds {
        [seed] => format!("one seed ({seed})"),
        seeds => format!("{} seeds", seeds.len()),
    }
}

fn settings(results: &RunResults, config_toml: &str) -> Section {
    let mut section = Section::new("Settings");
    if !results.choices.is_empty() {
        section = section.table(&ResultTable {
            title: "Choices the paper leaves open".to_string(),
            caption: "Each can be changed by its setting.".to_string(),
            columns: vec![
                "Setting".to_string(),
                "What is open and what was taken".to_string(),
            ],
            rows: results
                .choices
                .iter()
                .map(|choice| vec![choice.setting.clone(), choice.what.clone()])
                .collect(),
        });
    }
    section.section(
        Section::new("Configuration")
            .text("config.toml, with every setting resolved: enough to repeat this run.")
            .source("config.toml", config_toml),
    )
}

fn run(results: &RunResults) -> Section {
    let seeds: Vec<String> = results.seeds.iter().map(u64::to_string).collect();
    let mut facts = vec![
        ("Seeds", seeds.join(", ")),
        ("Scale", results.scale.clone()),
        ("Device", results.device.clone()),
        ("Threads", results.threads.to_string()),
        ("Time", duration(results.seconds)),
    ];
    if let Some(memory) = results.peak_rss_mib {
        facts.push(("Most memory", format!("{memory:.0} MiB")));
    }
    facts.push(("Version", format!("Chiasm {}", results.version)));
    Section::new("The run").facts(facts)
}
