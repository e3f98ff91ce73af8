//! Figures as data: what is drawn, not how. The report draws them and prints their tables.

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};

/// One figure.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Figure {
    /// Short name, unique within the study, also the file name: `accuracy-by-noise`.
    pub id: String,
    /// A title that says what is to be seen.
    pub title: String,
    /// What was done and what the bars or bands are.
    pub caption: String,
    /// The horizontal axis.
    pub x: Axis,
    /// The vertical axis.
    pub y: Axis,
    /// Horizontal lines to compare with, e.g. chance.
    pub references: Vec<Reference>,
    /// The marks.
    pub plot: Plot,
}

/// A labelled axis.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Axis {
    /// The label, with unit.
    pub label: String,
    /// Whether the axis is logarithmic.
    pub logarithmic: bool,
}

/// A horizontal line to compare with.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Reference {
    /// What it is, e.g. `chance`.
    pub name: String,
    /// Where it is.
    pub value: f64,
}

/// The marks of a figure.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Plot {
    /// Curves, each with an optional band.
    Lines(Vec<Line>),
    /// Bars in labelled groups, one bar a series.
    Bars {
        /// The groups' labels.
        groups: Vec<String>,
        /// One value a group each.
        series: Vec<BarSeries>,
    },
    /// Point clouds.
    Scatter(Vec<Points>),
    /// A matrix in colours.
    Heatmap {
        /// Row labels; empty for none.
        rows: Vec<String>,
        /// Column labels; empty for none.
        columns: Vec<String>,
        /// Row by row.
        values: Vec<Vec<f64>>,
        /// What the colours mean, with unit.
        colour: String,
    },
    /// Nodes and weighted edges.
    Graph(Graph),
}

/// One curve.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Line {
    /// The legend's name.
    pub name: String,
    /// Horizontal positions.
    pub x: Vec<f64>,
    /// Vertical positions.
    pub y: Vec<f64>,
    /// Lower and upper bound at each position.
    pub band: Option<Vec<[f64; 2]>>,
}

/// One series of bars.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct BarSeries {
    /// The legend's name.
    pub name: String,
    /// One value a group.
    pub values: Vec<f64>,
    /// Lower and upper bound of each value.
    pub intervals: Option<Vec<[f64; 2]>>,
}

/// One point cloud.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Points {
    /// The legend's name.
    pub name: String,
    /// Horizontal positions.
    pub x: Vec<f64>,
    /// Vertical positions.
    pub y: Vec<f64>,
    /// One label a point; empty for none.
    pub labels: Vec<String>,
}

/// Nodes with places and the edges between them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Graph {
    /// Node names.
    pub nodes: Vec<String>,
    /// Place of each node.
    pub places: Vec<[f64; 2]>,
    /// Group of each node, drawn as its colour.
    pub groups: Vec<usize>,
    /// Pairs of nodes with a weight in 0..=1.
    pub edges: Vec<(usize, usize, f64)>,
}

impl Axis {
    /// A linear axis.
    pub fn linear(label: impl Into<String>) -> Self {
        Axis {
            label: label.into(),
            logarithmic: false,
        }
    }

    /// A logarithmic axis.
    pub fn logarithmic(label: impl Into<String>) -> Self {
        Axis {
            label: label.into(),
            logarithmic: true,
        }
    }
}

impl Figure {
    /// A figure without reference lines.
    pub fn new(
        id: impl Into<String>,
        title: impl Into<String>,
        caption: impl Into<String>,
        x: Axis,
        y: Axis,
        plot: Plot,
    ) -> Self {
        Figure {
            id: id.into(),
            title: title.into(),
            caption: caption.into(),
            x,
            y,
            references: Vec::new(),
            plot,
        }
    }

    /// Adds a horizontal line to compare with.
    pub fn with_reference(mut self, name: impl Into<String>, value: f64) -> Self {
        self.references.push(Reference {
            name: name.into(),
            value,
        });
        self
    }

    /// Fails where lengths disagree or a number cannot be drawn.
    pub fn check(&self) -> Result<()> {
        let fail = |reason: String| {
            Err(Error::Unusable {
                operation: "figure",
                reason: format!("{}: {reason}", self.id),
            })
        };
        let name_is_fit = !self.id.is_empty()
            && self
                .id
                .chars()
                .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-');
        if !name_is_fit {
            return fail("an id is made of a-z, 0-9 and -".to_string());
        }
        let drawable =
            |axis: &Axis, value: f64| value.is_finite() && (!axis.logarithmic || value > 0.0);
        let all = |axis: &Axis, values: &[f64]| values.iter().all(|&value| drawable(axis, value));
        let all_bounds = |bounds: &Option<Vec<[f64; 2]>>| {
            bounds
                .iter()
                .flatten()
                .flatten()
                .all(|value| value.is_finite())
        };
        let fits = |bounds: &Option<Vec<[f64; 2]>>, length: usize| {
            bounds.as_ref().is_none_or(|bounds| bounds.len() == length)
        };
        let sound = match &self.plot {
            Plot::Lines(lines) => lines.iter().all(|line| {
                line.x.len() == line.y.len()
                    && fits(&line.band, line.y.len())
                    && all(&self.x, &line.x)
                    && all(&self.y, &line.y)
                    && all_bounds(&line.band)
            }),
            Plot::Bars { groups, series } => series.iter().all(|bars| {
                bars.values.len() == groups.len()
                    && fits(&bars.intervals, groups.len())
                    && all(&self.y, &bars.values)
                    && all_bounds(&bars.intervals)
            }),
            Plot::Scatter(clouds) => clouds.iter().all(|cloud| {
                cloud.x.len() == cloud.y.len()
                    && (cloud.labels.is_empty() || cloud.labels.len() == cloud.x.len())
                    && all(&self.x, &cloud.x)
                    && all(&self.y, &cloud.y)
            }),
            Plot::Heatmap {
                rows,
                columns,
                values,
                ..
            } => {
                let width = values.first().map_or(0, Vec::len);
                (rows.is_empty() || rows.len() == values.len())
                    && (columns.is_empty() || columns.len() == width)
                    && values
                        .iter()
                        .all(|row| row.len() == width && row.iter().all(|value| value.is_finite()))
            }
            Plot::Graph(graph) => {
                graph.places.len() == graph.nodes.len()
                    && graph.groups.len() == graph.nodes.len()
                    && graph.places.iter().flatten().all(|value| value.is_finite())
                    && graph.edges.iter().all(|&(from, to, weight)| {
                        from < graph.nodes.len()
                            && to < graph.nodes.len()
                            && (0.0..=1.0).contains(&weight)
                    })
            }
        };
        if sound {
            Ok(())
        } else {
            fail(
                "lengths disagree, or a value is not finite (or not positive on a log axis)".into(),
            )
        }
    }
}
