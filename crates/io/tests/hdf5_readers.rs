//! HDF5 files against what h5py wrote into them (`fixtures/make_hdf5.py`), and damaged ones.

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
use std::time::{Duration, Instant};

use chiasm_io::hdf5::{self, Attribute, ElementType, Kind};
use chiasm_io::{Error, shd};
use serde_json::Value;

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/fixtures/hdf5")
        .join(name)
}

fn expected() -> Value {
    serde_json::from_slice(&std::fs::read(fixture("expected.json")).unwrap()).unwrap()
}

fn numbers(values: &Value) -> Vec<f64> {
    values
        .as_array()
        .unwrap()
        .iter()
        .map(|value| value.as_f64().unwrap_or(f64::NAN))
        .collect()
}

#[track_caller]
fn same(found: &[f64], wanted: &[f64], what: &str) {
    assert_eq!(found.len(), wanted.len(), "{what}");
    for (found, wanted) in found.iter().zip(wanted) {
        assert!(
            found == wanted || (found.is_nan() && wanted.is_nan()),
            "{what}: {found} {wanted}"
        );
    }
}

#[test]
fn arrays_of_every_type_and_layout_hold_what_h5py_wrote() {
    let expected = expected();
    for file in ["types.h5", "latest.h5", "user_block.h5", "several_axes.h5"] {
        let on_disk = hdf5::open(&fixture(file)).unwrap();
        let in_memory = hdf5::parse(std::fs::read(fixture(file)).unwrap(), file).unwrap();
        for (path, wanted) in expected[file].as_object().unwrap() {
            let shape: Vec<usize> = numbers(&wanted["shape"])
                .iter()
                .map(|&size| size as usize)
                .collect();
            for opened in [&on_disk, &in_memory] {
                let array = opened.read::<f64>(path).unwrap();
                assert_eq!(array.shape(), shape, "{file} {path}");
                same(array.as_slice().unwrap(), &numbers(&wanted["values"]), path);
            }
        }
    }
}

#[test]
fn element_types_are_named() {
    let file = hdf5::open(&fixture("types.h5")).unwrap();
    for (path, name) in [
        ("numbers/little/f2", "f16"),
        ("numbers/big/u8", "u64"),
        ("truth", "bool"),
        ("named", "one of 3 names"),
        ("words/variable", "words"),
        ("words/fixed", "words"),
        ("record", "record of start: i32, weight: f64"),
        ("reference", "reference"),
    ] {
        assert_eq!(
            file.dataset(path).unwrap().element.to_string(),
            name,
            "{path}"
        );
    }
    let chunked = file.dataset("chunked/gzip_shuffle").unwrap();
    assert_eq!(chunked.chunks, Some(vec![8, 3]));
    assert_eq!(chunked.filters, ["shuffle", "deflate 4"]);
    assert!(matches!(file.object("type").unwrap().kind, Kind::Datatype));
    let ElementType::Named { names, .. } = &file.dataset("named").unwrap().element else {
        panic!()
    };
    let names: Vec<_> = names
        .iter()
        .map(|(number, name)| (*number, name.as_str()))
        .collect();
    assert_eq!(names, [(0, "rest"), (1, "left"), (2, "right")]);
}

