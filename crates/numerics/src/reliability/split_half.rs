//! Correlation of halves, stepped up to the whole.

use chiasm_core::metrics::interval::mean;
use chiasm_core::metrics::score::{centred_correlation, is_constant};
use chiasm_core::{Error, Progress, Result, Seed};
use serde::{Deserialize, Serialize};

use super::{Repeats, per_target, spearman_brown};
use crate::resampling::permutation;

/// What the Spearman-Brown step is applied to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SpearmanBrown {
    /// The mean correlation over splits: steady, since `2r/(1 + r)` falls without bound towards `r = −1`.
    #[default]
    OfTheMean,
    /// Each split's correlation, averaged after it (Brain-Score).
    OfEachSplit,
}

/// How repeats are halved.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SplitHalfSettings {
    /// Number of random halvings. With two repeats there is only one, and one is made.
    pub splits: usize,
    /// Where the correction is applied.
    pub correction: SpearmanBrown,
}

impl Default for SplitHalfSettings {
    fn default() -> Self {
        SplitHalfSettings {
            splits: 100,
            correction: SpearmanBrown::default(),
        }
    }
}

impl SplitHalfSettings {
    /// Fails for a setting outside its range.
    pub fn check(&self) -> Result<()> {
        if self.splits == 0 {
            return Err(Error::setting("splits", self.splits, "at least 1"));
        }
        Ok(())
    }
}

/// The reliability of the mean over all repeats, per target.
///
/// Each split puts the repeats in random order, the same for all stimuli; the first half (rounded down) of
/// those that a stimulus has makes one mean, the rest the other. Stimuli shown once take no part.
///
/// # Errors
/// [`Error::TooFew`] unless two stimuli have two repeats.
pub fn split_half(
    repeats: &Repeats<'_>,
    settings: &SplitHalfSettings,
    seed: &Seed,
    progress: &Progress,
) -> Result<Vec<f64>> {
    settings.check()?;
    repeats.require_two("split-half reliability")?;
    let most = repeats
        .present()
        .iter()
        .flatten()
        .max()
        .map_or(0, |last| last + 1);
    let splits = if repeats.most() == 2 {
        1
    } else {
        settings.splits
    };
    let seed = seed.named("halves");
    let orders: Vec<Vec<usize>> = (0..splits)
        .map(|split| {
            let mut place = vec![0; most];
            let order = permutation(&seed.indexed(split as u64), most);
            order
                .iter()
                .enumerate()
                .for_each(|(at, &repeat)| place[repeat] = at);
            place
        })
        .collect();
    progress.check()?;
    // Which repeats make the first half, by split and stimulus; the rest make the second.
    let halves: Vec<Vec<(Vec<usize>, usize)>> = orders
        .iter()
        .map(|place| {
            let repeated = repeats.present().iter().filter(|own| own.len() >= 2);
            repeated
                .map(|own| {
                    let mut own = own.clone();
                    own.sort_by_key(|&repeat| place[repeat]);
                    let half = own.len() / 2;
                    (own, half)
                })
                .collect()
        })
        .collect();
    let stimuli: Vec<usize> = (0..repeats.stimuli())
        .filter(|&stimulus| repeats.present()[stimulus].len() >= 2)
        .collect();
    let of_target = |target: usize| {
        let correlations: Vec<f64> = halves
            .iter()
            .filter_map(|halves| {
                let mean_of = |stimulus: usize, which: &[usize]| -> f64 {
                    let sum: f64 = which
                        .iter()
                        .map(|&repeat| repeats.value(repeat, stimulus, target))
                        .sum();
                    sum / which.len() as f64
                };
                let (first, second): (Vec<f64>, Vec<f64>) = stimuli
                    .iter()
                    .zip(halves)
                    .map(|(&stimulus, (own, half))| {
                        (
                            mean_of(stimulus, &own[..*half]),
                            mean_of(stimulus, &own[*half..]),
                        )
                    })
                    .unzip();
                (!is_constant(&first) && !is_constant(&second))
                    .then(|| centred_correlation(&first, &second))
            })
            .collect();
        if correlations.is_empty() {
            return f64::NAN;
        }
        match settings.correction {
            SpearmanBrown::OfTheMean => spearman_brown(mean(&correlations), 2.0),
            SpearmanBrown::OfEachSplit => {
                let each: Vec<f64> = correlations
                    .iter()
                    .map(|r| spearman_brown(*r, 2.0))
                    .collect();
                mean(&each)
            }
        }
    };
    let found = per_target(repeats.targets(), of_target);
    progress.check()?;
    Ok(found)
}
