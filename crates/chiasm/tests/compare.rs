//! `chiasm compare` as a person meets it: numbers, files, messages.

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

use std::path::Path;

use chiasm::io::numpy::{read_array, write_npy, write_npz};
use ndarray::{Array1, Array2, Array3, ArrayD};
use serde_json::Value;

use comparing::*;

fn place() -> tempfile::TempDir {
    let place = tempfile::tempdir().unwrap();
    write_npy(&place.path().join("a.npy"), &numbers("a", (12, 30))).unwrap();
    write_npy(&place.path().join("b.npy"), &numbers("b", (12, 7))).unwrap();
    let subjects: Array3<f64> = numbers("subjects", (4, 12, 9));
    write_npy(&place.path().join("subjects.npy"), &subjects).unwrap();
    place
}

#[test]
fn two_arrays_leave_json_report_and_dissimilarities() {
    let place = place();
    let (out, _) = succeed(place.path(), &["a.npy", "b.npy"]);
    assert!(
        out.contains("rho-a") && out.contains("report: comparison"),
        "{out}"
    );
    let folder = place.path().join("comparison");
    let result = json(&folder.join("compare.json"));
    assert_eq!(result["names"], serde_json::json!(["a.npy", "b.npy"]));
    assert_eq!(result["ci95"], Value::Null);
    assert_eq!(result["noise_ceiling"], Value::Null);
    assert_eq!(matrix(&result)[0][1], matrix(&result)[1][0]);
    let report = std::fs::read_to_string(folder.join("report.html")).unwrap();
    assert!(report.contains("a.npy") && report.contains("<svg"));
    // The dissimilarities that were left are those that were compared.
    let rdm = read_array(&folder.join("rdms/1.npy"))
        .unwrap()
        .into_f64("rdm")
        .unwrap();
    assert_eq!(rdm.shape(), [12, 12]);
    let patterns: Array2<f64> = numbers("a", (12, 30));
    let centred = |row: usize| {
        let row = patterns.row(row);
        let row = &row - row.mean().unwrap();
        let length = row.dot(&row).sqrt();
        row / length
    };
    assert!((rdm[[2, 5]] - (1.0 - centred(2).dot(&centred(5)))).abs() < 1e-12);
    let (again, _) = succeed(
        place.path(),
        &["comparison/rdms/1.npy", "comparison/rdms/2.npy", "--json"],
    );
    let again: Value = serde_json::from_str(&again).unwrap();
    assert_eq!(again["matrix"], result["matrix"]);
}

#[test]
fn numbers_are_rsatoolboxs_for_every_comparator_it_has_right() {
    let reference: Value = serde_json::from_str(include_str!(
        "../../numerics/tests/fixtures/similarity.json"
    ))
    .unwrap();
    let reference = &reference["comparators_plain"];
    let rdms: Vec<Vec<f64>> = serde_json::from_value(reference["rdms"].clone()).unwrap();
    let place = tempfile::tempdir().unwrap();
    let names: Vec<String> = (0..rdms.len())
        .map(|index| format!("{index}.npy"))
        .collect();
    for (name, rdm) in names.iter().zip(&rdms) {
        write_npy(&place.path().join(name), &Array1::from(rdm.clone())).unwrap();
    }
    for (comparator, values) in reference["values"].as_object().unwrap() {
        let mut words: Vec<&str> = names.iter().map(String::as_str).collect();
        words.extend(["--comparator", comparator, "--json"]);
        let (out, _) = succeed(place.path(), &words);
        let found = matrix(&serde_json::from_str(&out).unwrap());
        let expected: Vec<Vec<f64>> = serde_json::from_value(values.clone()).unwrap();
        for (found, expected) in found.concat().iter().zip(expected.concat()) {
            assert!(
                (found - expected).abs() < 1e-6,
                "{comparator}: {found} {expected}"
            );
        }
    }
}

