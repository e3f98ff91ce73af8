//! Developer commands.
//!
//! `cargo xtask ci` is the one entry a person and the machine use to check everything.
//! `cargo xtask docs` writes the generated pages under `docs/`; with `--check` it fails where they
//! are not what it would write.

#![allow(
    clippy::print_stderr,
    reason = "a developer's tool talks to its terminal"
)]

mod ci;
mod docs;

use std::path::PathBuf;
use std::process::ExitCode;

/// Everything that can go wrong is a sentence for the developer.
type Outcome<T = ()> = Result<T, String>;

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let outcome = match words.as_slice() {
        ["ci"] => ci::run(),
        ["docs"] => docs::write(),
        ["docs", "--check"] => docs::check(),
        _ => Err("usage: cargo xtask ci | docs [--check]".to_string()),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("xtask: {message}");
            ExitCode::FAILURE
        }
    }
}

/// The workspace's root.
fn root() -> PathBuf {
    let own = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    own.parent().map_or(own.clone(), PathBuf::from)
}
