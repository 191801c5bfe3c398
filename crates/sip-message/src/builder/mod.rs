//! Making messages: a builder collects rows and writes the message once (RFC 3261 §7).

use std::fmt;

use bytes::Bytes;
use smallvec::SmallVec;

use crate::{
    Header, HeaderName, Method, ParseError, Request, Response, StatusCode, Text, Uri,
    header::Known,
    parse::{Digits, Line, Span},
};

mod draft;
use draft::Draft;

mod read_back;
use read_back::uri_fault;
pub(crate) use read_back::{content_type_fault, row_fault};

mod row;
use row::{Row, Source};

mod write;
pub(crate) use write::Written;

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
///
/// The INVITE of RFC 3261 §24.2, F1, line by line:
///
/// ```
/// use offhook_sip_message::{
///     CSeq, CallId, Contact, From, MaxForwards, Method, NameAddr, Request, To, Uri, Via,
/// };
///
/// let bob = "sip:bob@biloxi.com".parse::<Uri>()?;
/// let alice = NameAddr::new("sip:alice@atlanta.com".parse()?).with_display_name("Alice");
/// let via = Via::new("UDP", "pc33.atlanta.com".parse()?, None);
///
/// let invite = Request::builder(Method::INVITE, &bob)
///     .header(&via.with_branch("z9hG4bKnashds8"))
///     .header(&MaxForwards(70))
///     .header(&To::new(NameAddr::new(bob.clone()).with_display_name("Bob")))
///     .header(&From::new(alice).with_tag("1928301774"))
///     .header(&CallId("a84b4c76e66710".into()))
///     .header(&CSeq { number: 314159, method: Method::INVITE })
///     .header(&Contact::new("sip:alice@pc33.atlanta.com".parse::<Uri>()?))
///     .build()?;
/// # let of_the_rfc: &[u8] = include_bytes!(
/// #     concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/rfc3261-flows/24.2/01-invite.sip")
/// # );
/// assert_eq!(invite.as_bytes(), of_the_rfc);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// `Content-Length` follows by itself.
#[derive(Clone)]
pub struct RequestBuilder {
    method: Method,
    uri: (Source, Span),
    uri_fault: Option<Box<BuildError>>,
    /// The version of the request that the draft started from, if it can be written.
    version: Option<Span>,
    /// Each verb hands the builder on, so the bulk of it stays where it is.
    draft: Box<Draft>,
}

impl RequestBuilder {
    pub(crate) fn new(method: Method, uri: &Uri) -> Self {
        let nothing = (Source::Written, Span::default());
        let draft = Box::default();
        Self { method, uri: nothing, uri_fault: None, version: None, draft }.uri(uri)
    }

    pub(crate) fn edit(request: &Request) -> Self {
        let draft = Draft::of(request.headers(), request.body);
        // It came so and is passed on so, even if we would not write it.
        let uri = (Source::Kept, request.uri_span());
        let version = Some(request.version_span()).filter(|_| is_version(request.version()));
        Self { method: request.method(), uri, uri_fault: None, version, draft }
    }

    /// Sets the Request-URI.
    #[must_use]
    pub fn uri(mut self, uri: &Uri) -> Self {
        let span = self.draft.write_text(|text| uri.write(text));
        self.uri_fault = uri_fault(self.draft.text_of(span), uri).map(Box::new);
        self.uri = (Source::Written, span);
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
        let mut lines = SmallVec::new();
        let written = self.write(Some(&mut lines))?;
        Ok(Request::built(self.method, lines, written))
    }

    /// Writes the request as bytes alone, for those who do nothing but send it.
    ///
    /// # Errors
    /// When a value cannot stand in a message.
    pub fn to_bytes(&self) -> Result<Bytes, BuildError> {
        self.write(None).map(|written| written.bytes)
    }

    #[inline(always)]
    fn write(&self, lines: Option<&mut SmallVec<[Line; 32]>>) -> Result<Written, BuildError> {
        let (source, span) = self.uri;
        let uri = span.of(self.draft.source(source));
        if uri.is_empty() || uri.iter().any(|byte| byte.is_ascii_control() || *byte == b' ') {
            return Err(BuildError::StartLine);
        }
        if let Some(fault) = &self.uri_fault {
            return Err(BuildError::clone(fault));
        }
        let parts = [self.method.as_str().as_bytes(), uri, self.draft.version(self.version)];
        self.draft.write(parts, lines)
    }
}

impl fmt::Debug for RequestBuilder {
    /// The method and the names of the header fields: values may be credentials.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("RequestBuilder").field(&self.method).field(&self.draft).finish()
    }
}

/// Makes a response; see [`Response::builder`], [`Response::reply_to`] and [`Response::edit`].
#[derive(Clone)]
pub struct ResponseBuilder {
    status: StatusCode,
    reason: Reason,
    /// The version of the response that the draft started from, if it can be written.
    version: Option<Span>,
    draft: Box<Draft>,
}

/// A reason phrase. It is bytes, since a peer may have sent what is no text.
#[derive(Clone)]
enum Reason {
    /// The one of the registry.
    Registered,
    Kept(Span),
    Given(Text),
}

