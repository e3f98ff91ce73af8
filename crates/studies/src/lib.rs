//! Studies: each takes data, composes methods through their public interface, and measures the
//! claims of one published system against baselines and null controls.
//!
//! [`STUDIES`] lists them all; the command line, the documentation and the tests read that slice.
//! A new study is one file in its family's folder and one line in the slice.

mod brain;
mod catalogue;
mod context;
mod error;
mod memory;
mod populations;
mod spiking;
mod study;

pub use catalogue::{STUDIES, find};
pub use context::{Context, SeedRun};
pub use error::{Error, Result};
pub use study::{Family, OpenChoice, Settings, SettingsOf, Study};
