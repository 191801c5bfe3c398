//! URIs in SIP messages (RFC 3261 §19.1 and §25.1): SIP and SIPS ones with their parts, all others
//! kept whole.

use std::fmt::{self, Write as _};

use crate::{
    Text, WireText,
    parse::{Class, Fault, ParseError, Parsed, Rest, take_class, take_escapable},
};

mod address_of_record;
pub use address_of_record::AddressOfRecord;

mod compare;

mod escape;
pub use escape::{escape_user, unescape};

mod fit;

mod host;
pub use host::Host;
use host::write_v4;
pub(crate) use host::{host_port, ipv6, read_host_port, write_ip};

mod parameters;
pub use parameters::Parameters;
pub(crate) use parameters::{MAX_PARAMETERS, has_bare, header_parameters, read_header_parameters};

mod sip;
pub use sip::SipUri;

mod tel;
pub use tel::TelUri;

/// A URI as it stands in a Request-URI or an address.
///
/// Two SIP URIs are equal by the rules of RFC 3261 §19.1.4, which are not transitive; therefore
/// there is no `Eq` and no `Hash`.
#[derive(Clone, Debug, PartialEq)]
pub enum Uri {
    /// A `sip:` or `sips:` URI.
    Sip(SipUri),
    /// A `tel:` URI.
    Tel(TelUri),
    /// A URI of any other scheme, such as `urn:`.
    Absolute(AbsoluteUri),
}

impl Uri {
    /// Reads a URI; its parts become slices of `text`.
    ///
    /// # Errors
    /// When `text` is not a URI by RFC 3261 §25.1 or RFC 3966 §3.
    pub fn parse(text: &WireText<'_>) -> Result<Self, ParseError> {
        let error = |fault: Fault<'_>| {
            let offset = text.len().saturating_sub(fault.rest.len());
            let rfc = if has_scheme(text, "tel:") { "RFC 3966 §3" } else { "RFC 3261 §19.1.1" };
            ParseError::new(offset, fault.expected, rfc)
        };
        match uri(text, text) {
            Ok(("", uri)) => Ok(uri),
            Ok((rest, _)) => Err(error(Fault { rest, expected: "the end of the URI" })),
            Err(nom::Err::Error(fault) | nom::Err::Failure(fault)) => Err(error(fault)),
            Err(nom::Err::Incomplete(_)) => Err(error(Fault { rest: "", expected: "more" })),
        }
    }

    /// The scheme, in lower case if it is one of those that are taken apart.
    pub fn scheme(&self) -> &str {
        match self {
            Self::Sip(uri) if uri.secure => "sips",
            Self::Sip(_) => "sip",
            Self::Tel(_) => "tel",
            Self::Absolute(uri) => uri.scheme(),
        }
    }

    /// Appends the URI as text.
    pub(crate) fn write(&self, out: &mut String) {
        match self {
            // Writing to a string does not fail.
            Self::Sip(uri) => drop(uri.write(out)),
            Self::Tel(uri) => drop(write!(out, "{uri}")),
            Self::Absolute(uri) => out.push_str(uri.as_str()),
        }
    }

    /// The parts of a SIP or SIPS URI.
    pub fn as_sip(&self) -> Option<&SipUri> {
        match self {
            Self::Sip(uri) => Some(uri),
            Self::Tel(_) | Self::Absolute(_) => None,
        }
    }

    /// The parts of a `tel` URI. [`SipUri::telephone`] finds the number in a SIP URI.
    pub fn as_tel(&self) -> Option<&TelUri> {
        match self {
            Self::Tel(uri) => Some(uri),
            Self::Sip(_) | Self::Absolute(_) => None,
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
            Self::Tel(uri) => uri.fmt(f),
            Self::Absolute(uri) => uri.fmt(f),
        }
    }
}

impl From<SipUri> for Uri {
    fn from(uri: SipUri) -> Self {
        Self::Sip(uri)
    }
}

impl From<TelUri> for Uri {
    fn from(uri: TelUri) -> Self {
        Self::Tel(uri)
    }
}

