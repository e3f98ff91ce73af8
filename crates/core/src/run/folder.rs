//! The folder a run leaves, and the checkpoints inside it while it works.

use std::fs::{File, TryLockError};
use std::io::Read;
use std::path::{Path, PathBuf};

use serde::Serialize;
use serde::de::DeserializeOwned;
use sha2::{Digest, Sha256};

use super::{RunConfig, write_atomically};
use crate::error::{Error, Result};
use crate::evidence::RunResults;

/// A run's folder: `config.toml` from the start, `checkpoint/` while the run is under way,
/// `results.json` once it is complete.
#[derive(Clone, Debug)]
pub struct RunFolder {
    path: PathBuf,
}

impl RunFolder {
    /// Makes the folder and writes the configuration. Fails where a run is there already.
    pub fn create(path: &Path, config: &RunConfig) -> Result<Self> {
        std::fs::create_dir_all(path).map_err(|source| Error::file(path, source))?;
        let folder = RunFolder {
            path: path.to_path_buf(),
        };
        if folder.config_path().exists() {
            return Err(Error::RunFolder {
                path: path.to_path_buf(),
                reason: "holds a run already; choose another --out, or go on with it by --resume"
                    .to_string(),
            });
        }
        let text = toml::to_string_pretty(config).map_err(|error| Error::RunFolder {
            path: folder.config_path(),
            reason: format!("cannot be written: {error}"),
        })?;
        let checkpoints = folder.checkpoints();
        std::fs::create_dir_all(&checkpoints)
            .map_err(|source| Error::file(&checkpoints, source))?;
        // Steps belong to the configuration they were computed with: see `open`.
        write_atomically(&folder.begun_path(), text.as_bytes())?;
        write_atomically(&folder.config_path(), text.as_bytes())?;
        Ok(folder)
    }

    /// Opens a folder that holds a run, whole or not.
    pub fn open(path: &Path) -> Result<(Self, RunConfig)> {
        let folder = RunFolder {
            path: path.to_path_buf(),
        };
        let config_path = folder.config_path();
        if !config_path.is_file() {
            return Err(Error::RunFolder {
                path: path.to_path_buf(),
                reason: "is no run folder: it has no config.toml".to_string(),
            });
        }
        let text = std::fs::read_to_string(&config_path)
            .map_err(|source| Error::file(&config_path, source))?;
        let config = toml::from_str(&text).map_err(|error| Error::RunFolder {
            path: config_path.clone(),
            reason: format!("is not a run's configuration: {}", error.message()),
        })?;
        let begun = std::fs::read_to_string(folder.begun_path());
        if begun.is_ok_and(|begun| begun != text) {
            return Err(Error::RunFolder {
                path: config_path,
                reason: "was changed since the run began, and its kept steps do not fit; begin \
                         another run with --config"
                    .to_string(),
            });
        }
        Ok((folder, config))
    }

    /// Keeps other processes out while the returned file is open.
    ///
    /// # Errors
    /// [`Error::RunFolder`] where another process works in the folder.
    pub fn lock(&self) -> Result<File> {
        let path = self.checkpoints().join("lock");
        std::fs::create_dir_all(self.checkpoints()).map_err(|source| Error::file(&path, source))?;
        let file = File::create(&path).map_err(|source| Error::file(&path, source))?;
        match file.try_lock() {
            Ok(()) => Ok(file),
            Err(TryLockError::WouldBlock) => Err(Error::RunFolder {
                path: self.path.clone(),
                reason: "another process is working on this run".to_string(),
            }),
            Err(TryLockError::Error(source)) => Err(Error::file(path, source)),
        }
    }

    /// The folder.
    pub fn path(&self) -> &Path {
        &self.path
    }

    fn checkpoints(&self) -> PathBuf {
        self.path.join("checkpoint")
    }

    /// The configuration as it was when the run began.
    fn begun_path(&self) -> PathBuf {
        self.checkpoints().join("config.toml")
    }

    fn config_path(&self) -> PathBuf {
        self.path.join("config.toml")
    }

