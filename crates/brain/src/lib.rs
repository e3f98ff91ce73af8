//! Methods for recordings of brains.

pub mod dynamic_connectome;
pub mod region_identification;
