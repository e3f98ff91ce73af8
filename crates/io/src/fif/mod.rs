//! FIF, the format of Neuromag's MEG machines and of MNE: continuous recordings, epochs and evoked
//! responses, with their channels, positions, bad channels, annotations and events.
//!
//! Values come in SI units (V, T, T/m), as MNE gives them. Recordings that were split over several files
//! are read whole from the first one; `.fif.gz` is read too. Projections and compensation matrices are
//! listed and not applied. Complex numbers are refused.
//!
//! Sources: the FIFF dictionary (`fiff-constants`), and MNE's documentation of what it writes.

mod channel;
mod codes;
mod information;
mod numbers;
mod outline;
mod raw;
mod segments;
mod tags;

use std::io::{BufRead, BufReader, Cursor};
use std::path::{Path, PathBuf};

use chiasm_core::data::{Clock, Epochs, Event, Events, Recording};
use flate2::read::MultiGzDecoder;
use ndarray::{Array2, Array3, Axis};

use crate::{Error, Result, source};

pub(crate) use channel::groups;
pub use channel::{Channel, ChannelKind};
pub use information::{Information, Projection};
pub(crate) use outline::{Layout, NextFile, Outline, Stretch, outline};
pub use raw::{Raw, Trigger};
pub(crate) use segments::kind_of;
pub use segments::{Aspect, Evoked, StoredEpochs};
use tags::Bytes;
pub(crate) use tags::Tags;

/// How a file begins: the tag of its identification.
pub(crate) const BEGINNING: &[u8] = b"\0\0\0\x64\0\0\0\x1f\0\0\0\x14";
/// More parts than this are a circle.
const MOST_PARTS: usize = 1000;

/// What a file holds.
#[derive(Clone, Debug, PartialEq)]
pub struct Fif {
    /// The file.
    pub name: String,
    /// What it says about the measurement.
    pub information: Information,
    /// Its data.
    pub content: Content,
}

/// The data of a file.
#[derive(Clone, Debug, PartialEq)]
#[allow(clippy::large_enum_variant, reason = "there is one in a file")]
pub enum Content {
    /// A continuous recording.
    Raw(Raw),
    /// Stretches around events.
    Epochs(StoredEpochs),
    /// Averages of such stretches.
    Evoked(Vec<Evoked>),
}

/// Reads a file, and the files that go on where it ends.
///
/// # Errors
/// Where a file is not what it claims to be, holds something else than recordings, epochs or evoked
/// responses, or where a part of a split recording is missing.
pub fn read(path: &Path) -> Result<Fif> {
    let mut parts = vec![Part::outlined(Source::File(path.to_path_buf()))?];
    while let Some(next) = parts.last().and_then(|part| part.outline.next.clone()) {
        let last = match parts.last().map(|part| &part.source) {
            Some(Source::File(last)) => last.clone(),
            _ => path.to_path_buf(),
        };
        let name = source::name_of(&last);
        let next = next_path(&last, &next)?;
        let read_before = parts
            .iter()
            .any(|part| matches!(&part.source, Source::File(path) if *path == next));
        if read_before || parts.len() >= MOST_PARTS {
            let reason = "its parts name each other in a circle";
            return Err(Error::malformed(name, "reference to the next file", reason));
        }
        if !next.is_file() {
            let reason = format!(
                "the recording goes on in {}, which is not there",
                next.display()
            );
            return Err(Error::malformed(name, "reference to the next file", reason));
        }
        parts.push(Part::outlined(Source::File(next))?);
    }
    assemble(&parts, &source::name_of(path))
}

/// Reads the bytes of a file; `name` stands for the file in errors. A part of a split recording is
/// refused, because the other parts are out of reach.
pub fn parse(bytes: &[u8], name: &str) -> Result<Fif> {
    let part = Part::outlined(Source::Memory(bytes, name))?;
    if part.outline.next.is_some() {
        let reason = "the recording goes on in another file; read it by its path";
        return Err(Error::unsupported(
            name,
            "reference to the next file",
            reason,
        ));
    }
    assemble(&[part], name)
}

/// Reads the event list of a file (`-eve.fif`, or epochs), with the names of its values where it has any.
pub fn read_triggers(path: &Path) -> Result<(Vec<Trigger>, Vec<(String, i32)>)> {
    let source = Source::File(path.to_path_buf());
    let list = outline::event_list(source.open()?, &source.name())?;
    Ok((list.triggers(), list.ids))
}

