//! What every request goes through before its method counts (RFC 3261 §8.2), and the answers that
//! follow from it.

use std::time::Instant;

use offhook_sansio::Flow;
use offhook_sip_message::{
    Allow, ContentDisposition, ContentEncoding, ContentType, HeaderName, Method, MinSe, Require,
    ResponseBuilder, StatusCode, Supported, Text, Unsupported, Uri, ValidRequest,
};

use super::{
    invite::{allowed, supported},
    replace,
    session_timer::{self, TIMER},
};
use crate::{
    ReliableProvisionals, SessionTimer, TimerUse, request::Incoming, transaction::TransactionLayer,
};

/// Why a request is not processed.
#[derive(Debug)]
pub(crate) enum Refusal {
    /// §8.2.1: the method is not supported.
    Method,
    /// §8.2.2.1: the Request-URI is of another scheme.
    Scheme,
    /// §8.2.2.2: the request came before on another path.
    Merged,
    /// §8.2.2.3: the request needs extensions that are not supported.
    Extensions(Vec<Text>),
    /// §21.4.16: this side insists on an extension that the peer does not offer.
    Lacks(&'static str),
    /// RFC 3891 §3, RFC 3911 §4: only an INVITE replaces or joins a call.
    Misplaced,
    /// RFC 4028 §9: the session interval is below this Min-SE.
    TooSmall(u32),
    /// §8.2.3: the body is of a type that is not understood.
    MediaType(Vec<Text>),
    /// §8.2.3: the body is encoded.
    Encoding,
}

/// Takes the steps of §8.2 in their order.
pub(crate) fn inspect(
    layer: &TransactionLayer,
    timer: &SessionTimer,
    request: &ValidRequest,
) -> Result<(), Refusal> {
    let method = request.method();
    let served = SERVED.contains(&method) && allowed(layer).contains(&Allow(method.clone()));
    if !served && !Incoming::wants(layer, request) {
        return Err(Refusal::Method);
    }
    if !matches!(request.request_uri(), Uri::Sip(_)) {
        return Err(Refusal::Scheme);
    }
    if layer.is_merged(request) {
        return Err(Refusal::Merged);
    }
    inspect_extensions(layer, timer, request)?;
    if replace::is_misplaced(&layer.config, request) {
        return Err(Refusal::Misplaced);
    }
    if [Method::INVITE, Method::UPDATE].contains(&method)
        && let Some(least) = session_timer::too_small(timer, request)
    {
        return Err(Refusal::TooSmall(least));
    }
    let describes = [Method::INVITE, Method::PRACK, Method::UPDATE];
    let legacy = method == Method::INFO && request.headers().count(HeaderName::INFO_PACKAGE) == 0;
    match describes.contains(&method) {
        true => inspect_body(&layer.config.accept, request),
        false if legacy => inspect_body(&layer.config.info_types, request),
        false => Ok(()),
    }
}

fn inspect_extensions(
    layer: &TransactionLayer,
    timer: &SessionTimer,
    request: &ValidRequest,
) -> Result<(), Refusal> {
    let known = supported(layer, timer);
    let required = request.headers_of::<Require>().flatten().map(|Require(tag)| tag);
    let unknown: Vec<_> = required.filter(|tag| !known.iter().any(|known| known.is(tag))).collect();
    if !unknown.is_empty() {
        return Err(Refusal::Extensions(unknown));
    }
    // §21.4.16: only for those who have chosen to go without otherwise.
    let insists = layer.config.reliable() == ReliableProvisionals::Required;
    let calls = request.method() == Method::INVITE && request.to().tag().is_none();
    if insists && calls && asks_for_reliable(request) == (false, false) {
        return Err(Refusal::Lacks(RELIABLE));
    }
    match timer.wanted == TimerUse::Required && calls && !session_timer::supports(request) {
        true => Err(Refusal::Lacks(TIMER)),
        false => Ok(()),
    }
}

/// Whether an INVITE requires, and whether it supports reliable provisional responses
/// (RFC 3262 §3).
pub(super) fn asks_for_reliable(invite: &ValidRequest) -> (bool, bool) {
    let required = invite.headers_of::<Require>().flatten().any(|tag| tag.is(RELIABLE));
    let supported = invite.headers_of::<Supported>().flatten().any(|tag| tag.is(RELIABLE));
    (required, supported)
}

fn inspect_body(accept: &[Text], request: &ValidRequest) -> Result<(), Refusal> {
    if request.body().is_empty() || is_optional(request) {
        return Ok(());
    }
    let mut encodings = request.headers_of::<ContentEncoding>().flatten();
    if encodings.any(|encoding| !encoding.0.eq_ignore_ascii_case("identity")) {
        return Err(Refusal::Encoding);
    }
    let understood = match request.header::<ContentType>() {
        Ok(Some(given)) => accept.iter().any(|accepted| given.is(accepted)),
        // A body has to have a type (§20.15); the user sees that it has none.
        Ok(None) => true,
        Err(_) => false,
    };
    if accept.is_empty() || understood { Ok(()) } else { Err(Refusal::MediaType(accept.to_vec())) }
}

/// Whether the sender says that the body may be ignored (§20.11).
fn is_optional(request: &ValidRequest) -> bool {
    let disposition = request.header::<ContentDisposition>().ok().flatten();
    disposition.is_some_and(|disposition| {
        let handling = disposition.parameters.value("handling");
        handling.is_some_and(|handling| handling.eq_ignore_ascii_case("optional"))
    })
}

/// Who asks: whether a transaction is kept for the answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Asker {
    /// The peer of a call. A transaction keeps the answer to be said again.
    Peer,
    /// Anybody. Nothing is kept, so that nobody fills the memory: the same request gets the same
    /// answer again (§8.2.7).
    Stranger,
}

