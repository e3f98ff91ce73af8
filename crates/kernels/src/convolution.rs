//! Two-dimensional convolution (cross-correlation) with ReLU and max-pooling in the same pass.
//!
//! Arrays are (batch, channels, height, width). Each image is unrolled into a matrix that stays in
//! the second-level cache and multiplied with the weights, (out channels) x (in channels x kernel
//! height x kernel width); what follows the convolution is applied while the product is in cache.

use rayon::prelude::*;

use crate::activation::relu;
use crate::gemm::{Matrix, Threads, multiply_into};
use crate::linear::through_relu;
use crate::pooling::{pool, unpool};
use crate::simd::{sum, vectorised_fn};

/// Sizes of a convolution.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ConvolutionShape {
    /// Images.
    pub batch: usize,
    /// Channels in.
    pub in_channels: usize,
    /// Channels out.
    pub out_channels: usize,
    /// Height and width of the input.
    pub size: [usize; 2],
    /// Height and width of the kernel.
    pub kernel: [usize; 2],
    /// Step between outputs, vertical and horizontal.
    pub stride: [usize; 2],
    /// Zeros around the input, above and below, left and right.
    pub padding: [usize; 2],
}

impl ConvolutionShape {
    /// Height and width of the output; 0 where the kernel does not fit.
    pub fn output_size(&self) -> [usize; 2] {
        [0, 1].map(|axis| {
            let room = self.size[axis] + 2 * self.padding[axis];
            if room < self.kernel[axis] {
                0
            } else {
                (room - self.kernel[axis]) / self.stride[axis].max(1) + 1
            }
        })
    }

    /// Input elements of one image.
    pub fn image(&self) -> usize {
        self.in_channels * self.size[0] * self.size[1]
    }

    /// Weights of one output channel.
    pub fn fan_in(&self) -> usize {
        self.in_channels * self.kernel[0] * self.kernel[1]
    }

    /// Positions of one output channel.
    pub fn positions(&self) -> usize {
        let [height, width] = self.output_size();
        height * width
    }

    /// Images a thread takes at a time in the backward pass: fixed, so that sums are.
    fn block(&self) -> usize {
        self.batch.div_ceil(32).max(1)
    }
}

/// What follows a convolution in the same pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Epilogue {
    /// `max(0, x)` on every element.
    pub relu: bool,
    /// Side of the square windows, without overlap, of which the largest element is kept; 1 for no
    /// pooling, at most 16. Rows and columns that fill no window are dropped.
    pub pool: usize,
}

impl Epilogue {
    /// Height and width after pooling.
    pub fn output_size(&self, shape: &ConvolutionShape) -> [usize; 2] {
        shape.output_size().map(|size| size / self.pool)
    }

    fn check(&self) {
        assert!((1..=16).contains(&self.pool), "side of a pooling window");
    }
}

/// `output = epilogue(input * weight + bias)`.
///
/// `input` (batch, in, height, width), `weight` (out, in, kernel height, kernel width), `bias`
/// (out) where there is one, `output` (batch, out, height, width) after the epilogue. `winners`
/// receives, under pooling, the place of the largest element in each window (row by row), and is
/// empty otherwise.
pub fn forward(
    shape: ConvolutionShape,
    epilogue: Epilogue,
    input: &[f32],
    weight: &[f32],
    bias: Option<&[f32]>,
    output: &mut [f32],
    winners: &mut [u8],
) {
    epilogue.check();
    let (fan_in, positions, channels) = (shape.fan_in(), shape.positions(), shape.out_channels);
    let [height, width] = epilogue.output_size(&shape);
    let (image, result) = (shape.image(), channels * height * width);
    assert_eq!(input.len(), shape.batch * image);
    assert_eq!(output.len(), shape.batch * result);
    assert!(bias.is_none_or(|bias| bias.len() == channels));
    assert_eq!(
        winners.len(),
        if epilogue.pool > 1 { output.len() } else { 0 }
    );
    if result == 0 {
        return;
    }
    let weight = Matrix::new(weight, channels, fan_in);
    let zeros = vec![0.0; channels];
    let mut rest = winners;
    let winners: Vec<&mut [u8]> = (0..shape.batch)
        .map(|_| {
            let count = if epilogue.pool > 1 { result } else { 0 };
            let (first, others) = std::mem::take(&mut rest).split_at_mut(count);
            rest = others;
            first
        })
        .collect();
    output
        .par_chunks_mut(result)
        .zip(winners)
        .zip(input.par_chunks(image.max(1)))
        .for_each_init(
            || {
                (
                    vec![0.0; fan_in * positions],
                    vec![0.0; channels * positions],
                )
            },
            |(columns, product), ((output, winners), input)| {
                unroll(&shape, input, columns);
                let columns = Matrix::new(columns, fan_in, positions);
                let target = if epilogue.pool > 1 {
                    &mut product[..]
                } else {
                    &mut output[..]
                };
                multiply_into(weight, columns, target, positions, false, Threads::One);
                finish(bias.unwrap_or(&zeros), epilogue.relu, positions, target);
                if epilogue.pool > 1 {
                    pool(shape.output_size(), epilogue.pool, product, output, winners);
                }
            },
        );
}

