//! First offers and answers: in the INVITE, in provisional and final responses, in the ACK.

use std::{
    cell::RefCell,
    net::SocketAddr,
    rc::Rc,
    time::{Duration, Instant},
};

use offhook_core::{CallId, Config, Ending, Endpoint, Error, Event, MediaSockets, Outgoing};
use offhook_media::Heard;
use offhook_sansio::{Flow, Protocol, Random};
use offhook_sip::End;
use offhook_sip_message::{Contact, HeaderName, Method, StatusCode, Warning};
use offhook_testkit::{Happened, HostId, Impairment, Network, Passage};

use crate::peer::{
    Desk, FRAME, MUX, config, our_media, ours, response, sdp, sockets, text, theirs,
};

#[test]
fn early_media_is_heard_before_the_answer_and_goes_on_after_it() {
    let mut desk = Desk::new();
    let (call, invite) = desk.call();
    desk.respond(&invite, StatusCode::RINGING, None);
    assert!(matches!(
        desk.event(),
        Event::Progress { status: StatusCode::RINGING, early_media: false, .. }
    ));
    assert!(matches!(desk.endpoint.send_audio(desk.now, call, &[0; FRAME]), Err(Error::NoMedia)));
    let answer = sdp("198.51.100.7", 4000, MUX);
    desk.respond(&invite, StatusCode::SESSION_PROGRESS, Some(&answer));
    let Event::Progress { status, early_media: true, .. } = desk.event() else {
        panic!("no early media")
    };
    assert_eq!(status, StatusCode::SESSION_PROGRESS);
    let early = desk.talk(call, 20);
    assert!(early.was_heard());
    assert_eq!(early.went_to(), Some(([198, 51, 100, 7], 4000).into()));

    desk.respond(&invite, StatusCode::OK, Some(&answer));
    desk.request(&Method::ACK);
    assert!(matches!(desk.event(), Event::Answered { .. }));
    let later = desk.talk(call, 20);
    assert_eq!(later.sent.len(), 20);
    assert!(later.heard.iter().any(|sample| *sample > 500), "the sound went on");
    assert_eq!(desk.endpoint.leg(call).unwrap().statistics(desk.now).rtp.packets_received, 40);
}

#[test]
fn sound_that_overtakes_the_answer_is_heard_and_that_of_strangers_is_not() {
    let mut desk = Desk::new();
    let (call, invite) = desk.call();
    let stranger: SocketAddr = ([203, 0, 113, 66], 4000).into();
    for sequence in 0..5 {
        desk.say(1000);
        let packet = crate::peer::rtp(0, sequence, 99, 30_000);
        desk.deliver(Flow::udp(our_media(), stranger), &packet);
        desk.wait(crate::peer::FRAME_TIME);
    }
    desk.respond(&invite, StatusCode::OK, Some(&sdp("198.51.100.7", 4000, MUX)));
    let mut levels = Vec::new();
    for _ in 0..20 {
        levels.extend(desk.hear(call).1);
        desk.wait(crate::peer::FRAME_TIME);
    }
    let spoken = levels.iter().filter(|level| **level == 988).count();
    assert!(spoken >= 4 * FRAME, "{spoken} samples of {}", 5 * FRAME);
    assert!(levels.iter().all(|level| *level < 2000));
    assert_eq!(desk.endpoint.leg(call).unwrap().statistics(desk.now).foreign, 5);
}

#[test]
fn a_final_answer_without_a_description_keeps_the_previewed_one() {
    let mut desk = Desk::new();
    let (call, invite) = desk.call();
    let answer = sdp("198.51.100.7", 4000, MUX);
    desk.respond(&invite, StatusCode::SESSION_PROGRESS, Some(&answer));
    desk.respond(&invite, StatusCode::OK, None);
    desk.request(&Method::ACK);
    desk.event();
    assert!(matches!(desk.event(), Event::Answered { .. }));
    assert!(desk.talk(call, 20).was_heard());
}

