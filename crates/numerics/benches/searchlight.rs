//! The searchlight beside rsatoolbox's: `bench/peers/rsatoolbox_searchlight.py` times the same work.
//!
//!     RAYON_NUM_THREADS=1 cargo bench -p chiasm-numerics --bench searchlight

#![allow(
    missing_docs,
    clippy::expect_used,
    clippy::unwrap_used,
    reason = "a benchmark may fail loudly"
)]

use chiasm_core::data::{Rdm, Responses};
use chiasm_core::{Progress, Seed};
use chiasm_numerics::similarity::Comparator;
use chiasm_numerics::similarity::searchlight::{Grid, SearchlightSettings, searchlight};
use ndarray::{Array2, Array3};
use rand_distr::{Distribution, StandardNormal};

fn main() {
    divan::main();
}

fn normal(seed: u64, rows: usize, columns: usize) -> Array2<f64> {
    let mut rng = Seed::new(seed).rng();
    Array2::from_shape_simple_fn((rows, columns), || StandardNormal.sample(&mut rng))
}

/// All centres of a ball of radius 12 voxels, spheres of 3.5 voxels, 40 conditions, 3 models.
#[divan::bench(
    args = [(Comparator::Pearson, 0), (Comparator::RhoA, 0), (Comparator::RhoA, 100)],
    sample_count = 3,
    sample_size = 1
)]
fn ball_of_radius_12_and_40_conditions(
    bencher: divan::Bencher<'_, '_>,
    (comparator, permutations): (Comparator, usize),
) {
    const CONDITIONS: usize = 40;
    let inside = Array3::from_shape_fn((26, 26, 26), |(i, j, k)| {
        let squared = |at: usize| (at as f64 - 12.5).powi(2);
        squared(i) + squared(j) + squared(k) <= 144.0
    });
    let voxels = inside.iter().filter(|inside| **inside).count();
    let responses = Responses::one_trial_each("betas", normal(0, CONDITIONS, voxels)).unwrap();
    let models: Vec<Rdm> = (1..4)
        .map(|seed| {
            let values = normal(seed, 1, CONDITIONS * (CONDITIONS - 1) / 2)
                .into_iter()
                .collect();
            Rdm::from_condensed("model", values).unwrap()
        })
        .collect();
    let affine = [
        [1.0, 0.0, 0.0, 0.0],
        [0.0, 1.0, 0.0, 0.0],
        [0.0, 0.0, 1.0, 0.0],
    ];
    let settings = SearchlightSettings {
        radius: 3.5,
        comparator,
        permutations,
        ..Default::default()
    };
    bencher
        .counter(divan::counter::ItemsCount::new(voxels))
        .bench(|| {
            let grid = Grid {
                inside: inside.view(),
                affine: &affine,
            };
            searchlight(
                &responses,
                grid,
                &models,
                &settings,
                &Seed::new(0),
                &Progress::silent(),
            )
            .unwrap()
        });
}
