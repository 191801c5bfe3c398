//! A datagram in outline: enough to route it, in one pass and without an index (RFC 3261 §16.3,
//! §18.3).

use crate::{
    ContentLength, Envelope, HeaderName, ParseError, ParseOptions, StatusCode,
    envelope::{Head, Rows, holds_commas_only},
    header::Known,
    message::plain_number,
    parse::{Class, Span, lines_of, start_of_message, take_class},
    request::{no_text, split_request_line},
    response::split_status_line,
};

/// The start line, the envelope and the body of a message, borrowed from its datagram.
///
/// It is what a proxy, a load balancer or a filter asks first. Nothing is allocated, and of the
/// header fields outside of the envelope only the ends are looked at, so that a message may have an
/// outline and still be refused by [`crate::Message::parse`]. What that takes has an outline if it
/// has an [`Envelope`].
///
/// ```
/// use offhook_sip_message::{Outline, ParseOptions, StartLine};
///
/// let datagram = b"SIP/2.0 180 Ringing\r\n\
///     Via: SIP/2.0/UDP pc33.atlanta.example;branch=z9hG4bKnashds8;received=192.0.2.1\r\n\
///     To: Bob <sip:bob@biloxi.example>;tag=a6c85cf\r\n\
///     From: Alice <sip:alice@atlanta.example>;tag=1928301774\r\n\
///     Call-ID: a84b4c76e66710\r\nCSeq: 314159 INVITE\r\nContent-Length: 0\r\n\r\n";
/// let outline = Outline::of(datagram, &ParseOptions::default())?;
/// assert_eq!(outline.start_line, StartLine::Response { status: 180.try_into()? });
/// assert_eq!(outline.envelope.branch, Some("z9hG4bKnashds8"));
/// assert!(outline.body.is_empty());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Outline<'a> {
    /// What the start line says.
    pub start_line: StartLine<'a>,
    /// What the message is routed by.
    pub envelope: Envelope<'a>,
    /// The body, as long as `Content-Length` tells; the rest of the datagram without it.
    pub body: &'a [u8],
}

/// A start line, borrowed (RFC 3261 §7.1, §7.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StartLine<'a> {
    /// The start line of a request.
    Request {
        /// The method.
        method: &'a str,
        /// The Request-URI as it stands.
        uri: &'a str,
    },
    /// The start line of a response.
    Response {
        /// The status code.
        status: StatusCode,
    },
}

impl<'a> Outline<'a> {
    /// Reads the outline of one datagram.
    ///
    /// # Errors
    /// When the datagram is not one whole message within the limits, or its envelope cannot be
    /// read.
    pub fn of(datagram: &'a [u8], options: &ParseOptions) -> Result<Self, ParseError> {
        let limits = &options.limits;
        if datagram.len() > limits.message.min(u32::MAX as usize) {
            return Err(ParseError::new(limits.message, "a smaller message", "RFC 3261 §21.5.7")
                .with_status(StatusCode::MESSAGE_TOO_LARGE));
        }
        let mut lines = lines_of(datagram, start_of_message(datagram), options);
        let start_line = lines.start_line()?;
        let (mut rows, mut length, mut count) = (Rows::default(), None, 0_usize);
        while let Some(row) = lines.row()? {
            // There are no more rows than bytes.
            count = count.wrapping_add(1);
            lines.check_row(row, count)?;
            let Some((known, value)) = field(datagram, row) else { continue };
            if known != Known::ContentLength {
                if !holds_commas_only(known, value, datagram, options.profile) {
                    rows.take(known, row.start(), value)?;
                }
            } else if length.replace(value).is_some() {
                let error = ParseError::new(row.start(), "one Content-Length", "RFC 3261 §20.14");
                return Err(error.within(HeaderName::CONTENT_LENGTH));
            }
        }
        let (head, rest) = datagram.split_at_checked(lines.position()).unwrap_or((datagram, b""));
        let body = match length {
            Some(length) => body(head, length, rest)?,
            None => rest,
        };
        if body.len() > limits.body {
            return Err(ParseError::new(head.len(), "a smaller body", "RFC 3261 §21.4.11")
                .with_status(StatusCode::REQUEST_ENTITY_TOO_LARGE));
        }
        let head = Head::of(head, rows.end, options.profile);
        let start_line = StartLine::of(datagram, start_line, &head, options)?;
        let envelope = Envelope::read(&rows, &head)?;
        Ok(Self { start_line, envelope, body })
    }
}

