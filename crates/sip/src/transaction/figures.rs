//! The machines against the figures of the RFCs, row by row, in every sequence of up to six events:
//! RFC 3261 figures 6 and 8, and figures 5 and 7 as RFC 6026 §8.4 and §8.6 replace them.
//!
//! The figures stand here a second time, as tables of one line an arrow, with their timers. What a
//! machine sends, tells and waits for has to be what its table says, after each event.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use bytes::Bytes;
use offhook_sansio::Flow;
use offhook_sip_message::StatusCode;

use super::{
    Failure,
    fixture::{T1, T2, T4, plain, response, sent, tcp, timing, udp},
    invite_client::InviteClient,
    invite_server::InviteServer,
    non_invite_client::NonInviteClient,
    non_invite_server::NonInviteServer,
};
use crate::transport::Outbox;

#[derive(Clone, Copy, Debug, PartialEq)]
enum Event {
    /// A response comes, or the user gives one.
    R(u16),
    /// The request comes again.
    Again,
    Ack,
    /// The time of the next timer.
    Due,
    TransportError,
}

use Event::{Ack, Again, Due, R, TransportError};

#[derive(Clone, Copy, Debug, PartialEq)]
enum State {
    Calling,
    Trying,
    Proceeding,
    Completed,
    Accepted,
    Confirmed,
    Terminated,
}

use State::{Accepted, Calling, Completed, Confirmed, Proceeding, Terminated, Trying};

/// What is seen of a machine after an event.
#[derive(Debug, Default, PartialEq)]
struct Seen {
    sent: Vec<String>,
    /// `response`, `ack`, or the failure.
    told: Option<&'static str>,
    is_terminated: bool,
    next: Option<u64>,
}

/// A figure: its state, its timers by letter with the millisecond they fire in.
struct Figure {
    state: State,
    timers: BTreeMap<char, u64>,
    interval: u64,
    /// The last response of a server.
    last: u16,
    is_reliable: bool,
    now: u64,
    seen: Seen,
}

impl Figure {
    fn new(state: State, is_reliable: bool) -> Self {
        let (timers, seen) = (BTreeMap::new(), Seen::default());
        Self { state, timers, interval: T1, last: 100, is_reliable, now: 0, seen }
    }

    fn send(&mut self, what: &str) {
        self.seen.sent.push(what.to_owned());
    }

    fn say(&mut self, status: u16) {
        self.seen.sent.push(status.to_string());
    }

    fn tell(&mut self, what: &'static str) {
        self.seen.told = Some(what);
    }

    fn set(&mut self, timer: char, after: u64) {
        self.timers.insert(timer, self.now + after);
    }

    /// A timer that stands in a table for unreliable transports, and is zero for reliable ones.
    fn set_unless_reliable(&mut self, timer: char, after: u64) {
        self.set(timer, if self.is_reliable { 0 } else { after });
    }

    /// The next state, with timers of its own.
    fn go(&mut self, state: State) {
        (self.state, self.timers) = (state, BTreeMap::new());
    }

    /// Takes the time of the next timer, and gives its letter.
    fn fires(&mut self) -> Option<char> {
        let (timer, at) =
            self.timers.iter().map(|(timer, at)| (*timer, *at)).min_by_key(|it| it.1)?;
        self.timers.remove(&timer);
        self.now = at;
        Some(timer)
    }

    fn look(&mut self) -> Seen {
        self.seen.is_terminated = self.state == Terminated;
        self.seen.next = self.timers.values().min().copied();
        std::mem::take(&mut self.seen)
    }

