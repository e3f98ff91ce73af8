//! From a recording and its events to epochs: cutting, baseline correction, robust scaling, clamping.
//!
//! An epoch around an event at time `e` holds samples `k = round(start · rate) … round(stop · rate)`, both
//! ends included, counted from the sample nearest to `e`. With a baseline `[a, b]` the mean of samples
//! `round(a · rate) … round(b · rate)` is taken off each epoch and channel.
//!
//! Robust scaling is `(x - median) / (upper quartile - lower quartile)` per channel, over the epochs
//! that the scaler was fitted on: fit it on training epochs alone, or test data decide how they
//! are seen. Clamping afterwards keeps a single artefact from ruling a loss.
//!
//! Events whose epoch leaves the recording, crosses a gap or meets a sample that was not observed are
//! left out, each with its reason.

use std::fmt;

use chiasm_core::data::{Clock, Epochs, Event, Events, Recording};
use chiasm_core::{Error, Result};
use ndarray::{Array3, Axis, s};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use crate::resampling::quantile;

/// What is cut out around each event.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EpochSettings {
    /// Seconds from the event to the first sample; negative before the event.
    pub start: f64,
    /// Seconds from the event to the last sample.
    pub stop: f64,
    /// The stretch whose mean is taken off, in seconds from the event; must lie within the epoch.
    pub baseline: Option<(f64, f64)>,
}

impl Default for EpochSettings {
    /// -0.5 s to 1 s with the part before the event as baseline.
    fn default() -> Self {
        EpochSettings {
            start: -0.5,
            stop: 1.0,
            baseline: Some((-0.5, 0.0)),
        }
    }
}

impl EpochSettings {
    /// Checks that times are in order.
    pub fn check(&self) -> Result<()> {
        if !(self.start.is_finite() && self.stop.is_finite() && self.start <= self.stop) {
            let value = format!("{} to {} s", self.start, self.stop);
            return Err(Error::setting(
                "epoch",
                value,
                "a stop not before its start",
            ));
        }
        if let Some((from, to)) = self.baseline
            && !(from <= to && from >= self.start && to <= self.stop)
        {
            let value = format!("{from} to {to} s");
            let allowed = format!("a stretch within {} to {} s", self.start, self.stop);
            return Err(Error::setting("baseline", value, allowed));
        }
        Ok(())
    }
}

/// Why an event has no epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum DropReason {
    /// Its epoch begins before the recording does, or ends after it.
    OutsideRecording,
    /// Its epoch crosses a stretch that was not recorded.
    Gap,
    /// A sample of it was not observed, or is infinite.
    NotObserved,
}

impl fmt::Display for DropReason {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            DropReason::OutsideRecording => "outside the recording",
            DropReason::Gap => "across a gap",
            DropReason::NotObserved => "samples that were not observed",
        })
    }
}

/// Epochs, and the events that have none.
#[derive(Clone, Debug, PartialEq)]
pub struct CutEpochs {
    /// The epochs, in the order of their events.
    pub epochs: Epochs,
    /// Places of events without an epoch in the list of events, and why.
    pub dropped: Vec<(usize, DropReason)>,
}

