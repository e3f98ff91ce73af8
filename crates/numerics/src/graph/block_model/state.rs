//! A hierarchy of blocks under change: what a move or a merge would do to the description length, in
//! time proportional to what it touches.

use super::counting::Counting;
use super::description::measure;
use super::level::{Change, Level, Step};
use super::source::{Cell, Kind, Source};

/// A group without members, waiting to be used: how many a level keeps ready.
const SPARE: usize = 4;

/// What joins one node to each group.
#[derive(Clone, Debug, Default)]
pub(super) struct Tally {
    pub(super) groups: Vec<(u32, Cell)>,
    place: Vec<u32>,
    own: Cell,
}

/// Something that could be done.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Proposal {
    /// A node of a level moves to another group of that level, perhaps an unused one.
    Move { level: usize, node: u32, to: u32 },
    /// All members of a group of a level join another group of that level.
    Merge { level: usize, from: u32, to: u32 },
}

/// A hierarchy over a [`Source`]. The last level always holds everything in one group.
#[derive(Clone, Debug)]
pub(super) struct State<'a> {
    pub(super) source: &'a Source,
    pub(super) counting: &'a Counting,
    pub(super) levels: Vec<Level>,
    /// Edge ends in each group of the lowest level.
    pub(super) ends: Vec<u64>,
    /// Groups of the lowest level x degree classes: members of that degree.
    pub(super) histogram: Vec<u32>,
    /// The description length in nats, weights in their units.
    pub(super) length: f64,
    tally: Tally,
}

impl<'a> State<'a> {
    /// From labels numbered without gaps; a last level of one group is added where there is none.
    pub(super) fn new(
        source: &'a Source,
        counting: &'a Counting,
        mut labels: Vec<Vec<usize>>,
    ) -> Self {
        if labels
            .last()
            .is_none_or(|last| last.iter().any(|&group| group > 0))
        {
            let count = labels.last().map_or(source.nodes(), |last| {
                last.iter().max().map_or(0, |&most| most + 1)
            });
            labels.push(vec![0; count]);
        }
        let length = measure(source, &labels, counting, 0.0).total();
        let mut levels: Vec<Level> = Vec::with_capacity(labels.len());
        let mut below = source.nodes();
        let mut cells: Vec<((usize, usize), Cell)> = source.cells().collect();
        for (index, blocks) in labels.iter().enumerate() {
            let groups = blocks.iter().max().map_or(0, |&most| most + 1);
            let last = index + 1 == labels.len();
            let side = if last {
                groups
            } else {
                (groups + SPARE).min(below)
            };
            let mut level = Level {
                group_of: vec![0; below],
                nodes: blocks.len(),
                groups,
                size: vec![0; side],
                cells: vec![Cell::default(); side * side],
                step: Step {
                    place: vec![0; side * side],
                    ..Step::default()
                },
            };
            for (node, &block) in blocks.iter().enumerate() {
                level.group_of[node] = block as u32;
                level.size[block] += 1;
            }
            let mut sums = Vec::new();
            for ((a, b), cell) in cells {
                let (r, s) = (blocks[a], blocks[b]);
                level.cells[r * side + s].add(cell);
                if r != s {
                    level.cells[s * side + r].add(cell);
                }
            }
            for r in 0..groups {
                for s in r..groups {
                    let cell = level.cells[r * side + s];
                    if cell.edges > 0 {
                        sums.push(((r, s), Cell { pairs: 1, ..cell }));
                    }
                }
            }
            cells = sums;
            below = side;
            levels.push(level);
        }
        let side = levels[0].side();
        let mut ends = vec![0; side];
        let mut histogram = Vec::new();
        if source.kind == Kind::DegreeCorrected {
            histogram = vec![0; side * source.degree_classes];
        }
        for (node, &block) in labels[0].iter().enumerate() {
            ends[block] += u64::from(source.degree[node]);
            if source.kind == Kind::DegreeCorrected {
                histogram[block * source.degree_classes + source.degree_class[node] as usize] += 1;
            }
        }
        State {
            source,
            counting,
            levels,
            ends,
            histogram,
            length,
            tally: Tally::default(),
        }
    }

    /// Levels below the one that holds everything.
    pub(super) fn depth(&self) -> usize {
        self.levels.len() - 1
    }

    /// Groups in use at `level`.
    pub(super) fn groups(&self, level: usize) -> usize {
        self.levels[level].groups
    }

    pub(super) fn group_slots(&self, level: usize) -> usize {
        self.levels[level].side()
    }

    pub(super) fn size(&self, level: usize, group: u32) -> u32 {
        self.levels[level].size[group as usize]
    }

    pub(super) fn cell(&self, level: usize, a: u32, b: u32) -> Cell {
        let level = &self.levels[level];
        level.cells[a as usize * level.side() + b as usize]
    }

    pub(super) fn group_of(&self, level: usize, node: u32) -> u32 {
        self.levels[level].group_of[node as usize]
    }

