//! Names of groups or columns below a plot.

use crate::svg::axes::Frame;
use crate::svg::canvas::{Anchor, Canvas};
use crate::svg::labels::stride_without_overlap;
use crate::svg::text::{shortened, wrapped};

/// How far names are turned, in degrees, where they do not fit upright.
const TURN: f64 = 40.0;
/// Upright names have at most so many lines.
const LINES: usize = 3;

/// The names in lines where every one of them fits upright into a slot of its own.
fn upright(canvas: &Canvas, names: &[String], slot: f64) -> Option<Vec<Vec<String>>> {
    let room = slot - 6.0;
    let words = || names.iter().flat_map(|name| name.split_whitespace());
    if words().any(|word| canvas.text_width(word) > room) {
        return None;
    }
    let lines: Vec<Vec<String>> = names
        .iter()
        .map(|name| wrapped(name, canvas.font(), room, LINES + 1))
        .collect();
    lines
        .iter()
        .all(|lines| lines.len() <= LINES)
        .then_some(lines)
}

/// Turned names are at most so long.
fn turned_room(canvas: &Canvas) -> f64 {
    canvas.width() * 0.27
}

/// Where a plot must start so that its first name, if turned, is not cut by the edge of the sheet.
/// `left` is where it would start otherwise.
pub(crate) fn least_left(canvas: &Canvas, names: &[String], left: f64) -> f64 {
    let slot = (canvas.width() - left - 14.0) / names.len().max(1) as f64;
    if upright(canvas, names, slot).is_some() {
        return 0.0;
    }
    let longest = |name: &String| canvas.text_width(name).min(turned_room(canvas));
    let reach = names.first().map_or(0.0, longest) * TURN.to_radians().cos();
    (reach - slot / 2.0 + 2.0).min(canvas.width() * 0.2)
}

/// Writes one name below each of the equal slots of `frame`: upright in up to three lines where all
/// fit, else turned, and thinned where there are too many even for that. Returns where they end.
pub(crate) fn names_below(canvas: &mut Canvas, frame: &Frame, names: &[String]) -> f64 {
    let (font, line) = (canvas.font(), canvas.line_height());
    let top = frame.bottom + 5.0;
    if names.is_empty() {
        return top;
    }
    let slot = frame.width() / names.len() as f64;
    let centers: Vec<f64> = (0..names.len())
        .map(|index| frame.left + slot * (index as f64 + 0.5))
        .collect();
    if let Some(lines) = upright(canvas, names, slot) {
        for (lines, &center) in lines.iter().zip(&centers) {
            for (row, text) in lines.iter().enumerate() {
                let y = top + line * (row as f64 + 0.75);
                canvas.text("", [center, y], Anchor::Middle, text);
            }
        }
        let most = lines.iter().map(Vec::len).max().unwrap_or(0);
        return top + line * most as f64;
    }
    let (sine, cosine) = TURN.to_radians().sin_cos();
    // Turned lines are further apart along the axis than across.
    let pitch = font / sine;
    let stride = stride_without_overlap(&centers, &vec![pitch; names.len()], 1.0);
    let mut lowest: f64 = 0.0;
    for (name, &center) in names.iter().zip(&centers).step_by(stride) {
        // A turned name reaches left of its slot, at most to the edge of the sheet.
        let room = turned_room(canvas).min((center + 2.0) / cosine);
        let text = shortened(name, font, room);
        lowest = lowest.max(canvas.text_width(&text) * sine);
        canvas.turned_text("", [center + 4.0, top + font * 0.7], -TURN, &text);
    }
    top + lowest + line * 0.8
}
