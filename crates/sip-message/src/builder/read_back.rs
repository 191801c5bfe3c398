//! What is written must be read as it was meant: no text of a value may pass for structure
//! (RFC 3261 §7.3.1, §19.1.1).

use bytes::Bytes;
use smallvec::smallvec;

use super::BuildError;
use crate::{
    ContentType, Header, HeaderName, Headers, ParseError, Profile, Uri,
    parse::{Line, Span, is_token},
};

/// Whether it is plain that a row with `values` is read back as `values`.
pub(super) fn fit<H: Header>(values: &[&H]) -> bool {
    let is_row = values.len() == 1 || (H::IS_LIST && values.len() > 1);
    is_row && values.iter().all(|value| value.fits())
}

/// Why the row `text`, written from `values`, would not be read as `values`.
#[cold]
pub(crate) fn row_fault<H: Header>(text: &str, values: &[&H]) -> Option<BuildError> {
    if values.len() > 1 && H::element_length(text.as_bytes(), Profile::Strict) == text.len() {
        let error = ParseError::new(0, "one value a row", "RFC 3261 §7.3.1");
        return Some(BuildError::Header(error.within(H::NAME)));
    }
    let row = row::<H>(text);
    let mut read = row.headers_of::<H>();
    let mut meant = values.iter();
    loop {
        match (meant.next(), read.next()) {
            (None, None) => return None,
            (Some(meant), Some(Ok(read))) if read == **meant => {}
            (_, Some(Err(error))) => return Some(BuildError::Header(error)),
            (Some(_), None) | (_, Some(Ok(_))) => {
                let error = ParseError::new(0, SAME_VALUE, "RFC 3261 §7.3.1");
                return Some(BuildError::Header(error.within(H::NAME)));
            }
        }
    }
}

/// Why `text` cannot be the value of `Content-Type`.
pub(crate) fn content_type_fault(text: &str) -> Option<BuildError> {
    if text.split_once('/').is_some_and(|(kind, subtype)| is_token(kind) && is_token(subtype)) {
        return None;
    }
    let error = ContentType::parse(&text.into()).err()?;
    Some(BuildError::Header(error.within(HeaderName::CONTENT_TYPE)))
}

/// Why `text`, written from `uri`, would not be read as `uri`.
pub(super) fn uri_fault(text: &str, uri: &Uri) -> Option<BuildError> {
    if uri.fits() {
        debug_assert_eq!(text.parse().ok().as_ref(), Some(uri), "what fits is read back: {text}");
        return None;
    }
    match text.parse::<Uri>() {
        Ok(read) if read == *uri => None,
        Ok(_) => Some(BuildError::Uri(ParseError::new(0, SAME_VALUE, "RFC 3261 §19.1.1"))),
        Err(error) => Some(BuildError::Uri(error)),
    }
}

/// A message with nothing but this row. The name stands last, so that errors count from the start
/// of the value.
fn row<H: Header>(text: &str) -> Headers {
    let name = H::NAME;
    let bytes = Bytes::from([text, name.as_str()].concat());
    let line = Line {
        known: name.as_known(),
        folded: false,
        name: Span::new(text.len(), bytes.len()),
        value: Span::new(0, text.len()),
    };
    Headers { bytes, lines: smallvec![line], profile: Profile::Tolerant }
}

const SAME_VALUE: &str = "a value that is read back as it was given";
