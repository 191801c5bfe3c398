//! Holding calls and going on with them (RFC 3264 §8.4), asked for by this side.

use std::time::Duration;

use offhook_core::{CallId, Error, Event, Hold};
use offhook_sdp::Direction;
use offhook_sip_message::{HeaderName, Method, StatusCode, ValidRequest};

use crate::peer::{Desk, MUX, config, response, sdp, sockets, text};

const NOBODY: Hold = Hold { by_us: false, by_peer: false };
const US: Hold = Hold { by_us: true, by_peer: false };

/// The offer in the re-INVITE that has come.
fn offered(desk: &mut Desk, direction: &str) -> ValidRequest {
    let again = desk.request(&Method::INVITE);
    let offer = text(&again.body());
    assert!(offer.contains(&format!("a={direction}\r\n")), "{offer}");
    again
}

/// The peer agrees to it, and says so with `direction`.
fn agree(desk: &mut Desk, again: &ValidRequest, version: u32, direction: &str) {
    let answer = sdp("198.51.100.7", 4000, &format!("{MUX}a={direction}\r\n"));
    let answer = answer.replace("o=bob 1 1 ", &format!("o=bob 1 {version} "));
    desk.respond(again, StatusCode::OK, Some(&answer));
    desk.request(&Method::ACK);
    assert!(matches!(desk.event(), Event::Changed { .. }));
}

fn refuse(desk: &mut Desk, again: &ValidRequest, status: StatusCode) {
    desk.respond(again, status, None);
    desk.request(&Method::ACK);
}

fn ask(desk: &mut Desk, call: CallId, direction: Direction) -> Result<(), Error> {
    let now = desk.now;
    let asked = match direction {
        Direction::SendOnly => desk.endpoint.hold(now, call),
        Direction::Inactive => desk.endpoint.hold_silently(now, call),
        _ => desk.endpoint.resume(now, call),
    };
    desk.drain();
    asked
}

#[test]
fn a_held_peer_is_not_heard_and_hears_what_is_played() {
    let (mut desk, call, _) = Desk::called();
    assert!(desk.talk(call, 20).was_heard());
    ask(&mut desk, call, Direction::SendOnly).unwrap();
    let again = offered(&mut desk, "sendonly");
    assert_eq!(desk.holds, [], "not before it agrees");
    agree(&mut desk, &again, 2, "recvonly");
    assert_eq!((desk.endpoint.held(call), desk.holds.pop()), (Some(US), Some(US)));
    desk.listen(call, 50);
    let talk = desk.talk(call, 20);
    assert_eq!(talk.sent.len(), 20);
    assert!(talk.heard.iter().all(|sample| *sample == 0));

    ask(&mut desk, call, Direction::Inactive).unwrap();
    let again = offered(&mut desk, "inactive");
    agree(&mut desk, &again, 3, "inactive");
    assert!(desk.talk(call, 20).sent.is_empty());
    assert_eq!(desk.holds, [], "nobody else holds it");

    ask(&mut desk, call, Direction::SendRecv).unwrap();
    let again = offered(&mut desk, "sendrecv");
    agree(&mut desk, &again, 4, "sendrecv");
    assert_eq!(desk.holds.pop(), Some(NOBODY));
    let talk = desk.talk(call, 30);
    assert!(talk.was_heard_again());
    assert_eq!(talk.sent.len(), 30);
}

#[test]
fn a_refused_change_leaves_the_session_as_it_was() {
    let (mut desk, call) = Desk::answered();
    ask(&mut desk, call, Direction::SendOnly).unwrap();
    let again = offered(&mut desk, "sendonly");
    assert!(matches!(ask(&mut desk, call, Direction::SendRecv), Err(Error::ChangeInProgress)));
    refuse(&mut desk, &again, StatusCode::NOT_ACCEPTABLE_HERE);
    let Event::NotChanged { status, .. } = desk.event() else { panic!() };
    assert_eq!((status, desk.endpoint.held(call)), (StatusCode::NOT_ACCEPTABLE_HERE, Some(NOBODY)));
    assert!(desk.talk(call, 20).was_heard());
    // What the peer asks for is answered as before.
    desk.invite(Some(&sdp("198.51.100.7", 4000, MUX).replace("o=bob 1 1 ", "o=bob 1 2 ")));
    desk.response(StatusCode::TRYING);
    assert!(text(&desk.response(StatusCode::OK).body()).contains("a=sendrecv\r\n"));
    desk.acknowledge(None);
}

#[test]
fn who_asks_at_the_same_time_as_the_peer_asks_again_but_not_for_ever() {
    let (mut desk, call) = Desk::answered();
    ask(&mut desk, call, Direction::SendOnly).unwrap();
    let mut asked = 0;
    while desk.events.is_empty() {
        let again = offered(&mut desk, "sendonly");
        refuse(&mut desk, &again, StatusCode::REQUEST_PENDING);
        asked += 1;
        // RFC 3261 §14.1: up to 2 s for who has not made the Call-ID.
        desk.wait_for_message(Duration::from_secs(2));
    }
    let Event::NotChanged { status, .. } = desk.event() else { panic!() };
    assert_eq!((status, asked), (StatusCode::REQUEST_PENDING, 8));
    assert_eq!(desk.endpoint.held(call), Some(NOBODY));

    ask(&mut desk, call, Direction::SendOnly).unwrap();
    let again = offered(&mut desk, "sendonly");
    refuse(&mut desk, &again, StatusCode::REQUEST_PENDING);
    desk.wait_for_message(Duration::from_secs(2));
    let again = offered(&mut desk, "sendonly");
    agree(&mut desk, &again, 2, "recvonly");
    assert_eq!(desk.endpoint.held(call), Some(US));
}

