//! A run with made-up numbers that has something of every kind.

use chiasm_core::evidence::{
    Choice, Claim, ClaimResult, DataSource, DataUsed, Direction, Findings, Measured, NotTested,
    Plot, ResultTable, RunResults,
};
use chiasm_report::{Comparison, Dissimilarities};

pub(crate) mod figures;

pub(crate) const CONFIG: &str = "study = \"learned-delays\"\nscale = \"quick\"\nseeds = [0, 1, 2, 3, 4]\ndevice = \"cpu\"\nthreads = 2\nversion = \"0.1.0\"\ndata = []\n\n[settings]\nmaximum_delay_ms = 25\nmembrane_time_constant_ms = 10.05\nhidden_neurons = [256, 256]\nlearning_rate = 0.001\n";

const LEARNED: Claim = Claim {
    id: "learned-beats-random",
    statement: "Networks that learn their delays recognise more spoken digits than networks with random fixed delays.",
    paper: "95.1% with learned delays against 91.3% with random fixed ones on SHD (table 2).",
    metric: "accuracy difference (percentage points)",
    direction: Direction::Greater,
    margin: 1.0,
    baseline: "a network of equal parameters whose delays are drawn once and then kept",
    control: "the same difference with labels shuffled",
};
const RECOVERED: Claim = Claim {
    id: "lags-recovered",
    statement: "Learned delays match the lags planted in the coincidence task.",
    paper: "The paper shows it in a figure and gives no number.",
    metric: "mean absolute error (ms)",
    direction: Direction::Less,
    margin: 1.0,
    baseline: "lags read off the cross-correlogram",
    control: "a task without planted lags",
};
const NOISE: Claim = Claim {
    id: "equal-without-noise",
    statement: "Without jitter, learned and random delays do equally well.",
    paper: "“No significant difference” (section 4.3).",
    metric: "accuracy difference (percentage points)",
    direction: Direction::Within,
    margin: 2.0,
    baseline: "no delays",
    control: "the same difference with a tenth of the jitter left in",
};
const SPARSE: Claim = Claim {
    id: "fewer-synapses",
    statement: "Pruned to a tenth of its synapses the network keeps its lead.",
    paper: "93.9% against 90.2% at 10% connectivity.",
    metric: "accuracy difference (percentage points)",
    direction: Direction::Greater,
    margin: 0.5,
    baseline: "a dense network with as many parameters",
    control: "labels shuffled",
};
const SEPARABLE: Claim = Claim {
    id: "control-leaks",
    statement: "Representations of one layer are told from those of the others across instances.",
    paper: "97% of layers identified with the geo-topological transform.",
    metric: "identification accuracy above chance",
    direction: Direction::Greater,
    margin: 0.02,
    baseline: "plain ranks",
    control: "stimuli shuffled between instances",
};
const RECORDED: Claim = Claim {
    id: "human-recordings",
    statement: "The advantage holds on recordings of people.",
    paper: "Seen in 11 of 12 subjects.",
    metric: "accuracy difference (percentage points)",
    direction: Direction::Greater,
    margin: 0.0,
    baseline: "no delays",
    control: "labels shuffled",
};

fn measured(values: &[(&Claim, &[[f64; 3]])]) -> Vec<ClaimResult> {
    let mut findings = Findings::new();
    for (claim, per_seed) in values {
        let per_seed = per_seed
            .iter()
            .map(|&[effect, baseline, control]| Measured {
                effect,
                baseline,
                control,
            });
        findings.measured(claim, per_seed).unwrap();
    }
    findings.claims().to_vec()
}

pub(crate) fn claims() -> Vec<ClaimResult> {
    measured(&[
        (
            &LEARNED,
            &[
                [4.1, 0.8, 0.1],
                [3.6, 1.1, -0.4],
                [4.9, 0.5, 0.3],
                [3.9, 0.9, -0.1],
                [4.4, 0.7, 0.2],
            ],
        ),
        (
            &RECOVERED,
            &[
                [1.9, 0.6, 7.9],
                [2.4, 0.5, 8.3],
                [2.2, 0.7, 7.1],
                [1.7, 0.6, 8.8],
                [2.6, 0.4, 8.0],
            ],
        ),
        (
            &NOISE,
            &[
                [1.2, 2.2, 5.2],
                [-0.9, 2.9, 4.7],
                [3.4, 1.9, 5.9],
                [0.8, 2.4, 6.3],
                [2.3, 3.0, 5.4],
            ],
        ),
        (
            &SEPARABLE,
            &[
                [0.081, 0.0613, 0.0402],
                [0.0795, 0.0625, 0.0391],
                [0.0822, 0.0601, 0.0413],
                [0.0808, 0.0622, 0.0407],
                [0.0817, 0.0618, 0.0399],
            ],
        ),
    ])
}

