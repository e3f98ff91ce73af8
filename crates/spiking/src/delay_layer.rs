//! Synapses that each have a weight and a delay, both learned: dilated convolution with learnable
//! spacings over time (Hammouamri, Khalfaoui-Hassani and Masquelier 2024).

use std::sync::Arc;

use burn::module::{Module, Param};
use burn::tensor::{Device, Tensor};
use chiasm_core::Seed;
use chiasm_kernels::delay_convolution::{DelayConvolution, SpikeLists};
use chiasm_kernels::delay_kernel::{Bump, DelayKernel, DelayKernelGradient};
use chiasm_nn::initial::uniform;
use chiasm_nn::operation::{Array, Operation, apply, floats, on_kernels};

/// How far a synapse's weight spreads around its delay.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Spread {
    /// Over taps, so that the delay has a gradient.
    Bump(Bump),
    /// All on the tap nearest the delay (a tie goes to the even position): what is deployed.
    Rounded,
}

/// Sizes of a [`DelayLayer`].
#[derive(Clone, Debug)]
pub struct DelayLayerConfig {
    /// Presynaptic channels.
    pub inputs: usize,
    /// Postsynaptic channels.
    pub outputs: usize,
    /// Taps, an odd number: delays run from 0 to `taps - 1` steps.
    pub taps: usize,
    /// Whether positions are trained.
    pub learned: bool,
}

impl DelayLayerConfig {
    /// Weights uniform in ±√(6 / inputs) (Kaiming), positions uniform over the kernel.
    pub fn init(&self, seed: Seed, device: &Device) -> DelayLayer {
        let shape = [self.inputs, self.outputs];
        let bound = (6.0 / self.inputs.max(1) as f64).sqrt();
        let half = (self.taps / 2) as f64;
        let positions = uniform(seed.named("positions"), shape, half, device);
        DelayLayer {
            weight: uniform(seed.named("weight"), shape, bound, device),
            positions: if self.learned {
                positions
            } else {
                positions.no_grad()
            },
            taps: self.taps,
        }
    }
}

/// A layer of synapses with delays. Signals grow by `(taps - 1) / 2` steps in it, so that late
/// spikes are not cut.
#[derive(Module, Debug)]
pub struct DelayLayer {
    /// Weights, (inputs x outputs).
    pub weight: Param<Tensor<2>>,
    /// Where in the kernel each synapse sits, within ±taps/2, (inputs x outputs): the delay is
    /// `taps / 2 - position`.
    pub positions: Param<Tensor<2>>,
    #[module(skip)]
    taps: usize,
}

impl DelayLayer {
    /// Taps of the kernel.
    pub fn taps(&self) -> usize {
        self.taps
    }

    /// (steps, batch, inputs) to (steps + (taps - 1) / 2, batch, outputs), with `mask` (inputs x
    /// outputs) on the weights where only some synapses exist.
    pub fn forward(&self, spikes: Tensor<3>, spread: Spread, mask: Option<Tensor<2>>) -> Tensor<3> {
        let weight = match mask {
            Some(mask) => self.weight.val() * mask,
            None => self.weight.val(),
        };
        let options = DelayConvolutionOptions {
            taps: self.taps,
            spread,
        };
        delay_convolution(spikes, weight, self.positions.val(), options)
    }

    /// The delays in steps, (inputs x outputs) in row-major order.
    pub fn delays(&self) -> Vec<f32> {
        let half = (self.taps / 2) as f32;
        floats(self.positions.val().inner())
            .iter()
            .map(|position| half - position)
            .collect()
    }

    /// The delays that evaluation uses, in whole steps.
    pub fn rounded_delays(&self) -> Vec<usize> {
        let positions = floats(self.positions.val().inner());
        rounded(&positions, self.taps)
    }

    /// The same layer with positions that are trained brought back into the kernel.
    pub fn clamped(mut self) -> Self {
        let half = (self.taps / 2) as f64;
        self.positions = self.positions.map(|positions| {
            if !positions.is_require_grad() {
                return positions;
            }
            Tensor::from_inner(positions.inner().clamp(-half, half)).require_grad()
        });
        self
    }
}

