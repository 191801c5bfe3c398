//! An endpoint at a desk, and a peer that writes its messages by hand.

use std::{
    net::{IpAddr, SocketAddr},
    time::{Duration, Instant},
};

use bytes::{Bytes, BytesMut};
use offhook_codec::g711::{decode_mulaw, encode_mulaw};
use offhook_core::{CallId, Config, Ending, Endpoint, Event, Hold, MediaSockets, Outgoing};
use offhook_media::Heard;
use offhook_sansio::{Datagram, Flow, Machine, Protocol, Random, Transmit};
use offhook_sip_message::{
    HeaderName, Message, Method, ParseOptions, Request, RequestBuilder, Response, ResponseBuilder,
    StatusCode, ValidRequest,
};
use offhook_testkit::{Auditor, Rule, SoundCheck};

/// An endpoint, the clock, and what the peer got from it.
pub(crate) struct Desk {
    pub(crate) now: Instant,
    pub(crate) endpoint: Endpoint,
    /// Judges the endpoint, by what it had got from the peer.
    auditor: Auditor,
    pub(crate) events: Vec<Event>,
    /// What was told of holding: beside the events, for it may come with any of them.
    pub(crate) holds: Vec<Hold>,
    /// Where the endpoint has sent to last.
    pub(crate) last_flow: Option<Flow>,
    /// SIP messages that the peer got and has not looked at.
    pub(crate) inbox: Vec<Message>,
    /// Media and STUN that was sent and not looked at.
    pub(crate) media: Vec<Transmit>,
    /// Branches are numbered.
    branches: u32,
    cseq: u32,
    /// The dialog of an incoming call: the tag that the endpoint gave.
    pub(crate) tag: String,
    /// The next RTP packet of the peer.
    sequence: u16,
    pub(crate) ssrc: u32,
}

impl Desk {
    pub(crate) fn new() -> Self {
        Self::with(config())
    }

    pub(crate) fn with(config: Config) -> Self {
        Self::listening(config, ours())
    }

    pub(crate) fn listening(config: Config, public: SocketAddr) -> Self {
        let now = Instant::now();
        let mut endpoint = Endpoint::new(now, config, Random::from_seed(3));
        endpoint.listen(Protocol::Udp, ours(), public);
        Self {
            now,
            endpoint,
            auditor: Auditor::new(now),
            events: Vec::new(),
            holds: Vec::new(),
            last_flow: None,
            inbox: Vec::new(),
            media: Vec::new(),
            branches: 0,
            cseq: 0,
            tag: String::new(),
            sequence: 1,
            ssrc: 0x0506_0708,
        }
    }

    /// Does not hold the endpoint to `rules`.
    pub(crate) fn excuse(&mut self, rules: &[Rule], reason: &'static str) {
        rules.iter().for_each(|rule| self.auditor.excuse(*rule, reason));
    }

    /// Calls the peer and gives the INVITE.
    pub(crate) fn call(&mut self) -> (CallId, ValidRequest) {
        let outgoing = Outgoing::new(
            "sip:bob@198.51.100.7:5070".parse().unwrap(),
            Flow::udp(ours(), theirs()),
        );
        let call = self.endpoint.call(self.now, outgoing, sockets()).unwrap();
        self.drain();
        let invite = self.request(&Method::INVITE);
        (call, invite)
    }

    /// A call of ours that the peer has answered; gives the INVITE.
    pub(crate) fn called() -> (Self, CallId, ValidRequest) {
        let mut desk = Self::new();
        let (call, invite) = desk.call();
        desk.respond(&invite, StatusCode::OK, Some(&sdp("198.51.100.7", 4000, MUX)));
        desk.request(&Method::ACK);
        assert!(matches!(desk.event(), Event::Answered { .. }));
        (desk, call, invite)
    }

    /// A call of the peer's that was answered here.
    pub(crate) fn answered() -> (Self, CallId) {
        let mut desk = Self::new();
        let call = desk.invited(Some(&sdp("198.51.100.7", 4000, MUX)));
        desk.endpoint.answer(desk.now, call, sockets()).unwrap();
        desk.drain();
        desk.response(StatusCode::OK);
        desk.acknowledge(None);
        assert!(matches!(desk.event(), Event::Established { .. }));
        (desk, call)
    }

    /// The peer calls, with this offer.
    pub(crate) fn invited(&mut self, offer: Option<&str>) -> CallId {
        self.invite(offer);
        self.response(StatusCode::TRYING);
        match self.event() {
            Event::Incoming { call, .. } => call,
            other => panic!("{other:?}"),
        }
    }

