//! Sections of a page and what stands in them.

use chiasm_core::evidence::{ClaimResult, DataUsed, Figure, NotTested, ResultTable};

use super::ids::Ids;
use super::tables::{write_data, write_result_table};
use super::verdicts::{Tally, write_counts};
use super::{claims, figures};
use crate::markup::{Markup, attributes};

/// A part of a page with a heading: paragraphs, notes, facts, claims, figures, tables, sources and
/// smaller sections, in the order they were added.
#[derive(Clone, Debug)]
pub struct Section {
    title: String,
    blocks: Vec<Block>,
}

#[derive(Clone, Debug)]
enum Block {
    Text(String),
    Link {
        text: String,
        address: String,
    },
    Note(String),
    Facts(Vec<(String, String)>),
    Claims {
        claims: Vec<ClaimResult>,
        not_tested: Vec<NotTested>,
        seeds: Vec<u64>,
    },
    Figure(Box<Figure>),
    Table(ResultTable),
    Data(Vec<DataUsed>),
    Source {
        label: String,
        text: String,
    },
    Studies(Vec<StudyRow>),
    Section(Section),
}

/// A row of the overview of studies.
#[derive(Clone, Debug)]
pub(crate) struct StudyRow {
    pub(crate) title: String,
    pub(crate) address: String,
    pub(crate) family: String,
    pub(crate) tally: Tally,
    pub(crate) time: String,
}

impl Section {
    /// An empty section.
    pub fn new(title: impl Into<String>) -> Self {
        Section {
            title: title.into(),
            blocks: Vec::new(),
        }
    }

    pub(crate) fn title(&self) -> &str {
        &self.title
    }

    fn with(mut self, block: Block) -> Self {
        self.blocks.push(block);
        self
    }

    /// Adds a paragraph.
    pub fn text(self, text: impl Into<String>) -> Self {
        self.with(Block::Text(text.into()))
    }

    /// Adds a link to another file, by its path relative to the page.
    pub fn link(self, text: impl Into<String>, address: impl Into<String>) -> Self {
        self.with(Block::Link {
            text: text.into(),
            address: address.into(),
        })
    }

    /// Adds a thing that the reader should not miss.
    pub fn note(self, text: impl Into<String>) -> Self {
        self.with(Block::Note(text.into()))
    }

    /// Adds names with what they stand for.
    pub fn facts<Name: Into<String>, Fact: Into<String>>(
        self,
        facts: impl IntoIterator<Item = (Name, Fact)>,
    ) -> Self {
        self.with(Block::Facts(
            facts
                .into_iter()
                .map(|(name, fact)| (name.into(), fact.into()))
                .collect(),
        ))
    }

    /// Adds claims with their evidence, and those that were not tested. `seeds` name the values of
    /// each claim.
    pub fn claims(self, claims: &[ClaimResult], not_tested: &[NotTested], seeds: &[u64]) -> Self {
        self.with(Block::Claims {
            claims: claims.to_vec(),
            not_tested: not_tested.to_vec(),
            seeds: seeds.to_vec(),
        })
    }

    /// Adds a figure with its title, caption and table of values.
    pub fn figure(self, figure: &Figure) -> Self {
        self.with(Block::Figure(Box::new(figure.clone())))
    }

    /// Adds a table.
    pub fn table(self, table: &ResultTable) -> Self {
        self.with(Block::Table(table.clone()))
    }

    /// Adds the data that was used, with checksums.
    pub fn data(self, data: &[DataUsed]) -> Self {
        self.with(Block::Data(data.to_vec()))
    }

    /// Adds text that is shown as it is in a file, e.g. a configuration.
    pub fn source(self, label: impl Into<String>, text: impl Into<String>) -> Self {
        self.with(Block::Source {
            label: label.into(),
            text: text.into(),
        })
    }

    /// Adds a smaller section.
    pub fn section(self, section: Section) -> Self {
        self.with(Block::Section(section))
    }

    pub(crate) fn studies(self, rows: Vec<StudyRow>) -> Self {
        self.with(Block::Studies(rows))
    }
}

/// The content of a page as it grows.
#[derive(Debug)]
pub(super) struct Writer {
    pub(super) ids: Ids,
    pub(super) page: Markup,
}

