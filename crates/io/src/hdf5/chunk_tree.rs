//! Reading arrays whose chunks a version 2 tree indexes, as HDF5 writes those that may grow on several
//! axes when the newest structures are allowed (`libver="latest"`): `hdf5-pure` does not read them.
//!
//! A record of the tree is the chunk's address, for filtered chunks its stored size and a mask of the
//! filters that were left out, and its place counted in chunks on each axis. Filters are undone in
//! reverse order. Source: HDF5 File Format Specification 3.0, sections III.A.2 and IV.A.2.i.

use std::io::Read;

use flate2::read::ZlibDecoder;
use hdf5_pure::Filter;

use super::bytes::Cursor;
use super::links::Widths;
use super::record_tree::{self, Records};
use super::source::Bytes;
use super::storage::ChunkTree;

const PLAIN: u8 = 10;
const FILTERED: u8 = 11;

/// Where a chunk is.
struct Chunk {
    address: u64,
    stored: u64,
    /// Its filters that were left out, one bit each.
    left_out: u64,
    /// The place of its first element in the array.
    first: Vec<u64>,
}

/// An array's chunks, in order of place.
pub(super) struct Chunks<'a> {
    tree: &'a ChunkTree,
    shape: &'a [u64],
    filters: Vec<Filter>,
    list: Vec<Chunk>,
    /// Bytes of a chunk once its filters are undone.
    chunk_bytes: u64,
}

impl<'a> Chunks<'a> {
    pub(super) fn find(
        tree: &'a ChunkTree,
        shape: &'a [u64],
        filters: Vec<Filter>,
        bytes: &Bytes,
        widths: Widths,
    ) -> Result<Self, String> {
        let rank = shape.len();
        let chunk_bytes = tree
            .chunk
            .iter()
            .try_fold(tree.element_bytes, |product, &size| {
                product.checked_mul(size)
            })
            .filter(|_| tree.chunk.len() == rank)
            .ok_or("its chunks do not fit its shape")?;
        let filtered = !filters.is_empty();
        let places = widths.offset + 8 * rank;
        let records = Records {
            what: "index of chunks",
            kind: if filtered { FILTERED } else { PLAIN },
            shortest: if filtered { places + 5 } else { places },
        };
        let mut list = Vec::new();
        let mut each = |record: &[u8]| {
            let mut cursor = Cursor::new(record);
            let address = widths.position(cursor.unsigned(widths.offset)?, "a chunk")?;
            let (stored, left_out) = if filtered {
                let width = record.len() - places - 4;
                if width > 8 {
                    return Err("index of chunks has an impossible shape".to_string());
                }
                (cursor.unsigned(width)?, cursor.unsigned(4)?)
            } else {
                (chunk_bytes, 0)
            };
            let mut first = Vec::with_capacity(rank);
            for &size in &tree.chunk {
                let place = cursor.unsigned(8)?.checked_mul(size);
                first.push(place.ok_or("a chunk's place overflows")?);
            }
            // Chunks outside are left over from a larger array.
            if first.iter().zip(shape).all(|(first, size)| first < size) {
                list.push(Chunk {
                    address,
                    stored,
                    left_out,
                    first,
                });
            }
            Ok(())
        };
        if let Some(address) = tree.address {
            record_tree::visit(bytes, widths, address, &records, &mut each)?;
        }
        list.sort_by(|one, other| one.first.cmp(&other.first));
        if list.windows(2).any(|pair| pair[0].first == pair[1].first) {
            return Err("index of chunks lists one place twice".to_string());
        }
        Ok(Chunks {
            tree,
            shape,
            filters,
            list,
            chunk_bytes,
        })
    }

    /// Address, stored size and first element of each chunk.
    pub(super) fn places(&self) -> impl Iterator<Item = (u64, u64, &[u64])> {
        self.list
            .iter()
            .map(|chunk| (chunk.address, chunk.stored, &chunk.first[..]))
    }

    /// The bytes of the rows from `start` up to `stop`.
    pub(super) fn rows(&self, bytes: &Bytes, start: u64, stop: u64) -> Result<Vec<u8>, String> {
        let too_large = |_| "does not fit into memory".to_string();
        let row = self.shape[1..]
            .iter()
            .fold(self.tree.element_bytes, |product, size| product * size);
        let length = usize::try_from((stop - start) * row).map_err(too_large)?;
        let mut rows = vec![0; length];
        let fill = &self.tree.fill;
        if fill.len() as u64 == self.tree.element_bytes && fill.iter().any(|&byte| byte != 0) {
            for element in rows.chunks_exact_mut(fill.len()) {
                element.copy_from_slice(fill);
            }
        }
        let tall = self.tree.chunk[0];
        let begin = self
            .list
            .partition_point(|chunk| chunk.first[0] < start - start % tall);
        for chunk in self.list[begin..]
            .iter()
            .take_while(|chunk| chunk.first[0] < stop)
        {
            let content = self.content(bytes, chunk)?;
            self.place(&content, chunk, (start, stop), &mut rows)?;
        }
        Ok(rows)
    }

