//! Spiking networks: neurons with explicit semantics, synapses with delays that are learned, and an
//! event-driven runtime for what was learned.
//!
//! Signals are time first: (steps, batch, channels).

mod batch_norm;
mod delay_layer;
mod delay_network;
mod delay_training;
mod dropout;
mod event_driven;
mod neuron;
mod readout;
mod spike_data;
mod spike_linear;

pub use batch_norm::{BatchNorm, batch_norm, batch_norm_ordinary};
pub use delay_layer::{
    DelayConvolutionOptions, DelayLayer, DelayLayerConfig, Spread, delay_convolution,
    delay_convolution_ordinary,
};
pub use delay_network::{DelayNetwork, DelayNetworkConfig, Delays, Mode, SpreadShape, Synapses};
pub use delay_training::{
    DelayTask, DelayTrainingSettings, SpreadSchedule, accuracy, calibrate, train_delays,
};
pub use dropout::drop_over_time;
pub use event_driven::{EventDriven, Outcome};
pub use neuron::{
    LeakyIntegrator, LifScan, Neuron, Reset, Surrogate, ThresholdTie, fire, fire_ordinary,
    integrate, integrate_ordinary,
};
pub use readout::Readout;
pub use spike_data::{FrameSettings, Sample, SpikeData, frames};
pub use spike_linear::{SpikeLinear, spike_linear, spike_linear_ordinary};
