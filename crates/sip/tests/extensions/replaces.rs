//! Calls that replace or join another one (RFC 3891, RFC 3911).

use offhook_sip::{CallId, Config, End, Error, Event, Invite};
use offhook_sip_message::{HeaderName, Method};

use crate::support::{
    ALICE, BOB, Do, Net, On, body,
    raw::{Raw, field, fields, first_line, plain_invite, request, respond, tag_of},
};

/// A call of the peer that we have answered, and our tag.
fn called(raw: &mut Raw) -> (CallId, String) {
    raw.send(&request("INVITE", "z9hG4bKi", 1, "", ""));
    let call = raw.incoming();
    raw.agent.answer(raw.now, call, None).unwrap();
    let tag = tag_of(&raw.drain()[0]);
    raw.send(&request("ACK", "z9hG4bKa", 1, &tag, ""));
    raw.events.clear();
    (call, tag)
}

/// An INVITE of a third party.
fn third(more: &str) -> String {
    let branch = format!("z9hG4bK{}", more.len());
    let invite = request("INVITE", &branch, 1, "", more);
    let call_id = format!("Call-ID: third-{}@", more.len());
    let from = "From: <sip:bob@example.org>;tag=";
    invite
        .replace(&format!("{from}bob"), &format!("{from}carol"))
        .replace("Call-ID: call-1@", &call_id)
}

fn naming(header: &str, to: &str, from: &str, more: &str) -> String {
    third(&format!("{header}: call-1@198.51.100.7;to-tag={to};from-tag={from}{more}\n"))
}

fn joining() -> Config {
    Config { join: true, ..Config::default() }
}

fn named(raw: &Raw) -> (Option<CallId>, Option<CallId>) {
    raw.events
        .iter()
        .find_map(|event| match event {
            Event::Incoming { replaces, joins, .. } => Some((*replaces, *joins)),
            _ => None,
        })
        .unwrap()
}

#[test]
fn answering_a_call_that_replaces_another_hangs_that_one_up() {
    let mut raw = Raw::new();
    let (replaced, tag) = called(&mut raw);
    raw.send(&naming("Replaces", &tag, "bob", ""));
    assert_eq!(named(&raw), (Some(replaced), None));
    let call = raw.incoming();
    assert!(raw.wait(1_000).is_empty());
    raw.agent.answer(raw.now, call, None).unwrap();
    let sent = raw.drain();
    assert_eq!(first_line(&sent[0]), "SIP/2.0 200 OK");
    assert!(sent[1].starts_with("BYE") && field(&sent[1], "Call-ID").starts_with("call-1@"));
    raw.send(&respond(&sent[1], "200 OK", "", ""));
    assert!(matches!(raw.events.last(), Some(Event::Ended { call, .. }) if *call == replaced));
    assert_eq!(raw.agent.live_calls(), 1);
}

#[test]
fn refusing_a_call_that_replaces_another_leaves_that_one_alone() {
    let mut raw = Raw::new();
    let (replaced, tag) = called(&mut raw);
    raw.send(&naming("Replaces", &tag, "bob", ""));
    let call = raw.incoming();
    raw.agent.reject(raw.now, call, offhook_sip_message::StatusCode::DECLINE).unwrap();
    assert_eq!(raw.drain().len(), 1);
    raw.agent.reinvite(raw.now, replaced, None).unwrap();
}

#[test]
fn only_a_dialog_with_both_tags_in_their_places_matches() {
    let mut raw = Raw::new();
    let (_, tag) = called(&mut raw);
    for (to, from) in [("bob", &*tag), (&*tag, "Bob"), ("other", "bob"), (&*tag, "0")] {
        let refused = raw.send(&naming("Replaces", to, from, "")).remove(0);
        assert_eq!(first_line(&refused), "SIP/2.0 481 Call/Transaction Does Not Exist");
    }
    let other = naming("Replaces", &tag, "bob", "").replace("Replaces: call-1", "Replaces: CALL-1");
    let refused = raw.send(&other).remove(0);
    assert_eq!(first_line(&refused), "SIP/2.0 481 Call/Transaction Does Not Exist");
    assert!(raw.events.is_empty());
}

