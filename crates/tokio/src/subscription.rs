//! The handle of one subscription of this side (RFC 6665 §4.1).

mod builder;
pub use builder::SubscriptionBuilder;
pub(crate) use builder::Wanted;

mod notification;
pub use notification::Notification;

mod status;
pub use status::{SubscriptionFault, SubscriptionStatus};

use std::sync::atomic::{AtomicU64, Ordering};

use tokio::sync::{Mutex, broadcast, broadcast::error::RecvError, mpsc, oneshot, watch};

use crate::{
    Error,
    command::{Command, Reply},
    driver::respond,
};

/// A subscription to the state of something, which is kept: refreshed in time, and asked for again
/// when it is lost, at another server if need be.
///
/// A SUBSCRIBE that was forked makes several subscriptions (RFC 6665 §4.4.1): the notifications of
/// all of them come here, each with its [`notifier`](Notification::notifier). How they are merged is
/// a matter of the package. The [`status`](Self::status) is that of the first, as long as it lasts.
///
/// Dropping it ends the subscription.
#[derive(Debug)]
pub struct Subscription {
    key: SubscriptionKey,
    status: watch::Receiver<SubscriptionStatus>,
    notifications: Mutex<broadcast::Receiver<Notification>>,
    left_out: AtomicU64,
    commands: mpsc::UnboundedSender<Command>,
}

/// Names one subscription of an endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct SubscriptionKey(pub(crate) u64);

/// What a handle asks of the driver.
pub(crate) enum Order {
    Open { wanted: Box<Wanted>, reply: Reply<Subscription> },
    Refresh { subscription: SubscriptionKey, reply: Reply<()> },
    Unsubscribe { subscription: SubscriptionKey },
}

impl Subscription {
    pub(crate) fn new(
        key: SubscriptionKey,
        status: watch::Receiver<SubscriptionStatus>,
        notifications: broadcast::Receiver<Notification>,
        commands: mpsc::UnboundedSender<Command>,
    ) -> Self {
        let (notifications, left_out) = (Mutex::new(notifications), AtomicU64::new(0));
        Self { key, status, notifications, left_out, commands }
    }

    /// The next notification; `None` if the subscription is over, and its [`status`](Self::status)
    /// says why.
    ///
    /// The newest 16 are kept for who takes them slowly; the others are
    /// [left out](Self::left_out).
    pub async fn next(&self) -> Option<Notification> {
        let mut notifications = self.notifications.lock().await;
        loop {
            match notifications.recv().await {
                Ok(notification) => return Some(notification),
                Err(RecvError::Lagged(count)) => {
                    self.left_out.fetch_add(count, Ordering::Relaxed);
                }
                Err(RecvError::Closed) => return None,
            }
        }
    }

    /// How many notifications [`next`](Self::next) has not given, for newer ones had come.
    pub fn left_out(&self) -> u64 {
        self.left_out.load(Ordering::Relaxed)
    }

    /// How it stands.
    pub fn status(&self) -> SubscriptionStatus {
        self.status.borrow().clone()
    }

    /// How it stands from now on. Each status is seen at least if it lasts.
    pub fn statuses(&self) -> watch::Receiver<SubscriptionStatus> {
        self.status.clone()
    }

    /// Waits until the first notification has come, over losses after which it is asked for again:
    /// the subscription is active or pending then.
    ///
    /// # Errors
    ///
    /// [`Error::NotSubscribed`] if it is over, [`Error::Closed`] if the endpoint is closed.
    pub async fn subscribed(&self) -> Result<(), Error> {
        let mut statuses = self.statuses();
        let known = |status: &SubscriptionStatus| status.stands() || status.is_over();
        match &*statuses.wait_for(known).await.map_err(|_| Error::Closed)? {
            SubscriptionStatus::Ended { fault } => {
                Err(Error::NotSubscribed(fault.clone().unwrap_or(SubscriptionFault::Unsubscribed)))
            }
            _ => Ok(()),
        }
    }

    /// Asks for the state again (RFC 6665 §4.4.3), or anew without waiting if it is lost.
    ///
    /// # Errors
    ///
    /// If it is over or being ended, or the endpoint is closed.
    pub async fn refresh(&self) -> Result<(), Error> {
        let (subscription, (reply, answer)) = (self.key, oneshot::channel());
        let order = Order::Refresh { subscription, reply };
        self.commands.send(Command::Subscription(order)).map_err(|_| Error::Closed)?;
        answer.await.map_err(|_| Error::Closed)?
    }

    /// Ends the subscription, and waits for the last notification (RFC 6665 §4.1.2.3); it may be
    /// taken with [`next`](Self::next) after that.
    ///
    /// # Errors
    ///
    /// [`Error::Closed`] if the endpoint goes away before.
    pub async fn unsubscribe(&self) -> Result<(), Error> {
        let order = Order::Unsubscribe { subscription: self.key };
        self.commands.send(Command::Subscription(order)).map_err(|_| Error::Closed)?;
        let mut statuses = self.statuses();
        let over = statuses.wait_for(SubscriptionStatus::is_over).await;
        over.map(drop).map_err(|_| Error::Closed)
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        // A closed driver has ended it already.
        let order = Order::Unsubscribe { subscription: self.key };
        let _ = self.commands.send(Command::Subscription(order));
    }
}

impl Order {
    /// Whether a closing endpoint has no time for it.
    pub(crate) const fn begins(&self) -> bool {
        matches!(self, Self::Open { .. } | Self::Refresh { .. })
    }

    /// Says that the endpoint closes.
    pub(crate) fn refuse(self) {
        match self {
            Self::Open { reply, .. } => respond(reply, Err(Error::Closed)),
            Self::Refresh { reply, .. } => respond(reply, Err(Error::Closed)),
            Self::Unsubscribe { .. } => {}
        }
    }
}

/// How many notifications wait for a slow owner; the newest stay.
pub(crate) const BACKLOG: usize = 16;
