//! Behaviour of sparse codes, dendrites and what is built on them.

mod correlated_patterns;
mod encoders;
mod false_positives;
mod neuron;
mod recognition;
mod sdr;
mod segments;
mod simulation;
mod spatial_pooler;
mod temporal_memory;
