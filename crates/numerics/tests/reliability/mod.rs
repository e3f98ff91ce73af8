//! Ceilings recover the share of signal that was planted, and find none where there is none.

use chiasm_core::{Progress, Seed};
use chiasm_numerics::reliability::{
    BiasCorrection, CeilingNormalisation, HalvesPredicted, Repeats, SpearmanBrown,
    SplitHalfSettings, TotalVariance, brain_score, explainable_variance, mean_over_splits,
    normalised_by_ceiling, normalised_correlation, nsd_noise_ceiling, signal_power, spearman_brown,
    split_half, two_sided_noise_correction,
};
use ndarray::{Array2, Array3, Axis, array, s};
use rand_distr::{Distribution, StandardNormal};

/// Single-trial shares of signal; the first target has none.
const SHARES: [f64; 4] = [0.0, 0.1, 0.3, 0.6];
/// Targets of each share, over which an estimate is averaged.
const COPIES: usize = 25;

/// Unit-variance trials: the shares' signal is common to the repeats. Returns signals and trials.
fn simulated(repeats: usize, stimuli: usize) -> (Array2<f64>, Array3<f64>) {
    let mut rng = Seed::new(5).named("trials").rng();
    let mut normal = |_| -> f64 { StandardNormal.sample(&mut rng) };
    let targets = SHARES.len() * COPIES;
    let signal = Array2::from_shape_fn((stimuli, targets), |_| normal(0))
        * Array2::from_shape_fn((1, targets), |(_, target)| SHARES[target / COPIES].sqrt());
    let noise = Array3::from_shape_fn((repeats, stimuli, targets), |_| normal(0));
    let trials = Array3::from_shape_fn(noise.dim(), |(r, s, t)| {
        3.0 + signal[[s, t]] + (1.0 - SHARES[t / COPIES]).sqrt() * noise[[r, s, t]]
    });
    (signal, trials)
}

/// The mean estimate over the targets of each share.
fn by_share(values: &[f64]) -> Vec<f64> {
    values
        .chunks(COPIES)
        .map(|copies| copies.iter().sum::<f64>() / COPIES as f64)
        .collect()
}

fn near(found: &[f64], expected: &[f64], tolerance: f64, what: &str) {
    for (found, expected) in found.iter().zip(expected) {
        assert!(
            (found - expected).abs() < tolerance,
            "{what}: {found} {expected}"
        );
    }
}

#[test]
fn every_ceiling_finds_the_planted_share_and_none_without_signal() {
    let (_, trials) = simulated(4, 400);
    let repeats = Repeats::new(trials.view()).unwrap();
    let of_four: Vec<f64> = SHARES
        .iter()
        .map(|share| spearman_brown(*share, 4.0))
        .collect();
    for correction in [SpearmanBrown::OfTheMean, SpearmanBrown::OfEachSplit] {
        let settings = SplitHalfSettings {
            splits: 20,
            correction,
        };
        let found = split_half(&repeats, &settings, &Seed::new(1), &Progress::silent()).unwrap();
        near(&by_share(&found), &of_four, 0.03, "split half");
    }
    let counts = repeats.counts();
    for total in [TotalVariance::Unit, TotalVariance::Measured] {
        let ceiling = nsd_noise_ceiling(&repeats, total).unwrap();
        // Signal variance is cut at 0, so that the mean of nothing lies above 0.
        near(&by_share(&ceiling.share(&counts)), &of_four, 0.06, "NSD");
        near(
            &by_share(&ceiling.noise_variance),
            &SHARES.map(|share| 1.0 - share),
            0.02,
            "NSD noise",
        );
    }
    let single = explainable_variance(&repeats, BiasCorrection::Corrected).unwrap();
    near(&by_share(&single), &SHARES, 0.02, "explainable variance");
    let biased = explainable_variance(&repeats, BiasCorrection::None).unwrap();
    near(
        &by_share(&biased)[..1],
        &[0.25],
        0.02,
        "biased explainable variance",
    );
    let power = signal_power(&repeats).unwrap();
    near(&by_share(&power.signal), &SHARES, 0.02, "signal power");
    near(
        &by_share(&power.share()),
        &of_four,
        0.03,
        "share of signal power",
    );
}

#[test]
fn a_perfect_model_reaches_the_ceiling_and_no_more() {
    let (signal, trials) = simulated(4, 400);
    let repeats = Repeats::new(trials.view()).unwrap();
    let power = signal_power(&repeats).unwrap();
    let mean = repeats.mean();
    let found = normalised_correlation(mean.view(), signal.view(), &power, 0.0).unwrap();
    near(
        &by_share(&found)[1..],
        &[1.0; 3],
        0.05,
        "CCnorm of the signal itself",
    );
    // Targets without signal have no prediction that varies here: dropped, not 0 and not huge.
    assert!(found[..COPIES].iter().all(|value| value.is_nan()));
    let strict = normalised_correlation(mean.view(), signal.view(), &power, 0.5).unwrap();
    assert!(
        strict[COPIES..2 * COPIES]
            .iter()
            .all(|value| value.is_nan())
    );
    // The closed form: raw correlation over the root of the share.
    let (target, share) = (3 * COPIES, power.share());
    let raw = chiasm_core::metrics::score::centred_correlation(
        &mean.column(target).to_vec(),
        &signal.column(target).to_vec(),
    );
    assert!((found[target] - raw / share[target].sqrt()).abs() < 1e-12);
}

