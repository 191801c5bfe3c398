//! URIs in SIP messages (RFC 3261 §19.1 and §25.1): SIP and SIPS ones with their parts, all others
//! kept whole.
#![deny(clippy::arithmetic_side_effects)]

use std::fmt::{self, Write as _};

use bytestring::ByteString;
use nom::{
    Parser,
    branch::alt,
    bytes::complete::{take_while, take_while1},
    character::complete::{char, satisfy},
    combinator::{consumed, recognize},
};

use crate::{
    WireText,
    parse::{Fault, ParseError, Parsed, expect},
};

mod compare;

mod escape;
use escape::escapable;
pub use escape::{escape_user, unescape};

mod host;
pub use host::Host;
pub(crate) use host::{host_port, ipv6};

mod parameters;
pub use parameters::Parameters;
pub(crate) use parameters::header_parameters;

mod sip;
pub use sip::SipUri;

/// A URI as it stands in a Request-URI or an address.
///
/// Two SIP URIs are equal by the rules of RFC 3261 §19.1.4, which are not transitive; therefore
/// there is no `Eq` and no `Hash`.
#[derive(Clone, Debug, PartialEq)]
pub enum Uri {
    /// A `sip:` or `sips:` URI.
    Sip(SipUri),
    /// A URI of any other scheme, such as `tel:`.
    Absolute(AbsoluteUri),
}

impl Uri {
    /// Reads a URI; its parts become slices of `text`.
    ///
    /// # Errors
    /// When `text` is not a URI by RFC 3261 §25.1.
    pub fn parse(text: &WireText) -> Result<Self, ParseError> {
        let error = |fault: Fault<'_>| {
            let offset = text.len().saturating_sub(fault.rest.len());
            ParseError::new(offset, fault.expected, "RFC 3261 §19.1.1")
        };
        match uri(text, text) {
            Ok(("", uri)) => Ok(uri),
            Ok((rest, _)) => Err(error(Fault { rest, expected: "the end of the URI" })),
            Err(nom::Err::Error(fault) | nom::Err::Failure(fault)) => Err(error(fault)),
            Err(nom::Err::Incomplete(_)) => Err(error(Fault { rest: "", expected: "more" })),
        }
    }

    /// The scheme as it was written.
    pub fn scheme(&self) -> &str {
        match self {
            Self::Sip(uri) if uri.secure => "sips",
            Self::Sip(_) => "sip",
            Self::Absolute(uri) => uri.scheme(),
        }
    }

    /// Appends the URI as text.
    pub(crate) fn write(&self, out: &mut String) {
        match self {
            // Writing to a string does not fail.
            Self::Sip(uri) => drop(write!(out, "{uri}")),
            Self::Absolute(uri) => out.push_str(uri.as_str()),
        }
    }

    /// The parts of a SIP or SIPS URI.
    pub fn as_sip(&self) -> Option<&SipUri> {
        match self {
            Self::Sip(uri) => Some(uri),
            Self::Absolute(_) => None,
        }
    }
}

impl std::str::FromStr for Uri {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        Self::parse(&WireText::from(text))
    }
}

impl fmt::Display for Uri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sip(uri) => uri.fmt(f),
            Self::Absolute(uri) => uri.fmt(f),
        }
    }
}

impl From<SipUri> for Uri {
    fn from(uri: SipUri) -> Self {
        Self::Sip(uri)
    }
}

/// A URI of a scheme that this crate does not take apart, kept as it was written.
#[derive(Clone, Debug)]
pub struct AbsoluteUri {
    text: ByteString,
    colon: usize,
}

impl AbsoluteUri {
    /// The scheme, before the first colon.
    pub fn scheme(&self) -> &str {
        self.text.get(..self.colon).unwrap_or_default()
    }

    /// What stands after the colon.
    pub fn opaque(&self) -> &str {
        self.text.get(self.colon..).and_then(|rest| rest.strip_prefix(':')).unwrap_or_default()
    }

    /// The whole URI.
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

impl PartialEq for AbsoluteUri {
    /// Schemes have no case (RFC 2396 §3.1); of the rest nothing is known but its octets.
    fn eq(&self, other: &Self) -> bool {
        self.scheme().eq_ignore_ascii_case(other.scheme()) && self.opaque() == other.opaque()
    }
}

impl fmt::Display for AbsoluteUri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// `SIP-URI / SIPS-URI / absoluteURI`; `i` must be a part of `owner`.
pub(crate) fn uri<'a>(owner: &WireText, i: &'a str) -> Parsed<'a, Uri> {
    let (rest, (scheme, _)) = (scheme, expect("\":\" after the scheme", char(':'))).parse(i)?;
    let secure = scheme.eq_ignore_ascii_case("sips");
    if secure || scheme.eq_ignore_ascii_case("sip") {
        let (rest, uri) = sip::sip_uri(owner, secure, rest)?;
        return Ok((rest, Uri::Sip(uri)));
    }
    let (_, (text, _)) = consumed((take_while(|c| c != ':'), char(':'), opaque)).parse(i)?;
    let rest = i.get(text.len()..).unwrap_or_default();
    Ok((rest, Uri::Absolute(AbsoluteUri { text: owner.slice_ref(text), colon: scheme.len() })))
}

fn scheme(i: &str) -> Parsed<'_, &str> {
    let more = |c: char| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.');
    expect("a URI scheme", recognize((satisfy(|c| c.is_ascii_alphabetic()), take_while(more))))
        .parse(i)
}

/// What may follow the colon of a URI that is not taken apart: at least one `uric`. Brackets are
/// those of IPv6 references (RFC 2732 §3).
fn opaque(i: &str) -> Parsed<'_, &str> {
    let plain = |c: char| is_unreserved(c) || is_reserved(c) || matches!(c, '[' | ']' | '#');
    expect("the rest of the URI", escapable(alt((take_while1(plain), escape::escaped)))).parse(i)
}

pub(super) fn is_unreserved(c: char) -> bool {
    c.is_ascii_alphanumeric() || "-_.!~*'()".contains(c)
}

pub(super) fn is_reserved(c: char) -> bool {
    ";/?:@&=+$,".contains(c)
}

#[cfg(test)]
mod tests;
