//! The words of a line's value, one after the other, each with its place.
#![deny(clippy::arithmetic_side_effects)]

use std::str::FromStr;

use bytestring::ByteString;

use crate::error::ParseError;

/// What is wrong in a value, and where: a byte offset from its beginning.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Fault {
    pub(super) at: usize,
    pub(super) expected: &'static str,
    pub(super) rfc: &'static str,
}

impl Fault {
    /// The same fault, counted from an earlier place.
    pub(super) const fn shifted(self, by: usize) -> Self {
        Self { at: self.at.saturating_add(by), ..self }
    }

    /// The fault with its place in the whole text. `line` counts from 1.
    pub(super) const fn on_line(self, line: usize) -> ParseError {
        let column = self.at.saturating_add(1);
        ParseError { line, column, expected: self.expected, rfc: self.rfc }
    }
}

/// A cursor over the words of a value.
///
/// The grammar wants one space between two words. More spaces, tabs and spaces at the end occur
/// in the field and are skipped.
#[derive(Debug)]
pub(super) struct Words<'a> {
    value: &'a ByteString,
    at: usize,
    rfc: &'static str,
}

impl<'a> Words<'a> {
    /// A cursor at the first word. Faults will name the clause `rfc`.
    pub(super) const fn new(value: &'a ByteString, rfc: &'static str) -> Self {
        Self { value, at: 0, rfc }
    }

    /// The next word.
    pub(super) fn next(&mut self, expected: &'static str) -> Result<ByteString, Fault> {
        self.read(expected, |word| Some(word.share(word.text)))
    }

    /// The next word, turned into a value.
    pub(super) fn read<T>(
        &mut self,
        expected: &'static str,
        read: impl FnOnce(Word<'_>) -> Option<T>,
    ) -> Result<T, Fault> {
        let (start, word) = self.peek();
        let fault = Fault { at: start, expected, rfc: self.rfc };
        if word.is_empty() {
            return Err(fault);
        }
        let taken = read(Word { value: self.value, text: word }).ok_or(fault)?;
        self.at = start.saturating_add(word.len());
        Ok(taken)
    }

    /// The words that are left.
    pub(super) fn rest(&mut self) -> Vec<ByteString> {
        std::iter::from_fn(|| self.next("").ok()).collect()
    }

    /// Where the next word begins, and the word: empty at the end.
    fn peek(&self) -> (usize, &'a str) {
        let rest = self.value.get(self.at..).unwrap_or_default();
        let trimmed = rest.trim_start_matches(SPACES);
        let start = self.value.len().saturating_sub(trimmed.len());
        (start, trimmed.split(SPACES).next().unwrap_or_default())
    }
}

/// One word, and the value that it is a part of.
#[derive(Clone, Copy, Debug)]
pub(super) struct Word<'a> {
    pub(super) text: &'a str,
    value: &'a ByteString,
}

impl Word<'_> {
    /// The word as a number: digits only, without the sign that Rust would take.
    pub(super) fn number<T: FromStr>(&self) -> Option<T> {
        number(self.text)
    }

    /// A part of this word as a slice that shares the memory of the message.
    pub(super) fn share(&self, part: &str) -> ByteString {
        self.value.slice_ref(part)
    }
}

/// Digits only, as a number.
pub(super) fn number<T: FromStr>(text: &str) -> Option<T> {
    text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok())?
}

/// Whether a text is a `token` (RFC 8866 §9).
pub(super) fn is_token(text: &str) -> bool {
    let outside = |byte: u8| !byte.is_ascii_graphic() || br#""(),/:;<=>?@[\]"#.contains(&byte);
    !text.is_empty() && !text.bytes().any(outside)
}

/// What separates words.
pub(super) const SPACES: [char; 2] = [' ', '\t'];
