//! Calls that are challenged (RFC 3261 §22.2, §22.3, §8.1.3.5), by a peer that writes its messages
//! by hand and verifies what it gets.
#![cfg(test)]

mod support;

use std::time::Duration;

use bytes::Bytes;
use offhook_sansio::Random;
use offhook_sip::{CallId, Challenger, End, Event, Invite, Login, Role, User, Verdict};
use offhook_sip_message::{Authorization, Message, ParseOptions, ProxyAuthorization, ValidRequest};
use support::raw::{Raw, field, fields, first_line, respond, tag_of};

const REALM: &str = "biloxi.example";
const CONTACT: &str = "Contact: <sip:bob@198.51.100.7:5070>\n";

/// A user agent, and the servers on its way.
struct Stage {
    raw: Raw,
    server: Challenger,
    proxy: Challenger,
}

impl Stage {
    fn new() -> Self {
        let raw = Raw::new();
        let mut random = Random::from_seed(9);
        Self {
            server: Challenger::new(raw.now, &mut random, Role::Server, REALM),
            proxy: Challenger::new(raw.now, &mut random, Role::Proxy, "proxy"),
            raw,
        }
    }

    /// Calls with `logins` and gives the INVITE.
    fn invite(&mut self, logins: Vec<Login>) -> (CallId, String) {
        let body = Some(support::body("v=0"));
        let invite = Invite { body, logins, ..support::raw::plain_invite() };
        let call = self.raw.agent.invite(self.raw.now, invite).unwrap();
        (call, self.raw.drain().remove(0))
    }

    /// Lets the server look at a request.
    fn serve(&mut self, request: &str) -> Verdict {
        self.server.check(self.raw.now, &parse(request), |claim| user(claim.username()))
    }

    /// The challenge of the server to `request`, as a response.
    fn challenge(&mut self, request: &str) -> Vec<u8> {
        match self.serve(request) {
            Verdict::Challenged(challenged) => reply(&challenged, request),
            other => panic!("not challenged: {other:?}"),
        }
    }

    /// Challenges `request`, and gives all that comes back.
    fn challenged(&mut self, request: &str) -> Vec<String> {
        let challenge = self.challenge(request);
        self.raw.send_bytes(&challenge)
    }

    /// A call that stands after one challenge; its second INVITE and the ACK to its 2xx.
    fn standing(&mut self) -> (CallId, String, String) {
        let (call, invite) = self.invite(vec![login()]);
        let again = only("INVITE", &self.challenged(&invite));
        assert!(self.authenticates(&again));
        let sent = self.raw.send(&respond(&again, "200 OK", "b1", CONTACT));
        assert_eq!(sent.len(), 1);
        (call, again, sent[0].clone())
    }

    fn authenticates(&mut self, request: &str) -> bool {
        matches!(self.serve(request), Verdict::Authenticated(_))
    }

    fn ends(&self) -> Vec<End> {
        let end = |event: &Event| match event {
            Event::Ended { end, .. } => Some(end.clone()),
            _ => None,
        };
        self.raw.events.iter().filter_map(end).collect()
    }
}

fn login() -> Login {
    Login::new(REALM, "alice", "open sesame")
}

fn user(name: &str) -> Option<User> {
    (name == "alice").then(|| User::with_password("alice", "open sesame"))
}

fn parse(text: &str) -> ValidRequest {
    let Message::Request(request) = Message::parse(Bytes::from(text.to_owned())).unwrap() else {
        panic!("no request: {text}")
    };
    ValidRequest::new(request, &ParseOptions::default()).unwrap()
}

fn reply(challenged: &offhook_sip::Challenged, request: &str) -> Vec<u8> {
    let reply = challenged.reply_to(&parse(request)).to_tag("b0").build().unwrap();
    reply.as_bytes().to_vec()
}

/// The only message with this method.
fn only(method: &str, sent: &[String]) -> String {
    let mut found = sent.iter().filter(|message| first_line(message).starts_with(method));
    let message = found.next().unwrap_or_else(|| panic!("no {method} in {sent:?}"));
    assert!(found.next().is_none());
    message.clone()
}

fn cseq(message: &str) -> u32 {
    field(message, "CSeq").split(' ').next().unwrap().parse().unwrap()
}

fn is_401(end: &End) -> bool {
    matches!(end, End::Rejected { status, .. } if status.as_u16() == 401)
}

