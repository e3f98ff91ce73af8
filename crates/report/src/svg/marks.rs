//! What tells series apart: a colour, a marker's shape, a dash and a hatch, so that none is told by
//! its colour alone.

use crate::markup::{Markup, attributes, write_coordinate};
use crate::svg::canvas::{Anchor, Canvas};
use crate::svg::text::shortened;

/// Number of colours.
pub(crate) const COLOURS: usize = 8;
const SHAPES: usize = 7;
const DASHES: usize = 5;
const HATCHES: usize = 5;

/// The class that gives a series its colour.
pub(crate) fn colour_class(series: usize) -> String {
    format!("s{}", series % COLOURS)
}

/// The class that gives a series its dash; series beyond the colours shift to the next dash.
pub(crate) fn dash_class(series: usize) -> String {
    format!("dash-{}", (series + series / COLOURS) % DASHES)
}

/// A marker of a series around `center` as path data, about `radius` in each direction.
pub(crate) fn marker(series: usize, center: [f64; 2], radius: f64) -> String {
    let shape = (series + series / COLOURS) % SHAPES;
    let point = |x: f64, y: f64| [center[0] + x * radius, center[1] + y * radius];
    match shape {
        0 => circle(center, radius),
        1 => polygon(&[
            point(-0.9, -0.9),
            point(0.9, -0.9),
            point(0.9, 0.9),
            point(-0.9, 0.9),
        ]),
        2 => polygon(&[point(0.0, -1.2), point(1.15, 0.85), point(-1.15, 0.85)]),
        3 => polygon(&[
            point(0.0, -1.3),
            point(1.3, 0.0),
            point(0.0, 1.3),
            point(-1.3, 0.0),
        ]),
        4 => polygon(&[point(0.0, 1.2), point(1.15, -0.85), point(-1.15, -0.85)]),
        5 => polygon(&[
            point(-0.4, -1.2),
            point(0.4, -1.2),
            point(0.4, -0.4),
            point(1.2, -0.4),
            point(1.2, 0.4),
            point(0.4, 0.4),
            point(0.4, 1.2),
            point(-0.4, 1.2),
            point(-0.4, 0.4),
            point(-1.2, 0.4),
            point(-1.2, -0.4),
            point(-0.4, -0.4),
        ]),
        _ => polygon(&[
            point(0.0, -0.55),
            point(0.6, -1.15),
            point(1.15, -0.6),
            point(0.55, 0.0),
            point(1.15, 0.6),
            point(0.6, 1.15),
            point(0.0, 0.55),
            point(-0.6, 1.15),
            point(-1.15, 0.6),
            point(-0.55, 0.0),
            point(-1.15, -0.6),
            point(-0.6, -1.15),
        ]),
    }
}

/// A circle as path data.
pub(crate) fn circle(center: [f64; 2], radius: f64) -> String {
    let mut data = String::from("M");
    push_point(&mut data, [center[0] - radius, center[1]]);
    for side in ["2", "-2"] {
        data.push('a');
        write_coordinate(&mut data, radius);
        data.push(' ');
        write_coordinate(&mut data, radius);
        data.push_str(" 0 1 0 ");
        write_coordinate(
            &mut data,
            if side == "2" {
                2.0 * radius
            } else {
                -2.0 * radius
            },
        );
        data.push_str(" 0");
    }
    data.push('z');
    data
}

/// A closed polygon as path data.
pub(crate) fn polygon(points: &[[f64; 2]]) -> String {
    let mut data = polyline(points);
    data.push('z');
    data
}

/// An open line through points as path data.
pub(crate) fn polyline(points: &[[f64; 2]]) -> String {
    let mut data = String::new();
    for (index, &point) in points.iter().enumerate() {
        data.push(if index == 0 { 'M' } else { 'L' });
        push_point(&mut data, point);
    }
    data
}

/// Many separate strokes as one path.
pub(crate) fn strokes(segments: impl IntoIterator<Item = [[f64; 2]; 2]>) -> String {
    let mut data = String::new();
    for [from, to] in segments {
        data.push('M');
        push_point(&mut data, from);
        data.push('L');
        push_point(&mut data, to);
    }
    data
}

fn push_point(data: &mut String, point: [f64; 2]) {
    write_coordinate(data, point[0]);
    data.push(' ');
    write_coordinate(data, point[1]);
}

/// The name of the hatch that a series' bars carry over their colour; the first carries none.
pub(crate) fn hatch_id(canvas: &Canvas, series: usize) -> Option<String> {
    let hatch = (series + series / COLOURS) % HATCHES;
    (hatch > 0).then(|| format!("{}-hatch-{hatch}", canvas.id))
}

