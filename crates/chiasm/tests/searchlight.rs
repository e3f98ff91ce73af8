//! `chiasm searchlight` as a person meets it: maps, numbers, messages.

#![allow(
    missing_docs,
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test may fail loudly"
)]

use std::path::Path;
use std::process::{Command, Output, Stdio};

use chiasm::core::Seed;
use chiasm::core::data::Volume;
use chiasm::io::nifti::{read, write_volume};
use chiasm::io::numpy::write_npy;
use ndarray::{Array2, ArrayD, IxDyn};
use serde_json::Value;

const SIZE: usize = 9;
const CONDITIONS: usize = 8;
const RUNS: usize = 2;
/// The middle of what is planted.
const PLANTED: [usize; 3] = [5, 4, 3];

fn number(name: &str, index: u64) -> f64 {
    (Seed::new(0).named(name).indexed(index).to_u64() >> 11) as f64 / (1_u64 << 53) as f64 - 0.5
}

fn volume(values: ArrayD<f32>) -> Volume {
    Volume {
        name: String::new(),
        repetition_time: (values.ndim() == 4).then_some(2.0),
        values,
        affine: [
            [2.0, 0.0, 0.0, -8.0],
            [0.0, 2.0, 0.0, -8.0],
            [0.0, 0.0, 2.0, -8.0],
        ],
        voxel_size: [2.0; 3],
    }
}

fn apart(voxel: [usize; 3]) -> f64 {
    let squared = |axis: usize| (voxel[axis] as f64 - PLANTED[axis] as f64).powi(2);
    2.0 * (squared(0) + squared(1) + squared(2)).sqrt()
}

/// Betas that follow `model.csv` within 4 mm of `PLANTED`; NaN outside the mask.
fn place() -> tempfile::TempDir {
    let place = tempfile::tempdir().unwrap();
    let path = |name: &str| place.path().join(name);
    let features = Array2::from_shape_fn((CONDITIONS, 3), |(i, k)| {
        number("model", (3 * i + k) as u64)
    });
    let inside = |voxel: [usize; 3]| voxel.iter().all(|at| (1..SIZE - 1).contains(at));
    let grid = [SIZE, SIZE, SIZE];
    let mask = ArrayD::from_shape_fn(IxDyn(&grid), |at| {
        f32::from(u8::from(inside([at[0], at[1], at[2]])))
    });
    write_volume(&path("mask.nii.gz"), &volume(mask)).unwrap();
    let shape = [SIZE, SIZE, SIZE, CONDITIONS * RUNS];
    let betas = ArrayD::from_shape_fn(IxDyn(&shape), |at| {
        let voxel = [at[0], at[1], at[2]];
        if !inside(voxel) {
            return f32::NAN;
        }
        let flat = ((at[0] * SIZE + at[1]) * SIZE + at[2]) as u64;
        let mut value = 0.5 * number("noise", flat * 100 + at[3] as u64);
        if apart(voxel) <= 4.0 {
            let feature = |k: usize| {
                features[[at[3] % CONDITIONS, k]] * number("mixing", flat * 3 + k as u64)
            };
            value += 6.0 * (feature(0) + feature(1) + feature(2));
        }
        value as f32
    });
    write_volume(&path("betas.nii.gz"), &volume(betas)).unwrap();
    let mut labels = String::from("condition,run\n");
    for trial in 0..CONDITIONS * RUNS {
        labels.push_str(&format!(
            "item{},{}\n",
            trial % CONDITIONS,
            trial / CONDITIONS
        ));
    }
    std::fs::write(path("labels.csv"), labels).unwrap();
    // Rows in another order than the labels: they are matched by name.
    let mut table = String::from("item,a,b,c\n");
    for i in (0..CONDITIONS).rev() {
        let row = features.row(i);
        table.push_str(&format!("item{i},{},{},{}\n", row[0], row[1], row[2]));
    }
    std::fs::write(path("model.csv"), table).unwrap();
    let other = Array2::from_shape_fn((CONDITIONS, 4), |(i, k)| {
        number("other", (4 * i + k) as u64)
    });
    write_npy(&path("other.npy"), &other).unwrap();
    place
}

fn run(folder: &Path, words: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_chiasm"))
        .arg("searchlight")
        .args([
            "--responses",
            "betas.nii.gz",
            "--mask",
            "mask.nii.gz",
            "--labels",
            "labels.csv",
        ])
        .args(words)
        .current_dir(folder)
        .stdin(Stdio::null())
        .output()
        .unwrap()
}

const PLAIN: [&str; 4] = ["--dissimilarity", "sqeuclidean", "--radius", "4"];

