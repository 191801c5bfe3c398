//! Text from outside, made harmless for the place where it ends up.

use std::fmt::Write;

/// `text` for HTML and SVG, between tags or within a quoted attribute.
///
/// Characters that mean something to the parser become references. Control characters and those
/// that change the direction of text become a replacement character.
pub(crate) fn markup(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            _ if is_treacherous(character) => escaped.push(char::REPLACEMENT_CHARACTER),
            _ => escaped.push(character),
        }
    }
    escaped
}

/// `text` for a terminal: what could move the cursor, change colours or lie about the order of
/// characters is spelled out, such as `\u{1b}`.
pub(crate) fn terminal(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        if is_treacherous(character) {
            // Writing to a string cannot fail.
            let _ = write!(escaped, "{}", character.escape_unicode());
        } else {
            escaped.push(character);
        }
    }
    escaped
}

/// The first `limit` characters of `text`, with an ellipsis as the last one if there are more.
pub(crate) fn clip(text: &str, limit: usize) -> String {
    if text.chars().nth(limit).is_none() {
        return text.to_owned();
    }
    text.chars().take(limit.saturating_sub(1)).chain(['…']).collect()
}

/// Controls (C0, DEL, C1), line separators, zero-width and bidirectional formatting, the byte
/// order mark, and what XML 1.0 §2.2 forbids.
fn is_treacherous(character: char) -> bool {
    character.is_control()
        || matches!(character,
            '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}'
            | '\u{fffe}' | '\u{ffff}' | '\u{e0000}'..='\u{e007f}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markup_leaves_no_character_with_a_meaning() {
        assert_eq!(
            markup("<script>alert(\"1\" & '2')</script>"),
            "&lt;script&gt;alert(&quot;1&quot; &amp; &#39;2&#39;)&lt;/script&gt;"
        );
        assert_eq!(markup("a\0b\x1b\u{202e}\u{85}ü"), "a\u{fffd}b\u{fffd}\u{fffd}\u{fffd}ü");
    }

    #[test]
    fn a_terminal_gets_no_control_character() {
        let hostile = "\x1b[2J\x07\r\n\t\u{9b}31m\u{202e}\u{200b}end ü";
        let safe = terminal(hostile);
        assert!(safe.starts_with("\\u{1b}[2J\\u{7}\\u{d}\\u{a}\\u{9}\\u{9b}31m"), "{safe}");
        assert!(safe.ends_with("end ü") && !safe.chars().any(is_treacherous));
    }

    #[test]
    fn clipping_shows_that_something_is_missing() {
        assert_eq!((clip("INVITE", 6), clip("INVITE", 5)), ("INVITE".into(), "INVI…".into()));
    }
}
