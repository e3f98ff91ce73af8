//! Ridge regression of many targets on common features, with a penalty chosen for each target.
//!
//! For features X (rows x features), responses y (rows) and penalty α the weights are
//! b = argmin ‖y - m - X b‖² + α ‖b‖², with the intercept m not penalised. One eigendecomposition a fold, in the smaller
//! of the two spaces, serves every target and every penalty (Hoerl and Kennard 1970; the dual form
//! as in Saunders, Gammerman and Vovk 1998). Features are centred, and scaled if asked, by the training
//! rows of each fold alone. The penalty of a target is the one of the grid whose score, averaged
//! over the folds' test rows, is best; the final fit takes all rows.
//!
//! Memory: responses pass in batches of targets. Besides features and results one fit holds the eigenvectors
//! of one fold in double precision, the fold's two bases (training and test rows x rank) in the type of
//! the data, and one batch, of which [`RidgeSettings::batch_mebibytes`] bounds the size.

use std::ops::Range;

use chiasm_core::{Error, Progress, Result};
use faer::{Accum, Par};
use ndarray::{Array2, ArrayView2};
use serde::{Deserialize, Serialize};

use super::checks::{
    batches, check_alpha, check_data, check_features, constant_targets, is_constant,
};
use super::columns::{Columns, column_means, product, subtract};
use super::design::{Centring, Form, Spectrum};
use super::penalty_path::{PathScratch, PenaltyPath};
use super::real::Real;
use super::scores::SelectionMetric;
use super::selection::{FoldScores, PenaltyChoice, PenaltySelection};
use super::source::ResponseSource;
use crate::splits::{Split, check_splits};

/// How [`fit_ridge`] works.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RidgeSettings {
    /// The penalties to choose from, in any order; 0 is least squares of least norm.
    pub alphas: Vec<f64>,
    /// One penalty a target, or one for all.
    pub choice: PenaltyChoice,
    /// The score by which penalties are chosen.
    pub metric: SelectionMetric,
    /// Take the largest penalty whose score is within one standard deviation over folds of the best, instead
    /// of the best.
    pub conservative: bool,
    /// Fit an intercept. Without one features and responses are taken as they are.
    pub intercept: bool,
    /// Divide each feature by its standard deviation over the training rows (of each fold).
    pub standardise: bool,
    /// In which space to solve.
    pub form: Form,
    /// The most memory for one batch of targets, in MiB.
    pub batch_mebibytes: usize,
}

impl Default for RidgeSettings {
    /// Twenty penalties from 10⁻³ to 10⁷, R², an intercept, features as they are.
    fn default() -> Self {
        RidgeSettings {
            alphas: logarithmic_grid(-3.0, 7.0, 20),
            choice: PenaltyChoice::PerTarget,
            metric: SelectionMetric::R2,
            conservative: false,
            intercept: true,
            standardise: false,
            form: Form::Automatic,
            batch_mebibytes: 128,
        }
    }
}

/// `count` numbers from 10^`first` to 10^`last`, equally far apart in their logarithm.
pub fn logarithmic_grid(first: f64, last: f64, count: usize) -> Vec<f64> {
    let step = (last - first) / (count.max(2) - 1) as f64;
    (0..count)
        .map(|place| 10f64.powf(first + step * place as f64))
        .collect()
}

impl RidgeSettings {
    /// Checks the ranges.
    ///
    /// # Errors
    /// [`Error::Setting`] with the name of the first that is outside.
    pub fn check(&self) -> Result<()> {
        if self.alphas.is_empty() {
            return Err(Error::setting("alphas", "none", "at least one penalty"));
        }
        for alpha in &self.alphas {
            check_alpha(*alpha)?;
        }
        if self.batch_mebibytes == 0 {
            return Err(Error::setting("batch_mebibytes", 0, "at least 1"));
        }
        Ok(())
    }

    /// The grid, rising and without repeats.
    pub(super) fn grid(&self) -> Vec<f64> {
        let mut grid = self.alphas.clone();
        grid.sort_unstable_by(f64::total_cmp);
        grid.dedup();
        grid
    }
}

