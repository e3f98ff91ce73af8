//! Sorted order and average ranks of long vectors.

use chiasm_core::{Error, Result};

/// Vectors shorter than this are sorted by comparison: a table of buckets would cost more than the sort.
const BUCKETS_FROM: usize = 4_096;
/// Buckets with more entries than this are sorted by the library.
const INSERTION_UP_TO: usize = 24;

/// The indices of `values` in ascending order; ties keep their order. Values must be finite.
///
/// Fails past 2³² entries (an RDM of 92 682 conditions).
pub(crate) fn sorted_order(values: &[f64]) -> Result<Vec<u32>> {
    Ok(sorted_items(values)?
        .into_iter()
        .map(|item| item.index)
        .collect())
}

/// Average ranks from 1 of a vector that nobody has sorted yet.
pub(crate) fn average_ranks_unsorted(values: &[f64]) -> Result<Vec<f64>> {
    let items = sorted_items(values)?;
    let mut ranks = vec![0.0; values.len()];
    let mut before = 0;
    // Few entries share their leading bits: most ties are ruled out without a look at the values.
    for close in items.chunk_by(|a, b| a.leading == b.leading) {
        for tie in close.chunk_by(|a, b| values[a.index as usize] == values[b.index as usize]) {
            let rank = before as f64 + (tie.len() as f64 + 1.0) / 2.0;
            for item in tie {
                ranks[item.index as usize] = rank;
            }
            before += tie.len();
        }
    }
    Ok(ranks)
}

/// An entry by its place and the leading bits of its key.
#[derive(Clone, Copy, Debug, Default)]
struct Item {
    leading: u32,
    index: u32,
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

/// Entries in ascending order, ties by index.
///
/// One pass drops entries into about as many buckets as there are entries, by the leading bits of their
/// keys above the smallest; what falls into the same bucket is then put in order.
fn sorted_items(values: &[f64]) -> Result<Vec<Item>> {
    let count = u32::try_from(values.len()).map_err(|_| Error::Unusable {
        operation: "rank transform",
        reason: format!(
            "{} entries; at most {} can be ranked",
            values.len(),
            u32::MAX
        ),
    })?;
    let (low, high) = values.iter().fold((u64::MAX, 0), |(low, high), &value| {
        let key = sort_key(value);
        (low.min(key), high.max(key))
    });
    let shift = 32_u32.saturating_sub(high.saturating_sub(low).leading_zeros());
    // At most 32 bits are left.
    let leading = |value: f64| ((sort_key(value) - low) >> shift) as u32;
    let in_order = |items: &mut [Item]| {
        let rest = |item: &Item| (sort_key(values[item.index as usize]), item.index);
        items.sort_unstable_by(|a, b| {
            a.leading
                .cmp(&b.leading)
                .then_with(|| rest(a).cmp(&rest(b)))
        });
    };
    if values.len() < BUCKETS_FROM {
        let mut items: Vec<Item> = values
            .iter()
            .zip(0..count)
            .map(|(&value, index)| Item {
                leading: leading(value),
                index,
            })
            .collect();
        in_order(&mut items);
        return Ok(items);
    }
    let bucket_bits = values.len().ilog2().min(20);
    let bucket = |leading: u32| (leading >> (32 - bucket_bits)) as usize;
    let mut ends = vec![0_u32; 1 << bucket_bits];
    for &value in values {
        ends[bucket(leading(value))] += 1;
    }
    let mut start = 0;
    for end in &mut ends {
        start += std::mem::replace(end, start);
    }
    let mut items = vec![Item::default(); values.len()];
    for (&value, index) in values.iter().zip(0..count) {
        let leading = leading(value);
        let place = &mut ends[bucket(leading)];
        items[*place as usize] = Item { leading, index };
        *place += 1;
    }
    let mut start = 0;
    for &end in &ends {
        let run = &mut items[start..end as usize];
        start = end as usize;
        if run.len() > INSERTION_UP_TO {
            in_order(run);
        } else {
            insert_in_order(run, values);
        }
    }
    Ok(items)
}

fn insert_in_order(run: &mut [Item], values: &[f64]) {
    for taken in 1..run.len() {
        let item = run[taken];
        let mut place = taken;
        while place > 0 {
            let before = run[place - 1];
            let falls = before.leading > item.leading
                || (before.leading == item.leading
                    && values[before.index as usize] > values[item.index as usize]);
            if !falls {
                break;
            }
            run[place] = before;
            place -= 1;
        }
        run[place] = item;
    }
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
        assert_eq!(
            average_ranks_unsorted(values).unwrap(),
            average_ranks(values, &expected, None)
        );
    }

    #[test]
    fn buckets_and_comparison_agree_on_ties_signs_and_subnormals() {
        let mut rng = Seed::new(0).rng();
        let mut values: Vec<f64> = (0..3 * BUCKETS_FROM)
            .map(|_| (rng.random_range(-50.0..50.0_f64)).round() / 8.0)
            .collect();
        values.extend([0.0, -0.0, 5e-324, -5e-324, f64::MAX, f64::MIN]);
        assert_sorted(&values);
        // Differences far below the leading 32 bits of the keys, and none at all.
        let mut close: Vec<f64> = (0..3 * BUCKETS_FROM)
            .map(|_| 1.0 + f64::EPSILON * f64::from(rng.random_range(0..999)))
            .collect();
        assert_sorted(&close);
        close.extend([-1e300, 1e300]);
        assert_sorted(&close);
        assert_sorted(&vec![0.25; 2 * BUCKETS_FROM]);
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
