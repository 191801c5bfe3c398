//! Session timers (RFC 4028), in all roles.

use std::time::Duration;

use offhook_sip::{Config, End, Error, Event, Info, Invite, Refreshes, SessionTimer, TimerUse};
use offhook_sip_message::{HeaderName, Method, StatusCode};

use crate::support::{
    ALICE, BOB, Do, Fate, Net, On, body,
    raw::{Raw, field, fields, first_line, plain_invite, request, respond, tag_of},
};

const BOB_ALLOWS: &str = "Contact: <sip:bob@198.51.100.7:5070>\nAllow: INVITE, ACK, BYE, UPDATE\n";
const BOB_IS_OLD: &str = "Contact: <sip:bob@198.51.100.7:5070>\nAllow: INVITE, ACK, BYE\n";

fn timer(seconds: u64) -> SessionTimer {
    SessionTimer::requested(Duration::from_secs(seconds))
}

fn with(session_timer: SessionTimer) -> Config {
    Config { session_timer, ..Config::default() }
}

/// Alice asks for 120 seconds and refreshes as `refreshes` says; Bob only supports it.
fn net(refreshes: Refreshes) -> Net {
    Net::with(&[with(SessionTimer { refreshes, ..timer(120) }), Config::default()]).script(
        BOB,
        On::Incoming,
        0.5,
        Do::Answer,
    )
}

fn times(net: &Net, side: usize, line: &str) -> Vec<u64> {
    let sent = net.sent.iter().filter(|(_, of, sent)| *of == side && sent == line);
    sent.map(|(at, ..)| at.as_secs()).collect()
}

/// A call of ours that the peer has answered with these fields, and its INVITE.
fn answered(raw: &mut Raw, invite: Invite, fields: &str) -> (offhook_sip::CallId, String) {
    let (call, invite) = raw.invite_by(invite);
    let sent = raw.send(&with_answer(&respond(&invite, "200 OK", "bob", fields)));
    assert!(first_line(&sent[0]).starts_with("ACK"));
    (call, invite)
}

fn with_answer(message: &str) -> String {
    let head = message.strip_suffix("\n\n").unwrap_or(message.trim_end_matches('\n'));
    format!("{head}\nContent-Type: application/sdp\nContent-Length: 10\n\nv=0 answer")
}

fn timed(seconds: u64) -> Invite {
    Invite { body: Some(body("v=0 offer")), session_timer: Some(timer(seconds)), ..plain_invite() }
}

/// A call of the peer that we have answered, and our 200.
fn called(raw: &mut Raw, fields: &str) -> String {
    raw.send(&request("INVITE", "z9hG4bKi", 1, "", fields));
    let call = raw.incoming();
    raw.agent.answer(raw.now, call, Some(body("v=0 answer"))).unwrap();
    let accepted = raw.drain().remove(0);
    assert_eq!(first_line(&accepted), "SIP/2.0 200 OK");
    raw.send(&request("ACK", "z9hG4bKa", 1, &tag_of(&accepted), ""));
    accepted
}

#[test]
fn the_caller_refreshes_halfway_with_an_update_without_body() {
    let mut net = net(Refreshes::We).script(ALICE, On::Answered, 200.0, Do::HangUp);
    net.call();
    net.finish();
    assert_eq!(times(&net, ALICE, "UPDATE"), [60, 120, 180]);
    assert_eq!(net.count(BOB, "UPDATE") + net.count(BOB, "BYE"), 0);
    assert!(net.has(ALICE, |event| matches!(event, Event::Refreshed { .. })));
    let update = net.messages.iter().find(|(_, it)| it.starts_with(b"UPDATE")).unwrap();
    let update = std::str::from_utf8(&update.1).unwrap();
    assert_eq!(field(update, "Session-Expires"), "120;refresher=uac");
    assert_eq!(field(update, "Content-Length"), "0");
    assert_eq!(net.ends(BOB), [End::PeerHungUp]);
}

#[test]
fn the_callee_refreshes_if_it_chooses_to() {
    let bob = SessionTimer { refreshes: Refreshes::We, ..SessionTimer::default() };
    let mut net = Net::with(&[with(timer(120)), with(bob)])
        .script(BOB, On::Incoming, 0.5, Do::Answer)
        .script(BOB, On::Established, 130.0, Do::HangUp);
    net.call();
    net.finish();
    assert_eq!(times(&net, BOB, "UPDATE"), [60, 120]);
    assert_eq!(net.count(ALICE, "UPDATE"), 0);
}

