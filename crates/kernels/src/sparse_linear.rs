//! Products of sparse rows (spikes) with a dense matrix, and the gradient of that matrix.
//!
//! A spike train at 5% leaves 95% of a dense product multiplying zeros. Here the positions that are
//! not zero are listed once, and each adds one row of the weights.

#![allow(unsafe_code)]

use std::ops::Range;

use pulp::{Simd, WithSimd};
use rayon::prelude::*;

use crate::disjoint::DisjointMut;
use crate::simd::vectorised;

/// Above this share of non-zero values a dense product is the faster one (measured on AVX-512: the
/// sparse loop moves one loaded vector per addition, the dense one reuses each many times).
pub const DENSE_FROM: f64 = 0.15;
/// Rows whose output gradients one thread reads together: they fit the second-level cache.
const GRADIENT_ROWS: usize = 1024;

/// The non-zero values of a matrix, row by row.
#[derive(Clone, Debug, PartialEq)]
pub struct SparseRows {
    columns: usize,
    /// Where each row's entries begin; one more than there are rows.
    starts: Vec<usize>,
    positions: Vec<u32>,
    values: Vec<f32>,
}

impl SparseRows {
    /// Lists the non-zero values of `dense`, `[rows, columns]` in row order.
    ///
    /// # Panics
    /// If `dense` does not hold `rows * columns` values.
    pub fn from_dense(rows: usize, columns: usize, dense: &[f32]) -> Self {
        assert_eq!(dense.len(), rows * columns, "matrix is not rows x columns");
        assert!(u32::try_from(columns).is_ok(), "too many columns");
        let block = rows.div_ceil(4 * rayon::current_num_threads()).max(64);
        let parts: Vec<_> = dense
            .par_chunks((block * columns).max(1))
            .map(|part| {
                let (mut positions, mut values) = (Vec::new(), Vec::new());
                let mut ends = Vec::with_capacity(block);
                for row in part.chunks_exact(columns.max(1)) {
                    vectorised(|| append_entries(row, &mut positions, &mut values));
                    ends.push(positions.len());
                }
                (ends, positions, values)
            })
            .collect();
        let total = parts
            .iter()
            .map(|(ends, ..)| ends.last().copied().unwrap_or(0))
            .sum();
        let mut sparse = SparseRows {
            columns,
            starts: Vec::with_capacity(rows + 1),
            positions: Vec::with_capacity(total),
            values: Vec::with_capacity(total),
        };
        sparse.starts.push(0);
        for (ends, positions, values) in &parts {
            let base = sparse.positions.len();
            sparse.starts.extend(ends.iter().map(|end| base + end));
            sparse.positions.extend_from_slice(positions);
            sparse.values.extend_from_slice(values);
        }
        sparse.starts.resize(rows + 1, total);
        sparse
    }

    /// The number of rows.
    pub fn rows(&self) -> usize {
        self.starts.len() - 1
    }

    /// The number of columns.
    pub fn columns(&self) -> usize {
        self.columns
    }

    /// The share of values that are not zero; 0 for an empty matrix.
    pub fn density(&self) -> f64 {
        let cells = self.rows() * self.columns;
        if cells == 0 {
            0.0
        } else {
            self.positions.len() as f64 / cells as f64
        }
    }

    /// The positions and values of one row's entries.
    pub fn row(&self, row: usize) -> (&[u32], &[f32]) {
        let range = self.starts[row]..self.starts[row + 1];
        (&self.positions[range.clone()], &self.values[range])
    }

    /// `output = self weights`, with weights `[columns, width]` and output `[rows, width]`.
    ///
    /// # Panics
    /// If a slice has the wrong size.
    pub fn times(&self, width: usize, weights: &[f32], output: &mut [f32]) {
        assert_eq!(
            weights.len(),
            self.columns * width,
            "weights are not columns x width"
        );
        assert_eq!(
            output.len(),
            self.rows() * width,
            "output is not rows x width"
        );
        if width == 0 {
            return;
        }
        let block = self
            .rows()
            .div_ceil(4 * rayon::current_num_threads())
            .max(16);
        output
            .par_chunks_mut(block * width)
            .enumerate()
            .for_each(|(index, output)| {
                pulp::Arch::new().dispatch(Times {
                    sparse: self,
                    first: index * block,
                    width,
                    weights,
                    output,
                });
            });
    }

