//! The header of a `.npy` file: a magic string, a version, and a Python dictionary in text.

use std::io::Read;

use crate::array::{Dtype, Layout};
use crate::numpy::MAGIC;
use crate::{Error, Result};

/// NumPy writes 118 bytes and itself refuses more than 10 000.
const LONGEST_HEADER: usize = 1 << 16;
/// NumPy's own limit.
const MOST_AXES: usize = 64;

/// What the header says.
pub(crate) struct Header {
    pub(crate) elements: Elements,
    /// Where the data begins.
    pub(crate) data_offset: u64,
}

/// What one element is, and how many there are.
pub(crate) enum Elements {
    Numbers(Layout),
    /// Text of a fixed `width` in characters, four bytes (`wide`) or one each.
    Words {
        wide: bool,
        width: usize,
        big_endian: bool,
        fortran: bool,
        shape: Vec<usize>,
    },
}

impl Header {
    /// Reads and checks everything up to the data.
    pub(crate) fn read(reader: &mut dyn Read, name: &str) -> Result<Header> {
        let short = |field: &str| {
            Error::malformed(name, field, "the file ends before it does; it is truncated")
        };
        let mut start = [0; 8];
        reader.read_exact(&mut start).map_err(|_| short("magic"))?;
        if !start.starts_with(MAGIC) {
            return Err(Error::malformed_at(
                name,
                "magic",
                0,
                "not \\x93NUMPY: not a .npy file",
            ));
        }
        let (major, minor) = (start[6], start[7]);
        let (length, before) = match (major, minor) {
            (1, 0) => {
                let mut raw = [0; 2];
                reader
                    .read_exact(&mut raw)
                    .map_err(|_| short("header length"))?;
                (usize::from(u16::from_le_bytes(raw)), 10)
            }
            (2 | 3, 0) => {
                let mut raw = [0; 4];
                reader
                    .read_exact(&mut raw)
                    .map_err(|_| short("header length"))?;
                (
                    usize::try_from(u32::from_le_bytes(raw)).unwrap_or(usize::MAX),
                    12,
                )
            }
            _ => {
                return Err(Error::unsupported(
                    name,
                    "version",
                    format!("{major}.{minor}; known are 1.0, 2.0 and 3.0"),
                ));
            }
        };
        if length > LONGEST_HEADER {
            return Err(Error::malformed_at(
                name,
                "header length",
                8,
                format!("{length} bytes; no honest header is longer than {LONGEST_HEADER}"),
            ));
        }
        let mut text = vec![0; length];
        reader.read_exact(&mut text).map_err(|_| short("header"))?;
        let dictionary = Dictionary::parse(&text).map_err(|(at, reason)| {
            Error::malformed_at(name, "header", (before + at) as u64, reason)
        })?;
        let elements = dictionary.elements(name)?;
        Ok(Header {
            elements,
            data_offset: (before + length) as u64,
        })
    }

    /// The bytes the data takes; `None` where that overflows.
    pub(crate) fn data_bytes(&self) -> Option<u64> {
        match &self.elements {
            Elements::Numbers(layout) => layout.sizes().map(|(_, bytes)| bytes),
            Elements::Words {
                wide, width, shape, ..
            } => shape
                .iter()
                .try_fold(
                    width.checked_mul(if *wide { 4 } else { 1 })?,
                    |product, &size| product.checked_mul(size),
                )
                .map(|bytes| bytes as u64),
        }
    }

    pub(crate) fn shape(&self) -> &[usize] {
        match &self.elements {
            Elements::Numbers(layout) => &layout.shape,
            Elements::Words { shape, .. } => shape,
        }
    }

    /// The shape as Python writes it.
    pub(crate) fn shape_in_words(&self) -> String {
        let sizes: Vec<String> = self.shape().iter().map(usize::to_string).collect();
        if sizes.len() == 1 {
            format!("({},)", sizes[0])
        } else {
            format!("({})", sizes.join(", "))
        }
    }

    /// The element type in words.
    pub(crate) fn dtype(&self) -> &'static str {
        match &self.elements {
            Elements::Numbers(layout) => layout.dtype.name(),
            Elements::Words { .. } => "words",
        }
    }
}

