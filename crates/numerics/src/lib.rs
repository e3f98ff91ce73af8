//! The shared ground of classical methods: similarity of representations, factorisation, graphs,
//! resampling. `ndarray` in and out, `faer` inside for decompositions.

pub mod epoching;
pub mod graph;
pub mod resampling;
pub mod similarity;
pub mod tensor;
