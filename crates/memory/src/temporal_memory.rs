//! Temporal memory: a population of neurons that learns sequences of sparse codes and predicts.
//!
//! Cells stand in columns. A code says which columns are active; in each, the cells that were
//! predicted become active, or all of them where none was (the column bursts). Dendritic segments
//! learn synapses onto the cells that won one step earlier; a cell with a segment that has enough
//! connected, active synapses is predicted. With several cells a column the same code is
//! represented by other cells in another context, so that sequences of any order are learned; with
//! one it learns first-order transitions (Hawkins & Ahmad 2016, doi 10.3389/fncir.2016.00023;
//! its error curves in Ahmad & Hawkins 2016).
//!
//! Learning is local: a segment that was right strengthens its active synapses, weakens the others
//! and grows new ones; a column that burst teaches the segment that matched best, or a new one
//! on the least used cell; a segment that predicted in vain may be weakened.

use chiasm_core::{Error, Result, Seed};
use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

use crate::sdr::{Sdr, check_cells, choose_sorted, same_cells};
use crate::segment_index::reaching;

/// How a temporal memory is built and learns. The paper leaves the permanences open; these connect
/// a synapse at its first presentation.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TemporalMemorySettings {
    /// Columns.
    pub columns: usize,
    /// Cells in each column.
    pub cells_per_column: usize,
    /// Connected active synapses that make a segment fire (theta).
    pub activation_threshold: u16,
    /// Active synapses, connected or not, that let a segment of a bursting column learn.
    pub matching_threshold: u16,
    /// Active synapses a learning segment is grown to (s).
    pub synapses: usize,
    /// Permanence of a new synapse.
    pub initial_permanence: f32,
    /// Permanence from which a synapse counts as connected.
    pub connected_permanence: f32,
    /// Added to the active synapses of a segment that learns.
    pub permanence_increment: f32,
    /// Taken from the other synapses of a segment that learns.
    pub permanence_decrement: f32,
    /// Taken from the active synapses of a segment that predicted in vain.
    pub predicted_decrement: f32,
}

impl Default for TemporalMemorySettings {
    fn default() -> Self {
        TemporalMemorySettings {
            columns: 2048,
            cells_per_column: 32,
            activation_threshold: 13,
            matching_threshold: 10,
            synapses: 20,
            initial_permanence: 0.6,
            connected_permanence: 0.5,
            permanence_increment: 0.1,
            permanence_decrement: 0.02,
            predicted_decrement: 0.001,
        }
    }
}

impl TemporalMemorySettings {
    /// Fails where a value is out of range or two do not fit each other.
    pub fn check(&self) -> Result<()> {
        for (name, value) in [
            ("columns", self.columns),
            ("cells_per_column", self.cells_per_column),
            ("activation_threshold", self.activation_threshold.into()),
            ("matching_threshold", self.matching_threshold.into()),
            ("synapses", self.synapses),
        ] {
            if value == 0 {
                return Err(Error::setting(name, value, "at least 1"));
            }
        }
        check_cells(self.columns.saturating_mul(self.cells_per_column))?;
        if self.synapses > usize::from(u16::MAX) {
            return Err(Error::setting("synapses", self.synapses, "at most 65535"));
        }
        if self.matching_threshold > self.activation_threshold {
            let allowed = format!(
                "at most the activation threshold, {}",
                self.activation_threshold
            );
            return Err(Error::setting(
                "matching_threshold",
                self.matching_threshold,
                allowed,
            ));
        }
        for (name, value) in [
            ("initial_permanence", self.initial_permanence),
            ("connected_permanence", self.connected_permanence),
            ("permanence_increment", self.permanence_increment),
            ("permanence_decrement", self.permanence_decrement),
            ("predicted_decrement", self.predicted_decrement),
        ] {
            if !(0.0..=1.0).contains(&value) {
                return Err(Error::setting(name, value, "0 to 1"));
            }
        }
        if self.initial_permanence == 0.0 {
            return Err(Error::setting("initial_permanence", 0.0, "above 0"));
        }
        Ok(())
    }
}

#[derive(Clone, Copy, Debug)]
struct Synapse {
    presynaptic: u32,
    permanence: f32,
}

#[derive(Clone, Debug)]
struct Segment {
    cell: u32,
    synapses: Vec<Synapse>,
}

/// What happened in one step.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    /// Active cells.
    pub active: Sdr,
    /// The cells that learn and are learned from: one or more in each active column.
    pub winners: Sdr,
    /// Active columns in which no cell was predicted.
    pub bursting: usize,
    /// Their share among the active columns: 0 where the code was expected, 1 where it was a
    /// complete surprise. 0 for an empty code.
    pub surprise: f64,
}

