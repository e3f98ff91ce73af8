//! The fractal heap that keeps the links of large groups, with the version 2 tree that indexes it.

use super::bytes::Cursor;
use super::links::Widths;
use super::source::Bytes;

/// The most links of one group that are read.
const MOST_OBJECTS: u64 = 1 << 20;
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
    for id in ids(bytes, widths, index)? {
        objects.push(heap.object(bytes, &id)?);
    }
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

fn bytes_for(largest: u64) -> usize {
    (64 - largest.leading_zeros()).div_ceil(8).max(1) as usize
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

/// The heap ids of the tree's records, in order of name hash.
fn ids(bytes: &Bytes, widths: Widths, address: u64) -> Result<Vec<Vec<u8>>, String> {
    let header = bytes.take(address, (22 + widths.offset + widths.length) as u64)?;
    if header[..4] != *b"BTHD" || header[5] != 5 {
        return Err("group has no index of names where its header says".to_string());
    }
    let mut cursor = Cursor::new(&header[6..]);
    let node = cursor.unsigned(4)?;
    let record = cursor.unsigned(2)? as usize;
    let depth = cursor.unsigned(2)?;
    cursor.skip(2)?;
    let root = widths.absolute(cursor.unsigned(widths.offset)?)?;
    let root_records = cursor.unsigned(2)?;
    let total = cursor.unsigned(widths.length)?;
    if record < 5 || node < 16 || depth > 16 || total > MOST_OBJECTS {
        return Err("index of names has an impossible shape".to_string());
    }
    // How many records a node of each level can hold, and in how many bytes that is counted.
    let mut most = vec![(node - 10) / record as u64];
    let mut below = vec![most[0]];
    for level in 1..=depth as usize {
        let pointer = widths.offset
            + bytes_for(most[0])
            + if level > 1 {
                bytes_for(below[level - 1])
            } else {
                0
            };
        let records = (node - 10).saturating_sub(pointer as u64) / (record + pointer) as u64;
        most.push(records);
        let children = records.saturating_add(1).saturating_mul(below[level - 1]);
        below.push(children.saturating_add(records));
    }
    let mut found = Vec::new();
    if let Some(root) = root {
        let tree = Tree {
            bytes,
            widths,
            record,
            most: most[0],
            below,
            total,
        };
        tree.node(root, root_records, depth as usize, &mut found)?;
    }
    Ok(found)
}

struct Tree<'a> {
    bytes: &'a Bytes,
    widths: Widths,
    record: usize,
    most: u64,
    below: Vec<u64>,
    total: u64,
}

impl Tree<'_> {
    fn node(
        &self,
        address: u64,
        records: u64,
        level: usize,
        found: &mut Vec<Vec<u8>>,
    ) -> Result<(), String> {
        let signature: &[u8; 4] = if level == 0 { b"BTLF" } else { b"BTIN" };
        let count_bytes = bytes_for(self.most);
        let total_bytes = if level > 1 {
            bytes_for(self.below[level - 1])
        } else {
            0
        };
        let pointer = self.widths.offset + count_bytes + total_bytes;
        let pointers = if level == 0 {
            0
        } else {
            (records + 1) * pointer as u64
        };
        let block = self
            .bytes
            .take(address, 6 + records * self.record as u64 + pointers)?;
        if block[..4] != *signature {
            return Err("index of names has no node where it should".to_string());
        }
        let mut cursor = Cursor::new(&block[6..]);
        for _ in 0..records {
            // A record is the hash of the name, then the heap id.
            found.push(cursor.slice(self.record)?[4..].to_vec());
        }
        if found.len() as u64 > self.total {
            return Err("index of names holds more than it declares".to_string());
        }
        for _ in 0..pointers / pointer as u64 {
            let child = cursor.unsigned(self.widths.offset)?;
            let child = self
                .widths
                .position(child, "a node of the index of names")?;
            let records = cursor.unsigned(count_bytes)?;
            cursor.skip(total_bytes)?;
            self.node(child, records, level - 1, found)?;
        }
        Ok(())
    }
}
