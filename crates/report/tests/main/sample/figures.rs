//! One figure of each kind, and some that are hard to draw.

use chiasm_core::evidence::{Axis, BarSeries, Figure, Graph, Line, Plot, Points};

/// A number in -1..1 that depends on its place only.
fn noise(index: usize) -> f64 {
    let scaled = ((index as f64 + 1.0) * 12.9898).sin() * 43758.5453;
    2.0 * (scaled - scaled.floor()) - 1.0
}

pub(crate) fn all() -> Vec<Figure> {
    vec![
        curves(),
        loss(),
        bars(),
        long_names(),
        many_groups(),
        small_matrix(),
        large_matrix(),
        cloud(),
        graph(),
        nothing(),
    ]
}

pub(crate) fn curves() -> Figure {
    let jitter = [0.0, 1.0, 2.0, 4.0, 8.0, 16.0];
    let line = |name: &str, start: f64, slope: f64| Line {
        name: name.into(),
        x: jitter.to_vec(),
        y: jitter.iter().map(|x| start - slope * x).collect(),
        band: Some(
            jitter
                .iter()
                .map(|x| {
                    [
                        start - slope * x - 1.5 - 0.1 * x,
                        start - slope * x + 1.5 + 0.1 * x,
                    ]
                })
                .collect(),
        ),
    };
    Figure::new(
        "accuracy-by-jitter",
        "Learned delays keep their lead as spikes jitter",
        "Accuracy on held-out speakers. Bands are 95% intervals over five seeds.",
        Axis::linear("jitter (ms)"),
        Axis::linear("accuracy (%)"),
        Plot::Lines(vec![
            line("learned delays", 94.0, 0.9),
            line("random fixed delays", 90.0, 1.6),
            line("no delays", 81.0, 1.9),
        ]),
    )
    .with_reference("chance", 50.0)
    .with_reference("best in the paper", 95.1)
}

pub(crate) fn loss() -> Figure {
    let epochs: Vec<f64> = (1..=300).map(f64::from).collect();
    let line = |name: &str, rate: f64, offset: usize| {
        let y: Vec<f64> = epochs
            .iter()
            .enumerate()
            .map(|(index, epoch)| {
                (2.3 * (-rate * epoch).exp() + 0.004) * (1.0 + 0.15 * noise(index + offset))
            })
            .collect();
        Line {
            name: name.into(),
            x: epochs.clone(),
            y,
            band: None,
        }
    };
    Figure::new(
        "loss-by-epoch",
        "Training loss falls by two orders of magnitude",
        "Cross-entropy of one seed.",
        Axis::logarithmic("epoch"),
        Axis::logarithmic("cross-entropy (nats)"),
        Plot::Lines(vec![
            line("training", 0.03, 0),
            line("validation", 0.02, 1000),
        ]),
    )
}

fn bars() -> Figure {
    let series = |name: &str, values: [f64; 3]| BarSeries {
        name: name.into(),
        values: values.to_vec(),
        intervals: Some(
            values
                .iter()
                .map(|value| [value - 2.1, value + 2.4])
                .collect(),
        ),
    };
    Figure::new(
        "accuracy-by-task",
        "Three ways of having delays on three tasks",
        "Mean over seeds with 95% intervals.",
        Axis::linear("task"),
        Axis::linear("accuracy (%)"),
        Plot::Bars {
            groups: vec![
                "coincidence".into(),
                "spoken digits".into(),
                "permuted digits".into(),
            ],
            series: vec![
                series("learned", [99.1, 93.8, 88.0]),
                series("random fixed", [84.0, 90.1, 79.5]),
                series("none", [51.0, 80.7, 61.2]),
                series("shuffled labels", [49.2, 10.1, 9.7]),
            ],
        },
    )
    .with_reference("chance on two classes", 50.0)
}

fn long_names() -> Figure {
    let groups: Vec<String> = [
        "geo-topological transform",
        "rank transform",
        "adaptive thresholds (l, u)",
        "geodesic distances",
        "plain dissimilarities",
        "Mahalanobis with shrinkage of the noise covariance",
        "crossnobis",
    ]
    .map(String::from)
    .to_vec();
    let values: Vec<f64> = (0..groups.len()).map(|index| 0.3 * noise(index)).collect();
    Figure::new(
        "effect-by-transform",
        "Some transforms help and some hurt",
        "Change of identification accuracy against plain ranks. Bars are 95% intervals.",
        Axis::linear(""),
        Axis::linear("change of accuracy"),
        Plot::Bars {
            series: vec![BarSeries {
                name: String::new(),
                intervals: Some(
                    values
                        .iter()
                        .map(|value| [value - 0.05, value + 0.05])
                        .collect(),
                ),
                values,
            }],
            groups,
        },
    )
}

