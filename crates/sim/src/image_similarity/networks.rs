//! Networks that read the two levels of images, and areas of a brain that respond to them.

use chiasm_core::{Error, Result, Seed};
use ndarray::Array2;
use rand::RngExt;
use serde::{Deserialize, Serialize};

use super::{Images, check_amounts, normal, scaled};

/// Two candidate networks: A reads the high level cleanly and the low level noisily, B the reverse.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct NetworkPair {
    /// Noise of a clean reading, in root mean squares of what is read.
    pub clean_noise: f64,
    /// Noise of a noisy reading.
    pub noisy_noise: f64,
}

impl Default for NetworkPair {
    fn default() -> Self {
        NetworkPair {
            clean_noise: 0.3,
            noisy_noise: 1.5,
        }
    }
}

/// What a layer holds: images x features.
pub type Layer = Array2<f64>;

impl NetworkPair {
    /// Fails where a setting is out of range, naming it.
    pub fn check(&self) -> Result<()> {
        check_amounts(&[
            ("clean_noise", self.clean_noise),
            ("noisy_noise", self.noisy_noise),
        ])
    }

    /// High and low layer of A, then of B.
    pub fn read(&self, images: &Images, seed: Seed) -> Result<[[Layer; 2]; 2]> {
        self.check()?;
        let reading = |features: &Array2<f64>, noise: f64, name: &str| {
            let mut rng = seed.named(name).rng();
            let fresh = normal(&mut rng, features.nrows(), features.ncols());
            scaled(features) + fresh * noise
        };
        let (clean, noisy) = (self.clean_noise, self.noisy_noise);
        Ok([
            [
                reading(&images.high, clean, "A high"),
                reading(&images.low, noisy, "A low"),
            ],
            [
                reading(&images.high, noisy, "B high"),
                reading(&images.low, clean, "B low"),
            ],
        ])
    }
}

/// A network whose layers go from the low level to the high one.
///
/// Layer l of n holds the low features by weight sqrt(1 - w) and the high ones by weight sqrt(w),
/// w = l / (n - 1), both through a random rotation into `features` units, and noise of its own level
/// between `least_noise` and `most_noise`: depth alone does not say how well a layer does.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LayeredNetwork {
    /// Layers.
    pub layers: usize,
    /// Units of a layer.
    pub features: usize,
    /// The least noise of a layer, in root mean squares of its signal.
    pub least_noise: f64,
    /// The most noise of a layer.
    pub most_noise: f64,
}

impl Default for LayeredNetwork {
    fn default() -> Self {
        LayeredNetwork {
            layers: 8,
            features: 64,
            least_noise: 0.2,
            most_noise: 1.0,
        }
    }
}

impl LayeredNetwork {
    /// Fails where a setting is out of range, naming it.
    pub fn check(&self) -> Result<()> {
        if self.layers < 3 {
            return Err(Error::setting("layers", self.layers, "at least 3"));
        }
        if self.features < 2 {
            return Err(Error::setting("features", self.features, "at least 2"));
        }
        check_amounts(&[
            ("least_noise", self.least_noise),
            ("most_noise", self.most_noise),
        ])?;
        if self.most_noise < self.least_noise {
            return Err(Error::setting(
                "most_noise",
                self.most_noise,
                "at least least_noise",
            ));
        }
        Ok(())
    }

    /// The layers, from the first to the last.
    pub fn read(&self, images: &Images, seed: Seed) -> Result<Vec<Layer>> {
        self.check()?;
        Ok((0..self.layers)
            .map(|layer| {
                let share = layer as f64 / (self.layers - 1) as f64;
                let mut rng = seed.named("layer").indexed(layer as u64).rng();
                let signal = mixture(images, 1.0 - share, share, self.features, &mut rng);
                let place: f64 = rng.random();
                let noise = self.least_noise + place * (self.most_noise - self.least_noise);
                let fresh = normal(&mut rng, signal.nrows(), signal.ncols());
                signal + fresh * noise
            })
            .collect())
    }
}

/// How an area of a brain responds.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AreaSettings {
    /// Share of the variance that comes from the high level, 0..=1; the rest comes from the low one.
    pub high_share: f64,
    /// Neurons or voxels.
    pub channels: usize,
    /// Noise, in root mean squares of the signal.
    pub noise: f64,
}

impl Default for AreaSettings {
    fn default() -> Self {
        AreaSettings {
            high_share: 0.9,
            channels: 100,
            noise: 1.0,
        }
    }
}

/// Responses of an area: images x channels.
pub fn area_responses(images: &Images, settings: &AreaSettings, seed: Seed) -> Result<Array2<f64>> {
    if !(0.0..=1.0).contains(&settings.high_share) {
        return Err(Error::setting("high_share", settings.high_share, "0 to 1"));
    }
    if settings.channels < 2 {
        return Err(Error::setting("channels", settings.channels, "at least 2"));
    }
    check_amounts(&[("noise", settings.noise)])?;
    let mut rng = seed.rng();
    let high = settings.high_share;
    let signal = mixture(images, 1.0 - high, high, settings.channels, &mut rng);
    let fresh = normal(&mut rng, signal.nrows(), signal.ncols());
    Ok(signal + fresh * settings.noise)
}

/// Both levels through random weights, with these shares of the variance; root mean square 1.
fn mixture(
    images: &Images,
    low_share: f64,
    high_share: f64,
    units: usize,
    rng: &mut impl rand::Rng,
) -> Array2<f64> {
    let mut through = |features: &Array2<f64>, share: f64| {
        let weights = normal(rng, features.ncols(), units);
        scaled(&features.dot(&weights)) * share.sqrt()
    };
    let low = through(&images.low, low_share);
    scaled(&(low + through(&images.high, high_share)))
}
