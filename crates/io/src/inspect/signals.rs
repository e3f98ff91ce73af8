//! Summaries of sounds, images and polygraphic recordings.

use std::path::Path;

use super::display::significant;
use super::{Entry, LOOKED_AT, Statistics, Summary};
use crate::array::Array;
use crate::nifti::{Orientation, ended, with_image};
use crate::wav::Sound;
use crate::{Error, Result, edf, source, ten_twenty};

pub(super) fn wav(path: &Path) -> Result<Summary> {
    let (mut file, length) = source::open(path)?;
    let sound = Sound::find(&mut file, length, &source::name_of(path))?;
    let mut summary = Summary::of(path, "WAVE audio")?;
    let (frames, channels) = (sound.frames as u64, u64::from(sound.channels));
    let kind = if sound.float { "float" } else { "PCM" };
    summary.fact("coding", format!("{} bits, {kind}", 8 * sound.width));
    summary.fact(
        "seconds",
        significant(sound.frames as f64 / f64::from(sound.rate)),
    );
    let most = LOOKED_AT / (sound.width as u64 * channels);
    let most = usize::try_from(most).unwrap_or(usize::MAX);
    let mut statistics = Statistics {
        partial: most < sound.frames,
        ..Statistics::default()
    };
    sound
        .stream(&mut file, most, |block| {
            statistics.extend(block.iter().copied())
        })
        .map_err(|error| Error::io(path, error))?;
    let mut entry = Entry::new("samples", vec![frames, channels], "numbers");
    entry.rate = Some(f64::from(sound.rate));
    entry.statistics = Some(statistics);
    summary.entries.push(entry);
    if !sound.float {
        summary
            .notes
            .push("read with full scale at -1 to 1".to_string());
    }
    summary.note_holes();
    Ok(summary)
}

pub(super) fn nifti(path: &Path) -> Result<Summary> {
    let mut summary = Summary::of(path, "NIfTI image")?;
    with_image(path, |mut opened| {
        let header = &opened.header;
        summary.format = format!("NIfTI-{} image", header.version);
        summary.fact("description", &header.description);
        let size = header.voxel_size().map(significant).join(" x ");
        summary.fact("voxel", format!("{size} mm"));
        if header.layout.shape.len() > 3 {
            let time = header
                .repetition_time()
                .map(|time| format!("{} s", significant(time)));
            summary.fact("repetition time", time.unwrap_or_default());
        }
        if let Some((slope, intercept)) = header.scaling {
            let (slope, intercept) = (significant(slope), significant(intercept));
            summary.fact("scaling", format!("stored x {slope} + {intercept}"));
        }
        let (affine, orientation) = header.affine();
        let rows: Vec<String> = affine
            .iter()
            .map(|row| row.map(significant).join(" "))
            .collect();
        summary.fact("affine", rows.join("; "));
        if !opened.extensions.is_empty() {
            summary.fact("extensions", opened.extensions.len());
        }
        match orientation {
            Orientation::Grid => summary.notes.push(
                "says nothing about its place in space: left and right are a guess".to_string(),
            ),
            Orientation::Affine | Orientation::Rotation => {}
        }
        if !header.unit_known() {
            summary
                .notes
                .push("does not say its unit of length: taken as millimetres".to_string());
        }
        let scaling = header.scaling.unwrap_or((1.0, 0.0));
        let layout = header.layout.clone();
        let shape = layout.shape.iter().map(|&size| size as u64).collect();
        let mut entry = Entry::new("image", shape, layout.dtype.name());
        opened.stream.check(&layout)?;
        let name = opened.stream.name.clone();
        entry.statistics =
            Array::stream_statistics(opened.stream.reader(), &layout, LOOKED_AT, scaling)
                .map_err(|error| ended(&name, "image", header.data_offset(), error))?;
        summary.entries.push(entry);
        Ok(())
    })?;
    summary.note_holes();
    Ok(summary)
}

pub(super) fn edf(path: &Path) -> Result<Summary> {
    let (mut file, length) = source::open(path)?;
    let name = source::name_of(path);
    let header = edf::read_header(&mut file, length, &name)?;
    let mut summary = Summary::of(path, format!("{} recording", header.kind.name()))?;
    summary.fact("patient", &header.patient);
    summary.fact("recording", &header.recording);
    summary.fact("start", header.start.as_deref().unwrap_or("not given"));
    summary.fact(
        "records",
        format!(
            "{} of {} s",
            header.records,
            significant(header.record_seconds)
        ),
    );
    let labels = header.proper().map(|(_, signal)| &signal.label);
    let placed = labels
        .filter(|label| ten_twenty::position(label).is_some())
        .count();
    if placed > 0 {
        let fact = format!("{placed} by their 10-20 names, on a template head");
        summary.fact("positions", fact);
    }
    let most = usize::try_from(LOOKED_AT / header.record_bytes().max(1)).unwrap_or(usize::MAX);
    let partial = most < header.records;
    let mut entries: Vec<(usize, Entry)> = Vec::new();
    for (place, signal) in header.proper() {
        let samples = (signal.samples_per_record as u64).saturating_mul(header.records as u64);
        let bits = if header.kind.width() == 2 {
            "i16"
        } else {
            "i24"
        };
        let mut entry = Entry::new(signal.label.clone(), vec![samples], bits);
        entry.unit = Some(signal.unit.clone()).filter(|unit| !unit.is_empty());
        entry.rate = Some(signal.samples_per_record as f64 / header.record_seconds);
        entry.statistics = Some(Statistics {
            partial,
            ..Statistics::default()
        });
        entries.push((place, entry));
    }
    let mut timeline = edf::Timeline::new(&header, &name);
    edf::for_each_record(&mut file, &header, most, &name, |record, parts| {
        for ((place, entry), (_, signal)) in entries.iter_mut().zip(header.proper()) {
            if let Some(statistics) = entry.statistics.as_mut() {
                let numbers = edf::digital(parts[*place], header.kind);
                statistics.extend(numbers.map(|digital| signal.physical(digital)));
            }
        }
        timeline.take(record, parts)
    })?;
    let edf::Times {
        record_onsets,
        annotations,
        ..
    } = timeline.finish();
    if !edf::continuous(&header, &record_onsets) {
        summary
            .notes
            .push("has gaps: times are read from its own time stamps".to_string());
    }
    if !annotations.is_empty() {
        let texts: Vec<String> = annotations.iter().map(|note| note.text.clone()).collect();
        let count = vec![annotations.len() as u64];
        entries.push((
            0,
            Entry::new("annotations", count, "words").with_labels(&texts),
        ));
    }
    summary.entries = entries.into_iter().map(|(_, entry)| entry).collect();
    Ok(summary)
}
