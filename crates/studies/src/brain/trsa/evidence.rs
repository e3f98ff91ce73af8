//! Figures, tables and notes, and the person's own matrices.

use std::path::Path;

use chiasm_core::data::Rdm;
use chiasm_core::evidence::{Axis, BarSeries, Figure, Findings, Line, Plot, ResultTable};
use chiasm_core::metrics::interval::{mean, t_interval_95};
use chiasm_core::{Error, Progress, Seed as Randomness};
use chiasm_io::matrix::read_numbers;
use chiasm_numerics::similarity::Transform;
use ndarray::{Axis as Along, Ix1, Ix2};

use super::TrsaSettings;
use super::measure::{Accuracies, Seed, accuracies, grid, intervals, named_summaries};
use crate::Result;

/// Adds everything a reader wants to see beside the claims.
pub(super) fn illustrate(
    findings: &mut Findings,
    settings: &TrsaSettings,
    seeds: &[Seed],
) -> Result<()> {
    findings.figure(by_summary(seeds))?;
    findings.figure(over_grid(settings, seeds))?;
    findings.figure(over_noise(settings, seeds))?;
    findings.figure(eights(seeds))?;
    findings.table(with_intervals(seeds));
    let digits: Vec<f64> = seeds
        .iter()
        .map(|seed| 100.0 * seed.digit_accuracy)
        .collect();
    let restarts: u64 = seeds.iter().map(|seed| seed.restarts).sum();
    if restarts > 0 {
        findings.note(format!(
            "{restarts} network(s) did not learn (training loss near guessing) and began again from other \
             weights."
        ));
    }
    findings.note(format!(
        "The networks read {:.1}% of the stimuli's digits right; none of these digits was trained on.",
        mean(&digits)
    ));
    let share = |pick: fn(&Seed) -> f64| mean(&seeds.iter().map(pick).collect::<Vec<_>>());
    let (nested, rank) = (
        share(|seed| seed.distorted.nested),
        share(|seed| seed.distorted.rank),
    );
    let raw = share(|seed| seed.distorted.raw);
    findings.note(format!(
        "Ranking alone takes distorted random networks from {raw:.2} to {rank:.2}; cutting at quantiles \
         chosen on other networks gives {nested:.2}. Without distortion the raw RDM scores {:.2}: the \
         size of distances alone then tells layers apart.",
        share(|seed| seed.undistorted[0])
    ));
    let optimism: Vec<f64> = seeds
        .iter()
        .map(|seed| seed.distorted.best - seed.distorted.nested)
        .collect();
    findings.note(format!(
        "The best cell of the grid, picked on the data it is shown for, promises {} more accuracy on \
         distorted random networks than the same choice made on other networks gives: read the map above \
         with that in mind. The claims use the nested choice throughout.",
        match t_interval_95(&optimism) {
            Some([low, high]) => {
                format!("{:.2} (95% interval {low:.2} to {high:.2})", mean(&optimism))
            }
            None => format!("{:.2}", mean(&optimism)),
        }
    ));
    let apart = share(|seed| seed.digits.disconnected as f64);
    findings.note(format!(
        "Geodesics: on average {apart:.0} pairs of stimuli a repetition (digit networks, all matrices) \
         have no path and stand at twice the longest one."
    ));
    Ok(())
}

fn bars(name: &str, seeds: &[Seed], pick: impl Fn(&Seed) -> &[f64]) -> BarSeries {
    let columns: Vec<Vec<f64>> = (0..pick(&seeds[0]).len())
        .map(|index| seeds.iter().map(|seed| pick(seed)[index]).collect())
        .collect();
    BarSeries {
        name: name.to_string(),
        values: columns.iter().map(|values| mean(values)).collect(),
        intervals: columns.iter().map(|values| t_interval_95(values)).collect(),
    }
}

