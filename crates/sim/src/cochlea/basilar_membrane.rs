//! The basilar membrane as a long-wave (shallow-water) transmission line, solved in the Fourier domain.
//!
//! With `e^{iωt}`, the pressure along the membrane obeys `p'' = -k² p` with
//! `k² = 2 ρ ω² / (h Z)`, `Z = S - m ω² + i ω R`, and the membrane moves by `p / Z`. Its WKB solution
//! that is exact for a purely exponential stiffness is
//!
//! ```text
//! p(x) = A sqrt(G / k) H0^(2)(G),    G(x) = (2 / α) k(0) + ∫_0^x k dx
//! ```
//!
//! with the stiffness's exponent `α` and the amplitude `A` set by the stapes at `x = 0`
//! (Sieroka, Dosch and Rupp 2006; constants as used for the Spiking Heidelberg Digits by
//! Cramer, Stradmann, Schemmel and Zenke 2022). Sound is taken as displacement of the stapes.

use std::f64::consts::TAU;

use chiasm_core::{Error, Result};
use rayon::prelude::*;
use realfft::num_complex::{Complex32, Complex64};
use realfft::{ComplexToReal, RealFftPlanner, RealToComplex};
use std::sync::Arc;

use super::hankel::hankel2;

/// Exponent of the stiffness, per centimetre.
const EXPONENT: f64 = 3.0;
/// Stiffness at the base and what is subtracted everywhere, dyn / cm³.
const STIFFNESS: f64 = 1e9;
const STIFFNESS_OFFSET: f64 = 3500.0;
/// Mass in g / cm².
const MASS: f64 = 0.05;
/// Damping relative to the critical one.
const DAMPING: f64 = 0.15;
/// Twice the density over the height of the channel, g / cm⁴.
const FLUID: f64 = 2.0 / 0.1;
/// Length of the membrane in centimetres.
pub(super) const LENGTH: f64 = 3.5;
/// Integration steps along the membrane.
const PLACES: usize = 1750;
/// Waves are nothing once they have fallen by e^-40.
const FADED: f64 = 40.0;

/// The membrane's motion at some places, for sounds of one length and sampling rate.
pub(super) struct BasilarMembrane {
    /// Samples of the padded sound.
    length: usize,
    /// `[channels, length / 2 + 1]`, with the inverse transform's `1 / length` in it.
    transfer: Vec<Complex32>,
    analysis: Arc<dyn RealToComplex<f32>>,
    synthesis: Arc<dyn ComplexToReal<f32>>,
}

impl BasilarMembrane {
    /// Prepares for sounds of up to `length` samples (padding included). `places` lie in `[0, 3.5]` cm.
    pub(super) fn new(places: &[f64], sample_rate: f64, length: usize) -> Self {
        let frequencies = length / 2 + 1;
        let by_frequency: Vec<Vec<Complex32>> = (0..frequencies)
            .into_par_iter()
            .map(|index| {
                let omega = TAU * index as f64 * sample_rate / length as f64;
                displacement(places, omega)
                    .into_iter()
                    .map(|value| {
                        let value = value / length as f64;
                        Complex32::new(value.re as f32, value.im as f32)
                    })
                    .collect()
            })
            .collect();
        let mut transfer = vec![Complex32::default(); places.len() * frequencies];
        for (index, values) in by_frequency.iter().enumerate() {
            for (channel, &value) in values.iter().enumerate() {
                transfer[channel * frequencies + index] = value;
            }
        }
        let mut planner = RealFftPlanner::new();
        BasilarMembrane {
            length,
            transfer,
            analysis: planner.plan_fft_forward(length),
            synthesis: planner.plan_fft_inverse(length),
        }
    }

    /// The spectrum of a sound, padded with zeros.
    pub(super) fn spectrum(&self, sound: &[f32]) -> Result<Vec<Complex32>> {
        let mut padded = vec![0.0; self.length];
        padded[..sound.len()].copy_from_slice(sound);
        let mut spectrum = self.analysis.make_output_vec();
        self.analysis
            .process(&mut padded, &mut spectrum)
            .map_err(fft_failed)?;
        Ok(spectrum)
    }

