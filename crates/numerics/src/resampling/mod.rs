//! Bootstrap, permutation and what is concluded from them.

mod bootstrap;
mod false_discovery_rate;
mod permutation;
mod quantile;

pub use bootstrap::{BootstrapVariances, bootstrap_indices, dual_bootstrap_variance};
pub use false_discovery_rate::{adjusted_p_values, discoveries};
pub use permutation::{permutation, permutation_p_value};
pub use quantile::{percentile_interval, quantile};
