//! HDF5 files: groups, arrays, attributes, ragged arrays.
//!
//! [`open`] reads what is in the file; arrays are read when they are asked for. The format is
//! interpreted by the `hdf5-pure` crate, all of whose work is done behind walls (a limit on what is
//! read, a thread of its own) so that a damaged or hostile file ends in an [`Error`].
//! Links and elements of variable length are read here.

mod bytes;
mod chunk_tree;
mod fractal_heap;
mod heap;
mod inspect;
mod links;
mod ragged;
mod record_tree;
mod source;
mod storage;
mod tree;
mod types;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use hdf5_pure::Layout;
use ndarray::{ArrayD, IxDyn};

pub use inspect::inspect;
pub use ragged::Ragged;
pub use tree::{Attribute, Dataset, Kind, Object};
pub use types::{Element, ElementType, NumberKind, NumberType};

use chunk_tree::Chunks;
use heap::Heap;
use links::Widths;
use source::{Bytes, Shared, contained};
use tree::Tree;
use types::{decode, fixed_word};

use crate::source::{expansion_limit, name_of, open as source_of};
use crate::{Error, Result};

/// What may be read while a file is opened, beside a part that grows with it.
const METADATA: u64 = 96 << 20;
/// What may be read to get one array, beside a part that grows with the file.
const CONTENT: u64 = 64 << 20;
/// About how many bytes are decoded at a time.
const WINDOW: u64 = 8 << 20;

/// An open HDF5 file.
pub struct File {
    name: String,
    bytes: Arc<Bytes>,
    opened: hdf5_pure::File,
    widths: Widths,
    tree: Tree,
}

impl std::fmt::Debug for File {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("File")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

/// Opens a file and reads what is in it, not the arrays.
pub fn open(path: &Path) -> Result<File> {
    let (file, length) = source_of(path)?;
    File::new(name_of(path), Bytes::disk(file.into_inner(), length))
}

/// The same for bytes in memory; `name` is for messages.
pub fn parse(bytes: Vec<u8>, name: &str) -> Result<File> {
    File::new(name.to_string(), Bytes::memory(bytes))
}

impl File {
    fn new(name: String, bytes: Bytes) -> Result<Self> {
        let bytes = Arc::new(bytes);
        bytes.allow(METADATA + bytes.length() / 4);
        contained(&name, "structure", || {
            let damaged = |reason: String| Error::malformed(name.as_str(), "superblock", reason);
            let opened = hdf5_pure::File::from_source(Shared(bytes.clone()))
                .map_err(|error| damaged(error.to_string()))?;
            let superblock = opened.superblock();
            let widths = Widths {
                base: superblock.base_address.get(),
                offset: usize::from(superblock.offset_size),
                length: usize::from(superblock.length_size),
            };
            if ![2, 4, 8].contains(&widths.offset) || ![2, 4, 8].contains(&widths.length) {
                return Err(damaged(
                    "addresses are neither 2, 4 nor 8 bytes wide".to_string(),
                ));
            }
            if superblock.eof_address > bytes.length() {
                return Err(damaged(format!(
                    "cut short: the file should have {} bytes, there are {}",
                    superblock.eof_address,
                    bytes.length()
                )));
            }
            let tree = tree::walk(&name, &opened, &bytes, widths)?;
            Ok((opened, widths, tree))
        })
        .map(|(opened, widths, tree)| File {
            name: name.clone(),
            bytes,
            opened,
            widths,
            tree,
        })
    }

    /// The file's name, for messages.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The file's size in bytes.
    pub fn length(&self) -> u64 {
        self.bytes.length()
    }

    /// Every object with its path, in order of path; the root group is `/`. What lies behind a link
    /// is listed once, where it was met first.
    pub fn objects(&self) -> impl Iterator<Item = (&str, &Object)> {
        self.tree
            .iter()
            .map(|(path, object)| (path.as_str(), object))
    }

    /// The object that `path` leads to, links followed; `None` where there is nothing.
    pub fn object(&self, path: &str) -> Option<&Object> {
        tree::resolve(&self.tree, path)
            .ok()
            .and_then(|path| self.tree.get(&path))
    }

    /// The path at which the object that `path` leads to is listed.
    pub fn resolve(&self, path: &str) -> Result<String> {
        tree::resolve(&self.tree, path).map_err(|reason| {
            if reason.is_empty() {
                let (parent, _) = path.rsplit_once('/').unwrap_or(("/", path));
                Error::NotFound {
                    file: self.name.clone(),
                    what: "object",
                    name: path.to_string(),
                    available: self.children(parent),
                }
            } else {
                Error::malformed(self.name.as_str(), path, reason)
            }
        })
    }

