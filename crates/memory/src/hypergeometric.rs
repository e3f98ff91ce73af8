//! Hypergeometric tails in log space: how often random codes overlap by chance.
//!
//! Of `population` cells, `marked` belong to one set and `drawn` to another, drawn without
//! replacement; the overlap `b` has probability `C(marked, b) C(population - marked, drawn - b) /
//! C(population, drawn)`. Every recognition error of a dendrite is a tail of this (Ahmad & Hawkins
//! 2016, equations 3 and 4).
//!
//! The first term comes from three binomial probabilities in Loader's form (see
//! [`crate::binomial`]), the others from exact ratios of neighbours. Tails agree with exact
//! integers to better than 1e-11 relative down to 1e-300, and their logarithms go on far below.

use chiasm_core::{Error, Result};

use crate::binomial::{check_count, ln_binomial, sum_by_ratios};

/// The distribution of the overlap of two sets of fixed sizes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hypergeometric {
    population: u64,
    marked: u64,
    drawn: u64,
}

impl Hypergeometric {
    /// Fails where a set is larger than the population, or the population is empty.
    pub fn new(population: u64, marked: u64, drawn: u64) -> Result<Self> {
        check_count("population", population)?;
        if population == 0 {
            return Err(Error::setting("population", population, "at least 1"));
        }
        for (name, count) in [("marked", marked), ("drawn", drawn)] {
            if count > population {
                return Err(Error::setting(
                    name,
                    count,
                    format!("at most the population, {population}"),
                ));
            }
        }
        Ok(Hypergeometric {
            population,
            marked,
            drawn,
        })
    }

    /// The smallest overlap that can occur.
    pub fn smallest(&self) -> u64 {
        (self.marked + self.drawn).saturating_sub(self.population)
    }

    /// The largest overlap that can occur.
    pub fn largest(&self) -> u64 {
        self.marked.min(self.drawn)
    }

    /// The expected overlap.
    pub fn mean(&self) -> f64 {
        self.marked as f64 / self.population as f64 * self.drawn as f64
    }

    /// The logarithm of the probability of exactly `overlap`; minus infinity where impossible.
    pub fn ln_probability(&self, overlap: u64) -> f64 {
        if overlap < self.smallest() || overlap > self.largest() {
            return f64::NEG_INFINITY;
        }
        let Hypergeometric {
            population,
            marked,
            drawn,
        } = *self;
        let p = drawn as f64 / population as f64;
        let q = (population - drawn) as f64 / population as f64;
        if p == 0.0 || q == 0.0 {
            return 0.0;
        }
        ln_binomial(marked, overlap, p, q) + ln_binomial(population - marked, drawn - overlap, p, q)
            - ln_binomial(population, drawn, p, q)
    }

    /// The logarithm of the probability of `overlap` or more; minus infinity where impossible.
    pub fn ln_at_least(&self, overlap: u64) -> f64 {
        if overlap <= self.smallest() {
            0.0
        } else {
            self.ln_between(overlap, self.largest())
        }
    }

    /// The logarithm of the probability of `overlap` or less; minus infinity where impossible.
    pub fn ln_at_most(&self, overlap: u64) -> f64 {
        if overlap >= self.largest() {
            0.0
        } else {
            self.ln_between(self.smallest(), overlap)
        }
    }

    /// The probability of `overlap` or more.
    pub fn at_least(&self, overlap: u64) -> f64 {
        self.ln_at_least(overlap).exp()
    }

    /// The probability of `overlap` or less.
    pub fn at_most(&self, overlap: u64) -> f64 {
        self.ln_at_most(overlap).exp()
    }

    fn ln_between(&self, low: u64, high: u64) -> f64 {
        if low > high {
            return f64::NEG_INFINITY;
        }
        let Hypergeometric {
            population,
            marked,
            drawn,
        } = *self;
        let expected = (marked as f64 + 1.0) * (drawn as f64 + 1.0) / (population as f64 + 2.0);
        let start = (expected.floor() as u64).clamp(low, high);
        // Wrapping never happens: within the support every difference is at least zero.
        let spare = |x: u64| (population + x + 1 - marked - drawn) as f64;
        let ratio = |x: u64| (marked - x) as f64 * (drawn - x) as f64 / ((x + 1) as f64 * spare(x));
        (self.ln_probability(start) + sum_by_ratios(start, low, high, ratio).ln()).min(0.0)
    }
}
