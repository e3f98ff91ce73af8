//! Retrieval: how near the top of a list of candidates the true one comes.
//!
//! For a query with similarities `s_c` to `N` distinct candidates, of which `t` is the true one,
//! `rank = (#{c : s_c > s_t} + #{c : s_c ≥ s_t} − 1) / 2`, counted from 0, ties at their average place.
//! The top-k accuracy is the share of queries with `rank < k`, chance `k/N`; the relative median rank is
//! `median(rank)/(N − 1)`, chance 0.5. (With the average place of ties a constant similarity scores 0
//! at top-1 and 0.5 in relative rank: nobody is rewarded for not deciding.)
//!
//! Candidates with equal labels are one item: the first of them stands for all, as in the vocabulary of
//! brainmagick, since copies of an item among the candidates would lower `N` behind its back.

use std::collections::HashMap;

use ndarray::{Array2, ArrayView2};
use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};

/// The ranks of the true candidates.
#[derive(Clone, Debug, PartialEq)]
pub struct Retrieval {
    /// One rank a query, from 0; halves where similarities tie.
    pub ranks: Vec<f64>,
    /// The number `N` of distinct candidates.
    pub candidates: usize,
    /// How many candidates were copies of an earlier one, and left out.
    pub duplicates: usize,
}

/// The share of queries whose true candidate is among the first `k`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct TopAccuracy {
    /// How many candidates may come before a miss.
    pub k: usize,
    /// The share of hits.
    pub accuracy: f64,
    /// Its 95% interval (Wilson's, over queries as if they were independent).
    pub ci95: [f64; 2],
    /// What guessing gives, `k/N`.
    pub chance: f64,
    /// The number of distinct candidates.
    pub candidates: usize,
    /// The number of queries.
    pub queries: usize,
}

impl Retrieval {
    /// Ranks from `similarity` (queries x candidates); query `i` looks for candidate `i`.
    ///
    /// # Errors
    /// As [`Retrieval::labelled`].
    pub fn aligned(similarity: ArrayView2<'_, f64>) -> Result<Self> {
        let labels: Vec<usize> = (0..similarity.nrows().max(similarity.ncols())).collect();
        Self::labelled(
            similarity,
            &labels[..similarity.nrows()],
            &labels[..similarity.ncols()],
        )
    }

    /// Ranks from `similarity` (queries x candidates); a query looks for the candidate of its label.
    ///
    /// # Errors
    /// [`Error::Shape`] where labels are missing, [`Error::TooFew`] without queries or with fewer than two distinct
    /// candidates, [`Error::NotFinite`] for NaN and infinities, [`Error::Unusable`] for a query whose
    /// label no candidate has.
    pub fn labelled<L: Eq + std::hash::Hash + std::fmt::Debug>(
        similarity: ArrayView2<'_, f64>,
        query_labels: &[L],
        candidate_labels: &[L],
    ) -> Result<Self> {
        let operation = "retrieval";
        for (axis, found, expected) in [
            ("query labels", query_labels.len(), similarity.nrows()),
            (
                "candidate labels",
                candidate_labels.len(),
                similarity.ncols(),
            ),
        ] {
            if found != expected {
                return Err(Error::Shape {
                    operation,
                    what: "the labels".to_string(),
                    axis,
                    found,
                    expected: expected.to_string(),
                });
            }
        }
        let columns = similarity.ncols().max(1);
        crate::data::require_finite("the similarities", similarity.iter(), |index| {
            format!("query {}, candidate {}", index / columns, index % columns)
        })?;
        let mut first: HashMap<&L, usize> = HashMap::new();
        let mut distinct = Vec::new();
        for (candidate, label) in candidate_labels.iter().enumerate() {
            first.entry(label).or_insert_with(|| {
                distinct.push(candidate);
                candidate
            });
        }
        for (what, found, needed) in [
            ("queries", query_labels.len(), 1),
            ("distinct candidates", distinct.len(), 2),
        ] {
            if found < needed {
                return Err(Error::TooFew {
                    operation,
                    what,
                    found,
                    needed,
                });
            }
        }
        let mut ranks = Vec::with_capacity(query_labels.len());
        for (query, label) in query_labels.iter().enumerate() {
            let Some(&target) = first.get(label) else {
                return Err(Error::Unusable {
                    operation,
                    reason: format!("query {query} looks for {label:?}, which is no candidate"),
                });
            };
            let own = similarity[[query, target]];
            let (mut above, mut level) = (0_usize, 0_usize);
            for &candidate in &distinct {
                let other = similarity[[query, candidate]];
                above += usize::from(other > own);
                level += usize::from(other == own);
            }
            // `level` counts the true candidate itself.
            ranks.push(above as f64 + (level as f64 - 1.0) / 2.0);
        }
        Ok(Retrieval {
            ranks,
            candidates: distinct.len(),
            duplicates: candidate_labels.len() - distinct.len(),
        })
    }

