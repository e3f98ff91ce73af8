//! Transforms of dissimilarity matrices: ranks, scalings and the geo-topological family of
//! Lin and Kriegeskorte (2024, PNAS), "The topology and geometry of neural representations".
//!
//! Every transform looks at one RDM at a time: quantiles, ranks and ranges are never taken over a stack.

mod geo_topological;
mod geodesic;
mod scaling;

use std::borrow::Cow;

use chiasm_core::data::Rdm;
use chiasm_core::{Error, Result};
use serde::{Deserialize, Serialize};

use super::ranks::sorted_order;
use super::sample::{ConditionSample, PreparedRdm, SampledRdm};

/// What is done to an RDM before it is compared.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Transform {
    /// Nothing.
    #[default]
    None,
    /// Average ranks from 1: only the order of dissimilarities is kept.
    Rank,
    /// Linearly to 0..1.
    MinMax,
    /// Mean 0, population standard deviation 1.
    ZScore,
    /// Ranks scaled to 0..1 and cut at their `lower`- and `upper`-quantile a and b: 0 up to a, linear from
    /// a to b, 1 from b on. (0, 1) is the rank RDM, lower = upper a binary graph of who is near whom.
    GeoTopological {
        /// Dissimilarities up to this quantile count as equally near, 0..=upper.
        lower: f64,
        /// Dissimilarities from this quantile on count as equally far, lower..=1.
        upper: f64,
    },
    /// The smooth relative, `1 / (1 + exp(-slope (d - centre)))` of ranks scaled to 0..1.
    Sigmoid {
        /// How steep (the paper's alpha, 10).
        slope: f64,
        /// The scaled rank that becomes 0.5 (the paper's beta, 0.5).
        centre: f64,
    },
    /// Shortest paths along the short edges of the graph of ranks scaled to 0..1, ranked again.
    Geodesic {
        /// Which edges are kept.
        edges: GeodesicEdges,
    },
    /// Shortest paths on dissimilarities scaled to 0..1 (not ranked, before or after) once the longest
    /// edges, those equal to 1, are gone.
    TwoStepGeodesic,
}

/// Which edges a geodesic may take.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "rule", rename_all = "kebab-case", deny_unknown_fields)]
pub enum GeodesicEdges {
    /// Edges not longer than this quantile of all edges.
    Quantile {
        /// 0..=1; the paper's default is 0.05.
        share: f64,
    },
    /// An edge is kept where it is among the shortest of *either* of its ends.
    Nearest {
        /// Edges per condition, at least 1.
        neighbours: usize,
    },
    /// As `Nearest`, with `share` of the conditions (at least one) as neighbours.
    NearestShare {
        /// 0..=1.
        share: f64,
    },
}

/// An RDM after its transform.
#[derive(Clone, Debug, PartialEq)]
pub struct TransformedRdm {
    /// The new entries.
    pub rdm: Rdm,
    /// Pairs that no path connects (geodesics only). They stand at twice the longest path there is.
    pub disconnected_pairs: usize,
}

impl Transform {
    /// Fails where a setting lies outside its range.
    pub fn check(&self) -> Result<()> {
        let share_in_range = |name: &str, share: f64| {
            if (0.0..=1.0).contains(&share) {
                Ok(())
            } else {
                Err(Error::setting(name, share, "a share from 0 to 1"))
            }
        };
        match *self {
            Transform::GeoTopological { lower, upper } => {
                share_in_range("lower", lower)?;
                share_in_range("upper", upper)?;
                if lower > upper {
                    return Err(Error::setting(
                        "lower",
                        lower,
                        format!("at most upper = {upper}"),
                    ));
                }
                Ok(())
            }
            Transform::Sigmoid { slope, centre } => {
                if !slope.is_finite() || slope <= 0.0 {
                    return Err(Error::setting("slope", slope, "a positive number"));
                }
                share_in_range("centre", centre)
            }
            Transform::Geodesic {
                edges: GeodesicEdges::Nearest { neighbours: 0 },
            } => Err(Error::setting("neighbours", 0, "at least 1")),
            Transform::Geodesic {
                edges: GeodesicEdges::Quantile { share } | GeodesicEdges::NearestShare { share },
            } => share_in_range("share", share),
            _ => Ok(()),
        }
    }

    /// Transforms one RDM. Fails where all its entries are equal and the transform needs a spread.
    pub fn apply(&self, rdm: &Rdm) -> Result<TransformedRdm> {
        self.check()?;
        let sample = ConditionSample::all(rdm.conditions());
        let prepared = PreparedRdm::new(rdm, self.needs_order())?;
        let mut working = prepared.seen_through(&sample);
        let disconnected_pairs = self
            .apply_to(&mut working, &sample, false)?
            .ok_or_else(|| Error::Unusable {
                operation: "RDM transform",
                reason: format!("{}: all dissimilarities are equal", rdm.name),
            })?;
        Ok(TransformedRdm {
            rdm: rdm.with_values(working.values.into_owned())?,
            disconnected_pairs,
        })
    }

