//! Inference on models: rsatoolbox's numbers on its own draws and folds, and what null and planted data say.

use chiasm_core::data::Rdm;
use chiasm_core::{Progress, Seed};
use chiasm_numerics::similarity::comparator::similarity;
use chiasm_numerics::similarity::dissimilarity::rdm_of_patterns;
use chiasm_numerics::similarity::inference::{
    Correction, CrossValidation, Evaluations, Flexibility, Inference, InferenceSettings, Model,
    Resample, Resampling, conclude_from_draws, evaluate_resamples, infer,
};
use chiasm_numerics::similarity::{Comparator, Dissimilarity};
use ndarray::Array2;
use rand_distr::{Distribution, StandardNormal};
use serde_json::Value;

use super::{assert_close, comparator, numbers, rdms, rows};

/// Values made by `fixtures/make_inference.py`.
fn reference() -> Value {
    serde_json::from_str(include_str!("../fixtures/inference.json")).unwrap()
}

fn fixed_models(reference: &Value) -> Vec<Model> {
    rdms(&reference["models"])
        .into_iter()
        .map(Model::fixed)
        .collect()
}

fn settings(comparator: Comparator, resampling: Resampling) -> InferenceSettings {
    InferenceSettings {
        comparator,
        resampling,
        ..Default::default()
    }
}

fn assert_conclusions(found: &Inference, expected: &Value, ceilings: bool, what: &str) {
    let of_models = |read: fn(&chiasm_numerics::similarity::inference::ModelInference) -> f64| {
        found.models.iter().map(read).collect::<Vec<f64>>()
    };
    let close = |found: &[f64], name: &str| {
        assert_close(
            found,
            &numbers(&expected[name]),
            1e-8,
            &format!("{what}: {name}"),
        );
    };
    close(&of_models(|model| model.mean), "means");
    close(&of_models(|model| model.variance), "variance");
    close(&of_models(|model| model.p_zero), "p_zero");
    if ceilings {
        close(&of_models(|model| model.p_ceiling.unwrap()), "p_ceiling");
        let ceiling = found.noise_ceiling.unwrap();
        close(&[ceiling.lower, ceiling.upper], "ceiling");
    }
    let pairs = |read: fn(&chiasm_numerics::similarity::inference::PairInference) -> f64| {
        found.pairwise.iter().map(read).collect::<Vec<f64>>()
    };
    close(&pairs(|pair| pair.variance), "variance_of_differences");
    close(&pairs(|pair| pair.p), "p_pairwise");
    let bounds: Vec<f64> = found.models.iter().flat_map(|model| model.ci95).collect();
    assert_close(&bounds, &rows(&expected["ci95"]).concat(), 1e-8, what);
    assert_eq!(
        found.degrees_of_freedom as u64,
        expected["dof"].as_u64().unwrap()
    );
}

#[test]
fn without_resampling_numbers_are_rsatoolboxs() {
    let reference = reference();
    let data = rdms(&reference["data"]);
    for (name, expected) in reference["fixed"].as_object().unwrap() {
        let settings = settings(comparator(name), Resampling::None);
        let found = infer(
            &fixed_models(&reference),
            &data,
            &settings,
            &Seed::new(0),
            &Progress::silent(),
        );
        assert_conclusions(&found.unwrap(), expected, true, name);
    }
}

fn indices(value: &Value) -> Vec<usize> {
    value
        .as_array()
        .unwrap()
        .iter()
        .map(|index| index.as_u64().unwrap() as usize)
        .collect()
}

fn resampling(kind: &str) -> Resampling {
    match kind {
        "subjects" => Resampling::Subjects,
        "conditions" => Resampling::Conditions,
        "both" => Resampling::Both,
        _ => Resampling::Dual,
    }
}

