//! Models evaluated against the RDMs of subjects seen through one sample, cross-validated where something
//! is fitted.

use chiasm_core::Result;
use chiasm_core::data::condensed_index;

use super::fit::{Training, fit, predict};
use super::folds::Fold;
use super::model::{Flexibility, Model};
use super::noise_ceiling::{SubjectRdms, mean_of_drawn, pooled, summed};
use crate::similarity::comparator::{Comparator, Ready, ready};
use crate::similarity::sample::{ConditionSample, PreparedRdm, SampledRdm};
use crate::similarity::transform::Transform;

/// Evaluations of all models, then the lower and the upper noise ceiling; NaN where undefined.
pub type EvaluationRow = Vec<f64>;

/// The row of the subjects drawn so many times.
pub(super) type RowOfSubjects<'a> = dyn Fn(&[usize]) -> Result<EvaluationRow> + Sync + 'a;

/// Models and data, sorted once for all samples.
pub(super) struct Problem {
    models: Vec<(Flexibility, Vec<PreparedRdm>)>,
    data: Vec<PreparedRdm>,
    conditions: usize,
    transform: Transform,
    comparator: Comparator,
}

impl Problem {
    pub(super) fn new(
        models: &[Model],
        data: &[chiasm_core::data::Rdm],
        transform: Transform,
        comparator: Comparator,
    ) -> Result<Self> {
        let with_order = transform.needs_order() || comparator.uses_ranks();
        let prepare = |rdms: &[chiasm_core::data::Rdm]| {
            rdms.iter()
                .map(|rdm| PreparedRdm::new(rdm, with_order))
                .collect::<Result<Vec<_>>>()
        };
        Ok(Problem {
            models: models
                .iter()
                .map(|model| Ok((model.flexibility, prepare(&model.rdms)?)))
                .collect::<Result<_>>()?,
            data: prepare(data)?,
            conditions: data.first().map_or(0, |rdm| rdm.conditions()),
            transform,
            comparator,
        })
    }

    pub(super) fn subjects(&self) -> usize {
        self.data.len()
    }

    pub(super) fn conditions(&self) -> usize {
        self.conditions
    }

