//! Writing `.npy` and `.npz`: version 1.0, little-endian, C order.

use std::io::{self, BufWriter, Write};
use std::path::Path;

use ndarray::{ArrayBase, ArrayView, Data, Dimension, IxDyn};
use tempfile::NamedTempFile;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

use crate::{Error, Result};

/// The data begins at a multiple of this, so that it can be mapped.
const ALIGNMENT: usize = 64;

/// Elements that can be written.
pub trait Writable: Copy + sealed::Sealed {
    /// NumPy's name for the element type.
    const DESCR: &'static str;
    /// Appends the element's little-endian bytes.
    fn put(self, bytes: &mut Vec<u8>);
}

mod sealed {
    pub trait Sealed {}
}

macro_rules! writable {
    ($($type:ty, $descr:literal;)*) => {
        $(
            impl sealed::Sealed for $type {}
            impl Writable for $type {
                const DESCR: &'static str = $descr;
                fn put(self, bytes: &mut Vec<u8>) {
                    bytes.extend_from_slice(&self.to_le_bytes());
                }
            }
        )*
    };
}

writable! {
    i8, "|i1"; u8, "|u1";
    i16, "<i2"; u16, "<u2";
    i32, "<i4"; u32, "<u4";
    i64, "<i8"; u64, "<u8";
    f32, "<f4"; f64, "<f8";
}

impl sealed::Sealed for bool {}
impl Writable for bool {
    const DESCR: &'static str = "|b1";
    fn put(self, bytes: &mut Vec<u8>) {
        bytes.push(u8::from(self));
    }
}

/// Writes an array as a `.npy` file, whole or not at all.
pub fn write_npy<T, S, D>(path: &Path, array: &ArrayBase<S, D>) -> Result<()>
where
    T: Writable,
    S: Data<Elem = T>,
    D: Dimension,
{
    write_aside(path, |out| write_to(out, array.view().into_dyn()))
}

/// Writes named arrays of one element type as a `.npz` archive, whole or not at all. The bytes
/// depend on the arrays alone: no times are stored.
pub fn write_npz<T: Writable>(
    path: &Path,
    arrays: &[(&str, ArrayView<'_, T, IxDyn>)],
    compressed: bool,
) -> Result<()> {
    let method = if compressed {
        CompressionMethod::Deflated
    } else {
        CompressionMethod::Stored
    };
    for (index, (name, _)) in arrays.iter().enumerate() {
        if arrays[..index].iter().any(|(earlier, _)| earlier == name) {
            return Err(Error::unsupported(
                path.display().to_string(),
                "archive",
                format!("two arrays called {name:?}"),
            ));
        }
    }
    write_aside(path, |out| {
        let mut archive = ZipWriter::new(out);
        for (name, array) in arrays {
            let large = array.len().saturating_mul(size_of::<T>()) >= u32::MAX as usize - 4096;
            let options = SimpleFileOptions::default()
                .compression_method(method)
                .large_file(large);
            archive.start_file(format!("{name}.npy"), options)?;
            write_to(&mut archive, array.view())?;
        }
        archive.finish()?;
        Ok(())
    })
}

/// Writes to a file beside `path`, then gives it the name.
pub(crate) fn write_aside(
    path: &Path,
    write: impl FnOnce(&mut BufWriter<NamedTempFile>) -> io::Result<()>,
) -> Result<()> {
    let failed = |source| Error::io(path, bare(source));
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    let file = NamedTempFile::new_in(folder).map_err(failed)?;
    let mut out = BufWriter::new(file);
    write(&mut out).map_err(failed)?;
    let file = out
        .into_inner()
        .map_err(|error| failed(error.into_error()))?;
    file.persist(path).map_err(|error| failed(error.error))?;
    Ok(())
}

/// What the system said, without the name of the temporary file that `tempfile` puts around it: the
/// person asked for another file.
fn bare(error: io::Error) -> io::Error {
    let text = error.to_string();
    match text.split_once(" at path \"") {
        Some((said, _)) => io::Error::new(error.kind(), said.to_string()),
        None => error,
    }
}

fn write_to<T: Writable>(out: &mut dyn Write, array: ArrayView<'_, T, IxDyn>) -> io::Result<()> {
    out.write_all(&header(T::DESCR, array.shape()))?;
    let mut bytes = Vec::with_capacity(1 << 16);
    for &value in array.iter() {
        value.put(&mut bytes);
        if bytes.len() >= (1 << 16) - 8 {
            out.write_all(&bytes)?;
            bytes.clear();
        }
    }
    out.write_all(&bytes)
}

fn header(descr: &str, shape: &[usize]) -> Vec<u8> {
    let sizes: Vec<String> = shape.iter().map(usize::to_string).collect();
    let shape = if sizes.len() == 1 {
        format!("{},", sizes[0])
    } else {
        sizes.join(", ")
    };
    let mut text = format!("{{'descr': '{descr}', 'fortran_order': False, 'shape': ({shape}), }}");
    let bare = 10 + text.len() + 1;
    text.extend(std::iter::repeat_n(
        ' ',
        bare.next_multiple_of(ALIGNMENT) - bare,
    ));
    text.push('\n');
    let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
    // ndarray has at most some dozens of axes of 20 digits: far below 65 535 characters.
    bytes.extend_from_slice(&(text.len() as u16).to_le_bytes());
    bytes.extend_from_slice(text.as_bytes());
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_temporary_name_is_not_what_an_error_says() {
        let folder = tempfile::tempdir().unwrap().path().join("gone");
        let error = NamedTempFile::new_in(folder).unwrap_err();
        assert!(error.to_string().contains(".tmp"), "{error}");
        let (kind, error) = (error.kind(), bare(error));
        assert_eq!(error.kind(), kind);
        assert!(!error.to_string().contains("path"), "{error}");
        let full = io::Error::new(
            io::ErrorKind::StorageFull,
            "No space left at path \"/.tmpA\"",
        );
        let full = bare(full);
        assert_eq!(full.kind(), io::ErrorKind::StorageFull);
        assert_eq!(full.to_string(), "No space left");
    }
}
