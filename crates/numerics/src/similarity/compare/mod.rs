//! The front door: named representations in, a matrix of similarities with its uncertainty out.

mod input;

use chiasm_core::data::Rdm;
use chiasm_core::{Error, Progress, Result, Seed};
use ndarray::Array2;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::comparator::Comparator;
use super::dense::Cores;
use super::dissimilarity::{Dissimilarity, DissimilaritySettings};
use super::inference::{BootstrapSettings, Bootstrapped, NoiseCeiling, Stacks, bootstrap};
use super::sample::{ConditionSample, PreparedRdm};
use super::transform::{GeodesicEdges, Transform};

pub use input::{Input, Source};

/// How representations are compared.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CompareSettings {
    /// How patterns become RDMs; of no effect on inputs that are RDMs. Comparators of shapes (CKA,
    /// Procrustes, Bures) always see squared Euclidean distances of patterns.
    pub dissimilarity: DissimilaritySettings,
    /// What is done to each RDM.
    pub transform: Transform,
    /// How RDMs are compared.
    pub comparator: Comparator,
    /// Intervals, where wanted.
    pub bootstrap: Option<BootstrapSettings>,
    /// Noise ceilings of inputs with a subject axis.
    pub noise_ceiling: bool,
}

impl CompareSettings {
    /// Fails on a setting out of range or two that exclude each other.
    pub fn check(&self) -> Result<()> {
        self.dissimilarity.check()?;
        self.transform.check()?;
        if self.comparator.needs_squared_distances() && self.transform != Transform::None {
            return Err(Error::setting(
                "transform",
                format!("{:?}", self.transform),
                format!(
                    "none with {}, which compares squared distances",
                    self.comparator.name()
                ),
            ));
        }
        if let Some(bootstrap) = self.bootstrap
            && bootstrap.draws < 2
        {
            return Err(Error::setting(
                "bootstrap",
                bootstrap.draws,
                "at least 2 draws",
            ));
        }
        Ok(())
    }

    /// The measure patterns are turned into RDMs with.
    pub fn effective_dissimilarity(&self) -> DissimilaritySettings {
        let mut settings = self.dissimilarity;
        if self.comparator.needs_squared_distances() {
            settings.measure = Dissimilarity::SquaredEuclidean;
        }
        settings
    }
}

/// The 95% bounds of a comparison.
#[derive(Clone, Debug, PartialEq)]
pub struct ComparisonIntervals {
    /// Inputs x inputs.
    pub lower: Array2<f64>,
    /// Inputs x inputs.
    pub upper: Array2<f64>,
}

/// The noise ceiling of one input.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct CeilingWithIntervals {
    /// On all data.
    pub ceiling: NoiseCeiling,
    /// 95% intervals of the lower and the upper bound.
    pub ci95: Option<[[f64; 2]; 2]>,
}

/// The result of [`compare`].
#[derive(Clone, Debug)]
pub struct Comparison {
    /// The inputs' names.
    pub names: Vec<String>,
    /// Inputs x inputs: the comparator's value, averaged over subjects.
    pub matrix: Array2<f64>,
    /// Bounds of `matrix`, where a bootstrap was asked for.
    pub ci95: Option<ComparisonIntervals>,
    /// Per input; `None` where not asked for or where there is no subject axis.
    pub noise_ceiling: Vec<Option<CeilingWithIntervals>>,
    /// Per input, one RDM per subject, before any transform.
    pub rdms: Vec<Vec<Rdm>>,
    /// What a reader should know before believing the numbers.
    pub warnings: Vec<String>,
}