    /// The peer sends an INVITE, first or later.
    pub(crate) fn invite(&mut self, offer: Option<&str>) {
        self.invite_with("application/sdp", offer);
    }

    pub(crate) fn invite_with(&mut self, content_type: &str, body: Option<&str>) {
        let mut invite = self.compose(&Method::INVITE);
        if let Some(body) = body {
            invite = invite.body(content_type, body.to_owned());
        }
        self.send(invite.build().unwrap().as_bytes());
    }

    /// The peer acknowledges what was last answered, with this answer.
    pub(crate) fn acknowledge(&mut self, answer: Option<&str>) {
        self.cseq -= 1;
        let mut ack = self.compose(&Method::ACK);
        if let Some(answer) = answer {
            ack = ack.body("application/sdp", answer.to_owned());
        }
        self.send(ack.build().unwrap().as_bytes());
    }

    /// The peer acknowledges the answer to its INVITE of this number, after other requests.
    pub(crate) fn cseq_of_ack(&mut self, cseq: u32) {
        let last = std::mem::replace(&mut self.cseq, cseq - 1);
        let ack = self.compose(&Method::ACK).build().unwrap();
        self.cseq = last;
        self.send(ack.as_bytes());
    }

    /// The peer acknowledges a refusal: a part of the INVITE's own transaction (RFC 3261 §17.1.1.3).
    pub(crate) fn acknowledge_refusal(&mut self) {
        self.branches -= 1;
        self.acknowledge(None);
    }

    /// The peer cancels its INVITE.
    pub(crate) fn cancel(&mut self) {
        self.branches -= 1;
        self.cseq -= 1;
        let cancel = self.compose(&Method::CANCEL).build().unwrap();
        self.send(cancel.as_bytes());
    }

    pub(crate) fn bye(&mut self) {
        let bye = self.compose(&Method::BYE).build().unwrap();
        self.send(bye.as_bytes());
    }

    /// The next request of the peer's call.
    pub(crate) fn compose(&mut self, method: &Method) -> RequestBuilder {
        self.branches += 1;
        self.cseq += 1;
        let tag = if self.tag.is_empty() { String::new() } else { format!(";tag={}", self.tag) };
        let via = format!("SIP/2.0/UDP 198.51.100.7:5070;branch=z9hG4bK{};rport", self.branches);
        Request::builder(method.clone(), &"sip:alice@192.0.2.1".parse().unwrap())
            .raw(HeaderName::VIA, &via)
            .raw(HeaderName::MAX_FORWARDS, "70")
            .raw(HeaderName::FROM, "<sip:bob@example.org>;tag=bob")
            .raw(HeaderName::TO, &format!("<sip:alice@example.com>{tag}"))
            .raw(HeaderName::CALL_ID, "call-1@198.51.100.7")
            .raw(HeaderName::CSEQ, &format!("{} {}", self.cseq, method.as_str()))
            .raw(HeaderName::CONTACT, "<sip:bob@198.51.100.7:5070>")
    }

    /// The peer responds, and its To tag is `bob`.
    pub(crate) fn respond(
        &mut self,
        request: &ValidRequest,
        status: StatusCode,
        sdp: Option<&str>,
    ) {
        self.respond_as("bob", request, status, sdp);
    }

    pub(crate) fn respond_as(
        &mut self,
        tag: &str,
        request: &ValidRequest,
        status: StatusCode,
        sdp: Option<&str>,
    ) {
        let mut builder = response(request, status, tag);
        if let Some(sdp) = sdp {
            builder = builder.body("application/sdp", sdp.to_owned());
        }
        self.send(builder.build().unwrap().as_bytes());
    }

    /// SIP bytes from the peer.
    pub(crate) fn send(&mut self, bytes: &[u8]) {
        self.deliver(Flow::udp(ours(), theirs()), bytes);
    }

    pub(crate) fn deliver(&mut self, flow: Flow, bytes: &[u8]) {
        self.auditor.delivered(ENDPOINT, self.now, flow, bytes);
        self.endpoint.receive(self.now, Datagram { flow, payload: BytesMut::from(bytes) });
        self.drain();
    }

    /// The peer says one frame of this level.
    pub(crate) fn say(&mut self, level: i16) {
        self.say_from(their_media(), level);
    }

    pub(crate) fn say_from(&mut self, from: SocketAddr, level: i16) {
        let packet = rtp(0, self.sequence, self.ssrc, level);
        self.sequence = self.sequence.wrapping_add(1);
        self.deliver(Flow::udp(our_media(), from), &packet);
    }

