//! Where responses come from: an array, a file that is mapped, anything that gives a range of targets.

use std::ops::Range;

use chiasm_core::{Error, Result};
use ndarray::{ArrayBase, ArrayViewMut2, Data, Ix2};
use rayon::prelude::*;

use super::real::Real;

/// Responses, rows x targets, read a range of targets at a time, so that they need not be in memory at once.
///
/// Cross-validation reads every target once a fold and once more for the final fit.
pub trait ResponseSource<T>: Sync {
    /// Samples (stimuli, time points).
    fn row_count(&self) -> usize;
    /// Voxels, neurons, sensors.
    fn target_count(&self) -> usize;
    /// Writes the response of row `rows[i]` in target `targets.start + j` into `into[[i, j]]`. `into` is
    /// contiguous along rows (column-major). Every row is below [`ResponseSource::row_count`], every target below
    /// [`ResponseSource::target_count`].
    ///
    /// # Errors
    /// Whatever keeps the responses from being read.
    fn read(&self, rows: &[usize], targets: Range<usize>, into: ArrayViewMut2<'_, T>)
    -> Result<()>;
}

impl<T: Real, D: Data<Elem = T> + Sync> ResponseSource<T> for ArrayBase<D, Ix2> {
    fn row_count(&self) -> usize {
        self.nrows()
    }

    fn target_count(&self) -> usize {
        self.ncols()
    }

    fn read(
        &self,
        rows: &[usize],
        targets: Range<usize>,
        mut into: ArrayViewMut2<'_, T>,
    ) -> Result<()> {
        // A few columns at a time: whole cache lines are read where this array is row-major, and whole
        // columns are written.
        const STRIP: usize = 32;
        into.axis_chunks_iter_mut(ndarray::Axis(1), STRIP)
            .into_par_iter()
            .enumerate()
            .for_each(|(strip, mut part)| {
                let first = targets.start + strip * STRIP;
                for (i, &row) in rows.iter().enumerate() {
                    for j in 0..part.ncols() {
                        part[[i, j]] = self[[row, first + j]];
                    }
                }
            });
        Ok(())
    }
}

/// Some rows of another source, e.g. the training rows of an outer fold, in their given order.
#[derive(Clone, Copy, Debug)]
pub struct SelectedRows<'a, S> {
    source: &'a S,
    selected: &'a [usize],
}

impl<'a, S> SelectedRows<'a, S> {
    /// # Errors
    /// [`Error::Shape`] where a selected row does not exist.
    pub fn new<T>(source: &'a S, selected: &'a [usize]) -> Result<Self>
    where
        S: ResponseSource<T>,
    {
        if let Some(&row) = selected.iter().find(|&&row| row >= source.row_count()) {
            return Err(Error::Shape {
                operation: "responses",
                what: "a selected row".to_string(),
                axis: "rows",
                found: row,
                expected: format!("below {}", source.row_count()),
            });
        }
        Ok(SelectedRows { source, selected })
    }
}

impl<T, S: ResponseSource<T>> ResponseSource<T> for SelectedRows<'_, S> {
    fn row_count(&self) -> usize {
        self.selected.len()
    }

    fn target_count(&self) -> usize {
        self.source.target_count()
    }

    fn read(
        &self,
        rows: &[usize],
        targets: Range<usize>,
        into: ArrayViewMut2<'_, T>,
    ) -> Result<()> {
        let rows: Vec<usize> = rows.iter().map(|&row| self.selected[row]).collect();
        self.source.read(&rows, targets, into)
    }
}
