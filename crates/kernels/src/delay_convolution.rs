//! Convolution over time with a kernel per synapse, forward and backward, on time-first arrays.
//!
//! ```text
//! y[t, b, o] = Σ_i Σ_d K[i, d, o] x[t - d, b, i],    t = 0 .. steps + tail - 1
//! ```
//!
//! with inputs `[steps, batch, inputs]`, outputs `[steps + tail, batch, outputs]` and kernels
//! `[inputs, taps, outputs]`. A tail of `(taps - 1) / 2` is the right padding of Hammouamri, Khalfaoui-Hassani
//! and Masquelier (2024); without it late spikes are cut.
//!
//! Three routes compute the same sums and the cheapest is taken, by counting operations:
//! - **spikes**: every non-zero input adds its whole kernel to the output. Wins while inputs are sparse.
//! - **direct**: one matrix product a tap. Wins for small kernels and few channels.
//! - **spectral**: a discrete Fourier transform over time turns `taps x steps` products into
//!   about `1.5 (steps + taps)`; see `spectral_convolution`. Wins for dense signals.

#![allow(unsafe_code)]

use pulp::{Simd, WithSimd};
use rayon::prelude::*;

use crate::disjoint::DisjointMut;
use crate::gemm::{Matrix, Threads, multiply_into};
use crate::spectral_convolution::Spectrum;

/// Outputs that are summed together: one sample's outputs over time then fit the first-level cache.
const STRIP: usize = 32;
/// Operations on spikes move about one vector each, where products reuse what they load.
const SPIKE_COST: f64 = 2.0;

/// Sizes of a convolution over time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DelayConvolution {
    /// Time steps of the input.
    pub steps: usize,
    /// Samples.
    pub batch: usize,
    /// Presynaptic channels.
    pub inputs: usize,
    /// Postsynaptic channels.
    pub outputs: usize,
    /// Taps: delays run from 0 to `taps - 1`.
    pub taps: usize,
    /// Time steps the output lasts longer than the input, at most `taps - 1`.
    pub tail: usize,
}

/// How a convolution is computed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Route {
    /// By the spikes, where there are any.
    Spikes,
    /// One matrix product a tap.
    Direct,
    /// In the Fourier domain.
    Spectral,
}

/// The non-zero inputs, listed by sample, then channel, then time.
#[derive(Clone, Debug, PartialEq)]
pub struct SpikeLists {
    /// Where the entries of (sample, channel) begin; one more than there are pairs.
    starts: Vec<usize>,
    times: Vec<u32>,
    values: Vec<f32>,
    cells: usize,
}

impl SpikeLists {
    /// Lists the non-zero values of `[steps, batch, inputs]`.
    ///
    /// # Panics
    /// If the slice has the wrong size.
    pub fn from_dense(steps: usize, batch: usize, inputs: usize, dense: &[f32]) -> Self {
        assert_eq!(
            dense.len(),
            steps * batch * inputs,
            "input is not steps x batch x inputs"
        );
        assert!(u32::try_from(steps).is_ok(), "too many steps");
        let samples: Vec<_> = (0..batch)
            .into_par_iter()
            .map(|sample| {
                let row = |step: usize| {
                    let start = (step * batch + sample) * inputs;
                    &dense[start..start + inputs]
                };
                let mut counts = vec![0usize; inputs];
                for step in 0..steps {
                    for (count, &value) in counts.iter_mut().zip(row(step)) {
                        *count += usize::from(value != 0.0);
                    }
                }
                // Counts become the places where each channel's next entry goes.
                let mut total = 0;
                for count in &mut counts {
                    let own = *count;
                    *count = total;
                    total += own;
                }
                let (mut times, mut values) = (vec![0u32; total], vec![0.0f32; total]);
                for step in 0..steps {
                    for (place, &value) in counts.iter_mut().zip(row(step)) {
                        if value != 0.0 {
                            times[*place] = step as u32;
                            values[*place] = value;
                            *place += 1;
                        }
                    }
                }
                (counts, times, values)
            })
            .collect();
        let mut lists = SpikeLists {
            starts: Vec::with_capacity(batch * inputs + 1),
            times: Vec::new(),
            values: Vec::new(),
            cells: dense.len(),
        };
        lists.starts.push(0);
        for (ends, times, values) in &samples {
            let base = lists.times.len();
            lists.starts.extend(ends.iter().map(|end| base + end));
            lists.times.extend_from_slice(times);
            lists.values.extend_from_slice(values);
        }
        lists
    }

    /// How many inputs are not zero.
    pub fn count(&self) -> usize {
        self.times.len()
    }