/// A URI of a scheme that this crate does not take apart, kept as it was written.
#[derive(Clone, Debug)]
pub struct AbsoluteUri {
    text: Text,
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

/// `SIP-URI / SIPS-URI / absoluteURI`, of which `telephone-uri` is one; `i` must be a part of
/// `owner`.
pub(crate) fn uri<'a>(owner: &WireText<'_>, i: &'a str) -> Parsed<'a, Uri> {
    let mut uri = ReadUri::default();
    let rest = read_uri(owner, i, &mut uri)?;
    Ok((rest, uri.of(owner)))
}

/// A URI that has been read. The parts of a SIP URI do not yet share the bytes they came from: a
/// value with many of them is costly to move.
#[derive(Debug, Default)]
pub(crate) struct ReadUri<'a> {
    sip: sip::ReadSipUri<'a>,
    /// The URI if it is no SIP URI.
    other: Option<Uri>,
}

impl ReadUri<'_> {
    /// The URI; the text it was read from must be a part of `owner`.
    #[inline]
    pub(crate) fn of(self, owner: &WireText<'_>) -> Uri {
        match self.other {
            None => Uri::Sip(self.sip.of(owner)),
            Some(other) => other,
        }
    }
}

/// Reads a URI at the start of `i`, a part of `owner`, into `uri`; gives what is left.
pub(crate) fn read_uri<'a>(owner: &WireText<'_>, i: &'a str, uri: &mut ReadUri<'a>) -> Rest<'a> {
    // Schemes have no case (RFC 2396 §3.1).
    let scheme = match i.as_bytes() {
        [b's' | b'S', b'i' | b'I', b'p' | b'P', b':', ..] => 4,
        [b's' | b'S', b'i' | b'I', b'p' | b'P', b's' | b'S', b':', ..] => 5,
        _ => return other_uri(owner, i, uri),
    };
    uri.sip.secure = scheme == 5;
    sip::sip_uri(owner, i.get(scheme..).unwrap_or_default(), &mut uri.sip)
}

/// Reads a URI that is no SIP URI.
fn other_uri<'a>(owner: &WireText<'_>, i: &'a str, uri: &mut ReadUri<'a>) -> Rest<'a> {
    let (rest, other) = match has_scheme(i, "tel:") {
        true => telephone_uri(owner, i)?,
        false => absolute_uri(owner, i).map(|(rest, uri)| (rest, Uri::Absolute(uri)))?,
    };
    uri.other = Some(other);
    Ok(rest)
}

/// `telephone-uri`. Gateways put words such as `tel:anonymous` where they know no number: a URI by
/// RFC 3261, which the tolerant profile keeps whole, so that it does not pass for a number.
fn telephone_uri<'a>(owner: &WireText<'_>, i: &'a str) -> Parsed<'a, Uri> {
    let number = tel::subscriber(owner, i.get(4..).unwrap_or_default());
    if !owner.is_tolerant() {
        return number.map(|(rest, uri)| (rest, Uri::Tel(uri)));
    }
    let (rest, whole) = absolute_uri(owner, i)?;
    match number {
        Ok((after, uri)) if after.len() == rest.len() => Ok((rest, Uri::Tel(uri))),
        Ok(_) | Err(_) => Ok((rest, Uri::Absolute(whole))),
    }
}

/// Whether `i` starts with `scheme`, colon included; schemes have no case (RFC 2396 §3.1).
fn has_scheme(i: &str, scheme: &str) -> bool {
    i.get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme))
}

/// `absoluteURI`. Brackets are those of IPv6 references in its authority (RFC 2732 §3).
fn absolute_uri<'a>(owner: &WireText<'_>, i: &'a str) -> Parsed<'a, AbsoluteUri> {
    let (scheme, after) = take_class(i, Class::SCHEME);
    if !scheme.starts_with(|first: char| first.is_ascii_alphabetic()) {
        return Fault::error(i, "a URI scheme");
    }
    let Some(after) = after.strip_prefix(':') else {
        return Fault::error(after, "\":\" after the scheme");
    };
    let (opaque, rest) = take_escapable(after, Class::URIC);
    if opaque.is_empty() {
        return Fault::error(after, "the rest of the URI");
    }
    // A fragment is no part of a URI (RFC 2396 §4), though one is met in `Call-Info` and the like.
    if !owner.is_tolerant()
        && let Some(at) = memchr::memchr(b'#', opaque.as_bytes())
    {
        return Fault::error(after.get(at..).unwrap_or_default(), "a URI without a fragment");
    }
    let length = i.len().saturating_sub(rest.len());
    let text = owner.slice_ref(i.get(..length).unwrap_or_default());
    Ok((rest, AbsoluteUri { text, colon: scheme.len() }))
}

#[cfg(test)]
mod tests;
