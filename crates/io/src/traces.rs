//! Traces of named channels from whatever file they are in: one recording an animal or session.

use std::fs;
use std::path::{Path, PathBuf};

use chiasm_core::data::{Clock, Column, Recording};
use ndarray::{Array2, Ix2};

use crate::format::{self, Format};
use crate::matrix::split_key;
use crate::{Error, Result, csv, numpy, nwb, source};

/// Columns of a text file that hold times in seconds, not a channel.
const TIME_NAMES: [&str; 5] = ["time", "t", "seconds", "time_s", "timestamp"];
/// The file in a folder that names the columns of its arrays, one name a line.
const NAMES_FILE: &str = "neurons.txt";

/// Reads traces, samples x channels, from a file or from every such file of a folder, sorted by name.
///
/// - `.nwb`: changes of fluorescence, else fluorescence; or the series named after a colon, as in
///   `worm.nwb:DfOverF/RoiResponseSeries`.
/// - `.csv`, `.tsv`: a column a channel, named in the first row; a column called `time` (or `t`, `seconds`,
///   `time_s`, `timestamp`) holds seconds; missing cells are NaN.
/// - `.npy`: samples x channels; names come from a file beside it, `NAME.txt` for `NAME.npy` or
///   `neurons.txt` for all of a folder, one name a line.
///
/// `rate`, samples per second, is used where a file says nothing about times. NaN stays: it marks what was
/// not observed.
///
/// # Errors
/// Where a file cannot be read, is of another kind, lacks names, or where neither it nor `rate` says
/// when samples were taken; a folder without any such file.
pub fn read_traces(path: &Path, rate: Option<f64>) -> Result<Vec<Recording>> {
    if !path.is_dir() {
        return Ok(vec![read_one(path, rate)?]);
    }
    let mut files: Vec<PathBuf> = fs::read_dir(path)
        .and_then(|entries| {
            entries
                .map(|entry| entry.map(|entry| entry.path()))
                .collect()
        })
        .map_err(|error| Error::io(path, error))?;
    files.retain(|file| {
        let extension = file
            .extension()
            .and_then(|text| text.to_str())
            .unwrap_or("");
        ["npy", "csv", "tsv", "nwb"].contains(&extension.to_lowercase().as_str())
    });
    files.sort();
    if files.is_empty() {
        let reason = "no .npy, .csv, .tsv or .nwb in this folder";
        return Err(Error::unsupported(source::name_of(path), "traces", reason));
    }
    files.iter().map(|file| read_one(file, rate)).collect()
}

fn read_one(path: &Path, rate: Option<f64>) -> Result<Recording> {
    let (file, key) = split_key(path);
    let name = source::name_of(path);
    let mut recording = match format::detect(&file)? {
        Format::Nwb => from_nwb(&file, key.as_deref(), &name)?,
        Format::Csv | Format::Tsv => from_table(&file, rate, &name)?,
        Format::Npy => from_npy(&file, rate, &name)?,
        other => {
            let reason = format!("{other}; expected .nwb, .csv, .tsv or .npy");
            return Err(Error::unsupported(name, "format", reason));
        }
    };
    // An animal goes by its file's name; where the file lies matters to errors only.
    if let Some(stem) = file.file_stem() {
        recording.name = stem.to_string_lossy().into_owned();
    }
    Ok(recording)
}

fn from_nwb(file: &Path, series: Option<&str>, name: &str) -> Result<Recording> {
    let nwb = nwb::open(file)?;
    if let Some(series) = series {
        return nwb.time_series(series);
    }
    let regions = nwb
        .series()
        .iter()
        .filter(|series| series.kind == "RoiResponseSeries");
    let mut paths: Vec<&str> = regions.map(|series| series.path.as_str()).collect();
    if paths.iter().any(|path| path.contains("DfOverF")) {
        paths.retain(|path| path.contains("DfOverF"));
    }
    match paths[..] {
        [only] => nwb.time_series(only),
        [] => Err(Error::unsupported(
            name,
            "traces",
            "no fluorescence; name a series after a colon",
        )),
        _ => {
            let reason = format!(
                "several series; name one after a colon: {}",
                paths.join(", ")
            );
            Err(Error::unsupported(name, "traces", reason))
        }
    }
}

