//! Everything that may happen to a call with a session timer, in every order.

use std::time::{Duration, Instant};

use bytes::BytesMut;
use offhook_sansio::{Datagram, Flow, Machine, Protocol, Random};
use offhook_sip::{CallId, Config, Event, Invite, Refreshes, SessionTimer, UserAgent};
use offhook_testkit::Auditor;

use crate::support::{
    body,
    raw::{field, ours, plain_invite, request, respond, tag_of, theirs},
};

/// What happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum What {
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
    /// The peer sends a re-INVITE, which is answered and acknowledged.
    Reinvited,
    Reinvite,
    Bye,
    HangUp,
}

const ALL: [What; 10] = [
    What::Half,
    What::Accepted,
    What::Glare,
    What::TooSmall,
    What::Lost,
    What::Refreshed,
    What::Reinvited,
    What::Reinvite,
    What::Bye,
    What::HangUp,
];

/// A side of a call, under the eyes of the auditor.
struct Stage {
    now: Instant,
    agent: UserAgent,
    auditor: Auditor,
    /// The requests that wait for their final response.
    asked: Vec<String>,
    call: CallId,
    tag: String,
    /// The Call-ID and From of the peer's requests.
    names: [String; 3],
    cseq: u32,
    ends: usize,
    allow: &'static str,
}

impl Stage {
    /// A call that stands, whose session lasts 120 seconds; this side or the peer refreshes.
    fn called(refreshes: Refreshes, allow: &'static str) -> Self {
        let timer = SessionTimer { refreshes, ..SessionTimer::requested(Duration::from_secs(120)) };
        let config = Config { session_timer: timer, ..Config::default() };
        let mut agent = UserAgent::new(config, Random::from_seed(5));
        agent.listen(Protocol::Udp, ours(), ours());
        let now = Instant::now();
        let invite = Invite { body: Some(body("v=0 offer")), ..plain_invite() };
        let call = agent.invite(now, invite).unwrap();
        let (auditor, names) = (Auditor::new(now), Default::default());
        let (asked, tag) = (Vec::new(), String::new());
        let mut stage =
            Self { now, agent, auditor, asked, call, tag, names, cseq: 0, ends: 0, allow };
        stage.drain();
        let invite = stage.asked[0].clone();
        stage.tag = field(&invite, "From").split(";tag=").nth(1).unwrap().to_owned();
        stage.names = ["Call-ID", "From", "To"].map(|name| field(&invite, name).to_owned());
        stage.answer("200 OK");
        stage
    }

    fn deliver(&mut self, text: &str) {
        let bytes = text.replace("\r\n", "\n").replace('\n', "\r\n");
        let flow = Flow::udp(ours(), theirs());
        self.auditor.delivered(0, self.now, flow, bytes.as_bytes());
        let payload = BytesMut::from(bytes.as_bytes());
        self.agent.receive(self.now, Datagram { flow, payload });
        self.drain();
    }

    fn drain(&mut self) -> Vec<String> {
        while let Some(event) = self.agent.poll_event() {
            self.ends += usize::from(matches!(event, Event::Ended { .. }));
        }
        let mut sent = Vec::new();
        while let Some(transmit) = self.agent.poll_transmit() {
            self.auditor.sent(0, self.now, transmit.flow, &transmit.payload);
            sent.push(String::from_utf8(transmit.payload.to_vec()).unwrap());
        }
        let requests = sent.iter().filter(|it| !it.starts_with("SIP/") && !it.starts_with("ACK"));
        for request in requests {
            if !self.asked.contains(request) {
                self.asked.push(request.clone());
            }
        }
        sent
    }

    fn wait(&mut self, seconds: u64) {
        let end = self.now + Duration::from_secs(seconds);
        while let Some(next) = self.agent.poll_timeout().filter(|next| *next <= end) {
            self.now = next.max(self.now);
            self.agent.handle_timeout(self.now);
            self.drain();
        }
        self.now = end;
    }