fn next_in_line(earlier: &str, later: &str) {
    assert_eq!(cseq(later), cseq(earlier) + 1);
    assert_ne!(field(later, "Via"), field(earlier, "Via"), "a new branch");
    for name in ["Call-ID", "From", "To", "Contact"] {
        assert_eq!(fields(later, name), fields(earlier, name));
    }
}

#[test]
fn a_challenged_invite_is_sent_again_with_credentials() {
    let mut stage = Stage::new();
    let (_, invite) = stage.invite(vec![login()]);
    assert!(!invite.contains("Authorization"));
    let sent = stage.challenged(&invite);
    let (ack, again) = (only("ACK", &sent), only("INVITE", &sent));
    assert_eq!(field(&ack, "Via"), field(&invite, "Via"));
    next_in_line(&invite, &again);
    assert_eq!(first_line(&again), first_line(&invite));
    assert!(again.ends_with("\r\n\r\nv=0"));
    assert!(stage.authenticates(&again));
    let sent = stage.raw.send(&respond(&again, "200 OK", "b1", CONTACT));
    let ack = only("ACK", &sent);
    assert_eq!(cseq(&ack), cseq(&again));
    assert_eq!(field(&ack, "Authorization"), field(&again, "Authorization"), "§22.1");
    assert!(stage.raw.events.iter().any(|event| matches!(event, Event::Answered { .. })));
}

#[test]
fn a_proxy_and_a_server_both_get_what_they_ask_for() {
    let mut stage = Stage::new();
    let (_, invite) = stage.invite(vec![login(), Login::new("proxy", "alice", "open sesame")]);
    let verdict = stage.proxy.check(stage.raw.now, &parse(&invite), |_| None);
    let Verdict::Challenged(challenged) = verdict else { panic!("{verdict:?}") };
    let sent = stage.raw.send_bytes(&reply(&challenged, &invite));
    let second = only("INVITE", &sent);
    assert_eq!(parse(&second).headers_of::<ProxyAuthorization>().count(), 1);
    let third = only("INVITE", &stage.challenged(&second));
    next_in_line(&second, &third);
    let request = parse(&third);
    assert_eq!(request.headers_of::<ProxyAuthorization>().count(), 1);
    assert_eq!(request.headers_of::<Authorization>().count(), 1);
    let verdict = stage.proxy.check(stage.raw.now, &request, |claim| user(claim.username()));
    assert!(matches!(verdict, Verdict::Authenticated(_)), "{verdict:?}");
    assert!(stage.authenticates(&third));
    let ack = only("ACK", &stage.raw.send(&respond(&third, "200 OK", "b1", CONTACT)));
    assert_eq!(field(&ack, "Proxy-Authorization"), field(&third, "Proxy-Authorization"));
}

#[test]
fn a_wrong_password_is_tried_once() {
    let mut stage = Stage::new();
    let (_, invite) = stage.invite(vec![Login::new(REALM, "alice", "guess")]);
    let again = only("INVITE", &stage.challenged(&invite));
    let sent = stage.challenged(&again);
    assert_eq!((sent.len(), first_line(&sent[0]).starts_with("ACK ")), (1, true));
    assert!(matches!(&stage.ends()[..], [end] if is_401(end)));
}

#[test]
fn without_a_login_for_the_realm_a_challenge_ends_the_call() {
    for logins in [vec![], vec![Login::new("elsewhere", "alice", "open sesame")]] {
        let mut stage = Stage::new();
        let (_, invite) = stage.invite(logins);
        assert_eq!(stage.challenged(&invite).len(), 1, "the ACK");
        assert!(matches!(&stage.ends()[..], [end] if is_401(end)));
    }
}

#[test]
fn a_repeated_challenge_is_acknowledged_and_answered_no_more() {
    let mut stage = Stage::new();
    let (_, invite) = stage.invite(vec![login()]);
    let challenge = stage.challenge(&invite);
    assert_eq!(stage.raw.send_bytes(&challenge).len(), 2);
    let repeated = stage.raw.send_bytes(&challenge);
    assert_eq!((repeated.len(), first_line(&repeated[0]).starts_with("ACK ")), (1, true));
    assert!(stage.ends().is_empty());
}

