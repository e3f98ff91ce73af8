//! The affine map with its activation, in one pass.

use rayon::prelude::*;

use crate::activation::{Activation, relu};
use crate::gemm::{Matrix, multiply};
use crate::simd::{column_sums, vectorised};

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
    let chunk = outputs * (crate::simd::CHUNK / outputs).max(1);
    match activation {
        Activation::Identity => output.par_chunks_mut(chunk).for_each(|rows| {
            vectorised(|| {
                for row in rows.chunks_exact_mut(outputs) {
                    row.iter_mut()
                        .zip(bias)
                        .for_each(|(value, bias)| *value += bias);
                }
            })
        }),
        Activation::Relu => output.par_chunks_mut(chunk).for_each(|rows| {
            vectorised(|| {
                for row in rows.chunks_exact_mut(outputs) {
                    row.iter_mut()
                        .zip(bias)
                        .for_each(|(value, bias)| *value = relu(*value + bias));
                }
            })
        }),
        Activation::Gelu => {
            assert_eq!(slopes.len(), output.len());
            output
                .par_chunks_mut(chunk)
                .zip(slopes.par_chunks_mut(chunk))
                .for_each(|(rows, slopes)| {
                    vectorised(|| {
                        for (row, slopes) in rows
                            .chunks_exact_mut(outputs)
                            .zip(slopes.chunks_exact_mut(outputs))
                        {
                            row.iter_mut()
                                .zip(bias)
                                .for_each(|(value, bias)| *value += bias);
                            activation.apply_with_slope(row, slopes);
                        }
                    })
                });
        }
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
    let chunks = gradient
        .par_chunks_mut(crate::simd::CHUNK)
        .zip(saved.par_chunks(crate::simd::CHUNK));
    chunks.for_each(|(gradient, saved)| {
        vectorised(|| {
            if activation == Activation::Relu {
                for (gradient, output) in gradient.iter_mut().zip(saved) {
                    *gradient = if *output > 0.0 { *gradient } else { 0.0 };
                }
            } else {
                gradient
                    .iter_mut()
                    .zip(saved)
                    .for_each(|(gradient, slope)| *gradient *= slope);
            }
        })
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
