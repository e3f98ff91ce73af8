//! Topology and geometry of neural representations (Lin and Kriegeskorte 2024).
//!
//! A dissimilarity matrix holds geometry and topology. The paper asks how much of the geometry can be
//! thrown away, by cutting ranked dissimilarities at two quantiles (l, u), before one can no longer tell
//! which layer of a network, or which region of a brain, the matrix came from. We ask it of
//! all-convolutional networks trained on MNIST digits from different starts, of random networks that share
//! part of their weights, of simulated cortical regions, and of point clouds in the shape of an eight.
//!
//! The honest baseline is the plain rank RDM, (l, u) = (0, 1): ranking alone already removes whatever a
//! subject's own monotone distortion does. The pair (l, u) is always chosen on other instances than the
//! one it is tested on.

mod evidence;
mod measure;
mod networks;

use chiasm_core::evidence::{Claim, DataUsed, Direction, Findings, Measured};
use chiasm_core::run::Scale;
use chiasm_core::{Error, Result as CoreResult};
use chiasm_sim::representations::{CorticalRegions, DeepNetworks, DistortionRange, ShapeSettings};
use serde::{Deserialize, Serialize};

use crate::{Context, Family, OpenChoice, Result, Settings, SettingsOf, Study};
use measure::{Setup, measure};

/// Summaries at least this good against the rank RDM keep its sensitivity.
const KEPT_SHARE: f64 = 0.9;

const SENSITIVITY_KEPT: Claim = Claim {
    id: "sensitivity-kept",
    statement: "Cutting the rank RDM at two quantiles keeps at least 90% of what it knows about the \
                layer of a network trained on digits.",
    paper: "summaries that focus on topology keep the sensitivity of geometry (abstract)",
    metric: "accuracy above chance, less 0.9 times that of the rank RDM",
    direction: Direction::Greater,
    margin: 0.0,
    baseline: "z-scored RDM",
    control: "layers shuffled within each network",
};

const ROBUST_TO_DISTORTION: Claim = Claim {
    id: "robust-to-distortion",
    statement: "Where every network's dissimilarities are distorted in their own monotone way, the \
                geo-topological RDM identifies layers better than the raw one.",
    paper: "robust to noise and to differences between individuals (abstract); no number for this \
            distortion",
    metric: "accuracy minus that of the raw RDM",
    direction: Direction::Greater,
    margin: 0.12,
    baseline: "plain rank RDM",
    control: "layers shuffled within each network",
};

const ROBUST_IN_REGIONS: Claim = Claim {
    id: "robust-in-regions",
    statement: "The same holds for cortical regions measured in subjects with distortions of their own.",
    paper: "regions of human visual cortex are told apart across subjects; no number for this distortion",
    metric: "accuracy minus that of the raw RDM",
    direction: Direction::Greater,
    margin: 0.05,
    baseline: "plain rank RDM",
    control: "regions shuffled within each subject",
};

const BETTER_THAN_RANKS: Claim = Claim {
    id: "better-than-ranks",
    statement: "Cutting improves on ranking alone.",
    paper: "intermediate (l, u) are among the best summaries; the gain over ranks is small",
    metric: "accuracy minus that of the plain rank RDM, distorted networks",
    direction: Direction::Greater,
    margin: 0.0,
    baseline: "z-scored RDM",
    control: "layers shuffled within each network",
};

const TOPOLOGY_SEEN: Claim = Claim {
    id: "topology-seen",
    statement: "Of local structure, GT(0, 0.075), a flat figure-eight is more like a folded one of the \
                same topology than like a broken one of nearly the same geometry.",
    paper: "the family moves from geometry to topology as l and u close (definition)",
    metric: "correlation with the folded eight minus that with the broken one",
    direction: Direction::Greater,
    margin: 0.02,
    baseline: "plain rank RDM",
    control: "points of the folded and the broken eight shuffled",
};

