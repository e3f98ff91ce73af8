//! Blocks of a matrix on disk, for matrices that do not fit into memory.
//!
//! Blocks are read by position rather than mapped: a map of a file that another program shortens
//! kills the process, a read returns an error, and blocks are copied anyway to change their type.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::ops::Range;
use std::path::Path;

use bytemuck::Pod;
use ndarray::Array2;

use crate::array::Dtype;
use crate::numpy::check_length;
use crate::numpy::header::{Elements, Header};
use crate::{Error, Result, source};

/// The number types a block can be read as.
pub trait Real: Pod + sealed::Sealed {
    /// From a single.
    fn from_f32(value: f32) -> Self;
    /// From a double, rounded where this is a single.
    fn from_f64(value: f64) -> Self;
    /// Whether it is neither NaN nor infinite.
    fn finite(self) -> bool;
}

mod sealed {
    pub trait Sealed {}
    impl Sealed for f32 {}
    impl Sealed for f64 {}
}

impl Real for f32 {
    fn from_f32(value: f32) -> Self {
        value
    }
    fn from_f64(value: f64) -> Self {
        value as f32
    }
    fn finite(self) -> bool {
        self.is_finite()
    }
}

impl Real for f64 {
    fn from_f32(value: f32) -> Self {
        f64::from(value)
    }
    fn from_f64(value: f64) -> Self {
        value
    }
    fn finite(self) -> bool {
        self.is_finite()
    }
}

/// A two-dimensional `.npy` file of `f32` or `f64`, of which blocks of rows or columns are read.
///
/// Whatever the order in the file, both kinds of block cost their own size, plus a seek per row
/// (column blocks, C order) or per column (row blocks, Fortran order).
pub struct MatrixFile {
    file: File,
    name: String,
    dtype: Dtype,
    big_endian: bool,
    fortran: bool,
    rows: usize,
    columns: usize,
    data_offset: u64,
}

impl MatrixFile {
    /// Opens a matrix and checks that all of it is there.
    pub fn open(path: &Path) -> Result<Self> {
        Self::open_shaped(path, false).map(|(file, _)| file)
    }

    /// Opens an array of two or more axes as a matrix whose rows run over all axes but the last, and gives its
    /// sizes. More than two axes must be in C order, where such rows lie one after the other.
    pub fn open_flattened(path: &Path) -> Result<(Self, Vec<usize>)> {
        Self::open_shaped(path, true)
    }

    fn open_shaped(path: &Path, flatten: bool) -> Result<(Self, Vec<usize>)> {
        let (mut file, length) = source::open(path)?;
        let name = source::name_of(path);
        let header = Header::read(&mut file, &name)?;
        check_length(&header, length, &name)?;
        let Elements::Numbers(layout) = &header.elements else {
            return Err(Error::unsupported(
                name,
                "element type",
                "words; expected f32 or f64",
            ));
        };
        if !matches!(layout.dtype, Dtype::F32 | Dtype::F64) {
            let dtype = layout.dtype.name();
            return Err(Error::unsupported(
                name,
                "element type",
                format!("{dtype}; blocks are read from f32 and f64"),
            ));
        }
        let (rows, columns) = match layout.shape.as_slice() {
            &[rows, columns] => (rows, columns),
            [leading @ .., columns] if flatten && leading.len() > 1 => {
                if layout.fortran {
                    let reason =
                        "Fortran order; blocks of more than two axes are read from C order";
                    return Err(Error::unsupported(name, "order", reason));
                }
                (leading.iter().product(), *columns)
            }
            shape => {
                let expected = if flatten { "2 or more" } else { "2" };
                return Err(chiasm_core::Error::Shape {
                    operation: "matrix file",
                    what: name,
                    axis: "number of axes",
                    found: shape.len(),
                    expected: expected.to_string(),
                }
                .into());
            }
        };
        let matrix = MatrixFile {
            file: file.into_inner(),
            name,
            dtype: layout.dtype,
            big_endian: layout.big_endian,
            fortran: layout.fortran,
            rows,
            columns,
            data_offset: header.data_offset,
        };
        Ok((matrix, layout.shape.clone()))
    }

    /// Whether elements are stored as `f32`.
    pub fn is_single(&self) -> bool {
        self.dtype == Dtype::F32
    }

    /// The number of rows.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// The number of columns.
    pub fn columns(&self) -> usize {
        self.columns
    }