/// The three entries, not yet understood.
struct Dictionary {
    descr: String,
    fortran: bool,
    shape: Vec<usize>,
}

/// Where a header is wrong, and why.
type Wrong = (usize, String);

impl Dictionary {
    fn parse(text: &[u8]) -> Result<Dictionary, Wrong> {
        let mut reader = Literal { text, at: 0 };
        let (mut descr, mut fortran, mut shape) = (None, None, None);
        reader.expect(b'{')?;
        while !reader.take(b'}') {
            let at = reader.at;
            let key = reader.string()?;
            reader.expect(b':')?;
            let again = match key.as_str() {
                "descr" => descr.replace(reader.descr()?).is_some(),
                "fortran_order" => fortran.replace(reader.truth()?).is_some(),
                "shape" => shape.replace(reader.shape()?).is_some(),
                _ => return Err((at, format!("unknown key {key:?}"))),
            };
            if again {
                return Err((at, format!("key {key:?} twice")));
            }
            if !reader.take(b',') {
                reader.expect(b'}')?;
                break;
            }
        }
        reader.blanks();
        if reader.at < text.len() {
            return Err((reader.at, "text after the dictionary".to_string()));
        }
        let missing = |key: &str| (0, format!("key {key:?} is missing"));
        Ok(Dictionary {
            descr: descr.ok_or_else(|| missing("descr"))?,
            fortran: fortran.ok_or_else(|| missing("fortran_order"))?,
            shape: shape.ok_or_else(|| missing("shape"))?,
        })
    }

    /// Understands `descr`: a byte order, a kind and a width.
    fn elements(self, name: &str) -> Result<Elements> {
        let Dictionary {
            descr,
            fortran,
            shape,
        } = self;
        let unsupported = |reason: &str| {
            Err(Error::unsupported(
                name,
                format!("descr {descr:?}"),
                reason.to_string(),
            ))
        };
        let malformed =
            || Error::malformed(name, "descr", format!("{descr:?} is no NumPy element type"));
        let (order, kind) = match descr.as_bytes() {
            [order @ (b'<' | b'>' | b'=' | b'|'), rest @ ..] => (*order, rest),
            rest => (b'=', rest),
        };
        let big_endian = match order {
            b'<' => false,
            b'>' => true,
            _ => cfg!(target_endian = "big"),
        };
        let (&letter, digits) = kind.split_first().ok_or_else(malformed)?;
        let width = || -> Result<usize> {
            std::str::from_utf8(digits)
                .ok()
                .and_then(|digits| digits.parse().ok())
                .ok_or_else(malformed)
        };
        let dtype = match (letter, digits) {
            (b'b', b"1") | (b'?', b"") => Dtype::Bool,
            (b'i', b"1") => Dtype::I8,
            (b'i', b"2") => Dtype::I16,
            (b'i', b"4") => Dtype::I32,
            (b'i', b"8") => Dtype::I64,
            (b'u', b"1") => Dtype::U8,
            (b'u', b"2") => Dtype::U16,
            (b'u', b"4") => Dtype::U32,
            (b'u', b"8") => Dtype::U64,
            (b'f', b"2") => Dtype::F16,
            (b'f', b"4") => Dtype::F32,
            (b'f', b"8") => Dtype::F64,
            (b'c', b"8") => Dtype::C64,
            (b'c', b"16") => Dtype::C128,
            (b'f', b"12" | b"16") | (b'c', b"24" | b"32") => {
                return unsupported("long double differs between machines; save as float64");
            }
            (b'O', _) => {
                return unsupported(
                    "Python objects are stored as a pickle, which can run code; \
                     save a plain numeric array",
                );
            }
            (b'M' | b'm', _) => return unsupported("dates and durations; save them as numbers"),
            (b'[' | b'(', _) => {
                return unsupported("structured elements; save each field as its own array");
            }
            (b'V', _) => return unsupported("raw bytes without a meaning"),
            (b'U' | b'S' | b'a', _) => {
                let width = width()?;
                if width == 0 {
                    return unsupported("text of width zero");
                }
                return Ok(Elements::Words {
                    wide: letter == b'U',
                    width,
                    big_endian,
                    fortran,
                    shape,
                });
            }
            _ => return Err(malformed()),
        };
        Ok(Elements::Numbers(Layout {
            dtype,
            big_endian,
            fortran,
            shape,
        }))
    }
}

