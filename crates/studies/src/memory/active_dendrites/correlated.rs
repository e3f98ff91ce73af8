//! Neurons on patterns whose cells fire in clusters.

use chiasm_core::metrics::correlation::spearman;
use chiasm_core::{Progress, Seed};
use chiasm_memory::Sdr;
use chiasm_memory::correlated_patterns::{
    ClusterSettings, ClusteredPopulation, mean_pair_correlation,
};
use chiasm_memory::false_positives::FalsePositives;
use chiasm_memory::recognition::{Recognition, union_bound};
use rand::seq::{IndexedRandom, SliceRandom};
use rand::{Rng, RngExt};
use serde::{Deserialize, Serialize};

use super::ActiveDendritesSettings;
use crate::Result;

/// The largest cluster of cells.
pub(super) const LARGEST_CLUSTER: usize = 9;
/// Shuffles of correlations among populations that the control averages over.
const SHUFFLES: usize = 100;

/// One population.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Population {
    /// Mean correlation of pairs of cells active together.
    pub(super) correlation: f64,
    /// Share of shown patterns taken for a stored one.
    pub(super) false_positives: f64,
    /// The same at the low threshold.
    low: f64,
}

/// All populations, by rising correlation, and what theory says of them.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Correlated {
    pub(super) populations: Vec<Population>,
    /// Mean correlation and false positives of each bin.
    pub(super) bins: Vec<[f64; 2]>,
    pub(super) predicted: f64,
    predicted_low: f64,
    union_bound_low: f64,
    /// False positives at the low threshold in the most correlated bin, and with the cells of its
    /// patterns shuffled.
    most_low: f64,
    shuffled_low: f64,
    shuffled_labels: f64,
}

impl Correlated {
    pub(super) fn rank_correlations(&self) -> [f64; 3] {
        // Theory gives every bin the same: it goes together with nothing.
        [rank_correlation(&self.bins), 0.0, self.shuffled_labels]
    }

    pub(super) fn optimism(&self) -> [f64; 3] {
        [
            (self.most_low / self.predicted_low).log10(),
            (self.most_low / self.union_bound_low).log10(),
            (self.shuffled_low / self.predicted_low).log10(),
        ]
    }
}

/// Both columns have as many finite values as there are bins, so this cannot fail; 0 stands for it.
fn rank_correlation(bins: &[[f64; 2]]) -> f64 {
    let column = |which: usize| bins.iter().map(|bin| bin[which]).collect::<Vec<_>>();
    spearman(&column(0), &column(1)).unwrap_or(0.0)
}

/// Clusters of one to seven kinds, as the paper's populations have.
fn draw_settings(settings: &ActiveDendritesSettings, rng: &mut impl Rng) -> ClusterSettings {
    // One kind comes up more often: it gives the largest correlations.
    let kinds = *[1, 1, 2, 1, 2, 3, 4, 5, 6, 7].choose(rng).unwrap_or(&1);
    let mut sizes: Vec<usize> = (2..=LARGEST_CLUSTER).collect();
    sizes.shuffle(rng);
    sizes.truncate(kinds);
    ClusterSettings {
        cells: settings.cells,
        active: settings.active,
        membership_shares: (0..kinds).map(|_| rng.random_range(1.0..3.0)).collect(),
        cluster_sizes: sizes,
    }
}

fn bins(populations: &[Population], count: usize) -> Vec<[f64; 2]> {
    (0..count)
        .map(|bin| {
            let range = bin * populations.len() / count..(bin + 1) * populations.len() / count;
            let members = &populations[range];
            let mean = |pick: fn(&Population) -> f64| {
                members.iter().map(pick).sum::<f64>() / members.len() as f64
            };
            [
                mean(|population| population.correlation),
                mean(|population| population.false_positives),
            ]
        })
        .collect()
}

pub(super) fn measure(
    settings: &ActiveDendritesSettings,
    seed: &Seed,
    progress: &Progress,
) -> Result<Correlated> {
    let ActiveDendritesSettings {
        segments,
        synapses,
        threshold,
        low_threshold,
        ..
    } = *settings;
    let test = |patterns: &[Sdr], seed: &Seed| {
        FalsePositives::measure(patterns, segments, synapses, seed, progress)
    };
    let mut populations = Vec::with_capacity(settings.populations);
    for number in 0..settings.populations as u64 {
        progress.check()?;
        let seed = seed.indexed(number);
        let mut rng = seed.named("patterns").rng();
        let drawn = draw_settings(settings, &mut rng);
        let patterns =
            ClusteredPopulation::new(&drawn, &mut rng)?.patterns(settings.patterns, &mut rng);
        let measured = test(&patterns, &seed.named("neurons"))?;
        populations.push(Population {
            correlation: mean_pair_correlation(&patterns)?,
            false_positives: measured.rate(threshold),
            low: measured.rate(low_threshold),
        });
    }
    populations.sort_by(|a, b| a.correlation.total_cmp(&b.correlation));
    let mut rng = seed.named("shuffles").rng();
    let mut shuffled_labels = 0.0;
    for _ in 0..SHUFFLES {
        let mut labels: Vec<f64> = populations.iter().map(|p| p.false_positives).collect();
        labels.shuffle(&mut rng);
        let mut shuffled = populations.clone();
        for (population, false_positives) in shuffled.iter_mut().zip(labels) {
            population.false_positives = false_positives;
        }
        shuffled_labels += rank_correlation(&bins(&shuffled, settings.bins)) / SHUFFLES as f64;
    }
    let most = &populations[(settings.bins - 1) * populations.len() / settings.bins..];
    let most_low = most.iter().map(|population| population.low).sum::<f64>() / most.len() as f64;
    // Shuffling the cells of each pattern by itself leaves a random pattern of the same size. As many
    // as the most correlated bin has.
    let mut rng = seed.named("shuffled cells").rng();
    let random = (0..settings.patterns * most.len())
        .map(|_| Sdr::random(settings.cells, settings.active, &mut rng))
        .collect::<chiasm_core::Result<Vec<_>>>()?;
    let shuffled = test(&random, &seed.named("shuffled neurons"))?;
    let [cells, active, synapses, low] =
        [settings.cells, settings.active, synapses, low_threshold].map(|size| size as u64);
    let one = Recognition::new(cells, active, synapses, low).false_positive()?;
    // Half an event, so that logarithms exist.
    let least = 0.5 / shuffled.shown().max(1) as f64;
    Ok(Correlated {
        bins: bins(&populations, settings.bins),
        predicted: shuffled.predicted(threshold)?,
        predicted_low: shuffled.predicted(low_threshold)?,
        union_bound_low: union_bound(one, shuffled.segments() as u64),
        most_low: most_low.max(least),
        shuffled_low: shuffled.rate(low_threshold).max(least),
        shuffled_labels,
        populations,
    })
}
