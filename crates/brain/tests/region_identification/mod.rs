use chiasm_brain::region_identification::{
    DuplicatePairs, IdentificationBootstrap, RegionRdms, bootstrap_identification, choose_nested,
    geo_topological_grid, identify,
};
use chiasm_core::data::Rdm;
use chiasm_core::{Progress, Seed};
use chiasm_numerics::resampling::permutation;
use chiasm_numerics::similarity::dissimilarity::rdm_of_patterns;
use chiasm_numerics::similarity::{Dissimilarity, GeodesicEdges, Transform};
use chiasm_sim::representations::{CorticalRegions, DeepNetworks, DistortionRange};
use ndarray::Array2;
use rand::RngExt;

const RANK: Transform = Transform::GeoTopological {
    lower: 0.0,
    upper: 1.0,
};

fn band(lower: f64, upper: f64) -> Transform {
    Transform::GeoTopological { lower, upper }
}

fn to_rdms(activations: &[Vec<Array2<f64>>]) -> Vec<Vec<Rdm>> {
    let settings = Dissimilarity::Correlation.into();
    activations
        .iter()
        .map(|layers| {
            layers
                .iter()
                .map(|layer| rdm_of_patterns("layer", layer.view(), &settings).unwrap())
                .collect()
        })
        .collect()
}

fn networks(seed: u64, noise: f64) -> Vec<Vec<Rdm>> {
    let settings = DeepNetworks {
        noise,
        ..Default::default()
    };
    to_rdms(&settings.simulate(&Seed::new(seed)).unwrap())
}

fn distorted(rdms: &[Vec<Rdm>], seed: &Seed) -> Vec<Vec<Rdm>> {
    let range = DistortionRange::default();
    rdms.iter()
        .enumerate()
        .map(|(instance, regions)| {
            let distortion = range.draw(&seed.indexed(instance as u64));
            regions
                .iter()
                .map(|rdm| distortion.apply(rdm).unwrap())
                .collect()
        })
        .collect()
}

fn mean_accuracy(worlds: &[Vec<Vec<Rdm>>], statistic: Transform) -> f64 {
    let accuracy = |world: &Vec<Vec<Rdm>>| {
        identify(&RegionRdms::new(world).unwrap(), statistic)
            .unwrap()
            .accuracy
    };
    worlds.iter().map(accuracy).sum::<f64>() / worlds.len() as f64
}

/// Noise 0: rank RDM 0.49, GT(.25,.75) 0.53, GT(0,.25) 0.45, raw 0.72 over 100 items with chance 0.1; one
/// set of 100 items has a standard error of 0.05, ten seeds leave the world-to-world spread.
#[test]
fn layers_of_networks_are_told_apart_as_well_as_they_should() {
    let worlds: Vec<_> = (0..6).map(|seed| networks(seed, 0.0)).collect();
    for (statistic, expected) in [
        (Transform::None, 0.72),
        (RANK, 0.49),
        (band(0.25, 0.75), 0.53),
        (band(0.2, 0.8), 0.51),
        (band(0.0, 0.25), 0.45),
    ] {
        let found = mean_accuracy(&worlds, statistic);
        assert!(
            (found - expected).abs() < 0.08,
            "{statistic:?}: {found}, expected {expected}"
        );
    }
    // Ranking path lengths again costs geodesics some of what they know; they stay far above chance.
    let edges = GeodesicEdges::Quantile { share: 0.2 };
    let geodesic = mean_accuracy(&worlds, Transform::Geodesic { edges });
    assert!((0.25..0.55).contains(&geodesic), "{geodesic}");
    // Each subject's own monotone distortion: raw falls far, ranks do not see it at all.
    let bent: Vec<_> = worlds
        .iter()
        .enumerate()
        .map(|(world, rdms)| distorted(rdms, &Seed::new(50).indexed(world as u64)))
        .collect();
    let raw = mean_accuracy(&bent, Transform::None);
    assert!((0.22..0.42).contains(&raw), "{raw}");
    assert!((mean_accuracy(&bent, RANK) - mean_accuracy(&worlds, RANK)).abs() < 0.005);
}

