//! Labels that do not lie on each other.

/// A rectangle that is taken: left, top, right, bottom.
pub(crate) type Taken = [f64; 4];

/// Whether two rectangles share an area.
pub(crate) fn overlap(one: &Taken, other: &Taken) -> bool {
    one[0] < other[2] && other[0] < one[2] && one[1] < other[3] && other[1] < one[3]
}

/// The smallest stride at which labels of `widths` at `centers` keep a gap between them: 1 shows
/// all, 2 every second.
pub(crate) fn stride_without_overlap(centers: &[f64], widths: &[f64], gap: f64) -> usize {
    let most = centers.len().max(1);
    (1..most)
        .find(|&stride| {
            let shown: Vec<(f64, f64)> = centers
                .iter()
                .zip(widths)
                .step_by(stride)
                .map(|(&center, &width)| (center - width / 2.0, center + width / 2.0))
                .collect();
            shown.windows(2).all(|pair| {
                // Places may run in either direction.
                pair[0].1 + gap <= pair[1].0 || pair[1].1 + gap <= pair[0].0
            })
        })
        .unwrap_or(most)
}

/// A free place for a label of `width` and `height` beside the point `at`, inside of `bounds` and
/// off everything in `taken`: its left edge and its baseline's middle. None where all sides are
/// taken.
pub(crate) fn place_beside(
    at: [f64; 2],
    width: f64,
    height: f64,
    distance: f64,
    bounds: &Taken,
    taken: &[Taken],
) -> Option<Taken> {
    let [x, y] = at;
    let half = height / 2.0;
    [
        [x + distance, y - half],
        [x - distance - width, y - half],
        [x - width / 2.0, y - distance - height],
        [x - width / 2.0, y + distance],
        [x + distance * 0.7, y - distance * 0.7 - height],
        [x - distance * 0.7 - width, y - distance * 0.7 - height],
        [x + distance * 0.7, y + distance * 0.7],
        [x - distance * 0.7 - width, y + distance * 0.7],
    ]
    .into_iter()
    .map(|[left, top]| [left, top, left + width, top + height])
    .find(|place| {
        place[0] >= bounds[0]
            && place[1] >= bounds[1]
            && place[2] <= bounds[2]
            && place[3] <= bounds[3]
            && !taken.iter().any(|other| overlap(place, other))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_thinned_until_they_fit() {
        let centers: Vec<f64> = (0..10).map(|index| f64::from(index) * 10.0).collect();
        assert_eq!(stride_without_overlap(&centers, &[8.0; 10], 2.0), 1);
        assert_eq!(stride_without_overlap(&centers, &[25.0; 10], 2.0), 3);
        assert_eq!(stride_without_overlap(&centers, &[500.0; 10], 2.0), 10);
        assert_eq!(stride_without_overlap(&[], &[], 2.0), 1);
    }

    #[test]
    fn a_label_goes_to_a_free_side_or_nowhere() {
        let bounds = [0.0, 0.0, 100.0, 100.0];
        let beside = place_beside([50.0, 50.0], 20.0, 10.0, 5.0, &bounds, &[]);
        assert_eq!(beside, Some([55.0, 45.0, 75.0, 55.0]));
        let right_taken = [[55.0, 40.0, 90.0, 60.0]];
        let other = place_beside([50.0, 50.0], 20.0, 10.0, 5.0, &bounds, &right_taken);
        assert_eq!(other, Some([25.0, 45.0, 45.0, 55.0]));
        assert_eq!(
            place_beside([50.0, 50.0], 20.0, 10.0, 5.0, &bounds, &[bounds]),
            None
        );
    }
}
