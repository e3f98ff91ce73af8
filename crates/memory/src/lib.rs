//! Sparse codes, dendrites and associative memory.
//!
//! The floor under everything here is a sparse code ([`Sdr`]): a small set of active cells among
//! many. Dendritic segments recognise such codes; [`recognition`] says exactly how often they err.

pub mod binomial;
pub mod correlated_patterns;
pub mod encoders;
pub mod false_positives;
pub mod hypergeometric;
pub mod neuron;
pub mod recognition;
mod sdr;
pub mod segment_index;
pub mod segments;
pub mod simulation;
pub mod spatial_pooler;
pub mod temporal_memory;

pub use sdr::Sdr;
