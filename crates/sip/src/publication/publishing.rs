//! One publication (RFC 3903 §4).
//!
//! 1. The first PUBLISH brings the state; the entity-tag of its 2xx names it from then on.
//! 2. Refreshes name it and bring nothing; changes name it and bring the new state.
//! 3. 412: the server has forgotten it. It is published anew.
//! 4. 423 asks for longer; any other refusal, or silence, waits for Timer Retry.
//! 5. A PUBLISH that removes the state ends it, whatever the answer.
//!
//! There is at most one PUBLISH under way (§4): what the owner wants meanwhile comes next.

use std::{collections::VecDeque, mem, time::Duration, time::Instant};

use offhook_sansio::{Flow, Key, Timers};
use offhook_sip_message::{
    Expires, Method, MinExpires, NameAddr, Request, Route, SipEtag, SipIfMatch, StatusCode, Text,
    ValidResponse,
};
use tracing::debug;

use super::{Publication, PublicationEvent, PublicationId};
use crate::{
    Authenticator, Body, Error, Event,
    transaction::{Failure, TransactionId, TransactionLayer},
    usage::{
        Draft, Exchange, Identity, Usage, authenticator, check_security, refresh_after,
        retry_after, with_body,
    },
};

/// A state of this side at a server.
#[derive(Debug)]
pub(crate) struct Publishing {
    wanted: Publication,
    routes: Vec<Route>,
    identity: Identity,
    authenticator: Option<Box<Authenticator>>,
    /// The number of the last PUBLISH.
    cseq: u32,
    state: State,
    leaving: bool,
    /// The seconds to ask for: those wanted, or what a 423 asks for.
    seconds: u32,
    /// What names the published state; `None`: nothing is published.
    entity_tag: Option<Text>,
    /// The state of the owner is not the published one.
    changed: bool,
    /// Failures in a row (RFC 5626 §4.5).
    failures: u32,
    timers: Timers<Timer>,
    events: VecDeque<PublicationEvent>,
}

#[derive(Debug)]
enum State {
    /// A PUBLISH is under way.
    Asking(Box<Asking>),
    /// None is; the timers say when the next one is due.
    Resting,
    Over,
}

#[derive(Debug)]
struct Asking {
    exchange: Exchange,
    /// It brings the state of the owner.
    brings: bool,
    removes: bool,
    seconds: u32,
    /// How often 412 or 423 has come in a row.
    tries: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Timer {
    /// Refreshes the state before it expires (RFC 3903 §4.3).
    Refresh,
    /// Tries again after a failure (RFC 5626 §4.5, RFC 3261 §20.33).
    Retry,
    /// The state has expired (RFC 3903 §4.2).
    Expiry,
}

impl Publishing {
    /// Sends the first PUBLISH, through `routes`.
    pub(crate) fn publish(
        layer: &mut TransactionLayer,
        now: Instant,
        mut wanted: Publication,
        routes: Vec<Route>,
    ) -> Result<Self, Error> {
        wanted.check()?;
        let logins = mem::take(&mut wanted.logins);
        let to = NameAddr::new(wanted.target.clone());
        let mut publishing = Self {
            routes,
            identity: Identity::new(layer, wanted.from.clone(), to),
            authenticator: authenticator(layer, logins),
            cseq: 0,
            state: State::Resting,
            leaving: false,
            seconds: wanted.seconds(),
            entity_tag: None,
            changed: true,
            failures: 0,
            timers: Timers::new(),
            events: VecDeque::new(),
            wanted,
        };
        publishing.send(layer, now, 0)?;
        Ok(publishing)
    }

    /// Publishes another state in place of the one of before (§4.4).
    pub(crate) fn modify(
        &mut self,
        layer: &mut TransactionLayer,
        now: Instant,
        body: Body,
    ) -> Result<(), Error> {
        if self.leaving {
            return Err(Error::WrongState { verb: "republish", expected: "it is being removed" });
        }
        self.wanted.body = body;
        self.changed = true;
        if matches!(self.state, State::Resting) {
            self.ask(layer, now, 0);
        }
        Ok(())
    }

    /// Takes another flow, for the next PUBLISH or the one that Timer Retry waits for.
    pub(crate) fn retarget(&mut self, layer: &TransactionLayer, flow: Flow) -> Result<(), Error> {
        check_security(&self.wanted.target, flow)?;
        layer.public(flow)?;
        self.wanted.flow = flow;
        Ok(())
    }

