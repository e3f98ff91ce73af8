//! What is written is read back, and NumPy's own bytes come out.

use std::collections::BTreeMap;

use chiasm_io::{Array, nifti, numpy, safetensors};
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

fn volume(shape: &[usize]) -> chiasm_core::data::Volume {
    let mut next = 0.0;
    chiasm_core::data::Volume {
        name: "v".to_string(),
        values: ndarray::ArrayD::from_shape_simple_fn(shape, || {
            next += 0.5;
            next
        }),
        affine: [
            [-2.0, 0.0, 0.0, 90.0],
            [0.0, 2.5, 0.0, -126.0],
            [0.0, 0.0, 3.0, -72.0],
        ],
        voxel_size: [2.0, 2.5, 3.0],
        repetition_time: (shape.len() == 4).then_some(1.5),
    }
}

#[test]
fn nifti_volumes_read_back_as_they_were() {
    let folder = tempfile::tempdir().unwrap();
    for (name, shape) in [("a.nii", &[3, 4, 5][..]), ("b.nii.gz", &[3, 4, 5, 2])] {
        let path = folder.path().join(name);
        let mut written = volume(shape);
        written.values.as_slice_mut().unwrap()[7] = f32::NAN;
        nifti::write_volume(&path, &written).unwrap();
        let found = nifti::read(&path).unwrap();
        assert_eq!(found.values.shape(), shape);
        for (found, written) in found.values.iter().zip(&written.values) {
            assert_eq!(found.to_bits(), written.to_bits());
        }
        assert_eq!(found.affine, written.affine);
        assert_eq!(found.voxel_size, written.voxel_size);
        assert_eq!(found.repetition_time, written.repetition_time);
    }
    let error = nifti::write_volume(&folder.path().join("c.nii"), &volume(&[40_000, 1, 1]));
    assert!(error.unwrap_err().to_string().contains("32767"));
}

#[test]
fn series_are_read_within_a_mask_and_nothing_outside_is_looked_at() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let mut series = volume(&[3, 4, 5, 6]);
    let mut mask = volume(&[3, 4, 5]);
    mask.values.fill(0.0);
    mask.values[[0, 1, 2]] = 1.0;
    mask.values[[2, 3, 4]] = 1.0;
    // Outside the mask: of no consequence.
    series.values[[1, 1, 1, 3]] = f32::NAN;
    nifti::write_volume(&path("series.nii.gz"), &series).unwrap();
    nifti::write_volume(&path("mask.nii"), &mask).unwrap();
    let inside = nifti::read_mask(&path("mask.nii")).unwrap();
    assert_eq!(inside.voxels(), [[0, 1, 2], [2, 3, 4]]);
    let found = nifti::read_in_mask(&path("series.nii.gz"), &inside).unwrap();
    assert_eq!(found.dim(), (6, 2));
    for volume in 0..6 {
        assert_eq!(
            found[[volume, 0]],
            f64::from(series.values[[0, 1, 2, volume]])
        );
        assert_eq!(
            found[[volume, 1]],
            f64::from(series.values[[2, 3, 4, volume]])
        );
    }
    series.values[[2, 3, 4, 5]] = f32::INFINITY;
    nifti::write_volume(&path("broken.nii"), &series).unwrap();
    let message = nifti::read_in_mask(&path("broken.nii"), &inside)
        .unwrap_err()
        .to_string();
    assert!(message.contains("volume 5, voxel (2, 3, 4)"), "{message}");
    nifti::write_volume(&path("other.nii"), &volume(&[3, 4, 6, 2])).unwrap();
    let message = nifti::read_in_mask(&path("other.nii"), &inside)
        .unwrap_err()
        .to_string();
    assert!(
        message.contains("3 x 4 x 6") && message.contains("mask.nii"),
        "{message}"
    );
    series.affine[2][3] = 0.0;
    nifti::write_volume(&path("moved.nii"), &series).unwrap();
    let message = nifti::read_in_mask(&path("moved.nii"), &inside)
        .unwrap_err()
        .to_string();
    assert!(message.contains("72.000 mm"), "{message}");
    mask.values.fill(0.0);
    nifti::write_volume(&path("empty.nii"), &mask).unwrap();
    assert!(
        nifti::read_mask(&path("empty.nii"))
            .unwrap_err()
            .to_string()
            .contains("all are zero")
    );
}
