//! Sampled signals.

use ndarray::Array2;

use super::SensorPositions;
use crate::error::{Error, Result};

/// When samples were taken.
#[derive(Clone, Debug, PartialEq)]
pub enum Clock {
    /// Sample `k` was taken at `start + k / rate`.
    Regular {
        /// Time of the first sample in seconds.
        start: f64,
        /// Samples per second.
        rate: f64,
    },
    /// One time in seconds per sample, not decreasing.
    Irregular(Vec<f64>),
}

/// A signal over time on named channels: traces, EEG, LFP, sound, behaviour.
///
/// A sample that was not observed is NaN: a neuron that was not found in an animal, a dropped
/// stretch. Methods that cannot do with gaps say so.
#[derive(Clone, Debug, PartialEq)]
pub struct Recording {
    /// What was recorded, e.g. a file or an animal.
    pub name: String,
    /// Samples x channels.
    pub samples: Array2<f32>,
    /// One name per channel.
    pub channels: Vec<String>,
    /// When the samples were taken.
    pub clock: Clock,
    /// The unit of the samples, e.g. `V`; empty where unknown.
    pub unit: String,
    /// Where the sensors are, where known.
    pub positions: Option<SensorPositions>,
}

impl Recording {
    /// Checks that names and times fit the samples.
    pub fn new(
        name: impl Into<String>,
        samples: Array2<f32>,
        channels: Vec<String>,
        clock: Clock,
        unit: impl Into<String>,
    ) -> Result<Self> {
        let name = name.into();
        let shape = |axis, found, expected: usize| Error::Shape {
            operation: "recording",
            what: name.clone(),
            axis,
            found,
            expected: expected.to_string(),
        };
        if channels.len() != samples.ncols() {
            return Err(shape("channel names", channels.len(), samples.ncols()));
        }
        match &clock {
            Clock::Regular { start, rate } => {
                if !(rate.is_finite() && *rate > 0.0 && start.is_finite()) {
                    return Err(Error::setting(
                        format!("sampling rate of {name}"),
                        rate,
                        "a positive number of samples per second",
                    ));
                }
            }
            Clock::Irregular(times) => {
                if times.len() != samples.nrows() {
                    return Err(shape("timestamps", times.len(), samples.nrows()));
                }
                let unordered = times.windows(2).position(|pair| {
                    // NaN is in no order with anything.
                    !pair[0]
                        .partial_cmp(&pair[1])
                        .is_some_and(std::cmp::Ordering::is_le)
                });
                let first_bad = times.first().is_some_and(|time| !time.is_finite());
                if let Some(index) = unordered.or(first_bad.then_some(0)) {
                    return Err(Error::Unusable {
                        operation: "recording",
                        reason: format!(
                            "{name}: timestamps are not finite and in order at sample {index}"
                        ),
                    });
                }
            }
        }
        Ok(Recording {
            name,
            samples,
            channels,
            clock,
            unit: unit.into(),
            positions: None,
        })
    }

    /// The same with sensor positions, of which there must be one entry a channel.
    pub fn with_positions(mut self, positions: Option<SensorPositions>) -> Result<Self> {
        if let Some(positions) = &positions {
            positions.check("recording", &self.name, self.channels.len())?;
        }
        self.positions = positions;
        Ok(self)
    }

    /// Time of sample `index` in seconds.
    pub fn time(&self, index: usize) -> f64 {
        match &self.clock {
            Clock::Regular { start, rate } => start + index as f64 / rate,
            Clock::Irregular(times) => times[index],
        }
    }

    /// Samples per second; for irregular clocks the mean rate. `None` with fewer than two samples.
    pub fn rate(&self) -> Option<f64> {
        match &self.clock {
            Clock::Regular { rate, .. } => Some(*rate),
            Clock::Irregular(times) => {
                let span = times.last()? - times.first()?;
                (span > 0.0).then(|| (times.len() - 1) as f64 / span)
            }
        }
    }
}
