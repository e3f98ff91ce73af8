//! EDF, EDF+, BDF and BDF+: polygraphic recordings with a rate per signal, annotations, and
//! recordings with gaps.
//!
//! Sources: Kemp et al. (1992), the EDF+ specification (Kemp and Olivan 2003), and BioSemi's note on
//! 24-bit BDF.

mod annotations;
mod header;

use std::io::{Cursor, Read};
use std::path::Path;

use chiasm_core::data::{Clock, Recording};
use ndarray::Array2;

use crate::{Error, Result, source, ten_twenty};

pub use annotations::Annotation;
pub(crate) use annotations::{Timeline, Times};
pub use header::{Header, Kind, Signal};

/// A recording as it is stored.
#[derive(Clone, Debug, PartialEq)]
pub struct Edf {
    /// The file.
    pub name: String,
    /// What the header says.
    pub header: Header,
    /// The signals proper, annotations left out.
    pub signals: Vec<Signal>,
    /// The stored numbers of each signal.
    pub digital: Vec<Vec<i32>>,
    /// Seconds from the header's start, which is a whole second, to the first sample. All other
    /// times count from the first sample.
    pub start_offset: f64,
    /// When each data record began, in seconds from the first sample.
    pub record_onsets: Vec<f64>,
    /// What happened when, in the order of the file.
    pub annotations: Vec<Annotation>,
}

/// Reads a file.
pub fn read(path: &Path) -> Result<Edf> {
    let (mut file, length) = source::open(path)?;
    read_from(&mut file, length, &source::name_of(path))
}

/// Reads the bytes of a file; `name` stands for the file in errors.
pub fn parse(bytes: &[u8], name: &str) -> Result<Edf> {
    read_from(&mut Cursor::new(bytes), bytes.len() as u64, name)
}

impl Edf {
    /// Samples per second of signal `index`, which must be one of [`Edf::signals`].
    pub fn rate(&self, index: usize) -> f64 {
        self.signals[index].samples_per_record as f64 / self.header.record_seconds
    }

    /// The values of signal `index`, which must be one of [`Edf::signals`], in its unit.
    pub fn physical(&self, index: usize) -> Vec<f64> {
        let signal = &self.signals[index];
        self.digital[index]
            .iter()
            .map(|&digital| signal.physical(digital))
            .collect()
    }

    /// Whether data records follow each other without a gap, to half a sample of the fastest signal.
    pub fn continuous(&self) -> bool {
        continuous(&self.header, &self.record_onsets)
    }

    /// The signals as recordings: one for each rate and unit, in order of first appearance.
    ///
    /// Recordings with gaps have irregular clocks. Electrodes named after the 10-20 system have that
    /// system's positions on a template head.
    pub fn recordings(&self) -> Result<Vec<Recording>> {
        let mut groups: Vec<(usize, &str, Vec<usize>)> = Vec::new();
        for (index, signal) in self.signals.iter().enumerate() {
            let key = (signal.samples_per_record, signal.unit.as_str());
            match groups
                .iter_mut()
                .find(|(samples, unit, _)| (*samples, *unit) == key)
            {
                Some((_, _, members)) => members.push(index),
                None => groups.push((key.0, key.1, vec![index])),
            }
        }
        groups
            .into_iter()
            .map(|(_, unit, members)| self.recording(unit, &members))
            .collect()
    }

    fn recording(&self, unit: &str, members: &[usize]) -> Result<Recording> {
        let frames = members
            .first()
            .map_or(0, |&index| self.digital[index].len());
        let mut samples = Array2::zeros((frames, members.len()));
        for (&index, mut column) in members.iter().zip(samples.columns_mut()) {
            let signal = &self.signals[index];
            for (sample, &digital) in column.iter_mut().zip(&self.digital[index]) {
                *sample = signal.physical(digital) as f32;
            }
        }
        let labels: Vec<String> = members
            .iter()
            .map(|&index| self.signals[index].label.clone())
            .collect();
        let first = members.first().copied().unwrap_or_default();
        let clock = self.clock(first);
        let positions = ten_twenty::positions(&labels);
        let recording = Recording::new(self.name.clone(), samples, labels, clock, unit)?;
        Ok(recording.with_positions(positions)?)
    }

    fn clock(&self, index: usize) -> Clock {
        if self.continuous() {
            return Clock::Regular {
                start: 0.0,
                rate: self.rate(index),
            };
        }
        let samples = self.signals[index].samples_per_record;
        let step = self.header.record_seconds / samples as f64;
        let times = self
            .record_onsets
            .iter()
            .flat_map(|onset| (0..samples).map(move |sample| onset + sample as f64 * step))
            .collect();
        Clock::Irregular(times)
    }
}

