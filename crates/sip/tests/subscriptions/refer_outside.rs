//! REFER outside of calls, and what names another call (RFC 3515, RFC 4538, RFC 3891).

use offhook_sansio::Flow;
use offhook_sip::{
    Error, Event, EventPackage, Refer, ReferEnd, ReferEvent, ReferOutside, ReferralEvent,
};
use offhook_sip_message::{NameAddr, ReferTo, Replaces};

use crate::{
    peer::{finish, notify_of, status, telling},
    refer::{accept, carol, in_a_call, progress, refer_ends, referral, report, sent},
    support::{
        ALICE, BOB, Do, Net, address,
        raw::{Raw, field, ours, request, respond, theirs},
    },
};

fn bob() -> ReferOutside {
    let from = NameAddr::new("sip:alice@example.com".parse().unwrap());
    let flow = Flow::udp(address(ALICE), address(BOB));
    ReferOutside::new("sip:bob@192.0.2.2".parse().unwrap(), from, flow)
}

#[test]
fn a_reference_outside_of_calls_has_a_dialog_of_its_own() {
    let config = telling(&[EventPackage::REFER]);
    let mut net = Net::with(&[config.clone(), config]);
    let id = net.agents[ALICE].refer_outside(net.now, bob(), carol()).unwrap();
    net.drain();
    net.run(0.2);
    let (_, asked) = referral(&net);
    assert!(asked.call.is_none() && asked.target_dialog.is_none());
    let bob = accept(&mut net);
    assert_eq!(net.agents[ALICE].subscription_dialogs(), 1);
    report(&mut net, bob, 180);
    report(&mut net, bob, 503);
    assert_eq!(progress(&net, id), [100, 180, 503]);
    assert!(matches!(refer_ends(&net, id)[..], [(Some(503), ReferEnd::Terminated { .. })]));
    assert_eq!(net.agents[ALICE].subscription_dialogs(), 0);
    net.finish();
}

#[test]
fn the_call_that_is_named_is_told_to_the_one_who_is_asked() {
    let (mut net, call) = in_a_call();
    let named = Refer { target_dialog: Some(call), ..carol() };
    net.agents[ALICE].refer_outside(net.now, bob(), named).unwrap();
    net.drain();
    net.run(0.2);
    let (id, asked) = referral(&net);
    assert_eq!(asked.target_dialog, Some(net.call_of(BOB)), "RFC 4538 §4");
    assert!(asked.call.is_none());
    let text = &sent(&net, ALICE, "REFER")[0];
    assert_eq!(field(text, "Require"), "tdialog");
    net.agents[BOB]
        .reject_refer(net.now, id, offhook_sip_message::StatusCode::DECLINE, &[])
        .unwrap();
    net.drain();
    net.act(ALICE, call, &Do::HangUp).unwrap();
    net.run(1.0);
    let gone = Refer { target_dialog: Some(call), ..carol() };
    let refused = net.agents[ALICE].refer_outside(net.now, bob(), gone);
    assert_eq!(refused.unwrap_err(), Error::NoCall);
    net.finish();
}

#[test]
fn a_call_that_is_not_ours_names_nothing() {
    let mut raw = Raw::with(telling(&[EventPackage::REFER]));
    let more = "Refer-To: <sip:carol@example.org>\nTarget-Dialog: x;local-tag=a;remote-tag=b\n";
    assert!(raw.send(&request("REFER", "z9hG4bK1", 1, "", more)).is_empty());
    let Event::Referral { event: ReferralEvent::Requested(asked), .. } = &raw.events[0] else {
        panic!("{:?}", raw.events)
    };
    assert!(asked.target_dialog.is_none());
    finish(raw);
}

#[test]
fn an_attended_transfer_names_the_call_to_replace() {
    let (mut net, call) = in_a_call();
    let refer_to = NameAddr::new(net.agents[ALICE].replacing(call).unwrap());
    let invite = sent(&net, ALICE, "INVITE").remove(0);
    net.agents[ALICE].refer(net.now, call, Refer::to(refer_to)).unwrap();
    net.drain();
    net.run(0.2);
    let (_, asked) = referral(&net);
    let uri = asked.refer_to.uri.as_sip().unwrap();
    let (name, value) = uri.header_fields().next().unwrap();
    assert_eq!(&name[..], b"Replaces");
    let value = String::from_utf8(value.to_vec()).unwrap();
    assert!(value.starts_with(field(&invite, "Call-ID")));
    let from_tag = field(&invite, "From").split(";tag=").nth(1).unwrap();
    assert!(value.ends_with(&format!(";from-tag={from_tag}")), "{value}");
    let to_tag = value.split("to-tag=").nth(1).unwrap().split(';').next().unwrap();
    assert!(!to_tag.is_empty() && to_tag != from_tag);
    let parsed = format!("INVITE sip:b@192.0.2.2 SIP/2.0\r\nReplaces: {value}\r\n\r\n");
    let fragment = offhook_sip_message::Sipfrag::parse(&parsed.into()).unwrap();
    assert!(fragment.header::<Replaces>().unwrap().is_some());
    net.act(ALICE, call, &Do::HangUp).unwrap();
    net.finish();
}