    /// Plays one frame.
    pub(crate) fn hear(&mut self, call: CallId) -> (Heard, Vec<i16>) {
        let mut frame = vec![0; FRAME];
        let heard = self.endpoint.play_audio(self.now, call, &mut frame).unwrap();
        (heard, frame)
    }

    /// Talks both ways for a while: whether each frame of the peer was heard, the levels that the
    /// peer got, and where they were sent.
    pub(crate) fn talk(&mut self, call: CallId, frames: usize) -> Talk {
        let mut talk = Talk::default();
        for index in 0..frames {
            let level = 500 + 100 * (index % 50) as i16;
            self.say(level);
            talk.said.extend([decode_mulaw(encode_mulaw(level)); FRAME]);
            self.endpoint.send_audio(self.now, call, &[2000; FRAME]).unwrap();
            self.drain();
            talk.heard.extend(self.hear(call).1);
            self.wait(FRAME_TIME);
        }
        let sent = std::mem::take(&mut self.media);
        talk.sent = sent.into_iter().filter(|sent| !offhook_rtp::is_rtcp(&sent.payload)).collect();
        talk
    }

    /// Plays what comes for a while, and says nothing.
    pub(crate) fn listen(&mut self, call: CallId, frames: usize) {
        for _ in 0..frames {
            self.hear(call);
            self.wait(FRAME_TIME);
        }
    }

    pub(crate) fn wait(&mut self, time: Duration) {
        let end = self.now + time;
        while let Some(next) = self.endpoint.poll_timeout().filter(|next| *next <= end) {
            self.now = next.max(self.now);
            self.endpoint.handle_timeout(self.now);
            self.drain();
        }
        self.now = end;
    }

    /// Waits until a message comes, at most for `time`.
    pub(crate) fn wait_for_message(&mut self, time: Duration) {
        let end = self.now + time;
        while self.inbox.is_empty() && self.events.is_empty() && self.now < end {
            self.wait(Duration::from_millis(10));
        }
    }

    pub(crate) fn drain(&mut self) {
        while let Some(event) = self.endpoint.poll_event() {
            match event {
                Event::Hold { hold, .. } => self.holds.push(hold),
                event => self.events.push(event),
            }
        }
        while let Some(transmit) = self.endpoint.poll_transmit() {
            assert!(!transmit.flow.remote.ip().is_unspecified(), "sent into the void");
            self.auditor.sent(ENDPOINT, self.now, transmit.flow, &transmit.payload);
            self.last_flow = Some(transmit.flow);
            let is_stun = transmit.payload.first().is_some_and(|first| *first < 4);
            match transmit.flow.local == ours() && !is_stun {
                true => self.inbox.push(Message::parse(transmit.payload).unwrap()),
                false => self.media.push(transmit),
            }
        }
    }

    /// The next request in the inbox, which must be of this method.
    pub(crate) fn request(&mut self, method: &Method) -> ValidRequest {
        assert!(!self.inbox.is_empty(), "no {} came", method.as_str());
        match self.inbox.remove(0) {
            Message::Request(request) if request.method() == *method => {
                ValidRequest::new(request, &ParseOptions::default()).unwrap()
            }
            other => panic!("no {}: {:?}", method.as_str(), other.as_bytes()),
        }
    }

    /// The next response in the inbox, which must be of this status.
    pub(crate) fn response(&mut self, status: StatusCode) -> Response {
        assert!(!self.inbox.is_empty(), "no {} came", status.as_u16());
        match self.inbox.remove(0) {
            Message::Response(response) if response.status() == status => {
                let to = response.header::<offhook_sip_message::To>().unwrap().unwrap();
                if status.is_success() {
                    self.tag = to.tag().unwrap_or_default().to_owned();
                }
                response
            }
            other => panic!("no {}: {:?}", status.as_u16(), other.as_bytes()),
        }
    }

    /// The next event.
    pub(crate) fn event(&mut self) -> Event {
        assert!(!self.events.is_empty(), "no event");
        self.events.remove(0)
    }

    /// The next event, which must be the end.
    pub(crate) fn ending(&mut self) -> Ending {
        match self.event() {
            Event::Ended { ending, .. } => ending,
            other => panic!("not ended: {other:?}"),
        }
    }

    /// Takes the BYE of the endpoint and answers it.
    pub(crate) fn answer_bye(&mut self) {
        let bye = self.request(&Method::BYE);
        self.respond(&bye, StatusCode::OK, None);
    }

