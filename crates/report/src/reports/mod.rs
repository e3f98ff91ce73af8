//! The pages that commands write.

mod combined;
mod comparison;
mod encoding;
mod model_performance;
mod study;

pub use combined::{StudyEntry, combined_report};
pub use comparison::{Comparison, Dissimilarities, comparison_report};
pub use encoding::{CeilingScores, Contribution, Encoding, encoding_report};
pub use model_performance::{ModelPair, ModelPerformance, ModelPerformances};
pub use study::study_report;

/// Wall-clock time as a person says it.
fn duration(seconds: f64) -> String {
    if seconds < 10.0 {
        return format!("{seconds:.1} s");
    }
    if seconds < 60.0 {
        return format!("{seconds:.0} s");
    }
    let minutes = (seconds / 60.0).floor();
    let rest = (seconds - minutes * 60.0).floor();
    if minutes < 60.0 {
        return format!("{minutes} min {rest} s");
    }
    let hours = (minutes / 60.0).floor();
    format!("{hours} h {} min", minutes - hours * 60.0)
}

#[cfg(test)]
mod tests {
    use super::duration;

    #[test]
    fn durations_read_as_spoken() {
        for (seconds, expected) in [
            (0.04, "0.0 s"),
            (9.94, "9.9 s"),
            (59.4, "59 s"),
            (60.0, "1 min 0 s"),
            (3599.9, "59 min 59 s"),
            (7265.0, "2 h 1 min"),
        ] {
            assert_eq!(duration(seconds), expected);
        }
    }
}
