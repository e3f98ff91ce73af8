//! Good files hold what their peers read in them, to the last bit.

use std::collections::BTreeMap;

use chiasm_core::data::{Clock, Column, Recording};
use chiasm_io::{Array, csv, edf, nifti, numpy, safetensors, wav};
use serde_json::Value;

use super::{corpus, corpus_path, file_name};

fn expected() -> BTreeMap<String, Value> {
    serde_json::from_slice(&std::fs::read(corpus_path("expected.json")).unwrap()).unwrap()
}

/// JSON numbers, with NaN and infinities as words.
fn number(value: &Value) -> f64 {
    match value {
        Value::String(word) => word.parse().unwrap(),
        value => value.as_f64().unwrap(),
    }
}

fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().unwrap().iter().map(number).collect()
}

fn same(found: f64, expected: f64) -> bool {
    found == expected || found.is_nan() && expected.is_nan()
}

#[track_caller]
fn assert_same(what: &str, found: impl IntoIterator<Item = f64>, expected: &[f64]) {
    let found: Vec<f64> = found.into_iter().collect();
    assert_eq!(found.len(), expected.len(), "{what}");
    for (index, (found, expected)) in found.iter().zip(expected).enumerate() {
        assert!(
            same(*found, *expected),
            "{what}[{index}]: {found} is not {expected}"
        );
    }
}

fn assert_array(what: &str, array: &Array, expected: &Value) {
    let shape: Vec<usize> = serde_json::from_value(expected["shape"].clone()).unwrap();
    assert_eq!(array.shape(), shape, "{what}");
    let values = &expected["values"];
    match array {
        Array::Words(words) => {
            let words: Vec<&str> = words.iter().map(String::as_str).collect();
            assert_eq!(serde_json::json!(words), *values, "{what}");
        }
        Array::C64(parts) => {
            assert_complex(what, parts.iter().map(|part| part.map(f64::from)), values)
        }
        Array::C128(parts) => assert_complex(what, parts.iter().copied(), values),
        real => assert_same(what, real.to_f64(what).unwrap(), &numbers(values)),
    }
}

fn assert_complex(what: &str, found: impl Iterator<Item = [f64; 2]>, expected: &Value) {
    let flat: Vec<f64> = expected
        .as_array()
        .unwrap()
        .iter()
        .flat_map(numbers)
        .collect();
    assert_same(what, found.flatten(), &flat);
}

#[test]
fn arrays_equal_what_numpy_reads() {
    let expected = expected();
    let mut seen = 0;
    for path in corpus("good") {
        let name = file_name(&path);
        if name.starts_with("npy_") {
            let array = numpy::read_array(&path).unwrap();
            assert_array(&name, &array, &expected[&name]);
            seen += 1;
        }
        if name.starts_with("npz_") {
            let arrays = numpy::read_npz(&path).unwrap();
            assert_eq!(arrays.keys().collect::<Vec<_>>(), ["labels", "rates"]);
            for (key, array) in arrays {
                assert_array(&name, &array, &expected[&name][&key]);
            }
            seen += 1;
        }
    }
    assert_eq!(seen, 34);
}

#[test]
fn element_types_are_kept() {
    let dtype = |name: &str| {
        let path = corpus_path("good").join(format!("npy_{name}.npy"));
        numpy::read_array(&path).unwrap().dtype()
    };
    for (name, expected) in [
        ("b1_le", "bool"),
        ("i1_le", "i8"),
        ("u2_be", "u16"),
        ("i8_be", "i64"),
        ("f2_be", "f16"),
        ("f4_le", "f32"),
        ("c16_be", "complex f64"),
        ("words", "words"),
    ] {
        assert_eq!(dtype(name), expected);
    }
}

#[test]
fn integers_beyond_floats_are_not_rounded() {
    let file = |value: i64| {
        let mut bytes = std::fs::read(corpus_path("good/npy_i8_le.npy")).unwrap();
        let end = bytes.len();
        bytes[end - 8..].copy_from_slice(&value.to_le_bytes());
        numpy::parse(&bytes, "a.npy").unwrap().into_f64("a.npy")
    };
    assert_eq!(file(1 << 53).unwrap()[[1, 2]], 9_007_199_254_740_992.0);
    assert_eq!(file(1 << 60).unwrap()[[1, 2]], 1_152_921_504_606_846_976.0);
    assert_eq!(
        file((1 << 53) + 1).unwrap_err().to_string(),
        "a.npy: row 1, column 2: 9007199254740993 is beyond 2^53 and has no exact 64-bit float"
    );
    assert!(file(i64::MAX).is_err());
}

