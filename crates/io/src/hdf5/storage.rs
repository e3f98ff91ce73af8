//! What an object header says of how an array is stored, as far as `hdf5-pure` does not: whether it has
//! a shape at all, and where the version 2 tree is that indexes chunks which may grow on several axes.

use super::bytes::Cursor;
use super::links::Widths;

/// How an array is stored.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Storage {
    /// Whether the array has neither a shape nor elements (a null dataspace).
    pub(super) null: bool,
    /// Its chunks, where a version 2 tree indexes them.
    pub(super) chunk_tree: Option<Box<ChunkTree>>,
}

/// Chunks that a version 2 tree indexes.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct ChunkTree {
    /// The position of the tree; `None` where nothing was written yet.
    pub(super) address: Option<u64>,
    /// The sizes of a chunk, in elements.
    pub(super) chunk: Vec<u64>,
    /// Bytes of one element.
    pub(super) element_bytes: u64,
    /// Whether chunks that stick out of the array are stored without their filters.
    pub(super) edges_unfiltered: bool,
    /// What an element is where nothing was written; empty for zeros.
    pub(super) fill: Vec<u8>,
}

/// Whether a dataspace message describes a null dataspace.
pub(super) fn is_null_dataspace(body: &[u8]) -> bool {
    // Only version 2 of the message has a type.
    matches!(body, [2, _, _, 2, ..])
}

/// The tree of chunks of a layout message; `None` where the layout is another.
pub(super) fn chunk_tree(body: &[u8], widths: Widths) -> Result<Option<Box<ChunkTree>>, String> {
    const CHUNKED: u64 = 2;
    const VERSION_2_TREE: u64 = 5;
    let mut cursor = Cursor::new(body);
    if !matches!(cursor.unsigned(1)?, 4 | 5) || cursor.unsigned(1)? != CHUNKED {
        return Ok(None);
    }
    let flags = cursor.unsigned(1)?;
    // The last size is that of an element, in bytes.
    let sizes = cursor.unsigned(1)?;
    let width = cursor.unsigned(1)? as usize;
    if sizes < 2 || !(1..=8).contains(&width) {
        return Err("its layout has an impossible shape".to_string());
    }
    let mut chunk = Vec::new();
    for _ in 0..sizes {
        chunk.push(cursor.unsigned(width)?);
    }
    if cursor.unsigned(1)? != VERSION_2_TREE {
        return Ok(None);
    }
    if chunk.contains(&0) {
        return Err("its chunks have no size".to_string());
    }
    // How full nodes are and when they are split: nothing to a reader.
    cursor.skip(6)?;
    Ok(Some(Box::new(ChunkTree {
        address: widths.absolute(cursor.unsigned(widths.offset)?)?,
        element_bytes: chunk.pop().unwrap_or(0),
        chunk,
        edges_unfiltered: flags & 1 != 0,
        fill: Vec::new(),
    })))
}

/// The value in a fill value message; empty where there is none.
pub(super) fn fill_value(body: &[u8]) -> Result<Vec<u8>, String> {
    let mut cursor = Cursor::new(body);
    let defined = match cursor.unsigned(1)? {
        3 => cursor.unsigned(1)? & 0x20 != 0,
        2 => {
            cursor.skip(2)?;
            cursor.unsigned(1)? != 0
        }
        1 => {
            cursor.skip(3)?;
            true
        }
        version => return Err(format!("fill value of the unknown version {version}")),
    };
    if !defined {
        return Ok(Vec::new());
    }
    let length = cursor.unsigned(4)? as usize;
    Ok(cursor.slice(length)?.to_vec())
}
