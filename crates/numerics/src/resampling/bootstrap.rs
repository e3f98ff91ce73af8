//! Draws with replacement, and the variance of a result that was resampled over two factors.

use chiasm_core::Seed;
use rand::RngExt;

/// `count` indices below `count`, drawn with replacement.
pub fn bootstrap_indices(seed: &Seed, count: usize) -> Vec<usize> {
    let mut rng = seed.rng();
    (0..count).map(|_| rng.random_range(0..count)).collect()
}

/// The variances of one result under three bootstraps that share their draws.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct BootstrapVariances {
    /// Both factors resampled.
    pub both: f64,
    /// Only the first factor resampled (e.g. subjects).
    pub first: f64,
    /// Only the second factor resampled (e.g. conditions).
    pub second: f64,
}

/// The variance of a result over two crossed random factors of `first_count` and `second_count`
/// levels (both at least 2).
///
/// Resampling both factors at once counts the noise of single cells three times. With the small-sample
/// factors a = n/(n-1), b = m/(m-1) the estimate is `a V1 + b V2 - a b (V12 - V1 - V2)`, not below
/// `a V1` or `b V2` and not above `V12` (Schütt, Kipnis, Diedrichsen and Kriegeskorte 2023, eLife 12:e82566).
pub fn dual_bootstrap_variance(
    variances: BootstrapVariances,
    first_count: usize,
    second_count: usize,
) -> f64 {
    let correction = |count: usize| count as f64 / (count as f64 - 1.0);
    let (a, b) = (correction(first_count), correction(second_count));
    let BootstrapVariances {
        both,
        first,
        second,
    } = variances;
    (a * first + b * second - a * b * (both - first - second))
        .max(a * first)
        .max(b * second)
        .min(both)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand_distr::{Distribution, StandardNormal};

    #[test]
    fn draws_cover_the_range_evenly_and_repeat_with_their_seed() {
        let seed = Seed::new(1);
        assert_eq!(bootstrap_indices(&seed, 50), bootstrap_indices(&seed, 50));
        let mut counts = [0_u32; 10];
        for draw in 0..4_000 {
            for index in bootstrap_indices(&seed.indexed(draw), 10) {
                counts[index] += 1;
            }
        }
        // 40 000 draws over 10 cells: 4 000 each, standard deviation 60.
        assert!(
            counts.iter().all(|count| count.abs_diff(4_000) < 300),
            "{counts:?}"
        );
    }

    #[test]
    fn dual_variance_finds_the_variance_of_a_two_way_mean() {
        // x_ij = a_i + b_j + e_ij: the mean has variance 1/n + 1/m + s²/(nm).
        let (n, m, noise) = (8_usize, 20_usize, 3.0_f64);
        let expected = 1.0 / n as f64 + 1.0 / m as f64 + noise * noise / (n * m) as f64;
        let (mut corrected, mut naive) = (Vec::new(), Vec::new());
        for world in 0..60 {
            let seed = Seed::new(100 + world);
            let mut rng = seed.named("data").rng();
            let mut normal = || -> f64 { StandardNormal.sample(&mut rng) };
            let rows: Vec<f64> = (0..n).map(|_| normal()).collect();
            let columns: Vec<f64> = (0..m).map(|_| normal()).collect();
            let cells: Vec<f64> = (0..n * m)
                .map(|k| rows[k / m] + columns[k % m] + noise * normal())
                .collect();
            let mean_over = |is: &[usize], js: &[usize]| {
                is.iter()
                    .flat_map(|i| js.iter().map(move |j| (i, j)))
                    .map(|(i, j)| cells[i * m + j])
                    .sum::<f64>()
                    / (n * m) as f64
            };
            let (all_rows, all_columns): (Vec<_>, Vec<_>) = ((0..n).collect(), (0..m).collect());
            let mut draws = [Vec::new(), Vec::new(), Vec::new()];
            for draw in 0..300 {
                let seed = seed.named("draw").indexed(draw);
                let is = bootstrap_indices(&seed.named("rows"), n);
                let js = bootstrap_indices(&seed.named("columns"), m);
                draws[0].push(mean_over(&is, &js));
                draws[1].push(mean_over(&is, &all_columns));
                draws[2].push(mean_over(&all_rows, &js));
            }
            let variance = |values: &[f64]| {
                let deviation = chiasm_core::metrics::interval::standard_deviation(values).unwrap();
                deviation * deviation
            };
            let variances = BootstrapVariances {
                both: variance(&draws[0]),
                first: variance(&draws[1]),
                second: variance(&draws[2]),
            };
            naive.push(variances.both);
            corrected.push(dual_bootstrap_variance(variances, n, m));
        }
        let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
        assert!(
            (mean(&corrected) / expected - 1.0).abs() < 0.15,
            "{}",
            mean(&corrected)
        );
        // The uncorrected variance counts cell noise too often: the correction is not idle.
        assert!(mean(&naive) > 1.2 * expected, "{}", mean(&naive));
    }

    #[test]
    fn dual_variance_stays_within_its_bounds() {
        let at = |both, first, second| {
            dual_bootstrap_variance(
                BootstrapVariances {
                    both,
                    first,
                    second,
                },
                5,
                10,
            )
        };
        // Exactly additive: a V1 + b V2 = 1.25 + 1.1111 exceeds V12 = 2 and is capped.
        assert_eq!(at(2.0, 1.0, 1.0), 2.0);
        // A huge interaction would make it negative: floored at the larger single-factor variance.
        assert!((at(10.0, 1.0, 1.0) - 1.25).abs() < 1e-12);
    }
}