    /// Removes the state (§4.5). Doing so twice is harmless.
    pub(crate) fn withdraw(&mut self, layer: &mut TransactionLayer, now: Instant) {
        if mem::replace(&mut self.leaving, true) {
            return;
        }
        self.timers.clear();
        if matches!(self.state, State::Resting) {
            self.leave(layer, now);
        }
    }

    /// Sends a PUBLISH; if that cannot be, it has failed.
    fn ask(&mut self, layer: &mut TransactionLayer, now: Instant, tries: u32) {
        let Err(error) = self.send(layer, now, tries) else { return };
        debug!(%error, "PUBLISH not sent");
        let status = StatusCode::SERVICE_UNAVAILABLE;
        match self.leaving {
            true => self.end(Some(status)),
            false => self.fail(layer, now, status, None),
        }
    }

    fn send(
        &mut self,
        layer: &mut TransactionLayer,
        now: Instant,
        tries: u32,
    ) -> Result<(), Error> {
        let removes = self.leaving;
        let brings = !removes && (self.changed || self.entity_tag.is_none());
        let seconds = if removes { 0 } else { self.seconds };
        let request = self.build(layer, brings, seconds)?;
        let authenticator = self.authenticator.as_deref_mut();
        let exchange = Exchange::start(layer, now, request, self.wanted.flow, authenticator)?;
        self.cseq = exchange.cseq();
        if brings {
            self.changed = false;
        }
        self.timers.stop(Timer::Refresh);
        self.timers.stop(Timer::Retry);
        self.state = State::Asking(Box::new(Asking { exchange, brings, removes, seconds, tries }));
        Ok(())
    }

    /// One of the four operations of §4.1, table 1.
    fn build(
        &self,
        layer: &mut TransactionLayer,
        brings: bool,
        seconds: u32,
    ) -> Result<Request, Error> {
        let draft = Draft {
            method: Method::PUBLISH,
            target: &self.wanted.target,
            identity: &self.identity,
            cseq: self.cseq.saturating_add(1),
            flow: self.wanted.flow,
            routes: &self.routes,
            headers: &self.wanted.headers,
        };
        let mut builder =
            draft.compose(layer)?.header(&self.wanted.event).header(&Expires(seconds));
        if let Some(tag) = &self.entity_tag {
            builder = builder.header(&SipIfMatch(tag.clone()));
        }
        let built = with_body(builder, brings.then_some(&self.wanted.body)).build();
        built.map_err(|error| Error::Unbuildable(error.to_string()))
    }

    /// The PUBLISH under way is over.
    fn rest(&mut self) -> Option<Asking> {
        let State::Asking(_) = self.state else { return None };
        let State::Asking(asking) = mem::replace(&mut self.state, State::Resting) else {
            return None;
        };
        self.cseq = asking.exchange.cseq();
        Some(*asking)
    }

    /// A 2xx (§5, §8.2).
    fn granted(
        &mut self,
        layer: &mut TransactionLayer,
        now: Instant,
        asking: &Asking,
        response: ValidResponse,
    ) {
        let Ok(Some(SipEtag(entity_tag))) = response.header::<SipEtag>() else {
            return self.rejected(layer, now, asking, response);
        };
        self.failures = 0;
        self.entity_tag = Some(entity_tag.clone());
        if self.leaving {
            return self.leave(layer, now);
        }
        let given = response.header::<Expires>().ok().flatten().map(|Expires(it)| it);
        let expires = Duration::from_secs(given.unwrap_or(asking.seconds).into());
        let refresh = refresh_after(expires, layer.timing(), &mut layer.random);
        self.timers.set(Timer::Refresh, now + refresh);
        self.timers.set(Timer::Expiry, now + expires);
        self.events.push_back(PublicationEvent::Published { entity_tag, expires, response });
        if self.changed {
            self.ask(layer, now, 0);
        }
    }

    /// Any other final response (§5).
    fn rejected(
        &mut self,
        layer: &mut TransactionLayer,
        now: Instant,
        asking: &Asking,
        response: ValidResponse,
    ) {
        self.changed |= asking.brings;
        let (status, next) = (response.status(), asking.tries.saturating_add(1));
        let first = asking.tries < MAX_TRIES;
        if status == StatusCode::CONDITIONAL_REQUEST_FAILED {
            self.entity_tag = None;
            self.timers.stop(Timer::Expiry);
        }
        if self.leaving {
            return self.leave(layer, now);
        }
        match status {
            StatusCode::CONDITIONAL_REQUEST_FAILED if first => self.ask(layer, now, next),
            StatusCode::INTERVAL_TOO_BRIEF
                if first && let Some(longer) = longer(asking, &response) =>
            {
                self.seconds = longer;
                self.ask(layer, now, next);
            }
            _ => self.fail(layer, now, status, Some(response)),
        }
    }

