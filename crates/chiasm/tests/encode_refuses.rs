//! `chiasm encode` on input that cannot be used: a sentence and exit code 2.

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

use chiasm::io::numpy::{read_array, write_npy};
use ndarray::{ArrayD, s};

use encoding::*;

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
