//! A whole page.

use super::ids::Ids;
use super::section::{Section, Writer};
use super::verdicts::{Tally, write_tally};
use crate::markup::{Markup, attributes};
use crate::svg::canvas::FIGURE_STYLE;

/// The rules for everything outside of figures.
const PAGE_STYLE: &str = include_str!("style.css");

/// Nothing is fetched and nothing is run, whatever a name contains.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; img-src data:";

/// A self-contained HTML page: a title, an introduction, sections.
///
/// ```
/// use chiasm_report::{Page, Section};
/// let page = Page::new("Decoding speech")
///     .intro("Accuracy of three decoders on one recording.")
///     .section(Section::new("What to know").note("Two channels were flat."));
/// assert!(page.render().starts_with("<!DOCTYPE html>"));
/// ```
#[derive(Clone, Debug)]
pub struct Page {
    title: String,
    kicker: String,
    intro: Vec<String>,
    tally: Option<Tally>,
    sections: Vec<Section>,
    footer: String,
}

impl Page {
    /// An empty page.
    pub fn new(title: impl Into<String>) -> Self {
        Page {
            title: title.into(),
            kicker: String::new(),
            intro: Vec::new(),
            tally: None,
            sections: Vec::new(),
            footer: String::new(),
        }
    }

    /// The line above the title: where the page belongs.
    pub fn kicker(mut self, text: impl Into<String>) -> Self {
        self.kicker = text.into();
        self
    }

    /// Adds a paragraph below the title.
    pub fn intro(mut self, text: impl Into<String>) -> Self {
        self.intro.push(text.into());
        self
    }

    /// Shows how many claims held, did not hold, and so on.
    pub(crate) fn tally(mut self, tally: Tally) -> Self {
        self.tally = Some(tally);
        self
    }

    /// Adds a section.
    pub fn section(mut self, section: Section) -> Self {
        self.sections.push(section);
        self
    }

    /// The line at the end.
    pub fn footer(mut self, text: impl Into<String>) -> Self {
        self.footer = text.into();
        self
    }

    /// The page as HTML that is also well-formed XML.
    pub fn render(&self) -> String {
        let mut ids = Ids::default();
        let content = ids.unique("content");
        let mut writer = Writer::new(ids);
        let section_ids: Vec<String> = self
            .sections
            .iter()
            .map(|section| writer.ids.unique(section.title()))
            .collect();
        for (section, id) in self.sections.iter().zip(&section_ids) {
            writer.section(section, id, 2);
        }
        let body = writer.finish();

        let mut page = Markup::new();
        page.raw("<!DOCTYPE html>\n");
        page.open("html", attributes!["lang" => "en"]);
        self.head(&mut page);
        page.open("body", &[]);
        let skip = format!("#{content}");
        page.leaf(
            "a",
            attributes!["class" => "skip", "href" => skip],
            "Skip to the content",
        );
        page.open("header", attributes!["class" => "masthead"]);
        if !self.kicker.is_empty() {
            page.leaf("p", attributes!["class" => "kicker"], &self.kicker);
        }
        page.leaf("h1", &[], &self.title);
        for text in &self.intro {
            page.leaf("p", attributes!["class" => "intro"], text);
        }
        if let Some(tally) = &self.tally {
            write_tally(&mut page, tally);
        }
        page.close();
        if self.sections.len() > 2 {
            page.open("nav", attributes!["aria-label" => "Contents"]);
            page.open("ul", &[]);
            for (section, id) in self.sections.iter().zip(&section_ids) {
                page.open("li", &[]);
                page.leaf(
                    "a",
                    attributes!["href" => format!("#{id}")],
                    section.title(),
                );
                page.close();
            }
            page.close();
            page.close();
        }
        page.open("main", attributes!["id" => &content, "tabindex" => "-1"]);
        page.raw(&body);
        page.close();
        if !self.footer.is_empty() {
            page.open("footer", &[]);
            page.leaf("p", &[], &self.footer);
            page.close();
        }
        page.finish()
    }

    fn head(&self, page: &mut Markup) {
        page.open("head", &[]);
        page.empty("meta", attributes!["charset" => "utf-8"]);
        page.empty(
            "meta",
            attributes!["http-equiv" => "Content-Security-Policy", "content" => POLICY],
        );
        page.empty(
            "meta",
            attributes!["name" => "viewport", "content" => "width=device-width, initial-scale=1"],
        );
        page.empty(
            "meta",
            attributes!["name" => "color-scheme", "content" => "light dark"],
        );
        page.leaf("title", &[], &self.title);
        // Without it, a browser asks the server for an icon.
        page.empty("link", attributes!["rel" => "icon", "href" => "data:,"]);
        page.open("style", &[]);
        page.raw(PAGE_STYLE);
        page.raw(FIGURE_STYLE);
        page.close();
        page.close();
    }
}
