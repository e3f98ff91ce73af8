//! One set of images with the triplets that an experiment shows.

use chiasm_core::{Error, Progress, Result, Seed};
use chiasm_numerics::similarity::triplets::{
    Similarity, Triplet, TripletSelection, feature_differences, random_triplets, select_triplets,
};
use chiasm_sim::image_similarity::{Images, Layer, Observers};
use ndarray::Array2;
use rand::seq::SliceRandom;

use super::TripletStudySettings;

/// Images, how two networks read them, and the triplets selected by what they read.
pub(super) struct Experiment {
    pub(super) images: Images,
    /// High and low layer of A, then of B.
    pub(super) networks: [[Layer; 2]; 2],
    pub(super) selected: TripletSelection,
    /// As many random triplets.
    pub(super) random: Vec<Triplet>,
    /// As many others.
    pub(super) other_random: Vec<Triplet>,
    /// As many as the images make.
    pub(super) all_random: Vec<Triplet>,
    /// Selected as the others are, but by a low similarity of shuffled images, with the differences that
    /// they really have.
    pub(super) mislabelled: Vec<Triplet>,
}

impl Experiment {
    pub(super) fn new(
        settings: &TripletStudySettings,
        seed: Seed,
        progress: &Progress,
    ) -> Result<Self> {
        let images = settings.images.simulate(seed.named("images"))?;
        let networks = settings.networks.read(&images, seed.named("networks"))?;
        let high = Similarity::of_features("high layer of A", networks[0][0].view())?;
        let low = Similarity::of_features("low layer of B", networks[1][1].view())?;
        let select = |low: &Similarity, name: &str| {
            select_triplets(&high, low, &settings.triplets, seed.named(name), progress)
        };
        let selected = select(&low, "selection")?;
        let count = selected.triplets.len();
        if count < settings.folds {
            return Err(Error::TooFew {
                operation: "image triplets",
                what: "selected triplets (one a fold); more images or a larger tolerance gives more",
                found: count,
                needed: settings.folds,
            });
        }
        let random =
            |name: &str, count: usize| random_triplets(&high, &low, count, seed.named(name));
        let mut order: Vec<usize> = (0..high.images()).collect();
        order.shuffle(&mut seed.named("shuffled images").rng());
        let mislabelled = select(&low.reordered(&order)?, "mislabelled")?.triplets;
        Ok(Experiment {
            random: random("random", count)?,
            other_random: random("other random", count)?,
            all_random: random("all random", high.images() / 3)?,
            mislabelled: mislabelled
                .iter()
                .map(|triplet| Triplet::of(&high, &low, triplet.images()))
                .collect(),
            selected,
            images,
            networks,
        })
    }

    /// True high and low differences of triplets, by the images' own vectors: what observers go by.
    pub(super) fn truth(&self, triplets: &[Triplet]) -> Result<Vec<[f64; 2]>> {
        let high = feature_differences(self.images.high.view(), triplets)?;
        let low = feature_differences(self.images.low.view(), triplets)?;
        Ok(high
            .into_iter()
            .zip(low)
            .map(|(high, low)| [high, low])
            .collect())
    }
}

/// Choices of all observers in one column of trials: triplet by triplet within each observer.
pub(super) struct Session {
    pub(super) chose_b: Vec<bool>,
    /// The triplet of each trial.
    pub(super) triplet: Vec<usize>,
}

impl Session {
    pub(super) fn of(observers: &Observers, truth: &[[f64; 2]], seed: Seed) -> Result<Self> {
        let choices = observers.choose(truth, seed)?;
        Ok(Session {
            chose_b: choices.concat(),
            triplet: (0..observers.count).flat_map(|_| 0..truth.len()).collect(),
        })
    }

    /// Predictors of every trial from predictors of every triplet.
    pub(super) fn predictors(&self, columns: &[Vec<f64>]) -> Array2<f64> {
        Array2::from_shape_fn((self.triplet.len(), columns.len()), |(trial, column)| {
            columns[column][self.triplet[trial]]
        })
    }
}
