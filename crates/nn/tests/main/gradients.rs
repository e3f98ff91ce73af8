//! Every operation against its body of ordinary differentiable operations, and against
//! differences of its own values.

use burn::tensor::{Device, Int, Tensor, TensorData};
use chiasm_core::Seed;
use chiasm_nn::loss::{cross_entropy, cross_entropy_ordinary};
use chiasm_nn::{
    Activation, Conv2dOptions, attention, attention_ordinary, conv2d, conv2d_ordinary, embedding,
    embedding_ordinary, layer_norm, layer_norm_ordinary, linear, linear_ordinary, max_pool2d,
    max_pool2d_ordinary, self_attention,
};
use rand_distr::{Distribution, StandardNormal};

/// Normal numbers in a tracked tensor.
pub(crate) fn random<const D: usize>(seed: &str, shape: [usize; D]) -> Tensor<D> {
    let rng = Seed::new(7).named(seed).rng();
    let count = shape.iter().product();
    let values: Vec<f32> = StandardNormal.sample_iter(rng).take(count).collect();
    Tensor::from_data(TensorData::new(values, shape), &Device::flex().autodiff()).require_grad()
}

fn values<const D: usize>(tensor: Tensor<D>) -> Vec<f32> {
    tensor.into_data().try_to_vec().unwrap()
}

/// Largest difference of two tensors relative to the largest element of the second.
pub(crate) fn distance<const D: usize>(a: Tensor<D>, b: Tensor<D>) -> f32 {
    assert_eq!(a.dims(), b.dims());
    let (a, b) = (values(a), values(b));
    let scale = b.iter().fold(1e-6f32, |m, v| m.max(v.abs()));
    a.iter()
        .zip(&b)
        .map(|(a, b)| (a - b).abs())
        .fold(0.0, f32::max)
        / scale
}

/// Checks outputs and the gradient at every input of `ours` against `reference`. The loss weighs
/// each output element differently, so that no gradient can be right by symmetry.
macro_rules! same {
    ($ours:expr, $reference:expr, $($input:ident),+; $tolerance:expr) => {{
        let (a, b) = ($ours, $reference);
        assert!(crate::gradients::distance(a.clone(), b.clone()) < $tolerance, "outputs differ");
        let weights = crate::gradients::random("loss", a.dims()).detach();
        let ours = (a * weights.clone()).sum().backward();
        let theirs = (b * weights).sum().backward();
        $(
            let off = crate::gradients::distance($input.grad(&ours).unwrap(), $input.grad(&theirs).unwrap());
            assert!(off < $tolerance, "gradient at {} differs by {off:e}", stringify!($input));
        )+
    }};
}

/// Checks the gradient of `loss` at `at` by central differences along a few random directions.
pub(crate) fn differences<const D: usize>(
    at: Tensor<D>,
    loss: impl Fn(Tensor<D>) -> Tensor<1>,
    tolerance: f32,
) {
    let at = at.detach().require_grad();
    let gradients = loss(at.clone()).backward();
    let gradient = at.grad(&gradients).unwrap();
    for direction in ["a", "b", "c"] {
        let along = random(direction, at.dims()).detach().inner();
        let step = 1e-2;
        let moved = |by: f32| {
            let point = at.clone().inner() + along.clone() * by;
            values(loss(Tensor::from_inner(point)).inner())[0]
        };
        let measured = (moved(step) - moved(-step)) / (2.0 * step);
        let expected = values((gradient.clone() * along).sum())[0];
        assert!(
            (measured - expected).abs() < tolerance * (1.0 + expected.abs()),
            "along {direction}: measured {measured}, expected {expected}"
        );
    }
}

#[test]
fn linear_matches_its_ordinary_body() {
    for activation in [Activation::Identity, Activation::Relu, Activation::Gelu] {
        let (x, w, b) = (
            random("x", [3, 5, 17]),
            random("w", [17, 33]),
            random("b", [33]),
        );
        same!(
            linear(x.clone(), w.clone(), Some(b.clone()), activation),
            linear_ordinary(x.clone(), w.clone(), Some(b.clone()), activation),
            x, w, b; 2e-6
        );
        same!(
            linear(x.clone(), w.clone(), None, activation),
            linear_ordinary(x.clone(), w.clone(), None, activation),
            x, w; 2e-6
        );
    }
}

#[test]
fn linear_gradients_match_differences() {
    let w = random("w", [9, 4]).detach();
    let loss = |x: Tensor<2>| {
        linear(x, w.clone(), None, Activation::Gelu)
            .powf_scalar(2.0)
            .mean()
    };
    differences(random("x", [6, 9]), loss, 1e-2);
}

#[test]
fn an_untracked_input_is_a_constant() {
    let (x, w) = (random("x", [4, 6]).inner(), random("w", [6, 3]));
    let gradients = linear(x.clone(), w.clone(), None, Activation::Identity)
        .sum()
        .backward();
    let expected = x.sum_dim(0).reshape([6, 1]).expand([6, 3]);
    assert!(distance(w.grad(&gradients).unwrap(), expected) < 1e-6);
}

