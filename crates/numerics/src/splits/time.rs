//! Folds of contiguous time.

use chiasm_core::Result;

use super::{Split, check_folds, too_few};

/// `folds` contiguous test blocks of rows in time; `gap` rows on either side of a test block are left out of
/// training, since neighbours in time resemble each other.
///
/// Blocks differ by at most one row.
///
/// # Errors
/// [`chiasm_core::Error::Setting`] for fewer than two folds; [`chiasm_core::Error::TooFew`] with fewer rows than folds, or where
/// the gap leaves no row to train on.
pub fn time_blocks(rows: usize, folds: usize, gap: usize) -> Result<Vec<Split>> {
    check_folds(folds)?;
    if rows < folds {
        return Err(too_few("rows (one a fold)", rows, folds));
    }
    (0..folds)
        .map(|fold| {
            let (start, end) = (fold * rows / folds, (fold + 1) * rows / folds);
            let train: Vec<usize> = (0..rows)
                .filter(|&row| row + gap < start || row >= end.saturating_add(gap))
                .collect();
            if train.is_empty() {
                return Err(too_few("training rows outside the gap", 0, 1));
            }
            Ok(Split {
                train,
                test: (start..end).collect(),
            })
        })
        .collect()
}
