//! One sweep of hierarchical alternating least squares.

use ndarray::Array2;
use rayon::prelude::*;

use super::observed::ObservedTensor;

/// Keeps entries off exact zero, where a component that vanished in one axis would stay for ever.
const FLOOR: f64 = 1e-16;
/// Rows of the third axis a task takes at once.
const ROWS: usize = 64;

/// The state of a descent: factor matrices, row by row, in double precision.
pub(super) struct Sweeper<'a> {
    tensor: &'a ObservedTensor,
    rank: usize,
    factors: [Vec<f64>; 3],
    /// Where the fibres of each second index begin (they are sorted by it).
    second_start: Vec<usize>,
    /// The fibres of each third index, one after the other, and where each list begins.
    by_third: Vec<u32>,
    third_start: Vec<usize>,
    inner_passes: usize,
    ridge: f64,
}

impl<'a> Sweeper<'a> {
    pub(super) fn new(
        tensor: &'a ObservedTensor,
        factors: [Array2<f64>; 3],
        inner_passes: usize,
        ridge: f64,
    ) -> Self {
        let [_, second, third] = tensor.dims();
        let mut second_start = vec![0; second + 1];
        let mut third_start = vec![0; third + 1];
        for (w, p) in tensor.places() {
            second_start[w + 1] += 1;
            third_start[p + 1] += 1;
        }
        for starts in [&mut second_start, &mut third_start] {
            for index in 1..starts.len() {
                starts[index] += starts[index - 1];
            }
        }
        let mut next = third_start.clone();
        let mut by_third = vec![0; tensor.fibres()];
        for (fibre, (_, p)) in tensor.places().enumerate() {
            by_third[next[p]] = fibre as u32;
            next[p] += 1;
        }
        let rank = factors[0].ncols();
        let factors = factors.map(|factor| factor.iter().map(|&value| value.max(FLOOR)).collect());
        Sweeper {
            tensor,
            rank,
            factors,
            second_start,
            by_third,
            third_start,
            inner_passes,
            ridge,
        }
    }

    /// Updates the three axes in turn and returns the relative error after the last.
    ///
    /// Two products with the data serve three axes: what the second needs of the data, its product
    /// with the first factor, the third needs as well (a dimension tree).
    pub(super) fn sweep(&mut self) -> f64 {
        self.balance();
        self.update_first();
        let columns = self.rank;
        let first: Vec<f32> = self.factors[0].iter().map(|&value| value as f32).collect();
        let product = self.tensor.times_first(&first, columns);
        let grams = if self.tensor.is_whole() {
            Grams::Shared(gram(&self.factors[0], columns))
        } else {
            let packed: Vec<f32> = first.chunks(columns).flat_map(packed_outer).collect();
            Grams::Own(self.tensor.mask_times_first(&packed, packed_len(columns)))
        };
        self.update_second(&product, &grams);
        let explained = self.update_third(&product, &grams);
        ((self.tensor.squared_norm() + explained).max(0.0) / self.tensor.squared_norm()).sqrt()
    }

    pub(super) fn into_factors(self) -> [Array2<f64>; 3] {
        let rank = self.rank;
        self.factors.map(|factor| {
            let tiny =
                1e3 * FLOOR.max(factor.iter().fold(0.0, |most: f64, &v| most.max(v)) * 1e-12);
            Array2::from_shape_fn((factor.len() / rank, rank), |(row, r)| {
                let value = factor[row * rank + r];
                if value > tiny { value } else { 0.0 }
            })
        })
    }

    /// Spreads each component's size evenly over the axes, so that single precision never overflows.
    fn balance(&mut self) {
        for r in 0..self.rank {
            let norms = self.factors.each_ref().map(|factor| {
                factor
                    .iter()
                    .skip(r)
                    .step_by(self.rank)
                    .map(|value| value * value)
                    .sum::<f64>()
                    .sqrt()
            });
            let shared = (norms[0] * norms[1] * norms[2]).cbrt();
            for (factor, norm) in self.factors.iter_mut().zip(norms) {
                if norm > 0.0 && shared > 0.0 {
                    let column = factor.iter_mut().skip(r).step_by(self.rank);
                    column.for_each(|value| *value = (*value * shared / norm).max(FLOOR));
                }
            }
        }
    }

    /// What the ridge adds to each component's curvature on an axis: its share of the squared size the
    /// component has on the other two. The same penalty, ½ ridge Σ_r λ_r² with λ_r the size of component
    /// r, whichever axis is updated.
    fn penalty(&self, axis: usize) -> Vec<f64> {
        let mut penalty = vec![self.ridge; self.rank];
        for (_, factor) in self
            .factors
            .iter()
            .enumerate()
            .filter(|(other, _)| *other != axis)
        {
            let norms = squared_norms(factor, self.rank);
            penalty
                .iter_mut()
                .zip(norms)
                .for_each(|(value, norm)| *value *= norm);
        }
        penalty
    }