    /// Nothing is left of any call once the timers have run out.
    pub(crate) fn check_empty(&mut self) {
        self.wait(Duration::from_secs(100));
        assert_eq!(self.endpoint.live_calls(), 0);
        assert_eq!(self.endpoint.agent().live_calls(), 0);
        assert_eq!(self.endpoint.agent().live_transactions(), 0);
        assert_eq!(self.endpoint.poll_timeout(), None);
        let outgoing =
            Outgoing::new("sip:bob@198.51.100.7".parse().unwrap(), Flow::udp(ours(), theirs()));
        self.endpoint.call(self.now, outgoing, sockets()).unwrap();
    }
}

impl Drop for Desk {
    /// Whatever the peer did, the endpoint has kept the rules.
    fn drop(&mut self) {
        if !std::thread::panicking() {
            assert_eq!(self.auditor.breaches(), [], "breaches of the protocol");
        }
    }
}

/// The party that is judged.
const ENDPOINT: usize = 0;

/// What both said and what became of it.
#[derive(Debug, Default)]
pub(crate) struct Talk {
    pub(crate) said: Vec<i16>,
    pub(crate) heard: Vec<i16>,
    /// The RTP packets that the endpoint sent.
    pub(crate) sent: Vec<Transmit>,
}

impl Talk {
    /// Every frame but the last few, which still wait to be played, was heard to the sample.
    pub(crate) fn was_heard(&self) -> bool {
        self.was_heard_from(0)
    }

    /// The same for sound that begins again: its first frame is faded in.
    pub(crate) fn was_heard_again(&self) -> bool {
        self.was_heard_from(1)
    }

    fn was_heard_from(&self, first: usize) -> bool {
        let check = SoundCheck::new(&self.said, &self.heard, FRAME);
        let frames = self.said.len() / FRAME;
        let excused = |missing: &usize| *missing < first || missing + 4 >= frames;
        check.invented.len() <= first && check.missing.iter().all(excused)
    }

    /// Where the endpoint's sound went, if it all went to one place.
    pub(crate) fn went_to(&self) -> Option<SocketAddr> {
        let first = self.sent.first()?.flow.remote;
        self.sent.iter().all(|sent| sent.flow.remote == first).then_some(first)
    }
}

pub(crate) fn response(request: &ValidRequest, status: StatusCode, tag: &str) -> ResponseBuilder {
    let builder =
        Response::reply_to(request, status).raw(HeaderName::CONTACT, "<sip:bob@198.51.100.7:5070>");
    if request.to().tag().is_none() { builder.to_tag(tag) } else { builder }
}

/// A session description of the peer with G.711 µ-law at `address` and more lines at its end.
pub(crate) fn sdp(address: &str, port: u16, more: &str) -> String {
    format!(
        "v=0\r\no=bob 1 1 IN IP4 198.51.100.7\r\ns=-\r\nc=IN IP4 {address}\r\nt=0 0\r\n\
         m=audio {port} RTP/AVP 0\r\n{more}"
    )
}

/// An RTP packet whose 160 samples all have this level.
pub(crate) fn rtp(payload_type: u8, sequence: u16, ssrc: u32, level: i16) -> Vec<u8> {
    let mut packet = vec![0x80, payload_type];
    packet.extend(sequence.to_be_bytes());
    packet.extend((u32::from(sequence) * FRAME as u32).to_be_bytes());
    packet.extend(ssrc.to_be_bytes());
    packet.extend([encode_mulaw(level); FRAME]);
    packet
}

pub(crate) fn text(body: &Bytes) -> String {
    String::from_utf8(body.to_vec()).unwrap()
}

pub(crate) fn config() -> Config {
    Config::new("sip:alice@192.0.2.1".parse().unwrap())
}

pub(crate) fn ours() -> SocketAddr {
    ([192, 0, 2, 1], 5060).into()
}

pub(crate) fn theirs() -> SocketAddr {
    (THEIR_HOST, 5070).into()
}

pub(crate) fn our_media() -> SocketAddr {
    ([192, 0, 2, 1], 4000).into()
}

pub(crate) fn their_media() -> SocketAddr {
    (THEIR_HOST, 4000).into()
}

pub(crate) fn sockets() -> MediaSockets {
    MediaSockets::pair(our_media())
}

pub(crate) const THEIR_HOST: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(198, 51, 100, 7));
pub(crate) const MUX: &str = "a=rtcp-mux\r\n";
pub(crate) const FRAME: usize = 160;
pub(crate) const FRAME_TIME: Duration = Duration::from_millis(20);
