//! The page of a comparison of representations.

use chiasm_core::evidence::{Axis, DataUsed, Figure, Graph, Plot, ResultTable};

use super::model_performance::ModelPerformances;
use crate::html::{Page, Section};
use crate::number::{format_interval_bounds, format_mean, format_number};

/// Representations compared with each other.
#[derive(Clone, Debug, Default)]
pub struct Comparison {
    /// Names of the representations.
    pub names: Vec<String>,
    /// What the numbers of the matrix are, e.g. `Spearman correlation of dissimilarities`.
    pub comparator: String,
    /// One row and one column a representation.
    pub matrix: Vec<Vec<f64>>,
    /// Lower and upper bounds of the matrix, where they were bootstrapped.
    pub ci95: Option<[Vec<Vec<f64>>; 2]>,
    /// Lower and upper bound of the noise ceiling of a representation, by its name.
    pub noise_ceiling: Vec<(String, [f64; 2])>,
    /// What the dissimilarities are, e.g. `1 − Pearson correlation`.
    pub dissimilarity: String,
    /// The dissimilarity matrices.
    pub dissimilarities: Vec<Dissimilarities>,
    /// Places of the representations in the plane, near where their numbers are alike.
    pub embedding: Option<Vec<[f64; 2]>>,
    /// Models tested against one of the representations.
    pub models: Option<ModelPerformances>,
    /// Settings with their values.
    pub settings: Vec<(String, String)>,
    /// The files.
    pub data: Vec<DataUsed>,
    /// Lines the reader should know.
    pub notes: Vec<String>,
}

/// Dissimilarities between the conditions of one representation.
#[derive(Clone, Debug, Default)]
pub struct Dissimilarities {
    /// The representation.
    pub name: String,
    /// Names of the conditions; empty for none.
    pub conditions: Vec<String>,
    /// Square, conditions by conditions.
    pub values: Vec<Vec<f64>>,
}

impl Comparison {
    /// The figures of the page, for writing each to a file of its own as well.
    pub fn figures(&self) -> Vec<Figure> {
        let mut figures = Vec::new();
        figures.extend(
            self.models
                .as_ref()
                .map(|models| models.figure(&self.comparator)),
        );
        figures.push(self.matrix_figure());
        figures.extend(self.embedding_figure());
        figures.extend(self.dissimilarity_figures());
        figures
    }

    fn matrix_figure(&self) -> Figure {
        Figure::new(
            "comparison",
            "How alike the representations are",
            match self.ci95 {
                Some(_) => {
                    "Each cell compares two representations; 95% intervals in the table below."
                }
                None => "Each cell compares two representations.",
            },
            Axis::default(),
            Axis::default(),
            Plot::Heatmap {
                rows: self.names.clone(),
                columns: self.names.clone(),
                values: self.matrix.clone(),
                colour: self.comparator.clone(),
            },
        )
    }

    fn embedding_figure(&self) -> Option<Figure> {
        let places = self.embedding.as_ref()?;
        Some(Figure::new(
            "embedding",
            "Representations in the plane",
            "Multidimensional scaling: the nearer two points, the more alike the representations. \
             Only distances count; the axes mean nothing.",
            Axis::default(),
            Axis::default(),
            // A graph without edges: the same scale across and up, which distances need.
            Plot::Graph(Graph {
                nodes: self.names.clone(),
                places: places.clone(),
                groups: vec![0; places.len()],
                edges: Vec::new(),
            }),
        ))
    }

    fn dissimilarity_figures(&self) -> Vec<Figure> {
        let figures = self.dissimilarities.iter().enumerate();
        figures
            .map(|(index, matrix)| {
                Figure::new(
                    format!("dissimilarities-{}", index + 1),
                    format!("Dissimilarities in {}", matrix.name),
                    "Each cell is the dissimilarity of two conditions.",
                    Axis::default(),
                    Axis::default(),
                    Plot::Heatmap {
                        rows: matrix.conditions.clone(),
                        columns: matrix.conditions.clone(),
                        values: matrix.values.clone(),
                        colour: self.dissimilarity.clone(),
                    },
                )
            })
            .collect()
    }

