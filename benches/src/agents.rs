//! Two user agents that call each other in memory.

use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    time::{Duration, Instant},
};

use bytes::{Bytes, BytesMut};
use offhook_sansio::{Datagram, Flow, Machine, Protocol, Random};
use offhook_sip::{Body, CallId, Config, End, Error, Event, Invite, UserAgent};
use offhook_sip_message::{NameAddr, Uri};

/// A caller and a callee. Each call is a little later than the one before, on virtual time.
#[derive(Debug)]
pub struct Agents {
    now: Instant,
    pace: Duration,
    caller: UserAgent,
    callee: UserAgent,
    target: Uri,
    from: NameAddr,
    /// The calls that stay, as the caller and as the callee name them.
    held: (Vec<CallId>, Vec<CallId>),
    /// The call that came last to the callee.
    taken: Option<CallId>,
}

impl Agents {
    /// Two agents between which a call begins every `pace`.
    pub fn new(pace: Duration) -> Self {
        let agent = |seed, address| {
            let config = Config { max_calls: MOST, max_transactions: MOST, ..Config::default() };
            let mut agent = UserAgent::new(config, Random::from_seed(seed));
            agent.listen(Protocol::Udp, address, address);
            agent
        };
        Self {
            now: Instant::now(),
            pace,
            caller: agent(1, CALLER),
            callee: agent(2, CALLEE),
            target: parsed("sip:bob@192.0.2.2"),
            from: NameAddr::new(parsed("sip:alice@example.com")),
            held: (Vec::new(), Vec::new()),
            taken: None,
        }
    }

    /// One call: INVITE, 100, 180, 200, ACK, BYE, 200.
    pub fn call(&mut self) {
        self.place();
        let mut ends = 0;
        while ends < 2 {
            self.carry();
            ends += self.drive_callee() + self.drive_caller();
        }
        self.pass(self.pace);
    }

    /// A call that stays.
    pub fn hold(&mut self) {
        self.place();
        for _ in 0..ROUNDS {
            self.carry();
            self.drive_callee();
            while let Some(event) = self.caller.poll_event() {
                if let Event::Answered { call, .. } = event {
                    self.held.0.push(call);
                }
            }
        }
        self.held.1.extend(self.taken);
        self.pass(self.pace);
    }

    /// Modifies the sessions of all calls, from the caller's side and then from the callee's.
    pub fn modify(&mut self) {
        for by_caller in [true, false] {
            let calls = if by_caller { &self.held.0 } else { &self.held.1 };
            let agent = if by_caller { &mut self.caller } else { &mut self.callee };
            for call in calls {
                done(&agent.reinvite(self.now, *call, Some(sdp())));
            }
            for _ in 0..ROUNDS {
                self.carry();
                self.answer_changes();
            }
            self.pass(self.pace / 2);
        }
    }

    fn answer_changes(&mut self) {
        for agent in [&mut self.caller, &mut self.callee] {
            while let Some(event) = agent.poll_event() {
                if let Event::Reinvited { call, .. } = event {
                    done(&agent.answer(self.now, call, Some(sdp())));
                }
            }
        }
    }

    /// How many calls there are at the caller and at the callee.
    pub fn live_calls(&self) -> (usize, usize) {
        (self.caller.live_calls(), self.callee.live_calls())
    }

    /// How many transactions linger at the caller and at the callee.
    pub fn live_transactions(&self) -> (usize, usize) {
        (self.caller.live_transactions(), self.callee.live_transactions())
    }

    /// Lets time pass.
    pub fn pass(&mut self, time: Duration) {
        self.now += time;
        for agent in [&mut self.caller, &mut self.callee] {
            if agent.poll_timeout().is_some_and(|deadline| deadline <= self.now) {
                agent.handle_timeout(self.now);
            }
        }
    }

    fn place(&mut self) {
        let invite = Invite {
            body: Some(sdp()),
            ..Invite::new(self.target.clone(), self.from.clone(), Flow::udp(CALLER, CALLEE))
        };
        done(&self.caller.invite(self.now, invite).map(drop));
    }

    fn carry(&mut self) {
        carry(self.now, &mut self.caller, &mut self.callee);
        carry(self.now, &mut self.callee, &mut self.caller);
    }

    fn drive_callee(&mut self) -> usize {
        let mut ends = 0;
        while let Some(event) = self.callee.poll_event() {
            match event {
                Event::Incoming { call, .. } => {
                    self.taken = Some(call);
                    done(&self.callee.ring(self.now, call));
                    done(&self.callee.answer(self.now, call, Some(sdp())));
                }
                Event::Ended { end, .. } => {
                    assert_eq!(end, End::PeerHungUp);
                    ends += 1;
                }
                _ => {}
            }
        }
        ends
    }

    fn drive_caller(&mut self) -> usize {
        let mut ends = 0;
        while let Some(event) = self.caller.poll_event() {
            match event {
                Event::Answered { call, .. } => {
                    done(&self.caller.hang_up(self.now, call));
                }
                Event::Ended { end, .. } => {
                    assert_eq!(end, End::HungUp);
                    ends += 1;
                }
                _ => {}
            }
        }
        ends
    }
}

fn carry(now: Instant, from: &mut UserAgent, to: &mut UserAgent) {
    while let Some(sent) = from.poll_transmit() {
        let flow = Flow::udp(sent.flow.remote, sent.flow.local);
        to.receive(now, Datagram { flow, payload: BytesMut::from(sent.payload.as_ref()) });
    }
}

fn done(result: &Result<(), Error>) {
    assert_eq!(result, &Ok(()), "the verb fits the state");
}

fn sdp() -> Body {
    Body { content_type: "application/sdp".into(), content: Bytes::from_static(SDP) }
}

fn parsed<T: std::str::FromStr>(text: &str) -> T {
    let Ok(value) = text.parse() else { unreachable!("{text} is right") };
    value
}

const CALLER: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1)), 5060);
const CALLEE: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::new(192, 0, 2, 2)), 5060);
/// More calls and transactions than any bench has.
const MOST: usize = 10_000_000;
/// The INVITE, its responses, and the ACK.
const ROUNDS: usize = 3;
const SDP: &[u8] = b"v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\n\
m=audio 4000 RTP/AVP 0 8 101\r\na=rtpmap:101 telephone-event/8000\r\na=ptime:20\r\n";