impl ResponseBuilder {
    pub(crate) fn new(status: StatusCode) -> Self {
        Self { status, reason: Reason::Registered, version: None, draft: Box::default() }
    }

    pub(crate) fn edit(response: &Response) -> Self {
        let draft = Draft::of(response.headers(), response.body);
        // A peer's control characters are not written again, and are no mistake of the caller.
        let reason = if response.reason_bytes().iter().any(is_unfit) {
            Reason::Registered
        } else {
            Reason::Kept(response.reason_span())
        };
        let version = Some(response.version_span()).filter(|_| is_version(response.version()));
        Self { status: response.status(), reason, version, draft }
    }

    pub(crate) fn reply_to(request: &Request, status: StatusCode) -> Self {
        let headers = request.headers();
        let mut draft = Draft::without_rows(headers);
        for line in &headers.lines {
            let copied = match line.known {
                Some(Known::Via) => true,
                // A request that holds two of them is answered all the same, with the first.
                Some(known @ (Known::From | Known::To | Known::CallId | Known::CSeq)) => {
                    !draft.holds(&HeaderName::known(known))
                }
                Some(Known::Timestamp) => status == StatusCode::TRYING,
                _ => false,
            };
            if copied {
                draft.rows.push(Row::kept(line));
            }
        }
        Self { status, reason: Reason::Registered, version: None, draft }
    }

    /// Sets the reason phrase.
    #[must_use]
    pub fn reason(mut self, reason: impl Into<Text>) -> Self {
        self.reason = Reason::Given(reason.into());
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
        let mut lines = SmallVec::new();
        let written = self.write(Some(&mut lines))?;
        Ok(Response::built(self.status, lines, written))
    }

    /// Writes the response as bytes alone, for those who do nothing but send it.
    ///
    /// # Errors
    /// When a value cannot stand in a message.
    pub fn to_bytes(&self) -> Result<Bytes, BuildError> {
        self.write(None).map(|written| written.bytes)
    }

    #[inline(always)]
    fn write(&self, lines: Option<&mut SmallVec<[Line; 32]>>) -> Result<Written, BuildError> {
        let reason = match &self.reason {
            Reason::Registered => self.status.reason().as_bytes(),
            Reason::Kept(span) => span.of(self.draft.source(Source::Kept)),
            Reason::Given(reason) => reason.as_bytes(),
        };
        if reason.iter().any(is_unfit) {
            return Err(BuildError::StartLine);
        }
        let code = Digits::of(self.status.as_u16());
        let parts = [self.draft.version(self.version), code.as_bytes(), reason];
        self.draft.write(parts, lines)
    }
}

impl fmt::Debug for ResponseBuilder {
    /// The status and the names of the header fields: values may be credentials.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("ResponseBuilder").field(&self.status).field(&self.draft).finish()
    }
}

/// Whether a version that came can be passed on as it is written.
fn is_version(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic())
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
            pub fn header<H: Header>(mut self, header: &H) -> Self {
                self.draft.append(&[header]);
                self
            }

            /// Appends one row with all of `values`, separated by commas. Only for headers that
            /// are lists; challenges and credentials must have a row each (RFC 3261 §7.3.1).
            #[must_use]
            pub fn list<'a, H: Header + 'a>(mut self, values: impl IntoIterator<Item = &'a H>) -> Self {
                self.draft.append_list(values);
                self
            }

            /// Puts a header field before all others.
            #[must_use]
            pub fn prepend<H: Header>(mut self, header: &H) -> Self {
                self.draft.prepend(header);
                self
            }

            /// Removes every row of this header field, in any disguise, and puts the new one where
            /// the first of them stood, or last.
            #[must_use]
            pub fn replace<H: Header>(mut self, header: &H) -> Self {
                self.draft.replace(header);
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
                self.draft.remove(&name);
                self
            }

            /// Appends a header field with the text `value`, which must be one line.
            #[must_use]
            pub fn raw(mut self, name: HeaderName, value: &str) -> Self {
                self.draft.append_raw(&name, value);
                self
            }

            /// Puts a header field with the text `value`, which must be one line, before all others:
            /// what a proxy does with a `Via` that it has ready.
            #[must_use]
            pub fn prepend_raw(mut self, name: HeaderName, value: &str) -> Self {
                self.draft.prepend_raw(&name, value);
                self
            }

            /// Sets the body and its `Content-Type`. `Content-Length` follows by itself.
            #[must_use]
            pub fn body(mut self, content_type: &str, body: impl Into<Bytes>) -> Self {
                self.draft.set_body(content_type, body.into());
                self
            }

            /// Removes the body and what describes it.
            #[must_use]
            pub fn no_body(mut self) -> Self {
                self.draft.remove_body();
                self
            }

            /// Whether header fields that are written get the compact forms of their names, such as
            /// `v` for `Via` (RFC 3261 §7.3.3): a request that grows beyond 1300 bytes may have to
            /// leave UDP (§18.1.1). What a message came with keeps its names.
            #[must_use]
            pub fn compact_names(mut self, compact: bool) -> Self {
                self.draft.has_compact_names = compact;
                self
            }
        }
    )*};
}

verbs! { RequestBuilder ResponseBuilder }

#[cfg(test)]
mod tests;
