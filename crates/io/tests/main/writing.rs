//! What is written is read back, and NumPy's own bytes come out.

use std::collections::BTreeMap;

use chiasm_io::{Array, numpy, safetensors};
use ndarray::{Array1, Array2, Array3, arr0, array};
use proptest::prelude::*;

use super::corpus_path;

#[test]
fn npy_files_are_numpys_own_bytes() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.npy");
    // Files that numpy.save wrote, in the byte order that is written.
    for name in [
        "i1_le", "u1_le", "i2_le", "i4_le", "u8_le", "f4_le", "f8_le", "scalar", "b1_le",
    ] {
        let theirs = corpus_path("good").join(format!("npy_{name}.npy"));
        match numpy::read_array(&theirs).unwrap() {
            Array::I8(values) => numpy::write_npy(&path, &values),
            Array::U8(values) => numpy::write_npy(&path, &values),
            Array::I16(values) => numpy::write_npy(&path, &values),
            Array::I32(values) => numpy::write_npy(&path, &values),
            Array::U64(values) => numpy::write_npy(&path, &values),
            Array::F32(values) => numpy::write_npy(&path, &values),
            Array::F64(values) => numpy::write_npy(&path, &values),
            Array::Bool(values) => numpy::write_npy(&path, &values),
            other => panic!("{}", other.dtype()),
        }
        .unwrap();
        assert_eq!(
            std::fs::read(&path).unwrap(),
            std::fs::read(&theirs).unwrap(),
            "{name}"
        );
    }
}

#[test]
fn archives_come_back_and_depend_on_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let (a, b) = (
        array![[1.0, -2.5], [f64::MIN_POSITIVE, 4.0]].into_dyn(),
        arr0(7.0).into_dyn(),
    );
    for compressed in [false, true] {
        let path = folder.path().join("a.npz");
        let write = || numpy::write_npz(&path, &[("a", a.view()), ("b/c", b.view())], compressed);
        write().unwrap();
        let bytes = std::fs::read(&path).unwrap();
        write().unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), bytes);
        let arrays = numpy::read_npz(&path).unwrap();
        assert_eq!(arrays["a"], Array::F64(a.clone()));
        assert_eq!(arrays["b/c"], Array::F64(b.clone()));
        let mut archive = numpy::Npz::open(&path).unwrap();
        assert_eq!(archive.member("a").unwrap().shape, [2, 2]);
        let error = archive.read("c").unwrap_err().to_string();
        assert!(
            error.ends_with("no array called \"c\"; there are: a, b/c"),
            "{error}"
        );
    }
    let twice = [("a", a.view()), ("a", b.view())];
    assert!(numpy::write_npz(&folder.path().join("b.npz"), &twice, false).is_err());
    assert!(!folder.path().join("b.npz").exists());
}

#[test]
fn tensors_come_back_and_depend_on_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.safetensors");
    let mut tensors =
        safetensors::read_all(&corpus_path("good/safetensors_mixed.safetensors")).unwrap();
    tensors.insert(
        "complex".into(),
        Array::C64(Array1::from(vec![[1.0, 2.0]]).into_dyn()),
    );
    tensors.insert(
        "brain".into(),
        Array::Bf16(array![1.5_f32, -3.0].into_dyn()),
    );
    // Written in C order whatever the order in memory.
    let fortran = Array3::from_shape_fn((2, 3, 4), |(i, j, k)| (100 * i + 10 * j + k) as f64);
    let fortran = fortran.reversed_axes();
    tensors.insert("fortran".into(), Array::F64(fortran.into_dyn()));
    let facts: BTreeMap<String, String> = ["epoch", "loss", "seed", "a", "b"]
        .map(|key| (key.to_string(), format!("{key}!")))
        .into();
    safetensors::write(&path, &tensors, &facts).unwrap();
    let bytes = std::fs::read(&path).unwrap();
    assert_eq!(safetensors::read_all(&path).unwrap(), tensors);
    assert_eq!(safetensors::Tensors::open(&path).unwrap().metadata(), facts);
    safetensors::write(&path, &tensors, &facts).unwrap();
    assert_eq!(std::fs::read(&path).unwrap(), bytes);
    tensors.insert(
        "words".into(),
        Array::Words(Array1::from(vec![String::new()]).into_dyn()),
    );
    let error = safetensors::write(&path, &tensors, &facts)
        .unwrap_err()
        .to_string();
    assert!(
        error.ends_with("tensor words: cannot hold words"),
        "{error}"
    );
    assert_eq!(
        std::fs::read(&path).unwrap(),
        bytes,
        "a failed write leaves the file alone"
    );
}

#[test]
fn a_folder_that_is_not_there_is_named() {
    let path = tempfile::tempdir().unwrap().path().join("gone/a.npy");
    let error = numpy::write_npy(&path, &arr0(1.0)).unwrap_err().to_string();
    assert!(error.starts_with(&path.display().to_string()), "{error}");
    assert!(!error.contains(" at path "), "{error}");
}

proptest! {
    #[test]
    fn any_matrix_comes_back(rows in 0_usize..5, columns in 0_usize..5, seed: u64) {
        let values = Array2::from_shape_fn((rows, columns), |(i, j)| {
            f64::from_bits(seed.wrapping_mul((i * 7 + j + 1) as u64))
        });
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.npy");
        numpy::write_npy(&path, &values).unwrap();
        let Array::F64(back) = numpy::read_array(&path).unwrap() else { panic!() };
        prop_assert_eq!(back.shape(), [rows, columns]);
        prop_assert!(back.iter().zip(&values).all(|(a, b)| a.to_bits() == b.to_bits()));
        // Transposed in memory is another array, not the same bytes.
        numpy::write_npy(&path, &values.t()).unwrap();
        let Array::F64(back) = numpy::read_array(&path).unwrap() else { panic!() };
        prop_assert!(back.iter().zip(values.t()).all(|(a, b)| a.to_bits() == b.to_bits()));
    }
}
