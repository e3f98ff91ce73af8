//! What trained networks share.

pub mod initial;
mod linear;
pub mod operation;

pub use linear::{Activation, Linear, LinearConfig, linear, linear_ordinary};
