//! `host` and `hostport` (RFC 3261 §25.1, RFC 5954 §4 for IPv6).

use std::{
    fmt::{self, Write as _},
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
};

use bytestring::ByteString;
use nom::{
    Parser,
    bytes::complete::take_while1,
    character::complete::char,
    combinator::opt,
    sequence::{delimited, preceded},
};

use crate::{
    WireText,
    parse::{Fault, ParseError, Parsed, expect, lws, number},
};

/// A host: a name or an address.
#[derive(Clone, Debug)]
pub enum Host {
    /// A domain name, as it was written.
    Name(ByteString),
    /// An IPv4 address.
    V4(Ipv4Addr),
    /// An IPv6 address; brackets stand around it in text.
    V6(Ipv6Addr),
}

impl Host {
    /// The address, if the host is one.
    pub fn ip(&self) -> Option<IpAddr> {
        match self {
            Self::Name(_) => None,
            Self::V4(address) => Some(IpAddr::V4(*address)),
            Self::V6(address) => Some(IpAddr::V6(*address)),
        }
    }
}

impl Host {
    /// Appends the host as it stands in a URI.
    pub(crate) fn write(&self, out: &mut String) {
        match self {
            Self::Name(name) => out.push_str(name),
            // Writing to a string does not fail.
            Self::V4(_) | Self::V6(_) => drop(write!(out, "{self}")),
        }
    }
}

impl PartialEq for Host {
    /// Names are compared without case (RFC 3261 §19.1.4).
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Name(one), Self::Name(other)) => one.eq_ignore_ascii_case(other),
            (Self::V4(one), Self::V4(other)) => one == other,
            (Self::V6(one), Self::V6(other)) => one == other,
            (Self::Name(_) | Self::V4(_) | Self::V6(_), _) => false,
        }
    }
}

impl Eq for Host {}

impl From<IpAddr> for Host {
    fn from(address: IpAddr) -> Self {
        match address {
            IpAddr::V4(address) => Self::V4(address),
            IpAddr::V6(address) => Self::V6(address),
        }
    }
}

impl std::str::FromStr for Host {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        let owner = WireText::from(text);
        match host(&owner, &owner) {
            Ok(("", host)) => Ok(host),
            Ok(_) | Err(_) => Err(ParseError::new(0, "a host", "RFC 3261 §25.1")),
        }
    }
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(name) => f.write_str(name),
            Self::V4(address) => address.fmt(f),
            Self::V6(address) => write!(f, "[{address}]"),
        }
    }
}

/// `host`; `i` must be a part of `owner`.
pub(crate) fn host<'a>(owner: &WireText, i: &'a str) -> Parsed<'a, Host> {
    if i.starts_with('[') {
        return ipv6_reference(i);
    }
    let in_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
    let (rest, text) = expect("a host", take_while1(in_name)).parse(i)?;
    if let Ok(address) = text.parse() {
        return Ok((rest, Host::V4(address)));
    }
    if is_hostname(text) {
        return Ok((rest, Host::Name(owner.slice_ref(text))));
    }
    Fault::error(i, "a host name or an IPv4 address")
}

/// `host [ COLON port ]`. White space around the colon is legal in `Via` only (RFC 3261 §20.42).
pub(crate) fn host_port<'a>(
    owner: &WireText,
    spaced: bool,
    i: &'a str,
) -> Parsed<'a, (Host, Option<u16>)> {
    let (i, host) = host(owner, i)?;
    let (i, port) = if spaced {
        opt(preceded(delimited(lws, char(':'), lws), number)).parse(i)?
    } else {
        opt(preceded(char(':'), number)).parse(i)?
    };
    match i.strip_prefix(':') {
        Some(rest) => Fault::error(rest, "a port from 0 to 65535"),
        None => Ok((i, (host, port))),
    }
}

fn ipv6_reference(i: &str) -> Parsed<'_, Host> {
    let in_address = |c: char| c.is_ascii_hexdigit() || matches!(c, ':' | '.');
    let inside = expect("an IPv6 address", take_while1(in_address));
    let close = expect("\"]\" after the IPv6 address", char(']'));
    let (rest, text) = delimited(char('['), inside, close).parse(i)?;
    match ipv6(text) {
        Some(address) => Ok((rest, Host::V6(address))),
        None => Fault::error(i, "an IPv6 address"),
    }
}

/// Three colons come from a slip in the grammar of RFC 3261 and stand for two (RFC 5118 §4.9,
/// RFC 5954 §3).
pub(crate) fn ipv6(text: &str) -> Option<Ipv6Addr> {
    match text.split_once(":::") {
        None => text.parse().ok(),
        Some((before, after)) => format!("{before}::{after}").parse().ok(),
    }
}

/// `hostname`: labels between dots, the last one not all of digits. Underscores are outside the
/// grammar, but names in use have them.
fn is_hostname(text: &str) -> bool {
    let text = text.strip_suffix('.').unwrap_or(text);
    let label = |label: &str| !label.is_empty() && !label.starts_with('-') && !label.ends_with('-');
    let top = text.rsplit('.').next().unwrap_or_default();
    text.split('.').all(label) && top.bytes().any(|byte| !byte.is_ascii_digit())
}