    /// RDMs seen through a sample and transformed; `None` where the transform is undefined for one.
    fn see<'a>(
        &self,
        rdms: &'a [PreparedRdm],
        sample: &ConditionSample,
    ) -> Result<Option<Vec<SampledRdm<'a>>>> {
        let mut seen = Vec::with_capacity(rdms.len());
        for rdm in rdms {
            let mut working = rdm.seen_through(sample);
            let with_order = self.comparator.uses_ranks();
            if self
                .transform
                .apply_to(&mut working, sample, with_order)?
                .is_none()
            {
                return Ok(None);
            }
            seen.push(working);
        }
        Ok(Some(seen))
    }

    /// A row that says nothing.
    pub(super) fn undefined(&self) -> EvaluationRow {
        vec![f64::NAN; self.models.len() + 2]
    }

    /// Each model's similarity to each subject, models that are fixed.
    pub(super) fn per_subject(&self) -> Result<Vec<Vec<f64>>> {
        let sample = ConditionSample::all(self.conditions);
        let Some(seen) = self.see(&self.data, &sample)? else {
            return Ok(vec![vec![f64::NAN; self.subjects()]; self.models.len()]);
        };
        let subjects = SubjectRdms::new(&seen, self.comparator, &sample)?;
        self.similarities(&subjects, &sample)
    }

    fn similarities(
        &self,
        subjects: &SubjectRdms<'_>,
        sample: &ConditionSample,
    ) -> Result<Vec<Vec<f64>>> {
        let of_model = |(_, rdms): &(Flexibility, Vec<PreparedRdm>)| match self.see(rdms, sample)? {
            Some(seen) => {
                let prediction = ready(&seen[0], self.comparator, sample)?;
                subjects.similarities(&prediction)
            }
            None => Ok(vec![f64::NAN; self.subjects()]),
        };
        self.models.iter().map(of_model).collect()
    }

    /// Fixed models seen through one sample of conditions, for each of several draws of subjects.
    pub(super) fn through(
        &self,
        sample: &ConditionSample,
        draws: &[&[usize]],
    ) -> Result<Vec<EvaluationRow>> {
        self.with(sample, |rows| {
            draws.iter().map(|times| rows(times)).collect()
        })
    }

    /// Lets `take` ask for the rows of many draws of subjects of what is seen through one sample.
    pub(super) fn with<T>(
        &self,
        sample: &ConditionSample,
        take: impl FnOnce(&RowOfSubjects<'_>) -> Result<T>,
    ) -> Result<T> {
        let Some(seen) = self.see(&self.data, sample)? else {
            return take(&|_| Ok(self.undefined()));
        };
        let subjects = SubjectRdms::new(&seen, self.comparator, sample)?;
        let similarities = self.similarities(&subjects, sample)?;
        take(&|times| {
            let mut row: EvaluationRow = similarities
                .iter()
                .map(|of_model| mean_of_drawn(of_model, times))
                .collect();
            let ceiling = subjects.ceiling(times)?;
            row.push(ceiling.map_or(f64::NAN, |ceiling| ceiling.lower));
            row.push(ceiling.map_or(f64::NAN, |ceiling| ceiling.upper));
            Ok(row)
        })
    }

    /// The mean over folds of what models fitted to one side predict of the other, within the conditions
    /// `drawn` (with repeats) and the subjects drawn `times`.
    ///
    /// With folds of subjects, the lower noise ceiling of a fold is the pooled RDM of its training subjects
    /// on its test conditions; without, that of the other subjects, one subject left out at a time. The upper
    /// one is the pooled RDM of all subjects and conditions, at the test conditions.
    pub(super) fn cross_validated(
        &self,
        drawn: &[usize],
        times: &[usize],
        folds: &[Fold],
    ) -> Result<EvaluationRow> {
        let mut sum = vec![0.0; self.models.len() + 2];
        let pooled_over_all = self.pooled_over_all(drawn, times)?;
        for fold in folds {
            let row = self.fold(drawn, times, fold, pooled_over_all.as_ref())?;
            for (sum, value) in sum.iter_mut().zip(row) {
                *sum += value;
            }
        }
        sum.iter_mut().for_each(|sum| *sum /= folds.len() as f64);
        Ok(sum)
    }

    fn pooled_over_all(
        &self,
        drawn: &[usize],
        times: &[usize],
    ) -> Result<Option<(Vec<usize>, Vec<f64>)>> {
        let Some(sample) = self.sample_of(drawn) else {
            return Ok(None);
        };
        let Some(seen) = self.see(&self.data, &sample)? else {
            return Ok(None);
        };
        let subjects = SubjectRdms::new(&seen, self.comparator, &sample)?;
        let Some(shares) = subjects.shares(times) else {
            return Ok(None);
        };
        let (total, copies) = summed(&shares, &sample);
        let mean = total.into_iter().map(|value| value / copies).collect();
        Ok(Some((sample.kept(), mean)))
    }

    fn sample_of(&self, drawn: &[usize]) -> Option<ConditionSample> {
        ConditionSample::drawn(drawn, self.conditions)
            .filter(|sample| sample.distinct() >= self.comparator.fewest_conditions())
    }

    fn fold(
        &self,
        drawn: &[usize],
        times: &[usize],
        fold: &Fold,
        all: Option<&(Vec<usize>, Vec<f64>)>,
    ) -> Result<EvaluationRow> {
        let among = |levels: &[usize]| {
            let mut inside = vec![false; self.conditions];
            levels.iter().for_each(|&level| inside[level] = true);
            let drawn: Vec<usize> = drawn
                .iter()
                .copied()
                .filter(|&level| inside[level])
                .collect();
            self.sample_of(&drawn)
        };
        let of = |levels: &[usize]| {
            let mut chosen = vec![0; self.subjects()];
            levels
                .iter()
                .for_each(|&level| chosen[level] = times[level]);
            chosen
        };
        let (Some(train), Some(test), Some((kept, all))) = (
            among(&fold.train_conditions),
            among(&fold.test_conditions),
            all,
        ) else {
            return Ok(self.undefined());
        };
        let (trained_on, tested_on) = (of(&fold.train_subjects), of(&fold.test_subjects));
        let (Some(seen_train), Some(seen_test)) =
            (self.see(&self.data, &train)?, self.see(&self.data, &test)?)
        else {
            return Ok(self.undefined());
        };
        let train_subjects = SubjectRdms::new(&seen_train, self.comparator, &train)?;
        let test_subjects = SubjectRdms::new(&seen_test, self.comparator, &test)?;
        let score = |prediction: &Ready<'_>| -> Result<f64> {
            Ok(mean_of_drawn(
                &test_subjects.similarities(prediction)?,
                &tested_on,
            ))
        };
        let training = Training {
            subjects: &train_subjects,
            seen: &seen_train,
            times: &trained_on,
            comparator: self.comparator,
            sample: &train,
        };
        let mut row = Vec::with_capacity(self.models.len() + 2);
        for (flexibility, rdms) in &self.models {
            let weights = match self.see(rdms, &train)? {
                Some(seen) => fit(*flexibility, &seen, &training)?,
                None => None,
            };
            row.push(match (weights, self.see(rdms, &test)?) {
                (Some(weights), Some(seen)) => {
                    let prediction = predict(&weights, &seen, self.comparator)?;
                    score(&ready(&prediction, self.comparator, &test)?)?
                }
                _ => f64::NAN,
            });
        }
        let values = restricted(all, kept, &test);
        let upper = pooled(values, self.comparator)?;
        let upper = score(&ready(&upper, self.comparator, &test)?)?;
        let lower = if fold.train_subjects == fold.test_subjects {
            test_subjects
                .ceiling(&tested_on)?
                .map_or(f64::NAN, |ceiling| ceiling.lower)
        } else {
            match test_subjects.shares(&trained_on) {
                Some(shares) => {
                    let (total, copies) = summed(&shares, &test);
                    let mean = total.into_iter().map(|value| value / copies).collect();
                    let lower = pooled(mean, self.comparator)?;
                    score(&ready(&lower, self.comparator, &test)?)?
                }
                None => f64::NAN,
            }
        };
        row.push(lower);
        row.push(upper);
        Ok(row)
    }

    /// The weights of each model fitted to all data; empty for fixed models and where undefined.
    pub(super) fn weights(&self) -> Result<Vec<Vec<f64>>> {
        let sample = ConditionSample::all(self.conditions);
        let times = vec![1; self.subjects()];
        let Some(seen) = self.see(&self.data, &sample)? else {
            return Ok(vec![Vec::new(); self.models.len()]);
        };
        let subjects = SubjectRdms::new(&seen, self.comparator, &sample)?;
        let training = Training {
            subjects: &subjects,
            seen: &seen,
            times: &times,
            comparator: self.comparator,
            sample: &sample,
        };
        self.models
            .iter()
            .map(
                |(flexibility, rdms)| match (flexibility, self.see(rdms, &sample)?) {
                    (Flexibility::Fixed, _) | (_, None) => Ok(Vec::new()),
                    (_, Some(seen)) => Ok(fit(*flexibility, &seen, &training)?.unwrap_or_default()),
                },
            )
            .collect()
    }
}

/// The entries of an RDM over the conditions `kept` at the pairs of a sample of some of them.
fn restricted(values: &[f64], kept: &[usize], sample: &ConditionSample) -> Vec<f64> {
    let places: Vec<usize> = sample
        .kept()
        .iter()
        .filter_map(|condition| kept.binary_search(condition).ok())
        .collect();
    let mut entries = Vec::with_capacity(sample.pairs());
    for (a, &i) in places.iter().enumerate() {
        entries.extend(
            places[a + 1..]
                .iter()
                .map(|&j| values[condensed_index(i, j, kept.len())]),
        );
    }
    entries
}
