//! From signals over time to one number a class.

use burn::tensor::{Tensor, activation};
use serde::{Deserialize, Serialize};

/// How (steps, batch, classes) becomes (batch, classes).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Readout {
    /// The mean over time: a rate, where the signal is spikes.
    Mean,
    /// The largest value over time.
    Maximum,
    /// The value of the last step.
    Last,
    /// The sum over time of the softmax over classes (Hammouamri and colleagues 2024).
    SumOfSoftmax,
}

impl Readout {
    /// Reads (steps, batch, classes).
    pub fn read(self, signal: Tensor<3>) -> Tensor<2> {
        let [steps, batch, classes] = signal.dims();
        let read = match self {
            Readout::Mean => signal.mean_dim(0),
            Readout::Maximum => signal.max_dim(0),
            Readout::Last => signal.slice([steps - 1..steps]),
            Readout::SumOfSoftmax => activation::softmax(signal, 2).sum_dim(0),
        };
        read.reshape([batch, classes])
    }
}
