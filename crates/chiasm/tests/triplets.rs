//! `chiasm triplets` as a person meets it: files, numbers, messages.

#![allow(
    missing_docs,
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a test may fail loudly"
)]

use std::collections::HashSet;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use chiasm::core::Seed;
use chiasm::io::csv::{Options, read_table};
use chiasm::io::numpy::write_npy;
use chiasm::numerics::similarity::triplets::Similarity;
use chiasm::sim::image_similarity::{ImageSettings, Observers};
use ndarray::{Array2, s};
use serde_json::Value;

fn triplets(folder: &Path, words: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_chiasm"))
        .arg("triplets")
        .args(words)
        .current_dir(folder)
        .stdin(Stdio::null())
        .output()
        .unwrap()
}

fn succeed(folder: &Path, words: &[&str]) -> (String, String) {
    let output = triplets(folder, words);
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    let (out, err) = (text(output.stdout), text(output.stderr));
    assert!(output.status.success(), "{words:?}: {err}");
    (out, err)
}

/// Exit code 2, one sentence, no results.
fn fail(folder: &Path, words: &[&str]) -> String {
    let output = triplets(folder, words);
    let message = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{words:?}: {message}");
    assert!(!message.contains("panicked"), "{message}");
    assert!(!folder.join("triplets/triplets.json").exists());
    message
}

fn json(path: &Path) -> Value {
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

/// 600 simulated images: both similarities and a list of names.
fn place() -> (tempfile::TempDir, [Similarity; 2]) {
    let place = tempfile::tempdir().unwrap();
    let settings = ImageSettings {
        images: 600,
        ..Default::default()
    };
    let images = settings.simulate(Seed::new(1)).unwrap();
    let high = Similarity::of_features("high", images.high.view()).unwrap();
    let low = Similarity::of_features("low", images.low.view()).unwrap();
    for (name, similarity) in [("high.npy", &high), ("low.npy", &low)] {
        // In single precision, as such files mostly are.
        write_npy(
            &place.path().join(name),
            &similarity.values().mapv(|x| x as f32),
        )
        .unwrap();
    }
    let names: Vec<String> = (0..600).map(name).collect();
    std::fs::write(place.path().join("names.csv"), names.join("\n")).unwrap();
    (place, [high, low])
}

fn name(image: usize) -> String {
    format!("images/{image:03}.jpg")
}

const FOUR: [&str; 6] = ["high.npy", "low.npy", "--bins", "4", "--tables", "2"];

fn with<'a>(words: &[&'a str]) -> Vec<&'a str> {
    FOUR.iter().chain(words).copied().collect()
}

#[test]
fn triplets_come_with_names_coverage_and_a_report() {
    let (place, [high, low]) = place();
    let (out, _) = succeed(place.path(), &with(&["--names", "names.csv"]));
    assert!(
        out.contains("selected") && out.contains("report: triplets"),
        "{out}"
    );
    let folder = place.path().join("triplets");
    let table = std::fs::read_to_string(folder.join("triplets.csv")).unwrap();
    let mut lines = table.lines();
    assert_eq!(
        lines.next(),
        Some("root,a,b,dS_high,dS_low,bin_high,bin_low")
    );
    let mut seen = HashSet::new();
    let mut count = 0;
    for line in lines {
        let cells: Vec<&str> = line.split(',').collect();
        let image = |cell: &str| -> usize { cell[7..10].parse().unwrap() };
        let [root, a, b] = [image(cells[0]), image(cells[1]), image(cells[2])];
        for image in [root, a, b] {
            assert!(seen.insert(image), "{image} is used twice");
        }
        for (similarity, cell) in [(&high, cells[3]), (&low, cells[4])] {
            let values = similarity.values();
            let difference = values[[root, b]] - values[[root, a]];
            assert!((difference - cell.parse::<f64>().unwrap()).abs() < 1e-6);
        }
        count += 1;
    }
    let result = json(&folder.join("triplets.json"));
    assert_eq!(result["triplets"], count);
    assert_eq!(result["wanted"], 32);
    assert!(count >= 28, "{count}");
    let selected = result["correlation_selected"].as_f64().unwrap();
    let random = result["correlation_random"].as_f64().unwrap();
    assert!(selected.abs() < 0.15 && random > 0.2, "{selected} {random}");
    assert_eq!(result["choices"], Value::Null);
    assert_eq!(result["files"].as_array().unwrap().len(), 3);
    let coverage = read_table(&folder.join("coverage.csv"), &Options::default()).unwrap();
    assert_eq!(coverage.rows(), 16);
    let report = std::fs::read_to_string(folder.join("report.html")).unwrap();
    assert!(report.contains("<svg") && report.contains("Triplets found in every bin"));
}