#[test]
fn words_and_attributes() {
    let file = hdf5::open(&fixture("types.h5")).unwrap();
    let words = ["", "neuron", "AVAL", "größer"];
    assert_eq!(file.read_words("words/variable").unwrap(), words);
    assert_eq!(file.read_words("words/fixed").unwrap(), words);
    assert_eq!(file.read_words("words/scalar").unwrap(), ["one word"]);
    let square = file.read_words("words/square").unwrap();
    assert_eq!(square[..4], words);
    assert_eq!(square[7], "");

    let attribute = |path: &str, name: &str| file.attribute(path, name).cloned().unwrap();
    assert_eq!(attribute("numbers", "rate"), Attribute::Numbers(vec![30.0]));
    assert_eq!(
        attribute("numbers", "limits"),
        Attribute::Numbers(vec![1.0, -2.0, 3.0])
    );
    assert_eq!(attribute("numbers", "unit").word(), Some("volts"));
    assert_eq!(
        attribute("numbers", "names"),
        Attribute::Words(vec!["a".into(), "bc".into()])
    );
    assert_eq!(attribute("numbers", "flag").number(), Some(1.0));
    assert_eq!(
        attribute("numbers", "pointer"),
        Attribute::Object("/links/hard".into())
    );
    assert_eq!(attribute("scalar", "fixed").word(), Some("short"));
    assert_eq!(attribute("/", "title").word(), Some("every type"));
    let latest = hdf5::open(&fixture("latest.h5")).unwrap();
    assert_eq!(latest.attributes("/").unwrap().len(), 20);
    assert_eq!(
        latest.attribute("/", "attribute13").unwrap().number(),
        Some(13.0)
    );
}

#[test]
fn rows_come_alone_and_numbers_are_not_bent() {
    let file = hdf5::open(&fixture("types.h5")).unwrap();
    let whole = file.read::<f64>("chunked/gzip").unwrap();
    let some = file.read_rows::<f64>("chunked/gzip", 5, 9).unwrap();
    assert_eq!(some, whole.as_slice().unwrap()[5 * 7..14 * 7]);
    assert_eq!(
        file.read_rows::<f64>("chunked/gzip", 48, 9).unwrap().len(),
        2 * 7
    );
    assert_eq!(
        file.read_rows::<f64>("chunked/gzip", 99, 9).unwrap().len(),
        0
    );
    assert_eq!(
        file.read::<u8>("links/own").unwrap().as_slice().unwrap(),
        [0, 1, 2]
    );
    let error = file
        .read::<u8>("numbers/little/i8")
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("types.h5: numbers/little/i8: element 0 of i64"),
        "{error}"
    );
    let error = file.read::<i64>("chunked/gzip").unwrap_err().to_string();
    assert!(error.contains("cannot be held by i64"), "{error}");
    let error = file.read::<f64>("words/fixed").unwrap_err().to_string();
    assert!(
        error.contains("holds words, numbers were asked for"),
        "{error}"
    );
}

#[test]
fn links_of_every_kind() {
    let file = hdf5::open(&fixture("types.h5")).unwrap();
    for path in [
        "links/hard",
        "links/soft",
        "links/relative",
        "links/up/links/soft",
    ] {
        assert_eq!(file.read::<f64>(path).unwrap().sum(), 2.5, "{path}");
    }
    assert_eq!(
        file.read::<f64>("links/through/plain").unwrap().shape(),
        [50, 7]
    );
    let error = file.read::<f64>("links/round").unwrap_err().to_string();
    assert!(
        error.contains("links/round") && error.contains("circles"),
        "{error}"
    );
    let error = file.read::<f64>("links/outside").unwrap_err().to_string();
    assert!(error.contains("open \"/data\" of \"other.h5\""), "{error}");
    let error = file.read::<f64>("links/nowhere").unwrap_err();
    assert!(matches!(error, Error::NotFound { .. }), "{error}");
    let error = file.read::<f64>("chunked/nothing").unwrap_err().to_string();
    assert!(
        error.contains("gzip_shuffle"),
        "what there is instead: {error}"
    );
    assert_eq!(file.children("links").len(), 10);

    let latest = hdf5::open(&fixture("latest.h5")).unwrap();
    assert_eq!(latest.children("many").len(), 408);
    assert_eq!(
        latest.read::<f64>("few").unwrap(),
        latest.read::<f64>("one_chunk").unwrap()
    );
    let block = hdf5::open(&fixture("user_block.h5")).unwrap();
    assert_eq!(block.read::<f64>("group/soft").unwrap().len(), 5);
    assert_eq!(
        block
            .read_ragged::<i32>("group/ragged", 0, 2)
            .unwrap()
            .get(0),
        [1, 2, 3]
    );
    assert_eq!(block.read_words("words").unwrap(), ["x", "yz"]);
}