fn by_summary(seeds: &[Seed]) -> Figure {
    let groups = named_summaries().map(|(name, _)| name.to_string()).to_vec();
    let series = vec![
        bars("digit networks", seeds, |seed| &seed.digits.named),
        bars("random networks", seeds, |seed| &seed.undistorted),
        bars("random networks, distorted", seeds, |seed| {
            &seed.distorted.named
        }),
        bars("cortical regions, distorted", seeds, |seed| {
            &seed.regions.named
        }),
    ];
    Figure::new(
        "accuracy-by-summary",
        "Which summary tells layers and regions apart",
        "Share of layers or regions found across instances; 95% t intervals over seeds. Chance differs: \
         1/6 for digit networks, 1/10 for random networks, 1/8 for regions.",
        Axis::linear("summary of the dissimilarity matrix"),
        Axis::linear("accuracy"),
        Plot::Bars { groups, series },
    )
}

fn over_grid(settings: &TrsaSettings, seeds: &[Seed]) -> Figure {
    let steps = settings.grid_steps;
    let place = |share: f64| (share * steps as f64).round() as usize;
    let mut values = vec![vec![seeds[0].distorted.chance; steps + 1]; steps + 1];
    let average = |cell: usize| {
        mean(
            &seeds
                .iter()
                .map(|seed| seed.distorted.cells[cell])
                .collect::<Vec<_>>(),
        )
    };
    for (cell, transform) in grid(steps).into_iter().enumerate() {
        if let Transform::GeoTopological { lower, upper } = transform {
            values[place(lower)][place(upper)] = average(cell);
        }
    }
    values[0][steps] = mean(
        &seeds
            .iter()
            .map(|seed| seed.distorted.rank)
            .collect::<Vec<_>>(),
    );
    let labels: Vec<String> = (0..=steps)
        .map(|step| format!("{:.2}", step as f64 / steps as f64))
        .collect();
    Figure::new(
        "accuracy-over-grid",
        "Accuracy over the family of geo-topological summaries",
        "Distorted random networks, mean over seeds. Rows: lower quantile l; columns: upper quantile u. \
         The corner (0, 1) is the rank RDM; cells with l > u, and those that leave one value only, stand at \
         chance.",
        Axis::linear("upper quantile u"),
        Axis::linear("lower quantile l"),
        Plot::Heatmap {
            rows: labels.clone(),
            columns: labels,
            values,
            colour: "accuracy".to_string(),
        },
    )
}

fn over_noise(settings: &TrsaSettings, seeds: &[Seed]) -> Figure {
    let lines = named_summaries()
        .into_iter()
        .enumerate()
        .map(|(summary, (name, _))| {
            let at = |level: usize| -> Vec<f64> {
                seeds
                    .iter()
                    .map(|seed| seed.over_noise[level][summary])
                    .collect()
            };
            let levels = 0..settings.noise_levels.len();
            Line {
                name: name.to_string(),
                x: settings.noise_levels.clone(),
                y: levels.clone().map(|level| mean(&at(level))).collect(),
                band: levels.map(|level| t_interval_95(&at(level))).collect(),
            }
        })
        .collect();
    Figure::new(
        "accuracy-over-noise",
        "Noise and distortion together",
        "Random networks, every instance distorted in its own monotone way; bands are 95% t intervals over \
         seeds.",
        Axis::linear("noise on activations (standard deviations of a unit)"),
        Axis::linear("accuracy"),
        Plot::Lines(lines),
    )
    .with_reference("chance", seeds[0].distorted.chance)
}

fn eights(seeds: &[Seed]) -> Figure {
    let values = |pick: fn(&Seed) -> f64| seeds.iter().map(pick).collect::<Vec<_>>();
    let each = [
        values(|seed| seed.shapes.local),
        values(|seed| seed.shapes.full),
        values(|seed| seed.shapes.shuffled),
    ];
    let groups = ["GT(0, 0.075)", "rank RDM", "GT(0, 0.075), shuffled"]
        .map(String::from)
        .to_vec();
    Figure::new(
        "figure-eights",
        "Same topology or same geometry",
        "Correlation of a flat figure-eight with a folded one minus that with a broken one: above 0 follows \
         topology, below 0 geometry. 95% t intervals over seeds.",
        Axis::linear("summary of the dissimilarity matrix"),
        Axis::linear("difference in correlation"),
        Plot::Bars {
            groups,
            series: vec![BarSeries {
                name: "folded minus broken".to_string(),
                values: each.iter().map(|values| mean(values)).collect(),
                intervals: each.iter().map(|values| t_interval_95(values)).collect(),
            }],
        },
    )
    .with_reference("no preference", 0.0)
}

