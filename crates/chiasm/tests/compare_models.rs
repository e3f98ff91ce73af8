//! `chiasm compare --data`: models against data, as a person meets it.

#![allow(
    missing_docs,
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a test may fail loudly"
)]

mod comparing;

use chiasm::io::numpy::write_npy;
use ndarray::{Array2, Array3};
use serde_json::Value;

use comparing::*;

/// Data of eight subjects that follow `it.npy`, a model of nothing, and four RDMs of layers, one of them `it`.
fn brain() -> tempfile::TempDir {
    let place = tempfile::tempdir().unwrap();
    let path = |name: &str| place.path().join(name);
    let it: Array2<f64> = numbers("it", (16, 10));
    let mut subjects: Array3<f64> = numbers("brain", (8, 16, 10));
    for mut subject in subjects.outer_iter_mut() {
        subject += &(&it * 1.5);
    }
    write_npy(&path("brain.npy"), &subjects).unwrap();
    write_npy(&path("it.npy"), &it).unwrap();
    write_npy(&path("nothing.npy"), &numbers("nothing", (16, 10))).unwrap();
    let mut layers: Array3<f64> = numbers("layers", (4, 16, 10));
    layers.index_axis_mut(ndarray::Axis(0), 2).assign(&it);
    write_npy(&path("layers.npy"), &layers).unwrap();
    place
}

#[test]
fn models_are_tested_against_data() {
    let place = brain();
    let words = [
        "--data",
        "brain.npy",
        "it.npy",
        "nothing.npy",
        "--bootstrap",
        "60",
    ];
    let (out, _) = succeed(place.path(), &words);
    assert!(
        out.contains("p above 0") && out.contains("noise ceiling of brain.npy"),
        "{out}"
    );
    assert!(
        out.contains("60 draws over subjects and conditions"),
        "{out}"
    );
    let folder = place.path().join("comparison");
    let result = json(&folder.join("compare.json"));
    let models = result["models"].as_array().unwrap();
    assert_eq!(models.len(), 2);
    let number = |model: usize, key: &str| models[model][key].as_f64().unwrap();
    assert!(
        number(0, "p_zero") < 0.01 && number(1, "p_zero") > 0.05,
        "{models:?}"
    );
    assert!(number(0, "q_zero") >= number(0, "p_zero"));
    assert!(number(1, "p_ceiling") < 0.05, "{models:?}");
    assert!(number(0, "variance") > 0.0);
    assert_eq!(models[0]["ci95"].as_array().unwrap().len(), 2);
    let pair = &result["pairwise"][0];
    assert_eq!(
        (pair["first"].as_str(), pair["second"].as_str()),
        (Some("it.npy"), Some("nothing.npy"))
    );
    assert!(pair["p"].as_f64().unwrap() < 0.05);
    assert_eq!(result["inference"]["resampling"], "dual");
    assert_eq!(result["inference"]["degrees_of_freedom"], 7);
    let ceiling = &result["noise_ceiling"][0];
    assert!(ceiling["lower"].as_f64() < ceiling["upper"].as_f64());
    // What compare always says is still there, data first.
    assert_eq!(
        result["names"],
        serde_json::json!(["brain.npy", "it.npy", "nothing.npy"])
    );
    assert_eq!(matrix(&result)[0][1], number(0, "mean"));
    let report = std::fs::read_to_string(folder.join("report.html")).unwrap();
    for part in [
        "How well models predict brain.npy",
        "noise ceiling, lower bound",
        "p above zero",
    ] {
        assert!(report.contains(part), "{part}");
    }
    let (again, _) = succeed(
        place.path(),
        &[&words[..], &["--json", "--out", "again"]].concat(),
    );
    let again: Value = serde_json::from_str(&again).unwrap();
    assert_eq!(again["models"], result["models"]);
    // Subjects alone, without draws: said to be narrower.
    let (_, err) = succeed(place.path(), &words[..4]);
    assert!(err.contains("nothing of other conditions"), "{err}");
}

