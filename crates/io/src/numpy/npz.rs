//! `.npz`: a zip archive with a `.npy` file per array.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufReader, Cursor, Read, Seek};
use std::path::Path;

use zip::result::ZipError;
use zip::{CompressionMethod, ZipArchive};

use crate::array::Array;
use crate::numpy::header::Header;
use crate::numpy::{Length, read_from};
use crate::{Error, Result, source};

/// NumPy archives hold a handful of arrays, large checkpoints some thousands.
const MOST_MEMBERS: usize = 1 << 16;

/// An open `.npz` archive.
///
/// Opening it checks the list of members: none may share a name or bytes with another, and
/// together they may not expand like a zip bomb.
pub struct Npz<R = BufReader<File>> {
    archive: ZipArchive<R>,
    name: String,
    /// Array name and place in the archive.
    members: Vec<(String, usize)>,
}

/// An array in an archive, before its data is read.
#[derive(Clone, Debug, PartialEq)]
pub struct Member {
    /// The array's name.
    pub name: String,
    /// The element type's name.
    pub dtype: &'static str,
    /// The sizes of its axes.
    pub shape: Vec<usize>,
}

/// Every array of a `.npz` file, by name.
pub fn read_npz(path: &Path) -> Result<BTreeMap<String, Array>> {
    Npz::open(path)?.read_all()
}

/// Every array in the bytes of a `.npz` file, by name; `name` stands for the file in errors.
pub fn parse_npz(bytes: &[u8], name: &str) -> Result<BTreeMap<String, Array>> {
    Npz::new(Cursor::new(bytes), bytes.len() as u64, name)?.read_all()
}

impl Npz {
    /// Opens an archive and lists its arrays.
    pub fn open(path: &Path) -> Result<Self> {
        let (file, length) = source::open(path)?;
        Npz::new(file, length, &source::name_of(path))
    }
}

impl<R: Read + Seek> Npz<R> {
    /// Opens an archive of `length` bytes; `name` stands for the file in errors.
    pub fn new(reader: R, length: u64, name: &str) -> Result<Self> {
        let failed = |error: ZipError| archive_error(name, "archive", error);
        let mut archive = ZipArchive::new(reader).map_err(failed)?;
        if archive.len() > MOST_MEMBERS {
            return Err(Error::unsupported(
                name,
                "archive",
                format!("{} members; at most {MOST_MEMBERS} are read", archive.len()),
            ));
        }
        if archive.has_duplicate_names() {
            return Err(Error::malformed(
                name,
                "archive",
                "two members share a name",
            ));
        }
        if archive.has_overlapping_files().map_err(failed)? {
            return Err(Error::malformed(
                name,
                "archive",
                "two members share their bytes",
            ));
        }
        let (mut expanded, mut members) = (0_u64, Vec::new());
        for index in 0..archive.len() {
            let member = archive.by_index_raw(index).map_err(failed)?;
            expanded = expanded.saturating_add(member.size());
            let file = member.name().map_err(failed)?;
            // Anything else in the archive is not an array, and is left alone.
            if let Some(array) = file.strip_suffix(".npy") {
                members.push((array.to_string(), index));
            }
        }
        if expanded > source::expansion_limit(length) {
            return Err(source::bomb(name, "archive", length));
        }
        Ok(Npz {
            archive,
            name: name.to_string(),
            members,
        })
    }

    /// The names of the arrays, in the order of the archive.
    pub fn names(&self) -> Vec<String> {
        self.members.iter().map(|(name, _)| name.clone()).collect()
    }

    /// Reads the array called `name`.
    pub fn read(&mut self, name: &str) -> Result<Array> {
        self.with_member(name, |member, length, what| {
            read_from(member, Length::Declared(length), what)
        })
    }

    /// Reads what the header of the array called `name` says, without its data.
    pub fn member(&mut self, name: &str) -> Result<Member> {
        self.with_member(name, |member, _, what| {
            let header = Header::read(member, what)?;
            Ok(Member {
                name: name.to_string(),
                dtype: header.dtype(),
                shape: header.shape().to_vec(),
            })
        })
    }

    /// Every array, by name.
    pub fn read_all(&mut self) -> Result<BTreeMap<String, Array>> {
        self.names()
            .into_iter()
            .map(|name| self.read(&name).map(|array| (name, array)))
            .collect()
    }

    /// Hands over a member's bytes, their declared number, and its name.
    pub(crate) fn with_member<T>(
        &mut self,
        name: &str,
        read: impl FnOnce(&mut dyn Read, u64, &str) -> Result<T>,
    ) -> Result<T> {
        let index = self
            .members
            .iter()
            .find(|(own, _)| own == name)
            .map(|&(_, index)| index);
        let index = index.ok_or_else(|| Error::NotFound {
            file: self.name.clone(),
            what: "array",
            name: name.to_string(),
            available: self.names(),
        })?;
        let what = format!("{}:{name}", self.name);
        let method = self
            .archive
            .by_index_raw(index)
            .map(|raw| raw.compression());
        if let Ok(method) = method
            && !matches!(
                method,
                CompressionMethod::Stored | CompressionMethod::Deflated
            )
        {
            let reason = format!("{method} is not supported; save with numpy.savez_compressed");
            return Err(Error::unsupported(what, "compression method", reason));
        }
        let mut member = self
            .archive
            .by_index(index)
            .map_err(|error| archive_error(&self.name, &format!("member {name}"), error))?;
        let (length, compressed) = (member.size(), member.compressed_size());
        if length > source::expansion_limit(compressed) {
            return Err(source::bomb(&what, "data", compressed));
        }
        read(&mut member, length, &what)
    }
}

fn archive_error(file: &str, field: &str, error: ZipError) -> Error {
    match error {
        ZipError::UnsupportedArchive(reason) => Error::unsupported(file, field, reason),
        ZipError::Io(source) if source.kind() == std::io::ErrorKind::UnexpectedEof => {
            Error::malformed(file, field, "the file ends early; it is truncated")
        }
        ZipError::InvalidArchive(reason) => Error::malformed(
            file,
            field,
            format!("damaged or truncated, or no zip archive at all ({reason})"),
        ),
        other => Error::malformed(file, field, other.to_string()),
    }
}