#[test]
fn tables_hold_the_cells_that_were_written() {
    let expected = expected();
    let mut seen = 0;
    for path in corpus("good") {
        let name = file_name(&path);
        if !name.starts_with("csv_") {
            continue;
        }
        let table = csv::read_table(&path, &csv::Options::default()).unwrap();
        let columns = expected[&name].as_object().unwrap();
        let titles: Vec<&str> = table
            .columns()
            .iter()
            .map(|(title, _)| title.as_str())
            .collect();
        assert_eq!(titles, columns.keys().collect::<Vec<_>>(), "{name}");
        for (title, cells) in columns {
            match table.column(title).unwrap() {
                Column::Numbers(found) => {
                    assert_same(
                        &format!("{name} {title}"),
                        found.iter().copied(),
                        &numbers(cells),
                    );
                }
                Column::Words(found) => {
                    assert_eq!(serde_json::json!(found), *cells, "{name} {title}");
                }
            }
        }
        seen += 1;
    }
    assert_eq!(seen, 15);
}

#[test]
fn tensors_equal_what_safetensors_wrote() {
    let expected = expected();
    for name in [
        "safetensors_mixed.safetensors",
        "safetensors_bf16.safetensors",
    ] {
        let path = corpus_path("good").join(name);
        let tensors = safetensors::read_all(&path).unwrap();
        let columns = expected[name].as_object().unwrap();
        assert_eq!(tensors.len(), columns.len());
        for (key, array) in &tensors {
            assert_array(key, array, &columns[key]);
        }
    }
    let tensors =
        safetensors::Tensors::open(&corpus_path("good/safetensors_mixed.safetensors")).unwrap();
    assert_eq!(tensors.metadata()["epoch"], "3");
    assert_eq!(tensors.shape("weight").unwrap(), ("f32", vec![3, 4]));
    assert_eq!(
        tensors
            .shape("wieght")
            .unwrap_err()
            .to_string()
            .rsplit(": ")
            .next()
            .unwrap(),
        "bias, empty, half, mask, steps, weight"
    );
}

#[test]
fn sounds_equal_what_scipy_reads() {
    let expected = expected();
    let mut seen = 0;
    for path in corpus("good") {
        let name = file_name(&path);
        if !name.starts_with("wav_") {
            continue;
        }
        let sound: Recording = wav::read(&path).unwrap();
        let wanted = &expected[&name];
        assert_eq!(sound.rate(), wanted["rate"].as_f64(), "{name}");
        let shape: [usize; 2] = serde_json::from_value(wanted["shape"].clone()).unwrap();
        assert_eq!(sound.samples.shape(), shape, "{name}");
        assert_same(
            &name,
            sound.samples.iter().map(|&v| v.into()),
            &numbers(&wanted["values"]),
        );
        seen += 1;
    }
    assert_eq!(seen, 10);
}

#[test]
fn images_equal_what_nibabel_reads() {
    let expected = expected();
    let mut seen = 0;
    for path in corpus("good") {
        let name = file_name(&path);
        if !name.starts_with("nifti_") || name.ends_with(".img") {
            continue;
        }
        let wanted = &expected[&name];
        let image = nifti::read_image(&path).unwrap();
        let shape: Vec<usize> = serde_json::from_value(wanted["shape"].clone()).unwrap();
        assert_eq!(image.stored.shape(), shape, "{name}");
        // 64-bit integers need not have exact floats; nibabel rounds them, we refuse.
        let values = image.values().unwrap();
        assert_same(&name, values.iter().copied(), &numbers(&wanted["values"]));
        let volume = image.into_volume().unwrap();
        let singles = numbers(&wanted["values"])
            .into_iter()
            .map(|value| f64::from(value as f32));
        assert_same(
            &name,
            volume.values.iter().map(|&v| v.into()),
            &singles.collect::<Vec<_>>(),
        );
        for (found, wanted) in volume
            .affine
            .iter()
            .zip(wanted["affine"].as_array().unwrap())
        {
            for (found, wanted) in found.iter().zip(numbers(wanted)) {
                // nibabel works out single-precision rotations in another order.
                let slack = if name.contains("rotated") || name.contains("mirrored") {
                    1e-6
                } else {
                    0.0
                };
                assert!(
                    (found - wanted).abs() <= slack,
                    "{name}: {found} is not {wanted}"
                );
            }
        }
        let zooms = numbers(&wanted["zooms"]);
        assert_same(&name, volume.voxel_size, &zooms[..3]);
        seen += 1;
    }
    assert_eq!(seen, 19);
    let series = nifti::read(&corpus_path("good/nifti_series.nii.gz")).unwrap();
    assert_eq!(series.repetition_time, Some(1.5));
    let image = nifti::read_image(&corpus_path("good/nifti_version2.nii")).unwrap();
    let content = &image.extensions[0].content;
    assert_eq!(
        (image.extensions[0].code, &content[..14]),
        (6, b"made by a test".as_slice())
    );
    // Either file of a pair will do.
    let pair = nifti::read(&corpus_path("good/nifti_pair.img")).unwrap();
    assert_eq!(
        pair.values,
        nifti::read(&corpus_path("good/nifti_pair.hdr"))
            .unwrap()
            .values
    );
}

