//! Nested weighted block model and Louvain on a planted weighted graph of 500 nodes.
//!
//! `bench/peers/leidenalg_blocks.py` times leidenalg and, where installed, graph-tool on the same graph
//! and prints what they reach beside it.

#![allow(
    missing_docs,
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a benchmark prints and may fail loudly"
)]

use chiasm_core::{Progress, Seed};
use chiasm_numerics::graph::{
    BlockModelSettings, LouvainSettings, WeightedGraph, fit_block_model, louvain,
};

fn main() {
    let graph = planted();
    let fit = fit_block_model(
        &graph,
        &BlockModelSettings::default(),
        Seed::new(1),
        &Progress::silent(),
    );
    if let Ok(fit) = fit {
        println!(
            "{} edges; shortest description {:.3} nats, {} blocks, degree-corrected: {}",
            graph.edges().len(),
            fit.description_length.total(),
            fit.block_count(),
            fit.degree_corrected
        );
    }
    if let Ok(fit) = louvain(&graph, &LouvainSettings::default(), Seed::new(1)) {
        println!("Louvain: modularity {:.6}", fit.modularity);
    }
    divan::main();
}

/// A number in [0, 1) from its index (SplitMix64), as the peer's script draws it.
fn uniform(index: u64) -> f64 {
    let mut x = index.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    ((x ^ (x >> 31)) >> 11) as f64 / (1u64 << 53) as f64
}

/// Ten groups of fifty in two halves; edges and weights are denser inside.
fn planted() -> WeightedGraph {
    let mut edges = Vec::new();
    for a in 0..500usize {
        for b in a + 1..500 {
            let (chance, mean) = match (a / 50 == b / 50, a / 250 == b / 250) {
                (true, _) => (0.25, 3.0),
                (false, true) => (0.03, 1.0),
                _ => (0.01, 0.5),
            };
            let pair = 2 * (500 * a + b) as u64;
            if uniform(pair) < chance {
                edges.push((a, b, -mean * (1.0 - uniform(pair + 1)).ln()));
            }
        }
    }
    let Ok(graph) = WeightedGraph::from_edges(500, edges) else {
        unreachable!("edges are distinct")
    };
    graph
}

#[divan::bench(sample_count = 5, sample_size = 1)]
fn block_model_four_searches_of_each_kind(bencher: divan::Bencher<'_, '_>) {
    let graph = planted();
    bencher.bench_local(|| {
        fit_block_model(
            &graph,
            &BlockModelSettings::default(),
            Seed::new(1),
            &Progress::silent(),
        )
    });
}

#[divan::bench(sample_count = 5, sample_size = 1)]
fn louvain_eight_restarts(bencher: divan::Bencher<'_, '_>) {
    let graph = planted();
    bencher.bench_local(|| louvain(&graph, &LouvainSettings::default(), Seed::new(1)));
}
