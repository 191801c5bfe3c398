//! Sessions that are agreed before the call is, and changed without an INVITE: reliable provisional
//! responses (RFC 3262), UPDATE (RFC 3311), and forks that each have their own.

use std::net::SocketAddr;

use offhook_core::{CallId, Ending, Event};
use offhook_sansio::Flow;
use offhook_sip::{End, ReliableProvisionals};
use offhook_sip_message::{
    Contact, From, HeaderName, Method, Request, RequestBuilder, Response, StatusCode, To,
    ValidRequest,
};

use crate::peer::{Desk, FRAME, MUX, config, ours, response, sdp, sockets, text};

/// A request of the callee `tag` in the dialog of our INVITE.
fn from_callee(invite: &ValidRequest, method: &Method, tag: &str, cseq: u32) -> RequestBuilder {
    let via = format!("SIP/2.0/UDP 198.51.100.7:5070;branch=z9hG4bK{tag}{cseq};rport");
    let Ok(Some(Contact::Address { address, .. })) = invite.header::<Contact>() else { panic!() };
    let local_tag = invite.from().tag().unwrap();
    Request::builder(method.clone(), &address.uri)
        .raw(HeaderName::VIA, &via)
        .raw(HeaderName::MAX_FORWARDS, "70")
        .header(&From::new(invite.to().address.clone()).with_tag(tag))
        .header(&To::new(invite.from().address.clone()).with_tag(local_tag))
        .header(invite.call_id())
        .raw(HeaderName::CSEQ, &format!("{cseq} {}", method.as_str()))
        .raw(HeaderName::CONTACT, "<sip:bob@198.51.100.7:5070>")
}

/// The callee `tag` describes its session reliably, at this port, and gets its PRACK.
fn answer_early(desk: &mut Desk, invite: &ValidRequest, tag: &str, port: u16) {
    let early = response(invite, StatusCode::SESSION_PROGRESS, tag)
        .raw(HeaderName::REQUIRE, "100rel")
        .raw(HeaderName::RSEQ, "1")
        .body("application/sdp", sdp("198.51.100.7", port, MUX));
    desk.send(early.build().unwrap().as_bytes());
    let prack = desk.request(&Method::PRACK);
    assert!(prack.body().is_empty() && prack.to().tag() == Some(tag));
    desk.respond(&prack, StatusCode::OK, None);
    assert!(matches!(desk.event(), Event::Progress { early_media: true, .. }));
}

/// The peer sends an UPDATE with this offer and gets this answer.
fn update(desk: &mut Desk, offer: &str, status: StatusCode) -> String {
    let update = desk.compose(&Method::UPDATE).body("application/sdp", offer.to_owned());
    desk.send(update.build().unwrap().as_bytes());
    text(&desk.response(status).body())
}

fn port(number: u16) -> Option<SocketAddr> {
    Some(([198, 51, 100, 7], number).into())
}

/// Where a frame of sound goes.
fn goes_to(desk: &mut Desk, call: CallId) -> Option<SocketAddr> {
    desk.media.clear();
    desk.endpoint.send_audio(desk.now, call, &[1; FRAME]).unwrap();
    desk.drain();
    desk.media.pop().map(|sent| sent.flow.remote)
}

fn next(version: u32, port: u16, more: &str) -> String {
    sdp("198.51.100.7", port, more).replace("o=bob 1 1 ", &format!("o=bob 1 {version} "))
}

#[test]
fn an_update_holds_and_resumes_a_call_that_stands() {
    let (mut desk, call) = Desk::answered();
    assert_eq!(desk.talk(call, 10).sent.len(), 10);
    let held = next(2, 4000, &format!("{MUX}a=sendonly\r\n"));
    let answer = update(&mut desk, &held, StatusCode::OK);
    assert!(answer.contains("a=recvonly"), "{answer}");
    desk.listen(call, 50);
    assert!(desk.talk(call, 20).sent.is_empty());
    update(&mut desk, &next(3, 6000, MUX), StatusCode::OK);
    assert_eq!(goes_to(&mut desk, call), port(6000));
    assert!(desk.events.is_empty(), "as with a re-INVITE, nobody is told");
}

#[test]
fn an_update_that_cannot_be_answered_is_refused_and_sound_goes_on() {
    let (mut desk, call) = Desk::answered();
    let foreign = next(2, 4000, MUX).replace("RTP/AVP 0", "RTP/AVP 111");
    update(&mut desk, &foreign, StatusCode::NOT_ACCEPTABLE_HERE);
    assert_eq!(desk.endpoint.statistics().refused_offers, 1);
    assert_eq!(desk.talk(call, 10).sent.len(), 10);
    update(&mut desk, &next(2, 6000, MUX), StatusCode::OK);
    assert_eq!(goes_to(&mut desk, call), port(6000));
}

#[test]
fn a_reliable_answer_is_acknowledged_and_stands_for_the_final_one() {
    let mut desk = Desk::new();
    let (call, invite) = desk.call();
    answer_early(&mut desk, &invite, "bob", 4000);
    assert!(desk.talk(call, 20).was_heard());
    // RFC 3261 §13.2.1: what comes after the answer is ignored.
    desk.respond(&invite, StatusCode::OK, Some(&next(2, 6000, MUX)));
    desk.request(&Method::ACK);
    assert!(matches!(desk.event(), Event::Answered { .. }));
    assert_eq!(goes_to(&mut desk, call), port(4000));
}

