//! Encoding models find planted signal and no other, keep test stimuli apart, and count what they drop.

use chiasm_brain::encoding::{
    Ceiling, EncodingData, EncodingMethod, EncodingScores, EncodingSettings, FeatureSpace,
    FittedEncoding, Holdout, TrialDesign, fit_encoding,
};
use chiasm_core::{Progress, Result, Seed};
use ndarray::{Array2, ShapeBuilder, concatenate, s};
use rand_distr::{Distribution, StandardNormal};

fn normal(name: &str, shape: (usize, usize)) -> Array2<f64> {
    let mut rng = Seed::new(11).named(name).rng();
    Array2::from_shape_simple_fn(shape, || StandardNormal.sample(&mut rng))
}

fn space(name: &str, values: Array2<f64>) -> FeatureSpace<f64> {
    FeatureSpace {
        name: name.to_string(),
        values,
    }
}

fn encode(
    features: &[FeatureSpace<f64>],
    responses: &Array2<f64>,
    design: &TrialDesign,
    holdout: &Holdout,
    settings: &EncodingSettings,
) -> Result<(FittedEncoding<f64>, EncodingScores)> {
    let data = EncodingData {
        features,
        responses,
        design,
    };
    let (seed, progress) = (Seed::new(3), Progress::silent());
    let fitted = fit_encoding(&data, holdout, settings, &seed, &progress)?;
    let scores = fitted.score(&data, &seed, &progress)?;
    Ok((fitted, scores))
}

fn settings() -> EncodingSettings {
    EncodingSettings {
        ceiling: None,
        ..EncodingSettings::default()
    }
}

fn failure<T>(result: Result<T>) -> String {
    match result {
        Ok(_) => panic!("should have failed"),
        Err(error) => error.to_string(),
    }
}

const SHARE: Holdout = Holdout::Share(0.25);

#[test]
fn planted_signal_is_found_and_noise_is_not() {
    let (x, noise) = (normal("x", (400, 12)), normal("noise", (400, 300)));
    let mut y = noise;
    // The first fifty targets follow the features.
    let signal = x.dot(&normal("weights", (12, 50))) / 12f64.sqrt();
    let mut part = y.slice_mut(s![.., ..50]);
    part += &signal;
    let design = TrialDesign::trials(400, None, None).unwrap();
    let settings = EncodingSettings {
        permutations: 199,
        ..settings()
    };
    let (_, scores) = encode(&[space("x", x)], &y, &design, &SHARE, &settings).unwrap();
    let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
    // The best model has R² = 1/2, r = 0.71.
    assert!(mean(&scores.correlation[..50]) > 0.6);
    assert!((mean(&scores.determination[..50]) - 0.5).abs() < 0.12);
    assert!(mean(&scores.correlation[50..]).abs() < 0.03);
    assert!(mean(&scores.determination[50..]) <= 0.005);
    let (p, q) = (scores.p_values.unwrap(), scores.q_values.unwrap());
    let found = q[..50].iter().filter(|q| **q < 0.05).count();
    assert!(found >= 45, "{found}");
    // Noise: 5% of 250 is 12.5, standard deviation 3.4.
    let chance = p[50..].iter().filter(|p| **p <= 0.05).count();
    assert!((2..=24).contains(&chance), "{chance}");
    let false_discoveries = q[50..].iter().filter(|q| **q < 0.05).count();
    assert!(false_discoveries <= 8, "{false_discoveries}");
}

#[test]
fn pure_noise_yields_no_discovery() {
    let (x, y) = (normal("x", (200, 20)), normal("pure noise", (200, 400)));
    let design = TrialDesign::trials(200, None, None).unwrap();
    let settings = EncodingSettings {
        permutations: 499,
        ..settings()
    };
    let (fitted, scores) = encode(&[space("x", x)], &y, &design, &SHARE, &settings).unwrap();
    let p = scores.p_values.unwrap();
    let share = p.iter().filter(|p| **p <= 0.05).count() as f64 / 400.0;
    assert!((0.015..0.09).contains(&share), "{share}");
    let q = scores.q_values.unwrap();
    assert!(q.iter().filter(|q| **q < 0.05).count() <= 1);
    // Targets without signal want the largest penalty, and the edge of the grid is reported.
    assert!(
        fitted
            .warnings
            .iter()
            .any(|warning| warning.contains("largest penalty"))
    );
}

