//! The affine map with its activation, in one pass.

use rayon::prelude::*;

use crate::activation::{Activation, gelu_with_slope, relu};
use crate::gemm::{Matrix, multiply};
use crate::simd::{CHUNK, column_sums, vectorised_fn};

/// Sizes of an affine map.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LinearShape {
    /// Rows of the input (examples, tokens).
    pub rows: usize,
    /// Features in.
    pub inputs: usize,
    /// Features out.
    pub outputs: usize,
}

/// `output = activation(input weight + bias)`.
///
/// `input` (rows x inputs), `weight` (inputs x outputs), `bias` (outputs) where there is one,
/// `output` (rows x outputs). For [`Activation::Gelu`], `slopes` (rows x outputs) receives the
/// slope at every element, which [`backward_through_activation`] needs; ReLU reads its own from
/// the output and leaves `slopes` alone (pass an empty slice).
pub fn forward(
    shape: LinearShape,
    activation: Activation,
    input: &[f32],
    weight: &[f32],
    bias: Option<&[f32]>,
    output: &mut [f32],
    slopes: &mut [f32],
) {
    let LinearShape {
        rows,
        inputs,
        outputs,
    } = shape;
    multiply(
        Matrix::new(input, rows, inputs),
        Matrix::new(weight, inputs, outputs),
        output,
    );
    if outputs == 0 || (bias.is_none() && activation == Activation::Identity) {
        return;
    }
    let zeros;
    let bias = match bias {
        Some(bias) => bias,
        None => {
            zeros = vec![0.0; outputs];
            &zeros
        }
    };
    assert_eq!(bias.len(), outputs);
    let chunk = outputs * (CHUNK / outputs).max(1);
    if activation == Activation::Gelu {
        assert_eq!(slopes.len(), output.len());
        let chunks = output
            .par_chunks_mut(chunk)
            .zip(slopes.par_chunks_mut(chunk));
        chunks.for_each(|(output, slopes)| finish_gelu(bias, output, slopes));
    } else {
        let relu = activation == Activation::Relu;
        output
            .par_chunks_mut(chunk)
            .for_each(|output| finish(bias, relu, output));
    }
}

vectorised_fn! {
    /// Adds the bias to every row and applies ReLU where asked to.
    fn finish(bias: &[f32], with_relu: bool, output: &mut [f32]) {
        for row in output.chunks_exact_mut(bias.len()) {
            if with_relu {
                row.iter_mut().zip(bias).for_each(|(value, bias)| *value = relu(*value + bias));
            } else {
                row.iter_mut().zip(bias).for_each(|(value, bias)| *value += bias);
            }
        }
    }

    /// Adds the bias to every row and applies GELU, leaving its slopes.
    fn finish_gelu(bias: &[f32], output: &mut [f32], slopes: &mut [f32]) {
        let width = bias.len();
        for (row, slopes) in output.chunks_exact_mut(width).zip(slopes.chunks_exact_mut(width)) {
            for ((value, slope), bias) in row.iter_mut().zip(slopes).zip(bias) {
                (*value, *slope) = gelu_with_slope(*value + bias);
            }
        }
    }

    /// Lets the gradient through where the output is above zero.
    pub(crate) fn through_relu(output: &[f32], gradient: &mut [f32]) {
        for (gradient, output) in gradient.iter_mut().zip(output) {
            *gradient = if *output > 0.0 { *gradient } else { 0.0 };
        }
    }

    /// Multiplies the gradient by the slopes.
    fn through_slopes(slopes: &[f32], gradient: &mut [f32]) {
        gradient.iter_mut().zip(slopes).for_each(|(gradient, slope)| *gradient *= slope);
    }
}

/// Turns the gradient at the output into the one before the activation, in place.
///
/// `saved` is the output for [`Activation::Relu`], the slopes for [`Activation::Gelu`], and is not
/// read for [`Activation::Identity`].
pub fn backward_through_activation(activation: Activation, saved: &[f32], gradient: &mut [f32]) {
    if activation == Activation::Identity {
        return;
    }
    assert_eq!(saved.len(), gradient.len());
    let chunks = gradient.par_chunks_mut(CHUNK).zip(saved.par_chunks(CHUNK));
    chunks.for_each(|(gradient, saved)| match activation {
        Activation::Relu => through_relu(saved, gradient),
        _ => through_slopes(saved, gradient),
    });
}

/// The gradient at the input: `gradient weightᵀ`, (rows x inputs).
pub fn backward_input(
    shape: LinearShape,
    gradient: &[f32],
    weight: &[f32],
    input_gradient: &mut [f32],
) {
    let LinearShape {
        rows,
        inputs,
        outputs,
    } = shape;
    multiply(
        Matrix::new(gradient, rows, outputs),
        Matrix::new(weight, inputs, outputs).transposed(),
        input_gradient,
    );
}

/// The gradient at the weight: `inputᵀ gradient`, (inputs x outputs).
pub fn backward_weight(
    shape: LinearShape,
    input: &[f32],
    gradient: &[f32],
    weight_gradient: &mut [f32],
) {
    let LinearShape {
        rows,
        inputs,
        outputs,
    } = shape;
    multiply(
        Matrix::new(input, rows, inputs).transposed(),
        Matrix::new(gradient, rows, outputs),
        weight_gradient,
    );
}

/// The gradient at the bias: the sum of `gradient` over rows.
pub fn backward_bias(gradient: &[f32], bias_gradient: &mut [f32]) {
    column_sums(gradient, bias_gradient.len(), bias_gradient);
}