/// The settings of this study.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct TrsaSettings {
    /// Networks trained on digits.
    pub(crate) digit_networks: usize,
    /// Digits each is trained on.
    pub(crate) training_digits: usize,
    /// Passes over them.
    pub(crate) epochs: usize,
    /// Digits of each class that are stimuli; none of them is trained on.
    pub(crate) stimuli_per_digit: usize,
    /// Noise added to what is measured in digit networks, in standard deviations of a layer.
    pub(crate) digit_noise: f64,
    /// Steps of the grid of (l, u).
    pub(crate) grid_steps: usize,
    /// Sets of digits shown to the digit networks, over which one repetition is averaged.
    pub(crate) stimulus_sets: usize,
    /// Sets of random networks and of regions that one repetition is averaged over.
    pub(crate) worlds: usize,
    /// Bootstrap draws of the intervals in the table.
    pub(crate) bootstrap_draws: usize,
    /// Pairs of eights per repetition.
    pub(crate) shape_draws: usize,
    /// Noise levels of the curve over noise.
    pub(crate) noise_levels: Vec<f64>,
    /// Random networks that share part of their weights.
    pub(crate) random_networks: DeepNetworks,
    /// Cortical regions.
    pub(crate) regions: CorticalRegions,
    /// Each instance's own monotone distortion.
    pub(crate) distortion: DistortionRange,
    /// Figure-eights.
    pub(crate) shapes: ShapeSettings,
}

impl Settings for TrsaSettings {
    fn at(scale: Scale) -> Self {
        let quick = TrsaSettings {
            digit_networks: 6,
            training_digits: 1500,
            epochs: 3,
            stimuli_per_digit: 6,
            digit_noise: 2.0,
            grid_steps: 10,
            stimulus_sets: 5,
            worlds: 6,
            bootstrap_draws: 200,
            shape_draws: 40,
            noise_levels: vec![0.0, 1.0, 2.0],
            random_networks: DeepNetworks {
                noise: 1.0,
                ..Default::default()
            },
            regions: CorticalRegions {
                subjects: 12,
                ..Default::default()
            },
            distortion: DistortionRange::default(),
            shapes: ShapeSettings::default(),
        };
        match scale {
            Scale::Quick => quick,
            Scale::Standard => TrsaSettings {
                digit_networks: 10,
                training_digits: 4000,
                epochs: 4,
                worlds: 20,
                bootstrap_draws: 1000,
                noise_levels: vec![0.0, 0.5, 1.0, 1.5, 2.0],
                regions: CorticalRegions::default(),
                ..quick
            },
            Scale::Paper => TrsaSettings {
                digit_networks: 10,
                training_digits: 4500,
                epochs: 20,
                grid_steps: 20,
                bootstrap_draws: 1000,
                noise_levels: (0..=9).map(|step| f64::from(step) / 10.0).collect(),
                regions: CorticalRegions::default(),
                ..quick
            },
        }
    }

    fn check(&self) -> CoreResult<()> {
        let at_least = |name: &str, value: usize, least: usize| {
            if value < least {
                return Err(Error::setting(name, value, format!("at least {least}")));
            }
            Ok(())
        };
        at_least("digit_networks", self.digit_networks, 3)?;
        at_least("training_digits", self.training_digits, 10)?;
        at_least("grid_steps", self.grid_steps, 2)?;
        at_least("bootstrap_draws", self.bootstrap_draws, 2)?;
        at_least("shape_draws", self.shape_draws, 1)?;
        at_least("stimulus_sets", self.stimulus_sets, 1)?;
        at_least("worlds", self.worlds, 1)?;
        at_least(
            "random_networks.instances",
            self.random_networks.instances,
            3,
        )?;
        at_least("regions.subjects", self.regions.subjects, 3)?;
        let most = networks::MOST_TRAINING_DIGITS;
        if self.training_digits > most {
            let allowed = format!("at most {most}; the others are stimuli");
            return Err(Error::setting(
                "training_digits",
                self.training_digits,
                allowed,
            ));
        }
        let most = networks::HELD_OUT_PER_DIGIT / self.stimulus_sets;
        if !(1..=most).contains(&self.stimuli_per_digit) {
            let allowed = format!("1 to {most} (for {} sets)", self.stimulus_sets);
            return Err(Error::setting(
                "stimuli_per_digit",
                self.stimuli_per_digit,
                allowed,
            ));
        }
        at_least("epochs", self.epochs, 1)?;
        at_least("noise_levels", self.noise_levels.len(), 1)?;
        for (name, noise) in std::iter::once(("digit_noise", self.digit_noise)).chain(
            self.noise_levels
                .iter()
                .map(|noise| ("noise_levels", *noise)),
        ) {
            if !(noise >= 0.0 && noise.is_finite()) {
                return Err(Error::setting(name, noise, "a number of at least 0"));
            }
        }
        self.random_networks.check()?;
        self.regions.check()?;
        self.distortion.check()?;
        self.shapes.check()
    }
}

