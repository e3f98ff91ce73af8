//! What is in a file: its groups, datasets, links and attributes, read once when it is opened.

use std::collections::{BTreeMap, HashMap};

use hdf5_pure::{AttrValue, Layout};

use super::links::{Described, Target, Widths, describe};
use super::source::Bytes;
use super::storage::{ChunkTree, Storage};
use super::types::ElementType;
use crate::error::{Error, Result};

/// The most objects of one file that are listed.
const MOST_OBJECTS: usize = 200_000;
/// The most groups inside one another.
const DEEPEST: usize = 64;
/// The most bytes that all paths may take together.
const MOST_PATH_BYTES: usize = 32 << 20;
/// Groups with more links than this are opened as a whole.
const FEW_LINKS: usize = 8;
/// The most soft links that may lead to one another.
const MOST_HOPS: usize = 16;

/// A group, dataset, link or named type.
#[derive(Clone, Debug, PartialEq)]
pub struct Object {
    /// What it is.
    pub kind: Kind,
    /// Its attributes, by name.
    pub attributes: BTreeMap<String, Attribute>,
}

/// What an object is.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Kind {
    /// A group.
    Group,
    /// An array.
    Dataset(Dataset),
    /// An array that is stored in a way that is not read; the reason in words.
    Unreadable(String),
    /// A type with a name of its own.
    Datatype,
    /// Another name for the object at this path: a soft link, or a further hard link to an object
    /// that was met before (which is how circles look).
    Link(String),
    /// A link into another file.
    ExternalLink {
        /// The other file.
        file: String,
        /// The path in it.
        path: String,
    },
}

/// What is known of an array before it is read.
#[derive(Clone, Debug, PartialEq)]
pub struct Dataset {
    /// Its sizes, slowest axis first; none for a scalar.
    pub shape: Vec<u64>,
    /// What its elements are.
    pub element: ElementType,
    /// Bytes of one stored element.
    pub element_bytes: u64,
    /// The sizes of its chunks, where it is stored in chunks.
    pub chunks: Option<Vec<u64>>,
    /// How its chunks are compressed or checked, in order, e.g. `deflate`.
    pub filters: Vec<String>,
    /// Its chunks, where they are read here.
    pub(super) chunk_tree: Option<Box<ChunkTree>>,
}

impl Dataset {
    /// The number of elements; `None` where it overflows.
    pub fn elements(&self) -> Option<u64> {
        self.shape
            .iter()
            .try_fold(1_u64, |product, &size| product.checked_mul(size))
    }
}

/// The value of an attribute: a list, of length one for a scalar.
#[derive(Clone, Debug, PartialEq)]
pub enum Attribute {
    /// Numbers.
    Numbers(Vec<f64>),
    /// Words.
    Words(Vec<String>),
    /// The path of the object it refers to.
    Object(String),
    /// A value of a type that is not read.
    Other,
}

impl Attribute {
    /// The first number.
    pub fn number(&self) -> Option<f64> {
        match self {
            Attribute::Numbers(values) => values.first().copied(),
            _ => None,
        }
    }

    /// The first word.
    pub fn word(&self) -> Option<&str> {
        match self {
            Attribute::Words(values) => values.first().map(String::as_str),
            _ => None,
        }
    }
}

/// All objects of a file by path; the root group is `/`.
pub(super) type Tree = BTreeMap<String, Object>;

/// Walks the whole file. `file` is its name for messages.
pub(super) fn walk(
    file: &str,
    opened: &hdf5_pure::File,
    bytes: &Bytes,
    widths: Widths,
) -> Result<Tree> {
    // The crate has already added the base address to this one.
    let root = opened.superblock().root_group_address;
    let mut walk = Walk {
        file,
        bytes,
        widths,
        tree: Tree::new(),
        seen: HashMap::from([(root, "/".to_string())]),
        references: Vec::new(),
        path_bytes: 0,
    };
    let header =
        describe(bytes, widths, root).map_err(|reason| Error::malformed(file, "/", reason))?;
    let Described::Group(links) = header.described else {
        return Err(Error::malformed(file, "/", "the root is not a group"));
    };
    walk.group(&opened.root(), "/", links, 0)?;
    Ok(walk.finish())
}

struct Walk<'a> {
    file: &'a str,
    bytes: &'a Bytes,
    widths: Widths,
    tree: Tree,
    /// Paths of the objects met so far, by position of their header.
    seen: HashMap<u64, String>,
    /// Attributes that refer to objects: path, attribute, position of the object's header.
    references: Vec<(String, String, u64)>,
    path_bytes: usize,
}

