//! Comparisons under resampled subjects and conditions.

use chiasm_core::{Error, Progress, Result, Seed};
use ndarray::Array2;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use statrs::distribution::{ContinuousCDF, StudentsT};

use super::noise_ceiling::{NoiseCeiling, noise_ceiling_of_sample};
use crate::resampling::{
    BootstrapVariances, bootstrap_indices, dual_bootstrap_variance, percentile_interval,
};
use crate::similarity::comparator::{Comparator, compare_all};
use crate::similarity::dense::Cores;
use crate::similarity::sample::{ConditionSample, PreparedRdm, SampledRdm};
use crate::similarity::transform::Transform;

/// What a bootstrap draws anew, and so what its conclusions reach beyond.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum BootstrapOver {
    /// To new subjects, the same conditions.
    Subjects,
    /// To new conditions, the same subjects.
    Conditions,
    /// To both.
    Both,
}

/// A bootstrap of a comparison.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BootstrapSettings {
    /// How many samples are drawn, at least 2.
    pub draws: usize,
    /// What is drawn.
    pub over: BootstrapOver,
}

/// Prepared RDMs: per input one RDM per subject, or a single one that stands for all subjects.
pub(crate) struct Stacks {
    pub(crate) inputs: Vec<Vec<PreparedRdm>>,
    pub(crate) conditions: usize,
    /// 1 where no input has a subject axis.
    pub(crate) subjects: usize,
    pub(crate) transform: Transform,
    pub(crate) comparator: Comparator,
    pub(crate) noise_ceiling: bool,
}

/// One sample's results before any averaging over subjects.
pub(crate) struct SampleResult {
    /// Inputs x inputs, per subject.
    pub(crate) per_subject: Vec<Array2<f64>>,
    /// Per input and times-drawn list handed in, where asked for.
    pub(crate) ceilings: Vec<Vec<Option<NoiseCeiling>>>,
    /// Pairs no geodesic connects, over all RDMs.
    pub(crate) disconnected: usize,
    /// (input, subject) of RDMs whose transform or comparison is undefined.
    pub(crate) undefined: Vec<(usize, usize)>,
}

impl Stacks {
    /// One RDM seen through the sample and transformed; the number of disconnected pairs, or `None` where
    /// the transform is undefined (the entries are then raw, and are counted and not used).
    fn see<'a>(
        &self,
        rdm: &'a PreparedRdm,
        sample: &ConditionSample,
    ) -> Result<(SampledRdm<'a>, Option<usize>)> {
        let mut working = rdm.seen_through(sample);
        let with_order = self.comparator.uses_ranks();
        let outcome = self.transform.apply_to(&mut working, sample, with_order)?;
        Ok((working, outcome))
    }

    /// Transforms and compares everything seen through one sample of conditions; noise ceilings for each
    /// of `draws` of the subjects.
    pub(crate) fn through(
        &self,
        sample: &ConditionSample,
        draws: &[&[usize]],
        cores: Cores,
    ) -> Result<SampleResult> {
        let flat: Vec<&PreparedRdm> = self.inputs.iter().flatten().collect();
        let worked: Vec<_> = match cores {
            Cores::All => flat
                .into_par_iter()
                .map(|rdm| self.see(rdm, sample))
                .collect::<Result<_>>()?,
            Cores::One => flat
                .into_iter()
                .map(|rdm| self.see(rdm, sample))
                .collect::<Result<_>>()?,
        };
        let mut worked = worked.into_iter();
        let mut seen: Vec<Vec<SampledRdm<'_>>> = Vec::with_capacity(self.inputs.len());
        let (mut disconnected, mut undefined) = (0, Vec::new());
        for (input, stack) in self.inputs.iter().enumerate() {
            let mut stack_seen = Vec::with_capacity(stack.len());
            for (subject, (rdm, outcome)) in worked.by_ref().take(stack.len()).enumerate() {
                match outcome {
                    Some(pairs) => disconnected += pairs,
                    None => undefined.push((input, subject)),
                }
                stack_seen.push(rdm);
            }
            seen.push(stack_seen);
        }
        let mut per_subject = Vec::with_capacity(self.subjects);
        for subject in 0..self.subjects {
            let row: Vec<&SampledRdm<'_>> = seen
                .iter()
                .map(|stack| &stack[subject.min(stack.len() - 1)])
                .collect();
            let compared = compare_all(&row, self.comparator, sample, cores)?;
            let mut matrix = compared.matrix;
            for (input, failed) in compared.undefined.iter().enumerate() {
                if *failed {
                    undefined.push((input, subject.min(seen[input].len() - 1)));
                }
            }
            for &(input, of) in &undefined {
                if of == subject || seen[input].len() == 1 {
                    matrix.row_mut(input).fill(f64::NAN);
                    matrix.column_mut(input).fill(f64::NAN);
                }
            }
            per_subject.push(matrix);
        }
        undefined.sort_unstable();
        undefined.dedup();
        let mut ceilings = Vec::new();
        if self.noise_ceiling {
            for (input, stack) in seen.iter().enumerate() {
                let failed = undefined.iter().any(|&(failed, _)| failed == input);
                let of_input = draws
                    .iter()
                    .map(|times| {
                        if failed || stack.len() < 2 {
                            return Ok(None);
                        }
                        noise_ceiling_of_sample(stack, times, self.comparator, sample)
                    })
                    .collect::<Result<Vec<_>>>()?;
                ceilings.push(of_input);
            }
        }
        Ok(SampleResult {
            per_subject,
            ceilings,
            disconnected,
            undefined,
        })
    }
}

