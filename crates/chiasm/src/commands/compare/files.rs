//! Files of patterns and dissimilarities as inputs of a comparison.

use std::path::{Path, PathBuf};

use chiasm_core::Error;
use chiasm_core::data::{Rdm, Responses, conditions_of_condensed};
use chiasm_core::evidence::{DataSource, DataUsed};
use chiasm_core::run::sha256_of_file;
use chiasm_io::format::{Format, detect};
use chiasm_io::matrix::{read_labelled_matrix, read_numbers, split_key};
use chiasm_numerics::similarity::compare::{Input, Source};
use ndarray::{Array2, ArrayD, ArrayView2, Axis, Ix1, Ix2, Ix3, Ix4};

use super::arguments::{FirstAxis, Reading};
use crate::failure::{Failure, Outcome};

/// What was read.
pub(in crate::commands) struct Files {
    pub(in crate::commands) inputs: Vec<Input>,
    pub(in crate::commands) used: Vec<DataUsed>,
    /// Names of the conditions, where a file has them.
    pub(in crate::commands) conditions: Vec<String>,
}

pub(in crate::commands) fn read(
    paths: &[PathBuf],
    names: &[String],
    reading: Reading,
    axis: FirstAxis,
) -> Outcome<Files> {
    let names = names_of(paths, names)?;
    let mut files = Files {
        inputs: Vec::new(),
        used: Vec::new(),
        conditions: Vec::new(),
    };
    for (path, name) in paths.iter().zip(names) {
        let (file, _) = split_key(path);
        let labelled = is_table(&file)?;
        let (values, labels) = if labelled {
            let matrix = read_labelled_matrix(path)?;
            (matrix.values.into_dyn(), matrix.row_labels)
        } else {
            (read_numbers(path)?, None)
        };
        if let (Some(labels), true) = (&labels, files.conditions.is_empty()) {
            files.conditions.clone_from(labels);
        }
        files
            .inputs
            .push(input(name, values, labels, reading, axis)?);
        files.used.push(DataUsed {
            name: path.display().to_string(),
            sha256: Some(sha256_of_file(&file)?),
            source: DataSource::File,
        });
    }
    Ok(files)
}

fn is_table(file: &Path) -> Outcome<bool> {
    Ok(matches!(detect(file)?, Format::Csv | Format::Tsv))
}

/// The names given, or the file names; equal file names are numbered.
fn names_of(paths: &[PathBuf], names: &[String]) -> Outcome<Vec<String>> {
    if !names.is_empty() && names.len() != paths.len() {
        return Err(Failure::Usage(format!(
            "--names has {} name(s) for {} files",
            names.len(),
            paths.len()
        )));
    }
    let own: Vec<String> = if names.is_empty() {
        paths
            .iter()
            .map(|path| {
                path.file_name()
                    .unwrap_or(path.as_os_str())
                    .to_string_lossy()
                    .into_owned()
            })
            .collect()
    } else {
        names.to_vec()
    };
    Ok(own
        .iter()
        .enumerate()
        .map(|(index, name)| {
            let before = own[..index].iter().filter(|other| *other == name).count();
            if before == 0 {
                name.clone()
            } else {
                format!("{name} ({})", before + 1)
            }
        })
        .collect())
}

fn input(
    name: String,
    values: ArrayD<f64>,
    labels: Option<Vec<String>>,
    reading: Reading,
    axis: FirstAxis,
) -> Outcome<Input> {
    let shape = values.shape().to_vec();
    let unfit = |values: ArrayD<f64>| -> Failure {
        Error::Shape {
            operation: "compare",
            what: name.clone(),
            axis: "number of axes",
            found: values.ndim(),
            expected:
                "1 (condensed dissimilarities) to 4 (subjects x runs x conditions x channels)"
                    .to_string(),
        }
        .into()
    };
    let rdm = reading == Reading::Rdm || (reading == Reading::Auto && looks_like_rdms(&values));
    if rdm {
        return Ok(Input::rdms(name.clone(), rdms(&name, values)?));
    }
    match shape.len() {
        2 => {
            let patterns = values
                .into_dimensionality::<Ix2>()
                .map_err(|_| unfit_error(&name))?;
            patterns_with(name, patterns, labels)
        }
        3 => {
            let stack = values
                .into_dimensionality::<Ix3>()
                .map_err(|_| unfit_error(&name))?;
            Ok(match axis {
                FirstAxis::Subjects => Input::subject_patterns(name, stack)?,
                FirstAxis::Runs => Input::runs(name, stack)?,
            })
        }
        4 => {
            let stack = values
                .into_dimensionality::<Ix4>()
                .map_err(|_| unfit_error(&name))?;
            Ok(Input::subject_runs(name, stack)?)
        }
        _ => Err(unfit(values)),
    }
}

