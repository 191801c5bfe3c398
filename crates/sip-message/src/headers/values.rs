//! The values of one header field: lists are split, rows are joined (RFC 3261 §7.3.1).

use std::{fmt, marker::PhantomData, ops::Range};

use super::{Headers, RowText};
use crate::{
    Header, ParseError, Profile,
    parse::{Class, Line, position},
};

/// The values of one header field of a message; see [`Headers::headers_of`].
pub struct Values<'a, H> {
    headers: &'a Headers,
    /// The rows not looked at so far.
    rows: Range<usize>,
    /// The head of the message, if it is known to be text.
    head: Option<&'a str>,
    /// The row that is being split.
    row: Option<RowText<'a>>,
    /// Where its next element starts.
    at: usize,
    header: PhantomData<fn() -> H>,
}

impl<H: Header> Iterator for Values<'_, H> {
    type Item = Result<H, ParseError>;

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if H::IS_LIST
                && let Some(row) = &self.row
                && let Some((start, element)) =
                    next_element::<H>(row.as_str(), &mut self.at, self.headers.profile)
            {
                return Some(row.parse_part(start, element));
            }
            let line = self.next_line()?;
            match self.headers.text(line, self.head) {
                Ok(text) if H::MAY_BE_EMPTY && text.as_str().is_empty() => {}
                Ok(text) if !H::IS_LIST => return Some(text.parse()),
                Ok(text) => (self.row, self.at) = (Some(text), 0),
                Err(error) => return Some(Err(error)),
            }
        }
    }
}

impl<'a, H> Values<'a, H> {
    /// The values in those rows.
    #[inline]
    pub(super) fn new(headers: &'a Headers, rows: Range<usize>, head: Option<&'a str>) -> Self {
        Self { headers, rows, head, row: None, at: 0, header: PhantomData }
    }
}

impl<'a, H: Header> Values<'a, H> {
    #[inline]
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

/// The next element of the list `row` and where it starts; `None` behind the last one.
#[inline]
fn next_element<'a, H: Header>(
    row: &'a str,
    at: &mut usize,
    profile: Profile,
) -> Option<(usize, &'a str)> {
    loop {
        let start = *at;
        let rest = row.get(start..)?;
        let element = rest.get(..H::element_length(rest.as_bytes(), profile)).unwrap_or(rest);
        *at = start.saturating_add(element.len()).saturating_add(1);
        let is_part = element.len() < row.len();
        if is_part && profile == Profile::Tolerant && Class::WHITE.covers(element) {
            // Commas with nothing between them are sent, and separate nothing.
            continue;
        }
        return Some((start, element));
    }
}

impl<H> fmt::Debug for Values<'_, H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Values").field("rows", &self.rows).finish_non_exhaustive()
    }
}

/// How far the first list element of `text` goes: to a comma outside of quotes and angle brackets.
pub(crate) fn element_length(text: &[u8]) -> usize {
    let Some(comma) = position(text, |byte| byte == b',') else { return text.len() };
    let before = text.get(..comma).unwrap_or_default();
    if position(before, |byte| matches!(byte, b'"' | b'<')).is_none() {
        return comma;
    }
    let mut at = 0_usize;
    while let Some(rest) = text.get(at..)
        && let Some(found) = position(rest, |byte| matches!(byte, b',' | b'"' | b'<'))
    {
        at = at.saturating_add(found);
        let rest = text.get(at..).unwrap_or_default();
        let length = match rest.first() {
            Some(b'"') => quoted_length(rest),
            Some(b'<') => position(rest, |byte| byte == b'>').unwrap_or(rest.len()),
            _ => return at,
        };
        at = at.saturating_add(length);
    }
    text.len()
}

/// How long the quoted string is that `text` starts with, quotes included; all of `text` if it has
/// no end.
pub(crate) fn quoted_length(text: &[u8]) -> usize {
    let mut at = 1_usize;
    while let Some(rest) = text.get(at..)
        && let Some(found) = position(rest, |byte| matches!(byte, b'"' | b'\\'))
    {
        at = at.saturating_add(found).saturating_add(1);
        if rest.get(found) == Some(&b'"') {
            return at;
        }
        // The byte behind a backslash stands for itself.
        at = at.saturating_add(1);
    }
    text.len()
}
