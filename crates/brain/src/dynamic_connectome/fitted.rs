//! What the analysis found: components with their times, animals and communities.

use chiasm_core::data::Intervals;
use chiasm_core::{Progress, Result, Seed};
use chiasm_numerics::graph::{
    DescriptionLength, NestedBlockModel, WeightedGraph, fit_block_model, louvain,
};
use chiasm_numerics::tensor::{CpFit, CpModel, ObservedTensor, RankChoice};
use rayon::prelude::*;

use super::affinity::pair_list;
use super::roster::Roster;
use super::{Affinities, Division, DynamicConnectome};

/// The communities of one component's graph.
#[derive(Clone, Debug, PartialEq)]
pub struct Communities {
    /// Labels of the neurons, level by level from fine to coarse; a single level without a hierarchy.
    pub levels: Vec<Vec<usize>>,
    /// The description length of the block model, where that was used.
    pub description_length: Option<DescriptionLength>,
    /// Whether the block model corrects for degrees, where that was used.
    pub degree_corrected: Option<bool>,
}

/// One component: a community graph with the times and animals in which it shows.
#[derive(Clone, Debug)]
pub struct Component {
    /// How large the component is: the weight of the normalised CP model.
    pub weight: f64,
    /// When it is active, in seconds.
    pub active: Intervals,
    /// Indices of the animals in which it is active.
    pub animals: Vec<usize>,
    /// Its affinities between neurons.
    pub graph: WeightedGraph,
    /// How the graph is divided; `None` where it has no edges.
    pub communities: Option<Communities>,
    /// The community that holds the component together: of those with at least three neurons the one
    /// of the largest mean affinity inside. Empty where there is none, or all are one.
    pub module: Vec<usize>,
}

/// A fitted dynamic connectome.
#[derive(Clone, Debug)]
pub struct ConnectomeFit {
    /// Names of the neurons, sorted.
    pub neurons: Vec<String>,
    /// Names of the recordings, in the order given.
    pub animals: Vec<String>,
    /// Time of each step of the time courses in seconds.
    pub times: Vec<f64>,
    /// The decomposition: time steps, animals, pairs of neurons in the order of a condensed matrix.
    pub model: CpModel,
    /// ‖observed − model‖ / ‖observed‖ over observed entries.
    pub relative_error: f64,
    /// Mean factor match score between the best start of the decomposition and the others.
    pub stability: Option<f64>,
    /// Why this number of components, where it was searched for.
    pub rank_choice: Option<RankChoice>,
    /// Pairs of neurons never found in the same animal: their affinity is unknown and counts as absent.
    pub unobserved_pairs: usize,
    /// The components, the largest first.
    pub components: Vec<Component>,
}

impl ConnectomeFit {
    /// The strength of a component over time in one animal, in the unit of the affinities: the model's
    /// affinity of its strongest pair.
    pub fn timeline(&self, component: usize, animal: usize) -> Vec<f64> {
        let most = self.model.factors[2]
            .column(component)
            .iter()
            .fold(0.0f64, |a, &b| a.max(b));
        let scale =
            most * self.model.weights[component] * self.model.factors[1][[animal, component]];
        self.model.factors[0]
            .column(component)
            .iter()
            .map(|value| value * scale)
            .collect()
    }
}