/// The study.
pub(crate) static STUDY: Study = Study::new(Study {
    number: 26,
    slug: "trsa",
    title: "Topology and geometry of neural representations",
    family: Family::Brain,
    citation: "Baihan Lin, Nikolaus Kriegeskorte. The topology and geometry of neural representations. \
               PNAS 2024.",
    summary: "All-convolutional networks are trained on MNIST digits from different starts; random \
              networks, cortical regions and figure-eights are simulated. Summaries of their dissimilarity \
              matrices (raw, z-scored, ranked, geo-topological, geodesic) are judged by how well a \
              nearest-centroid classifier across instances tells layers or regions apart, with and without \
              each instance's own monotone distortion.",
    scaled_down: "MNIST digits and six convolutional layers (ten in the paper); 6 networks at quick (10 in \
                  the paper); human fMRI replaced by a simulation of 8 regions in 12 subjects \
                  (24 at standard).",
    data: "dissimilarity matrices of your own: one .npy, .npz or .safetensors array, instances x regions x \
           conditions x conditions, or condensed",
    claims: &[
        SENSITIVITY_KEPT,
        ROBUST_TO_DISTORTION,
        ROBUST_IN_REGIONS,
        BETTER_THAN_RANKS,
        TOPOLOGY_SEEN,
    ],
    choices: &[
        OpenChoice {
            setting: "random_networks",
            what: "dimensions and separation of the inputs of the random networks",
        },
        OpenChoice {
            setting: "digit_noise",
            what: "the unit of noise on activations: the standard deviation of a layer is taken",
        },
        OpenChoice {
            setting: "regions",
            what: "how regions differ and how noisy they are; set so that ranks identify about 7 in 10",
        },
    ],
    settings: SettingsOf::of::<TrsaSettings>(),
    run,
});

fn run(context: &Context) -> Result<Findings> {
    let settings: TrsaSettings = context.settings()?;
    let digits = chiasm_io::catalogue::load::mnist_5000()?;
    let setup = Setup {
        settings: &settings,
        digits: &digits,
        device: context.device(),
    };
    // The person's own files first: what is wrong with them should not come to light hours later.
    let mut of_files = Vec::new();
    for path in context.data() {
        context.progress().note("your own dissimilarity matrices");
        of_files.push(evidence::of_file(path, &settings, context.progress())?);
    }
    let seeds = context.each_seed("measure", |run| measure(&setup, &run))?;

    let mut findings = Findings::new();
    let kept = |item: &measure::Accuracies, summary: f64| {
        (summary - item.chance) - KEPT_SHARE * (item.rank - item.chance)
    };
    findings.measured(
        &SENSITIVITY_KEPT,
        seeds.iter().map(|seed| Measured {
            effect: kept(&seed.digits, seed.digits.nested),
            baseline: kept(&seed.digits, seed.digits.z_scored),
            control: kept(&seed.digits_shuffled, seed.digits_shuffled.nested),
        }),
    )?;
    let over_raw = |pick: fn(&measure::Seed) -> [&measure::Accuracies; 2]| {
        seeds
            .iter()
            .map(|seed| {
                let [item, shuffled] = pick(seed);
                Measured {
                    effect: item.nested - item.raw,
                    baseline: item.rank - item.raw,
                    control: shuffled.nested - shuffled.raw,
                }
            })
            .collect::<Vec<_>>()
    };
    findings.measured(
        &ROBUST_TO_DISTORTION,
        over_raw(|seed| [&seed.distorted, &seed.distorted_shuffled]),
    )?;
    findings.measured(
        &ROBUST_IN_REGIONS,
        over_raw(|seed| [&seed.regions, &seed.regions_shuffled]),
    )?;
    findings.measured(
        &BETTER_THAN_RANKS,
        seeds.iter().map(|seed| Measured {
            effect: seed.distorted.nested - seed.distorted.rank,
            baseline: seed.distorted.z_scored - seed.distorted.rank,
            control: seed.distorted_shuffled.nested - seed.distorted_shuffled.rank,
        }),
    )?;
    findings.measured(
        &TOPOLOGY_SEEN,
        seeds.iter().map(|seed| Measured {
            effect: seed.shapes.local,
            baseline: seed.shapes.full,
            control: seed.shapes.shuffled,
        }),
    )?;
    evidence::illustrate(&mut findings, &settings, &seeds)?;
    of_files.into_iter().for_each(|table| findings.table(table));
    findings.data(chiasm_io::catalogue::find("mnist-5000")?.used());
    for name in ["random networks", "cortical regions", "figure-eights"] {
        findings.data(DataUsed::simulated(name));
    }
    context.data_used().for_each(|data| findings.data(data));
    Ok(findings)
}

