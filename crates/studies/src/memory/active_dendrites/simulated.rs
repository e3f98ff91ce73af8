//! Simulated dendrites: false positives, noise, unions.

use chiasm_core::{Progress, Seed};
use chiasm_memory::Sdr;
use chiasm_memory::binomial::Binomial;
use chiasm_memory::hypergeometric::Hypergeometric;
use chiasm_memory::neuron::{DendriticNeuron, DendriticNonlinearity, NeuronSettings};
use chiasm_memory::recognition::{Recognition, union_bound};
use chiasm_memory::segment_index::SegmentIndex;
use chiasm_memory::segments::DendriticSegments;
use chiasm_memory::simulation::OverlapCounts;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::ActiveDendritesSettings;
use super::theory::REFERENCES;
use crate::Result;

/// Probabilities above this are simulated.
const COUNTABLE: f64 = 1e-5;

/// A simulated probability beside the exact one.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Compared {
    pub(super) what: String,
    pub(super) exact: f64,
    pub(super) simulated: f64,
    /// Standard errors between them.
    pub(super) deviation: f64,
}

/// The paper's probabilities, simulated.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Draws {
    pub(super) compared: Vec<Compared>,
    /// Root mean square deviations from the exact probabilities, from the binomial ones, and from
    /// the exact ones of other settings.
    pub(super) deviations: [f64; 3],
}

pub(super) fn draws(count: u64, seed: &Seed, progress: &Progress) -> Result<Draws> {
    let (mut compared, mut counts, mut expected) = (Vec::new(), Vec::new(), Vec::new());
    for (number, case) in (0..).zip(&REFERENCES) {
        if case.exact <= COUNTABLE || 1.0 - case.exact <= COUNTABLE {
            continue;
        }
        let [cells, one, other] = case.sizes.map(|size| size as usize);
        let drawn = OverlapCounts::draw(cells, one, other, count, &seed.indexed(number), progress)?;
        let overlap = case.overlap as usize;
        compared.push(Compared {
            what: case.what.to_string(),
            exact: case.exact,
            simulated: drawn.at_least(overlap) as f64 / count as f64,
            deviation: drawn.deviation(overlap, case.exact),
        });
        expected.push([case.exact, case.binomial()?.at_least(case.overlap)]);
        counts.push((drawn, overlap));
    }
    let from = |pick: &dyn Fn(usize) -> f64| {
        let deviations = counts
            .iter()
            .enumerate()
            .map(|(place, (drawn, overlap))| drawn.deviation(*overlap, pick(place)));
        root_mean_square(deviations)
    };
    let deviations = [
        from(&|place| expected[place][0]),
        from(&|place| expected[place][1]),
        from(&|place| expected[(place + 1) % expected.len()][0]),
    ];
    Ok(Draws {
        compared,
        deviations,
    })
}

fn root_mean_square(values: impl ExactSizeIterator<Item = f64>) -> f64 {
    let count = values.len() as f64;
    (values.map(|value| value * value).sum::<f64>() / count).sqrt()
}

/// Simulated false positives at 300 and 500 cells.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Sizes {
    /// With 64 cells active, with 64 in 300 of them active, with half of them active.
    pub(super) rates: [[f64; 2]; 3],
}

impl Sizes {
    pub(super) fn decades(&self) -> [f64; 3] {
        self.rates.map(|[small, large]| (small / large).log10())
    }
}

pub(super) fn sizes(count: u64, seed: &Seed, progress: &Progress) -> Result<Sizes> {
    const SYNAPSES: usize = 24;
    const THRESHOLD: usize = 12;
    let rate = |cells: usize, active: usize| -> Result<f64> {
        let seed = seed.named(&format!("{active} of {cells}"));
        let drawn = OverlapCounts::draw(cells, active, SYNAPSES, count, &seed, progress)?;
        // Half an event, so that none seen does not make an infinite fall.
        Ok((drawn.at_least(THRESHOLD) as f64 + 0.5) / (count as f64 + 1.0))
    };
    Ok(Sizes {
        rates: [
            [rate(300, 64)?, rate(500, 64)?],
            [rate(300, 64)?, rate(500, 107)?],
            [rate(300, 150)?, rate(500, 250)?],
        ],
    })
}

/// Misses of noisy patterns, by threshold and noise.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Noise {
    /// For each threshold, the share missed at each noise level.
    pub(super) simulated: [Vec<f64>; 3],
    pub(super) exact: [Vec<f64>; 3],
    /// As in [`Draws`], with the noise levels shuffled.
    pub(super) deviations: [f64; 3],
}

/// Thresholds the paper's noise figure shows.
pub(super) const NOISE_THRESHOLDS: [u64; 3] = [8, 12, 16];
const NOISE_CELLS: usize = 2000;
const NOISE_ACTIVE: usize = 128;
const NOISE_SYNAPSES: usize = 30;

/// How many cells a noise level in percent moves.
fn moved(percent: u32) -> usize {
    NOISE_ACTIVE * percent as usize / 100
}

