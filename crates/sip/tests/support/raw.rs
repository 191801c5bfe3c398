//! One user agent, and a peer that writes its messages by hand.

use std::{
    net::SocketAddr,
    time::{Duration, Instant},
};

use bytes::{Bytes, BytesMut};
use offhook_sansio::{Datagram, Flow, Machine, Protocol, Random};
use offhook_sip::{Body, CallId, Config, Event, Invite, UserAgent};
use offhook_sip_message::NameAddr;

pub(crate) struct Raw {
    pub(crate) now: Instant,
    pub(crate) agent: UserAgent,
    pub(crate) events: Vec<Event>,
    /// Where the last messages went.
    pub(crate) went: Vec<SocketAddr>,
}

pub(crate) fn ours() -> SocketAddr {
    ([192, 0, 2, 1], 5060).into()
}

pub(crate) fn theirs() -> SocketAddr {
    ([198, 51, 100, 7], 5070).into()
}

impl Raw {
    pub(crate) fn new() -> Self {
        Self::with(Config::default())
    }

    pub(crate) fn with(config: Config) -> Self {
        let mut agent = UserAgent::new(config, Random::from_seed(7));
        agent.listen(Protocol::Udp, ours(), ours());
        Self { now: Instant::now(), agent, events: Vec::new(), went: Vec::new() }
    }

    /// Sends `text`, with its line ends made CRLF, and gives what comes back.
    pub(crate) fn send(&mut self, text: &str) -> Vec<String> {
        self.send_bytes(text.replace("\r\n", "\n").replace('\n', "\r\n").as_bytes())
    }

    pub(crate) fn send_bytes(&mut self, bytes: &[u8]) -> Vec<String> {
        let flow = Flow::udp(ours(), theirs());
        self.agent.receive(self.now, Datagram { flow, payload: BytesMut::from(bytes) });
        self.drain()
    }

    pub(crate) fn wait(&mut self, millis: u64) -> Vec<String> {
        let end = self.now + Duration::from_millis(millis);
        let mut sent = Vec::new();
        while let Some(next) = self.agent.poll_timeout().filter(|next| *next <= end) {
            self.now = next.max(self.now);
            self.agent.handle_timeout(self.now);
            sent.extend(self.drain());
        }
        self.now = end;
        sent
    }

    pub(crate) fn drain(&mut self) -> Vec<String> {
        while let Some(event) = self.agent.poll_event() {
            self.events.push(event);
        }
        self.went.clear();
        let mut sent = Vec::new();
        while let Some(transmit) = self.agent.poll_transmit() {
            self.went.push(transmit.flow.remote);
            sent.push(String::from_utf8(transmit.payload.to_vec()).unwrap());
        }
        sent
    }

    /// Calls the peer and gives the INVITE.
    pub(crate) fn invite(&mut self, body: Option<&'static str>) -> (CallId, String) {
        let body = body.map(|text| Body {
            content_type: "application/sdp".into(),
            content: Bytes::from_static(text.as_bytes()),
        });
        self.invite_by(Invite { body, ..plain_invite() })
    }

    /// Places a call and gives the INVITE.
    pub(crate) fn invite_by(&mut self, invite: Invite) -> (CallId, String) {
        let call = self.agent.invite(self.now, invite).unwrap();
        let sent = self.drain();
        (call, sent[0].clone())
    }

    /// The call that came in last.
    pub(crate) fn incoming(&self) -> CallId {
        let call = |event: &Event| match event {
            Event::Incoming { call, .. } => Some(*call),
            _ => None,
        };
        self.events.iter().rev().find_map(call).unwrap()
    }
}

/// A call to the peer without offer.
pub(crate) fn plain_invite() -> Invite {
    let target = "sip:bob@198.51.100.7:5070".parse().unwrap();
    let from = NameAddr::new("sip:alice@example.com".parse().unwrap());
    Invite::new(target, from, Flow::udp(ours(), theirs()))
}

/// The value of a header field of `message`.
pub(crate) fn field<'a>(message: &'a str, name: &str) -> &'a str {
    let mut lines = message.lines();
    let value = |line: &'a str| line.strip_prefix(name)?.strip_prefix(": ");
    lines.find_map(value).unwrap_or_else(|| panic!("no {name} in {message}"))
}

pub(crate) fn fields<'a>(message: &'a str, name: &str) -> Vec<&'a str> {
    let value = |line: &'a str| line.strip_prefix(name)?.strip_prefix(": ");
    message.lines().filter_map(value).collect()
}

pub(crate) fn first_line(message: &str) -> &str {
    message.lines().next().unwrap()
}

/// A response to `request` with a To tag and more header fields.
pub(crate) fn respond(request: &str, status: &str, tag: &str, more: &str) -> String {
    let mut text = format!("SIP/2.0 {status}\n");
    for name in ["Via", "From", "Call-ID", "CSeq"] {
        text.push_str(&format!("{name}: {}\n", field(request, name)));
    }
    let to = field(request, "To");
    let tag = if to.contains(";tag=") { String::new() } else { format!(";tag={tag}") };
    format!("{text}To: {to}{tag}\n{more}\n")
}

/// A request of the peer.
pub(crate) fn request(method: &str, branch: &str, cseq: u32, to_tag: &str, more: &str) -> String {
    let tag = if to_tag.is_empty() { String::new() } else { format!(";tag={to_tag}") };
    format!(
        "{method} sip:alice@192.0.2.1 SIP/2.0\n\
         Via: SIP/2.0/UDP 198.51.100.7:5070;branch={branch};rport\n\
         Max-Forwards: 70\n\
         From: <sip:bob@example.org>;tag=bob\n\
         To: <sip:alice@example.com>{tag}\n\
         Call-ID: call-1@198.51.100.7\n\
         CSeq: {cseq} {method}\n\
         Contact: <sip:bob@198.51.100.7:5070>\n\
         {more}\n"
    )
}

pub(crate) fn tag_of(message: &str) -> String {
    field(message, "To").split(";tag=").nth(1).unwrap().to_owned()
}
