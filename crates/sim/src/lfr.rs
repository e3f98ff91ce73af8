//! Weighted benchmark graphs with planted communities and broad degrees.

use chiasm_core::{Error, Result, Seed};
use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

use crate::power_law;

/// Draws of communities of which the most even is taken.
const DRAWS: usize = 20;
/// Degree sequences tried before giving up.
const DEGREE_DRAWS: usize = 50;

/// How [`lfr_graph`] draws: the weighted benchmark of Lancichinetti and Fortunato (2009).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LfrSettings {
    /// Number of nodes.
    pub nodes: usize,
    /// Mean degree.
    pub mean_degree: f64,
    /// Largest degree.
    pub most_degree: usize,
    /// Exponent τ₁ of the degree distribution, p(k) ∝ k^(−τ₁).
    pub degree_exponent: f64,
    /// Exponent τ₂ of the distribution of community sizes.
    pub size_exponent: f64,
    /// Exponent β of strength: a node of degree k has strength k^β.
    pub strength_exponent: f64,
    /// Share μ_t of each node's edges that leave its community.
    pub topology_mixing: f64,
    /// Share μ_w of each node's strength that leaves its community.
    pub weight_mixing: f64,
}

impl Default for LfrSettings {
    fn default() -> Self {
        LfrSettings {
            nodes: 125,
            mean_degree: 25.0,
            most_degree: 100,
            degree_exponent: 2.0,
            size_exponent: 1.0,
            strength_exponent: 1.0,
            topology_mixing: 0.25,
            weight_mixing: 0.25,
        }
    }
}

impl LfrSettings {
    /// Checks the ranges.
    ///
    /// # Errors
    /// [`Error::Setting`] with the name of the first that is outside.
    pub fn check(&self) -> Result<()> {
        let fail =
            |name: &str, value: f64, allowed: &str| Err(Error::setting(name, value, allowed));
        if self.nodes < 4 {
            return fail("nodes", self.nodes as f64, "at least 4");
        }
        if self.most_degree < 1 || self.most_degree >= self.nodes {
            return fail(
                "most_degree",
                self.most_degree as f64,
                "from 1 to one less than nodes",
            );
        }
        if !(self.mean_degree >= 1.0 && self.mean_degree <= self.most_degree as f64) {
            return fail("mean_degree", self.mean_degree, "from 1 to most_degree");
        }
        for (name, value) in [
            ("degree_exponent", self.degree_exponent),
            ("size_exponent", self.size_exponent),
            ("strength_exponent", self.strength_exponent),
        ] {
            if !(0.0..=10.0).contains(&value) {
                return fail(name, value, "from 0 to 10");
            }
        }
        for (name, value) in [
            ("topology_mixing", self.topology_mixing),
            ("weight_mixing", self.weight_mixing),
        ] {
            if !(0.0..1.0).contains(&value) {
                return fail(name, value, "at least 0 and below 1");
            }
        }
        Ok(())
    }
}

/// A graph with planted communities.
#[derive(Clone, Debug, PartialEq)]
pub struct LfrGraph {
    /// Number of nodes.
    pub nodes: usize,
    /// Edges as (smaller end, larger end, positive weight), sorted.
    pub edges: Vec<(usize, usize, f64)>,
    /// The planted community of each node.
    pub communities: Vec<usize>,
}

