//! Behaviour of sparse codes, dendrites and what is built on them.

#![allow(
    missing_docs,
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a test may fail loudly"
)]

mod correlated_patterns;
mod encoders;
mod false_positives;
mod neuron;
mod recognition;
mod sdr;
mod segments;
mod simulation;
mod spatial_pooler;
mod temporal_memory;
