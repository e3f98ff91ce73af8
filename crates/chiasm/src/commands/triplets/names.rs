//! Names of images from a table.

use std::collections::HashMap;
use std::path::Path;

use chiasm_core::data::Column;
use chiasm_io::csv::{Options, read_table};

use super::wrong;
use crate::failure::Outcome;

/// Headings under which names stand, where a table has several columns.
const HEADINGS: [&str; 6] = ["name", "names", "file", "files", "image", "filename"];

/// One name an image, all different. A first row more than there are images is a heading.
pub(super) fn read(path: &Path, images: usize) -> Outcome<Vec<String>> {
    // A list of file names has no numbers by which a heading could be told from them: the count tells.
    let options = Options {
        header: Some(false),
        ..Default::default()
    };
    let table = read_table(path, &options)?;
    let columns: Vec<Vec<String>> = table
        .columns()
        .iter()
        .map(|(_, column)| words(column))
        .collect();
    let is_heading = |text: &String| HEADINGS.contains(&text.to_lowercase().as_str());
    let named = columns
        .iter()
        .position(|column| column.first().is_some_and(is_heading));
    let mut names = columns
        .into_iter()
        .nth(named.unwrap_or(0))
        .unwrap_or_default();
    if names.len() == images + 1 {
        names.remove(0);
    }
    if names.len() != images {
        return Err(wrong(
            path,
            format!("{} names for {images} images", names.len()),
        ));
    }
    let mut seen = HashMap::new();
    for (image, name) in names.iter().enumerate() {
        if name.is_empty() {
            return Err(wrong(path, format!("image {image} has no name")));
        }
        if let Some(other) = seen.insert(name, image) {
            return Err(wrong(
                path,
                format!("images {other} and {image} are both called {name:?}"),
            ));
        }
    }
    Ok(names)
}

/// The cells of a column as they would be written.
pub(super) fn words(column: &Column) -> Vec<String> {
    match column {
        Column::Words(words) => words.clone(),
        Column::Numbers(numbers) => numbers
            .iter()
            .map(|number| {
                if number.is_nan() {
                    String::new()
                } else {
                    number.to_string()
                }
            })
            .collect(),
    }
}
