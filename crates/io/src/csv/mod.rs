//! Delimited text: `.csv`, `.tsv` and their relatives, as tables or as matrices of numbers.
//!
//! Text is UTF-8, with or without a byte-order mark; cells may be quoted with `"`; lines end in any
//! of the usual ways. Decimals have a point, or a comma where semicolons stand between cells. A row with more or fewer cells than the first is an error that names its line.

mod dialect;
mod profile;

use std::cell::Cell;
use std::io::{self, Cursor, Read, Seek, SeekFrom};
use std::path::Path;
use std::rc::Rc;

use ::csv::{ByteRecord, ReaderBuilder};
use chiasm_core::data::{Column, Table};
use ndarray::Array2;

use crate::matrix::LabelledMatrix;
use crate::{Error, Result, source};
use dialect::Dialect;

pub(crate) use profile::profile;

/// No honest row is longer; a quote that never closes is.
const LONGEST_ROW: u64 = 4 << 20;
/// Wider matrices belong into a binary format.
const MOST_COLUMNS: usize = 1 << 18;

/// What is taken for granted about a file; anything left out is found by looking at it.
#[derive(Clone, Copy, Debug, Default)]
pub struct Options {
    /// The byte between cells. Left out, the one of comma, tab, semicolon and space that the first
    /// lines agree on.
    pub delimiter: Option<u8>,
    /// Whether the first row holds names. Left out, it does where none of its cells is a number and
    /// one is a word, or where it is the row of column numbers that pandas writes.
    pub header: Option<bool>,
}

/// Reads a file as a table of number and word columns.
///
/// A column in which every cell is a number or missing (empty, `NA`, `NaN`, `null`) holds numbers,
/// with NaN for what is missing; any other holds words. Columns without a name are called
/// `column 1` and so on.
pub fn read_table(path: &Path, options: &Options) -> Result<Table> {
    let (file, _) = source::open(path)?;
    table(file, &source::name_of(path), options)
}

/// Reads bytes as a table; `name` stands for the file in errors.
pub fn parse(bytes: &[u8], name: &str) -> Result<Table> {
    table(Cursor::new(bytes), name, &Options::default())
}

/// Reads a file as a matrix of finite numbers, with its column names and, where the first column
/// holds words or pandas' index, its row names.
///
/// Empty and other missing cells are errors that name the line and the column.
pub fn read_matrix(path: &Path, options: &Options) -> Result<LabelledMatrix> {
    let (file, _) = source::open(path)?;
    matrix(file, &source::name_of(path), options)
}

/// Reads bytes as a matrix; `name` stands for the file in errors.
pub fn parse_matrix(bytes: &[u8], name: &str, options: &Options) -> Result<LabelledMatrix> {
    matrix(Cursor::new(bytes), name, options)
}

/// A pass over the rows of a file.
struct Rows<'a, R> {
    reader: ::csv::Reader<Guard<R>>,
    budget: Rc<Cell<u64>>,
    record: ByteRecord,
    name: &'a str,
    /// Cells a row must have, and the line that said so.
    expected: Option<(usize, u64)>,
    line: u64,
}

/// Fails once a single row has taken more than its budget.
struct Guard<R> {
    inner: R,
    budget: Rc<Cell<u64>>,
}

impl<R: Read> Read for Guard<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        match self.budget.get().checked_sub(read as u64) {
            Some(left) => self.budget.set(left),
            None => return Err(io::ErrorKind::FileTooLarge.into()),
        }
        Ok(read)
    }
}

impl<'a, R: Read + Seek> Rows<'a, R> {
    fn new(mut source: R, name: &'a str, dialect: &Dialect) -> Result<Self> {
        source
            .seek(SeekFrom::Start(dialect.begin))
            .map_err(|error| Error::io(Path::new(name), error))?;
        let budget = Rc::new(Cell::new(LONGEST_ROW));
        let reader = ReaderBuilder::new()
            .delimiter(dialect.delimiter)
            .has_headers(false)
            .flexible(true)
            .from_reader(Guard {
                inner: source,
                budget: Rc::clone(&budget),
            });
        Ok(Rows {
            reader,
            budget,
            record: ByteRecord::new(),
            name,
            expected: None,
            line: 0,
        })
    }