fn unfit_error(name: &str) -> Failure {
    Failure::System(format!("{name}: the array could not be reshaped"))
}

/// Patterns with the row names of a table; equal names are repeats of a condition.
fn patterns_with(
    name: String,
    patterns: Array2<f64>,
    labels: Option<Vec<String>>,
) -> Outcome<Input> {
    Ok(match labels {
        None => Input::patterns(name, patterns)?,
        Some(labels) => {
            let responses = Responses::new(name.clone(), patterns, labels, None)?;
            Input {
                name,
                source: Source::Responses(vec![responses]),
            }
        }
    })
}

/// A condensed vector, or square matrices that are symmetric with a zero diagonal.
fn looks_like_rdms(values: &ArrayD<f64>) -> bool {
    let square =
        |matrix: ArrayView2<'_, f64>| matrix.nrows() >= 2 && Rdm::from_square("", matrix).is_ok();
    match values.ndim() {
        1 => true,
        2 => values.view().into_dimensionality::<Ix2>().is_ok_and(square),
        3 => values
            .axis_iter(Axis(0))
            .all(|matrix| matrix.into_dimensionality::<Ix2>().is_ok_and(square)),
        _ => false,
    }
}

fn rdms(name: &str, values: ArrayD<f64>) -> Outcome<Vec<Rdm>> {
    let of_subject = |subject: usize| format!("{name}, subject {subject}");
    match values.ndim() {
        1 => {
            let condensed = values
                .into_dimensionality::<Ix1>()
                .map_err(|_| unfit_error(name))?;
            Ok(vec![Rdm::from_condensed(name, condensed.to_vec())?])
        }
        2 => {
            let matrix = values
                .into_dimensionality::<Ix2>()
                .map_err(|_| unfit_error(name))?;
            let (rows, columns) = matrix.dim();
            if rows == columns {
                return Ok(vec![Rdm::from_square(name, matrix.view())?]);
            }
            if columns == 1 {
                return Ok(vec![Rdm::from_condensed(
                    name,
                    matrix.into_iter().collect(),
                )?]);
            }
            if conditions_of_condensed(columns).is_none() {
                return Err(Error::Shape {
                    operation: "compare",
                    what: name.to_string(),
                    axis: "columns",
                    found: columns,
                    expected: format!("{rows} (a square matrix), or n(n-1)/2 (condensed rows)"),
                }
                .into());
            }
            let alone = rows == 1;
            let rows = matrix.rows().into_iter().enumerate().map(|(subject, row)| {
                let own = if alone {
                    name.to_string()
                } else {
                    of_subject(subject)
                };
                Rdm::from_condensed(own, row.to_vec())
            });
            Ok(rows.collect::<chiasm_core::Result<Vec<_>>>()?)
        }
        3 => {
            let stack = values
                .into_dimensionality::<Ix3>()
                .map_err(|_| unfit_error(name))?;
            let matrices = stack
                .axis_iter(Axis(0))
                .enumerate()
                .map(|(subject, matrix)| Rdm::from_square(of_subject(subject), matrix));
            Ok(matrices.collect::<chiasm_core::Result<Vec<_>>>()?)
        }
        axes => Err(Error::Shape {
            operation: "compare",
            what: name.to_string(),
            axis: "number of axes",
            found: axes,
            expected: "1 to 3 for dissimilarities".to_string(),
        }
        .into()),
    }
}
