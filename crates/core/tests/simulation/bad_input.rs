//! What strangers and broken peers throw at a call that stands: it goes on, and so does its sound.

use std::{fs, net::SocketAddr, path::Path, time::Duration};

use offhook_core::{CallId, Ending, Event};
use offhook_media::Heard;
use offhook_sansio::Flow;
use offhook_sip::End;
use offhook_sip_message::{HeaderName, Message, Method, StatusCode};
use offhook_testkit::Rule;
use proptest::prelude::*;

use crate::peer::{Desk, FRAME, MUX, our_media, ours, rtp, sdp, text, their_media, theirs};

/// The messages of the torture tests and of the example flows, from the tests of `sip-message`.
fn sip_messages() -> Vec<Vec<u8>> {
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("../sip-message/tests/data");
    let mut files = Vec::new();
    for folder in ["rfc4475/messages", "rfc5118/messages", "rfc3261-flows/24.2", "rfc3665/3.1"] {
        let entries = fs::read_dir(data.join(folder)).expect("the vectors of sip-message");
        files.extend(entries.map(|entry| entry.unwrap().path()));
    }
    files.sort();
    let messages: Vec<_> = files.iter().map(|file| fs::read(file).unwrap()).collect();
    assert!(messages.len() > 60, "{} messages", messages.len());
    messages
}

/// The session descriptions of `sdp`'s tests.
fn descriptions() -> Vec<String> {
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("../sdp/tests/data");
    let files = fs::read_dir(data).expect("the vectors of sdp").map(|entry| entry.unwrap().path());
    let mut files: Vec<_> =
        files.filter(|path| path.extension().is_some_and(|ext| ext == "sdp")).collect();
    files.sort();
    let texts: Vec<_> =
        files.iter().map(|file| fs::read(file).unwrap()).map(|it| text(&it.into())).collect();
    assert!(texts.len() > 30);
    texts
}

/// RTCP packets of every kind, and RTP with everything that a header can have.
fn media_packets() -> Vec<Vec<u8>> {
    let vectors = fs::read_to_string(
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../rtp/tests/data/rtcp.json"),
    );
    let vectors = vectors.expect("the vectors of rtp");
    let mut packets: Vec<Vec<u8>> = vectors
        .split("\"hex\": \"")
        .skip(1)
        .map(|rest| hex(rest.split('"').next().unwrap()))
        .collect();
    assert!(packets.len() > 10);
    let plain = rtp(0, 7, 0xaaaa_bbbb, 300);
    let mut rich = plain.clone();
    rich[0] = 0xb2; // Padding, extension, two CSRCs.
    rich.splice(12..12, [1, 2, 3, 4, 5, 6, 7, 8, 0xbe, 0xde, 0, 1, 0x10, 0xff, 0, 0]);
    rich.extend([0, 0, 0, 4]);
    packets.extend([plain, rich, rtp(8, 9, 1, 1), rtp(127, 9, 1, 1)]);
    packets
}

fn hex(text: &str) -> Vec<u8> {
    let digits = text.as_bytes().chunks(2);
    digits.map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap()).collect()
}

/// A call that stands, with sound both ways while `throw` gets to throw things at it between the
/// frames. The call has to go on and all its sound has to arrive.
fn under_fire(frames: usize, mut throw: impl FnMut(&mut Desk, usize)) -> (Desk, CallId) {
    let (mut desk, call) = Desk::answered();
    desk.excuse(
        RULES_OF_RESPONSES,
        "strangers repeat a branch in requests that differ, come from many places or cannot be read \
         at all: nobody can tell which of them a response is for",
    );
    let (mut heard, mut sent) = (Vec::new(), 0);
    for index in 0..frames {
        throw(&mut desk, index);
        desk.inbox.clear();
        let ended = desk.events.iter().any(|event| is_end_of(event, call));
        assert!(!ended, "the call was ended at frame {index}");
        let talk = desk.talk(call, 1);
        heard.extend(talk.heard);
        sent += talk.sent.len();
        assert!(talk.sent.iter().all(|packet| packet.flow.remote == their_media()));
    }
    let spoken = heard.chunks(FRAME).filter(|frame| frame.iter().all(|it| *it == QUIET)).count();
    assert_eq!(sent, frames);
    assert!(spoken + 5 >= frames, "{spoken} of {frames} frames were heard");
    let leg = desk.endpoint.leg(call).unwrap();
    assert_eq!(leg.statistics(desk.now).frames.concealed, 0);
    (desk, call)
}

/// What [`Desk::talk`] says in its first frame, as G.711 gives it back.
const QUIET: i16 = 492;

fn is_end_of(event: &Event, call: CallId) -> bool {
    matches!(event, Event::Ended { call: ended, .. } if *ended == call)
}

