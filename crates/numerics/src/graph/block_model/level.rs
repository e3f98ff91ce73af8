//! One level of a hierarchy, and what a proposal would change on it.

use super::source::Cell;

/// One level: its nodes are the groups of the level below.
#[derive(Clone, Debug)]
pub(super) struct Level {
    /// The group of each node; meaningless for nodes that are not in use.
    pub(super) group_of: Vec<u32>,
    /// Nodes in use.
    pub(super) nodes: usize,
    /// Groups in use.
    pub(super) groups: usize,
    /// Members of each group.
    pub(super) size: Vec<u32>,
    /// Groups x groups, symmetric; loops counted once.
    pub(super) cells: Vec<Cell>,
    /// What a proposal would change.
    pub(super) step: Step,
}

impl Level {
    pub(super) fn side(&self) -> usize {
        self.size.len()
    }
}

/// Signed difference of a [`Cell`].
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Change {
    pub(super) a: u32,
    pub(super) b: u32,
    pub(super) edges: i64,
    pub(super) pairs: i64,
    pub(super) weight: i64,
}

impl Change {
    pub(super) fn is_nothing(&self) -> bool {
        self.edges == 0 && self.pairs == 0 && self.weight == 0
    }

    pub(super) fn apply(&self, cell: Cell) -> Cell {
        Cell {
            edges: (i64::from(cell.edges) + self.edges) as u32,
            pairs: (i64::from(cell.pairs) + self.pairs) as u32,
            weight: cell.weight.wrapping_add_signed(self.weight),
        }
    }
}

/// What a proposal changes on one level.
#[derive(Clone, Debug, Default)]
pub(super) struct Step {
    pub(super) changes: Vec<Change>,
    /// For each pair of groups, 1 + its place in `changes`, or 0.
    pub(super) place: Vec<u32>,
    pub(super) sizes: Vec<(u32, i64)>,
    pub(super) nodes: i64,
    pub(super) groups: i64,
}

impl Step {
    pub(super) fn clear(&mut self, side: usize) {
        for change in &self.changes {
            self.place[change.a as usize * side + change.b as usize] = 0;
            self.place[change.b as usize * side + change.a as usize] = 0;
        }
        self.changes.clear();
        self.sizes.clear();
        self.nodes = 0;
        self.groups = 0;
    }

    pub(super) fn add(&mut self, side: usize, change: Change) {
        let (a, b) = (change.a as usize, change.b as usize);
        match self.place[a * side + b] {
            0 => {
                self.changes.push(change);
                let place = self.changes.len() as u32;
                self.place[a * side + b] = place;
                self.place[b * side + a] = place;
            }
            place => {
                let own = &mut self.changes[place as usize - 1];
                own.edges += change.edges;
                own.pairs += change.pairs;
                own.weight += change.weight;
            }
        }
    }

    pub(super) fn resize(&mut self, group: u32, by: i64) {
        match self.sizes.iter_mut().find(|(own, _)| *own == group) {
            Some((_, size)) => *size += by,
            None => self.sizes.push((group, by)),
        }
    }
}