impl<'a> StartLine<'a> {
    fn of(
        bytes: &'a [u8],
        line: Span,
        head: &Head<'a>,
        options: &ParseOptions,
    ) -> Result<Self, ParseError> {
        let text = line.of(bytes);
        let place = |error: ParseError| error.moved_by(line.start());
        if text.get(..4).is_some_and(|start| start.eq_ignore_ascii_case(b"SIP/")) {
            let (status, _) = split_status_line(text, options.profile).map_err(place)?;
            return Ok(Self::Response { status });
        }
        let text = match head.text(line) {
            Some(text) => text,
            None => str::from_utf8(text).map_err(|error| no_text(line, &error))?,
        };
        if let Some((method, uri)) = plain_request_line(text) {
            return Ok(Self::Request { method, uri });
        }
        let (method, uri) = split_request_line(text).map_err(place)?;
        if !Class::TOKEN.covers(method) || method.is_empty() {
            return Err(ParseError::new(line.start(), "a method", "RFC 3261 §7.1"));
        }
        Ok(Self::Request { method, uri })
    }
}

/// The method and the Request-URI of a request line as nearly all are written, which
/// [`split_request_line`] splits at the same two spaces.
#[inline]
fn plain_request_line(text: &str) -> Option<(&str, &str)> {
    let start = text.strip_suffix(" SIP/2.0")?;
    let (method, rest) = take_class(start, Class::TOKEN);
    if method.is_empty() { None } else { Some((method, rest.strip_prefix(' ')?)) }
}

/// The name and the value of a row that the outline needs.
#[inline(always)]
fn field(bytes: &[u8], row: Span) -> Option<(Known, Span)> {
    let text = row.of(bytes);
    let (first, second) = (text.first()?, text.get(1)?);
    let (known, length) = match (first | 0x20, second) {
        (letter, b':' | b' ' | b'\t') => (COMPACT.iter().find(|(own, _)| *own == letter)?.1, 1),
        (b'v', _) => (Known::Via, spelled(text, b"Via")?),
        (b'f', _) => (Known::From, spelled(text, b"From")?),
        (b't', _) => (Known::To, spelled(text, b"To")?),
        (b'm', _) => (Known::MaxForwards, spelled(text, b"Max-Forwards")?),
        (b'r', _) => (Known::Route, spelled(text, b"Route")?),
        (b'c', b's' | b'S') => (Known::CSeq, spelled(text, b"CSeq")?),
        (b'c', b'a' | b'A') => (Known::CallId, spelled(text, b"Call-ID")?),
        (b'c', b'o' | b'O') => (Known::ContentLength, spelled(text, b"Content-Length")?),
        _ => return None,
    };
    value(text, row, length).map(|value| (known, value))
}

/// The length of `name`, if `text` starts with it and the name ends there.
#[inline(always)]
fn spelled<const N: usize>(text: &[u8], name: &[u8; N]) -> Option<usize> {
    let (start, rest) = text.split_first_chunk()?;
    let ends = matches!(rest, [b':' | b' ' | b'\t', ..]);
    // Nearly all names come as the registry spells them.
    (ends && (start == name || start.eq_ignore_ascii_case(name))).then_some(N)
}

/// The value behind a name of `name` bytes and a colon.
#[inline(always)]
fn value(text: &[u8], row: Span, name: usize) -> Option<Span> {
    let rest = text.get(name..)?;
    let white = if let [b':', ..] = rest { 0 } else { Class::WHITE.length(rest) };
    if rest.get(white) != Some(&b':') {
        return None;
    }
    // The colon is within the row.
    let value = text.len().wrapping_sub(rest.len()).wrapping_add(white).wrapping_add(1);
    Some(Span { start: row.start.wrapping_add(value as u32), end: row.end })
}

/// As much of `rest` as the `Content-Length` at `length` tells (RFC 3261 §18.3).
fn body<'a>(head: &[u8], length: Span, rest: &'a [u8]) -> Result<&'a [u8], ParseError> {
    let text = length.of(head).trim_ascii();
    let refuse = |expected, rfc| {
        ParseError::new(length.start(), expected, rfc).within(HeaderName::CONTENT_LENGTH)
    };
    let ContentLength(told) = plain_number(text)
        .map(ContentLength)
        .ok_or_else(|| refuse("a number", "RFC 3261 §20.14"))?;
    rest.get(..told)
        .ok_or_else(|| refuse("as many bytes of body as Content-Length tells", "RFC 3261 §18.3"))
}

/// The compact forms of what an outline needs (RFC 3261 §7.3.3).
const COMPACT: [(u8, Known); 5] = [
    (b'v', Known::Via),
    (b'f', Known::From),
    (b't', Known::To),
    (b'i', Known::CallId),
    (b'l', Known::ContentLength),
];

#[cfg(test)]
mod tests;
