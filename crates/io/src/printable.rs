//! Text from files, made safe to show.

/// Text without anything a terminal would obey: controls, and marks that turn the direction of what
/// stands after them, with which a name can pass for another.
pub(crate) fn clean(text: &str) -> String {
    let turns = |c: char| matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    text.chars()
        .map(|c| {
            if c.is_control() || turns(c) {
                '\u{fffd}'
            } else {
                c
            }
        })
        .collect()
}
