//! Curves with bands.

use chiasm_core::evidence::{Figure, Line};

use super::Drawn;
use crate::svg::axes::{boxes_along, horizontal_axis, reference_lines, vertical_axis};
use crate::svg::canvas::Canvas;
use crate::svg::labels::Taken;
use crate::svg::marks::{Swatch, colour_class, dash_class, legend, marker, polygon, polyline};
use crate::svg::scale::domain;

/// Curves of up to so many points show each of them with a marker.
const MARKED: usize = 16;

pub(super) fn draw(canvas: &mut Canvas, figure: &Figure, lines: &[Line]) -> Drawn {
    let horizontal = lines.iter().flat_map(|line| line.x.iter().copied());
    let vertical = lines
        .iter()
        .flat_map(|line| {
            let bounds = line.band.iter().flatten().flatten().copied();
            line.y.iter().copied().chain(bounds)
        })
        .chain(figure.references.iter().map(|reference| reference.value));
    let (Some(x_domain), Some(y_domain)) = (
        domain(horizontal, figure.x.logarithmic),
        domain(vertical, figure.y.logarithmic),
    ) else {
        return Err("There is nothing to draw: no curve has a point.".to_string());
    };
    let with_marker = lines.iter().all(|line| line.x.len() <= MARKED);
    let names: Vec<String> = lines.iter().map(|line| line.name.clone()).collect();
    let top = legend(
        canvas,
        4.0,
        &names,
        Swatch::Line { with_marker },
        &figure.y.label,
    );
    let axis = vertical_axis(canvas, top, &figure.y, y_domain, 0.0);
    let (frame, y) = (axis.frame, axis.scale);
    let padding = if with_marker { 8.0 } else { 0.0 };
    let x = horizontal_axis(canvas, &frame, &figure.x, x_domain, padding);
    for (series, line) in lines.iter().enumerate() {
        if let Some(band) = &line.band {
            let side = |bound: usize| -> Vec<[f64; 2]> {
                line.x
                    .iter()
                    .zip(band)
                    .map(|(&at, bounds)| [x.place(at), y.place(bounds[bound])])
                    .collect()
            };
            let mut outline = side(0);
            outline.extend(side(1).into_iter().rev());
            if outline.len() == 2 {
                canvas.path(
                    &format!("{} interval", colour_class(series)),
                    &polyline(&outline),
                );
            } else {
                canvas.path(
                    &format!("{} band", colour_class(series)),
                    &polygon(&outline),
                );
            }
        }
    }
    let places: Vec<Vec<[f64; 2]>> = lines
        .iter()
        .map(|line| {
            let points = line.x.iter().zip(&line.y);
            points
                .map(|(&across, &up)| [x.place(across), y.place(up)])
                .collect()
        })
        .collect();
    let marks: Vec<Taken> = places
        .iter()
        .flat_map(|points| boxes_along(points))
        .collect();
    reference_lines(canvas, &frame, &y, &figure.references, &marks);
    for (series, points) in places.iter().enumerate() {
        let colour = colour_class(series);
        if points.len() > 1 {
            let class = format!("{colour} curve {}", dash_class(series));
            canvas.path(&class, &polyline(points));
        }
        if with_marker || points.len() == 1 {
            for &point in points {
                canvas.path(&format!("{colour} dot"), &marker(series, point, 4.2));
            }
        }
    }
    Ok(())
}
