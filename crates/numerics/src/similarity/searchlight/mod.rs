//! Searchlight: at every voxel of a mask, the RDM of the sphere of voxels about it compared with models
//! (Kriegeskorte, Goebel and Bandettini 2006).
//!
//! Voxels outside the mask are never used: spheres end at it, and centres whose sphere keeps too few voxels
//! get no value and are counted. RDMs live as long as it takes to compare them, so memory does not grow with
//! the number of centres. All cores work on different centres; the result does not depend on how many.
//!
//! With permutations, the conditions of the models are shuffled, the same way for all centres, and a centre's
//! p-value is `(1 + #{largest value of the shuffled map >= value}) / (1 + #shuffles)`: corrected for all
//! centres by the distribution of the maximum (Nichols and Holmes 2002).

mod sphere;

use std::borrow::Cow;

use chiasm_core::data::{Rdm, Responses, condensed_index, condensed_len};
use chiasm_core::{Error, Progress, Result, Seed};
use ndarray::{Array2, ArrayView3};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::comparator::{Comparator, Ready, compare_ready, ready};
use super::dense::lower_gram_of_columns;
use super::dissimilarity::{Dissimilarity, DissimilaritySettings, rdm};
use super::sample::{ConditionSample, SampledRdm};
use crate::resampling::{permutation, permutation_p_value, quantile};
use sphere::Spheres;

const OPERATION: &str = "searchlight";
/// Centres a core takes at a time.
const BATCH: usize = 64;
/// A pattern whose spread is below this share of its size is constant up to rounding.
const CONSTANT_BELOW: f64 = 1e-26;

/// How a searchlight looks.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SearchlightSettings {
    /// The radius of a sphere in millimetres.
    pub radius: f64,
    /// Centres with fewer voxels than this in their sphere get no value; at least 2.
    pub minimum_voxels: usize,
    /// How the patterns of a sphere become an RDM.
    pub dissimilarity: DissimilaritySettings,
    /// How RDMs are compared.
    pub comparator: Comparator,
    /// Shuffles of the models' conditions; 0 for none.
    pub permutations: usize,
}

impl Default for SearchlightSettings {
    fn default() -> Self {
        SearchlightSettings {
            radius: 8.0,
            minimum_voxels: 10,
            dissimilarity: DissimilaritySettings::default(),
            comparator: Comparator::default(),
            permutations: 0,
        }
    }
}

/// The grid that the voxels stand on.
#[derive(Clone, Copy, Debug)]
pub struct Grid<'a> {
    /// True inside the mask, axes x, y, z.
    pub inside: ArrayView3<'a, bool>,
    /// Voxel indices to millimetres: rows of the 3 x 4 affine.
    pub affine: &'a [[f64; 4]; 3],
}

/// The result of [`searchlight`], voxels in the order x, y, z with z fastest.
#[derive(Clone, Debug, PartialEq)]
pub struct SearchlightMaps {
    /// Models x voxels of the mask; NaN where a centre has no value.
    pub values: Array2<f64>,
    /// The same for p-values corrected for all centres, with permutations.
    pub p_values: Option<Array2<f64>>,
    /// Per model, the value that the largest of a shuffled map exceeds in one shuffle of twenty.
    pub thresholds: Option<Vec<f64>>,
    /// The place of each voxel in the volume.
    pub voxels: Vec<[usize; 3]>,
    /// Centres whose sphere had too few voxels.
    pub too_few: usize,
    /// Centres where a dissimilarity or a comparison is undefined, e.g. of constant patterns.
    pub undefined: usize,
}