#[test]
fn whoever_hears_no_refresh_hangs_up_before_the_session_expires() {
    for refreshes in [Refreshes::We, Refreshes::Either] {
        let mut net = net(refreshes).fates(|_, line| match line {
            "UPDATE" => Fate::Lost,
            _ => Fate::Arrives,
        });
        net.call();
        net.finish();
        assert_eq!(net.ends(BOB), [End::Expired], "{refreshes:?}");
        // The smaller one of 32 seconds and a third of the interval before its end: 0.52 + 120 - 32.
        let bye = net.sent.iter().find(|(_, side, line)| *side == BOB && line == "BYE").unwrap();
        assert_eq!(bye.0, Duration::from_millis(520 + 88_000));
    }
}

#[test]
fn the_refresher_gives_up_too_if_nobody_answers_it() {
    let mut net = net(Refreshes::We);
    net.call();
    net.run(10.0);
    net.fates = Box::new(|_, _| Fate::Lost);
    net.finish();
    assert_eq!(net.ends(ALICE), [End::Expired]);
    assert_eq!(net.ends(BOB), [End::Expired]);
}

#[test]
fn a_refresh_that_times_out_ends_the_call() {
    let alice = SessionTimer { refreshes: Refreshes::We, ..timer(1_800) };
    let mut net =
        Net::with(&[with(alice), Config::default()]).script(BOB, On::Incoming, 0.5, Do::Answer);
    net.call();
    net.run(10.0);
    net.fates = Box::new(|_, line| if line == "UPDATE" { Fate::Lost } else { Fate::Arrives });
    net.finish();
    assert_eq!((net.ends(ALICE), net.ends(BOB)), (vec![End::TimedOut], vec![End::PeerHungUp]));
    assert_eq!(times(&net, ALICE, "BYE"), [900 + 32]);
}

#[test]
fn without_a_timer_nothing_is_sent_and_nobody_hangs_up() {
    for config in [with(SessionTimer::OFF), Config::default()] {
        let mut net = Net::with(&[config.clone(), config])
            .script(BOB, On::Incoming, 0.5, Do::Answer)
            .script(ALICE, On::Answered, 10_000.0, Do::HangUp);
        net.call();
        net.finish();
        assert_eq!(net.sent.len(), 6, "{:#?}", net.sent);
    }
}

#[test]
fn a_callee_that_is_off_leaves_the_caller_to_refresh_for_itself() {
    let mut net = Net::with(&[with(timer(120)), with(SessionTimer::OFF)])
        .script(BOB, On::Incoming, 0.5, Do::Answer)
        .script(ALICE, On::Answered, 130.0, Do::HangUp);
    net.call();
    net.finish();
    assert_eq!(times(&net, ALICE, "UPDATE"), [60, 120]);
    assert_eq!(net.ends(BOB), [End::PeerHungUp]);
}

#[test]
fn a_caller_that_is_off_leaves_the_callee_to_refresh_for_itself() {
    let mut net = Net::with(&[with(SessionTimer::OFF), with(timer(120))])
        .script(BOB, On::Incoming, 0.5, Do::Answer)
        .script(ALICE, On::Answered, 130.0, Do::HangUp);
    net.call();
    net.finish();
    assert_eq!(times(&net, BOB, "UPDATE"), [60, 120]);
    assert_eq!(net.ends(BOB), [End::PeerHungUp]);
}

#[test]
fn a_modification_by_the_user_refreshes_too() {
    for modification in [Do::Reinvite, Do::Update, Do::Refresh] {
        let offered = !matches!(modification, Do::Refresh);
        let mut net = net(Refreshes::We)
            .script(ALICE, On::Answered, 40.0, modification)
            .script(BOB, On::Reinvited, 0.1, Do::Answer)
            .script(BOB, On::Updated, 0.1, Do::AnswerOffer)
            .script(ALICE, On::Answered, 110.0, Do::HangUp);
        net.call();
        net.finish();
        let refreshes = net.events.iter().filter(|(_, it)| matches!(it, Event::Refreshed { .. }));
        let at: Vec<_> = times(&net, ALICE, "UPDATE");
        assert_eq!(refreshes.count(), 1);
        assert_eq!(at.last(), Some(&100), "offered: {offered}, {:#?}", net.sent);
    }
}

