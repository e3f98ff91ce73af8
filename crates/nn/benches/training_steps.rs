//! Times whole training steps; `bench/peers/run_training_steps.py` runs it beside PyTorch.
//!
//! `training_steps WORK FOLDER [--steps N] [--warmup N] [--threads N]`, where `bench/peers/torch_steps.py
//! prepare FOLDER` left the weights and data both sides start from. Prints one line of JSON.

#![allow(
    missing_docs,
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a benchmark prints and may fail loudly"
)]

use std::path::Path;
use std::time::Instant;

use burn::module::{Module, ModuleVisitor, Param};
use burn::tensor::{Device, Gradients, Int, Tensor, TensorData};
use chiasm_core::Seed;
use chiasm_core::run::Device as Choice;
use chiasm_nn::loss::cross_entropy;
use chiasm_nn::operation::floats;
use chiasm_nn::weights::{Weight, load, read};
use chiasm_nn::{
    Activation, Adam, AdamSettings, AttentionConfig, Conv2d, Conv2dConfig, Embedding,
    EmbeddingConfig, LayerNorm, LayerNormConfig, Linear, LinearConfig, TransformerBlock, initial,
    open_device, with_threads,
};

#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

/// 784-1024-1024-10.
#[derive(Module, Debug)]
struct Mlp {
    layers: Vec<Linear>,
}

impl Mlp {
    fn new(seed: Seed, device: &Device) -> Self {
        let hidden = |inputs| LinearConfig::new(inputs, 1024).with_activation(Activation::Relu);
        let layers = [hidden(784), hidden(1024), LinearConfig::new(1024, 10)];
        Mlp {
            layers: layers
                .iter()
                .map(|layer| layer.init(seed, device))
                .collect(),
        }
    }

    fn forward(&self, images: Tensor<2>) -> Tensor<2> {
        self.layers.iter().fold(images, |x, layer| layer.forward(x))
    }
}

/// Two 3x3 convolutions with pooling, one linear layer.
#[derive(Module, Debug)]
struct Cnn {
    first: Conv2d,
    second: Conv2d,
    readout: Linear,
}

impl Cnn {
    fn new(seed: Seed, device: &Device) -> Self {
        let layer = |inputs, outputs| {
            Conv2dConfig::new(inputs, outputs, 3)
                .with_padding(1)
                .with_activation(Activation::Relu)
                .with_max_pool(2)
                .init(seed, device)
        };
        let readout = LinearConfig::new(64 * 7 * 7, 10).init(seed, device);
        Cnn {
            first: layer(1, 32),
            second: layer(32, 64),
            readout,
        }
    }

    fn forward(&self, images: Tensor<4>) -> Tensor<2> {
        let features = self.second.forward(self.first.forward(images));
        self.readout.forward(features.flatten(1, 3))
    }
}

/// Four causal pre-norm blocks over 256 symbols.
#[derive(Module, Debug)]
struct Transformer {
    symbols: Embedding,
    positions: Param<Tensor<2>>,
    blocks: Vec<TransformerBlock>,
    norm: LayerNorm,
    readout: Linear,
}

impl Transformer {
    fn new(seed: Seed, device: &Device) -> Self {
        let block = AttentionConfig::new(256, 4).causal();
        Transformer {
            symbols: EmbeddingConfig::new(256, 256).init(seed, device),
            positions: initial::normal(seed, [128, 256], 0.02, device),
            blocks: (0..4)
                .map(|_| block.init_block(1024, seed, device))
                .collect(),
            norm: LayerNormConfig::new(256).init(device),
            readout: LinearConfig::new(256, 256).init(seed, device),
        }
    }

    fn forward(&self, symbols: Tensor<2, Int>) -> Tensor<2> {
        let tokens = self.symbols.forward(symbols) + self.positions.val().unsqueeze();
        let tokens = self
            .blocks
            .iter()
            .fold(tokens, |tokens, block| block.forward(tokens));
        self.readout
            .forward(self.norm.forward(tokens))
            .flatten(0, 1)
    }
}

