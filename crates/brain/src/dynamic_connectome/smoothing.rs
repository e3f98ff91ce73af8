//! Derivatives of noisy traces.

use chiasm_core::{Error, Result};
use serde::{Deserialize, Serialize};

/// What is kept smooth while a trace is differentiated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Smoothness {
    /// The trace: its second differences are penalised, as a cubic smoothing spline does.
    SmoothingSpline,
    /// The derivative: its second differences are penalised (third differences of the trace), as
    /// regularised numerical differentiation does.
    RegularisedDerivative,
}

/// A penalised least-squares smoother for traces of one length: minimises
/// Σ (z − x)² + λ Σ (Δᵈ z)² (Whittaker 1923; Eilers 2003). Its banded factor is computed once.
#[derive(Clone, Debug)]
pub(super) struct Smoother {
    frames: usize,
    rate: f64,
    /// Row by row, the band of the Cholesky factor up to and including the diagonal.
    factor: Vec<[f64; 4]>,
}

impl Smoother {
    /// `half_power_seconds` is the period of the oscillation that is smoothed to half its size.
    pub(super) fn new(
        frames: usize,
        rate: f64,
        smoothness: Smoothness,
        half_power_seconds: f64,
    ) -> Result<Self> {
        let order = match smoothness {
            Smoothness::SmoothingSpline => 2,
            Smoothness::RegularisedDerivative => 3,
        };
        if frames < 4 * (order + 1) {
            return Err(Error::TooFew {
                operation: "smoothing derivative",
                what: "samples in a trace",
                found: frames,
                needed: 4 * (order + 1),
            });
        }
        let period = half_power_seconds * rate;
        if !(period >= 2.0 && period.is_finite() && period <= 1e4) {
            return Err(Error::setting(
                "half_power_seconds",
                half_power_seconds,
                format!("from {} s (two samples) to 10 000 samples", 2.0 / rate),
            ));
        }
        // The penalty's gain on a wave of angular frequency ω is (2 sin ω/2)^(2d).
        let half = (2.0 * (std::f64::consts::PI / period).sin()).powi(-2 * order as i32);
        let difference: &[f64] = if order == 2 {
            &[1.0, -2.0, 1.0]
        } else {
            &[-1.0, 3.0, -3.0, 1.0]
        };
        // The lower band of I + λ DᵀD; entry k of a row lies order − k places before the diagonal.
        let mut band = vec![[0.0; 4]; frames];
        band.iter_mut().for_each(|row| row[order] = 1.0);
        for start in 0..frames - order {
            for (i, a) in difference.iter().enumerate() {
                for (j, b) in difference.iter().enumerate().take(i + 1) {
                    band[start + i][order - (i - j)] += half * a * b;
                }
            }
        }
        Ok(Smoother {
            frames,
            rate,
            factor: cholesky(band, order),
        })
    }

    /// The derivative of a trace per second.
    pub(super) fn derivative(&self, trace: &[f64]) -> Vec<f64> {
        self.slope(&self.smooth(trace))
    }

    fn smooth(&self, trace: &[f64]) -> Vec<f64> {
        let width = self.bandwidth();
        let mut z = trace.to_vec();
        for row in 0..self.frames {
            for back in 1..=width.min(row) {
                z[row] -= self.factor[row][width - back] * z[row - back];
            }
            z[row] /= self.factor[row][width];
        }
        for row in (0..self.frames).rev() {
            z[row] /= self.factor[row][width];
            for back in 1..=width.min(row) {
                let value = self.factor[row][width - back] * z[row];
                z[row - back] -= value;
            }
        }
        z
    }

    fn bandwidth(&self) -> usize {
        if self.factor[0][3] == 0.0 { 2 } else { 3 }
    }

    /// Central differences, one-sided at the ends.
    fn slope(&self, z: &[f64]) -> Vec<f64> {
        let last = z.len() - 1;
        (0..z.len())
            .map(|frame| {
                let (before, after) = (frame.saturating_sub(1), (frame + 1).min(last));
                (z[after] - z[before]) * self.rate / (after - before) as f64
            })
            .collect()
    }
}

/// Cholesky factor of a positive definite band matrix, in the layout of its argument.
fn cholesky(mut band: Vec<[f64; 4]>, width: usize) -> Vec<[f64; 4]> {
    for row in 0..band.len() {
        for back in (0..=width.min(row)).rev() {
            let column = row - back;
            let mut sum = band[row][width - back];
            for earlier in column.saturating_sub(width).max(row.saturating_sub(width))..column {
                sum -=
                    band[row][width - (row - earlier)] * band[column][width - (column - earlier)];
            }
            band[row][width - back] = if back == 0 {
                sum.sqrt()
            } else {
                sum / band[column][width]
            };
        }
    }
    band
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn straight_lines_pass_unchanged() {
        for smoothness in [
            Smoothness::SmoothingSpline,
            Smoothness::RegularisedDerivative,
        ] {
            let smoother = Smoother::new(200, 4.0, smoothness, 6.0).unwrap();
            let line: Vec<f64> = (0..200).map(|t| 3.0 - 0.5 * t as f64).collect();
            let slope = smoother.derivative(&line);
            assert!(slope.iter().all(|value| (value + 2.0).abs() < 1e-6));
        }
    }

    #[test]
    fn the_half_power_period_is_halved() {
        for smoothness in [
            Smoothness::SmoothingSpline,
            Smoothness::RegularisedDerivative,
        ] {
            let smoother = Smoother::new(2000, 4.0, smoothness, 5.0).unwrap();
            let wave: Vec<f64> = (0..2000)
                .map(|t| (std::f64::consts::TAU * t as f64 / 20.0).sin())
                .collect();
            let smooth = smoother.smooth(&wave);
            let gain = smooth[900..1100]
                .iter()
                .fold(0.0f64, |most, value| most.max(value.abs()));
            assert!((gain - 0.5).abs() < 1e-3, "{smoothness:?}: {gain}");
        }
    }

    #[test]
    fn too_short_and_too_sharp_are_refused() {
        assert!(Smoother::new(8, 4.0, Smoothness::SmoothingSpline, 6.0).is_err());
        assert!(Smoother::new(100, 4.0, Smoothness::SmoothingSpline, 0.1).is_err());
    }
}
