//! A call of another whose session is negotiated before the answer (RFC 3262, RFC 3311).

use offhook_sip::{CallId, Config, Event, ReliableProvisionals};
use offhook_sip_message::StatusCode;

use crate::{
    caller::with_body,
    every::{Stage, all, many},
    peer::Peer,
    side::{Side, Subject},
    support::{
        body,
        raw::{field, request, respond, tag_of},
    },
};

#[derive(Clone, Copy, Debug, PartialEq)]
enum Happens {
    /// This side describes the session in a reliable provisional response.
    Early,
    /// This side answers the INVITE.
    Answer,
    Pracked,
    /// The PRACK brings an offer.
    PrackOffers,
    /// This side makes an offer in an UPDATE.
    Update,
    /// It is answered with 200.
    Agreed,
    /// The peer makes one.
    Updated,
    /// This side answers what an UPDATE or a PRACK offers.
    AnswerOffer,
    /// The ACK to the last final response.
    Acknowledged,
    HangUp,
}

use Happens::{
    Acknowledged, Agreed, Answer, AnswerOffer, Early, HangUp, PrackOffers, Pracked, Update, Updated,
};

struct Callee {
    side: Side,
    call: CallId,
    peer: Peer,
    number: u32,
}

impl Stage for Callee {
    type Happens = Happens;
    const ALL: &'static [Happens] = &[
        Early,
        Answer,
        Pracked,
        PrackOffers,
        Update,
        Agreed,
        Updated,
        AnswerOffer,
        Acknowledged,
        HangUp,
    ];
    const BEGINNINGS: usize = 2;

    /// With an offer, or without; the phone rings reliably, where it may.
    fn begin(beginning: usize) -> Self {
        let reliable_provisionals = ReliableProvisionals::Preferred;
        let mut side = Side::new(Config { reliable_provisionals, ..Config::default() });
        let invite = request("INVITE", "z9hG4bKINVITE1", 1, "", "Supported: 100rel\n");
        side.hear(&if beginning == 0 { with_body(&invite) } else { invite });
        let Some(Event::Incoming { call, .. }) = side.events.pop() else { panic!("no call") };
        side.agent.progress(side.now, call, StatusCode::RINGING, None).unwrap();
        side.drain();
        let peer = Peer::of_request(&tag_of(side.responses().next().unwrap()));
        Self { side, call, peer, number: 1 }
    }

    fn happens(&mut self, what: Happens) {
        let (now, call, agent) = (self.side.now, self.call, &mut self.side.agent);
        match what {
            Early => {
                let early = Some(body("v=0 early"));
                let _ = agent.progress(now, call, StatusCode::SESSION_PROGRESS, early);
            }
            Answer => {
                if agent.answer(now, call, Some(body("v=0 answer"))).is_err() {
                    let _ = agent.answer(now, call, None);
                }
            }
            Pracked => self.prack(false),
            PrackOffers => self.prack(true),
            Update => drop(agent.update(now, call, None, Some(body("v=0 update")))),
            Agreed => {
                if let Some(update) = self.side.last("UPDATE").map(str::to_owned) {
                    let contact = "Contact: <sip:bob@198.51.100.7:5070>\n";
                    self.side.hear(&with_body(&respond(&update, "200 OK", "", contact)));
                }
            }
            Updated => {
                let update = with_body(&self.asks("UPDATE", ""));
                self.side.hear(&update);
            }
            AnswerOffer => drop(agent.answer_offer(now, call, None, Some(body("v=0 agreed")))),
            Acknowledged => {
                if let Some(ack) = self.peer.acknowledges(&self.side) {
                    self.side.hear(&ack);
                }
            }
            HangUp => drop(agent.hang_up(now, call)),
        }
        self.side.drain();
    }

    fn finish(mut self) {
        self.happens(HangUp);
        self.side.hang_up_all();
        self.side.wait(100);
        assert!(self.side.is_over(Subject::Call(self.call)));
        self.side.finish(100);
    }
}

impl Callee {
    /// A request whose number is not that of an INVITE.
    fn asks(&mut self, method: &str, more: &str) -> String {
        self.number += 1;
        let invite = std::mem::replace(&mut self.peer.cseq, self.number);
        let asked = self.peer.writes(method, &format!("z9hG4bK{method}{}", self.number), more);
        self.peer.cseq = invite;
        asked
    }

    fn prack(&mut self, offers: bool) {
        let Some(said) = self.side.responses().find(|it| it.contains("RSeq: ")) else { return };
        let more = format!("RAck: {} {}\n", field(said, "RSeq"), field(said, "CSeq"));
        let prack = self.asks("PRACK", &more);
        self.side.hear(&if offers { with_body(&prack) } else { prack });
    }
}

#[test]
fn a_session_of_another_that_is_negotiated_early_ends_well_whatever_happens() {
    many::<Callee>();
}

#[test]
#[ignore = "takes minutes"]
fn a_session_of_another_that_is_negotiated_early_ends_well_whatever_six_things_happen() {
    all::<Callee>();
}
