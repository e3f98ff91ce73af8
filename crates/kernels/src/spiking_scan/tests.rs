use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;

use super::*;

const SURROGATES: [Surrogate; 8] = [
    Surrogate::Atan { alpha: 5.0 },
    Surrogate::FastSigmoid { slope: 10.0 },
    Surrogate::SuperSpike { alpha: 100.0 },
    Surrogate::Sigmoid { alpha: 4.0 },
    Surrogate::PiecewiseQuadratic { alpha: 1.0 },
    Surrogate::Triangle { alpha: 0.3 },
    Surrogate::SoftSign { alpha: 2.0 },
    Surrogate::Boxcar { half_width: 0.5 },
];

fn neuron(reset: Reset, detach_reset: bool, surrogate: Surrogate) -> LifScan {
    LifScan {
        decay: 0.9,
        gain: 0.7,
        drive: 0.05,
        initial_membrane: 0.2,
        threshold: 1.0,
        tie: ThresholdTie::Silent,
        reset,
        detach_reset,
        surrogate,
    }
}

fn noise(count: usize, seed: u64) -> Vec<f32> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    (0..count).map(|_| rng.random_range(-1.0..2.0)).collect()
}

/// One neuron by the textbook, one input at a time, carrying the derivative of everything with
/// respect to the input at `probe` (forward-mode: shares no formula with the backward scan).
fn tangent(scan: &LifScan, input: &[f32], probe: usize) -> Vec<(f64, f64)> {
    let (decay, theta) = (f64::from(scan.decay), f64::from(scan.threshold));
    let mut membrane = (f64::from(scan.initial_membrane), 0.0f64);
    let mut late = (0.0f64, 0.0f64);
    let mut spikes = Vec::new();
    for (step, &x) in input.iter().enumerate() {
        let mut h = (
            decay * membrane.0 + f64::from(scan.gain) * f64::from(x) + f64::from(scan.drive)
                - late.0,
            decay * membrane.1 - late.1,
        );
        if step == probe {
            h.1 += f64::from(scan.gain);
        }
        let fired = f64::from(u8::from(h.0 > theta));
        let of_spike = f64::from(scan.surrogate.derivative((h.0 - theta) as f32)) * h.1;
        spikes.push((fired, of_spike));
        let for_reset = if scan.detach_reset { 0.0 } else { of_spike };
        late = (0.0, 0.0);
        membrane = match scan.reset {
            Reset::None => h,
            Reset::Subtract => (h.0 - theta * fired, h.1 - theta * for_reset),
            Reset::SubtractUndecayed => {
                late = (theta * fired, theta * for_reset);
                h
            }
            Reset::To(v) => {
                let v = f64::from(v);
                (
                    h.0 * (1.0 - fired) + v * fired,
                    h.1 * (1.0 - fired) + (v - h.0) * for_reset,
                )
            }
        };
    }
    spikes
}

#[test]
fn forward_and_backward_agree_with_forward_mode_differentiation() {
    let (steps, lanes) = (9, 5);
    for surrogate in SURROGATES {
        for reset in [
            Reset::None,
            Reset::Subtract,
            Reset::SubtractUndecayed,
            Reset::To(0.1),
        ] {
            for detach_reset in [false, true] {
                let scan = neuron(reset, detach_reset, surrogate);
                let input = noise(steps * lanes, 3);
                let weights = noise(steps * lanes, 4);
                let mut membrane = input.clone();
                let mut spikes = vec![0.0; steps * lanes];
                scan.forward(steps, lanes, &mut membrane, &mut spikes);
                assert!(spikes.contains(&1.0) && spikes.contains(&0.0));
                let mut gradient = weights.clone();
                scan.backward(steps, lanes, &membrane, &mut gradient);
                for lane in 0..lanes {
                    let own: Vec<f32> = (0..steps).map(|t| input[t * lanes + lane]).collect();
                    for probe in 0..steps {
                        let reference = tangent(&scan, &own, probe);
                        let mut expected = 0.0;
                        for (t, (spike, slope)) in reference.iter().enumerate() {
                            assert_eq!(f64::from(spikes[t * lanes + lane]), *spike);
                            expected += f64::from(weights[t * lanes + lane]) * slope;
                        }
                        let found = f64::from(gradient[probe * lanes + lane]);
                        assert!(
                            (found - expected).abs() < 1e-4 * (1.0 + expected.abs()),
                            "{surrogate:?} {reset:?} {detach_reset}: {found} for {expected}"
                        );
                    }
                }
            }
        }
    }
}

