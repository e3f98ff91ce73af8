//! Tables of text.

/// Rows of cells under headings, aligned in columns; the last column wraps.
pub(crate) struct TextTable {
    headings: Vec<String>,
    rows: Vec<Vec<String>>,
}

impl TextTable {
    /// A table with these headings.
    pub(crate) fn new(headings: &[&str]) -> Self {
        TextTable {
            headings: headings.iter().map(|&text| text.into()).collect(),
            rows: vec![],
        }
    }

    /// Adds a row with one cell a heading.
    pub(crate) fn row(&mut self, cells: impl IntoIterator<Item = String>) {
        self.rows.push(
            cells
                .into_iter()
                .map(|cell| cell.replace(['\n', '\r', '\t'], " "))
                .collect(),
        );
    }

    /// The table as text, `width` columns wide where the last column can be wrapped to that.
    pub(crate) fn render(&self, width: usize) -> String {
        let columns = self.headings.len();
        let mut widths: Vec<usize> = self
            .headings
            .iter()
            .map(|cell| cell.chars().count())
            .collect();
        for row in &self.rows {
            for (own, cell) in widths.iter_mut().zip(row) {
                *own = (*own).max(cell.chars().count());
            }
        }
        let before: usize = widths.iter().take(columns - 1).map(|own| own + 2).sum();
        let last = width.saturating_sub(before).max(24);
        let mut text = String::new();
        let rule: Vec<String> = widths
            .iter()
            .enumerate()
            .map(|(index, own)| {
                "─".repeat(if index + 1 == columns {
                    last.min(*own)
                } else {
                    *own
                })
            })
            .collect();
        for row in [&self.headings, &rule].into_iter().chain(&self.rows) {
            let Some((tail, head)) = row.split_last() else {
                continue;
            };
            for (index, line) in wrap(tail, last).into_iter().enumerate() {
                let mut out = String::new();
                for (cell, own) in head.iter().zip(&widths) {
                    let shown = if index == 0 { cell.as_str() } else { "" };
                    out.push_str(&format!("{shown:<own$}  ", own = *own));
                }
                out.push_str(&line);
                text.push_str(out.trim_end());
                text.push('\n');
            }
        }
        text.truncate(text.trim_end().len());
        text
    }
}

/// Lines of at most `width` characters, broken between words.
fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split(' ') {
        let line_length = lines.last().map_or(0, |line| line.chars().count());
        if line_length > 0 && line_length + 1 + word.chars().count() > width {
            lines.push(String::new());
        }
        if let Some(line) = lines.last_mut() {
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(word);
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_align_and_the_last_one_wraps() {
        let mut table = TextTable::new(&["name", "what"]);
        table.row([
            "a".into(),
            "some words that are too many for one line".into(),
        ]);
        table.row(["longer".into(), "few".into()]);
        assert_eq!(
            table.render(32),
            "name    what\n──────  ────────────────────────\na       some words that are too\n        many for one line\nlonger  few"
        );
    }
}
