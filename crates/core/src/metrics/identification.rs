//! Identification: whether a decoded item is nearer to its original than to others.
//!
//! - **Two-way identification.** `s_ij` is the similarity of original `i` and reconstruction `j`. For
//!   item `i` it is the share of the others `j` with `s_ii > s_ji` ([`Against::OtherOriginals`]: is this
//!   reconstruction nearer to its own original?) or `s_ii > s_ij` ([`Against::OtherReconstructions`]: is
//!   this original nearer to its own reconstruction?). The two differ, and papers use both. Chance 0.5.
//! - **n-way top-k.** A classifier gives each reconstruction a probability for each class; the class of the
//!   original competes with `n − 1` others drawn at random and hits when it is among the first `k`.
//!   Chance `k/n`. Published code draws a thousand times; here the expectation over all draws is exact.
//! - **2V2.** Over pairs `i < j` of items with distances `d`: is
//!   `d_ii + d_jj < d_ij + d_ji`? Chance 0.5. It saturates early.
//!
//! Ties count one half everywhere: with a strict comparison a constant predictor would score 0.

use ndarray::ArrayView2;
use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};

/// What an item's own pair is compared with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Against {
    /// The same reconstruction with other originals: columns of the similarities.
    OtherOriginals,
    /// The same original with other reconstructions: rows of the similarities.
    OtherReconstructions,
}

/// Two-way identification: one share a item, from `similarity` (originals x reconstructions).
///
/// # Errors
/// [`Error::Shape`] unless it is square, [`Error::TooFew`] with fewer than two items,
/// [`Error::NotFinite`] for NaN and infinities.
pub fn two_way(similarity: ArrayView2<'_, f64>, against: Against) -> Result<Vec<f64>> {
    let count = checked_square("two-way identification", similarity)?;
    let shares = (0..count).map(|item| {
        let own = similarity[[item, item]];
        let wins: f64 = (0..count)
            .filter(|&other| other != item)
            .map(|other| {
                win(match against {
                    Against::OtherOriginals => own - similarity[[other, item]],
                    Against::OtherReconstructions => own - similarity[[item, other]],
                })
            })
            .sum();
        wins / (count as f64 - 1.0)
    });
    Ok(shares.collect())
}

/// 2V2: the share of pairs that are matched rightly, from `distance` (items x predictions).
///
/// # Errors
/// As [`two_way`].
pub fn two_versus_two(distance: ArrayView2<'_, f64>) -> Result<f64> {
    let count = checked_square("2V2", distance)?;
    let mut wins = 0.0;
    for i in 0..count {
        for j in i + 1..count {
            let right = distance[[i, i]] + distance[[j, j]];
            let wrong = distance[[i, j]] + distance[[j, i]];
            wins += win(wrong - right);
        }
    }
    Ok(wins / (count * (count - 1) / 2) as f64)
}

/// n-way top-k accuracy: one expected hit rate an item, from `probabilities` (items x classes) and each
/// item's true class.
///
/// Of the other classes, `G` are more probable than the true one and `T` as probable. Drawing `n − 1` of them
/// brings `g` and `t` with a hypergeometric law; a hit has probability `min(1, max(0, (k − g)/(t + 1)))`.
///
/// # Errors
/// [`Error::Shape`] where a class is missing, [`Error::Setting`] unless `1 <= k <= n <= classes` and
/// every class exists, [`Error::NotFinite`] for NaN and infinities.
pub fn n_way_top_k(
    probabilities: ArrayView2<'_, f64>,
    classes: &[usize],
    n: usize,
    k: usize,
) -> Result<Vec<f64>> {
    let operation = "n-way accuracy";
    let known = probabilities.ncols();
    if classes.len() != probabilities.nrows() {
        return Err(Error::Shape {
            operation,
            what: "the true classes".to_string(),
            axis: "items",
            found: classes.len(),
            expected: probabilities.nrows().to_string(),
        });
    }
    if n < 2 || n > known {
        let allowed = format!("2 to {known} (the number of classes)");
        return Err(Error::setting("n", n, allowed));
    }
    if k == 0 || k > n {
        return Err(Error::setting("k", k, format!("1 to n = {n}")));
    }
    if let Some(class) = classes.iter().find(|class| **class >= known) {
        let allowed = format!("below {known} (the number of classes)");
        return Err(Error::setting("class", class, allowed));
    }
    crate::data::require_finite("the probabilities", probabilities.iter(), |index| {
        format!("item {}, class {}", index / known, index % known)
    })?;
    let rates = probabilities.rows().into_iter().zip(classes);
    Ok(rates
        .map(|(row, &class)| {
            let own = row[class];
            let greater = row.iter().filter(|value| **value > own).count();
            let level = row.iter().filter(|value| **value == own).count() - 1;
            expected_hit(known - 1, greater, level, n - 1, k)
        })
        .collect())
}

fn expected_hit(others: usize, greater: usize, level: usize, drawn: usize, k: usize) -> f64 {
    let less = others - greater - level;
    let all = log_choose(others, drawn);
    let mut hit = 0.0;
    for g in 0..=greater.min(drawn).min(k - 1) {
        for t in 0..=level.min(drawn - g) {
            let rest = drawn - g - t;
            if rest > less {
                continue;
            }
            let chance =
                log_choose(greater, g) + log_choose(level, t) + log_choose(less, rest) - all;
            hit += chance.exp() * ((k - g) as f64 / (t + 1) as f64).min(1.0);
        }
    }
    hit.min(1.0)
}

