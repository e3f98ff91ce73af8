//! The choices of `chiasm compare` and what they mean to the methods.

use chiasm_numerics::similarity::dissimilarity::NoiseModel;
use chiasm_numerics::similarity::inference::BootstrapOver;
use chiasm_numerics::similarity::{
    Comparator, Dissimilarity, DissimilaritySettings, GeodesicEdges, Transform,
};
use clap::{Args, ValueEnum};

use crate::failure::{Failure, Outcome};

/// How patterns become dissimilarities.
#[derive(Clone, Copy, ValueEnum)]
pub(in crate::commands) enum DissimilarityArgument {
    /// 1 - Pearson correlation across channels
    Correlation,
    /// Root of sqeuclidean
    Euclidean,
    /// Sum of squared differences over the number of channels
    #[value(name = "sqeuclidean", alias = "squared-euclidean")]
    SquaredEuclidean,
    /// Squared distance in units of the noise; needs repeats
    Mahalanobis,
    /// The same, cross-validated over runs
    Crossnobis,
    /// Symmetrised divergence of Poisson rates
    Poisson,
}

impl DissimilarityArgument {
    pub(in crate::commands) fn settings(self, noise: NoiseArgument) -> DissimilaritySettings {
        let measure = match self {
            DissimilarityArgument::Correlation => Dissimilarity::Correlation,
            DissimilarityArgument::Euclidean => Dissimilarity::Euclidean,
            DissimilarityArgument::SquaredEuclidean => Dissimilarity::SquaredEuclidean,
            DissimilarityArgument::Mahalanobis => Dissimilarity::Mahalanobis,
            DissimilarityArgument::Crossnobis => Dissimilarity::Crossnobis,
            DissimilarityArgument::Poisson => Dissimilarity::Poisson,
        };
        let noise = match noise {
            NoiseArgument::Identity => NoiseModel::Identity,
            NoiseArgument::Diagonal => NoiseModel::Diagonal,
            NoiseArgument::ShrinkageDiagonal => NoiseModel::ShrinkageDiagonal,
        };
        DissimilaritySettings {
            measure,
            noise,
            ..Default::default()
        }
    }
}

/// What is assumed of the noise.
#[derive(Clone, Copy, ValueEnum)]
pub(in crate::commands) enum NoiseArgument {
    /// Equal and independent in all channels
    Identity,
    /// Independent, each channel its own variance
    Diagonal,
    /// Correlated, shrunk to the diagonal
    ShrinkageDiagonal,
}

/// How dissimilarity matrices are compared.
#[derive(Clone, Copy, ValueEnum)]
pub(in crate::commands) enum ComparatorArgument {
    Cosine,
    Pearson,
    Spearman,
    KendallTauA,
    KendallTauB,
    /// Spearman's expectation under random breaking of ties
    RhoA,
    WhitenedCosine,
    WhitenedPearson,
    /// Linear centred kernel alignment
    Cka,
    /// The same on unbiased estimates
    DebiasedCka,
    /// Angle between shapes, radians: a distance
    Procrustes,
    /// Cosine of that angle
    Bures,
}

impl ComparatorArgument {
    pub(in crate::commands) fn comparator(self) -> Comparator {
        match self {
            ComparatorArgument::Cosine => Comparator::Cosine,
            ComparatorArgument::Pearson => Comparator::Pearson,
            ComparatorArgument::Spearman => Comparator::Spearman,
            ComparatorArgument::KendallTauA => Comparator::KendallTauA,
            ComparatorArgument::KendallTauB => Comparator::KendallTauB,
            ComparatorArgument::RhoA => Comparator::RhoA,
            ComparatorArgument::WhitenedCosine => Comparator::WhitenedCosine,
            ComparatorArgument::WhitenedPearson => Comparator::WhitenedPearson,
            ComparatorArgument::Cka => Comparator::Cka,
            ComparatorArgument::DebiasedCka => Comparator::DebiasedCka,
            ComparatorArgument::Procrustes => Comparator::Procrustes,
            ComparatorArgument::Bures => Comparator::Bures,
        }
    }
}

/// What the bootstrap draws anew.
#[derive(Clone, Copy, ValueEnum)]
pub(super) enum OverArgument {
    Subjects,
    Conditions,
    Both,
}

