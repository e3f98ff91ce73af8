//! Tables: real ones, with captions and headings, each in a container of its own that scrolls.

use chiasm_core::evidence::{DataSource, DataUsed, ResultTable};

use super::section::Writer;
use crate::markup::attributes;
use crate::plots::{Cell, ValueTable};

/// Longer tables are shown in part; the file that can be saved has all.
const MOST_CELLS: usize = 4_000;
/// Tables beyond that do not come as a file either.
const MOST_SAVED_CELLS: usize = 200_000;

impl Writer {
    /// Starts a table with a caption in a container that scrolls by itself.
    pub(super) fn open_table(&mut self, caption_id: &str, caption: &str, class: &str) {
        self.page.open(
            "div",
            attributes!["class" => "scroll", "tabindex" => "0", "role" => "region", "aria-labelledby" => caption_id],
        );
        self.page.open("table", attributes!["class" => class]);
        self.page
            .leaf("caption", attributes!["id" => caption_id], caption);
    }

    pub(super) fn close_table(&mut self) {
        self.page.close();
        self.page.close();
    }

    pub(super) fn head_row(&mut self, columns: &[String]) {
        self.page.open("thead", &[]);
        self.page.open("tr", &[]);
        for column in columns {
            self.page.leaf("th", attributes!["scope" => "col"], column);
        }
        self.page.close();
        self.page.close();
    }
}

/// Writes a study's table below a heading.
pub(super) fn write_result_table(writer: &mut Writer, table: &ResultTable, level: usize) {
    let id = writer.ids.unique(&table.title);
    writer
        .page
        .open("section", attributes!["aria-labelledby" => &id]);
    writer.heading(level, &id, &table.title);
    let caption_id = writer.ids.unique(&format!("{id}-caption"));
    let caption = if table.caption.is_empty() {
        &table.title
    } else {
        &table.caption
    };
    writer.open_table(&caption_id, caption, "results");
    let of_numbers: Vec<bool> = (0..table.columns.len())
        .map(|column| {
            let mut cells = table
                .rows
                .iter()
                .filter_map(|row| row.get(column))
                .peekable();
            column > 0 && cells.peek().is_some() && cells.all(|cell| looks_like_number(cell))
        })
        .collect();
    let class = |column: usize| match of_numbers.get(column) {
        Some(true) => "number",
        _ => "",
    };
    writer.page.open("thead", &[]);
    writer.page.open("tr", &[]);
    for (column, name) in table.columns.iter().enumerate() {
        let attributes = attributes!["scope" => "col", "class" => class(column)];
        writer.page.leaf("th", attributes, name);
    }
    writer.page.close();
    writer.page.close();
    writer.page.open("tbody", &[]);
    for row in &table.rows {
        writer.page.open("tr", &[]);
        for (column, cell) in row.iter().enumerate() {
            if column == 0 {
                writer.page.leaf("th", attributes!["scope" => "row"], cell);
            } else {
                writer
                    .page
                    .leaf("td", attributes!["class" => class(column)], cell);
            }
        }
        writer.page.close();
    }
    writer.page.close();
    writer.close_table();
    writer.page.close();
}

/// Whether a cell should be aligned as a number: it starts as one.
fn looks_like_number(cell: &str) -> bool {
    cell.trim_start_matches(['-', '−', '+', '±', '<', '>', '≤', '≥', '[', ' '])
        .starts_with(|c: char| c.is_ascii_digit())
}