/// Compares the RDM about every voxel with models.
///
/// `responses` holds trials x voxels of the mask; conditions are in order of first appearance, and so must
/// those of the models be.
pub fn searchlight(
    responses: &Responses,
    grid: Grid<'_>,
    models: &[Rdm],
    settings: &SearchlightSettings,
    seed: &Seed,
    progress: &Progress,
) -> Result<SearchlightMaps> {
    let spheres = Spheres::new(grid.inside, grid.affine, settings.radius)?;
    let conditions = check(responses, &spheres, models, settings)?;
    let sample = ConditionSample::all(conditions);
    let patches = Patches::new(responses, settings.dissimilarity)?;
    let plain: Vec<SampledRdm<'_>> = models.iter().map(SampledRdm::unsorted).collect();
    let targets: Vec<Ready<'_>> = plain
        .iter()
        .map(|rdm| ready(rdm, settings.comparator, &sample))
        .collect::<Result<_>>()?;
    let shuffled = shuffles(models, settings.permutations, seed);
    let shuffled: Vec<Vec<Ready<'_>>> = shuffled
        .par_iter()
        .map(|rdms| {
            rdms.iter()
                .map(|rdm| ready(rdm, settings.comparator, &sample))
                .collect::<Result<_>>()
        })
        .collect::<Result<_>>()?;
    progress.begin(OPERATION, spheres.voxels().len() as u64);
    let centres: Vec<usize> = (0..spheres.voxels().len()).collect();
    let looker = Looker {
        spheres: &spheres,
        patches: &patches,
        targets: &targets,
        shuffled: &shuffled,
        sample: &sample,
        settings,
    };
    let batches = centres
        .par_chunks(BATCH)
        .map(|batch| {
            let found = looker.look(batch)?;
            progress.advance(batch.len() as u64)?;
            Ok(found)
        })
        .collect::<Result<Vec<Batch>>>()?;
    progress.end();
    gather(batches, spheres, models.len(), settings)
}

fn check(
    responses: &Responses,
    spheres: &Spheres,
    models: &[Rdm],
    settings: &SearchlightSettings,
) -> Result<usize> {
    settings.dissimilarity.check()?;
    if settings.minimum_voxels < 2 {
        return Err(Error::setting(
            "minimum_voxels",
            settings.minimum_voxels,
            "at least 2 voxels, or a pattern is no pattern",
        ));
    }
    if settings.comparator.needs_squared_distances()
        && settings.dissimilarity.measure != Dissimilarity::SquaredEuclidean
    {
        return Err(Error::setting(
            "dissimilarity",
            format!("{:?}", settings.dissimilarity.measure),
            format!("squared Euclidean with {}", settings.comparator.name()),
        ));
    }
    let (found, expected) = (responses.values.ncols(), spheres.voxels().len());
    if found != expected {
        return Err(Error::Shape {
            operation: OPERATION,
            what: responses.name.clone(),
            axis: "voxels",
            found,
            expected: format!("{expected} (those inside the mask)"),
        });
    }
    let conditions = responses.conditions().len();
    for (what, found, needed) in [("models", models.len(), 1), ("conditions", conditions, 4)] {
        if found < needed {
            return Err(Error::TooFew {
                operation: OPERATION,
                what,
                found,
                needed,
            });
        }
    }
    match models.iter().find(|model| model.conditions() != conditions) {
        None => Ok(conditions),
        Some(model) => Err(Error::Shape {
            operation: OPERATION,
            what: model.name.clone(),
            axis: "conditions",
            found: model.conditions(),
            expected: format!("{conditions} (distinct labels of {})", responses.name),
        }),
    }
}

/// Models with their conditions shuffled.
fn shuffles(models: &[Rdm], count: usize, seed: &Seed) -> Vec<Vec<SampledRdm<'static>>> {
    let conditions = models.first().map_or(0, Rdm::conditions);
    let seed = seed.named("permutation");
    (0..count)
        .map(|index| {
            let order = permutation(&seed.indexed(index as u64), conditions);
            models
                .iter()
                .map(|model| {
                    let mut values = Vec::with_capacity(condensed_len(conditions));
                    for i in 0..conditions {
                        for j in i + 1..conditions {
                            values.push(
                                model.values()[condensed_index(order[i], order[j], conditions)],
                            );
                        }
                    }
                    SampledRdm {
                        values: Cow::Owned(values),
                        order: Cow::Borrowed(&[]),
                    }
                })
                .collect()
        })
        .collect()
}

/// The patterns of all voxels in the form in which spheres take them.
enum Patches<'a> {
    /// Voxels x conditions, repeats averaged: all that simple distances need.
    Means {
        values: Array2<f64>,
        measure: Dissimilarity,
    },
    /// Trials, for distances that need repeats, folds or rates.
    Trials {
        responses: &'a Responses,
        settings: DissimilaritySettings,
    },
}

