//! A map of the conditions: classical (Torgerson) scaling.

use chiasm_core::data::Rdm;
use chiasm_core::{Error, Result};
use ndarray::Array2;

use super::dense::symmetric_eigen;

/// Coordinates whose distances approximate an RDM.
#[derive(Clone, Debug)]
pub struct ClassicalScaling {
    /// Conditions x dimensions, the widest direction first; each axis points so that its entry of largest
    /// size is positive.
    pub coordinates: Array2<f64>,
    /// The share of the total spread (sum of positive eigenvalues) along each dimension.
    pub explained: Vec<f64>,
}

/// Places the conditions of `distances` in `dimensions` dimensions. Entries are distances, not squares.
pub fn classical_scaling(distances: &Rdm, dimensions: usize) -> Result<ClassicalScaling> {
    let conditions = distances.conditions();
    if dimensions == 0 || dimensions >= conditions {
        return Err(Error::setting(
            "dimensions",
            dimensions,
            format!("1 to {} (fewer than the conditions)", conditions - 1),
        ));
    }
    let mut kernel = distances
        .to_square()
        .mapv(|distance| -0.5 * distance * distance);
    let means = kernel.sum_axis(ndarray::Axis(0)) / conditions as f64;
    let mean = means.sum() / conditions as f64;
    for ((i, j), value) in kernel.indexed_iter_mut() {
        *value += mean - means[i] - means[j];
    }
    let (values, vectors) = symmetric_eigen(kernel.view())?;
    let spread: f64 = values.iter().filter(|value| **value > 0.0).sum();
    let mut coordinates = Array2::zeros((conditions, dimensions));
    let mut explained = Vec::with_capacity(dimensions);
    for k in 0..dimensions {
        let value = values[k].max(0.0);
        let axis = vectors.column(k);
        let longest = axis
            .iter()
            .fold(0.0_f64, |a, b| if b.abs() > a.abs() { *b } else { a });
        let scale = value.sqrt() * if longest < 0.0 { -1.0 } else { 1.0 };
        coordinates.column_mut(k).assign(&(&axis * scale));
        explained.push(if spread > 0.0 { value / spread } else { 0.0 });
    }
    Ok(ClassicalScaling {
        coordinates,
        explained,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn points_in_the_plane_are_found_again() {
        let points: [(f64, f64); 5] = [(0.0, 0.0), (3.0, 0.0), (0.0, 1.0), (3.0, 1.0), (-2.0, 0.5)];
        let mut distances = Vec::new();
        for i in 0..5 {
            for j in i + 1..5 {
                let (dx, dy) = (points[i].0 - points[j].0, points[i].1 - points[j].1);
                distances.push(dx.hypot(dy));
            }
        }
        let rdm = Rdm::from_condensed("points", distances).unwrap();
        let map = classical_scaling(&rdm, 2).unwrap();
        for i in 0..5 {
            for j in i + 1..5 {
                let difference = &map.coordinates.row(i) - &map.coordinates.row(j);
                assert!((difference.dot(&difference).sqrt() - rdm.get(i, j)).abs() < 1e-9);
            }
        }
        assert!((map.explained.iter().sum::<f64>() - 1.0).abs() < 1e-9);
        assert!(map.explained[0] > map.explained[1]);
        assert!(classical_scaling(&rdm, 5).is_err());
    }
}
