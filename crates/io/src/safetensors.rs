//! `.safetensors`: named tensors behind a JSON header.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufReader, Cursor, Read, Seek, SeekFrom, Write};
use std::path::Path;

use ::safetensors::Dtype as Stored;
use ::safetensors::tensor::{Metadata, TensorInfo};
use serde_json::{Map, Value, json};

use crate::array::{Array, Dtype, Layout};
use crate::numpy::write_aside;
use crate::{Error, Result, source};

/// Enough for some 40 000 tensors in a file; parsing takes up to twenty times its length.
const LONGEST_HEADER: u64 = 4 << 20;

/// An open file of tensors: the header is read and checked, the tensors are read when asked for.
pub struct Tensors<R = BufReader<File>> {
    reader: R,
    name: String,
    metadata: Metadata,
    /// Where the tensors' bytes begin.
    begin: u64,
}

/// Every tensor of a file, by name.
pub fn read_all(path: &Path) -> Result<BTreeMap<String, Array>> {
    Tensors::open(path)?.read_all()
}

/// Every tensor in the bytes of a file, by name; `name` stands for the file in errors.
pub fn parse(bytes: &[u8], name: &str) -> Result<BTreeMap<String, Array>> {
    Tensors::new(Cursor::new(bytes), bytes.len() as u64, name)?.read_all()
}

impl Tensors {
    /// Opens a file.
    pub fn open(path: &Path) -> Result<Self> {
        let (file, length) = source::open(path)?;
        Tensors::new(file, length, &source::name_of(path))
    }
}

impl<R: Read + Seek> Tensors<R> {
    /// Reads the header of `length` bytes; `name` stands for the file in errors.
    pub fn new(mut reader: R, length: u64, name: &str) -> Result<Self> {
        let mut raw = [0; 8];
        reader.read_exact(&mut raw).map_err(|_| {
            Error::malformed(
                name,
                "header length",
                "the file ends before it does; it is truncated",
            )
        })?;
        let header = u64::from_le_bytes(raw);
        let reason = if header > LONGEST_HEADER {
            Some(format!(
                "{header} bytes; no honest header is longer than {LONGEST_HEADER}"
            ))
        } else if header > length.saturating_sub(8) {
            Some(format!(
                "{header} bytes, but only {} follow",
                length.saturating_sub(8)
            ))
        } else {
            None
        };
        if let Some(reason) = reason {
            return Err(Error::malformed_at(name, "header length", 0, reason));
        }
        let mut text = vec![0; usize::try_from(header).unwrap_or_default()];
        reader
            .read_exact(&mut text)
            .map_err(|error| Error::io(Path::new(name), error))?;
        let metadata: Metadata = serde_json::from_slice(&text)
            .map_err(|error| Error::malformed_at(name, "header", 8, error.to_string()))?;
        let begin = 8 + header;
        let (declared, found) = (metadata.data_len() as u64, length - begin);
        if declared != found {
            return Err(Error::malformed_at(
                name,
                "data",
                begin,
                format!("the header declares {declared} bytes of tensors, found {found}"),
            ));
        }
        Ok(Tensors {
            reader,
            name: name.to_string(),
            metadata,
            begin,
        })
    }

    /// The names of the tensors, sorted.
    pub fn names(&self) -> Vec<String> {
        let mut names = self.metadata.offset_keys();
        names.sort();
        names
    }

    /// What the writer said about the file.
    pub fn metadata(&self) -> BTreeMap<String, String> {
        let pairs = self.metadata.metadata().iter().flatten();
        pairs
            .map(|(key, value)| (key.clone(), value.clone()))
            .collect()
    }

    /// The element type and the sizes of a tensor.
    pub fn shape(&self, name: &str) -> Result<(&'static str, Vec<usize>)> {
        let info = self.info(name)?;
        let dtype = dtype_of(info.dtype).map_or("8-bit or smaller float", Dtype::name);
        Ok((dtype, info.shape.clone()))
    }

    /// Reads a tensor.
    pub fn read(&mut self, name: &str) -> Result<Array> {
        let layout = self.seek_to(name)?;
        Array::read(&mut self.reader, &layout, true).map_err(|error| {
            Error::malformed(format!("{}:{name}", self.name), "data", error.to_string())
        })
    }

    /// Every tensor, by name.
    pub fn read_all(&mut self) -> Result<BTreeMap<String, Array>> {
        self.names()
            .into_iter()
            .map(|name| self.read(&name).map(|array| (name, array)))
            .collect()
    }

    /// Goes to a tensor's first byte and says how its elements lie.
    pub(crate) fn seek_to(&mut self, name: &str) -> Result<Layout> {
        let info = self.info(name)?;
        let dtype = dtype_of(info.dtype).ok_or_else(|| {
            Error::unsupported(
                format!("{}:{name}", self.name),
                "element type",
                format!(
                    "{:?}; floats of 8 bits and fewer need their scales",
                    info.dtype
                ),
            )
        })?;
        let shape = info.shape.clone();
        let offset = self.begin + info.data_offsets.0 as u64;
        self.reader
            .seek(SeekFrom::Start(offset))
            .map_err(|error| Error::io(Path::new(&self.name), error))?;
        Ok(Layout {
            dtype,
            big_endian: false,
            fortran: false,
            shape,
        })
    }

