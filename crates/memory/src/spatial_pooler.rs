//! Spatial pooler: learns to turn inputs of any kind into sparse codes with a fixed number of active
//! columns, like inputs into like codes.
//!
//! Each column listens to part of the input through synapses with permanences; those above a
//! threshold count. The columns with the largest (boosted) overlap with the input win, as many as the
//! wanted sparsity allows, and learn: synapses onto active inputs are strengthened, the others
//! weakened. Columns that win less often than the rest are boosted, so that all take part
//! (Cui, Ahmad & Hawkins 2017, doi 10.3389/fncom.2017.00111, equations 1 to 8, global inhibition).

use chiasm_core::{Error, Result, Seed};
use rand::RngExt;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use crate::sdr::{Sdr, check_cells, choose_sorted, same_cells};

/// Columns a thread takes at a time.
const BLOCK: usize = 128;

/// How a spatial pooler is built and learns; the values are those of the paper.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SpatialPoolerSettings {
    /// Cells of the input.
    pub inputs: usize,
    /// Columns.
    pub columns: usize,
    /// Columns that win.
    pub active: usize,
    /// Share of the inputs each column may have synapses onto.
    pub potential_share: f64,
    /// Permanence from which a synapse is connected; new ones lie evenly about it.
    pub connected_permanence: f32,
    /// Added to synapses onto active inputs when their column wins.
    pub permanence_increment: f32,
    /// Taken from the other synapses of a column that wins.
    pub permanence_decrement: f32,
    /// Connected active synapses a column needs to win at all.
    pub least_overlap: u16,
    /// How strongly columns that win too rarely are favoured; 0 for not at all.
    pub boost_strength: f64,
    /// Inputs over which the share of wins is averaged.
    pub duty_cycle_period: u32,
}

impl Default for SpatialPoolerSettings {
    fn default() -> Self {
        SpatialPoolerSettings {
            inputs: 1024,
            columns: 1024,
            active: 20,
            potential_share: 1.0,
            connected_permanence: 0.5,
            permanence_increment: 0.1,
            permanence_decrement: 0.02,
            least_overlap: 1,
            boost_strength: 100.0,
            duty_cycle_period: 1000,
        }
    }
}

impl SpatialPoolerSettings {
    /// Fails where a value is out of range or two do not fit each other.
    pub fn check(&self) -> Result<()> {
        check_cells(self.inputs)?;
        check_cells(self.columns)?;
        if self.inputs > usize::from(u16::MAX)
            && self.potential_share * self.inputs as f64 > 65_535.0
        {
            let allowed = "at most 65535 inputs a column: a smaller potential_share";
            return Err(Error::setting("inputs", self.inputs, allowed));
        }
        if !(1..=self.columns).contains(&self.active) {
            return Err(Error::setting(
                "active",
                self.active,
                format!("1 to {}", self.columns),
            ));
        }
        if !(self.potential_share > 0.0 && self.potential_share <= 1.0) {
            let allowed = "above 0 and at most 1";
            return Err(Error::setting(
                "potential_share",
                self.potential_share,
                allowed,
            ));
        }
        for (name, value) in [
            ("connected_permanence", self.connected_permanence),
            ("permanence_increment", self.permanence_increment),
            ("permanence_decrement", self.permanence_decrement),
        ] {
            if !(0.0..=1.0).contains(&value) {
                return Err(Error::setting(name, value, "0 to 1"));
            }
        }
        if !(self.boost_strength >= 0.0 && self.boost_strength.is_finite()) {
            return Err(Error::setting(
                "boost_strength",
                self.boost_strength,
                "at least 0",
            ));
        }
        if self.duty_cycle_period == 0 {
            return Err(Error::setting("duty_cycle_period", 0, "at least 1"));
        }
        Ok(())
    }
}

#[derive(Clone, Debug)]
struct Column {
    inputs: Vec<u32>,
    permanences: Vec<f32>,
}

/// A layer of columns with its synapses.
#[derive(Clone, Debug)]
pub struct SpatialPooler {
    settings: SpatialPoolerSettings,
    columns: Vec<Column>,
    /// Share of recent inputs each column won.
    duty_cycles: Vec<f64>,
    inputs_seen: u32,
}