/// Compares all pairs of at least two inputs.
///
/// Inputs with a subject axis must have the same subjects in the same order: the similarity of two such
/// inputs is the mean over subjects of the similarity of each subject's two RDMs, that of a single RDM to
/// such an input the mean over its subjects.
pub fn compare(
    inputs: &[Input],
    settings: &CompareSettings,
    seed: &Seed,
    progress: &Progress,
) -> Result<Comparison> {
    settings.check()?;
    if inputs.len() < 2 {
        return Err(Error::TooFew {
            operation: "compare",
            what: "inputs",
            found: inputs.len(),
            needed: 2,
        });
    }
    let subjects = input::check(inputs, settings.comparator)?;
    progress.begin("dissimilarities", inputs.len() as u64);
    let dissimilarity = settings.effective_dissimilarity();
    let mut rdms = Vec::with_capacity(inputs.len());
    for input in inputs {
        rdms.push(input.to_rdms(&dissimilarity)?);
        progress.advance(1)?;
    }
    progress.end();
    let conditions = rdms[0][0].conditions();
    let with_order = settings.transform.needs_order() || settings.comparator.uses_ranks();
    let prepared = rdms
        .iter()
        .map(|stack| {
            stack
                .par_iter()
                .map(|rdm| PreparedRdm::new(rdm, with_order))
                .collect()
        })
        .collect::<Result<Vec<Vec<_>>>>()?;
    let stacks = Stacks {
        inputs: prepared,
        conditions,
        subjects,
        transform: settings.transform,
        comparator: settings.comparator,
        noise_ceiling: settings.noise_ceiling,
    };
    progress.check()?;
    let everyone = vec![1; subjects];
    let whole = ConditionSample::all(conditions);
    let observed = stacks.through(&whole, &[&everyone], Cores::All)?;
    if let Some(&(input, subject)) = observed.undefined.first() {
        return Err(Error::Unusable {
            operation: "compare",
            reason: format!(
                "{}: the dissimilarities do not vary, so {} is undefined",
                rdms[input][subject].name,
                settings.comparator.name()
            ),
        });
    }
    let matrix = super::inference::mean_over_subjects(&observed.per_subject, &everyone);
    let bootstrapped = settings
        .bootstrap
        .map(|bootstrap_settings| bootstrap(&stacks, &observed, bootstrap_settings, seed, progress))
        .transpose()?;
    let warnings = warnings(
        inputs,
        &rdms,
        settings,
        observed.disconnected,
        bootstrapped.as_ref(),
    );
    let intervals = bootstrapped.as_ref().map(|draws| draws.ceilings.clone());
    let noise_ceiling = (0..inputs.len())
        .map(|input| {
            let ceiling = observed.ceilings.get(input)?.first().copied().flatten()?;
            let ci95 = intervals.as_ref().and_then(|intervals| intervals[input]);
            Some(CeilingWithIntervals { ceiling, ci95 })
        })
        .collect();
    Ok(Comparison {
        names: inputs.iter().map(|input| input.name.clone()).collect(),
        matrix,
        ci95: bootstrapped.map(|draws| {
            let [lower, upper] = draws.matrix;
            ComparisonIntervals { lower, upper }
        }),
        noise_ceiling,
        rdms,
        warnings,
    })
}

fn warnings(
    inputs: &[Input],
    rdms: &[Vec<Rdm>],
    settings: &CompareSettings,
    disconnected: usize,
    bootstrapped: Option<&Bootstrapped>,
) -> Vec<String> {
    let mut warnings = Vec::new();
    let positive = |stack: &Vec<Rdm>| {
        stack
            .iter()
            .all(|rdm| rdm.values().iter().all(|value| *value >= 0.0))
    };
    let centred = settings.transform == Transform::ZScore;
    if settings.comparator.has_high_floor() && !centred && rdms.iter().all(positive) {
        warnings.push(format!(
            "{} of dissimilarities that are all positive is high even for unrelated representations: \
             do not read it as evidence; use pearson, whitened-pearson or rho-a, or cross-validated distances",
            settings.comparator.name()
        ));
    }
    let cuts = match settings.transform {
        Transform::GeoTopological { lower, upper } => lower > 0.0 || upper < 1.0,
        _ => false,
    };
    if cuts
        && matches!(
            settings.comparator,
            Comparator::Spearman | Comparator::KendallTauB
        )
    {
        warnings.push(format!(
            "the transform ties many dissimilarities, which {} favours: use rho-a or kendall-tau-a",
            settings.comparator.name()
        ));
    }
    if disconnected > 0 {
        warnings.push(format!(
            "no path connects {disconnected} pair(s) of conditions over all RDMs; they stand at twice the \
             longest path: keep more edges{}",
            match settings.transform {
                Transform::Geodesic { edges: GeodesicEdges::Quantile { .. } } => " (a larger share)",
                _ => "",
            }
        ));
    }
    let measured = |input: &Input| matches!(input.source, Source::Responses(_));
    if settings.comparator.needs_squared_distances()
        && settings.dissimilarity.measure != Dissimilarity::SquaredEuclidean
        && settings.dissimilarity.measure != Dissimilarity::default()
        && inputs.iter().any(measured)
    {
        warnings.push(format!(
            "{} compares squared Euclidean distances: the dissimilarity that was asked for is not used",
            settings.comparator.name()
        ));
    }
    if let (Some(bootstrapped), Some(bootstrap)) = (bootstrapped, settings.bootstrap)
        && bootstrapped.unusable > 0
    {
        warnings.push(format!(
            "{} of {} bootstrap samples left nothing to compare and were not used",
            bootstrapped.unusable, bootstrap.draws
        ));
    }
    warnings
}
