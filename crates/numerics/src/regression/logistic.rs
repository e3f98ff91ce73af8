//! Logistic regression with an L2 penalty, for two classes or more: the linear probe.
//!
//! minimise C Σ_i loss(x_i, class_i) + ½ ‖W‖² over weights W and intercepts b, which are not penalised. Two classes have
//! one weight vector and the loss log(1 + exp(-s (x·w + b))) with s = ±1; more have one each and the loss -log softmax. This is
//! scikit-learn's objective; intercepts of more than two classes sum to 0.
//!
//! The penalty does not see rotations, so the search runs on the principal components of the centred
//! features, of which there are no more than rows or features, each divided by the root of 1 + C λ / 4, which is about
//! the curvature along it. Newton's method: each step's equations are solved by conjugate gradients from products
//! with the Hessian alone, and shortened until the objective falls enough.

use chiasm_core::{Error, Progress, Result};
use faer::{Mat, MatRef};
use ndarray::{Array1, Array2, ArrayView2};
use serde::{Deserialize, Serialize};

use super::checks::check_features;
use super::design::{Centring, Form, Spectrum};
use super::logistic_objective::Objective;
use super::real::Real;
use crate::splits::{Split, check_splits};

/// How [`fit_logistic`] works.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LogisticSettings {
    /// Values of C (weight of the data against the penalty) to choose from, in any order.
    pub inverse_penalties: Vec<f64>,
    /// By which score of the held-out rows C is chosen.
    pub metric: ProbeMetric,
    /// Fit intercepts.
    pub intercept: bool,
    /// Divide each feature by its standard deviation over the training rows (of each fold).
    pub standardise: bool,
    /// The most Newton steps.
    pub steps: usize,
    /// Stop once no entry of the gradient exceeds this share of what the rows' errors could add up to.
    pub tolerance: f64,
}

impl Default for LogisticSettings {
    /// Nine values of C from 10⁻⁴ to 10⁴, accuracy, intercepts, standardised features.
    fn default() -> Self {
        LogisticSettings {
            inverse_penalties: super::logarithmic_grid(-4.0, 4.0, 9),
            metric: ProbeMetric::Accuracy,
            intercept: true,
            standardise: true,
            steps: 200,
            tolerance: 1e-9,
        }
    }
}

/// The score of held-out rows by which C is chosen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ProbeMetric {
    /// Share of rows whose likeliest class is the true one.
    #[default]
    Accuracy,
    /// Mean log-probability of the true class.
    LogLikelihood,
}

impl LogisticSettings {
    /// Checks the ranges.
    ///
    /// # Errors
    /// [`Error::Setting`] with the name of the first that is outside.
    pub fn check(&self) -> Result<()> {
        if self.inverse_penalties.is_empty() {
            return Err(Error::setting("inverse_penalties", "none", "at least one"));
        }
        for &c in &self.inverse_penalties {
            check_inverse_penalty(c)?;
        }
        if self.steps == 0 {
            return Err(Error::setting("steps", 0, "at least 1"));
        }
        if !(self.tolerance > 0.0 && self.tolerance < 1.0) {
            return Err(Error::setting(
                "tolerance",
                self.tolerance,
                "above 0 and below 1",
            ));
        }
        Ok(())
    }
}

fn check_inverse_penalty(c: f64) -> Result<()> {
    if !(c > 0.0 && c.is_finite()) {
        return Err(Error::setting(
            "inverse_penalty",
            c,
            "a finite number above 0",
        ));
    }
    Ok(())
}

/// A fitted classifier.
#[derive(Clone, Debug, PartialEq)]
pub struct LogisticFit {
    /// Features x classes; two classes have one column, the weights of class 1.
    pub weights: Array2<f64>,
    /// One a column of the weights.
    pub intercepts: Array1<f64>,
    /// C, as given or chosen.
    pub inverse_penalty: f64,
    /// The mean held-out score of each C (in rising order), where C was chosen.
    pub scores: Vec<(f64, f64)>,
}

/// Fits with a given C. `labels` are classes from 0; every class up to the largest has at least one row.
///
/// # Errors
/// [`Error::Setting`] for a setting outside its range; [`Error::Shape`] where rows do not agree; [`Error::TooFew`] where a
/// class has no row or there is only one; [`Error::NotFinite`]; [`Error::NoConvergence`]; [`Error::Interrupted`].
pub fn fit_logistic_fixed<T: Real>(
    x: ArrayView2<'_, T>,
    labels: &[usize],
    inverse_penalty: f64,
    settings: &LogisticSettings,
    progress: &Progress,
) -> Result<LogisticFit> {
    settings.check()?;
    check_inverse_penalty(inverse_penalty)?;
    let classes = check_labels(x, labels)?;
    let x = widened(x);
    let rows: Vec<usize> = (0..x.nrows()).collect();
    let problem = Problem::new(x.view(), labels, classes, &rows, settings)?;
    let mut parameters = problem.start();
    problem.minimise(&mut parameters, inverse_penalty, settings, progress)?;
    Ok(problem.fitted(&parameters, inverse_penalty))
}

