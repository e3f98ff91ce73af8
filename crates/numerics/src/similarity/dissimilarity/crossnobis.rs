//! Cross-validated squared Mahalanobis distance.

use chiasm_core::data::{Responses, condensed_len};
use chiasm_core::{Error, Result};

use super::mahalanobis::noise_of_repeats;
use super::noise_covariance::NoiseModel;
use super::{Grouped, fill_condensed};
use crate::similarity::dense::{Cores, cross_gram};

/// The mean over folds of `(a_i - a_j)_train' S (a_i - a_j)_test / P`, condensed.
///
/// Every fold (run, session) must hold every condition; training means average all trials of the other
/// folds.
pub(super) fn condensed(
    responses: &Responses,
    grouped: &Grouped<'_>,
    noise: NoiseModel,
) -> Result<Vec<f64>> {
    let name = &responses.name;
    let unusable = |reason: String| Error::Unusable {
        operation: "crossnobis",
        reason,
    };
    let Some(fold_of_trial) = &responses.folds else {
        return Err(unusable(format!(
            "{name}: needs fold labels (the run or session of each trial)"
        )));
    };
    let mut folds = fold_of_trial.clone();
    folds.sort_unstable();
    folds.dedup();
    if folds.len() < 2 {
        return Err(Error::TooFew {
            operation: "crossnobis",
            what: "folds (runs or sessions)",
            found: folds.len(),
            needed: 2,
        });
    }
    for &fold in &folds {
        let counts = grouped.counts(|trial| fold_of_trial[trial] == fold);
        if let Some(missing) = counts.iter().position(|count| *count == 0) {
            return Err(unusable(format!(
                "{name}: fold {fold} has no trial of condition {}",
                grouped.labels[missing]
            )));
        }
    }
    let means = grouped.means(responses.values.view(), |_| true);
    let whitening = noise_of_repeats(responses, grouped, &means, noise)?;
    let whitened = whitening.apply(responses.values.clone())?;
    let channels = responses.values.ncols() as f64;
    let mut total = vec![0.0; condensed_len(means.nrows())];
    for &fold in &folds {
        let test = grouped.means(whitened.view(), |trial| fold_of_trial[trial] == fold);
        let training = grouped.means(whitened.view(), |trial| fold_of_trial[trial] != fold);
        let kernel = cross_gram(training.view(), test.view(), Cores::All);
        let fold_values = fill_condensed(means.nrows(), |i, j| {
            kernel[[i, i]] + kernel[[j, j]] - kernel[[i, j]] - kernel[[j, i]]
        });
        for (total, value) in total.iter_mut().zip(fold_values) {
            *total += value;
        }
    }
    let scale = 1.0 / (channels * folds.len() as f64);
    Ok(total.into_iter().map(|value| value * scale).collect())
}
