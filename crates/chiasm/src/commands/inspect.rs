//! `chiasm inspect`: what is in a file.

use std::path::PathBuf;

use clap::Args;

use crate::failure::Outcome;
use crate::terminal;

/// Say what is in a file: arrays, channels, units, trials, attributes
#[derive(Args)]
#[command(after_help = "\
Examples:
  chiasm inspect recording.nwb
  chiasm inspect weights.safetensors responses.npy
  chiasm inspect *.edf --json

Formats: .npy .npz .csv .tsv .safetensors .wav .nii .nii.gz .edf .bdf .fif .fif.gz .h5 .hdf5 .nwb")]
pub(crate) struct InspectArguments {
    /// Files to look into
    #[arg(required = true)]
    files: Vec<PathBuf>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

pub(crate) fn execute(arguments: InspectArguments) -> Outcome {
    let mut summaries = Vec::new();
    let mut first_failure = None;
    for file in &arguments.files {
        // One bad file does not hide what is in the others.
        match chiasm_io::inspect::inspect(file) {
            Ok(summary) if arguments.json => summaries.push(summary),
            Ok(summary) => terminal::say(summary.to_string().trim_end())?,
            Err(error) => match &first_failure {
                None => first_failure = Some(error),
                Some(_) => terminal::complain(&error.to_string()),
            },
        }
    }
    if arguments.json {
        terminal::say_json(&summaries)?;
    }
    first_failure.map_or(Ok(()), |error| Err(error.into()))
}
