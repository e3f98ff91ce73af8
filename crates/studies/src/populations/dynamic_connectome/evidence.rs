//! Claims and figures from what the seeds measured.

use chiasm_core::Result;
use chiasm_core::evidence::{Axis, BarSeries, Figure, Findings, Line, Measured, Plot};
use chiasm_core::metrics::interval::{mean, t_interval_95};

use super::benchmark_graphs::{Agreement, GraphSeed, MIXING};
use super::planted::PlantedSeed;
use super::{
    BLOCKS_BEAT_LOUVAIN, DERIVATIVES_BEAT_WINDOWS, FACTORS_RECOVERED, LESION_SEEN,
    MODULES_RECOVERED,
};

pub(super) fn claims(
    findings: &mut Findings,
    graphs: &[GraphSeed],
    planted: &[PlantedSeed],
) -> Result<()> {
    let means = |settings: &[Agreement]| Agreement::mean(settings);
    findings.measured(
        &BLOCKS_BEAT_LOUVAIN,
        graphs.iter().map(|seed| {
            // The best of several levels agrees with any truth a little better than one partition does:
            // what it gains where nothing is left to find is taken off.
            let (own, null) = (means(&seed.planted), means(&seed.rewired));
            let again = means(&seed.rewired_again);
            let best = |found: &Agreement| found.best_level - found.louvain;
            let lowest = |found: &Agreement| found.lowest_level - found.louvain;
            Measured {
                effect: best(&own) - best(&null),
                baseline: lowest(&own) - lowest(&null),
                control: best(&again) - best(&null),
            }
        }),
    )?;
    findings.measured(
        &FACTORS_RECOVERED,
        planted.iter().map(|seed| Measured {
            effect: seed.derivatives.factors,
            baseline: seed.windows.factors,
            control: seed.null_derivatives.factors,
        }),
    )?;
    findings.measured(
        &MODULES_RECOVERED,
        planted.iter().map(|seed| Measured {
            effect: seed.derivatives.modules,
            baseline: seed.windows.modules,
            control: seed.null_derivatives.modules,
        }),
    )?;
    findings.measured(
        &DERIVATIVES_BEAT_WINDOWS,
        planted.iter().map(|seed| Measured {
            effect: seed.derivatives.modules - seed.windows.modules,
            baseline: seed.windows_blocks.modules - seed.windows.modules,
            control: seed.null_derivatives.modules - seed.null_windows.modules,
        }),
    )?;
    findings.measured(
        &LESION_SEEN,
        planted.iter().map(|seed| Measured {
            effect: seed.lesion.hub,
            baseline: seed.lesion.hub_by_windows,
            control: seed.lesion.other,
        }),
    )
}

pub(super) fn figures(
    findings: &mut Findings,
    graphs: &[GraphSeed],
    planted: &[PlantedSeed],
) -> Result<()> {
    let bars = |name: &str, per_group: Vec<Vec<f64>>| BarSeries {
        name: name.to_string(),
        values: per_group.iter().map(|values| mean(values)).collect(),
        intervals: per_group
            .iter()
            .map(|values| t_interval_95(values))
            .collect(),
    };
    let settings: Vec<String> = MIXING
        .iter()
        .flat_map(|t| MIXING.iter().map(move |w| format!("{t} / {w}")))
        .collect();
    let by_setting = |pick: fn(&Agreement) -> f64| -> Vec<Vec<f64>> {
        (0..settings.len())
            .map(|index| {
                graphs
                    .iter()
                    .map(|seed| pick(&seed.planted[index]))
                    .collect()
            })
            .collect()
    };
    findings.figure(Figure::new(
        "benchmark-graphs",
        "Planted communities found on weighted benchmark graphs",
        "Normalised mutual information; mean and 95% interval over seeds. The best level is picked by the \
         truth.",
        Axis::linear("mixing of topology / of weights"),
        Axis::linear("normalised mutual information"),
        Plot::Bars {
            groups: settings.clone(),
            series: vec![
                bars("Louvain", by_setting(|own| own.louvain)),
                bars("block model, lowest level", by_setting(|own| own.lowest_level)),
                bars("block model, best level", by_setting(|own| own.best_level)),
            ],
        },
    ))?;
    let over_seeds = |pick: fn(&PlantedSeed) -> f64| planted.iter().map(pick).collect::<Vec<f64>>();
    let groups = [
        "derivatives",
        "sliding window",
        "derivatives, nothing planted",
        "sliding window, nothing planted",
    ];
    findings.figure(Figure::new(
        "recovery",
        "What each analysis recovers of the planted communities",
        "Mean and 95% interval over seeds. Where nothing was planted, scores are against what would have \
         been.",
        Axis::linear("analysis"),
        Axis::linear("score"),
        Plot::Bars {
            groups: groups.map(String::from).to_vec(),
            series: vec![
                bars("factor match score", vec![
                    over_seeds(|seed| seed.derivatives.factors),
                    over_seeds(|seed| seed.windows.factors),
                    over_seeds(|seed| seed.null_derivatives.factors),
                    over_seeds(|seed| seed.null_windows.factors),
                ]),
                bars("AMI of modules", vec![
                    over_seeds(|seed| seed.derivatives.modules),
                    over_seeds(|seed| seed.windows.modules),
                    over_seeds(|seed| seed.null_derivatives.modules),
                    over_seeds(|seed| seed.null_windows.modules),
                ]),
            ],
        },
    ))?;
    let lines = planted.first().map_or_else(Vec::new, |seed| {
        let line = |name: String, x: &[f64], y: &[f64], shift: f64| Line {
            name,
            x: x.to_vec(),
            y: y.iter().map(|value| value + shift).collect(),
            band: None,
        };
        let pairs = seed.courses.iter().enumerate().flat_map(|(index, course)| {
            // One above the other, or nothing could be told apart.
            let shift = -1.2 * index as f64;
            [
                line(
                    format!("planted {}", index + 1),
                    &course.seconds,
                    &course.planted,
                    shift,
                ),
                line(
                    format!("found {}", index + 1),
                    &course.seconds,
                    &course.found,
                    shift,
                ),
            ]
        });
        pairs.collect()
    });
    findings.figure(Figure::new(
        "time-courses",
        "When communities were active, and when their factors say they were",
        "Planted activity and the matching factor's time course, each scaled to a largest value of 1 and \
         shifted; first seed.",
        Axis::linear("time (s)"),
        Axis::linear("activity, shifted"),
        Plot::Lines(lines),
    ))
}