    /// Writes the gradient of the weights of [`SparseRows::times`], `selfᵀ of_output`, to `of_weights`.
    ///
    /// # Panics
    /// If a slice has the wrong size.
    pub fn weight_gradient(&self, width: usize, of_output: &[f32], of_weights: &mut [f32]) {
        assert_eq!(
            of_output.len(),
            self.rows() * width,
            "output gradient is not rows x width"
        );
        assert_eq!(
            of_weights.len(),
            self.columns * width,
            "weight gradient is not columns x width"
        );
        let blocks: Vec<Transposed> = (0..self.rows().div_ceil(GRADIENT_ROWS))
            .into_par_iter()
            .map(|block| {
                self.transpose(block * GRADIENT_ROWS..self.rows().min((block + 1) * GRADIENT_ROWS))
            })
            .collect();
        // Each thread owns columns of the gradient and walks over all entries: nothing to merge.
        let share = width
            .div_ceil(rayon::current_num_threads())
            .next_multiple_of(16)
            .max(16);
        let of_weights = DisjointMut::new(of_weights);
        (0..width.div_ceil(share)).into_par_iter().for_each(|task| {
            let from = task * share;
            pulp::Arch::new().dispatch(WeightGradient {
                blocks: &blocks,
                columns: self.columns,
                width,
                range: from..from + share.min(width - from),
                of_output,
                of_weights: &of_weights,
            });
        });
    }

    /// The entries of some rows, by column.
    fn transpose(&self, rows: Range<usize>) -> Transposed {
        let entries = self.starts[rows.start]..self.starts[rows.end];
        let mut starts = vec![0usize; self.columns + 1];
        for &position in &self.positions[entries.clone()] {
            starts[position as usize + 1] += 1;
        }
        for column in 0..self.columns {
            starts[column + 1] += starts[column];
        }
        let mut next = starts.clone();
        let mut terms = vec![(0usize, 0.0f32); entries.len()];
        for row in rows {
            let (positions, values) = self.row(row);
            for (&position, &value) in positions.iter().zip(values) {
                terms[next[position as usize]] = (row, value);
                next[position as usize] += 1;
            }
        }
        Transposed { starts, terms }
    }
}

/// Some rows' entries by column: (row, value).
struct Transposed {
    starts: Vec<usize>,
    terms: Vec<(usize, f32)>,
}

/// Appends the positions and values of a row that are not zero.
#[inline(always)]
fn append_entries(row: &[f32], positions: &mut Vec<u32>, values: &mut Vec<f32>) {
    for (block, cells) in row.chunks(64).enumerate() {
        let mut set = [0u8; 64];
        for (set, cell) in set.iter_mut().zip(cells) {
            *set = u8::from(*cell != 0.0);
        }
        let mut mask = 0u64;
        for (index, bytes) in set.as_chunks::<8>().0.iter().enumerate() {
            // Eight bytes of 0 or 1 become the eight bits of the product's highest byte, in order.
            let bits = u64::from_le_bytes(*bytes).wrapping_mul(0x0102_0408_1020_4080) >> 56;
            mask |= bits << (8 * index);
        }
        let first = block as u32 * 64;
        let (mut found, mut count) = ([0u32; 64], 0);
        while mask != 0 {
            found[count] = mask.trailing_zeros();
            count += 1;
            mask &= mask - 1;
        }
        positions.extend(found[..count].iter().map(|cell| first + cell));
        values.extend(found[..count].iter().map(|&cell| cells[cell as usize]));
    }
}

struct Times<'a> {
    sparse: &'a SparseRows,
    first: usize,
    width: usize,
    weights: &'a [f32],
    output: &'a mut [f32],
}

impl WithSimd for Times<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Times {
            sparse,
            first,
            width,
            weights,
            output,
        } = self;
        for (index, output) in output.chunks_exact_mut(width).enumerate() {
            let (positions, values) = sparse.row(first + index);
            let (vectors, tail) = S::as_mut_simd_f32s(output);
            let mut from = 0;
            let mut blocks = vectors.chunks_exact_mut(8);
            for block in &mut blocks {
                sum_rows::<S, 8>(simd, positions, values, width, from, weights, block);
                from += 8 * S::F32_LANES;
            }
            for vector in blocks.into_remainder().chunks_exact_mut(1) {
                sum_rows::<S, 1>(simd, positions, values, width, from, weights, vector);
                from += S::F32_LANES;
            }
            tail.fill(0.0);
            for (&position, &value) in positions.iter().zip(values) {
                let row = position as usize * width;
                for (sum, weight) in tail.iter_mut().zip(&weights[row + from..row + width]) {
                    *sum += value * weight;
                }
            }
        }
    }
}

/// `sums[0..N] = Σ value · weights[position, from..]`, with the sums in registers.
#[inline(always)]
fn sum_rows<S: Simd, const N: usize>(
    simd: S,
    positions: &[u32],
    values: &[f32],
    width: usize,
    from: usize,
    weights: &[f32],
    sums: &mut [S::f32s],
) {
    let mut registers = [simd.splat_f32s(0.0); N];
    for (&position, &value) in positions.iter().zip(values) {
        let start = position as usize * width + from;
        let (row, _) = S::as_simd_f32s(&weights[start..start + N * S::F32_LANES]);
        let value = simd.splat_f32s(value);
        for (register, &weight) in registers.iter_mut().zip(row) {
            *register = simd.mul_add_e_f32s(value, weight, *register);
        }
    }
    sums.copy_from_slice(&registers);
}