/// What the draws say.
pub(crate) struct Bootstrapped {
    /// Inputs x inputs: lower and upper 95% bounds.
    pub(crate) matrix: [Array2<f64>; 2],
    /// Per input: 95% intervals of the lower and the upper noise ceiling.
    pub(crate) ceilings: Vec<Option<[[f64; 2]; 2]>>,
    /// Draws that left nothing to compare.
    pub(crate) unusable: usize,
}

/// One draw: the results under (both, subjects only, conditions only) resampled.
struct Draw {
    both: Array2<f64>,
    subjects: Array2<f64>,
    conditions: Array2<f64>,
    ceilings: Vec<[Option<NoiseCeiling>; 3]>,
}

/// Resamples a comparison whose values on all data are `observed` and gives 95% intervals: percentiles
/// for one factor; for both, `observed ± t · sqrt(V)` with the corrected variance V of
/// [`dual_bootstrap_variance`] and one degree of freedom less than the smaller factor has levels.
pub(crate) fn bootstrap(
    stacks: &Stacks,
    observed: &SampleResult,
    settings: BootstrapSettings,
    seed: &Seed,
    progress: &Progress,
) -> Result<Bootstrapped> {
    if settings.draws < 2 {
        return Err(Error::setting(
            "bootstrap",
            settings.draws,
            "at least 2 draws",
        ));
    }
    let over_subjects = settings.over != BootstrapOver::Conditions;
    let over_conditions = settings.over != BootstrapOver::Subjects;
    if over_subjects && stacks.subjects < 2 {
        return Err(Error::TooFew {
            operation: "bootstrap over subjects",
            what: "subjects",
            found: stacks.subjects,
            needed: 2,
        });
    }
    progress.begin("bootstrap", settings.draws as u64);
    let everyone = vec![1; stacks.subjects];
    let whole = ConditionSample::all(stacks.conditions);
    let draws = (0..settings.draws)
        .into_par_iter()
        .map(|index| -> Result<Option<Draw>> {
            let seed = seed.named("draw").indexed(index as u64);
            let mut times = everyone.clone();
            if over_subjects {
                times.fill(0);
                for subject in bootstrap_indices(&seed.named("subjects"), stacks.subjects) {
                    times[subject] += 1;
                }
            }
            let drawn = if over_conditions {
                let indices = bootstrap_indices(&seed.named("conditions"), stacks.conditions);
                ConditionSample::drawn(&indices, stacks.conditions)
                    .filter(|sample| sample.distinct() >= stacks.comparator.fewest_conditions())
            } else {
                None
            };
            let draw = match (over_conditions, drawn) {
                (true, None) => None,
                (true, Some(sample)) => {
                    let result = stacks.through(&sample, &[&times, &everyone], Cores::One)?;
                    let subjects = if stacks.noise_ceiling && over_subjects {
                        ceilings_of_subjects(stacks, &whole, &times)?
                    } else {
                        vec![None; stacks.inputs.len()]
                    };
                    Some(Draw {
                        both: mean_over_subjects(&result.per_subject, &times),
                        subjects: mean_over_subjects(&observed.per_subject, &times),
                        conditions: mean_over_subjects(&result.per_subject, &everyone),
                        ceilings: (result.ceilings.iter().zip(subjects))
                            .map(|(of_input, subjects)| [of_input[0], subjects, of_input[1]])
                            .collect(),
                    })
                }
                (false, _) => {
                    let subjects = mean_over_subjects(&observed.per_subject, &times);
                    let ceilings = if stacks.noise_ceiling {
                        ceilings_of_subjects(stacks, &whole, &times)?
                    } else {
                        Vec::new()
                    };
                    Some(Draw {
                        both: subjects.clone(),
                        conditions: subjects.clone(),
                        subjects,
                        ceilings: ceilings.into_iter().map(|ceiling| [ceiling; 3]).collect(),
                    })
                }
            };
            progress.advance(1)?;
            Ok(draw)
        })
        .collect::<Result<Vec<_>>>()?;
    progress.end();
    let usable: Vec<Draw> = draws.into_iter().flatten().collect();
    Ok(summarise(stacks, observed, &everyone, settings, &usable))
}