#[test]
fn ragged_lists_hold_what_h5py_wrote() {
    let file = hdf5::open(&fixture("ragged.h5")).unwrap();
    for (path, wanted) in expected()["ragged.h5"].as_object().unwrap() {
        let found = file.read_ragged::<f64>(path, 0, u64::MAX).unwrap();
        let wanted: Vec<Vec<f64>> = wanted.as_array().unwrap().iter().map(numbers).collect();
        assert_eq!(found.len(), wanted.len());
        for (found, wanted) in found.iter().zip(&wanted) {
            same(found, wanted, path);
        }
        let some = file.read_ragged::<f64>(path, 3, 2).unwrap();
        same(some.get(0), &wanted[3], path);
        assert_eq!(some.len(), 2);
    }
}

#[test]
fn spoken_digits_hold_what_h5py_wrote() {
    let expected = expected();
    for name in ["shd.h5", "shd_half.h5"] {
        let wanted = &expected[name];
        let digits = shd::read(&fixture(name)).unwrap();
        assert_eq!(digits.recordings(), 12);
        for (k, recording) in wanted["recordings"].as_array().unwrap().iter().enumerate() {
            let times: Vec<f64> = digits
                .times
                .get(k)
                .iter()
                .map(|&time| f64::from(time))
                .collect();
            same(&times, &numbers(&recording["times"]), name);
            let units: Vec<f64> = digits
                .units
                .get(k)
                .iter()
                .map(|&unit| f64::from(unit))
                .collect();
            same(&units, &numbers(&recording["units"]), name);
        }
        let labels: Vec<f64> = digits.labels.iter().map(|&label| label as f64).collect();
        assert_eq!(labels, numbers(&wanted["labels"]));
        let speakers: Vec<f64> = digits
            .speakers
            .as_ref()
            .unwrap()
            .iter()
            .map(|&speaker| speaker as f64)
            .collect();
        assert_eq!(speakers, numbers(&wanted["speakers"]));
        assert_eq!(digits.keys[11], "german 1");
        let file = shd::open(&fixture(name)).unwrap();
        let some = file.spikes(5, 4).unwrap();
        assert_eq!(some.0.get(1), digits.times.get(6));
        assert_eq!(some.1.get(3), digits.units.get(8));
    }
    let error = shd::read(&fixture("shd_uneven.h5"))
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("recording 0 has 3 spike times and 2 units"),
        "{error}"
    );
    let error = shd::open(&fixture("types.h5")).unwrap_err().to_string();
    assert!(error.contains("spikes/times"), "{error}");
}

#[test]
fn inspection_shows_arrays_and_links() {
    let summary = hdf5::inspect(&fixture("types.h5")).unwrap();
    let entry = summary
        .entries
        .iter()
        .find(|entry| entry.name == "chunked/gzip")
        .unwrap();
    assert_eq!(
        (entry.shape.as_slice(), entry.dtype.as_str()),
        (&[50, 7][..], "f64")
    );
    assert_eq!(entry.statistics.as_ref().unwrap().count, 350);
    assert!(
        entry
            .facts
            .contains(&("stored with".into(), "deflate 6".into()))
    );
    assert!(
        summary
            .notes
            .iter()
            .any(|note| note.contains("/data of other.h5"))
    );
    assert!(
        summary
            .facts
            .contains(&("title".into(), "every type".into()))
    );
}

