//! Similarities of all pairs of images, checked.

use chiasm_core::data::require_finite;
use chiasm_core::{Error, Result};
use ndarray::{Array2, ArrayView2};

const OPERATION: &str = "triplets";
/// A triplet has so many images.
const FEWEST: usize = 3;

/// A similarity matrix: square, symmetric, finite, not constant off the diagonal. The diagonal is free.
#[derive(Clone, Debug, PartialEq)]
pub struct Similarity {
    name: String,
    values: Array2<f64>,
}

impl Similarity {
    /// Checks the matrix; `name` (a file, a layer) stands for it in errors. Symmetric means to 1e-6 of
    /// its largest entry, since matrices are often kept in single precision.
    pub fn new(name: impl Into<String>, values: Array2<f64>) -> Result<Self> {
        let name = name.into();
        let (rows, columns) = values.dim();
        if rows != columns {
            return Err(Error::Shape {
                operation: OPERATION,
                what: name,
                axis: "columns",
                found: columns,
                expected: format!("{rows}, as there are rows (images x images)"),
            });
        }
        if rows < FEWEST {
            return Err(Error::TooFew {
                operation: OPERATION,
                what: "images",
                found: rows,
                needed: FEWEST,
            });
        }
        require_finite(&name, values.iter(), |index| {
            format!("row {}, column {}", index / columns, index % columns)
        })?;
        let largest = values
            .iter()
            .fold(0.0_f64, |largest, value| largest.max(value.abs()));
        let unusable = |reason: String| {
            Err(Error::Unusable {
                operation: OPERATION,
                reason,
            })
        };
        let (mut least, mut most) = (f64::INFINITY, f64::NEG_INFINITY);
        for row in 0..rows {
            for column in row + 1..rows {
                let (value, mirror) = (values[[row, column]], values[[column, row]]);
                if (value - mirror).abs() > 1e-6 * largest {
                    return unusable(format!(
                        "{name} is not symmetric: {value} in row {row}, column {column}, but {mirror} \
                         the other way round"
                    ));
                }
                least = least.min(value);
                most = most.max(value);
            }
        }
        if most - least <= 1e-12 * largest {
            return unusable(format!(
                "{name} is constant: every two images are equally similar, so that no triplet differs \
                 from another"
            ));
        }
        Ok(Similarity { name, values })
    }

    /// Pearson's correlation of every two rows of features (images x features). Fails where an image's
    /// features are all the same.
    pub fn of_features(name: impl Into<String>, features: ArrayView2<'_, f64>) -> Result<Self> {
        let name = name.into();
        require_finite(&name, features.iter(), |index| {
            let width = features.ncols().max(1);
            format!("row {}, column {}", index / width, index % width)
        })?;
        let mut scaled = features.to_owned();
        let width = features.ncols().max(1) as f64;
        for (image, mut row) in scaled.rows_mut().into_iter().enumerate() {
            let mean = row.sum() / width;
            row -= mean;
            let length = row.dot(&row).sqrt();
            if !(length > 1e-12 * mean.abs()) {
                return Err(Error::Unusable {
                    operation: OPERATION,
                    reason: format!("{name}: image {image} has constant features"),
                });
            }
            row /= length;
        }
        let lower = crate::similarity::dense::lower_gram(
            scaled.view(),
            crate::similarity::dense::Cores::All,
        );
        let values = Array2::from_shape_fn(lower.dim(), |(row, column)| {
            if row == column {
                1.0
            } else {
                lower[[row.max(column), row.min(column)]]
            }
        });
        Similarity::new(name, values)
    }

    /// What it is called.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The number of images.
    pub fn images(&self) -> usize {
        self.values.nrows()
    }

    /// Images x images.
    pub fn values(&self) -> ArrayView2<'_, f64> {
        self.values.view()
    }

    /// The population standard deviation of the entries, those on the diagonal only if they count.
    pub fn deviation(&self, diagonal_counts: bool) -> f64 {
        let images = self.images();
        let entries = || {
            self.values
                .indexed_iter()
                .filter(move |((row, column), _)| diagonal_counts || row != column)
                .map(|(_, &value)| value)
        };
        let count = if diagonal_counts {
            images * images
        } else {
            images * (images - 1)
        } as f64;
        let mean = entries().sum::<f64>() / count;
        (entries().map(|value| (value - mean).powi(2)).sum::<f64>() / count).sqrt()
    }

    /// The same similarities with images in another order: entry (i, j) is that of `order[i]` and
    /// `order[j]`.
    pub fn reordered(&self, order: &[usize]) -> Result<Self> {
        let images = self.images();
        let mut seen = vec![false; images];
        for &image in order {
            match seen.get_mut(image) {
                Some(slot) => *slot = true,
                None => return Err(Error::setting("order", image, format!("below {images}"))),
            }
        }
        if order.len() != images || seen.contains(&false) {
            return Err(Error::Unusable {
                operation: OPERATION,
                reason: format!("an order of {images} images must name each once"),
            });
        }
        Ok(Similarity {
            name: self.name.clone(),
            values: Array2::from_shape_fn((images, images), |(i, j)| {
                self.values[[order[i], order[j]]]
            }),
        })
    }
}

/// Fails unless both are of the same images.
pub fn check_pair(high: &Similarity, low: &Similarity) -> Result<()> {
    if low.images() != high.images() {
        return Err(Error::Shape {
            operation: OPERATION,
            what: low.name().to_string(),
            axis: "images",
            found: low.images(),
            expected: format!("{} (as in {})", high.images(), high.name()),
        });
    }
    Ok(())
}
