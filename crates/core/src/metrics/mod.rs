//! Scores that several methods share.

pub mod interval;
