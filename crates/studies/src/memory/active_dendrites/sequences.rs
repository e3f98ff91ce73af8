//! A population of neurons that learns transitions, at several sparsities.

use chiasm_core::{Progress, Seed};
use chiasm_memory::Sdr;
use chiasm_memory::recognition::{Recognition, any_of};
use chiasm_memory::temporal_memory::{TemporalMemory, TemporalMemorySettings};
use serde::{Deserialize, Serialize};

use crate::Result;

/// Columns, of one cell each: first-order transitions.
pub(super) const COLUMNS: usize = 500;
const SYNAPSES: usize = 10;
const THRESHOLD: u16 = 5;
const ACTIVE: [usize; 6] = [15, 20, 25, 30, 35, 40];

/// Accuracy at one sparsity.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct AtSparsity {
    pub(super) active: usize,
    pub(super) simulated: f64,
    pub(super) expected: f64,
    one_segment: f64,
    shuffled: f64,
}

/// Accuracy over sparsities.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Sequences {
    pub(super) sparsities: Vec<AtSparsity>,
}

impl Sequences {
    /// Largest deviations: from theory, from theory with one segment a cell, and of shuffled
    /// transitions from theory.
    pub(super) fn deviations(&self) -> [f64; 3] {
        let picks: [fn(&AtSparsity) -> f64; 3] = [
            |at| at.simulated - at.expected,
            |at| at.simulated - at.one_segment,
            |at| at.shuffled - at.expected,
        ];
        picks.map(|pick| {
            self.sparsities
                .iter()
                .map(|at| pick(at).abs())
                .fold(0.0, f64::max)
        })
    }
}

pub(super) fn measure(transitions: usize, seed: &Seed, progress: &Progress) -> Result<Sequences> {
    let sparsities = ACTIVE
        .iter()
        .map(|&active| at_sparsity(active, transitions, &seed.indexed(active as u64), progress))
        .collect::<Result<_>>()?;
    Ok(Sequences { sparsities })
}

fn at_sparsity(
    active: usize,
    transitions: usize,
    seed: &Seed,
    progress: &Progress,
) -> Result<AtSparsity> {
    // No synapse fades and none is strengthened: a segment of its own for every transition.
    let settings = TemporalMemorySettings {
        columns: COLUMNS,
        cells_per_column: 1,
        activation_threshold: THRESHOLD,
        matching_threshold: THRESHOLD,
        synapses: SYNAPSES,
        permanence_increment: 0.0,
        permanence_decrement: 0.0,
        predicted_decrement: 0.0,
        ..TemporalMemorySettings::default()
    };
    let mut memory = TemporalMemory::new(settings, &seed.named("memory"))?;
    let mut rng = seed.named("codes").rng();
    let mut code = || Sdr::random(COLUMNS, active, &mut rng);
    let mut pairs = Vec::with_capacity(transitions);
    for _ in 0..transitions {
        progress.check()?;
        let pair = [code()?, code()?];
        memory.reset();
        memory.step(&pair[0], true)?;
        memory.step(&pair[1], true)?;
        pairs.push(pair);
    }
    let (mut simulated, mut shuffled) = (0.0, 0.0);
    for (number, [cue, next]) in pairs.iter().enumerate() {
        progress.check()?;
        memory.reset();
        memory.step(cue, false)?;
        let predicted = memory.predicted();
        simulated += predicted.jaccard(next)?;
        shuffled += predicted.jaccard(&pairs[(number + 1) % pairs.len()][1])?;
    }
    let (n, a) = (COLUMNS as f64, active as f64);
    let segment = Recognition::new(
        COLUMNS as u64,
        active as u64,
        SYNAPSES as u64,
        THRESHOLD.into(),
    );
    let each = segment.false_positive()?;
    let accuracy = |segments: u64| a / (a + any_of(each, segments) * (n - a));
    Ok(AtSparsity {
        active,
        simulated: simulated / transitions as f64,
        expected: accuracy((transitions as f64 * a / n).round() as u64),
        one_segment: accuracy(1),
        shuffled: shuffled / transitions as f64,
    })
}