    fn update_first(&mut self) {
        let penalty = self.penalty(0);
        let (rank, tensor, passes) = (self.rank, self.tensor, self.inner_passes);
        let [first, second, third] = &mut self.factors;
        let row = |fibre: usize, out: &mut [f32]| {
            let (w, p) = tensor.place(fibre);
            let pair = second[w * rank..].iter().zip(&third[p * rank..]);
            out.iter_mut()
                .zip(pair)
                .for_each(|(value, (a, b))| *value = (a * b) as f32);
        };
        let target = tensor.times_fibres(rank, row);
        if tensor.is_whole() {
            let shared = fibre_gram(tensor, rank, second, third, &self.second_start);
            first
                .par_chunks_mut(rank * ROWS)
                .zip(target.par_chunks(rank * ROWS))
                .for_each(|(rows, targets)| {
                    for (x, g) in rows.chunks_mut(rank).zip(targets.chunks(rank)) {
                        coordinate_descent(x, g, &shared, &penalty, passes);
                    }
                });
        } else {
            let packed = packed_len(rank);
            let grams = tensor.mask_times_fibres(packed, |fibre, out| {
                let mut values = vec![0.0; rank];
                row(fibre, &mut values);
                out.iter_mut()
                    .zip(packed_outer(&values))
                    .for_each(|(value, new)| *value = new);
            });
            first
                .par_chunks_mut(rank)
                .zip(target.par_chunks(rank))
                .zip(grams.par_chunks(packed))
                .for_each(|((x, g), gram)| {
                    coordinate_descent(x, g, &unpack(gram, rank), &penalty, passes);
                });
        }
    }

    fn update_second(&mut self, product: &[f32], grams: &Grams) {
        let penalty = self.penalty(1);
        let (rank, tensor, passes) = (self.rank, self.tensor, self.inner_passes);
        let starts = &self.second_start;
        let [_, second, third] = &mut self.factors;
        second.par_chunks_mut(rank).enumerate().for_each(|(w, x)| {
            let fibres = starts[w]..starts[w + 1];
            let other = |fibre: usize| {
                let p = tensor.place(fibre).1;
                &third[p * rank..(p + 1) * rank]
            };
            let (g, h) = normal_equations(fibres, product, grams, other, rank);
            coordinate_descent(x, &g, &h, &penalty, passes);
        });
    }

    /// Returns ‖model‖² − 2⟨data, model⟩ over the observed entries.
    fn update_third(&mut self, product: &[f32], grams: &Grams) -> f64 {
        let penalty = self.penalty(2);
        let (rank, tensor, passes) = (self.rank, self.tensor, self.inner_passes);
        let (starts, by_third) = (&self.third_start, &self.by_third);
        let [_, second, third] = &mut self.factors;
        let other = |fibre: usize| {
            let w = tensor.place(fibre).0;
            &second[w * rank..(w + 1) * rank]
        };
        let explained: Vec<f64> = third
            .par_chunks_mut(rank * ROWS)
            .enumerate()
            .map(|(chunk, rows)| {
                let mut sum = 0.0;
                for (offset, x) in rows.chunks_mut(rank).enumerate() {
                    let p = chunk * ROWS + offset;
                    let fibres = by_third[starts[p]..starts[p + 1]]
                        .iter()
                        .map(|&f| f as usize);
                    let (g, h) = normal_equations(fibres, product, grams, other, rank);
                    coordinate_descent(x, &g, &h, &penalty, passes);
                    for r in 0..rank {
                        let curved: f64 = h[r * rank..(r + 1) * rank]
                            .iter()
                            .zip(x.iter())
                            .map(|(a, b)| a * b)
                            .sum();
                        sum += x[r] * (curved - 2.0 * g[r]);
                    }
                }
                sum
            })
            .collect();
        explained.into_iter().sum()
    }
}

/// Products of the columns of the first factor, summed over the observed entries of a fibre.
enum Grams {
    /// The same for every fibre: rank x rank.
    Shared(Vec<f64>),
    /// One packed triangle a fibre.
    Own(Vec<f32>),
}