    /// Copies the part of a chunk that lies between two rows to its place among them.
    fn place(
        &self,
        content: &[u8],
        chunk: &Chunk,
        (start, stop): (u64, u64),
        rows: &mut [u8],
    ) -> Result<(), String> {
        let rank = self.shape.len();
        let begin = |axis: usize| chunk.first[axis].max(if axis == 0 { start } else { 0 });
        let end = |axis: usize| {
            let end = chunk.first[axis].saturating_add(self.tree.chunk[axis]);
            end.min(if axis == 0 { stop } else { self.shape[axis] })
        };
        let mut at: Vec<u64> = (0..rank).map(begin).collect();
        let run = (end(rank - 1).saturating_sub(at[rank - 1])) * self.tree.element_bytes;
        loop {
            // Row-major places in the chunk and among the rows, in elements.
            let (mut from, mut to) = (0, 0);
            for axis in 0..rank {
                let size = if axis == 0 {
                    stop - start
                } else {
                    self.shape[axis]
                };
                let origin = if axis == 0 { start } else { 0 };
                from = from * self.tree.chunk[axis] + (at[axis] - chunk.first[axis]);
                to = to * size + (at[axis] - origin);
            }
            let slice = |element: u64| {
                let byte = usize::try_from(element * self.tree.element_bytes).ok()?;
                Some(byte..byte.checked_add(usize::try_from(run).ok()?)?)
            };
            let source = slice(from).and_then(|range| content.get(range));
            let target = slice(to).and_then(|range| rows.get_mut(range));
            let (Some(source), Some(target)) = (source, target) else {
                return Err("a chunk does not fit its place".to_string());
            };
            target.copy_from_slice(source);
            // The next run: the last axis but one counts fastest.
            let mut axis = rank - 1;
            loop {
                if axis == 0 {
                    return Ok(());
                }
                axis -= 1;
                at[axis] += 1;
                if at[axis] < end(axis) {
                    break;
                }
                at[axis] = begin(axis);
            }
        }
    }

    /// A chunk's bytes with its filters undone.
    fn content(&self, bytes: &Bytes, chunk: &Chunk) -> Result<Vec<u8>, String> {
        let mut content = bytes.take(chunk.address, chunk.stored)?;
        let sticks_out = chunk
            .first
            .iter()
            .zip(&self.tree.chunk)
            .zip(self.shape)
            .any(|((first, size), whole)| first.saturating_add(*size) > *whole);
        let unfiltered = self.tree.edges_unfiltered && sticks_out;
        for (index, filter) in self.filters.iter().enumerate().rev() {
            if unfiltered || (index < 32 && chunk.left_out >> index & 1 == 1) {
                continue;
            }
            content = match filter.id {
                1 => inflate(&content, self.chunk_bytes)?,
                2 => unshuffle(&content, filter.client_data.first().copied().unwrap_or(1)),
                3 => checked(content)?,
                id => {
                    return Err(format!(
                        "filter {id} is not undone in an array that may grow on several axes; \
                         rewrite it with h5repack or with one growing axis"
                    ));
                }
            };
        }
        if content.len() as u64 != self.chunk_bytes {
            return Err(format!(
                "its chunk at {:?} holds {} bytes, expected {}",
                chunk.first,
                content.len(),
                self.chunk_bytes
            ));
        }
        Ok(content)
    }
}

fn inflate(content: &[u8], most: u64) -> Result<Vec<u8>, String> {
    const CHECKSUM: u64 = 4;
    let mut whole = Vec::new();
    // One byte more than there can be shows a chunk that expands too far.
    let limit = most.saturating_add(CHECKSUM + 1);
    ZlibDecoder::new(content)
        .take(limit)
        .read_to_end(&mut whole)
        .map_err(|error| format!("a chunk cannot be inflated: {error}"))?;
    Ok(whole)
}

/// Undoes the ordering by byte of significance; what is left over at the end was not ordered.
fn unshuffle(content: &[u8], width: u32) -> Vec<u8> {
    let width = width.max(1) as usize;
    let count = content.len() / width;
    let mut whole = Vec::with_capacity(content.len());
    for element in 0..count {
        whole.extend((0..width).map(|byte| content[byte * count + element]));
    }
    whole.extend_from_slice(&content[count * width..]);
    whole
}

/// Takes off and checks Fletcher's checksum of big-endian 16-bit words, an odd byte at the end as the
/// upper half of one.
fn checked(mut content: Vec<u8>) -> Result<Vec<u8>, String> {
    let cut = content.len().checked_sub(4).ok_or("a chunk is cut short")?;
    let declared = Cursor::new(&content[cut..]).unsigned(4)?;
    content.truncate(cut);
    let fold = |sum: u64| (sum & 0xffff) + (sum >> 16);
    let (mut once, mut twice) = (0_u64, 0_u64);
    for pair in content.chunks(2) {
        let word = u64::from(pair[0]) << 8 | u64::from(pair.get(1).copied().unwrap_or(0));
        once = fold(once + word);
        twice = fold(twice + once);
    }
    if declared != twice << 16 | once {
        return Err("a chunk's checksum is wrong".to_string());
    }
    Ok(content)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shuffled_bytes_come_back_in_order() {
        let shuffled = [1, 4, 2, 5, 3, 6, 7];
        assert_eq!(unshuffle(&shuffled, 3), [1, 2, 3, 4, 5, 6, 7]);
        assert!(unshuffle(&[], 3).is_empty());
    }

    #[test]
    fn a_changed_byte_is_found_by_its_checksum() {
        // Sums of 0x0102 and 0x0300: 0x0402, and 0x0102 + 0x0402 = 0x0504.
        let whole = vec![1, 2, 3, 0x02, 0x04, 0x04, 0x05];
        assert_eq!(checked(whole.clone()).unwrap(), [1, 2, 3]);
        let mut changed = whole;
        changed[1] = 3;
        assert!(checked(changed).is_err());
        assert!(checked(vec![0; 3]).is_err());
    }
}