/// A population of neurons with its synapses and its state.
#[derive(Clone, Debug)]
pub struct TemporalMemory {
    settings: TemporalMemorySettings,
    rng: ChaCha8Rng,
    segments: Vec<Segment>,
    /// For each cell, the segments it owns.
    owned: Vec<Vec<u32>>,
    /// For each cell, the segments with a synapse onto it.
    listeners: Vec<Vec<u32>>,
    /// Synapses of each segment onto active cells, connected or not.
    overlap: Vec<u16>,
    active: Sdr,
    winners: Sdr,
    /// Segments that fire under the active cells, ascending by cell, then number.
    firing: Vec<u32>,
    /// Segments with enough active synapses to learn, in the same order.
    matching: Vec<u32>,
}

impl TemporalMemory {
    /// A memory without synapses.
    pub fn new(settings: TemporalMemorySettings, seed: &Seed) -> Result<Self> {
        settings.check()?;
        let cells = settings.columns * settings.cells_per_column;
        Ok(TemporalMemory {
            rng: seed.rng(),
            segments: Vec::new(),
            owned: vec![Vec::new(); cells],
            listeners: vec![Vec::new(); cells],
            overlap: Vec::new(),
            active: Sdr::empty(cells)?,
            winners: Sdr::empty(cells)?,
            firing: Vec::new(),
            matching: Vec::new(),
            settings,
        })
    }

    /// The number of segments grown so far.
    pub fn segments(&self) -> usize {
        self.segments.len()
    }

    /// The number of synapses.
    pub fn synapses(&self) -> usize {
        self.segments
            .iter()
            .map(|segment| segment.synapses.len())
            .sum()
    }

    /// The cells predicted for the next step.
    pub fn predicted(&self) -> Sdr {
        let mut cells: Vec<u32> = self
            .firing
            .iter()
            .map(|&segment| self.cell(segment))
            .collect();
        cells.dedup();
        Sdr::from_sorted(self.active.cells(), cells)
    }

    /// The columns with a predicted cell.
    pub fn predicted_columns(&self) -> Sdr {
        let mut columns: Vec<u32> = self
            .firing
            .iter()
            .map(|&segment| self.column(segment) as u32)
            .collect();
        columns.dedup();
        Sdr::from_sorted(self.settings.columns, columns)
    }

    /// Forgets what is active and predicted, not what was learned: a new sequence begins.
    pub fn reset(&mut self) {
        let none = Sdr::from_sorted(self.active.cells(), Vec::new());
        self.winners = none.clone();
        self.depolarise(none);
    }

    /// Takes in the next code, `columns` cells wide, and learns from it if `learn` is set.
    pub fn step(&mut self, code: &Sdr, learn: bool) -> Result<Step> {
        same_cells("temporal memory", self.settings.columns, code.cells())?;
        let per_column = self.settings.cells_per_column as u32;
        let firing = self.by_column(&self.firing);
        let matching = self.by_column(&self.matching);
        let mut active = Vec::new();
        let mut winners = Vec::new();
        let mut bursting = 0;
        for &column in code.active() {
            let expected = segments_of(&firing, column);
            if expected.is_empty() {
                bursting += 1;
                active.extend(column * per_column..(column + 1) * per_column);
                winners.push(self.burst(column, segments_of(&matching, column), learn)?);
                continue;
            }
            for &(_, segment) in expected {
                let cell = self.cell(segment);
                if active.last() != Some(&cell) {
                    active.push(cell);
                    winners.push(cell);
                }
                if learn {
                    self.reinforce(segment);
                }
            }
        }
        if learn && self.settings.predicted_decrement > 0.0 {
            for &(column, segment) in &matching {
                if !code.contains(column) {
                    self.weaken(segment, self.settings.predicted_decrement);
                }
            }
        }
        let cells = self.active.cells();
        self.winners = Sdr::from_sorted(cells, winners);
        self.depolarise(Sdr::from_sorted(cells, active));
        Ok(Step {
            active: self.active.clone(),
            winners: self.winners.clone(),
            bursting,
            surprise: if code.is_empty() {
                0.0
            } else {
                bursting as f64 / code.len() as f64
            },
        })
    }

    fn cell(&self, segment: u32) -> u32 {
        self.segments[segment as usize].cell
    }

    fn column(&self, segment: u32) -> usize {
        self.cell(segment) as usize / self.settings.cells_per_column
    }

    fn by_column(&self, segments: &[u32]) -> Vec<(u32, u32)> {
        segments
            .iter()
            .map(|&segment| (self.column(segment) as u32, segment))
            .collect()
    }

