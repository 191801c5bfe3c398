//! Making messages: a builder collects rows and writes the message once (RFC 3261 §7).

use bytes::Bytes;
use bytestring::ByteString;

use crate::{Header, HeaderName, Message, Method, ParseError, Request, Response, StatusCode, Uri};

mod draft;
use draft::{Draft, Row};

mod read_back;
use read_back::uri_fault;

/// Why a message could not be built. Each is a mistake of the caller.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BuildError {
    /// CR, LF or NUL in a value: it would end the line and let the rest of the value pass for more
    /// of the message.
    #[error("CR, LF or NUL in {0}: expected one line of text (RFC 3261 §7.3.1)")]
    LineBreak(HeaderName),
    /// The request line or the status line cannot hold the value.
    #[error("the start line holds white space or a control character (RFC 3261 §7.1, §7.2)")]
    StartLine,
    /// What a header field would hold is not read back as the value that was given: it breaks the
    /// grammar, or it would pass for another value or for more than one.
    #[error("a header field would not be read as it is meant: {0}")]
    Header(ParseError),
    /// The Request-URI would not be read back as the URI that was given.
    #[error("the Request-URI would not be read as it is meant: {0}")]
    Uri(ParseError),
    /// What was built does not parse.
    #[error("what was built is no message: {0}")]
    Invalid(#[from] ParseError),
}

/// Makes a request; see [`Request::builder`] and [`Request::edit`].
#[derive(Clone, Debug)]
pub struct RequestBuilder {
    method: Method,
    uri: String,
    uri_fault: Option<BuildError>,
    draft: Draft,
}

impl RequestBuilder {
    pub(crate) fn new(method: Method, uri: &Uri) -> Self {
        Self { method, uri: String::new(), uri_fault: None, draft: Draft::default() }.uri(uri)
    }

    pub(crate) fn edit(request: &Request) -> Self {
        let draft = Draft::of(request.headers(), request.body());
        // It came so and is passed on so, even if we would not write it.
        let uri = request.uri_text().to_owned();
        Self { method: request.method(), uri, uri_fault: None, draft }
    }

    /// Sets the Request-URI.
    #[must_use]
    pub fn uri(mut self, uri: &Uri) -> Self {
        self.uri = uri.to_string();
        self.uri_fault = uri_fault(&self.uri, uri);
        self
    }

    /// Sets the method.
    #[must_use]
    pub fn method(mut self, method: Method) -> Self {
        self.method = method;
        self
    }

    /// Writes the request.
    ///
    /// # Errors
    /// When a value cannot stand in a message.
    pub fn build(self) -> Result<Request, BuildError> {
        let unfit = |c: char| c.is_ascii_control() || c == ' ';
        if self.uri.is_empty() || self.uri.contains(unfit) {
            return Err(BuildError::StartLine);
        }
        if let Some(fault) = self.uri_fault {
            return Err(fault);
        }
        let start_line = format!("{} {} SIP/2.0\r\n", self.method, self.uri);
        match self.draft.write(start_line.as_bytes())? {
            Message::Request(request) => Ok(request),
            Message::Response(_) => Err(BuildError::StartLine),
        }
    }
}

/// Makes a response; see [`Response::builder`], [`Response::reply_to`] and [`Response::edit`].
#[derive(Clone, Debug)]
pub struct ResponseBuilder {
    status: StatusCode,
    /// Bytes, since a peer may have sent what is no text.
    reason: Bytes,
    draft: Draft,
}

impl ResponseBuilder {
    pub(crate) fn new(status: StatusCode) -> Self {
        let reason = Bytes::from_static(status.reason().as_bytes());
        Self { status, reason, draft: Draft::default() }
    }

    pub(crate) fn edit(response: &Response) -> Self {
        let draft = Draft::of(response.headers(), response.body());
        let status = response.status();
        let reason = response.reason_bytes();
        // A peer's control characters are not written again, and are no mistake of the caller.
        let reason = if reason.iter().any(is_unfit) {
            Bytes::from_static(status.reason().as_bytes())
        } else {
            Bytes::copy_from_slice(reason)
        };
        Self { status, reason, draft }
    }

    pub(crate) fn reply_to(request: &Request, status: StatusCode) -> Self {
        let mut builder = Self::new(status);
        let headers = request.headers();
        for line in &headers.lines {
            let copied = match headers.name(line) {
                HeaderName::VIA => true,
                // A request that holds two of them is answered all the same, with the first.
                name @ (HeaderName::FROM
                | HeaderName::TO
                | HeaderName::CALL_ID
                | HeaderName::CSEQ) => !builder.draft.holds(&name),
                HeaderName::TIMESTAMP => status == StatusCode::TRYING,
                _ => false,
            };
            if copied {
                builder.draft.rows.push(Row::kept(headers, line));
            }
        }
        builder
    }

