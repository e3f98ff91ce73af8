//! Spiking networks.

pub(crate) mod learned_delays;
