//! How much two neurons change together, moment by moment.

use chiasm_core::{Error, Progress, Result};
use chiasm_numerics::tensor::ObservedTensor;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::roster::Roster;
use super::smoothing::{Smoother, Smoothness};

/// How two derivatives of the same sign make one affinity.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AffinityRule {
    /// √(|g_i| |g_j|).
    GeometricMean,
    /// min(|g_i|, |g_j|).
    Minimum,
}

/// How affinities are made of traces.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AffinitySettings {
    /// What is kept smooth while a trace is differentiated.
    pub smoothness: Smoothness,
    /// The period in seconds of the oscillation that smoothing halves.
    pub half_power_seconds: f64,
    /// Derivatives are shrunk towards 0 by this multiple of the neuron's median derivative size, which
    /// is that of noise and background; without it everything looks coupled at low weight.
    pub floor: f64,
    /// Derivatives are clipped at this multiple of the neuron's median derivative size, which becomes 1.
    pub clip: f64,
    /// How two derivatives make one affinity.
    pub rule: AffinityRule,
    /// Frames averaged into one time step: 1 keeps all; more saves memory with many neurons.
    pub frames_per_step: usize,
}

impl Default for AffinitySettings {
    fn default() -> Self {
        AffinitySettings {
            smoothness: Smoothness::SmoothingSpline,
            half_power_seconds: 6.0,
            floor: 1.0,
            clip: 6.0,
            rule: AffinityRule::GeometricMean,
            frames_per_step: 1,
        }
    }
}

impl AffinitySettings {
    pub(super) fn check(&self) -> Result<()> {
        if !(self.floor >= 0.0 && self.floor.is_finite()) {
            return Err(Error::setting("floor", self.floor, "at least 0"));
        }
        if !(self.clip > self.floor && self.clip.is_finite()) {
            return Err(Error::setting("clip", self.clip, "above floor"));
        }
        if self.frames_per_step == 0 {
            return Err(Error::setting("frames_per_step", 0, "at least 1"));
        }
        Ok(())
    }
}

/// Affinities over time steps x animals x pairs of neurons; a pair is missing, not 0, in an animal in
/// which either neuron was not found.
pub(super) fn derivative_affinities(
    roster: &Roster<'_>,
    settings: &AffinitySettings,
    progress: &Progress,
) -> Result<ObservedTensor> {
    settings.check()?;
    let smoother = Smoother::new(
        roster.frames,
        roster.rate,
        settings.smoothness,
        settings.half_power_seconds,
    )?;
    let neurons = roster.neurons.len();
    // Scaled derivatives, animal by animal, neuron by neuron; empty where not found.
    let derivatives: Vec<Vec<f32>> = (0..roster.recordings.len() * neurons)
        .into_par_iter()
        .map(
            |index| match roster.trace(index / neurons, index % neurons) {
                Some(trace) => scaled_derivative(&smoother, &trace, settings),
                None => Vec::new(),
            },
        )
        .collect();
    progress.check()?;
    let places = roster.places();
    let steps = roster.frames / settings.frames_per_step;
    let pairs = pair_list(neurons);
    let mut values = vec![0.0f32; places.len() * steps];
    values
        .par_chunks_mut(steps)
        .zip(&places)
        .for_each(|(fibre, &(animal, pair))| {
            let (i, j) = pairs[pair];
            let first = derivatives[animal * neurons + i].chunks(settings.frames_per_step);
            let second = derivatives[animal * neurons + j].chunks(settings.frames_per_step);
            for ((value, first), second) in fibre.iter_mut().zip(first).zip(second) {
                let sum: f32 = first
                    .iter()
                    .zip(second)
                    .map(|(&a, &b)| match settings.rule {
                        AffinityRule::GeometricMean => (a * b).max(0.0).sqrt(),
                        AffinityRule::Minimum if a * b > 0.0 => a.abs().min(b.abs()),
                        AffinityRule::Minimum => 0.0,
                    })
                    .sum();
                *value = sum / settings.frames_per_step as f32;
            }
        });
    ObservedTensor::from_fibres(
        [steps, roster.recordings.len(), roster.pairs()],
        places,
        values,
    )
}

/// Signed, in multiples of the neuron's median size, shrunk by the floor, clipped, scaled to [−1, 1].
fn scaled_derivative(smoother: &Smoother, trace: &[f64], settings: &AffinitySettings) -> Vec<f32> {
    let slope = smoother.derivative(trace);
    let mut sizes: Vec<f64> = slope.iter().map(|value| value.abs()).collect();
    let middle = sizes.len() / 2;
    let (_, median, above) = sizes.select_nth_unstable_by(middle, f64::total_cmp);
    // A trace at rest more than half of the time is scaled by its largest derivative.
    let unit = if *median > 0.0 {
        *median
    } else {
        above.iter().fold(0.0f64, |a, &b| a.max(b)) / settings.clip
    };
    let scaled = slope.into_iter().map(|value| {
        let size = (value.abs() / unit).min(settings.clip) - settings.floor;
        size.max(0.0).copysign(value) / (settings.clip - settings.floor)
    });
    scaled.map(|value| value as f32).collect()
}

/// The pairs (i, j), i < j, in the order of a condensed matrix.
pub(super) fn pair_list(neurons: usize) -> Vec<(usize, usize)> {
    (0..neurons)
        .flat_map(|i| (i + 1..neurons).map(move |j| (i, j)))
        .collect()
}
