//! All pairs at once.

use chiasm_core::data::Rdm;
use chiasm_core::{Error, Result};
use ndarray::Array2;

use super::kendall::{Levels, tau};
use super::{Comparator, embedding, shape};
use crate::similarity::dense::{Cores, lower_gram_of_rows};
use crate::similarity::sample::{ConditionSample, SampledRdm};

/// The comparator's value for all pairs of `rdms`, symmetric.
///
/// Fails where the RDMs differ in their number of conditions, with fewer conditions than the comparator
/// needs, and where it is undefined for one of them (e.g. Pearson's r of a constant RDM).
pub fn pairwise(rdms: &[Rdm], comparator: Comparator) -> Result<Array2<f64>> {
    let Some(first) = rdms.first() else {
        return Ok(Array2::zeros((0, 0)));
    };
    let sample = check_alike(rdms, first, comparator)?;
    let seen: Vec<SampledRdm<'_>> = rdms.iter().map(SampledRdm::unsorted).collect();
    let all: Vec<&SampledRdm<'_>> = seen.iter().collect();
    let compared = compare_all(&all, comparator, &sample, Cores::All)?;
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
/// weighing as often as it was drawn; NaN where it is undefined.
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
        inner_products(rdms, comparator, sample, cores)?
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
) -> Result<(Array2<f64>, Vec<bool>)> {
    let vectors = cores.map(rdms, |rdm| embedding::embed(comparator, rdm, sample))?;
    let rows: Vec<_> = vectors.iter().map(embedding::Embedded::row).collect();
    let mut matrix = lower_gram_of_rows(&rows, cores)?;
    let squared_norms = matrix.diag().to_owned();
    let undefined = vectors
        .iter()
        .zip(&squared_norms)
        .map(|(vector, &squared_norm)| vector.is_nothing(squared_norm))
        .collect();
    for i in 0..rdms.len() {
        for j in 0..=i {
            let value = if comparator == Comparator::RhoA {
                matrix[[i, j]] * embedding::rho_a_scale(sample)
            } else if i == j {
                1.0
            } else {
                (matrix[[i, j]] / (squared_norms[i] * squared_norms[j]).sqrt()).clamp(-1.0, 1.0)
            };
            matrix[[i, j]] = value;
            matrix[[j, i]] = value;
        }
    }
    Ok((matrix, undefined))
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
    let values = cores.map(&pairs, |&(i, j)| entry(i, j))?;
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
    let levels = cores.map(rdms, |rdm| Levels::new(rdm, sample))?;
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
    let factors = cores.map(rdms, |rdm| shape::factor_of_rdm(rdm, sample))?;
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
