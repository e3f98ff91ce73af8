//! `chiasm encode` as a person meets it: numbers, files, messages.

#![allow(
    missing_docs,
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a test may fail loudly"
)]

use std::path::Path;
use std::process::{Command, Output, Stdio};

use chiasm::core::Seed;
use chiasm::io::numpy::{read_array, write_npy, write_npz};
use ndarray::{Array1, Array2, Array3, Array4, ArrayD, s};
use serde_json::Value;

fn encode(folder: &Path, words: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_chiasm"))
        .arg("encode")
        .args(words)
        .current_dir(folder)
        .stdin(Stdio::null())
        .output()
        .unwrap()
}

fn succeed(folder: &Path, words: &[&str]) -> (String, String) {
    let output = encode(folder, words);
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    let (out, err) = (text(output.stdout), text(output.stderr));
    assert!(output.status.success(), "{words:?}: {err}");
    (out, err)
}

/// Exit code 2, one message, nothing left behind.
fn fail(folder: &Path, words: &[&str]) -> String {
    let output = encode(folder, words);
    let message = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{words:?}: {message}");
    assert!(!message.contains("panicked"), "{message}");
    assert!(!folder.join("encoding/summary.json").exists());
    assert!(!folder.join("encoding/scores.npy").exists());
    message
}

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

fn vector(path: &Path) -> Vec<f64> {
    let array = read_array(path).unwrap().into_f64("vector").unwrap();
    array.iter().copied().collect()
}

/// Roughly normal numbers that repeat.
fn numbers(name: &str, shape: (usize, usize)) -> Array2<f64> {
    let mut index = 0;
    Array2::from_shape_simple_fn(shape, || {
        let seed = Seed::new(0).named(name).indexed(index);
        index += 1;
        (0..6)
            .map(|part| (seed.indexed(part).to_u64() >> 11) as f64 / (1_u64 << 53) as f64 - 0.5)
            .sum::<f64>()
            * 2f64.sqrt()
    })
}

/// 100 stimuli, 6 features, 8 targets of which the last two are noise; three repeats.
fn place() -> tempfile::TempDir {
    let place = tempfile::tempdir().unwrap();
    let x = numbers("x", (100, 6));
    let weights = numbers("weights", (6, 8))
        * Array2::from_shape_fn((1, 8), |(_, target)| if target < 6 { 0.6 } else { 0.0 });
    let signal = x.dot(&weights);
    let repeats = Array3::from_shape_fn((3, 100, 8), |(repeat, stimulus, target)| {
        signal[[stimulus, target]]
            + numbers(&format!("noise {repeat} {stimulus}"), (1, 8))[[0, target]]
    });
    let write = |name: &str, values: ArrayD<f64>| {
        write_npy(&place.path().join(name), &values).unwrap();
    };
    write("x.npy", x.clone().into_dyn());
    write("other.npy", numbers("other", (100, 4)).into_dyn());
    write("repeats.npy", repeats.clone().into_dyn());
    write("y.npy", repeats.slice(s![0, .., ..]).to_owned().into_dyn());
    // The same trials one below the other, with labels.
    let rows = repeats.clone().into_shape_with_order((300, 8)).unwrap();
    write("trials.npy", rows.into_dyn());
    let long = Array2::from_shape_fn((300, 6), |(row, feature)| x[[row % 100, feature]]);
    write("trial-x.npy", long.into_dyn());
    let mut table = "trial,image\n".to_string();
    (0..300).for_each(|row| table.push_str(&format!("{row},img{}\n", row % 100)));
    std::fs::write(place.path().join("trials.csv"), table).unwrap();
    place
}

const PLAIN: [&str; 4] = ["--features", "x.npy", "--responses", "y.npy"];

