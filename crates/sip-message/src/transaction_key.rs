//! What makes a message part of a transaction (RFC 3261 §17.1.3, §17.2.3).

use std::hash::{Hash, Hasher};

use crate::{Envelope, ParseError, Request, Response};

/// The key of a transaction, borrowed from a message: nothing is allocated to compute it.
///
/// Two requests with equal keys are of one transaction, a request and its copies, an INVITE and the
/// ACK to its failure. The hash follows the equality, so a key can be looked up in a table of
/// hashes and compared with that of the message stored there.
///
/// ```
/// use std::hash::BuildHasher;
///
/// use offhook_sip_message::{Message, Request, TransactionKey};
///
/// fn request(method: &str, host: &str) -> Request {
///     let text = format!(
///         "{method} sip:bob@biloxi.example SIP/2.0\r\nVia: SIP/2.0/UDP {host};branch=z9hG4bK776\r\n\
///          From: <sip:alice@atlanta.example>;tag=1\r\nTo: <sip:bob@biloxi.example>\r\n\
///          Call-ID: a84b\r\nCSeq: 1 {method}\r\n\r\n"
///     );
///     let Ok(Message::Request(request)) = Message::parse(text.into()) else { unreachable!() };
///     request
/// }
///
/// let (invite, ack) = (request("INVITE", "pc33.example"), request("ACK", "PC33.example:5060"));
/// let (invite, ack) = (TransactionKey::of_request(&invite)?, TransactionKey::of_request(&ack)?);
/// assert_eq!(invite, ack);
/// let hasher = std::hash::RandomState::new();
/// assert_eq!(hasher.hash_one(invite), hasher.hash_one(ack));
/// let cancel = request("CANCEL", "pc33.example");
/// let cancel = TransactionKey::of_request(&cancel)?;
/// assert_ne!(cancel, invite);
/// assert_eq!(cancel.with_method("INVITE"), invite);
/// # Ok::<(), offhook_sip_message::ParseError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TransactionKey<'a> {
    /// The branch begins with the magic cookie `z9hG4bK` (RFC 3261 §8.1.1.7) and goes on: it is
    /// unique within its sent-by.
    Branch {
        /// The branch of the topmost `Via`.
        branch: &'a str,
        /// The sender that the topmost `Via` names; `None` for what this side has sent, whose branch
        /// is its own.
        sent_by: Option<SentBy<'a>>,
        /// The method; INVITE for an ACK.
        method: &'a str,
    },
    /// It does not: a request of a client of RFC 2543, known by all of these.
    Fields {
        /// The Request-URI as it stands.
        request_uri: &'a str,
        /// The tag of `From`.
        from_tag: Option<&'a str>,
        /// The tag of `To`; `None` for an INVITE and its ACK, since that of the ACK is the one of
        /// the response (see [`Envelope::to_tag`]).
        to_tag: Option<&'a str>,
        /// `Call-ID`.
        call_id: &'a str,
        /// The number of `CSeq`.
        cseq: u32,
        /// The topmost `Via` as it stands.
        via: &'a str,
        /// The method; INVITE for an ACK.
        method: &'a str,
    },
}

/// The host and the port that a `Via` names (RFC 3261 §18.1.1). Hosts have no case, and a missing
/// port is the default one of the transport.
#[derive(Clone, Copy, Debug)]
pub struct SentBy<'a> {
    /// The host, IPv6 with its brackets.
    pub host: &'a str,
    /// The port.
    pub port: u16,
}

impl<'a> TransactionKey<'a> {
    /// The key of the server transaction that `request` makes or belongs to (RFC 3261 §17.2.3).
    ///
    /// # Errors
    /// When the [`Envelope`] cannot be read.
    pub fn of_request(request: &'a Request) -> Result<Self, ParseError> {
        let envelope = request.envelope()?;
        let method = match request.method_text() {
            "ACK" => "INVITE",
            method => method,
        };
        Ok(match envelope.branch {
            // The cookie alone names nothing (RFC 4475 §3.2.1).
            Some(branch) if branch.len() > COOKIE.len() && branch.starts_with(COOKIE) => {
                Self::Branch { branch, sent_by: Some(SentBy::of(&envelope)), method }
            }
            _ => Self::Fields {
                request_uri: request.uri_text(),
                from_tag: envelope.from_tag,
                to_tag: envelope.to_tag.filter(|_| method != "INVITE"),
                call_id: envelope.call_id,
                cseq: envelope.cseq,
                via: envelope.via,
                method,
            },
        })
    }

    /// The key of the client transaction of a request of our own (RFC 3261 §17.1.3). The
    /// method is that of `CSeq`.
    ///
    /// # Errors
    /// When the [`Envelope`] cannot be read.
    pub fn of_sent(request: &'a Request) -> Result<Self, ParseError> {
        request.envelope().map(|envelope| Self::of_client(&envelope))
    }

    /// The key of the client transaction that `response` belongs to (RFC 3261 §17.1.3).
    ///
    /// # Errors
    /// When the [`Envelope`] cannot be read.
    pub fn of_response(response: &'a Response) -> Result<Self, ParseError> {
        response.envelope().map(|envelope| Self::of_client(&envelope))
    }

    fn of_client(envelope: &Envelope<'a>) -> Self {
        let branch = envelope.branch.unwrap_or_default();
        Self::Branch { branch, sent_by: None, method: envelope.cseq_method }
    }

    /// The same key for another method: a CANCEL names its INVITE so (RFC 3261 §9.2).
    #[must_use]
    pub fn with_method(mut self, other: &'a str) -> Self {
        match &mut self {
            Self::Branch { method, .. } => *method = other,
            Self::Fields { method, to_tag, .. } => {
                *method = other;
                *to_tag = to_tag.filter(|_| other != "INVITE");
            }
        }
        self
    }
}

impl<'a> SentBy<'a> {
    fn of(envelope: &Envelope<'a>) -> Self {
        let port = envelope.port.unwrap_or_else(|| default_port(envelope.transport));
        Self { host: envelope.sent_by, port }
    }
}

/// The port that a `Via` of `transport` need not name (RFC 3261 §19.1.2, RFC 7118 §5.5).
fn default_port(transport: &str) -> u16 {
    let is = |other: &str| transport.eq_ignore_ascii_case(other);
    match transport.len() {
        2 if is("WS") => 80,
        3 if is("TLS") => 5061,
        3 if is("WSS") => 443,
        8 if is("TLS-SCTP") => 5061,
        _ => 5060,
    }
}

impl PartialEq for SentBy<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.port == other.port && self.host.eq_ignore_ascii_case(other.host)
    }
}

impl Eq for SentBy<'_> {}

impl Hash for SentBy<'_> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        for byte in self.host.bytes() {
            state.write_u8(byte.to_ascii_lowercase());
        }
        state.write_u16(self.port);
    }
}

/// What the branch of every client of RFC 3261 begins with (§8.1.1.7).
const COOKIE: &str = "z9hG4bK";

#[cfg(test)]
mod tests;
