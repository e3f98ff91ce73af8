//! The front doors for matrices, and blocks of matrices on disk.

use std::path::{Path, PathBuf};

use chiasm_io::matrix::{read_labelled_matrix, read_matrix, read_numbers};
use chiasm_io::numpy::{self, MatrixFile};
use chiasm_io::{csv, safetensors};
use ndarray::{Array2, array};

fn written(folder: &Path, name: &str, content: &str) -> PathBuf {
    let path = folder.join(name);
    std::fs::write(&path, content).unwrap();
    path
}

/// The transpose's bytes under a header that says so.
fn write_fortran(path: &Path, values: &Array2<f64>) {
    numpy::write_npy(path, &values.t()).unwrap();
    let bytes = std::fs::read(path).unwrap();
    let (rows, columns) = values.dim();
    let head = String::from_utf8_lossy(&bytes[10..128])
        .replace("False", "True ")
        .replace(
            &format!("({columns}, {rows})"),
            &format!("({rows}, {columns})"),
        );
    std::fs::write(
        path,
        [&bytes[..10], head.as_bytes(), &bytes[128..]].concat(),
    )
    .unwrap();
}

#[test]
fn one_matrix_from_every_format() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let values = array![[1.0, 2.0], [3.0, -4.5], [0.25, 6.0]];
    numpy::write_npy(&at("a.npy"), &values).unwrap();
    write_fortran(&at("f.npy"), &values);
    let single = values.mapv(|value| value as f32).into_dyn();
    numpy::write_npz(
        &at("a.npz"),
        &[("x", single.view()), ("y", single.view())],
        true,
    )
    .unwrap();
    numpy::write_npz(&at("b.npz"), &[("x", single.view())], false).unwrap();
    let tensors = [("x".to_string(), chiasm_io::Array::F32(single.clone()))].into();
    safetensors::write(&at("a.safetensors"), &tensors, &[].into()).unwrap();
    written(folder.path(), "a.csv", "1,2\n3,-4.5\n0.25,6\n");
    written(
        folder.path(),
        "b.csv",
        "name,u,v\na,1,2\nb,3,-4.5\nc,0.25,6\n",
    );
    written(folder.path(), "a.tsv", "u\tv\n1\t2\n3\t-4.5\n0.25\t6\n");
    for name in [
        "a.npy",
        "f.npy",
        "a.npz:y",
        "b.npz",
        "a.safetensors",
        "a.safetensors:x",
        "a.csv",
        "b.csv",
        "a.tsv",
    ] {
        let found = read_matrix(&at(name)).unwrap();
        assert_eq!(found, values, "{name}");
        assert!(found.is_standard_layout(), "{name}");
    }
    let labelled = read_labelled_matrix(&at("b.csv")).unwrap();
    assert_eq!(labelled.row_labels.unwrap(), ["a", "b", "c"]);
    assert_eq!(labelled.column_labels.unwrap(), ["u", "v"]);
    assert_eq!(read_labelled_matrix(&at("a.npy")).unwrap().row_labels, None);

    let said = |name: &str| {
        let error = read_matrix(&at(name)).unwrap_err().to_string();
        error.replace(&folder.path().display().to_string(), "DIR")
    };
    numpy::write_npy(&at("line.npy"), &array![1.0, 2.0, 3.0]).unwrap();
    assert_eq!(read_numbers(&at("line.npy")).unwrap().shape(), [3]);
    let holes = array![[1.0, 2.0, 3.0], [4.0, f64::NAN, f64::INFINITY]];
    numpy::write_npy(&at("holes.npy"), &holes).unwrap();
    written(folder.path(), "holes.csv", "a,b\n1,2\n3,\n");
    written(folder.path(), "word.csv", "1,2\n3,x\n");
    written(folder.path(), "comma.csv", "a\tb\n1,5\t2\n");
    written(folder.path(), "note.txt", "");
    let all = [
        "line.npy",
        "holes.npy",
        "holes.csv",
        "word.csv",
        "comma.csv",
        "a.npz",
        "a.npz:z",
        "a.npy:x",
        "gone.npy",
    ]
    .map(said)
    .join("\n");
    insta::assert_snapshot!(all);
}

#[test]
fn datasets_are_named_by_their_path() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/hdf5/types.h5");
    let at = |key: &str| PathBuf::from(format!("{}{key}", file.display()));
    let big = read_matrix(&at(":/numbers/big/i2")).unwrap();
    assert_eq!(big.dim(), (3, 4));
    assert!(read_matrix(&at(":/numbers/big/gone")).is_err());
    let error = read_matrix(&at("")).unwrap_err().to_string();
    assert!(
        error.ends_with("types.h5:/PATH; `chiasm inspect` lists them"),
        "{error}"
    );
}

#[test]
fn delimiters_and_headers_can_be_told() {
    let options = csv::Options {
        delimiter: Some(b'|'),
        header: Some(true),
    };
    let matrix = csv::parse_matrix(b"1|2\n3|4\n", "a.csv", &options).unwrap();
    assert_eq!(matrix.values, array![[3.0, 4.0]]);
    assert_eq!(matrix.column_labels.unwrap(), ["1", "2"]);
    let pandas = csv::parse_matrix(b",0,1\n10,1,2\n20,3,4\n", "a.csv", &csv::Options::default());
    let pandas = pandas.unwrap();
    assert_eq!(pandas.values, array![[1.0, 2.0], [3.0, 4.0]]);
    assert_eq!(pandas.row_labels.unwrap(), ["10", "20"]);
    assert_eq!(pandas.column_labels.unwrap(), ["0", "1"]);
    let none = csv::parse_matrix(b"a,b\n", "a.csv", &csv::Options::default()).unwrap();
    assert_eq!(none.values.dim(), (0, 2));
}

#[test]
fn blocks_of_a_matrix_on_disk() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.npy");
    let values = Array2::from_shape_fn((37, 11), |(i, j)| (i * 100 + j) as f64 + 0.5);
    let check = |path: &Path| {
        let mut file = MatrixFile::open(path).unwrap();
        assert_eq!((file.rows(), file.columns()), (37, 11));
        let rows = file.read_rows::<f64>(5..9).unwrap();
        assert_eq!(rows, values.slice(ndarray::s![5..9, ..]));
        let columns = file.read_columns::<f32>(3..10).unwrap();
        assert_eq!(
            columns.mapv(f64::from),
            values.slice(ndarray::s![.., 3..10])
        );
        let block = file.read_block::<f64>(36..37, 0..1).unwrap();
        assert_eq!(block, values.slice(ndarray::s![36..37, 0..1]));
        assert_eq!(file.read_rows::<f64>(4..4).unwrap().dim(), (0, 11));
        let error = file.read_columns::<f64>(3..12).unwrap_err().to_string();
        assert!(
            error.ends_with("= 3..12: expected a range within 0..11"),
            "{error}"
        );
    };
    numpy::write_npy(&path, &values).unwrap();
    check(&path);
    numpy::write_npy(&path, &values.mapv(|value| value as f32)).unwrap();
    check(&path);
    let turned = folder.path().join("turned.npy");
    write_fortran(&turned, &values);
    check(&turned);

    let mut holes = values.clone();
    holes[[20, 4]] = f64::NAN;
    numpy::write_npy(&path, &holes).unwrap();
    let mut file = MatrixFile::open(&path).unwrap();
    assert!(file.read_rows::<f64>(0..20).is_ok());
    let error = file.read_columns::<f64>(4..6).unwrap_err().to_string();
    assert!(error.ends_with("the first at row 20, column 4"), "{error}");
}
