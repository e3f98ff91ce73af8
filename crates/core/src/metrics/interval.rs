//! Means with their uncertainty.

use statrs::distribution::{ContinuousCDF, StudentsT};

/// The arithmetic mean; NaN of nothing.
pub fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

/// The unbiased standard deviation (divisor n - 1); `None` with fewer than two values.
pub fn standard_deviation(values: &[f64]) -> Option<f64> {
    if values.len() < 2 {
        return None;
    }
    let centre = mean(values);
    let squares: f64 = values.iter().map(|value| (value - centre).powi(2)).sum();
    Some((squares / (values.len() - 1) as f64).sqrt())
}

/// The two-sided 95% t interval of the mean of independent values; `None` with fewer than two.
pub fn t_interval_95(values: &[f64]) -> Option<[f64; 2]> {
    let deviation = standard_deviation(values)?;
    let count = values.len() as f64;
    let quantile = StudentsT::new(0.0, 1.0, count - 1.0)
        .ok()?
        .inverse_cdf(0.975);
    let half = quantile * deviation / count.sqrt();
    let centre = mean(values);
    Some([centre - half, centre + half])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn t_interval_agrees_with_the_table() {
        // t(0.975, 2) = 4.302653 and t(0.975, 4) = 2.776445.
        let [low, high] = t_interval_95(&[1.0, 2.0, 3.0]).unwrap();
        assert!((high - 2.0 - 4.302653 / 3f64.sqrt()).abs() < 1e-5);
        assert!((2.0 - low - 4.302653 / 3f64.sqrt()).abs() < 1e-5);
        let [low, high] = t_interval_95(&[1.0, 2.0, 3.0, 4.0, 5.0]).unwrap();
        assert!(((high - low) / 2.0 - 2.776445 * (2.5f64).sqrt() / 5f64.sqrt()).abs() < 1e-5);
        assert_eq!(t_interval_95(&[1.0]), None);
    }
}