/// Where the bytes of a part are.
pub(crate) enum Source<'a> {
    File(PathBuf),
    Memory(&'a [u8], &'a str),
}

impl Source<'_> {
    pub(crate) fn name(&self) -> String {
        match self {
            Source::File(path) => source::name_of(path),
            Source::Memory(_, name) => (*name).to_string(),
        }
    }

    /// Opens it, at its beginning.
    pub(crate) fn open(&self) -> Result<Bytes<'_>> {
        const GZIP: &[u8] = b"\x1f\x8b";
        Ok(match self {
            Source::File(path) => {
                let (mut file, length) = source::open(path)?;
                let head = file.fill_buf().map_err(|error| Error::io(path, error))?;
                if head.starts_with(GZIP) {
                    let unpacked = BufReader::with_capacity(1 << 16, MultiGzDecoder::new(file));
                    Bytes::Packed(Box::new(unpacked), length)
                } else {
                    Bytes::Plain(Box::new(file), length)
                }
            }
            Source::Memory(bytes, _) if bytes.starts_with(GZIP) => {
                let unpacked = MultiGzDecoder::new(*bytes);
                Bytes::Packed(Box::new(BufReader::new(unpacked)), bytes.len() as u64)
            }
            Source::Memory(bytes, _) => {
                Bytes::Plain(Box::new(Cursor::new(*bytes)), bytes.len() as u64)
            }
        })
    }
}

struct Part<'a> {
    source: Source<'a>,
    outline: Outline,
}

impl<'a> Part<'a> {
    fn outlined(source: Source<'a>) -> Result<Self> {
        let outline = outline(source.open()?, &source.name())?;
        Ok(Part { source, outline })
    }
}

/// The file a part names, which must lie beside it.
fn next_path(path: &Path, next: &NextFile) -> Result<PathBuf> {
    let own = source::name_of(path);
    let name = match next {
        NextFile::Name(name) => name.clone(),
        NextFile::Number(number) => {
            let stem = path.file_name().unwrap_or_default().to_string_lossy();
            let (stem, endings) = stem.split_once('.').unwrap_or((&stem, "fif"));
            let base = match stem.rsplit_once('-') {
                Some((base, digits)) if digits.bytes().all(|byte| byte.is_ascii_digit()) => base,
                _ => stem,
            };
            format!("{base}-{number}.{endings}")
        }
    };
    // A name with folders in it could lead anywhere.
    let plain = Path::new(&name).file_name().and_then(|file| file.to_str()) == Some(name.as_str());
    if !plain || name.contains(['\\', '\0']) {
        let reason = format!("{name:?} is not the name of a file beside it");
        return Err(Error::malformed(own, "reference to the next file", reason));
    }
    Ok(path.with_file_name(name))
}

