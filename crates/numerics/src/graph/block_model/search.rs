//! The search for the hierarchy of least description length.

use std::collections::BTreeMap;

use chiasm_core::{Progress, Result};
use rand::RngExt;
use rand_chacha::ChaCha8Rng;

use super::counting::Counting;
use super::description::measure;
use super::source::{Cell, Source};
use super::state::{Proposal, State};

/// Gains below this many nats are rounding.
const LEAST_GAIN: f64 = 1e-7;
/// Up to this many groups every one is tried as a target; above, those joined best and some at random.
const TRY_ALL: usize = 20;
/// How many of the hierarchies met are refined, the shortest first.
const REFINED: usize = 3;
/// Each stage of the agglomeration leaves this share of the groups.
const SHRINK: f64 = 0.7;

/// All levels of a hierarchy and its description length.
pub(super) type Found = (Vec<Vec<usize>>, f64);

/// One partition of the lowest level met on the way from many groups to one.
struct Candidate {
    labels: Vec<usize>,
    /// Description length with everything above in one group.
    flat_length: f64,
}

/// What every part of a search carries.
pub(super) struct Search<'a> {
    pub(super) counting: &'a Counting,
    pub(super) progress: &'a Progress,
}

impl Search<'_> {
    /// The best hierarchy that agglomeration, bisection and refinement find.
    pub(super) fn best(
        &self,
        source: &Source,
        refinements: usize,
        rng: &mut ChaCha8Rng,
    ) -> Result<Found> {
        let mut met = self.hierarchies(source, rng)?;
        met.sort_by(|a, b| a.1.total_cmp(&b.1));
        let mut best: Option<Found> = None;
        for (levels, _) in met.into_iter().take(REFINED) {
            let found = self.refine(source, levels, refinements, rng)?;
            if best.as_ref().is_none_or(|best| found.1 < best.1) {
                best = Some(found);
            }
        }
        Ok(best.unwrap_or_else(|| self.one_group(source)))
    }

    /// Agglomerates from single nodes to one group, finds the best hierarchy above some of the
    /// partitions met, and narrows the number of groups down by bisection. One hierarchy for each
    /// number of groups that was looked at.
    fn hierarchies(&self, source: &Source, rng: &mut ChaCha8Rng) -> Result<Vec<Found>> {
        let nodes = source.nodes();
        if nodes == 1 {
            return Ok(vec![self.one_group(source)]);
        }
        let mut met = self.agglomerate(source, rng)?;
        // As many groups as nodes says nothing: such a level would only be passed through.
        let Some(flat_best) = met
            .range(..nodes)
            .min_by(|a, b| a.1.flat_length.total_cmp(&b.1.flat_length))
            .map(|(&groups, _)| groups)
        else {
            return Ok(vec![self.one_group(source)]);
        };
        let mut nested: BTreeMap<usize, Found> = BTreeMap::new();
        // Outward from the flat optimum, as long as it does not get worse twice in a row.
        for rising in [true, false] {
            let tried: Vec<usize> = if rising {
                met.range(flat_best..nodes)
                    .map(|(&groups, _)| groups)
                    .collect()
            } else {
                met.range(..flat_best)
                    .rev()
                    .map(|(&groups, _)| groups)
                    .collect()
            };
            let mut misses = 0;
            let mut best = nested
                .get(&flat_best)
                .map_or(f64::INFINITY, |found| found.1);
            for groups in tried {
                let found = self.with_levels_above(source, &met[&groups], rng)?;
                misses = if found.1 < best { 0 } else { misses + 1 };
                best = best.min(found.1);
                nested.insert(groups, found);
                if misses == 2 {
                    break;
                }
            }
        }
        let least = |nested: &BTreeMap<usize, Found>| {
            nested
                .iter()
                .min_by(|a, b| a.1.1.total_cmp(&b.1.1))
                .map_or(1, |(&groups, _)| groups)
        };
        // Bisection on both sides of the best number of groups.
        loop {
            let best = least(&nested);
            let above = met.range(best + 1..).next().map(|(&groups, _)| groups);
            let below = met.range(..best).next_back().map(|(&groups, _)| groups);
            let upper = above
                .filter(|&above| above > best + 1)
                .map(|above| (above, (best + above) / 2));
            let lower = below
                .filter(|&below| best > below + 1)
                .map(|below| (best, (best + below) / 2));
            let Some((start, target)) = upper.or(lower) else {
                break;
            };
            let mut state = State::new(source, self.counting, vec![met[&start].labels.clone()]);
            self.shrink(&mut state, target, rng)?;
            let candidate = Candidate {
                labels: state.labels().swap_remove(0),
                flat_length: state.length,
            };
            nested.insert(target, self.with_levels_above(source, &candidate, rng)?);
            met.insert(target, candidate);
        }
        Ok(nested.into_values().collect())
    }

    fn one_group(&self, source: &Source) -> Found {
        let labels = vec![vec![0; source.nodes()]];
        let length = measure(source, &labels, self.counting, 0.0).total();
        (labels, length)
    }

    /// The best hierarchy above a partition of the lowest level.
    fn with_levels_above(
        &self,
        source: &Source,
        candidate: &Candidate,
        rng: &mut ChaCha8Rng,
    ) -> Result<Found> {
        let mut levels = vec![candidate.labels.clone()];
        let groups = candidate.labels.iter().max().map_or(1, |&most| most + 1);
        if groups == 1 {
            return Ok((levels, candidate.flat_length));
        }
        let blocks = source.block_graph(&candidate.labels);
        let one = measure(&blocks, &[vec![0; groups]], self.counting, 0.0).total();
        let met = self.hierarchies(&blocks, rng)?;
        let shortest = met.into_iter().min_by(|a, b| a.1.total_cmp(&b.1));
        let (above, length) = shortest.unwrap_or_else(|| self.one_group(&blocks));
        levels.extend(above);
        Ok((levels, candidate.flat_length - one + length))
    }

    /// From single nodes to one group in stages, groups merged and nodes moved in each.
    fn agglomerate(
        &self,
        source: &Source,
        rng: &mut ChaCha8Rng,
    ) -> Result<BTreeMap<usize, Candidate>> {
        let mut met = BTreeMap::new();
        let mut labels: Vec<usize> = (0..source.nodes()).collect();
        loop {
            let mut state = State::new(source, self.counting, vec![labels]);
            let groups = state.groups(0);
            if groups < source.nodes() {
                // Partitions into many groups are passed through on the way: a rough one will do.
                let sweeps = if groups > TRY_ALL { 2 } else { 10 };
                self.settle(&mut state, 0, false, sweeps, rng)?;
            }
            labels = state.labels().swap_remove(0);
            let candidate = Candidate {
                labels: labels.clone(),
                flat_length: state.length,
            };
            met.insert(groups, candidate);
            if groups == 1 {
                return Ok(met);
            }
            let target = ((groups as f64 * SHRINK) as usize).clamp(1, groups - 1);
            self.merge_down(&mut state, target, rng)?;
            labels = state.labels().swap_remove(0);
        }
    }

    fn shrink(&self, state: &mut State<'_>, target: usize, rng: &mut ChaCha8Rng) -> Result<()> {
        self.merge_down(state, target, rng)?;
        self.settle(state, 0, false, 10, rng)
    }

    /// Merges groups of the lowest level, the cheapest pairs first, until `target` are left.
    fn merge_down(&self, state: &mut State<'_>, target: usize, rng: &mut ChaCha8Rng) -> Result<()> {
        while state.groups(0) > target {
            self.progress.check()?;
            let used = used_groups(state, 0);
            let mut best: Vec<(f64, u32, u32)> = Vec::with_capacity(used.len());
            for &from in &used {
                let joined: Vec<(u32, Cell)> = used
                    .iter()
                    .filter(|&&other| other != from)
                    .map(|&other| (other, state.cell(0, from, other)))
                    .filter(|(_, cell)| cell.edges > 0)
                    .collect();
                let mut found: Option<(f64, u32, u32)> = None;
                for to in targets(&used, from, &joined, rng) {
                    let added = state.propose(Proposal::Merge { level: 0, from, to });
                    if found.is_none_or(|(least, ..)| added < least) {
                        found = Some((added, from, to));
                    }
                }
                best.extend(found);
            }
            best.sort_by(|a, b| a.0.total_cmp(&b.0));
            let mut touched = vec![false; state.group_slots(0)];
            for (_, from, to) in best {
                if state.groups(0) == target {
                    break;
                }
                if touched[from as usize] || touched[to as usize] {
                    continue;
                }
                touched[from as usize] = true;
                touched[to as usize] = true;
                let proposal = Proposal::Merge { level: 0, from, to };
                let added = state.propose(proposal);
                state.apply(proposal, added);
            }
        }
        Ok(())
    }

    /// Moves single nodes of a level as long as that pays. With `free`, groups may empty and new ones
    /// may open; without, their number stays.
    fn settle(
        &self,
        state: &mut State<'_>,
        level: usize,
        free: bool,
        sweeps: usize,
        rng: &mut ChaCha8Rng,
    ) -> Result<()> {
        for _ in 0..sweeps {
            self.progress.check()?;
            let before = state.length;
            let mut nodes = state.nodes(level);
            shuffle(&mut nodes, rng);
            let mut used = used_groups(state, level);
            for node in nodes {
                let from = state.group_of(level, node);
                if !free && state.size(level, from) == 1 {
                    continue;
                }
                state.gather(level, node);
                let mut tried = targets(&used, from, state.gathered(), rng);
                if free && state.size(level, from) > 1 {
                    tried.extend(state.empty_group(level));
                }
                let mut best = (-LEAST_GAIN, None);
                for to in tried {
                    let proposal = Proposal::Move { level, node, to };
                    let added = state.propose(proposal);
                    if added < best.0 {
                        best = (added, Some(proposal));
                    }
                }
                if let (_, Some(proposal)) = best {
                    let added = state.propose(proposal);
                    state.apply(proposal, added);
                    if free {
                        used = used_groups(state, level);
                    }
                }
            }
            if before - state.length < LEAST_GAIN {
                break;
            }
        }
        Ok(())
    }

    /// Improves a whole hierarchy: moves, merges, splits and exchanges on every level, each with its
    /// consequences for all levels above, and the levels above the lowest found anew; until nothing helps.
    fn refine(
        &self,
        source: &Source,
        levels: Vec<Vec<usize>>,
        cycles: usize,
        rng: &mut ChaCha8Rng,
    ) -> Result<Found> {
        let mut labels = levels;
        let mut length = measure(source, &labels, self.counting, 0.0).total();
        for _ in 0..cycles {
            let mut state = State::new(source, self.counting, labels.clone());
            for level in 0..state.depth() {
                self.settle(&mut state, level, true, 4, rng)?;
                self.merge_pairs(&mut state, level)?;
                self.split_groups(&mut state, level, rng)?;
            }
            let mut found = state.labels();
            let flat: Vec<Vec<usize>> = found[..1]
                .iter()
                .cloned()
                .chain(one_above(&found[0]))
                .collect();
            let candidate = Candidate {
                labels: found[0].clone(),
                flat_length: measure(source, &flat, self.counting, 0.0).total(),
            };
            let (anew, anew_length) = self.with_levels_above(source, &candidate, rng)?;
            let mut found_length = measure(source, &found, self.counting, 0.0).total();
            if anew_length < found_length {
                (found, found_length) = (anew, anew_length);
            }
            let gained = length - found_length;
            if gained > 0.0 {
                (labels, length) = (found, found_length);
            }
            if gained < LEAST_GAIN {
                break;
            }
        }
        Ok((labels, length))
    }

    /// Merges the pair of groups that pays most, again and again.
    fn merge_pairs(&self, state: &mut State<'_>, level: usize) -> Result<()> {
        loop {
            self.progress.check()?;
            let used = used_groups(state, level);
            let mut best = (-LEAST_GAIN, None);
            for (index, &from) in used.iter().enumerate() {
                for &to in &used[..index] {
                    let proposal = Proposal::Merge { level, from, to };
                    let added = state.propose(proposal);
                    if added < best.0 {
                        best = (added, Some(proposal));
                    }
                }
            }
            let Some(proposal) = best.1 else {
                return Ok(());
            };
            let added = state.propose(proposal);
            state.apply(proposal, added);
        }
    }

    /// Tries to split each group, and to divide pairs of groups differently.
    fn split_groups(
        &self,
        state: &mut State<'_>,
        level: usize,
        rng: &mut ChaCha8Rng,
    ) -> Result<()> {
        for group in used_groups(state, level) {
            self.progress.check()?;
            for _ in 0..3 {
                let Some(free) = state.empty_group(level) else {
                    break;
                };
                self.divide(state, level, group, free, rng);
            }
        }
        let used = used_groups(state, level);
        if used.len() > 1 {
            for _ in 0..2 * used.len() {
                self.progress.check()?;
                let first = used[rng.random_range(0..used.len())];
                let second = used[rng.random_range(0..used.len())];
                if first != second && state.size(level, first) > 0 && state.size(level, second) > 0
                {
                    self.divide(state, level, first, second, rng);
                }
            }
        }
        Ok(())
    }

    /// Divides the members of two groups (one may be empty) anew from a random start; keeps the result
    /// where it is shorter.
    fn divide(
        &self,
        state: &mut State<'_>,
        level: usize,
        first: u32,
        second: u32,
        rng: &mut ChaCha8Rng,
    ) {
        let mut members: Vec<u32> = state
            .nodes(level)
            .into_iter()
            .filter(|&node| [first, second].contains(&state.group_of(level, node)))
            .collect();
        if members.len() < 3 && state.size(level, second) > 0 || members.len() < 2 {
            return;
        }
        shuffle(&mut members, rng);
        let mut trial = state.clone();
        let go = |trial: &mut State<'_>, node: u32, to: u32, always: bool| {
            let from = trial.group_of(level, node);
            if from == to || trial.size(level, from) == 1 {
                return;
            }
            trial.gather(level, node);
            let proposal = Proposal::Move { level, node, to };
            let added = trial.propose(proposal);
            if always || added < -LEAST_GAIN {
                trial.apply(proposal, added);
            }
        };
        for (index, &node) in members.iter().enumerate() {
            go(
                &mut trial,
                node,
                if index % 2 == 0 { first } else { second },
                true,
            );
        }
        for _ in 0..6 {
            let before = trial.length;
            for &node in &members {
                let to = if trial.group_of(level, node) == first {
                    second
                } else {
                    first
                };
                go(&mut trial, node, to, false);
            }
            if before - trial.length < LEAST_GAIN {
                break;
            }
        }
        if trial.length < state.length - LEAST_GAIN {
            *state = trial;
        }
    }
}

