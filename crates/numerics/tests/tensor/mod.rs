//! Masked non-negative CP.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use chiasm_core::{Error, Progress, ProgressSink, Seed};
use chiasm_numerics::tensor::{
    CpModel, CpSettings, ObservedTensor, RankSettings, choose_rank, core_consistency, factor_match,
    fit_cp, fit_cp_from,
};
use ndarray::{Array2, Array3};
use rand::RngExt;
use serde::Deserialize;

#[derive(Deserialize)]
struct Masked {
    mask: Vec<u8>,
    model: Vec<f64>,
    error: f64,
}

#[derive(Deserialize)]
struct Whole {
    error: f64,
}

#[derive(Deserialize)]
struct Fixture {
    shape: [usize; 3],
    x: Vec<f64>,
    start: [Vec<f64>; 3],
    sweeps: usize,
    fibres: Masked,
    entries: Masked,
    whole: Whole,
    whole_by_nnls: Masked,
}

fn fixture() -> Fixture {
    serde_json::from_str(include_str!("../fixtures/cp.json")).unwrap()
}

fn exact(rank: usize, sweeps: usize) -> CpSettings {
    CpSettings {
        rank,
        sweeps,
        tolerance: 0.0,
        inner_passes: 500,
        ridge: 0.0,
        ..Default::default()
    }
}

/// Planted components whose columns are sparse, and the tensor they make with noise.
fn planted(dims: [usize; 3], rank: usize, noise: f64, seed: u64) -> (CpModel, Array3<f32>) {
    let mut rng = Seed::new(seed).named("planted").rng();
    let factors = dims.map(|size| {
        Array2::from_shape_simple_fn((size, rank), || {
            let value: f64 = rng.random();
            if value < 0.5 { 0.0 } else { value }
        })
    });
    let model = CpModel::from_factors(factors).unwrap();
    let clean = model.to_array();
    let scale = noise * clean.mean().unwrap();
    (
        model,
        clean.mapv(|value| (value + scale * rng.random::<f64>()) as f32),
    )
}

fn drop_at_random(values: &mut Array3<f32>, share: f64, seed: u64) {
    let mut rng = Seed::new(seed).named("mask").rng();
    for mut animal in values.axis_iter_mut(ndarray::Axis(1)) {
        for mut fibre in animal.axis_iter_mut(ndarray::Axis(1)) {
            if rng.random::<f64>() < share {
                fibre.fill(f32::NAN);
            }
        }
    }
}

#[test]
fn sweeps_agree_with_exact_alternating_least_squares_over_observed_entries() {
    let fixture = fixture();
    let [a, b, c] = fixture.shape;
    for (name, case) in [
        ("fibres", &fixture.fibres),
        ("entries", &fixture.entries),
        ("whole", &fixture.whole_by_nnls),
    ] {
        let values = fixture.x.iter().zip(&case.mask);
        let values = values.map(|(&x, &seen)| if seen == 1 { x as f32 } else { f32::NAN });
        let values = Array3::from_shape_vec((a, b, c), values.collect()).unwrap();
        let tensor = ObservedTensor::from_array(values.view()).unwrap();
        let start = [0, 1, 2].map(|axis| {
            Array2::from_shape_vec((fixture.shape[axis], 3), fixture.start[axis].clone()).unwrap()
        });
        let fit = fit_cp_from(
            &tensor,
            start,
            &exact(3, fixture.sweeps),
            &Progress::silent(),
        )
        .unwrap();
        assert!(
            (fit.relative_error - case.error).abs() < 1e-5,
            "{name}: {} {}",
            fit.relative_error,
            case.error
        );
        for (ours, theirs) in fit.model.to_array().iter().zip(&case.model) {
            assert!((ours - theirs).abs() < 1e-3, "{name}: {ours} {theirs}");
        }
    }
    // tensorly, which knows no masks, ends in the same place.
    assert!((fixture.whole.error - fixture.whole_by_nnls.error).abs() < 1e-6);
}

