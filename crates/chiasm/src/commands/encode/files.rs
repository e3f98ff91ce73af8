//! Files of features, responses, labels and masks.

use std::path::{Path, PathBuf};

use chiasm_brain::encoding::{FeatureSpace, Holdout, TrialDesign};
use chiasm_core::Error;
use chiasm_core::data::{Column, Volume};
use chiasm_core::evidence::{DataSource, DataUsed};
use chiasm_core::run::sha256_of_file;
use chiasm_io::array::Array;
use chiasm_io::csv::{Options, read_table};
use chiasm_io::format::{Format, detect};
use chiasm_io::matrix::{read_stored, split_key};
use ndarray::{Array2, Axis, Ix2};

use super::arguments::TestArgument;
use super::responses::{Number, Responses, Stored};
use crate::failure::{Failure, Outcome};

/// What was read.
pub(super) struct Files {
    features: Vec<(String, Array)>,
    pub(super) responses: Responses,
    pub(super) design: TrialDesign,
    pub(super) holdout: Holdout,
    /// Indices (x, y, z) of the targets in their volume.
    pub(super) voxels: Option<Array2<u32>>,
    pub(super) used: Vec<DataUsed>,
}

/// Where everything is.
pub(super) struct Places<'a> {
    pub(super) features: &'a [PathBuf],
    pub(super) responses: &'a Path,
    pub(super) stimuli: Option<&'a Path>,
    pub(super) runs: Option<&'a Path>,
    pub(super) mask: Option<&'a Path>,
    pub(super) test: &'a TestArgument,
}

impl Files {
    pub(super) fn read(places: &Places<'_>) -> Outcome<Self> {
        let mut used = Vec::new();
        let (responses, voxels) = read_responses(places.responses, places.mask, &mut used)?;
        let (repeats, samples) = match responses.shape.as_slice() {
            [samples, _] => (None, *samples),
            [repeats, samples, _] => (Some(*repeats), *samples),
            shape => return Err(axes(places.responses, shape.len()).into()),
        };
        let mut features = Vec::new();
        for path in places.features {
            let array = read_stored(path)?;
            used.push(source(path)?);
            check_features(path, &array, samples, places.responses)?;
            features.push((own_name(path, places.features), array));
        }
        let mut labels = |path: Option<&Path>| -> Outcome<Option<Vec<String>>> {
            let Some(path) = path else {
                return Ok(None);
            };
            used.push(source(path)?);
            read_labels(path, Some((samples, places.responses))).map(Some)
        };
        let stimuli = labels(places.stimuli)?;
        let runs = labels(places.runs)?;
        let holdout = match places.test {
            TestArgument::Share(share) => Holdout::Share(*share),
            TestArgument::File(path) => {
                used.push(source(path)?);
                holdout(path, stimuli.is_some())?
            }
        };
        let (stimuli, runs) = (stimuli.as_deref(), runs.as_deref());
        let design = match repeats {
            None => TrialDesign::trials(samples, stimuli, runs)?,
            Some(repeats) => TrialDesign::stack(repeats, samples, stimuli, runs)?,
        };
        Ok(Files {
            features,
            responses,
            design,
            holdout,
            voxels,
            used,
        })
    }

    /// The names of the feature spaces.
    pub(super) fn names(&self) -> Vec<String> {
        self.features.iter().map(|(name, _)| name.clone()).collect()
    }

    /// The features as one number type.
    pub(super) fn spaces<T: Number>(&self) -> Outcome<Vec<FeatureSpace<T>>> {
        let mut spaces = Vec::new();
        for (name, array) in &self.features {
            let values = array.to_f64(name)?;
            let values = match values.ndim() {
                1 => values.insert_axis(Axis(1)),
                _ => values,
            };
            let values = values
                .into_dimensionality::<Ix2>()
                .map_err(|error| Failure::System(format!("{name}: {error}")))?;
            spaces.push(FeatureSpace {
                name: name.clone(),
                values: values
                    .mapv(T::from_double)
                    .as_standard_layout()
                    .into_owned(),
            });
        }
        Ok(spaces)
    }
}

fn source(path: &Path) -> Outcome<DataUsed> {
    let (file, _) = split_key(path);
    Ok(DataUsed {
        name: path.display().to_string(),
        sha256: Some(sha256_of_file(&file)?),
        source: DataSource::File,
    })
}

