//! Dendritic segments: sets of synapses onto cells of a population, matched against what is active.
//!
//! [`DendriticSegments`] holds the synapses row by row, grows, and matches by looking every synapse
//! up in the packed bits of the code: work proportional to all synapses. For many segments matched
//! many times see [`crate::segment_index::SegmentIndex`].

use chiasm_core::{Error, Result};
use rayon::prelude::*;

use crate::sdr::{Sdr, check_cells, same_cells};

/// Segments a thread takes at a time.
const BLOCK: usize = 1024;

/// Segments with their synapses, in the order they were added.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DendriticSegments {
    cells: usize,
    /// Where each segment's synapses begin; one more than there are segments.
    starts: Vec<usize>,
    synapses: Vec<u32>,
}

impl DendriticSegments {
    /// No segment yet, over a population of `cells` cells.
    pub fn new(cells: usize) -> Result<Self> {
        check_cells(cells)?;
        Ok(DendriticSegments {
            cells,
            starts: vec![0],
            synapses: Vec::new(),
        })
    }

    /// Adds a segment with one synapse onto each of `presynaptic`, kept in ascending order, and
    /// returns its number.
    ///
    /// Fails where a cell is out of range or named twice, or where there are more synapses than an
    /// overlap can count (65 535).
    pub fn push(&mut self, presynaptic: &[u32]) -> Result<usize> {
        if u16::try_from(presynaptic.len()).is_err() {
            return Err(Error::setting(
                "synapses",
                presynaptic.len(),
                "at most 65535 a segment",
            ));
        }
        let start = self.synapses.len();
        self.synapses.extend_from_slice(presynaptic);
        let row = &mut self.synapses[start..];
        row.sort_unstable();
        let out_of_range = row
            .last()
            .copied()
            .filter(|&cell| cell as usize >= self.cells);
        let twice = row
            .windows(2)
            .find(|pair| pair[0] == pair[1])
            .map(|pair| pair[0]);
        if out_of_range.is_some() || twice.is_some() {
            self.synapses.truncate(start);
        }
        if let Some(cell) = out_of_range {
            let allowed = format!("a cell below {}", self.cells);
            return Err(Error::setting("presynaptic cell", cell, allowed));
        }
        if let Some(cell) = twice {
            return Err(Error::setting(
                "presynaptic cell",
                cell,
                "each cell at most once",
            ));
        }
        self.starts.push(self.synapses.len());
        Ok(self.starts.len() - 2)
    }

    /// The number of cells in the population.
    pub fn cells(&self) -> usize {
        self.cells
    }

    /// The number of segments.
    pub fn len(&self) -> usize {
        self.starts.len() - 1
    }

    /// Whether there is no segment.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The number of synapses of all segments.
    pub fn synapse_count(&self) -> usize {
        self.synapses.len()
    }

    /// The cells a segment has synapses onto, ascending.
    ///
    /// # Panics
    /// If there is no such segment.
    pub fn synapses(&self, segment: usize) -> &[u32] {
        &self.synapses[self.starts[segment]..self.starts[segment + 1]]
    }

    /// How many synapses of each segment are active under `code`.
    pub fn overlaps(&self, code: &Sdr) -> Result<Vec<u16>> {
        same_cells("segments", self.cells, code.cells())?;
        let bits = code.bits();
        let mut overlaps = vec![0; self.len()];
        overlaps
            .par_chunks_mut(BLOCK)
            .enumerate()
            .for_each(|(block, overlaps)| {
                let first = block * BLOCK;
                for (segment, overlap) in (first..).zip(overlaps) {
                    *overlap = self
                        .synapses(segment)
                        .iter()
                        .map(|&cell| (bits[cell as usize / 64] >> (cell % 64) & 1) as u16)
                        .sum();
                }
            });
        Ok(overlaps)
    }
}
