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

mod encoding;

use chiasm::io::numpy::{read_array, write_npy, write_npz};
use ndarray::{Array1, Array2, Array4, s};
use serde_json::Value;

use encoding::*;

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