    /// The top-`k` accuracy with its interval and its chance.
    ///
    /// # Errors
    /// [`Error::Setting`] unless `1 <= k <= N`.
    pub fn top(&self, k: usize) -> Result<TopAccuracy> {
        if k == 0 || k > self.candidates {
            let allowed = format!("1 to {} (the number of candidates)", self.candidates);
            return Err(Error::setting("k", k, allowed));
        }
        let hits = self.ranks.iter().filter(|rank| **rank < k as f64).count();
        Ok(TopAccuracy {
            k,
            accuracy: hits as f64 / self.ranks.len() as f64,
            ci95: wilson_interval_95(hits, self.ranks.len()),
            chance: k as f64 / self.candidates as f64,
            candidates: self.candidates,
            queries: self.ranks.len(),
        })
    }

    /// The median rank, from 0.
    pub fn median_rank(&self) -> f64 {
        super::score::median(&self.ranks)
    }

    /// The median rank over `N − 1`: 0 is perfect, 0.5 chance.
    pub fn relative_median_rank(&self) -> f64 {
        self.median_rank() / (self.candidates as f64 - 1.0)
    }

    /// The mean of `1/(rank + 1)`.
    pub fn mean_reciprocal_rank(&self) -> f64 {
        let reciprocal: Vec<f64> = self.ranks.iter().map(|rank| 1.0 / (rank + 1.0)).collect();
        super::interval::mean(&reciprocal)
    }
}

/// Wilson's 95% interval of a proportion of `hits` among `trials` independent trials.
pub fn wilson_interval_95(hits: usize, trials: usize) -> [f64; 2] {
    const Z: f64 = 1.959_963_984_540_054;
    let n = trials as f64;
    let p = hits as f64 / n;
    let scale = 1.0 + Z * Z / n;
    let centre = (p + Z * Z / (2.0 * n)) / scale;
    let half = Z / scale * (p * (1.0 - p) / n + Z * Z / (4.0 * n * n)).sqrt();
    [(centre - half).max(0.0), (centre + half).min(1.0)]
}

/// What is brought to length one before the products are taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Normalise {
    /// Queries and candidates: cosines.
    Both,
    /// Only the candidates (brainmagick): ranks as with cosines, the query's length kept as a scale.
    Candidates,
    /// Nothing: plain products, in which long candidates win.
    Neither,
}