#[test]
fn hostile_files_are_refused_quickly_by_name() {
    let start = Instant::now();
    let bytes = hdf5::open(&fixture("declares_a_terabyte.h5")).unwrap();
    for path in ["contiguous", "chunked"] {
        let error = bytes.read::<f64>(path).unwrap_err().to_string();
        assert!(
            error.contains("declares_a_terabyte.h5") && error.contains(path),
            "{error}"
        );
        assert!(error.contains("1099511627776"), "{error}");
    }
    assert_eq!(bytes.read::<f64>("small").unwrap().len(), 3);
    let error = hdf5::open(&fixture("bomb.h5"))
        .unwrap()
        .read::<u8>("zeros")
        .unwrap_err();
    assert!(
        matches!(&error, Error::TooLarge { field, .. } if field.contains("zeros")),
        "{error}"
    );
    assert!(
        hdf5::inspect(&fixture("bomb.h5")).is_ok(),
        "looking at the beginning is safe"
    );

    let deep = hdf5::open(&fixture("deep_type.h5")).unwrap();
    assert_eq!(deep.read::<i64>("x").unwrap().len(), 3);
    assert!(matches!(
        deep.dataset("deep").unwrap().element,
        ElementType::Other(_)
    ));

    let circle = hdf5::open(&fixture("circle.h5")).unwrap();
    assert_eq!(circle.object("a/b/c/back").unwrap().kind, Kind::Group);
    assert_eq!(circle.objects().count(), 6);

    let error = hdf5::parse(b"not a file at all".to_vec(), "x.h5")
        .unwrap_err()
        .to_string();
    assert!(error.starts_with("x.h5: superblock"), "{error}");
    assert!(hdf5::parse(Vec::new(), "empty.h5").is_err());
    assert!(
        start.elapsed() < Duration::from_secs(5),
        "{:?}",
        start.elapsed()
    );
}

/// Opens and reads everything; only panics and wrong sizes matter.
fn read_all(bytes: Vec<u8>) -> Result<(), Error> {
    let file = hdf5::parse(bytes, "damaged.h5")?;
    let paths: Vec<String> = file.objects().map(|(path, _)| path.to_string()).collect();
    for path in paths {
        let Ok(dataset) = file.dataset(&path) else {
            continue;
        };
        let element = dataset.element.clone();
        if element.number().is_some() {
            let _ = file.read::<f64>(&path);
        } else if element.is_words() {
            let _ = file.read_words(&path);
        } else if let ElementType::Ragged(_) = element {
            let _ = file.read_ragged::<f64>(&path, 0, u64::MAX);
        }
    }
    Ok(())
}

#[test]
fn layouts_that_are_not_known_spoil_only_their_own_array() {
    let file = hdf5::open(&fixture("newest.h5")).unwrap();
    assert_eq!(file.read::<f64>("plain").unwrap().len(), 6);
    let error = file.read::<f64>("chunked").unwrap_err().to_string();
    assert!(
        error.contains("newest.h5: chunked: ") && error.contains("version"),
        "{error}"
    );
}

#[test]
fn arrays_that_grow_on_several_axes_are_read_in_part() {
    let file = hdf5::open(&fixture("several_axes.h5")).unwrap();
    let whole = file.read::<f64>("gzip").unwrap();
    for (start, count) in [(0, 1), (6, 2), (5, 20), (40, 9)] {
        let rows = file.read_rows::<f64>("gzip", start, count).unwrap();
        let stop = (start + count).min(41) as usize;
        let wanted = &whole.as_slice().unwrap()[start as usize * 23..stop * 23];
        same(&rows, wanted, "gzip");
    }
    assert_eq!(file.read_words("words").unwrap(), ["a", "bc", "", "d"]);
    let error = file.read::<f64>("lzf").unwrap_err().to_string();
    assert!(
        error.contains("several_axes.h5: lzf: filter 32000 is not undone"),
        "{error}"
    );
    assert_eq!(
        hdf5::open(&fixture("latest.h5"))
            .unwrap()
            .read::<f64>("both_grow")
            .unwrap()
            .shape(),
        [40, 6]
    );
    // A stored value that changes is found by the chunk's checksum.
    let mut bytes = std::fs::read(fixture("several_axes.h5")).unwrap();
    let first: Vec<u8> = file.read::<f32>("checked").unwrap().as_slice().unwrap()[..5]
        .iter()
        .flat_map(|value| value.to_le_bytes())
        .collect();
    let places: Vec<usize> = (0..bytes.len() - 20)
        .filter(|&at| bytes[at..at + 20] == first[..])
        .collect();
    assert!(!places.is_empty());
    for at in places {
        bytes[at] ^= 1;
    }
    let damaged = hdf5::parse(bytes, "damaged.h5").unwrap();
    let error = damaged.read::<f64>("checked").unwrap_err().to_string();
    assert_eq!(error, "damaged.h5: checked: a chunk's checksum is wrong");
}