/// Draws a weighted graph whose degrees and community sizes follow power laws and in which the given
/// shares of each node's edges and strength leave its community.
///
/// Edges are wired at random inside each community and between communities, parallel ones rewired;
/// those that cannot be placed are left out (with hubs as large as communities, as in the default
/// settings, that lowers the share of edges that leave). Weights are then shifted, edge by edge, towards each
/// node's internal and external strength, and stay positive.
///
/// # Errors
/// [`Error::Setting`]; [`Error::NoConvergence`] where no community sizes fit the degrees.
pub fn lfr_graph(settings: &LfrSettings, seed: Seed) -> Result<LfrGraph> {
    settings.check()?;
    let mut rng = seed.named("lfr").rng();
    let (degrees, inner, communities) = draw_nodes(settings, &mut rng)?;
    let mut taken = BTreeSet::new();
    let count = communities.iter().max().map_or(0, |&most| most + 1);
    for community in 0..count {
        let mut stubs = Vec::new();
        for node in (0..settings.nodes).filter(|&node| communities[node] == community) {
            stubs.extend(std::iter::repeat_n(node, inner[node]));
        }
        wire(stubs, |a, b| a != b, &mut taken, &mut rng);
    }
    let mut stubs = Vec::new();
    for node in 0..settings.nodes {
        stubs.extend(std::iter::repeat_n(node, degrees[node] - inner[node]));
    }
    wire(
        stubs,
        |a, b| communities[a] != communities[b],
        &mut taken,
        &mut rng,
    );
    let pairs: Vec<(usize, usize)> = taken.into_iter().collect();
    let outer: Vec<usize> = degrees
        .iter()
        .zip(&inner)
        .map(|(all, inner)| all - inner)
        .collect();
    let weights = draw_weights(settings, &pairs, &communities, &outer);
    let edges = pairs
        .into_iter()
        .zip(weights)
        .map(|((a, b), weight)| (a, b, weight))
        .collect();
    Ok(LfrGraph {
        nodes: settings.nodes,
        edges,
        communities,
    })
}

/// Keeps topology degrees but not communities: the same edges and weights with ends swapped between
/// random pairs of edges, `swaps` times the number of edges. The null of a community search.
///
/// Degrees stay as they are; weights travel with edges.
pub fn rewired(graph: &LfrGraph, swaps: usize, seed: Seed) -> LfrGraph {
    let mut rng = seed.named("rewired").rng();
    let mut edges = graph.edges.clone();
    let mut taken: BTreeSet<(usize, usize)> = edges.iter().map(|&(a, b, _)| (a, b)).collect();
    let ordered = |a: usize, b: usize| (a.min(b), a.max(b));
    if edges.len() > 1 {
        for _ in 0..swaps * edges.len() {
            let (first, second) = (
                rng.random_range(0..edges.len()),
                rng.random_range(0..edges.len()),
            );
            let ((a, b, _), (mut c, mut d, _)) = (edges[first], edges[second]);
            if rng.random::<bool>() {
                std::mem::swap(&mut c, &mut d);
            }
            let (left, right) = (ordered(a, d), ordered(c, b));
            if a == d || c == b || left == right || taken.contains(&left) || taken.contains(&right)
            {
                continue;
            }
            taken.remove(&ordered(a, b));
            taken.remove(&ordered(c, d));
            taken.insert(left);
            taken.insert(right);
            (edges[first].0, edges[first].1) = left;
            (edges[second].0, edges[second].1) = right;
        }
    }
    // Weights are dealt out anew, or the strongest nodes would still give their edges away.
    for last in (1..edges.len()).rev() {
        let other = rng.random_range(0..=last);
        let held = edges[last].2;
        edges[last].2 = edges[other].2;
        edges[other].2 = held;
    }
    edges.sort_by_key(|&(a, b, _)| (a, b));
    LfrGraph {
        nodes: graph.nodes,
        edges,
        communities: graph.communities.clone(),
    }
}

/// Degrees, inner degrees and communities. Some degrees leave no room for communities (one node may want
/// more neighbours inside than the others fill); others are drawn then.
fn draw_nodes(
    settings: &LfrSettings,
    rng: &mut ChaCha8Rng,
) -> Result<(Vec<usize>, Vec<usize>, Vec<usize>)> {
    let mut last = None;
    for _ in 0..DEGREE_DRAWS {
        let degrees = draw_degrees(settings, rng)?;
        let inner: Vec<usize> = degrees
            .iter()
            .map(|&degree| {
                let exact = (1.0 - settings.topology_mixing) * degree as f64;
                let up = rng.random::<f64>() < exact.fract();
                exact as usize + usize::from(up)
            })
            .collect();
        match draw_balanced(settings, &degrees, &inner, rng) {
            Ok(communities) => return Ok((degrees, inner, communities)),
            Err(error) => last = Some(error),
        }
    }
    Err(last.unwrap_or(Error::NoConvergence {
        operation: "LFR graph",
        reason: "no degrees were drawn".to_string(),
    }))
}

