//! The binary as a person meets it: what it prints, what it leaves, how it fails.

#![allow(
    missing_docs,
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a test may fail loudly"
)]

mod schema;

use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

/// The study that runs fastest; what holds for it holds for the runner.
const FAST: &str = "active-dendrites";

/// It, small.
const SMALL: [&str; 18] = [
    "run",
    FAST,
    "--seeds",
    "2",
    "--set",
    "draws=100000",
    "--set",
    "populations=16",
    "--set",
    "patterns=300",
    "--set",
    "transitions=100",
    "--set",
    "unions=200",
    "--set",
    "noise_trials=1000",
    "--set",
    "random_settings=50",
];

/// Runs the small study and leaves it in `out`.
fn run_small(folder: &Path, out: &str) -> Output {
    chiasm(folder, &[&SMALL[..], &["--out", out]].concat())
}

fn chiasm(folder: &Path, words: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_chiasm"))
        .args(words)
        .current_dir(folder)
        .stdin(Stdio::null())
        .output()
        .unwrap()
}

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

fn read_json(path: &Path) -> Value {
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

/// Results without what a clock or the memory manager decides.
fn timeless(path: &Path) -> Value {
    let mut results = read_json(path);
    results["seconds"] = Value::Null;
    results["peak_rss_mib"] = Value::Null;
    results
}

#[test]
fn a_run_leaves_what_it_promises_and_repeats_byte_for_byte() {
    let place = tempfile::tempdir().unwrap();
    for out in ["a", "b"] {
        let output = run_small(place.path(), out);
        assert!(output.status.success(), "{}", stderr(&output));
        assert!(stdout(&output).contains("verdict"), "{}", stdout(&output));
    }
    let folder = place.path().join("a").join(FAST);
    let schema: Value =
        serde_json::from_str(include_str!("../../../schemas/results-1.json")).unwrap();
    let results = read_json(&folder.join("results.json"));
    assert_eq!(schema::errors(&schema, &results), Vec::<String>::new());
    // The check can fail: a verdict nobody may give, a claim without its control.
    let mut wrong = results.clone();
    wrong["claims"][0]["verdict"] = "proved".into();
    wrong["claims"][1]
        .as_object_mut()
        .unwrap()
        .remove("control");
    assert_eq!(schema::errors(&schema, &wrong).len(), 2);

    assert_eq!(
        timeless(&folder.join("results.json")),
        timeless(&place.path().join("b").join(FAST).join("results.json"))
    );
    for figure in results["figures"].as_array().unwrap() {
        let figure = figure.as_str().unwrap();
        let a = std::fs::read(folder.join(figure)).unwrap();
        let b = std::fs::read(place.path().join("b").join(FAST).join(figure)).unwrap();
        assert_eq!(a, b, "{figure}");
    }
    assert!(folder.join("report.html").is_file());
    assert!(
        !folder.join("checkpoint").exists(),
        "checkpoints outlive their run"
    );

    // The verdicts follow from the intervals.
    for claim in results["claims"].as_array().unwrap() {
        let margin = claim["margin"].as_f64().unwrap();
        let (low, high) = (
            claim["ci95"][0].as_f64().unwrap(),
            claim["ci95"][1].as_f64().unwrap(),
        );
        let held = match claim["direction"].as_str().unwrap() {
            "greater" => low > margin,
            "less" => high < margin,
            _ => low >= -margin && high <= margin,
        };
        assert_eq!(claim["verdict"] == "held", held, "{claim}");
    }

    // The resolved configuration repeats the run.
    let config = folder.join("config.toml");
    let output = chiasm(
        place.path(),
        &["run", "--config", config.to_str().unwrap(), "--out", "c"],
    );
    assert!(output.status.success(), "{}", stderr(&output));
    assert_eq!(
        timeless(&folder.join("results.json")),
        timeless(&place.path().join("c").join(FAST).join("results.json"))
    );

    let output = chiasm(place.path(), &["show", "a", "--json"]);
    let shown: Value = serde_json::from_str(&stdout(&output)).unwrap();
    assert_eq!(shown[0], results);
    let output = chiasm(place.path(), &["open", "a", "--print"]);
    assert!(output.status.success() && stdout(&output).contains("report.html"));

    // A finished run is neither overwritten nor run again.
    let output = chiasm(place.path(), &["run", FAST, "--out", "a"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(
        stderr(&output).contains("holds a run already"),
        "{}",
        stderr(&output)
    );
    let begun = Instant::now();
    let output = chiasm(place.path(), &["run", "--resume", "a"]);
    assert!(output.status.success(), "{}", stderr(&output));
    assert!(begun.elapsed() < Duration::from_secs(5));

    // A run folder knows whose it is.
    let output = chiasm(place.path(), &["run", "trsa", "--resume", "a"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(
        stderr(&output).contains("belongs to active-dendrites, not to trsa"),
        "{}",
        stderr(&output)
    );
}

/// Sends `signal` after `delay`, then resumes until the run is whole.
#[cfg(unix)]
fn interrupted(place: &Path, out: &str, signal: &str, delay: Duration) -> bool {
    let mut child = Command::new(env!("CARGO_BIN_EXE_chiasm"))
        .args(SMALL)
        .args(["--out", out])
        .current_dir(place)
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    std::thread::sleep(delay);
    let _ = Command::new("kill")
        .args([signal, &child.id().to_string()])
        .status()
        .unwrap();
    let status = child.wait().unwrap();
    if status.success() {
        return false;
    }
    if signal != "-KILL" {
        assert_eq!(status.code(), Some(3), "{signal}");
    }
    if place.join(out).join(FAST).join("config.toml").exists() {
        let output = chiasm(place, &["run", "--resume", out]);
        assert!(output.status.success(), "{}", stderr(&output));
    } else {
        // Killed before there was anything to keep.
        let output = run_small(place, out);
        assert!(output.status.success(), "{}", stderr(&output));
    }
    true
}

#[cfg(unix)]
#[test]
fn a_broken_run_ends_like_an_unbroken_one() {
    let place = tempfile::tempdir().unwrap();
    let begun = Instant::now();
    let output = run_small(place.path(), "whole");
    assert!(output.status.success(), "{}", stderr(&output));
    let whole = begun.elapsed();
    let expected = timeless(&place.path().join("whole").join(FAST).join("results.json"));
    let mut broken = 0;
    for (index, (signal, share)) in [
        ("-INT", 0.3),
        ("-TERM", 0.6),
        ("-KILL", 0.2),
        ("-KILL", 0.75),
    ]
    .into_iter()
    .enumerate()
    {
        let out = format!("broken-{index}");
        broken += usize::from(interrupted(
            place.path(),
            &out,
            signal,
            whole.mul_f64(share),
        ));
        let found = timeless(&place.path().join(&out).join(FAST).join("results.json"));
        assert_eq!(found, expected, "{signal} at {share}");
    }
    assert!(
        broken >= 2,
        "only {broken} of 4 signals came before the end"
    );
}

#[test]
fn mistakes_get_one_helpful_sentence_and_exit_code_2() {
    let place = tempfile::tempdir().unwrap();
    std::fs::write(
        place.path().join("noise.toml"),
        "study = \"trsa\"\n[settings]\nnois = 1\n",
    )
    .unwrap();
    std::fs::write(place.path().join("broken.npy"), b"\x93NUMPY\x01\x00").unwrap();
    std::fs::create_dir(place.path().join("empty")).unwrap();
    std::fs::write(place.path().join("file"), "x").unwrap();
    for (words, expected) in [
        (vec!["run", "trsaa"], "did you mean 'trsa'?"),
        (vec!["run", "zzzz"], "'chiasm studies' lists them all"),
        (vec!["run", "--sede", "1"], "unexpected argument '--sede'"),
        (vec!["run", FAST, "--seeds", "0"], "seeds = 0"),
        (vec!["run", FAST, "--threads", "0"], "threads = 0"),
        (vec!["run", FAST, "--set", "nonsense"], "expected key=value"),
        (
            vec!["run", FAST, "--set", "no_such=1"],
            "has no setting 'no_such'",
        ),
        (
            vec!["run", "dynamic-connectome", "--set", "blocks.restart=2"],
            "did you mean 'blocks.restarts'?",
        ),
        (
            vec!["run", "dynamic-connectome", "--set", "blocks.restarts=-2"],
            "blocks.restarts = ",
        ),
        (
            vec!["run", "dynamic-connectome", "--set", "lesions=99999999999"],
            "lesions = 99999999999",
        ),
        (
            vec!["compare", "file", "file", "--threads", "0"],
            "threads = 0",
        ),
        (vec!["run", FAST, "--data", "nowhere.npy"], "nowhere.npy"),
        (vec!["run", "--data", "file"], "name it"),
        (
            vec!["run", "--config", "noise.toml"],
            "has no setting 'nois'",
        ),
        (vec!["run", "--config", "nowhere.toml"], "nowhere.toml"),
        (vec!["run", FAST, "--out", "file/below"], "file"),
        (vec!["run", "--resume", "empty"], "is no run folder"),
        (vec!["run", "--resume", "nowhere"], "nowhere"),
        (vec!["show", "empty"], "is no run folder"),
        (vec!["open", "empty"], "no report.html"),
        (vec!["inspect", "nowhere.npy"], "nowhere.npy"),
        (vec!["inspect", "broken.npy"], "broken.npy"),
        (vec!["data", "get", "mnist-500"], "mnist-5000"),
    ] {
        let output = chiasm(place.path(), &words);
        let message = stderr(&output);
        assert_eq!(output.status.code(), Some(2), "{words:?}: {message}");
        assert!(message.contains(expected), "{words:?}: {message}");
        assert!(!message.contains("panicked"), "{words:?}: {message}");
    }
    // Nothing was begun, so nothing was left.
    let mut left: Vec<_> = std::fs::read_dir(place.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    left.sort();
    assert_eq!(left, ["broken.npy", "empty", "file", "noise.toml"]);
}

#[test]
fn every_help_has_examples_and_every_listing_has_json() {
    let place = tempfile::tempdir().unwrap();
    for command in [
        "run",
        "studies",
        "show",
        "open",
        "data",
        "inspect",
        "compare",
        "completions",
    ] {
        let output = chiasm(place.path(), &[command, "--help"]);
        assert!(output.status.success());
        assert!(stdout(&output).contains("Examples:"), "{command}");
    }
    let output = chiasm(place.path(), &["studies", "--json"]);
    let studies: Value = serde_json::from_str(&stdout(&output)).unwrap();
    for study in studies.as_array().unwrap() {
        assert!(!study["claims"].as_array().unwrap().is_empty(), "{study}");
        assert!(study["settings"].is_object());
    }
    let numbers: Vec<u64> = studies
        .as_array()
        .unwrap()
        .iter()
        .map(|study| study["number"].as_u64().unwrap())
        .collect();
    for number in [26, 33, 37, 56] {
        assert!(numbers.contains(&number), "{number}");
    }
    let output = chiasm(place.path(), &["data", "list", "--json"]);
    let items: Value = serde_json::from_str(&stdout(&output)).unwrap();
    assert!(
        items
            .as_array()
            .unwrap()
            .iter()
            .any(|item| item["name"] == "mnist-5000")
    );
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let output = chiasm(place.path(), &["completions", shell]);
        assert!(stdout(&output).contains("chiasm"), "{shell}");
    }
}
