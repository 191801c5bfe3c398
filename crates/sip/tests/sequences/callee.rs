//! A call of another, until it is answered and after.

use offhook_sip::{CallId, Config, Event, ReliableProvisionals};
use offhook_sip_message::StatusCode;

use crate::{
    caller::with_body,
    every::{Stage, all, many},
    side::{Side, Subject},
    support::{
        body,
        raw::{field, request},
    },
};

#[derive(Clone, Copy, Debug, PartialEq)]
enum Happens {
    /// A provisional response of ours, which describes the session.
    Early,
    Answer,
    HangUp,
    /// The PRACK to the last reliable response.
    Pracked,
    Cancelled,
    Bye,
    /// The ACK to the last final response.
    Acknowledged,
    /// What the peer has sent last comes again.
    Again,
    Silence,
    /// What was sent last cannot be sent.
    Unsent,
}

use Happens::{
    Acknowledged, Again, Answer, Bye, Cancelled, Early, HangUp, Pracked, Silence, Unsent,
};

struct Callee {
    side: Side,
    call: CallId,
    tag: String,
    cseq: u32,
}

impl Stage for Callee {
    type Happens = Happens;
    const ALL: &'static [Happens] =
        &[Early, Answer, HangUp, Pracked, Cancelled, Bye, Acknowledged, Again, Silence, Unsent];
    const BEGINNINGS: usize = 2;

    /// With an offer, or without.
    fn begin(beginning: usize) -> Self {
        let reliable_provisionals = ReliableProvisionals::Preferred;
        let mut side = Side::new(Config { reliable_provisionals, ..Config::default() });
        let invite = request("INVITE", BRANCH, 1, "", "Supported: 100rel\n");
        side.hear(&if beginning == 0 { with_body(&invite) } else { invite });
        let Some(Event::Incoming { call, .. }) = side.events.pop() else { panic!("no call") };
        Self { side, call, tag: "none".into(), cseq: 1 }
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
            HangUp => drop(agent.hang_up(now, call)),
            Pracked => self.prack(),
            Cancelled => self.side.hear(&request("CANCEL", BRANCH, 1, "", "")),
            Bye => self.request("BYE", ""),
            Acknowledged => self.acknowledge(),
            Again => self.side.hear_again(),
            Silence => self.side.wait(33),
            Unsent => self.side.unsent(),
        }
        self.side.drain();
        let said = self.side.last("SIP/2.0 ").filter(|it| it.contains(";tag="));
        if let Some(said) = said.filter(|it| field(it, "CSeq") == "1 INVITE") {
            self.tag = field(said, "To").split(";tag=").nth(1).unwrap_or("none").to_owned();
        }
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
    fn request(&mut self, method: &str, more: &str) {
        self.cseq += 1;
        let branch = format!("z9hG4bK{method}{}", self.cseq);
        self.side.hear(&request(method, &branch, self.cseq, &self.tag, more));
    }

    fn prack(&mut self) {
        let mut said = self.side.said.iter().rev().map(|(_, it)| std::str::from_utf8(it).unwrap());
        let Some(said) = said.find(|it| it.contains("RSeq: ")) else { return };
        let more = format!("RAck: {} {}\n", field(said, "RSeq"), field(said, "CSeq"));
        self.request("PRACK", &more);
    }

    /// As the final response asks: within its transaction, or with a branch of its own.
    fn acknowledge(&mut self) {
        let finals =
            |said: &&str| !said.starts_with("SIP/2.0 1") && said.contains("CSeq: 1 INVITE");
        let mut said = self.side.said.iter().rev().map(|(_, it)| std::str::from_utf8(it).unwrap());
        let branch = match said.find(finals) {
            Some(said) if said.starts_with("SIP/2.0 2") => "z9hG4bKack",
            _ => BRANCH,
        };
        self.side.hear(&request("ACK", branch, 1, &self.tag, ""));
    }
}

const BRANCH: &str = "z9hG4bKinvite";

#[test]
fn a_call_of_another_ends_well_whatever_happens() {
    many::<Callee>();
}

#[test]
#[ignore = "takes minutes"]
fn a_call_of_another_ends_well_whatever_six_things_happen() {
    all::<Callee>();
}
