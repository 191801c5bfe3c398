//! Capture files that Wireshark and its kin open.
//!
//! A recording holds payloads and addresses. The headers of IP (RFC 791, RFC 8200) and UDP
//! (RFC 768) around them are written anew, with right lengths and checksums; the link type is raw
//! IP, so that no link addresses need to be made up.

use std::{
    io::{self, Write},
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    time::{SystemTime, UNIX_EPOCH},
};

use offhook_sansio::Protocol;
use pcap_file::{
    DataLink, PcapError,
    pcap::{PcapHeader, PcapPacket, PcapWriter},
};

use crate::{Direction, Packet, PartyId, Recording};

/// Writes what `party` sent and received as a capture file and flushes the writer.
///
/// Packets stand in the order of their time. `start` is the wall-clock time at which the recording began; the file counts microseconds.
/// Only UDP can be written: the bytes of a stream do not tell the segments that carried them.
pub fn write(
    recording: &Recording,
    party: PartyId,
    start: SystemTime,
    writer: impl Write,
) -> io::Result<Written> {
    let header = PcapHeader { datalink: DataLink::RAW, snaplen: SNAPLEN, ..PcapHeader::default() };
    let mut file = PcapWriter::with_header(writer, header).map_err(io_error)?;
    let since_epoch = start.duration_since(UNIX_EPOCH).unwrap_or_default();
    let mut written = Written::default();
    let mut frame = Vec::new();
    let mut packets: Vec<_> =
        recording.packets().iter().filter(|packet| packet.party == party).collect();
    packets.sort_by_key(|packet| packet.at);
    for packet in packets {
        if fill(&mut frame, packet, written.packets).is_none() {
            written.left_out += 1;
            continue;
        }
        let length = u32::try_from(frame.len()).unwrap_or(u32::MAX);
        let at = since_epoch.saturating_add(packet.at);
        file.write_packet(&PcapPacket::new(at, length, &frame)).map_err(io_error)?;
        written.packets += 1;
    }
    file.into_writer().flush()?;
    Ok(written)
}

/// What went into a capture file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Written {
    /// Packets in the file.
    pub packets: u64,
    /// Packets left out: not UDP, longer than UDP can carry, or between IPv4 and IPv6.
    pub left_out: u64,
}

fn io_error(error: PcapError) -> io::Error {
    match error {
        PcapError::IoError(error) => error,
        error => io::Error::other(error),
    }
}

/// Builds the IP packet; `None` if there is no such thing.
fn fill(frame: &mut Vec<u8>, packet: &Packet, number: u64) -> Option<()> {
    let flow = packet.flow;
    if flow.protocol != Protocol::Udp {
        return None;
    }
    let (from, to) = match packet.direction {
        Direction::Sent => (flow.local, flow.remote),
        Direction::Received => (flow.remote, flow.local),
    };
    let datagram = u16::try_from(packet.payload.len().checked_add(UDP_HEADER)?).ok()?;
    frame.clear();
    let pseudo_header = match (from.ip(), to.ip()) {
        (IpAddr::V4(from), IpAddr::V4(to)) => {
            ipv4_header(frame, from, to, datagram, number)?;
            sum(&from.octets()) + sum(&to.octets())
        }
        (IpAddr::V6(from), IpAddr::V6(to)) => {
            ipv6_header(frame, from, to, datagram);
            sum(&from.octets()) + sum(&to.octets())
        }
        _ => return None,
    };
    udp(frame, from, to, datagram, pseudo_header, &packet.payload);
    Some(())
}

/// RFC 791 §3.1.
fn ipv4_header(
    frame: &mut Vec<u8>,
    from: Ipv4Addr,
    to: Ipv4Addr,
    datagram: u16,
    number: u64,
) -> Option<()> {
    let length = datagram.checked_add(IPV4_HEADER)?;
    // The identification tells the packets of one capture apart; it wraps around by its nature.
    let [.., high, low] = number.to_be_bytes();
    let mut header = Vec::with_capacity(usize::from(IPV4_HEADER));
    header.extend([0x45, 0]);
    header.extend(length.to_be_bytes());
    header.extend([high, low, DONT_FRAGMENT, 0, HOPS, UDP]);
    let addresses = [from.octets(), to.octets()].concat();
    let checksum = fold(sum(&header) + sum(&addresses));
    header.extend(checksum.to_be_bytes());
    frame.extend(header);
    frame.extend(addresses);
    Some(())
}

/// RFC 8200 §3.
fn ipv6_header(frame: &mut Vec<u8>, from: Ipv6Addr, to: Ipv6Addr, datagram: u16) {
    frame.extend([0x60, 0, 0, 0]);
    frame.extend(datagram.to_be_bytes());
    frame.extend([UDP, HOPS]);
    frame.extend(from.octets());
    frame.extend(to.octets());
}

/// RFC 768; the checksum covers the pseudo header of RFC 8200 §8.1 as well.
fn udp(
    frame: &mut Vec<u8>,
    from: SocketAddr,
    to: SocketAddr,
    datagram: u16,
    addresses: u64,
    payload: &[u8],
) {
    let ports = u64::from(from.port()) + u64::from(to.port());
    // The length stands in the pseudo header and in the header itself.
    let lengths = 2 * u64::from(datagram);
    let checksum = fold(addresses + u64::from(UDP) + ports + lengths + sum(payload));
    // Zero on the wire means that there is no checksum.
    let checksum = if checksum == 0 { u16::MAX } else { checksum };
    for field in [from.port(), to.port(), datagram, checksum] {
        frame.extend(field.to_be_bytes());
    }
    frame.extend(payload);
}

