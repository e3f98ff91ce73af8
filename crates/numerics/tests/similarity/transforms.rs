use chiasm_core::data::Rdm;
use chiasm_numerics::similarity::{ConditionSample, GeodesicEdges, PreparedRdm, Transform};
use proptest::prelude::*;

use super::{assert_close, numbers, reference};

fn share_that_differs(a: &[f64], b: &[f64]) -> f64 {
    let wrong = a
        .iter()
        .zip(b)
        .filter(|(a, b)| (**a - **b).abs() > 1e-9)
        .count();
    wrong as f64 / a.len() as f64
}

/// rsatoolbox 0.3.2 writes its masks in place, so that entries already rescaled meet the upper threshold
/// again: on RDMs in 0..1, 19% of entries are wrong for (0, 0.25). Ours follow the definition.
#[test]
fn geo_topological_follows_the_definition_where_rsatoolbox_does_not() {
    let reference = reference();
    let case = &reference["geo_topological"];
    let rdm = Rdm::from_condensed("r", numbers(&case["rdm"])).unwrap();
    for case in case["cases"].as_array().unwrap() {
        let (lower, upper) = (
            case["lower"].as_f64().unwrap(),
            case["upper"].as_f64().unwrap(),
        );
        let found = Transform::GeoTopological { lower, upper }
            .apply(&rdm)
            .unwrap()
            .rdm;
        let definition = numbers(&case["definition"]);
        assert_close(
            found.values(),
            &definition,
            1e-12,
            &format!("({lower}, {upper})"),
        );
        let theirs = share_that_differs(&numbers(&case["rsatoolbox_on_scaled_ranks"]), &definition);
        let expected = match (lower, upper) {
            (0.0, 0.25) => 0.19,
            (0.2, 0.8) => 0.12,
            _ => 0.125,
        };
        assert!(
            (theirs - expected).abs() < 0.02,
            "({lower}, {upper}): {theirs}"
        );
    }
}

/// networkx drops edges of weight 0, so rsatoolbox's geodesics lose the nearest pair.
#[test]
fn two_step_geodesic_keeps_the_nearest_pair() {
    let reference = reference();
    let case = &reference["two_step_geodesic"];
    let rdm = Rdm::from_condensed("r", numbers(&case["rdm"])).unwrap();
    let found = Transform::TwoStepGeodesic.apply(&rdm).unwrap();
    assert_close(
        found.rdm.values(),
        &numbers(&case["definition"]),
        1e-12,
        "two-step",
    );
    assert_eq!(found.disconnected_pairs, 0);
    let nearest =
        (0..rdm.values().len()).min_by(|&a, &b| rdm.values()[a].total_cmp(&rdm.values()[b]));
    let theirs = numbers(&case["rsatoolbox"]);
    assert!(theirs[nearest.unwrap()] > 0.01 && found.rdm.values()[nearest.unwrap()] == 0.0);
}

#[test]
fn binary_graph_at_equal_quantiles() {
    let rdm = Rdm::from_condensed("r", vec![6.0, 1.0, 3.0, 2.0, 5.0, 4.0]).unwrap();
    let graph = Transform::GeoTopological {
        lower: 0.4,
        upper: 0.4,
    }
    .apply(&rdm)
    .unwrap()
    .rdm;
    // Ranks 1..6 scaled by fifths; the 0.4-quantile is the third entry, which is still near.
    assert_eq!(graph.values(), [1.0, 0.0, 0.0, 0.0, 1.0, 1.0]);
}

/// Six points on a line, neighbours 1, 2, ... apart: geodesics must walk the line.
#[test]
fn geodesics_on_a_line_and_between_islands() {
    let places = [0.0_f64, 1.0, 2.1, 3.3, 4.6, 6.0];
    let mut values = Vec::new();
    for i in 0..6 {
        values.extend((i + 1..6).map(|j| places[j] - places[i]));
    }
    let line = Rdm::from_condensed("line", values).unwrap();
    // The five steps are ranks 1..5 of 15, scaled 0, 1/14, ... 4/14; the next edge is rank 6.
    let nearest = GeodesicEdges::Nearest { neighbours: 1 };
    let by_share = GeodesicEdges::Quantile { share: 4.0 / 14.0 };
    let walked = Transform::Geodesic { edges: by_share }
        .apply(&line)
        .unwrap();
    assert_eq!(walked.disconnected_pairs, 0);
    // The step 0-1 costs nothing, so 0-5 and 1-5 share the last two ranks.
    assert_eq!((walked.rdm.get(0, 5), walked.rdm.get(1, 5)), (14.5, 14.5));
    assert_eq!(walked.rdm.get(0, 1), 1.0);
    // 0-2 costs 0 + 1/14 as 1-2 does: they share ranks 2 and 3.
    assert_eq!((walked.rdm.get(0, 2), walked.rdm.get(1, 2)), (2.5, 2.5));
    // The nearest neighbour of 2 is 1, of 1 is 0: kept from either end, the chain is whole.
    let walked = Transform::Geodesic { edges: nearest }.apply(&line).unwrap();
    assert_eq!(walked.disconnected_pairs, 0);
    assert_eq!(walked.rdm.get(0, 5), 14.5);

    // Two islands of three: no path between them, nine pairs, all equally far and farthest.
    let places = [0.0_f64, 1.0, 2.1, 103.3, 104.6, 106.0];
    let mut values = Vec::new();
    for i in 0..6 {
        values.extend((i + 1..6).map(|j| places[j] - places[i]));
    }
    let islands = Rdm::from_condensed("islands", values).unwrap();
    let walked = Transform::Geodesic {
        edges: GeodesicEdges::NearestShare { share: 0.34 },
    }
    .apply(&islands)
    .unwrap();
    assert_eq!(walked.disconnected_pairs, 9);
    for i in 0..3 {
        for j in 3..6 {
            assert_eq!(walked.rdm.get(i, j), 11.0);
        }
    }
}

