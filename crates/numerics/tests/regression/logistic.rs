use chiasm_core::{Error, Progress, Seed};
use chiasm_numerics::regression::{
    LogisticSettings, ProbeMetric, fit_logistic, fit_logistic_fixed,
};
use chiasm_numerics::splits::stratified_k_fold;
use ndarray::Array2;

use super::{REFERENCE, assert_close, dealt, normal, numbers, single, table, whole, wholes};

fn quiet() -> Progress {
    Progress::silent()
}

fn plain() -> LogisticSettings {
    LogisticSettings {
        standardise: false,
        metric: ProbeMetric::LogLikelihood,
        ..Default::default()
    }
}

#[test]
fn weights_and_probabilities_agree_with_scikit_learn() {
    let case = &REFERENCE["logistic"];
    let [n, p] = ["n", "p"].map(|name| whole(&case[name]));
    let x = table(&case["x"], n, p);
    for theirs in case["fits"].as_array().unwrap() {
        let classes = whole(&theirs["classes"]);
        let labels = wholes(&case["labels"][classes - 2]);
        let c = theirs["c"].as_f64().unwrap();
        let fit = fit_logistic_fixed(x.view(), &labels, c, &plain(), &quiet()).unwrap();
        let weights = numbers(&theirs["weights"]);
        assert_close(fit.weights.t().iter().copied(), &weights, 1e-6, "weights");
        let intercepts = numbers(&theirs["intercepts"]);
        assert_close(
            fit.intercepts.iter().copied(),
            &intercepts,
            1e-6,
            "intercepts",
        );
        let probabilities = fit.probabilities(x.view()).unwrap();
        let expected = numbers(&theirs["probabilities"]);
        assert_close(probabilities, &expected, 1e-6, "probabilities");
        let one = LogisticSettings {
            inverse_penalties: vec![c],
            ..plain()
        };
        let chosen = fit_logistic(x.view(), &labels, &dealt(n, 4), &one, &quiet()).unwrap();
        let losses = numbers(&theirs["fold_losses"]);
        let mean = -losses.iter().sum::<f64>() / losses.len() as f64;
        assert_close([chosen.scores[0].1], &[mean], 1e-6, "fold losses");
        let narrow =
            fit_logistic_fixed(single(x.view()).view(), &labels, c, &plain(), &quiet()).unwrap();
        assert_close(narrow.weights.t().iter().copied(), &weights, 1e-4, "f32");
    }
}

/// Classes that differ along a few directions, or labels without any relation to the features.
fn world(rows: usize, features: usize, classes: usize, distance: f64) -> (Array2<f64>, Vec<usize>) {
    let labels: Vec<usize> = (0..rows).map(|row| row % classes).collect();
    let means = normal(classes, features, Seed::new(1));
    let mut x = normal(rows, features, Seed::new(2));
    for (row, &label) in labels.iter().enumerate() {
        x.row_mut(row).scaled_add(distance, &means.row(label));
    }
    (x, labels)
}

#[test]
fn planted_classes_are_told_apart_and_noise_is_at_chance() {
    for (distance, classes) in [(1.0, 2), (1.0, 4), (0.0, 2), (0.0, 4)] {
        // More features than training rows: the probe must not need them fewer.
        let (x, labels) = world(400, 150, classes, distance);
        let train: Vec<usize> = (0..120).collect();
        let rows = x.slice(ndarray::s![..120, ..]);
        let folds = stratified_k_fold(&labels[..120], 4, Some(Seed::new(3))).unwrap();
        let settings = LogisticSettings::default();
        let fit = fit_logistic(rows, &labels[..train.len()], &folds, &settings, &quiet()).unwrap();
        let predicted = fit.predict(x.slice(ndarray::s![120.., ..])).unwrap();
        let hits = predicted.iter().zip(&labels[120..]).filter(|(a, b)| a == b);
        let accuracy = hits.count() as f64 / 280.0;
        let chance = 1.0 / classes as f64;
        if distance > 0.0 {
            assert!(accuracy > 0.9, "{classes} classes: {accuracy}");
        } else {
            let error = (chance * (1.0 - chance) / 280.0).sqrt();
            assert!(
                (accuracy - chance).abs() < 3.5 * error,
                "{classes} classes: {accuracy}"
            );
        }
    }
}

/// At the minimum the gradient vanishes: C Σ (p - truth) x + w = 0, checked from outside for hard cases.
#[test]
fn the_gradient_vanishes_even_for_separable_classes_and_weak_penalties() {
    for classes in [2, 3] {
        let (mut x, labels) = world(60, 10, classes, 4.0);
        // Scales over four decades.
        for (j, mut column) in x.columns_mut().into_iter().enumerate() {
            column *= 10f64.powf(j as f64 / 2.5 - 2.0);
        }
        for c in [1e-4, 1.0, 1e4] {
            let fit = fit_logistic_fixed(x.view(), &labels, c, &plain(), &quiet()).unwrap();
            let mut errors = fit.probabilities(x.view()).unwrap();
            for (row, &label) in labels.iter().enumerate() {
                errors[[row, label]] -= 1.0;
            }
            if classes == 2 {
                errors = errors.slice(ndarray::s![.., 1..]).to_owned();
            }
            let pull = c * x.t().dot(&errors);
            let size = pull.iter().fold(0.0_f64, |most, v| most.max(v.abs()));
            for (weight, pull) in fit.weights.iter().zip(&pull) {
                assert!(
                    (weight + pull).abs() < 1e-7 * size,
                    "{classes} {c}: {weight} {pull}"
                );
            }
            for column in errors.columns() {
                assert!(column.sum().abs() < 1e-7, "{classes} {c}: {}", column.sum());
            }
        }
    }
}

#[test]
fn without_an_intercept_it_stays_at_zero() {
    let (x, labels) = world(50, 4, 2, 1.0);
    let settings = LogisticSettings {
        intercept: false,
        ..plain()
    };
    let fit = fit_logistic_fixed(x.view(), &labels, 1.0, &settings, &quiet()).unwrap();
    assert_eq!(fit.intercepts[0], 0.0);
}

#[test]
fn labels_without_rows_are_refused() {
    let x = normal(6, 2, Seed::new(5));
    let fail = |labels: &[usize]| {
        fit_logistic_fixed(x.view(), labels, 1.0, &plain(), &quiet()).unwrap_err()
    };
    assert!(matches!(
        fail(&[0, 0, 0, 0, 0, 0]),
        Error::TooFew { needed: 2, .. }
    ));
    assert!(matches!(
        fail(&[0, 2, 0, 2, 0, 2]),
        Error::TooFew {
            found: 2,
            needed: 3,
            ..
        }
    ));
    assert!(matches!(
        fail(&[0, usize::MAX, 0, 1, 0, 1]),
        Error::TooFew { .. }
    ));
    assert!(matches!(fail(&[0, 1]), Error::Shape { .. }));
    // A fold without a class to train on.
    let error = fit_logistic(
        x.view(),
        &[0, 0, 0, 1, 1, 1],
        &chiasm_numerics::splits::time_blocks(6, 2, 0).unwrap(),
        &plain(),
        &quiet(),
    );
    assert!(matches!(error, Err(Error::TooFew { .. })));
}
