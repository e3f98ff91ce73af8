//! Folds and holdouts that keep groups whole.

use std::collections::HashMap;
use std::hash::Hash;

use chiasm_core::{Error, Result, Seed};
use rand::seq::SliceRandom;

use super::{Split, check_folds, too_few};

/// Groups by order of first appearance: the group of each row, and how many rows each has.
pub(super) fn number_groups<G: Eq + Hash>(groups: &[G]) -> (Vec<usize>, Vec<usize>) {
    let mut numbers = HashMap::new();
    let mut sizes = Vec::new();
    let of_row = groups
        .iter()
        .map(|group| {
            let number = *numbers.entry(group).or_insert_with(|| {
                sizes.push(0);
                sizes.len() - 1
            });
            sizes[number] += 1;
            number
        })
        .collect();
    (of_row, sizes)
}

/// `folds` folds over the rows whose groups are given; every row tests once and no group straddles.
///
/// Groups are shuffled by the seed named `folds` (kept in order of appearance without a seed), then
/// dealt, larger groups first, to the fold with the fewest rows, so that folds differ by at most one group.
///
/// # Errors
/// [`Error::Setting`] for fewer than two folds; [`Error::TooFew`] with fewer groups than folds.
pub fn k_fold_by_group<G: Eq + Hash>(
    groups: &[G],
    folds: usize,
    seed: Option<Seed>,
) -> Result<Vec<Split>> {
    check_folds(folds)?;
    let (of_row, sizes) = number_groups(groups);
    if sizes.len() < folds {
        return Err(too_few("groups (one a fold)", sizes.len(), folds));
    }
    let mut order: Vec<usize> = (0..sizes.len()).collect();
    if let Some(seed) = seed {
        order.shuffle(&mut seed.named("folds").rng());
    }
    order.sort_by_key(|&group| std::cmp::Reverse(sizes[group]));
    let mut rows_in = vec![0; folds];
    let mut fold_of = vec![0; sizes.len()];
    for group in order {
        let emptiest = (0..folds).min_by_key(|&fold| rows_in[fold]).unwrap_or(0);
        fold_of[group] = emptiest;
        rows_in[emptiest] += sizes[group];
    }
    Ok((0..folds)
        .map(|fold| Split::by(groups.len(), |row| fold_of[of_row[row]] == fold))
        .collect())
}

/// One fold a group (leave one run out), in order of first appearance.
///
/// # Errors
/// [`Error::TooFew`] with fewer than two groups.
pub fn leave_one_group_out<G: Eq + Hash>(groups: &[G]) -> Result<Vec<Split>> {
    let (of_row, sizes) = number_groups(groups);
    if sizes.len() < 2 {
        return Err(too_few("groups (runs)", sizes.len(), 2));
    }
    Ok((0..sizes.len())
        .map(|group| Split::by(groups.len(), |row| of_row[row] == group))
        .collect())
}

/// One split that tests on about `test_share` of the groups (at least one, never all), drawn by the seed
/// named `holdout`.
///
/// # Errors
/// [`Error::Setting`] for a share outside (0, 1); [`Error::TooFew`] with fewer than two groups.
pub fn holdout_by_group<G: Eq + Hash>(groups: &[G], test_share: f64, seed: Seed) -> Result<Split> {
    if !(test_share > 0.0 && test_share < 1.0) {
        return Err(Error::setting(
            "test_share",
            test_share,
            "above 0 and below 1",
        ));
    }
    let (of_row, sizes) = number_groups(groups);
    if sizes.len() < 2 {
        return Err(too_few("groups (one a side)", sizes.len(), 2));
    }
    let count = (test_share * sizes.len() as f64).round() as usize;
    let count = count.clamp(1, sizes.len() - 1);
    let mut order: Vec<usize> = (0..sizes.len()).collect();
    order.shuffle(&mut seed.named("holdout").rng());
    let mut in_test = vec![false; sizes.len()];
    for &group in &order[..count] {
        in_test[group] = true;
    }
    Ok(Split::by(groups.len(), |row| in_test[of_row[row]]))
}

/// `count` independent holdouts (shuffle splits): the one with index i is drawn by the seed's part i.
///
/// # Errors
/// As [`holdout_by_group`]; [`Error::Setting`] for no split at all.
pub fn holdouts_by_group<G: Eq + Hash>(
    groups: &[G],
    test_share: f64,
    count: usize,
    seed: Seed,
) -> Result<Vec<Split>> {
    if count == 0 {
        return Err(Error::setting("count", count, "at least 1"));
    }
    (0..count)
        .map(|index| holdout_by_group(groups, test_share, seed.indexed(index as u64)))
        .collect()
}
