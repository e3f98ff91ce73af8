//! Non-negative canonical polyadic decomposition of data with missing entries.

use chiasm_core::{Error, Progress, Result, Seed};
use ndarray::{Array2, Array3, Axis};
use rand::RngExt;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::hals::Sweeper;
use super::observed::ObservedTensor;

/// A sum of `rank` outer products of non-negative columns:
/// `x[i, j, k] = Σ_r weights[r] · factors[0][i, r] · factors[1][j, r] · factors[2][k, r]`.
///
/// Columns have unit Euclidean length (or are all zero, with weight 0) and components are ordered by
/// falling weight, so that two models can be compared.
#[derive(Clone, Debug, PartialEq)]
pub struct CpModel {
    /// One weight a component, falling.
    pub weights: Vec<f64>,
    /// One matrix an axis: size of the axis x rank.
    pub factors: [Array2<f64>; 3],
}

impl CpModel {
    /// Normalises columns and orders components.
    ///
    /// # Errors
    /// [`Error::Shape`] where the matrices differ in their number of columns.
    pub fn from_factors(mut factors: [Array2<f64>; 3]) -> Result<Self> {
        let rank = factors[0].ncols();
        for factor in &factors[1..] {
            if factor.ncols() != rank {
                return Err(Error::Shape {
                    operation: "CP model",
                    what: "a factor matrix".to_string(),
                    axis: "components",
                    found: factor.ncols(),
                    expected: rank.to_string(),
                });
            }
        }
        let mut weights = vec![1.0; rank];
        for factor in &mut factors {
            for (weight, mut column) in weights.iter_mut().zip(factor.columns_mut()) {
                let norm = column.dot(&column).sqrt();
                *weight *= norm;
                if norm > 0.0 {
                    column /= norm;
                }
            }
        }
        let mut order: Vec<usize> = (0..rank).collect();
        order.sort_by(|&a, &b| weights[b].total_cmp(&weights[a]));
        let factors = factors.map(|factor| factor.select(Axis(1), &order));
        let weights = order.iter().map(|&component| weights[component]).collect();
        Ok(CpModel { weights, factors })
    }

    /// The number of components.
    pub fn rank(&self) -> usize {
        self.weights.len()
    }

    /// Sizes of the three axes.
    pub fn dims(&self) -> [usize; 3] {
        [
            self.factors[0].nrows(),
            self.factors[1].nrows(),
            self.factors[2].nrows(),
        ]
    }

    /// The modelled data in full.
    pub fn to_array(&self) -> Array3<f64> {
        let [a, b, c] = self.dims();
        Array3::from_shape_fn((a, b, c), |(i, j, k)| {
            (0..self.rank())
                .map(|r| {
                    self.weights[r]
                        * self.factors[0][[i, r]]
                        * self.factors[1][[j, r]]
                        * self.factors[2][[k, r]]
                })
                .sum()
        })
    }

    /// ‖observed − model‖ / ‖observed‖ over the observed entries of `tensor`, whether or not the model
    /// was fitted to them. Residuals are formed one by one and their squares summed in double
    /// precision, so nothing cancels and missing entries count for nothing.
    ///
    /// # Errors
    /// [`Error::Shape`] where the sizes differ.
    pub fn relative_error(&self, tensor: &ObservedTensor) -> Result<f64> {
        self.check_dims(tensor)?;
        let squares: f64 = self
            .residual_blocks(tensor, |_, residual| {
                residual
                    .iter()
                    .map(|&value| f64::from(value).powi(2))
                    .sum::<f64>()
            })
            .into_iter()
            .sum();
        Ok((squares / tensor.squared_norm().max(f64::MIN_POSITIVE)).sqrt())
    }

    pub(super) fn check_dims(&self, tensor: &ObservedTensor) -> Result<()> {
        const AXES: [&str; 3] = ["first axis", "second axis", "third axis"];
        for (axis, (found, expected)) in AXES
            .into_iter()
            .zip(tensor.dims().into_iter().zip(self.dims()))
        {
            if found != expected {
                return Err(Error::Shape {
                    operation: "CP model",
                    what: "the tensor".to_string(),
                    axis,
                    found,
                    expected: expected.to_string(),
                });
            }
        }
        Ok(())
    }

    pub(super) fn residual_blocks<T: Send>(
        &self,
        tensor: &ObservedTensor,
        each: impl Fn(std::ops::Range<usize>, &[f32]) -> T + Sync,
    ) -> Vec<T> {
        let first: Vec<f32> = self.factors[0].iter().map(|&value| value as f32).collect();
        let coefficients = |fibre: usize, row: &mut [f32]| {
            let (w, p) = tensor.place(fibre);
            for (r, value) in row.iter_mut().enumerate() {
                *value =
                    (self.weights[r] * self.factors[1][[w, r]] * self.factors[2][[p, r]]) as f32;
            }
        };
        tensor.residual_blocks(&first, self.rank(), coefficients, each)
    }
}

/// How [`fit_cp`] works.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CpSettings {
    /// Number of components.
    pub rank: usize,
    /// Independent random starts; the one with the least error is kept.
    pub restarts: usize,
    /// The most sweeps over the three axes.
    pub sweeps: usize,
    /// Stop once a sweep lowers the relative error by less than this; 0 runs all sweeps.
    pub tolerance: f64,
    /// Passes of coordinate descent over the components of a row, per axis and sweep. More than one
    /// is nearly free: the products they reuse cost far more.
    pub inner_passes: usize,
    /// Weight of the penalty ½ ridge Σ_r λ_r² on the sizes of the components. Without one, entries that
    /// were only observed where a component is nearly absent are free to be anything; with it, a
    /// component's entry is shrunk by the share of the component's energy that bears on it,
    /// φ / (φ + ridge).
    pub ridge: f64,
}

