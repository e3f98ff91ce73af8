//! Samples of subjects and conditions, drawn from a seed and evaluated on all cores.

use chiasm_core::{Error, Progress, Result, Seed};
use rayon::prelude::*;

use super::evaluation::{EvaluationRow, Problem, RowOfSubjects};
use super::folds::{Fold, divide};
use super::infer::InferenceSettings;
use super::noise_ceiling::mean_of_drawn;
use super::significance::{Evaluations, Resampling};
use crate::resampling::bootstrap_indices;
use crate::similarity::comparator::Comparator;
use crate::similarity::sample::ConditionSample;

/// Divisions into folds of all data, over which the reported performance is averaged.
const DIVISIONS_OF_ALL_DATA: u64 = 20;

/// One bootstrap sample with its divisions into folds, by places among all subjects and conditions.
#[derive(Clone, Debug)]
pub struct Resample {
    /// Subjects, repeats allowed.
    pub subjects: Vec<usize>,
    /// Conditions, repeats allowed.
    pub conditions: Vec<usize>,
    /// Divisions into folds; none without cross-validation.
    pub divisions: Vec<Vec<Fold>>,
}

pub(super) fn counted(drawn: &[usize], levels: usize) -> Result<Vec<usize>> {
    let mut times = vec![0; levels];
    for &level in drawn {
        match times.get_mut(level) {
            Some(times) => *times += 1,
            None => {
                return Err(Error::setting(
                    "resample",
                    level,
                    format!("places below {levels}"),
                ));
            }
        }
    }
    Ok(times)
}

pub(super) fn usable_sample(
    problem: &Problem,
    drawn: &[usize],
    comparator: Comparator,
) -> Option<ConditionSample> {
    ConditionSample::drawn(drawn, problem.conditions())
        .filter(|sample| sample.distinct() >= comparator.fewest_conditions())
}

/// Performance and ceilings on all data.
pub(super) fn on_all_data(
    problem: &Problem,
    folds: Option<(usize, usize)>,
    seed: &Seed,
) -> Result<EvaluationRow> {
    let everyone = vec![1; problem.subjects()];
    let Some(folds) = folds else {
        let sample = ConditionSample::all(problem.conditions());
        let mut rows = problem.through(&sample, &[&everyone])?;
        return Ok(rows.pop().unwrap_or_default());
    };
    let subjects: Vec<usize> = (0..problem.subjects()).collect();
    let conditions: Vec<usize> = (0..problem.conditions()).collect();
    let seed = seed.named("folds of all data");
    let rows = (0..DIVISIONS_OF_ALL_DATA)
        .into_par_iter()
        .map(|division| {
            let folds = divide(&seed.indexed(division), &subjects, &conditions, folds);
            problem.cross_validated(&conditions, &everyone, &folds)
        })
        .collect::<Result<Vec<_>>>()?;
    let columns = rows.first().map_or(0, Vec::len);
    Ok((0..columns)
        .map(|column| {
            let of_division: Vec<f64> = rows.iter().map(|row| row[column]).collect();
            mean_of_drawn(&of_division, &vec![1; rows.len()])
        })
        .collect())
}

/// Draws samples and evaluates them on all cores.
pub(super) fn resampled(
    problem: &Problem,
    settings: &InferenceSettings,
    folds: Option<(usize, usize)>,
    seed: &Seed,
    progress: &Progress,
) -> Result<Evaluations> {
    progress.begin("bootstrap", settings.draws as u64);
    let whole = ConditionSample::all(problem.conditions());
    let draws = problem.with(&whole, |of_subjects| {
        (0..settings.draws)
            .into_par_iter()
            .map(|index| {
                let seed = seed.named("draw").indexed(index as u64);
                let rows = one_draw(problem, settings, folds, of_subjects, &seed)?;
                progress.advance(1)?;
                Ok(rows)
            })
            .collect::<Result<Vec<_>>>()
    })?;
    progress.end();
    let kinds = draws.first().map_or(0, Vec::len);
    let mut bootstraps: Vec<Vec<Vec<EvaluationRow>>> = (0..kinds)
        .map(|_| Vec::with_capacity(draws.len()))
        .collect();
    for draw in draws {
        for (kind, rows) in bootstraps.iter_mut().zip(draw) {
            kind.push(rows);
        }
    }
    Ok(Evaluations {
        resampling: settings.resampling,
        subjects: problem.subjects(),
        conditions: problem.conditions(),
        bootstraps,
    })
}

