//! Many targets from common features: ridge and what stands beside it.

mod columns;
mod design;
mod penalty_path;
mod real;
mod ridge;
mod scores;
mod selection;
mod source;

pub use design::Form;
pub use real::Real;
pub use ridge::{
    Penalty, RidgeFit, RidgeSettings, fit_ridge, fit_ridge_fixed, logarithmic_grid,
    select_penalties,
};
pub use scores::{SelectionMetric, correlation_scores, r2_scores};
pub use selection::{PenaltyChoice, PenaltySelection};
pub use source::{ResponseSource, SelectedRows};
