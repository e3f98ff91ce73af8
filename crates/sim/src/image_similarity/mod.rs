//! Images of which two similarities are known, observers who go by them, and networks that read them.
//!
//! An image belongs to a category. What it means (high level) and what it looks like (low level) are
//! vectors
//!
//! ```text
//! high = c + 0.5 ε        c: vector of the category, standard normal
//! low  = 0.55 P c + 0.9 ε  P: random projection that keeps lengths on average
//! ```
//!
//! so that images of one category also look somewhat alike. [`Observers`] choose between the two
//! alternatives of a triplet by a mixture of both similarities; networks see noisy copies of the vectors.
//! Ground truth: the vectors, and each observer's weights. The numbers of dimensions are our choice:
//! with 32 each, differences of both similarities correlate by about 0.36 over random triplets.

mod networks;
mod observers;

use chiasm_core::{Error, Result, Seed};
use ndarray::Array2;
use rand::Rng;
use rand_distr::{Distribution, StandardNormal};
use serde::{Deserialize, Serialize};

pub use networks::{AreaSettings, Layer, LayeredNetwork, NetworkPair, area_responses};
pub use observers::Observers;

/// How images are drawn.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ImageSettings {
    /// Images.
    pub images: usize,
    /// Categories; image i belongs to category i modulo this.
    pub categories: usize,
    /// Dimensions of the high vectors.
    pub high_dimensions: usize,
    /// Dimensions of the low vectors.
    pub low_dimensions: usize,
    /// Standard deviation of what is an image's own in its high vector.
    pub high_noise: f64,
    /// How strongly the category shows in the low vector; 0 plants no relation of the two levels.
    pub shared: f64,
    /// Standard deviation of what is an image's own in its low vector.
    pub low_noise: f64,
}

impl Default for ImageSettings {
    fn default() -> Self {
        ImageSettings {
            images: 1000,
            categories: 20,
            high_dimensions: 32,
            low_dimensions: 32,
            high_noise: 0.5,
            shared: 0.55,
            low_noise: 0.9,
        }
    }
}

impl ImageSettings {
    /// Fails where a setting is out of range, naming it.
    pub fn check(&self) -> Result<()> {
        for (name, value, least) in [
            ("images", self.images, 3),
            ("categories", self.categories, 1),
            ("high_dimensions", self.high_dimensions, 2),
            ("low_dimensions", self.low_dimensions, 2),
        ] {
            if value < least {
                return Err(Error::setting(name, value, format!("at least {least}")));
            }
        }
        check_amounts(&[
            ("high_noise", self.high_noise),
            ("shared", self.shared),
            ("low_noise", self.low_noise),
        ])
    }

    /// Draws images.
    pub fn simulate(&self, seed: Seed) -> Result<Images> {
        self.check()?;
        let mut rng = seed.named("categories").rng();
        let centres = normal(&mut rng, self.categories, self.high_dimensions);
        let projection = normal(&mut rng, self.high_dimensions, self.low_dimensions)
            / (self.high_dimensions as f64).sqrt();
        let projected = centres.dot(&projection);
        let categories: Vec<usize> = (0..self.images).map(|i| i % self.categories).collect();
        let mut rng = seed.named("images").rng();
        let mut high = normal(&mut rng, self.images, self.high_dimensions) * self.high_noise;
        let mut low = normal(&mut rng, self.images, self.low_dimensions) * self.low_noise;
        for (image, &category) in categories.iter().enumerate() {
            high.row_mut(image).scaled_add(1.0, &centres.row(category));
            low.row_mut(image)
                .scaled_add(self.shared, &projected.row(category));
        }
        Ok(Images {
            high,
            low,
            categories,
        })
    }
}

/// Images as vectors.
#[derive(Clone, Debug, PartialEq)]
pub struct Images {
    /// Images x dimensions of the high level.
    pub high: Array2<f64>,
    /// Images x dimensions of the low level.
    pub low: Array2<f64>,
    /// The category of each image.
    pub categories: Vec<usize>,
}

fn normal(rng: &mut impl Rng, rows: usize, columns: usize) -> Array2<f64> {
    Array2::from_shape_simple_fn((rows, columns), || StandardNormal.sample(rng))
}

/// All entries by their root mean square, so that noise has a unit.
fn scaled(features: &Array2<f64>) -> Array2<f64> {
    let square = features.iter().map(|value| value * value).sum::<f64>() / features.len() as f64;
    if square > 0.0 {
        features / square.sqrt()
    } else {
        features.clone()
    }
}

/// Fails where a number is not finite and at least 0.
fn check_amounts(amounts: &[(&str, f64)]) -> Result<()> {
    for (name, amount) in amounts {
        if !(amount.is_finite() && *amount >= 0.0) {
            return Err(Error::setting(*name, amount, "a number of at least 0"));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The variance of what rows of a category share, as a share of all variance.
    fn between(features: &Array2<f64>, categories: usize) -> f64 {
        let images = features.nrows();
        let mut means = Array2::<f64>::zeros((categories, features.ncols()));
        for (image, row) in features.rows().into_iter().enumerate() {
            let size = images.div_ceil(categories) as f64;
            means
                .row_mut(image % categories)
                .scaled_add(1.0 / size, &row);
        }
        let square = |of: &Array2<f64>| of.iter().map(|x| x * x).sum::<f64>() / of.len() as f64;
        square(&means) / square(features)
    }

    #[test]
    fn categories_show_in_both_levels_as_planted() {
        let settings = ImageSettings::default();
        let images = settings.simulate(Seed::new(2)).unwrap();
        // 1 / 1.25 and 0.3025 / 1.1125, within what twenty random categories scatter.
        let (high, low) = (between(&images.high, 20), between(&images.low, 20));
        assert!((high - 0.80).abs() < 0.05, "{high}");
        assert!((low - 0.29).abs() < 0.06, "{low}");
        let apart = ImageSettings {
            shared: 0.0,
            ..settings
        };
        // 1 / 50 is left of means of fifty independent images.
        let none = between(&apart.simulate(Seed::new(2)).unwrap().low, 20);
        assert!((none - 0.02).abs() < 0.005, "{none}");
        assert!(
            ImageSettings {
                low_noise: f64::NAN,
                ..settings
            }
            .check()
            .is_err()
        );
    }

    #[test]
    fn readings_have_the_noise_asked_for() {
        let images = ImageSettings::default().simulate(Seed::new(0)).unwrap();
        let pair = NetworkPair::default();
        let [[a_high, a_low], [b_high, b_low]] = pair.read(&images, Seed::new(1)).unwrap();
        let noise = |reading: &Array2<f64>, truth: &Array2<f64>| {
            let rest = reading - &scaled(truth);
            (rest.iter().map(|x| x * x).sum::<f64>() / rest.len() as f64).sqrt()
        };
        for (found, wanted) in [
            (noise(&a_high, &images.high), 0.3),
            (noise(&b_low, &images.low), 0.3),
            (noise(&a_low, &images.low), 1.5),
            (noise(&b_high, &images.high), 1.5),
        ] {
            assert!((found - wanted).abs() < 0.03 * wanted, "{found} {wanted}");
        }
        let layers = LayeredNetwork::default()
            .read(&images, Seed::new(1))
            .unwrap();
        assert_eq!(layers.len(), 8);
        let area = area_responses(&images, &AreaSettings::default(), Seed::new(1)).unwrap();
        assert_eq!(area.dim(), (1000, 100));
    }
}
