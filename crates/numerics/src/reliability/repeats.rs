//! Repeated responses with gaps.

use chiasm_core::{Error, Result};
use ndarray::{Array2, ArrayView3};

/// Responses of targets to stimuli that were shown several times: repeats x stimuli x targets.
///
/// A stimulus that was shown less often has NaN in *all* targets of the repeats that are missing.
#[derive(Clone, Debug)]
pub struct Repeats<'a> {
    values: ArrayView3<'a, f64>,
    /// The repeats that are there, for each stimulus, ascending.
    present: Vec<Vec<usize>>,
}

impl<'a> Repeats<'a> {
    /// Finds the missing repeats.
    ///
    /// # Errors
    /// [`Error::TooFew`] with fewer than two stimuli, [`Error::NotFinite`] for NaN and infinities in some
    /// targets of a repeat but not in all, [`Error::Unusable`] for a stimulus without any repeat.
    pub fn new(values: ArrayView3<'a, f64>) -> Result<Self> {
        let (repeats, stimuli, targets) = values.dim();
        for (what, found, needed) in [
            ("repeats", repeats, 1),
            ("stimuli", stimuli, 2),
            ("targets", targets, 1),
        ] {
            if found < needed {
                return Err(Error::TooFew {
                    operation: "reliability",
                    what,
                    found,
                    needed,
                });
            }
        }
        let mut present = vec![Vec::new(); stimuli];
        for (stimulus, present) in present.iter_mut().enumerate() {
            for repeat in 0..repeats {
                let row = values.slice(ndarray::s![repeat, stimulus, ..]);
                let holes = row.iter().filter(|value| !value.is_finite()).count();
                if holes == 0 {
                    present.push(repeat);
                } else if holes < targets || row.iter().any(|value| value.is_infinite()) {
                    let place = row.iter().position(|value| !value.is_finite());
                    return Err(Error::NotFinite {
                        what: "the responses".to_string(),
                        count: holes,
                        first: format!(
                            "repeat {repeat}, stimulus {stimulus}, target {}",
                            place.unwrap_or(0)
                        ),
                    });
                }
            }
            if present.is_empty() {
                return Err(Error::Unusable {
                    operation: "reliability",
                    reason: format!("stimulus {stimulus} has no repeat that is not NaN"),
                });
            }
        }
        Ok(Repeats { values, present })
    }

    /// The number of targets.
    pub fn targets(&self) -> usize {
        self.values.dim().2
    }

    /// The number of stimuli.
    pub fn stimuli(&self) -> usize {
        self.present.len()
    }

    /// The largest number of repeats of a stimulus.
    pub fn most(&self) -> usize {
        self.present.iter().map(Vec::len).max().unwrap_or(0)
    }

    /// How often each stimulus was shown.
    pub fn counts(&self) -> Vec<usize> {
        self.present.iter().map(Vec::len).collect()
    }

    /// Stimuli x targets: means over the repeats that are there.
    pub fn mean(&self) -> Array2<f64> {
        let targets = self.targets();
        let mut mean = Array2::zeros((self.stimuli(), targets));
        for (stimulus, mut row) in mean.rows_mut().into_iter().enumerate() {
            for &repeat in &self.present[stimulus] {
                row += &self.values.slice(ndarray::s![repeat, stimulus, ..]);
            }
            row /= self.present[stimulus].len() as f64;
        }
        mean
    }

    pub(super) fn present(&self) -> &[Vec<usize>] {
        &self.present
    }

    pub(super) fn value(&self, repeat: usize, stimulus: usize, target: usize) -> f64 {
        self.values[[repeat, stimulus, target]]
    }

    /// The numbers of repeats and stimuli, where none is missing and there are at least two repeats.
    pub(super) fn require_complete(&self, operation: &'static str) -> Result<(usize, usize)> {
        let (repeats, stimuli, _) = self.values.dim();
        self.require_two(operation)?;
        match self.present.iter().position(|own| own.len() < repeats) {
            None => Ok((repeats, stimuli)),
            Some(stimulus) => Err(Error::Unusable {
                operation,
                reason: format!(
                    "stimulus {stimulus} has {} of {repeats} repeats; with uneven repeats choose \
                     the split-half or the NSD ceiling",
                    self.present[stimulus].len()
                ),
            }),
        }
    }

    pub(super) fn require_two(&self, operation: &'static str) -> Result<()> {
        let repeated = self.present.iter().filter(|own| own.len() >= 2).count();
        if self.most() < 2 {
            return Err(Error::TooFew {
                operation,
                what: "repeats of a stimulus",
                found: self.most(),
                needed: 2,
            });
        }
        if repeated < 2 {
            return Err(Error::TooFew {
                operation,
                what: "stimuli with two repeats",
                found: repeated,
                needed: 2,
            });
        }
        Ok(())
    }
}