#[test]
fn the_answer_of_another_fork_than_the_one_that_was_heard_early_counts() {
    let mut desk = Desk::new();
    let (call, invite) = desk.call();
    let announcement = sdp("198.51.100.7", 4100, MUX);
    desk.respond_as("a", &invite, StatusCode::SESSION_PROGRESS, Some(&announcement));
    let answer = sdp("198.51.100.7", 4000, MUX);
    desk.respond_as("b", &invite, StatusCode::OK, Some(&answer));
    let ack = desk.request(&Method::ACK);
    assert_eq!(ack.to().tag(), Some("b"));
    assert!(matches!(desk.event(), Event::Progress { early_media: true, .. }));
    assert!(matches!(desk.event(), Event::Answered { .. }));
    let talk = desk.talk(call, 20);
    assert!(talk.was_heard());
    assert_eq!(talk.went_to(), Some(([198, 51, 100, 7], 4000).into()));
}

#[test]
fn early_media_that_cannot_be_used_is_ignored() {
    let mut desk = Desk::new();
    let (call, invite) = desk.call();
    desk.respond(&invite, StatusCode::SESSION_PROGRESS, Some("v=0\r\nnonsense"));
    assert!(matches!(desk.event(), Event::Progress { early_media: false, .. }));
    desk.respond(&invite, StatusCode::OK, Some(&sdp("198.51.100.7", 4000, MUX)));
    assert!(matches!(desk.event(), Event::Answered { .. }));
    assert!(desk.talk(call, 20).was_heard());
}

#[test]
fn an_answer_that_cannot_be_used_is_acknowledged_and_hung_up() {
    let foreign = sdp("198.51.100.7", 4000, "").replace("RTP/AVP 0", "RTP/AVP 9");
    let refused = sdp("198.51.100.7", 0, "");
    let disguised = sdp("198.51.100.7", 4000, MUX);
    let bodies: [(&str, Option<&str>); 7] = [
        ("application/sdp", None),
        ("application/sdp", Some("v=0\r\nnonsense")),
        ("application/sdp", Some("\0\u{1}\u{2}")),
        ("application/sdp", Some(&foreign)),
        ("application/sdp", Some(&refused)),
        ("text/plain", Some("we are closed")),
        ("text/plain", Some(&disguised)),
    ];
    for (content_type, body) in bodies {
        let mut desk = Desk::new();
        let (call, invite) = desk.call();
        let mut ok = response(&invite, StatusCode::OK, "bob");
        if let Some(body) = body {
            ok = ok.body(content_type, body.to_owned());
        }
        let ok = ok.build().unwrap();
        desk.send(ok.as_bytes());
        let ack = desk.request(&Method::ACK);
        assert_eq!(ack.cseq().number, invite.cseq().number);
        let bye = desk.request(&Method::BYE);
        assert_eq!(bye.cseq().number, invite.cseq().number + 1);
        assert!(desk.endpoint.send_audio(desk.now, call, &[0; FRAME]).is_err());
        // The peer has not got the ACK and says it again.
        desk.send(ok.as_bytes());
        desk.request(&Method::ACK);
        assert!(desk.events.is_empty(), "{body:?}: {:?}", desk.events);
        desk.respond(&bye, StatusCode::OK, None);
        let ending = desk.ending();
        assert!(matches!(&ending, Ending::BadDescription(why) if !why.is_empty()), "{ending:?}");
        assert_eq!(ending.status(), Some(StatusCode::NOT_ACCEPTABLE_HERE));
        assert!(desk.events.is_empty() && desk.media.is_empty());
        desk.check_empty();
    }
}

#[test]
fn an_invite_without_offer_gets_one_and_is_answered_in_the_ack() {
    let mut desk = Desk::new();
    let call = desk.invited(None);
    desk.endpoint.answer(desk.now, call, sockets()).unwrap();
    desk.drain();
    let offer = text(&desk.response(StatusCode::OK).body());
    assert!(offer.contains("m=audio 4000 RTP/AVP 0 8\r\n"), "{offer}");
    assert!(desk.endpoint.leg(call).is_none(), "nothing is agreed before the ACK");
    desk.acknowledge(Some(&sdp("198.51.100.7", 4000, MUX)));
    assert!(matches!(desk.event(), Event::Established { .. }));
    let talk = desk.talk(call, 20);
    assert!(talk.was_heard() && talk.sent.len() == 20);
    desk.bye();
    desk.response(StatusCode::OK);
    assert_eq!(desk.ending(), Ending::Signalling(End::PeerHungUp));
    desk.check_empty();
}

