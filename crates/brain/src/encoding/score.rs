//! Held-out scores, their ceiling and their significance.

use std::ops::Range;

use chiasm_core::metrics::score::{
    ConstantRule, correlation_score, determination_score, is_constant,
};
use chiasm_core::{Progress, Result, Seed};
use chiasm_numerics::regression::{Real, ResponseSource, product_measure};
use chiasm_numerics::reliability::{
    BiasCorrection, Repeats, SplitHalfSettings, TotalVariance, explainable_variance,
    nsd_noise_ceiling, signal_power, spearman_brown, split_half,
};
use chiasm_numerics::resampling::adjusted_p_values;
use ndarray::{Array2, ArrayView2, Axis, ShapeBuilder};
use rayon::prelude::*;

use super::audit::batches;
use super::fit::{EncodingData, FittedEncoding, joined, without_space};
use super::model::Predictor;
use super::permutation::Orders;
use super::settings::Ceiling;
use super::units::{UnitSource, read_repeats};

/// Scores of all targets, NaN for those that were dropped.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct EncodingScores {
    /// Pearson's r of test responses and predictions; 0 where the predictions do not vary.
    pub correlation: Vec<f64>,
    /// R² about the test mean.
    pub determination: Vec<f64>,
    /// R² of predicting the training mean, the baseline.
    pub baseline_determination: Vec<f64>,
    /// The ceiling `ρ`: the share of signal in the averaged test responses.
    pub ceiling: Option<Vec<f64>>,
    /// `r/√ρ`; NaN where the ceiling is too low.
    pub normalised_correlation: Option<Vec<f64>>,
    /// `R²/ρ`; NaN where the ceiling is too low.
    pub normalised_determination: Option<Vec<f64>>,
    /// Kept targets whose ceiling is too low for a normalised score.
    pub unreliable: Vec<usize>,
    /// Each target's penalty: one list, one a feature space (banded), or none.
    pub alphas: Vec<Vec<f64>>,
    /// One-sided permutation p of r.
    pub p_values: Option<Vec<f64>>,
    /// Benjamini-Hochberg q over the kept targets.
    pub q_values: Option<Vec<f64>>,
    /// One entry a feature space, where there are several.
    pub spaces: Vec<SpaceScores>,
}

/// What a feature space contributes.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SpaceScores {
    /// Its name.
    pub name: String,
    /// Product measure: its part of the joint R² (predictions about their test mean); parts sum to the whole.
    pub product_measure: Vec<f64>,
    /// R² of all spaces less R² without this one.
    pub unique: Option<Vec<f64>>,
}

impl EncodingScores {
    /// What several spaces explain together and none alone: joint R² less all unique parts, which may be
    /// negative.
    pub fn shared(&self) -> Option<Vec<f64>> {
        if self.spaces.len() < 2 {
            return None;
        }
        let mut shared = self.determination.clone();
        for space in &self.spaces {
            for (shared, unique) in shared.iter_mut().zip(space.unique.as_ref()?) {
                *shared -= unique;
            }
        }
        Some(shared)
    }
}

/// Of the model, and of those without one of the spaces.
struct Predictors<'a, T> {
    joint: Predictor<'a, T>,
    without: Vec<Predictor<'a, T>>,
}

/// Scores of one batch of kept targets.
#[derive(Default)]
struct Batch {
    correlation: Vec<f64>,
    determination: Vec<f64>,
    baseline: Vec<f64>,
    ceiling: Vec<f64>,
    p_values: Vec<f64>,
    product: Vec<Vec<f64>>,
    unique: Vec<Vec<f64>>,
}

