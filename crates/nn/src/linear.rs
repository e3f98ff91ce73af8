//! The fully connected layer.

use burn::module::{Module, Param};
use burn::tensor::{Device, Tensor, activation};
use chiasm_core::Seed;
use chiasm_kernels::linear::{self as kernel, LinearShape};

pub use chiasm_kernels::activation::Activation;

use crate::initial::uniform;
use crate::operation::{Array, Operation, apply, on_kernels};

/// Sizes of a [`Linear`] layer.
#[derive(Clone, Debug)]
pub struct LinearConfig {
    /// Features in.
    pub inputs: usize,
    /// Features out.
    pub outputs: usize,
    /// Whether a bias is added.
    pub bias: bool,
    /// What is applied to the output.
    pub activation: Activation,
}

impl LinearConfig {
    /// `inputs` to `outputs`, with bias, no activation.
    pub fn new(inputs: usize, outputs: usize) -> Self {
        LinearConfig {
            inputs,
            outputs,
            bias: true,
            activation: Activation::Identity,
        }
    }

    /// The same without a bias.
    pub fn without_bias(self) -> Self {
        LinearConfig {
            bias: false,
            ..self
        }
    }

    /// The same with `activation` on the output, computed in the same pass.
    pub fn with_activation(self, activation: Activation) -> Self {
        LinearConfig { activation, ..self }
    }

    /// The layer with weight and bias uniform in ±1/√inputs.
    pub fn init(&self, seed: Seed, device: &Device) -> Linear {
        let bound = 1.0 / (self.inputs.max(1) as f64).sqrt();
        let bias = self
            .bias
            .then(|| uniform(seed.named("bias"), [self.outputs], bound, device));
        Linear {
            weight: uniform(
                seed.named("weight"),
                [self.inputs, self.outputs],
                bound,
                device,
            ),
            bias,
            activation: self.activation,
        }
    }
}

/// `activation(x W + b)` over the last axis.
#[derive(Module, Debug)]
pub struct Linear {
    /// W, (inputs x outputs).
    pub weight: Param<Tensor<2>>,
    /// b, (outputs).
    pub bias: Option<Param<Tensor<1>>>,
    #[module(skip)]
    activation: Activation,
}

impl Linear {
    /// `(…, inputs)` to `(…, outputs)`.
    pub fn forward<const D: usize>(&self, input: Tensor<D>) -> Tensor<D> {
        linear(
            input,
            self.weight.val(),
            self.bias.as_ref().map(Param::val),
            self.activation,
        )
    }
}

/// `activation(input weight + bias)` over the last axis: `input` (…, inputs), `weight`
/// (inputs x outputs), `bias` (outputs).
pub fn linear<const D: usize>(
    input: Tensor<D>,
    weight: Tensor<2>,
    bias: Option<Tensor<1>>,
    activation: Activation,
) -> Tensor<D> {
    if !on_kernels(&input) {
        return linear_ordinary(input, weight, bias, activation);
    }
    let operation = FusedLinear { activation };
    let (input, weight) = (input.into_dispatch(), weight.into_dispatch());
    match bias {
        Some(bias) => apply(operation, [input, weight, bias.into_dispatch()]),
        None => apply(operation, [input, weight]),
    }
}

/// [`linear`] by ordinary tensor operations: what runs away from the CPU.
pub fn linear_ordinary<const D: usize>(
    input: Tensor<D>,
    weight: Tensor<2>,
    bias: Option<Tensor<1>>,
    activation: Activation,
) -> Tensor<D> {
    let output = burn::tensor::module::linear(input, weight, bias);
    match activation {
        Activation::Identity => output,
        Activation::Relu => activation::relu(output),
        Activation::Gelu => activation::gelu(output),
    }
}

#[derive(Debug)]
struct FusedLinear {
    activation: Activation,
}

/// What the backward pass reads.
#[derive(Clone, Debug)]
struct Saved {
    input: Array,
    weight: Array,
    /// The output under ReLU, its slopes under GELU.
    activation: Option<Array>,
}

impl FusedLinear {
    fn shape(input: &Array, weight: &Array) -> LinearShape {
        let (inputs, outputs) = (weight.shape()[0], weight.shape()[1]);
        assert_eq!(
            input.shape().last(),
            Some(&inputs),
            "features of the input of a linear layer"
        );
        LinearShape {
            rows: input.values().len() / inputs.max(1),
            inputs,
            outputs,
        }
    }

    fn run(&self, input: Array, weight: Array, bias: Option<&Array>) -> (Array, Saved) {
        let shape = Self::shape(&input, &weight);
        let mut sizes = input.shape().to_vec();
        if let Some(features) = sizes.last_mut() {
            *features = shape.outputs;
        }
        let mut output = Array::unset(sizes.clone());
        let slopes = if self.activation == Activation::Gelu {
            sizes
        } else {
            vec![0]
        };
        let mut slopes = Array::unset(slopes);
        kernel::forward(
            shape,
            self.activation,
            input.values(),
            weight.values(),
            bias.map(Array::values),
            output.values_mut(),
            slopes.values_mut(),
        );
        let activation = match self.activation {
            Activation::Identity => None,
            Activation::Relu => Some(output.clone()),
            Activation::Gelu => Some(slopes),
        };
        (
            output,
            Saved {
                input,
                weight,
                activation,
            },
        )
    }

    fn run_backward(
        &self,
        saved: Saved,
        mut gradient: Array,
        [input, weight, bias]: [bool; 3],
    ) -> [Option<Array>; 3] {
        let shape = Self::shape(&saved.input, &saved.weight);
        if let Some(activation) = &saved.activation {
            let gradient = gradient.values_mut();
            kernel::backward_through_activation(self.activation, activation.values(), gradient);
        }
        let gradient = gradient.values();
        [
            input.then(|| {
                let mut result = Array::unset(saved.input.shape());
                kernel::backward_input(shape, gradient, saved.weight.values(), result.values_mut());
                result
            }),
            weight.then(|| {
                let mut result = Array::unset(saved.weight.shape());
                kernel::backward_weight(shape, saved.input.values(), gradient, result.values_mut());
                result
            }),
            bias.then(|| {
                let mut result = Array::unset([shape.outputs]);
                kernel::backward_bias(gradient, result.values_mut());
                result
            }),
        ]
    }
}

impl Operation<3> for FusedLinear {
    type Saved = Saved;

    fn forward(&self, [input, weight, bias]: [Array; 3]) -> (Array, Saved) {
        self.run(input, weight, Some(&bias))
    }

    fn backward(&self, saved: Saved, gradient: Array, wanted: [bool; 3]) -> [Option<Array>; 3] {
        self.run_backward(saved, gradient, wanted)
    }
}

impl Operation<2> for FusedLinear {
    type Saved = Saved;

    fn forward(&self, [input, weight]: [Array; 2]) -> (Array, Saved) {
        self.run(input, weight, None)
    }

    fn backward(&self, saved: Saved, gradient: Array, wanted: [bool; 2]) -> [Option<Array>; 2] {
        let [input, weight, _] = self.run_backward(saved, gradient, [wanted[0], wanted[1], false]);
        [input, weight]
    }
}
