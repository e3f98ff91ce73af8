//! Real data: the measured atlases of C. elegans, where they were fetched.

use chiasm_core::evidence::{Findings, ResultTable};
use chiasm_core::metrics::partition::adjusted_mutual_information;
use chiasm_core::{Progress, Seed};
use chiasm_io::catalogue::{self, Status, WormAtlas};
use chiasm_numerics::graph::{
    EdgeWeights, LouvainSettings, WeightedGraph, description_length, fit_block_model, louvain,
};

use super::ConnectomeSettings;
use crate::Result;

const ITEM: &str = "worm-functional-atlas";
/// Responses less probable than this by chance are edges of the functional graph.
const MOST_Q: f64 = 0.05;

type Edges = Vec<(usize, usize, f64)>;

/// Divides the functional graph and the anatomical one; says so where the data are not there.
pub(super) fn examine(
    settings: &ConnectomeSettings,
    findings: &mut Findings,
    progress: &Progress,
) -> Result<()> {
    let known = catalogue::list()?
        .into_iter()
        .find(|(item, _)| item.name == ITEM);
    let Some((item, Status::Fetched)) = known else {
        findings.note(format!(
            "Real data not run: the functional and anatomical atlases of C. elegans are not on this \
             machine. `chiasm data get {ITEM}` fetches them."
        ));
        return Ok(());
    };
    let atlas = catalogue::worm_functional_atlas(&progress.quiet())?;
    findings.data(item.used());
    let neurons = atlas.names.len();
    let mut rows = Vec::new();
    let mut blocks: Vec<Vec<Option<usize>>> = Vec::new();
    for (name, edges) in [
        ("functional, q < 0.05", functional_edges(&atlas)),
        ("chemical and gap", anatomical_edges(&atlas)),
    ] {
        let (labels, row) = divide(name, neurons, &edges, settings, progress)?;
        blocks.push(labels);
        rows.push(row);
    }
    let shared = blocks[0]
        .iter()
        .zip(&blocks[1])
        .filter_map(|(a, b)| Some(((*a)?, (*b)?)));
    let (functional, anatomical): (Vec<usize>, Vec<usize>) = shared.unzip();
    let agreement = adjusted_mutual_information(&functional, &anatomical)?;
    findings.table(ResultTable {
        title: "Block models of the worm".to_string(),
        caption: format!(
            "Nested weighted block models of measured signal propagation and of the synapses of \
             C. elegans, beside Louvain; nats saved are against a single block. Over the {} neurons in \
             both graphs the blocks of one and of the other share an adjusted mutual information of \
             {agreement:.2}. A sanity check: no claim rests on it.",
            functional.len()
        ),
        columns: ["Graph", "Neurons", "Edges", "Blocks by level", "Degrees", "Nats saved", "Louvain"]
            .map(String::from)
            .to_vec(),
        rows,
    });
    Ok(())
}

/// Blocks of the neurons that have an edge, and a row of the table.
fn divide(
    name: &str,
    neurons: usize,
    edges: &Edges,
    settings: &ConnectomeSettings,
    progress: &Progress,
) -> Result<(Vec<Option<usize>>, Vec<String>)> {
    let mut joined = vec![false; neurons];
    for &(a, b, _) in edges {
        joined[a] = true;
        joined[b] = true;
    }
    let members: Vec<usize> = (0..neurons).filter(|&neuron| joined[neuron]).collect();
    let place = |neuron: usize| members.partition_point(|&member| member < neuron);
    let own = edges
        .iter()
        .map(|&(a, b, weight)| (place(a), place(b), weight));
    let graph = WeightedGraph::from_edges(members.len(), own)?;
    let seed = Seed::new(0).named("worm").named(name);
    let fit = fit_block_model(&graph, &settings.blocks, seed, &progress.quiet())?;
    let single = vec![vec![0; members.len()]];
    let single = description_length(
        &graph,
        &single,
        fit.degree_corrected,
        EdgeWeights::Exponential,
    )?;
    let modular = louvain(&graph, &LouvainSettings::default(), seed)?;
    let count = |labels: &[usize]| labels.iter().max().map_or(0, |&most| most + 1);
    let levels: Vec<String> = fit
        .levels
        .iter()
        .map(|level| count(level).to_string())
        .collect();
    let row = vec![
        name.to_string(),
        members.len().to_string(),
        graph.edges().len().to_string(),
        levels.join(" > "),
        if fit.degree_corrected {
            "modelled"
        } else {
            "not modelled"
        }
        .to_string(),
        format!("{:.0}", single.total() - fit.description_length.total()),
        count(&modular.communities).to_string(),
    ];
    let mut labels = vec![None; neurons];
    members
        .iter()
        .zip(fit.blocks(0))
        .for_each(|(&neuron, block)| labels[neuron] = Some(block));
    Ok((labels, row))
}

/// Pairs of which either stimulated the other significantly, with the mean size of those responses.
fn functional_edges(atlas: &WormAtlas) -> Edges {
    let mut edges = Vec::new();
    for a in 0..atlas.names.len() {
        for b in a + 1..atlas.names.len() {
            let seen: Vec<f64> = [(a, b), (b, a)]
                .into_iter()
                .filter(|&place| atlas.q[place] < MOST_Q)
                .map(|place| atlas.d_ff[place].abs())
                .filter(|&size| size > 0.0 && size.is_finite())
                .collect();
            if !seen.is_empty() {
                edges.push((a, b, seen.iter().sum::<f64>() / seen.len() as f64));
            }
        }
    }
    edges
}

fn anatomical_edges(atlas: &WormAtlas) -> Edges {
    let mut edges = Vec::new();
    for a in 0..atlas.names.len() {
        for b in a + 1..atlas.names.len() {
            let synapses = atlas.chemical[[a, b]] + atlas.chemical[[b, a]] + atlas.gap[[a, b]];
            if synapses > 0.0 && synapses.is_finite() {
                edges.push((a, b, synapses));
            }
        }
    }
    edges
}
