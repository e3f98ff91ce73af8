//! The regressions behind an encoding model, told apart in one place.

use std::ops::Range;

use chiasm_core::{Progress, Result, Seed};
use chiasm_numerics::regression::{
    BandedFit, BandedSettings, PlsFit, Real, ResponseSource, RidgeFit, fit_banded_ridge, fit_pls,
    fit_ridge,
};
use chiasm_numerics::splits::Split;
use ndarray::{Array2, ArrayView2, s};

use super::settings::{EncodingMethod, EncodingSettings};

/// A fitted regression.
#[derive(Clone, Debug)]
pub(super) enum Model<T> {
    Ridge(RidgeFit<T>),
    Banded(BandedFit<T>),
    Pls(PlsFit),
    /// Predicts the training mean, which every encoding model keeps anyway.
    Mean,
}

impl<T: Real> Model<T> {
    /// Fits joined features `x`, of which `spaces` are the feature spaces.
    pub(super) fn fit<S: ResponseSource<T>>(
        x: ArrayView2<'_, T>,
        spaces: &[Range<usize>],
        responses: &S,
        folds: &[Split],
        settings: &EncodingSettings,
        seed: &Seed,
        progress: &Progress,
    ) -> Result<Self> {
        let ridge = settings.ridge();
        Ok(match settings.method {
            EncodingMethod::Mean => Model::Mean,
            EncodingMethod::Ridge => {
                Model::Ridge(fit_ridge(x, responses, folds, &ridge, progress)?)
            }
            EncodingMethod::Banded => {
                let banded = BandedSettings {
                    candidates: settings.mixtures,
                    ridge,
                    ..BandedSettings::default()
                };
                let bands = views(x, spaces);
                let seed = seed.named("mixtures");
                Model::Banded(fit_banded_ridge(
                    &bands, responses, folds, &banded, seed, progress,
                )?)
            }
            EncodingMethod::Pls => {
                Model::Pls(fit_pls(x, responses, settings.components, progress)?)
            }
        })
    }

    /// Each target's penalty; one list a band, none where there are no penalties.
    pub(super) fn alphas(&self) -> Vec<Vec<f64>> {
        match self {
            Model::Ridge(fit) => vec![fit.alphas.clone()],
            Model::Banded(fit) => {
                let bands = fit.band_alphas();
                bands.rows().into_iter().map(|band| band.to_vec()).collect()
            }
            Model::Pls(_) | Model::Mean => Vec::new(),
        }
    }

    /// How many targets chose the smallest and the largest penalty of the grid, with both penalties; `None` without a
    /// choice.
    pub(super) fn at_grid_edges(&self, settings: &EncodingSettings) -> Option<[(usize, f64); 2]> {
        let chosen = match self {
            Model::Ridge(fit) => &fit.alphas,
            Model::Banded(fit) => &fit.alphas,
            Model::Pls(_) | Model::Mean => return None,
        };
        let (low, high) = settings
            .alphas
            .iter()
            .fold((f64::INFINITY, 0.0_f64), |(low, high), &alpha| {
                (low.min(alpha), high.max(alpha))
            });
        if !(low < high) {
            return None;
        }
        let count = |edge: f64| chosen.iter().filter(|alpha| **alpha == edge).count();
        Some([(count(low), low), (count(high), high)])
    }

    /// Weights (features x targets) for features as they come; `None` where there are none.
    pub(super) fn weights(&self, targets: Range<usize>) -> Result<Option<Array2<T>>> {
        Ok(match self {
            Model::Ridge(fit) => Some(fit.weights_of(targets)?),
            Model::Banded(fit) => Some(fit.weights()?.slice(s![.., targets]).to_owned()),
            Model::Pls(fit) => {
                let weights = fit.weights(fit.components());
                let own = weights.slice(s![.., targets]);
                Some(own.mapv(T::from_double))
            }
            Model::Mean => None,
        })
    }
}

/// Predictions of a model for some rows, a range of targets at a time.
pub(super) struct Predictor<'a, T> {
    model: &'a Model<T>,
    /// Joined features.
    x: Array2<T>,
    spaces: Vec<Range<usize>>,
    training_means: &'a [f64],
    /// Joint predictions and those of each space, where the model only gives all targets at once.
    whole: Option<(Array2<T>, Vec<Array2<T>>)>,
}

impl<'a, T: Real> Predictor<'a, T> {
    pub(super) fn new(
        model: &'a Model<T>,
        x: Array2<T>,
        spaces: Vec<Range<usize>>,
        training_means: &'a [f64],
    ) -> Result<Self> {
        let whole = match model {
            Model::Banded(fit) => {
                let parts = fit.predict_bands(&views(x.view(), &spaces))?;
                let mut joint = Array2::zeros((x.nrows(), training_means.len()));
                for (target, mut column) in joint.columns_mut().into_iter().enumerate() {
                    column.fill(T::from_double(training_means[target]));
                }
                parts.iter().for_each(|part| joint += part);
                Some((joint, parts))
            }
            Model::Pls(fit) => Some((fit.predict(x.view())?, Vec::new())),
            Model::Ridge(_) | Model::Mean => None,
        };
        Ok(Predictor {
            model,
            x,
            spaces,
            training_means,
            whole,
        })
    }

    /// Rows x targets.
    pub(super) fn joint(&self, targets: Range<usize>) -> Result<Array2<T>> {
        if let Some((joint, _)) = &self.whole {
            return Ok(joint.slice(s![.., targets]).to_owned());
        }
        match self.model {
            Model::Ridge(fit) => fit.predict_targets(self.x.view(), targets),
            _ => {
                let means = &self.training_means[targets];
                let shape = (self.x.nrows(), means.len());
                Ok(Array2::from_shape_fn(shape, |(_, target)| {
                    T::from_double(means[target])
                }))
            }
        }
    }

    /// What each space adds, rows x targets, up to a constant; empty where the model has no weights.
    pub(super) fn parts(&self, targets: Range<usize>) -> Result<Vec<Array2<T>>> {
        if let Some((_, parts)) = &self.whole
            && !parts.is_empty()
        {
            let own = parts.iter();
            return Ok(own
                .map(|part| part.slice(s![.., targets.clone()]).to_owned())
                .collect());
        }
        let Some(weights) = self.model.weights(targets)? else {
            return Ok(Vec::new());
        };
        let parts = views(self.x.view(), &self.spaces).into_iter();
        Ok(parts
            .zip(&self.spaces)
            .map(|(x, space)| x.dot(&weights.slice(s![space.clone(), ..])))
            .collect())
    }
}

fn views<'x, T>(x: ArrayView2<'x, T>, spaces: &[Range<usize>]) -> Vec<ArrayView2<'x, T>> {
    spaces
        .iter()
        .map(|space| x.slice_move(s![.., space.clone()]))
        .collect()
}