/// Similarities of `queries` (queries x features) to `candidates` (candidates x features). A vector
/// of zeros is similar to nothing: 0.
///
/// # Errors
/// [`Error::Shape`] where the numbers of features differ, [`Error::NotFinite`] for NaN and infinities.
pub fn similarity(
    queries: ArrayView2<'_, f64>,
    candidates: ArrayView2<'_, f64>,
    normalise: Normalise,
) -> Result<Array2<f64>> {
    if queries.ncols() != candidates.ncols() {
        return Err(Error::Shape {
            operation: "similarity",
            what: "the candidates".to_string(),
            axis: "features",
            found: candidates.ncols(),
            expected: queries.ncols().to_string(),
        });
    }
    for (what, values) in [("the queries", &queries), ("the candidates", &candidates)] {
        let columns = values.ncols().max(1);
        crate::data::require_finite(what, values.iter(), |index| {
            format!("row {}, feature {}", index / columns, index % columns)
        })?;
    }
    let unit = |matrix: ArrayView2<'_, f64>| {
        let mut matrix = matrix.to_owned();
        for mut row in matrix.rows_mut() {
            let length = row.iter().map(|value| value * value).sum::<f64>().sqrt();
            if length > 0.0 {
                row /= length;
            }
        }
        matrix
    };
    Ok(match normalise {
        Normalise::Both => unit(queries).dot(&unit(candidates).t()),
        Normalise::Candidates => queries.dot(&unit(candidates).t()),
        Normalise::Neither => queries.dot(&candidates.t()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::array;

    #[test]
    fn ranks_count_ties_in_halves() {
        let similarity = array![
            [0.9, 0.1, 0.2, 0.3],
            [0.5, 0.5, 0.1, 0.7],
            [1.0, 1.0, 1.0, 1.0],
        ];
        let found = Retrieval::labelled(similarity.view(), &[0, 1, 2], &[0, 1, 2, 3]).unwrap();
        assert_eq!(found.ranks, [0.0, 1.5, 1.5]);
        let top = found.top(2).unwrap();
        assert_eq!((top.accuracy, top.chance), (1.0, 0.5));
        assert!((found.top(1).unwrap().accuracy - 1.0 / 3.0).abs() < 1e-15);
        assert_eq!(found.median_rank(), 1.5);
        // A similarity that says nothing stands in the middle.
        assert_eq!(
            Retrieval::aligned(Array2::ones((7, 7)).view())
                .unwrap()
                .relative_median_rank(),
            0.5
        );
    }

    #[test]
    fn copies_of_an_item_are_one_candidate() {
        let similarity = array![[0.2, 0.3, 0.9, 0.1], [0.1, 0.8, 0.0, 0.9]];
        let found =
            Retrieval::labelled(similarity.view(), &["a", "b"], &["a", "b", "a", "c"]).unwrap();
        assert_eq!((found.candidates, found.duplicates), (3, 1));
        // The second "a" neither helps nor counts.
        assert_eq!(found.ranks, [1.0, 1.0]);
    }

    #[test]
    fn guessing_is_at_chance_and_knowing_is_not() {
        let number =
            |index: usize| (crate::Seed::new(1).indexed(index as u64).to_u64() >> 32) as f64;
        let guess = Array2::from_shape_fn((400, 50), |(i, j)| number(i * 50 + j));
        let labels: Vec<usize> = (0..400).map(|query| query % 50).collect();
        let candidates: Vec<usize> = (0..50).collect();
        let found = Retrieval::labelled(guess.view(), &labels, &candidates).unwrap();
        let top = found.top(5).unwrap();
        assert!(
            top.ci95[0] < top.chance && top.chance < top.ci95[1],
            "{top:?}"
        );
        assert!((found.relative_median_rank() - 0.5).abs() < 0.06);
        let knowing = Array2::from_shape_fn((400, 50), |(i, j)| {
            number(i * 50 + j) + if j == labels[i] { 1e12 } else { 0.0 }
        });
        let found = Retrieval::labelled(knowing.view(), &labels, &candidates).unwrap();
        assert_eq!(found.top(1).unwrap().accuracy, 1.0);
        assert_eq!(found.mean_reciprocal_rank(), 1.0);
    }

    #[test]
    fn interval_is_wilsons() {
        // statsmodels.stats.proportion.proportion_confint(8, 10, method="wilson")
        let [low, high] = wilson_interval_95(8, 10);
        assert!((low - 0.490_162_47).abs() < 1e-7 && (high - 0.943_317_82).abs() < 1e-7);
        assert_eq!(wilson_interval_95(0, 5)[0], 0.0);
    }

    #[test]
    fn normalising_candidates_alone_keeps_the_ranks_of_cosines() {
        let queries = array![[3.0, 1.0], [0.2, -0.5]];
        let candidates = array![[10.0, 0.0], [1.0, 1.0], [0.0, -2.0]];
        let cosine = similarity(queries.view(), candidates.view(), Normalise::Both).unwrap();
        let half = similarity(queries.view(), candidates.view(), Normalise::Candidates).unwrap();
        assert!((cosine[[0, 1]] - 4.0 / 20f64.sqrt()).abs() < 1e-15);
        for (query, labels) in [(0, [0]), (1, [2])] {
            let row = |matrix: &Array2<f64>| {
                let row = matrix.slice(ndarray::s![query..query + 1, ..]);
                Retrieval::labelled(row, &labels, &[0, 1, 2]).unwrap().ranks
            };
            assert_eq!(row(&cosine), row(&half));
        }
        let plain = similarity(queries.view(), candidates.view(), Normalise::Neither).unwrap();
        assert_eq!(plain[[0, 0]], 30.0);
    }

    #[test]
    fn what_cannot_be_ranked_is_refused() {
        let good = array![[0.0, 1.0], [1.0, 0.0]];
        assert!(Retrieval::labelled(good.view(), &["a"], &["a", "b"]).is_err());
        assert!(Retrieval::labelled(good.view(), &["a", "x"], &["a", "b"]).is_err());
        assert!(Retrieval::labelled(good.view(), &["a", "a"], &["a", "a"]).is_err());
        assert!(Retrieval::aligned(array![[0.0, f64::NAN]].view()).is_err());
        assert!(Retrieval::aligned(good.view()).unwrap().top(3).is_err());
    }
}
