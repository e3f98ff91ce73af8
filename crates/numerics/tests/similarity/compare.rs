use chiasm_core::data::{Rdm, Responses};
use chiasm_core::{Progress, Seed};
use chiasm_numerics::similarity::compare::{CompareSettings, Comparison, Input, Source, compare};
use chiasm_numerics::similarity::inference::{BootstrapOver, BootstrapSettings};
use chiasm_numerics::similarity::{Comparator, Dissimilarity, GeodesicEdges, Transform};
use ndarray::{Array2, Array3, Array4};
use rand_distr::{Distribution, StandardNormal};

fn normal<D: ndarray::Dimension, S: ndarray::ShapeBuilder<Dim = D>>(
    seed: u64,
    shape: S,
) -> ndarray::Array<f64, D> {
    let mut rng = Seed::new(seed).rng();
    ndarray::Array::from_shape_simple_fn(shape, || StandardNormal.sample(&mut rng))
}

fn run(inputs: &[Input], settings: CompareSettings) -> chiasm_core::Result<Comparison> {
    compare(inputs, &settings, &Seed::new(0), &Progress::silent())
}

fn with(comparator: Comparator) -> CompareSettings {
    CompareSettings {
        comparator,
        ..Default::default()
    }
}

#[test]
fn arrays_and_their_rdms_give_the_same_answer() {
    let arrays: Vec<Array2<f64>> = vec![normal(0, (10, 7)), normal(1, (10, 4))];
    let from_arrays: Vec<Input> = arrays
        .iter()
        .enumerate()
        .map(|(index, array)| Input::patterns(index.to_string(), array.clone()).unwrap())
        .collect();
    let found = run(&from_arrays, with(Comparator::RhoA)).unwrap();
    let from_rdms: Vec<Input> = found
        .rdms
        .iter()
        .map(|rdms| Input::rdms(rdms[0].name.clone(), rdms.clone()))
        .collect();
    assert_eq!(
        run(&from_rdms, with(Comparator::RhoA)).unwrap().matrix,
        found.matrix
    );
    assert_eq!(found.names, ["0", "1"]);
    assert!(found.warnings.is_empty(), "{:?}", found.warnings);
}

#[test]
fn shape_comparators_see_squared_distances_whatever_was_asked() {
    let inputs = [
        Input::patterns("a", normal(0, (9, 5))).unwrap(),
        Input::patterns("b", normal(1, (9, 6))).unwrap(),
    ];
    let plain = run(&inputs, with(Comparator::Cka)).unwrap();
    let mut asked = with(Comparator::Cka);
    asked.dissimilarity = Dissimilarity::Euclidean.into();
    let found = run(&inputs, asked).unwrap();
    assert_eq!(found.matrix, plain.matrix);
    assert!(plain.warnings.is_empty());
    assert!(
        found.warnings[0].contains("not used"),
        "{:?}",
        found.warnings
    );
    asked.transform = Transform::Rank;
    let error = run(&inputs, asked).unwrap_err().to_string();
    assert!(error.contains("none with cka"), "{error}");
}

#[test]
fn runs_give_crossnobis_and_subjects_are_averaged() {
    let signal: Array2<f64> = normal(0, (6, 8));
    let noisy: Array4<f64> = normal(1, (3, 4, 6, 8));
    let noisy = noisy * 0.5 + &signal;
    let input = Input::subject_runs("data", noisy.clone()).unwrap();
    let one = Input::runs("one", noisy.index_axis(ndarray::Axis(0), 0).to_owned()).unwrap();
    let mut settings = with(Comparator::Pearson);
    settings.dissimilarity = Dissimilarity::Crossnobis.into();
    settings.noise_ceiling = true;
    let found = run(&[input, one], settings).unwrap();
    assert_eq!(found.rdms[0].len(), 3);
    assert_eq!(found.rdms[0][0].values(), found.rdms[1][0].values());
    assert!(found.noise_ceiling[0].is_some() && found.noise_ceiling[1].is_none());
    let mean = found.matrix[[0, 1]];
    assert!(mean > 0.5 && mean < 1.0, "{mean}");
}

#[test]
fn warnings_say_what_a_reader_must_know() {
    let inputs = [
        Input::patterns("a", normal(0, (9, 50))).unwrap(),
        Input::patterns("b", normal(1, (9, 50))).unwrap(),
    ];
    let first = |settings| run(&inputs, settings).unwrap().warnings.first().cloned();
    let warning = first(with(Comparator::Cosine)).unwrap();
    assert!(warning.contains("all positive"), "{warning}");
    assert_eq!(first(with(Comparator::Pearson)), None);
    let mut settings = with(Comparator::Spearman);
    settings.transform = Transform::GeoTopological {
        lower: 0.2,
        upper: 0.8,
    };
    assert!(first(settings).unwrap().contains("rho-a"));
    settings.comparator = Comparator::RhoA;
    assert_eq!(first(settings), None);
    settings.transform = Transform::Geodesic {
        edges: GeodesicEdges::Quantile { share: 0.05 },
    };
    assert!(first(settings).unwrap().contains("no path connects"));
    // Four conditions: many samples hold fewer than three distinct ones.
    let small = [
        Input::patterns("a", normal(0, (4, 5))).unwrap(),
        Input::patterns("b", normal(1, (4, 5))).unwrap(),
    ];
    let mut settings = with(Comparator::RhoA);
    settings.bootstrap = Some(BootstrapSettings {
        draws: 100,
        over: BootstrapOver::Conditions,
    });
    let warnings = run(&small, settings).unwrap().warnings;
    assert!(
        warnings[0].contains("of 100 bootstrap samples"),
        "{warnings:?}"
    );
}

