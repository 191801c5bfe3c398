//! The compound packet: what one RTCP datagram holds (RFC 3550 §6.1, §A.2).

use offhook_sansio::Reader;

use super::{
    Application, Goodbye, ReceiverReport, SenderReport, SourceDescription,
    header::{
        APPLICATION, Framed, GOODBYE, HEADER_LENGTH, RECEIVER_REPORT, SENDER_REPORT,
        SOURCE_DESCRIPTION,
    },
};
use crate::Malformed;

/// A checked view of one compound packet.
///
/// The first packet is a report, only the last one is padded, the lengths add up to the datagram,
/// and every packet of a known type is well-formed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Compound<'a> {
    bytes: &'a [u8],
}

impl<'a> Compound<'a> {
    /// Checks `bytes`, which are one whole datagram.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, Malformed> {
        let mut reader = Reader::new(bytes);
        let mut first = true;
        while first || !reader.is_empty() {
            let start = reader.offset();
            let framed = Framed::parse(&mut reader)?;
            let report = matches!(framed.packet_type, SENDER_REPORT | RECEIVER_REPORT);
            if first && !report {
                return Err(Malformed::new(start, "SR or RR as the first packet", COMPOUND));
            }
            if framed.padded && !reader.is_empty() {
                return Err(Malformed::new(start, "padding on the last packet only", COMPOUND));
            }
            Packet::of(&framed).map_err(|error| error.at(start.saturating_add(HEADER_LENGTH)))?;
            first = false;
        }
        Ok(Self { bytes })
    }

    /// The packets, in order.
    pub fn packets(&self) -> impl Iterator<Item = Packet<'a>> + use<'a> {
        let mut reader = Reader::new(self.bytes);
        std::iter::from_fn(move || Packet::of(&Framed::parse(&mut reader).ok()?).ok())
    }

    /// The datagram.
    pub const fn as_bytes(&self) -> &'a [u8] {
        self.bytes
    }
}

/// One packet of a compound.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Packet<'a> {
    /// SR, RFC 3550 §6.4.1.
    SenderReport(SenderReport<'a>),
    /// RR, RFC 3550 §6.4.2.
    ReceiverReport(ReceiverReport<'a>),
    /// SDES, RFC 3550 §6.5.
    SourceDescription(SourceDescription<'a>),
    /// BYE, RFC 3550 §6.6.
    Goodbye(Goodbye<'a>),
    /// APP, RFC 3550 §6.7.
    Application(Application<'a>),
    /// Any other type, kept as it came.
    Unknown(Unknown<'a>),
}

impl<'a> Packet<'a> {
    /// Checks `bytes` as one packet alone, without the rules for compounds.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, Malformed> {
        let mut reader = Reader::new(bytes);
        let framed = Framed::parse(&mut reader)?;
        if !reader.is_empty() {
            return Err(Malformed::new(reader.offset(), "the end of the packet", COMPOUND));
        }
        Self::of(&framed).map_err(|error| error.at(HEADER_LENGTH))
    }

    fn of(framed: &Framed<'a>) -> Result<Self, Malformed> {
        Ok(match framed.packet_type {
            SENDER_REPORT => Self::SenderReport(SenderReport::parse(framed)?),
            RECEIVER_REPORT => Self::ReceiverReport(ReceiverReport::parse(framed)?),
            SOURCE_DESCRIPTION => Self::SourceDescription(SourceDescription::parse(framed)?),
            GOODBYE => Self::Goodbye(Goodbye::parse(framed)?),
            APPLICATION => Self::Application(Application::parse(framed)?),
            packet_type => {
                let Framed { count, bytes, body, .. } = *framed;
                Self::Unknown(Unknown { packet_type, count, bytes, body })
            }
        })
    }
}

/// A packet of a type that this crate does not read: to be ignored, or read by others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unknown<'a> {
    /// The packet type.
    pub packet_type: u8,
    /// The low five bits of the first octet.
    pub count: u8,
    /// The whole packet, with header and padding.
    pub bytes: &'a [u8],
    /// What stands between header and padding.
    pub body: &'a [u8],
}

const COMPOUND: &str = "RFC 3550 §6.1";
