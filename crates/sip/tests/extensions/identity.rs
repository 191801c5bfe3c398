//! Who calls and who is not to be known (RFC 3323, RFC 3325), and why a call ends (RFC 3326).

use offhook_sip::{Config, End, Error, Event, Invite};
use offhook_sip_message::{HeaderName, NameAddr, Privacy, PrivacyValue, Reason, StatusCode};

use crate::support::{
    ALICE, BOB, Do, Net, On,
    raw::{Raw, field, fields, plain_invite, request, respond, tag_of, theirs},
};

fn address(text: &str) -> NameAddr {
    NameAddr::new(text.parse().unwrap())
}

#[test]
fn privacy_makes_the_caller_anonymous() {
    for value in [PrivacyValue::Id, PrivacyValue::User, PrivacyValue::Header] {
        let privacy = Some(Privacy::new([value.clone()]));
        let (_, invite) = Raw::new().invite_by(Invite { privacy, ..plain_invite() });
        let from = field(&invite, "From");
        assert!(from.starts_with("Anonymous <sip:anonymous@anonymous.invalid>;tag="), "{from}");
        assert_eq!(field(&invite, "Privacy"), value.as_str());
        assert!(!invite.contains("alice"), "{invite}");
    }
    let none = Some(Privacy::new([PrivacyValue::None]));
    for privacy in [none, None] {
        let (_, invite) = Raw::new().invite_by(Invite { privacy, ..plain_invite() });
        assert!(field(&invite, "From").starts_with("<sip:alice@example.com>"));
    }
}

#[test]
fn an_anonymous_call_stays_so_until_its_end() {
    let mut raw = Raw::new();
    let privacy = Some(Privacy::new([PrivacyValue::Id]));
    let (call, invite) = raw.invite_by(Invite { privacy, ..plain_invite() });
    let sent = raw.send(&respond(&invite, "200 OK", "bob", ""));
    raw.agent.hang_up(raw.now, call).unwrap();
    for message in sent.iter().chain(&raw.drain()) {
        assert_eq!(field(message, "From"), field(&invite, "From"));
        assert!(!message.contains("alice"));
    }
}

#[test]
fn the_network_is_asked_for_an_identity_and_only_for_what_it_can_vouch_for() {
    let preferred_identity = vec![address("sip:a@example.com"), address("tel:+15551234")];
    let (_, invite) = Raw::new().invite_by(Invite { preferred_identity, ..plain_invite() });
    let said = fields(&invite, "P-Preferred-Identity");
    assert_eq!(said, ["<sip:a@example.com>", "<tel:+15551234>"]);
    for wrong in [
        vec![address("sip:a@example.com"), address("sip:b@example.com")],
        vec![address("tel:+1"), address("sip:b@example.com"), address("tel:+2")],
        vec![address("urn:service:sos")],
    ] {
        let mut raw = Raw::new();
        let invite = Invite { preferred_identity: wrong, ..plain_invite() };
        let refused = raw.agent.invite(raw.now, invite);
        assert!(matches!(refused, Err(Error::Unbuildable(_))));
        assert!(raw.drain().is_empty());
    }
}

#[test]
fn an_identity_is_asserted_only_by_who_is_trusted() {
    let identities = "P-Asserted-Identity: \"Bob\" <sip:b@example.org>\n\
                      P-Asserted-Identity: tel:+15551234\n";
    let told = |trusted| {
        let mut raw = Raw::with(Config { trusted, ..Config::default() });
        raw.send(&request("INVITE", "z9hG4bKi", 1, "", identities));
        match &raw.events[..] {
            [Event::Incoming { asserted, .. }] => asserted.clone(),
            other => panic!("{other:?}"),
        }
    };
    assert!(told(Vec::new()).is_empty());
    assert!(told(vec!["198.51.100.8".parse().unwrap()]).is_empty());
    let asserted = told(vec![theirs().ip()]);
    let bob = address("sip:b@example.org").with_display_name("Bob");
    assert_eq!(asserted, [bob, address("tel:+15551234")]);
    assert_eq!(told(vec!["::ffff:198.51.100.7".parse().unwrap()]), asserted);
}