impl<'a> Patches<'a> {
    fn new(responses: &'a Responses, settings: DissimilaritySettings) -> Result<Self> {
        match settings.measure {
            Dissimilarity::Correlation
            | Dissimilarity::SquaredEuclidean
            | Dissimilarity::Euclidean => {}
            Dissimilarity::Mahalanobis | Dissimilarity::Crossnobis | Dissimilarity::Poisson => {
                // Repeats or folds that are missing everywhere are said once, not counted as holes.
                let first = Responses::new(
                    responses.name.clone(),
                    responses
                        .values
                        .slice(ndarray::s![.., ..2.min(responses.values.ncols())])
                        .to_owned(),
                    responses.stimuli.clone(),
                    responses.folds.clone(),
                )?;
                if settings.measure != Dissimilarity::Poisson {
                    rdm(&first, &settings)?;
                }
                return Ok(Patches::Trials {
                    responses,
                    settings,
                });
            }
        }
        let labels = responses.conditions();
        let place: std::collections::HashMap<&str, usize> = labels
            .iter()
            .enumerate()
            .map(|(at, label)| (*label, at))
            .collect();
        let mut values = Array2::zeros((responses.values.ncols(), labels.len()));
        let mut counts = vec![0.0; labels.len()];
        for (trial, label) in responses.values.rows().into_iter().zip(&responses.stimuli) {
            let condition = place[label.as_str()];
            counts[condition] += 1.0;
            let mut column = values.column_mut(condition);
            column += &trial;
        }
        for (mut column, count) in values.columns_mut().into_iter().zip(counts) {
            column /= count;
        }
        Ok(Patches::Means {
            values,
            measure: settings.measure,
        })
    }

    /// The condensed RDM of some voxels; `None` where it is undefined.
    fn rdm(&self, members: &[u32], work: &mut Work) -> Result<Option<Vec<f64>>> {
        match self {
            Patches::Means { values, measure } => Ok(simple(values, *measure, members, work)),
            Patches::Trials {
                responses,
                settings,
            } => {
                let columns: Vec<usize> = members.iter().map(|&number| number as usize).collect();
                let patch = Responses::new(
                    responses.name.clone(),
                    responses.values.select(ndarray::Axis(1), &columns),
                    responses.stimuli.clone(),
                    responses.folds.clone(),
                )?;
                match rdm(&patch, settings) {
                    Ok(found) => Ok(Some(found.values().to_vec())),
                    Err(Error::Unusable { .. } | Error::NotFinite { .. }) => Ok(None),
                    Err(error) => Err(error),
                }
            }
        }
    }
}

/// A core's own memory, reused from centre to centre.
#[derive(Default)]
struct Work {
    members: Vec<u32>,
    patch: Vec<f64>,
    gram: Vec<f64>,
}

fn simple(
    values: &Array2<f64>,
    measure: Dissimilarity,
    members: &[u32],
    work: &mut Work,
) -> Option<Vec<f64>> {
    let conditions = values.ncols();
    work.patch.clear();
    for &number in members {
        let row = values.row(number as usize);
        work.patch.extend(row.iter());
    }
    let correlation = measure == Dissimilarity::Correlation;
    let voxels = members.len() as f64;
    let mut sizes = vec![0.0; conditions];
    if correlation {
        let mut means = vec![0.0; conditions];
        for row in work.patch.chunks_exact(conditions) {
            for ((mean, size), value) in means.iter_mut().zip(&mut sizes).zip(row) {
                *mean += value;
                *size += value * value;
            }
        }
        means.iter_mut().for_each(|mean| *mean /= voxels);
        for row in work.patch.chunks_exact_mut(conditions) {
            for (value, mean) in row.iter_mut().zip(&means) {
                *value -= mean;
            }
        }
    } else {
        // A voxel's own level is in every pattern and leaves distances as they are.
        for row in work.patch.chunks_exact_mut(conditions) {
            let mean = row.iter().sum::<f64>() / conditions as f64;
            row.iter_mut().for_each(|value| *value -= mean);
        }
    }
    lower_gram_of_columns(&work.patch, members.len(), conditions, &mut work.gram);
    let at = |i: usize, j: usize| work.gram[i * conditions + j];
    if correlation && (0..conditions).any(|i| !(at(i, i) > CONSTANT_BELOW * sizes[i])) {
        return None;
    }
    let scales: Vec<f64> = (0..conditions).map(|i| 1.0 / at(i, i).sqrt()).collect();
    let mut condensed = Vec::with_capacity(condensed_len(conditions));
    for i in 0..conditions {
        for j in i + 1..conditions {
            condensed.push(match measure {
                Dissimilarity::Correlation => 1.0 - at(j, i) * scales[i] * scales[j],
                _ => {
                    let squared = ((at(i, i) + at(j, j) - 2.0 * at(j, i)) / voxels).max(0.0);
                    if measure == Dissimilarity::Euclidean {
                        squared.sqrt()
                    } else {
                        squared
                    }
                }
            });
        }
    }
    Some(condensed)
}

