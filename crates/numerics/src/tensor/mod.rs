//! Tensor factorisation.

mod cp;
mod hals;
mod matching;
mod observed;
mod rank;

pub use cp::{CpFit, CpModel, CpSettings, CpStart, fit_cp, fit_cp_from};
pub use matching::{FactorMatch, factor_match};
pub use observed::ObservedTensor;
pub use rank::{RankChoice, RankScore, RankSettings, choose_rank, core_consistency};
