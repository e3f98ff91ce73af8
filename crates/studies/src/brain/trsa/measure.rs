//! What one repetition measures.

use chiasm_brain::region_identification::{
    IdentificationBootstrap, RegionRdms, bootstrap_identification, choose_nested,
    geo_topological_grid, identify,
};
use chiasm_core::data::Rdm;
use chiasm_core::run::Device;
use chiasm_core::{Progress, Seed as Randomness};
use chiasm_io::catalogue::load::Digits;
use chiasm_numerics::resampling::permutation;
use chiasm_numerics::similarity::comparator::similarity;
use chiasm_numerics::similarity::dissimilarity::rdm_of_patterns;
use chiasm_numerics::similarity::{Comparator, Dissimilarity, GeodesicEdges, Transform};
use chiasm_sim::representations::{DeepNetworks, Shape, shape_points};
use ndarray::{Array2, Axis};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::{TrsaSettings, networks};
use crate::{Result, SeedRun};

/// The rank RDM, as the corner of the geo-topological family.
const RANK: Transform = Transform::GeoTopological {
    lower: 0.0,
    upper: 1.0,
};
/// The local summary that sees the topology of a curve.
const LOCAL: Transform = Transform::GeoTopological {
    lower: 0.0,
    upper: 0.075,
};

/// Summaries with a name, in the order they are reported.
pub(super) fn named_summaries() -> [(&'static str, Transform); 7] {
    let cut = |lower, upper| Transform::GeoTopological { lower, upper };
    let edges = GeodesicEdges::Quantile { share: 0.2 };
    [
        ("raw", Transform::None),
        ("z-scored", Transform::ZScore),
        ("rank", RANK),
        ("GT(0.25, 0.75)", cut(0.25, 0.75)),
        ("GT(0.2, 0.8)", cut(0.2, 0.8)),
        ("GT(0, 0.25)", cut(0.0, 0.25)),
        ("geodesic", Transform::Geodesic { edges }),
    ]
}

/// The grid of (l, u) without the rank RDM, which is what the others are compared with.
pub(super) fn grid(steps: usize) -> Vec<Transform> {
    geo_topological_grid(steps)
        .into_iter()
        .filter(|cell| *cell != RANK)
        .collect()
}

/// What a repetition works on.
pub(super) struct Setup<'a> {
    pub(super) settings: &'a TrsaSettings,
    pub(super) digits: &'a Digits,
    pub(super) device: Device,
}

/// How often the right layer or region is found.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Accuracies {
    pub(super) chance: f64,
    pub(super) raw: f64,
    pub(super) z_scored: f64,
    pub(super) rank: f64,
    /// By the geo-topological summary chosen on other instances.
    pub(super) nested: f64,
    /// By the best of the grid, picked on the same data.
    pub(super) best: f64,
    /// Of every named summary.
    pub(super) named: Vec<f64>,
    /// Of every cell of the grid.
    pub(super) cells: Vec<f64>,
    /// Pairs of stimuli without a geodesic, over all matrices.
    pub(super) disconnected: usize,
}

impl Accuracies {
    /// The mean of several; at least one.
    fn mean(of: &[Accuracies]) -> Self {
        let mean =
            |pick: &dyn Fn(&Accuracies) -> f64| of.iter().map(pick).sum::<f64>() / of.len() as f64;
        let each = |pick: fn(&Accuracies) -> &Vec<f64>| {
            mean_of_columns(of.iter().map(|item| pick(item).clone()))
        };
        Accuracies {
            chance: mean(&|item| item.chance),
            raw: mean(&|item| item.raw),
            z_scored: mean(&|item| item.z_scored),
            rank: mean(&|item| item.rank),
            nested: mean(&|item| item.nested),
            best: mean(&|item| item.best),
            named: each(|item| &item.named),
            cells: each(|item| &item.cells),
            disconnected: of[0].disconnected,
        }
    }
}

/// Correlation with the folded eight minus that with the broken one.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Shapes {
    pub(super) local: f64,
    pub(super) full: f64,
    pub(super) shuffled: f64,
}

/// Everything one repetition found.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Seed {
    pub(super) digits: Accuracies,
    pub(super) digits_shuffled: Accuracies,
    /// How well the networks read the digits.
    pub(super) digit_accuracy: f64,
    /// How many networks had to begin again.
    pub(super) restarts: u64,
    /// Of every named summary on undistorted random networks.
    pub(super) undistorted: Vec<f64>,
    pub(super) distorted: Accuracies,
    pub(super) distorted_shuffled: Accuracies,
    pub(super) regions: Accuracies,
    pub(super) regions_shuffled: Accuracies,
    /// Per noise level, the accuracy of every named summary on distorted random networks.
    pub(super) over_noise: Vec<Vec<f64>>,
    pub(super) shapes: Shapes,
    /// Digit networks on the first set of stimuli only, which the bootstrap resamples.
    pub(super) first_set: Accuracies,
    /// Per named summary, the 95% bootstrap interval of its accuracy on that set and its difference
    /// to the rank RDM.
    pub(super) intervals: Vec<[[f64; 2]; 2]>,
}