/// Cuts a recording into epochs around events.
///
/// # Errors
/// Where settings contradict themselves, there are no events, or no event at all has a whole epoch.
pub fn cut(recording: &Recording, events: &Events, settings: &EpochSettings) -> Result<CutEpochs> {
    settings.check()?;
    let rate = steady_rate(recording)?;
    let first = (settings.start * rate).round();
    let last = (settings.stop * rate).round();
    // More samples than a recording has fit nowhere; this also keeps the numbers within `i64`.
    if last - first >= recording.samples.nrows() as f64 {
        let value = format!("{} to {} s", settings.start, settings.stop);
        let seconds = recording.samples.nrows() as f64 / rate;
        let allowed = format!("less than the {seconds} s of {}", recording.name);
        return Err(Error::setting("epoch", value, allowed));
    }
    let (first, length) = (first as i64, (last - first) as usize + 1);
    let (mut kept, mut begins, mut dropped) = (Vec::new(), Vec::new(), Vec::new());
    for (place, event) in events.list().iter().enumerate() {
        match begin_of(recording, event, rate, first, length) {
            Ok(begin) => {
                kept.push(event.clone());
                begins.push(begin);
            }
            Err(reason) => dropped.push((place, reason)),
        }
    }
    if kept.is_empty() {
        return Err(no_epochs(recording, events, &dropped));
    }
    let channels = recording.samples.ncols();
    let baseline = settings.baseline.map(|(from, to)| {
        let place = |time: f64| ((time * rate).round() as i64 - first).clamp(0, length as i64 - 1);
        (place(from) as usize, place(to) as usize)
    });
    let mut values = Array3::<f32>::zeros((kept.len(), channels, length));
    values
        .axis_iter_mut(Axis(0))
        .into_par_iter()
        .zip(&begins)
        .for_each(|(mut epoch, &begin)| {
            let stretch = recording.samples.slice(s![begin..begin + length, ..]);
            epoch.assign(&stretch.t());
            if let Some((from, to)) = baseline {
                for mut channel in epoch.rows_mut() {
                    let before = channel.slice(s![from..=to]);
                    let sum: f64 = before.iter().map(|&value| f64::from(value)).sum();
                    let mean = sum / before.len() as f64;
                    channel.mapv_inplace(|value| (f64::from(value) - mean) as f32);
                }
            }
        });
    let epochs = Epochs::new(
        recording.name.clone(),
        values,
        recording.channels.clone(),
        Events::new(&recording.name, kept)?,
        first as f64 / rate,
        rate,
        recording.unit.clone(),
    )?
    .with_positions(recording.positions.clone())?
    .with_baseline(settings.baseline)?;
    Ok(CutEpochs { epochs, dropped })
}

/// The rate between gaps: the inverse of the median step.
fn steady_rate(recording: &Recording) -> Result<f64> {
    match &recording.clock {
        Clock::Regular { rate, .. } => Ok(*rate),
        Clock::Irregular(times) => {
            let mut steps: Vec<f64> = times.windows(2).map(|pair| pair[1] - pair[0]).collect();
            steps.sort_unstable_by(f64::total_cmp);
            let step = quantile(&steps, 0.5);
            if step > 0.0 && step.is_finite() {
                return Ok(1.0 / step);
            }
            Err(Error::Unusable {
                operation: "epochs",
                reason: format!("{} has no steady sampling rate", recording.name),
            })
        }
    }
}

/// Where an event's epoch begins in the recording.
fn begin_of(
    recording: &Recording,
    event: &Event,
    rate: f64,
    first: i64,
    length: usize,
) -> std::result::Result<usize, DropReason> {
    let nearest = match &recording.clock {
        Clock::Regular { start, .. } => ((event.onset - start) * rate).round(),
        Clock::Irregular(times) => {
            let after = times.partition_point(|&time| time < event.onset);
            let far = |index: usize| (times[index] - event.onset).abs();
            let nearest = match after {
                0 => 0,
                after if after == times.len() => after - 1,
                after if far(after) < far(after - 1) => after,
                after => after - 1,
            };
            if far(nearest) > 0.5001 / rate {
                let inside = after > 0 && after < times.len();
                return Err(match inside {
                    true => DropReason::Gap,
                    false => DropReason::OutsideRecording,
                });
            }
            nearest as f64
        }
    };
    let samples = recording.samples.nrows();
    let begin = nearest + first as f64;
    if begin < 0.0 || begin + length as f64 > samples as f64 {
        return Err(DropReason::OutsideRecording);
    }
    let begin = begin as usize;
    if let Clock::Irregular(times) = &recording.clock {
        // The event's own sample may lie outside its epoch; the way there must be whole too.
        let nearest = nearest as usize;
        let (from, to) = (begin.min(nearest), (begin + length - 1).max(nearest));
        let span = times[to] - times[from];
        if (span - (to - from) as f64 / rate).abs() > 0.5 / rate {
            return Err(DropReason::Gap);
        }
    }
    let stretch = recording.samples.slice(s![begin..begin + length, ..]);
    match stretch.iter().all(|value| value.is_finite()) {
        true => Ok(begin),
        false => Err(DropReason::NotObserved),
    }
}

