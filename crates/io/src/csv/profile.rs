//! What is in the columns of a delimited text file, in one pass and constant memory.

use std::path::Path;

use super::dialect::Dialect;
use super::{Options, Rows, header_names, number};
use crate::inspect::{LABELS_SHOWN, Statistics};
use crate::{Result, source};

/// What was found.
pub(crate) struct Profile {
    /// What stands between cells, in words.
    pub(crate) delimiter: &'static str,
    pub(crate) header: bool,
    pub(crate) decimal_comma: bool,
    pub(crate) rows: u64,
    pub(crate) columns: Vec<ColumnProfile>,
    /// Whether only the beginning was looked at.
    pub(crate) partial: bool,
}

/// What was found in a column.
#[derive(Default)]
pub(crate) struct ColumnProfile {
    pub(crate) name: String,
    pub(crate) numbers: Statistics,
    /// How many cells are words.
    pub(crate) words: u64,
    /// The first distinct words.
    pub(crate) labels: Vec<String>,
}

/// Looks at the first `most` bytes of a file.
pub(crate) fn profile(path: &Path, most: u64) -> Result<Profile> {
    let (mut file, _) = source::open(path)?;
    let name = source::name_of(path);
    let dialect = Dialect::find(&mut file, &name, &Options::default())?;
    let mut rows = Rows::new(file, &name, &dialect)?;
    let names = header_names(&mut rows, &dialect)?.unwrap_or_default();
    let mut columns: Vec<ColumnProfile> = names
        .into_iter()
        .map(|name| ColumnProfile {
            name,
            ..ColumnProfile::default()
        })
        .collect();
    let (mut count, mut partial) = (0, false);
    while rows.next()?.is_some() {
        if columns.is_empty() {
            columns.resize_with(rows.record.len(), ColumnProfile::default);
        }
        for (index, (cell, column)) in rows.record.iter().zip(&mut columns).enumerate() {
            let text = std::str::from_utf8(cell)
                .map_err(|_| rows.not_text(index))?
                .trim();
            match number(text, dialect.decimal_comma) {
                Some(value) => column.numbers.extend([value]),
                None => {
                    column.words += 1;
                    if column.labels.len() < LABELS_SHOWN
                        && !column.labels.iter().any(|label| label == text)
                    {
                        column.labels.push(text.to_string());
                    }
                }
            }
        }
        count += 1;
        if rows.reader.position().byte() > most {
            partial = true;
            break;
        }
    }
    for (index, column) in columns.iter_mut().enumerate() {
        if column.name.is_empty() {
            column.name = format!("column {}", index + 1);
        }
    }
    let delimiter = match dialect.delimiter {
        b',' => "comma",
        b'\t' => "tab",
        b';' => "semicolon",
        _ => "blank",
    };
    Ok(Profile {
        delimiter,
        header: dialect.header,
        decimal_comma: dialect.decimal_comma,
        rows: count,
        columns,
        partial,
    })
}
