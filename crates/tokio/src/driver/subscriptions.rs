//! Subscriptions of this side: each finds its notifier, and another one when that fails
//! (RFC 6665 §4.1, RFC 3263 §4.3).
//!
//! 1. The locator names the first target, and a SUBSCRIBE goes there.
//! 2. If nothing comes back, or 503, the next target gets it at once. When all have failed, the SIP
//!    layer asks again in a while, and by then the targets are looked up anew.
//! 3. A connection that is lost is made anew, and the subscription is refreshed over it, for nothing
//!    could be told by the lost one.

mod told;

use std::time::Instant;

use offhook_sansio::Flow;
use offhook_sip::{LookupId, SubscriptionId};
use tokio::sync::{broadcast, watch};
use tracing::debug;

use super::{Driver, errand::Purpose, registrars::waiting, respond};
use crate::{
    Error, Notification, Subscription, SubscriptionFault, SubscriptionStatus,
    command::Reply,
    subscription::{BACKLOG, Order, SubscriptionKey, Wanted},
};

/// One subscription.
pub(super) struct Watching {
    wanted: Wanted,
    /// The one that was asked for, until it is over.
    id: Option<SubscriptionId>,
    /// Those that the forked SUBSCRIBE has made beside it.
    forks: Vec<SubscriptionId>,
    /// The search whose target has the SUBSCRIBE.
    lookup: Option<LookupId>,
    /// Where the last SUBSCRIBE went, and when a lost connection was made anew.
    flow: Option<Flow>,
    renewed: Option<Instant>,
    /// Whether it is asked for as soon as there is a way, or when the SIP layer says so.
    eager: bool,
    leaving: bool,
    /// Whether anything was told.
    heard: bool,
    /// Searches in a row that have found nothing, before anything was sent.
    failures: u32,
    /// Why the first of several is over.
    fault: Option<SubscriptionFault>,
    status: watch::Sender<SubscriptionStatus>,
    notifications: broadcast::Sender<Notification>,
}

impl Driver {
    pub(super) fn obey_subscription(&mut self, order: Order) {
        match order {
            Order::Open { wanted, reply } => self.open_subscription(*wanted, reply),
            Order::Refresh { subscription, reply } => {
                let refreshed = self.refresh_subscription(subscription);
                respond(reply, refreshed);
            }
            Order::Unsubscribe { subscription } => self.unsubscribe(subscription),
        }
    }

    fn open_subscription(&mut self, wanted: Wanted, reply: Reply<Subscription>) {
        let Some(commands) = self.commands.upgrade() else {
            return respond(reply, Err(Error::Closed));
        };
        let key = SubscriptionKey(self.new_id());
        let (status, seen) = watch::channel(SubscriptionStatus::Subscribing);
        let (notifications, told) = broadcast::channel(BACKLOG);
        let flow = wanted.account.and_then(|account| self.bound_flow(account));
        let watching = Watching {
            wanted,
            id: None,
            forks: Vec::new(),
            lookup: None,
            flow: None,
            renewed: None,
            eager: true,
            leaving: false,
            heard: false,
            failures: 0,
            fault: None,
            status,
            notifications,
        };
        self.watching.insert(key, watching);
        respond(reply, Ok(Subscription::new(key, seen, told, commands)));
        match flow {
            Some(flow) => self.subscribe_by(key, None, flow),
            None => self.seek_notifier(key, true),
        }
    }

    /// Looks for the notifier. `eager`: it is asked as soon as it is found.
    fn seek_notifier(&mut self, key: SubscriptionKey, eager: bool) {
        let seeks = |purpose: &Purpose| matches!(purpose, Purpose::Watch(other) if *other == key);
        let is_sought = self.errands.values().any(|errand| seeks(&errand.purpose));
        let Some(watching) = self.watching.get_mut(&key).filter(|it| !it.leaving) else { return };
        watching.eager |= eager;
        if is_sought {
            return;
        }
        watching.eager = eager;
        let (lookup, account) = (watching.lookup.take(), watching.wanted.account);
        let target = watching.wanted.target.clone();
        if let Some(lookup) = lookup {
            self.locator.abandon(lookup);
        }
        if let Some(flow) = account.and_then(|account| self.bound_flow(account)) {
            return self.subscribe_by(key, None, flow);
        }
        let hop = self.hop_of(account, &target);
        self.seek(Purpose::Watch(key), hop, None);
    }

