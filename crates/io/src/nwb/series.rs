//! Series of samples: what there is, and reading one as a recording.

use chiasm_core::data::{Clock, Recording};
use ndarray::Array2;

use crate::hdf5::{Attribute, File, Kind};
use crate::{Error, Result};

/// About how many samples are converted at a time.
const WINDOW: u64 = 1 << 20;
/// Columns that name regions of interest and electrodes, the first that is there.
const NAMES: [&str; 10] = [
    "name",
    "roi_name",
    "neuron_name",
    "neuron",
    "cell_name",
    "ID_labels",
    "labels",
    "label",
    "channel_name",
    "unit_name",
];

/// What is known of a series before it is read.
#[derive(Clone, Debug, PartialEq)]
pub struct SeriesInfo {
    /// Where it is.
    pub path: String,
    /// Its NWB type, e.g. `ElectricalSeries`.
    pub kind: String,
    /// Its sizes, time first.
    pub shape: Vec<u64>,
    /// The unit its values have once `conversion` and `offset` are applied.
    pub unit: String,
    /// Samples per second; `None` where each sample has its own timestamp.
    pub rate: Option<f64>,
}

/// A group that says it is a series, but cannot be read as one.
#[derive(Debug)]
pub(super) struct Unusable {
    pub(super) path: String,
    pub(super) kind: String,
    pub(super) reason: String,
}

/// The groups that hold `data` with times, and those that only say so.
pub(super) fn find(file: &File) -> (Vec<SeriesInfo>, Vec<Unusable>) {
    let (mut found, mut unusable) = (Vec::new(), Vec::new());
    let word = |value: Option<&Attribute>| {
        value
            .and_then(Attribute::word)
            .unwrap_or_default()
            .to_string()
    };
    for (path, object) in file.objects() {
        if object.kind != Kind::Group {
            continue;
        }
        let kind = word(object.attributes.get("neurodata_type"));
        let there = |part: &str| file.object(&format!("{path}/{part}")).is_some();
        let start = file.attribute(&format!("{path}/starting_time"), "rate");
        let rate = start.and_then(Attribute::number);
        let data = file.dataset(&format!("{path}/data"));
        let reason = match &data {
            // Images may lie in files of their own.
            Err(_) if there("external_file") => None,
            Err(Error::NotFound { .. }) => Some("it has no data".to_string()),
            Err(error) => Some(error.without(file.name(), &format!("{path}/data"))),
            Ok(_) if rate.is_some() || there("timestamps") => None,
            Ok(_) if there("starting_time") => Some("its starting_time has no rate".to_string()),
            Ok(_) => Some("it has neither a starting_time nor timestamps".to_string()),
        };
        match (reason, data) {
            (Some(reason), _) if kind.ends_with("Series") => unusable.push(Unusable {
                path: path.to_string(),
                kind,
                reason,
            }),
            (None, Ok(data)) => found.push(SeriesInfo {
                path: path.to_string(),
                kind,
                shape: data.shape.clone(),
                unit: word(file.attribute(&format!("{path}/data"), "unit")),
                rate,
            }),
            _ => {}
        }
    }
    (found, unusable)
}

/// What keeps a series from being read, as far as a look in bounded time can tell.
pub(super) fn check(file: &File, series: &SeriesInfo) -> Result<()> {
    const MOST_SAMPLES: u64 = 1 << 18;
    const MOST_CHANNELS: u64 = 1 << 12;
    let samples = series.shape.first().copied().unwrap_or(0);
    if samples <= MOST_SAMPLES && !series.shape.is_empty() {
        let clock = clock(file, series, 0, samples)?;
        let rows = usize::try_from(samples).unwrap_or_default();
        let name = format!("{}:{}", file.name(), series.path);
        Recording::new(name, Array2::zeros((rows, 0)), Vec::new(), clock, "")?;
    }
    let sizes = series.shape.iter().skip(1);
    let channels = sizes.fold(1_u64, |product, &size| product.saturating_mul(size));
    let numbers = file.dataset(&format!("{}/data", series.path))?;
    if numbers.element.number().is_some() && channels <= MOST_CHANNELS {
        read(file, series, 0, 1)?;
    }
    Ok(())
}

