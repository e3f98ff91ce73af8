//! What a file says about a measurement as a whole.

use super::channel::{self, Channel};
use super::codes::{block, kind};
use super::tags::{Tag, Tags};
use crate::source::Fields;
use crate::{Error, Result};

/// What a file says about a measurement as a whole.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Information {
    /// Samples per second.
    pub rate: f64,
    /// The channels in the order of the data.
    pub channels: Vec<Channel>,
    /// Names of channels that somebody has marked as bad. Their data are read like any other's.
    pub bad: Vec<String>,
    /// Signal-space projections that come with the file. They are listed and never applied; an active
    /// one was applied before the file was written.
    pub projections: Vec<Projection>,
    /// Corner of the high-pass filter in hertz, where given.
    pub highpass: Option<f64>,
    /// Corner of the low-pass filter in hertz, where given.
    pub lowpass: Option<f64>,
    /// Frequency of the mains in hertz, where given.
    pub line_frequency: Option<f64>,
    /// When it began: seconds and microseconds since 1970, UTC; `None` where anonymised away.
    pub measured: Option<(i64, i64)>,
    /// What the file says about itself.
    pub description: String,
    /// Who was recorded.
    pub subject: String,
    /// Device to head coordinates, `head = matrix · (device, 1)`, where the head was located.
    pub device_to_head: Option<[[f64; 4]; 3]>,
    /// Whether matrices for third-order gradient compensation (CTF) come with the file; they are not
    /// applied.
    pub compensation: bool,
}

impl Information {
    /// When it began, UTC, as `YYYY-MM-DDThh:mm:ss`; `None` where anonymised away.
    pub fn start(&self) -> Option<String> {
        let (seconds, _) = self.measured?;
        let (day, second) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
        // Days in the proleptic Gregorian calendar, with years that begin in March so that the leap day
        // comes last.
        let day = day + 719_468;
        let (era, of_era) = (day.div_euclid(146_097), day.rem_euclid(146_097));
        let year = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
        let of_year = of_era - (365 * year + year / 4 - year / 100);
        let month = (5 * of_year + 2) / 153;
        let of_month = of_year - (153 * month + 2) / 5 + 1;
        let (year, month) = match month {
            0..10 => (year + era * 400, month + 3),
            _ => (year + era * 400 + 1, month - 9),
        };
        let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
        Some(format!(
            "{year:04}-{month:02}-{of_month:02}T{hour:02}:{minute:02}:{second:02}"
        ))
    }
}

/// A signal-space projection.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Projection {
    /// What it is for, e.g. `PCA-v1`.
    pub description: String,
    /// How many dimensions it takes away.
    pub vectors: usize,
    /// Whether it was applied to these data.
    pub active: bool,
}

/// Names or projections beyond this are no measurement's.
const MOST: usize = 1 << 20;

/// Gathers tags into [`Information`].
#[derive(Default)]
pub(super) struct Gathering {
    information: Information,
    declared: Option<i32>,
    rate: Option<f64>,
    /// How many blocks of extended information on channels there were.
    extended: usize,
    /// Names cut to 15 characters, and whole ones; other lists use the cut ones.
    renamed: Vec<(String, String)>,
    bad: Vec<String>,
}