#[test]
fn the_roles_stay_as_they_are_whoever_modifies_the_session() {
    let mut net = net(Refreshes::We)
        .script(BOB, On::Established, 40.0, Do::Reinvite)
        .script(ALICE, On::Reinvited, 0.1, Do::Answer)
        .script(ALICE, On::Answered, 110.0, Do::HangUp);
    net.call();
    net.finish();
    let sent = net.messages.iter().rfind(|(side, it)| *side == BOB && it.starts_with(b"INVITE"));
    let reinvite = std::str::from_utf8(&sent.unwrap().1).unwrap();
    assert_eq!(field(reinvite, "Session-Expires"), "120;refresher=uas");
    assert_eq!(times(&net, ALICE, "UPDATE"), [100]);
    assert_eq!(net.count(BOB, "UPDATE"), 0);
}

#[test]
fn an_invite_asks_as_the_settings_say() {
    let asked = |session_timer| {
        let mut raw = Raw::new();
        raw.invite_by(Invite { session_timer: Some(session_timer), ..plain_invite() }).1
    };
    let off = asked(SessionTimer::OFF);
    assert!(!off.contains("timer") && !off.contains("Session-Expires"));
    let supported = asked(SessionTimer::default());
    assert!(fields(&supported, "Supported").iter().any(|tags| tags.contains("timer")));
    assert!(!supported.contains("Session-Expires") && !supported.contains("Min-SE"));
    let either = asked(timer(600));
    assert_eq!(field(&either, "Session-Expires"), "600");
    let ours = asked(SessionTimer { refreshes: Refreshes::We, ..timer(600) });
    assert_eq!(field(&ours, "Session-Expires"), "600;refresher=uac");
    let peer = asked(SessionTimer { refreshes: Refreshes::Peer, ..timer(600) });
    assert_eq!(field(&peer, "Session-Expires"), "600");
    let least = SessionTimer { min_se: Duration::from_secs(300), ..timer(100) };
    let least = asked(least);
    assert_eq!((field(&least, "Min-SE"), field(&least, "Session-Expires")), ("300", "300"));
    assert_eq!(field(&asked(timer(5)), "Session-Expires"), "90");
    let required = asked(SessionTimer { wanted: TimerUse::Required, ..timer(600) });
    assert_eq!(field(&required, "Require"), "timer");
}

#[test]
fn each_request_of_a_call_says_that_timers_are_supported() {
    let mut raw = Raw::new();
    let (call, invite) = raw.invite_by(timed(120));
    let reliably = format!("{BOB_ALLOWS}Require: 100rel\nRSeq: 1\n");
    let mut sent = raw.send(&respond(&invite, "180 Ringing", "bob", &reliably));
    raw.send(&respond(&invite, "200 OK", "bob", BOB_ALLOWS));
    raw.agent.info(raw.now, call, Info::default()).unwrap();
    raw.agent.update(raw.now, call, None, None).unwrap();
    raw.agent.reinvite(raw.now, call, None).unwrap();
    raw.agent.hang_up(raw.now, call).unwrap();
    sent.extend(raw.drain());
    let methods = sent.iter().map(|it| it.split(' ').next().unwrap());
    assert_eq!(methods.collect::<Vec<_>>(), ["PRACK", "INFO", "UPDATE", "INVITE", "BYE"]);
    for request in sent {
        assert!(fields(&request, "Supported").join(", ").contains("timer"), "{request}");
    }
}

