//! `cargo xtask docs`: a page a study and a page a method, from their own doc comments.

mod methods;
mod source;
mod studies;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use crate::{Outcome, root};

/// Pages by their path under `docs/`.
type Pages = BTreeMap<String, String>;

/// Folders under `docs/` that hold generated pages only.
const GENERATED: [&str; 2] = ["studies", "methods"];

/// Writes the generated pages and removes those that are no longer made.
pub(crate) fn write() -> Outcome {
    let pages = pages()?;
    for path in existing()? {
        if !pages.contains_key(&path) {
            let path = docs().join(path);
            fs::remove_file(&path).map_err(|error| format!("{}: {error}", path.display()))?;
        }
    }
    for (path, text) in &pages {
        let path = docs().join(path);
        let fail = |error: std::io::Error| format!("{}: {error}", path.display());
        fs::create_dir_all(path.parent().unwrap_or(&path)).map_err(fail)?;
        fs::write(&path, text).map_err(fail)?;
    }
    eprintln!("{} pages written", pages.len());
    Ok(())
}

/// Fails where the pages on disk are not what [`write()`] would write.
pub(crate) fn check() -> Outcome {
    let pages = pages()?;
    let stale: Vec<&String> = pages
        .iter()
        .filter(|(path, text)| fs::read_to_string(docs().join(path)).ok().as_ref() != Some(text))
        .map(|(path, _)| path)
        .collect();
    let left_over: Vec<String> = existing()?
        .into_iter()
        .filter(|path| !pages.contains_key(path))
        .collect();
    if stale.is_empty() && left_over.is_empty() {
        Ok(())
    } else {
        Err(format!(
            "generated pages are not up to date, run 'cargo xtask docs': {stale:?} {left_over:?}"
        ))
    }
}

fn docs() -> PathBuf {
    root().join("docs")
}

fn pages() -> Outcome<Pages> {
    let mut pages = methods::pages(&root())?;
    pages.extend(studies::pages(&root())?);
    Ok(pages)
}

/// Generated pages that are on disk, relative to `docs/`.
fn existing() -> Outcome<Vec<String>> {
    let mut found = Vec::new();
    for folder in GENERATED {
        for path in source::files_below(&docs().join(folder), "md")? {
            found.push(relative(&path, &docs()));
        }
    }
    Ok(found)
}

/// `path` below `base`, with forward slashes.
fn relative(path: &Path, base: &Path) -> String {
    let below = path.strip_prefix(base).unwrap_or(path);
    below
        .components()
        .map(|part| part.as_os_str().to_string_lossy())
        .collect::<Vec<_>>()
        .join("/")
}