#[test]
fn subjects_bring_intervals_and_ceilings_and_a_seed_repeats_them() {
    let place = place();
    let words = |out: &'static str| {
        [
            "subjects.npy",
            "a.npy",
            "b.npy",
            "--bootstrap",
            "60",
            "--over",
            "both",
            "--noise-ceiling",
            "--names",
            "data,one,two",
            "--out",
            out,
        ]
    };
    let (out, _) = succeed(place.path(), &words("x"));
    assert!(out.contains("noise ceiling of data"), "{out}");
    succeed(place.path(), &words("y"));
    let read = |out: &str| std::fs::read(place.path().join(out).join("compare.json")).unwrap();
    assert_eq!(read("x"), read("y"));
    let result = json(&place.path().join("x/compare.json"));
    let [low, high]: [f64; 2] = serde_json::from_value(result["ci95"][0][1].clone()).unwrap();
    let value = matrix(&result)[0][1];
    assert!(low < value && value < high, "{low} {value} {high}");
    let ceilings = result["noise_ceiling"].as_array().unwrap();
    assert_eq!(ceilings.len(), 1);
    assert!(ceilings[0]["lower"].as_f64() < ceilings[0]["upper"].as_f64());
    let stack = read_array(&place.path().join("x/rdms/1.npy")).unwrap();
    assert_eq!(stack.shape(), [4, 12, 12]);
    let report = std::fs::read_to_string(place.path().join("x/report.html")).unwrap();
    assert!(report.contains("mean of 4 subjects") && report.contains("Noise ceiling"));
}

#[test]
fn files_of_every_kind_give_the_same_answer() {
    let place = place();
    let path = |name: &str| place.path().join(name);
    let values: Array2<f64> = numbers("a", (12, 30));
    let named = values.view().into_dyn();
    write_npz(
        &path("many.npz"),
        &[("first", named.view()), ("other", named.view())],
        true,
    )
    .unwrap();
    let mut table = String::from("condition");
    (0..30).for_each(|channel| table.push_str(&format!(",channel{channel}")));
    for (row, values) in values.rows().into_iter().enumerate() {
        table.push_str(&format!("\nstimulus{row}"));
        values
            .iter()
            .for_each(|value| table.push_str(&format!(",{value}")));
    }
    std::fs::write(path("a.csv"), &table).unwrap();
    let of = |file: &str| {
        let (out, _) = succeed(place.path(), &[file, "b.npy", "--json"]);
        matrix(&serde_json::from_str(&out).unwrap())
    };
    let expected = of("a.npy");
    assert_eq!(of("many.npz:first"), expected);
    // An array's rows have only their number, which any names fit; names must fit each other.
    let found = of("a.csv")[0][1];
    assert!((found - expected[0][1]).abs() < 1e-9, "{found}");
    std::fs::write(path("d.csv"), table.replace("stimulus3", "stimulus03")).unwrap();
    let message = fail_in_fresh(&path("a.csv"), &path("d.csv"));
    assert!(message.contains("labels do not match"), "{message}");
    std::fs::copy(path("a.csv"), path("c.csv")).unwrap();
    let (out, _) = succeed(place.path(), &["a.csv", "c.csv", "--json"]);
    assert!((matrix(&serde_json::from_str(&out).unwrap())[0][1] - 1.0).abs() < 1e-9);
    let message = fail_in_fresh(&path("many.npz"), &path("b.npy"));
    assert!(message.contains("first, other"), "{message}");
}

fn fail_in_fresh(first: &Path, second: &Path) -> String {
    let fresh = tempfile::tempdir().unwrap();
    fail(
        fresh.path(),
        &[first.to_str().unwrap(), second.to_str().unwrap()],
    )
}

#[test]
fn runs_give_cross_validated_distances() {
    let place = place();
    let words = [
        "subjects.npy",
        "a.npy",
        "--axis",
        "runs",
        "--dissimilarity",
        "crossnobis",
        "--comparator",
        "pearson",
        "--json",
    ];
    // An array of single patterns has no runs to hold out.
    let message = fail(place.path(), &words);
    assert!(
        message.contains("a.npy") && message.contains("fold"),
        "{message}"
    );
    let mut both = words;
    both[1] = "subjects.npy";
    let (out, _) = succeed(place.path(), &both);
    let result: Value = serde_json::from_str(&out).unwrap();
    assert_eq!(result["names"][1], "subjects.npy (2)");
    let rdm = read_array(&place.path().join("comparison/rdms/1.npy"))
        .unwrap()
        .into_f64("x")
        .unwrap();
    assert!(
        rdm.iter().any(|value| *value < 0.0),
        "cross-validated distances fall below 0 too"
    );
}

