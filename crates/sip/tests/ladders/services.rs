//! The services of RFC 5359 that telephones do; those of §2.7 to §2.9 and §2.12 to §2.14 are a
//! proxy's.

use offhook_sip::{CallId, Event, OutgoingRequest, Refer, ReferOutside};
use offhook_sip_message::{Header, HeaderName, Join, Method, NameAddr, Replaces, StatusCode, Text};

use crate::stage::{Stage, dialogs, name_addr, session, uri};

fn is(stage: Stage, section: &str) {
    stage.is("rfc5359", section);
}

/// `Replaces` for the call of `who`, as the one that has it would be replaced.
fn replacing(stage: &mut Stage, who: &str, call: CallId) -> (HeaderName, Text) {
    let replaces: Replaces = stage.act(who, |agent, _| agent.replaces(call));
    (HeaderName::REPLACES, written(&replaces))
}

#[test]
fn section_2_1_call_hold() {
    let mut stage = Stage::new(&["Alice", "Bob"]);
    let (placed, taken) = stage.standing("Alice", "Bob");
    stage.reinvite("Bob", taken);
    stage.reinvite("Bob", taken);
    stage.hang_up("Alice", placed);
    is(stage, "2.1");
}

#[test]
fn section_2_2_consultation_hold() {
    let mut stage = Stage::new(&["Alice", "Bob", "Carol"]);
    let (placed, taken) = stage.standing("Alice", "Bob");
    stage.reinvite("Bob", taken);
    let (asking, _) = stage.standing("Bob", "Carol");
    stage.hang_up("Bob", asking);
    stage.reinvite("Bob", taken);
    stage.hang_up("Alice", placed);
    is(stage, "2.2");
}

#[test]
fn section_2_3_music_on_hold() {
    let mut stage = Stage::new(&["Alice", "Bob", "Music Server"]);
    let (_, taken) = stage.standing("Alice", "Bob");
    stage.reinvite("Bob", taken);
    let referral = refer_outside(&mut stage, "Bob", "Music Server", taken);
    let replaces = replacing(&mut stage, "Bob", taken);
    let (music, heard) = stage.call_with("Music Server", "Alice", Some(session()), &[replaces]);
    stage.answer("Alice", heard);
    stage.report("Music Server", referral, 200);
    let replaces = replacing(&mut stage, "Music Server", music);
    let (_, again) = stage.call_with("Bob", "Alice", Some(session()), &[replaces]);
    stage.answer("Alice", again);
    is(stage, "2.3");
}

#[test]
fn section_2_4_unattended_transfer() {
    let mut stage = Stage::new(&["Alice", "Bob", "Carol"]);
    let (_, taken) = stage.standing("Bob", "Alice");
    stage.refer("Alice", taken, Refer::to(name_addr("Carol")));
    let referral = stage.referral("Bob");
    stage.act("Bob", |agent, now| agent.accept_refer(now, referral, None));
    stage.hang_up("Alice", taken);
    stage.standing("Bob", "Carol");
    stage.report("Bob", referral, 200);
    is(stage, "2.4");
}

#[test]
fn section_2_5_attended_transfer() {
    let mut stage = Stage::new(&["Alice", "Bob", "Carol"]);
    let (_, taken) = stage.standing("Alice", "Bob");
    stage.reinvite("Bob", taken);
    let (asking, _) = stage.standing("Bob", "Carol");
    stage.reinvite("Bob", asking);
    let target = stage.act("Bob", |agent, _| agent.replacing(asking));
    stage.refer("Bob", taken, Refer::to(NameAddr::new(target)));
    let referral = stage.referral("Alice");
    stage.act("Alice", |agent, now| agent.accept_refer(now, referral, None));
    let replaces = replacing(&mut stage, "Bob", asking);
    let (_, moved) = stage.call_with("Alice", "Carol", Some(session()), &[replaces]);
    stage.answer("Carol", moved);
    stage.report("Alice", referral, 200);
    stage.hang_up("Bob", taken);
    is(stage, "2.5");
}

#[test]
fn section_2_6_transfer_by_a_message() {
    let mut stage = Stage::new(&["Alice", "Bob", "Carol"]);
    let (_, taken) = stage.standing("Alice", "Bob");
    let flow = stage.flow("Bob", "Carol");
    let message = OutgoingRequest::new(Method::MESSAGE, uri(flow.remote), name_addr("Bob"), flow);
    let message = OutgoingRequest { body: Some(dialogs()), ..message };
    stage.act("Bob", |agent, now| agent.send(now, message));
    let read = stage.events("Carol").iter().find_map(|event| match event {
        Event::Requested { incoming, .. } => Some(*incoming),
        _ => None,
    });
    stage.act("Carol", |agent, now| agent.respond(now, read.unwrap(), StatusCode::OK, None, &[]));
    let replaces = replacing(&mut stage, "Bob", taken);
    let (_, moved) = stage.call_with("Carol", "Alice", Some(session()), &[replaces]);
    stage.answer("Alice", moved);
    is(stage, "2.6");
}

