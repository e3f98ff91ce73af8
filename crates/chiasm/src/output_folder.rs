//! Where a command leaves its files.

use std::path::{Path, PathBuf};

use chiasm_core::Error;
use chiasm_core::run::write_atomically;
use serde::Serialize;

use crate::failure::{Failure, Outcome};

/// A folder that was made and found writable before anything is computed. Files in it appear whole or not
/// at all.
pub(crate) struct OutputFolder {
    path: PathBuf,
}

impl OutputFolder {
    /// Makes the folder, and `inner` ones in it.
    pub(crate) fn prepare(path: &Path, inner: &[&str]) -> Outcome<Self> {
        std::fs::create_dir_all(path).map_err(|source| Error::file(path, source))?;
        for name in inner {
            let inner = path.join(name);
            std::fs::create_dir_all(&inner).map_err(|source| Error::file(inner, source))?;
        }
        let probe = path.join(".chiasm-writable");
        std::fs::write(&probe, b"").map_err(|source| Error::file(path, source))?;
        std::fs::remove_file(&probe).map_err(|source| Error::file(&probe, source))?;
        Ok(OutputFolder {
            path: path.to_path_buf(),
        })
    }

    /// The place of a file.
    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    /// Takes away what an earlier run left under this name.
    pub(crate) fn clear(&self, name: &str) -> Outcome {
        let file = self.file(name);
        match std::fs::remove_file(&file) {
            Err(source) if source.kind() != std::io::ErrorKind::NotFound => {
                Err(Error::file(file, source).into())
            }
            _ => Ok(()),
        }
    }

    /// Writes text.
    pub(crate) fn write(&self, name: &str, text: &str) -> Outcome {
        Ok(write_atomically(&self.file(name), text.as_bytes())?)
    }

    /// Writes a value as JSON.
    pub(crate) fn write_json(&self, name: &str, value: &impl Serialize) -> Outcome {
        let json = serde_json::to_string_pretty(value)
            .map_err(|error| Failure::System(format!("{name}: {error}")))?;
        self.write(name, &json)
    }
}

/// The name a setting has in files, e.g. `squared-euclidean`.
pub(crate) fn setting_name(value: &impl Serialize) -> String {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(text)) => text,
        Ok(other) => other.to_string(),
        Err(_) => String::new(),
    }
}
