use chiasm_core::{Progress, Seed};
use chiasm_numerics::regression::{
    BandedSettings, Form, RidgeSettings, band_weight_candidates, correlation_split,
    fit_banded_ridge, fit_banded_ridge_over, fit_ridge, product_measure, r2_scores,
};
use ndarray::{Array2, ArrayView2, Axis, s};

use super::{REFERENCE, assert_close, dealt, normal, numbers, single, table, whole, wholes};

fn quiet() -> Progress {
    Progress::silent()
}

#[test]
fn band_weights_and_predictions_agree_with_himalaya_in_both_forms() {
    let case = &REFERENCE["banded"];
    let (n, t) = (whole(&case["n"]), whole(&case["t"]));
    let sizes = wholes(&case["sizes"]);
    let total = sizes.iter().sum();
    let (x, y) = (table(&case["x"], n, total), table(&case["y"], n, t));
    let mut first = 0;
    let bands: Vec<Array2<f64>> = (sizes.iter())
        .map(|&size| {
            first += size;
            x.slice(s![.., first - size..first]).to_owned()
        })
        .collect();
    let views: Vec<ArrayView2<'_, f64>> = bands.iter().map(|band| band.view()).collect();
    let gammas = numbers(&case["gammas"]);
    let candidates = Array2::from_shape_vec((gammas.len() / 3, 3), gammas).unwrap();
    let expected_deltas = table(&case["deltas"], 3, t);
    for form in [Form::Primal, Form::Dual] {
        let settings = RidgeSettings {
            alphas: numbers(&case["alphas"]),
            form,
            ..Default::default()
        };
        let fit = fit_banded_ridge_over(
            &views,
            &y,
            &dealt(n, 4),
            candidates.clone(),
            &settings,
            &quiet(),
        )
        .unwrap();
        // Their deltas are log(gamma / alpha).
        let deltas = fit.band_alphas().mapv(|alpha| -alpha.ln());
        assert_close(deltas, &expected_deltas, 1e-10, "deltas");
        let scores = fit.candidate_scores.iter().copied();
        assert_close(scores, &numbers(&case["scores"]), 1e-8, "scores");
        let weights = fit.weights().unwrap();
        assert_close(weights, &numbers(&case["weights"]), 1e-8, "weights");
        let intercepts = fit.intercepts().unwrap();
        let expected = numbers(&case["intercepts"]);
        assert_close(intercepts, &expected, 1e-8, "intercepts");

        let mut parts = fit.predict_bands(&views).unwrap();
        for part in &mut parts {
            let mean = part.mean_axis(Axis(0)).unwrap();
            *part -= &mean;
        }
        let all = parts.iter().flat_map(|part| part.iter().copied());
        assert_close(all, &numbers(&case["split"]), 1e-8, "parts");
        let parts: Vec<ArrayView2<'_, f64>> = parts.iter().map(|part| part.view()).collect();
        let measure = product_measure(y.view(), &parts).unwrap();
        let expected = numbers(&case["product_measure"]);
        assert_close(measure, &expected, 1e-8, "product measure");
        let split = correlation_split(y.view(), &parts).unwrap();
        let expected = numbers(&case["correlation_split"]);
        assert_close(split, &expected, 1e-8, "correlation split");

        let narrow: Vec<Array2<f32>> = views.iter().map(|band| single(*band)).collect();
        let narrow: Vec<ArrayView2<'_, f32>> = narrow.iter().map(|band| band.view()).collect();
        let fit_narrow = fit_banded_ridge_over(
            &narrow,
            &single(y.view()),
            &dealt(n, 4),
            candidates.clone(),
            &settings,
            &quiet(),
        )
        .unwrap();
        assert_eq!(fit_narrow.chosen, fit.chosen);
        let predicted = fit_narrow.predict(&narrow).unwrap();
        let expected = fit.predict(&views).unwrap();
        assert_close(super::wide(predicted.view()), &expected, 1e-5, "f32");
    }
}

#[test]
fn one_band_is_plain_ridge() {
    let x = normal(50, 8, Seed::new(1));
    let y = x.dot(&normal(8, 6, Seed::new(2))) + 2.0 * normal(50, 6, Seed::new(3));
    let settings = RidgeSettings {
        standardise: true,
        ..Default::default()
    };
    let folds = dealt(50, 5);
    let plain = fit_ridge(x.view(), &y, &folds, &settings, &quiet()).unwrap();
    let banded = BandedSettings {
        candidates: 1,
        ridge: settings,
        ..Default::default()
    };
    let fit = fit_banded_ridge(&[x.view()], &y, &folds, &banded, Seed::new(4), &quiet()).unwrap();
    assert_eq!(fit.alphas, plain.alphas);
    let expected = plain.weights().unwrap();
    assert_close(fit.weights().unwrap(), &expected, 1e-12, "weights");
}