fn interval(bounds: [f64; 2]) -> String {
    format!("{:.2} to {:.2}", bounds[0], bounds[1])
}

fn rows(found: &Accuracies, bounds: &[[[f64; 2]; 2]]) -> Vec<Vec<String>> {
    let mut rows: Vec<Vec<String>> = named_summaries()
        .iter()
        .zip(&found.named)
        .zip(bounds)
        .map(|(((name, _), accuracy), [own, difference])| {
            vec![
                name.to_string(),
                format!("{accuracy:.2}"),
                interval(*own),
                interval(*difference),
            ]
        })
        .collect();
    let plain = |name: &str, value: f64| {
        vec![
            name.to_string(),
            format!("{value:.2}"),
            String::new(),
            String::new(),
        ]
    };
    rows.push(plain("GT, (l, u) chosen on other instances", found.nested));
    rows.push(plain("GT, best (l, u) picked on the same data", found.best));
    rows.push(plain("chance", found.chance));
    rows
}

fn table(title: &str, caption: &str, rows: Vec<Vec<String>>) -> ResultTable {
    ResultTable {
        title: title.to_string(),
        caption: caption.to_string(),
        columns: [
            "summary",
            "accuracy",
            "95% interval",
            "95% interval of the difference to rank",
        ]
        .map(String::from)
        .to_vec(),
        rows,
    }
}

fn with_intervals(seeds: &[Seed]) -> ResultTable {
    let caption = "Layers of networks trained on digits, first seed, first set of stimuli. Intervals: bootstrap over networks and \
                   stimuli; all copies of a network are left out together, pairs of copies of a stimulus \
                   are dropped. A bootstrap sample holds fewer distinct networks and stimuli, so intervals \
                   lie below the accuracy more often than above it.";
    table(
        "Layer identification with intervals",
        caption,
        rows(&seeds[0].first_set, &seeds[0].intervals),
    )
}

/// Identification on the person's own matrices.
pub(super) fn of_file(
    path: &Path,
    settings: &TrsaSettings,
    progress: &Progress,
) -> Result<ResultTable> {
    let rdms = read_stack(path)?;
    let found = accuracies(&rdms, settings, &progress.quiet())?;
    let bounds = intervals(
        &rdms,
        settings,
        &Randomness::new(0).named("own data"),
        progress,
    )?;
    let title = format!("Region identification in {}", path.display());
    let caption = format!(
        "{} instances, {} regions. Intervals: bootstrap over instances and conditions.",
        rdms.len(),
        rdms[0].len()
    );
    Ok(table(&title, &caption, rows(&found, &bounds)))
}

/// Instances x regions x (conditions x conditions, or condensed).
fn read_stack(path: &Path) -> Result<Vec<Vec<Rdm>>> {
    let values = read_numbers(path)?;
    let name = path.display().to_string();
    if !(3..=4).contains(&values.ndim()) {
        return Err(Error::Shape {
            operation: "region identification",
            what: name,
            axis: "number of axes",
            found: values.ndim(),
            expected:
                "3 (instances x regions x condensed entries) or 4 (… x conditions x conditions)"
                    .to_string(),
        }
        .into());
    }
    let stack = values
        .axis_iter(Along(0))
        .enumerate()
        .map(|(instance, regions)| {
            let rdms = regions
                .axis_iter(Along(0))
                .enumerate()
                .map(|(region, entries)| {
                    let name = format!("{name}, instance {instance}, region {region}");
                    if let Ok(square) = entries.view().into_dimensionality::<Ix2>() {
                        return Rdm::from_square(name, square);
                    }
                    let condensed = entries.into_dimensionality::<Ix1>();
                    Rdm::from_condensed(
                        name,
                        condensed
                            .map(|entries| entries.to_vec())
                            .unwrap_or_default(),
                    )
                });
            rdms.collect::<chiasm_core::Result<Vec<_>>>()
        });
    Ok(stack.collect::<chiasm_core::Result<Vec<_>>>()?)
}
