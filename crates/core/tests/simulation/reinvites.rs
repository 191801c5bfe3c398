//! Calls that the peer modifies: hold, resume, moves, and offers that lead nowhere.

use std::{net::SocketAddr, time::Duration};

use offhook_core::{Ending, Event};
use offhook_media::Heard;
use offhook_sip::End;
use offhook_sip_message::{HeaderName, Method, StatusCode};

use crate::peer::{Desk, FRAME, MUX, sdp, text, their_media};

/// The peer's next offer: like [`sdp`], with a version of its own.
fn offer(version: u32, address: &str, port: u16, more: &str) -> String {
    sdp(address, port, more).replace("o=bob 1 1 ", &format!("o=bob 1 {version} "))
}

/// Sends a re-INVITE with this offer and gives the answer.
fn modify(desk: &mut Desk, offer: &str) -> String {
    desk.invite(Some(offer));
    desk.response(StatusCode::TRYING);
    let answer = text(&desk.response(StatusCode::OK).body());
    desk.acknowledge(None);
    assert!(matches!(desk.event(), Event::Established { .. }));
    assert!(desk.events.is_empty());
    answer
}

#[test]
fn a_peer_that_holds_gets_no_sound_until_it_resumes() {
    for (hold, answer_has, hears) in
        [("a=sendonly\r\n", "a=recvonly\r\n", true), ("a=inactive\r\n", "a=inactive\r\n", false)]
    {
        let (mut desk, call) = Desk::answered();
        assert_eq!(desk.talk(call, 10).sent.len(), 10);
        let held = offer(2, "198.51.100.7", 4000, &format!("{MUX}{hold}"));
        let answer = modify(&mut desk, &held);
        assert!(answer.contains(answer_has), "{answer}");
        desk.listen(call, 50);
        let music = desk.talk(call, 50);
        assert!(music.sent.is_empty(), "sound was sent to a peer that holds");
        let heard = music.heard.iter().filter(|sample| **sample > 400).count();
        assert_eq!(heard > 30 * FRAME, hears, "{hold:?}: {heard}");

        let resumed = offer(3, "198.51.100.7", 4000, MUX);
        let answer = modify(&mut desk, &resumed);
        assert!(!answer.contains("a=recvonly") && !answer.contains("a=inactive"), "{answer}");
        desk.listen(call, 50);
        let talk = desk.talk(call, 30);
        assert!(talk.was_heard_again() && talk.sent.len() == 30);
        assert_eq!(talk.went_to(), Some(their_media()));
        desk.bye();
        desk.response(StatusCode::OK);
        desk.ending();
        desk.check_empty();
    }
}

#[test]
fn nothing_at_all_is_sent_to_a_peer_that_holds_in_the_old_way() {
    for direction in ["", "a=sendonly\r\n", "a=inactive\r\n", "a=sendrecv\r\n"] {
        for mux in ["", MUX] {
            let (mut desk, call) = Desk::answered();
            desk.talk(call, 10);
            let held = offer(2, "0.0.0.0", 4000, &format!("{mux}{direction}"));
            modify(&mut desk, &held);
            desk.media.clear();
            for _ in 0..500 {
                desk.endpoint.send_audio(desk.now, call, &[1000; FRAME]).unwrap();
                desk.hear(call);
                desk.wait(Duration::from_millis(20));
            }
            // Reports would be due every five seconds.
            desk.wait(Duration::from_secs(60));
            assert!(desk.media.is_empty(), "{direction:?}: {:?}", desk.media);

            let resumed = offer(3, "198.51.100.7", 4000, MUX);
            modify(&mut desk, &resumed);
            let talk = desk.talk(call, 30);
            assert!(talk.was_heard_again() && talk.sent.len() == 30);
            assert_eq!(talk.went_to(), Some(their_media()));
        }
    }
}

