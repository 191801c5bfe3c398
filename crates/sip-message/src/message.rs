//! A message: a request or a response (RFC 3261 §7), out of a datagram (§18.3).

use bytes::{Buf, Bytes};

use crate::{
    ContentLength, Envelope, Header, HeaderName, Headers, ParseError, ParseOptions, Request,
    Response, StatusCode, Values,
    parse::{Scan, start_of_message},
};

/// A SIP message: its bytes as they came, and where everything stands in them.
#[derive(Clone, Debug)]
pub enum Message {
    /// A request.
    Request(Request),
    /// A response.
    Response(Response),
}

impl Message {
    /// Parses one datagram with the default [`ParseOptions`].
    ///
    /// Without a `Content-Length` the body is the rest of the datagram; bytes beyond the stated
    /// length are dropped (RFC 3261 §18.3).
    ///
    /// # Errors
    /// When the datagram is not one whole message. [`crate::Rejection::salvage`] may still find
    /// what it takes to answer it.
    pub fn parse(datagram: Bytes) -> Result<Self, ParseError> {
        Self::parse_with(datagram, &ParseOptions::default())
    }

    /// Parses one datagram; see [`Message::parse`].
    ///
    /// # Errors
    /// When the datagram is not one whole message within the limits.
    pub fn parse_with(datagram: Bytes, options: &ParseOptions) -> Result<Self, ParseError> {
        let skipped = start_of_message(&datagram);
        let mut bytes = datagram;
        bytes.advance(skipped);
        let message = Self::parse_bytes(bytes, options);
        message.map_err(|error| error.moved_by(skipped))
    }

    #[inline(always)]
    fn parse_bytes(bytes: Bytes, options: &ParseOptions) -> Result<Self, ParseError> {
        let scan = Scan::new(&bytes, 0, options)?;
        let body = scan.body;
        let mut message = Self::index(bytes, scan, options)?;
        let room = message.as_bytes().len().saturating_sub(body);
        let length = body_length(message.headers(), room)?;
        if length > options.limits.body {
            return Err(ParseError::new(body, "a smaller body", "RFC 3261 §21.4.11")
                .with_status(StatusCode::REQUEST_ENTITY_TOO_LARGE));
        }
        message.headers_mut().bytes.truncate(body.saturating_add(length));
        options_check(&message, options)?;
        Ok(message)
    }

    /// Reads the start line and keeps the index.
    #[inline(always)]
    pub(crate) fn index(
        bytes: Bytes,
        scan: Scan,
        options: &ParseOptions,
    ) -> Result<Self, ParseError> {
        let start_line = scan.start_line.of(&bytes);
        let is_response =
            start_line.get(..4).is_some_and(|start| start.eq_ignore_ascii_case(b"SIP/"));
        if is_response {
            return Response::index(bytes, scan, options.profile).map(Self::Response);
        }
        Request::index(bytes, scan, options.profile).map(Self::Request)
    }

    /// All header fields.
    pub fn headers(&self) -> &Headers {
        match self {
            Self::Request(request) => request.headers(),
            Self::Response(response) => response.headers(),
        }
    }

    fn headers_mut(&mut self) -> &mut Headers {
        match self {
            Self::Request(request) => &mut request.headers,
            Self::Response(response) => &mut response.headers,
        }
    }

    /// The body; empty when there is none.
    pub fn body(&self) -> Bytes {
        match self {
            Self::Request(request) => request.body(),
            Self::Response(response) => response.body(),
        }
    }

    /// The whole message as it came.
    pub fn as_bytes(&self) -> &Bytes {
        &self.headers().bytes
    }

