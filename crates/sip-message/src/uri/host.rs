//! `host` and `hostport` (RFC 3261 §25.1, RFC 5954 §4 for IPv6).

use std::{
    fmt::{self, Write as _},
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
};

use crate::{
    Text, WireText,
    parse::{Class, Digits, Fault, ParseError, Parsed, take_class},
};

/// A host: a name or an address.
#[derive(Clone, Debug)]
pub enum Host {
    /// A domain name, as it was written.
    Name(Text),
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
            Self::V4(address) => drop(write_v4(*address, out)),
            Self::V6(_) => drop(write!(out, "{self}")),
        }
    }
}

/// Appends an address without brackets.
pub(crate) fn write_ip(address: IpAddr, out: &mut String) {
    match address {
        // Writing to a string does not fail.
        IpAddr::V4(address) => drop(write_v4(address, out)),
        IpAddr::V6(address) => drop(write!(out, "{address}")),
    }
}

/// Writes an address by its digits: the formatter, which could pad it, takes ten times as long.
pub(super) fn write_v4(address: Ipv4Addr, out: &mut impl fmt::Write) -> fmt::Result {
    let [first, others @ ..] = address.octets();
    out.write_str(Digits::of(first).as_str())?;
    others.into_iter().try_for_each(|byte| {
        out.write_str(".")?;
        out.write_str(Digits::of(byte).as_str())
    })
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
        match host(&owner, owner.is_tolerant()) {
            Ok(("", host)) => Ok(host.of(&owner)),
            Ok(_) | Err(_) => Err(ParseError::new(0, "a host", "RFC 3261 §25.1")),
        }
    }
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(name) => f.write_str(name),
            Self::V4(address) => write_v4(*address, f),
            Self::V6(address) => write!(f, "[{address}]"),
        }
    }
}

/// A host that has been read and does not yet share the bytes it came from.
#[derive(Clone, Copy, Debug)]
pub(crate) enum ReadHost<'a> {
    Name(&'a str),
    V4(Ipv4Addr),
    V6(Ipv6Addr),
}

impl Default for ReadHost<'_> {
    fn default() -> Self {
        Self::Name("")
    }
}

impl ReadHost<'_> {
    /// The host; the text it was read from must be a part of `owner`.
    #[inline]
    pub(crate) fn of(self, owner: &WireText<'_>) -> Host {
        match self {
            Self::Name(name) => Host::Name(owner.slice_ref(name)),
            Self::V4(address) => Host::V4(address),
            Self::V6(address) => Host::V6(address),
        }
    }
}

/// `host`.
#[inline]
fn host(i: &str, tolerant: bool) -> Parsed<'_, ReadHost<'_>> {
    if i.starts_with('[') {
        return ipv6_reference(i, tolerant);
    }
    let (length, top) = labels(i)?;
    let (text, rest) = i.split_at_checked(length).unwrap_or((i, ""));
    if !top.is_ascii_alphabetic() {
        return match address_or_odd_name(text, tolerant) {
            Some(host) => Ok((rest, host)),
            None => Fault::error(i, "a host name or an IPv4 address"),
        };
    }
    if !tolerant && let Some(at) = memchr::memchr(b'_', text.as_bytes()) {
        return Fault::error(i.get(at..).unwrap_or_default(), "a host name without underscores");
    }
    Ok((rest, ReadHost::Name(text)))
}