#[test]
fn input_that_cannot_be_compared_is_named() {
    let input = |name: &str, conditions| Input::patterns(name, normal(0, (conditions, 5))).unwrap();
    let message = |inputs: &[Input], settings| run(inputs, settings).unwrap_err().to_string();
    let plain = CompareSettings::default();
    assert!(message(&[input("a", 5)], plain).contains("at least 2 inputs"));
    let text = message(&[input("a", 5), input("b", 6)], plain);
    assert_eq!(text, "compare: conditions of b is 6, expected 5 (as in a)");
    let text = message(&[input("a", 2), input("b", 2)], plain);
    assert_eq!(text, "compare needs at least 3 conditions, found 2");
    let stack = |name: &str, subjects| {
        Input::subject_patterns(name, normal::<_, _>(0, (subjects, 5, 4)) as Array3<f64>).unwrap()
    };
    let text = message(&[stack("a", 4), stack("b", 3)], plain);
    assert_eq!(text, "compare: subjects of b is 3, expected 4 (as in a)");
    let over_subjects = BootstrapSettings {
        draws: 10,
        over: BootstrapOver::Subjects,
    };
    let settings = CompareSettings {
        bootstrap: Some(over_subjects),
        ..plain
    };
    let text = message(&[input("a", 5), input("b", 5)], settings);
    assert!(
        text.contains("bootstrap over subjects needs at least 2 subjects"),
        "{text}"
    );
    let mut constant = normal::<_, _>(0, (5, 4)) as Array2<f64>;
    constant.row_mut(3).fill(2.0);
    let text = message(
        &[input("a", 5), Input::patterns("b.npy", constant).unwrap()],
        plain,
    );
    assert!(text.contains("b.npy: condition 3 is constant"), "{text}");
    let flat = Input::rdms(
        "flat",
        vec![Rdm::from_condensed("flat.npy", vec![1.0; 10]).unwrap()],
    );
    let text = message(&[input("a", 5), flat], plain);
    assert!(
        text.contains("flat.npy") && text.contains("rho-a is undefined"),
        "{text}"
    );
    let error = Input::patterns("c.npy", ndarray::array![[1.0, f64::NAN]])
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("c.npy") && error.contains("trial 0, channel 1"),
        "{error}"
    );
    let labelled = |labels: [&str; 3]| {
        let responses = Responses::new(
            "x",
            normal(1, (3, 4)),
            labels.map(str::to_string).to_vec(),
            None,
        )
        .unwrap();
        Input {
            name: labels.concat(),
            source: Source::Responses(vec![responses]),
        }
    };
    let text = message(
        &[labelled(["p", "q", "r"]), labelled(["p", "r", "q"])],
        plain,
    );
    assert!(
        text.contains("labels do not match: condition 1 is \"r\" in prq and \"q\" in pqr"),
        "{text}"
    );
}

#[test]
fn row_names_are_compared_with_row_names_only() {
    let named = |labels: [&str; 5]| {
        let labels = labels.map(str::to_string).to_vec();
        let responses = Responses::new("table", normal(2, (5, 4)), labels, None).unwrap();
        Input {
            name: "table".into(),
            source: Source::Responses(vec![responses]),
        }
    };
    let array = Input::patterns("array", normal(3, (5, 4))).unwrap();
    let table = named(["face", "house", "hat", "cat", "tree"]);
    assert!(run(&[table.clone(), array], with(Comparator::RhoA)).is_ok());
    let other = named(["house", "face", "hat", "cat", "tree"]);
    let message = run(&[table, other], with(Comparator::RhoA))
        .unwrap_err()
        .to_string();
    assert!(message.contains("same order"), "{message}");
}

#[test]
fn a_comparison_with_itself_is_certain_and_intervals_stay_in_range() {
    let inputs = [
        Input::subject_patterns("a", normal(4, (5, 6, 8))).unwrap(),
        Input::patterns("b", normal(5, (6, 8))).unwrap(),
    ];
    for over in [BootstrapOver::Conditions, BootstrapOver::Both] {
        let mut settings = with(Comparator::RhoA);
        settings.bootstrap = Some(BootstrapSettings { draws: 50, over });
        let found = run(&inputs, settings).unwrap();
        let bounds = found.ci95.unwrap();
        assert_eq!((bounds.lower[[0, 0]], bounds.upper[[0, 0]]), (1.0, 1.0));
        assert!(bounds.lower[[0, 1]] >= -1.0 && bounds.upper[[0, 1]] <= 1.0);
        assert!(bounds.lower[[0, 1]] < bounds.upper[[0, 1]]);
    }
}
