//! Times whole training steps of spiking networks; `bench/peers/run_spiking_steps.py` runs it beside PyTorch,
//! SpikingJelly and snnTorch.
//!
//! `spiking_steps WORK FOLDER [--steps N] [--warmup N]` with WORK `spiking` or `delays`, where the peers'
//! `prepare FOLDER` left the weights and data all sides start from. Prints one line of JSON.

#![allow(
    missing_docs,
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a benchmark prints and may fail loudly"
)]

use std::path::Path;
use std::time::Instant;

use burn::module::Module;
use burn::tensor::{Device, Tensor, TensorData};
use chiasm_core::Seed;
use chiasm_core::run::Device as Choice;
use chiasm_nn::loss::cross_entropy;
use chiasm_nn::operation::floats;
use chiasm_nn::weights::{Weight, load, read};
use chiasm_nn::{Adam, AdamSettings, Rates, open_device, with_threads};
use chiasm_spiking::{
    DelayNetwork, DelayNetworkConfig, LifScan, Mode, Readout, Reset, SpikeLinear, Surrogate,
    ThresholdTie, fire,
};

#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

const THREADS: usize = 2;

/// 700-256-256-20 without delays, normalisation or bias.
#[derive(Module, Debug)]
struct Plain {
    layers: Vec<SpikeLinear>,
}

impl Plain {
    fn new(device: &Device) -> Self {
        let sizes = [(700, 256), (256, 256), (256, 20)];
        Plain {
            layers: sizes
                .iter()
                .map(|&(a, b)| SpikeLinear::new(a, b, 0.1, Seed::new(0), device))
                .collect(),
        }
    }

    fn forward(&self, input: Tensor<3>) -> Tensor<2> {
        let membrane = LifScan {
            decay: 0.9,
            gain: 1.0,
            drive: 0.0,
            initial_membrane: 0.0,
            threshold: 1.0,
            tie: ThresholdTie::Silent,
            reset: Reset::SubtractUndecayed,
            detach_reset: true,
            surrogate: Surrogate::FastSigmoid { slope: 10.0 },
        };
        let spikes = self
            .layers
            .iter()
            .fold(input, |x, layer| fire(layer.forward(x), membrane));
        Readout::Mean.read(spikes) * 10.0
    }
}

/// One batch of a stored array with the batches along the first axis.
fn batch(array: &Weight, index: usize) -> TensorData {
    let size: usize = array.shape[1..].iter().product();
    let index = index % array.shape[0];
    let values = array.values[index * size..(index + 1) * size].to_vec();
    TensorData::new(values, array.shape[1..].to_vec())
}

struct Bench<'a> {
    work: &'a str,
    folder: &'a Path,
    steps: usize,
    warmup: usize,
}

impl Bench<'_> {
    fn run<M: Module>(
        &self,
        model: M,
        settings: AdamSettings,
        rates: impl Fn(&str) -> Rates,
        scores: impl Fn(&M, Tensor<3>) -> Tensor<2>,
        after: impl Fn(M) -> M,
    ) {
        let device = open_device(Choice::Cpu).unwrap().without_autodiff();
        let file = |kind: &str| {
            self.folder
                .join(format!("{}-{kind}.safetensors", self.work))
        };
        let data = read(&file("data")).unwrap();
        let mut model = load(model, &file("weights")).unwrap();
        let mut optimizer = Adam::new(settings);
        let (mut times, mut losses) = (Vec::new(), Vec::new());
        for step in 0..self.warmup + self.steps {
            let inputs = Tensor::from_data(batch(&data["inputs"], step), &device);
            let targets = Tensor::<1>::from_data(batch(&data["targets"], step), &device).int();
            let start = Instant::now();
            let loss = cross_entropy(scores(&model, inputs), targets);
            let gradients = loss.backward();
            losses.push(floats(loss.inner())[0]);
            model = after(optimizer.step_by(model, gradients, &rates));
            times.push(start.elapsed().as_secs_f64() * 1e3);
        }
        let mut times = times.split_off(self.warmup);
        times.sort_by(f64::total_cmp);
        println!(
            "{}",
            serde_json::json!({
                "system": "chiasm",
                "work": self.work,
                "median_ms": times[times.len() / 2],
                "fastest_ms": times[0],
                "first_loss": losses[0],
                "last_loss": losses[losses.len() - 1],
                "peak_rss_mib": peak_rss_mib(),
            })
        );
    }
}

fn peak_rss_mib() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmHWM:"));
    let kib = line
        .and_then(|line| line.split_whitespace().nth(1))
        .and_then(|n| n.parse().ok());
    kib.unwrap_or(f64::NAN) / 1024.0
}

fn main() {
    let arguments: Vec<String> = std::env::args()
        .skip(1)
        .filter(|a| a != "--bench")
        .collect();
    let [work, folder, ..] = &arguments[..] else {
        println!("spiking_steps WORK FOLDER [--steps N] [--warmup N]: see bench/peers");
        return;
    };
    let option = |name: &str, default: usize| {
        let place = arguments.iter().position(|argument| argument == name);
        place
            .and_then(|i| arguments.get(i + 1)?.parse().ok())
            .unwrap_or(default)
    };
    let bench = Bench {
        work,
        folder: Path::new(folder),
        steps: option("--steps", 15),
        warmup: option("--warmup", 3),
    };
    let device = open_device(Choice::Cpu).unwrap();
    let adam = AdamSettings {
        decoupled: false,
        ..AdamSettings::default()
    };
    let rates = |name: &str| {
        let position = name.ends_with("positions");
        Rates {
            learning_rate: if position { 0.1 } else { 1e-3 },
            weight_decay: if position || work == "spiking" {
                0.0
            } else {
                1e-5
            },
        }
    };
    with_threads(THREADS, || match work.as_str() {
        "spiking" => bench.run(Plain::new(&device), adam, rates, Plain::forward, |model| {
            model
        }),
        "delays" => {
            let config = DelayNetworkConfig {
                dropout: 0.0,
                ..DelayNetworkConfig::default()
            };
            let mut network = config.init(Seed::new(0), &device).unwrap();
            network.set_spread(Some(6.0));
            let scores = |network: &DelayNetwork, inputs| {
                network.forward(inputs, Mode::Training(Seed::new(0)))
            };
            bench.run(network, adam, rates, scores, DelayNetwork::clamped);
        }
        other => println!("no work called {other}: spiking or delays"),
    })
    .unwrap();
}
