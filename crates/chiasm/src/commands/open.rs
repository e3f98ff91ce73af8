//! `chiasm open`: a run's report in the browser.

use std::path::PathBuf;

use clap::Args;

use crate::failure::{Failure, Outcome};
use crate::terminal;

/// Open a run's report in the browser
#[derive(Args)]
#[command(after_help = "\
Examples:
  chiasm open runs/1
  chiasm open runs/1/trsa
  chiasm open comparison --print     only print where the report is")]
pub(crate) struct OpenArguments {
    /// A folder that `chiasm run` or `chiasm compare` left
    folder: PathBuf,
    /// Print the report's path instead of opening it
    #[arg(long)]
    print: bool,
}

pub(crate) fn execute(arguments: OpenArguments) -> Outcome {
    let report = arguments.folder.join("report.html");
    if !report.is_file() {
        let folder = arguments.folder.display();
        let why = if super::study_folders(&arguments.folder).is_ok() {
            format!("{folder}: the run is not complete; go on with: chiasm run --resume {folder}")
        } else {
            format!("{folder}: there is no report.html in it")
        };
        return Err(Failure::Usage(why));
    }
    if arguments.print {
        return terminal::say(&report.display().to_string());
    }
    open::that_detached(&report).map_err(|error| {
        Failure::System(format!(
            "no browser could be started ({error}); the report is {}",
            report.display()
        ))
    })
}