/// What a delay convolution is besides its tensors.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct DelayConvolutionOptions {
    /// Taps, an odd number.
    pub taps: usize,
    /// How far weights spread around their delays.
    pub spread: Spread,
}

impl DelayConvolutionOptions {
    fn shape(&self, input: &[usize], weight: &[usize]) -> DelayConvolution {
        assert_eq!(input[2], weight[0], "channels of spikes and weights");
        DelayConvolution {
            steps: input[0],
            batch: input[1],
            inputs: weight[0],
            outputs: weight[1],
            taps: self.taps,
            tail: (self.taps - 1) / 2,
        }
    }
}

fn rounded(positions: &[f32], taps: usize) -> Vec<usize> {
    let half = (taps / 2) as f32;
    positions
        .iter()
        .map(|position| (half - position.round_ties_even()).clamp(0.0, (taps - 1) as f32) as usize)
        .collect()
}

/// `y[t, b, o] = Σ_i Σ_d K[i, d, o] spikes[t - d, b, i]` with a kernel that spreads each weight (inputs x
/// outputs) around the delay `taps / 2 - position`.
pub fn delay_convolution(
    spikes: Tensor<3>,
    weight: Tensor<2>,
    positions: Tensor<2>,
    options: DelayConvolutionOptions,
) -> Tensor<3> {
    if !on_kernels(&spikes) {
        return delay_convolution_ordinary(spikes, weight, positions, options);
    }
    let inputs = [
        spikes.into_dispatch(),
        weight.into_dispatch(),
        positions.into_dispatch(),
    ];
    apply(Convolve(options), inputs)
}

/// [`delay_convolution`] by ordinary tensor operations: what runs away from the CPU.
pub fn delay_convolution_ordinary(
    spikes: Tensor<3>,
    weight: Tensor<2>,
    positions: Tensor<2>,
    options: DelayConvolutionOptions,
) -> Tensor<3> {
    let [steps, batch, inputs] = spikes.dims();
    let outputs = weight.dims()[1];
    let (taps, device) = (options.taps, spikes.device());
    let tail = (taps - 1) / 2;
    let delays = match options.spread {
        Spread::Bump(_) => -positions + (taps / 2) as f32,
        Spread::Rounded => {
            let whole: Vec<f32> = rounded(&floats(positions.inner()), taps)
                .into_iter()
                .map(|delay| delay as f32)
                .collect();
            Tensor::<1>::from_data(whole.as_slice(), &device).reshape([inputs, outputs])
        }
    };
    let bumps: Vec<Tensor<2>> = (0..taps)
        .map(|tap| {
            let u = -delays.clone() + tap as f32;
            match options.spread {
                Spread::Bump(Bump::Gaussian { sigma }) => {
                    (u.clone() * u * (-0.5 / (sigma * sigma))).exp()
                }
                Spread::Bump(Bump::Triangle { width }) => (-u.abs() + width).clamp_min(0.0),
                Spread::Rounded => u.equal_elem(0.0).float(),
            }
        })
        .collect();
    let norm = bumps
        .iter()
        .fold(Tensor::zeros([inputs, outputs], &device), |sum, bump| {
            sum + bump.clone()
        });
    let factor = match options.spread {
        Spread::Bump(_) => weight / (norm + 1e-7),
        Spread::Rounded => weight,
    };
    let before = Tensor::zeros([taps - 1, batch, inputs], &device);
    let after = Tensor::zeros([tail, batch, inputs], &device);
    let padded = Tensor::cat(vec![before, spikes, after], 0);
    let mut output = Tensor::zeros([(steps + tail) * batch, outputs], &device);
    for (tap, bump) in bumps.into_iter().enumerate() {
        let start = taps - 1 - tap;
        let shifted = padded.clone().slice([start..start + steps + tail]);
        let rows = shifted.reshape([(steps + tail) * batch, inputs]);
        output = output + rows.matmul(bump * factor.clone());
    }
    output.reshape([steps + tail, batch, outputs])
}

