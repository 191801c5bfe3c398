//! A call of ours, until it is answered and after.

use offhook_sip::{CallId, Config, Invite, ReliableProvisionals};

use crate::{
    every::{Stage, all, many},
    side::{Side, Subject, udp},
    support::{
        body,
        raw::{field, plain_invite, respond},
    },
};

#[derive(Clone, Copy, Debug, PartialEq)]
enum Happens {
    /// A provisional response without a description.
    Rings,
    /// A reliable one with a description.
    Reliable,
    Accepted,
    /// Another fork accepts, with a description.
    AcceptedByFork,
    Refused,
    /// What the peer has sent last comes again.
    Again,
    Bye,
    HangUp,
    /// Longer than anything unanswered is waited for.
    Silence,
    FlowFails,
}

use Happens::{
    Accepted, AcceptedByFork, Again, Bye, FlowFails, HangUp, Refused, Reliable, Rings, Silence,
};

struct Caller {
    side: Side,
    call: CallId,
    invite: String,
    number: u32,
}

impl Stage for Caller {
    type Happens = Happens;
    const ALL: &'static [Happens] = &[
        Rings,
        Reliable,
        Accepted,
        AcceptedByFork,
        Refused,
        Again,
        Bye,
        HangUp,
        Silence,
        FlowFails,
    ];
    const BEGINNINGS: usize = 2;

    /// With an offer, or without.
    fn begin(beginning: usize) -> Self {
        let reliable_provisionals = ReliableProvisionals::Preferred;
        let mut side = Side::new(Config { reliable_provisionals, ..Config::default() });
        let offer = (beginning == 0).then(|| body("v=0 offer"));
        let call = side.agent.invite(side.now, Invite { body: offer, ..plain_invite() }).unwrap();
        side.drain();
        let invite = side.last("INVITE").unwrap().to_owned();
        Self { side, call, invite, number: 0 }
    }

    fn happens(&mut self, what: Happens) {
        match what {
            Rings => self.respond("180 Ringing", "a", "", false),
            Reliable => {
                self.number += 1;
                let more = format!("Require: 100rel\nRSeq: {}\n", self.number);
                self.respond("183 Session Progress", "a", &more, true);
            }
            Accepted => self.respond("200 OK", "a", "", false),
            AcceptedByFork => self.respond("200 OK", "b", "", true),
            Refused => self.respond("486 Busy Here", "a", "", false),
            Again => self.side.hear_again(),
            Bye => {
                self.number += 1;
                let bye = in_dialog(&self.invite, "BYE", "a", self.number);
                self.side.hear(&bye);
            }
            HangUp => {
                let _ = self.side.agent.hang_up(self.side.now, self.call);
                self.side.drain();
            }
            Silence => self.side.wait(33),
            FlowFails => self.side.fail(udp()),
        }
        self.side.answer_offers();
    }

    /// Hangs up. Only a response lets the CANCEL go; an INVITE that rings is then given up in time.
    fn finish(mut self) {
        self.happens(HangUp);
        self.happens(Rings);
        self.side.wait(100);
        assert!(self.side.is_over(Subject::Call(self.call)));
        self.side.finish(100);
    }
}

impl Caller {
    fn respond(&mut self, status: &str, tag: &str, more: &str, described: bool) {
        let contact = format!("Contact: <sip:{tag}@198.51.100.7:5070>\n");
        let more = if status.starts_with('4') { more.to_owned() } else { contact + more };
        let response = respond(&self.invite, status, tag, &more);
        self.side.hear(&if described { with_body(&response) } else { response });
    }
}

/// A message with a description in place of its end.
pub(crate) fn with_body(message: &str) -> String {
    let head = message.strip_suffix('\n').unwrap();
    format!("{head}Content-Type: application/sdp\nContent-Length: 3\n\nv=0")
}

/// A request of the callee `tag` in the dialog of our INVITE.
pub(crate) fn in_dialog(invite: &str, method: &str, tag: &str, cseq: u32) -> String {
    let uri = field(invite, "Contact").trim_matches(['<', '>']);
    format!(
        "{method} {uri} SIP/2.0\n\
         Via: SIP/2.0/UDP 198.51.100.7:5070;branch=z9hG4bK{method}{tag}{cseq}\n\
         Max-Forwards: 70\n\
         From: {};tag={tag}\n\
         To: {}\n\
         Call-ID: {}\n\
         CSeq: {cseq} {method}\n\
         Contact: <sip:{tag}@198.51.100.7:5070>\n\n",
        field(invite, "To"),
        field(invite, "From"),
        field(invite, "Call-ID"),
    )
}

#[test]
fn a_call_of_ours_ends_well_whatever_happens() {
    many::<Caller>();
}

#[test]
#[ignore = "takes minutes"]
fn a_call_of_ours_ends_well_whatever_six_things_happen() {
    all::<Caller>();
}
