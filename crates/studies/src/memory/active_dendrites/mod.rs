//! Sparse distributed representations and active dendrites (Ahmad and Hawkins 2016).
//!
//! A dendritic segment with a few synapses, sampled from one pattern of a large population, fires where
//! enough of them are active. How often does it take another pattern for its own, and how often does it
//! miss its own under noise? The paper answers by counting; we hold its counts against exact integers,
//! against simulated dendrites, and against populations of neurons that learn sequences.
//!
//! Some claims are arithmetic (reference values, the optimal threshold): for these every seed gives
//! the same number or nearly so, and what is tested is whether formula and paper agree. The others
//! are statistical: a simulation that knows no formula is compared with one, and each control
//! replaces what makes the effect (sparsity, storage, clusters, sequence) by chance.
//!
//! Simulations cannot see probabilities below about 1e-6: those rest on the exact counts alone.
//! Expected unions of patterns or synapses are rounded to whole cells before they enter a formula.
//! The paper prints 6.6e-3 for half of 1100 cells active; 24 synapses at a threshold of 12 give 0.58,
//! exactly and in simulation, and that is what we show. It makes the paper's point the more strongly.

mod correlated;
mod evidence;
mod own_patterns;
mod sequences;
mod simulated;
mod theory;

use chiasm_core::evidence::{Claim, DataUsed, Direction, Findings, Measured};
use chiasm_core::run::Scale;
use chiasm_core::{Error, Result as CoreResult};
use serde::{Deserialize, Serialize};

use crate::{Context, Family, OpenChoice, Result, SeedRun, Settings, SettingsOf, Study};

const REFERENCE_VALUES: Claim = Claim {
    id: "reference-values",
    statement: "The error probabilities of the paper's figures, and of random settings down to 1e-290, \
                are right to nine digits.",
    paper: "equations 3 and 4 and their figures, recomputed with exact integers",
    metric: "decimal logarithm of the largest relative error",
    direction: Direction::Less,
    margin: -9.0,
    baseline: "binomial approximation (synapses as independent draws)",
    control: "the settings of the probabilities shuffled",
};

const SIMULATION_AGREES: Claim = Claim {
    id: "simulation-agrees",
    statement: "Randomly drawn dendrites err as often as the formula says, wherever that is often enough \
                to be counted (P > 1e-5).",
    paper: "simulations lie on the theoretical curves",
    metric: "root mean square deviation (standard errors)",
    direction: Direction::Less,
    margin: 2.0,
    baseline: "binomial approximation (synapses as independent draws)",
    control: "the settings of the probabilities shuffled",
};

const SPARSITY_AND_SIZE: Claim = Claim {
    id: "sparsity-and-size",
    statement: "With 64 cells active, false positives fall at least thirtyfold from 300 to 500 cells.",
    paper: "1.1e-3 to 5.7e-6 (24 synapses, threshold 12); both sparsity and size are needed",
    metric: "decades of simulated false positives lost",
    direction: Direction::Greater,
    margin: 1.5,
    baseline: "as many cells, the active share kept",
    control: "half of the cells active",
};

const NOISE_AGREES: Claim = Claim {
    id: "noise-agrees",
    statement: "Simulated dendrites miss noisy patterns as often as the formula says, at thresholds 8, 12 \
                and 16 and 5% to 80% noise.",
    paper: "simulations lie on the theoretical curves (128 active cells, 30 synapses)",
    metric: "root mean square deviation (standard errors)",
    direction: Direction::Less,
    margin: 2.0,
    baseline: "binomial approximation (synapses lost independently)",
    control: "the noise levels of the probabilities shuffled",
};

const HALF_NOISE: Claim = Claim {
    id: "half-noise",
    statement: "With half of its active cells moved elsewhere, fewer than 1 in 1000 stored patterns is \
                missed at a threshold of 8.",
    paper: "7.35e-4 (128 active cells, 30 synapses)",
    metric: "share missed",
    direction: Direction::Less,
    margin: 1e-3,
    baseline: "the same segment at a threshold of 12",
    control: "patterns that were not stored",
};