    /// Says that it has failed, and tries again in a while.
    fn fail(
        &mut self,
        layer: &mut TransactionLayer,
        now: Instant,
        status: StatusCode,
        response: Option<ValidResponse>,
    ) {
        self.failures = self.failures.saturating_add(1);
        let back_off = layer.config.back_off.wait(self.failures, false, &mut layer.random);
        let retry_in = match response.as_ref().and_then(retry_after) {
            _ if HOPELESS.contains(&status) => None,
            asked => Some(asked.unwrap_or(back_off)),
        };
        if let Some(retry_in) = retry_in {
            self.timers.set(Timer::Retry, now + retry_in);
        }
        self.events.push_back(PublicationEvent::Failed { status, response, retry_in });
    }

    /// The time of the state is over: what names it is of no use any more.
    fn expired(&mut self) {
        self.entity_tag = None;
        self.events.push_back(PublicationEvent::Expired);
    }

    fn leave(&mut self, layer: &mut TransactionLayer, now: Instant) {
        self.timers.clear();
        match self.entity_tag {
            Some(_) => self.ask(layer, now, 0),
            None => self.end(None),
        }
    }

    fn end(&mut self, status: Option<StatusCode>) {
        self.state = State::Over;
        self.timers.clear();
        self.events.push_back(PublicationEvent::Withdrawn { status });
    }
}

impl Usage for Publishing {
    type Event = PublicationEvent;

    fn answered(&mut self, layer: &mut TransactionLayer, now: Instant, response: ValidResponse) {
        let State::Asking(asking) = &mut self.state else { return };
        let authenticator = self.authenticator.as_deref_mut();
        if asking.exchange.challenged(layer, now, &response, authenticator) {
            return;
        }
        let Some(asking) = self.rest() else { return };
        match response.status() {
            status if asking.removes => self.end(Some(status)),
            status if status.is_success() => self.granted(layer, now, &asking, response),
            _ => self.rejected(layer, now, &asking, response),
        }
    }

    fn failed(&mut self, layer: &mut TransactionLayer, now: Instant, failure: Failure) {
        let Some(asking) = self.rest() else { return };
        let status = match failure {
            Failure::TimedOut => StatusCode::REQUEST_TIMEOUT,
            Failure::Transport => StatusCode::SERVICE_UNAVAILABLE,
        };
        self.changed |= asking.brings;
        match self.leaving {
            true if asking.removes => self.end(Some(status)),
            true => self.leave(layer, now),
            false => self.fail(layer, now, status, None),
        }
    }

    /// A publication needs no flow while it rests.
    fn flow_failed(&mut self, _layer: &mut TransactionLayer, _now: Instant, _flow: Flow) {}

    fn handle_timeout(&mut self, layer: &mut TransactionLayer, now: Instant) {
        while let Some(timer) = self.timers.expired(now) {
            match timer {
                Timer::Refresh | Timer::Retry => self.ask(layer, now, 0),
                Timer::Expiry => self.expired(),
            }
        }
    }

    fn poll_event(&mut self) -> Option<PublicationEvent> {
        self.events.pop_front()
    }

    fn poll_timeout(&self) -> Option<Instant> {
        self.timers.next()
    }

    fn transaction(&self) -> Option<TransactionId> {
        match &self.state {
            State::Asking(asking) => Some(asking.exchange.transaction()),
            State::Resting | State::Over => None,
        }
    }

    fn is_over(&self) -> bool {
        matches!(self.state, State::Over)
    }

    fn tell(key: Key<Self>, event: PublicationEvent) -> Event {
        Event::Publication { publication: PublicationId(key), event }
    }
}

/// What a 423 asks for, if it makes sense (§5).
fn longer(asking: &Asking, response: &ValidResponse) -> Option<u32> {
    let MinExpires(least) = response.header::<MinExpires>().ok()??;
    (least > asking.seconds).then_some(least)
}

/// A server that changes its mind each time is left alone.
const MAX_TRIES: u32 = 2;
/// Trying again does not help: RFC 3261 §22.1, §21.4.4, RFC 3903 §6.
const HOPELESS: [StatusCode; 4] = [
    StatusCode::UNAUTHORIZED,
    StatusCode::PROXY_AUTHENTICATION_REQUIRED,
    StatusCode::FORBIDDEN,
    StatusCode::BAD_EVENT,
];
