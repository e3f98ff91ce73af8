//! Representational similarity.

mod bootstrap;
mod comparators;
mod compare;
mod dissimilarities;
mod inference;
mod noise_ceilings;
mod searchlight;
mod transforms;
mod triplets;

use serde_json::Value;

/// Values made by `fixtures/make_similarity.py`.
fn reference() -> Value {
    serde_json::from_str(include_str!("../fixtures/similarity.json")).unwrap()
}

fn numbers(value: &Value) -> Vec<f64> {
    value
        .as_array()
        .unwrap()
        .iter()
        .map(|number| number.as_f64().unwrap())
        .collect()
}

fn rows(value: &Value) -> Vec<Vec<f64>> {
    value.as_array().unwrap().iter().map(numbers).collect()
}

fn rdms(value: &Value) -> Vec<chiasm_core::data::Rdm> {
    rows(value)
        .into_iter()
        .enumerate()
        .map(|(index, values)| {
            chiasm_core::data::Rdm::from_condensed(format!("rdm {index}"), values).unwrap()
        })
        .collect()
}

fn assert_close(found: &[f64], expected: &[f64], tolerance: f64, what: &str) {
    assert_eq!(found.len(), expected.len(), "{what}");
    for (index, (found, expected)) in found.iter().zip(expected).enumerate() {
        assert!(
            (found - expected).abs() <= tolerance * (1.0 + expected.abs()),
            "{what}, entry {index}: {found} instead of {expected}"
        );
    }
}

fn comparator(name: &str) -> chiasm_numerics::similarity::Comparator {
    serde_json::from_value(Value::String(name.to_string())).unwrap()
}
