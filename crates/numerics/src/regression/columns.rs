//! Column-major storage that both `ndarray` and `faer` read, and batches of responses in it.

use std::ops::Range;

use chiasm_core::{Error, Result};
use faer::{Accum, MatMut, MatRef, Par};
use ndarray::{Array2, ArrayViewMut2, ShapeBuilder};
use rayon::prelude::*;

use super::real::Real;
use super::source::ResponseSource;

/// A matrix whose columns are contiguous.
#[derive(Clone, Debug, Default)]
pub(super) struct Columns<T> {
    values: Vec<T>,
    rows: usize,
    columns: usize,
}

impl<T: Real> Columns<T> {
    pub(super) fn zeros(rows: usize, columns: usize) -> Self {
        Columns {
            values: vec![T::zero(); rows * columns],
            rows,
            columns,
        }
    }

    /// Changes the shape and keeps the memory; the entries are whatever they are.
    pub(super) fn reshape(&mut self, rows: usize, columns: usize) {
        self.values.resize(rows * columns, T::zero());
        (self.rows, self.columns) = (rows, columns);
    }

    pub(super) fn rows(&self) -> usize {
        self.rows
    }

    pub(super) fn columns(&self) -> usize {
        self.columns
    }

    pub(super) fn column(&self, column: usize) -> &[T] {
        &self.values[column * self.rows..(column + 1) * self.rows]
    }

    pub(super) fn column_mut(&mut self, column: usize) -> &mut [T] {
        &mut self.values[column * self.rows..(column + 1) * self.rows]
    }

    /// Some columns.
    pub(super) fn range(&self, columns: Range<usize>) -> MatRef<'_, T> {
        let values = &self.values[columns.start * self.rows..columns.end * self.rows];
        MatRef::from_column_major_slice(values, self.rows, columns.len())
    }

    pub(super) fn range_mut(&mut self, columns: Range<usize>) -> MatMut<'_, T> {
        let values = &mut self.values[columns.start * self.rows..columns.end * self.rows];
        MatMut::from_column_major_slice_mut(values, self.rows, columns.len())
    }

    /// All columns, in order; none where columns are empty.
    pub(super) fn each(&self) -> impl IndexedParallelIterator<Item = &[T]> {
        self.values.par_chunks_exact(self.rows.max(1))
    }

    pub(super) fn each_mut(&mut self) -> impl IndexedParallelIterator<Item = &mut [T]> {
        self.values.par_chunks_exact_mut(self.rows.max(1))
    }

    pub(super) fn mat(&self) -> MatRef<'_, T> {
        MatRef::from_column_major_slice(&self.values, self.rows, self.columns)
    }

    pub(super) fn mat_mut(&mut self) -> MatMut<'_, T> {
        MatMut::from_column_major_slice_mut(&mut self.values, self.rows, self.columns)
    }

    fn view_mut(&mut self) -> Result<ArrayViewMut2<'_, T>> {
        ArrayViewMut2::from_shape((self.rows, self.columns).f(), &mut self.values).map_err(internal)
    }

    pub(super) fn into_array(self) -> Result<Array2<T>> {
        Array2::from_shape_vec((self.rows, self.columns).f(), self.values).map_err(internal)
    }

    /// Reads `rows` of a range of targets and fails where a response is NaN or infinite.
    pub(super) fn read<S: ResponseSource<T>>(
        &mut self,
        source: &S,
        rows: &[usize],
        targets: Range<usize>,
    ) -> Result<()> {
        self.reshape(rows.len(), targets.len());
        source.read(rows, targets.clone(), self.view_mut()?)?;
        let bad: Vec<(usize, usize)> = self
            .each()
            .enumerate()
            .filter_map(|(target, column)| {
                let place = column.iter().position(|value| !value.is_finite())?;
                Some((place, target))
            })
            .collect();
        match bad.first() {
            None => Ok(()),
            Some(&(place, target)) => Err(Error::NotFinite {
                what: "the responses".to_string(),
                count: bad
                    .iter()
                    .map(|&(_, target)| {
                        let column = self.column(target).iter();
                        column.filter(|value| !value.is_finite()).count()
                    })
                    .sum(),
                first: format!("row {}, target {}", rows[place], targets.start + target),
            }),
        }
    }
}

/// `left · right` on all cores, the shape of `target` set to fit.
pub(super) fn product<T: Real>(target: &mut Columns<T>, left: MatRef<'_, T>, right: MatRef<'_, T>) {
    target.reshape(left.nrows(), right.ncols());
    faer::linalg::matmul::matmul(
        target.mat_mut(),
        Accum::Replace,
        left,
        right,
        T::one(),
        Par::rayon(0),
    );
}

/// Means of all columns in double precision.
pub(super) fn column_means<T: Real>(columns: &Columns<T>) -> Vec<f64> {
    let rows = columns.rows().max(1) as f64;
    columns
        .each()
        .map(|column| column.iter().map(|value| value.to_double()).sum::<f64>() / rows)
        .collect()
}

/// Takes `means` off all columns.
pub(super) fn subtract<T: Real>(columns: &mut Columns<T>, means: &[f64]) {
    columns.each_mut().zip(means).for_each(|(column, &mean)| {
        for value in column {
            *value = T::from_double(value.to_double() - mean);
        }
    });
}

fn internal(error: ndarray::ShapeError) -> Error {
    Error::Unusable {
        operation: "regression",
        reason: error.to_string(),
    }
}
