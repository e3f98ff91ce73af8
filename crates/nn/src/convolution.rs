//! The two-dimensional convolution and pooling layers.

use std::sync::Arc;

use burn::module::{Module, Param};
use burn::tensor::module::{conv2d as burn_conv2d, max_pool2d as burn_max_pool2d};
use burn::tensor::ops::{ConvOptions, MaxPoolOptions};
use burn::tensor::{Device, Tensor, activation};
use chiasm_core::Seed;
use chiasm_kernels::convolution::{self as kernel, ConvolutionShape, Epilogue, Gradients};
use chiasm_kernels::pooling;

use crate::initial::uniform;
use crate::linear::Activation;
use crate::operation::{Array, Operation, apply, on_kernels};

/// Sizes of a [`Conv2d`] layer.
#[derive(Clone, Debug)]
pub struct Conv2dConfig {
    /// Channels in.
    pub in_channels: usize,
    /// Channels out.
    pub out_channels: usize,
    /// Side of the square kernel.
    pub kernel: usize,
    /// What follows the convolution, and how it moves.
    pub options: Conv2dOptions,
    /// Whether a bias is added.
    pub bias: bool,
}

/// How a convolution moves and what follows it in the same pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Conv2dOptions {
    /// Step between outputs.
    pub stride: usize,
    /// Zeros added on every side.
    pub padding: usize,
    /// Applied to the output.
    pub activation: Activation,
    /// Side of the max-pooling windows after the activation, at most 16; 1 for no pooling.
    pub max_pool: usize,
}

impl Default for Conv2dOptions {
    fn default() -> Self {
        Conv2dOptions {
            stride: 1,
            padding: 0,
            activation: Activation::Identity,
            max_pool: 1,
        }
    }
}

impl Conv2dConfig {
    /// A (`kernel` x `kernel`) convolution with bias; stride 1, no padding, nothing after it.
    pub fn new(in_channels: usize, out_channels: usize, kernel: usize) -> Self {
        Conv2dConfig {
            in_channels,
            out_channels,
            kernel,
            options: Conv2dOptions::default(),
            bias: true,
        }
    }

    /// The same with outputs `stride` apart.
    pub fn with_stride(mut self, stride: usize) -> Self {
        self.options.stride = stride;
        self
    }

    /// The same with `padding` zeros on every side.
    pub fn with_padding(mut self, padding: usize) -> Self {
        self.options.padding = padding;
        self
    }

    /// The same with `activation` on the output.
    pub fn with_activation(mut self, activation: Activation) -> Self {
        self.options.activation = activation;
        self
    }

    /// The same followed by max-pooling over windows of side `side`, at most 16.
    pub fn with_max_pool(mut self, side: usize) -> Self {
        self.options.max_pool = side;
        self
    }

    /// The same without a bias.
    pub fn without_bias(self) -> Self {
        Conv2dConfig {
            bias: false,
            ..self
        }
    }

    /// The layer with weight and bias uniform in ±1/√(in · kernel²).
    pub fn init(&self, seed: Seed, device: &Device) -> Conv2d {
        let fan_in = self.in_channels * self.kernel * self.kernel;
        let bound = 1.0 / (fan_in.max(1) as f64).sqrt();
        let shape = [
            self.out_channels,
            self.in_channels,
            self.kernel,
            self.kernel,
        ];
        Conv2d {
            weight: uniform(seed.named("weight"), shape, bound, device),
            bias: self
                .bias
                .then(|| uniform(seed.named("bias"), [self.out_channels], bound, device)),
            options: self.options,
        }
    }
}

/// Convolution, activation and max-pooling over (batch, channels, height, width).
#[derive(Module, Debug)]
pub struct Conv2d {
    /// (out channels, in channels, kernel, kernel).
    pub weight: Param<Tensor<4>>,
    /// (out channels).
    pub bias: Option<Param<Tensor<1>>>,
    #[module(skip)]
    options: Conv2dOptions,
}

impl Conv2d {
    /// (batch, in channels, height, width) to (batch, out channels, height', width').
    pub fn forward(&self, input: Tensor<4>) -> Tensor<4> {
        conv2d(
            input,
            self.weight.val(),
            self.bias.as_ref().map(Param::val),
            self.options,
        )
    }
}

/// Convolution (cross-correlation), activation and max-pooling.
///
/// `input` (batch, in, height, width), `weight` (out, in, height, width), `bias` (out).
pub fn conv2d(
    input: Tensor<4>,
    weight: Tensor<4>,
    bias: Option<Tensor<1>>,
    options: Conv2dOptions,
) -> Tensor<4> {
    // The fused pass knows ReLU, through which pooling and activation may change places.
    if !on_kernels(&input) || options.activation == Activation::Gelu {
        return conv2d_ordinary(input, weight, bias, options);
    }
    let (input, weight) = (input.into_dispatch(), weight.into_dispatch());
    match bias {
        Some(bias) => apply(Convolution(options), [input, weight, bias.into_dispatch()]),
        None => apply(Convolution(options), [input, weight]),
    }
}

/// [`conv2d`] by ordinary tensor operations: what runs away from the CPU.
pub fn conv2d_ordinary(
    input: Tensor<4>,
    weight: Tensor<4>,
    bias: Option<Tensor<1>>,
    options: Conv2dOptions,
) -> Tensor<4> {
    let Conv2dOptions {
        stride,
        padding,
        activation,
        max_pool,
    } = options;
    let moves = ConvOptions::new([stride; 2], [padding; 2], [1, 1], 1);
    let output = burn_conv2d(input, weight, bias, moves);
    let output = match activation {
        Activation::Identity => output,
        Activation::Relu => activation::relu(output),
        Activation::Gelu => activation::gelu(output),
    };
    if max_pool > 1 {
        max_pool2d_ordinary(output, max_pool)
    } else {
        output
    }
}

