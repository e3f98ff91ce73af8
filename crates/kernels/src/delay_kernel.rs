//! Temporal kernels of synapses with one weight and one real-valued delay each: dilated convolution
//! with learnable spacings in one dimension (Khalfaoui-Hassani, Pellegrini and Masquelier 2023;
//! Hammouamri, Khalfaoui-Hassani and Masquelier 2024).
//!
//! A synapse from input `i` to output `o` with weight `w` and delay `δ` (in steps) has the kernel
//!
//! ```text
//! K[i, d, o] = w g(d - δ) / (Σ_d g(d - δ) + 1e-7),    d = 0 .. taps - 1
//! ```
//!
//! Weights and delays are `[inputs, outputs]`, kernels `[inputs, taps, outputs]`, indexed by delay. The
//! papers index by position in a cross-correlation instead, `p = taps - 1 - d`; the bump is symmetric, so
//! the two are the same kernel, and a gradient by position is minus the gradient by delay.

use rayon::prelude::*;

use crate::simd::{exp, vectorised};

/// Keeps the normalisation finite where a bump has left the kernel.
const NORM_FLOOR: f32 = 1e-7;

/// How a weight spreads over the taps around its delay.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Bump {
    /// `g(u) = exp(-u² / 2σ²)`.
    Gaussian {
        /// The standard deviation σ in steps.
        sigma: f32,
    },
    /// `g(u) = max(0, width - |u|)`. Width 1 is linear interpolation between two taps.
    Triangle {
        /// Where the bump ends, in steps.
        width: f32,
    },
}

/// Sizes of a kernel and the bump that fills it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct DelayKernel {
    /// Presynaptic channels.
    pub inputs: usize,
    /// Postsynaptic channels.
    pub outputs: usize,
    /// Taps: delays run from 0 to `taps - 1`.
    pub taps: usize,
    /// The spread around each delay.
    pub bump: Bump,
}

/// What the loss gains by a kernel's parameters.
pub struct DelayKernelGradient<'a> {
    /// By the weights, `[inputs, outputs]`.
    pub of_weights: &'a mut [f32],
    /// By the delays, `[inputs, outputs]`.
    pub of_delays: &'a mut [f32],
}

impl DelayKernel {
    /// Values in a kernel.
    pub fn len(&self) -> usize {
        self.inputs * self.taps * self.outputs
    }

    /// Whether the kernel holds nothing.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Fills `kernel`, `[inputs, taps, outputs]`.
    ///
    /// # Panics
    /// If a slice has the wrong size.
    pub fn build(&self, weights: &[f32], delays: &[f32], kernel: &mut [f32]) {
        let outputs = self.outputs;
        assert_eq!(
            weights.len(),
            self.inputs * outputs,
            "weights are not inputs x outputs"
        );
        assert_eq!(
            delays.len(),
            self.inputs * outputs,
            "delays are not inputs x outputs"
        );
        assert_eq!(
            kernel.len(),
            self.len(),
            "kernel is not inputs x taps x outputs"
        );
        if self.is_empty() {
            return;
        }
        kernel
            .par_chunks_mut(self.taps * outputs)
            .zip(weights.par_chunks(outputs))
            .zip(delays.par_chunks(outputs))
            .with_min_len(min_inputs(self.taps * outputs))
            .for_each_init(
                || vec![0.0f32; outputs],
                |norms, ((kernel, weights), delays)| match self.bump {
                    Bump::Gaussian { sigma } => {
                        let scale = -0.5 / (sigma * sigma);
                        vectorised(|| fill(kernel, weights, delays, norms, |u| exp(scale * u * u)))
                    }
                    Bump::Triangle { width } => vectorised(|| {
                        fill(kernel, weights, delays, norms, |u| {
                            (width - u.abs()).max(0.0)
                        })
                    }),
                },
            );
    }