#[test]
fn surrogates_have_their_published_values() {
    // At 0 and at x = 0.1, by hand.
    let expected = [
        (2.5, 2.5 / (1.0 + (0.25 * std::f64::consts::PI).powi(2))),
        (1.0, 0.25),
        (1.0, 1.0 / 121.0),
        (1.0, 4.0 * 0.598_687_66 * 0.401_312_34),
        (1.0, 0.9),
        (0.3, 0.27),
        (1.0, 1.0 / (4.0 * 0.36)),
        (1.0, 1.0),
    ];
    for (surrogate, (at_zero, at_tenth)) in SURROGATES.iter().zip(expected) {
        for (x, value) in [(0.0, at_zero), (0.1, at_tenth), (-0.1, at_tenth)] {
            let found = f64::from(surrogate.derivative(x));
            assert!(
                (found - value).abs() < 1e-5,
                "{surrogate:?} at {x}: {found}, not {value}"
            );
        }
    }
}

#[test]
fn the_tie_rule_decides_at_the_threshold() {
    for (tie, spike) in [(ThresholdTie::Fires, 1.0), (ThresholdTie::Silent, 0.0)] {
        let scan = LifScan {
            decay: 0.5,
            gain: 1.0,
            drive: 0.0,
            initial_membrane: 0.0,
            tie,
            ..neuron(Reset::To(0.0), true, Surrogate::Atan { alpha: 2.0 })
        };
        let (mut membrane, mut spikes) = (vec![1.0], vec![9.0]);
        scan.forward(1, 1, &mut membrane, &mut spikes);
        assert_eq!(spikes, [spike]);
    }
}

#[test]
fn threads_and_lane_ranges_change_nothing() {
    let (steps, lanes) = (17, 5003);
    let scan = neuron(Reset::Subtract, false, Surrogate::Atan { alpha: 2.0 });
    let input = noise(steps * lanes, 5);
    let mut membrane = input.clone();
    let mut spikes = vec![0.0; steps * lanes];
    scan.forward(steps, lanes, &mut membrane, &mut spikes);
    let mut gradient = input.clone();
    scan.backward(steps, lanes, &membrane, &mut gradient);
    for lane in [0, 1, 15, 16, 1023, 1024, 2501, 5002] {
        let column = |values: &[f32]| {
            (0..steps)
                .map(|t| values[t * lanes + lane])
                .collect::<Vec<_>>()
        };
        let mut own_membrane = column(&input);
        let mut own_spikes = vec![0.0; steps];
        scan.forward(steps, 1, &mut own_membrane, &mut own_spikes);
        let mut own_gradient = column(&input);
        scan.backward(steps, 1, &own_membrane, &mut own_gradient);
        assert_eq!(own_spikes, column(&spikes));
        assert_eq!(own_membrane, column(&membrane));
        assert_eq!(own_gradient, column(&gradient));
    }
}

#[test]
fn the_leaky_integrator_is_an_exponential_filter() {
    let (steps, lanes) = (30, 3);
    let filter = LeakyIntegrator {
        decay: 0.8,
        gain: 0.5,
    };
    let input = noise(steps * lanes, 6);
    let mut integrated = input.clone();
    filter.forward(steps, lanes, &mut integrated);
    let weights = noise(steps * lanes, 7);
    let mut gradient = weights.clone();
    filter.backward(steps, lanes, &mut gradient);
    for lane in 0..lanes {
        for t in 0..steps {
            let value: f64 = (0..=t)
                .map(|u| 0.5 * 0.8f64.powi((t - u) as i32) * f64::from(input[u * lanes + lane]))
                .sum();
            assert!((f64::from(integrated[t * lanes + lane]) - value).abs() < 1e-5);
            let slope: f64 = (t..steps)
                .map(|u| 0.5 * 0.8f64.powi((u - t) as i32) * f64::from(weights[u * lanes + lane]))
                .sum();
            assert!((f64::from(gradient[t * lanes + lane]) - slope).abs() < 1e-5);
        }
    }
}
