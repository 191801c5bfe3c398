//! One media description: the `m=` line and what belongs to it (RFC 8866 §5.14).
#![deny(clippy::arithmetic_side_effects)]

use std::{fmt, num::NonZeroU32, time::Duration};

use bytestring::ByteString;

use super::{
    attribute::{Attribute, Rtcp, RtpMap},
    connection::Connection,
    direction::Direction,
    line::{Field, Line},
    words::{Fault, Word, Words, is_token, number},
};
use crate::error::Unwritable;

/// An `m=` line and the lines that follow it up to the next one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MediaDescription {
    /// The value of the first line.
    media: MediaLine,
    /// All lines in order, the `m=` line first.
    lines: Vec<Line>,
}

impl MediaDescription {
    /// A description with nothing but its `m=` line.
    ///
    /// # Errors
    /// The value cannot be written as one line.
    pub fn new(media: MediaLine) -> Result<Self, Unwritable> {
        let line = Line::new(Field::Media(media.clone()))?;
        Ok(Self { media, lines: vec![line] })
    }

    /// Adds a line at the end. The order of RFC 8866 §5 is the caller's: `i=`, `c=`, `b=`, `a=`.
    ///
    /// # Errors
    /// The value cannot be written as one line, or it would not belong to a stream: `m=`, `o=`, `v=`.
    pub fn add(&mut self, field: Field) -> Result<(), Unwritable> {
        let line = Line::new(field)?;
        match line.field() {
            Field::Media(_) | Field::Origin(_) | Field::Other { letter: b'v', .. } => {
                let line = String::from_utf8_lossy(line.as_bytes()).into_owned();
                Err(Unwritable { line })
            }
            _ => {
                self.lines.push(line);
                Ok(())
            }
        }
    }

    /// The value of the `m=` line.
    pub const fn media(&self) -> &MediaLine {
        &self.media
    }

    /// All lines in order, the `m=` line first.
    pub fn lines(&self) -> &[Line] {
        &self.lines
    }

    /// The stream's own `c=` line: the first, if there are several.
    pub fn connection(&self) -> Option<&Connection> {
        self.lines.iter().find_map(|line| match line.field() {
            Field::Connection(connection) => Some(connection),
            _ => None,
        })
    }

    /// The attributes in order.
    pub fn attributes(&self) -> impl Iterator<Item = &Attribute> {
        attributes(&self.lines)
    }

    /// The stream's own direction. Without one the direction of the session holds.
    pub fn direction(&self) -> Option<Direction> {
        direction(&self.lines)
    }

    /// What a payload type stands for, as `a=rtpmap` says.
    pub fn rtpmap(&self, payload_type: u8) -> Option<&RtpMap> {
        self.attributes().find_map(|attribute| match attribute {
            Attribute::RtpMap(map) if map.payload_type == payload_type => Some(map),
            _ => None,
        })
    }

    /// The parameters of a format, as `a=fmtp` says.
    pub fn format_parameters(&self, format: &str) -> Option<&ByteString> {
        self.attributes().find_map(|attribute| match attribute {
            Attribute::FormatParameters(it) if it.format == format => Some(&it.parameters),
            _ => None,
        })
    }

    /// How much media the writer would like in a packet.
    pub fn ptime(&self) -> Option<Duration> {
        self.attributes().find_map(|attribute| match attribute {
            Attribute::Ptime(time) => Some(*time),
            _ => None,
        })
    }

    /// How much media a packet may hold.
    pub fn max_ptime(&self) -> Option<Duration> {
        self.attributes().find_map(|attribute| match attribute {
            Attribute::MaxPtime(time) => Some(*time),
            _ => None,
        })
    }

    /// Where RTCP goes, when `a=rtcp` says so.
    pub fn rtcp(&self) -> Option<&Rtcp> {
        self.attributes().find_map(|attribute| match attribute {
            Attribute::Rtcp(rtcp) => Some(rtcp),
            _ => None,
        })
    }

    /// Whether RTP and RTCP are to share one port.
    pub fn rtcp_mux(&self) -> bool {
        self.attributes().any(|attribute| matches!(attribute, Attribute::RtcpMux))
    }

    /// Begins a section with an `m=` line that was read.
    pub(super) fn begin(media: MediaLine, line: Line) -> Self {
        Self { media, lines: vec![line] }
    }

    pub(super) fn push(&mut self, line: Line) {
        self.lines.push(line);
    }
}

/// The value of an `m=` line (RFC 8866 §5.14).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MediaLine {
    /// The media type: `audio`, `video`, `application` …
    pub media: ByteString,
    /// The port. 0 means that the stream is refused or ended (RFC 3264 §6, §8.2).
    pub port: u16,
    /// The number of ports, when the line gives one.
    pub ports: Option<NonZeroU32>,
    /// The transport, such as `RTP/AVP`.
    pub protocol: ByteString,
    /// The formats in order of preference. For RTP these are payload types.
    pub formats: Vec<ByteString>,
}

impl MediaLine {
    pub(super) fn read(value: &ByteString) -> Result<Self, Fault> {
        let mut words = Words::new(value, "RFC 8866 §5.14");
        let token = |word: Word<'_>| is_token(word.text).then(|| word.share(word.text));
        let media = words.read("a media type", token)?;
        let (port, ports) = words.read("a port from 0 to 65535", read_port)?;
        let protocol = words.next("a transport")?;
        let first = words.next("a media format")?;
        let formats = std::iter::once(first).chain(words.rest()).collect();
        Ok(Self { media, port, ports, protocol, formats })
    }

    /// The same line with the stream refused (RFC 3264 §6).
    #[must_use]
    pub fn refused(&self) -> Self {
        Self { port: 0, ports: None, ..self.clone() }
    }
}

impl fmt::Display for MediaLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.media, self.port)?;
        self.ports.iter().try_for_each(|ports| write!(f, "/{ports}"))?;
        write!(f, " {}", self.protocol)?;
        self.formats.iter().try_for_each(|format| write!(f, " {format}"))
    }
}

/// The attributes among the lines of a section.
pub(super) fn attributes(lines: &[Line]) -> impl Iterator<Item = &Attribute> {
    lines.iter().filter_map(|line| match line.field() {
        Field::Attribute(attribute) => Some(attribute),
        _ => None,
    })
}

/// The direction among the lines of a section.
pub(super) fn direction(lines: &[Line]) -> Option<Direction> {
    attributes(lines).find_map(|attribute| match attribute {
        Attribute::Direction(direction) => Some(*direction),
        _ => None,
    })
}

fn read_port(word: Word<'_>) -> Option<(u16, Option<NonZeroU32>)> {
    match word.text.split_once('/') {
        Some((port, ports)) => Some((number(port)?, Some(number(ports)?))),
        None => Some((word.number()?, None)),
    }
}
