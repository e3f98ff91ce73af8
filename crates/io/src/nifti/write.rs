//! Writing volumes: NIfTI-1, single file, 32-bit floats, little-endian, placed by a general affine.

use std::io::{self, Write};
use std::path::Path;

use chiasm_core::data::Volume;
use chiasm_core::run::write_atomically_with;
use flate2::Compression;
use flate2::write::GzEncoder;

use super::header::NIFTI_1;
use crate::{Error, Result};

/// Header and the four bytes that say that no extension follows.
const DATA_OFFSET: usize = NIFTI_1 + 4;

/// Writes a volume or a series, whole or not at all; compressed where the name ends in `.gz`.
///
/// The affine goes into `sform` as coordinates aligned to another image's, since a volume does not say
/// which space it is in. NaN is written as it is: it marks voxels without a value.
pub fn write_volume(path: &Path, volume: &Volume) -> Result<()> {
    let header = header(path, volume)?;
    let compressed = path
        .extension()
        .is_some_and(|ending| ending.eq_ignore_ascii_case("gz"));
    write_atomically_with(path, |out| {
        if compressed {
            let mut packed = GzEncoder::new(out, Compression::default());
            write_to(&mut packed, &header, volume)?;
            packed.finish()?;
            Ok(())
        } else {
            write_to(out, &header, volume)
        }
    })?;
    Ok(())
}

fn write_to(out: &mut dyn Write, header: &[u8], volume: &Volume) -> io::Result<()> {
    out.write_all(header)?;
    let mut bytes = Vec::with_capacity(1 << 16);
    // The first axis runs fastest: the order of the reversed axes.
    for value in volume.values.view().reversed_axes().iter() {
        bytes.extend_from_slice(&value.to_le_bytes());
        if bytes.len() >= 1 << 16 {
            out.write_all(&bytes)?;
            bytes.clear();
        }
    }
    out.write_all(&bytes)
}

fn header(path: &Path, volume: &Volume) -> Result<Vec<u8>> {
    let file = || path.display().to_string();
    let shape = volume.values.shape();
    if !(3..=4).contains(&shape.len()) {
        let reason = format!(
            "{} axes; a volume has x, y, z and perhaps time",
            shape.len()
        );
        return Err(Error::unsupported(file(), "dim", reason));
    }
    let mut raw = vec![0; DATA_OFFSET];
    let mut put = |at: usize, bytes: &[u8]| raw[at..at + bytes.len()].copy_from_slice(bytes);
    put(0, &348_i32.to_le_bytes());
    let mut sizes = [1_i16; 8];
    sizes[0] = shape.len() as i16;
    for (axis, &size) in shape.iter().enumerate() {
        sizes[axis + 1] = i16::try_from(size)
            .ok()
            .filter(|&size| size > 0)
            .ok_or_else(|| {
                let reason = format!("{size} voxels along axis {axis}; NIfTI-1 holds 1 to 32767");
                Error::unsupported(file(), "dim", reason)
            })?;
    }
    for (axis, size) in sizes.iter().enumerate() {
        put(40 + 2 * axis, &size.to_le_bytes());
    }
    // 32-bit floats.
    put(70, &16_i16.to_le_bytes());
    put(72, &32_i16.to_le_bytes());
    let repetition_time = volume.repetition_time.unwrap_or(0.0);
    let [x, y, z] = volume.voxel_size;
    for (at, step) in [1.0, x, y, z, repetition_time].into_iter().enumerate() {
        put(76 + 4 * at, &(step as f32).to_le_bytes());
    }
    put(108, &(DATA_OFFSET as f32).to_le_bytes());
    put(112, &1.0_f32.to_le_bytes());
    // Millimetres and seconds.
    put(123, &[2 | 8]);
    put(254, &2_i16.to_le_bytes());
    for (row, entries) in volume.affine.iter().enumerate() {
        for (column, entry) in entries.iter().enumerate() {
            put(280 + 16 * row + 4 * column, &(*entry as f32).to_le_bytes());
        }
    }
    put(344, b"n+1\0");
    Ok(raw)
}