#[test]
fn numbers_by_hand() {
    assert!((spearman_brown(0.5, 2.0) - 2.0 / 3.0).abs() < 1e-15);
    assert!((spearman_brown(spearman_brown(0.3, 5.0), 0.2) - 0.3).abs() < 1e-15);
    // Two repeats, three stimuli, one target.
    let trials = array![[[1.0], [2.0], [6.0]], [[3.0], [2.0], [4.0]]];
    let repeats = Repeats::new(trials.view()).unwrap();
    // r = 3.5·... : deviations (-2, -1, 3) and (0, -1, 1): r = 4/√(14·2).
    let r = 4.0 / 28f64.sqrt();
    let settings = SplitHalfSettings::default();
    let found = split_half(&repeats, &settings, &Seed::new(0), &Progress::silent()).unwrap();
    assert!((found[0] - 2.0 * r / (1.0 + r)).abs() < 1e-12);
    // Var(sum) of (4, 4, 10) is 12; Var of the repeats 7 and 1.
    let power = signal_power(&repeats).unwrap();
    assert!((power.signal[0] - 2.0).abs() < 1e-12 && (power.of_the_mean[0] - 3.0).abs() < 1e-12);
    // Variances within stimuli 2, 0, 2; over all trials 3.2.
    let ceiling = nsd_noise_ceiling(&repeats, TotalVariance::Measured).unwrap();
    assert!((ceiling.noise_variance[0] - 4.0 / 3.0).abs() < 1e-12);
    assert!((ceiling.signal_variance[0] - (3.2 - 4.0 / 3.0)).abs() < 1e-12);
    let (ncsnr, k) = (ceiling.ncsnr[0], 2.0);
    let expected = ncsnr.powi(2) / (ncsnr.powi(2) + 1.0 / k);
    assert!((ceiling.share(&repeats.counts())[0] - expected).abs() < 1e-12);
    // numpy: z-scored with ddof 1, the variance of the mean is (1 + r)/2.
    let biased = explainable_variance(&repeats, BiasCorrection::None).unwrap();
    assert!((biased[0] - (1.0 + r) / 2.0).abs() < 1e-12);
    let single = explainable_variance(&repeats, BiasCorrection::Corrected).unwrap();
    assert!((single[0] - r).abs() < 1e-12);
}

#[test]
fn missing_repeats_are_left_out_and_uneven_ones_counted() {
    let (_, mut trials) = simulated(3, 900);
    // 300 stimuli with 3, 2 and 1 repeats.
    trials.slice_mut(s![2, 300.., ..]).fill(f64::NAN);
    trials.slice_mut(s![1, 600.., ..]).fill(f64::NAN);
    let repeats = Repeats::new(trials.view()).unwrap();
    assert_eq!(
        (
            repeats.counts()[0],
            repeats.counts()[450],
            repeats.counts()[899]
        ),
        (3, 2, 1)
    );
    let ceiling = nsd_noise_ceiling(&repeats, TotalVariance::Unit).unwrap();
    let noise_left = (1.0 / 3.0 + 1.0 / 2.0 + 1.0) / 3.0;
    let expected = SHARES.map(|share| share / (share + (1.0 - share) * noise_left));
    near(
        &by_share(&ceiling.share(&repeats.counts()))[1..],
        &expected[1..],
        0.04,
        "uneven NSD",
    );
    let settings = SplitHalfSettings::default();
    let found = split_half(&repeats, &settings, &Seed::new(0), &Progress::silent()).unwrap();
    assert!(by_share(&found)[0].abs() < 0.05 && by_share(&found)[3] > 0.7);
    for message in [
        explainable_variance(&repeats, BiasCorrection::None).unwrap_err(),
        signal_power(&repeats).unwrap_err(),
    ] {
        assert!(
            message
                .to_string()
                .contains("stimulus 300 has 2 of 3 repeats"),
            "{message}"
        );
    }
    assert!((repeats.mean()[[899, 0]] - trials[[0, 899, 0]]).abs() < 1e-15);
}