    /// The cell that wins a column nobody predicted.
    fn burst(&mut self, column: u32, matching: &[(u32, u32)], learn: bool) -> Result<u32> {
        let overlap = |&&(_, segment): &&(u32, u32)| self.overlap[segment as usize];
        // The first of the best, so that the choice does not depend on the order of ties.
        if let Some(&(_, best)) = matching.iter().rev().max_by_key(overlap) {
            if learn {
                self.reinforce(best);
            }
            return Ok(self.cell(best));
        }
        let per_column = self.settings.cells_per_column as u32;
        let cells = column * per_column..(column + 1) * per_column;
        let used = |cell: u32| self.owned[cell as usize].len();
        let fewest = cells.clone().map(used).min().unwrap_or(0);
        let idle: Vec<u32> = cells.filter(|&cell| used(cell) == fewest).collect();
        let winner = idle[self.rng.random_range(0..idle.len())];
        if learn && !self.winners.is_empty() {
            let segment = u32::try_from(self.segments.len())
                .map_err(|_| Error::setting("segments", self.segments.len(), "fewer than 2^32"))?;
            self.segments.push(Segment {
                cell: winner,
                synapses: Vec::new(),
            });
            self.overlap.push(0);
            self.owned[winner as usize].push(segment);
            self.grow(segment);
        }
        Ok(winner)
    }

    /// Strengthens the active synapses of a segment, weakens the others and grows new ones.
    fn reinforce(&mut self, segment: u32) {
        let (increment, decrement) = (
            self.settings.permanence_increment,
            self.settings.permanence_decrement,
        );
        for synapse in &mut self.segments[segment as usize].synapses {
            synapse.permanence = if self.active.contains(synapse.presynaptic) {
                (synapse.permanence + increment).min(1.0)
            } else {
                synapse.permanence - decrement
            };
        }
        self.drop_spent(segment);
        self.grow(segment);
    }

    /// Weakens the active synapses of a segment.
    fn weaken(&mut self, segment: u32, decrement: f32) {
        for synapse in &mut self.segments[segment as usize].synapses {
            if self.active.contains(synapse.presynaptic) {
                synapse.permanence -= decrement;
            }
        }
        self.drop_spent(segment);
    }

    /// Removes synapses whose permanence is used up.
    fn drop_spent(&mut self, segment: u32) {
        let listeners = &mut self.listeners;
        self.segments[segment as usize].synapses.retain(|synapse| {
            let alive = synapse.permanence > 0.0;
            if !alive {
                listeners[synapse.presynaptic as usize].retain(|&listener| listener != segment);
            }
            alive
        });
    }

    /// Grows synapses onto cells that won one step ago, up to the wanted number of active ones.
    fn grow(&mut self, segment: u32) {
        let row = &mut self.segments[segment as usize];
        let active = row
            .synapses
            .iter()
            .filter(|synapse| self.active.contains(synapse.presynaptic))
            .count();
        let missing = self.settings.synapses.saturating_sub(active);
        let known = |cell: u32| {
            row.synapses
                .iter()
                .any(|synapse| synapse.presynaptic == cell)
        };
        let candidates: Vec<u32> = self
            .winners
            .active()
            .iter()
            .copied()
            .filter(|&cell| !known(cell))
            .collect();
        // An overlap is counted in two bytes.
        let room = usize::from(u16::MAX) - row.synapses.len();
        let count = missing.min(candidates.len()).min(room);
        for place in choose_sorted(candidates.len(), count, &mut self.rng) {
            let presynaptic = candidates[place as usize];
            row.synapses.push(Synapse {
                presynaptic,
                permanence: self.settings.initial_permanence,
            });
            self.listeners[presynaptic as usize].push(segment);
        }
    }

    /// Makes `active` the active cells and finds the segments they drive.
    fn depolarise(&mut self, active: Sdr) {
        self.overlap.fill(0);
        for &cell in active.active() {
            for &segment in &self.listeners[cell as usize] {
                self.overlap[segment as usize] += 1;
            }
        }
        self.active = active;
        self.matching = reaching(&self.overlap, self.settings.matching_threshold, 0);
        let segments = &self.segments;
        self.matching
            .sort_by_key(|&segment| segments[segment as usize].cell);
        let fires = |&segment: &u32| {
            let connected = segments[segment as usize]
                .synapses
                .iter()
                .filter(|synapse| {
                    synapse.permanence >= self.settings.connected_permanence
                        && self.active.contains(synapse.presynaptic)
                });
            connected.count() >= usize::from(self.settings.activation_threshold)
        };
        self.firing.clear();
        self.firing
            .extend(self.matching.iter().copied().filter(fires));
    }
}

/// The part of a list sorted by column that belongs to `column`.
fn segments_of(sorted: &[(u32, u32)], column: u32) -> &[(u32, u32)] {
    let from = sorted.partition_point(|&(other, _)| other < column);
    let to = from + sorted[from..].partition_point(|&(other, _)| other == column);
    &sorted[from..to]
}
