//! Binomial probabilities in log space, accurate far into the tails.
//!
//! `ln C(n, x) p^x q^(n-x)` as a sum of small terms rather than a difference of huge ones
//! (Loader 2000, "Fast and accurate computation of binomial probabilities"): the error of Stirling's
//! formula for each factorial, and how far `x` and `n - x` deviate from their means. Differences of
//! `ln Γ` lose one digit for every digit of `n ln n`; this form keeps about fourteen.
//!
//! The binomial upper tail is the with-replacement approximation to a dendrite's false positives:
//! it treats the synapses of a segment as independent.

use chiasm_core::{Error, Result};

const HALF_LN_TWO_PI: f64 = 0.918_938_533_204_672_8;

/// Binomial distribution: `trials` independent draws that each succeed with `probability`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Binomial {
    trials: u64,
    probability: f64,
}

impl Binomial {
    /// Fails for a probability outside 0..=1 or more trials than doubles count exactly.
    pub fn new(trials: u64, probability: f64) -> Result<Self> {
        check_count("trials", trials)?;
        if !(0.0..=1.0).contains(&probability) {
            return Err(Error::setting("probability", probability, "0 to 1"));
        }
        Ok(Binomial {
            trials,
            probability,
        })
    }

    /// The logarithm of the probability of `successes` or more; minus infinity where impossible.
    pub fn ln_at_least(&self, successes: u64) -> f64 {
        let Binomial {
            trials,
            probability: p,
        } = *self;
        if successes == 0 {
            return 0.0;
        }
        if successes > trials || p == 0.0 {
            return f64::NEG_INFINITY;
        }
        if p == 1.0 {
            return 0.0;
        }
        let n = trials as f64;
        let mode = ((n + 1.0) * p).floor() as u64;
        let start = mode.clamp(successes, trials);
        let odds = p / (1.0 - p);
        let up = |x: u64| (n - x as f64) / (x as f64 + 1.0) * odds;
        let scaled = sum_by_ratios(start, successes, trials, up);
        (ln_binomial(trials, start, p, 1.0 - p) + scaled.ln()).min(0.0)
    }

    /// The probability of `successes` or more.
    pub fn at_least(&self, successes: u64) -> f64 {
        self.ln_at_least(successes).exp()
    }
}

/// The sum of a unimodal sequence of probabilities over `low..=high`, in units of the one at
/// `start`. `ratio(x)` is the probability at `x + 1` over the one at `x`.
///
/// All terms are positive, so nothing cancels; walking away from the largest term, what is left
/// out is below the last bit.
pub(crate) fn sum_by_ratios(start: u64, low: u64, high: u64, ratio: impl Fn(u64) -> f64) -> f64 {
    const NEGLIGIBLE: f64 = 1e-20;
    let mut sum = 1.0;
    let mut term = 1.0;
    for x in start..high {
        term *= ratio(x);
        sum += term;
        if term < NEGLIGIBLE * sum {
            break;
        }
    }
    term = 1.0;
    for x in (low..start).rev() {
        term /= ratio(x);
        sum += term;
        if term < NEGLIGIBLE * sum {
            break;
        }
    }
    sum
}

/// `ln C(n, x) p^x q^(n-x)` for `q = 1 - p`, both given because one of them may be tiny.
pub(crate) fn ln_binomial(n: u64, x: u64, p: f64, q: f64) -> f64 {
    debug_assert!(x <= n);
    let (size, hits, misses) = (n as f64, x as f64, (n - x) as f64);
    let power = |count: f64, probability: f64, other: f64| {
        if count == 0.0 {
            0.0
        } else if other < 0.1 {
            count * (-other).ln_1p()
        } else {
            count * probability.ln()
        }
    };
    if x == 0 {
        return power(size, q, p);
    }
    if x == n {
        return power(size, p, q);
    }
    let stirling = stirling_error(n) - stirling_error(x) - stirling_error(n - x);
    let deviation = deviance(hits, size * p) + deviance(misses, size * q);
    stirling - deviation - HALF_LN_TWO_PI - 0.5 * (hits.ln() + (misses / size).ln())
}

/// `ln n!` minus Stirling's formula `(n + 1/2) ln n - n + ln(2π)/2`; for n of at least 1.
fn stirling_error(n: u64) -> f64 {
    let x = n as f64;
    if n < 16 {
        // Small enough that the difference costs no digits.
        return libm::lgamma(x + 1.0) - (x + 0.5) * x.ln() + x - HALF_LN_TWO_PI;
    }
    let square = 1.0 / (x * x);
    let series = 1.0 / 12.0
        - square
            * (1.0 / 360.0
                - square
                    * (1.0 / 1260.0
                        - square
                            * (1.0 / 1680.0
                                - square * (1.0 / 1188.0 - square * (691.0 / 360_360.0)))));
    series / x
}

/// `x ln(x / m) + m - x`, without the cancellation near `x = m`.
fn deviance(x: f64, m: f64) -> f64 {
    let difference = x - m;
    if difference.abs() < 0.1 * (x + m) {
        // With v = (x - m) / (x + m): ln(x / m) = 2 (v + v³/3 + v⁵/5 + …).
        let v = difference / (x + m);
        let square = v * v;
        let mut sum = difference * v;
        let mut power = 2.0 * x * v;
        for odd in (3u32..).step_by(2) {
            power *= square;
            let next = sum + power / f64::from(odd);
            if next == sum {
                break;
            }
            sum = next;
        }
        return sum;
    }
    x * (x / m).ln() - difference
}

/// Fails where a count is too large for a double to hold it exactly.
pub(crate) fn check_count(name: &str, count: u64) -> Result<()> {
    const MOST: u64 = 1 << 52;
    if count <= MOST {
        return Ok(());
    }
    Err(Error::setting(name, count, format!("at most {MOST}")))
}
