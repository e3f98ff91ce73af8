//! The small plot of a claim: margin, effect, baseline and null control on one axis.

use chiasm_core::evidence::{ClaimResult, Direction, Verdict};

use crate::number::{format_exact, format_interval};
use crate::svg::canvas::{Anchor, Canvas, Size};
use crate::svg::labels::stride_without_overlap;
use crate::svg::marks::{circle, marker, polyline, strokes};
use crate::svg::scale::{Scale, domain};
use crate::svg::ticks::ticks;

/// One row of the plot.
struct Row<'a> {
    name: &'a str,
    class: &'static str,
    shape: usize,
    mean: f64,
    ci95: Option<[f64; 2]>,
    per_seed: &'a [f64],
}

/// Draws a claim's evidence in one of the sizes. The side of the margin where the claim holds is
/// shaded.
pub(crate) fn interval_plot(claim: &ClaimResult, verdict: Verdict, size: Size, id: &str) -> String {
    let mut canvas = Canvas::new(size, id);
    let rows = [
        Row {
            name: "Effect",
            class: match verdict {
                Verdict::Held => "good",
                Verdict::NotHeld => "bad",
                Verdict::Inconclusive => "unsure",
            },
            shape: 0,
            mean: claim.mean,
            ci95: claim.ci95,
            per_seed: &claim.per_seed,
        },
        Row {
            name: "Baseline",
            class: "plain",
            shape: 1,
            mean: claim.baseline.mean,
            ci95: claim.baseline.ci95,
            per_seed: &claim.baseline.per_seed,
        },
        Row {
            name: "Null control",
            class: "plain",
            shape: 3,
            mean: claim.control.mean,
            ci95: claim.control.ci95,
            per_seed: &claim.control.per_seed,
        },
    ];
    draw_rows(&mut canvas, claim, &rows);
    let description = rows
        .iter()
        .map(|row| format!("{} {}", row.name, format_interval(row.mean, row.ci95)))
        .collect::<Vec<_>>()
        .join("; ");
    canvas.finish(
        &format!("Evidence for: {}", claim.statement),
        &format!("{description}; margin {}.", format_exact(claim.margin)),
        false,
    )
}

fn draw_rows(canvas: &mut Canvas, claim: &ClaimResult, rows: &[Row<'_>]) {
    let font = canvas.font();
    let margins = match claim.direction {
        Direction::Within => vec![-claim.margin, claim.margin],
        Direction::Greater | Direction::Less => vec![claim.margin],
    };
    let values = rows.iter().flat_map(|row| {
        let bounds = row.ci95.into_iter().flatten();
        row.per_seed.iter().copied().chain(bounds).chain([row.mean])
    });
    let Some([low, high]) = domain(values.chain(margins.iter().copied()), false) else {
        canvas.height = 1.0;
        return;
    };
    // The margin does not lie on the edge.
    let room = high * 0.04 - low * 0.04;
    let extent = [(low - room).max(f64::MIN), (high + room).min(f64::MAX)];
    let names = rows
        .iter()
        .map(|row| canvas.text_width(row.name))
        .fold(0.0, f64::max);
    let (left, right) = (names + 14.0, canvas.width() - 16.0);
    let (top, pitch) = (font + 12.0, 30.0);
    let bottom = top + pitch * rows.len() as f64;
    // The conversion of a small count is exact.
    let about = (((right - left) / 90.0) as usize).max(2);
    let ticks = ticks(extent, false, about);
    let x = Scale::new(ticks.domain, [left, right], false);
    let (from, to) = match claim.direction {
        Direction::Greater => (x.place(claim.margin), right),
        Direction::Less => (left, x.place(claim.margin)),
        Direction::Within => (x.place(-claim.margin), x.place(claim.margin)),
    };
    canvas.rect(
        "good area",
        [from.min(to), top],
        (to - from).abs(),
        bottom - top,
    );
    for margin in &margins {
        let place = x.place(*margin);
        canvas.line("reference", [place, top - 3.0], [place, bottom]);
    }
    let label = match claim.direction {
        Direction::Greater => format!("margin {} →", format_exact(claim.margin)),
        Direction::Less => format!("← margin {}", format_exact(claim.margin)),
        Direction::Within => format!("margin ±{}", format_exact(claim.margin)),
    };
    let half = canvas.text_width(&label) / 2.0;
    let center = match claim.direction {
        Direction::Within => x.place(0.0),
        Direction::Greater | Direction::Less => x.place(claim.margin),
    };
    let center = center.clamp(half + 2.0, (canvas.width() - half - 2.0).max(half + 2.0));
    canvas.text("soft", [center, top - 8.0], Anchor::Middle, &label);
    for (index, row) in rows.iter().enumerate() {
        draw_row(canvas, row, top + pitch * (index as f64 + 0.5), &x);
    }
    canvas.line("axis", [left, bottom], [right, bottom]);
    let places: Vec<f64> = ticks.values.iter().map(|&value| x.place(value)).collect();
    let widths: Vec<f64> = ticks
        .labels
        .iter()
        .map(|label| canvas.text_width(label))
        .collect();
    let stride = stride_without_overlap(&places, &widths, 8.0);
    for (index, (&place, label)) in places.iter().zip(&ticks.labels).enumerate() {
        canvas.line("axis", [place, bottom], [place, bottom + 4.0]);
        if index % stride == 0 {
            let half = widths[index] / 2.0;
            let center = place.min(canvas.width() - half);
            canvas.text("soft", [center, bottom + 7.0 + font], Anchor::Middle, label);
        }
    }
    canvas.height = bottom + 12.0 + font;
}

fn draw_row(canvas: &mut Canvas, row: &Row<'_>, y: f64, x: &Scale) {
    let font = canvas.font();
    canvas.text("", [4.0, y + font * 0.35], Anchor::Start, row.name);
    // The seeds lie below the interval, so that neither covers the other.
    let (seeds, y) = (y + 6.0, y - 4.0);
    for &value in row.per_seed {
        let dot = circle([x.place(value), seeds], 2.2);
        canvas.path(&format!("{} faint", row.class), &dot);
    }
    if let Some([low, high]) = row.ci95 {
        let [low, high] = [x.place(low), x.place(high)];
        let caps = strokes([low, high].map(|at| [[at, y - 6.0], [at, y + 6.0]]));
        let line = polyline(&[[low, y], [high, y]]);
        canvas.path(&format!("{} interval", row.class), &format!("{line}{caps}"));
    }
    let shape = marker(row.shape, [x.place(row.mean), y], 5.0);
    let kind = if row.shape == 0 { "dot" } else { "hollow" };
    canvas.path(&format!("{} {kind}", row.class), &shape);
}
