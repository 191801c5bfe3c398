//! The RTP data packet (RFC 3550 §5.1, §5.3.1): a checked view of bytes, and the header writer
//! that mirrors it.
#![cfg_attr(not(test), deny(clippy::arithmetic_side_effects))]

mod extension;
pub use extension::{Element, Extension};

mod header;
pub use header::Header;

mod view;
pub use view::Packet;

#[cfg(test)]
mod tests;

/// Whether a datagram on a shared port is RTCP and not RTP (RFC 5761 §4).
///
/// The second octet of RTCP is a packet type from 192 to 223. RTP has its marker bit and payload
/// type there, and the payload types 64 to 95 that would collide are not used beside RTCP.
pub fn is_rtcp(packet: &[u8]) -> bool {
    matches!(packet, [_, 192..=223, ..])
}

pub(crate) const VERSION: u8 = 2;
const FIXED_HEADER: &str = "RFC 3550 §5.1";
const HEADER_EXTENSION: &str = "RFC 3550 §5.3.1";
