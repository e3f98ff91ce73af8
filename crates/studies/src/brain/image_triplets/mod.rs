//! Image triplets that decouple low-level and high-level similarity (Piriyajitakonkij, Itthipuripat,
//! Ballard and Pappas 2024).
//!
//! Which of two images is more like a third? People answer by what images mean and by what they look
//! like, and the two go together: random triplets cannot tell them apart. The paper selects triplets in
//! which the differences of both similarities are set independently, and finds that a network with a
//! good high level explains choices by high-level similarity, one with a good low level choices by
//! low-level similarity. People's choices and the images are not public in a form we can fetch, so the
//! claims are tested on simulated images, networks, observers and areas whose truth is known; photographs
//! of faces and of other things show the selection on real images where they were fetched.
//!
//! As in the paper, triplets are selected by the high level of one network (A) and the low level of the
//! other (B), which read the images with some noise. The honest alternative is the same number of random
//! triplets.

mod evidence;
mod experiment;
mod layers;
mod measure;
mod photographs;

use chiasm_core::evidence::{Claim, DataUsed, Direction, Findings};
use chiasm_core::run::Scale;
use chiasm_core::{Error, Result as CoreResult};
use chiasm_numerics::similarity::triplets::TripletSettings;
use chiasm_sim::image_similarity::{
    AreaSettings, ImageSettings, LayeredNetwork, NetworkPair, Observers,
};
use serde::{Deserialize, Serialize};

use crate::{Context, Family, OpenChoice, Result, Settings, SettingsOf, Study};

const DECORRELATED: Claim = Claim {
    id: "decorrelated",
    statement: "In selected triplets, shown in random order, the differences of high and of low \
                similarity hardly correlate.",
    paper: "differences decorrelated by a 10 x 10 grid of bins; no number in the abstract",
    metric: "size of the correlation of both differences",
    direction: Direction::Less,
    margin: 0.1,
    baseline: "as many random triplets",
    control: "selected by a low similarity of shuffled images",
};

const DOUBLE_DISSOCIATION: Claim = Claim {
    id: "double-dissociation",
    statement: "With selected triplets the network of the better high level predicts choices by high \
                similarity better, and the network of the better low level those by low similarity, both \
                significantly.",
    paper: "CORnet-S outperforms VGG-16 for high-level similarity, VGG-16 CORnet-S for low-level \
            (abstract)",
    metric: "the smaller of both z of held-out log-likelihood, paired over triplets",
    direction: Direction::Greater,
    margin: 1.96,
    baseline: "as many random triplets",
    control: "observers who choose by coin",
};

const RANDOM_MISSES: Claim = Claim {
    id: "random-misses-it",
    statement: "As many random triplets do not show the double dissociation significantly.",
    paper: "random stimuli confound the two levels (abstract); no such comparison is reported",
    metric: "the smaller of both z, random triplets",
    direction: Direction::Less,
    margin: 1.96,
    baseline: "selected triplets",
    control: "random triplets of all images",
};

const MORE_POWER: Claim = Claim {
    id: "more-power",
    statement: "Selected triplets determine the weight of low similarity more exactly than as many random \
                ones.",
    paper: "decorrelated stimuli separate both effects (abstract); no number",
    metric: "standard error with random triplets over that with selected ones",
    direction: Direction::Greater,
    // Decorrelation alone gives 1 / sqrt(1 - 0.356²) = 1.07.
    margin: 1.05,
    baseline: "selected by high similarity alone",
    control: "random triplets against other random ones",
};

const WEIGHTS_RECOVERED: Claim = Claim {
    id: "weights-recovered",
    statement: "The choice model recovers the weights of single observers: estimates lie within two \
                standard errors of the truth.",
    paper: "no ground truth in the paper",
    metric: "share of weights within two standard errors (0.954 is nominal)",
    direction: Direction::Greater,
    margin: 0.9,
    baseline: "as many random triplets",
    control: "observers who choose by coin",
};

const LAYERS_TRACK: Claim = Claim {
    id: "layers-track-areas",
    statement: "The better a layer predicts an area of the brain, the better it predicts choices by the \
                level of similarity that the area holds.",
    paper: "behavioural prediction of layers qualitatively follows their Brain-Score (abstract)",
    metric: "Spearman correlation over layers, mean of a high and a low area",
    direction: Direction::Greater,
    margin: 0.0,
    baseline: "as many random triplets",
    control: "observers who choose by coin",
};

/// The settings of this study.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct TripletStudySettings {
    /// Sets of images with their experiments that one repetition is averaged over.
    pub(crate) experiments: usize,
    /// Observers whose weights are recovered, an experiment.
    pub(crate) recovered_observers: usize,
    /// How often each of them sees each triplet.
    pub(crate) recovery_repeats: usize,
    /// Folds of held-out triplets.
    pub(crate) folds: usize,
    /// Images of the recordings of areas.
    pub(crate) area_images: usize,
    /// The high area; in the low one the levels change places.
    pub(crate) area: AreaSettings,
    /// The images.
    pub(crate) images: ImageSettings,
    /// The selection.
    pub(crate) triplets: TripletSettings,
    /// Both networks.
    pub(crate) networks: NetworkPair,
    /// The network whose layers are compared with areas.
    pub(crate) layers: LayeredNetwork,
    /// The observers. Those who go by one level have only its weight.
    pub(crate) observers: Observers,
}

