//! All pairs at once.

use chiasm_core::data::Rdm;
use chiasm_core::{Error, Result};
use ndarray::{Array2, Axis};
use rayon::prelude::*;

use super::kendall::{Levels, tau};
use super::{Comparator, embedding, shape};
use crate::similarity::dense::{Cores, lower_gram};
use crate::similarity::sample::{ConditionSample, PreparedRdm, SampledRdm};

/// The comparator's value for all pairs of `rdms`, symmetric.
///
/// Fails where the RDMs differ in their number of conditions, with fewer conditions than the comparator
/// needs, and where it is undefined for one of them (e.g. Pearson's r of a constant RDM).
pub fn pairwise(rdms: &[Rdm], comparator: Comparator) -> Result<Array2<f64>> {
    let Some(first) = rdms.first() else {
        return Ok(Array2::zeros((0, 0)));
    };
    let sample = check_alike(rdms, first, comparator)?;
    let prepared = rdms
        .par_iter()
        .map(|rdm| PreparedRdm::new(rdm, comparator.uses_ranks()))
        .collect::<Result<Vec<_>>>()?;
    let seen: Vec<SampledRdm<'_>> = prepared
        .iter()
        .map(|rdm| rdm.seen_through(&sample))
        .collect();
    let compared = compare_all(
        &seen.iter().collect::<Vec<_>>(),
        comparator,
        &sample,
        Cores::All,
    )?;
    if let Some(index) = compared.undefined.iter().position(|undefined| *undefined) {
        return Err(Error::Unusable {
            operation: "RDM comparison",
            reason: format!(
                "{}: its dissimilarities do not vary, so {} is undefined",
                rdms[index].name,
                comparator.name()
            ),
        });
    }
    Ok(compared.matrix)
}

/// The comparator's value for two RDMs. See [`pairwise`].
pub fn similarity(x: &Rdm, y: &Rdm, comparator: Comparator) -> Result<f64> {
    Ok(pairwise(&[x.clone(), y.clone()], comparator)?[[0, 1]])
}