#[test]
fn a_2xx_answers_as_table_2_says() {
    let (supports, asks) = ("Supported: timer\n", "Session-Expires: 600");
    let we = |refreshes| SessionTimer { refreshes, ..SessionTimer::default() };
    let cases = [
        (we(Refreshes::Either), format!("{asks}\n"), Some("uas"), false),
        (we(Refreshes::Either), format!("{supports}{asks}\n"), Some("uac"), true),
        (we(Refreshes::Peer), format!("{supports}{asks}\n"), Some("uac"), true),
        (we(Refreshes::We), format!("{supports}{asks}\n"), Some("uas"), true),
        (we(Refreshes::We), format!("{supports}{asks};refresher=uac\n"), Some("uac"), true),
        (we(Refreshes::Peer), format!("{supports}{asks};refresher=uas\n"), Some("uas"), true),
        (we(Refreshes::We), supports.to_owned(), None, false),
        (timer(600), supports.to_owned(), Some("uac"), true),
        (timer(600), String::new(), Some("uas"), false),
        (SessionTimer::OFF, format!("{supports}{asks}\n"), None, false),
    ];
    for (session_timer, fields, refresher, required) in cases {
        let accepted = called(&mut Raw::with(with(session_timer)), &fields);
        let expected = refresher.map(|refresher| format!("600;refresher={refresher}"));
        assert_eq!(
            self::fields(&accepted, "Session-Expires"),
            expected.iter().map(String::as_str).collect::<Vec<_>>(),
            "{session_timer:?} {fields}"
        );
        assert_eq!(accepted.contains("Require: timer"), required, "{session_timer:?} {fields}");
    }
}

#[test]
fn a_2xx_may_shorten_the_interval_down_to_min_se_and_never_raises_it() {
    for (ours, fields, granted) in [
        (600, "Session-Expires: 1800\n", 600),
        (600, "Session-Expires: 1800\nMin-SE: 900\n", 900),
        (600, "Session-Expires: 300\n", 300),
        (600, "Min-SE: 900\n", 900),
    ] {
        let fields = format!("Supported: timer\n{fields}");
        let accepted = called(&mut Raw::with(with(timer(ours))), &fields);
        let expires = field(&accepted, "Session-Expires");
        assert_eq!(expires, format!("{granted};refresher=uac"), "{fields}");
    }
}

#[test]
fn an_interval_below_the_minimum_is_refused_with_422_if_the_caller_can_do_better() {
    let least = SessionTimer { min_se: Duration::from_secs(300), ..SessionTimer::default() };
    let mut raw = Raw::with(with(least));
    let invite = "Supported: timer\nSession-Expires: 299\n";
    let refused = raw.send(&request("INVITE", "z9hG4bKi", 1, "", invite)).remove(0);
    assert_eq!(first_line(&refused), "SIP/2.0 422 Session Interval Too Small");
    assert_eq!(field(&refused, "Min-SE"), "300");
    assert!(raw.events.is_empty());
    let accepted = called(&mut Raw::with(with(least)), "Session-Expires: 299\n");
    assert_eq!(field(&accepted, "Session-Expires"), "299;refresher=uas");
    let accepted = called(&mut raw, "Supported: timer\nSession-Expires: 300\n");
    assert_eq!(field(&accepted, "Session-Expires"), "300;refresher=uac");
    let update = request("UPDATE", "z9hG4bKu", 2, &tag_of(&accepted), invite);
    let refused = raw.send(&update).remove(0);
    assert_eq!(first_line(&refused), "SIP/2.0 422 Session Interval Too Small");
    assert_eq!(field(&refused, "Min-SE"), "300");
}

#[test]
fn an_interval_that_no_proxy_may_ask_for_is_not_taken() {
    let accepted = called(&mut Raw::new(), "Session-Expires: 1\n");
    assert!(!accepted.contains("Session-Expires"));
}

#[test]
fn a_peer_cannot_have_refreshes_more_often_than_every_45_seconds() {
    let mut raw = Raw::new();
    let expires = format!("{BOB_ALLOWS}Require: timer\nSession-Expires: 1;refresher=uac\n");
    answered(&mut raw, timed(600), &expires);
    assert!(raw.wait(44_900).is_empty());
    assert!(raw.wait(200).remove(0).starts_with("UPDATE"));
}

#[test]
fn whoever_requires_timers_refuses_with_421_and_420() {
    let mut raw = Raw::with(with(SessionTimer { wanted: TimerUse::Required, ..timer(600) }));
    let refused = raw.send(&request("INVITE", "z9hG4bKi", 1, "", "")).remove(0);
    assert_eq!(first_line(&refused), "SIP/2.0 421 Extension Required");
    assert_eq!(field(&refused, "Require"), "timer");
    let mut raw = Raw::with(with(SessionTimer::OFF));
    let refused = raw.send(&request("INVITE", "z9hG4bKi", 1, "", "Require: timer\n")).remove(0);
    assert_eq!(first_line(&refused), "SIP/2.0 420 Bad Extension");
    assert_eq!(field(&refused, "Unsupported"), "timer");
}

