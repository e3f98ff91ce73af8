//! How much room text takes. The fonts are those of the reader's system, so widths are upper
//! estimates: those of a wide sans serif.

/// Width of `text` in pixels at a font size in pixels.
pub(crate) fn text_width(text: &str, font: f64) -> f64 {
    text.chars().map(character_width).sum::<f64>() * font
}

/// Width of a character in units of the font size.
fn character_width(character: char) -> f64 {
    match character {
        'i' | 'j' | 'l' | 'I' | '.' | ',' | ':' | ';' | '\'' | '|' | '!' => 0.33,
        'f' | 't' | 'r' | '(' | ')' | '[' | ']' | '/' | ' ' | '-' => 0.42,
        '⁰'..='⁹' | '¹' | '²' | '³' | '⁻' => 0.45,
        'm' | 'w' | 'M' | 'W' | '@' | '%' => 0.98,
        'A'..='Z' => 0.74,
        'a'..='z' | '0'..='9' => 0.64,
        // Wide scripts and pictures fill a square.
        '\u{1100}'.. => 1.1,
        _ => 0.8,
    }
}

/// `text` cut at the end with an ellipsis where it is wider than `room`.
pub(crate) fn shortened(text: &str, font: f64, room: f64) -> String {
    if text_width(text, font) <= room {
        return text.to_string();
    }
    let mut kept = String::new();
    let mut width = character_width('…') * font;
    for character in text.chars() {
        width += character_width(character) * font;
        if width > room {
            break;
        }
        kept.push(character);
    }
    kept.truncate(kept.trim_end().len());
    kept.push('…');
    kept
}

/// `text` in at most `most` lines of width `room`, broken between words; what does not fit is cut.
pub(crate) fn wrapped(text: &str, font: f64, room: f64, most: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    let mut words = text.split_whitespace().peekable();
    while let Some(word) = words.next() {
        let mut line = word.to_string();
        let last = lines.len() + 1 >= most;
        while let Some(next) = words.peek() {
            let longer = format!("{line} {next}");
            if !last && text_width(&longer, font) > room {
                break;
            }
            line = longer;
            words.next();
        }
        lines.push(shortened(&line, font, room));
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_that_does_not_fit_is_cut_with_an_ellipsis() {
        assert_eq!(shortened("short", 10.0, 100.0), "short");
        let cut = shortened("a rather long group name", 10.0, 80.0);
        assert!(cut.ends_with('…') && cut.starts_with("a rather"), "{cut}");
        assert!(text_width(&cut, 10.0) <= 80.0);
        assert_eq!(shortened("abc", 10.0, 0.0), "…");
    }

    #[test]
    fn wrapping_keeps_every_word_while_there_is_room() {
        let lines = wrapped("learned delays without noise", 10.0, 100.0, 3);
        assert_eq!(lines, ["learned delays", "without noise"]);
        let cut = wrapped("learned delays without noise", 10.0, 100.0, 1);
        assert_eq!(cut.len(), 1);
        assert!(cut[0].ends_with('…'));
        assert!(wrapped("", 10.0, 100.0, 2).is_empty());
    }
}
