//! Parts of SIP messages in a body, `message/sipfrag` (RFC 3420), which tell the sender of a REFER
//! how it went (RFC 3515 §2.4.5).

use bytes::Bytes;

use crate::{
    CSeq, CallId, Contact, ContentLength, ContentType, Date, From, Header, HeaderName, Headers,
    MaxForwards, Message, ParseError, ParseOptions, Profile, RecordRoute, Request, Response, Route,
    StatusCode, To, Values, Via,
    message::content_length,
    parse::{Class, Scan},
};

/// A fragment of a message: perhaps a start line, perhaps header fields, and a body only behind an
/// empty line.
///
/// ```
/// use bytes::Bytes;
/// use offhook_sip_message::{Sipfrag, StatusCode};
///
/// let body = Bytes::from_static(b"SIP/2.0 180 Ringing\r\n");
/// assert_eq!(Sipfrag::parse(&body)?.status(), Some(StatusCode::RINGING));
/// assert_eq!(Sipfrag::status_line(StatusCode::RINGING), body);
/// # Ok::<(), offhook_sip_message::ParseError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Sipfrag {
    content: Content,
    body: usize,
}

#[derive(Clone, Debug)]
enum Content {
    WithStartLine(Message),
    WithoutStartLine(Headers),
}

impl Sipfrag {
    /// The body of the progress reports of a REFER: one status line (RFC 3515 §2.4.5).
    pub fn status_line(status: StatusCode) -> Bytes {
        format!("SIP/2.0 {status} {}\r\n", status.reason()).into()
    }

    /// The status line of `response` with the reason phrase that it came with, as a body.
    pub fn status_line_of(response: &Response) -> Bytes {
        let start = format!("SIP/2.0 {} ", response.status());
        [start.as_bytes(), response.reason_bytes(), b"\r\n"].concat().into()
    }

    /// Reads the body `fragment` with the default [`ParseOptions`].
    ///
    /// # Errors
    /// When it is no part of a SIP/2.0 message (RFC 3420 §2).
    pub fn parse(fragment: &Bytes) -> Result<Self, ParseError> {
        Self::parse_with(fragment, &ParseOptions::default())
    }

    /// Reads the body `fragment`.
    ///
    /// In the strict profile the values of the basic header fields are read as well, and a body
    /// needs its `Content-Type`. In the tolerant one a broken value costs that field only, when it
    /// is asked for, and the last line may lack its end, as many phones send it.
    ///
    /// # Errors
    /// When it is no part of a SIP/2.0 message within the limits (RFC 3420 §2).
    pub fn parse_with(fragment: &Bytes, options: &ParseOptions) -> Result<Self, ParseError> {
        let with_start_line = !starts_with_field(fragment);
        let scan = Scan::fragment(fragment, with_start_line, options)?;
        let body = scan.body;
        let content = if with_start_line {
            let message = Message::index(fragment.clone(), scan, options);
            // A start line may be the end of all here, so that what is missing stands behind it.
            let message = message.map_err(|error| {
                let offset = error.offset().min(fragment.len());
                error.at(offset)
            })?;
            check_version(&message)?;
            Content::WithStartLine(message)
        } else {
            let profile = options.profile;
            let headers = Headers { bytes: fragment.clone(), lines: scan.lines, profile };
            Content::WithoutStartLine(headers)
        };
        let mut sipfrag = Self { content, body };
        match (sipfrag.cut_body(), options.profile) {
            (Ok(()), Profile::Strict) => sipfrag.check_fields()?,
            // Copies of whole messages come with a length such as `...`, and their body is cut off.
            (Ok(()) | Err(_), Profile::Tolerant) => {}
            (Err(error), Profile::Strict) => return Err(error),
        }
        Ok(sipfrag)
    }

    /// The status, if there is a status line.
    pub fn status(&self) -> Option<StatusCode> {
        self.response().map(Response::status)
    }

