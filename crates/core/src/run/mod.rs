//! Run folders: the resolved configuration, checkpoints, and files that appear whole or not at all.

mod atomic;
mod config;
mod folder;

pub use atomic::{write_atomically, write_atomically_with};
pub use config::{DataFile, Device, RunConfig, Scale};
pub use folder::{RunFolder, sha256_of_bytes, sha256_of_file};