    /// The motion at the place of `channel` over time.
    pub(super) fn motion(&self, channel: usize, spectrum: &[Complex32]) -> Result<Vec<f32>> {
        let transfer = &self.transfer[channel * spectrum.len()..(channel + 1) * spectrum.len()];
        let mut product: Vec<Complex32> =
            spectrum.iter().zip(transfer).map(|(a, b)| a * b).collect();
        // Real signals have real values at both ends of the spectrum.
        product[0].im = 0.0;
        if self.length.is_multiple_of(2) {
            let last = product.len() - 1;
            product[last].im = 0.0;
        }
        let mut motion = self.synthesis.make_output_vec();
        self.synthesis
            .process(&mut product, &mut motion)
            .map_err(fft_failed)?;
        Ok(motion)
    }
}

fn fft_failed(error: realfft::FftError) -> Error {
    Error::Unusable {
        operation: "cochlea",
        reason: error.to_string(),
    }
}

fn impedance(place: f64, omega: f64) -> Complex64 {
    let stiffness = STIFFNESS * (-EXPONENT * place).exp() - STIFFNESS_OFFSET;
    let damping = DAMPING * (STIFFNESS * MASS).sqrt() * (-EXPONENT / 2.0 * place).exp();
    Complex64::new(stiffness - MASS * omega * omega, omega * damping)
}

fn wave_number(place: f64, omega: f64) -> Complex64 {
    (FLUID * omega * omega / impedance(place, omega)).sqrt()
}

/// Membrane displacement per displacement of the stapes at each place, for one angular frequency.
fn displacement(places: &[f64], omega: f64) -> Vec<Complex64> {
    if omega == 0.0 {
        return vec![Complex64::default(); places.len()];
    }
    let step = LENGTH / PLACES as f64;
    let at_stapes = wave_number(0.0, omega);
    let start = at_stapes * (2.0 / EXPONENT);
    let mut phase = Vec::with_capacity(PLACES + 1);
    let mut total = start;
    let mut before = at_stapes;
    phase.push(start);
    for index in 1..=PLACES {
        let here = wave_number(index as f64 * step, omega);
        total += (before + here) * (step / 2.0);
        before = here;
        phase.push(total);
    }
    // The stapes imposes p'(0); the derivative of sqrt(G / k) H0(G) there is -sqrt(G / k) k H1(G).
    let amplitude = omega * omega / ((start / at_stapes).sqrt() * at_stapes * hankel2(1, start));
    places
        .iter()
        .map(|&place| {
            let position = (place / step).clamp(0.0, PLACES as f64);
            let index = (position as usize).min(PLACES - 1);
            let share = position - index as f64;
            let phase = phase[index] * (1.0 - share) + phase[index + 1] * share;
            if phase.im < -FADED {
                return Complex64::default();
            }
            let pressure =
                amplitude * (phase / wave_number(place, omega)).sqrt() * hankel2(0, phase);
            pressure / impedance(place, omega)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tones_peak_just_before_the_place_of_resonance() {
        let places: Vec<f64> = (0..700)
            .map(|index| index as f64 * LENGTH / 699.0)
            .collect();
        for hertz in [150.0, 300.0, 1000.0, 4000.0, 8000.0] {
            let omega = TAU * hertz;
            let values = displacement(&places, omega);
            let best = (0..700)
                .max_by(|&a, &b| values[a].norm().total_cmp(&values[b].norm()))
                .unwrap();
            let resonance = (STIFFNESS / (MASS * omega * omega + STIFFNESS_OFFSET)).ln() / EXPONENT;
            let before = resonance - places[best];
            assert!(
                (0.05..0.15).contains(&before),
                "{hertz} Hz peaks {before} cm before resonance"
            );
            assert!((1.0..5.0).contains(&values[best].norm()));
            // Nothing travels past the resonance.
            let past = places.iter().position(|&place| place > resonance + 0.3);
            assert!(past.is_none_or(|past| values[past].norm() < 0.05 * values[best].norm()));
        }
    }

    #[test]
    fn the_solution_obeys_the_wave_equation() {
        // Z y = p, and p'' = -k² p up to the WKB error, by differences at places before the peak.
        let h = 0.02;
        let omega = TAU * 1000.0;
        for place in [0.5, 1.0, 1.5] {
            let places = [place - h, place, place + h];
            let pressure: Vec<Complex64> = displacement(&places, omega)
                .iter()
                .zip(places)
                .map(|(y, place)| y * impedance(place, omega))
                .collect();
            let curvature = (pressure[0] + pressure[2] - 2.0 * pressure[1]) / (h * h);
            let expected = -wave_number(place, omega).powi(2) * pressure[1];
            assert!(
                (curvature - expected).norm() < 0.05 * expected.norm(),
                "{curvature} for {expected}"
            );
        }
    }
}