/// Penalties that are given, not chosen.
#[derive(Clone, Debug, PartialEq)]
pub enum Penalty {
    /// The same for all targets.
    Shared(f64),
    /// One a target.
    PerTarget(Vec<f64>),
}

/// Weights of all targets.
#[derive(Clone, Debug)]
pub struct RidgeFit<T> {
    centring: Centring,
    /// Primal: features x targets. Dual: training rows x targets.
    coefficients: Columns<T>,
    /// Dual: the training rows, centred and scaled, rows x features.
    training: Option<Columns<T>>,
    /// Mean response of each target over the training rows (0 without an intercept).
    means: Vec<f64>,
    /// Each target's penalty.
    pub alphas: Vec<f64>,
    /// How the penalties were chosen; `None` where they were given.
    pub selection: Option<PenaltySelection>,
    /// Which targets are constant over the training rows: they are predicted by that constant.
    pub constant: Vec<bool>,
}

/// Chooses penalties by cross-validation over `folds` (rows of `x` and of `y`), without a final fit.
///
/// # Errors
/// [`Error::Setting`] from [`RidgeSettings::check`]; [`Error::Shape`] where rows do not agree; [`Error::NotFinite`];
/// [`Error::TooFew`] without rows, features or targets; what the source fails with; [`Error::Interrupted`].
pub fn select_penalties<T: Real, S: ResponseSource<T>>(
    x: ArrayView2<'_, T>,
    y: &S,
    folds: &[Split],
    settings: &RidgeSettings,
    progress: &Progress,
) -> Result<PenaltySelection> {
    settings.check()?;
    check_data(x, y)?;
    check_splits(folds, x.nrows())?;
    let grid = settings.grid();
    let targets = y.target_count();
    let constant = constant_targets(y, settings.batch_mebibytes, progress)?;
    let mut scores = FoldScores::new(
        &constant,
        grid.len(),
        settings.choice,
        settings.conservative,
    );
    progress.begin("ridge: cross-validation", (folds.len() * targets) as u64);
    for fold in folds {
        progress.check()?;
        let centring = Centring::of(x, &fold.train, settings.intercept, settings.standardise);
        let dual = settings.form.is_dual(fold.train.len(), x.ncols());
        let spectrum = Spectrum::of(x, &centring, dual, &fold.train, &fold.test)?;
        let path = PenaltyPath::new(&spectrum, &grid);
        let per_target =
            fold.train.len() + fold.test.len() + PathScratch::per_target(&path, &spectrum);
        let mut scratch = PathScratch::default();
        let (mut train, mut test) = (Columns::default(), Columns::default());
        scores.begin_fold();
        for batch in batches::<T>(targets, per_target, settings.batch_mebibytes) {
            train.read(y, &fold.train, batch.clone())?;
            test.read(y, &fold.test, batch.clone())?;
            if settings.intercept {
                let means = column_means(&train);
                subtract(&mut train, &means);
                subtract(&mut test, &means);
            }
            let batch_scores = scratch.score(&spectrum, &path, &train, &test, settings.metric)?;
            scores.put(batch.start, &batch_scores);
            progress.advance(batch.len() as u64)?;
        }
        scores.end_fold();
    }
    progress.end();
    let (chosen, scores) = scores.choose();
    Ok(PenaltySelection {
        grid,
        chosen,
        scores,
        constant,
    })
}

/// Chooses penalties by [`select_penalties`] and fits all rows with them.
///
/// # Errors
/// As [`select_penalties`].
pub fn fit_ridge<T: Real, S: ResponseSource<T>>(
    x: ArrayView2<'_, T>,
    y: &S,
    folds: &[Split],
    settings: &RidgeSettings,
    progress: &Progress,
) -> Result<RidgeFit<T>> {
    let selection = select_penalties(x, y, folds, settings, progress)?;
    let penalty = Penalty::PerTarget(selection.alphas());
    let mut fit = fit_ridge_fixed(x, y, &penalty, settings, progress)?;
    fit.selection = Some(selection);
    Ok(fit)
}

