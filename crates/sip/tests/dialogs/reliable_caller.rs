//! Reliable provisional responses at the caller (RFC 3262 §4, §5).

use bytes::Bytes;
use offhook_sip::{Body, Description, Dropped, Event, Invite, Login, ReliableProvisionals};

use crate::{
    dialogue::{
        contact, from_callee, has, method, nothing_is_left, progress, reliably, status, using,
        with_body,
    },
    support::raw::{Raw, field, fields, first_line, plain_invite, respond},
};

fn answer() -> Option<Body> {
    Some(Body { content_type: "application/sdp".into(), content: Bytes::from_static(b"v=answer") })
}

#[test]
fn the_setting_says_what_the_invite_offers() {
    let told = |setting, allow_has_prack: bool| {
        let mut config = using(setting);
        if !allow_has_prack {
            config.allow.retain(|method| method.as_str() != "PRACK");
        }
        let (_, invite) = Raw::with(config).invite(Some("v=0"));
        let allow = fields(&invite, "Allow").join(", ").contains("PRACK");
        let supported = fields(&invite, "Supported").join(", ").contains("100rel");
        (allow, supported, fields(&invite, "Require").contains(&"100rel"))
    };
    assert_eq!(told(ReliableProvisionals::Off, true), (false, false, false));
    assert_eq!(told(ReliableProvisionals::Supported, true), (true, true, false));
    assert_eq!(told(ReliableProvisionals::Preferred, true), (true, true, false));
    assert_eq!(told(ReliableProvisionals::Required, true), (true, true, true));
    assert_eq!(told(ReliableProvisionals::Required, false), (false, false, false));
}

#[test]
fn a_reliable_response_is_acknowledged_by_prack_with_its_numbers() {
    let mut raw = Raw::new();
    let (_, invite) = raw.invite(Some("v=0"));
    let sent = raw.send(&reliably(&invite, "180 Ringing", "a", 988_789));
    assert_eq!(first_line(&sent[0]), "PRACK sip:a@198.51.100.7:5070 SIP/2.0");
    assert_eq!(field(&sent[0], "RAck"), "988789 1 INVITE");
    assert!(fields(&sent[0], "Contact").is_empty() && fields(&sent[0], "Require").is_empty());
    assert_eq!(progress(&raw).len(), 1);
}

#[test]
fn an_answer_in_a_reliable_response_is_the_answer_and_later_ones_are_ignored() {
    let mut raw = Raw::new();
    let (_, invite) = raw.invite(Some("v=0"));
    for rseq in [1, 2] {
        raw.send(&with_body(&reliably(&invite, "183 Session Progress", "a", rseq)));
    }
    let told: Vec<_> = progress(&raw).into_iter().map(|(_, description)| description).collect();
    assert_eq!(told, [Description::Answer, Description::Nothing]);
    raw.send(&with_body(&respond(&invite, "200 OK", "a", &contact("a"))));
    let nothing =
        |event: &Event| matches!(event, Event::Answered { description: Description::Nothing, .. });
    assert!(has(&raw, nothing));
}

#[test]
fn a_repeated_response_is_absorbed() {
    let mut raw = Raw::new();
    let (_, invite) = raw.invite(Some("v=0"));
    let ringing = reliably(&invite, "180 Ringing", "a", 7);
    raw.send(&ringing);
    assert!(raw.send(&ringing).is_empty());
    assert_eq!(progress(&raw).len(), 1);
    assert_eq!(raw.agent.statistics().dropped(Dropped::Retransmission), 1);
}

#[test]
fn after_a_gap_nothing_is_acknowledged_nor_passed_on_before_it_is_filled() {
    let mut raw = Raw::new();
    let (_, invite) = raw.invite(Some("v=0"));
    raw.send(&reliably(&invite, "180 Ringing", "a", 7));
    assert!(raw.send(&reliably(&invite, "182 Queued", "a", 9)).is_empty());
    assert_eq!((progress(&raw).len(), raw.agent.statistics().dropped(Dropped::OutOfOrder)), (1, 1));
    assert_eq!(raw.send(&reliably(&invite, "181 Forwarded", "a", 8)).len(), 1);
    assert_eq!(raw.send(&reliably(&invite, "182 Queued", "a", 9)).len(), 1);
    assert_eq!(progress(&raw).len(), 3);
}

#[test]
fn a_trying_is_never_acknowledged() {
    let mut raw = Raw::new();
    let (_, invite) = raw.invite(Some("v=0"));
    assert!(raw.send(&reliably(&invite, "100 Trying", "a", 7)).is_empty());
}

#[test]
fn with_the_extension_off_no_prack_is_sent() {
    let mut raw = Raw::with(using(ReliableProvisionals::Off));
    let (_, invite) = raw.invite(Some("v=0"));
    assert!(raw.send(&reliably(&invite, "180 Ringing", "a", 7)).is_empty());
    assert_eq!(progress(&raw).len(), 1);
}

#[test]
fn an_offer_in_a_reliable_response_is_answered_in_the_prack() {
    let mut raw = Raw::new();
    let (call, invite) = raw.invite(None);
    let offer = with_body(&reliably(&invite, "183 Session Progress", "a", 7));
    assert!(raw.send(&offer).is_empty(), "it waits for the user");
    assert!(raw.send(&offer).is_empty());
    let (fork, description) = progress(&raw)[0];
    assert_eq!((progress(&raw).len(), description), (1, Description::Offer));
    raw.agent.prack(raw.now, call, Some(fork), answer()).unwrap();
    let prack = raw.drain().remove(0);
    assert!(method(&prack) == "PRACK" && prack.ends_with("\r\n\r\nv=answer"), "{prack}");
    assert!(raw.agent.prack(raw.now, call, Some(fork), answer()).is_err(), "once");
    let ok = raw.send(&respond(&invite, "200 OK", "a", &contact("a")));
    assert_eq!((ok.len(), method(&ok[0])), (1, "ACK"), "at once: the session is agreed");
    assert!(raw.agent.acknowledge(raw.now, call, None).is_err());
}

