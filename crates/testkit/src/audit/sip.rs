//! A message, read once for all rules.

use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use offhook_sip_message::{
    Contact, Header, HeaderName, Message, MinSe, RAck, RSeq, RecordRoute, Require, Route,
    SessionExpires, Supported, Uri, Via,
};

use super::description::Description;

/// A message, and what nearly all rules ask for.
#[derive(Debug)]
pub(super) struct Sip {
    message: Message,
    pub(super) line: Arc<str>,
    /// Equal for equal bytes.
    pub(super) fingerprint: u64,
    /// `None` for a response.
    pub(super) method: Option<String>,
    /// 0 for a request.
    pub(super) status: u16,
    pub(super) branch: String,
    pub(super) from_tag: String,
    pub(super) to_tag: Option<String>,
    pub(super) call_id: String,
    pub(super) cseq: u32,
    pub(super) cseq_method: String,
    pub(super) max_forwards: Option<u8>,
    hops: usize,
    /// Read when they are asked for.
    vias: OnceLock<Vec<Via>>,
    pub(super) description: Option<Description>,
}

impl Sip {
    /// `None` when it cannot be read.
    pub(super) fn read(bytes: Bytes, fingerprint: u64) -> Option<Self> {
        let message = Message::parse(bytes).ok()?;
        let envelope = message.envelope().ok()?;
        let owned = |text: Option<&str>| text.map(str::to_owned);
        let (method, status) = match &message {
            Message::Request(request) => (Some(request.method().as_str().to_owned()), 0),
            Message::Response(response) => (None, response.status().as_u16()),
        };
        let (branch, from_tag) = (owned(envelope.branch), owned(envelope.from_tag));
        let (to_tag, call_id) = (owned(envelope.to_tag), envelope.call_id.to_owned());
        let (cseq, cseq_method) = (envelope.cseq, envelope.cseq_method.to_owned());
        let max_forwards = envelope.max_forwards;
        let (line, hops) = (first_line(message.as_bytes()), count_vias(&message));
        let description = describes(&message).then(|| Description::read(&message.body()));
        Some(Self {
            line,
            fingerprint,
            method,
            status,
            branch: branch.unwrap_or_default(),
            from_tag: from_tag.unwrap_or_default(),
            to_tag,
            call_id,
            cseq,
            cseq_method,
            max_forwards,
            hops,
            vias: OnceLock::new(),
            description,
            message,
        })
    }

    pub(super) fn is_request(&self) -> bool {
        self.method.is_some()
    }

    /// Whether it is a request of this method.
    pub(super) fn is(&self, method: &str) -> bool {
        self.method.as_deref() == Some(method)
    }

    pub(super) fn is_provisional(&self) -> bool {
        (100..200).contains(&self.status)
    }

    pub(super) fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    pub(super) fn is_final(&self) -> bool {
        self.status >= 200
    }

    /// Whether a proxy has sent it on: there is a Via below that of the sender.
    pub(super) fn is_forwarded(&self) -> bool {
        self.hops > 1
    }

    /// The number of a reliable provisional response (RFC 3262 §3).
    pub(super) fn reliable(&self) -> Option<u32> {
        if !self.is_provisional() || self.status == 100 || !self.requires("100rel") {
            return None;
        }
        self.one::<RSeq>().map(|RSeq(number)| number)
    }

    pub(super) fn requires(&self, tag: &str) -> bool {
        self.all::<Require>().iter().any(|it| it.is(tag))
    }

    pub(super) fn supports(&self, tag: &str) -> bool {
        self.requires(tag) || self.all::<Supported>().iter().any(|it| it.is(tag))
    }

    pub(super) fn rack(&self) -> Option<RAck> {
        self.one()
    }

    pub(super) fn session_expires(&self) -> Option<SessionExpires> {
        self.one()
    }

    pub(super) fn min_se(&self) -> Option<u32> {
        self.one::<MinSe>().map(|min| min.seconds)
    }

    pub(super) fn uri(&self) -> Option<Uri> {
        match &self.message {
            Message::Request(request) => request.uri().ok(),
            Message::Response(_) => None,
        }
    }

    pub(super) fn contact(&self) -> Option<Uri> {
        self.one::<Contact>()?.uri().cloned()
    }

    pub(super) fn routes(&self) -> Vec<Uri> {
        self.all::<Route>().iter().map(|route| route.uri().clone()).collect()
    }

    pub(super) fn record_routes(&self) -> Vec<Uri> {
        self.all::<RecordRoute>().iter().map(|route| route.uri().clone()).collect()
    }

    pub(super) fn vias(&self) -> &[Via] {
        self.vias.get_or_init(|| self.all())
    }

    /// The first row of this name, as it stands.
    pub(super) fn raw(&self, name: HeaderName) -> &[u8] {
        self.message.headers().get_raw(name).unwrap_or_default()
    }

    fn one<H: Header>(&self) -> Option<H> {
        self.message.header().ok().flatten()
    }

    fn all<H: Header>(&self) -> Vec<H> {
        self.message.headers_of().filter_map(Result::ok).collect()
    }
}

fn count_vias(message: &Message) -> usize {
    match message.headers().count(HeaderName::VIA) {
        // One row may still hold many.
        1 => {
            let row = message.headers().get_raw(HeaderName::VIA).unwrap_or_default();
            if row.contains(&b',') { message.headers_of::<Via>().count() } else { 1 }
        }
        rows => rows,
    }
}

fn describes(message: &Message) -> bool {
    let kind = message.headers().get_raw(HeaderName::CONTENT_TYPE).unwrap_or_default();
    let is_sdp = kind.get(..SDP.len()).is_some_and(|it| it.eq_ignore_ascii_case(SDP));
    is_sdp && !message.body().is_empty()
}

/// The first line of a message, for people.
pub(super) fn first_line(bytes: &[u8]) -> Arc<str> {
    String::from_utf8_lossy(start_line(bytes)).into()
}

fn start_line(bytes: &[u8]) -> &[u8] {
    let mut lines = bytes.split(|byte| matches!(byte, b'\r' | b'\n'));
    lines.find(|line| !line.is_empty()).unwrap_or_default()
}

/// Whether the first line names the protocol: RTP, STUN and DNS do not.
pub(super) fn looks_like_sip(bytes: &[u8]) -> bool {
    let is_text = bytes.first().is_some_and(|byte| matches!(byte, b'A'..=b'z' | b'\r' | b'\n'));
    let line = if is_text { start_line(bytes) } else { return false };
    line.starts_with(VERSION) || line.ends_with(VERSION)
}

/// Whether bytes that cannot be read begin like a refusal.
pub(super) fn is_refusal(bytes: &[u8]) -> bool {
    start_line(bytes).starts_with(b"SIP/2.0 4")
}

const VERSION: &[u8] = b"SIP/2.0";

const SDP: &[u8] = b"application/sdp";
