//! `Via` (RFC 3261 §20.42, RFC 3581 for `rport`).

use std::net::IpAddr;

use nom::{
    Parser,
    bytes::complete::{tag, tag_no_case},
};

use super::{Header, HeaderName};
use crate::{
    Host, Parameters, Text, WireText,
    parse::{
        Class, ParseError, Parsed, expect, finish, lws, lws1, slash, take_class1, write_number,
    },
    uri::{ipv6, read_header_parameters, read_host_port},
};

/// One hop that the request has taken. The protocol is always `SIP/2.0`.
#[derive(Clone, Debug)]
pub struct Via {
    /// The transport, such as `UDP`, as it was written.
    pub transport: Text,
    /// The host of `sent-by`.
    pub host: Host,
    /// The port of `sent-by`.
    pub port: Option<u16>,
    /// The parameters, such as `branch` and `received`.
    pub parameters: Parameters,
}

impl Via {
    /// A hop without parameters.
    pub fn new(transport: impl Into<Text>, host: Host, port: Option<u16>) -> Self {
        Self { transport: transport.into(), host, port, parameters: Parameters::new() }
    }

    /// The same hop with the branch `branch`, which must be a token.
    #[must_use]
    pub fn with_branch(mut self, branch: impl Into<Text>) -> Self {
        self.parameters.set("branch", Some(branch));
        self
    }

    /// The same hop with an empty `rport`: it asks for the source port (RFC 3581 §3).
    #[must_use]
    pub fn with_rport(mut self) -> Self {
        self.parameters.set("rport", None::<Text>);
        self
    }

    /// The transaction identifier (RFC 3261 §8.1.1.7).
    pub fn branch(&self) -> Option<&str> {
        self.parameters.value("branch")
    }

    /// The address that the request came from, if the receiver put it in. Brackets around an IPv6
    /// address are forgiven (RFC 5118 §4.5).
    pub fn received(&self) -> Option<IpAddr> {
        let text = self.parameters.value("received")?;
        let inside = text.strip_prefix('[').and_then(|text| text.strip_suffix(']'));
        match inside {
            Some(inside) => ipv6(inside).map(IpAddr::V6),
            None => text.parse().ok().or_else(|| ipv6(text).map(IpAddr::V6)),
        }
    }

    /// Puts in where the request came from (RFC 3261 §18.2.1). IPv6 is written without brackets.
    pub fn set_received(&mut self, address: IpAddr) {
        self.parameters.set("received", Some(address.to_string()));
    }

    /// Whether the sender asks for its source port, or has it told (RFC 3581 §3).
    pub fn has_rport(&self) -> bool {
        self.parameters.contains("rport")
    }

    /// The source port of the request, if the receiver put it in (RFC 3581 §4).
    pub fn rport(&self) -> Option<u16> {
        self.parameters.number("rport")
    }

    /// Puts in the source port of the request (RFC 3581 §4).
    pub fn set_rport(&mut self, port: u16) {
        self.parameters.set("rport", Some(port.to_string()));
    }

    /// The multicast address or the host to send responses to (RFC 3261 §18.2.2).
    pub fn maddr(&self) -> Option<&str> {
        self.parameters.value("maddr")
    }

    /// The time to live of multicast packets, 0 to 255 (RFC 3261 §18.1.1).
    pub fn ttl(&self) -> Option<u8> {
        self.parameters.number("ttl")
    }
}

impl PartialEq for Via {
    /// Transports are tokens, which have no case (RFC 3261 §7.3.1).
    fn eq(&self, other: &Self) -> bool {
        self.transport.eq_ignore_ascii_case(&other.transport)
            && self.host == other.host
            && self.port == other.port
            && self.parameters == other.parameters
    }
}

impl Header for Via {
    const NAME: HeaderName = HeaderName::VIA;
    const IS_LIST: bool = true;

    fn parse(value: &WireText<'_>) -> Result<Self, ParseError> {
        let tolerant = value.is_tolerant();
        let (transport, (host, port), parameters) = finish(value, RFC, |i| {
            let (i, transport) = protocol(i)?;
            let (i, sent_by) = read_host_port(i, true, tolerant)?;
            let (i, parameters) = read_header_parameters(tolerant, i)?;
            Ok((i, (transport, sent_by, parameters)))
        })?;
        Ok(Self {
            transport: transport_text(value, transport),
            host: host.of(value),
            port,
            parameters: Parameters::of(value, parameters),
        })
    }

    fn write(&self, out: &mut String) {
        out.push_str("SIP/2.0/");
        out.push_str(&self.transport);
        out.push(' ');
        self.host.write(out);
        if let Some(port) = self.port {
            out.push(':');
            write_number(port, out);
        }
        self.parameters.write(out);
    }

    fn fits(&self) -> bool {
        !self.transport.is_empty()
            && Class::TOKEN.covers(&self.transport)
            && self.host.fits()
            && self.parameters.fit_header()
    }
}

/// `SIP/2.0/` and the transport, with white space around each `/`, and the white space behind;
/// gives the transport.
fn protocol(i: &str) -> Parsed<'_, &str> {
    let i = match i.strip_prefix("SIP/2.0/") {
        Some(rest) => lws(rest)?.0,
        None => {
            let version = (tag_no_case("SIP"), slash, tag("2.0"), slash);
            expect("SIP/2.0", version).parse(i)?.0
        }
    };
    let (i, transport) = take_class1(i, Class::TOKEN, "a transport")?;
    let (i, _) = lws1(i)?;
    Ok((i, transport))
}

/// The transport `text`, a part of `owner`. Most are one of a few, which need no share of it.
fn transport_text(owner: &WireText<'_>, text: &str) -> Text {
    match text {
        "UDP" => Text::from_static("UDP"),
        "TCP" => Text::from_static("TCP"),
        "TLS" => Text::from_static("TLS"),
        "WS" => Text::from_static("WS"),
        "WSS" => Text::from_static("WSS"),
        _ => owner.slice_ref(text),
    }
}

const RFC: &str = "RFC 3261 §20.42";
