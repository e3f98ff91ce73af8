//! Partial least squares regression of many targets (PLS2).
//!
//! Component by component: the direction w of features whose scores X w have the largest summed squared covariance
//! with the targets (the first left singular vector of S = X'Y), then X and S are freed of what its scores explain. The
//! components are those of the NIPALS algorithm with deflation of X; here neither X nor Y is deflated, only S is,
//! and directions are carried as rotations R of the original features (Dayal and MacGregor 1997, first
//! modified kernel algorithm):
//!
//! r = w - Σ_j (p_j'w) r_j, t = X r, p = X't / t't, q = S'r / t't, S ← S - p q' t't; weights B = R Q'.
//!
//! Features and targets are centred, not scaled. All in double precision; memory is that of one double-precision copy of
//! features and responses and of S (features x targets).

use chiasm_core::{Error, Progress, Result};
use faer::linalg::matmul::matmul;
use faer::linalg::matmul::triangular::{self, BlockStructure};
use faer::{Accum, Col, ColRef, Mat, MatRef, Par, Side};
use ndarray::{Array2, ArrayView2};

use super::checks::{check_data, check_features};
use super::columns::{Columns, column_means};
use super::design::Centring;
use super::real::Real;
use super::source::ResponseSource;

/// Fitted components.
#[derive(Clone, Debug)]
pub struct PlsFit {
    feature_means: Vec<f64>,
    means: Vec<f64>,
    /// Features x components.
    rotations: Mat<f64>,
    /// Targets x components.
    loadings: Mat<f64>,
}

/// Fits `components` components, or fewer where the features have nothing left that goes with any target.
///
/// # Errors
/// [`Error::Setting`] for no component, or more than features or than rows less one; as [`super::fit_ridge`] for the data.
pub fn fit_pls<T: Real, S: ResponseSource<T>>(
    x: ArrayView2<'_, T>,
    y: &S,
    components: usize,
    progress: &Progress,
) -> Result<PlsFit> {
    check_data(x, y)?;
    let most = x.ncols().min(x.nrows() - 1);
    if components == 0 || components > most {
        return Err(Error::setting(
            "components",
            components,
            format!("from 1 to {most} (features, or rows less one)"),
        ));
    }
    let rows: Vec<usize> = (0..x.nrows()).collect();
    let centring = Centring::of(x, &rows, true, false);
    let features = centring.panel(x, &rows, 0..x.ncols());
    let (responses, means) = centred_responses(y, &rows)?;
    let (width, targets) = (x.ncols(), y.target_count());

    let mut covariance = Mat::zeros(width, targets);
    matmul(
        covariance.as_mut(),
        Accum::Replace,
        features.transpose(),
        responses.as_ref(),
        1.0,
        Par::rayon(0),
    );
    let start = covariance.norm_l2();
    let mut rotations = Mat::zeros(width, components);
    let mut feature_loadings: Mat<f64> = Mat::zeros(width, components);
    let mut loadings = Mat::zeros(targets, components);
    let mut found = 0;
    progress.begin("partial least squares", components as u64);
    while found < components && covariance.norm_l2() > 1e-13 * start {
        let weight = leading_left_vector(covariance.as_ref())?;
        let mut rotation = weight.clone();
        for earlier in 0..found {
            let overlap = feature_loadings.col(earlier).transpose() * &weight;
            rotation -= rotations.col(earlier) * overlap;
        }
        let scores = &features * &rotation;
        let length = scores.squared_norm_l2();
        // A direction without scores explains nothing: the features are used up.
        if !(length > 0.0) {
            break;
        }
        let feature_loading = (features.transpose() * &scores) * (1.0 / length);
        let loading = (covariance.transpose() * &rotation) * (1.0 / length);
        for target in 0..targets {
            let by = loading[target] * length;
            for (entry, p) in covariance
                .col_mut(target)
                .iter_mut()
                .zip(feature_loading.iter())
            {
                *entry -= p * by;
            }
        }
        rotations.col_mut(found).copy_from(&rotation);
        feature_loadings.col_mut(found).copy_from(&feature_loading);
        loadings.col_mut(found).copy_from(&loading);
        found += 1;
        progress.advance(1)?;
    }
    progress.end();
    Ok(PlsFit {
        feature_means: centring.mean,
        means,
        rotations: rotations.subcols(0, found).to_owned(),
        loadings: loadings.subcols(0, found).to_owned(),
    })
}

/// All responses about their means, in double precision.
fn centred_responses<T: Real, S: ResponseSource<T>>(
    y: &S,
    rows: &[usize],
) -> Result<(Mat<f64>, Vec<f64>)> {
    let mut read = Columns::default();
    read.read(y, rows, 0..y.target_count())?;
    let means = column_means(&read);
    let centred = Mat::from_fn(rows.len(), y.target_count(), |row, target| {
        read.column(target)[row].to_double() - means[target]
    });
    Ok((centred, means))
}