impl Settings for TripletStudySettings {
    fn at(scale: Scale) -> Self {
        let quick = TripletStudySettings {
            experiments: 4,
            recovered_observers: 100,
            recovery_repeats: 4,
            folds: 8,
            area_images: 200,
            area: AreaSettings::default(),
            images: ImageSettings::default(),
            triplets: TripletSettings {
                bins: 4,
                ..Default::default()
            },
            networks: NetworkPair::default(),
            layers: LayeredNetwork::default(),
            observers: Observers::default(),
        };
        match scale {
            Scale::Quick => quick,
            Scale::Standard => TripletStudySettings {
                experiments: 20,
                area_images: 500,
                ..quick
            },
            // The authors search about 26 000 images for a grid of 10 x 10.
            Scale::Paper => TripletStudySettings {
                experiments: 1,
                area_images: 1000,
                images: ImageSettings {
                    images: 10_000,
                    ..Default::default()
                },
                triplets: TripletSettings::default(),
                ..quick
            },
        }
    }

    fn check(&self) -> CoreResult<()> {
        for (name, value, least) in [
            ("experiments", self.experiments, 1),
            ("recovered_observers", self.recovered_observers, 1),
            ("recovery_repeats", self.recovery_repeats, 1),
            ("folds", self.folds, 2),
            ("area_images", self.area_images, 4),
        ] {
            if value < least {
                return Err(Error::setting(name, value, format!("at least {least}")));
            }
        }
        if self.area_images > self.images.images {
            let allowed = format!("at most images.images = {}", self.images.images);
            return Err(Error::setting("area_images", self.area_images, allowed));
        }
        self.images.check()?;
        self.triplets.check()?;
        self.networks.check()?;
        self.layers.check()?;
        self.observers.check()
    }
}

/// The study.
pub(crate) static STUDY: Study = Study::new(Study {
    number: 36,
    slug: "image-triplets",
    title: "Image triplets that decouple low-level and high-level similarity",
    family: Family::Brain,
    citation: "Piriyajitakonkij, Itthipuripat, Ballard and Pappas. What Makes a Face Look like a Hat: \
               Decoupling Low-level and High-level Visual Properties with Image Triplets. ECCV 2024 \
               workshop.",
    summary: "Triplets of 1000 simulated images are selected so that differences of high and of low \
              similarity are set independently. Simulated observers say which of two images is more like \
              a third; a choice model with the similarities of two candidate networks predicts held-out \
              triplets, with selected and with as many random ones. Photographs of faces and other things \
              show the selection on real images where they were fetched.",
    scaled_down: "1000 simulated images in 20 categories instead of about 26 000 photographs, 4 x 4 bins \
                  instead of 10 x 10, simulated observers, networks and areas.",
    data: "",
    claims: &[
        DECORRELATED,
        DOUBLE_DISSOCIATION,
        RANDOM_MISSES,
        MORE_POWER,
        WEIGHTS_RECOVERED,
        LAYERS_TRACK,
    ],
    choices: &[
        OpenChoice {
            setting: "images.high_dimensions",
            what: "dimensions of the simulated levels: with 32 each, differences correlate by about 0.36",
        },
        OpenChoice {
            setting: "triplets.signs",
            what: "the sign of the low difference: balanced over triplets, or by coin as in the authors' \
                   program",
        },
        OpenChoice {
            setting: "observers",
            what: "how many observers there are and how strongly they go by a similarity",
        },
        OpenChoice {
            setting: "networks",
            what: "how noisily the candidate networks read each level",
        },
        OpenChoice {
            setting: "layers",
            what: "layers between the two levels; neural predictivity is the Spearman correlation of \
                   dissimilarities of layer and area, not a regression",
        },
    ],
    settings: SettingsOf::of::<TripletStudySettings>(),
    run,
});

fn run(context: &Context) -> Result<Findings> {
    let settings: TripletStudySettings = context.settings()?;
    let seeds = context.each_seed("experiments", |run| {
        Ok(measure::measure(&settings, run.seed, run.progress)?)
    })?;
    let mut findings = Findings::new();
    evidence::claims(&mut findings, &seeds)?;
    evidence::illustrate(&mut findings, &settings, &seeds)?;
    for name in ["images of two levels", "observers of triplets"] {
        findings.data(DataUsed::simulated(name));
    }
    photographs::examine(&settings, &mut findings, context.progress())?;
    Ok(findings)
}

#[cfg(test)]
mod tests;
