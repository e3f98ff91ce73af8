//! A first walk over a file: everything but the data, and where the data stand.

use super::codes::{block, coding, kind};
use super::information::{Gathering, Information, name_list, stamp};
use super::tags::{Bytes, HEADER, Tag, Tags};
use crate::{Error, Result};

/// A recording has some thousands of events and annotations.
const MOST_EVENTS: u64 = 1 << 20;

/// A file but for its data.
#[derive(Debug)]
pub(crate) struct Outline {
    pub(crate) information: Information,
    pub(crate) layout: Layout,
    /// The file that goes on where this one ends.
    pub(crate) next: Option<NextFile>,
}

/// How a split file names the next part.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum NextFile {
    Name(String),
    Number(i32),
}

/// What kind of data a file holds, and where.
#[derive(Debug)]
pub(crate) enum Layout {
    Raw(RawLayout),
    Epochs(EpochsLayout),
    Evoked(Vec<EvokedLayout>),
}

/// Where the buffers of a continuous recording stand.
#[derive(Debug, Default)]
pub(crate) struct RawLayout {
    pub(crate) first_sample: i64,
    pub(crate) stretches: Vec<Stretch>,
    pub(crate) annotations: Annotations,
}

/// Samples in a row.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Stretch {
    /// A buffer of that many samples.
    Data(Numbers, u64),
    /// That many samples were not recorded.
    Gap(u64),
}

/// Numbers in a tag.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Numbers {
    pub(super) tag: Tag,
    pub(crate) coding: u32,
}

impl Numbers {
    /// Bytes of a number.
    pub(crate) fn width(&self) -> u64 {
        match self.coding {
            coding::SHORT | coding::DAU_PACK16 => 2,
            coding::DOUBLE => 8,
            _ => 4,
        }
    }

    /// Their type, in a word.
    pub(crate) fn type_name(&self) -> &'static str {
        match self.coding {
            coding::SHORT | coding::DAU_PACK16 => "i16",
            coding::INT => "i32",
            coding::DOUBLE => "f64",
            _ => "f32",
        }
    }

    /// Where the first one stands.
    pub(super) fn from(&self) -> u64 {
        self.tag.at + HEADER
    }
}

/// Annotations as they are stored.
#[derive(Debug, Default)]
pub(crate) struct Annotations {
    pub(crate) onsets: Vec<f64>,
    pub(crate) ends: Vec<f64>,
    pub(crate) texts: Vec<String>,
    /// What onsets count from: seconds and microseconds since 1970.
    pub(crate) origin: Option<(i64, i64)>,
}

/// Where epochs stand.
#[derive(Debug, Default)]
pub(crate) struct EpochsLayout {
    pub(crate) first: Option<i32>,
    pub(crate) last: Option<i32>,
    pub(crate) baseline: (Option<f64>, Option<f64>),
    /// The rate of the recording that event samples count in.
    pub(crate) raw_rate: Option<f64>,
    pub(crate) data: Option<Numbers>,
    pub(crate) events: EventList,
}

/// Events as they are stored: sample, value before, value.
#[derive(Clone, Debug, Default)]
pub(crate) struct EventList {
    pub(crate) triples: Vec<[i32; 3]>,
    pub(crate) ids: Vec<(String, i32)>,
}

/// Where an evoked response stands.
#[derive(Clone, Debug, Default)]
pub(crate) struct EvokedLayout {
    pub(crate) comment: String,
    pub(crate) first: Option<i32>,
    pub(crate) last: Option<i32>,
    pub(crate) first_time: Option<f64>,
    pub(crate) baseline: (Option<f64>, Option<f64>),
    pub(crate) aspect: i32,
    pub(crate) averages: i32,
    pub(crate) data: Option<Numbers>,
}

/// What the walk has gathered so far.
#[derive(Default)]
struct Found {
    gathering: Gathering,
    measurements: usize,
    raw: Option<RawLayout>,
    /// A skip in buffers, whose length the next buffer says.
    pending: i64,
    buffers: bool,
    epochs: Option<EpochsLayout>,
    events: EventList,
    /// The evoked response that is being read, for its aspects to copy.
    evoked: EvokedLayout,
    responses: Vec<EvokedLayout>,
    annotations: Annotations,
    reference: (Option<i32>, Option<NextFile>),
    next: Option<NextFile>,
    /// The first block of a kind that is not read.
    stranger: Option<i32>,
}