    /// Nodes in use at `level`: all of the source at the lowest, else the groups in use below.
    pub(super) fn nodes(&self, level: usize) -> Vec<u32> {
        match level {
            0 => (0..self.source.nodes() as u32).collect(),
            _ => (0..self.levels[level - 1].side() as u32)
                .filter(|&group| self.size(level - 1, group) > 0)
                .collect(),
        }
    }

    /// A group at `level` without members, if one is left.
    pub(super) fn empty_group(&self, level: usize) -> Option<u32> {
        let free = self.levels[level].size.iter().position(|&size| size == 0);
        free.map(|group| group as u32)
    }

    /// Labels of all levels, renumbered without gaps, down to the first level of one group.
    pub(super) fn labels(&self) -> Vec<Vec<usize>> {
        let mut labels = Vec::with_capacity(self.levels.len());
        for level in 0..self.levels.len() {
            let mut number = vec![usize::MAX; self.levels[level].side()];
            let mut next = 0;
            for group in 0..self.levels[level].side() {
                if self.levels[level].size[group] > 0 {
                    number[group] = next;
                    next += 1;
                }
            }
            let nodes = self.nodes(level);
            labels.push(
                nodes
                    .iter()
                    .map(|&n| number[self.group_of(level, n) as usize])
                    .collect(),
            );
            if next == 1 {
                break;
            }
        }
        labels
    }

    /// Counts what joins `node` to each group, before proposals to move it.
    pub(super) fn gather(&mut self, level: usize, node: u32) {
        let mut tally = std::mem::take(&mut self.tally);
        for (group, _) in tally.groups.drain(..) {
            tally.place[group as usize] = 0;
        }
        let most = self.levels.iter().map(Level::side).max().unwrap_or(0);
        tally.place.resize(most, 0);
        let here = &self.levels[level];
        let mut count = |other: u32, cell: Cell| {
            let group = here.group_of[other as usize];
            match tally.place[group as usize] {
                0 => {
                    tally.groups.push((group, cell));
                    tally.place[group as usize] = tally.groups.len() as u32;
                }
                place => tally.groups[place as usize - 1].1.add(cell),
            }
        };
        if level == 0 {
            tally.own = self.source.loops[node as usize];
            self.source
                .links(node as usize)
                .iter()
                .for_each(|&(other, cell)| count(other, cell));
        } else {
            let below = &self.levels[level - 1];
            let row = &below.cells[node as usize * below.side()..][..below.side()];
            tally.own = Cell::default();
            for (other, cell) in row.iter().enumerate().filter(|(_, cell)| cell.edges > 0) {
                let cell = Cell { pairs: 1, ..*cell };
                if other == node as usize {
                    tally.own = cell
                } else {
                    count(other as u32, cell)
                }
            }
        }
        self.tally = tally;
    }

    /// Groups joined to the node last gathered.
    pub(super) fn gathered(&self) -> &[(u32, Cell)] {
        &self.tally.groups
    }

    /// What `proposal` would add to the description length. A move needs [`Self::gather`] first.
    pub(super) fn propose(&mut self, proposal: Proposal) -> f64 {
        for level in &mut self.levels {
            let side = level.side();
            level.step.clear(side);
        }
        let (level, from, to) = self.ends_of(proposal);
        let mut step = std::mem::take(&mut self.levels[level].step);
        match proposal {
            Proposal::Move { .. } => self.fill_move(&mut step, level, from, to),
            Proposal::Merge { .. } => self.fill_merge(&mut step, level, from, to),
        }
        self.levels[level].step = step;
        let mut added = if level == 0 {
            self.lowest_groups(proposal)
        } else {
            0.0
        };
        let mut at = level;
        loop {
            self.count_groups(at);
            added += self.step_length(at);
            if at + 1 == self.levels.len() || !self.ascend(at, from, to) {
                return added;
            }
            at += 1;
        }
    }

    pub(super) fn ends_of(&self, proposal: Proposal) -> (usize, u32, u32) {
        match proposal {
            Proposal::Move { level, node, to } => (level, self.group_of(level, node), to),
            Proposal::Merge { level, from, to } => (level, from, to),
        }
    }

    fn fill_move(&self, step: &mut Step, level: usize, from: u32, to: u32) {
        let side = self.levels[level].side();
        let signed = |a, b, cell: Cell, sign: i64| Change {
            a,
            b,
            edges: sign * i64::from(cell.edges),
            pairs: sign * i64::from(cell.pairs),
            weight: sign * cell.weight as i64,
        };
        for &(group, cell) in &self.tally.groups {
            step.add(side, signed(from, group, cell, -1));
            step.add(side, signed(to, group, cell, 1));
        }
        if self.tally.own.edges > 0 {
            step.add(side, signed(from, from, self.tally.own, -1));
            step.add(side, signed(to, to, self.tally.own, 1));
        }
        step.resize(from, -1);
        step.resize(to, 1);
    }