#[test]
fn a_422_is_answered_with_a_longer_interval() {
    let mut raw = Raw::new();
    let (call, invite) = raw.invite_by(timed(120));
    let sent = raw.send(&respond(&invite, "422 Session Interval Too Small", "p", "Min-SE: 300\n"));
    assert!(first_line(&sent[0]).starts_with("ACK"));
    let again = &sent[1];
    assert_eq!((field(again, "Min-SE"), field(again, "Session-Expires")), ("300", "300"));
    assert_eq!(field(again, "CSeq"), "2 INVITE");
    assert_eq!(field(again, "Call-ID"), field(&invite, "Call-ID"));
    assert_eq!(field(again, "From"), field(&invite, "From"));
    assert_ne!(field(again, "Via"), field(&invite, "Via"));
    assert!(again.ends_with("v=0 offer"));
    let sent = raw.send(&respond(again, "422 Session Interval Too Small", "q", "Min-SE: 400\n"));
    assert_eq!(field(&sent[1], "Session-Expires"), "400");
    raw.send(&respond(&sent[1], "200 OK", "bob", BOB_ALLOWS));
    assert!(matches!(raw.events[..], [Event::Answered { call: it, .. }] if it == call));
}

#[test]
fn a_422_that_asks_for_nothing_or_comes_again_and_again_ends_the_call() {
    for field in ["", "Min-SE: 120\n", "Min-SE: 60\n"] {
        let mut raw = Raw::new();
        let (_, invite) = raw.invite_by(timed(120));
        let sent = raw.send(&respond(&invite, "422 Session Interval Too Small", "p", field));
        assert_eq!(sent.len(), 1, "{field}");
        assert!(matches!(&raw.events[..], [Event::Ended { end: End::Rejected { .. }, .. }]));
    }
    let mut raw = Raw::new();
    let (_, mut invite) = raw.invite_by(timed(120));
    let mut tries = 0;
    for least in 200..300 {
        let least = format!("Min-SE: {least}\n");
        let sent = raw.send(&respond(&invite, "422 Session Interval Too Small", "p", &least));
        let Some(again) = sent.into_iter().find(|it| it.starts_with("INVITE")) else { break };
        (invite, tries) = (again, tries + 1);
    }
    assert_eq!(tries, 5);
    assert!(matches!(raw.events[..], [Event::Ended { .. }]));
}

#[test]
fn a_422_to_a_refresh_is_answered_and_remembered() {
    let mut raw = Raw::new();
    let expires = format!("{BOB_ALLOWS}Require: timer\nSession-Expires: 120;refresher=uac\n");
    answered(&mut raw, timed(120), &expires);
    let update = raw.wait(60_100).remove(0);
    let sent = raw.send(&respond(&update, "422 Session Interval Too Small", "", "Min-SE: 200\n"));
    let again = &sent[0];
    assert_eq!(field(again, "Session-Expires"), "200;refresher=uac");
    assert_eq!((field(again, "Min-SE"), field(again, "CSeq")), ("200", "3 UPDATE"));
    let granted = "Require: timer\nSession-Expires: 200;refresher=uac\n";
    raw.send(&respond(again, "200 OK", "", granted));
    let update = raw.wait(100_100).remove(0);
    assert_eq!((field(&update, "Min-SE"), field(&update, "CSeq")), ("200", "4 UPDATE"));
}

