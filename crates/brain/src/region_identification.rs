//! Which region or layer does a representation come from?
//!
//! The test bed of Lin and Kriegeskorte (2024, PNAS), "The topology and geometry of neural
//! representations": a summary of dissimilarity matrices is as good as it tells regions (layers) apart
//! across subjects (network instances). Each instance is left out in turn; each of its RDMs is assigned to
//! the region whose mean summary over the other instances is nearest (Euclidean).

use chiasm_core::data::Rdm;
use chiasm_core::{Error, Progress, Result, Seed};
use chiasm_numerics::resampling::{bootstrap_indices, percentile_interval};
use chiasm_numerics::similarity::{ConditionSample, PreparedRdm, Transform};
use ndarray::{Array2, Axis};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

/// One RDM per instance and region, over the same conditions.
#[derive(Clone, Debug)]
pub struct RegionRdms {
    /// Instance by instance, region by region.
    rdms: Vec<PreparedRdm>,
    instances: usize,
    regions: usize,
    conditions: usize,
}

impl RegionRdms {
    /// From RDMs per instance and region.
    ///
    /// Fails with fewer than two instances, two regions or three conditions, and where instances differ in
    /// regions or RDMs in conditions.
    pub fn new(rdms: &[Vec<Rdm>]) -> Result<Self> {
        let too_few = |what, found, needed| Error::TooFew {
            operation: "region identification",
            what,
            found,
            needed,
        };
        let (Some(first), true) = (rdms.first(), rdms.len() >= 2) else {
            return Err(too_few("instances (subjects or networks)", rdms.len(), 2));
        };
        if first.len() < 2 {
            return Err(too_few("regions (or layers)", first.len(), 2));
        }
        let (regions, conditions) = (first.len(), first[0].conditions());
        if conditions < 3 {
            return Err(too_few("conditions", conditions, 3));
        }
        for (index, instance) in rdms.iter().enumerate() {
            if instance.len() != regions {
                return Err(Error::Shape {
                    operation: "region identification",
                    what: format!("instance {index}"),
                    axis: "regions",
                    found: instance.len(),
                    expected: format!("{regions} (as in instance 0)"),
                });
            }
            if let Some(other) = instance.iter().find(|rdm| rdm.conditions() != conditions) {
                return Err(Error::Shape {
                    operation: "region identification",
                    what: other.name.clone(),
                    axis: "conditions",
                    found: other.conditions(),
                    expected: conditions.to_string(),
                });
            }
        }
        let prepared = rdms
            .par_iter()
            .flatten()
            .map(|rdm| PreparedRdm::new(rdm, true))
            .collect::<Result<Vec<_>>>()?;
        Ok(RegionRdms {
            rdms: prepared,
            instances: rdms.len(),
            regions,
            conditions,
        })
    }

    /// The number of instances.
    pub fn instances(&self) -> usize {
        self.instances
    }

    /// The accuracy of guessing, one over the number of regions.
    pub fn chance(&self) -> f64 {
        1.0 / self.regions as f64
    }

    /// Inner products of all items' summaries through a sample; `None` where one is undefined.
    fn products(
        &self,
        statistic: Transform,
        sample: &ConditionSample,
        duplicates: DuplicatePairs,
    ) -> Result<Option<Products>> {
        let imputed: f64 = match duplicates {
            DuplicatePairs::Dropped => 0.0,
            DuplicatePairs::Imputed => sample
                .counts()
                .iter()
                .map(|count| count * (count - 1.0) / 2.0)
                .sum(),
        };
        let pairs = sample.pairs();
        let mut summaries = Array2::zeros((self.rdms.len(), pairs + 1));
        let mut disconnected = 0;
        for (rdm, mut row) in self.rdms.iter().zip(summaries.rows_mut()) {
            let mut seen = rdm.seen_through(sample);
            let Some(pairs_apart) = statistic.apply_to(&mut seen, sample, false)? else {
                return Ok(None);
            };
            disconnected += pairs_apart;
            let weight = |pair| sample.weights().map_or(1.0, |weights| weights[pair]);
            let mut sum = 0.0;
            for (pair, (slot, value)) in row.iter_mut().zip(seen.values()).enumerate() {
                *slot = weight(pair).sqrt() * value;
                sum += weight(pair) * value;
            }
            // All imputed entries of an RDM are equal: one coordinate holds them.
            row[pairs] = imputed.sqrt() * sum / sample.total_weight();
        }
        Ok(Some(Products {
            gram: summaries.dot(&summaries.t()),
            disconnected,
        }))
    }

