//! Weighted undirected graphs.

use chiasm_core::{Error, Result};
use ndarray::ArrayView2;

/// A simple undirected graph with positive edge weights: no loops, no parallel edges.
#[derive(Clone, Debug, PartialEq)]
pub struct WeightedGraph {
    nodes: usize,
    /// (smaller end, larger end, weight), sorted.
    edges: Vec<(usize, usize, f64)>,
    offsets: Vec<usize>,
    /// (other end, weight), node by node.
    links: Vec<(usize, f64)>,
}

impl WeightedGraph {
    /// From edges in any order and direction.
    ///
    /// # Errors
    /// [`Error::TooFew`] without nodes, [`Error::Unusable`] for an end out of range, a loop or an edge
    /// given twice, [`Error::Setting`] for a weight that is not positive and finite.
    pub fn from_edges(
        nodes: usize,
        edges: impl IntoIterator<Item = (usize, usize, f64)>,
    ) -> Result<Self> {
        let unusable = |reason: String| Error::Unusable {
            operation: "weighted graph",
            reason,
        };
        if nodes == 0 {
            return Err(Error::TooFew {
                operation: "weighted graph",
                what: "nodes",
                found: 0,
                needed: 1,
            });
        }
        let mut sorted = Vec::new();
        for (a, b, weight) in edges {
            if a >= nodes || b >= nodes {
                return Err(unusable(format!(
                    "edge {a} - {b}, but there are {nodes} nodes"
                )));
            }
            if a == b {
                return Err(unusable(format!("node {a} is joined to itself")));
            }
            if !(weight > 0.0 && weight.is_finite()) {
                let name = format!("weight of edge {a} - {b}");
                return Err(Error::setting(name, weight, "a positive finite number"));
            }
            sorted.push((a.min(b), a.max(b), weight));
        }
        sorted.sort_by_key(|&(a, b, _)| (a, b));
        if let Some(pair) = sorted
            .windows(2)
            .find(|pair| (pair[0].0, pair[0].1) == (pair[1].0, pair[1].1))
        {
            return Err(unusable(format!(
                "edge {} - {} is given twice",
                pair[0].0, pair[0].1
            )));
        }
        let mut offsets = vec![0; nodes + 1];
        for &(a, b, _) in &sorted {
            offsets[a + 1] += 1;
            offsets[b + 1] += 1;
        }
        for node in 0..nodes {
            offsets[node + 1] += offsets[node];
        }
        let mut next = offsets.clone();
        let mut links = vec![(0, 0.0); 2 * sorted.len()];
        for &(a, b, weight) in &sorted {
            links[next[a]] = (b, weight);
            links[next[b]] = (a, weight);
            next[a] += 1;
            next[b] += 1;
        }
        Ok(WeightedGraph {
            nodes,
            edges: sorted,
            offsets,
            links,
        })
    }

    /// From a symmetric matrix of weights; zeros are absent edges, the diagonal must be zero.
    ///
    /// # Errors
    /// As [`Self::from_edges`]; [`Error::Shape`] where the matrix is not square, [`Error::Unusable`]
    /// where it is not symmetric.
    pub fn from_matrix(weights: ArrayView2<'_, f64>) -> Result<Self> {
        let (rows, columns) = weights.dim();
        if rows != columns {
            return Err(Error::Shape {
                operation: "weighted graph",
                what: "the weight matrix".to_string(),
                axis: "columns",
                found: columns,
                expected: rows.to_string(),
            });
        }
        let mut edges = Vec::new();
        for a in 0..rows {
            for b in a..rows {
                let (weight, mirrored) = (weights[[a, b]], weights[[b, a]]);
                if weight != mirrored && !(weight.is_nan() && mirrored.is_nan()) {
                    return Err(Error::Unusable {
                        operation: "weighted graph",
                        reason: format!(
                            "weights of {a} - {b} and {b} - {a} differ: {weight}, {mirrored}"
                        ),
                    });
                }
                if weight != 0.0 {
                    edges.push((a, b, weight));
                }
            }
        }
        Self::from_edges(rows, edges)
    }

    /// The number of nodes.
    pub fn nodes(&self) -> usize {
        self.nodes
    }

    /// All edges as (smaller end, larger end, weight), sorted.
    pub fn edges(&self) -> &[(usize, usize, f64)] {
        &self.edges
    }

    /// The other ends and weights of the edges at `node`.
    pub fn links(&self, node: usize) -> &[(usize, f64)] {
        &self.links[self.offsets[node]..self.offsets[node + 1]]
    }

    /// The number of edges at `node`.
    pub fn degree(&self, node: usize) -> usize {
        self.offsets[node + 1] - self.offsets[node]
    }

    /// The summed weight of the edges at `node`.
    pub fn strength(&self, node: usize) -> f64 {
        self.links(node).iter().map(|&(_, weight)| weight).sum()
    }

    /// The summed weight of all edges.
    pub fn total_weight(&self) -> f64 {
        self.edges.iter().map(|&(_, _, weight)| weight).sum()
    }

    /// The mean weight over all pairs of `members`, absent edges counted as 0; 0 for fewer than two.
    pub fn mean_weight_within(&self, members: &[usize]) -> f64 {
        let mut inside = vec![false; self.nodes];
        members.iter().for_each(|&node| inside[node] = true);
        let sum: f64 = members
            .iter()
            .flat_map(|&node| self.links(node))
            .filter(|&&(other, _)| inside[other])
            .map(|&(_, weight)| weight)
            .sum();
        let pairs = members.len() * members.len().saturating_sub(1);
        if pairs == 0 { 0.0 } else { sum / pairs as f64 }
    }
}