/// Hangs up, which has to go as if nothing had happened.
fn finish(mut desk: Desk, call: CallId) {
    desk.endpoint.hang_up(desk.now, call).unwrap();
    desk.inbox.clear();
    desk.events.retain(|event| is_end_of(event, call));
    desk.drain();
    desk.answer_bye();
    assert_eq!(desk.ending(), Ending::Signalling(End::HungUp));
}

fn stranger() -> SocketAddr {
    ([203, 0, 113, 66], 4444).into()
}

#[test]
fn every_prefix_of_every_sip_message_leaves_a_call_alone() {
    let messages = sip_messages();
    let prefixes: Vec<&[u8]> = messages
        .iter()
        .flat_map(|message| {
            // Every length of the short ones, every seventh of the long.
            let step = if message.len() < 1200 { 1 } else { 7 };
            (0..=message.len()).step_by(step).map(|length| &message[..length])
        })
        .collect();
    let a_frame = prefixes.len().div_ceil(500);
    let mut batches = prefixes.chunks(a_frame);
    let mut malformed = 0;
    let (desk, call) = under_fire(batches.len(), |desk, _| {
        for prefix in batches.next().unwrap() {
            for from in [theirs(), stranger()] {
                desk.deliver(Flow::udp(ours(), from), prefix);
            }
            desk.deliver(Flow::udp(our_media(), their_media()), prefix);
            malformed += refusals(desk);
        }
    });
    let agent = desk.endpoint.agent().statistics();
    assert!(agent.total_dropped() > 1000, "{agent:?}");
    assert!(agent.refused() > 1000 && malformed > 1000, "{malformed} of {agent:?}");
    let leg = desk.endpoint.leg(call).unwrap().statistics(desk.now);
    assert!(leg.not_media as usize > prefixes.len() / 2, "{}", leg.not_media);
    finish(desk, call);
}

/// Takes the responses out of the inbox and counts those to malformed requests that say what was
/// wrong. A message that is well formed, but lacks what its method needs, gets the plain phrase.
fn refusals(desk: &mut Desk) -> usize {
    let mut count = 0;
    for message in desk.inbox.drain(..) {
        let Message::Response(response) = message else { continue };
        if response.status() == StatusCode::BAD_REQUEST {
            let reason = response.reason();
            assert!(!reason.is_empty() && reason.is_ascii(), "{response:?}");
            assert!(!reason.contains(['\r', '\n']), "{response:?}");
            count += usize::from(reason != StatusCode::BAD_REQUEST.reason());
        }
    }
    count
}

#[test]
fn a_malformed_request_is_refused_with_its_reason_or_not_at_all() {
    let (mut desk, call) = Desk::answered();
    let bad = desk.compose(&Method::OPTIONS).build().unwrap();
    let bad = text(bad.as_bytes()).replace("Max-Forwards: 70", "Max-Forwards: seventy");
    desk.send(bad.as_bytes());
    let refusal = desk.response(StatusCode::BAD_REQUEST);
    assert!(refusal.reason().contains("Max-Forwards"), "{}", refusal.reason());
    assert_eq!(desk.endpoint.agent().statistics().refused(), 1);
    // Without a Via nobody can be answered.
    desk.send(bad.replace("Via: ", "Vla: ").as_bytes());
    assert!(desk.inbox.is_empty());
    assert_eq!(desk.endpoint.agent().statistics().total_dropped(), 1);
    // Malformed responses are never answered (RFC 3261 §8.1.3.3).
    desk.send(b"SIP/2.0 299 What\r\nVia: nonsense\r\n\r\n");
    assert!(desk.inbox.is_empty());
    assert!(desk.talk(call, 20).was_heard());
}

#[test]
fn every_prefix_of_every_description_leaves_a_call_alone() {
    let texts = descriptions();
    let mut offers = texts.iter().flat_map(|text| {
        (0..=text.len()).filter(|length| text.is_char_boundary(*length)).map(|end| &text[..end])
    });
    let mut calls = 0;
    under_fire(150, |desk, frame| {
        for _ in 0..20 {
            let Some(offer) = offers.next() else { return };
            calls += 1;
            // Alternately a call of its own and a re-INVITE that has to be refused.
            let id = format!("c{calls}-{frame}@198.51.100.7");
            let invite = desk.compose(&Method::INVITE);
            let invite = invite.remove(HeaderName::CALL_ID).raw(HeaderName::CALL_ID, &id);
            let invite = invite.remove(HeaderName::TO).raw(HeaderName::TO, "<sip:alice@a.example>");
            let invite = invite.body("application/sdp", offer.to_owned()).build().unwrap();
            desk.send(invite.as_bytes());
            for event in std::mem::take(&mut desk.events) {
                if let Event::Incoming { call, .. } = event {
                    desk.endpoint.reject(desk.now, call, StatusCode::BUSY_HERE).unwrap();
                    desk.drain();
                }
            }
        }
    });
    assert!(calls > 2000, "{calls}");
}