#[test]
fn an_early_only_replacement_of_a_call_that_stands_is_refused_with_486() {
    let mut raw = Raw::new();
    let (_, tag) = called(&mut raw);
    let refused = raw.send(&naming("Replaces", &tag, "bob", ";early-only")).remove(0);
    assert_eq!(first_line(&refused), "SIP/2.0 486 Busy Here");
}

#[test]
fn a_call_that_is_over_or_being_hung_up_is_not_replaced_but_declined() {
    let mut raw = Raw::new();
    let (call, tag) = called(&mut raw);
    raw.agent.hang_up(raw.now, call).unwrap();
    let bye = raw.drain().remove(0);
    let refused = raw.send(&naming("Replaces", &tag, "bob", "")).remove(0);
    assert_eq!(first_line(&refused), "SIP/2.0 603 Decline");
    raw.send(&respond(&bye, "200 OK", "", ""));
    let refused = raw.send(&naming("Replaces", &tag, "bob", ";a=b")).remove(0);
    assert_eq!(first_line(&refused), "SIP/2.0 603 Decline");
}

#[test]
fn an_early_dialog_is_replaced_only_by_who_began_it() {
    let mut raw = Raw::new();
    raw.send(&request("INVITE", "z9hG4bKi", 1, "", ""));
    let call = raw.incoming();
    raw.agent.ring(raw.now, call).unwrap();
    let tag = tag_of(&raw.drain()[0]);
    raw.events.clear();
    let refused = raw.send(&naming("Replaces", &tag, "bob", "")).remove(0);
    assert_eq!(first_line(&refused), "SIP/2.0 481 Call/Transaction Does Not Exist");

    let mut raw = Raw::new();
    let (replaced, invite) = raw.invite(None);
    raw.send(&respond(&invite, "180 Ringing", "bob", ""));
    let from = field(&invite, "From").split(";tag=").nth(1).unwrap();
    let id = field(&invite, "Call-ID");
    let replaces = format!("Replaces: {id};to-tag={from};from-tag=bob;early-only\n");
    raw.send(&third(&replaces));
    assert_eq!(named(&raw), (Some(replaced), None));
    let call = raw.incoming();
    raw.agent.answer(raw.now, call, None).unwrap();
    let sent = raw.drain();
    assert!(sent[0].starts_with("SIP/2.0 200") && sent[1].starts_with("CANCEL"), "{sent:#?}");
    assert_eq!(field(&sent[1], "Call-ID"), id);
}

#[test]
fn contradictions_are_bad_requests() {
    let mut raw = Raw::with(joining());
    let (_, tag) = called(&mut raw);
    let replaces = format!("Replaces: call-1@198.51.100.7;to-tag={tag};from-tag=bob\n");
    let join = replaces.replace("Replaces", "Join");
    for fields in [
        format!("{replaces}{replaces}"),
        format!("{join}{join}"),
        format!("{replaces}{join}"),
        "Replaces: call-1@198.51.100.7;from-tag=bob\n".to_owned(),
    ] {
        let refused = raw.send(&third(&fields)).remove(0);
        assert!(first_line(&refused).starts_with("SIP/2.0 400"), "{fields}{refused}");
    }
    for field in [replaces, join] {
        let branch = format!("z9hG4bK{}", field.len());
        let refused = raw.send(&request("OPTIONS", &branch, 2, "", &field)).remove(0);
        assert!(first_line(&refused).starts_with("SIP/2.0 400"), "{field}{refused}");
    }
    assert!(raw.events.is_empty());
}

