//! Hankel functions of the second kind of a complex argument, orders 0 and 1: waves that travel
//! away from the origin (Abramowitz and Stegun 1964, sections 9.1 and 9.2).

use std::f64::consts::{FRAC_PI_2, FRAC_PI_4, PI};

use realfft::num_complex::Complex64;

const EULER_GAMMA: f64 = 0.577_215_664_901_532_9;
/// From this modulus on the asymptotic expansion is accurate to about 1e-9.
const ASYMPTOTIC_FROM: f64 = 10.0;

/// `H_order^(2)(z)` for order 0 or 1 and `z` off the negative real axis.
pub(super) fn hankel2(order: u32, z: Complex64) -> Complex64 {
    if z.norm() >= ASYMPTOTIC_FROM {
        asymptotic(order, z)
    } else {
        series(order, z)
    }
}

fn asymptotic(order: u32, z: Complex64) -> Complex64 {
    let four_order_squared = 4.0 * f64::from(order * order);
    let mut term = Complex64::new(1.0, 0.0);
    let mut sum = term;
    for k in 1..=20 {
        let odd = 2.0 * f64::from(k) - 1.0;
        let next = term * Complex64::new(0.0, -1.0) * (four_order_squared - odd * odd)
            / (8.0 * f64::from(k))
            / z;
        // The expansion diverges in the end: stop at its smallest term.
        if next.norm() >= term.norm() {
            break;
        }
        term = next;
        sum += term;
    }
    let phase = z - f64::from(order) * FRAC_PI_2 - FRAC_PI_4;
    (2.0 / (PI * z)).sqrt() * (Complex64::new(0.0, -1.0) * phase).exp() * sum
}

/// `J - iY` by their power series.
fn series(order: u32, z: Complex64) -> Complex64 {
    let order = f64::from(order);
    let minus_quarter = -z * z / 4.0;
    // Terms (-z²/4)^k / (k! (k + order)!), and the digamma sums that Y weights them with.
    let mut term = Complex64::new(1.0, 0.0);
    let (mut first_kind, mut weighted) = (Complex64::default(), Complex64::default());
    let mut harmonic = (0.0, if order == 0.0 { 0.0 } else { 1.0 });
    for k in 0..60 {
        let k = f64::from(k);
        if k > 0.0 {
            term *= minus_quarter / (k * (k + order));
            harmonic.0 += 1.0 / k;
            harmonic.1 += 1.0 / (k + order);
        }
        first_kind += term;
        weighted += term * (harmonic.0 + harmonic.1 - 2.0 * EULER_GAMMA);
    }
    let half = z / 2.0;
    let (bessel, neumann) = if order == 0.0 {
        (first_kind, (2.0 * half.ln() * first_kind - weighted) / PI)
    } else {
        let bessel = half * first_kind;
        (
            bessel,
            (2.0 * half.ln() * bessel - 1.0 / half - half * weighted) / PI,
        )
    };
    bessel - Complex64::new(0.0, 1.0) * neumann
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_agree_with_scipy() {
        // scipy.special.hankel2(order, z), version 1.17.1.
        let expected = HANKEL_VALUES;
        for (order, (re, im), (value_re, value_im)) in expected {
            let found = hankel2(order, Complex64::new(re, im));
            let exact = Complex64::new(value_re, value_im);
            assert!(
                (found - exact).norm() < 1e-7 * exact.norm(),
                "H{order}({re}+{im}i) = {found}"
            );
        }
    }

    type Point = (u32, (f64, f64), (f64, f64));
    const HANKEL_VALUES: [Point; 8] = [
        (0, (0.05, 0.0), (9.993750976495e-01, 1.979311000817e+00)),
        (1, (0.05, -0.01), (-2.415264165687e+00, 1.229547060620e+01)),
        (0, (1.3, -0.2), (5.151796252898e-01, -1.957339730746e-01)),
        (1, (2.4, -1.0), (1.946237978105e-01, 7.911685766404e-03)),
        (0, (7.0, -5.0), (1.680928192257e-03, 6.905029640450e-04)),
        (0, (9.5, -1.0), (-6.768470568720e-02, -6.634745258748e-02)),
        (0, (15.0, -3.0), (2.955766005251e-04, -1.013374135049e-02)),
        (1, (30.0, -20.0), (-1.677659357713e-10, -2.185057503185e-10)),
    ];
}
