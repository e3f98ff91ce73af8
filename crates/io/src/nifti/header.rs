//! The fixed-size headers of NIfTI-1 (348 bytes) and NIfTI-2 (540 bytes).

use crate::array::{Dtype, Layout};
use crate::source::Fields;
use crate::{Error, Result};

/// Sizes of the two headers, which also tell them apart.
pub(super) const NIFTI_1: usize = 348;
pub(super) const NIFTI_2: usize = 540;

/// The data of a single file begins behind the header and four extension flags.
const FLAGS: u64 = 4;

/// What the header says, in the file's own units.
#[derive(Clone, Debug, PartialEq)]
pub struct Header {
    /// 1 or 2.
    pub version: u8,
    /// Slope and intercept, where stored numbers are to be scaled.
    pub scaling: Option<(f64, f64)>,
    /// The writer's description.
    pub description: String,
    /// Whether the numbers are in a file of their own.
    pub(super) pair: bool,
    pub(crate) layout: Layout,
    pub(super) data_offset: u64,
    /// Grid spacing of x, y, z and time.
    spacing: [f64; 4],
    units: i32,
    sform: Option<[[f64; 4]; 3]>,
    qform: Option<[[f64; 4]; 3]>,
}

/// Where an image's place in space comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Orientation {
    /// A general affine (`sform`).
    Affine,
    /// A rotation (`qform`).
    Rotation,
    /// Nothing but the grid: x runs right to left, the origin is the centre.
    Grid,
}

/// Whether these 348 bytes begin a NIfTI-2 header.
pub(super) fn is_nifti_2(raw: &[u8]) -> bool {
    let size = Fields {
        bytes: raw,
        big_endian: false,
    }
    .i32(0);
    size == 540 || size.swap_bytes() == 540
}

/// Whether the first bytes of a file are a NIfTI header's, of either version and order.
pub(crate) fn looks_like_header(head: &[u8]) -> bool {
    let little = Fields {
        bytes: head,
        big_endian: false,
    }
    .i32(0);
    let magic = |at: usize, expected: [&[u8]; 2]| {
        head.get(at..at + 4)
            .is_some_and(|found| expected.contains(&found))
    };
    match (little, little.swap_bytes()) {
        (348, _) | (_, 348) => magic(344, [b"n+1\0", b"ni1\0"]),
        (540, _) | (_, 540) => magic(4, [b"n+2\0", b"ni2\0"]),
        _ => false,
    }
}

/// Whether the first number of a file is the size of a header.
pub(crate) fn has_header_size(head: &[u8]) -> bool {
    let size = Fields {
        bytes: head,
        big_endian: false,
    }
    .i32(0);
    [348, 540]
        .iter()
        .any(|&known| size == known || size.swap_bytes() == known)
}

impl Header {
    /// Reads and checks the header's bytes.
    pub(super) fn parse(raw: &[u8], name: &str) -> Result<Header> {
        let little = Fields {
            bytes: raw,
            big_endian: false,
        };
        let size = little.i32(0);
        let (version, big_endian) = match (size, size.swap_bytes()) {
            (348, _) => (1, false),
            (_, 348) => (1, true),
            (540, _) => (2, false),
            (_, 540) => (2, true),
            _ => {
                return Err(Error::malformed_at(
                    name,
                    "sizeof_hdr",
                    0,
                    format!("{size}, expected 348 (NIfTI-1) or 540 (NIfTI-2)"),
                ));
            }
        };
        let magic_at = if version == 1 { 344 } else { 4 };
        let pair = match raw.get(magic_at..magic_at + 4) {
            Some(b"n+1\0" | b"n+2\0") => false,
            Some(b"ni1\0" | b"ni2\0") => true,
            Some([0, 0, 0, 0]) => {
                return Err(Error::unsupported(
                    name,
                    "magic",
                    "Analyze 7.5, which leaves left and right open; convert it to NIfTI",
                ));
            }
            _ => {
                let at = magic_at as u64;
                return Err(Error::malformed_at(
                    name,
                    "magic",
                    at,
                    "not n+1, ni1, n+2 or ni2",
                ));
            }
        };
        let fields = Fields {
            bytes: raw,
            big_endian,
        };
        if version == 1 {
            Header::version_1(&fields, pair, name)
        } else {
            Header::version_2(&fields, pair, name)
        }
    }

    fn version_1(fields: &Fields<'_>, pair: bool, name: &str) -> Result<Header> {
        let single = |at: usize| f64::from(fields.f32(at));
        let mut sizes = [0; 8];
        let mut spacing = [0.0; 8];
        for axis in 0..8 {
            sizes[axis] = i64::from(fields.i16(40 + 2 * axis));
            spacing[axis] = single(76 + 4 * axis);
        }
        let row = |at: usize| [single(at), single(at + 4), single(at + 8), single(at + 12)];
        let offset = single(108);
        if !(offset >= 0.0 && offset.fract() == 0.0 && offset < 9e15) {
            let reason = format!("{offset} is no byte of a file");
            return Err(Error::malformed_at(name, "vox_offset", 108, reason));
        }
        Raw {
            version: 1,
            pair,
            sizes,
            datatype: fields.i16(70),
            spacing,
            offset: offset as u64,
            scaling: (single(112), single(116)),
            units: fields.bytes.get(123).copied().map_or(0, i32::from),
            description: fields.text(148, 80),
            form_codes: (i32::from(fields.i16(252)), i32::from(fields.i16(254))),
            quaternion: [single(256), single(260), single(264)],
            origin: [single(268), single(272), single(276)],
            sform: [row(280), row(296), row(312)],
        }
        .check(fields.big_endian, name)
    }

