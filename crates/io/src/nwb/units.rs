//! The units table: spike times, when they were observed, and what is known of each unit.

use chiasm_core::data::{Column, Intervals, SpikeTrains, Table};

use super::UNITS;
use super::table::{DynamicTable, Extent, RaggedColumn};
use crate::hdf5::File;
use crate::{Error, Result};

const SPIKE_TIMES: &str = "spike_times";
const OBSERVED: &str = "obs_intervals";
/// Columns that name units, the first that is there and distinct.
const NAMES: [&str; 4] = ["unit_name", "name", "neuron_name", "label"];

/// The units of an NWB file.
#[derive(Clone, Debug, PartialEq)]
pub struct Units {
    /// Spike times in seconds. Units are named after a column of names where there is one, else after
    /// their `id`. `observed` is the time in which all units were observed.
    pub spikes: SpikeTrains,
    /// When each unit was observed, where the file says so: outside, a unit is not silent but unknown.
    pub observed: Option<Vec<Intervals>>,
    /// The other columns with one value a unit, e.g. `quality`.
    pub columns: Table,
    /// The other columns with a list in each row, e.g. `electrodes`.
    pub ragged: Vec<(String, RaggedColumn)>,
    /// The columns that are not read, with the reason.
    pub skipped: Vec<(String, String)>,
}

pub(super) fn read(file: &File) -> Result<Units> {
    if file.object(UNITS).is_none() {
        return Err(Error::NotFound {
            file: file.name().to_string(),
            what: "group",
            name: UNITS.to_string(),
            available: file.children("/"),
        });
    }
    from_table(file, DynamicTable::read(file, UNITS, Extent::Useful)?)
}

/// What keeps the units from being read, as far as a look in bounded time can tell.
pub(super) fn check(file: &File) -> Result<()> {
    let table = DynamicTable::read(file, UNITS, Extent::Check)?;
    let too_many = |name: &str| table.skipped.iter().any(|(skipped, _)| skipped == name);
    if !too_many(SPIKE_TIMES) && !too_many(OBSERVED) {
        from_table(file, table)?;
    }
    Ok(())
}

fn from_table(file: &File, table: DynamicTable) -> Result<Units> {
    let missing = |path: String, reason: &str| Error::malformed(file.name(), path, reason);
    let DynamicTable {
        columns,
        mut ragged,
        skipped,
        ids,
    } = table;
    let mut take = |name: &str| {
        let at = ragged.iter().position(|(own, _)| own == name)?;
        Some(ragged.remove(at).1)
    };
    let path = format!("{UNITS}/{SPIKE_TIMES}");
    let Some(spikes) = take(SPIKE_TIMES) else {
        let reason = "the units have no spike times, or no index that says whose they are";
        return Err(missing(path, reason));
    };
    let observed = match take(OBSERVED) {
        Some(observed) => Some(read_observed(file, &observed)?),
        None => None,
    };
    let mut trains = Vec::with_capacity(spikes.rows());
    for unit in 0..spikes.rows() {
        let items = spikes.lists(unit);
        match items[..] {
            [ref items] if spikes.width == 1 => match spikes.numbers(items.clone()) {
                Some(times) => trains.push(times.to_vec()),
                None => return Err(missing(path, "not numbers")),
            },
            _ => return Err(missing(path, "not one list of times a unit")),
        }
    }
    let mut spikes = SpikeTrains::new(file.name(), names(&columns, &ids), trains, None)?;
    if let Some([first, rest @ ..]) = observed.as_deref() {
        spikes.observed = rest
            .iter()
            .fold(first.clone(), |both, next| both.intersect(next));
        if spikes.observed.bounds().is_empty() {
            return Err(missing(
                format!("{UNITS}/{OBSERVED}"),
                "there is no time in which all units were observed",
            ));
        }
    }
    Ok(Units {
        spikes,
        observed,
        columns,
        ragged,
        skipped,
    })
}

fn read_observed(file: &File, column: &RaggedColumn) -> Result<Vec<Intervals>> {
    let damaged = |unit: usize, reason: &str| {
        let reason = format!("unit {unit}: {reason}");
        Error::malformed(file.name(), format!("{UNITS}/{OBSERVED}"), reason)
    };
    let mut observed = Vec::with_capacity(column.rows());
    for unit in 0..column.rows() {
        let mut bounds = Vec::new();
        for items in column.lists(unit) {
            match column.numbers(items) {
                Some(numbers) if column.width == 2 => {
                    bounds.extend(numbers.chunks_exact(2).map(|pair| (pair[0], pair[1])));
                }
                _ => return Err(damaged(unit, "not pairs of start and stop")),
            }
        }
        let intervals = Intervals::new(bounds);
        observed.push(intervals.map_err(|error| damaged(unit, &error.to_string()))?);
    }
    Ok(observed)
}

fn names(columns: &Table, ids: &[i64]) -> Vec<String> {
    let distinct = |words: &[String]| {
        let mut seen = std::collections::HashSet::new();
        words
            .iter()
            .all(|word| !word.is_empty() && seen.insert(word))
    };
    for name in NAMES {
        if let Some(Column::Words(words)) = columns.column(name)
            && distinct(words)
        {
            return words.clone();
        }
    }
    ids.iter().map(i64::to_string).collect()
}
