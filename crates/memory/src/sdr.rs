//! Sparse distributed representations: which of many binary cells are active.
//!
//! A code is kept twice: as the sorted list of its active cells, for work that grows with the
//! number of active cells, and as a packed bit set, for membership and for overlaps of dense codes.
//!
//! Noise moves active cells: `v` of them fall silent and `v` silent ones become active, so that the
//! number of active cells never changes (Ahmad & Hawkins 2016, section on robustness). Flipping
//! every bit with some probability would be another thing: it makes a sparse code dense.

use chiasm_core::{Error, Result};
use ndarray::ArrayView1;
use rand::{Rng, RngExt};

/// A set of active cells among `cells` binary cells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sdr {
    cells: usize,
    active: Vec<u32>,
    bits: Vec<u64>,
}

impl Sdr {
    /// The code of `cells` cells in which exactly `active` are active, in any order.
    ///
    /// Fails where a cell is out of range or named twice.
    pub fn new(cells: usize, mut active: Vec<u32>) -> Result<Self> {
        check_cells(cells)?;
        active.sort_unstable();
        if let Some(&last) = active.last().filter(|&&last| last as usize >= cells) {
            return Err(Error::setting(
                "active cell",
                last,
                format!("a cell below {cells}"),
            ));
        }
        if let Some(pair) = active.windows(2).find(|pair| pair[0] == pair[1]) {
            return Err(Error::setting(
                "active cell",
                pair[0],
                "each cell at most once",
            ));
        }
        Ok(Self::from_sorted(cells, active))
    }

    /// The code whose active cells are the true entries.
    pub fn from_dense(dense: ArrayView1<'_, bool>) -> Result<Self> {
        check_cells(dense.len())?;
        let active = (0..)
            .zip(dense)
            .filter(|&(_, &on)| on)
            .map(|(cell, _)| cell)
            .collect();
        Ok(Self::from_sorted(dense.len(), active))
    }

    /// A code drawn uniformly from all that have `active` of `cells` cells active.
    pub fn random(cells: usize, active: usize, rng: &mut impl Rng) -> Result<Self> {
        check_cells(cells)?;
        at_most("active cells", active, cells, "the number of cells")?;
        Ok(Self::from_sorted(cells, choose_sorted(cells, active, rng)))
    }

    /// No active cell.
    pub fn empty(cells: usize) -> Result<Self> {
        check_cells(cells)?;
        Ok(Self::from_sorted(cells, Vec::new()))
    }

    /// From cells known to be in range, ascending and distinct.
    pub(crate) fn from_sorted(cells: usize, active: Vec<u32>) -> Self {
        debug_assert!(active.is_sorted_by(|a, b| a < b));
        let mut bits = vec![0; cells.div_ceil(64)];
        for &cell in &active {
            bits[cell as usize / 64] |= 1 << (cell % 64);
        }
        Sdr {
            cells,
            active,
            bits,
        }
    }

    /// The number of cells.
    pub fn cells(&self) -> usize {
        self.cells
    }

    /// The active cells, ascending.
    pub fn active(&self) -> &[u32] {
        &self.active
    }

    /// The packed bits: cell `c` is bit `c % 64` of word `c / 64`.
    pub fn bits(&self) -> &[u64] {
        &self.bits
    }

    /// The number of active cells.
    pub fn len(&self) -> usize {
        self.active.len()
    }

    /// Whether no cell is active.
    pub fn is_empty(&self) -> bool {
        self.active.is_empty()
    }

    /// The share of cells that are active.
    pub fn sparsity(&self) -> f64 {
        self.active.len() as f64 / self.cells as f64
    }

    /// Whether `cell` is active; false for a cell out of range.
    pub fn contains(&self, cell: u32) -> bool {
        self.bits
            .get(cell as usize / 64)
            .is_some_and(|word| word >> (cell % 64) & 1 == 1)
    }

    /// The number of cells active in both codes.
    pub fn overlap(&self, other: &Sdr) -> Result<usize> {
        same_cells("overlap", self.cells, other.cells)?;
        let (few, many) = if self.len() <= other.len() {
            (self, other)
        } else {
            (other, self)
        };
        // Probing costs about as much per active cell as counting does per word.
        Ok(if few.len() < self.bits.len() {
            few.active
                .iter()
                .filter(|&&cell| many.contains(cell))
                .count()
        } else {
            self.bits
                .iter()
                .zip(&other.bits)
                .map(|(a, b)| (a & b).count_ones() as usize)
                .sum()
        })
    }

