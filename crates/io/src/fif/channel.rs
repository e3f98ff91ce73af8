//! Channels: what they measure, where they are, and how stored numbers become SI units.
//!
//! The record of a channel is 96 bytes: scan number, logical number, kind (three i32), range and
//! calibration (f32), coil type (i32), twelve f32 of location, unit and power of ten (i32), and 16
//! bytes of name. Of the location, the first three numbers are the position in metres, and for coils
//! the other nine are the unit vectors of its own axes, the last of them the normal.

use std::collections::HashMap;

use chiasm_core::data::{CoordinateFrame, SensorPositions};
use serde::Serialize;

use super::codes::{kind, unit};
use super::tags::{Tag, Tags};
use crate::source::Fields;
use crate::{Error, Result};

/// What a channel measures.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
#[allow(missing_docs, reason = "the names say it")]
pub enum ChannelKind {
    Magnetometer,
    Gradiometer,
    ReferenceMagnetometer,
    Eeg,
    IntracranialEeg,
    Electrocorticography,
    DeepBrainStimulation,
    NearInfrared,
    Eog,
    Ecg,
    Emg,
    Respiration,
    SkinConductance,
    Temperature,
    EyeTracking,
    Stimulus,
    HeadPosition,
    System,
    Miscellaneous,
    Other,
}

impl ChannelKind {
    /// The field's usual word.
    pub fn name(self) -> &'static str {
        match self {
            ChannelKind::Magnetometer => "magnetometer",
            ChannelKind::Gradiometer => "gradiometer",
            ChannelKind::ReferenceMagnetometer => "reference magnetometer",
            ChannelKind::Eeg => "EEG",
            ChannelKind::IntracranialEeg => "intracranial EEG",
            ChannelKind::Electrocorticography => "electrocorticography",
            ChannelKind::DeepBrainStimulation => "deep brain stimulation",
            ChannelKind::NearInfrared => "near-infrared spectroscopy",
            ChannelKind::Eog => "EOG",
            ChannelKind::Ecg => "ECG",
            ChannelKind::Emg => "EMG",
            ChannelKind::Respiration => "respiration",
            ChannelKind::SkinConductance => "skin conductance",
            ChannelKind::Temperature => "temperature",
            ChannelKind::EyeTracking => "eye tracking",
            ChannelKind::Stimulus => "stimulus",
            ChannelKind::HeadPosition => "head position",
            ChannelKind::System => "system",
            ChannelKind::Miscellaneous => "miscellaneous",
            ChannelKind::Other => "other",
        }
    }

    /// From the file's number; MEG coils are told apart by their unit.
    fn new(code: i32, unit_code: i32) -> Self {
        match code {
            1 if unit_code == 201 => ChannelKind::Gradiometer,
            1 => ChannelKind::Magnetometer,
            2 => ChannelKind::Eeg,
            3 => ChannelKind::Stimulus,
            202 => ChannelKind::Eog,
            301 => ChannelKind::ReferenceMagnetometer,
            302 => ChannelKind::Emg,
            402 => ChannelKind::Ecg,
            502 => ChannelKind::Miscellaneous,
            602 => ChannelKind::Respiration,
            700..=709 => ChannelKind::HeadPosition,
            802 => ChannelKind::IntracranialEeg,
            803 => ChannelKind::DeepBrainStimulation,
            900 | 910 => ChannelKind::System,
            902 => ChannelKind::Electrocorticography,
            1100 => ChannelKind::NearInfrared,
            1200 => ChannelKind::Temperature,
            1300 => ChannelKind::SkinConductance,
            1400 => ChannelKind::EyeTracking,
            _ => ChannelKind::Other,
        }
    }

    /// The frame in which sensors of this kind are kept unless a file says otherwise.
    fn frame(self) -> CoordinateFrame {
        match self {
            ChannelKind::Magnetometer
            | ChannelKind::Gradiometer
            | ChannelKind::ReferenceMagnetometer => CoordinateFrame::Device,
            ChannelKind::Eeg
            | ChannelKind::IntracranialEeg
            | ChannelKind::Electrocorticography
            | ChannelKind::DeepBrainStimulation
            | ChannelKind::NearInfrared => CoordinateFrame::Head,
            _ => CoordinateFrame::Unknown,
        }
    }
}

