//! RDMs made ready once and then compared with many others: ranking, centring and whitening happen once per
//! RDM, and no pair is computed that nobody asked for.

use chiasm_core::Result;
use ndarray::Array2;

use super::kendall::{Levels, tau};
use super::{Comparator, embedding, shape};
use crate::similarity::sample::{ConditionSample, SampledRdm};

/// One RDM in the form in which a comparator compares it.
pub(crate) enum Ready<'a> {
    /// A vector whose inner products are the comparator's values.
    Vector(ReadyVector),
    /// Levels of entries, for Kendall's tau.
    Levels(Levels<'a>),
    /// A centred kernel's factor; `None` where all conditions coincide.
    Shape(Option<Array2<f64>>),
}

/// A vector with its length; a length of NaN says that nothing is left once the mean is gone.
pub(crate) struct ReadyVector {
    pub(crate) entries: Vec<f64>,
    pub(crate) length: f64,
}

impl ReadyVector {
    /// The vector of one RDM under a comparator that is an inner product.
    pub(crate) fn new(
        rdm: &SampledRdm<'_>,
        comparator: Comparator,
        sample: &ConditionSample,
    ) -> Result<Self> {
        let embedded = embedding::embed(comparator, rdm, sample)?;
        let row = embedded.row();
        let entries: Vec<f64> = row.entries.iter().map(|value| value - row.shift).collect();
        let squared = dot(&entries, &entries);
        let length = if embedded.is_nothing(squared) {
            f64::NAN
        } else {
            squared.sqrt()
        };
        Ok(ReadyVector { entries, length })
    }
}

/// Makes one RDM ready.
pub(crate) fn ready<'a>(
    rdm: &'a SampledRdm<'_>,
    comparator: Comparator,
    sample: &ConditionSample,
) -> Result<Ready<'a>> {
    if embedding::is_inner_product(comparator) {
        return Ok(Ready::Vector(ReadyVector::new(rdm, comparator, sample)?));
    }
    Ok(match comparator {
        Comparator::KendallTauA | Comparator::KendallTauB => {
            Ready::Levels(Levels::new(rdm, sample)?)
        }
        _ => Ready::Shape(shape::factor_of_rdm(rdm, sample)?),
    })
}

/// The comparator's value for two RDMs made ready by the same comparator and sample; NaN where undefined.
pub(crate) fn compare_ready(
    x: &Ready<'_>,
    y: &Ready<'_>,
    comparator: Comparator,
    sample: &ConditionSample,
) -> Result<f64> {
    Ok(match (x, y) {
        (Ready::Vector(x), Ready::Vector(y)) => {
            let lengths = x.length * y.length;
            let product = dot(&x.entries, &y.entries);
            if lengths.is_nan() {
                f64::NAN
            } else if comparator == Comparator::RhoA {
                product * embedding::rho_a_scale(sample)
            } else {
                (product / lengths).clamp(-1.0, 1.0)
            }
        }
        (Ready::Levels(x), Ready::Levels(y)) => {
            let (a, b) = tau(x, y, sample);
            if comparator == Comparator::KendallTauA {
                a
            } else {
                b
            }
        }
        (Ready::Shape(Some(x)), Ready::Shape(Some(y))) => {
            let cosine = shape::cosine(x, y)?;
            if comparator == Comparator::Procrustes {
                cosine.acos()
            } else {
                cosine
            }
        }
        _ => f64::NAN,
    })
}

/// The inner product, summed in eight interleaved parts in a fixed order.
pub(crate) fn dot(x: &[f64], y: &[f64]) -> f64 {
    const LANES: usize = 8;
    let mut sums = [0.0; LANES];
    let (x_whole, x_rest) = x.as_chunks::<LANES>();
    let (y_whole, y_rest) = y.as_chunks::<LANES>();
    for (x, y) in x_whole.iter().zip(y_whole) {
        for lane in 0..LANES {
            sums[lane] += x[lane] * y[lane];
        }
    }
    let rest: f64 = x_rest.iter().zip(y_rest).map(|(x, y)| x * y).sum();
    sums.iter().sum::<f64>() + rest
}
