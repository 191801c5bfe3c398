//! A re-INVITE of ours, in a call of either side.

use offhook_sip::{CallId, Config, Event};

use crate::{
    caller::with_body,
    every::{Stage, all, many},
    peer::{CONTACT, Peer, standing},
    side::{Side, Subject, udp},
    support::{body, raw::respond},
};

#[derive(Clone, Copy, Debug, PartialEq)]
enum Happens {
    Rings,
    Accepted,
    /// 491 (Request Pending).
    Glare,
    /// 481: the peer knows nothing of the call.
    Lost,
    Again,
    /// The peer sends a re-INVITE, which is answered and acknowledged.
    Reinvited,
    Bye,
    HangUp,
    Silence,
    FlowFails,
}

use Happens::{Accepted, Again, Bye, FlowFails, Glare, HangUp, Lost, Reinvited, Rings, Silence};

struct Reinviting {
    side: Side,
    call: CallId,
    peer: Peer,
}

impl Stage for Reinviting {
    type Happens = Happens;
    const ALL: &'static [Happens] =
        &[Rings, Accepted, Glare, Lost, Again, Reinvited, Bye, HangUp, Silence, FlowFails];
    const BEGINNINGS: usize = 2;

    fn begin(beginning: usize) -> Self {
        let (mut side, call, peer) = standing(beginning, Config::default());
        side.reinvite(call);
        Self { side, call, peer }
    }

    fn happens(&mut self, what: Happens) {
        match what {
            Rings => self.respond("183 Session Progress", false),
            Accepted => self.respond("200 OK", true),
            Glare => self.respond("491 Request Pending", false),
            Lost => self.respond("481 Call/Transaction Does Not Exist", false),
            Again => self.side.hear_again(),
            Reinvited => self.reinvited(),
            Bye => {
                let bye = self.peer.asks("BYE", "");
                self.side.hear(&bye);
            }
            HangUp => {
                let _ = self.side.agent.hang_up(self.side.now, self.call);
                self.side.drain();
            }
            Silence => self.side.wait(33),
            FlowFails => self.side.fail(udp()),
        }
    }

    fn finish(mut self) {
        self.happens(HangUp);
        self.side.wait(100);
        assert!(self.side.is_over(Subject::Call(self.call)));
        self.side.finish(100);
    }
}

impl Reinviting {
    fn respond(&mut self, status: &str, described: bool) {
        let Some(invite) = self.side.last("INVITE").map(str::to_owned) else { return };
        let more = if status.starts_with('4') { "" } else { CONTACT };
        let response = respond(&invite, status, "bob", more);
        self.side.hear(&if described { with_body(&response) } else { response });
    }

    fn reinvited(&mut self) {
        let invite = with_body(&self.peer.asks("INVITE", ""));
        self.side.hear(&invite);
        if let Some(Event::Reinvited { call, .. }) = self.side.events.pop() {
            self.side.agent.answer(self.side.now, call, Some(body("v=0 answer"))).unwrap();
            self.side.drain();
        }
        if let Some(ack) = self.peer.acknowledges(&self.side) {
            self.side.hear(&ack);
        }
    }
}

#[test]
fn a_call_that_this_side_modifies_ends_well_whatever_happens() {
    many::<Reinviting>();
}

#[test]
#[ignore = "takes minutes"]
fn a_call_that_this_side_modifies_ends_well_whatever_six_things_happen() {
    all::<Reinviting>();
}