    /// The next row, checked for its number of cells.
    fn next(&mut self) -> Result<Option<&ByteRecord>> {
        self.budget.set(LONGEST_ROW);
        let line = self.reader.position().line();
        let more = self
            .reader
            .read_byte_record(&mut self.record)
            .map_err(|error| match error.into_kind() {
                ::csv::ErrorKind::Io(source) if source.kind() == io::ErrorKind::FileTooLarge => {
                    Error::malformed(
                        self.name,
                        format!("line {line}"),
                        "a row of more than 4 MiB: is a quote left open?",
                    )
                }
                ::csv::ErrorKind::Io(source) => Error::io(Path::new(self.name), source),
                other => Error::malformed(self.name, format!("line {line}"), format!("{other:?}")),
            })?;
        if !more {
            return Ok(None);
        }
        self.line = self.record.position().map_or(0, ::csv::Position::line);
        let found = self.record.len();
        if found > MOST_COLUMNS {
            let reason = format!("{found} cells; at most {MOST_COLUMNS} columns are read");
            return Err(Error::unsupported(
                self.name,
                format!("line {}", self.line),
                reason,
            ));
        }
        let (expected, first) = *self.expected.get_or_insert((found, self.line));
        if found != expected {
            return Err(Error::malformed(
                self.name,
                format!("line {}", self.line),
                format!("{found} cells, expected {expected} as in line {first}"),
            ));
        }
        Ok(Some(&self.record))
    }

    /// Where a cell of the current row stands.
    fn place(&self, column: usize) -> String {
        format!("line {}, column {}", self.line, column + 1)
    }

    fn not_text(&self, column: usize) -> Error {
        Error::malformed(
            self.name,
            self.place(column),
            "not UTF-8 text; save the file as UTF-8",
        )
    }
}

/// A column while it is being read.
enum Building {
    Numbers(Vec<f64>),
    Words(Vec<String>),
    /// Numbers at first, words later: its words are gathered in a second pass.
    Undone,
}

fn table<R: Read + Seek>(mut source: R, name: &str, options: &Options) -> Result<Table> {
    let dialect = Dialect::find(&mut source, name, options)?;
    let mut rows = Rows::new(&mut source, name, &dialect)?;
    let names = header_names(&mut rows, &dialect)?;
    let mut columns: Vec<Building> = Vec::new();
    while rows.next()?.is_some() {
        if columns.is_empty() {
            columns = rows
                .record
                .iter()
                .map(|_| Building::Numbers(Vec::new()))
                .collect();
        }
        for (index, (cell, column)) in rows.record.iter().zip(&mut columns).enumerate() {
            let text = std::str::from_utf8(cell)
                .map_err(|_| rows.not_text(index))?
                .trim();
            match column {
                Building::Numbers(values) => match number(text, dialect.decimal_comma) {
                    Some(value) => values.push(value),
                    None if values.is_empty() => *column = Building::Words(vec![text.to_string()]),
                    None => *column = Building::Undone,
                },
                Building::Words(words) => words.push(text.to_string()),
                Building::Undone => {}
            }
        }
    }
    drop(rows);
    if columns
        .iter()
        .any(|column| matches!(column, Building::Undone))
    {
        gather_words(&mut source, name, &dialect, &mut columns)?;
    }
    let names = names.unwrap_or_default();
    let count = columns.len().max(names.len());
    let mut columns = columns.into_iter();
    let mut named: Vec<(String, Column)> = Vec::with_capacity(count);
    let mut seen = std::collections::HashSet::new();
    for index in 0..count {
        let title = match names.get(index) {
            Some(title) if !title.is_empty() => title.clone(),
            _ => format!("column {}", index + 1),
        };
        if !seen.insert(title.clone()) {
            return Err(Error::malformed(
                name,
                "header",
                format!("two columns called {title:?}"),
            ));
        }
        let column = match columns.next() {
            Some(Building::Words(words)) => Column::Words(words),
            Some(Building::Numbers(values)) => Column::Numbers(values),
            Some(Building::Undone) | None => Column::Numbers(Vec::new()),
        };
        named.push((title, column));
    }
    Ok(Table::new(named)?)
}

/// Second pass: the words of the columns that began with numbers.
fn gather_words<R: Read + Seek>(
    source: &mut R,
    name: &str,
    dialect: &Dialect,
    columns: &mut [Building],
) -> Result<()> {
    let undone: Vec<usize> = (0..columns.len())
        .filter(|&index| matches!(columns[index], Building::Undone))
        .collect();
    let mut gathered: Vec<Vec<String>> = vec![Vec::new(); undone.len()];
    let mut rows = Rows::new(source, name, dialect)?;
    header_names(&mut rows, dialect)?;
    while rows.next()?.is_some() {
        for (words, &index) in gathered.iter_mut().zip(&undone) {
            let cell = rows.record.get(index).unwrap_or_default();
            let text = std::str::from_utf8(cell).map_err(|_| rows.not_text(index))?;
            words.push(text.trim().to_string());
        }
    }
    for (words, index) in gathered.into_iter().zip(undone) {
        columns[index] = Building::Words(words);
    }
    Ok(())
}

