//! Whatever happens in whatever order, one request is under way at a time, numbers rise, the end is
//! told once, and nothing is left.

use std::time::{Duration, Instant};

use bytes::Bytes;
use offhook_sansio::Flow;
use offhook_sip::{
    Body, Event, Publication, PublicationEvent, PublicationId, RegistrationEvent, RegistrationId,
};
use offhook_sip_message::Event as EventHeader;

use crate::stage::{Stage, bob, cseq, fields, outbound, respond, tcp, udp};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Happens {
    Accepted,
    Refused,
    TooBrief,
    /// Longer than a transaction waits.
    Silence,
    /// Longer than any refresh or retry waits.
    Hours,
    FlowFails,
    /// The owner changes something.
    Changes,
    Removed,
}

use Happens::{Accepted, Changes, FlowFails, Hours, Refused, Removed, Silence, TooBrief};

#[derive(Clone, Copy, Debug)]
enum Id {
    Registration(RegistrationId),
    Publication(PublicationId),
}

/// One usage, and what is known of it from outside.
struct Watch {
    stage: Stage,
    id: Id,
    under_way: Option<(u32, Instant, Flow, String)>,
    last: u32,
    ends: usize,
    flips: u32,
}

impl Watch {
    fn registration() -> Self {
        let mut stage = Stage::new();
        let id = Id::Registration(stage.agent.register(stage.now, outbound()).unwrap());
        Self { stage, id, under_way: None, last: 0, ends: 0, flips: 0 }
    }

    fn publication() -> Self {
        let mut stage = Stage::new();
        let body = Body { content_type: "text/plain".into(), content: Bytes::from_static(b"x") };
        let publication = Publication::new(bob().uri, EventHeader::new("x"), body, udp());
        let id = Id::Publication(stage.agent.publish(stage.now, publication).unwrap());
        Self { stage, id, under_way: None, last: 0, ends: 0, flips: 0 }
    }

    /// Reads what was sent and told.
    fn look(&mut self) {
        self.stage.drain();
        while let Some((flow, text)) = self.stage.out.pop_front() {
            if text.trim().is_empty() || text.starts_with('\0') {
                continue; // A keepalive.
            }
            let number = cseq(&text);
            if number == self.last {
                continue; // A retransmission.
            }
            assert!(number > self.last, "numbers rise: {number} after {}", self.last);
            let timeout = Duration::from_secs(32);
            let open = self.under_way.as_ref().is_some_and(|it| it.1 + timeout > self.stage.now);
            assert!(!open, "two under way: {:?}", self.under_way);
            assert_eq!(self.ends, 0, "sent after the end");
            self.last = number;
            self.under_way = Some((number, self.stage.now, flow, text));
        }
        while let Some(event) = self.stage.events.pop_front() {
            assert_eq!(self.ends, 0, "told after the end: {event:?}");
            self.ends += usize::from(is_end(&event));
        }
    }

    fn answer(&mut self, status: &str, more: &str) {
        let Some((_, _, flow, text)) = self.under_way.take() else { return };
        let contact: String =
            fields(&text, "Contact").iter().map(|it| format!("Contact: {it}\n")).collect();
        let more = format!("{more}{contact}SIP-ETag: t{}\nRequire: outbound\n", self.last);
        let response = respond(&text, status, &more);
        self.stage.receive(flow, &response);
    }

    fn wait(&mut self, seconds: u32) {
        for _ in 0..seconds {
            self.stage.wait(1.0);
            self.look();
        }
    }

    fn happens(&mut self, what: Happens) {
        match what {
            Accepted => self.answer("200 OK", ""),
            Refused => self.answer("500 Oops", ""),
            TooBrief => self.answer("423 Interval Too Brief", "Min-Expires: 7200\n"),
            Silence => self.wait(33),
            Hours => self.wait(4000),
            FlowFails => {
                for flow in [udp(), tcp()] {
                    self.under_way.take_if(|it| it.2 == flow);
                    self.stage.agent.transport_failed(self.stage.now, flow);
                    self.look();
                }
            }
            Changes => self.change(),
            Removed => self.remove(),
        }
        self.look();
    }

    fn change(&mut self) {
        self.flips += 1;
        let flow = if self.flips.is_multiple_of(2) { tcp() } else { udp() };
        let (agent, now) = (&mut self.stage.agent, self.stage.now);
        // It may be over by now.
        match self.id {
            Id::Registration(id) => drop(agent.retarget(now, id, flow)),
            Id::Publication(id) => {
                let content = Bytes::from_static(b"y");
                let _ = agent.republish(now, id, Body { content_type: "a/b".into(), content });
                let _ = agent.retarget_publication(id, flow);
            }
        }
    }

    fn remove(&mut self) {
        let (agent, now) = (&mut self.stage.agent, self.stage.now);
        match self.id {
            Id::Registration(id) => drop(agent.unregister(now, id)),
            Id::Publication(id) => drop(agent.withdraw(now, id)),
        }
    }

    /// The owner removes it, nobody answers, and all is over.
    fn finish(mut self) {
        self.happens(Removed);
        self.wait(100);
        assert_eq!(self.ends, 1, "the end is told once");
        self.stage.finish();
    }
}

fn is_end(event: &Event) -> bool {
    matches!(
        event,
        Event::Registration { event: RegistrationEvent::Unregistered { .. }, .. }
            | Event::Publication { event: PublicationEvent::Withdrawn { .. }, .. }
    )
}

/// Calls `visit` with each order of `items`.
fn permute(items: &mut [Happens], from: usize, visit: &mut impl FnMut(&[Happens])) {
    if from == items.len() {
        return visit(items);
    }
    for other in from..items.len() {
        items.swap(from, other);
        permute(items, from + 1, visit);
        items.swap(from, other);
    }
}

fn all_orders(begin: impl Fn() -> Watch, items: &mut [Happens]) -> usize {
    let mut count = 0;
    permute(items, 0, &mut |order| {
        let mut watch = begin();
        watch.look();
        for what in order {
            watch.happens(*what);
        }
        watch.finish();
        count += 1;
    });
    count
}

#[test]
fn a_registration_ends_well_in_every_order() {
    let mut items = [Accepted, Accepted, Refused, Silence, FlowFails, Changes];
    assert_eq!(all_orders(Watch::registration, &mut items), 720);
    let mut items = [Accepted, TooBrief, FlowFails, Changes, Removed, Refused];
    assert_eq!(all_orders(Watch::registration, &mut items), 720);
    let mut items = [Accepted, Hours, FlowFails, Changes, Refused];
    assert_eq!(all_orders(Watch::registration, &mut items), 120);
}

#[test]
fn a_publication_ends_well_in_every_order() {
    let mut items = [Accepted, Accepted, Refused, Silence, FlowFails, Changes];
    assert_eq!(all_orders(Watch::publication, &mut items), 720);
    let mut items = [Accepted, TooBrief, FlowFails, Changes, Removed, Refused];
    assert_eq!(all_orders(Watch::publication, &mut items), 720);
    let mut items = [Accepted, Hours, FlowFails, Changes, Refused];
    assert_eq!(all_orders(Watch::publication, &mut items), 120);
}