    /// Whole rows. Fails on NaN and infinities, with their place in the file's matrix.
    pub fn read_rows<T: Real>(&mut self, rows: Range<usize>) -> Result<Array2<T>> {
        self.read_block(rows, 0..self.columns)
    }

    /// Whole columns. Fails on NaN and infinities, with their place in the file's matrix.
    pub fn read_columns<T: Real>(&mut self, columns: Range<usize>) -> Result<Array2<T>> {
        self.read_block(0..self.rows, columns)
    }

    /// Some columns of some rows. Fails on NaN and infinities, with their place in the file's matrix.
    pub fn read_block<T: Real>(
        &mut self,
        rows: Range<usize>,
        columns: Range<usize>,
    ) -> Result<Array2<T>> {
        let block: Array2<T> = self.read_stored_block(rows.clone(), columns.clone())?;
        let mut bad = block.indexed_iter().filter(|(_, value)| !value.finite());
        if let Some(((row, column), _)) = bad.next() {
            return Err(chiasm_core::Error::NotFinite {
                what: self.name.clone(),
                count: 1 + bad.count(),
                first: format!(
                    "row {}, column {}",
                    rows.start + row,
                    columns.start + column
                ),
            }
            .into());
        }
        Ok(block)
    }

    /// Some columns of some rows, with whatever NaN and infinities are in them.
    pub fn read_stored_block<T: Real>(
        &mut self,
        rows: Range<usize>,
        columns: Range<usize>,
    ) -> Result<Array2<T>> {
        for (axis, range, size) in [
            ("rows", &rows, self.rows),
            ("columns", &columns, self.columns),
        ] {
            if range.start > range.end || range.end > size {
                return Err(chiasm_core::Error::setting(
                    format!("{axis} of {}", self.name),
                    format!("{}..{}", range.start, range.end),
                    format!("a range within 0..{size}"),
                )
                .into());
            }
        }
        // In the file, `outer` lines of `length` elements each; a block takes a stretch of some.
        let (outer, inner, length) = if self.fortran {
            (columns.clone(), rows.clone(), self.rows)
        } else {
            (rows.clone(), columns.clone(), self.columns)
        };
        let mut values: Vec<T> = Vec::new();
        let count = outer.len().saturating_mul(inner.len());
        values.try_reserve_exact(count).map_err(|_| {
            Error::io(
                Path::new(&self.name),
                std::io::ErrorKind::OutOfMemory.into(),
            )
        })?;
        if inner.len() == length {
            // Whole lines follow each other: one stretch.
            self.read_stretch(outer.start * length, count, &mut values)?;
        } else {
            for line in outer.clone() {
                self.read_stretch(line * length + inner.start, inner.len(), &mut values)?;
            }
        }
        let shape = (outer.len(), inner.len());
        let lines = Array2::from_shape_vec(shape, values)
            .map_err(|error| Error::malformed(self.name.clone(), "shape", error.to_string()))?;
        Ok(if self.fortran {
            lines.t().as_standard_layout().into_owned()
        } else {
            lines
        })
    }

    fn read_stretch<T: Real>(
        &mut self,
        begin: usize,
        count: usize,
        values: &mut Vec<T>,
    ) -> Result<()> {
        let width = self.dtype.size();
        let offset = self.data_offset + (begin as u64) * (width as u64);
        let failed = |source| Error::io(Path::new(&self.name), source);
        self.file.seek(SeekFrom::Start(offset)).map_err(failed)?;
        let mut bytes = vec![0; width * count.min(1 << 16)];
        let mut left = count;
        while left > 0 {
            let now = left.min(1 << 16);
            let bytes = &mut bytes[..now * width];
            self.file.read_exact(bytes).map_err(failed)?;
            let big_endian = self.big_endian;
            if width == 4 {
                values.extend(bytes.chunks_exact(4).map(|raw| {
                    let raw = [raw[0], raw[1], raw[2], raw[3]];
                    T::from_f32(if big_endian {
                        f32::from_be_bytes(raw)
                    } else {
                        f32::from_le_bytes(raw)
                    })
                }));
            } else {
                values.extend(bytes.chunks_exact(8).map(|raw| {
                    let mut copy = [0; 8];
                    copy.copy_from_slice(raw);
                    T::from_f64(if big_endian {
                        f64::from_be_bytes(copy)
                    } else {
                        f64::from_le_bytes(copy)
                    })
                }));
            }
            left -= now;
        }
        Ok(())
    }
}