impl Walk<'_> {
    /// Once every object has its path, attributes that refer to objects can say where those are.
    fn finish(mut self) -> Tree {
        for (path, name, address) in self.references {
            let attributes = self
                .tree
                .get_mut(&path)
                .map(|object| &mut object.attributes);
            let attribute = attributes.and_then(|attributes| attributes.get_mut(&name));
            if let (Some(attribute @ Attribute::Other), Some(target)) =
                (attribute, self.seen.get(&address))
            {
                *attribute = Attribute::Object(target.clone());
            }
        }
        self.tree
    }

    fn add(&mut self, path: String, object: Object) -> Result<()> {
        self.path_bytes += path.len();
        if self.tree.len() >= MOST_OBJECTS || self.path_bytes > MOST_PATH_BYTES {
            let reason = format!("more than {MOST_OBJECTS} objects, or very long names");
            return Err(Error::malformed(self.file, "/", reason));
        }
        self.tree.insert(path, object);
        Ok(())
    }

    fn group(
        &mut self,
        group: &hdf5_pure::Group,
        path: &str,
        links: Vec<(String, Target)>,
        depth: usize,
    ) -> Result<()> {
        let damaged =
            |reason: hdf5_pure::Error| Error::malformed(self.file, path, reason.to_string());
        if depth > DEEPEST {
            let reason = format!("more than {DEEPEST} groups inside one another");
            return Err(Error::malformed(self.file, path, reason));
        }
        let attributes = attributes(
            group.attrs().map_err(damaged)?,
            group.attr_datatypes().map_err(damaged)?.into_keys(),
        );
        self.add(
            path.to_string(),
            Object {
                kind: Kind::Group,
                attributes,
            },
        )?;

        // Opening each member by name searches the group anew, so all are opened at once where the
        // crate can: it cannot where a group of the old form holds a soft link.
        let mut groups: HashMap<String, hdf5_pure::Group> = HashMap::new();
        let mut datasets: HashMap<String, hdf5_pure::Dataset> = HashMap::new();
        if links.len() > FEW_LINKS
            && let (Ok(all_groups), Ok(all_datasets)) = (group.iter_groups(), group.iter_datasets())
        {
            groups = all_groups.collect();
            datasets = all_datasets.collect();
        }

        let prefix = if path == "/" { "" } else { path };
        for (name, target) in links {
            let child = format!("{prefix}/{name}");
            let damaged = |reason: String| Error::malformed(self.file, child.as_str(), reason);
            let broken = |reason: hdf5_pure::Error| damaged(reason.to_string());
            let address = match target {
                Target::Object(address) => address,
                Target::Path(target) => {
                    let target = absolute(path, &target);
                    self.add(
                        child,
                        Object {
                            kind: Kind::Link(target),
                            attributes: BTreeMap::new(),
                        },
                    )?;
                    continue;
                }
                Target::File { file, path } => {
                    let kind = Kind::ExternalLink { file, path };
                    self.add(
                        child,
                        Object {
                            kind,
                            attributes: BTreeMap::new(),
                        },
                    )?;
                    continue;
                }
            };
            if let Some(first) = self.seen.get(&address) {
                let kind = Kind::Link(first.clone());
                self.add(
                    child,
                    Object {
                        kind,
                        attributes: BTreeMap::new(),
                    },
                )?;
                continue;
            }
            let header = describe(self.bytes, self.widths, address).map_err(damaged)?;
            self.references.extend(
                header
                    .references
                    .into_iter()
                    .map(|(name, address)| (child.clone(), name, address)),
            );
            match header.described {
                Described::Group(links) => {
                    let found = match groups.remove(&name) {
                        Some(found) => found,
                        None => group.group(&name).map_err(broken)?,
                    };
                    self.seen.insert(address, child.clone());
                    self.group(&found, &child, links, depth + 1)?;
                }
                Described::Dataset(storage) => {
                    let found = match datasets.remove(&name) {
                        Some(found) => Ok(found),
                        None => group.dataset(&name),
                    };
                    // One array that cannot be made out says nothing about the others.
                    let object = found
                        .and_then(|found| dataset(&found, storage))
                        .unwrap_or_else(|reason| Object {
                            kind: Kind::Unreadable(reason.to_string()),
                            attributes: BTreeMap::new(),
                        });
                    self.seen.insert(address, child.clone());
                    self.add(child, object)?;
                }
                Described::Datatype => {
                    self.seen.insert(address, child.clone());
                    self.add(
                        child,
                        Object {
                            kind: Kind::Datatype,
                            attributes: BTreeMap::new(),
                        },
                    )?;
                }
                Described::Unknown => {
                    return Err(damaged("neither group, dataset nor type".to_string()));
                }
            }
        }
        Ok(())
    }
}

fn dataset(dataset: &hdf5_pure::Dataset, storage: Storage) -> Result<Object, hdf5_pure::Error> {
    let datatype = dataset.datatype()?;
    // A layout the crate does not know (HDF5 2.0 has one) is for the reading of this array to refuse.
    let chunks = match dataset.layout() {
        Ok(Layout::Chunked { chunk_shape, .. }) => Some(chunk_shape),
        _ => None,
    };
    let filters = dataset.filter_pipeline().iter().map(filter_name).collect();
    let described = Dataset {
        // What has no shape at all holds no elements.
        shape: if storage.null {
            vec![0]
        } else {
            dataset.shape()?
        },
        element: ElementType::of(&datatype),
        element_bytes: u64::from(datatype.type_size()),
        chunks,
        filters,
        chunk_tree: storage.chunk_tree,
    };
    let attributes = attributes(dataset.attrs()?, dataset.attr_datatypes()?.into_keys());
    Ok(Object {
        kind: Kind::Dataset(described),
        attributes,
    })
}

