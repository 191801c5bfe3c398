//! Two user agents that call each other under any verbs, any passing of time, and a wire that
//! loses, repeats, reorders, breaks and invents datagrams.

mod events;
use events::Events;
mod in_calls;
mod outside;
use outside::Outside;

use std::{
    collections::VecDeque,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    time::{Duration, Instant},
};

use bytes::{Bytes, BytesMut};
use offhook_sansio::{Datagram, Flow, Machine, Protocol, Random, Transmit};
use offhook_sip::{Body, CallId, Config, Event, Invite, UserAgent};
use offhook_sip_message::{HeaderName, Message, Method, NameAddr, StatusCode, Uri};

use crate::{Promised, Script};

/// Runs the input as a list of operations on two user agents. At the end both hang up, the wire is
/// whole again, and nothing may be left.
pub fn user_agent(data: &[u8]) {
    let mut script = Script::new(data);
    let mut pair = Pair::new(script.u8());
    while !script.is_over() {
        match script.u8() {
            choice @ 0..128 => pair.carry(choice),
            choice @ 128..160 => pair.spoil(choice, &mut script),
            choice @ 160..176 => pair.invent(choice, &mut script),
            choice @ 176..192 => pair.sleep(Duration::from_millis(u64::from(choice & 15) * 40)),
            192..196 => drop(pair.sleep_until_due()),
            choice @ 196..198 => pair.act_outside(choice, &mut script),
            choice @ 198..200 => pair.act_on_events(choice, &mut script),
            choice @ 200..202 => pair.fail(choice),
            choice @ 202..204 => pair.act_in_call(choice, &mut script),
            choice => pair.act(choice, &mut script),
        }
    }
    pair.end();
}

struct Pair {
    now: Instant,
    sides: [Side; 2],
    /// What is on its way, and to whom.
    wire: VecDeque<(usize, Bytes)>,
}

struct Side {
    agent: UserAgent,
    /// The calls that the owner knows of.
    calls: Vec<CallId>,
    outside: Outside,
    events: Events,
    address: SocketAddr,
}

impl Pair {
    fn new(settings: u8) -> Self {
        let sides = [(1, ALICE), (2, BOB)].map(|(seed, address)| Side {
            agent: agent(seed, address, settings),
            calls: Vec::new(),
            outside: Outside::default(),
            events: Events::default(),
            address,
        });
        Self { now: Instant::now(), sides, wire: VecDeque::new() }
    }

    /// Carries one datagram of those on the way: mostly the first; sometimes another, or twice, or
    /// it is lost.
    fn carry(&mut self, choice: u8) {
        let place = if choice < 96 { 0 } else { usize::from(choice & 7) };
        let Some((to, payload)) = self.wire.remove(place) else { return };
        match choice & 31 {
            30 => {}
            31 => {
                self.receive(to, &payload);
                self.receive(to, &payload);
            }
            _ => self.receive(to, &payload),
        }
    }

    /// Breaks one octet of the first datagram, or cuts it, and carries it.
    fn spoil(&mut self, choice: u8, script: &mut Script<'_>) {
        let Some((to, payload)) = self.wire.pop_front() else { return };
        let place = usize::from(script.u16());
        let mut payload = BytesMut::from(payload.as_ref());
        match payload.get_mut(place) {
            Some(octet) if choice < 152 => *octet = script.u8(),
            Some(_) => payload.truncate(place),
            None => {}
        }
        self.receive(to, &payload);
    }

    /// Any octets arrive.
    fn invent(&mut self, choice: u8, script: &mut Script<'_>) {
        let length = usize::from(script.u8()).saturating_mul(4);
        let payload = script.take(length);
        self.receive(usize::from(choice & 1), payload);
    }

    fn receive(&mut self, to: usize, payload: &[u8]) {
        let now = self.now;
        let [alice, bob] = &mut self.sides;
        let (side, far) = if to == 0 { (alice, bob.address) } else { (bob, alice.address) };
        let flow = Flow::udp(side.address, far);
        side.agent.receive(now, Datagram { flow, payload: payload.into() });
        self.drain();
    }

    fn sleep(&mut self, time: Duration) {
        self.now += time;
        for side in &mut self.sides {
            side.agent.handle_timeout(self.now);
            let due = side.agent.poll_timeout();
            assert!(due.is_none_or(|due| due > self.now), "a handled timeout is over");
        }
        self.drain();
    }

