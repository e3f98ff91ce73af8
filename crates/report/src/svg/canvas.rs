//! The sheet a figure is drawn on, and its frame: view box, style, title and description.

use crate::markup::{Markup, attributes};
use crate::svg::text::text_width;

/// The rules for everything inside a figure, for light and dark surroundings.
pub(crate) const FIGURE_STYLE: &str = include_str!("figure.css");

/// The two sizes a figure is drawn in: text keeps its size where the picture gets smaller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Size {
    /// For screens, paper and files.
    Wide,
    /// For phones.
    Narrow,
}

impl Size {
    pub(crate) fn width(self) -> f64 {
        match self {
            Size::Wide => 640.0,
            Size::Narrow => 340.0,
        }
    }

    /// Height of the area inside the axes.
    pub(crate) fn plot_height(self) -> f64 {
        match self {
            Size::Wide => 280.0,
            Size::Narrow => 220.0,
        }
    }

    pub(crate) fn font(self) -> f64 {
        match self {
            Size::Wide => 13.0,
            Size::Narrow => 12.0,
        }
    }

    fn class(self) -> &'static str {
        match self {
            Size::Wide => "wide",
            Size::Narrow => "narrow",
        }
    }
}

/// A figure being drawn.
#[derive(Debug)]
pub(crate) struct Canvas {
    pub(crate) size: Size,
    /// Unique within the page; every id inside the figure starts with it.
    pub(crate) id: String,
    pub(crate) height: f64,
    markup: Markup,
}

/// Where text is anchored on its position.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Anchor {
    Start,
    Middle,
    End,
}

impl Anchor {
    fn name(self) -> &'static str {
        match self {
            Anchor::Start => "start",
            Anchor::Middle => "middle",
            Anchor::End => "end",
        }
    }
}

impl Canvas {
    pub(crate) fn new(size: Size, id: impl Into<String>) -> Self {
        Canvas {
            size,
            id: id.into(),
            height: 0.0,
            markup: Markup::new(),
        }
    }

    pub(crate) fn width(&self) -> f64 {
        self.size.width()
    }

    pub(crate) fn font(&self) -> f64 {
        self.size.font()
    }

    /// Height of a line of text.
    pub(crate) fn line_height(&self) -> f64 {
        (self.font() * 1.35).round()
    }

    /// How wide a text will be at most.
    pub(crate) fn text_width(&self, text: &str) -> f64 {
        text_width(text, self.font())
    }

    pub(crate) fn line(&mut self, class: &str, from: [f64; 2], to: [f64; 2]) {
        self.markup.empty(
            "line",
            attributes!["class" => class, "x1" => from[0], "y1" => from[1], "x2" => to[0], "y2" => to[1]],
        );
    }

    pub(crate) fn rect(&mut self, class: &str, corner: [f64; 2], width: f64, height: f64) {
        self.markup.empty(
            "rect",
            attributes!["class" => class, "x" => corner[0], "y" => corner[1], "width" => width.max(0.0), "height" => height.max(0.0)],
        );
    }

    /// A rectangle painted with one of the figure's own patterns or gradients.
    pub(crate) fn painted_rect(&mut self, paint: &str, corner: [f64; 2], width: f64, height: f64) {
        self.markup.empty(
            "rect",
            attributes!["fill" => format!("url(#{paint})"), "x" => corner[0], "y" => corner[1], "width" => width.max(0.0), "height" => height.max(0.0)],
        );
    }

    /// A path; one without a point is left out.
    pub(crate) fn path(&mut self, class: &str, data: &str) {
        if !data.starts_with('M') {
            return;
        }
        self.markup
            .empty("path", attributes!["class" => class, "d" => data]);
    }

    /// A mark that tells its name when pointed at.
    pub(crate) fn titled_path(&mut self, class: &str, data: &str, title: &str) {
        self.markup
            .open("path", attributes!["class" => class, "d" => data]);
        self.markup.leaf("title", &[], title);
        self.markup.close();
    }