    fn results_path(&self) -> PathBuf {
        self.path.join("results.json")
    }

    /// Whether the run is complete.
    pub fn is_complete(&self) -> bool {
        self.results_path().is_file()
    }

    /// The results of a complete run.
    pub fn results(&self) -> Result<RunResults> {
        let path = self.results_path();
        let bytes = std::fs::read(&path).map_err(|source| Error::file(&path, source))?;
        serde_json::from_slice(&bytes).map_err(|error| Error::RunFolder {
            path,
            reason: format!("is not a run's results: {error}"),
        })
    }

    /// Writes the results: the last step of a run, after every other file, since their presence
    /// says that the run is complete. Then drops the checkpoints.
    pub fn finish(&self, results: &RunResults) -> Result<()> {
        let mut text = serde_json::to_string_pretty(results).map_err(|error| Error::RunFolder {
            path: self.results_path(),
            reason: format!("cannot be written: {error}"),
        })?;
        text.push('\n');
        write_atomically(&self.results_path(), text.as_bytes())?;
        self.drop_checkpoints()
    }

    /// Removes what only an unfinished run needs.
    pub fn drop_checkpoints(&self) -> Result<()> {
        let checkpoints = self.checkpoints();
        match std::fs::remove_dir_all(&checkpoints) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                Err(Error::file(&checkpoints, error))
            }
            _ => Ok(()),
        }
    }

    /// Takes a run back that found its input unusable before its first step, so that the folder is free
    /// again. A run with steps to lose stays.
    pub fn take_back(&self) -> Result<()> {
        let kept = std::fs::read_dir(self.checkpoints()).is_ok_and(|entries| {
            (entries.flatten())
                .any(|entry| entry.path().extension().is_some_and(|end| end == "json"))
        });
        if kept || self.is_complete() {
            return Ok(());
        }
        self.drop_checkpoints()?;
        let config = self.config_path();
        std::fs::remove_file(&config).map_err(|source| Error::file(&config, source))?;
        // Only where nothing else is in it.
        let _ = std::fs::remove_dir(&self.path);
        Ok(())
    }

    /// A place for what one step keeps between interruptions, e.g. weights in training.
    pub fn scratch(&self, step: &str) -> Result<PathBuf> {
        let path = self.checkpoints().join(format!("{}.part", file_name(step)));
        std::fs::create_dir_all(&path).map_err(|source| Error::file(&path, source))?;
        Ok(path)
    }

    /// What a finished step left, if it finished.
    pub fn load_step<T: DeserializeOwned>(&self, step: &str) -> Result<Option<T>> {
        let path = self.step_path(step);
        let bytes = match std::fs::read(&path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(source) => return Err(Error::file(path, source)),
        };
        serde_json::from_slice(&bytes)
            .map(Some)
            .map_err(|error| Error::RunFolder {
                path,
                reason: format!("is a damaged checkpoint ({error}); delete it to compute it again"),
            })
    }

    /// Keeps what a finished step found and returns it as a resumed run will read it, so that a
    /// broken and an unbroken run go on from the same values.
    pub fn store_step<T: Serialize + DeserializeOwned>(&self, step: &str, value: &T) -> Result<T> {
        let path = self.step_path(step);
        let damaged = |error: serde_json::Error| Error::RunFolder {
            path: path.clone(),
            reason: format!("the step's result cannot be kept: {error}"),
        };
        let bytes = serde_json::to_vec(value).map_err(damaged)?;
        let kept = serde_json::from_slice(&bytes).map_err(damaged)?;
        if let Some(parent) = path.parent() {
            std::fs::create_dir_all(parent).map_err(|source| Error::file(parent, source))?;
        }
        write_atomically(&path, &bytes)?;
        Ok(kept)
    }

    fn step_path(&self, step: &str) -> PathBuf {
        self.checkpoints().join(format!("{}.json", file_name(step)))
    }
}

/// A step's name with everything that a file system might mind replaced.
fn file_name(step: &str) -> String {
    step.chars()
        .map(|c| {
            if c.is_ascii_alphanumeric() || c == '-' {
                c
            } else {
                '_'
            }
        })
        .collect()
}