    /// Writes the inputs back to `[steps, batch, inputs]`.
    fn to_dense(&self, batch: usize, inputs: usize) -> Vec<f32> {
        let mut dense = vec![0.0; self.cells];
        for pair in 0..batch * inputs {
            for entry in self.starts[pair]..self.starts[pair + 1] {
                dense[self.times[entry] as usize * batch * inputs + pair] = self.values[entry];
            }
        }
        dense
    }
}

impl DelayConvolution {
    /// Time steps of the output.
    pub fn output_steps(&self) -> usize {
        self.steps + self.tail
    }

    /// Values in the input.
    pub fn input_len(&self) -> usize {
        self.steps * self.batch * self.inputs
    }

    /// Values in the output.
    pub fn output_len(&self) -> usize {
        self.output_steps() * self.batch * self.outputs
    }

    /// Values in the kernel.
    pub fn kernel_len(&self) -> usize {
        self.inputs * self.taps * self.outputs
    }

    /// Lists the spikes of an input, which forward and backward share.
    ///
    /// # Panics
    /// If the slice has the wrong size.
    pub fn list(&self, input: &[f32]) -> SpikeLists {
        SpikeLists::from_dense(self.steps, self.batch, self.inputs, input)
    }

    /// Writes the output `[steps + tail, batch, outputs]`.
    ///
    /// # Panics
    /// If a slice has the wrong size.
    pub fn forward(&self, input: &SpikeLists, kernel: &[f32], output: &mut [f32]) {
        self.forward_by(self.route(Some(input)), input, kernel, output);
    }

    pub(crate) fn forward_by(
        &self,
        route: Route,
        input: &SpikeLists,
        kernel: &[f32],
        output: &mut [f32],
    ) {
        self.check(kernel);
        assert_eq!(
            input.starts.len(),
            self.batch * self.inputs + 1,
            "spikes of another shape"
        );
        assert_eq!(input.cells, self.input_len(), "spikes of another shape");
        assert_eq!(
            output.len(),
            self.output_len(),
            "output is not steps x batch x outputs"
        );
        if output.is_empty() {
            return;
        }
        match route {
            Route::Spikes => self.forward_spikes(input, kernel, output),
            Route::Direct => {
                let dense = input.to_dense(self.batch, self.inputs);
                output.fill(0.0);
                for tap in 0..self.taps.min(self.output_steps()) {
                    let rows = self.overlap(tap) * self.batch;
                    multiply_into(
                        Matrix::new(&dense[..rows * self.inputs], rows, self.inputs),
                        self.tap(kernel, tap),
                        &mut output[tap * self.batch * self.outputs..],
                        self.outputs,
                        true,
                        Threads::All,
                    );
                }
            }
            Route::Spectral => {
                let dense = input.to_dense(self.batch, self.inputs);
                Spectrum::new(self).forward(&dense, kernel, output);
            }
        }
    }

    /// Writes the gradient of the kernel, `[inputs, taps, outputs]`.
    ///
    /// # Panics
    /// If a slice has the wrong size.
    pub fn kernel_gradient(&self, input: &SpikeLists, of_output: &[f32], of_kernel: &mut [f32]) {
        self.kernel_gradient_by(self.route(Some(input)), input, of_output, of_kernel);
    }

    pub(crate) fn kernel_gradient_by(
        &self,
        route: Route,
        input: &SpikeLists,
        of_output: &[f32],
        of_kernel: &mut [f32],
    ) {
        self.check(of_kernel);
        assert_eq!(
            input.starts.len(),
            self.batch * self.inputs + 1,
            "spikes of another shape"
        );
        assert_eq!(input.cells, self.input_len(), "spikes of another shape");
        assert_eq!(
            of_output.len(),
            self.output_len(),
            "output gradient is not steps x batch x outputs"
        );
        if of_kernel.is_empty() {
            return;
        }
        match route {
            Route::Spikes => self.kernel_gradient_spikes(input, of_output, of_kernel),
            Route::Direct => {
                let dense = input.to_dense(self.batch, self.inputs);
                of_kernel.fill(0.0);
                for tap in 0..self.taps.min(self.output_steps()) {
                    let rows = self.overlap(tap) * self.batch;
                    let start = tap * self.batch * self.outputs;
                    multiply_into(
                        Matrix::new(&dense[..rows * self.inputs], rows, self.inputs).transposed(),
                        Matrix::new(
                            &of_output[start..start + rows * self.outputs],
                            rows,
                            self.outputs,
                        ),
                        &mut of_kernel[tap * self.outputs..],
                        self.taps * self.outputs,
                        false,
                        Threads::All,
                    );
                }
            }
            Route::Spectral => {
                let dense = input.to_dense(self.batch, self.inputs);
                Spectrum::new(self).kernel_gradient(&dense, of_output, of_kernel);
            }
        }
    }

