//! Normalisation of each channel over time and batch together.

use burn::module::{Module, Param, RunningState};
use burn::tensor::{Device, Tensor};
use chiasm_kernels::batch_norm::{self as kernel, ChannelStatistics};
use chiasm_nn::initial::constant;
use chiasm_nn::operation::{Array, Operation, apply, floats, on_kernels};

/// Added to variances.
const EPSILON: f32 = 1e-5;
/// What a batch contributes to the running statistics in training.
pub(crate) const MOMENTUM: f32 = 0.1;

/// `scale (x - mean) / √(variance + 1e-5) + shift` per channel, with mean and variance over time and batch
/// in training and their running averages (rate 0.1, variance unbiased) otherwise.
#[derive(Module, Debug)]
pub struct BatchNorm {
    /// The factors, (channels).
    pub scale: Param<Tensor<1>>,
    /// What is added, (channels).
    pub shift: Param<Tensor<1>>,
    /// Running means, (channels).
    pub running_mean: RunningState<Tensor<1>>,
    /// Running variances, (channels).
    pub running_variance: RunningState<Tensor<1>>,
}

impl BatchNorm {
    /// Factors of 1 and shifts of 0.
    pub fn new(channels: usize, device: &Device) -> Self {
        let plain = device.clone().without_autodiff();
        BatchNorm {
            scale: constant(1.0, [channels], device),
            shift: constant(0.0, [channels], device),
            running_mean: RunningState::new(Tensor::zeros([channels], &plain)),
            running_variance: RunningState::new(Tensor::ones([channels], &plain)),
        }
    }

    /// Normalises (steps, batch, channels) by its own statistics, which enter the running ones with
    /// the weight `momentum`.
    pub fn train_on(&self, input: Tensor<3>, momentum: f32) -> Tensor<3> {
        let [steps, batch, channels] = input.dims();
        let rows = (steps * batch) as f32;
        let (mean, variance, output) = if on_kernels(&input) {
            let values = Array::from_tensor(input.clone().inner());
            let statistics = kernel::statistics(values.values(), channels.max(1));
            drop(values);
            let mean = Array::new(statistics.mean.clone(), [channels]).into_tensor();
            let variance = Array::new(statistics.variance.clone(), [channels]).into_tensor();
            let output = batch_norm(input, self.scale.val(), self.shift.val(), statistics);
            (mean, variance, output)
        } else {
            let (mean, variance) = moments(input.clone().inner());
            let output = batch_norm_ordinary(input, self.scale.val(), self.shift.val());
            (mean, variance, output)
        };
        let unbiased = variance * (rows / (rows - 1.0).max(1.0));
        for (running, now) in [
            (&self.running_mean, mean),
            (&self.running_variance, unbiased),
        ] {
            let before = running.value_sync();
            let now = now.to_device(&before.device());
            running.update(before * (1.0 - momentum) + now * momentum);
            // Folded in at once: a copy or a checkpoint made now must not miss it.
            running.value_sync();
        }
        output
    }

    /// Normalises (steps, batch, channels) by the running statistics.
    pub fn evaluate(&self, input: Tensor<3>) -> Tensor<3> {
        let (scale, shift) = self.folded();
        let channels = scale.len();
        if on_kernels(&input) {
            let values = Array::from_tensor(input.clone().inner());
            let mut output = Array::zeros(values.shape());
            kernel::scale_and_shift(values.values(), &scale, &shift, output.values_mut());
            return output.into_tensor();
        }
        let device = input.device();
        let row = |values: Vec<f32>| {
            Tensor::<1>::from_data(values.as_slice(), &device).reshape([1, 1, channels])
        };
        input * row(scale) + row(shift)
    }

    /// The factors and shifts that evaluation amounts to.
    pub fn folded(&self) -> (Vec<f32>, Vec<f32>) {
        let mean = floats(self.running_mean.value_sync());
        let variance = floats(self.running_variance.value_sync());
        let scale: Vec<f32> = floats(self.scale.val().inner())
            .iter()
            .zip(&variance)
            .map(|(scale, variance)| scale / (variance + EPSILON).sqrt())
            .collect();
        let shift = floats(self.shift.val().inner())
            .iter()
            .zip(&mean)
            .zip(&scale)
            .map(|((shift, mean), scale)| shift - mean * scale)
            .collect();
        (scale, shift)
    }
}

/// [`BatchNorm::train_on`] without the running statistics; `statistics` are those of `input`.
pub fn batch_norm(
    input: Tensor<3>,
    scale: Tensor<1>,
    shift: Tensor<1>,
    statistics: ChannelStatistics,
) -> Tensor<3> {
    let inputs = [
        input.into_dispatch(),
        scale.into_dispatch(),
        shift.into_dispatch(),
    ];
    apply(Normalise(statistics), inputs)
}

/// [`batch_norm`] by ordinary tensor operations.
pub fn batch_norm_ordinary(input: Tensor<3>, scale: Tensor<1>, shift: Tensor<1>) -> Tensor<3> {
    let [steps, batch, channels] = input.dims();
    let rows = input.reshape([steps * batch, channels]);
    let centred = rows.clone() - rows.mean_dim(0);
    let variance = (centred.clone() * centred.clone()).mean_dim(0);
    let normal = centred / (variance + EPSILON).sqrt();
    let output = normal * scale.reshape([1, channels]) + shift.reshape([1, channels]);
    output.reshape([steps, batch, channels])
}

fn moments(input: Tensor<3>) -> (Tensor<1>, Tensor<1>) {
    let [steps, batch, channels] = input.dims();
    let rows = input.reshape([steps * batch, channels]);
    let mean = rows.clone().mean_dim(0);
    let centred = rows - mean.clone();
    let variance = (centred.clone() * centred).mean_dim(0);
    (mean.reshape([channels]), variance.reshape([channels]))
}

#[derive(Debug)]
struct Normalise(ChannelStatistics);

impl Operation<3> for Normalise {
    /// The input and the factors.
    type Saved = (Array, Array);

    fn forward(&self, [input, scale, shift]: [Array; 3]) -> (Array, Self::Saved) {
        let statistics = &self.0;
        let factors: Vec<f32> = scale
            .values()
            .iter()
            .zip(&statistics.variance)
            .map(|(scale, variance)| scale / (variance + EPSILON).sqrt())
            .collect();
        let shifts: Vec<f32> = shift
            .values()
            .iter()
            .zip(&statistics.mean)
            .zip(&factors)
            .map(|((shift, mean), factor)| shift - mean * factor)
            .collect();
        let mut output = Array::zeros(input.shape());
        kernel::scale_and_shift(input.values(), &factors, &shifts, output.values_mut());
        (output, (input, scale))
    }

    fn backward(
        &self,
        (input, scale): Self::Saved,
        mut gradient: Array,
        _: [bool; 3],
    ) -> [Option<Array>; 3] {
        let affine = kernel::backward(
            input.values(),
            &self.0,
            EPSILON,
            scale.values(),
            gradient.values_mut(),
        );
        let channels = scale.values().len();
        [
            Some(gradient),
            Some(Array::new(affine.of_scale, [channels])),
            Some(Array::new(affine.of_shift, [channels])),
        ]
    }
}
