//! NWB files against what pynwb reads from them (`fixtures/make_nwb.py`), and broken ones.

#![allow(
    missing_docs,
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a test may fail loudly"
)]

use std::path::{Path, PathBuf};

use chiasm_core::data::{Clock, Column};
use chiasm_io::nwb::{self, RaggedColumn};
use serde_json::Value;

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/fixtures/nwb")
        .join(name)
}

fn expected() -> Value {
    serde_json::from_slice(&std::fs::read(fixture("expected.json")).unwrap()).unwrap()
}

fn numbers(value: &Value) -> Vec<f64> {
    match value {
        Value::Array(values) => values.iter().flat_map(numbers).collect(),
        value => vec![value.as_f64().unwrap()],
    }
}

fn words(value: &Value) -> Vec<String> {
    value
        .as_array()
        .unwrap()
        .iter()
        .map(|word| word.as_str().unwrap().to_string())
        .collect()
}

/// The same session written by pynwb 4 and by pynwb 2.
const SESSIONS: [&str; 2] = ["session.nwb", "session_pynwb2.nwb"];

#[test]
fn units_agree_with_pynwb() {
    let expected = expected();
    let wanted = &expected["units"];
    for session in SESSIONS {
        let units = nwb::open(&fixture(session)).unwrap().unit_table().unwrap();
        assert_eq!(units.spikes.units, words(&wanted["unit_name"]));
        assert_eq!(units.spikes.times.len(), 5);
        for (k, times) in units.spikes.times.iter().enumerate() {
            assert_eq!(times, &numbers(&wanted["spike_times"][k]));
        }
        let observed = units.observed.as_ref().unwrap();
        for (k, observed) in observed.iter().enumerate() {
            let bounds: Vec<f64> = observed
                .bounds()
                .iter()
                .flat_map(|&(start, stop)| [start, stop])
                .collect();
            assert_eq!(bounds, numbers(&wanted["obs_intervals"][k]));
        }
        assert_eq!(units.spikes.observed.bounds(), [(0.0, 4.0), (5.4, 10.0)]);

        let column = |name: &str| units.columns.column(name).unwrap().clone();
        assert_eq!(column("quality"), Column::Words(words(&wanted["quality"])));
        assert_eq!(column("depth"), Column::Numbers(numbers(&wanted["depth"])));
        let place = numbers(&wanted["place"]);
        for part in 0..2 {
            let every: Vec<f64> = place.iter().skip(part).step_by(2).copied().collect();
            assert_eq!(column(&format!("place[{part}]")), Column::Numbers(every));
        }
        let ragged = |name: &str| -> &RaggedColumn {
            &units.ragged.iter().find(|(own, _)| own == name).unwrap().1
        };
        for k in 0..5 {
            let [ref notes] = ragged("notes").lists(k)[..] else {
                panic!()
            };
            assert_eq!(
                ragged("notes").words(notes.clone()).unwrap(),
                words(&wanted["notes"][k])
            );
            let [ref electrodes] = ragged("electrodes").lists(k)[..] else {
                panic!()
            };
            let found = ragged("electrodes").numbers(electrodes.clone()).unwrap();
            assert_eq!(found, numbers(&wanted["electrodes"][k]));
            let bursts = ragged("bursts");
            let found: Vec<Vec<f64>> = bursts
                .lists(k)
                .into_iter()
                .map(|list| bursts.numbers(list).unwrap().to_vec())
                .collect();
            let lists: Vec<Vec<f64>> = wanted["bursts"][k]
                .as_array()
                .unwrap()
                .iter()
                .map(numbers)
                .collect();
            assert_eq!(found, lists);
        }
        assert_eq!(ragged("bursts").lists(5), []);
    }
}

#[test]
fn trials_and_epochs_agree_with_pynwb() {
    let expected = expected();
    let file = nwb::open(&fixture("session.nwb")).unwrap();
    assert_eq!(file.interval_tables(), ["epochs", "trials"]);
    let trials = file.trials().unwrap();
    for name in ["start_time", "stop_time", "correct"] {
        let wanted = Column::Numbers(numbers(&expected["trials"][name]));
        assert_eq!(trials.column(name), Some(&wanted));
    }
    let wanted = Column::Words(words(&expected["trials"]["stimulus"]));
    assert_eq!(trials.column("stimulus"), Some(&wanted));
    let epochs = file.intervals("epochs").unwrap();
    let tags = epochs.ragged("tags").unwrap();
    for k in 0..2 {
        let [ref items] = tags.lists(k)[..] else {
            panic!()
        };
        assert_eq!(
            tags.words(items.clone()).unwrap(),
            words(&expected["epochs"]["tags"][k])
        );
    }
    assert_eq!(file.epochs().unwrap().rows(), 2);
    let error = file.intervals("licks").unwrap_err().to_string();
    assert!(
        error.contains("licks") && error.contains("epochs, trials"),
        "{error}"
    );
}