/// The comparator's value for all pairs of RDMs seen through one bootstrap sample, each pair of conditions
/// weighing as often as it was drawn; NaN where it is undefined. RDMs must be seen with their order where
/// the comparator [`uses ranks`](Comparator::uses_ranks).
pub fn pairwise_of_sample(
    rdms: &[&SampledRdm<'_>],
    comparator: Comparator,
    sample: &ConditionSample,
) -> Result<Array2<f64>> {
    Ok(compare_all(rdms, comparator, sample, Cores::One)?.matrix)
}

fn check_alike(rdms: &[Rdm], first: &Rdm, comparator: Comparator) -> Result<ConditionSample> {
    for rdm in rdms {
        if rdm.conditions() != first.conditions() {
            return Err(Error::Shape {
                operation: "RDM comparison",
                what: rdm.name.clone(),
                axis: "conditions",
                found: rdm.conditions(),
                expected: format!("{} (as in {})", first.conditions(), first.name),
            });
        }
    }
    if first.conditions() < comparator.fewest_conditions() {
        return Err(Error::TooFew {
            operation: "RDM comparison",
            what: "conditions",
            found: first.conditions(),
            needed: comparator.fewest_conditions(),
        });
    }
    Ok(ConditionSample::all(first.conditions()))
}

/// Values for all pairs, NaN in the rows and columns of RDMs the comparator is undefined for.
pub(crate) struct Compared {
    pub(crate) matrix: Array2<f64>,
    pub(crate) undefined: Vec<bool>,
}

/// Compares all pairs seen through one sample.
pub(crate) fn compare_all(
    rdms: &[&SampledRdm<'_>],
    comparator: Comparator,
    sample: &ConditionSample,
    cores: Cores,
) -> Result<Compared> {
    let (mut matrix, undefined) = if embedding::is_inner_product(comparator) {
        inner_products(rdms, comparator, sample, cores)
    } else if matches!(
        comparator,
        Comparator::KendallTauA | Comparator::KendallTauB
    ) {
        let matrix = kendall(rdms, comparator, sample, cores)?;
        let undefined = (0..rdms.len()).map(|i| matrix[[i, i]].is_nan()).collect();
        (matrix, undefined)
    } else {
        shapes(rdms, comparator, sample, cores)?
    };
    for (i, &undefined) in undefined.iter().enumerate() {
        if undefined {
            matrix.row_mut(i).fill(f64::NAN);
            matrix.column_mut(i).fill(f64::NAN);
        }
    }
    Ok(Compared { matrix, undefined })
}

fn inner_products(
    rdms: &[&SampledRdm<'_>],
    comparator: Comparator,
    sample: &ConditionSample,
    cores: Cores,
) -> (Array2<f64>, Vec<bool>) {
    let mut vectors = Array2::zeros((rdms.len(), embedding::dimensions(comparator, sample)));
    let embed = |(mut row, rdm): (ndarray::ArrayViewMut1<'_, f64>, &&SampledRdm<'_>)| {
        !row.as_slice_mut()
            .is_some_and(|row| embedding::embed(comparator, rdm, sample, row))
    };
    let undefined: Vec<bool> = match cores {
        Cores::All => vectors
            .axis_iter_mut(Axis(0))
            .into_par_iter()
            .zip(rdms)
            .map(embed)
            .collect(),
        Cores::One => vectors
            .axis_iter_mut(Axis(0))
            .zip(rdms)
            .map(embed)
            .collect(),
    };
    let mut matrix = lower_gram(vectors.view(), cores);
    let bounded = comparator != Comparator::RhoA;
    for i in 0..rdms.len() {
        for j in 0..i {
            if bounded {
                matrix[[i, j]] = matrix[[i, j]].clamp(-1.0, 1.0);
            }
            matrix[[j, i]] = matrix[[i, j]];
        }
        if bounded {
            matrix[[i, i]] = 1.0;
        }
    }
    (matrix, undefined)
}

/// Fills a symmetric matrix from `entry(i, j)` for `i <= j`.
fn symmetric(
    size: usize,
    cores: Cores,
    entry: impl Fn(usize, usize) -> Result<f64> + Sync,
) -> Result<Array2<f64>> {
    let pairs: Vec<(usize, usize)> = (0..size)
        .flat_map(|i| (i..size).map(move |j| (i, j)))
        .collect();
    let values = match cores {
        Cores::All => pairs
            .par_iter()
            .map(|&(i, j)| entry(i, j))
            .collect::<Result<Vec<_>>>()?,
        Cores::One => pairs
            .iter()
            .map(|&(i, j)| entry(i, j))
            .collect::<Result<Vec<_>>>()?,
    };
    let mut matrix = Array2::zeros((size, size));
    for (&(i, j), value) in pairs.iter().zip(values) {
        matrix[[i, j]] = value;
        matrix[[j, i]] = value;
    }
    Ok(matrix)
}

fn kendall(
    rdms: &[&SampledRdm<'_>],
    comparator: Comparator,
    sample: &ConditionSample,
    cores: Cores,
) -> Result<Array2<f64>> {
    let levels: Vec<Levels<'_>> = rdms.iter().map(|rdm| Levels::new(rdm, sample)).collect();
    let entry = |i: usize, j: usize| {
        let (a, b) = tau(&levels[i], &levels[j], sample);
        Ok(if comparator == Comparator::KendallTauA {
            a
        } else {
            b
        })
    };
    symmetric(rdms.len(), cores, entry)
}

fn shapes(
    rdms: &[&SampledRdm<'_>],
    comparator: Comparator,
    sample: &ConditionSample,
    cores: Cores,
) -> Result<(Array2<f64>, Vec<bool>)> {
    let factors = rdms
        .iter()
        .map(|rdm| shape::factor_of_rdm(rdm, sample))
        .collect::<Result<Vec<_>>>()?;
    let matrix = symmetric(rdms.len(), cores, |i, j| match (&factors[i], &factors[j]) {
        (Some(x), Some(y)) => {
            let cosine = if i == j { 1.0 } else { shape::cosine(x, y)? };
            Ok(if comparator == Comparator::Procrustes {
                cosine.acos()
            } else {
                cosine
            })
        }
        _ => Ok(f64::NAN),
    })?;
    Ok((matrix, factors.iter().map(Option::is_none).collect()))
}
