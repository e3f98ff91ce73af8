use chiasm_core::{Progress, Seed};
use chiasm_numerics::regression::{
    Penalty, RidgeSettings, RunEdge, delayed_features, fit_ridge_fixed,
};
use ndarray::{Array2, Axis, array};

use super::{assert_close, normal};

#[test]
fn copies_stay_within_their_run() {
    let x = array![
        [1.0, 10.0],
        [2.0, 20.0],
        [3.0, 30.0],
        [4.0, 40.0],
        [5.0, 50.0]
    ];
    let runs = [7, 7, 7, 2, 2];
    let zero = delayed_features(x.view(), &runs, &[0, 1, -1], RunEdge::Zero).unwrap();
    assert_eq!(zero.rows, [0, 1, 2, 3, 4]);
    assert_eq!(
        zero.features,
        array![
            [1.0, 10.0, 0.0, 0.0, 2.0, 20.0],
            [2.0, 20.0, 1.0, 10.0, 3.0, 30.0],
            [3.0, 30.0, 2.0, 20.0, 0.0, 0.0],
            [4.0, 40.0, 0.0, 0.0, 5.0, 50.0],
            [5.0, 50.0, 4.0, 40.0, 0.0, 0.0],
        ]
    );
    let trim = delayed_features(x.view(), &runs, &[1, 0], RunEdge::Trim).unwrap();
    assert_eq!(trim.rows, [1, 2, 4]);
    assert_eq!(trim.features.row(2), array![4.0, 40.0, 5.0, 50.0]);
    let error = |runs: &[usize], delays: &[isize]| {
        let found = delayed_features(x.view(), runs, delays, RunEdge::Trim);
        found.unwrap_err().to_string()
    };
    assert!(error(&[1, 2, 1, 1, 1], &[0]).contains("run 1"));
    assert!(error(&runs, &[3]).contains("edges"));
    assert!(error(&runs, &[1, 1]).contains("delays"));
    assert!(error(&runs, &[]).contains("delays"));
    assert!(error(&runs[1..], &[0]).contains("run labels"));
    assert!(error(&runs, &[isize::MIN]).contains("edges"));
}

#[test]
fn a_planted_response_function_is_read_off_the_weights() {
    let n = 300;
    let x = normal(n, 2, Seed::new(1));
    let runs: Vec<usize> = (0..n).map(|t| t / 100).collect();
    // Feature 0 acts 1 and 3 samples later, feature 1 two later, never across runs.
    let past = |t: usize, feature: usize, delay: usize| {
        if t % 100 >= delay {
            x[[t - delay, feature]]
        } else {
            0.0
        }
    };
    let y = Array2::from_shape_fn((n, 1), |(t, _)| {
        past(t, 0, 1) - 0.5 * past(t, 0, 3) + 2.0 * past(t, 1, 2)
    });
    for edge in [RunEdge::Zero, RunEdge::Trim] {
        let delayed = delayed_features(x.view(), &runs, &[0, 1, 2, 3], edge).unwrap();
        let y = y.select(Axis(0), &delayed.rows);
        let settings = RidgeSettings::default();
        let fit = fit_ridge_fixed(
            delayed.features.view(),
            &y,
            &Penalty::Shared(0.0),
            &settings,
            &Progress::silent(),
        );
        let planted = [0.0, 0.0, 1.0, 0.0, 0.0, 2.0, -0.5, 0.0];
        assert_close(fit.unwrap().weights().unwrap(), &planted, 1e-10, "weights");
    }
}
