//! All subscriptions of a user agent, in both roles, and what leads to them.

use std::{collections::HashMap, time::Instant};

use offhook_sansio::Key;
use offhook_sip_message::{Method, ValidRequest};

use super::{Dialogs, Ground, Member, Notifier, Subscriber};
use crate::{
    Error, Event,
    call::Calls,
    dialog::DialogId,
    request::Incoming,
    transaction::{Notice, TransactionId, TransactionLayer},
    usage::Usages,
};

#[derive(Debug)]
pub(crate) struct Subscriptions {
    pub(super) subscribers: Usages<Subscriber>,
    pub(super) notifiers: Usages<Notifier>,
    pub(super) dialogs: Dialogs,
    /// The halves of dialogs that a NOTIFY may complete (RFC 6665 §4.4.1).
    pub(super) solicited: HashMap<DialogId, Key<Subscriber>>,
}

impl Subscriptions {
    pub(crate) fn new() -> Self {
        Self {
            subscribers: Usages::new(),
            notifiers: Usages::new(),
            dialogs: Dialogs::default(),
            solicited: HashMap::new(),
        }
    }

    /// Begins a subscription of ours.
    pub(crate) fn begin(
        &mut self,
        layer: &mut TransactionLayer,
        calls: &mut Calls,
        now: Instant,
        make: impl FnOnce(&mut Ground<'_>) -> Result<Subscriber, Error>,
    ) -> Result<Key<Subscriber>, Error> {
        if self.subscribers.len() >= layer.config.max_subscriptions {
            return Err(Error::TooManySubscriptions);
        }
        let dialogs = &mut self.dialogs;
        let subscriber = make(&mut Ground { layer, calls, dialogs, now })?;
        self.insert(calls, subscriber).ok_or(Error::TooManySubscriptions)
    }

    /// Lets `step` drive a subscription of ours, and lets it go on; `None` if it is over.
    pub(crate) fn drive<T>(
        &mut self,
        layer: &mut TransactionLayer,
        calls: &mut Calls,
        now: Instant,
        key: Key<Subscriber>,
        step: impl FnOnce(&mut Subscriber, &mut Ground<'_>) -> T,
    ) -> Option<T> {
        let before = Places::of(&self.subscribers, key);
        let mut ground = Ground { layer, calls, dialogs: &mut self.dialogs, now };
        let done = self.subscribers.drive(key, |subscriber| {
            let done = step(subscriber, &mut ground);
            subscriber.go_on(&mut ground);
            done
        });
        self.settle(calls, key, before);
        done
    }

    /// Lets `step` drive a subscription of another, and lets it go on; `None` if it is over.
    pub(crate) fn drive_notifier<T>(
        &mut self,
        layer: &mut TransactionLayer,
        calls: &mut Calls,
        now: Instant,
        key: Key<Notifier>,
        step: impl FnOnce(&mut Notifier, &mut Ground<'_>) -> T,
    ) -> Option<T> {
        let before = self.notifiers.get(key).and_then(|it| it.dialog().cloned());
        let mut ground = Ground { layer, calls, dialogs: &mut self.dialogs, now };
        let done = self.notifiers.drive(key, |notifier| {
            let done = step(notifier, &mut ground);
            notifier.go_on(&mut ground);
            done
        });
        if let Some(dialog) = before.filter(|_| self.notifiers.get(key).is_none()) {
            self.dialogs.leave(calls, &dialog, Member::Notifier(key));
        }
        done
    }

    /// The subscription that a verb is about. One of the other kind has another id.
    pub(crate) fn subscriber(&self, key: Key<Subscriber>, is_refer: bool) -> Result<(), Error> {
        let subscriber = self.subscribers.get(key).filter(|it| it.is_refer() == is_refer);
        subscriber.map(drop).ok_or(Error::NoSubscription)
    }

    /// The same for a subscription of another; its end may be told, but not answered.
    pub(crate) fn notifier(&self, key: Key<Notifier>, is_refer: bool) -> Result<(), Error> {
        let notifier = self.notifiers.get(key).filter(|it| it.is_refer() == is_refer);
        notifier.filter(|it| it.is_owned()).map(drop).ok_or(Error::NoSubscription)
    }

    pub(super) fn insert(
        &mut self,
        calls: &mut Calls,
        subscriber: Subscriber,
    ) -> Option<Key<Subscriber>> {
        let key = self.subscribers.begin(subscriber)?;
        self.settle(calls, key, Places::default());
        Some(key)
    }

    /// Whether a request is served here, and not by the owner of the user agent.
    pub(crate) fn wants(&self, layer: &TransactionLayer, request: &ValidRequest) -> bool {
        let ours = [Method::SUBSCRIBE, Method::NOTIFY, Method::REFER].contains(&request.method());
        ours && (!Incoming::wants(layer, request) || self.knows(layer, request))
    }

    /// Whether a transaction is of a subscription.
    pub(crate) fn owns(&self, transaction: TransactionId) -> bool {
        self.subscribers.owns(transaction) || self.notifiers.owns(transaction)
    }

    /// Takes what became of a transaction of a subscription.
    pub(crate) fn notice(
        &mut self,
        layer: &mut TransactionLayer,
        calls: &mut Calls,
        now: Instant,
        notice: Notice,
    ) {
        let Some(transaction) = notice.transaction() else { return };
        if let Some(key) = self.subscribers.owner(transaction) {
            self.subscribers.notice(layer, now, notice);
            self.drive(layer, calls, now, key, |_, _| ());
        } else if let Some(key) = self.notifiers.owner(transaction) {
            self.notifiers.notice(layer, now, notice);
            self.drive_notifier(layer, calls, now, key, |_, _| ());
        }
    }

    pub(crate) fn handle_timeout(
        &mut self,
        layer: &mut TransactionLayer,
        calls: &mut Calls,
        now: Instant,
    ) {
        while let Some(key) = self.subscribers.expired(now) {
            self.drive(layer, calls, now, key, |_, _| ());
        }
        while let Some(key) = self.notifiers.expired(now) {
            self.drive_notifier(layer, calls, now, key, |_, _| ());
        }
    }

    pub(crate) fn poll_event(&mut self) -> Option<Event> {
        self.subscribers.poll_event().or_else(|| self.notifiers.poll_event())
    }

    pub(crate) fn poll_timeout(&self) -> Option<Instant> {
        let deadlines = [self.subscribers.poll_timeout(), self.notifiers.poll_timeout()];
        deadlines.into_iter().flatten().min()
    }

    /// How many live, ours and those of others.
    pub(crate) fn len(&self) -> usize {
        self.subscribers.len() + self.notifiers.len()
    }

    /// How many dialogs they have without a call.
    pub(crate) fn dialogs(&self) -> usize {
        self.dialogs.len()
    }

    /// Takes over where a step has left a subscription.
    fn settle(&mut self, calls: &mut Calls, key: Key<Subscriber>, before: Places) {
        let after = Places::of(&self.subscribers, key);
        if before.dialog != after.dialog {
            if let Some(dialog) = before.dialog {
                self.dialogs.leave(calls, &dialog, Member::Subscriber(key));
            }
            if let Some(dialog) = after.dialog {
                self.dialogs.join(calls, dialog, Member::Subscriber(key));
            }
        }
        if before.half != after.half {
            before.half.and_then(|half| self.solicited.remove(&half));
            after.half.and_then(|half| self.solicited.insert(half, key));
        }
    }
}

/// Where messages find a subscription of ours.
#[derive(Default)]
struct Places {
    dialog: Option<DialogId>,
    half: Option<DialogId>,
}

impl Places {
    fn of(subscribers: &Usages<Subscriber>, key: Key<Subscriber>) -> Self {
        let subscriber = subscribers.get(key);
        Self {
            dialog: subscriber.and_then(|it| it.dialog().cloned()),
            half: subscriber.and_then(Subscriber::solicits),
        }
    }
}
