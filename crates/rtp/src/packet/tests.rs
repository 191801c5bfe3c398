use offhook_sansio::Writer;
use proptest::prelude::*;

use super::*;
use crate::test_vectors::{bytes_of, hex_of, list, rfc8285};

fn written(header: &Header<'_>, payload: &[u8]) -> Vec<u8> {
    let mut room = vec![0; 300_000];
    let mut writer = Writer::new(&mut room);
    header.write(&mut writer).unwrap();
    writer.put(payload).unwrap();
    let length = writer.written();
    room.truncate(length);
    room
}

#[test]
fn the_header_extensions_of_rfc_8285_are_read_and_written_back() {
    for vector in list(&rfc8285()["vectors"]) {
        let bytes = hex_of(vector);
        let packet = Packet::parse(&bytes).unwrap();
        let extension = packet.extension().unwrap();
        let profile = vector["profile"].as_str().unwrap().trim_start_matches("0x");
        assert_eq!(extension.profile(), u16::from_str_radix(profile, 16).unwrap(), "{vector}");
        let found: Vec<_> = extension.elements().map(|it| (it.id, it.value.to_vec())).collect();
        let wanted: Vec<_> = list(&vector["elements"])
            .iter()
            .map(|it| (it["id"].as_u64().unwrap() as u8, bytes_of(it["value"].as_str().unwrap())))
            .collect();
        assert_eq!(found, wanted, "{vector}");
        assert_eq!(packet.payload(), [0xaa, 0xbb]);
        let header = Header::of(&packet, &[]).unwrap();
        assert_eq!(written(&header, packet.payload()), bytes);
    }
}

#[test]
fn every_truncation_within_the_header_is_refused() {
    for vector in list(&rfc8285()["vectors"]) {
        let bytes = hex_of(vector);
        let header = bytes.len() - 2;
        for length in 0..header {
            let error = Packet::parse(&bytes[..length]).unwrap_err();
            assert!(error.offset() <= length, "{error}");
        }
        assert!(Packet::parse(&bytes[..header]).unwrap().payload().is_empty());
    }
}

#[test]
fn other_versions_are_refused() {
    let mut bytes = [0x80; 12];
    for version in [0, 1, 3] {
        bytes[0] = version << 6;
        let error = Packet::parse(&bytes).unwrap_err();
        assert_eq!((error.offset(), error.expected()), (0, "version 2"));
        assert_eq!(error.to_string(), "at offset 0: expected version 2 (RFC 3550 §5.1)");
    }
}

#[test]
fn contributing_sources_that_are_not_there_are_refused() {
    let mut bytes = [0; 12 + 15 * 4];
    bytes[0] = 0x8f;
    assert_eq!(Packet::parse(&bytes).unwrap().csrcs().count(), 15);
    let error = Packet::parse(&bytes[..12 + 59]).unwrap_err();
    assert_eq!((error.offset(), error.rfc()), (12, "RFC 3550 §5.1"));
}

#[test]
fn padding_is_removed_and_must_stay_behind_the_header() {
    let mut bytes = [0; 16];
    bytes[0] = 0xa0;
    for (count, wanted) in [(1, Some(3)), (4, Some(0)), (0, None), (5, None), (255, None)] {
        bytes[15] = count;
        let packet = Packet::parse(&bytes);
        assert_eq!(packet.ok().map(|packet| packet.payload().len()), wanted, "{count}");
    }
    assert_eq!(Packet::parse(&bytes[..12]).unwrap_err().offset(), 11);
}

#[test]
fn an_extension_longer_than_the_packet_is_refused() {
    let mut bytes = [0; 16];
    bytes[0] = 0x90;
    bytes[14..].copy_from_slice(&[0xff, 0xff]);
    assert_eq!(Packet::parse(&bytes).unwrap_err().rfc(), "RFC 3550 §5.3.1");
    assert_eq!(Packet::parse(&bytes).unwrap_err().offset(), 16);
}

#[test]
fn an_element_that_claims_too_much_ends_the_list() {
    let extension = Extension::new(0xbede, &[0x10, 0x01, 0x2f, 0x02]).unwrap();
    assert_eq!(extension.elements().map(|it| it.id).collect::<Vec<_>>(), [1]);
    let extension = Extension::new(0x1000, &[0, 1, 200, 0]).unwrap();
    assert_eq!(extension.elements().count(), 0);
}

#[test]
fn a_header_that_cannot_be_written_cannot_be_made() {
    assert_eq!(Extension::new(0xbede, &[1, 2, 3]), None);
    assert_eq!(Header::new(0, 0, 0, 0).with_csrcs(&[0; 16]), None);
}

#[test]
fn rtcp_is_told_from_rtp_by_its_second_octet() {
    for packet_type in 192..=223 {
        assert!(is_rtcp(&[0x80, packet_type]));
    }
    for rtp in [0, 8, 63, 96, 127, 128, 136, 191, 224, 255] {
        assert!(!is_rtcp(&[0x80, rtp]), "{rtp}");
    }
    assert!(!is_rtcp(&[0x80]));
}

proptest! {
    #[test]
    fn a_header_is_read_as_it_was_written(
        marker: bool, payload_type in 0u8..128, sequence: u16, timestamp: u32, ssrc: u32,
        csrcs in prop::collection::vec(any::<u32>(), 0..=15),
        extension in prop::option::of((any::<u16>(), prop::collection::vec(any::<[u8; 4]>(), 0..9))),
        payload in prop::collection::vec(any::<u8>(), 0..200),
    ) {
        let content = extension.as_ref().map(|(_, words)| words.concat());
        let extension = extension.zip(content.as_deref())
            .map(|((profile, _), content)| Extension::new(profile, content).unwrap());
        let header = Header::new(payload_type, sequence, timestamp, ssrc).with_marker(marker);
        let header = header.with_csrcs(&csrcs).unwrap();
        let header = extension.map_or(header, |extension| header.with_extension(extension));
        let bytes = written(&header, &payload);
        let packet = Packet::parse(&bytes).unwrap();
        prop_assert_eq!(
            (packet.marker(), packet.payload_type(), packet.sequence()),
            (marker, payload_type, sequence)
        );
        prop_assert_eq!((packet.timestamp(), packet.ssrc()), (timestamp, ssrc));
        prop_assert_eq!(packet.csrcs().collect::<Vec<_>>(), &csrcs[..]);
        prop_assert_eq!(packet.extension(), extension);
        prop_assert_eq!(packet.payload(), &payload[..]);
        prop_assert_eq!(Header::of(&packet, &csrcs), Some(header));
    }

    #[test]
    fn any_bytes_are_read_or_refused(mut bytes in prop::collection::vec(any::<u8>(), 0..80)) {
        if let Some(first) = bytes.first_mut() {
            *first = (*first & 0x3f) | 0x80;
        }
        if let Ok(packet) = Packet::parse(&bytes) {
            prop_assert!(packet.payload().len() + 12 <= bytes.len());
            packet.extension().into_iter().for_each(|it| it.elements().for_each(drop));
        }
    }
}
