//! Element types and the way from stored bytes to Rust numbers.

use std::fmt;

use hdf5_pure::{Datatype, DatatypeByteOrder, StringPadding};

/// The most types that may lie inside one another.
const DEEPEST: usize = 16;

/// What the elements of a dataset are.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum ElementType {
    /// Numbers.
    Number(NumberType),
    /// Truth values, stored as 0 and 1.
    Truth(NumberType),
    /// Numbers that stand for names.
    Named {
        /// How the numbers are stored.
        number: NumberType,
        /// Number and name, in order of number.
        names: Vec<(i64, String)>,
    },
    /// Words of at most this many bytes.
    FixedWords {
        /// Bytes of each.
        bytes: u32,
        /// Whether short words are filled with spaces rather than zeros.
        spaces: bool,
    },
    /// Words of any length.
    Words,
    /// Lists of numbers, each of its own length.
    Ragged(NumberType),
    /// Records with named fields.
    Record(Vec<(String, ElementType)>),
    /// References to objects or regions of the file.
    Reference,
    /// Anything else, in words.
    Other(String),
}

/// How a number is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NumberType {
    /// Bytes of each number.
    pub bytes: usize,
    /// Integer or float.
    pub kind: NumberKind,
    /// Whether the most significant byte comes first.
    pub big_endian: bool,
}

/// Integer or float.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NumberKind {
    /// Two's complement.
    Signed,
    /// Natural numbers.
    Unsigned,
    /// IEEE 754, half, single or double precision.
    Float,
}

impl fmt::Display for NumberType {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let letter = match self.kind {
            NumberKind::Signed => 'i',
            NumberKind::Unsigned => 'u',
            NumberKind::Float => 'f',
        };
        write!(out, "{letter}{}", 8 * self.bytes)
    }
}

impl fmt::Display for ElementType {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ElementType::Number(number) => write!(out, "{number}"),
            ElementType::Truth(_) => write!(out, "bool"),
            ElementType::Named { names, .. } => write!(out, "one of {} names", names.len()),
            ElementType::FixedWords { .. } | ElementType::Words => write!(out, "words"),
            ElementType::Ragged(number) => write!(out, "ragged {number}"),
            ElementType::Record(fields) => {
                write!(out, "record of ")?;
                for (index, (name, element)) in fields.iter().take(8).enumerate() {
                    let separator = if index == 0 { "" } else { ", " };
                    write!(out, "{separator}{name}: {element}")?;
                }
                if fields.len() > 8 {
                    write!(out, ", …")
                } else {
                    Ok(())
                }
            }
            ElementType::Reference => write!(out, "reference"),
            ElementType::Other(words) => write!(out, "{words}"),
        }
    }
}

impl ElementType {
    /// The numbers behind numbers, truth values and named values.
    pub fn number(&self) -> Option<NumberType> {
        match self {
            ElementType::Number(number)
            | ElementType::Truth(number)
            | ElementType::Named { number, .. } => Some(*number),
            _ => None,
        }
    }

    /// Whether the elements are words.
    pub fn is_words(&self) -> bool {
        matches!(self, ElementType::FixedWords { .. } | ElementType::Words)
    }

    pub(super) fn of(datatype: &Datatype) -> Self {
        Self::nested(datatype, 0)
    }

    fn nested(datatype: &Datatype, depth: usize) -> Self {
        if depth > DEEPEST {
            return ElementType::Other("type nested too deep".to_string());
        }
        if let Some(number) = number_type(datatype) {
            return ElementType::Number(number);
        }
        match datatype {
            Datatype::String { size, padding, .. } => ElementType::FixedWords {
                bytes: *size,
                spaces: *padding == StringPadding::SpacePad,
            },
            Datatype::VariableLength {
                is_string: true, ..
            } => ElementType::Words,
            Datatype::VariableLength { base_type, .. } => match base_type.as_ref() {
                // The form in which MATLAB writes words.
                Datatype::String { size: 1, .. } => ElementType::Words,
                base => match number_type(base) {
                    Some(number) => ElementType::Ragged(number),
                    None => ElementType::Other("lists of something other than numbers".to_string()),
                },
            },
            Datatype::Enumeration {
                base_type, members, ..
            } => match number_type(base_type) {
                Some(number) => {
                    let mut names: Vec<(i64, String)> = members
                        .iter()
                        .filter_map(|member| {
                            let mut value = Vec::new();
                            decode(&member.value, number, &mut value).ok()?;
                            Some((*value.first()?, member.name.clone()))
                        })
                        .collect();
                    names.sort();
                    let truth: Vec<&str> = names.iter().map(|(_, name)| name.as_str()).collect();
                    if number.bytes == 1 && truth == ["FALSE", "TRUE"] {
                        ElementType::Truth(number)
                    } else {
                        ElementType::Named { number, names }
                    }
                }
                None => ElementType::Other("enumeration".to_string()),
            },
            Datatype::Compound { members, .. } => ElementType::Record(
                members
                    .iter()
                    .map(|member| {
                        (
                            member.name.clone(),
                            Self::nested(&member.datatype, depth + 1),
                        )
                    })
                    .collect(),
            ),
            Datatype::Reference { .. } => ElementType::Reference,
            Datatype::Array { .. } => ElementType::Other("small arrays".to_string()),
            Datatype::Opaque { .. } => ElementType::Other("opaque bytes".to_string()),
            Datatype::BitField { .. } => ElementType::Other("bit field".to_string()),
            Datatype::Time { .. } => ElementType::Other("time".to_string()),
            _ => ElementType::Other("numbers in an unusual layout".to_string()),
        }
    }
}