    fn version_2(fields: &Fields<'_>, pair: bool, name: &str) -> Result<Header> {
        let mut sizes = [0; 8];
        let mut spacing = [0.0; 8];
        for axis in 0..8 {
            sizes[axis] = fields.i64(16 + 8 * axis);
            spacing[axis] = fields.f64(104 + 8 * axis);
        }
        let row = |at: usize| {
            [
                fields.f64(at),
                fields.f64(at + 8),
                fields.f64(at + 16),
                fields.f64(at + 24),
            ]
        };
        let offset = fields.i64(168);
        let offset = u64::try_from(offset).map_err(|_| {
            let reason = format!("{offset} is no byte of a file");
            Error::malformed_at(name, "vox_offset", 168, reason)
        })?;
        Raw {
            version: 2,
            pair,
            sizes,
            datatype: fields.i16(12),
            spacing,
            offset,
            scaling: (fields.f64(176), fields.f64(184)),
            units: fields.i32(500),
            description: fields.text(240, 80),
            form_codes: (fields.i32(344), fields.i32(348)),
            quaternion: [fields.f64(352), fields.f64(360), fields.f64(368)],
            origin: [fields.f64(376), fields.f64(384), fields.f64(392)],
            sform: [row(400), row(432), row(464)],
        }
        .check(fields.big_endian, name)
    }

    /// Voxel indices to millimetres, and where that comes from: the general affine where the file
    /// has one, else the rotation, else the bare grid.
    pub fn affine(&self) -> ([[f64; 4]; 3], Orientation) {
        let (mut affine, orientation) = match (self.sform, self.qform) {
            (Some(affine), _) => (affine, Orientation::Affine),
            (None, Some(affine)) => (affine, Orientation::Rotation),
            (None, None) => (self.grid(), Orientation::Grid),
        };
        let scale = self.millimetres();
        affine
            .iter_mut()
            .flatten()
            .for_each(|value| *value *= scale);
        (affine, orientation)
    }

    fn grid(&self) -> [[f64; 4]; 3] {
        let mut affine = [[0.0; 4]; 3];
        for (axis, row) in affine.iter_mut().enumerate() {
            let size = self.layout.shape.get(axis).copied().unwrap_or(1);
            let step = if axis == 0 {
                -self.spacing[axis]
            } else {
                self.spacing[axis]
            };
            row[axis] = step;
            row[3] = -((size as f64 - 1.0) / 2.0 * step);
        }
        affine
    }

    /// Edge lengths of a voxel in millimetres.
    pub fn voxel_size(&self) -> [f64; 3] {
        let scale = self.millimetres();
        [
            self.spacing[0] * scale,
            self.spacing[1] * scale,
            self.spacing[2] * scale,
        ]
    }

    /// Seconds between volumes; `None` where the header gives none, or gives a frequency.
    pub fn repetition_time(&self) -> Option<f64> {
        let scale = match self.units & 56 {
            0 | 8 => 1.0,
            16 => 1e-3,
            24 => 1e-6,
            _ => return None,
        };
        (self.spacing[3] > 0.0).then(|| self.spacing[3] * scale)
    }

    /// The byte at which the image begins.
    pub(crate) fn data_offset(&self) -> u64 {
        self.data_offset
    }

    /// Whether the file says in what unit space is measured.
    pub fn unit_known(&self) -> bool {
        self.units & 7 != 0
    }

    fn millimetres(&self) -> f64 {
        match self.units & 7 {
            1 => 1e3,
            3 => 1e-3,
            _ => 1.0,
        }
    }
}

/// The fields of either header in one width.
struct Raw {
    version: u8,
    pair: bool,
    sizes: [i64; 8],
    datatype: i16,
    spacing: [f64; 8],
    offset: u64,
    scaling: (f64, f64),
    units: i32,
    description: String,
    form_codes: (i32, i32),
    quaternion: [f64; 3],
    origin: [f64; 3],
    sform: [[f64; 4]; 3],
}

