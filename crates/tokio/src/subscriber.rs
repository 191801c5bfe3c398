//! The handle of one who subscribes to something of this side (RFC 6665 §4.2).

mod status;
pub use status::SubscriberStatus;

use std::time::Duration;

use bytes::Bytes;
use offhook_sip::{Body, EventPackage, SubscriberEnd, SubscriberId};
use offhook_sip_message::{
    Accept, ContentType, Event, EventReason, HeaderName, MediaType, NameAddr, StatusCode, Text,
    ValidRequest,
};
use tokio::sync::{mpsc, oneshot, watch};

use crate::{
    AccountId, Error,
    command::{Command, Reply},
};

/// Someone who subscribes, taken with [`Endpoint::subscriber`](crate::Endpoint::subscriber).
///
/// Accept, pend or reject it within 16 s; then tell the state of the resource each time that it
/// changes. Refreshes are answered by themselves, with the state that was told last.
///
/// Dropped before that it is refused (480). Dropped later it is ended with `noresource`: nobody is
/// left who could tell of the state, and asking again would not help (RFC 6665 §4.1.3).
#[derive(Debug)]
pub struct Subscriber {
    id: SubscriberId,
    request: ValidRequest,
    event: Event,
    expires: Duration,
    longest: Option<Duration>,
    account: Option<AccountId>,
    status: watch::Receiver<SubscriberStatus>,
    /// `None` once nobody needs to know of its end.
    commands: Option<mpsc::UnboundedSender<Command>>,
}

/// What the SUBSCRIBE asks for.
pub(crate) struct Request {
    pub(crate) id: SubscriberId,
    pub(crate) request: ValidRequest,
    pub(crate) event: Event,
    pub(crate) expires: Duration,
    pub(crate) account: Option<AccountId>,
}

/// What a handle asks of the driver.
pub(crate) struct Order {
    pub(crate) subscriber: SubscriberId,
    pub(crate) verb: Verb,
    pub(crate) reply: Reply<()>,
}

#[derive(Debug)]
pub(crate) enum Verb {
    /// Allows it, be it new or pending.
    Accept {
        longest: Option<Duration>,
        body: Option<Body>,
    },
    Pend {
        longest: Option<Duration>,
    },
    Reject {
        status: StatusCode,
        headers: Vec<(HeaderName, Text)>,
    },
    Notify {
        body: Option<Body>,
    },
    Terminate {
        reason: EventReason,
        retry_after: Option<Duration>,
        body: Option<Body>,
    },
    /// The handle is gone.
    Abandon,
}

impl Subscriber {
    pub(crate) fn new(
        request: Request,
        status: watch::Receiver<SubscriberStatus>,
        commands: mpsc::UnboundedSender<Command>,
    ) -> Self {
        let Request { id, request, event, expires, account } = request;
        let (longest, commands) = (None, Some(commands));
        Self { id, request, event, expires, longest, account, status, commands }
    }

    /// Who subscribes, as it claims.
    pub fn from(&self) -> &NameAddr {
        &self.request.from().address
    }

    /// Whose state it wants to know.
    pub fn to(&self) -> &NameAddr {
        &self.request.to().address
    }

    /// The package: one of those that
    /// [`Builder::event_packages`](crate::Builder::event_packages) names.
    pub fn package(&self) -> EventPackage {
        EventPackage::new(self.event.event_type.clone())
    }

    /// What it is about, with its id and parameters.
    pub const fn event(&self) -> &Event {
        &self.event
    }

    /// For how long it has asked. Zero: the state is fetched once.
    pub const fn expires(&self) -> Duration {
        self.expires
    }

    /// The body types that it wants; none: those of the package.
    pub fn accept_types(&self) -> Vec<MediaType> {
        self.request.headers_of::<Accept>().flatten().map(|Accept(kind)| kind).collect()
    }

    /// The type of the body, if it has one that can be read.
    pub fn content_type(&self) -> Option<ContentType> {
        self.request.header::<ContentType>().ok().flatten()
    }

    /// The body, such as a filter; mostly empty.
    pub fn body(&self) -> Bytes {
        self.request.body()
    }

    /// The SUBSCRIBE.
    pub const fn request(&self) -> &ValidRequest {
        &self.request
    }

    /// The account whose registered contact is asked.
    pub const fn account(&self) -> Option<AccountId> {
        self.account
    }

    /// Grants no more than `longest`, now and with each refresh. Default: what is asked for.
    #[must_use]
    pub const fn at_most(mut self, longest: Duration) -> Self {
        self.longest = Some(longest);
        self
    }

