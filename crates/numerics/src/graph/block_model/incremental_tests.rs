//! Changes in description length against measuring anew.

use chiasm_core::Seed;
use proptest::prelude::*;
use rand::RngExt;

use super::counting::Counting;
use super::description::measure;
use super::source::{Kind, Source};
use super::state::{Proposal, State};
use crate::graph::WeightedGraph;

fn random_graph(nodes: usize, density: f64, seed: u64) -> WeightedGraph {
    let mut rng = Seed::new(seed).rng();
    let mut edges = vec![(0, 1, 1.0)];
    for a in 0..nodes {
        for b in a + 1..nodes {
            let weight = rng.random_range(0.01..5.0);
            if rng.random::<f64>() < density && (a, b) != (0, 1) {
                edges.push((a, b, weight));
            }
        }
    }
    WeightedGraph::from_edges(nodes, edges).unwrap()
}

/// Random labels without gaps.
fn random_labels(count: usize, groups: usize, rng: &mut impl RngExt) -> Vec<usize> {
    let groups = groups.min(count);
    let mut labels: Vec<usize> = (0..count).map(|_| rng.random_range(0..groups)).collect();
    (0..groups).for_each(|group| labels[group] = group);
    labels
}

fn walk(source: &Source, seed: u64, steps: usize) {
    let mut rng = Seed::new(seed).named("walk").rng();
    let counting = Counting::new(40, 400);
    let lowest = random_labels(source.nodes(), 6, &mut rng);
    let middle = random_labels(lowest.iter().max().unwrap() + 1, 3, &mut rng);
    let mut state = State::new(source, &counting, vec![lowest, middle]);
    for _ in 0..steps {
        let level = rng.random_range(0..state.depth());
        let slots = state.group_slots(level) as u32;
        let used: Vec<u32> = (0..slots)
            .filter(|&group| state.size(level, group) > 0)
            .collect();
        let proposal = if rng.random::<f64>() < 0.15 && used.len() > 1 {
            let from = used[rng.random_range(0..used.len())];
            let to = used[rng.random_range(0..used.len())];
            Proposal::Merge { level, from, to }
        } else {
            let nodes = state.nodes(level);
            let node = nodes[rng.random_range(0..nodes.len())];
            let free = state
                .empty_group(level)
                .filter(|_| rng.random::<f64>() < 0.3);
            let to = free.unwrap_or_else(|| used[rng.random_range(0..used.len())]);
            state.gather(level, node);
            Proposal::Move { level, node, to }
        };
        let (from, to) = match proposal {
            Proposal::Move { level, node, to } => (state.group_of(level, node), to),
            Proposal::Merge { from, to, .. } => (from, to),
        };
        if from == to {
            continue;
        }
        let before = state.length;
        let added = state.propose(proposal);
        // Asking twice gives the same answer: a proposal leaves nothing behind.
        assert_eq!(added, state.propose(proposal));
        state.apply(proposal, added);
        let mut labels = state.labels();
        if labels.len() < 3 {
            // Levels above a single group describe nothing and cost nothing.
            labels.truncate(
                labels
                    .iter()
                    .position(|l| l.iter().all(|&g| g == 0))
                    .unwrap()
                    + 1,
            );
        }
        let anew = measure(source, &labels, &counting, 0.0).total();
        assert!(
            (state.length - anew).abs() < 1e-6 * anew.abs().max(1.0),
            "{proposal:?}: {before} + {added} is not {anew}"
        );
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn added_lengths_agree_with_measuring_anew(
        nodes in 4usize..24, density in 0.1f64..1.0, seed in 0u64..1_000_000, weighted: bool,
    ) {
        let graph = random_graph(nodes, density, seed);
        for kind in [Kind::Plain, Kind::DegreeCorrected] {
            let (source, _) = Source::from_graph(&graph, kind, weighted);
            walk(&source, seed, 40);
            let mut rng = Seed::new(seed).named("blocks").rng();
            let blocks = random_labels(nodes, nodes.div_ceil(2), &mut rng);
            walk(&source.block_graph(&blocks), seed, 40);
        }
    }
}
