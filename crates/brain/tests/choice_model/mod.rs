//! Choices between two alternatives.

use chiasm_brain::choice_model::{
    ChoiceModelSettings, Lapse, area_under_curve, fit_choice_model, held_out, paired_z,
};
use chiasm_core::Seed;
use chiasm_core::metrics::interval::mean;
use chiasm_sim::image_similarity::Observers;
use ndarray::Array2;
use rand_distr::{Distribution, StandardNormal};
use serde_json::Value;

const NAMES: [&str; 2] = ["high", "low"];

fn numbers(value: &Value) -> Vec<f64> {
    serde_json::from_value(value.clone()).unwrap()
}

/// The problem of `fixtures/make_choice_model.py`.
fn reference() -> (Array2<f64>, Vec<bool>, Value) {
    let value: Value = serde_json::from_str(include_str!("../fixtures/choice_model.json")).unwrap();
    let rows: Vec<Vec<f64>> = serde_json::from_value(value["x"].clone()).unwrap();
    let x = Array2::from_shape_fn((rows.len(), 2), |(trial, k)| rows[trial][k]);
    let y = numbers(&value["y"])
        .iter()
        .map(|&choice| choice == 1.0)
        .collect();
    (x, y, value)
}

#[test]
fn weights_and_errors_are_those_of_scikit_learn_and_scipy() {
    let (x, y, reference) = reference();
    for (name, lapse, tolerance) in [
        ("plain", Lapse::Fixed(0.0), 1e-6),
        ("fixed", Lapse::Fixed(0.1), 1e-6),
        ("fitted", Lapse::Fitted, 2e-5),
    ] {
        let settings = ChoiceModelSettings {
            side_bias: true,
            lapse,
        };
        let fit = fit_choice_model(x.view(), &NAMES, &y, &settings).unwrap();
        let mut found = fit.weights.clone();
        found.extend(fit.side_bias);
        if name == "fitted" {
            found.push(fit.lapse);
        }
        let own = &reference[name];
        let (theta, errors) = (numbers(&own["theta"]), numbers(&own["errors"]));
        assert_eq!(found.len(), theta.len());
        for ((found, theta), error) in found.iter().zip(theta).zip(errors) {
            let off = (found.value - theta).abs() / error;
            assert!(off < tolerance, "{name}: {} {theta}", found.value);
            let own_error = found.standard_error.unwrap();
            assert!(
                (own_error / error - 1.0).abs() < 1e-4,
                "{name}: {own_error} {error}"
            );
        }
        let log_likelihood = own["log_likelihood"].as_f64().unwrap();
        assert!((fit.log_likelihood - log_likelihood).abs() < 1e-8, "{name}");
    }
    let scores: Vec<f64> = x
        .column(0)
        .iter()
        .map(|x| (x * 10.0).round_ties_even() / 10.0)
        .collect();
    let area = area_under_curve(&scores, &y).unwrap();
    assert!(
        (area - reference["area_under_curve"].as_f64().unwrap()).abs() < 1e-12,
        "{area}"
    );
}

/// Correlated differences of as many trials.
fn trials(seed: Seed, count: usize) -> (Array2<f64>, Vec<[f64; 2]>) {
    let mut rng = seed.rng();
    let mut normal = || -> f64 { StandardNormal.sample(&mut rng) };
    let rows: Vec<[f64; 2]> = (0..count)
        .map(|_| {
            let high = 0.3 * normal();
            [high, 0.2 * normal() + 0.25 * high]
        })
        .collect();
    (
        Array2::from_shape_fn((count, 2), |(trial, k)| rows[trial][k]),
        rows,
    )
}

#[test]
fn planted_weights_of_a_hundred_observers_lie_within_two_errors() {
    let (x, rows) = trials(Seed::new(1), 300);
    let observers = Observers {
        count: 100,
        high_weight: 6.0,
        low_weight: -4.0,
        side_bias: 0.3,
        lapse: 0.05,
    };
    let settings = ChoiceModelSettings {
        side_bias: true,
        lapse: Lapse::Fixed(0.05),
    };
    let mut z = [Vec::new(), Vec::new(), Vec::new()];
    for choices in observers.choose(&rows, Seed::new(2)).unwrap() {
        let fit = fit_choice_model(x.view(), &NAMES, &choices, &settings).unwrap();
        let estimates = [fit.weights[0], fit.weights[1], fit.side_bias.unwrap()];
        for ((z, found), planted) in z.iter_mut().zip(estimates).zip([6.0, -4.0, 0.3]) {
            z.push((found.value - planted) / found.standard_error.unwrap());
        }
    }
    for z in z {
        let within = z.iter().filter(|z| z.abs() <= 2.0).count();
        // Binomial of 100 at 0.954: standard deviation 2.1.
        assert!(within >= 89, "{within}");
        // The mean has a standard deviation of 0.1, and a small known bias away from 0.
        assert!(mean(&z).abs() < 0.4, "{}", mean(&z));
    }
}