#[test]
fn a_change_waits_for_a_reinvite_of_the_peer_to_be_acknowledged() {
    let (mut desk, call) = Desk::answered();
    desk.invite(Some(&sdp("198.51.100.7", 4000, MUX).replace("o=bob 1 1 ", "o=bob 1 2 ")));
    desk.response(StatusCode::TRYING);
    desk.response(StatusCode::OK);
    ask(&mut desk, call, Direction::SendOnly).unwrap();
    assert!(desk.inbox.is_empty(), "RFC 3261 §14.1");
    desk.acknowledge(None);
    desk.event();
    desk.wait(Duration::from_millis(500));
    let again = offered(&mut desk, "sendonly");
    agree(&mut desk, &again, 3, "recvonly");
}

#[test]
fn an_answer_that_cannot_be_used_ends_the_call() {
    let (mut desk, call) = Desk::answered();
    ask(&mut desk, call, Direction::SendOnly).unwrap();
    let again = offered(&mut desk, "sendonly");
    desk.respond(&again, StatusCode::OK, Some("not a session description"));
    desk.request(&Method::ACK);
    desk.answer_bye();
    assert_eq!(desk.ending().status(), Some(StatusCode::NOT_ACCEPTABLE_HERE));
    desk.check_empty();
}

#[test]
fn a_call_that_is_not_answered_is_held_by_an_update() {
    let mut desk = Desk::new();
    let (call, invite) = desk.call();
    assert!(ask(&mut desk, call, Direction::SendOnly).is_err(), "nothing is agreed");
    let early = response(&invite, StatusCode::SESSION_PROGRESS, "bob")
        .raw(HeaderName::REQUIRE, "100rel")
        .raw(HeaderName::RSEQ, "1")
        .body("application/sdp", sdp("198.51.100.7", 4000, MUX));
    desk.send(early.build().unwrap().as_bytes());
    let prack = desk.request(&Method::PRACK);
    desk.respond(&prack, StatusCode::OK, None);
    desk.event();
    ask(&mut desk, call, Direction::SendOnly).unwrap();
    let update = desk.request(&Method::UPDATE);
    assert!(text(&update.body()).contains("a=sendonly\r\n"));
    let held = sdp("198.51.100.7", 4000, &format!("{MUX}a=recvonly\r\n"));
    desk.respond(&update, StatusCode::OK, Some(&held.replace("o=bob 1 1 ", "o=bob 1 2 ")));
    assert!(matches!(desk.event(), Event::Changed { .. }));
    assert_eq!(desk.holds.pop(), Some(US));
    desk.respond(&invite, StatusCode::OK, None);
    desk.request(&Method::ACK);
    assert!(matches!(desk.event(), Event::Answered { .. }));
    assert_eq!(desk.endpoint.held(call), Some(US), "the answer changes nothing");
    ask(&mut desk, call, Direction::SendRecv).unwrap();
    offered(&mut desk, "sendrecv");
}

#[test]
fn who_only_receives_holds_with_nothing_at_all() {
    let mut config = config();
    config.capabilities.direction = Direction::RecvOnly;
    let mut desk = Desk::with(config);
    let call = desk.invited(Some(&sdp("198.51.100.7", 4000, MUX)));
    desk.endpoint.answer(desk.now, call, sockets()).unwrap();
    desk.drain();
    desk.response(StatusCode::OK);
    desk.acknowledge(None);
    desk.event();
    assert_eq!(desk.holds, [], "it is no hold to have nothing to say");
    ask(&mut desk, call, Direction::SendOnly).unwrap();
    let again = offered(&mut desk, "inactive");
    agree(&mut desk, &again, 2, "inactive");
    assert_eq!(desk.holds.pop(), Some(US));
    ask(&mut desk, call, Direction::SendRecv).unwrap();
    let again = offered(&mut desk, "recvonly");
    agree(&mut desk, &again, 3, "sendonly");
    assert_eq!(desk.holds.pop(), Some(NOBODY));
}

#[test]
fn the_peers_hold_is_told_and_outlives_our_own() {
    let (mut desk, call) = Desk::answered();
    let both = Hold { by_us: true, by_peer: true };
    let modify = |desk: &mut Desk, version: u32, more: &str| {
        let offer = sdp("198.51.100.7", 4000, &format!("{MUX}{more}"));
        desk.invite(Some(&offer.replace("o=bob 1 1 ", &format!("o=bob 1 {version} "))));
        desk.response(StatusCode::TRYING);
        let answer = text(&desk.response(StatusCode::OK).body());
        desk.acknowledge(None);
        desk.event();
        answer
    };
    assert!(modify(&mut desk, 2, "a=sendonly\r\n").contains("a=recvonly\r\n"));
    assert_eq!(desk.holds.pop(), Some(Hold { by_us: false, by_peer: true }));
    ask(&mut desk, call, Direction::SendOnly).unwrap();
    let again = offered(&mut desk, "sendonly");
    agree(&mut desk, &again, 3, "inactive");
    assert_eq!(desk.holds.pop(), Some(both));
    // It goes on, and we do not.
    assert!(modify(&mut desk, 4, "a=sendrecv\r\n").contains("a=sendonly\r\n"));
    assert_eq!(desk.holds.pop(), Some(US));
}
