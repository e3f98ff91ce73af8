//! RIFF WAVE audio: `.wav`, its big-endian form RIFX and its 64-bit form RF64.
//!
//! Whole-number samples of up to 64 bits and floats of 32 and 64 bits; compressed codings are
//! refused by name. Source: Multimedia Programming Interface and Data Specifications 1.0 (IBM and
//! Microsoft, 1991), WAVEFORMATEXTENSIBLE, and EBU Tech 3306 (RF64).

use std::io::{self, Cursor, Read, Seek, SeekFrom};
use std::path::Path;

use chiasm_core::data::{Clock, Recording};
use ndarray::Array2;

use crate::source::Fields;
use crate::{Error, Result, source};

/// Real files hold a handful of chunks.
const MOST_CHUNKS: usize = 1 << 12;
/// A size that stands for "unknown", as streaming writers leave it, or "see ds64".
const UNKNOWN_SIZE: u64 = 0xFFFF_FFFF;

const PCM: u16 = 1;
const FLOAT: u16 = 3;
const EXTENSIBLE: u16 = 0xFFFE;

/// What the header of a sound says.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sound {
    /// Frames per second.
    pub rate: u32,
    /// Samples per frame.
    pub channels: u16,
    /// Bytes per sample.
    pub width: usize,
    /// Whether samples are floats rather than whole numbers.
    pub float: bool,
    /// The number of frames.
    pub frames: usize,
    big_endian: bool,
    data_offset: u64,
}

/// Reads a sound as frames x channels with full scale at ±1. Floats are taken as they are.
pub fn read(path: &Path) -> Result<Recording> {
    let (mut file, length) = source::open(path)?;
    read_from(&mut file, length, &source::name_of(path))
}

/// Reads the bytes of a sound; `name` stands for the file in errors.
pub fn parse(bytes: &[u8], name: &str) -> Result<Recording> {
    read_from(&mut Cursor::new(bytes), bytes.len() as u64, name)
}

fn read_from<R: Read + Seek>(reader: &mut R, length: u64, name: &str) -> Result<Recording> {
    let sound = Sound::find(reader, length, name)?;
    let channels = usize::from(sound.channels);
    let mut samples: Vec<f32> = Vec::new();
    samples
        .try_reserve_exact(sound.frames * channels)
        .map_err(|_| Error::io(Path::new(name), io::ErrorKind::OutOfMemory.into()))?;
    sound
        .stream(reader, usize::MAX, |block| {
            samples.extend(block.iter().map(|&value| value as f32))
        })
        .map_err(|error| Error::io(Path::new(name), error))?;
    let samples = Array2::from_shape_vec((sound.frames, channels), samples)
        .map_err(|error| Error::malformed(name, "data", error.to_string()))?;
    if let Some(((frame, channel), _)) =
        samples.indexed_iter().find(|(_, value)| !value.is_finite())
    {
        let count = samples.iter().filter(|value| !value.is_finite()).count();
        let first = format!("frame {frame}, channel {channel}");
        return Err(chiasm_core::Error::NotFinite {
            what: name.to_string(),
            count,
            first,
        }
        .into());
    }
    let names = (1..=channels)
        .map(|channel| format!("channel {channel}"))
        .collect();
    let clock = Clock::Regular {
        start: 0.0,
        rate: f64::from(sound.rate),
    };
    Ok(Recording::new(name, samples, names, clock, "")?)
}

impl Sound {
    /// Walks the chunks up to the samples.
    pub(crate) fn find<R: Read + Seek>(reader: &mut R, length: u64, name: &str) -> Result<Sound> {
        let mut start = [0; 12];
        reader.read_exact(&mut start).map_err(|_| {
            Error::malformed(
                name,
                "RIFF header",
                "the file ends before it does; it is truncated",
            )
        })?;
        let big_endian = match (&start[..4], &start[8..]) {
            (b"RIFF" | b"RF64", b"WAVE") => false,
            (b"RIFX", b"WAVE") => true,
            _ => {
                return Err(Error::malformed_at(
                    name,
                    "RIFF header",
                    0,
                    "not a WAVE file",
                ));
            }
        };
        let (mut format, mut long_data) = (None, None);
        let mut at = 12_u64;
        for _ in 0..MOST_CHUNKS {
            let mut raw = [0; 8];
            reader
                .seek(SeekFrom::Start(at))
                .and_then(|_| reader.read_exact(&mut raw))
                .map_err(|_| {
                    Error::malformed_at(name, "data chunk", at, "missing; the file is truncated")
                })?;
            let chunk = Fields {
                bytes: &raw,
                big_endian,
            };
            let size = u64::from(chunk.u32(4));
            let begin = at + 8;
            let left = length.saturating_sub(begin);
            let id = String::from_utf8_lossy(&raw[..4]).into_owned();
            match &raw[..4] {
                b"data" => {
                    let format: Sound = format.ok_or_else(|| {
                        Error::malformed_at(name, "fmt chunk", at, "missing before the data chunk")
                    })?;
                    let size = if size == UNKNOWN_SIZE {
                        long_data.unwrap_or(left)
                    } else {
                        size
                    };
                    return format.with_data(begin, size, left, name);
                }
                _ if size > left => {
                    return Err(Error::malformed_at(
                        name,
                        format!("{id:?} chunk"),
                        at,
                        format!("declares {size} bytes, but only {left} follow"),
                    ));
                }
                b"fmt " => format = Some(Sound::parse_format(reader, size, big_endian, at, name)?),
                b"ds64" => {
                    let mut raw = [0; 16];
                    if reader.read_exact(&mut raw).is_ok() {
                        let low = Fields {
                            bytes: &raw,
                            big_endian,
                        };
                        long_data = Some(u64::from(low.u32(8)) | u64::from(low.u32(12)) << 32);
                    }
                }
                _ => {}
            }
            // Chunks begin at even offsets.
            at = begin + size + size % 2;
        }
        Err(Error::malformed_at(
            name,
            "chunks",
            at,
            format!("more than {MOST_CHUNKS} and no data"),
        ))
    }

