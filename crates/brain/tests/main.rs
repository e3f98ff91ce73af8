//! Behaviour of the methods for brains, checked from outside.

mod region_identification;
