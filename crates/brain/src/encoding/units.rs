//! Rows that are fitted or scored: means of trials, of the targets that are kept.

use std::collections::BTreeMap;
use std::ops::Range;

use chiasm_core::Result;
use chiasm_numerics::regression::{Real, ResponseSource};
use ndarray::{Array2, ArrayView2, ArrayViewMut2, ShapeBuilder};

use super::design::TrialDesign;

/// Rows, each the mean of some trials and of some rows of features.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Units {
    /// Rows of the responses.
    pub(super) trials: Vec<Vec<usize>>,
    /// Rows of the features.
    pub(super) samples: Vec<Vec<usize>>,
}

impl Units {
    /// What is fitted: each trial by itself, or the mean of a stack's repeats.
    pub(super) fn fitted(design: &TrialDesign, samples: &[usize], present: &[bool]) -> Self {
        let of_sample = trials_of_samples(design, present);
        Units {
            trials: samples
                .iter()
                .map(|&sample| of_sample[sample].clone())
                .collect(),
            samples: samples.iter().map(|&sample| vec![sample]).collect(),
        }
    }

    /// What is scored: the mean over all trials of a stimulus, in order of appearance, or
    /// each sample of a series in time.
    pub(super) fn scored(
        design: &TrialDesign,
        samples: &[usize],
        present: &[bool],
        timed: bool,
    ) -> Self {
        if timed {
            return Self::fitted(design, samples, present);
        }
        let of_sample = trials_of_samples(design, present);
        let mut units = Units::default();
        let mut place: BTreeMap<usize, usize> = BTreeMap::new();
        for &sample in samples {
            let at = *place.entry(design.stimulus_of(sample)).or_insert_with(|| {
                units.trials.push(Vec::new());
                units.samples.push(Vec::new());
                units.trials.len() - 1
            });
            units.trials[at].extend(&of_sample[sample]);
            units.samples[at].push(sample);
        }
        units
    }

    pub(super) fn len(&self) -> usize {
        self.trials.len()
    }

    /// How many trials each unit averages.
    pub(super) fn counts(&self) -> Vec<usize> {
        self.trials.iter().map(Vec::len).collect()
    }

    /// Features of the units.
    pub(super) fn features<T: Real>(&self, features: ArrayView2<'_, T>) -> Array2<T> {
        let mut rows = Array2::zeros((self.len(), features.ncols()));
        for (mut row, samples) in rows.rows_mut().into_iter().zip(&self.samples) {
            if let [only] = samples.as_slice() {
                row.assign(&features.row(*only));
                continue;
            }
            for (feature, slot) in row.iter_mut().enumerate() {
                let values = samples
                    .iter()
                    .map(|&sample| features[[sample, feature]].to_double());
                *slot = T::from_double(values.sum::<f64>() / samples.len() as f64);
            }
        }
        rows
    }
}

fn trials_of_samples(design: &TrialDesign, present: &[bool]) -> Vec<Vec<usize>> {
    let mut of_sample = vec![Vec::new(); design.samples()];
    for (trial, &sample) in design.sample_of_trial().iter().enumerate() {
        if present[trial] {
            of_sample[sample].push(trial);
        }
    }
    of_sample
}

/// The kept targets' responses of some units, as a source of its own.
pub(super) struct UnitSource<'a, S> {
    pub(super) source: &'a S,
    pub(super) units: &'a Units,
    /// Targets of `source` that are kept, ascending.
    pub(super) kept: &'a [usize],
}

impl<T: Real, S: ResponseSource<T>> ResponseSource<T> for UnitSource<'_, S> {
    fn row_count(&self) -> usize {
        self.units.len()
    }

    fn target_count(&self) -> usize {
        self.kept.len()
    }

    fn read(
        &self,
        rows: &[usize],
        targets: Range<usize>,
        mut into: ArrayViewMut2<'_, T>,
    ) -> Result<()> {
        let trials: Vec<usize> = rows
            .iter()
            .flat_map(|&row| self.units.trials[row].iter().copied())
            .collect();
        for stretch in stretches(&self.kept[targets.clone()]) {
            let own = &self.kept[targets.start + stretch.start..targets.start + stretch.end];
            let (first, last) = (own[0], own[own.len() - 1] + 1);
            let mut block = Array2::zeros((trials.len(), last - first).f());
            self.source.read(&trials, first..last, block.view_mut())?;
            for (j, &target) in own.iter().enumerate() {
                let from = block.column(target - first);
                let mut to = into.column_mut(stretch.start + j);
                let mut at = 0;
                for (i, &row) in rows.iter().enumerate() {
                    let count = self.units.trials[row].len();
                    to[i] = if count == 1 {
                        from[at]
                    } else {
                        let sum: f64 = (at..at + count).map(|trial| from[trial].to_double()).sum();
                        T::from_double(sum / count as f64)
                    };
                    at += count;
                }
            }
        }
        Ok(())
    }
}

/// Ranges of places in `kept` whose targets lie close together, so that one read takes them all.
fn stretches(kept: &[usize]) -> Vec<Range<usize>> {
    const GAP: usize = 64;
    let mut ranges: Vec<Range<usize>> = Vec::new();
    for (place, &target) in kept.iter().enumerate() {
        match ranges.last_mut() {
            Some(range) if target - kept[range.end - 1] <= GAP => range.end = place + 1,
            _ => ranges.push(place..place + 1),
        }
    }
    ranges
}

/// Reads the trials of units one by one: repeats x units x targets, NaN where a unit has fewer.
pub(super) fn read_repeats<T: Real, S: ResponseSource<T>>(
    source: &UnitSource<'_, S>,
    targets: Range<usize>,
) -> Result<ndarray::Array3<f64>> {
    let counts = source.units.counts();
    let most = counts.iter().copied().max().unwrap_or(0);
    let mut repeats = ndarray::Array3::from_elem((most, counts.len(), targets.len()), f64::NAN);
    // Each trial as a unit by itself.
    let (mut places, mut single) = (Vec::new(), Units::default());
    for (unit, trials) in source.units.trials.iter().enumerate() {
        for (repeat, &trial) in trials.iter().enumerate() {
            places.push((repeat, unit));
            single.trials.push(vec![trial]);
        }
    }
    let each = UnitSource {
        source: source.source,
        units: &single,
        kept: source.kept,
    };
    let rows: Vec<usize> = (0..single.len()).collect();
    let mut block = Array2::<T>::zeros((rows.len(), targets.len()).f());
    each.read(&rows, targets, block.view_mut())?;
    for (row, (repeat, unit)) in places.into_iter().enumerate() {
        for (target, value) in block.row(row).iter().enumerate() {
            repeats[[repeat, unit, target]] = value.to_double();
        }
    }
    Ok(repeats)
}