pub(super) fn measure(setup: &Setup<'_>, run: &SeedRun<'_>) -> Result<Seed> {
    let settings = setup.settings;
    let (seed, progress) = (&run.seed, run.progress);
    let device = chiasm_nn::open_device(setup.device)?;
    let digits = networks::measure_networks(
        settings,
        setup.digits,
        &device,
        &seed.named("digits"),
        progress,
    )?;
    let digit_rdms: Vec<Vec<Vec<Rdm>>> = digits
        .activations
        .iter()
        .map(|set| correlation_rdms(set))
        .collect::<Result<_>>()?;
    let (mut of_digits, mut of_shuffled) = (Vec::new(), Vec::new());
    for (set, rdms) in digit_rdms.iter().enumerate() {
        let shuffled = shuffle(rdms, &seed.named("shuffled digits").indexed(set as u64));
        of_digits.push(accuracies(rdms, settings, progress)?);
        of_shuffled.push(accuracies(&shuffled, settings, progress)?);
    }
    progress.begin("simulations", settings.worlds as u64);
    let worlds = (0..settings.worlds)
        .into_par_iter()
        .map(|index| {
            let world = world(
                settings,
                &seed.named("world").indexed(index as u64),
                progress,
            )?;
            progress.advance(1)?;
            Ok(world)
        })
        .collect::<Result<Vec<World>>>()?;
    progress.end();
    let over_worlds = |pick: fn(&World) -> &Accuracies| {
        Accuracies::mean(&worlds.iter().map(pick).cloned().collect::<Vec<_>>())
    };
    let noise = settings
        .noise_levels
        .iter()
        .enumerate()
        .map(|(index, &noise)| {
            let networks = DeepNetworks {
                noise,
                ..settings.random_networks
            };
            let seed = seed.named("noise").indexed(index as u64);
            let rdms = correlation_rdms(&networks.simulate(&seed)?)?;
            named_accuracies(&distort(&rdms, settings, &seed.named("distortion"))?)
        });
    Ok(Seed {
        digits: Accuracies::mean(&of_digits),
        digits_shuffled: Accuracies::mean(&of_shuffled),
        digit_accuracy: digits.accuracy,
        restarts: digits.restarts,
        undistorted: mean_of_columns(worlds.iter().map(|world| world.undistorted.clone())),
        distorted: over_worlds(|world| &world.distorted),
        distorted_shuffled: over_worlds(|world| &world.distorted_shuffled),
        regions: over_worlds(|world| &world.regions),
        regions_shuffled: over_worlds(|world| &world.regions_shuffled),
        over_noise: noise.collect::<Result<Vec<_>>>()?,
        shapes: shapes(settings, &seed.named("shapes"))?,
        first_set: of_digits.swap_remove(0),
        intervals: intervals(&digit_rdms[0], settings, &seed.named("bootstrap"), progress)?,
    })
}

/// One set of random networks and one of regions, each instance with a distortion of its own.
struct World {
    undistorted: Vec<f64>,
    distorted: Accuracies,
    distorted_shuffled: Accuracies,
    regions: Accuracies,
    regions_shuffled: Accuracies,
}

fn world(settings: &TrsaSettings, seed: &Randomness, progress: &Progress) -> Result<World> {
    let networks = settings
        .random_networks
        .simulate(&seed.named("random networks"))?;
    let plain = correlation_rdms(&networks)?;
    let distorted = distort(&plain, settings, &seed.named("distortion"))?;
    let regions = correlation_rdms(&settings.regions.simulate(&seed.named("regions"))?)?;
    let regions = distort(&regions, settings, &seed.named("subjects"))?;
    let of = |rdms: &[Vec<Rdm>]| accuracies(rdms, settings, progress);
    Ok(World {
        undistorted: named_accuracies(&plain)?,
        distorted: of(&distorted)?,
        distorted_shuffled: of(&shuffle(&distorted, &seed.named("shuffled layers")))?,
        regions: of(&regions)?,
        regions_shuffled: of(&shuffle(&regions, &seed.named("shuffled regions")))?,
    })
}

/// The mean of each column over rows of equal length.
fn mean_of_columns(rows: impl ExactSizeIterator<Item = Vec<f64>>) -> Vec<f64> {
    let count = rows.len() as f64;
    let mut mean = Vec::new();
    for row in rows {
        mean.resize(row.len(), 0.0);
        for (mean, value) in mean.iter_mut().zip(row) {
            *mean += value / count;
        }
    }
    mean
}

fn correlation_rdms(activations: &[Vec<Array2<f64>>]) -> Result<Vec<Vec<Rdm>>> {
    let settings = Dissimilarity::Correlation.into();
    let rdms = activations.iter().enumerate().map(|(instance, layers)| {
        let rdms = layers.iter().enumerate().map(|(layer, answers)| {
            let name = format!("instance {instance}, layer {layer}");
            rdm_of_patterns(&name, answers.view(), &settings)
        });
        rdms.collect::<chiasm_core::Result<Vec<_>>>()
    });
    Ok(rdms.collect::<chiasm_core::Result<Vec<_>>>()?)
}

