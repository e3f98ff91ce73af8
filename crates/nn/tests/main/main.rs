//! Behaviour of the shared parts of trained networks.

mod gradients;
mod training;
mod weights;
