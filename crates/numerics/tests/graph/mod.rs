//! Louvain and the nested weighted block model.

use chiasm_core::metrics::partition::adjusted_mutual_information;
use chiasm_core::{Error, Progress, Seed};
use chiasm_numerics::graph::{
    BlockModelSettings, DegreeCorrection, EdgeWeights, LouvainSettings, WeightedGraph,
    description_length, fit_block_model, louvain, modularity,
};
use rand::RngExt;
use rand_distr::{Distribution, Exp1};
use serde::Deserialize;

#[derive(Deserialize)]
struct Measured {
    levels: Vec<Vec<usize>>,
    degree_corrected: bool,
    weighted: bool,
    length: f64,
}

#[derive(Deserialize)]
struct Best {
    degree_corrected: bool,
    weighted: bool,
    length: f64,
}

#[derive(Deserialize)]
struct Case {
    name: String,
    nodes: usize,
    edges: Vec<(usize, usize, f64)>,
    measured: Vec<Measured>,
    best: Vec<Best>,
}

fn cases() -> Vec<Case> {
    serde_json::from_str(include_str!("../fixtures/block_model.json")).unwrap()
}

fn weights(weighted: bool) -> EdgeWeights {
    if weighted {
        EdgeWeights::Exponential
    } else {
        EdgeWeights::Ignored
    }
}

#[test]
fn description_lengths_agree_with_graph_tool() {
    for case in cases() {
        let graph = WeightedGraph::from_edges(case.nodes, case.edges).unwrap();
        for Measured {
            levels,
            degree_corrected,
            weighted,
            length,
        } in case.measured
        {
            let ours =
                description_length(&graph, &levels, degree_corrected, weights(weighted)).unwrap();
            let difference = (ours.total() - length).abs();
            assert!(
                difference < 1e-6,
                "{}: {} {length}",
                case.name,
                ours.total()
            );
        }
    }
}

#[test]
fn the_search_finds_descriptions_as_short_as_graph_tool_does() {
    for case in cases() {
        let graph = WeightedGraph::from_edges(case.nodes, case.edges).unwrap();
        for Best {
            degree_corrected,
            weighted,
            length,
        } in case.best
        {
            let settings = BlockModelSettings {
                degree_correction: match degree_corrected {
                    true => DegreeCorrection::Always,
                    false => DegreeCorrection::Never,
                },
                weights: weights(weighted),
                ..Default::default()
            };
            let fit =
                fit_block_model(&graph, &settings, Seed::new(1), &Progress::silent()).unwrap();
            let ours = fit.description_length.total();
            assert!(ours < length + 1e-6, "{}: {ours} {length}", case.name);
            let again =
                description_length(&graph, &fit.levels, degree_corrected, weights(weighted))
                    .unwrap();
            assert!((again.total() - ours).abs() < 1e-9);
        }
    }
}

/// Two joined nodes and a third apart, worked out by hand.
#[test]
fn tiny_graphs_by_hand() {
    let graph = WeightedGraph::from_edges(3, [(0, 1, 2.5)]).unwrap();
    // One block, plain: e_00 = 2. −ln P(A) = −ln 2!! + 2 ln 3; −ln P(b) = ln 3; the level above has one
    // node and one way to hold its edge.
    let one =
        description_length(&graph, &[vec![0, 0, 0]], false, EdgeWeights::Exponential).unwrap();
    assert!((one.adjacency - (2.0 * 3f64.ln() - 2f64.ln())).abs() < 1e-12);
    assert!((one.partitions - 3f64.ln()).abs() < 1e-12);
    assert_eq!(
        (one.degrees, one.block_counts, one.weights),
        (0.0, 0.0, 0.0)
    );
    // Degree-corrected: −ln P(A) = −ln 2!! + ln 2!; degrees 1, 1, 0: q(2, 3) = 2 partitions,
    // 3! / (2! 1!) = 3 arrangements.
    let one = description_length(&graph, &[vec![0, 0, 0]], true, EdgeWeights::Exponential).unwrap();
    assert!((one.adjacency - 0.0).abs() < 1e-12);
    assert!((one.degrees - 6f64.ln()).abs() < 1e-12);
    // Blocks {0, 1} and {2}: plain −ln P(A) = −ln 2!! + 2 ln 2 = ln 2; −ln P(b) = ln 3 + ln C(2, 1) +
    // ln 3, the level above ln 2; two blocks can hold one edge in three ways.
    let two = description_length(&graph, &[vec![0, 0, 1]], false, EdgeWeights::Ignored).unwrap();
    assert!((two.adjacency - 2f64.ln()).abs() < 1e-12);
    assert!((two.partitions - (9f64.ln() + 2f64.ln() + 2f64.ln())).abs() < 1e-12);
    assert!((two.block_counts - 3f64.ln()).abs() < 1e-12);
    // Three weights 1, 2, 3 in one block: −ln (2! / 6²).
    let path = WeightedGraph::from_edges(4, [(0, 1, 1.0), (1, 2, 2.0), (2, 3, 3.0)]).unwrap();
    let path = description_length(&path, &[vec![0; 4]], false, EdgeWeights::Exponential).unwrap();
    assert!((path.weights - (36f64 / 2.0).ln()).abs() < 1e-8);
}

#[test]
fn the_unit_of_the_weights_shifts_all_lengths_alike() {
    let case = cases().swap_remove(0);
    let scaled = case
        .edges
        .iter()
        .map(|&(a, b, weight)| (a, b, 1000.0 * weight));
    let scaled = WeightedGraph::from_edges(case.nodes, scaled).unwrap();
    let edges = case.edges.len() as f64;
    let graph = WeightedGraph::from_edges(case.nodes, case.edges).unwrap();
    for measured in &case.measured {
        let length = |graph| {
            description_length(graph, &measured.levels, true, EdgeWeights::Exponential)
                .unwrap()
                .total()
        };
        let shift = length(&scaled) - length(&graph);
        assert!(
            (shift - (edges - 1.0) * 1000f64.ln()).abs() < 1e-4,
            "{shift}"
        );
    }
}