    fn parse_format(
        reader: &mut impl Read,
        size: u64,
        big_endian: bool,
        at: u64,
        name: &str,
    ) -> Result<Sound> {
        let wrong = |reason: String| Error::malformed_at(name, "fmt chunk", at, reason);
        if size < 16 {
            return Err(wrong(format!("{size} bytes, expected at least 16")));
        }
        let mut raw = [0; 40];
        let there = if size < 40 { 16 } else { 40 };
        reader
            .read_exact(&mut raw[..there])
            .map_err(|_| wrong("truncated".to_string()))?;
        let chunk = Fields {
            bytes: &raw,
            big_endian,
        };
        let tag = match chunk.u16(0) {
            // The first part of the coding's GUID is a number, in the byte order of the file.
            EXTENSIBLE if there == 40 => u16::try_from(chunk.u32(24)).unwrap_or(EXTENSIBLE),
            tag => tag,
        };
        let (channels, rate) = (chunk.u16(2), chunk.u32(4));
        let (block, bits) = (chunk.u16(12), chunk.u16(14));
        if !matches!(tag, PCM | FLOAT) {
            let coding = match tag {
                2 | 17 => "ADPCM",
                6 => "A-law",
                7 => "mu-law",
                0x55 => "MP3",
                _ => "unknown",
            };
            return Err(Error::unsupported(
                name,
                "fmt chunk",
                format!("{coding} coding (tag {tag}); convert to PCM or float"),
            ));
        }
        if channels == 0 || rate == 0 {
            return Err(wrong(format!(
                "{channels} channels at {rate} frames per second"
            )));
        }
        let width = usize::from(block / channels);
        let float = tag == FLOAT;
        let fits = if float {
            matches!(width, 4 | 8)
        } else {
            (1..=8).contains(&width)
        };
        if !fits || block % channels != 0 || bits == 0 || usize::from(bits) > 8 * width {
            return Err(wrong(format!(
                "{bits} bits per sample in blocks of {block} bytes for {channels} channels"
            )));
        }
        Ok(Sound {
            rate,
            channels,
            width,
            float,
            frames: 0,
            big_endian,
            data_offset: 0,
        })
    }

    fn with_data(mut self, begin: u64, size: u64, left: u64, name: &str) -> Result<Sound> {
        if size > left {
            return Err(Error::malformed_at(
                name,
                "data chunk",
                begin - 8,
                format!("truncated: declares {size} bytes, found {left}"),
            ));
        }
        let block = (self.width * usize::from(self.channels)) as u64;
        if !size.is_multiple_of(block) {
            return Err(Error::malformed_at(
                name,
                "data chunk",
                begin - 8,
                format!("{size} bytes are no whole number of frames of {block} bytes"),
            ));
        }
        self.data_offset = begin;
        self.frames = usize::try_from(size / block)
            .map_err(|_| Error::malformed(name, "data chunk", "too large"))?;
        Ok(self)
    }

    /// Hands over at most `most` frames in blocks of interleaved samples, whole numbers scaled to ±1.
    pub(crate) fn stream<R: Read + Seek>(
        &self,
        reader: &mut R,
        most: usize,
        mut take: impl FnMut(&[f64]),
    ) -> io::Result<()> {
        reader.seek(SeekFrom::Start(self.data_offset))?;
        let frame = self.width * usize::from(self.channels);
        let step = ((1 << 16) / frame).max(1);
        let mut left = self.frames.min(most);
        let mut bytes = vec![0; frame * step.min(left)];
        let mut block = Vec::with_capacity(bytes.len() / self.width);
        while left > 0 {
            let now = left.min(step);
            let bytes = &mut bytes[..now * frame];
            reader.read_exact(bytes)?;
            if self.big_endian && self.width > 1 {
                bytes.chunks_exact_mut(self.width).for_each(<[u8]>::reverse);
            }
            block.clear();
            block.extend(bytes.chunks_exact(self.width).map(|raw| self.sample(raw)));
            take(&block);
            left -= now;
        }
        Ok(())
    }

    /// One sample from its little-endian bytes. Whole numbers are left-justified in their
    /// container, so that full scale is the container's; single bytes are unsigned.
    fn sample(&self, raw: &[u8]) -> f64 {
        let fields = Fields {
            bytes: raw,
            big_endian: false,
        };
        match (self.float, self.width) {
            (true, 4) => f64::from(fields.f32(0)),
            (true, _) => fields.f64(0),
            (false, 1) => (f64::from(raw[0]) - 128.0) / 128.0,
            (false, width) => {
                let mut wide = [0; 8];
                wide[8 - width..].copy_from_slice(raw);
                // 2^63: full scale of the left-justified number.
                i64::from_le_bytes(wide) as f64 / 9_223_372_036_854_775_808.0
            }
        }
    }
}
