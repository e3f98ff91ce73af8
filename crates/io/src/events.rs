//! Tables of events, as BIDS keeps them in `_events.tsv`: a row an event.
//!
//! | field | columns that are taken for it, in this order | where absent |
//! | --- | --- | --- |
//! | onset, seconds | `onset`, `start` | the column in samples |
//! | onset, samples | `onset_sample`, `sample`; needs the rate | an error |
//! | duration, seconds | `duration`; `duration_samples` with onsets in samples | 0 |
//! | kind | `trial_type`, `event_type`, `kind`, `type`, `value` | empty |
//! | stimulus | `stimulus_id`, `stimulus`, `stim_id`, `stim_file` | none |
//! | subject | `subject`, `subject_id`, `participant_id` | none |
//! | session | `session`, `session_id` | none |
//! | split | `split` | none |
//!
//! Names of columns are taken in any case. A missing duration is 0, any other missing cell is none; a
//! missing onset is an error.

use std::path::Path;

use chiasm_core::data::{Column, Event, Events, Table};

use crate::edf::Edf;
use crate::{Error, Result, csv, source};

const ONSETS: [&str; 2] = ["onset", "start"];
const ONSET_SAMPLES: [&str; 2] = ["onset_sample", "sample"];
const KINDS: [&str; 5] = ["trial_type", "event_type", "kind", "type", "value"];
const STIMULI: [&str; 4] = ["stimulus_id", "stimulus", "stim_id", "stim_file"];
const SUBJECTS: [&str; 3] = ["subject", "subject_id", "participant_id"];
const SESSIONS: [&str; 2] = ["session", "session_id"];
const SPLITS: [&str; 1] = ["split"];

/// In what a table counts time.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum TimeUnit {
    /// As the columns say: seconds in `onset` or `start`.
    #[default]
    AsNamed,
    /// Whatever the columns are called, onsets and durations are in samples of a recording with this
    /// rate, the first sample being 0.
    Samples {
        /// Samples per second.
        rate: f64,
    },
}

/// Reads a table of events from `.tsv` or `.csv`.
///
/// # Errors
/// Where there is no column of onsets, an onset is missing or no number, a duration is below 0, or onsets
/// are in samples and the rate is not given.
pub fn read_events(path: &Path, unit: TimeUnit) -> Result<Events> {
    let table = csv::read_table(path, &csv::Options::default())?;
    from_table(&table, unit, &source::name_of(path))
}

/// Reads bytes as a table of events; `name` stands for the file in errors.
pub fn parse(bytes: &[u8], name: &str, unit: TimeUnit) -> Result<Events> {
    from_table(&csv::parse(bytes, name)?, unit, name)
}

/// The events of a table; `name` stands for its source in errors.
pub fn from_table(table: &Table, unit: TimeUnit, name: &str) -> Result<Events> {
    let rate = match unit {
        TimeUnit::AsNamed => None,
        TimeUnit::Samples { rate } if rate.is_finite() && rate > 0.0 => Some(rate),
        TimeUnit::Samples { rate } => {
            let allowed = "a positive number of samples per second";
            return Err(chiasm_core::Error::setting("rate of the events", rate, allowed).into());
        }
    };
    let in_samples = find(table, &ONSET_SAMPLES);
    let in_seconds = find(table, &ONSETS);
    let onset = match (rate, in_seconds, in_samples) {
        (None, Some(column), _) | (Some(_), _, Some(column)) | (Some(_), Some(column), None) => {
            column
        }
        (None, None, Some((title, _))) => {
            let reason = "holds samples; say the rate of the recording they count in";
            return Err(Error::unsupported(
                name,
                format!("column {title:?}"),
                reason,
            ));
        }
        (_, None, None) => {
            return Err(Error::NotFound {
                file: name.to_string(),
                what: "column of onsets",
                name: "onset".to_string(),
                available: table
                    .columns()
                    .iter()
                    .map(|(title, _)| title.clone())
                    .collect(),
            });
        }
    };
    let factor = rate.map_or(1.0, |rate| 1.0 / rate);
    let onsets = numbers(onset, name)?;
    let durations = match (rate, find(table, &["duration_samples"])) {
        (Some(_), Some(column)) => Some(numbers(column, name)?),
        _ => match find(table, &["duration"]) {
            Some(column) => Some(numbers(column, name)?),
            None => None,
        },
    };
    let words = [&KINDS[..], &STIMULI, &SUBJECTS, &SESSIONS, &SPLITS]
        .map(|titles| find(table, titles).map(|(_, column)| column));
    let mut list = Vec::with_capacity(onsets.len());
    for (row, &onset_value) in onsets.iter().enumerate() {
        if !onset_value.is_finite() {
            let reason = "an event without an onset; leave such rows out";
            let field = format!("column {:?}, row {}", onset.0, row + 1);
            return Err(Error::malformed(name, field, reason));
        }
        let duration = durations.map_or(0.0, |values| values[row]);
        let word = |which: usize| words[which].and_then(|column| cell(column, row));
        list.push(Event {
            onset: onset_value * factor,
            duration: if duration.is_nan() {
                0.0
            } else {
                duration * factor
            },
            kind: word(0).unwrap_or_default(),
            stimulus: word(1),
            subject: word(2),
            session: word(3),
            split: word(4),
        });
    }
    Ok(Events::new(name, list)?)
}

