//! `chiasm inspect` for HDF5 files.

use std::path::Path;

use super::{Attribute, Dataset, File, Kind, Object, open};
use crate::error::Result;
use crate::inspect::{Entry, LABELS_SHOWN, Statistics, Summary};
use crate::{nwb, shd};

/// The most numbers of one array, and of all, that statistics look at.
const NUMBERS_EACH: u64 = 1 << 20;
const NUMBERS_ALL: u64 = 4 << 20;
/// The most objects that are listed.
const LISTED: usize = 1000;

/// What is in a file, in bounded time and memory. NWB files and files of spiking digits are known for
/// what they are.
pub fn inspect(path: &Path) -> Result<Summary> {
    let file = open(path)?;
    let mut summary = summary(&file)?;
    if nwb::is_nwb(&file) {
        nwb::Nwb::new(file)?.describe(&mut summary);
    } else if shd::is_shd(&file) {
        let digits = shd::ShdFile::new(file)?;
        summary.format = "HDF5 with spiking digits".to_string();
        summary.notes.insert(
            0,
            format!(
                "{} recordings of {} classes, as delay and spiking networks take them",
                digits.recordings(),
                digits.classes()
            ),
        );
    }
    Ok(summary)
}

fn summary(file: &File) -> Result<Summary> {
    let mut summary = Summary {
        file: file.name().to_string(),
        format: "HDF5".to_string(),
        bytes: file.length(),
        facts: Vec::new(),
        entries: Vec::new(),
        notes: Vec::new(),
    };
    if let Some(attributes) = file.attributes("/") {
        summary.facts.extend(
            attributes
                .iter()
                .map(|(name, value)| (name.clone(), shown(value))),
        );
    }
    let mut groups = 0;
    let mut unlisted = 0;
    let mut left = NUMBERS_ALL;
    let mut wrongs = Vec::new();
    for (path, object) in file.objects() {
        match &object.kind {
            Kind::Group => groups += 1,
            Kind::Dataset(_) if summary.entries.len() >= LISTED => unlisted += 1,
            Kind::Dataset(dataset) => {
                let (entry, wrong) = entry(file, path, object, dataset, &mut left);
                summary.entries.push(entry);
                if let Err(error) = wrong {
                    let reason = error.without(file.name(), path);
                    wrongs.push(format!("{path}: cannot be read: {reason}"));
                }
            }
            Kind::Unreadable(reason) if wrongs.len() < LISTED => {
                wrongs.push(format!("{path}: cannot be read: {reason}"));
            }
            Kind::Unreadable(_) | Kind::Datatype => {}
            Kind::Link(target) => {
                if summary.notes.len() < LISTED {
                    summary
                        .notes
                        .push(format!("{path} is another name for {target}"));
                }
            }
            Kind::ExternalLink { file, path: target } => {
                if summary.notes.len() < LISTED {
                    summary
                        .notes
                        .push(format!("{path} lies in another file: {target} of {file}"));
                }
            }
        }
    }
    summary
        .facts
        .push(("groups".to_string(), groups.to_string()));
    // What is wrong comes first.
    summary.notes.splice(0..0, wrongs);
    if unlisted > 0 {
        summary
            .notes
            .push(format!("{unlisted} more arrays are not listed"));
    }
    Ok(summary)
}

/// What is known of an array, and whether its content could be read.
fn entry(
    file: &File,
    path: &str,
    object: &Object,
    dataset: &Dataset,
    left: &mut u64,
) -> (Entry, Result<()>) {
    let name = path.trim_start_matches('/');
    let mut entry = Entry::new(name, dataset.shape.clone(), dataset.element.to_string());
    entry.unit = ["unit", "units"]
        .iter()
        .find_map(|name| match object.attributes.get(*name) {
            Some(value) => value.word().map(str::to_string),
            None => None,
        });
    entry.rate = object.attributes.get("rate").and_then(Attribute::number);
    if let Some(chunks) = &dataset.chunks {
        entry
            .facts
            .push(("chunks".to_string(), format!("{chunks:?}")));
    }
    if !dataset.filters.is_empty() {
        entry
            .facts
            .push(("stored with".to_string(), dataset.filters.join(", ")));
    }
    for (name, value) in &object.attributes {
        entry.facts.push((name.clone(), shown(value)));
    }
    let wrong = content(file, path, dataset, left, &mut entry);
    (entry, wrong)
}

/// Looks at an array's numbers, as far as `left` reaches, or at its words, where they are few.
fn content(
    file: &File,
    path: &str,
    dataset: &Dataset,
    left: &mut u64,
    entry: &mut Entry,
) -> Result<()> {
    let elements = dataset.elements().unwrap_or(u64::MAX);
    if dataset.element.number().is_some() && elements > 0 && *left > 0 {
        let rows = dataset.shape.first().copied().unwrap_or(1);
        let width = elements / rows;
        let some = (NUMBERS_EACH.min(*left) / width).min(rows);
        if some > 0 {
            let values: Vec<f64> = file.read_rows(path, 0, some)?;
            *left = left.saturating_sub(values.len() as u64);
            let mut statistics = Statistics::of(values);
            statistics.partial = some < rows;
            entry.statistics = Some(statistics);
        }
    } else if dataset.element.is_words() && elements <= 64 {
        let words = file.read_words(path)?;
        entry.labels = words.iter().take(LABELS_SHOWN).cloned().collect();
        entry.label_count = words.len() as u64;
    }
    Ok(())
}

/// An attribute in few words.
fn shown(value: &Attribute) -> String {
    const SHOWN: usize = 8;
    const LONGEST: usize = 120;
    let (all, count) = match value {
        Attribute::Numbers(values) => {
            let words: Vec<String> = values.iter().take(SHOWN).map(f64::to_string).collect();
            (words.join(", "), values.len())
        }
        Attribute::Words(values) => {
            let words: Vec<&str> = values.iter().take(SHOWN).map(String::as_str).collect();
            (words.join(", "), values.len())
        }
        Attribute::Object(path) => (path.clone(), 1),
        Attribute::Other => ("(not shown)".to_string(), 1),
    };
    let mut text: String = all.chars().take(LONGEST).collect();
    if count > SHOWN || text.len() < all.len() {
        text.push_str(", …");
    }
    text
}