    /// Tells whether anything was due.
    fn sleep_until_due(&mut self) -> bool {
        let due = self.sides.iter().filter_map(|side| side.agent.poll_timeout()).min();
        let Some(due) = due else { return false };
        self.sleep(due.saturating_duration_since(self.now));
        true
    }

    fn fail(&mut self, choice: u8) {
        let now = self.now;
        let [alice, bob] = &mut self.sides;
        let (side, far) = if choice & 1 == 0 { (alice, bob) } else { (bob, alice) };
        side.agent.transport_failed(now, Flow::udp(side.address, far.address));
        self.drain();
    }

    /// One verb on one call. That it does not fit the state is no fault.
    fn act(&mut self, choice: u8, script: &mut Script<'_>) {
        let now = self.now;
        let [alice, bob] = &mut self.sides;
        let (side, far) = if choice & 1 == 0 { (alice, bob) } else { (bob, alice) };
        let which = script.u8();
        if choice < 212 {
            let invite = invite(side.address, far.address, which);
            side.calls.extend(side.agent.invite(now, invite).ok());
            return self.drain();
        }
        let Some(&call) = side.calls.get(usize::from(which & 7)) else { return };
        let body = (which & 8 == 0).then(description);
        let agent = &mut side.agent;
        let done = match choice >> 1 {
            106..108 => agent.ring(now, call),
            108..110 => agent.progress(now, call, StatusCode::SESSION_PROGRESS, body),
            110..116 => agent.answer(now, call, body),
            116..118 => agent.reject(now, call, StatusCode::BUSY_HERE),
            118..120 => agent.reject_because(now, call, StatusCode::BAD_REQUEST, "no\r\nway"),
            120..122 => agent.acknowledge(now, call, body),
            122..125 => agent.reinvite(now, call, body),
            _ => agent.hang_up(now, call),
        };
        if let Err(error) = done {
            assert!(!error.to_string().is_empty());
        }
        self.drain();
    }

    /// One verb outside of calls.
    fn act_outside(&mut self, choice: u8, script: &mut Script<'_>) {
        let now = self.now;
        let [alice, bob] = &mut self.sides;
        let (side, far) = if choice & 1 == 0 { (alice, bob) } else { (bob, alice) };
        let flow = Flow::udp(side.address, far.address);
        side.outside.act(&mut side.agent, now, flow, script.u8());
        self.drain();
    }

    /// One verb about events, perhaps in the call that began last.
    fn act_on_events(&mut self, choice: u8, script: &mut Script<'_>) {
        let now = self.now;
        let [alice, bob] = &mut self.sides;
        let (side, far) = if choice & 1 == 0 { (alice, bob) } else { (bob, alice) };
        let flow = Flow::udp(side.address, far.address);
        let call = side.calls.last().copied();
        side.events.act(&mut side.agent, now, flow, call, script.u8());
        self.drain();
    }

    /// One more verb on one call. That it does not fit the state is no fault.
    fn act_in_call(&mut self, choice: u8, script: &mut Script<'_>) {
        let now = self.now;
        let [alice, bob] = &mut self.sides;
        let (side, far) = if choice & 1 == 0 { (alice, bob) } else { (bob, alice) };
        let flow = Flow::udp(side.address, far.address);
        let (which, verb) = (script.u8(), script.u8());
        let Some(&call) = side.calls.get(usize::from(which & 7)) else { return };
        match in_calls::act(&mut side.agent, now, call, flow, verb) {
            Ok(placed) => side.calls.extend(placed),
            Err(error) => assert!(!error.to_string().is_empty()),
        }
        self.drain();
    }

    /// Takes what the agents have to send and to tell.
    fn drain(&mut self) {
        for (index, side) in self.sides.iter_mut().enumerate() {
            let mut sent = 0;
            while let Some(Transmit { flow, payload }) = side.agent.poll_transmit() {
                sent += 1;
                assert!(sent <= MOST_SENT, "one operation sends few messages");
                assert_eq!(flow.local, side.address, "what is sent goes from where we listen");
                Message::parse(Bytes::copy_from_slice(&payload)).promised("our message is read");
                if self.wire.len() < LONGEST_WIRE && flow.remote.ip() != side.address.ip() {
                    self.wire.push_back((1 - index, Bytes::copy_from_slice(&payload)));
                }
            }
            while let Some(event) = side.agent.poll_event() {
                side.hear(event);
            }
        }
    }

