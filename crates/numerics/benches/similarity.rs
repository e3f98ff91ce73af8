//! Representational similarity beside rsatoolbox: `bench/peers/rsatoolbox_similarity.py` times the same
//! work in the same sizes; image triplets beside `bench/peers/numpy_triplets.py`.
//!
//!     cargo bench -p chiasm-numerics --bench similarity

#![allow(
    missing_docs,
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a benchmark prints and may fail loudly"
)]

use chiasm_core::data::Rdm;
use chiasm_core::{Progress, Seed};
use chiasm_numerics::similarity::comparator::pairwise;
use chiasm_numerics::similarity::compare::{CompareSettings, Input, compare};
use chiasm_numerics::similarity::dissimilarity::rdm_of_patterns;
use chiasm_numerics::similarity::inference::{
    BootstrapOver, BootstrapSettings, InferenceSettings, Model, Resampling, infer,
};
use chiasm_numerics::similarity::triplets::{
    Similarity, TripletSettings, difference_correlation, select_triplets,
};
use chiasm_numerics::similarity::{Comparator, Dissimilarity, Transform};
use ndarray::Array2;
use rand_distr::{Distribution, StandardNormal};

fn main() {
    divan::main();
}

fn normal(seed: u64, rows: usize, columns: usize) -> Array2<f64> {
    let mut rng = Seed::new(seed).rng();
    Array2::from_shape_simple_fn((rows, columns), || StandardNormal.sample(&mut rng))
}

fn random_rdms(count: u64, conditions: usize) -> Vec<Rdm> {
    let settings = Dissimilarity::Correlation.into();
    (0..count)
        .map(|index| {
            rdm_of_patterns("r", normal(index, conditions, 100).view(), &settings).unwrap()
        })
        .collect()
}

#[divan::bench(args = [Dissimilarity::Correlation, Dissimilarity::SquaredEuclidean], sample_count = 7, sample_size = 1)]
fn rdm_of_1000_conditions_and_5000_channels(
    bencher: divan::Bencher<'_, '_>,
    measure: Dissimilarity,
) {
    let patterns = normal(0, 1000, 5000);
    bencher.bench(|| rdm_of_patterns("r", patterns.view(), &measure.into()).unwrap());
}

#[divan::bench(
    args = [Comparator::Spearman, Comparator::RhoA, Comparator::WhitenedCosine, Comparator::Cosine, Comparator::Pearson],
    sample_count = 3,
    sample_size = 1
)]
fn pairs_of_100_rdms_of_1000_conditions(bencher: divan::Bencher<'_, '_>, comparator: Comparator) {
    let rdms = random_rdms(100, 1000);
    bencher.bench(|| pairwise(&rdms, comparator).unwrap());
}

#[divan::bench(sample_count = 3, sample_size = 1)]
fn kendall_tau_a_of_10_rdms_of_300_conditions(bencher: divan::Bencher<'_, '_>) {
    let rdms = random_rdms(10, 300);
    bencher.bench(|| pairwise(&rdms, Comparator::KendallTauA).unwrap());
}

/// 1 000 draws over subjects and conditions, three models against 12 subjects of 62 conditions, each RDM
/// geo-topologically transformed in every draw, with noise ceilings.
#[divan::bench(sample_count = 3, sample_size = 1)]
fn dual_bootstrap_of_geo_topological_rdms_1000_draws(bencher: divan::Bencher<'_, '_>) {
    let rdms = random_rdms(15, 62);
    let inputs = [
        Input::rdms("data", rdms[..12].to_vec()),
        Input::rdms("a", rdms[12..13].to_vec()),
        Input::rdms("b", rdms[13..14].to_vec()),
        Input::rdms("c", rdms[14..].to_vec()),
    ];
    let settings = CompareSettings {
        transform: Transform::GeoTopological {
            lower: 0.0,
            upper: 0.25,
        },
        comparator: Comparator::Pearson,
        bootstrap: Some(BootstrapSettings {
            draws: 1000,
            over: BootstrapOver::Both,
        }),
        noise_ceiling: true,
        ..Default::default()
    };
    bencher.bench(|| compare(&inputs, &settings, &Seed::new(0), &Progress::silent()).unwrap());
}

/// Inference by the dual bootstrap, as rsatoolbox's `eval_dual_bootstrap`: 1 000 draws, three fixed models,
/// 12 subjects of 62 conditions, with noise ceilings.
#[divan::bench(
    args = [Comparator::Pearson, Comparator::RhoA, Comparator::WhitenedPearson],
    sample_count = 3,
    sample_size = 1
)]
fn inference_by_dual_bootstrap_1000_draws(bencher: divan::Bencher<'_, '_>, comparator: Comparator) {
    let rdms = random_rdms(15, 62);
    let models: Vec<Model> = rdms[12..].iter().cloned().map(Model::fixed).collect();
    let settings = InferenceSettings {
        comparator,
        resampling: Resampling::Dual,
        draws: 1000,
        ..Default::default()
    };
    bencher.bench(|| {
        infer(
            &models,
            &rdms[..12],
            &settings,
            &Seed::new(0),
            &Progress::silent(),
        )
        .unwrap()
    });
}

/// Images and bins of `bench/peers/numpy_triplets.py`, three tables.
#[divan::bench(args = [(1000, 4), (2000, 8)], sample_count = 3, sample_size = 1)]
fn image_triplets(bencher: divan::Bencher<'_, '_>, (images, bins): (usize, usize)) {
    let centres = normal(0, 20, 32);
    let projected = centres.dot(&(normal(1, 32, 32) / 32_f64.sqrt()));
    let mut high = normal(2, images, 32) * 0.5;
    let mut low = normal(3, images, 32) * 0.9;
    for image in 0..images {
        high.row_mut(image)
            .scaled_add(1.0, &centres.row(image % 20));
        low.row_mut(image)
            .scaled_add(0.55, &projected.row(image % 20));
    }
    let high = Similarity::of_features("high", high.view()).unwrap();
    let low = Similarity::of_features("low", low.view()).unwrap();
    let settings = TripletSettings {
        bins,
        ..Default::default()
    };
    let select = || select_triplets(&high, &low, &settings, Seed::new(0), &Progress::silent());
    let found = select().unwrap();
    println!(
        "{} triplets, correlation {:.3}",
        found.triplets.len(),
        difference_correlation(&found.triplets).unwrap()
    );
    bencher.bench(|| select().unwrap());
}