/// Max-pooling over (`side` x `side`) windows without overlap, `side` at most 16.
pub fn max_pool2d(input: Tensor<4>, side: usize) -> Tensor<4> {
    if on_kernels(&input) {
        apply(MaxPool(side), [input.into_dispatch()])
    } else {
        max_pool2d_ordinary(input, side)
    }
}

/// [`max_pool2d`] by ordinary tensor operations: what runs away from the CPU.
pub fn max_pool2d_ordinary(input: Tensor<4>, side: usize) -> Tensor<4> {
    burn_max_pool2d(input, MaxPoolOptions::new([side; 2]))
}

#[derive(Debug)]
struct Convolution(Conv2dOptions);

#[derive(Clone, Debug)]
struct Saved {
    input: Array,
    weight: Array,
    output: Array,
    winners: Arc<Vec<u8>>,
}

impl Convolution {
    fn shape(&self, input: &Array, weight: &Array) -> ConvolutionShape {
        let (input, weight) = (input.shape(), weight.shape());
        assert_eq!(
            input[1], weight[1],
            "channels of the input of a convolution"
        );
        ConvolutionShape {
            batch: input[0],
            in_channels: input[1],
            out_channels: weight[0],
            size: [input[2], input[3]],
            kernel: [weight[2], weight[3]],
            stride: [self.0.stride; 2],
            padding: [self.0.padding; 2],
        }
    }

    fn epilogue(&self) -> Epilogue {
        Epilogue {
            relu: self.0.activation == Activation::Relu,
            pool: self.0.max_pool,
        }
    }

    fn run(&self, input: Array, weight: Array, bias: Option<&Array>) -> (Array, Saved) {
        let (shape, epilogue) = (self.shape(&input, &weight), self.epilogue());
        let [height, width] = epilogue.output_size(&shape);
        let mut output = Array::unset([shape.batch, shape.out_channels, height, width]);
        let mut winners = vec![
            0;
            if epilogue.pool > 1 {
                output.values().len()
            } else {
                0
            }
        ];
        let bias = bias.map(Array::values);
        let target = output.values_mut();
        kernel::forward(
            shape,
            epilogue,
            input.values(),
            weight.values(),
            bias,
            target,
            &mut winners,
        );
        let saved = Saved {
            input,
            weight,
            output: output.clone(),
            winners: Arc::new(winners),
        };
        (output, saved)
    }

    fn run_backward(&self, saved: Saved, gradient: Array, wanted: [bool; 3]) -> [Option<Array>; 3] {
        let shape = self.shape(&saved.input, &saved.weight);
        let mut input = wanted[0].then(|| Array::unset(saved.input.shape()));
        let mut weight = wanted[1].then(|| Array::unset(saved.weight.shape()));
        let mut bias = wanted[2].then(|| Array::unset([shape.out_channels]));
        kernel::backward(
            shape,
            self.epilogue(),
            saved.input.values(),
            saved.weight.values(),
            saved.output.values(),
            &saved.winners,
            gradient.values(),
            Gradients {
                input: input.as_mut().map(Array::values_mut),
                weight: weight.as_mut().map(Array::values_mut),
                bias: bias.as_mut().map(Array::values_mut),
            },
        );
        [input, weight, bias]
    }
}

impl Operation<3> for Convolution {
    type Saved = Saved;

    fn forward(&self, [input, weight, bias]: [Array; 3]) -> (Array, Saved) {
        self.run(input, weight, Some(&bias))
    }

    fn backward(&self, saved: Saved, gradient: Array, wanted: [bool; 3]) -> [Option<Array>; 3] {
        self.run_backward(saved, gradient, wanted)
    }
}

impl Operation<2> for Convolution {
    type Saved = Saved;

    fn forward(&self, [input, weight]: [Array; 2]) -> (Array, Saved) {
        self.run(input, weight, None)
    }

    fn backward(&self, saved: Saved, gradient: Array, wanted: [bool; 2]) -> [Option<Array>; 2] {
        let [input, weight, _] = self.run_backward(saved, gradient, [wanted[0], wanted[1], false]);
        [input, weight]
    }
}

#[derive(Debug)]
struct MaxPool(usize);

impl Operation<1> for MaxPool {
    type Saved = (Vec<usize>, Arc<Vec<u8>>);

    fn forward(&self, [input]: [Array; 1]) -> (Array, Self::Saved) {
        let shape = input.shape().to_vec();
        let pooled = vec![shape[0], shape[1], shape[2] / self.0, shape[3] / self.0];
        let mut output = Array::unset(pooled);
        let mut winners = vec![0; output.values().len()];
        let size = [shape[2], shape[3]];
        pooling::max_pool(
            size,
            self.0,
            input.values(),
            output.values_mut(),
            &mut winners,
        );
        (output, (shape, Arc::new(winners)))
    }

    fn backward(&self, saved: Self::Saved, gradient: Array, _: [bool; 1]) -> [Option<Array>; 1] {
        let (shape, winners) = saved;
        let size = [shape[2], shape[3]];
        let mut input = Array::unset(shape);
        let target = input.values_mut();
        pooling::max_pool_backward(size, self.0, &winners, gradient.values(), target);
        [Some(input)]
    }
}