/// Where the gradients of a convolution go; `None` where one is not wanted.
#[derive(Debug, Default)]
pub struct Gradients<'a> {
    /// At the input, (batch, in, height, width).
    pub input: Option<&'a mut [f32]>,
    /// At the weight, (out, in, kernel height, kernel width).
    pub weight: Option<&'a mut [f32]>,
    /// At the bias, (out).
    pub bias: Option<&'a mut [f32]>,
}

/// The gradients of [`forward`]; `output` and `winners` are what it gave, `gradient` is the
/// gradient at `output`.
#[allow(clippy::too_many_arguments)]
pub fn backward(
    shape: ConvolutionShape,
    epilogue: Epilogue,
    input: &[f32],
    weight: &[f32],
    output: &[f32],
    winners: &[u8],
    gradient: &[f32],
    gradients: Gradients,
) {
    epilogue.check();
    let (fan_in, positions, channels) = (shape.fan_in(), shape.positions(), shape.out_channels);
    let [height, width] = epilogue.output_size(&shape);
    let (image, result) = (shape.image(), channels * height * width);
    assert_eq!(gradient.len(), shape.batch * result);
    assert_eq!(output.len(), gradient.len());
    assert_eq!(
        winners.len(),
        if epilogue.pool > 1 { output.len() } else { 0 }
    );
    let weight = Matrix::new(weight, channels, fan_in);
    let block = shape.block();
    let (want_weight, want_bias) = (gradients.weight.is_some(), gradients.bias.is_some());
    let mut nothing: [f32; 0] = [];
    let want_input = gradients.input.is_some();
    let input_gradient = gradients.input.unwrap_or(&mut nothing);
    assert!(!want_input || input_gradient.len() == shape.batch * image);
    let blocks: Vec<(usize, &mut [f32])> = if want_input && image > 0 {
        input_gradient
            .chunks_mut(block * image)
            .enumerate()
            .collect()
    } else {
        (0..shape.batch.div_ceil(block))
            .map(|index| (index, Default::default()))
            .collect()
    };
    let sums: Vec<(Vec<f32>, Vec<f32>)> = blocks
        .into_par_iter()
        .map(|(index, input_gradient)| {
            let mut weight_sum = vec![0.0; if want_weight { channels * fan_in } else { 0 }];
            let mut bias_sum = vec![0.0; if want_bias { channels } else { 0 }];
            let mut columns = vec![0.0; fan_in * positions];
            let mut product = vec![
                0.0;
                if epilogue.pool > 1 {
                    channels * positions
                } else {
                    0
                }
            ];
            let mut masked = vec![0.0; if epilogue.relu { result } else { 0 }];
            let first = index * block;
            for number in first..(first + block).min(shape.batch) {
                let range = number * result..(number + 1) * result;
                let mut local = &gradient[range.clone()];
                if epilogue.relu {
                    masked.copy_from_slice(local);
                    through_relu(&output[range.clone()], &mut masked);
                    local = &masked;
                }
                if epilogue.pool > 1 {
                    let size = shape.output_size();
                    unpool(size, epilogue.pool, &winners[range], local, &mut product);
                    local = &product;
                }
                add_row_sums(local, positions, &mut bias_sum);
                let local = Matrix::new(local, channels, positions);
                if want_weight {
                    let input = &input[number * image..(number + 1) * image];
                    unroll(&shape, input, &mut columns);
                    let columns = Matrix::new(&columns, fan_in, positions).transposed();
                    multiply_into(local, columns, &mut weight_sum, fan_in, true, Threads::One);
                }
                if want_input {
                    multiply_into(
                        weight.transposed(),
                        local,
                        &mut columns,
                        positions,
                        false,
                        Threads::One,
                    );
                    let start = (number - first) * image;
                    roll(&shape, &columns, &mut input_gradient[start..start + image]);
                }
            }
            (weight_sum, bias_sum)
        })
        .collect();
    for (target, which) in [(gradients.weight, 0), (gradients.bias, 1)] {
        let Some(target) = target else { continue };
        target.fill(0.0);
        for (weight_sum, bias_sum) in &sums {
            let sum = if which == 0 { weight_sum } else { bias_sum };
            target
                .iter_mut()
                .zip(sum)
                .for_each(|(target, value)| *target += value);
        }
    }
}

