//! Scaled dot-product attention, full or causal (Vaswani et al. 2017), in blocks of queries.
//!
//! Only one block of scores per head exists at a time; the backward pass computes the scores
//! again from each row's log-sum-exp (after Dao et al. 2022).

use rayon::prelude::*;

use crate::disjoint::DisjointMut;
use crate::gemm::{Matrix, Threads, multiply_into};
use crate::simd::{dot, exp, max, sum, vectorised_fn};

/// Queries handled together.
const BLOCK: usize = 64;

/// Sizes of an attention.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AttentionShape {
    /// Sequences.
    pub batch: usize,
    /// Heads.
    pub heads: usize,
    /// Features of one head.
    pub width: usize,
    /// Queries in each sequence.
    pub queries: usize,
    /// Keys and values in each sequence.
    pub keys: usize,
    /// Whether query i sees only keys 0 to i; needs as many keys as queries.
    pub causal: bool,
}

/// Where queries, keys or values lie: row `t` of sequence `b` begins at
/// `(b · rows + t) · stride + offset` and holds heads · width elements.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Layout {
    /// Elements before the first row.
    pub offset: usize,
    /// Elements from row to row.
    pub stride: usize,
}

impl Layout {
    /// The queries, keys and values of rows that hold all three, one after the other.
    pub fn packed(features: usize) -> [Layout; 3] {
        [0, 1, 2].map(|part| Layout {
            offset: part * features,
            stride: 3 * features,
        })
    }

    /// Rows of their own.
    pub fn apart(features: usize) -> Layout {
        Layout {
            offset: 0,
            stride: features,
        }
    }

    fn start(&self, rows: usize, batch: usize, head: usize, width: usize) -> usize {
        batch * rows * self.stride + self.offset + head * width
    }
}

impl AttentionShape {
    fn check(&self) {
        assert!(
            !self.causal || self.queries == self.keys,
            "causal attention of a sequence to itself"
        );
        assert!(self.width > 0 && self.heads > 0);
    }

    fn tasks(&self) -> impl IndexedParallelIterator<Item = (usize, usize)> + use<> {
        let heads = self.heads;
        (0..self.batch * heads)
            .into_par_iter()
            .map(move |task| (task / heads, task % heads))
    }

    /// Keys that query `query` sees.
    fn seen(&self, query: usize) -> usize {
        if self.causal { query + 1 } else { self.keys }
    }

    fn view<'a>(
        &self,
        values: &'a [f32],
        layout: Layout,
        rows: usize,
        task: (usize, usize),
    ) -> Matrix<'a> {
        let start = layout.start(rows, task.0, task.1, self.width);
        Matrix::strided(&values[start..], rows, self.width, layout.stride)
    }
}

/// `output = softmax(Q Kᵀ / √width) V` for every sequence and head.
///
/// `query`, `key` and `value` by `layouts`; `output` (batch, queries, heads · width).
/// `log_sums` (batch, heads, queries) receives the log-sum-exp of each row of scores.
pub fn forward(
    shape: AttentionShape,
    [query, key, value]: [&[f32]; 3],
    layouts: [Layout; 3],
    output: &mut [f32],
    log_sums: &mut [f32],
) {
    shape.check();
    let AttentionShape {
        heads,
        width,
        queries,
        keys,
        ..
    } = shape;
    let features = heads * width;
    assert_eq!(output.len(), shape.batch * queries * features);
    assert_eq!(log_sums.len(), shape.batch * heads * queries);
    let output = DisjointMut::new(output);
    shape
        .tasks()
        .zip(log_sums.par_chunks_mut(queries.max(1)))
        .for_each_init(
            || (vec![0.0; BLOCK * keys], vec![0.0; BLOCK * width]),
            |(scores, mixed), (task, log_sums)| {
                let q = shape.view(query, layouts[0], queries, task);
                let k = shape.view(key, layouts[1], keys, task);
                let v = shape.view(value, layouts[2], keys, task);
                for first in (0..queries).step_by(BLOCK) {
                    let rows = BLOCK.min(queries - first);
                    let seen = shape.seen(first + rows - 1);
                    let here = q.rows(first, rows);
                    multiply_into(
                        here,
                        k.rows(0, seen).transposed(),
                        scores,
                        keys,
                        false,
                        Threads::One,
                    );
                    let log_sums = &mut log_sums[first..first + rows];
                    soften(&shape, first, seen, scores, log_sums);
                    let weights = Matrix::strided(scores, rows, seen, keys);
                    multiply_into(weights, v.rows(0, seen), mixed, width, false, Threads::One);
                    for row in 0..rows {
                        let place = (task.0 * queries + first + row) * features + task.1 * width;
                        // SAFETY: each sequence, query and head is written by one task, once.
                        #[allow(unsafe_code)]
                        let target = unsafe { output.slice(place, width) };
                        target.copy_from_slice(&mixed[row * width..(row + 1) * width]);
                    }
                }
            },
        );
}

