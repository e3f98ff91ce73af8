//! Holding out, choosing penalties, fitting.

use std::ops::Range;

use chiasm_core::{Error, Progress, Result, Seed};
use chiasm_numerics::regression::{Real, ResponseSource, RunEdge, delayed_features};
use ndarray::{Array2, ArrayView2, Axis};

use super::audit::{Dropped, batches, find_constants, find_holes};
use super::design::{Holdout, TrialDesign};
use super::model::{Model, Predictor};
use super::settings::{Ceiling, EncodingMethod, EncodingSettings};
use super::units::{UnitSource, Units};

/// Features that belong together, e.g. one layer of a network: samples x features.
#[derive(Clone, Debug, PartialEq)]
pub struct FeatureSpace<T> {
    /// Its name.
    pub name: String,
    /// Samples x features, all finite.
    pub values: Array2<T>,
}

/// What an encoding model is fitted to.
#[derive(Clone, Copy, Debug)]
pub struct EncodingData<'a, T, S> {
    /// One or more feature spaces with the same samples.
    pub features: &'a [FeatureSpace<T>],
    /// Trials x targets. A trial that is NaN in every target counts as missing.
    pub responses: &'a S,
    /// How trials and samples belong together.
    pub design: &'a TrialDesign,
}

/// An encoding model with what was held out from it.
#[derive(Clone, Debug)]
pub struct FittedEncoding<T> {
    pub(super) model: Model<T>,
    /// Models without one of the feature spaces, for its unique share.
    pub(super) without: Vec<Model<T>>,
    pub(super) settings: EncodingSettings,
    /// Features of each space within the joined ones.
    pub(super) spaces: Vec<(String, Range<usize>)>,
    pub(super) test: Units,
    /// Means over what was fitted, per kept target.
    pub(super) training_means: Vec<f64>,
    /// Means over what was fitted, per joined feature.
    pub(super) feature_means: Vec<f64>,
    /// Targets that are fitted, by their place in the responses, ascending.
    pub kept: Vec<usize>,
    /// Targets that are not.
    pub dropped: Dropped,
    /// The number of all targets.
    pub targets: usize,
    /// Samples that were fitted.
    pub training_samples: Vec<usize>,
    /// Samples that are held out.
    pub test_samples: Vec<usize>,
    /// Trials of a stack that are missing.
    pub missing_trials: usize,
    /// What the reader should know.
    pub warnings: Vec<String>,
}

/// Joined features: samples x (all features of all spaces, each at all delays), with each space's range.
pub(super) fn joined<T: Real>(
    features: &[FeatureSpace<T>],
    design: &TrialDesign,
    delays: &[usize],
) -> Result<(Array2<T>, Vec<(String, Range<usize>)>)> {
    let samples = design.samples();
    let mut spaces = Vec::new();
    let mut blocks = Vec::new();
    let mut end = 0;
    for space in features {
        if space.values.nrows() != samples {
            return Err(Error::Shape {
                operation: "encoding",
                what: space.name.clone(),
                axis: "samples",
                found: space.values.nrows(),
                expected: format!("{samples} (as many as the responses have)"),
            });
        }
        let bad = |value: &T| !value.is_finite();
        if let Some(((sample, feature), _)) =
            space.values.indexed_iter().find(|(_, value)| bad(value))
        {
            return Err(Error::NotFinite {
                what: space.name.clone(),
                count: space.values.iter().filter(|value| bad(value)).count(),
                first: format!("sample {sample}, feature {feature}"),
            });
        }
        let block = if delays.is_empty() {
            space.values.clone()
        } else {
            let runs: Vec<usize> = (0..samples).map(|sample| design.run_of(sample)).collect();
            let delays: Vec<isize> = delays.iter().map(|&delay| delay as isize).collect();
            delayed_features(space.values.view(), &runs, &delays, RunEdge::Zero)?.features
        };
        spaces.push((space.name.clone(), end..end + block.ncols()));
        end += block.ncols();
        blocks.push(block);
    }
    if end == 0 {
        return Err(Error::TooFew {
            operation: "encoding",
            what: "features",
            found: 0,
            needed: 1,
        });
    }
    let views: Vec<ArrayView2<'_, T>> = blocks.iter().map(|block| block.view()).collect();
    let joined = ndarray::concatenate(Axis(1), &views).map_err(|error| Error::Unusable {
        operation: "encoding",
        reason: error.to_string(),
    })?;
    Ok((joined, spaces))
}

/// The features of all spaces but one: their columns and the ranges of the spaces that are left.
pub(super) fn without_space(
    spaces: &[(String, Range<usize>)],
    left_out: usize,
) -> (Vec<usize>, Vec<Range<usize>>) {
    let (mut columns, mut ranges) = (Vec::new(), Vec::new());
    for (place, (_, space)) in spaces.iter().enumerate() {
        if place != left_out {
            ranges.push(columns.len()..columns.len() + space.len());
            columns.extend(space.clone());
        }
    }
    (columns, ranges)
}