/// Chooses C by the mean score over `folds` (see [`crate::splits::stratified_k_fold`]); of equals the smallest. Then fits all
/// rows.
///
/// # Errors
/// As [`fit_logistic_fixed`], also where a class has no training row in a fold.
pub fn fit_logistic<T: Real>(
    x: ArrayView2<'_, T>,
    labels: &[usize],
    folds: &[Split],
    settings: &LogisticSettings,
    progress: &Progress,
) -> Result<LogisticFit> {
    settings.check()?;
    let classes = check_labels(x, labels)?;
    check_splits(folds, x.nrows())?;
    let mut grid = settings.inverse_penalties.clone();
    grid.sort_unstable_by(f64::total_cmp);
    grid.dedup();
    let x = widened(x);
    let mut scores: Vec<(f64, f64)> = grid.iter().map(|&c| (c, 0.0)).collect();
    progress.begin(
        "logistic regression: cross-validation",
        (folds.len() * grid.len()) as u64,
    );
    for fold in folds {
        let problem = Problem::new(x.view(), labels, classes, &fold.train, settings)?;
        let held_out = x.select(ndarray::Axis(0), &fold.test);
        // From strong to weak penalties, each from where the last one ended.
        let mut parameters = problem.start();
        for (c, score) in &mut scores {
            problem.minimise(&mut parameters, *c, settings, progress)?;
            let fit = problem.fitted(&parameters, *c);
            let found = fit.score(held_out.view(), &fold.test, labels, settings.metric)?;
            *score += found / folds.len() as f64;
            progress.advance(1)?;
        }
    }
    progress.end();
    let mut best = 0;
    for (place, (_, score)) in scores.iter().enumerate() {
        if *score > scores[best].1 {
            best = place;
        }
    }
    let mut fit = fit_logistic_fixed(x.view(), labels, grid[best], settings, progress)?;
    fit.scores = scores;
    Ok(fit)
}

fn widened<T: Real>(x: ArrayView2<'_, T>) -> Array2<f64> {
    x.mapv(Real::to_double)
}

fn check_labels<T: Real>(x: ArrayView2<'_, T>, labels: &[usize]) -> Result<usize> {
    check_features(x, x.ncols())?;
    if labels.len() != x.nrows() {
        return Err(Error::Shape {
            operation: "logistic regression",
            what: "the labels".to_string(),
            axis: "rows",
            found: labels.len(),
            expected: format!("{} (one a row of features)", x.nrows()),
        });
    }
    let classes = labels.iter().max().map_or(0, |most| most.saturating_add(1));
    // More classes than rows means empty ones; say so before anything that large is made.
    if classes < 2 || classes > labels.len() {
        return Err(Error::TooFew {
            operation: "logistic regression",
            what: "classes with rows (labels count from 0 without gaps)",
            found: distinct(labels.iter().copied()),
            needed: classes.max(2),
        });
    }
    require_all_classes(classes, labels.iter().copied())?;
    Ok(classes)
}

fn distinct(labels: impl Iterator<Item = usize>) -> usize {
    labels.collect::<std::collections::HashSet<_>>().len()
}

fn require_all_classes(classes: usize, labels: impl Iterator<Item = usize>) -> Result<()> {
    let found = distinct(labels);
    if found < classes {
        return Err(Error::TooFew {
            operation: "logistic regression",
            what: "classes among the training rows",
            found,
            needed: classes,
        });
    }
    Ok(())
}

/// Features of the training rows as principal components, and what leads back to features.
struct Problem {
    centring: Centring,
    /// Features x components of unit length.
    directions: Mat<f64>,
    eigenvalues: Vec<f64>,
    /// Training rows x components.
    components: Mat<f64>,
    labels: Vec<usize>,
    classes: usize,
    intercept: bool,
}

impl Problem {
    fn new(
        x: ArrayView2<'_, f64>,
        labels: &[usize],
        classes: usize,
        train: &[usize],
        settings: &LogisticSettings,
    ) -> Result<Self> {
        require_all_classes(classes, train.iter().map(|&row| labels[row]))?;
        let centring = Centring::of(x, train, settings.intercept, settings.standardise);
        let dual = Form::Automatic.is_dual(train.len(), x.ncols());
        let spectrum = Spectrum::of(x, &centring, dual, train, &[])?;
        let roots: Vec<f64> = spectrum.eigenvalues.iter().map(|l| l.sqrt()).collect();
        let scores = spectrum.train.mat();
        let components = Mat::from_fn(train.len(), roots.len(), |i, j| scores[(i, j)] * roots[j]);
        let directions = if dual {
            let features = centring.apply(x, train);
            let mut directions = features.mat().transpose() * &spectrum.vectors;
            for (j, root) in roots.iter().enumerate() {
                directions.col_mut(j).iter_mut().for_each(|d| *d /= root);
            }
            directions
        } else {
            spectrum.vectors
        };
        Ok(Problem {
            centring,
            directions,
            eigenvalues: spectrum.eigenvalues,
            components,
            labels: train.iter().map(|&row| labels[row]).collect(),
            classes,
            intercept: settings.intercept,
        })
    }

