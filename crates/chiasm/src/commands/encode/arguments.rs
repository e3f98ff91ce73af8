//! The choices of `chiasm encode` and what they mean to the method.

use std::path::PathBuf;
use std::str::FromStr;

use chiasm_brain::encoding::{Ceiling, EncodingMethod};
use chiasm_numerics::regression::{SelectionMetric, logarithmic_grid};
use clap::ValueEnum;

/// The regression.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum MethodArgument {
    /// One penalty per target over all features
    Ridge,
    /// One penalty per target and feature space
    Banded,
    /// Partial least squares
    Pls,
    /// The training mean, which every model has to beat
    Mean,
}

impl MethodArgument {
    pub(super) fn method(self) -> EncodingMethod {
        match self {
            MethodArgument::Ridge => EncodingMethod::Ridge,
            MethodArgument::Banded => EncodingMethod::Banded,
            MethodArgument::Pls => EncodingMethod::Pls,
            MethodArgument::Mean => EncodingMethod::Mean,
        }
    }
}

/// The ceiling of the averaged test responses.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum CeilingArgument {
    /// Halves of the repeats, with the Spearman-Brown step
    SplitHalf,
    /// Variance within stimuli as noise
    Nsd,
    /// Variance of the mean over mean variance, corrected for bias
    ExplainableVariance,
    /// Variance of the sum less the sum of variances
    SignalPower,
    /// No ceiling
    None,
}

impl CeilingArgument {
    pub(super) fn ceiling(self) -> Option<Ceiling> {
        match self {
            CeilingArgument::SplitHalf => Some(Ceiling::SplitHalf),
            CeilingArgument::Nsd => Some(Ceiling::Nsd),
            CeilingArgument::ExplainableVariance => Some(Ceiling::ExplainableVariance),
            CeilingArgument::SignalPower => Some(Ceiling::SignalPower),
            CeilingArgument::None => None,
        }
    }
}

/// The score by which penalties are chosen.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum MetricArgument {
    /// Share of variance
    R2,
    /// Pearson's r
    Correlation,
    /// Minus the mean squared error
    Mse,
}

impl MetricArgument {
    pub(super) fn metric(self) -> SelectionMetric {
        match self {
            MetricArgument::R2 => SelectionMetric::R2,
            MetricArgument::Correlation => SelectionMetric::Correlation,
            MetricArgument::Mse => SelectionMetric::NegativeMeanSquaredError,
        }
    }
}

/// A grid of penalties: `log:FIRST:LAST:COUNT` in powers of ten, or numbers between commas.
#[derive(Clone, Debug)]
pub(super) struct Alphas(pub(super) Vec<f64>);

impl FromStr for Alphas {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        const FORM: &str =
            "expected log:FIRST:LAST:COUNT, e.g. log:-3:6:20, or numbers, e.g. 1,10,100";
        let number = |text: &str| -> Result<f64, String> {
            let number: f64 = text.trim().parse().map_err(|_| FORM.to_string())?;
            if number.is_finite() {
                Ok(number)
            } else {
                Err(FORM.to_string())
            }
        };
        let Some(grid) = text.strip_prefix("log:") else {
            return text
                .split(',')
                .map(number)
                .collect::<Result<_, _>>()
                .map(Alphas);
        };
        let [first, last, count] = grid.split(':').collect::<Vec<_>>()[..] else {
            return Err(FORM.to_string());
        };
        let (first, last) = (number(first)?, number(last)?);
        let count: usize = count.parse().map_err(|_| FORM.to_string())?;
        if count == 0 || count > 10_000 || first.abs() > 300.0 || last.abs() > 300.0 {
            return Err("expected 1 to 10000 penalties between 1e-300 and 1e300".to_string());
        }
        Ok(Alphas(logarithmic_grid(first, last, count)))
    }
}

/// What is held out: a share of the stimuli, or a file that lists them.
#[derive(Clone, Debug)]
pub(super) enum TestArgument {
    Share(f64),
    File(PathBuf),
}

impl FromStr for TestArgument {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.parse::<f64>() {
            Ok(share) if share > 0.0 && share < 1.0 => Ok(TestArgument::Share(share)),
            Ok(share) => Err(format!(
                "{share} is no share: expected a number above 0 and below 1, or a file"
            )),
            Err(_) => Ok(TestArgument::File(PathBuf::from(text))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn grids_are_read_in_both_forms() {
        let grid = |text: &str| text.parse::<Alphas>().map(|alphas| alphas.0);
        assert_eq!(grid("1, 10,1e3"), Ok(vec![1.0, 10.0, 1000.0]));
        let log = grid("log:-1:2:4").unwrap();
        assert!(
            log.iter()
                .zip([0.1, 1.0, 10.0, 100.0])
                .all(|(a, b)| (a / b - 1.0).abs() < 1e-12)
        );
        for wrong in ["", "log:1:2", "log:a:2:3", "1,x", "log:0:1:0", "nan"] {
            assert!(grid(wrong).is_err(), "{wrong}");
        }
        assert!(matches!("0.25".parse(), Ok(TestArgument::Share(share)) if share == 0.25));
        assert!("1.5".parse::<TestArgument>().is_err());
        assert!(matches!("test.csv".parse(), Ok(TestArgument::File(_))));
    }
}