/// Writes the numbers behind a figure, with a link that saves them all as a file.
pub(super) fn write_value_table(writer: &mut Writer, table: &ValueTable, file: &str) {
    let width = table.columns.len().max(1);
    let most_columns = width.min(102);
    let most_rows = (MOST_CELLS / most_columns).max(1);
    let cells = width * table.rows.len();
    let cut = table.rows.len() > most_rows || width > most_columns;
    let saved = cells <= MOST_SAVED_CELLS;
    let mut caption = table.caption.clone();
    if cut {
        caption.push_str(&format!(
            " (first {} of {} rows",
            most_rows.min(table.rows.len()),
            table.rows.len()
        ));
        if width > most_columns {
            caption.push_str(&format!(" and first {most_columns} of {width} columns"));
        }
        caption.push_str(if saved { "; the file has all)" } else { ")" });
    }
    let caption_id = writer.ids.unique(&format!("{file}-caption"));
    writer.open_table(&caption_id, &caption, "values");
    writer.head_row(&table.columns[..most_columns.min(table.columns.len())]);
    writer.page.open("tbody", &[]);
    for row in table.rows.iter().take(most_rows) {
        writer.page.open("tr", &[]);
        for (column, cell) in row.iter().take(most_columns).enumerate() {
            let short = cell.short();
            match (column, cell) {
                (0, _) => writer
                    .page
                    .leaf("th", attributes!["scope" => "row"], &short),
                (_, Cell::Text(_)) => {
                    writer
                        .page
                        .leaf("td", attributes!["class" => "words"], &short)
                }
                // Numbers are most of a page, so their look is the table's own.
                _ => writer.page.leaf("td", &[], &short),
            }
        }
        writer.page.close();
    }
    writer.page.close();
    writer.close_table();
    if saved {
        writer.page.open("p", attributes!["class" => "save"]);
        writer.page.leaf(
            "a",
            attributes!["download" => format!("{file}.csv"), "href" => csv_address(table)],
            &format!("Save {} as CSV, all digits", table.caption),
        );
        writer.page.close();
    }
}

/// A table as a CSV file in a `data:` address.
fn csv_address(table: &ValueTable) -> String {
    let mut csv = String::new();
    let mut line = |cells: Vec<String>| {
        csv.push_str(&cells.join(","));
        csv.push_str("\r\n");
    };
    line(table.columns.iter().map(|name| csv_text(name)).collect());
    for row in &table.rows {
        let cells = row.iter().map(|cell| match cell {
            Cell::Text(text) => csv_text(text),
            Cell::Number(number) => number.to_string(),
            Cell::Empty => String::new(),
        });
        line(cells.collect());
    }
    let mut address = String::from("data:text/csv;charset=utf-8,");
    for byte in csv.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b',' | b'.' | b'-' | b'_' => {
                address.push(char::from(byte));
            }
            other => address.push_str(&format!("%{other:02X}")),
        }
    }
    address
}

/// Quotes a name. One that a spreadsheet would take for a formula gets an apostrophe.
fn csv_text(text: &str) -> String {
    let guard = if text.starts_with(['=', '+', '-', '@']) {
        "'"
    } else {
        ""
    };
    format!("\"{guard}{}\"", text.replace('"', "\"\""))
}

/// Writes which data was used, with checksums.
pub(super) fn write_data(writer: &mut Writer, data: &[DataUsed]) {
    let caption_id = writer.ids.unique("data-caption");
    writer.open_table(&caption_id, "Data this run used", "data-used");
    writer.head_row(&["Name", "Source", "SHA-256"].map(String::from));
    writer.page.open("tbody", &[]);
    for used in data {
        writer.page.open("tr", &[]);
        writer
            .page
            .leaf("th", attributes!["scope" => "row"], &used.name);
        let source = match used.source {
            DataSource::Bundled => "bundled with Chiasm",
            DataSource::Package => "from a public package",
            DataSource::Simulated => "simulated, ground truth known",
            DataSource::File => "a file of yours",
        };
        writer.page.leaf("td", &[], source);
        writer.page.open("td", &[]);
        match &used.sha256 {
            Some(sum) => writer
                .page
                .leaf("code", attributes!["class" => "checksum"], sum),
            None => writer.page.text("none: made from the seed"),
        }
        writer.page.close();
        writer.page.close();
    }
    writer.page.close();
    writer.close_table();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_saved_file_has_every_digit_and_no_formula() {
        let table = ValueTable {
            caption: String::new(),
            columns: vec!["na\"me".into(), "x".into()],
            rows: vec![
                vec![Cell::Text("=1+1".into()), Cell::Number(0.1 + 0.2)],
                vec![Cell::Text("b".into()), Cell::Empty],
            ],
        };
        assert_eq!(
            csv_address(&table),
            "data:text/csv;charset=utf-8,%22na%22%22me%22,%22x%22%0D%0A\
             %22%27%3D1%2B1%22,0.30000000000000004%0D%0A%22b%22,%0D%0A"
        );
    }

    #[test]
    fn numbers_in_text_cells_are_seen() {
        for cell in ["12", "−0.5", "< 0.001", "3.2 ± 0.1", "[−1, 2]"] {
            assert!(looks_like_number(cell), "{cell}");
        }
        for cell in ["", "none", "-", "a 3"] {
            assert!(!looks_like_number(cell), "{cell}");
        }
    }
}
