//! Masked non-negative CP at the size of one experiment: 600 frames x 12 animals x 1 770 pairs, rank 12.
//!
//! `bench/peers/tensorly_cp.py` times tensorly on the same numbers and prints its error beside ours.

#![allow(
    missing_docs,
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a benchmark prints and may fail loudly"
)]

use chiasm_core::{Progress, Seed};
use chiasm_numerics::tensor::{CpModel, CpSettings, ObservedTensor, fit_cp};
use ndarray::{Array2, Array3};

fn main() {
    let fit = fit_cp(&tensor(0.0), &settings(), Seed::new(1), &Progress::silent());
    if let Ok(fit) = fit {
        println!(
            "relative error after 100 sweeps, nothing missing: {:.6}",
            fit.relative_error()
        );
    }
    divan::main();
}

/// A number in [0, 1) from its index (SplitMix64), as the peer's script draws it.
fn uniform(index: u64) -> f64 {
    let mut x = index.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    ((x ^ (x >> 31)) >> 11) as f64 / (1u64 << 53) as f64
}

/// Sparse planted components with noise as large as the mean; a share of the fibres missing.
fn tensor(missing: f64) -> ObservedTensor {
    let mut next = 0..u64::MAX;
    let mut draw = || uniform(next.next().unwrap_or(0));
    let factors = [600, 12, 1770].map(|size| {
        Array2::from_shape_simple_fn((size, 12), || {
            Some(draw()).filter(|&u| u >= 0.6).unwrap_or(0.0)
        })
    });
    let Ok(model) = CpModel::from_factors(factors) else {
        unreachable!("factors fit")
    };
    let clean = model.to_array();
    let noise = clean.mean().unwrap_or(0.0);
    let mut values: Array3<f32> = clean.mapv(|value| (value + noise * draw()) as f32);
    for mut animal in values.axis_iter_mut(ndarray::Axis(1)) {
        for mut fibre in animal.axis_iter_mut(ndarray::Axis(1)) {
            if draw() < missing {
                fibre.fill(f32::NAN);
            }
        }
    }
    let Ok(tensor) = ObservedTensor::from_array(values.view()) else {
        unreachable!("some is observed")
    };
    tensor
}

fn settings() -> CpSettings {
    CpSettings {
        rank: 12,
        restarts: 1,
        sweeps: 100,
        tolerance: 0.0,
        ridge: 0.0,
        ..Default::default()
    }
}

/// One hundred sweeps from one random start; the argument is the share of missing fibres.
#[divan::bench(args = [0.0, 0.28], sample_count = 3, sample_size = 1)]
fn hundred_sweeps(bencher: divan::Bencher<'_, '_>, missing: f64) {
    let tensor = tensor(missing);
    bencher.bench_local(|| fit_cp(&tensor, &settings(), Seed::new(1), &Progress::silent()));
}
