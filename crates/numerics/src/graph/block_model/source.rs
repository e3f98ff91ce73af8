//! What one search works on: a simple graph, or the multigraph of its blocks.

use std::collections::BTreeMap;

use super::super::weighted::WeightedGraph;

/// How the edges of the lowest level of a search are described given the block counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// A simple graph whose degrees are part of the model.
    DegreeCorrected,
    /// A simple graph in which the nodes of a block are alike.
    Plain,
    /// A multigraph of blocks, all multigraphs with the block counts being equally likely.
    Multigraph,
}

/// Edges of one node to another: how many, between how many pairs of nodes of the level below (1), and
/// their summed weight.
///
/// Weights are counted in units of 2⁻³² of the mean weight, so that sums are exact however often
/// they are updated.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Cell {
    pub(super) edges: u32,
    pub(super) pairs: u32,
    pub(super) weight: u64,
}

impl Cell {
    pub(super) fn add(&mut self, other: Cell) {
        self.edges += other.edges;
        self.pairs += other.pairs;
        self.weight += other.weight;
    }
}

/// Nodes and what joins them.
#[derive(Clone, Debug)]
pub(super) struct Source {
    pub(super) kind: Kind,
    /// Whether weights are part of the model.
    pub(super) weighted: bool,
    /// Other ends and edges, node by node, without loops.
    links: Vec<(u32, Cell)>,
    offsets: Vec<usize>,
    /// Edges of each node to itself.
    pub(super) loops: Vec<Cell>,
    /// Edge ends at each node.
    pub(super) degree: Vec<u32>,
    /// Each node's degree as an index into the sorted distinct degrees, and their number.
    pub(super) degree_class: Vec<u32>,
    pub(super) degree_classes: usize,
}

impl Source {
    /// A simple graph, and the logarithm of the unit its weights are counted in.
    pub(super) fn from_graph(graph: &WeightedGraph, kind: Kind, weighted: bool) -> (Self, f64) {
        let mean = graph.total_weight() / graph.edges().len().max(1) as f64;
        let unit = if mean > 0.0 {
            mean / f64::from(1u32 << 31) / 2.0
        } else {
            1.0
        };
        let cells = graph.edges().iter().map(|&(a, b, weight)| {
            let weight = ((weight / unit).round() as u64).max(1);
            (
                (a, b),
                Cell {
                    edges: 1,
                    pairs: 1,
                    weight,
                },
            )
        });
        (
            Self::from_cells(graph.nodes(), cells, kind, weighted),
            unit.ln(),
        )
    }

    /// From what joins each pair (a ≤ b), every pair at most once.
    pub(super) fn from_cells(
        nodes: usize,
        cells: impl Iterator<Item = ((usize, usize), Cell)>,
        kind: Kind,
        weighted: bool,
    ) -> Self {
        let mut loops = vec![Cell::default(); nodes];
        let mut lists: Vec<Vec<(u32, Cell)>> = vec![Vec::new(); nodes];
        for ((a, b), cell) in cells {
            if a == b {
                loops[a] = cell;
            } else {
                lists[a].push((b as u32, cell));
                lists[b].push((a as u32, cell));
            }
        }
        let mut offsets = vec![0];
        let mut links = Vec::new();
        let mut degree = Vec::with_capacity(nodes);
        for (node, list) in lists.into_iter().enumerate() {
            let ends: u32 = list.iter().map(|(_, cell)| cell.edges).sum();
            degree.push(ends + 2 * loops[node].edges);
            links.extend(list);
            offsets.push(links.len());
        }
        let mut distinct = degree.clone();
        distinct.sort_unstable();
        distinct.dedup();
        let class = |value: &u32| distinct.binary_search(value).unwrap_or(0) as u32;
        let degree_class = degree.iter().map(class).collect();
        Source {
            kind,
            weighted,
            links,
            offsets,
            loops,
            degree,
            degree_class,
            degree_classes: distinct.len(),
        }
    }

    pub(super) fn nodes(&self) -> usize {
        self.loops.len()
    }

    pub(super) fn links(&self, node: usize) -> &[(u32, Cell)] {
        &self.links[self.offsets[node]..self.offsets[node + 1]]
    }

    /// All pairs (a ≤ b) that are joined.
    pub(super) fn cells(&self) -> impl Iterator<Item = ((usize, usize), Cell)> + '_ {
        (0..self.nodes()).flat_map(move |node| {
            let own = (self.loops[node].edges > 0).then_some(((node, node), self.loops[node]));
            let above = self
                .links(node)
                .iter()
                .filter(move |(other, _)| *other as usize > node);
            own.into_iter()
                .chain(above.map(move |&(other, cell)| ((node, other as usize), cell)))
        })
    }

    /// The multigraph of the blocks of a partition: one node a block.
    pub(super) fn block_graph(&self, blocks: &[usize]) -> Source {
        let count = blocks.iter().max().map_or(0, |&most| most + 1);
        let cells = sum_cells(self.cells(), blocks);
        let joined = cells
            .into_iter()
            .map(|(pair, cell)| (pair, Cell { pairs: 1, ..cell }));
        Source::from_cells(count, joined, Kind::Multigraph, self.weighted)
    }
}

/// Sums what joins nodes into what joins their blocks.
pub(super) fn sum_cells(
    cells: impl Iterator<Item = ((usize, usize), Cell)>,
    blocks: &[usize],
) -> BTreeMap<(usize, usize), Cell> {
    let mut sums: BTreeMap<(usize, usize), Cell> = BTreeMap::new();
    for ((a, b), cell) in cells {
        let (r, s) = (blocks[a].min(blocks[b]), blocks[a].max(blocks[b]));
        sums.entry((r, s)).or_default().add(cell);
    }
    sums
}
