//! Behaviour of the shared numerical methods, checked from outside.

#![allow(
    missing_docs,
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a test may fail loudly"
)]

mod epoching;
mod graph;
mod regression;
mod reliability;
mod similarity;
mod splits;
mod tensor;