    /// Writes the gradients of weights and delays given that of the kernel; returns that of the spread
    /// (σ or width), summed over all synapses.
    ///
    /// # Panics
    /// If a slice has the wrong size.
    pub fn backward(
        &self,
        weights: &[f32],
        delays: &[f32],
        of_kernel: &[f32],
        gradient: DelayKernelGradient<'_>,
    ) -> f32 {
        let DelayKernelGradient {
            of_weights,
            of_delays,
        } = gradient;
        let outputs = self.outputs;
        let synapses = self.inputs * outputs;
        assert_eq!(weights.len(), synapses, "weights are not inputs x outputs");
        assert_eq!(delays.len(), synapses, "delays are not inputs x outputs");
        assert_eq!(
            of_weights.len(),
            synapses,
            "weight gradients are not inputs x outputs"
        );
        assert_eq!(
            of_delays.len(),
            synapses,
            "delay gradients are not inputs x outputs"
        );
        assert_eq!(
            of_kernel.len(),
            self.len(),
            "kernel gradient is not inputs x taps x outputs"
        );
        if self.is_empty() {
            of_weights.fill(0.0);
            of_delays.fill(0.0);
            return 0.0;
        }
        let of_spread: Vec<f64> = of_kernel
            .par_chunks(self.taps * outputs)
            .zip(weights.par_chunks(outputs))
            .zip(delays.par_chunks(outputs))
            .zip(of_weights.par_chunks_mut(outputs))
            .zip(of_delays.par_chunks_mut(outputs))
            .with_min_len(min_inputs(self.taps * outputs))
            .map_init(
                || Sums::new(outputs),
                |sums, ((((of_kernel, weights), delays), of_weights), of_delays)| {
                    match self.bump {
                        Bump::Gaussian { sigma } => {
                            let (scale, inverse) = (-0.5 / (sigma * sigma), 1.0 / (sigma * sigma));
                            vectorised(|| {
                                sums.collect(of_kernel, delays, |u| {
                                    let g = exp(scale * u * u);
                                    // Slopes by delay (u = d - δ falls as δ grows) and by σ.
                                    (g, g * u * inverse, g * u * u * inverse / sigma)
                                })
                            });
                        }
                        Bump::Triangle { width } => vectorised(|| {
                            sums.collect(of_kernel, delays, |u| {
                                let g = (width - u.abs()).max(0.0);
                                let inside = if g > 0.0 { 1.0 } else { 0.0 };
                                let side = if u > 0.0 { inside } else { -inside };
                                (g, if u == 0.0 { 0.0 } else { side }, inside)
                            })
                        }),
                    }
                    vectorised(|| sums.finish(weights, of_weights, of_delays))
                },
            )
            .collect();
        of_spread.iter().sum::<f64>() as f32
    }
}

/// Inputs a thread takes at once, so that small kernels are not split.
fn min_inputs(values_per_input: usize) -> usize {
    (8192 / values_per_input.max(1)).max(1)
}

#[inline(always)]
fn fill(
    kernel: &mut [f32],
    weights: &[f32],
    delays: &[f32],
    norms: &mut [f32],
    bump: impl Fn(f32) -> f32,
) {
    norms.fill(NORM_FLOOR);
    for (tap, row) in kernel.chunks_exact_mut(delays.len()).enumerate() {
        let tap = tap as f32;
        for ((value, delay), norm) in row.iter_mut().zip(delays).zip(norms.iter_mut()) {
            *value = bump(tap - delay);
            *norm += *value;
        }
    }
    for (norm, weight) in norms.iter_mut().zip(weights) {
        *norm = weight / *norm;
    }
    for row in kernel.chunks_exact_mut(delays.len()) {
        for (value, factor) in row.iter_mut().zip(norms.iter()) {
            *value *= factor;
        }
    }
}

/// Per output: sums over the taps of the bump, its slopes, and of both times the kernel's gradient.
struct Sums {
    bump: Vec<f32>,
    by_delay: Vec<f32>,
    by_spread: Vec<f32>,
    gradient_bump: Vec<f32>,
    gradient_by_delay: Vec<f32>,
    gradient_by_spread: Vec<f32>,
}

impl Sums {
    fn new(outputs: usize) -> Self {
        let zeros = || vec![0.0; outputs];
        Sums {
            bump: zeros(),
            by_delay: zeros(),
            by_spread: zeros(),
            gradient_bump: zeros(),
            gradient_by_delay: zeros(),
            gradient_by_spread: zeros(),
        }
    }