fn draw_degrees(settings: &LfrSettings, rng: &mut ChaCha8Rng) -> Result<Vec<usize>> {
    // The smallest degree that gives the mean, by bisection.
    let high = settings.most_degree as f64;
    let (mut below, mut above) = (0.5, high);
    if power_law::mean(below, high, settings.degree_exponent) > settings.mean_degree {
        return Err(Error::setting(
            "mean_degree",
            settings.mean_degree,
            "larger, or a larger degree_exponent or smaller most_degree",
        ));
    }
    for _ in 0..100 {
        let middle = (below + above) / 2.0;
        if power_law::mean(middle, high, settings.degree_exponent) < settings.mean_degree {
            below = middle;
        } else {
            above = middle;
        }
    }
    Ok((0..settings.nodes)
        .map(|_| {
            let degree =
                power_law::draw(below, high, settings.degree_exponent, rng).round() as usize;
            degree.clamp(1, settings.most_degree)
        })
        .collect())
}

/// The most even of several draws of communities: edges that leave a community need ends outside, so
/// where one community has more than half of them some cannot be placed and mixing falls short.
fn draw_balanced(
    settings: &LfrSettings,
    degrees: &[usize],
    inner: &[usize],
    rng: &mut ChaCha8Rng,
) -> Result<Vec<usize>> {
    let mut best: Option<(usize, Vec<usize>)> = None;
    for _ in 0..DRAWS {
        let communities = draw_communities(settings, inner, rng)?;
        let mut outer = vec![0; communities.iter().max().map_or(0, |&most| most + 1)];
        for (node, &community) in communities.iter().enumerate() {
            outer[community] += degrees[node] - inner[node];
        }
        let most = outer.iter().max().copied().unwrap_or(0);
        if best.as_ref().is_none_or(|(least, _)| most < *least) {
            best = Some((most, communities));
        }
    }
    best.map(|(_, communities)| communities)
        .ok_or_else(|| Error::NoConvergence {
            operation: "LFR graph",
            reason: "no communities could be drawn".to_string(),
        })
}

fn draw_communities(
    settings: &LfrSettings,
    inner: &[usize],
    rng: &mut ChaCha8Rng,
) -> Result<Vec<usize>> {
    let nodes = settings.nodes;
    let most = inner
        .iter()
        .max()
        .map_or(1, |&most| most + 1)
        .clamp(2, nodes);
    let least = inner
        .iter()
        .min()
        .map_or(1, |&least| least + 1)
        .clamp(3, most.max(3));
    for _ in 0..1000 {
        let mut sizes: Vec<usize> = Vec::new();
        let mut sum = 0;
        while sum < nodes {
            let low = least as f64;
            let size = power_law::draw(low, most.max(least) as f64, settings.size_exponent, rng);
            sizes.push(size.round() as usize);
            sum += sizes[sizes.len() - 1];
        }
        // What is left over goes to the last community, or joins it to another if too small.
        let excess = sum - nodes;
        let Some(last) = sizes.pop() else { continue };
        if last > excess && (last - excess >= least || sizes.is_empty()) {
            sizes.push(last - excess);
        } else {
            let room = last - excess.min(last);
            let Some(smallest) = sizes.iter_mut().min() else {
                continue;
            };
            *smallest += room;
        }
        if sizes.len() < 2 || sizes.iter().sum::<usize>() != nodes {
            continue;
        }
        if let Some(communities) = assign(inner, &sizes, rng) {
            return Ok(communities);
        }
    }
    Err(Error::NoConvergence {
        operation: "LFR graph",
        reason: "no community sizes fit the degrees; lower most_degree or raise topology_mixing"
            .to_string(),
    })
}