struct WeightGradient<'a> {
    blocks: &'a [Transposed],
    columns: usize,
    width: usize,
    range: Range<usize>,
    of_output: &'a [f32],
    of_weights: &'a DisjointMut<'a>,
}

impl WithSimd for WeightGradient<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let WeightGradient {
            blocks,
            columns,
            width,
            range,
            of_output,
            of_weights,
        } = self;
        for column in 0..columns {
            // SAFETY: tasks own disjoint ranges of columns of the gradient.
            unsafe { of_weights.slice(column * width + range.start, range.len()) }.fill(0.0);
        }
        for block in blocks {
            for column in 0..columns {
                let terms = &block.terms[block.starts[column]..block.starts[column + 1]];
                // SAFETY: as above.
                let sums = unsafe { of_weights.slice(column * width + range.start, range.len()) };
                let (vectors, rest) = S::as_mut_simd_f32s(sums);
                let mut from = range.start;
                let mut groups = vectors.chunks_exact_mut(8);
                for group in &mut groups {
                    add_rows::<S, 8>(simd, terms, width, from, of_output, group);
                    from += 8 * S::F32_LANES;
                }
                for vector in groups.into_remainder().chunks_exact_mut(1) {
                    add_rows::<S, 1>(simd, terms, width, from, of_output, vector);
                    from += S::F32_LANES;
                }
                for &(row, value) in terms {
                    let start = row * width;
                    for (sum, gradient) in rest
                        .iter_mut()
                        .zip(&of_output[start + from..start + range.end])
                    {
                        *sum += value * gradient;
                    }
                }
            }
        }
    }
}

/// `sums[0..N] += Σ value · rows[row, from..]`, with the sums in registers.
#[inline(always)]
fn add_rows<S: Simd, const N: usize>(
    simd: S,
    terms: &[(usize, f32)],
    width: usize,
    from: usize,
    rows: &[f32],
    sums: &mut [S::f32s],
) {
    let mut registers = [simd.splat_f32s(0.0); N];
    registers.copy_from_slice(sums);
    for &(row, value) in terms {
        let start = row * width + from;
        let (row, _) = S::as_simd_f32s(&rows[start..start + N * S::F32_LANES]);
        let value = simd.splat_f32s(value);
        for (register, &term) in registers.iter_mut().zip(row) {
            *register = simd.mul_add_e_f32s(value, term, *register);
        }
    }
    sums.copy_from_slice(&registers);
}

#[cfg(test)]
mod tests {
    use rand::RngExt;
    use rand_chacha::ChaCha8Rng;
    use rand_chacha::rand_core::SeedableRng;

    use super::*;

    fn sparse_matrix(rows: usize, columns: usize, rng: &mut ChaCha8Rng) -> Vec<f32> {
        (0..rows * columns)
            .map(|_| {
                if rng.random_bool(0.1) {
                    rng.random_range(1..4) as f32
                } else {
                    0.0
                }
            })
            .collect()
    }

    #[test]
    fn products_agree_with_the_definition() {
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        for (rows, columns, width) in [
            (1, 1, 1),
            (70, 33, 20),
            (300, 50, 131),
            (5, 40, 256),
            (0, 3, 4),
        ] {
            let dense = sparse_matrix(rows, columns, &mut rng);
            let weights: Vec<f32> = (0..columns * width)
                .map(|_| rng.random_range(-1.0..1.0))
                .collect();
            let of_output: Vec<f32> = (0..rows * width)
                .map(|_| rng.random_range(-1.0..1.0))
                .collect();
            let sparse = SparseRows::from_dense(rows, columns, &dense);
            assert_eq!((sparse.rows(), sparse.columns()), (rows, columns));
            let mut output = vec![9.0; rows * width];
            sparse.times(width, &weights, &mut output);
            for row in 0..rows {
                for o in 0..width {
                    let exact: f64 = (0..columns)
                        .map(|c| {
                            f64::from(dense[row * columns + c]) * f64::from(weights[c * width + o])
                        })
                        .sum();
                    assert!((f64::from(output[row * width + o]) - exact).abs() < 1e-4);
                }
            }
            let mut of_weights = vec![9.0; columns * width];
            sparse.weight_gradient(width, &of_output, &mut of_weights);
            for c in 0..columns {
                for o in 0..width {
                    let exact: f64 = (0..rows)
                        .map(|r| {
                            f64::from(dense[r * columns + c]) * f64::from(of_output[r * width + o])
                        })
                        .sum();
                    assert!((f64::from(of_weights[c * width + o]) - exact).abs() < 1e-4);
                }
            }
        }
    }
}