#[test]
fn an_ack_that_should_answer_and_does_not_ends_the_call() {
    for answer in [None, Some("v=0\r\nnonsense")] {
        let mut desk = Desk::new();
        let call = desk.invited(None);
        desk.endpoint.answer(desk.now, call, sockets()).unwrap();
        desk.drain();
        desk.response(StatusCode::OK);
        desk.acknowledge(answer);
        desk.answer_bye();
        assert!(matches!(desk.ending(), Ending::BadDescription(_)));
        assert!(desk.media.is_empty() && desk.events.is_empty());
        desk.check_empty();
    }
}

#[test]
fn an_offer_that_cannot_be_answered_is_refused_before_anybody_is_told() {
    let foreign = sdp("198.51.100.7", 4000, "").replace("RTP/AVP 0", "RTP/AVP 9");
    let secure = sdp("198.51.100.7", 4000, "").replace("RTP/AVP", "RTP/SAVP");
    for (offer, status) in [
        (foreign.as_str(), StatusCode::NOT_ACCEPTABLE_HERE),
        (secure.as_str(), StatusCode::NOT_ACCEPTABLE_HERE),
        ("v=0\r\nnonsense", StatusCode::BAD_REQUEST),
        ("\u{1}", StatusCode::BAD_REQUEST),
    ] {
        let mut desk = Desk::new();
        desk.invite(Some(offer));
        desk.response(StatusCode::TRYING);
        let refusal = desk.response(status);
        if status == StatusCode::BAD_REQUEST {
            assert!(refusal.reason().contains("line "), "{} names the fault", refusal.reason());
        } else {
            let warning = refusal.header::<Warning>().unwrap().expect("488 says why");
            assert_eq!(warning.code, 399);
            assert!(warning.text.contains("codec") || warning.text.contains("RTP/SAVP"));
        }
        assert!(desk.events.is_empty());
        assert_eq!(desk.endpoint.statistics().refused_offers, 1);
        assert_eq!(desk.endpoint.live_calls(), 0);
        desk.check_empty();
    }
}

#[test]
fn a_body_of_another_type_is_refused_with_the_types_that_are_understood() {
    let mut desk = Desk::new();
    desk.invite_with("text/plain", Some("hello"));
    let refusal = desk.response(StatusCode::UNSUPPORTED_MEDIA_TYPE);
    assert_eq!(refusal.headers().get_raw(HeaderName::ACCEPT), Some(&b"application/sdp"[..]));
    assert!(desk.events.is_empty());
    desk.check_empty();
}

#[test]
fn a_body_that_does_not_say_its_type_is_no_offer() {
    let mut desk = Desk::new();
    let offer = sdp("198.51.100.7", 4000, MUX);
    let invite = desk.compose(&Method::INVITE).body("application/sdp", offer).build().unwrap();
    let invite = text(invite.as_bytes()).replace("Content-Type: application/sdp\r\n", "");
    desk.send(invite.as_bytes());
    desk.response(StatusCode::TRYING);
    desk.response(StatusCode::UNSUPPORTED_MEDIA_TYPE);
    assert!(desk.events.is_empty());
    desk.check_empty();
}

#[test]
fn a_media_socket_in_use_is_refused_and_nothing_is_lost_by_it() {
    let (mut desk, first) = Desk::answered();
    let outgoing =
        Outgoing::new("sip:carol@198.51.100.7".parse().unwrap(), Flow::udp(ours(), theirs()));
    // The same pair, one that begins at our RTCP port, and one that ends at our RTP port.
    for (port, taken) in [(4000, 4000), (4001, 4001), (3999, 4000)] {
        let pair = MediaSockets::pair(([192, 0, 2, 1], port).into());
        let refused = desk.endpoint.call(desk.now, outgoing.clone(), pair);
        let taken: SocketAddr = ([192, 0, 2, 1], taken).into();
        assert!(matches!(refused, Err(Error::SocketInUse(socket)) if socket == taken));
    }
    desk.drain();
    assert!(desk.inbox.is_empty(), "no INVITE went out");
    assert_eq!(desk.endpoint.live_calls(), 1);
    assert!(desk.talk(first, 20).was_heard());

    desk.bye();
    desk.endpoint.call(desk.now, outgoing, sockets()).unwrap();
}