#[cfg(test)]
mod tests {
    use super::*;
    use chiasm_core::Progress;
    use chiasm_core::evidence::Verdict;
    use chiasm_core::run::{Device, RunConfig, RunFolder};

    fn small() -> TrsaSettings {
        let quick = TrsaSettings::at(Scale::Quick);
        TrsaSettings {
            digit_networks: 3,
            training_digits: 500,
            epochs: 3,
            stimuli_per_digit: 2,
            grid_steps: 4,
            stimulus_sets: 2,
            worlds: 4,
            bootstrap_draws: 10,
            shape_draws: 10,
            noise_levels: vec![1.0],
            random_networks: DeepNetworks {
                width: 50,
                ..quick.random_networks
            },
            regions: CorticalRegions {
                subjects: 6,
                voxels: 30,
                ..quick.regions
            },
            ..quick
        }
    }

    fn findings(settings: TrsaSettings) -> Findings {
        let place = tempfile::tempdir().unwrap();
        let config = RunConfig {
            study: STUDY.slug.to_string(),
            scale: Scale::Quick,
            seeds: vec![0, 1, 2],
            device: Device::Cpu,
            threads: 2,
            version: "test".to_string(),
            data: Vec::new(),
            settings: toml::Table::try_from(settings).unwrap(),
        };
        let folder = RunFolder::create(&place.path().join("trsa"), &config).unwrap();
        let findings = run(&Context::new(config, folder, Progress::silent())).unwrap();
        findings.check_against(STUDY.claims).unwrap();
        findings
    }

    #[test]
    fn nothing_holds_on_noise_alone() {
        let quiet = small();
        let noise = TrsaSettings {
            digit_noise: 1e6,
            noise_levels: vec![1e6],
            random_networks: DeepNetworks {
                noise: 1e6,
                ..quiet.random_networks
            },
            regions: CorticalRegions {
                noise: 1e6,
                ..quiet.regions
            },
            shapes: ShapeSettings {
                noise: 1e3,
                ..quiet.shapes
            },
            ..quiet
        };
        for claim in findings(noise).claims() {
            assert_ne!(
                claim.verdict,
                Verdict::Held,
                "{} {:?}",
                claim.id,
                claim.per_seed
            );
        }
    }

    #[test]
    fn distortion_and_topology_are_found_where_they_are() {
        let findings = findings(small());
        // Networks of a quarter of the width lose less to distortion than the claim's margin asks; the
        // loss must still be there, in every repetition.
        for (id, least) in [(ROBUST_TO_DISTORTION.id, 0.05), (TOPOLOGY_SEEN.id, 0.02)] {
            let claim = findings
                .claims()
                .iter()
                .find(|claim| claim.id == id)
                .unwrap();
            assert!(
                claim.per_seed.iter().all(|&effect| effect > least),
                "{id} {:?}",
                claim.per_seed
            );
            assert!(
                !claim.control_clears_margin(),
                "{id} {:?}",
                claim.control.per_seed
            );
        }
    }

    #[test]
    fn settings_out_of_range_are_named() {
        let message = |settings: TrsaSettings| settings.check().unwrap_err().to_string();
        let text = message(TrsaSettings {
            digit_networks: 2,
            ..small()
        });
        assert!(text.starts_with("digit_networks = 2"), "{text}");
        let text = message(TrsaSettings {
            training_digits: 5000,
            ..small()
        });
        assert!(text.starts_with("training_digits = 5000"), "{text}");
        let text = message(TrsaSettings {
            noise_levels: vec![-1.0],
            ..small()
        });
        assert!(text.starts_with("noise_levels = -1"), "{text}");
        for scale in [Scale::Quick, Scale::Standard, Scale::Paper] {
            TrsaSettings::at(scale).check().unwrap();
        }
    }
}
