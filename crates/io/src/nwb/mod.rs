//! Neurodata Without Borders 2.x files: units, trials and other tables, and series of samples.
//!
//! [`open`] reads what is in the file; arrays are read when they are asked for. All times are seconds
//! from the session's reference time.

mod check;
mod series;
mod table;
mod units;

use std::path::Path;

use chiasm_core::data::{Recording, SpikeTrains, Table};

pub use series::SeriesInfo;
pub use table::{DynamicTable, RaggedColumn};
pub use units::Units;

use crate::hdf5::{self, Attribute};
use crate::inspect::Summary;
use crate::{Error, Result};
use series::Unusable;
use table::Extent;

const UNITS: &str = "/units";
const INTERVALS: &str = "/intervals";

/// An open NWB file.
#[derive(Debug)]
pub struct Nwb {
    file: hdf5::File,
    series: Vec<SeriesInfo>,
    unusable: Vec<Unusable>,
}

/// Opens a file and reads what is in it, not the arrays.
pub fn open(path: &Path) -> Result<Nwb> {
    Nwb::new(hdf5::open(path)?)
}

/// The same for bytes in memory; `name` is for messages.
pub fn parse(bytes: Vec<u8>, name: &str) -> Result<Nwb> {
    Nwb::new(hdf5::parse(bytes, name)?)
}

/// Whether an HDF5 file says that it is an NWB file.
pub fn is_nwb(file: &hdf5::File) -> bool {
    file.attribute("/", "nwb_version").is_some()
}

impl Nwb {
    pub(crate) fn new(file: hdf5::File) -> Result<Self> {
        let version = file.attribute("/", "nwb_version").and_then(Attribute::word);
        match version {
            None => {
                let reason = "an HDF5 file, but not NWB: the root has no such attribute";
                return Err(Error::unsupported(file.name(), "nwb_version", reason));
            }
            Some(version) if !version.trim_start_matches("NWB-").starts_with('2') => {
                let reason = format!("version {version}; 2.x is read");
                return Err(Error::unsupported(file.name(), "nwb_version", reason));
            }
            Some(_) => {}
        }
        let (series, unusable) = series::find(&file);
        Ok(Nwb {
            file,
            series,
            unusable,
        })
    }

    /// The HDF5 file beneath.
    pub fn file(&self) -> &hdf5::File {
        &self.file
    }

    /// Whether there are units with spike times.
    pub fn has_units(&self) -> bool {
        self.file.object("/units/spike_times").is_some()
    }

    /// The units: spike trains, when each was observed, and what else the table says of them.
    pub fn unit_table(&self) -> Result<Units> {
        units::read(&self.file)
    }

    /// The units' spike trains, observed where all units were.
    pub fn units(&self) -> Result<SpikeTrains> {
        Ok(self.unit_table()?.spikes)
    }

    /// The names of the tables of intervals, e.g. `trials` and `epochs`.
    pub fn interval_tables(&self) -> Vec<String> {
        let names = self.file.children(INTERVALS).into_iter();
        names
            .filter(|name| table::is_table(&self.file, &format!("{INTERVALS}/{name}")))
            .collect()
    }

    /// A table of intervals, whose `start_time` and `stop_time` are checked, ragged columns included.
    pub fn intervals(&self, name: &str) -> Result<DynamicTable> {
        let path = format!("{INTERVALS}/{name}");
        if self.file.object(&path).is_none() {
            return Err(Error::NotFound {
                file: self.file.name().to_string(),
                what: "table of intervals",
                name: name.to_string(),
                available: self.interval_tables(),
            });
        }
        let table = DynamicTable::read(&self.file, &path, Extent::Useful)?;
        table.check_intervals(self.file.name(), &path)?;
        Ok(table)
    }

    /// The columns of the table of trials that hold one value a trial.
    pub fn trials(&self) -> Result<Table> {
        Ok(self.intervals("trials")?.columns)
    }

    /// The columns of the table of epochs that hold one value an epoch.
    pub fn epochs(&self) -> Result<Table> {
        Ok(self.intervals("epochs")?.columns)
    }

