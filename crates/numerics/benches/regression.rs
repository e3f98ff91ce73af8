//! Ridge of many targets: 5 000 rows, 2 000 features, 20 000 targets (and a quarter of them), 20 penalties, 5 folds, f32; banded
//! ridge: 1 500 rows, 3 bands of 150 features, 5 000 targets, 100 weightings (and 10), 20 penalties, 5 folds, f32.
//!
//! `bench/peers/himalaya_ridge.py` times himalaya on the same numbers and prints its held-out score beside ours.

#![allow(
    missing_docs,
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a benchmark prints and may fail loudly"
)]

use chiasm_core::Progress;
use chiasm_numerics::regression::{
    RidgeSettings, fit_banded_ridge_over, fit_ridge, logarithmic_grid, r2_scores,
};
use chiasm_numerics::splits::{Split, time_blocks};
use ndarray::{Array2, ArrayView2, s};

fn main() {
    divan::main();
}

/// A number in [-0.5, 0.5) from its index (SplitMix64), as the peer's script draws it.
fn uniform(index: u64) -> f32 {
    let mut x = index.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    (((x ^ (x >> 31)) >> 11) as f64 / (1u64 << 53) as f64 - 0.5) as f32
}

fn table(start: u64, rows: usize, columns: usize) -> Array2<f32> {
    Array2::from_shape_fn((rows, columns), |(i, j)| {
        uniform(start + (i * columns + j) as u64)
    })
}

/// Features, and responses to the first 50 of them with noise of about the same size; the last 500 rows are held out.
fn world(rows: usize, features: usize, targets: usize) -> (Array2<f32>, Array2<f32>) {
    let x = table(0, rows + 500, features);
    let weights = table(1 << 40, 50, targets);
    let noise = table(1 << 41, rows + 500, targets);
    let y = x.slice(s![.., ..50]).dot(&weights) + 2.0 * noise;
    (x, y)
}

fn folds(rows: usize) -> Vec<Split> {
    time_blocks(rows, 5, 0).unwrap()
}

fn settings() -> RidgeSettings {
    RidgeSettings {
        alphas: logarithmic_grid(-1.0, 6.0, 20),
        ..Default::default()
    }
}

fn say(what: &str, observed: ArrayView2<'_, f32>, predicted: &Array2<f32>) {
    let scores = r2_scores(observed, predicted.view()).unwrap();
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let peak = status.lines().find(|line| line.starts_with("VmHWM"));
    println!(
        "{what}: mean held-out R² {:.5}, {}",
        scores.iter().sum::<f64>() / scores.len() as f64,
        peak.unwrap_or("peak memory unknown")
    );
}

#[divan::bench(args = [5_000, 20_000], sample_count = 1, sample_size = 1)]
fn ridge(bencher: divan::Bencher<'_, '_>, targets: usize) {
    let (x, y) = world(5_000, 2_000, targets);
    let (train, train_y) = (x.slice(s![..5_000, ..]), y.slice(s![..5_000, ..]));
    let mut fit = None;
    bencher.bench_local(|| {
        let settings = settings();
        fit = Some(
            fit_ridge(
                train,
                &train_y,
                &folds(5_000),
                &settings,
                &Progress::silent(),
            )
            .unwrap(),
        );
    });
    if let Some(fit) = fit {
        let predicted = fit.predict(x.slice(s![5_000.., ..])).unwrap();
        say("ridge", y.slice(s![5_000.., ..]), &predicted);
    }
}

#[divan::bench(args = [10, 100], sample_count = 1, sample_size = 1)]
fn banded_ridge(bencher: divan::Bencher<'_, '_>, candidates: usize) {
    let (x, y) = world(1_500, 450, 5_000);
    let part = |rows: std::ops::Range<usize>| {
        [0, 150, 300].map(|first| x.slice(s![rows.clone(), first..first + 150]))
    };
    // Any weightings do; the peer's script makes the same ones.
    let mut weights = table(1 << 42, candidates, 3).mapv(|u| f64::from(u + 0.5).powi(4));
    weights.row_mut(0).fill(1.0);
    for mut row in weights.rows_mut() {
        let sum = row.sum();
        row /= sum;
    }
    let train_y = y.slice(s![..1_500, ..]);
    let mut fit = None;
    bencher.bench_local(|| {
        let found = fit_banded_ridge_over(
            &part(0..1_500),
            &train_y,
            &folds(1_500),
            weights.clone(),
            &settings(),
            &Progress::silent(),
        );
        fit = Some(found.unwrap());
    });
    if let Some(fit) = fit {
        let predicted = fit.predict(&part(1_500..2_000)).unwrap();
        say("banded ridge", y.slice(s![1_500.., ..]), &predicted);
    }
}
