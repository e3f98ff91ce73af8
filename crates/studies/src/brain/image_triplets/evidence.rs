//! Claims and figures from what the seeds measured.

use chiasm_core::Result;
use chiasm_core::evidence::{
    Axis, BarSeries, Figure, Findings, Measured, Plot, Points, ResultTable,
};
use chiasm_core::metrics::interval::{mean, t_interval_95};

use super::measure::{Dissociation, TripletSeed};
use super::{
    DECORRELATED, DOUBLE_DISSOCIATION, LAYERS_TRACK, MORE_POWER, RANDOM_MISSES,
    TripletStudySettings, WEIGHTS_RECOVERED,
};

/// The mean over experiments of the smaller z.
fn smaller(experiments: &[Dissociation]) -> f64 {
    mean(
        &experiments
            .iter()
            .map(Dissociation::smaller)
            .collect::<Vec<f64>>(),
    )
}

pub(super) fn claims(findings: &mut Findings, seeds: &[TripletSeed]) -> Result<()> {
    findings.measured(
        &DECORRELATED,
        seeds.iter().map(|seed| Measured {
            effect: seed.correlation.selected,
            baseline: seed.correlation.random,
            control: seed.correlation.control,
        }),
    )?;
    findings.measured(
        &DOUBLE_DISSOCIATION,
        seeds.iter().map(|seed| Measured {
            effect: smaller(&seed.selected),
            baseline: smaller(&seed.random),
            control: smaller(&seed.coin),
        }),
    )?;
    findings.measured(
        &RANDOM_MISSES,
        seeds.iter().map(|seed| Measured {
            effect: smaller(&seed.random),
            baseline: smaller(&seed.selected),
            control: smaller(&seed.all_random),
        }),
    )?;
    for (claim, pick) in [
        (
            &MORE_POWER,
            (|seed| [seed.power.selected, seed.power.random, seed.power.control])
                as fn(&TripletSeed) -> [f64; 3],
        ),
        (&WEIGHTS_RECOVERED, |seed| {
            let own = seed.recovered;
            [own.selected, own.random, own.control]
        }),
        (&LAYERS_TRACK, |seed| {
            let over = |pick: fn(&super::layers::LayerScores) -> f64| {
                mean(&seed.layers.iter().map(pick).collect::<Vec<f64>>())
            };
            [
                over(|one| one.selected),
                over(|one| one.random),
                over(|one| one.coin),
            ]
        }),
    ] {
        findings.measured(
            claim,
            seeds.iter().map(|seed| {
                let [effect, baseline, control] = pick(seed);
                Measured {
                    effect,
                    baseline,
                    control,
                }
            }),
        )?;
    }
    Ok(())
}

pub(super) fn illustrate(
    findings: &mut Findings,
    settings: &TripletStudySettings,
    seeds: &[TripletSeed],
) -> Result<()> {
    if let Some(seed) = seeds.first() {
        findings.figure(differences(seed))?;
        findings.figure(coverage(settings, seed))?;
        if let Some(figure) = layer_figure(seed) {
            findings.figure(figure)?;
        }
    }
    findings.figure(dissociation(seeds))?;
    findings.table(networks(seeds));
    let over = |pick: fn(&TripletSeed) -> f64| mean(&seeds.iter().map(pick).collect::<Vec<f64>>());
    let reused: usize = seeds.iter().map(|seed| seed.reused).sum();
    findings.note(format!(
        "An experiment has {:.1} selected triplets on average, {:.0}% of those wanted; {reused} images \
         stand in more than one triplet.",
        over(|seed| seed.triplets),
        100.0 * over(|seed| seed.yield_share),
    ));
    findings.note(
        "Neural predictivity of layers is the Spearman correlation of dissimilarities, not the regression \
         of Brain-Score.",
    );
    Ok(())
}

fn differences(seed: &TripletSeed) -> Figure {
    let cloud = |name: &str, points: &[[f64; 2]]| Points {
        name: name.to_string(),
        x: points.iter().map(|point| point[0]).collect(),
        y: points.iter().map(|point| point[1]).collect(),
        labels: Vec::new(),
    };
    Figure::new(
        "differences",
        "Differences of similarity in random and in selected triplets",
        "One point a triplet: similarity of root and right image minus that of root and left image; first \
         experiment of the first seed.",
        Axis::linear("high difference"),
        Axis::linear("low difference"),
        Plot::Scatter(vec![
            cloud("random", &seed.first_random),
            cloud("selected", &seed.first_selected),
        ]),
    )
}