pub(super) fn assemble(
    settings: &DynamicConnectome,
    roster: &Roster<'_>,
    tensor: &ObservedTensor,
    fit: CpFit,
    rank_choice: Option<RankChoice>,
    seed: Seed,
    progress: &Progress,
) -> Result<ConnectomeFit> {
    let model = fit.model().clone();
    let steps = tensor.dims()[0];
    let (first, step) = match &settings.affinities {
        Affinities::Derivatives(own) => {
            let frames = own.frames_per_step as f64;
            (
                roster.start + (frames - 1.0) / 2.0 / roster.rate,
                frames / roster.rate,
            )
        }
        Affinities::SlidingWindow(own) => {
            let stride = (own.step_seconds * roster.rate).round() / roster.rate;
            (roster.start + own.window_seconds / 2.0, stride)
        }
    };
    let times: Vec<f64> = (0..steps)
        .map(|index| first + index as f64 * step)
        .collect();
    let components: Result<Vec<Component>> = (0..model.rank())
        .into_par_iter()
        .map(|index| {
            let seed = seed.named("component").indexed(index as u64);
            component(
                settings,
                roster,
                &model,
                index,
                (&times, step),
                seed,
                progress,
            )
        })
        .collect();
    let mut seen = vec![false; roster.pairs()];
    tensor.places().for_each(|(_, pair)| seen[pair] = true);
    Ok(ConnectomeFit {
        neurons: roster.neurons.clone(),
        animals: roster
            .recordings
            .iter()
            .map(|recording| recording.name.clone())
            .collect(),
        times,
        relative_error: fit.relative_error(),
        stability: fit.stability(),
        rank_choice,
        unobserved_pairs: seen.iter().filter(|&&seen| !seen).count(),
        components: components?,
        model,
    })
}

fn component(
    settings: &DynamicConnectome,
    roster: &Roster<'_>,
    model: &CpModel,
    index: usize,
    (times, step): (&[f64], f64),
    seed: Seed,
    progress: &Progress,
) -> Result<Component> {
    let exceeding = |axis: usize| -> Vec<usize> {
        let column = model.factors[axis].column(index);
        let most = column.iter().fold(0.0f64, |a, &b| a.max(b));
        let above = |&place: &usize| column[place] > settings.active_share * most;
        (0..column.len()).filter(above).collect()
    };
    let bounds = exceeding(0).into_iter().map(|at| {
        // Half a step more than half on either side, so that neighbours merge in spite of rounding.
        (times[at] - 0.5001 * step, times[at] + 0.5001 * step)
    });
    let active = Intervals::new(bounds.collect())?;
    let pairs = model.factors[2].column(index);
    let strongest = pairs.iter().fold(0.0f64, |a, &b| a.max(b));
    let edges = pair_list(roster.neurons.len())
        .into_iter()
        .zip(pairs.iter())
        .filter(|&(_, &weight)| weight > 0.0 && weight >= settings.least_weight * strongest)
        .map(|((i, j), &weight)| (i, j, weight));
    let graph = WeightedGraph::from_edges(roster.neurons.len(), edges)?;
    let communities = divide(&graph, &settings.division, seed, progress)?;
    let module = communities
        .as_ref()
        .map_or_else(Vec::new, |own| densest(&graph, &own.levels[0]));
    Ok(Component {
        weight: model.weights[index],
        active,
        animals: exceeding(1),
        graph,
        communities,
        module,
    })
}

fn divide(
    graph: &WeightedGraph,
    division: &Division,
    seed: Seed,
    progress: &Progress,
) -> Result<Option<Communities>> {
    if graph.edges().is_empty() {
        return Ok(None);
    }
    Ok(Some(match division {
        Division::BlockModel(settings) => {
            let fit: NestedBlockModel = fit_block_model(graph, settings, seed, progress)?;
            Communities {
                levels: (0..fit.levels.len())
                    .map(|level| fit.blocks(level))
                    .collect(),
                description_length: Some(fit.description_length),
                degree_corrected: Some(fit.degree_corrected),
            }
        }
        Division::Louvain(settings) => Communities {
            levels: vec![louvain(graph, settings, seed)?.communities],
            description_length: None,
            degree_corrected: None,
        },
    }))
}

/// Members of the community with the largest mean weight inside, of those with at least three.
fn densest(graph: &WeightedGraph, labels: &[usize]) -> Vec<usize> {
    let count = labels.iter().max().map_or(0, |&most| most + 1);
    let mut best = (0.0, Vec::new());
    // A graph that was not divided has no community that stands out.
    for label in 0..if count > 1 { count } else { 0 } {
        let members: Vec<usize> = (0..labels.len())
            .filter(|&neuron| labels[neuron] == label)
            .collect();
        let inside = graph.mean_weight_within(&members);
        if members.len() >= 3 && inside > best.0 {
            best = (inside, members);
        }
    }
    best.1
}