    /// What there is of a response: it has its status line, but no header field is sure.
    pub fn response(&self) -> Option<&Response> {
        match &self.content {
            Content::WithStartLine(Message::Response(response)) => Some(response),
            Content::WithStartLine(Message::Request(_)) | Content::WithoutStartLine(_) => None,
        }
    }

    /// What there is of a request: it has its request line, but no header field is sure.
    pub fn request(&self) -> Option<&Request> {
        match &self.content {
            Content::WithStartLine(Message::Request(request)) => Some(request),
            Content::WithStartLine(Message::Response(_)) | Content::WithoutStartLine(_) => None,
        }
    }

    /// All header fields.
    pub fn headers(&self) -> &Headers {
        match &self.content {
            Content::WithStartLine(message) => message.headers(),
            Content::WithoutStartLine(headers) => headers,
        }
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

    /// The body; empty when there is none.
    pub fn body(&self) -> Bytes {
        let bytes = self.as_bytes();
        bytes.slice(self.body.min(bytes.len())..)
    }

    /// The fragment as it came, up to the end of its body.
    pub fn as_bytes(&self) -> &Bytes {
        &self.headers().bytes
    }

    /// Leaves out what is behind `Content-Length`, as in a datagram (RFC 3261 §18.3).
    fn cut_body(&mut self) -> Result<(), ParseError> {
        let Some((at, length)) = content_length(self.headers())? else { return Ok(()) };
        let end = self.body.saturating_add(length);
        if end > self.as_bytes().len() {
            let expected = "as many bytes of body as Content-Length tells";
            return Err(ParseError::new(at, expected, "RFC 3420 §2").within(ContentLength::NAME));
        }
        match &mut self.content {
            Content::WithStartLine(Message::Request(request)) => &mut request.headers.bytes,
            Content::WithStartLine(Message::Response(response)) => &mut response.headers.bytes,
            Content::WithoutStartLine(headers) => &mut headers.bytes,
        }
        .truncate(end);
        Ok(())
    }

    /// What RFC 3420 §3.2 shows to be invalid.
    fn check_fields(&self) -> Result<(), ParseError> {
        self.check::<Via>()?;
        self.check::<From>()?;
        self.check::<To>()?;
        self.check::<CallId>()?;
        self.check::<CSeq>()?;
        self.check::<Contact>()?;
        self.check::<Route>()?;
        self.check::<RecordRoute>()?;
        self.check::<MaxForwards>()?;
        self.check::<Date>()?;
        self.check::<ContentType>()?;
        if !self.body().is_empty() && self.headers().count(HeaderName::CONTENT_TYPE) == 0 {
            return Err(ParseError::new(self.body, "a Content-Type of the body", "RFC 3420 §3.2"));
        }
        Ok(())
    }

    fn check<H: Header>(&self) -> Result<(), ParseError> {
        self.headers_of::<H>().try_for_each(|value| value.map(drop))
    }
}

/// Whether the first line is a header field: a name and a colon. No start line begins so.
fn starts_with_field(fragment: &[u8]) -> bool {
    if fragment.starts_with(b"\r\n") || fragment.starts_with(b"\n") || fragment.is_empty() {
        return true;
    }
    let rest = fragment.get(Class::TOKEN.length(fragment)..).unwrap_or_default();
    let rest = rest.get(Class::WHITE.length(rest)..).unwrap_or_default();
    rest.starts_with(b":")
}

fn check_version(message: &Message) -> Result<(), ParseError> {
    let (version, offset) = match message {
        Message::Request(request) => (request.version(), request.version_offset()),
        Message::Response(response) => (response.version(), 0),
    };
    if version.eq_ignore_ascii_case("SIP/2.0") {
        return Ok(());
    }
    Err(ParseError::new(offset, "SIP/2.0", "RFC 3420 §3.2"))
}

#[cfg(test)]
mod tests;
