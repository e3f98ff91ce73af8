//! A [`Summary`] as plain text.

use std::fmt;

use super::{Entry, Statistics, Summary};
use crate::printable::clean;

/// How many entries are listed.
const ENTRIES_SHOWN: usize = 40;

impl fmt::Display for Summary {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (file, format) = (clean(&self.file), printable(&self.format));
        writeln!(out, "{file}: {format}, {}", size(self.bytes))?;
        let width = self
            .facts
            .iter()
            .map(|(name, _)| printable(name).chars().count())
            .max()
            .unwrap_or(0);
        for (name, value) in &self.facts {
            writeln!(out, "  {:width$}  {}", printable(name), printable(value))?;
        }
        entries(out, &self.entries)?;
        for note in &self.notes {
            writeln!(out, "  - {}", clean(note))?;
        }
        Ok(())
    }
}

/// The entries as a table; columns in which no entry has anything are left out.
fn entries(out: &mut fmt::Formatter<'_>, entries: &[Entry]) -> fmt::Result {
    if entries.is_empty() {
        return Ok(());
    }
    let heads = [
        "name", "shape", "type", "unit", "rate", "min", "mean", "max", "holes",
    ];
    let mut table: Vec<[String; 9]> = vec![heads.map(str::to_string)];
    table.extend(entries.iter().take(ENTRIES_SHOWN).map(cells));
    let mut widths = [0; 9];
    for (column, width) in widths.iter_mut().enumerate() {
        if table[1..].iter().any(|row| !row[column].is_empty()) {
            *width = table
                .iter()
                .map(|row| row[column].chars().count())
                .max()
                .unwrap_or(0);
        }
    }
    for (index, row) in table.iter().enumerate() {
        let mut line = String::new();
        for (cell, &width) in row.iter().zip(&widths).filter(|(_, width)| **width > 0) {
            line.push_str(&format!("  {cell:width$}"));
        }
        writeln!(out, "{}", line.trim_end())?;
        if let Some(entry) = index.checked_sub(1).and_then(|index| entries.get(index)) {
            details(out, entry)?;
        }
    }
    if entries.len() > ENTRIES_SHOWN {
        writeln!(out, "  … and {} more", entries.len() - ENTRIES_SHOWN)?;
    }
    Ok(())
}

fn cells(entry: &Entry) -> [String; 9] {
    let shape: Vec<String> = entry.shape.iter().map(u64::to_string).collect();
    let shape = if shape.is_empty() {
        "scalar".to_string()
    } else {
        shape.join(" x ")
    };
    let found = entry.statistics.as_ref();
    let number = |get: fn(&Statistics) -> Option<f64>| {
        found.and_then(get).map(significant).unwrap_or_default()
    };
    let holes = found.map_or(0, |found| found.nan + found.infinite);
    [
        printable(&entry.name),
        shape,
        printable(&entry.dtype),
        printable(entry.unit.as_deref().unwrap_or_default()),
        entry
            .rate
            .map(|rate| format!("{} Hz", significant(rate)))
            .unwrap_or_default(),
        number(|found| found.min),
        number(|found| found.mean),
        number(|found| found.max),
        if holes > 0 {
            holes.to_string()
        } else {
            String::new()
        },
    ]
}

fn details(out: &mut fmt::Formatter<'_>, entry: &Entry) -> fmt::Result {
    for (name, value) in &entry.facts {
        writeln!(out, "    {}: {}", printable(name), printable(value))?;
    }
    if !entry.labels.is_empty() {
        let labels: Vec<String> = entry.labels.iter().map(|label| printable(label)).collect();
        let more = entry.label_count.saturating_sub(entry.labels.len() as u64);
        let more = if more > 0 {
            format!(", … and {more} more")
        } else {
            String::new()
        };
        writeln!(out, "    {}{more}", labels.join(", "))?;
    }
    if let Some(found) = entry.statistics.as_ref().filter(|found| found.partial) {
        writeln!(
            out,
            "    range and mean of the first {} values",
            found.count
        )?;
    }
    Ok(())
}

/// Text that is safe to show, and not too long.
fn printable(text: &str) -> String {
    const LONGEST: usize = 120;
    let mut shown: String = clean(&text.chars().take(LONGEST).collect::<String>());
    if text.chars().nth(LONGEST).is_some() {
        shown.push('…');
    }
    shown
}

/// A number in six significant digits, without trailing zeros.
pub(super) fn significant(value: f64) -> String {
    if value == 0.0 {
        return "0".to_string();
    }
    let magnitude = value.abs().log10().floor();
    if !(-5.0..15.0).contains(&magnitude) {
        return format!("{value:.5e}");
    }
    // Within -5..15: whole and small.
    let decimals = (5.0 - magnitude).max(0.0) as usize;
    let text = format!("{value:.decimals$}");
    if text.contains('.') {
        text.trim_end_matches('0').trim_end_matches('.').to_string()
    } else {
        text
    }
}

/// A number of bytes in the unit that suits it.
fn size(bytes: u64) -> String {
    let scaled = |unit: f64, name: &str| format!("{:.1} {name}", bytes as f64 / unit);
    match bytes {
        0..10_000 => format!("{bytes} bytes"),
        10_000..1_000_000 => scaled(1e3, "kB"),
        1_000_000..1_000_000_000 => scaled(1e6, "MB"),
        _ => scaled(1e9, "GB"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_cannot_write_on_the_terminal() {
        let name = "a\u{202e}b\u{2066}c\x1b[31md";
        assert_eq!(printable(name), "a\u{fffd}b\u{fffd}c\u{fffd}[31md");
        let mut entry = Entry::new(name, Vec::new(), name);
        entry.facts.push((name.to_string(), name.to_string()));
        let shown = Summary {
            file: name.to_string(),
            format: name.to_string(),
            bytes: 1,
            facts: vec![(name.to_string(), name.to_string())],
            entries: vec![entry],
            notes: vec![name.to_string()],
        };
        let shown = shown.to_string();
        let obeyed = |c| matches!(c, '\x1b' | '\u{202e}' | '\u{2066}');
        assert!(!shown.contains(obeyed), "{shown:?}");
    }

    #[test]
    fn numbers_keep_six_digits() {
        for (value, text) in [
            (0.0, "0"),
            (1.0, "1"),
            (-0.5, "-0.5"),
            (1234567.0, "1234567"),
            (0.000123456789, "0.000123457"),
            (1e-9, "1.00000e-9"),
            (44100.0, "44100"),
        ] {
            assert_eq!(significant(value), text);
        }
    }
}
