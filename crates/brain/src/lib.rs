//! Methods for recordings of brains.

pub mod choice_model;
pub mod dynamic_connectome;
pub mod encoding;
pub mod gabor_energy;
pub mod region_identification;
