//! What a paper says, in a form that can fail.

use serde::{Deserialize, Serialize};

/// A statement about one number.
///
/// `baseline` and `control` name what is measured beside the effect, in the same metric: the
/// strongest honest alternative, and a condition in which the effect must vanish.
#[derive(Clone, Copy, Debug)]
pub struct Claim {
    /// Short name, unique within the study, e.g. `learned-beats-random`.
    pub id: &'static str,
    /// The claim in a sentence.
    pub statement: &'static str,
    /// The paper's own figure for it, or what the paper says where it gives no number.
    pub paper: &'static str,
    /// What the numbers are, with unit, e.g. `accuracy difference (points)`.
    pub metric: &'static str,
    /// On which side of the margin the effect must lie.
    pub direction: Direction,
    /// The margin.
    pub margin: f64,
    /// The strongest honest baseline.
    pub baseline: &'static str,
    /// The null control.
    pub control: &'static str,
}

/// On which side of the margin an effect must lie for its claim to hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Direction {
    /// Above the margin.
    Greater,
    /// Below the margin.
    Less,
    /// Between minus the margin and the margin, both included.
    Within,
}

/// What the evidence says of a claim.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Verdict {
    /// The whole interval lies on the claimed side of the margin.
    #[serde(rename = "held")]
    Held,
    /// The whole interval lies on the other side.
    #[serde(rename = "not held")]
    NotHeld,
    /// The interval crosses the margin, or there is none.
    #[serde(rename = "inconclusive")]
    Inconclusive,
}

impl std::fmt::Display for Verdict {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(match self {
            Verdict::Held => "held",
            Verdict::NotHeld => "not held",
            Verdict::Inconclusive => "inconclusive",
        })
    }
}

/// The verdict that an effect's 95% interval gives. Without an interval (a single seed) nothing is
/// decided.
pub fn verdict(direction: Direction, margin: f64, ci95: Option<[f64; 2]>) -> Verdict {
    let Some([low, high]) = ci95 else {
        return Verdict::Inconclusive;
    };
    let (clears, opposite) = match direction {
        Direction::Greater => (low > margin, high < margin),
        Direction::Less => (high < margin, low > margin),
        Direction::Within => (
            low >= -margin && high <= margin,
            low > margin || high < -margin,
        ),
    };
    match (clears, opposite) {
        (true, _) => Verdict::Held,
        (_, true) => Verdict::NotHeld,
        _ => Verdict::Inconclusive,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn verdicts_follow_from_the_interval() {
        use Direction::*;
        use Verdict::*;
        for (direction, margin, ci95, expected) in [
            (Greater, 1.0, Some([1.1, 2.0]), Held),
            (Greater, 1.0, Some([0.0, 0.9]), NotHeld),
            (Greater, 1.0, Some([0.9, 1.1]), Inconclusive),
            (Greater, 0.0, Some([0.0, 0.0]), Inconclusive),
            (Less, 1.0, Some([0.0, 0.9]), Held),
            (Less, 1.0, Some([1.1, 2.0]), NotHeld),
            (Less, 1.0, Some([0.9, 1.1]), Inconclusive),
            (Within, 1.0, Some([-1.0, 1.0]), Held),
            (Within, 1.0, Some([-3.0, -1.1]), NotHeld),
            (Within, 1.0, Some([0.5, 1.1]), Inconclusive),
            (Greater, 1.0, None, Inconclusive),
        ] {
            assert_eq!(
                verdict(direction, margin, ci95),
                expected,
                "{direction:?} {ci95:?}"
            );
        }
    }
}
