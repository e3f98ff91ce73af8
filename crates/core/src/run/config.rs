//! The resolved configuration of a run: enough to repeat it.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// How large a run is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Scale {
    /// Within a minute on two cores.
    #[default]
    Quick,
    /// Within ten minutes.
    Standard,
    /// The paper's own size.
    Paper,
}

/// Where tensors live.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Device {
    /// The processor.
    #[default]
    Cpu,
    /// An NVIDIA card.
    Cuda,
    /// Any graphics card.
    Wgpu,
}

macro_rules! display_lowercase {
    ($type:ty, $($variant:ident => $word:literal),+) => {
        impl std::fmt::Display for $type {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.pad(match self { $(Self::$variant => $word),+ })
            }
        }
    };
}

display_lowercase!(Scale, Quick => "quick", Standard => "standard", Paper => "paper");
display_lowercase!(Device, Cpu => "cpu", Cuda => "cuda", Wgpu => "wgpu");

/// A file the person gave, pinned by its checksum.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DataFile {
    /// Where it is.
    pub path: PathBuf,
    /// SHA-256 of a file's bytes; absent for a folder.
    pub sha256: Option<String>,
}

/// `config.toml` of a run folder.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RunConfig {
    /// The study's short name.
    pub study: String,
    /// How large the run is.
    pub scale: Scale,
    /// The seeds, one repetition each.
    pub seeds: Vec<u64>,
    /// Where tensors live.
    pub device: Device,
    /// Number of threads.
    pub threads: usize,
    /// Version of Chiasm that made the run.
    pub version: String,
    /// The person's files.
    #[serde(default)]
    pub data: Vec<DataFile>,
    /// The study's own settings, all of them.
    pub settings: toml::Table,
}
