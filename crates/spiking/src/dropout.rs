//! Dropout with one mask for all time steps.

use burn::tensor::{Tensor, TensorData};
use chiasm_core::Seed;
use rand::RngExt;

/// Silences each (sample, channel) of (steps, batch, channels) with probability `share` for all of time, and
/// scales the others by `1 / (1 - share)`. Masks that change from step to step would let every channel
/// through sooner or later.
pub fn drop_over_time(signal: Tensor<3>, share: f64, seed: Seed) -> Tensor<3> {
    if share <= 0.0 {
        return signal;
    }
    let [_, batch, channels] = signal.dims();
    let mut rng = seed.rng();
    let kept = (1.0 / (1.0 - share)) as f32;
    let mask: Vec<f32> = (0..batch * channels)
        .map(|_| {
            if rng.random_bool(share.min(1.0)) {
                0.0
            } else {
                kept
            }
        })
        .collect();
    let device = signal.device();
    let mask = Tensor::from_data(TensorData::new(mask, [1, batch, channels]), &device);
    signal * mask
}
