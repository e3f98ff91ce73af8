//! Scores that several methods share.

pub mod assignment;
pub mod correlation;
pub mod interval;
pub mod partition;
