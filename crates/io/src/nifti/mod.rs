//! NIfTI-1 and NIfTI-2 images of either byte order: `.nii`, `.nii.gz`, and `.hdr` with `.img`.
//!
//! Sources: the NIfTI-1.1 header definition of the Data Format Working Group (2004) and the NIfTI-2
//! update (2011).

mod header;
mod in_mask;
mod write;

use std::io::{self, BufReader, Cursor, Read};
use std::path::{Path, PathBuf};

use chiasm_core::data::Volume;
use flate2::read::MultiGzDecoder;
use ndarray::{ArrayD, IxDyn};

use crate::array::{Array, Layout};
use crate::{Error, Result, source};

pub use header::{Header, Orientation};
pub(crate) use header::{has_header_size, looks_like_header};
pub use in_mask::{Mask, read_in_mask, read_mask};
pub use write::write_volume;

/// How much of a compressed file may follow the image before it is no longer looked at.
const TAIL: u64 = 1 << 20;

/// An image as it is stored.
#[derive(Clone, Debug, PartialEq)]
pub struct Image {
    /// The file.
    pub name: String,
    /// What the header says.
    pub header: Header,
    /// Blocks of bytes that programs leave behind the header.
    pub extensions: Vec<Extension>,
    /// The stored numbers, before scaling; axes x, y, z, time and so on.
    pub stored: Array,
}

/// A block of bytes behind the header.
#[derive(Clone, Debug, PartialEq)]
pub struct Extension {
    /// Whose it is, e.g. 4 for AFNI, 6 for plain text.
    pub code: i32,
    /// Its content, padding included.
    pub content: Vec<u8>,
}

impl Image {
    /// The intensities: stored numbers times slope plus intercept, where the header gives a slope.
    pub fn values(&self) -> Result<ArrayD<f64>> {
        let mut values = self.stored.to_f64(&self.name)?;
        if let Some((slope, intercept)) = self.header.scaling {
            values.mapv_inplace(|value| value * slope + intercept);
        }
        Ok(values)
    }

    /// The image as a volume or a series of volumes in millimetres and seconds. Trailing axes of
    /// size one are dropped. Fails for complex numbers and for a fifth axis.
    pub fn into_volume(self) -> Result<Volume> {
        let Image {
            name,
            header,
            stored,
            ..
        } = self;
        let mut shape = stored.shape().to_vec();
        while shape.len() > 3 && shape.last() == Some(&1) {
            shape.pop();
        }
        if shape.len() > 4 {
            return Err(Error::unsupported(
                name,
                "dim",
                format!("shape {shape:?}; a volume has the axes x, y, z and time"),
            ));
        }
        shape.resize(shape.len().max(3), 1);
        let unscaled = header.scaling.is_none();
        let values = match stored {
            Array::F32(values) if unscaled => values,
            stored => {
                let (slope, intercept) = header.scaling.unwrap_or((1.0, 0.0));
                stored
                    .into_f64(&name)?
                    .mapv(|value| (value * slope + intercept) as f32)
            }
        };
        // Dropping and adding axes of size one moves nothing, in the file's own (Fortran) order.
        let reversed: Vec<usize> = shape.iter().rev().copied().collect();
        let values = values
            .reversed_axes()
            .into_shape_with_order(IxDyn(&reversed))
            .map_err(|error| Error::malformed(name.clone(), "dim", error.to_string()))?
            .reversed_axes();
        let (affine, _) = header.affine();
        Ok(Volume {
            name,
            values,
            affine,
            voxel_size: header.voxel_size(),
            repetition_time: (shape.len() == 4)
                .then(|| header.repetition_time())
                .flatten(),
        })
    }
}

/// Reads an image as a volume or a series of volumes; see [`Image::into_volume`].
pub fn read(path: &Path) -> Result<Volume> {
    read_image(path)?.into_volume()
}

/// Reads an image as it is stored. Of a `.hdr` and `.img` pair, either may be named.
pub fn read_image(path: &Path) -> Result<Image> {
    with_image(path, |image| image.read())
}

/// Reads the bytes of a `.nii` or `.nii.gz` file; `name` stands for the file in errors.
pub fn parse(bytes: &[u8], name: &str) -> Result<Image> {
    let length = bytes.len() as u64;
    let mut stream = Stream::new(Box::new(Cursor::new(bytes)), length, name)?;
    let (header, extensions) = stream.header()?;
    if header.pair {
        return Err(Error::unsupported(
            name,
            "magic",
            "the header of a pair; read it as a file",
        ));
    }
    Opened {
        header,
        extensions,
        stream,
    }
    .read()
}