#[test]
fn recordings_equal_what_pyedflib_reads() {
    let expected = expected();
    let names = [
        "edf_plain",
        "edf_plus",
        "edf_subsecond",
        "edf_out_of_range",
        "bdf_plain",
        "bdf_plus",
    ];
    for name in names.map(|name| format!("{name}.{}", &name[..3])) {
        let name = name.as_str();
        let edf = edf::read(&corpus_path("good").join(name)).unwrap();
        let wanted = &expected[name];
        let labels: Vec<&str> = edf
            .signals
            .iter()
            .map(|signal| signal.label.as_str())
            .collect();
        assert_eq!(serde_json::json!(labels), wanted["labels"]);
        for index in 0..edf.signals.len() {
            assert_eq!(
                edf.signals[index].unit,
                wanted["units"][index].as_str().unwrap()
            );
            assert_eq!(edf.rate(index), number(&wanted["rates"][index]));
            let digital = edf.digital[index].iter().map(|&value| f64::from(value));
            assert_same(name, digital, &numbers(&wanted["digital"][index]));
            assert_same(
                name,
                edf.physical(index),
                &numbers(&wanted["physical"][index]),
            );
        }
        assert_eq!(edf.header.start.as_deref(), wanted["start"].as_str());
        let annotations = wanted["annotations"].as_array().unwrap();
        assert_eq!(edf.annotations.len(), annotations.len());
        for (found, wanted) in edf.annotations.iter().zip(annotations) {
            assert_eq!(found.onset, number(&wanted[0]));
            assert_eq!(found.duration.unwrap_or(-1.0), number(&wanted[1]));
            assert_eq!(found.text, wanted[2].as_str().unwrap());
        }
        // One recording for the two electrodes, one for the thermometer.
        let recordings = edf.recordings().unwrap();
        let shapes: Vec<_> = recordings.iter().map(|found| found.samples.dim()).collect();
        assert_eq!(shapes, [(60, 2), (12, 1)]);
        assert_eq!(
            recordings[0].clock,
            Clock::Regular {
                start: 0.0,
                rate: 20.0
            }
        );
        assert_eq!(recordings[0].channels, ["EEG Cz", "EEG Pz"]);
        assert_eq!(recordings[1].unit, "degC");
        assert_eq!(
            f64::from(recordings[1].samples[[3, 0]]),
            f64::from(edf.physical(2)[3] as f32)
        );
    }
}

#[test]
fn gaps_are_in_the_clock() {
    let late = edf::read(&corpus_path("good/edf_subsecond.edf")).unwrap();
    assert!(late.continuous());
    assert!(
        (late.start_offset - 0.394531).abs() < 1e-9,
        "{}",
        late.start_offset
    );
    assert_eq!(late.record_onsets, [0.0, 1.0, 2.0]);
    let edf = edf::read(&corpus_path("good/edf_gaps.edf")).unwrap();
    assert!(!edf.continuous());
    assert_eq!(edf.record_onsets, [0.0, 1.0, 9.5]);
    let recording = &edf.recordings().unwrap()[1];
    let times: Vec<f64> = (0..12).map(|index| recording.time(index)).collect();
    assert_eq!(
        times,
        [
            0.0, 0.25, 0.5, 0.75, 1.0, 1.25, 1.5, 1.75, 9.5, 9.75, 10.0, 10.25
        ]
    );
    let whole = edf::read(&corpus_path("good/edf_plus.edf")).unwrap();
    assert_eq!(edf.digital, whole.digital);
    // A file that was never closed counts what is there.
    let unfinished = edf::read(&corpus_path("good/edf_unfinished.edf")).unwrap();
    let plain = edf::read(&corpus_path("good/edf_plain.edf")).unwrap();
    assert_eq!(unfinished.digital, plain.digital);
}

#[test]
fn electrodes_have_places_and_annotations_are_events() {
    let edf = edf::read(&corpus_path("good/edf_plus.edf")).unwrap();
    let recordings = edf.recordings().unwrap();
    let eeg = recordings
        .iter()
        .find(|recording| recording.channels.contains(&"EEG Cz".to_string()))
        .unwrap();
    let positions = eeg.positions.as_ref().unwrap();
    let cz = eeg.channels.iter().position(|label| label == "EEG Cz");
    let top = positions.metres()[cz.unwrap()].unwrap();
    assert!((top[2] - 0.095).abs() < 1e-12, "{top:?}");
    let others = recordings.iter().filter(|other| other.unit == "degC");
    assert!(others.into_iter().all(|other| other.positions.is_none()));
    let events = edf.events().unwrap();
    assert_eq!(events.len(), edf.annotations.len());
    assert!(!events.is_empty());
    for (event, note) in events.list().iter().zip(&edf.annotations) {
        assert_eq!((event.onset, &event.kind), (note.onset, &note.text));
        assert_eq!(event.duration, note.duration.unwrap_or(0.0));
    }
}