#[test]
fn flexible_models_are_cross_validated() {
    let place = brain();
    let words = [
        "--data",
        "brain.npy",
        "layers.npy",
        "nothing.npy",
        "--select",
        "layers.npy",
        "--bootstrap",
        "20",
        "--over",
        "subjects",
        "--json",
    ];
    let (out, _) = succeed(place.path(), &words);
    let result: Value = serde_json::from_str(&out).unwrap();
    let model = &result["models"][0];
    assert_eq!(model["flexibility"], "select");
    assert_eq!(model["weights"], serde_json::json!([0.0, 0.0, 1.0, 0.0]));
    assert!(model["p_zero"].as_f64().unwrap() < 0.01, "{model}");
    assert_eq!(result["inference"]["subject_folds"], 2);
    assert_eq!(result["names"][3], "layers.npy [2]");
    let mut weighted = words;
    weighted[4] = "--weight";
    let (out, _) = succeed(place.path(), &weighted);
    let result: Value = serde_json::from_str(&out).unwrap();
    assert!(
        result["models"][0]["weights"][2].as_f64().unwrap() > 0.8,
        "{}",
        result["models"][0]
    );
}

#[test]
fn what_cannot_be_tested_is_said_in_a_sentence() {
    let place = brain();
    write_npy(&place.path().join("short.npy"), &numbers("short", (11, 10))).unwrap();
    let three: Array3<f64> = numbers("three", (4, 3, 10));
    write_npy(&place.path().join("three.npy"), &three).unwrap();
    write_npy(
        &place.path().join("three-model.npy"),
        &numbers("m", (3, 10)),
    )
    .unwrap();
    let mut holes: Array3<f64> = numbers("brain", (8, 16, 10));
    holes[[2, 3, 4]] = f64::NAN;
    write_npy(&place.path().join("holes.npy"), &holes).unwrap();
    for (words, parts) in [
        (
            vec!["--data", "it.npy", "nothing.npy"],
            vec!["at least 2 subjects", "found 1"],
        ),
        (
            vec![
                "--data",
                "it.npy",
                "nothing.npy",
                "--bootstrap",
                "9",
                "--over",
                "both",
            ],
            vec!["at least 2 subjects", "found 1"],
        ),
        (
            vec!["--data", "three.npy", "three-model.npy"],
            vec!["at least 4 conditions", "found 3"],
        ),
        (
            vec!["--data", "brain.npy", "short.npy"],
            vec!["conditions of short.npy is 11, expected 16"],
        ),
        (
            vec!["--data", "holes.npy", "it.npy"],
            vec!["holes.npy", "NaN"],
        ),
        (vec!["--data", "brain.npy"], vec!["FILE"]),
        (
            vec!["--data", "brain.npy", "layers.npy"],
            vec!["holds 4 RDMs", "--select layers.npy"],
        ),
        (
            vec![
                "--data",
                "brain.npy",
                "layers.npy",
                "--select",
                "layers.npy",
            ],
            vec!["layers.npy is flexible", "bootstrap"],
        ),
        (
            vec!["--data", "brain.npy", "it.npy", "--select", "layer"],
            vec!["no model is called \"layer\"", "it.npy"],
        ),
        (
            vec![
                "--data",
                "brain.npy",
                "it.npy",
                "--comparator",
                "procrustes",
            ],
            vec!["comparator = procrustes", "bures"],
        ),
        (
            vec!["it.npy", "nothing.npy", "--select", "it.npy"],
            vec!["--data"],
        ),
        (
            vec![
                "--data",
                "brain.npy",
                "layers.npy",
                "--select",
                "layers.npy",
                "--bootstrap",
                "9",
                "--condition-folds",
                "9",
            ],
            vec!["condition_folds = 9", "1 to 5"],
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
