//! Neurons against the libraries they are named after; `tests/fixtures/make_neurons.py` made the values.

use burn::tensor::{Device, Tensor, TensorData};
use chiasm_nn::operation::floats;
use chiasm_spiking::{Neuron, Reset, Surrogate};
use serde::Deserialize;

#[derive(Deserialize)]
struct Fixture {
    steps: usize,
    batch: usize,
    neurons: usize,
    inputs: Vec<f32>,
    weights: Vec<f32>,
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    name: String,
    spikes: Vec<f32>,
    gradient: Vec<f32>,
}

fn neuron(name: &str) -> Neuron {
    let atan = Surrogate::Atan { alpha: 2.0 };
    let words: Vec<&str> = name.split(' ').collect();
    match words[..] {
        ["spikingjelly", "sigmoid"] => {
            let sigmoid = Surrogate::Sigmoid { alpha: 4.0 };
            Neuron::spiking_jelly(2.5, false, 1.0, Some(0.0), sigmoid, true)
        }
        ["spikingjelly", decay_input, reset, detach] => {
            let (decay_input, detach) = (decay_input == "True", detach == "True");
            Neuron::spiking_jelly(2.5, decay_input, 1.0, reset.parse().ok(), atan, detach)
        }
        ["snntorch", "atan"] => Neuron::snntorch(0.8, 1.0, Reset::SubtractUndecayed, atan),
        ["snntorch", reset] => {
            let reset = match reset {
                "subtract" => Reset::SubtractUndecayed,
                "zero" => Reset::To(0.0),
                _ => Reset::None,
            };
            Neuron::snntorch(0.8, 1.0, reset, Surrogate::FastSigmoid { slope: 25.0 })
        }
        _ => panic!("unknown case {name}"),
    }
    .unwrap()
}

#[test]
fn spikes_and_gradients_are_those_of_the_libraries() {
    let fixture: Fixture = serde_json::from_str(include_str!("../fixtures/neurons.json")).unwrap();
    let shape = [fixture.steps, fixture.batch, fixture.neurons];
    let device = Device::flex().autodiff();
    assert!(fixture.cases.len() >= 17);
    for case in fixture.cases {
        let x = Tensor::<3>::from_data(TensorData::new(fixture.inputs.clone(), shape), &device);
        let x = x.require_grad();
        let spikes = neuron(&case.name).forward(x.clone());
        assert_eq!(floats(spikes.clone().inner()), case.spikes, "{}", case.name);
        let weights = Tensor::from_data(TensorData::new(fixture.weights.clone(), shape), &device);
        let gradients = (spikes * weights).sum().backward();
        let found = floats(x.grad(&gradients).unwrap());
        for (found, expected) in found.iter().zip(&case.gradient) {
            let tolerance = 1e-5 * (1.0 + expected.abs());
            assert!(
                (found - expected).abs() < tolerance,
                "{}: {found} for {expected}",
                case.name
            );
        }
    }
}

fn run(neuron: &Neuron, inputs: Vec<f32>) -> Vec<f32> {
    let shape = [inputs.len(), 1, 1];
    let x = Tensor::<3>::from_data(TensorData::new(inputs, shape), &Device::flex());
    floats(neuron.forward(x))
}

#[test]
fn norse_fires_when_its_two_filters_say() {
    // By hand, step by step: i decays after v has seen it.
    let atan = Surrogate::Atan { alpha: 2.0 };
    let neuron = Neuron::norse(1e-3, 200.0, 100.0, 0.0, 1.0, 0.0, atan).unwrap();
    let inputs: Vec<f32> = (0..60).map(|t| if t % 7 < 3 { 1.5 } else { 0.0 }).collect();
    let (mut current, mut membrane) = (0.0f64, 0.0f64);
    let expected: Vec<f32> = inputs
        .iter()
        .map(|&input| {
            let jumped = current + f64::from(input);
            membrane += 1e-3 * 100.0 * (0.0 - membrane + jumped);
            current = jumped * (1.0 - 1e-3 * 200.0);
            let fires = membrane > 1.0;
            if fires {
                membrane = 0.0;
            }
            f32::from(u8::from(fires))
        })
        .collect();
    assert!(expected.iter().sum::<f32>() > 2.0);
    assert_eq!(run(&neuron, inputs), expected);
}

#[test]
fn a_constant_current_fires_at_the_closed_form_interval() {
    // τ v' = -v + R I from 0 reaches θ after τ ln(R I / (R I - θ)).
    let atan = Surrogate::Atan { alpha: 2.0 };
    let (step, time_constant, drive) = (1e-4f32, 0.02f32, 1.5f32);
    let neuron = Neuron::nir(step, time_constant, 1.0, 0.0, 1.0, 0.0, None, atan).unwrap();
    let spikes = run(&neuron, vec![drive; 3000]);
    let times: Vec<usize> = (0..3000).filter(|&t| spikes[t] > 0.0).collect();
    let interval = f64::from(time_constant) * (1.5f64 / 0.5).ln() / f64::from(step);
    for pair in times.windows(2) {
        assert!(
            (pair[1] - pair[0]) as f64 - interval <= 1.0
                && (pair[1] - pair[0]) as f64 >= interval - 1.0
        );
    }
    assert!(times.len() > 10);
    // A synapse of its own delays the first spike.
    let synapse = Some((0.01, 1.0));
    let slow = Neuron::nir(step, time_constant, 1.0, 0.0, 1.0, 0.0, synapse, atan).unwrap();
    let slow = run(&slow, vec![drive; 3000]);
    assert!(slow.iter().position(|&s| s > 0.0) > Some(times[0] + 20));
}

#[test]
fn time_constants_without_meaning_are_refused() {
    let atan = Surrogate::Atan { alpha: 2.0 };
    assert!(Neuron::spiking_jelly(0.5, true, 1.0, None, atan, true).is_err());
    assert!(Neuron::snntorch(1.5, 1.0, Reset::None, atan).is_err());
    assert!(Neuron::norse(0.1, 200.0, 100.0, 0.0, 1.0, 0.0, atan).is_err());
    assert!(Neuron::nir(1e-3, -1.0, 1.0, 0.0, 1.0, 0.0, None, atan).is_err());
}
