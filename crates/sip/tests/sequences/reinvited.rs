//! A re-INVITE of the peer, in a call of either side.

use offhook_sip::{CallId, Config, Event};
use offhook_sip_message::StatusCode;

use crate::{
    caller::with_body,
    every::{Stage, all, many},
    peer::{Peer, standing},
    side::{Side, Subject},
    support::body,
};

#[derive(Clone, Copy, Debug, PartialEq)]
enum Happens {
    Answer,
    Reject,
    /// This side asks as well.
    Reinvite,
    Cancelled,
    /// The ACK to the last final response.
    Acknowledged,
    Again,
    Bye,
    HangUp,
    Silence,
    /// What was sent last cannot be sent.
    Unsent,
}

use Happens::{
    Acknowledged, Again, Answer, Bye, Cancelled, HangUp, Reinvite, Reject, Silence, Unsent,
};

struct Reinvited {
    side: Side,
    call: CallId,
    peer: Peer,
    branch: String,
    /// Whether the INVITE waits for its answer.
    waits: bool,
}

impl Stage for Reinvited {
    type Happens = Happens;
    const ALL: &'static [Happens] =
        &[Answer, Reject, Reinvite, Cancelled, Acknowledged, Again, Bye, HangUp, Silence, Unsent];
    const BEGINNINGS: usize = 2;

    fn begin(beginning: usize) -> Self {
        let (mut side, call, mut peer) = standing(beginning, Config::default());
        let invite = with_body(&peer.asks("INVITE", ""));
        let branch = format!("z9hG4bKINVITE{}", peer.cseq);
        side.hear(&invite);
        assert!(matches!(side.events.pop(), Some(Event::Reinvited { .. })));
        Self { side, call, peer, branch, waits: true }
    }

    fn happens(&mut self, what: Happens) {
        let (now, call, agent) = (self.side.now, self.call, &mut self.side.agent);
        match what {
            Answer => {
                let done = agent.answer(now, call, Some(body("v=0 answer")));
                self.decide(done.is_ok());
            }
            Reject => {
                let done = agent.reject(now, call, StatusCode::NOT_ACCEPTABLE_HERE);
                self.decide(done.is_ok());
            }
            Reinvite => self.side.reinvite(call),
            Cancelled => {
                let cancel = self.peer.writes("CANCEL", &self.branch, "");
                self.side.hear(&cancel);
            }
            Acknowledged => {
                if let Some(ack) = self.peer.acknowledges(&self.side) {
                    self.side.hear(&ack);
                }
            }
            Again => self.side.hear_again(),
            Bye => {
                // The number of the INVITE stays that of its ACK.
                let bye = self.peer.asks("BYE", "");
                self.peer.cseq -= 1;
                self.side.hear(&bye);
            }
            HangUp => {
                let _ = agent.hang_up(now, call);
                self.waits = false;
            }
            Silence => self.side.wait(33),
            Unsent => self.side.unsent(),
        }
        self.side.drain();
        for event in std::mem::take(&mut self.side.events) {
            match event {
                Event::Reinvited { .. } => self.waits = true,
                Event::ReinviteCancelled { .. } | Event::Ended { .. } => self.waits = false,
                _ => {}
            }
        }
    }

    fn finish(mut self) {
        self.happens(HangUp);
        self.side.wait(100);
        assert!(self.side.is_over(Subject::Call(self.call)));
        self.side.finish(100);
    }
}

impl Reinvited {
    /// An INVITE is answered once, while it waits.
    fn decide(&mut self, is_done: bool) {
        assert_eq!(is_done, self.waits);
        self.waits = false;
    }
}

#[test]
fn a_call_that_the_peer_modifies_ends_well_whatever_happens() {
    many::<Reinvited>();
}

#[test]
#[ignore = "takes minutes"]
fn a_call_that_the_peer_modifies_ends_well_whatever_six_things_happen() {
    all::<Reinvited>();
}
