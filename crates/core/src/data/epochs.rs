//! Stretches of a recording around events.

use ndarray::Array3;

use super::{Events, SensorPositions, require_finite};
use crate::error::{Error, Result};

/// Epochs x channels x samples: equally long stretches of a recording, each around an event.
///
/// Every value is finite: what was not observed is no epoch. Time 0 is the event.
#[derive(Clone, Debug, PartialEq)]
pub struct Epochs {
    /// What was recorded.
    pub name: String,
    /// Epochs x channels x samples.
    pub values: Array3<f32>,
    /// One name per channel.
    pub channels: Vec<String>,
    /// The event of each epoch.
    pub events: Events,
    /// Seconds from the event to the first sample; negative before the event.
    pub start: f64,
    /// Samples per second.
    pub rate: f64,
    /// The unit of the values, e.g. `V`; empty where unknown.
    pub unit: String,
    /// The stretch, in seconds from the event, whose mean was taken off each epoch and channel.
    pub baseline: Option<(f64, f64)>,
    /// Where the sensors are, where known.
    pub positions: Option<SensorPositions>,
}

impl Epochs {
    /// Checks that names, events and times fit the values, and that no value is NaN or infinite.
    #[allow(clippy::too_many_arguments, reason = "each is an axis or its label")]
    pub fn new(
        name: impl Into<String>,
        values: Array3<f32>,
        channels: Vec<String>,
        events: Events,
        start: f64,
        rate: f64,
        unit: impl Into<String>,
    ) -> Result<Self> {
        let name = name.into();
        let (count, width, samples) = values.dim();
        for (axis, found, expected) in [
            ("events", events.len(), count),
            ("channel names", channels.len(), width),
        ] {
            if found != expected {
                return Err(Error::Shape {
                    operation: "epochs",
                    what: name,
                    axis,
                    found,
                    expected: expected.to_string(),
                });
            }
        }
        if !(rate.is_finite() && rate > 0.0 && start.is_finite()) {
            return Err(Error::setting(
                format!("sampling rate of {name}"),
                rate,
                "a positive number of samples per second",
            ));
        }
        if let Some(first) = values.iter().position(|value| !value.is_finite()) {
            let (epoch, rest) = (first / (width * samples), first % (width * samples));
            let count = values.iter().filter(|value| !value.is_finite()).count();
            return Err(Error::NotFinite {
                what: name,
                count,
                first: format!(
                    "epoch {epoch}, channel {}, sample {}",
                    rest / samples,
                    rest % samples
                ),
            });
        }
        Ok(Epochs {
            name,
            values,
            channels,
            events,
            start,
            rate,
            unit: unit.into(),
            baseline: None,
            positions: None,
        })
    }

    /// The same with sensor positions, of which there must be one entry a channel.
    pub fn with_positions(mut self, positions: Option<SensorPositions>) -> Result<Self> {
        if let Some(positions) = &positions {
            positions.check("epochs", &self.name, self.channels.len())?;
        }
        self.positions = positions;
        Ok(self)
    }

    /// The same with the baseline that was taken off.
    pub fn with_baseline(mut self, baseline: Option<(f64, f64)>) -> Result<Self> {
        if let Some((start, stop)) = baseline {
            let what = format!("baseline of {}", self.name);
            require_finite(&what, [start, stop].iter(), |_| "an end".to_string())?;
        }
        self.baseline = baseline;
        Ok(self)
    }

    /// Seconds from the event to sample `index`.
    pub fn time(&self, index: usize) -> f64 {
        self.start + index as f64 / self.rate
    }
}

#[cfg(test)]
mod tests {
    use super::super::Event;
    use super::*;

    #[test]
    fn shapes_and_values_are_checked() {
        let make = |values: Array3<f32>, events: usize| {
            let events = Events::new("e", vec![Event::default(); events]).unwrap();
            let channels = vec!["a".to_string(), "b".to_string()];
            Epochs::new("e", values, channels, events, -0.5, 10.0, "V")
        };
        let good = make(Array3::zeros((3, 2, 4)), 3).unwrap();
        assert!((good.time(2) + 0.3).abs() < 1e-12);
        assert!(make(Array3::zeros((3, 2, 4)), 2).is_err());
        assert!(make(Array3::zeros((3, 1, 4)), 3).is_err());
        let mut holed = Array3::zeros((3, 2, 4));
        holed[[1, 1, 2]] = f32::NAN;
        let message = make(holed, 3).unwrap_err().to_string();
        assert!(
            message.contains("epoch 1, channel 1, sample 2"),
            "{message}"
        );
    }
}
