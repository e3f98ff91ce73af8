//! Dynamic tables: named columns, some of them ragged.

use std::ops::Range;

use chiasm_core::data::{Column, Table};

use crate::hdf5::{Attribute, ElementType, File};
use crate::{Error, Result};

/// Columns that are read whatever their size; others may be so large, waveforms above all, that they
/// are better read as arrays where they are wanted.
const ALWAYS_READ: [&str; 4] = ["spike_times", "obs_intervals", "start_time", "stop_time"];
const MOST_VALUES: u64 = 1 << 24;
/// The widest array column that is taken apart into plain columns.
const WIDEST: u64 = 64;

/// A table of an NWB file.
#[derive(Clone, Debug, PartialEq)]
pub struct DynamicTable {
    /// The columns with one value a row. A column with a few numbers a row becomes several,
    /// `name[0]`, `name[1]`, ….
    pub columns: Table,
    /// The columns with a list, or a list of lists, in each row.
    pub ragged: Vec<(String, RaggedColumn)>,
    /// The columns that are not read, with the reason.
    pub skipped: Vec<(String, String)>,
    /// The number of each row, from the column `id`.
    pub ids: Vec<i64>,
}

/// A column with a list in each row (one level of index), or a list of lists (two levels).
#[derive(Clone, Debug, PartialEq)]
pub struct RaggedColumn {
    /// All values, one after the other; [`RaggedColumn::width`] of them make an item.
    pub values: Column,
    /// How many values make one item, e.g. 2 for intervals.
    pub width: usize,
    /// Where each list ends, in items.
    inner: Vec<usize>,
    /// Where each row ends, in lists, where there are two levels.
    outer: Option<Vec<usize>>,
}

impl RaggedColumn {
    /// The number of rows.
    pub fn rows(&self) -> usize {
        self.outer.as_ref().unwrap_or(&self.inner).len()
    }

    /// The lists of a row as ranges of items: one where there is one level of index, any number where
    /// there are two.
    pub fn lists(&self, row: usize) -> Vec<Range<usize>> {
        let one = |ends: &[usize], index: usize| {
            let end = *ends.get(index)?;
            Some(index.checked_sub(1).map_or(0, |before| ends[before])..end)
        };
        match &self.outer {
            None => one(&self.inner, row).into_iter().collect(),
            Some(outer) => one(outer, row)
                .unwrap_or_default()
                .filter_map(|list| one(&self.inner, list))
                .collect(),
        }
    }

    /// The numbers of an item or of several, where the values are numbers.
    pub fn numbers(&self, items: Range<usize>) -> Option<&[f64]> {
        match &self.values {
            Column::Numbers(values) => values.get(items.start * self.width..items.end * self.width),
            Column::Words(_) => None,
        }
    }

    /// The words of several items, where the values are words.
    pub fn words(&self, items: Range<usize>) -> Option<&[String]> {
        match &self.values {
            Column::Words(values) => values.get(items.start * self.width..items.end * self.width),
            Column::Numbers(_) => None,
        }
    }
}

/// Whether the group at `path` is a table.
pub(super) fn is_table(file: &File, path: &str) -> bool {
    file.attribute(path, "colnames").is_some() && file.object(&format!("{path}/id")).is_some()
}

/// How much of a table is read.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Extent {
    /// What is of use as a table.
    Useful,
    /// Enough to find what is inconsistent in bounded time: small columns, and the index of large ones.
    Check,
}

/// The most values of a column that are read for a check.
const MOST_CHECKED: u64 = 1 << 18;

impl DynamicTable {
    pub(super) fn read(file: &File, path: &str, extent: Extent) -> Result<Self> {
        let ids: Vec<i64> = file.read_rows(&format!("{path}/id"), 0, u64::MAX)?;
        let names = match file.attribute(path, "colnames") {
            Some(Attribute::Words(names)) => names.clone(),
            // A table without columns has an empty list of no type.
            Some(_) => Vec::new(),
            None => {
                let reason = "not a table: no list of columns (colnames)";
                return Err(Error::unsupported(file.name(), path, reason));
            }
        };
        let mut table = DynamicTable {
            columns: Table::default(),
            ragged: Vec::new(),
            skipped: Vec::new(),
            ids,
        };
        let mut columns = Vec::new();
        for name in names {
            table.column(file, path, name, extent, &mut columns)?;
        }
        table.columns = Table::new(columns)?;
        Ok(table)
    }

