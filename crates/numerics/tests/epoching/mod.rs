//! Epochs against those that MNE cuts from the same file, and scaling against scikit-learn's definition.

use std::path::{Path, PathBuf};

use chiasm_core::data::{Clock, CoordinateFrame, Event, Events, Recording, SensorPositions};
use chiasm_io::fif;
use chiasm_numerics::epoching::{DropReason, EpochSettings, RobustScaler, cut};
use ndarray::Array2;

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../io/tests/fixtures/fif")
        .join(name)
}

fn at(onsets: &[f64]) -> Events {
    let list = onsets.iter().map(|&onset| Event {
        onset,
        ..Event::default()
    });
    Events::new("events", list.collect()).unwrap()
}

/// Sample `k` of channel `c` holds `100 c + k`.
fn ramp(samples: usize, clock: Clock) -> Recording {
    let values = Array2::from_shape_fn((samples, 2), |(k, c)| (100 * c + k) as f32);
    let channels = vec!["a".to_string(), "b".to_string()];
    Recording::new("ramp", values, channels, clock, "V").unwrap()
}

#[test]
fn epochs_are_those_that_mne_cuts() {
    let recording = fif::read(&fixture("single_raw.fif")).unwrap();
    let theirs = fif::read(&fixture("single-epo.fif")).unwrap();
    let fif::Content::Epochs(stored) = &theirs.content else {
        panic!("no epochs");
    };
    let events = recording
        .events(&stored.triggers, &stored.event_ids)
        .unwrap();
    let settings = EpochSettings {
        start: -0.05,
        stop: 0.05,
        baseline: Some((-0.05, 0.0)),
    };
    let recordings = recording.recordings().unwrap();
    for ((kind, recording), (_, theirs)) in recordings.iter().zip(theirs.epochs().unwrap()) {
        let ours = cut(recording, &events, &settings).unwrap();
        assert!(ours.dropped.is_empty());
        let ours = ours.epochs;
        assert_eq!(ours.values.dim(), theirs.values.dim());
        assert_eq!(ours.channels, theirs.channels);
        assert_eq!(ours.events.list()[1].kind, theirs.events.list()[1].kind);
        assert!((ours.start - theirs.start).abs() < 1e-12);
        assert_eq!(ours.positions, theirs.positions);
        // MNE leaves the baseline of trigger channels as it is.
        if *kind == fif::ChannelKind::Stimulus {
            continue;
        }
        let largest = theirs.values.iter().fold(0.0f32, |a, b| a.max(b.abs()));
        for (ours, theirs) in ours.values.iter().zip(&theirs.values) {
            assert!(
                (ours - theirs).abs() <= 1e-6 * largest,
                "{kind:?}: {ours} {theirs}"
            );
        }
    }
}

#[test]
fn samples_and_baseline_are_those_of_the_formula() {
    let clock = Clock::Regular {
        start: 2.0,
        rate: 10.0,
    };
    let recording = ramp(60, clock);
    let positions = SensorPositions::new(CoordinateFrame::Head, vec![Some([0.0, 0.1, 0.0]), None]);
    let recording = recording.with_positions(Some(positions.unwrap())).unwrap();
    let settings = EpochSettings {
        start: -0.5,
        stop: 1.0,
        baseline: None,
    };
    // The nearest sample to 4.04 s is the one at 4.0 s.
    let found = cut(&recording, &at(&[4.04, 2.3, 7.2, 100.0]), &settings).unwrap();
    assert_eq!(found.epochs.values.dim(), (1, 2, 16));
    assert_eq!(found.epochs.values[[0, 0, 5]], 20.0);
    assert_eq!(found.epochs.values[[0, 1, 0]], 115.0);
    assert_eq!(found.epochs.positions, recording.positions);
    let outside = DropReason::OutsideRecording;
    assert_eq!(found.dropped, [(1, outside), (2, outside), (3, outside)]);
    let settings = EpochSettings {
        baseline: Some((-0.5, 0.0)),
        ..settings
    };
    let found = cut(&recording, &at(&[4.0]), &settings).unwrap();
    // The mean of samples 15 to 20 is 17.5.
    assert_eq!(found.epochs.values[[0, 0, 5]], 2.5);
    assert_eq!(found.epochs.values[[0, 1, 5]], 2.5);
}