fn random_graph(
    blocks: &[usize],
    chance: impl Fn(bool) -> f64,
    mean: impl Fn(bool) -> f64,
    seed: u64,
) -> WeightedGraph {
    let mut rng = Seed::new(seed).named("graph").rng();
    let mut edges = Vec::new();
    for a in 0..blocks.len() {
        for b in a + 1..blocks.len() {
            let same = blocks[a] == blocks[b];
            let weight: f64 = Exp1.sample(&mut rng);
            if rng.random::<f64>() < chance(same) {
                edges.push((a, b, weight * mean(same)));
            }
        }
    }
    WeightedGraph::from_edges(blocks.len(), edges).unwrap()
}

#[test]
fn planted_blocks_come_back_whether_edges_or_weights_tell_them_apart() {
    let blocks: Vec<usize> = (0..60).map(|node| node / 15).collect();
    let fit = |graph: &WeightedGraph| {
        fit_block_model(
            graph,
            &Default::default(),
            Seed::new(2),
            &Progress::silent(),
        )
        .unwrap()
    };
    let by_edges = random_graph(&blocks, |same| if same { 0.7 } else { 0.1 }, |_| 1.0, 3);
    let by_weights = random_graph(&blocks, |_| 1.0, |same| if same { 6.0 } else { 1.0 }, 4);
    for graph in [by_edges, by_weights] {
        let found = fit(&graph);
        let score = adjusted_mutual_information(&found.levels[0], &blocks).unwrap();
        assert!(score > 0.95, "{score}");
        assert_eq!(found.levels.last().unwrap().iter().max(), Some(&0));
        assert_eq!(found.runs.len(), 8);
    }
}

#[test]
fn random_graphs_are_one_block() {
    for seed in 0..4 {
        let sparse = random_graph(&[0; 80], |_| 0.1, |_| 1.0, seed);
        let complete = random_graph(&[0; 40], |_| 1.0, |_| 1.0, seed + 10);
        for graph in [sparse, complete] {
            let settings = BlockModelSettings {
                restarts: 2,
                ..Default::default()
            };
            let fit =
                fit_block_model(&graph, &settings, Seed::new(seed), &Progress::silent()).unwrap();
            assert_eq!(fit.block_count(), 1, "seed {seed}: {:?}", fit.runs);
        }
    }
}

#[test]
fn louvain_scores_as_networkx_and_reaches_what_leiden_reaches() {
    #[derive(Deserialize)]
    struct Scored {
        labels: Vec<usize>,
        resolution: f64,
        modularity: f64,
    }
    #[derive(Deserialize)]
    struct Case {
        nodes: usize,
        edges: Vec<(usize, usize, f64)>,
        measured: Vec<Scored>,
        best: f64,
    }
    let cases: Vec<Case> = serde_json::from_str(include_str!("../fixtures/louvain.json")).unwrap();
    for case in cases {
        let graph = WeightedGraph::from_edges(case.nodes, case.edges).unwrap();
        for Scored {
            labels,
            resolution,
            modularity: expected,
        } in &case.measured
        {
            let ours = modularity(&graph, labels, *resolution).unwrap();
            assert!((ours - expected).abs() < 1e-12, "{ours} {expected}");
        }
        let settings = LouvainSettings {
            restarts: 50,
            ..Default::default()
        };
        let fit = louvain(&graph, &settings, Seed::new(5)).unwrap();
        // The quality Leiden reports is the modularity in twice the total weight.
        let best = case.best;
        assert!(fit.modularity > best - 0.005, "{} {best}", fit.modularity);
        let again = modularity(&graph, &fit.communities, 1.0).unwrap();
        assert!((again - fit.modularity).abs() < 1e-12);
    }
}

#[test]
fn what_is_wrong_is_named() {
    let reason = |edges: &[(usize, usize, f64)]| {
        WeightedGraph::from_edges(3, edges.to_vec())
            .unwrap_err()
            .to_string()
    };
    assert!(reason(&[(0, 3, 1.0)]).contains("0 - 3"));
    assert!(reason(&[(1, 1, 1.0)]).contains("itself"));
    assert!(reason(&[(0, 1, 1.0), (1, 0, 2.0)]).contains("twice"));
    assert!(reason(&[(0, 1, 0.0)]).contains("positive"));
    let lopsided = ndarray::array![[0.0, 1.0], [2.0, 0.0]];
    assert!(
        WeightedGraph::from_matrix(lopsided.view())
            .unwrap_err()
            .to_string()
            .contains("differ")
    );
    let empty = WeightedGraph::from_edges(3, []).unwrap();
    let fit = fit_block_model(
        &empty,
        &Default::default(),
        Seed::new(0),
        &Progress::silent(),
    );
    assert!(matches!(fit, Err(Error::TooFew { .. })));
    let graph = WeightedGraph::from_edges(3, [(0, 1, 1.0)]).unwrap();
    for levels in [
        vec![vec![0, 2, 2]],
        vec![vec![0, 1]],
        vec![vec![0, 1, 1], vec![0]],
    ] {
        assert!(description_length(&graph, &levels, true, EdgeWeights::Ignored).is_err());
    }
    assert!(
        louvain(
            &graph,
            &LouvainSettings {
                resolution: 0.0,
                restarts: 1
            },
            Seed::new(0)
        )
        .is_err()
    );
}
