//! `chiasm show`: a run's claims in the terminal.

use std::path::PathBuf;

use chiasm_core::run::RunFolder;
use clap::Args;

use crate::failure::Outcome;
use crate::terminal;

/// Show a run's claims and verdicts in the terminal
#[derive(Args)]
#[command(after_help = "\
Examples:
  chiasm show runs/1
  chiasm show runs/1/trsa --json")]
pub(crate) struct ShowArguments {
    /// A folder that `chiasm run` left
    folder: PathBuf,
    /// Print the results as JSON
    #[arg(long)]
    json: bool,
}

pub(crate) fn execute(arguments: ShowArguments) -> Outcome {
    let mut all = Vec::new();
    for path in super::study_folders(&arguments.folder)? {
        let (folder, config) = RunFolder::open(&path)?;
        if folder.is_complete() {
            all.push(folder.results()?);
        } else {
            terminal::remark(&format!(
                "{}: not complete; go on with: chiasm run --resume {}",
                config.study,
                path.display()
            ));
        }
    }
    if arguments.json {
        return terminal::say_json(&all);
    }
    for results in &all {
        terminal::say(&format!(
            "{} ({}, {})",
            results.title, results.study, results.scale
        ))?;
        terminal::say(&terminal::claims_table(results, 110))?;
        for note in &results.notes {
            terminal::say(&format!("  note: {note}"))?;
        }
        terminal::say("")?;
    }
    Ok(())
}