    pub(crate) fn text(&mut self, class: &str, at: [f64; 2], anchor: Anchor, text: &str) {
        self.markup.leaf(
            "text",
            attributes!["class" => class, "x" => at[0], "y" => at[1], "text-anchor" => anchor.name()],
            text,
        );
    }

    /// Text turned by `degrees` about its anchor.
    pub(crate) fn turned_text(&mut self, class: &str, at: [f64; 2], degrees: f64, text: &str) {
        let mut transform = String::from("translate(");
        crate::markup::write_coordinate(&mut transform, at[0]);
        transform.push(' ');
        crate::markup::write_coordinate(&mut transform, at[1]);
        transform.push_str(") rotate(");
        crate::markup::write_coordinate(&mut transform, degrees);
        transform.push(')');
        self.markup.leaf(
            "text",
            attributes!["class" => class, "transform" => transform, "text-anchor" => "end"],
            text,
        );
    }

    /// Gives access for the few elements that only one kind of figure has.
    pub(crate) fn markup(&mut self) -> &mut Markup {
        &mut self.markup
    }

    /// The finished picture. `standalone` files carry their own style.
    pub(crate) fn finish(self, title: &str, description: &str, standalone: bool) -> String {
        let mut svg = Markup::new();
        let mut view_box = String::from("0 0 ");
        crate::markup::write_coordinate(&mut view_box, self.size.width());
        view_box.push(' ');
        crate::markup::write_coordinate(&mut view_box, self.height.ceil());
        let title_id = format!("{}-title", self.id);
        let description_id = format!("{}-desc", self.id);
        svg.open(
            "svg",
            attributes![
                "xmlns" => "http://www.w3.org/2000/svg",
                "class" => format!("chiasm-figure {}", self.size.class()),
                "viewBox" => view_box,
                "width" => self.size.width(),
                "height" => self.height.ceil(),
                "font-size" => self.font(),
                "role" => "img",
                "aria-labelledby" => &title_id,
                "aria-describedby" => &description_id,
            ],
        );
        svg.leaf("title", attributes!["id" => &title_id], title);
        svg.leaf("desc", attributes!["id" => &description_id], description);
        if standalone {
            svg.open("style", &[]);
            svg.raw(FIGURE_STYLE);
            svg.close();
            svg.empty(
                "rect",
                attributes!["class" => "sheet", "x" => 0.0, "y" => 0.0, "width" => self.size.width(), "height" => self.height.ceil()],
            );
        }
        svg.raw(&self.markup.finish());
        svg.finish()
    }
}

#[cfg(test)]
mod tests {
    use super::FIGURE_STYLE;
    use crate::svg::colormap::luminance;

    /// The colours of a block of variables.
    fn colours(block: &str) -> Vec<(&str, [u8; 3])> {
        block
            .lines()
            .filter_map(|line| line.trim().strip_prefix("--")?.split_once(": #"))
            .map(|(name, hex)| {
                let part = |at: usize| u8::from_str_radix(&hex[at..at + 2], 16).unwrap();
                (name, [part(0), part(2), part(4)])
            })
            .collect()
    }

    #[test]
    fn marks_and_text_stand_out_in_light_and_dark() {
        let (light, dark) = FIGURE_STYLE.split_once("@media").unwrap();
        let dark = dark.split_once(".sheet").unwrap().0;
        for theme in [light, dark] {
            let colours = colours(theme);
            assert_eq!(colours.len(), 16);
            let sheet = luminance(colours[0].1) + 0.05;
            for (name, colour) in &colours[1..] {
                let least = match *name {
                    "grid" => continue,
                    "ink" | "soft" => 4.5,
                    _ => 3.0,
                };
                let own = luminance(*colour) + 0.05;
                let contrast = (sheet / own).max(own / sheet);
                assert!(contrast >= least, "{name} stands out by {contrast:.2}:1");
            }
        }
    }
}