fn ceilings_of_subjects(
    stacks: &Stacks,
    whole: &ConditionSample,
    times: &[usize],
) -> Result<Vec<Option<NoiseCeiling>>> {
    let result = stacks.through(whole, &[times], Cores::One)?;
    Ok(result
        .ceilings
        .into_iter()
        .map(|of_input| of_input.into_iter().next().flatten())
        .collect())
}

/// The mean over subjects, each as often as it was drawn.
pub(crate) fn mean_over_subjects(per_subject: &[Array2<f64>], times: &[usize]) -> Array2<f64> {
    let mut mean = Array2::zeros(per_subject.first().map_or((0, 0), Array2::dim));
    let mut copies = 0.0;
    for (matrix, &times) in per_subject.iter().zip(times) {
        if times > 0 {
            mean.scaled_add(times as f64, matrix);
            copies += times as f64;
        }
    }
    mean / copies
}

fn summarise(
    stacks: &Stacks,
    observed: &SampleResult,
    everyone: &[usize],
    settings: BootstrapSettings,
    draws: &[Draw],
) -> Bootstrapped {
    let interval = |value: f64, triples: Vec<[f64; 3]>| -> [f64; 2] {
        let column = |k: usize| triples.iter().map(|triple| triple[k]).collect::<Vec<f64>>();
        let percentiles =
            |values: Vec<f64>| percentile_interval(&values, 0.95).unwrap_or([f64::NAN; 2]);
        match settings.over {
            BootstrapOver::Subjects => percentiles(column(1)),
            BootstrapOver::Conditions => percentiles(column(2)),
            BootstrapOver::Both => {
                let variances = BootstrapVariances {
                    both: variance(&column(0)),
                    first: variance(&column(1)),
                    second: variance(&column(2)),
                };
                let half = dual_bootstrap_variance(variances, stacks.subjects, stacks.conditions)
                    .max(0.0)
                    .sqrt()
                    * t_quantile(stacks.subjects.min(stacks.conditions) - 1);
                // No similarity lies outside of what the comparator can give.
                let [least, most] = stacks.comparator.range();
                [(value - half).max(least), (value + half).min(most)]
            }
        }
    };
    let values = mean_over_subjects(&observed.per_subject, everyone);
    let mut bounds = [values.clone(), values.clone()];
    for ((i, j), &value) in values.indexed_iter() {
        if i == j {
            // Nothing is uncertain about a comparison with itself; copies drawn twice would lower it.
            continue;
        }
        let triples = draws
            .iter()
            .map(|draw| {
                [
                    draw.both[[i, j]],
                    draw.subjects[[i, j]],
                    draw.conditions[[i, j]],
                ]
            })
            .collect();
        let [low, high] = interval(value, triples);
        bounds[0][[i, j]] = low;
        bounds[1][[i, j]] = high;
    }
    let ceilings = observed
        .ceilings
        .iter()
        .enumerate()
        .map(|(input, of_input)| {
            let at = of_input.first().copied().flatten()?;
            let of = |read: fn(NoiseCeiling) -> f64| {
                let triples = draws
                    .iter()
                    .map(|draw| {
                        let value = |ceiling: Option<NoiseCeiling>| ceiling.map_or(f64::NAN, read);
                        draw.ceilings[input].map(value)
                    })
                    .collect();
                interval(read(at), triples)
            };
            Some([of(|ceiling| ceiling.lower), of(|ceiling| ceiling.upper)])
        })
        .collect();
    let failed = |draw: &&Draw| draw.both.iter().any(|value| value.is_nan());
    let unusable = settings.draws - draws.len() + draws.iter().filter(failed).count();
    Bootstrapped {
        matrix: bounds,
        ceilings,
        unusable,
    }
}

/// The unbiased variance of the finite values.
fn variance(values: &[f64]) -> f64 {
    let finite: Vec<f64> = values
        .iter()
        .copied()
        .filter(|value| value.is_finite())
        .collect();
    chiasm_core::metrics::interval::standard_deviation(&finite)
        .map_or(f64::NAN, |deviation| deviation * deviation)
}

fn t_quantile(degrees_of_freedom: usize) -> f64 {
    StudentsT::new(0.0, 1.0, degrees_of_freedom.max(1) as f64)
        .map_or(f64::NAN, |distribution| distribution.inverse_cdf(0.975))
}
