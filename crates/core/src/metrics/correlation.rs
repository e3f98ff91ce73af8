//! Correlation of two short series.

use crate::error::{Error, Result};

/// Spearman's rank correlation, ties at their average rank; 0 where either series is constant, since
/// then nothing goes together with anything.
///
/// Fails unless both have the same length of at least two, all numbers.
pub fn spearman(x: &[f64], y: &[f64]) -> Result<f64> {
    if x.len() != y.len() {
        return Err(Error::Shape {
            operation: "rank correlation",
            what: "the second series".to_string(),
            axis: "values",
            found: y.len(),
            expected: x.len().to_string(),
        });
    }
    if x.len() < 2 {
        return Err(Error::TooFew {
            operation: "rank correlation",
            what: "pairs of values",
            found: x.len(),
            needed: 2,
        });
    }
    for (what, values) in [("the first series", x), ("the second series", y)] {
        crate::data::require_finite(what, values, |place| format!("value {place}"))?;
    }
    let (x, y) = (average_ranks(x), average_ranks(y));
    // Average ranks always have this mean.
    let mean = (x.len() as f64 + 1.0) / 2.0;
    let product = |a: &[f64], b: &[f64]| -> f64 {
        a.iter().zip(b).map(|(a, b)| (a - mean) * (b - mean)).sum()
    };
    let scale = (product(&x, &x) * product(&y, &y)).sqrt();
    Ok(if scale == 0.0 {
        0.0
    } else {
        product(&x, &y) / scale
    })
}

fn average_ranks(values: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by(|&a, &b| values[a].total_cmp(&values[b]));
    let mut ranks = vec![0.0; values.len()];
    let mut place = 0;
    for tied in order.chunk_by(|&a, &b| values[a] == values[b]) {
        let rank = place as f64 + (tied.len() as f64 + 1.0) / 2.0;
        for &index in tied {
            ranks[index] = rank;
        }
        place += tied.len();
    }
    ranks
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rank_correlation_agrees_with_closed_forms() {
        // Without ties: 1 - 6 Σ d² / (n (n² - 1)).
        let x = [0.1, 5.0, 2.0, -3.0, 8.0];
        let y = [1.0, 40.0, 2.0, 3.0, 10.0];
        let exact = 1.0 - 6.0 * (1.0 + 1.0 + 1.0 + 4.0 + 1.0) / (5.0 * 24.0);
        assert!((spearman(&x, &y).unwrap() - exact).abs() < 1e-15);
        // Ties, by hand: ranks (1.5, 1.5, 3) and (1, 2, 3).
        let tied = spearman(&[0.0, 0.0, 1.0], &[1.0, 2.0, 3.0]).unwrap();
        assert!((tied - 1.5 / (1.5f64 * 2.0).sqrt()).abs() < 1e-15);
        assert_eq!(spearman(&[1.0, 2.0], &[7.0, 7.0]).unwrap(), 0.0);
        assert_eq!(spearman(&[1.0, 2.0], &[7.0, -7.0]).unwrap(), -1.0);
        assert!(spearman(&[1.0], &[1.0]).is_err());
        assert!(spearman(&[1.0, 2.0], &[1.0]).is_err());
        assert!(spearman(&[1.0, f64::NAN], &[1.0, 2.0]).is_err());
    }
}