#[test]
fn a_seed_repeats_everything_and_json_is_the_file() {
    let (place, _) = place();
    let (out, _) = succeed(
        place.path(),
        &with(&["--seed", "3", "--json", "--out", "x"]),
    );
    succeed(
        place.path(),
        &with(&["--seed", "3", "--out", "y", "--threads", "1"]),
    );
    succeed(place.path(), &with(&["--seed", "4", "--out", "z"]));
    let read = |file: &str| std::fs::read_to_string(place.path().join(file)).unwrap();
    for file in [
        "triplets.csv",
        "random.csv",
        "coverage.csv",
        "triplets.json",
        "report.html",
    ] {
        assert_eq!(
            read(&format!("x/{file}")),
            read(&format!("y/{file}")),
            "{file}"
        );
    }
    assert_eq!(out.trim_end(), read("x/triplets.json"));
    assert_ne!(read("x/triplets.csv"), read("z/triplets.csv"));
}

/// Choices of planted observers on 100 triplets, written with `choice` as the person writes it.
fn choices(similarities: &[Similarity; 2], choice: impl Fn(bool, [usize; 3]) -> String) -> String {
    let [high, low] = similarities;
    let images: Vec<[usize; 3]> = (0..100).map(|t| [t, t + 100 + t % 20, t + 300]).collect();
    let truth: Vec<[f64; 2]> = images
        .iter()
        .map(|&[root, a, b]| {
            [high, low].map(|own| own.values()[[root, b]] - own.values()[[root, a]])
        })
        .collect();
    let observers = Observers {
        count: 12,
        high_weight: 5.0,
        low_weight: 0.0,
        ..Default::default()
    };
    let mut text = String::from("subject,Root,a,b,choice,RT\n");
    for (subject, row) in observers
        .choose(&truth, Seed::new(2))
        .unwrap()
        .iter()
        .enumerate()
    {
        for ((&chose_b, &own), truth) in row.iter().zip(&images).zip(&truth) {
            let [root, a, b] = own;
            let time = 1.0 - truth[0].abs();
            text.push_str(&format!(
                "s{subject},{},{},{},{},{time}\n",
                name(root),
                name(a),
                name(b),
                choice(chose_b, own)
            ));
        }
    }
    text
}

#[test]
fn choices_say_which_similarity_drove_them() {
    let (place, similarities) = place();
    let fit = |text: String| {
        std::fs::write(place.path().join("choices.csv"), text).unwrap();
        let words = with(&["--names", "names.csv", "--choices", "choices.csv", "--json"]);
        let (out, _) = succeed(place.path(), &words);
        serde_json::from_str::<Value>(&out).unwrap()["choices"].clone()
    };
    let letter = |chose_b: bool, _: [usize; 3]| if chose_b { "b" } else { "a" }.to_string();
    let found = fit(choices(&similarities, letter));
    assert_eq!(
        (&found["trials"], &found["triplets"]),
        (&1200.into(), &100.into())
    );
    let estimate = |level: usize| {
        let own = &found["model"]["weights"][level];
        (
            own["value"].as_f64().unwrap(),
            own["standard_error"].as_f64().unwrap(),
        )
    };
    let ((a, a_error), (b, b_error)) = (estimate(0), estimate(1));
    assert!(
        (a - 5.0).abs() < 2.5 * a_error && a > 10.0 * a_error,
        "{a} {a_error}"
    );
    assert!(b.abs() < 2.5 * b_error, "{b} {b_error}");
    assert!(found["held_out"]["log_likelihood"].as_f64().unwrap() > -0.65);
    assert!(found["held_out"]["area_under_curve"].as_f64().unwrap() > 0.65);
    assert_eq!(found["subjects"].as_array().unwrap().len(), 12);
    assert!(found["response_time_correlation"].as_f64().unwrap() < -0.8);
    // Written in other ways, the same choices.
    let image = |chose_b: bool, own: [usize; 3]| name(own[if chose_b { 2 } else { 1 }]);
    assert_eq!(fit(choices(&similarities, image)), found);
    let number = |chose_b: bool, _: [usize; 3]| u8::from(chose_b).to_string();
    assert_eq!(fit(choices(&similarities, number)), found);
    let (out, _) = succeed(
        place.path(),
        &with(&[
            "--names",
            "names.csv",
            "--choices",
            "choices.csv",
            "--lapse",
            "fitted",
        ]),
    );
    assert!(
        out.contains("lapse rate") && out.contains("held-out triplets"),
        "{out}"
    );
}