impl Writer {
    pub(super) fn new(ids: Ids) -> Self {
        Writer {
            ids,
            page: Markup::new(),
        }
    }

    pub(super) fn finish(self) -> String {
        self.page.finish()
    }

    /// Writes a section whose heading has id `id` and is of level `level`.
    pub(super) fn section(&mut self, section: &Section, id: &str, level: usize) {
        self.page
            .open("section", attributes!["aria-labelledby" => id]);
        self.heading(level, id, &section.title);
        let mut blocks = section.blocks.iter().peekable();
        while let Some(block) = blocks.next() {
            match block {
                Block::Note(first) => {
                    let mut notes = vec![first];
                    while let Some(Block::Note(next)) = blocks.peek() {
                        notes.push(next);
                        blocks.next();
                    }
                    self.page.open("ul", attributes!["class" => "notes"]);
                    for note in notes {
                        self.page.leaf("li", &[], note);
                    }
                    self.page.close();
                }
                other => self.block(other, level + 1),
            }
        }
        self.page.close();
    }

    fn block(&mut self, block: &Block, level: usize) {
        match block {
            Block::Text(text) | Block::Note(text) => self.page.leaf("p", &[], text),
            Block::Link { text, address } => {
                self.page.open("p", &[]);
                self.page
                    .leaf("a", attributes!["href" => file_address(address)], text);
                self.page.close();
            }
            Block::Facts(facts) => {
                self.page.open("dl", attributes!["class" => "facts"]);
                for (name, fact) in facts {
                    self.page.open("div", &[]);
                    self.page.leaf("dt", &[], name);
                    self.page.leaf("dd", &[], fact);
                    self.page.close();
                }
                self.page.close();
            }
            Block::Claims {
                claims,
                not_tested,
                seeds,
            } => claims::write(self, claims, not_tested, seeds, level),
            Block::Figure(figure) => figures::write(self, figure, level),
            Block::Table(table) => write_result_table(self, table, level),
            Block::Data(data) => write_data(self, data),
            Block::Source { label, text } => {
                self.page.open(
                    "pre",
                    attributes!["tabindex" => "0", "role" => "region", "aria-label" => label],
                );
                self.page.leaf("code", &[], text);
                self.page.close();
            }
            Block::Studies(rows) => self.studies(rows),
            Block::Section(section) => {
                let id = self.ids.unique(&section.title);
                self.section(section, &id, level);
            }
        }
    }

    /// A heading; levels below the sixth do not exist in HTML.
    pub(super) fn heading(&mut self, level: usize, id: &str, text: &str) {
        let tag = match level {
            0..=2 => "h2",
            3 => "h3",
            4 => "h4",
            5 => "h5",
            _ => "h6",
        };
        self.page.leaf(tag, attributes!["id" => id], text);
    }

    fn studies(&mut self, rows: &[StudyRow]) {
        let caption = self.ids.unique("overview-caption");
        self.open_table(
            &caption,
            "Every study of this run and how its claims fared",
            "overview",
        );
        self.head_row(&["Study", "Family", "Claims", "Time"].map(String::from));
        self.page.open("tbody", &[]);
        for row in rows {
            self.page.open("tr", &[]);
            self.page.open("th", attributes!["scope" => "row"]);
            self.page.leaf(
                "a",
                attributes!["href" => file_address(&row.address)],
                &row.title,
            );
            self.page.close();
            self.page.leaf("td", &[], &row.family);
            self.page.open("td", &[]);
            write_counts(&mut self.page, &row.tally);
            self.page.close();
            self.page
                .leaf("td", attributes!["class" => "number"], &row.time);
            self.page.close();
        }
        self.page.close();
        self.close_table();
    }
}

/// A relative path as an address: without a scheme, so that it can only point to a file.
fn file_address(path: &str) -> String {
    let mut address = String::new();
    for byte in path.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'/' | b'-' | b'_' | b'.' | b'~' => {
                address.push(char::from(byte));
            }
            other => address.push_str(&format!("%{other:02X}")),
        }
    }
    address
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_cannot_carry_a_scheme() {
        assert_eq!(file_address("trsa/report.html"), "trsa/report.html");
        assert_eq!(
            file_address("javascript:alert(1)"),
            "javascript%3Aalert%281%29"
        );
    }
}
