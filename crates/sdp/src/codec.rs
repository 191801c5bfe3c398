//! Codecs as session descriptions name them (RFC 8866 §6.6, RFC 3551 §6).

use std::fmt;

use bytestring::ByteString;

/// A codec and how it is configured.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Codec {
    /// The encoding name of the registry, such as `PCMU`. Compared without regard to case.
    pub encoding: ByteString,
    /// RTP clock ticks per second.
    pub clock_rate: u32,
    /// Audio channels.
    pub channels: u8,
    /// The value of `a=fmtp` behind the payload type.
    ///
    /// In [`Capabilities`](crate::Capabilities): what we ask of the peer. In
    /// [`NegotiatedMedia`](crate::NegotiatedMedia): what the peer asks of us.
    pub format_parameters: Option<ByteString>,
    /// The RTP payload type, static or preferred. Without one a free dynamic number is taken.
    pub payload_type: Option<u8>,
}

impl Codec {
    /// G.711 µ-law, payload type 0.
    pub const fn pcmu() -> Self {
        Self::telephony("PCMU", 0)
    }

    /// G.711 A-law, payload type 8.
    pub const fn pcma() -> Self {
        Self::telephony("PCMA", 8)
    }

    /// Whether both are the same codec: encoding, clock rate and channels are equal.
    ///
    /// Payload types and format parameters belong to one side and are not compared.
    pub fn is_same(&self, other: &Self) -> bool {
        self.encoding.eq_ignore_ascii_case(&other.encoding)
            && self.clock_rate == other.clock_rate
            && self.channels == other.channels
    }

    /// The codec of a payload type that has no `a=rtpmap` (RFC 3551 §6, table 4).
    pub(crate) fn of_static(payload_type: u8) -> Option<Self> {
        let (_, encoding, clock_rate, channels) =
            STATIC_AUDIO.iter().find(|(number, ..)| *number == payload_type)?;
        Some(Self {
            encoding: ByteString::from_static(encoding),
            clock_rate: *clock_rate,
            channels: *channels,
            format_parameters: None,
            payload_type: Some(payload_type),
        })
    }

    /// The payload type that RFC 3551 gives to this codec.
    pub(crate) fn static_payload_type(&self) -> Option<u8> {
        let same = |number: &u8| Self::of_static(*number).is_some_and(|it| it.is_same(self));
        STATIC_AUDIO.iter().map(|(number, ..)| *number).find(same)
    }

    const fn telephony(encoding: &'static str, payload_type: u8) -> Self {
        Self {
            encoding: ByteString::from_static(encoding),
            clock_rate: 8000,
            channels: 1,
            format_parameters: None,
            payload_type: Some(payload_type),
        }
    }
}

/// `PCMU/8000`, or `L16/44100/2` when there are several channels.
impl fmt::Display for Codec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.encoding, self.clock_rate)?;
        match self.channels {
            1 => Ok(()),
            channels => write!(f, "/{channels}"),
        }
    }
}

/// The static audio payload types: number, encoding, clock rate, channels (RFC 3551 §6, table 4).
const STATIC_AUDIO: [(u8, &str, u32, u8); 16] = [
    (0, "PCMU", 8000, 1),
    (3, "GSM", 8000, 1),
    (4, "G723", 8000, 1),
    (5, "DVI4", 8000, 1),
    (6, "DVI4", 16000, 1),
    (7, "LPC", 8000, 1),
    (8, "PCMA", 8000, 1),
    (9, "G722", 8000, 1),
    (10, "L16", 44100, 2),
    (11, "L16", 44100, 1),
    (12, "QCELP", 8000, 1),
    (13, "CN", 8000, 1),
    (15, "G728", 8000, 1),
    (16, "DVI4", 11025, 1),
    (17, "DVI4", 22050, 1),
    (18, "G729", 8000, 1),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_is_compared_without_case_but_rate_and_channels_count() {
        let lower = Codec { encoding: "pcmu".into(), payload_type: None, ..Codec::pcmu() };
        assert!(lower.is_same(&Codec::pcmu()));
        assert!(!Codec { clock_rate: 16000, ..Codec::pcmu() }.is_same(&Codec::pcmu()));
        assert!(!Codec { channels: 2, ..Codec::pcmu() }.is_same(&Codec::pcmu()));
        assert!(!Codec::pcma().is_same(&Codec::pcmu()));
    }

    #[test]
    fn static_numbers_go_both_ways() {
        assert_eq!(Codec::of_static(0), Some(Codec::pcmu()));
        assert_eq!(Codec::of_static(8), Some(Codec::pcma()));
        assert_eq!(Codec::of_static(96), None);
        assert_eq!(Codec::pcma().static_payload_type(), Some(8));
        assert_eq!(Codec { channels: 2, ..Codec::pcma() }.static_payload_type(), None);
    }
}
