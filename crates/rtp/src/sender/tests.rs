use std::time::Duration;

use super::*;
use crate::Packet;

fn sender() -> Sender {
    Sender::new(7, 8, 8000, &mut Random::from_seed(1))
}

fn send(sender: &mut Sender, now: Instant, room: &mut [u8]) -> usize {
    sender
        .packetize(now, 160, room, |payload| {
            payload[..160].fill(0xd5);
            160
        })
        .unwrap()
}

#[test]
fn packets_count_up_and_only_the_first_has_the_marker() {
    let mut sender = sender();
    let mut room = [0; 200];
    let now = Instant::now();
    let mut before: Option<(u16, u32)> = None;
    for n in 0..70_000u32 {
        let length = send(&mut sender, now, &mut room);
        let packet = Packet::parse(&room[..length]).unwrap();
        assert_eq!((length, packet.marker(), packet.ssrc()), (172, n == 0, 7));
        assert_eq!((packet.payload_type(), packet.payload()), (8, &[0xd5; 160][..]));
        if let Some((sequence, timestamp)) = before {
            assert_eq!(packet.sequence(), sequence.wrapping_add(1));
            assert_eq!(packet.timestamp(), timestamp.wrapping_add(160));
        }
        before = Some((packet.sequence(), packet.timestamp()));
    }
    assert_eq!((sender.packets(), sender.octets()), (70_000, 70_000 * 160));
}

#[test]
fn after_a_pause_the_timestamp_has_moved_and_a_talkspurt_begins() {
    let mut sender = sender();
    let mut room = [0; 200];
    let now = Instant::now();
    let length = send(&mut sender, now, &mut room);
    let first = Packet::parse(&room[..length]).unwrap();
    let (sequence, timestamp) = (first.sequence(), first.timestamp());
    sender.pause(800);
    assert_eq!(sender.packetize(now, 160, &mut room, |_| 0), Ok(0));
    let length = send(&mut sender, now, &mut room);
    let packet = Packet::parse(&room[..length]).unwrap();
    assert!(packet.marker());
    assert_eq!(packet.sequence(), sequence.wrapping_add(1));
    assert_eq!(packet.timestamp(), timestamp.wrapping_add(160 + 800 + 160));
}

#[test]
fn what_does_not_fit_is_not_sent() {
    let mut sender = sender();
    let now = Instant::now();
    assert!(sender.packetize(now, 160, &mut [0; 11], |_| 1).is_err());
    let too_long = sender.packetize(now, 160, &mut [0; 20], |room| room.len() + 1);
    assert_eq!(too_long, Err(NoRoom { needed: 9, left: 8 }));
    assert_eq!((sender.packets(), sender.last_sent()), (0, None));
}

#[test]
fn the_timestamp_of_a_report_runs_on_with_time() {
    let mut sender = sender();
    let mut room = [0; 200];
    let now = Instant::now();
    let length = send(&mut sender, now, &mut room);
    let timestamp = Packet::parse(&room[..length]).unwrap().timestamp();
    let later = now + Duration::from_millis(2500);
    assert_eq!(sender.timestamp_at(later), timestamp.wrapping_add(20_000));
}

#[test]
fn own_packets_are_known_again_and_others_are_not() {
    let mut sender = sender();
    let mut room = [0; 200];
    let now = Instant::now();
    assert!(!sender.may_have_sent(sender.next_sequence.wrapping_sub(1), sender.next_timestamp));
    let length = send(&mut sender, now, &mut room);
    let packet = Packet::parse(&room[..length]).unwrap();
    assert!(sender.may_have_sent(packet.sequence(), packet.timestamp()));
    assert!(!sender.may_have_sent(packet.sequence().wrapping_add(1), packet.timestamp()));
    assert!(!sender.may_have_sent(packet.sequence(), packet.timestamp().wrapping_add(10_000)));
}
