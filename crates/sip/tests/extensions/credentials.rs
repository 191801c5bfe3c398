//! Challenges to requests within calls (RFC 3261 §22.2, §22.3, RFC 7616).

use offhook_sip::{CallId, End, Event, Info, Invite, Login, SessionTimer};

use crate::support::{
    body,
    raw::{Raw, field, fields, first_line, plain_invite, request, respond, tag_of},
};

const CONTACT: &str = "Contact: <sip:bob@198.51.100.7:5070>\nAllow: INVITE, ACK, BYE, UPDATE\n";
const ROLES: [(&str, &str, &str); 2] = [
    ("401 Unauthorized", "WWW-Authenticate", "Authorization"),
    ("407 Proxy Authentication Required", "Proxy-Authenticate", "Proxy-Authorization"),
];

/// What is asked within a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ask {
    Reinvite,
    Update,
    Info,
    Bye,
}

const ALL: [Ask; 4] = [Ask::Reinvite, Ask::Update, Ask::Info, Ask::Bye];

impl Ask {
    fn send(self, raw: &mut Raw, call: CallId) -> String {
        let (now, agent) = (raw.now, &mut raw.agent);
        match self {
            Self::Reinvite => agent.reinvite(now, call, Some(body("v=0"))).unwrap(),
            Self::Update => agent.update(now, call, None, Some(body("v=0"))).unwrap(),
            Self::Info => drop(agent.info(now, call, Info::default()).unwrap()),
            Self::Bye => agent.hang_up(now, call).unwrap(),
        }
        raw.drain().remove(0)
    }
}

fn logins() -> Vec<Login> {
    vec![Login::new("realm", "alice", "secret")]
}

fn challenge(header: &str, nonce: &str) -> String {
    format!("{header}: Digest realm=\"realm\",nonce=\"{nonce}\",qop=\"auth\"\n")
}

/// A call of ours that the peer has answered.
fn placed(raw: &mut Raw, logins: Vec<Login>) -> CallId {
    let (call, invite) = raw.invite_by(Invite { logins, ..plain_invite() });
    raw.send(&respond(&invite, "200 OK", "bob", CONTACT));
    raw.events.clear();
    call
}

/// A call of the peer that we have answered.
fn taken(raw: &mut Raw, logins: Vec<Login>) -> CallId {
    raw.send(&request("INVITE", "z9hG4bKi", 1, "", ""));
    let call = raw.incoming();
    raw.agent.log_in(call, logins).unwrap();
    raw.agent.answer(raw.now, call, None).unwrap();
    let tag = tag_of(&raw.drain()[0]);
    raw.send(&request("ACK", "z9hG4bKa", 1, &tag, ""));
    raw.events.clear();
    call
}

/// The number in front of the method.
fn number(message: &str) -> u32 {
    field(message, "CSeq").split(' ').next().unwrap().parse().unwrap()
}

/// The request that answers the challenge, after an ACK if that was to an INVITE.
fn again(raw: &mut Raw, asked: &str, status: &str, fields: &str) -> String {
    let sent = raw.send(&respond(asked, status, "bob", fields));
    sent.into_iter().find(|sent| !sent.starts_with("ACK")).unwrap()
}

#[test]
fn every_request_of_a_call_answers_a_challenge_and_the_next_one_need_not_be_challenged() {
    for begin in [placed, taken] {
        for ask in ALL {
            for (status, header, credentials) in ROLES {
                let mut raw = Raw::new();
                let call = begin(&mut raw, logins());
                let asked = ask.send(&mut raw, call);
                assert!(fields(&asked, credentials).is_empty());
                let again = again(&mut raw, &asked, status, &challenge(header, "n1"));
                assert_eq!(number(&again), number(&asked) + 1, "{ask:?}");
                assert_eq!(field(&again, "Call-ID"), field(&asked, "Call-ID"));
                assert_ne!(field(&again, "Via"), field(&asked, "Via"));
                let given = field(&again, credentials);
                assert!(given.contains("nc=00000001") && given.contains("nonce=\"n1\""), "{given}");
                assert!(raw.events.is_empty(), "{ask:?} {:?}", raw.events);
                raw.send(&respond(&again, "200 OK", "bob", CONTACT));
                if ask == Ask::Bye {
                    assert!(matches!(&raw.events[..], [Event::Ended { end: End::HungUp, .. }]));
                    continue;
                }
                for (count, next) in (2..).zip(ALL) {
                    let next = next.send(&mut raw, call);
                    let given = field(&next, credentials);
                    assert!(given.contains(&format!("nc={count:08x}")), "{given}");
                    raw.send(&respond(&next, "200 OK", "bob", CONTACT));
                }
            }
        }
    }
}