    /// What it takes to route the message, read without a copy of anything.
    ///
    /// # Errors
    /// When a part of it is missing, comes twice or breaks its grammar.
    pub fn envelope(&self) -> Result<Envelope<'_>, ParseError> {
        Envelope::of(self.headers())
    }

    /// The first value of the header field `H`.
    ///
    /// # Errors
    /// When the value does not follow the grammar of `H`.
    pub fn header<H: Header>(&self) -> Result<Option<H>, ParseError> {
        self.headers().header()
    }

    /// All values of the header field `H`: lists are split, rows are joined.
    pub fn headers_of<H: Header>(&self) -> Values<'_, H> {
        self.headers().headers_of()
    }
}

/// What requests and responses have in common.
macro_rules! common {
    ($message:ty) => {
        impl $message {
            /// All header fields.
            pub fn headers(&self) -> &Headers {
                &self.headers
            }

            /// The body; empty when there is none.
            pub fn body(&self) -> Bytes {
                self.headers.bytes.slice(self.body.min(self.headers.bytes.len())..)
            }

            /// The whole message as it came.
            pub fn as_bytes(&self) -> &Bytes {
                &self.headers.bytes
            }

            /// What it takes to route the message, read without a copy of anything.
            ///
            /// # Errors
            /// When a part of it is missing, comes twice or breaks its grammar.
            pub fn envelope(&self) -> Result<Envelope<'_>, ParseError> {
                Envelope::of(&self.headers)
            }

            /// The first value of the header field `H`.
            ///
            /// # Errors
            /// When the value does not follow the grammar of `H`.
            pub fn header<H: Header>(&self) -> Result<Option<H>, ParseError> {
                self.headers.header()
            }

            /// All values of the header field `H`: lists are split, rows are joined.
            pub fn headers_of<H: Header>(&self) -> Values<'_, H> {
                self.headers.headers_of()
            }
        }
    };
}
pub(crate) use common;

/// The length of the body, of which `room` bytes are there (RFC 3261 §18.3, §20.14).
fn body_length(headers: &Headers, room: usize) -> Result<usize, ParseError> {
    let Some((at, length)) = content_length(headers)? else { return Ok(room) };
    if length > room {
        let expected = "as many bytes of body as Content-Length tells";
        return Err(
            ParseError::new(at, expected, "RFC 3261 §18.3").within(HeaderName::CONTENT_LENGTH)
        );
    }
    Ok(length)
}

/// The place and the value of `Content-Length`. Two of them leave the length open to choice, which
/// is how one message is smuggled in another (RFC 4475 §3.3.9).
pub(crate) fn content_length(headers: &Headers) -> Result<Option<(usize, usize)>, ParseError> {
    let mut rows = headers.rows(&HeaderName::CONTENT_LENGTH);
    let Some(first) = rows.next() else { return Ok(None) };
    if let Some(second) = rows.next() {
        return Err(ParseError::new(second.name.start(), "one Content-Length", "RFC 3261 §20.14")
            .within(HeaderName::CONTENT_LENGTH));
    }
    let length = match plain_number(headers.raw(first)) {
        Some(length) => Some(length),
        None => headers.header::<ContentLength>()?.map(|ContentLength(length)| length),
    };
    Ok(length.map(|length| (first.value.start(), length)))
}

/// The number, when the value is nothing but digits; all else is for the typed header to judge.
pub(crate) fn plain_number(raw: &[u8]) -> Option<usize> {
    let digit = |number: usize, byte: &u8| {
        let digit = byte.checked_sub(b'0').filter(|digit| *digit < 10)?;
        number.checked_mul(10)?.checked_add(usize::from(digit))
    };
    if raw.is_empty() { None } else { raw.iter().try_fold(0, digit) }
}

/// In the strict profile every value must be text (RFC 3261 §25.1 `header-value`).
fn options_check(message: &Message, options: &ParseOptions) -> Result<(), ParseError> {
    if options.profile == crate::Profile::Tolerant {
        return Ok(());
    }
    let headers = message.headers();
    headers.lines.iter().try_for_each(|line| headers.text(line, None).map(drop))
}

#[cfg(test)]
mod tests;
