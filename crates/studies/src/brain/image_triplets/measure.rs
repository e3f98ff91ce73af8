//! What one repetition measures.

use chiasm_brain::choice_model::{
    ChoiceModelSettings, HeldOut, Lapse, fit_choice_model, held_out, paired_z,
};
use chiasm_core::metrics::interval::mean;
use chiasm_core::{Progress, Result, Seed};
use chiasm_numerics::similarity::triplets::{
    BinCoverage, Triplet, difference_correlation, feature_differences, reused_images,
};
use chiasm_sim::image_similarity::Observers;
use serde::{Deserialize, Serialize};

use super::TripletStudySettings;
use super::experiment::{Experiment, Session};
use super::layers::{LayerScores, layers};

/// A number with selected triplets, with random ones, and under a control.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub(super) struct Trio {
    pub(super) selected: f64,
    pub(super) random: f64,
    pub(super) control: f64,
}

/// Both comparisons of networks with one set of triplets, as z.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub(super) struct Dissociation {
    /// A against B on choices by high similarity.
    pub(super) high: f64,
    /// B against A on choices by low similarity.
    pub(super) low: f64,
    /// Held-out log-likelihood of A then B on choices by high similarity, then by low similarity.
    pub(super) log_likelihoods: [f64; 4],
    /// The same as areas under the curve.
    pub(super) areas_under_curve: [f64; 4],
}

impl Dissociation {
    pub(super) fn smaller(&self) -> f64 {
        self.high.min(self.low)
    }
}

/// The means over the experiments of one seed.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct TripletSeed {
    /// Sizes of correlations of differences; the control is selected by shuffled images.
    pub(super) correlation: Trio,
    /// Triplets an experiment has, by selection; their share of those wanted; images used twice.
    pub(super) triplets: f64,
    pub(super) yield_share: f64,
    pub(super) reused: usize,
    /// With selected triplets, random ones, observers by coin, and random triplets of all images.
    pub(super) selected: Vec<Dissociation>,
    pub(super) random: Vec<Dissociation>,
    pub(super) coin: Vec<Dissociation>,
    pub(super) all_random: Vec<Dissociation>,
    /// Standard errors of the low weight with random triplets, over those with: selected ones; ones
    /// selected by high similarity alone; other random ones.
    pub(super) power: Trio,
    /// Shares of weights within two standard errors.
    pub(super) recovered: Trio,
    pub(super) layers: Vec<LayerScores>,
    /// The first experiment's differences and coverage, for the figures.
    pub(super) first_selected: Vec<[f64; 2]>,
    pub(super) first_random: Vec<[f64; 2]>,
    pub(super) coverage: Vec<BinCoverage>,
}

const LEVELS: [&str; 2] = ["high difference", "low difference"];

pub(super) fn measure(
    settings: &TripletStudySettings,
    seed: Seed,
    progress: &Progress,
) -> Result<TripletSeed> {
    let seed = seed.named("image triplets");
    let mut all = TripletSeed {
        correlation: Trio::default(),
        triplets: 0.0,
        yield_share: 0.0,
        reused: 0,
        selected: Vec::new(),
        random: Vec::new(),
        coin: Vec::new(),
        all_random: Vec::new(),
        power: Trio::default(),
        recovered: Trio::default(),
        layers: Vec::new(),
        first_selected: Vec::new(),
        first_random: Vec::new(),
        coverage: Vec::new(),
    };
    let share = 1.0 / settings.experiments as f64;
    progress.begin("experiments", settings.experiments as u64);
    for number in 0..settings.experiments {
        let seed = seed.indexed(number as u64);
        let experiment = Experiment::new(settings, seed, &progress.quiet())?;
        let selected = &experiment.selected.triplets;
        let size = |triplets: &[Triplet]| difference_correlation(triplets).map_or(0.0, f64::abs);
        add(
            &mut all.correlation,
            share,
            [
                size(selected),
                size(&experiment.random),
                size(&experiment.mislabelled),
            ],
        );
        all.triplets += share * selected.len() as f64;
        all.yield_share += share * experiment.selected.yield_share();
        all.reused += reused_images(selected);
        let dissociate = |triplets: &[Triplet], observers: &Observers, name: &str| {
            dissociation(settings, &experiment, triplets, observers, seed.named(name))
        };
        all.selected
            .push(dissociate(selected, &settings.observers, "selected")?);
        all.random.push(dissociate(
            &experiment.random,
            &settings.observers,
            "random",
        )?);
        all.all_random.push(dissociate(
            &experiment.all_random,
            &settings.observers,
            "all random",
        )?);
        let coin = Observers {
            high_weight: 0.0,
            low_weight: 0.0,
            ..settings.observers
        };
        all.coin.push(dissociate(selected, &coin, "coin")?);
        let error = |triplets: &[Triplet], name: &str| {
            low_error(
                settings,
                &experiment,
                triplets,
                seed.named("power").named(name),
            )
        };
        let plain = error(&experiment.random, "random")?;
        add(
            &mut all.power,
            share,
            [
                plain / error(selected, "selected")?,
                plain / error(&experiment.mislabelled, "mislabelled")?,
                plain / error(&experiment.other_random, "other random")?,
            ],
        );
        let recover = |triplets: &[Triplet], observers: &Observers, name: &str| {
            recovered(settings, &experiment, triplets, observers, seed.named(name))
        };
        add(
            &mut all.recovered,
            share,
            [
                recover(selected, &settings.observers, "recovered")?,
                recover(&experiment.random, &settings.observers, "recovered, random")?,
                recover(selected, &coin, "recovered, coin")?,
            ],
        );
        all.layers
            .push(layers(settings, &experiment, &coin, seed.named("layers"))?);
        if number == 0 {
            let points = |triplets: &[Triplet]| {
                let point = |one: &Triplet| [one.high_difference, one.low_difference];
                triplets.iter().map(point).collect()
            };
            all.first_selected = points(selected);
            all.first_random = points(&experiment.random);
            all.coverage.clone_from(&experiment.selected.coverage);
        }
        progress.advance(1)?;
    }
    progress.end();
    Ok(all)
}

