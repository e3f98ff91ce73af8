//! Layers of a network: how well each predicts areas, and how well it predicts choices.

use chiasm_brain::choice_model::held_out;
use chiasm_core::metrics::correlation::spearman;
use chiasm_core::{Result, Seed};
use chiasm_numerics::similarity::comparator::pairwise;
use chiasm_numerics::similarity::dissimilarity::rdm_of_patterns;
use chiasm_numerics::similarity::triplets::{Triplet, feature_differences};
use chiasm_numerics::similarity::{Comparator, Dissimilarity};
use chiasm_sim::image_similarity::{AreaSettings, Observers, area_responses};
use ndarray::{Array2, s};
use serde::{Deserialize, Serialize};

use super::TripletStudySettings;
use super::experiment::{Experiment, Session};
use super::measure::{going_by, model};

/// The layers of one network beside a high and a low area.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct LayerScores {
    /// Similarity of each layer with the high area, then with the low one.
    pub(super) predictivity: [Vec<f64>; 2],
    /// Held-out log-likelihood by each layer of choices by high similarity, then by low similarity.
    pub(super) behaviour: [Vec<f64>; 2],
    /// Spearman correlation of both over layers, mean of both areas: with selected triplets, random
    /// ones, and observers who choose by coin.
    pub(super) selected: f64,
    pub(super) random: f64,
    pub(super) coin: f64,
}

pub(super) fn layers(
    settings: &TripletStudySettings,
    experiment: &Experiment,
    coin: &Observers,
    seed: Seed,
) -> Result<LayerScores> {
    let layers = settings
        .layers
        .read(&experiment.images, seed.named("network"))?;
    let low_area = AreaSettings {
        high_share: 1.0 - settings.area.high_share,
        ..settings.area
    };
    let shown = |patterns: &Array2<f64>| {
        let patterns = patterns.slice(s![..settings.area_images, ..]);
        rdm_of_patterns("patterns", patterns, &Dissimilarity::Correlation.into())
    };
    let mut predictivity = [Vec::new(), Vec::new()];
    for (level, area) in [settings.area, low_area].iter().enumerate() {
        let responses = area_responses(
            &experiment.images,
            area,
            seed.named("area").indexed(level as u64),
        )?;
        let mut rdms = vec![shown(&responses)?];
        for layer in &layers {
            rdms.push(shown(layer)?);
        }
        let similarity = pairwise(&rdms, Comparator::Spearman)?;
        predictivity[level] = similarity.row(0).iter().skip(1).copied().collect();
    }
    let behaviour = |triplets: &[Triplet], observers: &Observers, name: &str| {
        behaviour(
            settings,
            experiment,
            &layers,
            triplets,
            observers,
            seed.named(name),
        )
    };
    let selected = behaviour(
        &experiment.selected.triplets,
        &settings.observers,
        "selected",
    )?;
    let random = behaviour(&experiment.random, &settings.observers, "random")?;
    let by_coin = behaviour(&experiment.selected.triplets, coin, "coin")?;
    let agreement = |own: &[Vec<f64>; 2]| -> Result<f64> {
        let high = spearman(&own[0], &predictivity[0])?;
        Ok(f64::midpoint(high, spearman(&own[1], &predictivity[1])?))
    };
    Ok(LayerScores {
        selected: agreement(&selected)?,
        random: agreement(&random)?,
        coin: agreement(&by_coin)?,
        predictivity,
        behaviour: selected,
    })
}

/// Held-out log-likelihood by the difference of each layer, for choices by each level.
fn behaviour(
    settings: &TripletStudySettings,
    experiment: &Experiment,
    layers: &[Array2<f64>],
    triplets: &[Triplet],
    observers: &Observers,
    seed: Seed,
) -> Result<[Vec<f64>; 2]> {
    let truth = experiment.truth(triplets)?;
    let mut scores = [Vec::new(), Vec::new()];
    for (level, scores) in scores.iter_mut().enumerate() {
        let observers = going_by(observers, level);
        let session = Session::of(&observers, &truth, seed.indexed(level as u64))?;
        for layer in layers {
            let difference = vec![feature_differences(layer.view(), triplets)?];
            let prediction = held_out(
                session.predictors(&difference).view(),
                &["difference in the layer"],
                &session.chose_b,
                &session.triplet,
                settings.folds,
                &model(&observers),
                seed.named("folds"),
            )?;
            scores.push(prediction.log_likelihood);
        }
    }
    Ok(scores)
}
