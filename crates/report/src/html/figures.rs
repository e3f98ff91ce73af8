//! Figures in a page: title, picture in two sizes, caption, values.

use chiasm_core::evidence::Figure;

use super::section::Writer;
use super::tables::write_value_table;
use crate::markup::attributes;
use crate::plots::{draw, value_tables};
use crate::svg::canvas::Size;

pub(super) fn write(writer: &mut Writer, figure: &Figure, level: usize) {
    let id = writer.ids.unique(&format!("figure-{}", figure.id));
    writer.page.open(
        "section",
        attributes!["class" => "plot", "aria-labelledby" => &id],
    );
    writer.heading(level, &id, &figure.title);
    writer
        .page
        .open("figure", attributes!["aria-labelledby" => &id]);
    for (size, suffix) in [(Size::Wide, "wide"), (Size::Narrow, "narrow")] {
        let drawing = draw(figure, size, &format!("{id}-{suffix}"), false);
        writer.page.raw(&drawing);
    }
    if !figure.caption.is_empty() {
        writer.page.leaf("figcaption", &[], &figure.caption);
    }
    writer.page.close();
    // Values of a figure that does not pass its own checks need not make a table.
    if figure.check().is_ok() {
        writer.page.open("details", &[]);
        writer.page.open("summary", &[]);
        writer.page.text("Values ");
        writer.page.leaf(
            "span",
            attributes!["class" => "hidden"],
            &format!("of {}", figure.title),
        );
        writer.page.close();
        for (index, table) in value_tables(figure).iter().enumerate() {
            let file = if index == 0 {
                figure.id.clone()
            } else {
                format!("{}-{}", figure.id, index + 1)
            };
            write_value_table(writer, table, &file);
        }
        writer.page.close();
    }
    writer.page.close();
}
