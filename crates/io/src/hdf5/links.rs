//! The links of a group: names that lead to objects, to other names, or into other files.
//!
//! `hdf5-pure` passes over soft links, and cannot list a group of the old form that holds one; NWB
//! files have them wherever two series share their timestamps. So the links are read here: object
//! headers (versions 1 and 2), symbol tables, link messages, and the fractal heap that holds the
//! links of large groups. Everything else is left to the crate.

use super::bytes::Cursor;
use super::fractal_heap;
use super::source::Bytes;
use super::storage::{Storage, chunk_tree, fill_value, is_null_dataspace};

const DATASPACE: u16 = 0x01;
const DATATYPE: u16 = 0x03;
const FILL_VALUE: u16 = 0x05;
const LINK_INFO: u16 = 0x02;
const LINK: u16 = 0x06;
const LAYOUT: u16 = 0x08;
const ATTRIBUTE: u16 = 0x0c;
const CONTINUATION: u16 = 0x10;
const SYMBOL_TABLE: u16 = 0x11;

/// The most bytes of one object header that are looked at.
const LARGEST_HEADER: u64 = 16 << 20;
const LARGEST_NAME_HEAP: u64 = 64 << 20;
const DEEPEST_TREE: u32 = 32;
const MOST_LINKS: usize = 1 << 20;
/// The most bytes that the names of one group's links may take together.
const MOST_NAME_BYTES: usize = 32 << 20;

/// Where addresses start and how wide they are.
#[derive(Clone, Copy)]
pub(super) struct Widths {
    pub(super) base: u64,
    pub(super) offset: usize,
    pub(super) length: usize,
}

impl Widths {
    /// The position in the file of a stored address; `None` where it is the undefined address.
    pub(super) fn absolute(&self, stored: u64) -> Result<Option<u64>, String> {
        let undefined = u64::MAX >> (64 - 8 * self.offset);
        if stored == undefined {
            return Ok(None);
        }
        stored
            .checked_add(self.base)
            .map(Some)
            .ok_or_else(|| "address overflows".to_string())
    }

    /// The same where the structure must exist.
    pub(super) fn position(&self, stored: u64, what: &str) -> Result<u64, String> {
        self.absolute(stored)?
            .ok_or_else(|| format!("{what} has no address"))
    }
}

/// What a name in a group stands for.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Target {
    /// The object whose header is at this position.
    Object(u64),
    /// A path in the same file.
    Path(String),
    /// A path in another file.
    File { file: String, path: String },
}

/// What an object header describes.
#[derive(Debug, PartialEq)]
pub(super) enum Described {
    Group(Vec<(String, Target)>),
    Dataset(Storage),
    Datatype,
    Unknown,
}

/// An object header, as far as it is read here.
pub(super) struct Header {
    pub(super) described: Described,
    /// Attributes that refer to one object: name, and position of that object's header.
    pub(super) references: Vec<(String, u64)>,
}

/// Reads the object header at `address`, and the links where it is a group.
pub(super) fn describe(bytes: &Bytes, widths: Widths, address: u64) -> Result<Header, String> {
    let messages = messages(bytes, widths, address)?;
    let attributes = messages.iter().filter(|message| message.kind == ATTRIBUTE);
    // What cannot be made out here is for the crate to judge, which reads all attributes.
    let references = attributes
        .filter_map(|message| reference(&message.body, widths).ok().flatten())
        .collect();
    let described = object(bytes, widths, &messages)?;
    Ok(Header {
        described,
        references,
    })
}

fn object(bytes: &Bytes, widths: Widths, messages: &[Message]) -> Result<Described, String> {
    let has = |kind| messages.iter().any(|message| message.kind == kind);
    if has(LAYOUT) {
        return Ok(Described::Dataset(storage(widths, messages)?));
    }
    let mut links = Links::default();
    for message in messages {
        match message.kind {
            LINK => links.push(link(&message.body, widths)?)?,
            LINK_INFO => dense_links(bytes, widths, &message.body, &mut links)?,
            SYMBOL_TABLE => symbol_table(bytes, widths, &message.body, &mut links)?,
            _ => {}
        }
    }
    Ok(if has(SYMBOL_TABLE) || has(LINK_INFO) || has(LINK) {
        Described::Group(links.list)
    } else if has(DATATYPE) {
        Described::Datatype
    } else {
        Described::Unknown
    })
}