/// Fits an encoding model to what `holdout` leaves.
///
/// # Errors
/// [`Error::Setting`] from [`EncodingSettings::check`]; [`Error::Shape`] where samples do not agree; [`Error::NotFinite`] in
/// the features; [`Error::Unusable`] where a stimulus is on both sides of the split (unless allowed), a stimulus has no response,
/// no target is left, or there are fewer stimuli than folds; [`Error::TooFew`] where the ceiling has no repeats; what the responses
/// cannot be read for; [`Error::Interrupted`].
pub fn fit_encoding<T: Real, S: ResponseSource<T>>(
    data: &EncodingData<'_, T, S>,
    holdout: &Holdout,
    settings: &EncodingSettings,
    seed: &Seed,
    progress: &Progress,
) -> Result<FittedEncoding<T>> {
    settings.check()?;
    let design = data.design;
    let seed = seed.named("encoding");
    let (x, spaces) = joined(data.features, design, &settings.delays)?;
    let mut warnings = Vec::new();
    let split = design.outer(holdout, settings, &seed)?;
    for (what, found) in [
        ("training samples", split.train.len()),
        ("test samples", split.test.len()),
    ] {
        if found < 2 {
            return Err(Error::TooFew {
                operation: "encoding",
                what,
                found,
                needed: 2,
            });
        }
    }
    check_leakage(design, &split, settings, &mut warnings)?;
    let folds = match settings.method {
        EncodingMethod::Mean => Vec::new(),
        _ => design.inner(&split.train, settings, &seed)?,
    };

    let holes = find_holes(data.responses, design, settings.batch_mebibytes, progress)?;
    let timed = !settings.delays.is_empty();
    let train = Units::fitted(design, &split.train, &holes.present);
    let test = Units::scored(design, &split.test, &holes.present, timed);
    if test.len() < 2 {
        return Err(Error::TooFew {
            operation: "encoding",
            what: "test stimuli",
            found: test.len(),
            needed: 2,
        });
    }
    let ceiling = resolved_ceiling(settings.ceiling, &test)?;
    let (kept, dropped) = find_constants(
        data.responses,
        holes.not_finite,
        &train,
        &test,
        settings.batch_mebibytes,
        progress,
    )?;
    let source = UnitSource {
        source: data.responses,
        units: &train,
        kept: &kept,
    };
    let training_means = means(&source, settings, progress)?;
    let x_train = train.features(x.view());
    let fit = |x: ArrayView2<'_, T>, ranges: &[Range<usize>]| {
        Model::fit(x, ranges, &source, &folds, settings, &seed, progress)
    };
    let ranges: Vec<Range<usize>> = spaces.iter().map(|(_, range)| range.clone()).collect();
    let model = fit(x_train.view(), &ranges)?;
    let mut without = Vec::new();
    if spaces.len() > 1 && settings.variance_partitioning && settings.method != EncodingMethod::Mean
    {
        for place in 0..spaces.len() {
            let (columns, ranges) = without_space(&spaces, place);
            let rest = x_train.select(Axis(1), &columns);
            without.push(fit(rest.view(), &ranges)?);
        }
    }
    warn_of_edges(&model, settings, kept.len(), &mut warnings);
    Ok(FittedEncoding {
        model,
        without,
        settings: EncodingSettings {
            ceiling,
            ..settings.clone()
        },
        spaces,
        test,
        training_means,
        feature_means: feature_means(x_train.view()),
        kept,
        dropped,
        targets: data.responses.target_count(),
        training_samples: split.train,
        test_samples: split.test,
        missing_trials: holes.present.iter().filter(|there| !**there).count(),
        warnings,
    })
}

fn check_leakage(
    design: &TrialDesign,
    split: &chiasm_numerics::splits::Split,
    settings: &EncodingSettings,
    warnings: &mut Vec<String>,
) -> Result<()> {
    let (count, first) = design.leaking(split);
    if count == 0 {
        return Ok(());
    }
    let found = format!("{count} stimuli are in both training and test, the first is {first}");
    if settings.allow_leakage {
        warnings.push(format!("{found}: the scores are inflated."));
        return Ok(());
    }
    Err(Error::Unusable {
        operation: "encoding",
        reason: format!(
            "{found}; hold out whole stimuli, or allow leakage if the inflated scores are what you want"
        ),
    })
}

/// The ceiling, once it is known to have the repeats it needs, before anything is computed.
fn resolved_ceiling(ceiling: Option<Ceiling>, test: &Units) -> Result<Option<Ceiling>> {
    let Some(ceiling) = ceiling else {
        return Ok(None);
    };
    let counts = test.counts();
    let most = counts.iter().copied().max().unwrap_or(0);
    let repeated = counts.iter().filter(|&&count| count >= 2).count();
    if ceiling == Ceiling::Usual {
        return Ok((repeated >= 2).then_some(Ceiling::SplitHalf));
    }
    if repeated < 2 {
        return Err(Error::Unusable {
            operation: "ceiling",
            reason: format!(
                "the {} ceiling needs repeats of the test stimuli: {repeated} of {} have two or more; \
                 choose no ceiling, or give responses as repeats x stimuli x targets or stimulus labels",
                ceiling.name(),
                counts.len()
            ),
        });
    }
    let even = matches!(ceiling, Ceiling::ExplainableVariance | Ceiling::SignalPower);
    if even && counts.iter().any(|&count| count < most) {
        let fewer = counts.iter().filter(|&&count| count < most).count();
        return Err(Error::Unusable {
            operation: "ceiling",
            reason: format!(
                "the {} ceiling needs all repeats: {fewer} of {} test stimuli have fewer than {most}; choose \
                 split-half or nsd",
                ceiling.name(),
                counts.len()
            ),
        });
    }
    Ok(Some(ceiling))
}