impl Raw {
    fn check(self, big_endian: bool, name: &str) -> Result<Header> {
        let axes = self.sizes[0];
        let count = usize::try_from(axes)
            .ok()
            .filter(|count| (1..=7).contains(count));
        let count = count.ok_or_else(|| {
            Error::malformed(name, "dim[0]", format!("{axes} axes, expected 1 to 7"))
        })?;
        let mut shape = Vec::with_capacity(count);
        for (axis, &size) in self.sizes.iter().enumerate().skip(1).take(count) {
            let honest = usize::try_from(size).ok().filter(|&size| size > 0);
            shape.push(honest.ok_or_else(|| {
                Error::malformed(
                    name,
                    format!("dim[{axis}]"),
                    format!("{size}, expected at least 1"),
                )
            })?);
        }
        let (slope, intercept) = self.scaling;
        let scaling = if slope.is_finite() && slope != 0.0 {
            if !intercept.is_finite() {
                let reason = format!("{intercept} beside a slope of {slope}");
                return Err(Error::malformed(name, "scl_inter", reason));
            }
            Some((slope, intercept)).filter(|&scaling| scaling != (1.0, 0.0))
        } else {
            None
        };
        let bare = if self.version == 1 { NIFTI_1 } else { NIFTI_2 } as u64 + FLAGS;
        let data_offset = match (self.pair, self.offset) {
            (false, 0) => bare,
            (false, offset) if offset < bare => {
                let reason = format!("{offset} lies within the header of {bare} bytes");
                return Err(Error::malformed(name, "vox_offset", reason));
            }
            (_, offset) => offset,
        };
        let mut spacing = [0.0; 4];
        for (axis, step) in spacing.iter_mut().enumerate() {
            let found = self.spacing[axis + 1];
            if axis < 3.min(count) && !found.is_finite() {
                let reason = format!("{found}, expected a length");
                return Err(Error::malformed(
                    name,
                    format!("pixdim[{}]", axis + 1),
                    reason,
                ));
            }
            *step = found.abs();
        }
        let sform = (self.form_codes.1 > 0).then_some(self.sform);
        if sform.is_some_and(|rows| rows.iter().flatten().any(|value| !value.is_finite())) {
            return Err(Error::malformed(name, "srow", "holds NaN or infinity"));
        }
        let qform = if self.form_codes.0 > 0 {
            Some(self.rotation(&spacing, name)?)
        } else {
            None
        };
        let dtype = dtype_of(self.datatype, name)?;
        Ok(Header {
            version: self.version,
            scaling,
            description: self.description,
            pair: self.pair,
            layout: Layout {
                dtype,
                big_endian,
                fortran: true,
                shape,
            },
            data_offset,
            spacing,
            units: self.units,
            sform,
            qform,
        })
    }

    /// The affine of the unit quaternion, method 2 of the NIfTI-1 definition.
    fn rotation(&self, spacing: &[f64; 4], name: &str) -> Result<[[f64; 4]; 3]> {
        let [b, c, d] = self.quaternion;
        let rest = 1.0 - (b * b + c * c + d * d);
        let finite = self.origin.iter().all(|value| value.is_finite());
        // Rounding to single precision may leave the vector part just longer than one.
        let slack = if self.version == 1 {
            3.0 * f64::from(f32::EPSILON)
        } else {
            3.0 * f64::EPSILON
        };
        if !(finite && rest >= -slack) {
            let reason = format!("({b}, {c}, {d}) is no rotation at a finite place");
            return Err(Error::malformed(name, "quatern", reason));
        }
        let a = rest.max(0.0).sqrt();
        let scale = 2.0 / (a * a + b * b + c * c + d * d);
        let rotation = [
            [
                1.0 - scale * (c * c + d * d),
                scale * (b * c - a * d),
                scale * (b * d + a * c),
            ],
            [
                scale * (b * c + a * d),
                1.0 - scale * (b * b + d * d),
                scale * (c * d - a * b),
            ],
            [
                scale * (b * d - a * c),
                scale * (c * d + a * b),
                1.0 - scale * (b * b + c * c),
            ],
        ];
        let handedness = if self.spacing[0] < 0.0 { -1.0 } else { 1.0 };
        let mut affine = [[0.0; 4]; 3];
        for (row, (turned, origin)) in affine.iter_mut().zip(rotation.iter().zip(self.origin)) {
            *row = [
                turned[0] * spacing[0],
                turned[1] * spacing[1],
                turned[2] * spacing[2] * handedness,
                origin,
            ];
        }
        Ok(affine)
    }
}

fn dtype_of(code: i16, name: &str) -> Result<Dtype> {
    Ok(match code {
        2 => Dtype::U8,
        4 => Dtype::I16,
        8 => Dtype::I32,
        16 => Dtype::F32,
        32 => Dtype::C64,
        64 => Dtype::F64,
        256 => Dtype::I8,
        512 => Dtype::U16,
        768 => Dtype::U32,
        1024 => Dtype::I64,
        1280 => Dtype::U64,
        1792 => Dtype::C128,
        _ => {
            let what = match code {
                1 => "single bits",
                128 | 2304 => "colours, which are no intensities",
                1536 | 2048 => "long double, which differs between machines",
                _ => {
                    return Err(Error::malformed(
                        name,
                        "datatype",
                        format!("{code} is not a NIfTI type"),
                    ));
                }
            };
            return Err(Error::unsupported(name, format!("datatype {code}"), what));
        }
    })
}