    /// Both hang up and everything arrives.
    fn end(mut self) {
        for side in &mut self.sides {
            for call in side.calls.clone() {
                side.agent.hang_up(self.now, call).promised("a call that lives can be hung up");
            }
            side.outside.end(&mut side.agent, self.now);
            side.events.end(&mut side.agent, self.now);
        }
        self.drain();
        let mut steps = 0;
        loop {
            while !self.wire.is_empty() {
                self.carry(0);
                steps += 1;
            }
            // A call may have come of what was still on its way.
            if !self.sleep_until_due() {
                break;
            }
            self.hang_up_newcomers();
            steps += 1;
            assert!(steps < MOST_STEPS, "all comes to an end");
        }
        for side in &self.sides {
            assert_eq!(side.agent.live_calls(), 0, "no call is left");
            assert_eq!(side.agent.live_transactions(), 0, "no transaction is left");
            assert!(side.calls.is_empty(), "each call was said to be over");
            side.outside.check_over(&side.agent);
            side.events.check_over(&side.agent);
        }
    }

    fn hang_up_newcomers(&mut self) {
        for side in &mut self.sides {
            for call in side.calls.clone() {
                side.agent.hang_up(self.now, call).promised("hanging up twice is harmless");
            }
        }
        self.drain();
    }
}

impl Side {
    fn hear(&mut self, event: Event) {
        let Some(event) = self.outside.hear(event) else { return };
        let Some(event) = self.events.hear(event) else { return };
        match event {
            Event::Incoming { call, .. } => {
                assert!(!self.calls.contains(&call), "a new call has a new name");
                self.calls.push(call);
            }
            Event::Ended { call, .. } => {
                let known = self.calls.iter().position(|it| *it == call);
                self.calls.remove(known.ok_or(call).promised("a call ends once"));
            }
            other => assert!(!format!("{other:?}").is_empty()),
        }
    }
}

fn agent(seed: u64, address: SocketAddr, settings: u8) -> UserAgent {
    // Small tables are full soon.
    let full = settings & 1 == 1;
    let config = Config {
        max_calls: if full { 2 } else { 8 },
        max_transactions: if full { 6 } else { 64 },
        max_waiting_requests: if full { 1 } else { 8 },
        max_registrations: if full { 1 } else { 4 },
        answered_by_owner: vec![Method::MESSAGE, Method::REGISTER, Method::PUBLISH],
        ..Config::default()
    };
    let config = events::settings(in_calls::settings(settings, config));
    let mut agent = UserAgent::new(config, Random::from_seed(seed));
    agent.listen(Protocol::Udp, address, address);
    agent
}

fn invite(near: SocketAddr, far: SocketAddr, choice: u8) -> Invite {
    let headers = match choice & 16 {
        0 => Vec::new(),
        _ => vec![(HeaderName::EXPIRES, "2".into())],
    };
    let from = NameAddr::new(address_uri(near));
    Invite {
        body: (choice & 8 == 0).then(description),
        headers,
        ..Invite::new(address_uri(far), from, Flow::udp(near, far))
    }
}

/// Takes what is over out of what is known.
fn forget<T: PartialEq + std::fmt::Debug>(known: &mut Vec<T>, id: T) {
    let place = known.iter().position(|it| *it == id);
    known.remove(place.ok_or(id).promised("it ends once"));
}

fn address_uri(address: SocketAddr) -> Uri {
    format!("sip:someone@{address}").parse().promised("an address makes a URI")
}

fn description() -> Body {
    Body { content_type: "application/sdp".into(), content: Bytes::from_static(b"v=0\r\n") }
}

const ALICE: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1)), 5060);
const BOB: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::new(192, 0, 2, 2)), 5060);
/// Time that passes may repeat a message of each transaction several times over.
const MOST_SENT: usize = 4_000;
/// More is lost, as in the buffer of a router.
const LONGEST_WIRE: usize = 64;
/// What comes to its end has done so long before.
const MOST_STEPS: usize = 100_000;
