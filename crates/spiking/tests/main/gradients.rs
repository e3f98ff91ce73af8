//! Every operation of ours against its body of ordinary differentiable operations.

use burn::tensor::{Device, Tensor, TensorData};
use chiasm_core::Seed;
use chiasm_kernels::batch_norm::statistics;
use chiasm_kernels::delay_kernel::Bump;
use chiasm_nn::operation::floats;
use chiasm_spiking::{
    DelayConvolutionOptions, LeakyIntegrator, LifScan, Reset, Spread, Surrogate, ThresholdTie,
    batch_norm, batch_norm_ordinary, delay_convolution, delay_convolution_ordinary, fire,
    fire_ordinary, integrate, integrate_ordinary, spike_linear, spike_linear_ordinary,
};
use rand::RngExt;

fn tracked<const D: usize>(values: Vec<f32>, shape: [usize; D]) -> Tensor<D> {
    Tensor::from_data(TensorData::new(values, shape), &Device::flex().autodiff()).require_grad()
}

fn random<const D: usize>(seed: &str, shape: [usize; D], low: f32, high: f32) -> Tensor<D> {
    let mut rng = Seed::new(5).named(seed).rng();
    let count: usize = shape.iter().product();
    tracked(
        (0..count).map(|_| rng.random_range(low..high)).collect(),
        shape,
    )
}

fn spikes(seed: &str, shape: [usize; 3], share: f64) -> Tensor<3> {
    let mut rng = Seed::new(5).named(seed).rng();
    let count: usize = shape.iter().product();
    let values = (0..count).map(|_| f32::from(u8::from(rng.random_bool(share))));
    tracked(values.collect(), shape)
}

fn distance<const D: usize>(a: Tensor<D>, b: Tensor<D>) -> f32 {
    assert_eq!(a.dims(), b.dims());
    let (a, b) = (floats(a.inner()), floats(b.inner()));
    let scale = b.iter().fold(1e-6f32, |m, v| m.max(v.abs()));
    let off = a.iter().zip(&b).map(|(a, b)| (a - b).abs());
    off.fold(0.0, f32::max) / scale
}

/// Outputs and gradients at every input agree under a loss that weighs each element differently.
macro_rules! same {
    ($ours:expr, $ordinary:expr, $($input:ident),+; $tolerance:expr) => {{
        let (ours, ordinary) = ($ours, $ordinary);
        assert!(distance(ours.clone(), ordinary.clone()) < $tolerance, "outputs differ");
        let weights = random("loss", ours.dims(), -1.0, 1.0).detach();
        let ours = (ours * weights.clone()).sum().backward();
        let ordinary = (ordinary * weights).sum().backward();
        $(
            let (a, b) = ($input.grad(&ours).unwrap(), $input.grad(&ordinary).unwrap());
            let scale = floats(b.clone()).iter().fold(0.0f32, |m, v| m.max(v.abs()));
            assert!(scale > 0.0, "nothing flows to {}", stringify!($input));
            let off = floats((a - b).abs().max())[0] / scale;
            assert!(off < $tolerance, "gradient at {} differs by {off:e}", stringify!($input));
        )+
    }};
}

#[test]
fn firing_matches_its_ordinary_body() {
    let surrogates = [
        Surrogate::Atan { alpha: 5.0 },
        Surrogate::FastSigmoid { slope: 25.0 },
        Surrogate::SuperSpike { alpha: 100.0 },
        Surrogate::Sigmoid { alpha: 4.0 },
        Surrogate::PiecewiseQuadratic { alpha: 1.0 },
        Surrogate::Triangle { alpha: 0.3 },
        Surrogate::SoftSign { alpha: 2.0 },
        Surrogate::Boxcar { half_width: 0.5 },
    ];
    let resets = [
        Reset::None,
        Reset::Subtract,
        Reset::SubtractUndecayed,
        Reset::To(0.2),
    ];
    for surrogate in surrogates {
        for reset in resets {
            for detach_reset in [true, false] {
                let membrane = LifScan {
                    decay: 0.85,
                    gain: 0.9,
                    drive: 0.02,
                    initial_membrane: 0.1,
                    threshold: 0.8,
                    tie: ThresholdTie::Fires,
                    reset,
                    detach_reset,
                    surrogate,
                };
                let x = random("x", [11, 2, 5], -0.5, 1.2);
                same!(fire(x.clone(), membrane), fire_ordinary(x.clone(), membrane), x; 2e-5);
            }
        }
    }
}