/// Target and Gram matrix of one row of the second or third factor, summed over its fibres.
fn normal_equations<'b>(
    fibres: impl Iterator<Item = usize>,
    product: &[f32],
    grams: &Grams,
    other: impl Fn(usize) -> &'b [f64],
    rank: usize,
) -> (Vec<f64>, Vec<f64>) {
    let mut g = vec![0.0; rank];
    let mut h = vec![0.0; rank * rank];
    for fibre in fibres {
        let values = other(fibre);
        for r in 0..rank {
            g[r] += f64::from(product[fibre * rank + r]) * values[r];
        }
        match grams {
            Grams::Shared(_) => {
                for r in 0..rank {
                    let row = &mut h[r * rank..(r + 1) * rank];
                    row.iter_mut()
                        .zip(values)
                        .for_each(|(sum, value)| *sum += values[r] * value);
                }
            }
            Grams::Own(own) => {
                let mut packed = own[fibre * packed_len(rank)..].iter();
                for r in 0..rank {
                    for s in r..rank {
                        let entry = packed.next().map_or(0.0, |&value| f64::from(value));
                        h[r * rank + s] += entry * values[r] * values[s];
                    }
                }
            }
        }
    }
    match grams {
        Grams::Shared(first) => h
            .iter_mut()
            .zip(first)
            .for_each(|(value, own)| *value *= own),
        Grams::Own(_) => {
            for r in 0..rank {
                for s in 0..r {
                    h[r * rank + s] = h[s * rank + r];
                }
            }
        }
    }
    (g, h)
}

/// Gram matrix of the Khatri-Rao rows of all fibres: Σ over fibres of (b∘c)(b∘c)ᵀ. With C_w the Gram
/// matrix of the third factor over the fibres of second index w this is Σ_w (b_w b_wᵀ) ∘ C_w.
fn fibre_gram(
    tensor: &ObservedTensor,
    rank: usize,
    second: &[f64],
    third: &[f64],
    starts: &[usize],
) -> Vec<f64> {
    let own: Vec<Vec<f64>> = second
        .par_chunks(rank)
        .enumerate()
        .map(|(w, b)| {
            let mut h = vec![0.0; rank * rank];
            for fibre in starts[w]..starts[w + 1] {
                let p = tensor.place(fibre).1;
                let c = &third[p * rank..(p + 1) * rank];
                for r in 0..rank {
                    let row = &mut h[r * rank..(r + 1) * rank];
                    row.iter_mut()
                        .zip(c)
                        .for_each(|(sum, value)| *sum += c[r] * value);
                }
            }
            for r in 0..rank {
                for s in 0..rank {
                    h[r * rank + s] *= b[r] * b[s];
                }
            }
            h
        })
        .collect();
    let mut total = vec![0.0; rank * rank];
    for h in own {
        total
            .iter_mut()
            .zip(h)
            .for_each(|(sum, value)| *sum += value);
    }
    total
}

fn gram(factor: &[f64], rank: usize) -> Vec<f64> {
    let mut h = vec![0.0; rank * rank];
    for row in factor.chunks(rank) {
        for r in 0..rank {
            let out = &mut h[r * rank..(r + 1) * rank];
            out.iter_mut()
                .zip(row)
                .for_each(|(sum, value)| *sum += row[r] * value);
        }
    }
    h
}

fn squared_norms(factor: &[f64], rank: usize) -> Vec<f64> {
    let mut norms = vec![0.0; rank];
    for row in factor.chunks(rank) {
        norms
            .iter_mut()
            .zip(row)
            .for_each(|(sum, value)| *sum += value * value);
    }
    norms
}

/// Minimises ½ xᵀHx − gᵀx + ½ Σ penalty_r x_r² over x ≥ 0 by passes over the coordinates.
fn coordinate_descent(x: &mut [f64], g: &[f64], h: &[f64], penalty: &[f64], passes: usize) {
    let rank = x.len();
    for _ in 0..passes {
        let mut moved = 0.0f64;
        for r in 0..rank {
            let row = &h[r * rank..(r + 1) * rank];
            let curvature = row[r] + penalty[r];
            if row[r] <= 0.0 {
                // Nothing observed bears on this entry.
                x[r] = 0.0;
                continue;
            }
            let explained = row.iter().zip(x.iter()).map(|(a, b)| a * b).sum::<f64>();
            let slope = g[r] - explained - penalty[r] * x[r];
            let next = (x[r] + slope / curvature).max(FLOOR);
            moved = moved.max((next - x[r]).abs() / (next + x[r]));
            x[r] = next;
        }
        if moved < 1e-9 {
            break;
        }
    }
}

fn packed_len(rank: usize) -> usize {
    rank * (rank + 1) / 2
}

/// The upper triangle of the outer product of `row` with itself, row by row.
fn packed_outer(row: &[f32]) -> impl Iterator<Item = f32> + '_ {
    (0..row.len()).flat_map(move |r| row[r..].iter().map(move |value| row[r] * value))
}

fn unpack(packed: &[f64], rank: usize) -> Vec<f64> {
    let mut full = vec![0.0; rank * rank];
    let mut next = packed.iter();
    for r in 0..rank {
        for s in r..rank {
            let value = next.next().copied().unwrap_or(0.0);
            full[r * rank + s] = value;
            full[s * rank + r] = value;
        }
    }
    full
}