#[test]
fn what_has_no_reliability_is_refused_or_not_a_number() {
    let (_, trials) = simulated(3, 10);
    assert!(Repeats::new(trials.slice(s![.., ..1, ..])).is_err());
    let single = Repeats::new(trials.slice(s![..1, .., ..])).unwrap();
    assert!(nsd_noise_ceiling(&single, TotalVariance::Unit).is_err());
    let mut hole = trials.clone();
    hole[[1, 2, 3]] = f64::NAN;
    let error = Repeats::new(hole.view()).unwrap_err().to_string();
    assert!(error.contains("repeat 1, stimulus 2, target 3"), "{error}");
    let mut gone = trials.clone();
    gone.slice_mut(s![.., 4, ..]).fill(f64::NAN);
    assert!(
        Repeats::new(gone.view())
            .unwrap_err()
            .to_string()
            .contains("stimulus 4")
    );
    let mut flat = trials.clone();
    flat.slice_mut(s![.., .., 0]).fill(7.0);
    let flat = Repeats::new(flat.view()).unwrap();
    let settings = SplitHalfSettings::default();
    let found = split_half(&flat, &settings, &Seed::new(0), &Progress::silent()).unwrap();
    assert!(found[0].is_nan() && found[1].is_finite());
    assert!(explainable_variance(&flat, BiasCorrection::None).unwrap()[0].is_nan());
    assert!(signal_power(&flat).unwrap().share()[0].is_nan());
    assert!(
        nsd_noise_ceiling(&flat, TotalVariance::Measured)
            .unwrap()
            .share(&[3])[0]
            .is_nan()
    );
}

#[test]
fn correction_on_both_sides_finds_the_true_correlation() {
    // y = signal + noise; the model reads the signal with a true correlation of 0.8, and the noise of its weights
    // differs between the halves.
    let (stimuli, targets) = (3000, 20);
    let mut rng = Seed::new(8).rng();
    let mut normal = || {
        Array2::from_shape_simple_fn((stimuli, targets), || -> f64 {
            StandardNormal.sample(&mut rng)
        })
    };
    let signal = normal();
    let model = 0.8 * &signal + 0.6 * normal();
    let halves = [&signal + normal(), &signal + normal()];
    let predictions = [&model + 0.7 * normal(), &model + 0.7 * normal()];
    let mean = |pair: &[Array2<f64>; 2]| (&pair[0] + &pair[1]) / 2.0;
    let (responses, whole) = (mean(&halves), mean(&predictions));
    let halves_of = |pair: &'static str| pair;
    let _ = halves_of;
    let found = two_sided_noise_correction(&HalvesPredicted {
        responses: responses.view(),
        predictions: whole.view(),
        half_responses: [halves[0].view(), halves[1].view()],
        half_predictions: [predictions[0].view(), predictions[1].view()],
    })
    .unwrap();
    let average = found.iter().sum::<f64>() / targets as f64;
    assert!((average - 0.8).abs() < 0.01, "{average}");
    let raw = chiasm_core::metrics::score::centred_correlation(
        &responses.column(0).to_vec(),
        &whole.column(0).to_vec(),
    );
    assert!(raw < 0.65, "{raw}");
    let splits = [found.clone(), vec![f64::NAN; targets]];
    assert_eq!(mean_over_splits(&splits), found);
    // Noise alone has no reliability in some targets: not a number, rather than any number.
    let noise = [normal(), normal()];
    let nothing = mean(&noise);
    let found = two_sided_noise_correction(&HalvesPredicted {
        responses: nothing.view(),
        predictions: whole.view(),
        half_responses: [noise[0].view(), noise[1].view()],
        half_predictions: [predictions[0].view(), predictions[1].view()],
    })
    .unwrap();
    assert!(found.iter().any(|value| value.is_nan()));
}

#[test]
fn both_normalisations_of_brain_score_by_hand() {
    let correlations = array![[0.4, 0.5, 0.9], [0.2, 0.7, 0.6]];
    let ceilings = array![[0.8, 0.5, -0.1]];
    let rule = CeilingNormalisation::VarianceCeiling;
    let found = brain_score(correlations.view(), ceilings.view(), rule).unwrap();
    assert!((found.raw - 0.55).abs() < 1e-12 && (found.ceiling - 0.5).abs() < 1e-12);
    assert!((found.score - 0.55 * 0.55 / 0.5).abs() < 1e-12);
    // Medians of (0.2, 0.5) and (0.05, 0.98), the third neuroid dropped.
    assert!((found.score_per_neuroid - (0.35 + 0.515) / 2.0).abs() < 1e-12);
    assert_eq!(found.dropped, 1);
    assert!((found.error - 0.1 / 2f64.sqrt() / 2f64.sqrt()).abs() < 1e-12);
    let rule = CeilingNormalisation::LegacySquaredCeiling;
    let legacy = brain_score(correlations.view(), ceilings.view(), rule).unwrap();
    assert!((legacy.score - (0.55f64 / 0.5).powi(2)).abs() < 1e-12);
    assert!((normalised_by_ceiling(-0.5, 0.5, rule) + 1.0).abs() < 1e-12);
    assert!(normalised_by_ceiling(0.5, 0.0, rule).is_nan());
    let wrong = correlations.t();
    assert!(brain_score(correlations.view(), wrong, rule).is_err());
    assert!(brain_score(correlations.slice(s![..0, ..]), ceilings.view(), rule).is_err());
    let _ = correlations.mean_axis(Axis(0));
}
