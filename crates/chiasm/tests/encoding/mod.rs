//! What the tests of `chiasm encode` share.

#![allow(dead_code, reason = "each of the tests uses its part")]

use std::path::Path;
use std::process::{Command, Output, Stdio};

use chiasm::core::Seed;
use chiasm::io::numpy::{read_array, write_npy};
use ndarray::{Array2, Array3, Array4, ArrayD, s};
use serde_json::Value;

pub(crate) fn encode(folder: &Path, words: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_chiasm"))
        .arg("encode")
        .args(words)
        .current_dir(folder)
        .stdin(Stdio::null())
        .output()
        .unwrap()
}

pub(crate) fn succeed(folder: &Path, words: &[&str]) -> (String, String) {
    let output = encode(folder, words);
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    let (out, err) = (text(output.stdout), text(output.stderr));
    assert!(output.status.success(), "{words:?}: {err}");
    (out, err)
}

/// Exit code 2, one message, nothing left behind.
pub(crate) fn fail(folder: &Path, words: &[&str]) -> String {
    let output = encode(folder, words);
    let message = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{words:?}: {message}");
    assert!(!message.contains("panicked"), "{message}");
    assert!(!folder.join("encoding/summary.json").exists());
    assert!(!folder.join("encoding/scores.npy").exists());
    message
}

pub(crate) fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

pub(crate) fn vector(path: &Path) -> Vec<f64> {
    let array = read_array(path).unwrap().into_f64("vector").unwrap();
    array.iter().copied().collect()
}

/// Roughly normal numbers that repeat.
pub(crate) fn numbers(name: &str, shape: (usize, usize)) -> Array2<f64> {
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
pub(crate) fn place() -> tempfile::TempDir {
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

pub(crate) const PLAIN: [&str; 4] = ["--features", "x.npy", "--responses", "y.npy"];

pub(crate) fn with<'a>(words: &[&'a str], more: &[&'a str]) -> Vec<&'a str> {
    words.iter().chain(more).copied().collect()
}

/// A NIfTI-1 file of 32-bit floats, x fastest.
pub(crate) fn write_nifti(path: &Path, values: &Array4<f32>, shift: f32) {
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
