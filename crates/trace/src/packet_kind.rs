//! What a recorded packet is, told by its first bytes (RFC 7983 §7, RFC 5761 §4).
#![deny(clippy::arithmetic_side_effects)]

use std::fmt;

use bytes::Bytes;
use offhook_sip_message::{CSeq, HeaderName, Message};

use crate::escape;

/// What a packet is, as far as a ladder wants to know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum PacketKind {
    /// A SIP message, or what should have been one: an arrow of its own.
    Message(Summary),
    /// One of many alike: they share an arrow.
    Stream(Stream),
}

impl PacketKind {
    pub(crate) fn of(payload: &Bytes) -> Self {
        if let Some(stream) = Stream::of(payload) {
            return Self::Stream(stream);
        }
        match Message::parse(payload.clone()) {
            Ok(message) => Self::Message(Summary::of(&message)),
            Err(_) if payload.first().is_some_and(u8::is_ascii_graphic) => {
                Self::Message(Summary::of_malformed(payload))
            }
            Err(_) => Self::Stream(Stream::Other),
        }
    }
}

/// A SIP message in a few words. They are as the network sent them: escape them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Summary {
    pub(crate) label: String,
    /// Whether the body is a session description.
    pub(crate) sdp: bool,
}

impl Summary {
    fn of(message: &Message) -> Self {
        let cseq = message.header::<CSeq>().ok().flatten();
        let label = match message {
            Message::Request(request) => {
                let number = cseq.map_or_else(|| "?".to_owned(), |cseq| cseq.number.to_string());
                format!("{} ({number})", request.method().as_str())
            }
            Message::Response(response) => {
                let answered = cseq.map_or_else(
                    || "?".to_owned(),
                    |CSeq { number, method }| format!("{number} {}", method.as_str()),
                );
                let reason = response.reason();
                format!("{} {reason} ({answered})", response.status().as_u16())
            }
        };
        let content_type = message.headers().get_raw(HeaderName::CONTENT_TYPE);
        let sdp = content_type.is_some_and(is_sdp);
        Self { label, sdp }
    }

    fn of_malformed(payload: &[u8]) -> Self {
        let line = payload.split(|byte| matches!(byte, b'\r' | b'\n')).next().unwrap_or_default();
        let line = escape::clip(&String::from_utf8_lossy(line), 40);
        Self { label: format!("malformed: {line}"), sdp: false }
    }
}

fn is_sdp(content_type: &[u8]) -> bool {
    let media_type = content_type.split(|byte| *byte == b';').next().unwrap_or_default();
    media_type.trim_ascii().eq_ignore_ascii_case(b"application/sdp")
}

/// Packets that are told apart by their protocol only.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Stream {
    /// Sound, with its payload type (RFC 3550 §5.1).
    Rtp(u8),
    Rtcp,
    Stun,
    Dtls,
    /// Only line ends (RFC 5626 §3.5.1), or nothing at all.
    KeepAlive,
    Other,
}

impl Stream {
    fn of(payload: &[u8]) -> Option<Self> {
        if payload.iter().all(|byte| matches!(byte, b'\r' | b'\n' | 0)) {
            return Some(Self::KeepAlive);
        }
        match *payload {
            [128..=191, 192..=223, ..] => Some(Self::Rtcp),
            [128..=191, second, ..] if payload.len() >= 12 => Some(Self::Rtp(second & 0x7F)),
            [0..=3, ..] => Some(Self::Stun),
            [20..=31, ..] => Some(Self::Dtls),
            _ => None,
        }
    }
}

impl fmt::Display for Stream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Rtp(payload_type) => match static_encoding(*payload_type) {
                Some(name) => write!(f, "RTP {name}"),
                None => write!(f, "RTP payload type {payload_type}"),
            },
            Self::Rtcp => f.write_str("RTCP"),
            Self::Stun => f.write_str("STUN"),
            Self::Dtls => f.write_str("DTLS"),
            Self::KeepAlive => f.write_str("keep-alive"),
            Self::Other => f.write_str("other"),
        }
    }
}

/// The static payload types for sound of RFC 3551 §6 that are still met.
const fn static_encoding(payload_type: u8) -> Option<&'static str> {
    Some(match payload_type {
        0 => "PCMU",
        3 => "GSM",
        4 => "G723",
        8 => "PCMA",
        9 => "G722",
        13 => "CN",
        15 => "G728",
        18 => "G729",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn label(text: &'static str) -> (String, bool) {
        match PacketKind::of(&Bytes::from_static(text.as_bytes())) {
            PacketKind::Message(Summary { label, sdp }) => (label, sdp),
            PacketKind::Stream(stream) => (stream.to_string(), false),
        }
    }

    #[test]
    fn a_message_is_told_by_its_start_line_and_sequence() {
        let invite = "INVITE sip:b@b SIP/2.0\r\nCSeq: 7 INVITE\r\nc: Application/SDP;x\r\n\
                      Content-Length: 3\r\n\r\nv=0";
        assert_eq!(label(invite), ("INVITE (7)".to_owned(), true));
        let ringing = "SIP/2.0 180 Ringing\r\nCSeq: 7 INVITE\r\nContent-Length: 0\r\n\r\n";
        assert_eq!(label(ringing), ("180 Ringing (7 INVITE)".to_owned(), false));
    }

    #[test]
    fn what_is_no_message_is_shown_as_such() {
        assert_eq!(label("HELLO\r\nworld").0, "malformed: HELLO");
        assert_eq!(label("\r\n\r\n").0, "keep-alive");
        assert_eq!(label("").0, "keep-alive");
        assert_eq!(label("\x7f").0, "other");
    }

    #[test]
    fn media_is_told_by_its_first_two_bytes() {
        let stream = |first, second| {
            let payload = [[first, second].as_slice(), &[0; 20]].concat();
            PacketKind::of(&payload.into())
        };
        assert_eq!(stream(0x80, 0x80), PacketKind::Stream(Stream::Rtp(0)));
        assert_eq!(stream(0x80, 200), PacketKind::Stream(Stream::Rtcp));
        assert_eq!(stream(0, 1), PacketKind::Stream(Stream::Stun));
        assert_eq!(stream(22, 254), PacketKind::Stream(Stream::Dtls));
        assert_eq!(Stream::Rtp(96).to_string(), "RTP payload type 96");
    }
}