#[test]
fn every_prefix_of_a_reinvite_leaves_a_call_alone() {
    let (mut desk, call) = Desk::answered();
    let offer = sdp("198.51.100.7", 4000, MUX);
    for length in 0..offer.len() {
        // A first part that happens to be whole is answered, the others are refused.
        desk.invite(Some(&offer[..length]));
        let messages = std::mem::take(&mut desk.inbox);
        let last = messages.last().unwrap();
        let Message::Response(response) = last else { panic!("{last:?}") };
        match response.status() {
            StatusCode::OK => {
                let empty = response.body().is_empty();
                assert!(!empty);
                // With no body at all, the answer is due in the ACK.
                desk.acknowledge((length == 0).then_some(offer.as_str()));
            }
            status => {
                assert_eq!(status.class(), 4, "{length}: {status}");
                desk.acknowledge_refusal();
            }
        }
        desk.inbox.clear();
        desk.wait(Duration::from_millis(40));
    }
    assert!(desk.events.iter().all(|event| !matches!(event, Event::Ended { .. })));
    desk.invite(Some(&offer));
    desk.inbox.clear();
    desk.acknowledge(None);
    assert!(desk.talk(call, 30).was_heard());
}

#[test]
fn every_prefix_of_every_media_packet_leaves_a_call_alone() {
    let packets = media_packets();
    let mut prefixes = packets
        .iter()
        .flat_map(|packet| (0..=packet.len()).map(|length| packet[..length].to_vec()))
        .filter(|prefix| !is_whole_rtp(prefix))
        .collect::<Vec<_>>()
        .into_iter();
    let count = prefixes.len();
    let (desk, call) = under_fire(count.div_ceil(10), |desk, _| {
        for prefix in prefixes.by_ref().take(10) {
            for from in [their_media(), stranger()] {
                desk.deliver(Flow::udp(our_media(), from), &prefix);
            }
            desk.deliver(Flow::udp(ours(), theirs()), &prefix);
        }
    });
    let leg = desk.endpoint.leg(call).unwrap().statistics(desk.now);
    assert!(leg.rtp.drops.malformed_rtcp > 100, "{:?}", leg.rtp.drops);
    assert!(leg.rtp.drops.malformed > 40, "{:?}", leg.rtp.drops);
    assert!(leg.foreign as usize > count / 2, "{} of {count}", leg.foreign);
    assert!(desk.endpoint.statistics().stray_media as usize > count / 2);
    finish(desk, call);
}

/// Whole packets from the peer's own address are not noise: they may be played.
fn is_whole_rtp(packet: &[u8]) -> bool {
    !offhook_rtp::is_rtcp(packet) && offhook_rtp::Packet::parse(packet).is_ok()
}

#[test]
fn sound_from_a_foreign_address_is_not_played() {
    let same_host: SocketAddr = (their_media().ip(), 4002).into();
    let (desk, call) = under_fire(200, |desk, index| {
        // The latch closes when the source of the peer is validated, with its second packet.
        if index > 1 {
            for from in [stranger(), same_host] {
                for ssrc in [desk.ssrc, 99] {
                    let packet = rtp(0, index as u16 + 1, ssrc, 30_000);
                    desk.deliver(Flow::udp(our_media(), from), &packet);
                }
            }
        }
    });
    assert_eq!(desk.endpoint.leg(call).unwrap().statistics(desk.now).foreign, 198 * 4);
    finish(desk, call);
}

#[test]
fn a_stranger_cannot_take_the_sound_before_the_peer_speaks() {
    let (mut desk, call) = Desk::answered();
    for sequence in 0..20 {
        let packet = rtp(0, sequence, 99, 30_000);
        desk.deliver(Flow::udp(our_media(), stranger()), &packet);
        desk.wait(Duration::from_millis(20));
        assert_eq!(desk.hear(call).0, Heard::Silence);
    }
    let talk = desk.talk(call, 20);
    assert!(talk.was_heard());
    assert_eq!(talk.went_to(), Some(their_media()));
}

#[test]
fn an_rtcp_bye_ends_no_call() {
    // A receiver report and a BYE, in the name of the peer's source and of a stranger's.
    let goodbye = |ssrc: u32| {
        let mut packet = vec![0x80, 201, 0, 1];
        packet.extend(ssrc.to_be_bytes());
        packet.extend([0x81, 203, 0, 1]);
        packet.extend(ssrc.to_be_bytes());
        packet
    };
    let (mut desk, call) = under_fire(100, |desk, index| {
        let ssrc = if index % 2 == 0 { desk.ssrc } else { 99 };
        desk.deliver(Flow::udp(our_media(), stranger()), &goodbye(ssrc));
        desk.deliver(Flow::udp(our_media(), their_media()), &goodbye(99));
    });
    // Also not that of the peer itself: only the signalling ends calls.
    let own = goodbye(desk.ssrc);
    desk.deliver(Flow::udp(our_media(), their_media()), &own);
    desk.wait(Duration::from_secs(60));
    assert_eq!(desk.endpoint.live_calls(), 1);
    desk.events.clear();
    finish(desk, call);
}