/// Puts nodes at random into communities that are large enough for their inner degree; a full
/// community pushes a random member out.
fn assign(inner: &[usize], sizes: &[usize], rng: &mut ChaCha8Rng) -> Option<Vec<usize>> {
    let mut homeless: Vec<usize> = (0..inner.len()).collect();
    let mut members: Vec<Vec<usize>> = vec![Vec::new(); sizes.len()];
    let mut tries = 0;
    while let Some(node) = homeless.pop() {
        tries += 1;
        let fitting: Vec<usize> = (0..sizes.len())
            .filter(|&community| sizes[community] > inner[node])
            .collect();
        if fitting.is_empty() || tries > 1000 * inner.len() {
            return None;
        }
        let community = fitting[rng.random_range(0..fitting.len())];
        members[community].push(node);
        if members[community].len() > sizes[community] {
            let out = rng.random_range(0..members[community].len());
            homeless.push(members[community].swap_remove(out));
        }
    }
    let mut communities = vec![0; inner.len()];
    for (community, list) in members.iter().enumerate() {
        list.iter().for_each(|&node| communities[node] = community);
    }
    Some(communities)
}

/// Joins stubs at random into allowed, distinct edges; those that clash are swapped with edges made
/// here until they fit, or left out.
fn wire(
    mut stubs: Vec<usize>,
    allowed: impl Fn(usize, usize) -> bool,
    taken: &mut BTreeSet<(usize, usize)>,
    rng: &mut ChaCha8Rng,
) {
    let ordered = |a: usize, b: usize| (a.min(b), a.max(b));
    for last in (1..stubs.len()).rev() {
        stubs.swap(last, rng.random_range(0..=last));
    }
    let mut made: Vec<(usize, usize)> = Vec::new();
    let mut clashing = Vec::new();
    for pair in stubs.chunks_exact(2) {
        let (a, b) = ordered(pair[0], pair[1]);
        if allowed(a, b) && taken.insert((a, b)) {
            made.push((a, b));
        } else {
            clashing.push((a, b));
        }
    }
    for (a, b) in clashing {
        for _ in 0..if made.is_empty() { 0 } else { 200 } {
            let other = rng.random_range(0..made.len());
            let (mut c, mut d) = made[other];
            if rng.random::<bool>() {
                std::mem::swap(&mut c, &mut d);
            }
            let (left, right) = (ordered(a, c), ordered(b, d));
            if a == c || b == d || left == right || !allowed(a, c) || !allowed(b, d) {
                continue;
            }
            if taken.contains(&left) || taken.contains(&right) {
                continue;
            }
            taken.remove(&made[other]);
            taken.insert(left);
            taken.insert(right);
            made[other] = left;
            made.push(right);
            break;
        }
    }
}

