use chiasm_core::{Error, Progress, Seed};
use chiasm_numerics::regression::{
    Form, Penalty, PenaltyChoice, ResponseSource, RidgeSettings, SelectedRows, SelectionMetric,
    correlation_scores, fit_ridge, fit_ridge_fixed, logarithmic_grid, r2_scores, select_penalties,
};
use chiasm_numerics::splits::k_fold_by_group;
use ndarray::{Array2, ArrayViewMut2, Axis, ShapeBuilder, s};
use serde_json::Value;

use super::{REFERENCE, assert_close, dealt, normal, numbers, single, table, whole, wholes};

struct Problem {
    x: Array2<f64>,
    y: Array2<f64>,
    alphas: Vec<f64>,
    reference: &'static Value,
}

fn problems() -> Vec<Problem> {
    let cases = REFERENCE["ridge"].as_array().unwrap().iter();
    cases
        .map(|case| {
            let [n, p, t] = ["n", "p", "t"].map(|name| whole(&case[name]));
            Problem {
                x: table(&case["x"], n, p),
                y: table(&case["y"], n, t),
                alphas: numbers(&case["alphas"]),
                reference: case,
            }
        })
        .collect()
}

const METRICS: [(SelectionMetric, &str); 3] = [
    (SelectionMetric::R2, "r2"),
    (SelectionMetric::Correlation, "correlation"),
    (
        SelectionMetric::NegativeMeanSquaredError,
        "negative_mean_squared_error",
    ),
];

fn quiet() -> Progress {
    Progress::silent()
}

#[test]
fn scores_choices_and_predictions_agree_with_scikit_learn_in_both_forms() {
    for Problem {
        x,
        y,
        alphas,
        reference,
    } in problems()
    {
        let folds = dealt(x.nrows(), 4);
        for case in reference["loops"].as_array().unwrap() {
            for form in [Form::Primal, Form::Dual, Form::Automatic] {
                let settings = RidgeSettings {
                    alphas: alphas.clone(),
                    standardise: case["standardise"].as_bool().unwrap(),
                    form,
                    ..Default::default()
                };
                for (metric, name) in METRICS {
                    let settings = RidgeSettings {
                        metric,
                        ..settings.clone()
                    };
                    let selection =
                        select_penalties(x.view(), &y, &folds, &settings, &quiet()).unwrap();
                    let chosen = wholes(&case["chosen"][name]);
                    assert_eq!(selection.chosen, chosen, "{name}");
                    let scores = table(&case["scores"][name], alphas.len(), y.ncols());
                    let best: Vec<f64> = (0..y.ncols()).map(|j| scores[[chosen[j], j]]).collect();
                    assert_close(selection.scores.iter().copied(), &best, 1e-10, name);
                    // Every other penalty's score too, a grid of one at a time.
                    for (a, &alpha) in alphas.iter().enumerate() {
                        let settings = RidgeSettings {
                            alphas: vec![alpha],
                            ..settings.clone()
                        };
                        let one = select_penalties(x.view(), &y, &folds, &settings, &quiet());
                        assert_close(one.unwrap().scores, scores.row(a), 1e-9, name);
                    }
                }
                let fit = fit_ridge(x.view(), &y, &folds, &settings, &quiet()).unwrap();
                let predicted = fit.predict(x.view()).unwrap();
                assert_close(
                    predicted.iter().copied(),
                    &numbers(&case["predicted"]),
                    1e-9,
                    "predictions",
                );
                // Weights and intercepts are for features as they come.
                let by_weights = x.dot(&fit.weights().unwrap());
                let intercepts = fit.intercepts_of(0..y.ncols()).unwrap();
                let by_weights = by_weights + ndarray::Array1::from(intercepts);
                assert_close(by_weights, &predicted, 1e-9, "weights");

                let chosen_with = |change: fn(&mut RidgeSettings)| {
                    let mut settings = settings.clone();
                    change(&mut settings);
                    let found = select_penalties(x.view(), &y, &folds, &settings, &quiet());
                    found.unwrap().chosen
                };
                let shared = chosen_with(|s| s.choice = PenaltyChoice::Shared);
                assert_eq!(shared, vec![whole(&case["shared"]); y.ncols()]);
                let median = chosen_with(|s| s.choice = PenaltyChoice::SharedMedian);
                assert_eq!(median, vec![whole(&case["shared_median"]); y.ncols()]);
                let conservative = chosen_with(|s| s.conservative = true);
                assert_eq!(conservative, wholes(&case["conservative"]));
            }
        }
    }
}