    /// The names in the group at `path`, in order; none where there is no such group.
    pub fn children(&self, path: &str) -> Vec<String> {
        let Ok(path) = tree::resolve(&self.tree, path) else {
            return Vec::new();
        };
        let prefix = if path == "/" {
            path
        } else {
            format!("{path}/")
        };
        let inside = self
            .tree
            .range(prefix.clone()..)
            .map_while(|(path, _)| path.strip_prefix(&prefix));
        inside
            .filter(|name| !name.is_empty() && !name.contains('/'))
            .map(str::to_string)
            .collect()
    }

    /// The attributes of the object that `path` leads to.
    pub fn attributes(&self, path: &str) -> Option<&BTreeMap<String, Attribute>> {
        self.object(path).map(|object| &object.attributes)
    }

    /// One attribute of the object that `path` leads to.
    pub fn attribute(&self, path: &str, name: &str) -> Option<&Attribute> {
        self.attributes(path)?.get(name)
    }

    /// What is known of the array that `path` leads to.
    pub fn dataset(&self, path: &str) -> Result<&Dataset> {
        let found = self.resolve(path)?;
        match self.tree.get(&found).map(|object| &object.kind) {
            Some(Kind::Dataset(dataset)) => Ok(dataset),
            Some(Kind::Unreadable(reason)) => {
                Err(Error::malformed(self.name.as_str(), path, reason.as_str()))
            }
            _ => Err(Error::unsupported(self.name.as_str(), path, "not an array")),
        }
    }

    /// All numbers of an array, in its shape.
    pub fn read<T: Element>(&self, path: &str) -> Result<ArrayD<T>> {
        let dataset = self.dataset(path)?;
        let rows = dataset.shape.first().copied().unwrap_or(1);
        let values = self.read_rows(path, 0, rows)?;
        let shape: Option<Vec<usize>> = dataset
            .shape
            .iter()
            .map(|&size| usize::try_from(size).ok())
            .collect();
        shape
            .and_then(|shape| ArrayD::from_shape_vec(IxDyn(&shape), values).ok())
            .ok_or_else(|| Error::malformed(self.name.as_str(), path, "size and content differ"))
    }

    /// The numbers of `count` rows (places on the first axis) from row `start`, in row-major order;
    /// fewer where there are fewer rows.
    pub fn read_rows<T: Element>(&self, path: &str, start: u64, count: u64) -> Result<Vec<T>> {
        let dataset = self.dataset(path)?;
        let Some(number) = dataset.element.number() else {
            let reason = format!("holds {}, numbers were asked for", dataset.element);
            return Err(Error::unsupported(self.name.as_str(), path, reason));
        };
        let mut values = Vec::new();
        self.windows(path, start, count, |raw| {
            decode(raw, number, &mut values).map_err(|at| {
                let row = start + at as u64;
                format!("element {row} of {number} cannot be held by {}", T::NAME)
            })
        })?;
        Ok(values)
    }

    /// The words of an array, in row-major order.
    pub fn read_words(&self, path: &str) -> Result<Vec<String>> {
        let dataset = self.dataset(path)?;
        let rows = dataset.shape.first().copied().unwrap_or(1);
        let mut words = Vec::new();
        match dataset.element {
            ElementType::FixedWords { bytes, spaces } => {
                let width = usize::try_from(bytes).unwrap_or(usize::MAX).max(1);
                self.windows(path, 0, rows, |raw| {
                    words.extend(raw.chunks_exact(width).map(|word| fixed_word(word, spaces)));
                    Ok(())
                })?;
            }
            ElementType::Words => {
                let mut heap = Heap::new(&self.bytes, self.widths);
                self.windows(path, 0, rows, |raw| {
                    heap.visit(raw, 1, |word| {
                        words.push(fixed_word(word, false));
                        Ok(())
                    })
                })?;
            }
            _ => {
                let reason = format!("holds {}, words were asked for", dataset.element);
                return Err(Error::unsupported(self.name.as_str(), path, reason));
            }
        }
        Ok(words)
    }

    /// The lists of numbers in `count` rows of a ragged array, from row `start`.
    pub fn read_ragged<T: Element>(&self, path: &str, start: u64, count: u64) -> Result<Ragged<T>> {
        let dataset = self.dataset(path)?;
        let ElementType::Ragged(number) = dataset.element else {
            let reason = format!("holds {}, lists of numbers were asked for", dataset.element);
            return Err(Error::unsupported(self.name.as_str(), path, reason));
        };
        let mut ragged = Ragged::default();
        let mut heap = Heap::new(&self.bytes, self.widths);
        self.windows(path, start, count, |raw| {
            heap.visit(raw, number.bytes, |list| {
                ragged
                    .push_with(|values| decode(list, number, values))
                    .map_err(|at| format!("value {at} of {number} cannot be held by {}", T::NAME))
            })
        })?;
        Ok(ragged)
    }