fn draw_weights(
    settings: &LfrSettings,
    pairs: &[(usize, usize)],
    communities: &[usize],
    outer: &[usize],
) -> Vec<f64> {
    let inside: Vec<bool> = pairs
        .iter()
        .map(|&(a, b)| communities[a] == communities[b])
        .collect();
    // Degrees as realised, inside and outside.
    let mut degree = vec![[0.0f64; 2]; communities.len()];
    for (&(a, b), &inside) in pairs.iter().zip(&inside) {
        degree[a][usize::from(!inside)] += 1.0;
        degree[b][usize::from(!inside)] += 1.0;
    }
    let wanted = |node: usize, side: usize| {
        let strength = (degree[node][0] + degree[node][1]).powf(settings.strength_exponent);
        // Edges that could not be placed take their strength along.
        let placed = degree[node][1] / (outer[node] as f64).max(1.0);
        strength
            * [
                1.0 - settings.weight_mixing,
                settings.weight_mixing * placed,
            ][side]
    };
    let fair = |node: usize, side: usize| wanted(node, side) / degree[node][side].max(1.0);
    let mut weights: Vec<f64> = pairs
        .iter()
        .zip(&inside)
        .map(|(&(a, b), &inside)| {
            (fair(a, usize::from(!inside)) + fair(b, usize::from(!inside))) / 2.0
        })
        .collect();
    let least = 1e-3 * weights.iter().sum::<f64>() / weights.len().max(1) as f64;
    for _ in 0..200 {
        let mut strength = vec![[0.0f64; 2]; communities.len()];
        for ((&(a, b), &inside), weight) in pairs.iter().zip(&inside).zip(&weights) {
            strength[a][usize::from(!inside)] += weight;
            strength[b][usize::from(!inside)] += weight;
        }
        let lacking = |node: usize, side: usize| {
            (wanted(node, side) - strength[node][side]) / degree[node][side].max(1.0)
        };
        for ((&(a, b), &inside), weight) in pairs.iter().zip(&inside).zip(&mut weights) {
            let side = usize::from(!inside);
            *weight = (*weight + 0.5 * (lacking(a, side) + lacking(b, side))).max(least);
        }
    }
    weights
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shares(graph: &LfrGraph) -> (f64, f64) {
        let (mut edges, mut weight, mut out, mut out_weight) = (0.0, 0.0, 0.0, 0.0);
        for &(a, b, w) in &graph.edges {
            edges += 1.0;
            weight += w;
            if graph.communities[a] != graph.communities[b] {
                out += 1.0;
                out_weight += w;
            }
        }
        (out / edges, out_weight / weight)
    }

    #[test]
    fn mixing_degrees_and_strengths_are_as_asked() {
        for (index, (topology, weight, beta)) in [
            (0.25, 0.25, 1.0),
            (0.25, 0.75, 0.5),
            (0.5, 0.5, 2.0),
            (0.75, 0.25, 1.0),
        ]
        .iter()
        .enumerate()
        {
            let settings = LfrSettings {
                nodes: 400,
                topology_mixing: *topology,
                weight_mixing: *weight,
                strength_exponent: *beta,
                ..LfrSettings::default()
            };
            let mut means = (0.0, 0.0, 0.0);
            for seed in 0..4 {
                let graph = lfr_graph(&settings, Seed::new(seed).indexed(index as u64)).unwrap();
                let (t, w) = shares(&graph);
                let degree = 2.0 * graph.edges.len() as f64 / 400.0;
                means = (means.0 + t / 4.0, means.1 + w / 4.0, means.2 + degree / 4.0);
                assert!(graph.communities.iter().max().unwrap() > &0);
                assert!(
                    graph
                        .edges
                        .windows(2)
                        .all(|e| (e[0].0, e[0].1) < (e[1].0, e[1].1))
                );
                assert!(graph.edges.iter().all(|&(a, b, w)| a < b && w > 0.0));
            }
            assert!(
                (means.0 - topology).abs() < 0.06,
                "topology {topology}: {}",
                means.0
            );
            assert!(
                (means.1 - weight).abs() < 0.08,
                "weight {weight}: {}",
                means.1
            );
            assert!((means.2 - 25.0).abs() < 3.0, "degree {}", means.2);
        }
    }

    #[test]
    fn degrees_that_leave_no_room_for_communities_are_drawn_anew() {
        // Three quarters of the edges of hubs of up to 100 stay inside communities of at most 125 nodes.
        let settings = LfrSettings {
            topology_mixing: 0.25,
            ..Default::default()
        };
        for index in 0..40 {
            lfr_graph(&settings, Seed::new(5).indexed(index)).unwrap();
        }
    }

    #[test]
    fn rewiring_keeps_degrees_and_destroys_communities() {
        let graph = lfr_graph(&LfrSettings::default(), Seed::new(3)).unwrap();
        let null = rewired(&graph, 10, Seed::new(4));
        let degrees = |graph: &LfrGraph| {
            let mut degree = vec![0; graph.nodes];
            graph.edges.iter().for_each(|&(a, b, _)| {
                degree[a] += 1;
                degree[b] += 1;
            });
            degree
        };
        assert_eq!(degrees(&graph), degrees(&null));
        assert!(
            null.edges
                .windows(2)
                .all(|e| (e[0].0, e[0].1) < (e[1].0, e[1].1))
        );
        assert!(shares(&null).0 > shares(&graph).0 + 0.2);
    }

    #[test]
    fn settings_out_of_range_are_named() {
        let settings = LfrSettings {
            topology_mixing: 1.0,
            ..LfrSettings::default()
        };
        let message = lfr_graph(&settings, Seed::new(0)).unwrap_err().to_string();
        assert!(message.contains("topology_mixing"), "{message}");
        assert!(
            lfr_graph(
                &LfrSettings {
                    nodes: 3,
                    ..settings
                },
                Seed::new(0)
            )
            .is_err()
        );
    }
}
