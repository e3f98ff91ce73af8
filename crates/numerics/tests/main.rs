//! Behaviour of the shared numerical methods, checked from outside.

mod similarity;
