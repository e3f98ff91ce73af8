//! Searchlights: planted spheres are found, empty maps stay quiet, values are those of the parts.

use chiasm_core::data::{Rdm, Responses};
use chiasm_core::{Progress, Seed};
use chiasm_numerics::similarity::comparator::similarity;
use chiasm_numerics::similarity::dissimilarity::{rdm as rdm_of, rdm_of_patterns};
use chiasm_numerics::similarity::searchlight::{
    Grid, SearchlightMaps, SearchlightSettings, searchlight,
};
use chiasm_numerics::similarity::{Comparator, Dissimilarity};
use ndarray::{Array2, Array3, Axis};
use rand_distr::{Distribution, StandardNormal};

const AFFINE: [[f64; 4]; 3] = [
    [2.0, 0.0, 0.0, -10.0],
    [0.0, 2.0, 0.0, 0.0],
    [0.0, 0.0, 2.0, 0.0],
];
const CONDITIONS: usize = 12;
const RUNS: usize = 2;

fn normal(seed: &Seed, rows: usize, columns: usize) -> Array2<f64> {
    let mut rng = seed.rng();
    Array2::from_shape_simple_fn((rows, columns), || StandardNormal.sample(&mut rng))
}

/// A ball of voxels as mask, and patterns in which a small sphere about `at` follows a model's geometry.
struct World {
    inside: Array3<bool>,
    responses: Responses,
    models: Vec<Rdm>,
}

fn distance(a: [usize; 3], b: [usize; 3]) -> f64 {
    let squared = |axis: usize| (a[axis] as f64 - b[axis] as f64).powi(2);
    2.0 * (squared(0) + squared(1) + squared(2)).sqrt()
}

fn world(seed: &Seed, size: usize, planted: Option<[usize; 3]>) -> World {
    let middle = [size / 2; 3];
    let inside = Array3::from_shape_fn((size, size, size), |(i, j, k)| {
        distance([i, j, k], middle) <= size as f64
    });
    let geometry = normal(&seed.named("geometry"), CONDITIONS, 3);
    let voxels: Vec<[usize; 3]> = inside
        .indexed_iter()
        .filter(|(_, inside)| **inside)
        .map(|((i, j, k), _)| [i, j, k])
        .collect();
    let mixing = normal(&seed.named("mixing"), 3, voxels.len());
    let mut values = normal(&seed.named("noise"), CONDITIONS * RUNS, voxels.len());
    let signal = geometry.dot(&mixing);
    for (number, voxel) in voxels.iter().enumerate() {
        if planted.is_some_and(|at| distance(*voxel, at) <= 4.0) {
            for trial in 0..CONDITIONS * RUNS {
                values[[trial, number]] += 2.0 * signal[[trial % CONDITIONS, number]];
            }
        }
    }
    let stimuli = (0..CONDITIONS * RUNS)
        .map(|trial| format!("s{}", trial % CONDITIONS))
        .collect();
    let folds = (0..CONDITIONS * RUNS)
        .map(|trial| trial / CONDITIONS)
        .collect();
    let model = |name: &str, patterns: &Array2<f64>| {
        rdm_of_patterns(
            name,
            patterns.view(),
            &Dissimilarity::SquaredEuclidean.into(),
        )
        .unwrap()
    };
    World {
        inside,
        responses: Responses::new("betas", values, stimuli, Some(folds)).unwrap(),
        models: vec![
            model("planted", &geometry),
            model("other", &normal(&seed.named("other"), CONDITIONS, 3)),
        ],
    }
}

fn look(world: &World, settings: &SearchlightSettings) -> SearchlightMaps {
    let grid = Grid {
        inside: world.inside.view(),
        affine: &AFFINE,
    };
    searchlight(
        &world.responses,
        grid,
        &world.models,
        settings,
        &Seed::new(4),
        &Progress::silent(),
    )
    .unwrap()
}

fn settings() -> SearchlightSettings {
    SearchlightSettings {
        radius: 4.0,
        permutations: 60,
        dissimilarity: Dissimilarity::SquaredEuclidean.into(),
        ..Default::default()
    }
}

#[test]
fn a_planted_sphere_is_found_where_it_is_and_the_rest_is_quiet() {
    let at = [5, 6, 5];
    let world = world(&Seed::new(1), 11, Some(at));
    let maps = look(&world, &settings());
    let values = maps.values.row(0);
    // Within a voxel of the planted sphere.
    let peak = (0..maps.voxels.len())
        .filter(|voxel| values[*voxel].is_finite())
        .max_by(|a, b| values[*a].total_cmp(&values[*b]))
        .unwrap();
    assert!(
        distance(maps.voxels[peak], at) <= 6.0,
        "{:?}",
        maps.voxels[peak]
    );
    let p = maps.p_values.as_ref().unwrap();
    let found: Vec<usize> = (0..maps.voxels.len())
        .filter(|voxel| p[[0, *voxel]] <= 0.05)
        .collect();
    assert!(found.len() > 10, "{}", found.len());
    // Beyond planted radius plus sphere no planted voxel is in sight.
    assert!(
        found
            .iter()
            .all(|voxel| distance(maps.voxels[*voxel], at) <= 8.0)
    );
    assert!(maps.thresholds.as_ref().unwrap()[0] < values[peak]);
    assert!(
        p.row(1).iter().all(|p| p.is_nan() || *p > 0.05),
        "the other model finds nothing"
    );
    assert_eq!(maps.undefined, 0);
    assert_eq!(
        maps.too_few,
        maps.values
            .row(1)
            .iter()
            .filter(|value| value.is_nan())
            .count()
    );
}