fn many_groups() -> Figure {
    let values: Vec<f64> = (0..60).map(|index| 10.0 + 9.0 * noise(index)).collect();
    Figure::new(
        "rate-by-neuron",
        "Firing rates differ tenfold between neurons",
        "Mean rate of each neuron.",
        Axis::linear("neuron"),
        Axis::linear("rate (spikes/s)"),
        Plot::Bars {
            groups: (0..60).map(|index| format!("neuron {index}")).collect(),
            series: vec![BarSeries {
                name: "rate".into(),
                values,
                intervals: None,
            }],
        },
    )
}

fn small_matrix() -> Figure {
    let names = ["V1", "V2", "V4", "IT", "PFC"].map(String::from).to_vec();
    Figure::new(
        "area-correlations",
        "Neighbouring areas are alike, far ones opposed",
        "Correlation of dissimilarities.",
        Axis::linear("area of the second recording"),
        Axis::linear("area of the first recording"),
        Plot::Heatmap {
            rows: names.clone(),
            columns: names,
            values: (0..5)
                .map(|row| {
                    (0..5)
                        .map(|column| 1.0 - 0.4 * f64::from(i32::abs(row - column)))
                        .collect()
                })
                .collect(),
            colour: "Spearman correlation".into(),
        },
    )
}

pub(crate) fn large_matrix() -> Figure {
    let values = (0..92usize)
        .map(|row| {
            (0..92usize)
                .map(|column| {
                    if row == column {
                        0.0
                    } else {
                        let apart = if row / 23 == column / 23 { 0.5 } else { 1.1 };
                        apart + 0.2 * noise(row.min(column) * 92 + row.max(column))
                    }
                })
                .collect()
        })
        .collect();
    Figure::new(
        "dissimilarities",
        "Four categories stand apart",
        "Dissimilarity of 92 images in IT.",
        Axis::linear("image"),
        Axis::linear(""),
        Plot::Heatmap {
            rows: (0..92).map(|index| format!("image {index}")).collect(),
            columns: (0..92).map(|index| format!("image {index}")).collect(),
            values,
            colour: "1 − Pearson correlation".into(),
        },
    )
}

fn cloud() -> Figure {
    let cloud = |name: &str, x: f64, y: f64, offset: usize| Points {
        name: name.into(),
        x: (0..12)
            .map(|index| x + 0.6 * noise(index + offset))
            .collect(),
        y: (0..12)
            .map(|index| y + 0.6 * noise(index + offset + 500))
            .collect(),
        labels: (0..12).map(|index| format!("{name} {index}")).collect(),
    };
    Figure::new(
        "layers-in-the-plane",
        "Instances of one layer lie together",
        "Multidimensional scaling of 36 networks.",
        Axis::linear("first dimension"),
        Axis::linear("second dimension"),
        Plot::Scatter(vec![
            cloud("conv1", -1.0, 0.4, 0),
            cloud("conv2", 0.2, -0.9, 100),
            cloud("fc", 1.1, 0.7, 200),
        ]),
    )
}

fn graph() -> Figure {
    let mut nodes = Vec::new();
    let (mut places, mut groups, mut edges) = (Vec::new(), Vec::new(), Vec::new());
    for node in 0..24usize {
        let group = node / 8;
        let angle = node as f64 / 24.0 * std::f64::consts::TAU;
        nodes.push(format!("{}{}", ["AVA", "RIM", "SMD"][group], node % 8));
        places.push([
            angle.cos() * (1.0 + 0.3 * noise(node)),
            angle.sin() * (1.0 + 0.3 * noise(node + 50)),
        ]);
        groups.push(group);
        for other in 0..node {
            let chance = if other / 8 == group { 0.1 } else { 0.85 };
            let weight = noise(node * 24 + other).abs();
            if weight > chance {
                edges.push((other, node, weight));
            }
        }
    }
    Figure::new(
        "communities",
        "Three communities of neurons",
        "Edges are couplings; wider and darker is stronger.",
        Axis::linear(""),
        Axis::linear(""),
        Plot::Graph(Graph {
            nodes,
            places,
            groups,
            edges,
        }),
    )
}

pub(crate) fn nothing() -> Figure {
    Figure::new(
        "nothing",
        "Delays that were pruned",
        "None was, in any seed.",
        Axis::linear("delay (ms)"),
        Axis::linear("count"),
        Plot::Lines(Vec::new()),
    )
}
