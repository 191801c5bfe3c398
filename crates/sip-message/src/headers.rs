//! The header fields of a message: an index over its bytes (RFC 3261 §7.3).

use std::fmt;

use bytes::Bytes;
use smallvec::SmallVec;

use crate::{
    Header, HeaderName, Profile, Text,
    parse::{Line, ParseError},
};

mod field;
pub use field::HeaderField;

mod row_text;
use row_text::RowText;
pub(crate) use row_text::unfold;

mod values;
pub use values::Values;
pub(crate) use values::{element_length, quoted_length};

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
    pub fn texts(&self, name: HeaderName) -> impl Iterator<Item = Result<Text, ParseError>> {
        let rows = self.lines.iter().filter(move |line| self.is(line, &name));
        rows.map(|line| self.text(line, None).map(|text| text.to_text()))
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
            Some(line) => self.text(line, None)?.parse().map(Some),
            None => Ok(None),
        }
    }

    /// All values of the header field `H`: lists are split, rows are joined.
    pub fn headers_of<H: Header>(&self) -> Values<'_, H> {
        Values::new(self, 0..self.lines.len(), None)
    }

    /// Every field row with its place, for those who show or check a message row by row.
    pub fn fields(&self) -> impl Iterator<Item = HeaderField<'_>> {
        let (head, numbered) = (self.head(), self.lines.iter().enumerate());
        numbered.map(move |(index, line)| HeaderField::new(self, line, index, head))
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
            // The scan has let tokens through only.
            let name = str::from_utf8(line.name.of(&self.bytes)).unwrap_or_default();
            Text::part_of(Some(&self.bytes), name)
        };
        line.known.map_or_else(|| HeaderName::other(text()), HeaderName::known)
    }

    pub(crate) fn raw(&self, line: &Line) -> &[u8] {
        trim(line.value.of(&self.bytes))
    }

    /// The value as text, with its place; `head` is the head of the message, if it is text.
    #[inline]
    pub(crate) fn text<'a>(
        &'a self,
        line: &Line,
        head: Option<&'a str>,
    ) -> Result<RowText<'a>, ParseError> {
        let (raw, start) = self.placed(line);
        let value = match head {
            Some(head) => head.get(start..start.saturating_add(raw.len())),
            None => str::from_utf8(raw).ok(),
        };
        match value {
            Some(value) if line.folded => Ok(RowText::unfolded(self, value, start)),
            Some(value) => Ok(RowText::new(self, value, start)),
            None => Err(self.no_text(line, raw, start)),
        }
    }

    /// The head of the message, if it is text throughout.
    fn head(&self) -> Option<&str> {
        let end = self.lines.last().map_or(0, |line| line.value.end as usize);
        str::from_utf8(self.bytes.get(..end)?).ok()
    }

    /// The value as it came, and where it starts in the message.
    #[inline]
    pub(crate) fn placed(&self, line: &Line) -> (&[u8], usize) {
        let whole = line.value.of(&self.bytes);
        // Nearly all values stand behind one space and are not empty.
        if let [b' ', raw @ ..] = whole
            && let [first, .., last] = raw
            && !is_white(*first)
            && !is_white(*last)
        {
            return (raw, line.value.start().saturating_add(1));
        }
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