impl Refusal {
    /// Answers the request.
    pub(crate) fn send(
        self,
        layer: &mut TransactionLayer,
        now: Instant,
        request: &ValidRequest,
        flow: Flow,
        asker: Asker,
    ) {
        let tag = layer.stateless_tag(request);
        let mut builder = layer.reply(request, self.status(), &tag);
        match self {
            Self::Method => builder = builder.list(&allowed(layer)),
            Self::Scheme | Self::Merged | Self::Misplaced => {}
            Self::Lacks(tag) => builder = builder.header(&Require(Text::from_static(tag))),
            Self::TooSmall(least) => builder = builder.header(&MinSe::new(least)),
            Self::Extensions(tags) => {
                let unsupported: Vec<_> = tags.into_iter().map(Unsupported).collect();
                builder = builder.list(&unsupported);
            }
            Self::MediaType(accept) => {
                for accepted in &accept {
                    builder = builder.raw(HeaderName::ACCEPT, accepted);
                }
            }
            Self::Encoding => builder = builder.raw(HeaderName::ACCEPT_ENCODING, "identity"),
        }
        send(layer, now, request, flow, builder, asker);
    }

    fn status(&self) -> StatusCode {
        match self {
            Self::Method => StatusCode::METHOD_NOT_ALLOWED,
            Self::Scheme => StatusCode::UNSUPPORTED_URI_SCHEME,
            Self::Merged => StatusCode::LOOP_DETECTED,
            Self::Misplaced => StatusCode::BAD_REQUEST,
            Self::Extensions(_) => StatusCode::BAD_EXTENSION,
            Self::Lacks(_) => StatusCode::EXTENSION_REQUIRED,
            Self::TooSmall(_) => StatusCode::SESSION_INTERVAL_TOO_SMALL,
            Self::MediaType(_) | Self::Encoding => StatusCode::UNSUPPORTED_MEDIA_TYPE,
        }
    }
}

/// Answers a request of nobody we know finally and at once.
pub(super) fn answer_stranger(
    layer: &mut TransactionLayer,
    now: Instant,
    request: &ValidRequest,
    flow: Flow,
    status: StatusCode,
) {
    let tag = layer.stateless_tag(request);
    let builder = layer.reply(request, status, &tag);
    send(layer, now, request, flow, builder, Asker::Stranger);
}

/// Answers a request of the peer of a call finally and at once.
pub(super) fn answer(
    layer: &mut TransactionLayer,
    now: Instant,
    request: &ValidRequest,
    flow: Flow,
    status: StatusCode,
) {
    let tag = layer.stateless_tag(request);
    answer_with_tag(layer, now, request, flow, status, &tag);
}

/// The same, with a given To tag.
pub(super) fn answer_with_tag(
    layer: &mut TransactionLayer,
    now: Instant,
    request: &ValidRequest,
    flow: Flow,
    status: StatusCode,
    tag: &str,
) {
    let builder = layer.reply(request, status, tag);
    send(layer, now, request, flow, builder, Asker::Peer);
}

/// Sends the only response to a request.
pub(crate) fn send(
    layer: &mut TransactionLayer,
    now: Instant,
    request: &ValidRequest,
    flow: Flow,
    builder: ResponseBuilder,
    asker: Asker,
) {
    let Some(response) = layer.built(builder.build()) else { return };
    if asker == Asker::Stranger {
        return layer.answer_once(request, flow, &response);
    }
    // The tag only matters for what is looked up later: CANCEL finds no INVITE answered here.
    let tag = layer.stateless_tag(request);
    if let Some(transaction) = layer.serve(request, flow, &tag) {
        layer.respond(now, transaction, &response);
    }
}

/// What is implemented. ACK and CANCEL have their own ways in.
const SERVED: [Method; 9] = [
    Method::INVITE,
    Method::BYE,
    Method::OPTIONS,
    Method::PRACK,
    Method::UPDATE,
    Method::INFO,
    Method::SUBSCRIBE,
    Method::NOTIFY,
    Method::REFER,
];
/// The option tag of reliable provisional responses (RFC 3262 §8.1).
pub(super) const RELIABLE: &str = "100rel";
