//! A series of volumes read one volume at a time, of which only the voxels of a mask are kept: memory for
//! the mask's voxels and one volume, however large the file.

use std::path::Path;

use chiasm_core::data::require_finite;
use ndarray::{Array2, Array3, Ix3};

use super::{Opened, ended, read, with_image};
use crate::array::{Array, Layout};
use crate::{Error, Result};

/// Which voxels of a grid are meant.
#[derive(Clone, Debug, PartialEq)]
pub struct Mask {
    /// The file.
    pub name: String,
    /// True inside, axes x, y, z.
    pub inside: Array3<bool>,
    /// Voxel indices to millimetres: rows of the 3 x 4 affine.
    pub affine: [[f64; 4]; 3],
    /// Edge lengths of a voxel in millimetres.
    pub voxel_size: [f64; 3],
}

impl Mask {
    /// The places of the voxels inside, in the order of [`read_in_mask`].
    pub fn voxels(&self) -> Vec<[usize; 3]> {
        self.inside
            .indexed_iter()
            .filter(|(_, inside)| **inside)
            .map(|((x, y, z), _)| [x, y, z])
            .collect()
    }
}

/// Reads a mask: a single volume, inside where it is not zero. Fails on NaN and where nothing is inside.
pub fn read_mask(path: &Path) -> Result<Mask> {
    let volume = read(path)?;
    let name = volume.name.clone();
    let shape = volume.values.shape().to_vec();
    let values = volume.values.into_dimensionality::<Ix3>().map_err(|_| {
        let reason = format!("shape {shape:?}; a mask is one volume");
        Error::unsupported(name.clone(), "dim", reason)
    })?;
    if let Some(((x, y, z), _)) = values.indexed_iter().find(|(_, value)| value.is_nan()) {
        let reason = format!("the mask is NaN at voxel ({x}, {y}, {z})");
        return Err(Error::malformed(name, "image", reason));
    }
    let inside = values.mapv(|value| value != 0.0);
    if !inside.iter().any(|inside| *inside) {
        return Err(Error::malformed(
            name,
            "image",
            "no voxel of the mask is inside: all are zero",
        ));
    }
    Ok(Mask {
        name,
        inside,
        affine: volume.affine,
        voxel_size: volume.voxel_size,
    })
}

/// Reads the voxels of a mask from a series: volumes x voxels.
///
/// Fails where the grids differ in shape or place, and on NaN or infinity inside the mask. What lies outside
/// is never looked at.
pub fn read_in_mask(path: &Path, mask: &Mask) -> Result<Array2<f64>> {
    with_image(path, |image| series(image, mask))
}

fn series(mut image: Opened<'_>, mask: &Mask) -> Result<Array2<f64>> {
    let name = image.stream.name.clone();
    let layout = image.header.layout.clone();
    let mut shape = layout.shape.clone();
    while shape.len() > 4 && shape.last() == Some(&1) {
        shape.pop();
    }
    shape.resize(shape.len().max(4), 1);
    let [x, y, z, volumes] = shape[..] else {
        let reason = format!(
            "shape {:?}; a series has the axes x, y, z and time",
            layout.shape
        );
        return Err(Error::unsupported(name, "dim", reason));
    };
    let expected = mask.inside.dim();
    if (x, y, z) != expected {
        let (a, b, c) = expected;
        let reason = format!(
            "{x} x {y} x {z} voxels, but the mask {} has {a} x {b} x {c}",
            mask.name
        );
        return Err(Error::malformed(name, "dim", reason));
    }
    same_place(&name, &image.header.affine().0, mask)?;
    image.stream.check(&layout)?;
    let voxels = mask.voxels();
    let of_volume = Layout {
        shape: vec![x, y, z],
        ..layout
    };
    let (slope, intercept) = image.header.scaling.unwrap_or((1.0, 0.0));
    let mut values = Array2::zeros((volumes, voxels.len()));
    for (volume, mut row) in values.rows_mut().into_iter().enumerate() {
        let stored = Array::read(image.stream.reader(), &of_volume, false)
            .map_err(|source| ended(&name, "image", 0, source))?
            .into_f64(&name)?;
        for (slot, voxel) in row.iter_mut().zip(&voxels) {
            *slot = stored[&voxel[..]] * slope + intercept;
        }
        let row = row.to_vec();
        require_finite(&name, &row, |index| {
            let [x, y, z] = voxels[index];
            format!("volume {volume}, voxel ({x}, {y}, {z}) inside the mask")
        })?;
    }
    Ok(values)
}

/// Grids must lie on each other to a hundredth of a voxel at every corner.
fn same_place(name: &str, affine: &[[f64; 4]; 3], mask: &Mask) -> Result<()> {
    let (x, y, z) = mask.inside.dim();
    let last = [x - 1, y - 1, z - 1].map(|size| size as f64);
    let smallest = mask.voxel_size.into_iter().fold(f64::INFINITY, f64::min);
    for corner in 0..8_usize {
        let at = |axis: usize| {
            if corner >> axis & 1 == 1 {
                last[axis]
            } else {
                0.0
            }
        };
        for (ours, theirs) in affine.iter().zip(&mask.affine) {
            let place = |row: &[f64; 4]| row[0] * at(0) + row[1] * at(1) + row[2] * at(2) + row[3];
            let apart = (place(ours) - place(theirs)).abs();
            if !(apart <= 0.01 * smallest) {
                return Err(Error::malformed(
                    name,
                    "affine",
                    format!(
                        "the grid lies up to {apart:.3} mm from that of the mask {}; resample one to the other",
                        mask.name
                    ),
                ));
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn grids_are_compared_at_their_corners() {
        let affine = [
            [2.0, 0.0, 0.0, -10.0],
            [0.0, 2.0, 0.0, 5.0],
            [0.0, 0.0, 2.0, 0.0],
        ];
        let mask = Mask {
            name: "mask".to_string(),
            inside: Array3::from_elem((10, 10, 10), true),
            affine,
            voxel_size: [2.0; 3],
        };
        assert!(same_place("x", &affine, &mask).is_ok());
        let mut other = affine;
        other[1][3] += 0.5;
        let message = same_place("x", &other, &mask).unwrap_err().to_string();
        assert!(message.contains("0.500 mm"), "{message}");
        other = affine;
        other[0][0] = 2.01;
        assert!(same_place("x", &other, &mask).is_err());
        assert_eq!(mask.voxels()[1], [0, 0, 1]);
    }
}