impl Default for CpSettings {
    fn default() -> Self {
        CpSettings {
            rank: 6,
            restarts: 4,
            sweeps: 200,
            tolerance: 1e-5,
            inner_passes: 4,
            ridge: 0.01,
        }
    }
}

impl CpSettings {
    /// Checks the ranges.
    ///
    /// # Errors
    /// [`Error::Setting`] with the name of the first that is outside.
    pub fn check(&self) -> Result<()> {
        let counts = [
            ("rank", self.rank, 256),
            ("restarts", self.restarts, 10_000),
            ("sweeps", self.sweeps, 1_000_000),
            ("inner_passes", self.inner_passes, 1_000),
        ];
        for (name, value, most) in counts {
            if value == 0 || value > most {
                return Err(Error::setting(name, value, format!("from 1 to {most}")));
            }
        }
        if !(self.tolerance >= 0.0 && self.tolerance < 1.0) {
            return Err(Error::setting(
                "tolerance",
                self.tolerance,
                "at least 0 and below 1",
            ));
        }
        if !(self.ridge >= 0.0 && self.ridge.is_finite()) {
            return Err(Error::setting("ridge", self.ridge, "at least 0"));
        }
        Ok(())
    }
}

/// One random start of [`fit_cp`].
#[derive(Clone, Debug)]
pub struct CpStart {
    /// Where it ended.
    pub model: CpModel,
    /// ‖observed − model‖ / ‖observed‖ there.
    pub relative_error: f64,
    /// Sweeps it took.
    pub sweeps: usize,
    /// Whether it stopped by the tolerance.
    pub converged: bool,
}

/// What [`fit_cp`] found.
#[derive(Clone, Debug)]
pub struct CpFit {
    /// All starts, the one with the least error first.
    pub starts: Vec<CpStart>,
}

impl CpFit {
    /// The model with the least error.
    pub fn model(&self) -> &CpModel {
        &self.starts[0].model
    }

    /// The least relative error.
    pub fn relative_error(&self) -> f64 {
        self.starts[0].relative_error
    }

    /// The mean factor match score of the best start with the others: near 1 where the components
    /// do not depend on where the search began. `None` with a single start.
    pub fn stability(&self) -> Option<f64> {
        let others = &self.starts[1..];
        let scores: Vec<f64> = others
            .iter()
            .map(|start| super::matching::factor_match(self.model(), &start.model).score)
            .collect();
        (!scores.is_empty()).then(|| scores.iter().sum::<f64>() / scores.len() as f64)
    }
}

/// Fits a [`CpModel`] to the observed entries of `tensor` by hierarchical alternating least squares:
/// with two axes fixed, every row of the third is a small non-negative least-squares problem over its
/// own observed entries, solved by cyclic coordinate descent (Cichocki and Phan 2009, with the Gram
/// matrix of each row summed over what that row has observed, so missing entries have no influence).
///
/// Where a mask is constant along the first axis all its rows share one Gram matrix and a masked fit
/// is faster than an unmasked one. A general mask costs (rank + 1) / 2 times more. Rows without any
/// observed entry come back as zeros.
///
/// # Errors
/// [`Error::Setting`] from [`CpSettings::check`]; [`Error::Unusable`] where all entries are zero;
/// [`Error::Interrupted`].
pub fn fit_cp(
    tensor: &ObservedTensor,
    settings: &CpSettings,
    seed: Seed,
    progress: &Progress,
) -> Result<CpFit> {
    settings.check()?;
    if tensor.squared_norm() == 0.0 {
        return Err(Error::Unusable {
            operation: "CP decomposition",
            reason: "every observed entry is zero".to_string(),
        });
    }
    let starts: Result<Vec<CpStart>> = (0..settings.restarts)
        .into_par_iter()
        .map(|start| {
            let mut rng = seed.named("cp").indexed(start as u64).rng();
            let factors = tensor.dims().map(|size| {
                Array2::from_shape_simple_fn((size, settings.rank), || rng.random::<f64>())
            });
            descend(tensor, factors, settings, progress)
        })
        .collect();
    let mut starts = starts?;
    starts.sort_by(|a, b| a.relative_error.total_cmp(&b.relative_error));
    Ok(CpFit { starts })
}

/// As one start of [`fit_cp`], from given `factors` (a warm start, or factors of another program).
///
/// # Errors
/// As [`fit_cp`], and [`Error::Shape`] where `factors` do not fit.
pub fn fit_cp_from(
    tensor: &ObservedTensor,
    factors: [Array2<f64>; 3],
    settings: &CpSettings,
    progress: &Progress,
) -> Result<CpStart> {
    settings.check()?;
    CpModel::from_factors(factors.clone())?.check_dims(tensor)?;
    descend(tensor, factors, settings, progress)
}

fn descend(
    tensor: &ObservedTensor,
    factors: [Array2<f64>; 3],
    settings: &CpSettings,
    progress: &Progress,
) -> Result<CpStart> {
    let mut sweeper = Sweeper::new(tensor, factors, settings.inner_passes, settings.ridge);
    let mut error = f64::INFINITY;
    let (mut sweeps, mut converged) = (0, false);
    while sweeps < settings.sweeps && !converged {
        progress.advance(1)?;
        let next = sweeper.sweep();
        sweeps += 1;
        converged = (error - next).abs() < settings.tolerance;
        error = next;
    }
    let model = CpModel::from_factors(sweeper.into_factors())?;
    let relative_error = model.relative_error(tensor)?;
    Ok(CpStart {
        model,
        relative_error,
        sweeps,
        converged,
    })
}
