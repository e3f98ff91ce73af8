//! Dissimilarities that differ by rounding alone, made equal.

use chiasm_core::Result;

use crate::similarity::ranks::sorted_order;

/// Values closer than this share of the numbers they were subtracted from differ by rounding alone.
const ROUNDING: f64 = 1e-13;

/// Makes values equal that differ by rounding alone, and those zero that are.
///
/// Products give distances fast but each with a rounding error of its own, so that pairs equally far apart
/// (in counts, categories, one-hot models) would be ranked by noise. `scale` is the size of the numbers
/// that were subtracted.
pub(super) fn settle(values: &mut [f64], scale: f64) -> Result<()> {
    let tolerance = ROUNDING * scale;
    let order = sorted_order(values)?;
    let mut level = f64::NEG_INFINITY;
    let mut before = f64::NEG_INFINITY;
    for index in order {
        let value = &mut values[index as usize];
        let own = *value;
        if own - before > tolerance {
            level = if own.abs() <= tolerance { 0.0 } else { own };
        }
        before = own;
        *value = level;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_rounding_parted_is_joined() {
        let mut values = [0.3, 1e-16, 0.1 + 0.2, 0.300_001, -2e-16, 0.3 - 1e-15];
        settle(&mut values, 1.0).unwrap();
        assert_eq!(values[0], values[2]);
        assert_eq!(values[0], values[5]);
        assert_eq!((values[1], values[4]), (0.0, 0.0));
        assert_eq!(values[3], 0.300_001);
    }
}