#[test]
fn a_request_of_ours_keeps_the_largest_min_se_of_the_dialog() {
    let mut raw = Raw::new();
    let accepted = called(&mut raw, "Supported: timer\nSession-Expires: 120;refresher=uac\n");
    let call = raw.incoming();
    let tag = tag_of(&accepted);
    for (cseq, least) in [(2, 300), (3, 200)] {
        let more = format!("Supported: timer\nMin-SE: {least}\nSession-Expires: 300\n");
        raw.send(&request("INVITE", &format!("z9hG4bKr{cseq}"), cseq, &tag, &more));
        raw.agent.reject(raw.now, call, StatusCode::NOT_ACCEPTABLE_HERE).unwrap();
        raw.drain();
        raw.send(&request("ACK", &format!("z9hG4bKr{cseq}"), cseq, &tag, ""));
    }
    raw.agent.update(raw.now, call, None, None).unwrap();
    let update = raw.drain().remove(0);
    assert_eq!(field(&update, "Min-SE"), "300");
    assert_eq!(field(&update, "Session-Expires"), "300;refresher=uas");
}

#[test]
fn a_peer_without_update_gets_the_last_description_unchanged() {
    let mut raw = Raw::new();
    let expires = format!("{BOB_IS_OLD}Session-Expires: 120;refresher=uac\n");
    let (call, _) = answered(&mut raw, timed(120), &expires);
    let reinvite = raw.wait(60_100).remove(0);
    assert!(reinvite.starts_with("INVITE") && reinvite.ends_with("v=0 offer"), "{reinvite}");
    let sent = raw.send(&with_answer(&respond(&reinvite, "200 OK", "", &expires)));
    assert!(sent[0].starts_with("ACK"));
    assert!(matches!(raw.events.last(), Some(Event::Refreshed { .. })));
    // A description that was refused does not count; one that was taken does.
    for (status, kept) in [("488 Not Acceptable Here", "v=0 offer"), ("200 OK", "v=0 third")] {
        raw.agent.reinvite(raw.now, call, Some(body("v=0 third"))).unwrap();
        let reinvite = raw.drain().remove(0);
        let expires = if status == "200 OK" { &*expires } else { "" };
        raw.send(&with_answer(&respond(&reinvite, status, "", expires)));
        let wait = if status == "200 OK" { 60_100 } else { 60_000 };
        let refresh = raw.wait(wait).remove(0);
        assert!(refresh.ends_with(kept), "{status}: {refresh}");
        raw.send(&with_answer(&respond(
            &refresh,
            "200 OK",
            "",
            &format!("{BOB_IS_OLD}Session-Expires: 120;refresher=uac\n"),
        )));
    }
}

#[test]
fn without_any_description_even_an_old_peer_gets_an_update() {
    let mut raw = Raw::new();
    let (_, invite) = raw.invite_by(Invite { body: None, ..timed(120) });
    raw.send(&respond(&invite, "200 OK", "bob", BOB_IS_OLD));
    assert!(raw.wait(60_100).remove(0).starts_with("UPDATE"));
}

#[test]
fn an_update_that_is_refused_is_followed_by_a_reinvite() {
    let mut raw = Raw::new();
    answered(&mut raw, timed(120), BOB_ALLOWS);
    let update = raw.wait(60_100).remove(0);
    assert!(update.starts_with("UPDATE"));
    raw.send(&respond(&update, "501 Not Implemented", "", ""));
    assert!(raw.wait(10).remove(0).starts_with("INVITE"));
    assert!(!raw.events.iter().any(|event| matches!(event, Event::UpdateRejected { .. })));
}

#[test]
fn a_refresh_that_meets_another_is_tried_again_after_a_while() {
    for status in ["491 Request Pending", "500 Server Internal Error"] {
        let mut raw = Raw::new();
        let (call, _) = answered(&mut raw, timed(120), BOB_ALLOWS);
        let update = raw.wait(60_100).remove(0);
        let wait = if status.starts_with('5') { "Retry-After: 3\n" } else { "" };
        raw.send(&respond(&update, status, "", wait));
        let again = raw.wait(4_100).remove(0);
        assert!(again.starts_with("UPDATE") && field(&again, "CSeq") == "3 UPDATE");
        raw.send(&respond(&again, "200 OK", "", ""));
        assert!(
            matches!(raw.events.last(), Some(Event::Refreshed { call: it, .. }) if *it == call)
        );
        assert_eq!(raw.events.len(), 2);
    }
}