fn number_type(datatype: &Datatype) -> Option<NumberType> {
    let (bytes, kind, order) = match datatype {
        Datatype::FixedPoint {
            size,
            byte_order,
            layout,
        } => {
            let plain = layout.bit_offset == 0 && u32::from(layout.bit_precision) == 8 * size;
            let kind = if layout.signed {
                NumberKind::Signed
            } else {
                NumberKind::Unsigned
            };
            (plain && matches!(size, 1 | 2 | 4 | 8)).then_some((*size, kind, byte_order))?
        }
        Datatype::FloatingPoint {
            size,
            byte_order,
            layout,
        } => {
            let fields = (
                layout.exponent_size,
                layout.mantissa_size,
                layout.exponent_bias,
            );
            let plain = layout.bit_offset == 0
                && layout.mantissa_location == 0
                && layout.exponent_location == layout.mantissa_size
                && match size {
                    2 => fields == (5, 10, 15),
                    4 => fields == (8, 23, 127),
                    8 => fields == (11, 52, 1023),
                    _ => false,
                };
            plain.then_some((*size, NumberKind::Float, byte_order))?
        }
        _ => return None,
    };
    let big_endian = match order {
        DatatypeByteOrder::LittleEndian => false,
        DatatypeByteOrder::BigEndian => true,
        DatatypeByteOrder::Vax => return None,
    };
    Some(NumberType {
        bytes: usize::try_from(bytes).ok()?,
        kind,
        big_endian,
    })
}

mod sealed {
    pub trait Sealed {}
}

/// A Rust number that stored numbers can be read as. A conversion that would change a value (a
/// fraction or a value out of range read as an integer) is refused; a float may be rounded.
pub trait Element: sealed::Sealed + Copy + Default + Send + Sync + 'static {
    /// The type's name for messages.
    const NAME: &'static str;
    /// From a signed integer.
    fn from_signed(value: i64) -> Option<Self>;
    /// From an unsigned integer.
    fn from_unsigned(value: u64) -> Option<Self>;
    /// From a float.
    fn from_float(value: f64) -> Option<Self>;
}

macro_rules! float_element {
    ($($name:ident),*) => { $(
        impl sealed::Sealed for $name {}
        impl Element for $name {
            const NAME: &'static str = stringify!($name);
            #[inline]
            fn from_signed(value: i64) -> Option<Self> { Some(value as $name) }
            #[inline]
            fn from_unsigned(value: u64) -> Option<Self> { Some(value as $name) }
            #[inline]
            fn from_float(value: f64) -> Option<Self> { Some(value as $name) }
        }
    )* };
}

macro_rules! integer_element {
    ($($name:ident),*) => { $(
        impl sealed::Sealed for $name {}
        impl Element for $name {
            const NAME: &'static str = stringify!($name);
            #[inline]
            fn from_signed(value: i64) -> Option<Self> { $name::try_from(value).ok() }
            #[inline]
            fn from_unsigned(value: u64) -> Option<Self> { $name::try_from(value).ok() }
            #[inline]
            fn from_float(value: f64) -> Option<Self> {
                // Above 2^53 a float no longer says which integer is meant.
                let exact = value.fract() == 0.0 && value.abs() <= (1_u64 << 53) as f64;
                if exact { Self::from_signed(value as i64) } else { None }
            }
        }
    )* };
}

float_element!(f32, f64);
integer_element!(u8, u16, u32, u64, i32, i64);

