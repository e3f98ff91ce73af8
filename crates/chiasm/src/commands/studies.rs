//! `chiasm studies`: what there is.

use std::path::{Path, PathBuf};

use chiasm_core::evidence::{Direction, RunResults, Verdict};
use chiasm_core::run::{RunFolder, Scale};
use chiasm_studies::{STUDIES, Study};
use clap::Args;
use serde::Serialize;

use crate::failure::Outcome;
use crate::resolve::find_study;
use crate::terminal::{self, TextTable};

/// List the studies with their claims and the verdicts of your last run
#[derive(Args)]
#[command(after_help = "\
Examples:
  chiasm studies
  chiasm studies trsa        one study: what runs, its claims, its settings
  chiasm studies --json")]
pub(crate) struct StudiesArguments {
    /// Show these studies in full
    #[arg(value_name = "STUDY")]
    studies: Vec<String>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct StudyRow {
    number: u16,
    slug: &'static str,
    title: &'static str,
    family: String,
    citation: &'static str,
    runs: &'static str,
    scaled_down: &'static str,
    data: &'static str,
    settings: toml::Table,
    choices: Vec<ChoiceRow>,
    claims: Vec<ClaimRow>,
    last_run: Option<PathBuf>,
}

#[derive(Serialize)]
struct ChoiceRow {
    setting: &'static str,
    what: &'static str,
}

#[derive(Serialize)]
struct ClaimRow {
    id: &'static str,
    statement: &'static str,
    paper: &'static str,
    metric: &'static str,
    direction: Direction,
    margin: f64,
    baseline: &'static str,
    control: &'static str,
    last_verdict: Option<Verdict>,
}

pub(crate) fn execute(arguments: StudiesArguments) -> Outcome {
    let chosen: Vec<&Study> = if arguments.studies.is_empty() {
        STUDIES.to_vec()
    } else {
        arguments
            .studies
            .iter()
            .map(|name| find_study(name))
            .collect::<Outcome<_>>()?
    };
    let rows = chosen.into_iter().map(row).collect::<Outcome<Vec<_>>>()?;
    if arguments.json {
        return terminal::say_json(&rows);
    }
    if !arguments.studies.is_empty() {
        return rows.iter().try_for_each(|row| terminal::say(&in_full(row)));
    }
    let mut table = TextTable::new(&["no.", "study", "family", "claims", "last run", "title"]);
    for row in &rows {
        let held = row
            .claims
            .iter()
            .filter(|claim| claim.last_verdict == Some(Verdict::Held));
        let last = match &row.last_run {
            Some(_) => format!("{} of {} held", held.count(), row.claims.len()),
            None => "–".to_string(),
        };
        table.row([
            row.number.to_string(),
            row.slug.to_string(),
            row.family.clone(),
            row.claims.len().to_string(),
            last,
            row.title.to_string(),
        ]);
    }
    terminal::say(&table.render(110))
}

fn row(study: &Study) -> Outcome<StudyRow> {
    let last = last_run(Path::new("runs"), study.slug);
    let verdict_of = |id: &str| {
        let (_, results) = last.as_ref()?;
        Some(results.claims.iter().find(|claim| claim.id == id)?.verdict)
    };
    Ok(StudyRow {
        number: study.number,
        slug: study.slug,
        title: study.title,
        family: study.family.to_string(),
        citation: study.citation,
        runs: study.summary,
        scaled_down: study.scaled_down,
        data: study.data,
        settings: (study.settings.at)(Scale::Quick)?,
        choices: study
            .choices
            .iter()
            .map(|choice| ChoiceRow {
                setting: choice.setting,
                what: choice.what,
            })
            .collect(),
        claims: study
            .claims
            .iter()
            .map(|claim| ClaimRow {
                id: claim.id,
                statement: claim.statement,
                paper: claim.paper,
                metric: claim.metric,
                direction: claim.direction,
                margin: claim.margin,
                baseline: claim.baseline,
                control: claim.control,
                last_verdict: verdict_of(claim.id),
            })
            .collect(),
        last_run: last.map(|(folder, _)| folder),
    })
}

/// The newest complete run of a study under the default output folder.
fn last_run(runs: &Path, slug: &str) -> Option<(PathBuf, RunResults)> {
    let mut newest: Option<(std::time::SystemTime, PathBuf)> = None;
    for entry in std::fs::read_dir(runs).ok()?.flatten() {
        let folder = entry.path().join(slug);
        let written =
            std::fs::metadata(folder.join("results.json")).and_then(|meta| meta.modified());
        if let Ok(written) = written
            && newest.as_ref().is_none_or(|(other, _)| written > *other)
        {
            newest = Some((written, folder));
        }
    }
    let (_, path) = newest?;
    let (folder, _) = RunFolder::open(&path).ok()?;
    Some((path, folder.results().ok()?))
}

fn in_full(row: &StudyRow) -> String {
    let mut text = format!(
        "{} {} ({})\n{}\n\n{}\n",
        row.number, row.title, row.slug, row.citation, row.runs
    );
    text.push_str(&format!("\nScaled down: {}\n", row.scaled_down));
    if !row.data.is_empty() {
        text.push_str(&format!("Your own data: {}\n", row.data));
    }
    text.push_str("\nClaims\n");
    for claim in &row.claims {
        let verdict = claim
            .last_verdict
            .map_or("not run here yet".into(), |verdict| verdict.to_string());
        text.push_str(&format!(
            "  {}: {} [{verdict}]\n",
            claim.id, claim.statement
        ));
    }
    text.push_str("\nSettings at quick (--set KEY=VALUE)\n");
    list_settings(&mut text, "", &row.settings, &row.choices);
    text
}

/// Every setting on a line of its own, by the name that `--set` takes.
fn list_settings(text: &mut String, before: &str, table: &toml::Table, choices: &[ChoiceRow]) {
    for (name, value) in table {
        let name = format!("{before}{name}");
        let note = choices.iter().find(|choice| choice.setting == name);
        let note = note.map_or(String::new(), |choice| {
            format!("   open in the paper: {}", choice.what)
        });
        match value {
            toml::Value::Table(inner) => {
                if !note.is_empty() {
                    text.push_str(&format!("  {name}{note}\n"));
                }
                list_settings(text, &format!("{name}."), inner, choices);
            }
            value => text.push_str(&format!("  {name} = {value}{note}\n")),
        }
    }
}