fn from_table(file: &Path, rate: Option<f64>, name: &str) -> Result<Recording> {
    let table = csv::read_table(file, &csv::Options::default())?;
    let (mut times, mut channels, mut columns) = (None, Vec::new(), Vec::new());
    for (label, column) in table.columns() {
        let Column::Numbers(values) = column else {
            return Err(Error::malformed(
                name,
                label,
                "holds words, expected a trace",
            ));
        };
        if times.is_none() && TIME_NAMES.contains(&label.trim().to_lowercase().as_str()) {
            times = Some(values.clone());
        } else {
            channels.push(label.clone());
            columns.push(values);
        }
    }
    let samples = Array2::from_shape_fn((table.rows(), columns.len()), |(row, column)| {
        columns[column][row] as f32
    });
    let clock = match times {
        Some(times) => Clock::Irregular(times),
        None => steady(rate, name)?,
    };
    Ok(Recording::new(name, samples, channels, clock, "")?)
}

fn from_npy(file: &Path, rate: Option<f64>, name: &str) -> Result<Recording> {
    let array = numpy::read_array(file)?.into_f64(name)?;
    let axes = array.ndim();
    let samples = array
        .into_dimensionality::<Ix2>()
        .map_err(|_| chiasm_core::Error::Shape {
            operation: "traces",
            what: name.to_string(),
            axis: "number of axes",
            found: axes,
            expected: "2 (samples x channels)".to_string(),
        })?;
    let beside = [file.with_extension("txt"), file.with_file_name(NAMES_FILE)];
    let Some(list) = beside.iter().find(|path| path.is_file()) else {
        let reason = format!(
            "no names: expected {} or {NAMES_FILE} beside it",
            beside[0].display()
        );
        return Err(Error::unsupported(name, "channels", reason));
    };
    let text = fs::read_to_string(list).map_err(|error| Error::io(list, error))?;
    let channels: Vec<String> = text
        .lines()
        .map(|line| line.trim().to_string())
        .filter(|line| !line.is_empty())
        .collect();
    let clock = steady(rate, name)?;
    Ok(Recording::new(
        name,
        samples.mapv(|value| value as f32),
        channels,
        clock,
        "",
    )?)
}

fn steady(rate: Option<f64>, name: &str) -> Result<Clock> {
    match rate {
        Some(rate) => Ok(Clock::Regular { start: 0.0, rate }),
        None => {
            let reason = "the file does not say when samples were taken; give their rate";
            Err(Error::unsupported(name, "times", reason))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_of_text_and_arrays_is_read_by_name() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| fs::write(folder.path().join(name), text).unwrap();
        write("a.csv", "time,AVA,AVB\n0.0,1,2\n0.5,3,\n1.0,5,6\n");
        write("neurons.txt", "AVA\nRIM\n");
        write("notes.md", "not a trace");
        let values = ndarray::array![[1.0f64, 2.0], [3.0, f64::NAN]];
        numpy::write_npy(&folder.path().join("b.npy"), &values).unwrap();
        let read = read_traces(folder.path(), Some(4.0)).unwrap();
        assert_eq!(read.len(), 2);
        assert_eq!((read[0].name.as_str(), read[1].name.as_str()), ("a", "b"));
        assert_eq!(read[0].channels, ["AVA", "AVB"]);
        assert_eq!(read[0].rate(), Some(2.0));
        assert!(read[0].samples[[1, 1]].is_nan());
        assert_eq!(read[1].channels, ["AVA", "RIM"]);
        assert_eq!(
            read[1].clock,
            Clock::Regular {
                start: 0.0,
                rate: 4.0
            }
        );
        let message = read_traces(folder.path(), None).unwrap_err().to_string();
        assert!(message.contains("rate"), "{message}");
        fs::remove_file(folder.path().join("neurons.txt")).unwrap();
        let message = read_traces(&folder.path().join("b.npy"), Some(4.0))
            .unwrap_err()
            .to_string();
        assert!(message.contains("names"), "{message}");
    }

    #[test]
    fn what_holds_no_traces_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let message = read_traces(folder.path(), None).unwrap_err().to_string();
        assert!(message.contains("no .npy"), "{message}");
        let words = folder.path().join("words.csv");
        fs::write(&words, "AVA,AVB\n1,x\n2,y\n").unwrap();
        assert!(
            read_traces(&words, Some(1.0))
                .unwrap_err()
                .to_string()
                .contains("AVB")
        );
    }
}
