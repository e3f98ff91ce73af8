//! Tags, of which a FIF file is a list, and the blocks they stand in.
//!
//! A tag is a header of four big-endian 32-bit numbers, `kind`, `type`, `size` and `next`, then `size`
//! bytes. `next` is 0 where the next tag follows at once, -1 at the last tag, else the byte at which
//! the next tag stands. Tags of kind 104 and 105 open and close a block; blocks nest.
//!
//! Tags are walked in order and the directory at the end of a file is not used: a walk sees a lie of
//! the directory, and works on compressed streams too.

use std::io::{self, Read, Seek};

use super::codes::{block, kind};
use crate::source::{self, Fields};
use crate::{Error, Result};

/// Bytes of a tag's header.
pub(super) const HEADER: u64 = 16;
/// Deeper nesting is no recording.
const DEEPEST: usize = 32;

/// Where the bytes come from.
pub(crate) enum Bytes<'a> {
    /// A file or memory of known length.
    Plain(Box<dyn ReadSeek + 'a>, u64),
    /// A gzip stream, of which the compressed length is known.
    Packed(Box<dyn Read + 'a>, u64),
}

/// Both at once.
pub(crate) trait ReadSeek: Read + Seek {}
impl<T: Read + Seek> ReadSeek for T {}

/// The header of a tag.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Tag {
    pub(super) kind: i32,
    pub(super) coding: u32,
    pub(super) size: u64,
    /// Where the header stands.
    pub(super) at: u64,
    next: i32,
}

/// A walk over the tags of a file.
pub(crate) struct Tags<'a> {
    bytes: Bytes<'a>,
    pub(super) name: &'a str,
    position: u64,
    /// The open blocks, outermost first.
    blocks: Vec<i32>,
    last: Option<Tag>,
}

impl<'a> Tags<'a> {
    pub(crate) fn new(bytes: Bytes<'a>, name: &'a str) -> Self {
        Tags {
            bytes,
            name,
            position: 0,
            blocks: Vec::new(),
            last: None,
        }
    }

    /// The innermost open block; 0 outside of all.
    pub(super) fn block(&self) -> i32 {
        self.blocks.last().copied().unwrap_or(0)
    }

    /// Whether a block of this kind is open.
    pub(super) fn inside(&self, block: i32) -> bool {
        self.blocks.contains(&block)
    }

    /// The next tag; `None` after the last one. Blocks are opened and closed on the way.
    pub(super) fn next(&mut self) -> Result<Option<Tag>> {
        if let Some(last) = self.last {
            match last.next {
                0 => self.go_to(last.at + HEADER + last.size, &last)?,
                -1 => return self.finish(),
                place => {
                    let place = u64::try_from(place).unwrap_or(0);
                    if place < last.at + HEADER + last.size {
                        let reason = "the next tag is said to stand before this one ends";
                        return Err(self.wrong(&last, reason));
                    }
                    self.go_to(place, &last)?;
                }
            }
        }
        let at = self.position;
        let mut header = [0; HEADER as usize];
        let read = self.fill(&mut header)?;
        if read == 0 && at > 0 {
            // Some writers leave out the mark of the last tag.
            return self.finish();
        }
        if read < header.len() {
            let reason = "the file ends inside it; it is truncated";
            return Err(Error::malformed_at(self.name, "tag", at, reason));
        }
        let fields = Fields {
            bytes: &header,
            big_endian: true,
        };
        let kind = fields.i32(0);
        let size = fields.i32(8);
        let mut tag = Tag {
            kind,
            coding: fields.u32(4),
            size: 0,
            at,
            next: fields.i32(12),
        };
        tag.size =
            u64::try_from(size).map_err(|_| self.wrong(&tag, format!("a size of {size} bytes")))?;
        if at == 0 && kind != kind::FILE_ID {
            let reason = "the file does not begin with one";
            return Err(Error::malformed_at(
                self.name,
                "file identification",
                0,
                reason,
            ));
        }
        if tag.next < -1 {
            return Err(self.wrong(&tag, format!("next tag at byte {}", tag.next)));
        }
        if let Bytes::Plain(_, length) = &self.bytes {
            let left = length.saturating_sub(self.position);
            if tag.size > left {
                let size = tag.size;
                let reason =
                    format!("{size} bytes, but only {left} are left; the file is truncated");
                return Err(self.wrong(&tag, reason));
            }
        }
        self.last = Some(tag);
        match kind {
            kind::BLOCK_START => {
                let opened = self.whole(&tag)?;
                if self.blocks.len() >= DEEPEST {
                    return Err(self.wrong(&tag, "blocks nest too deeply"));
                }
                self.blocks.push(opened);
            }
            kind::BLOCK_END => {
                let closed = self.whole(&tag)?;
                if self.blocks.pop() != Some(closed) {
                    let reason = format!("closes block {closed}, which is not the open one");
                    return Err(self.wrong(&tag, reason));
                }
            }
            _ => {}
        }
        Ok(Some(tag))
    }

