//! Initial weights from named seeds.

use burn::module::Param;
use burn::tensor::{Device, Tensor, TensorData};
use chiasm_core::Seed;
use rand_distr::{Distribution, Normal, Uniform};

/// A trainable tensor with elements uniform in [-bound, bound).
pub fn uniform<const D: usize>(
    seed: Seed,
    shape: [usize; D],
    bound: f64,
    device: &Device,
) -> Param<Tensor<D>> {
    draw(
        seed,
        shape,
        device,
        Uniform::new(-bound as f32, bound as f32).ok(),
    )
}

/// A trainable tensor with normal elements of mean 0.
pub fn normal<const D: usize>(
    seed: Seed,
    shape: [usize; D],
    standard_deviation: f64,
    device: &Device,
) -> Param<Tensor<D>> {
    draw(
        seed,
        shape,
        device,
        Normal::new(0.0, standard_deviation as f32).ok(),
    )
}

/// A trainable tensor with one value everywhere.
pub fn constant<const D: usize>(
    value: f32,
    shape: [usize; D],
    device: &Device,
) -> Param<Tensor<D>> {
    Param::from_tensor(Tensor::full(shape, value, device))
}

/// A distribution that could not be made (a bound of zero) gives zeros.
fn draw<const D: usize>(
    seed: Seed,
    shape: [usize; D],
    device: &Device,
    distribution: Option<impl Distribution<f32>>,
) -> Param<Tensor<D>> {
    let count = shape.iter().product();
    let values: Vec<f32> = match distribution {
        Some(distribution) => distribution.sample_iter(seed.rng()).take(count).collect(),
        None => vec![0.0; count],
    };
    Param::from_data(TensorData::new(values, shape), device)
}