    /// Writes the gradient of the input, `[steps, batch, inputs]`.
    ///
    /// # Panics
    /// If a slice has the wrong size.
    pub fn input_gradient(&self, kernel: &[f32], of_output: &[f32], of_input: &mut [f32]) {
        self.input_gradient_by(self.route(None), kernel, of_output, of_input);
    }

    pub(crate) fn input_gradient_by(
        &self,
        route: Route,
        kernel: &[f32],
        of_output: &[f32],
        of_input: &mut [f32],
    ) {
        self.check(kernel);
        assert_eq!(
            of_output.len(),
            self.output_len(),
            "output gradient is not steps x batch x outputs"
        );
        assert_eq!(
            of_input.len(),
            self.input_len(),
            "input gradient is not steps x batch x inputs"
        );
        if of_input.is_empty() {
            return;
        }
        if route == Route::Spectral {
            Spectrum::new(self).input_gradient(kernel, of_output, of_input);
            return;
        }
        of_input.fill(0.0);
        for tap in 0..self.taps.min(self.output_steps()) {
            let rows = self.overlap(tap) * self.batch;
            let start = tap * self.batch * self.outputs;
            multiply_into(
                Matrix::new(
                    &of_output[start..start + rows * self.outputs],
                    rows,
                    self.outputs,
                ),
                self.tap(kernel, tap).transposed(),
                of_input,
                self.inputs,
                true,
                Threads::All,
            );
        }
    }

    /// The cheapest way, by counting multiply-adds; without spikes only the dense ways compete.
    fn route(&self, input: Option<&SpikeLists>) -> Route {
        let [steps, batch, inputs, outputs, taps] =
            [self.steps, self.batch, self.inputs, self.outputs, self.taps].map(|size| size as f64);
        let direct = steps * taps * batch * inputs * outputs;
        let length = steps + taps;
        let spectral = 1.5
            * length
            * (batch * (inputs * outputs + length * (inputs + outputs)) + taps * inputs * outputs);
        let padded = self.outputs.next_multiple_of(STRIP) as f64;
        let spikes = input.map_or(f64::INFINITY, |input| {
            SPIKE_COST * input.count() as f64 * taps * padded
        });
        if spikes <= direct.min(spectral) {
            Route::Spikes
        } else if direct <= spectral {
            Route::Direct
        } else {
            Route::Spectral
        }
    }

    fn check(&self, kernel: &[f32]) {
        assert!(
            self.taps > 0 && self.tail < self.taps,
            "the tail must be shorter than the kernel"
        );
        assert_eq!(
            kernel.len(),
            self.kernel_len(),
            "kernel is not inputs x taps x outputs"
        );
    }

    /// Input steps that reach the output with a delay of `tap`.
    fn overlap(&self, tap: usize) -> usize {
        self.steps.min(self.output_steps().saturating_sub(tap))
    }

