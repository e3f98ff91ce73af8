//! The analysis on simulated recordings in which communities were planted.

use chiasm_brain::dynamic_connectome::{Affinities, ConnectomeFit, Division, DynamicConnectome};
use chiasm_core::metrics::partition::adjusted_mutual_information;
use chiasm_core::{Progress, Result, Seed};
use chiasm_numerics::graph::LouvainSettings;
use chiasm_numerics::tensor::{CpModel, FactorMatch, factor_match};
use chiasm_sim::calcium_communities::{
    CalciumCommunities, CalciumCommunitiesSettings, simulate_communities,
};
use ndarray::Array2;
use serde::{Deserialize, Serialize};

use super::ConnectomeSettings;

/// How well one analysis recovers what was planted.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(super) struct Recovery {
    /// Mean factor match score of the planted components.
    pub(super) factors: f64,
    /// Mean adjusted mutual information of planted membership and the found module.
    pub(super) modules: f64,
}

/// The share of its affinity with its module that a neuron loses when a hub's drive is taken away.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(super) struct Lesion {
    /// The hub, by derivatives.
    pub(super) hub: f64,
    /// The hub, by sliding windows.
    pub(super) hub_by_windows: f64,
    /// The member next in gain, which was left alone.
    pub(super) other: f64,
}

/// Time courses of a planted and the matching found component, scaled to a largest value of 1.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Course {
    pub(super) seconds: Vec<f64>,
    pub(super) planted: Vec<f64>,
    pub(super) found: Vec<f64>,
}

/// What one seed measured.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct PlantedSeed {
    pub(super) rank: usize,
    pub(super) derivatives: Recovery,
    pub(super) windows: Recovery,
    /// Sliding windows whose graphs are divided by the block model.
    pub(super) windows_blocks: Recovery,
    pub(super) null_derivatives: Recovery,
    pub(super) null_windows: Recovery,
    pub(super) lesion: Lesion,
    pub(super) courses: Vec<Course>,
}

pub(super) fn measure(
    settings: &ConnectomeSettings,
    seed: Seed,
    progress: &Progress,
) -> Result<PlantedSeed> {
    let data = simulate_communities(&settings.simulated, seed.named("recordings"))?;
    let fitting = seed.named("fit");
    let intact = settings.pipeline.fit(&data.recordings, fitting, progress)?;
    // The rank was chosen once, on intact data, for every analysis of this seed.
    let mut derivatives = settings.pipeline.clone();
    derivatives.rank_search = None;
    derivatives.decomposition.rank = intact.model.rank();
    let windows_blocks = DynamicConnectome {
        affinities: Affinities::SlidingWindow(settings.window.clone()),
        ..derivatives.clone()
    };
    let windows = DynamicConnectome {
        division: Division::Louvain(LouvainSettings::default()),
        ..windows_blocks.clone()
    };
    let by_windows = windows.fit(&data.recordings, fitting, progress)?;
    let by_windows_blocks = windows_blocks.fit(&data.recordings, fitting, progress)?;
    let silent = CalciumCommunitiesSettings {
        drive: 0.0,
        ..settings.simulated.clone()
    };
    let null = simulate_communities(&silent, seed.named("recordings"))?;
    let null_derivatives = derivatives.fit(&null.recordings, fitting, progress)?;
    let null_windows = windows.fit(&null.recordings, fitting, progress)?;

    let mut lesion = Lesion {
        hub: 0.0,
        hub_by_windows: 0.0,
        other: 0.0,
    };
    let lesions = settings.lesions.min(data.communities.len());
    for community in 0..lesions {
        let hub = data.communities[community].hub();
        let changed = CalciumCommunitiesSettings {
            lesion: Some((community, hub)),
            ..settings.simulated.clone()
        };
        let lesioned = simulate_communities(&changed, seed.named("recordings"))?;
        let after = derivatives.fit(&lesioned.recordings, fitting, progress)?;
        let after_windows = windows.fit(&lesioned.recordings, fitting, progress)?;
        let mut others = data.communities[community].gain.clone();
        others[hub] = 0.0;
        let other = (0..others.len())
            .max_by(|&a, &b| others[a].total_cmp(&others[b]))
            .unwrap_or(hub);
        let loss = |before: &ConnectomeFit, after: &ConnectomeFit, neuron: usize| {
            let before = belonging(&data, before, community, neuron);
            let after = belonging(&data, after, community, neuron);
            if before > 0.0 {
                1.0 - after / before
            } else {
                0.0
            }
        };
        let share = 1.0 / lesions as f64;
        lesion.hub += share * loss(&intact, &after, hub);
        lesion.hub_by_windows += share * loss(&by_windows, &after_windows, hub);
        lesion.other += share * loss(&intact, &after, other);
    }
    Ok(PlantedSeed {
        rank: intact.model.rank(),
        derivatives: recovery(&data, &intact)?,
        windows: recovery(&data, &by_windows)?,
        windows_blocks: recovery(&data, &by_windows_blocks)?,
        null_derivatives: recovery(&data, &null_derivatives)?,
        null_windows: recovery(&data, &null_windows)?,
        lesion,
        courses: courses(&data, &intact),
    })
}

