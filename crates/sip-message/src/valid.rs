//! Messages that may be acted upon (RFC 3261 §8.1.1, §8.2, §16.3), and what is wrong with others.

mod received;

use std::{ops::Deref, sync::Arc};

use bytes::Bytes;

use crate::{
    CSeq, CallId, From, Header, HeaderName, Headers, MaxForwards, Message, Method, ParseError,
    ParseOptions, Profile, Request, Response, ResponseBuilder, StatusCode, To, Uri, Via,
    header::Known,
    parse::{Line, Scan, start_of_message},
};

/// A request whose mandatory header fields are there, single and sound (RFC 3261 §8.1.1), whose
/// `CSeq` names its method, and in which no field that decides what it does comes twice (§7.3.1).
/// Cloning is cheap.
#[derive(Clone, Debug)]
pub struct ValidRequest(Arc<RequestParts>);

#[derive(Debug)]
struct RequestParts {
    request: Request,
    uri: Uri,
    head: Head,
    max_forwards: Option<u8>,
}

/// The header fields that every message has.
#[derive(Clone, Debug)]
struct Head {
    via: Via,
    from: From,
    to: To,
    call_id: CallId,
    cseq: CSeq,
}

impl ValidRequest {
    /// Checks `request`.
    ///
    /// # Errors
    /// When a rule is broken; the rejection knows the response to send.
    pub fn new(request: Request, options: &ParseOptions) -> Result<Self, Rejection> {
        match check_request(&request, options) {
            Ok((uri, head, max_forwards)) => {
                Ok(Self(Arc::new(RequestParts { request, uri, head, max_forwards })))
            }
            Err(error) => Err(Rejection::new(error, request)),
        }
    }

    /// The request.
    pub fn request(&self) -> &Request {
        &self.0.request
    }

    /// The Request-URI.
    pub fn request_uri(&self) -> &Uri {
        &self.0.uri
    }

    /// The remaining hops; `None` when a peer of RFC 2543 left the field out, which counts as 70.
    pub fn max_forwards(&self) -> Option<u8> {
        self.0.max_forwards
    }

    fn head(&self) -> &Head {
        &self.0.head
    }
}

impl Deref for ValidRequest {
    type Target = Request;

    fn deref(&self) -> &Request {
        &self.0.request
    }
}

/// A response whose mandatory header fields are there, single and sound. Cloning is cheap.
#[derive(Clone, Debug)]
pub struct ValidResponse(Arc<ResponseParts>);

#[derive(Debug)]
struct ResponseParts {
    response: Response,
    head: Head,
}

impl ValidResponse {
    /// Checks `response`.
    ///
    /// # Errors
    /// When a rule is broken. Such a response is dropped (RFC 3261 §18.1.2).
    pub fn new(response: Response, options: &ParseOptions) -> Result<Self, ParseError> {
        check_version(response.version(), 0)?;
        let head = Head::of(response.headers(), options.profile)?;
        Ok(Self(Arc::new(ResponseParts { response, head })))
    }

    /// The response.
    pub fn response(&self) -> &Response {
        &self.0.response
    }

    fn head(&self) -> &Head {
        &self.0.head
    }
}

impl Deref for ValidResponse {
    type Target = Response;

    fn deref(&self) -> &Response {
        &self.0.response
    }
}

macro_rules! head {
    ($($message:ty)*) => {$(
        impl $message {
            /// The topmost `Via`.
            pub fn via(&self) -> &Via {
                &self.head().via
            }

            /// `From`.
            pub fn from(&self) -> &From {
                &self.head().from
            }

            /// `To`.
            pub fn to(&self) -> &To {
                &self.head().to
            }

            /// `Call-ID`.
            pub fn call_id(&self) -> &CallId {
                &self.head().call_id
            }

            /// `CSeq`.
            pub fn cseq(&self) -> &CSeq {
                &self.head().cseq
            }
        }
    )*};
}

head! { ValidRequest ValidResponse }

/// A request that must not be acted upon, and the answer to it.
#[derive(Clone, Debug)]
pub struct Rejection {
    /// What is wrong.
    pub error: ParseError,
    /// The status to answer with.
    pub status: StatusCode,
    request: Box<Request>,
}

impl Rejection {
    fn new(error: ParseError, request: Request) -> Self {
        Self { status: error.status(), error, request: Box::new(request) }
    }