#[test]
fn section_2_10_a_third_party_is_added() {
    let mut stage = Stage::new(&["Alice", "Bob", "Carol"]);
    let (_, taken) = stage.standing("Alice", "Bob");
    stage.reinvite("Bob", taken);
    stage.standing("Bob", "Carol");
    is(stage, "2.10");
}

#[test]
fn section_2_11_a_third_party_joins() {
    let mut stage = Stage::new(&["Alice", "Bob", "Carol"]);
    let (placed, taken) = stage.standing("Alice", "Bob");
    let join: Join = stage.act("Alice", |agent, _| agent.join(placed));
    let join = (HeaderName::JOIN, written(&join));
    let (_, third) = stage.call_with("Carol", "Bob", Some(session()), &[join]);
    let joined = stage.events("Bob").iter().any(|event| match event {
        Event::Incoming { joins, .. } => *joins == Some(taken),
        _ => false,
    });
    assert!(joined);
    stage.act("Bob", |agent, now| agent.ring(now, third));
    stage.reinvite("Bob", taken);
    stage.answer("Bob", third);
    is(stage, "2.11");
}

#[test]
fn section_2_15_call_park() {
    let mut stage = Stage::new(&["Alice", "Bob", "Carol", "Park Server"]);
    let (_, taken) = stage.standing("Alice", "Bob");
    let referral = refer_outside(&mut stage, "Bob", "Park Server", taken);
    let replaces = replacing(&mut stage, "Bob", taken);
    let (parked, heard) = stage.call_with("Park Server", "Alice", Some(session()), &[replaces]);
    stage.answer("Alice", heard);
    stage.report("Park Server", referral, 200);
    stage.watch("Carol", "Park Server", 0);
    stage.show("Park Server");
    let replaces = replacing(&mut stage, "Park Server", parked);
    let (_, found) = stage.call_with("Carol", "Alice", Some(session()), &[replaces]);
    stage.answer("Alice", found);
    is(stage, "2.15");
}

#[test]
fn section_2_16_call_pickup() {
    let mut stage = Stage::new(&["Alice", "Bob", "Bill"]);
    let (placed, taken) = stage.call("Alice", "Bob");
    stage.act("Bob", |agent, now| agent.ring(now, taken));
    stage.watch("Bill", "Bob", 0);
    stage.show("Bob");
    let replaces = replacing(&mut stage, "Bob", taken);
    let (_, picked) = stage.call_with("Bill", "Alice", Some(session()), &[replaces]);
    assert_ne!(placed, picked);
    stage.answer("Alice", picked);
    stage.hang_up("Alice", picked);
    is(stage, "2.16");
}

#[test]
fn section_2_17_automatic_redial() {
    let mut stage = Stage::new(&["Alice", "Bob"]);
    let (_, refused) = stage.call("Alice", "Bob");
    stage.act("Bob", |agent, now| agent.reject(now, refused, StatusCode::BUSY_HERE));
    let watching = stage.watch("Alice", "Bob", 60);
    let watcher = stage.show("Bob");
    stage.act("Bob", |agent, now| agent.notify(now, watcher, Some(dialogs())));
    stage.standing("Alice", "Bob");
    stage.act("Bob", |agent, now| agent.notify(now, watcher, Some(dialogs())));
    stage.act("Alice", |agent, now| agent.unsubscribe(now, watching));
    is(stage, "2.17");
}

#[test]
fn section_2_18_click_to_dial() {
    let mut stage = Stage::new(&["PC", "Bob", "Carol"]);
    let flow = stage.flow("PC", "Bob");
    let refer = Refer { subscribes: false, ..Refer::to(name_addr("Carol")) };
    let outside = ReferOutside::new(uri(flow.remote), name_addr("PC"), flow);
    stage.act("PC", |agent, now| agent.refer_outside(now, outside, refer));
    let referral = stage.referral("Bob");
    stage.act("Bob", |agent, now| agent.accept_refer(now, referral, None));
    stage.standing("Bob", "Carol");
    is(stage, "2.18");
}

fn written(header: &impl Header) -> Text {
    let mut text = String::new();
    header.write(&mut text);
    text.into()
}

/// Bob asks a server to take his place in a call, outside of it.
fn refer_outside(
    stage: &mut Stage,
    who: &str,
    server: &str,
    call: CallId,
) -> offhook_sip::ReferralId {
    let flow = stage.flow(who, server);
    let target = stage.act(who, |agent, _| agent.replacing(call));
    let outside = ReferOutside::new(uri(flow.remote), name_addr(who), flow);
    let refer = Refer::to(NameAddr::new(target));
    stage.act(who, |agent, now| agent.refer_outside(now, outside, refer));
    let referral = stage.referral(server);
    stage.act(server, |agent, now| agent.accept_refer(now, referral, None));
    referral
}