#[derive(Debug)]
struct Convolve(DelayConvolutionOptions);

#[derive(Clone, Debug)]
struct Saved {
    shape: DelayConvolution,
    spikes: Arc<SpikeLists>,
    weight: Array,
    positions: Array,
    kernel: Arc<Vec<f32>>,
}

impl Convolve {
    /// The kernel's shape under a bump.
    fn bumps(&self, shape: &DelayConvolution) -> Option<DelayKernel> {
        match self.0.spread {
            Spread::Bump(bump) => Some(DelayKernel {
                inputs: shape.inputs,
                outputs: shape.outputs,
                taps: shape.taps,
                bump,
            }),
            Spread::Rounded => None,
        }
    }

    fn kernel(&self, shape: &DelayConvolution, weight: &Array, positions: &Array) -> Vec<f32> {
        let mut kernel = vec![0.0; shape.kernel_len()];
        match self.bumps(shape) {
            Some(bumps) => {
                bumps.build(weight.values(), &delays(positions, shape.taps), &mut kernel);
            }
            None => {
                let delays = rounded(positions.values(), shape.taps);
                for (synapse, (delay, weight)) in delays.iter().zip(weight.values()).enumerate() {
                    let (input, output) = (synapse / shape.outputs, synapse % shape.outputs);
                    kernel[(input * shape.taps + delay) * shape.outputs + output] = *weight;
                }
            }
        }
        kernel
    }
}

fn delays(positions: &Array, taps: usize) -> Vec<f32> {
    let half = (taps / 2) as f32;
    positions.values().iter().map(|p| half - p).collect()
}

impl Operation<3> for Convolve {
    type Saved = Saved;

    fn forward(&self, [spikes, weight, positions]: [Array; 3]) -> (Array, Saved) {
        let shape = self.0.shape(spikes.shape(), weight.shape());
        let kernel = self.kernel(&shape, &weight, &positions);
        let lists = shape.list(spikes.values());
        let mut output = Array::zeros([shape.output_steps(), shape.batch, shape.outputs]);
        shape.forward(&lists, &kernel, output.values_mut());
        let saved = Saved {
            shape,
            spikes: Arc::new(lists),
            weight,
            positions,
            kernel: Arc::new(kernel),
        };
        (output, saved)
    }

    fn backward(&self, saved: Saved, gradient: Array, wanted: [bool; 3]) -> [Option<Array>; 3] {
        let Saved {
            shape,
            spikes,
            weight,
            positions,
            kernel,
        } = saved;
        let of_spikes = wanted[0].then(|| {
            let mut result = Array::zeros([shape.steps, shape.batch, shape.inputs]);
            shape.input_gradient(&kernel, gradient.values(), result.values_mut());
            result
        });
        if !(wanted[1] || wanted[2]) {
            return [of_spikes, None, None];
        }
        let mut of_kernel = vec![0.0; shape.kernel_len()];
        shape.kernel_gradient(&spikes, gradient.values(), &mut of_kernel);
        let mut of_weight = Array::zeros(weight.shape());
        let mut of_positions = Array::zeros(weight.shape());
        match self.bumps(&shape) {
            Some(bumps) => {
                let gradient = DelayKernelGradient {
                    of_weights: of_weight.values_mut(),
                    of_delays: of_positions.values_mut(),
                };
                let delays = delays(&positions, shape.taps);
                bumps.backward(weight.values(), &delays, &of_kernel, gradient);
                // The delay falls as the position grows.
                for value in of_positions.values_mut() {
                    *value = -*value;
                }
            }
            None => {
                let delays = rounded(positions.values(), shape.taps);
                for (synapse, (delay, of_weight)) in
                    delays.iter().zip(of_weight.values_mut()).enumerate()
                {
                    let (input, output) = (synapse / shape.outputs, synapse % shape.outputs);
                    *of_weight = of_kernel[(input * shape.taps + delay) * shape.outputs + output];
                }
            }
        }
        [
            of_spikes,
            wanted[1].then_some(of_weight),
            wanted[2].then_some(of_positions),
        ]
    }
}
