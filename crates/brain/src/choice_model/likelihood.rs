//! The likelihood of choices, its maximum and its curvature there.

use chiasm_core::{Error, Result};
use faer::linalg::solvers::DenseSolveCore;
use faer::{Mat, Side};
use ndarray::ArrayView2;

use super::OPERATION;

/// Rounds of Fisher scoring; a well-posed fit takes about six.
const MOST_ROUNDS: usize = 100;
/// Steps this small in log odds are the end.
const SMALL_STEP: f64 = 1e-10;
/// A log-likelihood that only certainty about every choice reaches.
const CERTAIN: f64 = -1e-6;
/// Beyond such log odds a choice is as good as certain: only separated data lead there.
const LARGEST_ODDS: f64 = 200.0;

pub(super) struct Likelihood<'a> {
    design: ArrayView2<'a, f64>,
    chose_b: &'a [bool],
}

/// Probability of `b` with its derivatives by log odds and by lapse rate.
struct Point {
    probability: f64,
    by_odds: f64,
    by_lapse: f64,
}

fn point(odds: f64, lapse: f64) -> Point {
    let logistic = 1.0 / (1.0 + (-odds).exp());
    // 1 - logistic loses all digits where odds are large.
    let other = 1.0 / (1.0 + odds.exp());
    Point {
        probability: lapse / 2.0 + (1.0 - lapse) * logistic,
        by_odds: (1.0 - lapse) * logistic * other,
        by_lapse: 0.5 - logistic,
    }
}

impl<'a> Likelihood<'a> {
    pub(super) fn new(design: ArrayView2<'a, f64>, chose_b: &'a [bool]) -> Self {
        Likelihood { design, chose_b }
    }

    fn odds(&self, parameters: &[f64], trial: usize) -> f64 {
        let row = self.design.row(trial);
        row.iter().zip(parameters).map(|(x, w)| x * w).sum()
    }

    /// Log-likelihood in nats.
    fn value(&self, parameters: &[f64], lapse: f64) -> f64 {
        self.chose_b
            .iter()
            .enumerate()
            .map(|(trial, &chose_b)| {
                let odds = self.odds(parameters, trial);
                let toward = if chose_b { odds } else { -odds };
                if lapse > 0.0 {
                    point(toward, lapse).probability.ln()
                } else {
                    // ln σ(t) without overflow.
                    -((-toward.abs()).exp().ln_1p() + (-toward).max(0.0))
                }
            })
            .sum()
    }

    /// Score and information of the parameters, the lapse rate last where it is `free`.
    fn score(&self, parameters: &[f64], lapse: f64, free: bool) -> (Vec<f64>, Mat<f64>) {
        let count = parameters.len() + usize::from(free);
        let mut score = vec![0.0; count];
        let mut information = Mat::<f64>::zeros(count, count);
        let mut slope = vec![0.0; count];
        for (trial, &chose_b) in self.chose_b.iter().enumerate() {
            let at = point(self.odds(parameters, trial), lapse);
            let choice = if chose_b { 1.0 } else { 0.0 };
            let variance = (at.probability * (1.0 - at.probability)).max(1e-300);
            for (slot, x) in slope.iter_mut().zip(self.design.row(trial)) {
                *slot = at.by_odds * x;
            }
            if free {
                slope[count - 1] = at.by_lapse;
            }
            let miss = (choice - at.probability) / variance;
            for row in 0..count {
                score[row] += miss * slope[row];
                for column in 0..=row {
                    information[(row, column)] += slope[row] * slope[column] / variance;
                }
            }
        }
        (score, information)
    }

