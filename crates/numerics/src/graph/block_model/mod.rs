//! The nested weighted stochastic block model, chosen by description length.
//!
//! The model is microcanonical (Peixoto, *Nonparametric Bayesian inference of the microcanonical
//! stochastic block model*, 2017): a graph is described by its blocks, the number of edges between
//! them, with degree correction its degrees, and then its edges; the multigraph of the blocks is
//! described in the same way one level up, until a single block is left. Positive weights are
//! described as exponentially distributed given their sum between two blocks (Peixoto,
//! *Nonparametric weighted stochastic block models*, 2018, microcanonical form):
//! P(x | X) = (m − 1)! / X^(m−1) for m weights that sum to X, and the sums X are the weights of the
//! level above. All this is conditional on the total weight, so changing the unit of the weights shifts
//! every description length by the same amount.

mod counting;
mod description;
#[cfg(test)]
mod incremental_tests;
mod level;
mod search;
mod source;
mod state;
mod step_length;

use chiasm_core::{Error, Progress, Result, Seed};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use self::counting::Counting;
use self::description::measure;
use self::search::Search;
use self::source::{Kind, Source};
use super::weighted::WeightedGraph;

pub use self::description::DescriptionLength;

/// Whether degrees are part of the model.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DegreeCorrection {
    /// Whichever gives the shorter description.
    Shorter,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// How edge weights are described.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum EdgeWeights {
    /// Exponentially distributed between each two blocks.
    Exponential,
    /// Not at all.
    Ignored,
}

/// How [`fit_block_model`] works.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct BlockModelSettings {
    /// Whether degrees are part of the model.
    pub degree_correction: DegreeCorrection,
    /// How edge weights are described.
    pub weights: EdgeWeights,
    /// Independent searches for each kind of model; the shortest description is kept.
    pub restarts: usize,
    /// The most rounds of moves, merges and splits over all levels after the agglomeration.
    pub refinements: usize,
}

impl Default for BlockModelSettings {
    fn default() -> Self {
        BlockModelSettings {
            degree_correction: DegreeCorrection::Shorter,
            weights: EdgeWeights::Exponential,
            restarts: 4,
            refinements: 10,
        }
    }
}

impl BlockModelSettings {
    /// Checks the ranges.
    ///
    /// # Errors
    /// [`Error::Setting`] without restarts.
    pub fn check(&self) -> Result<()> {
        if self.restarts == 0 {
            return Err(Error::setting("restarts", self.restarts, "at least 1"));
        }
        Ok(())
    }
}

/// One search of [`fit_block_model`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct BlockModelRun {
    /// Whether it modelled degrees.
    pub degree_corrected: bool,
    /// The description length it reached, in nats.
    pub description_length: f64,
}

/// A fitted hierarchy of blocks.
#[derive(Clone, Debug, PartialEq)]
pub struct NestedBlockModel {
    /// `levels[0]` holds the block of each node, `levels[l]` that of each block of the level below,
    /// numbered from 0 without gaps; in the last all are one.
    pub levels: Vec<Vec<usize>>,
    /// Whether degrees are part of the model.
    pub degree_corrected: bool,
    /// How long the description is, by parts.
    pub description_length: DescriptionLength,
    /// All searches that were made.
    pub runs: Vec<BlockModelRun>,
}

impl NestedBlockModel {
    /// The block of each node at `level`; levels beyond the last hold one block.
    pub fn blocks(&self, level: usize) -> Vec<usize> {
        let mut blocks = self.levels[0].clone();
        for above in self.levels.iter().take(level + 1).skip(1) {
            blocks.iter_mut().for_each(|block| *block = above[*block]);
        }
        blocks
    }

    /// The number of blocks at the lowest level.
    pub fn block_count(&self) -> usize {
        self.levels[0].iter().max().map_or(0, |&most| most + 1)
    }
}