#[test]
fn maps_of_noise_are_quiet() {
    let mut loud = 0;
    for seed in 0..20 {
        let world = world(&Seed::new(100 + seed), 7, None);
        let maps = look(
            &world,
            &SearchlightSettings {
                permutations: 39,
                ..settings()
            },
        );
        let p = maps.p_values.unwrap();
        loud += usize::from(p.row(0).iter().any(|p| *p <= 0.05));
    }
    // One map in twenty may speak: 1 expected, standard deviation 1.
    assert!(loud <= 4, "{loud} of 20 maps");
}

#[test]
fn values_are_those_of_the_sphere_taken_by_hand_for_every_distance() {
    let mut world = world(&Seed::new(2), 7, Some([3, 3, 3]));
    world.responses.values.mapv_inplace(|value| value + 60.0);
    for (measure, comparator) in [
        (Dissimilarity::Correlation, Comparator::RhoA),
        (Dissimilarity::SquaredEuclidean, Comparator::WhitenedCosine),
        (Dissimilarity::Euclidean, Comparator::KendallTauA),
        (Dissimilarity::Crossnobis, Comparator::Pearson),
        (Dissimilarity::Mahalanobis, Comparator::Cosine),
        (Dissimilarity::Poisson, Comparator::Spearman),
        (Dissimilarity::SquaredEuclidean, Comparator::Bures),
    ] {
        let settings = SearchlightSettings {
            radius: 3.5,
            dissimilarity: measure.into(),
            comparator,
            ..Default::default()
        };
        let maps = look(&world, &settings);
        let mut checked = 0;
        for centre in (0..maps.voxels.len()).step_by(29) {
            let members: Vec<usize> = (0..maps.voxels.len())
                .filter(|voxel| distance(maps.voxels[*voxel], maps.voxels[centre]) <= 3.5)
                .collect();
            if members.len() < 10 {
                assert!(maps.values[[0, centre]].is_nan());
                continue;
            }
            let own = Responses::new(
                "own",
                world.responses.values.select(Axis(1), &members),
                world.responses.stimuli.clone(),
                world.responses.folds.clone(),
            )
            .unwrap();
            let own = rdm_of(&own, &measure.into()).unwrap();
            for (model, rdm) in world.models.iter().enumerate() {
                let expected = similarity(&own, rdm, comparator).unwrap();
                let found = maps.values[[model, centre]];
                assert!(
                    (found - expected).abs() < 1e-9,
                    "{measure:?} {found} {expected}"
                );
            }
            checked += 1;
        }
        assert!(checked >= 3, "{checked}");
    }
}

#[test]
fn holes_are_counted_and_bad_input_is_named() {
    let mut flat = world(&Seed::new(3), 7, None);
    // One condition without any response near the middle: undefined there, not everywhere.
    let centre = [3, 3, 3];
    let correlation = SearchlightSettings {
        permutations: 0,
        dissimilarity: Dissimilarity::Correlation.into(),
        ..settings()
    };
    let maps = look(&flat, &correlation);
    for (number, voxel) in maps.voxels.iter().enumerate() {
        if distance(*voxel, centre) <= 4.0 {
            flat.responses.values[[0, number]] = 0.0;
            flat.responses.values[[CONDITIONS, number]] = 0.0;
        }
    }
    let holes = look(&flat, &correlation);
    assert!(
        holes.undefined >= 1 && holes.undefined < 40,
        "{}",
        holes.undefined
    );
    let grid = Grid {
        inside: flat.inside.view(),
        affine: &AFFINE,
    };
    let error = |models: &[Rdm], settings: SearchlightSettings| {
        let seed = Seed::new(0);
        searchlight(
            &flat.responses,
            grid,
            models,
            &settings,
            &seed,
            &Progress::silent(),
        )
        .unwrap_err()
        .to_string()
    };
    assert!(
        error(
            &flat.models,
            SearchlightSettings {
                radius: -1.0,
                ..settings()
            }
        )
        .contains("radius")
    );
    assert!(
        error(
            &flat.models,
            SearchlightSettings {
                radius: 1.0,
                ..settings()
            }
        )
        .contains("enlarge the radius")
    );
    assert!(error(&[], settings()).contains("at least 1 models"));
    let short = Rdm::from_condensed("short", vec![1.0; 10]).unwrap();
    assert!(error(&[short], settings()).contains("conditions of short is 5, expected 12"));
    let crossnobis = SearchlightSettings {
        minimum_voxels: 1,
        ..settings()
    };
    assert!(error(&flat.models, crossnobis).contains("minimum_voxels"));
}
