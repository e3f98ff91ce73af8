//! Behaviour of the methods for brains, checked from outside.

#![allow(
    missing_docs,
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a test may fail loudly"
)]

mod choice_model;
mod dynamic_connectome;
mod encoding;
mod region_identification;
