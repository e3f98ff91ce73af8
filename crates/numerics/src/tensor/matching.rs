//! Which component of one CP model is which of another.

use chiasm_core::metrics::assignment::best_assignment;
use ndarray::Array2;

use super::cp::CpModel;

/// Components of one model matched one to one with those of another.
#[derive(Clone, Debug, PartialEq)]
pub struct FactorMatch {
    /// The mean, over the components of the first model, of the product over axes of the cosines
    /// between matched columns (the factor match score of Acar, Dunlavy, Kolda and Mørup 2011 without
    /// its weight term); a component left without partner counts 0.
    pub score: f64,
    /// That product for each component of the first model.
    pub similarity: Vec<f64>,
    /// The partner in the second model of each component of the first.
    pub partner: Vec<Option<usize>>,
}

/// Matches the components of `second` to those of `first` for the largest [`FactorMatch::score`].
/// Surplus components of `second` cost nothing. Models over axes of different sizes share nothing:
/// score 0.
pub fn factor_match(first: &CpModel, second: &CpModel) -> FactorMatch {
    let nothing = || FactorMatch {
        score: 0.0,
        similarity: vec![0.0; first.rank()],
        partner: vec![None; first.rank()],
    };
    if first.dims() != second.dims() || first.rank() == 0 || second.rank() == 0 {
        return nothing();
    }
    let mut similarity = Array2::from_elem((first.rank(), second.rank()), 1.0);
    for (a, b) in first.factors.iter().zip(&second.factors) {
        similarity *= &a.t().dot(b);
    }
    let Ok(partner) = best_assignment(similarity.view()) else {
        return nothing();
    };
    let matched: Vec<f64> = partner
        .iter()
        .enumerate()
        .map(|(row, column)| column.map_or(0.0, |column| similarity[[row, column]]))
        .collect();
    FactorMatch {
        score: matched.iter().sum::<f64>() / matched.len() as f64,
        similarity: matched,
        partner,
    }
}