impl OverArgument {
    pub(super) fn over(self) -> BootstrapOver {
        match self {
            OverArgument::Subjects => BootstrapOver::Subjects,
            OverArgument::Conditions => BootstrapOver::Conditions,
            OverArgument::Both => BootstrapOver::Both,
        }
    }
}

/// What files hold.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(in crate::commands) enum Reading {
    /// Dissimilarities where a matrix is square and symmetric with a zero diagonal, else patterns
    Auto,
    /// Patterns: conditions x channels
    Patterns,
    /// Dissimilarities, square or condensed
    Rdm,
}

/// What the first of three axes is.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(in crate::commands) enum FirstAxis {
    Subjects,
    /// Repeated measurements of all conditions
    Runs,
}

/// What is done to dissimilarities before they are compared.
#[derive(Args)]
pub(super) struct TransformArguments {
    /// What is done to each dissimilarity matrix first
    #[arg(long, value_enum, default_value = "none")]
    transform: TransformArgument,
    /// geo-topological: quantile up to which conditions count as equally near [default: 0]
    #[arg(long, value_name = "L")]
    lower: Option<f64>,
    /// geo-topological: quantile from which conditions count as equally far [default: 1]
    #[arg(long, value_name = "U")]
    upper: Option<f64>,
    /// sigmoid: steepness [default: 10]
    #[arg(long)]
    slope: Option<f64>,
    /// sigmoid: scaled rank that becomes one half [default: 0.5]
    #[arg(long)]
    centre: Option<f64>,
    /// geodesic: quantile of the longest edge kept [default: 0.05]
    #[arg(long, conflicts_with = "neighbours")]
    share: Option<f64>,
    /// geodesic: keep each condition's nearest instead
    #[arg(long, value_name = "K")]
    neighbours: Option<usize>,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum TransformArgument {
    None,
    /// Ranks
    Rank,
    /// To 0..1
    MinMax,
    /// To mean 0 and standard deviation 1
    ZScore,
    /// Ranks cut at two quantiles (--lower, --upper)
    GeoTopological,
    /// The smooth relative (--slope, --centre)
    Sigmoid,
    /// Shortest paths along short edges, on ranks (--share or --neighbours)
    Geodesic,
    /// Shortest paths without the longest edges, not ranked
    TwoStepGeodesic,
}

impl TransformArguments {
    /// The transform. Fails where a setting is given that it does not have.
    pub(super) fn transform(&self) -> Outcome<Transform> {
        let belongs = |name: &str, given: bool, to: TransformArgument| {
            if given && self.transform != to {
                let owner = to
                    .to_possible_value()
                    .map_or_else(String::new, |value| value.get_name().to_string());
                return Err(Failure::Usage(format!(
                    "--{name} goes with --transform {owner}"
                )));
            }
            Ok(())
        };
        belongs(
            "lower",
            self.lower.is_some(),
            TransformArgument::GeoTopological,
        )?;
        belongs(
            "upper",
            self.upper.is_some(),
            TransformArgument::GeoTopological,
        )?;
        belongs("slope", self.slope.is_some(), TransformArgument::Sigmoid)?;
        belongs("centre", self.centre.is_some(), TransformArgument::Sigmoid)?;
        belongs("share", self.share.is_some(), TransformArgument::Geodesic)?;
        belongs(
            "neighbours",
            self.neighbours.is_some(),
            TransformArgument::Geodesic,
        )?;
        Ok(match self.transform {
            TransformArgument::None => Transform::None,
            TransformArgument::Rank => Transform::Rank,
            TransformArgument::MinMax => Transform::MinMax,
            TransformArgument::ZScore => Transform::ZScore,
            TransformArgument::GeoTopological => Transform::GeoTopological {
                lower: self.lower.unwrap_or(0.0),
                upper: self.upper.unwrap_or(1.0),
            },
            TransformArgument::Sigmoid => Transform::Sigmoid {
                slope: self.slope.unwrap_or(10.0),
                centre: self.centre.unwrap_or(0.5),
            },
            TransformArgument::Geodesic => Transform::Geodesic {
                edges: match self.neighbours {
                    Some(neighbours) => GeodesicEdges::Nearest { neighbours },
                    None => GeodesicEdges::Quantile {
                        share: self.share.unwrap_or(0.05),
                    },
                },
            },
            TransformArgument::TwoStepGeodesic => Transform::TwoStepGeodesic,
        })
    }
}
