//! The plan of the house, checked: which crate may lean on which, and how long a file may be.

#![allow(
    missing_docs,
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a test may fail loudly"
)]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

/// The floor of every crate; a crate leans only on floors below its own.
const FLOORS: &[(&str, u8)] = &[
    ("chiasm-core", 1),
    ("chiasm-io", 2),
    ("chiasm-sim", 2),
    ("chiasm-numerics", 2),
    ("chiasm-kernels", 2),
    ("chiasm-nn", 3),
    ("chiasm-brain", 4),
    ("chiasm-spiking", 4),
    ("chiasm-memory", 4),
    ("chiasm-studies", 5),
    ("chiasm-report", 5),
    ("chiasm", 6),
    ("xtask", 7),
];

/// Classical analysis must build fast: these may not pull in Burn.
const WITHOUT_BURN: &[&str] = &[
    "chiasm-core",
    "chiasm-io",
    "chiasm-sim",
    "chiasm-numerics",
    "chiasm-kernels",
    "chiasm-report",
];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../..")
        .canonicalize()
        .unwrap()
}

/// What `cargo metadata` says of the workspace's own packages.
fn packages() -> Vec<Value> {
    let output = Command::new(env!("CARGO"))
        .args([
            "metadata",
            "--no-deps",
            "--format-version",
            "1",
            "--offline",
        ])
        .current_dir(root())
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let metadata: Value = serde_json::from_slice(&output.stdout).unwrap();
    metadata["packages"].as_array().unwrap().clone()
}

#[test]
fn crates_lean_only_on_floors_below() {
    let floors: BTreeMap<&str, u8> = FLOORS.iter().copied().collect();
    let mut broken = Vec::new();
    let packages = packages();
    for package in &packages {
        let own = package["name"].as_str().unwrap();
        let Some(&floor) = floors.get(own) else {
            broken.push(format!("{own} has no floor: add it to the table"));
            continue;
        };
        for dependency in package["dependencies"].as_array().unwrap() {
            let other = dependency["name"].as_str().unwrap();
            // A test may lean sideways: it ships nothing.
            let sideways = u8::from(dependency["kind"] == "dev");
            if floors
                .get(other)
                .is_some_and(|&below| below >= floor + sideways)
            {
                broken.push(format!(
                    "{own} (floor {floor}) leans on {other} (floor {})",
                    floors[other]
                ));
            }
            if other == "burn" && WITHOUT_BURN.contains(&own) {
                broken.push(format!("{own} leans on Burn"));
            }
        }
    }
    assert_eq!(
        packages.len(),
        FLOORS.len(),
        "the table names crates that are gone"
    );
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

#[test]
fn no_file_is_longer_than_600_lines() {
    let mut long = Vec::new();
    let mut waiting = vec![root().join("crates"), root().join("xtask")];
    let mut seen = 0;
    while let Some(folder) = waiting.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                waiting.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                seen += 1;
                let lines = std::fs::read_to_string(&path).unwrap().lines().count();
                if lines > 600 {
                    long.push(format!("{} has {lines} lines", path.display()));
                }
            }
        }
    }
    assert!(seen > 50, "only {seen} source files were found");
    assert!(long.is_empty(), "{}", long.join("\n"));
}
