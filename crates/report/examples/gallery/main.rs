//! Writes a page of each kind with made-up numbers, to look at:
//! `cargo run --release -p chiasm-report --example gallery -- FOLDER`.

#![allow(
    missing_docs,
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a benchmark prints and may fail loudly"
)]

#[path = "../../tests/main/sample/mod.rs"]
mod sample;

use std::path::PathBuf;

use chiasm_report::{StudyEntry, combined_report, comparison_report, figure_svg, study_report};

fn main() -> std::io::Result<()> {
    let folder = PathBuf::from(
        std::env::args()
            .nth(1)
            .unwrap_or_else(|| "gallery".to_string()),
    );
    let results = sample::results();
    let figures = sample::figures::all();
    let study = folder.join(&results.study);
    std::fs::create_dir_all(study.join("figures"))?;
    for figure in &figures {
        let path = study.join("figures").join(format!("{}.svg", figure.id));
        std::fs::write(path, figure_svg(figure))?;
    }
    let report = study_report(&results, &figures, &sample::tables(), sample::CONFIG);
    std::fs::write(study.join("report.html"), report)?;

    let other = sample::other_results();
    std::fs::create_dir_all(folder.join(&other.study))?;
    let report = study_report(&other, &[], &[], sample::CONFIG);
    std::fs::write(folder.join(&other.study).join("report.html"), report)?;
    let entries = [(&results, "spiking"), (&other, "brain")].map(|(results, family)| StudyEntry {
        results,
        family,
        report: format!("{}/report.html", results.study),
    });
    std::fs::write(folder.join("report.html"), combined_report(&entries))?;

    let compare = folder.join("compare");
    std::fs::create_dir_all(&compare)?;
    std::fs::write(
        compare.join("report.html"),
        comparison_report(&sample::comparison()),
    )
}
