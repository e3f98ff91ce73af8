//! Images of brains.

use ndarray::ArrayD;

/// A volume or series of volumes with its place in space: (x, y, z) or (x, y, z, time).
#[derive(Clone, Debug, PartialEq)]
pub struct Volume {
    /// Where it came from.
    pub name: String,
    /// Intensities, axes x, y, z and, where there is one, time.
    pub values: ArrayD<f32>,
    /// Voxel indices to millimetres: rows of the 3 x 4 affine.
    pub affine: [[f64; 4]; 3],
    /// Edge lengths of a voxel in millimetres.
    pub voxel_size: [f64; 3],
    /// Seconds between volumes, for a series.
    pub repetition_time: Option<f64>,
}