#[test]
fn media_is_not_let_onto_the_socket_of_the_signalling() {
    let mut desk = Desk::new();
    let outgoing =
        Outgoing::new("sip:carol@198.51.100.7".parse().unwrap(), Flow::udp(ours(), theirs()));
    let refused = desk.endpoint.call(desk.now, outgoing, MediaSockets::pair(ours()));
    assert!(matches!(refused, Err(Error::SocketInUse(socket)) if socket == ours()));
    desk.invited(Some(&sdp("198.51.100.7", 4000, MUX)));
}

#[test]
fn answering_on_a_socket_in_use_leaves_the_call_waiting() {
    let mut desk = Desk::new();
    desk.call();
    let call = desk.invited(Some(&sdp("198.51.100.7", 4000, MUX)));
    let refused = desk.endpoint.answer(desk.now, call, sockets());
    assert!(matches!(refused, Err(Error::SocketInUse(_))));
    let free = MediaSockets::pair(([192, 0, 2, 1], 4002).into());
    desk.endpoint.answer(desk.now, call, free).unwrap();
    desk.drain();
    desk.response(StatusCode::OK);
}

#[test]
fn every_verb_refuses_the_id_of_a_call_that_is_over() {
    let (mut desk, call) = Desk::answered();
    desk.bye();
    desk.response(StatusCode::OK);
    desk.ending();
    // Another call may take the place, but not the name.
    let other = desk.call().0;
    assert_ne!(call, other);
    let (now, endpoint) = (desk.now, &mut desk.endpoint);
    let mut frame = [0; FRAME];
    let free = MediaSockets::pair(([192, 0, 2, 1], 4002).into());
    assert!(endpoint.ring(now, call).is_err());
    assert!(endpoint.answer(now, call, free).is_err());
    assert!(endpoint.reject(now, call, StatusCode::BUSY_HERE).is_err());
    assert!(endpoint.hang_up(now, call).is_err());
    assert!(matches!(endpoint.send_audio(now, call, &frame), Err(Error::NoCall)));
    assert!(matches!(endpoint.play_audio(now, call, &mut frame), Err(Error::NoCall)));
    assert!(endpoint.leg(call).is_none());
    assert!(endpoint.call_statistics(now, call).is_none());
    desk.drain();
    assert!(desk.inbox.is_empty() && desk.events.is_empty());
    assert_eq!(desk.endpoint.live_calls(), 1);
}

#[test]
fn verbs_for_the_other_side_of_a_call_are_refused_and_change_nothing() {
    let (mut desk, call, _) = Desk::called();
    let free = MediaSockets::pair(([192, 0, 2, 1], 4002).into());
    assert!(desk.endpoint.ring(desk.now, call).is_err());
    assert!(desk.endpoint.answer(desk.now, call, free).is_err());
    assert!(desk.endpoint.reject(desk.now, call, StatusCode::BUSY_HERE).is_err());
    desk.drain();
    assert!(desk.inbox.is_empty() && desk.events.is_empty());
    assert!(desk.talk(call, 20).was_heard());
}

#[test]
fn a_caller_that_gives_up_in_time_is_gone() {
    let mut desk = Desk::new();
    let call = desk.invited(Some(&sdp("198.51.100.7", 4000, MUX)));
    desk.endpoint.ring(desk.now, call).unwrap();
    desk.drain();
    desk.response(StatusCode::RINGING);
    desk.cancel();
    desk.response(StatusCode::OK);
    desk.response(StatusCode::REQUEST_TERMINATED);
    assert_eq!(desk.ending(), Ending::Signalling(End::PeerCancelled));
    assert!(desk.endpoint.answer(desk.now, call, sockets()).is_err());
    desk.check_empty();
}