/// Fits all rows with given penalties; of the settings only `intercept`, `standardise`, `form` and the memory count.
///
/// # Errors
/// [`Error::Setting`] for a penalty outside its range; [`Error::Shape`] where rows or penalties do not agree; else as
/// [`select_penalties`].
pub fn fit_ridge_fixed<T: Real, S: ResponseSource<T>>(
    x: ArrayView2<'_, T>,
    y: &S,
    penalty: &Penalty,
    settings: &RidgeSettings,
    progress: &Progress,
) -> Result<RidgeFit<T>> {
    check_data(x, y)?;
    let targets = y.target_count();
    let alphas = match penalty {
        Penalty::Shared(alpha) => vec![*alpha; targets],
        Penalty::PerTarget(alphas) => alphas.clone(),
    };
    if alphas.len() != targets {
        return Err(Error::Shape {
            operation: "ridge",
            what: "the penalties".to_string(),
            axis: "targets",
            found: alphas.len(),
            expected: targets.to_string(),
        });
    }
    for &alpha in &alphas {
        check_alpha(alpha)?;
    }
    let rows: Vec<usize> = (0..x.nrows()).collect();
    let dual = settings.form.is_dual(x.nrows(), x.ncols());
    progress.begin("ridge: final fit", targets as u64);
    let centring = Centring::of(x, &rows, settings.intercept, settings.standardise);
    let spectrum = Spectrum::of(x, &centring, dual, &rows, &[])?;
    let solver = Solver::new(&spectrum, dual);
    let mut coefficients = Columns::zeros(solver.vectors.rows(), targets);
    let (mut means, mut constant) = (vec![0.0; targets], vec![false; targets]);
    let per_target = x.nrows() + 2 * spectrum.eigenvalues.len();
    let mut responses = Columns::default();
    for batch in batches::<T>(targets, per_target, settings.batch_mebibytes) {
        responses.read(y, &rows, batch.clone())?;
        for (target, column) in batch.clone().zip(0..) {
            constant[target] = is_constant(responses.column(column));
        }
        if settings.intercept {
            let batch_means = column_means(&responses);
            subtract(&mut responses, &batch_means);
            means[batch.clone()].copy_from_slice(&batch_means);
        }
        solver.solve(
            &spectrum,
            &responses,
            &alphas[batch.clone()],
            coefficients.range_mut(batch.clone()),
        );
        progress.advance(batch.len() as u64)?;
    }
    progress.end();
    let training = if dual {
        Some(centring.apply(x, &rows))
    } else {
        None
    };
    Ok(RidgeFit {
        centring,
        coefficients,
        training,
        means,
        alphas,
        selection: None,
        constant,
    })
}

/// Turns projected responses into coefficients.
pub(super) struct Solver<T> {
    /// Primal: V λ^-½ (features x rank). Dual: U (training rows x rank).
    vectors: Columns<T>,
    dual: bool,
}

impl<T: Real> Solver<T> {
    pub(super) fn new(spectrum: &Spectrum<T>, dual: bool) -> Self {
        let from = &spectrum.vectors;
        let mut vectors = Columns::zeros(from.nrows(), from.ncols());
        for j in 0..from.ncols() {
            let by = if dual {
                1.0
            } else {
                spectrum.eigenvalues[j].sqrt()
            };
            for (slot, value) in vectors.column_mut(j).iter_mut().zip(from.col(j).iter()) {
                *slot = T::from_double(*value / by);
            }
        }
        Solver { vectors, dual }
    }

    pub(super) fn solve(
        &self,
        spectrum: &Spectrum<T>,
        responses: &Columns<T>,
        alphas: &[f64],
        into: faer::MatMut<'_, T>,
    ) {
        let mut projected = Columns::default();
        product(
            &mut projected,
            spectrum.train.mat().transpose(),
            responses.mat(),
        );
        for (target, &alpha) in alphas.iter().enumerate() {
            let column = projected.column_mut(target).iter_mut();
            for (value, &eigenvalue) in column.zip(&spectrum.eigenvalues) {
                let weight = if self.dual {
                    1.0 / (eigenvalue + alpha)
                } else {
                    eigenvalue / (eigenvalue + alpha)
                };
                *value = T::from_double(value.to_double() * weight);
            }
        }
        faer::linalg::matmul::matmul(
            into,
            Accum::Replace,
            self.vectors.mat(),
            projected.mat(),
            T::one(),
            Par::rayon(0),
        );
    }
}

