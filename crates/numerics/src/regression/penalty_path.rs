//! Scores of one fold's predictions under many penalties at once, from a few predictions.
//!
//! The prediction under penalty α weighs component j by λ_j / (λ_j + α). As functions of j the weights of a
//! grid of penalties are nearly dependent: the singular values of the matrix (penalties x components) fall
//! exponentially, so that a handful of basis weightings gives every penalty's prediction to the rounding
//! error of the number type. Products of test rows are taken for the basis only; the sum of squared errors and the
//! correlation of every penalty then follow from inner products of the basis predictions with each
//! other and with the responses, summed in double precision.
//!
//! Components count by the length of their test column, since a small eigenvalue can carry a large
//! one. Where the basis would not be much smaller than the grid, each penalty is predicted by itself.

use chiasm_core::Result;
use faer::Mat;
use rayon::prelude::*;

use super::columns::{Columns, product};
use super::design::Spectrum;
use super::real::Real;
use super::scores::{Moments, SelectionMetric};

/// The basis weightings of one fold and how they make up each penalty's.
#[derive(Debug)]
pub(super) struct PenaltyPath {
    /// One a basis prediction, each of rank entries.
    weights: Vec<Vec<f64>>,
    /// Penalties x basis; `None` where basis and penalties are the same.
    mixture: Option<Mat<f64>>,
    penalties: usize,
}

/// Weight of a component under a penalty, 1 where both are 0.
pub(super) fn shrinkage(eigenvalue: f64, alpha: f64) -> f64 {
    if alpha == 0.0 {
        1.0
    } else {
        eigenvalue / (eigenvalue + alpha)
    }
}

impl PenaltyPath {
    pub(super) fn new<T: Real>(spectrum: &Spectrum<T>, alphas: &[f64]) -> Self {
        let exact: Vec<Vec<f64>> = alphas
            .iter()
            .map(|&alpha| {
                let weigh = |&value: &f64| shrinkage(value, alpha);
                spectrum.eigenvalues.iter().map(weigh).collect()
            })
            .collect();
        Self::compressed::<T>(spectrum, &exact).unwrap_or(PenaltyPath {
            weights: exact,
            mixture: None,
            penalties: alphas.len(),
        })
    }

    fn compressed<T: Real>(spectrum: &Spectrum<T>, exact: &[Vec<f64>]) -> Option<Self> {
        let rank = spectrum.eigenvalues.len();
        let count = exact.len();
        if count < 4 || rank < 4 {
            return None;
        }
        let lengths: Vec<f64> = spectrum
            .test
            .each()
            .map(|column| {
                let squares = column.iter().map(|value| value.to_double().powi(2));
                squares.sum::<f64>().sqrt().max(f64::MIN_POSITIVE)
            })
            .collect();
        // Every penalty counts alike, however small its weights: correlation does not see their scale.
        let mut scale = vec![0.0; count];
        let mut table = Mat::zeros(rank, count);
        for (a, weights) in exact.iter().enumerate() {
            for j in 0..rank {
                table[(j, a)] = weights[j] * lengths[j];
            }
            scale[a] = table.col(a).norm_l2();
            if !(scale[a] > 0.0) {
                return None;
            }
            table.col_mut(a).iter_mut().for_each(|w| *w /= scale[a]);
        }
        let parts = table.thin_svd().ok()?;
        let singular = parts.S().column_vector();
        let kept = (0..singular.nrows())
            .filter(|&k| singular[k] > singular[0] * T::NEGLIGIBLE)
            .count();
        // Inner products of all pairs of the basis cost a little: take it only where it clearly saves.
        if kept * 5 > count * 4 {
            return None;
        }
        let weights = (0..kept)
            .map(|k| {
                (0..rank)
                    .map(|j| parts.U()[(j, k)] * singular[k] / lengths[j])
                    .collect()
            })
            .collect();
        let mixture = Mat::from_fn(count, kept, |a, k| parts.V()[(a, k)] * scale[a]);
        Some(PenaltyPath {
            weights,
            mixture: Some(mixture),
            penalties: count,
        })
    }

    /// How many predictions stand for all penalties.
    pub(super) fn basis(&self) -> usize {
        self.weights.len()
    }
}

/// Memory that scoring one batch of targets needs, kept between batches.
#[derive(Debug, Default)]
pub(super) struct PathScratch<T> {
    projected: Columns<T>,
    weighted: Columns<T>,
    predictions: Vec<Columns<T>>,
}

impl<T: Real> PathScratch<T> {
    /// Numbers held a target.
    pub(super) fn per_target(path: &PenaltyPath, spectrum: &Spectrum<T>) -> usize {
        2 * spectrum.eigenvalues.len() + path.basis() * spectrum.test.rows()
    }

