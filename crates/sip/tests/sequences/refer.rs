//! A REFER of ours in a call.

use offhook_sip::{CallId, Config, Refer, ReferId};
use offhook_sip_message::NameAddr;

use crate::{
    every::{Stage, all, many},
    peer::{CONTACT, Peer, placed},
    side::{Side, Subject, udp},
    support::raw::respond,
};

#[derive(Clone, Copy, Debug, PartialEq)]
enum Happens {
    Accepted,
    Refused,
    /// The peer tells that it tries.
    Trying,
    /// The peer tells how it went, and ends the subscription.
    Done,
    Again,
    Bye,
    HangUp,
    Forget,
    Silence,
    FlowFails,
}

use Happens::{Accepted, Again, Bye, Done, FlowFails, Forget, HangUp, Refused, Silence, Trying};

struct Referring {
    side: Side,
    call: CallId,
    id: ReferId,
    peer: Peer,
}

impl Stage for Referring {
    type Happens = Happens;
    const ALL: &'static [Happens] =
        &[Accepted, Refused, Trying, Done, Again, Bye, HangUp, Forget, Silence, FlowFails];
    const BEGINNINGS: usize = 1;

    fn begin(_: usize) -> Self {
        let (mut side, call, peer) = placed(Config::default());
        let carol = NameAddr::new("sip:carol@example.org".parse().unwrap());
        let id = side.agent.refer(side.now, call, Refer::to(carol)).unwrap();
        side.drain();
        Self { side, call, id, peer }
    }

    fn happens(&mut self, what: Happens) {
        match what {
            Accepted => self.respond("202 Accepted"),
            Refused => self.respond("603 Decline"),
            Trying => self.notify("active;expires=60", "SIP/2.0 100 Trying"),
            Done => self.notify("terminated;reason=noresource", "SIP/2.0 200 OK"),
            Again => self.side.hear_again(),
            Bye => {
                let bye = self.peer.asks("BYE", "");
                self.side.hear(&bye);
            }
            HangUp => drop(self.side.agent.hang_up(self.side.now, self.call)),
            Forget => drop(self.side.agent.forget_refer(self.side.now, self.id)),
            Silence => self.side.wait(40),
            FlowFails => self.side.fail(udp()),
        }
        self.side.drain();
    }

    fn finish(mut self) {
        self.happens(HangUp);
        self.happens(Forget);
        self.side.wait(200);
        assert!(self.side.is_over(Subject::Call(self.call)));
        assert!(self.side.is_over(Subject::Refer(self.id)));
        self.side.finish(200);
    }
}

impl Referring {
    fn respond(&mut self, status: &str) {
        let Some(last) = self.side.last("REFER").map(str::to_owned) else { return };
        self.side.hear(&respond(&last, status, "bob", CONTACT));
    }

    fn notify(&mut self, state: &str, status: &str) {
        let length = status.len();
        let more = format!(
            "Event: refer\nSubscription-State: {state}\n\
             Content-Type: message/sipfrag\nContent-Length: {length}\n\n{status}"
        );
        let notify = self.peer.asks("NOTIFY", &more);
        self.side.hear(notify.trim_end());
    }
}

#[test]
fn a_refer_of_ours_ends_well_whatever_happens() {
    many::<Referring>();
}

#[test]
#[ignore = "takes minutes"]
fn a_refer_of_ours_ends_well_whatever_six_things_happen() {
    all::<Referring>();
}