#[test]
fn single_precision_agrees_with_double() {
    for Problem {
        x,
        y,
        alphas,
        reference,
    } in problems()
    {
        let folds = dealt(x.nrows(), 4);
        let case = &reference["loops"][1];
        let settings = RidgeSettings {
            alphas,
            standardise: true,
            ..Default::default()
        };
        let (x, y) = (single(x.view()), single(y.view()));
        let fit = fit_ridge(x.view(), &y, &folds, &settings, &quiet()).unwrap();
        let selection = fit.selection.as_ref().unwrap();
        let chosen = wholes(&case["chosen"]["r2"]);
        assert_eq!(selection.chosen, chosen);
        let scores = table(&case["scores"]["r2"], settings.alphas.len(), y.ncols());
        let best: Vec<f64> = (0..y.ncols()).map(|j| scores[[chosen[j], j]]).collect();
        assert_close(selection.scores.iter().copied(), &best, 1e-5, "scores");
        let predicted = super::wide(fit.predict(x.view()).unwrap().view());
        assert_close(predicted, &numbers(&case["predicted"]), 1e-5, "predictions");
    }
}

#[test]
fn choices_by_correlation_agree_with_himalaya() {
    for Problem {
        x,
        y,
        alphas,
        reference,
    } in problems()
    {
        let settings = RidgeSettings {
            alphas,
            metric: SelectionMetric::Correlation,
            ..Default::default()
        };
        let folds = dealt(x.nrows(), 4);
        let fit = fit_ridge(x.view(), &y, &folds, &settings, &quiet()).unwrap();
        let theirs = &reference["himalaya"];
        let alphas = numbers(&theirs["alphas"]);
        assert_close(fit.alphas.iter().copied(), &alphas, 1e-14, "penalties");
        // Their scores carry a slope of 1e-10 log α that settles ties.
        let scores = fit.selection.as_ref().unwrap().scores.iter().copied();
        assert_close(scores, &numbers(&theirs["scores"]), 1e-8, "scores");
        let weights = fit.weights().unwrap();
        assert_close(weights, &numbers(&theirs["weights"]), 1e-8, "weights");
        let intercepts = fit.intercepts_of(0..y.ncols()).unwrap();
        let expected = numbers(&theirs["intercepts"]);
        assert_close(intercepts, &expected, 1e-8, "intercepts");
    }
}

/// A long grid is scored through a few basis predictions: the numbers must be those of one penalty at a time.
#[test]
fn a_long_grid_gives_each_penaltys_own_score() {
    // Eigenvalues over ten decades, so that small ones carry long test columns.
    let mut x = normal(90, 30, Seed::new(1));
    for (j, mut column) in x.columns_mut().into_iter().enumerate() {
        column *= 10f64.powf(-(j as f64) / 6.0);
    }
    let y = x.dot(&normal(30, 5, Seed::new(2))) + 0.1 * normal(90, 5, Seed::new(3));
    let folds = dealt(90, 3);
    for (metric, name) in &METRICS {
        for form in [Form::Primal, Form::Dual] {
            let grid = logarithmic_grid(-12.0, 20.0, 40);
            let settings = RidgeSettings {
                alphas: grid.clone(),
                metric: *metric,
                form,
                ..Default::default()
            };
            let long = select_penalties(x.view(), &y, &folds, &settings, &quiet()).unwrap();
            let narrow = select_penalties(
                single(x.view()).view(),
                &single(y.view()),
                &folds,
                &settings,
                &quiet(),
            );
            let narrow = narrow.unwrap();
            for j in 0..y.ncols() {
                let alone = RidgeSettings {
                    alphas: vec![grid[long.chosen[j]]],
                    ..settings.clone()
                };
                let alone = select_penalties(x.view(), &y, &folds, &alone, &quiet()).unwrap();
                assert_close([long.scores[j]], [&alone.scores[j]], 1e-9, name);
                assert_close([narrow.scores[j]], [&alone.scores[j]], 1e-4, name);
            }
        }
    }
}

/// Responses that only exist a few targets at a time.
struct Counted<'a> {
    all: &'a Array2<f64>,
    widest: std::sync::atomic::AtomicUsize,
}

impl ResponseSource<f64> for Counted<'_> {
    fn row_count(&self) -> usize {
        self.all.nrows()
    }
    fn target_count(&self) -> usize {
        self.all.ncols()
    }
    fn read(
        &self,
        rows: &[usize],
        targets: std::ops::Range<usize>,
        mut into: ArrayViewMut2<'_, f64>,
    ) -> chiasm_core::Result<()> {
        self.widest
            .fetch_max(targets.len(), std::sync::atomic::Ordering::Relaxed);
        assert_eq!(into.strides()[0], 1);
        into.assign(&self.all.slice(s![.., targets]).select(Axis(0), rows));
        Ok(())
    }
}

