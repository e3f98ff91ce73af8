//! Stored numbers, big-endian, a piece at a time.

use super::codes::coding;
use super::outline::Numbers;
use super::tags::Tags;
use crate::{Error, Result};

/// About how many bytes are read at a time.
const PIECE: usize = 1 << 16;

/// Hands over `count` numbers from number `skip` on, in pieces, as they are stored.
pub(super) fn stream(
    tags: &mut Tags<'_>,
    numbers: &Numbers,
    count: u64,
    mut take: impl FnMut(&[f64]),
) -> Result<()> {
    let width = numbers.width();
    let mut piece: Vec<f64> = Vec::with_capacity(PIECE / width as usize);
    tags.stream(
        numbers.from(),
        count * width,
        PIECE,
        &numbers.tag,
        |bytes| {
            piece.clear();
            match numbers.coding {
                coding::SHORT | coding::DAU_PACK16 => {
                    piece.extend(bytes.chunks_exact(2).map(|raw| match *raw {
                        [a, b] => f64::from(i16::from_be_bytes([a, b])),
                        _ => 0.0,
                    }))
                }
                coding::INT => {
                    piece.extend(quads(bytes).map(|raw| f64::from(i32::from_be_bytes(raw))))
                }
                coding::DOUBLE => piece.extend(bytes.chunks_exact(8).map(|raw| {
                    let mut eight = [0; 8];
                    eight.copy_from_slice(raw);
                    f64::from_be_bytes(eight)
                })),
                _ => piece.extend(quads(bytes).map(|raw| f64::from(f32::from_be_bytes(raw)))),
            }
            take(&piece);
            Ok(())
        },
    )
}

fn quads(bytes: &[u8]) -> impl Iterator<Item = [u8; 4]> + '_ {
    bytes.chunks_exact(4).map(|raw| match *raw {
        [a, b, c, d] => [a, b, c, d],
        _ => [0; 4],
    })
}

/// Checks the sizes of a matrix: they stand behind its numbers, fastest axis first, and their count
/// last.
pub(super) fn check_matrix(tags: &mut Tags<'_>, numbers: &Numbers, shape: &[u64]) -> Result<()> {
    let trailer = 4 * (shape.len() as u64 + 1);
    let wanted = shape
        .iter()
        .try_fold(numbers.width(), |product, &size| product.checked_mul(size))
        .and_then(|bytes| bytes.checked_add(trailer));
    let words: Vec<String> = shape.iter().map(u64::to_string).collect();
    let words = words.join(" x ");
    if wanted != Some(numbers.tag.size) {
        let reason = format!(
            "{} bytes, which do not hold {words} numbers",
            numbers.tag.size
        );
        return Err(tags.wrong(&numbers.tag, reason));
    }
    let mut sizes = Vec::new();
    let from = numbers.from() + numbers.tag.size - trailer;
    tags.stream(from, trailer, PIECE, &numbers.tag, |bytes| {
        sizes.extend(quads(bytes).map(i32::from_be_bytes));
        Ok(())
    })?;
    let expected = shape.iter().rev().copied().chain([shape.len() as u64]);
    let same = sizes
        .iter()
        .zip(expected)
        .all(|(&found, wanted)| u64::try_from(found) == Ok(wanted));
    if same {
        return Ok(());
    }
    Err(tags.wrong(&numbers.tag, format!("its own sizes are not {words}")))
}

/// Room for that many numbers, of which the file is known to hold as many.
pub(super) fn room(count: u64, name: &str) -> Result<Vec<f32>> {
    let mut values = Vec::new();
    let count = usize::try_from(count).unwrap_or(usize::MAX);
    values.try_reserve_exact(count).map_err(|_| {
        Error::io(
            std::path::Path::new(name),
            std::io::ErrorKind::OutOfMemory.into(),
        )
    })?;
    Ok(values)
}
