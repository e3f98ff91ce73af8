use chiasm_core::Seed;
use chiasm_core::data::{Rdm, Responses};
use chiasm_numerics::similarity::comparator::similarity;
use chiasm_numerics::similarity::dissimilarity::{NoiseModel, rdm, rdm_of_patterns};
use chiasm_numerics::similarity::{Comparator, Dissimilarity, DissimilaritySettings};
use ndarray::{Array2, Axis};
use rand::RngExt;
use rand_distr::{Distribution, StandardNormal};

use super::{assert_close, numbers, reference, rows};

fn responses(data: Vec<Vec<f64>>, conditions: usize) -> Responses {
    let (trials, channels) = (data.len(), data[0].len());
    let values = Array2::from_shape_vec((trials, channels), data.concat()).unwrap();
    let stimuli = (0..trials)
        .map(|trial| format!("c{}", trial % conditions))
        .collect();
    let folds = (0..trials).map(|trial| trial / conditions).collect();
    Responses::new("fixture", values, stimuli, Some(folds)).unwrap()
}

#[test]
fn all_measures_agree_with_rsatoolbox() {
    let reference = reference();
    for channels in ["8", "30"] {
        let case = &reference[format!("dissimilarity_{channels}")];
        let trials = responses(rows(&case["data"]), 6);
        for (key, measure, noise) in [
            (
                "correlation",
                Dissimilarity::Correlation,
                NoiseModel::Identity,
            ),
            ("euclidean", Dissimilarity::Euclidean, NoiseModel::Identity),
            (
                "squared-euclidean",
                Dissimilarity::SquaredEuclidean,
                NoiseModel::Identity,
            ),
            (
                "squared-euclidean",
                Dissimilarity::Mahalanobis,
                NoiseModel::Identity,
            ),
            (
                "mahalanobis",
                Dissimilarity::Mahalanobis,
                NoiseModel::ShrinkageDiagonal,
            ),
            (
                "mahalanobis_diagonal",
                Dissimilarity::Mahalanobis,
                NoiseModel::Diagonal,
            ),
            (
                "crossnobis",
                Dissimilarity::Crossnobis,
                NoiseModel::ShrinkageDiagonal,
            ),
        ] {
            let settings = DissimilaritySettings {
                measure,
                noise,
                ..Default::default()
            };
            let found = rdm(&trials, &settings).unwrap();
            assert_close(
                found.values(),
                &numbers(&case[key]),
                1e-10,
                &format!("{key} {channels}"),
            );
        }
        let mut rates = trials.clone();
        rates.values.mapv_inplace(f64::exp);
        let found = rdm(&rates, &Dissimilarity::Poisson.into()).unwrap();
        assert_close(
            found.values(),
            &numbers(&case["poisson_of_exp"]),
            1e-10,
            "poisson",
        );
    }
}

/// 400 worlds of pure noise: crossnobis is 0 on average where the plain distance is not.
#[test]
fn crossnobis_is_zero_on_average_without_signal() {
    let (mut crossnobis, mut plain) = (Vec::new(), Vec::new());
    for world in 0..400 {
        let mut rng = Seed::new(world).rng();
        let data: Vec<Vec<f64>> = (0..12)
            .map(|_| (0..10).map(|_| StandardNormal.sample(&mut rng)).collect())
            .collect();
        let trials = responses(data, 4);
        let mean = |measure| {
            let settings = DissimilaritySettings {
                measure,
                noise: NoiseModel::Identity,
                ..Default::default()
            };
            let values = rdm(&trials, &settings).unwrap();
            values.values().iter().sum::<f64>() / 6.0
        };
        crossnobis.push(mean(Dissimilarity::Crossnobis));
        plain.push(mean(Dissimilarity::SquaredEuclidean));
    }
    let [low, high] = chiasm_core::metrics::interval::t_interval_95(&crossnobis).unwrap();
    assert!(low < 0.0 && high > 0.0 && high - low < 0.05, "{low} {high}");
    // Two means of three trials differ by variance 2/3 per channel.
    let plain = plain.iter().sum::<f64>() / plain.len() as f64;
    assert!((plain - 2.0 / 3.0).abs() < 0.03, "{plain}");
}