#[test]
fn lapses_are_recovered_and_not_found_where_there_are_none() {
    let (x, rows) = trials(Seed::new(3), 4000);
    let fit = |lapse: f64| {
        let observer = Observers {
            count: 1,
            high_weight: 15.0,
            low_weight: 10.0,
            side_bias: 0.0,
            lapse,
        };
        let choices = observer.choose(&rows, Seed::new(4)).unwrap().remove(0);
        let settings = ChoiceModelSettings {
            side_bias: false,
            lapse: Lapse::Fitted,
        };
        fit_choice_model(x.view(), &NAMES, &choices, &settings).unwrap()
    };
    let lapsing = fit(0.2);
    let error = lapsing.lapse.standard_error.unwrap();
    assert!(
        (lapsing.lapse.value - 0.2).abs() < 2.5 * error && error < 0.05,
        "{lapsing:?}"
    );
    assert!(
        (lapsing.weights[0].value - 15.0).abs() < 2.5 * lapsing.weights[0].standard_error.unwrap()
    );
    assert_eq!(lapsing.side_bias, None);
    let attentive = fit(0.0);
    assert!(attentive.lapse.value < 0.02, "{attentive:?}");
}

#[test]
fn held_out_choices_are_predicted_only_where_something_drives_them() {
    let (x, rows) = trials(Seed::new(5), 60);
    let session = |high_weight: f64| {
        let observers = Observers {
            count: 10,
            high_weight,
            low_weight: 0.0,
            ..Default::default()
        };
        observers.choose(&rows, Seed::new(6)).unwrap().concat()
    };
    let all = Array2::from_shape_fn((600, 2), |(trial, k)| x[[trial % 60, k]]);
    let stimuli: Vec<usize> = (0..600).map(|trial| trial % 60).collect();
    let predict = |columns: std::ops::Range<usize>, choices: &[bool]| {
        let x = all.slice(ndarray::s![.., columns.clone()]);
        let settings = ChoiceModelSettings::default();
        held_out(
            x,
            &NAMES[columns],
            choices,
            &stimuli,
            6,
            &settings,
            Seed::new(7),
        )
        .unwrap()
    };
    let driven = session(8.0);
    let (high, low) = (predict(0..1, &driven), predict(1..2, &driven));
    assert!(
        high.log_likelihood > -0.55 && high.area_under_curve > 0.8,
        "{high:?}"
    );
    assert_eq!(high.by_stimulus.len(), 60);
    assert!((mean(&high.by_stimulus) - high.log_likelihood).abs() < 1e-12);
    assert!(paired_z(&high, &low).unwrap() > 4.0);
    assert_eq!(paired_z(&high, &high).unwrap(), 0.0);
    let by_coin = session(0.0);
    let nothing = predict(0..2, &by_coin);
    assert!(
        (-0.72..=-0.68).contains(&nothing.log_likelihood),
        "{nothing:?}"
    );
    assert!((0.4..0.6).contains(&nothing.area_under_curve));
}

#[test]
fn choices_that_determine_nothing_are_refused() {
    let (x, _) = trials(Seed::new(8), 40);
    let settings = ChoiceModelSettings::default();
    let refuse = |x: &Array2<f64>, y: &[bool], settings: &ChoiceModelSettings| {
        fit_choice_model(x.view(), &NAMES, y, settings)
            .unwrap_err()
            .to_string()
    };
    let separated: Vec<bool> = x.column(0).iter().map(|x| *x > 0.0).collect();
    let message = refuse(&x, &separated, &settings);
    assert!(message.contains("separate"), "{message}");
    assert!(refuse(&x, &[true; 40], &settings).contains("separate"));
    let mixed: Vec<bool> = (0..40).map(|trial| trial % 3 == 0).collect();
    let mut twins = x.clone();
    let first = twins.column(0).to_owned();
    twins.column_mut(1).assign(&(first * 2.0));
    assert!(refuse(&twins, &mixed, &settings).contains("depend on each other"));
    let mut flat = x.clone();
    flat.column_mut(1).fill(0.0);
    assert!(refuse(&flat, &mixed, &settings).contains("low is 0 in every trial"));
    let mut holes = x.clone();
    holes[[7, 1]] = f64::NAN;
    assert!(refuse(&holes, &mixed, &settings).contains("trial 7, low"));
    assert!(refuse(&x, &mixed[1..], &settings).contains("expected 40"));
    let lapsing = ChoiceModelSettings {
        lapse: Lapse::Fixed(0.7),
        ..settings
    };
    assert!(refuse(&x, &mixed, &lapsing).starts_with("lapse = 0.7"));
    let stimuli = vec![0; 40];
    assert!(
        held_out(
            x.view(),
            &NAMES,
            &mixed,
            &stimuli,
            2,
            &settings,
            Seed::new(0)
        )
        .is_err()
    );
}
