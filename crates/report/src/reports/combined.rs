//! The page of several studies that ran together.

use chiasm_core::evidence::RunResults;

use super::duration;
use crate::html::{Page, Section, StudyRow, Tally};
use crate::number::counted;

/// A study of a combined report.
#[derive(Clone, Debug)]
pub struct StudyEntry<'a> {
    /// What its run found.
    pub results: &'a RunResults,
    /// The group the study belongs to.
    pub family: &'a str,
    /// Path of its own report, relative to the combined one: `SLUG/report.html`.
    pub report: String,
}

/// One page for several studies: an overview with verdict counts and links to each study's own
/// report, then every study's claims.
pub fn combined_report(studies: &[StudyEntry<'_>]) -> String {
    let tally =
        |entry: &StudyEntry<'_>| Tally::of(&entry.results.claims, &entry.results.not_tested);
    let total = studies
        .iter()
        .fold(Tally::default(), |sum, entry| sum.plus(&tally(entry)));
    let seconds: f64 = studies.iter().map(|entry| entry.results.seconds).sum();
    let rows = studies
        .iter()
        .map(|entry| StudyRow {
            title: entry.results.title.clone(),
            address: entry.report.clone(),
            family: entry.family.to_string(),
            tally: tally(entry),
            time: duration(entry.results.seconds),
        })
        .collect();
    let mut page = Page::new("Studies and their claims")
        .kicker("Chiasm")
        .intro(format!(
            "{} with {}, in {}.",
            counted(studies.len(), "study", "studies"),
            counted(total.total(), "claim", "claims"),
            duration(seconds)
        ))
        .tally(total)
        .section(Section::new("Overview").studies(rows));
    for entry in studies {
        let results = entry.results;
        let mut section = Section::new(&results.title)
            .text(&results.citation)
            .link(format!("Full report of {}", results.study), &entry.report)
            .claims(&results.claims, &results.not_tested, &results.seeds);
        if !results.scaled_down.is_empty() {
            section = section.text(format!("Scaled down: {}", results.scaled_down));
        }
        page = page.section(section);
    }
    if let Some(first) = studies.first() {
        page = page.footer(format!("Made by Chiasm {}.", first.results.version));
    }
    page.render()
}
