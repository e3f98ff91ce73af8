//! Sparse patterns whose cells are correlated, and how strongly they are.
//!
//! Random patterns are the best case for dendrites; in cortex cells fire in groups. Here clusters of
//! cells are drawn once, and each pattern is the union of randomly drawn clusters, filled up with
//! single random cells (Ahmad & Hawkins 2016, section on correlated patterns): the number of
//! active cells stays the same while pairs of cells become correlated.
//!
//! The measure is the paper's: the Pearson correlation of two cells over all patterns, averaged over
//! the pairs of cells that are active together, over all patterns. Pairs that are counted were
//! active together at least once, so that finitely many independent patterns do not give 0 but
//! about `cells / (patterns active)`.

use chiasm_core::{Error, Result};
use rand::{Rng, RngExt};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use crate::sdr::{Sdr, at_most, check_cells, choose_sorted, same_cells};

/// A population whose cells fire in clusters.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClusterSettings {
    /// Cells in the population (n).
    pub cells: usize,
    /// Cells active in a pattern (a).
    pub active: usize,
    /// Cells a cluster; one entry for each kind of cluster. Empty for independent cells.
    pub cluster_sizes: Vec<usize>,
    /// Memberships of each kind of cluster, as a share of the population: a kind of size `c` has
    /// `cells x share / c` clusters. The paper draws shares between 1 and 3.
    pub membership_shares: Vec<f64>,
}

impl Default for ClusterSettings {
    fn default() -> Self {
        ClusterSettings {
            cells: 2000,
            active: 32,
            cluster_sizes: vec![5],
            membership_shares: vec![2.0],
        }
    }
}

impl ClusterSettings {
    /// Fails where sizes do not fit each other.
    pub fn check(&self) -> Result<()> {
        check_cells(self.cells)?;
        at_most("active", self.active, self.cells, "the number of cells")?;
        if self.cluster_sizes.len() != self.membership_shares.len() {
            return Err(Error::Shape {
                operation: "correlated patterns",
                what: "membership_shares".to_string(),
                axis: "kinds of cluster",
                found: self.membership_shares.len(),
                expected: self.cluster_sizes.len().to_string(),
            });
        }
        for &size in &self.cluster_sizes {
            if !(1..=self.active).contains(&size) {
                let allowed = format!("1 to the number of active cells, {}", self.active);
                return Err(Error::setting("cluster size", size, allowed));
            }
        }
        for &share in &self.membership_shares {
            if !(0.0..=1000.0).contains(&share) {
                return Err(Error::setting("membership share", share, "0 to 1000"));
            }
        }
        Ok(())
    }
}

/// A population with its clusters drawn.
#[derive(Clone, Debug)]
pub struct ClusteredPopulation {
    cells: usize,
    active: usize,
    clusters: Vec<Vec<u32>>,
}

impl ClusteredPopulation {
    /// Draws the clusters.
    pub fn new(settings: &ClusterSettings, rng: &mut impl Rng) -> Result<Self> {
        settings.check()?;
        let mut clusters = Vec::new();
        for (&size, &share) in settings
            .cluster_sizes
            .iter()
            .zip(&settings.membership_shares)
        {
            let count = (settings.cells as f64 * share / size as f64) as usize;
            clusters.extend((0..count).map(|_| choose_sorted(settings.cells, size, rng)));
        }
        Ok(ClusteredPopulation {
            cells: settings.cells,
            active: settings.active,
            clusters,
        })
    }

    /// Draws `count` patterns.
    pub fn patterns(&self, count: usize, rng: &mut impl Rng) -> Vec<Sdr> {
        let mut taken = vec![false; self.cells];
        (0..count).map(|_| self.pattern(&mut taken, rng)).collect()
    }

    /// One pattern; `taken` holds false for every cell, before and after.
    fn pattern(&self, taken: &mut [bool], rng: &mut impl Rng) -> Sdr {
        let mut active: Vec<u32> = Vec::with_capacity(self.active);
        // Whole clusters up to the first that does not fit: drawing on until one does would favour
        // small clusters. One that adds nothing ends it too, since few clusters can be used up.
        while !self.clusters.is_empty() {
            let cluster = &self.clusters[rng.random_range(0..self.clusters.len())];
            let fresh = cluster
                .iter()
                .filter(|&&cell| !taken[cell as usize])
                .count();
            if fresh == 0 || active.len() + fresh > self.active {
                break;
            }
            for &cell in cluster {
                if !std::mem::replace(&mut taken[cell as usize], true) {
                    active.push(cell);
                }
            }
        }
        while active.len() < self.active {
            let cell = rng.random_range(0..self.cells as u32);
            if !std::mem::replace(&mut taken[cell as usize], true) {
                active.push(cell);
            }
        }
        active.sort_unstable();
        for &cell in &active {
            taken[cell as usize] = false;
        }
        Sdr::from_sorted(self.cells, active)
    }
}

/// The mean correlation of cells that are active together; see the module's head.
///
/// Cells active in every pattern have no variance; their pairs count as uncorrelated. Takes time in
/// the order of `patterns x active²`.
pub fn mean_pair_correlation(patterns: &[Sdr]) -> Result<f64> {
    let Some(first) = patterns.first().filter(|_| patterns.len() >= 2) else {
        return Err(Error::TooFew {
            operation: "pair correlation",
            what: "patterns",
            found: patterns.len(),
            needed: 2,
        });
    };
    let cells = first.cells();
    let mut with_cell: Vec<Vec<u32>> = vec![Vec::new(); cells];
    for (number, pattern) in (0u32..).zip(patterns) {
        same_cells("pair correlation", cells, pattern.cells())?;
        for &cell in pattern.active() {
            with_cell[cell as usize].push(number);
        }
    }
    let count = patterns.len() as f64;
    let share: Vec<f64> = with_cell
        .iter()
        .map(|numbers| numbers.len() as f64 / count)
        .collect();
    // For each cell, how often each other cell was active with it: one counter a cell at a time.
    let sums: Vec<(f64, u64)> = with_cell
        .par_chunks(64)
        .enumerate()
        .map(|(chunk, rows)| {
            let mut together = vec![0u32; cells];
            let mut touched: Vec<u32> = Vec::new();
            let (mut sum, mut pairs) = (0.0, 0);
            for (cell, numbers) in (chunk * 64..).zip(rows) {
                for &number in numbers {
                    for &other in patterns[number as usize].active() {
                        if together[other as usize] == 0 {
                            touched.push(other);
                        }
                        together[other as usize] += 1;
                    }
                }
                let p = share[cell];
                for other in touched.drain(..) {
                    let other = other as usize;
                    let times = std::mem::take(&mut together[other]);
                    if other == cell {
                        continue;
                    }
                    let q = share[other];
                    let variance = p * (1.0 - p) * q * (1.0 - q);
                    if variance > 0.0 {
                        let covariance = f64::from(times) / count - p * q;
                        sum += f64::from(times) * covariance / variance.sqrt();
                    }
                    pairs += u64::from(times);
                }
            }
            (sum, pairs)
        })
        .collect();
    let total: f64 = sums.iter().map(|(sum, _)| sum).sum();
    let pairs: u64 = sums.iter().map(|(_, pairs)| pairs).sum();
    if pairs == 0 {
        return Err(Error::Unusable {
            operation: "pair correlation",
            reason: "no pattern has two active cells".to_string(),
        });
    }
    Ok(total / pairs as f64)
}