/// The file's stem, or its whole name where another file has the same stem.
fn own_name(path: &Path, all: &[PathBuf]) -> String {
    let stem = |path: &Path| {
        let stem = path.file_stem().unwrap_or(path.as_os_str());
        stem.to_string_lossy().into_owned()
    };
    let own = stem(path);
    if all.iter().filter(|other| stem(other) == own).count() > 1 {
        return path.display().to_string();
    }
    own
}

fn axes(path: &Path, found: usize) -> Error {
    Error::Shape {
        operation: "encode",
        what: path.display().to_string(),
        axis: "number of axes",
        found,
        expected: "2 (samples x targets) or 3 (repeats x stimuli x targets)".to_string(),
    }
}

fn check_features(path: &Path, array: &Array, samples: usize, responses: &Path) -> Outcome {
    let name = path.display().to_string();
    let shape = array.shape();
    if shape.is_empty() || shape.len() > 2 {
        return Err(Error::Shape {
            operation: "encode",
            what: name,
            axis: "number of axes",
            found: shape.len(),
            expected: "2 (stimuli x features)".to_string(),
        }
        .into());
    }
    if shape[0] != samples {
        return Err(Error::Shape {
            operation: "encode",
            what: name,
            axis: "number of stimuli (rows)",
            found: shape[0],
            expected: format!("{samples}, as {} has", responses.display()),
        }
        .into());
    }
    Ok(())
}

fn read_responses(
    path: &Path,
    mask: Option<&Path>,
    used: &mut Vec<DataUsed>,
) -> Outcome<(Responses, Option<Array2<u32>>)> {
    let (file, key) = split_key(path);
    let volumes = key.is_none() && detect(&file)? == Format::Nifti;
    used.push(source(path)?);
    if volumes {
        let series = chiasm_io::nifti::read(&file)?;
        let mask = match mask {
            Some(path) => {
                used.push(source(path)?);
                Some((path, chiasm_io::nifti::read(path)?))
            }
            None => None,
        };
        return in_mask(path, &series, mask);
    }
    if mask.is_some() {
        return Err(Failure::Usage(format!(
            "--mask goes with responses in a NIfTI file; {} is none",
            path.display()
        )));
    }
    if key.is_none()
        && let Some(responses) = Responses::on_disk(&file)?
    {
        return Ok((responses, None));
    }
    let array = read_stored(path)?;
    if !(1..=3).contains(&array.shape().len()) {
        return Err(axes(path, array.shape().len()).into());
    }
    let what = path.display().to_string();
    Ok((Responses::in_memory(array, &what)?, None))
}

/// The voxels of a series that are in the mask (not 0), as time x voxels.
fn in_mask(
    path: &Path,
    series: &Volume,
    mask: Option<(&Path, Volume)>,
) -> Outcome<(Responses, Option<Array2<u32>>)> {
    let shape = series.values.shape();
    let &[x, y, z, times] = shape else {
        return Err(Error::Shape {
            operation: "encode",
            what: path.display().to_string(),
            axis: "number of axes",
            found: shape.len(),
            expected: "4 (x, y, z, time)".to_string(),
        }
        .into());
    };
    if let Some((mask_path, mask)) = &mask {
        check_mask(path, series, mask_path, mask)?;
    }
    let mut voxels: Vec<u32> = Vec::new();
    for index in ndarray::indices((x, y, z)) {
        let place = [index.0, index.1, index.2];
        if mask
            .as_ref()
            .is_none_or(|(_, mask)| mask.values[&place[..]] != 0.0)
        {
            voxels.extend(place.map(|at| at as u32));
        }
    }
    let count = voxels.len() / 3;
    if count == 0 {
        let name = mask.map_or(path, |(path, _)| path).display().to_string();
        let reason = format!("{name} has no voxel that is not 0");
        return Err(Error::Unusable {
            operation: "encode",
            reason,
        }
        .into());
    }
    let voxels = Array2::from_shape_vec((count, 3), voxels)
        .map_err(|error| Failure::System(format!("voxels: {error}")))?;
    let mut values = Array2::zeros((times, count));
    for (voxel, place) in voxels.rows().into_iter().enumerate() {
        for time in 0..times {
            let at = [
                place[0] as usize,
                place[1] as usize,
                place[2] as usize,
                time,
            ];
            values[[time, voxel]] = series.values[&at[..]];
        }
    }
    let responses = Responses {
        stored: Stored::Single(values),
        shape: vec![times, count],
    };
    Ok((responses, Some(voxels)))
}