/// A stack of repeats with the share of signal in a single trial.
fn stacked(x: &Array2<f64>, share: f64, repeats: usize, targets: usize) -> Array2<f64> {
    let weights = normal("stack weights", (x.ncols(), targets)) / (x.ncols() as f64).sqrt();
    let signal = share.sqrt() * x.dot(&weights);
    let trials: Vec<Array2<f64>> = (0..repeats)
        .map(|repeat| {
            &signal + (1.0 - share).sqrt() * normal(&format!("repeat {repeat}"), signal.dim())
        })
        .collect();
    let views: Vec<_> = trials.iter().map(|trial| trial.view()).collect();
    concatenate(ndarray::Axis(0), &views).unwrap()
}

#[test]
fn normalised_scores_reach_one_for_a_model_that_is_right() {
    let x = normal("x", (500, 6));
    let y = stacked(&x, 0.3, 4, 30);
    let design = TrialDesign::stack(4, 500, None, None).unwrap();
    let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
    for ceiling in [
        Ceiling::Usual,
        Ceiling::SplitHalf,
        Ceiling::Nsd,
        Ceiling::ExplainableVariance,
        Ceiling::SignalPower,
    ] {
        let settings = EncodingSettings {
            ceiling: Some(ceiling),
            ..settings()
        };
        let (fitted, scores) =
            encode(&[space("x", x.clone())], &y, &design, &SHARE, &settings).unwrap();
        // 0.3 of a trial is 0.63 of the mean of four (targets differ about it).
        let found = mean(&scores.ceiling.unwrap());
        assert!((found - 0.63).abs() < 0.12, "{ceiling:?}: {found}");
        let r = mean(&scores.normalised_correlation.unwrap());
        assert!((r - 1.0).abs() < 0.06, "{ceiling:?}: {r}");
        let r2 = mean(&scores.normalised_determination.unwrap());
        assert!((r2 - 1.0).abs() < 0.1, "{ceiling:?}: {r2}");
        assert_eq!(fitted.test_repeats(), vec![4; 125]);
        assert!(mean(&scores.correlation) < 0.85);
    }
}

#[test]
fn repeats_by_label_are_averaged_in_the_test_and_stay_on_one_side() {
    // The same trials as rows with labels, three repeats of 100 stimuli.
    let x = normal("x", (100, 4));
    let y = stacked(&x, 0.4, 3, 8);
    let labels: Vec<String> = (0..300).map(|row| format!("s{}", row % 100)).collect();
    let rows: Vec<usize> = (0..300).map(|row| row % 100).collect();
    let long = x.select(ndarray::Axis(0), &rows);
    let design = TrialDesign::trials(300, Some(&labels), None).unwrap();
    let settings = EncodingSettings {
        ceiling: Some(Ceiling::SplitHalf),
        alphas: vec![1.0],
        ..settings()
    };
    let (fitted, scores) = encode(&[space("x", long)], &y, &design, &SHARE, &settings).unwrap();
    assert_eq!((fitted.test_units(), fitted.test_samples.len()), (25, 75));
    let stimulus = |samples: &[usize]| -> std::collections::BTreeSet<usize> {
        samples.iter().map(|sample| sample % 100).collect()
    };
    assert!(stimulus(&fitted.training_samples).is_disjoint(&stimulus(&fitted.test_samples)));
    // The stack of the same trials, with the same test stimuli, is scored on the same means.
    let test: Vec<usize> = stimulus(&fitted.test_samples).into_iter().collect();
    let stack = TrialDesign::stack(3, 100, None, None).unwrap();
    let (_, stacked) = encode(
        &[space("x", x)],
        &y,
        &stack,
        &Holdout::Samples(test),
        &settings,
    )
    .unwrap();
    for (a, b) in scores.ceiling.unwrap().iter().zip(stacked.ceiling.unwrap()) {
        assert!((a - b).abs() < 0.2, "{a} {b}");
    }
    for (a, b) in scores.correlation.iter().zip(&stacked.correlation) {
        assert!((a - b).abs() < 0.02, "{a} {b}");
    }
}

