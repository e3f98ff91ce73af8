//! Which neuron was found in which animal.

use std::collections::BTreeMap;

use chiasm_core::data::{Clock, Recording};
use chiasm_core::{Error, Result};

const OPERATION: &str = "dynamic connectome";

/// Recordings checked against each other, with neurons identified by name.
#[derive(Clone, Debug)]
pub(super) struct Roster<'a> {
    pub(super) recordings: &'a [Recording],
    pub(super) neurons: Vec<String>,
    /// Animals x neurons: the column of a neuron in an animal's recording.
    pub(super) column: Vec<Vec<Option<usize>>>,
    pub(super) frames: usize,
    pub(super) rate: f64,
    pub(super) start: f64,
}

impl<'a> Roster<'a> {
    /// Checks rates, lengths and values, and lists the neurons that were found in at least
    /// `least_animals` of the recordings. A column of NaN alone is a neuron that was not found.
    pub(super) fn new(recordings: &'a [Recording], least_animals: usize) -> Result<Self> {
        let Some(first) = recordings.first() else {
            return Err(too_few("recordings", 0, 1));
        };
        let (frames, rate) = (first.samples.nrows(), steady_rate(first)?);
        let mut found: BTreeMap<&str, Vec<Option<usize>>> = BTreeMap::new();
        let mut constant = Vec::new();
        for (animal, recording) in recordings.iter().enumerate() {
            if recording.samples.nrows() != frames {
                return Err(Error::Shape {
                    operation: OPERATION,
                    what: recording.name.clone(),
                    axis: "samples",
                    found: recording.samples.nrows(),
                    expected: format!("{frames}, as in {}", first.name),
                });
            }
            let own = steady_rate(recording)?;
            if (own / rate - 1.0).abs() > 1e-3 {
                return Err(Error::setting(
                    format!("sampling rate of {}", recording.name),
                    own,
                    format!("{rate} samples per second, as in {}", first.name),
                ));
            }
            for (column, name) in recording.channels.iter().enumerate() {
                let trace = recording.samples.column(column);
                let gaps = trace.iter().filter(|value| !value.is_finite()).count();
                if gaps == frames && trace.iter().all(|value| value.is_nan()) {
                    continue;
                }
                if gaps > 0 {
                    let at = trace
                        .iter()
                        .position(|value| !value.is_finite())
                        .unwrap_or(0);
                    return Err(Error::NotFinite {
                        what: format!("the trace of {name} in {}", recording.name),
                        count: gaps,
                        first: format!("sample {at}"),
                    });
                }
                if trace.iter().all(|value| *value == trace[0]) {
                    constant.push(format!("{name} in {}", recording.name));
                }
                let places = found
                    .entry(name)
                    .or_insert_with(|| vec![None; recordings.len()]);
                if places[animal].replace(column).is_some() {
                    return Err(Error::Unusable {
                        operation: OPERATION,
                        reason: format!("{} has two neurons called {name}", recording.name),
                    });
                }
            }
        }
        if !constant.is_empty() {
            let named = constant[..constant.len().min(8)].join(", ");
            let more = if constant.len() > 8 { ", …" } else { "" };
            return Err(Error::Unusable {
                operation: OPERATION,
                reason: format!(
                    "{} trace(s) never change: {named}{more}; set them to NaN if the neuron was not found",
                    constant.len()
                ),
            });
        }
        let least = least_animals.min(recordings.len());
        let known = found.len();
        found.retain(|_, places| places.iter().flatten().count() >= least);
        if found.len() < 3 {
            return Err(Error::Unusable {
                operation: OPERATION,
                reason: format!(
                    "{} of {known} neurons were found in at least {least} recordings, 3 are needed; \
                     are neurons named alike?",
                    found.len()
                ),
            });
        }
        let neurons: Vec<String> = found.keys().map(|name| name.to_string()).collect();
        let column = (0..recordings.len())
            .map(|animal| found.values().map(|places| places[animal]).collect())
            .collect();
        Ok(Roster {
            recordings,
            neurons,
            column,
            frames,
            rate,
            start: first.time(0),
        })
    }

    /// The trace of a neuron in an animal, where it was found.
    pub(super) fn trace(&self, animal: usize, neuron: usize) -> Option<Vec<f64>> {
        let column = self.column[animal][neuron]?;
        let samples = self.recordings[animal].samples.column(column);
        Some(samples.iter().map(|&value| f64::from(value)).collect())
    }

    /// Places (animal, pair) of all pairs of neurons found together, sorted.
    pub(super) fn places(&self) -> Vec<(usize, usize)> {
        let mut places = Vec::new();
        for (animal, column) in self.column.iter().enumerate() {
            let mut pair = 0;
            for i in 0..self.neurons.len() {
                for j in i + 1..self.neurons.len() {
                    if column[i].is_some() && column[j].is_some() {
                        places.push((animal, pair));
                    }
                    pair += 1;
                }
            }
        }
        places
    }

    /// The number of pairs of neurons.
    pub(super) fn pairs(&self) -> usize {
        self.neurons.len() * (self.neurons.len() - 1) / 2
    }
}

/// The sampling rate, where samples come at even steps (to 5%).
fn steady_rate(recording: &Recording) -> Result<f64> {
    if recording.samples.nrows() < 2 {
        return Err(too_few(
            "samples in a recording",
            recording.samples.nrows(),
            2,
        ));
    }
    let rate = recording.rate().unwrap_or(f64::NAN);
    if let Clock::Irregular(times) = &recording.clock {
        let uneven = times
            .windows(2)
            .position(|pair| ((pair[1] - pair[0]) * rate - 1.0).abs() > 0.05);
        if let Some(sample) = uneven {
            return Err(Error::Unusable {
                operation: OPERATION,
                reason: format!(
                    "{}: samples {sample} and {} are not one step apart; resample to a steady rate",
                    recording.name,
                    sample + 1
                ),
            });
        }
    }
    Ok(rate)
}

fn too_few(what: &'static str, found: usize, needed: usize) -> Error {
    Error::TooFew {
        operation: OPERATION,
        what,
        found,
        needed,
    }
}