/// Walks a file. Data are passed over; everything else is read and checked.
pub(crate) fn outline(bytes: Bytes<'_>, name: &str) -> Result<Outline> {
    let mut found = Found::default();
    walk(bytes, name, &mut found)?;
    let stranger = found.stranger;
    if found.measurements == 0 {
        let reason = match stranger {
            Some(stranger) => format!(
                "no measurement, but {}; recordings, epochs and evoked responses are read",
                block::name(stranger)
            ),
            None => "no measurement in this file".to_string(),
        };
        return Err(Error::unsupported(name, "content", reason));
    }
    let information = found.gathering.finish(name)?;
    let layout = if let Some(mut raw) = found.raw {
        raw.annotations = found.annotations;
        measure(&mut raw, information.channels.len() as u64, name)?;
        Layout::Raw(raw)
    } else if let Some(mut epochs) = found.epochs {
        epochs.events = found.events;
        Layout::Epochs(epochs)
    } else if !found.responses.is_empty() {
        Layout::Evoked(found.responses)
    } else {
        let reason = match stranger {
            Some(stranger) => format!("{}, but no data", block::name(stranger)),
            None => "a measurement without data".to_string(),
        };
        return Err(Error::unsupported(name, "content", reason));
    };
    Ok(Outline {
        information,
        layout,
        next: found.next,
    })
}

/// The event list of a file that need hold nothing else.
pub(crate) fn event_list(bytes: Bytes<'_>, name: &str) -> Result<EventList> {
    let mut found = Found::default();
    walk(bytes, name, &mut found)?;
    if found.events.triples.is_empty() {
        return Err(Error::unsupported(
            name,
            "content",
            "no event list in this file",
        ));
    }
    Ok(found.events)
}

fn walk(bytes: Bytes<'_>, name: &str, found: &mut Found) -> Result<()> {
    let mut tags = Tags::new(bytes, name);
    let first = tags.next()?;
    if first.is_none_or(|tag| tag.kind != kind::FILE_ID || tag.size != 20) {
        let reason = "does not begin with a file identification of 20 bytes";
        return Err(Error::malformed_at(name, "file identification", 0, reason));
    }
    while let Some(tag) = tags.next()? {
        match tag.kind {
            kind::BLOCK_START => found.open(&tags)?,
            kind::BLOCK_END => found.close(),
            _ => found.take(&mut tags, &tag)?,
        }
    }
    Ok(())
}

impl Found {
    fn open(&mut self, tags: &Tags<'_>) -> Result<()> {
        self.gathering.opened(tags);
        match tags.block() {
            block::MEAS => self.measurements += 1,
            block::RAW_DATA | block::CONTINUOUS_DATA | block::IAS_RAW_DATA => {
                if self.raw.is_some() {
                    let reason = "two blocks of raw data in one file";
                    return Err(Error::unsupported(tags.name, "raw data", reason));
                }
                self.raw = Some(RawLayout::default());
            }
            block::MNE_EPOCHS => self.epochs = Some(EpochsLayout::default()),
            block::EVOKED => self.evoked = EvokedLayout::default(),
            block::ASPECT | block::IAS_ASPECT => {
                self.evoked.data = None;
                self.evoked.averages = 1;
            }
            block::REF => self.reference = (None, None),
            block::PROCESSED_DATA | block::MEAS_INFO => {}
            other if !tags.inside(block::MEAS_INFO) => {
                self.stranger.get_or_insert(other);
            }
            _ => {}
        }
        if self.measurements > 1 {
            let reason = "more than one in a file";
            return Err(Error::unsupported(tags.name, "measurement", reason));
        }
        Ok(())
    }

    fn close(&mut self) {
        // References to the part before are of no use: parts are read in order.
        const NEXT: i32 = 2;
        if let (Some(NEXT) | None, Some(next)) = std::mem::take(&mut self.reference) {
            self.next = Some(next);
        }
        if self.evoked.data.is_some() {
            self.responses.push(self.evoked.clone());
            self.evoked.data = None;
        }
    }

    fn take(&mut self, tags: &mut Tags<'_>, tag: &Tag) -> Result<()> {
        match (tags.block(), tag.kind) {
            (block::RAW_DATA | block::CONTINUOUS_DATA | block::IAS_RAW_DATA, _) => {
                self.raw(tags, tag)
            }
            (block::MNE_EPOCHS, _) => self.epochs(tags, tag),
            (block::EVOKED | block::ASPECT | block::IAS_ASPECT, _) => self.evoked(tags, tag),
            (block::MNE_EVENTS, kind::MNE_EVENT_LIST) => {
                let values = tags.wholes(tag, 3 * MOST_EVENTS)?;
                if values.len() % 3 != 0 {
                    let reason = format!("{} numbers, expected three an event", values.len());
                    return Err(tags.wrong(tag, reason));
                }
                let triples = values.chunks_exact(3).map(|event| match *event {
                    [sample, before, value] => [sample, before, value],
                    _ => [0; 3],
                });
                self.events.triples = triples.collect();
                Ok(())
            }
            (block::MNE_EVENTS, kind::COMMENT) => {
                let text = tags.text(tag)?;
                for part in text.split(';').filter(|part| !part.is_empty()) {
                    let pair = part.rsplit_once(':');
                    let parsed = pair.and_then(|(name, id)| Some((name, id.parse().ok()?)));
                    let Some((name, id)) = parsed else {
                        return Err(tags.wrong(tag, format!("{part:?}, expected \"name:number\"")));
                    };
                    self.events.ids.push((name.to_string(), id));
                }
                Ok(())
            }
            (block::MNE_ANNOTATIONS, _) => self.annotations(tags, tag),
            (block::REF, kind::REF_ROLE) => {
                self.reference.0 = Some(tags.whole(tag)?);
                Ok(())
            }
            (block::REF, kind::REF_FILE_NAME) => {
                self.reference.1 = Some(NextFile::Name(tags.text(tag)?));
                Ok(())
            }
            (block::REF, kind::REF_FILE_NUM) => {
                let number = tags.whole(tag)?;
                self.reference.1.get_or_insert(NextFile::Number(number));
                Ok(())
            }
            _ => self.gathering.take(tags, tag),
        }
    }