fn storage(widths: Widths, messages: &[Message]) -> Result<Storage, String> {
    let mut storage = Storage::default();
    let mut fill = Vec::new();
    for message in messages {
        match message.kind {
            DATASPACE => storage.null = is_null_dataspace(&message.body),
            LAYOUT if !message.body.is_empty() => {
                storage.chunk_tree = chunk_tree(&message.body, widths)?;
            }
            FILL_VALUE => fill = fill_value(&message.body).unwrap_or_default(),
            _ => {}
        }
    }
    if let Some(tree) = &mut storage.chunk_tree {
        tree.fill = fill;
    }
    Ok(storage)
}

/// Links as they are gathered. Many names may lie over each other in a name heap, so what they take
/// together is counted.
#[derive(Default)]
struct Links {
    list: Vec<(String, Target)>,
    name_bytes: usize,
}

impl Links {
    fn push(&mut self, (name, target): (String, Target)) -> Result<(), String> {
        self.name_bytes += name.len();
        if let Target::Path(path) = &target {
            self.name_bytes += path.len();
        }
        if self.list.len() >= MOST_LINKS || self.name_bytes > MOST_NAME_BYTES {
            return Err("group lists more names than a sound file has".to_string());
        }
        self.list.push((name, target));
        Ok(())
    }
}

struct Message {
    kind: u16,
    body: Vec<u8>,
}

fn messages(bytes: &Bytes, widths: Widths, address: u64) -> Result<Vec<Message>, String> {
    let signature = bytes.take(address, 4)?;
    let second = signature == *b"OHDR";
    let mut found = Vec::new();
    let mut blocks = Vec::new();
    let ordered = if second {
        let prefix = bytes.take(address, 6)?;
        let flags = prefix[5];
        if prefix[4] != 2 {
            return Err(format!("object header version {} is not known", prefix[4]));
        }
        let mut at = address + 6;
        at += if flags & 0x20 != 0 { 16 } else { 0 };
        at += if flags & 0x10 != 0 { 4 } else { 0 };
        let width = 1_u64 << (flags & 3);
        let size = Cursor::new(&bytes.take(at, width)?).unsigned(width as usize)?;
        blocks.push((at + width, size));
        flags & 4 != 0
    } else {
        let prefix = bytes.take(address, 16)?;
        if prefix[0] != 1 {
            return Err("there is no object header where a link points".to_string());
        }
        let size = Cursor::new(&prefix[8..12]).unsigned(4)?;
        blocks.push((address + 16, size));
        false
    };
    let mut total = 0;
    let mut next = 0;
    while next < blocks.len() {
        let (at, size) = blocks[next];
        next += 1;
        total += size;
        if total > LARGEST_HEADER {
            return Err("object header is larger than 16 MiB or goes round in circles".to_string());
        }
        let block = bytes.take(at, size)?;
        let mut cursor = Cursor::new(&block);
        // A gap smaller than a message's own header may end a block.
        while cursor.left() >= if second { 4 } else { 8 } {
            let (kind, length, shared);
            if second {
                kind = cursor.unsigned(1)? as u16;
                length = cursor.unsigned(2)? as usize;
                shared = cursor.unsigned(1)? & 2 != 0;
                cursor.skip(if ordered { 2 } else { 0 })?;
            } else {
                kind = cursor.unsigned(2)? as u16;
                length = cursor.unsigned(2)? as usize;
                shared = cursor.unsigned(1)? & 2 != 0;
                cursor.skip(3)?;
            }
            let body = cursor.slice(length)?;
            match kind {
                CONTINUATION => {
                    let mut body = Cursor::new(body);
                    let start = body.unsigned(widths.offset)?;
                    let start = widths.position(start, "object header continuation")?;
                    let size = body.unsigned(widths.length)?;
                    // Version 2 continuations carry a signature before and a checksum behind.
                    blocks.push(if second {
                        (start.saturating_add(4), size.saturating_sub(8))
                    } else {
                        (start, size)
                    });
                }
                LINK | LINK_INFO | SYMBOL_TABLE | ATTRIBUTE => {
                    found.push(Message {
                        kind,
                        body: body.to_vec(),
                    });
                }
                // The layouts of old, some with their content in them, are left to the crate.
                LAYOUT if matches!(body, [4 | 5, 2, ..]) => found.push(Message {
                    kind,
                    body: body.to_vec(),
                }),
                DATASPACE | FILL_VALUE if !shared => found.push(Message {
                    kind,
                    body: body.to_vec(),
                }),
                LAYOUT | DATATYPE => found.push(Message {
                    kind,
                    body: Vec::new(),
                }),
                _ => {}
            }
        }
    }
    Ok(found)
}

