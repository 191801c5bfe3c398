//! The header fields of a message: an index over its bytes (RFC 3261 §7.3).
#![deny(clippy::arithmetic_side_effects)]

use std::{fmt, marker::PhantomData};

use bytes::Bytes;
use bytestring::ByteString;
use smallvec::SmallVec;

use crate::{
    Header, HeaderName, Profile, WireText,
    parse::{Line, ParseError},
};

/// The header fields of a message, in the order they came, untouched.
#[derive(Clone)]
pub struct Headers {
    pub(crate) bytes: Bytes,
    pub(crate) lines: SmallVec<[Line; 32]>,
    pub(crate) profile: Profile,
}

impl Headers {
    /// Every field row: its name, and its value as it came without white space at its ends.
    pub fn iter(&self) -> impl Iterator<Item = (HeaderName, &[u8])> {
        self.lines.iter().map(|line| (self.name(line), self.raw(line)))
    }

    /// The value of the first row named `name`, as it came, folds included.
    #[expect(clippy::needless_pass_by_value, reason = "names are constants at the call sites")]
    pub fn get_raw(&self, name: HeaderName) -> Option<&[u8]> {
        self.rows(&name).next().map(|line| self.raw(line))
    }

    /// The text of each row named `name`, unfolded.
    pub fn texts(&self, name: HeaderName) -> impl Iterator<Item = Result<ByteString, ParseError>> {
        let rows = self.lines.iter().filter(move |line| self.is(line, &name));
        rows.map(|line| self.text(line).map(|text| text.value))
    }

    /// How many rows there are.
    pub fn len(&self) -> usize {
        self.lines.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }

    /// How many rows are named `name`, in any disguise.
    #[expect(clippy::needless_pass_by_value, reason = "names are constants at the call sites")]
    pub fn count(&self, name: HeaderName) -> usize {
        self.rows(&name).count()
    }

    /// The first value of the header field `H`.
    ///
    /// # Errors
    /// When the value does not follow the grammar of `H`.
    pub fn header<H: Header>(&self) -> Result<Option<H>, ParseError> {
        self.headers_of().next().transpose()
    }

    /// All values of the header field `H`: lists are split, rows are joined.
    pub fn headers_of<H: Header>(&self) -> Values<'_, H> {
        Values { headers: self, next_row: 0, row: None, header: PhantomData }
    }

    pub(crate) fn rows<'a>(&'a self, name: &'a HeaderName) -> impl Iterator<Item = &'a Line> {
        self.lines.iter().filter(|line| self.is(line, name))
    }

    pub(crate) fn is(&self, line: &Line, name: &HeaderName) -> bool {
        match (line.known, name.as_known()) {
            (Some(own), Some(known)) => own == known,
            (None, None) => name.is(line.name.of(&self.bytes)),
            (Some(_), None) | (None, Some(_)) => false,
        }
    }

    pub(crate) fn name(&self, line: &Line) -> HeaderName {
        let text = || {
            let range = line.name.start()..line.name.end as usize;
            // The scan has let tokens through only.
            ByteString::try_from(self.bytes.slice(range)).unwrap_or_default()
        };
        line.known.map_or_else(|| HeaderName::other(text()), HeaderName::known)
    }

    pub(crate) fn raw(&self, line: &Line) -> &[u8] {
        trim(line.value.of(&self.bytes))
    }

    /// The value as text, with its place.
    pub(crate) fn text(&self, line: &Line) -> Result<Text, ParseError> {
        let raw = self.raw(line);
        let start = self.offset_of(raw, line);
        let not_text = |at: usize| {
            ParseError::new(start.saturating_add(at), "UTF-8 text", "RFC 3261 §7.3.1")
                .within(self.name(line))
        };
        let text = str::from_utf8(raw).map_err(|error| not_text(error.valid_up_to()))?;
        let mut folds = Vec::new();
        let value = if memchr::memchr(b'\n', raw).is_some() {
            ByteString::from(unfold(text, |fold| folds.push(fold)))
        } else {
            ByteString::try_from(self.bytes.slice_ref(raw)).unwrap_or_default()
        };
        Ok(Text { value, start, folds })
    }

    fn offset_of(&self, raw: &[u8], line: &Line) -> usize {
        let whole = line.value.of(&self.bytes);
        let leading = whole.iter().take_while(|&&byte| is_white(byte)).count();
        let leading = if raw.is_empty() { 0 } else { leading };
        line.value.start().saturating_add(leading)
    }
}

impl fmt::Debug for Headers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let fields = self.iter().map(|(name, value)| match name {
            // Credentials stay out of logs.
            HeaderName::AUTHORIZATION | HeaderName::PROXY_AUTHORIZATION => (name, "…".into()),
            _ => (name, String::from_utf8_lossy(value)),
        });
        f.debug_map().entries(fields).finish()
    }
}

