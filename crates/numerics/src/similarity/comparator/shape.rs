//! Shapes: centred kernels up to rotation.

use chiasm_core::Result;
use ndarray::{Array1, Array2, ArrayView2};

use crate::similarity::dense::{Cores, cross_gram, lower_gram, nuclear_norm, symmetric_eigen};
use crate::similarity::sample::{ConditionSample, SampledRdm};

/// A factor F of unit Frobenius norm with the centred kernel `K = FF'` up to scale; `None` where all
/// points coincide. Condition a stands as often as it was drawn.
pub(super) fn factor_of_rdm(
    rdm: &SampledRdm<'_>,
    sample: &ConditionSample,
) -> Result<Option<Array2<f64>>> {
    let counts = Array1::from(sample.counts().to_vec());
    let drawn = counts.sum();
    let conditions = counts.len();
    let mut kernel = Array2::zeros((conditions, conditions));
    let mut pair = 0;
    for a in 0..conditions {
        for b in a + 1..conditions {
            kernel[[a, b]] = -0.5 * rdm.values[pair];
            kernel[[b, a]] = kernel[[a, b]];
            pair += 1;
        }
    }
    // Distances are taken about the mean of all points drawn.
    let means: Array1<f64> = kernel.dot(&counts) / drawn;
    let mean = means.dot(&counts) / drawn;
    for ((a, b), value) in kernel.indexed_iter_mut() {
        *value = (*value - means[a] - means[b] + mean) * (counts[a] * counts[b]).sqrt();
    }
    factor_of_kernel(kernel.view())
}

/// The same for patterns (conditions x channels).
pub(super) fn factor_of_patterns(patterns: ArrayView2<'_, f64>) -> Result<Option<Array2<f64>>> {
    let mut centred = patterns.to_owned();
    if let Some(mean) = centred.mean_axis(ndarray::Axis(0)) {
        centred -= &mean;
    }
    if centred.ncols() > centred.nrows() {
        return factor_of_kernel(lower_gram(centred.view(), Cores::All).view());
    }
    Ok(unit(centred))
}

fn factor_of_kernel(lower: ArrayView2<'_, f64>) -> Result<Option<Array2<f64>>> {
    let (values, mut vectors) = symmetric_eigen(lower)?;
    for (mut column, value) in vectors.columns_mut().into_iter().zip(&values) {
        // Cross-validated or rank-like "distances" may have negative directions: no point has them.
        column *= value.max(0.0).sqrt();
    }
    Ok(unit(vectors))
}

fn unit(mut factor: Array2<f64>) -> Option<Array2<f64>> {
    let norm = factor.iter().map(|value| value * value).sum::<f64>().sqrt();
    if !(norm > 0.0) {
        return None;
    }
    factor /= norm;
    Some(factor)
}

/// The cosine of the angle between two shapes: the largest overlap over all rotations.
pub(super) fn cosine(x: &Array2<f64>, y: &Array2<f64>) -> Result<f64> {
    let overlap = nuclear_norm(cross_gram(x.t(), y.t(), Cores::One).view())?;
    Ok(overlap.min(1.0))
}