#[test]
fn a_planted_sphere_is_found_and_maps_lie_on_the_mask() {
    let place = place();
    let words = [
        &["model.csv", "other.npy", "--permutations", "40"][..],
        &PLAIN,
    ]
    .concat();
    let output = run(place.path(), &words);
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    assert!(
        text.contains("343 centres") && text.contains("0 undefined"),
        "{text}"
    );
    let folder = place.path().join("searchlight");
    let summary: Value =
        serde_json::from_slice(&std::fs::read(folder.join("searchlight.json")).unwrap()).unwrap();
    let planted = &summary["models"][0];
    let voxel: [usize; 3] = serde_json::from_value(planted["voxel"].clone()).unwrap();
    assert!(apart(voxel) <= 4.0, "{planted}");
    assert!(planted["p"].as_f64().unwrap() < 0.05, "{planted}");
    assert!(planted["significant"].as_u64().unwrap() >= 5, "{planted}");
    assert_eq!(
        summary["models"][1]["significant"], 0,
        "{}",
        summary["models"][1]
    );
    let map = read(&folder.join(planted["map"].as_str().unwrap())).unwrap();
    assert_eq!(map.values.shape(), [SIZE, SIZE, SIZE]);
    assert_eq!(map.affine[0], [2.0, 0.0, 0.0, -8.0]);
    assert!(map.values[[0, 4, 4]].is_nan(), "outside the mask");
    let peak = f64::from(map.values[&voxel[..]]);
    assert!((peak - planted["largest"].as_f64().unwrap()).abs() < 1e-6);
    let p = read(&folder.join(planted["p_values"].as_str().unwrap())).unwrap();
    for (at, p) in p.values.indexed_iter() {
        // Beyond planted radius plus sphere nothing planted is in sight.
        assert!(
            !(*p <= 0.05) || apart([at[0], at[1], at[2]]) <= 8.0,
            "{at:?}"
        );
    }
}

#[test]
fn runs_give_cross_validated_distances() {
    let place = place();
    let words = [
        "model.csv",
        "--dissimilarity",
        "crossnobis",
        "--noise",
        "diagonal",
        "--comparator",
        "pearson",
        "--radius",
        "4",
        "--json",
    ];
    let output = run(place.path(), &words);
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let summary: Value = serde_json::from_slice(&output.stdout).unwrap();
    let voxel: [usize; 3] = serde_json::from_value(summary["models"][0]["voxel"].clone()).unwrap();
    // Whitened, the few planted voxels that two spheres share say as much as all of them.
    assert!(apart(voxel) < 8.0, "{summary}");
}

#[test]
fn what_does_not_fit_is_said_in_a_sentence() {
    let place = place();
    let path = |name: &str| place.path().join(name);
    write_volume(
        &path("other-grid.nii"),
        &volume(ArrayD::ones(IxDyn(&[4, 4, 4]))),
    )
    .unwrap();
    write_volume(
        &path("whole.nii"),
        &volume(ArrayD::ones(IxDyn(&[SIZE, SIZE, SIZE]))),
    )
    .unwrap();
    write_volume(
        &path("none.nii"),
        &volume(ArrayD::zeros(IxDyn(&[SIZE, SIZE, SIZE]))),
    )
    .unwrap();
    let mut moved = volume(ArrayD::ones(IxDyn(&[SIZE, SIZE, SIZE])));
    moved.affine[1][3] = 3.0;
    write_volume(&path("moved.nii"), &moved).unwrap();
    write_npy(&path("short.npy"), &Array2::<f64>::eye(5)).unwrap();
    std::fs::write(path("few.txt"), "a\nb\n").unwrap();
    std::fs::write(
        path("strangers.csv"),
        std::fs::read_to_string(path("model.csv"))
            .unwrap()
            .replace("item3", "x"),
    )
    .unwrap();
    for (words, parts) in [
        (
            vec!["model.csv", "--mask", "other-grid.nii"],
            vec!["9 x 9 x 9", "other-grid.nii"],
        ),
        (
            vec!["model.csv", "--mask", "moved.nii"],
            vec!["11.000 mm", "moved.nii"],
        ),
        (
            vec!["model.csv", "--mask", "none.nii"],
            vec!["none.nii", "all are zero"],
        ),
        (
            vec!["model.csv", "--mask", "whole.nii"],
            vec!["betas.nii.gz", "NaN", "inside the mask"],
        ),
        (
            vec!["model.csv", "--labels", "few.txt"],
            vec!["2 label(s) for 16 volume(s)"],
        ),
        (
            vec!["short.npy"],
            vec!["conditions of short.npy is 5, expected 8"],
        ),
        (vec!["strangers.csv"], vec!["labels do not match", "item3"]),
        (vec!["model.csv", "--radius", "0"], vec!["radius = 0"]),
        (
            vec!["model.csv", "--radius", "1"],
            vec!["enlarge the radius"],
        ),
        (vec!["missing.npy"], vec!["missing.npy"]),
    ] {
        let output = replaced(place.path(), &words);
        let message = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{words:?}: {message}");
        for part in parts {
            assert!(
                message.contains(part),
                "{words:?} without {part:?}: {message}"
            );
        }
        assert!(!path("searchlight/searchlight.json").exists());
    }
}

/// Runs with the usual files, except those that `words` name.
fn replaced(folder: &Path, words: &[&str]) -> Output {
    let mut all = Vec::new();
    for (name, file) in [
        ("--responses", "betas.nii.gz"),
        ("--mask", "mask.nii.gz"),
        ("--labels", "labels.csv"),
    ] {
        if !words.contains(&name) {
            all.extend([name, file]);
        }
    }
    all.extend(words);
    Command::new(env!("CARGO_BIN_EXE_chiasm"))
        .arg("searchlight")
        .args(all)
        .current_dir(folder)
        .stdin(Stdio::null())
        .output()
        .unwrap()
}