/// A level that puts all groups of `labels` together; none where there is only one.
fn one_above(labels: &[usize]) -> Option<Vec<usize>> {
    let groups = labels.iter().max().map_or(1, |&most| most + 1);
    (groups > 1).then(|| vec![0; groups])
}

fn used_groups(state: &State<'_>, level: usize) -> Vec<u32> {
    let slots = 0..state.group_slots(level) as u32;
    slots
        .filter(|&group| state.size(level, group) > 0)
        .collect()
}

/// Groups worth trying for something now in `from`: all where there are few, else those it is joined
/// to by the most edges and by the most weight, and some at random.
fn targets(used: &[u32], from: u32, joined: &[(u32, Cell)], rng: &mut ChaCha8Rng) -> Vec<u32> {
    if used.len() <= TRY_ALL {
        return used
            .iter()
            .copied()
            .filter(|&group| group != from)
            .collect();
    }
    let mut others: Vec<(u32, Cell)> = joined
        .iter()
        .copied()
        .filter(|&(group, _)| group != from)
        .collect();
    let mut tried: Vec<u32> = Vec::with_capacity(14);
    others.sort_by_key(|&(group, cell)| (std::cmp::Reverse(cell.edges), group));
    tried.extend(others.iter().take(4).map(|&(group, _)| group));
    others.sort_by_key(|&(group, cell)| (std::cmp::Reverse(cell.weight), group));
    tried.extend(others.iter().take(4).map(|&(group, _)| group));
    if !others.is_empty() {
        tried.extend((0..3).map(|_| others[rng.random_range(0..others.len())].0));
    }
    tried.extend((0..3).map(|_| used[rng.random_range(0..used.len())]));
    tried.sort_unstable();
    tried.dedup();
    tried.retain(|&group| group != from);
    tried
}

fn shuffle(items: &mut [u32], rng: &mut ChaCha8Rng) {
    for last in (1..items.len()).rev() {
        items.swap(last, rng.random_range(0..=last));
    }
}
