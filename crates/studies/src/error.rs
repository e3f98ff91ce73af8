//! What can go wrong in a study: anything its parts can meet.

use chiasm_core::ErrorKind;

/// An error of one of a study's parts.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Methods, shapes, run folders.
    #[error(transparent)]
    Core(#[from] chiasm_core::Error),
    /// Files and the data catalogue.
    #[error(transparent)]
    Io(#[from] chiasm_io::Error),
    /// Networks and their training.
    #[error(transparent)]
    Network(#[from] chiasm_nn::Error),
}

impl Error {
    /// Whose business the error is.
    pub fn kind(&self) -> ErrorKind {
        match self {
            Error::Core(error) => error.kind(),
            Error::Io(error) => error.kind(),
            Error::Network(error) => error.kind(),
        }
    }
}

/// The result of a study's parts.
pub type Result<T, E = Error> = std::result::Result<T, E>;
