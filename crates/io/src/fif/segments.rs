//! Epochs and evoked responses: stretches of equal length around an event.
//!
//! Both stand as a matrix, (epochs x) channels x samples, and a value in SI units is the stored number
//! times the channel's calibration.

use chiasm_core::data::{Event, Events};
use ndarray::{Array2, Array3};

use super::channel::Channel;
use super::information::Information;
use super::numbers::{self, check_matrix};
use super::outline::{EpochsLayout, EventList, EvokedLayout, Numbers};
use super::raw::Trigger;
use super::tags::Tags;
use crate::{Error, Result};

/// Epochs as they are stored.
#[derive(Clone, Debug, PartialEq)]
pub struct StoredEpochs {
    /// Epochs x channels x samples, in SI units, in the order of [`Information::channels`].
    pub values: Array3<f32>,
    /// The event of each epoch.
    pub triggers: Vec<Trigger>,
    /// The name of each trigger value.
    pub event_ids: Vec<(String, i32)>,
    /// Seconds from the event to the first sample.
    pub start: f64,
    /// The stretch whose mean was taken off, in seconds from the event.
    pub baseline: Option<(f64, f64)>,
    /// Samples per second of the recording that triggers count in.
    pub raw_rate: f64,
    /// How many files they were split into.
    pub parts: usize,
}

/// What an evoked response is of its epochs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Aspect {
    /// Their mean.
    Average,
    /// The standard error of their mean.
    StandardError,
    /// One of them.
    Single,
    /// Anything else, by the dictionary's number.
    Other(i32),
}

/// An evoked response.
#[derive(Clone, Debug, PartialEq)]
pub struct Evoked {
    /// What evoked it.
    pub comment: String,
    /// What it is of its epochs.
    pub aspect: Aspect,
    /// How many epochs went into it.
    pub averages: i32,
    /// Channels x samples, in SI units, in the order of [`Information::channels`].
    pub values: Array2<f32>,
    /// Seconds from the event to the first sample.
    pub start: f64,
    /// The stretch whose mean was taken off, in seconds from the event.
    pub baseline: Option<(f64, f64)>,
}

impl StoredEpochs {
    /// The epochs' events: onsets in seconds on the clock of the recording they were cut from, counted
    /// from the start of its acquisition; kinds are the names of the trigger values.
    pub(super) fn events(&self, name: &str) -> Result<Events> {
        let list = self.triggers.iter().map(|trigger| Event {
            onset: trigger.sample as f64 / self.raw_rate,
            kind: kind_of(trigger.value, &self.event_ids),
            ..Event::default()
        });
        Ok(Events::new(name, list.collect())?)
    }
}

/// The name of a trigger value; its number where it has none.
pub(crate) fn kind_of(value: i32, ids: &[(String, i32)]) -> String {
    let named = ids.iter().find(|(_, id)| *id == value);
    named.map_or_else(|| value.to_string(), |(name, _)| name.clone())
}

impl EventList {
    /// As triggers.
    pub(crate) fn triggers(&self) -> Vec<Trigger> {
        let trigger = |&[sample, previous, value]: &[i32; 3]| Trigger {
            sample: i64::from(sample),
            previous,
            value,
        };
        self.triples.iter().map(trigger).collect()
    }
}

/// A matrix and its sizes, epochs or not.
pub(crate) struct Matrix<'a> {
    pub(crate) numbers: &'a Numbers,
    pub(crate) epochs: u64,
    pub(crate) samples: u64,
}

impl Matrix<'_> {
    /// Hands over its values in SI units, with their channels, epoch by epoch and channel by channel.
    pub(crate) fn stream(
        &self,
        tags: &mut Tags<'_>,
        channels: &[Channel],
        most: u64,
        mut take: impl FnMut(usize, f64),
    ) -> Result<()> {
        let count = (self.epochs * channels.len() as u64 * self.samples).min(most);
        let (mut channel, mut sample) = (0, 0);
        numbers::stream(tags, self.numbers, count, |piece| {
            for value in piece {
                take(channel, value * channels[channel].calibration);
                sample += 1;
                if sample == self.samples {
                    sample = 0;
                    channel = (channel + 1) % channels.len();
                }
            }
        })
    }

    fn read(&self, tags: &mut Tags<'_>, channels: &[Channel], into: &mut Vec<f32>) -> Result<()> {
        self.stream(tags, channels, u64::MAX, |_, value| {
            into.push(value as f32);
        })
    }
}

