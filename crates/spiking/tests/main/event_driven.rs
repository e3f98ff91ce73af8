//! The deployed form of a network computes what the trained form computed.

use burn::module::Module;
use burn::tensor::Device;
use chiasm_core::Seed;
use chiasm_nn::operation::floats;
use chiasm_spiking::{
    DelayNetwork, DelayNetworkConfig, Delays, EventDriven, Mode, Readout, Sample, SpikeData,
};
use rand::RngExt;

fn samples(count: usize) -> SpikeData {
    let samples = (0..count)
        .map(|index| {
            let mut rng = Seed::new(3).indexed(index as u64).rng();
            let steps = rng.random_range(10..40);
            let spikes = (0..60)
                .map(|_| (rng.random_range(0..steps as u32), rng.random_range(0..12)))
                .collect();
            Sample {
                steps,
                spikes,
                label: index % 4,
                group: 0,
            }
        })
        .collect();
    SpikeData::new(samples, 12, 4).unwrap()
}

/// A network whose normalisation has seen data, so that its running statistics are its own.
fn network(config: DelayNetworkConfig, data: &SpikeData) -> DelayNetwork {
    let device = Device::flex().autodiff();
    let network = config.init(Seed::new(1), &device).unwrap();
    let all: Vec<usize> = (0..data.len()).collect();
    for repeat in 0..5 {
        let (counts, _) = data.batch(&all, &device);
        network.forward(counts, Mode::Training(Seed::new(9).indexed(repeat)));
    }
    network
}

fn config() -> DelayNetworkConfig {
    DelayNetworkConfig {
        inputs: 12,
        hidden: vec![16, 10],
        classes: 4,
        taps: 7,
        membrane_time_constant: 2.0,
        ..DelayNetworkConfig::default()
    }
}

#[test]
fn spike_by_spike_and_dense_give_the_same_scores() {
    let data = samples(24);
    let variants = [
        config(),
        DelayNetworkConfig {
            delays: Delays::None,
            readout: Readout::Maximum,
            ..config()
        },
        DelayNetworkConfig {
            readout_delays: false,
            synapses_per_neuron: 5,
            readout: Readout::Mean,
            ..config()
        },
        DelayNetworkConfig {
            batch_norm: false,
            readout: Readout::Last,
            ..config()
        },
    ];
    for config in variants {
        let network = network(config.clone(), &data);
        let deployed = EventDriven::new(&network).unwrap();
        let mut fired = 0;
        for index in 0..data.len() {
            let (counts, _) = data.batch(&[index], &Device::flex());
            let dense = floats(network.valid().forward(counts, Mode::Evaluation));
            let outcome = deployed.run(&data.samples()[index]).unwrap();
            fired += outcome.spikes.iter().sum::<usize>();
            for (found, expected) in outcome.scores.iter().zip(&dense) {
                let tolerance = 1e-4 * (1.0 + expected.abs());
                assert!(
                    (found - expected).abs() < tolerance,
                    "{config:?}: {found} for {expected}"
                );
            }
        }
        assert!(fired > 100, "{config:?} is silent");
    }
}

#[test]
fn silence_costs_no_synapse() {
    let data = samples(4);
    let deployed = EventDriven::new(&network(
        DelayNetworkConfig {
            batch_norm: false,
            ..config()
        },
        &data,
    ))
    .unwrap();
    let silent = Sample {
        steps: 20,
        spikes: Vec::new(),
        label: 0,
        group: 0,
    };
    assert_eq!(deployed.run(&silent).unwrap().synaptic_events, 0);
    let one = Sample {
        spikes: vec![(3, 2)],
        ..silent.clone()
    };
    assert!(deployed.run(&one).unwrap().synaptic_events >= 16);
    let outside = Sample {
        spikes: vec![(3, 12)],
        ..silent
    };
    assert!(deployed.run(&outside).is_err());
}

#[test]
fn parameters_are_counted() {
    let device = Device::flex();
    let count = |config: DelayNetworkConfig| {
        config
            .init(Seed::new(1), &device)
            .unwrap()
            .trained_parameters()
    };
    let weights = 12 * 16 + 16 * 10 + 10 * 4;
    assert_eq!(count(config()), 2 * weights + 2 * 26);
    let fixed = DelayNetworkConfig {
        delays: Delays::Fixed,
        ..config()
    };
    assert_eq!(count(fixed), weights + 2 * 26);
    let sparse = DelayNetworkConfig {
        synapses_per_neuron: 3,
        ..config()
    };
    assert_eq!(count(sparse), 2 * (3 * 26 + 40) + 2 * 26);
}