fn log_choose(n: usize, k: usize) -> f64 {
    statrs::function::factorial::ln_binomial(n as u64, k as u64)
}

fn win(margin: f64) -> f64 {
    if margin > 0.0 {
        1.0
    } else if margin == 0.0 {
        0.5
    } else {
        0.0
    }
}

fn checked_square(operation: &'static str, matrix: ArrayView2<'_, f64>) -> Result<usize> {
    let (rows, columns) = matrix.dim();
    if rows != columns {
        return Err(Error::Shape {
            operation,
            what: "the matrix".to_string(),
            axis: "columns",
            found: columns,
            expected: format!("{rows} (one a row)"),
        });
    }
    if rows < 2 {
        return Err(Error::TooFew {
            operation,
            what: "items",
            found: rows,
            needed: 2,
        });
    }
    crate::data::require_finite("the matrix", matrix.iter(), |index| {
        format!("row {}, column {}", index / columns, index % columns)
    })?;
    Ok(rows)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::interval::mean;
    use ndarray::{Array2, array};

    #[test]
    fn the_two_directions_differ() {
        // Reconstruction 0 is similar to everything.
        let similarity = array![[0.9, 0.1, 0.2], [0.8, 0.5, 0.1], [0.7, 0.6, 0.6]];
        let columns = two_way(similarity.view(), Against::OtherOriginals).unwrap();
        assert_eq!(columns, [1.0, 0.5, 1.0]);
        let rows = two_way(similarity.view(), Against::OtherReconstructions).unwrap();
        assert_eq!(rows, [1.0, 0.5, 0.25]);
    }

    #[test]
    fn a_predictor_that_says_nothing_is_at_chance() {
        let flat = Array2::<f64>::ones((6, 6));
        for against in [Against::OtherOriginals, Against::OtherReconstructions] {
            assert_eq!(two_way(flat.view(), against).unwrap(), [0.5; 6]);
        }
        assert_eq!(two_versus_two(flat.view()).unwrap(), 0.5);
        let rates = n_way_top_k(Array2::ones((3, 40)).view(), &[0, 7, 39], 10, 2).unwrap();
        assert!(
            rates.iter().all(|rate| (rate - 0.2).abs() < 1e-12),
            "{rates:?}"
        );
    }

    #[test]
    fn pairs_by_hand() {
        let distance = array![[0.0, 1.0, 0.2], [1.0, 0.1, 0.5], [0.1, 0.5, 0.9]];
        // Pairs (0,1): 0.1 < 2; (0,2): 0.9 > 0.3; (1,2): 1.0 = 1.0.
        assert!((two_versus_two(distance.view()).unwrap() - 0.5).abs() < 1e-15);
    }

    #[test]
    fn exact_rates_are_what_draws_give() {
        let number = |index: u64| (crate::Seed::new(2).indexed(index).to_u64() >> 40) as f64;
        let classes = 30;
        // Some ties among the probabilities.
        let row: Vec<f64> = (0..classes)
            .map(|class| (number(class) / 4e6).floor())
            .collect();
        let probabilities = Array2::from_shape_vec((1, classes as usize), row.clone()).unwrap();
        let (truth, n, k) = (11_usize, 8, 3);
        let exact = n_way_top_k(probabilities.view(), &[truth], n, k).unwrap()[0];
        let others: Vec<usize> = (0..classes as usize).filter(|c| *c != truth).collect();
        let mut hits = Vec::new();
        for draw in 0..20_000_u64 {
            let seed = crate::Seed::new(9).indexed(draw);
            // Random order of the other classes, by random keys.
            let mut keyed: Vec<(u64, usize)> = others
                .iter()
                .map(|&class| (seed.indexed(class as u64).to_u64(), class))
                .collect();
            keyed.sort_unstable();
            let drawn = &keyed[..n - 1];
            let greater = drawn.iter().filter(|(_, c)| row[*c] > row[truth]).count();
            let level = drawn.iter().filter(|(_, c)| row[*c] == row[truth]).count();
            let place = greater + (seed.named("tie").to_u64() % (level as u64 + 1)) as usize;
            hits.push(if place < k { 1.0 } else { 0.0 });
        }
        assert!(exact > 0.05 && exact < 0.95, "{exact}");
        assert!((mean(&hits) - exact).abs() < 0.015, "{exact}");
    }

    #[test]
    fn what_cannot_be_identified_is_refused() {
        assert!(two_way(Array2::ones((2, 3)).view(), Against::OtherOriginals).is_err());
        assert!(two_versus_two(Array2::ones((1, 1)).view()).is_err());
        assert!(two_versus_two(array![[0.0, f64::NAN], [0.0, 0.0]].view()).is_err());
        let probabilities = Array2::<f64>::ones((2, 5));
        assert!(n_way_top_k(probabilities.view(), &[0], 2, 1).is_err());
        assert!(n_way_top_k(probabilities.view(), &[0, 5], 2, 1).is_err());
        assert!(n_way_top_k(probabilities.view(), &[0, 1], 6, 1).is_err());
        assert!(n_way_top_k(probabilities.view(), &[0, 1], 3, 4).is_err());
    }
}