#[test]
fn regions_measured_by_fmri_are_told_apart_and_distortion_costs_the_raw_rdm_more() {
    let settings = CorticalRegions {
        subjects: 10,
        ..Default::default()
    };
    let rdms = to_rdms(&settings.simulate(&Seed::new(1)).unwrap());
    let bent = distorted(&rdms, &Seed::new(2));
    let at = |rdms: &[Vec<Rdm>], statistic| {
        identify(&RegionRdms::new(rdms).unwrap(), statistic)
            .unwrap()
            .accuracy
    };
    let (plain, raw) = (at(&rdms, RANK), at(&bent, Transform::None));
    assert!(plain > 0.5 && plain < 1.0, "{plain}");
    assert!(at(&bent, RANK) > raw + 0.1, "{raw}");
}

/// Labels shuffled within each instance: nothing is left to find, for any statistic or choice of one.
#[test]
fn shuffled_layers_are_at_chance() {
    let statistics = [Transform::None, RANK, band(0.25, 0.75)];
    let (mut accuracies, mut nested) = (vec![Vec::new(); 3], Vec::new());
    for world in 0..8 {
        let mut rdms = networks(world, 0.0);
        for (instance, layers) in rdms.iter_mut().enumerate() {
            let order = permutation(&Seed::new(world).indexed(instance as u64), layers.len());
            *layers = order.iter().map(|&layer| layers[layer].clone()).collect();
        }
        let rdms = RegionRdms::new(&rdms).unwrap();
        assert_eq!((rdms.chance(), rdms.instances()), (0.1, 10));
        for (accuracies, statistic) in accuracies.iter_mut().zip(statistics) {
            accuracies.push(identify(&rdms, statistic).unwrap().accuracy);
        }
        nested.push(choose_nested(&rdms, &geo_topological_grid(4), &Progress::silent()).unwrap());
    }
    for (values, statistic) in accuracies.iter().zip(statistics) {
        let mean = values.iter().sum::<f64>() / 8.0;
        // 800 items at 0.1: standard error 0.011 if independent; templates are shared, so somewhat more.
        assert!((mean - 0.1).abs() < 0.05, "{statistic:?}: {mean}");
    }
    let mean = |read: fn(&chiasm_brain::region_identification::NestedChoice) -> f64| {
        nested.iter().map(read).sum::<f64>() / 8.0
    };
    assert!((mean(|choice| choice.accuracy) - 0.1).abs() < 0.05);
    // The best cell of the grid, picked on the same data, promises what is not there.
    assert!(mean(|choice| choice.optimism) > 0.03);
}

/// Identification written out: centroids as vectors, distances entry by entry.
#[test]
fn identification_is_that_of_centroids_written_out() {
    let settings = DeepNetworks {
        instances: 4,
        layers: 5,
        inputs: 12,
        width: 30,
        ..Default::default()
    };
    let rdms = to_rdms(&settings.simulate(&Seed::new(9)).unwrap());
    let found = identify(&RegionRdms::new(&rdms).unwrap(), RANK).unwrap();
    let values: Vec<Vec<Vec<f64>>> = rdms
        .iter()
        .map(|layers| {
            layers
                .iter()
                .map(|rdm| RANK.apply(rdm).unwrap().rdm.values().to_vec())
                .collect()
        })
        .collect();
    let mut hits = 0;
    for instance in 0..4 {
        for layer in 0..5 {
            let distance = |candidate: usize| -> f64 {
                (0..values[0][0].len())
                    .map(|pair| {
                        let others = (0..4).filter(|other| *other != instance);
                        let mean = others
                            .map(|other| values[other][candidate][pair])
                            .sum::<f64>()
                            / 3.0;
                        (values[instance][layer][pair] - mean).powi(2)
                    })
                    .sum()
            };
            let nearest = (0..5)
                .min_by(|&a, &b| distance(a).total_cmp(&distance(b)))
                .unwrap();
            assert_eq!(found.assigned[[instance, layer]], nearest);
            hits += usize::from(nearest == layer);
        }
    }
    assert!((found.accuracy - hits as f64 / 20.0).abs() < 1e-12);
}

