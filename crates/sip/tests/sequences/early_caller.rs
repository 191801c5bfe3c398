//! A call of ours whose session is negotiated before the answer (RFC 3262, RFC 3311).

use offhook_sip::{CallId, Config, Description, Event, Invite, ReliableProvisionals};

use crate::{
    caller::{in_dialog, with_body},
    every::{Stage, all, many},
    side::{Side, Subject},
    support::{
        body,
        raw::{plain_invite, respond},
    },
};

#[derive(Clone, Copy, Debug, PartialEq)]
enum Happens {
    /// A reliable provisional response with a description.
    Reliable,
    Accepted,
    /// This side makes an offer in an UPDATE.
    Update,
    /// The peer does.
    Updated,
    /// This side answers it.
    Answer,
    /// The last PRACK or UPDATE of ours is answered with 200.
    Agreed,
    /// It is answered with 491.
    Glare,
    Bye,
    HangUp,
    Silence,
}

use Happens::{Accepted, Agreed, Answer, Bye, Glare, HangUp, Reliable, Silence, Update, Updated};

struct Caller {
    side: Side,
    call: CallId,
    invite: String,
    number: u32,
    seen: usize,
    asked: Vec<String>,
}

impl Stage for Caller {
    type Happens = Happens;
    const ALL: &'static [Happens] =
        &[Reliable, Accepted, Update, Updated, Answer, Agreed, Glare, Bye, HangUp, Silence];
    const BEGINNINGS: usize = 2;

    /// With an offer, or without.
    fn begin(beginning: usize) -> Self {
        let reliable_provisionals = ReliableProvisionals::Preferred;
        let mut side = Side::new(Config { reliable_provisionals, ..Config::default() });
        let offer = (beginning == 0).then(|| body("v=0 offer"));
        let call = side.agent.invite(side.now, Invite { body: offer, ..plain_invite() }).unwrap();
        side.drain();
        let invite = side.last("INVITE").unwrap().to_owned();
        let seen = side.said.len();
        Self { side, call, invite, number: 0, seen, asked: Vec::new() }
    }

    fn happens(&mut self, what: Happens) {
        let (now, call, agent) = (self.side.now, self.call, &mut self.side.agent);
        match what {
            Reliable => {
                self.number += 1;
                let more = format!("{CONTACT}Require: 100rel\nRSeq: {}\n", self.number);
                let reliable = respond(&self.invite, "183 Session Progress", "a", &more);
                self.side.hear(&with_body(&reliable));
            }
            Accepted => self.side.hear(&respond(&self.invite, "200 OK", "a", CONTACT)),
            Update => drop(agent.update(now, call, None, Some(body("v=0 update")))),
            Updated => {
                self.number += 1;
                let update = in_dialog(&self.invite, "UPDATE", "a", self.number);
                self.side.hear(&with_body(&update));
            }
            Answer => drop(agent.answer_offer(now, call, None, Some(body("v=0 agreed")))),
            Agreed => self.answer("200 OK"),
            Glare => self.answer("491 Request Pending"),
            Bye => {
                self.number += 1;
                let bye = in_dialog(&self.invite, "BYE", "a", self.number);
                self.side.hear(&bye);
            }
            HangUp => drop(agent.hang_up(now, call)),
            Silence => self.side.wait(33),
        }
        self.side.drain();
        self.look();
    }

    fn finish(mut self) {
        self.happens(HangUp);
        self.side.hear(&respond(&self.invite, "180 Ringing", "a", CONTACT));
        self.side.wait(100);
        assert!(self.side.is_over(Subject::Call(self.call)));
        self.side.finish(100);
    }
}

impl Caller {
    /// As users do: what the peer offers in a response is answered at once.
    fn look(&mut self) {
        for event in std::mem::take(&mut self.side.events) {
            let (now, agent, answer) = (self.side.now, &mut self.side.agent, body("v=0 answer"));
            let _ = match event {
                Event::Progress { call, fork, description: Description::Offer, .. } => {
                    agent.prack(now, call, Some(fork), Some(answer))
                }
                Event::Answered { call, description: Description::Offer, .. } => {
                    agent.acknowledge(now, call, Some(answer))
                }
                _ => Ok(()),
            };
            self.side.drain();
        }
        for (_, said) in &self.side.said[self.seen..] {
            let text = std::str::from_utf8(said).unwrap();
            let is_asked = text.starts_with("PRACK") || text.starts_with("UPDATE");
            if is_asked && !self.asked.iter().any(|it| it == text) {
                self.asked.push(text.to_owned());
            }
        }
        self.seen = self.side.said.len();
    }

    /// Answers the last PRACK or UPDATE of ours.
    fn answer(&mut self, status: &str) {
        let Some(asked) = self.asked.pop() else { return };
        // A PRACK is not refused for an offer, and has none here.
        let is_update = asked.starts_with("UPDATE");
        let status = if is_update { status } else { "200 OK" };
        let more = if status.starts_with('4') { "" } else { CONTACT };
        let answer = respond(&asked, status, "a", more);
        let described = is_update && status.starts_with('2');
        self.side.hear(&if described { with_body(&answer) } else { answer });
    }
}

const CONTACT: &str = "Contact: <sip:a@198.51.100.7:5070>\n";

#[test]
fn a_session_of_ours_that_is_negotiated_early_ends_well_whatever_happens() {
    many::<Caller>();
}

#[test]
#[ignore = "takes minutes"]
fn a_session_of_ours_that_is_negotiated_early_ends_well_whatever_six_things_happen() {
    all::<Caller>();
}
