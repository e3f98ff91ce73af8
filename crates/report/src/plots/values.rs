//! The numbers behind a figure, as tables.

use chiasm_core::evidence::{BarSeries, Figure, Graph, Line, Plot, Points};

use crate::number::format_number;

/// A table of names and numbers.
#[derive(Clone, Debug)]
pub(crate) struct ValueTable {
    pub(crate) caption: String,
    pub(crate) columns: Vec<String>,
    pub(crate) rows: Vec<Vec<Cell>>,
}

/// One cell. The first of a row is its heading.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Cell {
    Text(String),
    Number(f64),
    Empty,
}

impl Cell {
    /// As a reader wants it.
    pub(crate) fn short(&self) -> String {
        match self {
            Cell::Text(text) => text.clone(),
            Cell::Number(number) => format_number(*number),
            Cell::Empty => String::new(),
        }
    }
}

impl From<&str> for Cell {
    fn from(text: &str) -> Self {
        Cell::Text(text.to_string())
    }
}

/// Every number of a figure.
pub(crate) fn value_tables(figure: &Figure) -> Vec<ValueTable> {
    let x = or(&figure.x.label, "x");
    let y = or(&figure.y.label, "y");
    let mut tables = match &figure.plot {
        Plot::Lines(lines) => vec![lines_table(lines, &x, &y)],
        Plot::Bars { groups, series } => vec![bars_table(groups, series, &x, &y)],
        Plot::Scatter(clouds) => vec![points_table(clouds, &x, &y)],
        Plot::Heatmap {
            rows,
            columns,
            values,
            colour,
        } => vec![matrix_table(rows, columns, values, &or(colour, "value"))],
        Plot::Graph(graph) => graph_tables(graph),
    };
    if !figure.references.is_empty() {
        tables.push(ValueTable {
            caption: "Reference lines".to_string(),
            columns: vec!["line".to_string(), y],
            rows: figure
                .references
                .iter()
                .map(|line| vec![Cell::from(line.name.as_str()), Cell::Number(line.value)])
                .collect(),
        });
    }
    tables
}

fn or(label: &str, otherwise: &str) -> String {
    if label.is_empty() { otherwise } else { label }.to_string()
}

/// Columns of a value and, where it has one, its interval.
fn value_columns(name: &str, with_bounds: bool) -> Vec<String> {
    if with_bounds {
        vec![
            name.to_string(),
            format!("{name}: low"),
            format!("{name}: high"),
        ]
    } else {
        vec![name.to_string()]
    }
}

fn value_cells(value: f64, bounds: Option<&[f64; 2]>, with_bounds: bool) -> Vec<Cell> {
    let mut cells = vec![Cell::Number(value)];
    if with_bounds {
        match bounds {
            Some(&[low, high]) => cells.extend([Cell::Number(low), Cell::Number(high)]),
            None => cells.extend([Cell::Empty, Cell::Empty]),
        }
    }
    cells
}

/// One row a position where all curves share theirs, else one row a point.
fn lines_table(lines: &[Line], x: &str, y: &str) -> ValueTable {
    let caption = format!("{y} over {x}");
    let shared = lines.windows(2).all(|pair| pair[0].x == pair[1].x);
    if let (true, Some(first)) = (shared, lines.first()) {
        let mut columns = vec![x.to_string()];
        for line in lines {
            columns.extend(value_columns(&or(&line.name, y), line.band.is_some()));
        }
        let rows = first.x.iter().enumerate().map(|(index, &at)| {
            let mut cells = vec![Cell::Number(at)];
            for line in lines {
                let bounds = line.band.as_ref().map(|band| &band[index]);
                cells.extend(value_cells(line.y[index], bounds, line.band.is_some()));
            }
            cells
        });
        return ValueTable {
            caption,
            columns,
            rows: rows.collect(),
        };
    }
    let with_bounds = lines.iter().any(|line| line.band.is_some());
    let mut columns = vec!["curve".to_string(), x.to_string()];
    columns.extend(value_columns(y, with_bounds));
    let rows = lines.iter().flat_map(|line| {
        line.x.iter().enumerate().map(move |(index, &at)| {
            let bounds = line.band.as_ref().map(|band| &band[index]);
            let mut cells = vec![Cell::from(line.name.as_str()), Cell::Number(at)];
            cells.extend(value_cells(line.y[index], bounds, with_bounds));
            cells
        })
    });
    ValueTable {
        caption,
        columns,
        rows: rows.collect(),
    }
}