/// One channel.
#[derive(Clone, Debug, PartialEq)]
pub struct Channel {
    /// Its name, e.g. `MEG 0111`.
    pub name: String,
    /// What it measures.
    pub kind: ChannelKind,
    /// The SI unit of its values after calibration; empty where it has none.
    pub unit: &'static str,
    /// The power of ten the file gives with the unit. It is for show: calibrated values are in the
    /// unit itself.
    pub unit_exponent: i32,
    /// What a stored number is multiplied by, besides [`Channel::range`].
    pub calibration: f64,
    /// The gain of the input. Raw data are multiplied by it, epochs and evoked responses are not.
    pub range: f64,
    /// The kind of coil or electrode, by the dictionary's number.
    pub coil_type: i32,
    /// Position in metres, then the unit vectors of the coil's axes.
    pub location: [f64; 12],
    /// What the position is measured from.
    pub frame: CoordinateFrame,
    codes: (i32, i32),
}

impl Channel {
    /// Where the sensor is, in metres. Zeros stand for "not known" in this format, as NaN does.
    pub fn position(&self) -> Option<[f64; 3]> {
        let [x, y, z, ..] = self.location;
        let position = [x, y, z];
        let known = position.iter().all(|value| value.is_finite())
            && position.iter().any(|&value| value != 0.0);
        (known && self.frame != CoordinateFrame::Unknown).then_some(position)
    }

    /// From the 96 bytes of its record.
    pub(super) fn read(tags: &mut Tags<'_>, tag: &Tag) -> Result<Channel> {
        const SIZE: usize = 96;
        let bytes = tags.content(tag, 1 << 10)?;
        if bytes.len() != SIZE {
            return Err(tags.wrong(tag, format!("{} bytes, expected {SIZE}", bytes.len())));
        }
        let fields = Fields {
            bytes: &bytes,
            big_endian: true,
        };
        let mut location = [0.0; 12];
        for (index, value) in location.iter_mut().enumerate() {
            *value = f64::from(fields.f32(24 + 4 * index));
        }
        let mut channel = Channel {
            name: fields.text(80, 16),
            kind: ChannelKind::Other,
            unit: "",
            unit_exponent: fields.i32(76),
            calibration: f64::from(fields.f32(16)),
            range: f64::from(fields.f32(12)),
            coil_type: fields.i32(20),
            location,
            frame: CoordinateFrame::Unknown,
            codes: (fields.i32(8), fields.i32(72)),
        };
        channel.interpret();
        Ok(channel)
    }

    fn interpret(&mut self) {
        let (code, unit_code) = self.codes;
        self.kind = ChannelKind::new(code, unit_code);
        self.unit = unit(unit_code);
        self.frame = self.kind.frame();
    }

    /// Takes in a tag of the block that repeats a channel's record, with a name of any length.
    pub(super) fn extend(&mut self, tags: &mut Tags<'_>, tag: &Tag) -> Result<()> {
        match tag.kind {
            kind::CH_NAME => self.name = utf8_or_latin1(&tags.content(tag, 1 << 12)?),
            kind::CH_KIND => self.codes.0 = tags.whole(tag)?,
            kind::CH_UNIT => self.codes.1 = tags.whole(tag)?,
            kind::CH_UNIT_MUL => self.unit_exponent = tags.whole(tag)?,
            kind::CH_RANGE => self.range = tags.number(tag)?,
            kind::CH_CAL => self.calibration = tags.number(tag)?,
            kind::CH_COIL_TYPE => self.coil_type = tags.whole(tag)?,
            kind::CH_LOC => {
                let values = tags.numbers(tag, 12)?;
                self.location = values.try_into().map_err(|values: Vec<f64>| {
                    tags.wrong(tag, format!("{} numbers, expected 12", values.len()))
                })?;
            }
            kind::CH_COORD_FRAME => {
                let frame = match tags.whole(tag)? {
                    1 => CoordinateFrame::Device,
                    4 => CoordinateFrame::Head,
                    _ => CoordinateFrame::Unknown,
                };
                self.interpret();
                self.frame = frame;
                return Ok(());
            }
            _ => return Ok(()),
        }
        // The frame, where given, comes last.
        self.interpret();
        Ok(())
    }
}

