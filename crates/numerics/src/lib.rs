//! The shared ground of classical methods: similarity of representations, factorisation, graphs,
//! resampling. `ndarray` in and out, `faer` inside for decompositions.

pub mod graph;
pub mod reliability;
pub mod resampling;
pub mod similarity;
pub mod tensor;