#[test]
fn bootstrap_covers_the_accuracy_and_leaves_out_all_copies_of_an_instance() {
    let rdms = networks(3, 0.0);
    let rdms = RegionRdms::new(&rdms).unwrap();
    let statistics = [Transform::None, RANK, band(0.25, 0.75)];
    let run = |settings: IdentificationBootstrap| {
        let seed = Seed::new(0);
        bootstrap_identification(&rdms, &statistics, &settings, &seed, &Progress::silent()).unwrap()
    };
    let settings = IdentificationBootstrap {
        draws: 100,
        ..Default::default()
    };
    let instances_only = run(IdentificationBootstrap {
        over_stimuli: false,
        ..settings
    });
    for (ci95, statistic) in instances_only.ci95.iter().zip(statistics) {
        let [low, high] = *ci95;
        let observed = identify(&rdms, statistic).unwrap().accuracy;
        // Were a copy its own template, all draws would be far above the observed accuracy.
        assert!(
            low < observed && high - observed < 0.15,
            "{statistic:?}: {ci95:?} {observed}"
        );
    }
    let both = run(settings);
    assert_eq!(both.unusable, 0);
    let spread = |b: &chiasm_brain::region_identification::BootstrappedIdentification| {
        b.ci95.iter().map(|[low, high]| high - low).sum::<f64>()
    };
    assert!(spread(&both) > 0.05);
    let [low, high] = both.difference(1, 1).unwrap();
    assert_eq!((low, high), (0.0, 0.0));
    let imputed = run(IdentificationBootstrap {
        duplicates: DuplicatePairs::Imputed,
        ..settings
    });
    assert_ne!(imputed.accuracies, both.accuracies);
    assert_eq!(run(settings), both);
}

#[test]
fn grid_is_the_triangle_without_its_constant_corners() {
    let grid = geo_topological_grid(2);
    assert_eq!(
        grid,
        [
            band(0.0, 0.5),
            band(0.0, 1.0),
            band(0.5, 0.5),
            band(0.5, 1.0)
        ]
    );
}

#[test]
fn wrong_stacks_are_named() {
    let rdm = |conditions: usize| {
        let mut rng = Seed::new(conditions as u64).rng();
        let values = (0..conditions * (conditions - 1) / 2)
            .map(|_| rng.random())
            .collect();
        Rdm::from_condensed("r", values).unwrap()
    };
    let message = |rdms: &[Vec<Rdm>]| RegionRdms::new(rdms).unwrap_err().to_string();
    assert!(message(&[vec![rdm(4), rdm(4)]]).contains("at least 2 instances"));
    assert!(message(&[vec![rdm(4)], vec![rdm(4)]]).contains("at least 2 regions"));
    assert!(message(&[vec![rdm(4), rdm(4)], vec![rdm(4)]]).contains("regions of instance 1 is 1"));
    assert!(
        message(&[vec![rdm(4), rdm(4)], vec![rdm(4), rdm(5)]]).contains("conditions of r is 5")
    );
    let two = RegionRdms::new(&[vec![rdm(4), rdm(4)], vec![rdm(4), rdm(4)]]).unwrap();
    let error = choose_nested(&two, &geo_topological_grid(2), &Progress::silent()).unwrap_err();
    assert!(error.to_string().contains("at least 3 instances"));
    let flat = Rdm::from_condensed("flat", vec![1.0; 6]).unwrap();
    let stack = RegionRdms::new(&[vec![flat.clone(), rdm(4)], vec![rdm(4), flat]]).unwrap();
    assert!(
        identify(&stack, RANK)
            .unwrap_err()
            .to_string()
            .contains("all equal")
    );
}