    /// Looks into a datagram that [`Message::parse`] refused with `error` for a request that can
    /// be answered: RFC 3261 §18.3 asks for a 400 to a request that is cut short.
    ///
    /// `None` when the datagram holds no request line, or holds a response.
    pub fn salvage(datagram: &Bytes, options: &ParseOptions, error: ParseError) -> Option<Self> {
        let bytes = datagram.slice(start_of_message(datagram)..);
        let scan = Scan::salvage(&bytes, options)?;
        match Message::index(bytes, scan, &ParseOptions::default()) {
            Ok(Message::Request(request)) => Some(Self::new(error, request)),
            Ok(Message::Response(_)) | Err(_) => None,
        }
    }

    /// The request as far as it stands.
    pub fn request(&self) -> &Request {
        &self.request
    }

    /// The response to send, without a `To` tag; a caller may add one by [`Response::edit`].
    ///
    /// `None` for an ACK, which is never answered, and when `Via`, `From`, `To`, `Call-ID` or
    /// `CSeq` is missing, so that no response could find its way.
    pub fn response(&self) -> Option<Response> {
        let headers = self.request.headers();
        let copied = MANDATORY.iter().all(|name| headers.rows(name).next().is_some());
        if self.request.method() == Method::ACK || !copied {
            return None;
        }
        let reply = ResponseBuilder::reply_to(&self.request, self.status);
        reply.reason(self.reason()).build().ok()
    }

    /// A 400 should tell more than "Bad Request" (RFC 3261 §21.4.1).
    fn reason(&self) -> String {
        if self.status != StatusCode::BAD_REQUEST {
            return self.status.reason().to_owned();
        }
        let mut reason = String::from("Bad Request");
        if let Some(name) = self.error.header() {
            reason.push_str(" in ");
            reason.push_str(name.as_str());
        }
        reason.push_str(": expected ");
        let fit = |c: &char| c.is_ascii_alphanumeric() || " -_.!~*'();/?:@&=+$,".contains(*c);
        reason.extend(self.error.expected().chars().filter(fit));
        reason
    }
}

impl std::fmt::Display for Rejection {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.status, self.error)
    }
}

impl std::error::Error for Rejection {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.error)
    }
}

fn check_request(
    request: &Request,
    options: &ParseOptions,
) -> Result<(Uri, Head, Option<u8>), ParseError> {
    check_version(request.version(), request.version_offset())?;
    let head = Head::of(request.headers(), options.profile)?;
    if head.cseq.method != request.method() {
        return Err(broken(
            request.headers(),
            &HeaderName::CSEQ,
            "the method of the request",
            "RFC 3261 §8.1.1.5",
        ));
    }
    check_single(request.headers())?;
    let max_forwards = max_forwards(request.headers(), options.profile)?;
    let uri = request.uri()?;
    check_uri(&uri, request.uri_offset())?;
    Ok((uri, head, max_forwards))
}

/// `SIP/2.0`, in any case (RFC 3261 §7.1).
fn check_version(version: &str, offset: usize) -> Result<(), ParseError> {
    if version.eq_ignore_ascii_case("SIP/2.0") {
        return Ok(());
    }
    let error = ParseError::new(offset, "SIP/2.0", "RFC 3261 §7.1");
    let number = version.get(4..).unwrap_or_default();
    let other_version = number.split_once('.').is_some_and(|(major, minor)| {
        [major, minor]
            .iter()
            .all(|part| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit()))
    });
    Err(if other_version { error.with_status(StatusCode::VERSION_NOT_SUPPORTED) } else { error })
}

/// The scheme must be one that SIP elements route by, and a SIP URI must not bring header fields
/// along (RFC 3261 §8.2.2.1, §19.1.1 table 1).
fn check_uri(uri: &Uri, offset: usize) -> Result<(), ParseError> {
    match uri {
        Uri::Sip(sip) if sip.headers.is_some() => {
            Err(ParseError::new(offset, "a Request-URI without headers", "RFC 3261 §19.1.1"))
        }
        Uri::Sip(_) | Uri::Tel(_) => Ok(()),
        Uri::Absolute(uri)
            if ROUTABLE.iter().any(|scheme| uri.scheme().eq_ignore_ascii_case(scheme)) =>
        {
            Ok(())
        }
        Uri::Absolute(_) => {
            Err(ParseError::new(offset, "a sip, sips, tel or urn URI", "RFC 3261 §8.2.2.1")
                .with_status(StatusCode::UNSUPPORTED_URI_SCHEME))
        }
    }
}

