//! Representational similarity: dissimilarity matrices, their transforms and comparators, noise ceilings
//! and inference, a map of conditions for the eye, and triplets that take two similarities apart.
//!
//! [`compare::compare`] does all of it for named inputs; the parts stand on their own.

pub mod comparator;
pub mod compare;
mod dense;
pub mod dissimilarity;
pub mod inference;
mod multidimensional_scaling;
mod ranks;
mod sample;
pub mod searchlight;
pub mod transform;
pub mod triplets;

pub use comparator::Comparator;
pub use dissimilarity::{Dissimilarity, DissimilaritySettings};
pub use multidimensional_scaling::{ClassicalScaling, classical_scaling};
pub use sample::{ConditionSample, PreparedRdm, SampledRdm};
pub use transform::{GeodesicEdges, Transform, TransformedRdm};