    /// Weight vectors: one for two classes.
    fn columns(&self) -> usize {
        if self.classes == 2 { 1 } else { self.classes }
    }

    /// Zeros: (components, then the intercept) x weight vectors, in units of components.
    fn start(&self) -> Mat<f64> {
        Mat::zeros(self.eigenvalues.len() + 1, self.columns())
    }

    fn minimise(
        &self,
        parameters: &mut Mat<f64>,
        c: f64,
        settings: &LogisticSettings,
        progress: &Progress,
    ) -> Result<()> {
        let curvature = |squares: f64| (1.0 + c * squares / 4.0).sqrt();
        let mut units: Vec<f64> = (self.eigenvalues.iter())
            .map(|&squares| 1.0 / curvature(squares))
            .collect();
        let rows = self.labels.len() as f64;
        // The intercept has no penalty; without one it stays at 0.
        units.push(if self.intercept {
            1.0 / (c * rows / 4.0).sqrt()
        } else {
            0.0
        });
        let objective = Objective {
            components: self.components.as_ref(),
            labels: &self.labels,
            classes: self.classes,
            c,
            units: &units,
        };
        objective.minimise(parameters, settings.steps, settings.tolerance, progress)
    }

    fn fitted(&self, parameters: &Mat<f64>, inverse_penalty: f64) -> LogisticFit {
        let rank = self.eigenvalues.len();
        let inner: MatRef<'_, f64> = parameters.subrows(0, rank);
        let weights = &self.directions * inner;
        let weights = Array2::from_shape_fn((weights.nrows(), weights.ncols()), |(i, j)| {
            weights[(i, j)] * self.centring.scale[i]
        });
        let mean = Array1::from(self.centring.mean.clone());
        let mut intercepts =
            Array1::from_shape_fn(self.columns(), |j| parameters[(rank, j)]) - mean.dot(&weights);
        // Adding one number to all intercepts changes no probability.
        if self.intercept && self.classes > 2 {
            let shift = intercepts.sum() / self.classes as f64;
            intercepts -= shift;
        }
        LogisticFit {
            weights,
            intercepts,
            inverse_penalty,
            scores: Vec::new(),
        }
    }
}

impl LogisticFit {
    /// How many classes there are.
    pub fn classes(&self) -> usize {
        self.intercepts.len().max(2)
    }

    /// The probability of every class (rows x classes).
    ///
    /// # Errors
    /// [`Error::Shape`] where the features are not as many as were fitted; [`Error::NotFinite`].
    pub fn probabilities<T: Real>(&self, x: ArrayView2<'_, T>) -> Result<Array2<f64>> {
        Ok(self.log_probabilities(x)?.mapv_into(f64::exp))
    }

    /// The logarithm of the probability of every class (rows x classes).
    ///
    /// # Errors
    /// As [`LogisticFit::probabilities`].
    pub fn log_probabilities<T: Real>(&self, x: ArrayView2<'_, T>) -> Result<Array2<f64>> {
        check_features(x, self.weights.nrows())?;
        let mut logits = widened(x).dot(&self.weights) + &self.intercepts;
        if self.intercepts.len() == 1 {
            // The softmax of (0, z) is the logistic function of z.
            let zeros = Array2::zeros((logits.nrows(), 1));
            logits = ndarray::concatenate![ndarray::Axis(1), zeros, logits];
        }
        for mut row in logits.rows_mut() {
            let most = row.fold(f64::NEG_INFINITY, |most, &value| most.max(value));
            let total = most + row.mapv(|value| (value - most).exp()).sum().ln();
            row -= total;
        }
        Ok(logits)
    }

    /// The likeliest class of every row.
    ///
    /// # Errors
    /// As [`LogisticFit::probabilities`].
    pub fn predict<T: Real>(&self, x: ArrayView2<'_, T>) -> Result<Vec<usize>> {
        let logarithms = self.log_probabilities(x)?;
        Ok(logarithms.rows().into_iter().map(likeliest).collect())
    }

    fn score(
        &self,
        x: ArrayView2<'_, f64>,
        rows: &[usize],
        labels: &[usize],
        metric: ProbeMetric,
    ) -> Result<f64> {
        let logarithms = self.log_probabilities(x)?;
        let pairs = logarithms.rows().into_iter().zip(rows);
        let total: f64 = pairs
            .map(|(row, &at)| match metric {
                ProbeMetric::Accuracy => f64::from(u8::from(likeliest(row) == labels[at])),
                ProbeMetric::LogLikelihood => row[labels[at]],
            })
            .sum();
        Ok(total / rows.len() as f64)
    }
}

fn likeliest(row: ndarray::ArrayView1<'_, f64>) -> usize {
    let mut best = 0;
    for (class, value) in row.iter().enumerate() {
        if *value > row[best] {
            best = class;
        }
    }
    best
}
