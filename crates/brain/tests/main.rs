//! Behaviour of the methods for brains, checked from outside.

mod dynamic_connectome;
mod region_identification;
