//! A small writer of well-formed markup, for SVG and HTML alike. Elements close in the order they
//! were opened and every text and attribute is escaped, so that hostile names stay text.

use std::fmt::Write;

/// The value of an attribute.
#[derive(Clone, Debug)]
pub(crate) enum Value<'a> {
    Text(&'a str),
    Owned(String),
    Number(f64),
}

impl<'a> From<&'a str> for Value<'a> {
    fn from(text: &'a str) -> Self {
        Value::Text(text)
    }
}

impl<'a> From<&'a String> for Value<'a> {
    fn from(text: &'a String) -> Self {
        Value::Text(text)
    }
}

impl From<String> for Value<'_> {
    fn from(text: String) -> Self {
        Value::Owned(text)
    }
}

impl From<f64> for Value<'_> {
    fn from(number: f64) -> Self {
        Value::Number(number)
    }
}

/// Attributes of an element: `attributes!["class" => "dot", "x" => 3.0]`.
macro_rules! attributes {
    ($($name:literal => $value:expr),* $(,)?) => {
        &[$(($name, $crate::markup::Value::from($value))),*]
    };
}
pub(crate) use attributes;

pub(crate) type Attributes<'a> = &'a [(&'static str, Value<'a>)];

/// Markup as it grows.
#[derive(Clone, Debug, Default)]
pub(crate) struct Markup {
    text: String,
    open: Vec<&'static str>,
}

impl Markup {
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// Starts an element; what follows until [`Markup::close`] is inside it.
    pub(crate) fn open(&mut self, tag: &'static str, attributes: Attributes<'_>) {
        self.start(tag, attributes);
        self.text.push('>');
        self.open.push(tag);
    }

    /// Ends the element that was opened last.
    pub(crate) fn close(&mut self) {
        if let Some(tag) = self.open.pop() {
            self.text.push_str("</");
            self.text.push_str(tag);
            self.text.push('>');
            // Blocks end their line, so that a person can read the source; inside a line a break
            // would show as a space.
            if !matches!(
                tag,
                "a" | "span" | "b" | "strong" | "code" | "tspan" | "small"
            ) {
                self.text.push('\n');
            }
        }
    }

    /// An element without content.
    pub(crate) fn empty(&mut self, tag: &'static str, attributes: Attributes<'_>) {
        self.start(tag, attributes);
        self.text.push_str("/>\n");
    }

    /// An element with text only.
    pub(crate) fn leaf(&mut self, tag: &'static str, attributes: Attributes<'_>, text: &str) {
        self.open(tag, attributes);
        self.text(text);
        self.close();
    }

    /// Escaped text.
    pub(crate) fn text(&mut self, text: &str) {
        escape_into(&mut self.text, text);
    }

    /// Markup made elsewhere in this crate, as it is.
    pub(crate) fn raw(&mut self, markup: &str) {
        self.text.push_str(markup);
    }

    /// Closes what is open and returns all.
    pub(crate) fn finish(mut self) -> String {
        while !self.open.is_empty() {
            self.close();
        }
        self.text
    }

    fn start(&mut self, tag: &'static str, attributes: Attributes<'_>) {
        self.text.push('<');
        self.text.push_str(tag);
        for (name, value) in attributes {
            // An empty class is the same as none.
            if matches!((*name, value), ("class", Value::Text(""))) {
                continue;
            }
            self.text.push(' ');
            self.text.push_str(name);
            self.text.push_str("=\"");
            match value {
                Value::Text(text) => escape_into(&mut self.text, text),
                Value::Owned(text) => escape_into(&mut self.text, text),
                Value::Number(number) => write_coordinate(&mut self.text, *number),
            }
            self.text.push('"');
        }
    }
}

/// A coordinate to a hundredth of a pixel, as short as it can be written.
pub(crate) fn write_coordinate(out: &mut String, number: f64) {
    let start = out.len();
    // Writing to a string cannot fail.
    let _ = write!(out, "{number:.2}");
    if out[start..].contains('.') {
        let kept = out.trim_end_matches('0').trim_end_matches('.').len();
        out.truncate(kept.max(start));
    }
    if &out[start..] == "-0" {
        out.replace_range(start.., "0");
    }
}

/// Escapes what has a meaning in HTML or XML and replaces what XML cannot hold.
fn escape_into(out: &mut String, text: &str) {
    for character in text.chars() {
        match character {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            '\t' | '\n' => out.push(character),
            // Control characters, and those that turn the direction of the text around them.
            '\u{0}'..='\u{1f}'
            | '\u{7f}'..='\u{9f}'
            | '\u{202a}'..='\u{202e}'
            | '\u{2066}'..='\u{2069}'
            | '\u{fffe}'
            | '\u{ffff}' => out.push('\u{fffd}'),
            other => out.push(other),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hostile_text_stays_text() {
        let mut markup = Markup::new();
        let hostile = "</p><script>alert('1')</script>&\" \u{0}\u{202e}\u{ffff}";
        markup.open("p", attributes!["title" => hostile]);
        markup.text(hostile);
        let page = markup.finish();
        assert!(!page.contains("<script"), "{page}");
        let parsed = roxmltree::Document::parse(&page).unwrap();
        let kept = "</p><script>alert('1')</script>&\" \u{fffd}\u{fffd}\u{fffd}";
        assert_eq!(parsed.root_element().text(), Some(kept));
        assert_eq!(parsed.root_element().attribute("title"), Some(kept));
    }

    #[test]
    fn coordinates_are_short_and_never_minus_zero() {
        for (number, expected) in [
            (0.0, "0"),
            (-0.001, "0"),
            (10.0, "10"),
            (-2.5, "-2.5"),
            (1.256, "1.26"),
            (100.0, "100"),
        ] {
            let mut out = "x".to_string();
            write_coordinate(&mut out, number);
            assert_eq!(out, format!("x{expected}"));
        }
    }

    #[test]
    fn what_is_left_open_is_closed_in_order() {
        let mut markup = Markup::new();
        markup.open("svg", attributes!["width" => 3.0]);
        markup.open("g", &[]);
        markup.empty("path", attributes!["d" => "M0 0"]);
        assert_eq!(
            markup.finish(),
            "<svg width=\"3\"><g><path d=\"M0 0\"/>\n</g>\n</svg>\n"
        );
    }
}
