//! Point clouds.

use chiasm_core::evidence::{Figure, Points};

use super::Drawn;
use crate::svg::axes::{horizontal_axis, reference_lines, vertical_axis};
use crate::svg::canvas::{Anchor, Canvas};
use crate::svg::labels::{Taken, place_beside};
use crate::svg::marks::{Swatch, colour_class, legend, marker, strokes};
use crate::svg::scale::domain;
use crate::svg::text::shortened;

/// Beyond so many points, they are drawn as plain dots in one path per cloud.
const MOST_MARKERS: usize = 600;
/// Beyond so many points, labels are left to the table.
const MOST_LABELS: usize = 60;

pub(super) fn draw(canvas: &mut Canvas, figure: &Figure, clouds: &[Points]) -> Drawn {
    let horizontal = clouds.iter().flat_map(|cloud| cloud.x.iter().copied());
    let vertical = clouds
        .iter()
        .flat_map(|cloud| cloud.y.iter().copied())
        .chain(figure.references.iter().map(|reference| reference.value));
    let (Some(x_domain), Some(y_domain)) = (
        domain(horizontal, figure.x.logarithmic),
        domain(vertical, figure.y.logarithmic),
    ) else {
        return Err("There is nothing to draw: there is no point.".to_string());
    };
    if clouds.iter().all(|cloud| cloud.x.is_empty()) {
        return Err("There is nothing to draw: there is no point.".to_string());
    }
    let names: Vec<String> = clouds.iter().map(|cloud| cloud.name.clone()).collect();
    let top = legend(canvas, 4.0, &names, Swatch::Marker, &figure.y.label);
    let axis = vertical_axis(canvas, top, &figure.y, y_domain, 0.0);
    let (frame, y) = (axis.frame, axis.scale);
    let x = horizontal_axis(canvas, &frame, &figure.x, x_domain, 12.0);
    let mut marks: Vec<Taken> = clouds
        .iter()
        .flat_map(|cloud| cloud.x.iter().zip(&cloud.y))
        .map(|(&across, &up)| around([x.place(across), y.place(up)]))
        .collect();
    reference_lines(canvas, &frame, &y, &figure.references, &marks);
    let total: usize = clouds.iter().map(|cloud| cloud.x.len()).sum();
    let mut labelled: Vec<([f64; 2], &str)> = Vec::new();
    for (series, cloud) in clouds.iter().enumerate() {
        let colour = colour_class(series);
        let places: Vec<[f64; 2]> = cloud
            .x
            .iter()
            .zip(&cloud.y)
            .map(|(&across, &up)| [x.place(across), y.place(up)])
            .collect();
        if total > MOST_MARKERS {
            // A stroke without length and with round ends is a dot.
            let dots = strokes(places.iter().map(|&place| [place, place]));
            canvas.path(&format!("{colour} cloud"), &dots);
            continue;
        }
        for (index, &place) in places.iter().enumerate() {
            let shape = marker(series, place, 4.5);
            match cloud.labels.get(index) {
                Some(label) => {
                    canvas.titled_path(&format!("{colour} dot"), &shape, label);
                    labelled.push((place, label));
                }
                None => canvas.path(&format!("{colour} dot"), &shape),
            }
        }
    }
    if total <= MOST_LABELS {
        let bounds = [frame.left, frame.top - 12.0, canvas.width(), frame.bottom];
        label_points(canvas, &labelled, &mut marks, bounds);
    }
    Ok(())
}

/// The room a marker takes.
fn around([x, y]: [f64; 2]) -> Taken {
    [x - 5.0, y - 5.0, x + 5.0, y + 5.0]
}

/// Writes the names of points where there is room beside them; the others tell theirs when pointed
/// at, and the table has all.
pub(super) fn label_points(
    canvas: &mut Canvas,
    points: &[([f64; 2], &str)],
    taken: &mut Vec<Taken>,
    bounds: Taken,
) {
    let font = canvas.font() - 1.0;
    for (place, label) in points {
        let label = shortened(label, font, 160.0);
        let (width, height) = (canvas.text_width(&label), font * 1.1);
        if let Some(free) = place_beside(*place, width, height, 7.0, &bounds, taken) {
            let at = [free[0], free[1] + height * 0.8];
            canvas.text("halo", at, Anchor::Start, &label);
            taken.push(free);
        }
    }
}
