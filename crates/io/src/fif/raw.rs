//! Continuous recordings.
//!
//! Data stand in buffers, sample by sample, and a value in SI units is the stored number times the
//! channel's range times its calibration. Where buffers were skipped nothing was recorded; what comes
//! after keeps its time.

use chiasm_core::data::{Clock, Event, Events};
use ndarray::Array2;

use super::channel::{Channel, ChannelKind};
use super::information::Information;
use super::numbers;
use super::outline::{Annotations, RawLayout, Stretch};
use super::tags::Tags;
use crate::{Error, Result};

/// A continuous recording.
#[derive(Clone, Debug, PartialEq)]
pub struct Raw {
    /// Samples x channels, in SI units, in the order of [`Information::channels`].
    pub samples: Array2<f32>,
    /// When they were taken; time 0 is the first sample. Irregular where there are gaps.
    pub clock: Clock,
    /// The number of the first sample on the clock of the acquisition, on which triggers count too.
    pub first_sample: i64,
    /// Annotations, with onsets on the clock of the samples. Their texts are the events' kinds.
    pub annotations: Events,
    /// How many files it was split into.
    pub parts: usize,
}

/// A change of a trigger channel, or a line of an event list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Trigger {
    /// The sample, counted from the start of the acquisition, so that [`Raw::first_sample`] comes off.
    pub sample: i64,
    /// The value before.
    pub previous: i32,
    /// The value.
    pub value: i32,
}

impl Raw {
    /// Seconds from the first sample to a trigger, on a clock without gaps.
    pub fn seconds(&self, trigger: &Trigger, information: &Information) -> f64 {
        (trigger.sample - self.first_sample) as f64 / information.rate
    }

    /// Where a stimulus channel, by its place among the channels, rises to a higher value. As MNE's
    /// `find_events` by default: the sign is ignored, values are cut to whole numbers, the value at the
    /// very first sample is no event.
    pub(super) fn triggers(&self, channel: usize, rate: f64) -> Vec<Trigger> {
        let column = self.samples.column(channel);
        let value = |sample: f32| (sample as i32).saturating_abs();
        let rises = column.iter().zip(column.iter().skip(1)).enumerate();
        rises
            .filter(|(_, (before, after))| value(**after) > value(**before))
            .map(|(index, (&before, &after))| {
                let sample = match &self.clock {
                    Clock::Regular { .. } => index as i64 + 1,
                    Clock::Irregular(times) => (times[index + 1] * rate).round() as i64,
                };
                Trigger {
                    sample: self.first_sample.saturating_add(sample),
                    previous: value(before),
                    value: value(after),
                }
            })
            .collect()
    }
}

/// Which channel holds triggers: the one that was asked for, else the composite one, else the only one.
pub(super) fn stimulus_channel(
    channels: &[Channel],
    asked: Option<&str>,
    name: &str,
) -> Result<usize> {
    let stimuli: Vec<usize> = (0..channels.len())
        .filter(|&index| channels[index].kind == ChannelKind::Stimulus)
        .collect();
    let called = |wanted: &str| {
        let mut places = 0..channels.len();
        places.find(|&index| channels[index].name == wanted)
    };
    let found = match asked {
        Some(asked) => called(asked),
        None => called("STI 014")
            .or_else(|| called("STI101"))
            .or(match stimuli[..] {
                [only] => Some(only),
                _ => None,
            }),
    };
    found.ok_or_else(|| Error::NotFound {
        file: name.to_string(),
        what: "stimulus channel",
        name: asked.unwrap_or("STI 014").to_string(),
        available: stimuli
            .iter()
            .map(|&index| channels[index].name.clone())
            .collect(),
    })
}

/// The factor that turns stored numbers of each channel into SI units.
pub(crate) fn factors(channels: &[Channel]) -> Vec<f64> {
    channels
        .iter()
        .map(|channel| channel.range * channel.calibration)
        .collect()
}

impl RawLayout {
    /// Recorded samples.
    pub(crate) fn recorded(&self) -> u64 {
        self.stretches
            .iter()
            .map(|stretch| match stretch {
                Stretch::Data(_, samples) => *samples,
                Stretch::Gap(_) => 0,
            })
            .sum()
    }

    /// Samples from the first to the last, gaps included.
    pub(crate) fn span(&self) -> u64 {
        self.stretches.iter().fold(0, |total: u64, stretch| {
            total.saturating_add(match stretch {
                Stretch::Data(_, samples) | Stretch::Gap(samples) => *samples,
            })
        })
    }

    /// Hands over the recorded values in SI units, in pieces that may begin with any channel.
    pub(crate) fn stream(
        &self,
        tags: &mut Tags<'_>,
        channels: &[Channel],
        most: u64,
        mut take: impl FnMut(usize, f64),
    ) -> Result<()> {
        let factors = factors(channels);
        let mut left = most;
        for stretch in &self.stretches {
            let Stretch::Data(stored, samples) = stretch else {
                continue;
            };
            let samples = (*samples).min(left);
            left -= samples;
            if samples == 0 {
                break;
            }
            let mut channel = 0;
            numbers::stream(tags, stored, samples * channels.len() as u64, |piece| {
                for value in piece {
                    take(channel, value * factors[channel]);
                    channel += 1;
                    if channel == factors.len() {
                        channel = 0;
                    }
                }
            })?;
        }
        Ok(())
    }

    /// Sets the times of the recorded samples behind those in `times`; `offset` samples come before.
    pub(super) fn extend_times(&self, times: &mut Vec<f64>, offset: u64, rate: f64) {
        let mut at = offset;
        for stretch in &self.stretches {
            match stretch {
                Stretch::Gap(samples) => at = at.saturating_add(*samples),
                Stretch::Data(_, samples) => {
                    times.extend((0..*samples).map(|index| (at + index) as f64 / rate));
                    at = at.saturating_add(*samples);
                }
            }
        }
    }
}

impl Annotations {
    /// As events on the clock of the samples.
    ///
    /// Onsets count from the start of the acquisition, or from an origin of their own; without either
    /// they count from the first sample.
    pub(crate) fn events(
        &self,
        first_sample: i64,
        information: &Information,
        name: &str,
    ) -> Result<Events> {
        let count = self.onsets.len();
        if self.ends.len() != count || self.texts.len() != count {
            let reason = format!(
                "{count} onsets, {} ends and {} texts",
                self.ends.len(),
                self.texts.len()
            );
            return Err(Error::malformed(name, "annotations", reason));
        }
        let before = first_sample as f64 / information.rate;
        let shift = match (self.origin, information.measured) {
            (Some(origin), Some(measured)) => {
                (origin.0 - measured.0) as f64 + (origin.1 - measured.1) as f64 * 1e-6 - before
            }
            (None, Some(_)) => 0.0,
            (_, None) => -before,
        };
        let rows = self.onsets.iter().zip(&self.ends).zip(&self.texts);
        let list = rows.map(|((&onset, &end), text)| Event {
            onset: onset + shift,
            // Ends are kept in single precision and may round to before their onset.
            duration: if end < onset { 0.0 } else { end - onset },
            kind: text.clone(),
            ..Event::default()
        });
        Ok(Events::new(
            &format!("annotations of {name}"),
            list.collect(),
        )?)
    }
}