impl SpatialPooler {
    /// Draws synapses: about half of the potential ones are connected at first.
    pub fn new(settings: SpatialPoolerSettings, seed: &Seed) -> Result<Self> {
        settings.check()?;
        let potential =
            ((settings.inputs as f64 * settings.potential_share).round() as usize).max(1);
        let mut rng = seed.rng();
        let connected = settings.connected_permanence;
        let columns = (0..settings.columns)
            .map(|_| {
                let inputs = choose_sorted(settings.inputs, potential, &mut rng);
                let draw = |_: &u32| {
                    let place: f32 = rng.random();
                    // Evenly below the threshold, or evenly from it up.
                    if rng.random_bool(0.5) {
                        connected + place * (1.0 - connected)
                    } else {
                        place * connected
                    }
                };
                Column {
                    permanences: inputs.iter().map(draw).collect(),
                    inputs,
                }
            })
            .collect();
        Ok(SpatialPooler {
            duty_cycles: vec![0.0; settings.columns],
            inputs_seen: 0,
            columns,
            settings,
        })
    }

    /// Share of recent inputs each column won.
    pub fn duty_cycles(&self) -> &[f64] {
        &self.duty_cycles
    }

    /// How strongly each column's overlap counts (equation 6): above 1 for columns that won less
    /// often than the mean of all, below 1 for those that won more often.
    pub fn boosts(&self) -> Vec<f64> {
        let mean = self.duty_cycles.iter().sum::<f64>() / self.duty_cycles.len() as f64;
        let boost = |duty: &f64| (-self.settings.boost_strength * (duty - mean)).exp();
        self.duty_cycles.iter().map(boost).collect()
    }

    /// Connected active synapses of each column.
    pub fn overlaps(&self, input: &Sdr) -> Result<Vec<u16>> {
        same_cells("spatial pooler", self.settings.inputs, input.cells())?;
        let bits = input.bits();
        let connected = self.settings.connected_permanence;
        let mut overlaps = vec![0; self.columns.len()];
        overlaps
            .par_chunks_mut(BLOCK)
            .zip(self.columns.par_chunks(BLOCK))
            .for_each(|(overlaps, columns)| {
                for (overlap, column) in overlaps.iter_mut().zip(columns) {
                    let synapses = column.inputs.iter().zip(&column.permanences);
                    *overlap = synapses
                        .map(|(&cell, &permanence)| {
                            let active = (bits[cell as usize / 64] >> (cell % 64) & 1) as u16;
                            active & u16::from(permanence >= connected)
                        })
                        .sum();
                }
            });
        Ok(overlaps)
    }

    /// The code of `input`: the winning columns; it learns from it if `learn` is set. Ties go to the
    /// column with the smaller number.
    pub fn compute(&mut self, input: &Sdr, learn: bool) -> Result<Sdr> {
        let overlaps = self.overlaps(input)?;
        let boosts = self.boosts();
        let mut candidates: Vec<(f64, u32)> = (0..)
            .zip(overlaps.iter().zip(&boosts))
            .filter(|(_, (overlap, _))| **overlap >= self.settings.least_overlap)
            .map(|(column, (&overlap, boost))| (f64::from(overlap) * boost, column))
            .collect();
        let wanted = self.settings.active.min(candidates.len());
        let better = |a: &(f64, u32), b: &(f64, u32)| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1));
        if wanted < candidates.len() {
            candidates.select_nth_unstable_by(wanted, better);
            candidates.truncate(wanted);
        }
        let mut winners: Vec<u32> = candidates.into_iter().map(|(_, column)| column).collect();
        winners.sort_unstable();
        let code = Sdr::from_sorted(self.settings.columns, winners);
        if learn {
            self.learn(input, &code);
        }
        Ok(code)
    }

    fn learn(&mut self, input: &Sdr, code: &Sdr) {
        let (increment, decrement) = (
            self.settings.permanence_increment,
            self.settings.permanence_decrement,
        );
        for &winner in code.active() {
            let column = &mut self.columns[winner as usize];
            for (permanence, &cell) in column.permanences.iter_mut().zip(&column.inputs) {
                let change = if input.contains(cell) {
                    increment
                } else {
                    -decrement
                };
                *permanence = (*permanence + change).clamp(0.0, 1.0);
            }
        }
        // An average over what was seen, until there is a whole period.
        self.inputs_seen = self
            .inputs_seen
            .saturating_add(1)
            .min(self.settings.duty_cycle_period);
        let period = f64::from(self.inputs_seen);
        for (column, duty) in (0u32..).zip(&mut self.duty_cycles) {
            let won = f64::from(u8::from(code.contains(column)));
            *duty += (won - *duty) / period;
        }
    }
}
