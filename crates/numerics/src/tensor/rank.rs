//! How many components: by prediction of held-out fibres, core consistency and stability.

use chiasm_core::{Error, Progress, Result, Seed};
use faer::{Mat, Side};
use ndarray::{Array2, Array3};
use serde::{Deserialize, Serialize};

use super::cp::{CpModel, CpSettings, fit_cp};
use super::matching::factor_match;
use super::observed::ObservedTensor;

/// How [`choose_rank`] works.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RankSettings {
    /// Ranks to try, rising.
    pub candidates: Vec<usize>,
    /// Share of the fibres (whole series of one animal and pair) held out in each draw.
    pub held_out: f64,
    /// Draws of held-out fibres; at least two, for the spread.
    pub draws: usize,
    /// Ranks whose fits to different draws match each other by less than this are passed over.
    pub least_stability: f64,
    /// The fit at each rank and draw; its `rank` is not used.
    pub fit: CpSettings,
}

impl Default for RankSettings {
    fn default() -> Self {
        RankSettings {
            candidates: (2..=10).collect(),
            held_out: 0.1,
            draws: 3,
            least_stability: 0.6,
            fit: CpSettings {
                restarts: 2,
                sweeps: 60,
                tolerance: 1e-4,
                ..CpSettings::default()
            },
        }
    }
}

/// What speaks for and against one rank.
#[derive(Clone, Debug, PartialEq)]
pub struct RankScore {
    /// The number of components.
    pub rank: usize,
    /// Relative error on the held-out fibres of each draw.
    pub held_out_errors: Vec<f64>,
    /// Mean relative error on the fibres fitted.
    pub fitted_error: f64,
    /// Core consistency in percent (100: perfectly trilinear), mean over draws.
    pub core_consistency: f64,
    /// Mean factor match score between the fits to different draws.
    pub stability: f64,
}

impl RankScore {
    /// Mean relative error on held-out fibres.
    pub fn held_out_error(&self) -> f64 {
        self.held_out_errors.iter().sum::<f64>() / self.held_out_errors.len() as f64
    }
}

/// The rank [`choose_rank`] settled on, and why.
#[derive(Clone, Debug)]
pub struct RankChoice {
    /// The chosen rank.
    pub rank: usize,
    /// All candidates in rising order.
    pub scores: Vec<RankScore>,
}

/// Chooses the number of components: among the candidates that are stable, the smallest whose
/// held-out error is within one standard error (over draws, of the paired difference) of the least.
/// Without any stable candidate stability is disregarded.
///
/// # Errors
/// [`Error::Setting`]; [`Error::TooFew`] where no fibre can be held out; [`Error::Interrupted`].
pub fn choose_rank(
    tensor: &ObservedTensor,
    settings: &RankSettings,
    seed: Seed,
    progress: &Progress,
) -> Result<RankChoice> {
    if settings.candidates.is_empty()
        || settings
            .candidates
            .windows(2)
            .any(|pair| pair[0] >= pair[1])
    {
        let given = format!("{:?}", settings.candidates);
        return Err(Error::setting(
            "candidates",
            given,
            "at least one rank, rising",
        ));
    }
    if settings.draws < 2 {
        return Err(Error::setting("draws", settings.draws, "at least 2"));
    }
    let splits: Vec<_> = (0..settings.draws)
        .map(|draw| {
            tensor.hold_out(
                settings.held_out,
                seed.named("held out").indexed(draw as u64),
            )
        })
        .collect::<Result<_>>()?;
    let mut scores = Vec::with_capacity(settings.candidates.len());
    for &rank in &settings.candidates {
        let fit = CpSettings {
            rank,
            ..settings.fit.clone()
        };
        let seed = seed.named("rank").indexed(rank as u64);
        let mut models: Vec<CpModel> = Vec::with_capacity(settings.draws);
        let (mut held_out_errors, mut fitted_error, mut core) = (Vec::new(), 0.0, 0.0);
        for (draw, (kept, out)) in splits.iter().enumerate() {
            let fitted = fit_cp(kept, &fit, seed.indexed(draw as u64), progress)?;
            held_out_errors.push(fitted.model().relative_error(out)?);
            fitted_error += fitted.relative_error() / settings.draws as f64;
            core += core_consistency(kept, fitted.model())? / settings.draws as f64;
            models.push(fitted.model().clone());
        }
        let mut matches = Vec::new();
        for (index, first) in models.iter().enumerate() {
            matches.extend(
                models[index + 1..]
                    .iter()
                    .map(|other| factor_match(first, other).score),
            );
        }
        let stability = matches.iter().sum::<f64>() / matches.len() as f64;
        scores.push(RankScore {
            rank,
            held_out_errors,
            fitted_error,
            core_consistency: core,
            stability,
        });
    }
    let stable = |score: &&RankScore| score.stability >= settings.least_stability;
    let mut eligible: Vec<&RankScore> = scores.iter().filter(stable).collect();
    if eligible.is_empty() {
        eligible = scores.iter().collect();
    }
    let least = eligible
        .iter()
        .min_by(|a, b| a.held_out_error().total_cmp(&b.held_out_error()))
        .map_or(&scores[0], |best| best);
    let close = |score: &&&RankScore| {
        let above: Vec<f64> = score
            .held_out_errors
            .iter()
            .zip(&least.held_out_errors)
            .map(|(own, best)| own - best)
            .collect();
        let mean = above.iter().sum::<f64>() / above.len() as f64;
        let variance = above
            .iter()
            .map(|value| (value - mean).powi(2))
            .sum::<f64>()
            / (above.len() - 1) as f64;
        mean <= (variance / above.len() as f64).sqrt()
    };
    let rank = eligible
        .iter()
        .find(close)
        .map_or(least.rank, |score| score.rank);
    Ok(RankChoice { rank, scores })
}

