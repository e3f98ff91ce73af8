//! The user's cache of fetched data. A folder appears whole or not at all, also when several programs
//! fetch the same thing at once.

use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use etcetera::BaseStrategy;
use sha2::{Digest, Sha256};

use super::{Item, Source};
use crate::{Error, Result};

/// The environment variable that moves the cache.
const OVERRIDE: &str = "CHIASM_CACHE";

/// The folder of the cache.
pub(super) fn folder() -> Result<PathBuf> {
    if let Some(folder) = std::env::var_os(OVERRIDE).filter(|folder| !folder.is_empty()) {
        return Ok(PathBuf::from(folder));
    }
    let strategy = etcetera::choose_base_strategy().map_err(|_| {
        let reason = format!("this user has no home folder: set {OVERRIDE} to a folder");
        Error::unsupported("catalogue", "cache", reason)
    })?;
    Ok(strategy.cache_dir().join("chiasm"))
}

/// Where an item's files lie. The name changes with the content, so that versions do not mix.
pub(super) fn place(cache: &Path, item: &Item) -> PathBuf {
    let pin = match &item.source {
        Source::Package(package) => package.sha256.to_string(),
        Source::Bundled(_) => item.used().sha256.unwrap_or_default(),
    };
    let short: String = pin.chars().take(12).collect();
    cache.join("data").join(format!("{}-{short}", item.name))
}

/// A folder of its own in the cache, removed when it is dropped.
pub(super) fn staging(cache: &Path) -> Result<tempfile::TempDir> {
    let data = cache.join("data");
    fs::create_dir_all(&data).map_err(|source| Error::io(&data, source))?;
    let made = tempfile::Builder::new()
        .prefix(".fetching-")
        .tempdir_in(&data);
    made.map_err(|source| Error::io(&data, source))
}

/// Whether all files are there in their sizes.
pub(super) fn looks_whole(place: &Path, item: &Item) -> bool {
    item.files().iter().all(|(name, bytes, _)| {
        fs::metadata(place.join(name)).is_ok_and(|file| file.is_file() && file.len() == *bytes)
    })
}

/// Whether all files are there with the content they should have.
pub(super) fn is_whole(place: &Path, item: &Item) -> Result<bool> {
    if !looks_whole(place, item) {
        return Ok(false);
    }
    for (name, _, sha256) in item.files() {
        if file_sha256(&place.join(name))? != sha256 {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Moves the files in `unpacked` to `place`, in one step.
pub(super) fn publish(unpacked: &Path, place: &Path, staging: &Path, item: &Item) -> Result<()> {
    if !is_whole(unpacked, item)? {
        let reason = "what was unpacked is not what it should be";
        return Err(Error::malformed(item.name, "content", reason));
    }
    let Err(refused) = fs::rename(unpacked, place) else {
        return Ok(());
    };
    // Another program may have been faster; else what is there is damaged and makes room.
    if is_whole(place, item)? {
        return Ok(());
    }
    let damaged = staging.join("damaged");
    fs::rename(place, damaged).map_err(|_| Error::io(place, refused))?;
    match fs::rename(unpacked, place) {
        Err(_) if is_whole(place, item)? => Ok(()),
        Err(source) => Err(Error::io(place, source)),
        Ok(()) => Ok(()),
    }
}

/// SHA-256 of some bytes, in hexadecimal.
pub(super) fn sha256(bytes: &[u8]) -> String {
    hexadecimal(&Sha256::digest(bytes))
}

/// SHA-256 of a file, in hexadecimal.
pub(super) fn file_sha256(path: &Path) -> Result<String> {
    let digest = || -> io::Result<String> {
        let mut file = fs::File::open(path)?;
        let mut digest = Sha256::new();
        let mut buffer = vec![0; 1 << 16];
        loop {
            match file.read(&mut buffer)? {
                0 => return Ok(hexadecimal(&digest.finalize())),
                count => digest.update(&buffer[..count]),
            }
        }
    };
    digest().map_err(|source| Error::io(path, source))
}

fn hexadecimal(digest: &[u8]) -> String {
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}
