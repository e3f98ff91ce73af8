//! Scores that several methods share.

pub mod assignment;
pub mod interval;
pub mod partition;
