//! How sure a comparison is: noise ceilings over subjects, the bootstrap over subjects, conditions or both,
//! and tests of models, fixed and flexible, against zero, each other and the ceiling.

mod bootstrap;
mod evaluation;
mod fit;
mod folds;
mod infer;
mod model;
mod noise_ceiling;
mod non_negative_least_squares;
mod resample;
pub mod significance;

pub use bootstrap::{BootstrapOver, BootstrapSettings};
pub use evaluation::EvaluationRow;
pub use folds::{CrossValidation, Fold};
pub use infer::{
    Correction, Inference, InferenceSettings, ModelInference, PairInference, conclude_from_draws,
    evaluate_resamples, infer,
};
pub use model::{Flexibility, Model};
pub use noise_ceiling::{NoiseCeiling, noise_ceiling, noise_ceiling_of_sample};
pub use resample::Resample;
pub use significance::{Evaluations, Resampling};

pub(crate) use bootstrap::{Bootstrapped, Stacks, bootstrap, mean_over_subjects};