pub(super) fn noise(
    settings: &ActiveDendritesSettings,
    seed: &Seed,
    progress: &Progress,
) -> Result<Noise> {
    const BLOCK: usize = 1000;
    let trials = settings.noise_trials;
    let (mut simulated, mut exact) = ([const { Vec::new() }; 3], [const { Vec::new() }; 3]);
    let mut independent = [const { Vec::new() }; 3];
    for &percent in &settings.noise_percent {
        let moved = moved(percent);
        let seed = seed.indexed(percent.into());
        let missed: Vec<[u32; 3]> = (0..trials.div_ceil(BLOCK))
            .into_par_iter()
            .map(|block| -> Result<[u32; 3]> {
                progress.check()?;
                let mut rng = seed.indexed(block as u64).rng();
                let mut missed = [0; 3];
                for _ in 0..BLOCK.min(trials - block * BLOCK) {
                    let stored = Sdr::random(NOISE_CELLS, NOISE_ACTIVE, &mut rng)?;
                    let segment = stored.subsample(NOISE_SYNAPSES, &mut rng)?;
                    let overlap = stored.with_noise(moved, &mut rng)?.overlap(&segment)?;
                    for (missed, &threshold) in missed.iter_mut().zip(&NOISE_THRESHOLDS) {
                        *missed += u32::from((overlap as u64) < threshold);
                    }
                }
                Ok(missed)
            })
            .collect::<Result<_>>()?;
        for (place, &threshold) in NOISE_THRESHOLDS.iter().enumerate() {
            let total: u32 = missed.iter().map(|missed| missed[place]).sum();
            simulated[place].push(f64::from(total) / trials as f64);
            let [cells, active, synapses] =
                [NOISE_CELLS, NOISE_ACTIVE, NOISE_SYNAPSES].map(|size| size as u64);
            let segment = Recognition::new(cells, active, synapses, threshold);
            exact[place].push(segment.false_negative(moved as u64)?);
            let lost = Binomial::new(synapses, moved as f64 / NOISE_ACTIVE as f64)?;
            independent[place].push(lost.at_least(synapses - threshold + 1));
        }
    }
    // Where misses or hits are too few to have a spread, nothing can be compared.
    let comparable = |probability: f64| {
        let events = probability.min(1.0 - probability) * trials as f64;
        events >= 10.0
    };
    let from = |expected: &[Vec<f64>; 3], shift: usize| {
        let mut deviations = Vec::new();
        for (rates, expected) in simulated.iter().zip(expected) {
            for (level, &rate) in rates.iter().enumerate() {
                let probability = expected[(level + shift) % expected.len()];
                if comparable(probability) {
                    let spread = (probability * (1.0 - probability) / trials as f64).sqrt();
                    deviations.push((rate - probability) / spread);
                }
            }
        }
        root_mean_square(deviations.into_iter())
    };
    let deviations = [from(&exact, 0), from(&independent, 0), from(&exact, 1)];
    Ok(Noise {
        simulated,
        exact,
        deviations,
    })
}

/// Misses with half of the active cells moved.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct HalfNoise {
    stored: f64,
    higher_threshold: f64,
    not_stored: f64,
}

impl HalfNoise {
    pub(super) fn missed(&self) -> [f64; 3] {
        [self.stored, self.higher_threshold, self.not_stored]
    }
}

pub(super) fn half_noise(count: u64, seed: &Seed, progress: &Progress) -> Result<HalfNoise> {
    let half = NOISE_ACTIVE / 2;
    let draw = |name: &str, cells, first| {
        OverlapCounts::draw(
            cells,
            first,
            NOISE_SYNAPSES,
            count,
            &seed.named(name),
            progress,
        )
    };
    let lost = draw("stored", NOISE_ACTIVE, half)?;
    let other = draw("not stored", NOISE_CELLS, NOISE_ACTIVE)?;
    let share = |events: u64| events as f64 / count as f64;
    Ok(HalfNoise {
        stored: share(lost.at_least(NOISE_SYNAPSES - 8 + 1)),
        higher_threshold: share(lost.at_least(NOISE_SYNAPSES - 12 + 1)),
        not_stored: share(count - other.at_least(8)),
    })
}

/// False positives of unions.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Unions {
    pub(super) compared: Vec<Union>,
}

/// False positives of one kind of union.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Union {
    pub(super) what: String,
    pub(super) expected: f64,
    pub(super) simulated: f64,
    /// The number of patterns times the error of one.
    summed: f64,
    /// Simulated with one pattern in place of several.
    same: f64,
}

impl Unions {
    /// Largest deviations from the expectation: simulated, by summed errors, without a union.
    pub(super) fn decades(&self) -> [f64; 3] {
        let picks: [fn(&Union) -> f64; 3] = [
            |union| union.simulated,
            |union| union.summed,
            |union| union.same,
        ];
        picks.map(|pick| {
            let deviations = self
                .compared
                .iter()
                .map(|union| (pick(union) / union.expected).log10().abs());
            deviations.fold(0.0, f64::max)
        })
    }
}

