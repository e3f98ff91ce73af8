//! The version 2 B-tree: records of one size in order, which index links by name and chunks by place.
//!
//! A header (`BTHD`) gives the sizes, inner nodes (`BTIN`) hold records and pointers to their children,
//! leaves (`BTLF`) records alone. How many bytes a pointer takes follows from how much a node can hold.
//! Source: HDF5 File Format Specification 3.0, section III.A.2.

use super::bytes::Cursor;
use super::links::Widths;
use super::source::Bytes;

/// The most records of one tree that are read.
const MOST_RECORDS: u64 = 1 << 20;

/// What the records of a tree are.
pub(super) struct Records {
    /// In words, for messages.
    pub(super) what: &'static str,
    /// The type in the tree's header.
    pub(super) kind: u8,
    /// The fewest bytes a record can have.
    pub(super) shortest: usize,
}

/// Hands every record of the tree at `address` to `each`, which may rely on their shortest size.
pub(super) fn visit(
    bytes: &Bytes,
    widths: Widths,
    address: u64,
    records: &Records,
    each: &mut dyn FnMut(&[u8]) -> Result<(), String>,
) -> Result<(), String> {
    let what = records.what;
    let header = bytes.take(address, (22 + widths.offset + widths.length) as u64)?;
    if header[..4] != *b"BTHD" || header[5] != records.kind {
        return Err(format!("there is no {what} where the header says"));
    }
    let mut cursor = Cursor::new(&header[6..]);
    let node = cursor.unsigned(4)?;
    let record = cursor.unsigned(2)? as usize;
    let depth = cursor.unsigned(2)?;
    cursor.skip(2)?;
    let root = widths.absolute(cursor.unsigned(widths.offset)?)?;
    let root_records = cursor.unsigned(2)?;
    let total = cursor.unsigned(widths.length)?;
    if record < records.shortest || node < 16 || depth > 16 || total > MOST_RECORDS {
        return Err(format!("{what} has an impossible shape"));
    }
    // How many records a node of each level can hold, and in how many bytes that is counted.
    let leaf = (node - 10) / record as u64;
    let mut below = vec![leaf];
    for level in 1..=depth as usize {
        let pointer = widths.offset
            + bytes_for(leaf)
            + if level > 1 {
                bytes_for(below[level - 1])
            } else {
                0
            };
        let records = (node - 10).saturating_sub(pointer as u64) / (record + pointer) as u64;
        let children = records.saturating_add(1).saturating_mul(below[level - 1]);
        below.push(children.saturating_add(records));
    }
    let Some(root) = root else {
        return Ok(());
    };
    let mut tree = Tree {
        bytes,
        widths,
        what,
        record,
        leaf,
        below,
        left: total,
        each,
    };
    tree.node(root, root_records, depth as usize)
}

/// The fewest bytes in which `largest` can be written.
pub(super) fn bytes_for(largest: u64) -> usize {
    (64 - largest.leading_zeros()).div_ceil(8).max(1) as usize
}

struct Tree<'a> {
    bytes: &'a Bytes,
    widths: Widths,
    what: &'static str,
    record: usize,
    leaf: u64,
    below: Vec<u64>,
    /// Records that are still to come.
    left: u64,
    each: &'a mut dyn FnMut(&[u8]) -> Result<(), String>,
}

impl Tree<'_> {
    fn node(&mut self, address: u64, records: u64, level: usize) -> Result<(), String> {
        let signature: &[u8; 4] = if level == 0 { b"BTLF" } else { b"BTIN" };
        let count_bytes = bytes_for(self.leaf);
        let total_bytes = if level > 1 {
            bytes_for(self.below[level - 1])
        } else {
            0
        };
        let pointer = self.widths.offset + count_bytes + total_bytes;
        let children = if level == 0 { 0 } else { records + 1 };
        let length = 6 + records * self.record as u64 + children * pointer as u64;
        let block = self.bytes.take(address, length)?;
        if block[..4] != *signature {
            return Err(format!("{} has no node where it should", self.what));
        }
        self.left = self
            .left
            .checked_sub(records)
            .ok_or_else(|| format!("{} holds more than it declares", self.what))?;
        let mut cursor = Cursor::new(&block[6..]);
        for _ in 0..records {
            (self.each)(cursor.slice(self.record)?)?;
        }
        for _ in 0..children {
            let child = cursor.unsigned(self.widths.offset)?;
            let child = self.widths.position(child, self.what)?;
            let records = cursor.unsigned(count_bytes)?;
            cursor.skip(total_bytes)?;
            self.node(child, records, level - 1)?;
        }
        Ok(())
    }
}
