//! Convolution over time in the Fourier domain, written as matrix products throughout.
//!
//! A discrete Fourier transform of length `steps + taps - 1` over the time axis of time-first arrays is a
//! product with a small matrix from the left, needs no reordering, and runs at the speed of products. In
//! the Fourier domain a convolution over time is one complex product of channels a frequency, taken here as
//! three real ones (Gauss): with `(r, i)` the parts of the first factor and `(R, I)` of the second,
//!
//! ```text
//! a = (r + i) R    b = r (I - R)    c = i (R + I)    real = a - c    imaginary = a + b
//! ```
//!
//! The sums before and after are folded into the transform matrices, so every convolution is: transform
//! both factors, multiply channels at each of `m` points, transform back, with `m ≈ 1.5 (steps + taps)`.

use std::f64::consts::TAU;

use rayon::prelude::*;

use crate::delay_convolution::DelayConvolution;
use crate::gemm::{Matrix, Threads, multiply_into};

/// What the three working buffers may take together, in values (64 MiB).
const WORKING_VALUES: usize = 1 << 24;

/// The transforms of one convolution.
pub(crate) struct Spectrum<'a> {
    shape: &'a DelayConvolution,
    length: usize,
}

/// Which factor of a product a signal is; the second brings the other sums of Gauss's trick.
#[derive(Clone, Copy)]
enum Factor {
    First,
    Second,
}

impl<'a> Spectrum<'a> {
    pub(crate) fn new(shape: &'a DelayConvolution) -> Self {
        // Long enough that what wraps around falls on zeros.
        Spectrum {
            shape,
            length: shape.steps + shape.taps - 1,
        }
    }

    /// Points at which channels are multiplied: one for each real frequency, three for each complex one.
    fn points(&self) -> usize {
        let complex = (self.length - 1) / 2;
        3 * complex + self.length - 2 * complex
    }

    /// The frequency of a point and which of Gauss's three products it is; real frequencies have one.
    fn point(&self, point: usize) -> (usize, usize) {
        let complex = (self.length - 1) / 2;
        match point {
            0 => (0, 0),
            point if point <= 3 * complex => (1 + (point - 1) / 3, (point - 1) % 3),
            _ => (self.length / 2, 0),
        }
    }

    fn is_real(&self, frequency: usize) -> bool {
        frequency == 0 || 2 * frequency == self.length
    }

    /// `[points, samples]`: from a signal over time to its values at the points; `conjugate` for a signal
    /// reversed in time, which makes the product a correlation.
    fn analysis(
        &self,
        points: &[usize],
        samples: usize,
        factor: Factor,
        conjugate: bool,
    ) -> Vec<f32> {
        let mut matrix = Vec::with_capacity(points.len() * samples);
        for &point in points {
            let (frequency, part) = self.point(point);
            for sample in 0..samples {
                let angle = TAU * ((frequency * sample) % self.length) as f64 / self.length as f64;
                let real = angle.cos();
                let imaginary = if conjugate { angle.sin() } else { -angle.sin() };
                let value = match (factor, part) {
                    _ if self.is_real(frequency) => real,
                    (Factor::First, 0) => real + imaginary,
                    (Factor::First, 1) => real,
                    (Factor::First, _) => imaginary,
                    (Factor::Second, 0) => real,
                    (Factor::Second, 1) => imaginary - real,
                    (Factor::Second, _) => real + imaginary,
                };
                matrix.push(value as f32);
            }
        }
        matrix
    }

    /// `[samples, points]`: from products at the points to the signal over time.
    fn synthesis(&self, points: &[usize], samples: usize) -> Vec<f32> {
        let mut matrix = Vec::with_capacity(points.len() * samples);
        let length = self.length as f64;
        for sample in 0..samples {
            for &point in points {
                let (frequency, part) = self.point(point);
                let angle = TAU * ((frequency * sample) % self.length) as f64 / length;
                // real = a - c, imaginary = a + b; the signal is Σ (real cos - imaginary sin).
                let value = match part {
                    _ if self.is_real(frequency) => angle.cos() / length,
                    0 => 2.0 * (angle.cos() - angle.sin()) / length,
                    1 => -2.0 * angle.sin() / length,
                    _ => -2.0 * angle.cos() / length,
                };
                matrix.push(value as f32);
            }
        }
        matrix
    }

    /// The points, in groups whose buffers stay within bounds.
    fn groups(&self) -> Vec<Vec<usize>> {
        let DelayConvolution {
            batch,
            inputs,
            outputs,
            ..
        } = *self.shape;
        let per_point = batch * inputs + batch * outputs + inputs * outputs;
        let size = (WORKING_VALUES / per_point.max(1)).clamp(8, self.points().max(8));
        let all: Vec<usize> = (0..self.points()).collect();
        all.chunks(size).map(<[usize]>::to_vec).collect()
    }

    pub(crate) fn forward(&self, input: &[f32], kernel: &[f32], output: &mut [f32]) {
        let DelayConvolution {
            steps,
            batch,
            inputs,
            outputs,
            ..
        } = *self.shape;
        for (index, points) in self.groups().iter().enumerate() {
            let signal = self.signal_at(points, input, steps, batch * inputs, Factor::First, false);
            let weights = self.kernel_at(points, kernel, false);
            let mut products = vec![0.0; points.len() * batch * outputs];
            products
                .par_chunks_mut(batch * outputs)
                .enumerate()
                .for_each(|(point, product)| {
                    multiply_into(
                        Matrix::new(part(&signal, point, batch * inputs), batch, inputs),
                        Matrix::new(part(&weights, point, inputs * outputs), inputs, outputs),
                        product,
                        outputs,
                        false,
                        Threads::One,
                    );
                });
            self.signal_from(
                points,
                &products,
                self.shape.output_steps(),
                output,
                index > 0,
            );
        }
    }

