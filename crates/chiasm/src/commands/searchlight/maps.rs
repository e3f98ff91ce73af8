//! What `chiasm searchlight` leaves and prints.

use std::path::Path;

use chiasm_core::Error;
use chiasm_core::data::Volume;
use chiasm_core::evidence::DataUsed;
use chiasm_core::run::write_atomically;
use chiasm_io::nifti::{Mask, write_volume};
use chiasm_numerics::similarity::searchlight::{SearchlightMaps, SearchlightSettings};
use chiasm_report::format_number;
use ndarray::{ArrayD, ArrayView1, IxDyn};
use serde::Serialize;

use crate::failure::{Failure, Outcome};
use crate::terminal::TextTable;

/// `searchlight.json`.
#[derive(Serialize)]
pub(super) struct Summary {
    models: Vec<ModelMap>,
    /// Voxels inside the mask.
    centres: usize,
    /// Centres whose sphere had too few voxels.
    too_few_voxels: usize,
    /// Centres where something is undefined, e.g. a constant pattern.
    undefined: usize,
    settings: SearchlightSettings,
    seed: u64,
    files: Vec<DataUsed>,
    version: &'static str,
}

#[derive(Serialize)]
struct ModelMap {
    name: String,
    map: String,
    p_values: Option<String>,
    mean: f64,
    largest: f64,
    /// Voxel indices of the largest value.
    voxel: [usize; 3],
    /// The same in millimetres.
    place: [f64; 3],
    /// The smallest p-value corrected for all centres.
    p: Option<f64>,
    /// The value exceeded somewhere in one shuffled map of twenty.
    threshold: Option<f64>,
    /// Centres with a corrected p-value of at most 0.05.
    significant: Option<usize>,
}

/// Makes the folder, and finds it writable, before anything is computed.
pub(super) fn prepare(folder: &Path) -> Outcome {
    std::fs::create_dir_all(folder).map_err(|source| Error::file(folder, source))?;
    let probe = folder.join(".chiasm-writable");
    std::fs::write(&probe, b"").map_err(|source| Error::file(folder, source))?;
    std::fs::remove_file(&probe).map_err(|source| Error::file(&probe, source))?;
    Ok(())
}

/// Writes maps and, last, `searchlight.json`.
pub(super) fn leave(
    folder: &Path,
    maps: &SearchlightMaps,
    mask: &Mask,
    names: &[String],
    settings: &SearchlightSettings,
    seed: u64,
    files: Vec<DataUsed>,
) -> Outcome<Summary> {
    let mut models = Vec::with_capacity(names.len());
    for (index, name) in names.iter().enumerate() {
        let values = maps.values.row(index);
        let map = format!("{}-{}.nii.gz", index + 1, file_stem(name));
        write_volume(&folder.join(&map), &volume(&map, values, maps, mask))?;
        let mut p_values = None;
        if let Some(p) = &maps.p_values {
            let file = format!("{}-{}-p.nii.gz", index + 1, file_stem(name));
            write_volume(
                &folder.join(&file),
                &volume(&file, p.row(index), maps, mask),
            )?;
            p_values = Some(file);
        }
        models.push(described(index, name, map, p_values, maps, mask)?);
    }
    let summary = Summary {
        models,
        centres: maps.voxels.len(),
        too_few_voxels: maps.too_few,
        undefined: maps.undefined,
        settings: *settings,
        seed,
        files,
        version: env!("CARGO_PKG_VERSION"),
    };
    let json = serde_json::to_string_pretty(&summary)
        .map_err(|error| Failure::System(format!("searchlight.json: {error}")))?;
    write_atomically(&folder.join("searchlight.json"), json.as_bytes())?;
    Ok(summary)
}

fn described(
    index: usize,
    name: &str,
    map: String,
    p_values: Option<String>,
    maps: &SearchlightMaps,
    mask: &Mask,
) -> Outcome<ModelMap> {
    let values = maps.values.row(index);
    let known: Vec<(usize, f64)> = values
        .iter()
        .copied()
        .enumerate()
        .filter(|(_, value)| value.is_finite())
        .collect();
    let Some(&(peak, largest)) = known.iter().max_by(|a, b| a.1.total_cmp(&b.1)) else {
        return Err(Error::Unusable {
            operation: "searchlight",
            reason: format!(
                "no centre has a value for {name}: {} spheres have too few voxels, {} are undefined",
                maps.too_few, maps.undefined
            ),
        }
        .into());
    };
    let voxel = maps.voxels[peak];
    let place = mask.affine.map(|row| {
        row[3]
            + (0..3)
                .map(|axis| row[axis] * voxel[axis] as f64)
                .sum::<f64>()
    });
    let p = maps.p_values.as_ref().map(|p| p.row(index));
    Ok(ModelMap {
        name: name.to_string(),
        map,
        p_values,
        mean: known.iter().map(|(_, value)| value).sum::<f64>() / known.len() as f64,
        largest,
        voxel,
        place,
        p: p.map(|p| p[peak]),
        threshold: maps.thresholds.as_ref().map(|limits| limits[index]),
        significant: p.map(|p| p.iter().filter(|p| **p <= 0.05).count()),
    })
}

/// Values of the mask's voxels in the volume, NaN elsewhere.
fn volume(name: &str, values: ArrayView1<'_, f64>, maps: &SearchlightMaps, mask: &Mask) -> Volume {
    let (x, y, z) = mask.inside.dim();
    let mut filled = ArrayD::from_elem(IxDyn(&[x, y, z]), f32::NAN);
    for (voxel, value) in maps.voxels.iter().zip(values) {
        filled[&voxel[..]] = *value as f32;
    }
    Volume {
        name: name.to_string(),
        values: filled,
        affine: mask.affine,
        voxel_size: mask.voxel_size,
        repetition_time: None,
    }
}

/// A name as part of a file name.
fn file_stem(name: &str) -> String {
    let stem = name.rsplit_once('.').map_or(name, |(stem, _)| stem);
    let plain: String = stem
        .chars()
        .map(|letter| {
            if letter.is_ascii_alphanumeric() {
                letter
            } else {
                '-'
            }
        })
        .take(60)
        .collect();
    if plain.is_empty() {
        "model".to_string()
    } else {
        plain
    }
}

impl Summary {
    /// One line a model.
    pub(super) fn table(&self) -> String {
        let mut table =
            TextTable::new(&["model", "mean", "largest", "at mm", "p", "p <= 0.05", "map"]);
        for model in &self.models {
            let shown = |value: Option<f64>| value.map_or_else(|| "-".to_string(), format_number);
            table.row([
                model.name.clone(),
                format_number(model.mean),
                format_number(model.largest),
                model.place.map(format_number).join(", "),
                shown(model.p),
                model
                    .significant
                    .map_or_else(|| "-".to_string(), |count| format!("{count} centres")),
                model.map.clone(),
            ]);
        }
        let mut text = table.render(120);
        text.push_str(&format!(
            "\n{} centres; {} without enough voxels, {} undefined",
            self.centres, self.too_few_voxels, self.undefined
        ));
        text
    }
}
