//! The ground floor of Chiasm: errors, named seeds, typed data, metrics, claims and evidence,
//! progress, run folders. Everything else leans on this crate; it leans on nothing of ours.

pub mod data;
mod error;
pub mod evidence;
pub mod metrics;
mod progress;
pub mod run;
mod seed;

pub use error::{Error, ErrorKind, Result};
pub use progress::{Progress, ProgressSink};
pub use seed::Seed;
