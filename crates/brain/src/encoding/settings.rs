//! What an encoding model is to do.

use chiasm_core::{Error, Result};
use chiasm_numerics::regression::{PenaltyChoice, RidgeSettings, SelectionMetric};
use serde::{Deserialize, Serialize};

/// The regression.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum EncodingMethod {
    /// One penalty a target over all features.
    #[default]
    Ridge,
    /// One penalty a target and feature space.
    Banded,
    /// Partial least squares.
    Pls,
    /// The training mean: what every model has to beat.
    Mean,
}

/// How the ceiling of the averaged test responses is estimated from their repeats.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Ceiling {
    /// Split-half where test stimuli repeat, else none.
    Usual,
    /// Halves of the repeats, stepped up by Spearman and Brown.
    SplitHalf,
    /// Variance within stimuli as noise (Natural Scenes Dataset), total variance as measured.
    Nsd,
    /// Explainable variance, corrected for bias; needs all repeats.
    ExplainableVariance,
    /// Signal power; needs all repeats.
    SignalPower,
}

impl Ceiling {
    /// The name in settings.
    pub fn name(self) -> &'static str {
        match self {
            Ceiling::Usual => "usual",
            Ceiling::SplitHalf => "split-half",
            Ceiling::Nsd => "nsd",
            Ceiling::ExplainableVariance => "explainable-variance",
            Ceiling::SignalPower => "signal-power",
        }
    }
}

/// Settings of [`super::fit_encoding`] and of its scores.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct EncodingSettings {
    /// The regression.
    pub method: EncodingMethod,
    /// Penalties to choose from (ridge, banded).
    pub alphas: Vec<f64>,
    /// For whom a penalty is chosen (ridge).
    pub choice: PenaltyChoice,
    /// The score by which penalties are chosen.
    pub metric: SelectionMetric,
    /// The largest penalty within a standard deviation of the best (ridge).
    pub conservative: bool,
    /// Divide features by their standard deviation over training rows.
    pub standardise: bool,
    /// Inner folds over the training part. Left out, 5, or one a run where there are fewer runs and runs are what is held out.
    pub folds: Option<usize>,
    /// Components of partial least squares.
    pub components: usize,
    /// Mixtures of feature spaces that banded ridge tries.
    pub mixtures: usize,
    /// Copies of the features delayed by these numbers of rows; empty for the features as they are.
    pub delays: Vec<usize>,
    /// Allow a stimulus in training and test. The scores are then inflated, and a warning says so.
    pub allow_leakage: bool,
    /// The ceiling; `None` for no normalisation. A fitted model's is never [`Ceiling::Usual`].
    pub ceiling: Option<Ceiling>,
    /// Targets whose ceiling is not above this have no normalised score.
    pub least_ceiling: f64,
    /// Random halvings of the split-half ceiling.
    pub halvings: usize,
    /// Permutations of each target's test; 0 for none.
    pub permutations: usize,
    /// Rows of a block that is permuted as one. Left out, 10 with delays, else 1.
    pub block: Option<usize>,
    /// Unique R² of each of several feature spaces, which takes a fit without each.
    pub variance_partitioning: bool,
    /// The most memory for one batch of targets, in MiB.
    pub batch_mebibytes: usize,
}

impl Default for EncodingSettings {
    fn default() -> Self {
        EncodingSettings {
            method: EncodingMethod::Ridge,
            alphas: chiasm_numerics::regression::logarithmic_grid(-3.0, 6.0, 20),
            choice: PenaltyChoice::PerTarget,
            metric: SelectionMetric::R2,
            conservative: false,
            standardise: true,
            folds: None,
            components: 25,
            mixtures: 100,
            delays: Vec::new(),
            allow_leakage: false,
            ceiling: Some(Ceiling::Usual),
            least_ceiling: 0.0,
            halvings: 100,
            permutations: 0,
            block: None,
            variance_partitioning: true,
            batch_mebibytes: 128,
        }
    }
}

impl EncodingSettings {
    /// Checks the ranges.
    ///
    /// # Errors
    /// [`Error::Setting`] with the name of the first that is outside.
    pub fn check(&self) -> Result<()> {
        self.ridge().check()?;
        for (name, value, least) in [
            ("folds", self.folds.unwrap_or(2), 2),
            ("components", self.components, 1),
            ("mixtures", self.mixtures, 1),
            ("halvings", self.halvings, 1),
            ("block", self.block.unwrap_or(1), 1),
        ] {
            if value < least {
                return Err(Error::setting(name, value, format!("at least {least}")));
            }
        }
        if !(0.0..1.0).contains(&self.least_ceiling) {
            let allowed = "0 up to, but not, 1";
            return Err(Error::setting("least_ceiling", self.least_ceiling, allowed));
        }
        let mut delays = self.delays.clone();
        delays.sort_unstable();
        delays.dedup();
        if delays.len() < self.delays.len() {
            let text = format!("{:?}", self.delays);
            return Err(Error::setting("delays", text, "each delay once"));
        }
        Ok(())
    }

    pub(super) fn ridge(&self) -> RidgeSettings {
        RidgeSettings {
            alphas: self.alphas.clone(),
            choice: self.choice,
            metric: self.metric,
            conservative: self.conservative,
            standardise: self.standardise,
            batch_mebibytes: self.batch_mebibytes,
            ..RidgeSettings::default()
        }
    }

    /// Rows that are permuted as one.
    pub(super) fn block_length(&self) -> usize {
        let usual = if self.delays.is_empty() { 1 } else { 10 };
        self.block.unwrap_or(usual)
    }
}
