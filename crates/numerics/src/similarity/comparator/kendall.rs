//! Kendall's tau in O(m log m).

use std::borrow::Cow;

use chiasm_core::Result;

use crate::similarity::ranks::{for_each_tie, sorted_order};
use crate::similarity::sample::{ConditionSample, SampledRdm};

/// One RDM's entries in ascending order, with the number of its level for each (equal entries share one).
pub(crate) struct Levels<'a> {
    order: Cow<'a, [u32]>,
    level: Vec<u32>,
    /// Pairs of entries that are tied, counting an entry of weight w as w equal ones.
    tied: f64,
}

impl<'a> Levels<'a> {
    pub(super) fn new(rdm: &'a SampledRdm<'_>, sample: &ConditionSample) -> Result<Self> {
        let order = match rdm.order.is_empty() {
            true => Cow::Owned(sorted_order(&rdm.values)?),
            false => Cow::Borrowed(rdm.order.as_ref()),
        };
        let mut level = vec![0; rdm.values.len()];
        let mut next = 0;
        let mut tied = 0.0;
        for_each_tie(
            &rdm.values,
            &order,
            sample.weights(),
            |members, _, weight| {
                for &index in members {
                    level[index as usize] = next;
                }
                next += 1;
                tied += weight * (weight - 1.0) / 2.0;
            },
        );
        Ok(Levels { order, level, tied })
    }
}

/// (tau-a, tau-b); tau-b is NaN where one side is all ties.
///
/// Entries are put in the order of x, ties by y; the exchanges a merge sort by y then needs are the
/// discordant pairs (Knight 1966).
pub(super) fn tau(x: &Levels<'_>, y: &Levels<'_>, sample: &ConditionSample) -> (f64, f64) {
    let mut items: Vec<(u32, f64)> = Vec::with_capacity(x.order.len());
    let mut tied_in_both = 0.0;
    let mut start = 0;
    while start < x.order.len() {
        let level = x.level[x.order[start] as usize];
        let from = items.len();
        let mut end = start;
        while end < x.order.len() && x.level[x.order[end] as usize] == level {
            let index = x.order[end] as usize;
            items.push((y.level[index], sample.weight(index)));
            end += 1;
        }
        let group = &mut items[from..];
        group.sort_unstable_by_key(|item| item.0);
        for run in group.chunk_by(|a, b| a.0 == b.0) {
            let weight: f64 = run.iter().map(|item| item.1).sum();
            tied_in_both += weight * (weight - 1.0) / 2.0;
        }
        start = end;
    }
    let discordant = weighted_inversions(&mut items);
    let entries = sample.total_weight();
    let all = entries * (entries - 1.0) / 2.0;
    // all = concordant + discordant + tied in x + tied in y - tied in both.
    let balance = all - x.tied - y.tied + tied_in_both - 2.0 * discordant;
    (
        balance / all,
        balance / ((all - x.tied) * (all - y.tied)).sqrt(),
    )
}

/// The weight of pairs that stand in falling order, `sum w_i w_j` over i before j with a larger key.
fn weighted_inversions(items: &mut [(u32, f64)]) -> f64 {
    const RUN: usize = 16;
    let mut inversions = 0.0;
    for run in items.chunks_mut(RUN) {
        for i in 1..run.len() {
            let item = run[i];
            let mut place = i;
            while place > 0 && run[place - 1].0 > item.0 {
                inversions += run[place - 1].1 * item.1;
                run[place] = run[place - 1];
                place -= 1;
            }
            run[place] = item;
        }
    }
    let mut scratch = items.to_vec();
    let mut width = RUN;
    let (mut from, mut to): (&mut [_], &mut [_]) = (items, &mut scratch);
    while width < from.len() {
        for (source, target) in from.chunks(2 * width).zip(to.chunks_mut(2 * width)) {
            let (left, right) = source.split_at(width.min(source.len()));
            let mut left_weight: f64 = left.iter().map(|item| item.1).sum();
            let (mut i, mut j) = (0, 0);
            for slot in target {
                if j == right.len() || (i < left.len() && left[i].0 <= right[j].0) {
                    left_weight -= left[i].1;
                    *slot = left[i];
                    i += 1;
                } else {
                    inversions += left_weight * right[j].1;
                    *slot = right[j];
                    j += 1;
                }
            }
        }
        std::mem::swap(&mut from, &mut to);
        width *= 2;
    }
    inversions
}
