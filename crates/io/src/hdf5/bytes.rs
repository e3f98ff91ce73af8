//! Little-endian numbers taken from a slice one after the other.

/// A place in a slice of bytes.
pub(super) struct Cursor<'a> {
    rest: &'a [u8],
}

impl<'a> Cursor<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Cursor { rest: bytes }
    }

    pub(super) fn left(&self) -> usize {
        self.rest.len()
    }

    pub(super) fn slice(&mut self, length: usize) -> Result<&'a [u8], String> {
        if length > self.rest.len() {
            return Err(format!(
                "cut short: {length} bytes wanted, {} there",
                self.rest.len()
            ));
        }
        let (taken, rest) = self.rest.split_at(length);
        self.rest = rest;
        Ok(taken)
    }

    pub(super) fn skip(&mut self, length: usize) -> Result<(), String> {
        self.slice(length).map(drop)
    }

    /// An unsigned number of 1 to 8 bytes.
    pub(super) fn unsigned(&mut self, width: usize) -> Result<u64, String> {
        let taken = self.slice(width)?;
        Ok(taken
            .iter()
            .rev()
            .fold(0, |value, &byte| (value << 8) | u64::from(byte)))
    }
}