#[test]
fn a_bye_says_why_and_the_peer_is_told() {
    let mut net = Net::new().script(BOB, On::Incoming, 0.5, Do::Answer);
    let call = net.call();
    net.run(2.0);
    let reason = Reason::q850(16, "Normal call clearing");
    net.act(ALICE, call, &Do::HangUpBecause(reason.clone())).unwrap();
    net.finish();
    let told = |event: &Event| matches!(event, Event::Ended { end: End::PeerHungUp, reasons, .. } if *reasons == [reason.clone()]);
    assert!(net.has(BOB, told), "{:?}", net.events);
    assert!(net.has(ALICE, |event| {
        matches!(event, Event::Ended { reasons, .. } if reasons.is_empty())
    }));
}

#[test]
fn a_cancel_says_why_however_late_it_goes_out() {
    let mut raw = Raw::new();
    let (call, invite) = raw.invite(None);
    let reason = Reason::sip(StatusCode::OK, "Call completed elsewhere");
    raw.agent.hang_up_because(raw.now, call, reason).unwrap();
    assert!(raw.drain().is_empty());
    let cancel = raw.send(&respond(&invite, "180 Ringing", "bob", "")).remove(0);
    assert!(cancel.starts_with("CANCEL"));
    assert_eq!(field(&cancel, "Reason"), "SIP;cause=200;text=\"Call completed elsewhere\"");
}

#[test]
fn the_reasons_of_a_cancel_and_of_a_refusal_are_told() {
    let reason = "Reason: SIP;cause=200;text=\"elsewhere\", Q.850;cause=26\n";
    let expected = [Reason::sip(StatusCode::OK, "elsewhere"), Reason::new("Q.850").with_cause(26)];
    let mut raw = Raw::new();
    raw.send(&request("INVITE", "z9hG4bKi", 1, "", ""));
    raw.send(&request("CANCEL", "z9hG4bKi", 1, "", reason));
    let [_, Event::Ended { end: End::PeerCancelled, reasons, .. }] = &raw.events[..] else {
        panic!("{:?}", raw.events)
    };
    assert_eq!(*reasons, expected);
    let mut raw = Raw::new();
    let (_, invite) = raw.invite(None);
    raw.send(&respond(&invite, "486 Busy Here", "bob", reason));
    let [Event::Ended { reasons, .. }] = &raw.events[..] else { panic!("{:?}", raw.events) };
    assert_eq!(*reasons, expected);
}

#[test]
fn a_flood_of_reasons_is_cut_and_nonsense_left_out() {
    let mut raw = Raw::new();
    raw.send(&request("INVITE", "z9hG4bKi", 1, "", ""));
    let call = raw.incoming();
    raw.agent.answer(raw.now, call, None).unwrap();
    let tag = tag_of(&raw.drain()[0]);
    raw.send(&request("ACK", "z9hG4bKa", 1, &tag, ""));
    let reasons = "Reason: ;;\n".to_owned() + &"Reason: X;cause=1\n".repeat(20);
    raw.send(&request("BYE", "z9hG4bKb", 2, &tag, &reasons));
    let Some(Event::Ended { reasons, .. }) = raw.events.last() else { panic!() };
    assert_eq!(reasons.len(), 8);
}

#[test]
fn a_reason_in_a_reinvites_cancel_is_not_that_of_the_end() {
    let mut raw = Raw::new();
    raw.send(&request("INVITE", "z9hG4bKi", 1, "", ""));
    let call = raw.incoming();
    raw.agent.answer(raw.now, call, None).unwrap();
    let tag = tag_of(&raw.drain()[0]);
    raw.send(&request("ACK", "z9hG4bKa", 1, &tag, ""));
    raw.send(&request("INVITE", "z9hG4bKr", 2, &tag, ""));
    raw.send(&request("CANCEL", "z9hG4bKr", 2, &tag, "Reason: X;cause=1\n"));
    raw.send(&request("BYE", "z9hG4bKb", 3, &tag, ""));
    let Some(Event::Ended { reasons, .. }) = raw.events.last() else { panic!() };
    assert!(reasons.is_empty());
}

#[test]
fn a_privacy_of_the_owners_own_is_not_written_twice() {
    let mut raw = Raw::new();
    let privacy = Some(Privacy::new([PrivacyValue::Id]));
    let headers = vec![(HeaderName::PRIVACY, "none".into())];
    let refused = raw.agent.invite(raw.now, Invite { privacy, headers, ..plain_invite() });
    assert!(matches!(refused, Err(Error::Unbuildable(_))));
}