#[test]
fn a_refer_without_or_with_two_targets_is_refused() {
    let mut raw = Raw::with(telling(&[EventPackage::REFER]));
    let to = "Refer-To: <sip:carol@example.org>\n";
    assert_eq!(status(&raw.send(&request("REFER", "z9hG4bK1", 1, "", ""))), 400);
    assert_eq!(status(&raw.send(&request("REFER", "z9hG4bK2", 2, "", &to.repeat(2)))), 400);
    assert_eq!(status(&raw.send(&request("REFER", "z9hG4bK3", 3, "", "Refer-To: <\n"))), 400);
    assert_eq!(status(&raw.send(&request("REFER", "z9hG4bK4", 4, "nobody", to))), 481);
    assert!(raw.events.is_empty());
    finish(raw);
}

fn carols_progress(sent: &str, tag: &str, cseq: u32, state: &str, line: &str) -> String {
    let more = format!(
        "Event: refer\nSubscription-State: {state}\nContent-Type: message/sipfrag\n\
         Content-Length: {}\n",
        line.len()
    );
    notify_of(sent, tag, cseq, &more) + line
}

#[test]
fn a_forked_reference_is_followed_at_each_peer() {
    let mut raw = Raw::new();
    let from = NameAddr::new("sip:alice@example.com".parse().unwrap());
    let target = "sip:bob@198.51.100.7:5070".parse().unwrap();
    let outside = ReferOutside::new(target, from, Flow::udp(ours(), theirs()));
    raw.agent.refer_outside(raw.now, outside, carol()).unwrap();
    let refer = raw.drain().remove(0);
    raw.send(&respond(&refer, "202 Accepted", "bob", ""));
    let trying = "SIP/2.0 100 Trying";
    for tag in ["bob", "carol"] {
        let notify = carols_progress(&refer, tag, 1, "active;expires=60", trying);
        assert_eq!(status(&raw.send(&notify)), 200);
    }
    let done = "terminated;reason=noresource";
    for (tag, line) in [("bob", "SIP/2.0 200 OK"), ("carol", "SIP/2.0 603 Decline")] {
        assert_eq!(status(&raw.send(&carols_progress(&refer, tag, 2, done, line))), 200);
    }
    let told = raw.events.iter().filter_map(|event| match event {
        Event::Refer { event: ReferEvent::Ended { status, .. }, .. } => {
            status.map(|it| it.as_u16())
        }
        _ => None,
    });
    assert_eq!(told.collect::<Vec<_>>(), [200, 603]);
    finish(raw);
}

#[test]
fn a_report_that_is_none_is_told_without_a_status() {
    let mut raw = Raw::new();
    let from = NameAddr::new("sip:alice@example.com".parse().unwrap());
    let target = "sip:bob@198.51.100.7:5070".parse().unwrap();
    let outside = ReferOutside::new(target, from, Flow::udp(ours(), theirs()));
    raw.agent.refer_outside(raw.now, outside, carol()).unwrap();
    let refer = raw.drain().remove(0);
    let text = "hello, how are you?";
    let notify = carols_progress(&refer, "bob", 1, "terminated;reason=noresource", text);
    assert_eq!(status(&raw.send(&notify)), 200);
    assert!(matches!(
        raw.events[..],
        [
            Event::Refer { event: ReferEvent::Progress { status: None, .. }, .. },
            Event::Refer { event: ReferEvent::Ended { status: None, .. }, .. }
        ]
    ));
    finish(raw);
}

#[test]
fn what_a_refer_says_can_be_read_back() {
    let named: NameAddr = "\"Carol\" <sip:carol@example.org;method=INVITE>".parse().unwrap();
    let config = telling(&[EventPackage::REFER]);
    let mut net = Net::with(&[config.clone(), config]);
    let headers = vec![(offhook_sip_message::HeaderName::REFER_TO, "<sip:x@y>".into())];
    let refused = net.agents[ALICE].refer_outside(net.now, bob(), Refer { headers, ..carol() });
    assert!(matches!(refused, Err(Error::ReservedHeader { .. })));
    net.agents[ALICE].refer_outside(net.now, bob(), Refer::to(named.clone())).unwrap();
    net.drain();
    net.run(0.2);
    let (_, asked) = referral(&net);
    assert_eq!(asked.refer_to, named);
    assert_eq!(asked.request.header::<ReferTo>().unwrap().unwrap().address, named);
    net.finish();
}