fn filter_name(filter: &hdf5_pure::Filter) -> String {
    match filter.id {
        1 => match filter.client_data.first() {
            Some(level) => format!("deflate {level}"),
            None => "deflate".to_string(),
        },
        2 => "shuffle".to_string(),
        3 => "fletcher32".to_string(),
        4 => "szip".to_string(),
        5 => "nbit".to_string(),
        6 => "scale-offset".to_string(),
        32000 => "lzf".to_string(),
        32001 => "blosc".to_string(),
        32004 => "lz4".to_string(),
        32015 => "zstd".to_string(),
        id => format!("filter {id}"),
    }
}

fn attributes(
    values: HashMap<String, AttrValue>,
    names: impl Iterator<Item = String>,
) -> BTreeMap<String, Attribute> {
    // The crate leaves out what it has no value for; the name is worth knowing all the same.
    let mut all: BTreeMap<String, Attribute> = names.map(|name| (name, Attribute::Other)).collect();
    for (name, value) in values {
        all.insert(name, attribute(value));
    }
    all
}

fn attribute(value: AttrValue) -> Attribute {
    fn numbers<T: Copy>(values: &[T], convert: impl Fn(T) -> f64) -> Attribute {
        Attribute::Numbers(values.iter().map(|&value| convert(value)).collect())
    }
    if let Some(word) = value.as_str() {
        return Attribute::Words(vec![word.to_string()]);
    }
    if let Some(words) = value.as_strings() {
        return Attribute::Words(words.to_vec());
    }
    match &value {
        AttrValue::F32(value) => numbers(&[*value], f64::from),
        AttrValue::F64(value) => numbers(&[*value], |value| value),
        AttrValue::F32Array(values) => numbers(values, f64::from),
        AttrValue::F64Array(values) => numbers(values, |value| value),
        other => match (other.to_i64s(), other.to_u64s()) {
            (Some(values), _) => numbers(&values, |value| value as f64),
            (None, Some(values)) => numbers(&values, |value| value as f64),
            (None, None) => Attribute::Other,
        },
    }
}

/// `target` as seen from the group at `from`, with `.` and `..` taken out.
pub(super) fn absolute(from: &str, target: &str) -> String {
    let start = if target.starts_with('/') { "" } else { from };
    let mut parts: Vec<&str> = Vec::new();
    for part in start.split('/').chain(target.split('/')) {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    format!("/{}", parts.join("/"))
}

/// The path at which the object that `path` names is listed, links followed. `Err` says why there is
/// none.
pub(super) fn resolve(tree: &Tree, path: &str) -> Result<String, String> {
    let mut path = absolute("/", path);
    let mut hops = 0;
    'again: loop {
        // A link may stand anywhere along the path.
        let ends = path
            .match_indices('/')
            .map(|(at, _)| at)
            .skip(1)
            .chain([path.len()]);
        for end in ends.collect::<Vec<_>>() {
            match tree.get(&path[..end]).map(|object| &object.kind) {
                Some(Kind::Link(target)) => {
                    hops += 1;
                    if hops > MOST_HOPS {
                        return Err("its links go round in circles".to_string());
                    }
                    path = absolute("/", &format!("{target}{}", &path[end..]));
                    continue 'again;
                }
                Some(Kind::ExternalLink { file, path }) => {
                    return Err(format!(
                        "it lies in another file: open {path:?} of {file:?} instead"
                    ));
                }
                _ => {}
            }
        }
        return if tree.contains_key(&path) {
            Ok(path)
        } else {
            Err(String::new())
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn relative_paths_are_made_absolute() {
        assert_eq!(absolute("/a/b", "../c/./d"), "/a/c/d");
        assert_eq!(absolute("/a/b", "/c//d/"), "/c/d");
        assert_eq!(absolute("/", "../../x"), "/x");
        assert_eq!(absolute("/a", ""), "/a");
    }

    #[test]
    fn links_are_followed_and_circles_found() {
        let object = |kind| Object {
            kind,
            attributes: BTreeMap::new(),
        };
        let tree = Tree::from([
            ("/".to_string(), object(Kind::Group)),
            ("/a".to_string(), object(Kind::Group)),
            ("/a/x".to_string(), object(Kind::Datatype)),
            ("/b".to_string(), object(Kind::Link("/a".to_string()))),
            ("/c".to_string(), object(Kind::Link("/c".to_string()))),
            ("/d".to_string(), object(Kind::Link("/d/e".to_string()))),
        ]);
        assert_eq!(resolve(&tree, "b/x"), Ok("/a/x".to_string()));
        assert_eq!(resolve(&tree, "/"), Ok("/".to_string()));
        assert!(resolve(&tree, "/c").unwrap_err().contains("circles"));
        assert!(resolve(&tree, "/d/e").unwrap_err().contains("circles"));
        assert_eq!(resolve(&tree, "/nothing"), Err(String::new()));
    }
}
