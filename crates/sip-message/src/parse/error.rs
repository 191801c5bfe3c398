//! What was wrong, where, and by which clause.

use nom::{
    IResult,
    error::{ErrorKind, ParseError as NomError},
};

use crate::{HeaderName, StatusCode};

/// Input that does not follow the grammar or breaks a limit.
///
/// It is a small value. Of the input it holds nothing but the name of a header field.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("byte {offset}{}: expected {expected} ({rfc})", Within(.header.as_ref()))]
pub struct ParseError {
    offset: usize,
    header: Option<HeaderName>,
    expected: &'static str,
    rfc: &'static str,
    status: StatusCode,
}

impl ParseError {
    /// An error at byte `offset` of the text that was given to parse, to be answered with 400.
    pub fn new(offset: usize, expected: &'static str, rfc: &'static str) -> Self {
        Self { offset, header: None, expected, rfc, status: StatusCode::BAD_REQUEST }
    }

    /// The same error, to be answered with `status`.
    #[must_use]
    pub fn with_status(self, status: StatusCode) -> Self {
        Self { status, ..self }
    }

    /// The same error, within the header field `name`. A name that is not registered is copied, for
    /// it may be a part of a message, and cut after 64 bytes.
    #[must_use]
    pub fn within(self, name: HeaderName) -> Self {
        let header = if name.as_known().is_some() { name } else { name.start(LONGEST_NAME) };
        Self { header: Some(header), ..self }
    }

    /// The same error, of a part that starts at byte `base` of the whole.
    #[must_use]
    pub(crate) fn moved_by(self, base: usize) -> Self {
        Self { offset: self.offset.saturating_add(base), ..self }
    }

    pub(crate) fn at(self, offset: usize) -> Self {
        Self { offset, ..self }
    }

    /// The byte where parsing stopped, counted from the start of the message; for a lone value or
    /// URI from its own start.
    pub fn offset(&self) -> usize {
        self.offset
    }

    /// The header field that was being read.
    pub fn header(&self) -> Option<HeaderName> {
        self.header.clone()
    }

    /// What should have stood there.
    pub fn expected(&self) -> &str {
        self.expected
    }

    /// The clause that asks for it, such as `RFC 3261 §20.42`.
    pub fn rfc(&self) -> &str {
        self.rfc
    }

    /// The status to answer a request with.
    pub fn status(&self) -> StatusCode {
        self.status
    }
}

struct Within<'a>(Option<&'a HeaderName>);

impl std::fmt::Display for Within<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.0 {
            Some(name) => write!(f, " in {name}"),
            None => Ok(()),
        }
    }
}

/// What is left behind a grammar rule that puts what it reads where it belongs.
pub(crate) type Rest<'a> = Result<&'a str, nom::Err<Fault<'a>>>;

/// The result of a grammar rule.
pub(crate) type Parsed<'a, T> = IResult<&'a str, T, Fault<'a>>;

/// Where a grammar rule failed: what is left of the input there, and what was expected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Fault<'a> {
    pub(crate) rest: &'a str,
    pub(crate) expected: &'static str,
}

impl<'a> Fault<'a> {
    /// The error that this is for the one who asked to read `text`, of which `rest` is left.
    #[cold]
    pub(crate) fn in_text(self, text: &str, rfc: &'static str) -> ParseError {
        let expected = match self.expected {
            "" => "a value of this header field",
            expected => expected,
        };
        ParseError::new(text.len().saturating_sub(self.rest.len()), expected, rfc)
    }

    pub(crate) fn stop(rest: &'a str, expected: &'static str) -> Rest<'a> {
        Err(nom::Err::Error(Self { rest, expected }))
    }

    pub(crate) fn error<T>(rest: &'a str, expected: &'static str) -> Parsed<'a, T> {
        Err(nom::Err::Error(Self { rest, expected }))
    }
}

impl<'a> NomError<&'a str> for Fault<'a> {
    fn from_error_kind(rest: &'a str, _kind: ErrorKind) -> Self {
        Self { rest, expected: "" }
    }

    fn append(_rest: &'a str, _kind: ErrorKind, other: Self) -> Self {
        other
    }

    /// Of two alternatives the one that came further tells more.
    fn or(self, other: Self) -> Self {
        if self.rest.len() < other.rest.len() { self } else { other }
    }
}

/// Far above any name in use: an error is kept longer than its message.
const LONGEST_NAME: usize = 64;
