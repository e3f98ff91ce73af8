//! What is shown in a terminal.

mod claims;
mod progress;
mod table;

pub(crate) use claims::claims_table;
pub(crate) use progress::progress_sink;
pub(crate) use table::TextTable;

use std::io::Write;

use crate::failure::{Failure, Outcome};

/// Prints to standard output. A reader that went away (`chiasm studies | head`) is no failure.
pub(crate) fn say(text: &str) -> Outcome {
    match writeln!(std::io::stdout().lock(), "{text}") {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => {
            Err(Failure::System(format!("standard output: {error}")))
        }
        _ => Ok(()),
    }
}

/// Prints a value as JSON to standard output.
pub(crate) fn say_json(value: &impl serde::Serialize) -> Outcome {
    let text = serde_json::to_string_pretty(value)
        .map_err(|error| Failure::System(format!("JSON: {error}")))?;
    say(&text)
}

/// Prints an error to standard error. Nothing can be done where that fails too.
pub(crate) fn complain(text: &str) {
    let _ = writeln!(std::io::stderr().lock(), "error: {text}");
}

/// Prints a remark to standard error, so that standard output stays what was asked for.
pub(crate) fn remark(text: &str) {
    let _ = writeln!(std::io::stderr().lock(), "{text}");
}