    /// There is a way to the notifier.
    pub(super) fn subscribe_by(
        &mut self,
        key: SubscriptionKey,
        lookup: Option<LookupId>,
        flow: Flow,
    ) {
        let Some(watching) = self.watching.get(&key) else { return };
        let (now, eager) = (Instant::now(), watching.eager);
        let done = match watching.id {
            Some(id) => self.core.retarget_subscription(now, id, flow).and_then(|()| {
                if eager { self.core.refresh_subscription(now, id) } else { Ok(()) }.map(|()| id)
            }),
            None => {
                let mut subscription = watching.wanted.subscription(flow);
                let account = watching.wanted.account.and_then(|id| self.accounts.get(&id));
                if let Some(account) = account {
                    subscription.logins.extend(account.settings.logins.iter().cloned());
                    subscription.registration = account.registration;
                    subscription.headers.extend(self.proxy_routes(account));
                }
                self.core.subscribe(now, subscription)
            }
        };
        let Some(watching) = self.watching.get_mut(&key) else { return };
        (watching.lookup, watching.flow) = (lookup, Some(flow));
        match done {
            Ok(id) => {
                watching.id = Some(id);
                self.subscriptions.insert(id, key);
            }
            Err(error) if watching.id.is_none() => {
                let fault = Some(SubscriptionFault::Other(error.to_string()));
                self.watched(key, fault);
            }
            Err(error) => debug!(?key, %error, "the subscription stays where it is"),
        }
    }

    /// No target is left. What the SIP layer has sent before it sends again by itself.
    pub(super) fn no_notifier(&mut self, key: SubscriptionKey, fault: String) {
        let now = Instant::now();
        let Some(watching) = self.watching.get_mut(&key) else { return };
        watching.lookup = None;
        let fault = SubscriptionFault::Unreachable(fault);
        if watching.id.is_some() {
            if watching.status.borrow().stands() {
                // Its connection is gone, and it would hear nothing.
                self.resubscriptions.set(key, Some(now + waiting(self.back_off, 1)));
            }
            return;
        }
        if watching.wanted.is_fetch() {
            // What the last server has said, or has not, says more.
            let fault = watching.fault.take().or(Some(fault));
            return self.watched(key, fault);
        }
        watching.failures = watching.failures.saturating_add(1);
        let next_try = now + waiting(self.back_off, watching.failures);
        watching.status.send_replace(SubscriptionStatus::Lost { fault, next_try });
        self.resubscriptions.set(key, Some(next_try));
    }

    /// Looks for the notifiers whose time has come.
    pub(super) fn resubscribe(&mut self, now: Instant) {
        while let Some(key) = self.resubscriptions.expired(now) {
            self.seek_notifier(key, true);
        }
    }

    /// A connection is gone: what was subscribed to over it is told over another one. A peer that
    /// closes each of them at once is not followed at that pace.
    pub(super) fn renew_subscriptions(&mut self, flow: Flow) {
        let now = Instant::now();
        let pause = waiting(self.back_off, 1);
        let lost = self.watching.iter_mut().filter(|(_, it)| it.flow == Some(flow) && !it.leaving);
        let due: Vec<_> = lost
            .map(|(key, watching)| {
                let earliest = watching.renewed.map_or(now, |at| at + pause);
                watching.renewed = Some(earliest.max(now));
                (*key, earliest)
            })
            .collect();
        for (key, at) in due {
            match at > now {
                true => self.resubscriptions.set(key, Some(at)),
                false => self.seek_notifier(key, true),
            }
        }
    }

    fn refresh_subscription(&mut self, key: SubscriptionKey) -> Result<(), Error> {
        let watching = self.watching.get_mut(&key).filter(|it| !it.leaving);
        let watching =
            watching.ok_or(offhook_core::Error::Sip(offhook_sip::Error::NoSubscription))?;
        match watching.id {
            Some(id) => self.core.refresh_subscription(Instant::now(), id)?,
            None => self.seek_notifier(key, true),
        }
        Ok(())
    }

    fn unsubscribe(&mut self, key: SubscriptionKey) {
        self.drop_errands(|it| matches!(it, Purpose::Watch(other) if *other == key));
        self.resubscriptions.set(key, None);
        let Some(watching) = self.watching.get_mut(&key) else { return };
        if std::mem::replace(&mut watching.leaving, true) {
            return;
        }
        let ids: Vec<_> = watching.forks.iter().copied().chain(watching.id).collect();
        if ids.is_empty() {
            return self.watched(key, None);
        }
        for id in ids {
            if let Err(error) = self.core.unsubscribe(Instant::now(), id) {
                debug!(?key, %error, "nothing to unsubscribe from");
            }
        }
    }

    pub(super) fn unsubscribe_all(&mut self) {
        let keys: Vec<_> = self.watching.keys().copied().collect();
        keys.into_iter().for_each(|key| self.unsubscribe(key));
    }

    /// It is over: the handle hears of that after all that was told.
    fn watched(&mut self, key: SubscriptionKey, fault: Option<SubscriptionFault>) {
        let Some(watching) = self.watching.remove(&key) else { return };
        self.resubscriptions.set(key, None);
        self.reach_target(watching.lookup);
        watching.status.send_replace(SubscriptionStatus::Ended { fault });
    }
}