    /// RFC 6026, figure 5.
    fn figure_5(&mut self, event: Event) {
        match (self.state, event) {
            (Calling | Proceeding, R(100..=199)) => {
                self.go(Proceeding);
                self.tell("response");
            }
            (Calling | Proceeding, R(200..=299)) => {
                self.go(Accepted);
                self.set('M', 64 * T1);
                self.tell("response");
            }
            (Calling | Proceeding, R(_)) => {
                self.go(Completed);
                self.set_unless_reliable('D', 32_000);
                self.send("ACK");
                self.tell("response");
            }
            (Completed, R(300..)) => self.send("ACK"),
            (Accepted, R(200..=299)) => self.tell("response"),
            (Calling | Completed, TransportError) => {
                self.go(Terminated);
                self.tell("transport");
            }
            (_, Due) => match self.fires() {
                Some('A') => {
                    self.interval *= 2;
                    self.set('A', self.interval);
                    self.send("INVITE");
                }
                Some('B') => {
                    self.go(Terminated);
                    self.tell("timeout");
                }
                Some(_) => self.go(Terminated),
                None => {}
            },
            _ => {}
        }
    }

    /// RFC 3261, figure 6.
    fn figure_6(&mut self, event: Event) {
        match (self.state, event) {
            (Trying | Proceeding, R(100..=199)) => {
                self.state = Proceeding;
                self.tell("response");
            }
            (Trying | Proceeding, R(_)) => {
                self.go(Completed);
                self.set_unless_reliable('K', T4);
                self.tell("response");
            }
            (Trying | Proceeding, TransportError) => {
                self.go(Terminated);
                self.tell("transport");
            }
            (_, Due) => match self.fires() {
                Some('E') => {
                    let proceeds = self.state == Proceeding;
                    self.interval = if proceeds { T2 } else { T2.min(self.interval * 2) };
                    self.set('E', self.interval);
                    self.send("BYE");
                }
                Some('F') => {
                    self.go(Terminated);
                    self.tell("timeout");
                }
                Some(_) => self.go(Terminated),
                None => {}
            },
            _ => {}
        }
    }

    /// RFC 6026, figure 7.
    fn figure_7(&mut self, event: Event) {
        match (self.state, event) {
            (Proceeding | Completed, Again) => self.say(self.last),
            (Proceeding, R(status @ 100..=199)) => {
                self.last = status;
                self.say(status);
            }
            (Proceeding, R(status @ 200..=299)) => {
                self.go(Accepted);
                self.set('L', 64 * T1);
                self.say(status);
            }
            (Accepted, R(status @ 200..=299)) => self.say(status),
            (Proceeding, R(status)) => {
                self.go(Completed);
                self.last = status;
                self.set('H', 64 * T1);
                if !self.is_reliable {
                    self.set('G', T1);
                }
                self.say(status);
            }
            (Completed, Ack) => {
                self.go(Confirmed);
                self.set_unless_reliable('I', T4);
            }
            (Accepted, Ack) => self.tell("ack"),
            (Proceeding | Completed, TransportError) => self.tell("transport"),
            (_, Due) => match self.fires() {
                Some('G') => {
                    self.interval = T2.min(self.interval * 2);
                    self.set('G', self.interval);
                    self.say(self.last);
                }
                Some('H') => {
                    self.go(Terminated);
                    self.tell("timeout");
                }
                Some(_) => self.go(Terminated),
                None => {}
            },
            _ => {}
        }
    }

    /// RFC 3261, figure 8; a transport error as of RFC 6026 §8.8.
    fn figure_8(&mut self, event: Event) {
        match (self.state, event) {
            (Trying | Proceeding, R(status @ 100..=199)) => {
                self.go(Proceeding);
                self.last = status;
                self.say(status);
            }
            (Trying | Proceeding, R(status)) => {
                self.go(Completed);
                self.last = status;
                self.set_unless_reliable('J', 64 * T1);
                self.say(status);
            }
            (Proceeding | Completed, Again) => self.say(self.last),
            (Proceeding | Completed, TransportError) => self.tell("transport"),
            (Completed, Due) => {
                self.fires();
                self.go(Terminated);
            }
            _ => {}
        }
    }
}