/// The three samples of a dual draw: both, subjects alone, conditions alone.
fn kinds(sample: &Value, kind: Resampling, data: &[Rdm]) -> Vec<(Vec<usize>, Vec<usize>)> {
    let (subjects, conditions) = (indices(&sample["subjects"]), indices(&sample["conditions"]));
    let both = (subjects.clone(), conditions.clone());
    if kind != Resampling::Dual {
        return vec![both];
    }
    let all_conditions = (0..data[0].conditions()).collect();
    vec![
        both,
        (subjects, all_conditions),
        ((0..data.len()).collect(), conditions),
    ]
}

#[test]
fn bootstraps_of_its_draws_agree_with_rsatoolbox() {
    let reference = reference();
    let (data, models) = (rdms(&reference["data"]), fixed_models(&reference));
    for case in reference["bootstrap"].as_array().unwrap() {
        let what = format!("{} {}", case["kind"], case["comparator"]);
        let kind = resampling(case["kind"].as_str().unwrap());
        let settings = settings(comparator(case["comparator"].as_str().unwrap()), kind);
        // Where subjects are drawn, rsatoolbox averages its ceilings over the distinct ones, each once; the
        // bootstrap of a mean over subjects counts each as often as it was drawn.
        let ceilings = kind == Resampling::Conditions;
        let samples = case["samples"].as_array().unwrap();
        let count = kinds(&samples[0], kind, &data).len();
        let mut bootstraps = Vec::new();
        for which in 0..count {
            let resamples: Vec<Resample> = samples
                .iter()
                .map(|sample| {
                    let (subjects, conditions) = kinds(sample, kind, &data).swap_remove(which);
                    Resample {
                        subjects,
                        conditions,
                        divisions: Vec::new(),
                    }
                })
                .collect();
            let found = evaluate_resamples(&models, &data, &settings, &resamples).unwrap();
            for (draw, expected) in found.iter().zip(case["rows"][which].as_array().unwrap()) {
                let compared = if ceilings {
                    draw[0].len()
                } else {
                    models.len()
                };
                let expected = numbers(expected);
                assert_close(&draw[0][..compared], &expected[..compared], 1e-8, &what);
            }
            bootstraps.push(found);
        }
        let evaluations = Evaluations {
            resampling: kind,
            subjects: data.len(),
            conditions: data[0].conditions(),
            bootstraps,
        };
        let found = conclude_from_draws(&models, &evaluations, Correction::FalseDiscoveryRate);
        assert_conclusions(&found, case, ceilings, &what);
    }
}

fn normal(seed: &Seed, rows: usize, columns: usize) -> Array2<f64> {
    let mut rng = seed.rng();
    Array2::from_shape_simple_fn((rows, columns), || StandardNormal.sample(&mut rng))
}

fn rdm(name: &str, patterns: &Array2<f64>) -> Rdm {
    rdm_of_patterns(
        name,
        patterns.view(),
        &Dissimilarity::SquaredEuclidean.into(),
    )
    .unwrap()
}

/// Subjects who share `signal` and have noise of their own.
fn subjects(seed: &Seed, signal: &Array2<f64>, count: u64, noise: f64) -> Vec<Rdm> {
    (0..count)
        .map(|subject| {
            let own = normal(
                &seed.named("noise").indexed(subject),
                signal.nrows(),
                signal.ncols(),
            );
            rdm("subject", &(signal + noise * own))
        })
        .collect()
}

/// How many p-values fall below 5% and below a half.
fn below(p: &[f64]) -> (usize, usize) {
    let count = |limit: f64| p.iter().filter(|p| **p < limit).count();
    (count(0.05), count(0.5))
}

#[test]
fn a_model_of_nothing_is_found_as_often_as_chance_over_subjects() {
    let p: Vec<f64> = (0..400)
        .map(|world| {
            let seed = Seed::new(world);
            let nothing = Array2::zeros((10, 6));
            let data = subjects(&seed, &nothing, 8, 1.0);
            let model = Model::fixed(rdm("model", &normal(&seed.named("model"), 10, 6)));
            let settings = settings(Comparator::RhoA, Resampling::None);
            let found = infer(&[model], &data, &settings, &seed, &Progress::silent()).unwrap();
            found.models[0].p_zero
        })
        .collect();
    // 20 and 200 expected; standard deviations 4.4 and 10.
    let (strict, half) = below(&p);
    assert!(
        (7..=34).contains(&strict) && (165..=235).contains(&half),
        "{strict} {half}"
    );
}