    /// Sets the reason phrase.
    #[must_use]
    pub fn reason(mut self, reason: impl Into<ByteString>) -> Self {
        self.reason = reason.into().into_bytes();
        self
    }

    /// Adds the tag `tag`, which must be a token, to `To` unless it has one (RFC 3261 §8.2.6.2).
    #[must_use]
    pub fn to_tag(mut self, tag: &str) -> Self {
        self.draft.add_to_tag(tag);
        self
    }

    /// Writes the response.
    ///
    /// # Errors
    /// When a value cannot stand in a message.
    pub fn build(self) -> Result<Response, BuildError> {
        if self.reason.iter().any(is_unfit) {
            return Err(BuildError::StartLine);
        }
        let start = format!("SIP/2.0 {} ", self.status);
        let start_line = [start.as_bytes(), &self.reason, b"\r\n"].concat();
        match self.draft.write(&start_line)? {
            Message::Response(response) => Ok(response),
            Message::Request(_) => Err(BuildError::StartLine),
        }
    }
}

/// Whether a reason phrase cannot hold the byte (RFC 3261 §25.1).
fn is_unfit(byte: &u8) -> bool {
    byte.is_ascii_control() && *byte != b'\t'
}

macro_rules! verbs {
    ($($builder:ty)*) => {$(
        impl $builder {
            /// Appends a header field.
            #[must_use]
            pub fn header(mut self, header: &impl Header) -> Self {
                self.draft.rows.push(Row::written(header));
                self
            }

            /// Appends one row with all of `values`, separated by commas. Only for headers that
            /// are lists.
            #[must_use]
            pub fn list<'a, H: Header + 'a>(mut self, values: impl IntoIterator<Item = &'a H>) -> Self {
                self.draft.rows.push(Row::list(values));
                self
            }

            /// Puts a header field before all others.
            #[must_use]
            pub fn prepend(mut self, header: &impl Header) -> Self {
                self.draft.rows.insert(0, Row::written(header));
                self
            }

            /// Removes every row of this header field, in any disguise, and puts the new one where
            /// the first of them stood, or last.
            #[must_use]
            pub fn replace(mut self, header: &impl Header) -> Self {
                self.draft.replace(Row::written(header));
                self
            }

            /// Replaces the first value of a list, such as the topmost `Via`, and keeps the others.
            #[must_use]
            pub fn replace_first<H: Header>(mut self, header: &H) -> Self {
                self.draft.replace_first(header);
                self
            }

            /// Removes the first value of the list `H`, such as the topmost `Via` or `Route`, and
            /// keeps the others.
            #[must_use]
            pub fn remove_first<H: Header>(mut self) -> Self {
                self.draft.remove_first::<H>();
                self
            }

            /// Removes every row named `name`: in any case, in its long and its compact form.
            #[must_use]
            pub fn remove(mut self, name: HeaderName) -> Self {
                self.draft.rows.retain(|row| row.name != name);
                self
            }

            /// Appends a header field with the text `value`, which must be one line.
            #[must_use]
            pub fn raw(mut self, name: HeaderName, value: &str) -> Self {
                self.draft.rows.push(Row::raw(name, value));
                self
            }

            /// Sets the body and its `Content-Type`. `Content-Length` follows by itself.
            #[must_use]
            pub fn body(mut self, content_type: &str, body: impl Into<Bytes>) -> Self {
                self.draft.replace(Row::content_type(content_type));
                self.draft.body = body.into();
                self
            }

            /// Removes the body and what describes it.
            #[must_use]
            pub fn no_body(mut self) -> Self {
                self.draft.rows.retain(|row| !DESCRIBE_BODY.contains(&row.name));
                self.draft.body = Bytes::new();
                self
            }
        }
    )*};
}

verbs! { RequestBuilder ResponseBuilder }

/// The header fields that are about the body (RFC 3261 §7.4.1).
const DESCRIBE_BODY: [HeaderName; 4] = [
    HeaderName::CONTENT_TYPE,
    HeaderName::CONTENT_ENCODING,
    HeaderName::CONTENT_LANGUAGE,
    HeaderName::CONTENT_DISPOSITION,
];

#[cfg(test)]
mod tests;