#[test]
fn batches_rows_and_layouts_change_nothing() {
    let x = normal(60, 20, Seed::new(4));
    let y = x.dot(&normal(20, 3000, Seed::new(5))) + 8.0 * normal(60, 3000, Seed::new(6));
    let folds = dealt(60, 4);
    let settings = RidgeSettings::default();
    let fit = fit_ridge(x.view(), &y, &folds, &settings, &quiet()).unwrap();
    let source = Counted {
        all: &y,
        widest: 0.into(),
    };
    let small = RidgeSettings {
        batch_mebibytes: 1,
        ..settings.clone()
    };
    let batched = fit_ridge(x.view(), &source, &folds, &small, &quiet()).unwrap();
    // 60 numbers of 8 bytes a target: a MiB holds 2 184, so even the leanest pass takes two batches.
    assert!(source.widest.into_inner() <= 1500);
    assert_eq!(batched.alphas, fit.alphas);
    let scores = &fit.selection.as_ref().unwrap().scores;
    let in_batches = batched.selection.as_ref().unwrap().scores.iter().copied();
    assert_close(in_batches, scores, 1e-12, "batches");
    let weights = fit.weights().unwrap();
    assert_close(batched.weights().unwrap(), &weights, 1e-12, "batches");
    let some = fit.predict_targets(x.view(), 100..110).unwrap();
    let all = fit.predict(x.view()).unwrap();
    assert_close(some, all.slice(s![.., 100..110]), 1e-13, "a range");

    // Twice over gives the same bits.
    let again = fit_ridge(x.view(), &y, &folds, &settings, &quiet()).unwrap();
    assert_eq!(again.predict(x.view()).unwrap(), all);

    // Column-major features and a selection of rows.
    let mut other = Array2::zeros(x.dim().f());
    other.assign(&x);
    let rows: Vec<usize> = (0..60).rev().filter(|row| row % 5 != 0).collect();
    let chosen = SelectedRows::new(&y, &rows).unwrap();
    let part = other.select(Axis(0), &rows);
    let by_selection = fit_ridge_fixed(
        part.view(),
        &chosen,
        &Penalty::Shared(2.0),
        &settings,
        &quiet(),
    );
    let copied = y.select(Axis(0), &rows);
    let x_copied = x.select(Axis(0), &rows);
    let by_copy = fit_ridge_fixed(
        x_copied.view(),
        &copied,
        &Penalty::Shared(2.0),
        &settings,
        &quiet(),
    );
    let expected = by_copy.unwrap().weights().unwrap();
    assert_close(
        by_selection.unwrap().weights().unwrap(),
        &expected,
        1e-12,
        "rows",
    );
}

#[test]
fn planted_weights_are_found_and_noise_is_not_predicted() {
    let (n, p, t) = (400, 30, 40);
    let x = normal(n, p, Seed::new(7));
    let planted = normal(p, t, Seed::new(8));
    let noise = normal(n, 2 * t, Seed::new(9));
    let mut y = Array2::zeros((n, 2 * t));
    y.slice_mut(s![.., ..t]).assign(&x.dot(&planted));
    y += &(3.0 * noise);
    let (train, test): (Vec<usize>, Vec<usize>) = (0..n).partition(|row| row % 4 != 0);
    let groups: Vec<usize> = train.iter().map(|row| row / 2).collect();
    let folds = k_fold_by_group(&groups, 5, Some(Seed::new(10))).unwrap();
    let x_train = x.select(Axis(0), &train);
    let rows = SelectedRows::new(&y, &train).unwrap();
    let settings = RidgeSettings::default();
    let fit = fit_ridge(x_train.view(), &rows, &folds, &settings, &quiet()).unwrap();
    let predicted = fit.predict(x.select(Axis(0), &test).view()).unwrap();
    let observed = y.select(Axis(0), &test);
    let r2 = r2_scores(observed.view(), predicted.view()).unwrap();
    let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
    // Signal variance about 30 against noise variance 9: the ceiling is 0.77.
    assert!(mean(&r2[..t]) > 0.65, "{}", mean(&r2[..t]));
    assert!(mean(&r2[t..]) < 0.0, "{}", mean(&r2[t..]));
    let weights = fit.weights().unwrap();
    let difference = &weights.slice(s![.., ..t]) - &planted;
    assert!(
        difference.iter().map(|d| d * d).sum::<f64>()
            < 0.1 * planted.iter().map(|w| w * w).sum::<f64>()
    );
    // What nothing predicts goes to the grid's edge, and is counted there.
    let (small, large) = fit.selection.unwrap().at_grid_edges();
    assert!(small == 0 && large >= t / 4, "{small} {large}");
}

