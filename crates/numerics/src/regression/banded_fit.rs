//! What banded ridge fitted, and what it predicts.

use std::ops::Range;

use chiasm_core::{Error, Result};
use ndarray::{Array2, ArrayView2};

use super::banded::{side_by_side, too_few_bands};
use super::checks::check_features;
use super::columns::{Columns, product};
use super::design::Centring;
use super::real::Real;

/// Weights of all bands for all targets.
#[derive(Clone, Debug)]
pub struct BandedFit<T> {
    pub(super) bands: Vec<Range<usize>>,
    pub(super) centring: Centring,
    /// Primal: features x targets. Dual: training rows x targets.
    pub(super) coefficients: Columns<T>,
    /// Dual: the training rows, centred and scaled, rows x features.
    pub(super) training: Option<Columns<T>>,
    pub(super) means: Vec<f64>,
    /// The weightings that were tried, candidates x bands.
    pub candidates: Array2<f64>,
    /// The candidate each target keeps.
    pub chosen: Vec<usize>,
    /// The penalty α each target keeps with it.
    pub alphas: Vec<f64>,
    /// The mean score over folds of each target's choice; 0 for constant targets.
    pub scores: Vec<f64>,
    /// The mean score of each candidate (rows) for each target, with the best penalty of the grid.
    pub candidate_scores: Array2<f64>,
    /// Which targets are constant over the training rows.
    pub constant: Vec<bool>,
}

impl<T: Real> BandedFit<T> {
    /// The number of targets.
    pub fn targets(&self) -> usize {
        self.coefficients.columns()
    }

    /// The penalty α / γ_i of each band (rows) for each target; infinite where a band is left out.
    pub fn band_alphas(&self) -> Array2<f64> {
        Array2::from_shape_fn((self.bands.len(), self.targets()), |(band, target)| {
            self.alphas[target] / self.candidates[[self.chosen[target], band]]
        })
    }

    /// Predictions (rows x targets) of new rows, bands as in the fit.
    ///
    /// # Errors
    /// [`Error::Shape`] where bands, rows or features do not agree; [`Error::NotFinite`].
    pub fn predict(&self, bands: &[ArrayView2<'_, T>]) -> Result<Array2<T>> {
        let mut parts = self.predict_bands(bands)?.into_iter();
        let mut total = parts.next().ok_or_else(too_few_bands)?;
        for part in parts {
            total += &part;
        }
        for (mut column, &mean) in total.columns_mut().into_iter().zip(&self.means) {
            column.mapv_inplace(|value| T::from_double(value.to_double() + mean));
        }
        Ok(total)
    }

    /// What each band adds to the predictions (rows x targets each). With the training mean of the responses they sum
    /// to [`BandedFit::predict`].
    ///
    /// # Errors
    /// As [`BandedFit::predict`].
    pub fn predict_bands(&self, bands: &[ArrayView2<'_, T>]) -> Result<Vec<Array2<T>>> {
        if bands.len() != self.bands.len() {
            return Err(Error::Shape {
                operation: "banded ridge",
                what: "the features".to_string(),
                axis: "bands",
                found: bands.len(),
                expected: self.bands.len().to_string(),
            });
        }
        for (band, range) in bands.iter().zip(&self.bands) {
            check_features(*band, range.len())?;
        }
        let (x, ranges) = side_by_side(bands)?;
        let rows: Vec<usize> = (0..x.nrows()).collect();
        let new = self.centring.apply(x.view(), &rows);
        let mut parts = Vec::with_capacity(bands.len());
        for (band, range) in ranges.into_iter().enumerate() {
            let mut part = Columns::default();
            if let Some(training) = &self.training {
                let mut kernel = Columns::default();
                product(
                    &mut kernel,
                    new.range(range.clone()),
                    training.range(range).transpose(),
                );
                product(&mut part, kernel.mat(), self.coefficients.mat());
                for (target, &candidate) in self.chosen.iter().enumerate() {
                    let weight = self.candidates[[candidate, band]];
                    for value in part.column_mut(target) {
                        *value = T::from_double(value.to_double() * weight);
                    }
                }
            } else {
                let weights = self.coefficients.mat().subrows(range.start, range.len());
                product(&mut part, new.range(range), weights);
            }
            parts.push(part.into_array()?);
        }
        Ok(parts)
    }

    /// Weights (features of all bands in order x targets) for features as they come.
    ///
    /// # Errors
    /// None that a fit can have.
    pub fn weights(&self) -> Result<Array2<T>> {
        let mut weights = Columns::zeros(self.centring.mean.len(), self.targets());
        if let Some(training) = &self.training {
            product(
                &mut weights,
                training.mat().transpose(),
                self.coefficients.mat(),
            );
            for (target, &candidate) in self.chosen.iter().enumerate() {
                let column = weights.column_mut(target);
                for (band, range) in self.bands.iter().enumerate() {
                    let weight = self.candidates[[candidate, band]];
                    for value in &mut column[range.clone()] {
                        *value = T::from_double(value.to_double() * weight);
                    }
                }
            }
        } else {
            weights.mat_mut().copy_from(self.coefficients.mat());
        }
        let mut weights = weights.into_array()?;
        for (mut row, &scale) in weights.rows_mut().into_iter().zip(&self.centring.scale) {
            row.mapv_inplace(|weight| T::from_double(weight.to_double() * scale));
        }
        Ok(weights)
    }

    /// The intercept of each target, for features as they come.
    ///
    /// # Errors
    /// None that a fit can have.
    pub fn intercepts(&self) -> Result<Vec<f64>> {
        let weights = self.weights()?;
        let columns = weights.columns().into_iter().zip(&self.means);
        Ok(columns
            .map(|(column, mean)| {
                let pairs = column.iter().zip(&self.centring.mean);
                mean - pairs.map(|(w, m)| w.to_double() * m).sum::<f64>()
            })
            .collect())
    }
}
