//! A matrix in colours.

use chiasm_core::evidence::Figure;

use super::Drawn;
use crate::markup::attributes;
use crate::number::Shared;
use crate::svg::axes::{Frame, axis_label};
use crate::svg::canvas::{Anchor, Canvas};
use crate::svg::colormap::{Colormap, colours_for, fraction, luminance, picture};
use crate::svg::labels::stride_without_overlap;
use crate::svg::names::{least_left, names_below};
use crate::svg::text::{shortened, wrapped};

/// The matrix with its labels.
#[derive(Clone, Copy, Debug)]
pub(super) struct Matrix<'a> {
    pub(super) rows: &'a [String],
    pub(super) columns: &'a [String],
    pub(super) values: &'a [Vec<f64>],
    pub(super) colour: &'a str,
}

/// Cells of small matrices are no larger.
const LARGEST_CELL: f64 = 64.0;
/// Steps of the legend's colours.
const LEGEND_STEPS: usize = 256;

pub(super) fn draw(canvas: &mut Canvas, figure: &Figure, matrix: &Matrix<'_>) -> Drawn {
    let (rows, columns) = (
        matrix.values.len(),
        matrix.values.first().map_or(0, Vec::len),
    );
    let all = || matrix.values.iter().flatten().copied();
    let (low, high) = (
        all().fold(f64::INFINITY, f64::min),
        all().fold(f64::NEG_INFINITY, f64::max),
    );
    if rows == 0 || columns == 0 {
        return Err("There is nothing to draw: the matrix is empty.".to_string());
    }
    let (map, range) = colours_for(low, high);
    let top = colour_legend(canvas, matrix.colour, map, range);
    let frame = layout(canvas, figure, matrix, top);
    let cell = |row: usize, column: usize| fraction(matrix.values[row][column], range);
    let Some(address) = picture(rows, columns, &cell, map) else {
        return Err("There is nothing to draw: the matrix is too large for a picture.".to_string());
    };
    canvas.markup().empty(
        "image",
        attributes![
            "class" => "pixels",
            "x" => frame.left, "y" => frame.top,
            "width" => frame.width(), "height" => frame.bottom - frame.top,
            "preserveAspectRatio" => "none",
            "href" => address,
        ],
    );
    canvas.markup().empty(
        "rect",
        attributes![
            "class" => "axis", "x" => frame.left, "y" => frame.top,
            "width" => frame.width(), "height" => frame.bottom - frame.top,
        ],
    );
    cell_values(canvas, &frame, matrix, map, range);
    row_labels(canvas, &frame, matrix.rows, rows);
    let end = names_below(canvas, &frame, matrix.columns);
    canvas.height = axis_label(canvas, &frame, &figure.x.label, end) + 6.0;
    Ok(())
}

/// A bar of all colours with the numbers they stand for. Returns where it ends.
fn colour_legend(canvas: &mut Canvas, label: &str, map: Colormap, range: [f64; 2]) -> f64 {
    let (font, line) = (canvas.font(), canvas.line_height());
    let mut y = 4.0;
    for text in wrapped(label, font, canvas.width() - 12.0, 2) {
        y += line;
        canvas.text("soft", [4.0, y - line * 0.25], Anchor::Start, &text);
    }
    let (left, width, height) = (4.0, 220.0f64.min(canvas.width() - 8.0), 12.0);
    y += 3.0;
    let step = |_: usize, column: usize| column as f64 / (LEGEND_STEPS - 1) as f64;
    if let Some(address) = picture(1, LEGEND_STEPS, &step, map) {
        canvas.markup().empty(
            "image",
            attributes![
                "x" => left, "y" => y, "width" => width, "height" => height,
                "preserveAspectRatio" => "none", "href" => address,
            ],
        );
    }
    canvas.rect("axis", [left, y], width, height);
    let [low, high] = range;
    let middle = low / 2.0 + high / 2.0;
    let format = Shared::for_values(&range);
    let text_y = y + height + font + 2.0;
    for (value, x, anchor) in [
        (low, left, Anchor::Start),
        (middle, left + width / 2.0, Anchor::Middle),
        (high, left + width, Anchor::End),
    ] {
        // A single value, or three that read the same, is told once.
        if anchor == Anchor::Start || low < high {
            canvas.text("soft", [x, text_y], anchor, &format.write(value));
        }
    }
    text_y + 4.0
}

