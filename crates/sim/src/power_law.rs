//! Bounded power laws.

use rand::RngExt;
use rand_chacha::ChaCha8Rng;

/// A number from the power law p(x) ∝ x^−exponent between `low` and `high`.
pub(crate) fn draw(low: f64, high: f64, exponent: f64, rng: &mut ChaCha8Rng) -> f64 {
    let u: f64 = rng.random();
    let power = 1.0 - exponent;
    if power.abs() < 1e-9 {
        low * (high / low).powf(u)
    } else {
        (low.powf(power) + u * (high.powf(power) - low.powf(power))).powf(1.0 / power)
    }
}

/// The mean of that law.
pub(crate) fn mean(low: f64, high: f64, exponent: f64) -> f64 {
    let integral = |power: f64| {
        if power.abs() < 1e-9 {
            (high / low).ln()
        } else {
            (high.powf(power) - low.powf(power)) / power
        }
    };
    if high - low < 1e-9 {
        low
    } else {
        integral(2.0 - exponent) / integral(1.0 - exponent)
    }
}
