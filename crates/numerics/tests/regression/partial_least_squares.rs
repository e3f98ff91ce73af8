use chiasm_core::{Progress, Seed};
use chiasm_numerics::regression::{Penalty, RidgeSettings, fit_mean, fit_pls, fit_ridge_fixed};
use ndarray::{Array2, s};

use super::{REFERENCE, assert_close, normal, numbers, single, table, whole};

fn quiet() -> Progress {
    Progress::silent()
}

#[test]
fn components_agree_with_scikit_learn() {
    let case = &REFERENCE["pls"];
    let [n, p, t] = ["n", "p", "t"].map(|name| whole(&case[name]));
    let (x, y) = (table(&case["x"], n, p), table(&case["y"], n, t));
    let new = table(&case["new"], 9, p);
    for theirs in case["fits"].as_array().unwrap() {
        let components = whole(&theirs["components"]);
        let targets = whole(&theirs["targets"]);
        let y = y.slice(s![.., ..targets]);
        let fit = fit_pls(x.view(), &y, components, &quiet()).unwrap();
        let weights = table(&theirs["weights"], p, targets);
        assert_close(fit.weights(components), &weights, 1e-8, "weights");
        let predicted = fit.predict(new.view()).unwrap();
        let expected = numbers(&theirs["predicted"]);
        assert_close(predicted, &expected, 1e-8, "predictions");
        // A longer fit holds the shorter ones.
        let longer = fit_pls(x.view(), &y, components + 2, &quiet()).unwrap();
        let cut = longer.predict_with(new.view(), components).unwrap();
        assert_close(cut, &expected, 1e-8, "a cut fit");
        let narrow = fit_pls(single(x.view()).view(), &single(y), components, &quiet()).unwrap();
        let narrow = narrow.predict(single(new.view()).view()).unwrap();
        assert_close(super::wide(narrow.view()), &expected, 1e-5, "f32");
    }
}

#[test]
fn all_components_are_least_squares_and_features_run_out() {
    let x = normal(40, 5, Seed::new(1));
    let y = normal(40, 9, Seed::new(2));
    let settings = RidgeSettings::default();
    let least_squares =
        fit_ridge_fixed(x.view(), &y, &Penalty::Shared(0.0), &settings, &quiet()).unwrap();
    let fit = fit_pls(x.view(), &y, 5, &quiet()).unwrap();
    let expected = least_squares.weights().unwrap();
    assert_close(fit.weights(5), &expected, 1e-10, "weights");
    // Five features that are two.
    let flat = x.slice(s![.., ..2]).dot(&normal(2, 5, Seed::new(3)));
    let fit = fit_pls(flat.view(), &y, 5, &quiet()).unwrap();
    assert_eq!(fit.components(), 2);
    assert!(fit_pls(x.view(), &y, 6, &quiet()).is_err());
    assert!(fit_pls(x.view(), &y, 0, &quiet()).is_err());
    // Constant targets have nothing to go with: no component, the mean is predicted.
    let fit = fit_pls(x.view(), &Array2::from_elem((40, 2), 1.5), 2, &quiet()).unwrap();
    assert_eq!(fit.components(), 0);
    assert!(
        fit.predict(x.view())
            .unwrap()
            .iter()
            .all(|&value| value == 1.5)
    );
}

#[test]
fn the_mean_is_predicted_whatever_the_features() {
    let y = normal(30, 4, Seed::new(4)) + 2.0;
    let fit = fit_mean(&y).unwrap();
    let expected = y.mean_axis(ndarray::Axis(0)).unwrap();
    assert_close(fit.means.iter().copied(), &expected, 1e-14, "means");
    let predicted: Array2<f64> = fit.predict(3);
    assert_eq!(predicted.row(0), predicted.row(2));
    assert!(fit_mean(&Array2::<f64>::zeros((0, 3))).is_err());
}
