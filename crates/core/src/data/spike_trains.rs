//! Spike times of several units.

use ndarray::Array2;

use super::Intervals;
use crate::error::{Error, Result};

/// Spike times in seconds, sorted per unit, with the time over which the units were observed.
///
/// Outside `observed` a unit is not silent but unknown.
#[derive(Clone, Debug, PartialEq)]
pub struct SpikeTrains {
    /// What was recorded.
    pub name: String,
    /// One name per unit.
    pub units: Vec<String>,
    /// Sorted spike times in seconds, one list per unit.
    pub times: Vec<Vec<f64>>,
    /// When the units were observed.
    pub observed: Intervals,
}

impl SpikeTrains {
    /// Sorts each unit's times. Without `observed`, the time from the first to just past the last spike.
    pub fn new(
        name: impl Into<String>,
        units: Vec<String>,
        mut times: Vec<Vec<f64>>,
        observed: Option<Intervals>,
    ) -> Result<Self> {
        let name = name.into();
        if units.len() != times.len() {
            return Err(Error::Shape {
                operation: "spike trains",
                what: name,
                axis: "unit names",
                found: units.len(),
                expected: times.len().to_string(),
            });
        }
        for (unit, train) in units.iter().zip(&mut times) {
            super::require_finite(&format!("{name}, unit {unit}"), train.iter(), |index| {
                format!("spike {index}")
            })?;
            train.sort_by(f64::total_cmp);
        }
        let observed = match observed {
            Some(intervals) => intervals,
            None => {
                let first = times.iter().filter_map(|train| train.first()).copied();
                let last = times.iter().filter_map(|train| train.last()).copied();
                match (first.reduce(f64::min), last.reduce(f64::max)) {
                    (Some(first), Some(last)) => {
                        Intervals::new(vec![(first, last + last.abs().max(1.0) * 1e-9)])?
                    }
                    _ => Intervals::default(),
                }
            }
        };
        Ok(SpikeTrains {
            name,
            units,
            times,
            observed,
        })
    }

    /// Spike counts, bins x units, in half-open bins `[start + k width, start + (k + 1) width)`.
    /// Only whole bins that end at or before `stop` count.
    pub fn bin(&self, start: f64, stop: f64, width: f64) -> Result<Array2<u32>> {
        if !(width.is_finite() && width > 0.0) {
            return Err(Error::setting(
                "bin width",
                width,
                "a positive number of seconds",
            ));
        }
        if !(start.is_finite() && stop.is_finite() && stop > start) {
            return Err(Error::setting(
                "bin range",
                format!("[{start}, {stop})"),
                "finite bounds with stop after start",
            ));
        }
        let bins = bin_index(stop, start, width).max(0) as usize;
        let cells = bins
            .checked_mul(self.units.len().max(1))
            .filter(|&cells| cells <= 1 << 33);
        if cells.is_none() {
            return Err(Error::setting(
                "bin width",
                width,
                "wider bins: these are too many",
            ));
        }
        let mut counts = Array2::zeros((bins, self.units.len()));
        for (unit, train) in self.times.iter().enumerate() {
            for &time in train {
                let bin = bin_index(time, start, width);
                if bin >= 0 && (bin as usize) < bins {
                    counts[[bin as usize, unit]] += 1;
                }
            }
        }
        Ok(counts)
    }
}

/// The half-open bin that holds `time`. A time within 1e-6 of a bin of the next edge belongs to the
/// next bin, because that is where exact arithmetic would put it: 0.3 / 0.1 is 2.999… in floats.
pub fn bin_index(time: f64, start: f64, width: f64) -> i64 {
    ((time - start) / width + 1e-6).floor() as i64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spikes_on_edges_fall_into_the_later_bin() {
        let times: Vec<f64> = (0..1000).map(|tick| tick as f64 * 0.1).collect();
        let trains = SpikeTrains::new("a", vec!["u".into()], vec![times], None).unwrap();
        let counts = trains.bin(0.0, 100.0, 0.1).unwrap();
        assert_eq!(counts.nrows(), 1000);
        assert!(counts.iter().all(|&count| count == 1));
    }

    #[test]
    fn a_partial_last_bin_does_not_count() {
        let trains = SpikeTrains::new("a", vec!["u".into()], vec![vec![0.05, 0.95]], None).unwrap();
        assert_eq!(trains.bin(0.0, 0.99, 0.1).unwrap().nrows(), 9);
    }
}