pub(super) fn read(file: &File, series: &SeriesInfo, start: u64, count: u64) -> Result<Recording> {
    let path = &series.path;
    let data = format!("{path}/data");
    let too_large = || Error::malformed(file.name(), data.as_str(), "declares an impossible shape");
    let Some(&samples) = series.shape.first() else {
        return Err(Error::malformed(
            file.name(),
            data,
            "a single number, not a series",
        ));
    };
    let start = start.min(samples);
    let stop = start.saturating_add(count).min(samples);
    let channels = series.shape[1..]
        .iter()
        .try_fold(1_u64, |product, &size| product.checked_mul(size));
    let channels = channels.ok_or_else(too_large)?;
    let width = usize::try_from(channels).map_err(|_| too_large())?;
    let names = channel_names(file, series, width, samples)?;

    let number = |name: &str, default: f64| {
        file.attribute(&data, name)
            .and_then(Attribute::number)
            .unwrap_or(default)
    };
    let (conversion, offset) = (number("conversion", 1.0), number("offset", 0.0));
    let own = format!("{path}/channel_conversion");
    let factors: Vec<f64> = match file.object(&own) {
        Some(_) => {
            let factors: Vec<f64> = file.read_rows(&own, 0, u64::MAX)?;
            if factors.len() != width {
                let reason = format!("has {} factors for {width} channels", factors.len());
                return Err(Error::malformed(file.name(), own, reason));
            }
            factors.iter().map(|factor| factor * conversion).collect()
        }
        None => vec![conversion; width],
    };

    let clock = clock(file, series, start, stop)?;
    let mut values: Vec<f32> = Vec::new();
    let step = (WINDOW / channels.max(1)).max(1);
    let mut at = start;
    while at < stop {
        let rows: Vec<f64> = file.read_rows(&data, at, step.min(stop - at))?;
        for row in rows.chunks_exact(width.max(1)) {
            values.extend(
                row.iter()
                    .zip(&factors)
                    .map(|(value, factor)| (value * factor + offset) as f32),
            );
        }
        at = at.saturating_add(step);
    }
    let shape = (
        usize::try_from(stop - start).map_err(|_| too_large())?,
        width,
    );
    let values = Array2::from_shape_vec(shape, values).map_err(|_| too_large())?;
    let name = format!("{}:{path}", file.name());
    Ok(Recording::new(
        name,
        values,
        names,
        clock,
        series.unit.clone(),
    )?)
}

fn clock(file: &File, series: &SeriesInfo, start: u64, stop: u64) -> Result<Clock> {
    let path = &series.path;
    if let Some(rate) = series.rate {
        if !(rate.is_finite() && rate > 0.0) {
            return Err(Error::malformed(
                file.name(),
                format!("{path}/starting_time"),
                format!("a rate of {rate}; samples per second are positive"),
            ));
        }
        let first: Vec<f64> = file.read_rows(&format!("{path}/starting_time"), 0, 1)?;
        let Some(first) = first.first() else {
            return Err(Error::malformed(
                file.name(),
                format!("{path}/starting_time"),
                "is empty",
            ));
        };
        return Ok(Clock::Regular {
            start: first + start as f64 / rate,
            rate,
        });
    }
    let timestamps = format!("{path}/timestamps");
    let shape = &file.dataset(&timestamps)?.shape;
    if shape[..] != series.shape[..1] {
        let reason = format!(
            "has shape {shape:?}, but there are {} samples",
            series.shape[0]
        );
        return Err(Error::malformed(file.name(), timestamps, reason));
    }
    Ok(Clock::Irregular(file.read_rows(
        &timestamps,
        start,
        stop - start,
    )?))
}

/// Names of the channels: from the table of regions or electrodes, else by number.
fn channel_names(
    file: &File,
    series: &SeriesInfo,
    width: usize,
    samples: u64,
) -> Result<Vec<String>> {
    let path = &series.path;
    for region in ["rois", "electrodes"] {
        let region = format!("{path}/{region}");
        if file.object(&region).is_none() {
            continue;
        }
        let rows: Vec<u64> = file.read_rows(&region, 0, u64::MAX)?;
        if rows.len() != width {
            let hint = if rows.len() as u64 == samples {
                ": it seems to be stored channel by channel, time must come first"
            } else {
                ""
            };
            let reason = format!(
                "has {} rows, but the data has {width} channels{hint}",
                rows.len()
            );
            return Err(Error::malformed(file.name(), region, reason));
        }
        let Some(Attribute::Object(table)) = file.attribute(&region, "table") else {
            return Ok(rows.iter().map(u64::to_string).collect());
        };
        return rows_names(file, &region, table, &rows);
    }
    let name = path.rsplit('/').next().unwrap_or(path);
    Ok(match width {
        1 => vec![name.to_string()],
        _ => (0..width).map(|channel| channel.to_string()).collect(),
    })
}

fn rows_names(file: &File, region: &str, path: &str, rows: &[u64]) -> Result<Vec<String>> {
    // Masks and other large columns are not wanted, so the table is not read as a whole.
    let ids: Vec<i64> = file.read_rows(&format!("{path}/id"), 0, u64::MAX)?;
    let mut words = None;
    for name in NAMES {
        let column = format!("{path}/{name}");
        let plain = file.dataset(&column).is_ok_and(|dataset| {
            dataset.element.is_words() && dataset.shape[..] == [ids.len() as u64]
        });
        if plain {
            words = Some(file.read_words(&column)?);
            break;
        }
    }
    let mut names = Vec::with_capacity(rows.len());
    for (channel, &row) in rows.iter().enumerate() {
        let place = usize::try_from(row).ok();
        let Some((row, id)) = place.and_then(|row| Some((row, ids.get(row)?))) else {
            let reason = format!(
                "channel {channel} is row {row} of {path}, which has {}",
                ids.len()
            );
            return Err(Error::malformed(file.name(), region, reason));
        };
        let word = words
            .as_ref()
            .map(|words| &words[row])
            .filter(|word| !word.is_empty());
        names.push(word.map_or_else(|| id.to_string(), String::clone));
    }
    Ok(names)
}