    /// Answers the last request of ours.
    fn answer(&mut self, status: &str) {
        let Some(asked) = self.asked.pop() else { return };
        let contact = "Contact: <sip:bob@198.51.100.7:5070>\n";
        let mut more = format!("{contact}Allow: {}\n", self.allow);
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
            answer = answer.trim_end().to_owned()
                + "\nContent-Type: application/sdp\nContent-Length: 10\n\nv=0 answer";
        }
        self.deliver(&answer);
    }

    /// A request of the peer.
    fn peer(&mut self, method: &str, cseq: u32, more: &str) -> String {
        let branch = format!("z9hG4bK{method}{cseq}");
        let [call_id, from, to] = &self.names;
        let us = from.split(";tag=").next().unwrap();
        request(method, &branch, cseq, &self.tag, more)
            .replace("call-1@198.51.100.7", call_id)
            .replace("<sip:bob@example.org>;", &format!("{to};"))
            .replace("<sip:alice@example.com>;", &format!("{us};"))
    }

    fn happens(&mut self, what: What) {
        self.cseq += 1;
        let (now, call, cseq) = (self.now, self.call, self.cseq);
        let asks = "Supported: timer\nSession-Expires: 120;refresher=uac\n";
        match what {
            What::Half => self.wait(61),
            What::Accepted => self.answer("200 OK"),
            What::Glare => self.answer("491 Request Pending"),
            What::TooSmall => self.answer("422 Session Interval Too Small"),
            What::Lost => self.answer("481 Call/Transaction Does Not Exist"),
            What::Refreshed => {
                let update = self.peer("UPDATE", cseq, asks);
                self.deliver(&update);
            }
            What::Reinvited => self.reinvited(cseq),
            What::Reinvite => {
                let _ = self.agent.reinvite(now, call, Some(body("v=0 again")));
            }
            What::Bye => {
                let bye = self.peer("BYE", cseq, "");
                self.deliver(&bye);
            }
            What::HangUp => drop(self.agent.hang_up(now, call)),
        }
        self.drain();
    }

    fn reinvited(&mut self, cseq: u32) {
        let more = "Content-Type: application/sdp\nContent-Length: 5\n\nv=0 b";
        let invite = self.peer("INVITE", cseq, more);
        self.deliver(invite.trim_end_matches('\n'));
        let answered = self.agent.answer(self.now, self.call, Some(body("v=0 answer"))).is_ok();
        let said = self.drain();
        if answered {
            assert_eq!(tag_of(&said[0]), self.tag);
            let ack = self.peer("ACK", cseq, "");
            self.deliver(&ack);
        } else {
            // The failure is acknowledged in its transaction.
            let ack = self.peer("ACK", cseq, "").replace("z9hG4bKACK", "z9hG4bKINVITE");
            self.deliver(&ack);
        }
    }

    /// Hangs up, answers all that is asked, and looks at what is left.
    fn finish(mut self, order: &[What]) {
        let _ = self.agent.hang_up(self.now, self.call);
        self.drain();
        while !self.asked.is_empty() {
            self.answer("200 OK");
        }
        self.wait(200);
        assert_eq!(self.ends, 1, "{order:?}");
        assert_eq!(self.agent.live_calls(), 0, "{order:?}");
        assert_eq!(self.agent.live_transactions(), 0, "{order:?}");
        assert_eq!(self.agent.poll_timeout(), None, "{order:?}");
        assert_eq!(self.auditor.finish(self.now), [], "{order:?}");
    }
}

/// All sequences of `length` out of `of`, without repetition.
fn orders(of: &[What], length: usize) -> Vec<Vec<What>> {
    if length == 0 {
        return vec![Vec::new()];
    }
    let longer = |order: &Vec<What>| {
        let next = of.iter().filter(|next| !order.contains(next)).copied();
        next.map(|next| [&order[..], &[next]].concat()).collect::<Vec<_>>()
    };
    orders(of, length - 1).iter().flat_map(longer).collect()
}

fn every_order(refreshes: Refreshes, allow: &'static str) {
    for length in 0..=5 {
        for order in orders(&ALL, length) {
            let mut stage = Stage::called(refreshes, allow);
            for what in &order {
                stage.happens(*what);
            }
            stage.finish(&order);
        }
    }
}

#[test]
fn a_refresher_by_update_comes_to_an_end_in_every_order_of_events() {
    every_order(Refreshes::We, "INVITE, ACK, BYE, CANCEL, UPDATE");
}

#[test]
fn a_refresher_by_reinvite_comes_to_an_end_in_every_order_of_events() {
    every_order(Refreshes::We, "INVITE, ACK, BYE, CANCEL");
}

#[test]
fn who_waits_for_refreshes_comes_to_an_end_in_every_order_of_events() {
    every_order(Refreshes::Either, "INVITE, ACK, BYE, CANCEL, UPDATE");
}

#[test]
fn a_call_whose_refreshes_are_never_answered_ends_by_itself() {
    for (refreshes, allow) in
        [(Refreshes::We, "UPDATE"), (Refreshes::We, ""), (Refreshes::Either, "")]
    {
        let mut stage = Stage::called(refreshes, allow);
        stage.wait(600);
        assert_eq!((stage.ends, stage.agent.live_calls()), (1, 0));
        stage.finish(&[]);
    }
}
