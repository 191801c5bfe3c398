//! REFER in the dialog of a call (RFC 3515, RFC 4488, RFC 5589, RFC 6665 §4.5.2).

use offhook_sip::{
    CallId, Config, Error, Event, EventPackage, Refer, ReferEnd, ReferEvent, ReferId, Referral,
    ReferralEnd, ReferralEvent, ReferralId,
};
use offhook_sip_message::{NameAddr, StatusCode};

use crate::{
    peer::{nothing_is_left, telling},
    support::{
        ALICE, BOB, Do, Fate, Net, On,
        raw::{field, fields},
    },
};

const OK: StatusCode = StatusCode::OK;

fn config() -> Config {
    telling(&[EventPackage::REFER])
}

/// A call of Alice to Bob that stands.
pub(crate) fn in_a_call() -> (Net, CallId) {
    in_the_call_of(Net::with(&[config(), config()]))
}

fn in_the_call_of(net: Net) -> (Net, CallId) {
    let mut net = net.script(BOB, On::Incoming, 0.0, Do::Answer);
    let call = net.call();
    net.run(1.0);
    (net, call)
}

pub(crate) fn carol() -> Refer {
    Refer::to(NameAddr::new("sip:carol@example.org".parse().unwrap()))
}

pub(crate) fn refer(net: &mut Net, call: CallId, refer: Refer) -> ReferId {
    let id = net.agents[ALICE].refer(net.now, call, refer).unwrap();
    net.drain();
    net.run(0.2);
    id
}

/// What Bob was asked for last.
pub(crate) fn referral(net: &Net) -> (ReferralId, Box<Referral>) {
    let asked = net.events.iter().rev().find_map(|(side, event)| match event {
        Event::Referral { referral, event: ReferralEvent::Requested(it) } => {
            assert_eq!(*side, BOB);
            Some((*referral, it.clone()))
        }
        _ => None,
    });
    asked.expect("nobody was asked")
}

pub(crate) fn accept(net: &mut Net) -> ReferralId {
    let (id, _) = referral(net);
    net.agents[BOB].accept_refer(net.now, id, None).unwrap();
    net.drain();
    net.run(0.2);
    id
}

pub(crate) fn report(net: &mut Net, id: ReferralId, status: u16) {
    let status = StatusCode::new(status).unwrap();
    net.agents[BOB].report_refer(net.now, id, status).unwrap();
    net.drain();
    net.run(0.2);
}

/// The statuses that Alice was told of a REFER.
pub(crate) fn progress(net: &Net, id: ReferId) -> Vec<u16> {
    let told = net.events.iter().filter_map(|(_, event)| match event {
        Event::Refer { refer, event: ReferEvent::Progress { status, .. } } if *refer == id => {
            status.map(StatusCode::as_u16)
        }
        _ => None,
    });
    told.collect()
}

pub(crate) fn refer_ends(net: &Net, id: ReferId) -> Vec<(Option<u16>, ReferEnd)> {
    let told = net.events.iter().filter_map(|(_, event)| match event {
        Event::Refer { refer, event: ReferEvent::Ended { status, end } } if *refer == id => {
            Some((status.map(StatusCode::as_u16), end.clone()))
        }
        _ => None,
    });
    told.collect()
}

pub(crate) fn referral_ends(net: &Net) -> Vec<ReferralEnd> {
    let told = net.events.iter().filter_map(|(_, event)| match event {
        Event::Referral { event: ReferralEvent::Ended { end }, .. } => Some(end.clone()),
        _ => None,
    });
    told.collect()
}

pub(crate) fn sent(net: &Net, side: usize, method: &str) -> Vec<String> {
    let by = net.messages.iter().filter(|(of, _)| *of == side);
    let texts = by.map(|(_, bytes)| String::from_utf8(bytes.to_vec()).unwrap());
    texts.filter(|text| text.starts_with(&format!("{method} "))).collect()
}

fn finish(net: &mut Net) {
    net.finish();
    net.agents.iter().for_each(nothing_is_left);
}

fn hang_up(net: &mut Net, call: CallId) {
    net.act(ALICE, call, &Do::HangUp).unwrap();
    net.run(1.0);
}