#[test]
fn the_second_invite_is_retransmitted_and_times_out_like_any() {
    let mut stage = Stage::new();
    let (_, invite) = stage.invite(vec![login()]);
    let again = only("INVITE", &stage.challenged(&invite));
    assert_eq!(stage.raw.wait(500), std::slice::from_ref(&again));
    stage.raw.wait(32_000);
    assert_eq!(stage.ends(), [End::TimedOut]);
    stage.raw.wait(32_000);
    assert_eq!((stage.raw.agent.live_calls(), stage.raw.agent.live_transactions()), (0, 0));
}

#[test]
fn a_call_given_up_before_the_challenge_is_not_tried_again() {
    let mut stage = Stage::new();
    let (call, invite) = stage.invite(vec![login()]);
    stage.raw.agent.hang_up(stage.raw.now, call).unwrap();
    assert_eq!(stage.challenged(&invite).len(), 1, "the ACK");
    assert_eq!(stage.ends(), [End::Cancelled]);
}

#[test]
fn a_call_given_up_after_the_challenge_cancels_its_second_invite() {
    let mut stage = Stage::new();
    let (call, invite) = stage.invite(vec![login()]);
    let again = only("INVITE", &stage.challenged(&invite));
    stage.raw.agent.hang_up(stage.raw.now, call).unwrap();
    assert!(stage.raw.drain().is_empty(), "it waits for a provisional response (§9.1)");
    let cancel = only("CANCEL", &stage.raw.send(&respond(&again, "180 Ringing", "b1", "")));
    assert_eq!((field(&cancel, "Via"), cseq(&cancel)), (field(&again, "Via"), cseq(&again)));
    stage.raw.send(&respond(&again, "487 Request Terminated", "b1", ""));
    assert_eq!(stage.ends(), [End::Cancelled]);
}

#[test]
fn a_limit_on_ringing_counts_from_the_first_invite() {
    let mut stage = Stage::new();
    let invite = Invite {
        headers: vec![(offhook_sip_message::HeaderName::EXPIRES, "10".into())],
        logins: vec![login()],
        ..support::raw::plain_invite()
    };
    stage.raw.agent.invite(stage.raw.now, invite).unwrap();
    let invite = stage.raw.drain().remove(0);
    stage.raw.wait(400);
    let again = only("INVITE", &stage.challenged(&invite));
    stage.raw.send(&respond(&again, "180 Ringing", "b1", ""));
    assert!(stage.raw.wait(9_599).is_empty());
    only("CANCEL", &stage.raw.wait(1));
}

#[test]
fn requests_within_the_call_carry_credentials_unasked() {
    let mut stage = Stage::new();
    let (call, invite, _) = stage.standing();
    let body = Some(support::body("v=0 again"));
    stage.raw.agent.reinvite(stage.raw.now, call, body).unwrap();
    let reinvite = stage.raw.drain().remove(0);
    assert!(stage.authenticates(&reinvite) && cseq(&reinvite) == cseq(&invite) + 1);
    let ack = only("ACK", &stage.raw.send(&respond(&reinvite, "200 OK", "b1", CONTACT)));
    assert_eq!(field(&ack, "Authorization"), field(&reinvite, "Authorization"));
    stage.raw.agent.hang_up(stage.raw.now, call).unwrap();
    let bye = stage.raw.drain().remove(0);
    assert!(stage.authenticates(&bye) && cseq(&bye) == cseq(&reinvite) + 1);
    stage.raw.send(&respond(&bye, "200 OK", "b1", ""));
    assert_eq!(stage.ends(), [End::HungUp]);
}

#[test]
fn a_reinvite_and_a_bye_with_a_stale_nonce_are_sent_again() {
    let mut stage = Stage::new();
    let (call, ..) = stage.standing();
    stage.raw.now += Duration::from_secs(301);
    let body = Some(support::body("v=0 again"));
    stage.raw.agent.reinvite(stage.raw.now, call, body).unwrap();
    let reinvite = stage.raw.drain().remove(0);
    let again = only("INVITE", &stage.challenged(&reinvite));
    next_in_line(&reinvite, &again);
    assert!(again.ends_with("v=0 again") && stage.authenticates(&again));
    stage.raw.send(&respond(&again, "200 OK", "b1", CONTACT));
    let answered = |event: &Event| matches!(event, Event::ReinviteAnswered { .. });
    assert!(stage.raw.events.iter().any(answered));

    stage.raw.now += Duration::from_secs(301);
    stage.raw.agent.hang_up(stage.raw.now, call).unwrap();
    let bye = stage.raw.drain().remove(0);
    assert_eq!(cseq(&bye), cseq(&again) + 1);
    let bye_again = only("BYE", &stage.challenged(&bye));
    next_in_line(&bye, &bye_again);
    assert_eq!(tag_of(&bye_again), "b1");
    assert!(stage.authenticates(&bye_again) && stage.ends().is_empty());
    stage.raw.send(&respond(&bye_again, "200 OK", "b1", ""));
    assert_eq!(stage.ends(), [End::HungUp]);
    stage.raw.wait(64_000);
    assert_eq!((stage.raw.agent.live_calls(), stage.raw.agent.live_transactions()), (0, 0));
}