impl EpochsLayout {
    /// The matrix and its sizes, by what the events and the times say.
    pub(crate) fn matrix(&self, name: &str) -> Result<Matrix<'_>> {
        let Some(numbers) = &self.data else {
            return Err(Error::malformed(name, "epochs", "hold no data"));
        };
        let samples = samples_between(self.first, self.last, "epochs", name)?;
        Ok(Matrix {
            numbers,
            epochs: self.events.triples.len() as u64,
            samples,
        })
    }

    /// Reads the values behind those in `into`; the matrix is checked against the events, the channels
    /// and the times first.
    pub(super) fn read(
        &self,
        tags: &mut Tags<'_>,
        information: &Information,
        into: &mut Vec<f32>,
    ) -> Result<()> {
        self.matrix(tags.name)?
            .read(tags, &information.channels, into)
    }

    /// Checks the matrix on a walk of its own, so that its numbers can be read in order afterwards.
    pub(crate) fn check(&self, tags: &mut Tags<'_>, information: &Information) -> Result<()> {
        let matrix = self.matrix(tags.name)?;
        let channels = information.channels.len() as u64;
        check_matrix(
            tags,
            matrix.numbers,
            &[matrix.epochs, channels, matrix.samples],
        )
    }

    /// The baseline, where both ends are known.
    pub(crate) fn baseline(&self, name: &str) -> Result<Option<(f64, f64)>> {
        baseline(self.baseline, name)
    }

    /// Seconds from the event to the first sample.
    pub(crate) fn start(&self, rate: f64) -> f64 {
        f64::from(self.first.unwrap_or(0)) / rate
    }
}

impl EvokedLayout {
    /// The matrix and its sizes.
    pub(crate) fn matrix(&self, name: &str) -> Result<Matrix<'_>> {
        let Some(numbers) = &self.data else {
            return Err(Error::malformed(name, "evoked response", "holds no data"));
        };
        let samples = samples_between(self.first, self.last, "evoked response", name)?;
        Ok(Matrix {
            numbers,
            epochs: 1,
            samples,
        })
    }

    /// Checks the matrix on a walk of its own.
    pub(crate) fn check(&self, tags: &mut Tags<'_>, information: &Information) -> Result<()> {
        let matrix = self.matrix(tags.name)?;
        let channels = information.channels.len() as u64;
        check_matrix(tags, matrix.numbers, &[channels, matrix.samples])
    }

    /// Seconds from the event to the first sample.
    pub(crate) fn start(&self, rate: f64) -> f64 {
        let by_number = f64::from(self.first.unwrap_or(0)) / rate;
        self.first_time
            .filter(|time| time.is_finite())
            .unwrap_or(by_number)
    }

    /// What it is of its epochs.
    pub(crate) fn aspect(&self) -> Aspect {
        match self.aspect {
            100 => Aspect::Average,
            101 => Aspect::StandardError,
            102 => Aspect::Single,
            other => Aspect::Other(other),
        }
    }

    pub(super) fn read(&self, tags: &mut Tags<'_>, information: &Information) -> Result<Evoked> {
        let name = tags.name;
        let matrix = self.matrix(name)?;
        let channels = &information.channels;
        let mut values = numbers::room(matrix.samples * channels.len() as u64, name)?;
        matrix.read(tags, channels, &mut values)?;
        let values = Array2::from_shape_vec((channels.len(), matrix.samples as usize), values)
            .map_err(|error| Error::malformed(name, "evoked response", error.to_string()))?;
        Ok(Evoked {
            comment: self.comment.clone(),
            aspect: self.aspect(),
            averages: self.averages,
            values,
            start: self.start(information.rate),
            baseline: baseline(self.baseline, name)?,
        })
    }
}

fn samples_between(first: Option<i32>, last: Option<i32>, what: &str, name: &str) -> Result<u64> {
    let (Some(first), Some(last)) = (first, last) else {
        return Err(Error::malformed(
            name,
            what,
            "the first or the last sample is missing",
        ));
    };
    let samples = i64::from(last) - i64::from(first) + 1;
    match u64::try_from(samples) {
        Ok(samples) if samples > 0 => Ok(samples),
        _ => {
            let reason = format!("last sample {last} before first sample {first}");
            Err(Error::malformed(name, what, reason))
        }
    }
}

fn baseline(ends: (Option<f64>, Option<f64>), name: &str) -> Result<Option<(f64, f64)>> {
    match ends {
        (Some(start), Some(stop)) if start.is_finite() && stop.is_finite() => {
            Ok(Some((start, stop)))
        }
        (None, None) => Ok(None),
        _ => Err(Error::malformed(name, "baseline", "has no two finite ends")),
    }
}
