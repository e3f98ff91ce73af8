//! Elements of variable length, which lie in global heap collections while the dataset holds only
//! references to them: number of elements, address of the collection, index of the object in it.

use std::collections::HashMap;

use super::bytes::Cursor;
use super::links::Widths;
use super::source::Bytes;

/// How many bytes of collections are kept at a time.
const KEPT: usize = 32 << 20;

/// Resolves references, keeping the collections that were used last.
pub(super) struct Heap<'a> {
    bytes: &'a Bytes,
    widths: Widths,
    collections: HashMap<u64, Collection>,
    kept: usize,
    /// How many bytes of elements may still be handed out: no sound file refers to more than it holds.
    left: u64,
}

struct Collection {
    bytes: Vec<u8>,
    /// Start and length in `bytes` of each object, by index.
    objects: HashMap<u16, (usize, usize)>,
}

impl<'a> Heap<'a> {
    pub(super) fn new(bytes: &'a Bytes, widths: Widths) -> Self {
        let left = bytes.length();
        Heap {
            bytes,
            widths,
            collections: HashMap::new(),
            kept: 0,
            left,
        }
    }

    /// Bytes of one reference.
    pub(super) fn reference_bytes(&self) -> usize {
        8 + self.widths.offset
    }

    /// Calls `each` with the bytes of every element that `references` names, in order. Elements are
    /// `element_bytes` wide.
    pub(super) fn visit(
        &mut self,
        references: &[u8],
        element_bytes: usize,
        mut each: impl FnMut(&[u8]) -> Result<(), String>,
    ) -> Result<(), String> {
        for (row, reference) in references.chunks_exact(self.reference_bytes()).enumerate() {
            let mut cursor = Cursor::new(reference);
            let count = cursor.unsigned(4)?;
            let address = cursor.unsigned(self.widths.offset)?;
            let index = cursor.unsigned(4)?;
            let length = count * element_bytes as u64;
            if length == 0 {
                each(&[])?;
                continue;
            }
            self.left = self.left.checked_sub(length).ok_or_else(|| {
                format!("element {row}: the elements are longer than the whole file")
            })?;
            let within = |reason: String| format!("element {row}: {reason}");
            let address = self.widths.position(address, "its heap").map_err(within)?;
            let object = self.object(address, index, length).map_err(within)?;
            each(object)?;
        }
        Ok(())
    }

    fn object(&mut self, address: u64, index: u64, length: u64) -> Result<&[u8], String> {
        if !self.collections.contains_key(&address) {
            let collection = Collection::read(self.bytes, self.widths, address)?;
            if self.kept + collection.bytes.len() > KEPT {
                self.collections.clear();
                self.kept = 0;
            }
            self.kept += collection.bytes.len();
            self.collections.insert(address, collection);
        }
        let collection = self.collections.get(&address).ok_or("its heap was lost")?;
        let place = u16::try_from(index)
            .ok()
            .and_then(|index| collection.objects.get(&index));
        let &(start, size) = place.ok_or_else(|| format!("its heap has no object {index}"))?;
        match usize::try_from(length) {
            Ok(length) if length <= size => Ok(&collection.bytes[start..start + length]),
            _ => Err(format!(
                "it declares {length} bytes, its heap object has {size}"
            )),
        }
    }
}

impl Collection {
    fn read(bytes: &Bytes, widths: Widths, address: u64) -> Result<Self, String> {
        let header = bytes.take(address, 8 + widths.length as u64)?;
        if header[..4] != *b"GCOL" || header[4] != 1 {
            return Err("it points to where no heap is".to_string());
        }
        let size = Cursor::new(&header[8..]).unsigned(widths.length)?;
        let bytes = bytes.take(address, size)?;
        let mut objects = HashMap::new();
        let lead = 8 + widths.length;
        let mut at = lead;
        while at + lead <= bytes.len() {
            let mut cursor = Cursor::new(&bytes[at..]);
            let index = u16::from_le_bytes([bytes[at], bytes[at + 1]]);
            cursor.skip(8)?;
            let length = cursor.unsigned(widths.length)?;
            if index == 0 {
                break;
            }
            let start = at + lead;
            let length = usize::try_from(length)
                .ok()
                .filter(|&length| length <= bytes.len() - start);
            let length = length.ok_or("its heap is damaged: an object runs past the end")?;
            objects.insert(index, (start, length));
            at = start + length.next_multiple_of(8);
        }
        Ok(Collection { bytes, objects })
    }
}
