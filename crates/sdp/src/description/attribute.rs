//! The `a=` lines (RFC 8866 §6, RFC 3605, RFC 5761).
//!
//! Known attributes are typed. All others are kept as text, and so are known ones whose value
//! cannot be read: a parser must ignore what it does not understand (RFC 8866 §5).
#![deny(clippy::arithmetic_side_effects)]

use std::{fmt, time::Duration};

use bytes::Bytes;
use bytestring::ByteString;

use super::{
    connection::Connection,
    direction::Direction,
    milliseconds,
    words::{SPACES, Word, Words, is_token, number},
};

/// One attribute of a session or of a stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Attribute {
    /// `rtpmap`: what a payload type stands for.
    RtpMap(RtpMap),
    /// `fmtp`: the parameters of a format.
    FormatParameters(FormatParameters),
    /// `ptime`: how much media a packet should hold.
    Ptime(Duration),
    /// `maxptime`: how much media a packet may hold.
    MaxPtime(Duration),
    /// `sendrecv`, `sendonly`, `recvonly` or `inactive`.
    Direction(Direction),
    /// `rtcp`: where RTCP goes (RFC 3605 §2.1).
    Rtcp(Rtcp),
    /// `rtcp-mux`: RTP and RTCP share one port (RFC 5761 §5.1.1).
    RtcpMux,
    /// Any other attribute, as it came.
    Other {
        /// The text before the colon.
        name: Bytes,
        /// The text behind the colon, when there is a colon.
        value: Option<Bytes>,
    },
}

impl Attribute {
    pub(super) fn read(text: &Bytes) -> Self {
        let colon = memchr::memchr(b':', text).unwrap_or(text.len());
        let name = text.slice(..colon);
        let value = (colon < text.len()).then(|| text.slice(colon.saturating_add(1)..));
        let typed = match &value {
            Some(value) => ByteString::try_from(value.clone()).ok().and_then(|v| known(&name, &v)),
            None => flag(&name),
        };
        typed.unwrap_or(Self::Other { name, value })
    }

    /// Writes the text behind `a=`: the mirror of [`Attribute::read`].
    pub(super) fn write(&self, out: &mut Vec<u8>) {
        let text = match self {
            Self::RtpMap(map) => format!("rtpmap:{map}"),
            Self::FormatParameters(parameters) => format!("fmtp:{parameters}"),
            Self::Ptime(time) => format!("ptime:{}", milliseconds::write(*time)),
            Self::MaxPtime(time) => format!("maxptime:{}", milliseconds::write(*time)),
            Self::Direction(direction) => direction.to_string(),
            Self::Rtcp(rtcp) => format!("rtcp:{rtcp}"),
            Self::RtcpMux => "rtcp-mux".to_owned(),
            Self::Other { name, value } => {
                out.extend_from_slice(name);
                if let Some(value) = value {
                    out.push(b':');
                    out.extend_from_slice(value);
                }
                return;
            }
        };
        out.extend_from_slice(text.as_bytes());
    }
}

/// `a=rtpmap`: what a payload type stands for (RFC 8866 §6.6).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RtpMap {
    /// The number in the RTP header, 0 to 127.
    pub payload_type: u8,
    /// The encoding name, a token.
    pub encoding: ByteString,
    /// RTP clock ticks per second.
    pub clock_rate: u32,
    /// Audio channels. 1 when the line does not say.
    pub channels: u8,
}

impl RtpMap {
    fn read(value: &ByteString) -> Option<Self> {
        let mut words = Words::new(value, "RFC 8866 §6.6");
        let payload_type = words.read("a payload type", payload_type).ok()?;
        words.read("an encoding", |word| encoding(payload_type, word)).ok()
    }
}

impl fmt::Display for RtpMap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { payload_type, encoding, clock_rate, channels } = self;
        write!(f, "{payload_type} {encoding}/{clock_rate}")?;
        match channels {
            1 => Ok(()),
            _ => write!(f, "/{channels}"),
        }
    }
}

/// `a=fmtp`: the parameters of a format (RFC 8866 §6.15).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FormatParameters {
    /// The format, as it stands in the `m=` line.
    pub format: ByteString,
    /// The parameters, in the codec's own syntax.
    pub parameters: ByteString,
}

impl FormatParameters {
    fn read(value: &ByteString) -> Option<Self> {
        let (format, parameters) = value.trim_matches(SPACES).split_once(SPACES)?;
        let parameters = parameters.trim_start_matches(SPACES);
        is_token(format).then(|| Self {
            format: value.slice_ref(format),
            parameters: value.slice_ref(parameters),
        })
    }
}

impl fmt::Display for FormatParameters {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.format, self.parameters)
    }
}

/// `a=rtcp`: where RTCP goes when it is not the port after the RTP port (RFC 3605 §2.1).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rtcp {
    /// The UDP port.
    pub port: u16,
    /// The address, when it differs from the one of the stream.
    pub connection: Option<Connection>,
}

impl Rtcp {
    fn read(value: &ByteString) -> Option<Self> {
        let mut words = Words::new(value, "RFC 3605 §2.1");
        let port = words.read("a port", |word| word.number()).ok()?;
        let port_only = value.trim_matches(SPACES).find(SPACES).is_none();
        let connection =
            if port_only { None } else { Some(Connection::read_words(&mut words).ok()?) };
        Some(Self { port, connection })
    }
}

impl fmt::Display for Rtcp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.port)?;
        self.connection.iter().try_for_each(|connection| write!(f, " {connection}"))
    }
}

/// The attributes that have a value.
fn known(name: &[u8], value: &ByteString) -> Option<Attribute> {
    let time = || milliseconds::read(value.trim_matches(SPACES));
    match name {
        b"rtpmap" => RtpMap::read(value).map(Attribute::RtpMap),
        b"fmtp" => FormatParameters::read(value).map(Attribute::FormatParameters),
        b"ptime" => time().map(Attribute::Ptime),
        b"maxptime" => time().map(Attribute::MaxPtime),
        b"rtcp" => Rtcp::read(value).map(Attribute::Rtcp),
        _ => None,
    }
}

/// The attributes that have none.
fn flag(name: &[u8]) -> Option<Attribute> {
    match std::str::from_utf8(name).ok()?.trim_end_matches(SPACES) {
        "rtcp-mux" => Some(Attribute::RtcpMux),
        name => Direction::read(name).map(Attribute::Direction),
    }
}

/// The number has seven bits in the RTP header.
fn payload_type(word: Word<'_>) -> Option<u8> {
    word.number().filter(|number| *number <= 127)
}

fn encoding(payload_type: u8, word: Word<'_>) -> Option<RtpMap> {
    let mut parts = word.text.splitn(3, '/');
    let encoding = parts.next().filter(|name| is_token(name))?;
    let clock_rate = number(parts.next()?).filter(|rate| *rate > 0)?;
    let channels = parts.next().map_or(Some(1), |text| number(text).filter(|n| *n > 0))?;
    Some(RtpMap { payload_type, encoding: word.share(encoding), clock_rate, channels })
}