    /// Any table of the file by its path, e.g. `/general/extracellular_ephys/electrodes`.
    pub fn table(&self, path: &str) -> Result<DynamicTable> {
        DynamicTable::read(&self.file, path, Extent::Useful)
    }

    /// The series of samples in the file.
    pub fn series(&self) -> &[SeriesInfo] {
        &self.series
    }

    /// A series by its path, or by its name or the end of its path where that is clear.
    pub fn time_series(&self, name: &str) -> Result<Recording> {
        self.time_series_samples(name, 0, u64::MAX)
    }

    /// `count` samples of a series from sample `start`; fewer where there are fewer.
    pub fn time_series_samples(&self, name: &str, start: u64, count: u64) -> Result<Recording> {
        series::read(&self.file, self.find(name)?, start, count)
    }

    /// The series of fluorescence and its changes (time x regions of interest), channels named after
    /// the regions.
    pub fn fluorescence(&self) -> Result<Vec<Recording>> {
        const KIND: &str = "RoiResponseSeries";
        if let Some(unusable) = self.unusable.iter().find(|series| series.kind == KIND) {
            return Err(self.refuse(unusable));
        }
        let regions = self.series.iter().filter(|series| series.kind == KIND);
        regions
            .map(|series| series::read(&self.file, series, 0, u64::MAX))
            .collect()
    }

    fn refuse(&self, series: &Unusable) -> Error {
        Error::malformed(
            self.file.name(),
            series.path.as_str(),
            series.reason.as_str(),
        )
    }

    fn find(&self, name: &str) -> Result<&SeriesInfo> {
        let end = format!("/{}", name.trim_start_matches('/'));
        if let Some(exact) = self.series.iter().find(|series| series.path == end) {
            return Ok(exact);
        }
        let fits: Vec<&SeriesInfo> = self
            .series
            .iter()
            .filter(|series| series.path.ends_with(&end))
            .collect();
        let unusable = self
            .unusable
            .iter()
            .find(|series| series.path == end || fits.is_empty() && series.path.ends_with(&end));
        if let Some(unusable) = unusable {
            return Err(self.refuse(unusable));
        }
        match fits[..] {
            [only] => Ok(only),
            [] => Err(Error::NotFound {
                file: self.file.name().to_string(),
                what: "series",
                name: name.to_string(),
                available: self
                    .series
                    .iter()
                    .map(|series| series.path.clone())
                    .collect(),
            }),
            _ => {
                let paths: Vec<&str> = fits.iter().map(|series| series.path.as_str()).collect();
                let reason = format!("may be any of {}: give the path", paths.join(", "));
                Err(Error::unsupported(self.file.name(), name, reason))
            }
        }
    }

    /// Adds what the file can be used for to its summary.
    pub(crate) fn describe(&self, summary: &mut Summary) {
        let version = self
            .file
            .attribute("/", "nwb_version")
            .and_then(Attribute::word);
        summary.format = format!("NWB {}", version.unwrap_or_default());
        for name in ["identifier", "session_description", "session_start_time"] {
            if let Ok(words) = self.file.read_words(name)
                && let Some(word) = words.first()
            {
                summary.facts.push((name.to_string(), word.clone()));
            }
        }
        let mut notes = check::problems(self);
        if self.has_units()
            && let Ok(index) = self.file.dataset("/units/spike_times_index")
        {
            let units = index.elements().unwrap_or(0);
            notes.push(format!("spike times of {units} units"));
        }
        for name in self.interval_tables() {
            let rows = self.file.dataset(&format!("{INTERVALS}/{name}/id")).ok();
            let rows = rows.and_then(hdf5::Dataset::elements).unwrap_or(0);
            notes.push(format!("{name}: {rows} intervals"));
        }
        for series in &self.series {
            let rate = match series.rate {
                Some(rate) => format!("{rate} samples per second"),
                None => "its own timestamps".to_string(),
            };
            notes.push(format!(
                "{} ({}): shape {:?}, {rate}",
                series.path, series.kind, series.shape
            ));
        }
        summary.notes.splice(0..0, notes);
    }
}
