//! Observers of triplets.

use chiasm_core::{Error, Result, Seed};
use rand::RngExt;
use serde::{Deserialize, Serialize};

use super::check_amounts;

/// Observers who choose the alternative that is more like the root.
///
/// The probability of choosing `b`, from the differences of both similarities (those of `b` minus those
/// of `a`), is
///
/// ```text
/// P(b) = λ/2 + (1 - λ) / (1 + exp(-(s + α ΔS_high + β ΔS_low)))
/// ```
///
/// with lapse rate λ (attention elsewhere: a coin decides) and a bias s towards the right side.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Observers {
    /// Observers.
    pub count: usize,
    /// Weight α of the high difference, per unit of similarity.
    pub high_weight: f64,
    /// Weight β of the low difference, per unit of similarity.
    pub low_weight: f64,
    /// Bias s towards the right side, in log odds.
    pub side_bias: f64,
    /// Lapse rate λ.
    pub lapse: f64,
}

impl Default for Observers {
    fn default() -> Self {
        Observers {
            count: 20,
            high_weight: 6.0,
            low_weight: 6.0,
            side_bias: 0.0,
            lapse: 0.0,
        }
    }
}

impl Observers {
    /// Fails where a setting is out of range, naming it.
    pub fn check(&self) -> Result<()> {
        if self.count == 0 {
            return Err(Error::setting("count", 0, "at least 1"));
        }
        for (name, value) in [
            ("high_weight", self.high_weight),
            ("low_weight", self.low_weight),
            ("side_bias", self.side_bias),
        ] {
            if !value.is_finite() {
                return Err(Error::setting(name, value, "a number"));
            }
        }
        check_amounts(&[("lapse", self.lapse)])?;
        if self.lapse > 1.0 {
            return Err(Error::setting("lapse", self.lapse, "0 to 1"));
        }
        Ok(())
    }

    /// The probability of choosing `b`.
    pub fn probability(&self, high_difference: f64, low_difference: f64) -> f64 {
        let odds =
            self.side_bias + self.high_weight * high_difference + self.low_weight * low_difference;
        self.lapse / 2.0 + (1.0 - self.lapse) / (1.0 + (-odds).exp())
    }

    /// Choices, observers x triplets, true for `b`. `differences` are those of the high and of the low
    /// similarity, one pair a triplet.
    pub fn choose(&self, differences: &[[f64; 2]], seed: Seed) -> Result<Vec<Vec<bool>>> {
        self.check()?;
        Ok((0..self.count)
            .map(|observer| {
                let mut rng = seed.indexed(observer as u64).rng();
                differences
                    .iter()
                    .map(|&[high, low]| rng.random::<f64>() < self.probability(high, low))
                    .collect()
            })
            .collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn choices_have_the_probability_of_the_equation() {
        let observers = Observers {
            count: 4000,
            high_weight: 3.0,
            low_weight: -2.0,
            side_bias: 0.4,
            lapse: 0.1,
        };
        let trials = [[0.0, 0.0], [0.5, 0.1], [-0.3, 0.4]];
        let choices = observers.choose(&trials, Seed::new(1)).unwrap();
        for (trial, [high, low]) in trials.into_iter().enumerate() {
            let share = choices.iter().filter(|row| row[trial]).count() as f64 / 4000.0;
            let odds = f64::exp(0.4 + 3.0 * high - 2.0 * low);
            let expected = 0.05 + 0.9 * odds / (1.0 + odds);
            // Standard deviation at most 0.008.
            assert!((share - expected).abs() < 0.03, "{share} {expected}");
        }
        assert_eq!(choices, observers.choose(&trials, Seed::new(1)).unwrap());
        assert!(
            Observers {
                lapse: 1.5,
                ..observers
            }
            .check()
            .is_err()
        );
    }
}
