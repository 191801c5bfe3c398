//! The peer's audio stream, read from its description.
#![deny(clippy::arithmetic_side_effects)]

use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    time::Duration,
};

use bytestring::ByteString;

use super::proposal::Format;
use crate::{
    codec::Codec,
    description::{
        Address, Attribute, Connection, Direction, MediaDescription, SessionDescription,
    },
    error::Error,
};

/// An audio stream of the peer that we could use.
#[derive(Clone, Debug)]
pub(super) struct Remote {
    pub(super) protocol: ByteString,
    /// The formats whose codec is known, in the peer's order.
    pub(super) formats: Vec<Format>,
    /// As the peer says it. With an unspecified address the peer does not receive.
    pub(super) direction: Direction,
    pub(super) rtp: SocketAddr,
    /// `None` when there is no port after the RTP port.
    rtcp: Option<SocketAddr>,
    pub(super) rtcp_mux: bool,
    pub(super) ptime: Option<Duration>,
    pub(super) max_ptime: Option<Duration>,
    /// What was odd, in sentences for people.
    pub(super) notes: Vec<String>,
}

impl Remote {
    /// Reads one stream. `known` explains payload types that have no `a=rtpmap`.
    pub(super) fn read(
        session: &SessionDescription,
        media: &MediaDescription,
        known: &[Format],
    ) -> Result<Self, Error> {
        let line = media.media();
        if line.media != AUDIO || line.port == 0 {
            return Err(Error::NoAudio);
        }
        if !PROFILES.contains(&&*line.protocol) {
            return Err(Error::UnsupportedProfile { profile: shown(&line.protocol) });
        }
        // A stream without its own c= line or direction has those of the session
        // (RFC 8866 §5.7, §6.7).
        let connection = media.connection().or(session.connection()).ok_or(Error::NoAddress)?;
        let rtp = SocketAddr::new(unicast(connection)?, line.port);
        let own = directions(media.attributes());
        let stated = if own.is_empty() { directions(session.attributes()) } else { own };
        let mut remote = Self {
            protocol: line.protocol.clone(),
            formats: formats(media, known),
            direction: stated.first().copied().unwrap_or_default(),
            rtp,
            rtcp: line.port.checked_add(1).map(|port| SocketAddr::new(rtp.ip(), port)),
            rtcp_mux: media.rtcp_mux(),
            ptime: media.ptime(),
            max_ptime: media.max_ptime(),
            notes: Vec::new(),
        };
        if stated.len() > 1 {
            let taken = remote.direction;
            remote.notes.push(format!(
                "{} directions are stated: {taken}, the first, counts",
                stated.len()
            ));
        }
        remote.read_rtcp(media);
        remote.read_hold();
        Ok(remote)
    }

    /// Where RTCP goes when it has its own port.
    pub(super) fn rtcp(&self) -> Result<SocketAddr, Error> {
        self.rtcp.ok_or_else(|| Error::UnsupportedAddress {
            address: self.rtp.to_string(),
            reason: "there is no next port for RTCP, and no a=rtcp line",
        })
    }

    /// The peer's codecs, for people.
    pub(super) fn shown_codecs(&self) -> String {
        let names: Vec<_> = self.formats.iter().map(|it| it.codec.to_string()).take(16).collect();
        if names.is_empty() { "none that is known".to_owned() } else { shown(&names.join(", ")) }
    }

    /// `a=rtcp` names the RTCP port, and maybe another address (RFC 3605 §2.1).
    fn read_rtcp(&mut self, media: &MediaDescription) {
        let Some(rtcp) = media.rtcp() else { return };
        let address = match &rtcp.connection {
            Some(connection) => unicast(connection),
            None => Ok(self.rtp.ip()),
        };
        match address {
            Ok(address) if rtcp.port != 0 => self.rtcp = Some(SocketAddr::new(address, rtcp.port)),
            _ => self.notes.push(format!("a=rtcp:{} cannot be used", shown(rtcp))),
        }
    }

