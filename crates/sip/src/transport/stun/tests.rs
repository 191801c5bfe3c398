use std::net::SocketAddr;

use proptest::{
    collection::vec,
    prelude::{any, prop_assert_eq, proptest},
};

use super::{COOKIE, FAILURE, HEADER, REQUEST, SUCCESS, Stun, StunId, message};

const ID: StunId = [0xB7, 0xE7, 0xA7, 0x01, 0xBC, 0x34, 0xD6, 0x86, 0xFA, 0x87, 0xDF, 0xAE];

fn bytes(hex: &str) -> Vec<u8> {
    let digits: Vec<u8> =
        hex.bytes().filter_map(|it| (it as char).to_digit(16)).map(|it| it as u8).collect();
    digits.chunks(2).map(|pair| pair[0] << 4 | pair[1]).collect()
}

#[test]
fn the_messages_of_rfc_5769_are_read() {
    let request = bytes(REQUEST_OF_2_1);
    // Its PRIORITY and ICE-CONTROLLED: only the first has to be known.
    assert_eq!(Stun::read(&request), Some(Stun::Request { id: ID, unknown: vec![0x0024] }));
    let mapped = "192.0.2.1:32853".parse().unwrap();
    assert_eq!(Stun::read(&bytes(RESPONSE_OF_2_2)), Some(Stun::Success { id: ID, mapped }));
    let mapped = "[2001:db8:1234:5678:11:2233:4455:6677]:32853".parse().unwrap();
    assert_eq!(Stun::read(&bytes(RESPONSE_OF_2_3)), Some(Stun::Success { id: ID, mapped }));
}

#[test]
fn what_is_written_is_read_back() {
    for address in ["192.0.2.1:5060", "[2001:db8::1]:1", "0.0.0.0:0"] {
        let mapped: SocketAddr = address.parse().unwrap();
        let written = Stun::success(ID, mapped);
        assert_eq!(Stun::read(&written), Some(Stun::Success { id: ID, mapped }));
    }
    let request = Stun::Request { id: ID, unknown: Vec::new() };
    assert_eq!(Stun::read(&Stun::request(ID)), Some(request));
    let refusal = Stun::refusal(ID, &[0x0024]);
    assert_eq!(Stun::read(&refusal), Some(Stun::Failure { id: ID }));
    assert!(refusal.ends_with(b"\x00\x0A\x00\x02\x00\x24\x00\x00"));
    assert_eq!(refusal.len() % 4, 0);
}

#[test]
fn what_is_cut_short_or_of_another_method_is_nothing() {
    let response = bytes(RESPONSE_OF_2_2);
    for length in 0..response.len() {
        assert_eq!(Stun::read(&response[..length]), None, "{length}");
    }
    for (at, byte) in [(1, 3), (4, 0), (7, 0)] {
        let mut other = response.clone();
        other[at] = byte;
        assert_eq!(Stun::read(&other), None, "byte {at}");
    }
    let mut cut = Stun::success(ID, "192.0.2.1:1".parse().unwrap()).to_vec();
    cut[23] = 40;
    assert_eq!(Stun::read(&cut), None, "an attribute longer than the message");
}

#[test]
fn a_refusal_names_no_more_than_eight() {
    let all: Vec<u16> = (0x4000..0x4020).collect();
    let attributes: Vec<(u16, &[u8])> = all.iter().map(|kind| (*kind, &b"x"[..])).collect();
    let Some(Stun::Request { unknown, .. }) = Stun::read(&message(REQUEST, ID, &attributes)) else {
        panic!("it is a request");
    };
    assert_eq!(unknown, all[..8]);
}

proptest! {
    #[test]
    fn no_datagram_panics(mut datagram in vec(any::<u8>(), 0..80), kind in 0..3_usize) {
        let kinds = [REQUEST, SUCCESS, FAILURE].map(u16::to_be_bytes);
        if datagram.len() >= HEADER {
            datagram[..2].copy_from_slice(&kinds[kind]);
            let length = (datagram.len() - HEADER) as u16;
            datagram[2..4].copy_from_slice(&length.to_be_bytes());
            datagram[4..8].copy_from_slice(&COOKIE.to_be_bytes());
        }
        if let Some(Stun::Success { id, mapped }) = Stun::read(&datagram) {
            let again = Stun::read(&Stun::success(id, mapped));
            prop_assert_eq!(again, Some(Stun::Success { id, mapped }));
        }
    }
}

const REQUEST_OF_2_1: &str = "000100582112a442b7e7a701bc34d686fa87dfae802200105354554e207465737420636c \
    69656e74002400046e0001ff80290008932ff9b151263b36000600096576746a3a683676 \
    59202020000800149aeaa70cbfd8cb56781ef2b5b2d3f249c1b571a280280004e57a3bcf";
const RESPONSE_OF_2_2: &str = "0101003c2112a442b7e7a701bc34d686fa87dfae8022000b7465737420766563746f7220 \
    002000080001a147e112a643000800142b91f599fd9e90c38c7489f92af9ba53f06be7d7 \
    80280004c07d4c96";
const RESPONSE_OF_2_3: &str = "010100482112a442b7e7a701bc34d686fa87dfae8022000b7465737420766563746f7220 \
    002000140002a1470113a9faa5d3f179bc25f4b5bed2b9d900080014a382954e4be67bf1 \
    1784c97c8292c275bfe3ed4180280004c8fb0b4c";
