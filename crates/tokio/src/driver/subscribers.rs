//! Subscriptions of others: each is given to who takes them, who says what becomes of it
//! (RFC 6665 §4.2).

use std::time::{Duration, Instant};

use offhook_sip::{SubscriberEvent, SubscriberId};
use offhook_sip_message::EventReason;
use tokio::sync::watch;
use tracing::debug;

use super::{Driver, UNAVAILABLE, respond};
use crate::{
    AccountId, Error, Subscriber, SubscriberStatus,
    subscriber::{Order, Request, Verb},
};

/// One who subscribes.
pub(super) struct Serving {
    /// For how long it has asked at first.
    expires: Duration,
    account: Option<AccountId>,
    status: watch::Sender<SubscriberStatus>,
}

impl Driver {
    /// The SIP layer tells of a subscription of another.
    pub(super) fn subscriber_changed(
        &mut self,
        id: SubscriberId,
        event: SubscriberEvent,
        account: Option<AccountId>,
    ) {
        match event {
            SubscriberEvent::Requested { request, event, expires, .. } => {
                self.subscribed(Request { id, request, event, expires, account });
            }
            SubscriberEvent::Refreshed { expires } => {
                let Some(serving) = self.serving.get(&id) else { return };
                let later = Instant::now() + expires;
                serving.status.send_modify(|status| match status {
                    SubscriberStatus::Active { until } | SubscriberStatus::Pending { until } => {
                        *until = later;
                    }
                    SubscriberStatus::Waiting | SubscriberStatus::Ended(_) => {}
                });
            }
            SubscriberEvent::Ended { end } => {
                if let Some(serving) = self.serving.remove(&id) {
                    serving.status.send_replace(SubscriberStatus::Ended(end));
                }
            }
        }
    }

    /// Someone subscribes: makes a handle and gives it to whoever waits for subscribers.
    fn subscribed(&mut self, request: Request) {
        let Request { id, expires, account, .. } = request;
        let (status, seen) = watch::channel(SubscriberStatus::Waiting);
        self.serving.insert(id, Serving { expires, account, status });
        let commands = self.commands.upgrade().filter(|_| !self.closing.has_begun());
        let taken = commands.is_some_and(|commands| {
            match self.incoming_subscribers.try_send(Subscriber::new(request, seen, commands)) {
                Ok(()) => true,
                Err(refused) => {
                    refused.into_inner().forget();
                    false
                }
            }
        });
        if !taken {
            self.abandon_subscriber(id, EventReason::Noresource);
        }
    }

    pub(super) fn obey_subscriber(&mut self, order: Order) {
        let Order { subscriber, verb, reply } = order;
        if matches!(verb, Verb::Abandon) {
            return self.abandon_subscriber(subscriber, EventReason::Noresource);
        }
        let done = self.serve(subscriber, verb);
        respond(reply, done.map_err(Error::from));
    }

    fn serve(&mut self, id: SubscriberId, verb: Verb) -> Result<(), offhook_core::Error> {
        let now = Instant::now();
        match verb {
            Verb::Accept { body, .. } if self.is_pending(id) => {
                self.core.activate_subscription(now, id, body)?;
                self.activated(id);
            }
            Verb::Accept { longest, body } => {
                self.log_in_to(id)?;
                self.core.accept_subscription(now, id, longest, body)?;
                self.granted(now, id, longest, |until| SubscriberStatus::Active { until });
            }
            Verb::Pend { longest } => {
                self.log_in_to(id)?;
                self.core.pend_subscription(now, id, longest, None)?;
                self.granted(now, id, longest, |until| SubscriberStatus::Pending { until });
            }
            Verb::Reject { status, headers } => {
                self.core.reject_subscription(now, id, status, &headers)?;
            }
            Verb::Notify { body } => self.core.notify(now, id, body)?,
            Verb::Terminate { reason, retry_after, body } => {
                self.core.terminate_subscription(now, id, reason, retry_after, body)?;
            }
            Verb::Abandon => {}
        }
        Ok(())
    }

    /// Challenges to what is told are answered as the account that it is for.
    fn log_in_to(&mut self, id: SubscriberId) -> Result<(), offhook_core::Error> {
        let account = self.serving.get(&id).and_then(|serving| serving.account);
        let account = account.and_then(|account| self.accounts.get(&account));
        let Some(account) = account.filter(|it| !it.settings.logins.is_empty()) else {
            return Ok(());
        };
        let logins = account.settings.logins.clone();
        self.core.log_in_subscription(Instant::now(), id, logins)
    }

    fn is_pending(&self, id: SubscriberId) -> bool {
        let status = self.serving.get(&id).map(|serving| serving.status.borrow().clone());
        matches!(status, Some(SubscriberStatus::Pending { .. }))
    }

    fn activated(&self, id: SubscriberId) {
        let Some(serving) = self.serving.get(&id) else { return };
        serving.status.send_modify(|status| {
            if let SubscriberStatus::Pending { until } = *status {
                *status = SubscriberStatus::Active { until };
            }
        });
    }

    /// The subscription stands. What is only fetched ends by itself.
    fn granted(
        &mut self,
        now: Instant,
        id: SubscriberId,
        longest: Option<Duration>,
        status: impl FnOnce(Instant) -> SubscriberStatus,
    ) {
        let Some(serving) = self.serving.get(&id) else { return };
        let granted = serving.expires.min(longest.unwrap_or(Duration::MAX));
        if granted > Duration::ZERO {
            serving.status.send_replace(status(now + granted));
        }
    }

    /// Refuses what nobody has decided on, and ends what was accepted.
    fn abandon_subscriber(&mut self, id: SubscriberId, reason: EventReason) {
        let Some(serving) = self.serving.get(&id) else { return };
        let waits = matches!(*serving.status.borrow(), SubscriberStatus::Waiting);
        let now = Instant::now();
        let done = match waits {
            true => self.core.reject_subscription(now, id, UNAVAILABLE, &[]),
            false => self.core.terminate_subscription(now, id, reason, None, None),
        };
        if let Err(error) = done {
            debug!(?id, %error, "the subscription is over already");
        }
    }

    /// The endpoint closes: who subscribes may find another one that tells the same
    /// (RFC 6665 §4.4.2).
    pub(super) fn leave_subscribers(&mut self) {
        let ids: Vec<_> = self.serving.keys().copied().collect();
        ids.into_iter().for_each(|id| self.abandon_subscriber(id, EventReason::Deactivated));
    }
}