/// A reader of the few Python literals a header is made of. It never nests, so that no header can
/// exhaust the stack.
struct Literal<'a> {
    text: &'a [u8],
    at: usize,
}

impl Literal<'_> {
    fn blanks(&mut self) {
        while self.text.get(self.at).is_some_and(u8::is_ascii_whitespace) {
            self.at += 1;
        }
    }

    fn take(&mut self, byte: u8) -> bool {
        self.blanks();
        let there = self.text.get(self.at) == Some(&byte);
        self.at += usize::from(there);
        there
    }

    fn expect(&mut self, byte: u8) -> Result<(), Wrong> {
        if self.take(byte) {
            return Ok(());
        }
        Err((self.at, format!("expected {:?}", char::from(byte))))
    }

    fn string(&mut self) -> Result<String, Wrong> {
        self.blanks();
        let quote = match self.text.get(self.at) {
            Some(&quote @ (b'\'' | b'"')) => quote,
            _ => return Err((self.at, "expected a quoted string".to_string())),
        };
        let begin = self.at + 1;
        let rest = &self.text[begin..];
        let end = rest
            .iter()
            .position(|&byte| byte == quote)
            .ok_or_else(|| (self.at, "string without an end".to_string()))?;
        self.at = begin + end + 1;
        Ok(String::from_utf8_lossy(&rest[..end]).into_owned())
    }

    /// The element type. A list or tuple says structured elements; its inside is of no interest, and
    /// the whole header ends here.
    fn descr(&mut self) -> Result<String, Wrong> {
        self.blanks();
        match self.text.get(self.at) {
            Some(b'[') | Some(b'(') => self.structured(),
            _ => self.string(),
        }
    }

    fn structured(&mut self) -> Result<String, Wrong> {
        let begin = self.at;
        let mut depth = 0_usize;
        while let Some(&byte) = self.text.get(self.at) {
            match byte {
                b'\'' | b'"' => {
                    self.string()?;
                    continue;
                }
                b'[' | b'(' => depth += 1,
                b']' | b')' => depth = depth.saturating_sub(1),
                _ => {}
            }
            self.at += 1;
            if depth == 0 {
                let shown = &self.text[begin..self.at.min(begin + 60)];
                return Ok(String::from_utf8_lossy(shown).into_owned());
            }
        }
        Err((begin, "list without an end".to_string()))
    }

    fn truth(&mut self) -> Result<bool, Wrong> {
        self.blanks();
        let rest = &self.text[self.at..];
        for (word, value) in [(&b"True"[..], true), (b"False", false)] {
            if rest.starts_with(word) {
                self.at += word.len();
                return Ok(value);
            }
        }
        Err((self.at, "fortran_order: expected True or False".to_string()))
    }

    fn shape(&mut self) -> Result<Vec<usize>, Wrong> {
        self.expect(b'(')?;
        let mut shape = Vec::new();
        while !self.take(b')') {
            if shape.len() == MOST_AXES {
                return Err((self.at, format!("shape: more than {MOST_AXES} axes")));
            }
            shape.push(self.size()?);
            if !self.take(b',') {
                self.expect(b')')?;
                break;
            }
        }
        Ok(shape)
    }

    fn size(&mut self) -> Result<usize, Wrong> {
        self.blanks();
        let begin = self.at;
        while self.text.get(self.at).is_some_and(u8::is_ascii_digit) {
            self.at += 1;
        }
        let digits = std::str::from_utf8(&self.text[begin..self.at]).unwrap_or_default();
        if digits.is_empty() {
            return Err((begin, "shape: expected a size".to_string()));
        }
        // Python 2 wrote long integers with a suffix.
        self.take(b'L');
        digits
            .parse()
            .map_err(|_| (begin, format!("shape: size {digits} does not fit 64 bits")))
    }
}