    /// The hold of RFC 2543: neither RTP nor RTCP goes to an unspecified address
    /// (RFC 3264 §8.4). RTCP must not slip out to the address of an `a=rtcp` line.
    fn read_hold(&mut self) {
        if self.rtp.ip().is_unspecified() {
            self.direction = self.direction.within(Direction::SendOnly);
            self.rtcp = self.rtcp.map(|rtcp| SocketAddr::new(self.rtp.ip(), rtcp.port()));
            self.notes.push("the peer gives no address: it wants nothing sent".to_owned());
        }
    }
}

/// Text of the peer for a sentence: one line, no control characters, not too long.
pub(super) fn shown(text: &impl ToString) -> String {
    text.to_string().chars().flat_map(char::escape_debug).take(LONGEST_SHOWN).collect()
}

fn unicast(connection: &Connection) -> Result<IpAddr, Error> {
    let refused = |reason| Error::UnsupportedAddress { address: shown(connection), reason };
    if !connection.network_type.eq_ignore_ascii_case("IN") {
        return Err(refused("the network type IN is expected"));
    }
    let is_ip6 = match &*connection.address_type.to_ascii_uppercase() {
        "IP4" => false,
        "IP6" => true,
        _ => return Err(refused("the address type IP4 or IP6 is expected")),
    };
    match &connection.address {
        Address::Ip(address) if address.is_ipv6() != is_ip6 => {
            Err(refused("it is no address of the type before it"))
        }
        Address::Name(_) => Err(refused("an IP address is expected, names are not looked up")),
        Address::Ip(address) => match address.to_canonical() {
            IpAddr::V4(Ipv4Addr::BROADCAST) => Err(refused("it is the broadcast address")),
            address if address.is_multicast() => Err(refused("it is a multicast address")),
            address => Ok(address),
        },
    }
}

fn directions<'a>(attributes: impl Iterator<Item = &'a Attribute>) -> Vec<Direction> {
    let direction = |attribute: &Attribute| match attribute {
        Attribute::Direction(direction) => Some(*direction),
        _ => None,
    };
    attributes.filter_map(direction).collect()
}

/// The formats of the `m=` line whose codec is known. Each payload type counts once.
fn formats(media: &MediaDescription, known: &[Format]) -> Vec<Format> {
    let (mut formats, mut seen) = (Vec::new(), Vec::new());
    for text in &media.media().formats {
        let Some(number) = payload_type(text) else { continue };
        if seen.contains(&number) {
            continue;
        }
        seen.push(number);
        if let Some(codec) = codec(media, number, known) {
            let format_parameters = media.format_parameters(text).cloned();
            let codec = Codec { format_parameters, payload_type: Some(number), ..codec };
            formats.push(Format { number, codec });
        }
    }
    formats
}

/// `a=rtpmap` first, then the static assignments, then what the number meant before.
fn codec(media: &MediaDescription, number: u8, known: &[Format]) -> Option<Codec> {
    let mapped = media.rtpmap(number).map(|map| Codec {
        encoding: map.encoding.clone(),
        clock_rate: map.clock_rate,
        channels: map.channels,
        format_parameters: None,
        payload_type: Some(number),
    });
    let remembered = || known.iter().find(|it| it.number == number).map(|it| it.codec.clone());
    mapped.or_else(|| Codec::of_static(number)).or_else(remembered)
}

fn payload_type(text: &str) -> Option<u8> {
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|number| digits && *number <= 127)
}

/// The media type that we negotiate.
pub(super) const AUDIO: &str = "audio";
/// The transports that we answer, with the name that was offered.
const PROFILES: [&str; 2] = [super::proposal::RTP_AVP, "RTP/AVPF"];
/// Characters of the peer's text in a sentence of ours.
const LONGEST_SHOWN: usize = 120;
