//! What it takes to route a message, read without a copy of anything (RFC 3261 §16.3, §17.1.3,
//! §17.2.3).

use crate::{
    HeaderName, Headers, ParseError, Profile, header::Known, headers::is_white, parse::Span,
};

mod cursor;
pub(crate) use cursor::Head;
use cursor::{Hop, Stop};

/// The parts of a message that a proxy or a transaction layer goes by, borrowed from its bytes.
///
/// Nothing is allocated to read it. Each part is what the typed header field of the same name would
/// give; of the parts that are not shown only the shape is looked at.
///
/// ```
/// use offhook_sip_message::Message;
///
/// let message = Message::parse(
///     "ACK sip:bob@biloxi.example SIP/2.0\r\n\
///      Via: SIP/2.0/UDP pc33.atlanta.example:5066;branch=z9hG4bK74b43\r\n\
///      Route: <sip:ss1.atlanta.example;lr>, <sip:ss2.biloxi.example;lr>\r\n\
///      f: Alice <sip:alice@atlanta.example>;tag=9fxced76sl\r\n\
///      t: Bob <sip:bob@biloxi.example>;tag=8321234356\r\n\
///      Call-ID: 3848276298220188511@atlanta.example\r\n\
///      CSeq: 1 ACK\r\n\r\n"
///         .into(),
/// )?;
/// let envelope = message.envelope()?;
/// assert_eq!(envelope.branch, Some("z9hG4bK74b43"));
/// assert_eq!((envelope.sent_by, envelope.port), ("pc33.atlanta.example", Some(5066)));
/// assert_eq!((envelope.from_tag, envelope.to_tag), (Some("9fxced76sl"), Some("8321234356")));
/// assert_eq!((envelope.cseq, envelope.cseq_method), (1, "ACK"));
/// assert_eq!(envelope.route, Some("sip:ss1.atlanta.example;lr"));
/// assert_eq!(envelope.max_forwards, None);
/// # Ok::<(), offhook_sip_message::ParseError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Envelope<'a> {
    /// The topmost `Via` as it stands (RFC 3261 §20.42).
    pub via: &'a str,
    /// The transport of the topmost `Via`, such as `UDP`.
    pub transport: &'a str,
    /// The host of the topmost `Via`, IPv6 with its brackets.
    pub sent_by: &'a str,
    /// The port of the topmost `Via`.
    pub port: Option<u16>,
    /// The branch of the topmost `Via`.
    pub branch: Option<&'a str>,
    /// The tag of `From` (RFC 3261 §20.20).
    pub from_tag: Option<&'a str>,
    /// The tag of `To` (RFC 3261 §20.39).
    pub to_tag: Option<&'a str>,
    /// `Call-ID` (RFC 3261 §20.8).
    pub call_id: &'a str,
    /// The number of `CSeq` (RFC 3261 §20.16).
    pub cseq: u32,
    /// The method of `CSeq`.
    pub cseq_method: &'a str,
    /// `Max-Forwards` (RFC 3261 §20.22).
    pub max_forwards: Option<u8>,
    /// The URI of the topmost `Route` as it stands (RFC 3261 §20.34).
    pub route: Option<&'a str>,
}

impl<'a> Envelope<'a> {
    /// Reads the envelope of a message.
    ///
    /// # Errors
    /// When `Via`, `From`, `To`, `Call-ID` or `CSeq` is missing, when one of them but `Via` comes
    /// twice, or when one of the parts breaks its grammar.
    pub fn of(headers: &'a Headers) -> Result<Self, ParseError> {
        let mut rows = Rows::default();
        for line in &headers.lines {
            if let Some(known) = line.known {
                let empty = holds_commas_only(known, line.value, &headers.bytes, headers.profile);
                if !empty {
                    rows.take(known, line.name.start(), line.value)?;
                }
            }
        }
        Self::read(&rows, &Head::of(&headers.bytes, rows.end, headers.profile))
    }

    /// Reads the envelope out of its rows.
    pub(crate) fn read(rows: &Rows, head: &Head<'a>) -> Result<Self, ParseError> {
        let via = head.required(rows.via, Known::Via)?;
        let hop = within(via.first_element().hop(), Known::Via)?;
        let from_tag = within(head.required(rows.from, Known::From)?.tag(), Known::From)?;
        let to_tag = within(head.required(rows.to, Known::To)?.tag(), Known::To)?;
        let call_id = within(head.required(rows.call_id, Known::CallId)?.call_id(), Known::CallId)?;
        let cseq = within(head.required(rows.cseq, Known::CSeq)?.cseq(), Known::CSeq)?;
        let max_forwards = match head.optional(rows.max_forwards, Known::MaxForwards)? {
            Some(value) => Some(within(value.only_number(), Known::MaxForwards)?),
            None => None,
        };
        let route = match head.optional(rows.route, Known::Route)? {
            Some(value) => Some(within(value.first_element().route(), Known::Route)?),
            None => None,
        };
        let Hop { via, transport, sent_by, port, branch } = hop;
        let (cseq, cseq_method) = cseq;
        Ok(Self {
            via,
            transport,
            sent_by,
            port,
            branch,
            from_tag,
            to_tag,
            call_id,
            cseq,
            cseq_method,
            max_forwards,
            route,
        })
    }
}

#[inline]
fn within<T>(read: Result<T, Stop>, known: Known) -> Result<T, ParseError> {
    match read {
        Ok(value) => Ok(value),
        Err(stop) => Err(stop.within(known)),
    }
}

/// Where the values stand that an envelope is read from.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Rows {
    via: Option<Span>,
    from: Option<Span>,
    to: Option<Span>,
    call_id: Option<Span>,
    cseq: Option<Span>,
    max_forwards: Option<Span>,
    route: Option<Span>,
    /// Where the last of them ends.
    pub(crate) end: usize,
}

impl Rows {
    /// Keeps `value` if it is of the envelope: the first row of a list, the only one of others.
    #[inline(always)]
    pub(crate) fn take(
        &mut self,
        known: Known,
        name: usize,
        value: Span,
    ) -> Result<(), ParseError> {
        let (place, is_list) = match known {
            Known::Via => (&mut self.via, true),
            Known::Route => (&mut self.route, true),
            Known::From => (&mut self.from, false),
            Known::To => (&mut self.to, false),
            Known::CallId => (&mut self.call_id, false),
            Known::CSeq => (&mut self.cseq, false),
            Known::MaxForwards => (&mut self.max_forwards, false),
            _ => return Ok(()),
        };
        match place {
            None => *place = Some(value),
            Some(_) if is_list => return Ok(()),
            Some(_) => return Err(comes_twice(known, name)),
        }
        self.end = self.end.max(value.end as usize);
        Ok(())
    }
}

#[cold]
fn comes_twice(known: Known, name: usize) -> ParseError {
    ParseError::new(name, "one such header field", "RFC 3261 §7.3.1")
        .within(HeaderName::known(known))
}

/// Whether a list has commas and nothing between them. The tolerant profile passes over that row:
/// the topmost value stands in a later one.
#[inline(always)]
pub(crate) fn holds_commas_only(known: Known, value: Span, bytes: &[u8], profile: Profile) -> bool {
    let is_list = matches!(known, Known::Via | Known::Route);
    is_list && profile == Profile::Tolerant && {
        let mut rest = value.of(bytes).iter().copied().skip_while(|byte| is_white(*byte));
        rest.next() == Some(b',') && rest.all(|byte| byte == b',' || is_white(byte))
    }
}

#[cfg(test)]
mod tests;