    fn column(
        &mut self,
        file: &File,
        path: &str,
        name: String,
        extent: Extent,
        columns: &mut Vec<(String, Column)>,
    ) -> Result<()> {
        let rows = self.ids.len();
        let column = format!("{path}/{name}");
        let dataset = file.dataset(&column)?;
        let items = dataset.shape.first().copied().unwrap_or(1);
        let width = dataset
            .shape
            .iter()
            .skip(1)
            .fold(1_u64, |all, &size| all.saturating_mul(size));
        let index = format!("{column}_index");
        let is_ragged = file.object(&index).is_some();
        if dataset.element.number().is_none() && !dataset.element.is_words() {
            self.skipped
                .push((name, format!("holds {}", dataset.element)));
            return Ok(());
        }
        if !is_ragged && items != rows as u64 {
            return Err(Error::malformed(
                file.name(),
                column,
                format!("has {items} rows, but the table has {rows}"),
            ));
        }
        if !is_ragged && width > WIDEST {
            self.skipped
                .push((name, format!("holds {width} values a row")));
            return Ok(());
        }
        let most = match extent {
            Extent::Useful if ALWAYS_READ.contains(&name.as_str()) => u64::MAX,
            Extent::Useful => MOST_VALUES,
            Extent::Check => MOST_CHECKED,
        };
        if items.saturating_mul(width) > most {
            if is_ragged && extent == Extent::Check {
                let items = usize::try_from(items).unwrap_or(usize::MAX);
                read_levels(file, &index, items, rows)?;
            }
            self.skipped.push((
                name,
                format!("holds {} values", items.saturating_mul(width)),
            ));
            return Ok(());
        }
        let values = read_values(file, &column)?;
        let width = usize::try_from(width).unwrap_or(usize::MAX).max(1);
        if is_ragged {
            let items = usize::try_from(items).unwrap_or(usize::MAX);
            let (inner, outer) = read_levels(file, &index, items, rows)?;
            self.ragged.push((
                name,
                RaggedColumn {
                    values,
                    width,
                    inner,
                    outer,
                },
            ));
        } else if dataset.shape.len() == 1 {
            columns.push((name, values));
        } else {
            for part in 0..width {
                let every = |index: usize| index * width + part;
                let values = match &values {
                    Column::Numbers(all) => {
                        Column::Numbers((0..rows).map(|row| all[every(row)]).collect())
                    }
                    Column::Words(all) => {
                        Column::Words((0..rows).map(|row| all[every(row)].clone()).collect())
                    }
                };
                columns.push((format!("{name}[{part}]"), values));
            }
        }
        Ok(())
    }

    /// A ragged column by name.
    pub fn ragged(&self, name: &str) -> Option<&RaggedColumn> {
        self.ragged
            .iter()
            .find(|(own, _)| own == name)
            .map(|(_, column)| column)
    }

    pub(super) fn check_intervals(&self, file: &str, path: &str) -> Result<()> {
        let numbers = |name: &str| match self.columns.column(name) {
            Some(Column::Numbers(values)) => Ok(values),
            _ => Err(Error::malformed(
                file,
                format!("{path}/{name}"),
                "missing, or not numbers",
            )),
        };
        let (starts, stops) = (numbers("start_time")?, numbers("stop_time")?);
        for (row, (start, stop)) in starts.iter().zip(stops).enumerate() {
            // A NaN means that a time is not known, which is for the user of the table to weigh.
            if stop < start {
                let reason = format!("row {row} stops at {stop} s, before its start at {start} s");
                return Err(Error::malformed(file, format!("{path}/stop_time"), reason));
            }
        }
        Ok(())
    }
}

fn read_values(file: &File, path: &str) -> Result<Column> {
    if file.dataset(path)?.element.is_words() {
        return Ok(Column::Words(file.read_words(path)?));
    }
    Ok(Column::Numbers(file.read_rows(path, 0, u64::MAX)?))
}

type Levels = (Vec<usize>, Option<Vec<usize>>);

/// One or two levels of index over `items` items of a column, for `rows` rows.
fn read_levels(file: &File, index: &str, items: usize, rows: usize) -> Result<Levels> {
    let second = format!("{index}_index");
    if file.object(&second).is_none() {
        return Ok((read_index(file, index, items, Some(rows))?, None));
    }
    let inner = read_index(file, index, items, None)?;
    let outer = read_index(file, &second, inner.len(), Some(rows))?;
    Ok((inner, Some(outer)))
}

/// A column of cumulative ends: they go up, and the last one is the number of items.
pub(super) fn read_index(
    file: &File,
    path: &str,
    items: usize,
    rows: Option<usize>,
) -> Result<Vec<usize>> {
    let damaged = |reason: String| Error::malformed(file.name(), path, reason);
    let dataset = file.dataset(path)?;
    if !matches!(dataset.element, ElementType::Number(_)) || dataset.shape.len() != 1 {
        return Err(damaged(format!(
            "not a list of ends: {} {:?}",
            dataset.element, dataset.shape
        )));
    }
    let ends: Vec<u64> = file.read_rows(path, 0, u64::MAX)?;
    if let Some(rows) = rows.filter(|&rows| rows != ends.len()) {
        return Err(damaged(format!(
            "has {} rows, but the table has {rows}",
            ends.len()
        )));
    }
    if let Some(row) = (1..ends.len()).find(|&row| ends[row] < ends[row - 1]) {
        return Err(damaged(format!(
            "goes down at row {row}, from {} to {}: ends are cumulative",
            ends[row - 1],
            ends[row]
        )));
    }
    let last = ends.last().copied().unwrap_or(0);
    if last > items as u64 {
        return Err(damaged(format!(
            "points to value {last}, but there are {items}"
        )));
    }
    if last < items as u64 {
        return Err(damaged(format!(
            "ends at value {last}, but there are {items}"
        )));
    }
    // None is larger than `items`, which is a `usize`.
    Ok(ends
        .into_iter()
        .filter_map(|end| usize::try_from(end).ok())
        .collect())
}
