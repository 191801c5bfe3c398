//! The lines between parts (RFC 2046 §5.1.1 `delimiter`, `close-delimiter`).

use super::RFC;
use crate::{ParseError, Profile};

/// A boundary line.
#[derive(Clone, Copy, Debug)]
pub(super) struct Delimiter {
    /// Where the line end before it begins, for that belongs to it.
    pub(super) start: usize,
    /// Behind its own line end. For a closing one: in front of it.
    pub(super) end: usize,
    /// Whether no part follows.
    pub(super) closes: bool,
}

/// All boundary lines of a body, found in one pass over its lines.
#[derive(Debug)]
pub(super) struct Delimiters<'a> {
    body: &'a [u8],
    boundary: &'a [u8],
    profile: Profile,
    /// Whether LF alone ends a line: in the tolerant profile, unless a boundary line shows that the
    /// sender writes CRLF. Then LF is an octet like any other, in a part as in the preamble.
    bare_lf: bool,
    /// Whether there was a boundary line before.
    is_open: bool,
    /// Where the next line starts.
    at: usize,
}

impl<'a> Delimiters<'a> {
    pub(super) fn new(body: &'a [u8], boundary: &'a [u8], profile: Profile) -> Self {
        let bare_lf = profile == Profile::Tolerant && !is_delimited_by_crlf(body, boundary);
        Self { body, boundary, profile, bare_lf, is_open: false, at: 0 }
    }

    pub(super) fn next(&mut self) -> Result<Option<Delimiter>, ParseError> {
        while self.at < self.body.len() {
            let start = self.at;
            let rest = self.body.get(start..).unwrap_or_default();
            let newline = memchr::memchr(b'\n', rest);
            let length = newline.map_or(rest.len(), |newline| newline.saturating_add(1));
            self.at = start.saturating_add(length);
            let line = rest.get(..length).unwrap_or_default();
            if line.starts_with(b"--")
                && let Some(delimiter) = self.delimiter(start, line)?
            {
                self.is_open = true;
                self.bare_lf &= !line.ends_with(b"\r\n");
                return Ok(Some(delimiter));
            }
        }
        Ok(None)
    }

    /// `CRLF "--" boundary [ "--" ] transport-padding CRLF`.
    ///
    /// A line that goes on otherwise is one of the part, perhaps the boundary of a nested multipart
    /// that starts like this one. RFC 2046 forbids it to those who write, so the strict profile
    /// refuses it: some readers would take it for the boundary.
    fn delimiter(&self, start: usize, line: &[u8]) -> Result<Option<Delimiter>, ParseError> {
        let after = line.get(2..).and_then(|line| line.strip_prefix(self.boundary));
        let Some(after) = after else { return Ok(None) };
        let Some(before) = self.line_end_before(start) else {
            // What looks like a boundary line in the preamble is the first one to readers of LF.
            return match self.profile {
                Profile::Strict if !self.is_open => {
                    Err(ParseError::new(start, "CRLF before the boundary", RFC))
                }
                Profile::Strict | Profile::Tolerant => Ok(None),
            };
        };
        let (closes, padded) = match after.strip_prefix(b"--") {
            Some(padded) => (true, padded),
            None => (false, after),
        };
        let white = padded.iter().take_while(|byte| matches!(byte, b' ' | b'\t')).count();
        let line_end = padded.get(white..).unwrap_or_default();
        let is_end = match line_end {
            b"\r\n" => true,
            b"\n" => self.bare_lf,
            // Nothing has to follow the last boundary.
            b"" => closes,
            _ => false,
        };
        let end = start.saturating_add(line.len());
        let own = if closes { line_end.len() } else { 0 };
        let delimiter = Delimiter { start: before, end: end.saturating_sub(own), closes };
        match is_end {
            true => Ok(Some(delimiter)),
            false if self.profile == Profile::Tolerant => Ok(None),
            false => {
                let at = end.saturating_sub(line_end.len());
                Err(ParseError::new(at, "CRLF behind the boundary", RFC))
            }
        }
    }

    /// Where the line end before the line at `start` begins, if it is one of the profile.
    fn line_end_before(&self, start: usize) -> Option<usize> {
        let before = self.body.get(..start)?;
        match before {
            [] => Some(0),
            [text @ .., b'\r', b'\n'] => Some(text.len()),
            [text @ .., b'\n'] if self.bare_lf => Some(text.len()),
            _ => None,
        }
    }
}

/// Whether any boundary line stands between two CRLF, or between the start and one.
fn is_delimited_by_crlf(body: &[u8], boundary: &[u8]) -> bool {
    memchr::memmem::find_iter(body, boundary).any(|at| {
        let (before, rest) = body.split_at_checked(at).unwrap_or((body, b""));
        let after = rest.strip_prefix(boundary).unwrap_or_default();
        let white = after.iter().take_while(|byte| matches!(byte, b' ' | b'\t')).count();
        let before = before.strip_suffix(b"--");
        before.is_some_and(|before| before.is_empty() || before.ends_with(b"\r\n"))
            && after.get(white..).is_some_and(|after| after.starts_with(b"\r\n"))
    })
}