fn coverage(settings: &TripletStudySettings, seed: &TripletSeed) -> Figure {
    let bins = settings.triplets.bins;
    let label = |bin: usize| format!("{} sd", (bin + 1) as f64 * settings.triplets.step);
    let found = |low: usize, high: usize| {
        let bin = seed.coverage.get(high * bins + low);
        bin.map_or(0.0, |bin| bin.found as f64)
    };
    Figure::new(
        "coverage",
        "Triplets found in every bin",
        format!(
            "Rows: size of the low difference; columns: of the high one. {} were wanted of each bin; first \
             experiment of the first seed.",
            settings.triplets.tables
        ),
        Axis::linear("high difference"),
        Axis::linear("low difference"),
        Plot::Heatmap {
            rows: (0..bins).map(label).collect(),
            columns: (0..bins).map(label).collect(),
            values: (0..bins)
                .map(|low| (0..bins).map(|high| found(low, high)).collect())
                .collect(),
            colour: "triplets".to_string(),
        },
    )
}

fn layer_figure(seed: &TripletSeed) -> Option<Figure> {
    let own = seed.layers.first()?;
    let cloud = |level: usize, name: &str| Points {
        name: name.to_string(),
        x: own.predictivity[level].clone(),
        y: own.behaviour[level].clone(),
        labels: (1..=own.predictivity[level].len())
            .map(|layer| format!("layer {layer}"))
            .collect(),
    };
    Some(Figure::new(
        "layers",
        "Layers that predict an area predict the choices that go by what it holds",
        "One point a layer; first experiment of the first seed. A coin reaches −0.693 nats.",
        Axis::linear("Spearman correlation with the area"),
        Axis::linear("held-out log-likelihood of a choice (nats)"),
        Plot::Scatter(vec![
            cloud(0, "high area, choices by high similarity"),
            cloud(1, "low area, choices by low similarity"),
        ]),
    ))
}

fn dissociation(seeds: &[TripletSeed]) -> Figure {
    let sets: [(&str, fn(&TripletSeed) -> &[Dissociation]); 4] = [
        ("selected", |seed| &seed.selected),
        ("random, as many", |seed| &seed.random),
        ("random, all images", |seed| &seed.all_random),
        ("selected, choices by coin", |seed| &seed.coin),
    ];
    let bars = |name: &str, z: fn(&Dissociation) -> f64| {
        let per_set: Vec<Vec<f64>> = sets
            .iter()
            .map(|(_, pick)| {
                let of_seed =
                    |seed: &TripletSeed| mean(&pick(seed).iter().map(z).collect::<Vec<f64>>());
                seeds.iter().map(of_seed).collect()
            })
            .collect();
        BarSeries {
            name: name.to_string(),
            values: per_set.iter().map(|values| mean(values)).collect(),
            intervals: per_set.iter().map(|values| t_interval_95(values)).collect(),
        }
    };
    Figure::new(
        "double-dissociation",
        "Which network predicts which choices",
        "z of the gain in held-out log-likelihood, paired over triplets; mean and 95% interval over seeds.",
        Axis::linear("triplets"),
        Axis::linear("z"),
        Plot::Bars {
            groups: sets.iter().map(|(name, _)| (*name).to_string()).collect(),
            series: vec![
                bars("A over B, choices by high similarity", |one| one.high),
                bars("B over A, choices by low similarity", |one| one.low),
            ],
        },
    )
    .with_reference("significant", 1.96)
}

fn networks(seeds: &[TripletSeed]) -> ResultTable {
    let over = |pick: fn(&TripletSeed) -> &[Dissociation], of: &dyn Fn(&Dissociation) -> f64| {
        mean(
            &seeds
                .iter()
                .flat_map(|seed| pick(seed).iter().map(of))
                .collect::<Vec<f64>>(),
        )
    };
    let sets: [(&str, fn(&TripletSeed) -> &[Dissociation]); 2] = [
        ("selected", |seed| &seed.selected),
        ("random", |seed| &seed.random),
    ];
    let mut rows = Vec::new();
    for (name, pick) in sets {
        for (level, choices) in ["high similarity", "low similarity"].iter().enumerate() {
            let mut row = vec![name.to_string(), (*choices).to_string()];
            for network in 0..2 {
                let place = 2 * level + network;
                row.push(format!(
                    "{:.3}",
                    over(pick, &|one| one.log_likelihoods[place])
                ));
                row.push(format!(
                    "{:.3}",
                    over(pick, &|one| one.areas_under_curve[place])
                ));
            }
            rows.push(row);
        }
    }
    ResultTable {
        title: "Networks and choices".to_string(),
        caption: "Held-out log-likelihood of a choice (nats; a coin has -0.693) and area under the curve, \
                  means over experiments."
            .to_string(),
        columns: ["Triplets", "Choices by", "A, nats", "A, area", "B, nats", "B, area"]
            .map(String::from)
            .to_vec(),
        rows,
    }
}