impl Gathering {
    /// Takes in a tag, if it belongs here.
    pub(super) fn take(&mut self, tags: &mut Tags<'_>, tag: &Tag) -> Result<()> {
        let information = &mut self.information;
        match (tags.block(), tag.kind) {
            (block::MEAS_INFO, kind::NCHAN) => self.declared = Some(tags.whole(tag)?),
            (block::MEAS_INFO, kind::SFREQ) => {
                let rate = tags.number(tag)?;
                if !(rate.is_finite() && rate > 0.0) {
                    return Err(tags.wrong(tag, format!("{rate}, expected a positive number")));
                }
                self.rate = Some(rate);
            }
            (block::MEAS_INFO, kind::CH_INFO) => {
                let channel = Channel::read(tags, tag)?;
                information.channels.push(channel);
            }
            (block::MEAS_INFO, kind::LOWPASS) => information.lowpass = corner(tags, tag)?,
            (block::MEAS_INFO, kind::HIGHPASS) => information.highpass = corner(tags, tag)?,
            (block::MEAS_INFO, kind::LINE_FREQ) => {
                information.line_frequency = corner(tags, tag)?;
            }
            (block::MEAS_INFO, kind::MEAS_DATE) => {
                information.measured = stamp(&tags.wholes(tag, 2)?);
            }
            (block::MEAS_INFO, kind::COMMENT) => information.description = tags.text(tag)?,
            (block::SUBJECT, kind::SUBJ_HIS_ID) => information.subject = tags.text(tag)?,
            (block::MEAS_INFO | block::HPI_RESULT, kind::COORD_TRANS) => {
                // Results of locating the head count where the measurement itself says nothing.
                let own = tags.block() == block::MEAS_INFO;
                if let Some(matrix) = device_to_head(tags, tag)?
                    && (own || information.device_to_head.is_none())
                {
                    information.device_to_head = Some(matrix);
                }
            }
            (block::CH_INFO, _) if tags.inside(block::MEAS_INFO) => {
                self.extend_channel(tags, tag)?;
            }
            (block::MNE_BAD_CHANNELS, kind::MNE_CH_NAME_LIST) => {
                self.bad = name_list(&tags.text(tag)?);
            }
            (block::PROJ_ITEM, _) => {
                let Some(item) = information.projections.last_mut() else {
                    return Ok(());
                };
                match tag.kind {
                    kind::COMMENT => item.description = tags.text(tag)?,
                    kind::NAME if item.description.is_empty() => {
                        item.description = tags.text(tag)?;
                    }
                    kind::PROJ_ITEM_NVEC => {
                        let count = tags.whole(tag)?;
                        item.vectors = usize::try_from(count)
                            .map_err(|_| tags.wrong(tag, format!("{count} vectors")))?;
                    }
                    kind::MNE_PROJ_ITEM_ACTIVE => item.active = tags.whole(tag)? != 0,
                    _ => {}
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// Takes notice that a block was opened.
    pub(super) fn opened(&mut self, tags: &Tags<'_>) {
        match tags.block() {
            block::PROJ_ITEM if tags.inside(block::MEAS_INFO) => {
                self.information.projections.push(Projection::default());
            }
            block::CH_INFO if tags.inside(block::MEAS_INFO) => self.extended += 1,
            block::MNE_CTF_COMP => self.information.compensation = true,
            _ => {}
        }
    }

    /// The blocks of extended information come in the order of the channels.
    fn extend_channel(&mut self, tags: &mut Tags<'_>, tag: &Tag) -> Result<()> {
        let place = self.extended.saturating_sub(1);
        let Some(channel) = self.information.channels.get_mut(place) else {
            return Err(tags.wrong(tag, "describes more channels than there are"));
        };
        let before = channel.name.clone();
        channel.extend(tags, tag)?;
        if before != channel.name {
            self.renamed.push((before, channel.name.clone()));
        }
        Ok(())
    }

    /// Checks what was gathered.
    pub(super) fn finish(mut self, name: &str) -> Result<Information> {
        let Some(rate) = self.rate else {
            return Err(Error::malformed(name, "sampling rate", "is missing"));
        };
        self.information.rate = rate;
        channel::check(&mut self.information.channels, self.declared, name)?;
        let renamed: std::collections::HashMap<&str, &str> = self
            .renamed
            .iter()
            .map(|(cut, whole)| (cut.as_str(), whole.as_str()))
            .collect();
        let known: std::collections::HashSet<&str> = self
            .information
            .channels
            .iter()
            .map(|channel| channel.name.as_str())
            .collect();
        let bad = self.bad.iter().map(|bad| {
            let whole = renamed.get(bad.as_str());
            whole.map_or_else(|| bad.clone(), |whole| (*whole).to_string())
        });
        // Lists that name channels which were left out are common.
        self.information.bad = bad.filter(|name| known.contains(name.as_str())).collect();
        Ok(self.information)
    }
}

/// Names in a list; a colon stands between two, `{COLON}` for one in a name.
pub(super) fn name_list(text: &str) -> Vec<String> {
    let names = text.split(':').filter(|_| !text.is_empty()).take(MOST);
    names.map(|name| name.replace("{COLON}", ":")).collect()
}

/// A frequency, where one is given.
fn corner(tags: &mut Tags<'_>, tag: &Tag) -> Result<Option<f64>> {
    Ok(Some(tags.number(tag)?).filter(|value| value.is_finite()))
}

/// Seconds and microseconds; the highest number of microseconds stands for "no date".
pub(super) fn stamp(values: &[i32]) -> Option<(i64, i64)> {
    match *values {
        [seconds] => Some((i64::from(seconds), 0)),
        [0, i32::MAX] => None,
        [seconds, micros] => Some((i64::from(seconds), i64::from(micros))),
        _ => None,
    }
}

/// The transformation, where it leads from device to head or back.
fn device_to_head(tags: &mut Tags<'_>, tag: &Tag) -> Result<Option<[[f64; 4]; 3]>> {
    let bytes = tags.content(tag, 1 << 10)?;
    // Two frames, rotation and shift, and the same for the way back.
    if bytes.len() < 8 + 96 {
        return Err(tags.wrong(tag, format!("{} bytes, expected 104", bytes.len())));
    }
    let fields = Fields {
        bytes: &bytes,
        big_endian: true,
    };
    let at = match (fields.i32(0), fields.i32(4)) {
        (1, 4) => 8,
        (4, 1) => 56,
        _ => return Ok(None),
    };
    let number = |place: usize| f64::from(fields.f32(at + 4 * place));
    let matrix = [0, 1, 2].map(|row| {
        [
            number(3 * row),
            number(3 * row + 1),
            number(3 * row + 2),
            number(9 + row),
        ]
    });
    if matrix.iter().flatten().any(|value| !value.is_finite()) {
        return Err(tags.wrong(tag, "holds NaN or infinity"));
    }
    Ok(Some(matrix))
}