/// The first left singular vector, from the smaller of the two products of the matrix with itself.
fn leading_left_vector(matrix: MatRef<'_, f64>) -> Result<Col<f64>> {
    let normalised = |vector: Col<f64>| {
        let length = vector.norm_l2();
        vector * (1.0 / length)
    };
    if matrix.ncols() == 1 {
        return Ok(normalised(matrix.col(0).to_owned()));
    }
    if matrix.nrows() <= matrix.ncols() {
        leading_eigenvector(gram(matrix).as_ref())
    } else {
        let right = leading_eigenvector(gram(matrix.transpose()).as_ref())?;
        Ok(normalised(matrix * &right))
    }
}

/// `rows · rows'`, lower triangle by the triangular routine and then the upper one.
fn gram(rows: MatRef<'_, f64>) -> Mat<f64> {
    let size = rows.nrows();
    let mut product = Mat::zeros(size, size);
    triangular::matmul(
        product.as_mut(),
        BlockStructure::TriangularLower,
        Accum::Replace,
        rows,
        BlockStructure::Rectangular,
        rows.transpose(),
        BlockStructure::Rectangular,
        1.0,
        Par::rayon(0),
    );
    for j in 0..size {
        for i in j + 1..size {
            product[(j, i)] = product[(i, j)];
        }
    }
    product
}

/// By power iteration, or by the whole decomposition where the first two eigenvalues are too close for it.
fn leading_eigenvector(gram: MatRef<'_, f64>) -> Result<Col<f64>> {
    const STEPS: usize = 200;
    let largest_diagonal = (0..gram.nrows()).max_by(|&a, &b| gram[(a, a)].total_cmp(&gram[(b, b)]));
    let mut vector: Col<f64> = gram.col(largest_diagonal.unwrap_or(0)).to_owned();
    for _ in 0..STEPS {
        let length = vector.norm_l2();
        if !(length > 0.0) {
            break;
        }
        vector *= faer::Scale(1.0 / length);
        let next: Col<f64> = gram * &vector;
        let length = next.norm_l2();
        let change = distance(next.as_ref(), vector.as_ref(), length);
        vector = next;
        if change < 1e-15 * (gram.nrows() as f64).sqrt() {
            let length = vector.norm_l2();
            return Ok(vector * (1.0 / length));
        }
    }
    let eigen = gram
        .self_adjoint_eigen(Side::Lower)
        .map_err(|error| Error::NoConvergence {
            operation: "partial least squares",
            reason: format!("{error:?}"),
        })?;
    Ok(eigen.U().col(gram.nrows() - 1).to_owned())
}

fn distance(next: ColRef<'_, f64>, vector: ColRef<'_, f64>, length: f64) -> f64 {
    let squares = next.iter().zip(vector.iter());
    squares
        .map(|(next, old)| (next / length - old).powi(2))
        .sum::<f64>()
        .sqrt()
}

impl PlsFit {
    /// How many components there are.
    pub fn components(&self) -> usize {
        self.rotations.ncols()
    }

    /// Weights (features x targets) of the first `components` components: predictions are the training mean plus
    /// `(x - mean) · weights`.
    pub fn weights(&self, components: usize) -> Array2<f64> {
        let kept = components.min(self.components());
        let product = self.rotations.subcols(0, kept) * self.loadings.subcols(0, kept).transpose();
        Array2::from_shape_fn((product.nrows(), product.ncols()), |(i, j)| product[(i, j)])
    }

    /// Predictions (rows x targets) of new rows with all components.
    ///
    /// # Errors
    /// [`Error::Shape`] where the features are not as many as were fitted; [`Error::NotFinite`].
    pub fn predict<T: Real>(&self, x: ArrayView2<'_, T>) -> Result<Array2<T>> {
        self.predict_with(x, self.components())
    }

    /// As [`PlsFit::predict`], with the first `components` components only.
    ///
    /// # Errors
    /// As [`PlsFit::predict`].
    pub fn predict_with<T: Real>(
        &self,
        x: ArrayView2<'_, T>,
        components: usize,
    ) -> Result<Array2<T>> {
        check_features(x, self.feature_means.len())?;
        let kept = components.min(self.components());
        let rows: Vec<usize> = (0..x.nrows()).collect();
        let centring = Centring {
            mean: self.feature_means.clone(),
            scale: vec![1.0; self.feature_means.len()],
        };
        let scores = centring.panel(x, &rows, 0..x.ncols()) * self.rotations.subcols(0, kept);
        let product = scores * self.loadings.subcols(0, kept).transpose();
        Ok(Array2::from_shape_fn(
            (product.nrows(), product.ncols()),
            |(row, target)| T::from_double(product[(row, target)] + self.means[target]),
        ))
    }
}
