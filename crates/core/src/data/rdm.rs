//! Representational dissimilarity matrices.

use ndarray::{Array2, ArrayView2};

use super::require_finite;
use crate::error::{Error, Result};

/// A representational dissimilarity matrix over `conditions` conditions, kept condensed: the upper
/// triangle row by row, `conditions * (conditions - 1) / 2` entries, as SciPy and rsatoolbox keep it.
///
/// Entries are finite. They may be negative (crossnobis is).
#[derive(Clone, Debug, PartialEq)]
pub struct Rdm {
    /// What the matrix describes, e.g. a file or a layer.
    pub name: String,
    conditions: usize,
    values: Vec<f64>,
}

impl Rdm {
    /// From a condensed vector. Fails where no number of conditions fits its length, and on NaN.
    pub fn from_condensed(name: impl Into<String>, values: Vec<f64>) -> Result<Self> {
        let name = name.into();
        let conditions = conditions_of_condensed(values.len()).ok_or_else(|| Error::Shape {
            operation: "condensed RDM",
            what: name.clone(),
            axis: "entries",
            found: values.len(),
            expected: "n(n-1)/2 for some n >= 2, e.g. 1, 3, 6, 10, 15".to_string(),
        })?;
        require_finite(&name, &values, |index| {
            let (i, j) = pair_of_index(index, conditions);
            format!("conditions {i} and {j}")
        })?;
        Ok(Rdm {
            name,
            conditions,
            values,
        })
    }

    /// From a square matrix, which must be symmetric (to 1e-9 of its largest entry) with a zero diagonal.
    pub fn from_square(name: impl Into<String>, square: ArrayView2<'_, f64>) -> Result<Self> {
        let name = name.into();
        let (rows, columns) = square.dim();
        if rows != columns {
            return Err(Error::Shape {
                operation: "square RDM",
                what: name,
                axis: "columns",
                found: columns,
                expected: rows.to_string(),
            });
        }
        if rows < 2 {
            return Err(Error::TooFew {
                operation: "square RDM",
                what: "conditions",
                found: rows,
                needed: 2,
            });
        }
        require_finite(&name, square.iter(), |index| {
            format!("row {}, column {}", index / columns, index % columns)
        })?;
        let largest = square
            .iter()
            .fold(0.0_f64, |largest, value| largest.max(value.abs()));
        let mut values = Vec::with_capacity(condensed_len(rows));
        for i in 0..rows {
            if square[[i, i]].abs() > 1e-9 * largest {
                return Err(Error::Unusable {
                    operation: "square RDM",
                    reason: format!("{name}: diagonal entry {i} is {}, not 0", square[[i, i]]),
                });
            }
            for j in i + 1..rows {
                if (square[[i, j]] - square[[j, i]]).abs() > 1e-9 * largest {
                    return Err(Error::Unusable {
                        operation: "square RDM",
                        reason: format!("{name}: not symmetric at row {i}, column {j}"),
                    });
                }
                values.push(square[[i, j]]);
            }
        }
        Ok(Rdm {
            name,
            conditions: rows,
            values,
        })
    }

    /// The number of conditions.
    pub fn conditions(&self) -> usize {
        self.conditions
    }

    /// The condensed entries.
    pub fn values(&self) -> &[f64] {
        &self.values
    }

    /// The same conditions with other entries, e.g. after a transform.
    pub fn with_values(&self, values: Vec<f64>) -> Result<Self> {
        if values.len() != self.values.len() {
            return Err(Error::Shape {
                operation: "condensed RDM",
                what: self.name.clone(),
                axis: "entries",
                found: values.len(),
                expected: self.values.len().to_string(),
            });
        }
        Self::from_condensed(self.name.clone(), values)
    }

    /// The dissimilarity of conditions `i` and `j`; 0 on the diagonal.
    pub fn get(&self, i: usize, j: usize) -> f64 {
        if i == j {
            0.0
        } else {
            self.values[condensed_index(i, j, self.conditions)]
        }
    }

    /// The full symmetric matrix.
    pub fn to_square(&self) -> Array2<f64> {
        Array2::from_shape_fn((self.conditions, self.conditions), |(i, j)| self.get(i, j))
    }
}

/// The number of condensed entries for `conditions` conditions.
pub fn condensed_len(conditions: usize) -> usize {
    conditions * conditions.saturating_sub(1) / 2
}

/// Where the pair `(i, j)`, `i != j`, stands in a condensed vector.
pub fn condensed_index(i: usize, j: usize, conditions: usize) -> usize {
    let (i, j) = if i < j { (i, j) } else { (j, i) };
    conditions * i - i * (i + 1) / 2 + j - i - 1
}

/// The number of conditions whose condensed vector has `length` entries, if there is one.
pub fn conditions_of_condensed(length: usize) -> Option<usize> {
    if length == 0 {
        return None;
    }
    let guess = ((1.0 + (1.0 + 8.0 * length as f64).sqrt()) / 2.0).round() as usize;
    (guess.saturating_sub(1)..=guess + 1).find(|&n| condensed_len(n) == length)
}

fn pair_of_index(index: usize, conditions: usize) -> (usize, usize) {
    let mut row = 0;
    let mut before = 0;
    while before + conditions - row - 1 <= index {
        before += conditions - row - 1;
        row += 1;
    }
    (row, row + 1 + index - before)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn condensed_positions_agree_with_row_major_order() {
        let mut expected = 0;
        for i in 0..7 {
            for j in i + 1..7 {
                assert_eq!(condensed_index(i, j, 7), expected);
                assert_eq!(condensed_index(j, i, 7), expected);
                assert_eq!(pair_of_index(expected, 7), (i, j));
                expected += 1;
            }
        }
        assert_eq!(expected, condensed_len(7));
        assert_eq!(conditions_of_condensed(expected), Some(7));
        assert_eq!(conditions_of_condensed(expected + 1), None);
    }

    #[test]
    fn square_and_condensed_round_trip() {
        let rdm = Rdm::from_condensed("a", vec![1.0, 2.0, 3.0]).unwrap();
        assert_eq!(Rdm::from_square("a", rdm.to_square().view()).unwrap(), rdm);
    }

    #[test]
    fn bad_matrices_are_named() {
        let mut square = Rdm::from_condensed("a", vec![1.0, 2.0, 3.0])
            .unwrap()
            .to_square();
        square[[2, 0]] = 7.0;
        let error = Rdm::from_square("file.npy", square.view())
            .unwrap_err()
            .to_string();
        assert_eq!(
            error,
            "square RDM: file.npy: not symmetric at row 0, column 2"
        );
        let error = Rdm::from_condensed("file.npy", vec![1.0, f64::NAN, 3.0]).unwrap_err();
        assert!(error.to_string().contains("conditions 0 and 2"), "{error}");
    }
}
