//! What can go wrong while networks are built, trained and stored.

use std::path::PathBuf;

/// A failure of a trained network or of a file that holds one.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// What the floors below report.
    #[error(transparent)]
    Core(#[from] chiasm_core::Error),
    /// A device that this build or this machine does not have.
    #[error("device {name} is not available: {reason}")]
    Device {
        /// The device asked for.
        name: String,
        /// Why it cannot be had, and what to do.
        reason: String,
    },
    /// Weights that do not fit the network.
    #[error("{}: weight {name}: {reason}", path.display())]
    Weight {
        /// The file.
        path: PathBuf,
        /// The weight's dotted name.
        name: String,
        /// What does not fit.
        reason: String,
    },
    /// A file of weights or a checkpoint that cannot be read.
    #[error("{}: {reason}", path.display())]
    WeightFile {
        /// The file.
        path: PathBuf,
        /// Why not.
        reason: String,
    },
    /// The loss became NaN or infinite.
    #[error(
        "the training loss became {loss} in epoch {epoch}, batch {batch}: try a smaller learning rate or gradient clipping"
    )]
    Diverged {
        /// The loss.
        loss: f64,
        /// The epoch, from 0.
        epoch: usize,
        /// The batch in that epoch, from 0.
        batch: usize,
    },
}

impl Error {
    /// Whose business this error is.
    pub fn kind(&self) -> chiasm_core::ErrorKind {
        use chiasm_core::ErrorKind;
        match self {
            Error::Core(error) => error.kind(),
            Error::Diverged { .. } => ErrorKind::Internal,
            Error::Device { .. } | Error::Weight { .. } | Error::WeightFile { .. } => {
                ErrorKind::Input
            }
        }
    }
}

/// The result of everything here that can fail.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl From<Error> for chiasm_core::Error {
    fn from(error: Error) -> Self {
        match error {
            Error::Core(error) => error,
            Error::Device { .. } => chiasm_core::Error::setting("device", error, "cpu"),
            Error::Diverged { .. } => chiasm_core::Error::NoConvergence {
                operation: "training",
                reason: error.to_string(),
            },
            Error::Weight { ref path, .. } | Error::WeightFile { ref path, .. } => {
                chiasm_core::Error::RunFolder {
                    path: path.clone(),
                    reason: error.to_string(),
                }
            }
        }
    }
}