#[test]
fn constant_targets_are_found_and_count_for_nothing() {
    let x = normal(30, 4, Seed::new(11));
    let mut y = normal(30, 5, Seed::new(12));
    y.column_mut(2).fill(3.25);
    let folds = dealt(30, 3);
    for choice in [PenaltyChoice::PerTarget, PenaltyChoice::Shared] {
        let settings = RidgeSettings {
            choice,
            ..Default::default()
        };
        let fit = fit_ridge(x.view(), &y, &folds, &settings, &quiet()).unwrap();
        let selection = fit.selection.as_ref().unwrap();
        assert_eq!(selection.constant_targets(), 1);
        assert!(selection.constant[2] && fit.constant[2]);
        assert_eq!(selection.scores[2], 0.0);
        let predicted = fit.predict(x.view()).unwrap();
        assert_close(
            predicted.column(2).to_vec(),
            &vec![3.25; 30],
            1e-12,
            "constant",
        );
        assert_eq!(r2_scores(y.view(), predicted.view()).unwrap()[2], 0.0);
        assert_eq!(
            correlation_scores(y.view(), predicted.view()).unwrap()[2],
            0.0
        );
    }
}

#[test]
fn least_squares_of_least_norm_where_features_repeat() {
    // The same column twice: the weight is shared evenly, and the fit that of one column.
    let one = normal(20, 1, Seed::new(13));
    let x = ndarray::concatenate![Axis(1), one, one];
    let y = 4.0 * &one + 1.0;
    for form in [Form::Primal, Form::Dual] {
        let settings = RidgeSettings {
            form,
            ..Default::default()
        };
        let penalty = Penalty::Shared(0.0);
        let fit = fit_ridge_fixed(x.view(), &y, &penalty, &settings, &quiet()).unwrap();
        assert_close(fit.weights().unwrap(), &[2.0, 2.0], 1e-12, "weights");
        assert_close(fit.intercepts_of(0..1).unwrap(), &[1.0], 1e-12, "intercept");
    }
}

#[test]
fn without_an_intercept_nothing_is_centred() {
    let x = normal(25, 3, Seed::new(14)) + 1.0;
    let y = normal(25, 2, Seed::new(15)) + 5.0;
    let settings = RidgeSettings {
        intercept: false,
        ..Default::default()
    };
    let fit = fit_ridge_fixed(x.view(), &y, &Penalty::Shared(1.5), &settings, &quiet()).unwrap();
    // (X'X + αI) w = X'y
    let weights = fit.weights().unwrap();
    let left = x.t().dot(&x.dot(&weights)) + 1.5 * &weights;
    assert_close(left, &x.t().dot(&y), 1e-12, "normal equations");
    assert_eq!(fit.intercepts_of(0..2).unwrap(), [0.0, 0.0]);
}

#[test]
fn bad_input_is_refused_with_its_place() {
    let x = normal(12, 3, Seed::new(16));
    let y = normal(12, 4, Seed::new(17));
    let folds = dealt(12, 3);
    let settings = RidgeSettings::default();
    let fail = |x: &Array2<f64>, y: &Array2<f64>, settings: &RidgeSettings| {
        let error = fit_ridge(x.view(), y, &folds, settings, &quiet()).unwrap_err();
        error.to_string()
    };
    let mut bad = y.clone();
    bad[[5, 2]] = f64::NAN;
    assert!(fail(&x, &bad, &settings).contains("row 5, target 2"));
    let mut bad = x.clone();
    bad[[7, 1]] = f64::INFINITY;
    assert!(fail(&bad, &y, &settings).contains("row 7, feature 1"));
    assert!(
        fail(&x, &normal(11, 4, Seed::new(0)), &settings).contains("rows of the responses is 11")
    );
    let negative = RidgeSettings {
        alphas: vec![-1.0],
        ..settings.clone()
    };
    assert!(fail(&x, &y, &negative).contains("alpha = -1"));
    let none = RidgeSettings {
        alphas: vec![],
        ..settings.clone()
    };
    assert!(fail(&x, &y, &none).contains("alphas"));
    let mut folds = folds.clone();
    let shared = folds[0].train[0];
    folds[0].test.push(shared);
    let error = fit_ridge(x.view(), &y, &folds, &settings, &quiet()).unwrap_err();
    assert!(matches!(error, Error::Unusable { .. }), "{error}");
}
