//! All pairs of alternatives of one root whose differences hit two targets.

use ndarray::ArrayView1;
use rand::{Rng, RngExt};

/// What a pair must fulfil: `high(b) - high(a)` and `low(b) - low(a)`, each within a tolerance.
#[derive(Clone, Copy, Debug)]
pub(super) struct Target {
    pub(super) high: f64,
    pub(super) high_tolerance: f64,
    pub(super) low: f64,
    pub(super) low_tolerance: f64,
}

/// An alternative with its similarities to the root.
#[derive(Clone, Copy, Debug)]
struct Alternative {
    high: f64,
    low: f64,
    image: u32,
}

/// One of the pairs that hit the target, each as likely as any other; `None` where there is none.
///
/// Alternatives are sorted by high similarity once; then two pointers follow the window of partners in
/// which the high difference is right. After the sort this takes time in the number of images plus the
/// number of pairs in the windows. Pairs are not kept: the n-th that fits replaces the choice with
/// probability 1 / n.
pub(super) fn draw_pair(
    high: ArrayView1<'_, f64>,
    low: ArrayView1<'_, f64>,
    free: &[u32],
    root: usize,
    target: Target,
    rng: &mut impl Rng,
) -> Option<[usize; 2]> {
    let mut sorted: Vec<Alternative> = free
        .iter()
        .filter(|&&image| image as usize != root)
        .map(|&image| Alternative {
            high: high[image as usize],
            low: low[image as usize],
            image,
        })
        .collect();
    // Equal similarities in order of image, so that nothing depends on how the sort breaks ties.
    sorted.sort_unstable_by(|x, y| x.high.total_cmp(&y.high).then(x.image.cmp(&y.image)));
    let mut chosen = None;
    let mut fitting = 0_u64;
    let (mut first, mut end) = (0, 0);
    for a in &sorted {
        let (least, most) = (
            a.high + target.high - target.high_tolerance,
            a.high + target.high + target.high_tolerance,
        );
        while first < sorted.len() && sorted[first].high < least {
            first += 1;
        }
        end = end.max(first);
        while end < sorted.len() && sorted[end].high <= most {
            end += 1;
        }
        let middle = a.low + target.low;
        for b in &sorted[first..end] {
            if (b.low - middle).abs() <= target.low_tolerance && b.image != a.image {
                fitting += 1;
                if rng.random_range(0..fitting) == 0 {
                    chosen = Some([a.image as usize, b.image as usize]);
                }
            }
        }
    }
    chosen
}

#[cfg(test)]
mod tests {
    use super::*;
    use chiasm_core::Seed;
    use ndarray::Array1;
    use std::collections::BTreeMap;

    #[test]
    fn every_fitting_pair_is_drawn_equally_often_and_no_other() {
        let value = |name: &str, index: usize| {
            (Seed::new(3).named(name).indexed(index as u64).to_u64() >> 11) as f64
                / (1_u64 << 53) as f64
        };
        let high = Array1::from_shape_fn(40, |index| value("high", index));
        let low = Array1::from_shape_fn(40, |index| value("low", index));
        let free: Vec<u32> = (0..40).filter(|image| image % 7 != 3).collect();
        for (high_target, low_target) in [(0.3, 0.2), (0.3, -0.2), (0.02, 0.5)] {
            let target = Target {
                high: high_target,
                high_tolerance: 0.03,
                low: low_target,
                low_tolerance: 0.04,
            };
            // By trying all pairs.
            let mut wanted = BTreeMap::new();
            for &a in &free {
                for &b in &free {
                    let (a, b) = (a as usize, b as usize);
                    let hit = (high[b] - high[a] - high_target).abs() <= 0.03
                        && (low[b] - low[a] - low_target).abs() <= 0.04;
                    if a != b && a != 5 && b != 5 && hit {
                        wanted.insert([a, b], 0_u32);
                    }
                }
            }
            assert!(wanted.len() > 3);
            let draws = 400 * wanted.len() as u64;
            let mut rng = Seed::new(9).rng();
            for _ in 0..draws {
                let pair = draw_pair(high.view(), low.view(), &free, 5, target, &mut rng).unwrap();
                *wanted.get_mut(&pair).expect("no other pair fits") += 1;
            }
            // 400 each, standard deviation 20.
            assert!(wanted.values().all(|count| count.abs_diff(400) < 100), "{wanted:?}");
        }
    }
}