    /// Allows the subscription, be it new or pending, and tells the state of the resource. Without
    /// `content` the notification has no body. One that only fetches the state ends with that.
    ///
    /// # Errors
    ///
    /// If it is over or was accepted before, or the endpoint is closed.
    pub async fn accept(&self, content_type: &str, content: impl Into<Bytes>) -> Result<(), Error> {
        let body = body(content_type, content.into());
        self.tell(Verb::Accept { longest: self.longest, body }).await
    }

    /// Lets it wait for permission (RFC 6665 §4.2.1.3), and tells nothing of the resource.
    ///
    /// # Errors
    ///
    /// If it does not wait for an answer, or the endpoint is closed.
    pub async fn pend(&self) -> Result<(), Error> {
        self.tell(Verb::Pend { longest: self.longest }).await
    }

    /// Refuses it with a status from 300 to 699: 403 if it is not allowed.
    ///
    /// # Errors
    ///
    /// If it does not wait for an answer, the status is another, or the endpoint is closed.
    pub async fn reject(&self, status: StatusCode) -> Result<(), Error> {
        self.reject_with(status, Vec::new()).await
    }

    /// Refuses it, with header fields such as a challenge or `Retry-After`.
    ///
    /// # Errors
    ///
    /// As for [`reject`](Self::reject).
    pub async fn reject_with(
        &self,
        status: StatusCode,
        headers: impl Into<Vec<(HeaderName, Text)>>,
    ) -> Result<(), Error> {
        self.tell(Verb::Reject { status, headers: headers.into() }).await
    }

    /// Tells the state of the resource. Each notification waits for the answer to the one before;
    /// 32 may wait.
    ///
    /// # Errors
    ///
    /// If it was not accepted or pended, is over, or too many notifications wait; or the endpoint
    /// is closed.
    pub async fn notify(&self, content_type: &str, content: impl Into<Bytes>) -> Result<(), Error> {
        self.tell(Verb::Notify { body: body(content_type, content.into()) }).await
    }

    /// Ends it with a last notification without a body. The reason says whether the subscriber is
    /// to come back (RFC 6665 §4.1.3).
    ///
    /// # Errors
    ///
    /// If it was not accepted or pended, or is over; or the endpoint is closed.
    pub async fn terminate(&self, reason: EventReason) -> Result<(), Error> {
        self.terminate_with(reason, None, "", Bytes::new()).await
    }

    /// The same, with the last state of the resource, and how long the subscriber should wait
    /// before it comes back.
    ///
    /// # Errors
    ///
    /// As for [`terminate`](Self::terminate).
    pub async fn terminate_with(
        &self,
        reason: EventReason,
        retry_after: Option<Duration>,
        content_type: &str,
        content: impl Into<Bytes>,
    ) -> Result<(), Error> {
        let body = body(content_type, content.into());
        self.tell(Verb::Terminate { reason, retry_after, body }).await
    }

    /// How it stands.
    pub fn status(&self) -> SubscriberStatus {
        self.status.borrow().clone()
    }

    /// How it stands from now on: each refresh moves the time until which it lasts.
    pub fn statuses(&self) -> watch::Receiver<SubscriberStatus> {
        self.status.clone()
    }

    /// Waits for its end.
    ///
    /// # Errors
    ///
    /// [`Error::Closed`] if the endpoint goes away before.
    pub async fn ended(&self) -> Result<SubscriberEnd, Error> {
        let mut statuses = self.statuses();
        let over = |status: &SubscriberStatus| matches!(status, SubscriberStatus::Ended(_));
        match &*statuses.wait_for(over).await.map_err(|_| Error::Closed)? {
            SubscriberStatus::Ended(end) => Ok(end.clone()),
            _ => Err(Error::Closed),
        }
    }

    /// Lets go of it: somebody else answers.
    pub(crate) fn forget(mut self) {
        self.commands = None;
    }

    pub(crate) fn is_over(&self) -> bool {
        matches!(*self.status.borrow(), SubscriberStatus::Ended(_))
    }

    async fn tell(&self, verb: Verb) -> Result<(), Error> {
        let commands = self.commands.as_ref().ok_or(Error::Closed)?;
        let (subscriber, (reply, answer)) = (self.id, oneshot::channel());
        let order = Box::new(Order { subscriber, verb, reply });
        commands.send(Command::Subscriber(order)).map_err(|_| Error::Closed)?;
        answer.await.map_err(|_| Error::Closed)?
    }
}

impl Drop for Subscriber {
    fn drop(&mut self) {
        if let Some(commands) = self.commands.take() {
            let (reply, _) = oneshot::channel();
            let order = Order { subscriber: self.id, verb: Verb::Abandon, reply };
            // A closed driver has ended it already.
            let _ = commands.send(Command::Subscriber(Box::new(order)));
        }
    }
}

fn body(content_type: &str, content: Bytes) -> Option<Body> {
    (!content.is_empty()).then(|| Body { content_type: Text::from(content_type), content })
}
