//! The shared ground of classical methods: regression, similarity of representations, factorisation, graphs,
//! splits, resampling. `ndarray` in and out, `faer` inside for decompositions.

pub mod epoching;
pub mod graph;
pub mod regression;
pub mod reliability;
pub mod resampling;
pub mod similarity;
pub mod splits;
pub mod tensor;
