//! The block model beside Louvain on weighted benchmark graphs.

use chiasm_core::metrics::partition::normalised_mutual_information;
use chiasm_core::{Progress, Result, Seed};
use chiasm_numerics::graph::{
    BlockModelSettings, LouvainSettings, WeightedGraph, fit_block_model, louvain,
};
use chiasm_sim::lfr::{LfrGraph, LfrSettings, lfr_graph, rewired};
use serde::{Deserialize, Serialize};

use super::ConnectomeSettings;

/// The mixing of topology and of weights in the nine settings.
pub(super) const MIXING: [f64; 3] = [0.25, 0.5, 0.75];
/// Exponents of strength, taken in turn.
const STRENGTH_EXPONENTS: [f64; 3] = [0.5, 1.0, 2.0];

/// Normalised mutual information with the planted communities.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub(super) struct Agreement {
    pub(super) louvain: f64,
    /// The level that agrees best: it takes the truth to pick it.
    pub(super) best_level: f64,
    /// The lowest level of the shortest description.
    pub(super) lowest_level: f64,
}

impl Agreement {
    fn add(&mut self, other: Agreement, share: f64) {
        self.louvain += share * other.louvain;
        self.best_level += share * other.best_level;
        self.lowest_level += share * other.lowest_level;
    }

    /// The mean over settings.
    pub(super) fn mean(settings: &[Agreement]) -> Agreement {
        let mut mean = Agreement::default();
        settings
            .iter()
            .for_each(|&own| mean.add(own, 1.0 / settings.len() as f64));
        mean
    }
}

/// What one seed measured: nine settings, topology mixing the slower index.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct GraphSeed {
    pub(super) planted: Vec<Agreement>,
    pub(super) rewired: Vec<Agreement>,
    /// Rewired once more: what the difference of two nulls comes to.
    pub(super) rewired_again: Vec<Agreement>,
}

pub(super) fn measure(
    settings: &ConnectomeSettings,
    seed: Seed,
    progress: &Progress,
) -> Result<GraphSeed> {
    let mut result = GraphSeed {
        planted: Vec::new(),
        rewired: Vec::new(),
        rewired_again: Vec::new(),
    };
    let share = 1.0 / settings.graphs_per_setting as f64;
    for (row, topology_mixing) in MIXING.into_iter().enumerate() {
        for (column, weight_mixing) in MIXING.into_iter().enumerate() {
            let [mut planted, mut null, mut again] = [Agreement::default(); 3];
            for replica in 0..settings.graphs_per_setting {
                let seed = seed
                    .named("graph")
                    .indexed((row * MIXING.len() + column) as u64)
                    .indexed(replica as u64);
                let turn = (row + column + replica) % STRENGTH_EXPONENTS.len();
                let own = LfrSettings {
                    topology_mixing,
                    weight_mixing,
                    strength_exponent: STRENGTH_EXPONENTS[turn],
                    ..settings.graphs.clone()
                };
                let graph = lfr_graph(&own, seed)?;
                planted.add(agreement(&graph, &settings.blocks, seed, progress)?, share);
                let mixed = rewired(&graph, 10, seed);
                null.add(agreement(&mixed, &settings.blocks, seed, progress)?, share);
                let seed = seed.named("again");
                let mixed = rewired(&graph, 10, seed);
                again.add(agreement(&mixed, &settings.blocks, seed, progress)?, share);
            }
            result.planted.push(planted);
            result.rewired.push(null);
            result.rewired_again.push(again);
        }
    }
    Ok(result)
}

fn agreement(
    drawn: &LfrGraph,
    blocks: &BlockModelSettings,
    seed: Seed,
    progress: &Progress,
) -> Result<Agreement> {
    let graph = WeightedGraph::from_edges(drawn.nodes, drawn.edges.iter().copied())?;
    let communities = louvain(&graph, &LouvainSettings::default(), seed)?.communities;
    let fit = fit_block_model(&graph, blocks, seed, &progress.quiet())?;
    let mut best_level = 0.0f64;
    for level in 0..fit.levels.len() {
        let labels = fit.blocks(level);
        best_level = best_level.max(normalised_mutual_information(&labels, &drawn.communities)?);
    }
    Ok(Agreement {
        louvain: normalised_mutual_information(&communities, &drawn.communities)?,
        best_level,
        lowest_level: normalised_mutual_information(&fit.blocks(0), &drawn.communities)?,
    })
}
