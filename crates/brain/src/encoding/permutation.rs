//! The order of test responses permuted, and what is left of the correlation.

use chiasm_core::Seed;
use chiasm_core::metrics::interval::mean;
use chiasm_numerics::resampling::permutation;

/// Random orders of test units, the same for every target.
pub(super) struct Orders(Vec<Vec<u32>>);

impl Orders {
    /// `count` orders of units whose runs are given (units in order of time within a run): blocks of
    /// `block` neighbours change places within their run and keep their inner order. The last block of a run
    /// may be shorter.
    pub(super) fn draw(runs: &[usize], block: usize, count: usize, seed: &Seed) -> Self {
        let mut of_run: Vec<(usize, Vec<usize>)> = Vec::new();
        for (unit, &run) in runs.iter().enumerate() {
            match of_run.iter_mut().find(|(known, _)| *known == run) {
                Some((_, units)) => units.push(unit),
                None => of_run.push((run, vec![unit])),
            }
        }
        let seed = seed.named("permutations");
        let orders = (0..count).map(|index| {
            let seed = seed.indexed(index as u64);
            let mut order = vec![0_u32; runs.len()];
            for (place, (_, units)) in of_run.iter().enumerate() {
                let blocks: Vec<&[usize]> = units.chunks(block).collect();
                let shuffled = permutation(&seed.indexed(place as u64), blocks.len());
                let moved = shuffled.iter().flat_map(|&block| blocks[block]);
                for (&unit, &from) in units.iter().zip(moved) {
                    order[unit] = from as u32;
                }
            }
            order
        });
        Orders(orders.collect())
    }

    pub(super) fn count(&self) -> usize {
        self.0.len()
    }

    /// One-sided p of the correlation of responses and predictions that vary: the share of orders, the
    /// observed one among them, whose correlation is at least as large.
    pub(super) fn p_value(&self, responses: &[f64], predictions: &[f64]) -> f64 {
        let centre = |values: &[f64]| -> Vec<f64> {
            let centre = mean(values);
            values.iter().map(|value| value - centre).collect()
        };
        // Permuting changes neither mean nor variance: products rank as correlations do.
        let (y, p) = (centre(responses), centre(predictions));
        let observed: f64 = y.iter().zip(&p).map(|(y, p)| y * p).sum();
        let scale: f64 = y.iter().zip(&p).map(|(y, p)| (y * p).abs()).sum();
        // An order that only swaps equal values must count as equal.
        let least = observed - 1e-12 * scale;
        let reached = self
            .0
            .iter()
            .filter(|order| {
                let permuted: f64 = order
                    .iter()
                    .zip(&p)
                    .map(|(&at, p)| y[at as usize] * p)
                    .sum();
                permuted >= least
            })
            .count();
        (1 + reached) as f64 / (1 + self.0.len()) as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_stay_whole_and_within_their_run() {
        let runs = [0, 0, 0, 0, 0, 1, 1, 1, 1];
        let orders = Orders::draw(&runs, 2, 50, &Seed::new(0));
        let mut moved = false;
        for order in &orders.0 {
            let mut sorted = order.clone();
            sorted.sort_unstable();
            assert_eq!(sorted, (0..9).collect::<Vec<u32>>());
            for (unit, &from) in order.iter().enumerate() {
                assert_eq!(runs[unit], runs[from as usize]);
                // The partner of an even place follows it wherever it goes.
                if [0, 2, 5, 7].contains(&from) {
                    assert_eq!(order[unit + 1], from + 1);
                }
            }
            moved |= *order != (0..9).collect::<Vec<u32>>();
        }
        assert!(moved);
    }

    #[test]
    fn p_counts_the_observed_order_and_ties() {
        let orders = Orders(vec![vec![0, 1, 2], vec![1, 0, 2], vec![2, 1, 0]]);
        // The identity ties with what was observed; the others fall below it.
        assert_eq!(orders.p_value(&[1.0, 2.0, 4.0], &[1.0, 2.0, 3.0]), 0.5);
        // Swapping two equal responses is no other order.
        assert_eq!(orders.p_value(&[1.0, 1.0, 4.0], &[1.0, 2.0, 3.0]), 0.75);
    }
}