    fn raw(&mut self, tags: &mut Tags<'_>, tag: &Tag) -> Result<()> {
        let Some(raw) = &mut self.raw else {
            return Ok(());
        };
        match tag.kind {
            kind::FIRST_SAMPLE if !self.buffers => {
                raw.first_sample = i64::from(tags.whole(tag)?);
            }
            kind::DATA_SKIP | kind::DATA_SKIP_SAMP => {
                let count = tags.whole(tag)?;
                let Ok(length) = u64::try_from(count) else {
                    return Err(tags.wrong(tag, format!("{count}, expected 0 or more")));
                };
                if tag.kind == kind::DATA_SKIP {
                    self.pending = i64::from(count);
                } else if length > 0 {
                    raw.stretches.push(Stretch::Gap(length));
                }
            }
            kind::DATA_BUFFER if tag.size > 0 => {
                let numbers = real_numbers(tags, tag, tag.coding)?;
                if self.pending > 0 {
                    // In buffers for now: `measure` knows their length.
                    raw.stretches
                        .push(Stretch::Data(numbers, self.pending as u64));
                    self.pending = 0;
                } else {
                    raw.stretches.push(Stretch::Data(numbers, 0));
                }
                self.buffers = true;
            }
            _ => {}
        }
        Ok(())
    }

    fn epochs(&mut self, tags: &mut Tags<'_>, tag: &Tag) -> Result<()> {
        const BASELINE_MIN_BEFORE_0_11: i32 = 304;
        const BASELINE_MAX_BEFORE_0_11: i32 = 305;
        const MNE_EPOCHS_RAW_SFREQ: i32 = 3803;
        let Some(epochs) = &mut self.epochs else {
            return Ok(());
        };
        match tag.kind {
            kind::FIRST_SAMPLE => epochs.first = Some(tags.whole(tag)?),
            kind::LAST_SAMPLE => epochs.last = Some(tags.whole(tag)?),
            kind::MNE_BASELINE_MIN | BASELINE_MIN_BEFORE_0_11 => {
                epochs.baseline.0 = Some(tags.number(tag)?);
            }
            kind::MNE_BASELINE_MAX | BASELINE_MAX_BEFORE_0_11 => {
                epochs.baseline.1 = Some(tags.number(tag)?);
            }
            MNE_EPOCHS_RAW_SFREQ => {
                let rate = tags.number(tag)?;
                epochs.raw_rate = Some(rate).filter(|rate| rate.is_finite() && *rate > 0.0);
            }
            kind::EPOCH => epochs.data = Some(matrix(tags, tag)?),
            _ => {}
        }
        Ok(())
    }

    fn evoked(&mut self, tags: &mut Tags<'_>, tag: &Tag) -> Result<()> {
        let evoked = &mut self.evoked;
        match tag.kind {
            kind::NCHAN => {
                let reason = "an evoked response with a channel list of its own";
                return Err(Error::unsupported(tags.name, "number of channels", reason));
            }
            kind::COMMENT => evoked.comment = tags.text(tag)?,
            kind::FIRST_SAMPLE => evoked.first = Some(tags.whole(tag)?),
            kind::LAST_SAMPLE => evoked.last = Some(tags.whole(tag)?),
            kind::FIRST_TIME => evoked.first_time = Some(tags.number(tag)?),
            kind::MNE_BASELINE_MIN => evoked.baseline.0 = Some(tags.number(tag)?),
            kind::MNE_BASELINE_MAX => evoked.baseline.1 = Some(tags.number(tag)?),
            kind::ASPECT_KIND => evoked.aspect = tags.whole(tag)?,
            kind::NAVE => evoked.averages = tags.whole(tag)?,
            kind::EPOCH if evoked.data.is_some() => {
                let reason = "an evoked response in one tag a channel; save it again with MNE";
                return Err(Error::unsupported(tags.name, "data", reason));
            }
            kind::EPOCH => evoked.data = Some(matrix(tags, tag)?),
            _ => {}
        }
        Ok(())
    }