impl Head {
    fn of(headers: &Headers, profile: Profile) -> Result<Self, ParseError> {
        let head = Self {
            via: headers.header()?.ok_or_else(|| missing(headers, HeaderName::VIA))?,
            from: single(headers)?,
            to: single(headers)?,
            call_id: single(headers)?,
            cseq: single(headers)?,
        };
        match profile {
            Profile::Tolerant => Ok(head),
            Profile::Strict => head.strict(headers),
        }
    }

    /// What RFC 2543 did not ask for.
    fn strict(self, headers: &Headers) -> Result<Self, ParseError> {
        headers.headers_of::<Via>().try_for_each(|via| via.map(drop))?;
        if self.from.tag().is_none() {
            return Err(broken(headers, &HeaderName::FROM, "a tag", "RFC 3261 §8.1.1.3"));
        }
        if self.via.branch().is_none() {
            return Err(broken(headers, &HeaderName::VIA, "a branch", "RFC 3261 §8.1.1.7"));
        }
        Ok(self)
    }
}

fn max_forwards(headers: &Headers, profile: Profile) -> Result<Option<u8>, ParseError> {
    if profile == Profile::Tolerant && headers.count(HeaderName::MAX_FORWARDS) == 0 {
        return Ok(None);
    }
    single(headers).map(|MaxForwards(hops)| Some(hops))
}

/// Of two rows the next hop may take the other one, and so do what nobody has checked.
fn check_single(headers: &Headers) -> Result<(), ParseError> {
    let mut seen = 0_u128;
    for line in &headers.lines {
        let Some(known) = line.known else { continue };
        let bit = SINGLE & known.bit();
        if seen & bit != 0 {
            return Err(twice(line, HeaderName::known(known)));
        }
        seen |= bit;
    }
    Ok(())
}

/// The only value of `H`.
fn single<H: Header>(headers: &Headers) -> Result<H, ParseError> {
    headers.at_most_one()?.ok_or_else(|| missing(headers, H::NAME))
}

impl Headers {
    /// The value of `H`, which must not come twice: the next reader may take the other one.
    pub(crate) fn at_most_one<H: Header>(&self) -> Result<Option<H>, ParseError> {
        match self.rows(&H::NAME).nth(1) {
            Some(second) => Err(twice(second, H::NAME)),
            None => self.header(),
        }
    }
}

fn twice(second: &Line, name: HeaderName) -> ParseError {
    ParseError::new(second.name.start(), "one such header field", "RFC 3261 §7.3.1").within(name)
}

pub(crate) fn missing(headers: &Headers, name: HeaderName) -> ParseError {
    let end = headers.lines.last().map_or(0, |line| line.value.end as usize);
    ParseError::new(end, "this header field", "RFC 3261 §8.1.1").within(name)
}

fn broken(
    headers: &Headers,
    name: &HeaderName,
    expected: &'static str,
    rfc: &'static str,
) -> ParseError {
    let offset = headers.rows(name).next().map_or(0, |line| line.value.start());
    ParseError::new(offset, expected, rfc).within(name.clone())
}

/// What a response copies from its request (RFC 3261 §8.2.6.2).
const MANDATORY: [HeaderName; 5] =
    [HeaderName::VIA, HeaderName::FROM, HeaderName::TO, HeaderName::CALL_ID, HeaderName::CSEQ];

/// Fields that are no lists and decide what a request does, besides those that each request has.
const SINGLE: u128 = Known::AnswerMode.bit()
    | Known::ContentType.bit()
    | Known::ContentDisposition.bit()
    | Known::Event.bit()
    | Known::Expires.bit()
    | Known::InfoPackage.bit()
    | Known::Join.bit()
    | Known::MaxBreadth.bit()
    | Known::MinSe.bit()
    | Known::PrivAnswerMode.bit()
    | Known::Privacy.bit()
    | Known::RAck.bit()
    | Known::ReferSub.bit()
    | Known::ReferTo.bit()
    | Known::ReferredBy.bit()
    | Known::Replaces.bit()
    | Known::SessionExpires.bit()
    | Known::SipIfMatch.bit()
    | Known::SubscriptionState.bit()
    | Known::SuppressIfMatch.bit()
    | Known::TargetDialog.bit();

/// Schemes besides `sip` and `sips` that a Request-URI may have: RFC 3966, RFC 5031.
const ROUTABLE: [&str; 2] = ["tel", "urn"];

#[cfg(test)]
mod tests;
