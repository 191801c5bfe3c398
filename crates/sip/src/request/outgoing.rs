//! A request that this side sends outside of any dialog (RFC 3261 §8.1): MESSAGE (RFC 3428), an
//! OPTIONS to see whether somebody is there (§11), or any other that is not INVITE.
//!
//! 1. The request goes out.
//! 2. A 401 or 407 is answered, as long as there is a login for it.
//! 3. The first other final response, or the lack of one, is told, and it is over.

use std::time::Instant;

use offhook_sansio::{Flow, Key};
use offhook_sip_message::{
    HeaderName, Method, NameAddr, Route, StatusCode, Text, Uri, ValidResponse,
};

use crate::{
    Authenticator, Body, Error, Event, Login, RegistrationId,
    dialog::FIRST_CSEQ,
    transaction::{Failure, TransactionId, TransactionLayer},
    usage::{
        Draft, Exchange, Identity, Usage, authenticator, check_headers, check_security, with_body,
    },
};

/// A request to send outside of any dialog.
#[derive(Clone, Debug)]
pub struct OutgoingRequest {
    /// The method. INVITE, ACK and CANCEL have verbs of their own.
    pub method: Method,
    /// Whom to ask: the Request-URI.
    pub target: Uri,
    /// Where to send it: the near end is a listener, the far end the resolved next hop. If
    /// `registration` has a service route, that is its first proxy.
    pub flow: Flow,
    /// Who asks. Port and transport parameters are left out of the From (RFC 3261 §19.1.1).
    pub from: NameAddr,
    /// Whom it is about; `None`: the target.
    pub to: Option<NameAddr>,
    /// The body.
    pub body: Option<Body>,
    /// More header fields, in order. A `Route` here has to name loose routers; a MESSAGE has no
    /// `Contact` (RFC 3428 §4).
    pub headers: Vec<(HeaderName, Text)>,
    /// What to answer challenges with (RFC 3261 §22). Without any a challenge is the response.
    pub logins: Vec<Login>,
    /// The registration whose service route the request takes (RFC 3608 §6.1).
    pub registration: Option<RegistrationId>,
}

impl OutgoingRequest {
    /// A request without body, header fields of its own and logins.
    pub fn new(method: Method, target: Uri, from: NameAddr, flow: Flow) -> Self {
        Self {
            method,
            target,
            flow,
            from,
            to: None,
            body: None,
            headers: Vec::new(),
            logins: Vec::new(),
            registration: None,
        }
    }
}

/// Names one request of ours outside of dialogs, until its response or failure is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RequestId(pub(crate) Key<Sent>);

/// Why a request has had no final response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RequestFailure {
    /// Nobody answered: Timer F. Counts as 408.
    TimedOut,
    /// It could not be sent. Counts as 503 (RFC 3261 §8.1.3.1).
    Transport,
}

impl RequestFailure {
    /// The final status that stands for it (RFC 3261 §8.1.3.1).
    pub const fn status(self) -> StatusCode {
        match self {
            Self::TimedOut => StatusCode::REQUEST_TIMEOUT,
            Self::Transport => StatusCode::SERVICE_UNAVAILABLE,
        }
    }
}

impl From<Failure> for RequestFailure {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::TimedOut => Self::TimedOut,
            Failure::Transport => Self::Transport,
        }
    }
}

/// A request of ours that waits for its final response.
#[derive(Debug)]
pub(crate) struct Sent {
    exchange: Exchange,
    authenticator: Option<Box<Authenticator>>,
    outcome: Option<Result<ValidResponse, RequestFailure>>,
    over: bool,
}

impl Sent {
    /// Sends the request, through `routes`.
    pub(crate) fn start(
        layer: &mut TransactionLayer,
        now: Instant,
        request: OutgoingRequest,
        routes: &[Route],
    ) -> Result<Self, Error> {
        check(&request)?;
        let OutgoingRequest { method, target, flow, from, to, body, headers, logins, .. } = request;
        let to = to.unwrap_or_else(|| NameAddr::new(target.clone()));
        let identity = Identity::new(layer, from, to);
        let options = method == Method::OPTIONS;
        let draft = Draft {
            method,
            target: &target,
            identity: &identity,
            cseq: FIRST_CSEQ,
            flow,
            routes,
            headers: &headers,
        };
        let mut builder = draft.compose(layer)?;
        if options {
            // §11.1: what the answer may be written in.
            for accepted in &layer.config.accept {
                builder = builder.raw(HeaderName::ACCEPT, accepted);
            }
        }
        let built = with_body(builder, body).build();
        let built = built.map_err(|error| Error::Unbuildable(error.to_string()))?;
        let mut authenticator = authenticator(layer, logins);
        let exchange = Exchange::start(layer, now, built, flow, authenticator.as_deref_mut())?;
        Ok(Self { exchange, authenticator, outcome: None, over: false })
    }
}

impl Usage for Sent {
    type Event = Result<ValidResponse, RequestFailure>;

    fn answered(&mut self, layer: &mut TransactionLayer, now: Instant, response: ValidResponse) {
        let authenticator = self.authenticator.as_deref_mut();
        if !self.exchange.challenged(layer, now, &response, authenticator) {
            self.outcome = Some(Ok(response));
            self.over = true;
        }
    }

    fn failed(&mut self, _layer: &mut TransactionLayer, _now: Instant, failure: Failure) {
        self.outcome = Some(Err(failure.into()));
        self.over = true;
    }

    /// The transaction has all the timers.
    fn handle_timeout(&mut self, _layer: &mut TransactionLayer, _now: Instant) {}

    fn poll_event(&mut self) -> Option<Self::Event> {
        self.outcome.take()
    }

    fn poll_timeout(&self) -> Option<Instant> {
        None
    }

    fn transaction(&self) -> Option<TransactionId> {
        (!self.over).then(|| self.exchange.transaction())
    }

    fn is_over(&self) -> bool {
        self.over
    }

    fn tell(key: Key<Self>, event: Self::Event) -> Event {
        let request = RequestId(key);
        match event {
            Ok(response) => Event::Response { request, response },
            Err(failure) => Event::Failed { request, failure },
        }
    }
}

fn check(request: &OutgoingRequest) -> Result<(), Error> {
    let OutgoingRequest { method, target, flow, headers, .. } = request;
    if [Method::INVITE, Method::ACK, Method::CANCEL].contains(method) {
        return Err(Error::WrongMethod { method: method.clone() });
    }
    check_security(target, *flow)?;
    let contactless = *method == Method::MESSAGE;
    check_headers(headers, if contactless { &[HeaderName::CONTACT] } else { &[] })
}
