//! Summaries of arrays, tensors and tables.

use std::io::{self, Read};
use std::path::Path;

use chiasm_core::data::conditions_of_condensed;

use super::{Entry, LOOKED_AT, Statistics, Summary};
use crate::array::Array;
use crate::format::Format;
use crate::numpy::{Elements, Header, Npz, check_length};
use crate::safetensors::Tensors;
use crate::{Error, Result, csv, source};

/// Statistics for as many bytes as are left to look at.
struct Budget(u64);

impl Budget {
    /// Looks at the numbers that `header` announces, as far as the budget reaches.
    fn look(
        &mut self,
        reader: &mut dyn Read,
        header: &Header,
        name: &str,
    ) -> Result<Option<Statistics>> {
        let Elements::Numbers(layout) = &header.elements else {
            return Ok(None);
        };
        let bytes = header.data_bytes().unwrap_or(u64::MAX);
        let found = Array::stream_statistics(reader, layout, self.0, (1.0, 0.0))
            .map_err(|error| Error::malformed(name, "data", error.to_string()))?;
        self.0 = self.0.saturating_sub(bytes);
        Ok(found)
    }
}

pub(super) fn npy(path: &Path) -> Result<Summary> {
    let (mut file, length) = source::open(path)?;
    let name = source::name_of(path);
    let header = Header::read(&mut file, &name)?;
    check_length(&header, length, &name)?;
    let mut summary = Summary::of(path, "NumPy array")?;
    let mut entry = Entry::new("", sizes(header.shape()), header.dtype());
    entry.statistics = Budget(LOOKED_AT).look(&mut file, &header, &name)?;
    if let Elements::Numbers(layout) = &header.elements {
        if layout.fortran && layout.shape.len() > 1 {
            summary.fact("order", "Fortran (first axis fastest)");
        }
        summary.notes.extend(uses(&layout.shape));
    }
    summary.entries.push(entry);
    summary.note_holes();
    Ok(summary)
}

pub(super) fn npz(path: &Path) -> Result<Summary> {
    let mut archive = Npz::open(path)?;
    let mut summary = Summary::of(path, "NumPy archive")?;
    let mut budget = Budget(LOOKED_AT);
    for name in archive.names() {
        let entry = archive.with_member(&name, |member, length, what| {
            let header = Header::read(member, what)?;
            check_length(&header, length, what)?;
            let mut entry = Entry::new(name.clone(), sizes(header.shape()), header.dtype());
            let within = length <= budget.0;
            entry.statistics = budget.look(member, &header, what)?;
            if within {
                // Reaching the end makes the archive check its checksum.
                io::copy(member, &mut io::sink())
                    .map_err(|error| Error::malformed(what, "data", error.to_string()))?;
            }
            Ok(entry)
        })?;
        summary.entries.push(entry);
    }
    if summary.entries.is_empty() {
        summary.notes.push("no arrays in it".to_string());
    } else {
        let first = &summary.entries[0].name;
        summary
            .notes
            .push(format!("one array is named as {}:{first}", summary.file));
    }
    summary.note_holes();
    Ok(summary)
}

pub(super) fn safetensors(path: &Path) -> Result<Summary> {
    let mut tensors = Tensors::open(path)?;
    let mut summary = Summary::of(path, "safetensors")?;
    for (key, value) in tensors.metadata() {
        summary.fact(&key, value);
    }
    let (mut budget, mut parameters) = (LOOKED_AT, 0_u64);
    for name in tensors.names() {
        let (dtype, shape) = tensors.shape(&name)?;
        let mut entry = Entry::new(name.clone(), sizes(&shape), dtype);
        parameters = parameters.saturating_add(entry.shape.iter().product());
        if let Ok(layout) = tensors.seek_to(&name) {
            let bytes = layout.sizes().map_or(u64::MAX, |(_, bytes)| bytes);
            entry.statistics =
                Array::stream_statistics(tensors.reader(), &layout, budget, (1.0, 0.0))
                    .map_err(|error| Error::io(path, error))?;
            budget = budget.saturating_sub(bytes);
        }
        summary.entries.push(entry);
    }
    summary.fact("tensors", summary.entries.len());
    summary.fact("numbers", parameters);
    summary.note_holes();
    Ok(summary)
}

pub(super) fn delimited(path: &Path, format: Format) -> Result<Summary> {
    let profile = csv::profile(path, LOOKED_AT)?;
    let mut summary = Summary::of(path, format.to_string())?;
    summary.fact("delimiter", profile.delimiter);
    if profile.decimal_comma {
        summary.fact("decimals", "written with a comma");
    }
    summary.fact("header", if profile.header { "yes" } else { "no" });
    let rows = profile.rows;
    summary.fact(
        "rows",
        if profile.partial {
            format!("more than {rows}")
        } else {
            rows.to_string()
        },
    );
    let numbers = profile
        .columns
        .iter()
        .filter(|column| column.words == 0)
        .count();
    for column in profile.columns {
        let words = column.words > 0;
        let dtype = if words { "words" } else { "numbers" };
        let mut entry = Entry::new(column.name, vec![rows], dtype);
        if words {
            entry.labels = column.labels;
            entry.label_count = entry.labels.len() as u64;
        } else {
            entry.statistics = Some(Statistics {
                partial: profile.partial,
                ..column.numbers
            });
        }
        summary.entries.push(entry);
    }
    let labels = summary.entries.len() - numbers;
    let labelled = labels == 1
        && summary
            .entries
            .first()
            .is_some_and(|entry| entry.dtype == "words");
    if numbers > 0 && (labels == 0 || labelled) {
        let rows = usize::try_from(rows).unwrap_or(usize::MAX);
        summary.notes.extend(uses(&[rows, numbers]));
    }
    summary.note_holes();
    Ok(summary)
}

/// What an array of this shape can be to `chiasm compare`.
fn uses(shape: &[usize]) -> Option<String> {
    match *shape {
        [entries] => conditions_of_condensed(entries)
            .filter(|&conditions| conditions >= 3)
            .map(|conditions| {
                format!("for `chiasm compare`: a condensed RDM of {conditions} conditions")
            }),
        [rows, columns] if rows == columns && rows >= 3 => Some(format!(
            "for `chiasm compare`: {rows} conditions x {columns} channels, or a square RDM where it \
             is symmetric with a zero diagonal"
        )),
        [rows, columns] if rows >= 3 && columns >= 1 => Some(format!(
            "for `chiasm compare`: {rows} conditions x {columns} channels"
        )),
        _ => None,
    }
}

fn sizes(shape: &[usize]) -> Vec<u64> {
    shape.iter().map(|&size| size as u64).collect()
}
