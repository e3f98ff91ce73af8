//! Nodes and weighted edges.

use chiasm_core::evidence::{Figure, Graph};

use super::Drawn;
use super::scatter::label_points;
use crate::svg::axes::{Frame, axis_label};
use crate::svg::canvas::Canvas;
use crate::svg::labels::Taken;
use crate::svg::marks::{Swatch, colour_class, legend, marker, strokes};
use crate::svg::scale::domain;

/// Classes of edge width.
const WIDTHS: usize = 5;

pub(super) fn draw(canvas: &mut Canvas, figure: &Figure, graph: &Graph) -> Drawn {
    let span = |axis: usize| domain(graph.places.iter().map(|place| place[axis]), false);
    let (Some(across), Some(up)) = (span(0), span(1)) else {
        return Err("There is nothing to draw: the graph has no node.".to_string());
    };
    let mut groups = graph.groups.clone();
    groups.sort_unstable();
    groups.dedup();
    let names: Vec<String> = groups
        .iter()
        .map(|group| format!("group {group}"))
        .collect();
    let top = if names.len() > 1 {
        legend(canvas, 4.0, &names, Swatch::Marker, "")
    } else {
        4.0
    };
    let margin = 16.0;
    // Room for labels at either side.
    let (width, height) = (
        canvas.width() - 2.0 * (margin + 30.0),
        canvas.size.plot_height() * 1.25,
    );
    // Halved first, so that the two ends of the number range do not overflow.
    let half = [across, up].map(|[low, high]| high / 2.0 - low / 2.0);
    let unit = (half[0] / width).max(half[1] / height);
    let center = [across, up].map(|[low, high]| low / 2.0 + high / 2.0);
    let drawn_height = (half[1] / unit).max(60.0);
    let middle = [canvas.width() / 2.0, top + margin + drawn_height / 2.0];
    let places: Vec<[f64; 2]> = graph
        .places
        .iter()
        .map(|place| {
            // Between -1/2 and 1/2 of the drawn width or height.
            let x = (place[0] / 2.0 - center[0] / 2.0) / unit;
            let y = (place[1] / 2.0 - center[1] / 2.0) / unit;
            [middle[0] + x, middle[1] - y]
        })
        .collect();
    draw_edges(canvas, graph, &places);
    let radius = if graph.nodes.len() > 150 { 3.5 } else { 5.5 };
    let mut taken: Vec<Taken> = Vec::new();
    for (node, &place) in places.iter().enumerate() {
        let series = groups.binary_search(&graph.groups[node]).unwrap_or(0);
        let class = format!("{} dot", colour_class(series));
        canvas.titled_path(&class, &marker(series, place, radius), &graph.nodes[node]);
        taken.push([
            place[0] - radius,
            place[1] - radius,
            place[0] + radius,
            place[1] + radius,
        ]);
    }
    let bottom = top + 2.0 * margin + drawn_height;
    if graph.nodes.len() <= 60 {
        let labelled: Vec<([f64; 2], &str)> = places
            .iter()
            .zip(&graph.nodes)
            .map(|(&place, name)| (place, name.as_str()))
            .collect();
        label_points(
            canvas,
            &labelled,
            &mut taken,
            [0.0, top, canvas.width(), bottom + 4.0],
        );
    }
    let frame = Frame {
        left: 0.0,
        top,
        right: canvas.width(),
        bottom,
    };
    canvas.height = axis_label(canvas, &frame, &figure.x.label, bottom) + 8.0;
    Ok(())
}

/// Heavier edges are wider and darker, and lie above lighter ones.
fn draw_edges(canvas: &mut Canvas, graph: &Graph, places: &[[f64; 2]]) {
    for class in 0..WIDTHS {
        let (low, high) = (class as f64 / 5.0, (class + 1) as f64 / 5.0);
        let data = strokes(
            graph
                .edges
                .iter()
                .filter(|&&(_, _, weight)| weight >= low && (weight < high || class == WIDTHS - 1))
                .map(|&(from, to, _)| [places[from], places[to]]),
        );
        canvas.path(&format!("edge edge-{class}"), &data);
    }
}