    fn finish(&mut self) -> Result<Option<Tag>> {
        match self.blocks.last() {
            None => Ok(None),
            Some(open) => {
                let reason = format!(
                    "the file ends before {} is closed; it is truncated",
                    block::name(*open)
                );
                Err(Error::malformed_at(
                    self.name,
                    "blocks",
                    self.position,
                    reason,
                ))
            }
        }
    }

    /// The content of the tag that was returned last, of at most `most` bytes.
    pub(super) fn content(&mut self, tag: &Tag, most: u64) -> Result<Vec<u8>> {
        if tag.size > most {
            let reason = format!("{} bytes, expected at most {most}", tag.size);
            return Err(self.wrong(tag, reason));
        }
        self.go_to(tag.at + HEADER, tag)?;
        // Within usize: `most` is small.
        let size = tag.size as usize;
        let content = match &mut self.bytes {
            Bytes::Plain(reader, _) => source::read_checked(reader, size),
            Bytes::Packed(reader, _) => source::read_growing(reader, size),
        };
        let content = content.map_err(|error| self.ended(tag, error))?;
        self.position += tag.size;
        Ok(content)
    }

    /// Exactly `N` bytes of content.
    fn exactly<const N: usize>(&mut self, tag: &Tag) -> Result<[u8; N]> {
        let content = self.content(tag, 1 << 10)?;
        content.try_into().map_err(|content: Vec<u8>| {
            let reason = format!("{} bytes, expected {N}", content.len());
            self.wrong(tag, reason)
        })
    }

    /// A whole number.
    pub(super) fn whole(&mut self, tag: &Tag) -> Result<i32> {
        Ok(i32::from_be_bytes(self.exactly(tag)?))
    }

    /// A number of either precision.
    pub(super) fn number(&mut self, tag: &Tag) -> Result<f64> {
        let value = match tag.size {
            8 => f64::from_be_bytes(self.exactly(tag)?),
            _ => f64::from(f32::from_be_bytes(self.exactly(tag)?)),
        };
        Ok(value)
    }

    /// Several whole numbers, at most `most`.
    pub(super) fn wholes(&mut self, tag: &Tag, most: u64) -> Result<Vec<i32>> {
        let content = self.content(tag, 4 * most)?;
        if content.len() % 4 != 0 {
            return Err(self.wrong(tag, format!("{} bytes, expected a multiple of 4", tag.size)));
        }
        let fields = Fields {
            bytes: &content,
            big_endian: true,
        };
        Ok((0..content.len() / 4)
            .map(|index| fields.i32(4 * index))
            .collect())
    }

    /// Several numbers of either precision, at most `most`.
    pub(super) fn numbers(&mut self, tag: &Tag, most: u64) -> Result<Vec<f64>> {
        let content = self.content(tag, 8 * most)?;
        let width = if tag.coding & 0xffff == super::codes::coding::DOUBLE {
            8
        } else {
            4
        };
        if content.len() % width != 0 {
            let reason = format!("{} bytes, expected a multiple of {width}", tag.size);
            return Err(self.wrong(tag, reason));
        }
        let fields = Fields {
            bytes: &content,
            big_endian: true,
        };
        Ok((0..content.len() / width)
            .map(|index| match width {
                8 => fields.f64(8 * index),
                _ => f64::from(fields.f32(4 * index)),
            })
            .collect())
    }

    /// Text, which the format keeps in Latin-1.
    pub(super) fn text(&mut self, tag: &Tag) -> Result<String> {
        const LONGEST: u64 = 16 << 20;
        let content = self.content(tag, LONGEST)?;
        let text: String = content.iter().map(|&byte| char::from(byte)).collect();
        Ok(text.trim_matches('\0').to_string())
    }

