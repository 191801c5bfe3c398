//! The header fields of a message: an index over its bytes (RFC 3261 §7.3).
#![deny(clippy::arithmetic_side_effects)]

use std::{fmt, marker::PhantomData, ops::Range};

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
        rows.map(|line| self.text(line).map(|text| ByteString::clone(&text.value)))
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
        if H::IS_LIST {
            return self.headers_of().next().transpose();
        }
        match self.rows(&H::NAME).next() {
            Some(line) => self.text(line)?.parse().map(Some),
            None => Ok(None),
        }
    }

    /// All values of the header field `H`: lists are split, rows are joined.
    pub fn headers_of<H: Header>(&self) -> Values<'_, H> {
        self.values_in(0..self.lines.len())
    }

    /// Every field row with its place, for those who show or check a message row by row.
    pub fn fields(&self) -> impl Iterator<Item = HeaderField<'_>> {
        let numbered = self.lines.iter().enumerate();
        numbered.map(|(index, line)| HeaderField { headers: self, line, index })
    }

    fn values_in<H>(&self, rows: Range<usize>) -> Values<'_, H> {
        Values { headers: self, rows, row: None, header: PhantomData }
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
        let (raw, start) = self.placed(line);
        let end = start.saturating_add(raw.len());
        let value = ByteString::try_from(self.bytes.slice(start..end))
            .map_err(|_| self.no_text(line, raw, start))?;
        let mut text = Text { value: WireText::new(value, self.profile), start, folds: Vec::new() };
        if memchr::memchr(b'\n', raw).is_some() {
            let unfolded = unfold(&text.value, |fold| text.folds.push(fold));
            text.value = WireText::new(unfolded, self.profile);
        }
        Ok(text)
    }

    /// The value as it came, and where it starts in the message.
    pub(crate) fn placed(&self, line: &Line) -> (&[u8], usize) {
        let whole = line.value.of(&self.bytes);
        let raw = trim(whole);
        let leading = if raw.is_empty() { 0 } else { white_prefix(whole) };
        (raw, line.value.start().saturating_add(leading))
    }

    #[cold]
    fn no_text(&self, line: &Line, raw: &[u8], start: usize) -> ParseError {
        let valid = str::from_utf8(raw).map_or_else(|error| error.valid_up_to(), str::len);
        ParseError::new(start.saturating_add(valid), "UTF-8 text", "RFC 3261 §7.3.1")
            .within(self.name(line))
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

/// One field row of a message.
#[derive(Clone, Copy)]
pub struct HeaderField<'a> {
    headers: &'a Headers,
    line: &'a Line,
    index: usize,
}

impl<'a> HeaderField<'a> {
    /// The byte of the message at which the row begins.
    pub fn offset(&self) -> usize {
        self.line.name.start()
    }

    /// The name, whichever way it was written.
    pub fn name(&self) -> HeaderName {
        self.headers.name(self.line)
    }

    /// The name as it was written: in its compact form, in any case.
    pub fn name_as_written(&self) -> &'a str {
        // The scan has let tokens through only.
        str::from_utf8(self.line.name.of(&self.headers.bytes)).unwrap_or_default()
    }

    /// The value as it came, folds included, without white space at its ends.
    pub fn raw(&self) -> &'a [u8] {
        self.headers.raw(self.line)
    }

    /// The value as text, unfolded.
    ///
    /// # Errors
    /// When it is not UTF-8.
    pub fn text(&self) -> Result<ByteString, ParseError> {
        self.headers.text(self.line).map(|text| ByteString::clone(&text.value))
    }

    /// The values of `H` in this row alone; none when the row is another header field.
    pub fn values<H: Header>(&self) -> Values<'a, H> {
        self.headers.values_in(self.index..self.index.saturating_add(1))
    }
}

impl fmt::Debug for HeaderField<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The value may hold credentials.
        f.debug_struct("HeaderField")
            .field("offset", &self.offset())
            .field("name", &self.name())
            .finish_non_exhaustive()
    }
}

/// The text of a header field value and where it stands in the message.
#[derive(Clone, Debug)]
pub(crate) struct Text {
    pub(crate) value: WireText,
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
    /// Reads the whole value as one `H`.
    fn parse<H: Header>(&self) -> Result<H, ParseError> {
        H::parse(&self.value).map_err(|error| self.place::<H>(0, error))
    }

    /// The same error, at its place in the message. It was found in what begins at `at`.
    #[cold]
    fn place<H: Header>(&self, at: usize, error: ParseError) -> ParseError {
        let offset = self.offset_in_message(at.saturating_add(error.offset()));
        error.at(offset).within(H::NAME)
    }

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
    /// The rows not looked at so far.
    rows: Range<usize>,
    row: Option<Row>,
    header: PhantomData<fn() -> H>,
}

/// A row that is being split.
struct Row {
    text: Text,
    /// Where the next element starts.
    at: usize,
}

impl<H: Header> Iterator for Values<'_, H> {
    type Item = Result<H, ParseError>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(row) = &mut self.row {
                match row.element() {
                    Some(value) => return Some(value),
                    None => self.row = None,
                }
            }
            let line = self.next_line()?;
            match self.headers.text(line) {
                Ok(text) if text.value.is_empty() && H::MAY_BE_EMPTY => {}
                Ok(text) => self.row = Some(Row { text, at: 0 }),
                Err(error) => return Some(Err(error)),
            }
        }
    }
}

impl<'a, H: Header> Values<'a, H> {
    fn next_line(&mut self) -> Option<&'a Line> {
        let lines = self.headers.lines.get(self.rows.clone())?;
        let found = lines.iter().position(|line| self.headers.is(line, &H::NAME));
        let taken = found.unwrap_or(lines.len()).saturating_add(1);
        self.rows.start = self.rows.start.saturating_add(taken).min(self.rows.end);
        lines.get(found?)
    }
}

impl Row {
    /// The next element, or `None` behind the last one.
    fn element<H: Header>(&mut self) -> Option<Result<H, ParseError>> {
        let value = &self.text.value;
        loop {
            let start = self.at;
            let rest = value.get(start..)?;
            let length = match H::IS_LIST {
                true => H::element_length(rest.as_bytes(), value.profile()),
                false => rest.len(),
            };
            self.at = start.saturating_add(length).saturating_add(1);
            if length == value.len() {
                return Some(self.text.parse());
            }
            let element = rest.get(..length).unwrap_or_default();
            if value.is_tolerant() && element.trim_matches([' ', '\t']).is_empty() {
                // Commas with nothing between them are sent, and separate nothing.
                continue;
            }
            let element = WireText::new(value.slice_ref(element), value.profile());
            let read = H::parse(&element);
            return Some(read.map_err(|error| self.text.place::<H>(start, error)));
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

pub(crate) fn is_white(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\r' | b'\n')
}

fn is_white_char(c: char) -> bool {
    u8::try_from(c).is_ok_and(is_white)
}