/// What was planted as a CP model over the axes of `fit`, one component a community, in their order: the
/// columns are not sorted by weight.
fn planted_model(data: &CalciumCommunities, fit: &ConnectomeFit) -> CpModel {
    let place = |name: &String| data.neurons.iter().position(|known| known == name);
    let neurons: Vec<usize> = fit.neurons.iter().filter_map(place).collect();
    let count = data.communities.len();
    let pairs = neurons.len() * (neurons.len() - 1) / 2;
    let mut factors = [
        Array2::zeros((fit.times.len(), count)),
        Array2::zeros((data.recordings.len(), count)),
        Array2::zeros((pairs, count)),
    ];
    let rate = data.recordings[0].rate().unwrap_or(1.0);
    for (index, community) in data.communities.iter().enumerate() {
        for (step, time) in fit.times.iter().enumerate() {
            let frame = (time * rate).round().max(0.0) as usize;
            factors[0][[step, index]] = community.activity.get(frame).copied().unwrap_or(0.0);
        }
        for (animal, &having) in community.animals.iter().enumerate() {
            factors[1][[animal, index]] = f64::from(u8::from(having));
        }
        let mut pair = 0;
        for (i, &a) in neurons.iter().enumerate() {
            for &b in &neurons[i + 1..] {
                factors[2][[pair, index]] = (community.gain[a] * community.gain[b]).sqrt();
                pair += 1;
            }
        }
        for factor in &mut factors {
            let mut column = factor.column_mut(index);
            let norm = column.dot(&column).sqrt();
            if norm > 0.0 {
                column /= norm;
            }
        }
    }
    CpModel {
        weights: vec![1.0; count],
        factors,
    }
}

fn matched(data: &CalciumCommunities, fit: &ConnectomeFit) -> FactorMatch {
    factor_match(&planted_model(data, fit), &fit.model)
}

fn recovery(data: &CalciumCommunities, fit: &ConnectomeFit) -> Result<Recovery> {
    let found = matched(data, fit);
    let mut modules = 0.0;
    for (community, partner) in data.communities.iter().zip(&found.partner) {
        let Some(component) = *partner else { continue };
        let member = |name: &String| {
            let place = data.neurons.iter().position(|known| known == name);
            usize::from(place.is_some_and(|neuron| community.gain[neuron] > 0.0))
        };
        let planted: Vec<usize> = fit.neurons.iter().map(member).collect();
        let mut labels = vec![0; fit.neurons.len()];
        fit.components[component]
            .module
            .iter()
            .for_each(|&neuron| labels[neuron] = 1);
        modules += adjusted_mutual_information(&labels, &planted)?;
    }
    Ok(Recovery {
        factors: found.score,
        modules: modules / data.communities.len() as f64,
    })
}

/// A neuron's mean affinity with the planted members, in units of the mean affinity among them, in the
/// component that matches the community: about 1 for a typical member, 0 outside.
fn belonging(
    data: &CalciumCommunities,
    fit: &ConnectomeFit,
    community: usize,
    neuron: usize,
) -> f64 {
    let Some(component) = matched(data, fit).partner[community] else {
        return 0.0;
    };
    let graph = &fit.components[component].graph;
    let place = |neuron: &usize| {
        fit.neurons
            .iter()
            .position(|name| *name == data.neurons[*neuron])
    };
    let Some(own) = place(&neuron) else {
        return 0.0;
    };
    let members: Vec<usize> = data.communities[community]
        .members()
        .iter()
        .filter_map(place)
        .collect();
    let others: Vec<usize> = members
        .iter()
        .copied()
        .filter(|&member| member != own)
        .collect();
    let among = graph.mean_weight_within(&others);
    let links = graph
        .links(own)
        .iter()
        .filter(|(other, _)| others.contains(other));
    let sum: f64 = links.map(|&(_, weight)| weight).sum();
    if among > 0.0 {
        sum / others.len() as f64 / among
    } else {
        0.0
    }
}

fn courses(data: &CalciumCommunities, fit: &ConnectomeFit) -> Vec<Course> {
    let planted = planted_model(data, fit);
    let scaled = |column: ndarray::ArrayView1<'_, f64>| {
        let most = column
            .iter()
            .fold(f64::MIN_POSITIVE, |most, &value| most.max(value));
        column
            .iter()
            .map(|value| value / most)
            .collect::<Vec<f64>>()
    };
    let partners = matched(data, fit).partner;
    let pairs = partners
        .iter()
        .enumerate()
        .filter_map(|(index, partner)| Some((index, (*partner)?)));
    pairs
        .map(|(index, component)| Course {
            seconds: fit.times.clone(),
            planted: scaled(planted.factors[0].column(index)),
            found: scaled(fit.model.factors[0].column(component)),
        })
        .collect()
}