#[test]
fn bad_targets_are_dropped_and_listed_and_change_no_other() {
    let x = normal("x", (120, 5));
    let clean = x.dot(&normal("w", (5, 6))) + normal("e", (120, 6));
    let mut y = clean.clone();
    y[[7, 1]] = f64::NAN;
    y.column_mut(3).fill(2.5);
    y[[0, 4]] = f64::INFINITY;
    let test: Vec<usize> = (90..120).collect();
    // Varies in training only.
    test.iter().for_each(|&row| y[[row, 5]] = 1.0);
    let design = TrialDesign::trials(120, None, None).unwrap();
    let holdout = Holdout::Samples(test);
    let (fitted, scores) =
        encode(&[space("x", x.clone())], &y, &design, &holdout, &settings()).unwrap();
    assert_eq!(fitted.kept, [0, 2]);
    assert_eq!(fitted.dropped.not_finite, [1, 4]);
    assert_eq!(fitted.dropped.constant_in_training, [3]);
    assert_eq!(fitted.dropped.constant_in_test, [5]);
    assert_eq!((fitted.dropped.count(), fitted.targets), (4, 6));
    let (_, whole) = encode(&[space("x", x)], &clean, &design, &holdout, &settings()).unwrap();
    for target in 0..6 {
        if [0, 2].contains(&target) {
            assert!((scores.correlation[target] - whole.correlation[target]).abs() < 1e-12);
            assert_eq!(scores.alphas[0][target], whole.alphas[0][target]);
        } else {
            assert!(scores.correlation[target].is_nan() && scores.determination[target].is_nan());
        }
    }
}

#[test]
fn missing_repeats_are_means_of_what_is_there() {
    let x = normal("x", (100, 4));
    let mut y = stacked(&x, 0.5, 3, 5);
    // Stimuli 60 to 99 were shown twice.
    y.slice_mut(s![260..300, ..]).fill(f64::NAN);
    let design = TrialDesign::stack(3, 100, None, None).unwrap();
    let nsd = EncodingSettings {
        ceiling: Some(Ceiling::Nsd),
        ..settings()
    };
    let features = [space("x", x)];
    let (fitted, scores) = encode(&features, &y, &design, &SHARE, &nsd).unwrap();
    assert_eq!((fitted.missing_trials, fitted.dropped.count()), (40, 0));
    let mean = scores.correlation.iter().sum::<f64>() / 5.0;
    assert!(mean > 0.5, "{:?}", scores.correlation);
    let power = EncodingSettings {
        ceiling: Some(Ceiling::SignalPower),
        ..settings()
    };
    let message = failure(encode(&features, &y, &design, &SHARE, &power));
    assert!(message.contains("needs all repeats"), "{message}");
    // A stimulus without any response cannot be scored or fitted.
    for repeat in 0..3 {
        y.row_mut(repeat * 100 + 5).fill(f64::NAN);
    }
    let message = failure(encode(&features, &y, &design, &SHARE, &nsd));
    assert!(message.contains("stimulus 5 has no repeat"), "{message}");
}

#[test]
fn leakage_is_refused_unless_it_is_wanted() {
    let (x, y) = (normal("x", (60, 3)), normal("y", (60, 4)));
    let labels: Vec<String> = (0..60).map(|row| format!("image {}", row / 2)).collect();
    let design = TrialDesign::trials(60, Some(&labels), None).unwrap();
    let leaking = Holdout::Samples((0..60).step_by(4).collect());
    let features = [space("x", x)];
    let message = failure(encode(&features, &y, &design, &leaking, &settings()));
    assert!(
        message.contains("15 stimuli") && message.contains("image 0"),
        "{message}"
    );
    let allowed = EncodingSettings {
        allow_leakage: true,
        ..settings()
    };
    let (fitted, _) = encode(&features, &y, &design, &leaking, &allowed).unwrap();
    assert!(fitted.warnings[0].contains("inflated"));
}

#[test]
fn what_cannot_be_fitted_is_said_before_any_work() {
    let (x, y) = (normal("x", (40, 3)), normal("y", (40, 4)));
    let design = TrialDesign::trials(40, None, None).unwrap();
    let features = [space("x", x.clone())];
    let few = EncodingSettings {
        folds: Some(35),
        ..settings()
    };
    let message = failure(encode(&features, &y, &design, &SHARE, &few));
    assert!(
        message.contains("30 stimuli, fewer than the 35 folds"),
        "{message}"
    );
    let short = [space("short", x.slice(s![..39, ..]).to_owned())];
    let message = failure(encode(&short, &y, &design, &SHARE, &settings()));
    assert!(
        message.contains("samples of short is 39, expected 40"),
        "{message}"
    );
    let mut hole = x.clone();
    hole[[4, 2]] = f64::NAN;
    let message = failure(encode(
        &[space("hole", hole)],
        &y,
        &design,
        &SHARE,
        &settings(),
    ));
    assert!(
        message.contains("hole") && message.contains("sample 4, feature 2"),
        "{message}"
    );
    let ceiling = EncodingSettings {
        ceiling: Some(Ceiling::SplitHalf),
        ..settings()
    };
    let message = failure(encode(&features, &y, &design, &SHARE, &ceiling));
    assert!(message.contains("needs repeats"), "{message}");
    let flat = Array2::ones((40, 4));
    let message = failure(encode(&features, &flat, &design, &SHARE, &settings()));
    assert!(
        message.contains("no target is left") && message.contains("4 do not vary"),
        "{message}"
    );
    for (holdout, part) in [
        (Holdout::Share(1.5), "above 0"),
        (Holdout::Samples(vec![40]), "below 40"),
        (Holdout::Samples(vec![3]), "test samples"),
        (
            Holdout::Stimuli(vec!["cat".to_string()]),
            "none of the stimuli",
        ),
    ] {
        let message = failure(encode(&features, &y, &design, &holdout, &settings()));
        assert!(message.contains(part), "{part}: {message}");
    }
    assert!(TrialDesign::trials(4, Some(&["a".to_string()]), None).is_err());
}

