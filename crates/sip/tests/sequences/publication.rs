//! A published state (RFC 3903).

use bytes::Bytes;
use offhook_sip::{Body, Config, Publication, PublicationId};
use offhook_sip_message::Event as EventHeader;

use crate::{
    every::{Stage, all, many},
    side::{Side, Subject, udp},
    support::raw::respond,
};

#[derive(Clone, Copy, Debug, PartialEq)]
enum Happens {
    Accepted,
    Refused,
    TooBrief,
    /// 412: the server has forgotten the state.
    Forgotten,
    Again,
    /// Longer than a transaction waits.
    Silence,
    /// Longer than any refresh or retry waits.
    Hours,
    FlowFails,
    /// The owner publishes another state.
    Changes,
    Withdrawn,
}

use Happens::{
    Accepted, Again, Changes, FlowFails, Forgotten, Hours, Refused, Silence, TooBrief, Withdrawn,
};

struct Publishing {
    side: Side,
    id: PublicationId,
    number: usize,
}

fn state(text: &'static str) -> Body {
    Body { content_type: "text/plain".into(), content: Bytes::from_static(text.as_bytes()) }
}

impl Stage for Publishing {
    type Happens = Happens;
    const ALL: &'static [Happens] = &[
        Accepted, Refused, TooBrief, Forgotten, Again, Silence, Hours, FlowFails, Changes,
        Withdrawn,
    ];
    const BEGINNINGS: usize = 1;

    fn begin(_: usize) -> Self {
        let mut side = Side::new(Config::default());
        let bob = "sip:bob@biloxi.example".parse().unwrap();
        let wanted = Publication::new(bob, EventHeader::new("x"), state("x"), udp());
        let id = side.agent.publish(side.now, wanted).unwrap();
        side.drain();
        Self { side, id, number: 0 }
    }

    fn happens(&mut self, what: Happens) {
        self.number += 1;
        match what {
            Accepted => {
                let more = format!("SIP-ETag: t{}\nExpires: 3600\n", self.number);
                self.respond("200 OK", &more);
            }
            Refused => self.respond("500 Oops", ""),
            TooBrief => self.respond("423 Interval Too Brief", "Min-Expires: 7200\n"),
            Forgotten => self.respond("412 Conditional Request Failed", ""),
            Again => self.side.hear_again(),
            Silence => self.side.wait(33),
            Hours => self.side.wait(4000),
            FlowFails => self.side.fail(udp()),
            Changes => drop(self.side.agent.republish(self.side.now, self.id, state("y"))),
            Withdrawn => drop(self.side.agent.withdraw(self.side.now, self.id)),
        }
        self.side.drain();
    }

    /// The owner withdraws it, nobody answers, and all is over.
    fn finish(mut self) {
        self.happens(Withdrawn);
        self.side.wait(200);
        assert!(self.side.is_over(Subject::Publication(self.id)));
        self.side.finish(100);
    }
}

impl Publishing {
    fn respond(&mut self, status: &str, more: &str) {
        let Some(last) = self.side.last("PUBLISH").map(str::to_owned) else { return };
        self.side.hear(&respond(&last, status, "s", more));
    }
}

#[test]
fn a_publication_ends_well_whatever_happens() {
    many::<Publishing>();
}

#[test]
#[ignore = "takes minutes"]
fn a_publication_ends_well_whatever_six_things_happen() {
    all::<Publishing>();
}
