//! Communities of the largest weighted modularity by the Louvain method.

use chiasm_core::{Error, Result, Seed};
use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::weighted::WeightedGraph;

/// How [`louvain`] works.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LouvainSettings {
    /// Larger values favour smaller communities; 1 is Newman's modularity.
    pub resolution: f64,
    /// Runs with different node orders; the best is kept.
    pub restarts: usize,
}

impl Default for LouvainSettings {
    fn default() -> Self {
        LouvainSettings {
            resolution: 1.0,
            restarts: 8,
        }
    }
}

/// What [`louvain`] found.
#[derive(Clone, Debug, PartialEq)]
pub struct LouvainFit {
    /// One community a node, numbered from 0 in order of first appearance.
    pub communities: Vec<usize>,
    /// Their weighted modularity.
    pub modularity: f64,
}

/// Weighted modularity of a partition: Σ over communities of (w_in / W − γ (s / 2W)²), with w_in the
/// weight inside, s the summed strength, W the total weight (Newman 2004). 0 without edges.
///
/// # Errors
/// [`Error::Shape`] where there is not one label a node.
pub fn modularity(graph: &WeightedGraph, communities: &[usize], resolution: f64) -> Result<f64> {
    if communities.len() != graph.nodes() {
        return Err(Error::Shape {
            operation: "modularity",
            what: "the communities".to_string(),
            axis: "nodes",
            found: communities.len(),
            expected: graph.nodes().to_string(),
        });
    }
    let total = graph.total_weight();
    if total == 0.0 {
        return Ok(0.0);
    }
    let labels = in_order_of_appearance(communities);
    let count = labels.iter().max().map_or(0, |&most| most + 1);
    let (mut inside, mut strength) = (vec![0.0; count], vec![0.0; count]);
    for &(a, b, weight) in graph.edges() {
        strength[labels[a]] += weight;
        strength[labels[b]] += weight;
        if labels[a] == labels[b] {
            inside[labels[a]] += weight;
        }
    }
    let score = inside.iter().zip(&strength);
    Ok(score
        .map(|(w, s)| w / total - resolution * (s / (2.0 * total)).powi(2))
        .sum())
}

/// Finds communities by local moves and aggregation (Blondel, Guillaume, Lambiotte and Lefebvre 2008).
///
/// # Errors
/// [`Error::Setting`] where the resolution is not positive or there are no restarts.
pub fn louvain(
    graph: &WeightedGraph,
    settings: &LouvainSettings,
    seed: Seed,
) -> Result<LouvainFit> {
    if !(settings.resolution > 0.0 && settings.resolution.is_finite()) {
        return Err(Error::setting(
            "resolution",
            settings.resolution,
            "a positive number",
        ));
    }
    if settings.restarts == 0 {
        return Err(Error::setting("restarts", 0, "at least 1"));
    }
    let runs: Result<Vec<LouvainFit>> = (0..settings.restarts)
        .into_par_iter()
        .map(|run| {
            let mut rng = seed.named("louvain").indexed(run as u64).rng();
            let communities = run_once(graph, settings.resolution, &mut rng);
            let modularity = modularity(graph, &communities, settings.resolution)?;
            Ok(LouvainFit {
                communities,
                modularity,
            })
        })
        .collect();
    let mut best: Option<LouvainFit> = None;
    for run in runs? {
        if best
            .as_ref()
            .is_none_or(|best| run.modularity > best.modularity + 1e-12)
        {
            best = Some(run);
        }
    }
    best.ok_or_else(|| Error::setting("restarts", 0, "at least 1"))
}

/// The graph of one aggregation level.
struct Aggregate {
    links: Vec<Vec<(usize, f64)>>,
    strength: Vec<f64>,
}

fn run_once(graph: &WeightedGraph, resolution: f64, rng: &mut ChaCha8Rng) -> Vec<usize> {
    let nodes = graph.nodes();
    let mut level = Aggregate {
        links: (0..nodes).map(|node| graph.links(node).to_vec()).collect(),
        strength: (0..nodes).map(|node| graph.strength(node)).collect(),
    };
    let doubled = 2.0 * graph.total_weight();
    let mut communities: Vec<usize> = (0..nodes).collect();
    if doubled <= 0.0 {
        return communities;
    }
    loop {
        let (labels, moved) = move_nodes(&level, doubled, resolution, rng);
        if !moved {
            break;
        }
        communities
            .iter_mut()
            .for_each(|community| *community = labels[*community]);
        level = aggregate(&level, &labels);
    }
    in_order_of_appearance(&communities)
}

/// Moves nodes to the neighbouring community of the largest gain until none gains.
fn move_nodes(
    level: &Aggregate,
    doubled: f64,
    resolution: f64,
    rng: &mut ChaCha8Rng,
) -> (Vec<usize>, bool) {
    let nodes = level.links.len();
    let mut label: Vec<usize> = (0..nodes).collect();
    let mut strength = level.strength.clone();
    let mut order: Vec<usize> = (0..nodes).collect();
    for last in (1..nodes).rev() {
        order.swap(last, rng.random_range(0..=last));
    }
    let mut weight_to = vec![0.0; nodes];
    let mut touched = Vec::new();
    let (mut moved_ever, mut moved) = (false, true);
    while moved {
        moved = false;
        for &node in &order {
            let own = label[node];
            for &(other, weight) in &level.links[node] {
                if other != node {
                    if weight_to[label[other]] == 0.0 {
                        touched.push(label[other]);
                    }
                    weight_to[label[other]] += weight;
                }
            }
            strength[own] -= level.strength[node];
            let gain = |community: usize| {
                weight_to[community]
                    - resolution * level.strength[node] * strength[community] / doubled
            };
            let (mut best, mut best_gain) = (own, gain(own));
            for &community in &touched {
                let candidate = gain(community);
                if candidate > best_gain + 1e-12 * doubled {
                    (best, best_gain) = (community, candidate);
                }
            }
            strength[best] += level.strength[node];
            if best != own {
                label[node] = best;
                moved = true;
                moved_ever = true;
            }
            touched
                .drain(..)
                .for_each(|community| weight_to[community] = 0.0);
        }
    }
    (in_order_of_appearance(&label), moved_ever)
}

fn aggregate(level: &Aggregate, labels: &[usize]) -> Aggregate {
    let count = labels.iter().max().map_or(0, |&most| most + 1);
    let mut strength = vec![0.0; count];
    let mut members = vec![Vec::new(); count];
    for (node, &label) in labels.iter().enumerate() {
        strength[label] += level.strength[node];
        members[label].push(node);
    }
    let mut weight_to = vec![0.0; count];
    let links = members
        .iter()
        .map(|members| {
            let mut touched = Vec::new();
            for &(other, weight) in members.iter().flat_map(|&node| &level.links[node]) {
                if weight_to[labels[other]] == 0.0 {
                    touched.push(labels[other]);
                }
                weight_to[labels[other]] += weight;
            }
            touched
                .iter()
                .map(|&to| (to, std::mem::take(&mut weight_to[to])))
                .collect()
        })
        .collect();
    Aggregate { links, strength }
}

/// The same partition with labels 0, 1, 2 … in order of first appearance.
pub(super) fn in_order_of_appearance(labels: &[usize]) -> Vec<usize> {
    let mut known = std::collections::BTreeMap::new();
    labels
        .iter()
        .map(|&label| {
            let next = known.len();
            *known.entry(label).or_insert(next)
        })
        .collect()
}