/// Name and target of an attribute message that holds one object reference.
fn reference(body: &[u8], widths: Widths) -> Result<Option<(String, u64)>, String> {
    let mut cursor = Cursor::new(body);
    let version = cursor.unsigned(1)?;
    let shared = cursor.unsigned(1)? & 3 != 0;
    if !(1..=3).contains(&version) || (version > 1 && shared) {
        return Ok(None);
    }
    let name_length = cursor.unsigned(2)? as usize;
    let type_length = cursor.unsigned(2)? as usize;
    let space_length = cursor.unsigned(2)? as usize;
    cursor.skip(if version == 3 { 1 } else { 0 })?;
    // In version 1 every part is filled up to a multiple of eight bytes.
    let filled = |length: usize| {
        if version == 1 {
            length.next_multiple_of(8)
        } else {
            length
        }
    };
    let name = cursor.slice(filled(name_length))?;
    let datatype = cursor.slice(filled(type_length))?;
    cursor.skip(filled(space_length))?;
    const REFERENCE_CLASS: u8 = 7;
    let object_reference = matches!(datatype, [class, 0, ..] if class & 0x0f == REFERENCE_CLASS);
    if !object_reference || cursor.left() != filled(widths.offset) {
        return Ok(None);
    }
    let end = name
        .iter()
        .position(|&byte| byte == 0)
        .unwrap_or(name.len());
    let name = String::from_utf8_lossy(&name[..end]).into_owned();
    Ok(widths
        .absolute(cursor.unsigned(widths.offset)?)?
        .map(|address| (name, address)))
}

/// A link message.
pub(super) fn link(body: &[u8], widths: Widths) -> Result<(String, Target), String> {
    let mut cursor = Cursor::new(body);
    if cursor.unsigned(1)? != 1 {
        return Err("link message of an unknown version".to_string());
    }
    let flags = cursor.unsigned(1)?;
    let kind = if flags & 0x08 != 0 {
        cursor.unsigned(1)?
    } else {
        0
    };
    cursor.skip(if flags & 0x04 != 0 { 8 } else { 0 })?;
    cursor.skip(if flags & 0x10 != 0 { 1 } else { 0 })?;
    let length = cursor.unsigned(1 << (flags & 3))?;
    let length = usize::try_from(length).map_err(|error| error.to_string())?;
    let name = String::from_utf8_lossy(cursor.slice(length)?).into_owned();
    let target = match kind {
        0 => Target::Object(widths.position(cursor.unsigned(widths.offset)?, "a linked object")?),
        1 => {
            let length = cursor.unsigned(2)? as usize;
            Target::Path(String::from_utf8_lossy(cursor.slice(length)?).into_owned())
        }
        64 => {
            let length = cursor.unsigned(2)? as usize;
            let value = cursor.slice(length)?;
            let mut parts = value.get(1..).unwrap_or_default().split(|&byte| byte == 0);
            let mut part =
                || String::from_utf8_lossy(parts.next().unwrap_or_default()).into_owned();
            Target::File {
                file: part(),
                path: part(),
            }
        }
        other => return Err(format!("link {name:?} is of the unknown kind {other}")),
    };
    Ok((name, target))
}