/// Subjects share a geometry that the model knows nothing of: subjects alone would be sure of any chance
/// resemblance; with conditions drawn too, the test keeps its level.
#[test]
fn the_dual_bootstrap_keeps_its_level_where_subjects_share_a_geometry() {
    let run = |world: u64, resampling| {
        let seed = Seed::new(5000 + world);
        let data = subjects(&seed, &normal(&seed.named("signal"), 12, 6), 6, 0.7);
        let model = Model::fixed(rdm("model", &normal(&seed.named("model"), 12, 6)));
        let mut settings = settings(Comparator::Pearson, resampling);
        settings.draws = 60;
        let found = infer(&[model], &data, &settings, &seed, &Progress::silent()).unwrap();
        found.models[0].p_zero
    };
    let worlds = 160;
    let dual: Vec<f64> = (0..worlds)
        .map(|world| run(world, Resampling::Dual))
        .collect();
    let (strict, half) = below(&dual);
    // 8 and 80 expected; standard deviations 2.8 and 6.3.
    assert!(
        strict <= 16 && (55..=105).contains(&half),
        "{strict} {half}"
    );
    let fixed: Vec<f64> = (0..worlds)
        .map(|world| run(world, Resampling::None))
        .collect();
    assert!(below(&fixed).0 > 2 * 16, "{:?}", below(&fixed));
}

#[test]
fn weights_fitted_to_noise_predict_nothing_new() {
    let p: Vec<f64> = (0..40)
        .map(|world| {
            let seed = Seed::new(9000 + world);
            let data = subjects(&seed, &Array2::zeros((12, 6)), 6, 1.0);
            let parts = (0..4)
                .map(|part| rdm("part", &normal(&seed.named("part").indexed(part), 12, 6)))
                .collect();
            let model = Model::flexible("noise", Flexibility::Weight, parts);
            let mut settings = settings(Comparator::Pearson, Resampling::Subjects);
            settings.draws = 30;
            let found = infer(&[model], &data, &settings, &seed, &Progress::silent()).unwrap();
            found.models[0].p_zero
        })
        .collect();
    let (strict, half) = below(&p);
    // 2 and 20 expected; standard deviations 1.4 and 3.2.
    assert!(strict <= 6 && (10..=30).contains(&half), "{strict} {half}");
}

#[test]
fn planted_models_are_found_and_told_apart() {
    let seed = Seed::new(3);
    let signal = normal(&seed.named("signal"), 24, 8);
    let other = normal(&seed.named("other"), 24, 8);
    let data = subjects(&seed, &(&signal + &other), 10, 1.0);
    let parts = vec![
        rdm("signal", &signal),
        rdm("other", &other),
        rdm("nothing", &normal(&seed.named("nothing"), 24, 8)),
    ];
    let models = [
        Model::fixed(rdm("whole", &(&signal + &other))),
        Model::fixed(parts[2].clone()),
        Model::flexible("weight", Flexibility::Weight, parts.clone()),
        Model::flexible("select", Flexibility::Select, parts),
    ];
    let mut settings = settings(Comparator::WhitenedPearson, Resampling::Dual);
    settings.draws = 60;
    let run = |seed| {
        infer(
            &models,
            &data,
            &settings,
            &Seed::new(seed),
            &Progress::silent(),
        )
        .unwrap()
    };
    let found = run(1);
    let [whole, nothing, weight, select] = &found.models[..] else {
        panic!()
    };
    assert!(whole.p_zero < 1e-4 && weight.p_zero < 1e-3, "{found:?}");
    assert!(
        nothing.p_zero > 0.05 && nothing.p_ceiling.unwrap() < 0.01,
        "{found:?}"
    );
    assert!(weight.mean > select.mean, "{found:?}");
    assert!(whole.ci95[0] < whole.mean && whole.mean < whole.ci95[1]);
    // Weights of the two that were planted, little of the third.
    assert!(
        weight.weights[0] > 0.4 && weight.weights[1] > 0.4,
        "{:?}",
        weight.weights
    );
    assert!(weight.weights[2] < 0.3, "{:?}", weight.weights);
    assert_eq!(
        select
            .weights
            .iter()
            .filter(|weight| **weight == 1.0)
            .count(),
        1
    );
    let pair = &found.pairwise[0];
    assert!(pair.first == "whole" && pair.second == "nothing" && pair.p < 0.01 && pair.q >= pair.p);
    assert_eq!((found.degrees_of_freedom, found.folds), (9, Some((3, 3))));
    assert_eq!(found, run(1));
    assert_ne!(found.models[0].variance, run(2).models[0].variance);
}