/// Whether records that begin at `onsets` follow each other without a gap.
pub(crate) fn continuous(header: &Header, onsets: &[f64]) -> bool {
    let Some(fastest) = header
        .proper()
        .map(|(_, signal)| signal.samples_per_record)
        .max()
    else {
        return true; // Nothing but annotations, each with a time of its own.
    };
    let slack = header.record_seconds / (2 * fastest) as f64;
    onsets
        .iter()
        .enumerate()
        .all(|(record, onset)| (onset - record as f64 * header.record_seconds).abs() <= slack)
}

/// Reads and checks the header.
pub(crate) fn read_header(reader: &mut dyn Read, length: u64, name: &str) -> Result<Header> {
    let short = || {
        Error::malformed(
            name,
            "header",
            "the file ends before it does; it is truncated",
        )
    };
    let mut raw = vec![0; 256];
    reader.read_exact(&mut raw).map_err(|_| short())?;
    let signals = Header::signal_count(&raw, name)?;
    if Header::bytes(signals) > length {
        return Err(short());
    }
    // At most 10 000 blocks of 256 bytes.
    raw.resize(256 * (signals + 1), 0);
    reader.read_exact(&mut raw[256..]).map_err(|_| short())?;
    Header::parse(&raw, length, name)
}

/// Hands over the data records one at a time, as raw bytes per signal of the whole list.
pub(crate) fn for_each_record(
    reader: &mut dyn Read,
    header: &Header,
    most: usize,
    name: &str,
    mut take: impl FnMut(usize, &[&[u8]]) -> Result<()>,
) -> Result<()> {
    let width = header.kind.width();
    // A record is no larger than the file, of which there is at least one whole record.
    let bytes = usize::try_from(header.record_bytes())
        .map_err(|_| Error::malformed(name, "samples per record", "too large"))?;
    let mut record = vec![0; if header.records == 0 { 0 } else { bytes }];
    for index in 0..header.records.min(most) {
        reader
            .read_exact(&mut record)
            .map_err(|error| Error::io(Path::new(name), error))?;
        let mut rest = record.as_slice();
        let parts: Vec<&[u8]> = header
            .all
            .iter()
            .map(|signal| {
                let (part, after) = rest.split_at(signal.samples_per_record * width);
                rest = after;
                part
            })
            .collect();
        take(index, &parts)?;
    }
    Ok(())
}

/// The stored numbers of a part of a record.
pub(crate) fn digital(part: &[u8], kind: Kind) -> impl Iterator<Item = i32> + '_ {
    part.chunks_exact(kind.width()).map(|raw| match *raw {
        [low, high] => i32::from(i16::from_le_bytes([low, high])),
        [low, middle, high] => i32::from_le_bytes([0, low, middle, high]) >> 8,
        _ => 0,
    })
}

impl Header {
    /// The signals proper and their places in the file, annotations left out.
    pub(crate) fn proper(&self) -> impl Iterator<Item = (usize, &Signal)> {
        self.all
            .iter()
            .enumerate()
            .filter(|(_, signal)| !signal.annotations)
    }
}

fn read_from(reader: &mut dyn Read, length: u64, name: &str) -> Result<Edf> {
    let header = read_header(reader, length, name)?;
    let places: Vec<usize> = header.proper().map(|(place, _)| place).collect();
    let signals: Vec<Signal> = header.proper().map(|(_, signal)| signal.clone()).collect();
    let mut samples: Vec<Vec<i32>> = Vec::with_capacity(signals.len());
    for signal in &signals {
        let mut values = Vec::new();
        // The file holds these samples: the header was checked against its size.
        values
            .try_reserve_exact(signal.samples_per_record * header.records)
            .map_err(|_| Error::io(Path::new(name), std::io::ErrorKind::OutOfMemory.into()))?;
        samples.push(values);
    }
    let mut timeline = Timeline::new(&header, name);
    for_each_record(reader, &header, usize::MAX, name, |record, parts| {
        for (values, &place) in samples.iter_mut().zip(&places) {
            values.extend(digital(parts[place], header.kind));
        }
        timeline.take(record, parts)
    })?;
    let times = timeline.finish();
    Ok(Edf {
        name: name.to_string(),
        header,
        signals,
        digital: samples,
        start_offset: times.start_offset,
        record_onsets: times.record_onsets,
        annotations: times.annotations,
    })
}
