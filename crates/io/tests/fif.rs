//! FIF files against what MNE reads in them (`fixtures/make_fif.py`), and damaged ones.

#![allow(
    missing_docs,
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test may fail loudly"
)]

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use chiasm_core::data::{Clock, CoordinateFrame, Recording};
use chiasm_core::{ErrorKind, Seed};
use chiasm_io::fif::{self, Aspect, ChannelKind, Content, Fif, Information, Raw, Trigger};
use chiasm_io::format::{self, Format};
use chiasm_io::inspect::inspect;
use rand::RngExt;
use serde_json::Value;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/fif")
}

fn fixture(name: &str) -> PathBuf {
    folder().join(name)
}

fn expected() -> Value {
    serde_json::from_slice(&std::fs::read(fixture("expected.json")).unwrap()).unwrap()
}

fn numbers(values: &Value) -> Vec<f64> {
    let values = values.as_array().unwrap().iter();
    values.map(|value| value.as_f64().unwrap()).collect()
}

fn words(values: &Value) -> Vec<&str> {
    let values = values.as_array().unwrap().iter();
    values.map(|value| value.as_str().unwrap()).collect()
}

#[track_caller]
fn same<'a>(found: impl IntoIterator<Item = &'a f32>, wanted: &Value, what: &str) {
    let found: Vec<f32> = found.into_iter().copied().collect();
    let wanted: Vec<f32> = numbers(wanted).iter().map(|&value| value as f32).collect();
    assert_eq!(found, wanted, "{what}");
}

#[track_caller]
fn close(found: f64, wanted: &Value, what: &str) {
    let wanted = wanted.as_f64().unwrap();
    assert!((found - wanted).abs() < 1e-7, "{what}: {found} {wanted}");
}

fn raw(fif: &Fif) -> &Raw {
    match &fif.content {
        Content::Raw(raw) => raw,
        other => panic!("{other:?}"),
    }
}

fn assert_information(found: &Information, wanted: &Value, what: &str) {
    assert_eq!(found.rate, wanted["rate"].as_f64().unwrap(), "{what}");
    assert_eq!(found.bad, words(&wanted["bads"]), "{what}");
    assert_eq!(found.start().as_deref(), wanted["date"].as_str(), "{what}");
    assert_eq!(found.highpass, wanted["highpass"].as_f64(), "{what}");
    assert_eq!(found.lowpass, wanted["lowpass"].as_f64(), "{what}");
    assert_eq!(found.line_frequency, wanted["line_freq"].as_f64(), "{what}");
    assert_eq!(found.subject, "sub-01");
    assert_eq!(found.description, "made of noise");
    let projections = wanted["projections"].as_array().unwrap();
    assert_eq!(found.projections.len(), projections.len(), "{what}");
    for (found, wanted) in found.projections.iter().zip(projections) {
        assert_eq!(found.description, wanted[0].as_str().unwrap());
        assert_eq!(found.vectors as u64, wanted[1].as_u64().unwrap());
        assert_eq!(found.active, wanted[2].as_bool().unwrap());
    }
    let head = found.device_to_head.unwrap();
    for (row, wanted) in head
        .iter()
        .zip(wanted["device_to_head"].as_array().unwrap())
    {
        assert_eq!(row.to_vec(), numbers(wanted), "{what}");
    }
    let names = words(&wanted["names"]);
    assert_eq!(found.channels.len(), names.len(), "{what}");
    for (index, channel) in found.channels.iter().enumerate() {
        assert_eq!(channel.name, names[index]);
        assert_eq!(channel.calibration, wanted["calibration"][index]);
        assert_eq!(channel.range, wanted["range"][index]);
        let (kind, unit) = match wanted["kinds"][index].as_str().unwrap() {
            "mag" => (ChannelKind::Magnetometer, "T"),
            "grad" => (ChannelKind::Gradiometer, "T/m"),
            "eeg" => (ChannelKind::Eeg, "V"),
            "eog" => (ChannelKind::Eog, "V"),
            _ => (ChannelKind::Stimulus, "V"),
        };
        assert_eq!((channel.kind, channel.unit), (kind, unit));
        let location = numbers(&wanted["locations"][index]);
        for (found, wanted) in channel.location.iter().zip(&location) {
            let found = if found.is_nan() { -99.0 } else { *found };
            assert_eq!(found as f32, *wanted as f32, "{what}");
        }
        assert_eq!(channel.position().is_some(), location[0] != -99.0);
    }
}