/// Every instance with a distortion of its own, the same for all its regions.
fn distort(rdms: &[Vec<Rdm>], settings: &TrsaSettings, seed: &Randomness) -> Result<Vec<Vec<Rdm>>> {
    let rdms = rdms.iter().enumerate().map(|(instance, regions)| {
        let distortion = settings.distortion.draw(&seed.indexed(instance as u64));
        regions.iter().map(|rdm| distortion.apply(rdm)).collect()
    });
    Ok(rdms.collect::<chiasm_core::Result<Vec<_>>>()?)
}

/// Regions in random order within every instance: nothing tells them apart any more.
fn shuffle(rdms: &[Vec<Rdm>], seed: &Randomness) -> Vec<Vec<Rdm>> {
    rdms.iter()
        .enumerate()
        .map(|(instance, regions)| {
            permutation(&seed.indexed(instance as u64), regions.len())
                .into_iter()
                .map(|region| regions[region].clone())
                .collect()
        })
        .collect()
}

pub(super) fn accuracies(
    rdms: &[Vec<Rdm>],
    settings: &TrsaSettings,
    progress: &Progress,
) -> Result<Accuracies> {
    let stack = RegionRdms::new(rdms)?;
    let choice = choose_nested(&stack, &grid(settings.grid_steps), progress)?;
    let mut named = Vec::new();
    let mut disconnected = 0;
    for (_, summary) in named_summaries() {
        let found = identify(&stack, summary)?;
        named.push(found.accuracy);
        disconnected += found.disconnected_pairs;
    }
    Ok(Accuracies {
        chance: stack.chance(),
        raw: named[0],
        z_scored: named[1],
        rank: named[2],
        nested: choice.accuracy,
        best: choice.best,
        named,
        cells: choice.per_candidate,
        disconnected,
    })
}

fn named_accuracies(rdms: &[Vec<Rdm>]) -> Result<Vec<f64>> {
    let stack = RegionRdms::new(rdms)?;
    let accuracies = named_summaries()
        .into_iter()
        .map(|(_, summary)| Ok(identify(&stack, summary)?.accuracy));
    accuracies.collect()
}

/// Bootstrap over instances and stimuli: per named summary, its accuracy and its difference to ranks.
pub(super) fn intervals(
    rdms: &[Vec<Rdm>],
    settings: &TrsaSettings,
    seed: &Randomness,
    progress: &Progress,
) -> Result<Vec<[[f64; 2]; 2]>> {
    let statistics = named_summaries().map(|(_, summary)| summary);
    let bootstrap = IdentificationBootstrap {
        draws: settings.bootstrap_draws,
        ..Default::default()
    };
    let draws = bootstrap_identification(
        &RegionRdms::new(rdms)?,
        &statistics,
        &bootstrap,
        seed,
        progress,
    )?;
    let rank = statistics
        .iter()
        .position(|summary| *summary == RANK)
        .unwrap_or(0);
    let differences = (0..statistics.len()).map(|index| draws.difference(index, rank));
    Ok(draws
        .ci95
        .iter()
        .zip(differences)
        .filter_map(|(own, other)| Some([*own, other?]))
        .collect())
}

fn shapes(settings: &TrsaSettings, seed: &Randomness) -> Result<Shapes> {
    let mut mean = Shapes {
        local: 0.0,
        full: 0.0,
        shuffled: 0.0,
    };
    let share = 1.0 / settings.shape_draws as f64;
    for draw in 0..settings.shape_draws {
        let seed = seed.indexed(draw as u64);
        let points = |shape| shape_points(shape, &settings.shapes, &seed);
        let flat = points(Shape::FigureEight)?;
        let folded = points(Shape::TwistedFigureEight)?;
        let broken = points(Shape::BrokenFigureEight)?;
        let shuffled = |points: &Array2<f64>, name: &str| {
            points.select(Axis(0), &permutation(&seed.named(name), points.nrows()))
        };
        let difference = |folded: &Array2<f64>, broken: &Array2<f64>, summary: Transform| {
            let summarised = |points: &Array2<f64>| {
                let rdm =
                    rdm_of_patterns("shape", points.view(), &Dissimilarity::Euclidean.into())?;
                Ok::<Rdm, chiasm_core::Error>(summary.apply(&rdm)?.rdm)
            };
            let (flat, folded, broken) =
                (summarised(&flat)?, summarised(folded)?, summarised(broken)?);
            let with_folded = similarity(&flat, &folded, Comparator::Pearson)?;
            let with_broken = similarity(&flat, &broken, Comparator::Pearson)?;
            Ok::<f64, chiasm_core::Error>(with_folded - with_broken)
        };
        mean.local += share * difference(&folded, &broken, LOCAL)?;
        mean.full += share * difference(&folded, &broken, RANK)?;
        let (folded, broken) = (shuffled(&folded, "folded"), shuffled(&broken, "broken"));
        mean.shuffled += share * difference(&folded, &broken, LOCAL)?;
    }
    Ok(mean)
}
