//! Responses in memory or on disk, as the regression takes them.

use std::ops::Range;
use std::path::Path;
use std::sync::Mutex;

use chiasm_core::{Error, Result};
use chiasm_io::array::Array;
use chiasm_io::numpy::{self, MatrixFile};
use chiasm_numerics::regression::{Real, ResponseSource};
use ndarray::{Array2, ArrayD, ArrayViewMut2};

/// A `.npy` file of more bytes than this stays on disk.
const MOST_IN_MEMORY: u64 = 1 << 30;

/// Trials x targets, before the number type is chosen.
pub(super) enum Stored {
    Single(Array2<f32>),
    Double(Array2<f64>),
    OnDisk(Mutex<MatrixFile>, bool),
}

/// Responses with the sizes they came in.
pub(super) struct Responses {
    pub(super) stored: Stored,
    /// Trials x targets, or repeats x stimuli x targets.
    pub(super) shape: Vec<usize>,
}

impl Responses {
    /// Opens a large `.npy` file in blocks; `None` for any other.
    pub(super) fn on_disk(path: &Path) -> chiasm_io::Result<Option<Self>> {
        let large = std::fs::metadata(path).is_ok_and(|facts| facts.len() > MOST_IN_MEMORY);
        let npy = large && chiasm_io::format::detect(path)? == chiasm_io::format::Format::Npy;
        if !npy {
            return Ok(None);
        }
        // Other element types and orders are read as a whole.
        let Ok((file, shape)) = MatrixFile::open_flattened(path) else {
            return Ok(None);
        };
        let single = file.is_single();
        let stored = Stored::OnDisk(Mutex::new(file), single);
        Ok(Some(Responses { stored, shape }))
    }

    /// Takes an array of one (a single target) to three axes; the caller has counted them.
    pub(super) fn in_memory(array: Array, what: &str) -> chiasm_io::Result<Self> {
        let mut shape = array.shape().to_vec();
        if shape.len() == 1 {
            shape.push(1);
        }
        let single = matches!(
            array.dtype(),
            "f32" | "f16" | "bf16" | "bool" | "i8" | "u8" | "i16" | "u16"
        );
        let stored = if single {
            let dtype = array.dtype();
            let values = array
                .into_exact_f32()
                .ok_or_else(|| chiasm_io::Error::unsupported(what, "element type", dtype))?;
            Stored::Single(flat(values, &shape, what)?)
        } else {
            Stored::Double(flat(array.into_f64(what)?, &shape, what)?)
        };
        Ok(Responses { stored, shape })
    }

    /// Whether singles hold the numbers exactly.
    pub(super) fn is_single(&self) -> bool {
        match &self.stored {
            Stored::Single(_) => true,
            Stored::Double(_) => false,
            Stored::OnDisk(_, single) => *single,
        }
    }

    fn dim(&self) -> (usize, usize) {
        let targets = self.shape.last().copied().unwrap_or(0);
        let trials = self.shape[..self.shape.len().saturating_sub(1)]
            .iter()
            .product();
        (trials, targets)
    }
}

/// All axes but the last as rows.
fn flat<T: Clone>(values: ArrayD<T>, shape: &[usize], what: &str) -> chiasm_io::Result<Array2<T>> {
    let targets = shape.last().copied().unwrap_or(0);
    let trials = values.len() / targets.max(1);
    values
        .as_standard_layout()
        .into_owned()
        .into_shape_with_order((trials, targets))
        .map_err(|error| chiasm_io::Error::malformed(what, "shape", error.to_string()))
}

/// The number types of regression and of files.
pub(super) trait Number: Real + numpy::Real + Into<f64> {}
impl Number for f32 {}
impl Number for f64 {}

impl<T: Number> ResponseSource<T> for Responses {
    fn row_count(&self) -> usize {
        self.dim().0
    }

    fn target_count(&self) -> usize {
        self.dim().1
    }

    fn read(
        &self,
        rows: &[usize],
        targets: Range<usize>,
        mut into: ArrayViewMut2<'_, T>,
    ) -> Result<()> {
        match &self.stored {
            Stored::Single(values) => {
                copy(
                    rows,
                    |row, j| T::from_f32(values[[row, targets.start + j]]),
                    &mut into,
                );
                Ok(())
            }
            Stored::Double(values) => {
                copy(
                    rows,
                    |row, j| T::from_f64(values[[row, targets.start + j]]),
                    &mut into,
                );
                Ok(())
            }
            Stored::OnDisk(file, _) => {
                let mut file = file.lock().map_err(|_| Error::Unusable {
                    operation: "responses",
                    reason: "an earlier read failed".to_string(),
                })?;
                // Rows in pieces: only those that are wanted, neighbours in one read.
                for stretch in neighbours(rows) {
                    let (first, count) = (rows[stretch.start], stretch.len());
                    let block: Array2<T> = file
                        .read_stored_block(first..first + count, targets.clone())
                        .map_err(|error| Error::Unusable {
                            operation: "responses",
                            reason: error.to_string(),
                        })?;
                    for (i, row) in stretch.zip(block.rows()) {
                        into.row_mut(i).assign(&row);
                    }
                }
                Ok(())
            }
        }
    }
}

fn copy<T: Number>(
    rows: &[usize],
    value: impl Fn(usize, usize) -> T,
    into: &mut ArrayViewMut2<'_, T>,
) {
    // A few columns at a time, so that neither side is read or written element by far element.
    const STRIP: usize = 32;
    for first in (0..into.ncols()).step_by(STRIP) {
        let end = (first + STRIP).min(into.ncols());
        for (i, &row) in rows.iter().enumerate() {
            for j in first..end {
                into[[i, j]] = value(row, j);
            }
        }
    }
}

/// Ranges of places whose rows follow each other, of at most so many rows that a block stays small.
fn neighbours(rows: &[usize]) -> Vec<Range<usize>> {
    const MOST: usize = 1024;
    let mut ranges: Vec<Range<usize>> = Vec::new();
    for (place, &row) in rows.iter().enumerate() {
        match ranges.last_mut() {
            Some(range) if row == rows[range.end - 1] + 1 && range.len() < MOST => {
                range.end = place + 1;
            }
            _ => ranges.push(place..place + 1),
        }
    }
    ranges
}