#[test]
fn a_call_may_join_one_that_stands_or_rings_and_nothing_is_hung_up() {
    let mut raw = Raw::with(joining());
    let (joined, tag) = called(&mut raw);
    raw.send(&naming("Join", &tag, "bob", ""));
    assert_eq!(named(&raw), (None, Some(joined)));
    let call = raw.incoming();
    raw.agent.answer(raw.now, call, None).unwrap();
    assert_eq!(raw.drain().len(), 1);
    assert_eq!(raw.agent.live_calls(), 2);

    let mut raw = Raw::with(joining());
    raw.send(&request("INVITE", "z9hG4bKi", 1, "", ""));
    let joined = raw.incoming();
    raw.agent.ring(raw.now, joined).unwrap();
    let tag = tag_of(&raw.drain()[0]);
    raw.events.clear();
    raw.send(&naming("Join", &tag, "bob", ""));
    assert_eq!(named(&raw), (None, Some(joined)));
    let refused = raw.send(&naming("Join", "nobody", "bob", "")).remove(0);
    assert_eq!(first_line(&refused), "SIP/2.0 481 Call/Transaction Does Not Exist");
}

#[test]
fn what_the_settings_do_not_take_is_passed_over_or_refused_if_required() {
    let off = Config { replaces: false, ..Config::default() };
    let mut raw = Raw::with(off);
    let (_, tag) = called(&mut raw);
    raw.send(&naming("Replaces", &tag, "bob", ""));
    assert_eq!(named(&raw), (None, None));
    let required = naming("Replaces", &tag, "bob", "\nRequire: replaces");
    let refused = raw.send(&required).remove(0);
    assert_eq!(first_line(&refused), "SIP/2.0 420 Bad Extension");
    assert_eq!(field(&refused, "Unsupported"), "replaces");
    let supported =
        |config: Config| fields(&Raw::with(config).invite(None).1, "Supported").join("");
    assert!(supported(Config::default()).contains("replaces"));
    assert!(!supported(Config::default()).contains("join"));
    assert!(supported(joining()).contains("join"));
}

#[test]
fn a_transfer_target_is_named_so_that_it_finds_the_call() {
    // Alice has called Bob; somebody else gets what replaces her in the call.
    let mut net = Net::new().script(BOB, On::Incoming, 0.5, Do::Answer);
    let call = net.call();
    assert!(matches!(net.agents[ALICE].replaces(call), Err(Error::WrongState { .. })));
    net.run(2.0);
    let replaces = net.agents[ALICE].replaces(call).unwrap();
    let target = net.agents[ALICE].remote_target(call).unwrap();
    assert_eq!(target, "sip:bob@192.0.2.2:5060".parse().unwrap());
    let mut value = String::new();
    offhook_sip_message::Header::write(&replaces, &mut value);
    let headers = vec![(HeaderName::REPLACES, value.into())];
    let bobs = net.call_of(BOB);
    let again = net.call_by(Invite { headers, ..support_invite() });
    net.run(2.0);
    assert_eq!(net.ends(BOB), [End::HungUp]);
    assert_eq!(net.ends(ALICE), [End::PeerHungUp]);
    assert!(net.has(BOB, |event| {
        matches!(event, Event::Incoming { replaces: Some(it), .. } if *it == bobs)
    }));
    assert!(net.agents[ALICE].join(again).is_ok());
    net.act(ALICE, again, &Do::HangUp).unwrap();
    net.finish();
    assert_eq!(net.agents[ALICE].replaces(call), Err(Error::NoCall));
}

fn support_invite() -> Invite {
    use crate::support::address;
    let flow = offhook_sansio::Flow::udp(address(ALICE), address(BOB));
    Invite {
        target: "sip:bob@192.0.2.2:5060".parse().unwrap(),
        flow,
        body: Some(body("v=0 offer")),
        ..plain_invite()
    }
}

#[test]
fn a_replaced_call_that_ends_in_the_meantime_is_no_matter() {
    let mut raw = Raw::new();
    let (_, tag) = called(&mut raw);
    raw.send(&naming("Replaces", &tag, "bob", ""));
    let call = raw.incoming();
    raw.send(&request("BYE", "z9hG4bKb", 2, &tag, ""));
    raw.agent.answer(raw.now, call, None).unwrap();
    assert_eq!(raw.drain().len(), 1);
    assert!(!Config::default().allow.contains(&Method::INFO));
}