fn with<'a>(words: &[&'a str], more: &[&'a str]) -> Vec<&'a str> {
    words.iter().chain(more).copied().collect()
}

#[test]
fn numbers_are_himalayas_and_scikit_learns() {
    let fixture = json(include_str!("fixtures/encoding.json"));
    let matrix = |name: &str| {
        let rows: Vec<Vec<f64>> = serde_json::from_value(fixture[name].clone()).unwrap();
        Array2::from_shape_vec((rows.len(), rows[0].len()), rows.concat()).unwrap()
    };
    let place = tempfile::tempdir().unwrap();
    let path = |name: &str| place.path().join(name);
    write_npy(&path("x.npy"), &matrix("x")).unwrap();
    write_npy(&path("y.npy"), &matrix("y")).unwrap();
    let runs: Vec<i64> = serde_json::from_value(fixture["runs"].clone()).unwrap();
    write_npy(&path("runs.npy"), &Array1::from(runs)).unwrap();
    let test: String = (50..60).map(|row| format!("{row}\n")).collect();
    std::fs::write(path("test.csv"), format!("row\n{test}")).unwrap();
    let close = |file: &str, expected: &Value, tolerance: f64| {
        let expected: Vec<f64> = serde_json::from_value(expected.clone()).unwrap();
        for (found, expected) in vector(&path("encoding").join(file)).iter().zip(&expected) {
            let error = (found - expected).abs() / expected.abs().max(1.0);
            assert!(error < tolerance, "{file}: {found} {expected}");
        }
    };
    let common = with(&PLAIN, &["--runs", "runs.npy", "--test", "test.csv"]);
    let own = [
        "--alphas",
        "log:-1:4:11",
        "--metric",
        "mse",
        "--no-standardise",
        "--weights",
    ];
    succeed(place.path(), &with(&common, &own));
    let himalaya = &fixture["himalaya"];
    close("scores.npy", &himalaya["correlation"], 1e-8);
    close("r2.npy", &himalaya["r2"], 1e-8);
    close("alphas.npy", &himalaya["alphas"], 1e-12);
    let weights = chiasm::io::safetensors::read_all(&path("encoding/weights.safetensors")).unwrap();
    let found = weights["weights.x"].to_f64("weights").unwrap();
    let expected: Vec<Vec<f64>> = serde_json::from_value(himalaya["weights"].clone()).unwrap();
    for (found, expected) in found.iter().zip(expected.concat()) {
        assert!((found - expected).abs() < 1e-5 * expected.abs().max(1.0));
    }
    let intercepts = weights["intercepts"].to_f64("intercepts").unwrap();
    let expected: Vec<f64> = serde_json::from_value(himalaya["intercepts"].clone()).unwrap();
    for (found, expected) in intercepts.iter().zip(expected) {
        assert!((found - expected).abs() < 1e-8 * expected.abs().max(1.0));
    }
    succeed(place.path(), &with(&common, &["--alphas", "3"]));
    close("scores.npy", &fixture["scikit_learn"]["correlation"], 1e-8);
    close("r2.npy", &fixture["scikit_learn"]["r2"], 1e-8);
    // What only the earlier run wrote is gone.
    assert!(!path("encoding/weights.safetensors").exists());
}

#[test]
fn one_run_leaves_scores_ceiling_p_report_and_summary() {
    let place = place();
    let words = [
        "--features",
        "x.npy",
        "--responses",
        "repeats.npy",
        "--permutations",
        "199",
    ];
    let (out, _) = succeed(place.path(), &words);
    for part in [
        "Pearson's r",
        "ceiling (split-half)",
        "q < 0.05",
        "report: encoding",
    ] {
        assert!(out.contains(part), "{part}: {out}");
    }
    let file = |name: &str| place.path().join("encoding").join(name);
    let scores = vector(&file("scores.npy"));
    assert_eq!(scores.len(), 8);
    assert!(scores[..6].iter().all(|r| *r > 0.5), "{scores:?}");
    let normalised = vector(&file("scores-normalised.npy"));
    let ceiling = vector(&file("ceiling.npy"));
    for target in 0..6 {
        let expected = scores[target] / ceiling[target].sqrt();
        assert!((normalised[target] - expected).abs() < 1e-12);
    }
    let (p, q) = (vector(&file("p.npy")), vector(&file("q.npy")));
    assert!(
        q[..6].iter().all(|q| *q < 0.05) && p[6..].iter().all(|p| *p > 0.01),
        "{p:?}"
    );
    for name in ["r2.npy", "r2-normalised.npy", "alphas.npy"] {
        assert_eq!(vector(&file(name)).len(), 8, "{name}");
    }
    let summary = json(&std::fs::read_to_string(file("summary.json")).unwrap());
    assert_eq!(summary["targets"], 8);
    assert_eq!(summary["ceiling"]["kind"], "split-half");
    assert_eq!(summary["test_repeats"], serde_json::json!([3, 3]));
    let report = std::fs::read_to_string(file("report.html")).unwrap();
    assert!(report.contains("Correlation against its ceiling") && report.contains("<svg"));
    // The same again prints the same summary, byte for byte.
    let (first, _) = succeed(place.path(), &with(&words, &["--json"]));
    let (second, _) = succeed(place.path(), &with(&words, &["--json", "--threads", "1"]));
    assert_eq!(first, second);
    assert_eq!(json(&first), summary);
}

#[test]
fn labelled_trials_and_every_kind_of_file_do() {
    let place = place();
    let words = [
        "--features",
        "trial-x.npy",
        "--responses",
        "trials.npy",
        "--stimuli",
        "trials.csv:image",
        "--ceiling",
        "nsd",
        "--json",
    ];
    let (out, _) = succeed(place.path(), &words);
    let summary = json(&out);
    assert_eq!(summary["test_units"], 20);
    assert_eq!(summary["test_samples"], 60);
    assert_eq!(summary["ceiling"]["kind"], "nsd");
    // An archive, and test stimuli by name (a list without a heading).
    let y = read_array(&place.path().join("y.npy"))
        .unwrap()
        .into_f64("y")
        .unwrap();
    write_npz(&place.path().join("y.npz"), &[("betas", y.view())], true).unwrap();
    let names: String = (0..100).map(|row| format!("img{row}\n")).collect();
    std::fs::write(place.path().join("names.csv"), names).unwrap();
    std::fs::write(
        place.path().join("test.csv"),
        "image\nimg3\nimg50\nimg51\nimg99\n",
    )
    .unwrap();
    let words = [
        "--features",
        "x.npy",
        "--responses",
        "y.npz:betas",
        "--stimuli",
        "names.csv",
        "--test",
        "test.csv",
        "--json",
    ];
    let (out, _) = succeed(place.path(), &words);
    assert_eq!(json(&out)["test_units"], 4);
    assert_eq!(json(&out)["ceiling"], Value::Null);
    // Singles are computed as singles, and agree.
    write_npy(
        &place.path().join("single.npy"),
        &y.mapv(|value| value as f32),
    )
    .unwrap();
    succeed(place.path(), &PLAIN);
    let double = vector(&place.path().join("encoding/scores.npy"));
    let words = ["--features", "x.npy", "--responses", "single.npy", "--json"];
    let (out, _) = succeed(place.path(), &words);
    assert_eq!(json(&out)["precision"], "single");
    for (a, b) in vector(&place.path().join("encoding/scores.npy"))
        .iter()
        .zip(double)
    {
        assert!((a - b).abs() < 1e-3, "{a} {b}");
    }
}

#[test]
fn feature_spaces_are_told_apart() {
    let place = place();
    let words = [
        "--features",
        "x.npy",
        "--features",
        "other.npy",
        "--responses",
        "y.npy",
        "--mixtures",
        "10",
        "--json",
    ];
    let (out, _) = succeed(place.path(), &words);
    let summary = json(&out);
    assert_eq!(summary["method"], "banded");
    let of = |space: usize, name: &str| summary["contributions"][space][name].as_f64().unwrap();
    assert_eq!(summary["contributions"][1]["name"], "other");
    assert!(
        of(0, "product_measure") > 0.2 && of(1, "product_measure") < 0.05,
        "{summary}"
    );
    assert!(
        of(0, "unique_r2") > 0.2 && of(1, "unique_r2") < 0.05,
        "{summary}"
    );
    let alphas = read_array(&place.path().join("encoding/alphas.npy")).unwrap();
    assert_eq!(alphas.shape(), [2, 8]);
    let products = read_array(&place.path().join("encoding/product-measure.npy")).unwrap();
    assert_eq!(products.shape(), [2, 8]);
    let report = std::fs::read_to_string(place.path().join("encoding/report.html")).unwrap();
    assert!(report.contains("What each feature space explains"));
    for method in ["ridge", "pls", "mean"] {
        let words = with(&PLAIN, &["--method", method, "--components", "4", "--json"]);
        let (out, _) = succeed(place.path(), &words);
        let r = json(&out)["correlation"]["mean"].as_f64().unwrap();
        assert!(
            if method == "mean" { r == 0.0 } else { r > 0.4 },
            "{method}: {r}"
        );
    }
}

#[test]
fn delays_find_what_follows_later() {
    // Responses follow the features two rows later, within runs of forty.
    let place = tempfile::tempdir().unwrap();
    let x = numbers("slow", (240, 3));
    let noise = numbers("fast", (240, 4));
    let weights = numbers("w", (3, 4));
    let y = Array2::from_shape_fn((240, 4), |(row, target)| {
        let past: f64 = match row % 40 {
            0 | 1 => 0.0,
            _ => (0..3).map(|j| x[[row - 2, j]] * weights[[j, target]]).sum(),
        };
        past + 0.3 * noise[[row, target]]
    });
    write_npy(&place.path().join("x.npy"), &x).unwrap();
    write_npy(&place.path().join("y.npy"), &y).unwrap();
    let runs: String = (0..240).map(|row| format!("{}\n", row / 40)).collect();
    std::fs::write(place.path().join("runs.csv"), format!("run\n{runs}")).unwrap();
    let of = |more: &[&str]| {
        let words = with(&PLAIN, &with(&["--runs", "runs.csv", "--json"], more));
        let (out, _) = succeed(place.path(), &words);
        json(&out)["correlation"]["mean"].as_f64().unwrap()
    };
    assert!(of(&["--delays", "1,2,3"]) > 0.85);
    assert!(of(&[]) < 0.4);
    let words = with(
        &PLAIN,
        &["--delays", "1,2,3", "--json", "--permutations", "99"],
    );
    let (out, _) = succeed(place.path(), &words);
    // Without runs the last stretch of time is held out.
    assert_eq!(json(&out)["test_samples"], 48);
    assert!(json(&out)["significance"]["p_below_05"].as_u64().unwrap() >= 3);
}

#[test]
fn noise_is_not_significant() {
    let place = tempfile::tempdir().unwrap();
    write_npy(&place.path().join("x.npy"), &numbers("nx", (150, 10))).unwrap();
    write_npy(&place.path().join("y.npy"), &numbers("ny", (150, 400))).unwrap();
    let words = with(&PLAIN, &["--permutations", "399", "--json"]);
    let (out, err) = succeed(place.path(), &words);
    let significance = &json(&out)["significance"];
    let below = significance["p_below_05"].as_u64().unwrap();
    // 5% of 400 is 20, standard deviation 4.4; neighbours share features, so a little wider.
    assert!((6..=38).contains(&below), "{below}");
    assert!(
        significance["q_below_05"].as_u64().unwrap() <= 1,
        "{significance}"
    );
    assert!(json(&out)["r2"]["mean"].as_f64().unwrap() < 0.01);
    assert!(err.is_empty() || err.contains("note") || !err.contains("error"));
}

#[test]
fn dropped_targets_and_grid_edges_are_said() {
    let place = place();
    let y = read_array(&place.path().join("y.npy"))
        .unwrap()
        .into_f64("y")
        .unwrap();
    let mut bad = y.clone();
    bad[[3, 1]] = f64::NAN;
    bad.slice_mut(s![.., 4]).fill(1.0);
    write_npy(&place.path().join("bad.npy"), &bad).unwrap();
    let words = [
        "--features",
        "x.npy",
        "--responses",
        "bad.npy",
        "--alphas",
        "1e5,1e6",
    ];
    let (out, err) = succeed(place.path(), &words);
    assert!(out.contains("6 of 8 targets scored"), "{out}");
    assert!(out.contains("1 NaN, 1 constant in training"), "{out}");
    assert!(err.contains("smallest penalty of the grid, 1e5"), "{err}");
    let scores = vector(&place.path().join("encoding/scores.npy"));
    assert!(scores[1].is_nan() && scores[4].is_nan() && scores[0].is_finite());
    let text = std::fs::read_to_string(place.path().join("encoding/summary.json")).unwrap();
    let summary = json(&text);
    assert_eq!(summary["dropped"]["not_finite"], 1);
    assert_eq!(summary["dropped"]["constant_in_training"], 1);
    assert_eq!(summary["correlation"]["targets"], 6);
    assert!(
        summary["warnings"][0]
            .as_str()
            .unwrap()
            .contains("widen the grid")
    );
}

/// A NIfTI-1 file of 32-bit floats, x fastest.
fn write_nifti(path: &Path, values: &Array4<f32>, shift: f32) {
    let mut header = vec![0_u8; 352];
    header[..4].copy_from_slice(&348_i32.to_le_bytes());
    let (x, y, z, t) = values.dim();
    let axes = if t > 1 { 4 } else { 3 };
    for (at, size) in [axes, x, y, z, t, 1, 1, 1].into_iter().enumerate() {
        header[40 + 2 * at..42 + 2 * at].copy_from_slice(&(size as i16).to_le_bytes());
    }
    header[70..72].copy_from_slice(&16_i16.to_le_bytes());
    header[72..74].copy_from_slice(&32_i16.to_le_bytes());
    for at in 0..8 {
        header[76 + 4 * at..80 + 4 * at].copy_from_slice(&1_f32.to_le_bytes());
    }
    header[108..112].copy_from_slice(&352_f32.to_le_bytes());
    // An affine by rows: the identity with an offset.
    header[254..256].copy_from_slice(&1_i16.to_le_bytes());
    for row in 0..3 {
        for column in 0..4 {
            let value = if column == 3 {
                shift
            } else {
                f32::from(u8::from(row == column))
            };
            let at = 280 + 16 * row + 4 * column;
            header[at..at + 4].copy_from_slice(&value.to_le_bytes());
        }
    }
    header[344..348].copy_from_slice(b"n+1\0");
    let mut bytes = header;
    for l in 0..t {
        for k in 0..z {
            for j in 0..y {
                for i in 0..x {
                    bytes.extend(values[[i, j, k, l]].to_le_bytes());
                }
            }
        }
    }
    std::fs::write(path, bytes).unwrap();
}

#[test]
fn volumes_are_read_through_their_mask() {
    let place = place();
    let y = read_array(&place.path().join("y.npy"))
        .unwrap()
        .into_f64("y")
        .unwrap();
    let path = |name: &str| place.path().join(name);
    let mut series = Array4::<f32>::zeros((2, 2, 3, 100));
    let mut mask = Array4::<f32>::zeros((2, 2, 3, 1));
    for (target, place) in [[0, 0, 1], [1, 0, 2], [1, 1, 0]].into_iter().enumerate() {
        let [i, j, k] = place;
        mask[[i, j, k, 0]] = 1.0;
        (0..100).for_each(|time| series[[i, j, k, time]] = y[[time, target]] as f32);
    }
    write_nifti(&path("bold.nii"), &series, 0.0);
    write_nifti(&path("mask.nii"), &mask, 0.0);
    let words = [
        "--features",
        "x.npy",
        "--responses",
        "bold.nii",
        "--mask",
        "mask.nii",
    ];
    succeed(place.path(), &words);
    let found = vector(&path("encoding/scores.npy"));
    assert_eq!(
        vector(&path("encoding/voxels.npy")),
        [0., 0., 1., 1., 0., 2., 1., 1., 0.]
    );
    succeed(place.path(), &with(&PLAIN, &["--out", "plain"]));
    for (a, b) in found.iter().zip(vector(&path("plain/scores.npy"))) {
        assert!((a - b).abs() < 1e-3, "{a} {b}");
    }
    // Masks that do not fit.
    let fresh = tempfile::tempdir().unwrap();
    for name in ["x.npy", "bold.nii"] {
        std::fs::copy(path(name), fresh.path().join(name)).unwrap();
    }
    let small = Array4::<f32>::ones((2, 1, 3, 1));
    write_nifti(&fresh.path().join("mask.nii"), &small, 0.0);
    let message = fail(fresh.path(), &words);
    assert!(
        message.contains("y of mask mask.nii is 1, expected 2, as bold.nii has"),
        "{message}"
    );
    write_nifti(&fresh.path().join("mask.nii"), &mask, 5.0);
    assert!(fail(fresh.path(), &words).contains("lies elsewhere"));
    write_nifti(
        &fresh.path().join("mask.nii"),
        &Array4::zeros((2, 2, 3, 1)),
        0.0,
    );
    assert!(fail(fresh.path(), &words).contains("no voxel"));
}

#[test]
fn what_cannot_be_encoded_is_said_in_a_sentence() {
    let place = place();
    let write = |name: &str, values: ArrayD<f64>| {
        write_npy(&place.path().join(name), &values).unwrap();
    };
    write("short.npy", numbers("short", (99, 6)).into_dyn());
    write("cube.npy", ArrayD::zeros(vec![2, 3, 4]));
    write("five.npy", ArrayD::zeros(vec![2, 2, 2, 2, 2]));
    write("flat.npy", ArrayD::ones(vec![100, 3]));
    let mut hole = numbers("x", (100, 6));
    hole[[7, 2]] = f64::NAN;
    write("hole.npy", hole.into_dyn());
    let mut gaps = read_array(&place.path().join("repeats.npy"))
        .unwrap()
        .into_f64("r")
        .unwrap();
    gaps.slice_mut(s![2, 10.., ..]).fill(f64::NAN);
    write("gaps.npy", gaps.clone());
    gaps.slice_mut(s![.., 20, ..]).fill(f64::NAN);
    write("gone.npy", gaps);
    let file = |name: &str, text: &str| std::fs::write(place.path().join(name), text).unwrap();
    file("few.csv", "image\na\nb\nc\n");
    file("rows.csv", "row\n1\n2\n300\n");
    file("one.csv", "row\n0\n2\n4\n6\n");
    let pairs: String = (0..100).map(|row| format!("img{}\n", row / 2)).collect();
    file("pairs.csv", &format!("image\n{pairs}"));
    let scattered: String = (0..100).map(|row| format!("{}\n", row % 4)).collect();
    file("scattered.csv", &format!("run\n{scattered}"));
    let runs: String = (0..100).map(|row| format!("{}\n", row / 25)).collect();
    file("runs.csv", &format!("run\n{runs}"));
    file("broken.npy", "\u{93}NUMPY");
    for (words, parts) in [
        (
            vec!["--features", "short.npy", "--responses", "y.npy"],
            vec!["number of stimuli (rows) of short.npy is 99, expected 100, as y.npy has"],
        ),
        (
            vec!["--features", "cube.npy", "--responses", "y.npy"],
            vec!["number of axes of cube.npy is 3"],
        ),
        (
            vec!["--features", "x.npy", "--responses", "five.npy"],
            vec!["five.npy", "5", "repeats x stimuli x targets"],
        ),
        (
            vec!["--features", "x.npy", "--responses", "flat.npy"],
            vec!["flat.npy", "no target is left", "3 do not vary"],
        ),
        (
            vec!["--features", "hole.npy", "--responses", "y.npy"],
            vec!["hole", "NaN", "sample 7, feature 2"],
        ),
        (
            vec![
                "--features",
                "x.npy",
                "--responses",
                "gaps.npy",
                "--ceiling",
                "signal-power",
            ],
            vec!["gaps.npy", "needs all repeats", "split-half or nsd"],
        ),
        (
            vec!["--features", "x.npy", "--responses", "gone.npy"],
            vec!["gone.npy", "stimulus 20 has no repeat"],
        ),
        (
            vec!["--features", "x.npy", "--responses", "missing.npy"],
            vec!["missing.npy"],
        ),
        (
            vec!["--features", "x.npy", "--responses", "broken.npy"],
            vec!["broken.npy"],
        ),
        (vec!["--features", "x.npy"], vec!["--responses"]),
        (
            with(&PLAIN, &["--ceiling", "nsd"]),
            vec!["needs repeats of the test stimuli"],
        ),
        (
            with(&PLAIN, &["--folds", "81"]),
            vec!["80 stimuli, fewer than the 81 folds"],
        ),
        (
            with(&PLAIN, &["--folds", "1"]),
            vec!["folds = 1", "at least 2"],
        ),
        (
            with(&PLAIN, &["--stimuli", "few.csv"]),
            vec!["few.csv is 3, expected 100, one a row of y.npy"],
        ),
        (
            with(&PLAIN, &["--stimuli", "trials.csv"]),
            vec!["2 columns", "trials.csv:NAME", "trial, image"],
        ),
        (
            with(&PLAIN, &["--stimuli", "trials.csv:picture"]),
            vec!["no column called \"picture\"", "trial, image"],
        ),
        (
            with(&PLAIN, &["--test", "rows.csv"]),
            vec!["300", "below 100"],
        ),
        (with(&PLAIN, &["--test", "1.5"]), vec!["no share"]),
        (
            with(&PLAIN, &["--stimuli", "pairs.csv", "--test", "few.csv"]),
            vec!["\"a\" is none of the stimuli"],
        ),
        // Runs are held out with delays, and two pairs of a stimulus lie across runs.
        (
            with(
                &PLAIN,
                &[
                    "--stimuli",
                    "pairs.csv",
                    "--runs",
                    "runs.csv",
                    "--delays",
                    "1",
                ],
            ),
            vec!["in both training and test", "img"],
        ),
        (
            with(&PLAIN, &["--alphas", "log:1:2"]),
            vec!["log:FIRST:LAST:COUNT"],
        ),
        (with(&PLAIN, &["--alphas=-1"]), vec!["alpha"]),
        (with(&PLAIN, &["--delays", "1,1"]), vec!["delays"]),
        (
            with(&PLAIN, &["--runs", "scattered.csv", "--delays", "1"]),
            vec!["do not stand together"],
        ),
        (
            with(&PLAIN, &["--mask", "x.npy"]),
            vec!["--mask goes with", "NIfTI"],
        ),
        (
            with(&PLAIN, &["--method", "pls", "--components", "9"]),
            vec!["components"],
        ),
        (
            with(&PLAIN, &["--method", "mean", "--weights"]),
            vec!["mean has no weights"],
        ),
        (with(&PLAIN, &["--out", "x.npy"]), vec!["x.npy"]),
    ] {
        let message = fail(place.path(), &words);
        for part in parts {
            assert!(
                message.contains(part),
                "{words:?} without {part:?}: {message}"
            );
        }
    }
    // Leakage may be wanted.
    let words = [
        "--stimuli",
        "pairs.csv",
        "--runs",
        "runs.csv",
        "--delays",
        "1",
        "--allow-leakage",
    ];
    succeed(place.path(), &with(&PLAIN, &words));
}
