//! Populations of neurons: states and circuits.

pub(crate) mod dynamic_connectome;