#[test]
fn series_agree_with_pynwb() {
    let expected = expected();
    for session in SESSIONS {
        let file = nwb::open(&fixture(session)).unwrap();
        let wanted = expected["series"].as_object().unwrap();
        assert_eq!(file.series().len(), wanted.len());
        for (path, wanted) in wanted {
            let series = file.time_series(path).unwrap();
            let values = numbers(&wanted["values"]);
            assert_eq!(series.samples.len(), values.len(), "{path}");
            for (found, value) in series.samples.iter().zip(&values) {
                assert!(
                    (f64::from(*found) - value).abs() <= 1e-6 * value.abs(),
                    "{path}"
                );
            }
            for (index, time) in numbers(&wanted["times"]).iter().enumerate() {
                assert!((series.time(index) - time).abs() < 1e-12, "{path}");
            }
            assert_eq!(series.unit, wanted["unit"].as_str().unwrap());
        }
    }
}

#[test]
fn channels_are_named_after_regions_and_electrodes() {
    let file = nwb::open(&fixture("session.nwb")).unwrap();
    let fluorescence = file.fluorescence().unwrap();
    assert_eq!(fluorescence.len(), 2);
    for recording in &fluorescence {
        // The third region of the table has no name, so it keeps its number.
        assert_eq!(recording.channels, ["RIML", "AVAL", "2"]);
    }
    assert!(matches!(fluorescence[0].clock, Clock::Irregular(_)));
    assert_eq!(fluorescence[1].rate(), Some(10.0));
    assert_eq!(
        file.time_series("voltage").unwrap().channels,
        ["channel2", "channel0"]
    );
    assert_eq!(file.time_series("position").unwrap().channels, ["0", "1"]);
    assert_eq!(file.time_series("own").unwrap().channels, ["own"]);
}

#[test]
fn series_are_found_by_the_end_of_their_path_and_read_in_part() {
    let file = nwb::open(&fixture("session.nwb")).unwrap();
    let whole = file.time_series("regular").unwrap();
    let part = file
        .time_series_samples("acquisition/regular", 10, 5)
        .unwrap();
    assert_eq!(part.samples, whole.samples.slice(ndarray::s![10..15, ..]));
    assert_eq!(part.time(0), whole.time(10));
    let part = file.time_series_samples("shared", 18, 50).unwrap();
    assert_eq!(part.samples.nrows(), 2);
    let error = file.time_series("raw").unwrap_err().to_string();
    assert!(error.contains("/processing/ophys/DfOverF/raw"), "{error}");
    let error = file.time_series("nothing").unwrap_err().to_string();
    assert!(error.contains("/acquisition/voltage"), "{error}");
}

#[test]
fn inspection_says_what_there_is() {
    let summary = chiasm_io::inspect::inspect(&fixture("session.nwb")).unwrap();
    assert!(summary.format.starts_with("NWB 2."), "{}", summary.format);
    assert!(
        summary
            .facts
            .contains(&("identifier".into(), "fixture".into()))
    );
    for wanted in [
        "spike times of 5 units",
        "trials: 6 intervals",
        "/acquisition/voltage (Elec",
    ] {
        assert!(
            summary.notes.iter().any(|note| note.contains(wanted)),
            "{:?}",
            summary.notes
        );
    }
}

#[test]
fn broken_files_say_what_is_broken() {
    for (name, wanted) in [
        (
            "index_goes_down",
            "spike_times_index: goes down at row 1, from 3 to 1",
        ),
        (
            "index_past_the_end",
            "spike_times_index: points to value 60, but there are 6",
        ),
        (
            "index_too_short",
            "spike_times_index: has 2 rows, but the table has 3",
        ),
        (
            "index_leaves_spikes",
            "spike_times_index: ends at value 5, but there are 6",
        ),
        ("no_spike_times", "no object called \"/units/spike_times\""),
        ("no_index", "spike_times: has 6 rows, but the table has 3"),
        (
            "nan_spike",
            "unit 1 holds 1 value(s) that are NaN or infinite, the first at spike 1",
        ),
        (
            "small",
            "obs_intervals: there is no time in which all units were observed",
        ),
    ] {
        let file = nwb::open(&fixture(&format!("{name}.nwb"))).unwrap();
        let error = file.units().unwrap_err().to_string();
        assert!(
            error.contains(&format!("{name}.nwb")) && error.contains(wanted),
            "{name}: {error}"
        );
    }
    for (name, wanted) in [
        (
            "stops_before_start",
            "trials/stop_time: row 1 stops at 0.5 s, before its start at 1 s",
        ),
        (
            "column_too_long",
            "trials/stop_time: has 4 rows, but the table has 3",
        ),
    ] {
        let file = nwb::open(&fixture(&format!("{name}.nwb"))).unwrap();
        let error = file.trials().unwrap_err().to_string();
        assert!(
            error.contains(&format!("{name}.nwb")) && error.contains(wanted),
            "{name}: {error}"
        );
    }
    for (name, wanted) in [
        (
            "timestamps_too_short",
            "timestamps: has shape [2], but there are 4 samples",
        ),
        (
            "timestamps_disordered",
            "timestamps are not finite and in order at sample 1",
        ),
    ] {
        let file = nwb::open(&fixture(&format!("{name}.nwb"))).unwrap();
        let error = file.time_series("own").unwrap_err().to_string();
        assert!(
            error.contains(&format!("{name}.nwb")) && error.contains(wanted),
            "{name}: {error}"
        );
    }
    let error = nwb::open(&fixture("old_version.nwb"))
        .unwrap_err()
        .to_string();
    assert!(error.contains("version NWB-1.0.6; 2.x is read"), "{error}");
    let other = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/hdf5/types.h5");
    let error = nwb::open(&other).unwrap_err().to_string();
    assert!(error.contains("not NWB"), "{error}");
}

