//! Requests of others that their owner answers (RFC 3261 §8.2, RFC 4320).
//!
//! 1. A request with a method that the owner wants is told, and waits for `respond`.
//! 2. If that takes long, 100 (Trying) goes out when RFC 4320 §4.1 says so.
//! 3. If it takes so long that the sender is about to give up, 480 goes out instead.

use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};

use offhook_sansio::{Deadlines, Flow, Key, Table, Timers};
use offhook_sip_message::{HeaderName, Method, StatusCode, Text, ValidRequest};
use tracing::debug;

use crate::{
    Body, CallId, Error, Event,
    call::{Asker, inspect},
    transaction::{Timing, TransactionId, TransactionLayer},
    usage::check_headers,
};

/// Names one request of another that waits for [`respond`](crate::UserAgent::respond).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct IncomingId(Key<Waiting>);

/// The requests that wait for their answer.
#[derive(Debug, Default)]
pub(crate) struct Incoming {
    waiting: Table<Waiting>,
    deadlines: Deadlines<Key<Waiting>>,
    events: VecDeque<Event>,
}

#[derive(Debug)]
struct Waiting {
    request: ValidRequest,
    transaction: TransactionId,
    timers: Timers<Timer>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Timer {
    /// Says that it takes longer (RFC 4320 §4.1).
    Trying,
    /// Answers for the owner, while the sender still listens (RFC 4320 §4.2 leaves no way later).
    Unanswered,
}

impl Incoming {
    /// Whether requests with this method are for the owner to answer.
    pub(crate) fn wants(layer: &TransactionLayer, request: &ValidRequest) -> bool {
        let method = request.method();
        !OTHERS.contains(&method) && layer.config.answered_by_owner.contains(&method)
    }

    /// Whether one more request may wait.
    pub(crate) fn has_room(&self, layer: &TransactionLayer) -> bool {
        !layer.is_full(0) && self.waiting.len() < layer.config.max_waiting_requests
    }

    /// Takes a request that the owner wants; `call` is the call that it was sent in.
    pub(crate) fn receive(
        &mut self,
        layer: &mut TransactionLayer,
        now: Instant,
        request: ValidRequest,
        flow: Flow,
        call: Option<CallId>,
    ) {
        if let Err(refusal) = inspect(layer, &layer.config.session_timer, &request) {
            let asker = if call.is_some() { Asker::Peer } else { Asker::Stranger };
            return refusal.send(layer, now, &request, flow, asker);
        }
        let tag = layer.stateless_tag(&request);
        let Some(transaction) = layer.serve(&request, flow, &tag) else { return };
        let mut timers = Timers::new();
        timers.set(Timer::Trying, now + until_t2(layer.timing()));
        timers.set(Timer::Unanswered, now + layer.timing().give_up() / 2);
        let waiting = Waiting { request: request.clone(), transaction, timers };
        let Some(key) = self.waiting.insert(waiting) else { return };
        self.reschedule(key);
        let incoming = IncomingId(key);
        self.events.push_back(Event::Requested { incoming, request, flow, call });
    }

    /// Answers a request finally.
    pub(crate) fn respond(
        &mut self,
        layer: &mut TransactionLayer,
        now: Instant,
        incoming: IncomingId,
        status: StatusCode,
        body: Option<Body>,
        headers: &[(HeaderName, Text)],
    ) -> Result<(), Error> {
        if !status.is_final() {
            return Err(Error::InvalidStatus { status, expected: "200 to 699" });
        }
        check_headers(headers, &[])?;
        let waiting = self.waiting.get(incoming.0).ok_or(Error::NoRequest)?;
        let mut builder = waiting.reply(layer, status);
        for (name, value) in headers {
            builder = builder.raw(name.clone(), value);
        }
        if let Some(body) = body {
            builder = builder.body(&body.content_type, body.content);
        }
        let response = builder.build().map_err(|error| Error::Unbuildable(error.to_string()))?;
        layer.respond(now, waiting.transaction, &response);
        self.remove(incoming.0);
        Ok(())
    }

    pub(crate) fn handle_timeout(&mut self, layer: &mut TransactionLayer, now: Instant) {
        while let Some(key) = self.deadlines.expired(now) {
            while let Some(timer) = self.expired(key, now) {
                match timer {
                    Timer::Trying => self.answer(layer, now, key, StatusCode::TRYING),
                    Timer::Unanswered => {
                        debug!(request = ?IncomingId(key), "answered for its owner");
                        self.answer(layer, now, key, StatusCode::TEMPORARILY_UNAVAILABLE);
                        self.remove(key);
                    }
                }
            }
            self.reschedule(key);
        }
    }

    pub(crate) fn poll_event(&mut self) -> Option<Event> {
        self.events.pop_front()
    }

    pub(crate) fn poll_timeout(&self) -> Option<Instant> {
        self.deadlines.next()
    }

    pub(crate) fn len(&self) -> usize {
        self.waiting.len()
    }

    fn answer(
        &self,
        layer: &mut TransactionLayer,
        now: Instant,
        key: Key<Waiting>,
        status: StatusCode,
    ) {
        let Some(waiting) = self.waiting.get(key) else { return };
        let response = waiting.reply(layer, status).build();
        let Some(response) = layer.built(response) else { return };
        layer.respond(now, waiting.transaction, &response);
    }

    fn expired(&mut self, key: Key<Waiting>, now: Instant) -> Option<Timer> {
        self.waiting.get_mut(key)?.timers.expired(now)
    }

    fn remove(&mut self, key: Key<Waiting>) {
        self.waiting.remove(key);
        self.deadlines.set(key, None);
    }

    fn reschedule(&mut self, key: Key<Waiting>) {
        let deadline = self.waiting.get(key).and_then(|waiting| waiting.timers.next());
        self.deadlines.set(key, deadline);
    }
}

impl Waiting {
    fn reply(
        &self,
        layer: &TransactionLayer,
        status: StatusCode,
    ) -> offhook_sip_message::ResponseBuilder {
        layer.reply(&self.request, status, &layer.stateless_tag(&self.request))
    }
}

/// How long it takes Timer E of the sender to reach T2 (RFC 4320 §4.1).
pub(crate) fn until_t2(timing: Timing) -> Duration {
    let (mut interval, mut elapsed) = (timing.t1, Duration::ZERO);
    while interval < timing.t2 {
        elapsed = elapsed.saturating_add(interval);
        interval = timing.back_off(interval);
    }
    elapsed
}

/// What the user agent answers itself.
const OTHERS: [Method; 7] = [
    Method::INVITE,
    Method::ACK,
    Method::BYE,
    Method::CANCEL,
    Method::OPTIONS,
    Method::PRACK,
    Method::UPDATE,
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Config;

    #[test]
    fn timer_e_reaches_t2_after_three_and_a_half_seconds() {
        assert_eq!(until_t2(Timing::of(&Config::default())), Duration::from_millis(3_500));
    }
}