const THRESHOLD_IS_EIGHT: Claim = Claim {
    id: "threshold-is-eight",
    statement: "Over plausible neurons, 8 is the smallest threshold whose median false-positive \
                probability is below 1e-7: where measured NMDA thresholds begin.",
    paper: "8; measured thresholds lie between 8 and 20",
    metric: "smallest threshold minus 8",
    direction: Direction::Within,
    margin: 0.5,
    baseline: "binomial approximation (synapses as independent draws)",
    control: "half of the cells active",
};

const UNIONS_PREDICTED: Claim = Claim {
    id: "unions-predicted",
    statement: "False positives of unions, of active patterns or of synapses on a segment, are what theory \
                says of their expected size.",
    paper: "union property, both forms; 1.9e-2 at 10 patterns of 30 in 1000 cells",
    metric: "largest deviation over settings (decades)",
    direction: Direction::Less,
    margin: 0.15,
    baseline: "number of patterns times the error of one",
    control: "unions of one pattern with itself",
};

const CORRELATION_COSTS: Claim = Claim {
    id: "correlation-costs",
    statement: "The more cells fire in clusters, the more often a neuron with 500 segments takes one \
                pattern for another.",
    paper: "false positives rise with the correlation of patterns; no coefficient given",
    metric: "rank correlation of false positives with mean pair correlation, over bins",
    direction: Direction::Greater,
    margin: 0.9,
    baseline: "theory of random patterns of the same sizes",
    control: "correlations shuffled among populations",
};

const THEORY_IS_OPTIMISTIC: Claim = Claim {
    id: "theory-is-optimistic",
    statement: "For the most correlated patterns the theory of random patterns promises less than a third \
                of the false positives there are.",
    paper: "correlation raises errors above theory; no factor given",
    metric: "decades of false positives above theory, at a threshold where chance is seen",
    direction: Direction::Greater,
    margin: 0.5,
    baseline: "union bound over segments, the most cautious theory",
    control: "cells of each pattern shuffled",
};

const SEQUENCES_PREDICTED: Claim = Claim {
    id: "sequences-predicted",
    statement: "A population of such neurons that learned transitions predicts them as accurately as the \
                error of one segment lets expect, at every sparsity.",
    paper: "accuracy of the temporal memory follows the same curves (first order)",
    metric: "largest deviation from a / (a + q (n - a)) over sparsities (Jaccard accuracy)",
    direction: Direction::Less,
    margin: 0.05,
    baseline: "theory with one segment a cell",
    control: "transitions shuffled",
};

/// The settings of this study.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ActiveDendritesSettings {
    /// Random dendrites drawn for each simulated probability.
    pub(crate) draws: u64,
    /// Random settings whose probabilities are checked beside the paper's.
    pub(crate) random_settings: usize,
    /// Noisy patterns for each noise level.
    pub(crate) noise_trials: usize,
    /// Noise levels, in percent of the active cells moved.
    pub(crate) noise_percent: Vec<u32>,
    /// Unions of patterns simulated for each setting.
    pub(crate) unions: usize,
    /// Populations of correlated cells.
    pub(crate) populations: usize,
    /// Patterns of each; half are stored, half shown.
    pub(crate) patterns: usize,
    /// Cells in each (n).
    pub(crate) cells: usize,
    /// Active cells of each pattern (a).
    pub(crate) active: usize,
    /// Segments of a neuron (m).
    pub(crate) segments: usize,
    /// Synapses of a segment (s).
    pub(crate) synapses: usize,
    /// Threshold at which false positives are set against correlation (theta).
    pub(crate) threshold: usize,
    /// Lower threshold at which random patterns, too, give enough false positives to count.
    pub(crate) low_threshold: usize,
    /// Bins of correlation.
    pub(crate) bins: usize,
    /// Transitions a population of neurons learns.
    pub(crate) transitions: usize,
    /// Cells of the person's own patterns where they are lists of active cells; 0 for one more than
    /// the largest cell named.
    pub(crate) own_cells: usize,
}

