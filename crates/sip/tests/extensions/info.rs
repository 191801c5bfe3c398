//! INFO, of info packages and of old (RFC 6086).

use bytes::Bytes;
use offhook_sip::{Body, CallId, Config, End, Error, Event, Info};
use offhook_sip_message::{HeaderName, InfoPackage, Method};

use crate::support::raw::{Raw, field, fields, first_line, plain_invite, request, respond, tag_of};

const DTMF: &str = "Content-Type: application/dtmf-relay\nContent-Length: 8\n\nSignal=5";

fn taking(packages: &[&'static str]) -> Config {
    let mut config = Config::default();
    config.allow.push(Method::INFO);
    config.info_packages = packages.iter().map(|&package| package.into()).collect();
    config
}

fn dtmf() -> Info {
    let content = Bytes::from_static(b"Signal=5");
    let body = Some(Body { content_type: "application/dtmf-relay".into(), content });
    Info { body, ..Info::default() }
}

fn of(package: &'static str) -> Info {
    Info { package: Some(InfoPackage::new(package)), ..dtmf() }
}

/// A call of the peer that we have answered; the tag of our 200, and the 200.
fn called(raw: &mut Raw, fields: &str) -> (CallId, String, String) {
    raw.send(&request("INVITE", "z9hG4bKi", 1, "", fields));
    let call = raw.incoming();
    raw.agent.answer(raw.now, call, None).unwrap();
    let accepted = raw.drain().remove(0);
    let tag = tag_of(&accepted);
    raw.send(&request("ACK", "z9hG4bKa", 1, &tag, ""));
    raw.events.clear();
    (call, tag, accepted)
}

fn info(tag: &str, cseq: u32, more: &str) -> String {
    let mut info = request("INFO", &format!("z9hG4bKinfo{cseq}"), cseq, tag, more);
    // A body follows its own empty line.
    if more.contains("\n\n") {
        info.pop();
    }
    info
}

#[test]
fn an_info_of_a_listed_package_is_told_and_answered_with_200() {
    let mut raw = Raw::with(taking(&["foo", "bar"]));
    let (call, tag, accepted) = called(&mut raw, "Recv-Info: some\n");
    assert_eq!(fields(&accepted, "Recv-Info").join(", "), "foo, bar");
    let answer = raw.send(&info(&tag, 2, &format!("Info-Package: bar;a=b\n{DTMF}"))).remove(0);
    assert_eq!(first_line(&answer), "SIP/2.0 200 OK");
    let [Event::Info { call: it, package: Some(package), body: Some(body), .. }] = &raw.events[..]
    else {
        panic!("{:?}", raw.events)
    };
    assert_eq!((*it, package.is("bar"), &body.content[..]), (call, true, &b"Signal=5"[..]));
    assert_eq!(package.parameters.value("a"), Some("b"));
}

#[test]
fn an_info_of_another_package_is_refused_with_469_and_the_call_goes_on() {
    for listed in [&["foo"][..], &[]] {
        let mut raw = Raw::with(taking(listed));
        let (call, tag, _) = called(&mut raw, "");
        for (cseq, package) in [(2, "bar"), (3, "FOO")] {
            let sent = info(&tag, cseq, &format!("Info-Package: {package}\n{DTMF}"));
            let answer = raw.send(&sent).remove(0);
            assert_eq!(first_line(&answer), "SIP/2.0 469 Bad Info Package");
            assert_eq!(fields(&answer, "Recv-Info").join(""), listed.join(""));
        }
        assert!(raw.events.is_empty());
        raw.agent.hang_up(raw.now, call).unwrap();
    }
}

#[test]
fn an_unreadable_package_is_a_bad_request() {
    let mut raw = Raw::with(taking(&["foo"]));
    let (_, tag, _) = called(&mut raw, "");
    let answer = raw.send(&info(&tag, 2, "Info-Package: foo bar\n")).remove(0);
    assert_eq!(first_line(&answer), "SIP/2.0 400 Bad Request");
}

#[test]
fn digits_of_old_are_told_and_other_types_are_refused_with_415() {
    let mut raw = Raw::with(taking(&[]));
    let (_, tag, _) = called(&mut raw, "");
    let answer = raw.send(&info(&tag, 2, DTMF)).remove(0);
    assert_eq!(first_line(&answer), "SIP/2.0 200 OK");
    assert!(matches!(&raw.events[..], [Event::Info { package: None, body: Some(_), .. }]));
    let other = DTMF.replace("dtmf-relay", "x-other");
    let answer = raw.send(&info(&tag, 3, &other)).remove(0);
    assert_eq!(first_line(&answer), "SIP/2.0 415 Unsupported Media Type");
    assert_eq!(fields(&answer, "Accept"), ["application/dtmf-relay", "application/dtmf"]);
    // One without body only asks whether the call is still there.
    assert_eq!(first_line(&raw.send(&info(&tag, 4, ""))[0]), "SIP/2.0 200 OK");
    assert_eq!(raw.events.len(), 2);
    let mut raw = Raw::with(Config { info_types: Vec::new(), ..taking(&[]) });
    let (_, tag, _) = called(&mut raw, "");
    assert_eq!(first_line(&raw.send(&info(&tag, 2, &other))[0]), "SIP/2.0 200 OK");
}

#[test]
fn info_is_off_unless_it_is_allowed() {
    let mut raw = Raw::new();
    let (_, tag, accepted) = called(&mut raw, "Recv-Info: some\n");
    assert!(!accepted.contains("Recv-Info") && !field(&accepted, "Allow").contains("INFO"));
    let answer = raw.send(&info(&tag, 2, DTMF)).remove(0);
    assert_eq!(first_line(&answer), "SIP/2.0 405 Method Not Allowed");
    let (_, invite) = Raw::new().invite(None);
    assert!(!invite.contains("Recv-Info"));
}

#[test]
fn an_info_outside_of_a_call_or_out_of_order_is_refused() {
    let mut raw = Raw::with(taking(&[]));
    let stray = raw.send(&info("", 2, DTMF)).remove(0);
    assert_eq!(first_line(&stray), "SIP/2.0 481 Call/Transaction Does Not Exist");
    let (call, tag, _) = called(&mut raw, "");
    raw.send(&info(&tag, 5, DTMF));
    assert_eq!(first_line(&raw.send(&info(&tag, 4, DTMF))[0]), "SIP/2.0 500 Server Internal Error");
    raw.agent.hang_up(raw.now, call).unwrap();
    raw.drain();
    let late = raw.send(&info(&tag, 6, DTMF)).remove(0);
    assert_eq!(first_line(&late), "SIP/2.0 481 Call/Transaction Does Not Exist");
}

#[test]
fn an_invite_lists_the_packages_even_if_there_are_none() {
    let invite = |packages| Raw::with(taking(packages)).invite(None).1;
    assert_eq!(fields(&invite(&["foo", "bar"]), "Recv-Info").join(", "), "foo, bar");
    assert_eq!(fields(&invite(&[]).replace("Recv-Info:", "Recv-Info: "), "Recv-Info").len(), 1);
}

#[test]
fn a_2xx_lists_packages_only_if_the_invite_does() {
    let (_, _, accepted) = called(&mut Raw::with(taking(&["foo"])), "");
    assert!(!accepted.contains("Recv-Info"));
    let (_, _, accepted) = called(&mut Raw::with(taking(&["foo"])), "Recv-Info:\n");
    assert_eq!(field(&accepted, "Recv-Info"), "foo");
}

/// A call of ours that the peer has answered with these fields.
fn answered(raw: &mut Raw, fields: &str) -> CallId {
    let (call, invite) = raw.invite_by(plain_invite());
    let contact = "Contact: <sip:bob@198.51.100.7:5070>\n";
    raw.send(&respond(&invite, "200 OK", "bob", &format!("{contact}{fields}")));
    raw.events.clear();
    call
}

#[test]
fn a_package_is_sent_only_to_who_takes_it() {
    let mut raw = Raw::with(taking(&[]));
    let call = answered(&mut raw, "Recv-Info: foo, bar;x=1\n");
    let refused = raw.agent.info(raw.now, call, of("Foo"));
    assert_eq!(refused, Err(Error::PackageNotTaken { package: "Foo".into() }));
    let id = raw.agent.info(raw.now, call, of("bar")).unwrap();
    let sent = raw.drain().remove(0);
    assert_eq!(first_line(&sent), "INFO sip:bob@198.51.100.7:5070 SIP/2.0");
    assert_eq!(field(&sent, "Info-Package"), "bar");
    assert_eq!(field(&sent, "Content-Disposition"), "Info-Package");
    assert_eq!(field(&sent, "CSeq"), "2 INFO");
    assert!(sent.ends_with("\r\n\r\nSignal=5") && !sent.contains("Recv-Info"));
    raw.send(&respond(&sent, "200 OK", "", ""));
    assert!(matches!(&raw.events[..], [Event::InfoAnswered { info, .. }] if *info == id));
}

#[test]
fn the_packages_of_the_peer_change_with_what_is_accepted_and_not_with_what_is_refused() {
    let mut raw = Raw::with(taking(&[]));
    let call = answered(&mut raw, "Recv-Info: foo\n");
    for (status, taken) in [("488 Not Acceptable Here", "foo"), ("200 OK", "bar")] {
        raw.agent.reinvite(raw.now, call, None).unwrap();
        let reinvite = raw.drain().remove(0);
        assert!(reinvite.contains("Recv-Info"));
        raw.send(&respond(&reinvite, status, "", "Recv-Info: bar\n"));
        let other = if taken == "foo" { "bar" } else { "foo" };
        assert!(raw.agent.info(raw.now, call, of(other)).is_err(), "{status}");
        raw.agent.info(raw.now, call, of(taken)).unwrap();
        raw.drain();
    }
    let mut raw = Raw::with(taking(&[]));
    let (call, tag, _) = called(&mut raw, "Recv-Info: foo\n");
    raw.send(&request("UPDATE", "z9hG4bKu", 2, &tag, "Recv-Info: \n"));
    assert!(raw.agent.info(raw.now, call, of("foo")).is_err());
}

#[test]
fn digits_are_sent_to_anybody_and_a_469_leaves_the_call_alone() {
    let mut raw = Raw::new();
    let call = answered(&mut raw, "");
    let ids: Vec<_> = (0..2).map(|_| raw.agent.info(raw.now, call, dtmf()).unwrap()).collect();
    assert_ne!(ids[0], ids[1]);
    for sent in raw.drain() {
        assert!(!sent.contains("Info-Package") && !sent.contains("Content-Disposition"));
        raw.send(&respond(&sent, "469 Bad Info Package", "", "Recv-Info:\n"));
    }
    let told = raw.events.iter().map(|event| match event {
        Event::InfoAnswered { info, response, .. } => (*info, response.status().as_u16()),
        other => panic!("{other:?}"),
    });
    assert_eq!(told.collect::<Vec<_>>(), [(ids[0], 469), (ids[1], 469)]);
    raw.agent.reinvite(raw.now, call, None).unwrap();
}

#[test]
fn an_info_that_finds_no_dialog_or_no_answer_ends_the_call() {
    let mut raw = Raw::new();
    let call = answered(&mut raw, "");
    raw.agent.info(raw.now, call, dtmf()).unwrap();
    let sent = raw.drain().remove(0);
    let bye = raw.send(&respond(&sent, "481 Call/Transaction Does Not Exist", "", ""));
    assert!(bye[0].starts_with("BYE"));
    assert!(matches!(
        &raw.events[..],
        [Event::InfoAnswered { .. }, Event::Ended { end: End::Rejected { .. }, .. }]
    ));
    let mut raw = Raw::new();
    let call = answered(&mut raw, "");
    let id = raw.agent.info(raw.now, call, dtmf()).unwrap();
    raw.wait(32_100);
    let [Event::InfoFailed { info, status, .. }, Event::Ended { end: End::TimedOut, .. }] =
        &raw.events[..]
    else {
        panic!("{:?}", raw.events)
    };
    assert_eq!((*info, status.as_u16()), (id, 408));
}

#[test]
fn the_owner_cannot_write_what_the_package_says() {
    let mut raw = Raw::new();
    let call = answered(&mut raw, "");
    for header in [HeaderName::INFO_PACKAGE, HeaderName::RECV_INFO, HeaderName::CSEQ] {
        let headers = vec![(header.clone(), "x".into())];
        let refused = raw.agent.info(raw.now, call, Info { headers, ..dtmf() });
        assert_eq!(refused, Err(Error::ReservedHeader { header }));
    }
    let headers = vec![(HeaderName::SUBJECT, "kept".into())];
    raw.agent.info(raw.now, call, Info { headers, ..dtmf() }).unwrap();
    assert_eq!(field(&raw.drain()[0], "Subject"), "kept");
}

#[test]
fn a_callee_sends_no_info_before_its_first_response() {
    let mut raw = Raw::new();
    raw.send(&request("INVITE", "z9hG4bKi", 1, "", ""));
    let call = raw.incoming();
    let refused = raw.agent.info(raw.now, call, dtmf());
    assert!(matches!(refused, Err(Error::WrongState { .. })));
    raw.agent.ring(raw.now, call).unwrap();
    raw.agent.info(raw.now, call, dtmf()).unwrap();
    assert!(raw.drain()[1].starts_with("INFO"));
}

#[test]
fn an_info_may_be_sent_in_an_early_dialog() {
    let mut raw = Raw::with(taking(&["foo"]));
    let (call, invite) = raw.invite_by(plain_invite());
    assert_eq!(raw.agent.info(raw.now, call, dtmf()), Err(Error::NoFork));
    let reliably = "Require: 100rel\nRSeq: 1\nRecv-Info: foo\n\
                    Contact: <sip:bob@198.51.100.7:5070>\n";
    let sent = raw.send(&respond(&invite, "183 Session Progress", "bob", reliably));
    assert!(sent[0].starts_with("PRACK"));
    raw.agent.info(raw.now, call, of("foo")).unwrap();
    assert_eq!(field(&raw.drain()[0], "CSeq"), "3 INFO");
}
