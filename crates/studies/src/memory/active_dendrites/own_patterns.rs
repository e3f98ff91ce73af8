//! The person's own patterns: how sparse and how correlated they are, and how often neurons confuse
//! them beside what theory predicts.

use std::path::Path;

use chiasm_core::evidence::{Axis, Figure, Findings, Line, Plot, ResultTable};
use chiasm_core::{Error, Progress, Seed};
use chiasm_io::matrix::read_matrix;
use chiasm_memory::Sdr;
use chiasm_memory::correlated_patterns::mean_pair_correlation;
use chiasm_memory::false_positives::FalsePositives;
use ndarray::{ArrayView1, ArrayView2};
use rand::seq::SliceRandom;

use super::ActiveDendritesSettings;
use crate::Result;

/// Patterns beyond this many do not enter the correlation, whose cost grows with them.
const MOST_CORRELATED: usize = 20_000;

/// Patterns with the name of their file.
pub(super) struct OwnPatterns {
    name: String,
    patterns: Vec<Sdr>,
}

/// Reads patterns, a row each; `cells` is their number where rows are lists of active cells, 0 for
/// one more than the largest cell named.
pub(super) fn read(path: &Path, cells: usize) -> Result<OwnPatterns> {
    let name = path.display().to_string();
    let matrix = read_matrix(path)?;
    let patterns = patterns(matrix.view(), cells, &name)?;
    Ok(OwnPatterns { name, patterns })
}

fn patterns(
    matrix: ArrayView2<'_, f64>,
    cells: usize,
    name: &str,
) -> chiasm_core::Result<Vec<Sdr>> {
    if matrix.nrows() < 4 {
        return Err(Error::TooFew {
            operation: "own patterns",
            what: "patterns",
            found: matrix.nrows(),
            needed: 4,
        });
    }
    let in_row = |row: usize, error: Error| Error::Unusable {
        operation: "own patterns",
        reason: format!("{name}, row {row}: {error}"),
    };
    if matrix.iter().all(|&value| value == 0.0 || value == 1.0) {
        let dense = |(row, values): (usize, ArrayView1<'_, f64>)| {
            let truths = values.mapv(|value| value == 1.0);
            Sdr::from_dense(truths.view()).map_err(|error| in_row(row, error))
        };
        return matrix.outer_iter().enumerate().map(dense).collect();
    }
    let largest = f64::from(u32::MAX - 2);
    if let Some(((row, _), value)) = matrix
        .indexed_iter()
        .find(|&(_, &value)| value.fract() != 0.0 || !(-1.0..=largest).contains(&value))
    {
        let reason = format!(
            "{name}, row {row} holds {value}: rows must be dense (only 0 and 1), or lists of active \
             cells (whole numbers from 0, with -1 to fill short rows)"
        );
        return Err(Error::Unusable {
            operation: "own patterns",
            reason,
        });
    }
    let named = matrix.iter().copied().fold(0.0, f64::max) as usize + 1;
    let cells = if cells == 0 { named } else { cells };
    let listed = |(row, values): (usize, ArrayView1<'_, f64>)| {
        let active = values
            .iter()
            .filter(|&&cell| cell >= 0.0)
            .map(|&cell| cell as u32)
            .collect();
        Sdr::new(cells, active).map_err(|error| in_row(row, error))
    };
    matrix.outer_iter().enumerate().map(listed).collect()
}

