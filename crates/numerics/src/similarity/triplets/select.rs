//! Triplets for a grid of differences.

use chiasm_core::{Progress, Result, Seed};
use rand::RngExt;
use rand::seq::SliceRandom;
use rayon::prelude::*;

use super::scan::{Scanner, Target};
use super::{
    BinCoverage, LowSigns, Similarity, ToleranceUnit, Triplet, TripletSelection, TripletSettings,
    check_pair,
};

/// Roots tried one after the other before the rest is tried on all cores: mostly one of the first will
/// do.
const FIRST_ROOTS: usize = 4;

/// Fills the bins with triplets of images, none of which is used twice.
///
/// Tables are filled one after the other; within a table the bins with the largest differences come
/// first, since few images can serve them. For each wanted triplet unused images are tried as roots in
/// random order, with the preferred sign of the low difference, then with the other; balanced signs leave a
/// triplet out rather than let the sum of products grow beyond the largest single one. The result depends
/// on the seed alone, not on the number of threads. [`Progress`] counts wanted triplets.
pub fn select_triplets(
    high: &Similarity,
    low: &Similarity,
    settings: &TripletSettings,
    seed: Seed,
    progress: &Progress,
) -> Result<TripletSelection> {
    settings.check()?;
    check_pair(high, low)?;
    let high_deviation = high.deviation(settings.diagonal_counts);
    let low_deviation = low.deviation(settings.diagonal_counts);
    let tolerance = |deviation: f64| match settings.tolerance_unit {
        ToleranceUnit::Similarity => settings.tolerance,
        ToleranceUnit::StandardDeviation => settings.tolerance * deviation,
    };
    let bins = settings.bins;
    let mut coverage: Vec<BinCoverage> = (0..bins * bins)
        .map(|bin| BinCoverage {
            high: bin / bins + 1,
            low: bin % bins + 1,
            wanted: settings.tables,
            found: 0,
            roots_tried: 0,
        })
        .collect();
    let mut rng = seed.named("order").rng();
    let scanner = Scanner::new(high, low);
    let mut free = vec![true; high.images()];
    // Bins that no root can serve, by sign: they stay so, since free images only become fewer.
    let mut hopeless = vec![[false; 2]; coverage.len()];
    let mut triplets: Vec<Triplet> = Vec::new();
    // Sum of products of targets in steps: 0 where the signs cancel.
    let mut balance = 0_i64;
    // As much as a single triplet can add: the other sign is not taken beyond it, or images of a kind that
    // far bins have only of one sign would bring the correlation back.
    let most_imbalance = (bins * bins) as i64;
    progress.begin("triplets", coverage.len() as u64 * settings.tables as u64);
    for table in 0..settings.tables {
        let mut order: Vec<usize> = (0..coverage.len()).collect();
        order.shuffle(&mut rng);
        order.sort_by_key(|&bin| std::cmp::Reverse(coverage[bin].high + coverage[bin].low));
        for bin in order {
            progress.advance(1)?;
            let steps = (coverage[bin].high, coverage[bin].low);
            let coin = if rng.random() { 1 } else { -1 };
            let sign = match settings.signs {
                LowSigns::Balanced if balance != 0 => -balance.signum(),
                _ => coin,
            };
            let mut roots: Vec<usize> = (0..free.len()).filter(|&image| free[image]).collect();
            roots.shuffle(&mut rng);
            let all_roots = roots.len();
            if settings.most_roots > 0 {
                roots.truncate(settings.most_roots);
            }
            let search_seed = seed
                .named("pairs")
                .indexed(table as u64)
                .indexed(bin as u64);
            for sign in [sign, -sign] {
                let after = balance + sign * (steps.0 * steps.1) as i64;
                let unbalanced = after.abs() > most_imbalance && after.abs() > balance.abs();
                let hopeless = &mut hopeless[bin][usize::from(sign > 0)];
                if *hopeless || (settings.signs == LowSigns::Balanced && unbalanced) {
                    continue;
                }
                let target = Target {
                    high: steps.0 as f64 * settings.step * high_deviation,
                    high_tolerance: tolerance(high_deviation),
                    low: sign as f64 * steps.1 as f64 * settings.step * low_deviation,
                    low_tolerance: tolerance(low_deviation),
                };
                let (found, tried) = first_root(&scanner, &free, &roots, target, search_seed);
                coverage[bin].roots_tried += tried;
                let Some(images) = found else {
                    *hopeless = roots.len() == all_roots;
                    continue;
                };
                let mut triplet = Triplet {
                    bin: Some([steps.0, steps.1]),
                    ..Triplet::of(high, low, images)
                };
                if rng.random() {
                    triplet = triplet.mirrored();
                }
                balance = after;
                coverage[bin].found += 1;
                images.iter().for_each(|&image| free[image] = false);
                triplets.push(triplet);
                break;
            }
        }
    }
    progress.end();
    Ok(TripletSelection {
        triplets,
        coverage,
        high_deviation,
        low_deviation,
    })
}

/// The first of the roots that has a fitting pair, with the pair, and how many were tried.
fn first_root(
    scanner: &Scanner<'_>,
    free: &[bool],
    roots: &[usize],
    target: Target,
    seed: Seed,
) -> (Option<[usize; 3]>, usize) {
    let attempt = |(place, &root): (usize, &usize)| {
        let mut rng = seed.indexed(root as u64).rng();
        let pair = scanner.draw_pair(root, free, target, &mut rng);
        pair.map(|[a, b]| ([root, a, b], place + 1))
    };
    let first = roots.len().min(FIRST_ROOTS);
    let found = roots[..first]
        .iter()
        .enumerate()
        .find_map(attempt)
        .or_else(|| {
            // The first in order, whichever core is the fastest.
            roots[first..]
                .par_iter()
                .enumerate()
                .find_map_first(|(place, root)| attempt((place + first, root)))
        });
    match found {
        Some((images, tried)) => (Some(images), tried),
        None => (None, roots.len()),
    }
}