impl<T: Real> RidgeFit<T> {
    /// The number of targets.
    pub fn targets(&self) -> usize {
        self.coefficients.columns()
    }

    /// The number of features.
    pub fn features(&self) -> usize {
        self.centring.mean.len()
    }

    /// Predictions (rows x targets) of new rows.
    ///
    /// # Errors
    /// [`Error::Shape`] where the features are not as many as were fitted; [`Error::NotFinite`].
    pub fn predict(&self, x: ArrayView2<'_, T>) -> Result<Array2<T>> {
        self.predict_targets(x, 0..self.targets())
    }

    /// Predictions (rows x targets of the range) of new rows.
    ///
    /// # Errors
    /// As [`RidgeFit::predict`]; [`Error::Shape`] where the range goes beyond the targets.
    pub fn predict_targets(
        &self,
        x: ArrayView2<'_, T>,
        targets: Range<usize>,
    ) -> Result<Array2<T>> {
        check_features(x, self.features())?;
        self.check_range(&targets)?;
        let rows: Vec<usize> = (0..x.nrows()).collect();
        let mut left = self.centring.apply(x, &rows);
        if let Some(training) = &self.training {
            let mut kernel = Columns::default();
            product(&mut kernel, left.mat(), training.mat().transpose());
            left = kernel;
        }
        let mut predictions = Columns::default();
        let coefficients = self.coefficients.range(targets.clone());
        product(&mut predictions, left.mat(), coefficients);
        let shift: Vec<f64> = self.means[targets].iter().map(|mean| -mean).collect();
        subtract(&mut predictions, &shift);
        predictions.into_array()
    }

    /// Weights (features x targets) for features as they come: predictions are `x · weights + intercepts`.
    pub fn weights(&self) -> Result<Array2<T>> {
        self.weights_of(0..self.targets())
    }

    /// As [`RidgeFit::weights`], for a range of targets.
    ///
    /// # Errors
    /// [`Error::Shape`] where the range goes beyond the targets.
    pub fn weights_of(&self, targets: Range<usize>) -> Result<Array2<T>> {
        self.check_range(&targets)?;
        let coefficients = self.coefficients.range(targets);
        let mut weights = Columns::default();
        if let Some(training) = &self.training {
            product(&mut weights, training.mat().transpose(), coefficients);
        } else {
            weights.reshape(coefficients.nrows(), coefficients.ncols());
            weights.mat_mut().copy_from(coefficients);
        }
        let mut weights = weights.into_array()?;
        for (mut row, &scale) in weights.rows_mut().into_iter().zip(&self.centring.scale) {
            row.mapv_inplace(|weight| T::from_double(weight.to_double() * scale));
        }
        Ok(weights)
    }

    /// The intercept of each target of a range, for features as they come.
    ///
    /// # Errors
    /// [`Error::Shape`] where the range goes beyond the targets.
    pub fn intercepts_of(&self, targets: Range<usize>) -> Result<Vec<f64>> {
        let weights = self.weights_of(targets.clone())?;
        Ok(targets
            .zip(weights.columns())
            .map(|(target, column)| {
                let shift: f64 = column
                    .iter()
                    .zip(&self.centring.mean)
                    .map(|(weight, mean)| weight.to_double() * mean)
                    .sum();
                self.means[target] - shift
            })
            .collect())
    }

    fn check_range(&self, targets: &Range<usize>) -> Result<()> {
        if targets.start > targets.end || targets.end > self.targets() {
            return Err(Error::Shape {
                operation: "ridge",
                what: "the range of targets".to_string(),
                axis: "targets",
                found: targets.end,
                expected: format!("at most {}, and not below the start", self.targets()),
            });
        }
        Ok(())
    }
}