#[test]
fn what_cannot_be_read_does_not_hide_the_rest() {
    let path = fixture("strange.h5");
    let summary = hdf5::inspect(&path).unwrap();
    let entry = |name: &str| summary.entries.iter().find(|entry| entry.name == name);
    assert_eq!(entry("good").unwrap().statistics.as_ref().unwrap().count, 3);
    assert_eq!(entry("null").unwrap().shape, [0]);
    for name in ["outside", "virtual"] {
        assert!(entry(name).unwrap().statistics.is_none());
        let start = format!("/{name}: cannot be read: ");
        assert!(
            summary.notes.iter().any(|note| note.starts_with(&start)),
            "{:?}",
            summary.notes
        );
    }
    let shown = summary.to_string();
    assert!(shown.contains("turned\u{fffd}name\u{fffd}[31m"), "{shown}");
    let file = hdf5::open(&path).unwrap();
    assert_eq!(file.read::<f64>("null").unwrap().shape(), [0]);
    let error = file.read::<f64>("virtual").unwrap_err();
    assert_eq!(error.kind(), chiasm_core::ErrorKind::Input);
    assert!(
        error
            .to_string()
            .contains("strange.h5: virtual: a virtual dataset"),
        "{error}"
    );
    let error = file.read::<f64>("outside").unwrap_err().to_string();
    assert!(error.contains("external files"), "{error}");
}

#[test]
fn truncated_files_are_refused() {
    for name in [
        "types.h5",
        "latest.h5",
        "ragged.h5",
        "user_block.h5",
        "several_axes.h5",
    ] {
        let bytes = std::fs::read(fixture(name)).unwrap();
        for part in 1..12 {
            let error = hdf5::parse(bytes[..bytes.len() * part / 12].to_vec(), name).unwrap_err();
            assert!(error.to_string().starts_with(name), "{error}");
        }
    }
}

#[test]
fn damaged_files_end_in_errors() {
    // A linear congruential generator is enough to choose which bytes to damage.
    let mut state = 12345_u64;
    let mut draw = |below: usize| {
        state = state
            .wrapping_mul(6364136223846793005)
            .wrapping_add(1442695040888963407);
        (state >> 33) as usize % below
    };
    for name in [
        "types.h5",
        "ragged.h5",
        "user_block.h5",
        "circle.h5",
        "deep_type.h5",
        "shd_half.h5",
        "several_axes.h5",
    ] {
        let bytes = std::fs::read(fixture(name)).unwrap();
        for _ in 0..40 {
            let mut damaged = bytes.clone();
            for _ in 0..1 + draw(4) {
                // Structure lies mostly at the beginning and in runs of it.
                let at = if draw(2) == 0 {
                    draw(bytes.len())
                } else {
                    draw(bytes.len().min(4096))
                };
                damaged[at] = [0, 1, 0x7f, 0x80, 0xff, draw(256) as u8][draw(6)];
            }
            let start = Instant::now();
            let _ = read_all(damaged);
            assert!(
                start.elapsed() < Duration::from_secs(2),
                "{name}: {:?}",
                start.elapsed()
            );
        }
    }
}