#[test]
fn a_call_whose_flow_fails_ends_as_503_and_frees_its_sockets() {
    let mut desk = Desk::new();
    let (call, _) = desk.call();
    desk.endpoint.transport_failed(desk.now, Flow::udp(ours(), theirs()));
    desk.drain();
    let ending = desk.ending();
    assert_eq!(ending, Ending::Signalling(End::TransportFailed));
    assert_eq!(ending.status(), Some(StatusCode::SERVICE_UNAVAILABLE));
    assert!(desk.endpoint.hang_up(desk.now, call).is_err());
    desk.check_empty();
}

#[test]
fn sound_stops_at_once_when_hanging_up() {
    let (mut desk, call, _) = Desk::called();
    desk.talk(call, 5);
    desk.endpoint.hang_up(desk.now, call).unwrap();
    desk.drain();
    let goodbye = std::mem::take(&mut desk.media);
    assert!(goodbye.iter().all(|sent| offhook_rtp::is_rtcp(&sent.payload)), "an RTCP BYE");
    assert_eq!(goodbye.len(), 1);
    assert!(desk.endpoint.send_audio(desk.now, call, &[0; FRAME]).is_err());
    desk.say(1000);
    desk.wait(Duration::from_secs(10));
    assert!(desk.media.is_empty());
    desk.answer_bye();
    assert_eq!(desk.ending(), Ending::Signalling(End::HungUp));
}

#[test]
fn public_addresses_are_told_to_the_peer_and_local_ones_are_sent_from() {
    let public: SocketAddr = ([203, 0, 113, 5], 16060).into();
    let mut desk = Desk::listening(config(), public);
    let mapped = MediaSockets {
        public_rtp: ([203, 0, 113, 5], 14000).into(),
        public_rtcp: ([203, 0, 113, 5], 14007).into(),
        ..sockets()
    };
    let outgoing =
        Outgoing::new("sip:bob@198.51.100.7:5070".parse().unwrap(), Flow::udp(ours(), theirs()));
    let call = desk.endpoint.call(desk.now, outgoing, mapped).unwrap();
    desk.drain();
    let invite = desk.request(&Method::INVITE);
    assert_eq!(invite.via().host.ip(), Some(public.ip()));
    assert_eq!(invite.via().port, Some(16060));
    assert!(is_at(&invite.header::<Contact>().unwrap().unwrap(), "203.0.113.5:16060"));
    check_description(&text(&invite.body()));
    assert!(!text(invite.as_bytes()).replace("alice@192.0.2.1", "").contains("192.0.2.1"));

    desk.respond(&invite, StatusCode::OK, Some(&sdp("198.51.100.7", 4000, MUX)));
    desk.request(&Method::ACK);
    let talk = desk.talk(call, 5);
    assert!(talk.sent.iter().all(|sent| sent.flow.local == our_media()));

    let mut desk = Desk::listening(config(), public);
    let call = desk.invited(Some(&sdp("198.51.100.7", 4000, MUX)));
    desk.endpoint.answer(desk.now, call, mapped).unwrap();
    desk.drain();
    let ok = desk.response(StatusCode::OK);
    assert!(is_at(&ok.header::<Contact>().unwrap().unwrap(), "203.0.113.5:16060"));
    check_description(&text(&ok.body()));
}

fn is_at(contact: &Contact, place: &str) -> bool {
    let mut text = String::new();
    offhook_sip_message::Header::write(contact, &mut text);
    text.contains(place)
}

fn check_description(description: &str) {
    assert!(description.contains("c=IN IP4 203.0.113.5\r\n"), "{description}");
    assert!(description.contains("m=audio 14000 "), "{description}");
    assert!(!description.contains("192.0.2.1"), "{description}");
}

/// What two endpoints sent while they talked for a minute.
struct Minute {
    /// The flows of RTCP.
    reports: Vec<Flow>,
    invite: String,
    round_trips: [Option<Duration>; 2],
}