#[test]
fn a_transposed_input_is_read_in_its_own_order() {
    let (x, w) = (random("x", [6, 4]), random("w", [6, 3]));
    same!(
        linear(x.clone().swap_dims(0, 1), w.clone(), None, Activation::Relu),
        linear_ordinary(x.clone().swap_dims(0, 1), w.clone(), None, Activation::Relu),
        x, w; 2e-6
    );
}

#[test]
fn convolution_matches_its_ordinary_body() {
    for (stride, padding, max_pool) in [(1, 1, 1), (1, 1, 2), (2, 0, 1), (1, 2, 3), (2, 1, 2)] {
        for activation in [Activation::Identity, Activation::Relu, Activation::Gelu] {
            let options = Conv2dOptions {
                stride,
                padding,
                activation,
                max_pool,
            };
            let (x, w, b) = (
                random("x", [5, 3, 9, 11]),
                random("w", [4, 3, 3, 3]),
                random("b", [4]),
            );
            same!(
                conv2d(x.clone(), w.clone(), Some(b.clone()), options),
                conv2d_ordinary(x.clone(), w.clone(), Some(b.clone()), options),
                x, w, b; 5e-6
            );
            same!(
                conv2d(x.clone(), w.clone(), None, options),
                conv2d_ordinary(x.clone(), w.clone(), None, options),
                x, w; 5e-6
            );
        }
    }
}

#[test]
fn convolution_of_many_images_sums_over_blocks() {
    let options = Conv2dOptions {
        padding: 1,
        max_pool: 2,
        ..Conv2dOptions::default()
    };
    let (x, w, b) = (
        random("x", [70, 1, 6, 6]),
        random("w", [3, 1, 3, 3]),
        random("b", [3]),
    );
    same!(
        conv2d(x.clone(), w.clone(), Some(b.clone()), options),
        conv2d_ordinary(x.clone(), w.clone(), Some(b.clone()), options),
        x, w, b; 5e-6
    );
}

#[test]
fn convolution_gradients_match_differences() {
    let w = random("w", [2, 1, 5, 5]).detach();
    let options = Conv2dOptions {
        stride: 2,
        padding: 2,
        ..Conv2dOptions::default()
    };
    let loss = |x: Tensor<4>| conv2d(x, w.clone(), None, options).powf_scalar(2.0).mean();
    differences(random("x", [2, 1, 7, 7]), loss, 1e-2);
}

#[test]
fn max_pooling_matches_its_ordinary_body() {
    let x = random("x", [3, 2, 7, 8]);
    for side in [2, 3] {
        same!(max_pool2d(x.clone(), side), max_pool2d_ordinary(x.clone(), side), x; 1e-7);
    }
}

#[test]
fn cross_entropy_matches_its_ordinary_body() {
    let logits = random("logits", [37, 11]);
    let targets: Vec<i64> = (0..37).map(|i| (i * 7) % 11).collect();
    let targets = Tensor::<1, Int>::from_data(TensorData::new(targets, [37]), &Device::flex());
    same!(
        cross_entropy(logits.clone(), targets.clone()),
        cross_entropy_ordinary(logits.clone(), targets.clone()),
        logits; 1e-6
    );
}

#[test]
fn layer_norm_matches_its_ordinary_body() {
    let (x, w, b) = (
        random("x", [7, 11, 37]),
        random("w", [37]),
        random("b", [37]),
    );
    same!(
        layer_norm(x.clone(), w.clone(), b.clone(), 1e-5),
        layer_norm_ordinary(x.clone(), w.clone(), b.clone(), 1e-5),
        x, w, b; 5e-6
    );
}

#[test]
fn embedding_matches_its_ordinary_body() {
    let table = random("table", [13, 6]);
    let symbols: Vec<i64> = (0..40).map(|i| (i * i) % 13).collect();
    let symbols = Tensor::<2, Int>::from_data(TensorData::new(symbols, [4, 10]), &Device::flex());
    same!(
        embedding(table.clone(), symbols.clone()),
        embedding_ordinary(table.clone(), symbols.clone()),
        table; 1e-6
    );
}

#[test]
fn attention_matches_its_ordinary_body() {
    // More queries than one block, and not a whole number of blocks.
    for (queries, keys, causal) in [(5, 9, false), (70, 70, true), (130, 33, false)] {
        let (q, k, v) = (
            random("q", [2, queries, 12]),
            random("k", [2, keys, 12]),
            random("v", [2, keys, 12]),
        );
        same!(
            attention(q.clone(), k.clone(), v.clone(), 3, causal),
            attention_ordinary(q.clone(), k.clone(), v.clone(), 3, causal),
            q, k, v; 1e-5
        );
    }
}

#[test]
fn packed_attention_matches_attention() {
    let packed = random("packed", [2, 70, 24]);
    let parts = packed.clone().chunk(3, 2);
    let [q, k, v]: [Tensor<3>; 3] = parts.try_into().unwrap();
    same!(self_attention(packed.clone(), 2, true), attention(q, k, v, 2, true), packed; 1e-6);
}

#[test]
fn attention_gradients_match_differences() {
    let (k, v) = (
        random("k", [1, 6, 4]).detach(),
        random("v", [1, 6, 4]).detach(),
    );
    let loss = |q: Tensor<3>| {
        attention(q, k.clone(), v.clone(), 2, true)
            .powf_scalar(2.0)
            .mean()
    };
    differences(random("q", [1, 6, 4]), loss, 1e-2);
}
