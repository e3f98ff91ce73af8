//! Regression against other packages (`fixtures/make_regression.py`), planted truth and nulls.

mod banded;
mod delays;
mod logistic;
mod partial_least_squares;
mod ridge;
mod scores;

use std::sync::LazyLock;

use chiasm_core::Seed;
use chiasm_numerics::splits::Split;
use ndarray::{Array2, ArrayView2};
use rand_distr::{Distribution, StandardNormal};
use serde_json::Value;

static REFERENCE: LazyLock<Value> =
    LazyLock::new(|| serde_json::from_str(include_str!("../fixtures/regression.json")).unwrap());

fn numbers(value: &Value) -> Vec<f64> {
    let numbers = value.as_array().unwrap().iter();
    numbers.map(|number| number.as_f64().unwrap()).collect()
}

fn whole(value: &Value) -> usize {
    value.as_u64().unwrap() as usize
}

fn wholes(value: &Value) -> Vec<usize> {
    value.as_array().unwrap().iter().map(whole).collect()
}

fn table(value: &Value, rows: usize, columns: usize) -> Array2<f64> {
    Array2::from_shape_vec((rows, columns), numbers(value)).unwrap()
}

/// The folds of the fixtures: rows dealt in turn.
fn dealt(rows: usize, folds: usize) -> Vec<Split> {
    let part = |fold, test| {
        let rows = (0..rows).filter(|row| (row % folds == fold) == test);
        rows.collect()
    };
    (0..folds)
        .map(|fold| Split {
            train: part(fold, false),
            test: part(fold, true),
        })
        .collect()
}

fn normal(rows: usize, columns: usize, seed: Seed) -> Array2<f64> {
    let mut rng = seed.rng();
    Array2::from_shape_simple_fn((rows, columns), || StandardNormal.sample(&mut rng))
}

/// All entries within `tolerance` of the largest expected magnitude.
fn assert_close<'a>(
    found: impl IntoIterator<Item = f64>,
    expected: impl IntoIterator<Item = &'a f64>,
    tolerance: f64,
    what: &str,
) {
    let found: Vec<f64> = found.into_iter().collect();
    let expected: Vec<f64> = expected.into_iter().copied().collect();
    assert_eq!(found.len(), expected.len(), "{what}");
    let scale = expected.iter().fold(1e-3_f64, |most, v| most.max(v.abs()));
    for (place, (found, expected)) in found.iter().zip(&expected).enumerate() {
        assert!(
            (found - expected).abs() <= tolerance * scale,
            "{what} at {place}: {found} for {expected}"
        );
    }
}

fn single(values: ArrayView2<'_, f64>) -> Array2<f32> {
    values.mapv(|value| value as f32)
}

fn wide(values: ArrayView2<'_, f32>) -> Vec<f64> {
    values.iter().map(|&value| f64::from(value)).collect()
}