#[test]
fn crossnobis_weighs_folds_with_different_trial_counts_by_their_means() {
    // Fold 0 has condition a twice: its mean, not its trials, meets fold 1.
    let values = Array2::from_shape_vec((5, 1), vec![0.0, 2.0, 4.0, 1.0, 3.0]).unwrap();
    let stimuli = ["a", "a", "b", "a", "b"].map(str::to_string).to_vec();
    let trials = Responses::new("r", values, stimuli, Some(vec![0, 0, 0, 1, 1])).unwrap();
    let settings = DissimilaritySettings {
        measure: Dissimilarity::Crossnobis,
        noise: NoiseModel::Identity,
        ..Default::default()
    };
    // Fold means differ by 1 - 4 = -3 and 1 - 3 = -2: product 6 in both folds.
    assert!((rdm(&trials, &settings).unwrap().values()[0] - 6.0).abs() < 1e-12);
}

#[test]
fn large_offsets_do_not_cost_accuracy() {
    let mut rng = Seed::new(7).rng();
    let small =
        Array2::from_shape_simple_fn((12, 40), || -> f64 { StandardNormal.sample(&mut rng) });
    let shifted = &small + &small.mean_axis(Axis(0)).unwrap().mapv(|value| value + 1e6);
    let settings = Dissimilarity::SquaredEuclidean.into();
    let expected = rdm_of_patterns("x", small.view(), &settings).unwrap();
    let found = rdm_of_patterns("x", shifted.view(), &settings).unwrap();
    assert_close(found.values(), expected.values(), 1e-8, "shifted");
}

#[test]
fn counts_that_are_equally_far_apart_are_tied() {
    // Categories and counts as models have them; squared distances in whole numbers are exact.
    let pattern = |seed: u64, channels: usize| {
        let mut rng = Seed::new(seed).rng();
        Array2::from_shape_simple_fn((15, channels), || f64::from(rng.random_range(0..3_u8)))
    };
    let exact = |patterns: &Array2<f64>| {
        let rows: Vec<_> = patterns.rows().into_iter().collect();
        let mut values = Vec::new();
        for (i, a) in rows.iter().enumerate() {
            for b in &rows[i + 1..] {
                values.push(a.iter().zip(b).map(|(a, b)| (a - b) * (a - b)).sum());
            }
        }
        Rdm::from_condensed("exact", values).unwrap()
    };
    let (a, b) = (pattern(1, 3), pattern(2, 4));
    for comparator in [
        Comparator::RhoA,
        Comparator::Spearman,
        Comparator::KendallTauA,
        Comparator::KendallTauB,
    ] {
        let expected = similarity(&exact(&a), &exact(&b), comparator).unwrap();
        for measure in [Dissimilarity::SquaredEuclidean, Dissimilarity::Euclidean] {
            let own = |patterns: &Array2<f64>| {
                rdm_of_patterns("own", patterns.view(), &measure.into()).unwrap()
            };
            let found = similarity(&own(&a), &own(&b), comparator).unwrap();
            assert!(
                (found - expected).abs() < 1e-12,
                "{comparator:?} {measure:?}: {found}, expected {expected}"
            );
        }
    }
}

#[test]
fn correlation_does_not_depend_on_the_unit() {
    let mut rng = Seed::new(3).rng();
    let patterns = Array2::from_shape_simple_fn((6, 9), || StandardNormal.sample(&mut rng));
    let of = |unit: f64| {
        let scaled: Array2<f64> = &patterns * unit;
        rdm_of_patterns("r", scaled.view(), &Dissimilarity::Correlation.into()).unwrap()
    };
    for unit in [1e-200, 1e200] {
        assert_close(of(unit).values(), of(1.0).values(), 1e-12, "another unit");
    }
}