#[test]
fn gaps_and_what_was_not_observed_are_left_out() {
    let mut times: Vec<f64> = (0..60).map(|k| f64::from(k) / 10.0).collect();
    for time in &mut times[30..] {
        *time += 5.0;
    }
    let mut recording = ramp(60, Clock::Irregular(times));
    recording.samples[[50, 1]] = f32::NAN;
    let settings = EpochSettings {
        start: -0.2,
        stop: 0.2,
        baseline: None,
    };
    let found = cut(&recording, &at(&[1.0, 2.9, 5.0, 8.5, 9.9]), &settings).unwrap();
    assert_eq!(
        found.dropped,
        [
            (1, DropReason::Gap),
            (2, DropReason::Gap),
            (4, DropReason::NotObserved)
        ]
    );
    assert_eq!(found.epochs.values[[1, 0, 2]], 35.0);
    let message = cut(&recording, &at(&[5.0]), &settings)
        .unwrap_err()
        .to_string();
    assert!(message.contains("1 across a gap"), "{message}");
}

#[test]
fn settings_that_contradict_themselves_are_refused() {
    let recording = ramp(
        20,
        Clock::Regular {
            start: 0.0,
            rate: 10.0,
        },
    );
    for (start, stop, baseline) in [
        (0.5, 0.0, None),
        (f64::NAN, 0.0, None),
        (0.0, 1e300, None),
        (0.0, 5.0, None),
        (0.0, 0.5, Some((-0.5, 0.0))),
        (0.0, 0.5, Some((0.4, 0.2))),
    ] {
        let settings = EpochSettings {
            start,
            stop,
            baseline,
        };
        assert!(cut(&recording, &at(&[0.1]), &settings).is_err());
    }
}

#[test]
fn scaling_is_fitted_on_training_epochs_and_clamped() {
    let recording = ramp(
        60,
        Clock::Regular {
            start: 0.0,
            rate: 10.0,
        },
    );
    let settings = EpochSettings {
        start: 0.0,
        stop: 0.4,
        baseline: None,
    };
    let mut epochs = cut(&recording, &at(&[0.0, 2.0, 5.0]), &settings)
        .unwrap()
        .epochs;
    epochs.values[[2, 0, 0]] = 1e6;
    for value in epochs.values.slice_mut(ndarray::s![.., 1, ..]) {
        *value = 7.0;
    }
    let scaler = RobustScaler::fit(&epochs, &[0, 1]).unwrap();
    // sklearn.preprocessing.RobustScaler on [0..5, 20..25]: centre 12, scale 19.5 (numpy percentiles
    // 2.25 and 21.75).
    assert_eq!(scaler.centre, [12.0, 7.0]);
    assert_eq!(scaler.spread, [19.5, 1.0]);
    assert_eq!(scaler.flat, [1]);
    let mut scaled = epochs.clone();
    scaler.apply(&mut scaled, Some(20.0)).unwrap();
    assert_eq!(scaled.values[[2, 0, 0]], 20.0);
    assert_eq!(scaled.values[[0, 0, 0]], (-12.0f64 / 19.5) as f32);
    assert_eq!(scaled.values[[1, 1, 3]], 0.0);
    assert_eq!(scaled.unit, "");
    // The artefact in the last epoch, which was not trained on, moved nothing.
    epochs.values[[2, 0, 0]] = 0.0;
    assert_eq!(RobustScaler::fit(&epochs, &[0, 1]).unwrap(), scaler);
    assert!(RobustScaler::fit(&epochs, &[]).is_err());
    assert!(RobustScaler::fit(&epochs, &[3]).is_err());
    assert!(scaler.apply(&mut scaled, Some(0.0)).is_err());
}