/// The sum of 16-bit words (RFC 1071); an odd last byte is the high one of its word.
fn sum(bytes: &[u8]) -> u64 {
    let words = bytes.chunks(2).map(|pair| match *pair {
        [high, low] => u64::from(u16::from_be_bytes([high, low])),
        [high] => u64::from(high) << 8,
        _ => 0,
    });
    words.sum()
}

/// The ones' complement of the sum in ones' complement arithmetic (RFC 1071).
const fn fold(mut sum: u64) -> u16 {
    while sum > 0xFFFF {
        sum = (sum & 0xFFFF) + (sum >> 16);
    }
    !(sum as u16)
}

const UDP_HEADER: usize = 8;
const IPV4_HEADER: u16 = 20;
/// The protocol number of UDP (RFC 768).
const UDP: u8 = 17;
const DONT_FRAGMENT: u8 = 0x40;
const HOPS: u8 = 64;
/// More than the longest packet.
const SNAPLEN: u32 = 1 << 18;

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use offhook_sansio::Flow;
    use pcap_file::pcap::PcapReader;

    use super::*;

    fn capture(flow: Flow, direction: Direction, payload: &[u8]) -> (Written, Vec<Vec<u8>>) {
        let mut recording = Recording::new();
        let [other, party] = ["Other", "Party"].map(|name| recording.party(name));
        recording.packet(Duration::from_millis(1500), party, direction, flow, payload);
        recording.packet(Duration::ZERO, other, direction, flow, b"not this one");
        let mut file = Vec::new();
        let start = UNIX_EPOCH + Duration::from_secs(1_800_000_000);
        let written = write(&recording, party, start, &mut file).unwrap();
        let mut reader = PcapReader::new(&file[..]).unwrap();
        let mut packets = Vec::new();
        while let Some(packet) = reader.next_packet() {
            let packet = packet.unwrap();
            assert_eq!(packet.timestamp, Duration::from_millis(1_800_000_001_500));
            packets.push(packet.data.into_owned());
        }
        (written, packets)
    }

    fn flow(local: &str, remote: &str) -> Flow {
        Flow::udp(local.parse().unwrap(), remote.parse().unwrap())
    }

    #[test]
    fn ipv4_has_the_lengths_and_checksums_of_the_rfcs() {
        let flow = flow("10.0.0.1:5060", "192.168.7.2:40000");
        let (written, packets) = capture(flow, Direction::Sent, b"hello");
        assert_eq!(written, Written { packets: 1, left_out: 0 });
        let packet = &packets[0];
        assert_eq!(packet.len(), 20 + 8 + 5);
        assert_eq!(packet[2..4], 33_u16.to_be_bytes());
        assert_eq!((&packet[12..16], &packet[16..20]), (&[10, 0, 0, 1][..], &[192, 168, 7, 2][..]));
        assert_eq!(fold(sum(&packet[..20])), 0);
        // The pseudo header: addresses, protocol, length (RFC 768).
        assert_eq!(fold(sum(&packet[12..]) + 17 + 13), 0);
        assert_eq!((&packet[24..26], &packet[28..]), (&13_u16.to_be_bytes()[..], &b"hello"[..]));
    }

    #[test]
    fn ipv6_has_the_lengths_and_checksums_of_the_rfcs() {
        let flow = flow("[fd77::1]:5060", "[fd77::2]:5062");
        let (_, packets) = capture(flow, Direction::Received, b"hello!");
        let packet = &packets[0];
        assert_eq!((packet.len(), packet[0], packet[6]), (40 + 8 + 6, 0x60, 17));
        assert_eq!(packet[4..6], 14_u16.to_be_bytes());
        assert_eq!((packet[23], packet[39]), (2, 1));
        assert_eq!(fold(sum(&packet[8..]) + 17 + 14), 0);
    }

    #[test]
    fn the_checksum_is_the_one_of_an_example_worked_by_hand() {
        // RFC 1071 §3: the words 0001 f203 f4f5 f6f7 add up to ddf2.
        assert_eq!(!fold(sum(&[0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7])), 0xddf2);
    }

    #[test]
    fn what_is_no_udp_packet_is_left_out_and_counted() {
        let left_out = |flow, payload: &[u8]| capture(flow, Direction::Sent, payload).0.left_out;
        let udp = flow("10.0.0.1:1", "10.0.0.2:2");
        assert_eq!(left_out(Flow { protocol: Protocol::Tcp, ..udp }, b"stream"), 1);
        assert_eq!(left_out(flow("10.0.0.1:1", "[::1]:2"), b"mixed"), 1);
        assert_eq!(left_out(udp, &[0; 65_508]), 1);
        assert_eq!(left_out(udp, &[0; 65_507]), 0);
    }

    #[test]
    fn a_writer_that_fails_is_an_error() {
        let mut recording = Recording::new();
        let party = recording.party("Alice");
        let mut room = [0; 10];
        assert!(write(&recording, party, UNIX_EPOCH, &mut room[..]).is_err());
    }
}
