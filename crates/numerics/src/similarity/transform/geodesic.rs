//! Shortest paths through the graph of near conditions.

use chiasm_core::data::{condensed_index, condensed_len};

use super::GeodesicEdges;
use super::geo_topological::weighted_quantile;
use super::scaling::{min_max, scaled_ranks};
use crate::similarity::sample::{ConditionSample, SampledRdm};

/// Path lengths in condensed form.
pub(super) struct Paths {
    pub(super) lengths: Vec<f64>,
    pub(super) disconnected: usize,
}

/// Paths over the kept edges of scaled ranks.
pub(super) fn of_ranks(
    rdm: &SampledRdm<'_>,
    sample: &ConditionSample,
    edges: GeodesicEdges,
) -> Option<Paths> {
    let lengths = scaled_ranks(rdm, sample)?;
    let conditions = sample.distinct();
    let kept = match edges {
        GeodesicEdges::Quantile { share } => {
            let longest = weighted_quantile(&lengths, &rdm.order, sample, share);
            lengths.iter().map(|length| *length <= longest).collect()
        }
        GeodesicEdges::Nearest { neighbours } => nearest(&lengths, conditions, neighbours),
        GeodesicEdges::NearestShare { share } => {
            let neighbours = (share * conditions as f64).floor().max(1.0) as usize;
            nearest(&lengths, conditions, neighbours)
        }
    };
    Some(shortest_paths(&lengths, &kept, conditions))
}

/// Paths over dissimilarities scaled to 0..1, the longest edges dropped.
pub(super) fn two_step(rdm: &SampledRdm<'_>, sample: &ConditionSample) -> Option<Paths> {
    let lengths = min_max(rdm.values.to_vec())?;
    let kept: Vec<bool> = lengths.iter().map(|length| *length < 1.0).collect();
    Some(shortest_paths(&lengths, &kept, sample.distinct()))
}

/// The edges that are among the `neighbours` shortest of either end; of equally long ones, those to
/// conditions that come first.
fn nearest(lengths: &[f64], conditions: usize, neighbours: usize) -> Vec<bool> {
    let mut kept = vec![false; condensed_len(conditions)];
    for i in 0..conditions {
        let mut edges: Vec<usize> = (0..conditions)
            .filter(|&j| j != i)
            .map(|j| condensed_index(i, j, conditions))
            .collect();
        edges.sort_by(|&a, &b| lengths[a].total_cmp(&lengths[b]));
        for &edge in edges.iter().take(neighbours) {
            kept[edge] = true;
        }
    }
    kept
}

/// Floyd-Warshall over the kept edges; pairs without a path get twice the longest path.
fn shortest_paths(lengths: &[f64], kept: &[bool], conditions: usize) -> Paths {
    let mut distance = vec![f64::INFINITY; conditions * conditions];
    let mut pair = 0;
    for i in 0..conditions {
        distance[i * conditions + i] = 0.0;
        for j in i + 1..conditions {
            if kept[pair] {
                distance[i * conditions + j] = lengths[pair];
                distance[j * conditions + i] = lengths[pair];
            }
            pair += 1;
        }
    }
    let mut through = vec![0.0; conditions];
    for k in 0..conditions {
        through.copy_from_slice(&distance[k * conditions..(k + 1) * conditions]);
        for row in distance.chunks_exact_mut(conditions) {
            let to_k = row[k];
            if to_k.is_finite() {
                for (length, from_k) in row.iter_mut().zip(&through) {
                    *length = length.min(to_k + from_k);
                }
            }
        }
    }
    let longest = distance
        .iter()
        .copied()
        .filter(|d| d.is_finite())
        .fold(0.0, f64::max);
    let mut disconnected = 0;
    let mut paths = Vec::with_capacity(lengths.len());
    for i in 0..conditions {
        for &length in &distance[i * conditions + i + 1..(i + 1) * conditions] {
            if length.is_finite() {
                paths.push(length);
            } else {
                disconnected += 1;
                paths.push(2.0 * longest);
            }
        }
    }
    Paths {
        lengths: paths,
        disconnected,
    }
}