/// Appends the numbers in `raw` to `out`. `Err` holds the index of the first number that `T` cannot
/// hold. `raw` is a whole number of elements.
pub(super) fn decode<T: Element>(
    raw: &[u8],
    number: NumberType,
    out: &mut Vec<T>,
) -> Result<(), usize> {
    let count = raw.len() / number.bytes;
    let before = out.len();
    out.reserve(count);
    macro_rules! each {
        ($width:literal, $stored:ident, $convert:expr) => {{
            let stored = raw.as_chunks::<$width>().0;
            let mut convert = |value: $stored| -> Option<()> {
                out.push($convert(value)?);
                Some(())
            };
            if number.big_endian {
                stored
                    .iter()
                    .try_for_each(|bytes| convert($stored::from_be_bytes(*bytes)))
            } else {
                stored
                    .iter()
                    .try_for_each(|bytes| convert($stored::from_le_bytes(*bytes)))
            }
        }};
    }
    let done = match (number.kind, number.bytes) {
        (NumberKind::Float, 2) => each!(2, u16, |bits| T::from_float(half_to_double(bits))),
        (NumberKind::Float, 4) => each!(4, f32, |value| T::from_float(f64::from(value))),
        (NumberKind::Float, _) => each!(8, f64, T::from_float),
        (NumberKind::Signed, 1) => each!(1, i8, |value| T::from_signed(i64::from(value))),
        (NumberKind::Signed, 2) => each!(2, i16, |value| T::from_signed(i64::from(value))),
        (NumberKind::Signed, 4) => each!(4, i32, |value| T::from_signed(i64::from(value))),
        (NumberKind::Signed, _) => each!(8, i64, T::from_signed),
        (NumberKind::Unsigned, 1) => each!(1, u8, |value| T::from_unsigned(u64::from(value))),
        (NumberKind::Unsigned, 2) => each!(2, u16, |value| T::from_unsigned(u64::from(value))),
        (NumberKind::Unsigned, 4) => each!(4, u32, |value| T::from_unsigned(u64::from(value))),
        (NumberKind::Unsigned, _) => each!(8, u64, T::from_unsigned),
    };
    done.ok_or(out.len() - before)
}

/// The value of an IEEE 754 half-precision number.
fn half_to_double(bits: u16) -> f64 {
    let sign = if bits & 0x8000 == 0 { 1.0 } else { -1.0 };
    let exponent = i32::from((bits >> 10) & 0x1f);
    let fraction = f64::from(bits & 0x3ff);
    match exponent {
        0 => sign * fraction * 2.0_f64.powi(-24),
        31 if fraction == 0.0 => sign * f64::INFINITY,
        31 => f64::NAN,
        _ => sign * (1024.0 + fraction) * 2.0_f64.powi(exponent - 25),
    }
}

/// A fixed-length word without its filling.
pub(super) fn fixed_word(bytes: &[u8], spaces: bool) -> String {
    let end = bytes
        .iter()
        .position(|&byte| byte == 0)
        .unwrap_or(bytes.len());
    let word = String::from_utf8_lossy(&bytes[..end]);
    if spaces {
        word.trim_end_matches(' ').to_string()
    } else {
        word.into_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_precision_agrees_with_its_definition() {
        // Bit patterns and values from IEEE 754-2008, binary16.
        for (bits, value) in [
            (0x0000, 0.0),
            (0x0001, 2.0_f64.powi(-24)),
            (0x03ff, 1023.0 * 2.0_f64.powi(-24)),
            (0x0400, 2.0_f64.powi(-14)),
            (0x3c00, 1.0),
            (0x3555, 0.333_251_953_125),
            (0x7bff, 65504.0),
            (0xc000, -2.0),
            (0xfc00, f64::NEG_INFINITY),
        ] {
            assert_eq!(half_to_double(bits), value, "{bits:#x}");
        }
        assert!(half_to_double(0x7e00).is_nan());
    }

    #[test]
    fn values_that_do_not_fit_are_found() {
        let number = NumberType {
            bytes: 2,
            kind: NumberKind::Signed,
            big_endian: true,
        };
        let mut out = Vec::<u8>::new();
        assert_eq!(decode(&[0, 7, 0, 255, 1, 0], number, &mut out), Err(2));
        assert_eq!(out, [7, 255]);
        let number = NumberType {
            bytes: 8,
            kind: NumberKind::Float,
            big_endian: false,
        };
        let mut out = Vec::<i64>::new();
        let raw: Vec<u8> = [3.0_f64, 2.5]
            .iter()
            .flat_map(|value| value.to_le_bytes())
            .collect();
        assert_eq!(decode(&raw, number, &mut out), Err(1));
    }
}
