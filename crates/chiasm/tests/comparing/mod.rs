//! What the tests of `chiasm compare` share.

#![allow(dead_code, reason = "each of the tests uses its part")]

use std::path::Path;
use std::process::{Command, Output, Stdio};

use chiasm::core::Seed;
use ndarray::{Dimension, ShapeBuilder};
use serde_json::Value;

pub(crate) fn compare(folder: &Path, words: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_chiasm"))
        .arg("compare")
        .args(words)
        .current_dir(folder)
        .stdin(Stdio::null())
        .output()
        .unwrap()
}

pub(crate) fn succeed(folder: &Path, words: &[&str]) -> (String, String) {
    let output = compare(folder, words);
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    let (out, err) = (text(output.stdout), text(output.stderr));
    assert!(output.status.success(), "{words:?}: {err}");
    (out, err)
}

/// Exit code 2, one message, nothing left behind.
pub(crate) fn fail(folder: &Path, words: &[&str]) -> String {
    let output = compare(folder, words);
    let message = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{words:?}: {message}");
    assert!(!message.contains("panicked"), "{message}");
    assert!(!folder.join("comparison/compare.json").exists());
    message
}

pub(crate) fn json(path: &Path) -> Value {
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

/// Numbers that look random and repeat.
pub(crate) fn numbers<D: Dimension>(
    name: &str,
    shape: impl ShapeBuilder<Dim = D>,
) -> ndarray::Array<f64, D> {
    let mut index = 0;
    ndarray::Array::from_shape_simple_fn(shape, || {
        index += 1;
        (Seed::new(0).named(name).indexed(index).to_u64() >> 11) as f64 / (1_u64 << 53) as f64
    })
}

pub(crate) fn matrix(value: &Value) -> Vec<Vec<f64>> {
    serde_json::from_value(value["matrix"].clone()).unwrap()
}