/// The text of a header field value and where it stands in the message.
#[derive(Clone, Debug)]
pub(crate) struct Text {
    pub(crate) value: ByteString,
    start: usize,
    /// Where each folded line begins, in order.
    folds: Vec<Fold>,
}

/// Where a folded line begins, behind its leading white space.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Fold {
    /// In the text as it came.
    raw: usize,
    /// In the unfolded text.
    unfolded: usize,
}

impl Text {
    /// Where in the message the byte `offset` of the value stands.
    fn offset_in_message(&self, offset: usize) -> usize {
        // A search: a list of thousands of broken elements asks for each of them.
        let after = self.folds.partition_point(|fold| fold.unfolded <= offset);
        let fold = after.checked_sub(1).and_then(|last| self.folds.get(last));
        let (raw, unfolded) = fold.map_or((0, 0), |fold| (fold.raw, fold.unfolded));
        self.start.saturating_add(raw).saturating_add(offset.saturating_sub(unfolded))
    }
}

/// The values of one header field of a message; see [`Headers::headers_of`].
pub struct Values<'a, H> {
    headers: &'a Headers,
    next_row: usize,
    row: Option<Row>,
    header: PhantomData<fn() -> H>,
}

/// A row that is being split.
struct Row {
    text: Text,
    name: HeaderName,
    /// Where the next element starts.
    at: usize,
}

impl<H: Header> Iterator for Values<'_, H> {
    type Item = Result<H, ParseError>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(mut row) = self.row.take() {
                let value = self.element(&mut row);
                let done = row.at > row.text.value.len();
                self.row = if done { None } else { Some(row) };
                return Some(value);
            }
            match self.start_row()? {
                Ok(row) => self.row = row,
                Err(error) => return Some(Err(error)),
            }
        }
    }
}

impl<H: Header> Values<'_, H> {
    fn start_row(&mut self) -> Option<Result<Option<Row>, ParseError>> {
        loop {
            let line = self.headers.lines.get(self.next_row)?;
            self.next_row = self.next_row.saturating_add(1);
            if !self.headers.is(line, &H::NAME) {
                continue;
            }
            return Some(self.headers.text(line).map(|text| {
                let empty = H::MAY_BE_EMPTY && text.value.is_empty();
                let name = H::NAME;
                (!empty).then_some(Row { text, name, at: 0 })
            }));
        }
    }

    fn element(&self, row: &mut Row) -> Result<H, ParseError> {
        let value = &row.text.value;
        let rest = value.get(row.at..).unwrap_or_default();
        let length = if H::IS_LIST { element_length(rest.as_bytes()) } else { rest.len() };
        let element = rest.get(..length).unwrap_or_default();
        let start = row.at;
        row.at = start.saturating_add(length).saturating_add(1);
        let place = |error: ParseError| {
            let offset = start.saturating_add(error.offset());
            let offset = row.text.offset_in_message(offset);
            error.at(offset).within(row.name.clone())
        };
        let element = WireText::new(value.slice_ref(element), self.headers.profile);
        H::parse(&element).map_err(place)
    }
}

impl<H> fmt::Debug for Values<'_, H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Values").field("next_row", &self.next_row).finish_non_exhaustive()
    }
}

/// How far the first list element of `text` goes: to a comma outside of quotes and angle brackets.
pub(crate) fn element_length(text: &[u8]) -> usize {
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

/// A fold and the white space around it stand for one space (RFC 3261 §7.3.1). Tells `fold` of each.
pub(crate) fn unfold(text: &str, mut fold: impl FnMut(Fold)) -> String {
    let mut unfolded = String::with_capacity(text.len());
    let mut start = 0_usize;
    for line in text.split_inclusive('\n') {
        let leading = white_prefix(line.as_bytes());
        if start == 0 {
            unfolded.push_str(line.trim_end_matches(is_white_char));
        } else {
            unfolded.push(' ');
            fold(Fold { raw: start.saturating_add(leading), unfolded: unfolded.len() });
            unfolded.push_str(line.trim_matches(is_white_char));
        }
        start = start.saturating_add(line.len());
    }
    unfolded
}

fn white_prefix(line: &[u8]) -> usize {
    line.iter().take_while(|&&byte| is_white(byte)).count()
}

/// Without white space at both ends, folds included.
fn trim(mut bytes: &[u8]) -> &[u8] {
    while let [first, rest @ ..] = bytes
        && is_white(*first)
    {
        bytes = rest;
    }
    while let [rest @ .., last] = bytes
        && is_white(*last)
    {
        bytes = rest;
    }
    bytes
}

fn is_white(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\r' | b'\n')
}

fn is_white_char(c: char) -> bool {
    u8::try_from(c).is_ok_and(is_white)
}
