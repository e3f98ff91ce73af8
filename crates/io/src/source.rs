//! Bytes from disks and compressed streams, never trusted with sizes.

use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::Path;

use bytemuck::Pod;

use crate::{Error, Result};

/// A regular file, buffered, with its length. Pipes, devices and folders are refused before they
/// are opened, because opening them can block and their length says nothing.
pub(crate) fn open(path: &Path) -> Result<(BufReader<File>, u64)> {
    let metadata = std::fs::metadata(path).map_err(|source| Error::io(path, source))?;
    if metadata.is_dir() {
        return Err(Error::io(path, io::ErrorKind::IsADirectory.into()));
    }
    if !metadata.is_file() {
        return Err(Error::unsupported(
            name_of(path),
            "file type",
            "not a regular file",
        ));
    }
    let file = File::open(path).map_err(|source| Error::io(path, source))?;
    Ok((BufReader::with_capacity(1 << 16, file), metadata.len()))
}

/// How errors name a path.
pub(crate) fn name_of(path: &Path) -> String {
    path.display().to_string()
}

/// Elements from a reader whose length has been checked: one allocation.
pub(crate) fn read_checked<T: Pod>(reader: &mut dyn Read, count: usize) -> io::Result<Vec<T>> {
    let mut values = Vec::new();
    extend(reader, &mut values, count)?;
    Ok(values)
}

/// Elements from a reader that may end before `count`: memory grows with what is really there.
pub(crate) fn read_growing<T: Pod>(reader: &mut dyn Read, count: usize) -> io::Result<Vec<T>> {
    let step = (1 << 20) / size_of::<T>().max(1);
    let mut values: Vec<T> = Vec::new();
    while values.len() < count {
        let more = (count - values.len()).min(step.max(values.len()));
        extend(reader, &mut values, more)?;
    }
    Ok(values)
}

fn extend<T: Pod>(reader: &mut dyn Read, values: &mut Vec<T>, more: usize) -> io::Result<()> {
    let begin = values.len();
    values
        .try_reserve_exact(more)
        .map_err(|_| io::Error::from(io::ErrorKind::OutOfMemory))?;
    values.resize(begin + more, T::zeroed());
    reader.read_exact(bytemuck::cast_slice_mut(&mut values[begin..]))
}

/// How far a compressed stream may expand without question.
pub(crate) const EXPANDED_FREELY: u64 = 64 << 20;
/// Past that, how many bytes each compressed byte may become. Brain images and recordings stay
/// below 50; zip bombs aim for 1000.
pub(crate) const EXPANSION_RATIO: u64 = 250;
/// How far a compressed stream may expand in any case.
pub(crate) const EXPANDED_MOST: u64 = 64 << 30;

/// How many bytes `compressed` bytes may become.
pub(crate) fn expansion_limit(compressed: u64) -> u64 {
    compressed
        .saturating_mul(EXPANSION_RATIO)
        .clamp(EXPANDED_FREELY, EXPANDED_MOST)
}

/// What is said of a stream that wants to expand past its limit.
pub(crate) fn bomb(file: &str, field: impl Into<String>, compressed: u64) -> Error {
    Error::TooLarge {
        file: file.to_string(),
        field: format!(
            "{} expands like a zip bomb (if you trust it, store it uncompressed)",
            field.into()
        ),
        limit: expansion_limit(compressed),
    }
}

/// Little- or big-endian numbers from a fixed-size header.
#[derive(Clone, Copy)]
pub(crate) struct Fields<'a> {
    pub(crate) bytes: &'a [u8],
    pub(crate) big_endian: bool,
}

macro_rules! field {
    ($name:ident, $type:ty) => {
        /// The number at `offset`; zero past the end, which callers rule out by the header's size.
        pub(crate) fn $name(&self, offset: usize) -> $type {
            let mut raw = [0; size_of::<$type>()];
            if let Some(bytes) = self.bytes.get(offset..offset + raw.len()) {
                raw.copy_from_slice(bytes);
            }
            if self.big_endian {
                <$type>::from_be_bytes(raw)
            } else {
                <$type>::from_le_bytes(raw)
            }
        }
    };
}

impl Fields<'_> {
    field!(u16, u16);
    field!(i16, i16);
    field!(u32, u32);
    field!(i32, i32);
    field!(i64, i64);
    field!(f32, f32);
    field!(f64, f64);

    /// Text of a fixed width, up to its first zero byte, blanks trimmed.
    pub(crate) fn text(&self, offset: usize, width: usize) -> String {
        let bytes = self.bytes.get(offset..offset + width).unwrap_or_default();
        let end = bytes
            .iter()
            .position(|&byte| byte == 0)
            .unwrap_or(bytes.len());
        String::from_utf8_lossy(&bytes[..end]).trim().to_string()
    }
}