#[test]
fn requests_of_strangers_do_not_end_or_change_a_call() {
    let (desk, call) = under_fire(100, |desk, index| {
        for method in [Method::BYE, Method::INVITE, Method::CANCEL, Method::ACK] {
            let real = desk.compose(&method).body("application/sdp", sdp("203.0.113.66", 9, ""));
            let disguises = [real
                .remove(HeaderName::FROM)
                .raw(HeaderName::FROM, "<sip:bob@example.org>;tag=other")];
            for disguise in disguises {
                let message = disguise.build().unwrap();
                desk.deliver(Flow::udp(ours(), stranger()), message.as_bytes());
                assert!(
                    desk.inbox.drain(..).all(|message| match message {
                        Message::Response(response) =>
                            response.status() == StatusCode::CALL_OR_TRANSACTION_DOES_NOT_EXIST,
                        Message::Request(_) => false,
                    }),
                    "frame {index}"
                );
            }
        }
    });
    finish(desk, call);
}

/// A datagram and where it comes in.
fn anything() -> impl Strategy<Value = (bool, u8, Vec<u8>)> {
    let bytes = prop_oneof![
        prop::collection::vec(any::<u8>(), 0..200),
        // What begins like RTP or RTCP of version 2.
        prop::collection::vec(any::<u8>(), 0..200).prop_map(|mut bytes| {
            if let Some(first) = bytes.first_mut() {
                *first = 0x80 | (*first & 0x3f);
            }
            bytes
        }),
        (
            prop::sample::select(vec![200u8, 201, 202, 203, 204, 205, 0, 8, 96]),
            prop::collection::vec(any::<u8>(), 0..120)
        )
            .prop_map(|(kind, rest)| [vec![0x81, kind, 0, 6], rest].concat()),
        // What begins like SIP.
        (
            prop::sample::select(vec!["INVITE", "BYE", "ACK", "CANCEL", "SIP/2.0"]),
            "[ -~\r\n\t]{0,200}"
        )
            .prop_map(|(start, rest)| {
                format!("{start} sip:alice@192.0.2.1 SIP/2.0\r\nVia: {rest}\r\n\r\n").into_bytes()
            }),
        mutated(),
    ];
    (any::<bool>(), 0..3u8, bytes)
}

/// A BYE of the call with some octets changed. The unchanged one would be right to end it.
fn mutated() -> impl Strategy<Value = Vec<u8>> {
    let bye = "BYE sip:alice@192.0.2.1 SIP/2.0\r\n\
        Via: SIP/2.0/UDP 198.51.100.7:5070;branch=z9hG4bKm;rport\r\nMax-Forwards: 70\r\n\
        From: <sip:bob@example.org>;tag=bob\r\nTo: <sip:alice@example.com>;tag=guess\r\n\
        Call-ID: call-1@198.51.100.7\r\nCSeq: 900 BYE\r\n\r\n";
    prop::collection::vec((0..bye.len(), any::<u8>()), 0..6).prop_map(move |changes| {
        let mut bytes = bye.as_bytes().to_vec();
        for (at, octet) in changes {
            bytes[at] = octet;
        }
        bytes
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn random_datagrams_do_not_disturb_a_call(
        datagrams in prop::collection::vec(anything(), 50..300),
    ) {
        let mut datagrams = datagrams.chunks(4);
        let (desk, call) = under_fire(datagrams.len(), |desk, index| {
            for (media, from, bytes) in datagrams.next().unwrap() {
                let from = [stranger(), theirs(), their_media()][*from as usize];
                // Sound that the peer itself sends is its own.
                let genuine = *media && from == their_media() && is_whole_rtp(bytes);
                if index > 1 && !genuine {
                    let local = if *media { our_media() } else { ours() };
                    desk.deliver(Flow::udp(local, from), bytes);
                }
            }
        });
        finish(desk, call);
    }
}

/// What the auditor holds a response to its request by.
const RULES_OF_RESPONSES: &[Rule] = &[
    Rule::Readable,
    Rule::ToTag,
    Rule::SameToTag,
    Rule::ResponseHasRequest,
    Rule::ResponseCopies,
    Rule::ResponseDestination,
    Rule::OneFinal,
    Rule::ProvisionalFirst,
];