#[test]
fn what_cannot_be_used_is_said_in_a_sentence() {
    let (place, _) = place();
    let path = |name: &str| place.path().join(name);
    let good = Array2::from_shape_fn((30, 30), |(i, j)| 1.0 / (1.0 + (i as f64 - j as f64).abs()));
    let write = |name: &str, values: Array2<f64>| write_npy(&path(name), &values).unwrap();
    write("small.npy", good.clone());
    write("wide.npy", good.slice(s![..20, ..]).to_owned());
    let mut odd = good.clone();
    odd[[2, 7]] = 0.9;
    write("odd.npy", odd);
    let mut holes = good.clone();
    holes[[4, 5]] = f64::NAN;
    write("holes.npy", holes);
    write("two.npy", Array2::eye(2));
    write("flat.npy", Array2::from_elem((30, 30), 0.5));
    std::fs::write(path("text.npy"), b"no array").unwrap();
    std::fs::write(path("few.csv"), "a\nb\nc\n").unwrap();
    std::fs::write(path("twice.csv"), vec!["x.png"; 30].join("\n")).unwrap();
    let choices = |name: &str, text: &str| std::fs::write(path(name), text).unwrap();
    choices("who.csv", "root,a,choice\n0,1,a\n");
    choices("far.csv", "root,a,b,choice\n0,1,99,a\n");
    choices("same.csv", "root,a,b,choice\n0,1,1,a\n");
    choices("odd.csv", "root,a,b,choice\n0,1,2,perhaps\n");
    choices("one.csv", "root,a,b,choice\n0,1,2,a\n");
    choices("time.csv", "root,a,b,choice,rt\n0,1,2,a,\n");
    let both = ["small.npy", "small.npy"];
    for (words, parts) in [
        (
            vec!["small.npy", "low.npy"],
            vec!["images of low.npy is 600, expected 30"],
        ),
        (
            vec!["wide.npy", "small.npy"],
            vec!["columns of wide.npy is 30, expected 20"],
        ),
        (
            vec!["small.npy", "odd.npy"],
            vec!["odd.npy is not symmetric", "row 2, column 7"],
        ),
        (
            vec!["small.npy", "holes.npy"],
            vec!["holes.npy", "NaN", "row 4, column 5"],
        ),
        (
            vec!["two.npy", "two.npy"],
            vec!["at least 3 images, found 2"],
        ),
        (vec!["flat.npy", "small.npy"], vec!["flat.npy is constant"]),
        (vec!["text.npy", "small.npy"], vec!["text.npy"]),
        (vec!["missing.npy", "small.npy"], vec!["missing.npy"]),
        (vec!["small.npy"], vec!["<LOW>"]),
        (
            [&both[..], &["--names", "few.csv"]].concat(),
            vec!["few.csv: 3 names for 30 images"],
        ),
        (
            [&both[..], &["--names", "twice.csv"]].concat(),
            vec!["images 0 and 1 are both called \"x.png\""],
        ),
        ([&both[..], &["--bins", "0"]].concat(), vec!["bins = 0"]),
        (
            [&both[..], &["--tolerance", "-1"]].concat(),
            vec!["tolerance"],
        ),
        ([&both[..], &["--lapse", "0.1"]].concat(), vec!["--choices"]),
        (
            [&both[..], &["--choices", "one.csv", "--lapse", "0.9"]].concat(),
            vec!["0 to 0.5, or fitted"],
        ),
        (
            [&both[..], &["--choices", "who.csv"]].concat(),
            vec!["no column \"b\"", "found root"],
        ),
        (
            [&both[..], &["--choices", "far.csv"]].concat(),
            vec!["row 1, b: \"99\"", "0 to 29"],
        ),
        (
            [&both[..], &["--choices", "same.csv"]].concat(),
            vec!["an image stands in it twice"],
        ),
        (
            [&both[..], &["--choices", "odd.csv"]].concat(),
            vec!["row 1, choice: \"perhaps\""],
        ),
        (
            [&both[..], &["--choices", "one.csv"]].concat(),
            vec!["at least 4 choices, found 1"],
        ),
        (
            [&both[..], &["--choices", "time.csv"]].concat(),
            vec!["rt holds cells"],
        ),
        (
            [&both[..], &["--out", "small.npy"]].concat(),
            vec!["small.npy"],
        ),
    ] {
        let message = fail(place.path(), &words);
        for part in parts {
            assert!(
                message.contains(part),
                "{words:?} without {part:?}: {message}"
            );
        }
    }
}

#[test]
fn compressed_similarities_and_empty_bins_are_warned_of() {
    let (place, [high, low]) = place();
    // Correlations that all lie between 0.99 and 1: a tolerance of 0.01 takes any difference for any.
    let compressed = high.values().mapv(|x| 1.0 - 0.005 * (1.0 - x));
    write_npy(&place.path().join("compressed.npy"), &compressed).unwrap();
    write_npy(&place.path().join("low64.npy"), &low.values().to_owned()).unwrap();
    let words = [
        "compressed.npy",
        "low64.npy",
        "--bins",
        "4",
        "--tables",
        "1",
    ];
    let (_, err) = succeed(place.path(), &words);
    assert!(
        err.contains("compressed.npy") && err.contains("mixes neighbouring bins"),
        "{err}"
    );
    let scaled = [&words[..], &["--tolerance", "0.05", "--tolerance-in", "sd"]].concat();
    let (_, err) = succeed(place.path(), &scaled);
    assert!(!err.contains("mixes"), "{err}");
    let (_, err) = succeed(place.path(), &["high.npy", "low.npy", "--step", "2"]);
    assert!(err.contains("bins have no triplet"), "{err}");
}
