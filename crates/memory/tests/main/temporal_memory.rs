use chiasm_core::Seed;
use chiasm_memory::Sdr;
use chiasm_memory::recognition::{Recognition, any_of};
use chiasm_memory::temporal_memory::{TemporalMemory, TemporalMemorySettings};

fn codes(columns: usize, active: usize, count: usize, seed: u64) -> Vec<Sdr> {
    let mut rng = Seed::new(seed).named("codes").rng();
    (0..count)
        .map(|_| Sdr::random(columns, active, &mut rng).unwrap())
        .collect()
}

fn settings() -> TemporalMemorySettings {
    TemporalMemorySettings {
        columns: 1024,
        cells_per_column: 8,
        activation_threshold: 13,
        matching_threshold: 10,
        ..TemporalMemorySettings::default()
    }
}

#[test]
fn a_sequence_seen_once_is_expected_and_a_random_one_is_not() {
    let sequence = codes(1024, 20, 10, 1);
    let mut memory = TemporalMemory::new(settings(), &Seed::new(0)).unwrap();
    let mut play = |sequence: &[Sdr], learn| {
        memory.reset();
        let steps: Vec<_> = sequence
            .iter()
            .map(|code| memory.step(code, learn).unwrap())
            .collect();
        steps[1..].iter().map(|step| step.surprise).sum::<f64>() / (steps.len() - 1) as f64
    };
    assert_eq!(play(&sequence, true), 1.0);
    // The second time round every code after the first is predicted, cell by cell.
    assert_eq!(play(&sequence, true), 0.0);
    assert!(play(&codes(1024, 20, 10, 2), false) > 0.99);
    // Backwards every code bursts but for the few columns it shares with what follows forwards.
    let mut reversed = sequence.clone();
    reversed.reverse();
    assert!(play(&reversed, false) > 0.95);
    // Not learning leaves what is known.
    assert_eq!(play(&sequence, false), 0.0);
}

#[test]
fn context_decides_between_futures() {
    // A B C D and X B C Y: after C, only the start of the sequence says what comes.
    let c = codes(1024, 20, 6, 3);
    let first = [&c[0], &c[1], &c[2], &c[3]];
    let second = [&c[4], &c[1], &c[2], &c[5]];
    let after_c = |cells_per_column| {
        // The first time round, C bursts into the first context too: that must be unlearned.
        let settings = TemporalMemorySettings {
            cells_per_column,
            predicted_decrement: 0.05,
            ..settings()
        };
        let mut memory = TemporalMemory::new(settings, &Seed::new(0)).unwrap();
        for _ in 0..10 {
            for sequence in [first, second] {
                memory.reset();
                for code in sequence {
                    memory.step(code, true).unwrap();
                }
            }
        }
        [(first, c[3].clone()), (second, c[5].clone())].map(|(sequence, end)| {
            memory.reset();
            for code in &sequence[..3] {
                memory.step(code, false).unwrap();
            }
            memory.predicted_columns().jaccard(&end).unwrap()
        })
    };
    assert_eq!(after_c(8), [1.0, 1.0]);
    // One cell a column knows no context: both ends are expected.
    assert!(
        after_c(1)
            .iter()
            .all(|&accuracy| (0.4..0.6).contains(&accuracy))
    );
}

#[test]
fn first_order_accuracy_follows_the_theory() {
    // Transitions between random codes, at a size at which false predictions are common. The
    // expected Jaccard accuracy is a / (a + q (n - a)), q = 1 - (1 - P)^(segments per cell).
    let (columns, active, synapses, theta, transitions) = (400usize, 20usize, 12usize, 5u16, 1200);
    let settings = TemporalMemorySettings {
        columns,
        cells_per_column: 1,
        activation_threshold: theta,
        // A segment of its own for every transition.
        matching_threshold: theta,
        synapses,
        permanence_increment: 0.0,
        permanence_decrement: 0.0,
        predicted_decrement: 0.0,
        ..TemporalMemorySettings::default()
    };
    let mut memory = TemporalMemory::new(settings, &Seed::new(0)).unwrap();
    let pairs: Vec<Vec<Sdr>> = (0..transitions)
        .map(|number| codes(columns, active, 2, 100 + number))
        .collect();
    for pair in &pairs {
        memory.reset();
        memory.step(&pair[0], true).unwrap();
        memory.step(&pair[1], true).unwrap();
    }
    let per_cell = memory.segments() as f64 / columns as f64;
    let accuracy = pairs
        .iter()
        .map(|pair| {
            memory.reset();
            memory.step(&pair[0], false).unwrap();
            memory.predicted().jaccard(&pair[1]).unwrap()
        })
        .sum::<f64>()
        / pairs.len() as f64;
    let each = Recognition::new(columns as u64, active as u64, synapses as u64, theta.into());
    let q = any_of(each.false_positive().unwrap(), per_cell.round() as u64);
    let (a, n) = (active as f64, columns as f64);
    let expected = a / (a + q * (n - a));
    assert!(
        expected < 0.95,
        "{expected}: the check needs false predictions"
    );
    assert!((accuracy - expected).abs() < 0.02, "{accuracy} {expected}");
}

