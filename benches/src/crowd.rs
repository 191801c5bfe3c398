//! A user agent with many transactions.

use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    time::Instant,
};

use bytes::BytesMut;
use offhook_sansio::{Datagram, Flow, Machine, Protocol, Random};
use offhook_sip::{Config, Event, UserAgent};
use offhook_sip_message::StatusCode;

/// A callee whose refusals all wait for their ACK: as many INVITE server transactions live
/// (RFC 3261 §17.2.1, "Completed").
#[derive(Debug)]
pub struct Crowd {
    now: Instant,
    agent: UserAgent,
    next: u32,
    /// How many there are.
    len: u32,
}

impl Crowd {
    /// A callee with `len` transactions.
    pub fn new(len: u32) -> Self {
        let most = len as usize + 1;
        let config = Config { max_calls: most, max_transactions: most, ..Config::default() };
        let mut agent = UserAgent::new(config, Random::from_seed(1));
        agent.listen(Protocol::Udp, NEAR, NEAR);
        let mut crowd = Self { now: Instant::now(), agent, next: 0, len };
        (0..len).for_each(|number| crowd.refuse(number));
        assert_eq!(crowd.agent.live_transactions(), len as usize);
        crowd
    }

    /// One of the INVITEs comes again and is answered again, each time another.
    pub fn repeat(&mut self) {
        // A step that is no divisor of any length leads through all of them.
        self.next = (self.next + STEP) % self.len;
        self.receive(self.next);
        assert!(self.agent.poll_transmit().is_some(), "the answer is said again");
    }

    fn refuse(&mut self, number: u32) {
        self.receive(number);
        while let Some(event) = self.agent.poll_event() {
            if let Event::Incoming { call, .. } = event {
                let refused = self.agent.reject(self.now, call, StatusCode::BUSY_HERE);
                assert!(refused.is_ok(), "it waits");
            }
        }
        while self.agent.poll_transmit().is_some() {}
    }

    fn receive(&mut self, number: u32) {
        let payload = BytesMut::from(invite(number).as_bytes());
        self.agent.receive(self.now, Datagram { flow: Flow::udp(NEAR, FAR), payload });
    }
}

fn invite(number: u32) -> String {
    format!(
        "INVITE sip:bob@192.0.2.2 SIP/2.0\r\n\
         Via: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK{number:016x}\r\nMax-Forwards: 70\r\n\
         From: <sip:alice@example.com>;tag={number:016x}\r\nTo: <sip:bob@example.com>\r\n\
         Call-ID: {number:026x}\r\nCSeq: 1 INVITE\r\nContact: <sip:alice@192.0.2.1>\r\n\r\n"
    )
}

const FAR: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1)), 5060);
const NEAR: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::new(192, 0, 2, 2)), 5060);
/// A prime.
const STEP: u32 = 7_919;
