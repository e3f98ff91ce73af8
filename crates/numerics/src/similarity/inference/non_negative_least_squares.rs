//! Least squares with weights not below zero, by the active set method of Lawson and Hanson (1974) on the
//! normal equations, as Bro and de Jong (1997) arrange it.

use chiasm_core::{Error, Result};
use faer::linalg::solvers::Solve;
use faer::{Mat, Side};
use ndarray::ArrayView2;

/// The `w >= 0` that minimises `|A w - y|²`, from `gram = A'A` and `products = A'y`.
///
/// Columns that the weighted ones span already stay at zero. Weights are found up to a fixed point of the
/// active set; the number of exchanges is bounded, and a bound that is hit is an error.
pub(super) fn non_negative_least_squares(
    gram: ArrayView2<'_, f64>,
    products: &[f64],
) -> Result<Vec<f64>> {
    let count = products.len();
    let mut weights = vec![0.0; count];
    let mut active = vec![false; count];
    // A gradient this small, in units of a column and the data, is rounding.
    let reach = |column: usize| gram[[column, column]].max(0.0).sqrt();
    let size = (0..count)
        .map(|column| products[column].abs() / reach(column).max(f64::MIN_POSITIVE))
        .fold(0.0, f64::max);
    for _ in 0..10 * (count + 1) {
        let steepest = (0..count)
            .filter(|&column| !active[column] && reach(column) > 0.0)
            .map(|column| {
                let fitted: f64 = (0..count)
                    .map(|other| gram[[column, other]] * weights[other])
                    .sum();
                (column, (products[column] - fitted) / reach(column))
            })
            .max_by(|a, b| a.1.total_cmp(&b.1).then(b.0.cmp(&a.0)));
        let Some((column, _)) = steepest.filter(|(_, gradient)| *gradient > 1e-12 * size) else {
            return Ok(weights);
        };
        active[column] = true;
        let Some(mut solution) = solve(gram, products, &active) else {
            // The new column is a sum of those in use: it can add nothing.
            return Ok(weights);
        };
        for _ in 0..=count {
            let step = (0..count)
                .filter(|&column| active[column] && solution[column] <= 0.0)
                .map(|column| {
                    let fall = weights[column] - solution[column];
                    if fall > 0.0 {
                        weights[column] / fall
                    } else {
                        0.0
                    }
                })
                .fold(f64::INFINITY, f64::min);
            if step.is_infinite() {
                break;
            }
            for column in 0..count {
                if active[column] {
                    weights[column] += step * (solution[column] - weights[column]);
                    if weights[column] <= 1e-15 * size && solution[column] <= 0.0 {
                        weights[column] = 0.0;
                        active[column] = false;
                    }
                }
            }
            match solve(gram, products, &active) {
                Some(next) => solution = next,
                None => return Ok(weights),
            }
        }
        weights = solution;
    }
    Err(Error::NoConvergence {
        operation: "non-negative least squares",
        reason: format!("the active set of {count} columns goes in circles"),
    })
}

/// Plain least squares on the active columns, zero elsewhere; `None` where they are not independent.
fn solve(gram: ArrayView2<'_, f64>, products: &[f64], active: &[bool]) -> Option<Vec<f64>> {
    let columns: Vec<usize> = (0..active.len()).filter(|&column| active[column]).collect();
    let mut solution = vec![0.0; active.len()];
    if columns.is_empty() {
        return Some(solution);
    }
    let scale = |at: usize| gram[[columns[at], columns[at]]].sqrt();
    let scaled = Mat::from_fn(columns.len(), columns.len(), |i, j| {
        gram[[columns[i], columns[j]]] / (scale(i) * scale(j))
    });
    let right = Mat::from_fn(columns.len(), 1, |i, _| products[columns[i]] / scale(i));
    let factor = scaled.llt(Side::Lower).ok()?;
    // A pivot that is rounding beside 1 tells of a column within the span of the others.
    let lower = factor.L();
    if (0..columns.len()).any(|i| !(lower[(i, i)] > 1e-7)) {
        return None;
    }
    let found = factor.solve(&right);
    for (at, &column) in columns.iter().enumerate() {
        solution[column] = found[(at, 0)] / scale(at);
    }
    Some(solution)
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::array;

    #[test]
    fn weights_agree_with_scipy_and_duplicates_do_no_harm() {
        // scipy.optimize.nnls([[1, 0, 1], [0, 1, 1], [1, -1, 2], [2, 1, 0]], [2, -1, 3, 1])
        let a = array![
            [1.0, 0.0, 1.0],
            [0.0, 1.0, 1.0],
            [1.0, -1.0, 2.0],
            [2.0, 1.0, 0.0]
        ];
        let y = array![2.0, -1.0, 3.0, 1.0];
        let found =
            non_negative_least_squares(a.t().dot(&a).view(), &a.t().dot(&y).to_vec()).unwrap();
        for (found, expected) in found.iter().zip([7.0 / 9.0, 0.0, 7.0 / 9.0]) {
            assert!((found - expected).abs() < 1e-12, "{found} {expected}");
        }
        // A column twice: the fit is the same, and one of the two carries it.
        let twice = array![[1.0, 1.0], [2.0, 2.0]];
        let y = array![3.0, 6.0];
        let found =
            non_negative_least_squares(twice.t().dot(&twice).view(), &twice.t().dot(&y).to_vec())
                .unwrap();
        assert!((found[0] + found[1] - 3.0).abs() < 1e-12, "{found:?}");
        // Nothing points towards the data.
        let found = non_negative_least_squares(array![[1.0]].view(), &[-1.0]).unwrap();
        assert_eq!(found, [0.0]);
    }
}
