//! A run's claims as text.

use chiasm_core::evidence::{Direction, RunResults, Series, Verdict};

use super::TextTable;

/// The claims of a run: verdict, effect with interval, margin, baseline, control, sentence.
pub(crate) fn claims_table(results: &RunResults, width: usize) -> String {
    let mut table = TextTable::new(&[
        "verdict",
        "effect [95% interval]",
        "margin",
        "baseline",
        "control",
        "claim",
    ]);
    for claim in &results.claims {
        let mark = match claim.verdict {
            Verdict::Held => "✓ held",
            Verdict::NotHeld => "✗ not held",
            Verdict::Inconclusive => "? inconclusive",
        };
        let sign = match claim.direction {
            Direction::Greater => ">",
            Direction::Less => "<",
            Direction::Within => "±",
        };
        let flag = if claim.control_clears_margin() {
            " (the control clears the margin too!)"
        } else {
            ""
        };
        table.row([
            mark.to_string(),
            with_interval(claim.mean, claim.ci95),
            format!("{sign} {}", number(claim.margin)),
            mean_of(&claim.baseline),
            mean_of(&claim.control),
            format!("{} [{}]{flag}", claim.statement, claim.id),
        ]);
    }
    for skipped in &results.not_tested {
        table.row([
            "– not tested".to_string(),
            String::new(),
            String::new(),
            String::new(),
            String::new(),
            format!("{}: {}", skipped.id, skipped.reason),
        ]);
    }
    table.render(width)
}

fn with_interval(mean: f64, interval: Option<[f64; 2]>) -> String {
    match interval {
        Some([low, high]) => format!("{} [{}, {}]", number(mean), number(low), number(high)),
        None => format!("{} (one seed)", number(mean)),
    }
}

fn mean_of(series: &Series) -> String {
    number(series.mean)
}

/// Three significant digits, in exponents where that is shorter.
pub(crate) fn number(value: f64) -> String {
    let size = value.abs();
    if value == 0.0 {
        "0".to_string()
    } else if !(1e-3..1e5).contains(&size) {
        format!("{value:.2e}")
    } else {
        let digits = (2 - size.log10().floor() as i32).max(0) as usize;
        format!("{value:.digits$}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_keep_three_digits() {
        for (value, text) in [
            (0.0, "0"),
            (0.12345, "0.123"),
            (-12.345, "-12.3"),
            (1234.5, "1234"),
            (1.2345e-7, "1.23e-7"),
            (0.5, "0.500"),
        ] {
            assert_eq!(number(value), text);
        }
    }
}