#[test]
fn the_band_that_carries_the_signal_is_found_and_none_in_noise() {
    let (n, t) = (240, 24);
    let bands = [0, 1, 2].map(|band| normal(n, 30, Seed::new(10).indexed(band)));
    let views = [0, 1, 2].map(|band| bands[band].view());
    // A third of the targets goes by band 0, a third by band 1, a third by nothing.
    let mut y = 3.0 * normal(n, t, Seed::new(11));
    for band in 0..2 {
        let signal = bands[band].dot(&normal(30, 8, Seed::new(12).indexed(band as u64)));
        let mut part = y.slice_mut(s![.., band * 8..(band + 1) * 8]);
        part += &signal;
    }
    let (train, test): (Vec<usize>, Vec<usize>) = (0..n).partition(|row| row % 4 != 0);
    let at = |rows: &[usize]| views.map(|band| band.select(Axis(0), rows));
    let (train_x, test_x) = (at(&train), at(&test));
    let settings = BandedSettings {
        candidates: 30,
        ..Default::default()
    };
    let fit = fit_banded_ridge(
        &[0, 1, 2].map(|band| train_x[band].view()),
        &y.select(Axis(0), &train),
        &dealt(train.len(), 5),
        &settings,
        Seed::new(13),
        &quiet(),
    )
    .unwrap();
    let test_views = [0, 1, 2].map(|band| test_x[band].view());
    let predicted = fit.predict(&test_views).unwrap();
    let observed = y.select(Axis(0), &test);
    let r2 = r2_scores(observed.view(), predicted.view()).unwrap();
    let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
    assert!(mean(&r2[..16]) > 0.5, "{r2:?}");
    assert!(mean(&r2[16..]) < 0.02, "{r2:?}");
    let parts = fit.predict_bands(&test_views).unwrap();
    let parts: Vec<ArrayView2<'_, f64>> = parts.iter().map(|part| part.view()).collect();
    let shares = product_measure(observed.view(), &parts).unwrap();
    for band in 0..3 {
        for group in 0..2 {
            let share = mean(&shares.slice(s![band, group * 8..(group + 1) * 8]).to_vec());
            assert_eq!(
                share > 0.3,
                band == group,
                "band {band}, group {group}: {share}"
            );
        }
    }
    // Better than one penalty for all bands.
    let joint = ndarray::concatenate(Axis(1), &[0, 1, 2].map(|b| train_x[b].view())).unwrap();
    let plain = fit_ridge(
        joint.view(),
        &y.select(Axis(0), &train),
        &dealt(train.len(), 5),
        &settings.ridge,
        &quiet(),
    )
    .unwrap();
    let joint = ndarray::concatenate(Axis(1), &test_views).unwrap();
    let plain = r2_scores(observed.view(), plain.predict(joint.view()).unwrap().view()).unwrap();
    assert!(mean(&r2[..16]) > mean(&plain[..16]) + 0.02);
}

#[test]
fn candidates_lie_on_the_simplex_and_the_first_is_uniform() {
    let settings = BandedSettings {
        candidates: 400,
        ..Default::default()
    };
    let candidates = band_weight_candidates(3, &settings, Seed::new(5)).unwrap();
    for row in candidates.rows() {
        assert!((row.sum() - 1.0).abs() < 1e-12 && row.iter().all(|&weight| weight >= 0.0));
    }
    assert!(candidates.row(0).iter().all(|&weight| weight == 1.0 / 3.0));
    // Odd rows have concentration 1: the largest of three uniform shares is 11/18 in the mean. Even rows have 0.1, where
    // one band takes nearly all.
    let largest = |from: usize| {
        let rows: Vec<f64> = (from..400)
            .step_by(2)
            .map(|row| candidates.row(row).fold(0.0_f64, |most, &w| most.max(w)))
            .collect();
        rows.iter().sum::<f64>() / rows.len() as f64
    };
    assert!((largest(1) - 11.0 / 18.0).abs() < 0.04, "{}", largest(1));
    assert!(largest(2) > 0.85, "{}", largest(2));
    assert_eq!(
        candidates,
        band_weight_candidates(3, &settings, Seed::new(5)).unwrap()
    );
}

#[test]
fn bad_bands_are_refused() {
    let x = normal(12, 3, Seed::new(6));
    let short = normal(11, 3, Seed::new(6));
    let y = normal(12, 2, Seed::new(7));
    let folds = dealt(12, 3);
    let settings = BandedSettings {
        candidates: 2,
        ..Default::default()
    };
    let fail = |bands: &[ArrayView2<'_, f64>]| {
        let fit = fit_banded_ridge(bands, &y, &folds, &settings, Seed::new(0), &quiet());
        fit.unwrap_err().to_string()
    };
    assert!(fail(&[]).contains("bands"));
    assert!(fail(&[x.view(), short.view()]).contains("band 1"));
    let over = |candidates: Array2<f64>| {
        let bands = [x.view(), x.view()];
        let fit = fit_banded_ridge_over(&bands, &y, &folds, candidates, &settings.ridge, &quiet());
        fit.unwrap_err().to_string()
    };
    assert!(over(ndarray::array![[0.0, 0.0]]).contains("above 0"));
    assert!(over(ndarray::array![[0.5, -0.5]]).contains("band weight"));
    assert!(over(ndarray::array![[1.0]]).contains("bands"));
}
