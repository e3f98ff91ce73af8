//! Random triplets, the plain alternative.

use chiasm_core::{Error, Result, Seed};
use rand::seq::SliceRandom;

use super::{Similarity, Triplet, check_pair};

/// `count` triplets of images drawn at random, none of them twice.
pub fn random_triplets(
    high: &Similarity,
    low: &Similarity,
    count: usize,
    seed: Seed,
) -> Result<Vec<Triplet>> {
    check_pair(high, low)?;
    let images = high.images();
    if count.saturating_mul(3) > images {
        return Err(Error::TooFew {
            operation: "random triplets",
            what: "images (three a triplet)",
            found: images,
            needed: count.saturating_mul(3),
        });
    }
    let mut order: Vec<usize> = (0..images).collect();
    order.shuffle(&mut seed.rng());
    Ok(order
        .as_chunks::<3>()
        .0
        .iter()
        .take(count)
        .map(|&images| Triplet::of(high, low, images))
        .collect())
}
