//! Tensor factorisation.