#[test]
fn what_cannot_be_compared_is_said_in_a_sentence() {
    let place = place();
    let write = |name: &str, values: ArrayD<f64>| {
        write_npy(&place.path().join(name), &values).unwrap();
    };
    let mut holes: Array2<f64> = numbers("a", (12, 30));
    holes[[3, 4]] = f64::NAN;
    write("holes.npy", holes.into_dyn());
    let mut flat: Array2<f64> = numbers("a", (12, 30));
    flat.row_mut(5).fill(1.0);
    write("flat.npy", flat.into_dyn());
    write("few.npy", numbers("few", (2, 30)).into_dyn());
    write("other.npy", numbers("other", (11, 30)).into_dyn());
    write("five.npy", numbers("five", (1, 2, 2, 3, 3)).into_dyn());
    write("odd.npy", Array1::from(vec![1.0; 7]).into_dyn());
    std::fs::write(
        place.path().join("broken.npy"),
        b"\x93NUMPY\x01\x00\xff\xff",
    )
    .unwrap();
    for (words, parts) in [
        (
            vec!["a.npy", "holes.npy"],
            vec!["holes.npy", "NaN", "row 3, column 4"],
        ),
        (
            vec!["a.npy", "flat.npy"],
            vec!["flat.npy", "condition 5 is constant"],
        ),
        (
            vec!["few.npy", "few.npy"],
            vec!["at least 3 conditions", "found 2"],
        ),
        (
            vec!["a.npy", "other.npy"],
            vec!["conditions of other.npy is 11, expected 12"],
        ),
        (
            vec!["a.npy", "five.npy"],
            vec!["five.npy", "number of axes"],
        ),
        (vec!["a.npy", "odd.npy"], vec!["odd.npy", "n(n-1)/2"]),
        (vec!["a.npy", "broken.npy"], vec!["broken.npy"]),
        (vec!["a.npy", "missing.npy"], vec!["missing.npy"]),
        (vec!["a.npy"], vec!["at least 2 FILEs", "--data"]),
        (
            vec!["a.npy", "b.npy", "--comparator", "perason"],
            vec!["pearson"],
        ),
        (
            vec!["a.npy", "b.npy", "--lower", "0.2"],
            vec!["--lower goes with --transform geo-topological"],
        ),
        (
            vec![
                "a.npy",
                "b.npy",
                "--transform",
                "geo-topological",
                "--lower",
                "0.9",
                "--upper",
                "0.1",
            ],
            vec!["lower = 0.9"],
        ),
        (
            vec![
                "a.npy",
                "b.npy",
                "--transform",
                "rank",
                "--comparator",
                "cka",
            ],
            vec!["none with cka"],
        ),
        (
            vec!["a.npy", "b.npy", "--bootstrap", "1"],
            vec!["at least 2 draws"],
        ),
        (
            vec!["a.npy", "b.npy", "--bootstrap", "9", "--over", "subjects"],
            vec!["at least 2 subjects, found 1"],
        ),
        (
            vec!["a.npy", "b.npy", "--over", "both"],
            vec!["--bootstrap"],
        ),
        (
            vec!["a.npy", "b.npy", "--names", "x"],
            vec!["1 name(s) for 2 files"],
        ),
        (vec!["a.npy", "b.npy", "--out", "a.npy"], vec!["a.npy"]),
        (
            vec!["a.npy", "b.npy", "--dissimilarity", "mahalanobis"],
            vec!["no condition is repeated"],
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
fn warnings_are_shown_and_kept() {
    let place = place();
    let (_, err) = succeed(place.path(), &["a.npy", "b.npy", "--comparator", "cosine"]);
    assert!(err.contains("all positive"), "{err}");
    let result = json(&place.path().join("comparison/compare.json"));
    assert!(
        result["warnings"][0]
            .as_str()
            .unwrap()
            .contains("all positive")
    );
    let report = place.path().join("comparison/report.html");
    assert!(
        std::fs::read_to_string(report)
            .unwrap()
            .contains("all positive")
    );
}