#[test]
fn a_refused_reinvite_leaves_the_call_and_a_refused_bye_ends_it() {
    let mut stage = Stage::new();
    let (call, ..) = stage.standing();
    stage.raw.agent.reinvite(stage.raw.now, call, None).unwrap();
    let reinvite = stage.raw.drain().remove(0);
    let refusal = |request: &str| {
        let challenge = "WWW-Authenticate: Digest realm=\"biloxi.example\", nonce=\"n\", \
                         qop=\"auth\", algorithm=SHA-256\n";
        respond(request, "401 Unauthorized", "b1", challenge)
    };
    assert_eq!(stage.raw.send(&refusal(&reinvite)).len(), 1, "the ACK");
    let rejected = |event: &Event| matches!(event, Event::ReinviteRejected { status, .. } if status.as_u16() == 401);
    assert!(stage.raw.events.iter().any(rejected) && stage.ends().is_empty());
    stage.raw.agent.hang_up(stage.raw.now, call).unwrap();
    let bye = stage.raw.drain().remove(0);
    let again = only("BYE", &stage.raw.send(&refusal(&bye)));
    assert!(stage.raw.send(&refusal(&again)).is_empty());
    assert_eq!(stage.ends(), [End::HungUp]);
}

#[test]
fn a_reinvite_that_crosses_our_bye_is_not_sent_again() {
    let mut stage = Stage::new();
    let (call, ..) = stage.standing();
    stage.raw.now += Duration::from_secs(301);
    stage.raw.agent.reinvite(stage.raw.now, call, None).unwrap();
    let reinvite = stage.raw.drain().remove(0);
    stage.raw.agent.hang_up(stage.raw.now, call).unwrap();
    stage.raw.drain();
    assert_eq!(stage.challenged(&reinvite).len(), 1, "the ACK");
}

#[test]
fn the_bye_of_an_unwanted_fork_is_sent_again_when_challenged() {
    let mut stage = Stage::new();
    let (_, invite, _) = stage.standing();
    let sent = stage.raw.send(&respond(&invite, "200 OK", "b2", CONTACT));
    let (ack, bye) = (only("ACK", &sent), only("BYE", &sent));
    assert_eq!(field(&ack, "Authorization"), field(&invite, "Authorization"));
    assert!(stage.authenticates(&bye));
    let mut other = Challenger::new(stage.raw.now, &mut Random::from_seed(5), Role::Server, REALM);
    let verdict = other.check(stage.raw.now, &parse(&bye), |claim| user(claim.username()));
    let Verdict::Challenged(challenged) = verdict else { panic!("{verdict:?}") };
    let again = only("BYE", &stage.raw.send_bytes(&reply(&challenged, &bye)));
    assert_eq!((tag_of(&again), cseq(&again)), ("b2".to_owned(), cseq(&bye) + 1));
    stage.raw.send(&respond(&again, "200 OK", "b2", ""));
    assert!(stage.ends().is_empty(), "the call goes on with the first fork");
}

#[test]
fn a_server_that_never_stops_to_challenge_ends_the_call() {
    let mut stage = Stage::new();
    let (_, mut invite) = stage.invite(vec![login()]);
    for tries in 0.. {
        let challenge = format!(
            "WWW-Authenticate: Digest realm=\"{REALM}\", nonce=\"{tries}\", qop=\"auth\", \
             algorithm=SHA-256, stale=true\n"
        );
        let sent = stage.raw.send(&respond(&invite, "401 Unauthorized", "b1", &challenge));
        if sent.len() == 1 {
            assert_eq!(tries, 8);
            break;
        }
        invite = only("INVITE", &sent);
    }
    assert!(matches!(&stage.ends()[..], [end] if is_401(end)));
}