/// A machine, and what it is told.
trait Machine {
    fn begin(now: Instant, flow: Flow, outbox: &mut Outbox) -> Self;
    fn happens(&mut self, now: Instant, event: Event, outbox: &mut Outbox) -> Option<&'static str>;
    fn due(&mut self, now: Instant, outbox: &mut Outbox) -> Option<Failure>;
    /// What was sent last on `flow` cannot be sent.
    fn fails(&mut self, flow: Flow, last: &Bytes) -> Option<&'static str>;
    fn state(&self) -> (bool, Option<Instant>);
}

fn told(failure: Option<Failure>) -> Option<&'static str> {
    failure.map(|failure| match failure {
        Failure::TimedOut => "timeout",
        Failure::Transport => "transport",
    })
}

impl Machine for InviteClient {
    fn begin(now: Instant, flow: Flow, outbox: &mut Outbox) -> Self {
        Self::start(now, plain("INVITE"), flow, timing(), outbox)
    }

    fn happens(&mut self, now: Instant, event: Event, outbox: &mut Outbox) -> Option<&'static str> {
        match event {
            R(status) => {
                self.receive(now, &response(status, "INVITE", "b"), outbox).then_some("response")
            }
            Again | Ack | Due | TransportError => None,
        }
    }

    fn fails(&mut self, _: Flow, _: &Bytes) -> Option<&'static str> {
        told(self.transport_failed())
    }

    fn due(&mut self, now: Instant, outbox: &mut Outbox) -> Option<Failure> {
        self.handle_timeout(now, outbox)
    }

    fn state(&self) -> (bool, Option<Instant>) {
        (self.is_terminated(), self.poll_timeout())
    }
}

impl Machine for NonInviteClient {
    fn begin(now: Instant, flow: Flow, outbox: &mut Outbox) -> Self {
        Self::start(now, plain("BYE"), flow, timing(), outbox)
    }

    fn happens(&mut self, now: Instant, event: Event, _: &mut Outbox) -> Option<&'static str> {
        match event {
            R(status) => self.receive(now, StatusCode::new(status).unwrap()).then_some("response"),
            Again | Ack | Due | TransportError => None,
        }
    }

    fn fails(&mut self, _: Flow, _: &Bytes) -> Option<&'static str> {
        told(self.transport_failed())
    }

    fn due(&mut self, now: Instant, outbox: &mut Outbox) -> Option<Failure> {
        self.handle_timeout(now, outbox)
    }

    fn state(&self) -> (bool, Option<Instant>) {
        (self.is_terminated(), self.poll_timeout())
    }
}

impl Machine for InviteServer {
    fn begin(_: Instant, flow: Flow, _: &mut Outbox) -> Self {
        Self::start(flow, timing(), &Bytes::from("100"))
    }

    fn happens(&mut self, now: Instant, event: Event, outbox: &mut Outbox) -> Option<&'static str> {
        match event {
            R(status) => {
                let text = Bytes::from(status.to_string());
                self.respond(now, StatusCode::new(status).unwrap(), &text, outbox);
                None
            }
            Again => {
                self.receive_invite(outbox);
                None
            }
            Ack => self.receive_ack(now).then_some("ack"),
            Due | TransportError => None,
        }
    }

    fn fails(&mut self, flow: Flow, last: &Bytes) -> Option<&'static str> {
        self.response_failed(flow, last).then_some("transport")
    }

    fn due(&mut self, now: Instant, outbox: &mut Outbox) -> Option<Failure> {
        self.handle_timeout(now, outbox)
    }

    fn state(&self) -> (bool, Option<Instant>) {
        (self.is_terminated(), self.poll_timeout())
    }
}

impl Machine for NonInviteServer {
    fn begin(_: Instant, flow: Flow, _: &mut Outbox) -> Self {
        Self::start(flow, timing())
    }