    fn whole(&self) -> ConditionSample {
        ConditionSample::all(self.conditions)
    }
}

struct Products {
    gram: Array2<f64>,
    disconnected: usize,
}

/// How well one summary tells regions apart.
#[derive(Clone, Debug, PartialEq)]
pub struct Identification {
    /// The share of items assigned to their own region. An item equally near to k regions, its own among
    /// them, counts 1/k.
    pub accuracy: f64,
    /// Instances x regions: the region each item was assigned to (the first of equally near ones).
    pub assigned: Array2<usize>,
    /// Pairs of conditions without a path, over all items (geodesic summaries).
    pub disconnected_pairs: usize,
}

/// Leave-one-instance-out identification by the nearest mean summary.
///
/// Fails where the summary is undefined for an RDM because its dissimilarities are all equal.
pub fn identify(rdms: &RegionRdms, statistic: Transform) -> Result<Identification> {
    statistic.check()?;
    let products = rdms
        .products(statistic, &rdms.whole(), DuplicatePairs::Dropped)?
        .ok_or_else(undefined)?;
    let times = vec![1.0; rdms.instances];
    let mut assigned = Array2::zeros((rdms.instances, rdms.regions));
    let mut hits = 0.0;
    for instance in 0..rdms.instances {
        let mut others = times.clone();
        others[instance] = 0.0;
        let nearest = nearest_regions(&products.gram, rdms.regions, instance, &others);
        hits += nearest.hits;
        for (slot, region) in assigned.row_mut(instance).iter_mut().zip(nearest.assigned) {
            *slot = region;
        }
    }
    Ok(Identification {
        accuracy: hits / (rdms.instances * rdms.regions) as f64,
        assigned,
        disconnected_pairs: products.disconnected,
    })
}

fn undefined() -> Error {
    Error::Unusable {
        operation: "region identification",
        reason: "the summary is undefined for an RDM whose dissimilarities are all equal"
            .to_string(),
    }
}

struct Nearest {
    hits: f64,
    assigned: Vec<usize>,
}

/// Assigns the items of `instance` to the nearest mean over instances weighted by `others`, from inner
/// products alone: `|x - c|² = x'x - 2 x'c + c'c`.
fn nearest_regions(gram: &Array2<f64>, regions: usize, instance: usize, others: &[f64]) -> Nearest {
    let total: f64 = others.iter().sum();
    let members: Vec<(usize, f64)> = others
        .iter()
        .enumerate()
        .filter(|(_, weight)| **weight > 0.0)
        .map(|(other, weight)| (other, weight / total))
        .collect();
    let mean_squares: Vec<f64> = (0..regions)
        .map(|region| {
            let mut sum = 0.0;
            for &(a, share_a) in &members {
                for &(b, share_b) in &members {
                    sum += share_a * share_b * gram[[a * regions + region, b * regions + region]];
                }
            }
            sum
        })
        .collect();
    let mut hits = 0.0;
    let mut assigned = Vec::with_capacity(regions);
    for region in 0..regions {
        let item = gram.row(instance * regions + region);
        // x'x is the same for all regions; its size says what counts as a tie.
        let own = item[instance * regions + region];
        let distances: Vec<f64> = (0..regions)
            .map(|candidate| {
                let overlap: f64 = members
                    .iter()
                    .map(|(a, share)| share * item[a * regions + candidate])
                    .sum();
                mean_squares[candidate] - 2.0 * overlap
            })
            .collect();
        let smallest = distances.iter().copied().fold(f64::INFINITY, f64::min);
        let tie = smallest + 1e-12 * own.abs();
        let near: Vec<usize> = (0..regions)
            .filter(|&candidate| distances[candidate] <= tie)
            .collect();
        if near.contains(&region) {
            hits += 1.0 / near.len() as f64;
        }
        assigned.push(near.first().copied().unwrap_or(0));
    }
    Nearest { hits, assigned }
}

