//! Matrix products on slices.

/// A view of a matrix inside a slice, with strides in elements.
#[derive(Clone, Copy, Debug)]
pub struct Matrix<'a> {
    values: &'a [f32],
    rows: usize,
    columns: usize,
    row_stride: usize,
    column_stride: usize,
}

impl<'a> Matrix<'a> {
    /// A (rows x columns) matrix stored row by row in the whole of `values`.
    pub fn new(values: &'a [f32], rows: usize, columns: usize) -> Self {
        assert_eq!(values.len(), rows * columns);
        Matrix {
            values,
            rows,
            columns,
            row_stride: columns,
            column_stride: 1,
        }
    }

    /// A (rows x columns) matrix whose rows begin `row_stride` elements apart.
    pub fn strided(values: &'a [f32], rows: usize, columns: usize, row_stride: usize) -> Self {
        assert!(rows == 0 || columns == 0 || (rows - 1) * row_stride + columns <= values.len());
        Matrix {
            values,
            rows,
            columns,
            row_stride,
            column_stride: 1,
        }
    }

    /// The `count` rows from row `first` on.
    pub fn rows(self, first: usize, count: usize) -> Self {
        assert!(first + count <= self.rows);
        let start = (first * self.row_stride).min(self.values.len());
        Matrix {
            values: &self.values[start..],
            rows: count,
            ..self
        }
    }

    /// Row `index` of a matrix stored row by row.
    pub fn row(self, index: usize) -> &'a [f32] {
        assert!(index < self.rows && self.column_stride == 1);
        &self.values[index * self.row_stride..][..self.columns]
    }

    /// The transpose, without moving anything.
    pub fn transposed(self) -> Self {
        Matrix {
            values: self.values,
            rows: self.columns,
            columns: self.rows,
            row_stride: self.column_stride,
            column_stride: self.row_stride,
        }
    }
}

/// How many threads a product may use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Threads {
    /// The calling one: for products inside a parallel loop.
    One,
    /// All threads of the current rayon pool.
    All,
}

/// `output = a b`, or `output += a b` where `accumulate`; `output` is (rows of a) x (columns of b)
/// with rows `row_stride` elements apart.
pub fn multiply_into(
    a: Matrix,
    b: Matrix,
    output: &mut [f32],
    row_stride: usize,
    accumulate: bool,
    threads: Threads,
) {
    assert_eq!(a.columns, b.rows);
    let (rows, columns, depth) = (a.rows, b.columns, a.columns);
    if rows == 0 || columns == 0 {
        return;
    }
    assert!((rows - 1) * row_stride + columns <= output.len() && columns <= row_stride);
    let parallelism = match threads {
        Threads::One => gemm::Parallelism::None,
        Threads::All => gemm::Parallelism::Rayon(0),
    };
    // SAFETY: the constructors of `Matrix` and the assertion above keep every index of the three
    // matrices inside its slice, and `output` is borrowed exclusively.
    #[allow(unsafe_code)]
    unsafe {
        gemm::gemm(
            rows,
            columns,
            depth,
            output.as_mut_ptr(),
            1,
            row_stride as isize,
            accumulate,
            a.values.as_ptr(),
            a.column_stride as isize,
            a.row_stride as isize,
            b.values.as_ptr(),
            b.column_stride as isize,
            b.row_stride as isize,
            if accumulate { 1.0 } else { 0.0 },
            1.0,
            false,
            false,
            false,
            parallelism,
        );
    }
}

/// `output = a b` on all threads, `output` (rows of a) x (columns of b) without gaps.
pub fn multiply(a: Matrix, b: Matrix, output: &mut [f32]) {
    assert_eq!(output.len(), a.rows * b.columns);
    multiply_into(a, b, output, b.columns.max(1), false, Threads::All);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values(count: usize, step: usize) -> Vec<f32> {
        (0..count).map(|i| ((i * step) % 17) as f32 - 8.0).collect()
    }

    /// All strides, sizes around the edges of tiles and blocks; exact, as all numbers are whole.
    #[test]
    fn products_match_the_definition() {
        for (rows, depth, columns) in [
            (1, 1, 1),
            (12, 5, 32),
            (13, 7, 33),
            (25, 330, 31),
            (200, 3, 70),
            (3, 700, 5),
            (64, 64, 0),
        ] {
            let (a, b) = (values(rows * depth, 7), values(depth * columns, 5));
            let stride = columns + 3;
            let before = values(rows * stride, 3);
            for kind in 0..16 {
                let (accumulate, all) = (kind & 1 == 1, kind & 2 == 2);
                let threads = if all { Threads::All } else { Threads::One };
                let left = if kind & 4 == 4 {
                    Matrix::new(&a, depth, rows).transposed()
                } else {
                    Matrix::new(&a, rows, depth)
                };
                let right = if kind & 8 == 8 {
                    Matrix::new(&b, columns, depth).transposed()
                } else {
                    Matrix::new(&b, depth, columns)
                };
                let at = |m: &Matrix, i: usize, j: usize| {
                    m.values[i * m.row_stride + j * m.column_stride]
                };
                let mut output = before.clone();
                multiply_into(left, right, &mut output, stride, accumulate, threads);
                for i in 0..rows {
                    for j in 0..stride {
                        let old = before[i * stride + j];
                        let sum: f32 = if j < columns {
                            (0..depth).map(|p| at(&left, i, p) * at(&right, p, j)).sum()
                        } else {
                            0.0
                        };
                        let kept = if accumulate || j >= columns { old } else { 0.0 };
                        assert_eq!(
                            output[i * stride + j],
                            kept + sum,
                            "{rows} {depth} {columns} {kind} {i} {j}"
                        );
                    }
                }
            }
        }
    }

    #[test]
    fn an_empty_depth_gives_zeros() {
        let mut output = [3.0; 4];
        multiply(Matrix::new(&[], 2, 0), Matrix::new(&[], 0, 2), &mut output);
        assert_eq!(output, [0.0; 4]);
    }
}
