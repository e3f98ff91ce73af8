//! All pairs of alternatives of one root whose differences hit two targets.

use std::sync::OnceLock;

use rand::{Rng, RngExt};

use super::Similarity;

/// Orders of so many images are kept (64 MiB at most); with more, roots are sorted anew each time.
const MOST_KEPT: usize = 4096;

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

/// Draws pairs for roots; remembers in which order the images stand by their similarity to a root.
pub(super) struct Scanner<'a> {
    high: &'a Similarity,
    low: &'a Similarity,
    orders: Vec<OnceLock<Vec<u32>>>,
}

impl<'a> Scanner<'a> {
    pub(super) fn new(high: &'a Similarity, low: &'a Similarity) -> Self {
        let kept = if high.images() <= MOST_KEPT {
            high.images()
        } else {
            0
        };
        Scanner {
            high,
            low,
            orders: (0..kept).map(|_| OnceLock::new()).collect(),
        }
    }

    /// One of the pairs of free images that hit the target, each as likely as any other; `None` where
    /// there is none.
    ///
    /// Alternatives stand sorted by high similarity; two pointers follow the window of partners in which
    /// the high difference is right. After one sort a root takes time in the number of images plus the
    /// number of pairs in the windows. Pairs are not kept: the n-th that fits replaces the choice with
    /// probability 1 / n.
    pub(super) fn draw_pair(
        &self,
        root: usize,
        free: &[bool],
        target: Target,
        rng: &mut impl Rng,
    ) -> Option<[usize; 2]> {
        let (high, low) = (self.high.values(), self.low.values());
        let (high, low) = (high.row(root), low.row(root));
        let usable = |image: usize| free[image] && image != root;
        // Most roots of far bins end here: their most and least similar images lie too close together.
        let similarities = high.indexed_iter().filter(|(image, _)| usable(*image));
        let (least, most) = similarities.fold(
            (f64::INFINITY, f64::NEG_INFINITY),
            |(least, most), (_, &value)| (value.min(least), value.max(most)),
        );
        if !(most - least >= target.high - target.high_tolerance) {
            return None;
        }
        let fresh;
        let order: &[u32] = match self.orders.get(root) {
            Some(kept) => kept.get_or_init(|| self.order(root)),
            None => {
                fresh = self.order(root);
                &fresh
            }
        };
        let usable = order
            .iter()
            .copied()
            .filter(|&image| usable(image as usize));
        let sorted: Vec<Alternative> = usable
            .map(|image| Alternative {
                high: high[image as usize],
                low: low[image as usize],
                image,
            })
            .collect();
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
            if first == sorted.len() {
                break;
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

    /// Images from the least to the most similar to the root; equal ones in order of number, so that
    /// nothing depends on how the sort breaks ties.
    fn order(&self, root: usize) -> Vec<u32> {
        let values = self.high.values();
        let of_root = values.row(root);
        let mut order: Vec<u32> = (0..self.high.images() as u32).collect();
        order.sort_unstable_by(|&x, &y| {
            of_root[x as usize]
                .total_cmp(&of_root[y as usize])
                .then(x.cmp(&y))
        });
        order
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chiasm_core::Seed;
    use ndarray::Array2;
    use std::collections::BTreeMap;

    fn similarity(name: &str) -> Similarity {
        let values = Array2::from_shape_fn((40, 40), |(i, j)| {
            let pair = (i.min(j) * 40 + i.max(j)) as u64;
            (Seed::new(3).named(name).indexed(pair).to_u64() >> 11) as f64 / (1_u64 << 53) as f64
        });
        Similarity::new(name, values).unwrap()
    }

    #[test]
    fn every_fitting_pair_is_drawn_equally_often_and_no_other() {
        let (high, low) = (similarity("high"), similarity("low"));
        let scanner = Scanner::new(&high, &low);
        let free: Vec<bool> = (0..40).map(|image| image % 7 != 3).collect();
        let (of_high, of_low) = (high.values(), low.values());
        let (h, l) = (of_high.row(5), of_low.row(5));
        for (high_target, low_target) in [(0.3, 0.2), (0.3, -0.2), (0.02, 0.5)] {
            let target = Target {
                high: high_target,
                high_tolerance: 0.06,
                low: low_target,
                low_tolerance: 0.08,
            };
            // By trying all pairs.
            let mut wanted = BTreeMap::new();
            for a in 0..40 {
                for b in 0..40 {
                    let hit = (h[b] - h[a] - high_target).abs() <= 0.06
                        && (l[b] - l[a] - low_target).abs() <= 0.08;
                    if a != b && a != 5 && b != 5 && free[a] && free[b] && hit {
                        wanted.insert([a, b], 0_u32);
                    }
                }
            }
            assert!(wanted.len() > 3);
            let draws = 400 * wanted.len() as u64;
            let mut rng = Seed::new(9).rng();
            for _ in 0..draws {
                let pair = scanner.draw_pair(5, &free, target, &mut rng).unwrap();
                *wanted.get_mut(&pair).expect("no other pair fits") += 1;
            }
            // 400 each, standard deviation 20.
            assert!(
                wanted.values().all(|count| count.abs_diff(400) < 100),
                "{wanted:?}"
            );
        }
        let far = Target {
            high: 1.5,
            high_tolerance: 0.06,
            low: 0.0,
            low_tolerance: 1.0,
        };
        assert_eq!(
            scanner.draw_pair(5, &free, far, &mut Seed::new(9).rng()),
            None
        );
    }
}