#[test]
fn forks_that_offer_are_answered_one_by_one() {
    let mut raw = Raw::new();
    let (call, invite) = raw.invite(None);
    for tag in ["a", "b"] {
        raw.send(&with_body(&reliably(&invite, "183 Session Progress", tag, 7)));
    }
    let forks = progress(&raw);
    assert!(raw.agent.prack(raw.now, call, None, answer()).is_err(), "which?");
    for (fork, _) in forks {
        raw.agent.prack(raw.now, call, Some(fork), answer()).unwrap();
        assert_eq!(method(&raw.drain()[0]), "PRACK");
    }
}

#[test]
fn a_challenged_prack_or_update_is_sent_again_with_credentials() {
    let mut raw = Raw::new();
    let logins = vec![Login::new("realm", "alice", "secret")];
    let invite = Invite { body: answer(), logins, ..plain_invite() };
    let call = raw.agent.invite(raw.now, invite).unwrap();
    let invite = raw.drain().remove(0);
    let prack = raw.send(&reliably(&invite, "180 Ringing", "a", 7)).remove(0);
    let challenge = "WWW-Authenticate: Digest realm=\"realm\",nonce=\"n\",qop=\"auth\"\n";
    let again = raw.send(&respond(&prack, "401 Unauthorized", "a", challenge)).remove(0);
    assert_eq!(field(&again, "CSeq"), "3 PRACK");
    assert_eq!(field(&again, "RAck"), field(&prack, "RAck"));
    assert!(field(&again, "Authorization").starts_with("Digest "));
    assert!(field(&again, "Via") != field(&prack, "Via"));
    let next = raw.send(&with_body(&reliably(&invite, "183 Session Progress", "a", 8))).remove(0);
    assert_eq!(field(&next, "CSeq"), "4 PRACK");
    raw.agent.update(raw.now, call, None, answer()).unwrap();
    let update = raw.drain().remove(0);
    let stale = challenge.replace("\"n\"", "\"m\",stale=true");
    let again = raw.send(&respond(&update, "401 Unauthorized", "a", &stale)).remove(0);
    assert_eq!((method(&again), field(&again, "CSeq")), ("UPDATE", "6 UPDATE"));
    raw.send(&respond(&again, "200 OK", "a", &contact("a")));
    assert!(has(&raw, |event| matches!(event, Event::UpdateAnswered { .. })));
    raw.agent.hang_up(raw.now, call).unwrap();
    nothing_is_left(&mut raw);
}

#[test]
fn a_prack_that_is_refused_or_lost_leaves_the_call_to_its_final_response() {
    let mut raw = Raw::new();
    let (call, invite) = raw.invite(Some("v=0"));
    let prack = raw.send(&reliably(&invite, "180 Ringing", "a", 7)).remove(0);
    raw.send(&respond(&prack, "481 Call/Transaction Does Not Exist", "a", ""));
    raw.send(&reliably(&invite, "180 Ringing", "a", 8));
    raw.wait(33_000);
    assert_eq!(raw.agent.live_calls(), 1);
    raw.send(&respond(&invite, "200 OK", "a", &contact("a")));
    raw.agent.hang_up(raw.now, call).unwrap();
    nothing_is_left(&mut raw);
}

#[test]
fn a_reliable_response_to_a_reinvite_is_acknowledged_too() {
    let mut raw = Raw::new();
    let (call, invite) = raw.invite(Some("v=0"));
    raw.send(&with_body(&reliably(&invite, "183 Session Progress", "a", 40)));
    raw.send(&respond(&invite, "200 OK", "a", &contact("a")));
    raw.agent.reinvite(raw.now, call, answer()).unwrap();
    let reinvite = raw.drain().remove(0);
    let early = with_body(&reliably(&reinvite, "183 Session Progress", "a", 5));
    let prack = raw.send(&early).remove(0);
    assert_eq!(field(&prack, "RAck"), "5 3 INVITE", "a numbering of its own");
    assert!(raw.send(&early).is_empty());
    let answered = |event: &Event| {
        matches!(event, Event::ReinviteProgress { description: Description::Answer, .. })
    };
    assert!(has(&raw, answered));
    let ack = raw.send(&respond(&reinvite, "200 OK", "a", &contact("a"))).remove(0);
    assert_eq!(field(&ack, "CSeq"), "3 ACK");
    assert_eq!(status(&raw.send(&from_callee(&invite, "BYE", "a", 1, ""))), 200);
    nothing_is_left(&mut raw);
}

#[test]
fn a_peer_that_counts_without_end_is_not_given_more_room_than_others() {
    let mut config = using(ReliableProvisionals::Supported);
    config.max_transactions = 10;
    let mut raw = Raw::with(config);
    let (_, invite) = raw.invite(Some("v=0"));
    for rseq in 1..100 {
        raw.send(&reliably(&invite, "180 Ringing", "a", rseq));
    }
    assert_eq!(raw.agent.live_transactions(), 10);
    assert_eq!(raw.agent.statistics().dropped(Dropped::NoRoom), 1);
    assert_eq!(raw.agent.statistics().dropped(Dropped::OutOfOrder), 89);
}
