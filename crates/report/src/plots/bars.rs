//! Bars in groups, with intervals.

use chiasm_core::evidence::{BarSeries, Figure};

use super::Drawn;
use crate::svg::axes::{Frame, axis_label, reference_lines, vertical_axis};
use crate::svg::canvas::{Anchor, Canvas};
use crate::svg::labels::stride_without_overlap;
use crate::svg::marks::{
    Swatch, colour_class, define_hatches, hatch_id, legend, polyline, strokes,
};
use crate::svg::scale::domain;
use crate::svg::text::{shortened, wrapped};

/// Turned labels are at most so wide.
const TURNED_ROOM: f64 = 120.0;

pub(super) fn draw(
    canvas: &mut Canvas,
    figure: &Figure,
    groups: &[String],
    series: &[BarSeries],
) -> Drawn {
    if groups.is_empty() || series.is_empty() {
        return Err("There is nothing to draw: no group has a bar.".to_string());
    }
    let logarithmic = figure.y.logarithmic;
    let values = series
        .iter()
        .flat_map(|bars| {
            let bounds = bars.intervals.iter().flatten().flatten().copied();
            bars.values.iter().copied().chain(bounds)
        })
        .chain(figure.references.iter().map(|reference| reference.value))
        // A bar's length is its value, so linear axes start at zero.
        .chain((!logarithmic).then_some(0.0));
    let Some(y_domain) = domain(values, logarithmic) else {
        return Err("There is nothing to draw: no bar has a value.".to_string());
    };
    define_hatches(canvas, series.len());
    let names: Vec<String> = series.iter().map(|bars| bars.name.clone()).collect();
    let top = legend(canvas, 4.0, &names, Swatch::Bar);
    let axis = vertical_axis(canvas, top, &figure.y, y_domain);
    let (frame, y) = (axis.frame, axis.scale);
    let slot = frame.width() / groups.len() as f64;
    let width = (slot * 0.78 / series.len() as f64).min(56.0);
    let ground = if logarithmic { y.domain()[0] } else { 0.0 };
    let mut whiskers = Vec::new();
    for group in 0..groups.len() {
        let center = frame.left + slot * (group as f64 + 0.5);
        let start = center - width * series.len() as f64 / 2.0;
        for (index, bars) in series.iter().enumerate() {
            let left = start + width * index as f64;
            let (from, to) = (y.place(ground), y.place(bars.values[group]));
            let corner = [left, from.min(to)];
            let gap = if width > 6.0 { 1.5 } else { 0.0 };
            let (wide, high) = (width - gap, (from - to).abs().max(0.75));
            canvas.rect(&format!("{} bar", colour_class(index)), corner, wide, high);
            if let Some(hatch) = hatch_id(canvas, index) {
                canvas.painted_rect(&hatch, corner, wide, high);
            }
            if let Some(intervals) = &bars.intervals {
                let [low, high] = intervals[group].map(|bound| y.place(bound));
                let middle = left + wide / 2.0;
                let cap = (wide * 0.25).min(5.0);
                whiskers.push([[middle, low], [middle, high]]);
                whiskers.push([[middle - cap, low], [middle + cap, low]]);
                whiskers.push([[middle - cap, high], [middle + cap, high]]);
            }
        }
    }
    if !whiskers.is_empty() {
        canvas.path("whisker", &strokes(whiskers));
    }
    let base = y.place(ground);
    canvas.path(
        "axis",
        &polyline(&[[frame.left, base], [frame.right, base]]),
    );
    reference_lines(canvas, &frame, &y, &figure.references);
    let end = group_labels(canvas, &frame, groups, slot);
    canvas.height = axis_label(canvas, &frame, &figure.x.label, end) + 6.0;
    Ok(())
}

/// Writes the groups' names: upright in up to three lines where they fit, else turned, and thinned
/// where there are too many even for that. Returns where they end.
fn group_labels(canvas: &mut Canvas, frame: &Frame, groups: &[String], slot: f64) -> f64 {
    let (font, line) = (canvas.font(), canvas.line_height());
    let center = |group: usize| frame.left + slot * (group as f64 + 0.5);
    let top = frame.bottom + 6.0;
    let longest_word = groups
        .iter()
        .flat_map(|name| name.split_whitespace())
        .map(|word| canvas.text_width(word))
        .fold(0.0, f64::max);
    let lines: Vec<Vec<String>> = groups
        .iter()
        .map(|name| wrapped(name, font, slot - 6.0, 4))
        .collect();
    let most = lines.iter().map(Vec::len).max().unwrap_or(0);
    if longest_word <= slot - 6.0 && most <= 3 {
        for (group, lines) in lines.iter().enumerate() {
            for (row, text) in lines.iter().enumerate() {
                let y = top + line * (row as f64 + 0.75);
                canvas.text("", [center(group), y], Anchor::Middle, text);
            }
        }
        return top + line * most as f64;
    }
    let centers: Vec<f64> = (0..groups.len()).map(center).collect();
    let stride = stride_without_overlap(&centers, &vec![font; groups.len()], 2.0);
    let (sine, cosine) = 40f64.to_radians().sin_cos();
    let mut lowest: f64 = 0.0;
    for (group, name) in groups.iter().enumerate().step_by(stride) {
        // A turned label reaches left of its tick, at most to the edge of the sheet.
        let room = TURNED_ROOM.min((center(group) - 4.0) / cosine);
        let text = shortened(name, font, room);
        lowest = lowest.max(canvas.text_width(&text) * sine);
        canvas.turned_text("", [center(group) + 4.0, top + font * 0.7], -40.0, &text);
    }
    top + lowest + line
}
