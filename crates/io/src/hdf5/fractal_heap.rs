//! The fractal heap that keeps the links of large groups; a version 2 tree indexes it.

use super::bytes::Cursor;
use super::links::Widths;
use super::record_tree::{self, Records, bytes_for};
use super::source::Bytes;

const LINK_NAMES: Records = Records {
    what: "index of names",
    kind: 5,
    shortest: 5,
};
const DEEPEST: u32 = 32;

struct Heap {
    /// Bytes of an offset and of a length inside a heap id.
    offset_bytes: usize,
    length_bytes: usize,
    table_width: u64,
    starting_block: u64,
    largest_direct: u64,
    /// Where the direct blocks lie: (offset in the heap, length, position in the file).
    blocks: Vec<(u64, u64, u64)>,
}

/// Every object of the heap at `heap` that the tree at `index` lists by name.
pub(super) fn objects(
    bytes: &Bytes,
    widths: Widths,
    heap: u64,
    index: u64,
) -> Result<Vec<Vec<u8>>, String> {
    let heap = read_heap(bytes, widths, heap)?;
    let mut objects = Vec::new();
    record_tree::visit(bytes, widths, index, &LINK_NAMES, &mut |record| {
        // A record is the hash of the name, then the heap id.
        objects.push(heap.object(bytes, &record[4..])?);
        Ok(())
    })?;
    Ok(objects)
}

impl Heap {
    fn object(&self, bytes: &Bytes, id: &[u8]) -> Result<Vec<u8>, String> {
        let mut cursor = Cursor::new(id);
        if cursor.unsigned(1)? & 0x30 != 0 {
            return Err("a link is stored as a huge or tiny heap object".to_string());
        }
        let offset = cursor.unsigned(self.offset_bytes)?;
        let length = cursor.unsigned(self.length_bytes)?;
        let block = self
            .blocks
            .partition_point(|&(start, _, _)| start <= offset);
        let place = block.checked_sub(1).map(|block| self.blocks[block]);
        match place {
            Some((start, size, position))
                if (offset - start)
                    .checked_add(length)
                    .is_some_and(|end| end <= size) =>
            {
                bytes.take(position + (offset - start), length)
            }
            _ => Err("a link lies outside its group's heap".to_string()),
        }
    }

    /// The size of the blocks in a row of the doubling table.
    fn row(&self, row: u64) -> Result<u64, String> {
        let doublings = u32::try_from(row.saturating_sub(1)).map_err(|error| error.to_string())?;
        self.starting_block
            .checked_shl(doublings)
            .filter(|size| size >> doublings == self.starting_block)
            .ok_or_else(|| "heap block size overflows".to_string())
    }
}

fn read_heap(bytes: &Bytes, widths: Widths, address: u64) -> Result<Heap, String> {
    let (offset, length) = (widths.offset, widths.length);
    let header = bytes.take(address, (22 + 12 * length + 3 * offset) as u64)?;
    if header[..4] != *b"FRHP" {
        return Err("group has no heap of links where its header says".to_string());
    }
    let mut cursor = Cursor::new(&header[5..]);
    cursor.skip(2)?;
    if cursor.unsigned(2)? != 0 {
        return Err("heap of links is compressed".to_string());
    }
    cursor.skip(1)?;
    let largest_object = cursor.unsigned(4)?;
    // Huge objects, free space, sizes and counts: not needed to find managed objects.
    cursor.skip(10 * length + 2 * offset)?;
    let table_width = cursor.unsigned(2)?;
    let starting_block = cursor.unsigned(length)?;
    let largest_direct = cursor.unsigned(length)?;
    let heap_bits = cursor.unsigned(2)?;
    cursor.skip(2)?;
    let root = widths.absolute(cursor.unsigned(offset)?)?;
    let rows = cursor.unsigned(2)?;
    if table_width == 0
        || !starting_block.is_power_of_two()
        || !largest_direct.is_power_of_two()
        || largest_direct < starting_block
        || !(1..=64).contains(&heap_bits)
    {
        return Err("heap of links has an impossible shape".to_string());
    }
    let mut heap = Heap {
        offset_bytes: heap_bits.div_ceil(8) as usize,
        length_bytes: (largest_direct.trailing_zeros().div_ceil(8) as usize)
            .min(bytes_for(largest_object)),
        table_width,
        starting_block,
        largest_direct,
        blocks: Vec::new(),
    };
    match root {
        None => {}
        Some(root) if rows == 0 => heap.blocks.push((0, starting_block, root)),
        Some(root) => indirect(bytes, widths, &mut heap, root, rows, &mut 0, 0)?,
    }
    Ok(heap)
}

fn indirect(
    bytes: &Bytes,
    widths: Widths,
    heap: &mut Heap,
    address: u64,
    rows: u64,
    start: &mut u64,
    depth: u32,
) -> Result<(), String> {
    if depth > DEEPEST || rows > 64 {
        return Err("heap of links is too deep".to_string());
    }
    let lead = 5 + widths.offset + heap.offset_bytes;
    let children = rows * heap.table_width;
    let block = bytes.take(address, lead as u64 + children * widths.offset as u64)?;
    if block[..4] != *b"FHIB" {
        return Err("heap of links has no block where it should".to_string());
    }
    let mut cursor = Cursor::new(&block[lead..]);
    for row in 0..rows {
        let size = heap.row(row)?;
        for _ in 0..heap.table_width {
            let child = widths.absolute(cursor.unsigned(widths.offset)?)?;
            let next = start.checked_add(size).ok_or("heap of links overflows")?;
            if let Some(child) = child {
                if size <= heap.largest_direct {
                    heap.blocks.push((*start, size, child));
                } else {
                    let span = size / (heap.starting_block * heap.table_width).max(1);
                    let below = u64::from(64 - span.max(1).leading_zeros());
                    indirect(
                        bytes,
                        widths,
                        heap,
                        child,
                        below,
                        &mut start.clone(),
                        depth + 1,
                    )?;
                }
            }
            *start = next;
        }
    }
    Ok(())
}
