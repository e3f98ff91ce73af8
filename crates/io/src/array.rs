//! Arrays of any element type, as files hold them.

use std::io::{self, Read};

use half::slice::{HalfBitsSliceExt, HalfFloatSliceExt};
use ndarray::{ArrayD, IxDyn, ShapeBuilder};

use crate::inspect::Statistics;
use crate::source;
use crate::{Error, Result};

/// An array with the element type of its file.
///
/// Half-precision kinds are widened to `f32`, which is exact. Complex elements are `[re, im]`.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
#[allow(missing_docs)] // The names say it: kind and bits.
pub enum Array {
    Bool(ArrayD<bool>),
    I8(ArrayD<i8>),
    U8(ArrayD<u8>),
    I16(ArrayD<i16>),
    U16(ArrayD<u16>),
    I32(ArrayD<i32>),
    U32(ArrayD<u32>),
    I64(ArrayD<i64>),
    U64(ArrayD<u64>),
    F16(ArrayD<f32>),
    Bf16(ArrayD<f32>),
    F32(ArrayD<f32>),
    F64(ArrayD<f64>),
    C64(ArrayD<[f32; 2]>),
    C128(ArrayD<[f64; 2]>),
    Words(ArrayD<String>),
}

/// The element types of [`Array`] that have a fixed width.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)] // The names say it: kind and bits.
pub enum Dtype {
    Bool,
    I8,
    U8,
    I16,
    U16,
    I32,
    U32,
    I64,
    U64,
    F16,
    Bf16,
    F32,
    F64,
    C64,
    C128,
}

impl Dtype {
    /// Bytes an element takes in a file.
    pub fn size(self) -> usize {
        match self {
            Dtype::Bool | Dtype::I8 | Dtype::U8 => 1,
            Dtype::I16 | Dtype::U16 | Dtype::F16 | Dtype::Bf16 => 2,
            Dtype::I32 | Dtype::U32 | Dtype::F32 => 4,
            Dtype::I64 | Dtype::U64 | Dtype::F64 | Dtype::C64 => 8,
            Dtype::C128 => 16,
        }
    }

    /// The name shown to people.
    pub fn name(self) -> &'static str {
        match self {
            Dtype::Bool => "bool",
            Dtype::I8 => "i8",
            Dtype::U8 => "u8",
            Dtype::I16 => "i16",
            Dtype::U16 => "u16",
            Dtype::I32 => "i32",
            Dtype::U32 => "u32",
            Dtype::I64 => "i64",
            Dtype::U64 => "u64",
            Dtype::F16 => "f16",
            Dtype::Bf16 => "bf16",
            Dtype::F32 => "f32",
            Dtype::F64 => "f64",
            Dtype::C64 => "complex f32",
            Dtype::C128 => "complex f64",
        }
    }
}

/// Where the elements of an array lie in a file.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Layout {
    pub(crate) dtype: Dtype,
    pub(crate) big_endian: bool,
    /// First axis fastest.
    pub(crate) fortran: bool,
    pub(crate) shape: Vec<usize>,
}

impl Layout {
    /// The number of elements and of bytes; `None` where either does not fit.
    pub(crate) fn sizes(&self) -> Option<(usize, u64)> {
        let count = self
            .shape
            .iter()
            .try_fold(1_usize, |product, &size| product.checked_mul(size))?;
        let bytes = (count as u64).checked_mul(self.dtype.size() as u64)?;
        Some((count, bytes))
    }
}

/// Applies one expression to the values of whichever numeric variant it is.
macro_rules! numeric {
    ($array:expr, $values:ident => $numbers:expr, $other:pat => $otherwise:expr) => {
        match $array {
            Array::I8($values) => $numbers,
            Array::U8($values) => $numbers,
            Array::I16($values) => $numbers,
            Array::U16($values) => $numbers,
            Array::I32($values) => $numbers,
            Array::U32($values) => $numbers,
            Array::F16($values) | Array::Bf16($values) | Array::F32($values) => $numbers,
            Array::F64($values) => $numbers,
            $other => $otherwise,
        }
    };
}

/// Applies one expression to the values of whichever variant it is.
macro_rules! every {
    ($array:expr, $values:ident => $expression:expr) => {
        match $array {
            Array::Bool($values) => $expression,
            Array::I8($values) => $expression,
            Array::U8($values) => $expression,
            Array::I16($values) => $expression,
            Array::U16($values) => $expression,
            Array::I32($values) => $expression,
            Array::U32($values) => $expression,
            Array::I64($values) => $expression,
            Array::U64($values) => $expression,
            Array::F16($values) | Array::Bf16($values) | Array::F32($values) => $expression,
            Array::F64($values) => $expression,
            Array::C64($values) => $expression,
            Array::C128($values) => $expression,
            Array::Words($values) => $expression,
        }
    };
}

