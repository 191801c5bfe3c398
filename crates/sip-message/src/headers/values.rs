//! The values of one header field: lists are split, rows are joined (RFC 3261 §7.3.1).

use std::{fmt, marker::PhantomData, ops::Range};

use super::{Headers, row_text::RowText};
use crate::{
    Header, ParseError, Profile,
    parse::{Class, Line},
};

/// The values of one header field of a message; see [`Headers::headers_of`].
pub struct Values<'a, H> {
    headers: &'a Headers,
    /// The rows not looked at so far.
    rows: Range<usize>,
    row: Option<Row<'a>>,
    header: PhantomData<fn() -> H>,
}

/// A row that is being split.
struct Row<'a> {
    text: RowText<'a>,
    /// Where the next element starts.
    at: usize,
}

impl<H: Header> Iterator for Values<'_, H> {
    type Item = Result<H, ParseError>;

    fn next(&mut self) -> Option<Self::Item> {
        if !H::IS_LIST {
            return self.next_row();
        }
        loop {
            if let Some(row) = &mut self.row {
                match row.element() {
                    Some(value) => return Some(value),
                    None => self.row = None,
                }
            }
            let line = self.next_line()?;
            match self.headers.text(line) {
                Ok(text) if text.as_str().is_empty() && H::MAY_BE_EMPTY => {}
                Ok(text) => self.row = Some(Row { text, at: 0 }),
                Err(error) => return Some(Err(error)),
            }
        }
    }
}

impl<'a, H> Values<'a, H> {
    /// The values in those rows.
    pub(super) fn new(headers: &'a Headers, rows: Range<usize>) -> Self {
        Self { headers, rows, row: None, header: PhantomData }
    }
}

impl<'a, H: Header> Values<'a, H> {
    /// The next row, which is one value.
    fn next_row(&mut self) -> Option<Result<H, ParseError>> {
        loop {
            let line = self.next_line()?;
            match self.headers.text(line) {
                Ok(text) if H::MAY_BE_EMPTY && text.as_str().is_empty() => {}
                Ok(text) => return Some(text.parse()),
                Err(error) => return Some(Err(error)),
            }
        }
    }

    fn next_line(&mut self) -> Option<&'a Line> {
        let lines = self.headers.lines.get(self.rows.clone())?;
        let found = match H::NAME.as_known() {
            Some(known) => lines.iter().position(|line| line.known == Some(known)),
            None => lines.iter().position(|line| self.headers.is(line, &H::NAME)),
        };
        let taken = found.unwrap_or(lines.len()).saturating_add(1);
        self.rows.start = self.rows.start.saturating_add(taken).min(self.rows.end);
        lines.get(found?)
    }
}

impl Row<'_> {
    /// The next element, or `None` behind the last one.
    fn element<H: Header>(&mut self) -> Option<Result<H, ParseError>> {
        loop {
            let (start, whole, profile) = (self.at, self.text.as_str(), self.text.profile());
            let rest = whole.get(start..)?;
            let length = H::element_length(rest.as_bytes(), profile);
            let end = start.saturating_add(length);
            self.at = end.saturating_add(1);
            let is_part = length < whole.len();
            let element = whole.get(start..end).unwrap_or_default();
            if is_part && profile == Profile::Tolerant && Class::WHITE.covers(element) {
                // Commas with nothing between them are sent, and separate nothing.
                continue;
            }
            return Some(self.text.parse_part(start, end));
        }
    }
}

impl<H> fmt::Debug for Values<'_, H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Values").field("rows", &self.rows).finish_non_exhaustive()
    }
}

/// How far the first list element of `text` goes: to a comma outside of quotes and angle brackets.
pub(crate) fn element_length(text: &[u8]) -> usize {
    let Some(comma) = memchr::memchr(b',', text) else { return text.len() };
    let before = text.get(..comma).unwrap_or_default();
    if memchr::memchr2(b'"', b'<', before).is_none() {
        return comma;
    }
    let (mut quoted, mut bracketed, mut escaped) = (false, false, false);
    for (at, &byte) in text.iter().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' if !bracketed => quoted = !quoted,
            _ if quoted => {}
            b'<' => bracketed = true,
            b'>' => bracketed = false,
            b',' if !bracketed => return at,
            _ => {}
        }
    }
    text.len()
}
