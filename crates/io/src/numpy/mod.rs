//! NumPy's `.npy` and `.npz`: reading every numeric, truth and text dtype of either byte order and
//! axis order, and writing.
//!
//! Source: NumPy Enhancement Proposal 1 (the `.npy` format, versions 1.0 to 3.0). Arrays of Python
//! objects are pickles, which run code when loaded: they are refused, never read.

mod blocks;
mod header;
mod npz;
mod write;

use std::io::{self, Read};
use std::path::Path;

use ndarray::{ArrayD, IxDyn, ShapeBuilder};

use crate::array::Array;
use crate::{Error, Result, source};

pub(crate) use header::{Elements, Header};

pub use blocks::{MatrixFile, Real};
pub use npz::{Member, Npz, parse_npz, read_npz};
pub(crate) use write::write_aside;
pub use write::{Writable, write_npy, write_npz};

/// The first bytes of every `.npy` file.
pub(crate) const MAGIC: &[u8] = b"\x93NUMPY";

/// Reads a `.npy` file.
///
/// Fails with the file, the field and the reason where the header lies about the data, and for
/// objects, structures, dates and `long double`.
pub fn read_array(path: &Path) -> Result<Array> {
    let (mut file, length) = source::open(path)?;
    read_from(&mut file, Length::Exact(length), &source::name_of(path))
}

/// Reads the bytes of a `.npy` file; `name` stands for the file in errors.
pub fn parse(bytes: &[u8], name: &str) -> Result<Array> {
    let mut rest = bytes;
    read_from(&mut rest, Length::Exact(bytes.len() as u64), name)
}

/// What is known of the number of bytes a reader holds.
#[derive(Clone, Copy)]
pub(crate) enum Length {
    /// They are there.
    Exact(u64),
    /// An archive says so.
    Declared(u64),
}

pub(crate) fn read_from(reader: &mut dyn Read, length: Length, name: &str) -> Result<Array> {
    let header = Header::read(reader, name)?;
    let (Length::Exact(total) | Length::Declared(total)) = length;
    check_length(&header, total, name)?;
    let exact = matches!(length, Length::Exact(_));
    let failed = |source: io::Error| damaged(name, &header, source);
    let array = match &header.elements {
        Elements::Numbers(layout) => Array::read(reader, layout, exact).map_err(failed)?,
        Elements::Words { .. } => Array::Words(read_words(reader, &header, exact, name)?),
    };
    if !exact {
        // Reaching the end makes an archive check its checksum.
        let more = reader.read(&mut [0]).map_err(failed)?;
        if more != 0 {
            return Err(Error::malformed(
                name,
                "data",
                "goes on past its declared end",
            ));
        }
    }
    Ok(array)
}

/// That the data is exactly as long as the header says.
pub(crate) fn check_length(header: &Header, total: u64, name: &str) -> Result<()> {
    let shape = header.shape_in_words();
    let declared = header.data_bytes().ok_or_else(|| {
        Error::malformed(
            name,
            "shape",
            format!("{shape} is more than any computer can hold"),
        )
    })?;
    let found = total.saturating_sub(header.data_offset);
    if declared > found {
        return Err(Error::malformed_at(
            name,
            "data",
            total,
            format!(
                "truncated: shape {shape} of {} takes {declared} bytes, found {found}",
                header.dtype()
            ),
        ));
    }
    if declared < found {
        return Err(Error::malformed_at(
            name,
            "data",
            header.data_offset + declared,
            format!(
                "{} bytes follow the array of shape {shape}; a file holds one array",
                found - declared
            ),
        ));
    }
    Ok(())
}

fn damaged(name: &str, header: &Header, source: io::Error) -> Error {
    let reason = match source.kind() {
        io::ErrorKind::UnexpectedEof => "ends early".to_string(),
        io::ErrorKind::OutOfMemory => {
            format!("shape {} does not fit into memory", header.shape_in_words())
        }
        _ => source.to_string(),
    };
    Error::malformed(name, "data", reason)
}

/// Fixed-width text: `U` is four bytes a character, `S` one. Trailing zeros are padding.
fn read_words(
    reader: &mut dyn Read,
    header: &Header,
    exact: bool,
    name: &str,
) -> Result<ArrayD<String>> {
    let Elements::Words {
        wide,
        width,
        big_endian,
        fortran,
        shape,
    } = &header.elements
    else {
        return Err(Error::malformed(name, "descr", "not text"));
    };
    let too_large = || Error::malformed(name, "shape", "too large");
    let bytes = header
        .data_bytes()
        .and_then(|bytes| usize::try_from(bytes).ok());
    let count = bytes.ok_or_else(too_large)?;
    let read = if exact {
        source::read_checked::<u8>
    } else {
        source::read_growing::<u8>
    };
    let raw = read(reader, count).map_err(|source| damaged(name, header, source))?;
    let step = if *wide { width * 4 } else { *width };
    let mut words = Vec::new();
    for (index, cell) in raw.chunks_exact(step.max(1)).enumerate() {
        let word = if *wide {
            wide_word(cell, *big_endian)
        } else {
            Some(narrow_word(cell))
        };
        words.push(word.ok_or_else(|| {
            Error::malformed_at(
                name,
                "text",
                header.data_offset + (index * step) as u64,
                format!("element {index} holds a number that is not a character"),
            )
        })?);
    }
    ArrayD::from_shape_vec(IxDyn(shape).set_f(*fortran), words).map_err(|_| too_large())
}

fn wide_word(cell: &[u8], big_endian: bool) -> Option<String> {
    let mut word = String::new();
    let mut padding = 0;
    for raw in cell.chunks_exact(4) {
        let raw: [u8; 4] = raw.try_into().ok()?;
        let code = if big_endian {
            u32::from_be_bytes(raw)
        } else {
            u32::from_le_bytes(raw)
        };
        if code == 0 {
            padding += 1;
        } else {
            word.extend(std::iter::repeat_n('\0', padding));
            padding = 0;
            word.push(char::from_u32(code)?);
        }
    }
    Some(word)
}

/// Bytes as text: UTF-8 where they are, else Latin-1, which can always be read.
fn narrow_word(cell: &[u8]) -> String {
    let end = cell
        .iter()
        .rposition(|&byte| byte != 0)
        .map_or(0, |last| last + 1);
    match std::str::from_utf8(&cell[..end]) {
        Ok(word) => word.to_string(),
        Err(_) => cell[..end].iter().map(|&byte| char::from(byte)).collect(),
    }
}
