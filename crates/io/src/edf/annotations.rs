//! Time-stamped annotation lists (TALs) of EDF+ and BDF+.
//!
//! A list is `+onset[<21>duration]<20>text<20>…<20><0>`. The first list of each data record has an
//! empty first text: its onset is when the record began.

use super::Header;
use crate::{Error, Result};

/// A night of sleep has some thousands.
const MOST_ANNOTATIONS: usize = 1 << 20;

const TEXT: u8 = 20;
const DURATION: u8 = 21;

/// What happened when.
#[derive(Clone, Debug, PartialEq)]
pub struct Annotation {
    /// Seconds from the first sample.
    pub onset: f64,
    /// Seconds it lasted, where given.
    pub duration: Option<f64>,
    /// What happened.
    pub text: String,
}

/// What a [`Timeline`] has gathered.
pub(crate) struct Times {
    pub(crate) start_offset: f64,
    pub(crate) record_onsets: Vec<f64>,
    pub(crate) annotations: Vec<Annotation>,
}

/// Annotations and record onsets, gathered record by record.
pub(crate) struct Timeline<'a> {
    header: &'a Header,
    name: &'a str,
    /// Where in a record the annotation signals are.
    places: Vec<usize>,
    onsets: Vec<f64>,
    annotations: Vec<Annotation>,
}

impl<'a> Timeline<'a> {
    pub(crate) fn new(header: &'a Header, name: &'a str) -> Self {
        let places = (0..header.all.len())
            .filter(|&place| header.all[place].annotations)
            .collect();
        Timeline {
            header,
            name,
            places,
            onsets: Vec::new(),
            annotations: Vec::new(),
        }
    }

    /// Takes in the annotation signals of a record.
    pub(crate) fn take(&mut self, record: usize, parts: &[&[u8]]) -> Result<()> {
        let mut onset = None;
        for (nth, &place) in self.places.iter().enumerate() {
            let mut lists = parts[place]
                .split(|&byte| byte == 0)
                .filter(|list| !list.is_empty());
            if nth == 0 {
                let keeper = lists.next();
                let (at, _, mut texts) = keeper.and_then(split).ok_or_else(|| {
                    self.wrong(record, "does not begin with the record's own onset")
                })?;
                if texts.next() != Some(b"") {
                    return Err(self.wrong(record, "does not begin with the record's own onset"));
                }
                onset = Some(at);
                gather(&mut self.annotations, at, None, texts);
            }
            for list in lists {
                let (at, duration, texts) = split(list)
                    .ok_or_else(|| self.wrong(record, "an annotation has no readable onset"))?;
                gather(&mut self.annotations, at, duration, texts);
            }
        }
        if self.annotations.len() > MOST_ANNOTATIONS {
            return Err(self.wrong(record, "more than a million in all"));
        }
        let onset = onset.unwrap_or(record as f64 * self.header.record_seconds);
        if self.onsets.last().is_some_and(|&before| before > onset) {
            return Err(self.wrong(record, "begins before the record that it follows"));
        }
        self.onsets.push(onset);
        Ok(())
    }

    /// All times from the first sample on.
    pub(crate) fn finish(mut self) -> Times {
        let start_offset = self.onsets.first().copied().unwrap_or(0.0);
        if start_offset != 0.0 {
            // In steps of 100 ns, the finest that recorders write, so that 10.4 - 0.4 is 10.
            let ticks = |seconds: f64| (seconds * 1e7).round();
            let shift = |time: &mut f64| *time = (ticks(*time) - ticks(start_offset)) / 1e7;
            self.onsets.iter_mut().for_each(shift);
            self.annotations
                .iter_mut()
                .map(|note| &mut note.onset)
                .for_each(shift);
        }
        Times {
            start_offset,
            record_onsets: self.onsets,
            annotations: self.annotations,
        }
    }

    fn wrong(&self, record: usize, reason: &str) -> Error {
        let at = Header::bytes(self.header.all.len()) + record as u64 * self.header.record_bytes();
        Error::malformed_at(
            self.name,
            format!("annotations of data record {record}"),
            at,
            reason,
        )
    }
}

fn gather<'t>(
    annotations: &mut Vec<Annotation>,
    onset: f64,
    duration: Option<f64>,
    texts: impl Iterator<Item = &'t [u8]>,
) {
    // One too many is enough to know.
    let left = (MOST_ANNOTATIONS + 1).saturating_sub(annotations.len());
    for text in texts.filter(|text| !text.is_empty()).take(left) {
        let text = String::from_utf8_lossy(text).into_owned();
        annotations.push(Annotation {
            onset,
            duration,
            text,
        });
    }
}

/// Onset, duration and texts of a list.
#[allow(clippy::type_complexity)]
fn split(list: &[u8]) -> Option<(f64, Option<f64>, impl Iterator<Item = &[u8]>)> {
    let mut parts = list.split(|&byte| byte == TEXT);
    let mut stamp = parts.next()?.split(|&byte| byte == DURATION);
    let number = |raw: &[u8]| -> Option<f64> {
        let text = std::str::from_utf8(raw).ok()?;
        let honest = text
            .bytes()
            .all(|byte| byte.is_ascii_digit() || b"+-.".contains(&byte));
        text.parse()
            .ok()
            .filter(|value: &f64| honest && value.is_finite())
    };
    let onset = stamp.next()?;
    // The sign is what marks an onset.
    let onset = number(onset).filter(|_| matches!(onset.first(), Some(b'+' | b'-')))?;
    let duration = match stamp.next() {
        None | Some(b"") => None,
        Some(raw) => Some(number(raw)?),
    };
    Some((onset, duration, parts))
}
