//! The condition and the run of every volume.

use std::collections::HashMap;
use std::path::Path;

use chiasm_core::Error;

use crate::failure::{Failure, Outcome};

/// Labels are short: a file of more than this is something else.
const LARGEST: u64 = 16 << 20;

/// One entry a volume.
#[derive(Debug)]
pub(super) struct Labels {
    pub(super) conditions: Vec<String>,
    pub(super) runs: Option<Vec<usize>>,
}

/// Reads as many labels as there are volumes; one line more is a heading.
pub(super) fn read(path: &Path, volumes: usize, responses: &Path) -> Outcome<Labels> {
    let size = std::fs::metadata(path)
        .map_err(|source| Error::file(path, source))?
        .len();
    if size > LARGEST {
        return Err(Failure::Usage(format!(
            "{}: {size} bytes is no list of labels",
            path.display()
        )));
    }
    let bytes = std::fs::read(path).map_err(|source| Error::file(path, source))?;
    let text = String::from_utf8(bytes)
        .map_err(|_| Failure::Usage(format!("{}: not text in UTF-8", path.display())))?;
    parse(&text, volumes).map_err(|reason| {
        Failure::Usage(format!(
            "{} for {}: {reason}",
            path.display(),
            responses.display()
        ))
    })
}

fn parse(text: &str, volumes: usize) -> Result<Labels, String> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut lines: Vec<&str> = text.lines().map(str::trim).collect();
    while lines.last().is_some_and(|line| line.is_empty()) {
        lines.pop();
    }
    if lines.len() == volumes + 1 {
        lines.remove(0);
    }
    if lines.len() != volumes {
        return Err(format!("{} label(s) for {volumes} volume(s)", lines.len()));
    }
    let mut conditions = Vec::with_capacity(volumes);
    let mut runs = Vec::with_capacity(volumes);
    let mut numbers: HashMap<&str, usize> = HashMap::new();
    for (at, line) in lines.iter().enumerate() {
        let mut cells = line.split([',', '\t']).map(str::trim);
        let label = cells.next().unwrap_or_default();
        if label.is_empty() {
            return Err(format!("volume {at} has an empty label"));
        }
        conditions.push(label.to_string());
        if let Some(run) = cells.next() {
            let next = numbers.len();
            runs.push(*numbers.entry(run).or_insert(next));
        }
        if cells.next().is_some() {
            return Err(format!(
                "volume {at} has more than a label and a run: {line:?}"
            ));
        }
    }
    if !runs.is_empty() && runs.len() != volumes {
        return Err(format!("{} of {volumes} volumes have a run", runs.len()));
    }
    Ok(Labels {
        conditions,
        runs: (!runs.is_empty()).then_some(runs),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_and_runs_are_read_and_gaps_are_named() {
        let labels = parse("condition,run\nface,a\r\nhouse,a\nface,b\nhouse,b\n\n", 4).unwrap();
        assert_eq!(labels.conditions, ["face", "house", "face", "house"]);
        assert_eq!(labels.runs.unwrap(), [0, 0, 1, 1]);
        assert_eq!(parse("x\ny\n", 2).unwrap().runs, None);
        assert!(parse("x\ny\n", 4).unwrap_err().contains("2 label(s) for 4"));
        assert!(parse("x\n\ny", 3).unwrap_err().contains("volume 1"));
        assert!(parse("x,1\ny", 2).unwrap_err().contains("1 of 2"));
        assert!(parse("x,1,2", 1).unwrap_err().contains("more than"));
    }
}