#[test]
fn integrating_matches_its_ordinary_body() {
    let filter = LeakyIntegrator {
        decay: 0.7,
        gain: 1.3,
    };
    let x = random("x", [9, 3, 4], -1.0, 1.0);
    same!(integrate(x.clone(), filter), integrate_ordinary(x.clone(), filter), x; 1e-6);
}

#[test]
fn sparse_and_dense_products_match_their_ordinary_body() {
    for share in [0.05, 0.6] {
        let x = spikes("x", [7, 3, 40], share);
        let w = random("w", [40, 21], -1.0, 1.0);
        same!(
            spike_linear(x.clone(), w.clone()),
            spike_linear_ordinary(x.clone(), w.clone()),
            x, w; 1e-5
        );
    }
}

#[test]
fn normalisation_matches_its_ordinary_body() {
    let x = random("x", [6, 5, 7], -1.0, 2.0);
    let (scale, shift) = (random("s", [7], 0.5, 1.5), random("b", [7], -1.0, 1.0));
    let own = statistics(&floats(x.clone().inner()), 7);
    same!(
        batch_norm(x.clone(), scale.clone(), shift.clone(), own),
        batch_norm_ordinary(x.clone(), scale.clone(), shift.clone()),
        x, scale, shift; 1e-5
    );
}

#[test]
fn delay_convolution_matches_its_ordinary_body() {
    let bumps = [
        Bump::Gaussian { sigma: 0.5 },
        Bump::Gaussian { sigma: 4.0 },
        Bump::Triangle { width: 1.0 },
        Bump::Triangle { width: 3.0 },
    ];
    for bump in bumps {
        let x = spikes("x", [13, 2, 6], 0.2);
        let w = random("w", [6, 5], -1.0, 1.0);
        let p = random("p", [6, 5], -4.0, 4.0);
        let options = DelayConvolutionOptions {
            taps: 9,
            spread: Spread::Bump(bump),
        };
        same!(
            delay_convolution(x.clone(), w.clone(), p.clone(), options),
            delay_convolution_ordinary(x.clone(), w.clone(), p.clone(), options),
            x, w, p; 2e-5
        );
    }
    let x = spikes("x", [13, 2, 6], 0.2);
    let w = random("w", [6, 5], -1.0, 1.0);
    let p = random("p", [6, 5], -4.0, 4.0);
    let options = DelayConvolutionOptions {
        taps: 9,
        spread: Spread::Rounded,
    };
    same!(
        delay_convolution(x.clone(), w.clone(), p.clone(), options),
        delay_convolution_ordinary(x.clone(), w.clone(), p.clone(), options),
        x, w; 1e-5
    );
}

#[test]
fn a_position_of_plus_half_is_no_delay_and_the_signal_outlasts_its_input() {
    let mut values = vec![0.0; 5];
    values[4] = 1.0;
    let device = Device::flex();
    let x = Tensor::from_data(TensorData::new(values, [5, 1, 1]), &device);
    for (position, arrives) in [(2.0f32, 4), (0.0, 6), (1.4, 5)] {
        let one = |value: f32| Tensor::<2>::full([1, 1], value, &device);
        let options = DelayConvolutionOptions {
            taps: 5,
            spread: Spread::Rounded,
        };
        let y = delay_convolution(x.clone(), one(2.0), one(position), options);
        let y = floats(y);
        assert_eq!(y.len(), 7);
        assert_eq!(y.iter().position(|&value| value == 2.0), Some(arrives));
    }
}
