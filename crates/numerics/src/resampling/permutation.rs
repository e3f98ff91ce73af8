//! Permutations and their p-values.

use chiasm_core::Seed;
use rand::seq::SliceRandom;

/// The numbers below `count` in random order.
pub fn permutation(seed: &Seed, count: usize) -> Vec<usize> {
    let mut order: Vec<usize> = (0..count).collect();
    order.shuffle(&mut seed.rng());
    order
}

/// The one-sided p-value `(1 + #{null >= observed}) / (1 + #null)`, which is never 0: the observed order
/// is itself one of the permutations. Statistics that are NaN count as at least as extreme.
pub fn permutation_p_value(observed: f64, null: &[f64]) -> f64 {
    let as_extreme = null
        .iter()
        .filter(|statistic| !(**statistic < observed))
        .count();
    (1 + as_extreme) as f64 / (1 + null.len()) as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand_distr::{Distribution, StandardNormal};

    #[test]
    fn p_value_counts_the_observed_order() {
        assert_eq!(permutation_p_value(5.0, &[1.0, 2.0, 3.0]), 0.25);
        assert_eq!(permutation_p_value(2.0, &[1.0, 2.0, 3.0]), 0.75);
        assert_eq!(permutation_p_value(9.0, &[1.0, f64::NAN, 3.0]), 0.5);
    }

    #[test]
    fn null_p_values_are_uniform() {
        // Correlation of independent vectors: p <= 0.1 in about 10% of worlds.
        let mut rejected = 0;
        for world in 0..400 {
            let seed = Seed::new(world);
            let mut rng = seed.named("data").rng();
            let mut draw =
                || -> Vec<f64> { (0..20).map(|_| StandardNormal.sample(&mut rng)).collect() };
            let (x, y) = (draw(), draw());
            let dot =
                |order: &[usize]| -> f64 { order.iter().zip(&y).map(|(&i, y)| x[i] * y).sum() };
            let identity: Vec<usize> = (0..20).collect();
            let null: Vec<f64> = (0..99)
                .map(|index| dot(&permutation(&seed.indexed(index), 20)))
                .collect();
            rejected += usize::from(permutation_p_value(dot(&identity), &null) <= 0.1);
        }
        // 40 expected, standard deviation 6.
        assert!((20..=60).contains(&rejected), "{rejected}");
    }
}