/// One batch of a stored array with the batches along the first axis.
fn batch(array: &Weight, index: usize) -> TensorData {
    let size: usize = array.shape[1..].iter().product();
    let index = index % array.shape[0];
    let values = array.values[index * size..(index + 1) * size].to_vec();
    TensorData::new(values, array.shape[1..].to_vec())
}

struct Norm<'a>(&'a Gradients, f64);

impl ModuleVisitor for Norm<'_> {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        let gradient = floats(param.val().grad(self.0).unwrap());
        self.1 += gradient.iter().map(|g| f64::from(*g).powi(2)).sum::<f64>();
    }
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
        learns: bool,
        logits: impl Fn(&M, TensorData, &Device) -> Tensor<2>,
    ) {
        let device = open_device(Choice::Cpu).unwrap().without_autodiff();
        let file = |kind: &str| {
            self.folder
                .join(format!("{}-{kind}.safetensors", self.work))
        };
        let data = read(&file("data")).unwrap();
        let mut model = load(model, &file("weights")).unwrap();
        let mut optimizer = Adam::new(AdamSettings::default());
        let (mut times, mut losses, mut norm) = (Vec::new(), Vec::new(), 0.0);
        let mut busy = 0.0;
        for step in 0..self.warmup + self.steps {
            if step == self.warmup {
                busy = processor_ms();
            }
            let inputs = batch(&data["inputs"], step);
            let targets = Tensor::<1>::from_data(batch(&data["targets"], step), &device).int();
            let start = Instant::now();
            let loss = cross_entropy(logits(&model, inputs, &device), targets);
            let gradients = loss.backward();
            losses.push(floats(loss.inner())[0]);
            if step + 1 == self.warmup + self.steps {
                let mut visitor = Norm(&gradients, 0.0);
                model.visit(&mut visitor);
                norm = visitor.1.sqrt();
            }
            if learns {
                model = optimizer.step(model, gradients, 1e-3);
            } else {
                drop(gradients);
            }
            times.push(start.elapsed().as_secs_f64() * 1e3);
        }
        let busy = (processor_ms() - busy) / self.steps as f64;
        let mut times = times.split_off(self.warmup);
        times.sort_by(f64::total_cmp);
        println!(
            "{}",
            serde_json::json!({
                "system": "chiasm",
                "work": self.work,
                "median_ms": times[times.len() / 2],
                "fastest_ms": times[0],
                "processor_ms": busy,
                "first_loss": losses[0],
                "last_loss": losses[losses.len() - 1],
                "gradient_norm": norm,
                "peak_rss_mib": peak_rss_mib(),
            })
        );
    }
}

/// Time the process has spent computing on all threads, to 10 ms.
fn processor_ms() -> f64 {
    let status = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields = status
        .rsplit(')')
        .next()
        .unwrap_or_default()
        .split_whitespace();
    fields
        .skip(11)
        .take(2)
        .filter_map(|ticks| ticks.parse::<f64>().ok())
        .sum::<f64>()
        * 10.0
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
        println!(
            "training_steps WORK FOLDER [--steps N] [--warmup N] [--threads N]: see bench/peers"
        );
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
        steps: option("--steps", 30),
        warmup: option("--warmup", 5),
    };
    let (seed, device) = (Seed::new(0), open_device(Choice::Cpu).unwrap());
    with_threads(option("--threads", 2), || match work.as_str() {
        "mlp" => bench.run(Mlp::new(seed, &device), true, |model, inputs, device| {
            model.forward(Tensor::from_data(inputs, device))
        }),
        "cnn" => bench.run(Cnn::new(seed, &device), true, |model, inputs, device| {
            model.forward(Tensor::from_data(inputs, device))
        }),
        "transformer" => bench.run(
            Transformer::new(seed, &device),
            false,
            |model, inputs, device| model.forward(Tensor::<2>::from_data(inputs, device).int()),
        ),
        other => println!("no work called {other}: mlp, cnn or transformer"),
    })
    .unwrap();
}
