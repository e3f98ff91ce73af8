//! Quantiles and percentile intervals.

/// The `share`-quantile of ascending `sorted` values by linear interpolation between order statistics
/// (NumPy's and R's default, type 7). NaN of nothing.
pub fn quantile(sorted: &[f64], share: f64) -> f64 {
    let Some(last) = sorted.len().checked_sub(1) else {
        return f64::NAN;
    };
    let place = share.clamp(0.0, 1.0) * last as f64;
    let below = (place.floor() as usize).min(last);
    let above = (below + 1).min(last);
    let step = place - below as f64;
    sorted[below] + step * (sorted[above] - sorted[below])
}

/// The central interval that holds `coverage` (e.g. 0.95) of the finite `draws`; `None` with fewer than two.
pub fn percentile_interval(draws: &[f64], coverage: f64) -> Option<[f64; 2]> {
    let mut sorted: Vec<f64> = draws
        .iter()
        .copied()
        .filter(|draw| draw.is_finite())
        .collect();
    if sorted.len() < 2 {
        return None;
    }
    sorted.sort_unstable_by(f64::total_cmp);
    let tail = (1.0 - coverage) / 2.0;
    Some([quantile(&sorted, tail), quantile(&sorted, 1.0 - tail)])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_interpolate_as_numpy_does() {
        // numpy.quantile([1, 2, 4, 8], [0, .1, .5, .9, 1])
        let sorted = [1.0, 2.0, 4.0, 8.0];
        for (share, expected) in [(0.0, 1.0), (0.1, 1.3), (0.5, 3.0), (0.9, 6.8), (1.0, 8.0)] {
            assert!(
                (quantile(&sorted, share) - expected).abs() < 1e-12,
                "{share}"
            );
        }
        assert!(quantile(&[], 0.5).is_nan());
    }

    #[test]
    fn interval_ignores_draws_that_failed() {
        let mut draws: Vec<f64> = (0..=1000).rev().map(f64::from).collect();
        draws.push(f64::NAN);
        let [low, high] = percentile_interval(&draws, 0.95).unwrap();
        assert!((low - 25.0).abs() < 1e-9 && (high - 975.0).abs() < 1e-9);
        assert_eq!(percentile_interval(&[1.0, f64::NAN], 0.95), None);
    }
}