#[test]
fn a_call_that_is_held_in_the_old_way_can_be_hung_up() {
    let (mut desk, call) = Desk::answered();
    modify(&mut desk, &offer(2, "0.0.0.0", 4000, ""));
    desk.media.clear();
    desk.endpoint.hang_up(desk.now, call).unwrap();
    desk.drain();
    assert!(desk.media.is_empty(), "not even an RTCP BYE");
    desk.answer_bye();
    assert_eq!(desk.ending(), Ending::Signalling(End::HungUp));
    desk.check_empty();
}

#[test]
fn sound_follows_a_peer_that_moves() {
    let (mut desk, call) = Desk::answered();
    desk.talk(call, 10);
    modify(&mut desk, &offer(2, "198.51.100.7", 6000, MUX));
    desk.endpoint.send_audio(desk.now, call, &[1; FRAME]).unwrap();
    desk.drain();
    let moved: SocketAddr = ([198, 51, 100, 7], 6000).into();
    assert_eq!(desk.media.pop().unwrap().flow.remote, moved);
    for _ in 0..10 {
        desk.say_from(moved, 3000);
        desk.wait(Duration::from_millis(20));
        desk.hear(call);
    }
    assert_eq!(desk.hear(call).0, Heard::Speech);
}

#[test]
fn sound_changes_its_codec_in_mid_call() {
    let (mut desk, call) = Desk::answered();
    desk.talk(call, 10);
    let a_law = offer(2, "198.51.100.7", 4000, MUX).replace("RTP/AVP 0", "RTP/AVP 8");
    let answer = modify(&mut desk, &a_law);
    assert!(answer.contains(" RTP/AVP 8\r\n"), "{answer}");
    desk.media.clear();
    desk.endpoint.send_audio(desk.now, call, &[1000; FRAME]).unwrap();
    desk.drain();
    let packet = desk.media.pop().unwrap().payload;
    assert_eq!(packet[1] & 0x7f, 8);
    assert!(packet[12..].iter().all(|octet| *octet == offhook_codec::g711::encode_alaw(1000)));
}

#[test]
fn a_reinvite_without_offer_gets_ours_and_its_ack_may_move_the_sound() {
    let (mut desk, call) = Desk::answered();
    desk.talk(call, 10);
    desk.invite(None);
    desk.response(StatusCode::TRYING);
    let offered = text(&desk.response(StatusCode::OK).body());
    assert!(offered.contains("m=audio 4000 "), "{offered}");
    assert_eq!(desk.talk(call, 10).sent.len(), 10, "the session goes on meanwhile");
    desk.acknowledge(Some(&offer(2, "198.51.100.7", 6000, MUX)));
    assert!(matches!(desk.event(), Event::Established { .. }));
    desk.endpoint.send_audio(desk.now, call, &[1; FRAME]).unwrap();
    desk.drain();
    assert_eq!(desk.media.pop().unwrap().flow.remote.port(), 6000);
    // The next offer of the peer is its own business again.
    modify(&mut desk, &offer(3, "198.51.100.7", 4000, MUX));
    desk.endpoint.send_audio(desk.now, call, &[1; FRAME]).unwrap();
    desk.drain();
    assert_eq!(desk.media.pop().unwrap().flow.remote.port(), 4000);
}

#[test]
fn a_reinvite_that_cannot_be_answered_leaves_the_call_as_it_was() {
    let foreign = offer(2, "198.51.100.7", 6000, "").replace("RTP/AVP 0", "RTP/AVP 9");
    let wide = offer(2, "198.51.100.7", 6000, "").replace("RTP/AVP 0", "RTP/AVP 96")
        + "a=rtpmap:96 PCMU/16000\r\n";
    for (content_type, body, status) in [
        ("application/sdp", foreign.as_str(), StatusCode::NOT_ACCEPTABLE_HERE),
        ("application/sdp", wide.as_str(), StatusCode::NOT_ACCEPTABLE_HERE),
        ("application/sdp", "v=0\r\nnonsense", StatusCode::BAD_REQUEST),
        ("text/plain", "hello", StatusCode::UNSUPPORTED_MEDIA_TYPE),
    ] {
        let (mut desk, call) = Desk::answered();
        desk.talk(call, 10);
        desk.invite_with(content_type, Some(body));
        if status != StatusCode::UNSUPPORTED_MEDIA_TYPE {
            desk.response(StatusCode::TRYING);
        }
        let refusal = desk.response(status);
        let accept = refusal.headers().get_raw(HeaderName::ACCEPT);
        assert_eq!(accept.is_some(), status == StatusCode::UNSUPPORTED_MEDIA_TYPE);
        desk.acknowledge_refusal();
        assert!(desk.events.is_empty(), "{:?}", desk.events);
        let talk = desk.talk(call, 30);
        assert_eq!((talk.sent.len(), talk.went_to()), (30, Some(their_media())));
        assert!(talk.heard.iter().filter(|sample| **sample > 400).count() > 25 * FRAME);
        // And it can still be modified.
        modify(&mut desk, &offer(3, "198.51.100.7", 4000, MUX));
    }
}