#[test]
fn a_mask_constant_in_time_gives_what_the_general_mask_gives() {
    let (_, mut values) = planted([20, 6, 30], 3, 0.3, 1);
    drop_at_random(&mut values, 0.3, 2);
    let fibres = ObservedTensor::from_array(values.view()).unwrap();
    // One entry fewer forces the general path; the model may hardly move.
    let (time, animal, pair) = values
        .indexed_iter()
        .find(|(_, value)| !value.is_nan())
        .unwrap()
        .0;
    values[[time, animal, pair]] = f32::NAN;
    let entries = ObservedTensor::from_array(values.view()).unwrap();
    assert_eq!(fibres.observed_entries(), entries.observed_entries() + 1);
    let settings = CpSettings {
        restarts: 1,
        sweeps: 40,
        tolerance: 0.0,
        rank: 3,
        ..Default::default()
    };
    let fit = |tensor| fit_cp(tensor, &settings, Seed::new(3), &Progress::silent()).unwrap();
    let (first, second) = (fit(&fibres), fit(&entries));
    assert!(factor_match(first.model(), second.model()).score > 0.999);
    assert!((first.relative_error() - second.relative_error()).abs() < 2e-3);
}

#[test]
fn the_error_counts_observed_entries_only() {
    let (model, values) = planted([6, 3, 5], 2, 0.5, 4);
    let mut masked = values.clone();
    drop_at_random(&mut masked, 0.4, 5);
    masked[[0, 0, 0]] = f32::NAN;
    let tensor = ObservedTensor::from_array(masked.view()).unwrap();
    let dense = model.to_array();
    let (mut residual, mut total) = (0.0, 0.0);
    for (value, fitted) in masked
        .iter()
        .zip(&dense)
        .filter(|(value, _)| !value.is_nan())
    {
        residual += (f64::from(*value) - fitted).powi(2);
        total += f64::from(*value).powi(2);
    }
    let expected = (residual / total).sqrt();
    assert!((model.relative_error(&tensor).unwrap() - expected).abs() < 1e-6);
    assert!((tensor.squared_norm() - total).abs() < 1e-9 * total);
}

#[test]
fn planted_components_come_back_through_missing_pairs() {
    let (truth, mut values) = planted([60, 10, 120], 4, 0.5, 6);
    drop_at_random(&mut values, 0.35, 7);
    let tensor = ObservedTensor::from_array(values.view()).unwrap();
    // One component for the noise's mean.
    let settings = CpSettings {
        rank: 5,
        restarts: 3,
        tolerance: 1e-6,
        ..Default::default()
    };
    let fit = fit_cp(&tensor, &settings, Seed::new(8), &Progress::silent()).unwrap();
    let found = factor_match(&truth, fit.model());
    assert!(found.score > 0.95, "{found:?}");
    assert!(fit.stability().unwrap() > 0.9, "{:?}", fit.stability());
    assert!(
        fit.starts
            .windows(2)
            .all(|pair| pair[0].relative_error <= pair[1].relative_error)
    );
    // Structureless data of the same size: nothing like what was planted elsewhere, less stable.
    let mut rng = Seed::new(9).rng();
    let noise = Array3::from_shape_simple_fn((60, 10, 120), || rng.random::<f32>());
    let tensor = ObservedTensor::from_array(noise.view()).unwrap();
    let null = fit_cp(&tensor, &settings, Seed::new(8), &Progress::silent()).unwrap();
    assert!(factor_match(&truth, null.model()).score < 0.6);
    assert!(null.stability().unwrap() < fit.stability().unwrap() - 0.05);
}

#[test]
fn held_out_fibres_choose_the_planted_rank() {
    let (_, values) = planted([40, 12, 80], 4, 0.6, 10);
    let tensor = ObservedTensor::from_array(values.view()).unwrap();
    let settings = RankSettings {
        candidates: (1..=8).collect(),
        ..Default::default()
    };
    let choice = choose_rank(&tensor, &settings, Seed::new(11), &Progress::silent()).unwrap();
    // Four planted, and one for the mean of the noise.
    assert!((4..=5).contains(&choice.rank), "{:?}", choice.scores);
    let of = |rank: usize| {
        choice
            .scores
            .iter()
            .find(|score| score.rank == rank)
            .unwrap()
    };
    assert!(of(2).held_out_error() > 1.1 * of(choice.rank).held_out_error());
    assert!(of(3).core_consistency > of(8).core_consistency);
}

