//! Figures drawn: one file for each kind of marks.

mod bars;
mod describe;
mod graph;
mod heatmap;
mod interval;
mod lines;
mod scatter;
mod values;

use chiasm_core::evidence::{Figure, Plot};

use crate::svg::canvas::{Anchor, Canvas, Size};
use crate::svg::text::wrapped;
pub(crate) use describe::description;
pub(crate) use interval::interval_plot;
pub(crate) use values::{Cell, ValueTable, value_tables};

/// Draws a figure as an SVG file of its own. It has its own style for light and dark surroundings,
/// needs no other file, and names and describes itself to screen readers. A figure without marks,
/// or one that fails [`Figure::check`], becomes a sentence that says so.
pub fn figure_svg(figure: &Figure) -> String {
    draw(figure, Size::Wide, &identifier(&figure.id), true)
}

/// Draws a figure in one of the sizes, with ids that start with `id`.
pub(crate) fn draw(figure: &Figure, size: Size, id: &str, standalone: bool) -> String {
    let mut canvas = Canvas::new(size, id);
    let drawn = match figure.check() {
        Err(error) => Err(format!("This figure cannot be drawn. {error}")),
        Ok(()) => match &figure.plot {
            Plot::Lines(lines) => lines::draw(&mut canvas, figure, lines),
            Plot::Bars { groups, series } => bars::draw(&mut canvas, figure, groups, series),
            Plot::Scatter(clouds) => scatter::draw(&mut canvas, figure, clouds),
            Plot::Heatmap {
                rows,
                columns,
                values,
                colour,
            } => {
                let matrix = heatmap::Matrix {
                    rows,
                    columns,
                    values,
                    colour,
                };
                heatmap::draw(&mut canvas, figure, &matrix)
            }
            Plot::Graph(graph) => graph::draw(&mut canvas, figure, graph),
        },
    };
    if let Err(sentence) = drawn {
        canvas = Canvas::new(size, id);
        write_sentence(&mut canvas, &sentence);
    }
    canvas.finish(&figure.title, &description(figure), standalone)
}

/// What a drawing that has nothing to show says instead.
type Drawn = Result<(), String>;

fn write_sentence(canvas: &mut Canvas, sentence: &str) {
    let line = canvas.line_height();
    let mut y = 20.0;
    for text in wrapped(sentence, canvas.font(), canvas.width() - 24.0, 8) {
        y += line;
        canvas.text("soft", [12.0, y], Anchor::Start, &text);
    }
    canvas.height = y + 20.0;
}

/// A name as an id: letters, digits and hyphens.
pub(crate) fn identifier(name: &str) -> String {
    let mut id: String = name
        .chars()
        .map(|c| {
            if c.is_ascii_alphanumeric() {
                c.to_ascii_lowercase()
            } else {
                '-'
            }
        })
        .collect();
    if !id.starts_with(|c: char| c.is_ascii_alphabetic()) {
        id.insert_str(0, "f-");
    }
    id
}
