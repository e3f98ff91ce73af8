//! Folds with the same mixture of classes.

use std::hash::Hash;

use chiasm_core::{Result, Seed};
use rand::seq::SliceRandom;

use super::group::number_groups;
use super::{Split, check_folds, too_few};

/// `folds` folds in which every class has the same share of rows, to within one row.
///
/// Rows of each class are shuffled by the seed named `folds` (kept in order without a seed) and dealt in turn;
/// the next class goes on where the last one ended, so that folds are equally large.
///
/// # Errors
/// [`chiasm_core::Error::Setting`] for fewer than two folds; [`chiasm_core::Error::TooFew`] where a class has fewer rows than
/// there are folds.
pub fn stratified_k_fold<L: Eq + Hash>(
    labels: &[L],
    folds: usize,
    seed: Option<Seed>,
) -> Result<Vec<Split>> {
    check_folds(folds)?;
    let (of_row, sizes) = number_groups(labels);
    let smallest = sizes.iter().copied().min().unwrap_or(0);
    if smallest < folds {
        return Err(too_few("rows of every class (one a fold)", smallest, folds));
    }
    let mut rng = seed.map(|seed| seed.named("folds").rng());
    let mut fold_of = vec![0; labels.len()];
    let mut next = 0;
    for class in 0..sizes.len() {
        let mut rows: Vec<usize> = (0..labels.len())
            .filter(|&row| of_row[row] == class)
            .collect();
        if let Some(rng) = &mut rng {
            rows.shuffle(rng);
        }
        for row in rows {
            fold_of[row] = next;
            next = (next + 1) % folds;
        }
    }
    Ok((0..folds)
        .map(|fold| Split::by(labels.len(), |row| fold_of[row] == fold))
        .collect())
}
