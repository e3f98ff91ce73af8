//! Spheres of voxels on a grid.

use chiasm_core::{Error, Result};
use ndarray::{Array3, ArrayView3};

const OUTSIDE: u32 = u32::MAX;

/// The voxels of a mask, numbered in the order x, y, z with z fastest, and the offsets of a sphere.
pub(super) struct Spheres {
    numbers: Array3<u32>,
    voxels: Vec<[usize; 3]>,
    offsets: Vec<[isize; 3]>,
}

impl Spheres {
    /// Spheres of `radius` millimetres about the voxels inside a mask; distances are those of the affine, so
    /// voxels need not be cubes. A voxel at exactly the radius belongs to the sphere.
    pub(super) fn new(
        inside: ArrayView3<'_, bool>,
        affine: &[[f64; 4]; 3],
        radius: f64,
    ) -> Result<Self> {
        if !(radius > 0.0 && radius.is_finite()) {
            return Err(Error::setting(
                "radius",
                radius,
                "a positive number of millimetres",
            ));
        }
        let column = |axis: usize| affine.map(|row| row[axis]);
        let length = |vector: [f64; 3]| vector.iter().map(|part| part * part).sum::<f64>().sqrt();
        let (x, y, z) = (column(0), column(1), column(2));
        let volume = x[0] * (y[1] * z[2] - y[2] * z[1]) - x[1] * (y[0] * z[2] - y[2] * z[0])
            + x[2] * (y[0] * z[1] - y[1] * z[0]);
        if !(volume.abs() > 1e-9 * length(x) * length(y) * length(z)) {
            return Err(Error::Unusable {
                operation: "searchlight",
                reason: "the mask's affine is singular: its voxels have no volume".to_string(),
            });
        }
        // The distance between planes of the grid bounds how many steps a sphere can take along each axis.
        let cross = |a: [f64; 3], b: [f64; 3]| {
            length([
                a[1] * b[2] - a[2] * b[1],
                a[2] * b[0] - a[0] * b[2],
                a[0] * b[1] - a[1] * b[0],
            ])
        };
        let (nx, ny, nz) = inside.dim();
        let reach = |face: f64, size: usize| {
            let steps = (radius * face / volume.abs() * (1.0 + 1e-9)).floor();
            steps.min(size as f64) as isize
        };
        let reach = [
            reach(cross(y, z), nx),
            reach(cross(x, z), ny),
            reach(cross(x, y), nz),
        ];
        let mut offsets = Vec::new();
        for i in -reach[0]..=reach[0] {
            for j in -reach[1]..=reach[1] {
                for k in -reach[2]..=reach[2] {
                    let (a, b, c) = (i as f64, j as f64, k as f64);
                    let step = [0, 1, 2].map(|row| a * x[row] + b * y[row] + c * z[row]);
                    if length(step) <= radius * (1.0 + 1e-9) {
                        offsets.push([i, j, k]);
                    }
                }
            }
        }
        let mut numbers = Array3::from_elem(inside.dim(), OUTSIDE);
        let mut voxels = Vec::new();
        for ((i, j, k), inside) in inside.indexed_iter() {
            if *inside {
                numbers[[i, j, k]] = u32::try_from(voxels.len()).map_err(|_| Error::Unusable {
                    operation: "searchlight",
                    reason: "more than 2³² voxels inside the mask".to_string(),
                })?;
                voxels.push([i, j, k]);
            }
        }
        Ok(Spheres {
            numbers,
            voxels,
            offsets,
        })
    }

    pub(super) fn voxels(&self) -> &[[usize; 3]] {
        &self.voxels
    }

    /// The numbers of the voxels inside the mask about voxel number `centre`, itself included.
    pub(super) fn members(&self, centre: usize, members: &mut Vec<u32>) {
        members.clear();
        let place = self.voxels[centre];
        for offset in &self.offsets {
            let at = |axis: usize| place[axis].checked_add_signed(offset[axis]);
            if let (Some(i), Some(j), Some(k)) = (at(0), at(1), at(2))
                && let Some(&number) = self.numbers.get([i, j, k])
                && number != OUTSIDE
            {
                members.push(number);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spheres_are_round_in_millimetres_and_end_at_the_mask() {
        let mut inside = Array3::from_elem((7, 7, 7), true);
        let cubes = [
            [2.0, 0.0, 0.0, 5.0],
            [0.0, 2.0, 0.0, 0.0],
            [0.0, 0.0, 2.0, 0.0],
        ];
        let count = |inside: &Array3<bool>, affine: &[[f64; 4]; 3], radius: f64, at: [usize; 3]| {
            let spheres = Spheres::new(inside.view(), affine, radius).unwrap();
            let centre = spheres
                .voxels()
                .iter()
                .position(|voxel| *voxel == at)
                .unwrap();
            let mut members = Vec::new();
            spheres.members(centre, &mut members);
            members.len()
        };
        // Lattice points within 1, √2 and 2 steps of the origin.
        assert_eq!(count(&inside, &cubes, 2.0, [3, 3, 3]), 7);
        assert_eq!(count(&inside, &cubes, 2.9, [3, 3, 3]), 19);
        assert_eq!(count(&inside, &cubes, 4.0, [3, 3, 3]), 33);
        assert_eq!(count(&inside, &cubes, 2.0, [0, 0, 0]), 4);
        // Flat voxels: five in the plane, and along the short axis two above and two below.
        let flat = [
            [2.0, 0.0, 0.0, 0.0],
            [0.0, 2.0, 0.0, 0.0],
            [0.0, 0.0, 1.0, 0.0],
        ];
        assert_eq!(count(&inside, &flat, 2.0, [3, 3, 3]), 5 + 4);
        inside[[3, 3, 4]] = false;
        assert_eq!(count(&inside, &cubes, 2.0, [3, 3, 3]), 6);
        assert!(Spheres::new(inside.view(), &cubes, 0.0).is_err());
        assert!(Spheres::new(inside.view(), &[[0.0; 4]; 3], 4.0).is_err());
    }
}
