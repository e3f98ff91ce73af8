//! Agreement of two partitions of the same items: normalised and adjusted mutual information, the
//! adjusted Rand index, matched labels.

use std::collections::BTreeMap;

use ndarray::Array2;

use super::assignment::best_assignment;
use crate::error::{Error, Result};

/// How often each label of one partition meets each label of another.
#[derive(Clone, Debug)]
pub struct Contingency {
    /// Labels of the first partition (sorted) x labels of the second (sorted): number of items.
    pub counts: Array2<usize>,
    /// The labels of the rows.
    pub first_labels: Vec<usize>,
    /// The labels of the columns.
    pub second_labels: Vec<usize>,
    items: usize,
}

impl Contingency {
    /// Counts how the labels of `first` and `second` meet.
    ///
    /// # Errors
    /// [`Error::Shape`] where the lengths differ, [`Error::TooFew`] without items.
    pub fn new(first: &[usize], second: &[usize]) -> Result<Self> {
        if first.len() != second.len() {
            return Err(Error::Shape {
                operation: "comparing partitions",
                what: "the second partition".to_string(),
                axis: "items",
                found: second.len(),
                expected: first.len().to_string(),
            });
        }
        if first.is_empty() {
            return Err(Error::TooFew {
                operation: "comparing partitions",
                what: "items",
                found: 0,
                needed: 1,
            });
        }
        let index = |labels: &[usize]| -> BTreeMap<usize, usize> {
            let mut known: BTreeMap<usize, usize> =
                labels.iter().map(|&label| (label, 0)).collect();
            known
                .values_mut()
                .enumerate()
                .for_each(|(position, place)| *place = position);
            known
        };
        let (rows, columns) = (index(first), index(second));
        let mut counts = Array2::zeros((rows.len(), columns.len()));
        for (a, b) in first.iter().zip(second) {
            counts[[rows[a], columns[b]]] += 1;
        }
        Ok(Contingency {
            counts,
            first_labels: rows.into_keys().collect(),
            second_labels: columns.into_keys().collect(),
            items: first.len(),
        })
    }

    fn row_sums(&self) -> Vec<usize> {
        self.counts
            .rows()
            .into_iter()
            .map(|row| row.sum())
            .collect()
    }

    fn column_sums(&self) -> Vec<usize> {
        self.counts
            .columns()
            .into_iter()
            .map(|column| column.sum())
            .collect()
    }

    /// The mutual information in nats.
    fn mutual_information(&self) -> f64 {
        let (rows, columns) = (self.row_sums(), self.column_sums());
        let total = self.items as f64;
        let mut sum = 0.0;
        for ((row, column), &count) in self.counts.indexed_iter() {
            if count > 0 {
                let joint = count as f64;
                let expected = rows[row] as f64 * columns[column] as f64;
                sum += joint / total * (joint * total / expected).ln();
            }
        }
        sum.max(0.0)
    }

    /// Whether both partitions put everything together, or both keep everything apart.
    fn both_trivial(&self) -> bool {
        let (rows, columns) = self.counts.dim();
        rows == columns && (rows == 1 || rows == self.items)
    }
}

fn entropy(sizes: &[usize], total: usize) -> f64 {
    let total = total as f64;
    sizes
        .iter()
        .map(|&size| -(size as f64 / total) * (size as f64 / total).ln())
        .sum()
}

/// Normalised mutual information with the arithmetic mean of the entropies, in [0, 1]; 1 where both
/// partitions are the same trivial one.
///
/// It is not corrected for chance: fine partitions score high. See
/// [`adjusted_mutual_information`].
///
/// # Errors
/// As [`Contingency::new`].
pub fn normalised_mutual_information(first: &[usize], second: &[usize]) -> Result<f64> {
    let table = Contingency::new(first, second)?;
    if table.both_trivial() {
        return Ok(1.0);
    }
    let mean = (entropy(&table.row_sums(), table.items)
        + entropy(&table.column_sums(), table.items))
        / 2.0;
    Ok(if mean > 0.0 {
        (table.mutual_information() / mean).clamp(0.0, 1.0)
    } else {
        0.0
    })
}

/// Mutual information adjusted for chance (Vinh, Epps and Bailey 2010) with the arithmetic mean of
/// the entropies: 1 for equal partitions, 0 on average for unrelated ones of the same sizes.
///
/// # Errors
/// As [`Contingency::new`].
pub fn adjusted_mutual_information(first: &[usize], second: &[usize]) -> Result<f64> {
    let table = Contingency::new(first, second)?;
    if table.both_trivial() {
        return Ok(1.0);
    }
    let (rows, columns) = (table.row_sums(), table.column_sums());
    let expected = expected_mutual_information(&rows, &columns, table.items);
    let mean = (entropy(&rows, table.items) + entropy(&columns, table.items)) / 2.0;
    let above = table.mutual_information() - expected;
    let range = mean - expected;
    // Where the range vanishes there is nothing to share beyond chance.
    Ok(if range.abs() < 1e-14 {
        0.0
    } else {
        above / range
    })
}

