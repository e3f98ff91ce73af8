//! Simulators with known ground truth.

pub mod calcium_communities;
pub mod cochlea;
pub mod coincidence;
pub mod image_similarity;
pub mod lfr;
mod power_law;
pub mod representations;
pub mod speech_corpus;
