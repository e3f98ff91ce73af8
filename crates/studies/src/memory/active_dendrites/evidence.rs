//! Figures, tables and notes.

use chiasm_core::evidence::{Axis, Figure, Findings, Line, Plot, Points, ResultTable};
use chiasm_core::metrics::interval::{mean, t_interval_95};
use chiasm_memory::recognition::Recognition;

use super::simulated::{self, NOISE_THRESHOLDS};
use super::theory::{LIMIT, REFERENCES};
use super::{ActiveDendritesSettings, Repetition, sequences};
use crate::Result;

/// Adds everything a reader wants to see beside the claims.
pub(super) fn illustrate(
    findings: &mut Findings,
    settings: &ActiveDendritesSettings,
    seeds: &[Repetition],
) -> Result<()> {
    findings.figure(over_size()?)?;
    findings.figure(over_noise(settings, seeds))?;
    findings.figure(over_threshold(seeds))?;
    findings.figure(over_unions()?)?;
    findings.figure(over_correlation(seeds))?;
    findings.figure(over_sparsity(seeds))?;
    findings.table(references()?);
    findings.table(simulations(settings, seeds));
    findings.table(unions(seeds));
    let first = &seeds[0];
    findings.note(format!(
        "Random patterns of the same sizes would be confused with probability {:.1e} at a threshold of {}; \
         the most correlated bin of clustered populations is with {:.1e} (first seed).",
        first.correlated.predicted,
        settings.threshold,
        first.correlated.bins.last().map_or(0.0, |bin| bin[1])
    ));
    findings.note(
        "The union bound M P for M stored patterns overestimates as it nears one: 500 segments that each \
         err with probability 0.01 make a neuron err with 0.99, not 5."
            .to_string(),
    );
    Ok(())
}

fn line(name: impl Into<String>, (x, y): (Vec<f64>, Vec<f64>)) -> Line {
    Line {
        name: name.into(),
        x,
        y,
        band: None,
    }
}

/// Means over seeds with their 95% intervals.
fn over_seeds(name: String, x: Vec<f64>, columns: Vec<Vec<f64>>) -> Line {
    let band = columns.iter().map(|values| t_interval_95(values)).collect();
    let y = columns.iter().map(|values| mean(values)).collect();
    Line { name, x, y, band }
}

fn columns(seeds: &[Repetition], pick: impl Fn(&Repetition) -> Vec<f64>) -> Vec<Vec<f64>> {
    let rows: Vec<Vec<f64>> = seeds.iter().map(pick).collect();
    (0..rows[0].len())
        .map(|place| rows.iter().map(|row| row[place]).collect())
        .collect()
}

fn over_size() -> Result<Figure> {
    let sizes: Vec<u64> = (3..=41).map(|hundreds| 100 * hundreds).collect();
    let mut lines = Vec::new();
    for active in [64, 128, 256] {
        lines.push(line(
            format!("{active} active"),
            simulated::curve(&sizes, |_| active)?,
        ));
    }
    lines.push(line(
        "half of the cells active",
        simulated::curve(&sizes, |cells| cells / 2)?,
    ));
    Ok(Figure::new(
        "errors-by-size",
        "False positives fall with size only while few cells are active",
        "Exact probability that a random pattern makes a segment of 24 synapses fire at a threshold of 12.",
        Axis::linear("cells in the population"),
        Axis::logarithmic("false positives per pattern"),
        Plot::Lines(lines),
    ))
}

fn over_noise(settings: &ActiveDendritesSettings, seeds: &[Repetition]) -> Figure {
    let x: Vec<f64> = settings
        .noise_percent
        .iter()
        .map(|&percent| f64::from(percent))
        .collect();
    let mut lines = Vec::new();
    for (place, threshold) in NOISE_THRESHOLDS.iter().enumerate() {
        let exact = seeds[0].noise.exact[place].clone();
        lines.push(line(
            format!("threshold {threshold}, theory"),
            (x.clone(), exact),
        ));
        let simulated = columns(seeds, |seed| seed.noise.simulated[place].clone());
        lines.push(over_seeds(
            format!("threshold {threshold}, simulated"),
            x.clone(),
            simulated,
        ));
    }
    Figure::new(
        "misses-by-noise",
        "Segments recognise their pattern through half of it being noise",
        "Share of noisy patterns that fail to make their segment fire; 30 synapses onto 128 active cells, \
         noise moves active cells elsewhere. Bands: 95% t intervals over seeds.",
        Axis::linear("active cells moved (%)"),
        Axis::linear("share missed"),
        Plot::Lines(lines),
    )
}

fn over_threshold(seeds: &[Repetition]) -> Figure {
    let medians = seeds[0].thresholds.medians.clone();
    let x = (1..=medians.len())
        .map(|threshold| threshold as f64)
        .collect();
    Figure::new(
        "errors-by-threshold",
        "From a threshold of 8 on, false positives are rare in the middle of plausible neurons",
        "Median exact false-positive probability over populations of 1000 to 17 000 cells, 0.5% to 3% of \
         them active, and 20 to 50 synapses.",
        Axis::linear("threshold (active synapses)"),
        Axis::logarithmic("median false positives per pattern"),
        Plot::Lines(vec![line("median over 210 neurons", (x, medians))]),
    )
    .with_reference("limit of the claim", LIMIT)
}

