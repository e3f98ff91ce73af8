//! Features with copies of themselves at other times, so that a linear model has a finite impulse response.
//!
//! y(t) = Σ_d Σ_j b[d, j] x_j(t - d). Delays never reach from one run into another: where a run has no sample at t - d, the
//! copy is 0 or the row is left out.

use chiasm_core::{Error, Result};
use ndarray::{Array2, ArrayView2, s};
use serde::{Deserialize, Serialize};

use super::real::Real;

/// What becomes of rows near the ends of a run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RunEdge {
    /// Delayed copies are 0 where the run has no sample; every row stays.
    #[default]
    Zero,
    /// Rows of which a delayed copy is missing are left out.
    Trim,
}

/// Features at several delays.
#[derive(Clone, Debug, PartialEq)]
pub struct DelayedFeatures<T> {
    /// Rows x (delays x features): all features at the first delay, then all at the second, and so on.
    pub features: Array2<T>,
    /// Which rows of the input these are, rising; responses must be taken at the same rows.
    pub rows: Vec<usize>,
}

/// Copies of `x` (samples x features) at `delays` samples, within runs. A positive delay lets the past of the features
/// predict the response, a negative one their future. `runs` labels the run of each sample; samples of a run
/// stand together, in time order.
///
/// # Errors
/// [`Error::Shape`] where labels and samples differ; [`Error::TooFew`] without delays, or where trimming leaves nothing;
/// [`Error::Setting`] for a repeated delay; [`Error::Unusable`] where a run is scattered.
pub fn delayed_features<T: Real>(
    x: ArrayView2<'_, T>,
    runs: &[usize],
    delays: &[isize],
    edge: RunEdge,
) -> Result<DelayedFeatures<T>> {
    if runs.len() != x.nrows() {
        return Err(Error::Shape {
            operation: "delays",
            what: "the run labels".to_string(),
            axis: "samples",
            found: runs.len(),
            expected: x.nrows().to_string(),
        });
    }
    if delays.is_empty() {
        return Err(too_few("delays"));
    }
    for (place, delay) in delays.iter().enumerate() {
        if delays[..place].contains(delay) {
            return Err(Error::setting("delays", delay, "each delay once"));
        }
    }
    // The sample `delay` before each, if the run has one.
    let mut seen = std::collections::HashSet::new();
    let mut bounds = Vec::with_capacity(runs.len());
    for run in runs.chunk_by(|a, b| a == b) {
        if !seen.insert(run[0]) {
            return Err(Error::Unusable {
                operation: "delays",
                reason: format!("samples of run {} do not stand together", run[0]),
            });
        }
        let start = bounds.len();
        bounds.extend(std::iter::repeat_n(start..start + run.len(), run.len()));
    }
    let source = |row: usize, delay: isize| {
        let at = row.checked_add_signed(delay.checked_neg()?)?;
        bounds[row].contains(&at).then_some(at)
    };
    let rows: Vec<usize> = (0..x.nrows())
        .filter(|&row| {
            edge == RunEdge::Zero || delays.iter().all(|&delay| source(row, delay).is_some())
        })
        .collect();
    if rows.is_empty() {
        return Err(too_few("samples inside a run's edges"));
    }
    let width = x.ncols();
    let mut features = Array2::zeros((rows.len(), delays.len() * width));
    for (place, &row) in rows.iter().enumerate() {
        for (block, &delay) in delays.iter().enumerate() {
            if let Some(at) = source(row, delay) {
                features
                    .slice_mut(s![place, block * width..(block + 1) * width])
                    .assign(&x.row(at));
            }
        }
    }
    Ok(DelayedFeatures { features, rows })
}

fn too_few(what: &'static str) -> Error {
    Error::TooFew {
        operation: "delays",
        what,
        found: 0,
        needed: 1,
    }
}
