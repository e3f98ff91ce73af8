//! Summaries of M/EEG files.

use std::path::Path;

use super::display::significant;
use super::{Entry, LOOKED_AT, Statistics, Summary};
use crate::fif::{self, Information, Layout, NextFile, Outline, Source, Stretch, Tags, groups};
use crate::{Result, source};

pub(super) fn fif(path: &Path) -> Result<Summary> {
    let name = source::name_of(path);
    let origin = Source::File(path.to_path_buf());
    let outline = fif::outline(origin.open()?, &name)?;
    let mut summary = Summary::of(path, "FIF file")?;
    general(&mut summary, &outline.information);
    match &outline.layout {
        Layout::Raw(raw) => {
            summary.format = "FIF recording".to_string();
            let (recorded, span) = (raw.recorded(), raw.span());
            let seconds = recorded as f64 / outline.information.rate;
            summary.fact("seconds", significant(seconds));
            summary.fact("first sample", raw.first_sample);
            let stored = raw.stretches.iter().find_map(|stretch| match stretch {
                Stretch::Data(numbers, _) => Some(numbers.type_name()),
                Stretch::Gap(_) => None,
            });
            let channels = outline.information.channels.len() as u64;
            let most = LOOKED_AT / (4 * channels);
            let mut statistics = vec![Statistics::default(); outline.information.channels.len()];
            let mut tags = Tags::new(origin.open()?, &name);
            raw.stream(
                &mut tags,
                &outline.information.channels,
                most,
                |channel, value| {
                    statistics[channel].extend([value]);
                },
            )?;
            let shape = |members: u64| vec![recorded, members];
            let dtype = stored.unwrap_or("f32");
            entries(
                &mut summary,
                &outline.information,
                dtype,
                shape,
                &statistics,
                recorded > most,
            );
            if span > recorded {
                let missing = significant((span - recorded) as f64 / outline.information.rate);
                summary
                    .notes
                    .push(format!("has gaps of {missing} s in all"));
            }
            let annotations =
                raw.annotations
                    .events(raw.first_sample, &outline.information, &name)?;
            kinds(&mut summary, "annotations", &annotations.kinds());
        }
        Layout::Epochs(epochs) => {
            summary.format = "FIF epochs".to_string();
            epochs.check(&mut Tags::new(origin.open()?, &name), &outline.information)?;
            let matrix = epochs.matrix(&name)?;
            let rate = outline.information.rate;
            let start = epochs.start(rate);
            let stop = start + (matrix.samples - 1) as f64 / rate;
            summary.fact(
                "around events",
                format!("{} to {} s", significant(start), significant(stop)),
            );
            if let Some((from, to)) = epochs.baseline(&name)? {
                summary.fact(
                    "baseline",
                    format!("{} to {} s", significant(from), significant(to)),
                );
            }
            let channels = outline.information.channels.len();
            let most = LOOKED_AT / 4;
            let mut statistics = vec![Statistics::default(); channels];
            let mut tags = Tags::new(origin.open()?, &name);
            matrix.stream(
                &mut tags,
                &outline.information.channels,
                most,
                |channel, value| {
                    statistics[channel].extend([value]);
                },
            )?;
            let partial = matrix.epochs * matrix.samples * channels as u64 > most;
            let shape = |members: u64| vec![matrix.epochs, members, matrix.samples];
            let dtype = matrix.numbers.type_name();
            entries(
                &mut summary,
                &outline.information,
                dtype,
                shape,
                &statistics,
                partial,
            );
            let mut counts: Vec<(String, usize)> = Vec::new();
            for trigger in epochs.events.triggers() {
                let kind = fif::kind_of(trigger.value, &epochs.events.ids);
                match counts.iter_mut().find(|(known, _)| *known == kind) {
                    Some((_, count)) => *count += 1,
                    None => counts.push((kind, 1)),
                }
            }
            kinds(&mut summary, "events", &counts);
        }
        Layout::Evoked(responses) => {
            summary.format = "FIF evoked responses".to_string();
            let channels = outline.information.channels.len() as u64;
            for response in responses {
                response.check(&mut Tags::new(origin.open()?, &name), &outline.information)?;
                let matrix = response.matrix(&name)?;
                let shape = vec![channels, matrix.samples];
                let mut entry = Entry::new(&response.comment, shape, matrix.numbers.type_name());
                entry.rate = Some(outline.information.rate);
                let start = response.start(outline.information.rate);
                entry.facts = vec![
                    ("epochs averaged".to_string(), response.averages.to_string()),
                    ("aspect".to_string(), format!("{:?}", response.aspect())),
                    (
                        "first sample at".to_string(),
                        format!("{} s", significant(start)),
                    ),
                ];
                summary.entries.push(entry);
            }
            let none = |_: u64| Vec::new();
            entries(&mut summary, &outline.information, "", none, &[], false);
        }
    }
    parts(&mut summary, &outline);
    summary.note_holes();
    Ok(summary)
}