/// The gradients of [`forward`] at queries, keys and values, laid out like these: packed in one
/// array or in an array each. `gradient` is the gradient at `output`.
pub fn backward(
    shape: AttentionShape,
    [query, key, value]: [&[f32]; 3],
    layouts: [Layout; 3],
    output: &[f32],
    log_sums: &[f32],
    gradient: &[f32],
    gradients: AttentionGradients,
) {
    shape.check();
    let AttentionShape {
        heads,
        width,
        queries,
        keys,
        ..
    } = shape;
    let features = heads * width;
    assert_eq!(gradient.len(), shape.batch * queries * features);
    assert_eq!(output.len(), gradient.len());
    assert_eq!(log_sums.len(), shape.batch * heads * queries);
    // Else two parts or two rows could lie on each other.
    match gradients {
        AttentionGradients::Packed(_) => assert_eq!(layouts, Layout::packed(features)),
        AttentionGradients::Apart(_) => assert_eq!(layouts, [Layout::apart(features); 3]),
    }
    let targets: Vec<DisjointMut> = match gradients {
        AttentionGradients::Packed(all) => vec![DisjointMut::new(all)],
        AttentionGradients::Apart(each) => each.into_iter().map(DisjointMut::new).collect(),
    };
    let target = |part: usize| &targets[part.min(targets.len() - 1)];
    shape
        .tasks()
        .zip(log_sums.par_chunks(queries.max(1)))
        .for_each_init(
            || Scratch::new(&shape),
            |scratch, (task, log_sums)| {
                let q = shape.view(query, layouts[0], queries, task);
                let k = shape.view(key, layouts[1], keys, task);
                let v = shape.view(value, layouts[2], keys, task);
                let apart = Layout::apart(features);
                let out = shape.view(output, apart, queries, task);
                let out_gradient = shape.view(gradient, apart, queries, task);
                scratch.key.fill(0.0);
                scratch.value.fill(0.0);
                for first in (0..queries).step_by(BLOCK) {
                    let rows = BLOCK.min(queries - first);
                    let seen = shape.seen(first + rows - 1);
                    let (here, k, v) = (q.rows(first, rows), k.rows(0, seen), v.rows(0, seen));
                    let dy = out_gradient.rows(first, rows);
                    let Scratch {
                        weights,
                        scores,
                        levels,
                        query,
                        key,
                        value,
                    } = scratch;
                    multiply_into(here, k.transposed(), weights, keys, false, Threads::One);
                    multiply_into(dy, v.transposed(), scores, keys, false, Threads::One);
                    for (row, level) in levels[..rows].iter_mut().enumerate() {
                        *level = dot(out.row(first + row), dy.row(row));
                    }
                    let log_sums = &log_sums[first..first + rows];
                    harden(&shape, first, seen, log_sums, levels, weights, scores);
                    let p = Matrix::strided(weights, rows, seen, keys);
                    let ds = Matrix::strided(scores, rows, seen, keys);
                    multiply_into(p.transposed(), dy, value, width, true, Threads::One);
                    multiply_into(ds.transposed(), here, key, width, true, Threads::One);
                    let query = &mut query[first * width..(first + rows) * width];
                    multiply_into(ds, k, query, width, false, Threads::One);
                }
                let parts = [
                    (&scratch.query, queries),
                    (&scratch.key, keys),
                    (&scratch.value, keys),
                ];
                for (part, (values, rows)) in parts.into_iter().enumerate() {
                    let start = layouts[part].start(rows, task.0, task.1, width);
                    for (row, values) in values.chunks_exact(width).enumerate() {
                        // SAFETY: `view` checked the same places for reading; each sequence, row and
                        // head of each part is written by one task, once, and parts do not overlap.
                        #[allow(unsafe_code)]
                        let place = unsafe {
                            target(part).slice(start + row * layouts[part].stride, width)
                        };
                        place.copy_from_slice(values);
                    }
                }
            },
        );
}