    /// Hands the stored bytes of `count` rows from `start` to `each`, a few megabytes at a time.
    fn windows(
        &self,
        path: &str,
        start: u64,
        count: u64,
        mut each: impl FnMut(&[u8]) -> Result<(), String> + Send,
    ) -> Result<()> {
        let found = self.resolve(path)?;
        let dataset = self.dataset(path)?;
        let damaged = |reason: String| Error::malformed(self.name.as_str(), path, reason);
        let rows = dataset.shape.first().copied().unwrap_or(1);
        let start = start.min(rows);
        let stop = start.saturating_add(count).min(rows);
        let total = dataset
            .elements()
            .and_then(|elements| elements.checked_mul(dataset.element_bytes));
        let Some(total) = total else {
            return Err(damaged(format!(
                "declares the impossible shape {:?}",
                dataset.shape
            )));
        };
        if total == 0 || start == stop {
            return Ok(());
        }
        self.bytes
            .allow(CONTENT + self.bytes.length().saturating_mul(16));
        contained(&self.name, path, || {
            let opened = self
                .opened
                .dataset(&found)
                .map_err(|error| damaged(error.to_string()))?;
            let row_bytes = total / rows;
            let chunks = match &dataset.chunk_tree {
                Some(tree) if tree.element_bytes != dataset.element_bytes => {
                    return Err(damaged("its chunks do not fit its elements".to_string()));
                }
                Some(tree) => {
                    let filters = opened.filter_pipeline();
                    let (bytes, shape) = (&self.bytes, &dataset.shape);
                    let chunks = Chunks::find(tree, shape, filters, bytes, self.widths);
                    Some(chunks.map_err(damaged)?)
                }
                None => None,
            };
            let wanted = (stop - start) * row_bytes;
            self.check_size(path, dataset, &opened, chunks.as_ref(), wanted)?;
            // Whole chunks at a time, so that none is decoded twice.
            let step = dataset
                .chunks
                .as_ref()
                .and_then(|chunks| chunks.first())
                .copied()
                .unwrap_or(1);
            let step = step.clamp(1, rows);
            let window = (WINDOW / row_bytes.max(1) / step).max(1) * step;
            let mut at = start;
            while at < stop {
                let next = (at - at % step).saturating_add(window).min(stop);
                let raw = match &chunks {
                    Some(chunks) => chunks.rows(&self.bytes, at, next),
                    None => opened
                        .read_raw_rows(at, next - at)
                        .map_err(|error| error.to_string()),
                };
                let raw = raw.map_err(damaged)?;
                if raw.len() as u64 != (next - at) * row_bytes {
                    return Err(damaged(
                        "its content is shorter than it declares".to_string(),
                    ));
                }
                each(&raw).map_err(damaged)?;
                at = next;
            }
            Ok(())
        })
    }

    /// Refuses `total` bytes of an array where they are far more than what is stored of it, and
    /// chunks that lie outside the file: the crate makes room for a chunk before it looks.
    fn check_size(
        &self,
        path: &str,
        dataset: &Dataset,
        opened: &hdf5_pure::Dataset,
        chunks: Option<&Chunks<'_>>,
        total: u64,
    ) -> Result<()> {
        let damaged = |reason: String| Error::malformed(self.name.as_str(), path, reason);
        let length = self.bytes.length();
        let layout = opened
            .layout()
            .map_err(|error| damaged(error.to_string()))?;
        let (stored, declared) = match layout {
            Layout::Compact { size } => (size, total),
            Layout::Contiguous {
                address: Some(_),
                size,
            } => (size.min(length), total),
            Layout::Chunked { .. } => {
                let chunk = dataset.chunks.iter().flatten();
                let chunk = chunk.fold(dataset.element_bytes, |product, &size| {
                    product.saturating_mul(size)
                });
                let places: Vec<(u64, u64, &[u64])>;
                let listed;
                if let Some(chunks) = chunks {
                    places = chunks.places().collect();
                } else {
                    listed = opened
                        .chunks()
                        .map_err(|error| damaged(error.to_string()))?;
                    places = listed
                        .iter()
                        .map(|chunk| (chunk.address, chunk.storage_size, &chunk.offset[..]))
                        .collect();
                }
                let mut stored = 0_u64;
                for (address, size, offset) in places {
                    let end = address.checked_add(size);
                    if end.is_none_or(|end| end > length) {
                        return Err(damaged(format!(
                            "its chunk at {offset:?} lies past the end of the file"
                        )));
                    }
                    stored = stored.saturating_add(size);
                }
                (stored.min(length), total.max(chunk))
            }
            Layout::Virtual => {
                let reason = "a virtual dataset, whose values lie in other files: open those, or \
                              copy the values into an array of this file";
                return Err(Error::unsupported(self.name.as_str(), path, reason));
            }
            _ => (0, total),
        };
        let limit = expansion_limit(stored);
        if declared > limit {
            return Err(Error::TooLarge {
                file: self.name.clone(),
                field: format!("{path} (declares {declared} bytes, {stored} are stored)"),
                limit,
            });
        }
        Ok(())
    }
}
