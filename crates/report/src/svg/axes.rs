//! The axes of a plot with horizontal and vertical positions.

use chiasm_core::evidence::{Axis, Reference};

use crate::svg::canvas::{Anchor, Canvas};
use crate::svg::labels::{Taken, overlap, stride_without_overlap};
use crate::svg::scale::Scale;
use crate::svg::text::{shortened, wrapped};
use crate::svg::ticks::{Ticks, ticks};

/// The area inside the axes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Frame {
    pub(crate) left: f64,
    pub(crate) top: f64,
    pub(crate) right: f64,
    pub(crate) bottom: f64,
}

impl Frame {
    pub(crate) fn width(&self) -> f64 {
        self.right - self.left
    }
}

/// The vertical axis, drawn, with the area that is left beside it.
#[derive(Debug)]
pub(crate) struct Vertical {
    pub(crate) frame: Frame,
    pub(crate) scale: Scale,
}

/// Draws the vertical axis with its grid. Its label stands above it, where it reads without turning
/// the head and takes no width. The area beside it starts at `least_left` or further right.
pub(crate) fn vertical_axis(
    canvas: &mut Canvas,
    top: f64,
    axis: &Axis,
    domain: [f64; 2],
    least_left: f64,
) -> Vertical {
    let (font, line) = (canvas.font(), canvas.line_height());
    let mut y = top + 2.0;
    for text in wrapped(&axis.label, font, canvas.width() - 12.0, 2) {
        y += line;
        canvas.text("soft", [4.0, y - line * 0.25], Anchor::Start, &text);
    }
    let ticks = ticks(domain, axis.logarithmic, 5);
    let widest = ticks
        .labels
        .iter()
        .map(|label| canvas.text_width(label))
        .fold(0.0, f64::max)
        .min(canvas.width() * 0.3);
    let frame = Frame {
        left: (widest + 12.0).max(least_left).round(),
        top: (y + 12.0).round(),
        right: canvas.width() - 14.0,
        bottom: (y + 12.0 + canvas.size.plot_height()).round(),
    };
    let scale = Scale::new(ticks.domain, [frame.bottom, frame.top], axis.logarithmic);
    let heights: Vec<f64> = ticks.values.iter().map(|&v| scale.place(v)).collect();
    let stride = stride_without_overlap(&heights, &vec![font; heights.len()], 2.0);
    for (index, (&y, label)) in heights.iter().zip(&ticks.labels).enumerate() {
        canvas.line("grid", [frame.left, y], [frame.right, y]);
        if index % stride == 0 {
            let label = shortened(label, font, widest + 4.0);
            canvas.text(
                "soft",
                [frame.left - 8.0, y + font * 0.35],
                Anchor::End,
                &label,
            );
        }
    }
    for value in ticks.minor {
        let y = scale.place(value);
        canvas.line("axis", [frame.left - 4.0, y], [frame.left, y]);
    }
    Vertical { frame, scale }
}

/// Draws the horizontal axis of numbers below `frame` and returns its scale; the canvas then ends
/// below the axis' label.
pub(crate) fn horizontal_axis(
    canvas: &mut Canvas,
    frame: &Frame,
    axis: &Axis,
    domain: [f64; 2],
    padding: f64,
) -> Scale {
    let font = canvas.font();
    // Room for about one label in each 80 pixels; the conversion of a small count is exact.
    let about = ((frame.width() / 80.0) as usize).max(2);
    let Ticks {
        domain: widened,
        values,
        labels,
        minor,
    } = ticks(domain, axis.logarithmic, about);
    // The axis ends with the data, so that curves fill the width, and ticks outside are left out:
    // unless too few would be left.
    let inside = |value: &&f64| (domain[0]..=domain[1]).contains(*value);
    let domain = if values.iter().filter(inside).count() < 2 {
        widened
    } else {
        domain
    };
    let scale = Scale::new(
        domain,
        [frame.left + padding, frame.right - padding],
        axis.logarithmic,
    );
    let shown: Vec<(f64, String)> = values
        .into_iter()
        .zip(labels)
        .filter(|(value, _)| scale.holds(*value))
        .map(|(value, label)| (scale.place(value), label))
        .collect();
    let places: Vec<f64> = shown.iter().map(|(place, _)| *place).collect();
    let widths: Vec<f64> = shown
        .iter()
        .map(|(_, label)| canvas.text_width(label))
        .collect();
    let stride = stride_without_overlap(&places, &widths, 8.0);
    canvas.line(
        "axis",
        [frame.left, frame.bottom],
        [frame.right, frame.bottom],
    );
    for (index, (x, label)) in shown.iter().enumerate() {
        canvas.line("axis", [*x, frame.bottom], [*x, frame.bottom + 5.0]);
        if index % stride == 0 {
            let half = canvas.text_width(label) / 2.0;
            let center = x.min(canvas.width() - half).max(half.min(*x));
            canvas.text(
                "soft",
                [center, frame.bottom + 8.0 + font],
                Anchor::Middle,
                label,
            );
        }
    }
    for value in minor.into_iter().filter(|value| scale.holds(*value)) {
        let x = scale.place(value);
        canvas.line("axis", [x, frame.bottom], [x, frame.bottom + 3.0]);
    }
    let end = frame.bottom + 10.0 + font;
    canvas.height = axis_label(canvas, frame, &axis.label, end) + 6.0;
    scale
}