fn no_epochs(recording: &Recording, events: &Events, dropped: &[(usize, DropReason)]) -> Error {
    let count = |wanted: DropReason| {
        let reasons = dropped.iter().filter(|(_, reason)| *reason == wanted);
        (reasons.count(), wanted)
    };
    let reasons: Vec<String> = [
        DropReason::OutsideRecording,
        DropReason::Gap,
        DropReason::NotObserved,
    ]
    .map(count)
    .iter()
    .filter(|(count, _)| *count > 0)
    .map(|(count, reason)| format!("{count} {reason}"))
    .collect();
    Error::Unusable {
        operation: "epochs",
        reason: format!(
            "none of the {} events has a whole epoch in {}: {}",
            events.len(),
            recording.name,
            reasons.join(", ")
        ),
    }
}

/// Centre and spread of each channel, learned from training epochs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RobustScaler {
    /// The median of each channel.
    pub centre: Vec<f64>,
    /// The distance between the quartiles of each channel; 1 where they fall together.
    pub spread: Vec<f64>,
    /// Channels whose quartiles fall together: they are only centred.
    pub flat: Vec<usize>,
}

impl RobustScaler {
    /// Learns from the epochs at these places, which must be of the training set alone.
    pub fn fit(epochs: &Epochs, training: &[usize]) -> Result<Self> {
        let (count, channels, samples) = epochs.values.dim();
        if let Some(&place) = training.iter().find(|&&place| place >= count) {
            let allowed = format!("below {count}, the number of epochs");
            return Err(Error::setting("training epoch", place, allowed));
        }
        if training.is_empty() || samples == 0 {
            return Err(Error::TooFew {
                operation: "robust scaling",
                what: "training epochs",
                found: 0,
                needed: 1,
            });
        }
        let quartiles: Vec<[f64; 3]> = (0..channels)
            .into_par_iter()
            .map(|channel| {
                let mut values: Vec<f64> = Vec::with_capacity(training.len() * samples);
                for &epoch in training {
                    let row = epochs.values.slice(s![epoch, channel, ..]);
                    values.extend(row.iter().map(|&value| f64::from(value)));
                }
                values.sort_unstable_by(f64::total_cmp);
                [0.25, 0.5, 0.75].map(|share| quantile(&values, share))
            })
            .collect();
        let spreads = quartiles.iter().map(|[lower, _, upper]| upper - lower);
        let flat = spreads
            .clone()
            .enumerate()
            .filter(|(_, spread)| *spread <= 0.0)
            .map(|(channel, _)| channel)
            .collect();
        Ok(RobustScaler {
            centre: quartiles.iter().map(|[_, median, _]| *median).collect(),
            spread: spreads
                .map(|spread| if spread > 0.0 { spread } else { 1.0 })
                .collect(),
            flat,
        })
    }

    /// Scales epochs in place; they have no unit afterwards. With `clamp`, values are kept within
    /// `-clamp ..= clamp`.
    pub fn apply(&self, epochs: &mut Epochs, clamp: Option<f64>) -> Result<()> {
        if epochs.channels.len() != self.centre.len() {
            return Err(Error::Shape {
                operation: "robust scaling",
                what: epochs.name.clone(),
                axis: "channels",
                found: epochs.channels.len(),
                expected: self.centre.len().to_string(),
            });
        }
        if let Some(limit) = clamp.filter(|limit| limit.is_nan() || *limit <= 0.0) {
            return Err(Error::setting("clamp", limit, "above 0"));
        }
        let limit = clamp.unwrap_or(f64::from(f32::MAX));
        epochs
            .values
            .axis_iter_mut(Axis(0))
            .into_par_iter()
            .for_each(|mut epoch| {
                let channels = epoch.rows_mut().into_iter();
                for (mut channel, (centre, spread)) in
                    channels.zip(self.centre.iter().zip(&self.spread))
                {
                    channel.mapv_inplace(|value| {
                        let scaled = (f64::from(value) - centre) / spread;
                        scaled.clamp(-limit, limit) as f32
                    });
                }
            });
        epochs.unit = String::new();
        Ok(())
    }
}