fn bars_table(groups: &[String], series: &[BarSeries], x: &str, y: &str) -> ValueTable {
    let mut columns = vec![x.to_string()];
    for bars in series {
        columns.extend(value_columns(&or(&bars.name, y), bars.intervals.is_some()));
    }
    let rows = groups.iter().enumerate().map(|(group, name)| {
        let mut cells = vec![Cell::from(name.as_str())];
        for bars in series {
            let bounds = bars.intervals.as_ref().map(|bounds| &bounds[group]);
            cells.extend(value_cells(
                bars.values[group],
                bounds,
                bars.intervals.is_some(),
            ));
        }
        cells
    });
    ValueTable {
        caption: format!("{y} by {x}"),
        columns,
        rows: rows.collect(),
    }
}

fn points_table(clouds: &[Points], x: &str, y: &str) -> ValueTable {
    let labelled = clouds.iter().any(|cloud| !cloud.labels.is_empty());
    let mut columns = vec![x.to_string(), y.to_string()];
    if labelled {
        columns.insert(0, "point".to_string());
    }
    columns.insert(0, "series".to_string());
    let rows = clouds.iter().flat_map(|cloud| {
        (0..cloud.x.len()).map(move |index| {
            let mut cells = vec![Cell::from(cloud.name.as_str())];
            if labelled {
                cells.push(match cloud.labels.get(index) {
                    Some(label) => Cell::from(label.as_str()),
                    None => Cell::Empty,
                });
            }
            cells.extend([Cell::Number(cloud.x[index]), Cell::Number(cloud.y[index])]);
            cells
        })
    });
    ValueTable {
        caption: format!("{y} over {x}"),
        columns,
        rows: rows.collect(),
    }
}

fn matrix_table(
    rows: &[String],
    columns: &[String],
    values: &[Vec<f64>],
    colour: &str,
) -> ValueTable {
    let name = |names: &[String], index: usize| match names.get(index) {
        Some(name) => name.clone(),
        None => (index + 1).to_string(),
    };
    let width = values.first().map_or(0, Vec::len);
    let mut headings = vec!["row".to_string()];
    headings.extend((0..width).map(|column| name(columns, column)));
    let rows = values.iter().enumerate().map(|(index, row)| {
        let mut cells = vec![Cell::Text(name(rows, index))];
        cells.extend(row.iter().map(|&value| Cell::Number(value)));
        cells
    });
    ValueTable {
        caption: colour.to_string(),
        columns: headings,
        rows: rows.collect(),
    }
}

fn graph_tables(graph: &Graph) -> Vec<ValueTable> {
    let nodes = graph.nodes.iter().zip(&graph.groups).zip(&graph.places);
    let nodes = nodes.map(|((name, group), &[x, y])| {
        vec![
            Cell::from(name.as_str()),
            Cell::Text(format!("group {group}")),
            Cell::Number(x),
            Cell::Number(y),
        ]
    });
    let edges = graph.edges.iter().map(|&(from, to, weight)| {
        vec![
            Cell::from(graph.nodes[from].as_str()),
            Cell::from(graph.nodes[to].as_str()),
            Cell::Number(weight),
        ]
    });
    let table = |caption: &str, columns: &[&str], rows: Vec<Vec<Cell>>| ValueTable {
        caption: caption.to_string(),
        columns: columns.iter().map(|name| name.to_string()).collect(),
        rows,
    };
    let mut tables = vec![table(
        "Nodes",
        &["node", "group", "across", "up"],
        nodes.collect(),
    )];
    if !graph.edges.is_empty() {
        tables.push(table("Edges", &["from", "to", "weight"], edges.collect()));
    }
    tables
}
