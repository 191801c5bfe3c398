//! A user agent with many accounts, and a registrar that grants whatever it is asked for.

use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    time::{Duration, Instant},
};

use bytes::BytesMut;
use offhook_sansio::{Datagram, Flow, Machine, Protocol, Random, Transmit};
use offhook_sip::{Config, Login, Registration, UserAgent};
use offhook_sip_message::{
    Contact, Expires, Message, NameAddr, Response, StatusCode, ValidRequest,
};

/// Accounts that are registered and stay so.
#[derive(Debug)]
pub struct Accounts {
    now: Instant,
    agent: UserAgent,
}

impl Accounts {
    /// An agent without accounts.
    pub fn new() -> Self {
        let config = Config {
            max_registrations: usize::MAX,
            max_transactions: usize::MAX,
            ..Config::default()
        };
        let mut agent = UserAgent::new(config, Random::from_seed(1));
        agent.listen(Protocol::Udp, PHONES, PHONES);
        Self { now: Instant::now(), agent }
    }

    /// Registers one more account, with a login.
    pub fn register(&mut self) {
        let number = self.agent.live_registrations();
        let (Ok(registrar), Ok(aor)) =
            ("sip:example.com".parse(), format!("sip:{number}@example.com").parse())
        else {
            unreachable!("the URIs are right");
        };
        let flow = Flow::udp(PHONES, REGISTRAR);
        let registration = Registration {
            logins: vec![Login::new("example.com", "user", "secret")],
            ..Registration::new(registrar, NameAddr::new(aor), flow)
        };
        let registered = self.agent.register(self.now, registration);
        assert!(registered.is_ok(), "{registered:?}");
        self.grant();
    }

    /// Lets time pass, with the refreshes that fall into it. Says how many there were.
    pub fn pass(&mut self, time: Duration) -> usize {
        let (end, mut refreshes) = (self.now + time, 0);
        while let Some(due) = self.agent.poll_timeout().filter(|due| *due <= end) {
            self.now = self.now.max(due);
            self.agent.handle_timeout(self.now);
            refreshes += self.grant();
        }
        self.now = end;
        refreshes
    }

    /// How many accounts and how many transactions there are.
    pub fn live(&self) -> (usize, usize) {
        (self.agent.live_registrations(), self.agent.live_transactions())
    }

    /// Answers what was sent.
    fn grant(&mut self) -> usize {
        let mut granted = 0;
        while let Some(sent) = self.agent.poll_transmit() {
            let payload = BytesMut::from(answer(&sent).as_slice());
            let flow = Flow::udp(PHONES, REGISTRAR);
            self.agent.receive(self.now, Datagram { flow, payload });
            granted += 1;
        }
        while self.agent.poll_event().is_some() {}
        granted
    }
}

impl Default for Accounts {
    fn default() -> Self {
        Self::new()
    }
}

/// 200 with the contact that was asked for, for an hour (RFC 3261 §10.3).
fn answer(sent: &Transmit) -> Vec<u8> {
    let Ok(Message::Request(request)) = Message::parse(sent.payload.clone()) else {
        unreachable!("an agent that only registers sends requests");
    };
    let request = ValidRequest::new(request, &Default::default());
    let contact = request.as_ref().ok().and_then(|it| it.header::<Contact>().ok().flatten());
    let (Ok(request), Some(contact)) = (request, contact) else {
        unreachable!("a REGISTER has a contact");
    };
    let reply = Response::reply_to(&request, StatusCode::OK).to_tag("registrar");
    let response = reply.header(&contact).header(&Expires(3_600)).build();
    response.map(|response| response.as_bytes().to_vec()).unwrap_or_default()
}

const PHONES: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1)), 5060);
const REGISTRAR: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::new(192, 0, 2, 7)), 5060);
