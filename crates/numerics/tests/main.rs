//! Behaviour of the shared numerical methods, checked from outside.

mod graph;
mod similarity;
mod tensor;