fn assemble(parts: &[Part<'_>], name: &str) -> Result<Fif> {
    let Some(first) = parts.first() else {
        return Err(Error::malformed(name, "parts", "there are none"));
    };
    let information = first.outline.information.clone();
    for part in parts {
        let other = &part.outline.information;
        let same = other.rate == information.rate
            && other.channels.len() == information.channels.len()
            && other
                .channels
                .iter()
                .zip(&information.channels)
                .all(|(a, b)| {
                    (&a.name, a.kind, a.range, a.calibration)
                        == (&b.name, b.kind, b.range, b.calibration)
                });
        if !same {
            let reason = "its channels or its rate are not those of the first part";
            return Err(Error::malformed(part.source.name(), "parts", reason));
        }
    }
    let content = match &first.outline.layout {
        Layout::Raw(_) => Content::Raw(raw_of(parts, &information, name)?),
        Layout::Epochs(_) => Content::Epochs(epochs_of(parts, &information, name)?),
        Layout::Evoked(layouts) => {
            let own = first.source.name();
            for layout in layouts {
                layout.check(&mut Tags::new(first.source.open()?, &own), &information)?;
            }
            let mut tags = Tags::new(first.source.open()?, &own);
            let responses = layouts
                .iter()
                .map(|layout| layout.read(&mut tags, &information));
            Content::Evoked(responses.collect::<Result<_>>()?)
        }
    };
    Ok(Fif {
        name: name.to_string(),
        information,
        content,
    })
}

fn other_content(part: &Part<'_>) -> Error {
    let reason = "holds another kind of data than the first part";
    Error::malformed(part.source.name(), "parts", reason)
}

fn raw_of(parts: &[Part<'_>], information: &Information, name: &str) -> Result<Raw> {
    let mut layouts = Vec::with_capacity(parts.len());
    for part in parts {
        match &part.outline.layout {
            Layout::Raw(raw) => layouts.push(raw),
            _ => return Err(other_content(part)),
        }
    }
    let channels = information.channels.len();
    let recorded: u64 = layouts.iter().map(|layout| layout.recorded()).sum();
    let first_sample = layouts.first().map_or(0, |layout| layout.first_sample);
    // Parts follow each other at once unless a later one says that it began later still.
    let (mut offsets, mut end) = (Vec::new(), 0u64);
    for layout in &layouts {
        let said = layout.first_sample.saturating_sub(first_sample);
        let offset = end.max(u64::try_from(said).unwrap_or(0));
        offsets.push(offset);
        end = offset.saturating_add(layout.span());
    }
    let clock = if end == recorded {
        Clock::Regular {
            start: 0.0,
            rate: information.rate,
        }
    } else {
        let mut times = Vec::with_capacity(usize::try_from(recorded).unwrap_or(0));
        for (layout, &offset) in layouts.iter().zip(&offsets) {
            layout.extend_times(&mut times, offset, information.rate);
        }
        Clock::Irregular(times)
    };
    let mut values = numbers::room(recorded.saturating_mul(channels as u64), name)?;
    for (part, layout) in parts.iter().zip(&layouts) {
        let own = part.source.name();
        let mut tags = Tags::new(part.source.open()?, &own);
        layout.stream(&mut tags, &information.channels, u64::MAX, |_, value| {
            values.push(value as f32);
        })?;
    }
    let samples = Array2::from_shape_vec((values.len() / channels, channels), values)
        .map_err(|error| Error::malformed(name, "raw data", error.to_string()))?;
    let annotations = match layouts.first() {
        Some(layout) => layout.annotations.events(first_sample, information, name)?,
        None => Events::default(),
    };
    Ok(Raw {
        samples,
        clock,
        first_sample,
        annotations,
        parts: parts.len(),
    })
}

fn epochs_of(parts: &[Part<'_>], information: &Information, name: &str) -> Result<StoredEpochs> {
    let mut layouts = Vec::with_capacity(parts.len());
    for part in parts {
        match &part.outline.layout {
            Layout::Epochs(epochs) => layouts.push(epochs),
            _ => return Err(other_content(part)),
        }
    }
    let Some(first) = layouts.first() else {
        return Err(Error::malformed(name, "parts", "there are none"));
    };
    let channels = information.channels.len();
    let samples = first.matrix(name)?.samples;
    let (mut count, mut triggers) = (0, Vec::new());
    let mut event_ids: Vec<(String, i32)> = Vec::new();
    for (part, layout) in parts.iter().zip(&layouts) {
        let own = part.source.name();
        layout.check(&mut Tags::new(part.source.open()?, &own), information)?;
        if (layout.first, layout.last) != (first.first, first.last) {
            let reason = "its epochs have another length than those of the first part";
            return Err(Error::malformed(own, "epochs", reason));
        }
        count += layout.matrix(&own)?.epochs;
        triggers.extend(layout.events.triggers());
        for id in &layout.events.ids {
            if !event_ids.contains(id) {
                event_ids.push(id.clone());
            }
        }
    }
    // Checked against the tags that hold them.
    let mut values = numbers::room(count * channels as u64 * samples, name)?;
    for (part, layout) in parts.iter().zip(&layouts) {
        let own = part.source.name();
        layout.read(
            &mut Tags::new(part.source.open()?, &own),
            information,
            &mut values,
        )?;
    }
    let shape = (count as usize, channels, samples as usize);
    let values = Array3::from_shape_vec(shape, values)
        .map_err(|error| Error::malformed(name, "epochs", error.to_string()))?;
    Ok(StoredEpochs {
        values,
        triggers,
        event_ids,
        start: first.start(information.rate),
        baseline: first.baseline(name)?,
        raw_rate: first.raw_rate.unwrap_or(information.rate),
        parts: parts.len(),
    })
}

impl Fif {
    /// Continuous data, or evoked responses, as recordings: one for each kind of channel (and unit), in
    /// order of first appearance, with positions where known. An evoked response is named
    /// `file: comment` and its clock counts from the event.
    pub fn recordings(&self) -> Result<Vec<(ChannelKind, Recording)>> {
        let mut recordings = Vec::new();
        match &self.content {
            Content::Raw(raw) => {
                for group in groups(&self.information.channels) {
                    let samples = raw.samples.select(Axis(1), &group.members);
                    let made = self.recording(&self.name, samples, raw.clock.clone(), &group)?;
                    recordings.push((group.kind, made));
                }
            }
            Content::Evoked(responses) => {
                for response in responses {
                    let clock = Clock::Regular {
                        start: response.start,
                        rate: self.information.rate,
                    };
                    let name = format!("{}: {}", self.name, response.comment);
                    for group in groups(&self.information.channels) {
                        let rows = response.values.select(Axis(0), &group.members);
                        let samples = rows.t().as_standard_layout().into_owned();
                        let made = self.recording(&name, samples, clock.clone(), &group)?;
                        recordings.push((group.kind, made));
                    }
                }
            }
            Content::Epochs(_) => {
                let reason = "epochs, expected a continuous recording";
                return Err(Error::unsupported(&self.name, "content", reason));
            }
        }
        Ok(recordings)
    }

    fn recording(
        &self,
        name: &str,
        samples: Array2<f32>,
        clock: Clock,
        group: &channel::Group,
    ) -> Result<Recording> {
        let recording = Recording::new(name, samples, self.names(group), clock, group.unit)?;
        let positions = channel::positions(&self.information.channels, &group.members)?;
        Ok(recording.with_positions(positions)?)
    }

    fn names(&self, group: &channel::Group) -> Vec<String> {
        let names = group.members.iter();
        names
            .map(|&index| self.information.channels[index].name.clone())
            .collect()
    }

    /// Epochs, as typed data: one set for each kind of channel (and unit), in order of first appearance,
    /// with positions where known.
    ///
    /// # Errors
    /// Where the file holds something else, or a value is NaN or infinite.
    pub fn epochs(&self) -> Result<Vec<(ChannelKind, Epochs)>> {
        let Content::Epochs(stored) = &self.content else {
            let reason = "no epochs; cut some from the recording";
            return Err(Error::unsupported(&self.name, "content", reason));
        };
        let events = stored.events(&self.name)?;
        groups(&self.information.channels)
            .iter()
            .map(|group| {
                let epochs = Epochs::new(
                    self.name.clone(),
                    stored.values.select(Axis(1), &group.members),
                    self.names(group),
                    events.clone(),
                    stored.start,
                    self.information.rate,
                    group.unit,
                )?;
                let positions = channel::positions(&self.information.channels, &group.members)?;
                let epochs = epochs.with_baseline(stored.baseline)?;
                Ok((group.kind, epochs.with_positions(positions)?))
            })
            .collect()
    }

    /// Where a stimulus channel of a continuous recording rises to a higher value; `STI 014`, `STI101` or
    /// the only stimulus channel where none is named.
    pub fn triggers(&self, channel: Option<&str>) -> Result<Vec<Trigger>> {
        let Content::Raw(raw) = &self.content else {
            let reason = "no continuous recording, expected one with a stimulus channel";
            return Err(Error::unsupported(&self.name, "content", reason));
        };
        let place = raw::stimulus_channel(&self.information.channels, channel, &self.name)?;
        Ok(raw.triggers(place, self.information.rate))
    }

    /// Triggers as events on the clock of the recording's samples; `ids` names their values.
    pub fn events(&self, triggers: &[Trigger], ids: &[(String, i32)]) -> Result<Events> {
        let Content::Raw(raw) = &self.content else {
            let reason = "no continuous recording for the triggers to count in";
            return Err(Error::unsupported(&self.name, "content", reason));
        };
        let list = triggers.iter().map(|trigger| Event {
            onset: raw.seconds(trigger, &self.information),
            kind: kind_of(trigger.value, ids),
            ..Event::default()
        });
        Ok(Events::new(&self.name, list.collect())?)
    }
}