pub(super) fn unions(count: usize, seed: &Seed, progress: &Progress) -> Result<Unions> {
    let mut compared = Vec::new();
    for (cells, patterns) in [(1000, 5), (1000, 10), (4000, 20)] {
        let seed = seed.named(&format!("{patterns} in {cells}"));
        compared.push(active_union(cells, patterns, count, &seed, progress)?);
    }
    compared.push(synapse_union(count, &seed.named("synapses"), progress)?);
    Ok(Unions { compared })
}

/// Half an event more, so that logarithms exist.
fn rate(events: u64, trials: u64) -> f64 {
    (events as f64 + 0.5) / (trials as f64 + 1.0)
}

fn active_union(
    cells: usize,
    patterns: usize,
    count: usize,
    seed: &Seed,
    progress: &Progress,
) -> Result<Union> {
    const ACTIVE: usize = 30;
    const SYNAPSES: usize = 20;
    const THRESHOLD: u16 = 10;
    const SEGMENTS: usize = 1000;
    let mut rng = seed.named("segments").rng();
    let mut segments = DendriticSegments::new(cells)?;
    for _ in 0..SEGMENTS {
        segments.push(Sdr::random(cells, SYNAPSES, &mut rng)?.active())?;
    }
    let index = SegmentIndex::new(&segments)?;
    let fired: Vec<[u64; 2]> = (0..count as u64)
        .into_par_iter()
        .map(|number| -> Result<[u64; 2]> {
            progress.check()?;
            let mut rng = seed.named("unions").indexed(number).rng();
            let drawn = (0..patterns)
                .map(|_| Sdr::random(cells, ACTIVE, &mut rng))
                .collect::<chiasm_core::Result<Vec<_>>>()?;
            let several = index.matching(&Sdr::union(&drawn)?, THRESHOLD)?;
            let one = index.matching(&drawn[0], THRESHOLD)?;
            Ok([several.len() as u64, one.len() as u64])
        })
        .collect::<Result<_>>()?;
    let trials = (count * SEGMENTS) as u64;
    let total = |which: usize| fired.iter().map(|fired| fired[which]).sum();
    let one = Recognition::new(
        cells as u64,
        ACTIVE as u64,
        SYNAPSES as u64,
        THRESHOLD.into(),
    );
    Ok(Union {
        what: format!("{patterns} patterns of {ACTIVE} in {cells} cells active"),
        expected: one.with_active_union(patterns as u64)?.false_positive()?,
        simulated: rate(total(0), trials),
        summed: union_bound(one.false_positive()?, patterns as u64),
        same: rate(total(1), trials),
    })
}

fn synapse_union(count: usize, seed: &Seed, progress: &Progress) -> Result<Union> {
    const CELLS: usize = 10_000;
    const ACTIVE: usize = 200;
    const SYNAPSES: usize = 25;
    const THRESHOLD: u16 = 15;
    const PATTERNS: usize = 10;
    const SEGMENTS: usize = 500;
    let mut rng = seed.named("patterns").rng();
    let mut random = |count: usize| {
        (0..count)
            .map(|_| Sdr::random(CELLS, ACTIVE, &mut rng))
            .collect::<chiasm_core::Result<Vec<_>>>()
    };
    let stored = random(SEGMENTS * PATTERNS)?;
    let shown = random(count)?;
    let settings = NeuronSettings {
        segments: SEGMENTS,
        synapses: SYNAPSES,
        nonlinearity: DendriticNonlinearity::Threshold {
            threshold: THRESHOLD,
        },
    };
    let fired = |stored: &[Sdr]| -> Result<f64> {
        let neuron = DendriticNeuron::learn(&settings, stored, &seed.named("synapses"))?;
        let firing: f64 = neuron.activations(&shown, progress)?.iter().sum();
        Ok(rate(firing as u64, (count * SEGMENTS) as u64))
    };
    let [cells, active, synapses, patterns] =
        [CELLS, ACTIVE, SYNAPSES, PATTERNS].map(|size| size as u64);
    let one = Recognition::new(cells, active, synapses, THRESHOLD.into());
    Ok(Union {
        what: format!("synapses of {PATTERNS} patterns of {ACTIVE} in {CELLS} cells"),
        expected: one.with_synapse_union(patterns)?.false_positive()?,
        simulated: fired(&stored)?,
        summed: union_bound(one.false_positive()?, patterns),
        same: fired(&stored[..SEGMENTS])?,
    })
}

/// Theory for the figure of false positives over population size.
pub(super) fn curve(sizes: &[u64], active: impl Fn(u64) -> u64) -> Result<(Vec<f64>, Vec<f64>)> {
    let (mut x, mut y) = (Vec::new(), Vec::new());
    for &cells in sizes.iter().filter(|&&cells| active(cells) <= cells) {
        x.push(cells as f64);
        y.push(Hypergeometric::new(cells, 24, active(cells))?.at_least(12));
    }
    Ok((x, y))
}
