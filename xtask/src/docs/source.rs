//! Reading doc comments out of source files.

use std::fs;
use std::path::{Path, PathBuf};

use crate::Outcome;

/// A public item with its doc comment.
pub(super) struct Item {
    /// `struct`, `fn`, …
    pub(super) kind: String,
    /// Its name.
    pub(super) name: String,
    /// The first paragraph of its doc comment, on one line.
    pub(super) summary: String,
}

/// The module's own doc comment.
pub(super) fn module_doc(source: &str) -> String {
    let lines = source.lines().map_while(|line| line.strip_prefix("//!"));
    let text: Vec<&str> = lines
        .map(|line| line.strip_prefix(' ').unwrap_or(line))
        .collect();
    text.join("\n").trim().to_string()
}

/// Public items at the top level of a file, in order.
pub(super) fn public_items(source: &str) -> Vec<Item> {
    let mut items = Vec::new();
    let mut doc: Vec<&str> = Vec::new();
    for line in source.lines() {
        if let Some(text) = line.strip_prefix("///") {
            doc.push(text.strip_prefix(' ').unwrap_or(text));
        } else if line.starts_with("#[") || line.starts_with(')') || line.starts_with("    ") {
            // Attributes, also those over several lines, stand between a comment and its item.
        } else {
            if let Some((kind, name)) = declaration(line) {
                items.push(Item {
                    kind,
                    name,
                    summary: first_paragraph(&doc),
                });
            }
            doc.clear();
        }
    }
    items
}

fn declaration(line: &str) -> Option<(String, String)> {
    let rest = line.strip_prefix("pub ")?;
    let rest = rest
        .strip_prefix("const fn ")
        .map_or(rest.to_string(), |rest| format!("fn {rest}"));
    let (kind, rest) = rest.split_once(' ')?;
    if !["struct", "enum", "trait", "fn", "type", "static", "const"].contains(&kind) {
        return None;
    }
    let name: String = rest
        .chars()
        .take_while(|c| c.is_alphanumeric() || *c == '_')
        .collect();
    Some((kind.to_string(), name))
}

fn first_paragraph(doc: &[&str]) -> String {
    let lines = doc.iter().take_while(|line| !line.trim().is_empty());
    lines.map(|line| line.trim()).collect::<Vec<_>>().join(" ")
}

/// Files with an extension below a folder, sorted; none where the folder is not there.
pub(super) fn files_below(folder: &Path, extension: &str) -> Outcome<Vec<PathBuf>> {
    let mut found = Vec::new();
    let mut waiting = vec![folder.to_path_buf()];
    while let Some(folder) = waiting.pop() {
        let Ok(entries) = fs::read_dir(&folder) else {
            continue;
        };
        for entry in entries {
            let path = entry
                .map_err(|error| format!("{}: {error}", folder.display()))?
                .path();
            if path.is_dir() {
                waiting.push(path);
            } else if path.extension().is_some_and(|own| own == extension) {
                found.push(path);
            }
        }
    }
    found.sort();
    Ok(found)
}

/// The whole of a source file.
pub(super) fn read(path: &Path) -> Outcome<String> {
    fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))
}
