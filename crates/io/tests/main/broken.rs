//! Broken files are errors that name the file, the field and the reason.

use std::fmt::Write;

use chiasm_core::ErrorKind;
use chiasm_io::{csv, inspect, nifti};

use super::{corpus, corpus_path, file_name, named_format, parse};

#[test]
fn every_broken_file_says_what_is_wrong() {
    let mut said = String::new();
    for path in corpus("broken") {
        let name = file_name(&path);
        let bytes = std::fs::read(&path).unwrap();
        let error = parse(named_format(&name), &bytes, &name).expect_err(&name);
        assert_eq!(error.kind(), ErrorKind::Input, "{name}");
        let text = error.to_string();
        assert!(text.starts_with(&name), "{name}: {text}");
        writeln!(said, "{text}").unwrap();
        assert!(
            inspect::inspect(&path).is_err() || may_be_inspected(&name),
            "{name}"
        );
    }
    insta::assert_snapshot!(said);
}

/// Files whose numbers or names alone are wrong still have a summary.
fn may_be_inspected(name: &str) -> bool {
    matches!(
        name,
        "csv_same_name.csv"
            | "safetensors_float8.safetensors"
            | "wav_nan.wav"
            | "npy_not_a_character.npy"
            | "nifti_truncated.nii.gz"
            | "nifti_checksum.nii.gz"
    )
}

#[test]
fn what_is_no_file_is_an_error() {
    let folder = corpus_path("good");
    let missing = folder.join("missing.npy");
    for path in [&folder, &missing] {
        let error = inspect::inspect(path).unwrap_err();
        assert!(
            error.to_string().starts_with(&path.display().to_string()),
            "{error}"
        );
        assert_eq!(error.kind(), ErrorKind::Input);
    }
    #[cfg(unix)]
    {
        let error = inspect::inspect(std::path::Path::new("/dev/zero")).unwrap_err();
        assert_eq!(
            error.to_string(),
            "/dev/zero: file type: not a regular file"
        );
    }
}

#[test]
fn a_header_without_its_image_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let alone = folder.path().join("alone.hdr");
    std::fs::copy(corpus_path("good/nifti_pair.hdr"), &alone).unwrap();
    let error = nifti::read(&alone).unwrap_err().to_string();
    assert!(
        error.ends_with("there is no .img file of the same name beside it"),
        "{error}"
    );
}

#[test]
fn a_quote_left_open_does_not_swallow_the_file() {
    let mut bytes = b"a,b\n1,\"2\n".to_vec();
    bytes.resize(5 << 20, b'x');
    let error = csv::parse(&bytes, "a.csv").unwrap_err().to_string();
    assert_eq!(
        error,
        "a.csv: line 2: a row of more than 4 MiB: is a quote left open?"
    );
}

#[test]
fn absurdly_wide_tables_are_refused() {
    let wide = vec![b','; 1 << 18];
    let error = csv::parse(&wide, "a.csv").unwrap_err().to_string();
    assert_eq!(
        error,
        "a.csv: line 1: 262145 cells; at most 262144 columns are read"
    );
}

#[test]
fn a_header_length_that_lies_is_named_from_every_door() {
    for name in ["header_length", "header_past_end"] {
        let path = corpus_path(&format!("broken/safetensors_{name}.safetensors"));
        let error = inspect::inspect(&path).unwrap_err().to_string();
        assert!(error.contains(": header length at byte 0: "), "{error}");
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("giant.safetensors");
    for length in [1_u64 << 62, 90_000_000] {
        let mut bytes = length.to_le_bytes().to_vec();
        bytes.extend(b"{}");
        std::fs::write(&path, &bytes).unwrap();
        let error = inspect::inspect(&path).unwrap_err().to_string();
        let wanted = format!(": header length at byte 0: {length} bytes");
        assert!(error.contains(&wanted), "{error}");
    }
}

#[test]
fn one_sign_for_decimals_a_file() {
    let said = |text: &str| {
        let options = csv::Options::default();
        csv::parse_matrix(text.as_bytes(), "a.csv", &options)
            .unwrap_err()
            .to_string()
    };
    assert_eq!(
        said("a;b\n1,5;0.5\n"),
        "a.csv: line 2, column 1: \"1,5\" is not a number; write decimals with a point"
    );
    let mut late = "a;b\n1,5;2\n".to_string();
    late.push_str(&"1;2\n".repeat(1 << 15));
    late.push_str("3;0.5\n");
    let line = 3 + (1 << 15);
    assert_eq!(
        said(&late),
        format!(
            "a.csv: line {line}, column 2: \"0.5\" is not a number; other decimals in this file are \
             written with a comma"
        )
    );
}