/// Where the gradients at queries, keys and values go.
#[derive(Debug)]
pub enum AttentionGradients<'a> {
    /// One array for all three, with [`Layout::packed`].
    Packed(&'a mut [f32]),
    /// An array each.
    Apart([&'a mut [f32]; 3]),
}

struct Scratch {
    weights: Vec<f32>,
    scores: Vec<f32>,
    levels: Vec<f32>,
    query: Vec<f32>,
    key: Vec<f32>,
    value: Vec<f32>,
}

impl Scratch {
    fn new(shape: &AttentionShape) -> Self {
        Scratch {
            weights: vec![0.0; BLOCK * shape.keys],
            scores: vec![0.0; BLOCK * shape.keys],
            levels: vec![0.0; BLOCK],
            query: vec![0.0; shape.queries * shape.width],
            key: vec![0.0; shape.keys * shape.width],
            value: vec![0.0; shape.keys * shape.width],
        }
    }
}

vectorised_fn! {
    /// Turns a block of raw scores, rows `keys` apart, into attention weights and the log-sum-exp of
    /// each row. Only the first `seen` columns are used.
    fn soften(
        shape: &AttentionShape,
        first: usize,
        seen: usize,
        scores: &mut [f32],
        log_sums: &mut [f32],
    ) {
        let scale = 1.0 / (shape.width as f32).sqrt();
        for (row, log_sum) in log_sums.iter_mut().enumerate() {
            let count = shape.seen(first + row);
            let (inside, outside) = scores[row * shape.keys..][..seen].split_at_mut(count);
            let largest = max(inside);
            inside.iter_mut().for_each(|s| *s = exp((*s - largest) * scale));
            outside.fill(0.0);
            let total = sum(inside);
            *log_sum = largest * scale + total.ln();
            let inverse = 1.0 / total;
            inside.iter_mut().for_each(|s| *s *= inverse);
        }
    }

    /// Turns raw scores into attention weights again, and in `scores` the gradients at the weights
    /// into those at the raw scores. `levels` holds each row's inner product of output and gradient.
    fn harden(
        shape: &AttentionShape,
        first: usize,
        seen: usize,
        log_sums: &[f32],
        levels: &[f32],
        weights: &mut [f32],
        scores: &mut [f32],
    ) {
        let scale = 1.0 / (shape.width as f32).sqrt();
        for (row, (log_sum, level)) in log_sums.iter().zip(levels).enumerate() {
            let count = shape.seen(first + row);
            let (inside, outside) = weights[row * shape.keys..][..seen].split_at_mut(count);
            let (ds, rest) = scores[row * shape.keys..][..seen].split_at_mut(count);
            outside.fill(0.0);
            rest.fill(0.0);
            for (p, ds) in inside.iter_mut().zip(ds) {
                *p = exp(*p * scale - log_sum);
                *ds = (*ds - level) * *p * scale;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_keys_average_the_values_seen() {
        let shape = AttentionShape {
            batch: 1,
            heads: 1,
            width: 1,
            queries: 70,
            keys: 70,
            causal: true,
        };
        let (query, key) = (vec![0.3; 70], vec![1.0; 70]);
        let value: Vec<f32> = (0..70).map(|v| v as f32).collect();
        let (mut output, mut log_sums) = (vec![0.0; 70], vec![0.0; 70]);
        let layouts = [Layout::apart(1); 3];
        forward(
            shape,
            [&query, &key, &value],
            layouts,
            &mut output,
            &mut log_sums,
        );
        for (t, (mean, log_sum)) in output.iter().zip(&log_sums).enumerate() {
            assert!((mean - t as f32 / 2.0).abs() < 1e-4, "{t} {mean}");
            assert!((log_sum - (0.3 + ((t + 1) as f32).ln())).abs() < 1e-5);
        }
    }
}