    /// Whether the order of the entries must be known.
    pub fn needs_order(&self) -> bool {
        !matches!(
            self,
            Transform::None | Transform::MinMax | Transform::ZScore | Transform::TwoStepGeodesic
        )
    }

    /// Transforms the entries seen through a sample, each weighing as often as it was drawn, and gives the
    /// number of disconnected pairs; `None` where the result is undefined because all entries are equal.
    /// With `keep_order` the order stays that of the entries.
    pub fn apply_to(
        &self,
        working: &mut SampledRdm<'_>,
        sample: &ConditionSample,
        keep_order: bool,
    ) -> Result<Option<usize>> {
        if self.needs_order() && working.order.is_empty() {
            working.order = Cow::Owned(sorted_order(&working.values)?);
        }
        let values = match *self {
            Transform::None => return Ok(Some(0)),
            Transform::Rank => Some(scaling::ranks(working, sample)),
            Transform::MinMax => scaling::min_max(working.values.to_vec()),
            Transform::ZScore => scaling::z_score(working, sample),
            Transform::GeoTopological { lower, upper } => {
                geo_topological::cut(working, sample, lower, upper)
            }
            Transform::Sigmoid { slope, centre } => {
                geo_topological::sigmoid(working, sample, slope, centre)
            }
            Transform::Geodesic { edges } => {
                let Some(paths) = geodesic::of_ranks(working, sample, edges) else {
                    return Ok(None);
                };
                working.values = Cow::Owned(paths.lengths);
                working.order = Cow::Owned(sorted_order(&working.values)?);
                working.values = Cow::Owned(scaling::ranks(working, sample));
                return Ok(Some(paths.disconnected));
            }
            Transform::TwoStepGeodesic => {
                let Some(paths) = geodesic::two_step(working, sample) else {
                    return Ok(None);
                };
                working.values = Cow::Owned(paths.lengths);
                if keep_order {
                    working.order = Cow::Owned(sorted_order(&working.values)?);
                }
                return Ok(Some(paths.disconnected));
            }
        };
        // All of these are monotone: the old order still holds.
        Ok(values.map(|values| {
            working.values = Cow::Owned(values);
            0
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_out_of_range_are_named() {
        let message = |transform: Transform| transform.check().unwrap_err().to_string();
        let transform = Transform::GeoTopological {
            lower: 0.6,
            upper: 0.4,
        };
        assert_eq!(
            message(transform),
            "lower = 0.6: expected at most upper = 0.4"
        );
        let transform = Transform::GeoTopological {
            lower: 0.1,
            upper: 1.4,
        };
        assert!(message(transform).starts_with("upper = 1.4"));
        let edges = GeodesicEdges::Nearest { neighbours: 0 };
        assert!(message(Transform::Geodesic { edges }).starts_with("neighbours = 0"));
    }

    #[test]
    fn equal_entries_are_refused_where_a_spread_is_needed() {
        let flat = Rdm::from_condensed("flat", vec![0.3; 6]).unwrap();
        for transform in [
            Transform::MinMax,
            Transform::ZScore,
            Transform::GeoTopological {
                lower: 0.0,
                upper: 1.0,
            },
            Transform::Sigmoid {
                slope: 10.0,
                centre: 0.5,
            },
            Transform::TwoStepGeodesic,
        ] {
            let message = transform.apply(&flat).unwrap_err().to_string();
            assert!(
                message.contains("flat: all dissimilarities are equal"),
                "{transform:?}"
            );
        }
        assert_eq!(Transform::Rank.apply(&flat).unwrap().rdm.values(), [3.5; 6]);
    }

    #[test]
    fn transforms_are_written_as_a_person_would() {
        let text = serde_json::to_string(&Transform::GeoTopological {
            lower: 0.25,
            upper: 0.75,
        })
        .unwrap();
        assert_eq!(
            text,
            r#"{"kind":"geo-topological","lower":0.25,"upper":0.75}"#
        );
        let edges = GeodesicEdges::Quantile { share: 0.05 };
        let text = serde_json::to_string(&Transform::Geodesic { edges }).unwrap();
        assert_eq!(
            text,
            r#"{"kind":"geodesic","edges":{"rule":"quantile","share":0.05}}"#
        );
        assert_eq!(
            serde_json::from_str::<Transform>(&text).unwrap(),
            Transform::Geodesic { edges }
        );
    }
}