#[test]
fn a_reference_in_a_call_is_told_and_its_progress_comes_back() {
    let (mut net, call) = in_a_call();
    let by: NameAddr = "\"Alice\" <sip:alice@example.com>".parse().unwrap();
    let id = refer(&mut net, call, Refer { referred_by: Some(by.clone()), ..carol() });
    let (_, asked) = referral(&net);
    assert_eq!(asked.refer_to, carol().refer_to);
    assert_eq!(asked.referred_by, Some(by));
    assert!(asked.subscribes && asked.call.is_some() && asked.target_dialog.is_none());
    let bob = accept(&mut net);
    for status in [180, 183, 200] {
        report(&mut net, bob, status);
    }
    assert_eq!(progress(&net, id), [100, 180, 183, 200]);
    assert!(matches!(refer_ends(&net, id)[..], [(Some(200), ReferEnd::Terminated { .. })]));
    assert_eq!(referral_ends(&net), [ReferralEnd::Reported]);
    let late = net.agents[BOB].report_refer(net.now, bob, OK);
    assert_eq!(late, Err(Error::NoSubscription));
    let notifies = sent(&net, BOB, "NOTIFY");
    assert!(notifies.iter().all(|it| field(it, "Event") == "refer;id=2"));
    assert!(notifies.iter().all(|it| field(it, "Content-Type") == "message/sipfrag;version=2.0"));
    assert!(field(&notifies[0], "Subscription-State").starts_with("active;expires="));
    assert_eq!(field(&notifies[3], "Subscription-State"), "terminated;reason=noresource");
    assert!(notifies[3].ends_with("\r\n\r\nSIP/2.0 200 OK\r\n"));
    assert_eq!(net.agents[ALICE].live_calls(), 1, "the call goes on");
    hang_up(&mut net, call);
    finish(&mut net);
}

#[test]
fn the_subscription_goes_on_in_the_dialog_of_a_call_that_has_ended() {
    for by in [ALICE, BOB] {
        let (mut net, call) = in_a_call();
        let id = refer(&mut net, call, carol());
        let bob = accept(&mut net);
        let call = if by == ALICE { call } else { net.call_of(BOB) };
        net.act(by, call, &Do::HangUp).unwrap();
        net.run(1.0);
        assert_eq!(net.ends(ALICE).len(), 1);
        report(&mut net, bob, 180);
        report(&mut net, bob, 200);
        assert_eq!(progress(&net, id), [100, 180, 200], "RFC 6665 §4.5.2");
        let numbers: Vec<_> = sent(&net, BOB, "NOTIFY")
            .iter()
            .chain(&sent(&net, BOB, "BYE"))
            .map(|it| field(it, "CSeq").split(' ').next().unwrap().to_owned())
            .collect();
        let mut unique = numbers.clone();
        unique.sort();
        unique.dedup();
        assert_eq!(unique.len(), numbers.len(), "one count for both usages: {numbers:?}");
        finish(&mut net);
    }
}

#[test]
fn nothing_new_begins_in_a_call_that_is_over() {
    let (mut net, call) = in_a_call();
    let id = refer(&mut net, call, carol());
    accept(&mut net);
    net.act(ALICE, call, &Do::HangUp).unwrap();
    let refused = net.agents[ALICE].refer(net.now, call, carol());
    assert!(matches!(refused, Err(Error::WrongState { .. })), "it is about to end");
    net.run(1.0);
    assert_eq!(net.agents[ALICE].refer(net.now, call, carol()).unwrap_err(), Error::NoCall);
    net.agents[ALICE].forget_refer(net.now, id).unwrap();
    net.drain();
    finish(&mut net);
    assert!(matches!(refer_ends(&net, id)[..], [(Some(100), ReferEnd::Unsubscribed)]));
}

#[test]
fn a_reference_is_refused_by_the_owner_the_settings_or_nobody() {
    let (mut net, call) = in_a_call();
    let id = refer(&mut net, call, carol());
    let (bob, _) = referral(&net);
    net.agents[BOB].reject_refer(net.now, bob, StatusCode::DECLINE, &[]).unwrap();
    net.drain();
    net.run(0.2);
    let refused = |net: &Net, id| match &refer_ends(net, id)[..] {
        [(None, ReferEnd::Refused { status, .. })] => status.as_u16(),
        other => panic!("{other:?}"),
    };
    assert_eq!(refused(&net, id), 603);
    let id = refer(&mut net, call, carol());
    net.run(20.0);
    assert_eq!(refused(&net, id), 480, "nobody answered");
    hang_up(&mut net, call);
    finish(&mut net);
    let (mut net, call) = in_the_call_of(Net::with(&[config(), Config::default()]));
    let id = refer(&mut net, call, carol());
    assert_eq!(refused(&net, id), 405);
    assert_eq!(net.agents[ALICE].live_calls(), 1, "the call goes on");
    hang_up(&mut net, call);
    finish(&mut net);
}

