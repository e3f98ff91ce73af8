use chiasm_core::{Progress, Seed};
use chiasm_memory::Sdr;
use chiasm_memory::neuron::{
    DendriticNeuron, DendriticNonlinearity, NeuronSettings, TwoNeuronClass, TwoNeuronClassifier,
};
use chiasm_memory::recognition::{Recognition, any_of};

fn random(cells: usize, active: usize, count: usize, seed: u64) -> Vec<Sdr> {
    let mut rng = Seed::new(seed).named("patterns").rng();
    (0..count)
        .map(|_| Sdr::random(cells, active, &mut rng).unwrap())
        .collect()
}

fn threshold(segments: usize, synapses: usize, threshold: u16) -> NeuronSettings {
    let nonlinearity = DendriticNonlinearity::Threshold { threshold };
    NeuronSettings {
        segments,
        synapses,
        nonlinearity,
    }
}

#[test]
fn a_neuron_errs_as_often_as_theory_says() {
    // Parameters at which 100 segments are wrong often enough to count.
    let (cells, active, synapses, theta) = (300, 40, 15, 6);
    let each = Recognition::new(cells, active, synapses, theta)
        .false_positive()
        .unwrap();
    let expected = any_of(each, 100);
    assert!((0.2..0.8).contains(&expected), "{expected}");
    let (mut fired, mut tested) = (0, 0);
    for seed in 0..20 {
        let stored = random(300, 40, 100, seed);
        let settings = threshold(100, 15, 6);
        let neuron = DendriticNeuron::learn(&settings, &stored, &Seed::new(seed)).unwrap();
        let codes = random(300, 40, 2000, 1000 + seed);
        let best = neuron.best_overlaps(&codes, &Progress::silent()).unwrap();
        fired += best.iter().filter(|&&overlap| overlap >= 6).count();
        tested += codes.len();
        // What was stored is recognised with every synapse.
        let known = neuron.best_overlaps(&stored, &Progress::silent()).unwrap();
        assert!(known.iter().all(|&overlap| overlap == 15));
    }
    let share = fired as f64 / tested as f64;
    // Segments of one neuron are tested by the same codes: allow for more than binomial spread.
    assert!((share - expected).abs() < 0.02, "{share} {expected}");
}

#[test]
fn noisy_patterns_are_missed_as_often_as_theory_says() {
    let theory = Recognition::new(2000, 128, 30, 12);
    for (moved, theta) in [(64, 8), (64, 12), (64, 16), (77, 12), (51, 16)] {
        let expected = Recognition {
            threshold: theta,
            ..theory
        }
        .false_negative(moved)
        .unwrap();
        let (mut missed, mut tested) = (0, 0);
        for seed in 0..400 {
            // One segment a neuron, so that no other segment can help out.
            let stored = random(2000, 128, 1, seed);
            let settings = threshold(1, 30, theta as u16);
            let neuron = DendriticNeuron::learn(&settings, &stored, &Seed::new(seed)).unwrap();
            let mut rng = Seed::new(seed).named("noise").rng();
            let noisy: Vec<Sdr> = (0..20)
                .map(|_| stored[0].with_noise(moved as usize, &mut rng).unwrap())
                .collect();
            let activations = neuron.activations(&noisy, &Progress::silent()).unwrap();
            missed += activations.iter().filter(|&&output| output == 0.0).count();
            tested += noisy.len();
        }
        let sigma = (expected * (1.0 - expected) / f64::from(tested as u32)).sqrt();
        let share = missed as f64 / tested as f64;
        assert!(
            (share - expected).abs() < 4.0 * sigma,
            "{moved} {theta}: {share} {expected}"
        );
    }
}

#[test]
fn more_patterns_than_segments_share_segments() {
    let stored = random(1000, 30, 10, 1);
    let neuron = DendriticNeuron::learn(&threshold(4, 20, 10), &stored, &Seed::new(1)).unwrap();
    assert_eq!(neuron.segments().len(), 4);
    let best = neuron.best_overlaps(&stored, &Progress::silent()).unwrap();
    assert!(best.iter().all(|&overlap| overlap >= 20));
    let count = neuron.segments().synapse_count();
    assert!(
        (180..=200).contains(&count),
        "{count} synapses, a few of 200 shared"
    );
}

