//! One of our descriptions, offer or answer, before it is text.

use std::time::Duration;

use bytes::Bytes;
use bytestring::ByteString;

use super::{capabilities::LocalMedia, remote::AUDIO};
use crate::{
    codec::Codec,
    description::{
        Attribute, Connection, Direction, Field, FormatParameters, MediaDescription, MediaLine,
        Origin, Rtcp, RtpMap, SessionDescription,
    },
    error::Unwritable,
};

/// What a description of ours says. Exactly one stream is in use; the others are refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Proposal {
    /// The `t=` lines: those of the offer, also in our answer (RFC 3264 §6).
    pub(super) times: Vec<Field>,
    /// The refused streams above ours.
    pub(super) before: Vec<MediaLine>,
    pub(super) stream: Stream,
    /// The refused streams below ours.
    pub(super) after: Vec<MediaLine>,
}

impl Proposal {
    /// The place of our stream among the `m=` lines.
    pub(super) const fn index(&self) -> usize {
        self.before.len()
    }

    /// How many `m=` lines there are.
    pub(super) const fn len(&self) -> usize {
        self.before.len().saturating_add(self.after.len()).saturating_add(1)
    }

    /// The text. Session id and version make the `o=` line.
    pub(super) fn write(
        &self,
        session_id: u64,
        version: u64,
        local: &LocalMedia,
    ) -> Result<Bytes, Unwritable> {
        let connection = Connection::to(local.rtp.ip());
        let origin = Origin {
            username: ByteString::from_static("-"),
            session_id: session_id.to_string().into(),
            session_version: version.to_string().into(),
            network_type: connection.network_type.clone(),
            address_type: connection.address_type.clone(),
            address: connection.address.to_string().into(),
        };
        let mut session = SessionDescription::with_times(origin, connection, self.times.clone())?;
        for line in &self.before {
            session.media.push(MediaDescription::new(line.refused())?);
        }
        session.media.push(self.stream.write(local)?);
        for line in &self.after {
            session.media.push(MediaDescription::new(line.refused())?);
        }
        Ok(session.to_bytes())
    }
}

/// Our audio stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Stream {
    pub(super) protocol: ByteString,
    pub(super) formats: Vec<Format>,
    pub(super) direction: Direction,
    pub(super) ptime: Duration,
    pub(super) rtcp_mux: bool,
}

impl Stream {
    fn write(&self, local: &LocalMedia) -> Result<MediaDescription, Unwritable> {
        let mut media = MediaDescription::new(MediaLine {
            media: ByteString::from_static(AUDIO),
            port: local.rtp.port(),
            ports: None,
            protocol: self.protocol.clone(),
            formats: self.formats.iter().map(Format::name).collect(),
        })?;
        let formats = self.formats.iter().flat_map(Format::attributes);
        let timing = [Attribute::Ptime(self.ptime), Attribute::Direction(self.direction)];
        let mux = self.rtcp_mux.then_some(Attribute::RtcpMux);
        for attribute in formats.chain(timing).chain(rtcp(local)).chain(mux) {
            media.add(Field::Attribute(attribute))?;
        }
        Ok(media)
    }
}

/// A codec with the payload type that stands for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Format {
    pub(super) number: u8,
    pub(super) codec: Codec,
}

impl Format {
    fn name(&self) -> ByteString {
        self.number.to_string().into()
    }

    /// `a=rtpmap`, for static payload types too (RFC 3264 §6.1), and `a=fmtp`.
    fn attributes(&self) -> impl Iterator<Item = Attribute> {
        let map = RtpMap {
            payload_type: self.number,
            encoding: self.codec.encoding.clone(),
            clock_rate: self.codec.clock_rate,
            channels: self.codec.channels,
        };
        let parameters = self.codec.format_parameters.clone().map(|parameters| {
            Attribute::FormatParameters(FormatParameters { format: self.name(), parameters })
        });
        std::iter::once(Attribute::RtpMap(map)).chain(parameters)
    }
}

/// `a=rtcp`, when RTCP is not where a peer expects it: on the next port (RFC 3605 §2.1).
fn rtcp(local: &LocalMedia) -> Option<Attribute> {
    let same_address = local.rtcp.ip() == local.rtp.ip();
    if same_address && local.rtp.port().checked_add(1) == Some(local.rtcp.port()) {
        return None;
    }
    let connection = (!same_address).then(|| Connection::to(local.rtcp.ip()));
    Some(Attribute::Rtcp(Rtcp { port: local.rtcp.port(), connection }))
}

/// The transport that we offer.
pub(super) const RTP_AVP: &str = "RTP/AVP";