/// Measures the patterns and adds a figure, a table and notes.
pub(super) fn report(
    findings: &mut Findings,
    (number, own): (usize, &OwnPatterns),
    settings: &ActiveDendritesSettings,
    progress: &Progress,
) -> Result<()> {
    let OwnPatterns { name, patterns } = own;
    let sizes = || patterns.iter().map(Sdr::len);
    let smallest = sizes().min().unwrap_or(0);
    let mean_size = sizes().sum::<usize>() as f64 / patterns.len() as f64;
    if smallest == 0 {
        return Err(Error::Unusable {
            operation: "own patterns",
            reason: format!("{name}: a pattern has no active cell; leave such rows out"),
        }
        .into());
    }
    let seed = Seed::new(0).named("own patterns");
    // Rows next to each other in a recording may be alike; what is stored and what is shown should
    // not differ by when they were recorded.
    let mut order = patterns.clone();
    order.shuffle(&mut seed.named("order").rng());
    let synapses = settings.synapses.min(smallest);
    let measure = |patterns: &[Sdr], name: &str| {
        FalsePositives::measure(
            patterns,
            settings.segments,
            synapses,
            &seed.named(name),
            progress,
        )
    };
    let measured = measure(&order, "neurons")?;
    let mut rng = seed.named("shuffled cells").rng();
    let random = order
        .iter()
        .map(|pattern| Sdr::random(pattern.cells(), pattern.len(), &mut rng))
        .collect::<chiasm_core::Result<Vec<_>>>()?;
    let shuffled = measure(&random, "shuffled neurons")?;
    let used = &order[..order.len().min(MOST_CORRELATED)];
    let cells = order[0].cells();
    let pairs = if smallest < 2 {
        "too few active cells for pairs".to_string()
    } else {
        format!(
            "mean correlation of pairs of cells active together {:.4} ({:.4} with each pattern's cells \
             shuffled)",
            mean_pair_correlation(used)?,
            mean_pair_correlation(&random[..used.len()])?
        )
    };
    findings.note(format!(
        "{name}: {} patterns of {cells} cells, {mean_size:.1} active on average (sparsity {:.3}%); {pairs}. \
         {} shown patterns were stored too and left out.",
        order.len(),
        100.0 * mean_size / cells as f64,
        measured.repeated()
    ));
    let thresholds = 1..=synapses;
    let mut rows = Vec::with_capacity(synapses);
    let mut curves = [const { (Vec::new(), Vec::new()) }; 3];
    for threshold in thresholds {
        let values = [
            measured.rate(threshold),
            shuffled.rate(threshold),
            measured.predicted(threshold)?,
        ];
        for ((x, y), value) in curves.iter_mut().zip(values) {
            // A logarithmic axis has no place for none.
            if value > 0.0 {
                x.push(threshold as f64);
                y.push(value);
            }
        }
        let mut row = vec![threshold.to_string()];
        row.extend(values.map(|value| format!("{value:.3e}")));
        row.push(if values[0] > 0.0 && values[2] > 0.0 {
            format!("{:.3e}", values[0] / values[2])
        } else {
            "–".to_string()
        });
        rows.push(row);
    }
    let caption = format!(
        "{} patterns shown to neurons that stored {} others, one on each segment of {synapses} synapses. \
         Predicted: theory of random patterns of the same sizes.",
        measured.shown(),
        measured.segments()
    );
    findings.table(ResultTable {
        title: format!("False positives among the patterns of {name}"),
        caption: caption.clone(),
        columns: [
            "threshold",
            "measured",
            "cells shuffled",
            "predicted",
            "measured / predicted",
        ]
        .map(str::to_string)
        .to_vec(),
        rows,
    });
    let names = ["measured", "cells shuffled", "predicted"];
    let lines = names
        .iter()
        .zip(curves)
        .filter(|(_, (x, _))| !x.is_empty())
        .map(|(name, (x, y))| Line {
            name: name.to_string(),
            x,
            y,
            band: None,
        });
    findings.figure(Figure::new(
        format!("own-patterns-{number}"),
        format!("False positives among the patterns of {name}"),
        caption,
        Axis::linear("threshold (active synapses)"),
        Axis::logarithmic("false positives per shown pattern"),
        Plot::Lines(lines.collect()),
    ))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use ndarray::array;

    use super::*;

    #[test]
    fn dense_rows_and_lists_are_told_apart() {
        let dense = array![
            [0.0, 1.0, 1.0],
            [1.0, 0.0, 0.0],
            [1.0, 1.0, 1.0],
            [0.0, 0.0, 1.0]
        ];
        let found = patterns(dense.view(), 0, "x").unwrap();
        assert_eq!(found[0], Sdr::new(3, vec![1, 2]).unwrap());
        let lists = array![[5.0, 2.0], [0.0, -1.0], [1.0, 0.0], [3.0, 4.0]];
        let found = patterns(lists.view(), 0, "x").unwrap();
        assert_eq!(found[0], Sdr::new(6, vec![2, 5]).unwrap());
        assert_eq!(found[1], Sdr::new(6, vec![0]).unwrap());
        assert_eq!(patterns(lists.view(), 100, "x").unwrap()[0].cells(), 100);
    }

    #[test]
    fn what_is_neither_is_refused_with_its_row() {
        let refused = |matrix: ndarray::Array2<f64>, cells| {
            patterns(matrix.view(), cells, "p.npy")
                .unwrap_err()
                .to_string()
        };
        let lists = array![[5.0, 2.0], [0.0, 1.0], [1.0, 0.0], [3.0, 4.0]];
        assert!(refused(lists.clone(), 5).contains("row 0"));
        assert!(refused(lists.mapv(|v| v / 2.0), 0).contains("row 0 holds 2.5"));
        assert!(
            refused(array![[1.0, 2.0], [3.0, 3.0], [1.0, 2.0], [0.0, 1.0]], 0).contains("row 1")
        );
        assert!(refused(array![[1.0, 2.0], [3.0, -2.0], [1.0, 2.0], [0.0, 1.0]], 0).contains("-2"));
        assert!(
            refused(array![[1.0, 5e9], [3.0, 2.0], [1.0, 2.0], [0.0, 1.0]], 0).contains("row 0")
        );
        assert!(refused(array![[0.0, 1.0]], 0).contains("at least 4"));
    }
}