impl Settings for ActiveDendritesSettings {
    fn at(scale: Scale) -> Self {
        let quick = ActiveDendritesSettings {
            draws: 2_000_000,
            random_settings: 500,
            noise_trials: 10_000,
            noise_percent: (1..=16).map(|step| 5 * step).collect(),
            unions: 2000,
            populations: 128,
            patterns: 2000,
            cells: 2000,
            active: 32,
            segments: 500,
            synapses: 20,
            threshold: 10,
            low_threshold: 5,
            bins: 8,
            transitions: 600,
            own_cells: 0,
        };
        let full = ActiveDendritesSettings {
            draws: 10_000_000,
            random_settings: 5000,
            noise_trials: 100_000,
            unions: 10_000,
            populations: 400,
            patterns: 5000,
            ..quick.clone()
        };
        match scale {
            Scale::Quick => quick,
            Scale::Standard => full,
            Scale::Paper => ActiveDendritesSettings {
                populations: 1000,
                patterns: 20_000,
                transitions: 1000,
                ..full
            },
        }
    }

    fn check(&self) -> CoreResult<()> {
        let between = |name: &str, value: usize, least: usize, most: usize| {
            if (least..=most).contains(&value) {
                return Ok(());
            }
            Err(Error::setting(name, value, format!("{least} to {most}")))
        };
        if !(1000..=1_000_000_000).contains(&self.draws) {
            return Err(Error::setting("draws", self.draws, "1000 to 1000000000"));
        }
        between("random_settings", self.random_settings, 1, 1_000_000)?;
        between("noise_trials", self.noise_trials, 100, 100_000_000)?;
        if let Some(&level) = self.noise_percent.iter().find(|&&level| level > 100) {
            return Err(Error::setting("noise_percent", level, "0 to 100"));
        }
        between("noise_percent levels", self.noise_percent.len(), 2, 101)?;
        between("unions", self.unions, 100, 1_000_000)?;
        between("bins", self.bins, 3, 100)?;
        between("populations", self.populations, self.bins, 100_000)?;
        between("patterns", self.patterns, 10, 10_000_000)?;
        between("cells", self.cells, 10, 1_000_000)?;
        between(
            "active",
            self.active,
            correlated::LARGEST_CLUSTER,
            self.cells,
        )?;
        between("segments", self.segments, 1, 1_000_000)?;
        between("synapses", self.synapses, 1, self.active)?;
        between("threshold", self.threshold, 1, self.synapses)?;
        between("low_threshold", self.low_threshold, 1, self.synapses)?;
        between("transitions", self.transitions, 10, 100_000)
    }
}

/// The study.
pub(crate) static STUDY: Study = Study::new(Study {
    number: 33,
    slug: "active-dendrites",
    title: "Sparse distributed representations and active dendrites",
    family: Family::Memory,
    citation: "Subutai Ahmad, Jeff Hawkins. How do neurons operate on sparse distributed representations? \
               A mathematical theory of sparsity, neurons and active dendrites. arXiv:1601.00720, 2016.",
    summary: "Error probabilities of dendritic segments are computed exactly, in log space, and held \
              against exact integers; random dendrites, noisy patterns, unions of patterns and synapses, \
              neurons with 500 segments on patterns whose cells fire in clusters, and a temporal memory \
              that learns transitions are simulated and held against the same theory.",
    scaled_down: "two million draws a probability and 128 populations at quick (ten million and 400 at \
                  standard; about 1000 in the authors' experiments); the temporal memory has 500 columns and \
                  600 transitions (19 000 in the paper).",
    data: "patterns of your own: one .npy, .npz or .csv matrix, a pattern a row, either dense (true and \
           false, or 0 and 1) or lists of active cells (-1 fills short rows)",
    claims: &[
        REFERENCE_VALUES,
        SIMULATION_AGREES,
        SPARSITY_AND_SIZE,
        NOISE_AGREES,
        HALF_NOISE,
        THRESHOLD_IS_EIGHT,
        UNIONS_PREDICTED,
        CORRELATION_COSTS,
        THEORY_IS_OPTIMISTIC,
        SEQUENCES_PREDICTED,
    ],
    choices: &[
        OpenChoice {
            setting: "low_threshold",
            what: "where theory and simulation of 500 segments are compared: at the paper's threshold of \
                   10 random patterns never err; at 5 they do",
        },
        OpenChoice {
            setting: "bins",
            what: "the paper shows single populations; they are averaged over bins of equally many",
        },
        OpenChoice {
            setting: "transitions",
            what: "the temporal memory's size; its threshold is 5 of 10 synapses, so that errors are seen",
        },
    ],
    settings: SettingsOf::of::<ActiveDendritesSettings>(),
    run,
});