    /// Scores (targets x penalties, a target's penalties contiguous) of predictions of `test`, from `train`; both hold
    /// responses with the training mean taken off.
    pub(super) fn score(
        &mut self,
        spectrum: &Spectrum<T>,
        path: &PenaltyPath,
        train: &Columns<T>,
        test: &Columns<T>,
        metric: SelectionMetric,
    ) -> Result<Vec<f64>> {
        let rank = spectrum.eigenvalues.len();
        product(
            &mut self.projected,
            spectrum.train.mat().transpose(),
            train.mat(),
        );
        self.predictions
            .resize_with(path.basis(), || Columns::zeros(0, 0));
        for (weights, predictions) in path.weights.iter().zip(&mut self.predictions) {
            let weights: Vec<T> = weights.iter().map(|&w| T::from_double(w)).collect();
            self.weighted.reshape(rank, test.columns());
            self.weighted
                .each_mut()
                .zip(self.projected.each())
                .for_each(|(to, from)| {
                    for ((to, &from), &weight) in to.iter_mut().zip(from).zip(&weights) {
                        *to = from * weight;
                    }
                });
            product(predictions, spectrum.test.mat(), self.weighted.mat());
        }
        let mut scores = vec![0.0; test.columns() * path.penalties];
        let predictions = &self.predictions;
        scores
            .par_chunks_exact_mut(path.penalties)
            .enumerate()
            .for_each(|(target, scores)| {
                let y = test.column(target);
                let predicted: Vec<&[T]> = predictions.iter().map(|p| p.column(target)).collect();
                match &path.mixture {
                    None => {
                        for (score, &p) in scores.iter_mut().zip(&predicted) {
                            *score = Moments::of(y, p).score(metric);
                        }
                    }
                    Some(mixture) => mixed_scores(y, &predicted, mixture, metric, scores),
                }
            });
        Ok(scores)
    }
}

/// Scores of all mixtures of `basis` from inner products.
fn mixed_scores<T: Real>(
    y: &[T],
    basis: &[&[T]],
    mixture: &Mat<f64>,
    metric: SelectionMetric,
    scores: &mut [f64],
) {
    let size = basis.len();
    let base = Moments::of(y, y);
    let sums: Vec<f64> = basis.iter().map(|p| sum(p)).collect();
    let with_y: Vec<f64> = basis.iter().map(|p| dot(p, y)).collect();
    let mut gram = vec![0.0; size * size];
    for k in 0..size {
        for l in 0..=k {
            let value = dot(basis[k], basis[l]);
            gram[k * size + l] = value;
            gram[l * size + k] = value;
        }
    }
    for (a, score) in scores.iter_mut().enumerate() {
        let mut moments = Moments {
            predicted: 0.0,
            cross: 0.0,
            predicted_square: 0.0,
            ..base
        };
        for k in 0..size {
            let weight = mixture[(a, k)];
            moments.predicted += weight * sums[k];
            moments.cross += weight * with_y[k];
            let row = &gram[k * size..(k + 1) * size];
            let inner: f64 = row
                .iter()
                .enumerate()
                .map(|(l, value)| value * mixture[(a, l)])
                .sum();
            moments.predicted_square += weight * inner;
        }
        *score = moments.score(metric);
    }
}

/// Lanes of independent partial sums, so that the compiler can use vector registers; their order is fixed.
const LANES: usize = 8;

pub(super) fn dot<T: Real>(a: &[T], b: &[T]) -> f64 {
    let mut lanes = [0.0_f64; LANES];
    let (a_blocks, b_blocks) = (a.chunks_exact(LANES), b.chunks_exact(LANES));
    let rest: f64 = (a_blocks.remainder().iter().zip(b_blocks.remainder()))
        .map(|(a, b)| a.to_double() * b.to_double())
        .sum();
    for (a, b) in a_blocks.zip(b_blocks) {
        for lane in 0..LANES {
            lanes[lane] += a[lane].to_double() * b[lane].to_double();
        }
    }
    lanes.iter().sum::<f64>() + rest
}

pub(super) fn sum<T: Real>(a: &[T]) -> f64 {
    let mut lanes = [0.0_f64; LANES];
    let blocks = a.chunks_exact(LANES);
    let rest: f64 = blocks.remainder().iter().map(|a| a.to_double()).sum();
    for block in blocks {
        for lane in 0..LANES {
            lanes[lane] += block[lane].to_double();
        }
    }
    lanes.iter().sum::<f64>() + rest
}