fn over_unions() -> Result<Figure> {
    let mut lines = Vec::new();
    for cells in [1000, 2000, 4000, 10_000] {
        let (mut x, mut y) = (Vec::new(), Vec::new());
        for patterns in 1..=30 {
            let union = Recognition::new(cells, 30, 20, 10).with_active_union(patterns)?;
            x.push(patterns as f64);
            y.push(union.false_positive()?);
        }
        lines.push(line(format!("{cells} cells"), (x, y)));
    }
    Ok(Figure::new(
        "errors-by-union",
        "Large populations can expect many patterns at once",
        "Exact probability that a union of patterns of 30 active cells makes a segment of 20 synapses fire \
         at a threshold of 10; the union has its expected size, rounded to whole cells.",
        Axis::linear("patterns in the union"),
        Axis::logarithmic("false positives per union"),
        Plot::Lines(lines),
    ))
}

fn over_correlation(seeds: &[Repetition]) -> Figure {
    let clouds = seeds.iter().enumerate().map(|(number, seed)| {
        let populations = &seed.correlated.populations;
        Points {
            name: format!("populations of seed {}", number + 1),
            x: populations
                .iter()
                .map(|population| population.correlation)
                .collect(),
            y: populations
                .iter()
                .map(|population| population.false_positives)
                .collect(),
            labels: Vec::new(),
        }
    });
    Figure::new(
        "errors-by-correlation",
        "Neurons confuse patterns whose cells fire together",
        "Each point is a population with clusters of its own: share of new patterns that make a neuron fire \
         that stored others. Theory of random patterns lies on the axis.",
        Axis::linear("mean correlation of cells active together"),
        Axis::linear("false positives per pattern"),
        Plot::Scatter(clouds.collect()),
    )
}

fn over_sparsity(seeds: &[Repetition]) -> Figure {
    let share = |active: usize| 100.0 * active as f64 / sequences::COLUMNS as f64;
    let sparsities = &seeds[0].sequences.sparsities;
    let x: Vec<f64> = sparsities.iter().map(|at| share(at.active)).collect();
    let expected = sparsities.iter().map(|at| at.expected).collect();
    let simulated = columns(seeds, |seed| {
        seed.sequences
            .sparsities
            .iter()
            .map(|at| at.simulated)
            .collect()
    });
    Figure::new(
        "accuracy-by-sparsity",
        "A population that learned transitions predicts best where codes are sparse",
        "Jaccard accuracy of the predicted cells after one presentation of each transition; 10 synapses a \
         segment, threshold 5. Bands: 95% t intervals over seeds.",
        Axis::linear("active cells (%)"),
        Axis::linear("accuracy"),
        Plot::Lines(vec![
            line("theory", (x.clone(), expected)),
            over_seeds("temporal memory".to_string(), x, simulated),
        ]),
    )
}

fn table<const N: usize>(
    title: &str,
    caption: String,
    columns: [&str; N],
    rows: Vec<[String; N]>,
) -> ResultTable {
    ResultTable {
        title: title.to_string(),
        caption,
        columns: columns.map(str::to_string).to_vec(),
        rows: rows.into_iter().map(Vec::from).collect(),
    }
}

fn references() -> Result<ResultTable> {
    let mut rows = Vec::new();
    for case in &REFERENCES {
        let ours = case.distribution()?.at_least(case.overlap);
        rows.push([
            case.what.to_string(),
            format!("{:.10e}", case.exact),
            format!("{ours:.10e}"),
            format!("{:.0e}", (ours / case.exact - 1.0).abs()),
            format!("{:.3e}", case.binomial()?.at_least(case.overlap)),
        ]);
    }
    Ok(table(
        "The paper's probabilities",
        "Exact integers beside the log-space tails of this program, and the binomial approximation that \
         treats synapses as independent."
            .to_string(),
        ["what", "exact", "ours", "relative error", "binomial"],
        rows,
    ))
}

fn simulations(settings: &ActiveDendritesSettings, seeds: &[Repetition]) -> ResultTable {
    let of = |place: usize, pick: fn(&simulated::Compared) -> f64| -> Vec<f64> {
        seeds
            .iter()
            .map(|seed| pick(&seed.draws.compared[place]))
            .collect()
    };
    let rows = seeds[0]
        .draws
        .compared
        .iter()
        .enumerate()
        .map(|(place, compared)| {
            let largest = of(place, |compared| compared.deviation.abs())
                .into_iter()
                .fold(0.0, f64::max);
            [
                compared.what.clone(),
                format!("{:.4e}", compared.exact),
                format!("{:.4e}", mean(&of(place, |compared| compared.simulated))),
                format!("{largest:.2}"),
            ]
        });
    table(
        "Simulated probabilities",
        format!(
            "{} random draws a seed, mean over {} seeds; the deviation is the largest of any seed, in \
             standard errors of one.",
            settings.draws,
            seeds.len()
        ),
        ["what", "exact", "simulated", "largest deviation"],
        rows.collect(),
    )
}

fn unions(seeds: &[Repetition]) -> ResultTable {
    let rows = seeds[0]
        .unions
        .compared
        .iter()
        .enumerate()
        .map(|(place, union)| {
            let simulated: Vec<f64> = seeds
                .iter()
                .map(|seed| seed.unions.compared[place].simulated)
                .collect();
            [
                union.what.clone(),
                format!("{:.3e}", union.expected),
                format!("{:.3e}", mean(&simulated)),
            ]
        });
    table(
        "Simulated unions",
        "False positives per union and segment; theory takes the union's expected size, rounded."
            .to_string(),
        ["what", "theory", "simulated"],
        rows.collect(),
    )
}