fn assert_triggers(found: &[Trigger], wanted: &Value, what: &str) {
    let found: Vec<Vec<f64>> = found
        .iter()
        .map(|found| {
            vec![
                found.sample as f64,
                f64::from(found.previous),
                f64::from(found.value),
            ]
        })
        .collect();
    let wanted: Vec<Vec<f64>> = wanted.as_array().unwrap().iter().map(numbers).collect();
    assert_eq!(found, wanted, "{what}");
}

#[test]
fn recordings_equal_what_mne_reads() {
    let expected = expected();
    for name in [
        "short_raw.fif",
        "int_raw.fif",
        "single_raw.fif",
        "double_raw.fif",
        "anonymous_raw.fif",
        "gap_raw.fif",
        "split_raw.fif",
    ] {
        let wanted = &expected[name];
        let fif = fif::read(&fixture(name)).unwrap();
        assert_information(&fif.information, &wanted["information"], name);
        let raw = raw(&fif);
        same(&raw.samples, &wanted["samples"], name);
        assert_eq!(raw.first_sample, wanted["first_sample"].as_i64().unwrap());
        assert_eq!(raw.parts, if name == "split_raw.fif" { 2 } else { 1 });
        let times = numbers(&wanted["times"]);
        match &raw.clock {
            Clock::Regular { start, rate } => {
                assert_eq!((*start, *rate), (0.0, 200.0));
                assert!(times.is_empty(), "{name}");
            }
            Clock::Irregular(found) => {
                assert_eq!(found.len(), times.len());
                assert!(found.iter().zip(&times).all(|(a, b)| (a - b).abs() < 1e-9));
            }
        }
        assert_triggers(&fif.triggers(None).unwrap(), &wanted["triggers"], name);
        let annotations = wanted["annotations"].as_array().unwrap();
        // MNE marks gaps in this way as well; here they are in the clock.
        let kept = raw
            .annotations
            .filtered(|event| event.kind != "BAD_ACQ_SKIP");
        assert_eq!(kept.len(), annotations.len(), "{name}");
        for (found, wanted) in kept.list().iter().zip(annotations) {
            close(found.onset, &wanted[0], name);
            close(found.duration, &wanted[1], name);
            assert_eq!(found.kind, wanted[2].as_str().unwrap());
        }
    }
}

#[test]
fn kinds_become_recordings_with_positions() {
    let fif = fif::read(&fixture("single_raw.fif")).unwrap();
    let recordings = fif.recordings().unwrap();
    let kinds: Vec<(ChannelKind, &str, usize)> = recordings
        .iter()
        .map(|(kind, recording)| (*kind, recording.unit.as_str(), recording.channels.len()))
        .collect();
    assert_eq!(
        kinds,
        [
            (ChannelKind::Magnetometer, "T", 1),
            (ChannelKind::Gradiometer, "T/m", 1),
            (ChannelKind::Eeg, "V", 2),
            (ChannelKind::Eog, "V", 1),
            (ChannelKind::Stimulus, "V", 1),
        ]
    );
    let of = |kind: ChannelKind| -> &Recording {
        let found = recordings.iter().find(|(other, _)| *other == kind);
        &found.unwrap().1
    };
    let eeg = of(ChannelKind::Eeg);
    let positions = eeg.positions.as_ref().unwrap();
    assert_eq!(positions.frame(), CoordinateFrame::Head);
    assert_eq!(positions.known(), 1);
    assert!(positions.metres()[1].is_none());
    let magnetometers = of(ChannelKind::Magnetometer).positions.as_ref().unwrap();
    assert_eq!(magnetometers.frame(), CoordinateFrame::Device);
    assert!(of(ChannelKind::Eog).positions.is_none());
    assert_eq!(eeg.samples.column(1), raw(&fif).samples.column(3));
    let events = fif
        .events(
            &fif.triggers(Some("STI 014")).unwrap(),
            &[("face".to_string(), 1)],
        )
        .unwrap();
    let kinds: Vec<(f64, &str)> = events
        .list()
        .iter()
        .map(|event| (event.onset, event.kind.as_str()))
        .collect();
    assert_eq!(
        kinds,
        [
            (0.05, "face"),
            (0.125, "2"),
            (0.2, "face"),
            (0.25, "5"),
            (0.26, "7")
        ]
    );
    let message = fif.triggers(Some("STI101")).unwrap_err().to_string();
    assert!(message.ends_with("there is only \"STI 014\""), "{message}");
}

#[test]
fn compressed_and_in_memory_is_the_same() {
    let on_disk = fif::read(&fixture("single_raw.fif")).unwrap();
    let packed = fif::read(&fixture("single_raw.fif.gz")).unwrap();
    assert_eq!(on_disk.content, packed.content);
    for name in ["single_raw.fif", "single_raw.fif.gz"] {
        let bytes = std::fs::read(fixture(name)).unwrap();
        assert_eq!(fif::parse(&bytes, name).unwrap().content, on_disk.content);
        assert_eq!(format::detect(&fixture(name)).unwrap(), Format::Fif);
        assert_eq!(format::detect_bytes(&bytes, "x").unwrap(), Format::Fif);
    }
}