/// One draw's rows, per kind of bootstrap and division into folds; `of_subjects` gives those of all conditions.
fn one_draw(
    problem: &Problem,
    settings: &InferenceSettings,
    folds: Option<(usize, usize)>,
    of_subjects: &RowOfSubjects<'_>,
    seed: &Seed,
) -> Result<Vec<Vec<EvaluationRow>>> {
    let all = |count: usize| (0..count).collect::<Vec<usize>>();
    let (all_subjects, all_conditions) = (all(problem.subjects()), all(problem.conditions()));
    let resampling = settings.resampling;
    let subjects = if resampling.draws_subjects() {
        bootstrap_indices(&seed.named("subjects"), problem.subjects())
    } else {
        all_subjects.clone()
    };
    let conditions = if resampling.draws_conditions() {
        bootstrap_indices(&seed.named("conditions"), problem.conditions())
    } else {
        all_conditions.clone()
    };
    let times = counted(&subjects, problem.subjects())?;
    let everyone = vec![1; problem.subjects()];
    let Some(counts) = folds else {
        if resampling == Resampling::Subjects {
            return Ok(vec![vec![of_subjects(&times)?]]);
        }
        let mut draws: Vec<&[usize]> = vec![&times];
        if resampling == Resampling::Dual {
            draws.push(&everyone);
        }
        let rows = match usable_sample(problem, &conditions, settings.comparator) {
            Some(sample) => problem.through(&sample, &draws)?,
            None => vec![problem.undefined(); draws.len()],
        };
        let mut kinds: Vec<Vec<EvaluationRow>> = rows.into_iter().map(|row| vec![row]).collect();
        if resampling == Resampling::Dual {
            // In the order both, subjects alone, conditions alone.
            kinds.insert(1, vec![of_subjects(&times)?]);
        }
        return Ok(kinds);
    };
    let distinct = |levels: &[usize]| {
        let mut distinct = levels.to_vec();
        distinct.sort_unstable();
        distinct.dedup();
        distinct
    };
    let (distinct_subjects, distinct_conditions) = (distinct(&subjects), distinct(&conditions));
    let enough = distinct_subjects.len() >= counts.0
        && distinct_conditions.len() >= settings.comparator.fewest_conditions() * counts.1;
    let evaluate = |name: &str,
                    conditions: &[usize],
                    times: &[usize],
                    distinct_subjects: &[usize],
                    distinct_conditions: &[usize]|
     -> Result<Vec<EvaluationRow>> {
        (0..settings.cross_validation.repeats)
            .map(|repeat| {
                if !enough {
                    return problem.cross_validated(&[], times, &[]);
                }
                let seed = seed.named(name).indexed(repeat as u64);
                let folds = divide(&seed, distinct_subjects, distinct_conditions, counts);
                problem.cross_validated(conditions, times, &folds)
            })
            .collect()
    };
    let mut rows = vec![evaluate(
        "folds",
        &conditions,
        &times,
        &distinct_subjects,
        &distinct_conditions,
    )?];
    if resampling == Resampling::Dual {
        rows.push(evaluate(
            "folds of subjects",
            &all_conditions,
            &times,
            &distinct_subjects,
            &all_conditions,
        )?);
        rows.push(evaluate(
            "folds of conditions",
            &conditions,
            &everyone,
            &all_subjects,
            &distinct_conditions,
        )?);
    }
    Ok(rows)
}
