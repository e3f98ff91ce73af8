//! From traces to communities.

use chiasm_brain::dynamic_connectome::{
    Affinities, AffinityRule, AffinitySettings, ConnectomeFit, Division, DynamicConnectome,
    SlidingWindow, Smoothness,
};
use chiasm_core::data::{Clock, Recording};
use chiasm_core::metrics::partition::adjusted_mutual_information;
use chiasm_core::{Error, Progress, Seed};
use chiasm_numerics::graph::{BlockModelSettings, LouvainSettings};
use chiasm_numerics::tensor::CpSettings;
use chiasm_sim::calcium_communities::{
    CalciumCommunities, CalciumCommunitiesSettings, simulate_communities,
};
use ndarray::Array2;

fn small() -> CalciumCommunitiesSettings {
    CalciumCommunitiesSettings {
        animals: 8,
        neurons: 40,
        frames: 400,
        stimulus_locked: 2,
        spontaneous: 0,
        fewest_members: 8,
        signal_to_noise: 5.0,
        ..Default::default()
    }
}

fn quick() -> DynamicConnectome {
    DynamicConnectome {
        affinities: Affinities::Derivatives(AffinitySettings {
            frames_per_step: 4,
            ..Default::default()
        }),
        decomposition: CpSettings {
            rank: 3,
            restarts: 4,
            ..Default::default()
        },
        division: Division::BlockModel(BlockModelSettings {
            restarts: 1,
            ..Default::default()
        }),
        ..Default::default()
    }
}

fn fit(settings: &DynamicConnectome, recordings: &[Recording]) -> ConnectomeFit {
    settings
        .fit(recordings, Seed::new(1), &Progress::silent())
        .unwrap()
}

/// For each planted community the best agreement of a component's module with its members.
fn agreement(data: &CalciumCommunities, fit: &ConnectomeFit) -> Vec<f64> {
    let labels = |inside: &dyn Fn(usize) -> bool| {
        (0..fit.neurons.len())
            .map(|neuron| usize::from(inside(neuron)))
            .collect::<Vec<usize>>()
    };
    data.communities
        .iter()
        .map(|community| {
            let planted = labels(&|neuron| {
                let at = data
                    .neurons
                    .iter()
                    .position(|name| *name == fit.neurons[neuron])
                    .unwrap();
                community.gain[at] > 0.0
            });
            let scores = fit.components.iter().map(|component| {
                let found = labels(&|neuron| component.module.contains(&neuron));
                adjusted_mutual_information(&found, &planted).unwrap()
            });
            scores.fold(0.0, f64::max)
        })
        .collect()
}

#[test]
fn planted_modules_intervals_and_animals_come_back() {
    let (mut total, mut null_total) = (0.0, 0.0);
    for seed in 0..3 {
        let data = simulate_communities(&small(), Seed::new(seed)).unwrap();
        let found = fit(&quick(), &data.recordings);
        total += agreement(&data, &found).iter().sum::<f64>() / 6.0;
        let silent = CalciumCommunitiesSettings {
            drive: 0.0,
            ..small()
        };
        let null = simulate_communities(&silent, Seed::new(seed)).unwrap();
        let nothing = fit(&quick(), &null.recordings);
        null_total += agreement(&data, &nothing).iter().sum::<f64>() / 6.0;
        // The component of a recovered community is active in its interval more than elsewhere.
        for community in &data.communities {
            let (start, stop) = community.interval;
            let inside = |component: &chiasm_brain::dynamic_connectome::Component| {
                let bounds = (start as f64 / 4.0, (stop + 12) as f64 / 4.0);
                let planted = chiasm_core::data::Intervals::new(vec![bounds]).unwrap();
                component.active.intersect(&planted).seconds() / component.active.seconds()
            };
            let best = found.components.iter().map(inside).fold(0.0, f64::max);
            assert!(best > 0.8, "seed {seed}: {best}");
        }
    }
    assert!(total > 0.75, "{total}");
    assert!(null_total < 0.2, "{null_total}");
}

#[test]
fn every_choice_runs_and_names_its_axes() {
    let data = simulate_communities(&small(), Seed::new(4)).unwrap();
    let choices = [
        Affinities::Derivatives(AffinitySettings {
            rule: AffinityRule::Minimum,
            smoothness: Smoothness::RegularisedDerivative,
            frames_per_step: 5,
            ..Default::default()
        }),
        Affinities::SlidingWindow(SlidingWindow::default()),
    ];
    for affinities in choices {
        let settings = DynamicConnectome {
            affinities,
            division: Division::Louvain(LouvainSettings::default()),
            ..quick()
        };
        let (tensor, neurons) = settings
            .affinity_tensor(&data.recordings, &Progress::silent())
            .unwrap();
        let found = fit(&settings, &data.recordings);
        assert_eq!(found.neurons, neurons);
        assert_eq!(
            tensor.dims(),
            [
                found.times.len(),
                8,
                neurons.len() * (neurons.len() - 1) / 2
            ]
        );
        // Affinities lie in 0..=1 and pairs not found together are missing.
        let dense = tensor.to_array();
        assert!(
            dense
                .iter()
                .all(|value| value.is_nan() || (0.0..=1.0).contains(value))
        );
        for (animal, recording) in data.recordings.iter().enumerate() {
            let found_here = |name: &String| recording.channels.contains(name);
            let missing = dense[[0, animal, 0]].is_nan();
            assert_eq!(
                missing,
                !(found_here(&neurons[0]) && found_here(&neurons[1]))
            );
        }
        assert!(
            found
                .components
                .iter()
                .all(|component| component.communities.is_some())
        );
        assert_eq!(found.timeline(0, 0).len(), found.times.len());
    }
}