#[test]
fn inspection_says_what_readers_refuse() {
    let notes = |name: &str| {
        let summary = chiasm_io::inspect::inspect(&fixture(&format!("{name}.nwb"))).unwrap();
        summary.notes
    };
    let sound = notes("session");
    assert!(
        !sound.iter().any(|note| note.contains("cannot be read")),
        "{sound:?}"
    );
    for (name, wanted) in [
        (
            "index_goes_down",
            "/units: cannot be read: /units/spike_times_index: goes down at row 1",
        ),
        (
            "index_past_the_end",
            "/units: cannot be read: /units/spike_times_index: points to value 60",
        ),
        (
            "no_ids",
            "/units: cannot be read: no object called \"/units/id\"",
        ),
        ("nan_spike", "/units: cannot be read: "),
        (
            "stops_before_start",
            "/intervals/trials: cannot be read: /intervals/trials/stop_time: row 1",
        ),
        (
            "timestamps_too_short",
            "/acquisition/own: cannot be read: /acquisition/own/timestamps: has",
        ),
        (
            "timestamps_disordered",
            "/acquisition/own: cannot be read: ",
        ),
        (
            "no_data",
            "/acquisition/own: cannot be read: it has no data",
        ),
        (
            "no_times",
            "/acquisition/own: cannot be read: it has neither a starting_time nor timestamps",
        ),
        (
            "no_rate",
            "/acquisition/own: cannot be read: its starting_time has no rate",
        ),
        (
            "rate_zero",
            "/acquisition/own: cannot be read: /acquisition/own/starting_time: a rate of 0",
        ),
        (
            "data_round_trip",
            "/acquisition/own: cannot be read: its links go round in circles",
        ),
    ] {
        let notes = notes(name);
        assert!(
            notes.iter().any(|note| note.starts_with(wanted)),
            "{name}: {notes:?}"
        );
    }
    for name in [
        "no_data",
        "no_times",
        "no_rate",
        "rate_zero",
        "data_round_trip",
    ] {
        let file = nwb::open(&fixture(&format!("{name}.nwb"))).unwrap();
        for series in ["own", "/acquisition/own"] {
            let error = file.time_series(series).unwrap_err();
            assert_eq!(error.kind(), chiasm_core::ErrorKind::Input);
            let text = error.to_string();
            assert!(
                text.contains(&format!("{name}.nwb: /acquisition/own")),
                "{text}"
            );
        }
    }
    let file = nwb::open(&fixture("no_ids.nwb")).unwrap();
    assert!(file.units().is_err());
}

#[test]
fn damaged_files_end_in_errors() {
    let mut state = 4321_u64;
    let mut draw = |below: usize| {
        state = state
            .wrapping_mul(6364136223846793005)
            .wrapping_add(1442695040888963407);
        (state >> 33) as usize % below
    };
    let bytes = std::fs::read(fixture("small.nwb")).unwrap();
    // Zeros are mostly gaps: damage does most elsewhere.
    let places: Vec<usize> = (0..bytes.len()).filter(|&at| bytes[at] != 0).collect();
    for _ in 0..150 {
        let mut damaged = bytes.clone();
        for _ in 0..1 + draw(3) {
            damaged[places[draw(places.len())]] = [0, 1, 2, 0x7f, 0x80, 0xff][draw(6)];
        }
        let start = std::time::Instant::now();
        if let Ok(file) = nwb::parse(damaged, "damaged.nwb") {
            let _ = file.unit_table();
            for name in file.interval_tables() {
                let _ = file.intervals(&name);
            }
            for series in file.series() {
                let _ = file.time_series(&series.path);
            }
        }
        assert!(
            start.elapsed() < std::time::Duration::from_secs(2),
            "{:?}",
            start.elapsed()
        );
    }
}