/// The geo-topological transforms whose quantiles lie on a grid of `steps` equal steps, the triangle
/// `0 <= lower <= upper <= 1`. Quantiles that leave only one value, lower = upper at an end, are left out.
pub fn geo_topological_grid(steps: usize) -> Vec<Transform> {
    let at = |step: usize| step as f64 / steps as f64;
    (0..=steps)
        .flat_map(|lower| (lower..=steps).map(move |upper| (lower, upper)))
        .filter(|&(lower, upper)| upper > 0 && lower < steps)
        .map(|(lower, upper)| Transform::GeoTopological {
            lower: at(lower),
            upper: at(upper),
        })
        .collect()
}

/// A summary chosen without looking at the instance it is tested on.
#[derive(Clone, Debug, PartialEq)]
pub struct NestedChoice {
    /// The accuracy with each instance's summary chosen on the other instances.
    pub accuracy: f64,
    /// Per held-out instance: the index of the candidate chosen on the others.
    pub chosen: Vec<usize>,
    /// Per candidate: its accuracy on all instances.
    pub per_candidate: Vec<f64>,
    /// The best of `per_candidate`, which was picked on the data it is measured on.
    pub best: f64,
    /// `best - accuracy`: what the pick promises too much.
    pub optimism: f64,
}

/// Chooses among `candidates` by identification among the other instances (the first of equally good
/// ones), and tests the choice on the instance left out. Needs at least three instances.
pub fn choose_nested(
    rdms: &RegionRdms,
    candidates: &[Transform],
    progress: &Progress,
) -> Result<NestedChoice> {
    if rdms.instances < 3 {
        return Err(Error::TooFew {
            operation: "nested choice",
            what: "instances (subjects or networks)",
            found: rdms.instances,
            needed: 3,
        });
    }
    if candidates.is_empty() {
        return Err(Error::TooFew {
            operation: "nested choice",
            what: "candidates",
            found: 0,
            needed: 1,
        });
    }
    let whole = rdms.whole();
    /// Hits per held-out instance, and among the others with that instance left out as well.
    struct Scores {
        held_out: Vec<f64>,
        inner: Vec<f64>,
    }
    let scores = candidates
        .par_iter()
        .map(|&candidate| -> Result<Scores> {
            progress.check()?;
            candidate.check()?;
            let products = rdms
                .products(candidate, &whole, DuplicatePairs::Dropped)?
                .ok_or_else(undefined)?;
            let (mut held_out, mut inner) = (Vec::new(), Vec::new());
            for outer in 0..rdms.instances {
                let mut weights = vec![1.0; rdms.instances];
                weights[outer] = 0.0;
                held_out.push(nearest_regions(&products.gram, rdms.regions, outer, &weights).hits);
                let mut hits = 0.0;
                for instance in (0..rdms.instances).filter(|&instance| instance != outer) {
                    weights[instance] = 0.0;
                    hits += nearest_regions(&products.gram, rdms.regions, instance, &weights).hits;
                    weights[instance] = 1.0;
                }
                inner.push(hits);
            }
            Ok(Scores { held_out, inner })
        })
        .collect::<Result<Vec<_>>>()?;
    let items = (rdms.instances * rdms.regions) as f64;
    let chosen: Vec<usize> = (0..rdms.instances)
        .map(|outer| {
            let mut best = 0;
            for (index, candidate) in scores.iter().enumerate() {
                if candidate.inner[outer] > scores[best].inner[outer] {
                    best = index;
                }
            }
            best
        })
        .collect();
    let nested: f64 = chosen
        .iter()
        .enumerate()
        .map(|(outer, &index)| scores[index].held_out[outer])
        .sum();
    let accuracy = nested / items;
    let per_candidate: Vec<f64> = scores
        .iter()
        .map(|scores| scores.held_out.iter().sum::<f64>() / items)
        .collect();
    let best = per_candidate
        .iter()
        .copied()
        .fold(f64::NEG_INFINITY, f64::max);
    Ok(NestedChoice {
        accuracy,
        chosen,
        per_candidate,
        best,
        optimism: best - accuracy,
    })
}

/// What becomes of pairs of identical conditions in a bootstrap sample.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DuplicatePairs {
    /// They are left out: their zeros would be local structure that is not there.
    #[default]
    Dropped,
    /// They stand at the mean of their RDM's summary.
    Imputed,
}

/// A bootstrap of identification.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct IdentificationBootstrap {
    /// How many samples are drawn, at least 2.
    pub draws: usize,
    /// Whether instances are drawn anew.
    pub over_instances: bool,
    /// Whether stimuli are drawn anew.
    pub over_stimuli: bool,
    /// What becomes of pairs of identical stimuli.
    pub duplicates: DuplicatePairs,
}