    /// The weights at one delay, inputs x outputs.
    fn tap<'a>(&self, kernel: &'a [f32], tap: usize) -> Matrix<'a> {
        Matrix::strided(
            &kernel[tap * self.outputs..],
            self.inputs,
            self.outputs,
            self.taps * self.outputs,
        )
    }

    fn strips(&self) -> usize {
        self.outputs.div_ceil(STRIP)
    }

    fn forward_spikes(&self, input: &SpikeLists, kernel: &[f32], output: &mut [f32]) {
        let packed = self.pack(kernel);
        let strip_len = self.inputs * self.taps * STRIP;
        let output_steps = self.output_steps();
        let output = DisjointMut::new(output);
        // Strip by strip, so that one strip of the kernel stays in cache for many samples.
        let samples_per_task = self.batch.div_ceil(4 * rayon::current_num_threads()).max(1);
        let tasks_per_strip = self.batch.div_ceil(samples_per_task);
        (0..self.strips() * tasks_per_strip)
            .into_par_iter()
            .for_each_init(
                || vec![0.0f32; output_steps * STRIP],
                |sums, task| {
                    let strip = task / tasks_per_strip;
                    let first = task % tasks_per_strip * samples_per_task;
                    let width = STRIP.min(self.outputs - strip * STRIP);
                    for sample in first..self.batch.min(first + samples_per_task) {
                        sums.fill(0.0);
                        pulp::Arch::new().dispatch(AddKernels {
                            input,
                            pairs: sample * self.inputs..(sample + 1) * self.inputs,
                            taps: self.taps,
                            kernel: &packed[strip * strip_len..(strip + 1) * strip_len],
                            sums,
                        });
                        for step in 0..output_steps {
                            let start = (step * self.batch + sample) * self.outputs + strip * STRIP;
                            // SAFETY: each (strip, sample) is one task's alone, and so are its places.
                            unsafe { output.slice(start, width) }
                                .copy_from_slice(&sums[step * STRIP..step * STRIP + width]);
                        }
                    }
                },
            );
    }

    /// The kernel as `[strip, inputs, taps, STRIP]`, padded with zeros.
    fn pack(&self, kernel: &[f32]) -> Vec<f32> {
        let mut packed = vec![0.0; self.strips() * self.inputs * self.taps * STRIP];
        packed
            .par_chunks_mut(self.inputs * self.taps * STRIP)
            .enumerate()
            .for_each(|(strip, packed)| {
                let from = strip * STRIP;
                let width = STRIP.min(self.outputs - from);
                for (row, packed) in kernel
                    .chunks_exact(self.outputs)
                    .zip(packed.chunks_exact_mut(STRIP))
                {
                    packed[..width].copy_from_slice(&row[from..from + width]);
                }
            });
        packed
    }

    fn kernel_gradient_spikes(&self, input: &SpikeLists, of_output: &[f32], of_kernel: &mut [f32]) {
        let output_steps = self.output_steps();
        // A task owns one strip of outputs; where strips are fewer than threads the samples are split too.
        let groups = rayon::current_num_threads()
            .div_ceil(self.strips())
            .min(self.batch)
            .max(1);
        let samples_per_group = self.batch.div_ceil(groups);
        let sums: Vec<Vec<f32>> = (0..self.strips() * groups)
            .into_par_iter()
            .map(|task| {
                let (strip, group) = (task / groups, task % groups);
                let from = strip * STRIP;
                let width = STRIP.min(self.outputs - from);
                let mut sums = vec![0.0f32; self.inputs * self.taps * STRIP];
                let mut gradient = vec![0.0f32; output_steps * STRIP];
                let first = group * samples_per_group;
                for sample in first..self.batch.min(first + samples_per_group) {
                    for step in 0..output_steps {
                        let start = (step * self.batch + sample) * self.outputs + from;
                        gradient[step * STRIP..step * STRIP + width]
                            .copy_from_slice(&of_output[start..start + width]);
                    }
                    pulp::Arch::new().dispatch(AddGradients {
                        input,
                        pairs: sample * self.inputs..(sample + 1) * self.inputs,
                        taps: self.taps,
                        gradient: &gradient,
                        sums: &mut sums,
                    });
                }
                sums
            })
            .collect();
        of_kernel
            .par_chunks_mut(self.taps * self.outputs)
            .enumerate()
            .for_each(|(channel, of_kernel)| {
                for (tap, row) in of_kernel.chunks_exact_mut(self.outputs).enumerate() {
                    for (strip, row) in row.chunks_mut(STRIP).enumerate() {
                        row.fill(0.0);
                        let start = (channel * self.taps + tap) * STRIP;
                        for part in &sums[strip * groups..(strip + 1) * groups] {
                            for (value, sum) in row.iter_mut().zip(&part[start..start + STRIP]) {
                                *value += sum;
                            }
                        }
                    }
                }
            });
    }
}

struct AddKernels<'a> {
    input: &'a SpikeLists,
    pairs: std::ops::Range<usize>,
    taps: usize,
    kernel: &'a [f32],
    sums: &'a mut [f32],
}

impl WithSimd for AddKernels<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let AddKernels {
            input,
            pairs,
            taps,
            kernel,
            sums,
        } = self;
        for (pair, kernel) in pairs.zip(kernel.chunks_exact(taps * STRIP)) {
            for entry in input.starts[pair]..input.starts[pair + 1] {
                add_scaled(
                    simd,
                    input.values[entry],
                    kernel,
                    &mut sums[input.times[entry] as usize * STRIP..],
                );
            }
        }
    }
}

struct AddGradients<'a> {
    input: &'a SpikeLists,
    pairs: std::ops::Range<usize>,
    taps: usize,
    gradient: &'a [f32],
    sums: &'a mut [f32],
}

impl WithSimd for AddGradients<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let AddGradients {
            input,
            pairs,
            taps,
            gradient,
            sums,
        } = self;
        for (pair, sums) in pairs.zip(sums.chunks_exact_mut(taps * STRIP)) {
            for entry in input.starts[pair]..input.starts[pair + 1] {
                add_scaled(
                    simd,
                    input.values[entry],
                    &gradient[input.times[entry] as usize * STRIP..],
                    sums,
                );
            }
        }
    }
}

/// `sums += factor · values` over what both hold. Lengths are multiples of the strip, which every
/// vector width divides, so nothing is left over.
#[inline(always)]
fn add_scaled<S: Simd>(simd: S, factor: f32, values: &[f32], sums: &mut [f32]) {
    let factor = simd.splat_f32s(factor);
    let (values, _) = S::as_simd_f32s(values);
    let (sums, _) = S::as_mut_simd_f32s(sums);
    for (sum, &value) in sums.iter_mut().zip(values) {
        *sum = simd.mul_add_e_f32s(factor, value, *sum);
    }
}

#[cfg(test)]
mod tests;
