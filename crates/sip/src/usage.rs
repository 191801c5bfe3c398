//! What the usages outside of calls have in common: each is a client with at most one request of
//! its own under way.
//!
//! 1. A machine sends a request, as an [`Exchange`], which answers challenges.
//! 2. [`Usages`] finds the machine again by its transaction, or by its deadline.
//! 3. What the machine has to tell becomes an [`Event`]; a machine that is over is removed.

mod back_off;
pub use back_off::BackOff;
mod compose;
pub(crate) use compose::{Draft, Identity, check_headers, check_security, with_body};
mod exchange;
pub(crate) use exchange::{Exchange, again, authenticator};
mod soft_state;
pub(crate) use soft_state::{refresh_after, retry_after};

use std::{collections::VecDeque, time::Instant};

use offhook_sansio::{Deadlines, IdMap, Key, Table};
use offhook_sip_message::ValidResponse;

use crate::{
    Event,
    transaction::{Failure, Notice, TransactionId, TransactionLayer},
};

/// A machine that sends requests outside of calls.
pub(crate) trait Usage: Sized {
    type Event;

    /// Takes the final response to the request under way.
    fn answered(&mut self, layer: &mut TransactionLayer, now: Instant, response: ValidResponse);

    /// Nobody has answered the request under way, or it could not be sent (RFC 3261 §8.1.3.1).
    fn failed(&mut self, layer: &mut TransactionLayer, now: Instant, failure: Failure);

    fn handle_timeout(&mut self, layer: &mut TransactionLayer, now: Instant);

    fn poll_event(&mut self) -> Option<Self::Event>;

    fn poll_timeout(&self) -> Option<Instant>;

    /// The transaction of the request under way.
    fn transaction(&self) -> Option<TransactionId>;

    fn is_over(&self) -> bool;

    /// The event as the owner of the user agent gets it.
    fn tell(key: Key<Self>, event: Self::Event) -> Event;
}

/// All machines of one usage, and what leads to them.
#[derive(Debug)]
pub(crate) struct Usages<U> {
    machines: Table<U>,
    /// An entry lives as long as its transaction, which may outlive the machine.
    uses: IdMap<TransactionId, Key<U>>,
    deadlines: Deadlines<Key<U>>,
    events: VecDeque<Event>,
}

impl<U: Usage> Usages<U> {
    pub(crate) fn new() -> Self {
        Self {
            machines: Table::new(),
            uses: IdMap::default(),
            deadlines: Deadlines::new(),
            events: VecDeque::new(),
        }
    }

    /// Takes a machine that has begun.
    pub(crate) fn begin(&mut self, machine: U) -> Option<Key<U>> {
        let key = self.machines.insert(machine)?;
        self.settle(key);
        Some(key)
    }

    pub(crate) fn get(&self, key: Key<U>) -> Option<&U> {
        self.machines.get(key)
    }

    /// Lets `step` drive a machine; `None` if it is over.
    pub(crate) fn drive<T>(&mut self, key: Key<U>, step: impl FnOnce(&mut U) -> T) -> Option<T> {
        let done = step(self.machines.get_mut(key)?);
        self.settle(key);
        Some(done)
    }

    /// Whether a transaction is of this usage.
    pub(crate) fn owns(&self, transaction: TransactionId) -> bool {
        self.uses.contains_key(&transaction)
    }

    /// The machine that a transaction is of; it may be over.
    pub(crate) fn owner(&self, transaction: TransactionId) -> Option<Key<U>> {
        self.uses.get(&transaction).copied()
    }

    /// Takes what became of a transaction of this usage.
    pub(crate) fn notice(&mut self, layer: &mut TransactionLayer, now: Instant, notice: Notice) {
        match notice {
            Notice::Response { transaction, response } => {
                // A provisional response says no more than that somebody is at work.
                if response.status().is_final() {
                    self.under_way(transaction, |it| it.answered(layer, now, response));
                }
            }
            Notice::Terminated { transaction, failure } => {
                if let Some(failure) = failure {
                    self.under_way(transaction, |it| it.failed(layer, now, failure));
                }
                self.uses.remove(&transaction);
            }
            // Requests of others have no transaction of ours.
            Notice::Request { .. } | Notice::Ack { .. } | Notice::Unsent { .. } => {}
        }
    }

    pub(crate) fn handle_timeout(&mut self, layer: &mut TransactionLayer, now: Instant) {
        while let Some(key) = self.expired(now) {
            self.drive(key, |machine| machine.handle_timeout(layer, now));
        }
    }

    /// The next machine with something due.
    pub(crate) fn expired(&mut self, now: Instant) -> Option<Key<U>> {
        self.deadlines.expired(now)
    }

    pub(crate) fn poll_event(&mut self) -> Option<Event> {
        self.events.pop_front()
    }

    pub(crate) fn poll_timeout(&self) -> Option<Instant> {
        self.deadlines.next()
    }

    pub(crate) fn len(&self) -> usize {
        self.machines.len()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (Key<U>, &U)> {
        self.machines.iter()
    }

    /// Drives the machine that still waits for `transaction`.
    fn under_way(&mut self, transaction: TransactionId, step: impl FnOnce(&mut U)) {
        let Some(&key) = self.uses.get(&transaction) else { return };
        let waits = |machine: &U| machine.transaction() == Some(transaction);
        if self.machines.get(key).is_some_and(waits) {
            self.drive(key, step);
        }
    }

    /// Takes over what a step of a machine has changed.
    fn settle(&mut self, key: Key<U>) {
        let Some(machine) = self.machines.get_mut(key) else { return };
        if let Some(transaction) = machine.transaction() {
            self.uses.insert(transaction, key);
        }
        while let Some(event) = machine.poll_event() {
            self.events.push_back(U::tell(key, event));
        }
        if machine.is_over() {
            self.deadlines.set(key, None);
            self.machines.remove(key);
        } else {
            self.deadlines.set(key, machine.poll_timeout());
        }
    }
}
