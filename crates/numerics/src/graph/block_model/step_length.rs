//! What a proposal, once filled in, adds to the description length of each level.

use super::level::Level;
use super::source::{Cell, Kind};
use super::state::{Proposal, State};

impl State<'_> {
    /// The part of the lowest level that depends on single groups' edge ends and degrees.
    pub(super) fn lowest_groups(&self, proposal: Proposal) -> f64 {
        let (_, from, to) = self.ends_of(proposal);
        let (from, to) = (from as usize, to as usize);
        let size = &self.levels[0].size;
        let (members, ends) = match proposal {
            Proposal::Move { node, .. } => (1, u64::from(self.source.degree[node as usize])),
            Proposal::Merge { .. } => (size[from], self.ends[from]),
        };
        let group = |ends: u64, size: u32| match self.source.kind {
            Kind::DegreeCorrected => {
                // ln n! of the degrees and −ln n! of the partition, added elsewhere, do not cancel here.
                self.counting.factorial(ends as usize)
                    + self.counting.partitions(ends as usize, size as usize)
                    + self.counting.factorial(size as usize)
            }
            Kind::Plain if size > 0 => ends as f64 * f64::from(size).ln(),
            _ => 0.0,
        };
        let mut added = group(self.ends[from] - ends, size[from] - members)
            + group(self.ends[to] + ends, size[to] + members)
            - group(self.ends[from], size[from])
            - group(self.ends[to], size[to]);
        if self.source.kind == Kind::DegreeCorrected {
            let classes = self.source.degree_classes;
            let (of_from, of_to) = (
                &self.histogram[from * classes..][..classes],
                &self.histogram[to * classes..][..classes],
            );
            match proposal {
                Proposal::Move { node, .. } => {
                    let class = self.source.degree_class[node as usize] as usize;
                    added += f64::from(of_from[class]).ln() - f64::from(of_to[class] + 1).ln();
                }
                Proposal::Merge { .. } => {
                    for (&a, &b) in of_from.iter().zip(of_to).filter(|&(&a, &b)| a > 0 && b > 0) {
                        added += self.counting.factorial(a as usize)
                            + self.counting.factorial(b as usize)
                            - self.counting.factorial((a + b) as usize);
                    }
                }
            }
        }
        added
    }

    pub(super) fn count_groups(&mut self, level: usize) {
        let Level { step, size, .. } = &mut self.levels[level];
        step.groups = step
            .sizes
            .iter()
            .map(|&(group, by)| {
                let old = i64::from(size[group as usize]);
                i64::from(old + by > 0) - i64::from(old > 0)
            })
            .sum();
    }

    /// What the step of one level adds: its cells, its partition, its weights.
    pub(super) fn step_length(&self, level: usize) -> f64 {
        let here = &self.levels[level];
        let (step, side) = (&here.step, here.side());
        let mut added = 0.0;
        if self.source.weighted {
            for change in step.changes.iter().filter(|change| !change.is_nothing()) {
                let old = here.cells[change.a as usize * side + change.b as usize];
                added += self.weight_length(change.apply(old)) - self.weight_length(old);
            }
        }
        if level == 0 && self.source.kind != Kind::Multigraph {
            for change in step.changes.iter().filter(|change| change.edges != 0) {
                let old = here.cells[change.a as usize * side + change.b as usize].edges;
                let new = (i64::from(old) + change.edges) as usize;
                added += if change.a == change.b {
                    self.counting.double_factorial_of_even(old as usize)
                        - self.counting.double_factorial_of_even(new)
                } else {
                    self.counting.factorial(old as usize) - self.counting.factorial(new)
                };
            }
        } else {
            added += self.multigraph_cells(level);
        }
        for &(group, by) in &step.sizes {
            let old = i64::from(here.size[group as usize]);
            added += self.counting.factorial(old as usize);
            added -= self.counting.factorial((old + by) as usize);
        }
        let partition = |nodes: usize, groups: usize| {
            self.counting.factorial(nodes)
                + self.counting.choose(nodes - 1, groups - 1)
                + (nodes as f64).ln()
        };
        if step.nodes != 0 || step.groups != 0 {
            let nodes = (here.nodes as i64 + step.nodes) as usize;
            let groups = (here.groups as i64 + step.groups) as usize;
            added += partition(nodes, groups) - partition(here.nodes, here.groups);
        }
        added
    }

    fn weight_length(&self, cell: Cell) -> f64 {
        if cell.pairs < 2 {
            return 0.0;
        }
        let spare = cell.pairs as usize - 1;
        spare as f64 * (cell.weight as f64).ln() - self.counting.factorial(spare)
    }

    /// Cells of a multigraph level, whose room depends on the sizes of both groups.
    fn multigraph_cells(&self, level: usize) -> f64 {
        let here = &self.levels[level];
        let (step, side) = (&here.step, here.side());
        let resized = |group: usize| {
            step.sizes
                .iter()
                .position(|&(own, by)| own as usize == group && by != 0)
        };
        let new_size = |group: usize| {
            let by = step
                .sizes
                .iter()
                .find(|&&(own, _)| own as usize == group)
                .map_or(0, |&(_, by)| by);
            (i64::from(here.size[group]) + by) as usize
        };
        let term = |a: usize, b: usize, size_a: usize, size_b: usize, edges: i64| {
            let room = if a == b {
                size_a * (size_a + 1) / 2
            } else {
                size_a * size_b
            };
            self.counting.multichoose(room, edges as usize)
        };
        let mut added = 0.0;
        for (order, &(group, by)) in step.sizes.iter().enumerate() {
            if by == 0 {
                continue;
            }
            let a = group as usize;
            let new_a = new_size(a);
            for b in 0..side {
                // Each pair of two resized groups is counted at the first of them.
                if resized(b).is_some_and(|other| other < order) {
                    continue;
                }
                let old = i64::from(here.cells[a * side + b].edges);
                let new = match step.place[a * side + b] {
                    0 => old,
                    place => old + step.changes[place as usize - 1].edges,
                };
                if old == 0 && new == 0 {
                    continue;
                }
                added += term(a, b, new_a, new_size(b), new)
                    - term(a, b, here.size[a] as usize, here.size[b] as usize, old);
            }
        }
        for change in step.changes.iter().filter(|change| change.edges != 0) {
            let (a, b) = (change.a as usize, change.b as usize);
            if resized(a).is_some() || resized(b).is_some() {
                continue;
            }
            let old = i64::from(here.cells[a * side + b].edges);
            let (size_a, size_b) = (here.size[a] as usize, here.size[b] as usize);
            added +=
                term(a, b, size_a, size_b, old + change.edges) - term(a, b, size_a, size_b, old);
        }
        added
    }
}
