//! A call with a session timer (RFC 4028).

use std::time::Duration;

use offhook_sip::{CallId, Config, Invite, Refreshes, SessionTimer};

use crate::{
    every::{Stage, all, many},
    peer::{CONTACT, Peer},
    side::{Side, Subject, udp},
    support::{
        body,
        raw::{field, plain_invite, respond},
    },
};

#[derive(Clone, Copy, Debug, PartialEq)]
enum Happens {
    /// Time passes until a refresh is due.
    Half,
    /// The last request of ours is answered with 200.
    Accepted,
    /// It is answered with 491.
    Glare,
    /// It is answered with 422.
    TooSmall,
    /// It is answered with 481.
    Lost,
    /// The peer refreshes.
    Refreshed,
    Again,
    Bye,
    HangUp,
    FlowFails,
}

use Happens::{Accepted, Again, Bye, FlowFails, Glare, Half, HangUp, Lost, Refreshed, TooSmall};

struct Session {
    side: Side,
    call: CallId,
    peer: Peer,
    allow: &'static str,
    /// How much of what was said has been looked at.
    seen: usize,
    /// The requests that wait for their final response.
    asked: Vec<String>,
}

impl Stage for Session {
    type Happens = Happens;
    const ALL: &'static [Happens] =
        &[Half, Accepted, Glare, TooSmall, Lost, Refreshed, Again, Bye, HangUp, FlowFails];
    const BEGINNINGS: usize = 3;

    /// This side refreshes by UPDATE, or by re-INVITE, or either side does.
    fn begin(beginning: usize) -> Self {
        let (refreshes, allow) = match beginning {
            0 => (Refreshes::We, "INVITE, ACK, BYE, CANCEL, UPDATE"),
            1 => (Refreshes::We, "INVITE, ACK, BYE, CANCEL"),
            _ => (Refreshes::Either, "INVITE, ACK, BYE, CANCEL, UPDATE"),
        };
        let timer = SessionTimer { refreshes, ..SessionTimer::requested(Duration::from_secs(120)) };
        let mut side = Side::new(Config { session_timer: timer, ..Config::default() });
        let invite = Invite { body: Some(body("v=0 offer")), ..plain_invite() };
        let call = side.agent.invite(side.now, invite).unwrap();
        side.drain();
        let invite = side.last("INVITE").unwrap().to_owned();
        let peer = Peer::asked_by(&invite, "bob");
        let mut session = Self { side, call, peer, allow, seen: 0, asked: Vec::new() };
        session.look();
        session.answer("200 OK");
        session
    }

    fn happens(&mut self, what: Happens) {
        match what {
            Half => self.side.wait(61),
            Accepted => self.answer("200 OK"),
            Glare => self.answer("491 Request Pending"),
            TooSmall => self.answer("422 Session Interval Too Small"),
            Lost => self.answer("481 Call/Transaction Does Not Exist"),
            Refreshed => {
                let asks = "Supported: timer\nSession-Expires: 120;refresher=uac\n";
                let update = self.peer.asks("UPDATE", asks);
                self.side.hear(&update);
            }
            Again => self.side.hear_again(),
            Bye => {
                let bye = self.peer.asks("BYE", "");
                self.side.hear(&bye);
            }
            HangUp => {
                let _ = self.side.agent.hang_up(self.side.now, self.call);
                self.side.drain();
            }
            FlowFails => self.side.fail(udp()),
        }
        self.look();
    }

    /// Hangs up, and answers all that is asked.
    fn finish(mut self) {
        self.happens(HangUp);
        while !self.asked.is_empty() {
            self.answer("200 OK");
        }
        self.side.wait(200);
        assert!(self.side.is_over(Subject::Call(self.call)));
        self.side.finish(0);
    }
}

impl Session {
    fn look(&mut self) {
        for (_, said) in &self.side.said[self.seen..] {
            let text = std::str::from_utf8(said).unwrap();
            let is_request = !text.starts_with("SIP/") && !text.starts_with("ACK");
            if is_request && !self.asked.iter().any(|it| it == text) {
                self.asked.push(text.to_owned());
            }
        }
        self.seen = self.side.said.len();
    }

    /// Answers the last request of ours.
    fn answer(&mut self, status: &str) {
        let Some(asked) = self.asked.pop() else { return };
        let mut more = format!("{CONTACT}Allow: {}\n", self.allow);
        if status.starts_with("422") {
            more = "Min-SE: 150\n".to_owned();
        }
        if status.starts_with("200") && asked.contains("Session-Expires: ") {
            let asked = field(&asked, "Session-Expires");
            let refresher = if asked.contains("refresher") { "" } else { ";refresher=uas" };
            more += &format!("Require: timer\nSession-Expires: {asked}{refresher}\n");
        }
        let mut answer = respond(&asked, status, "bob", &more);
        if status.starts_with("200") && asked.starts_with("INVITE") {
            answer = crate::caller::with_body(&answer);
        }
        self.side.hear(&answer);
        self.look();
    }
}

#[test]
fn a_call_with_a_session_timer_ends_well_whatever_happens() {
    many::<Session>();
}

#[test]
#[ignore = "takes minutes"]
fn a_call_with_a_session_timer_ends_well_whatever_six_things_happen() {
    all::<Session>();
}
