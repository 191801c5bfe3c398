//! The four octets that every RTCP packet begins with (RFC 3550 §6.4.1).

use offhook_sansio::{NoRoom, Reader, Writer};

use crate::{Malformed, packet::VERSION};

/// One RTCP packet cut out of a compound: the common header taken apart, the padding removed.
#[derive(Clone, Copy, Debug)]
pub(super) struct Framed<'a> {
    /// RC, SC or subtype: the low five bits of the first octet.
    pub(super) count: u8,
    pub(super) packet_type: u8,
    pub(super) padded: bool,
    /// The whole packet, with header and padding.
    pub(super) bytes: &'a [u8],
    /// What stands between header and padding.
    pub(super) body: &'a [u8],
}

impl<'a> Framed<'a> {
    /// Cuts the next packet off `reader`. Offsets of refusals count from where `reader` began.
    pub(super) fn parse(reader: &mut Reader<'a>) -> Result<Self, Malformed> {
        let start = reader.offset();
        let whole = reader.rest();
        let cut = || Malformed::cut("the 4 octets of the RTCP header", HEADER);
        let [first, packet_type] = reader.array().map_err(cut())?;
        if first >> 6 != VERSION {
            return Err(Malformed::new(start, "version 2", HEADER));
        }
        let words = reader.u16().map_err(cut())?;
        let length = usize::from(words).saturating_mul(4);
        let content = reader
            .take(length)
            .map_err(Malformed::cut("as many words as the length field says", HEADER))?;
        let padded = first & 0x20 != 0;
        let body = if padded { without_padding(content, start)? } else { content };
        let bytes = whole.get(..length.saturating_add(HEADER_LENGTH)).unwrap_or_default();
        Ok(Self { count: first & 0x1f, packet_type, padded, bytes, body })
    }
}

/// The padding count is a multiple of four and stays behind the header.
fn without_padding(content: &[u8], start: usize) -> Result<&[u8], Malformed> {
    let last = start.saturating_add(content.len()).saturating_add(HEADER_LENGTH).saturating_sub(1);
    let refusal = Malformed::new(last, "a padding count of 4, 8 … within the packet", HEADER);
    let count = usize::from(*content.last().ok_or(refusal)?);
    let length = content.len().checked_sub(count).ok_or(refusal)?;
    let whole_words = count > 0 && count.is_multiple_of(4);
    content.get(..length).filter(|_| whole_words).ok_or(refusal)
}

/// Writes a header for a body of `body` octets, which is a multiple of four.
pub(super) fn write(
    writer: &mut Writer<'_>,
    count: u8,
    packet_type: u8,
    body: usize,
) -> Result<(), NoRoom> {
    let too_long = NoRoom { needed: body, left: usize::from(u16::MAX).saturating_mul(4) };
    let words = u16::try_from(body / 4).map_err(|_| too_long)?;
    writer.u8((VERSION << 6) | (count & 0x1f))?;
    writer.u8(packet_type)?;
    writer.u16(words)
}

/// How many zero octets bring `length` to the next 32-bit boundary.
pub(super) const fn to_boundary(length: usize) -> usize {
    length.next_multiple_of(4).saturating_sub(length)
}

pub(super) const HEADER_LENGTH: usize = 4;
const HEADER: &str = "RFC 3550 §6.4.1";

/// Packet types (RFC 3550 §12.1).
pub(super) const SENDER_REPORT: u8 = 200;
pub(super) const RECEIVER_REPORT: u8 = 201;
pub(super) const SOURCE_DESCRIPTION: u8 = 202;
pub(super) const GOODBYE: u8 = 203;
pub(super) const APPLICATION: u8 = 204;