impl Array {
    /// Reads the elements of `layout`. `exact` says that the reader is known to hold them all, so
    /// that they may be allocated at once. The caller has checked [`Layout::sizes`].
    pub(crate) fn read(reader: &mut dyn Read, layout: &Layout, exact: bool) -> io::Result<Array> {
        macro_rules! numbers {
            ($variant:ident, $width:expr) => {
                Array::$variant(shaped(elements(reader, layout, $width, exact)?, layout)?)
            };
        }
        Ok(match layout.dtype {
            Dtype::Bool => {
                let bytes: Vec<u8> = elements(reader, layout, 1, exact)?;
                Array::Bool(shaped(
                    bytes.into_iter().map(|byte| byte != 0).collect(),
                    layout,
                )?)
            }
            Dtype::I8 => numbers!(I8, 1),
            Dtype::U8 => numbers!(U8, 1),
            Dtype::I16 => numbers!(I16, 2),
            Dtype::U16 => numbers!(U16, 2),
            Dtype::I32 => numbers!(I32, 4),
            Dtype::U32 => numbers!(U32, 4),
            Dtype::I64 => numbers!(I64, 8),
            Dtype::U64 => numbers!(U64, 8),
            Dtype::F32 => numbers!(F32, 4),
            Dtype::F64 => numbers!(F64, 8),
            Dtype::C64 => numbers!(C64, 4),
            Dtype::C128 => numbers!(C128, 8),
            Dtype::F16 => {
                let raw: Vec<u16> = elements(reader, layout, 2, exact)?;
                let mut wide = vec![0.0; raw.len()];
                raw.reinterpret_cast::<half::f16>()
                    .convert_to_f32_slice(&mut wide);
                Array::F16(shaped(wide, layout)?)
            }
            Dtype::Bf16 => {
                let raw: Vec<u16> = elements(reader, layout, 2, exact)?;
                let mut wide = vec![0.0; raw.len()];
                raw.reinterpret_cast::<half::bf16>()
                    .convert_to_f32_slice(&mut wide);
                Array::Bf16(shaped(wide, layout)?)
            }
        })
    }

    /// Range, mean and holes of elements as they stream by, at most `most` bytes of them; `scaling`
    /// is slope and intercept. `None` for complex numbers.
    pub(crate) fn stream_statistics(
        reader: &mut dyn Read,
        layout: &Layout,
        most: u64,
        scaling: (f64, f64),
    ) -> io::Result<Option<Statistics>> {
        const BLOCK: usize = 1 << 16;
        if matches!(layout.dtype, Dtype::C64 | Dtype::C128) {
            return Ok(None);
        }
        let (count, _) = layout.sizes().ok_or(io::ErrorKind::OutOfMemory)?;
        let affordable = usize::try_from(most).unwrap_or(usize::MAX) / layout.dtype.size();
        let (slope, intercept) = scaling;
        let mut statistics = Statistics::default();
        let mut left = count.min(affordable);
        while left > 0 {
            let now = left.min(BLOCK);
            let block = Layout {
                shape: vec![now],
                ..layout.clone()
            };
            statistics.take_array(&Array::read(reader, &block, true)?, |value| {
                if scaling == (1.0, 0.0) {
                    value
                } else {
                    value * slope + intercept
                }
            });
            left -= now;
        }
        statistics.partial = affordable < count;
        Ok(Some(statistics))
    }

    /// The sizes of the axes.
    pub fn shape(&self) -> &[usize] {
        every!(self, values => values.shape())
    }

    /// The number of elements.
    pub fn len(&self) -> usize {
        every!(self, values => values.len())
    }

