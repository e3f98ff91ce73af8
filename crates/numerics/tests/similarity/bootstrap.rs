use chiasm_core::{Progress, Seed};
use chiasm_numerics::resampling::bootstrap_indices;
use chiasm_numerics::similarity::comparator::{pairwise, pairwise_of_sample};
use chiasm_numerics::similarity::compare::{CompareSettings, Input, compare};
use chiasm_numerics::similarity::inference::{
    BootstrapOver, BootstrapSettings, noise_ceiling_of_sample,
};
use chiasm_numerics::similarity::{
    Comparator, ConditionSample, Dissimilarity, PreparedRdm, Transform,
};
use ndarray::{Array2, Array3};
use rand_distr::{Distribution, StandardNormal};

use super::{assert_close, comparator, numbers, rdms, reference, rows};

fn normal(seed: &Seed, rows: usize, columns: usize) -> Array2<f64> {
    let mut rng = seed.rng();
    Array2::from_shape_simple_fn((rows, columns), || StandardNormal.sample(&mut rng))
}

/// rsatoolbox expands the RDM and marks pairs of identical conditions as missing; for the whitened
/// comparators it then solves for the row effects with missing entries.
#[test]
fn samples_of_conditions_agree_with_rsatoolbox() {
    let reference = reference();
    let case = &reference["resampled"];
    let drawn: Vec<usize> = numbers(&case["drawn"])
        .into_iter()
        .map(|index| index as usize)
        .collect();
    let inputs = rdms(&reference["comparators_plain"]["rdms"]);
    let sample = ConditionSample::drawn(&drawn, 9).unwrap();
    let prepared: Vec<_> = inputs
        .iter()
        .map(|rdm| PreparedRdm::new(rdm, true).unwrap())
        .collect();
    let seen: Vec<_> = prepared
        .iter()
        .map(|rdm| rdm.seen_through(&sample))
        .collect();
    for (name, values) in case["values"].as_object().unwrap() {
        let all: Vec<_> = seen.iter().collect();
        let found = pairwise_of_sample(&all, comparator(name), &sample).unwrap();
        assert_close(
            found.as_slice().unwrap(),
            &rows(values).concat(),
            1e-9,
            name,
        );
    }
    for (name, bounds) in case["noise_ceilings"].as_object().unwrap() {
        let found = noise_ceiling_of_sample(&seen, &[1; 4], comparator(name), &sample).unwrap();
        let found = found.unwrap();
        assert_close(&[found.lower, found.upper], &numbers(bounds), 1e-9, name);
    }
}

/// A condition drawn for exactly half of the sample makes one normal equation singular on its own.
#[test]
fn a_condition_that_fills_half_of_the_sample_is_whitened_as_its_neighbours_are() {
    let reference = reference();
    let inputs = rdms(&reference["comparators_plain"]["rdms"]);
    let at = |drawn: &[usize]| {
        let sample = ConditionSample::drawn(drawn, 9).unwrap();
        let prepared: Vec<_> = inputs
            .iter()
            .map(|rdm| PreparedRdm::new(rdm, false).unwrap())
            .collect();
        let seen: Vec<_> = prepared
            .iter()
            .map(|rdm| rdm.seen_through(&sample))
            .collect();
        let all: Vec<_> = seen.iter().collect();
        pairwise_of_sample(&all, Comparator::WhitenedCosine, &sample).unwrap()[[0, 1]]
    };
    // 2 + 6 - 2·4 = 0. The expanded problem by least squares: minimise |x - Sz|² + 2|z|² over all copies.
    let drawn = [1, 1, 1, 1, 4, 6];
    let (x, y) = (&inputs[0], &inputs[1]);
    let residual = |rdm: &chiasm_core::data::Rdm| {
        let mut effects = [0.0; 6];
        for _ in 0..4000 {
            for copy in 0..6 {
                let (mut sum, mut count) = (0.0, 2.0);
                for other in 0..6 {
                    if drawn[copy] != drawn[other] {
                        sum += rdm.get(drawn[copy], drawn[other]) - effects[other];
                        count += 1.0;
                    }
                }
                effects[copy] = sum / count;
            }
        }
        let mut vector: Vec<f64> = effects.iter().map(|effect| 2f64.sqrt() * effect).collect();
        for a in 0..6 {
            for b in a + 1..6 {
                if drawn[a] != drawn[b] {
                    vector.push(rdm.get(drawn[a], drawn[b]) - effects[a] - effects[b]);
                }
            }
        }
        vector
    };
    let (u, v) = (residual(x), residual(y));
    let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
    let expected = dot(&u, &v) / (dot(&u, &u) * dot(&v, &v)).sqrt();
    assert!(
        (at(&drawn) - expected).abs() < 1e-9,
        "{} {expected}",
        at(&drawn)
    );
}

