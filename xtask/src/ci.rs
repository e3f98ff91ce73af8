//! `cargo xtask ci`: every check, cheapest first.

use std::process::Command;
use std::time::Instant;

use crate::{Outcome, root};

/// Name and command line of each step. Everything is built in release, so that the binary, the
/// tests and the documentation share one set of dependencies.
const STEPS: &[(&str, &[&str])] = &[
    ("format", &["fmt", "--all", "--check"]),
    (
        "lints",
        &[
            "clippy",
            "--release",
            "--workspace",
            "--all-targets",
            "--",
            "-D",
            "warnings",
        ],
    ),
    ("tests", &["test", "--release", "--workspace"]),
    (
        "documentation",
        &["doc", "--release", "--workspace", "--no-deps"],
    ),
];

/// Runs all steps and stops at the first that fails.
pub(crate) fn run() -> Outcome {
    for (name, arguments) in STEPS {
        step(name, arguments)?;
    }
    crate::docs::check()?;
    eprintln!("── generated pages are up to date");
    licences()
}

fn step(name: &str, arguments: &[&str]) -> Outcome {
    eprintln!("── {name}: cargo {}", arguments.join(" "));
    let begun = Instant::now();
    let status = Command::new(env!("CARGO"))
        .args(arguments)
        .env("RUSTDOCFLAGS", "-D warnings")
        .current_dir(root())
        .status()
        .map_err(|error| format!("cargo cannot be started: {error}"))?;
    eprintln!("── {name}: {:.0} s", begun.elapsed().as_secs_f64());
    if status.success() {
        Ok(())
    } else {
        Err(format!("{name} failed"))
    }
}

/// Licences and advisories, where `cargo deny` is installed.
fn licences() -> Outcome {
    let found = Command::new(env!("CARGO"))
        .args(["deny", "--version"])
        .output();
    if found.is_ok_and(|output| output.status.success()) {
        step(
            "licences",
            &["deny", "--offline", "check", "licenses", "bans", "sources"],
        )
    } else {
        eprintln!(
            "── licences: NOT CHECKED, cargo-deny is not installed (cargo install cargo-deny)"
        );
        Ok(())
    }
}
