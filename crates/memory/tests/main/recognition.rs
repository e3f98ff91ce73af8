//! Error probabilities against exact integers (tests/fixtures/make_recognition_errors.py).

use chiasm_memory::binomial::Binomial;
use chiasm_memory::hypergeometric::Hypergeometric;
use chiasm_memory::recognition::{ExpectedUnion, Recognition, ThresholdGrid, any_of, union_bound};
use proptest::prelude::*;
use serde_json::Value;

fn fixture() -> Value {
    serde_json::from_str(include_str!("../fixtures/recognition_errors.json")).unwrap()
}

fn real(value: &Value) -> f64 {
    value.as_str().unwrap().parse().unwrap()
}

/// Relative error of a probability given by its logarithm, however small it is.
fn relative_error(ln: f64, exact_ln: f64) -> f64 {
    (ln - exact_ln).exp_m1().abs()
}

#[test]
fn tails_agree_with_exact_integers() {
    let fixture = fixture();
    let cases = fixture["tails"].as_array().unwrap();
    let (mut worst, mut smallest): (f64, f64) = (0.0, 0.0);
    for case in cases {
        let [population, marked, drawn, overlap] =
            ["population", "marked", "drawn", "overlap"].map(|name| case[name].as_u64().unwrap());
        let tail = Hypergeometric::new(population, marked, drawn).unwrap();
        let error = relative_error(tail.ln_at_least(overlap), real(&case["ln"]));
        assert!(error < 1e-11, "{case}: {error:e}");
        let value = real(&case["value"]);
        if value > 1e-300 {
            assert!(
                (tail.at_least(overlap) / value - 1.0).abs() < 1e-11,
                "{case}"
            );
        }
        // The two tails add up to one.
        assert!((tail.at_least(overlap) + tail.at_most(overlap - 1) - 1.0).abs() < 1e-12);
        worst = worst.max(error);
        smallest = smallest.min(real(&case["ln"]));
    }
    assert!(
        cases.len() >= 300 && smallest < -690.0,
        "the fixture reaches below 1e-300"
    );
    println!("largest relative error {worst:e}");
}

#[test]
fn binomial_tails_agree_with_exact_integers() {
    for case in fixture()["binomial"].as_array().unwrap() {
        let trials = case["trials"].as_u64().unwrap();
        let tail = Binomial::new(trials, case["probability"].as_f64().unwrap()).unwrap();
        let ln = tail.ln_at_least(case["successes"].as_u64().unwrap());
        assert!(
            relative_error(ln, real(&case["ln"])) < 1e-11,
            "{case}: {ln}"
        );
    }
    assert_eq!(Binomial::new(5, 0.3).unwrap().at_least(6), 0.0);
    assert_eq!(Binomial::new(5, 1.0).unwrap().at_least(5), 1.0);
    assert!(Binomial::new(5, 1.1).is_err() && Binomial::new(5, f64::NAN).is_err());
}

#[test]
fn the_papers_figures_come_out() {
    let close = |found: f64, printed: f64, digits: f64| {
        assert!(
            (found / printed - 1.0).abs() < digits,
            "{found:e} is not {printed:e}"
        );
    };
    let fp = |n, a, s, theta| Recognition::new(n, a, s, theta).false_positive().unwrap();
    close(fp(300, 64, 24, 12), 1.0946e-3, 1e-4);
    close(fp(500, 64, 24, 12), 5.6957e-6, 1e-4);
    close(fp(4100, 64, 24, 12), 1.6626e-16, 1e-4);
    close(fp(300, 128, 24, 12), 0.29208, 1e-4);
    close(fp(500, 128, 24, 12), 7.3679e-3, 1e-4);
    close(fp(2000, 32, 20, 10), 3.90e-14, 2e-3);
    close(fp(4000, 128, 20, 10), 1.117e-10, 1e-3);
    close(fp(16000, 4000, 20, 10), 1.38e-2, 2e-3);
    close(fp(400, 8, 4, 2), 2.1e-3, 2e-2);
    let missed = |theta, moved| {
        // The size of the population does not enter.
        let small = Recognition::new(300, 128, 30, theta)
            .false_negative(moved)
            .unwrap();
        assert_eq!(
            small,
            Recognition::new(9000, 128, 30, theta)
                .false_negative(moved)
                .unwrap()
        );
        small
    };
    close(missed(8, 64), 7.35e-4, 1e-3);
    close(missed(12, 64), 7.17e-2, 1e-3);
    close(missed(16, 64), 0.58, 1e-2);
    close(missed(8, 51), 3.5e-6, 2e-2);
    close(missed(12, 51), 2.8e-3, 1e-2);
    close(missed(16, 51), 0.139, 1e-2);
    let union = |n, m| {
        Recognition::new(n, 30, 20, 10)
            .with_active_union(m)
            .unwrap()
            .false_positive()
            .unwrap()
    };
    close(union(4000, 10), 3.3e-7, 2e-2);
    close(union(4000, 20), 1.3e-4, 2e-2);
    close(union(1000, 10), 1.9e-2, 2e-2);
    let mixed = |m| {
        let one = Recognition::new(10_000, 200, 25, 15);
        one.with_synapse_union(m).unwrap().false_positive().unwrap()
    };
    close(mixed(1), 5.3e-20, 1e-2);
    close(mixed(5), 2.3e-8, 2e-2);
    close(mixed(10), 1.3e-4, 3e-2);
}