fn transforms() -> Vec<Transform> {
    vec![
        Transform::None,
        Transform::Rank,
        Transform::MinMax,
        Transform::ZScore,
        Transform::GeoTopological {
            lower: 0.0,
            upper: 0.25,
        },
        Transform::GeoTopological {
            lower: 0.3,
            upper: 0.3,
        },
        Transform::GeoTopological {
            lower: 0.2,
            upper: 0.85,
        },
        Transform::Sigmoid {
            slope: 10.0,
            centre: 0.5,
        },
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// A sample's transform is that of the expanded RDM with pairs of identical conditions left out.
    /// (Geodesics are defined on distinct conditions and have no such expansion.)
    #[test]
    fn sampled_transforms_are_those_of_the_expanded_entries(
        levels in prop::collection::vec(1_i32..12, 28),
        drawn in prop::collection::vec(0_usize..8, 8),
    ) {
        let rdm = Rdm::from_condensed("r", levels.iter().map(|level| f64::from(*level).sqrt()).collect())
            .unwrap();
        let Some(sample) = ConditionSample::drawn(&drawn, 8) else { return Ok(()) };
        let (mut expanded, mut pairs) = (Vec::new(), Vec::new());
        for (a, &i) in drawn.iter().enumerate() {
            for &j in &drawn[a + 1..] {
                if i != j {
                    expanded.push(rdm.get(i, j));
                    pairs.push((i.min(j), i.max(j)));
                }
            }
        }
        let mut distinct = drawn.clone();
        distinct.sort_unstable();
        distinct.dedup();
        for transform in transforms() {
            let prepared = PreparedRdm::new(&rdm, true).unwrap();
            let mut seen = prepared.seen_through(&sample);
            let found = transform.apply_to(&mut seen, &sample, true).unwrap();
            let expected = transform_by_definition(transform, &expanded);
            prop_assert_eq!(found.is_some(), expected.is_some(), "{:?}", transform);
            let Some(expected) = expected else { continue };
            let mut next = 0;
            for (a, &i) in distinct.iter().enumerate() {
                for &j in &distinct[a + 1..] {
                    let at = pairs.iter().position(|pair| *pair == (i, j)).unwrap();
                    prop_assert!(
                        (seen.values()[next] - expected[at]).abs() < 1e-9,
                        "{:?}: {} instead of {}", transform, seen.values()[next], expected[at]
                    );
                    next += 1;
                }
            }
        }
    }
}

/// Each transform from its definition on a plain vector.
fn transform_by_definition(transform: Transform, values: &[f64]) -> Option<Vec<f64>> {
    let count = values.len() as f64;
    let ranks: Vec<f64> = values
        .iter()
        .map(|value| {
            let below = values.iter().filter(|other| *other < value).count() as f64;
            let equal = values.iter().filter(|other| *other == value).count() as f64;
            below + (equal + 1.0) / 2.0
        })
        .collect();
    let scale = |values: &[f64]| -> Option<Vec<f64>> {
        let low = values.iter().copied().fold(f64::INFINITY, f64::min);
        let high = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        (high > low).then(|| {
            values
                .iter()
                .map(|value| (value - low) / (high - low))
                .collect()
        })
    };
    match transform {
        Transform::None => Some(values.to_vec()),
        Transform::Rank => Some(ranks),
        Transform::MinMax => scale(values),
        Transform::ZScore => {
            let mean = values.iter().sum::<f64>() / count;
            let variance = values
                .iter()
                .map(|value| (value - mean).powi(2))
                .sum::<f64>()
                / count;
            (variance > 1e-20).then(|| {
                values
                    .iter()
                    .map(|value| (value - mean) / variance.sqrt())
                    .collect()
            })
        }
        Transform::GeoTopological { lower, upper } => {
            let scaled = scale(&ranks)?;
            let mut sorted = scaled.clone();
            sorted.sort_by(f64::total_cmp);
            let a = chiasm_numerics::resampling::quantile(&sorted, lower);
            let b = chiasm_numerics::resampling::quantile(&sorted, upper);
            Some(
                scaled
                    .iter()
                    .map(|&d| {
                        if d <= a {
                            0.0
                        } else if d >= b {
                            1.0
                        } else {
                            (d - a) / (b - a)
                        }
                    })
                    .collect(),
            )
        }
        Transform::Sigmoid { slope, centre } => Some(
            scale(&ranks)?
                .iter()
                .map(|d| 1.0 / (1.0 + (-slope * (d - centre)).exp()))
                .collect(),
        ),
        _ => None,
    }
}
