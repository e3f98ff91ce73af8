//! Instances of a deep network that share part of their weights.

use chiasm_core::{Result, Seed};
use ndarray::Array2;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::{check_settings, clustered, normal_matrix, z_score_columns};

/// Random rectifier networks that answer the same inputs: instances of one architecture whose weights
/// agree in part, as after training from different starts.
///
/// A layer computes `relu(gain W h / sqrt(fan_in) + bias)`, z-scored per unit over inputs, with
/// `W = shared_weight * S + private_weight * P`, S common to all instances, P each one's own. The ground
/// truth is which layer a representation comes from.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DeepNetworks {
    /// Stimuli.
    pub inputs: usize,
    /// Categories the stimuli fall into.
    pub categories: usize,
    /// Dimensions of the stimulus space.
    pub input_dimensions: usize,
    /// Standard deviation of category centres, in units of that within a category.
    pub separation: f64,
    /// Layers per network.
    pub layers: usize,
    /// Units per layer.
    pub width: usize,
    /// Networks.
    pub instances: usize,
    /// Weight of the common part of the weights.
    pub shared_weight: f64,
    /// Weight of each instance's own part.
    pub private_weight: f64,
    /// Gain of a layer.
    pub gain: f64,
    /// Bias of every unit.
    pub bias: f64,
    /// Standard deviation of the noise added to what is measured (units have standard deviation 1).
    pub noise: f64,
}

impl Default for DeepNetworks {
    fn default() -> Self {
        DeepNetworks {
            inputs: 62,
            categories: 4,
            input_dimensions: 50,
            separation: 2.0,
            layers: 10,
            width: 200,
            instances: 10,
            shared_weight: 0.55,
            private_weight: 0.835,
            gain: 1.4,
            bias: 0.1,
            noise: 0.0,
        }
    }
}

impl DeepNetworks {
    /// Fails where a size is 0 or an amount is negative.
    pub fn check(&self) -> Result<()> {
        check_settings(
            &[
                ("inputs", self.inputs),
                ("categories", self.categories),
                ("input_dimensions", self.input_dimensions),
                ("layers", self.layers),
                ("width", self.width),
                ("instances", self.instances),
            ],
            &[
                ("separation", self.separation),
                ("shared_weight", self.shared_weight),
                ("private_weight", self.private_weight),
                ("gain", self.gain),
                ("bias", self.bias),
                ("noise", self.noise),
            ],
        )
    }

    /// Measured activations, per instance and layer (inputs x units).
    pub fn simulate(&self, seed: &Seed) -> Result<Vec<Vec<Array2<f64>>>> {
        self.check()?;
        let stimuli = clustered(
            &mut seed.named("stimuli").rng(),
            self.inputs,
            self.categories,
            self.input_dimensions,
            self.separation,
        );
        let shared: Vec<Array2<f64>> = (0..self.layers)
            .map(|layer| {
                let fan_in = if layer == 0 {
                    self.input_dimensions
                } else {
                    self.width
                };
                let mut rng = seed.named("shared weights").indexed(layer as u64).rng();
                normal_matrix(&mut rng, fan_in, self.width)
            })
            .collect();
        Ok((0..self.instances)
            .into_par_iter()
            .map(|instance| {
                let seed = seed.named("instance").indexed(instance as u64);
                self.activations(&stimuli, &shared, &seed)
            })
            .collect())
    }

    fn activations(
        &self,
        stimuli: &Array2<f64>,
        shared: &[Array2<f64>],
        seed: &Seed,
    ) -> Vec<Array2<f64>> {
        let mut weights = seed.named("weights").rng();
        let mut noise = seed.named("noise").rng();
        let mut hidden = stimuli.clone();
        let mut measured = Vec::with_capacity(shared.len());
        for shared in shared {
            let (fan_in, units) = shared.dim();
            let mut own = normal_matrix(&mut weights, fan_in, units);
            own *= self.private_weight;
            own.scaled_add(self.shared_weight, shared);
            let scale = self.gain / (fan_in as f64).sqrt();
            hidden = hidden.dot(&own);
            hidden.mapv_inplace(|value| (scale * value + self.bias).max(0.0));
            z_score_columns(&mut hidden);
            let mut layer = hidden.clone();
            if self.noise > 0.0 {
                layer.scaled_add(self.noise, &normal_matrix(&mut noise, self.inputs, units));
            }
            measured.push(layer);
        }
        measured
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn correlation(a: &Array2<f64>, b: &Array2<f64>) -> f64 {
        (a * b).sum() / ((a * a).sum() * (b * b).sum()).sqrt()
    }

    #[test]
    fn units_are_standardised_and_instances_agree_only_through_shared_weights() {
        let small = DeepNetworks {
            layers: 2,
            width: 60,
            instances: 2,
            ..Default::default()
        };
        let networks = small.simulate(&Seed::new(0)).unwrap();
        for unit in networks[0][1].columns() {
            let mean = unit.sum() / 62.0;
            let variance = unit.iter().map(|value| value * value).sum::<f64>() / 62.0;
            assert!(mean.abs() < 1e-12 && ((variance - 1.0).abs() < 1e-9 || variance == 0.0));
        }
        let agreement =
            |networks: &[Vec<Array2<f64>>]| correlation(&networks[0][0], &networks[1][0]);
        // Weights correlate 0.55² / (0.55² + 0.835²) = 0.30.
        assert!(agreement(&networks) > 0.15);
        let alone = DeepNetworks {
            shared_weight: 0.0,
            ..small
        };
        assert!(agreement(&alone.simulate(&Seed::new(0)).unwrap()).abs() < 0.1);
        assert_eq!(networks[1][1], small.simulate(&Seed::new(0)).unwrap()[1][1]);
        assert!(
            DeepNetworks { width: 0, ..small }
                .simulate(&Seed::new(0))
                .is_err()
        );
    }
}