/// A header that was read, and the stream that goes on with the numbers.
pub(crate) struct Opened<'a> {
    pub(crate) header: Header,
    pub(crate) extensions: Vec<Extension>,
    pub(crate) stream: Stream<'a>,
}

impl Opened<'_> {
    fn read(mut self) -> Result<Image> {
        let stored = self.stream.array(&self.header.layout)?;
        let Opened {
            header,
            extensions,
            stream,
        } = self;
        Ok(Image {
            name: stream.name,
            header,
            extensions,
            stored,
        })
    }
}

/// Opens an image, whichever files it is in.
pub(crate) fn with_image<T>(path: &Path, take: impl FnOnce(Opened<'_>) -> Result<T>) -> Result<T> {
    let path = partner(path, "img", "hdr").unwrap_or_else(|| path.to_path_buf());
    let mut stream = stream_of(&path)?;
    let (header, extensions) = stream.header()?;
    if !header.pair {
        return take(Opened {
            header,
            extensions,
            stream,
        });
    }
    let data = partner(&path, "hdr", "img").ok_or_else(|| {
        Error::malformed(
            source::name_of(&path),
            "magic",
            "the header of a pair, but there is no .img file of the same name beside it",
        )
    })?;
    let mut stream = stream_of(&data)?;
    stream.skip_to(header.data_offset)?;
    take(Opened {
        header,
        extensions,
        stream,
    })
}

fn stream_of(path: &Path) -> Result<Stream<'static>> {
    let (file, length) = source::open(path)?;
    Stream::new(Box::new(file), length, &source::name_of(path))
}

/// `name.from` (or `name.from.gz`) as the existing `name.to` or `name.to.gz`.
fn partner(path: &Path, from: &str, to: &str) -> Option<PathBuf> {
    let text = path.to_str()?;
    let stem = [format!(".{from}"), format!(".{from}.gz")]
        .iter()
        .find_map(|ending| text.strip_suffix(ending.as_str()))?;
    [format!("{stem}.{to}"), format!("{stem}.{to}.gz")]
        .into_iter()
        .map(PathBuf::from)
        .find(|path| path.is_file())
}

/// The bytes of an image, unpacked on the way.
pub(crate) struct Stream<'a> {
    reader: Box<dyn Read + 'a>,
    pub(crate) name: String,
    at: u64,
    /// The size of the file, and whether it is compressed.
    length: u64,
    compressed: bool,
}