    /// Whether there are no elements.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The element type's name, e.g. `f32` or `words`.
    pub fn dtype(&self) -> &'static str {
        match self {
            Array::Bool(_) => Dtype::Bool.name(),
            Array::I8(_) => Dtype::I8.name(),
            Array::U8(_) => Dtype::U8.name(),
            Array::I16(_) => Dtype::I16.name(),
            Array::U16(_) => Dtype::U16.name(),
            Array::I32(_) => Dtype::I32.name(),
            Array::U32(_) => Dtype::U32.name(),
            Array::I64(_) => Dtype::I64.name(),
            Array::U64(_) => Dtype::U64.name(),
            Array::F16(_) => Dtype::F16.name(),
            Array::Bf16(_) => Dtype::Bf16.name(),
            Array::F32(_) => Dtype::F32.name(),
            Array::F64(_) => Dtype::F64.name(),
            Array::C64(_) => Dtype::C64.name(),
            Array::C128(_) => Dtype::C128.name(),
            Array::Words(_) => "words",
        }
    }

    /// The same numbers as `f64`, truths as 0 and 1. `what` names the array in errors.
    ///
    /// Fails for complex numbers and words, and where a 64-bit integer has no exact `f64`.
    pub fn into_f64(self, what: &str) -> Result<ArrayD<f64>> {
        let unsupported = |dtype: &str| {
            Error::unsupported(what, "element type", format!("{dtype} is not real numbers"))
        };
        match self {
            Array::F64(values) => Ok(values),
            Array::Bool(values) => Ok(values.mapv(|value| f64::from(u8::from(value)))),
            Array::I64(values) => {
                exact(
                    what,
                    values.shape(),
                    values.iter().map(|&value| i128::from(value)),
                )?;
                Ok(values.mapv(|value| value as f64))
            }
            Array::U64(values) => {
                exact(
                    what,
                    values.shape(),
                    values.iter().map(|&value| i128::from(value)),
                )?;
                Ok(values.mapv(|value| value as f64))
            }
            other => {
                let dtype = other.dtype();
                numeric!(other, values => Ok(values.mapv(f64::from)), _ => Err(unsupported(dtype)))
            }
        }
    }

    /// Like [`Array::into_f64`], from a borrowed array.
    pub fn to_f64(&self, what: &str) -> Result<ArrayD<f64>> {
        self.clone().into_f64(what)
    }

    /// The numbers as `f32` where that loses nothing (floats of at most 32 bits, integers of at
    /// most 16 bits, truths); `None` otherwise.
    pub fn into_exact_f32(self) -> Option<ArrayD<f32>> {
        match self {
            Array::F32(values) | Array::F16(values) | Array::Bf16(values) => Some(values),
            Array::Bool(values) => Some(values.mapv(|value| f32::from(u8::from(value)))),
            Array::I8(values) => Some(values.mapv(f32::from)),
            Array::U8(values) => Some(values.mapv(f32::from)),
            Array::I16(values) => Some(values.mapv(f32::from)),
            Array::U16(values) => Some(values.mapv(f32::from)),
            _ => None,
        }
    }
}

impl Statistics {
    /// Takes in an array's numbers, changed by `change`; complex numbers and words count nothing.
    pub(crate) fn take_array(&mut self, array: &Array, change: impl Fn(f64) -> f64) {
        match array {
            Array::Bool(values) => {
                self.extend(
                    values
                        .iter()
                        .map(|&value| change(f64::from(u8::from(value)))),
                );
            }
            Array::I64(values) => self.extend(values.iter().map(|&value| change(value as f64))),
            Array::U64(values) => self.extend(values.iter().map(|&value| change(value as f64))),
            other => numeric!(
                other,
                values => self.extend(values.iter().map(|value| change(widen(value)))),
                _ => ()
            ),
        }
    }
}

fn widen<T: Copy + Into<f64>>(value: &T) -> f64 {
    (*value).into()
}

/// Elements in file order with the machine's byte order; `width` is what is swapped as one.
fn elements<T: bytemuck::Pod>(
    reader: &mut dyn Read,
    layout: &Layout,
    width: usize,
    exact: bool,
) -> io::Result<Vec<T>> {
    let (count, _) = layout.sizes().ok_or(io::ErrorKind::OutOfMemory)?;
    let mut values = if exact {
        source::read_checked(reader, count)?
    } else {
        source::read_growing(reader, count)?
    };
    if width > 1 && layout.big_endian != cfg!(target_endian = "big") {
        for element in bytemuck::cast_slice_mut::<T, u8>(&mut values).chunks_exact_mut(width) {
            element.reverse();
        }
    }
    Ok(values)
}

fn shaped<T>(values: Vec<T>, layout: &Layout) -> io::Result<ArrayD<T>> {
    ArrayD::from_shape_vec(IxDyn(&layout.shape).set_f(layout.fortran), values)
        .map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error.to_string()))
}

/// Fails at the first integer that no `f64` equals.
fn exact(what: &str, shape: &[usize], values: impl Iterator<Item = i128>) -> Result<()> {
    for (index, value) in values.enumerate() {
        if value as f64 as i128 != value {
            return Err(Error::unsupported(
                what,
                place(shape, index),
                format!("{value} is beyond 2^53 and has no exact 64-bit float"),
            ));
        }
    }
    Ok(())
}

/// The place of a flat (row-major) index in words: `row 3, column 0`, or `[1, 2, 3]`.
pub(crate) fn place(shape: &[usize], index: usize) -> String {
    match *shape {
        [] => "the only value".to_string(),
        [_] => format!("index {index}"),
        [_, columns] => {
            format!(
                "row {}, column {}",
                index / columns.max(1),
                index % columns.max(1)
            )
        }
        _ => {
            let mut rest = index;
            let mut indices = vec![0; shape.len()];
            for (slot, &size) in indices.iter_mut().zip(shape).rev() {
                *slot = rest % size.max(1);
                rest /= size.max(1);
            }
            format!("{indices:?}")
        }
    }
}
