//! The synapses of many dendritic segments, ordered by presynaptic cell for fast matching.
//!
//! A sparse code touches only the synapses of its active cells: at 2% activity one in fifty. The
//! index lists, for each cell, the segments that have a synapse onto it, and a match walks the lists
//! of the active cells, counting. Segments are cut into blocks whose counters stay in the second
//! cache level; threads take blocks. A match costs `total synapses x sparsity` increments, against
//! `total synapses` look-ups row by row, and the result is the same.

use chiasm_core::{Error, Result};
use rayon::prelude::*;

use crate::sdr::{Sdr, same_cells};
use crate::segments::DendriticSegments;

/// Segments a block holds at least: longer lists to walk at a stretch, for 64 KiB of counters. A
/// quarter of it takes twice the time on a machine with 48 KiB of first and 2 MiB of second level.
const SMALLEST_BLOCK: usize = 1 << 15;
/// Segments a block holds at most: what two bytes can number.
const LARGEST_BLOCK: usize = 1 << 16;

/// An index over [`DendriticSegments`]; it does not follow later changes to them.
#[derive(Clone, Debug)]
pub struct SegmentIndex {
    cells: usize,
    segments: usize,
    block: usize,
    blocks: Vec<Block>,
}

/// The synapses of consecutive segments, by presynaptic cell.
#[derive(Clone, Debug)]
struct Block {
    /// Where each cell's list begins; one more than there are cells.
    starts: Vec<u32>,
    /// Segments, numbered within the block.
    segments: Vec<u16>,
}

impl SegmentIndex {
    /// Indexes `segments`. Fails where there are more than `u32` can number.
    pub fn new(segments: &DendriticSegments) -> Result<Self> {
        if u32::try_from(segments.len()).is_err() {
            return Err(Error::setting(
                "segments",
                segments.len(),
                "fewer than 2^32",
            ));
        }
        // The lists' starts take a word a cell and block: blocks grow with the population so that
        // they never take much more room than the synapses.
        let block = (segments.cells() / 4)
            .next_power_of_two()
            .clamp(SMALLEST_BLOCK, LARGEST_BLOCK);
        let blocks = (0..segments.len().div_ceil(block))
            .into_par_iter()
            .map(|index| {
                let first = index * block;
                Block::new(segments, first, block.min(segments.len() - first))
            })
            .collect::<Result<_>>()?;
        Ok(SegmentIndex {
            cells: segments.cells(),
            segments: segments.len(),
            block,
            blocks,
        })
    }

    /// The number of segments.
    pub fn len(&self) -> usize {
        self.segments
    }

    /// Whether there is no segment.
    pub fn is_empty(&self) -> bool {
        self.segments == 0
    }

    /// How many synapses of each segment are active under `code`.
    pub fn overlaps(&self, code: &Sdr) -> Result<Vec<u16>> {
        same_cells("segments", self.cells, code.cells())?;
        let mut overlaps = vec![0; self.segments];
        overlaps
            .par_chunks_mut(self.block)
            .zip(&self.blocks)
            .for_each(|(overlaps, block)| block.count(code.active(), overlaps));
        Ok(overlaps)
    }

    /// The segments with at least `threshold` active synapses, ascending.
    pub fn matching(&self, code: &Sdr, threshold: u16) -> Result<Vec<u32>> {
        same_cells("segments", self.cells, code.cells())?;
        let size = self.block.min(self.segments);
        let found: Vec<Vec<u32>> = (0..self.blocks.len())
            .into_par_iter()
            .map_init(
                || vec![0u16; size],
                |counts, index| {
                    let first = index * self.block;
                    let counts = &mut counts[..size.min(self.segments - first)];
                    counts.fill(0);
                    self.blocks[index].count(code.active(), counts);
                    reaching(counts, threshold, first as u32)
                },
            )
            .collect();
        Ok(found.concat())
    }

    /// The overlaps of every segment with one code after the other, in this thread: for callers that
    /// share out codes rather than segments. `counts` holds one number a segment.
    ///
    /// # Panics
    /// If the code or `counts` has the wrong size.
    pub(crate) fn count(&self, code: &Sdr, counts: &mut [u16]) {
        assert_eq!(code.cells(), self.cells, "code of another population");
        assert_eq!(counts.len(), self.segments, "one count a segment");
        counts.fill(0);
        for (counts, block) in counts.chunks_mut(self.block).zip(&self.blocks) {
            block.count(code.active(), counts);
        }
    }
}

/// The positions, counted from `first`, of values of at least `threshold`.
pub(crate) fn reaching(counts: &[u16], threshold: u16, first: u32) -> Vec<u32> {
    // Few groups hold any: look for one at vector speed, then within it.
    const GROUP: usize = 64;
    let mut found = Vec::new();
    for (start, group) in (first..).step_by(GROUP).zip(counts.chunks(GROUP)) {
        if group
            .iter()
            .fold(false, |any, &count| any | (count >= threshold))
        {
            let hits = (start..)
                .zip(group)
                .filter(|&(_, &count)| count >= threshold);
            found.extend(hits.map(|(segment, _)| segment));
        }
    }
    found
}

impl Block {
    fn new(segments: &DendriticSegments, first: usize, count: usize) -> Result<Self> {
        let rows = || (first..first + count).map(|segment| segments.synapses(segment));
        let total: usize = rows().map(<[u32]>::len).sum();
        if u32::try_from(total).is_err() {
            return Err(Error::setting(
                "synapses",
                total,
                "fewer than 2^32 in a block of segments",
            ));
        }
        // Counting sort by cell; within a cell the segments stay ascending.
        let mut starts = vec![0u32; segments.cells() + 1];
        for row in rows() {
            for &cell in row {
                starts[cell as usize + 1] += 1;
            }
        }
        let mut sum = 0;
        for start in &mut starts {
            sum += *start;
            *start = sum;
        }
        let mut next = starts.clone();
        let mut listed = vec![0u16; total];
        for (segment, row) in (0u16..=u16::MAX).zip(rows()) {
            for &cell in row {
                let place = &mut next[cell as usize];
                listed[*place as usize] = segment;
                *place += 1;
            }
        }
        Ok(Block {
            starts,
            segments: listed,
        })
    }

    fn count(&self, active: &[u32], counts: &mut [u16]) {
        for &cell in active {
            let from = self.starts[cell as usize] as usize;
            let to = self.starts[cell as usize + 1] as usize;
            for &segment in &self.segments[from..to] {
                counts[usize::from(segment)] += 1;
            }
        }
    }
}
