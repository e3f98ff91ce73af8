//! The Benjamini-Hochberg procedure.

/// Benjamini-Hochberg adjusted p-values, in the order given: the smallest false discovery rate at which
/// each would be a discovery (Benjamini and Hochberg 1995).
pub fn adjusted_p_values(p_values: &[f64]) -> Vec<f64> {
    let count = p_values.len() as f64;
    let mut order: Vec<usize> = (0..p_values.len()).collect();
    order.sort_by(|&a, &b| p_values[b].total_cmp(&p_values[a]));
    let mut adjusted = vec![0.0; p_values.len()];
    let mut smallest = 1.0_f64;
    for (from_largest, &index) in order.iter().enumerate() {
        let rank = count - from_largest as f64;
        smallest = smallest.min(p_values[index] * count / rank);
        adjusted[index] = smallest;
    }
    adjusted
}

/// Which p-values are discoveries at the false discovery rate `rate`.
pub fn discoveries(p_values: &[f64], rate: f64) -> Vec<bool> {
    adjusted_p_values(p_values)
        .into_iter()
        .map(|adjusted| adjusted <= rate)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn adjusted_values_agree_with_scipy() {
        // scipy.stats.false_discovery_control([0.01, 0.04, 0.03, 0.005, 0.5])
        let adjusted = adjusted_p_values(&[0.01, 0.04, 0.03, 0.005, 0.5]);
        for (found, expected) in adjusted.iter().zip([0.025, 0.05, 0.05, 0.025, 0.5]) {
            assert!((found - expected).abs() < 1e-12, "{adjusted:?}");
        }
        assert_eq!(
            discoveries(&[0.01, 0.04, 0.03, 0.005, 0.5], 0.03),
            [true, false, false, true, false]
        );
    }
}
