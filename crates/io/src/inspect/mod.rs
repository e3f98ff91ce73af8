//! `chiasm inspect`: what is in a file, in bounded time and memory.

mod arrays;
mod display;
mod fif;
mod signals;

use std::path::Path;

use serde::{Serialize, Serializer};

use crate::format::{self, Format};
use crate::{Result, hdf5, source};

/// How many names an [`Entry`] keeps.
pub const LABELS_SHOWN: usize = 16;

/// What a file holds.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Summary {
    /// The file, as it was named by the caller.
    pub file: String,
    /// The format in words, e.g. `NumPy array`.
    pub format: String,
    /// The file's size.
    pub bytes: u64,
    /// Facts about the file as a whole, in the order they are shown, e.g. `("recording", "…")`.
    #[serde(serialize_with = "as_map")]
    pub facts: Vec<(String, String)>,
    /// The arrays, columns, channels or datasets in it.
    pub entries: Vec<Entry>,
    /// What the file can be used for, and what is odd about it.
    pub notes: Vec<String>,
}

/// One array, column, channel or dataset of a [`Summary`].
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Entry {
    /// Its name in the file; empty where the file holds just one thing.
    pub name: String,
    /// Its sizes, slowest axis first.
    pub shape: Vec<u64>,
    /// Its element type, e.g. `f32`, `i16`, `words`.
    pub dtype: String,
    /// Its unit, where the file says so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unit: Option<String>,
    /// Its sampling rate in samples per second, where the file says so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rate: Option<f64>,
    /// The first [`LABELS_SHOWN`] of its names (channels, classes, levels).
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub labels: Vec<String>,
    /// How many names there are in all.
    #[serde(skip_serializing_if = "is_zero")]
    pub label_count: u64,
    /// Anything else, in the order it is shown.
    #[serde(skip_serializing_if = "Vec::is_empty", serialize_with = "as_map")]
    pub facts: Vec<(String, String)>,
    /// Range, mean and holes of its numbers; `None` where they are not numbers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub statistics: Option<Statistics>,
}

fn as_map<S: Serializer>(facts: &[(String, String)], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_map(facts.iter().map(|(name, value)| (name, value)))
}

fn is_zero(count: &u64) -> bool {
    *count == 0
}

impl Entry {
    /// An entry with a name, sizes and an element type.
    pub fn new(name: impl Into<String>, shape: Vec<u64>, dtype: impl Into<String>) -> Self {
        Entry {
            name: name.into(),
            shape,
            dtype: dtype.into(),
            ..Entry::default()
        }
    }

    /// The same with names, of which the first [`LABELS_SHOWN`] are kept.
    #[must_use]
    pub fn with_labels(mut self, labels: &[String]) -> Self {
        self.labels = labels.iter().take(LABELS_SHOWN).cloned().collect();
        self.label_count = labels.len() as u64;
        self
    }
}

/// Range, mean and holes of a set of numbers, gathered one at a time in constant memory.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Statistics {
    /// How many numbers were looked at.
    pub count: u64,
    /// How many of them are NaN.
    pub nan: u64,
    /// How many of them are infinite.
    pub infinite: u64,
    /// The smallest finite one.
    pub min: Option<f64>,
    /// The largest finite one.
    pub max: Option<f64>,
    /// The mean of the finite ones.
    pub mean: Option<f64>,
    /// Whether only the beginning was looked at, because there is too much.
    pub partial: bool,
    #[serde(skip)]
    total: f64,
    #[serde(skip)]
    lost: f64,
}

impl Statistics {
    /// The statistics of some numbers.
    pub fn of(values: impl IntoIterator<Item = f64>) -> Self {
        let mut statistics = Statistics::default();
        statistics.extend(values);
        statistics
    }

    /// Takes in what was gathered elsewhere.
    fn merge(&mut self, other: &Statistics) {
        self.count += other.count;
        self.nan += other.nan;
        self.infinite += other.infinite;
        let either = |a: Option<f64>, b: Option<f64>, pick: fn(f64, f64) -> f64| match (a, b) {
            (Some(a), Some(b)) => Some(pick(a, b)),
            (a, b) => a.or(b),
        };
        self.min = either(self.min, other.min, f64::min);
        self.max = either(self.max, other.max, f64::max);
        self.total += other.total;
        self.lost += other.lost;
        let finite = self.count - self.nan - self.infinite;
        self.mean = (finite > 0).then(|| (self.total + self.lost) / finite as f64);
    }

    /// Takes in more numbers.
    pub fn extend(&mut self, values: impl IntoIterator<Item = f64>) {
        for value in values {
            self.count += 1;
            if value.is_nan() {
                self.nan += 1;
            } else if value.is_infinite() {
                self.infinite += 1;
            } else {
                self.min = Some(self.min.map_or(value, |min| min.min(value)));
                self.max = Some(self.max.map_or(value, |max| max.max(value)));
                // Neumaier's sum, so that the mean of a long recording keeps its digits.
                let sum = self.total + value;
                self.lost += if self.total.abs() >= value.abs() {
                    (self.total - sum) + value
                } else {
                    (value - sum) + self.total
                };
                self.total = sum;
            }
        }
        let finite = self.count - self.nan - self.infinite;
        self.mean = (finite > 0).then(|| (self.total + self.lost) / finite as f64);
    }
}

/// How many bytes of numbers are looked at for [`Statistics`], in a file altogether.
const LOOKED_AT: u64 = 1 << 30;

/// What a file holds, whatever its format.
///
/// Time and memory are bounded: numbers are looked at in blocks, and past a gibibyte not at all.
pub fn inspect(path: &Path) -> Result<Summary> {
    let format = format::detect(path)?;
    match format {
        Format::Npy => arrays::npy(path),
        Format::Npz => arrays::npz(path),
        Format::Safetensors => arrays::safetensors(path),
        Format::Csv | Format::Tsv => arrays::delimited(path, format),
        Format::Wav => signals::wav(path),
        Format::Nifti => signals::nifti(path),
        Format::Edf | Format::Bdf => signals::edf(path),
        Format::Fif => fif::fif(path),
        Format::Hdf5 | Format::Nwb => hdf5::inspect(path),
    }
}

impl Summary {
    /// A summary without entries.
    fn of(path: &Path, format: impl Into<String>) -> Result<Self> {
        let (_, bytes) = source::open(path)?;
        Ok(Summary {
            file: source::name_of(path),
            format: format.into(),
            bytes,
            facts: Vec::new(),
            entries: Vec::new(),
            notes: Vec::new(),
        })
    }

    fn fact(&mut self, name: &str, value: impl ToString) {
        let value = value.to_string();
        if !value.is_empty() {
            self.facts.push((name.to_string(), value));
        }
    }

    /// Says where methods will refuse the numbers.
    fn note_holes(&mut self) {
        let statistics = self
            .entries
            .iter()
            .filter_map(|entry| entry.statistics.as_ref());
        let holes: u64 = statistics.map(|found| found.nan + found.infinite).sum();
        if holes > 0 {
            self.notes.push(format!(
                "{holes} value(s) are missing, NaN or infinite: methods refuse arrays that hold any"
            ));
        }
    }
}
