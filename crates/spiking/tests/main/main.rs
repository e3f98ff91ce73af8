//! Behaviour of spiking networks: gradients against ordinary operations, neurons against the libraries they
//! are named after, delays that are learned, and the event-driven form against the dense one.

#![allow(
    missing_docs,
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a test may fail loudly"
)]

mod coincidence;
mod event_driven;
mod gradients;
mod neurons;
