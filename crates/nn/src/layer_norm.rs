//! Layer normalisation.

use burn::module::{Module, Param};
use burn::tensor::{Device, Tensor};
use chiasm_kernels::layer_norm as kernel;

use crate::initial::constant;
use crate::operation::{Array, Operation, apply, on_kernels};

/// Sizes of a [`LayerNorm`].
#[derive(Clone, Debug)]
pub struct LayerNormConfig {
    /// Features normalised together.
    pub features: usize,
    /// Added to the variance.
    pub epsilon: f32,
}

impl LayerNormConfig {
    /// Over `features`, epsilon 1e-5.
    pub fn new(features: usize) -> Self {
        LayerNormConfig {
            features,
            epsilon: 1e-5,
        }
    }

    /// The layer with scale 1 and shift 0.
    pub fn init(&self, device: &Device) -> LayerNorm {
        LayerNorm {
            weight: constant(1.0, [self.features], device),
            bias: constant(0.0, [self.features], device),
            epsilon: self.epsilon,
        }
    }
}

/// `(x − mean) / √(variance + epsilon) · weight + bias` over the last axis (Ba et al. 2016).
#[derive(Module, Debug)]
pub struct LayerNorm {
    /// Scale of each feature.
    pub weight: Param<Tensor<1>>,
    /// Shift of each feature.
    pub bias: Param<Tensor<1>>,
    #[module(skip)]
    epsilon: f32,
}

impl LayerNorm {
    /// `(…, features)` to the same.
    pub fn forward<const D: usize>(&self, input: Tensor<D>) -> Tensor<D> {
        layer_norm(input, self.weight.val(), self.bias.val(), self.epsilon)
    }
}

/// Layer normalisation over the last axis; `weight` and `bias` have its size.
pub fn layer_norm<const D: usize>(
    input: Tensor<D>,
    weight: Tensor<1>,
    bias: Tensor<1>,
    epsilon: f32,
) -> Tensor<D> {
    if !on_kernels(&input) {
        return layer_norm_ordinary(input, weight, bias, epsilon);
    }
    let inputs = [
        input.into_dispatch(),
        weight.into_dispatch(),
        bias.into_dispatch(),
    ];
    apply(Normalise { epsilon }, inputs)
}

/// [`layer_norm`] by ordinary tensor operations: what runs away from the CPU.
pub fn layer_norm_ordinary<const D: usize>(
    input: Tensor<D>,
    weight: Tensor<1>,
    bias: Tensor<1>,
    epsilon: f32,
) -> Tensor<D> {
    let centred = input.clone() - input.mean_dim(D - 1);
    let variance = centred.clone().square().mean_dim(D - 1);
    centred / (variance + epsilon).sqrt() * weight.unsqueeze() + bias.unsqueeze()
}

#[derive(Debug)]
struct Normalise {
    epsilon: f32,
}

#[derive(Clone, Debug)]
struct Saved {
    input: Array,
    weight: Array,
    /// Mean and inverse deviation of each row.
    statistics: Array,
}

impl Operation<3> for Normalise {
    type Saved = Saved;

    fn forward(&self, [input, weight, bias]: [Array; 3]) -> (Array, Saved) {
        let width = weight.values().len();
        assert_eq!(
            input.shape().last(),
            Some(&width),
            "features of a layer norm's input"
        );
        let mut output = Array::unset(input.shape());
        let mut statistics = Array::unset([input.values().len() / width.max(1), 2]);
        kernel::forward(
            width,
            self.epsilon,
            input.values(),
            weight.values(),
            bias.values(),
            output.values_mut(),
            statistics.values_mut(),
        );
        (
            output,
            Saved {
                input,
                weight,
                statistics,
            },
        )
    }

    fn backward(&self, saved: Saved, gradient: Array, _: [bool; 3]) -> [Option<Array>; 3] {
        let width = saved.weight.values().len();
        let mut input = Array::unset(saved.input.shape());
        let mut weight = Array::unset([width]);
        let mut bias = Array::unset([width]);
        kernel::backward(
            width,
            saved.input.values(),
            saved.weight.values(),
            saved.statistics.values(),
            gradient.values(),
            [input.values_mut(), weight.values_mut(), bias.values_mut()],
        );
        [Some(input), Some(weight), Some(bias)]
    }
}
