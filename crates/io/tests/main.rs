//! Arrays, text, tensors, sounds, images and polygraphic recordings, from the outside.

#![allow(
    missing_docs,
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a test may fail loudly"
)]
#![allow(clippy::unwrap_used, clippy::panic)] // Helpers of tests.

#[path = "main/broken.rs"]
mod broken;
#[path = "main/good.rs"]
mod good;
#[path = "main/inspecting.rs"]
mod inspecting;
#[path = "main/matrices.rs"]
mod matrices;
#[path = "main/mutation.rs"]
mod mutation;
#[path = "main/writing.rs"]
mod writing;

use std::path::{Path, PathBuf};

use chiasm_io::format::{self, Format};
use chiasm_io::{Result, csv, edf, nifti, numpy, safetensors, wav};

/// The files of a folder of the corpus, sorted.
fn corpus(folder: &str) -> Vec<PathBuf> {
    let folder = corpus_path(folder);
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    files.sort();
    assert!(files.len() > 50, "the corpus is not there");
    files
}

fn corpus_path(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/corpus")
        .join(name)
}

fn file_name(path: &Path) -> String {
    path.file_name().unwrap().to_string_lossy().into_owned()
}

/// Reads bytes with the reader of their format, and throws the result away.
fn parse(format: Format, bytes: &[u8], name: &str) -> Result<()> {
    match format {
        Format::Npy => numpy::parse(bytes, name).map(drop),
        Format::Npz => numpy::parse_npz(bytes, name).map(drop),
        Format::Csv | Format::Tsv => csv::parse(bytes, name).map(drop),
        Format::Safetensors => safetensors::parse(bytes, name).map(drop),
        Format::Wav => wav::parse(bytes, name).map(drop),
        Format::Nifti => nifti::parse(bytes, name)
            .and_then(nifti::Image::into_volume)
            .map(drop),
        Format::Edf | Format::Bdf => edf::parse(bytes, name)
            .and_then(|edf| edf.recordings())
            .map(drop),
        Format::Fif | Format::Hdf5 | Format::Nwb => panic!("{name} is not of this corpus"),
    }
}

/// The format that a corpus file's name stands for.
fn named_format(name: &str) -> Format {
    match name.split('_').next().unwrap() {
        "npy" => Format::Npy,
        "npz" => Format::Npz,
        "csv" => Format::Csv,
        "safetensors" => Format::Safetensors,
        "wav" => Format::Wav,
        "nifti" => Format::Nifti,
        "edf" => Format::Edf,
        "bdf" => Format::Bdf,
        other => panic!("{other} is no format"),
    }
}

#[test]
fn formats_are_told_by_content() {
    for path in corpus("good") {
        let name = file_name(&path);
        if name.ends_with(".img") {
            continue;
        }
        let bytes = std::fs::read(&path).unwrap();
        let expected = if name.ends_with(".tsv") {
            Format::Tsv
        } else {
            named_format(&name)
        };
        assert_eq!(format::detect(&path).unwrap(), expected, "{name}");
        if expected != Format::Csv && expected != Format::Tsv {
            assert_eq!(
                format::detect_bytes(&bytes, "no ending").unwrap(),
                expected,
                "{name}"
            );
            assert_eq!(
                format::detect_bytes(&bytes, "lying.csv").unwrap(),
                expected,
                "{name}"
            );
        }
    }
}

#[test]
fn strangers_are_named() {
    let said =
        |bytes: &[u8], name: &str| format::detect_bytes(bytes, name).unwrap_err().to_string();
    insta::assert_snapshot!(
        [
            said(b"\x80\x04\x95", "a.npy"),
            said(b"", "a.npz"),
            said(b"hello", "a.nii.gz"),
            said(b"\x1f\x8bhello", "a.csv"),
            said(b"MATLAB 5.0 MAT-file", "a.mat"),
            said(b"hello", "a"),
        ]
        .join("\n")
    );
}