#[test]
fn the_predicted_threshold_is_eight() {
    let grid = ThresholdGrid::default();
    for case in fixture()["threshold_grid"].as_array().unwrap() {
        let median = grid
            .median_false_positive(case["threshold"].as_u64().unwrap())
            .unwrap();
        assert!(
            (median / real(&case["value"]) - 1.0).abs() < 1e-11,
            "{case}: {median:e}"
        );
    }
    assert_eq!(grid.points(8).count(), 210);
    assert_eq!(grid.smallest_threshold(1e-7).unwrap(), Some(8));
    // Without sparsity no threshold the segments can reach is safe.
    let dense = ThresholdGrid {
        sparsity: vec![0.5],
        ..grid.clone()
    };
    assert_eq!(dense.smallest_threshold(1e-7).unwrap(), Some(33));
    let short = ThresholdGrid {
        synapses: vec![20],
        ..dense
    };
    assert_eq!(short.smallest_threshold(1e-7).unwrap(), None);
    assert!(
        ThresholdGrid {
            cells: vec![],
            ..grid.clone()
        }
        .check()
        .is_err()
    );
    assert!(
        ThresholdGrid {
            sparsity: vec![1.5],
            ..grid.clone()
        }
        .check()
        .is_err()
    );
    assert!(
        ThresholdGrid {
            cells: vec![40],
            ..grid
        }
        .check()
        .is_err()
    );
}

#[test]
fn unions_are_rounded_and_bounded() {
    let union = ExpectedUnion::new(1000, 30, 10).unwrap();
    assert!((union.expected - 1000.0 * (1.0 - 0.97f64.powi(10))).abs() < 1e-9);
    assert_eq!(union.rounded, 263);
    assert_eq!(ExpectedUnion::new(1000, 30, 1).unwrap().rounded, 30);
    assert_eq!(ExpectedUnion::new(1000, 1000, 3).unwrap().rounded, 1000);
    assert_eq!(ExpectedUnion::new(1000, 1000, 0).unwrap().expected, 0.0);
    assert_eq!(union_bound(0.3, 5), 1.0);
    assert!((any_of(0.3, 5) - (1.0 - 0.7f64.powi(5))).abs() < 1e-15);
    assert!((any_of(1e-18, 1000) / 1e-15 - 1.0).abs() < 1e-12);
    assert_eq!(
        (any_of(0.5, 0), any_of(1.0, 3), any_of(0.0, 3)),
        (0.0, 1.0, 0.0)
    );
}

#[test]
fn impossible_segments_are_refused() {
    assert!(Recognition::new(100, 101, 10, 5).check().is_err());
    assert!(Recognition::new(100, 10, 101, 5).check().is_err());
    assert!(Recognition::new(0, 0, 0, 0).check().is_err());
    assert!(Recognition::new(100, 10, 20, 5).false_negative(1).is_err());
    assert!(Recognition::new(100, 20, 10, 5).false_negative(21).is_err());
    assert_eq!(
        Recognition::new(100, 20, 10, 11).false_negative(3).unwrap(),
        1.0
    );
    assert_eq!(
        Recognition::new(100, 20, 10, 11).false_positive().unwrap(),
        0.0
    );
    assert_eq!(
        Recognition::new(100, 20, 10, 0).false_positive().unwrap(),
        1.0
    );
}

proptest! {
    #[test]
    fn probabilities_sum_to_one_and_tails_fall(
        population in 1u64..400, marked in 0u64..400, drawn in 0u64..400,
    ) {
        prop_assume!(marked <= population && drawn <= population);
        let overlaps = Hypergeometric::new(population, marked, drawn).unwrap();
        let (low, high) = (overlaps.smallest(), overlaps.largest());
        let each: Vec<f64> = (low..=high).map(|b| overlaps.ln_probability(b).exp()).collect();
        prop_assert!((each.iter().sum::<f64>() - 1.0).abs() < 1e-12);
        let mean: f64 = (low..=high).zip(&each).map(|(b, p)| b as f64 * p).sum();
        prop_assert!((mean - overlaps.mean()).abs() < 1e-9);
        let mirrored = Hypergeometric::new(population, drawn, marked).unwrap();
        for b in low..=high {
            prop_assert!(overlaps.ln_at_least(b + 1) <= overlaps.ln_at_least(b) + 1e-12);
            let (one, other) = (overlaps.ln_at_least(b), mirrored.ln_at_least(b));
            prop_assert!(relative_error(one, other) < 1e-11);
        }
        prop_assert_eq!(overlaps.at_least(low), 1.0);
        prop_assert_eq!(overlaps.at_least(high + 1), 0.0);
    }

    #[test]
    fn the_union_bound_is_never_too_low(each in 0.0..=1.0f64, count in 0u64..2000) {
        prop_assert!(union_bound(each, count) >= any_of(each, count) - 1e-15);
    }
}