/// Walks over the labels at the start of `i`, one final dot included. Gives their length and the
/// first byte of the last of them, which tells most names from addresses.
#[inline]
fn labels(i: &str) -> Result<(usize, u8), nom::Err<Fault<'_>>> {
    let bytes = i.as_bytes();
    let (mut length, mut label, mut label_before) = (0_usize, 0_usize, 0_usize);
    while let Some(&byte) = bytes.get(length)
        && Class::HOST_NAME.has(byte)
    {
        // Of the class only the hyphen and the dot are so low.
        if byte <= b'.' {
            let before = length.checked_sub(1).and_then(|before| bytes.get(before));
            if matches!((before, byte), (None | Some(b'.'), _) | (Some(b'-'), b'.')) {
                break;
            }
            if byte == b'.' {
                (label_before, label) = (label, length.saturating_add(1));
            }
        }
        length = length.saturating_add(1);
    }
    let stop = i.get(length..).unwrap_or_default();
    let goes_on = stop.bytes().next().is_some_and(|byte| Class::HOST_NAME.has(byte));
    let last = length.checked_sub(1).and_then(|last| bytes.get(last));
    let fault = |rest, expected| Err(nom::Err::Error(Fault { rest, expected }));
    match last {
        None => fault(i, "a host"),
        Some(b'-') => fault(stop, "a host name"),
        Some(_) if goes_on => fault(stop, "a host name"),
        Some(_) => {
            let top = bytes.get(if label == length { label_before } else { label });
            Ok((length, top.copied().unwrap_or_default()))
        }
    }
}

/// An IPv4 address, or a name whose last label starts with a digit or an underscore. The grammar
/// has no such names, but networks at home and at work do; one of digits alone could be taken for
/// an address by some resolver and is refused.
fn address_or_odd_name(text: &str, tolerant: bool) -> Option<ReadHost<'_>> {
    if let Ok(address) = text.parse() {
        return Some(ReadHost::V4(address));
    }
    let top = text.strip_suffix('.').unwrap_or(text).rsplit('.').next()?;
    (tolerant && !Class::DIGIT.covers(top)).then_some(ReadHost::Name(text))
}

/// `host [ COLON port ]`; `i` must be a part of `owner`. White space around the colon is legal in
/// `Via` only (RFC 3261 §20.42).
pub(crate) fn host_port<'a>(
    owner: &WireText<'_>,
    spaced: bool,
    i: &'a str,
) -> Parsed<'a, (Host, Option<u16>)> {
    let (rest, (host, port)) = read_host_port(i, spaced, owner.is_tolerant())?;
    Ok((rest, (host.of(owner), port)))
}

/// The same, without the bytes.
#[inline]
pub(crate) fn read_host_port(
    i: &str,
    spaced: bool,
    tolerant: bool,
) -> Parsed<'_, (ReadHost<'_>, Option<u16>)> {
    let (i, host) = host(i, tolerant)?;
    let before = if spaced { take_class(i, Class::WHITE).1 } else { i };
    let Some(after) = before.strip_prefix(':') else { return Ok((i, (host, None))) };
    let after = if spaced { take_class(after, Class::WHITE).1 } else { after };
    let (digits, rest) = take_class(after, Class::DIGIT);
    match digits.parse() {
        Ok(port) => Ok((rest, (host, Some(port)))),
        Err(_) => Fault::error(after, "a port from 0 to 65535"),
    }
}

/// `IPv6reference` (RFC 5954 §4.1). A zone belongs to one machine and means nothing to another:
/// there is no place for it in the grammar, and none here.
fn ipv6_reference(i: &str, tolerant: bool) -> Parsed<'_, ReadHost<'_>> {
    let inside = i.get(1..).unwrap_or_default();
    let in_address = |byte: u8| byte.is_ascii_hexdigit() || matches!(byte, b':' | b'.');
    let end = inside.bytes().position(|byte| !in_address(byte)).unwrap_or(inside.len());
    let (text, rest) = inside.split_at_checked(end).unwrap_or((inside, ""));
    let Some(after) = rest.strip_prefix(']') else {
        let expected = match rest.as_bytes() {
            [b'%', ..] => "an IPv6 address without a zone",
            _ if text.is_empty() => "an IPv6 address",
            _ => "\"]\" after the IPv6 address",
        };
        return Fault::error(rest, expected);
    };
    let address = if tolerant { ipv6(text) } else { text.parse().ok() };
    match address {
        Some(address) => Ok((after, ReadHost::V6(address))),
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
