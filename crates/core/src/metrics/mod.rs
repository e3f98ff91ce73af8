//! Scores that several methods share.

pub mod assignment;
pub mod correlation;
pub mod identification;
pub mod interval;
pub mod partition;
pub mod retrieval;
pub mod score;