    pub(crate) fn reader(&mut self) -> &mut R {
        &mut self.reader
    }

    fn info(&self, name: &str) -> Result<&TensorInfo> {
        self.metadata.info(name).ok_or_else(|| Error::NotFound {
            file: self.name.clone(),
            what: "tensor",
            name: name.to_string(),
            available: self.names(),
        })
    }
}

fn dtype_of(stored: Stored) -> Option<Dtype> {
    Some(match stored {
        Stored::BOOL => Dtype::Bool,
        Stored::I8 => Dtype::I8,
        Stored::U8 => Dtype::U8,
        Stored::I16 => Dtype::I16,
        Stored::U16 => Dtype::U16,
        Stored::I32 => Dtype::I32,
        Stored::U32 => Dtype::U32,
        Stored::I64 => Dtype::I64,
        Stored::U64 => Dtype::U64,
        Stored::F16 => Dtype::F16,
        Stored::BF16 => Dtype::Bf16,
        Stored::F32 => Dtype::F32,
        Stored::F64 => Dtype::F64,
        Stored::C64 => Dtype::C64,
        _ => return None,
    })
}

/// Writes tensors and facts about them, whole or not at all. The bytes depend on the arguments
/// alone: tensors and facts are written in the order of their names.
///
/// Words and 128-bit complex numbers have no place in the format.
pub fn write(
    path: &Path,
    tensors: &BTreeMap<String, Array>,
    metadata: &BTreeMap<String, String>,
) -> Result<()> {
    let file = source::name_of(path);
    let mut header = Map::new();
    if !metadata.is_empty() {
        header.insert("__metadata__".to_string(), json!(metadata));
    }
    let mut end = 0_usize;
    for (name, tensor) in tensors {
        let (dtype, width) = stored_name(tensor).ok_or_else(|| {
            let field = format!("tensor {name}");
            Error::unsupported(&file, field, format!("cannot hold {}", tensor.dtype()))
        })?;
        let begin = end;
        end += tensor.len() * width;
        header.insert(
            name.clone(),
            json!({"dtype": dtype, "shape": tensor.shape(), "data_offsets": [begin, end]}),
        );
    }
    let mut text = Value::Object(header).to_string().into_bytes();
    text.resize(text.len().next_multiple_of(8), b' ');
    write_aside(path, |out| {
        out.write_all(&(text.len() as u64).to_le_bytes())?;
        out.write_all(&text)?;
        tensors.values().try_for_each(|tensor| put(out, tensor))
    })
}

fn stored_name(array: &Array) -> Option<(&'static str, usize)> {
    Some(match array {
        Array::Bool(_) => ("BOOL", 1),
        Array::I8(_) => ("I8", 1),
        Array::U8(_) => ("U8", 1),
        Array::I16(_) => ("I16", 2),
        Array::U16(_) => ("U16", 2),
        Array::I32(_) => ("I32", 4),
        Array::U32(_) => ("U32", 4),
        Array::I64(_) => ("I64", 8),
        Array::U64(_) => ("U64", 8),
        Array::F16(_) => ("F16", 2),
        Array::Bf16(_) => ("BF16", 2),
        Array::F32(_) => ("F32", 4),
        Array::F64(_) => ("F64", 8),
        Array::C64(_) => ("C64", 8),
        Array::C128(_) | Array::Words(_) => return None,
    })
}

/// The elements' little-endian bytes in C order.
fn put(out: &mut dyn Write, array: &Array) -> std::io::Result<()> {
    macro_rules! each {
        ($values:expr, $value:ident => $bytes:expr) => {
            $values
                .iter()
                .try_for_each(|&$value| out.write_all(&$bytes))
        };
    }
    match array {
        Array::Bool(values) => each!(values, value => [u8::from(value)]),
        Array::I8(values) => each!(values, value => value.to_le_bytes()),
        Array::U8(values) => each!(values, value => [value]),
        Array::I16(values) => each!(values, value => value.to_le_bytes()),
        Array::U16(values) => each!(values, value => value.to_le_bytes()),
        Array::I32(values) => each!(values, value => value.to_le_bytes()),
        Array::U32(values) => each!(values, value => value.to_le_bytes()),
        Array::I64(values) => each!(values, value => value.to_le_bytes()),
        Array::U64(values) => each!(values, value => value.to_le_bytes()),
        Array::F16(values) => each!(values, value => half::f16::from_f32(value).to_le_bytes()),
        Array::Bf16(values) => each!(values, value => half::bf16::from_f32(value).to_le_bytes()),
        Array::F32(values) => each!(values, value => value.to_le_bytes()),
        Array::F64(values) => each!(values, value => value.to_le_bytes()),
        Array::C64(values) => values
            .iter()
            .flatten()
            .try_for_each(|part| out.write_all(&part.to_le_bytes())),
        Array::C128(_) | Array::Words(_) => Err(std::io::ErrorKind::Unsupported.into()),
    }
}
