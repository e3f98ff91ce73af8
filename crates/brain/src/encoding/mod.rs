//! Encoding models: responses of voxels, neurons or sensors predicted from features of the stimuli.
//!
//! For each target the model is linear in the features, `ŷ = m + Σ_s X_s b_s` over feature spaces `s`. What
//! is fitted, and on what it is scored:
//!
//! 1. **Rows.** Responses are trials x targets, or repeats x stimuli x targets ([`TrialDesign`]). Trials are fitted
//!    as they are; a stack of repeats is fitted as its means.
//! 2. **Split.** Test stimuli are held out whole: no stimulus is on both sides ([`Holdout`]), and inner folds keep
//!    stimuli together too. With delays, whole runs (or, without runs, blocks of time with a gap) take the place of
//!    stimuli.
//! 3. **Fit.** Penalties are chosen by cross-validation within the training part alone; features are centred
//!    and scaled by training rows of each fold.
//! 4. **Score.** Test responses are averaged over the repeats of a stimulus. Per target: Pearson's r and R²
//!    about the test mean, the ceiling of that mean ([`Ceiling`]), and the scores over the ceiling, `r/√ρ` and `R²/ρ`.
//! 5. **Test.** One-sided permutation p of r: the order of test stimuli (within their run), or blocks
//!    of time, is permuted; `p = (1 + #{r_π ≥ r}) / (1 + m)`. Benjamini-Hochberg q over targets.
//!
//! Targets with NaN and targets that do not vary are left out before the fit, and listed ([`Dropped`]). Responses pass in
//! batches of targets, so that they need not fit into memory.
//!
//! Sources: Naselaris et al. 2011 (encoding models); Dupré la Tour et al. 2022 (feature spaces); the
//! reliability and regression modules name theirs.

mod audit;
mod design;
mod fit;
mod model;
mod permutation;
mod score;
mod settings;
mod units;

pub use audit::Dropped;
pub use design::{Holdout, TrialDesign};
pub use fit::{EncodingData, FeatureSpace, FittedEncoding, fit_encoding};
pub use score::{EncodingScores, SpaceScores};
pub use settings::{Ceiling, EncodingMethod, EncodingSettings};