/// Outputs whose tap at kernel offset `tap` falls inside the input, along one axis.
#[inline(always)]
fn inside(
    size: usize,
    outputs: usize,
    stride: usize,
    padding: usize,
    tap: usize,
) -> (usize, usize) {
    let first = padding.saturating_sub(tap).div_ceil(stride).min(outputs);
    let end = if size + padding > tap {
        (size + padding - tap).div_ceil(stride)
    } else {
        0
    };
    (first, end.min(outputs).max(first))
}

vectorised_fn! {
    /// Adds the bias to every channel and applies ReLU where asked to.
    fn finish(bias: &[f32], with_relu: bool, positions: usize, product: &mut [f32]) {
        for (row, bias) in product.chunks_exact_mut(positions).zip(bias) {
            if with_relu {
                row.iter_mut().for_each(|value| *value = relu(*value + bias));
            } else {
                row.iter_mut().for_each(|value| *value += bias);
            }
        }
    }

    /// Adds the sum of each row of `width` to `sums`.
    fn add_row_sums(rows: &[f32], width: usize, sums: &mut [f32]) {
        for (total, row) in sums.iter_mut().zip(rows.chunks_exact(width)) {
            *total += sum(row);
        }
    }

/// One image as a matrix of (in channels x kernel places) rows and (positions) columns.
fn unroll(shape: &ConvolutionShape, image: &[f32], columns: &mut [f32]) {
    let [height, width] = shape.size;
    let [out_height, out_width] = shape.output_size();
    let [stride_y, stride_x] = shape.stride;
    let mut rows = columns.chunks_exact_mut(out_height * out_width);
    for channel in image.chunks_exact(height * width) {
        for ky in 0..shape.kernel[0] {
            let (top, bottom) = inside(height, out_height, stride_y, shape.padding[0], ky);
            for kx in 0..shape.kernel[1] {
                let (left, right) = inside(width, out_width, stride_x, shape.padding[1], kx);
                let Some(row) = rows.next() else { return };
                row[..top * out_width].fill(0.0);
                row[bottom * out_width..].fill(0.0);
                for y in top..bottom {
                    let target = &mut row[y * out_width..(y + 1) * out_width];
                    let start = (y * stride_y + ky - shape.padding[0]) * width;
                    let source = &channel[start..start + width];
                    target[..left].fill(0.0);
                    target[right..].fill(0.0);
                    if left == right {
                        continue;
                    }
                    let from = left * stride_x + kx - shape.padding[1];
                    if stride_x == 1 {
                        target[left..right].copy_from_slice(&source[from..from + right - left]);
                    } else {
                        let taps = source[from..].iter().step_by(stride_x);
                        target[left..right]
                            .iter_mut()
                            .zip(taps)
                            .for_each(|(t, s)| *t = *s);
                    }
                }
            }
        }
    }
}

/// The transpose of [`unroll`]: adds every column back to the pixel it came from.
fn roll(shape: &ConvolutionShape, columns: &[f32], image: &mut [f32]) {
    let [height, width] = shape.size;
    let [out_height, out_width] = shape.output_size();
    let [stride_y, stride_x] = shape.stride;
    let mut rows = columns.chunks_exact(out_height * out_width);
    image.fill(0.0);
    for channel in image.chunks_exact_mut(height * width) {
        for ky in 0..shape.kernel[0] {
            let (top, bottom) = inside(height, out_height, stride_y, shape.padding[0], ky);
            for kx in 0..shape.kernel[1] {
                let (left, right) = inside(width, out_width, stride_x, shape.padding[1], kx);
                let Some(row) = rows.next() else { return };
                if left == right {
                    continue;
                }
                for y in top..bottom {
                    let source = &row[y * out_width + left..y * out_width + right];
                    let start = (y * stride_y + ky - shape.padding[0]) * width;
                    let from = start + left * stride_x + kx - shape.padding[1];
                    if stride_x == 1 {
                        let target = &mut channel[from..from + right - left];
                        target.iter_mut().zip(source).for_each(|(t, s)| *t += s);
                    } else {
                        let taps = channel[from..].iter_mut().step_by(stride_x);
                        taps.zip(source).for_each(|(t, s)| *t += s);
                    }
                }
            }
        }
    }
}
}