/// Means over rows, in batches.
fn means<T: Real, S: ResponseSource<T>>(
    source: &UnitSource<'_, S>,
    settings: &EncodingSettings,
    progress: &Progress,
) -> Result<Vec<f64>> {
    use ndarray::ShapeBuilder;
    let rows: Vec<usize> = (0..source.units.len()).collect();
    let mut means = Vec::with_capacity(source.kept.len());
    let trials = source.units.counts().iter().sum();
    for batch in batches::<T>(source.kept.len(), trials, settings.batch_mebibytes) {
        let mut block = Array2::<T>::zeros((rows.len(), batch.len()).f());
        source.read(&rows, batch, block.view_mut())?;
        means.extend(block.columns().into_iter().map(|column| {
            column.iter().map(|value| value.to_double()).sum::<f64>() / rows.len() as f64
        }));
        progress.check()?;
    }
    Ok(means)
}

fn feature_means<T: Real>(x: ArrayView2<'_, T>) -> Vec<f64> {
    let rows = x.nrows() as f64;
    x.columns()
        .into_iter()
        .map(|column| column.iter().map(|value| value.to_double()).sum::<f64>() / rows)
        .collect()
}

fn warn_of_edges<T: Real>(
    model: &Model<T>,
    settings: &EncodingSettings,
    targets: usize,
    warnings: &mut Vec<String>,
) {
    let Some([low, high]) = model.at_grid_edges(settings) else {
        return;
    };
    let remark = " (a target that the features do not predict wants it however large it is)";
    for ((count, alpha), which, remark) in [(low, "smallest", ""), (high, "largest", remark)] {
        if count > 0 {
            warnings.push(format!(
                "{count} of {targets} targets chose the {which} penalty of the grid, {alpha:e}: the best may \
                 lie beyond it; widen the grid of alphas{remark}."
            ));
        }
    }
}

impl<T: Real> FittedEncoding<T> {
    /// Predictions (rows x kept targets) of new samples, whose features (delayed copies too) are joined in the
    /// order of the fit.
    ///
    /// # Errors
    /// [`Error::Shape`] where the features are not those that were fitted, [`Error::NotFinite`].
    pub fn predict(&self, features: ArrayView2<'_, T>) -> Result<Array2<T>> {
        let expected = self.feature_means.len();
        if features.ncols() != expected {
            return Err(Error::Shape {
                operation: "encoding",
                what: "the features".to_string(),
                axis: "features",
                found: features.ncols(),
                expected: expected.to_string(),
            });
        }
        self.predictor(features.to_owned())?
            .joint(0..self.kept.len())
    }

    pub(super) fn predictor(&self, x: Array2<T>) -> Result<Predictor<'_, T>> {
        let spaces = self.spaces.iter().map(|(_, range)| range.clone()).collect();
        Predictor::new(&self.model, x, spaces, &self.training_means)
    }

    /// Weights of some kept targets (features x targets) with their intercepts, for features as they come;
    /// `None` where the method has none.
    ///
    /// # Errors
    /// [`Error::Shape`] where the range goes beyond the kept targets.
    pub fn weights(&self, targets: Range<usize>) -> Result<Option<(Array2<T>, Vec<f64>)>> {
        if targets.end > self.kept.len() || targets.start > targets.end {
            return Err(Error::Shape {
                operation: "encoding",
                what: "the range of targets".to_string(),
                axis: "targets",
                found: targets.end,
                expected: format!("at most {}, and not below the start", self.kept.len()),
            });
        }
        let Some(weights) = self.model.weights(targets.clone())? else {
            return Ok(None);
        };
        // Every method's prediction at the mean of the training features is the mean of the responses.
        let intercepts = targets.zip(weights.columns()).map(|(target, column)| {
            let pairs = column.iter().zip(&self.feature_means);
            let there: f64 = pairs.map(|(weight, mean)| weight.to_double() * mean).sum();
            self.training_means[target] - there
        });
        let intercepts = intercepts.collect();
        Ok(Some((weights, intercepts)))
    }

    /// The names of the feature spaces and where their features stand among the joined ones.
    pub fn spaces(&self) -> &[(String, Range<usize>)] {
        &self.spaces
    }

    /// The settings of the fit, with the ceiling that was taken.
    pub fn settings(&self) -> &EncodingSettings {
        &self.settings
    }

    /// How many trials each test unit averages.
    pub fn test_repeats(&self) -> Vec<usize> {
        self.test.counts()
    }

    /// The number of stimuli (with delays: of rows) that are scored.
    pub fn test_units(&self) -> usize {
        self.test.len()
    }
}
