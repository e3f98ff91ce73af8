//! Representations compared directly, without a dissimilarity matrix in between.

use chiasm_core::{Error, Result};
use ndarray::ArrayView2;

use super::shape;
use super::{Comparator, pairwise};
use crate::similarity::dissimilarity::{Dissimilarity, rdm_of_patterns};

/// The angular shape distance in radians between two sets of patterns (conditions x channels; the numbers
/// of channels may differ): the angle left after the best rotation of one onto the other, 0 for equal
/// shapes and π/2 for unrelated ones (Williams, Kunz, Kornblith and Linderman 2021).
pub fn angular_shape_distance(x: ArrayView2<'_, f64>, y: ArrayView2<'_, f64>) -> Result<f64> {
    same_conditions(x, y)?;
    match (shape::factor_of_patterns(x)?, shape::factor_of_patterns(y)?) {
        (Some(x), Some(y)) => Ok(shape::cosine(&x, &y)?.acos()),
        _ => Err(Error::Unusable {
            operation: "shape distance",
            reason: "all conditions have the same pattern".to_string(),
        }),
    }
}

/// Linear centred kernel alignment of two sets of patterns (conditions x channels; the numbers of channels
/// may differ), with unbiased estimates of HSIC if `debiased` (Kornblith et al. 2019; Song et al. 2012).
pub fn linear_cka(x: ArrayView2<'_, f64>, y: ArrayView2<'_, f64>, debiased: bool) -> Result<f64> {
    same_conditions(x, y)?;
    let settings = Dissimilarity::SquaredEuclidean.into();
    let rdms = [
        rdm_of_patterns("x", x, &settings)?,
        rdm_of_patterns("y", y, &settings)?,
    ];
    let comparator = if debiased {
        Comparator::DebiasedCka
    } else {
        Comparator::Cka
    };
    Ok(pairwise(&rdms, comparator)?[[0, 1]])
}

fn same_conditions(x: ArrayView2<'_, f64>, y: ArrayView2<'_, f64>) -> Result<()> {
    if x.nrows() != y.nrows() {
        return Err(Error::Shape {
            operation: "comparison of representations",
            what: "the second array".to_string(),
            axis: "conditions",
            found: y.nrows(),
            expected: x.nrows().to_string(),
        });
    }
    Ok(())
}