    #[inline(always)]
    fn collect(
        &mut self,
        of_kernel: &[f32],
        delays: &[f32],
        bump: impl Fn(f32) -> (f32, f32, f32),
    ) {
        self.bump.fill(NORM_FLOOR);
        for sums in [
            &mut self.by_delay,
            &mut self.by_spread,
            &mut self.gradient_bump,
            &mut self.gradient_by_delay,
            &mut self.gradient_by_spread,
        ] {
            sums.fill(0.0);
        }
        let outputs = delays.len();
        // Slices of one known length let the compiler drop every bounds check below.
        let (sum, by_delay, by_spread) = (
            &mut self.bump[..outputs],
            &mut self.by_delay[..outputs],
            &mut self.by_spread[..outputs],
        );
        let (gradient_sum, gradient_by_delay, gradient_by_spread) = (
            &mut self.gradient_bump[..outputs],
            &mut self.gradient_by_delay[..outputs],
            &mut self.gradient_by_spread[..outputs],
        );
        for (tap, row) in of_kernel.chunks_exact(outputs).enumerate() {
            let tap = tap as f32;
            for o in 0..outputs {
                let (g, slope, spread) = bump(tap - delays[o]);
                sum[o] += g;
                by_delay[o] += slope;
                by_spread[o] += spread;
                gradient_sum[o] += row[o] * g;
                gradient_by_delay[o] += row[o] * slope;
                gradient_by_spread[o] += row[o] * spread;
            }
        }
    }

    /// The quotient rule; returns the gradient by the spread.
    #[inline(always)]
    fn finish(&self, weights: &[f32], of_weights: &mut [f32], of_delays: &mut [f32]) -> f64 {
        let mut of_spread = 0.0;
        for (o, &weight) in weights.iter().enumerate() {
            let inverse = 1.0 / self.bump[o];
            let mean = self.gradient_bump[o] * inverse;
            of_weights[o] = mean;
            of_delays[o] = weight * inverse * (self.gradient_by_delay[o] - mean * self.by_delay[o]);
            of_spread += f64::from(
                weight * inverse * (self.gradient_by_spread[o] - mean * self.by_spread[o]),
            );
        }
        of_spread
    }
}

#[cfg(test)]
mod tests {
    use rand::RngExt;
    use rand_chacha::ChaCha8Rng;
    use rand_chacha::rand_core::SeedableRng;

    use super::*;

    const BUMPS: [Bump; 4] = [
        Bump::Gaussian { sigma: 0.5 },
        Bump::Gaussian { sigma: 3.0 },
        Bump::Triangle { width: 1.0 },
        Bump::Triangle { width: 2.5 },
    ];

    fn bump_f64(bump: Bump, u: f64) -> f64 {
        match bump {
            Bump::Gaussian { sigma } => (-0.5 * (u / f64::from(sigma)).powi(2)).exp(),
            Bump::Triangle { width } => (f64::from(width) - u.abs()).max(0.0),
        }
    }

    /// `Σ readout · kernel` in double precision from the definition.
    fn objective(taps: usize, bump: Bump, weights: &[f64], delays: &[f64], readout: &[f32]) -> f64 {
        let outputs = 2;
        let mut total = 0.0;
        for (synapse, (&weight, &delay)) in weights.iter().zip(delays).enumerate() {
            let (i, o) = (synapse / outputs, synapse % outputs);
            let norm: f64 = (0..taps)
                .map(|d| bump_f64(bump, d as f64 - delay))
                .sum::<f64>()
                + 1e-7;
            for d in 0..taps {
                let value = weight * bump_f64(bump, d as f64 - delay) / norm;
                total += value * f64::from(readout[(i * taps + d) * outputs + o]);
            }
        }
        total
    }

