//! Which rows train and which test: by group, run, time block or class, never by single repeats.
//!
//! Every splitter returns [`Split`]s of ascending row numbers. A splitter that takes groups keeps all
//! rows of one group (the repeats of a stimulus, a run, a subject) on one side. Randomness comes from a
//! [`chiasm_core::Seed`] that the splitter names by its own purpose.

mod group;
mod stratified;
mod time;

pub use group::{holdout_by_group, holdouts_by_group, k_fold_by_group, leave_one_group_out};
pub use stratified::stratified_k_fold;
pub use time::time_blocks;

use chiasm_core::{Error, Result};
use serde::{Deserialize, Serialize};

/// One division of rows; both sides ascend and share no row. Rows on neither side are left out
/// (a gap between training and test).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Split {
    /// Rows to fit on.
    pub train: Vec<usize>,
    /// Rows to test on.
    pub test: Vec<usize>,
}

impl Split {
    /// Everything but the rows where `in_test` holds trains.
    fn by(rows: usize, in_test: impl Fn(usize) -> bool) -> Self {
        let (test, train) = (0..rows).partition(|&row| in_test(row));
        Split { train, test }
    }

    /// The same split in the numbering of a larger table, of which `rows` are the rows that were split.
    ///
    /// # Errors
    /// [`Error::Shape`] where the split names a row that `rows` does not have.
    pub fn within(&self, rows: &[usize]) -> Result<Self> {
        check_splits(std::slice::from_ref(self), rows.len())?;
        let place = |side: &[usize]| side.iter().map(|&row| rows[row]).collect();
        Ok(Split {
            train: place(&self.train),
            test: place(&self.test),
        })
    }
}

/// Fails unless there is a split, every split has rows on both sides, all below `rows`, and no row stands on both.
///
/// # Errors
/// [`Error::TooFew`], [`Error::Shape`] or [`Error::Unusable`] with what is wrong.
pub fn check_splits(splits: &[Split], rows: usize) -> Result<()> {
    if splits.is_empty() {
        return Err(too_few("folds", 0, 1));
    }
    for split in splits {
        for (what, side) in [
            ("training rows of a fold", &split.train),
            ("test rows of a fold", &split.test),
        ] {
            if side.is_empty() {
                return Err(too_few(what, 0, 1));
            }
            if let Some(&row) = side.iter().find(|&&row| row >= rows) {
                return Err(Error::Shape {
                    operation: "splits",
                    what: what.to_string(),
                    axis: "rows",
                    found: row,
                    expected: format!("below {rows}"),
                });
            }
        }
        let mut seen = vec![false; rows];
        for &row in split.train.iter().chain(&split.test) {
            if std::mem::replace(&mut seen[row], true) {
                return Err(Error::Unusable {
                    operation: "splits",
                    reason: format!("row {row} stands twice in one fold"),
                });
            }
        }
    }
    Ok(())
}

fn too_few(what: &'static str, found: usize, needed: usize) -> Error {
    Error::TooFew {
        operation: "cross-validation",
        what,
        found,
        needed,
    }
}

fn check_folds(folds: usize) -> Result<()> {
    if folds < 2 {
        return Err(Error::setting("folds", folds, "at least 2"));
    }
    Ok(())
}
