//! What measurement does to dissimilarities without changing their order.

use chiasm_core::data::Rdm;
use chiasm_core::{Error, Result, Seed};
use rand::RngExt;
use serde::{Deserialize, Serialize};

/// `offset + gain * d^exponent`: each subject's own monotone distortion, as noise level, signal strength
/// and the nonlinearity between neurons and measurement bring it about.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct MonotoneDistortion {
    /// Added to every dissimilarity (noise).
    pub offset: f64,
    /// Multiplies every dissimilarity (signal strength).
    pub gain: f64,
    /// Bends small against large dissimilarities.
    pub exponent: f64,
}

/// From where distortions are drawn, evenly.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DistortionRange {
    /// Offsets lie in 0..this.
    pub largest_offset: f64,
    /// Gains lie between these.
    pub gain: [f64; 2],
    /// Natural logarithms of exponents lie in -this..this.
    pub largest_log_exponent: f64,
}

impl Default for DistortionRange {
    fn default() -> Self {
        DistortionRange {
            largest_offset: 0.3,
            gain: [0.5, 2.0],
            largest_log_exponent: 0.7,
        }
    }
}

impl DistortionRange {
    /// Fails on an empty or negative range.
    pub fn check(&self) -> Result<()> {
        let [low, high] = self.gain;
        if !(low > 0.0 && high >= low && high.is_finite()) {
            return Err(Error::setting(
                "gain",
                format!("[{low}, {high}]"),
                "0 < low <= high",
            ));
        }
        super::check_settings(
            &[],
            &[
                ("largest_offset", self.largest_offset),
                ("largest_log_exponent", self.largest_log_exponent),
            ],
        )
    }

    /// One subject's distortion.
    pub fn draw(&self, seed: &Seed) -> MonotoneDistortion {
        let mut rng = seed.rng();
        let mut between = |low: f64, high: f64| low + (high - low) * rng.random::<f64>();
        MonotoneDistortion {
            offset: between(0.0, self.largest_offset),
            gain: between(self.gain[0], self.gain[1]),
            exponent: between(-self.largest_log_exponent, self.largest_log_exponent).exp(),
        }
    }
}

impl MonotoneDistortion {
    /// The distorted RDM. Entries below 0 count as 0.
    pub fn apply(&self, rdm: &Rdm) -> Result<Rdm> {
        let distort = |value: &f64| self.offset + self.gain * value.max(0.0).powf(self.exponent);
        rdm.with_values(rdm.values().iter().map(distort).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn order_is_kept_and_the_formula_followed() {
        let rdm = Rdm::from_condensed("r", vec![0.5, 0.25, 1.0]).unwrap();
        let distortion = MonotoneDistortion {
            offset: 0.1,
            gain: 2.0,
            exponent: 0.5,
        };
        let found = distortion.apply(&rdm).unwrap();
        assert_eq!(found.values(), [0.1 + 2.0 * 0.5_f64.sqrt(), 1.1, 2.1]);
        let range = DistortionRange::default();
        for draw in 0..200 {
            let drawn = range.draw(&Seed::new(draw));
            assert!((0.0..0.3).contains(&drawn.offset) && (0.5..2.0).contains(&drawn.gain));
            assert!((0.496..2.015).contains(&drawn.exponent));
        }
        assert!(
            DistortionRange {
                gain: [0.0, 1.0],
                ..range
            }
            .check()
            .is_err()
        );
    }
}