/// Patterns of subjects who share a signal, and a model that has it.
fn signal_and_model(seed: &Seed, subjects: usize, conditions: usize) -> (Array3<f64>, Array2<f64>) {
    let signal = normal(&seed.named("signal"), conditions, 10);
    let mut data = Array3::zeros((subjects, conditions, 10));
    for (subject, mut patterns) in data.outer_iter_mut().enumerate() {
        let own = seed.named("noise").indexed(subject as u64);
        patterns.assign(&(&signal + 1.5 * normal(&own, conditions, 10)));
    }
    (data, signal + normal(&seed.named("model"), conditions, 10))
}

fn settings(over: BootstrapOver) -> CompareSettings {
    CompareSettings {
        dissimilarity: Dissimilarity::SquaredEuclidean.into(),
        comparator: Comparator::Pearson,
        bootstrap: Some(BootstrapSettings { draws: 200, over }),
        noise_ceiling: true,
        ..Default::default()
    }
}

#[test]
fn intervals_over_conditions_are_those_of_the_draws_done_by_hand() {
    let (data, model) = signal_and_model(&Seed::new(3), 1, 12);
    let data = data.index_axis_move(ndarray::Axis(0), 0);
    let inputs = [
        Input::patterns("data", data).unwrap(),
        Input::patterns("model", model).unwrap(),
    ];
    let seed = Seed::new(9);
    let mut settings = settings(BootstrapOver::Conditions);
    settings.transform = Transform::GeoTopological {
        lower: 0.1,
        upper: 0.6,
    };
    let found = compare(&inputs, &settings, &seed, &Progress::silent()).unwrap();
    // By hand: expand, drop pairs of identical conditions, transform what is left, correlate.
    let mut values = Vec::new();
    for draw in 0..200 {
        let indices = bootstrap_indices(&seed.named("draw").indexed(draw).named("conditions"), 12);
        let mut expanded = [Vec::new(), Vec::new()];
        for (a, &i) in indices.iter().enumerate() {
            for &j in indices[a + 1..].iter().filter(|&&j| j != i) {
                for k in 0..2 {
                    expanded[k].push(found.rdms[k][0].get(i, j));
                }
            }
        }
        let [x, y] = expanded.map(|entries| {
            let mut sorted = entries.clone();
            sorted.sort_by(f64::total_cmp);
            let rank = |value: &f64| {
                let below = sorted.partition_point(|other| other < value) as f64;
                let to = sorted.partition_point(|other| other <= value) as f64;
                (below + to + 1.0) / 2.0
            };
            let (low, high) = (rank(&sorted[0]), rank(&sorted[sorted.len() - 1]));
            let scaled: Vec<f64> = entries
                .iter()
                .map(|value| (rank(value) - low) / (high - low))
                .collect();
            let mut sorted = scaled.clone();
            sorted.sort_by(f64::total_cmp);
            let a = chiasm_numerics::resampling::quantile(&sorted, 0.1);
            let b = chiasm_numerics::resampling::quantile(&sorted, 0.6);
            scaled
                .iter()
                .map(|d| ((d - a) / (b - a)).clamp(0.0, 1.0))
                .collect::<Vec<f64>>()
        });
        let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
        let (mx, my) = (mean(&x), mean(&y));
        let (mut xy, mut xx, mut yy) = (0.0, 0.0, 0.0);
        for (x, y) in x.iter().zip(&y) {
            xy += (x - mx) * (y - my);
            xx += (x - mx).powi(2);
            yy += (y - my).powi(2);
        }
        values.push(xy / (xx * yy).sqrt());
    }
    let [low, high] = chiasm_numerics::resampling::percentile_interval(&values, 0.95).unwrap();
    let ci95 = found.ci95.unwrap();
    assert!((ci95.lower[[0, 1]] - low).abs() < 1e-9 && (ci95.upper[[0, 1]] - high).abs() < 1e-9);
    assert_eq!((ci95.lower[[0, 0]], ci95.upper[[1, 1]]), (1.0, 1.0));
}

