//! Errors as the person at the terminal meets them.

use std::process::ExitCode;

use chiasm_core::ErrorKind;

/// Why a command ended early.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    /// A file, catalogue or format problem.
    #[error(transparent)]
    Io(#[from] chiasm_io::Error),
    /// A study stopped.
    #[error(transparent)]
    Study(#[from] chiasm_studies::Error),
    /// Networks and their devices.
    #[error(transparent)]
    Network(#[from] chiasm_nn::Error),
    /// Anything the ground floor reports.
    #[error(transparent)]
    Core(#[from] chiasm_core::Error),
    /// Arguments that do not fit together.
    #[error("{0}")]
    Usage(String),
    /// A run that was stopped and can go on.
    #[error("interrupted; go on with: chiasm run --resume {0}")]
    Interrupted(String),
    /// A run that failed through no fault of its input and can go on.
    #[error("{error}; once that is mended, go on with: chiasm run --resume {root}")]
    Broken {
        /// What happened.
        error: String,
        /// The run's folder.
        root: String,
    },
    /// The system refused something that is not a file of the person's.
    #[error("{0}")]
    System(String),
}

impl Failure {
    /// 2 for what the person can mend, 3 for an interrupted run, 1 otherwise.
    pub(crate) fn exit_code(&self) -> ExitCode {
        let kind = match self {
            Failure::Io(error) => error.kind(),
            Failure::Study(error) => error.kind(),
            Failure::Network(error) => error.kind(),
            Failure::Core(error) => error.kind(),
            Failure::Usage(_) => ErrorKind::Input,
            Failure::Interrupted(_) => ErrorKind::Interrupted,
            Failure::System(_) | Failure::Broken { .. } => ErrorKind::Internal,
        };
        ExitCode::from(match kind {
            ErrorKind::Internal => 1,
            ErrorKind::Input => 2,
            ErrorKind::Interrupted => 3,
        })
    }
}

/// What a command returns.
pub(crate) type Outcome<T = ()> = Result<T, Failure>;
