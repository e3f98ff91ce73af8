//! Files in the layout of the Spiking Heidelberg Digits and Spiking Speech Commands (Cramer, Stradmann,
//! Schemmel and Zenke 2022): HDF5 with ragged `spikes/times` (seconds) and `spikes/units`, and
//! `labels`, `extra/keys` (the classes' names) and `extra/speaker` beside them.

use std::path::Path;

use crate::error::{Error, Result};
use crate::hdf5::{self, ElementType, Ragged};

const TIMES: &str = "spikes/times";
const UNITS: &str = "spikes/units";
const LABELS: &str = "labels";
const KEYS: &str = "extra/keys";
const SPEAKERS: &str = "extra/speaker";
/// How many recordings are looked at together.
const BATCH: u64 = 256;

/// An open file: labels are there, spikes are read when they are asked for.
#[derive(Debug)]
pub struct ShdFile {
    file: hdf5::File,
    /// The class of each recording.
    pub labels: Vec<usize>,
    /// The names of the classes, where the file gives them.
    pub keys: Vec<String>,
    /// The speaker of each recording, where the file says.
    pub speakers: Option<Vec<usize>>,
}

/// All recordings of a file.
#[derive(Clone, Debug, PartialEq)]
pub struct SpikingDigits {
    /// Spike times in seconds, one list a recording.
    pub times: Ragged<f32>,
    /// The input channel of each spike, one list a recording.
    pub units: Ragged<u16>,
    /// The class of each recording.
    pub labels: Vec<usize>,
    /// The names of the classes, where the file gives them.
    pub keys: Vec<String>,
    /// The speaker of each recording, where the file says.
    pub speakers: Option<Vec<usize>>,
}

impl SpikingDigits {
    /// The number of recordings.
    pub fn recordings(&self) -> usize {
        self.labels.len()
    }
}

/// Opens a file and reads its labels.
pub fn open(path: &Path) -> Result<ShdFile> {
    ShdFile::new(hdf5::open(path)?)
}

/// The same for bytes in memory.
pub fn parse(bytes: Vec<u8>, name: &str) -> Result<ShdFile> {
    ShdFile::new(hdf5::parse(bytes, name)?)
}

/// Reads a whole file. The real training set (8156 recordings) takes about 400 MB in memory.
pub fn read(path: &Path) -> Result<SpikingDigits> {
    let file = open(path)?;
    let (times, units) = file.spikes(0, u64::MAX)?;
    let ShdFile {
        labels,
        keys,
        speakers,
        ..
    } = file;
    Ok(SpikingDigits {
        times,
        units,
        labels,
        keys,
        speakers,
    })
}

/// Whether an HDF5 file has this layout.
pub fn is_shd(file: &hdf5::File) -> bool {
    let ragged = |path| {
        file.dataset(path)
            .is_ok_and(|dataset| matches!(dataset.element, ElementType::Ragged(_)))
    };
    ragged(TIMES) && ragged(UNITS)
}

impl ShdFile {
    pub(crate) fn new(file: hdf5::File) -> Result<Self> {
        let recordings = match file.dataset(TIMES)?.shape[..] {
            [recordings] => recordings,
            _ => {
                return Err(Error::malformed(
                    file.name(),
                    TIMES,
                    "not a list of recordings",
                ));
            }
        };
        for path in [TIMES, UNITS] {
            let dataset = file.dataset(path)?;
            if !matches!(dataset.element, ElementType::Ragged(_)) {
                let reason = format!("holds {}, lists of numbers were expected", dataset.element);
                return Err(Error::unsupported(file.name(), path, reason));
            }
        }
        let wanted = [UNITS, LABELS, SPEAKERS];
        for path in wanted
            .into_iter()
            .filter(|path| file.object(path).is_some() || *path != SPEAKERS)
        {
            let shape = &file.dataset(path)?.shape;
            if shape[..] != [recordings] {
                let reason =
                    format!("has shape {shape:?}, but {TIMES} has {recordings} recordings");
                return Err(Error::malformed(file.name(), path, reason));
            }
        }
        let numbers = |path: &str| -> Result<Vec<usize>> {
            let values = file.read_rows::<u32>(path, 0, u64::MAX)?;
            Ok(values.into_iter().map(|value| value as usize).collect())
        };
        let labels = numbers(LABELS)?;
        let speakers = file
            .object(SPEAKERS)
            .map(|_| numbers(SPEAKERS))
            .transpose()?;
        let keys = match file.object(KEYS) {
            Some(_) => file.read_words(KEYS)?,
            None => Vec::new(),
        };
        if let Some((recording, label)) = labels
            .iter()
            .enumerate()
            .find(|&(_, &label)| !keys.is_empty() && label >= keys.len())
        {
            let reason = format!(
                "recording {recording} is of class {label}, but {KEYS} names {} classes",
                keys.len()
            );
            return Err(Error::malformed(file.name(), LABELS, reason));
        }
        Ok(ShdFile {
            file,
            labels,
            keys,
            speakers,
        })
    }

    /// The number of recordings.
    pub fn recordings(&self) -> usize {
        self.labels.len()
    }

    /// The number of classes: as many as have names, or as the labels count.
    pub fn classes(&self) -> usize {
        let counted = self.labels.iter().max().map_or(0, |&largest| largest + 1);
        self.keys.len().max(counted)
    }

    /// Times (seconds) and units of `count` recordings from `start`; fewer where there are fewer.
    pub fn spikes(&self, start: u64, count: u64) -> Result<(Ragged<f32>, Ragged<u16>)> {
        let times = self.file.read_ragged::<f32>(TIMES, start, count)?;
        let units = self.file.read_ragged::<u16>(UNITS, start, count)?;
        for (row, (times, units)) in times.iter().zip(units.iter()).enumerate() {
            let recording = start + row as u64;
            if times.len() != units.len() {
                let reason = format!(
                    "recording {recording} has {} spike times and {} units",
                    times.len(),
                    units.len()
                );
                return Err(Error::malformed(self.file.name(), TIMES, reason));
            }
            if let Some(spike) = times.iter().position(|time| !time.is_finite()) {
                let reason = format!(
                    "spike {spike} of recording {recording} is at {} s",
                    times[spike]
                );
                return Err(Error::malformed(self.file.name(), TIMES, reason));
            }
        }
        Ok((times, units))
    }

    /// Hands every recording (its number, times and units) to `each`, in order and in little memory.
    pub fn for_each(
        &self,
        mut each: impl FnMut(usize, &[f32], &[u16]) -> Result<()>,
    ) -> Result<()> {
        for start in (0..self.recordings() as u64).step_by(BATCH as usize) {
            let (times, units) = self.spikes(start, BATCH)?;
            for (row, (times, units)) in times.iter().zip(units.iter()).enumerate() {
                each(start as usize + row, times, units)?;
            }
        }
        Ok(())
    }
}
