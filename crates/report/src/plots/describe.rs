//! A figure in words, for those who do not see it.

use chiasm_core::evidence::{Figure, Plot};

use crate::number::{counted, format_exact, format_number};

/// What kind of plot it is, what its axes and series are, and the range of its values.
pub(crate) fn description(figure: &Figure) -> String {
    let mut text = match &figure.plot {
        Plot::Lines(lines) => {
            let names = lines.iter().map(|line| line.name.as_str());
            let values = lines.iter().flat_map(|line| line.y.iter().copied());
            let count = counted(lines.len(), "curve", "curves");
            series_sentence("Line plot", count, names, figure, values)
        }
        Plot::Bars { groups, series } => {
            let names = series.iter().map(|bars| bars.name.as_str());
            let values = series.iter().flat_map(|bars| bars.values.iter().copied());
            let kind = format!(
                "Bar chart with {}",
                counted(groups.len(), "group", "groups")
            );
            let count = counted(series.len(), "series of bars", "series of bars");
            series_sentence(&kind, count, names, figure, values)
        }
        Plot::Scatter(clouds) => {
            let names = clouds.iter().map(|cloud| cloud.name.as_str());
            let values = clouds.iter().flat_map(|cloud| cloud.y.iter().copied());
            let points: usize = clouds.iter().map(|cloud| cloud.x.len()).sum();
            let kind = format!("Scatter plot of {}", counted(points, "point", "points"));
            let count = counted(clouds.len(), "cloud", "clouds");
            series_sentence(&kind, count, names, figure, values)
        }
        Plot::Heatmap { values, colour, .. } => {
            let columns = values.first().map_or(0, Vec::len);
            let all = values.iter().flatten().copied();
            format!(
                "Heatmap of {} by {}. Colour shows {}{}.",
                counted(values.len(), "row", "rows"),
                counted(columns, "column", "columns"),
                if colour.is_empty() {
                    "the value"
                } else {
                    colour
                },
                range_clause(all),
            )
        }
        Plot::Graph(graph) if graph.edges.is_empty() => {
            let nodes = counted(graph.nodes.len(), "named point", "named points");
            format!("Map of {nodes}.")
        }
        Plot::Graph(graph) => {
            let mut groups = graph.groups.clone();
            groups.sort_unstable();
            groups.dedup();
            format!(
                "Graph of {} in {}, with {}.",
                counted(graph.nodes.len(), "node", "nodes"),
                counted(groups.len(), "group", "groups"),
                counted(graph.edges.len(), "edge", "edges"),
            )
        }
    };
    for reference in &figure.references {
        text.push_str(&format!(
            " Reference line {} at {}.",
            reference.name,
            format_exact(reference.value)
        ));
    }
    text
}

fn series_sentence<'a>(
    kind: &str,
    count: String,
    names: impl Iterator<Item = &'a str>,
    figure: &Figure,
    values: impl Iterator<Item = f64>,
) -> String {
    let names: Vec<&str> = names.filter(|name| !name.is_empty()).take(16).collect();
    let axes = match (figure.x.label.as_str(), figure.y.label.as_str()) {
        ("", "") => String::new(),
        ("", y) => format!(" of {y}"),
        (x, "") => format!(" over {x}"),
        (x, y) => format!(" of {y} over {x}"),
    };
    let listed = if names.is_empty() {
        String::new()
    } else {
        format!(": {}", names.join(", "))
    };
    format!("{kind}{axes}. {count}{listed}{}.", range_clause(values))
}

fn range_clause(values: impl Iterator<Item = f64>) -> String {
    let (low, high) = values.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| {
        (low.min(value), high.max(value))
    });
    if low <= high {
        format!(
            "; values from {} to {}",
            format_number(low),
            format_number(high)
        )
    } else {
        String::new()
    }
}
