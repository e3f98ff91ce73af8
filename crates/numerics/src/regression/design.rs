//! Features made ready for ridge: centred, scaled, and decomposed in the smaller of their two spaces.
//!
//! With centred and scaled features X (training rows n x features p) and rank m:
//! - primal (p ≤ n): eigenvectors V of X'X (p x p), eigenvalues λ; left basis U = X V λ^-½;
//! - dual (p > n): eigenvectors U of X X' (n x n).
//!
//! Either way the ridge prediction of rows Z with penalty α is
//! `Z V λ^-½ · diag(λ / (λ + α)) · U' Y`, where Z V λ^-½ = Z X' U λ^-1: neither X'X is formed where p > n nor X X' where
//! p < n. Products of features are summed in double precision, panel by panel, so no double-precision copy
//! of the features is ever held.

use chiasm_core::{Error, Result};
use faer::linalg::matmul::triangular::{self, BlockStructure};
use faer::{Accum, Mat, MatRef, Par, Side};
use ndarray::ArrayView2;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::columns::Columns;
use super::real::Real;

/// In which space the equations are solved; both give the same predictions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Form {
    /// Primal where there are no more features than training rows, else dual.
    #[default]
    Automatic,
    /// Features x features.
    Primal,
    /// Rows x rows.
    Dual,
}

impl Form {
    pub(super) fn is_dual(self, rows: usize, features: usize) -> bool {
        match self {
            Form::Automatic => features > rows,
            Form::Primal => false,
            Form::Dual => true,
        }
    }
}

/// What is taken off each feature and what it is then multiplied by, from training rows alone.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Centring {
    pub(super) mean: Vec<f64>,
    pub(super) scale: Vec<f64>,
}

impl Centring {
    /// Means where `intercept`, else 0; 1 / standard deviation (divided by n) where `standardise`, else 1.
    /// Constant features keep the scale 1: centred they are 0 and play no part.
    pub(super) fn of<T: Real>(
        x: ArrayView2<'_, T>,
        rows: &[usize],
        intercept: bool,
        standardise: bool,
    ) -> Self {
        let count = rows.len().max(1) as f64;
        // Strips of features in parallel, rows in order: sums do not depend on the threads.
        const STRIP: usize = 256;
        let strips: Vec<(Vec<f64>, Vec<f64>)> = (0..x.ncols())
            .step_by(STRIP)
            .collect::<Vec<_>>()
            .into_par_iter()
            .map(|first| {
                let width = STRIP.min(x.ncols() - first);
                let mut mean = vec![0.0; width];
                for &row in rows {
                    for (j, sum) in mean.iter_mut().enumerate() {
                        *sum += x[[row, first + j]].to_double();
                    }
                }
                for sum in &mut mean {
                    *sum /= count;
                }
                let mut scale = vec![1.0; width];
                if standardise {
                    let mut squares = vec![0.0; width];
                    for &row in rows {
                        for (j, sum) in squares.iter_mut().enumerate() {
                            *sum += (x[[row, first + j]].to_double() - mean[j]).powi(2);
                        }
                    }
                    for (j, sum) in squares.iter().enumerate() {
                        let deviation = (sum / count).sqrt();
                        // A constant feature leaves rounding errors of its mean.
                        if deviation > 8.0 * f64::EPSILON * mean[j].abs() {
                            scale[j] = 1.0 / deviation;
                        }
                    }
                }
                if !intercept {
                    mean.fill(0.0);
                }
                (mean, scale)
            })
            .collect();
        let (mut mean, mut scale) = (Vec::new(), Vec::new());
        for (means, scales) in strips {
            mean.extend(means);
            scale.extend(scales);
        }
        Centring { mean, scale }
    }

    /// Rows x a range of features, centred and scaled, in double precision.
    fn panel<T: Real>(
        &self,
        x: ArrayView2<'_, T>,
        rows: &[usize],
        features: std::ops::Range<usize>,
    ) -> Mat<f64> {
        let start = features.start;
        let mut panel = Mat::zeros(rows.len(), features.len());
        // Row by row within strips of features: x is usually row-major.
        for strip in features.clone().step_by(16) {
            let end = features.end.min(strip + 16);
            for (i, &row) in rows.iter().enumerate() {
                for feature in strip..end {
                    panel[(i, feature - start)] =
                        (x[[row, feature]].to_double() - self.mean[feature]) * self.scale[feature];
                }
            }
        }
        panel
    }

    /// Rows x all features, centred and scaled, in the type of the features.
    pub(super) fn apply<T: Real>(&self, x: ArrayView2<'_, T>, rows: &[usize]) -> Columns<T> {
        let mut target = Columns::zeros(rows.len(), x.ncols());
        target.each_mut().enumerate().for_each(|(feature, column)| {
            for (slot, &row) in column.iter_mut().zip(rows) {
                *slot = T::from_double(
                    (x[[row, feature]].to_double() - self.mean[feature]) * self.scale[feature],
                );
            }
        });
        target
    }

    /// Products of features over `rows` (features x features, lower triangle).
    pub(super) fn feature_products<T: Real>(
        &self,
        x: ArrayView2<'_, T>,
        rows: &[usize],
    ) -> Mat<f64> {
        let mut gram = Mat::zeros(x.ncols(), x.ncols());
        for some in rows.chunks(PANEL) {
            let panel = self.panel(x, some, 0..x.ncols());
            add_lower_product(&mut gram, panel.transpose());
        }
        gram
    }

