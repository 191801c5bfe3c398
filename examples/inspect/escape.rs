//! Text from outside, made harmless for a terminal.

use std::fmt::Write;

/// `text` with everything spelled out that could move the cursor, change colours, begin a line or
/// lie about the order of characters: `\r`, `\u{1b}`.
pub(crate) fn visible(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for character in text.chars() {
        if is_treacherous(character) {
            shown.extend(character.escape_default());
        } else {
            shown.push(character);
        }
    }
    shown
}

/// JSON text whose strings hold no such character but in its escaped form (RFC 8259 §7).
pub(crate) fn json(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for character in text.chars() {
        if character != '\n' && is_treacherous(character) {
            for unit in character.encode_utf16(&mut [0; 2]) {
                // Writing to a string cannot fail.
                let _ = write!(shown, "\\u{unit:04x}");
            }
        } else {
            shown.push(character);
        }
    }
    shown
}

/// Octets as pairs of hexadecimal digits, at most `limit` of them.
pub(crate) fn hex(octets: &[u8], limit: usize) -> String {
    let pairs: Vec<_> = octets.iter().take(limit).map(|octet| format!("{octet:02x}")).collect();
    let more = if octets.len() > limit { " …" } else { "" };
    format!("{}{more}", pairs.join(" "))
}

/// Controls, line separators, invisible and bidirectional formatting, and the byte order mark.
fn is_treacherous(character: char) -> bool {
    character.is_control()
        || matches!(character,
            '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}'
            | '\u{e0000}'..='\u{e007f}')
}
