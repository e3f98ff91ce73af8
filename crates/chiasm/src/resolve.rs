//! From flags and a configuration file to the resolved configuration of a run.

use std::path::{Path, PathBuf};

use chiasm_core::Error;
use chiasm_core::run::{DataFile, Device, RunConfig, Scale, sha256_of_file};
use chiasm_studies::{STUDIES, Study};
use serde::Deserialize;

use crate::failure::{Failure, Outcome};
use crate::runner::check_threads;
use crate::settings;

/// What a person may write in `--config FILE`: any part of a run's `config.toml`.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct PartialConfig {
    pub(crate) study: Option<String>,
    pub(crate) scale: Option<Scale>,
    pub(crate) seeds: Option<Vec<u64>>,
    pub(crate) device: Option<Device>,
    pub(crate) threads: Option<usize>,
    #[serde(rename = "version")]
    _version: Option<String>,
    #[serde(default)]
    pub(crate) data: Vec<DataFile>,
    #[serde(default)]
    pub(crate) settings: toml::Table,
}

impl PartialConfig {
    /// Reads a configuration file.
    pub(crate) fn read(path: &Path) -> Outcome<Self> {
        let text = std::fs::read_to_string(path).map_err(|source| Error::file(path, source))?;
        toml::from_str(&text).map_err(|error| {
            Failure::Usage(format!(
                "{}: {}",
                path.display(),
                error.to_string().trim_end()
            ))
        })
    }
}

/// What the flags say, before a study's defaults are known.
#[derive(Debug)]
pub(crate) struct Wishes {
    pub(crate) config: PartialConfig,
    pub(crate) scale: Option<Scale>,
    pub(crate) seeds: Option<u64>,
    pub(crate) device: Option<Device>,
    pub(crate) threads: Option<usize>,
    pub(crate) data: Vec<PathBuf>,
    pub(crate) set: Vec<(String, String)>,
}

/// The study called `name`, or an error with the nearest name.
pub(crate) fn find_study(name: &str) -> Outcome<&'static Study> {
    chiasm_studies::find(name).ok_or_else(|| {
        let slugs = STUDIES.iter().map(|study| study.slug);
        let hint = match nearest(name, slugs) {
            Some(slug) => format!("did you mean '{slug}'?"),
            None => "'chiasm studies' lists them all".to_string(),
        };
        Failure::Usage(format!("there is no study '{name}'; {hint}"))
    })
}

/// The resolved configuration of one study. Precedence: the study's defaults at the scale, then the
/// configuration file, then the flags.
pub(crate) fn resolve(study: &Study, wishes: &Wishes) -> Outcome<RunConfig> {
    let file = &wishes.config;
    let scale = wishes.scale.or(file.scale).unwrap_or_default();
    let seeds = match (wishes.seeds, &file.seeds) {
        (Some(count), _) => (0..count).collect(),
        (None, Some(seeds)) => seeds.clone(),
        (None, None) => (0..study.default_seeds(scale)).collect::<Vec<u64>>(),
    };
    check_seeds(&seeds)?;
    let device = wishes.device.or(file.device).unwrap_or_default();
    chiasm_nn::open_device(device)?;
    let threads = match wishes.threads.or(file.threads) {
        Some(count) => {
            check_threads(count)?;
            count
        }
        None => std::thread::available_parallelism().map_or(1, usize::from),
    };
    let data = if wishes.data.is_empty() {
        file.data
            .iter()
            .map(|file| pin(&file.path, file.sha256.as_deref()))
            .collect()
    } else {
        wishes
            .data
            .iter()
            .map(|path| pin(path, None))
            .collect::<Outcome<Vec<_>>>()
    }?;
    if !data.is_empty() && study.data.is_empty() {
        return Err(Failure::Usage(format!(
            "the study {} takes no --data",
            study.slug
        )));
    }
    let mut settings = (study.settings.at)(scale)?;
    settings::merge(study.slug, &mut settings, &file.settings)?;
    for (name, text) in &wishes.set {
        let name = match name.split_once('.') {
            Some((slug, rest)) if slug == study.slug => rest,
            Some((slug, _)) if STUDIES.iter().any(|other| other.slug == slug) => continue,
            _ => name,
        };
        settings::set(study.slug, &mut settings, name, text)?;
    }
    (study.settings.check)(&settings)?;
    Ok(RunConfig {
        study: study.slug.to_string(),
        scale,
        seeds,
        device,
        threads,
        version: env!("CARGO_PKG_VERSION").to_string(),
        data,
        settings,
    })
}

fn check_seeds(seeds: &[u64]) -> Outcome {
    if seeds.is_empty() || seeds.len() > 1000 {
        return Err(Error::setting("seeds", seeds.len(), "between 1 and 1000 of them").into());
    }
    let mut sorted = seeds.to_vec();
    sorted.sort_unstable();
    if sorted.windows(2).any(|pair| pair[0] == pair[1]) {
        let list = format!("{seeds:?}");
        return Err(Error::setting("seeds", list, "all different: repeats fake certainty").into());
    }
    Ok(())
}

/// A data file with its checksum, which must be the `expected` one where there is one.
fn pin(path: &Path, expected: Option<&str>) -> Outcome<DataFile> {
    let meta = std::fs::metadata(path).map_err(|source| Error::file(path, source))?;
    let path = std::path::absolute(path).map_err(|source| Error::file(path, source))?;
    let sha256 = if meta.is_dir() {
        None
    } else {
        Some(sha256_of_file(&path)?)
    };
    match (expected, &sha256) {
        (Some(expected), Some(found)) if expected != found => Err(Failure::Usage(format!(
            "{}: the file changed since the configuration was written (SHA-256 {found}, expected {expected})",
            path.display()
        ))),
        _ => Ok(DataFile { path, sha256 }),
    }
}

/// Fails where a run's data files changed since it began.
pub(crate) fn check_data_unchanged(config: &RunConfig) -> Outcome {
    for file in &config.data {
        pin(&file.path, file.sha256.as_deref())?;
    }
    Ok(())
}

/// The nearest of `names`, if it is near enough to be a slip.
pub(crate) fn nearest<'a>(name: &str, names: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let lower = name.to_lowercase();
    names
        .map(|known| (strsim::jaro_winkler(&lower, known), known))
        .filter(|&(similarity, _)| similarity > 0.75)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, known)| known)
}

/// Splits `key=value`.
pub(crate) fn parse_key_value(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((key, value)) if !key.trim().is_empty() => {
            Ok((key.trim().to_string(), value.trim().to_string()))
        }
        _ => Err("expected key=value, e.g. noise=0.5".to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slips_find_their_name_and_nonsense_does_not() {
        let names = ["trsa", "learned-delays", "active-dendrites"];
        assert_eq!(nearest("trsaa", names.into_iter()), Some("trsa"));
        assert_eq!(
            nearest("Learned-delay", names.into_iter()),
            Some("learned-delays")
        );
        assert_eq!(nearest("zzzz", names.into_iter()), None);
    }
}