    #[test]
    fn gradients_agree_with_finite_differences() {
        let (inputs, outputs, taps) = (3, 2, 7);
        let mut rng = ChaCha8Rng::seed_from_u64(2);
        let weights: Vec<f32> = (0..6).map(|_| rng.random_range(-1.0..1.0)).collect();
        // Borders included: there the normalisation matters most.
        let delays = [0.1f32, 5.95, 2.4, 3.3, 4.7, 1.6];
        let readout: Vec<f32> = (0..inputs * taps * outputs)
            .map(|_| rng.random_range(-1.0..1.0))
            .collect();
        for bump in BUMPS {
            let shape = DelayKernel {
                inputs,
                outputs,
                taps,
                bump,
            };
            let mut kernel = vec![0.0; shape.len()];
            shape.build(&weights, &delays, &mut kernel);
            let found: f64 = kernel
                .iter()
                .zip(&readout)
                .map(|(k, r)| f64::from(*k) * f64::from(*r))
                .sum();
            let wide = |values: &[f32]| values.iter().map(|&v| f64::from(v)).collect::<Vec<_>>();
            let (w, p) = (wide(&weights), wide(&delays));
            assert!((found - objective(taps, bump, &w, &p, &readout)).abs() < 1e-5);

            let (mut of_weights, mut of_delays) = (vec![9.0; 6], vec![9.0; 6]);
            let of_spread = shape.backward(
                &weights,
                &delays,
                &readout,
                DelayKernelGradient {
                    of_weights: &mut of_weights,
                    of_delays: &mut of_delays,
                },
            );
            let h = 1e-5;
            for synapse in 0..6 {
                let slope = |by_weight: bool| {
                    let shifted = |sign: f64| {
                        let (mut w, mut p) = (w.clone(), p.clone());
                        if by_weight {
                            w[synapse] += sign * h
                        } else {
                            p[synapse] += sign * h
                        }
                        objective(taps, bump, &w, &p, &readout)
                    };
                    (shifted(1.0) - shifted(-1.0)) / (2.0 * h)
                };
                assert!(
                    (f64::from(of_weights[synapse]) - slope(true)).abs() < 1e-4,
                    "{bump:?}"
                );
                assert!(
                    (f64::from(of_delays[synapse]) - slope(false)).abs() < 1e-4,
                    "{bump:?}"
                );
            }
            // f32 steps are coarse, so the spread moves by more.
            let moved = |sign: f32| {
                let bump = match bump {
                    Bump::Gaussian { sigma } => Bump::Gaussian {
                        sigma: sigma + sign * 1e-3,
                    },
                    Bump::Triangle { width } => Bump::Triangle {
                        width: width + sign * 1e-3,
                    },
                };
                objective(taps, bump, &w, &p, &readout)
            };
            let slope = (moved(1.0) - moved(-1.0)) / 2e-3;
            assert!(
                (f64::from(of_spread) - slope).abs() < 2e-3 * (1.0 + slope.abs()),
                "{bump:?}"
            );
        }
    }

    #[test]
    fn every_kernel_sums_to_its_weight() {
        for bump in BUMPS {
            let shape = DelayKernel {
                inputs: 1,
                outputs: 3,
                taps: 9,
                bump,
            };
            let mut kernel = vec![0.0; shape.len()];
            shape.build(&[0.5, -2.0, 1.0], &[0.0, 3.7, 8.0], &mut kernel);
            for (o, weight) in [0.5, -2.0, 1.0].iter().enumerate() {
                let sum: f32 = (0..9).map(|d| kernel[d * 3 + o]).sum();
                assert!((sum - weight).abs() < 1e-5);
            }
        }
    }

    #[test]
    fn a_bump_outside_the_kernel_gives_nothing_and_stays_finite() {
        let shape = DelayKernel {
            inputs: 1,
            outputs: 1,
            taps: 5,
            bump: Bump::Gaussian { sigma: 0.27 },
        };
        let mut kernel = vec![0.0; 5];
        shape.build(&[1.0], &[40.0], &mut kernel);
        assert!(kernel.iter().all(|&k| k.abs() < 1e-20));
        let (mut of_weights, mut of_delays) = ([0.0], [0.0]);
        let of_spread = shape.backward(
            &[1.0],
            &[40.0],
            &[1.0; 5],
            DelayKernelGradient {
                of_weights: &mut of_weights,
                of_delays: &mut of_delays,
            },
        );
        assert!(of_weights[0].is_finite() && of_delays[0].is_finite() && of_spread.is_finite());
    }
}