#[test]
fn core_consistency_is_full_for_an_exact_model_and_low_for_too_many_components() {
    let (model, values) = planted([15, 8, 20], 3, 0.0, 12);
    let mut masked = values.clone();
    drop_at_random(&mut masked, 0.2, 13);
    let tensor = ObservedTensor::from_array(masked.view()).unwrap();
    assert!((core_consistency(&tensor, &model).unwrap() - 100.0).abs() < 0.1);
    let settings = CpSettings {
        rank: 6,
        restarts: 2,
        ..Default::default()
    };
    let fit = fit_cp(&tensor, &settings, Seed::new(14), &Progress::silent()).unwrap();
    assert!(core_consistency(&tensor, fit.model()).unwrap() < 60.0);
}

#[test]
fn the_same_seed_gives_the_same_bytes_on_any_number_of_threads() {
    let (_, mut values) = planted([50, 6, 700], 3, 0.5, 15);
    drop_at_random(&mut values, 0.2, 16);
    let tensor = ObservedTensor::from_array(values.view()).unwrap();
    let settings = CpSettings {
        rank: 3,
        restarts: 2,
        sweeps: 15,
        ..Default::default()
    };
    let on = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .build()
            .unwrap();
        pool.install(|| fit_cp(&tensor, &settings, Seed::new(17), &Progress::silent()).unwrap())
    };
    assert_eq!(on(1).model(), on(3).model());
}

#[test]
fn a_row_without_observations_is_zero_and_what_is_wrong_is_named() {
    let (_, mut values) = planted([10, 4, 12], 2, 0.2, 18);
    values.slice_mut(ndarray::s![.., .., 5]).fill(f32::NAN);
    let tensor = ObservedTensor::from_array(values.view()).unwrap();
    let settings = CpSettings {
        rank: 2,
        ..Default::default()
    };
    let fit = fit_cp(&tensor, &settings, Seed::new(0), &Progress::silent()).unwrap();
    assert!(
        fit.model().factors[2]
            .row(5)
            .iter()
            .all(|&value| value == 0.0)
    );

    let fails = |values: &Array3<f32>| ObservedTensor::from_array(values.view()).unwrap_err();
    values[[1, 2, 3]] = -1.0;
    assert!(fails(&values).to_string().contains("(1, 2, 3) is negative"));
    values[[1, 2, 3]] = f32::INFINITY;
    assert!(matches!(fails(&values), Error::NotFinite { .. }));
    values.fill(f32::NAN);
    assert!(matches!(fails(&values), Error::TooFew { .. }));
    let zero = ObservedTensor::from_array(Array3::<f32>::zeros((3, 3, 3)).view()).unwrap();
    let failed = fit_cp(&zero, &settings, Seed::new(0), &Progress::silent());
    assert!(matches!(failed, Err(Error::Unusable { .. })));
    let twice = ObservedTensor::from_fibres([1, 2, 2], vec![(0, 1), (0, 1)], vec![1.0, 2.0]);
    assert!(twice.unwrap_err().to_string().contains("twice"));
}

struct Quiet;
impl ProgressSink for Quiet {
    fn begin(&self, _: &str, _: u64) {}
    fn advance(&self, _: u64) {}
    fn note(&self, _: &str) {}
    fn end(&self) {}
}

#[test]
fn a_stop_is_heard() {
    let (_, values) = planted([10, 4, 12], 2, 0.2, 19);
    let tensor = ObservedTensor::from_array(values.view()).unwrap();
    let stopped = Progress::new(Arc::new(Quiet), Arc::new(AtomicBool::new(true)));
    let fit = fit_cp(&tensor, &CpSettings::default(), Seed::new(0), &stopped);
    assert!(matches!(fit, Err(Error::Interrupted)));
}