fn check_mask(path: &Path, series: &Volume, mask_path: &Path, mask: &Volume) -> Outcome {
    let (own, other) = (&series.values.shape()[..3], mask.values.shape());
    if other.len() != 3 {
        return Err(Error::Shape {
            operation: "encode",
            what: mask_path.display().to_string(),
            axis: "number of axes",
            found: other.len(),
            expected: "3 (x, y, z)".to_string(),
        }
        .into());
    }
    for (axis, (expected, found)) in ["x", "y", "z"].into_iter().zip(own.iter().zip(other)) {
        if expected != found {
            return Err(Error::Shape {
                operation: "encode",
                what: format!("mask {}", mask_path.display()),
                axis,
                found: *found,
                expected: format!("{expected}, as {} has", path.display()),
            }
            .into());
        }
    }
    let apart = |row: usize, column: usize| {
        (series.affine[row][column] - mask.affine[row][column]).abs() > 1e-2
    };
    if (0..3).any(|row| (0..4).any(|column| apart(row, column))) {
        return Err(Error::Unusable {
            operation: "encode",
            reason: format!(
                "mask {} lies elsewhere than {}: their affines differ; resample the mask",
                mask_path.display(),
                path.display()
            ),
        }
        .into());
    }
    Ok(())
}

/// Labels, one a row: the only column of a table, one named after a colon (`trials.csv:stimulus`), or an array.
/// `expected` is how many there must be, and the file that says so.
fn read_labels(path: &Path, expected: Option<(usize, &Path)>) -> Outcome<Vec<String>> {
    let (file, key) = split_key(path);
    let labels = if matches!(detect(&file)?, Format::Csv | Format::Tsv) {
        let mut labels = column(path, &file, key.as_deref(), None)?;
        // A list of words has no heading that could be told from its words.
        if key.is_none() && expected.is_some_and(|(count, _)| labels.len() + 1 == count) {
            labels = column(path, &file, None, Some(false))?;
        }
        labels
    } else {
        match read_stored(path)? {
            Array::Words(words) => words.iter().cloned().collect(),
            numbers => {
                let numbers = numbers.into_f64(&path.display().to_string())?;
                numbers.iter().map(f64::to_string).collect()
            }
        }
    };
    if let Some((count, of)) = expected
        && labels.len() != count
    {
        return Err(Error::Shape {
            operation: "encode",
            what: path.display().to_string(),
            axis: "number of labels (rows)",
            found: labels.len(),
            expected: format!("{count}, one a row of {}", of.display()),
        }
        .into());
    }
    if let Some(row) = labels
        .iter()
        .position(|label| label.is_empty() || label == "NaN")
    {
        return Err(Error::Unusable {
            operation: "encode",
            reason: format!("{}: row {row} has no label", path.display()),
        }
        .into());
    }
    Ok(labels)
}

fn column(
    path: &Path,
    file: &Path,
    key: Option<&str>,
    header: Option<bool>,
) -> Outcome<Vec<String>> {
    let options = Options {
        header,
        ..Options::default()
    };
    let table = read_table(file, &options)?;
    let names: Vec<&str> = table
        .columns()
        .iter()
        .map(|(name, _)| name.as_str())
        .collect();
    let column = match (key, table.columns()) {
        (Some(key), _) => table.column(key),
        (None, [(_, only)]) => Some(only),
        (None, _) => None,
    };
    match column {
        Some(Column::Numbers(values)) => Ok(values.iter().map(f64::to_string).collect()),
        Some(Column::Words(words)) => Ok(words.clone()),
        None => {
            let file = file.display();
            Err(Failure::Usage(match key {
                Some(key) => format!(
                    "{file}: no column called {key:?}; there are: {}",
                    names.join(", ")
                ),
                None => format!(
                    "{}: there are {} columns; choose one with {file}:NAME, where NAME is one of: {}",
                    path.display(),
                    names.len(),
                    names.join(", ")
                ),
            }))
        }
    }
}

/// Test stimuli by label, or rows by number where stimuli have no labels.
fn holdout(path: &Path, labelled: bool) -> Outcome<Holdout> {
    let labels = read_labels(path, None)?;
    if labelled {
        return Ok(Holdout::Stimuli(labels));
    }
    let rows: Result<Vec<usize>, String> = labels
        .iter()
        .map(|label| label.parse().map_err(|_| label.clone()))
        .collect();
    rows.map(Holdout::Samples).map_err(|label| {
        Failure::Usage(format!(
            "{}: {label:?} is no row number; without --stimuli the test file lists rows, counted from 0",
            path.display()
        ))
    })
}
