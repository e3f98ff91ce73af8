//! Hostile files stay within 200 MB. A test of its own, because the peak is the whole process's.

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
#![cfg(target_os = "linux")]

use std::path::Path;
use std::time::{Duration, Instant};

use chiasm_io::inspect::inspect;
use chiasm_io::matrix::read_numbers;
use chiasm_io::{csv, edf, fif, nifti, numpy, safetensors, wav};

#[test]
fn broken_files_cost_a_second_and_200_mb_at_most() {
    let scratch = tempfile::tempdir().unwrap();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus/broken");
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let begin = Instant::now();
        let failed = match name.split('_').next().unwrap() {
            "npy" => numpy::read_array(&path).is_err(),
            "npz" => numpy::read_npz(&path).is_err(),
            "csv" => csv::read_table(&path, &csv::Options::default()).is_err(),
            "safetensors" => safetensors::read_all(&path).is_err(),
            "wav" => wav::read(&path).is_err(),
            "nifti" => nifti::read(&path).is_err(),
            _ => edf::read(&path).is_err(),
        };
        assert!(failed, "{name}");
        let _ = (inspect(&path), read_numbers(&path));
        assert!(
            begin.elapsed() < Duration::from_secs(3),
            "{name}: {:?}",
            begin.elapsed()
        );
    }
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/fif");
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if !path.display().to_string().contains("broken_") {
            continue;
        }
        let begin = Instant::now();
        let failed = fif::read(&path).and_then(|fif| fif.epochs()).is_err();
        assert!(failed, "{}", path.display());
        let _ = inspect(&path);
        assert!(
            begin.elapsed() < Duration::from_secs(1),
            "{}: {:?}",
            path.display(),
            begin.elapsed()
        );
    }
    for name in [
        "nested.safetensors",
        "many.safetensors",
        "wide.csv",
        "quote.csv",
    ] {
        let path = scratch.path().join(name);
        std::fs::write(&path, costly(name)).unwrap();
        assert!(
            inspect(&path).is_err() && read_numbers(&path).is_err(),
            "{name}"
        );
    }
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let peak = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))
        .unwrap();
    let kib: u64 = peak.trim().trim_end_matches(" kB").parse().unwrap();
    assert!(kib < 200_000, "peak of {kib} KiB");
}

/// Small enough to be let in, made to cost as much as they can.
fn costly(name: &str) -> Vec<u8> {
    let tensors = |header: String| {
        let mut bytes = (header.len() as u64).to_le_bytes().to_vec();
        bytes.extend(header.into_bytes());
        bytes
    };
    match name {
        "nested.safetensors" => tensors(format!(
            "{{\"a\":[{}[]]}}",
            "[],".repeat((4 << 20) / 3 - 10)
        )),
        "many.safetensors" => {
            let tensor = "\"dtype\":\"U8\",\"shape\":[],\"data_offsets\":[0,0]";
            let many: Vec<String> = (0..70_000)
                .map(|name| format!("\"{name}\":{{{tensor}}}"))
                .collect();
            tensors(format!("{{{}}}", many.join(",")))
        }
        "wide.csv" => vec![b','; (4 << 20) - (1 << 16)],
        _ => [b"a,b\n\"".as_slice(), &vec![b','; 16 << 20]].concat(),
    }
}