#[test]
fn a_reinvite_for_our_offer_whose_ack_has_no_answer_ends_the_call() {
    let (mut desk, _) = Desk::answered();
    desk.invite(None);
    desk.response(StatusCode::TRYING);
    desk.response(StatusCode::OK);
    desk.acknowledge(None);
    desk.answer_bye();
    assert!(matches!(desk.ending(), Ending::BadDescription(_)));
    desk.check_empty();
}

#[test]
fn a_caller_can_be_modified_by_its_callee() {
    let (mut desk, call, invite) = Desk::called();
    desk.talk(call, 10);
    let held = offer(2, "198.51.100.7", 4000, &format!("{MUX}a=sendonly\r\n"));
    let tag = invite.from().tag().unwrap().to_owned();
    let request = |method: &Method, branch: &str| {
        offhook_sip_message::Request::builder(method.clone(), &invite_contact(&invite))
            .raw(HeaderName::VIA, &format!("SIP/2.0/UDP 198.51.100.7:5070;branch=z9hG4bK{branch}"))
            .raw(HeaderName::MAX_FORWARDS, "70")
            .raw(HeaderName::FROM, "<sip:bob@198.51.100.7>;tag=bob")
            .raw(HeaderName::TO, &format!("<sip:alice@192.0.2.1>;tag={tag}"))
            .raw(HeaderName::CALL_ID, &invite.call_id().0)
            .raw(HeaderName::CSEQ, &format!("77 {}", method.as_str()))
            .raw(HeaderName::CONTACT, "<sip:bob@198.51.100.7:5070>")
    };
    let again = request(&Method::INVITE, "a").body("application/sdp", held).build().unwrap();
    desk.send(again.as_bytes());
    desk.response(StatusCode::TRYING);
    assert!(text(&desk.response(StatusCode::OK).body()).contains("a=recvonly\r\n"));
    desk.send(request(&Method::ACK, "b").build().unwrap().as_bytes());
    assert!(matches!(desk.event(), Event::Established { .. }));
    assert!(desk.talk(call, 10).sent.is_empty());
}

fn invite_contact(invite: &offhook_sip_message::ValidRequest) -> offhook_sip_message::Uri {
    use offhook_sip_message::{Contact, Header};
    let mut text = String::new();
    invite.header::<Contact>().unwrap().unwrap().write(&mut text);
    text.trim_matches(['<', '>']).parse().unwrap()
}

#[test]
fn many_reinvites_leave_nothing_behind() {
    let (mut desk, call) = Desk::answered();
    for version in 2..500 {
        let direction = ["", "a=sendonly\r\n", "a=inactive\r\n"][version as usize % 3];
        let more = format!("{MUX}{direction}");
        modify(&mut desk, &offer(version, "198.51.100.7", 4000 + version as u16 % 7, &more));
        desk.wait(Duration::from_millis(100));
    }
    desk.wait(Duration::from_secs(40));
    assert_eq!(desk.endpoint.agent().live_transactions(), 0);
    assert_eq!(desk.endpoint.live_calls(), 1);
    modify(&mut desk, &offer(500, "198.51.100.7", 4000, MUX));
    assert!(desk.talk(call, 30).was_heard_again());
}