/// Finds the matrix' place: square cells where they fit, and room for labels.
fn layout(canvas: &mut Canvas, figure: &Figure, matrix: &Matrix<'_>, top: f64) -> Frame {
    let (font, line) = (canvas.font(), canvas.line_height());
    let widest = matrix
        .rows
        .iter()
        .map(|name| canvas.text_width(name))
        .fold(0.0, f64::max)
        .min(canvas.width() * 0.28);
    let mut y = top + 4.0;
    for text in wrapped(&figure.y.label, font, canvas.width() - 12.0, 2) {
        y += line;
        canvas.text("soft", [4.0, y - line * 0.25], Anchor::Start, &text);
    }
    let left = if widest > 0.0 { widest + 10.0 } else { 6.0 };
    let left = left.max(least_left(canvas, matrix.columns, left));
    let room = canvas.width() - left - 8.0;
    let (rows, columns) = (matrix.values.len() as f64, matrix.values[0].len() as f64);
    let room = room.min(LARGEST_CELL * columns);
    let tallest = (canvas.size.plot_height() * 1.5).min(LARGEST_CELL * rows);
    let (width, height) = if (0.2..5.0).contains(&(rows / columns)) {
        // Not too far from square: keep the cells square.
        let cell = (room / columns).min(tallest / rows);
        (cell * columns, cell * rows)
    } else {
        (room, tallest.min(LARGEST_CELL * 2.0 * rows))
    };
    Frame {
        left,
        top: y + 6.0,
        right: left + width,
        bottom: y + 6.0 + height,
    }
}

/// Writes the values into the cells of a small matrix.
fn cell_values(
    canvas: &mut Canvas,
    frame: &Frame,
    matrix: &Matrix<'_>,
    map: Colormap,
    range: [f64; 2],
) {
    let (rows, columns) = (matrix.values.len(), matrix.values[0].len());
    let width = frame.width() / columns as f64;
    let height = (frame.bottom - frame.top) / rows as f64;
    let font = canvas.font();
    if rows * columns > 400 || height < font + 4.0 {
        return;
    }
    let all: Vec<f64> = matrix.values.iter().flatten().copied().collect();
    let format = Shared::for_values(&all);
    let texts: Vec<Vec<String>> = matrix
        .values
        .iter()
        .map(|row| row.iter().map(|&value| format.write(value)).collect())
        .collect();
    let fits = texts
        .iter()
        .flatten()
        .all(|text| canvas.text_width(text) + 4.0 <= width);
    if !fits {
        return;
    }
    for (row, texts) in texts.iter().enumerate() {
        for (column, text) in texts.iter().enumerate() {
            let colour = map.colour(fraction(matrix.values[row][column], range));
            // Of black and white, the one that stands out more.
            let class = if luminance(colour) > 0.179 {
                "on-light"
            } else {
                "on-dark"
            };
            let center = [
                frame.left + width * (column as f64 + 0.5),
                frame.top + height * (row as f64 + 0.5) + font * 0.35,
            ];
            canvas.text(class, center, Anchor::Middle, text);
        }
    }
}

fn row_labels(canvas: &mut Canvas, frame: &Frame, names: &[String], rows: usize) {
    let font = canvas.font();
    let height = (frame.bottom - frame.top) / rows as f64;
    let centers: Vec<f64> = (0..names.len())
        .map(|row| frame.top + height * (row as f64 + 0.5))
        .collect();
    let stride = stride_without_overlap(&centers, &vec![font; names.len()], 1.0);
    for (name, center) in names.iter().zip(&centers).step_by(stride) {
        let name = shortened(name, font, frame.left - 8.0);
        let at = [frame.left - 6.0, center + font * 0.35];
        canvas.text("", at, Anchor::End, &name);
    }
}
