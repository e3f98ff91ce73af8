//! What happened when.

use crate::error::{Error, Result};

/// One event: a stimulus, a key press, a word.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Event {
    /// When it began, in seconds on the clock of the recording it belongs to.
    pub onset: f64,
    /// Seconds it lasted; 0 for what has no length.
    pub duration: f64,
    /// What kind of event it was (BIDS: `trial_type`), e.g. `face` or `word`; empty where not said.
    pub kind: String,
    /// Which stimulus it was, where known: the key that no splitter may cut across.
    pub stimulus: Option<String>,
    /// Whose event it was.
    pub subject: Option<String>,
    /// In which session.
    pub session: Option<String>,
    /// The part of the data it was assigned to beforehand, e.g. `train` or `test`.
    pub split: Option<String>,
}

/// A list of events in the order of their source, every onset finite, every duration 0 or more.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Events {
    list: Vec<Event>,
}

impl Events {
    /// Checks onsets and durations.
    pub fn new(name: &str, list: Vec<Event>) -> Result<Self> {
        for (index, event) in list.iter().enumerate() {
            if !event.onset.is_finite() {
                return Err(Error::NotFinite {
                    what: format!("onsets of {name}"),
                    count: list.iter().filter(|event| !event.onset.is_finite()).count(),
                    first: format!("event {}", index + 1),
                });
            }
            if !(event.duration.is_finite() && event.duration >= 0.0) {
                return Err(Error::setting(
                    format!("duration of event {} of {name}", index + 1),
                    event.duration,
                    "0 or more seconds",
                ));
            }
        }
        Ok(Events { list })
    }

    /// The events.
    pub fn list(&self) -> &[Event] {
        &self.list
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.list.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// The events that `keep` says yes to.
    #[must_use]
    pub fn filtered(&self, keep: impl Fn(&Event) -> bool) -> Events {
        let list = self.list.iter().filter(|event| keep(event)).cloned();
        Events {
            list: list.collect(),
        }
    }

    /// The distinct kinds with how often each occurs, in order of first appearance.
    pub fn kinds(&self) -> Vec<(String, usize)> {
        let mut places = std::collections::HashMap::new();
        let mut counts: Vec<(String, usize)> = Vec::new();
        for event in &self.list {
            let place = *places.entry(event.kind.as_str()).or_insert(counts.len());
            match counts.get_mut(place) {
                Some((_, count)) => *count += 1,
                None => counts.push((event.kind.clone(), 1)),
            }
        }
        counts
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_are_counted_and_broken_times_refused() {
        let event = |onset: f64, kind: &str| Event {
            onset,
            kind: kind.to_string(),
            ..Event::default()
        };
        let events =
            Events::new("e", vec![event(1.0, "b"), event(0.5, "a"), event(2.0, "b")]).unwrap();
        assert_eq!(events.kinds(), [("b".to_string(), 2), ("a".to_string(), 1)]);
        assert_eq!(events.filtered(|event| event.kind == "a").len(), 1);
        assert!(Events::new("e", vec![event(f64::NAN, "a")]).is_err());
        let backwards = Event {
            duration: -1.0,
            ..Event::default()
        };
        assert!(Events::new("e", vec![backwards]).is_err());
    }
}
