//! One row of a message.

use std::fmt;

use super::{Headers, Values};
use crate::{Header, HeaderName, ParseError, Text, header::Known, parse::Line};

/// One field row of a message.
#[derive(Clone, Copy)]
pub struct HeaderField<'a> {
    headers: &'a Headers,
    line: &'a Line,
    index: usize,
    /// The head of the message, if it is known to be text.
    head: Option<&'a str>,
}

impl<'a> HeaderField<'a> {
    pub(super) fn new(
        headers: &'a Headers,
        line: &'a Line,
        index: usize,
        head: Option<&'a str>,
    ) -> Self {
        Self { headers, line, index, head }
    }

    /// The byte of the message at which the row begins.
    pub fn offset(&self) -> usize {
        self.line.name.start()
    }

    /// The name, whichever way it was written.
    pub fn name(&self) -> HeaderName {
        self.headers.name(self.line)
    }

    pub(crate) fn known(&self) -> Option<Known> {
        self.line.known
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
    pub fn text(&self) -> Result<Text, ParseError> {
        self.headers.text(self.line, self.head).map(|text| text.to_text())
    }

    /// The values of `H` in this row alone; none when the row is another header field.
    pub fn values<H: Header>(&self) -> Values<'a, H> {
        Values::new(self.headers, self.index..self.index.saturating_add(1), self.head)
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