#[test]
fn bootstrap_over_both_is_wider_than_over_either_and_holds_the_value() {
    let (data, model) = signal_and_model(&Seed::new(4), 8, 20);
    let inputs = [
        Input::subject_patterns("data", data).unwrap(),
        Input::patterns("model", model).unwrap(),
    ];
    let run = |over| compare(&inputs, &settings(over), &Seed::new(1), &Progress::silent()).unwrap();
    let width = |over| {
        let found = run(over);
        let ci95 = found.ci95.unwrap();
        assert!(ci95.lower[[0, 1]] < found.matrix[[0, 1]]);
        assert!(ci95.upper[[0, 1]] > found.matrix[[0, 1]]);
        let ceiling = found.noise_ceiling[0].unwrap();
        assert!(ceiling.ceiling.lower < ceiling.ceiling.upper);
        assert!(ceiling.ci95.unwrap()[0][0] < ceiling.ceiling.lower);
        assert!(found.noise_ceiling[1].is_none());
        ci95.upper[[0, 1]] - ci95.lower[[0, 1]]
    };
    let [subjects, conditions, both] = [
        BootstrapOver::Subjects,
        BootstrapOver::Conditions,
        BootstrapOver::Both,
    ]
    .map(width);
    assert!(
        both > subjects && both > conditions,
        "{subjects} {conditions} {both}"
    );
    // The mean over subjects of each subject's similarity to the model.
    let found = run(BootstrapOver::Subjects);
    let by_hand: f64 = found.rdms[0]
        .iter()
        .map(|rdm| {
            pairwise(
                &[rdm.clone(), found.rdms[1][0].clone()],
                Comparator::Pearson,
            )
            .unwrap()[[0, 1]]
        })
        .sum::<f64>()
        / 8.0;
    assert!((found.matrix[[0, 1]] - by_hand).abs() < 1e-12);
}

/// Unrelated representations: 95% intervals over conditions must hold 0 about that often.
#[test]
fn intervals_hold_zero_for_unrelated_representations() {
    let mut held = 0;
    for world in 0..60 {
        let seed = Seed::new(1000 + world);
        let inputs = ["x", "y"]
            .map(|name| Input::patterns(name, normal(&seed.named(name), 20, 30)).unwrap());
        let found = compare(
            &inputs,
            &settings(BootstrapOver::Conditions),
            &seed,
            &Progress::silent(),
        );
        let ci95 = found.unwrap().ci95.unwrap();
        held += usize::from(ci95.lower[[0, 1]] < 0.0 && ci95.upper[[0, 1]] > 0.0);
    }
    assert!(held >= 50, "{held} of 60");
}

#[test]
fn same_seed_same_bytes_and_a_stop_is_heard() {
    let (data, model) = signal_and_model(&Seed::new(5), 3, 8);
    let inputs = [
        Input::subject_patterns("data", data).unwrap(),
        Input::patterns("model", model).unwrap(),
    ];
    let both = settings(BootstrapOver::Both);
    let run = |seed| compare(&inputs, &both, &Seed::new(seed), &Progress::silent()).unwrap();
    let (a, b, c) = (run(1), run(1), run(2));
    assert_eq!((&a.matrix, &a.ci95), (&b.matrix, &b.ci95));
    assert_eq!(a.noise_ceiling, b.noise_ceiling);
    assert_ne!(a.ci95, c.ci95);
    let stopped = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(true));
    struct Silent;
    impl chiasm_core::ProgressSink for Silent {
        fn begin(&self, _: &str, _: u64) {}
        fn advance(&self, _: u64) {}
        fn note(&self, _: &str) {}
        fn end(&self) {}
    }
    let progress = Progress::new(std::sync::Arc::new(Silent), stopped);
    let error = compare(&inputs, &both, &Seed::new(1), &progress).unwrap_err();
    assert!(matches!(error, chiasm_core::Error::Interrupted));
}