/// Names are written as UTF-8 by newer programs, and as Latin-1 by older ones.
fn utf8_or_latin1(bytes: &[u8]) -> String {
    let text = match std::str::from_utf8(bytes) {
        Ok(text) => text.to_string(),
        Err(_) => bytes.iter().map(|&byte| char::from(byte)).collect(),
    };
    text.trim_matches('\0').to_string()
}

/// Checks the list of channels: as many as declared, finite calibration. Channels that share a name
/// are numbered, as MNE does.
pub(super) fn check(channels: &mut [Channel], declared: Option<i32>, name: &str) -> Result<()> {
    let wrong = |field: &str, reason: String| Err(Error::malformed(name, field, reason));
    let Some(declared) = declared else {
        return wrong("number of channels", "is missing".to_string());
    };
    if declared < 1 || usize::try_from(declared) != Ok(channels.len()) {
        return wrong(
            "number of channels",
            format!("{declared}, but {} are described", channels.len()),
        );
    }
    let mut uses: HashMap<String, (usize, usize)> = HashMap::new();
    for channel in channels.iter() {
        if !(channel.calibration.is_finite() && channel.range.is_finite()) {
            let field = format!("calibration of channel {:?}", channel.name);
            return wrong(
                &field,
                format!("{} times {}", channel.calibration, channel.range),
            );
        }
        uses.entry(channel.name.clone()).or_default().0 += 1;
    }
    for channel in channels {
        if let Some((count, number)) = uses.get_mut(&channel.name)
            && *count > 1
        {
            channel.name = format!("{}-{number}", channel.name);
            *number += 1;
        }
    }
    Ok(())
}

/// Channels of one kind and unit.
pub(crate) struct Group {
    pub(crate) kind: ChannelKind,
    pub(crate) unit: &'static str,
    /// Their places among all channels.
    pub(crate) members: Vec<usize>,
}

/// Channels by kind and unit, in order of first appearance.
pub(crate) fn groups(channels: &[Channel]) -> Vec<Group> {
    let mut groups: Vec<Group> = Vec::new();
    for (index, channel) in channels.iter().enumerate() {
        let place = groups
            .iter_mut()
            .find(|group| group.kind == channel.kind && group.unit == channel.unit);
        match place {
            Some(group) => group.members.push(index),
            None => groups.push(Group {
                kind: channel.kind,
                unit: channel.unit,
                members: vec![index],
            }),
        }
    }
    groups
}

/// The positions of some channels; `None` where none of them has any, or their frames differ.
pub(super) fn positions(
    channels: &[Channel],
    members: &[usize],
) -> Result<Option<SensorPositions>> {
    let places: Vec<Option<[f64; 3]>> = members
        .iter()
        .map(|&index| channels[index].position())
        .collect();
    let mut frames = members
        .iter()
        .zip(&places)
        .filter(|(_, place)| place.is_some())
        .map(|(&index, _)| channels[index].frame);
    let Some(frame) = frames.next() else {
        return Ok(None);
    };
    if frames.any(|other| other != frame) {
        return Ok(None);
    }
    Ok(Some(SensorPositions::new(frame, places)?))
}
