//! Monte Carlo estimates of recognition errors, to set beside the exact probabilities.
//!
//! Sets of cells are really drawn without replacement and compared; no formula enters. Work is cut
//! into blocks of draws, each with a random stream of its own, so that the counts do not depend on
//! how many threads there are. Ten million draws of a 24-synapse segment take about a second on
//! two cores; errors rarer than about 1e-6 are out of reach of any simulation and need
//! [`crate::recognition`].

use chiasm_core::{Error, Progress, Result, Seed};
use rand::RngExt;
use rayon::prelude::*;

use crate::sdr::{at_most, check_cells};

/// Draws per block.
const BLOCK: u64 = 1 << 16;

/// How often two sets overlapped in how many cells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OverlapCounts {
    counts: Vec<u64>,
    draws: u64,
}

impl OverlapCounts {
    /// Draws, `draws` times over, `first` of `cells` cells and counts how many of them lie in a set
    /// of `second` cells.
    ///
    /// With `first` the active cells and `second` the synapses of a segment the upper tail is the
    /// false-positive rate. With the active cells of a pattern as the population, the moved ones as
    /// `first` and the segment's synapses as `second`, the overlap is the number of synapses that
    /// noise takes away.
    pub fn draw(
        cells: usize,
        first: usize,
        second: usize,
        draws: u64,
        seed: &Seed,
        progress: &Progress,
    ) -> Result<Self> {
        check_cells(cells)?;
        at_most("drawn cells", first, cells, "the number of cells")?;
        at_most("marked cells", second, cells, "the number of cells")?;
        if draws == 0 {
            return Err(Error::setting("draws", draws, "at least 1"));
        }
        // Which of the two sets is redrawn does not matter to their overlap: redraw the smaller.
        let (redrawn, fixed) = (first.min(second), first.max(second));
        let blocks: Vec<Vec<u64>> = (0..draws.div_ceil(BLOCK))
            .into_par_iter()
            .map(|block| {
                progress.check()?;
                let count = BLOCK.min(draws - block * BLOCK);
                Ok(draw_block(
                    cells,
                    redrawn,
                    fixed,
                    count,
                    &seed.indexed(block),
                ))
            })
            .collect::<Result<_>>()?;
        let mut counts = vec![0; redrawn + 1];
        for block in blocks {
            for (total, count) in counts.iter_mut().zip(block) {
                *total += count;
            }
        }
        Ok(OverlapCounts { counts, draws })
    }

    /// How many draws there were.
    pub fn draws(&self) -> u64 {
        self.draws
    }

    /// How many draws had an overlap of `overlap` or more.
    pub fn at_least(&self, overlap: usize) -> u64 {
        self.counts.iter().skip(overlap).sum()
    }

    /// How many standard errors the share of draws with an overlap of `overlap` or more lies from
    /// `probability`; the standard error is the one `probability` implies.
    ///
    /// A probability of 0 or 1 leaves no room: any deviation is infinite.
    pub fn deviation(&self, overlap: usize, probability: f64) -> f64 {
        let draws = self.draws as f64;
        let difference = self.at_least(overlap) as f64 / draws - probability;
        if difference == 0.0 {
            return 0.0;
        }
        difference / (probability * (1.0 - probability) / draws).sqrt()
    }
}

fn draw_block(cells: usize, redrawn: usize, fixed: usize, draws: u64, seed: &Seed) -> Vec<u64> {
    let mut rng = seed.rng();
    // Cells are exchangeable, so the fixed set may be the first ones. `seen` marks a cell with the
    // number of the draw that chose it, which saves clearing it.
    let (cells, redrawn_cells, fixed) = (cells as u32, redrawn as u32, fixed as u32);
    let mut seen = vec![0u32; cells as usize];
    let mut counts = vec![0; redrawn + 1];
    for draw in 1..=draws as u32 {
        let mut overlap = 0;
        // Floyd's sampling: one number a cell, no rejection.
        for last in cells - redrawn_cells..cells {
            let candidate = rng.random_range(0..=last);
            let chosen = if seen[candidate as usize] == draw {
                last
            } else {
                candidate
            };
            seen[chosen as usize] = draw;
            overlap += usize::from(chosen < fixed);
        }
        counts[overlap] += 1;
    }
    counts
}