#[test]
fn spaces_share_what_they_explain() {
    // The first ten targets follow space a, the next ten space b; both spaces hold noise features too.
    let (a, b) = (normal("a", (600, 5)), normal("b", (600, 7)));
    let mut y = normal("noise of spaces", (600, 20));
    let mut part = y.slice_mut(s![.., ..10]);
    part += &(2.0 * a.dot(&normal("wa", (5, 10))) / 5f64.sqrt());
    let mut part = y.slice_mut(s![.., 10..]);
    part += &(2.0 * b.dot(&normal("wb", (7, 10))) / 7f64.sqrt());
    // An offset of the features must not matter.
    let features = [space("a", &a + 3.0), space("b", &b - 5.0)];
    let design = TrialDesign::trials(600, None, None).unwrap();
    let (_, scores) = encode(&features, &y, &design, &SHARE, &settings()).unwrap();
    let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
    let [of_a, of_b] = [&scores.spaces[0], &scores.spaces[1]];
    assert_eq!((of_a.name.as_str(), of_b.name.as_str()), ("a", "b"));
    for values in [&of_a.product_measure, of_a.unique.as_ref().unwrap()] {
        assert!(
            mean(&values[..10]) > 0.65 && mean(&values[10..]).abs() < 0.03,
            "{values:?}"
        );
    }
    // The parts sum to R² about the training mean, which differs from R² by the two means' distance.
    for target in 0..20 {
        let sum = of_a.product_measure[target] + of_b.product_measure[target];
        assert!((sum - scores.determination[target]).abs() < 0.02, "{sum}");
    }
    let shared = scores.shared().unwrap();
    assert!(mean(&shared).abs() < 0.03, "{shared:?}");
}

#[test]
fn batches_and_order_change_nothing() {
    let x = normal("x", (80, 5));
    let y = stacked(&x, 0.4, 2, 70);
    let design = TrialDesign::stack(2, 80, None, None).unwrap();
    let usual = EncodingSettings {
        permutations: 49,
        ceiling: Some(Ceiling::Nsd),
        ..settings()
    };
    let features = [space("x", x)];
    let (_, expected) = encode(&features, &y, &design, &SHARE, &usual).unwrap();
    // In words, since a target without signal has no normalised score, and NaN equals nothing.
    let words = |scores: &EncodingScores| format!("{scores:?}");
    let (_, again) = encode(&features, &y, &design, &SHARE, &usual).unwrap();
    assert_eq!(words(&expected), words(&again));
    // Column-major responses are the same responses.
    let mut turned = Array2::zeros(y.dim().f());
    turned.assign(&y);
    let (_, again) = encode(&features, &turned, &design, &SHARE, &usual).unwrap();
    assert_eq!(words(&expected), words(&again));
    let only: Array2<f64> = y.slice(s![.., 60..]).to_owned();
    let (_, part) = encode(&features, &only, &design, &SHARE, &usual).unwrap();
    for (a, b) in part.correlation.iter().zip(&expected.correlation[60..]) {
        assert!((a - b).abs() < 1e-12);
    }
}

#[test]
fn the_mean_is_what_models_have_to_beat() {
    let (x, y) = (normal("x", (60, 3)), normal("y", (60, 4)));
    let design = TrialDesign::trials(60, None, None).unwrap();
    let mean = EncodingSettings {
        method: EncodingMethod::Mean,
        permutations: 19,
        ..settings()
    };
    let (fitted, scores) = encode(&[space("x", x)], &y, &design, &SHARE, &mean).unwrap();
    assert_eq!(scores.correlation, [0.0; 4]);
    assert_eq!(scores.p_values.unwrap(), [1.0; 4]);
    for (own, baseline) in scores
        .determination
        .iter()
        .zip(&scores.baseline_determination)
    {
        assert!((own - baseline).abs() < 1e-12 && *own <= 0.0);
    }
    assert!(scores.alphas.is_empty() && fitted.weights(0..4).unwrap().is_none());
}
