//! The description length of a graph under a given hierarchy, from scratch.

use std::collections::BTreeMap;

use super::counting::Counting;
use super::source::{Cell, Kind, Source, sum_cells};

/// The description length in nats, by what is described. Smaller is better; differences are log
/// posterior odds.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct DescriptionLength {
    /// The edges given degrees and block counts, −ln P(A | k, e, b).
    pub adjacency: f64,
    /// The degrees given the block counts, −ln P(k | e, b); 0 without degree correction.
    pub degrees: f64,
    /// The partitions of all levels, −Σ ln P(b).
    pub partitions: f64,
    /// The block counts given the levels above, −Σ ln P(e | e above, b above).
    pub block_counts: f64,
    /// The edge weights, −ln P(x | A, b) over all levels, given their total; 0 where ignored.
    pub weights: f64,
}

impl DescriptionLength {
    /// The sum of the parts.
    pub fn total(&self) -> f64 {
        self.adjacency + self.degrees + self.partitions + self.block_counts + self.weights
    }
}

/// Measures `levels` on `source`. `levels[0]` holds a block for each node, `levels[l]` one for each
/// block of the level below, numbered 0, 1, 2 … without gaps; the last must be all 0.
/// `log_unit` is the logarithm of the unit weights are counted in.
pub(super) fn measure(
    source: &Source,
    levels: &[Vec<usize>],
    counting: &Counting,
    log_unit: f64,
) -> DescriptionLength {
    let mut length = DescriptionLength::default();
    let mut cells: BTreeMap<(usize, usize), Cell> = source.cells().collect();
    for (level, blocks) in levels.iter().enumerate() {
        let sums = sum_cells(cells.into_iter(), blocks);
        let count = blocks.iter().max().map_or(0, |&most| most + 1);
        let mut size = vec![0usize; count];
        blocks.iter().for_each(|&block| size[block] += 1);
        length.partitions += partition_length(&size, counting);
        if source.weighted {
            length.weights += sums
                .values()
                .map(|cell| weight_length(cell, log_unit))
                .sum::<f64>();
        }
        if level == 0 && source.kind != Kind::Multigraph {
            length.adjacency = adjacency_length(source, &sums, &size, counting);
            if source.kind == Kind::DegreeCorrected {
                length.degrees = degree_length(source, blocks, &sums, &size, counting);
            }
        } else {
            for (&(r, s), cell) in &sums {
                let room = if r == s {
                    size[r] * (size[r] + 1) / 2
                } else {
                    size[r] * size[s]
                };
                length.block_counts += counting.multichoose(room, cell.edges as usize);
            }
        }
        cells = sums
            .into_iter()
            .map(|(pair, cell)| (pair, Cell { pairs: 1, ..cell }))
            .collect();
    }
    length
}

/// −ln P(b) = ln N! − Σ ln n_r! + ln C(N − 1, B − 1) + ln N.
fn partition_length(size: &[usize], counting: &Counting) -> f64 {
    let nodes: usize = size.iter().sum();
    counting.factorial(nodes) - size.iter().map(|&n| counting.factorial(n)).sum::<f64>()
        + counting.choose(nodes - 1, size.len() - 1)
        + (nodes as f64).ln()
}

/// m weights with sum x, all such sets being equally likely: −ln P = (m − 1) ln x − ln (m − 1)!.
fn weight_length(cell: &Cell, log_unit: f64) -> f64 {
    let spare = f64::from(cell.pairs) - 1.0;
    let log_factorial: f64 = (1..cell.pairs).map(|k| f64::from(k).ln()).sum();
    if cell.pairs == 0 {
        0.0
    } else {
        spare * ((cell.weight as f64).ln() + log_unit) - log_factorial
    }
}

fn adjacency_length(
    source: &Source,
    sums: &BTreeMap<(usize, usize), Cell>,
    size: &[usize],
    counting: &Counting,
) -> f64 {
    let mut length = 0.0;
    let mut ends = vec![0usize; size.len()];
    for (&(r, s), cell) in sums {
        let edges = cell.edges as usize;
        ends[r] += edges;
        ends[s] += edges;
        length -= if r == s {
            counting.double_factorial_of_even(edges)
        } else {
            counting.factorial(edges)
        };
    }
    if source.kind == Kind::DegreeCorrected {
        length += ends.iter().map(|&e| counting.factorial(e)).sum::<f64>();
        length -= source
            .degree
            .iter()
            .map(|&k| counting.factorial(k as usize))
            .sum::<f64>();
    } else {
        length += ends
            .iter()
            .zip(size)
            .map(|(&e, &n)| e as f64 * (n as f64).ln())
            .sum::<f64>();
    }
    length
}

/// −ln P(k | e, b) = Σ_r [ln q(e_r, n_r) + ln n_r! − Σ_k ln η_k^r!].
fn degree_length(
    source: &Source,
    blocks: &[usize],
    sums: &BTreeMap<(usize, usize), Cell>,
    size: &[usize],
    counting: &Counting,
) -> f64 {
    let mut ends = vec![0usize; size.len()];
    for (&(r, s), cell) in sums {
        ends[r] += cell.edges as usize;
        ends[s] += cell.edges as usize;
    }
    let mut histogram: BTreeMap<(usize, u32), usize> = BTreeMap::new();
    for (node, &block) in blocks.iter().enumerate() {
        *histogram.entry((block, source.degree[node])).or_default() += 1;
    }
    let alike: f64 = histogram
        .values()
        .map(|&count| counting.factorial(count))
        .sum();
    let arrangements = ends
        .iter()
        .zip(size)
        .map(|(&e, &n)| counting.partitions(e, n) + counting.factorial(n));
    arrangements.sum::<f64>() - alike
}