#[test]
fn epochs_equal_what_mne_reads() {
    let expected = expected();
    for name in ["single-epo.fif", "double-epo.fif", "decimated-epo.fif"] {
        let wanted = &expected[name];
        let fif = fif::read(&fixture(name)).unwrap();
        assert_information(&fif.information, &wanted["information"], name);
        let Content::Epochs(stored) = &fif.content else {
            panic!("{name}");
        };
        let shape: Vec<f64> = stored.values.shape().iter().map(|&n| n as f64).collect();
        assert_eq!(shape, numbers(&wanted["shape"]), "{name}");
        same(&stored.values, &wanted["values"], name);
        assert_triggers(&stored.triggers, &wanted["events"], name);
        let ids = wanted["event_id"].as_object().unwrap();
        assert_eq!(stored.event_ids.len(), ids.len());
        for (kind, id) in &stored.event_ids {
            assert_eq!(i64::from(*id), ids[kind].as_i64().unwrap());
        }
        close(stored.start, &wanted["start"], name);
        match (stored.baseline, wanted["baseline"].as_array()) {
            (Some((from, to)), Some(wanted)) => {
                close(from, &wanted[0], name);
                close(to, &wanted[1], name);
            }
            (None, None) => {}
            other => panic!("{name}: {other:?}"),
        }
    }
    let typed = fif::read(&fixture("decimated-epo.fif")).unwrap();
    let (kind, epochs) = &typed.epochs().unwrap()[0];
    assert_eq!(*kind, ChannelKind::Eeg);
    assert_eq!(epochs.values.dim(), (3, 1, 11));
    assert_eq!(epochs.rate, 100.0);
    assert_eq!(epochs.events.list()[1].kind, "word/long");
    // Events count in samples of the recording before every second one was dropped.
    assert_eq!(epochs.events.list()[1].onset, 65.0 / 200.0);
    assert_eq!(epochs.positions.as_ref().unwrap().known(), 1);
    assert!(typed.recordings().is_err());
}

#[test]
fn evoked_responses_equal_what_mne_reads() {
    let expected = expected();
    let wanted = expected["two-ave.fif"].as_array().unwrap();
    let fif = fif::read(&fixture("two-ave.fif")).unwrap();
    let Content::Evoked(responses) = &fif.content else {
        panic!();
    };
    assert_eq!(responses.len(), wanted.len());
    for (found, wanted) in responses.iter().zip(wanted) {
        assert_eq!(found.comment, wanted["comment"].as_str().unwrap());
        assert_eq!(
            i64::from(found.averages),
            wanted["averages"].as_i64().unwrap()
        );
        same(&found.values, &wanted["values"], &found.comment);
        close(found.start, &wanted["start"], &found.comment);
        let (from, to) = found.baseline.unwrap();
        close(from, &wanted["baseline"][0], "baseline");
        close(to, &wanted["baseline"][1], "baseline");
    }
    assert_eq!(responses[0].aspect, Aspect::Average);
    assert_eq!(responses[1].aspect, Aspect::StandardError);
    let recordings = fif.recordings().unwrap();
    let (_, eeg) = &recordings[0];
    assert!(
        eeg.name.ends_with("two-ave.fif: word/short"),
        "{}",
        eeg.name
    );
    assert!((eeg.time(0) + 0.05).abs() < 1e-7);
    assert_eq!(eeg.samples[[3, 0]], responses[0].values[[0, 3]]);
}

#[test]
fn event_lists_are_read() {
    let (triggers, ids) = fif::read_triggers(&fixture("list-eve.fif")).unwrap();
    assert_triggers(&triggers, &expected()["list-eve.fif"], "list");
    assert!(ids.is_empty());
    let (_, ids) = fif::read_triggers(&fixture("single-epo.fif")).unwrap();
    assert_eq!(ids[0], ("word/short".to_string(), 1));
    assert!(fif::read_triggers(&fixture("single_raw.fif")).is_err());
}