impl<'a> Stream<'a> {
    fn new(mut reader: Box<dyn Read + 'a>, length: u64, name: &str) -> Result<Self> {
        let mut magic = [0; 2];
        let short = || {
            Error::malformed(
                name,
                "header",
                "the file ends before it does; it is truncated",
            )
        };
        reader.read_exact(&mut magic).map_err(|_| short())?;
        let compressed = magic == [0x1f, 0x8b];
        let whole = Cursor::new(magic).chain(reader);
        let reader: Box<dyn Read + 'a> = if compressed {
            Box::new(BufReader::new(MultiGzDecoder::new(whole)))
        } else {
            Box::new(whole)
        };
        Ok(Stream {
            reader,
            name: name.to_string(),
            at: 0,
            length,
            compressed,
        })
    }

    /// How many bytes there can be, counted after unpacking.
    fn limit(&self) -> u64 {
        if self.compressed {
            source::expansion_limit(self.length)
        } else {
            self.length
        }
    }

    fn fill(&mut self, buffer: &mut [u8], field: &str) -> Result<()> {
        let at = self.at;
        self.reader
            .read_exact(buffer)
            .map_err(|source| ended(&self.name, field, at, source))?;
        self.at += buffer.len() as u64;
        Ok(())
    }

    /// Reads the header and its extensions, up to the numbers where they are in the same file.
    fn header(&mut self) -> Result<(Header, Vec<Extension>)> {
        let mut raw = vec![0; header::NIFTI_1];
        self.fill(&mut raw, "header")?;
        if header::is_nifti_2(&raw) {
            raw.resize(header::NIFTI_2, 0);
            self.fill(&mut raw[header::NIFTI_1..], "header")?;
        }
        let header = Header::parse(&raw, &self.name)?;
        let extensions = if header.pair {
            Vec::new()
        } else {
            self.extensions(&header)?
        };
        if !header.pair {
            self.skip_to(header.data_offset)?;
        }
        Ok((header, extensions))
    }

    fn extensions(&mut self, header: &Header) -> Result<Vec<Extension>> {
        let mut extensions = Vec::new();
        let end = header.data_offset;
        if end.saturating_sub(self.at) < 4 {
            return Ok(extensions);
        }
        let mut flags = [0; 4];
        self.fill(&mut flags, "extension flag")?;
        if flags[0] == 0 {
            return Ok(extensions);
        }
        while end.saturating_sub(self.at) >= 16 {
            let (at, mut raw) = (self.at, [0; 8]);
            self.fill(&mut raw, "extension")?;
            let fields = source::Fields {
                bytes: &raw,
                big_endian: header.layout.big_endian,
            };
            let (size, code) = (fields.i32(0), fields.i32(4));
            let honest = u64::try_from(size)
                .ok()
                .filter(|size| *size >= 8 && at + size <= end.min(self.limit()));
            let Some(size) = honest else {
                return Err(Error::malformed_at(
                    self.name.clone(),
                    "extension size",
                    at,
                    format!("{size} bytes, but the image begins at byte {end}"),
                ));
            };
            let content = usize::try_from(size - 8).unwrap_or_default();
            let content = source::read_growing(&mut self.reader, content)
                .map_err(|source| ended(&self.name, "extension", at, source))?;
            self.at = at + size;
            extensions.push(Extension { code, content });
        }
        Ok(extensions)
    }

    fn skip_to(&mut self, offset: u64) -> Result<()> {
        let gap = offset.saturating_sub(self.at);
        if offset > self.limit() {
            return Err(Error::malformed(
                self.name.clone(),
                "vox_offset",
                format!("{offset} is beyond the end of the file; it is lying or truncated"),
            ));
        }
        let skipped = io::copy(&mut (&mut self.reader).take(gap), &mut io::sink())
            .map_err(|source| ended(&self.name, "vox_offset", self.at, source))?;
        self.at += skipped;
        if skipped < gap {
            let source = io::ErrorKind::UnexpectedEof.into();
            return Err(ended(&self.name, "vox_offset", self.at, source));
        }
        Ok(())
    }

    /// Checks that the numbers can be there.
    pub(crate) fn check(&self, layout: &Layout) -> Result<()> {
        let shape = &layout.shape;
        let (_, bytes) = layout.sizes().ok_or_else(|| {
            let reason = format!("{shape:?} is more than any computer can hold");
            Error::malformed(self.name.clone(), "dim", reason)
        })?;
        if self.at.saturating_add(bytes) <= self.limit() {
            return Ok(());
        }
        if self.compressed {
            return Err(source::bomb(
                &self.name,
                format!("image of shape {shape:?}"),
                self.length,
            ));
        }
        let dtype = layout.dtype.name();
        let found = self.length.saturating_sub(self.at);
        Err(Error::malformed_at(
            self.name.clone(),
            "image",
            self.at,
            format!("truncated: shape {shape:?} of {dtype} takes {bytes} bytes, found {found}"),
        ))
    }

    fn array(&mut self, layout: &Layout) -> Result<Array> {
        self.check(layout)?;
        let array = Array::read(&mut self.reader, layout, !self.compressed)
            .map_err(|source| ended(&self.name, "image", self.at, source))?;
        if self.compressed {
            // Reaching the end makes the decoder check its checksum.
            io::copy(&mut (&mut self.reader).take(TAIL), &mut io::sink())
                .map_err(|source| ended(&self.name, "checksum", self.at, source))?;
        }
        Ok(array)
    }

    pub(crate) fn reader(&mut self) -> &mut dyn Read {
        &mut self.reader
    }
}

/// A failed read in words.
pub(crate) fn ended(name: &str, field: &str, at: u64, source: io::Error) -> Error {
    let reason = match source.kind() {
        io::ErrorKind::UnexpectedEof => "the file ends before it does; it is truncated".to_string(),
        io::ErrorKind::OutOfMemory => "does not fit into memory".to_string(),
        _ => source.to_string(),
    };
    Error::malformed_at(name, field, at, reason)
}