fn dense_links(
    bytes: &Bytes,
    widths: Widths,
    body: &[u8],
    links: &mut Links,
) -> Result<(), String> {
    let mut cursor = Cursor::new(body);
    cursor.skip(1)?;
    let flags = cursor.unsigned(1)?;
    cursor.skip(if flags & 1 != 0 { 8 } else { 0 })?;
    let heap = widths.absolute(cursor.unsigned(widths.offset)?)?;
    let index = widths.absolute(cursor.unsigned(widths.offset)?)?;
    if let (Some(heap), Some(index)) = (heap, index) {
        for message in fractal_heap::objects(bytes, widths, heap, index)? {
            links.push(link(&message, widths)?)?;
        }
    }
    Ok(())
}

fn symbol_table(
    bytes: &Bytes,
    widths: Widths,
    body: &[u8],
    links: &mut Links,
) -> Result<(), String> {
    let mut cursor = Cursor::new(body);
    let tree = widths.position(cursor.unsigned(widths.offset)?, "symbol table tree")?;
    let heap = widths.position(cursor.unsigned(widths.offset)?, "symbol table heap")?;
    let header = bytes.take(heap, (8 + 2 * widths.length + widths.offset) as u64)?;
    if header[..4] != *b"HEAP" {
        return Err("group has no name heap where its header says".to_string());
    }
    let mut cursor = Cursor::new(&header[8..]);
    let size = cursor.unsigned(widths.length)?;
    if size > LARGEST_NAME_HEAP {
        return Err(format!("group's name heap declares {size} bytes"));
    }
    cursor.skip(widths.length)?;
    let segment = widths.position(cursor.unsigned(widths.offset)?, "name heap segment")?;
    let names = bytes.take(segment, size)?;
    symbol_tree(bytes, widths, tree, &names, 0, links)
}

fn symbol_tree(
    bytes: &Bytes,
    widths: Widths,
    address: u64,
    names: &[u8],
    depth: u32,
    links: &mut Links,
) -> Result<(), String> {
    if depth > DEEPEST_TREE {
        return Err("group's tree of names is too deep or goes round in circles".to_string());
    }
    let header = bytes.take(address, 8)?;
    if header[..4] == *b"SNOD" {
        let count = u64::from(u16::from_le_bytes([header[6], header[7]]));
        let entry = widths.length + widths.offset + 24;
        let block = bytes.take(address + 8, count * entry as u64)?;
        for entry in block.chunks_exact(entry) {
            let mut cursor = Cursor::new(entry);
            let name = word(names, cursor.unsigned(widths.length)?)?;
            let object = cursor.unsigned(widths.offset)?;
            let kind = cursor.unsigned(4)?;
            cursor.skip(4)?;
            let target = if kind == 2 {
                Target::Path(word(names, cursor.unsigned(4)?)?)
            } else {
                Target::Object(widths.position(object, "a linked object")?)
            };
            links.push((name, target))?;
        }
        return Ok(());
    }
    if header[..4] != *b"TREE" || header[4] != 0 {
        return Err("group has no tree of names where its header says".to_string());
    }
    let count = u64::from(u16::from_le_bytes([header[6], header[7]]));
    let start = address + 8 + 2 * widths.offset as u64;
    let step = (widths.length + widths.offset) as u64;
    let block = bytes.take(start, count * step)?;
    for pair in block.chunks_exact(widths.length + widths.offset) {
        let child = Cursor::new(&pair[widths.length..]).unsigned(widths.offset)?;
        let child = widths.position(child, "a node of the tree of names")?;
        symbol_tree(bytes, widths, child, names, depth + 1, links)?;
    }
    Ok(())
}

fn word(names: &[u8], offset: u64) -> Result<String, String> {
    let rest = usize::try_from(offset)
        .ok()
        .and_then(|offset| names.get(offset..));
    let rest = rest.ok_or_else(|| "a link's name lies outside the name heap".to_string())?;
    let end = rest
        .iter()
        .position(|&byte| byte == 0)
        .unwrap_or(rest.len());
    Ok(String::from_utf8_lossy(&rest[..end]).into_owned())
}
