//! Differences of triplets by features, without the similarities of all other pairs.

use chiasm_core::{Error, Result};
use ndarray::ArrayView2;

use super::Triplet;

/// Pearson's correlation of root and `b` minus that of root and `a`, over features (images x features),
/// one value a triplet. Fails where an image's features are all the same.
pub fn feature_differences(
    features: ArrayView2<'_, f64>,
    triplets: &[Triplet],
) -> Result<Vec<f64>> {
    let centred = |image: usize| {
        if image >= features.nrows() {
            let allowed = format!("below {}, the number of images", features.nrows());
            return Err(Error::setting("image", image, allowed));
        }
        let row = features.row(image);
        let mean = row.sum() / row.len().max(1) as f64;
        let centred = &row - mean;
        let length = centred.dot(&centred).sqrt();
        // NaN fails here as well.
        if length > 1e-12 * mean.abs() && length.is_finite() {
            Ok(centred / length)
        } else {
            Err(Error::Unusable {
                operation: "triplets",
                reason: format!("the features of image {image} are constant or not numbers"),
            })
        }
    };
    triplets
        .iter()
        .map(|triplet| {
            let [root, a, b] = triplet.images();
            let (root, a, b) = (centred(root)?, centred(a)?, centred(b)?);
            Ok(root.dot(&b) - root.dot(&a))
        })
        .collect()
}
