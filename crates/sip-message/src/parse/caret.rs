//! The line of an error, for people, with a caret under the place.

use crate::ParseError;

impl ParseError {
    /// The line of `bytes` where the error is, a caret below the place, and what was expected.
    ///
    /// `bytes` is what was parsed: the datagram, or the message for an error in a header value.
    /// Control characters show as `.` and long lines are cut around the caret.
    pub fn caret(&self, bytes: &[u8]) -> String {
        let at = self.offset().min(bytes.len());
        let (before, after) = bytes.split_at(at);
        let start = memchr::memrchr(b'\n', before).map_or(0, |newline| newline.saturating_add(1));
        let end = memchr::memchr(b'\n', after).map_or(after.len(), |newline| newline);
        let before = before.get(start.max(at.saturating_sub(REACH))..).unwrap_or_default();
        let after = after.get(..end.min(REACH)).unwrap_or_default();
        let (before, after) = (printable(before), printable(after));
        let margin = before.chars().count();
        let line = format!("{before}{after}");
        format!("{}\n{:margin$}^ {self}", line.trim_end_matches('.'), "")
    }
}

fn printable(bytes: &[u8]) -> String {
    let visible = |c: char| if c.is_control() { '.' } else { c };
    String::from_utf8_lossy(bytes).chars().map(visible).collect()
}

/// Most bytes shown on either side of the caret.
const REACH: usize = 100;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_caret_stands_under_the_place() {
        let error = ParseError::new(13, "a host", "RFC 3261 §20.42");
        let shown = error.caret(b"INVITE x\r\nVia: ?\r\nTo: b\r\n");
        assert_eq!(shown, "Via: ?\n   ^ byte 13: expected a host (RFC 3261 §20.42)");
    }

    #[test]
    fn any_offset_of_any_bytes_can_be_shown() {
        let bytes = b"a\x00\xff\r\n\n\xc3";
        for offset in 0..20 {
            assert!(ParseError::new(offset, "x", "y").caret(bytes).contains('^'));
        }
    }
}