    fn annotations(&mut self, tags: &mut Tags<'_>, tag: &Tag) -> Result<()> {
        let annotations = &mut self.annotations;
        match tag.kind {
            kind::MNE_BASELINE_MIN => annotations.onsets = tags.numbers(tag, MOST_EVENTS)?,
            kind::MNE_BASELINE_MAX => annotations.ends = tags.numbers(tag, MOST_EVENTS)?,
            kind::COMMENT => annotations.texts = name_list(&tags.text(tag)?),
            kind::MEAS_DATE if tag.coding == coding::INT => {
                annotations.origin = stamp(&tags.wholes(tag, 2)?);
            }
            kind::MEAS_DATE => {
                let values = tags.numbers(tag, 2)?;
                let whole = |value: f64| value.is_finite() && value.abs() < 1e15;
                annotations.origin = match values[..] {
                    [seconds] if whole(seconds) => Some((
                        seconds.floor() as i64,
                        (seconds.fract() * 1e6).round() as i64,
                    )),
                    [seconds, micros] if whole(seconds) && whole(micros) => {
                        Some((seconds as i64, micros as i64))
                    }
                    _ => return Err(tags.wrong(tag, "is no date")),
                };
            }
            _ => {}
        }
        Ok(())
    }
}

/// The coding of numbers that are read.
fn real_numbers(tags: &Tags<'_>, tag: &Tag, stored: u32) -> Result<Numbers> {
    match stored {
        coding::SHORT | coding::DAU_PACK16 | coding::INT | coding::FLOAT | coding::DOUBLE => {
            Ok(Numbers {
                tag: *tag,
                coding: stored,
            })
        }
        coding::COMPLEX_FLOAT | coding::COMPLEX_DOUBLE => Err(Error::unsupported(
            tags.name,
            kind::name(tag.kind),
            "complex numbers; save their real part, or their power",
        )),
        other => {
            let reason = format!("numbers of coding {other}");
            Err(Error::unsupported(tags.name, kind::name(tag.kind), reason))
        }
    }
}

/// A dense matrix.
fn matrix(tags: &Tags<'_>, tag: &Tag) -> Result<Numbers> {
    if tag.coding & coding::MATRIX_MASK != coding::MATRIX {
        let reason = "not a dense matrix";
        return Err(Error::unsupported(tags.name, kind::name(tag.kind), reason));
    }
    let numbers = real_numbers(tags, tag, tag.coding & !coding::MATRIX_MASK)?;
    match numbers.coding {
        coding::FLOAT | coding::DOUBLE => Ok(numbers),
        _ => Err(Error::unsupported(
            tags.name,
            kind::name(tag.kind),
            "whole numbers, expected floating-point ones",
        )),
    }
}

/// Turns the bytes of buffers and skips in buffers into samples.
fn measure(raw: &mut RawLayout, channels: u64, name: &str) -> Result<()> {
    let mut measured = Vec::with_capacity(raw.stretches.len());
    for stretch in std::mem::take(&mut raw.stretches) {
        let Stretch::Data(numbers, skipped) = stretch else {
            measured.push(stretch);
            continue;
        };
        let frame = channels * numbers.width();
        let samples = numbers.tag.size / frame;
        if samples == 0 || numbers.tag.size % frame != 0 {
            let reason = format!(
                "{} bytes, expected a multiple of {frame} ({channels} channels of {} bytes)",
                numbers.tag.size,
                numbers.width()
            );
            return Err(Error::malformed_at(
                name,
                "data buffer",
                numbers.tag.at,
                reason,
            ));
        }
        if skipped > 0 {
            // Both are below 2^31.
            measured.push(Stretch::Gap(skipped * samples));
        }
        measured.push(Stretch::Data(numbers, samples));
    }
    // What was skipped before the first buffer only moves the first sample; after the last one it is
    // nothing at all.
    let is_data = |stretch: &Stretch| matches!(stretch, Stretch::Data(..));
    let begin = measured.iter().position(is_data).unwrap_or(measured.len());
    for stretch in measured.drain(..begin) {
        if let Stretch::Gap(samples) = stretch {
            raw.first_sample = raw.first_sample.saturating_add_unsigned(samples);
        }
    }
    let end = measured
        .iter()
        .rposition(is_data)
        .map_or(0, |last| last + 1);
    measured.truncate(end);
    if measured.is_empty() {
        let reason = "a recording without a single buffer";
        return Err(Error::malformed(name, "raw data", reason));
    }
    raw.stretches = measured;
    Ok(())
}
