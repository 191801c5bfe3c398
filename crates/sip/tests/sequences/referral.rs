//! A REFER of the peer in a call.

use offhook_sip::{CallId, Config, Event, EventPackage, ReferralEvent, ReferralId};
use offhook_sip_message::StatusCode;

use crate::{
    every::{Stage, all, many},
    peer::{Peer, taken},
    side::{Side, Subject, udp},
    support::raw::respond,
};

#[derive(Clone, Copy, Debug, PartialEq)]
enum Happens {
    Accept,
    Reject,
    /// The owner tells how it went.
    Report,
    /// The last NOTIFY is answered with 200.
    Accepted,
    /// It is answered with 481.
    Lost,
    Again,
    Bye,
    HangUp,
    Silence,
    FlowFails,
}

use Happens::{Accept, Accepted, Again, Bye, FlowFails, HangUp, Lost, Reject, Report, Silence};

struct Referred {
    side: Side,
    call: CallId,
    id: ReferralId,
    peer: Peer,
}

impl Stage for Referred {
    type Happens = Happens;
    const ALL: &'static [Happens] =
        &[Accept, Reject, Report, Accepted, Lost, Again, Bye, HangUp, Silence, FlowFails];
    const BEGINNINGS: usize = 1;

    fn begin(_: usize) -> Self {
        let event_packages = vec![EventPackage::REFER];
        let (mut side, call, mut peer) = taken(Config { event_packages, ..Config::default() });
        let refer = peer.asks("REFER", "Refer-To: <sip:carol@example.org>\n");
        side.hear(&refer);
        let told = side.events.drain(..).find_map(|event| match event {
            Event::Referral { referral, event: ReferralEvent::Requested(_) } => Some(referral),
            _ => None,
        });
        Self { side, call, id: told.unwrap(), peer }
    }

    fn happens(&mut self, what: Happens) {
        let (now, id, agent) = (self.side.now, self.id, &mut self.side.agent);
        match what {
            Accept => drop(agent.accept_refer(now, id, None)),
            Reject => drop(agent.reject_refer(now, id, StatusCode::DECLINE, &[])),
            Report => drop(agent.report_refer(now, id, StatusCode::OK)),
            Accepted => self.respond("200 OK"),
            Lost => self.respond("481 Gone"),
            Again => self.side.hear_again(),
            Bye => {
                let bye = self.peer.asks("BYE", "");
                self.side.hear(&bye);
            }
            HangUp => drop(agent.hang_up(now, self.call)),
            Silence => self.side.wait(40),
            FlowFails => self.side.fail(udp()),
        }
        self.side.drain();
    }

    fn finish(mut self) {
        self.happens(HangUp);
        self.happens(Report);
        self.side.wait(400);
        assert!(self.side.is_over(Subject::Call(self.call)));
        assert!(self.side.is_over(Subject::Referral(self.id)));
        self.side.finish(400);
    }
}

impl Referred {
    fn respond(&mut self, status: &str) {
        let Some(last) = self.side.last("NOTIFY").map(str::to_owned) else { return };
        self.side.hear(&respond(&last, status, "", ""));
    }
}

#[test]
fn a_refer_of_the_peer_ends_well_whatever_happens() {
    many::<Referred>();
}

#[test]
#[ignore = "takes minutes"]
fn a_refer_of_the_peer_ends_well_whatever_six_things_happen() {
    all::<Referred>();
}