    /// Products of training rows (lower triangle), and of test rows (rows of the result) with training rows.
    pub(super) fn row_products<T: Real>(
        &self,
        x: ArrayView2<'_, T>,
        features: std::ops::Range<usize>,
        train: &[usize],
        test: &[usize],
    ) -> (Mat<f64>, Mat<f64>) {
        let mut gram = Mat::zeros(train.len(), train.len());
        let mut cross = Mat::zeros(test.len(), train.len());
        for start in features.clone().step_by(PANEL) {
            let some = start..features.end.min(start + PANEL);
            let panel = self.panel(x, train, some.clone());
            add_lower_product(&mut gram, panel.as_ref());
            if !test.is_empty() {
                faer::linalg::matmul::matmul(
                    cross.as_mut(),
                    Accum::Add,
                    self.panel(x, test, some).as_ref(),
                    panel.transpose(),
                    1.0,
                    Par::rayon(0),
                );
            }
        }
        (gram, cross)
    }
}

const PANEL: usize = 512;

/// Adds `rows · rows'` to the lower triangle: half the work of the plain product.
fn add_lower_product(gram: &mut Mat<f64>, rows: MatRef<'_, f64>) {
    triangular::matmul(
        gram.as_mut(),
        BlockStructure::TriangularLower,
        Accum::Add,
        rows,
        BlockStructure::Rectangular,
        rows.transpose(),
        BlockStructure::Rectangular,
        1.0,
        Par::rayon(0),
    );
}

/// Features of one fold, decomposed: everything that predictions under any penalty need.
#[derive(Debug)]
pub(super) struct Spectrum<T> {
    /// Falling, all above the rounding error of the largest.
    pub(super) eigenvalues: Vec<f64>,
    /// Eigenvectors in columns: features x rank (primal) or training rows x rank (dual).
    pub(super) vectors: Mat<f64>,
    /// U: training rows x rank.
    pub(super) train: Columns<T>,
    /// Z V λ^-½: test rows x rank.
    pub(super) test: Columns<T>,
}

impl<T: Real> Spectrum<T> {
    /// Decomposes the features of `train` in the given form and carries `test` along.
    pub(super) fn of(
        x: ArrayView2<'_, T>,
        centring: &Centring,
        dual: bool,
        train: &[usize],
        test: &[usize],
    ) -> Result<Self> {
        if dual {
            let (gram, cross) = centring.row_products(x, 0..x.ncols(), train, test);
            Self::dual(gram.as_ref(), cross.as_ref(), x.ncols())
        } else {
            let gram = centring.feature_products(x, train);
            Self::primal(gram.as_ref(), x, centring, train, test)
        }
    }

    /// From the lower triangle of X'X of the training rows.
    pub(super) fn primal(
        gram: MatRef<'_, f64>,
        x: ArrayView2<'_, T>,
        centring: &Centring,
        train: &[usize],
        test: &[usize],
    ) -> Result<Self> {
        let (eigenvalues, vectors) = eigen(gram, train.len().max(x.ncols()))?;
        // One product gives both bases once the columns are scaled.
        let mut scaled = vectors.clone();
        for (j, &value) in eigenvalues.iter().enumerate() {
            let factor = 1.0 / value.sqrt();
            scaled.col_mut(j).iter_mut().for_each(|v| *v *= factor);
        }
        let project = |rows: &[usize]| {
            let mut basis = Columns::zeros(rows.len(), eigenvalues.len());
            for (block, some) in rows.chunks(PANEL).enumerate() {
                let part = centring.panel(x, some, 0..x.ncols()) * &scaled;
                basis.each_mut().enumerate().for_each(|(j, column)| {
                    for (slot, value) in column[block * PANEL..].iter_mut().zip(part.col(j).iter())
                    {
                        *slot = T::from_double(*value);
                    }
                });
            }
            basis
        };
        let (train, test) = (project(train), project(test));
        Ok(Spectrum {
            eigenvalues,
            vectors,
            train,
            test,
        })
    }

    /// From the lower triangle of X X' of the training rows, and the products of test with training rows.
    pub(super) fn dual(
        gram: MatRef<'_, f64>,
        cross: MatRef<'_, f64>,
        features: usize,
    ) -> Result<Self> {
        let (eigenvalues, vectors) = eigen(gram, gram.nrows().max(features))?;
        let rounded = |from: MatRef<'_, f64>, divide: bool| {
            let mut basis = Columns::zeros(from.nrows(), eigenvalues.len());
            basis.each_mut().enumerate().for_each(|(j, column)| {
                let by = if divide { eigenvalues[j] } else { 1.0 };
                for (slot, value) in column.iter_mut().zip(from.col(j).iter()) {
                    *slot = T::from_double(*value / by);
                }
            });
            basis
        };
        let test = rounded((cross * &vectors).as_ref(), true);
        let train = rounded(vectors.as_ref(), false);
        Ok(Spectrum {
            eigenvalues,
            vectors,
            train,
            test,
        })
    }
}

/// Eigenvalues that stand out from rounding error, falling, and their vectors.
fn eigen(lower: MatRef<'_, f64>, size: usize) -> Result<(Vec<f64>, Mat<f64>)> {
    let eigen = lower
        .self_adjoint_eigen(Side::Lower)
        .map_err(|error| Error::NoConvergence {
            operation: "eigendecomposition of the features",
            reason: format!("{error:?}"),
        })?;
    let values = eigen.S().column_vector();
    let count = values.nrows();
    let largest = if count == 0 { 0.0 } else { values[count - 1] };
    let floor = largest * f64::EPSILON * size as f64;
    // faer gives them rising.
    let kept = (0..count)
        .filter(|&j| values[j] > floor && values[j] > 0.0)
        .count();
    let falling = (0..kept).map(|j| values[count - 1 - j]).collect();
    let vectors = eigen.U();
    let mut chosen = Mat::zeros(vectors.nrows(), kept);
    for j in 0..kept {
        chosen.col_mut(j).copy_from(vectors.col(count - 1 - j));
    }
    Ok((falling, chosen))
}
