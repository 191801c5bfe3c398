//! One user agent, and a server that writes its messages by hand.

use std::{
    collections::VecDeque,
    net::SocketAddr,
    time::{Duration, Instant},
};

use bytes::{Bytes, BytesMut};
use offhook_sansio::{Datagram, Flow, Machine, Protocol, Random};
use offhook_sip::{
    Challenger, Config, Event, Login, PublicationEvent, Registered, Registration,
    RegistrationEvent, RegistrationId, Role, User, UserAgent, Verdict,
};
use offhook_sip_message::{
    Message, NameAddr, ParseOptions, StatusCode, ValidRequest, ValidResponse,
};

pub(crate) const REALM: &str = "biloxi.example";

pub(crate) struct Stage {
    pub(crate) start: Instant,
    pub(crate) now: Instant,
    pub(crate) agent: UserAgent,
    pub(crate) events: VecDeque<Event>,
    pub(crate) out: VecDeque<(Flow, String)>,
    pub(crate) challenger: Challenger,
}

pub(crate) fn ours() -> SocketAddr {
    ([192, 0, 2, 1], 5060).into()
}

pub(crate) fn server() -> SocketAddr {
    ([198, 51, 100, 7], 5060).into()
}

pub(crate) fn udp() -> Flow {
    Flow::udp(ours(), server())
}

pub(crate) fn tcp() -> Flow {
    Flow { protocol: Protocol::Tcp, ..udp() }
}

pub(crate) fn tls() -> Flow {
    Flow { protocol: Protocol::Tls, ..udp() }
}

pub(crate) fn bob() -> NameAddr {
    NameAddr::new("sip:bob@biloxi.example".parse().unwrap())
}

pub(crate) fn login() -> Login {
    Login::new(REALM, "bob", "zanzibar")
}

/// A plain registration of Bob.
pub(crate) fn plain() -> Registration {
    Registration::new("sip:biloxi.example".parse().unwrap(), bob(), udp())
}

/// A registration with outbound over TCP.
pub(crate) fn outbound() -> Registration {
    Registration { instance: Some(INSTANCE.into()), reg_id: Some(1), flow: tcp(), ..plain() }
}

pub(crate) const INSTANCE: &str = "urn:uuid:00000000-0000-1000-8000-000A95A0E128";
pub(crate) const CONTACT: &str = "<sip:bob@192.0.2.1:5060>";

impl Stage {
    pub(crate) fn new() -> Self {
        Self::with(Config::default())
    }

    pub(crate) fn with(config: Config) -> Self {
        let mut agent = UserAgent::new(config, Random::from_seed(7));
        for protocol in [Protocol::Udp, Protocol::Tcp, Protocol::Tls] {
            agent.listen(protocol, ours(), ours());
        }
        let now = Instant::now();
        let mut random = Random::from_seed(9);
        Self {
            start: now,
            now,
            agent,
            events: VecDeque::new(),
            out: VecDeque::new(),
            challenger: Challenger::new(now, &mut random, Role::Server, REALM),
        }
    }

    pub(crate) fn drain(&mut self) {
        while let Some(event) = self.agent.poll_event() {
            self.events.push_back(event);
        }
        while let Some(sent) = self.agent.poll_transmit() {
            if sent.payload.first().is_some_and(|first| *first < 2) {
                // STUN, a character for each byte.
                let text = sent.payload.iter().copied().map(char::from).collect();
                self.out.push_back((sent.flow, text));
                continue;
            }
            let text = String::from_utf8(sent.payload.to_vec()).unwrap();
            if text.trim().is_empty() {
                self.out.push_back((sent.flow, text));
                continue;
            }
            match Message::parse(sent.payload).unwrap() {
                Message::Request(it) => drop(ValidRequest::new(it, &options()).unwrap()),
                Message::Response(it) => drop(ValidResponse::new(it, &options()).unwrap()),
            }
            self.out.push_back((sent.flow, text));
        }
    }

    /// Lets time go by.
    pub(crate) fn wait(&mut self, seconds: f64) {
        let end = self.now + Duration::from_secs_f64(seconds);
        while let Some(next) = self.agent.poll_timeout().filter(|next| *next <= end) {
            self.now = next.max(self.now);
            self.agent.handle_timeout(self.now);
            self.drain();
        }
        self.now = end;
    }

    /// Waits until something is sent, and gives how long that took.
    pub(crate) fn wait_until_sent(&mut self) -> Duration {
        let before = self.now;
        assert!(self.out.is_empty(), "{:?}", self.out);
        while self.out.is_empty() {
            self.now = self.agent.poll_timeout().expect("nothing is due").max(self.now);
            self.agent.handle_timeout(self.now);
            self.drain();
        }
        self.now - before
    }

    /// The only message that was sent since the last look.
    pub(crate) fn sent(&mut self) -> String {
        self.sent_on().1
    }

    pub(crate) fn sent_on(&mut self) -> (Flow, String) {
        self.drain();
        let sent = self.out.pop_front().expect("nothing was sent");
        assert!(self.out.is_empty(), "more was sent: {:?}", self.out);
        sent
    }

    /// The only message of STUN that was sent since the last look.
    pub(crate) fn sent_bytes_on(&mut self) -> (Flow, Vec<u8>) {
        let (flow, text) = self.sent_on();
        (flow, text.chars().map(|byte| u8::try_from(byte).unwrap()).collect())
    }

    /// Nothing was sent since the last look.
    pub(crate) fn is_silent(&mut self) -> bool {
        self.drain();
        self.out.is_empty()
    }

    pub(crate) fn receive(&mut self, flow: Flow, text: &str) {
        let bytes = text.replace("\r\n", "\n").replace('\n', "\r\n");
        self.receive_bytes(flow, bytes.as_bytes());
    }

