//! Many targets from common features: ridge with a penalty a target, banded ridge, partial least squares and the mean
//! as baseline; a logistic probe for classes; delays for time series; scores and how they divide.
//!
//! Features are rows x features, responses rows x targets, in `f32` or `f64`. Responses may come from a
//! [`ResponseSource`] a range of targets at a time, so that files larger than memory work.

mod banded;
mod banded_fit;
mod checks;
mod columns;
mod delays;
mod design;
mod logistic;
mod logistic_objective;
mod mean;
mod penalty_path;
mod pls;
mod real;
mod ridge;
mod score_splits;
mod scores;
mod selection;
mod source;

pub use banded::{BandedSettings, band_weight_candidates, fit_banded_ridge, fit_banded_ridge_over};
pub use banded_fit::BandedFit;
pub use delays::{DelayedFeatures, RunEdge, delayed_features};
pub use design::Form;
pub use logistic::{LogisticFit, LogisticSettings, ProbeMetric, fit_logistic, fit_logistic_fixed};
pub use mean::{MeanFit, fit_mean};
pub use pls::{PlsFit, fit_pls};
pub use real::Real;
pub use ridge::{
    Penalty, RidgeFit, RidgeSettings, fit_ridge, fit_ridge_fixed, logarithmic_grid,
    select_penalties,
};
pub use score_splits::{VariancePartition, correlation_split, product_measure, variance_partition};
pub use scores::{SelectionMetric, correlation_scores, r2_scores};
pub use selection::{PenaltyChoice, PenaltySelection};
pub use source::{ResponseSource, SelectedRows};
