//! Description to text: the bytes of the lines, one after the other.

use std::fmt;

use bytes::Bytes;

use super::{line::Line, session::SessionDescription};

impl SessionDescription {
    /// The text, byte for byte as it came where nothing was changed.
    pub fn to_bytes(&self) -> Bytes {
        let mut out = Vec::new();
        for line in self.all_lines() {
            // The last line of a text may lack its end. It needs one once a line follows.
            if !out.is_empty() && !out.ends_with(b"\n") {
                out.extend_from_slice(b"\r\n");
            }
            out.extend_from_slice(line.as_bytes());
        }
        out.into()
    }

    fn all_lines(&self) -> impl Iterator<Item = &Line> {
        self.lines().iter().chain(self.media.iter().flat_map(|media| media.lines()))
    }
}

/// The text for people: bytes that are no UTF-8 are shown as `U+FFFD`.
impl fmt::Display for SessionDescription {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&String::from_utf8_lossy(&self.to_bytes()))
    }
}
