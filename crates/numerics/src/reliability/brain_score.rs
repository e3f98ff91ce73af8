//! Aggregation and normalisation as in Brain-Score.

use chiasm_core::metrics::interval::{mean, standard_deviation};
use chiasm_core::metrics::score::median;
use chiasm_core::{Error, Result};
use ndarray::{Array2, ArrayView2};
use serde::{Deserialize, Serialize};

/// How a correlation is set against a ceiling that is a Spearman-Brown reliability.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CeilingNormalisation {
    /// `r² / ceiling`: a reliability is a share of variance already. The benchmark's rule since December 2025.
    #[default]
    VarianceCeiling,
    /// `(r / ceiling)²`, the rule before it, which flatters models of unreliable data.
    LegacySquaredCeiling,
}

/// A correlation set against a ceiling. A negative correlation stays negative (the square alone would hide
/// the sign); NaN where the ceiling is not above 0.
pub fn normalised_by_ceiling(correlation: f64, ceiling: f64, rule: CeilingNormalisation) -> f64 {
    if !(ceiling > 0.0) {
        return f64::NAN;
    }
    let square = correlation * correlation.abs();
    match rule {
        CeilingNormalisation::VarianceCeiling => square / ceiling,
        CeilingNormalisation::LegacySquaredCeiling => square / (ceiling * ceiling),
    }
}

/// A score over splits and neuroids.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct BrainScore {
    /// Median correlation over neuroids, mean over splits.
    pub raw: f64,
    /// Median ceiling over neuroids, mean over splits.
    pub ceiling: f64,
    /// `raw` normalised by `ceiling`.
    pub score: f64,
    /// Each neuroid normalised by its own ceiling first; then median and mean as above.
    pub score_per_neuroid: f64,
    /// Standard error of `raw` over splits; 0 with one split.
    pub error: f64,
    /// The rule of normalisation.
    pub normalisation: CeilingNormalisation,
    /// Neuroids without a positive ceiling in any split: they count in `raw`, not in `score_per_neuroid`.
    pub dropped: usize,
}

/// Scores a model from `correlations` and `ceilings` (splits x neuroids; the ceilings may have one row for
/// all splits).
///
/// # Errors
/// [`Error::Shape`] where sizes disagree, [`Error::TooFew`] without splits or neuroids.
pub fn brain_score(
    correlations: ArrayView2<'_, f64>,
    ceilings: ArrayView2<'_, f64>,
    normalisation: CeilingNormalisation,
) -> Result<BrainScore> {
    let operation = "brain score";
    let (splits, neuroids) = correlations.dim();
    for (what, found) in [("splits", splits), ("neuroids", neuroids)] {
        if found == 0 {
            return Err(Error::TooFew {
                operation,
                what,
                found,
                needed: 1,
            });
        }
    }
    let shape = |axis, found, expected: String| Error::Shape {
        operation,
        what: "the ceilings".to_string(),
        axis,
        found,
        expected,
    };
    if ceilings.ncols() != neuroids {
        return Err(shape("neuroids", ceilings.ncols(), neuroids.to_string()));
    }
    if ceilings.nrows() != splits && ceilings.nrows() != 1 {
        return Err(shape("splits", ceilings.nrows(), format!("{splits} or 1")));
    }
    let ceiling_at = |split: usize, neuroid: usize| ceilings[[split % ceilings.nrows(), neuroid]];
    let normalised = Array2::from_shape_fn((splits, neuroids), |(split, neuroid)| {
        let ceiling = ceiling_at(split, neuroid);
        normalised_by_ceiling(correlations[[split, neuroid]], ceiling, normalisation)
    });
    let medians = |matrix: ArrayView2<'_, f64>| -> Vec<f64> {
        matrix
            .rows()
            .into_iter()
            .map(|row| median(&row.to_vec()))
            .collect()
    };
    let raw = medians(correlations);
    let ceiling = mean(&medians(ceilings));
    let error = standard_deviation(&raw).map_or(0.0, |sd| sd / (splits as f64).sqrt());
    let dropped = (0..neuroids)
        .filter(|&neuroid| (0..splits).all(|split| !(ceiling_at(split, neuroid) > 0.0)))
        .count();
    Ok(BrainScore {
        raw: mean(&raw),
        ceiling,
        score: normalised_by_ceiling(mean(&raw), ceiling, normalisation),
        score_per_neuroid: mean(&medians(normalised.view())),
        error,
        normalisation,
        dropped,
    })
}