/// Writes a horizontal axis' label below `top` and returns where it ends.
pub(crate) fn axis_label(canvas: &mut Canvas, frame: &Frame, label: &str, top: f64) -> f64 {
    let line = canvas.line_height();
    let mut y = top + 2.0;
    let center = (frame.left + frame.right) / 2.0;
    let room = 2.0 * (canvas.width() - center - 4.0).min(center - 4.0);
    for text in wrapped(label, canvas.font(), room, 2) {
        y += line;
        canvas.text("soft", [center, y - line * 0.25], Anchor::Middle, &text);
    }
    y
}

/// Draws reference lines over the marks, each with its name where it lies on no other name and on
/// as few of the `marks` as can be.
pub(crate) fn reference_lines(
    canvas: &mut Canvas,
    frame: &Frame,
    scale: &Scale,
    references: &[Reference],
    marks: &[Taken],
) {
    let font = canvas.font();
    let mut names: Vec<Taken> = Vec::new();
    for reference in references
        .iter()
        .filter(|reference| scale.holds(reference.value))
    {
        let y = scale.place(reference.value);
        canvas.line("reference", [frame.left, y], [frame.right, y]);
        let name = shortened(&reference.name, font, frame.width() * 0.6);
        let width = canvas.text_width(&name) + 6.0;
        let room = frame.width() - width;
        let best = [1.0, 0.0, 0.75, 0.25, 0.5]
            .into_iter()
            .flat_map(|along| [(along, y - font - 3.0), (along, y + 3.0)])
            .map(|(along, top)| {
                let left = frame.left + along * room;
                [left, top, left + width, top + font]
            })
            .filter(|place| {
                let inside = place[1] >= frame.top - font - 4.0 && place[3] <= frame.bottom;
                inside && !names.iter().any(|other| overlap(place, other))
            })
            .min_by_key(|place| marks.iter().filter(|mark| overlap(place, mark)).count());
        // Where no place is free, the table still names it.
        if let Some(place) = best {
            let at = [place[0] + 3.0, place[1] + font * 0.85];
            canvas.text("halo", at, Anchor::Start, &name);
            names.push(place);
        }
    }
}

/// Rectangles along a line through `points`, for names to stay off.
pub(crate) fn boxes_along(points: &[[f64; 2]]) -> Vec<Taken> {
    const STEP: f64 = 8.0;
    let around = |[x, y]: [f64; 2]| [x - 4.0, y - 4.0, x + 4.0, y + 4.0];
    let mut boxes: Vec<Taken> = points.iter().copied().map(around).collect();
    for pair in points.windows(2) {
        let [from, to] = [pair[0], pair[1]];
        let length = (to[0] - from[0]).hypot(to[1] - from[1]);
        let steps = (length / STEP).floor();
        let mut step = 1.0;
        while step < steps {
            let part = step / steps;
            boxes.push(around([
                from[0] + part * (to[0] - from[0]),
                from[1] + part * (to[1] - from[1]),
            ]));
            step += 1.0;
        }
    }
    boxes
}
