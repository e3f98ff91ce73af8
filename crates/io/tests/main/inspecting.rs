//! Summaries, as they are shown and as JSON.

use chiasm_io::inspect::inspect;

use super::corpus_path;

fn shown(name: &str) -> String {
    let path = corpus_path("good").join(name);
    let folder = format!("{}/", corpus_path("good").display());
    inspect(&path).unwrap().to_string().replace(&folder, "")
}

#[test]
fn arrays() {
    insta::assert_snapshot!(
        [
            "npy_f8_le.npy",
            "npy_fortran.npy",
            "npy_words.npy",
            "npy_scalar.npy",
            "npz_deflated.npz",
            "safetensors_mixed.safetensors"
        ]
        .map(shown)
        .join("\n")
    );
}

#[test]
fn text() {
    insta::assert_snapshot!(
        [
            "csv_header.csv",
            "csv_missing.csv",
            "csv_tabs.tsv",
            "csv_blank.csv"
        ]
        .map(shown)
        .join("\n")
    );
}

#[test]
fn signals() {
    insta::assert_snapshot!(
        [
            "wav_i16.wav",
            "nifti_series.nii.gz",
            "nifti_scaled.nii",
            "nifti_bare.nii",
            "edf_plus.edf",
            "edf_gaps.edf",
            "bdf_plain.bdf"
        ]
        .map(shown)
        .join("\n")
    );
}

#[test]
fn json() {
    let mut summary = inspect(&corpus_path("good/csv_header.csv")).unwrap();
    summary.file = "csv_header.csv".to_string();
    insta::assert_json_snapshot!(summary);
}

#[test]
fn every_good_file_has_a_summary() {
    for path in super::corpus("good") {
        let summary = inspect(&path).unwrap();
        assert!(!summary.entries.is_empty(), "{}", path.display());
        let text = summary.to_string();
        assert!(text.chars().all(|c| c == '\n' || !c.is_control()), "{text}");
    }
}