/// What a core needs to look at a centre.
struct Looker<'a> {
    spheres: &'a Spheres,
    patches: &'a Patches<'a>,
    targets: &'a [Ready<'a>],
    shuffled: &'a [Vec<Ready<'a>>],
    sample: &'a ConditionSample,
    settings: &'a SearchlightSettings,
}

/// What was seen from some centres.
struct Batch {
    /// Models one after the other, per centre.
    values: Vec<f64>,
    /// The largest value per shuffle and model.
    largest: Vec<f64>,
    too_few: usize,
    undefined: usize,
}

impl Looker<'_> {
    fn look(&self, centres: &[usize]) -> Result<Batch> {
        let models = self.targets.len();
        let mut batch = Batch {
            values: Vec::with_capacity(centres.len() * models),
            largest: vec![f64::NEG_INFINITY; self.shuffled.len() * models],
            too_few: 0,
            undefined: 0,
        };
        let mut work = Work::default();
        for &centre in centres {
            let mut members = std::mem::take(&mut work.members);
            self.spheres.members(centre, &mut members);
            let enough = members.len() >= self.settings.minimum_voxels;
            let rdm = if enough {
                self.patches.rdm(&members, &mut work)?
            } else {
                None
            };
            work.members = members;
            let seen = rdm.map(|values| SampledRdm {
                values: Cow::Owned(values),
                order: Cow::Borrowed(&[]),
            });
            let before = batch.values.len();
            match &seen {
                Some(seen) => self.compare(seen, &mut batch)?,
                None => batch.values.extend(std::iter::repeat_n(f64::NAN, models)),
            }
            if !enough {
                batch.too_few += 1;
            } else if batch.values[before..].iter().any(|value| value.is_nan()) {
                batch.undefined += 1;
            }
        }
        Ok(batch)
    }

    fn compare(&self, seen: &SampledRdm<'_>, batch: &mut Batch) -> Result<()> {
        let comparator = self.settings.comparator;
        let own = ready(seen, comparator, self.sample)?;
        for target in self.targets {
            batch
                .values
                .push(compare_ready(target, &own, comparator, self.sample)?);
        }
        let shuffled = self.shuffled.iter().flatten();
        for (largest, target) in batch.largest.iter_mut().zip(shuffled) {
            // NaN is no maximum.
            *largest = largest.max(compare_ready(target, &own, comparator, self.sample)?);
        }
        Ok(())
    }
}

fn gather(
    batches: Vec<Batch>,
    spheres: Spheres,
    models: usize,
    settings: &SearchlightSettings,
) -> Result<SearchlightMaps> {
    let voxels = spheres.voxels().to_vec();
    let mut values = Array2::from_elem((models, voxels.len()), f64::NAN);
    let mut largest = vec![f64::NEG_INFINITY; settings.permutations * models];
    let (mut too_few, mut undefined, mut centre) = (0, 0, 0);
    for batch in batches {
        too_few += batch.too_few;
        undefined += batch.undefined;
        for of_centre in batch.values.chunks_exact(models) {
            for (model, value) in of_centre.iter().enumerate() {
                values[[model, centre]] = *value;
            }
            centre += 1;
        }
        for (largest, found) in largest.iter_mut().zip(batch.largest) {
            *largest = largest.max(found);
        }
    }
    if too_few == voxels.len() {
        return Err(Error::Unusable {
            operation: OPERATION,
            reason: format!(
                "no centre has {} voxels of the mask within {} mm: enlarge the radius or ask for fewer voxels",
                settings.minimum_voxels, settings.radius
            ),
        });
    }
    let of_model = |model: usize| -> Vec<f64> {
        largest
            .iter()
            .skip(model)
            .step_by(models)
            .copied()
            .collect()
    };
    let (mut p_values, mut thresholds) = (None, None);
    if settings.permutations > 0 {
        let mut p = Array2::from_elem(values.dim(), f64::NAN);
        let mut limits = Vec::with_capacity(models);
        for model in 0..models {
            let mut null = of_model(model);
            for (p, value) in p.row_mut(model).iter_mut().zip(values.row(model)) {
                if value.is_finite() {
                    *p = permutation_p_value(*value, &null);
                }
            }
            null.sort_unstable_by(f64::total_cmp);
            limits.push(quantile(&null, 0.95));
        }
        p_values = Some(p);
        thresholds = Some(limits);
    }
    Ok(SearchlightMaps {
        values,
        p_values,
        thresholds,
        voxels,
        too_few,
        undefined,
    })
}
