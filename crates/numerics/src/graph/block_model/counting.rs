//! Logarithms of the counts that description lengths are made of.

use std::f64::consts::PI;

/// Entries of the exact table of restricted partitions, at most.
const TABLE_ENTRIES: usize = 2_000_000;

/// Tables for graphs of a given size.
#[derive(Debug)]
pub(super) struct Counting {
    log_factorial: Vec<f64>,
    /// ln q(m, n) for m up to `table_m` and n up to `table_n`, row m.
    log_partitions: Vec<f64>,
    table_m: usize,
    table_n: usize,
}

impl Counting {
    /// For graphs of `nodes` nodes and `edges` edges.
    pub(super) fn new(nodes: usize, edges: usize) -> Self {
        let longest = (2 * edges + nodes + 2)
            .max(nodes.saturating_mul(nodes))
            .min(1 << 20);
        let mut log_factorial = Vec::with_capacity(longest + 1);
        let mut sum = 0.0;
        log_factorial.push(0.0);
        for n in 1..=longest {
            sum += (n as f64).ln();
            log_factorial.push(sum);
        }
        let table_n = nodes.min(2 * edges).max(1);
        let table_m = (2 * edges).min(TABLE_ENTRIES / (table_n + 1)).max(1);
        Counting {
            log_factorial,
            log_partitions: restricted_partitions(table_m, table_n),
            table_m,
            table_n,
        }
    }

    /// ln n!
    pub(super) fn factorial(&self, n: usize) -> f64 {
        match self.log_factorial.get(n) {
            Some(&value) => value,
            None => {
                // Stirling's series; the next term is below 1e-26 here.
                let x = n as f64;
                x * x.ln() - x + 0.5 * (2.0 * PI * x).ln() + 1.0 / (12.0 * x)
            }
        }
    }

    /// ln (2n)!! = ln (2ⁿ n!)
    pub(super) fn double_factorial_of_even(&self, n: usize) -> f64 {
        n as f64 * std::f64::consts::LN_2 + self.factorial(n)
    }

    /// ln of the number of ways to choose k of n.
    pub(super) fn choose(&self, n: usize, k: usize) -> f64 {
        if k == 0 || k >= n {
            return 0.0;
        }
        self.factorial(n) - self.factorial(k) - self.factorial(n - k)
    }

    /// ln of the number of multisets of size k from n kinds.
    pub(super) fn multichoose(&self, n: usize, k: usize) -> f64 {
        if n == 0 || k == 0 {
            0.0
        } else {
            self.choose(n + k - 1, k)
        }
    }

    /// ln q(m, n): the number of ways to write m as a sum of at most n positive integers.
    pub(super) fn partitions(&self, m: usize, n: usize) -> f64 {
        let n = n.min(m);
        if m == 0 || n == 0 {
            0.0
        } else if m <= self.table_m && n <= self.table_n {
            self.log_partitions[m * (self.table_n + 1) + n]
        } else {
            partitions_asymptotic(m, n)
        }
    }
}

/// ln q(m, n) exactly, from q(m, n) = q(m, n − 1) + q(m − n, n).
fn restricted_partitions(table_m: usize, table_n: usize) -> Vec<f64> {
    let width = table_n + 1;
    let mut table = vec![f64::NEG_INFINITY; (table_m + 1) * width];
    table[..width].fill(0.0);
    for m in 1..=table_m {
        for n in 1..=table_n {
            let fewer = table[m * width + n - 1];
            table[m * width + n] = if n > m {
                fewer
            } else {
                let all = table[(m - n) * width + n];
                let most = fewer.max(all);
                most + (-(fewer - all).abs()).exp().ln_1p()
            };
        }
    }
    table
}

/// Szekeres' asymptotic formula, and below n ~ m^(1/4) the leading term C(m−1, n−1) / n!.
fn partitions_asymptotic(m: usize, n: usize) -> f64 {
    let (x, parts) = (m as f64, n as f64);
    if parts < x.powf(0.25) {
        let product: f64 = (1..n)
            .map(|k| ((m - k) as f64).ln() - (k as f64).ln())
            .sum();
        return product - (1..=n).map(|k| (k as f64).ln()).sum::<f64>();
    }
    let u = parts / x.sqrt();
    let mut v = u;
    for _ in 0..200 {
        let next = u * dilogarithm(1.0 - (-v).exp()).sqrt();
        let moved = (next - v).abs();
        v = next;
        if moved < 1e-12 * v {
            break;
        }
    }
    let scale = v.ln()
        - 0.5 * (-(-v).exp() * (1.0 + u * u / 2.0)).ln_1p()
        - 1.5 * std::f64::consts::LN_2
        - u.ln()
        - PI.ln();
    let exponent = 2.0 * v / u - u * (-(-v).exp()).ln_1p();
    scale - x.ln() + x.sqrt() * exponent
}

/// Li₂(x) for x in [0, 1].
fn dilogarithm(x: f64) -> f64 {
    if x <= 0.0 {
        return 0.0;
    }
    if x >= 1.0 {
        return PI * PI / 6.0;
    }
    if x > 0.5 {
        return PI * PI / 6.0 - x.ln() * (1.0 - x).ln() - dilogarithm(1.0 - x);
    }
    let (mut sum, mut power) = (0.0, 1.0);
    for k in 1..64 {
        power *= x;
        sum += power / (k * k) as f64;
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_counts_are_exact() {
        let counting = Counting::new(10, 20);
        assert!((counting.factorial(5) - 120f64.ln()).abs() < 1e-12);
        assert!((counting.double_factorial_of_even(3) - 48f64.ln()).abs() < 1e-12);
        assert!((counting.multichoose(3, 2) - 6f64.ln()).abs() < 1e-12);
        assert_eq!(counting.multichoose(0, 0), 0.0);
        // 5 = 5 = 4+1 = 3+2 with at most two parts, 7 partitions in all.
        assert!((counting.partitions(5, 2) - 3f64.ln()).abs() < 1e-12);
        assert!((counting.partitions(5, 9) - 7f64.ln()).abs() < 1e-12);
        // p(40) = 37338, with at most ten parts 16928.
        assert!((counting.partitions(40, 10) - 16928f64.ln()).abs() < 1e-12);
    }

    #[test]
    fn asymptotic_partitions_meet_the_exact_ones() {
        let counting = Counting::new(600, 1600);
        for (m, n) in [(3000, 5), (3000, 20), (3000, 100), (3000, 400), (2000, 600)] {
            let (exact, near) = (counting.partitions(m, n), partitions_asymptotic(m, n));
            assert!(
                (exact - near).abs() < 0.02 * exact.sqrt(),
                "q({m}, {n}): {exact} {near}"
            );
        }
    }

    #[test]
    fn factorials_beyond_the_table_go_on_smoothly() {
        let counting = Counting::new(2000, 10);
        let last = (1 << 20) as f64;
        let step = counting.factorial((1 << 20) + 1) - counting.factorial(1 << 20);
        assert!((step - (last + 1.0).ln()).abs() < 1e-6);
    }
}
