//! Activation functions with their slopes.

use crate::simd;

/// What a layer applies to each element of its output.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Activation {
    /// Nothing.
    Identity,
    /// `max(0, x)`; slope 0 at 0.
    Relu,
    /// `x Φ(x)` with the normal distribution function Φ (Hendrycks & Gimpel 2016), absolute error
    /// below `2e-7 max(1, |x|)`.
    Gelu,
}

/// `max(0, x)`; NaN stays NaN.
#[inline(always)]
pub fn relu(x: f32) -> f32 {
    if x < 0.0 { 0.0 } else { x }
}

/// `(gelu(x), gelu'(x))`, both from one exponential.
///
/// Φ by Abramowitz & Stegun 7.1.26 (absolute error 1.5e-7 in erf), whose exponential is also
/// the normal density the slope needs.
#[inline(always)]
pub fn gelu_with_slope(x: f32) -> (f32, f32) {
    const SQRT_HALF: f32 = std::f32::consts::FRAC_1_SQRT_2;
    const DENSITY: f32 = 0.398_942_3;
    let z = x.abs() * SQRT_HALF;
    let t = 1.0 / (1.0 + 0.327_591_1 * z);
    let e = simd::exp(-z * z);
    let tail = 0.5
        * e
        * t
        * (0.254_829_6
            + t * (-0.284_496_72 + t * (1.421_413_8 + t * (-1.453_152_1 + t * 1.061_405_4))));
    let cumulative = if x < 0.0 { tail } else { 1.0 - tail };
    (x * cumulative, cumulative + x * DENSITY * e)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Φ(x) in double precision by the series of erf.
    fn normal_cumulative(x: f64) -> f64 {
        if x.abs() > 6.0 {
            return if x > 0.0 { 1.0 } else { 0.0 };
        }
        let z = x / 2f64.sqrt();
        let (mut term, mut total, mut n) = (z, z, 0.0);
        while term.abs() > 1e-18 {
            n += 1.0;
            term *= -z * z / n;
            total += term / (2.0 * n + 1.0);
        }
        0.5 * (1.0 + 2.0 / std::f64::consts::PI.sqrt() * total)
    }

    #[test]
    fn gelu_is_within_its_stated_error() {
        for step in -6000..=6000 {
            let x = step as f32 / 1000.0;
            let (value, slope) = gelu_with_slope(x);
            let x = f64::from(x);
            let cumulative = normal_cumulative(x);
            let density = (-x * x / 2.0).exp() / (2.0 * std::f64::consts::PI).sqrt();
            assert!(
                (f64::from(value) - x * cumulative).abs() < 2e-7 * x.abs().max(1.0),
                "{x}"
            );
            assert!(
                (f64::from(slope) - (cumulative + x * density)).abs() < 1e-6,
                "{x}"
            );
        }
    }

    #[test]
    fn gelu_far_out_is_the_identity_or_nothing() {
        assert_eq!(gelu_with_slope(30.0), (30.0, 1.0));
        assert_eq!(gelu_with_slope(-30.0), (-0.0, 0.0));
    }
}
