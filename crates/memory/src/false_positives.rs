//! How often neurons take one pattern for another, measured on given patterns beside what theory says
//! of random ones.
//!
//! Patterns are taken in turns: as many as a neuron has segments are stored, one on each, and as many
//! again are shown that were not. What is shown and drives some segment to threshold is a false
//! positive (Ahmad & Hawkins 2016, simulation of correlated patterns). The theory of random patterns
//! knows only how many cells there are and how many are active: where cells fire together it is
//! too optimistic, and the ratio of the two says by how much.

use std::collections::BTreeMap;

use chiasm_core::{Error, Progress, Result, Seed};

use crate::neuron::{DendriticNeuron, DendriticNonlinearity, NeuronSettings};
use crate::recognition::{Recognition, any_of};
use crate::sdr::Sdr;

/// Measured false positives of neurons, for every threshold at once.
#[derive(Clone, Debug, PartialEq)]
pub struct FalsePositives {
    cells: usize,
    synapses: usize,
    segments: usize,
    /// For each overlap, how many shown patterns had it as their best with any segment.
    best: Vec<u64>,
    /// How many shown patterns had how many active cells.
    active: BTreeMap<usize, u64>,
    repeated: u64,
}

impl FalsePositives {
    /// Stores and shows `patterns` in turns, `segments` at a time, with `synapses` synapses a
    /// segment. With fewer than twice as many patterns as segments there are fewer segments.
    ///
    /// A shown pattern that equals a stored one of the same neuron is no false positive and is
    /// left out. Fails with fewer than two patterns, or where one has fewer active cells than a
    /// segment has synapses.
    pub fn measure(
        patterns: &[Sdr],
        segments: usize,
        synapses: usize,
        seed: &Seed,
        progress: &Progress,
    ) -> Result<Self> {
        if patterns.len() < 2 {
            return Err(Error::TooFew {
                operation: "false positives",
                what: "patterns",
                found: patterns.len(),
                needed: 2,
            });
        }
        let segments = segments.min(patterns.len() / 2);
        // The threshold plays no part in overlaps.
        let nonlinearity = DendriticNonlinearity::Threshold { threshold: 1 };
        let settings = NeuronSettings {
            segments,
            synapses,
            nonlinearity,
        };
        settings.check()?;
        let mut measured = FalsePositives {
            cells: patterns[0].cells(),
            synapses,
            segments,
            best: vec![0; synapses + 1],
            active: BTreeMap::new(),
            repeated: 0,
        };
        for (number, turn) in (0..).zip(patterns.chunks_exact(2 * segments)) {
            let (stored, shown) = turn.split_at(segments);
            let neuron = DendriticNeuron::learn(&settings, stored, &seed.indexed(number))?;
            let mut known: Vec<&[u32]> = stored.iter().map(Sdr::active).collect();
            known.sort_unstable();
            let overlaps = neuron.best_overlaps(shown, progress)?;
            for (code, overlap) in shown.iter().zip(overlaps) {
                if known.binary_search(&code.active()).is_ok() {
                    measured.repeated += 1;
                    continue;
                }
                measured.best[usize::from(overlap)] += 1;
                *measured.active.entry(code.len()).or_default() += 1;
            }
        }
        Ok(measured)
    }

    /// Segments a neuron had.
    pub fn segments(&self) -> usize {
        self.segments
    }

    /// Patterns shown that no neuron they were shown to had stored.
    pub fn shown(&self) -> u64 {
        self.best.iter().sum()
    }

    /// Shown patterns left out because they had been stored.
    pub fn repeated(&self) -> u64 {
        self.repeated
    }

    /// How many of the shown patterns made some segment reach `threshold`.
    pub fn count(&self, threshold: usize) -> u64 {
        self.best.iter().skip(threshold).sum()
    }

    /// Their share; 0 where none was shown.
    pub fn rate(&self, threshold: usize) -> f64 {
        match self.shown() {
            0 => 0.0,
            shown => self.count(threshold) as f64 / shown as f64,
        }
    }

    /// The share that theory predicts for random patterns of the same sizes.
    pub fn predicted(&self, threshold: usize) -> Result<f64> {
        let mut sum = 0.0;
        for (&active, &count) in &self.active {
            let (cells, synapses) = (self.cells as u64, self.synapses as u64);
            let segment = Recognition::new(cells, active as u64, synapses, threshold as u64);
            sum += count as f64 * any_of(segment.false_positive()?, self.segments as u64);
        }
        Ok(if self.shown() == 0 {
            0.0
        } else {
            sum / self.shown() as f64
        })
    }
}
