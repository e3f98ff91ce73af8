//! Finding out how a delimited text file is written.

use std::io::{Read, Seek, SeekFrom};
use std::path::Path;

use ::csv::{ByteRecord, ReaderBuilder};

use super::{Options, number};
use crate::{Error, Result};

/// How much of a file is looked at.
const LOOK: u64 = 1 << 16;
/// How many rows of that are compared.
const ROWS: usize = 20;
/// What may stand between cells, the likeliest first.
const DELIMITERS: [u8; 4] = [b',', b'\t', b';', b' '];

/// How a file is written.
pub(super) struct Dialect {
    pub(super) delimiter: u8,
    pub(super) header: bool,
    /// Whether decimals are written with a comma, as many countries do where cells are separated by
    /// semicolons. A file that has numbers with a point does not.
    pub(super) decimal_comma: bool,
    /// Where the text begins, past a byte-order mark.
    pub(super) begin: u64,
}

impl Dialect {
    /// Looks at the beginning of a file for whatever `options` leaves open.
    pub(super) fn find<R: Read + Seek>(
        source: &mut R,
        name: &str,
        options: &Options,
    ) -> Result<Self> {
        let failed = |error| Error::io(Path::new(name), error);
        let mut head = Vec::new();
        source.seek(SeekFrom::Start(0)).map_err(failed)?;
        source.take(LOOK).read_to_end(&mut head).map_err(failed)?;
        let whole = (head.len() as u64) < LOOK;
        if head.is_empty() {
            return Err(Error::malformed(name, "text", "the file is empty"));
        }
        if head.starts_with(b"\xff\xfe") || head.starts_with(b"\xfe\xff") {
            return Err(Error::unsupported(
                name,
                "encoding",
                "UTF-16; save the file as UTF-8",
            ));
        }
        if let Some(at) = head.iter().position(|&byte| byte == 0) {
            return Err(Error::malformed_at(
                name,
                "text",
                at as u64,
                "a zero byte: not text",
            ));
        }
        let begin = if head.starts_with(b"\xef\xbb\xbf") {
            3
        } else {
            0
        };
        let text = &head[begin..];
        let delimiter = options.delimiter.unwrap_or_else(|| {
            if all_decimal_commas(text, whole) {
                return b';';
            }
            let agreed = DELIMITERS
                .iter()
                .copied()
                .find(|&byte| agrees(text, byte, whole));
            agreed.unwrap_or(b',')
        });
        let decimal_comma = delimiter == b';' && has_decimal_commas(text, whole);
        let header = options.header.unwrap_or_else(|| {
            first_rows(text, delimiter, true, ROWS)
                .first()
                .is_some_and(|row| looks_like_header(row, decimal_comma))
        });
        Ok(Dialect {
            delimiter,
            header,
            decimal_comma,
            begin: begin as u64,
        })
    }
}

/// The first rows; the last one may have been cut off unless the `whole` file was seen.
fn first_rows(text: &[u8], delimiter: u8, whole: bool, most: usize) -> Vec<ByteRecord> {
    let mut reader = ReaderBuilder::new()
        .delimiter(delimiter)
        .has_headers(false)
        .flexible(true)
        .from_reader(text);
    let mut rows: Vec<ByteRecord> = reader
        .byte_records()
        .map_while(|row| row.ok())
        .take(most + 1)
        .collect();
    if rows.len() > most || (!whole && rows.len() > 1) {
        rows.pop();
    }
    rows
}

/// Whether the first rows split into the same number of cells, at least two. Blanks only count
/// where all they separate is numbers, as `numpy.savetxt` writes them.
fn agrees(text: &[u8], delimiter: u8, whole: bool) -> bool {
    let rows = first_rows(text, delimiter, whole, ROWS);
    let cells = rows.first().map_or(0, ByteRecord::len);
    // A first row of several cells is taken at its word: rows that disagree with it are reported.
    let split = cells >= 2 && rows.iter().filter(|row| row.len() == cells).count() * 2 > rows.len();
    let numeric = |row: &ByteRecord| {
        row.iter()
            .all(|cell| std::str::from_utf8(cell).is_ok_and(|cell| number(cell, false).is_some()))
    };
    split && (delimiter != b' ' || rows.iter().all(numeric))
}

/// Whether all numbers with decimals are written with a comma, and there is one.
fn has_decimal_commas(text: &[u8], whole: bool) -> bool {
    let mut found = false;
    // As many rows as were looked at: the first decimal may come late.
    for row in first_rows(text, b';', whole, text.len()) {
        for cell in row.iter().filter_map(|cell| std::str::from_utf8(cell).ok()) {
            let cell = cell.trim();
            if cell.contains('.') && number(cell, false).is_some() {
                return false;
            }
            found |= cell.contains(',') && number(cell, true).is_some();
        }
    }
    found
}

/// Whether every cell between semicolons is a number and some have a decimal comma: such text without
/// a header splits at its commas as well.
fn all_decimal_commas(text: &[u8], whole: bool) -> bool {
    let rows = first_rows(text, b';', whole, ROWS);
    let numeric = |cell: &[u8]| {
        std::str::from_utf8(cell).is_ok_and(|cell| number(cell.trim(), true).is_some())
    };
    rows.iter()
        .all(|row| row.len() > 1 && row.iter().all(numeric))
        && has_decimal_commas(text, whole)
}

fn looks_like_header(row: &ByteRecord, decimal_comma: bool) -> bool {
    let cells: Vec<String> = row
        .iter()
        .map(|cell| String::from_utf8_lossy(cell).trim().to_string())
        .collect();
    let words = cells
        .iter()
        .filter(|cell| number(cell, decimal_comma).is_none())
        .count();
    let numbers = cells
        .iter()
        .filter(|cell| number(cell, decimal_comma).is_some_and(|value| !value.is_nan()));
    let pandas = cells.len() > 1
        && cells[0].is_empty()
        && cells[1..]
            .iter()
            .enumerate()
            .all(|(index, cell)| *cell == index.to_string());
    pandas || (words > 0 && numbers.count() == 0)
}
