//! One call of the load: its messages and how far it got.

use std::{fmt::Write as _, net::SocketAddr, time::Instant};

/// A call that was placed.
#[derive(Debug)]
pub(super) struct Call {
    /// When it should have begun.
    pub(super) due: Instant,
    pub(super) phase: Phase,
    /// What to send again if no answer comes.
    pub(super) request: String,
    /// The ACK, once there is one.
    pub(super) ack: Option<String>,
}

/// What a call waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    /// Any response to the INVITE.
    Calling,
    /// The final response to the INVITE.
    Proceeding,
    /// The answer to the BYE.
    Leaving,
    /// Nothing.
    Over,
}

/// Who calls whom.
#[derive(Clone, Copy, Debug)]
pub(super) struct Parties {
    pub(super) local: SocketAddr,
    pub(super) target: SocketAddr,
    /// Keeps the calls of one run apart from those of another.
    pub(super) run: u16,
}

impl Parties {
    pub(super) fn invite(&self, number: usize) -> String {
        let Self { local, target, run } = self;
        let sdp = format!(
            "v=0\r\no=- 1 1 IN IP4 {ip}\r\ns=-\r\nc=IN IP4 {ip}\r\nt=0 0\r\n\
             m=audio 9 RTP/AVP 0 8\r\na=ptime:20\r\n",
            ip = local.ip()
        );
        let uri = format!("sip:bench@{target}");
        let mut invite = self.head("INVITE", &uri, number, "", 1);
        let _ = write!(
            invite,
            "Contact: <sip:load-{run}@{local}>\r\nContent-Type: application/sdp\r\n\
             Content-Length: {}\r\n\r\n{sdp}",
            sdp.len()
        );
        invite
    }

    /// ACK or BYE, to where the 200 says.
    pub(super) fn in_dialog(&self, method: &str, number: usize, answer: &Answer<'_>) -> String {
        let cseq = if method == "ACK" { 1 } else { 2 };
        let mut request = self.head(method, answer.contact, number, answer.to_tag, cseq);
        request.push_str("Content-Length: 0\r\n\r\n");
        request
    }

    fn head(&self, method: &str, uri: &str, number: usize, to_tag: &str, cseq: u32) -> String {
        let Self { local, target, run } = self;
        let tag = if to_tag.is_empty() { String::new() } else { format!(";tag={to_tag}") };
        format!(
            "{method} {uri} SIP/2.0\r\n\
             Via: SIP/2.0/UDP {local};rport;branch=z9hG4bK{run}-{number}-{method}\r\n\
             Max-Forwards: 70\r\nFrom: <sip:load@{local}>;tag={run}-{number}\r\n\
             To: <sip:bench@{target}>{tag}\r\nCall-ID: {run}-{number}\r\nCSeq: {cseq} {method}\r\n"
        )
    }
}

/// What a caller reads of a response.
#[derive(Clone, Copy, Debug)]
pub(super) struct Answer<'a> {
    pub(super) status: u16,
    pub(super) number: usize,
    pub(super) method: &'a str,
    pub(super) to_tag: &'a str,
    pub(super) contact: &'a str,
}

impl<'a> Answer<'a> {
    /// `None` if it is no response to a call of this run.
    pub(super) fn of(text: &'a str, run: u16) -> Option<Self> {
        let status = text.strip_prefix("SIP/2.0 ")?.get(..3)?.parse().ok()?;
        let (of_run, number) = field(text, "Call-ID")?.split_once('-')?;
        if of_run.parse() != Ok(run) {
            return None;
        }
        let method = field(text, "CSeq")?.split_whitespace().nth(1)?;
        let to_tag = field(text, "To")?.split_once(";tag=").map_or("", |(_, tag)| tag);
        let contact = field(text, "Contact").unwrap_or_default();
        let contact = contact.split_once('<').map_or(contact, |(_, rest)| rest);
        let contact = contact.split_once('>').map_or(contact, |(uri, _)| uri);
        Some(Self { status, number: number.parse().ok()?, method, to_tag, contact })
    }
}

fn field<'a>(text: &'a str, wanted: &str) -> Option<&'a str> {
    let mut lines = text.lines().filter_map(|line| line.split_once(':'));
    lines.find(|(name, _)| name.trim().eq_ignore_ascii_case(wanted)).map(|(_, value)| value.trim())
}