/// The core consistency diagnostic (Bro and Kiers 2003) in percent: how near the best Tucker core on
/// the model's factors is to the superdiagonal core that CP assumes. Missing entries are filled with
/// the model, which makes them neutral.
///
/// # Errors
/// [`Error::Shape`] where sizes differ, [`Error::NoConvergence`] where a factor has no
/// pseudo-inverse.
pub fn core_consistency(tensor: &ObservedTensor, model: &CpModel) -> Result<f64> {
    model.check_dims(tensor)?;
    let rank = model.rank();
    let mut scaled = model.factors.clone();
    for (mut column, weight) in scaled[0].columns_mut().into_iter().zip(&model.weights) {
        column *= *weight;
    }
    let [first, second, third] = &scaled;
    let inverses = [
        pseudo_inverse(first)?,
        pseudo_inverse(second)?,
        pseudo_inverse(third)?,
    ];
    // The core of the model itself: superdiagonal unless columns depend on each other.
    let own = [
        inverses[0].dot(first),
        inverses[1].dot(second),
        inverses[2].dot(third),
    ];
    let mut core = Array3::from_shape_fn((rank, rank, rank), |(a, b, c)| {
        (0..rank)
            .map(|r| own[0][[a, r]] * own[1][[b, r]] * own[2][[c, r]])
            .sum::<f64>()
    });
    // The core of the residual, block by block.
    let length = tensor.dims()[0];
    let blocks = model.residual_blocks(tensor, |range, residual| {
        let mut part = Array3::<f64>::zeros((rank, rank, rank));
        for (fibre, values) in range.zip(residual.chunks(length)) {
            let (w, p) = tensor.place(fibre);
            for a in 0..rank {
                let along: f64 = inverses[0]
                    .row(a)
                    .iter()
                    .zip(values)
                    .map(|(weight, &value)| weight * f64::from(value))
                    .sum();
                for b in 0..rank {
                    let scale = along * inverses[1][[b, w]];
                    for c in 0..rank {
                        part[[a, b, c]] += scale * inverses[2][[c, p]];
                    }
                }
            }
        }
        part
    });
    for part in blocks {
        core += &part;
    }
    let misfit: f64 = core
        .indexed_iter()
        .map(|((a, b, c), &value)| (value - f64::from(u8::from(a == b && b == c))).powi(2))
        .sum();
    Ok(100.0 * (1.0 - misfit / rank as f64))
}

/// The pseudo-inverse (columns x rows) through the eigenvectors of the Gram matrix.
fn pseudo_inverse(factor: &Array2<f64>) -> Result<Array2<f64>> {
    let rank = factor.ncols();
    let gram = factor.t().dot(factor);
    let square = Mat::from_fn(rank, rank, |i, j| gram[[i, j]]);
    let eigen = square
        .self_adjoint_eigen(Side::Lower)
        .map_err(|error| Error::NoConvergence {
            operation: "core consistency",
            reason: format!("{error:?}"),
        })?;
    let (vectors, values) = (eigen.U(), eigen.S().column_vector());
    let largest = (0..rank).fold(0.0f64, |most, k| most.max(values[k]));
    let inverse = Array2::from_shape_fn((rank, rank), |(i, j)| {
        (0..rank)
            .filter(|&k| values[k] > 1e-12 * largest)
            .map(|k| vectors[(i, k)] * vectors[(j, k)] / values[k])
            .sum()
    });
    Ok(inverse.dot(&factor.t()))
}
