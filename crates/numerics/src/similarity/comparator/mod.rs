//! How similar two dissimilarity matrices are.
//!
//! Most comparators are inner products: each RDM becomes one vector (`embedding`) and a single Gram
//! product compares all pairs, so that ranking and whitening happen once per RDM, not once per pair.

mod embedding;
mod kendall;
mod matrix;
mod patterns;
mod ready;
mod shape;

use serde::{Deserialize, Serialize};

pub use matrix::{pairwise, pairwise_of_sample, similarity};
pub use patterns::{angular_shape_distance, linear_cka};

pub(crate) use matrix::compare_all;
pub(crate) use ready::{Ready, ReadyVector, compare_ready, dot, ready};

/// A measure of agreement between two RDMs x and y with m entries.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Comparator {
    /// `x'y / (|x||y|)`. High for any two RDMs of positive entries.
    Cosine,
    /// Pearson's r of the entries.
    Pearson,
    /// Pearson's r of average ranks.
    Spearman,
    /// (concordant - discordant) / all pairs of entries.
    KendallTauA,
    /// The same divided by the pairs not tied in x and in y (geometric mean).
    KendallTauB,
    /// `12 x'y / (m³ - m)` of centred ranks: Spearman's expectation under random tie breaking. The default
    /// of the field where models predict ties (Schütt et al. 2023).
    #[default]
    RhoA,
    /// `x'V⁻¹y / sqrt(x'V⁻¹x y'V⁻¹y)` with V the covariance of squared distances between independent,
    /// equally noisy patterns (Diedrichsen et al. 2020). Equal to linear CKA of the geometry.
    WhitenedCosine,
    /// The same after the mean entry is removed.
    WhitenedPearson,
    /// Linear centred kernel alignment; entries are squared distances.
    Cka,
    /// Linear CKA on unbiased estimates of HSIC (Song et al. 2012): 0 on average for unrelated
    /// representations. Entries are squared distances.
    DebiasedCka,
    /// The angle in radians between two shapes after the best rotation (Williams et al. 2021); a
    /// *distance*, 0 for equal shapes. Entries are squared distances.
    Procrustes,
    /// The cosine of that angle, `Tr((K K')^½) / sqrt(Tr K Tr K')` of centred kernels.
    Bures,
}

impl Comparator {
    /// Every comparator, in the order of their documentation.
    pub const ALL: [Comparator; 12] = [
        Comparator::Cosine,
        Comparator::Pearson,
        Comparator::Spearman,
        Comparator::KendallTauA,
        Comparator::KendallTauB,
        Comparator::RhoA,
        Comparator::WhitenedCosine,
        Comparator::WhitenedPearson,
        Comparator::Cka,
        Comparator::DebiasedCka,
        Comparator::Procrustes,
        Comparator::Bures,
    ];

    /// The name a person writes, e.g. `kendall-tau-a`.
    pub fn name(self) -> &'static str {
        match self {
            Comparator::Cosine => "cosine",
            Comparator::Pearson => "pearson",
            Comparator::Spearman => "spearman",
            Comparator::KendallTauA => "kendall-tau-a",
            Comparator::KendallTauB => "kendall-tau-b",
            Comparator::RhoA => "rho-a",
            Comparator::WhitenedCosine => "whitened-cosine",
            Comparator::WhitenedPearson => "whitened-pearson",
            Comparator::Cka => "cka",
            Comparator::DebiasedCka => "debiased-cka",
            Comparator::Procrustes => "procrustes",
            Comparator::Bures => "bures",
        }
    }

    /// Whether larger values mean *less* similar.
    pub fn is_distance(self) -> bool {
        self == Comparator::Procrustes
    }

    /// The smallest and the largest value it can give.
    pub fn range(self) -> [f64; 2] {
        match self {
            Comparator::Procrustes => [0.0, std::f64::consts::PI],
            _ => [-1.0, 1.0],
        }
    }

    /// Whether only the order of the entries matters.
    pub fn uses_ranks(self) -> bool {
        matches!(
            self,
            Comparator::Spearman
                | Comparator::KendallTauA
                | Comparator::KendallTauB
                | Comparator::RhoA
        )
    }

    /// Whether entries are taken as squared distances between points.
    pub fn needs_squared_distances(self) -> bool {
        matches!(
            self,
            Comparator::Cka | Comparator::DebiasedCka | Comparator::Procrustes | Comparator::Bures
        )
    }

    /// Whether RDMs of positive entries score high however little they share.
    pub fn has_high_floor(self) -> bool {
        matches!(self, Comparator::Cosine | Comparator::WhitenedCosine)
    }

    /// The fewest conditions for which the comparator means anything.
    pub fn fewest_conditions(self) -> usize {
        if self == Comparator::DebiasedCka {
            4
        } else {
            3
        }
    }
}