#[test]
fn a_challenge_without_login_or_to_a_refused_one_is_a_refusal() {
    for ask in ALL {
        for logins in [Vec::new(), vec![Login::new("other", "alice", "secret")], logins()] {
            let mut raw = Raw::new();
            let tries = logins.iter().filter(|login| login.realm() == Some("realm")).count();
            let call = placed(&mut raw, logins);
            let mut asked = ask.send(&mut raw, call);
            for _ in 0..tries {
                let fields = challenge("WWW-Authenticate", "n1");
                asked = again(&mut raw, &asked, "401 Unauthorized", &fields);
            }
            let fields = challenge("WWW-Authenticate", "n2");
            let sent = raw.send(&respond(&asked, "401 Unauthorized", "bob", &fields));
            assert!(sent.iter().all(|sent| sent.starts_with("ACK")), "{ask:?} {sent:#?}");
            let told = match &raw.events[..] {
                [Event::ReinviteRejected { status, .. }] if ask == Ask::Reinvite => *status,
                [Event::UpdateRejected { status, .. }] if ask == Ask::Update => *status,
                [Event::InfoAnswered { response, .. }] if ask == Ask::Info => response.status(),
                [Event::Ended { end: End::HungUp, .. }] if ask == Ask::Bye => continue,
                other => panic!("{ask:?} {other:?}"),
            };
            assert_eq!(told.as_u16(), 401);
        }
    }
}

#[test]
fn a_stale_nonce_is_replaced_by_the_new_one() {
    let mut raw = Raw::new();
    let call = placed(&mut raw, logins());
    let asked = Ask::Info.send(&mut raw, call);
    let fields = challenge("WWW-Authenticate", "n1");
    let first = again(&mut raw, &asked, "401 Unauthorized", &fields);
    let stale = challenge("WWW-Authenticate", "n2").replace("qop", "stale=true,qop");
    let second = again(&mut raw, &first, "401 Unauthorized", &stale);
    let given = field(&second, "Authorization");
    assert!(given.contains("nonce=\"n2\"") && given.contains("nc=00000001"), "{given}");
    let next = "Authentication-Info: nextnonce=\"n3\"\n";
    raw.send(&respond(&second, "200 OK", "", next));
    let next = Ask::Update.send(&mut raw, call);
    assert!(field(&next, "Authorization").contains("nonce=\"n3\""));
}

#[test]
fn a_challenged_prack_is_sent_again() {
    for (status, header, credentials) in ROLES {
        let mut raw = Raw::new();
        let (_, invite) = raw.invite_by(Invite { logins: logins(), ..plain_invite() });
        let reliable = format!("{CONTACT}Require: 100rel\nRSeq: 1\n");
        let prack = raw.send(&respond(&invite, "180 Ringing", "bob", &reliable)).remove(0);
        let again = again(&mut raw, &prack, status, &challenge(header, "n1"));
        assert_eq!(first_line(&again), first_line(&prack));
        assert_eq!((number(&again), field(&again, "RAck")), (3, "1 1 INVITE"));
        assert!(field(&again, credentials).contains("nc=00000001"));
        let accepted = raw.send(&respond(&invite, "200 OK", "bob", CONTACT));
        assert!(accepted[0].starts_with("ACK") && fields(&accepted[0], credentials).is_empty());
    }
}

#[test]
fn a_refresh_answers_challenges_too_and_stays_a_refresh() {
    let timer = SessionTimer::requested(std::time::Duration::from_secs(120));
    for allow in ["UPDATE", "BYE"] {
        let mut raw = Raw::new();
        let invite = Invite { session_timer: Some(timer), logins: logins(), ..plain_invite() };
        let (_, invite) = raw.invite_by(Invite { body: Some(body("v=0")), ..invite });
        let fields = CONTACT.replace("UPDATE", allow);
        raw.send(&respond(&invite, "200 OK", "bob", &fields));
        raw.events.clear();
        let refresh = raw.wait(60_100).remove(0);
        let challenge = challenge("Proxy-Authenticate", "n1");
        let again = again(&mut raw, &refresh, "407 Proxy Authentication Required", &challenge);
        assert_eq!(field(&again, "Session-Expires"), "120;refresher=uac");
        raw.send(&respond(&again, "200 OK", "bob", &fields));
        assert!(matches!(&raw.events[..], [Event::Refreshed { .. }]), "{:?}", raw.events);
        let bye = raw.wait(60_100).remove(0);
        assert!(field(&bye, "Proxy-Authorization").contains("nc=00000002"));
    }
}

#[test]
fn a_422_after_a_challenge_keeps_the_credentials_and_counts_them() {
    let timer = SessionTimer::requested(std::time::Duration::from_secs(120));
    let mut raw = Raw::new();
    let invite = Invite { session_timer: Some(timer), logins: logins(), ..plain_invite() };
    let (_, invite) = raw.invite_by(invite);
    let challenge = challenge("Proxy-Authenticate", "n1");
    let second = again(&mut raw, &invite, "407 Proxy Authentication Required", &challenge);
    let third = again(&mut raw, &second, "422 Session Interval Too Small", "Min-SE: 300\n");
    assert_eq!(field(&third, "Session-Expires"), "300");
    assert!(field(&third, "Proxy-Authorization").contains("nc=00000002"));
    assert_eq!(number(&third), 3);
}
