//! Bars in groups, with intervals.

use chiasm_core::evidence::{BarSeries, Figure};

use super::Drawn;
use crate::svg::axes::{axis_label, reference_lines, vertical_axis};
use crate::svg::canvas::Canvas;
use crate::svg::labels::Taken;
use crate::svg::marks::{
    Swatch, colour_class, define_hatches, hatch_id, legend, polyline, strokes,
};
use crate::svg::names::{least_left, names_below};
use crate::svg::scale::domain;

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
    let top = legend(canvas, 4.0, &names, Swatch::Bar, &figure.y.label);
    let axis = vertical_axis(
        canvas,
        top,
        &figure.y,
        y_domain,
        least_left(canvas, groups, 50.0),
    );
    let (frame, y) = (axis.frame, axis.scale);
    let slot = frame.width() / groups.len() as f64;
    let width = (slot * 0.78 / series.len() as f64).min(56.0);
    let ground = if logarithmic { y.domain()[0] } else { 0.0 };
    let mut whiskers = Vec::new();
    let mut marks: Vec<Taken> = Vec::new();
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
            marks.push([left, corner[1], left + wide, corner[1] + high]);
            if let Some(hatch) = hatch_id(canvas, index) {
                canvas.painted_rect(&hatch, corner, wide, high);
            }
            if let Some(intervals) = &bars.intervals {
                let [low, high] = intervals[group].map(|bound| y.place(bound));
                let middle = left + wide / 2.0;
                let cap = (wide * 0.25).min(5.0);
                marks.push([middle - cap, high.min(low), middle + cap, low.max(high)]);
                whiskers.push([[middle, low], [middle, high]]);
                whiskers.push([[middle - cap, low], [middle + cap, low]]);
                whiskers.push([[middle - cap, high], [middle + cap, high]]);
            }
        }
    }
    // A rim in the colour of the sheet keeps them visible on dark bars.
    let whiskers = strokes(whiskers);
    canvas.path("whisker-rim", &whiskers);
    canvas.path("whisker", &whiskers);
    let base = y.place(ground);
    canvas.path(
        "axis",
        &polyline(&[[frame.left, base], [frame.right, base]]),
    );
    reference_lines(canvas, &frame, &y, &figure.references, &marks);
    let end = names_below(canvas, &frame, groups);
    canvas.height = axis_label(canvas, &frame, &figure.x.label, end) + 6.0;
    Ok(())
}
