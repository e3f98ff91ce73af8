//! The affinity that derivatives replace: correlation over a window that slides along.

use chiasm_core::{Error, Progress, Result};
use chiasm_numerics::tensor::ObservedTensor;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::affinity::pair_list;
use super::roster::Roster;

/// The window of [`super::Affinities::SlidingWindow`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SlidingWindow {
    /// Length in seconds.
    pub window_seconds: f64,
    /// Distance between the starts of two windows in seconds.
    pub step_seconds: f64,
}

impl Default for SlidingWindow {
    fn default() -> Self {
        SlidingWindow {
            window_seconds: 10.0,
            step_seconds: 1.0,
        }
    }
}

impl SlidingWindow {
    /// Checks the ranges.
    ///
    /// # Errors
    /// [`Error::Setting`] where a length is not a positive number of seconds.
    pub fn check(&self) -> Result<()> {
        for (name, seconds) in [
            ("window_seconds", self.window_seconds),
            ("step_seconds", self.step_seconds),
        ] {
            if !(seconds > 0.0 && seconds.is_finite()) {
                return Err(Error::setting(
                    name,
                    seconds,
                    "a positive number of seconds",
                ));
            }
        }
        Ok(())
    }
}

/// Positive parts of Pearson correlations over windows x animals x pairs; a window in which a trace
/// does not change correlates with nothing.
pub(super) fn window_affinities(
    roster: &Roster<'_>,
    settings: &SlidingWindow,
    progress: &Progress,
) -> Result<ObservedTensor> {
    let length = (settings.window_seconds * roster.rate).round();
    let step = (settings.step_seconds * roster.rate).round();
    if !(length >= 3.0 && length <= roster.frames as f64) {
        return Err(Error::setting(
            "window_seconds",
            settings.window_seconds,
            "at least 3 samples, at most the recording",
        ));
    }
    if !(step >= 1.0 && step <= roster.frames as f64) {
        return Err(Error::setting(
            "step_seconds",
            settings.step_seconds,
            "at least one sample",
        ));
    }
    let (length, step) = (length as usize, step as usize);
    let windows = (roster.frames - length) / step + 1;
    let neurons = roster.neurons.len();
    // Standardised windows, one after the other, so that a correlation is a dot product.
    let standard: Vec<Vec<f32>> = (0..roster.recordings.len() * neurons)
        .into_par_iter()
        .map(
            |index| match roster.trace(index / neurons, index % neurons) {
                Some(trace) => (0..windows)
                    .flat_map(|window| standardised(&trace[window * step..window * step + length]))
                    .collect(),
                None => Vec::new(),
            },
        )
        .collect();
    progress.check()?;
    let places = roster.places();
    let pairs = pair_list(neurons);
    let mut values = vec![0.0f32; places.len() * windows];
    values
        .par_chunks_mut(windows)
        .zip(&places)
        .for_each(|(fibre, &(animal, pair))| {
            let (i, j) = pairs[pair];
            let first = standard[animal * neurons + i].chunks(length);
            let second = standard[animal * neurons + j].chunks(length);
            for ((value, a), b) in fibre.iter_mut().zip(first).zip(second) {
                *value = a
                    .iter()
                    .zip(b)
                    .map(|(a, b)| a * b)
                    .sum::<f32>()
                    .clamp(0.0, 1.0);
            }
        });
    ObservedTensor::from_fibres(
        [windows, roster.recordings.len(), roster.pairs()],
        places,
        values,
    )
}

fn standardised(window: &[f64]) -> Vec<f32> {
    let mean = window.iter().sum::<f64>() / window.len() as f64;
    let norm = window
        .iter()
        .map(|value| (value - mean).powi(2))
        .sum::<f64>()
        .sqrt();
    let scale = if norm > 0.0 { 1.0 / norm } else { 0.0 };
    window
        .iter()
        .map(|value| ((value - mean) * scale) as f32)
        .collect()
}
