//! One file a command.

mod compare;
mod completions;
mod data;
mod encode;
mod inspect;
mod open;
mod run;
mod searchlight;
mod show;
mod studies;
mod triplets;

use std::path::{Path, PathBuf};

use chiasm_core::Error;
use clap::Subcommand;

use crate::failure::Outcome;

/// Every command.
#[derive(Subcommand)]
pub(crate) enum Command {
    Run(run::RunArguments),
    Studies(studies::StudiesArguments),
    Show(show::ShowArguments),
    Open(open::OpenArguments),
    Inspect(inspect::InspectArguments),
    Compare(compare::CompareArguments),
    Searchlight(searchlight::SearchlightArguments),
    Triplets(triplets::TripletsArguments),
    Encode(encode::EncodeArguments),
    Data(data::DataArguments),
    Completions(completions::CompletionsArguments),
}

impl Command {
    /// Does what was asked.
    pub(crate) fn execute(self) -> Outcome {
        match self {
            Command::Run(arguments) => run::execute(arguments),
            Command::Studies(arguments) => studies::execute(arguments),
            Command::Show(arguments) => show::execute(arguments),
            Command::Open(arguments) => open::execute(arguments),
            Command::Inspect(arguments) => inspect::execute(arguments),
            Command::Compare(arguments) => compare::execute(arguments),
            Command::Searchlight(arguments) => searchlight::execute(arguments),
            Command::Triplets(arguments) => triplets::execute(arguments),
            Command::Encode(arguments) => encode::execute(arguments),
            Command::Data(arguments) => data::execute(arguments),
            Command::Completions(arguments) => completions::execute(arguments),
        }
    }
}

/// The study folders of a run: the folder itself where it is one, else those inside it, by name.
pub(crate) fn study_folders(root: &Path) -> Outcome<Vec<PathBuf>> {
    if root.join("config.toml").is_file() {
        return Ok(vec![root.to_path_buf()]);
    }
    let entries = std::fs::read_dir(root).map_err(|source| Error::file(root, source))?;
    let mut folders: Vec<PathBuf> = entries
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| path.join("config.toml").is_file())
        .collect();
    folders.sort();
    if folders.is_empty() {
        return Err(Error::RunFolder {
            path: root.to_path_buf(),
            reason: "is no run folder: it has no config.toml, nor has a folder in it".to_string(),
        }
        .into());
    }
    Ok(folders)
}