impl<T: Real> FittedEncoding<T> {
    /// Scores the model on what was held out of `data`, which must be what it was fitted to.
    ///
    /// # Errors
    /// As [`super::fit_encoding`].
    pub fn score<S: ResponseSource<T>>(
        &self,
        data: &EncodingData<'_, T, S>,
        seed: &Seed,
        progress: &Progress,
    ) -> Result<EncodingScores>
    where
        T: Into<f64>,
    {
        let seed = seed.named("encoding");
        let (x, _) = joined(data.features, data.design, &self.settings.delays)?;
        let x = self.test.features(x.view());
        let mut without = Vec::new();
        for (place, model) in self.without.iter().enumerate() {
            let (columns, ranges) = without_space(&self.spaces, place);
            let rest = x.select(Axis(1), &columns);
            without.push(Predictor::new(model, rest, ranges, &self.training_means)?);
        }
        let predictors = Predictors {
            joint: self.predictor(x)?,
            without,
        };
        let runs: Vec<usize> = self
            .test
            .samples
            .iter()
            .map(|samples| self.run_of_unit(data, samples))
            .collect();
        let orders = Orders::draw(
            &runs,
            self.settings.block_length(),
            self.settings.permutations,
            &seed,
        );
        let source = UnitSource {
            source: data.responses,
            units: &self.test,
            kept: &self.kept,
        };
        // The trials, the units, and doubles of both.
        let rows = 3 * self.test.counts().iter().sum::<usize>();
        let mut all = Batch::default();
        progress.begin("scores of held-out responses", self.kept.len() as u64);
        for range in batches::<f64>(self.kept.len(), rows, self.settings.batch_mebibytes) {
            let batch = self.score_batch(&source, &predictors, range.clone(), &orders, &seed)?;
            all.correlation.extend(batch.correlation);
            all.determination.extend(batch.determination);
            all.baseline.extend(batch.baseline);
            all.ceiling.extend(batch.ceiling);
            all.p_values.extend(batch.p_values);
            extend_each(&mut all.product, batch.product);
            extend_each(&mut all.unique, batch.unique);
            progress.advance(range.len() as u64)?;
        }
        progress.end();
        Ok(self.spread(all))
    }

    /// The run of a test unit; one for all where its samples come from several.
    fn run_of_unit<S>(&self, data: &EncodingData<'_, T, S>, samples: &[usize]) -> usize {
        let first = data.design.run_of(samples[0]);
        let single = |samples: &Vec<usize>| {
            let run = data.design.run_of(samples[0]);
            samples
                .iter()
                .all(|&sample| data.design.run_of(sample) == run)
        };
        if self.test.samples.iter().all(single) {
            first
        } else {
            0
        }
    }