/// Two endpoints talk for a minute; each wants RTCP multiplexed or not.
fn minute(muxes: [bool; 2]) -> Minute {
    let start = Instant::now();
    let mut network = Network::new(start, 1).audited();
    let hosts = [0, 1].map(|side| {
        let mut config = Config::new(format!("sip:{}", phone(side)).parse().unwrap());
        config.capabilities.rtcp_mux = muxes[side];
        let mut endpoint = Endpoint::new(start, config, Random::from_seed(side as u64));
        endpoint.listen(Protocol::Udp, phone(side), phone(side));
        network.host(endpoint, &[phone(side).ip()])
    });
    let delay = Duration::from_millis(35);
    network.link(hosts[0], hosts[1], Impairment { delay, ..Impairment::NONE });
    let seen = Rc::new(RefCell::new((Vec::new(), String::new())));
    let log = seen.clone();
    network.tap(move |packet| {
        let mut log = log.borrow_mut();
        match packet.passage {
            Passage::Sent if packet.payload.starts_with(b"INVITE") => {
                log.1 = String::from_utf8(packet.payload.to_vec()).unwrap();
            }
            Passage::Sent if offhook_rtp::is_rtcp(packet.payload) => log.0.push(packet.flow),
            _ => {}
        }
    });
    let calls = connect(&mut network, hosts);
    for _ in 0..3000 {
        for side in 0..2 {
            network.tell(hosts[side], |phone, now| {
                phone.send_audio(now, calls[side], &[1000; FRAME]).unwrap();
                let heard = phone.play_audio(now, calls[side], &mut [0; FRAME]).unwrap();
                assert_ne!(heard, Heard::Concealed);
            });
        }
        let next = network.now() + crate::peer::FRAME_TIME;
        network.run_until(next, |_| {}).unwrap();
    }
    let round_trips = [0, 1].map(|side: usize| {
        let endpoint = network.host_ref(hosts[side]);
        let media = endpoint.call_statistics(network.now(), calls[side]).unwrap().media.unwrap();
        assert_eq!(media.rtp.lost, 0);
        assert!(media.rtp.packets_received > 2900);
        media.rtp.round_trip
    });
    assert_eq!(network.audit(), []);
    let (reports, invite) = seen.take();
    Minute { reports, invite, round_trips }
}

/// The first calls the second, who answers at once.
fn connect(network: &mut Network<Endpoint>, hosts: [HostId; 2]) -> [CallId; 2] {
    let media = |side: usize| MediaSockets::pair((phone(side).ip(), 4000).into());
    let outgoing = Outgoing::new("sip:192.0.2.2".parse().unwrap(), Flow::udp(phone(0), phone(1)));
    let one = network.tell(hosts[0], |phone, now| phone.call(now, outgoing, media(0)).unwrap());
    let mut other = None;
    let soon = network.now() + Duration::from_secs(1);
    let answer = |happened: Happened<'_, Endpoint>| {
        if let Event::Incoming { call, .. } = happened.event {
            happened.machine.answer(happened.now, call, media(1)).unwrap();
            other = Some(call);
        }
    };
    network.run_until(soon, answer).unwrap();
    [one, other.unwrap()]
}

fn phone(side: usize) -> SocketAddr {
    ([192, 0, 2, 1 + side as u8], 5060).into()
}

#[test]
fn reports_have_a_port_of_their_own_unless_both_sides_want_to_share_one() {
    for muxes in [[true, true], [true, false], [false, true], [false, false]] {
        let Minute { reports, invite, round_trips } = minute(muxes);
        let port = if muxes == [true, true] { 4000 } else { 4001 };
        assert!(reports.len() > 10, "{} reports", reports.len());
        for flow in reports {
            assert_eq!((flow.local.port(), flow.remote.port()), (port, port), "{muxes:?}");
        }
        assert_eq!(invite.contains("a=rtcp-mux"), muxes[0]);
        for round_trip in round_trips {
            let millis = round_trip.unwrap().as_secs_f64() * 1000.0;
            assert!((69.0..71.0).contains(&millis), "{millis}");
        }
    }
}