    /// Parameters and log-likelihood at the maximum for a lapse rate, searched from `start`.
    pub(super) fn maximum(&self, lapse: f64, start: Option<&[f64]>) -> Result<(Vec<f64>, f64)> {
        let mut parameters = start.map_or_else(|| vec![0.0; self.design.ncols()], <[f64]>::to_vec);
        let mut value = self.value(&parameters, lapse);
        for _ in 0..MOST_ROUNDS {
            let (score, information) = self.score(&parameters, lapse, false);
            if (0..self.chose_b.len())
                .any(|trial| self.odds(&parameters, trial).abs() > LARGEST_ODDS)
            {
                break;
            }
            // Choices that are nearly certain carry no information: only separated data lead there.
            let nearly_certain = value > -0.05 * self.chose_b.len() as f64;
            let inverse = match inverse(&information) {
                Ok(inverse) => inverse,
                Err(_) if nearly_certain => break,
                Err(error) => return Err(error),
            };
            let mut step: Vec<f64> = (0..score.len())
                .map(|row| (0..score.len()).map(|k| inverse[(row, k)] * score[k]).sum())
                .collect();
            // Half the step until it climbs.
            let mut climbed = false;
            for _ in 0..40 {
                let next: Vec<f64> = parameters.iter().zip(&step).map(|(p, s)| p + s).collect();
                let next_value = self.value(&next, lapse);
                if next_value >= value {
                    climbed = true;
                    (parameters, value) = (next, next_value);
                    break;
                }
                step.iter_mut().for_each(|s| *s /= 2.0);
            }
            let largest = step.iter().fold(0.0_f64, |most, s| most.max(s.abs()));
            if !climbed || largest < SMALL_STEP {
                if value > CERTAIN {
                    break;
                }
                return Ok((parameters, value));
            }
        }
        Err(Error::Unusable {
            operation: OPERATION,
            reason:
                "the predictors separate the choices perfectly, so that weights grow without end; \
                     more choices, or fewer predictors, are needed"
                    .to_string(),
        })
    }

    /// The lapse rate of 0 to `most` with the largest likelihood.
    pub(super) fn most_likely_lapse(&self, most: f64) -> Result<f64> {
        const GRID: usize = 16;
        const ROUNDS: usize = 40;
        // Squares: small rates are tried more closely. Each search starts where the last one ended. Rates
        // at which the weights grow without end are left out.
        let rate = |place: usize| most * (place as f64 / GRID as f64).powi(2);
        let mut values = [f64::NEG_INFINITY; GRID + 1];
        let mut start: Option<Vec<f64>> = None;
        let mut failure = None;
        for place in 0..=GRID {
            match self.maximum(rate(place), start.as_deref()) {
                Ok((parameters, value)) => {
                    values[place] = value;
                    start = Some(parameters);
                }
                Err(error) => failure = Some(error),
            }
        }
        let start = match (start, failure) {
            (Some(start), _) => start,
            (None, Some(error)) => return Err(error),
            // Every rate was tried and none failed.
            (None, None) => return Ok(0.0),
        };
        let best = (0..=GRID).fold(0, |best, place| {
            if values[place] > values[best] {
                place
            } else {
                best
            }
        });
        let (mut low, mut high) = (rate(best.saturating_sub(1)), rate((best + 1).min(GRID)));
        let value = |lapse: f64| {
            self.maximum(lapse, Some(&start))
                .map_or(f64::NEG_INFINITY, |(_, value)| value)
        };
        let golden = (5.0_f64.sqrt() - 1.0) / 2.0;
        let (mut x, mut y) = (high - golden * (high - low), low + golden * (high - low));
        let (mut at_x, mut at_y) = (value(x), value(y));
        for _ in 0..ROUNDS {
            if at_x > at_y {
                (high, y, at_y) = (y, x, at_x);
                x = high - golden * (high - low);
                at_x = value(x);
            } else {
                (low, x, at_x) = (x, y, at_y);
                y = low + golden * (high - low);
                at_y = value(y);
            }
        }
        let middle = f64::midpoint(low, high);
        // The border itself is never reached by halving.
        Ok(if values[0] >= at_x.max(at_y) {
            0.0
        } else {
            middle
        })
    }

    /// Standard errors of the parameters, that of the lapse rate last where it was `fitted`.
    pub(super) fn standard_errors(
        &self,
        parameters: &[f64],
        lapse: f64,
        fitted: bool,
    ) -> Result<Vec<f64>> {
        let (_, information) = self.score(parameters, lapse, fitted);
        let covariance = inverse(&information)?;
        Ok((0..covariance.nrows())
            .map(|row| covariance[(row, row)].max(0.0).sqrt())
            .collect())
    }
}

fn inverse(information: &Mat<f64>) -> Result<Mat<f64>> {
    let unusable = || Error::Unusable {
        operation: OPERATION,
        reason:
            "the weights are not determined: predictors depend on each other, or choices vary too \
                 little"
                .to_string(),
    };
    let factor = information.llt(Side::Lower).map_err(|_| unusable())?;
    let inverse = factor.inverse();
    let sound = (0..inverse.nrows()).all(|row| {
        let own = inverse[(row, row)] * information[(row, row)];
        // The reciprocal is one minus the share of a predictor that the others explain.
        own.is_finite() && own < 1e12
    });
    if sound { Ok(inverse) } else { Err(unusable()) }
}