/// What holds for the whole file.
fn general(summary: &mut Summary, information: &Information) {
    summary.fact("description", &information.description);
    summary.fact("subject", &information.subject);
    summary.fact(
        "start",
        information.start().as_deref().unwrap_or("not given"),
    );
    let hertz = |value: Option<f64>| value.map(|value| format!("{} Hz", significant(value)));
    summary.fact("high-pass", hertz(information.highpass).unwrap_or_default());
    summary.fact("low-pass", hertz(information.lowpass).unwrap_or_default());
    if !information.bad.is_empty() {
        let count = information.bad.len();
        summary.fact(
            "bad channels",
            format!("{count}: {}", information.bad.join(", ")),
        );
    }
    let projections = information.projections.iter();
    let described: Vec<String> = projections
        .map(|item| {
            let state = if item.active {
                "applied"
            } else {
                "not applied"
            };
            format!("{} ({state})", item.description)
        })
        .collect();
    summary.fact("projections", described.join(", "));
    if information.projections.iter().any(|item| !item.active) {
        summary
            .notes
            .push("projections come with the file and are not applied when it is read".to_string());
    }
    if information.compensation {
        let note = "gradient compensation comes with the file and is not applied when it is read";
        summary.notes.push(note.to_string());
    }
}

/// Channels by kind.
fn entries(
    summary: &mut Summary,
    information: &Information,
    dtype: &str,
    shape: impl Fn(u64) -> Vec<u64>,
    statistics: &[Statistics],
    partial: bool,
) {
    for group in groups(&information.channels) {
        let names: Vec<String> = group
            .members
            .iter()
            .map(|&index| information.channels[index].name.clone())
            .collect();
        let members = names.len() as u64;
        let mut entry = Entry::new(group.kind.name(), shape(members), dtype).with_labels(&names);
        if entry.shape.is_empty() {
            entry.shape = vec![members];
            entry.dtype = "channels".to_string();
        } else {
            entry.rate = Some(information.rate);
        }
        entry.unit = Some(group.unit.to_string()).filter(|unit| !unit.is_empty());
        let placed: Vec<_> = group
            .members
            .iter()
            .map(|&index| &information.channels[index])
            .filter(|channel| channel.position().is_some())
            .collect();
        if let Some(first) = placed.first() {
            let frame = first.frame.name();
            let fact = format!("{} of {members}, {frame} coordinates", placed.len());
            entry.facts.push(("positions".to_string(), fact));
        }
        if !statistics.is_empty() {
            let mut whole = Statistics {
                partial,
                ..Statistics::default()
            };
            for &index in &group.members {
                whole.merge(&statistics[index]);
            }
            entry.statistics = Some(whole);
        }
        summary.entries.push(entry);
    }
}

/// Events by kind.
fn kinds(summary: &mut Summary, name: &str, counts: &[(String, usize)]) {
    if counts.is_empty() {
        return;
    }
    let total: usize = counts.iter().map(|(_, count)| count).sum();
    let labels: Vec<String> = counts
        .iter()
        .map(|(kind, count)| format!("{kind} ({count})"))
        .collect();
    let entry = Entry::new(name, vec![total as u64], "words").with_labels(&labels);
    summary.entries.push(entry);
}

fn parts(summary: &mut Summary, outline: &Outline) {
    if let Some(next) = &outline.next {
        let next = match next {
            NextFile::Name(name) => name.clone(),
            NextFile::Number(number) => format!("part {number}"),
        };
        summary.notes.push(format!(
            "goes on in {next}: only this part is shown, all are read"
        ));
    }
}
