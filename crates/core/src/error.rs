//! The error every method returns.

use std::path::PathBuf;

/// What went wrong, with enough structure for a sentence that helps.
///
/// Crates whose failures all fit these kinds reuse this type; a crate with failures of its own
/// (files, training) wraps it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Two sizes that must agree do not.
    #[error("{operation}: {axis} of {what} is {found}, expected {expected}")]
    Shape {
        /// The operation that checked, e.g. `compare`.
        operation: &'static str,
        /// The thing that has the wrong size (a file, an argument).
        what: String,
        /// The axis, by name, e.g. `conditions`.
        axis: &'static str,
        /// The size that was found.
        found: usize,
        /// The size or sizes that would do.
        expected: String,
    },
    /// NaN or infinity where a number is needed.
    #[error("{what} holds {count} value(s) that are NaN or infinite, the first at {first}")]
    NotFinite {
        /// The thing that holds them.
        what: String,
        /// How many there are.
        count: usize,
        /// Where the first one is, e.g. `row 3, column 0`.
        first: String,
    },
    /// A setting or argument outside its range.
    #[error("{name} = {value}: expected {allowed}")]
    Setting {
        /// The setting's name.
        name: String,
        /// The value that was given.
        value: String,
        /// What is allowed.
        allowed: String,
    },
    /// Too little data for the operation to mean anything.
    #[error("{operation} needs at least {needed} {what}, found {found}")]
    TooFew {
        /// The operation.
        operation: &'static str,
        /// What there is too little of, e.g. `conditions`.
        what: &'static str,
        /// How many there are.
        found: usize,
        /// How many are needed.
        needed: usize,
    },
    /// Input that is of the right shape but cannot be used, e.g. labels that do not match.
    #[error("{operation}: {reason}")]
    Unusable {
        /// The operation.
        operation: &'static str,
        /// Why, and what to do.
        reason: String,
    },
    /// The person or the system asked the work to stop.
    #[error("interrupted")]
    Interrupted,
    /// A computation that should have converged did not.
    #[error("{operation} did not converge: {reason}")]
    NoConvergence {
        /// The operation.
        operation: &'static str,
        /// What was seen.
        reason: String,
    },
    /// The file system refused.
    #[error("{}: {source}", path.display())]
    File {
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// A run folder or checkpoint that cannot be used.
    #[error("{}: {reason}", path.display())]
    RunFolder {
        /// The folder or file.
        path: PathBuf,
        /// Why not.
        reason: String,
    },
}

/// Whose business an error is; the command line turns it into an exit code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorKind {
    /// The input or its settings: the person can mend it (exit code 2).
    Input,
    /// Stopped on request; the run can be resumed (exit code 3).
    Interrupted,
    /// Anything else (exit code 1).
    Internal,
}

impl Error {
    /// Whose business this error is.
    pub fn kind(&self) -> ErrorKind {
        match self {
            Error::Interrupted => ErrorKind::Interrupted,
            Error::NoConvergence { .. } => ErrorKind::Internal,
            Error::File { source, .. } if source.kind() == std::io::ErrorKind::StorageFull => {
                ErrorKind::Internal
            }
            _ => ErrorKind::Input,
        }
    }

    /// An [`Error::Setting`] from anything printable.
    pub fn setting(
        name: impl Into<String>,
        value: impl ToString,
        allowed: impl Into<String>,
    ) -> Self {
        Error::Setting {
            name: name.into(),
            value: value.to_string(),
            allowed: allowed.into(),
        }
    }

    /// An [`Error::File`] for a path.
    pub fn file(path: impl Into<PathBuf>, source: std::io::Error) -> Self {
        Error::File {
            path: path.into(),
            source,
        }
    }
}

/// The result of everything that can fail here.
pub type Result<T, E = Error> = std::result::Result<T, E>;
