//! Gabor energy: what an image looks like to simple and complex cells of primary visual cortex.
//!
//! At each place of a grid, for each wavelength and orientation, an image is weighed by a pair of Gabor
//! functions a quarter wave apart,
//!
//! ```text
//! g(x, y) = exp(-(x² + y²) / (2 s²)) · {cos, sin}(2π (x cos θ + y sin θ) / wavelength),
//! ```
//!
//! each made to have mean 0 over the pixels it covers and length 1; the feature is the root of the sum of
//! both squared responses. Envelopes have s = half a wavelength. (Adelson and Bergen 1985, J. Opt. Soc. Am.
//! A 2:284; Kay et al. 2008, Nature 452:352 for encoding models of the kind.)
//!
//! Shapes: images x rows x columns in, images x (wavelengths · orientations · rows of the grid · columns of
//! the grid) out.

use chiasm_core::data::require_finite;
use chiasm_core::{Error, Result};
use ndarray::{Array2, ArrayView3, Axis};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

/// The bank of filters.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct GaborEnergy {
    /// Wavelengths in pixels.
    pub wavelengths: Vec<f64>,
    /// Orientations, spread evenly over half a turn.
    pub orientations: usize,
    /// Distance of neighbouring places, in wavelengths.
    pub spacing: f64,
}

impl Default for GaborEnergy {
    fn default() -> Self {
        GaborEnergy {
            wavelengths: vec![4.0, 8.0, 16.0],
            orientations: 4,
            spacing: 1.0,
        }
    }
}

/// A filter: even and odd weights over all pixels.
struct Filter {
    even: Vec<f64>,
    odd: Vec<f64>,
}

impl GaborEnergy {
    /// Fails where a setting is out of range, naming it.
    pub fn check(&self) -> Result<()> {
        if self.wavelengths.is_empty() {
            return Err(Error::setting("wavelengths", "[]", "at least one"));
        }
        if let Some(short) = self
            .wavelengths
            .iter()
            .find(|w| !(**w >= 2.0 && w.is_finite()))
        {
            return Err(Error::setting("wavelengths", short, "at least 2 pixels"));
        }
        if self.orientations == 0 {
            return Err(Error::setting("orientations", 0, "at least 1"));
        }
        if !(self.spacing > 0.0 && self.spacing.is_finite()) {
            return Err(Error::setting("spacing", self.spacing, "a number above 0"));
        }
        Ok(())
    }

    /// The features of images.
    pub fn features(&self, images: ArrayView3<'_, f64>) -> Result<Array2<f64>> {
        self.check()?;
        let (count, rows, columns) = images.dim();
        require_finite("images", images.iter(), |index| {
            format!("image {}", index / (rows * columns).max(1))
        })?;
        if rows < 2 || columns < 2 {
            return Err(Error::TooFew {
                operation: "Gabor energy",
                what: "pixels along each side",
                found: rows.min(columns),
                needed: 2,
            });
        }
        let filters = self.filters(rows, columns);
        let features: Vec<Vec<f64>> = (0..count)
            .into_par_iter()
            .map(|image| {
                let pixels: Vec<f64> = images.index_axis(Axis(0), image).iter().copied().collect();
                let dot = |weights: &[f64]| -> f64 {
                    weights.iter().zip(&pixels).map(|(w, p)| w * p).sum()
                };
                let energy = |filter: &Filter| dot(&filter.even).hypot(dot(&filter.odd));
                filters.iter().map(energy).collect()
            })
            .collect();
        Ok(Array2::from_shape_fn(
            (count, filters.len()),
            |(image, filter)| features[image][filter],
        ))
    }

    fn filters(&self, rows: usize, columns: usize) -> Vec<Filter> {
        let mut filters = Vec::new();
        for &wavelength in &self.wavelengths {
            let places = |length: usize| {
                let count = (length as f64 / (wavelength * self.spacing))
                    .floor()
                    .max(1.0);
                (0..count as usize)
                    .map(move |place| (place as f64 + 0.5) * length as f64 / count - 0.5)
            };
            for turn in 0..self.orientations {
                let angle = std::f64::consts::PI * turn as f64 / self.orientations as f64;
                for middle_row in places(rows) {
                    for middle_column in places(columns) {
                        let place = [middle_row, middle_column];
                        filters.push(filter([rows, columns], place, wavelength, angle));
                    }
                }
            }
        }
        filters
    }
}

fn filter(size: [usize; 2], place: [f64; 2], wavelength: f64, angle: f64) -> Filter {
    let width = wavelength / 2.0;
    let wave = |shift: f64| {
        let mut weights = Vec::with_capacity(size[0] * size[1]);
        let mut envelopes = Vec::with_capacity(size[0] * size[1]);
        for row in 0..size[0] {
            for column in 0..size[1] {
                let (x, y) = (column as f64 - place[1], row as f64 - place[0]);
                let envelope = (-(x * x + y * y) / (2.0 * width * width)).exp();
                let phase =
                    std::f64::consts::TAU * (x * angle.cos() + y * angle.sin()) / wavelength;
                weights.push(envelope * (phase - shift).cos());
                envelopes.push(envelope);
            }
        }
        // Without this an evenly bright image would have energy.
        let mean = weights.iter().sum::<f64>() / envelopes.iter().sum::<f64>();
        for (weight, envelope) in weights.iter_mut().zip(&envelopes) {
            *weight -= mean * envelope;
        }
        let length = weights.iter().map(|w| w * w).sum::<f64>().sqrt();
        if length > 0.0 {
            weights.iter_mut().for_each(|w| *w /= length);
        }
        weights
    };
    Filter {
        even: wave(0.0),
        odd: wave(std::f64::consts::FRAC_PI_2),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::Array3;

    #[test]
    fn gratings_excite_their_own_orientation_whatever_their_phase() {
        let bank = GaborEnergy {
            wavelengths: vec![6.0],
            ..Default::default()
        };
        let images = Array3::from_shape_fn((9, 24, 24), |(image, row, column)| {
            let angle = std::f64::consts::PI * (image % 4) as f64 / 4.0;
            let along = column as f64 * angle.cos() + row as f64 * angle.sin();
            match image {
                8 => 0.7,
                _ => (std::f64::consts::TAU * along / 6.0 + (image / 4) as f64 * 1.1).cos(),
            }
        });
        let features = bank.features(images.view()).unwrap();
        assert_eq!(features.dim(), (9, 4 * 16));
        let mean = |image: usize, turn: usize| {
            let own = features.slice(ndarray::s![image, turn * 16..(turn + 1) * 16]);
            own.sum() / 16.0
        };
        for image in 0..8 {
            for other in 0..4 {
                if other != image % 4 {
                    assert!(mean(image, image % 4) > 2.0 * mean(image, other));
                }
            }
            // The same grating, shifted.
            assert!((mean(image, image % 4) / mean((image + 4) % 8, image % 4) - 1.0).abs() < 0.05);
        }
        assert!(features.row(8).iter().all(|energy| energy.abs() < 1e-12));
        let broken = GaborEnergy {
            wavelengths: vec![1.0],
            ..Default::default()
        };
        assert!(broken.features(images.view()).is_err());
    }
}