    fn score_batch<S: ResponseSource<T>>(
        &self,
        source: &UnitSource<'_, S>,
        predictors: &Predictors<'_, T>,
        range: Range<usize>,
        orders: &Orders,
        seed: &Seed,
    ) -> Result<Batch>
    where
        T: Into<f64>,
    {
        let rows: Vec<usize> = (0..self.test.len()).collect();
        let mut responses = Array2::<T>::zeros((rows.len(), range.len()).f());
        source.read(&rows, range.clone(), responses.view_mut())?;
        let responses = responses.view();
        let means = &self.training_means;
        let predictions = predictors.joint.joint(range.clone())?;
        let rule = ConstantRule::Zero;
        let baseline = Array2::from_shape_fn(responses.dim(), |(_, target)| {
            T::from_double(means[range.start + target])
        });
        let mut batch = Batch {
            correlation: correlation_score(responses, predictions.view(), rule)?.values,
            determination: determination_score(responses, predictions.view(), rule)?.values,
            baseline: determination_score(responses, baseline.view(), rule)?.values,
            ..Batch::default()
        };
        if let Some(ceiling) = self.settings.ceiling {
            batch.ceiling = self.ceiling(ceiling, source, range.clone(), seed)?;
        }
        if orders.count() > 0 {
            batch.p_values = (0..range.len())
                .into_par_iter()
                .map(|target| {
                    let doubles = |matrix: ArrayView2<'_, T>| -> Vec<f64> {
                        matrix
                            .column(target)
                            .iter()
                            .map(|v| v.to_double())
                            .collect()
                    };
                    let (y, p) = (doubles(responses), doubles(predictions.view()));
                    if is_constant(&p) {
                        1.0
                    } else {
                        orders.p_value(&y, &p)
                    }
                })
                .collect();
        }
        if self.spaces.len() > 1 {
            let parts = predictors.joint.parts(range.clone())?;
            let parts: Vec<ArrayView2<'_, T>> = parts.iter().map(|part| part.view()).collect();
            if !parts.is_empty() {
                let shares = product_measure(responses, &parts)?;
                batch.product = shares.rows().into_iter().map(|row| row.to_vec()).collect();
            }
        }
        for without in &predictors.without {
            let predictions = without.joint(range.clone())?;
            let rest = determination_score(responses, predictions.view(), rule)?.values;
            let pairs = batch.determination.iter().zip(rest);
            batch
                .unique
                .push(pairs.map(|(joint, rest)| joint - rest).collect());
        }
        Ok(batch)
    }

    /// The share of signal in the averaged test responses.
    fn ceiling<S: ResponseSource<T>>(
        &self,
        ceiling: Ceiling,
        source: &UnitSource<'_, S>,
        range: Range<usize>,
        seed: &Seed,
    ) -> Result<Vec<f64>> {
        let trials = read_repeats(source, range)?;
        let repeats = Repeats::new(trials.view())?;
        Ok(match ceiling {
            Ceiling::Usual | Ceiling::SplitHalf => {
                let settings = SplitHalfSettings {
                    splits: self.settings.halvings,
                    ..SplitHalfSettings::default()
                };
                split_half(&repeats, &settings, seed, &Progress::silent())?
            }
            Ceiling::Nsd => {
                nsd_noise_ceiling(&repeats, TotalVariance::Measured)?.share(&repeats.counts())
            }
            Ceiling::ExplainableVariance => {
                let count = repeats.most() as f64;
                explainable_variance(&repeats, BiasCorrection::Corrected)?
                    .into_iter()
                    .map(|single| spearman_brown(single, count))
                    .collect()
            }
            Ceiling::SignalPower => signal_power(&repeats)?.share(),
        })
    }

    /// From kept targets to all of them.
    fn spread(&self, all: Batch) -> EncodingScores {
        let spread = |values: &[f64]| -> Vec<f64> {
            let mut spread = vec![f64::NAN; self.targets];
            for (&target, &value) in self.kept.iter().zip(values) {
                spread[target] = value;
            }
            spread
        };
        let mut scores = EncodingScores {
            correlation: spread(&all.correlation),
            determination: spread(&all.determination),
            baseline_determination: spread(&all.baseline),
            alphas: self.model.alphas().iter().map(|own| spread(own)).collect(),
            ..EncodingScores::default()
        };
        if self.settings.ceiling.is_some() {
            let least = self.settings.least_ceiling;
            let over = |values: &[f64], divisor: fn(f64) -> f64| -> Vec<f64> {
                let pairs = values.iter().zip(&all.ceiling);
                let normalised = pairs.map(|(value, ceiling)| {
                    if *ceiling > least {
                        value / divisor(*ceiling)
                    } else {
                        f64::NAN
                    }
                });
                spread(&normalised.collect::<Vec<f64>>())
            };
            scores.normalised_correlation = Some(over(&all.correlation, f64::sqrt));
            scores.normalised_determination = Some(over(&all.determination, |ceiling| ceiling));
            let pairs = self.kept.iter().zip(&all.ceiling);
            scores.unreliable = pairs
                .filter(|(_, ceiling)| !(**ceiling > least))
                .map(|(&target, _)| target)
                .collect();
            scores.ceiling = Some(spread(&all.ceiling));
        }
        if self.settings.permutations > 0 {
            scores.q_values = Some(spread(&adjusted_p_values(&all.p_values)));
            scores.p_values = Some(spread(&all.p_values));
        }
        if self.spaces.len() > 1 && !all.product.is_empty() {
            scores.spaces = self
                .spaces
                .iter()
                .enumerate()
                .map(|(space, (name, _))| SpaceScores {
                    name: name.clone(),
                    product_measure: spread(&all.product[space]),
                    unique: all.unique.get(space).map(|unique| spread(unique)),
                })
                .collect();
        }
        scores
    }
}

fn extend_each(all: &mut Vec<Vec<f64>>, more: Vec<Vec<f64>>) {
    if all.is_empty() {
        *all = more;
        return;
    }
    for (all, more) in all.iter_mut().zip(more) {
        all.extend(more);
    }
}