/// What one repetition measures.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Repetition {
    references: theory::References,
    thresholds: theory::Thresholds,
    draws: simulated::Draws,
    sizes: simulated::Sizes,
    noise: simulated::Noise,
    half_noise: simulated::HalfNoise,
    unions: simulated::Unions,
    correlated: correlated::Correlated,
    sequences: sequences::Sequences,
}

fn measure(settings: &ActiveDendritesSettings, run: &SeedRun<'_>) -> Result<Repetition> {
    let quiet = run.progress.quiet();
    let seed = |name: &str| run.seed.named(name);
    Ok(Repetition {
        references: theory::references(settings.random_settings, &seed("references"))?,
        thresholds: theory::thresholds()?,
        draws: simulated::draws(settings.draws, &seed("draws"), &quiet)?,
        sizes: simulated::sizes(settings.draws, &seed("sizes"), &quiet)?,
        noise: simulated::noise(settings, &seed("noise"), &quiet)?,
        half_noise: simulated::half_noise(settings.draws, &seed("half noise"), &quiet)?,
        unions: simulated::unions(settings.unions, &seed("unions"), &quiet)?,
        correlated: correlated::measure(settings, &seed("correlated"), &quiet)?,
        sequences: sequences::measure(settings.transitions, &seed("sequences"), &quiet)?,
    })
}

fn run(context: &Context) -> Result<Findings> {
    let settings: ActiveDendritesSettings = context.settings()?;
    // The person's files are read first: what is wrong with them should not come up at the end.
    let own = context
        .data()
        .map(|path| own_patterns::read(path, settings.own_cells))
        .collect::<Result<Vec<_>>>()?;
    let seeds = context.each_seed("measure", |run| measure(&settings, &run))?;

    let mut findings = Findings::new();
    let mut claim = |claim: &Claim, pick: fn(&Repetition) -> [f64; 3]| {
        findings.measured(
            claim,
            seeds.iter().map(|seed| {
                let [effect, baseline, control] = pick(seed);
                Measured {
                    effect,
                    baseline,
                    control,
                }
            }),
        )
    };
    claim(&REFERENCE_VALUES, |seed| seed.references.log_errors())?;
    claim(&SIMULATION_AGREES, |seed| seed.draws.deviations)?;
    claim(&SPARSITY_AND_SIZE, |seed| seed.sizes.decades())?;
    claim(&NOISE_AGREES, |seed| seed.noise.deviations)?;
    claim(&HALF_NOISE, |seed| seed.half_noise.missed())?;
    claim(&THRESHOLD_IS_EIGHT, |seed| seed.thresholds.beyond_eight())?;
    claim(&UNIONS_PREDICTED, |seed| seed.unions.decades())?;
    claim(&CORRELATION_COSTS, |seed| {
        seed.correlated.rank_correlations()
    })?;
    claim(&THEORY_IS_OPTIMISTIC, |seed| seed.correlated.optimism())?;
    claim(&SEQUENCES_PREDICTED, |seed| seed.sequences.deviations())?;
    evidence::illustrate(&mut findings, &settings, &seeds)?;
    for patterns in (1..).zip(&own) {
        context.progress().note("your own patterns");
        own_patterns::report(&mut findings, patterns, &settings, context.progress())?;
    }
    for name in [
        "random dendrites and patterns",
        "populations of clustered cells",
        "sequences",
    ] {
        findings.data(DataUsed::simulated(name));
    }
    context.data_used().for_each(|data| findings.data(data));
    Ok(findings)
}