/// The mean mutual information over all pairs of partitions with these sizes (the hypergeometric
/// model of Vinh, Epps and Bailey 2010, equation 24a).
fn expected_mutual_information(rows: &[usize], columns: &[usize], items: usize) -> f64 {
    let mut log_factorial = vec![0.0; items + 1];
    for n in 1..=items {
        log_factorial[n] = log_factorial[n - 1] + (n as f64).ln();
    }
    let total = items as f64;
    let mut sum = 0.0;
    for &a in rows {
        for &b in columns {
            let fixed = log_factorial[a]
                + log_factorial[b]
                + log_factorial[items - a]
                + log_factorial[items - b]
                - log_factorial[items];
            for joint in (a + b).saturating_sub(items).max(1)..=a.min(b) {
                let n = joint as f64;
                let log_probability = fixed
                    - log_factorial[joint]
                    - log_factorial[a - joint]
                    - log_factorial[b - joint]
                    - log_factorial[items + joint - a - b];
                sum += n / total * (n * total / (a as f64 * b as f64)).ln() * log_probability.exp();
            }
        }
    }
    sum
}

/// The Rand index adjusted for chance (Hubert and Arabie 1985): 1 for equal partitions, 0 on average
/// for unrelated ones.
///
/// # Errors
/// As [`Contingency::new`].
pub fn adjusted_rand_index(first: &[usize], second: &[usize]) -> Result<f64> {
    let table = Contingency::new(first, second)?;
    let pairs = |n: usize| n as f64 * (n as f64 - 1.0) / 2.0;
    let together: f64 = table.counts.iter().map(|&n| pairs(n)).sum();
    let in_first: f64 = table.row_sums().into_iter().map(pairs).sum();
    let in_second: f64 = table.column_sums().into_iter().map(pairs).sum();
    let expected = if table.items > 1 {
        in_first * in_second / pairs(table.items)
    } else {
        0.0
    };
    let range = (in_first + in_second) / 2.0 - expected;
    Ok(if range == 0.0 {
        1.0
    } else {
        (together - expected) / range
    })
}

/// For each label of `found` (sorted), the label of `truth` it stands for when the labels are matched
/// one to one for the largest number of agreeing items; `None` for labels left over.
///
/// # Errors
/// As [`Contingency::new`].
pub fn match_labels(found: &[usize], truth: &[usize]) -> Result<Vec<(usize, Option<usize>)>> {
    let table = Contingency::new(found, truth)?;
    let chosen = best_assignment(table.counts.mapv(|count| count as f64).view())?;
    Ok(table
        .first_labels
        .iter()
        .zip(chosen)
        .map(|(&label, column)| (label, column.map(|column| table.second_labels[column])))
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(serde::Deserialize)]
    struct Case {
        first: Vec<usize>,
        second: Vec<usize>,
        nmi: f64,
        ami: f64,
        ari: f64,
    }

    /// scikit-learn on the same labels: `tests/fixtures/make_partition_scores.py`.
    #[test]
    fn agrees_with_scikit_learn() {
        let text = include_str!("../../tests/fixtures/partition_scores.json");
        let cases: Vec<Case> = serde_json::from_str(text).unwrap();
        for Case {
            first,
            second,
            nmi,
            ami,
            ari,
        } in cases
        {
            let close = |name: &str, ours: Result<f64>, theirs: f64| {
                let ours = ours.unwrap();
                assert!(
                    (ours - theirs).abs() < 1e-10,
                    "{name} of {first:?}: {ours} {theirs}"
                );
            };
            close("nmi", normalised_mutual_information(&first, &second), nmi);
            close("ami", adjusted_mutual_information(&first, &second), ami);
            close("ari", adjusted_rand_index(&first, &second), ari);
        }
    }

    #[test]
    fn labels_are_matched_one_to_one() {
        let matched = match_labels(&[7, 7, 7, 2, 2, 9], &[0, 0, 1, 1, 1, 1]).unwrap();
        assert_eq!(matched, vec![(2, Some(1)), (7, Some(0)), (9, None)]);
    }

    #[test]
    fn refuses_what_does_not_fit() {
        assert!(matches!(
            adjusted_rand_index(&[0, 1], &[0]),
            Err(Error::Shape { .. })
        ));
        assert!(matches!(
            adjusted_mutual_information(&[], &[]),
            Err(Error::TooFew { .. })
        ));
    }
}
