//! Methods for recordings of brains.

pub mod dynamic_connectome;
pub mod encoding;
pub mod region_identification;
