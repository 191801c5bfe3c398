//! Two user agents that call each other in memory.

use std::{
    net::SocketAddr,
    time::{Duration, Instant},
};

use bytes::{Bytes, BytesMut};
use offhook_sansio::{Datagram, Flow, Machine, Protocol, Random};
use offhook_sip::{Body, Config, End, Event, Invite, UserAgent};
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
        }
    }

    /// One call: INVITE, 100, 180, 200, ACK, BYE, 200.
    pub fn call(&mut self) {
        self.place();
        let mut ends = 0;
        while ends < 2 {
            self.carry();
            ends += self.drive_callee() + self.drive_caller(true);
        }
        self.pass(self.pace);
    }

    /// A call that stays.
    pub fn hold(&mut self) {
        self.place();
        while self.callee.live_calls() < self.caller.live_calls() || self.carry() {
            self.drive_callee();
            self.drive_caller(false);
        }
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
            target: self.target.clone(),
            flow: Flow::udp(CALLER, CALLEE),
            from: self.from.clone(),
            body: Some(sdp()),
            headers: Vec::new(),
            logins: Vec::new(),
        };
        self.caller.invite(self.now, invite).expect("there is room");
    }

    /// Carries what is to be sent; tells whether there was anything.
    fn carry(&mut self) -> bool {
        let there = carry(self.now, &mut self.caller, &mut self.callee);
        let back = carry(self.now, &mut self.callee, &mut self.caller);
        there || back
    }

    fn drive_callee(&mut self) -> usize {
        let mut ends = 0;
        while let Some(event) = self.callee.poll_event() {
            match event {
                Event::Incoming { call, .. } => {
                    self.callee.ring(self.now, call).expect("it waits");
                    self.callee.answer(self.now, call, Some(sdp())).expect("it waits");
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

    fn drive_caller(&mut self, hangs_up: bool) -> usize {
        let mut ends = 0;
        while let Some(event) = self.caller.poll_event() {
            match event {
                Event::Answered { call, .. } if hangs_up => {
                    self.caller.hang_up(self.now, call).expect("it stands");
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

fn carry(now: Instant, from: &mut UserAgent, to: &mut UserAgent) -> bool {
    let mut carried = false;
    while let Some(sent) = from.poll_transmit() {
        let flow = Flow::udp(sent.flow.remote, sent.flow.local);
        let payload = BytesMut::from(sent.payload.as_ref());
        to.receive(now, Datagram { flow, payload });
        carried = true;
    }
    carried
}

fn sdp() -> Body {
    Body { content_type: "application/sdp".into(), content: Bytes::from_static(SDP) }
}

fn parsed<T: std::str::FromStr>(text: &str) -> T {
    let Ok(value) = text.parse() else { unreachable!("{text} is right") };
    value
}

const CALLER: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 1)), 5060);
const CALLEE: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 2)), 5060);
/// More calls and transactions than any bench has.
const MOST: usize = 10_000_000;
const SDP: &[u8] = b"v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\n\
m=audio 4000 RTP/AVP 0 8 101\r\na=rtpmap:101 telephone-event/8000\r\na=ptime:20\r\n";
