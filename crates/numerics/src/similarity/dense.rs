//! The few dense products and decompositions that similarity needs, on `faer`.

use chiasm_core::{Error, Result};
use faer::linalg::matmul::triangular::{self, BlockStructure};
use faer::{Accum, MatMut, MatRef, Par, Side};
use ndarray::{Array1, Array2, ArrayView2};
use rayon::prelude::*;

/// How a product may use the cores: all of them at the top level, one inside a loop over draws.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cores {
    All,
    One,
}

impl Cores {
    fn par(self) -> Par {
        match self {
            Cores::All => Par::rayon(0),
            Cores::One => Par::Seq,
        }
    }

    /// The results of `work` for all `items`, in their order.
    pub(crate) fn map<'a, T: Sync, R: Send>(
        self,
        items: &'a [T],
        work: impl Fn(&'a T) -> Result<R> + Send + Sync,
    ) -> Result<Vec<R>> {
        match self {
            Cores::All => items.par_iter().map(work).collect(),
            Cores::One => items.iter().map(work).collect(),
        }
    }
}

/// The inner products of all pairs of rows, lower triangle and diagonal only (the rest is 0).
///
/// The triangular routine does half the work of the plain product.
pub(crate) fn lower_gram(rows: ArrayView2<'_, f64>, cores: Cores) -> Array2<f64> {
    let (count, length) = rows.dim();
    let rows = rows.as_standard_layout();
    let mut gram = Array2::zeros((count, count));
    if let (Some(source), Some(target)) = (rows.as_slice(), gram.as_slice_mut()) {
        let source = MatRef::from_row_major_slice(source, count, length);
        triangular::matmul(
            MatMut::from_row_major_slice_mut(target, count, count),
            BlockStructure::TriangularLower,
            Accum::Replace,
            source,
            BlockStructure::Rectangular,
            source.transpose(),
            BlockStructure::Rectangular,
            1.0,
            cores.par(),
        );
    }
    gram
}

/// The inner products of all pairs of columns of `rows` (`count` rows of `width`), lower triangle only, on
/// the calling core; `gram` is reused from call to call.
pub(crate) fn lower_gram_of_columns(rows: &[f64], count: usize, width: usize, gram: &mut Vec<f64>) {
    gram.clear();
    gram.resize(width * width, 0.0);
    let source = MatRef::from_row_major_slice(rows, count, width);
    triangular::matmul(
        MatMut::from_row_major_slice_mut(gram, width, width),
        BlockStructure::TriangularLower,
        Accum::Replace,
        source.transpose(),
        BlockStructure::Rectangular,
        source,
        BlockStructure::Rectangular,
        1.0,
        Par::Seq,
    );
}

/// A long row of which `shift` is taken off before any product.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ShiftedRow<'a> {
    pub(crate) entries: &'a [f64],
    pub(crate) shift: f64,
}

