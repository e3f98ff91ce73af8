//! How long work tells the outside where it stands, and hears that it should stop.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::error::{Error, Result};

/// Receives progress events. The terminal draws bars from them, a log prints lines.
pub trait ProgressSink: Send + Sync {
    /// A stage of `total` units begins (0 where the total is not known).
    fn begin(&self, stage: &str, total: u64);
    /// `amount` more units of the current stage are done.
    fn advance(&self, amount: u64);
    /// Something worth a line, e.g. a loss or a fallback that was taken.
    fn note(&self, text: &str);
    /// The current stage is over.
    fn end(&self);
}

/// A handle that methods carry: cheap to clone, silent by default.
#[derive(Clone, Default)]
pub struct Progress {
    sink: Option<Arc<dyn ProgressSink>>,
    stop: Arc<AtomicBool>,
}

impl Progress {
    /// Progress that goes nowhere and is never interrupted.
    pub fn silent() -> Self {
        Self::default()
    }

    /// Progress that reports to `sink` and stops when `stop` turns true.
    pub fn new(sink: Arc<dyn ProgressSink>, stop: Arc<AtomicBool>) -> Self {
        Progress {
            sink: Some(sink),
            stop,
        }
    }

    /// Begins a stage of `total` units.
    pub fn begin(&self, stage: &str, total: u64) {
        if let Some(sink) = &self.sink {
            sink.begin(stage, total);
        }
    }

    /// Counts `amount` units as done. Fails with [`Error::Interrupted`] once a stop was asked for.
    pub fn advance(&self, amount: u64) -> Result<()> {
        if let Some(sink) = &self.sink {
            sink.advance(amount);
        }
        self.check()
    }

    /// Says something worth a line.
    pub fn note(&self, text: &str) {
        if let Some(sink) = &self.sink {
            sink.note(text);
        }
    }

    /// Ends the current stage.
    pub fn end(&self) {
        if let Some(sink) = &self.sink {
            sink.end();
        }
    }

    /// The same stop signal without the reports: for work inside a stage that has a bar already.
    pub fn quiet(&self) -> Self {
        Progress {
            sink: None,
            stop: self.stop.clone(),
        }
    }

    /// Fails with [`Error::Interrupted`] once a stop was asked for.
    pub fn check(&self) -> Result<()> {
        if self.stop.load(Ordering::Relaxed) {
            Err(Error::Interrupted)
        } else {
            Ok(())
        }
    }
}

impl std::fmt::Debug for Progress {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Progress")
            .field("reports", &self.sink.is_some())
            .finish_non_exhaustive()
    }
}
