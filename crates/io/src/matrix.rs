//! The front door for arrays of numbers, whatever file they are in.

use std::path::{Path, PathBuf};

use chiasm_core::data::require_finite;
use ndarray::{Array2, ArrayD, Axis, Ix2};

use crate::array::{Array, place};
use crate::format::{self, Format};
use crate::{Error, Result, csv, hdf5, numpy, safetensors, source};

/// A matrix with whatever names its file gives to its rows and columns.
#[derive(Clone, Debug, PartialEq)]
pub struct LabelledMatrix {
    /// Rows x columns, all finite.
    pub values: Array2<f64>,
    /// One name per row.
    pub row_labels: Option<Vec<String>>,
    /// One name per column.
    pub column_labels: Option<Vec<String>>,
}

/// Reads an array of finite numbers from `.npy`, `.npz`, `.safetensors`, `.csv`, `.tsv` or HDF5.
///
/// A container takes the array's name after a colon, as in `responses.npz:v1` or `trials.h5:/rates`;
/// without one, `.npz` and `.safetensors` must hold a single array. Fails on NaN and infinities with the place of the first.
pub fn read_numbers(path: &Path) -> Result<ArrayD<f64>> {
    match read_stored(path)? {
        // Tables are finite and row-major already.
        Array::F64(values) if is_table(path)? => Ok(values),
        array => finite(array, &source::name_of(path)),
    }
}

/// Like [`read_numbers`], with the element type of the file and with whatever NaN and infinities a binary file
/// holds. Numbers from text are `f64`, as HDF5's are.
pub fn read_stored(path: &Path) -> Result<Array> {
    let (file, key) = split_key(path);
    let what = source::name_of(path);
    let format = format::detect(&file)?;
    let container = matches!(
        format,
        Format::Npz | Format::Safetensors | Format::Hdf5 | Format::Nwb
    );
    if key.is_some() && !container {
        let reason = format!("a {format} holds one thing; leave out the name after the colon");
        return Err(Error::unsupported(what, "format", reason));
    }
    Ok(match format {
        Format::Csv | Format::Tsv => Array::F64(
            csv::read_matrix(&file, &csv::Options::default())?
                .values
                .into_dyn(),
        ),
        Format::Npy => numpy::read_array(&file)?,
        Format::Npz => {
            let mut archive = numpy::Npz::open(&file)?;
            let key = match key {
                Some(key) => key,
                None => only_array(&file, archive.names())?,
            };
            archive.read(&key)?
        }
        Format::Safetensors => {
            let mut tensors = safetensors::Tensors::open(&file)?;
            let key = match key {
                Some(key) => key,
                None => only_array(&file, tensors.names())?,
            };
            tensors.read(&key)?
        }
        Format::Hdf5 | Format::Nwb => {
            let key = key.ok_or_else(|| {
                let reason = format!("choose one with {what}:/PATH; `chiasm inspect` lists them");
                Error::unsupported(&what, "arrays", reason)
            })?;
            Array::F64(hdf5::open(&file)?.read(&key)?)
        }
        other => {
            return Err(Error::unsupported(
                what,
                "format",
                format!("{other}; expected .npy, .npz, .safetensors, .csv, .tsv or .h5"),
            ));
        }
    })
}

fn is_table(path: &Path) -> Result<bool> {
    let (file, _) = split_key(path);
    Ok(matches!(format::detect(&file)?, Format::Csv | Format::Tsv))
}

/// Reads a two-dimensional array of finite numbers; see [`read_numbers`].
pub fn read_matrix(path: &Path) -> Result<Array2<f64>> {
    read_labelled_matrix(path).map(|matrix| matrix.values)
}

/// Like [`read_matrix`], with the names a `.csv` or `.tsv` file gives to rows and columns.
pub fn read_labelled_matrix(path: &Path) -> Result<LabelledMatrix> {
    let (file, key) = split_key(path);
    if key.is_none() && matches!(format::detect(&file)?, Format::Csv | Format::Tsv) {
        return csv::read_matrix(&file, &csv::Options::default());
    }
    let array = read_numbers(path)?;
    let axes = array.ndim();
    let values = array
        .into_dimensionality::<Ix2>()
        .map_err(|_| chiasm_core::Error::Shape {
            operation: "matrix",
            what: source::name_of(path),
            axis: "number of axes",
            found: axes,
            expected: "2 (rows x columns)".to_string(),
        })?;
    Ok(LabelledMatrix {
        values,
        row_labels: None,
        column_labels: None,
    })
}

/// Splits `file.npz:key`, unless a file of that whole name exists.
pub fn split_key(path: &Path) -> (PathBuf, Option<String>) {
    if path.exists() {
        return (path.to_path_buf(), None);
    }
    let text = path.to_string_lossy();
    match text.rsplit_once(':') {
        // A key may itself hold colons: the file is the longest beginning that exists.
        Some(_) => text
            .match_indices(':')
            .rev()
            .map(|(at, _)| (PathBuf::from(&text[..at]), text[at + 1..].to_string()))
            .find(|(file, key)| !key.is_empty() && file.is_file())
            .map_or_else(
                || (path.to_path_buf(), None),
                |(file, key)| (file, Some(key)),
            ),
        None => (path.to_path_buf(), None),
    }
}

fn only_array(file: &Path, names: Vec<String>) -> Result<String> {
    match <[String; 1]>::try_from(names) {
        Ok([name]) => Ok(name),
        Err(names) if names.is_empty() => Err(Error::malformed(
            source::name_of(file),
            "arrays",
            "the file holds none",
        )),
        Err(names) => Err(Error::unsupported(
            source::name_of(file),
            "arrays",
            format!(
                "there are {}; choose one with {}:NAME, where NAME is one of: {}",
                names.len(),
                source::name_of(file),
                names
                    .iter()
                    .take(12)
                    .map(String::as_str)
                    .collect::<Vec<_>>()
                    .join(", ")
            ),
        )),
    }
}

/// The numbers of an array, row-major and all finite.
fn finite(array: Array, what: &str) -> Result<ArrayD<f64>> {
    let values = row_major(array.into_f64(what)?);
    let shape = values.shape().to_vec();
    require_finite(what, values.iter(), |index| place(&shape, index))?;
    Ok(values)
}

/// The same array with its last axis fastest in memory.
fn row_major(values: ArrayD<f64>) -> ArrayD<f64> {
    if values.is_standard_layout() {
        return values;
    }
    if values.ndim() != 2 {
        return values.as_standard_layout().into_owned();
    }
    // In tiles: a whole row of a large column-major matrix touches a page for every element.
    const TILE: usize = 32;
    let mut copy = ArrayD::zeros(values.raw_dim());
    for (mut to, from) in copy
        .axis_chunks_iter_mut(Axis(0), TILE)
        .zip(values.axis_chunks_iter(Axis(0), TILE))
    {
        for (mut to, from) in to
            .axis_chunks_iter_mut(Axis(1), TILE)
            .zip(from.axis_chunks_iter(Axis(1), TILE))
        {
            to.assign(&from);
        }
    }
    copy
}