    fn pairs(&self) -> ResultTable {
        let with_interval = self.ci95.is_some();
        let mut columns = vec![
            "First".to_string(),
            "Second".to_string(),
            "Value".to_string(),
        ];
        if with_interval {
            columns.push("95% interval".to_string());
        }
        let mut rows = Vec::new();
        for (first, name) in self.names.iter().enumerate() {
            for (second, other) in self.names.iter().enumerate().skip(first + 1) {
                let at = |matrix: &Vec<Vec<f64>>| matrix.get(first)?.get(second).copied();
                let Some(value) = at(&self.matrix) else {
                    continue;
                };
                let mut row = vec![name.clone(), other.clone()];
                match &self.ci95 {
                    Some([low, high]) => {
                        let bounds = at(low).zip(at(high)).map(|(low, high)| [low, high]);
                        row.push(format_mean(value, bounds));
                        row.push(bounds.map_or_else(String::new, |bounds| {
                            format_interval_bounds(value, bounds)
                        }));
                    }
                    None => row.push(format_number(value)),
                }
                rows.push(row);
            }
        }
        ResultTable {
            title: "Pairs".to_string(),
            caption: self.comparator.clone(),
            columns,
            rows,
        }
    }

    fn ceilings(&self) -> ResultTable {
        ResultTable {
            title: "Noise ceiling".to_string(),
            caption: "The best that any model could reach, given how much subjects differ."
                .to_string(),
            columns: ["Representation", "Lower bound", "Upper bound"]
                .map(String::from)
                .to_vec(),
            rows: self
                .noise_ceiling
                .iter()
                .map(|(name, [low, high])| {
                    vec![name.clone(), format_number(*low), format_number(*high)]
                })
                .collect(),
        }
    }
}

/// The page of `chiasm compare`: the comparison with its intervals and noise ceiling, the
/// representations in the plane, and every dissimilarity matrix.
pub fn comparison_report(comparison: &Comparison) -> String {
    let mut similarity = Section::new("Comparison").figure(&comparison.matrix_figure());
    if comparison.names.len() > 1 {
        similarity = similarity.table(&comparison.pairs());
    }
    if !comparison.noise_ceiling.is_empty() {
        similarity = similarity.table(&comparison.ceilings());
    }
    if let Some(figure) = comparison.embedding_figure() {
        similarity = similarity.figure(&figure);
    }
    let mut page = Page::new(format!("Comparing {}", listed(&comparison.names)))
        .kicker("Chiasm compare")
        .intro(format!("By {}.", comparison.comparator));
    if let Some(models) = &comparison.models {
        let mut section = Section::new("Models")
            .figure(&models.figure(&comparison.comparator))
            .table(&models.table());
        if !models.pairs.is_empty() {
            section = section.table(&models.pair_table());
        }
        page = page.section(section);
    }
    page = page.section(similarity);
    if !comparison.notes.is_empty() {
        let notes = Section::new("What to know");
        page = page.section(
            comparison
                .notes
                .iter()
                .fold(notes, |notes, note| notes.note(note)),
        );
    }
    let figures = comparison.dissimilarity_figures();
    if !figures.is_empty() {
        let section = Section::new("Dissimilarities");
        page = page.section(
            figures
                .iter()
                .fold(section, |section, figure| section.figure(figure)),
        );
    }
    page = page.section(Section::new("Settings").facts(comparison.settings.clone()));
    if !comparison.data.is_empty() {
        page = page.section(Section::new("Data").data(&comparison.data));
    }
    page.footer(format!("Made by Chiasm {}.", env!("CARGO_PKG_VERSION")))
        .render()
}

/// `a, b and c`; long lists end with a count.
fn listed(names: &[String]) -> String {
    match names {
        [] => "nothing".to_string(),
        [only] => only.clone(),
        [rest @ .., last] if rest.len() < 5 => format!("{} and {last}", rest.join(", ")),
        names => format!("{} representations", names.len()),
    }
}