#[test]
fn a_reference_without_subscription_ends_with_its_acceptance() {
    let (mut net, call) = in_a_call();
    let id = refer(&mut net, call, Refer { subscribes: false, ..carol() });
    let (_, asked) = referral(&net);
    assert!(!asked.subscribes);
    accept(&mut net);
    assert_eq!(field(&sent(&net, ALICE, "REFER")[0], "Refer-Sub"), "false");
    assert_eq!(net.count(BOB, "NOTIFY"), 0, "RFC 4488 §4");
    assert!(matches!(refer_ends(&net, id)[..], [(None, ReferEnd::NotSubscribed)]));
    assert_eq!(referral_ends(&net), [ReferralEnd::NotSubscribed]);
    hang_up(&mut net, call);
    finish(&mut net);
}

#[test]
fn two_references_in_one_dialog_are_told_apart() {
    let (mut net, call) = in_a_call();
    let first = refer(&mut net, call, carol());
    let one = accept(&mut net);
    let second = refer(&mut net, call, carol());
    let two = accept(&mut net);
    report(&mut net, two, 486);
    report(&mut net, one, 200);
    assert_eq!(progress(&net, first), [100, 200]);
    assert_eq!(progress(&net, second), [100, 486]);
    hang_up(&mut net, call);
    finish(&mut net);
}

#[test]
fn a_report_that_waits_is_replaced_by_a_newer_one() {
    let (mut net, call) = in_a_call();
    let id = refer(&mut net, call, carol());
    let (bob, _) = referral(&net);
    let agent = &mut net.agents[BOB];
    agent.accept_refer(net.now, bob, None).unwrap();
    for code in [180, 181, 182, 200] {
        agent.report_refer(net.now, bob, StatusCode::new(code).unwrap()).unwrap();
    }
    net.drain();
    net.run(0.2);
    assert_eq!(progress(&net, id), [100, 200]);
    hang_up(&mut net, call);
    finish(&mut net);
}

#[test]
fn who_wants_to_hear_no_more_unsubscribes_and_the_peer_is_told() {
    let (mut net, call) = in_a_call();
    let id = refer(&mut net, call, carol());
    accept(&mut net);
    net.agents[ALICE].forget_refer(net.now, id).unwrap();
    net.drain();
    net.run(0.2);
    assert_eq!(field(&sent(&net, ALICE, "SUBSCRIBE")[0], "Event"), "refer;id=2");
    assert_eq!(referral_ends(&net), [ReferralEnd::Unsubscribed]);
    assert!(matches!(refer_ends(&net, id)[..], [(Some(100), ReferEnd::Unsubscribed)]));
    hang_up(&mut net, call);
    finish(&mut net);
}

#[test]
fn a_reference_whose_progress_takes_long_is_refreshed_and_then_expires() {
    let (mut net, call) = in_a_call();
    let id = refer(&mut net, call, carol());
    let (bob, _) = referral(&net);
    let lasts = Some(std::time::Duration::from_secs(60));
    net.agents[BOB].accept_refer(net.now, bob, lasts).unwrap();
    net.drain();
    net.run(200.0);
    assert!(net.count(ALICE, "SUBSCRIBE") >= 3);
    report(&mut net, bob, 200);
    assert!(matches!(refer_ends(&net, id)[..], [(Some(200), ReferEnd::Terminated { .. })]));
    hang_up(&mut net, call);
    finish(&mut net);
}

#[test]
fn lost_messages_do_not_lose_the_outcome() {
    for number in 5..30 {
        let net = Net::with(&[config(), config()]);
        let lost = move |sent, _: &str| if sent == number { Fate::Lost } else { Fate::Arrives };
        let (mut net, call) = in_the_call_of(net.fates(lost));
        let id = net.agents[ALICE].refer(net.now, call, carol()).unwrap();
        net.drain();
        net.run(3.0);
        let bob = accept(&mut net);
        net.run(3.0);
        report(&mut net, bob, 180);
        net.run(3.0);
        net.act(ALICE, call, &Do::HangUp).unwrap();
        net.run(3.0);
        report(&mut net, bob, 200);
        net.run(3.0);
        assert!(
            matches!(refer_ends(&net, id)[..], [(Some(200), ReferEnd::Terminated { .. })]),
            "{number}: {:#?}",
            net.sent
        );
        finish(&mut net);
    }
}

#[test]
fn what_we_support_is_said_only_if_we_take_references() {
    let (net, _) = in_a_call();
    let invite = &sent(&net, ALICE, "INVITE")[0];
    assert!(field(invite, "Allow").contains("REFER"));
    assert!(field(invite, "Supported").contains("norefersub, tdialog"));
    assert_eq!(field(invite, "Allow-Events"), "refer");
    let (net, _) = in_the_call_of(Net::new());
    let invite = &sent(&net, ALICE, "INVITE")[0];
    assert!(!field(invite, "Allow").contains("REFER"));
    assert!(!field(invite, "Supported").contains("tdialog"));
    assert!(fields(invite, "Allow-Events").is_empty());
}
