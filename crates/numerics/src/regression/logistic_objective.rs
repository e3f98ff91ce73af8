//! The objective of logistic regression, its gradient and its products with the Hessian, and Newton's method on it.
//!
//! Parameters are (components + 1) x weight vectors, the last row holding the intercepts, and are worked on in units
//! u = parameter / unit: f(u) = C Σ_i loss_i + ½ Σ (components' parameters)².

use chiasm_core::{Error, Progress, Result};
use faer::{Mat, MatRef};

pub(super) struct Objective<'a> {
    /// Rows x components.
    pub(super) components: MatRef<'a, f64>,
    pub(super) labels: &'a [usize],
    pub(super) classes: usize,
    pub(super) c: f64,
    /// One a row of the parameters; 0 holds a row where it is.
    pub(super) units: &'a [f64],
}

/// Value and slope at one place.
struct Place {
    value: f64,
    gradient: Mat<f64>,
    /// Probability of each weight vector's class, rows x weight vectors.
    probabilities: Mat<f64>,
    /// Sum of |probability - truth|: what the gradient is made of, and 0 where the classes come apart.
    errors: f64,
}

/// So many steps in a row that only rounding changes are the end of what can be had.
const IDLE_STEPS: usize = 20;

impl Objective<'_> {
    /// Moves `parameters` (in their own units) to the minimum.
    pub(super) fn minimise(
        &self,
        parameters: &mut Mat<f64>,
        steps: usize,
        tolerance: f64,
        progress: &Progress,
    ) -> Result<()> {
        let mut place = self.at(parameters.as_ref());
        // Along one unit a row adds about 2 √(C / rows) times its error to the gradient.
        let scale = tolerance * 2.0 * (self.c / self.labels.len() as f64).sqrt();
        // Steps in a row that changed the objective by rounding alone.
        let mut idle = 0;
        for _ in 0..steps {
            progress.check()?;
            let slope = place.gradient.norm_max();
            let bound = scale * place.errors;
            if slope <= bound {
                return Ok(());
            }
            let direction = self.newton_direction(&place);
            let descent = inner(place.gradient.as_ref(), direction.as_ref());
            let mut share = 1.0;
            let mut moved = None;
            // Halve the step until the objective falls by a ten-thousandth of what the slope promises;
            // near the minimum the fall drowns in rounding, and a smaller slope is enough.
            for _ in 0..40 {
                let mut trial = parameters.clone();
                for column in 0..trial.ncols() {
                    for (row, unit) in self.units.iter().enumerate() {
                        trial[(row, column)] += share * unit * direction[(row, column)];
                    }
                }
                let next = self.at(trial.as_ref());
                let enough = place.value + 1e-4 * share * descent;
                let rounding = 1e-14 * place.value.abs();
                if next.value <= enough
                    || (next.value <= place.value + rounding && next.gradient.norm_max() < slope)
                {
                    moved = Some((trial, next));
                    break;
                }
                share /= 2.0;
            }
            match moved {
                Some((trial, next)) => {
                    let fell = place.value - next.value > 1e-14 * place.value.abs();
                    idle = if fell { 0 } else { idle + 1 };
                    *parameters = trial;
                    place = next;
                    if idle > IDLE_STEPS && slope <= bound * 1e5 {
                        return Ok(());
                    }
                }
                // No step lowers it any further: the slope left is rounding error.
                None if slope <= bound * 1e5 => return Ok(()),
                None => break,
            }
        }
        let slope = place.gradient.norm_max();
        let bound = scale * place.errors;
        if slope <= bound {
            return Ok(());
        }
        Err(Error::NoConvergence {
            operation: "logistic regression",
            reason: format!(
                "the gradient is {slope:e} after {steps} steps, {bound:e} is asked for; a smaller C or standardised \
                 features help"
            ),
        })
    }

    fn at(&self, parameters: MatRef<'_, f64>) -> Place {
        let rank = self.components.ncols();
        let mut logits = self.components * parameters.subrows(0, rank);
        let columns = parameters.ncols();
        for j in 0..columns {
            let intercept = parameters[(rank, j)];
            logits.col_mut(j).iter_mut().for_each(|z| *z += intercept);
        }
        let mut loss = 0.0;
        let mut probabilities = logits;
        let mut errors = Mat::zeros(self.labels.len(), columns);
        for (row, &label) in self.labels.iter().enumerate() {
            if self.classes == 2 {
                let z = probabilities[(row, 0)];
                let truth = if label == 1 { 1.0 } else { 0.0 };
                // log(1 + e^z) - truth z, without overflow.
                loss += z.max(0.0) + (-z.abs()).exp().ln_1p() - truth * z;
                probabilities[(row, 0)] = logistic(z);
                // As p - 1 this would be lost in rounding where p is nearly 1.
                errors[(row, 0)] = if label == 1 {
                    -logistic(-z)
                } else {
                    logistic(z)
                };
            } else {
                let most = (0..columns).fold(f64::NEG_INFINITY, |most, j| {
                    most.max(probabilities[(row, j)])
                });
                let share = |j: usize| (probabilities[(row, j)] - most).exp();
                let others: f64 = (0..columns).filter(|&j| j != label).map(share).sum();
                let own = probabilities[(row, label)] - most;
                // log(Σ e^z) - z of the label, exact where the others are tiny.
                loss += if own == 0.0 {
                    others.ln_1p()
                } else {
                    (others + own.exp()).ln() - own
                };
                let whole = others + own.exp();
                for j in 0..columns {
                    let p = (probabilities[(row, j)] - most).exp() / whole;
                    probabilities[(row, j)] = p;
                    errors[(row, j)] = if j == label { -others / whole } else { p };
                }
            }
        }
        let penalty: f64 = (0..columns)
            .map(|j| parameters.col(j).subrows(0, rank).squared_norm_l2())
            .sum();
        let mut gradient = self.pull_back(errors.as_ref());
        for j in 0..columns {
            for row in 0..rank {
                gradient[(row, j)] += self.units[row] * parameters[(row, j)];
            }
        }
        let errors = (0..columns)
            .map(|j| errors.col(j).iter().map(|error| error.abs()).sum::<f64>())
            .sum();
        Place {
            errors,
            value: self.c * loss + penalty / 2.0,
            gradient,
            probabilities,
        }
    }

    /// From a slope along logits (rows x weight vectors) to one along the parameters' units, times C.
    fn pull_back(&self, slopes: MatRef<'_, f64>) -> Mat<f64> {
        let rank = self.components.ncols();
        let inner = self.components.transpose() * slopes;
        Mat::from_fn(rank + 1, slopes.ncols(), |row, j| {
            let along = if row < rank {
                inner[(row, j)]
            } else {
                slopes.col(j).sum()
            };
            self.c * self.units[row] * along
        })
    }

    /// The Hessian times `direction`, both in units.
    fn curve(&self, place: &Place, direction: MatRef<'_, f64>) -> Mat<f64> {
        let rank = self.components.ncols();
        let columns = direction.ncols();
        let scaled = Mat::from_fn(rank, columns, |row, j| {
            self.units[row] * direction[(row, j)]
        });
        let mut change = self.components * &scaled;
        for j in 0..columns {
            let shift = self.units[rank] * direction[(rank, j)];
            change.col_mut(j).iter_mut().for_each(|z| *z += shift);
        }
        for row in 0..change.nrows() {
            if self.classes == 2 {
                let p = place.probabilities[(row, 0)];
                change[(row, 0)] *= p * (1.0 - p);
            } else {
                let mean: f64 = (0..columns)
                    .map(|j| place.probabilities[(row, j)] * change[(row, j)])
                    .sum();
                for j in 0..columns {
                    change[(row, j)] = place.probabilities[(row, j)] * (change[(row, j)] - mean);
                }
            }
        }
        let mut curved = self.pull_back(change.as_ref());
        for j in 0..columns {
            for row in 0..rank {
                curved[(row, j)] += self.units[row] * scaled[(row, j)];
            }
        }
        curved
    }

    /// Conjugate gradients on H d = -g, to a residual that shrinks with the gradient.
    fn newton_direction(&self, place: &Place) -> Mat<f64> {
        let size = place.gradient.norm_l2();
        let goal = size * size.sqrt().min(0.1) * 0.1;
        let mut direction = Mat::zeros(place.gradient.nrows(), place.gradient.ncols());
        let mut residual = &place.gradient * faer::Scale(-1.0);
        let mut search = residual.clone();
        let mut squares = inner(residual.as_ref(), residual.as_ref());
        for _ in 0..500 {
            let curved = self.curve(place, search.as_ref());
            let curvature = inner(search.as_ref(), curved.as_ref());
            // Along a shift of all intercepts the objective is flat.
            if !(curvature > 1e-14 * inner(search.as_ref(), search.as_ref())) {
                break;
            }
            let step = squares / curvature;
            direction += &search * faer::Scale(step);
            residual -= &curved * faer::Scale(step);
            let next = inner(residual.as_ref(), residual.as_ref());
            if next.sqrt() <= goal {
                break;
            }
            search = &residual + &search * faer::Scale(next / squares);
            squares = next;
        }
        if direction.norm_max() == 0.0 {
            direction = residual;
        }
        direction
    }
}

fn logistic(z: f64) -> f64 {
    1.0 / (1.0 + (-z).exp())
}

fn inner(a: MatRef<'_, f64>, b: MatRef<'_, f64>) -> f64 {
    (0..a.ncols())
        .map(|j| a.col(j).transpose() * b.col(j))
        .sum()
}