/// Finds the nested block model of the shortest description of `graph`: agglomeration from single
/// nodes with bisection over the number of blocks, level above level, then moves, merges and splits
/// over the whole hierarchy; several times from different random orders, in parallel.
///
/// A graph without structure comes back as one block.
///
/// # Errors
/// [`Error::Setting`]; [`Error::TooFew`] where the graph has no edges; [`Error::Interrupted`].
pub fn fit_block_model(
    graph: &WeightedGraph,
    settings: &BlockModelSettings,
    seed: Seed,
    progress: &Progress,
) -> Result<NestedBlockModel> {
    settings.check()?;
    require_edges(graph)?;
    let kinds: &[Kind] = match settings.degree_correction {
        DegreeCorrection::Shorter => &[Kind::Plain, Kind::DegreeCorrected],
        DegreeCorrection::Always => &[Kind::DegreeCorrected],
        DegreeCorrection::Never => &[Kind::Plain],
    };
    let weighted = settings.weights == EdgeWeights::Exponential;
    let counting = Counting::new(graph.nodes(), graph.edges().len());
    let search = Search {
        counting: &counting,
        progress,
    };
    let tasks: Vec<(Kind, usize)> = (0..settings.restarts)
        .flat_map(|run| kinds.iter().map(move |&kind| (kind, run)))
        .collect();
    let found: Result<Vec<(Kind, Vec<Vec<usize>>, DescriptionLength)>> = tasks
        .into_par_iter()
        .map(|(kind, run)| {
            let corrected = u64::from(kind == Kind::DegreeCorrected);
            let mut rng = seed
                .named("block model")
                .indexed(corrected)
                .indexed(run as u64)
                .rng();
            let (source, log_unit) = Source::from_graph(graph, kind, weighted);
            let (levels, _) = search.best(&source, settings.refinements, &mut rng)?;
            let length = measure(&source, &levels, &counting, log_unit);
            progress.advance(1)?;
            Ok((kind, levels, length))
        })
        .collect();
    let found = found?;
    let runs = found
        .iter()
        .map(|(kind, _, length)| BlockModelRun {
            degree_corrected: *kind == Kind::DegreeCorrected,
            description_length: length.total(),
        })
        .collect();
    let best = found
        .into_iter()
        .min_by(|a, b| a.2.total().total_cmp(&b.2.total()));
    let (kind, levels, description_length) =
        best.ok_or_else(|| Error::setting("restarts", 0, "at least 1"))?;
    let degree_corrected = kind == Kind::DegreeCorrected;
    Ok(NestedBlockModel {
        levels,
        degree_corrected,
        description_length,
        runs,
    })
}

/// The description length of `graph` under given `levels` (as [`NestedBlockModel::levels`]; a last
/// level of one block is implied).
///
/// # Errors
/// [`Error::TooFew`] where the graph has no edges, [`Error::Shape`] where a level does not have one label
/// for each node or block below, [`Error::Unusable`] where labels are not 0, 1, 2 … without gaps.
pub fn description_length(
    graph: &WeightedGraph,
    levels: &[Vec<usize>],
    degree_corrected: bool,
    weights: EdgeWeights,
) -> Result<DescriptionLength> {
    require_edges(graph)?;
    let mut complete: Vec<Vec<usize>> = Vec::with_capacity(levels.len() + 1);
    let mut below = graph.nodes();
    for (level, labels) in levels.iter().enumerate() {
        if labels.len() != below {
            return Err(Error::Shape {
                operation: "description length",
                what: format!("level {level}"),
                axis: "labels",
                found: labels.len(),
                expected: below.to_string(),
            });
        }
        let mut used = vec![false; below];
        for &label in labels {
            match used.get_mut(label) {
                Some(flag) => *flag = true,
                None => used.clear(),
            }
        }
        let count = used.iter().filter(|&&flag| flag).count();
        if count == 0 || used[..count].contains(&false) {
            return Err(Error::Unusable {
                operation: "description length",
                reason: format!("labels of level {level} are not 0, 1, 2 … without gaps"),
            });
        }
        complete.push(labels.clone());
        below = count;
    }
    if below > 1 || complete.is_empty() {
        complete.push(vec![0; below]);
    }
    let kind = if degree_corrected {
        Kind::DegreeCorrected
    } else {
        Kind::Plain
    };
    let counting = Counting::new(graph.nodes(), graph.edges().len());
    let (source, log_unit) = Source::from_graph(graph, kind, weights == EdgeWeights::Exponential);
    Ok(measure(&source, &complete, &counting, log_unit))
}

fn require_edges(graph: &WeightedGraph) -> Result<()> {
    if graph.edges().is_empty() {
        return Err(Error::TooFew {
            operation: "block model",
            what: "edges",
            found: 0,
            needed: 1,
        });
    }
    Ok(())
}
