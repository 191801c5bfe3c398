//! Requests (RFC 3261 §7.1).

use bytes::Bytes;
use smallvec::SmallVec;

use crate::{
    Envelope, Header, Headers, Method, ParseError, Profile, RequestBuilder, Uri, Values, WireText,
    builder::Written,
    message::common,
    parse::{Line, Scan, Span},
};

/// A request. Cloning copies the index and shares the bytes.
#[derive(Clone, Debug)]
pub struct Request {
    pub(crate) headers: Headers,
    method: Method,
    uri: Span,
    version: Span,
    pub(crate) body: usize,
}

common!(Request);

impl Request {
    /// Starts a new request to `uri`.
    pub fn builder(method: Method, uri: &Uri) -> RequestBuilder {
        RequestBuilder::new(method, uri)
    }

    /// Starts a request that is this one but for the changes to come.
    pub fn edit(&self) -> RequestBuilder {
        RequestBuilder::edit(self)
    }

    /// The method.
    pub fn method(&self) -> Method {
        self.method.clone()
    }

    pub(crate) fn method_text(&self) -> &str {
        self.method.as_str()
    }

    /// The Request-URI as it stands on the request line.
    pub fn uri_text(&self) -> &str {
        str::from_utf8(self.uri.of(&self.headers.bytes)).unwrap_or_default()
    }

    /// The Request-URI.
    ///
    /// # Errors
    /// When it is not a URI (RFC 3261 §25.1).
    pub fn uri(&self) -> Result<Uri, ParseError> {
        let headers = &self.headers;
        Uri::parse(&WireText::part_of(&headers.bytes, self.uri_text(), headers.profile))
            .map_err(|error| error.moved_by(self.uri.start()))
    }

    /// The protocol version as it stands on the request line.
    pub fn version(&self) -> &str {
        str::from_utf8(self.version.of(&self.headers.bytes)).unwrap_or_default()
    }

    pub(crate) fn uri_span(&self) -> Span {
        self.uri
    }

    pub(crate) fn version_span(&self) -> Span {
        self.version
    }

    pub(crate) fn version_offset(&self) -> usize {
        self.version.start()
    }

    pub(crate) fn uri_offset(&self) -> usize {
        self.uri.start()
    }

    /// A request that a builder has written.
    #[inline(always)]
    pub(crate) fn built(method: Method, lines: SmallVec<[Line; 32]>, written: Written) -> Self {
        let Written { bytes, start_line: [_, uri, version], body } = written;
        let headers = Headers { bytes, lines, profile: Profile::Tolerant };
        Self { headers, method, uri, version, body }
    }

    /// `Method SP Request-URI SP SIP-Version`. The URI may hold anything here, white space too: it
    /// is refused when it is read, by when the request can be answered.
    #[inline(always)]
    pub(crate) fn index(bytes: Bytes, scan: Scan, profile: Profile) -> Result<Self, ParseError> {
        let line = scan.start_line;
        let place = |error: ParseError| error.moved_by(line.start());
        let text = str::from_utf8(line.of(&bytes)).map_err(|error| no_text(line, &error))?;
        let (method, uri) = split_request_line(text).map_err(place)?;
        let uri_start = line.start().saturating_add(method.len()).saturating_add(1);
        let uri_end = uri_start.saturating_add(uri.len());
        let method =
            Method::from_part(&bytes, method).map_err(|error| error.moved_by(line.start()))?;
        Ok(Self {
            method,
            uri: Span::new(uri_start, uri_end),
            version: Span::new(uri_end.saturating_add(1), line.end as usize),
            body: scan.body,
            headers: Headers { bytes, lines: scan.lines, profile },
        })
    }
}

#[cold]
pub(crate) fn no_text(line: Span, error: &std::str::Utf8Error) -> ParseError {
    let offset = line.start().saturating_add(error.valid_up_to());
    ParseError::new(offset, "UTF-8 text", "RFC 3261 §7.1")
}

/// The method and the Request-URI of a request line; the method may be anything without a space.
pub(crate) fn split_request_line(text: &str) -> Result<(&str, &str), ParseError> {
    let malformed = |at: usize, expected| ParseError::new(at, expected, "RFC 3261 §7.1");
    let (method, rest) =
        text.split_once(' ').ok_or_else(|| malformed(0, "a method, a Request-URI and SIP/2.0"))?;
    let (uri, _) = last_version(rest)
        .ok_or_else(|| malformed(text.len(), "SIP/2.0 at the end of the request line"))?;
    Ok((method, uri))
}

/// Splits at the last space before `SIP/`.
fn last_version(rest: &str) -> Option<(&str, &str)> {
    let is_version = |tail: &[u8]| tail.get(..4).is_some_and(|it| it.eq_ignore_ascii_case(b"SIP/"));
    let mut parts = rest.rmatch_indices(' ').map(|(at, _)| rest.split_at(at));
    parts.find(|(_, tail)| is_version(tail.as_bytes().get(1..).unwrap_or_default()))
}