impl Edf {
    /// The annotations as events on the clock of the recordings; texts are the events' kinds.
    pub fn events(&self) -> Result<Events> {
        let list = self.annotations.iter().map(|note| Event {
            onset: note.onset,
            duration: note.duration.unwrap_or(0.0),
            kind: note.text.clone(),
            ..Event::default()
        });
        Ok(Events::new(
            &format!("annotations of {}", self.name),
            list.collect(),
        )?)
    }
}

/// The first column that goes by one of these titles.
fn find<'a>(table: &'a Table, titles: &[&str]) -> Option<(&'a str, &'a Column)> {
    titles.iter().find_map(|wanted| {
        let mut columns = table.columns().iter();
        let (title, column) =
            columns.find(|(title, _)| title.trim().eq_ignore_ascii_case(wanted))?;
        Some((title.as_str(), column))
    })
}

fn numbers<'a>((title, column): (&str, &'a Column), name: &str) -> Result<&'a [f64]> {
    match column {
        Column::Numbers(values) => Ok(values),
        Column::Words(words) => {
            let (row, word) = words
                .iter()
                .enumerate()
                .find(|(_, word)| word.parse::<f64>().is_err() && !word.is_empty())
                .map_or((0, ""), |(row, word)| (row, word.as_str()));
            let field = format!("column {title:?}, row {}", row + 1);
            Err(Error::malformed(
                name,
                field,
                format!("{word:?} is not a number"),
            ))
        }
    }
}

/// A cell as a word; none where it is missing.
fn cell(column: &Column, row: usize) -> Option<String> {
    match column {
        Column::Numbers(values) => values
            .get(row)
            .filter(|value| !value.is_nan())
            .map(f64::to_string),
        Column::Words(words) => words
            .get(row)
            .filter(|word| !word.is_empty() && !word.eq_ignore_ascii_case("n/a"))
            .cloned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bids_table_becomes_events() {
        let text = b"onset\tduration\ttrial_type\tstimulus_id\tsubject\tsplit\n\
                     0.5\t0.2\tface\t12\tsub-1\ttrain\n\
                     2\tn/a\thouse\tn/a\tsub-1\ttest\n";
        let events = parse(text, "events.tsv", TimeUnit::AsNamed).unwrap();
        assert_eq!(
            events.list()[0],
            Event {
                onset: 0.5,
                duration: 0.2,
                kind: "face".to_string(),
                stimulus: Some("12".to_string()),
                subject: Some("sub-1".to_string()),
                session: None,
                split: Some("train".to_string()),
            }
        );
        assert_eq!(events.list()[1].duration, 0.0);
        assert_eq!(events.list()[1].stimulus, None);
    }

    #[test]
    fn samples_need_a_rate() {
        let text = b"sample,value\n100,1\n250,2\n";
        let message = parse(text, "e.csv", TimeUnit::AsNamed)
            .unwrap_err()
            .to_string();
        assert!(message.contains("rate"), "{message}");
        let events = parse(text, "e.csv", TimeUnit::Samples { rate: 100.0 }).unwrap();
        let onsets: Vec<f64> = events.list().iter().map(|event| event.onset).collect();
        assert_eq!(onsets, [1.0, 2.5]);
        assert_eq!(events.list()[1].kind, "2");
        assert!(parse(text, "e.csv", TimeUnit::Samples { rate: 0.0 }).is_err());
    }

    #[test]
    fn broken_tables_say_where() {
        let said = |text: &[u8]| {
            parse(text, "e.csv", TimeUnit::AsNamed)
                .unwrap_err()
                .to_string()
        };
        let message = said(b"onset,trial_type\n1,a\n,b\n");
        assert!(message.contains("row 2"), "{message}");
        let message = said(b"onset,trial_type\n1,a\nsoon,b\n");
        assert!(message.contains("\"soon\""), "{message}");
        let message = said(b"time_of_day,trial_type\n1,a\n");
        assert!(message.contains("time_of_day"), "{message}");
        let message = said(b"onset,duration\n1,-2\n");
        assert!(message.contains("duration of event 1"), "{message}");
    }
}