#[test]
fn absent_and_nan_columns_are_the_same() {
    let data = simulate_communities(&small(), Seed::new(5)).unwrap();
    let mut blank = data.recordings.clone();
    for recording in &mut blank {
        let mut samples = Array2::from_elem((400, data.neurons.len()), f32::NAN);
        for (column, name) in recording.channels.iter().enumerate() {
            let at = data.neurons.iter().position(|known| known == name).unwrap();
            samples
                .column_mut(at)
                .assign(&recording.samples.column(column));
        }
        recording.samples = samples;
        recording.channels = data.neurons.clone();
    }
    let (first, second) = (fit(&quick(), &data.recordings), fit(&quick(), &blank));
    assert_eq!(first.neurons, second.neurons);
    assert_eq!(first.model, second.model);
}

#[test]
fn traces_that_change_together_are_affine_and_opposed_ones_are_not() {
    let wave = |sign: f32| move |t: usize| sign * (t as f32 * 0.2).sin();
    let names = ["a", "b", "c"].map(String::from).to_vec();
    let up = wave(1.0);
    let down = wave(-1.0);
    let samples = Array2::from_shape_fn(
        (200, 3),
        |(t, neuron)| if neuron == 2 { down(t) } else { up(t) },
    );
    let clock = Clock::Regular {
        start: 0.0,
        rate: 4.0,
    };
    let recording = Recording::new("x", samples, names, clock, "").unwrap();
    let affinities = AffinitySettings {
        floor: 0.0,
        clip: 2.0,
        ..Default::default()
    };
    let settings = DynamicConnectome {
        affinities: Affinities::Derivatives(affinities),
        ..quick()
    };
    let (tensor, _) = settings
        .affinity_tensor(&[recording], &Progress::silent())
        .unwrap();
    let dense = tensor.to_array();
    let mean = |pair: usize| dense.slice(ndarray::s![.., 0, pair]).mean().unwrap();
    assert!(mean(0) > 0.3, "{}", mean(0));
    assert!(mean(1) < 1e-6 && mean(2) < 1e-6);
}

#[test]
fn what_is_wrong_is_named() {
    let data = simulate_communities(&small(), Seed::new(6)).unwrap();
    let fails = |recordings: &[Recording]| {
        quick()
            .fit(recordings, Seed::new(0), &Progress::silent())
            .unwrap_err()
    };
    assert!(matches!(fails(&[]), Error::TooFew { .. }));

    let mut other = data.recordings.clone();
    other[1]
        .channels
        .iter_mut()
        .for_each(|name| name.insert(0, 'x'));
    let apart = fails(&[other[0].clone(), other[1].clone()]);
    assert!(apart.to_string().contains("0 of"), "{apart}");

    let mut other = data.recordings.clone();
    other[2].samples = other[2].samples.slice(ndarray::s![..300, ..]).to_owned();
    assert!(matches!(
        fails(&other),
        Error::Shape {
            axis: "samples",
            found: 300,
            ..
        }
    ));

    let mut other = data.recordings.clone();
    other[1].clock = Clock::Regular {
        start: 0.0,
        rate: 5.0,
    };
    assert!(fails(&other).to_string().contains("animal 1"));

    let mut other = data.recordings.clone();
    other[3].samples[[17, 2]] = f32::NAN;
    let gap = fails(&other).to_string();
    assert!(
        gap.contains("sample 17") && gap.contains("animal 3"),
        "{gap}"
    );

    let mut other = data.recordings.clone();
    other[0].samples.column_mut(1).fill(2.5);
    other[4].samples.column_mut(0).fill(0.0);
    let constant = fails(&other).to_string();
    assert!(
        constant.contains("2 trace(s)") && constant.contains("in animal 4"),
        "{constant}"
    );

    let short: Vec<Recording> = data
        .recordings
        .iter()
        .cloned()
        .map(|mut recording| {
            recording.samples = recording.samples.slice(ndarray::s![..9, ..]).to_owned();
            recording
        })
        .collect();
    assert!(matches!(fails(&short), Error::TooFew { .. }));

    let mut twice = data.recordings.clone();
    twice[0].channels[1] = twice[0].channels[0].clone();
    assert!(fails(&twice).to_string().contains("two neurons"));
}
