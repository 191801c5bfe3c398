//! The settings of a subscription.

use std::time::Duration;

use bytes::Bytes;
use offhook_sansio::Flow;
use offhook_sip::{Body, EventPackage, Login, Subscription as Subscribed};
use offhook_sip_message::{Event, HeaderName, NameAddr, Text, Uri};
use tokio::sync::{mpsc, oneshot};

use super::{Notification, Order, Subscription, SubscriptionFault, SubscriptionStatus};
use crate::{AccountId, Error, command::Command, uri};

/// Settings of a new subscription, made by [`Account::subscribe`](crate::Account::subscribe) or
/// [`Endpoint::subscribe`](crate::Endpoint::subscribe). What is not set keeps its default.
#[derive(Debug)]
#[must_use = "a subscription begins with `open` or `fetch`"]
pub struct SubscriptionBuilder {
    target: String,
    wanted: Wanted,
    commands: mpsc::UnboundedSender<Command>,
}

/// What is to be subscribed to.
#[derive(Clone, Debug)]
pub(crate) struct Wanted {
    pub(crate) target: Uri,
    pub(crate) account: Option<AccountId>,
    from: NameAddr,
    event: Event,
    expires: Option<Duration>,
    accept: Vec<Text>,
    body: Option<Body>,
    forks: Option<usize>,
    headers: Vec<(HeaderName, Text)>,
    logins: Vec<Login>,
}

impl SubscriptionBuilder {
    pub(crate) fn new(
        target: &str,
        package: &EventPackage,
        from: &NameAddr,
        account: Option<AccountId>,
        commands: &mpsc::UnboundedSender<Command>,
    ) -> Self {
        let wanted = Wanted {
            target: from.uri.clone(),
            account,
            from: from.clone(),
            event: package.event(),
            expires: None,
            accept: Vec::new(),
            body: None,
            forks: None,
            headers: Vec::new(),
            logins: Vec::new(),
        };
        Self { target: target.to_owned(), wanted, commands: commands.clone() }
    }

    /// For how long to ask. The notifier may grant less; the subscription is refreshed in time.
    /// Default: that of the package, an hour for most.
    pub const fn expires(mut self, time: Duration) -> Self {
        self.wanted.expires = Some(time);
        self
    }

    /// One more type that bodies of notifications may have, such as
    /// `application/dialog-info+xml`. Default: those of the package.
    pub fn accept(mut self, content_type: &str) -> Self {
        self.wanted.accept.push(Text::from(content_type));
        self
    }

    /// The id of the event: which of several is meant (RFC 6665 §8.2.1).
    pub fn event_id(mut self, id: &str) -> Self {
        self.wanted.event = self.wanted.event.with_id(Text::from(id));
        self
    }

    /// One more parameter of the event, such as `call-id` of dialog events (RFC 4235 §3.2).
    pub fn event_parameter(mut self, name: &str, value: &str) -> Self {
        self.wanted.event.parameters.set(name, Some(Text::from(value)));
        self
    }

    /// What the subscription is about more closely, such as a filter.
    pub fn body(mut self, content_type: &str, content: impl Into<Bytes>) -> Self {
        let content_type = Text::from(content_type);
        self.wanted.body = Some(Body { content_type, content: content.into() });
        self
    }

    /// How many more subscriptions a SUBSCRIBE that was forked may make (RFC 6665 §4.4.1); what
    /// comes of others is refused. Default: 15 where the package knows how to merge them, as
    /// `dialog` and `message-summary` do, else 0.
    pub const fn forks(mut self, most: usize) -> Self {
        self.wanted.forks = Some(most);
        self
    }

    /// One more header field of each SUBSCRIBE.
    pub fn header(mut self, name: HeaderName, value: &str) -> Self {
        self.wanted.headers.push((name, Text::from(value)));
        self
    }

    /// What to answer challenges with (RFC 3261 §22), one more before those of the account.
    pub fn login(mut self, login: Login) -> Self {
        self.wanted.logins.push(login);
        self
    }

    /// Subscribes. See [`Subscription::subscribed`].
    ///
    /// # Errors
    ///
    /// [`Error::Uri`] if the target cannot be read, [`Error::Closed`] if the endpoint is closed.
    pub async fn open(self) -> Result<Subscription, Error> {
        let Self { target, mut wanted, commands } = self;
        wanted.target = uri(&target)?;
        let (wanted, (reply, answer)) = (Box::new(wanted), oneshot::channel());
        let order = Order::Open { wanted, reply };
        commands.send(Command::Subscription(order)).map_err(|_| Error::Closed)?;
        answer.await.map_err(|_| Error::Closed)?
    }

    /// Asks for the state once, without a subscription (RFC 6665 §4.4.3).
    ///
    /// # Errors
    ///
    /// As for [`open`](Self::open), and [`Error::NotSubscribed`] if nothing is told.
    pub async fn fetch(mut self) -> Result<Notification, Error> {
        self.wanted.expires = Some(Duration::ZERO);
        let fetching = self.open().await?;
        if let Some(notification) = fetching.next().await {
            return Ok(notification);
        }
        match fetching.status() {
            SubscriptionStatus::Ended { fault } => {
                Err(Error::NotSubscribed(fault.unwrap_or(SubscriptionFault::NotNotified)))
            }
            _ => Err(Error::Closed),
        }
    }
}

impl Wanted {
    /// Whether the state is asked for once.
    pub(crate) fn is_fetch(&self) -> bool {
        self.expires.is_some_and(|time| time.as_secs() == 0)
    }

    /// What the SIP layer is to subscribe to over `flow`.
    pub(crate) fn subscription(&self, flow: Flow) -> Subscribed {
        let Self { target, from, event, .. } = self.clone();
        let default = Subscribed::new(target, event, from, flow);
        Subscribed {
            expires: self.expires.unwrap_or(default.expires),
            accept: self.accept.clone(),
            body: self.body.clone(),
            forks: self.forks.unwrap_or(default.forks),
            headers: self.headers.clone(),
            logins: self.logins.clone(),
            ..default
        }
    }
}
