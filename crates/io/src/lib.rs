//! File formats and the data catalogue: everything that crosses the border between a disk and
//! Chiasm's typed data.
//!
//! Every reader has two doors: one that takes a path, and `parse(bytes, name)` for bytes already in
//! memory. Both treat what they read as hostile: sizes a file declares are checked against the bytes
//! that are there before anything is allocated, compressed streams are read in growing steps up to a
//! limit, and whatever is wrong comes back as an [`Error`] that names the file, the field and the
//! reason.

pub mod array;
pub mod catalogue;
pub mod csv;
pub mod edf;
mod error;
pub mod events;
pub mod fif;
pub mod format;
pub mod hdf5;
pub mod inspect;
pub mod matrix;
pub mod nifti;
pub mod numpy;
pub mod nwb;
pub mod safetensors;
pub mod shd;
mod source;
pub mod ten_twenty;
pub mod traces;
pub mod wav;

pub use array::Array;
pub use error::{Error, Result};
pub use inspect::Summary;
