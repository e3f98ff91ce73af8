//! Sorted order and average ranks of long vectors.

use chiasm_core::{Error, Result};

/// Vectors shorter than this are sorted by comparison: the radix tables would cost more than the sort.
const RADIX_FROM: usize = 4_096;
/// Bits of each of the three digits that make up the 32 leading bits.
const DIGIT_BITS: [u32; 3] = [11, 11, 10];
const BUCKETS: usize = 1 << 11;

/// The indices of `values` in ascending order; ties keep their order. Values must be finite.
///
/// Fails past 2³² entries (an RDM of 92 682 conditions).
pub(crate) fn sorted_order(values: &[f64]) -> Result<Vec<u32>> {
    let count = u32::try_from(values.len()).map_err(|_| Error::Unusable {
        operation: "rank transform",
        reason: format!(
            "{} entries; at most {} can be ranked",
            values.len(),
            u32::MAX
        ),
    })?;
    if values.len() < RADIX_FROM {
        let mut keyed: Vec<(u64, u32)> = values
            .iter()
            .zip(0..count)
            .map(|(&value, index)| (sort_key(value), index))
            .collect();
        // The index is part of the key, so that the unstable sort is stable.
        keyed.sort_unstable();
        return Ok(keyed.into_iter().map(|(_, index)| index).collect());
    }
    Ok(radix_order(values, count))
}

/// A key whose unsigned order is the order of the numbers. Both zeros get the same key.
fn sort_key(value: f64) -> u64 {
    let bits = (value + 0.0).to_bits();
    if bits >> 63 == 0 {
        bits | (1 << 63)
    } else {
        !bits
    }
}

/// Radix sort by the 32 leading bits in which keys differ, then by comparison within what they leave
/// equal. Half the bytes of full keys move half as often, and few entries share 32 bits.
fn radix_order(values: &[f64], count: u32) -> Vec<u32> {
    let (low, high) = values.iter().fold((u64::MAX, 0), |(low, high), &value| {
        let key = sort_key(value);
        (low.min(key), high.max(key))
    });
    let shift = 32_u32.saturating_sub((high - low).leading_zeros());
    let mut counts = vec![[0_u32; BUCKETS]; DIGIT_BITS.len()];
    let mut keyed: Vec<(u32, u32)> = values
        .iter()
        .zip(0..count)
        .map(|(&value, index)| {
            // At most 32 bits are left.
            let leading = ((sort_key(value) - low) >> shift) as u32;
            let mut rest = leading;
            for (counts, bits) in counts.iter_mut().zip(DIGIT_BITS) {
                counts[(rest & ((1 << bits) - 1)) as usize] += 1;
                rest >>= bits;
            }
            (leading, index)
        })
        .collect();
    let mut other = vec![(0, 0); keyed.len()];
    let mut from_bit = 0;
    for (counts, bits) in counts.iter_mut().zip(DIGIT_BITS) {
        // A digit that all share needs no pass.
        if !counts.contains(&count) {
            let mut start = 0;
            for count in counts.iter_mut() {
                start += std::mem::replace(count, start);
            }
            for &item in &keyed {
                let place = &mut counts[((item.0 >> from_bit) & ((1 << bits) - 1)) as usize];
                other[*place as usize] = item;
                *place += 1;
            }
            std::mem::swap(&mut keyed, &mut other);
        }
        from_bit += bits;
    }
    for run in keyed.chunk_by_mut(|a, b| a.0 == b.0) {
        if run.len() > 1 {
            run.sort_unstable_by_key(|&(_, index)| (sort_key(values[index as usize]), index));
        }
    }
    keyed.into_iter().map(|(_, index)| index).collect()
}

/// Calls `group(members, weight_before, weight_of_group)` for each run of equal values in ascending
/// order, and returns the total weight. Without weights every entry weighs 1.
pub(crate) fn for_each_tie(
    values: &[f64],
    order: &[u32],
    weights: Option<&[f64]>,
    mut group: impl FnMut(&[u32], f64, f64),
) -> f64 {
    let mut before = 0.0;
    let mut start = 0;
    while start < order.len() {
        let value = values[order[start] as usize];
        let mut end = start + 1;
        while end < order.len() && values[order[end] as usize] == value {
            end += 1;
        }
        let members = &order[start..end];
        let weight = match weights {
            None => (end - start) as f64,
            Some(weights) => members.iter().map(|&index| weights[index as usize]).sum(),
        };
        group(members, before, weight);
        before += weight;
        start = end;
    }
    before
}

/// Average ranks from 1, ties sharing the mean of their places. An entry of weight w counts as w equal
/// entries, so that the ranks are those of the vector in which it stands w times.
pub(crate) fn average_ranks(values: &[f64], order: &[u32], weights: Option<&[f64]>) -> Vec<f64> {
    let mut ranks = vec![0.0; values.len()];
    for_each_tie(values, order, weights, |members, before, weight| {
        let rank = before + (weight + 1.0) / 2.0;
        for &index in members {
            ranks[index as usize] = rank;
        }
    });
    ranks
}

#[cfg(test)]
mod tests {
    use super::*;
    use chiasm_core::Seed;
    use proptest::prelude::*;
    use rand::RngExt;

    fn assert_sorted(values: &[f64]) {
        let mut expected: Vec<u32> = (0..values.len() as u32).collect();
        expected.sort_by(|&a, &b| {
            values[a as usize]
                .partial_cmp(&values[b as usize])
                .unwrap()
                .then(a.cmp(&b))
        });
        assert_eq!(sorted_order(values).unwrap(), expected);
    }

    #[test]
    fn radix_and_comparison_agree_on_ties_signs_and_subnormals() {
        let mut rng = Seed::new(0).rng();
        let mut values: Vec<f64> = (0..3 * RADIX_FROM)
            .map(|_| (rng.random_range(-50.0..50.0_f64)).round() / 8.0)
            .collect();
        values.extend([0.0, -0.0, 5e-324, -5e-324, f64::MAX, f64::MIN]);
        assert_sorted(&values);
        // Differences far below the leading 32 bits of the keys, and none at all.
        let mut close: Vec<f64> = (0..3 * RADIX_FROM)
            .map(|_| 1.0 + f64::EPSILON * f64::from(rng.random_range(0..999)))
            .collect();
        assert_sorted(&close);
        close.extend([-1e300, 1e300]);
        assert_sorted(&close);
        assert_sorted(&vec![0.25; 2 * RADIX_FROM]);
    }

    proptest! {
        #[test]
        fn weighted_ranks_are_the_ranks_of_the_repeated_vector(
            entries in prop::collection::vec((-3_i32..3, 1_usize..4), 1..30)
        ) {
            let values: Vec<f64> = entries.iter().map(|entry| f64::from(entry.0)).collect();
            let weights: Vec<f64> = entries.iter().map(|entry| entry.1 as f64).collect();
            let order = sorted_order(&values).unwrap();
            let ranks = average_ranks(&values, &order, Some(&weights));
            let repeated: Vec<f64> = entries
                .iter()
                .flat_map(|&(value, times)| std::iter::repeat_n(f64::from(value), times))
                .collect();
            for (value, rank) in values.iter().zip(&ranks) {
                // Directly from the definition: entries below, and the middle of the equal ones.
                let below = repeated.iter().filter(|other| *other < value).count() as f64;
                let equal = repeated.iter().filter(|other| *other == value).count() as f64;
                prop_assert_eq!(*rank, below + (equal + 1.0) / 2.0);
            }
        }
    }
}
