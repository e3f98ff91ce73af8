//! What a study sees of the run it is part of.

use std::path::{Path, PathBuf};

use chiasm_core::evidence::{DataSource, DataUsed};
use chiasm_core::run::{DataFile, Device, RunConfig, RunFolder, Scale};
use chiasm_core::{Progress, Seed};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::study::{Settings, read_settings};
use crate::{Error, Result};

/// The run a study is part of: settings, seeds, files, progress, and steps that are kept so that an
/// interrupted run goes on where it was.
#[derive(Debug)]
pub struct Context {
    config: RunConfig,
    folder: RunFolder,
    progress: Progress,
}

/// One repetition of a study.
#[derive(Debug)]
pub struct SeedRun<'a> {
    /// The seed's number as given on the command line.
    pub number: u64,
    /// The root of this repetition's randomness.
    pub seed: Seed,
    /// Where to report, and where a stop is heard.
    pub progress: &'a Progress,
    /// A folder for what this repetition keeps between interruptions, e.g. weights in training.
    pub scratch: PathBuf,
}

impl Context {
    /// A context over an open run folder.
    pub fn new(config: RunConfig, folder: RunFolder, progress: Progress) -> Self {
        Context {
            config,
            folder,
            progress,
        }
    }

    /// The study's settings, checked.
    pub fn settings<T: Settings>(&self) -> Result<T> {
        Ok(read_settings(&self.config.settings)?)
    }

    /// How large the run is.
    pub fn scale(&self) -> Scale {
        self.config.scale
    }

    /// Where tensors live.
    pub fn device(&self) -> Device {
        self.config.device
    }

    /// The seeds as given on the command line.
    pub fn seeds(&self) -> &[u64] {
        &self.config.seeds
    }

    /// The person's files, in the order given; empty where none was given.
    pub fn data(&self) -> impl ExactSizeIterator<Item = &Path> {
        self.config.data.iter().map(|file| file.path.as_path())
    }

    /// The person's files as the results list them.
    pub fn data_used(&self) -> impl Iterator<Item = DataUsed> {
        self.config
            .data
            .iter()
            .map(|DataFile { path, sha256 }| DataUsed {
                name: path.display().to_string(),
                sha256: sha256.clone(),
                source: DataSource::File,
            })
    }

    /// Progress of the run.
    pub fn progress(&self) -> &Progress {
        &self.progress
    }

    /// The run's folder, for files beside the results such as weights. Write with
    /// [`chiasm_core::run::write_atomically`].
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Computes a step once: after an interruption its kept result is read instead.
    pub fn step<T: Serialize + DeserializeOwned>(
        &self,
        name: &str,
        work: impl FnOnce(&Progress) -> Result<T>,
    ) -> Result<T> {
        self.progress.check()?;
        if let Some(kept) = self.folder.load_step(name)? {
            return Ok(kept);
        }
        let value = work(&self.progress)?;
        Ok(self.folder.store_step(name, &value)?)
    }

    /// Runs `work` for every seed, one after the other, each as a step of its own.
    pub fn each_seed<T: Serialize + DeserializeOwned>(
        &self,
        name: &str,
        work: impl Fn(SeedRun<'_>) -> Result<T>,
    ) -> Result<Vec<T>> {
        self.progress.begin(name, self.config.seeds.len() as u64);
        let mut values = Vec::with_capacity(self.config.seeds.len());
        for &number in &self.config.seeds {
            let step = format!("{name}-seed-{number}");
            let scratch = self.folder.scratch(&step)?;
            // Whatever the work counts belongs to this repetition, not to the row of seeds.
            self.progress.begin(&format!("seed {number}"), 0);
            values.push(self.step(&step, |progress| {
                work(SeedRun {
                    number,
                    seed: Seed::new(number),
                    progress,
                    scratch,
                })
            })?);
            self.progress.end();
            self.progress.advance(1).map_err(Error::from)?;
        }
        self.progress.end();
        Ok(values)
    }
}