#[test]
fn a_union_of_codes_is_less_surprised() {
    // Each further sequence that is expected at once makes a random code less surprising.
    let columns = 200;
    let settings = TemporalMemorySettings {
        columns,
        cells_per_column: 1,
        activation_threshold: 8,
        matching_threshold: 8,
        ..TemporalMemorySettings::default()
    };
    let mut memory = TemporalMemory::new(settings, &Seed::new(0)).unwrap();
    let cue = codes(columns, 20, 1, 1).remove(0);
    let futures = codes(columns, 20, 12, 2);
    let probe = codes(columns, 20, 200, 3);
    let mut surprises = Vec::new();
    for future in &futures {
        memory.reset();
        memory.step(&cue, true).unwrap();
        memory.step(future, true).unwrap();
        memory.reset();
        memory.step(&cue, false).unwrap();
        let expected = memory.predicted_columns();
        let hits: usize = probe
            .iter()
            .map(|code| code.overlap(&expected).unwrap())
            .sum();
        surprises.push(1.0 - hits as f64 / (20 * probe.len()) as f64);
    }
    for (number, surprise) in (1..).zip(&surprises) {
        let theory = 0.9f64.powi(number);
        assert!(
            (surprise - theory).abs() < 0.05,
            "{number}: {surprise} {theory}"
        );
    }
}

#[test]
fn vain_predictions_fade() {
    let c = [0, 100, 200].map(|first| Sdr::new(1024, (first..first + 20).collect()).unwrap());
    let settings = TemporalMemorySettings {
        predicted_decrement: 0.05,
        ..settings()
    };
    let mut memory = TemporalMemory::new(settings, &Seed::new(0)).unwrap();
    let mut play = |next: &Sdr| {
        memory.reset();
        memory.step(&c[0], true).unwrap();
        memory.step(next, true).unwrap();
        memory.reset();
        memory.step(&c[0], false).unwrap();
        (
            memory.predicted_columns().overlap(&c[1]).unwrap(),
            memory.synapses(),
        )
    };
    assert_eq!(play(&c[1]).0, 20);
    let synapses = (0..20).map(|_| play(&c[2]));
    let last = synapses.last().unwrap();
    assert_eq!(
        last.0, 0,
        "the future that never came is no longer expected"
    );
    assert_eq!(
        last.1,
        20 * 20,
        "its synapses are gone, those of the one that came are left"
    );
}

#[test]
fn bad_input_is_refused() {
    let refused = |settings: TemporalMemorySettings| {
        TemporalMemory::new(settings, &Seed::new(0))
            .unwrap_err()
            .to_string()
    };
    let base = settings;
    assert!(
        refused(TemporalMemorySettings {
            columns: 0,
            ..base()
        })
        .contains("columns")
    );
    assert!(
        refused(TemporalMemorySettings {
            columns: usize::MAX,
            ..base()
        })
        .contains("cells")
    );
    assert!(
        refused(TemporalMemorySettings {
            matching_threshold: 14,
            ..base()
        })
        .contains("matching")
    );
    assert!(
        refused(TemporalMemorySettings {
            initial_permanence: f32::NAN,
            ..base()
        })
        .contains("initial")
    );
    assert!(
        refused(TemporalMemorySettings {
            initial_permanence: 0.0,
            ..base()
        })
        .contains("above 0")
    );
    assert!(
        refused(TemporalMemorySettings {
            synapses: 70_000,
            ..base()
        })
        .contains("65535")
    );
    let mut memory = TemporalMemory::new(base(), &Seed::new(0)).unwrap();
    assert!(memory.step(&Sdr::empty(1000).unwrap(), true).is_err());
    let step = memory.step(&Sdr::empty(1024).unwrap(), true).unwrap();
    assert_eq!(
        (step.surprise, step.bursting, step.active.len()),
        (0.0, 0, 0)
    );
}