    fn happens(&mut self, now: Instant, event: Event, outbox: &mut Outbox) -> Option<&'static str> {
        match event {
            R(status) => {
                let text = Bytes::from(status.to_string());
                self.respond(now, StatusCode::new(status).unwrap(), &text, outbox);
                None
            }
            Again => {
                self.receive(outbox);
                None
            }
            Ack | Due | TransportError => None,
        }
    }

    fn fails(&mut self, flow: Flow, last: &Bytes) -> Option<&'static str> {
        self.response_failed(flow, last).then_some("transport")
    }

    fn due(&mut self, now: Instant, _: &mut Outbox) -> Option<Failure> {
        self.handle_timeout(now);
        None
    }

    fn state(&self) -> (bool, Option<Instant>) {
        (self.is_terminated(), self.poll_timeout())
    }
}

/// Lets a machine and its figure meet the same events.
fn meet<M: Machine>(
    order: &[Event],
    flow: Flow,
    mut figure: Figure,
    step: impl Fn(&mut Figure, Event),
) {
    let (start, mut outbox) = (Instant::now(), Outbox::default());
    let mut machine = M::begin(start, flow, &mut outbox);
    sent(&mut outbox);
    let (mut clock, mut last) = (start, Bytes::from("100"));
    for event in order {
        step(&mut figure, *event);
        let expected = figure.look();
        let mut told = None;
        match event {
            Due => {
                if let (_, Some(at)) = machine.state() {
                    clock = at.max(clock);
                    told = self::told(machine.due(clock, &mut outbox));
                }
            }
            TransportError => told = machine.fails(flow, &last),
            R(_) | Again | Ack => told = machine.happens(clock, *event, &mut outbox),
        }
        let sent = sent(&mut outbox);
        if let Some(text) = sent.last() {
            last = Bytes::from(text.clone());
        }
        let (is_terminated, next) = machine.state();
        let next = next.map(|at| u64::try_from((at - start).as_millis()).unwrap());
        let seen = Seen { sent, told, is_terminated, next };
        assert_eq!(seen, expected, "{event:?} in {order:?}");
    }
    assert!(clock - start <= Duration::from_secs(64));
}

/// All sequences of six, which begin with all shorter ones.
fn every<M: Machine>(all: &[Event], begin: impl Fn(bool) -> Figure, step: fn(&mut Figure, Event)) {
    for flow in [udp(), tcp()] {
        for number in 0..all.len().pow(6) {
            let digit = |place: u32| number / all.len().pow(place) % all.len();
            let order: Vec<_> = (0..6).map(|place| all[digit(place)]).collect();
            meet::<M>(&order, flow, begin(flow == tcp()), step);
        }
    }
}

#[test]
fn an_invite_client_follows_figure_5_in_every_sequence_of_six() {
    let begin = |is_reliable| {
        let mut figure = Figure::new(Calling, is_reliable);
        figure.set('B', 64 * T1);
        if !is_reliable {
            figure.set('A', T1);
        }
        figure
    };
    every::<InviteClient>(&[R(180), R(200), R(486), Due, TransportError], begin, Figure::figure_5);
}

#[test]
fn a_non_invite_client_follows_figure_6_in_every_sequence_of_six() {
    let begin = |is_reliable| {
        let mut figure = Figure::new(Trying, is_reliable);
        figure.set('F', 64 * T1);
        if !is_reliable {
            figure.set('E', T1);
        }
        figure
    };
    every::<NonInviteClient>(
        &[R(100), R(200), R(404), Due, TransportError],
        begin,
        Figure::figure_6,
    );
}

#[test]
fn an_invite_server_follows_figure_7_in_every_sequence_of_six() {
    let begin = |is_reliable| Figure::new(Proceeding, is_reliable);
    let all = [R(180), R(200), R(486), Again, Ack, Due, TransportError];
    every::<InviteServer>(&all, begin, Figure::figure_7);
}

#[test]
fn a_non_invite_server_follows_figure_8_in_every_sequence_of_six() {
    let begin = |is_reliable| Figure::new(Trying, is_reliable);
    let all = [R(100), R(182), R(200), R(404), Again, Due, TransportError];
    every::<NonInviteServer>(&all, begin, Figure::figure_8);
}