/// Takes the header off the rows, where there is one.
fn header_names<R: Read + Seek>(
    rows: &mut Rows<'_, R>,
    dialect: &Dialect,
) -> Result<Option<Vec<String>>> {
    if !dialect.header || rows.next()?.is_none() {
        return Ok(None);
    }
    let mut names = Vec::with_capacity(rows.record.len());
    for (index, cell) in rows.record.iter().enumerate() {
        let text = std::str::from_utf8(cell)
            .map_err(|_| rows.not_text(index))?
            .trim();
        // numpy.savetxt marks its header as a comment.
        let text = if index == 0 {
            text.trim_start_matches("# ")
        } else {
            text
        };
        names.push(text.to_string());
    }
    Ok(Some(names))
}

fn matrix<R: Read + Seek>(mut source: R, name: &str, options: &Options) -> Result<LabelledMatrix> {
    let dialect = Dialect::find(&mut source, name, options)?;
    let mut rows = Rows::new(&mut source, name, &dialect)?;
    let mut column_labels = header_names(&mut rows, &dialect)?;
    let mut labelled = column_labels
        .as_ref()
        .is_some_and(|names| names.len() > 1 && names.first().is_some_and(String::is_empty));
    let (mut values, mut labels, mut count) = (Vec::new(), Vec::new(), 0);
    let (mut missing, mut first_missing) = (0, None);
    while rows.next()?.is_some() {
        for (index, cell) in rows.record.iter().enumerate() {
            let text = std::str::from_utf8(cell)
                .map_err(|_| rows.not_text(index))?
                .trim();
            let value = number(text, dialect.decimal_comma);
            if index == 0 && count == 0 && rows.record.len() > 1 {
                labelled |= value.is_none() && !wrong_decimal(text);
            }
            if index == 0 && labelled {
                labels.push(text.to_string());
                continue;
            }
            let Some(value) = value else {
                return Err(not_a_number(&rows, index, text, dialect.decimal_comma));
            };
            if !value.is_finite() {
                missing += 1;
                first_missing.get_or_insert_with(|| rows.place(index));
            }
            values.push(value);
        }
        count += 1;
    }
    if let Some(first) = first_missing {
        let what = name.to_string();
        return Err(chiasm_core::Error::NotFinite {
            what,
            count: missing,
            first,
        }
        .into());
    }
    let cells = rows.expected.map_or(0, |(cells, _)| cells);
    let width = cells.saturating_sub(usize::from(labelled));
    if let Some(names) = column_labels
        .as_mut()
        .filter(|names| labelled && !names.is_empty())
    {
        names.remove(0);
    }
    let values = Array2::from_shape_vec((count, width), values)
        .map_err(|error| Error::malformed(name, "rows", error.to_string()))?;
    Ok(LabelledMatrix {
        values,
        row_labels: labelled.then_some(labels),
        column_labels,
    })
}

fn not_a_number<R: Read + Seek>(
    rows: &Rows<'_, R>,
    column: usize,
    text: &str,
    decimal_comma: bool,
) -> Error {
    let shown: String = text.chars().take(40).collect();
    let mut reason = format!("{shown:?} is not a number");
    if wrong_decimal(text) {
        reason.push_str(if decimal_comma {
            "; other decimals in this file are written with a comma"
        } else {
            "; write decimals with a point"
        });
    }
    Error::malformed(rows.name, rows.place(column), reason)
}

/// Whether a cell that is not a number would be one with the other sign for decimals.
fn wrong_decimal(text: &str) -> bool {
    number(&text.replacen(',', ".", 1), false).is_some() && text.contains([',', '.'])
}

/// A cell's number, with decimals behind a comma or a point; NaN where it is missing, `None` where it
/// is a word.
fn number(text: &str, decimal_comma: bool) -> Option<f64> {
    const MISSING: [&str; 4] = ["na", "n/a", "null", "none"];
    if text.is_empty() {
        return Some(f64::NAN);
    }
    let parsed = match (decimal_comma, text.contains('.'), text.contains(',')) {
        (true, true, _) => return None,
        (true, false, true) => text.replacen(',', ".", 1).parse().ok(),
        _ => text.parse().ok(),
    };
    parsed.or_else(|| {
        MISSING
            .iter()
            .any(|word| text.eq_ignore_ascii_case(word))
            .then_some(f64::NAN)
    })
}
