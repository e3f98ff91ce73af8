//! Behaviour of spiking networks: gradients against ordinary operations, neurons against the libraries they
//! are named after, delays that are learned, and the event-driven form against the dense one.

mod coincidence;
mod event_driven;
mod gradients;
mod neurons;