/// The inner products of all pairs of a few very long rows of equal length, lower triangle only.
///
/// Rows are taken in panels that stay in a core's cache, where the shift costs nothing. How panels are
/// summed does not depend on the number of threads.
pub(crate) fn lower_gram_of_rows(rows: &[ShiftedRow<'_>], cores: Cores) -> Result<Array2<f64>> {
    const PANEL: usize = 1 << 17;
    const FEW_ROWS: usize = 256;
    const GROUPS: usize = 32;
    let count = rows.len();
    let length = rows.first().map_or(0, |row| row.entries.len());
    let width = (PANEL / count.max(1)).clamp(64, 4096);
    let panels = length.div_ceil(width);
    let (group_size, within) = if count <= FEW_ROWS {
        (panels.div_ceil(GROUPS).max(1), Cores::One)
    } else {
        (panels.max(1), cores)
    };
    let sum_group = |&first: &usize| {
        let mut gram = Array2::<f64>::zeros((count, count));
        let mut panel = vec![0.0; count * width];
        for start in (first..panels.min(first + group_size)).map(|panel| panel * width) {
            let end = length.min(start + width);
            let taken = end - start;
            for (row, target) in rows.iter().zip(panel.chunks_exact_mut(taken)) {
                for (slot, value) in target.iter_mut().zip(&row.entries[start..end]) {
                    *slot = value - row.shift;
                }
            }
            if let Some(target) = gram.as_slice_mut() {
                let source = MatRef::from_row_major_slice(&panel[..count * taken], count, taken);
                triangular::matmul(
                    MatMut::from_row_major_slice_mut(target, count, count),
                    BlockStructure::TriangularLower,
                    Accum::Add,
                    source,
                    BlockStructure::Rectangular,
                    source.transpose(),
                    BlockStructure::Rectangular,
                    1.0,
                    within.par(),
                );
            }
        }
        Ok(gram)
    };
    let firsts: Vec<usize> = (0..panels).step_by(group_size).collect();
    let groups = cores.map(&firsts, sum_group)?;
    let mut total = Array2::zeros((count, count));
    for group in groups {
        total += &group;
    }
    Ok(total)
}

/// The inner products of all rows of `a` with all rows of `b`: `a b'`.
pub(crate) fn cross_gram(
    a: ArrayView2<'_, f64>,
    b: ArrayView2<'_, f64>,
    cores: Cores,
) -> Array2<f64> {
    let (a, b) = (a.as_standard_layout(), b.as_standard_layout());
    let mut product = Array2::zeros((a.nrows(), b.nrows()));
    let (rows, columns) = product.dim();
    if let (Some(left), Some(right), Some(target)) =
        (a.as_slice(), b.as_slice(), product.as_slice_mut())
    {
        faer::linalg::matmul::matmul(
            MatMut::from_row_major_slice_mut(target, rows, columns),
            Accum::Replace,
            MatRef::from_row_major_slice(left, rows, a.ncols()),
            MatRef::from_row_major_slice(right, columns, b.ncols()).transpose(),
            1.0,
            cores.par(),
        );
    }
    product
}

fn as_faer<'a>(matrix: &'a ndarray::CowArray<'_, f64, ndarray::Ix2>) -> MatRef<'a, f64> {
    let (rows, columns) = matrix.dim();
    MatRef::from_row_major_slice(matrix.as_slice().unwrap_or(&[]), rows, columns)
}

/// Eigenvalues in descending order and eigenvectors in columns of a symmetric matrix whose lower
/// triangle is given.
pub(crate) fn symmetric_eigen(lower: ArrayView2<'_, f64>) -> Result<(Array1<f64>, Array2<f64>)> {
    let size = lower.nrows();
    let lower = lower.as_standard_layout();
    let eigen = as_faer(&lower)
        .self_adjoint_eigen(Side::Lower)
        .map_err(|error| Error::NoConvergence {
            operation: "symmetric eigendecomposition",
            reason: format!("{error:?}"),
        })?;
    let values = eigen.S().column_vector();
    let vectors = eigen.U();
    // faer gives them ascending.
    Ok((
        Array1::from_shape_fn(size, |k| values[size - 1 - k]),
        Array2::from_shape_fn((size, size), |(i, k)| vectors[(i, size - 1 - k)]),
    ))
}

/// The sum of the singular values.
pub(crate) fn nuclear_norm(matrix: ArrayView2<'_, f64>) -> Result<f64> {
    let matrix = matrix.as_standard_layout();
    let values = as_faer(&matrix)
        .singular_values()
        .map_err(|error| Error::NoConvergence {
            operation: "singular values",
            reason: format!("{error:?}"),
        })?;
    Ok(values.iter().sum())
}

/// `rows` times the inverse transpose of the Cholesky factor of a positive definite matrix (lower
/// triangle given): rows whose inner products are those in the inverse matrix.
pub(crate) fn cholesky_whiten(
    positive_definite: ArrayView2<'_, f64>,
    rows: ArrayView2<'_, f64>,
) -> Result<Array2<f64>> {
    let matrix = positive_definite.as_standard_layout();
    let factor = as_faer(&matrix)
        .llt(Side::Lower)
        .map_err(|_| Error::Unusable {
            operation: "noise covariance",
            reason: "the matrix is singular: more residuals or more shrinkage are needed"
                .to_string(),
        })?;
    let mut whitened = rows.as_standard_layout().into_owned();
    let (count, channels) = whitened.dim();
    if let Some(values) = whitened.as_slice_mut() {
        faer::linalg::triangular_solve::solve_lower_triangular_in_place(
            factor.L(),
            MatMut::from_row_major_slice_mut(values, count, channels).transpose_mut(),
            Par::rayon(0),
        );
    }
    Ok(whitened)
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::array;

    #[test]
    fn products_and_decompositions_agree_with_hand_results() {
        let a = array![[1.0, 2.0, 0.0], [0.0, 1.0, -1.0]];
        assert_eq!(
            lower_gram(a.view(), Cores::All),
            array![[5.0, 0.0], [2.0, 2.0]]
        );
        assert_eq!(
            cross_gram(a.view(), a.view(), Cores::One),
            array![[5.0, 2.0], [2.0, 2.0]]
        );
        // Long rows in panels: the same products, whatever the shift and the threads.
        let long = Array2::from_shape_fn((3, 40_000), |(i, k)| ((i + 2) * k % 17) as f64);
        let shifted = &long - &array![[1.0], [2.0], [3.0]];
        let rows: Vec<ShiftedRow<'_>> = (0..3)
            .map(|i| ShiftedRow {
                entries: long.row(i).to_slice().unwrap(),
                shift: i as f64 + 1.0,
            })
            .collect();
        let found = lower_gram_of_rows(&rows, Cores::All).unwrap();
        assert_eq!(found, lower_gram_of_rows(&rows, Cores::One).unwrap());
        let expected = lower_gram(shifted.view(), Cores::One);
        assert!((&found - &expected).iter().all(|error| error.abs() < 1e-6));
        // A transposed view is not contiguous: the layout must not matter.
        assert_eq!(
            cross_gram(a.t(), a.t(), Cores::One),
            array![[1.0, 2.0, 0.0], [2.0, 5.0, -1.0], [0.0, -1.0, 1.0]]
        );
        let (values, vectors) = symmetric_eigen(array![[2.0, 9.0], [1.0, 2.0]].view()).unwrap();
        assert!((values[0] - 3.0).abs() < 1e-12 && (values[1] - 1.0).abs() < 1e-12);
        assert!((vectors[[0, 0]] * vectors[[1, 0]] - 0.5).abs() < 1e-12);
        // Singular values of [[1, 1], [0, 1]] are the golden ratio and its inverse: sum √5.
        assert!(
            (nuclear_norm(array![[1.0, 1.0], [0.0, 1.0]].view()).unwrap() - 5f64.sqrt()).abs()
                < 1e-12
        );
        let covariance = array![[4.0, 0.0], [2.0, 3.0]];
        let white = cholesky_whiten(covariance.view(), a.slice(ndarray::s![.., ..2])).unwrap();
        // [1, 2] S⁻¹ [1, 2]' with S = [[4, 2], [2, 3]]: (3 - 8 + 16) / 8.
        assert!((white.row(0).dot(&white.row(0)) - 11.0 / 8.0).abs() < 1e-12);
        assert!(cholesky_whiten(array![[1.0, 0.0], [2.0, 1.0]].view(), covariance.view()).is_err());
    }
}