impl Default for IdentificationBootstrap {
    fn default() -> Self {
        IdentificationBootstrap {
            draws: 1000,
            over_instances: true,
            over_stimuli: true,
            duplicates: DuplicatePairs::Dropped,
        }
    }
}

/// Accuracies under resampling.
#[derive(Clone, Debug, PartialEq)]
pub struct BootstrappedIdentification {
    /// Statistics x usable draws; the draws of a column are the same sample for all statistics.
    pub accuracies: Array2<f64>,
    /// Per statistic, the 95% percentile interval.
    pub ci95: Vec<[f64; 2]>,
    /// Draws with one distinct instance, too few stimuli or an undefined summary.
    pub unusable: usize,
}

impl BootstrappedIdentification {
    /// The 95% percentile interval of the difference in accuracy between two statistics.
    pub fn difference(&self, statistic: usize, reference: usize) -> Option<[f64; 2]> {
        let differences = &self.accuracies.row(statistic) - &self.accuracies.row(reference);
        percentile_interval(&differences.to_vec(), 0.95)
    }
}

/// Resamples instances and stimuli and identifies regions again by each of `statistics`.
///
/// An instance drawn more than once is left out with all its copies, so that none of them is its own
/// template.
pub fn bootstrap_identification(
    rdms: &RegionRdms,
    statistics: &[Transform],
    settings: &IdentificationBootstrap,
    seed: &Seed,
    progress: &Progress,
) -> Result<BootstrappedIdentification> {
    if settings.draws < 2 {
        return Err(Error::setting("draws", settings.draws, "at least 2"));
    }
    for statistic in statistics {
        statistic.check()?;
    }
    progress.begin("bootstrap", settings.draws as u64);
    let draws = (0..settings.draws)
        .into_par_iter()
        .map(|draw| {
            let seed = seed.named("draw").indexed(draw as u64);
            let accuracies = one_draw(rdms, statistics, settings, &seed)?;
            progress.advance(1)?;
            Ok(accuracies)
        })
        .collect::<Result<Vec<_>>>()?;
    progress.end();
    let usable: Vec<Vec<f64>> = draws.into_iter().flatten().collect();
    let unusable = settings.draws - usable.len();
    if usable.len() < 2 {
        return Err(Error::Unusable {
            operation: "bootstrap of region identification",
            reason: format!(
                "{unusable} of {} samples left nothing to identify",
                settings.draws
            ),
        });
    }
    let accuracies = Array2::from_shape_fn((statistics.len(), usable.len()), |(s, draw)| {
        usable[draw][s]
    });
    let ci95 = accuracies
        .axis_iter(Axis(0))
        .filter_map(|draws| percentile_interval(&draws.to_vec(), 0.95))
        .collect();
    Ok(BootstrappedIdentification {
        accuracies,
        ci95,
        unusable,
    })
}

fn one_draw(
    rdms: &RegionRdms,
    statistics: &[Transform],
    settings: &IdentificationBootstrap,
    seed: &Seed,
) -> Result<Option<Vec<f64>>> {
    let mut times = vec![1.0; rdms.instances];
    if settings.over_instances {
        times.fill(0.0);
        for instance in bootstrap_indices(&seed.named("instances"), rdms.instances) {
            times[instance] += 1.0;
        }
    }
    if times.iter().filter(|times| **times > 0.0).count() < 2 {
        return Ok(None);
    }
    let sample = if settings.over_stimuli {
        let indices = bootstrap_indices(&seed.named("stimuli"), rdms.conditions);
        let Some(sample) = ConditionSample::drawn(&indices, rdms.conditions) else {
            return Ok(None);
        };
        sample
    } else {
        rdms.whole()
    };
    let mut accuracies = Vec::with_capacity(statistics.len());
    for &statistic in statistics {
        let Some(products) = rdms.products(statistic, &sample, settings.duplicates)? else {
            return Ok(None);
        };
        let mut hits = 0.0;
        for instance in (0..rdms.instances).filter(|&instance| times[instance] > 0.0) {
            let mut others = times.clone();
            others[instance] = 0.0;
            let nearest = nearest_regions(&products.gram, rdms.regions, instance, &others);
            hits += times[instance] * nearest.hits;
        }
        accuracies.push(hits / (times.iter().sum::<f64>() * rdms.regions as f64));
    }
    Ok(Some(accuracies))
}