#[test]
fn a_server_that_always_refuses_is_not_asked_for_ever() {
    let mut raw = Raw::new();
    answered(&mut raw, timed(3_600), BOB_ALLOWS);
    let mut update = raw.wait(1_800_100).remove(0);
    let mut tries = 1;
    loop {
        raw.send(&respond(&update, "500 Server Internal Error", "", "Retry-After: 5\n"));
        let Some(again) = raw.wait(5_100).into_iter().next() else { break };
        (update, tries) = (again, tries + 1);
    }
    assert_eq!(tries, 9);
    let bye = raw.wait(1_800_000).remove(0);
    assert!(bye.starts_with("BYE"));
    raw.send(&respond(&bye, "200 OK", "", ""));
    assert!(matches!(raw.events.last(), Some(Event::Ended { end: End::Expired, .. })));
}

#[test]
fn a_refresh_that_finds_no_dialog_ends_the_call() {
    for (status, code) in
        [("481 Call/Transaction Does Not Exist", 481), ("408 Request Timeout", 408)]
    {
        let mut raw = Raw::new();
        answered(&mut raw, timed(120), BOB_ALLOWS);
        let update = raw.wait(60_100).remove(0);
        let sent = raw.send(&respond(&update, status, "", ""));
        assert!(sent[0].starts_with("BYE"));
        let ended = |event: &Event| {
            matches!(event, Event::Ended { end: End::Rejected { status, .. }, .. }
                if status.as_u16() == code)
        };
        assert!(raw.events.iter().any(ended));
    }
}

#[test]
fn a_2xx_without_session_expires_turns_a_timer_of_the_peer_off() {
    let mut raw = Raw::new();
    let accepted = called(&mut raw, "Supported: timer\nSession-Expires: 120\n");
    let refresh = request("UPDATE", "z9hG4bKu", 2, &tag_of(&accepted), "Supported: timer\n");
    let answer = raw.send(&refresh).remove(0);
    assert!(!answer.contains("Session-Expires"));
    assert!(raw.wait(1_000_000).is_empty());
}

#[test]
fn a_refresh_of_the_peer_is_answered_and_counts() {
    let mut raw = Raw::new();
    let accepted = called(&mut raw, "Supported: timer\nSession-Expires: 120;refresher=uac\n");
    raw.wait(80_000);
    let asks = "Supported: timer\nSession-Expires: 120;refresher=uac\n";
    let refresh = request("UPDATE", "z9hG4bKu", 2, &tag_of(&accepted), asks);
    let answer = raw.send(&refresh).remove(0);
    assert_eq!(field(&answer, "Session-Expires"), "120;refresher=uac");
    assert_eq!(field(&answer, "Require"), "timer");
    assert!(raw.wait(87_900).is_empty());
    assert!(raw.wait(200).remove(0).starts_with("BYE"));
}

#[test]
fn a_refresh_waits_while_the_user_modifies_the_session() {
    let mut raw = Raw::new();
    let expires = format!("{BOB_IS_OLD}Session-Expires: 120;refresher=uac\n");
    let (call, _) = answered(&mut raw, timed(120), &expires);
    raw.wait(59_000);
    raw.agent.reinvite(raw.now, call, Some(body("v=0 third"))).unwrap();
    let reinvite = raw.drain().remove(0);
    raw.send(&respond(&reinvite, "100 Trying", "", ""));
    assert!(raw.wait(10_000).is_empty());
    raw.send(&respond(&reinvite, "488 Not Acceptable Here", "", ""));
    let refresh = raw.wait(4_100).remove(0);
    assert!(refresh.starts_with("INVITE") && refresh.ends_with("v=0 offer"));
}

#[test]
fn the_owner_cannot_contradict_the_timer_by_hand() {
    for header in [HeaderName::SESSION_EXPIRES, HeaderName::MIN_SE] {
        let mut raw = Raw::new();
        let headers = vec![(header.clone(), "600".into())];
        let refused = raw.agent.invite(raw.now, Invite { headers, ..plain_invite() });
        assert_eq!(refused, Err(Error::ReservedHeader { header }));
    }
}

#[test]
fn an_owner_that_has_switched_update_off_refreshes_by_reinvite() {
    let allow = [Method::INVITE, Method::ACK, Method::BYE, Method::CANCEL];
    let mut raw = Raw::with(Config { allow: allow.into(), ..Config::default() });
    answered(&mut raw, timed(120), BOB_ALLOWS);
    assert!(raw.wait(60_100).remove(0).starts_with("INVITE"));
}
