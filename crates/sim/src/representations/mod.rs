//! Representations whose layers, regions, distortions or shapes are known.

mod deep_networks;
mod distortion;
mod regions;
mod shapes;

pub use deep_networks::DeepNetworks;
pub use distortion::{DistortionRange, MonotoneDistortion};
pub use regions::CorticalRegions;
pub use shapes::{Shape, ShapeSettings, shape_points};

use ndarray::{Array1, Array2};
use rand::Rng;
use rand_distr::{Distribution, StandardNormal};

/// Independent standard normal entries.
fn normal_matrix(rng: &mut impl Rng, rows: usize, columns: usize) -> Array2<f64> {
    Array2::from_shape_simple_fn((rows, columns), || StandardNormal.sample(rng))
}

/// Each column to mean 0 and population standard deviation 1; constant columns to 0.
fn z_score_columns(values: &mut Array2<f64>) {
    let count = values.nrows() as f64;
    for mut column in values.columns_mut() {
        let mean = column.sum() / count;
        column -= mean;
        let deviation = (column.iter().map(|value| value * value).sum::<f64>() / count).sqrt();
        if deviation > 0.0 {
            column /= deviation;
        }
    }
}

/// Condition i of `conditions` belongs to category `i % categories`; one random centre per category.
fn clustered(
    rng: &mut impl Rng,
    conditions: usize,
    categories: usize,
    dimensions: usize,
    separation: f64,
) -> Array2<f64> {
    let centres = normal_matrix(rng, categories, dimensions);
    let mut values = normal_matrix(rng, conditions, dimensions);
    for (condition, mut row) in values.rows_mut().into_iter().enumerate() {
        let centre: Array1<f64> = centres.row(condition % categories).to_owned();
        row.scaled_add(separation, &centre);
    }
    values
}

/// Fails where a size is 0 or a number is not finite and at least 0.
fn check_settings(sizes: &[(&str, usize)], amounts: &[(&str, f64)]) -> chiasm_core::Result<()> {
    for (name, size) in sizes {
        if *size == 0 {
            return Err(chiasm_core::Error::setting(*name, size, "at least 1"));
        }
    }
    for (name, amount) in amounts {
        if !(amount.is_finite() && *amount >= 0.0) {
            return Err(chiasm_core::Error::setting(
                *name,
                amount,
                "a number of at least 0",
            ));
        }
    }
    Ok(())
}