#[test]
fn two_neurons_tell_classes_apart_unless_both_are_silent() {
    let nonlinearities = [
        DendriticNonlinearity::Threshold { threshold: 12 },
        DendriticNonlinearity::Power { exponent: 10.0 },
        DendriticNonlinearity::Sigmoid {
            centre: 11.5,
            slope: 5.0,
        },
    ];
    let (positive, negative) = (random(2000, 40, 100, 1), random(2000, 40, 100, 2));
    for nonlinearity in nonlinearities {
        let settings = NeuronSettings {
            segments: 100,
            synapses: 24,
            nonlinearity,
        };
        let classifier =
            TwoNeuronClassifier::learn(&settings, &positive, &negative, &Seed::new(3)).unwrap();
        let mut rng = Seed::new(4).rng();
        for (patterns, class) in [
            (&positive, TwoNeuronClass::Positive),
            (&negative, TwoNeuronClass::Negative),
        ] {
            let noisy: Vec<Sdr> = patterns
                .iter()
                .map(|p| p.with_noise(8, &mut rng).unwrap())
                .collect();
            let found = classifier.classify(&noisy, &Progress::silent()).unwrap();
            assert!(found.iter().all(|&c| c == class), "{nonlinearity:?}");
        }
    }
    // Codes nobody knows tie at no active segment, and are not guessed at.
    let settings = threshold(100, 24, 12);
    let classifier =
        TwoNeuronClassifier::learn(&settings, &positive, &negative, &Seed::new(3)).unwrap();
    let found = classifier
        .classify(&random(2000, 40, 200, 9), &Progress::silent())
        .unwrap();
    assert!(
        found
            .iter()
            .all(|&class| class == TwoNeuronClass::Unclassified)
    );
}

#[test]
fn bad_input_is_refused() {
    let patterns = random(100, 10, 3, 1);
    let seed = Seed::new(0);
    let refused = |settings, patterns: &[Sdr]| {
        DendriticNeuron::learn(&settings, patterns, &seed)
            .unwrap_err()
            .to_string()
    };
    assert!(refused(threshold(5, 5, 3), &[]).contains("at least 1 patterns"));
    assert!(refused(threshold(5, 11, 3), &patterns).contains("at most the number of active"));
    assert!(refused(threshold(0, 5, 3), &patterns).contains("segments"));
    assert!(refused(threshold(5, 0, 3), &patterns).contains("synapses"));
    let power = DendriticNonlinearity::Power { exponent: f64::NAN };
    assert!(
        refused(
            NeuronSettings {
                nonlinearity: power,
                ..NeuronSettings::default()
            },
            &patterns
        )
        .contains("exponent")
    );
    let mixed = [patterns[0].clone(), Sdr::empty(99).unwrap()];
    assert!(refused(threshold(5, 5, 3), &mixed).contains("cells"));
    let neuron = DendriticNeuron::learn(&threshold(5, 5, 3), &patterns, &seed).unwrap();
    assert!(neuron.activations(&mixed, &Progress::silent()).is_err());
}

#[test]
fn nonlinearities_are_the_papers() {
    let sigmoid = DendriticNonlinearity::Sigmoid {
        centre: 11.5,
        slope: 5.0,
    };
    assert!((sigmoid.output(12) - 1.0 / (1.0 + (-2.5f64).exp())).abs() < 1e-15);
    assert!(sigmoid.output(0) < 1e-24);
    assert_eq!(
        DendriticNonlinearity::Power { exponent: 10.0 }.output(3),
        59_049.0
    );
    let step = DendriticNonlinearity::Threshold { threshold: 8 };
    assert_eq!(
        (step.output(7), step.output(8), step.output(9)),
        (0.0, 1.0, 1.0)
    );
}
