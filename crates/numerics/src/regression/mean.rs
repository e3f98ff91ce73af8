//! The baseline of every encoding score: each target's mean over the training rows, whatever the features.

use chiasm_core::{Error, Result};
use ndarray::Array2;

use super::checks::batches;
use super::columns::{Columns, column_means};
use super::real::Real;
use super::source::ResponseSource;

/// The mean response of each target.
#[derive(Clone, Debug, PartialEq)]
pub struct MeanFit {
    /// One number a target.
    pub means: Vec<f64>,
}

/// Takes the means over all rows of `y`, a few MiB of targets at a time.
///
/// # Errors
/// [`Error::TooFew`] without rows or targets; [`Error::NotFinite`]; what the source fails with.
pub fn fit_mean<T: Real, S: ResponseSource<T>>(y: &S) -> Result<MeanFit> {
    for (what, found) in [("rows", y.row_count()), ("targets", y.target_count())] {
        if found == 0 {
            return Err(Error::TooFew {
                operation: "mean",
                what,
                found,
                needed: 1,
            });
        }
    }
    let rows: Vec<usize> = (0..y.row_count()).collect();
    let mut means = Vec::with_capacity(y.target_count());
    let mut responses = Columns::default();
    for batch in batches::<T>(y.target_count(), rows.len(), 32) {
        responses.read(y, &rows, batch)?;
        means.extend(column_means(&responses));
    }
    Ok(MeanFit { means })
}

impl MeanFit {
    /// The same prediction for each of `rows` rows.
    pub fn predict<T: Real>(&self, rows: usize) -> Array2<T> {
        Array2::from_shape_fn((rows, self.means.len()), |(_, target)| {
            T::from_double(self.means[target])
        })
    }
}
