//! The assignment problem: each row to a column of its own, with the largest summed score.

use ndarray::ArrayView2;

use crate::error::{Error, Result};

/// The assignment of rows to distinct columns with the largest sum of `score` (rows x columns).
///
/// With more rows than columns some rows stay without one (`None`). Shortest augmenting paths with
/// potentials (Kuhn 1955; Jonker and Volgenant 1987), O(rows² · columns).
///
/// # Errors
/// [`Error::NotFinite`] where a score is NaN or infinite.
pub fn best_assignment(score: ArrayView2<'_, f64>) -> Result<Vec<Option<usize>>> {
    if let Some(((row, column), _)) = score.indexed_iter().find(|(_, value)| !value.is_finite()) {
        return Err(Error::NotFinite {
            what: "assignment scores".to_string(),
            count: score.iter().filter(|value| !value.is_finite()).count(),
            first: format!("row {row}, column {column}"),
        });
    }
    let (rows, columns) = score.dim();
    if rows > columns {
        let mut chosen = vec![None; rows];
        for (column, row) in best_assignment(score.t())?.into_iter().enumerate() {
            if let Some(row) = row {
                chosen[row] = Some(column);
            }
        }
        return Ok(chosen);
    }
    // Columns are numbered from 1; column 0 holds the row that is looking for a place.
    let mut row_potential = vec![0.0; rows + 1];
    let mut column_potential = vec![0.0; columns + 1];
    let mut row_of = vec![0usize; columns + 1];
    let mut previous = vec![0usize; columns + 1];
    for row in 1..=rows {
        row_of[0] = row;
        let mut at = 0;
        let mut shortest = vec![f64::INFINITY; columns + 1];
        let mut visited = vec![false; columns + 1];
        while row_of[at] != 0 {
            visited[at] = true;
            let current = row_of[at];
            let (mut step, mut next) = (f64::INFINITY, 0);
            for column in 1..=columns {
                if visited[column] {
                    continue;
                }
                let cost = -score[[current - 1, column - 1]]
                    - row_potential[current]
                    - column_potential[column];
                if cost < shortest[column] {
                    shortest[column] = cost;
                    previous[column] = at;
                }
                if shortest[column] < step {
                    step = shortest[column];
                    next = column;
                }
            }
            for column in 0..=columns {
                if visited[column] {
                    row_potential[row_of[column]] += step;
                    column_potential[column] -= step;
                } else {
                    shortest[column] -= step;
                }
            }
            at = next;
        }
        while at != 0 {
            row_of[at] = row_of[previous[at]];
            at = previous[at];
        }
    }
    let mut chosen = vec![None; rows];
    for column in 1..=columns {
        if row_of[column] != 0 {
            chosen[row_of[column] - 1] = Some(column - 1);
        }
    }
    Ok(chosen)
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::{Array2, array};

    fn total(score: &Array2<f64>, chosen: &[Option<usize>]) -> f64 {
        chosen
            .iter()
            .enumerate()
            .filter_map(|(row, c)| c.map(|c| score[[row, c]]))
            .sum()
    }

    /// The best sum by trying every assignment of the rows in order.
    fn exhaustive(score: &Array2<f64>, row: usize, free: &mut Vec<bool>) -> f64 {
        if row == score.nrows() {
            return 0.0;
        }
        let mut best = f64::NEG_INFINITY;
        for column in 0..score.ncols() {
            if free[column] {
                free[column] = false;
                best = best.max(score[[row, column]] + exhaustive(score, row + 1, free));
                free[column] = true;
            }
        }
        best
    }

    #[test]
    fn greedy_choice_is_not_good_enough() {
        let score = array![[10.0, 9.0], [9.0, 0.0]];
        assert_eq!(
            best_assignment(score.view()).unwrap(),
            vec![Some(1), Some(0)]
        );
    }

    #[test]
    fn more_rows_than_columns_leave_the_worst_row_out() {
        let score = array![[1.0], [3.0], [2.0]];
        assert_eq!(
            best_assignment(score.view()).unwrap(),
            vec![None, Some(0), None]
        );
        assert!(best_assignment(array![[f64::NAN]].view()).is_err());
    }

    proptest::proptest! {
        #[test]
        fn agrees_with_trying_everything(
            rows in 1usize..5, extra in 0usize..3,
            values in proptest::collection::vec(-5.0f64..5.0, 28),
        ) {
            let score = Array2::from_shape_vec((rows, rows + extra), values[..rows * (rows + extra)].to_vec()).unwrap();
            let best = exhaustive(&score, 0, &mut vec![true; rows + extra]);
            let chosen = best_assignment(score.view()).unwrap();
            proptest::prop_assert!((total(&score, &chosen) - best).abs() < 1e-9);
            let turned = score.t().to_owned();
            let chosen = best_assignment(turned.view()).unwrap();
            proptest::prop_assert!((total(&turned, &chosen) - best).abs() < 1e-9);
        }
    }
}
