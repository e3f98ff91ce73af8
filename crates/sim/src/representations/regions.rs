//! Regions of a visual hierarchy measured by fMRI in several subjects.

use chiasm_core::{Result, Seed};
use ndarray::Array2;
use rand::RngExt;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::{check_settings, clustered, normal_matrix, z_score_columns};

/// Voxel patterns of regions along a hierarchy.
///
/// Latent features of the first region are random with weak categories. Each next region mixes those of
/// the region before (tanh) and adds category structure that grows along the hierarchy. A voxel reads the
/// latent features of its region with weights of its own, so that a subject keeps the region's geometry
/// only approximately; neighbouring voxels share part of their measurement noise, and subjects differ in
/// its level. The ground truth is which region a pattern comes from.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CorticalRegions {
    /// Subjects.
    pub subjects: usize,
    /// Regions, from early to late.
    pub regions: usize,
    /// Stimuli.
    pub stimuli: usize,
    /// Categories the stimuli fall into.
    pub categories: usize,
    /// Latent features per region.
    pub features: usize,
    /// Voxels per region.
    pub voxels: usize,
    /// How much of a region's features is new against the region before, 0..=1.
    pub novelty: f64,
    /// Standard deviation of the noise of a voxel, in units of its signal; each subject's own level lies
    /// between half and one and a half of it.
    pub noise: f64,
    /// Correlation of noise between neighbouring voxels, 0..1.
    pub noise_smoothness: f64,
}

impl Default for CorticalRegions {
    fn default() -> Self {
        CorticalRegions {
            subjects: 24,
            regions: 8,
            stimuli: 62,
            categories: 4,
            features: 20,
            voxels: 100,
            novelty: 0.2,
            noise: 3.0,
            noise_smoothness: 0.7,
        }
    }
}

impl CorticalRegions {
    /// Fails where a size is 0 or an amount is out of range.
    pub fn check(&self) -> Result<()> {
        for (name, share) in [
            ("novelty", self.novelty),
            ("noise_smoothness", self.noise_smoothness),
        ] {
            if !(0.0..1.0).contains(&share) {
                return Err(chiasm_core::Error::setting(name, share, "0 <= share < 1"));
            }
        }
        check_settings(
            &[
                ("subjects", self.subjects),
                ("regions", self.regions),
                ("stimuli", self.stimuli),
                ("categories", self.categories),
                ("features", self.features),
                ("voxels", self.voxels),
            ],
            &[("noise", self.noise)],
        )
    }

    /// Measured patterns, per subject and region (stimuli x voxels).
    pub fn simulate(&self, seed: &Seed) -> Result<Vec<Vec<Array2<f64>>>> {
        self.check()?;
        let latent = self.latent(&seed.named("latent"));
        Ok((0..self.subjects)
            .into_par_iter()
            .map(|subject| {
                let mut rng = seed.named("subject").indexed(subject as u64).rng();
                let level = self.noise * (0.5 + rng.random::<f64>());
                latent
                    .iter()
                    .map(|features| {
                        let readout = normal_matrix(&mut rng, self.features, self.voxels);
                        let mut patterns = features.dot(&readout);
                        z_score_columns(&mut patterns);
                        let fresh = normal_matrix(&mut rng, self.stimuli, self.voxels);
                        patterns.scaled_add(level, &smoothed(fresh, self.noise_smoothness));
                        patterns
                    })
                    .collect()
            })
            .collect())
    }

    fn latent(&self, seed: &Seed) -> Vec<Array2<f64>> {
        let mut rng = seed.rng();
        let mut features = clustered(&mut rng, self.stimuli, self.categories, self.features, 0.3);
        z_score_columns(&mut features);
        let mut regions = vec![features];
        for depth in 1..self.regions {
            let before = &regions[depth - 1];
            let mixing = normal_matrix(&mut rng, self.features, self.features)
                / (self.features as f64).sqrt();
            let mut mixed = before.dot(&mixing);
            mixed.mapv_inplace(f64::tanh);
            z_score_columns(&mut mixed);
            let separation = 2.0 * depth as f64 / self.regions as f64;
            let mut categorical = clustered(
                &mut rng,
                self.stimuli,
                self.categories,
                self.features,
                separation,
            );
            z_score_columns(&mut categorical);
            let mut features = mixed * (1.0 - self.novelty).sqrt();
            features.scaled_add(self.novelty.sqrt(), &categorical);
            z_score_columns(&mut features);
            regions.push(features);
        }
        regions
    }
}

/// First-order autoregression along voxels that keeps the variance.
fn smoothed(mut noise: Array2<f64>, correlation: f64) -> Array2<f64> {
    let fresh = (1.0 - correlation * correlation).sqrt();
    for mut row in noise.rows_mut() {
        for voxel in 1..row.len() {
            row[voxel] = correlation * row[voxel - 1] + fresh * row[voxel];
        }
    }
    noise
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn noise_has_the_variance_and_smoothness_asked_for() {
        let settings = CorticalRegions {
            subjects: 1,
            noise: 0.0,
            ..Default::default()
        };
        let clean = settings.simulate(&Seed::new(3)).unwrap();
        let noisy = CorticalRegions {
            noise: 1.0,
            ..settings
        }
        .simulate(&Seed::new(3))
        .unwrap();
        let noise = &noisy[0][2] - &clean[0][2];
        let variance = noise.iter().map(|value| value * value).sum::<f64>() / noise.len() as f64;
        assert!((0.2..2.4).contains(&variance));
        let shifted: f64 = noise
            .rows()
            .into_iter()
            .flat_map(|row| {
                row.to_vec()
                    .windows(2)
                    .map(|pair| pair[0] * pair[1])
                    .collect::<Vec<_>>()
            })
            .sum::<f64>()
            / (62.0 * 99.0);
        assert!(
            (shifted / variance - 0.7).abs() < 0.08,
            "{}",
            shifted / variance
        );
        assert_eq!((noisy[0].len(), noisy[0][0].dim()), (8, (62, 100)));
        assert!(
            CorticalRegions {
                novelty: 1.0,
                ..settings
            }
            .check()
            .is_err()
        );
    }
}
