use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;

use super::*;

const SHAPES: [DelayConvolution; 5] = [
    DelayConvolution {
        steps: 11,
        batch: 3,
        inputs: 4,
        outputs: 5,
        taps: 7,
        tail: 3,
    },
    DelayConvolution {
        steps: 12,
        batch: 2,
        inputs: 3,
        outputs: 40,
        taps: 6,
        tail: 2,
    },
    DelayConvolution {
        steps: 5,
        batch: 1,
        inputs: 2,
        outputs: 33,
        taps: 9,
        tail: 8,
    },
    DelayConvolution {
        steps: 9,
        batch: 2,
        inputs: 1,
        outputs: 1,
        taps: 1,
        tail: 0,
    },
    DelayConvolution {
        steps: 3,
        batch: 4,
        inputs: 2,
        outputs: 64,
        taps: 25,
        tail: 12,
    },
];

fn random(count: usize, density: f64, seed: u64) -> Vec<f32> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    (0..count)
        .map(|_| {
            if rng.random_bool(density) {
                rng.random_range(-1.0..1.0)
            } else {
                0.0
            }
        })
        .collect()
}

/// Visits every term of the sum: (index in x, index in K, index in y).
fn terms(shape: &DelayConvolution, mut visit: impl FnMut(usize, usize, usize)) {
    for t in 0..shape.output_steps() {
        for d in 0..shape.taps.min(t + 1) {
            if t - d >= shape.steps {
                continue;
            }
            for b in 0..shape.batch {
                for i in 0..shape.inputs {
                    for o in 0..shape.outputs {
                        visit(
                            ((t - d) * shape.batch + b) * shape.inputs + i,
                            (i * shape.taps + d) * shape.outputs + o,
                            (t * shape.batch + b) * shape.outputs + o,
                        );
                    }
                }
            }
        }
    }
}

fn assert_close(found: &[f32], expected: &[f64], what: &str) {
    for (index, (found, expected)) in found.iter().zip(expected).enumerate() {
        let error = (f64::from(*found) - expected).abs();
        assert!(error < 2e-5, "{what}: {found} for {expected} at {index}");
    }
}

#[test]
fn every_route_agrees_with_the_definition() {
    for shape in SHAPES {
        for density in [0.2, 1.0] {
            let input = random(shape.input_len(), density, 1);
            let kernel = random(shape.kernel_len(), 1.0, 2);
            let of_output = random(shape.output_len(), 1.0, 3);
            let mut output = vec![0.0; shape.output_len()];
            let mut of_input = vec![0.0; shape.input_len()];
            let mut of_kernel = vec![0.0; shape.kernel_len()];
            terms(&shape, |x, k, y| {
                output[y] += f64::from(input[x]) * f64::from(kernel[k]);
                of_input[x] += f64::from(of_output[y]) * f64::from(kernel[k]);
                of_kernel[k] += f64::from(of_output[y]) * f64::from(input[x]);
            });
            let spikes = shape.list(&input);
            assert_eq!(spikes.count(), input.iter().filter(|&&x| x != 0.0).count());
            for route in [Route::Spikes, Route::Direct, Route::Spectral] {
                let what = format!("{shape:?} by {route:?}");
                let mut found = vec![9.0; shape.output_len()];
                shape.forward_by(route, &spikes, &kernel, &mut found);
                assert_close(&found, &output, &what);
                let mut found = vec![9.0; shape.kernel_len()];
                shape.kernel_gradient_by(route, &spikes, &of_output, &mut found);
                assert_close(&found, &of_kernel, &what);
                let mut found = vec![9.0; shape.input_len()];
                shape.input_gradient_by(route, &kernel, &of_output, &mut found);
                assert_close(&found, &of_input, &what);
            }
        }
    }
}

#[test]
fn one_spike_arrives_after_its_delay() {
    let shape = DelayConvolution {
        steps: 10,
        batch: 1,
        inputs: 1,
        outputs: 1,
        taps: 5,
        tail: 2,
    };
    let mut input = vec![0.0; 10];
    input[9] = 1.0;
    let mut kernel = vec![0.0; 5];
    kernel[2] = 0.5;
    let mut output = vec![9.0; 12];
    shape.forward(&shape.list(&input), &kernel, &mut output);
    assert_eq!(output.iter().position(|&y| y == 0.5), Some(11));
    assert_eq!(output.iter().filter(|&&y| y != 0.0).count(), 1);
}

#[test]
fn the_route_follows_the_density() {
    let shape = DelayConvolution {
        steps: 100,
        batch: 32,
        inputs: 128,
        outputs: 128,
        taps: 25,
        tail: 12,
    };
    let route = |density| shape.route(Some(&shape.list(&random(shape.input_len(), density, 4))));
    assert_eq!(route(0.01), Route::Spikes);
    assert_eq!(route(1.0), Route::Spectral);
    assert_eq!(shape.route(None), Route::Spectral);
    let small = DelayConvolution {
        taps: 1,
        tail: 0,
        ..shape
    };
    assert_eq!(small.route(None), Route::Direct);
}
