//! Where the bytes of a file come from, and the walls around the crate that interprets them.

use std::cell::Cell;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Once};

use hdf5_pure::FormatError;

use crate::error::{Error, Result};

/// What one call costs beside its bytes: it bounds structures that make a reader go round in
/// circles over a few bytes.
const COST_OF_A_READ: u64 = 256;

/// Stack for the parsing thread. A datatype message can nest some 8000 types, and they are parsed by
/// recursion; pages that are not touched cost nothing.
const STACK: usize = 256 << 20;

/// A file's bytes, in memory or on disk, with a limit on how much of them may be read.
pub(super) struct Bytes {
    data: Data,
    length: u64,
    budget: AtomicU64,
}

enum Data {
    Memory(Vec<u8>),
    Disk(std::fs::File),
}

impl Bytes {
    pub(super) fn memory(data: Vec<u8>) -> Self {
        let length = data.len() as u64;
        Bytes {
            data: Data::Memory(data),
            length,
            budget: AtomicU64::new(0),
        }
    }

    pub(super) fn disk(file: std::fs::File, length: u64) -> Self {
        Bytes {
            data: Data::Disk(file),
            length,
            budget: AtomicU64::new(0),
        }
    }

    pub(super) fn length(&self) -> u64 {
        self.length
    }

    /// Allows `bytes` more to be read, from now on.
    pub(super) fn allow(&self, bytes: u64) {
        self.budget.store(bytes, Ordering::Relaxed);
    }

    /// Fills `buffer` from `offset`.
    pub(super) fn read(&self, offset: u64, buffer: &mut [u8]) -> Result<(), String> {
        let length = buffer.len() as u64;
        let inside = offset
            .checked_add(length)
            .is_some_and(|end| end <= self.length);
        if !inside {
            return Err(format!(
                "points at byte {offset} for {length} bytes, past the end of the file ({} bytes)",
                self.length
            ));
        }
        let cost = length + COST_OF_A_READ;
        self.budget
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| {
                left.checked_sub(cost)
            })
            .map_err(|_| {
                "its structure takes more reading than any sound file of this size needs"
                    .to_string()
            })?;
        match &self.data {
            Data::Memory(data) => {
                let start = usize::try_from(offset).map_err(|_| "offset too large".to_string())?;
                buffer.copy_from_slice(&data[start..start + buffer.len()]);
                Ok(())
            }
            Data::Disk(file) => read_at(file, offset, buffer).map_err(|error| error.to_string()),
        }
    }

    /// `length` bytes from `offset`.
    pub(super) fn take(&self, offset: u64, length: u64) -> Result<Vec<u8>, String> {
        if offset
            .checked_add(length)
            .is_none_or(|end| end > self.length)
        {
            // Checked before anything is allocated; the words are those of `read`.
            return Err(format!(
                "points at byte {offset} for {length} bytes, past the end of the file ({} bytes)",
                self.length
            ));
        }
        let mut buffer = vec![0; usize::try_from(length).map_err(|error| error.to_string())?];
        self.read(offset, &mut buffer)?;
        Ok(buffer)
    }
}

#[cfg(unix)]
fn read_at(file: &std::fs::File, offset: u64, buffer: &mut [u8]) -> std::io::Result<()> {
    std::os::unix::fs::FileExt::read_exact_at(file, buffer, offset)
}

#[cfg(windows)]
fn read_at(file: &std::fs::File, mut offset: u64, mut buffer: &mut [u8]) -> std::io::Result<()> {
    while !buffer.is_empty() {
        match std::os::windows::fs::FileExt::seek_read(file, buffer, offset)? {
            0 => return Err(std::io::ErrorKind::UnexpectedEof.into()),
            count => {
                buffer = &mut buffer[count..];
                offset += count as u64;
            }
        }
    }
    Ok(())
}

/// The same bytes as `hdf5-pure` wants them.
pub(super) struct Shared(pub(super) Arc<Bytes>);

impl hdf5_pure::Source for Shared {
    fn len(&self) -> u64 {
        self.0.length
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> Result<(), FormatError> {
        self.0.read(offset, buffer).map_err(FormatError::Source)
    }
}

thread_local! {
    static CONTAINED: Cell<bool> = const { Cell::new(false) };
}

/// Runs `work`, which interprets bytes from outside, on a thread of its own: a panic of the HDF5
/// crate on malformed bytes ends that thread and becomes an error, and a datatype nested thousands
/// deep, which is parsed by recursion, meets a stack that is large enough.
pub(super) fn contained<T: Send>(
    file: &str,
    object: &str,
    work: impl FnOnce() -> Result<T> + Send,
) -> Result<T> {
    quiet_contained_panics();
    std::thread::scope(|scope| {
        let running = std::thread::Builder::new()
            .name("hdf5".to_string())
            .stack_size(STACK)
            .spawn_scoped(scope, || {
                CONTAINED.set(true);
                work()
            })
            .map_err(|source| Error::Io {
                file: file.to_string(),
                source,
            })?;
        running.join().unwrap_or_else(|_| {
            Err(Error::malformed(
                file,
                object,
                "so damaged that it cannot be interpreted",
            ))
        })
    })
}

/// Keeps the panics that [`contained`] turns into errors off the terminal. All other panics go where
/// they went before.
fn quiet_contained_panics() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let previous = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            if !CONTAINED.get() {
                previous(panic);
            }
        }));
    });
}
