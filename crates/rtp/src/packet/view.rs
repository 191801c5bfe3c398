//! Reading an RTP packet: every length is checked once, at the door.

use offhook_sansio::Reader;

use super::{Extension, FIXED_HEADER, HEADER_EXTENSION, VERSION};
use crate::Malformed;

/// A checked view of one RTP data packet.
///
/// ```text
///  0                   1                   2                   3
///  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
/// |V=2|P|X|  CC   |M|     PT      |       sequence number         |
/// |                           timestamp                           |
/// |                         SSRC, then CC times a CSRC            |
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Packet<'a> {
    marker: bool,
    payload_type: u8,
    sequence: u16,
    timestamp: u32,
    ssrc: u32,
    csrcs: &'a [u8],
    extension: Option<Extension<'a>>,
    payload: &'a [u8],
    padding: u8,
}

impl<'a> Packet<'a> {
    /// Checks `bytes`, which are one whole datagram (RFC 3550 §5.1, §A.1).
    pub fn parse(bytes: &'a [u8]) -> Result<Self, Malformed> {
        let mut reader = Reader::new(bytes);
        let cut = || Malformed::cut("the 12 octets of the fixed header", FIXED_HEADER);
        let [first, second] = reader.array().map_err(cut())?;
        if first >> 6 != VERSION {
            return Err(Malformed::new(0, "version 2", FIXED_HEADER));
        }
        let sequence = reader.u16().map_err(cut())?;
        let timestamp = reader.u32().map_err(cut())?;
        let ssrc = reader.u32().map_err(cut())?;
        let csrcs = usize::from(first & 0x0f).saturating_mul(4);
        let csrcs =
            reader.take(csrcs).map_err(Malformed::cut("as many CSRCs as CC says", FIXED_HEADER))?;
        let extension = if first & 0x10 == 0 { None } else { Some(parse_extension(&mut reader)?) };
        let (payload, padding) = split_padding(first & 0x20 != 0, reader.rest(), bytes.len())?;
        Ok(Self {
            marker: second & 0x80 != 0,
            payload_type: second & 0x7f,
            sequence,
            timestamp,
            ssrc,
            csrcs,
            extension,
            payload,
            padding,
        })
    }

    /// The marker bit. In audio it opens a talkspurt (RFC 3551 §4.1).
    pub const fn marker(&self) -> bool {
        self.marker
    }

    /// The payload type, 0 to 127.
    pub const fn payload_type(&self) -> u8 {
        self.payload_type
    }

    /// The sequence number.
    pub const fn sequence(&self) -> u16 {
        self.sequence
    }

    /// The sampling instant of the first octet of the payload, in ticks of the media clock.
    pub const fn timestamp(&self) -> u32 {
        self.timestamp
    }

    /// The synchronisation source.
    pub const fn ssrc(&self) -> u32 {
        self.ssrc
    }

    /// The contributing sources, at most 15.
    pub fn csrcs(&self) -> impl Iterator<Item = u32> + use<'a> {
        let (words, _) = self.csrcs.as_chunks();
        words.iter().map(|word| u32::from_be_bytes(*word))
    }

    /// The header extension, if the packet has one.
    pub const fn extension(&self) -> Option<Extension<'a>> {
        self.extension
    }

    /// The payload, without padding.
    pub const fn payload(&self) -> &'a [u8] {
        self.payload
    }

    /// How many octets of padding followed the payload.
    pub const fn padding(&self) -> u8 {
        self.padding
    }
}

fn parse_extension<'a>(reader: &mut Reader<'a>) -> Result<Extension<'a>, Malformed> {
    let cut = || Malformed::cut("a header extension as long as it says", HEADER_EXTENSION);
    let profile = reader.u16().map_err(cut())?;
    let words = reader.u16().map_err(cut())?;
    let content = reader.take(usize::from(words).saturating_mul(4)).map_err(cut())?;
    Ok(Extension::from_words(profile, content))
}

/// Splits what follows the header into payload and padding. `end` is the datagram's length.
fn split_padding(padded: bool, rest: &[u8], end: usize) -> Result<(&[u8], u8), Malformed> {
    if !padded {
        return Ok((rest, 0));
    }
    let refusal = Malformed::new(
        end.saturating_sub(1),
        "a padding count from 1 to the octets after the header",
        FIXED_HEADER,
    );
    let count = *rest.last().ok_or(refusal)?;
    let length = rest.len().checked_sub(usize::from(count)).filter(|_| count > 0);
    let payload = length.and_then(|length| rest.get(..length)).ok_or(refusal)?;
    Ok((payload, count))
}