fn add(sum: &mut Trio, share: f64, [selected, random, control]: [f64; 3]) {
    sum.selected += share * selected;
    sum.random += share * random;
    sum.control += share * control;
}

/// Observers who go by one level only: the other weight is 0.
pub(super) fn going_by(observers: &Observers, level: usize) -> Observers {
    let mut own = *observers;
    if level == 0 {
        own.low_weight = 0.0;
    } else {
        own.high_weight = 0.0;
    }
    own
}

/// The model that a study fits: the lapse rate is known to be that of the observers.
pub(super) fn model(observers: &Observers) -> ChoiceModelSettings {
    ChoiceModelSettings {
        side_bias: true,
        lapse: Lapse::Fixed(observers.lapse.min(0.5)),
    }
}

fn dissociation(
    settings: &TripletStudySettings,
    experiment: &Experiment,
    triplets: &[Triplet],
    observers: &Observers,
    seed: Seed,
) -> Result<Dissociation> {
    let truth = experiment.truth(triplets)?;
    let mut of_network = Vec::with_capacity(2);
    for [high, low] in &experiment.networks {
        of_network.push([
            feature_differences(high.view(), triplets)?,
            feature_differences(low.view(), triplets)?,
        ]);
    }
    let mut found = Dissociation::default();
    for level in 0..2 {
        let observers = going_by(observers, level);
        let session = Session::of(
            &observers,
            &truth,
            seed.named("choices").indexed(level as u64),
        )?;
        let mut predictions: Vec<HeldOut> = Vec::with_capacity(2);
        for columns in &of_network {
            predictions.push(held_out(
                session.predictors(columns).view(),
                &LEVELS,
                &session.chose_b,
                &session.triplet,
                settings.folds,
                &model(&observers),
                seed.named("folds"),
            )?);
        }
        for network in 0..2 {
            let place = 2 * level + network;
            found.log_likelihoods[place] = predictions[network].log_likelihood;
            found.areas_under_curve[place] = predictions[network].area_under_curve;
        }
        let z = paired_z(&predictions[level], &predictions[1 - level])?;
        if level == 0 {
            found.high = z;
        } else {
            found.low = z;
        }
    }
    Ok(found)
}

/// The standard error of the weight of the low difference, all observers together.
fn low_error(
    settings: &TripletStudySettings,
    experiment: &Experiment,
    triplets: &[Triplet],
    seed: Seed,
) -> Result<f64> {
    let truth = experiment.truth(triplets)?;
    let session = Session::of(&settings.observers, &truth, seed)?;
    let columns: Vec<Vec<f64>> = (0..2)
        .map(|k| truth.iter().map(|d| d[k]).collect())
        .collect();
    let fit = fit_choice_model(
        session.predictors(&columns).view(),
        &LEVELS,
        &session.chose_b,
        &model(&settings.observers),
    )?;
    Ok(fit.weights[1].standard_error.unwrap_or(f64::INFINITY))
}

/// The share of observers' weights that lie within two standard errors of `settings.observers`; the
/// choices are those of `observers`.
fn recovered(
    settings: &TripletStudySettings,
    experiment: &Experiment,
    triplets: &[Triplet],
    observers: &Observers,
    seed: Seed,
) -> Result<f64> {
    let truth = experiment
        .truth(triplets)?
        .repeat(settings.recovery_repeats);
    let columns: Vec<Vec<f64>> = (0..2)
        .map(|k| truth.iter().map(|d| d[k]).collect())
        .collect();
    let wanted = [
        settings.observers.high_weight,
        settings.observers.low_weight,
    ];
    let mut within = Vec::new();
    for observer in 0..settings.recovered_observers {
        let one = Observers {
            count: 1,
            ..*observers
        };
        let session = Session::of(&one, &truth, seed.indexed(observer as u64))?;
        let predictors = session.predictors(&columns);
        let fit = fit_choice_model(
            predictors.view(),
            &LEVELS,
            &session.chose_b,
            &model(observers),
        )?;
        for (weight, wanted) in fit.weights.iter().zip(wanted) {
            let error = weight.standard_error.unwrap_or(0.0);
            within.push(f64::from(u8::from(
                (weight.value - wanted).abs() <= 2.0 * error,
            )));
        }
    }
    Ok(mean(&within))
}