#[test]
fn a_callee_changes_the_session_before_it_answers() {
    let mut desk = Desk::new();
    let (call, invite) = desk.call();
    answer_early(&mut desk, &invite, "bob", 4000);
    let update =
        from_callee(&invite, &Method::UPDATE, "bob", 1).body("application/sdp", next(2, 6000, MUX));
    desk.send(update.build().unwrap().as_bytes());
    assert!(text(&desk.response(StatusCode::OK).body()).contains("m=audio 4000"));
    assert_eq!(goes_to(&mut desk, call), port(6000));
    desk.respond(&invite, StatusCode::OK, None);
    desk.request(&Method::ACK);
    assert!(matches!(desk.event(), Event::Answered { .. }));
    assert_eq!(goes_to(&mut desk, call), port(6000), "not back");
}

#[test]
fn each_fork_keeps_the_session_that_was_agreed_with_it() {
    for (winner, at) in [("a", 5000), ("b", 4200), ("c", 4300)] {
        let mut desk = Desk::new();
        let (call, invite) = desk.call();
        answer_early(&mut desk, &invite, "a", 4100);
        answer_early(&mut desk, &invite, "b", 4200);
        assert_eq!(goes_to(&mut desk, call), port(4200), "the last is heard");
        let update = from_callee(&invite, &Method::UPDATE, "a", 1)
            .body("application/sdp", next(2, 5000, MUX));
        desk.send(update.build().unwrap().as_bytes());
        desk.response(StatusCode::OK);
        answer_early(&mut desk, &invite, "c", 4300);
        desk.respond_as(winner, &invite, StatusCode::OK, None);
        desk.request(&Method::ACK);
        assert!(matches!(desk.event(), Event::Answered { .. }));
        assert_eq!(goes_to(&mut desk, call), port(at), "{winner}");
    }
}

#[test]
fn a_fork_that_never_described_its_session_cannot_be_taken() {
    let mut desk = Desk::new();
    let (_, invite) = desk.call();
    answer_early(&mut desk, &invite, "a", 4100);
    desk.respond_as("b", &invite, StatusCode::OK, None);
    desk.request(&Method::ACK);
    desk.answer_bye();
    assert!(matches!(desk.ending(), Ending::BadDescription(_)));
    desk.check_empty();
}

#[test]
fn ringing_is_reliable_for_a_caller_that_requires_it() {
    let mut desk = Desk::new();
    let invite = desk.compose(&Method::INVITE).raw(HeaderName::REQUIRE, "100rel");
    let offer = sdp("198.51.100.7", 4000, MUX);
    desk.send(invite.body("application/sdp", offer).build().unwrap().as_bytes());
    desk.response(StatusCode::TRYING);
    let Event::Incoming { call, .. } = desk.event() else { panic!() };
    desk.endpoint.ring(desk.now, call).unwrap();
    desk.drain();
    let ringing = desk.response(StatusCode::RINGING);
    let number = ringing.header::<offhook_sip_message::RSeq>().unwrap().unwrap().0;
    desk.tag = ringing.header::<To>().unwrap().unwrap().tag().unwrap().to_owned();
    let prack = desk.compose(&Method::PRACK).raw(HeaderName::RACK, &format!("{number} 1 INVITE"));
    desk.send(prack.build().unwrap().as_bytes());
    desk.response(StatusCode::OK);
    desk.endpoint.answer(desk.now, call, sockets()).unwrap();
    desk.drain();
    desk.response(StatusCode::OK);
    let ack = desk
        .compose(&Method::ACK)
        .replace(&offhook_sip_message::CSeq { number: 1, method: Method::ACK });
    desk.send(ack.build().unwrap().as_bytes());
    assert!(matches!(desk.event(), Event::Established { .. }));
    assert_eq!(desk.talk(call, 10).sent.len(), 10);
}

#[test]
fn the_use_of_reliable_responses_is_a_setting_of_the_endpoint() {
    let mut config = config();
    config.sip.reliable_provisionals = ReliableProvisionals::Required;
    let mut desk = Desk::with(config);
    let (_, invite) = desk.call();
    assert_eq!(
        invite.headers().texts(HeaderName::REQUIRE).flatten().next().as_deref(),
        Some("100rel")
    );
    desk.respond(&invite, StatusCode::BAD_EXTENSION, None);
    desk.request(&Method::ACK);
    let ending = desk.ending();
    assert!(matches!(ending, Ending::Signalling(End::Rejected { .. })), "{ending:?}");
}

#[test]
fn a_redirected_call_goes_on_with_the_same_offer() {
    let mut config = config();
    config.sip.max_redirects = 1;
    let mut desk = Desk::with(config);
    let (call, invite) = desk.call();
    let moved = Response::reply_to(&invite, StatusCode::MOVED_TEMPORARILY)
        .to_tag("p")
        .raw(HeaderName::CONTACT, "<sip:bob@198.51.100.7:5090>");
    desk.send(moved.build().unwrap().as_bytes());
    desk.request(&Method::ACK);
    let Event::Redirected { targets, .. } = desk.event() else { panic!() };
    let flow = Flow::udp(ours(), ([198, 51, 100, 7], 5090).into());
    desk.endpoint.follow(desk.now, call, &targets[0], flow).unwrap();
    desk.drain();
    let again = desk.request(&Method::INVITE);
    assert_eq!(again.body(), invite.body());
    desk.respond(&again, StatusCode::OK, Some(&sdp("198.51.100.7", 4000, MUX)));
    desk.request(&Method::ACK);
    assert!(matches!(desk.event(), Event::Answered { .. }));
    assert!(desk.talk(call, 20).was_heard());
}