    pub(crate) fn receive_bytes(&mut self, flow: Flow, bytes: &[u8]) {
        let payload = BytesMut::from(bytes);
        self.agent.receive(self.now, Datagram { flow, payload });
        self.drain();
    }

    /// Answers `request` on the flow of UDP.
    pub(crate) fn answer(&mut self, request: &str, status: &str, more: &str) {
        self.receive(udp(), &respond(request, status, more));
    }

    /// Answers a REGISTER with 200 and the contact that it had.
    pub(crate) fn grant(&mut self, request: &str, seconds: u32) {
        let contact = fields(request, "Contact").remove(0).to_owned();
        self.answer(request, "200 OK", &format!("Contact: {contact};expires={seconds}\n"));
    }

    /// Challenges a request.
    pub(crate) fn challenge(&mut self, request: &str) {
        let valid = parse(request);
        let verdict = self.challenger.check(self.now, &valid, |claim| user(claim.username()));
        let Verdict::Challenged(challenged) = verdict else { panic!("not challenged") };
        let reply = challenged.reply_to(&valid).to_tag("s").build().unwrap();
        let text = String::from_utf8(reply.as_bytes().to_vec()).unwrap();
        self.receive(udp(), &text);
    }

    pub(crate) fn authenticates(&mut self, request: &str) -> bool {
        let valid = parse(request);
        let verdict = self.challenger.check(self.now, &valid, |claim| user(claim.username()));
        matches!(verdict, Verdict::Authenticated(_))
    }

    /// Registers and gives the REGISTER.
    pub(crate) fn register(&mut self, registration: Registration) -> (RegistrationId, String) {
        let id = self.agent.register(self.now, registration).unwrap();
        (id, self.sent())
    }

    /// A registration that stands for an hour; its last REGISTER.
    pub(crate) fn registered(&mut self, registration: Registration) -> (RegistrationId, String) {
        let (id, register) = self.register(registration);
        self.grant(&register, 3600);
        assert!(matches!(self.registration(), RegistrationEvent::Registered(_)));
        (id, register)
    }

    pub(crate) fn event(&mut self) -> Event {
        self.drain();
        self.events.pop_front().expect("nothing was told")
    }

    pub(crate) fn is_quiet(&mut self) -> bool {
        self.drain();
        self.events.is_empty()
    }

    /// The next event, which is one of a registration.
    pub(crate) fn registration(&mut self) -> RegistrationEvent {
        match self.event() {
            Event::Registration { event, .. } => event,
            other => panic!("{other:?}"),
        }
    }

    /// What was granted, as the next event tells.
    pub(crate) fn granted(&mut self) -> Registered {
        match self.registration() {
            RegistrationEvent::Registered(registered) => *registered,
            other => panic!("{other:?}"),
        }
    }

    /// The status and the waiting time of the failure that the next event tells.
    pub(crate) fn failure(&mut self) -> (u16, Option<f64>) {
        match self.registration() {
            RegistrationEvent::Failed { status, retry_in, .. } => {
                (status.as_u16(), retry_in.map(|it| it.as_secs_f64()))
            }
            other => panic!("{other:?}"),
        }
    }

    /// How the registration ended, as the next event tells.
    pub(crate) fn unregistered(&mut self) -> Option<u16> {
        match self.registration() {
            RegistrationEvent::Unregistered { status } => status.map(StatusCode::as_u16),
            other => panic!("{other:?}"),
        }
    }

    /// The next event, which is one of a publication.
    pub(crate) fn publication(&mut self) -> PublicationEvent {
        match self.event() {
            Event::Publication { event, .. } => event,
            other => panic!("{other:?}"),
        }
    }

    /// Nothing is left behind, after the transactions have had their time.
    pub(crate) fn finish(&mut self) {
        self.wait(70.0);
        assert_eq!(self.agent.live_registrations(), 0);
        assert_eq!(self.agent.live_publications(), 0);
        assert_eq!(self.agent.waiting_requests(), 0);
        assert_eq!(self.agent.live_transactions(), 0);
        assert_eq!(self.agent.poll_timeout(), None);
    }
}

fn user(name: &str) -> Option<User> {
    (name == "bob").then(|| User::with_password("bob", "zanzibar"))
}

fn options() -> ParseOptions {
    ParseOptions::default()
}

pub(crate) fn parse(text: &str) -> ValidRequest {
    let Message::Request(request) = Message::parse(Bytes::from(text.to_owned())).unwrap() else {
        panic!("no request: {text}")
    };
    ValidRequest::new(request, &options()).unwrap()
}

/// The value of a header field of `message`.
pub(crate) fn field<'a>(message: &'a str, name: &str) -> &'a str {
    fields(message, name).first().unwrap_or_else(|| panic!("no {name} in {message}"))
}

pub(crate) fn fields<'a>(message: &'a str, name: &str) -> Vec<&'a str> {
    let value = |line: &'a str| line.strip_prefix(name)?.strip_prefix(": ");
    message.lines().filter_map(value).collect()
}

pub(crate) fn first_line(message: &str) -> &str {
    message.lines().next().unwrap()
}

pub(crate) fn cseq(message: &str) -> u32 {
    field(message, "CSeq").split(' ').next().unwrap().parse().unwrap()
}

/// A response to `request` with a To tag and more header fields.
pub(crate) fn respond(request: &str, status: &str, more: &str) -> String {
    let mut text = format!("SIP/2.0 {status}\n");
    for name in ["Via", "From", "Call-ID", "CSeq"] {
        text.push_str(&format!("{name}: {}\n", field(request, name)));
    }
    format!("{text}To: {};tag=s\n{more}Content-Length: 0\n\n", field(request, "To"))
}