    fn fill_merge(&self, step: &mut Step, level: usize, from: u32, to: u32) {
        let here = &self.levels[level];
        let side = here.side();
        for group in 0..side as u32 {
            let cell = here.cells[from as usize * side + group as usize];
            if cell.edges == 0 {
                continue;
            }
            let gone = Change {
                a: from,
                b: group,
                edges: -i64::from(cell.edges),
                pairs: -i64::from(cell.pairs),
                weight: -(cell.weight as i64),
            };
            let target = if group == from { to } else { group };
            step.add(side, gone);
            step.add(
                side,
                Change {
                    a: to,
                    b: target,
                    edges: -gone.edges,
                    pairs: -gone.pairs,
                    weight: -gone.weight,
                },
            );
        }
        let members = i64::from(here.size[from as usize]);
        step.resize(from, -members);
        step.resize(to, members);
    }

    /// Derives the step of the level above from that of `level`; false where nothing changes there.
    fn ascend(&mut self, level: usize, from: u32, to: u32) -> bool {
        let (lower, upper) = self.levels.split_at_mut(level + 1);
        let (here, above) = (&lower[level], &mut upper[0]);
        let (side, above_side) = (here.side(), above.side());
        // A group that comes into use belongs where the group it came from belongs.
        let parent = |group: u32| {
            let unused = here.size[group as usize] == 0;
            above.group_of[if unused && group == to { from } else { group } as usize]
        };
        let step = &mut above.step;
        let mut within = Change::default();
        for change in &here.step.changes {
            if change.edges == 0 && change.weight == 0 {
                continue;
            }
            let old = here.cells[change.a as usize * side + change.b as usize].edges;
            let pairs = i64::from(i64::from(old) + change.edges > 0) - i64::from(old > 0);
            if above_side == 1 {
                within.pairs += pairs;
            } else {
                let (a, b) = (parent(change.a), parent(change.b));
                step.add(
                    above_side,
                    Change {
                        a,
                        b,
                        pairs,
                        ..*change
                    },
                );
            }
        }
        if within.pairs != 0 {
            // Edges and weights only change places in a group that holds everything.
            step.add(above_side, within);
        }
        for &(group, by) in &here.step.sizes {
            let old = i64::from(here.size[group as usize]);
            let used = i64::from(old + by > 0) - i64::from(old > 0);
            if used != 0 {
                step.resize(parent(group), used);
                step.nodes += used;
            }
        }
        step.nodes != 0
            || step.sizes.iter().any(|&(_, by)| by != 0)
            || step.changes.iter().any(|change| !change.is_nothing())
    }

    /// Carries out the proposal last given to [`Self::propose`], which added `added`.
    pub(super) fn apply(&mut self, proposal: Proposal, added: f64) {
        let (level, from, to) = self.ends_of(proposal);
        if level == 0 {
            self.apply_lowest(proposal, from, to);
        }
        if level + 1 < self.levels.len() && self.size(level, to) == 0 {
            let parent = self.group_of(level + 1, from);
            self.levels[level + 1].group_of[to as usize] = parent;
        }
        match proposal {
            Proposal::Move { node, .. } => self.levels[level].group_of[node as usize] = to,
            Proposal::Merge { .. } => {
                for node in self.nodes(level) {
                    if self.group_of(level, node) == from {
                        self.levels[level].group_of[node as usize] = to;
                    }
                }
            }
        }
        for here in &mut self.levels[level..] {
            let side = here.side();
            let step = &here.step;
            for change in &step.changes {
                let (a, b) = (change.a as usize, change.b as usize);
                let new = change.apply(here.cells[a * side + b]);
                here.cells[a * side + b] = new;
                here.cells[b * side + a] = new;
            }
            for &(group, by) in &step.sizes {
                here.size[group as usize] = (i64::from(here.size[group as usize]) + by) as u32;
            }
            here.nodes = (here.nodes as i64 + step.nodes) as usize;
            here.groups = (here.groups as i64 + step.groups) as usize;
            here.step.clear(side);
        }
        self.length += added;
    }

    fn apply_lowest(&mut self, proposal: Proposal, from: u32, to: u32) {
        let (from, to) = (from as usize, to as usize);
        let classes = self.source.degree_classes;
        let corrected = self.source.kind == Kind::DegreeCorrected;
        match proposal {
            Proposal::Move { node, .. } => {
                let degree = u64::from(self.source.degree[node as usize]);
                self.ends[from] -= degree;
                self.ends[to] += degree;
                if corrected {
                    let class = self.source.degree_class[node as usize] as usize;
                    self.histogram[from * classes + class] -= 1;
                    self.histogram[to * classes + class] += 1;
                }
            }
            Proposal::Merge { .. } => {
                self.ends[to] += std::mem::take(&mut self.ends[from]);
                for class in 0..if corrected { classes } else { 0 } {
                    let members = std::mem::take(&mut self.histogram[from * classes + class]);
                    self.histogram[to * classes + class] += members;
                }
            }
        }
    }
}