    /// Hands over the raw bytes from `from` to `from + bytes` in pieces of at most `piece` bytes, a
    /// multiple of which `bytes` need not be. Only forwards.
    pub(super) fn stream(
        &mut self,
        from: u64,
        bytes: u64,
        piece: usize,
        tag: &Tag,
        mut take: impl FnMut(&[u8]) -> Result<()>,
    ) -> Result<()> {
        self.go_to(from, tag)?;
        let mut buffer = vec![0; piece.min(usize::try_from(bytes).unwrap_or(piece))];
        let mut left = bytes;
        while left > 0 {
            let now = (buffer.len() as u64).min(left) as usize;
            let part = &mut buffer[..now];
            let read = match &mut self.bytes {
                Bytes::Plain(reader, _) => reader.read_exact(part),
                Bytes::Packed(reader, _) => reader.read_exact(part),
            };
            read.map_err(|error| self.ended(tag, error))?;
            take(&buffer[..now])?;
            left -= now as u64;
            self.position += now as u64;
        }
        Ok(())
    }

    /// Forwards to a byte of the file; `tag` is whom to blame where there is none.
    fn go_to(&mut self, place: u64, tag: &Tag) -> Result<()> {
        let Some(ahead) = place.checked_sub(self.position) else {
            // A seekable stream goes back to the content of the tag it has just passed.
            return match &mut self.bytes {
                Bytes::Plain(reader, _) => {
                    let moved = reader.seek(io::SeekFrom::Start(place));
                    moved.map_err(|error| self.ended(tag, error))?;
                    self.position = place;
                    Ok(())
                }
                Bytes::Packed(..) => Err(self.wrong(tag, "is read out of order")),
            };
        };
        let moved = match &mut self.bytes {
            Bytes::Plain(_, length) if place > *length => Err(io::ErrorKind::UnexpectedEof.into()),
            Bytes::Plain(reader, _) => reader.seek_relative(ahead as i64),
            Bytes::Packed(reader, packed) => {
                if place > source::expansion_limit(*packed) {
                    return Err(source::bomb(self.name, "the content", *packed));
                }
                match io::copy(&mut reader.take(ahead), &mut io::sink()) {
                    Ok(skipped) if skipped < ahead => Err(io::ErrorKind::UnexpectedEof.into()),
                    Ok(_) => Ok(()),
                    Err(error) => Err(error),
                }
            }
        };
        moved.map_err(|error| self.ended(tag, error))?;
        self.position = place;
        Ok(())
    }

    /// As many bytes as there are, up to the length of `buffer`.
    fn fill(&mut self, buffer: &mut [u8]) -> Result<usize> {
        let mut filled = 0;
        while filled < buffer.len() {
            let read = match &mut self.bytes {
                Bytes::Plain(reader, _) => reader.read(&mut buffer[filled..]),
                Bytes::Packed(reader, _) => reader.read(&mut buffer[filled..]),
            };
            match read {
                Ok(0) => break,
                Ok(read) => filled += read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(self.unreadable(error)),
            }
        }
        self.position += filled as u64;
        Ok(filled)
    }

    fn unreadable(&self, error: io::Error) -> Error {
        let packed = matches!(self.bytes, Bytes::Packed(..));
        let damaged = matches!(
            error.kind(),
            io::ErrorKind::UnexpectedEof | io::ErrorKind::InvalidInput | io::ErrorKind::InvalidData
        );
        if packed && damaged {
            let reason = format!("the gzip stream is damaged or truncated: {error}");
            return Error::malformed(self.name, "compression", reason);
        }
        Error::io(std::path::Path::new(self.name), error)
    }

    fn ended(&self, tag: &Tag, error: io::Error) -> Error {
        match error.kind() {
            io::ErrorKind::UnexpectedEof => {
                self.wrong(tag, "the file ends before it does; it is truncated")
            }
            _ => self.unreadable(error),
        }
    }

    /// What is wrong with a tag.
    pub(super) fn wrong(&self, tag: &Tag, reason: impl Into<String>) -> Error {
        let field = format!("{} (tag {})", kind::name(tag.kind), tag.kind);
        Error::malformed_at(self.name, field, tag.at, reason)
    }
}