pub(crate) fn results() -> RunResults {
    RunResults {
        schema: 1,
        study: "learned-delays".into(),
        title: "Learning delays in spiking networks".into(),
        paper: 56,
        citation: "Hammouamri, Khalfaoui-Hassani & Masquelier (2023). Learning delays in spiking neural networks using dilated convolutions with learnable spacings. arXiv:2306.17670.".into(),
        scale: "quick".into(),
        device: "cpu".into(),
        threads: 2,
        version: "0.1.0".into(),
        seeds: vec![0, 1, 2, 3, 4],
        scaled_down: "2 000 of 8 156 utterances, 64 instead of 256 hidden neurons, 30 instead of 150 epochs.".into(),
        data: vec![
            DataUsed {
                name: "spoken-digits".into(),
                sha256: Some("9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08".into()),
                source: DataSource::Bundled,
            },
            DataUsed::simulated("coincidence detection, 20 channels"),
            DataUsed {
                name: "/home/ada/recordings/shd_train_with_a_rather_long_name.h5".into(),
                sha256: Some("60303ae22b998861bce3b28f33eec1be758a213c86c93c076dbe9f558c11c752".into()),
                source: DataSource::File,
            },
        ],
        claims: claims(),
        not_tested: vec![NotTested {
            id: RECORDED.id.into(),
            statement: RECORDED.statement.into(),
            reason: "The recordings are not public. Give your own with --data shd_train.h5.".into(),
        }],
        choices: vec![
            Choice {
                setting: "membrane_time_constant_ms".into(),
                what: "The paper gives no value for the readout; 10.05 ms as in the hidden layers.".into(),
            },
            Choice {
                setting: "kernel_width_final".into(),
                what: "Where the width of the delay kernels ends; 0.5 steps.".into(),
            },
        ],
        notes: vec![
            "Seed 3 needed a second start: its first loss was not finite.".into(),
            "With 30 epochs the delays had not settled; see the figure of delays over epochs.".into(),
        ],
        figures: figures::all().iter().map(|figure| format!("figures/{}.svg", figure.id)).collect(),
        seconds: 47.3,
        peak_rss_mib: Some(412.6),
    }
}

pub(crate) fn other_results() -> RunResults {
    RunResults {
        study: "trsa".into(),
        title: "Topological representational similarity".into(),
        paper: 26,
        citation: "Lin & Kriegeskorte (2024). The topology and geometry of neural representations. PNAS 121, e2317881121.".into(),
        seeds: vec![0],
        claims: measured(&[(&SPARSE, &[[0.9, 0.4, 0.1]]), (&LEARNED, &[[4.1, 0.8, 0.1]])]),
        not_tested: Vec::new(),
        choices: Vec::new(),
        notes: Vec::new(),
        scaled_down: String::new(),
        data: Vec::new(),
        figures: Vec::new(),
        seconds: 121.0,
        peak_rss_mib: None,
        ..results()
    }
}

pub(crate) fn tables() -> Vec<ResultTable> {
    vec![ResultTable {
        title: "Parameters and time".into(),
        caption: "Each network has as many parameters as it can with equal time per step.".into(),
        columns: [
            "Network",
            "Parameters",
            "Time per step",
            "Peak memory",
            "Accuracy",
            "Spikes per neuron and utterance",
        ]
        .map(String::from)
        .to_vec(),
        rows: vec![
            [
                "learned delays",
                "214 020",
                "41 ms",
                "310 MiB",
                "93.8 ± 0.6",
                "11.2",
            ]
            .map(String::from)
            .to_vec(),
            [
                "random fixed delays",
                "214 020",
                "39 ms",
                "305 MiB",
                "90.1 ± 0.9",
                "12.0",
            ]
            .map(String::from)
            .to_vec(),
            [
                "no delays",
                "213 980",
                "18 ms",
                "120 MiB",
                "80.7 ± 1.1",
                "14.9",
            ]
            .map(String::from)
            .to_vec(),
        ],
    }]
}

pub(crate) fn comparison() -> Comparison {
    let names = ["IT cortex", "ResNet-50 layer 4", "CLIP ViT-B/16", "pixels"]
        .map(String::from)
        .to_vec();
    let matrix: Vec<Vec<f64>> = vec![
        vec![1.0, 0.412, 0.467, 0.051],
        vec![0.412, 1.0, 0.731, 0.122],
        vec![0.467, 0.731, 1.0, 0.094],
        vec![0.051, 0.122, 0.094, 1.0],
    ];
    let shifted = |by: f64| {
        matrix
            .iter()
            .map(|row| row.iter().map(|value| (value + by).min(1.0)).collect())
            .collect()
    };
    let Plot::Heatmap { values, .. } = figures::large_matrix().plot else {
        unreachable!("the figure is a heatmap")
    };
    Comparison {
        ci95: Some([shifted(-0.04), shifted(0.05)]),
        comparator: "Spearman correlation of dissimilarities".into(),
        noise_ceiling: vec![("IT cortex".into(), [0.52, 0.61])],
        dissimilarity: "1 − Pearson correlation".into(),
        dissimilarities: names
            .iter()
            .map(|name: &String| Dissimilarities {
                name: name.clone(),
                conditions: Vec::new(),
                values: values.clone(),
            })
            .collect(),
        embedding: Some(vec![[-0.4, 0.1], [0.2, 0.3], [0.1, -0.2], [0.9, 0.0]]),
        models: None,
        settings: [
            ("dissimilarity", "correlation"),
            ("comparator", "spearman"),
            ("transform", "none"),
            ("bootstrap", "1000 over conditions"),
        ]
        .map(|(name, value)| (name.to_string(), value.to_string()))
        .to_vec(),
        data: vec![DataUsed {
            name: "it.npy".into(),
            sha256: Some("9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08".into()),
            source: DataSource::File,
        }],
        notes: vec!["pixels: 3 conditions have equal images, their dissimilarity is zero.".into()],
        names,
        matrix,
    }
}