#[test]
fn a_missing_part_is_named() {
    let scratch = tempfile::tempdir().unwrap();
    let alone = scratch.path().join("split_raw.fif");
    std::fs::copy(fixture("split_raw.fif"), &alone).unwrap();
    let message = fif::read(&alone).unwrap_err().to_string();
    assert!(
        message.contains("goes on in") && message.ends_with("split_raw-1.fif, which is not there"),
        "{message}"
    );
    let bytes = std::fs::read(&alone).unwrap();
    let message = fif::parse(&bytes, "part").unwrap_err().to_string();
    assert!(
        message.starts_with("part: reference to the next file"),
        "{message}"
    );
    // A part that names itself, and one that names a place elsewhere.
    let named = |name: &[u8]| -> Vec<u8> {
        let place = bytes
            .windows(15)
            .position(|window| window == b"split_raw-1.fif")
            .unwrap();
        let mut changed = bytes.clone();
        changed[place..place + 15].copy_from_slice(name);
        changed
    };
    std::fs::write(&alone, named(b"../../etc/passw")).unwrap();
    let message = fif::read(&alone).unwrap_err().to_string();
    assert!(
        message.contains("is not the name of a file beside it"),
        "{message}"
    );
    let circle = scratch.path().join("circle_raw1.fif");
    std::fs::write(&circle, named(b"circle_raw1.fif")).unwrap();
    let message = fif::read(&circle).unwrap_err().to_string();
    assert!(message.contains("in a circle"), "{message}");
}

fn files(wanted: impl Fn(&str) -> bool) -> Vec<(String, Vec<u8>)> {
    let mut files: Vec<(String, Vec<u8>)> = std::fs::read_dir(folder())
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| !path.ends_with("expected.json"))
        .map(|path| {
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            (name, std::fs::read(&path).unwrap())
        })
        .filter(|(name, _)| wanted(name))
        .collect();
    files.sort();
    files
}

/// Reads bytes all the way to typed data.
fn parse(bytes: &[u8], name: &str) -> chiasm_io::Result<()> {
    let fif = fif::parse(bytes, name)?;
    match &fif.content {
        Content::Epochs(_) => fif.epochs().map(drop),
        _ => fif.recordings().map(drop),
    }
}

#[test]
fn every_broken_file_says_what_is_wrong() {
    let broken = files(|name| name.starts_with("broken_"));
    assert!(broken.len() > 25);
    let mut said = Vec::new();
    for (name, bytes) in broken {
        let begin = Instant::now();
        let error = parse(&bytes, &name).expect_err(&name);
        assert!(begin.elapsed() < Duration::from_secs(1), "{name}");
        assert_eq!(error.kind(), ErrorKind::Input, "{name}");
        let text = error.to_string();
        assert!(text.starts_with(&name), "{name}: {text}");
        said.push(text);
        // NaN alone does not keep a file from being looked at.
        assert!(
            inspect(&fixture(&name)).is_err() || name.contains("epochs_nan"),
            "{name}"
        );
    }
    insta::assert_snapshot!(said.join("\n"));
}

#[test]
fn summaries() {
    let shown = |name: &str| {
        let folder = format!("{}/", folder().display());
        inspect(&fixture(name))
            .unwrap()
            .to_string()
            .replace(&folder, "")
    };
    insta::assert_snapshot!(
        [
            "single_raw.fif",
            "gap_raw.fif",
            "split_raw.fif",
            "single-epo.fif",
            "two-ave.fif"
        ]
        .map(shown)
        .join("\n")
    );
}

fn timed<T>(name: &str, work: impl FnOnce() -> T) -> T {
    let begin = Instant::now();
    let result = work();
    assert!(begin.elapsed() < Duration::from_secs(1), "{name}");
    result
}

#[test]
fn cut_short_anywhere() {
    for (name, bytes) in files(|name| {
        !name.starts_with("broken_") && !name.contains("split") && !name.contains("-eve")
    }) {
        parse(&bytes, &name).unwrap();
        for end in 0..bytes.len() {
            let result = timed(&name, || parse(&bytes[..end], &name));
            // Without the mark of the last tag nothing is lost; nor without the sum at the end of a
            // stream of which every byte has come out.
            let harmless =
                end + 16 == bytes.len() || name.ends_with(".gz") && end + 24 > bytes.len();
            assert!(result.is_err() || harmless, "{name}: cut at {end}");
        }
    }
}

#[test]
fn changed_anywhere() {
    for (name, bytes) in files(|name| !name.starts_with("broken_")) {
        let mut rng = Seed::new(7).named(&name).rng();
        for _ in 0..1500 {
            let mut changed = bytes.clone();
            for _ in 0..rng.random_range(1..4) {
                let at = rng.random_range(0..changed.len());
                changed[at] = match rng.random_range(0..4) {
                    0 => changed[at] ^ (1 << rng.random_range(0..8)),
                    1 => 0,
                    2 => 0xff,
                    _ => rng.random(),
                };
            }
            let _ = timed(&name, || parse(&changed, &name));
        }
    }
}