    /// Overlap over union: 1 for equal codes (also where both are empty), 0 for disjoint ones.
    pub fn jaccard(&self, other: &Sdr) -> Result<f64> {
        let overlap = self.overlap(other)?;
        let union = self.len() + other.len() - overlap;
        Ok(if union == 0 {
            1.0
        } else {
            overlap as f64 / union as f64
        })
    }

    /// The code in which every cell that is active in any of `codes` is active.
    pub fn union<'a>(codes: impl IntoIterator<Item = &'a Sdr>) -> Result<Self> {
        let mut codes = codes.into_iter();
        let Some(first) = codes.next() else {
            return Err(Error::TooFew {
                operation: "union",
                what: "codes",
                found: 0,
                needed: 1,
            });
        };
        let mut bits = first.bits.clone();
        for code in codes {
            same_cells("union", first.cells, code.cells)?;
            for (word, other) in bits.iter_mut().zip(&code.bits) {
                *word |= other;
            }
        }
        let mut active = Vec::new();
        for (start, &word) in (0u32..).step_by(64).zip(&bits) {
            let mut rest = word;
            while rest != 0 {
                active.push(start + rest.trailing_zeros());
                rest &= rest - 1;
            }
        }
        Ok(Sdr {
            cells: first.cells,
            active,
            bits,
        })
    }

    /// A code of `count` of the active cells, drawn uniformly.
    pub fn subsample(&self, count: usize, rng: &mut impl Rng) -> Result<Self> {
        at_most(
            "subsampled cells",
            count,
            self.len(),
            "the number of active cells",
        )?;
        let chosen = choose_sorted(self.len(), count, rng);
        let active = chosen
            .into_iter()
            .map(|place| self.active[place as usize])
            .collect();
        Ok(Self::from_sorted(self.cells, active))
    }

    /// The code after noise: `moved` active cells, drawn uniformly, fall silent and as many cells
    /// that were silent before become active.
    pub fn with_noise(&self, moved: usize, rng: &mut impl Rng) -> Result<Self> {
        at_most(
            "moved cells",
            moved,
            self.len(),
            "the number of active cells",
        )?;
        let silent = self.cells - self.len();
        at_most("moved cells", moved, silent, "the number of silent cells")?;
        let mut active = self.active.clone();
        for place in choose_sorted(self.len(), moved, rng) {
            active[place as usize] = u32::MAX;
        }
        active.retain(|&cell| cell != u32::MAX);
        // While most cells are silent, drawing until one is found costs less than listing them.
        if silent >= self.cells / 2 {
            let mut fresh = self.bits.clone();
            for _ in 0..moved {
                let cell = loop {
                    let cell = rng.random_range(0..self.cells);
                    if fresh[cell / 64] >> (cell % 64) & 1 == 0 {
                        break cell;
                    }
                };
                fresh[cell / 64] |= 1 << (cell % 64);
                active.push(cell as u32);
            }
        } else {
            let silent_cells: Vec<u32> = (0..self.cells as u32)
                .filter(|&cell| !self.contains(cell))
                .collect();
            let chosen = choose_sorted(silent, moved, rng);
            active.extend(chosen.into_iter().map(|place| silent_cells[place as usize]));
        }
        active.sort_unstable();
        Ok(Self::from_sorted(self.cells, active))
    }
}

/// `count` of `0..from`, drawn uniformly, ascending.
pub(crate) fn choose_sorted(from: usize, count: usize, rng: &mut impl Rng) -> Vec<u32> {
    let mut chosen: Vec<u32> = rand::seq::index::sample(rng, from, count)
        .into_iter()
        .map(|cell| cell as u32)
        .collect();
    chosen.sort_unstable();
    chosen
}

/// Fails unless two codes speak of equally many cells.
pub(crate) fn same_cells(operation: &'static str, expected: usize, found: usize) -> Result<()> {
    if expected == found {
        return Ok(());
    }
    Err(Error::Shape {
        operation,
        what: "the code".to_string(),
        axis: "cells",
        found,
        expected: expected.to_string(),
    })
}

/// Fails unless cells can be counted by `u32` with one value to spare.
pub(crate) fn check_cells(cells: usize) -> Result<()> {
    let allowed = 1..u32::MAX as usize;
    if allowed.contains(&cells) {
        return Ok(());
    }
    Err(Error::setting(
        "cells",
        cells,
        format!("{} to {}", allowed.start, allowed.end - 1),
    ))
}

/// Fails where `value` is above `most`.
pub(crate) fn at_most(name: &str, value: usize, most: usize, what: &str) -> Result<()> {
    if value <= most {
        return Ok(());
    }
    Err(Error::setting(
        name,
        value,
        format!("at most {what}, {most}"),
    ))
}