    pub(crate) fn input_gradient(&self, kernel: &[f32], of_output: &[f32], of_input: &mut [f32]) {
        let DelayConvolution {
            steps,
            batch,
            inputs,
            outputs,
            ..
        } = *self.shape;
        let output_steps = self.shape.output_steps();
        for (index, points) in self.groups().iter().enumerate() {
            let signal = self.signal_at(
                points,
                of_output,
                output_steps,
                batch * outputs,
                Factor::First,
                false,
            );
            let weights = self.kernel_at(points, kernel, true);
            let mut products = vec![0.0; points.len() * batch * inputs];
            products
                .par_chunks_mut(batch * inputs)
                .enumerate()
                .for_each(|(point, product)| {
                    multiply_into(
                        Matrix::new(part(&signal, point, batch * outputs), batch, outputs),
                        Matrix::new(part(&weights, point, inputs * outputs), inputs, outputs)
                            .transposed(),
                        product,
                        inputs,
                        false,
                        Threads::One,
                    );
                });
            self.signal_from(points, &products, steps, of_input, index > 0);
        }
    }

    pub(crate) fn kernel_gradient(&self, input: &[f32], of_output: &[f32], of_kernel: &mut [f32]) {
        let DelayConvolution {
            steps,
            batch,
            inputs,
            outputs,
            taps,
            ..
        } = *self.shape;
        let output_steps = self.shape.output_steps();
        for (index, points) in self.groups().iter().enumerate() {
            let signal = self.signal_at(points, input, steps, batch * inputs, Factor::First, true);
            let gradient = self.signal_at(
                points,
                of_output,
                output_steps,
                batch * outputs,
                Factor::Second,
                false,
            );
            let mut products = vec![0.0; points.len() * inputs * outputs];
            products
                .par_chunks_mut(inputs * outputs)
                .enumerate()
                .for_each(|(point, product)| {
                    multiply_into(
                        Matrix::new(part(&signal, point, batch * inputs), batch, inputs)
                            .transposed(),
                        Matrix::new(part(&gradient, point, batch * outputs), batch, outputs),
                        product,
                        outputs,
                        false,
                        Threads::One,
                    );
                });
            let synthesis = self.synthesis(points, taps);
            of_kernel
                .par_chunks_mut(taps * outputs)
                .enumerate()
                .for_each(|(channel, of_kernel)| {
                    multiply_into(
                        Matrix::new(&synthesis, taps, points.len()),
                        Matrix::strided(
                            &products[channel * outputs..],
                            points.len(),
                            outputs,
                            inputs * outputs,
                        ),
                        of_kernel,
                        outputs,
                        index > 0,
                        Threads::One,
                    );
                });
        }
    }

    /// A time-first signal at the points, `[points, lanes]`.
    fn signal_at(
        &self,
        points: &[usize],
        signal: &[f32],
        samples: usize,
        lanes: usize,
        factor: Factor,
        conjugate: bool,
    ) -> Vec<f32> {
        let analysis = self.analysis(points, samples, factor, conjugate);
        let mut values = vec![0.0; points.len() * lanes];
        multiply_into(
            Matrix::new(&analysis, points.len(), samples),
            Matrix::new(signal, samples, lanes),
            &mut values,
            lanes,
            false,
            Threads::All,
        );
        values
    }

    /// The kernel at the points, `[points, inputs, outputs]`.
    fn kernel_at(&self, points: &[usize], kernel: &[f32], conjugate: bool) -> Vec<f32> {
        let DelayConvolution {
            inputs,
            outputs,
            taps,
            ..
        } = *self.shape;
        let analysis = self.analysis(points, taps, Factor::Second, conjugate);
        let mut values = vec![0.0; points.len() * inputs * outputs];
        let shared = crate::disjoint::DisjointMut::new(&mut values);
        kernel
            .par_chunks(taps * outputs)
            .enumerate()
            .for_each(|(channel, kernel)| {
                let mut own = vec![0.0; points.len() * outputs];
                multiply_into(
                    Matrix::new(&analysis, points.len(), taps),
                    Matrix::new(kernel, taps, outputs),
                    &mut own,
                    outputs,
                    false,
                    Threads::One,
                );
                for (point, own) in own.chunks_exact(outputs).enumerate() {
                    // SAFETY: each channel writes its own rows.
                    #[allow(unsafe_code)]
                    let row =
                        unsafe { shared.slice((point * inputs + channel) * outputs, outputs) };
                    row.copy_from_slice(own);
                }
            });
        values
    }

    /// Back from products at the points to a time-first signal, written or added to `signal`.
    fn signal_from(
        &self,
        points: &[usize],
        products: &[f32],
        samples: usize,
        signal: &mut [f32],
        accumulate: bool,
    ) {
        let synthesis = self.synthesis(points, samples);
        let lanes = signal.len() / samples;
        multiply_into(
            Matrix::new(&synthesis, samples, points.len()),
            Matrix::new(products, points.len(), lanes),
            signal,
            lanes,
            accumulate,
            Threads::All,
        );
    }
}

/// The `index`-th part of `len` values.
fn part(values: &[f32], index: usize, len: usize) -> &[f32] {
    &values[index * len..(index + 1) * len]
}
