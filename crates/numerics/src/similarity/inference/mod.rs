//! How sure a comparison is: noise ceilings over subjects, and the bootstrap over subjects, conditions or
//! both.

mod bootstrap;
mod noise_ceiling;

pub use bootstrap::{BootstrapOver, BootstrapSettings};
pub use noise_ceiling::{NoiseCeiling, noise_ceiling, noise_ceiling_of_sample};

pub(crate) use bootstrap::{Bootstrapped, Stacks, bootstrap, mean_over_subjects};
