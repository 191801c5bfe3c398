//! RTP packets: every part is a view within the datagram, and the header is written back the same.

use offhook_rtp::{Header, Packet, is_rtcp};
use offhook_sansio::Writer;

use crate::{Promised, is_within};

/// Parses one datagram.
pub fn rtp(data: &[u8]) {
    let packet = match Packet::parse(data) {
        Ok(packet) => packet,
        Err(malformed) => {
            assert!(malformed.offset() <= data.len(), "a fault lies within its datagram");
            return assert!(!malformed.to_string().contains('\n'));
        }
    };
    assert_eq!(is_rtcp(data), (64..=95).contains(&second(data)), "RFC 5761 §4");
    assert!(is_within(packet.payload(), data), "the payload is a part of the datagram");
    let tail = packet.payload().len().saturating_add(usize::from(packet.padding()));
    let Some(header) = data.len().checked_sub(tail) else {
        unreachable!("broken promise: payload and padding fit their datagram")
    };
    check_extension(&packet, data);
    check_header(&packet, data, header);
}

/// The payload type of the second octet, with the marker bit that RTCP's types share.
fn second(data: &[u8]) -> u8 {
    match data {
        [_, second, ..] if *second >= 128 => second & 0x7f,
        _ => 0,
    }
}

fn check_extension(packet: &Packet<'_>, data: &[u8]) {
    let Some(extension) = packet.extension() else { return };
    assert!(is_within(extension.content(), data), "the extension is a part of the datagram");
    let mut length = 0usize;
    for element in extension.elements() {
        assert!(is_within(element.value, extension.content()));
        assert_ne!(element.id, 0, "identifier 0 is padding (RFC 8285 §4.2)");
        length = length.saturating_add(element.value.len()).saturating_add(1);
    }
    assert!(length <= extension.content().len(), "elements do not overlap");
}

/// The written header is the received one, but for the padding bit, which belongs to the payload.
fn check_header(packet: &Packet<'_>, data: &[u8], header: usize) {
    let csrcs: Vec<_> = packet.csrcs().collect();
    let Some(written) = Header::of(packet, &csrcs) else {
        unreachable!("broken promise: a packet has at most 15 contributing sources")
    };
    let mut room = vec![0; header];
    let mut writer = Writer::new(&mut room);
    written.write(&mut writer).promised("a header has the room that it came in");
    assert_eq!(writer.written(), header);
    let mut came = data.get(..header).unwrap_or_default().to_vec();
    if let Some(first) = came.first_mut() {
        *first &= !PADDING;
    }
    assert_eq!(room, came, "the header is written back as it came");
}

/// The bit P of the first octet (RFC 3550 §5.1).
const PADDING: u8 = 0x20;
