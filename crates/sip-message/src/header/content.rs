//! What the body is, and which bodies are welcome (RFC 3261 §20.1, §20.11, §20.12, §20.14, §20.15).

use std::fmt;

use bytestring::ByteString;

use super::{Header, HeaderName};
use crate::{
    Parameters, WireText,
    parse::{ParseError, finish, number, slash, token},
    uri::header_parameters,
};

/// A media type or, in `Accept`, a range of them (RFC 3261 §25.1 `media-type`, `media-range`).
#[derive(Clone, Debug)]
pub struct MediaType {
    /// The type, such as `application`; `*` stands for all.
    pub kind: ByteString,
    /// The subtype, such as `sdp`; `*` stands for all.
    pub subtype: ByteString,
    /// The parameters, such as `boundary` or `q`.
    pub parameters: Parameters,
}

impl MediaType {
    /// Whether this is the type `essence`, such as `application/sdp`, whatever its parameters.
    pub fn is(&self, essence: &str) -> bool {
        essence.split_once('/').is_some_and(|(kind, subtype)| {
            self.kind.eq_ignore_ascii_case(kind) && self.subtype.eq_ignore_ascii_case(subtype)
        })
    }

    /// Whether this range covers the type `essence` (RFC 3261 §20.1).
    pub fn covers(&self, essence: &str) -> bool {
        let matches = |own: &str, other: &str| own == "*" || own.eq_ignore_ascii_case(other);
        essence.split_once('/').is_some_and(|(kind, subtype)| {
            matches(&self.kind, kind) && matches(&self.subtype, subtype)
        })
    }

    fn parse(value: &WireText, rfc: &'static str) -> Result<Self, ParseError> {
        let rule = (token, slash, token, |i| header_parameters(value, i));
        let (kind, _, subtype, parameters) = finish(value, rfc, rule)?;
        let slice = |text| value.slice_ref(text);
        Ok(Self { kind: slice(kind), subtype: slice(subtype), parameters })
    }
}

impl PartialEq for MediaType {
    fn eq(&self, other: &Self) -> bool {
        self.is(&format!("{}/{}", other.kind, other.subtype)) && self.parameters == other.parameters
    }
}

impl fmt::Display for MediaType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}{}", self.kind, self.subtype, self.parameters)
    }
}

impl std::str::FromStr for MediaType {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        Self::parse(&text.into(), "RFC 3261 §20.15")
    }
}

/// The type of the body, RFC 3261 §20.15.
#[derive(Clone, Debug, PartialEq)]
pub struct ContentType(pub MediaType);

impl ContentType {
    /// Whether the body is of the type `essence`, such as `application/sdp`.
    pub fn is(&self, essence: &str) -> bool {
        self.0.is(essence)
    }
}

impl Header for ContentType {
    const NAME: HeaderName = HeaderName::CONTENT_TYPE;
    const IS_LIST: bool = false;

    fn parse(value: &WireText) -> Result<Self, ParseError> {
        MediaType::parse(value, "RFC 3261 §20.15").map(Self)
    }

    fn write(&self, out: &mut String) {
        out.push_str(&self.0.to_string());
    }
}

/// A type of body that is welcome, RFC 3261 §20.1. A field without any value welcomes none.
#[derive(Clone, Debug, PartialEq)]
pub struct Accept(pub MediaType);

impl Header for Accept {
    const NAME: HeaderName = HeaderName::ACCEPT;
    const IS_LIST: bool = true;
    const MAY_BE_EMPTY: bool = true;

    fn parse(value: &WireText) -> Result<Self, ParseError> {
        MediaType::parse(value, "RFC 3261 §20.1").map(Self)
    }

    fn write(&self, out: &mut String) {
        out.push_str(&self.0.to_string());
    }
}

/// How many bytes the body has, RFC 3261 §20.14.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ContentLength(pub usize);

impl Header for ContentLength {
    const NAME: HeaderName = HeaderName::CONTENT_LENGTH;
    const IS_LIST: bool = false;

    fn parse(value: &WireText) -> Result<Self, ParseError> {
        finish(value, "RFC 3261 §20.14", number).map(Self)
    }

    fn write(&self, out: &mut String) {
        out.push_str(&self.0.to_string());
    }
}

/// What the body is for, RFC 3261 §20.11.
#[derive(Clone, Debug, PartialEq)]
pub struct ContentDisposition {
    /// The use, such as `session`.
    pub disposition: ByteString,
    /// The parameters, such as `handling`.
    pub parameters: Parameters,
}

impl ContentDisposition {
    /// Whether the message must be refused when the body is not understood: so it is unless
    /// `handling` says `optional` (RFC 3261 §20.11).
    pub fn is_required(&self) -> bool {
        !self.parameters.value("handling").is_some_and(|how| how.eq_ignore_ascii_case("optional"))
    }
}

impl Header for ContentDisposition {
    const NAME: HeaderName = HeaderName::CONTENT_DISPOSITION;
    const IS_LIST: bool = false;

    fn parse(value: &WireText) -> Result<Self, ParseError> {
        let rule = (token, |i| header_parameters(value, i));
        let (disposition, parameters) = finish(value, "RFC 3261 §20.11", rule)?;
        Ok(Self { disposition: value.slice_ref(disposition), parameters })
    }

    fn write(&self, out: &mut String) {
        out.push_str(&format!("{}{}", self.disposition, self.parameters));
    }
}

/// An encoding that was applied to the body, RFC 3261 §20.12.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ContentEncoding(pub ByteString);

impl Header for ContentEncoding {
    const NAME: HeaderName = HeaderName::CONTENT_ENCODING;
    const IS_LIST: bool = true;

    fn parse(value: &WireText) -> Result<Self, ParseError> {
        finish(value, "RFC 3261 §20.12", token).map(|coding| Self(value.slice_ref(coding)))
    }

    fn write(&self, out: &mut String) {
        out.push_str(&self.0);
    }
}