/// Defines the hatches that `series` bars need.
pub(crate) fn define_hatches(canvas: &mut Canvas, series: usize) {
    if series < 2 {
        return;
    }
    let ids: Vec<String> = (1..HATCHES.min(series))
        .map(|hatch| format!("{}-hatch-{hatch}", canvas.id))
        .collect();
    let markup = canvas.markup();
    markup.open("defs", &[]);
    for (id, hatch) in ids.iter().zip(1..) {
        define_hatch(markup, id, hatch);
    }
    markup.close();
}

fn define_hatch(markup: &mut Markup, id: &str, hatch: usize) {
    let turn = match hatch {
        1 | 2 => "rotate(45)",
        3 => "rotate(0)",
        _ => "rotate(-45)",
    };
    markup.open(
        "pattern",
        attributes![
            "id" => id, "width" => 7.0, "height" => 7.0,
            "patternUnits" => "userSpaceOnUse", "patternTransform" => turn,
        ],
    );
    if hatch == 2 {
        markup.empty(
            "circle",
            attributes!["class" => "speck", "cx" => 3.5, "cy" => 3.5, "r" => 1.4],
        );
    } else {
        markup.empty("path", attributes!["class" => "hatch", "d" => "M0 3.5H7"]);
    }
    markup.close();
}

/// What a legend shows beside a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Swatch {
    Line { with_marker: bool },
    Bar,
    Marker,
}

/// Draws a legend from `top` on, in as many rows as needed, and returns where it ends. A single
/// series needs none if it has no name or the vertical axis' label tells it.
pub(crate) fn legend(
    canvas: &mut Canvas,
    top: f64,
    names: &[String],
    swatch: Swatch,
    axis: &str,
) -> f64 {
    const MOST: usize = 16;
    const SWATCH: f64 = 26.0;
    let told_by_axis = |name: &str| axis.to_lowercase().contains(&name.to_lowercase());
    if names.iter().all(|name| name.is_empty()) || names.len() == 1 && told_by_axis(&names[0]) {
        return top;
    }
    let (font, row) = (canvas.font(), canvas.line_height() + 3.0);
    let room = canvas.width() - 8.0;
    let (mut x, mut y) = (4.0, top + row / 2.0);
    let mut entries: Vec<(Option<usize>, String)> = names
        .iter()
        .take(MOST)
        .enumerate()
        .map(|(series, name)| (Some(series), name.clone()))
        .collect();
    if names.len() > MOST {
        entries.push((None, format!("and {} more", names.len() - MOST)));
    }
    for (series, name) in entries {
        let name = shortened(&name, font, room - SWATCH);
        let width = SWATCH + canvas.text_width(&name) + 12.0;
        if x + width - 12.0 > room && x > 4.0 {
            x = 4.0;
            y += row;
        }
        if let Some(series) = series {
            draw_swatch(canvas, series, swatch, [x, y]);
        }
        canvas.text("", [x + SWATCH, y + font * 0.35], Anchor::Start, &name);
        x += width;
    }
    y + row / 2.0
}

fn draw_swatch(canvas: &mut Canvas, series: usize, swatch: Swatch, [x, y]: [f64; 2]) {
    let colour = colour_class(series);
    match swatch {
        Swatch::Line { with_marker } => {
            let line = polyline(&[[x, y], [x + 20.0, y]]);
            canvas.path(&format!("{colour} curve {}", dash_class(series)), &line);
            if with_marker {
                canvas.path(
                    &format!("{colour} dot"),
                    &marker(series, [x + 10.0, y], 4.0),
                );
            }
        }
        Swatch::Bar => {
            canvas.rect(&format!("{colour} bar"), [x, y - 6.0], 20.0, 12.0);
            if let Some(hatch) = hatch_id(canvas, series) {
                canvas.painted_rect(&hatch, [x, y - 6.0], 20.0, 12.0);
            }
        }
        Swatch::Marker => {
            canvas.path(
                &format!("{colour} dot"),
                &marker(series, [x + 10.0, y], 4.5),
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn the_first_forty_series_differ_in_colour_or_dash_and_in_colour_or_marker() {
        let looks: BTreeSet<_> = (0..40)
            .map(|series| (colour_class(series), dash_class(series)))
            .collect();
        assert_eq!(looks.len(), 40);
        let marks: BTreeSet<_> = (0..40)
            .map(|series| (colour_class(series), marker(series, [0.0, 0.0], 4.0)))
            .collect();
        assert_eq!(marks.len(), 40);
        // Neighbours differ even without colour.
        for series in 0..40 {
            assert_ne!(dash_class(series), dash_class(series + 1));
            assert_ne!(
                marker(series, [0.0, 0.0], 4.0),
                marker(series + 1, [0.0, 0.0], 4.0)
            );
        }
    }
}
