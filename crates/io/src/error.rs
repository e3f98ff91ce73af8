//! What can go wrong between a file and typed data.

use std::path::Path;

use chiasm_core::ErrorKind;

use crate::printable::clean;

/// A file that could not be read, or written, as what it claims to be.
///
/// `file` is the path, or the name the bytes were handed over with. An array inside a container is
/// `container:member`.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The file system refused.
    #[error("{file}: {source}")]
    Io {
        /// The file or folder.
        file: String,
        /// What the system said.
        source: std::io::Error,
    },
    /// The content contradicts its format: truncated, lying or damaged.
    #[error("{file}: {field}{}: {reason}", at(.offset))]
    Malformed {
        /// The file.
        file: String,
        /// The part of the file that is wrong, in the format's own words.
        field: String,
        /// The byte at which that part stands, where known.
        offset: Option<u64>,
        /// What is wrong with it.
        reason: String,
    },
    /// Well-formed, but something Chiasm does not read.
    #[error("{file}: {field}: {reason}")]
    Unsupported {
        /// The file.
        file: String,
        /// The part that is not supported.
        field: String,
        /// Why not, and what to do instead.
        reason: String,
    },
    /// More data than the caller allowed: a zip bomb, or a file too big for what was asked.
    #[error("{file}: {field}: more than the limit of {limit} bytes")]
    TooLarge {
        /// The file.
        file: String,
        /// The part that is too large.
        field: String,
        /// The limit in bytes.
        limit: u64,
    },
    /// No known format fits the content and the name.
    #[error("{file}: {reason}")]
    UnknownFormat {
        /// The file.
        file: String,
        /// What was looked for and not found.
        reason: String,
    },
    /// Something that was asked for by name is not in the file.
    #[error("{file}: no {what} called {name:?}; there {}", choices(.available))]
    NotFound {
        /// The file.
        file: String,
        /// What kind of thing was asked for, e.g. `array` or `column`.
        what: &'static str,
        /// The name that was asked for.
        name: String,
        /// The names that are there.
        available: Vec<String>,
    },
    /// Typed data refused its parts.
    #[error(transparent)]
    Core(#[from] chiasm_core::Error),
}

/// The result of everything here.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    /// Whose business this error is.
    pub fn kind(&self) -> ErrorKind {
        match self {
            Error::Core(error) => error.kind(),
            // A full disk is no fault of the input.
            Error::Io { source, .. } if source.kind() == std::io::ErrorKind::StorageFull => {
                ErrorKind::Internal
            }
            _ => ErrorKind::Input,
        }
    }

    /// An [`Error::Io`] for a path.
    pub fn io(path: &Path, source: std::io::Error) -> Self {
        Error::Io {
            file: path.display().to_string(),
            source,
        }
    }

    /// What is wrong, without the name of the file and of the part `field` of it, for a list in which
    /// both are said already.
    pub(crate) fn without(&self, file: &str, field: &str) -> String {
        let text = self.to_string();
        let strip = |text: &str, name: &str| {
            let rest = text.strip_prefix(name)?.strip_prefix(": ")?;
            Some(rest.to_string())
        };
        let text = strip(&text, file).unwrap_or(text);
        strip(&text, field).unwrap_or(text)
    }

    /// An [`Error::Malformed`] whose place is not known.
    pub fn malformed(
        file: impl Into<String>,
        field: impl Into<String>,
        reason: impl Into<String>,
    ) -> Self {
        Error::Malformed {
            file: file.into(),
            field: clean(&field.into()),
            offset: None,
            reason: clean(&reason.into()),
        }
    }

    /// An [`Error::Malformed`] at a byte of the file.
    pub fn malformed_at(
        file: impl Into<String>,
        field: impl Into<String>,
        offset: u64,
        reason: impl Into<String>,
    ) -> Self {
        Error::Malformed {
            file: file.into(),
            field: clean(&field.into()),
            offset: Some(offset),
            reason: clean(&reason.into()),
        }
    }

    /// An [`Error::Unsupported`].
    pub fn unsupported(
        file: impl Into<String>,
        field: impl Into<String>,
        reason: impl Into<String>,
    ) -> Self {
        Error::Unsupported {
            file: file.into(),
            field: clean(&field.into()),
            reason: clean(&reason.into()),
        }
    }
}

fn at(offset: &Option<u64>) -> String {
    offset.map_or_else(String::new, |offset| format!(" at byte {offset}"))
}

fn choices(available: &[String]) -> String {
    const SHOWN: usize = 12;
    let shown = available.iter().take(SHOWN).map(|name| clean(name));
    let shown: Vec<String> = shown.collect();
    match available.len() {
        0 => "are none".to_string(),
        1 => format!("is only {:?}", available[0]),
        n if n <= SHOWN => format!("are: {}", shown.join(", ")),
        n => format!("are {n}: {}, …", shown.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_disk_is_not_the_inputs_fault() {
        let io = |kind: std::io::ErrorKind| Error::io(Path::new("a.npy"), kind.into()).kind();
        assert_eq!(io(std::io::ErrorKind::StorageFull), ErrorKind::Internal);
        assert_eq!(io(std::io::ErrorKind::NotFound), ErrorKind::Input);
    }

    #[test]
    fn names_from_files_cannot_write_on_the_terminal() {
        let name = "x\x1b[31m\u{202e}y";
        let missing = Error::NotFound {
            file: "a.h5".to_string(),
            what: "array",
            name: name.to_string(),
            available: vec![name.to_string(), name.to_string()],
        };
        for error in [
            Error::malformed("a.h5", name, name),
            Error::malformed_at("a.h5", name, 1, name),
            Error::unsupported("a.h5", name, name),
            missing,
        ] {
            let text = error.to_string();
            assert!(!text.contains(['\x1b', '\u{202e}']), "{text:?}");
        }
    }

    #[test]
    fn what_is_said_already_is_left_out() {
        let error = Error::malformed("a.nwb", "/units/id", "is empty");
        assert_eq!(error.without("a.nwb", "/units/id"), "is empty");
        assert_eq!(error.without("a.nwb", "/units"), "/units/id: is empty");
    }
}