#[test]
fn performance_on_all_data_is_the_mean_over_subjects() {
    let seed = Seed::new(8);
    let signal = normal(&seed.named("signal"), 9, 5);
    let data = subjects(&seed, &signal, 5, 1.0);
    let model = rdm("model", &signal);
    for comparator in Comparator::ALL {
        if comparator.is_distance() {
            continue;
        }
        let mut settings = settings(comparator, Resampling::Both);
        settings.draws = 20;
        let models = [Model::fixed(model.clone())];
        let found = infer(&models, &data, &settings, &seed, &Progress::silent()).unwrap();
        let by_hand: f64 = data
            .iter()
            .map(|own| similarity(&model, own, comparator).unwrap())
            .sum::<f64>()
            / 5.0;
        assert!(
            (found.models[0].mean - by_hand).abs() < 1e-9,
            "{comparator:?}"
        );
        assert!(found.models[0].variance > 0.0, "{comparator:?}");
    }
}

#[test]
fn what_cannot_be_inferred_is_said() {
    let seed = Seed::new(1);
    let signal = normal(&seed, 12, 5);
    let data = subjects(&seed, &signal, 4, 1.0);
    let model = Model::fixed(rdm("model", &signal));
    let flexible = Model::flexible("flex", Flexibility::Weight, data[..2].to_vec());
    let short = Model::fixed(rdm("short", &normal(&seed, 7, 5)));
    let base = settings(Comparator::Pearson, Resampling::None);
    let dual = InferenceSettings {
        resampling: Resampling::Dual,
        draws: 4,
        ..base
    };
    let one_fold = CrossValidation {
        subject_folds: Some(1),
        condition_folds: Some(1),
        repeats: 2,
    };
    let small = subjects(&seed, &normal(&seed, 3, 5), 4, 1.0);
    let mut alone = flexible.clone();
    alone.rdms.truncate(1);
    for (models, data, settings, part) in [
        (vec![], &data[..], base, "at least 1 models"),
        (
            vec![model.clone()],
            &data[..1],
            base,
            "at least 2 subjects in the data, found 1",
        ),
        (
            vec![model.clone()],
            &small[..],
            base,
            "at least 4 conditions, found 3",
        ),
        (
            vec![short],
            &data[..],
            base,
            "conditions of short is 7, expected 12",
        ),
        (vec![alone], &data[..], dual, "number of RDMs of flex is 1"),
        (vec![flexible.clone()], &data[..], base, "bootstrap it"),
        (
            vec![flexible],
            &data[..],
            InferenceSettings {
                cross_validation: one_fold,
                ..dual
            },
            "must not be tested on its own data",
        ),
        (
            vec![model.clone()],
            &data[..],
            InferenceSettings { draws: 1, ..dual },
            "at least 2 draws",
        ),
        (
            vec![model],
            &data[..],
            InferenceSettings {
                comparator: Comparator::Procrustes,
                ..base
            },
            "a similarity",
        ),
    ] {
        let error = infer(&models, data, &settings, &seed, &Progress::silent()).unwrap_err();
        assert!(error.to_string().contains(part), "{error} without {part:?}");
    }
}