/// SHA-256 of `bytes` in hexadecimal.
pub fn sha256_of_bytes(bytes: &[u8]) -> String {
    hexadecimal(&Sha256::digest(bytes))
}

/// SHA-256 of a file in hexadecimal, read in pieces.
pub fn sha256_of_file(path: &Path) -> Result<String> {
    let fail = |source| Error::file(path, source);
    let mut file = std::fs::File::open(path).map_err(fail)?;
    let mut hasher = Sha256::new();
    let mut buffer = vec![0; 1 << 20];
    loop {
        let read = file.read(&mut buffer).map_err(fail)?;
        if read == 0 {
            return Ok(hexadecimal(&hasher.finalize()));
        }
        hasher.update(&buffer[..read]);
    }
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::{Device, Scale};

    fn config() -> RunConfig {
        RunConfig {
            study: "a".into(),
            scale: Scale::Quick,
            seeds: vec![0, 1],
            device: Device::Cpu,
            threads: 2,
            version: "0".into(),
            data: vec![],
            settings: toml::Table::new(),
        }
    }

    #[test]
    fn steps_come_back_bit_for_bit() {
        let place = tempfile::tempdir().unwrap();
        let folder = RunFolder::create(place.path(), &config()).unwrap();
        let values = vec![0.1 + 0.2, 1e-300, -0.0, f64::MAX, 5e-324];
        let kept = folder.store_step("seed 0/x", &values).unwrap();
        let loaded: Vec<f64> = folder.load_step("seed 0/x").unwrap().unwrap();
        for (a, (b, c)) in values.iter().zip(kept.iter().zip(&loaded)) {
            assert_eq!(a.to_bits(), b.to_bits());
            assert_eq!(a.to_bits(), c.to_bits());
        }
        assert!(folder.store_step("nan", &vec![f64::NAN]).is_err());
        assert_eq!(folder.load_step::<f64>("other").unwrap(), None);
    }

    #[test]
    fn a_second_run_in_the_same_folder_is_refused() {
        let place = tempfile::tempdir().unwrap();
        RunFolder::create(place.path(), &config()).unwrap();
        let error = RunFolder::create(place.path(), &config())
            .unwrap_err()
            .to_string();
        assert!(error.contains("holds a run already"), "{error}");
        assert_eq!(RunFolder::open(place.path()).unwrap().1, config());
    }

    #[test]
    fn steps_belong_to_the_configuration_they_were_computed_with() {
        let place = tempfile::tempdir().unwrap();
        let folder = RunFolder::create(place.path(), &config()).unwrap();
        folder.store_step("seed 0", &1.0).unwrap();
        let path = folder.config_path();
        let text = std::fs::read_to_string(&path).unwrap();
        std::fs::write(&path, text.replace("quick", "standard")).unwrap();
        let error = RunFolder::open(place.path()).unwrap_err().to_string();
        assert!(error.contains("was changed since the run began"), "{error}");
    }

    #[test]
    fn one_process_at_a_time() {
        let place = tempfile::tempdir().unwrap();
        let folder = RunFolder::create(place.path(), &config()).unwrap();
        let held = folder.lock().unwrap();
        let error = folder.lock().unwrap_err().to_string();
        assert!(error.contains("another process"), "{error}");
        drop(held);
        folder.lock().unwrap();
    }

    #[test]
    fn a_run_without_steps_can_be_taken_back_and_one_with_steps_cannot() {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("run");
        let folder = RunFolder::create(&path, &config()).unwrap();
        folder.take_back().unwrap();
        assert!(!path.exists());
        let folder = RunFolder::create(&path, &config()).unwrap();
        folder.store_step("seed 0", &1.0).unwrap();
        folder.take_back().unwrap();
        assert_eq!(folder.load_step::<f64>("seed 0").unwrap(), Some(1.0));
    }

    #[test]
    fn checksums_agree_with_the_standard() {
        // FIPS 180-2, appendix B.1.
        let expected = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(sha256_of_bytes(b"abc"), expected);
    }
}
